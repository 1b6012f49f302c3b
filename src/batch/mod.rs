//! Batches: every policy in every state of the world, run by run with the same chance, and durable on disk.
//!
//! | module | what it holds |
//! |---|---|
//! | [`file`] | the format of the file of an experiment |
//! | [`check`] | from the file to a plan: everything that is wrong is found here |
//! | [`plan`] | an experiment that has been checked: which cells there are, and what is run in each |
//! | [`axes`] | the values of levers and sweeps, point by point |
//! | [`inputs`] | the texts that an experiment was read from, so that it can be read again from its folder |
//! | [`record`] | what is kept of each run |
//! | [`chunk`] | making a part of the runs on many threads |
//! | [`store`] | the folder: its lock, what it belongs to, and chunk after chunk of runs |
//! | [`cell_reader`] | the runs of a cell out of the chunks |
//! | [`standing`] | how a batch stands while it is under way |
//! | [`conduct`] | carrying a batch out, or on from where it was left |
//! | [`selection`] | finding the best policy with as few runs as that takes |
//! | [`cell`] | what the runs of a cell come to |

pub mod axes;
pub mod cell;
pub mod cell_reader;
pub mod check;
pub mod chunk;
pub mod conduct;
pub mod file;
pub mod inputs;
pub mod plan;
pub mod record;
pub mod selection;
pub mod standing;
pub mod store;

#[cfg(test)]
mod tests;
