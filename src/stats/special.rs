//! Distribution functions: normal, beta, binomial, Student's t, gamma, chi-square.
//!
//! All of them use [`libm`] and IEEE basic operations only, so they return the same bits on every
//! machine. Arguments outside the stated domain return NaN.

use std::cell::Cell;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Terms after which a series or continued fraction is given up; the slowest, near the middle of
/// a beta or gamma distribution with parameters of 1e9, needs some 1e5.
const MAX_TERMS: u32 = 1_000_000;
/// Smallest number that Lentz's method puts in place of a zero denominator.
const TINY: f64 = 1e-300;

/// Density of the standard normal distribution.
pub fn normal_pdf(x: f64) -> f64 {
    libm::exp(-0.5 * x * x) / (2.0 * PI).sqrt()
}

/// P(Z <= x) for a standard normal Z.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// Quantile of the standard normal distribution, `p` in `[0, 1]`, to about 1e-16 relative.
///
/// Source: M. J. Wichura, "Algorithm AS 241: The percentage points of the normal distribution",
/// Applied Statistics 37 (1988), routine PPND16.
#[allow(clippy::excessive_precision, reason = "coefficients as published")]
pub fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 8] = [
        3.387_132_872_796_366_608,
        1.331_416_678_917_843_774_5e2,
        1.971_590_950_306_551_442_7e3,
        1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4,
        6.726_577_092_700_870_085_3e4,
        3.343_057_558_358_812_810_5e4,
        2.509_080_928_730_122_672_7e3,
    ];
    const B: [f64; 8] = [
        1.0,
        4.231_333_070_160_091_125_2e1,
        6.871_870_074_920_579_083e2,
        5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4,
        3.930_789_580_009_271_061e4,
        2.872_908_573_572_194_267_4e4,
        5.226_495_278_852_854_561e3,
    ];
    const C: [f64; 8] = [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_9,
        5.769_497_221_460_691_405_5,
        3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_7e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_4e-4,
    ];
    const D: [f64; 8] = [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_4,
        6.897_673_349_851_000_045_5e-1,
        1.481_039_764_274_800_745_9e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946e-4,
        1.050_750_071_644_416_843_24e-9,
    ];
    const E: [f64; 8] = [
        6.657_904_643_501_103_777_2,
        5.463_784_911_164_114_369_9,
        1.784_826_539_917_291_335_8,
        2.965_605_718_285_048_912_3e-1,
        2.653_218_952_657_612_309_3e-2,
        1.242_660_947_388_078_438_6e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ];
    const F: [f64; 8] = [
        1.0,
        5.998_322_065_558_879_376_9e-1,
        1.369_298_809_227_358_053_1e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591e-4,
        1.846_318_317_510_054_681_8e-5,
        1.421_511_758_316_445_888_7e-7,
        2.044_263_103_389_939_785_64e-15,
    ];
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&A, r) / polynomial(&B, r);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return if q < 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    let r = (-libm::log(tail)).sqrt();
    let size = if r <= 5.0 {
        polynomial(&C, r - 1.6) / polynomial(&D, r - 1.6)
    } else {
        polynomial(&E, r - 5.0) / polynomial(&F, r - 5.0)
    };
    if q < 0.0 { -size } else { size }
}

fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// The normal deviate of a two-sided interval at `level`, e.g. 1.96 at 0.95.
pub fn two_sided_z(level: f64) -> f64 {
    -normal_quantile((1.0 - level) / 2.0)
}

/// `ln n! - ln(sqrt(2 pi n) (n/e)^n)` for real `n > 0`, the error of Stirling's formula.
fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - 0.5 * libm::log(2.0 * PI);
    }
    let n2 = n * n;
    let series = 1.0 / 1680.0 - 1.0 / 1188.0 / n2;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - series / n2) / n2) / n2) / n
}

/// `x ln(x/m) + m - x`, without cancellation for `x` near `m`.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * libm::log(x / m) + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut term = 2.0 * x * v;
    for j in 1..1000 {
        term *= v * v;
        let next = sum + term / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// `Gamma(n+1) / (Gamma(k+1) Gamma(n-k+1)) p^k q^(n-k)` for real `0 < k < n`.
///
/// Source: C. Loader, "Fast and accurate computation of binomial probabilities" (2000): the
/// saddle-point form, which keeps its relative accuracy at any `n`.
fn binomial_term(k: f64, n: f64, p: f64, q: f64) -> f64 {
    let rest = n - k;
    let exponent = stirling_error(n)
        - stirling_error(k)
        - stirling_error(rest)
        - deviance(k, n * p)
        - deviance(rest, n * q);
    libm::exp(exponent) * (n / (2.0 * PI * k * rest)).sqrt()
}

/// P(K = k) for K binomial with `n` trials of probability `p`.
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k > n {
        return 0.0;
    }
    if p == 0.0 || p == 1.0 {
        let certain = if p == 0.0 { 0 } else { n };
        return if k == certain { 1.0 } else { 0.0 };
    }
    if k == 0 {
        return libm::exp(n as f64 * libm::log1p(-p));
    }
    if k == n {
        return libm::exp(n as f64 * libm::log(p));
    }
    binomial_term(k as f64, n as f64, p, 1.0 - p)
}

/// P(K <= k) for K binomial with `n` trials of probability `p`.
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return if (0.0..=1.0).contains(&p) {
            1.0
        } else {
            f64::NAN
        };
    }
    beta_inc_complement((k + 1) as f64, (n - k) as f64, p)
}

/// Smallest `k` with P(K <= k) >= `probability`, for K binomial with `n` trials of probability `p`.
pub fn binomial_quantile(probability: f64, n: u64, p: f64) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if binomial_cdf(middle, n, p) >= probability {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Regularised incomplete beta function I_x(a, b), the cdf of Beta(a, b); `a, b > 0`, `x` in `[0, 1]`.
///
/// Source: NIST Digital Library of Mathematical Functions, 8.17.22 (continued fraction) and 8.17.4
/// (reflection), evaluated by Lentz's method; the leading factor is Loader's.
pub fn beta_inc(a: f64, b: f64, x: f64) -> f64 {
    beta_inc_pair(a, b, x, 1.0 - x).0
}

/// 1 - I_x(a, b), without cancellation when it is small.
pub fn beta_inc_complement(a: f64, b: f64, x: f64) -> f64 {
    beta_inc_pair(a, b, x, 1.0 - x).1
}

/// I_x(a, b) and its complement, given `x` and `y = 1 - x` each to full accuracy.
fn beta_inc_pair(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if !(a > 0.0 && b > 0.0 && x >= 0.0 && y >= 0.0) {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 {
        return (0.0, 1.0);
    }
    if y == 0.0 {
        return (1.0, 0.0);
    }
    let factor = beta_factor(a, b, x, y);
    if x <= (a + 1.0) / (a + b + 2.0) {
        let lower = factor / a * beta_fraction(a, b, x);
        (lower, 1.0 - lower)
    } else {
        let upper = factor / b * beta_fraction(b, a, y);
        (1.0 - upper, upper)
    }
}

/// `x^a y^b / B(a, b)`.
fn beta_factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    a * b / (a + b) * binomial_term(a, a + b, x, y)
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let guarded = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guarded(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for m in 1..MAX_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guarded(1.0 + even * d);
        c = guarded(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guarded(1.0 + odd * d);
        c = guarded(1.0 + odd / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

/// The `x` in `[0, 1]` with I_x(a, b) = `p`.
pub fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.0 || p == 1.0 {
        return p;
    }
    // The mean is a safe start; Newton's steps are checked by the bracket anyway.
    invert(a / (a + b), 0.0, 1.0, |x| {
        let slope = beta_factor(a, b, x, 1.0 - x) / (x * (1.0 - x));
        // The smaller tail decides the accuracy.
        let (lower, upper) = beta_inc_pair(a, b, x, 1.0 - x);
        let excess = if p < 0.5 {
            lower - p
        } else {
            (1.0 - p) - upper
        };
        (excess, slope)
    })
}

/// The root of an increasing function on `[low, high]`, `low >= 0`: Newton's method, with
/// bisection whenever a step leaves the bracket or does not shrink it well.
///
/// `f` returns value and slope. Bisection halves the bit patterns, i.e. roughly the logarithms, so
/// roots of any size are found to full relative accuracy.
fn invert(start: f64, low: f64, high: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let (mut low, mut high, mut x) = (low, high, start);
    for round in 0..200 {
        let (excess, slope) = f(x);
        if excess == 0.0 {
            return x;
        }
        if excess > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let newton = x - excess / slope;
        let bisect = f64::from_bits((low.to_bits() + high.to_bits()) / 2);
        // Every fourth step halves, so that slow convergence from one side cannot last.
        let next = if newton > low && newton < high && round % 4 != 3 {
            newton
        } else {
            bisect
        };
        if (next - x).abs() <= f64::EPSILON * x || next == low || next == high {
            return next;
        }
        x = next;
    }
    x
}

/// P(T > t) for Student's t with `df > 0` degrees of freedom.
fn student_t_upper_tail(t: f64, df: f64) -> f64 {
    let (x, y) = student_t_shares(t, df);
    let (tail, centre) = beta_inc_pair(df / 2.0, 0.5, x, y);
    if t >= 0.0 {
        tail / 2.0
    } else {
        0.5 + centre / 2.0
    }
}

/// `df / (df + t^2)` and `t^2 / (df + t^2)`, also where `t^2` overflows.
fn student_t_shares(t: f64, df: f64) -> (f64, f64) {
    let t2 = t * t;
    (1.0 / (1.0 + t2 / df), 1.0 / (1.0 + df / t2))
}

/// P(T <= t) for Student's t with `df > 0` degrees of freedom.
pub fn student_t_cdf(t: f64, df: f64) -> f64 {
    student_t_upper_tail(-t, df)
}

/// Quantile of Student's t with `df > 0` degrees of freedom, `p` in `[0, 1]`.
pub fn student_t_quantile(p: f64, df: f64) -> f64 {
    if !(df > 0.0 && (0.0..=1.0).contains(&p)) {
        return f64::NAN;
    }
    if p == 0.5 {
        return 0.0;
    }
    let tail = p.min(1.0 - p);
    if tail == 0.0 {
        return if p == 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    thread_local! {
        /// The last tail and degrees of freedom, with the quantile: a table asks for the same one in row after row, and the
        /// inversion is most of what an interval takes.
        static LAST: Cell<(f64, f64, f64)> = const { Cell::new((f64::NAN, f64::NAN, f64::NAN)) };
    }
    let size = match LAST.get() {
        (last_tail, last_df, size) if (last_tail, last_df) == (tail, df) => size,
        _ => {
            let start = -normal_quantile(tail);
            let size = invert(start, 0.0, f64::MAX, |t| {
                let (x, y) = student_t_shares(t, df);
                let slope = beta_factor(df / 2.0, 0.5, x, y) / t;
                (tail - student_t_upper_tail(t, df), slope)
            });
            LAST.set((tail, df, size));
            size
        }
    };
    if p < 0.5 { -size } else { size }
}

/// Regularised lower and upper incomplete gamma functions P(a, x) and Q(a, x); `a > 0`, `x >= 0`.
///
/// Source: NIST Digital Library of Mathematical Functions, 8.11.4 (series, below `a + 1`) and 8.9.2
/// (continued fraction, above).
pub fn gamma_inc(a: f64, x: f64) -> (f64, f64) {
    if !(a > 0.0 && x >= 0.0) {
        return (f64::NAN, f64::NAN);
    }
    if x == 0.0 {
        return (0.0, 1.0);
    }
    if x.is_infinite() {
        return (1.0, 0.0);
    }
    // x^a e^-x / Gamma(a + 1), in Loader's form.
    let term = libm::exp(-stirling_error(a) - deviance(a, x)) / (2.0 * PI * a).sqrt();
    if x < a + 1.0 {
        let lower = term * gamma_series(a, x);
        (lower, 1.0 - lower)
    } else {
        let upper = term * a * gamma_fraction(a, x);
        (1.0 - upper, upper)
    }
}

fn gamma_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for j in 1..MAX_TERMS {
        term *= x / (a + f64::from(j));
        sum += term;
        if term <= sum * f64::EPSILON {
            break;
        }
    }
    sum
}

fn gamma_fraction(a: f64, x: f64) -> f64 {
    let guarded = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / guarded(b);
    let mut fraction = d;
    for j in 1..MAX_TERMS {
        let j = f64::from(j);
        let numerator = -j * (j - a);
        b += 2.0;
        d = 1.0 / guarded(numerator * d + b);
        c = guarded(b + numerator / c);
        fraction *= d * c;
        if (d * c - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    fraction
}

/// P(X > x) for X chi-square distributed with `df > 0` degrees of freedom.
pub fn chi_square_upper_tail(x: f64, df: f64) -> f64 {
    gamma_inc(df / 2.0, x / 2.0).1
}

#[cfg(test)]
mod tests;
