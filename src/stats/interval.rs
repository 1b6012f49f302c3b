//! A closed interval on the real line.

use serde::{Deserialize, Serialize};

/// A closed interval from `low` to `high`, in the unit of what it bounds.
///
/// An end is infinite where nothing bounds the quantity on that side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, contained.
    pub low: f64,
    /// Upper end, contained.
    pub high: f64,
}

impl Interval {
    /// The interval from `low` to `high`.
    pub fn new(low: f64, high: f64) -> Self {
        debug_assert!(low <= high, "an interval runs upwards: {low} > {high}");
        Self { low, high }
    }

    /// `high - low`.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Whether `x` lies inside, ends included.
    pub fn contains(&self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_belong_to_the_interval() {
        let interval = Interval::new(-1.0, 3.0);
        assert_eq!(interval.width(), 4.0);
        assert!(interval.contains(-1.0) && interval.contains(3.0));
        assert!(!interval.contains(3.1) && !interval.contains(f64::NAN));
    }
}
