//! Posterior marginals as priors that can be written into a scenario, never tighter than the patterns allow.
//!
//! What keeps them wide:
//!
//! 1. Patterns agree within the error of their record and the discrepancy of the scenario, stated before the fit.
//! 2. A parameter about which the patterns say nothing keeps its prior: the data inform it only if the contraction or the shift of
//!    its distribution is beyond what chance among the worlds explains, with a Bonferroni correction for the number of parameters.
//! 3. The fitted standard deviation is not the estimate but the upper end of its interval, and at most that of the prior.
//! 4. Numbers are rounded so that the distribution gets wider.
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

/// The distribution as it is written in a scenario, rounded towards more spread.
pub fn toml(distribution: &Distribution) -> String {
    match distribution {
        Distribution::Discrete(discrete) => {
            let (values, weights): (Vec<String>, Vec<String>) = discrete
                .atoms()
                .map(|(value, weight)| (value.to_string(), rounded(weight, Rounding::Nearest)))
                .unzip();
            format!(
                "{{ dist = \"discrete\", values = [{}], weights = [{}] }}",
                values.join(", "),
                weights.join(", ")
            )
        }
        Distribution::Shape(shape) => {
            let family = shape.family();
            let parameters = family.parameters().iter().zip(shape.values());
            let written = parameters
                .filter(|(parameter, value)| parameter.default != Some(**value))
                .map(|(parameter, value)| {
                    let rounding = match parameter.name {
                        "sd" | "sigma" => Rounding::Up,
                        "alpha" | "beta" => Rounding::Down,
                        _ => Rounding::Nearest,
                    };
                    format!("{} = {}", parameter.name, rounded(*value, rounding))
                });
            let written: Vec<String> = written.collect();
            format!("{{ dist = \"{}\", {} }}", family.name(), written.join(", "))
        }
    }
}

enum Rounding {
    Nearest,
    Up,
    Down,
}

/// To two decimals, or to two digits if it is small.
fn rounded(value: f64, rounding: Rounding) -> String {
    let mut unit = 0.01;
    while value != 0.0 && value.abs() < 10.0 * unit && unit > 1e-9 {
        unit /= 10.0;
    }
    let units = value / unit;
    let whole = match rounding {
        Rounding::Nearest => units.round(),
        // What is a whole number of units but for the last bits stays.
        Rounding::Up => (units - 1e-6).ceil(),
        Rounding::Down => (units + 1e-6).floor(),
    };
    let decimals = (1..=12).find(|&n| libm::round(unit * libm::exp10(f64::from(n))) >= 1.0);
    let text = format!("{:.*}", decimals.unwrap_or(12) as usize, whole * unit);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
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
    fn numbers_are_rounded_towards_more_spread() {
        let text = |d: &Distribution| toml(d);
        assert_eq!(
            text(&shape(Family::Normal, &[0.1234, 0.561])),
            "{ dist = \"normal\", mean = 0.12, sd = 0.57 }"
        );
        assert_eq!(
            text(&shape(Family::Beta, &[2.349, 7.999, -1.0, 3.0])),
            "{ dist = \"beta\", alpha = 2.34, beta = 7.99, low = -1, high = 3 }"
        );
        assert_eq!(
            text(&shape(Family::LogNormal, &[0.012_34, 0.5])),
            "{ dist = \"lognormal\", median = 0.012, sigma = 0.5 }"
        );
        let discrete = Discrete::new(&[0.0, 1.0], &[0.9, 0.1]).unwrap();
        assert_eq!(
            text(&reweighted(&discrete, &[0.25, 0.75]).unwrap()),
            "{ dist = \"discrete\", values = [0, 1], weights = [0.25, 0.75] }"
        );
    }
}
