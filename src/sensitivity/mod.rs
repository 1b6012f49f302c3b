pub mod blocks;
pub mod design;
pub mod error;
pub mod factor;
pub mod given;
mod hash;
pub mod kernel;
pub mod morris;
pub mod points;
mod quantiles;
pub mod replicate;
pub mod shapley;
pub mod sobol;
#[cfg(test)]
mod testbed;
