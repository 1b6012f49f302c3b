//! Significance tests.
//!
//! Each returns its statistic and its p-value, the probability under the null hypothesis of a
//! statistic at least as extreme.

use super::moments::Moments;
use super::special::{binomial_cdf, binomial_pmf, chi_square_upper_tail, normal_cdf};

/// Outcome of a significance test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TestResult {
    /// The test statistic.
    pub statistic: f64,
    /// Probability of a statistic at least as extreme under the null hypothesis.
    pub p_value: f64,
}

/// Expected count below which neighbouring cells are pooled (W. G. Cochran, Biometrics 10 (1954)).
const SMALLEST_EXPECTED: f64 = 5.0;

/// Pearson's chi-square test that `observed` counts come from the `probabilities` of the cells
/// (non-negative; they are scaled to add to 1).
///
/// Neighbouring cells are pooled until each expects 5 or more. An observation in a cell of
/// probability zero refutes the hypothesis: statistic infinite, p-value 0. `None` if the lengths
/// differ or fewer than two cells are left.
///
/// Source: K. Pearson, Philosophical Magazine 50 (1900).
pub fn chi_square_goodness_of_fit(observed: &[u64], probabilities: &[f64]) -> Option<TestResult> {
    let total: u64 = observed.iter().sum();
    let mass: f64 = probabilities.iter().sum();
    if observed.len() != probabilities.len() || total == 0 || mass.is_nan() || mass <= 0.0 {
        return None;
    }
    let mut impossible = observed.iter().zip(probabilities);
    if impossible.any(|(&count, &p)| count > 0 && p <= 0.0) {
        return Some(TestResult {
            statistic: f64::INFINITY,
            p_value: 0.0,
        });
    }
    let expected = |p: f64| p / mass * total as f64;
    let cells = observed.iter().zip(probabilities);
    let cells = pool(cells.map(|(&count, &p)| [count as f64, expected(p)]), |c| {
        c[1]
    });
    if cells.len() < 2 {
        return None;
    }
    let statistic = cells.iter().map(|[o, e]| (o - e) * (o - e) / e).sum();
    let df = (cells.len() - 1) as f64;
    Some(chi_square(statistic, df))
}

/// Chi-square test that two samples of counts over the same cells come from one distribution.
///
/// Neighbouring cells are pooled until the smaller sample expects 5 or more in each. `None` if the
/// lengths differ, a sample is empty, or fewer than two cells are left.
pub fn chi_square_homogeneity(first: &[u64], second: &[u64]) -> Option<TestResult> {
    let (n1, n2) = (first.iter().sum::<u64>(), second.iter().sum::<u64>());
    if first.len() != second.len() || n1 == 0 || n2 == 0 {
        return None;
    }
    let (n1, n2) = (n1 as f64, n2 as f64);
    let smaller = n1.min(n2) / (n1 + n2);
    let cells = first
        .iter()
        .zip(second)
        .map(|(&a, &b)| [a as f64, b as f64]);
    let cells = pool(cells, |[a, b]| (a + b) * smaller);
    if cells.len() < 2 {
        return None;
    }
    // With column total t, the two rows add up to (a n2 - b n1)^2 / (n1 n2 t).
    let cell = |[a, b]: &[f64; 2]| {
        let difference = a * n2 - b * n1;
        difference * difference / (n1 * n2 * (a + b))
    };
    let df = (cells.len() - 1) as f64;
    Some(chi_square(cells.iter().map(cell).sum(), df))
}

fn chi_square(statistic: f64, df: f64) -> TestResult {
    TestResult {
        statistic,
        p_value: chi_square_upper_tail(statistic, df),
    }
}

/// Joins neighbours until each cell's expectation is large enough; a rest joins the last cell.
fn pool(
    cells: impl Iterator<Item = [f64; 2]>,
    expected: impl Fn(&[f64; 2]) -> f64,
) -> Vec<[f64; 2]> {
    let join = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
    let mut pooled: Vec<[f64; 2]> = Vec::new();
    let mut open = [0.0; 2];
    for cell in cells {
        open = join(open, cell);
        if expected(&open) >= SMALLEST_EXPECTED {
            pooled.push(open);
            open = [0.0; 2];
        }
    }
    match pooled.last_mut() {
        Some(last) => *last = join(*last, open),
        None => pooled.push(open),
    }
    pooled
}

/// Kolmogorov's test that `sample` comes from the continuous distribution function `cdf`. The
/// statistic is the largest distance D. `None` for an empty sample or one with a NaN.
///
/// The p-value is the asymptotic one at `D (sqrt(n) + 0.12 + 0.11 / sqrt(n))` (M. A. Stephens,
/// Journal of the Royal Statistical Society B 32 (1970)). The correction is made for the upper tail:
/// at n = 7 a p-value of 0.05 is right to 0.001, one of 0.74 is too high by 0.02.
pub fn kolmogorov(sample: &[f64], cdf: impl Fn(f64) -> f64) -> Option<TestResult> {
    let sorted = sorted(sample)?;
    let n = sorted.len() as f64;
    let mut distance = 0.0f64;
    for (i, &x) in sorted.iter().enumerate() {
        let below = cdf(x);
        let after = (i + 1) as f64 / n - below;
        let before = below - i as f64 / n;
        distance = distance.max(after).max(before);
    }
    Some(kolmogorov_result(distance, n))
}

/// Smirnov's test that two samples come from one continuous distribution. The statistic is the
/// largest distance D of their distribution functions; the p-value is that of [`kolmogorov`] at the
/// effective size `n1 n2 / (n1 + n2)`. Ties make it conservative. `None` for an empty sample or one
/// with a NaN.
pub fn kolmogorov_smirnov(first: &[f64], second: &[f64]) -> Option<TestResult> {
    let (first, second) = (sorted(first)?, sorted(second)?);
    let (n1, n2) = (first.len() as f64, second.len() as f64);
    let (mut i, mut j) = (0, 0);
    let mut distance = 0.0f64;
    while i < first.len() && j < second.len() {
        let x = first[i].min(second[j]);
        while i < first.len() && first[i] <= x {
            i += 1;
        }
        while j < second.len() && second[j] <= x {
            j += 1;
        }
        distance = distance.max((i as f64 / n1 - j as f64 / n2).abs());
    }
    Some(kolmogorov_result(distance, n1 * n2 / (n1 + n2)))
}

fn sorted(sample: &[f64]) -> Option<Vec<f64>> {
    if sample.is_empty() || sample.iter().any(|x| x.is_nan()) {
        return None;
    }
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

fn kolmogorov_result(distance: f64, n: f64) -> TestResult {
    let root = n.sqrt();
    TestResult {
        statistic: distance,
        p_value: kolmogorov_upper_tail(distance * (root + 0.12 + 0.11 / root)),
    }
}

/// P(K > x) for Kolmogorov's limiting distribution, `2 sum_j (-1)^(j-1) exp(-2 j^2 x^2)`.
///
/// The series alternates too long for small `x`, where its theta transform
/// `1 - sqrt(2 pi)/x sum_j exp(-(2j-1)^2 pi^2 / (8 x^2))` takes over.
pub fn kolmogorov_upper_tail(x: f64) -> f64 {
    use std::f64::consts::PI;
    if x <= 0.0 {
        return 1.0;
    }
    if x < 1.0 {
        let term = |odd: f64| libm::exp(-odd * odd * PI * PI / (8.0 * x * x));
        let sum: f64 = [1.0, 3.0, 5.0, 7.0].into_iter().map(term).sum();
        return 1.0 - (2.0 * PI).sqrt() / x * sum;
    }
    let term = |j: f64| libm::exp(-2.0 * j * j * x * x);
    2.0 * (term(1.0) - term(2.0) + term(3.0) - term(4.0) + term(5.0))
}

/// Two-sided normal test that values of known `standard_deviation` have mean `mean`. `None` without
/// values or with a standard deviation that is not positive.
pub fn z_test(moments: &Moments, mean: f64, standard_deviation: f64) -> Option<TestResult> {
    if standard_deviation.is_nan() || standard_deviation <= 0.0 {
        return None;
    }
    let error = standard_deviation / (moments.count() as f64).sqrt();
    Some(two_sided((moments.mean()? - mean) / error))
}

fn two_sided(z: f64) -> TestResult {
    TestResult {
        statistic: z,
        p_value: 2.0 * normal_cdf(-z.abs()),
    }
}

/// Exact two-sided test that `k` occurrences in `n` runs have probability `p`: the total probability
/// of all counts that are no more probable than `k`. The statistic is `k`. `None` unless `k <= n`
/// and `p` lies in `[0, 1]`.
pub fn binomial_test(k: u64, n: u64, p: f64) -> Option<TestResult> {
    if k > n || !(0.0..=1.0).contains(&p) {
        return None;
    }
    // Counts as probable as k up to rounding belong to the set.
    let limit = binomial_pmf(k, n, p) * (1.0 + 1e-7);
    let in_set = |j: u64| binomial_pmf(j, n, p) <= limit;
    let mode = (((n + 1) as f64 * p) as u64).min(n);
    let p_value = if in_set(mode) {
        1.0
    } else if k < mode {
        // Probabilities fall beyond the mode: the first of the set on the other side.
        let start = first(mode, n + 1, in_set);
        binomial_cdf(k, n, p) + upper_tail(start, n, p)
    } else {
        let start = first(0, mode, |j| !in_set(j));
        let below = if start == 0 {
            0.0
        } else {
            binomial_cdf(start - 1, n, p)
        };
        below + upper_tail(k, n, p)
    };
    Some(TestResult {
        statistic: k as f64,
        p_value: p_value.min(1.0),
    })
}

/// P(K >= k).
fn upper_tail(k: u64, n: u64, p: f64) -> f64 {
    // P(K >= k) is the probability of at most n - k failures.
    if k > n {
        0.0
    } else {
        binomial_cdf(n - k, n, 1.0 - p)
    }
}

/// The first `j` in `low..high` that holds, or `high`; holding must be monotone.
fn first(low: u64, high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Holm's adjusted p-values, in the order given: rejecting those at most alpha keeps the probability
/// of any false rejection at most alpha.
///
/// Source: S. Holm, Scandinavian Journal of Statistics 6 (1979).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, &index) in order.iter().enumerate() {
        let factor = (p_values.len() - rank) as f64;
        largest = largest.max((p_values[index] * factor).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

/// Level at which each of `number` intervals must be made for all of them to hold together with `level` (C. E. Bonferroni 1936).
pub fn bonferroni_level(level: f64, number: usize) -> f64 {
    1.0 - (1.0 - level) / number.max(1) as f64
}

#[cfg(test)]
mod tests;
