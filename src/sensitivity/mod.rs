pub mod blocks;
pub mod design;
pub mod discovery;
pub mod error;
pub mod factor;
pub mod given;
pub mod grid;
mod hash;
pub mod kernel;
pub mod morris;
pub mod points;
mod quantiles;
pub mod replicate;
pub mod shapley;
pub mod sobol;
pub mod study;
#[cfg(test)]
mod testbed;
