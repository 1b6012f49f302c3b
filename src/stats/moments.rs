//! Count, mean and variance of a metric, merged without rounding.

use serde::{Deserialize, Serialize};

use super::exact_sum::ExactSum;

/// Count, exact sum, exact sum of squares, smallest and largest of a stream of finite values.
///
/// Merging is commutative and associative to the last bit: all five parts are exact. Squares are
/// added as exact products, which holds for values whose size is zero or between 1e-145 and 1e145;
/// beyond these the square loses accuracy below 1e-300 or becomes infinite.
///
/// A non-finite value makes the sums non-finite (see [`ExactSum`]) and every moment NaN or infinite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    count: u64,
    sum: ExactSum,
    sum_of_squares: ExactSum,
    range: Option<(f64, f64)>,
}

impl Default for Moments {
    fn default() -> Self {
        Self::new()
    }
}

impl Moments {
    /// No values yet.
    pub fn new() -> Self {
        Self {
            count: 0,
            sum: ExactSum::new(),
            sum_of_squares: ExactSum::new(),
            range: None,
        }
    }

    /// Adds one value.
    pub fn add(&mut self, x: f64) {
        self.count += 1;
        self.sum.add(x);
        self.sum_of_squares.add_product(x, x);
        // A zero has one sign here, so that the range does not depend on which zero came first.
        let x = if x == 0.0 { 0.0 } else { x };
        self.widen(x, x);
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum.merge(&other.sum);
        self.sum_of_squares.merge(&other.sum_of_squares);
        if let Some((min, max)) = other.range {
            self.widen(min, max);
        }
    }

    fn widen(&mut self, min: f64, max: f64) {
        self.range = Some(match self.range {
            None => (min, max),
            Some((low, high)) => (low.min(min), high.max(max)),
        });
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum, correctly rounded.
    pub fn sum(&self) -> f64 {
        self.sum.value()
    }

    /// Smallest value, if there is any.
    pub fn min(&self) -> Option<f64> {
        self.range.map(|(min, _)| min)
    }

    /// Largest value, if there is any.
    pub fn max(&self) -> Option<f64> {
        self.range.map(|(_, max)| max)
    }

    /// Arithmetic mean; `None` without values.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum.value() / self.count as f64)
    }

    /// Sum of squared deviations from the mean, `S2 - S1^2 / n`; `None` without values.
    ///
    /// The difference `n S2 - S1^2` loses every digit in plain arithmetic when the mean is large
    /// against the spread, so it is formed from exact products of four-part expansions (212 bits)
    /// and rounded once.
    pub fn sum_of_squared_deviations(&self) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        let n = self.count as f64;
        let sum: [f64; 4] = self.sum.expansion();
        let squares: [f64; 4] = self.sum_of_squares.expansion();
        let mut difference = ExactSum::new();
        // Most sums need one part; the others are zero.
        let present = |part: &f64| *part != 0.0;
        for square in squares.into_iter().filter(present) {
            difference.add_product(n, square);
        }
        for a in sum.into_iter().filter(present) {
            for b in sum.into_iter().filter(present) {
                difference.add_product(-a, b);
            }
        }
        Some((difference.value() / n).max(0.0))
    }

    /// Unbiased sample variance, `(S2 - S1^2 / n) / (n - 1)`; `None` below two values.
    pub fn variance(&self) -> Option<f64> {
        if self.count < 2 {
            return None;
        }
        let deviations = self.sum_of_squared_deviations()?;
        Some(deviations / (self.count - 1) as f64)
    }

    /// Square root of the sample variance; `None` below two values.
    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Standard error of the mean of independent values, `sd / sqrt(n)`; `None` below two values.
    pub fn standard_error(&self) -> Option<f64> {
        self.variance().map(|v| (v / self.count as f64).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn moments_of(values: &[f64]) -> Moments {
        let mut moments = Moments::new();
        for &x in values {
            moments.add(x);
        }
        moments
    }

    /// Two passes on values whose offset is known exactly, so the reference sees no cancellation.
    fn variance_of(deviations: &[f64]) -> f64 {
        let n = deviations.len() as f64;
        let mean = deviations.iter().sum::<f64>() / n;
        deviations
            .iter()
            .map(|d| (d - mean) * (d - mean))
            .sum::<f64>()
            / (n - 1.0)
    }

    #[test]
    fn a_large_mean_does_not_spoil_the_variance() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        for offset in [1e9, 1e12, 1e15] {
            // Multiples of 1/8 add to 1e15 without rounding.
            let deviations: Vec<f64> = (0..4000)
                .map(|_| f64::from(rng.random_range(-16i32..=16)) / 8.0)
                .collect();
            let shifted: Vec<f64> = deviations.iter().map(|d| d + offset).collect();
            let expected = variance_of(&deviations);
            let variance = moments_of(&shifted).variance().unwrap();
            assert!(
                (variance / expected - 1.0).abs() < 1e-12,
                "{offset}: {variance} {expected}"
            );
            // The textbook formula fails on the same data, so the test can fail.
            let n = shifted.len() as f64;
            let (s1, s2) = shifted
                .iter()
                .fold((0.0, 0.0), |(a, b), x| (a + x, b + x * x));
            let naive: f64 = (s2 - s1 * s1 / n) / (n - 1.0);
            assert!((naive / expected - 1.0).abs() > 1e-3);
        }
    }

    #[test]
    fn known_moments() {
        let moments = moments_of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(moments.mean(), Some(5.0));
        assert_eq!(moments.sum_of_squared_deviations(), Some(32.0));
        assert_eq!(moments.variance(), Some(32.0 / 7.0));
        assert_eq!(moments.standard_error(), Some((32.0f64 / 7.0 / 8.0).sqrt()));
        assert_eq!((moments.min(), moments.max()), (Some(2.0), Some(9.0)));
    }

    #[test]
    fn too_few_values_have_no_moments() {
        let mut moments = Moments::new();
        assert_eq!(
            (moments.mean(), moments.variance(), moments.min()),
            (None, None, None)
        );
        moments.add(0.1);
        assert_eq!((moments.mean(), moments.variance()), (Some(0.1), None));
        moments.add(0.1);
        assert_eq!(moments.variance(), Some(0.0));
    }

    proptest! {
        #[test]
        fn merging_is_exact(values in prop::collection::vec(-1e9f64..1e9, 0..80), cut in 0usize..80) {
            let whole = moments_of(&values);
            let (left, right) = values.split_at(cut.min(values.len()));
            let mut forward = moments_of(left);
            forward.merge(&moments_of(right));
            let mut backward = moments_of(right);
            backward.merge(&moments_of(left));
            prop_assert_eq!(&forward, &whole);
            prop_assert_eq!(&backward, &whole);
            prop_assert_eq!(forward.variance(), whole.variance());
        }
    }
}
