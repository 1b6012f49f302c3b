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
//! | [`clustered`] | the mean of a metric over runs that share worlds |
//! | [`matched_pairs`] | the difference of two probabilities from runs in pairs |
//! | [`paired`] | differences under common random numbers, exactly mergeable |
//! | [`decision`] | which of several settings is best, and how robust it is across worlds |
//! | [`special`] | the distribution functions that the others need |
//! | [`worlds`] | parameter uncertainty apart from chance |
//! | [`deconvolution`] | the distribution of a probability behind binomial counts |
//! | [`precision`] | sequential stopping at a target width |
//! | [`hypothesis`] | significance tests |
//! | [`scores`] | proper scores of forecasts, and what few cases say about a difference |

pub mod clustered;
pub mod decision;
pub mod deconvolution;
pub mod exact_sum;
pub mod hypothesis;
pub mod interval;
pub mod matched_pairs;
pub mod mean;
pub mod moments;
pub mod paired;
pub mod precision;
pub mod proportion;
pub mod scores;
pub mod sketch;
pub mod special;
pub mod worlds;
