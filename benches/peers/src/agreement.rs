//! Whether contenders agree in distribution.

use crate::contender::Contender;
use flashpoint::stats::hypothesis::chi_square_homogeneity;

/// Significance level of the test that a contender's outcomes follow the law of the others'.
pub const ALPHA: f64 = 0.001;
/// Standard errors that a contender's mean may lie from the pooled mean.
pub const STANDARD_ERRORS: f64 = 4.0;

/// How a contender's outcomes compare with those of all others together.
#[derive(Debug)]
pub struct Agreement {
    pub mean: f64,
    pub standard_error: f64,
    /// Distance from the pooled mean, in standard errors.
    pub z: f64,
    /// p-value of the chi-square test against the others.
    pub p: f64,
}

impl Agreement {
    pub fn agrees(&self) -> bool {
        self.z.abs() <= STANDARD_ERRORS && self.p > ALPHA
    }
}

/// Runs every contender, each with seeds of its own, and compares the outcomes; then the outcomes of all. `value` is the number
/// that a cell stands for.
pub fn agreement(
    contenders: &mut [Contender],
    value: impl Fn(usize) -> f64,
) -> (Vec<Agreement>, Vec<u64>) {
    let outcomes: Vec<Vec<u64>> = (contenders.iter_mut().zip(1..))
        .map(|(contender, index)| {
            (contender.runner).outcomes(index * 1_000_000_000, contender.checked_runs)
        })
        .collect();
    let pool: Vec<u64> = (0..outcomes[0].len())
        .map(|cell| outcomes.iter().map(|counts| counts[cell]).sum())
        .collect();
    let (pooled_mean, variance, _) = moments(&pool, &value);
    let compare = |counts: &Vec<u64>| {
        let (mean, _, runs) = moments(counts, &value);
        let standard_error = (variance / runs).sqrt();
        let others: Vec<u64> = pool
            .iter()
            .zip(counts)
            .map(|(all, own)| all - own)
            .collect();
        Agreement {
            mean,
            standard_error,
            z: (mean - pooled_mean) / standard_error,
            p: chi_square_homogeneity(counts, &others).map_or(0.0, |test| test.p_value),
        }
    };
    let found = outcomes.iter().map(compare).collect();
    (found, pool)
}

/// Mean, variance and number of the outcomes in `counts`.
fn moments(counts: &[u64], value: impl Fn(usize) -> f64) -> (f64, f64, f64) {
    let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
        (counts.iter().enumerate())
            .map(|(cell, &count)| count as f64 * f(value(cell)))
            .sum()
    };
    let runs = sum(&|_| 1.0);
    let mean = sum(&|x| x) / runs;
    (mean, sum(&|x| (x - mean) * (x - mean)) / runs, runs)
}
