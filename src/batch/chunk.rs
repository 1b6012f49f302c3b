//! Making a part of the runs on many threads.
//!
//! The runs of a cell are made in blocks. A *unit* is one block of one cell; units are numbered round by round, so that every
//! cell has had its first block before any has its second, and a batch that is not finished is balanced. A *chunk* is a range
//! of units that is stored together. Within it, threads claim groups of units in order: when they are stopped, each finishes
//! its group, so what has been made is always the beginning of the chunk.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::conduct::Progress;
use super::plan::{Cell, Plan};
use super::record::Layout;
use crate::engine::{RunState, Simulator};
use crate::experiment::WorldSource;
use crate::model::{ParameterDraws, World};

/// Runs that a thread claims at once, at least.
const GROUP: u64 = 256;

/// Why a cell cannot be run to its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CellFailure {
    /// Number of the cell.
    pub cell: u64,
    /// The run that failed; with a world that cannot be used, its first run.
    pub run: u64,
    /// What went wrong.
    pub message: String,
}

/// Makes units, and keeps what threads need for it from one chunk to the next.
pub struct Maker<'p> {
    plan: &'p Plan,
    layout: Layout,
    workers: Vec<Worker<'p>>,
}

impl<'p> Maker<'p> {
    /// Prepares for so many threads, at least one.
    pub fn new(plan: &'p Plan, threads: usize) -> Self {
        let worker = |_| Worker {
            plan,
            models: plan.models.iter().map(|_| None).collect(),
            setting: Vec::new(),
        };
        Self {
            plan,
            layout: plan.layout(),
            workers: (0..threads.max(1)).map(worker).collect(),
        }
    }

    /// Makes as many units as fit into `records`, until `stop` is true: `unit` gives the number of each from its place. Gives
    /// how many were made, and what failed among them, in their order.
    pub fn make(
        &mut self,
        unit: impl Fn(u64) -> u64 + Sync,
        records: &mut [u8],
        stop: &AtomicBool,
        progress: &dyn Progress,
    ) -> (u64, Vec<CellFailure>) {
        let unit_bytes = self.plan.unit_bytes();
        let block = u64::from(self.plan.block);
        let group = GROUP.div_ceil(block);
        let shared = Shared {
            layout: self.layout,
            groups: Mutex::new((0, records.chunks_mut(group as usize * unit_bytes))),
            failures: Mutex::new(Vec::new()),
            stop,
            progress,
            unit: &unit,
            group,
        };
        match self.workers.as_mut_slice() {
            [only] => only.work(&shared),
            workers => std::thread::scope(|scope| {
                for worker in workers {
                    scope.spawn(|| worker.work(&shared));
                }
            }),
        }
        let units = shared.groups.into_inner();
        let (units, _) = units.unwrap_or_else(PoisonError::into_inner);
        let failures = shared.failures.into_inner();
        let mut failures = failures.unwrap_or_else(PoisonError::into_inner);
        failures.sort();
        (
            units,
            failures.into_iter().map(|(_, failure)| failure).collect(),
        )
    }
}

/// What the threads have in common while they make a chunk.
struct Shared<'a> {
    layout: Layout,
    /// Number of units claimed so far, and the room for the others, group by group.
    groups: Mutex<(u64, std::slice::ChunksMut<'a, u8>)>,
    /// By place.
    failures: Mutex<Vec<(u64, CellFailure)>>,
    stop: &'a AtomicBool,
    progress: &'a dyn Progress,
    /// The number of the unit at a place.
    unit: &'a (dyn Fn(u64) -> u64 + Sync),
    group: u64,
}

/// One thread's share.
struct Worker<'p> {
    plan: &'p Plan,
    /// For each model, once it has been run.
    models: Vec<Option<Bench<'p>>>,
    setting: Vec<f64>,
}

/// What a thread needs to run one model.
struct Bench<'p> {
    simulator: Simulator<'p>,
    /// Where runs are made.
    room: Vec<RunState>,
    draws: ParameterDraws,
    /// The parameters of the world that was drawn last, with its number.
    drawn: Option<(u64, Vec<f64>)>,
    /// Indices of the recorded metrics.
    metrics: Vec<usize>,
}

impl<'p> Worker<'p> {
    fn work(&mut self, shared: &Shared<'_>) {
        let unit_bytes = self.plan.unit_bytes();
        while !shared.stop.load(Ordering::Relaxed) {
            let claimed = {
                let mut groups = (shared.groups.lock()).unwrap_or_else(PoisonError::into_inner);
                let start = groups.0;
                let room = groups.1.next();
                if let Some(room) = &room {
                    groups.0 += (room.len() / unit_bytes) as u64;
                }
                room.map(|room| (start, room))
            };
            let Some((start, room)) = claimed else {
                return;
            };
            debug_assert!((room.len() / unit_bytes) as u64 <= shared.group);
            for (offset, records) in room.chunks_exact_mut(unit_bytes).enumerate() {
                let place = start + offset as u64;
                let unit = (shared.unit)(place);
                if let Err(failure) = self.unit(unit, records, shared.layout) {
                    let mut failures =
                        (shared.failures.lock()).unwrap_or_else(PoisonError::into_inner);
                    failures.push((place, failure));
                }
            }
            let runs = (room.len() / unit_bytes) as u64 * u64::from(self.plan.block);
            shared.progress.advanced(runs);
        }
    }

    /// Makes one block of one cell. Runs that cannot be made are recorded as such.
    fn unit(&mut self, unit: u64, records: &mut [u8], layout: Layout) -> Result<(), CellFailure> {
        let plan = self.plan;
        let (round, number) = (unit / plan.cells(), unit % plan.cells());
        let block = u64::from(plan.block);
        let runs = round * block..(round + 1) * block;
        let cell = plan.cell(number);
        let failed = |run: u64, message: String| CellFailure {
            cell: number,
            run,
            message,
        };
        let fail_all = |records: &mut [u8]| {
            let all = records.chunks_exact_mut(layout.bytes());
            all.for_each(|record| layout.write_failure(record));
        };
        let world = match self.world(cell, round) {
            Ok(world) => world,
            Err(message) => {
                fail_all(records);
                return Err(failed(runs.start, message));
            }
        };
        let bench = self.bench(plan.model_index(cell));
        let bytes = layout.bytes();
        let mut made = 0;
        let Bench {
            simulator,
            room,
            metrics,
            ..
        } = bench;
        let ended = simulator.make(&world, runs, room, |state| {
            layout.write(&mut records[made..made + bytes], state, metrics);
            made += bytes;
        });
        ended.map_err(|error| {
            fail_all(&mut records[made..]);
            failed(error.run, error.to_string())
        })
    }

    fn world(&mut self, cell: Cell, round: u64) -> Result<World, String> {
        let plan = self.plan;
        let index = plan.model_index(cell);
        let model = &plan.models[index];
        let mut setting = std::mem::take(&mut self.setting);
        plan.setting(cell, &mut setting);
        let bench = self.bench(index);
        let mut parameters = match (plan.worlds, &bench.drawn) {
            (WorldSource::Defaults, _) => model.default_parameters(),
            (WorldSource::Priors, Some((number, parameters))) if *number == round => {
                parameters.clone()
            }
            (WorldSource::Priors, _) => {
                let parameters = bench.draws.world(model, round);
                bench.drawn = Some((round, parameters.clone()));
                parameters
            }
        };
        for (&parameter, &value) in plan.held[index].iter().zip(&setting) {
            parameters[parameter] = value;
        }
        self.setting = setting;
        World::new(model, parameters).map_err(|error| match plan.worlds {
            WorldSource::Defaults => error.to_string(),
            WorldSource::Priors => format!("world {round}: {error}"),
        })
    }

    fn bench(&mut self, index: usize) -> &mut Bench<'p> {
        let plan = self.plan;
        self.models[index].get_or_insert_with(|| {
            let model = &plan.models[index];
            let simulator = Simulator::new(model, plan.seed);
            Bench {
                room: Vec::new(),
                simulator,
                draws: ParameterDraws::new(model, plan.seed),
                drawn: None,
                metrics: (plan.metrics.iter())
                    .map(|metric| metric.in_models[index])
                    .collect(),
            }
        })
    }
}

/// The units of the rounds `rounds`, in chunks of at most `size`.
pub fn chunks(plan: &Plan, rounds: Range<u64>, size: u64) -> impl Iterator<Item = Range<u64>> {
    let (start, end) = (rounds.start * plan.cells(), rounds.end * plan.cells());
    let count = (end - start).div_ceil(size.max(1));
    (0..count).map(move |index| {
        let first = start + index * size;
        first..(first + size).min(end)
    })
}
