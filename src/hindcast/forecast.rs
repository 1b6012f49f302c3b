//! What the runs of a case answer.

use std::io;

use serde::Serialize;

use super::question::{Question, Reading};
use super::read::Case;
use crate::experiment::{Control, ExperimentError, Plan, RowSink, Rows, WorldSource, replicate};
use crate::stats::clustered::ClusteredMean;
use crate::stats::interval::Interval;
use crate::stats::proportion::wilson;
use crate::stats::scores::ClusteredSample;
use crate::stats::worlds::{Band, WorldHistogram};

/// Quantiles that are told of a number.
pub const QUANTILES: [f64; 3] = [0.05, 0.5, 0.95];

/// Why there is no forecast.
#[derive(Debug, thiserror::Error)]
pub enum ForecastError {
    /// The runs cannot be made.
    #[error("{case}: {error}")]
    Runs {
        /// The case.
        case: String,
        /// What happened.
        error: ExperimentError,
    },
    /// The user interrupted the runs before the last.
    #[error("interrupted")]
    Interrupted,
    /// Some runs were stopped before their end, so they answer nothing.
    #[error("{case}: {capped} of {runs} runs were stopped at `max_events`")]
    Capped {
        /// The case.
        case: String,
        /// Runs that were stopped.
        capped: u64,
        /// All runs.
        runs: u64,
    },
    /// A metric is infinite where the question has no limit.
    #[error("{case}: question `{question}`: the metric is infinite in run {run}")]
    Infinite {
        /// The case.
        case: String,
        /// The question.
        question: String,
        /// The run.
        run: u64,
    },
}

/// The answers of runs, question by question.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// World of each run, from 0.
    pub worlds: Vec<u32>,
    /// For each question, the answer of each run.
    pub values: Vec<Vec<f64>>,
    capped: u64,
}

struct Collector<'a> {
    questions: &'a [Question],
    answers: Answers,
}

impl RowSink for Collector<'_> {
    fn take(&mut self, rows: &Rows) -> io::Result<()> {
        let runs = rows.len().max(1);
        let (flags, metrics) = (rows.flags.len() / runs, rows.metrics.len() / runs);
        for run in 0..rows.len() {
            if rows.endgames[run].is_none() {
                self.answers.capped += 1;
            }
            self.answers.worlds.push(rows.worlds[run] as u32);
            let flags = &rows.flags[run * flags..(run + 1) * flags];
            let metrics = &rows.metrics[run * metrics..(run + 1) * metrics];
            for (question, values) in self.questions.iter().zip(&mut self.answers.values) {
                values.push(question.answer(flags, metrics));
            }
        }
        Ok(())
    }
}

impl Answers {
    /// Makes the runs of `case`, the same for any number of threads. With `priors` there are `runs` runs in worlds drawn from the
    /// priors; otherwise each run is a world of its own.
    ///
    /// # Errors
    /// Runs that fail, are stopped before their end or are interrupted; answers that are no numbers.
    pub fn of(
        case: &Case,
        seed: u64,
        runs: u64,
        priors: bool,
        control: &Control<'_>,
    ) -> Result<Self, ForecastError> {
        let mut collector = Collector {
            questions: &case.questions,
            answers: Answers {
                values: vec![Vec::new(); case.questions.len()],
                ..Answers::default()
            },
        };
        let plan = Plan {
            seed,
            first_run: 0,
            runs,
            worlds: if priors {
                WorldSource::Priors
            } else {
                WorldSource::Defaults
            },
        };
        let name = || case.name.clone();
        let made = replicate(&case.model, &plan, control, Some(&mut collector));
        let made = made.map_err(|error| ForecastError::Runs {
            case: name(),
            error,
        })?;
        if made.interrupted {
            return Err(ForecastError::Interrupted);
        }
        let mut answers = collector.answers;
        if answers.capped > 0 {
            return Err(ForecastError::Capped {
                case: name(),
                capped: answers.capped,
                runs,
            });
        }
        for (question, values) in case.questions.iter().zip(&answers.values) {
            if let Some(run) = values.iter().position(|value| !value.is_finite()) {
                return Err(ForecastError::Infinite {
                    case: name(),
                    question: question.id.clone(),
                    run: run as u64,
                });
            }
        }
        if !priors {
            answers.worlds = (0..answers.worlds.len() as u32).collect();
        }
        Ok(answers)
    }

    /// The answers to one question as a sample in worlds, seen through `view`.
    pub fn sample(&self, question: usize, view: impl Fn(f64) -> f64) -> ClusteredSample {
        let values = self.values[question].iter().map(|&value| view(value));
        ClusteredSample::new(values.zip(self.worlds.iter().copied()))
    }
}

/// What the runs say about one question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Forecast {
    /// Yes or no: the probability of yes.
    YesNo {
        /// Of yes.
        yes: Probability,
    },
    /// The probability of each option.
    Options {
        /// In the order of the options.
        options: Vec<Probability>,
    },
    /// The distribution of a number, cut off at the question's limit.
    Number {
        /// Mean.
        mean: f64,
        /// Monte Carlo interval of the mean.
        interval: Option<Interval>,
        /// As [`QUANTILES`].
        quantiles: [f64; 3],
        /// Share of runs at or beyond the limit.
        at_limit: Option<Probability>,
    },
}

/// A probability with its Monte Carlo interval, and apart from it the band across parameters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Probability {
    /// The answer that has this probability.
    pub answer: String,
    /// Estimate.
    pub probability: f64,
    /// Monte Carlo interval.
    #[serde(flatten)]
    pub interval: Interval,
    /// Median and central 90 % across draws of the parameters.
    pub band: Option<Band>,
}

/// Sums up the answers to question number `index`. `runs_per_world` is `None` if there is one world only.
pub fn forecast(
    question: &Question,
    answers: &Answers,
    index: usize,
    runs_per_world: Option<u32>,
    level: f64,
    band: f64,
) -> Forecast {
    let values = &answers.values[index];
    let probability = |answer: &str, holds: &dyn Fn(f64) -> bool| {
        let count = values.iter().filter(|&&value| holds(value)).count() as u64;
        let histogram = runs_per_world.map(|runs| {
            let mut histogram = WorldHistogram::new(runs);
            for world in values.chunks(runs as usize) {
                histogram.add(world.iter().filter(|&&value| holds(value)).count() as u32);
            }
            histogram
        });
        let interval = match &histogram {
            Some(histogram) => histogram.mean_interval(level),
            None => wilson(count, values.len() as u64, level),
        };
        Probability {
            answer: answer.to_owned(),
            probability: count as f64 / values.len().max(1) as f64,
            interval,
            // The spread across parameters does not show in a single draw of them.
            band: histogram
                .filter(|histogram| histogram.worlds() > 1)
                .and_then(|histogram| histogram.band(band)),
        }
    };
    match &question.reading {
        Reading::YesNo { .. } => Forecast::YesNo {
            yes: probability("yes", &|value| value == 1.0),
        },
        Reading::Options { .. } => Forecast::Options {
            options: (question.options.iter().enumerate())
                .map(|(index, (id, _))| probability(id, &|value| value == index as f64))
                .collect(),
        },
        Reading::Number { limit, .. } => {
            let mut mean = ClusteredMean::new();
            for world in values.chunks(runs_per_world.unwrap_or(1) as usize) {
                mean.add(world.len() as u64, world.iter().sum());
            }
            let sample = answers.sample(index, |value| value);
            Forecast::Number {
                mean: mean.mean().unwrap_or(f64::NAN),
                interval: mean.interval(level),
                quantiles: QUANTILES.map(|p| sample.quantile(p).unwrap_or(f64::NAN)),
                at_limit: limit.map(|limit| probability("limit", &|value| value >= limit)),
            }
        }
    }
}
