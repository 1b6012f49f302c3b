//! The beta distribution on `[0, 1]`.

use crate::math::{exp, ln, ln_1p};

/// The regularized incomplete beta function `I_x(a, b)` by its continued fraction (DLMF 8.17.22),
/// taken on the side of the mean where it converges fast.
pub(super) fn cdf(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = exp(a * ln(x) + b * ln_1p(-x) - ln_beta(a, b));
    if x < (a + 1.0) / (a + b + 2.0) {
        front / a * continued_fraction(a, b, x)
    } else {
        1.0 - front / b * continued_fraction(b, a, 1.0 - x)
    }
}

/// The inverse of [`cdf`]. A quantile above 1/2 is found as its distance from 1, which a double
/// resolves where it would not resolve the quantile itself.
pub(super) fn quantile(a: f64, b: f64, u: f64) -> f64 {
    if u <= cdf(a, b, 0.5) {
        lower_quantile(a, b, u)
    } else {
        1.0 - lower_quantile(b, a, 1.0 - u)
    }
}

/// Inverts [`cdf`] on (0, 1/2] by Newton's method inside a shrinking bracket.
///
/// Where a step leaves the bracket, the bracket is halved instead: in the order of the floating
/// point numbers, so that quantiles of any magnitude (1e-100 when `a` is small) are found.
fn lower_quantile(a: f64, b: f64, u: f64) -> f64 {
    let log_beta = ln_beta(a, b);
    let (mut low, mut high) = (0.0_f64, 0.5_f64);
    let mut x = (a / (a + b)).min(0.25);
    // Halving alone needs 62 steps; Newton's method mostly 4 to 8.
    for _ in 0..200 {
        let excess = cdf(a, b, x) - u;
        if excess == 0.0 {
            return x;
        }
        if excess < 0.0 {
            low = x;
        } else {
            high = x;
        }
        let density = exp((a - 1.0) * ln(x) + (b - 1.0) * ln_1p(-x) - log_beta);
        let newton = x - excess / density;
        let next = if newton > low && newton < high {
            newton
        } else {
            f64::from_bits(low.to_bits().midpoint(high.to_bits()))
        };
        if next == x || (next - x).abs() <= 1e-15 * next || next <= low || next >= high {
            return next;
        }
        x = next;
    }
    x
}

fn ln_beta(a: f64, b: f64) -> f64 {
    libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b)
}

/// The continued fraction of DLMF 8.17.22 by Lentz's method.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    // Replaces a vanishing denominator.
    const TINY: f64 = 1e-300;
    let nonzero = |y: f64| if y.abs() < TINY { TINY } else { y };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    // Convergence takes about sqrt(max(a, b)) terms.
    for m in 1..1000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        let factor = d * c;
        h *= factor;
        if (factor - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}
