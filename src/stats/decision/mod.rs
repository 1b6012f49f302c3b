//! Which of several settings is best, and how robust it is.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`selection`] | the best of several systems, with a stated probability and as few runs as that takes |
//! | [`robustness`] | regret across worlds whose probabilities nobody knows, the noise of the runs taken out |
//! | [`satisficing`] | the share of the worlds in which a probability keeps a limit |

use serde::{Deserialize, Serialize};

use super::interval::Interval;

mod matrix;
pub mod robustness;
pub mod satisficing;
pub mod selection;

/// Which outcomes are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Smaller ones.
    Smallest,
    /// Larger ones.
    Largest,
}

impl Goal {
    /// The outcome so that larger is better.
    fn gain(self, outcome: f64) -> f64 {
        match self {
            Goal::Smallest => -outcome,
            Goal::Largest => outcome,
        }
    }
}

/// A limit that an outcome should keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Below this.
    Below(f64),
    /// Above this.
    Above(f64),
}

impl Limit {
    /// Whether `outcome` keeps the limit.
    pub fn holds(self, outcome: f64) -> bool {
        match self {
            Limit::Below(limit) => outcome < limit,
            Limit::Above(limit) => outcome > limit,
        }
    }
}

/// An estimate with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
}
