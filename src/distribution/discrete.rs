//! A finite list of values with weights.

use super::DistributionError;
use super::family::LARGEST;

/// A distribution on finitely many values.
#[derive(Clone, Debug, PartialEq)]
pub struct Discrete {
    /// Increasing.
    values: Vec<f64>,
    /// `cumulative[i]` is the probability of a value at most `values[i]`; the last is 1.
    cumulative: Vec<f64>,
}

impl Discrete {
    /// Each value has a probability in proportion to its weight. The values may come in any order.
    ///
    /// # Errors
    ///
    /// No value, lists of different lengths, a value that is repeated or not finite, a weight that
    /// is negative or not finite, or weights that are all zero.
    pub fn new(values: &[f64], weights: &[f64]) -> Result<Discrete, DistributionError> {
        if values.is_empty() {
            return Err(DistributionError::NoValues);
        }
        if values.len() != weights.len() {
            return Err(DistributionError::WeightCount {
                values: values.len(),
                weights: weights.len(),
            });
        }
        for (index, (&value, &weight)) in values.iter().zip(weights).enumerate() {
            if !(-LARGEST..=LARGEST).contains(&value) {
                return Err(DistributionError::Value { index, value });
            }
            if !(0.0..=LARGEST).contains(&weight) {
                return Err(DistributionError::Weight {
                    index,
                    value: weight,
                });
            }
        }
        let mut pairs: Vec<(f64, f64)> = values
            .iter()
            .copied()
            .zip(weights.iter().copied())
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(DistributionError::Repeated { value: twice[0].0 });
        }
        pairs.retain(|pair| pair.1 > 0.0);
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = Vec::with_capacity(pairs.len());
        for (_, weight) in &pairs {
            sum += weight;
            cumulative.push(sum);
        }
        if !(sum > 0.0 && sum <= f64::MAX) {
            return Err(DistributionError::WeightSum { sum });
        }
        for c in &mut cumulative {
            *c /= sum;
        }
        Ok(Discrete {
            values: pairs.into_iter().map(|pair| pair.0).collect(),
            cumulative,
        })
    }

    /// The values in increasing order, each with its probability (above 0).
    pub fn atoms(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let below = std::iter::once(0.0).chain(self.cumulative.iter().copied());
        let probabilities = self
            .cumulative
            .iter()
            .zip(below)
            .map(|(c, below)| c - below);
        self.values.iter().copied().zip(probabilities)
    }

    /// The smallest value `x` with `cdf(x) >= u`, for `u` in the open interval (0, 1).
    pub fn quantile(&self, u: f64) -> f64 {
        debug_assert!(u > 0.0 && u < 1.0, "quantile of {u}");
        let index = self.cumulative.partition_point(|&c| c < u);
        self.values[index.min(self.values.len() - 1)]
    }

    /// The probability of a value at most `x`.
    pub fn cdf(&self, x: f64) -> f64 {
        match self.values.partition_point(|&value| value <= x) {
            0 => 0.0,
            count => self.cumulative[count - 1],
        }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        let mut below = 0.0;
        let mut mean = 0.0;
        for (value, c) in self.values.iter().zip(&self.cumulative) {
            mean += value * (c - below);
            below = *c;
        }
        mean
    }

    /// The smallest and the largest value of positive weight.
    pub fn support(&self) -> (f64, f64) {
        (self.values[0], self.values[self.values.len() - 1])
    }
}
