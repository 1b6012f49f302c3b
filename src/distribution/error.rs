//! What can be wrong with the numbers of a distribution.

use super::Family;

/// Why numbers do not make a distribution, and what to change. Plain numbers and static strings:
/// making one allocates nothing.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum DistributionError {
    /// Too few or too many numbers for the family.
    #[error("{} takes {required} to {} numbers, {}, but {found} were given", .family.name(), .family.parameters().len(), .family.signature())]
    Count {
        /// The family.
        family: Family,
        /// How many of its parameters have no default.
        required: usize,
        /// How many numbers were given.
        found: usize,
    },
    /// One number is out of its range.
    #[error("{}: {parameter} is {value}; give {requirement}", .family.name())]
    Parameter {
        /// The family.
        family: Family,
        /// The name of the parameter.
        parameter: &'static str,
        /// Its value.
        value: f64,
        /// What is accepted.
        requirement: &'static str,
    },
    /// Two numbers are in the wrong order.
    #[error("{}: {lower} is {lower_value} and {upper} is {upper_value}; {advice}", .family.name())]
    Order {
        /// The family.
        family: Family,
        /// The name of the parameter that must be the lower one.
        lower: &'static str,
        /// Its value.
        lower_value: f64,
        /// The name of the parameter that must be the upper one.
        upper: &'static str,
        /// Its value.
        upper_value: f64,
        /// What to do.
        advice: &'static str,
    },
    /// The truncation leaves (almost) nothing of the distribution.
    #[error("{}: less than 1e-280 of the probability lies between low = {low} and high = {high}; widen the interval or move the distribution into it", .family.name())]
    Empty {
        /// The family.
        family: Family,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// A discrete distribution without values.
    #[error("discrete: values is empty; give at least one value")]
    NoValues,
    /// The lists of values and weights differ in length.
    #[error(
        "discrete: there are {values} values and {weights} weights; give one weight for each value"
    )]
    WeightCount {
        /// The number of values.
        values: usize,
        /// The number of weights.
        weights: usize,
    },
    /// A value that is not a number or is too large.
    #[error("discrete: values[{index}] is {value}; give a number between -1e150 and 1e150")]
    Value {
        /// Position in the list of values.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A value that is listed twice.
    #[error(
        "discrete: the value {value} is listed more than once; list it once with the sum of its weights"
    )]
    Repeated {
        /// The value.
        value: f64,
    },
    /// A weight that is negative, not a number or too large.
    #[error("discrete: weights[{index}] is {value}; give a number from 0 to 1e150")]
    Weight {
        /// Position in the list of weights.
        index: usize,
        /// The weight.
        value: f64,
    },
    /// The weights add up to zero or overflow.
    #[error(
        "discrete: the weights add up to {sum}; give at least one positive weight and a finite sum"
    )]
    WeightSum {
        /// The sum of the weights.
        sum: f64,
    },
}
