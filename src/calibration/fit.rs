//! Posterior marginals as priors that can be written into a scenario, never tighter than the patterns allow.
//!
//! What keeps them wide:
//!
//! 1. Patterns agree within the error of their record and the discrepancy of the scenario, stated before the fit.
//! 2. A parameter about which the patterns say nothing keeps its prior: the data inform it only if the contraction or the shift of
//!    its distribution is beyond what chance among the worlds explains, with a Bonferroni correction for the number of parameters.
//! 3. The fitted standard deviation is not the estimate but the upper end of its interval, and at most that of the prior.
//! 4. Numbers are rounded so that the distribution gets wider; limits and values are not rounded.
//! 5. With too few effective worlds nothing is fitted.
//!
//! Fitted priors are marginals. Parameters that only their combination is known of are given apart from each other, which is
//! wider than what is known together.

use crate::distribution::{Discrete, Distribution, Family, Shape};
use crate::math::{exp, ln};

/// Fewest effective worlds from which a prior is fitted.
pub const FEWEST_EFFECTIVE_WORLDS: f64 = 100.0;

/// On which scale a parameter's mean and spread are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As it is.
    Plain,
    /// By its logarithm: parameters that are positive without limit.
    Log,
}

impl Scale {
    /// The scale that suits a prior.
    pub fn of(prior: &Distribution) -> Self {
        let (low, high) = prior.support();
        if low >= 0.0 && high.is_infinite() {
            Self::Log
        } else {
            Self::Plain
        }
    }

    /// The value on this scale.
    pub fn seen(self, value: f64) -> f64 {
        match self {
            Self::Plain => value,
            Self::Log => ln(value),
        }
    }
}

/// The distribution with this mean and standard deviation on the prior's scale, and the prior's support: normal or lognormal where
/// that is without limit, a beta distribution between the limits otherwise. `None` if there is no such distribution.
pub fn distribution(prior: &Distribution, mean: f64, sd: f64) -> Option<Distribution> {
    let (low, high) = prior.support();
    let shape = match (Scale::of(prior), low.is_finite() && high.is_finite()) {
        (Scale::Log, _) => Shape::new(Family::LogNormal, &[exp(mean), sd]),
        (Scale::Plain, false) => Shape::new(Family::Normal, &[mean, sd]),
        (Scale::Plain, true) => {
            let width = high - low;
            let (m, v) = ((mean - low) / width, sd * sd / (width * width));
            let size = m * (1.0 - m) / v - 1.0;
            Shape::new(Family::Beta, &[m * size, (1.0 - m) * size, low, high])
        }
    };
    shape.ok().map(Distribution::from)
}

/// The same values with other weights.
pub fn reweighted(prior: &Discrete, weights: &[f64]) -> Option<Distribution> {
    let values: Vec<f64> = prior.atoms().map(|(value, _)| value).collect();
    Discrete::new(&values, weights).ok().map(Distribution::from)
}

/// A fitted distribution with no more digits than are known: its spread is rounded up, and its mean or median to a digit that is
/// small against the spread. What it can come to stays: its limits and its values are not rounded.
pub fn with_fewer_digits(fitted: &Distribution) -> Distribution {
    let made = match fitted {
        Distribution::Discrete(discrete) => {
            let (values, weights): (Vec<f64>, Vec<f64>) = discrete
                .atoms()
                .map(|(value, weight)| (value, rounded(weight, digit(weight), f64::round)))
                .unzip();
            Discrete::new(&values, &weights).map(Distribution::from)
        }
        Distribution::Shape(shape) => {
            let mut values = shape.values().to_vec();
            match (shape.family(), values.as_mut_slice()) {
                (Family::Normal, [mean, sd, ..]) => {
                    *mean = rounded(*mean, digit(*mean).min(tenth(*sd)), f64::round);
                    *sd = rounded_up(*sd);
                }
                (Family::LogNormal, [median, sigma, ..]) => {
                    let spread = *median * *sigma;
                    *median = rounded(*median, digit(*median).min(tenth(spread)), f64::round);
                    *sigma = rounded_up(*sigma);
                }
                (Family::Beta, [alpha, beta, ..]) => {
                    *alpha = rounded_down(*alpha);
                    *beta = rounded_down(*beta);
                }
                _ => {}
            }
            Shape::new(shape.family(), &values).map(Distribution::from)
        }
    };
    made.unwrap_or_else(|_| fitted.clone())
}

/// The distribution as it is written in a scenario, to the last bit.
pub fn toml(distribution: &Distribution) -> String {
    let list = |values: Vec<f64>| {
        let values: Vec<String> = values.into_iter().map(number).collect();
        values.join(", ")
    };
    match distribution {
        Distribution::Discrete(discrete) => {
            let (values, weights) = discrete.atoms().unzip();
            format!(
                "{{ dist = \"discrete\", values = [{}], weights = [{}] }}",
                list(values),
                list(weights)
            )
        }
        Distribution::Shape(shape) => {
            let family = shape.family();
            let parameters = family.parameters().iter().zip(shape.values());
            let written = parameters
                .filter(|(parameter, value)| parameter.default != Some(**value))
                .map(|(parameter, value)| format!("{} = {}", parameter.name, number(*value)));
            let written: Vec<String> = written.collect();
            format!("{{ dist = \"{}\", {} }}", family.name(), written.join(", "))
        }
    }
}

/// The shortest text that reads back as the number. Digits without a point would be read as a whole number, of which TOML has
/// none beyond 2^63.
fn number(value: f64) -> String {
    if value.abs() < 1e15 {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// The power of ten of the last digit that is kept: of two decimals, or of two digits if the number is small.
fn digit(value: f64) -> i32 {
    let mut power = -2;
    while value != 0.0 && value.abs() < libm::exp10(f64::from(power + 1)) && power > SMALLEST {
        power -= 1;
    }
    power
}

/// The largest power of ten that is no more than a tenth of `spread`.
fn tenth(spread: f64) -> i32 {
    let mut power = -2;
    while libm::exp10(f64::from(power + 1)) > spread && power > SMALLEST {
        power -= 1;
    }
    power
}

/// The smallest power of ten whose multiples are told apart.
const SMALLEST: i32 = -300;

/// What is a whole number of units but for the last bits stays.
fn rounded_up(value: f64) -> f64 {
    rounded(value, digit(value), |units| (units - 1e-6).ceil())
}

fn rounded_down(value: f64) -> f64 {
    rounded(value, digit(value), |units| (units + 1e-6).floor())
}

/// The multiple of a power of ten that is nearest by way of `round`; read from its digits, so that it is written with no more.
fn rounded(value: f64, power: i32, round: impl Fn(f64) -> f64) -> f64 {
    let units = round(value / libm::exp10(f64::from(power)));
    let read = format!("{units}e{power}").parse();
    // A zero has no sign in a scenario.
    read.unwrap_or(value) + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(family: Family, values: &[f64]) -> Distribution {
        Shape::new(family, values).unwrap().into()
    }

    /// Mean and standard deviation on a scale, from 20,000 equal parts.
    fn moments(distribution: &Distribution, scale: Scale) -> (f64, f64) {
        let parts = 20_000;
        let values: Vec<f64> = (0..parts)
            .map(|i| scale.seen(distribution.quantile((f64::from(i) + 0.5) / f64::from(parts))))
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        (mean, (squares / values.len() as f64).sqrt())
    }

    #[test]
    fn a_fitted_distribution_has_the_moments_and_the_support() {
        let cases = [
            (shape(Family::Normal, &[0.0, 2.0]), 0.7, 0.9),
            (shape(Family::Uniform, &[-1.0, 3.0]), 1.4, 0.6),
            (shape(Family::Beta, &[2.0, 8.0]), 0.3, 0.1),
            (shape(Family::Triangular, &[0.0, 1.0, 4.0]), 2.0, 0.5),
            (shape(Family::LogNormal, &[3.0, 0.8]), 0.4, 0.3),
            (shape(Family::Exponential, &[3.0]), 0.4, 0.3),
        ];
        for (prior, mean, sd) in cases {
            let fitted = distribution(&prior, mean, sd).unwrap();
            let (found_mean, found_sd) = moments(&fitted, Scale::of(&prior));
            assert!((found_mean - mean).abs() < 1e-3, "{fitted:?}");
            assert!((found_sd / sd - 1.0).abs() < 2e-3, "{fitted:?}");
            let (prior_low, prior_high) = prior.support();
            let (low, high) = fitted.support();
            assert!(low >= prior_low && high <= prior_high);
        }
        // No distribution between 0 and 1 has a standard deviation of 0.6.
        assert_eq!(
            distribution(&shape(Family::Beta, &[1.0, 1.0]), 0.5, 0.6),
            None
        );
    }

    #[test]
    fn fitted_numbers_are_rounded_towards_more_spread() {
        let text = |d: &Distribution| toml(&with_fewer_digits(d));
        assert_eq!(
            text(&shape(Family::Normal, &[0.1234, 0.561])),
            "{ dist = \"normal\", mean = 0.12, sd = 0.57 }"
        );
        assert_eq!(
            text(&shape(Family::Normal, &[-0.001, 1.0])),
            "{ dist = \"normal\", mean = -0.001, sd = 1 }"
        );
        assert_eq!(
            text(&shape(Family::Beta, &[2.349, 7.999, -1.0, 3.0])),
            "{ dist = \"beta\", alpha = 2.34, beta = 7.99, low = -1, high = 3 }"
        );
        let discrete = Discrete::new(&[0.0, 1.0], &[0.9, 0.1]).unwrap();
        let weights = [0.253_1, 0.746_9];
        assert_eq!(
            text(&reweighted(&discrete, &weights).unwrap()),
            "{ dist = \"discrete\", values = [0, 1], weights = [0.25, 0.75] }"
        );
    }

    #[test]
    fn means_are_rounded_to_what_is_small_against_the_spread() {
        let text = |d: &Distribution| toml(&with_fewer_digits(d));
        assert_eq!(
            text(&shape(Family::LogNormal, &[0.012_34, 0.01])),
            "{ dist = \"lognormal\", median = 0.01234, sigma = 0.01 }"
        );
        assert_eq!(
            text(&shape(Family::Normal, &[5.123_456, 0.002])),
            "{ dist = \"normal\", mean = 5.1235, sd = 0.002 }"
        );
        for (mean, sd) in [
            (1e-7, 3e-9),
            (0.333_333, 0.04),
            (1234.5678, 1e-3),
            (-9.87e-5, 1.0),
        ] {
            let Distribution::Shape(rounded) =
                with_fewer_digits(&shape(Family::Normal, &[mean, sd]))
            else {
                panic!();
            };
            let values = rounded.values();
            assert!((values[0] - mean).abs() <= sd / 19.0, "{values:?}");
            assert!(values[1] >= sd && values[1] <= 1.1 * sd, "{values:?}");
        }
    }

    #[test]
    fn limits_are_written_as_they_are() {
        for (low, high) in [(0.0, 0.124), (100.004, 100.006), (-1e-7, 1e20)] {
            let prior = shape(Family::Uniform, &[low, high]);
            let (middle, sd) = ((low + high) / 2.0, (high - low) / 5.0);
            let fitted = with_fewer_digits(&distribution(&prior, middle, sd).unwrap());
            assert_eq!(fitted.support(), (low, high));
            for written in [toml(&prior), toml(&fitted)] {
                let table: toml::Table = toml::from_str(&format!("x = {written}")).unwrap();
                let number = |key: &str| {
                    let value = table["x"].get(key)?;
                    let whole = value.as_integer().map(|whole| whole as f64);
                    value.as_float().or(whole)
                };
                // A limit that is left out has its usual value.
                assert_eq!(number("low").unwrap_or(0.0), low, "{written}");
                assert_eq!(number("high"), Some(high), "{written}");
            }
        }
    }
}
