//! Student t and binomial probabilities, as far as intervals here need them.

use crate::math;

/// Regularised incomplete beta function I_x(a, b), by the continued fraction of Lentz
/// (DLMF 8.17.22).
pub(crate) fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let log_front = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b)
        + a * math::ln(x)
        + b * math::ln_1p(-x);
    let tiny = 1e-300;
    let nudge = |v: f64| if v.abs() < tiny { tiny } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / nudge(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..400 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nudge(1.0 + even * d);
        c = nudge(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nudge(1.0 + odd * d);
        c = nudge(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    math::exp(log_front) * fraction / a
}

/// P(T <= t) for Student's t with `freedom` degrees of freedom.
pub(crate) fn student_cdf(t: f64, freedom: f64) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 1.0 } else { 0.0 };
    }
    let tail = 0.5 * incomplete_beta(0.5 * freedom, 0.5, freedom / (freedom + t * t));
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// Quantile of Student's t for p in (0.5, 1), by bisection to the last bit.
pub(crate) fn student_quantile(p: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while student_cdf(high, freedom) < p && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if student_cdf(middle, freedom) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// P(X >= k) for a binomial X with `n` trials of probability `p`.
pub(crate) fn binomial_upper_tail(k: f64, n: f64, p: f64) -> f64 {
    if k <= 0.0 {
        return 1.0;
    }
    if k > n {
        return 0.0;
    }
    incomplete_beta(k, n - k + 1.0, p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        for (p, freedom, t) in [
            (0.975, 1.0, 12.706204736174698),
            (0.975, 7.0, 2.364624251592785),
            (0.975, 15.0, 2.131449545559323),
            (0.95, 4.0, 2.131846786326649),
        ] {
            assert!(
                (student_quantile(p, freedom) - t).abs() < 1e-9,
                "{p} {freedom}"
            );
            assert!((student_cdf(t, freedom) - p).abs() < 1e-12);
            assert!((student_cdf(-t, freedom) - (1.0 - p)).abs() < 1e-12);
        }
        // 10 trials of 0.3: P(X >= 5) = 0.1502683326
        assert!((binomial_upper_tail(5.0, 10.0, 0.3) - 0.1502683326).abs() < 1e-10);
    }
}
