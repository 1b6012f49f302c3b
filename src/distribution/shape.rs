//! A family with its numbers.

use super::family::{Family, MAX_PARAMETERS};
use super::{DistributionError, beta, normal, power_law};
use crate::math::{exp, exp_m1, ln, ln_1p, pow, sqrt};

const INF: f64 = f64::INFINITY;

/// A validated member of a parametric [`Family`], with what its quantiles have in common: `Copy`, made without allocation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    family: Family,
    /// In the order of [`Family::parameters`], with zeros behind.
    values: [f64; MAX_PARAMETERS],
    /// Of a normal or lognormal.
    truncation: normal::Truncation,
    /// Of a power law: the part of the unbounded one that lies below the greatest value.
    covered: f64,
    /// Of a discrete power law [for many quantiles](Self::for_many_quantiles).
    firsts: Option<power_law::Firsts>,
    /// The least and the greatest value, as far as they are finite numbers.
    range: [f64; 2],
}

impl Shape {
    /// The member of `family` with these values, in the order of [`Family::parameters`]; trailing
    /// ones that have a default may be left out.
    ///
    /// # Errors
    ///
    /// As [`Family::validate`].
    pub fn new(family: Family, values: &[f64]) -> Result<Shape, DistributionError> {
        let values = family.complete(values)?;
        let mut shape = Shape {
            family,
            values,
            truncation: normal::Truncation::default(),
            covered: 1.0,
            firsts: None,
            range: [-f64::MAX, f64::MAX],
        };
        let (low, high) = shape.support();
        shape.range = [low.max(-f64::MAX), high.min(f64::MAX)];
        let [a, b, c, d] = values;
        match family {
            Family::Normal => {
                shape.truncation = normal::Truncation::to(normal::standardize(a, b, c, d));
            }
            Family::LogNormal => shape.truncation = normal::Truncation::to(shape.log_bounds()),
            Family::PowerLaw => shape.covered = power_law::covered(a - 1.0, b, c),
            Family::DiscretePowerLaw => {
                shape.covered = power_law::covered(a - 1.0, b - 0.5, c + 0.5);
            }
            _ => {}
        }
        Ok(shape)
    }

    /// The same, with what is worth working out only if many quantiles will be asked for: it spares work in each of them, and
    /// changes none.
    #[must_use]
    pub(crate) fn for_many_quantiles(self) -> Shape {
        let [exponent, min, ..] = self.values;
        let firsts = (self.family == Family::DiscretePowerLaw)
            .then(|| power_law::Firsts::new(exponent, min, self.covered));
        Shape { firsts, ..self }
    }

    /// The family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The values of all parameters, in the order of [`Family::parameters`].
    pub fn values(&self) -> &[f64] {
        &self.values[..self.family.parameters().len()]
    }

    /// The value below which the distribution has probability `u`, for `u` in the open interval
    /// (0, 1): in the support, and non-decreasing in `u` (to rounding).
    ///
    /// It is always finite: results too large for a double become the largest one.
    pub fn quantile(&self, u: f64) -> f64 {
        debug_assert!(u > 0.0 && u < 1.0, "quantile of {u}");
        let [a, b, c, d] = self.values;
        let value = match self.family {
            Family::Constant => a,
            Family::Uniform => a + u * (b - a),
            Family::LogUniform => a * exp(u * ln(b / a)),
            Family::Triangular => triangular_quantile(a, b, c, u),
            Family::Normal => a + b * self.truncation.quantile(u),
            Family::LogNormal => a * exp(b * self.truncation.quantile(u)),
            Family::Exponential => -a * ln_1p(-u),
            Family::Weibull => a * pow(-ln_1p(-u), 1.0 / b),
            Family::Beta => c + (d - c) * beta::quantile(a, b, u),
            Family::Pert => {
                let (alpha, beta) = pert_shapes(a, b, c);
                a + (c - a) * beta::quantile(alpha, beta, u)
            }
            Family::PowerLaw => power_law::quantile(a, b, self.covered, u),
            Family::DiscretePowerLaw => {
                match self.firsts.as_ref().and_then(|firsts| firsts.find(u)) {
                    Some(above) => b + above,
                    None => power_law::discrete_quantile(a, b, self.covered, u),
                }
            }
        };
        value.clamp(self.range[0], self.range[1])
    }

    /// The probability of a value at most `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        let (low, high) = self.support();
        if x < low {
            return 0.0;
        }
        if x >= high {
            return 1.0;
        }
        let [a, b, c, d] = self.values;
        match self.family {
            // Its support is one point, so the returns above have answered.
            Family::Constant => 1.0,
            Family::Uniform => (x - a) / (b - a),
            Family::LogUniform => ln(x / a) / ln(b / a),
            Family::Triangular if x < b => (x - a) / (c - a) * ((x - a) / (b - a)),
            Family::Triangular => 1.0 - (c - x) / (c - a) * ((c - x) / (c - b)),
            Family::Normal => normal::cdf(normal::standardize(a, b, c, d), (x - a) / b),
            Family::LogNormal => normal::cdf(self.log_bounds(), (ln(x) - ln(a)) / b),
            Family::Exponential => -exp_m1(-x / a),
            Family::Weibull => -exp_m1(-pow(x / a, b)),
            Family::Beta => beta::cdf(a, b, (x - c) / (d - c)),
            Family::Pert => {
                let (alpha, beta) = pert_shapes(a, b, c);
                beta::cdf(alpha, beta, (x - a) / (c - a))
            }
            Family::PowerLaw => power_law::cdf(a, b, c, x),
            Family::DiscretePowerLaw => power_law::cdf(a, b - 0.5, c + 0.5, x.floor() + 0.5),
        }
    }

    /// The mean, which may be infinite; `None` for the discrete power law, where it has no closed
    /// form.
    pub fn mean(&self) -> Option<f64> {
        let [a, b, c, d] = self.values;
        Some(match self.family {
            Family::Constant => a,
            Family::Uniform => 0.5 * (a + b),
            Family::LogUniform => (b - a) / ln(b / a),
            Family::Triangular => (a + b + c) / 3.0,
            Family::Normal => a + b * normal::mean(normal::standardize(a, b, c, d)),
            Family::LogNormal => {
                // E[X; low < X < high] is the full mean times the mass of the bounds moved down
                // by sigma.
                let (low, high) = self.log_bounds();
                let moved = normal::mass(low - b, high - b) / normal::mass(low, high);
                (a * exp(0.5 * b * b) * moved).clamp(c, d)
            }
            Family::Exponential => a,
            Family::Weibull => a * libm::tgamma(1.0 + 1.0 / b),
            Family::Beta => c + (d - c) * (a / (a + b)),
            Family::Pert => (a + 4.0 * b + c) / 6.0,
            Family::PowerLaw => power_law::mean(a, b, c),
            Family::DiscretePowerLaw => return None,
        })
    }

    /// The smallest closed interval, possibly unbounded, that holds every value.
    pub fn support(&self) -> (f64, f64) {
        let [a, b, c, d] = self.values;
        match self.family {
            Family::Constant => (a, a),
            Family::Uniform | Family::LogUniform => (a, b),
            Family::Triangular | Family::Pert => (a, c),
            Family::Normal | Family::LogNormal | Family::Beta => (c, d),
            Family::Exponential | Family::Weibull => (0.0, INF),
            Family::PowerLaw | Family::DiscretePowerLaw => (b, c),
        }
    }

    /// The bounds of a lognormal as those of the standard normal beneath it.
    fn log_bounds(&self) -> (f64, f64) {
        let [median, sigma, low, high] = self.values;
        if low == 0.0 && high == INF {
            return (-INF, INF);
        }
        normal::standardize(ln(median), sigma, ln(low), ln(high))
    }
}

fn triangular_quantile(low: f64, mode: f64, high: f64, u: f64) -> f64 {
    let width = high - low;
    let below_mode = (mode - low) / width;
    if u < below_mode {
        low + width * sqrt(u * below_mode)
    } else {
        high - width * sqrt((1.0 - u) * ((high - mode) / width))
    }
}

/// The two shapes of the beta distribution behind PERT.
fn pert_shapes(low: f64, mode: f64, high: f64) -> (f64, f64) {
    let width = high - low;
    (
        1.0 + 4.0 * ((mode - low) / width),
        1.0 + 4.0 * ((high - mode) / width),
    )
}
