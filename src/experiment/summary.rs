//! What is kept of a set of runs.
//!
//! A [`Summary`] is a commutative monoid: any division of the runs into parts, summed up anywhere and merged in any order, gives
//! the same summary to the last bit, because counts are integers, sums are exact, and sketches depend only on the values that
//! they saw. Its size depends on the model, not on the number of runs.

use serde::{Deserialize, Serialize};

use crate::engine::RunState;
use crate::model::Model;
use crate::stats::clustered::ClusteredMean;
use crate::stats::exact_sum::ExactSum;
use crate::stats::moments::Moments;
use crate::stats::sketch::{QuantileSketch, Room};
use crate::stats::worlds::{WorldHistogram, WorldMoments};

/// Counts and sums over a set of runs, in the model's order of endgames, flags and metrics.
///
/// Runs that were stopped at the cap on events are counted as such and in nothing else: what they would have come to is not
/// known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Number of runs, capped ones included.
    pub runs: u64,
    /// Runs stopped at the cap on events.
    pub capped: u64,
    /// Events in all runs.
    pub events: u64,
    /// Runs that ended in each endgame.
    pub endgames: Vec<u64>,
    /// Runs in which each flag held.
    pub flags: Vec<u64>,
    /// The metrics.
    pub metrics: Vec<MetricTally>,
}

/// One metric over a set of runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetricTally {
    /// Runs in which it was infinite, such as the day of a first event that never came.
    pub never: u64,
    /// The finite values.
    pub moments: Moments,
}

impl Tally {
    /// No runs of `model` yet.
    pub fn new(model: &Model) -> Self {
        Self {
            runs: 0,
            capped: 0,
            events: 0,
            endgames: vec![0; model.endgames().len()],
            flags: vec![0; model.flags().len()],
            metrics: vec![MetricTally::default(); model.metrics().len()],
        }
    }

    /// Adds a finished run.
    fn add(&mut self, state: &RunState) {
        self.runs += 1;
        self.events += state.events();
        let Some(endgame) = state.endgame() else {
            self.capped += 1;
            return;
        };
        self.endgames[endgame as usize] += 1;
        for (count, &holds) in self.flags.iter_mut().zip(state.flags()) {
            *count += u64::from(holds);
        }
        for (tally, &value) in self.metrics.iter_mut().zip(state.metrics()) {
            if value.is_finite() {
                tally.moments.add(value);
            } else {
                tally.never += 1;
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.runs += other.runs;
        self.capped += other.capped;
        self.events += other.events;
        add_each(&mut self.endgames, &other.endgames);
        add_each(&mut self.flags, &other.flags);
        for (mine, theirs) in self.metrics.iter_mut().zip(&other.metrics) {
            mine.never += theirs.never;
            mine.moments.merge(&theirs.moments);
        }
    }
}

fn add_each(mine: &mut [u64], theirs: &[u64]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += theirs;
    }
}

/// One series at one date, over the runs that were not capped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    sum: ExactSum,
    values: QuantileSketch,
}

impl Record {
    /// Arithmetic mean; `None` without runs.
    pub fn mean(&self) -> Option<f64> {
        let count = self.values.count();
        (count > 0).then(|| self.sum.value() / count as f64)
    }

    /// The `p`-quantile, `p` in `[0, 1]`; `None` without runs.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        self.values.quantile(p)
    }
}

/// How outcomes vary between worlds. Only complete worlds count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorldStatistics {
    /// For each endgame: worlds by how many of their runs ended in it.
    pub endgames: Vec<WorldHistogram>,
    /// For each flag: worlds by in how many of their runs it held.
    pub flags: Vec<WorldHistogram>,
    /// The metrics.
    pub metrics: Vec<MetricWorlds>,
}

/// One metric across worlds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricWorlds {
    /// The mean over runs with a finite value.
    pub mean: ClusteredMean,
    /// Variance within and between the worlds all of whose runs have a finite value.
    pub variance: WorldMoments,
}

impl WorldStatistics {
    fn new(model: &Model, runs_per_world: u32) -> Self {
        let histogram = WorldHistogram::new(runs_per_world);
        let metric = MetricWorlds {
            mean: ClusteredMean::new(),
            variance: WorldMoments::new(u64::from(runs_per_world)),
        };
        Self {
            endgames: vec![histogram.clone(); model.endgames().len()],
            flags: vec![histogram; model.flags().len()],
            metrics: vec![metric; model.metrics().len()],
        }
    }

    fn add(&mut self, world: &Tally) {
        for (histogram, &count) in self.endgames.iter_mut().zip(&world.endgames) {
            histogram.add(count as u32);
        }
        for (histogram, &count) in self.flags.iter_mut().zip(&world.flags) {
            histogram.add(count as u32);
        }
        for (metric, tally) in self.metrics.iter_mut().zip(&world.metrics) {
            let moments = &tally.moments;
            metric.mean.add(moments.count(), moments.sum());
            if moments.count() == world.runs {
                metric.variance.add(moments);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        let both = self.endgames.iter_mut().zip(&other.endgames);
        both.for_each(|(mine, theirs)| mine.merge(theirs));
        let both = self.flags.iter_mut().zip(&other.flags);
        both.for_each(|(mine, theirs)| mine.merge(theirs));
        for (mine, theirs) in self.metrics.iter_mut().zip(&other.metrics) {
            mine.mean.merge(&theirs.mean);
            mine.variance.merge(&theirs.variance);
        }
    }
}

/// A set of runs of one model, summed up.
///
/// Two summaries can be merged if they were made for the same model and the same number of runs in each world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    totals: Tally,
    /// For each metric, its finite values.
    quantiles: Vec<QuantileSketch>,
    /// Date by date, and within a date in the model's order.
    timeline: Vec<Record>,
    worlds: Option<WorldStatistics>,
}

impl Summary {
    /// No runs yet. `runs_per_world` is given when runs are grouped into worlds with parameters of their own.
    pub fn new(model: &Model, runs_per_world: Option<u32>) -> Self {
        let records = (model.timeline()).map_or(0, |t| t.days().count() * t.names().count());
        Self {
            totals: Tally::new(model),
            quantiles: vec![QuantileSketch::new(); model.metrics().len()],
            timeline: vec![Record::default(); records],
            worlds: runs_per_world.map(|runs| WorldStatistics::new(model, runs)),
        }
    }

    /// Adds all runs of `other`.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.timeline.len(), other.timeline.len());
        debug_assert_eq!(self.worlds.is_some(), other.worlds.is_some());
        self.totals.merge(&other.totals);
        for (mine, theirs) in self.quantiles.iter_mut().zip(&other.quantiles) {
            mine.merge(theirs);
        }
        for (mine, theirs) in self.timeline.iter_mut().zip(&other.timeline) {
            mine.sum.merge(&theirs.sum);
            mine.values.merge(&theirs.values);
        }
        if let (Some(mine), Some(theirs)) = (&mut self.worlds, &other.worlds) {
            mine.merge(theirs);
        }
    }

    /// Counts and sums.
    pub fn totals(&self) -> &Tally {
        &self.totals
    }

    /// The finite values of each metric.
    pub fn quantiles(&self) -> &[QuantileSketch] {
        &self.quantiles
    }

    /// The recorded series, date by date and within a date in the model's order.
    pub fn timeline(&self) -> &[Record] {
        &self.timeline
    }

    /// How outcomes vary between worlds, if runs are grouped into worlds.
    pub fn worlds(&self) -> Option<&WorldStatistics> {
        self.worlds.as_ref()
    }
}

/// Runs whose values are collected before they go into the sketches. A sketch is some kilobytes, and there is one for every
/// metric and every record of the timeline: taking each in turn for many runs keeps it in the processor's cache. No power of 2, or
/// all columns would compete for the same lines of the cache when they are turned.
const BATCH: usize = 1000;

/// Numbers of these runs at most: with very many columns, fewer runs are collected.
const MOST_NUMBERS: usize = 1 << 22;

/// Columns of the batch that are taken up together: neighbours of a run share lines of the cache, and the lines that follow are
/// fetched ahead.
const ABREAST: usize = 48;

/// Adds runs to a summary, world by world.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    summary: Summary,
    empty: Tally,
    world: Tally,
    /// Metrics, then records of the timeline, run by run.
    batch: Vec<f64>,
    columns: usize,
    /// Some columns of the batch, one after the other.
    turned: Vec<f64>,
    room: Room,
}

/// Numbers of all runs that are taken in at once.
fn batch_size(columns: usize) -> usize {
    (MOST_NUMBERS / columns.max(1)).clamp(1, BATCH) * columns
}

impl Recorder {
    /// A recorder that begins with an empty summary.
    pub fn new(model: &Model, summary: Summary) -> Self {
        let empty = Tally::new(model);
        let columns = summary.quantiles.len() + summary.timeline.len();
        Self {
            batch: Vec::with_capacity(batch_size(columns)),
            columns,
            turned: Vec::new(),
            room: Room::default(),
            world: empty.clone(),
            empty,
            summary,
        }
    }

    /// Adds a finished run to the world under way.
    pub fn add(&mut self, state: &RunState) {
        self.world.add(state);
        if state.endgame().is_none() {
            return;
        }
        self.batch.extend_from_slice(state.metrics());
        self.batch.extend_from_slice(state.timeline());
        if self.batch.len() >= batch_size(self.columns) {
            self.sketch();
        }
    }

    /// Ends the world under way.
    pub fn close_world(&mut self) {
        self.summary.totals.merge(&self.world);
        if let Some(worlds) = &mut self.summary.worlds {
            worlds.add(&self.world);
        }
        self.world.clone_from(&self.empty);
    }

    /// The summary of all worlds that have been ended.
    pub fn finish(mut self) -> Summary {
        self.sketch();
        self.summary
    }

    /// Moves the batch into the sketches.
    fn sketch(&mut self) {
        let runs = self.batch.len() / self.columns.max(1);
        let metrics = self.summary.quantiles.len();
        for first in (0..self.columns).step_by(ABREAST) {
            let end = self.columns.min(first + ABREAST);
            self.turned.resize((end - first) * runs, 0.0);
            for (run, row) in self.batch.chunks_exact(self.columns).enumerate() {
                for (column, &value) in row[first..end].iter().enumerate() {
                    self.turned[column * runs + run] = value;
                }
            }
            for (index, column) in (first..end).zip(self.turned.chunks_exact_mut(runs.max(1))) {
                match index.checked_sub(metrics) {
                    None => {
                        let finite = finite_first(column);
                        self.summary.quantiles[index].add_all(finite, &mut self.room);
                    }
                    Some(record) => {
                        let record = &mut self.summary.timeline[record];
                        column.iter().for_each(|&value| record.sum.add(value));
                        record.values.add_all(column, &mut self.room);
                    }
                }
            }
        }
        self.batch.clear();
    }
}

/// The finite values, brought to the front.
fn finite_first(values: &mut [f64]) -> &[f64] {
    let mut finite = 0;
    for position in 0..values.len() {
        let value = values[position];
        if value.is_finite() {
            values[finite] = value;
            finite += 1;
        }
    }
    &values[..finite]
}
