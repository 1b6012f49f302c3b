//! What is asked, what then happened, and what others would have said.

use serde::Serialize;

/// Which runs answer a question how.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Yes or no: the flag with this index.
    YesNo {
        /// Index of the flag.
        flag: usize,
    },
    /// One of several options: the first of these flags that holds, or else the last option.
    Options {
        /// Indices of the flags of all options but the last.
        flags: Vec<usize>,
        /// Whether a near miss is better than a far one.
        ordered: bool,
    },
    /// A number: the metric with this index.
    Number {
        /// Index of the metric.
        metric: usize,
        /// Numbers beyond it count as it.
        limit: Option<f64>,
    },
}

/// How answers are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Brier score, for yes or no.
    Brier,
    /// Ranked probability score over the number of steps, for ordered options.
    RankedProbability,
    /// Half the quadratic score, for options without order.
    HalfQuadratic,
    /// Continuous ranked probability score, for numbers.
    Crps,
}

impl Rule {
    /// Name for readers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brier => "Brier",
            Self::RankedProbability => "RPS",
            Self::HalfQuadratic => "half Brier",
            Self::Crps => "CRPS",
        }
    }
}

/// What somebody without the scenario would have said: values with their probabilities, in the terms of [`Question::outcome`].
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    /// Values and weights.
    pub distribution: Vec<(f64, f64)>,
    /// The ends of its range, if the probability is known within a range only.
    pub ends: Vec<Vec<(f64, f64)>>,
    /// Where it comes from.
    pub source: Option<String>,
}

impl Baseline {
    /// A baseline that is known exactly.
    pub fn exact(distribution: Vec<(f64, f64)>) -> Self {
        Self {
            distribution,
            ends: Vec::new(),
            source: None,
        }
    }
}

/// A question about the runs of a case, with the answer that history gave.
///
/// Answers are numbers: 0 or 1 for no or yes, the index of an option, or the number asked for, at most its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Id in the file.
    pub id: String,
    /// The question in words.
    pub ask: String,
    /// How a run answers it.
    pub reading: Reading,
    /// Unit of a number.
    pub unit: Option<String>,
    /// Ids and labels of the answers; empty for a number.
    pub options: Vec<(String, String)>,
    /// What happened.
    pub outcome: f64,
    /// Whether the outcome was used when the scenario's numbers were chosen.
    pub in_sample: bool,
    /// How often it happens elsewhere.
    pub base_rate: Option<Baseline>,
    /// What happened the last time.
    pub last_time: Option<Baseline>,
    /// All answers equally probable.
    pub uniform: Option<Baseline>,
    /// Where the outcome is known from.
    pub source: String,
}

impl Question {
    /// The answer of a finished run.
    pub fn answer(&self, flags: &[bool], metrics: &[f64]) -> f64 {
        match &self.reading {
            Reading::YesNo { flag } => f64::from(u8::from(flags[*flag])),
            Reading::Options { flags: tried, .. } => {
                let first = tried.iter().position(|&flag| flags[flag]);
                first.unwrap_or(tried.len()) as f64
            }
            Reading::Number { metric, limit } => {
                limit.map_or(metrics[*metric], |limit| metrics[*metric].min(limit))
            }
        }
    }

    /// How it is scored.
    pub fn rule(&self) -> Rule {
        match &self.reading {
            Reading::YesNo { .. } => Rule::Brier,
            Reading::Options { ordered: true, .. } => Rule::RankedProbability,
            Reading::Options { ordered: false, .. } => Rule::HalfQuadratic,
            Reading::Number { .. } => Rule::Crps,
        }
    }

    /// The largest number that counts, if there is one.
    pub fn limit(&self) -> Option<f64> {
        match &self.reading {
            Reading::Number { limit, .. } => *limit,
            _ => None,
        }
    }
}
