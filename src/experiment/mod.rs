//! Experiments: many runs of a model, summed up in flat memory.
//!
//! | module | what it holds |
//! |---|---|
//! | [`summary`] | what is kept of any set of runs; merges exactly, in any order and grouping |
//! | [`replicate`] | runs on many threads, with the same result for any number of them |
//! | [`precision`] | going on until every endgame's interval is narrow enough |
//! | [`comparison`] | two models compared run by run |
//! | [`one_at_a_time`] | each parameter moved to its low and its high end, all else equal |
//! | [`paired`] | runs of a baseline and its variants under common random numbers |
//! | [`rows`] | the runs one by one, in order, for those who want to keep them |
//! | [`naming`] | endgames, flags and metrics by their names |
//! | [`subject`] | a model as a function of its parameters and of chance, for sensitivity analyses |

pub mod comparison;
pub mod naming;
pub mod one_at_a_time;
pub mod paired;
pub mod precision;
pub mod replicate;
pub mod rows;
pub mod subject;
pub mod summary;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

pub use paired::{PairedReplication, replicate_paired};
pub use replicate::{
    Control, ExperimentError, Plan, Progress, Replication, WorldSource, replicate,
};
pub use rows::{RowSink, Rows};
pub use subject::{Quantity, Subject, Varied};
pub use summary::Summary;
