use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::math;
use crate::random::{StreamKey, StreamSource};

/// Kolmogorov's critical value of `D sqrt(n)` at alpha = 0.001: `sqrt(ln(2 / alpha) / 2)`.
const KS_CRITICAL: f64 = 1.9495;

const INF: f64 = f64::INFINITY;

/// An unnormalized density, coded apart from the library from the textbook definition.
fn density(family: Family, v: &[f64], x: f64) -> f64 {
    match family {
        Family::Constant => panic!("a constant has no density"),
        Family::Uniform => 1.0,
        Family::LogUniform => 1.0 / x,
        Family::Triangular if x < v[1] || v[1] == v[2] => (x - v[0]) / (v[1] - v[0]),
        Family::Triangular => (v[2] - x) / (v[2] - v[1]),
        Family::Normal => libm::exp(-(x - v[0]) * (x - v[0]) / (2.0 * v[1] * v[1])),
        Family::LogNormal => {
            let z = libm::log(x / v[0]) / v[1];
            libm::exp(-z * z / 2.0) / x
        }
        Family::Exponential => libm::exp(-x / v[0]),
        Family::Weibull => libm::pow(x / v[0], v[1] - 1.0) * libm::exp(-libm::pow(x / v[0], v[1])),
        Family::Beta => libm::pow(x - v[2], v[0] - 1.0) * libm::pow(v[3] - x, v[1] - 1.0),
        Family::Pert => {
            let width = v[2] - v[0];
            libm::pow(x - v[0], 4.0 * (v[1] - v[0]) / width)
                * libm::pow(v[2] - x, 4.0 * (v[2] - v[1]) / width)
        }
        Family::PowerLaw | Family::DiscretePowerLaw => libm::pow(x, -v[0]),
    }
}

/// The integral of the density from `low` to every node of a grid of `cells`, by Simpson's rule.
struct Integral {
    low: f64,
    width: f64,
    sums: Vec<f64>,
    weighted: f64,
}

impl Integral {
    fn new(f: impl Fn(f64) -> f64, low: f64, high: f64, cells: u32) -> Integral {
        let width = (high - low) / f64::from(cells);
        let mut sums = vec![0.0];
        let (mut sum, mut weighted) = (0.0, 0.0);
        for i in 0..cells {
            let a = low + f64::from(i) * width;
            let (m, b) = (a + 0.5 * width, a + width);
            sum += width / 6.0 * (f(a) + 4.0 * f(m) + f(b));
            weighted += width / 6.0 * (a * f(a) + 4.0 * m * f(m) + b * f(b));
            sums.push(sum);
        }
        Integral {
            low,
            width,
            sums,
            weighted,
        }
    }

    fn total(&self) -> f64 {
        self.sums[self.sums.len() - 1]
    }

    fn mean(&self) -> f64 {
        self.weighted / self.total()
    }

    fn cdf(&self, x: f64) -> f64 {
        let position = ((x - self.low) / self.width).clamp(0.0, (self.sums.len() - 1) as f64);
        let cell = (position as usize).min(self.sums.len() - 2);
        let part = position - cell as f64;
        (self.sums[cell] + part * (self.sums[cell + 1] - self.sums[cell])) / self.total()
    }
}

/// A case: the family and its values, the range that holds all but 1e-7 of it, and values that are
/// slightly wrong.
type Case = (Family, &'static [f64], (f64, f64), &'static [f64]);

const CASES: [Case; 17] = [
    (Family::Uniform, &[-2.0, 3.0], (-2.0, 3.0), &[-2.1, 3.0]),
    (Family::LogUniform, &[0.5, 40.0], (0.5, 40.0), &[0.5, 45.0]),
    (
        Family::Triangular,
        &[1.0, 2.0, 6.0],
        (1.0, 6.0),
        &[1.0, 2.2, 6.0],
    ),
    (
        Family::Triangular,
        &[1.0, 1.0, 6.0],
        (1.0, 6.0),
        &[1.0, 1.2, 6.0],
    ),
    (
        Family::Triangular,
        &[1.0, 6.0, 6.0],
        (1.0, 6.0),
        &[1.0, 5.8, 6.0],
    ),
    (
        Family::Normal,
        &[5.0, 2.0, -INF, INF],
        (-9.0, 19.0),
        &[5.05, 2.0, -INF, INF],
    ),
    (
        Family::Normal,
        &[5.0, 2.0, 4.0, 6.5],
        (4.0, 6.5),
        &[5.3, 2.0, 4.0, 6.5],
    ),
    (
        Family::Normal,
        &[0.0, 1.0, 7.0, INF],
        (7.0, 12.0),
        &[0.3, 1.0, 7.0, INF],
    ),
    (
        Family::LogNormal,
        &[3.0, 0.5, 0.0, INF],
        (0.1, 70.0),
        &[3.05, 0.5, 0.0, INF],
    ),
    (
        Family::LogNormal,
        &[3.0, 0.5, 4.0, 9.0],
        (4.0, 9.0),
        &[3.2, 0.5, 4.0, 9.0],
    ),
    (Family::Exponential, &[4.0], (0.0, 70.0), &[4.1]),
    (Family::Weibull, &[4.0, 1.7], (0.0, 24.0), &[4.0, 1.75]),
    (
        Family::Beta,
        &[2.0, 5.0, 0.0, 1.0],
        (0.0, 1.0),
        &[2.05, 5.0, 0.0, 1.0],
    ),
    (
        Family::Beta,
        &[30.0, 2.0, -1.0, 3.0],
        (-1.0, 3.0),
        &[29.0, 2.0, -1.0, 3.0],
    ),
    (Family::Pert, &[1.0, 2.0, 6.0], (1.0, 6.0), &[1.0, 2.1, 6.0]),
    (
        Family::PowerLaw,
        &[2.5, 2.0, 50.0],
        (2.0, 50.0),
        &[2.55, 2.0, 50.0],
    ),
    (
        Family::PowerLaw,
        &[2.0, 2.0, 50.0],
        (2.0, 50.0),
        &[2.05, 2.0, 50.0],
    ),
];

fn sample(shape: Shape, name: &str) -> Vec<f64> {
    let source = StreamSource::new(StreamKey::derive(2026, &["distribution", name]));
    let mut stream = source.stream(0);
    let mut values: Vec<f64> = (0..100_000)
        .map(|_| shape.quantile(stream.uniform()))
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The statistic `D sqrt(n)` of a sorted sample against `cdf`; equal values count as one step, so
/// it also holds (with a smaller alpha) for discrete distributions.
fn ks(sorted: &[f64], cdf: impl Fn(f64) -> f64, discrete: bool) -> f64 {
    let n = sorted.len() as f64;
    let mut d = 0.0_f64;
    for (i, &x) in sorted.iter().enumerate() {
        let last = sorted.get(i + 1).is_none_or(|&next| next > x);
        if last {
            d = d.max(((i + 1) as f64 / n - cdf(x)).abs());
        }
        if !discrete {
            d = d.max((i as f64 / n - cdf(x)).abs());
        }
    }
    d * n.sqrt()
}

#[test]
fn samples_follow_the_density() {
    for (i, (family, values, (low, high), mutant)) in CASES.into_iter().enumerate() {
        let shape = Shape::new(family, values).unwrap();
        let sample = sample(shape, &i.to_string());
        let right = Integral::new(|x| density(family, values, x), low, high, 20_000);
        let wrong = Integral::new(|x| density(family, mutant, x), low, high, 20_000);
        // A mutant that widens the support is told from the sample by the wider density.
        let wrong = if family == Family::Uniform || family == Family::LogUniform {
            Integral::new(|x| density(family, mutant, x), mutant[0], mutant[1], 20_000)
        } else {
            wrong
        };
        let statistic = ks(&sample, |x| right.cdf(x), false);
        assert!(
            statistic < KS_CRITICAL,
            "{family:?} {values:?}: {statistic}"
        );
        let statistic = ks(&sample, |x| wrong.cdf(x), false);
        assert!(
            statistic > KS_CRITICAL,
            "mutant of {family:?} {values:?}: {statistic}"
        );
    }
}

#[test]
fn cdf_and_mean_are_integrals_of_the_density() {
    for (family, values, (low, high), mutant) in CASES {
        let shape = Shape::new(family, values).unwrap();
        let integral = Integral::new(|x| density(family, values, x), low, high, 20_000);
        for i in 0..=40 {
            // Every 500th node of the grid, where the integral needs no interpolation.
            let x = low + f64::from(i) * 500.0 * integral.width;
            let error = (shape.cdf(x) - integral.cdf(x)).abs();
            assert!(error < 2e-7, "{family:?} {values:?} at {x}: {error:e}");
        }
        let close = |shape: &Shape| {
            let mean = shape.mean().unwrap();
            (mean - integral.mean()).abs() < 1e-6 * mean.abs()
        };
        assert!(
            close(&shape),
            "{family:?}: {:?} {}",
            shape.mean(),
            integral.mean()
        );
        assert!(
            !close(&Shape::new(family, mutant).unwrap()),
            "mutant of {family:?}"
        );
    }
}

#[test]
fn discrete_power_law_follows_its_mass_function() {
    for (values, mutant) in [([1.8, 1.0, 60.0], 1.83), ([2.5, 10.0, 500.0], 2.54)] {
        let [exponent, min, max] = values;
        let shape = Shape::new(Family::DiscretePowerLaw, &values).unwrap();
        let sample = sample(shape, "discrete power law");
        assert!(
            sample
                .iter()
                .all(|k| k.floor() == *k && (min..=max).contains(k))
        );
        let cdf = |exponent: f64, k: f64| {
            let cells = 100 * (max - min + 1.0) as u32;
            let f = |x| density(Family::DiscretePowerLaw, &[exponent], x);
            let integral = Integral::new(f, min - 0.5, max + 0.5, cells);
            move |x: f64| integral.cdf(x + k)
        };
        let (right, wrong) = (cdf(exponent, 0.5), cdf(mutant, 0.5));
        for k in min as u32..=max as u32 {
            assert!((shape.cdf(f64::from(k) + 0.3) - right(f64::from(k))).abs() < 1e-6);
        }
        assert!(ks(&sample, right, true) < KS_CRITICAL);
        assert!(ks(&sample, wrong, true) > KS_CRITICAL);
    }
}

#[test]
fn unbounded_means() {
    let mean = |family, values: &[f64]| Shape::new(family, values).unwrap().mean();
    assert_eq!(mean(Family::Constant, &[7.0]), Some(7.0));
    assert_eq!(mean(Family::PowerLaw, &[3.0, 2.0]), Some(4.0));
    assert_eq!(mean(Family::PowerLaw, &[2.0, 2.0]), Some(INF));
    assert_eq!(mean(Family::PowerLaw, &[1.5, 2.0]), Some(INF));
    assert_eq!(mean(Family::DiscretePowerLaw, &[3.0, 2.0]), None);
    let lognormal = mean(Family::LogNormal, &[3.0, 2.0]).unwrap();
    assert!((lognormal - 3.0 * math::exp(2.0)).abs() < 1e-12 * lognormal);
    let half_normal = mean(Family::Normal, &[0.0, 1.0, 0.0]).unwrap();
    assert!((half_normal - math::sqrt(2.0 / std::f64::consts::PI)).abs() < 1e-15);
}

#[test]
fn closed_form_quantiles() {
    let quantile = |family, values: &[f64], u| Shape::new(family, values).unwrap().quantile(u);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-13 * b.abs(), "{a} for {b}");
    close(
        quantile(Family::Exponential, &[2.0], 0.5),
        2.0 * std::f64::consts::LN_2,
    );
    close(
        quantile(Family::Weibull, &[2.0, 2.0], 0.5),
        2.0 * 0.832_554_611_157_697_8,
    );
    close(quantile(Family::LogNormal, &[3.0, 1.2], 0.5), 3.0);
    close(
        quantile(Family::LogUniform, &[1.0, 100.0], 0.25),
        math::sqrt(10.0),
    );
    close(quantile(Family::PowerLaw, &[2.0, 3.0], 0.75), 12.0);
    close(quantile(Family::Beta, &[1.0, 3.0], 0.875), 0.5);
    close(
        quantile(Family::Beta, &[0.5, 0.5], 0.25),
        0.146_446_609_406_726_24,
    );
    // I_x(0.01, 1) = x^0.01.
    close(
        quantile(Family::Beta, &[0.01, 1.0], 0.5),
        1.0 / math::pow(2.0, 100.0),
    );
    close(
        quantile(Family::Pert, &[0.0, 0.0, 1.0], 0.5),
        1.0 - math::pow(0.5, 0.2),
    );
    assert_eq!(quantile(Family::Constant, &[7.0], 0.3), 7.0);
    // P(K = 1) = 1 - 1/3.
    assert_eq!(quantile(Family::DiscretePowerLaw, &[2.0, 1.0], 0.666), 1.0);
    assert_eq!(quantile(Family::DiscretePowerLaw, &[2.0, 1.0], 0.667), 2.0);
}

/// Values for a family, made from four numbers in (0, 1).
fn values_from(family: Family, [a, b, c, d]: [f64; 4]) -> Vec<f64> {
    let spread = |x: f64| math::exp(6.0 * (x - 0.5));
    match family {
        Family::Constant => vec![a],
        Family::Uniform => vec![a - 0.5, a + b],
        Family::LogUniform => vec![spread(a), spread(a) * (1.01 + 100.0 * b)],
        Family::Triangular | Family::Pert => {
            vec![a - 0.5, a - 0.5 + b * (1.0 + c), a + b + c + 1.0]
        }
        Family::Normal => vec![
            a,
            spread(b),
            a + 6.0 * (c - 0.5) * spread(b),
            a + 4.0 * spread(b),
        ],
        Family::LogNormal => vec![spread(a), 0.1 + b, c * spread(a), (1.2 + d) * spread(a)],
        Family::Exponential => vec![spread(a)],
        Family::Weibull => vec![spread(a), spread(b)],
        Family::Beta => vec![spread(a), spread(b), c - 0.5, c + d],
        Family::PowerLaw => vec![1.0 + spread(a), spread(b), spread(b) * (1.1 + 1e3 * c)],
        Family::DiscretePowerLaw => {
            let min = (1.0 + 20.0 * b).floor();
            vec![1.0 + spread(a), min, min + (1.0 + 1e3 * c).floor()]
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(2026), ..ProptestConfig::default() })]

    #[test]
    fn cdf_inverts_quantile(
        numbers in prop::array::uniform4(0.001..0.999),
        u in 1e-9..1.0_f64,
    ) {
        for family in Family::ALL {
            let values = values_from(family, numbers);
            let shape = Shape::new(family, &values).unwrap();
            let (low, high) = shape.support();
            let x = shape.quantile(u);
            prop_assert!(low <= x && x <= high && x.is_finite());
            match family {
                Family::Constant => prop_assert_eq!((shape.cdf(x), shape.cdf(x - 1.0)), (1.0, 0.0)),
                Family::DiscretePowerLaw => {
                    prop_assert!(shape.cdf(x) >= u - 1e-12 && shape.cdf(x - 1.0) <= u + 1e-12);
                }
                _ => {
                    // x is a double, so the cdf can only be hit up to a few steps of the
                    // largest number that enters x.
                    let scale = [low, high].map(f64::abs).into_iter().filter(|b| b.is_finite());
                    let step = 4.0 * f64::EPSILON * scale.fold(x.abs(), f64::max);
                    let slack = shape.cdf(x + step) - shape.cdf(x - step) + 1e-11;
                    prop_assert!((shape.cdf(x) - u).abs() < slack, "{:?} {:?}", family, values);
                }
            }
        }
    }

    #[test]
    fn quantile_is_monotone(
        numbers in prop::array::uniform4(0.001..0.999),
        (u, v) in (1e-9..1.0_f64, 1e-9..1.0_f64),
    ) {
        for family in Family::ALL {
            let shape = Shape::new(family, &values_from(family, numbers)).unwrap();
            let (low, high) = (shape.quantile(u.min(v)), shape.quantile(u.max(v)));
            prop_assert!(low <= high + 1e-13 * high.abs(), "{:?}", shape);
        }
    }

    #[test]
    fn any_numbers_either_fail_or_give_finite_quantiles(
        values in prop::collection::vec(prop::num::f64::ANY, 0..5),
        u in prop::sample::select(vec![f64::EPSILON / 2.0, 0.3, 1.0 - f64::EPSILON / 2.0]),
    ) {
        for family in Family::ALL {
            let Ok(shape) = Shape::new(family, &values) else { continue };
            let (low, high) = shape.support();
            let x = shape.quantile(u);
            prop_assert!(x.is_finite() && low <= x && x <= high, "{:?} {}", shape, x);
            prop_assert!(shape.mean().is_none_or(|mean| !mean.is_nan()), "{:?}", shape);
        }
    }
}

#[test]
fn extreme_but_valid_numbers_give_finite_quantiles() {
    let cases: [(Family, &[f64]); 10] = [
        (Family::Uniform, &[-1e150, 1e150]),
        (Family::LogUniform, &[1e-150, 1e150]),
        (Family::Triangular, &[-1e150, 0.0, 1e150]),
        (Family::LogNormal, &[1e150, 20.0]),
        (Family::LogNormal, &[1.0, 20.0, 1e40, 1e41]),
        (Family::Weibull, &[1e150, 0.01]),
        (Family::Beta, &[0.01, 1e4]),
        (Family::Beta, &[1e4, 1e4]),
        (Family::PowerLaw, &[1.000_001, 1e150]),
        (Family::DiscretePowerLaw, &[1.000_001, 1e15]),
    ];
    for (family, values) in cases {
        let shape = Shape::new(family, values).unwrap();
        let (low, high) = shape.support();
        let mut previous = low;
        for u in [
            f64::EPSILON / 2.0,
            1e-9,
            0.25,
            0.5,
            0.75,
            1.0 - f64::EPSILON / 2.0,
        ] {
            let x = shape.quantile(u);
            assert!(
                x.is_finite() && previous <= x && x <= high,
                "{family:?} {u}: {x}"
            );
            previous = x;
        }
        assert!(shape.mean().is_none_or(|mean| !mean.is_nan()), "{family:?}");
    }
}

#[test]
fn invalid_numbers_are_named() {
    let cases: [(Family, &[f64], &str); 26] = [
        (
            Family::Constant,
            &[],
            "constant takes 1 to 1 numbers, constant(value), but 0 were given",
        ),
        (
            Family::Constant,
            &[INF],
            "constant: value is inf; give a number between -1e150 and 1e150",
        ),
        (
            Family::Uniform,
            &[1.0, 2.0, 3.0],
            "uniform takes 2 to 2 numbers",
        ),
        (
            Family::Uniform,
            &[f64::NAN, 1.0],
            "uniform: low is NaN; give a number between",
        ),
        (
            Family::Uniform,
            &[3.0, 2.0],
            "uniform: low is 3 and high is 2; make low less than high",
        ),
        (
            Family::LogUniform,
            &[0.0, 2.0],
            "log_uniform: low is 0; give a positive number",
        ),
        (
            Family::Triangular,
            &[1.0, 0.0, 2.0],
            "triangular: low is 1 and mode is 0; make low at",
        ),
        (
            Family::Triangular,
            &[1.0, 3.0, 2.0],
            "mode is 3 and high is 2; make mode at most high",
        ),
        (
            Family::Triangular,
            &[1.0, 1.0, 1.0],
            "for a single value, use constant",
        ),
        (
            Family::Normal,
            &[0.0, 0.0],
            "normal: sd is 0; give a positive number",
        ),
        (Family::Normal, &[0.0, 1.0, INF], "normal: low is inf; give"),
        (
            Family::Normal,
            &[0.0, 1.0, 2.0, 1.0],
            "normal: low is 2 and high is 1",
        ),
        (
            Family::Normal,
            &[0.0, 1.0, 60.0, 61.0],
            "between low = 60 and high = 61; widen",
        ),
        (
            Family::LogNormal,
            &[-1.0, 1.0],
            "lognormal: median is -1; give a positive number",
        ),
        (
            Family::LogNormal,
            &[1.0, 25.0],
            "lognormal: sigma is 25; give a number above 0, at most 20",
        ),
        (
            Family::LogNormal,
            &[1.0, 1.0, -1.0],
            "lognormal: low is -1; give a number from 0",
        ),
        (
            Family::LogNormal,
            &[1.0, 1.0, 0.0, f64::NAN],
            "lognormal: high is NaN; give",
        ),
        (
            Family::Exponential,
            &[-2.0],
            "exponential: mean is -2; give a positive number",
        ),
        (
            Family::Weibull,
            &[1.0, 0.0],
            "weibull: shape is 0; give a number from 0.01",
        ),
        (
            Family::Beta,
            &[0.0, 1.0],
            "beta: alpha is 0; give a number from 0.01 to 10000",
        ),
        (
            Family::Beta,
            &[1.0, 1.0, 1.0, 0.0],
            "beta: low is 1 and high is 0",
        ),
        (
            Family::Pert,
            &[0.0, 5.0, 2.0],
            "pert: mode is 5 and high is 2",
        ),
        (
            Family::PowerLaw,
            &[1.0, 1.0],
            "power_law: exponent is 1; give a number above 1",
        ),
        (
            Family::PowerLaw,
            &[2.0, 3.0, 3.0],
            "power_law: min is 3 and max is 3; make min less",
        ),
        (
            Family::DiscretePowerLaw,
            &[2.0, 1.5],
            "discrete_power_law: min is 1.5; give a whole",
        ),
        (
            Family::DiscretePowerLaw,
            &[2.0, 1.0, 9.5],
            "discrete_power_law: max is 9.5; give a whole",
        ),
    ];
    for (family, values, message) in cases {
        let error = family.validate(values).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(
            Shape::new(family, values).unwrap_err().to_string(),
            error.to_string()
        );
    }
}

#[test]
fn names_and_signatures_agree_with_parameters() {
    for family in Family::ALL {
        assert_eq!(Family::from_name(family.name()), Some(family));
        let parameters = family.parameters();
        let mut signature = format!("{}(", family.name());
        for (i, parameter) in parameters.iter().enumerate() {
            let opens =
                parameter.default.is_some() && (i == 0 || parameters[i - 1].default.is_none());
            signature += if i > 0 { ", " } else { "" };
            signature += if opens { "[" } else { "" };
            signature += parameter.name;
        }
        let optional = parameters
            .iter()
            .any(|parameter| parameter.default.is_some());
        signature += if optional { "])" } else { ")" };
        assert_eq!(family.signature(), signature);
        assert!(parameters.len() <= MAX_PARAMETERS);
    }
    assert_eq!(Family::from_name("gaussian"), None);
}

#[test]
fn defaults_are_filled_in() {
    let short = Shape::new(Family::LogNormal, &[3.0, 0.5]).unwrap();
    let long = Shape::new(Family::LogNormal, &[3.0, 0.5, 0.0, INF]).unwrap();
    assert_eq!(short, long);
    assert_eq!(short.values(), [3.0, 0.5, 0.0, INF]);
    assert_eq!(
        Shape::new(Family::PowerLaw, &[2.0, 1.0]).unwrap().support(),
        (1.0, INF)
    );
}

#[test]
fn discrete_picks_values_by_weight() {
    let discrete = Discrete::new(&[5.0, 1.0, 9.0, 3.0], &[1.0, 2.0, 0.0, 1.0]).unwrap();
    assert_eq!(
        [0.1, 0.5, 0.51, 0.75, 0.76, 0.999].map(|u| discrete.quantile(u)),
        [1.0, 1.0, 3.0, 3.0, 5.0, 5.0]
    );
    assert_eq!(
        [0.9, 1.0, 2.9, 3.0, 5.0, 9.0].map(|x| discrete.cdf(x)),
        [0.0, 0.5, 0.5, 0.75, 1.0, 1.0]
    );
    assert_eq!(discrete.mean(), 2.5);
    assert_eq!(Distribution::from(discrete).support(), (1.0, 5.0));
}

#[test]
fn discrete_faults_are_named() {
    let message =
        |values: &[f64], weights: &[f64]| Discrete::new(values, weights).unwrap_err().to_string();
    assert!(message(&[], &[]).contains("values is empty"));
    assert!(message(&[1.0], &[1.0, 2.0]).contains("1 values and 2 weights"));
    assert!(message(&[1.0, f64::NAN], &[1.0, 2.0]).contains("values[1] is NaN"));
    assert!(message(&[1.0, 2.0], &[1.0, -2.0]).contains("weights[1] is -2"));
    assert!(message(&[1.0, 1.0], &[1.0, 2.0]).contains("the value 1 is listed more than once"));
    assert!(message(&[1.0, 2.0], &[0.0, 0.0]).contains("add up to 0"));
}
