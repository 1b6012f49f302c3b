//! Intervals of a probability from `k` occurrences in `n` independent runs.
//!
//! Coverage of the nominal 95 % intervals, summed exactly over the binomial distribution, and mean
//! width in brackets:
//!
//! | n | p | Wilson | Clopper-Pearson | normal (not offered) |
//! |---|---|---|---|---|
//! | 1000 | 0.5 | 0.9463 (0.06183) | 0.9537 (0.06287) | 0.9463 (0.06195) |
//! | 1000 | 0.1 | 0.9491 (0.03719) | 0.9549 (0.03813) | 0.9528 (0.03714) |
//! | 1000 | 0.01 | 0.9635 (0.01273) | 0.9761 (0.01335) | 0.9270 (0.01217) |
//! | 1000 | 0.001 | 0.9198 (0.00530) | 0.9811 (0.00535) | 0.6317 (0.00303) |
//! | 10000 | 0.5 | 0.9488 (0.01959) | 0.9512 (0.01970) | 0.9488 (0.01960) |
//! | 10000 | 0.1 | 0.9489 (0.01176) | 0.9508 (0.01186) | 0.9506 (0.01176) |
//! | 10000 | 0.01 | 0.9503 (0.00391) | 0.9558 (0.00400) | 0.9462 (0.00390) |
//! | 10000 | 0.001 | 0.9627 (0.00128) | 0.9755 (0.00134) | 0.9259 (0.00122) |
//!
//! (`print_coverage` in the tests prints it.) Wilson's interval stays near its level, also where only
//! one occurrence is expected; Clopper and Pearson's never falls below it and pays with width. [`wilson`] is the one to report; [`clopper_pearson`] is for statements that
//! must hold in every single case.

use super::interval::Interval;
use super::special::{beta_quantile, two_sided_z};

/// Wilson's score interval of a probability at `level` in `(0, 1)`, from `k <= n` occurrences in
/// `n > 0` runs.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
/// Journal of the American Statistical Association 22 (1927).
pub fn wilson(k: u64, n: u64, level: f64) -> Interval {
    score_interval(k as f64 / n as f64, n as f64, two_sided_z(level))
}

/// Wilson's score interval around the proportion `p` of `n > 0` runs, where `n` may be an effective
/// sample size and `deviate` a normal or Student's t deviate. Without runs it is `[0, 1]`.
pub fn score_interval(p: f64, n: f64, deviate: f64) -> Interval {
    if n <= 0.0 {
        return Interval::new(0.0, 1.0);
    }
    let z2 = deviate * deviate;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = deviate / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // The ends are exactly 0 and 1 there; rounding would miss them.
    let low = if p <= 0.0 {
        0.0
    } else {
        (centre - half).max(0.0)
    };
    let high = if p >= 1.0 {
        1.0
    } else {
        (centre + half).min(1.0)
    };
    Interval::new(low, high)
}

/// Clopper and Pearson's interval of a probability at `level` in `(0, 1)`, from `k <= n` occurrences
/// in `n` runs: never covers less than `level`.
///
/// Source: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in
/// the case of the binomial", Biometrika 26 (1934).
pub fn clopper_pearson(k: u64, n: u64, level: f64) -> Interval {
    let tail = (1.0 - level) / 2.0;
    let (successes, failures) = (k as f64, (n - k.min(n)) as f64);
    let low = if k == 0 {
        0.0
    } else {
        beta_quantile(successes, failures + 1.0, tail)
    };
    let high = if k >= n {
        1.0
    } else {
        beta_quantile(successes + 1.0, failures, 1.0 - tail)
    };
    Interval::new(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::special::binomial_pmf;

    /// Exact coverage and mean width of a 95 % interval.
    fn measure(n: u64, p: f64, interval: impl Fn(u64, u64, f64) -> Interval) -> (f64, f64) {
        let mut coverage = 0.0;
        let mut width = 0.0;
        for k in 0..=n {
            let weight = binomial_pmf(k, n, p);
            if weight < 1e-12 {
                continue;
            }
            let interval = interval(k, n, 0.95);
            width += weight * interval.width();
            if interval.contains(p) {
                coverage += weight;
            }
        }
        (coverage, width)
    }

    fn wald(k: u64, n: u64, level: f64) -> Interval {
        let p = k as f64 / n as f64;
        let half = two_sided_z(level) * (p * (1.0 - p) / n as f64).sqrt();
        Interval::new(p - half, p + half)
    }

    #[test]
    #[ignore = "prints the table of the module's documentation"]
    fn print_coverage() {
        for n in [1000, 10_000] {
            for p in [0.5, 0.1, 0.01, 0.001] {
                let (w, c, a) = (
                    measure(n, p, wilson),
                    measure(n, p, clopper_pearson),
                    measure(n, p, wald),
                );
                println!(
                    "//! | {n} | {p} | {:.4} ({:.5}) | {:.4} ({:.5}) | {:.4} ({:.5}) |",
                    w.0, w.1, c.0, c.1, a.0, a.1
                );
            }
        }
    }

    #[test]
    fn coverage_is_near_the_level_and_the_plain_normal_interval_is_not() {
        for n in [1000, 10_000] {
            for p in [0.5, 0.1, 0.01, 0.001] {
                let coverage = measure(n, p, wilson).0;
                // At n p = 1 the counts are few and coverage moves in steps.
                let allowed = if n as f64 * p < 5.0 { 0.04 } else { 0.015 };
                assert!((coverage - 0.95).abs() < allowed, "{n} {p}: {coverage}");
                assert!(measure(n, p, clopper_pearson).0 >= 0.95 - 1e-9);
            }
        }
        assert!(measure(1000, 0.001, wald).0 < 0.90);
        assert!(measure(1000, 0.01, wald).0 < 0.94);
    }

    #[test]
    fn published_intervals() {
        // R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20.
        let close = |interval: Interval, low: f64, high: f64| {
            (interval.low - low).abs() < 5e-5 && (interval.high - high).abs() < 5e-5
        };
        assert!(close(wilson(81, 263, 0.95), 0.2553, 0.3662));
        assert!(close(wilson(15, 148, 0.95), 0.0624, 0.1605));
        assert!(close(wilson(0, 20, 0.95), 0.0, 0.1611));
        assert!(close(clopper_pearson(81, 263, 0.95), 0.2527, 0.3676));
        assert!(close(clopper_pearson(15, 148, 0.95), 0.0578, 0.1617));
        assert!(close(clopper_pearson(0, 20, 0.95), 0.0, 0.1684));
    }

    #[test]
    fn ends_are_exact_when_nothing_or_everything_occurred() {
        for n in [1, 7, 1000] {
            assert_eq!(wilson(0, n, 0.95).low, 0.0);
            assert_eq!(wilson(n, n, 0.95).high, 1.0);
            assert_eq!(clopper_pearson(n, n, 0.99).high, 1.0);
            assert!(wilson(0, n, 0.95).high > 0.0 && wilson(n, n, 0.95).low < 1.0);
        }
        assert_eq!(score_interval(0.0, 0.0, 1.96), Interval::new(0.0, 1.0));
    }

    #[test]
    fn occurrence_and_absence_mirror_each_other() {
        let (a, b) = (wilson(3, 50, 0.9), wilson(47, 50, 0.9));
        assert!((a.low - (1.0 - b.high)).abs() < 1e-15);
        let (a, b) = (clopper_pearson(3, 50, 0.9), clopper_pearson(47, 50, 0.9));
        assert!((a.low - (1.0 - b.high)).abs() < 1e-13);
    }
}
