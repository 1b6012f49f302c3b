//! What the runs of a cell come to.

use super::plan::{Cell, Plan, Source};
use super::record::{Ending, Record};
use crate::stats::clustered::ClusteredMean;
use crate::stats::interval::Interval;
use crate::stats::mean::mean_interval;
use crate::stats::moments::Moments;
use crate::stats::proportion::wilson;
use crate::stats::worlds::{Band, WorldHistogram};

/// Share of the worlds that a band across parameters covers.
pub const BAND: f64 = 0.9;

/// The runs of one cell, in order.
#[derive(Clone, Copy, Debug)]
pub struct CellRuns<'a> {
    plan: &'a Plan,
    number: u64,
    model: usize,
    records: &'a [u8],
}

/// One quantity in one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Runs made, capped ones included.
    pub runs: u64,
    /// Runs stopped at the cap on events: they count in no endgame, flag or metric, so a probability is too low by up to their
    /// share.
    pub capped: u64,
    /// Draws of the parameters, if they are drawn.
    pub worlds: Option<u64>,
    /// Runs in which a metric is a day that never came; the day of the horizon stands in its place.
    pub never: u64,
    /// Probability, or mean; `None` without any value.
    pub mean: Option<f64>,
    /// Monte Carlo interval of the mean.
    pub interval: Option<Interval>,
    /// Standard deviation of single runs, of a metric.
    pub sd: Option<f64>,
    /// Median and central 90 % of a probability across draws of the parameters.
    pub band: Option<Band>,
}

impl<'a> CellRuns<'a> {
    /// The runs of the cell with this number.
    pub fn new(plan: &'a Plan, number: u64, records: &'a [u8]) -> Self {
        Self {
            plan,
            number,
            model: plan.model_index(plan.cell(number)),
            records,
        }
    }

    /// The cell.
    pub fn cell(&self) -> Cell {
        self.plan.cell(self.number)
    }

    /// Number of the cell.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The runs in the order of their numbers, from 0.
    pub fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let layout = self.plan.layout();
        let records = self.records.chunks_exact(layout.bytes());
        records.map(move |bytes| layout.read(bytes))
    }

    /// Number of runs.
    pub fn runs(&self) -> u64 {
        (self.records.len() / self.plan.layout().bytes()) as u64
    }

    /// The value of a quantity in each run: 1 or 0 for an endgame or a flag; the horizon for a day that never came. A run that
    /// was stopped at the cap on events counts in no endgame or flag, and has no value of a metric: `None`, as for a metric that
    /// is not finite.
    pub fn values(&self, quantity: usize) -> impl Iterator<Item = Option<f64>> + use<'a> {
        let source = self.plan.quantities[quantity].source;
        let never = match source {
            Source::Metric(metric) => self.plan.never_is(self.model, metric),
            _ => None,
        };
        self.records()
            .map(move |record| value(&record, source, never))
    }

    /// Runs in which an endgame or a flag came about, and runs.
    pub fn occurrences(&self, quantity: usize) -> (u64, u64) {
        let occurs = self.values(quantity).filter(|value| *value == Some(1.0));
        (occurs.count() as u64, self.runs())
    }

    /// Worlds by how many of their runs an endgame or a flag came about in; `None` if there is one world.
    pub fn histogram(&self, quantity: usize) -> Option<WorldHistogram> {
        let runs_per_world = self.plan.runs_per_world()?;
        let mut histogram = WorldHistogram::new(runs_per_world);
        let (mut made, mut occurrences) = (0, 0);
        for value in self.values(quantity) {
            occurrences += u32::from(value == Some(1.0));
            made += 1;
            if made == runs_per_world {
                histogram.add(occurrences);
                (made, occurrences) = (0, 0);
            }
        }
        Some(histogram)
    }

    /// Runs stopped at the cap on events.
    pub fn capped(&self) -> u64 {
        self.records().filter(Record::is_capped).count() as u64
    }

    /// Runs that were stopped at the cap on events here, or there under the same number.
    pub fn capped_pairs(&self, other: &Self) -> u64 {
        let pairs = self.records().zip(other.records());
        let capped = pairs.filter(|(here, there)| here.is_capped() || there.is_capped());
        capped.count() as u64
    }

    /// A quantity, with its interval at `level` in `(0, 1)`.
    pub fn estimate(&self, quantity: usize, level: f64) -> Estimate {
        let runs = self.runs();
        let worlds = (self.plan.runs_per_world()).map(|each| runs / u64::from(each));
        let empty = Estimate {
            runs,
            capped: self.capped(),
            worlds,
            never: 0,
            mean: None,
            interval: None,
            sd: None,
            band: None,
        };
        match self.plan.quantities[quantity].source {
            Source::Metric(metric) => self.metric(quantity, metric, level, empty),
            _ if runs == 0 => empty,
            _ => {
                let (count, runs) = self.occurrences(quantity);
                let histogram = self.histogram(quantity);
                let interval = match &histogram {
                    Some(histogram) => histogram.mean_interval(level),
                    None => wilson(count, runs, level),
                };
                Estimate {
                    mean: Some(count as f64 / runs as f64),
                    interval: Some(interval),
                    band: histogram.and_then(|histogram| histogram.band(BAND)),
                    ..empty
                }
            }
        }
    }

    fn metric(&self, quantity: usize, metric: usize, level: f64, empty: Estimate) -> Estimate {
        let mut moments = Moments::new();
        let mut never = 0;
        for record in self.records() {
            let made = matches!(record.ending(), Ending::Endgame(_));
            never += u64::from(made && !record.metric(metric).is_finite());
        }
        let interval = match self.plan.runs_per_world() {
            Some(runs_per_world) => {
                let mut clustered = ClusteredMean::new();
                let mut world = Moments::new();
                for (run, value) in (1..).zip(self.values(quantity)) {
                    value.into_iter().for_each(|value| world.add(value));
                    if run % u64::from(runs_per_world) == 0 {
                        clustered.add(world.count(), world.sum());
                        moments.merge(&world);
                        world = Moments::new();
                    }
                }
                clustered.interval(level)
            }
            None => {
                let values = self.values(quantity).flatten();
                values.for_each(|value| moments.add(value));
                mean_interval(&moments, level)
            }
        };
        Estimate {
            never,
            mean: moments.mean(),
            interval,
            sd: moments.standard_deviation(),
            ..empty
        }
    }
}

fn value(record: &Record<'_>, source: Source, never: Option<f64>) -> Option<f64> {
    let endgame = match (record.ending(), source) {
        (Ending::Endgame(endgame), _) => endgame,
        (Ending::Capped, Source::Endgame(_) | Source::Flag(_)) => return Some(0.0),
        (Ending::Capped | Ending::Failed, _) => return None,
    };
    match source {
        Source::Endgame(index) => Some(f64::from(u8::from(endgame == index))),
        Source::Flag(index) => Some(f64::from(u8::from(record.flag(index)))),
        Source::Metric(index) => {
            let value = record.metric(index);
            match never {
                _ if value.is_finite() => Some(value),
                Some(day) if value > 0.0 => Some(day),
                _ => None,
            }
        }
    }
}
