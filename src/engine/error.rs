//! What can go wrong during a run.

/// A run that cannot go on. It names the run and the simulated date, so that the run can be traced by its number.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("run {run}, {date}: {site} {problem}")]
pub struct RunError {
    /// Number of the run.
    pub run: u64,
    /// Simulated date.
    pub date: String,
    /// The formula, for example `process.plots.hazard`.
    pub site: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The same within the engine: small, because hardly any step comes to it.
pub(super) type Fault = Box<RunError>;

/// What is wrong with a formula's value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    #[error(
        "is {0}: a formula must come to a finite number (guard divisions, logarithms and exponentials)"
    )]
    NotFinite(f64),
    #[error("is {0}: a hazard cannot be negative (write max(0, ...))")]
    NegativeHazard(f64),
    #[error(
        "cannot be bounded, so its waiting time cannot be drawn (guard divisions and logarithms, or use clamp)"
    )]
    Unbounded,
    #[error("is {hazard} where it was bounded by {bound}: please report this scenario")]
    BoundBroken { hazard: f64, bound: f64 },
    #[error("is {0}: a probability lies between 0 and 1")]
    NotAProbability(f64),
    #[error("has probabilities that add up to {0}, which is more than 1")]
    ProbabilitiesExceedOne(f64),
    #[error("is {0}: rationality cannot be negative")]
    NegativeRationality(f64),
    #[error("is {0}: a weight cannot be negative")]
    NegativeWeight(f64),
    #[error("came to {0}, but must be 0 or more")]
    NegativeDraw(f64),
    #[error("{0}")]
    Distribution(Box<crate::distribution::DistributionError>),
}
