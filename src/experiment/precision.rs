//! Going on until every endgame's interval is narrow enough.

use super::replicate::{Control, ExperimentError, Plan, Replication, replicate};
use super::rows::RowSink;
use super::summary::Summary;
use crate::model::Model;
use crate::stats::precision::{Decision, PlanError, PrecisionPlan, Sample};

/// Runs of the first look, at least.
const PILOT_RUNS: u64 = 1000;
/// Worlds of the first look, at least: how much worlds differ cannot be told from a handful.
const PILOT_WORLDS: u64 = 20;

/// An experiment that went on until its intervals were narrow enough.
#[derive(Clone, Debug, PartialEq)]
pub struct PreciseReplication {
    /// All runs made.
    pub replication: Replication,
    /// Level at which to report intervals: at least the level asked for; the difference pays for having looked before.
    pub level: f64,
    /// Whether every endgame's interval is narrow enough.
    pub reached: bool,
    /// Number of runs at each look.
    pub looks: Vec<u64>,
}

/// When to look at the runs of a plan for intervals narrower than `width` at `level`, both in `(0, 1)`, with at most `plan.runs`
/// runs.
///
/// # Errors
/// A width or a level outside its range, or no runs at all.
pub fn looks(
    model: &Model,
    plan: &Plan,
    width: f64,
    level: f64,
) -> Result<PrecisionPlan, PlanError> {
    let world = plan.runs_per_world(model).map_or(1, u64::from);
    let pilot = PILOT_RUNS.max(PILOT_WORLDS.saturating_mul(world));
    PrecisionPlan::new(width, level, pilot, plan.runs, world)
}

/// Makes runs of `plan` from its first on until every endgame's interval is narrow enough or the plan is exhausted.
///
/// # Errors
/// As for [`replicate`].
pub fn replicate_to_precision(
    model: &Model,
    plan: &Plan,
    looks: &PrecisionPlan,
    control: &Control<'_>,
    mut sink: Option<&mut dyn RowSink>,
) -> Result<PreciseReplication, ExperimentError> {
    let mut look = looks.first_look();
    let mut done = PreciseReplication {
        replication: Replication {
            summary: plan.empty_summary(model),
            completed_runs: 0,
            interrupted: false,
        },
        level: 1.0 - look.alpha,
        reached: false,
        looks: Vec::new(),
    };
    loop {
        let made = done.replication.completed_runs;
        control.progress.planned(look.runs);
        let stage = Plan {
            first_run: plan.first_run + made,
            runs: look.runs - made,
            ..*plan
        };
        let sink = sink.as_mut().map(|sink| &mut **sink as &mut dyn RowSink);
        let next = replicate(model, &stage, control, sink)?;
        done.replication.summary.merge(&next.summary);
        done.replication.completed_runs += next.completed_runs;
        done.level = 1.0 - look.alpha;
        if next.interrupted {
            done.replication.interrupted = true;
            return Ok(done);
        }
        done.looks.push(look.runs);
        match looks.observe(look, &samples(&done.replication.summary)) {
            Decision::Stop { level, reached } => {
                done.level = level;
                done.reached = reached;
                return Ok(done);
            }
            Decision::ContinueTo(next) => look = next,
        }
    }
}

/// What the probability of each endgame is estimated from.
pub fn samples(summary: &Summary) -> Vec<Sample<'_>> {
    match summary.worlds() {
        Some(worlds) => worlds.endgames.iter().map(Sample::Clustered).collect(),
        None => {
            let totals = summary.totals();
            let sample = |&occurrences: &u64| Sample::Independent {
                occurrences,
                runs: totals.runs,
            };
            totals.endgames.iter().map(sample).collect()
        }
    }
}
