//! Carrying a batch out, or on from where it was left.
//!
//! With a precision, the batch has the stages of a [`PrecisionPlan`]: every cell has the same runs at every look, so that
//! cells can be compared run by run, and the widest interval of all decides.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::cell::CellRuns;
use super::cell_reader::CellReader;
use super::chunk::{CellFailure, Maker, chunks};
use super::plan::{Plan, Size};
use super::standing::Tracker;
use super::store::{Store, StoreError};
use crate::stats::interval::Interval;
use crate::stats::precision::{Decision, Look, Observed, PlanError, PrecisionPlan, Sample};

/// Level of Monte Carlo intervals, unless looking repeatedly asks for more.
pub const LEVEL: f64 = 0.95;
/// Share of a batch that a chunk holds at most, as a divisor.
const CHUNKS: u64 = 64;
/// Runs of a chunk, at least and at most.
const CHUNK_RUNS: [u64; 2] = [1000, 1 << 18];
/// Bytes of a chunk, at most.
const CHUNK_BYTES: u64 = 16 << 20;
/// Runs of a cell at the first look for a precision, at least.
const PILOT_RUNS: u64 = 1000;
/// Worlds of a cell at the first look, at least: how much worlds differ cannot be told from a handful.
const PILOT_WORLDS: u64 = 20;
/// Bytes of records that are held at once.
const HELD_BYTES: u64 = 16 << 20;
/// Cells that are held at once, with what is worked out of them.
const HELD_CELLS: u64 = 4096;

/// Told how far a batch is. Called from any thread.
pub trait Progress: Sync {
    /// So many runs are planned from now on, in all.
    fn planned(&self, _runs: u64) {}
    /// So many more runs were found on disk.
    fn found(&self, _runs: u64) {}
    /// So many more runs are made.
    fn advanced(&self, _runs: u64) {}
    /// A chunk is on disk: so many cells have all the runs planned so far. `widest` works out the widest interval so far, if it
    /// can be known.
    fn saved(&self, _cells_done: u64, _widest: &dyn Fn() -> Option<f64>) {}
}

/// Tells nobody.
impl Progress for () {}

/// How a batch is carried out; none of it changes what comes out.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    /// Number of threads, at least 1.
    pub threads: usize,
    /// Once true, groups of runs under way are finished and no others are begun.
    pub stop: &'a AtomicBool,
    /// Told how far the batch is.
    pub progress: &'a dyn Progress,
}

/// How far a batch is.
#[derive(Clone, Debug, PartialEq)]
pub struct Conducted {
    /// Blocks that every cell has.
    pub rounds: u64,
    /// Units made, in all.
    pub units: u64,
    /// Whether all is made.
    pub complete: bool,
    /// Level at which to report intervals: at least 0.95; the difference pays for having looked before.
    pub level: f64,
    /// Runs of each cell at each look; empty without a precision.
    pub looks: Vec<u64>,
    /// Whether every interval is narrow enough; `None` without a precision.
    pub reached: Option<bool>,
    /// The first failure of each cell that failed.
    pub failures: BTreeMap<u64, CellFailure>,
}

/// Where the runs come from: from disk and from the machine, or from disk alone.
enum Hand<'p, 'c> {
    Make(Box<Maker<'p>>, &'c Control<'c>),
    Look,
}

/// Carries the batch out to its end, or until it is stopped. What the folder holds is not made again.
///
/// # Errors
/// The folder cannot be read or written.
pub fn conduct(plan: &Plan, store: &Store, control: &Control<'_>) -> Result<Conducted, StoreError> {
    let maker = Box::new(Maker::new(plan, control.threads));
    go_through(plan, store, Hand::Make(maker, control), control.progress)
}

/// How far the batch in a folder is.
///
/// # Errors
/// The folder cannot be read.
pub fn standing(plan: &Plan, store: &Store) -> Result<Conducted, StoreError> {
    go_through(plan, store, Hand::Look, &())
}

fn go_through(
    plan: &Plan,
    store: &Store,
    mut hand: Hand<'_, '_>,
    progress: &dyn Progress,
) -> Result<Conducted, StoreError> {
    let block = u64::from(plan.block);
    let mut done = Conducted {
        rounds: 0,
        units: 0,
        complete: false,
        level: LEVEL,
        looks: Vec::new(),
        reached: None,
        failures: BTreeMap::new(),
    };
    let mut tracker = Tracker::new(plan);
    let looks = looks(plan);
    let mut look = looks.as_ref().map(PrecisionPlan::first_look);
    let first = look.map_or(plan.size.most_runs(), |look| look.runs);
    let chunk_units = chunk_units(plan, first);
    loop {
        let runs = look.map_or(plan.size.most_runs(), |look| look.runs);
        progress.planned(runs * plan.cells());
        let stage = done.rounds..runs / block;
        for units in chunks(plan, stage.clone(), chunk_units) {
            if !one_chunk(plan, store, &mut hand, units, &mut tracker, &mut done)? {
                done.rounds = done.units / plan.cells();
                return Ok(done);
            }
            let rounds = done.units / plan.cells();
            let cells_done = match rounds + 1 >= stage.end {
                true if rounds >= stage.end => plan.cells(),
                true => done.units % plan.cells(),
                false => 0,
            };
            progress.saved(cells_done, &|| tracker.widest());
        }
        done.rounds = stage.end;
        let (Some(plan_of_looks), Some(now)) = (&looks, look) else {
            done.complete = true;
            return Ok(done);
        };
        done.looks.push(now.runs);
        match decide(plan, store, &done, plan_of_looks, now)? {
            Decision::Stop { level, reached } => {
                done.level = level;
                done.reached = Some(reached);
                done.complete = true;
                return Ok(done);
            }
            Decision::ContinueTo(next) => {
                done.level = 1.0 - next.alpha;
                look = Some(next);
            }
        }
    }
}

/// Reads or makes one chunk. False if it is not there in full.
fn one_chunk(
    plan: &Plan,
    store: &Store,
    hand: &mut Hand<'_, '_>,
    units: Range<u64>,
    tracker: &mut Tracker<'_>,
    done: &mut Conducted,
) -> Result<bool, StoreError> {
    let block = u64::from(plan.block);
    let count = units.end - units.start;
    let mut note = |records: &[u8], failures: Vec<CellFailure>| {
        done.units += (records.len() / plan.unit_bytes()) as u64;
        tracker.add(units.start, records);
        for failure in failures {
            done.failures.entry(failure.cell).or_insert(failure);
        }
    };
    if let Some(chunk) = store.load(&units)? {
        if let Hand::Make(_, control) = hand {
            control.progress.found(count * block);
        }
        note(&chunk.records, chunk.failures);
        return Ok(true);
    }
    let begun = store.load_begun(units.start)?;
    let begun = begun.filter(|chunk| chunk.records.len() < count as usize * plan.unit_bytes());
    let Hand::Make(maker, control) = hand else {
        if let Some(chunk) = begun {
            note(&chunk.records, chunk.failures);
        }
        return Ok(false);
    };
    let mut records = vec![0; count as usize * plan.unit_bytes()];
    let (mut units_made, mut failures) = (0, Vec::new());
    if let Some(chunk) = begun {
        records[..chunk.records.len()].copy_from_slice(&chunk.records);
        units_made = (chunk.records.len() / plan.unit_bytes()) as u64;
        failures = chunk.failures;
        control.progress.found(units_made * block);
    }
    if !control.stop.load(Ordering::Relaxed) {
        let room = &mut records[units_made as usize * plan.unit_bytes()..];
        let first = units.start + units_made;
        let (made, failed) =
            maker.make(|place| first + place, room, control.stop, control.progress);
        units_made += made;
        failures.extend(failed);
        let made = &records[..units_made as usize * plan.unit_bytes()];
        if units_made == count {
            store.save(units.start, made, &failures)?;
        } else if units_made > 0 {
            store.save_begun(units.start, made, &failures)?;
        }
    }
    records.truncate(units_made as usize * plan.unit_bytes());
    note(&records, failures);
    Ok(units_made == count)
}

/// When to look, if the batch goes on to a precision.
fn looks(plan: &Plan) -> Option<PrecisionPlan> {
    let Size::Precision { width, most_runs } = plan.size else {
        return None;
    };
    precision_plan(width, most_runs, plan.block, plan.runs_per_world()).ok()
}

/// When to look at the runs of each cell for intervals narrower than `width`.
///
/// # Errors
/// A width outside `(0, 1)`, or no runs.
pub(super) fn precision_plan(
    width: f64,
    most_runs: u64,
    block: u32,
    runs_per_world: Option<u32>,
) -> Result<PrecisionPlan, PlanError> {
    let world = runs_per_world.map_or(1, u64::from);
    let pilot = PILOT_RUNS.max(PILOT_WORLDS * world);
    PrecisionPlan::new(width, LEVEL, pilot, most_runs, u64::from(block))
}

/// What to do after a look at all cells.
fn decide(
    plan: &Plan,
    store: &Store,
    done: &Conducted,
    looks: &PrecisionPlan,
    look: Look,
) -> Result<Decision, StoreError> {
    let reader = CellReader::new(store, done.rounds)?;
    let probabilities: Vec<usize> = (plan.quantities.iter().enumerate())
        .filter(|(_, quantity)| quantity.is_probability())
        .map(|(index, _)| index)
        .collect();
    let work = |runs: &CellRuns<'_>| {
        // What a failed cell would have come to is not known.
        if done.failures.contains_key(&runs.number()) {
            return Observed::NOTHING;
        }
        let observed = probabilities.iter().map(|&index| {
            if let Some(histogram) = runs.histogram(index) {
                return looks.sample(look, &Sample::Clustered(&histogram));
            }
            let (occurrences, runs) = runs.occurrences(index);
            looks.sample(look, &Sample::Independent { occurrences, runs })
        });
        observed.fold(Observed::NOTHING, Observed::and)
    };
    let mut all = Observed::NOTHING;
    for_each_cell(plan, &reader, work, |_, observed| {
        all = all.and(observed);
        Ok(())
    })?;
    Ok(looks.decide(look, all))
}

/// Works something out of the runs of every cell, on all threads of the pool and in flat memory, and hands it to `visit` cell
/// by cell in the order of their numbers.
///
/// # Errors
/// A chunk cannot be read, or `visit` refuses.
pub fn for_each_cell<T: Send>(
    plan: &Plan,
    reader: &CellReader<'_>,
    work: impl Fn(&CellRuns<'_>) -> T + Sync,
    mut visit: impl FnMut(u64, T) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for cells in pieces(plan, reader) {
        let records = reader.read(cells.clone())?;
        let cell_bytes = cell_bytes(plan, reader);
        let numbers: Vec<u64> = cells.collect();
        let worked: Vec<T> = (numbers.par_iter())
            .zip(records.par_chunks_exact(cell_bytes))
            .map(|(&number, records)| work(&CellRuns::new(plan, number, records)))
            .collect();
        for (number, value) in numbers.into_iter().zip(worked) {
            visit(number, value)?;
        }
    }
    Ok(())
}

/// The same for every cell beside its baseline, which comes second. A cell that is its own baseline comes twice.
///
/// # Errors
/// As for [`for_each_cell`].
pub fn for_each_pair<T: Send>(
    plan: &Plan,
    reader: &CellReader<'_>,
    work: impl Fn(&CellRuns<'_>, &CellRuns<'_>) -> T + Sync,
    mut visit: impl FnMut(u64, T) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    for cells in pieces(plan, reader) {
        let records = reader.read(cells.clone())?;
        let cell_bytes = cell_bytes(plan, reader);
        let baseline = |number: u64| plan.number(plan.baseline_of(plan.cell(number)));
        let mut elsewhere: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        for number in cells.clone().map(baseline) {
            if !cells.contains(&number) && !elsewhere.contains_key(&number) {
                elsewhere.insert(number, reader.read(number..number + 1)?);
            }
        }
        let runs_of = |number: u64| {
            let records = match elsewhere.get(&number) {
                Some(records) => records,
                None => &records[(number - cells.start) as usize * cell_bytes..][..cell_bytes],
            };
            CellRuns::new(plan, number, records)
        };
        let numbers: Vec<u64> = cells.clone().collect();
        let worked: Vec<T> = (numbers.par_iter())
            .map(|&number| work(&runs_of(number), &runs_of(baseline(number))))
            .collect();
        for (number, value) in numbers.into_iter().zip(worked) {
            visit(number, value)?;
        }
    }
    Ok(())
}

fn cell_bytes(plan: &Plan, reader: &CellReader<'_>) -> usize {
    (reader.rounds() as usize * plan.unit_bytes()).max(1)
}

/// The cells in pieces whose records can be held at once.
fn pieces(plan: &Plan, reader: &CellReader<'_>) -> impl Iterator<Item = Range<u64>> + use<> {
    let at_once = (HELD_BYTES / cell_bytes(plan, reader) as u64).clamp(1, HELD_CELLS);
    let cells = plan.cells();
    (0..cells.div_ceil(at_once)).map(move |piece| {
        let first = piece * at_once;
        first..(first + at_once).min(cells)
    })
}

/// Units of a chunk: a small share of the batch, so that little is lost, but not too few, so that storing it costs little.
fn chunk_units(plan: &Plan, runs: u64) -> u64 {
    let block = u64::from(plan.block);
    let all = (runs / block) * plan.cells();
    let [least, most] = CHUNK_RUNS.map(|runs| (runs / block).max(1));
    let room = (CHUNK_BYTES / plan.unit_bytes() as u64).max(1);
    all.div_ceil(CHUNKS).clamp(least, most).min(room)
}

/// Bytes of all chunks of a plan, at most.
pub fn chunk_bytes(plan: &Plan) -> u64 {
    let units = plan.size.most_runs() / u64::from(plan.block) * plan.cells();
    units.saturating_mul(plan.unit_bytes() as u64)
}

/// A distance between two ends.
pub(super) fn width(interval: Interval) -> f64 {
    interval.high - interval.low
}
