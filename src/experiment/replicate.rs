//! Runs on many threads.
//!
//! Runs are made in chunks whose size depends on the model alone. Threads claim chunks in order from a counter and sum up what
//! they make for themselves; since summaries merge exactly, neither the number of threads nor who made which chunk leaves a
//! trace. When the experiment is stopped, each thread finishes its chunk, so what has been made is always a prefix of the runs.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::rows::{CloseOnPanic, RowSink, Rows, Sequencer};
use super::summary::{Recorder, Summary};
use crate::engine::{RunError, RunState, Simulator};
use crate::model::{Model, ParameterDraws, World, WorldError};

/// Size towards which chunks are made, in runs: long enough that claiming one costs nothing, short enough that stopping does
/// not take long.
const CHUNK: u64 = 256;
/// Chunks of rows that each thread may be ahead of the slowest one.
const CHUNKS_AHEAD: u64 = 4;

/// Where the parameters come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorldSource {
    /// All parameters have their default values, in every run: there is one world.
    Defaults,
    /// Run `r` belongs to world `r / runs_per_world` (rounded down), whose parameters are drawn from their priors.
    Priors,
}

/// Which runs to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Seed of all random streams.
    pub seed: u64,
    /// Number of the first run.
    pub first_run: u64,
    /// How many runs, first to last.
    pub runs: u64,
    /// Where the parameters come from.
    pub worlds: WorldSource,
}

impl Plan {
    /// Runs that share their parameters, for statistics between worlds; `None` if there is one world only.
    pub fn runs_per_world(&self, model: &Model) -> Option<u32> {
        match self.worlds {
            WorldSource::Defaults => None,
            WorldSource::Priors => Some(model.runs_per_world().max(1)),
        }
    }

    /// The same with its number of runs rounded up to whole worlds; `None` if there are not so many runs.
    pub fn whole_worlds(self, model: &Model) -> Option<Self> {
        let size = self.runs_per_world(model).map_or(1, u64::from);
        let runs = self.runs.checked_next_multiple_of(size)?;
        Some(Self { runs, ..self })
    }

    /// An empty summary for the runs of this plan.
    pub fn empty_summary(&self, model: &Model) -> Summary {
        Summary::new(model, self.runs_per_world(model))
    }
}

/// Told how far an experiment is. Called from any thread.
pub trait Progress: Sync {
    /// So many runs are planned from now on, in all.
    fn planned(&self, _runs: u64) {}
    /// So many more runs are made.
    fn advanced(&self, _runs: u64) {}
}

/// Tells nobody.
impl Progress for () {}

/// How an experiment is carried out; none of it changes what comes out.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Number of threads, at least 1.
    pub threads: usize,
    /// Once true, chunks under way are finished and no others are begun.
    pub stop: &'a AtomicBool,
    /// Told how far the experiment is.
    pub progress: &'a dyn Progress,
}

/// Runs that have been made.
#[derive(Clone, Debug, PartialEq)]
pub struct Replication {
    /// The runs, summed up.
    pub summary: Summary,
    /// How many of the plan's runs were made, counted from its first.
    pub completed_runs: u64,
    /// Whether the plan was stopped before its end.
    pub interrupted: bool,
}

/// Why an experiment failed.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The parameters that were drawn for a world cannot be used.
    #[error("world {world} (runs from {first_run}): {error}")]
    World {
        /// Number of the world.
        world: u64,
        /// Its first run.
        first_run: u64,
        /// What is wrong.
        error: WorldError,
    },
    /// The default parameters cannot be used.
    #[error("with all parameters at their defaults: {0}")]
    Defaults(WorldError),
    /// A run cannot go on.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The runs cannot be stored.
    #[error("the runs cannot be stored: {0}")]
    Sink(io::Error),
    /// Worlds would be cut in two.
    #[error(
        "first run {first_run} and {runs} runs do not make whole worlds of {runs_per_world} runs"
    )]
    PartialWorld {
        /// First run of the plan.
        first_run: u64,
        /// Runs of the plan.
        runs: u64,
        /// Runs in each world.
        runs_per_world: u32,
    },
    /// Run numbers beyond what can be counted.
    #[error("there are no {runs} runs from run {first_run} on")]
    TooManyRuns {
        /// First run of the plan.
        first_run: u64,
        /// Runs of the plan.
        runs: u64,
    },
    /// The operating system refuses threads.
    #[error("cannot start the threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// Makes the runs of `plan`. With a sink, it is handed every run in order.
///
/// The result is the same for any number of threads.
///
/// # Errors
/// The first run that fails, in the order of their numbers, whatever the number of threads; worlds with parameters that cannot
/// be used; a plan whose runs do not make whole worlds; a sink that refuses.
pub fn replicate(
    model: &Model,
    plan: &Plan,
    control: &Control<'_>,
    sink: Option<&mut dyn RowSink>,
) -> Result<Replication, ExperimentError> {
    let chunk = check(model, plan)?;
    let chunks = plan.runs.div_ceil(chunk);
    let threads = control.threads.clamp(1, chunks.clamp(1, 1 << 16) as usize);
    let shared = Shared {
        model,
        plan,
        control,
        chunk,
        chunks,
        claimed: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        defaults: match plan.worlds {
            WorldSource::Defaults => Some(
                World::new(model, model.default_parameters()).map_err(ExperimentError::Defaults)?,
            ),
            WorldSource::Priors => None,
        },
        rows: sink.map(|sink| Sequencer::new(sink, threads as u64 * CHUNKS_AHEAD)),
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let parts = pool.broadcast(|_| Worker::new(&shared).work());

    let mut summary = plan.empty_summary(model);
    let mut first_failure: Option<Failure> = None;
    for part in parts {
        match part {
            Ok(part) => summary.merge(&part),
            Err(failure)
                if first_failure
                    .as_ref()
                    .is_none_or(|first| failure.run < first.run) =>
            {
                first_failure = Some(failure);
            }
            Err(_) => {}
        }
    }
    if let Some(failure) = first_failure {
        return Err(failure.error);
    }
    if let Some(error) = shared.rows.and_then(Sequencer::into_error) {
        return Err(ExperimentError::Sink(error));
    }
    let claimed = shared.claimed.into_inner().min(chunks);
    let completed_runs = (claimed * chunk).min(plan.runs);
    Ok(Replication {
        summary,
        completed_runs,
        interrupted: completed_runs < plan.runs,
    })
}

/// Whether the plan can be carried out, and the size of its chunks: whole worlds.
fn check(model: &Model, plan: &Plan) -> Result<u64, ExperimentError> {
    let Plan {
        first_run, runs, ..
    } = *plan;
    // Chunks are counted in runs, with one more that is claimed by each thread at the end.
    if first_run
        .checked_add(runs)
        .is_none_or(|end| end > u64::MAX / 2)
    {
        return Err(ExperimentError::TooManyRuns { first_run, runs });
    }
    let Some(runs_per_world) = plan.runs_per_world(model) else {
        return Ok(CHUNK);
    };
    let size = u64::from(runs_per_world);
    if first_run % size != 0 || runs % size != 0 {
        return Err(ExperimentError::PartialWorld {
            first_run,
            runs,
            runs_per_world,
        });
    }
    Ok((CHUNK / size).max(1) * size)
}

/// What the threads have in common.
struct Shared<'a, 's> {
    model: &'a Model,
    plan: &'a Plan,
    control: &'a Control<'a>,
    /// Runs in a chunk.
    chunk: u64,
    chunks: u64,
    /// Chunks claimed so far; all of them are finished unless some run fails.
    claimed: AtomicU64,
    failed: AtomicBool,
    /// The only world, if there is only one.
    defaults: Option<World>,
    rows: Option<Sequencer<'s>>,
}

impl Shared<'_, '_> {
    fn claim(&self) -> Option<u64> {
        if self.control.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let chunk = self.claimed.fetch_add(1, Ordering::Relaxed);
        (chunk < self.chunks).then_some(chunk)
    }

    /// Lets no thread begin another chunk. Those under way are finished, so the first failure in run order comes to light:
    /// every chunk before this one has been claimed.
    fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
        if let Some(rows) = &self.rows {
            rows.close();
        }
    }
}

/// A run, or the first run of a world, that cannot be made.
struct Failure {
    run: u64,
    error: ExperimentError,
}

/// One thread's share of an experiment.
struct Worker<'a, 's> {
    shared: &'a Shared<'a, 's>,
    simulator: Simulator<'a>,
    /// Where runs are made.
    room: Vec<RunState>,
    draws: ParameterDraws,
    recorder: Recorder,
}

impl<'a, 's> Worker<'a, 's> {
    fn new(shared: &'a Shared<'a, 's>) -> Self {
        let (model, plan) = (shared.model, shared.plan);
        let simulator = Simulator::new(model, plan.seed);
        Self {
            room: Vec::new(),
            simulator,
            draws: ParameterDraws::new(model, plan.seed),
            recorder: Recorder::new(model, plan.empty_summary(model)),
            shared,
        }
    }

    /// Makes chunk after chunk until there are none left.
    fn work(mut self) -> Result<Summary, Failure> {
        let _guard = CloseOnPanic(self.shared.rows.as_ref());
        while let Some(chunk) = self.shared.claim() {
            let first = chunk * self.shared.chunk;
            let runs = self.shared.chunk.min(self.shared.plan.runs - first);
            let rows = self
                .make(self.shared.plan.first_run + first, runs)
                .inspect_err(|_| self.shared.fail())?;
            if let (Some(sequencer), Some(rows)) = (&self.shared.rows, rows)
                && !sequencer.submit(chunk, rows)
            {
                self.shared.fail();
            }
            self.shared.control.progress.advanced(runs);
        }
        Ok(self.recorder.finish())
    }

    /// Makes `runs` runs from run `first` on: whole worlds.
    fn make(&mut self, first: u64, runs: u64) -> Result<Option<Rows>, Failure> {
        let shared = self.shared;
        let mut rows = shared.rows.as_ref().map(|_| Rows::new(first));
        let Some(runs_per_world) = shared.plan.runs_per_world(shared.model).map(u64::from) else {
            if let Some(world) = &shared.defaults {
                self.make_world(world, 0, first..first + runs, &mut rows)?;
            }
            return Ok(rows);
        };
        for first_run in (first..first + runs).step_by(runs_per_world as usize) {
            let number = first_run / runs_per_world;
            let parameters = self.draws.world(shared.model, number);
            let world = World::new(shared.model, parameters).map_err(|error| Failure {
                run: first_run,
                error: ExperimentError::World {
                    world: number,
                    first_run,
                    error,
                },
            })?;
            let runs = first_run..first_run + runs_per_world;
            self.make_world(&world, number, runs, &mut rows)?;
        }
        Ok(rows)
    }

    fn make_world(
        &mut self,
        world: &World,
        number: u64,
        runs: std::ops::Range<u64>,
        rows: &mut Option<Rows>,
    ) -> Result<(), Failure> {
        let Self {
            simulator,
            room,
            recorder,
            ..
        } = self;
        let made = simulator.make(world, runs, room, |state| {
            recorder.add(state);
            if let Some(rows) = rows {
                rows.push(number, state);
            }
        });
        made.map_err(|error| Failure {
            run: error.run,
            error: error.into(),
        })?;
        self.recorder.close_world();
        Ok(())
    }
}
