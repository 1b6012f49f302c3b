//! Proper scoring rules: how good a probabilistic forecast was, once the outcome is known. Smaller is better.
//!
//! A score is proper if nobody can expect a better one by stating other probabilities than those believed. All scores here are
//! one score, the continuous ranked probability score, applied to different outcomes:
//!
//! | outcome | score | range |
//! |---|---|---|
//! | yes or no | Brier score, `(p - o)^2`: the CRPS of a variable that is 0 or 1 | 0 to 1 |
//! | one of K ordered categories | ranked probability score: the CRPS of the rank, over K - 1 | 0 to 1 |
//! | one of K categories without order | half the quadratic score: half the sum of the categories' Brier scores | 0 to 1 |
//! | a number | CRPS | the number's unit |
//!
//! With two categories all of them are the Brier score. The logarithmic score is beside them: it looks at the probability of
//! what happened alone, and is infinite if that was called impossible.
//!
//! A forecast from a simulation is known through a sample of runs. The empirical CRPS of `m` independent runs is too large by
//! `E|X - X'| / (2 m)` on average; the *fair* score takes pairs of different runs and has no such bias (Ferro 2014). Runs that
//! share a world are not independent, so the pairs here are of different worlds.
//!
//! Sources: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78 (1950);
//! E. S. Epstein, "A scoring system for probability forecasts of ranked categories", Journal of Applied Meteorology 8 (1969);
//! T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102 (2007); C. A. T. Ferro,
//! "Fair scores for ensemble forecasts", Quarterly Journal of the Royal Meteorological Society 140 (2014); T. Gneiting and
//! R. Ranjan, "Comparing density forecasts using threshold- and quantile-weighted scoring rules", Journal of Business & Economic
//! Statistics 29 (2011), for limits on the variable.

use super::interval::Interval;
use super::mean::student_interval;
use super::moments::Moments;
use super::special::student_t_cdf;
use crate::math::ln;

/// Groups of worlds that the jackknife leaves out in turn.
const JACKKNIFE_GROUPS: usize = 50;
/// Cases up to which all assignments of signs are counted.
const MOST_EXACT_CASES: usize = 20;

/// Logarithmic score `-ln p` (in nats) of the probability `p` that was given to what happened; infinite for 0.
pub fn logarithmic(probability: f64) -> f64 {
    if probability <= 0.0 {
        f64::INFINITY
    } else {
        -ln(probability)
    }
}

/// CRPS at outcome `y` of the distribution with these values and weights:
/// `E|X - y| - E|X - X'| / 2`, equation (21) of Gneiting and Raftery (2007) with the sign of a loss. Weights need not add up to
/// 1; without any weight it is NaN.
pub fn crps(distribution: &[(f64, f64)], y: f64) -> f64 {
    let mut atoms = distribution.to_vec();
    atoms.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = atoms.iter().map(|atom| atom.1).sum();
    let distance: f64 = (atoms.iter())
        .map(|&(x, weight)| weight * (x - y).abs())
        .sum();
    // E|X - X'| / 2 is the integral of F (1 - F).
    let (mut below, mut spread) = (0.0, 0.0);
    for pair in atoms.windows(2) {
        below += pair[0].1;
        spread += below * (total - below) * (pair[1].0 - pair[0].0);
    }
    distance / total - spread / (total * total)
}

/// A forecast as a sample of runs, of which some share a world.
#[derive(Clone, Debug)]
pub struct ClusteredSample {
    /// Value and world, by value.
    sorted: Vec<(f64, u32)>,
    /// Number of worlds.
    worlds: usize,
}

/// An estimate with the standard error that comes from having made so many runs and no more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonteCarlo {
    /// The estimate.
    pub value: f64,
    /// Its Monte Carlo standard error; `None` with fewer than two worlds.
    pub standard_error: Option<f64>,
}

impl ClusteredSample {
    /// The runs' finite values, with the number of the world of each: worlds are numbered from 0 without gaps.
    pub fn new(values: impl IntoIterator<Item = (f64, u32)>) -> Self {
        let mut sorted: Vec<(f64, u32)> = values.into_iter().collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let worlds = sorted.iter().map(|run| run.1 as usize + 1).max();
        Self {
            sorted,
            worlds: worlds.unwrap_or(0),
        }
    }

    /// Fair CRPS at outcome `y`, with its Monte Carlo error: the delete-a-group jackknife over up to 50 groups of worlds.
    ///
    /// With a single world there are no pairs of different worlds: then it is the CRPS of the sample as it is.
    pub fn fair_crps(&self, y: f64) -> MonteCarlo {
        fair_sum(&[(self, y)])
    }

    /// The values with equal weights.
    pub fn weighted(&self) -> Vec<(f64, f64)> {
        self.sorted.iter().map(|&(x, _)| (x, 1.0)).collect()
    }

    /// The value below which a share `p` in `[0, 1]` of the runs lies: the smallest value with at least that share at or below
    /// it. `None` without runs.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let rank = libm::ceil(p * self.sorted.len() as f64) as usize;
        let index = rank.clamp(1, self.sorted.len().max(1)) - 1;
        Some(self.sorted.get(index)?.0)
    }

    /// Mean of `|x - y|` less half the mean of `|x - x'|` over pairs of different worlds; `None` without such a pair.
    fn fair_without(&self, y: f64, left_out: &dyn Fn(u32) -> bool) -> Option<f64> {
        let mut all = PairSum::default();
        let mut within = vec![PairSum::default(); self.worlds];
        let mut distance = 0.0;
        for &(x, world) in self.sorted.iter().filter(|run| !left_out(run.1)) {
            distance += (x - y).abs();
            all.add(x);
            within[world as usize].add(x);
        }
        let (mut sum, mut pairs) = (all.sum, all.pairs());
        for world in &within {
            sum -= world.sum;
            pairs -= world.pairs();
        }
        (pairs > 0.0).then(|| distance / all.count - 0.5 * sum / pairs)
    }
}

/// Sum of the fair CRPS of several variables of the same runs, each with its outcome, and the Monte Carlo error of the sum.
pub fn fair_sum(variables: &[(&ClusteredSample, f64)]) -> MonteCarlo {
    let sum = |left_out: &dyn Fn(u32) -> bool| {
        let scores = (variables.iter()).map(|(sample, y)| sample.fair_without(*y, left_out));
        scores.sum::<Option<f64>>()
    };
    let Some(value) = sum(&|_| false) else {
        let plain = variables
            .iter()
            .map(|(sample, y)| crps(&sample.weighted(), *y));
        return MonteCarlo {
            value: plain.sum(),
            standard_error: None,
        };
    };
    let worlds = variables.iter().map(|(sample, _)| sample.worlds).max();
    let groups = worlds.unwrap_or(0).min(JACKKNIFE_GROUPS);
    let left_out = (0..groups).filter_map(|group| sum(&|world| world as usize % groups == group));
    MonteCarlo {
        value,
        standard_error: jackknife_error(&left_out.collect::<Vec<f64>>()),
    }
}

/// Sum of `x_j - x_i` over pairs of values that come in ascending order.
#[derive(Clone, Copy, Debug, Default)]
struct PairSum {
    count: f64,
    total: f64,
    sum: f64,
}

impl PairSum {
    fn add(&mut self, x: f64) {
        self.sum += self.count * x - self.total;
        self.total += x;
        self.count += 1.0;
    }

    fn pairs(&self) -> f64 {
        0.5 * self.count * (self.count - 1.0)
    }
}

/// Standard error of an estimate from its values without one group each; `None` below two groups.
fn jackknife_error(left_out: &[f64]) -> Option<f64> {
    let groups = left_out.len() as f64;
    if groups < 2.0 {
        return None;
    }
    let mean = left_out.iter().sum::<f64>() / groups;
    let squares: f64 = left_out.iter().map(|v| (v - mean) * (v - mean)).sum();
    Some(((groups - 1.0) / groups * squares).sqrt())
}

/// What few cases say about a mean difference of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairedDifference {
    /// Number of cases.
    pub cases: usize,
    /// Mean difference.
    pub mean: f64,
    /// Student's interval of the mean at the level asked for; `None` below two cases. With few cases it is wide and rests on
    /// differences that are roughly normal.
    pub interval: Option<Interval>,
    /// Two-sided p-value of the hypothesis that each difference might as well have had the other sign; up to 20 cases counted
    /// exactly, beyond that from Student's t.
    pub p_value: f64,
    /// The smallest p-value that so many cases could give, whatever the differences.
    pub smallest_p_value: f64,
}

/// Compares two forecasters by their differences in score, one for each independent case; `None` without cases.
///
/// The test flips signs (R. A. Fisher, "The Design of Experiments", 1935, section 21; for forecasts T. M. Hamill, "Hypothesis
/// tests for evaluating numerical precipitation forecasts", Weather and Forecasting 14, 1999). It assumes no distribution.
pub fn paired_difference(differences: &[f64], level: f64) -> Option<PairedDifference> {
    let cases = differences.len();
    let mut moments = Moments::new();
    differences.iter().for_each(|&d| moments.add(d));
    let mean = moments.mean()?;
    let error = moments.standard_error();
    let freedom = cases as f64 - 1.0;
    let exact = cases <= MOST_EXACT_CASES;
    let p_value = match error {
        _ if exact => sign_flip_p_value(differences),
        Some(error) if error > 0.0 => 2.0 * student_t_cdf(-(mean / error).abs(), freedom),
        _ => f64::from(u8::from(mean == 0.0)),
    };
    Some(PairedDifference {
        cases,
        mean,
        interval: error.map(|error| student_interval(mean, error, freedom, level)),
        p_value,
        smallest_p_value: if exact {
            2.0 / (1_u64 << cases) as f64
        } else {
            0.0
        },
    })
}

/// Share of the assignments of signs whose sum is at least as far from 0.
fn sign_flip_p_value(differences: &[f64]) -> f64 {
    let sizes: Vec<f64> = differences.iter().map(|d| d.abs()).collect();
    let total: f64 = sizes.iter().sum();
    let observed = differences.iter().sum::<f64>().abs();
    let slack = 1e-12 * total;
    let assignments = 1_u64 << sizes.len();
    let as_far = (0..assignments).filter(|signs| {
        let negative: f64 = (sizes.iter().enumerate())
            .filter(|(i, _)| signs >> i & 1 == 1)
            .map(|(_, size)| size)
            .sum();
        (total - 2.0 * negative).abs() >= observed - slack
    });
    as_far.count() as f64 / assignments as f64
}

#[cfg(test)]
mod tests;
