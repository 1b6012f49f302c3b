//! The mean of a metric over runs that share worlds.

use serde::{Deserialize, Serialize};

use super::exact_sum::ExactSum;
use super::interval::Interval;
use super::mean::student_interval;

/// Sums over worlds from which a mean and its error are estimated when the number of values differs between worlds, as it
/// does for the day of a first event that some runs never see.
///
/// With `s_w` the sum and `n_w` the number of the values of world `w`, the mean is the ratio `r = S / N` of their totals, and
/// its variance over repetitions of the experiment is estimated by
/// `W / (W - 1) x sum over w of (s_w - r n_w)^2 / N^2`. When all `n_w` are equal that is the variance of the world means
/// over `W`.
///
/// Source: W. G. Cochran, "Sampling Techniques", 3rd edition (1977), section 2.11, the ratio estimator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusteredMean {
    worlds: u64,
    values: u64,
    sum: ExactSum,
    /// Sum of `s_w^2`.
    sum_squares: ExactSum,
    /// Sum of `s_w n_w`.
    products: ExactSum,
    /// Sum of `n_w^2`.
    count_squares: ExactSum,
}

impl ClusteredMean {
    /// No worlds yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a complete world with `count` values that add up to `sum`.
    pub fn add(&mut self, count: u64, sum: f64) {
        let n = count as f64;
        self.worlds += 1;
        self.values += count;
        self.sum.add(sum);
        self.sum_squares.add_product(sum, sum);
        self.products.add_product(sum, n);
        self.count_squares.add_product(n, n);
    }

    /// Adds all worlds of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.values += other.values;
        self.sum.merge(&other.sum);
        self.sum_squares.merge(&other.sum_squares);
        self.products.merge(&other.products);
        self.count_squares.merge(&other.count_squares);
    }

    /// Number of worlds.
    pub fn worlds(&self) -> u64 {
        self.worlds
    }

    /// Mean of all values; `None` without any.
    pub fn mean(&self) -> Option<f64> {
        (self.values > 0).then(|| self.sum.value() / self.values as f64)
    }

    /// Standard error of the mean over repetitions with other worlds and other runs; `None` without values or below two worlds.
    pub fn standard_error(&self) -> Option<f64> {
        let ratio = self.mean()?;
        if self.worlds < 2 {
            return None;
        }
        let worlds = self.worlds as f64;
        let spread = self.squared_residuals(ratio) * (worlds / (worlds - 1.0));
        Some(spread.sqrt() / self.values as f64)
    }

    /// Student's interval of the mean at `level` in `(0, 1)`, with one degree of freedom less than there are worlds; `None` as
    /// for [`standard_error`](Self::standard_error).
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let df = self.worlds.checked_sub(1)? as f64;
        Some(student_interval(
            self.mean()?,
            self.standard_error()?,
            df,
            level,
        ))
    }

    /// `sum of s^2 - 2 r sum of s n + r^2 sum of n^2`, which loses its digits to cancellation unless the products are exact.
    fn squared_residuals(&self, ratio: f64) -> f64 {
        let mut ratio_squared = ExactSum::new();
        ratio_squared.add_product(ratio, ratio);
        let mut total = self.sum_squares.clone();
        for product in self.products.expansion::<4>() {
            total.add_product(-2.0 * ratio, product);
        }
        for factor in ratio_squared.expansion::<2>() {
            for square in self.count_squares.expansion::<4>() {
                total.add_product(factor, square);
            }
        }
        total.value().max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::stats::moments::Moments;
    use crate::stats::worlds::WorldMoments;

    #[test]
    fn equal_worlds_give_the_error_of_the_world_means() {
        let mut stream = Stream::from_state([1, 2, 3, 4]);
        let mut clustered = ClusteredMean::new();
        let mut worlds = WorldMoments::new(5);
        for _ in 0..40 {
            let level = 1e7 + stream.uniform();
            let mut moments = Moments::new();
            (0..5).for_each(|_| moments.add(level + stream.uniform()));
            clustered.add(moments.count(), moments.sum());
            worlds.add(&moments);
        }
        let (a, b) = (
            clustered.standard_error().unwrap(),
            worlds.standard_error().unwrap(),
        );
        assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
        assert_eq!(clustered.mean(), worlds.mean());
    }

    #[test]
    fn unequal_worlds_follow_the_formula() {
        let worlds = [(2, 5.0), (0, 0.0), (1, 4.0)];
        let mut clustered = ClusteredMean::new();
        for (count, sum) in worlds {
            clustered.add(count, sum);
        }
        // r = 3; residuals -1, 0, 1; W / (W - 1) = 3/2; N = 3.
        assert_eq!(clustered.mean(), Some(3.0));
        assert_eq!(clustered.standard_error(), Some(3.0f64.sqrt() / 3.0));
    }

    /// Repeated experiments in which worlds differ and runs drop out: the interval covers the ratio in 93-97 % of them, and the
    /// interval that takes runs as independent does not.
    #[test]
    fn covers_where_independence_does_not() {
        let mut stream = Stream::from_state([5, 6, 7, 8]);
        let (mut clustered_hits, mut plain_hits) = (0, 0);
        for _ in 0..1000 {
            let mut clustered = ClusteredMean::new();
            let mut plain = Moments::new();
            for _ in 0..60 {
                let (level, share) = (stream.uniform(), stream.uniform());
                let mut world = Moments::new();
                for _ in 0..10 {
                    if stream.uniform() < share {
                        world.add(level + 0.3 * stream.uniform());
                    }
                }
                clustered.add(world.count(), world.sum());
                plain.merge(&world);
            }
            clustered_hits += u32::from(clustered.interval(0.95).unwrap().contains(0.65));
            let interval = crate::stats::mean::mean_interval(&plain, 0.95).unwrap();
            plain_hits += u32::from(interval.contains(0.65));
        }
        assert!((930..=970).contains(&clustered_hits), "{clustered_hits}");
        assert!(plain_hits < 900, "{plain_hits}");
    }

    #[test]
    fn too_little_has_no_interval() {
        let mut clustered = ClusteredMean::new();
        assert_eq!((clustered.mean(), clustered.interval(0.95)), (None, None));
        clustered.add(3, 6.0);
        assert_eq!(
            (clustered.mean(), clustered.interval(0.95)),
            (Some(2.0), None)
        );
    }
}
