//! Sensitivity analysis that is right for models with chance, for any function of numbers and a key.
//!
//! Usual methods take each run for a value of a deterministic function. In a model with chance they
//! then count noise as an effect of every factor: on the Ishigami function plus N(0, 3^2) the usual
//! total index of x3 reads 0.54 where that of the mean response is 0.24. Here the seed is a factor:
//! designs say which runs share their chance, and each index says what it is a share of.
//!
//! | question | design | analysis |
//! |---|---|---|
//! | what share of the variance comes from which factor, which pair, from chance | [`SobolDesign`] | [`sobol_indices`] |
//! | the same for whole distributions or for categories | [`SobolDesign`] | [`kernel_indices`] |
//! | shares that add up to 1 | [`ShapleyDesign`] | [`shapley_effects`] |
//! | which of many factors matter at all | [`MorrisDesign`] | [`morris_effects`] |
//! | what can be learned from runs that are there | any, or [`Sample`] | [`given`] |
//! | in which worlds is an outcome likely | any, or [`Sample`] | [`discovery`] |
//! | how does the output go along each factor | [`Grid`] | none: plot it |
//!
//! A design is a list of rows with absolute numbers. [`run`] makes its runs in parallel, or the caller
//! does, and the analysis takes one [`Outcome`] for each row. Rules that hold everywhere:
//!
//! * Results are the same bits for any number of threads.
//! * A failed run takes the block of runs that it belongs to out of every estimator. Failures are
//!   counted by name in [`Completeness`]. A NaN is an error that names its row.
//! * Estimates below zero are shown as they are. [`Estimate::above_dummy`] compares each index with
//!   a factor that the model does not see.
//!
//! | nominal 95 % intervals of | measured coverage | studies |
//! |---|---|---|
//! | Sobol indices of Ishigami with noise, 8 scrambles of 64 points | 0.938 - 0.965 | 400 |
//! | kernel indices of a noisy category, 8 scrambles of 64 points | 0.935 - 0.967 | 400 |
//! | Shapley effects of a model with chance, 8 scrambles of 64 points | 0.920 - 0.957 | 400 |
//! | mu, mu* and sigma of a noisy linear model, 8 scrambles of 16 points | 0.932 - 0.955 | 400 |
//! | Sobol indices of a study that stops at a width of its intervals | 0.927 - 0.970 | 300 |
//! | rank indices of Ishigami with noise, 100 to 1,000 rows | 0.925 - 0.965 | 200 |
//! | rank indices of a rare outcome, strong factors, 100, 200 and 1,000 rows | 0.80, 0.84, 0.90 | 200 |
//! | the same, a factor that does nothing | 0.960 - 1.000 | 200 |
//! | partial rank correlation, 200 rows | 0.957 | 300 |
//! | regional sensitivity, 400 rows of yes or no | 0.90 | 300 |
//!
//! ```
//! use flashpoint::sensitivity::{
//!     Factor, Factors, Outcome, SobolDesign, SobolOptions, SobolPlan, run, sobol_indices,
//! };
//! use flashpoint::sensitivity::Design;
//!
//! let factors = Factors::new(vec![
//!     Factor::uniform("resolve", 0.0, 1.0),
//!     Factor::categorical("explanation", &["fear", "interest", "honour"]),
//! ])?;
//! // Chance adds 0 or 1; a real model seeds its random numbers with the key.
//! let model = |x: &[f64], key: u64| -> Outcome { Ok(3.0 * x[0] + x[1] + (key % 2) as f64) };
//! let design = SobolDesign::new(factors, SobolPlan::default())?;
//! let outcomes = run(&design, 0..design.rows(), &model);
//! let indices = sobol_indices(&design, &outcomes, &SobolOptions::default())?;
//! // Variances 9/12, 8/12 and 1/4.
//! assert!((indices.columns[0].joint_total.value - 0.45).abs() < 0.02);
//! assert!((indices.noise_share.value - 0.15).abs() < 0.02);
//! # Ok::<(), flashpoint::sensitivity::Error>(())
//! ```

mod blocks;
mod design;
pub mod discovery;
mod error;
mod factor;
pub mod given;
mod grid;
mod hash;
mod kernel;
mod morris;
mod points;
mod replicate;
mod shapley;
mod sobol;
mod study;

pub use blocks::Completeness;
pub use design::{Design, Model, Sample, run};
pub use error::{Error, Failure, Outcome};
pub use factor::{Column, Factor, Factors, Kind, Level, Quantile};
pub use grid::Grid;
pub(crate) use hash::child as child_key;
pub use kernel::{ColumnKernelIndices, Kernel, KernelIndices, kernel_indices};
pub use morris::{FactorEffects, MorrisDesign, MorrisEffects, MorrisPlan, Steps, morris_effects};
pub use points::{LatinHypercube, SOBOL_DIMENSIONS, SOBOL_POINTS, SobolPoints};
pub use replicate::Estimate;
pub use shapley::{ShapleyDesign, ShapleyEffects, ShapleyPlan, shapley_effects};
pub use sobol::{
    ColumnIndices, Intervals, PairIndex, SobolDesign, SobolIndices, SobolOptions, SobolPlan,
    sobol_indices,
};
pub use study::{Stop, Study, grow_until_settled};

#[cfg(test)]
mod testbed;
#[cfg(test)]
mod tests;
