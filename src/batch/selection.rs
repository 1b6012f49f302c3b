//! Finding the best policy with as few runs as that takes.
//!
//! An observation of a policy is its mean outcome in a few blocks of runs, averaged over the states of the world by their weights:
//! the same block of every policy has the same chance and the same draws of the parameters. The blocks of an observation have 50
//! runs or more together, so that its mean is near to normal. The procedure is
//! [`select`](crate::stats::decision::selection::select). Observations are logged as they are made, so that an interrupted
//! selection goes on where it stood.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::cell::CellRuns;
use super::chunk::Maker;
use super::conduct::Control;
use super::plan::{Plan, PlannedSelection};
use super::store::StoreError;
use crate::durable;
use crate::stats::decision::Goal;
use crate::stats::decision::selection::{
    Selection, SelectionError, SelectionPlan, Systems, select,
};

/// Name of the log of observations.
pub const OBSERVATIONS: &str = "observations.csv";
/// Runs of an observation in each state, at least.
const OBSERVATION: u64 = 50;
/// Observations of each policy before the first is dropped, at least.
const FIRST_STAGE: u64 = 20;
/// Observations between two decisions.
const STEP: u64 = 5;

/// Why the best policy was not found.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// It was stopped; the observations so far are stored.
    #[error("interrupted")]
    Stopped,
    /// A cell cannot be run.
    #[error("{0}")]
    Cell(String),
    /// Runs were stopped at the cap on events, so the best policy cannot be told.
    #[error(
        "{place}: {capped} of {runs} runs of a block were stopped at the cap on events, so it is not known which policy is best"
    )]
    Capped {
        /// The cell.
        place: String,
        /// Runs that were stopped.
        capped: u64,
        /// Runs of the block.
        runs: u64,
    },
    /// The folder cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The procedure cannot be carried out.
    #[error("{0}")]
    Procedure(String),
}

/// Blocks of runs of one observation in each state.
fn blocks(plan: &Plan) -> u64 {
    OBSERVATION.div_ceil(u64::from(plan.block))
}

/// Runs of one observation in each state.
pub fn observation_runs(plan: &Plan) -> u64 {
    blocks(plan) * u64::from(plan.block)
}

/// Looks for the best policy; better is less, or more, as `goal` says.
///
/// # Errors
/// It is stopped, or a policy cannot be run.
pub fn select_policy(
    plan: &Plan,
    asked: &PlannedSelection,
    goal: Goal,
    folder: &Path,
    control: &Control<'_>,
) -> Result<Selection, SelectError> {
    let procedure = SelectionPlan {
        goal,
        probability: asked.probability,
        indifference: asked.indifference,
        range: (plan.quantities[plan.goals[asked.goal].quantity].is_probability()).then_some(1.0),
        first_stage: FIRST_STAGE,
        step: STEP,
        most: (asked.most_runs / observation_runs(plan)).max(2),
    };
    let mut policies = Policies {
        plan,
        quantity: plan.goals[asked.goal].quantity,
        maker: Maker::new(plan, control.threads),
        control,
        log: Log::open(folder)?,
    };
    select(&mut policies, &procedure).map_err(|error| match error {
        SelectionError::Sample { error, .. } => error,
        other => SelectError::Procedure(other.to_string()),
    })
}

/// The policies of a plan, as systems to choose from.
struct Policies<'p, 'c> {
    plan: &'p Plan,
    quantity: usize,
    maker: Maker<'p>,
    control: &'c Control<'c>,
    log: Log,
}

impl Systems for Policies<'_, '_> {
    type Error = SelectError;

    fn count(&self) -> usize {
        self.plan.policies() as usize
    }

    fn sample(&mut self, system: usize, observations: Range<u64>) -> Result<Vec<f64>, SelectError> {
        let known = observations
            .clone()
            .map(|number| self.log.get(system, number));
        if let Some(values) = known.collect::<Option<Vec<f64>>>() {
            let runs = values.len() as u64 * observation_runs(self.plan) * self.plan.states();
            self.control.progress.found(runs);
            return Ok(values);
        }
        let values = self.observe(system as u64, observations.clone())?;
        self.log.add(system, observations.start, &values)?;
        Ok(values)
    }
}

impl Policies<'_, '_> {
    fn observe(&mut self, policy: u64, observations: Range<u64>) -> Result<Vec<f64>, SelectError> {
        let plan = self.plan;
        let (states, policies, cells) = (plan.states(), plan.policies(), plan.cells());
        let blocks = blocks(plan);
        let units = (observations.end - observations.start) * states * blocks;
        let unit_bytes = plan.unit_bytes();
        let mut records = vec![0; units as usize * unit_bytes];
        // Observation by observation, within one state by state, and within a state block by block.
        let unit = |place: u64| {
            let (group, block) = (place / blocks, place % blocks);
            let cell = (group % states) * policies + policy;
            ((observations.start + group / states) * blocks + block) * cells + cell
        };
        let Control { stop, progress, .. } = *self.control;
        let (made, failures) = self.maker.make(unit, &mut records, stop, progress);
        if let Some(failure) = failures.first() {
            let place = plan.describe(plan.cell(failure.cell));
            return Err(SelectError::Cell(format!("{place}: {}", failure.message)));
        }
        if made < units || stop.load(Ordering::Relaxed) {
            return Err(SelectError::Stopped);
        }
        let sweeps = states / plan.scenarios.len() as u64;
        let state_bytes = blocks as usize * unit_bytes;
        let mut values = Vec::new();
        for observation in records.chunks_exact(states as usize * state_bytes) {
            let mut value = 0.0;
            for (state, records) in (0..).zip(observation.chunks_exact(state_bytes)) {
                let number = state * policies + policy;
                let weight = plan.scenarios[plan.cell(number).scenario].weight / sweeps as f64;
                if weight > 0.0 {
                    value += weight * self.mean(number, records)?;
                }
            }
            values.push(value);
        }
        Ok(values)
    }

    fn mean(&self, number: u64, records: &[u8]) -> Result<f64, SelectError> {
        let runs = CellRuns::new(self.plan, number, records);
        let place = || self.plan.describe(self.plan.cell(number));
        let capped = runs.capped();
        if capped > 0 {
            return Err(SelectError::Capped {
                place: place(),
                capped,
                runs: runs.runs(),
            });
        }
        let (mut count, mut sum) = (0_u64, 0.0);
        for value in runs.values(self.quantity).flatten() {
            count += 1;
            sum += value;
        }
        if count == 0 {
            return Err(SelectError::Cell(format!(
                "{}: no run of an observation has a value",
                place()
            )));
        }
        Ok(sum / count as f64)
    }
}

/// Observations that have been made, in a file with a line each.
struct Log {
    path: PathBuf,
    file: File,
    known: BTreeMap<(usize, u64), f64>,
}

/// How many observations of an unfinished selection are stored in `folder`.
///
/// # Errors
/// The log cannot be read.
pub fn stored_observations(folder: &Path) -> Result<usize, StoreError> {
    let path = folder.join(OBSERVATIONS);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.matches('\n').count().saturating_sub(1)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(StoreError::Io { path, error }),
    }
}

impl Log {
    /// Opens the log in `folder`. What a sudden end left incomplete is dropped.
    fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(OBSERVATIONS);
        let failed = |error: io::Error| StoreError::Io {
            path: path.clone(),
            error,
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        let mut known = BTreeMap::new();
        let mut kept = String::from("policy,observation,value\n");
        for line in text.split_inclusive('\n').skip(1) {
            let Some((key, value)) = line.strip_suffix('\n').and_then(read_line) else {
                break;
            };
            known.insert(key, value);
            kept.push_str(line);
        }
        durable::write(&path, [kept.as_bytes()]).map_err(failed)?;
        let file = OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(failed)?;
        Ok(Self { path, file, known })
    }

    fn get(&self, policy: usize, observation: u64) -> Option<f64> {
        self.known.get(&(policy, observation)).copied()
    }

    fn add(&mut self, policy: usize, first: u64, values: &[f64]) -> Result<(), StoreError> {
        let mut lines = String::new();
        for (observation, value) in (first..).zip(values) {
            if self.known.insert((policy, observation), *value).is_none() {
                // The shortest digits that read back as the same number.
                lines.push_str(&format!("{policy},{observation},{value:?}\n"));
            }
        }
        let written = (self.file.write_all(lines.as_bytes())).and_then(|()| self.file.sync_data());
        written.map_err(|error| StoreError::Io {
            path: self.path.clone(),
            error,
        })
    }
}

fn read_line(line: &str) -> Option<((usize, u64), f64)> {
    let mut cells = line.split(',');
    let policy = cells.next()?.parse().ok()?;
    let observation = cells.next()?.parse().ok()?;
    let value: f64 = cells.next()?.parse().ok()?;
    (cells.next().is_none() && value.is_finite()).then_some(((policy, observation), value))
}
