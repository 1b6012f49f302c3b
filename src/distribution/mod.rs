//! Probability distributions of parameters, severities and delays.
//!
//! There is one way to sample: [`quantile`](Distribution::quantile) of one uniform. It is
//! increasing in the uniform, so two runs that share their uniforms stay as close as their
//! distributions allow (common random numbers), and a sample never uses more or fewer draws than
//! one.
//!
//! A [`Shape`] is a [`Family`] with its numbers; it is small and `Copy`, so one whose numbers are
//! computed during a run is made and checked on the spot, without allocation. A [`Distribution`]
//! is a shape or a [`Discrete`] list of values.
//!
//! ```
//! use flashpoint::distribution::{Family, Shape};
//!
//! let delay = Shape::new(Family::LogNormal, &[3.0, 0.5])?;
//! assert!((delay.quantile(0.5) - 3.0).abs() < 1e-12);
//! # Ok::<(), flashpoint::distribution::DistributionError>(())
//! ```

mod beta;
mod discrete;
mod error;
mod family;
mod normal;
mod power_law;
mod shape;

#[cfg(test)]
mod tests;

pub use discrete::Discrete;
pub use error::DistributionError;
pub use family::{Family, MAX_PARAMETERS, Parameter};
pub use shape::Shape;

/// A validated univariate distribution.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// A parametric family with its numbers.
    Shape(Shape),
    /// A finite list of values with weights.
    Discrete(Discrete),
}

impl Distribution {
    /// The value below which the distribution has probability `u`, for `u` in the open interval
    /// (0, 1): always finite, in the support, and non-decreasing in `u` (to rounding).
    pub fn quantile(&self, u: f64) -> f64 {
        match self {
            Distribution::Shape(shape) => shape.quantile(u),
            Distribution::Discrete(discrete) => discrete.quantile(u),
        }
    }

    /// The probability of a value at most `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        match self {
            Distribution::Shape(shape) => shape.cdf(x),
            Distribution::Discrete(discrete) => discrete.cdf(x),
        }
    }

    /// The mean, which may be infinite; `None` where it has no closed form.
    pub fn mean(&self) -> Option<f64> {
        match self {
            Distribution::Shape(shape) => shape.mean(),
            Distribution::Discrete(discrete) => Some(discrete.mean()),
        }
    }

    /// The smallest closed interval, possibly unbounded, that holds every value.
    pub fn support(&self) -> (f64, f64) {
        match self {
            Distribution::Shape(shape) => shape.support(),
            Distribution::Discrete(discrete) => discrete.support(),
        }
    }
}

impl From<Shape> for Distribution {
    fn from(shape: Shape) -> Distribution {
        Distribution::Shape(shape)
    }
}

impl From<Discrete> for Distribution {
    fn from(discrete: Discrete) -> Distribution {
        Distribution::Discrete(discrete)
    }
}
