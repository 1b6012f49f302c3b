//! Statistics of simulated outcomes: sums and sketches that merge exactly, estimates with their
//! intervals, and the rule that says when enough has been simulated.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`exact_sum`] | sums of `f64` that do not depend on order or grouping |
//! | [`moments`] | count, mean, variance, smallest and largest value |
//! | [`sketch`] | quantiles in flat memory |
//! | [`interval`] | a lower and an upper end |
//! | [`proportion`] | intervals of a probability from independent runs |
//! | [`mean`] | Student's interval of a mean |
//! | [`special`] | the distribution functions that the others need |
//! | [`worlds`] | parameter uncertainty apart from chance |
//! | [`deconvolution`] | the distribution of a probability behind binomial counts |
//! | [`precision`] | sequential stopping at a target width |
//! | [`hypothesis`] | significance tests |
//! | [`scores`] | proper scores of forecasts, and what few cases say about a difference |

pub mod deconvolution;
pub mod exact_sum;
pub mod hypothesis;
pub mod interval;
pub mod mean;
pub mod moments;
pub mod precision;
pub mod proportion;
pub mod scores;
pub mod sketch;
pub mod special;
pub mod worlds;
