//! Runs of a baseline and its variants, pair by pair.
//!
//! The models are run one after the other in stages of the same runs, so that the runs of one stage alone are in memory. Since
//! random streams are keyed by name, run r of a variant shares every draw with run r of the baseline that both make.

use std::io;
use std::sync::atomic::Ordering;

use super::comparison::{CommonQuantity, Comparison, Contrast, common_quantities};
use super::replicate::{Control, ExperimentError, Plan, replicate};
use super::rows::{RowSink, Rows};
use super::subject::Quantity;
use super::summary::Summary;
use crate::model::Model;
use crate::stats::precision::{Decision, PrecisionPlan, Sample};

/// Runs of a stage, at least: many for the threads to share, few to lose when the experiment is stopped.
const STAGE: u64 = 2048;

/// A variant that has been run.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedVariant {
    /// What it has in common with the baseline.
    pub common: Vec<CommonQuantity>,
    /// Its runs.
    pub summary: Summary,
    /// How they differ from those of the baseline.
    pub comparison: Comparison,
}

/// A baseline and its variants, run with the same random numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedReplication {
    /// The runs of the baseline.
    pub baseline: Summary,
    /// The variants, in order.
    pub variants: Vec<ComparedVariant>,
    /// Runs made of each model, counted from the plan's first.
    pub completed_runs: u64,
    /// Whether the experiment was stopped before its end.
    pub interrupted: bool,
}

impl PairedReplication {
    /// Adds the runs of `next`, which follow these.
    pub fn merge(&mut self, next: &Self) {
        self.baseline.merge(&next.baseline);
        for (mine, theirs) in self.variants.iter_mut().zip(&next.variants) {
            mine.summary.merge(&theirs.summary);
            mine.comparison.merge(&theirs.comparison);
        }
        self.completed_runs += next.completed_runs;
        self.interrupted |= next.interrupted;
    }
}

/// Why a paired experiment failed.
#[derive(Debug, thiserror::Error)]
pub enum PairedError {
    /// A run of the baseline, or the plan, is at fault.
    #[error(transparent)]
    Baseline(ExperimentError),
    /// A run of a variant is.
    #[error("{error}")]
    Variant {
        /// Number of the variant.
        variant: usize,
        /// What happened.
        error: ExperimentError,
    },
}

/// Makes the runs of `plan` for the baseline and for each variant. Variants take the baseline's number of runs in each world.
///
/// The result is the same for any number of threads. When it is stopped, the stage under way is dropped, so that all models have
/// the same runs.
///
/// # Errors
/// As for [`replicate`], with the model whose run failed.
pub fn replicate_paired(
    baseline: &Model,
    variants: &[Model],
    plan: &Plan,
    control: &Control<'_>,
) -> Result<PairedReplication, PairedError> {
    let size = plan.runs_per_world(baseline);
    let variants: Vec<Model> = (variants.iter())
        .map(|variant| variant.with_runs_per_world(baseline.runs_per_world()))
        .collect();
    let mut done = empty(baseline, &variants, plan);
    let stage = STAGE.next_multiple_of(u64::from(size.unwrap_or(1)));
    while done.completed_runs < plan.runs {
        let part = Plan {
            first_run: plan.first_run + done.completed_runs,
            runs: stage.min(plan.runs - done.completed_runs),
            ..*plan
        };
        let Some((summary, rows)) =
            stage_of(baseline, &part, control).map_err(PairedError::Baseline)?
        else {
            break;
        };
        let mut parts = Vec::with_capacity(variants.len());
        for (index, variant) in variants.iter().enumerate() {
            let made = stage_of(variant, &part, control).map_err(|error| PairedError::Variant {
                variant: index,
                error,
            })?;
            let Some((summary, variant_rows)) = made else {
                break;
            };
            let common = &done.variants[index].common;
            let mut comparison = Comparison::new(common, size);
            comparison.add(common, (baseline, &rows), (variant, &variant_rows));
            parts.push((summary, comparison));
        }
        if parts.len() < variants.len() {
            break;
        }
        done.baseline.merge(&summary);
        for (variant, (summary, comparison)) in done.variants.iter_mut().zip(&parts) {
            variant.summary.merge(summary);
            variant.comparison.merge(comparison);
        }
        done.completed_runs += part.runs;
    }
    done.interrupted = done.completed_runs < plan.runs;
    Ok(done)
}

/// No runs yet.
fn empty(baseline: &Model, variants: &[Model], plan: &Plan) -> PairedReplication {
    let size = plan.runs_per_world(baseline);
    let of_variant = |variant: &Model| {
        let common = common_quantities(baseline, variant);
        ComparedVariant {
            summary: Summary::new(variant, size),
            comparison: Comparison::new(&common, size),
            common,
        }
    };
    PairedReplication {
        baseline: Summary::new(baseline, size),
        variants: variants.iter().map(of_variant).collect(),
        completed_runs: 0,
        interrupted: false,
    }
}

/// A paired experiment that went on until its intervals were narrow enough.
#[derive(Clone, Debug, PartialEq)]
pub struct PrecisePairedReplication {
    /// All runs made.
    pub replication: PairedReplication,
    /// Level at which to report intervals: at least the level asked for; the difference pays for having looked before.
    pub level: f64,
    /// Whether the interval of every difference looked at is narrow enough.
    pub reached: bool,
    /// Number of runs at each look.
    pub looks: Vec<u64>,
}

/// Makes runs of `plan` from its first on until the differences of all probabilities that are `wanted` (by their quantity in the
/// baseline) have intervals as narrow as `looks` asks for, or the plan is exhausted.
///
/// # Errors
/// As for [`replicate_paired`].
pub fn replicate_paired_to_precision(
    baseline: &Model,
    variants: &[Model],
    plan: &Plan,
    looks: &PrecisionPlan,
    wanted: impl Fn(Quantity) -> bool,
    control: &Control<'_>,
) -> Result<PrecisePairedReplication, PairedError> {
    let mut look = looks.first_look();
    let mut done = PrecisePairedReplication {
        replication: empty(baseline, variants, plan),
        level: 1.0 - look.alpha,
        reached: false,
        looks: Vec::new(),
    };
    loop {
        let made = done.replication.completed_runs;
        let models = 1 + variants.len() as u64;
        control.progress.planned(look.runs.saturating_mul(models));
        let stage = Plan {
            first_run: plan.first_run + made,
            runs: look.runs - made,
            ..*plan
        };
        let next = replicate_paired(baseline, variants, &stage, control)?;
        done.replication.merge(&next);
        done.level = 1.0 - look.alpha;
        if next.interrupted {
            return Ok(done);
        }
        done.looks.push(look.runs);
        let samples: Vec<Sample<'_>> = (done.replication.variants.iter())
            .flat_map(|variant| variant.common.iter().zip(variant.comparison.contrasts()))
            .filter(|(quantity, _)| wanted(quantity.baseline))
            .filter_map(|(_, contrast)| match contrast {
                Contrast::Indicator(pairs) => Some(Sample::Paired(pairs)),
                Contrast::Mean(_) => None,
            })
            .collect();
        match looks.observe(look, &samples) {
            Decision::Stop { level, reached } => {
                done.level = level;
                done.reached = reached;
                return Ok(done);
            }
            Decision::ContinueTo(next) => look = next,
        }
    }
}

/// The runs of one stage; `None` if it was stopped before its end.
fn stage_of(
    model: &Model,
    plan: &Plan,
    control: &Control<'_>,
) -> Result<Option<(Summary, Rows)>, ExperimentError> {
    if control.stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let mut kept = Kept(Rows::new(plan.first_run));
    let made = replicate(model, plan, control, Some(&mut kept))?;
    Ok((!made.interrupted).then_some((made.summary, kept.0)))
}

/// Keeps every row.
struct Kept(Rows);

impl RowSink for Kept {
    fn take(&mut self, rows: &Rows) -> io::Result<()> {
        self.0.append(rows);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
