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

pub(super) fn quantile((a, b): (f64, f64), u: f64) -> f64 {
    if a == f64::NEG_INFINITY && b == f64::INFINITY {
        return math::normal_quantile(u);
    }
    let z = if a > 0.0 {
        -math::normal_quantile(math::normal_cdf(-b) + (1.0 - u) * mass(a, b))
    } else {
        math::normal_quantile(math::normal_cdf(a) + u * mass(a, b))
    };
    z.clamp(a, b)
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
