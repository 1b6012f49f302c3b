use super::*;
use crate::random::Stream;
use crate::stats::special::{normal_cdf, normal_pdf, normal_quantile};

fn stream() -> Stream {
    Stream::from_state([1, 2, 3, 4])
}

/// The distribution of a quantile function in so many equal parts.
fn parts(quantile: impl Fn(f64) -> f64, count: usize) -> Vec<(f64, f64)> {
    let midpoint = |i: usize| (i as f64 + 0.5) / count as f64;
    (0..count).map(|i| (quantile(midpoint(i)), 1.0)).collect()
}

/// Equation (5) of Gneiting, Raftery, Westveld and Goldman (2005).
fn crps_of_normal(y: f64) -> f64 {
    y * (2.0 * normal_cdf(y) - 1.0) + 2.0 * normal_pdf(y) - 1.0 / std::f64::consts::PI.sqrt()
}

#[test]
fn crps_has_its_closed_forms() {
    // A point forecast: the absolute error. Yes or no: the Brier score. Weights need not add up to 1.
    assert_eq!(crps(&[(3.0, 1.0)], 5.0), 2.0);
    assert!((crps(&[(0.0, 7.0), (1.0, 3.0)], 1.0) - 0.49).abs() < 1e-15);
    assert!((crps(&[(1.0, 3.0), (0.0, 7.0)], 0.0) - 0.09).abs() < 1e-15);
    // Uniform on [0, 1]: y^3 / 3 + (1 - y)^3 / 3.
    let uniform = parts(|u| u, 2000);
    for y in [0.0, 0.3, 1.0] {
        let exact = (y * y * y + (1.0 - y) * (1.0 - y) * (1.0 - y)) / 3.0;
        assert!((crps(&uniform, y) - exact).abs() < 1e-6);
    }
    let normal = parts(normal_quantile, 20_000);
    for y in [-1.5, 0.0, 0.4] {
        assert!((crps(&normal, y) - crps_of_normal(y)).abs() < 1e-4);
    }
    // Ranked probability score of 0.2, 0.5, 0.3 when the last happens: 0.2^2 + 0.7^2.
    let ranks = [(0.0, 0.2), (1.0, 0.5), (2.0, 0.3)];
    assert!((crps(&ranks, 2.0) - 0.53).abs() < 1e-15);
    assert!(crps(&[], 0.0).is_nan());
}

#[test]
fn logarithmic_score() {
    assert!((logarithmic(0.5) - std::f64::consts::LN_2).abs() < 1e-15);
    assert_eq!(logarithmic(1.0), 0.0);
    assert_eq!(logarithmic(0.0), f64::INFINITY);
}

/// No forecast of a coin with probability 0.3 can expect a better score than 0.3 itself. The mutant `|p - o|`, which is not
/// proper, rewards overstatement.
#[test]
fn the_truth_has_the_best_expected_score() {
    let truth = 0.3;
    let expected = |score: &dyn Fn(f64, f64) -> f64, p: f64| {
        truth * score(p, 1.0) + (1.0 - truth) * score(p, 0.0)
    };
    let brier = |p: f64, o: f64| crps(&[(0.0, 1.0 - p), (1.0, p)], o);
    let log = |p: f64, o: f64| logarithmic(if o > 0.5 { p } else { 1.0 - p });
    let mutant = |p: f64, o: f64| (p - o).abs();
    let best = |score: &dyn Fn(f64, f64) -> f64| {
        let grid = (1..100).map(|i| f64::from(i) / 100.0);
        grid.min_by(|&a, &b| expected(score, a).total_cmp(&expected(score, b)))
            .unwrap()
    };
    assert_eq!(best(&brier), truth);
    assert_eq!(best(&log), truth);
    assert_ne!(best(&mutant), truth);
}

/// 20,000 forecasts of 4 worlds of 5 runs, each world with a normal level of standard deviation 1 and runs around it of standard
/// deviation 1/2: the mean of the fair score is the score of the whole predictive distribution, a normal of variance 1.25.
/// The plain score of the sample, and the fair score that takes runs as independent, are too large, by more than 10 standard
/// errors.
#[test]
fn the_fair_score_has_no_bias_where_the_others_have() {
    let mut stream = stream();
    let mut normal = move || normal_quantile(stream.uniform());
    let sd = 1.25_f64.sqrt();
    let y = 0.7;
    let exact = sd * crps_of_normal(y / sd);
    let (mut fair, mut plain, mut unclustered) = (Moments::new(), Moments::new(), Moments::new());
    for _ in 0..20_000 {
        let mut runs = Vec::new();
        for world in 0..4 {
            let level = normal();
            runs.extend((0..5).map(|_| (level + 0.5 * normal(), world)));
        }
        let sample = ClusteredSample::new(runs.iter().copied());
        fair.add(sample.fair_without(y, &|_| false).unwrap());
        plain.add(crps(&sample.weighted(), y));
        let alone = (0..).zip(&runs).map(|(i, &(x, _))| (x, i));
        unclustered.add(
            ClusteredSample::new(alone)
                .fair_without(y, &|_| false)
                .unwrap(),
        );
    }
    let z =
        |moments: &Moments| (moments.mean().unwrap() - exact) / moments.standard_error().unwrap();
    assert!(z(&fair).abs() < 3.5, "{}", z(&fair));
    assert!(z(&plain) > 10.0 && z(&unclustered) > 10.0);
}

/// The jackknife's standard error against the spread of 400 repetitions: within 15 %. The mutant that takes runs for worlds is
/// far below.
#[test]
fn the_monte_carlo_error_is_that_of_repetitions() {
    let mut stream = stream();
    let (mut values, mut errors, mut mutant) = (Moments::new(), Moments::new(), Moments::new());
    for _ in 0..400 {
        let runs: Vec<(f64, u32)> = (0..100)
            .flat_map(|world| {
                let p = stream.uniform();
                let draws: Vec<f64> = (0..10)
                    .map(|_| f64::from(u8::from(stream.uniform() < p)))
                    .collect();
                draws.into_iter().map(move |x| (x, world))
            })
            .collect();
        let score = ClusteredSample::new(runs.iter().copied()).fair_crps(1.0);
        values.add(score.value);
        errors.add(score.standard_error.unwrap());
        let alone = (0..).zip(&runs).map(|(i, &(x, _))| (x, i));
        mutant.add(
            ClusteredSample::new(alone)
                .fair_crps(1.0)
                .standard_error
                .unwrap(),
        );
    }
    let ratio = |errors: &Moments| errors.mean().unwrap() / values.standard_deviation().unwrap();
    assert!((ratio(&errors) - 1.0).abs() < 0.15, "{}", ratio(&errors));
    assert!(ratio(&mutant) < 0.7, "{}", ratio(&mutant));
}

/// The categories' scores add up to half the quadratic score: ((1 - 0.5)^2 + 0.3^2 + 0.2^2) / 2.
#[test]
fn options_without_order_have_half_the_quadratic_score() {
    let answers = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2];
    let category = |k: u32| {
        let hits = (answers.iter()).map(move |&a| (f64::from(u8::from(a == k)), 0));
        ClusteredSample::new(hits)
    };
    let samples: Vec<_> = (0..3).map(category).collect();
    let outcomes = [1.0, 0.0, 0.0];
    let parts: Vec<_> = samples.iter().zip(outcomes).collect();
    assert!((0.5 * fair_sum(&parts).value - 0.19).abs() < 1e-12);
}

#[test]
fn one_world_and_no_runs() {
    let one = ClusteredSample::new([(0.0, 0), (1.0, 0)]);
    let expected = MonteCarlo {
        value: 0.25,
        standard_error: None,
    };
    assert_eq!(one.fair_crps(1.0), expected);
    assert_eq!(one.quantile(0.5), Some(0.0));
    assert_eq!(one.quantile(0.51), Some(1.0));
    assert_eq!(one.quantile(0.0), Some(0.0));
    assert_eq!(ClusteredSample::new([]).quantile(0.5), None);
}

#[test]
fn sign_flips_are_counted() {
    // Three cases, all better: 2 of 8 assignments are as far.
    let better = paired_difference(&[-0.1, -0.2, -0.4], 0.95).unwrap();
    assert_eq!((better.cases, better.p_value), (3, 0.25));
    assert_eq!(better.smallest_p_value, 0.25);
    assert!((better.mean + 0.7 / 3.0).abs() < 1e-15);
    assert!(better.interval.unwrap().contains(0.0));
    // 0.1 + 0.2 - 0.4: sums of size 0.1 or more are all 8.
    let mixed = paired_difference(&[0.1, 0.2, -0.4], 0.95).unwrap();
    assert_eq!(mixed.p_value, 1.0);
    // |0.3 + 0.4 - 0.1| = 0.6: the sums are 0.8, 0.6, 0, 0.2 and their opposites.
    let mostly = paired_difference(&[0.3, 0.4, -0.1], 0.95).unwrap();
    assert_eq!(mostly.p_value, 0.5);
    let one = paired_difference(&[0.5], 0.95).unwrap();
    assert_eq!((one.interval, one.p_value), (None, 1.0));
    assert_eq!(paired_difference(&[], 0.95), None);
    assert_eq!(paired_difference(&[0.0; 5], 0.95).unwrap().p_value, 1.0);
    let many = paired_difference(&[1.0; 30], 0.95).unwrap();
    assert_eq!((many.p_value, many.smallest_p_value), (0.0, 0.0));
}

/// With six cases of exchangeable differences, a level of 0.05 rejects in at most 5 % of 4,000 repetitions: 2 of 64 assignments can
/// do it, so it is 3 %, whatever the distribution.
#[test]
fn few_cases_are_not_overrated() {
    let mut stream = stream();
    let mut rejected = 0;
    for _ in 0..4000 {
        let differences: Vec<f64> = (0..6)
            .map(|_| {
                let size = stream.exponential();
                if stream.uniform() < 0.5 { size } else { -size }
            })
            .collect();
        let found = paired_difference(&differences, 0.95).unwrap();
        rejected += u32::from(found.p_value <= 0.05);
        assert!(found.p_value >= found.smallest_p_value);
    }
    let rate = f64::from(rejected) / 4000.0;
    assert!((rate - 2.0 / 64.0).abs() < 0.012, "{rate}");
}
