//! Outer bounds of a formula by interval arithmetic.

use super::program::Program;

/// All values from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
    /// Whether the value may also be not-a-number. A bound with this set promises nothing.
    pub undefined: bool,
}

/// What a formula may read, as ranges.
pub trait Ranges {
    fn parameter(&self, index: u32) -> f64;
    fn stock(&self, slot: u32) -> Interval;
    fn rung(&self, pair: u32) -> Interval;
    fn time(&self) -> Interval;
}

impl Interval {
    /// Any value at all, not-a-number included.
    pub const UNKNOWN: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
        undefined: true,
    };
}

impl Program {
    /// Bounds of the value, over all values of what it reads in their ranges.
    pub fn bound<R: Ranges>(&self, _ranges: &R) -> Interval {
        Interval::UNKNOWN
    }
}
