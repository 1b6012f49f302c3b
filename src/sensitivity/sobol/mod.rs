//! Sobol indices of a model with chance, where the seed is a factor like the others.
//!
//! With Y = f(X, W), X the factors and W the chance of a run, and the runs of a [`SobolDesign`]:
//!
//! | quantity | estimator | source |
//! |---|---|---|
//! | V = Var(Y) | pooled over f(A, wa) and f(B, wb) | |
//! | first order Var(E\[Y given X_i\]) / V | mean\[f(B,wb) (f(AB_i,wa) - f(A,wa))\] / V | Saltelli et al. 2010 |
//! | joint total: X_i with its interactions with factors and chance | mean\[(f(A,wa) - f(AB_i,wa))^2\] / 2V | Jansen 1999 |
//! | noise share E\[Var(Y given X)\] / V | mean\[(f(A,wa) - f(A,wb))^2\] / 2V | |
//! | V_m = Var(E\[Y given X\]) | Cov(f(A,wa), f(A,wb)) | |
//! | first order of the mean response | first-order numerator / V_m | |
//! | total of the mean response | mean\[(f(A,wa) - f(AB_i,wa)) (f(A,wb) - f(AB_i,wb))\] / 2V_m | as Jansen, with E\[product\] = Var of the mean's part |
//! | second order | (mean\[f(BA_i,wb) f(AB_j,wa) - f(A,wa) f(B,wb)\] - first-order numerators) / V | Saltelli 2002 |
//!
//! Outputs are centred on the pooled mean. With the runs BA_i, first order, joint total and second
//! order are averages of the two ways to compute them (A and B exchanged).
//!
//! The dummy is a factor that the model does not see. In first-order indices its estimate is
//! mean\[f(A,wa) f(B,wb)\] / V centred (Zadeh et al. 2017): no further run is needed. In both totals
//! it is exactly 0, because equal values and equal keys give equal runs. A factor whose total is 0 because
//! nothing changed at any of N points is no dummy for that. Up to a share q of all points, with
//! (1 - q)^N = (1 - level) / 2, would then have gone unseen, and if changes are no larger than the range R of
//! the outputs its total is at most q R^2 / 2V. The intervals of the total, of the first order and of the pairs
//! of the factor, which are parts of it, reach up to there; likewise that of the share of chance.
//!
//! Sources: Saltelli (2002) Comput. Phys. Commun. 145, 280; Saltelli et al. (2010) Comput. Phys.
//! Commun. 181, 259; Jansen (1999) Comput. Phys. Commun. 117, 35; Zadeh et al. (2017) Environ.
//! Model. Softw. 91, 210.

mod bootstrap;
mod design;
mod moments;

use rayon::prelude::*;

pub use design::{SobolDesign, SobolPlan};

use super::blocks::{Completeness, ScrambledBlocks};
use super::design::Design;
use super::error::{Error, Outcome};
use super::replicate::{
    Dummy, Estimate, Jackknife, check_level, percentile_estimate, rank_instability,
};
use moments::{DUMMY_FIRST, MEAN, Moments, NOISE, VARIANCE, VARIANCE_OF_MEAN};

/// Where the intervals come from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Intervals {
    /// The spread over independent scrambles: delete-one jackknife and Student's t. This
    /// is the honest choice.
    Scrambles,
    /// Percentiles of a bootstrap of points. It takes scrambled points for independent ones, so
    /// its intervals are too wide, often several times.
    Bootstrap {
        /// Number of resamples, at least 100.
        resamples: usize,
        /// Seed of the resamples.
        seed: u64,
    },
}

/// How to analyse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SobolOptions {
    /// Nominal coverage of the intervals, for example 0.95.
    pub level: f64,
    /// Where they come from.
    pub intervals: Intervals,
}

impl Default for SobolOptions {
    fn default() -> Self {
        SobolOptions {
            level: 0.95,
            intervals: Intervals::Scrambles,
        }
    }
}

/// Indices of one factor or group. All are shares without unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnIndices {
    /// Name of the factor or group.
    pub name: String,
    /// Share of the variance of single runs that the factor explains alone.
    pub first: Estimate,
    /// Share of the variance of single runs in which the factor takes part, alone or with other
    /// factors or with chance (runs with common random numbers).
    pub joint_total: Estimate,
    /// Share of the variance of the mean response that the factor explains alone; `None` where
    /// the variance of the mean response cannot be told from zero.
    pub mean_first: Option<Estimate>,
    /// Share of the variance of the mean response in which the factor takes part, alone or with
    /// other factors; `None` as above or without the runs of [`SobolPlan::mean_total`].
    pub mean_total: Option<Estimate>,
}

impl ColumnIndices {
    /// The indices that there are, each with the words for what it is.
    pub fn labelled(&self) -> Vec<(&'static str, Estimate)> {
        let mut all = vec![
            (
                "first order, share of the variance of single runs",
                self.first,
            ),
            (
                "joint total with chance, share of the variance of single runs",
                self.joint_total,
            ),
        ];
        let first = "first order, share of the variance of the mean response";
        all.extend(self.mean_first.map(|e| (first, e)));
        let total = "total, share of the variance of the mean response";
        all.extend(self.mean_total.map(|e| (total, e)));
        all
    }
}

/// Index of a pair: the share of the variance of single runs that is due to the interaction of
/// two columns and to nothing less.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairIndex {
    /// Number of the first column.
    pub i: usize,
    /// Number of the second column.
    pub j: usize,
    /// Second-order index.
    pub second: Estimate,
}

/// The result of [`sobol_indices`].
#[derive(Debug, Clone, PartialEq)]
pub struct SobolIndices {
    /// One for each column, in the order of [`super::factor::Factors::columns`].
    pub columns: Vec<ColumnIndices>,
    /// One for each pair of columns, empty without [`SobolPlan::second_order`].
    pub pairs: Vec<PairIndex>,
    /// Mean of the output, in its unit.
    pub mean: Estimate,
    /// Variance of single runs, V, in the squared unit of the output.
    pub variance: Estimate,
    /// Variance of the mean response, V_m, in the squared unit of the output.
    pub variance_of_mean: Estimate,
    /// Share of the variance of single runs that is chance at fixed factors. A factor that only
    /// reshuffled the random numbers would have this joint total.
    pub noise_share: Estimate,
    /// First-order index of a dummy.
    pub dummy_first: Estimate,
    /// 95 % quantile of the change of rank of the totals (of the mean response if there, else
    /// joint) from resample to resample, weighted by importance (Sarrazin, Pianosi & Wagener 2016,
    /// Environ. Model. Softw. 79, 135): below 1 the ranking has settled.
    pub rank_instability: f64,
    /// Failed runs and the points left.
    pub completeness: Completeness,
    /// Scrambles with at least one complete point.
    pub scrambles: usize,
}

impl SobolIndices {
    /// Width of the widest interval of an index of a column.
    pub fn widest(&self) -> f64 {
        let of_column = |c: &ColumnIndices| {
            let optional = [c.mean_first, c.mean_total];
            let means = optional
                .iter()
                .flatten()
                .map(Estimate::width)
                .fold(0.0, f64::max);
            means.max(c.first.width()).max(c.joint_total.width())
        };
        self.columns.iter().map(of_column).fold(0.0, f64::max)
    }
}

/// Sobol indices from the outcomes of the first rows of a design.
///
/// `outcomes[r]` is the outcome of row r. There may be fewer than the design has: whole blocks are
/// used and the rest is ignored, so provisional indices can be had at any time. Memory is linear in
/// the rows; the result is the same for any number of threads.
///
/// Coverage of the nominal 95 % intervals was 0.938 to 0.965 for the eleven quantities of Ishigami
/// with noise in 400 studies of 8 scrambles of 64 points (test `sobol::tests::coverage`); the
/// bootstrap covered 0.94 to 1.00 there, and its intervals are several times too wide where there is
/// no noise.
///
/// # Errors
/// [`Error::NotFinite`] with the row of a NaN, [`Error::TooFewRows`] if fewer than 2 scrambles have
/// a complete point, [`Error::ConstantOutput`], [`Error::BadSetting`], and [`Error::Length`] for
/// more outcomes than rows.
pub fn sobol_indices(
    design: &SobolDesign,
    outcomes: &[Outcome],
    options: &SobolOptions,
) -> Result<SobolIndices, Error> {
    check_level(options.level)?;
    let data = blocks_of(design, outcomes)?;
    let moments = Moments {
        layout: design.layout(),
    };
    let shift = data.shift();
    let sums = data.replicate_sums(moments.count(), |_, block, out| {
        moments.write(block, shift, out)
    });
    let jackknife = sums.jackknife(|means| moments.statistics(means, shift));
    check_variance(&jackknife)?;
    let resamples = match options.intervals {
        Intervals::Scrambles => None,
        Intervals::Bootstrap { resamples, seed } => {
            if resamples < 100 {
                return Err(Error::setting("resamples", "at least 100 are needed"));
            }
            let rows = data.complete_blocks();
            let values = &data.blocks.values;
            let means = bootstrap::resampled_means(moments, values, &rows, shift, resamples, seed);
            let statistics = |m: &Vec<f64>| moments.statistics(m, shift);
            Some(means.par_iter().map(statistics).collect::<Vec<_>>())
        }
    };
    let source = Source {
        jackknife,
        resamples,
        level: options.level,
    };
    Ok(assemble(design, &moments, &source, data))
}

pub(crate) fn blocks_of(
    design: &SobolDesign,
    outcomes: &[Outcome],
) -> Result<ScrambledBlocks, Error> {
    let (runs, scrambles) = (design.runs_per_point(), design.plan().scrambles);
    ScrambledBlocks::new(outcomes, design.rows(), runs, scrambles)
}

/// A constant output leaves a variance of rounding errors only.
fn check_variance(jackknife: &Jackknife) -> Result<(), Error> {
    let enough = |v: &Vec<f64>| v[VARIANCE] > 1e-24 * v[MEAN] * v[MEAN];
    if enough(&jackknife.full) && jackknife.leave_one_out.iter().all(enough) {
        return Ok(());
    }
    Err(Error::ConstantOutput)
}

struct Source {
    jackknife: Jackknife,
    resamples: Option<Vec<Vec<f64>>>,
    level: f64,
}

impl Source {
    fn estimate(&self, i: usize, dummy: Dummy) -> Estimate {
        match &self.resamples {
            None => self.jackknife.estimate(i, self.level, dummy),
            Some(resamples) => {
                percentile_estimate(self.jackknife.full[i], resamples, i, self.level, dummy)
            }
        }
    }

    /// `None` where a variance that the index is a share of was not positive.
    fn defined(&self, i: usize, dummy: Dummy) -> Option<Estimate> {
        let all = self
            .jackknife
            .leave_one_out
            .iter()
            .chain(self.resamples.iter().flatten());
        let defined = !self.jackknife.full[i].is_nan() && all.into_iter().all(|v| !v[i].is_nan());
        defined.then(|| self.estimate(i, dummy))
    }
}

fn assemble(
    design: &SobolDesign,
    moments: &Moments,
    source: &Source,
    data: ScrambledBlocks,
) -> SobolIndices {
    let columns = design.factors().columns();
    let d = columns.len();
    let points = data.blocks.completeness.complete;
    let range = data.range();
    let unseen = |e: Estimate, variance: f64| {
        e.or_unseen(points, 0.5 * range * range / variance, source.level)
    };
    let of_runs = source.jackknife.full[VARIANCE];
    let of_mean = source.jackknife.full[VARIANCE_OF_MEAN];
    let of_column = |i: usize| ColumnIndices {
        name: columns[i].name.clone(),
        first: unseen(
            source.estimate(moments.first(i), Dummy::Statistic(DUMMY_FIRST)),
            of_runs,
        ),
        joint_total: unseen(
            source.estimate(moments.joint_total(i), Dummy::Zero),
            of_runs,
        ),
        mean_first: source
            .defined(
                moments.mean_first(i),
                Dummy::Statistic(moments.mean_dummy()),
            )
            .map(|e| unseen(e, of_mean)),
        mean_total: moments
            .mean_total(i)
            .and_then(|at| source.defined(at, Dummy::Zero))
            .map(|e| unseen(e, of_mean)),
    };
    let column_indices: Vec<ColumnIndices> = (0..d).map(of_column).collect();
    let mut pairs = Vec::new();
    if moments.layout.second_order {
        for i in 0..d {
            for j in i + 1..d {
                let found = source.estimate(moments.second(pairs.len()), Dummy::None);
                let totals = [i, j].map(|column| column_indices[column].joint_total);
                let idle = totals.into_iter().filter(Estimate::never_showed);
                // No more than the total of either, and but for rounding 0.
                let second = idle.min_by(|a, b| a.high.total_cmp(&b.high));
                let second = second.map_or(found, |total| Estimate {
                    above_dummy: None,
                    ..total
                });
                pairs.push(PairIndex { i, j, second });
            }
        }
    }
    let with_mean = column_indices.iter().all(|c| c.mean_total.is_some());
    let total = |i| match moments.mean_total(i) {
        Some(at) if with_mean => at,
        _ => moments.joint_total(i),
    };
    let spread = source
        .resamples
        .clone()
        .unwrap_or_else(|| source.jackknife.pseudo_resamples());
    let totals: Vec<Vec<f64>> = spread
        .iter()
        .take(100)
        .map(|v| (0..d).map(|i| v[total(i)]).collect())
        .collect();
    SobolIndices {
        columns: column_indices,
        pairs,
        mean: source.estimate(MEAN, Dummy::None),
        variance: source.estimate(VARIANCE, Dummy::None),
        variance_of_mean: source.estimate(VARIANCE_OF_MEAN, Dummy::None),
        noise_share: unseen(source.estimate(NOISE, Dummy::None), of_runs),
        dummy_first: source.estimate(DUMMY_FIRST, Dummy::None),
        rank_instability: rank_instability(&totals),
        completeness: data.blocks.completeness,
        scrambles: source.jackknife.replicates(),
    }
}

#[cfg(test)]
mod tests;
