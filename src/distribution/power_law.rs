//! The continuous power law `x^-exponent` on `[min, max]`, `exponent > 1`, `max` possibly
//! infinite. With `r = max / min` and `t = exponent - 1`,
//! `F(x) = (1 - (x / min)^-t) / (1 - r^-t)`.

use crate::math::{exp, exp_m1, ln, ln_1p};

/// `covered` is the part of the unbounded law that lies below `max`.
#[inline(always)]
pub(super) fn quantile(exponent: f64, min: f64, covered: f64, u: f64) -> f64 {
    let t = exponent - 1.0;
    min * exp(-ln_1p(-u * covered) / t)
}

pub(super) fn cdf(exponent: f64, min: f64, max: f64, x: f64) -> f64 {
    let t = exponent - 1.0;
    covered(t, min, x.clamp(min, max)) / covered(t, min, max)
}

/// `min t / (1 - r^-t)` times the integral of `y^-t` from 1 to `r`.
pub(super) fn mean(exponent: f64, min: f64, max: f64) -> f64 {
    let t = exponent - 1.0;
    let (s, log_ratio) = (1.0 - t, ln(max / min));
    let integral = if s == 0.0 {
        log_ratio
    } else {
        exp_m1(s * log_ratio) / s
    };
    min * t / covered(t, min, max) * integral
}

/// `1 - (x / min)^-t`, the part of the unbounded law that lies below `x`.
pub(super) fn covered(t: f64, min: f64, x: f64) -> f64 {
    -exp_m1(-t * ln(x / min))
}
