//! A stock that jumps at each event and decays makes a Hawkes process.

use crate::support::*;
use flashpoint::engine::Unobserved;
use flashpoint::math::exp;
use flashpoint::random::{StreamKey, StreamSource};
use flashpoint::stats::hypothesis::{TestResult, z_test};
use flashpoint::stats::moments::Moments;
use flashpoint::stats::special::normal_cdf;

const BACKGROUND: f64 = 0.5;
const JUMP: f64 = 0.8;
const DECAY: f64 = 1.6;
const HORIZON: f64 = 20.0;

/// E N(t), in closed form.
fn mean(t: f64) -> f64 {
    let k = DECAY - JUMP;
    let stationary = BACKGROUND * DECAY / k;
    stationary * t + (BACKGROUND - stationary) * (1.0 - exp(-k * t)) / k
}

/// E N(t) and Var N(t) from the moment equations of (rate L, count N), whose generator is
/// `A f = b (m - L) df/dL + L (f(L + a, N + 1) - f(L, N))`, by the classical Runge-Kutta method:
/// `(E L)' = b m - k E L`, `(E L^2)' = -2 k E L^2 + (2 b m + a^2) E L`,
/// `(E N)' = E L`, `(E L N)' = b m E N - k E L N + E L^2 + a E L`, `(E N^2)' = 2 E L N + E L`.
fn moments(t: f64) -> (f64, f64) {
    let k = DECAY - JUMP;
    let slope = |[l, ll, n, ln, _]: [f64; 5]| {
        [
            DECAY * BACKGROUND - k * l,
            (2.0 * DECAY * BACKGROUND + JUMP * JUMP) * l - 2.0 * k * ll,
            l,
            DECAY * BACKGROUND * n - k * ln + ll + JUMP * l,
            2.0 * ln + l,
        ]
    };
    let along = |y: [f64; 5], d: [f64; 5], h: f64| std::array::from_fn(|i| y[i] + h * d[i]);
    let mut y = [BACKGROUND, BACKGROUND * BACKGROUND, 0.0, 0.0, 0.0];
    let steps = 4_000;
    let h = t / f64::from(steps);
    for _ in 0..steps {
        let a = slope(y);
        let b = slope(along(y, a, h / 2.0));
        let c = slope(along(y, b, h / 2.0));
        let d = slope(along(y, c, h));
        y = along(
            y,
            std::array::from_fn(|i| a[i] + 2.0 * (b[i] + c[i]) + d[i]),
            h / 6.0,
        );
    }
    (y[2], y[4] - y[2] * y[2])
}

/// Test of a sample variance, with the error that the sample's fourth moment gives it.
fn variance_test(sample: &[f64], variance: f64) -> Option<TestResult> {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let central = |p: i32| {
        let power = |x: f64| (0..p).fold(1.0, |product, _| product * x);
        sample.iter().map(|x| power(x - mean)).sum::<f64>() / n
    };
    let error = ((central(4) - central(2) * central(2)) / n).sqrt();
    let z = (central(2) - variance) / error;
    Some(TestResult {
        statistic: z,
        p_value: 2.0 * normal_cdf(-z.abs()),
    })
}

fn moments_of(sample: &[f64]) -> Moments {
    let mut moments = Moments::new();
    sample.iter().for_each(|&x| moments.add(x));
    moments
}

fn counts() -> Vec<f64> {
    let model = scenario("hawkes");
    let mut runs = Runs::new(&model, 1);
    let count = |run| {
        runs.run(run, &mut Unobserved);
        runs.metric("attacks")
    };
    (0..20_000).map(count).collect()
}

/// The known bug: the rate stays where the last event left it until the next one is drawn.
fn counts_without_decay_during_waits() -> Vec<f64> {
    let source = StreamSource::new(StreamKey::derive(1, &["naive"]));
    let count = |run| {
        let mut stream = source.stream(run);
        let (mut time, mut excitement, mut count) = (0.0, 0.0, 0.0);
        loop {
            let wait = stream.exponential() / (BACKGROUND + excitement);
            time += wait;
            if time > HORIZON || count > 500.0 {
                return count;
            }
            excitement = excitement * exp(-DECAY * wait) + JUMP;
            count += 1.0;
        }
    };
    (0..20_000).map(count).collect()
}

#[test]
fn the_moment_equations_agree_with_the_closed_forms() {
    for t in [0.5, 3.0, 20.0] {
        assert!((moments(t).0 - mean(t)).abs() < 1e-9 * mean(t));
    }
    let branching = JUMP / DECAY;
    let stationary = BACKGROUND / (1.0 - branching) / (1.0 - branching) / (1.0 - branching);
    let per_day = (moments(400.0).1 - moments(200.0).1) / 200.0;
    assert!((per_day - stationary).abs() < 1e-6);
}

#[test]
fn mean_and_variance_of_the_counts() {
    let counts = counts();
    let (mean, variance) = moments(HORIZON);
    accepts("mean", z_test(&moments_of(&counts), mean, variance.sqrt()));
    accepts("variance", variance_test(&counts, variance));

    rejects("variance of a Poisson count", variance_test(&counts, mean));
    rejects(
        "no excitement",
        z_test(&moments_of(&counts), BACKGROUND * HORIZON, variance.sqrt()),
    );
    let naive = counts_without_decay_during_waits();
    rejects(
        "mean without decay during waits",
        z_test(&moments_of(&naive), mean, variance.sqrt()),
    );
    rejects(
        "variance without decay during waits",
        variance_test(&naive, variance),
    );
}

/// Ogata's residuals: the compensator's growth between events is exponential with mean 1.
fn residuals(times: &[f64], decays: bool) -> Vec<f64> {
    let mut excitement = 0.0;
    let residual = |wait: f64| {
        let kept = exp(-DECAY * wait);
        let excited = if decays {
            excitement * (1.0 - kept) / DECAY
        } else {
            excitement * wait
        };
        excitement = excitement * kept + JUMP;
        BACKGROUND * wait + excited
    };
    gaps(times).into_iter().map(residual).collect()
}

#[test]
fn residuals_are_exponential() {
    let model = edited("hawkes", &[("horizon = 20", "horizon = 20000")]);
    let times = Runs::new(&model, 3).record(0).times();
    assert!(times.len() > 15_000);
    accepts("residuals", exponential(&residuals(&times, true), 1.0));
    rejects("no decay", exponential(&residuals(&times, false), 1.0));
    let doubled = edited(
        "hawkes",
        &[
            ("horizon = 20", "horizon = 20000"),
            ("ln(2) / decay", "1 / decay"),
        ],
    );
    let times = Runs::new(&doubled, 3).record(0).times();
    rejects(
        "half-life read as mean life",
        exponential(&residuals(&times, true), 1.0),
    );
}
