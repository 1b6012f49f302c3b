//! The standard normal truncated to `[a, b]`, either of which may be infinite.
//!
//! An interval above 0 is reflected to below it, where the distribution function keeps its
//! relative accuracy.

use crate::math;

/// The bounds `low` and `high` in units of standard deviations from the mean.
pub(super) fn standardize(mean: f64, sd: f64, low: f64, high: f64) -> (f64, f64) {
    ((low - mean) / sd, (high - mean) / sd)
}

/// The probability that a standard normal lies in `[a, b]`.
pub(super) fn mass(a: f64, b: f64) -> f64 {
    if a > 0.0 {
        math::normal_cdf(-a) - math::normal_cdf(-b)
    } else {
        math::normal_cdf(b) - math::normal_cdf(a)
    }
}

/// What quantiles between the same bounds have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Truncation {
    low: f64,
    high: f64,
    /// Probability beyond the bound that is farther down, after reflection.
    below: f64,
    mass: f64,
}

impl Truncation {
    pub fn to((low, high): (f64, f64)) -> Self {
        Self {
            low,
            high,
            below: math::normal_cdf(if low > 0.0 { -high } else { low }),
            mass: mass(low, high),
        }
    }

    #[inline(always)]
    pub fn quantile(&self, u: f64) -> f64 {
        let Self {
            low,
            high,
            below,
            mass,
        } = *self;
        if low == f64::NEG_INFINITY && high == f64::INFINITY {
            return math::normal_quantile(u);
        }
        let z = if low > 0.0 {
            -math::normal_quantile(below + (1.0 - u) * mass)
        } else {
            math::normal_quantile(below + u * mass)
        };
        z.clamp(low, high)
    }
}

pub(super) fn cdf((a, b): (f64, f64), z: f64) -> f64 {
    mass(a, z.clamp(a, b)) / mass(a, b)
}

/// `phi(a) - phi(b)` over the mass: the mean of the truncated standard normal (Johnson, Kotz and
/// Balakrishnan, "Continuous Univariate Distributions" 1, 1994, equation 13.134).
pub(super) fn mean((a, b): (f64, f64)) -> f64 {
    ((density(a) - density(b)) / mass(a, b)).clamp(a, b)
}

fn density(z: f64) -> f64 {
    const INVERSE_SQRT_2_PI: f64 = 0.398_942_280_401_432_7;
    INVERSE_SQRT_2_PI * math::exp(-0.5 * z * z)
}
