//! What a set of runs says: estimates with their intervals, row by row.

use serde::Serialize;

use crate::experiment::Summary;
use crate::experiment::summary::{MetricTally, MetricWorlds};
use crate::model::{Metric, Model};
use crate::stats::interval::Interval;
use crate::stats::mean::mean_interval;
use crate::stats::proportion::wilson;
use crate::stats::sketch::QuantileSketch;
use crate::stats::worlds::{Band, WorldHistogram};

/// Level of Monte Carlo intervals, unless looking repeatedly asks for more.
pub const LEVEL: f64 = 0.95;
/// Share of the worlds that a band across parameters covers.
pub const BAND: f64 = 0.9;
/// Quantiles reported of metrics and series.
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];
/// Id of the row that counts runs stopped at the cap on events. No endgame can have it.
pub const CAPPED: &str = "(capped)";

/// Results of a set of runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Results {
    /// Number of runs.
    pub runs: u64,
    /// Runs stopped at the cap on events: they count in no endgame, flag, metric or series.
    pub capped: u64,
    /// Number of draws of the parameters; `None` when parameters are held at their defaults.
    pub worlds: Option<u64>,
    /// The endgames in the scenario's order, then the capped runs, if any.
    pub outcomes: Vec<OutcomeRow>,
    /// The flags in the scenario's order.
    pub flags: Vec<OutcomeRow>,
    /// The metrics in the scenario's order.
    pub metrics: Vec<MetricRow>,
    /// The recorded series, date by date.
    pub timeline: Vec<TimelineRow>,
}

/// One endgame or flag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeRow {
    pub id: String,
    pub label: String,
    /// Runs in which it came about.
    pub count: u64,
    /// All runs.
    pub runs: u64,
    /// Estimate of its probability, `count / runs`.
    pub probability: f64,
    /// Monte Carlo interval of the probability.
    #[serde(flatten)]
    pub interval: Interval,
    /// Median and central 90 % of the probability across draws of the parameters.
    pub band: Option<Band>,
}

/// One metric. Numbers are in its unit, over the runs in which it is finite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricRow {
    pub id: String,
    pub label: String,
    pub unit: Option<String>,
    /// Whether it belongs in the main table.
    pub headline: bool,
    /// Runs with a finite value.
    pub runs: u64,
    /// Runs in which it is infinite: a day that never came.
    pub never: u64,
    pub mean: Option<f64>,
    /// Monte Carlo interval of the mean.
    pub mean_interval: Option<Interval>,
    /// Standard deviation of single runs.
    pub sd: Option<f64>,
    /// Quantiles of single runs, as [`QUANTILES`].
    pub quantiles: Option<[f64; 5]>,
    /// How the variance of single runs divides.
    pub shares: Option<VarianceShares>,
}

/// Division of a variance between chance and the parameters. The shares add up to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VarianceShares {
    /// Share that is left when the parameters are known.
    pub chance: f64,
    /// Share that comes from not knowing the parameters.
    pub parameters: f64,
}

/// One series at one date, over runs that were not capped.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimelineRow {
    /// Days since the start.
    pub day: f64,
    /// Calendar date.
    pub date: String,
    pub series: String,
    pub mean: Option<f64>,
    /// As [`QUANTILES`].
    pub quantiles: Option<[f64; 5]>,
}

impl Results {
    /// Reads the results of `model` off a summary of its runs, with Monte Carlo intervals at `level` in `(0, 1)`.
    pub fn new(model: &Model, summary: &Summary, level: f64) -> Self {
        let totals = summary.totals();
        let worlds = summary.worlds();
        let outcome = |id: &str, label: &str, count: u64, histogram: Option<&WorldHistogram>| {
            outcome_row((id, label), count, totals.runs, histogram, level)
        };
        let mut outcomes: Vec<_> = (model.endgames().iter().enumerate())
            .map(|(i, endgame)| {
                let histogram = worlds.map(|worlds| &worlds.endgames[i]);
                outcome(endgame.id(), endgame.label(), totals.endgames[i], histogram)
            })
            .collect();
        if totals.capped > 0 {
            outcomes.push(outcome(
                CAPPED,
                "Stopped at the cap on events",
                totals.capped,
                None,
            ));
        }
        let flags = (model.flags().iter().enumerate())
            .map(|(i, flag)| {
                let histogram = worlds.map(|worlds| &worlds.flags[i]);
                outcome(flag.id(), flag.label(), totals.flags[i], histogram)
            })
            .collect();
        let metrics = (model.metrics().iter().enumerate())
            .map(|(i, metric)| {
                let worlds = worlds.map(|worlds| &worlds.metrics[i]);
                let (tally, sketch) = (&totals.metrics[i], &summary.quantiles()[i]);
                metric_row(metric, tally, sketch, worlds, level)
            })
            .collect();
        Self {
            runs: totals.runs,
            capped: totals.capped,
            worlds: worlds.and_then(|worlds| worlds.endgames.first().map(WorldHistogram::worlds)),
            outcomes,
            flags,
            metrics,
            timeline: timeline_rows(model, summary),
        }
    }
}

fn outcome_row(
    (id, label): (&str, &str),
    count: u64,
    runs: u64,
    histogram: Option<&WorldHistogram>,
    level: f64,
) -> OutcomeRow {
    let interval = match histogram {
        Some(histogram) => histogram.mean_interval(level),
        None if runs == 0 => Interval::new(0.0, 1.0),
        None => wilson(count, runs, level),
    };
    OutcomeRow {
        id: id.to_owned(),
        label: label.to_owned(),
        count,
        runs,
        probability: count as f64 / runs.max(1) as f64,
        interval,
        band: histogram.and_then(|histogram| histogram.band(BAND)),
    }
}

fn metric_row(
    metric: &Metric,
    tally: &MetricTally,
    sketch: &QuantileSketch,
    worlds: Option<&MetricWorlds>,
    level: f64,
) -> MetricRow {
    let moments = &tally.moments;
    // Where some run has no value, the rest of its world says nothing about the variance within worlds of full size.
    let complete = tally.never == 0;
    MetricRow {
        id: metric.id().to_owned(),
        label: metric.label().to_owned(),
        unit: metric.unit().map(str::to_owned),
        headline: metric.is_headline(),
        runs: moments.count(),
        never: tally.never,
        mean: moments.mean(),
        mean_interval: match worlds {
            Some(worlds) => worlds.mean.interval(level),
            None => mean_interval(moments, level),
        },
        sd: moments.standard_deviation(),
        quantiles: each_quantile(|p| sketch.quantile(p)),
        shares: worlds.filter(|_| complete).and_then(variance_shares),
    }
}

fn variance_shares(worlds: &MetricWorlds) -> Option<VarianceShares> {
    let chance = worlds.variance.chance_variance()?;
    // The estimate is unbiased and may fall below zero, which a variance cannot.
    let parameters = worlds.variance.between_variance()?.max(0.0);
    let total = chance + parameters;
    (total > 0.0).then(|| VarianceShares {
        chance: chance / total,
        parameters: parameters / total,
    })
}

fn each_quantile<T: Copy>(read: impl Fn(f64) -> Option<T>) -> Option<[T; 5]> {
    let [a, b, c, d, e] = QUANTILES.map(read);
    Some([a?, b?, c?, d?, e?])
}

fn timeline_rows(model: &Model, summary: &Summary) -> Vec<TimelineRow> {
    let Some(timeline) = model.timeline() else {
        return Vec::new();
    };
    let places = timeline.days().flat_map(|day| {
        let date = model.date(day);
        let series = timeline.names();
        series.map(move |name| (day, date.clone(), name))
    });
    let row = |((day, date, series), record): (
        (f64, String, &str),
        &crate::experiment::summary::Record,
    )| {
        TimelineRow {
            day,
            date,
            series: series.to_owned(),
            mean: record.mean(),
            quantiles: each_quantile(|p| record.quantile(p)),
        }
    };
    places.zip(summary.timeline()).map(row).collect()
}
