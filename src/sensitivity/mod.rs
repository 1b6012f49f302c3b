pub mod design;
pub mod error;
pub mod factor;
mod hash;
pub mod points;
mod quantiles;
pub mod replicate;
pub mod sobol;
#[cfg(test)]
mod testbed;
