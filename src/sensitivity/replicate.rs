//! Intervals from independent replicates: the delete-one jackknife with Student's t.

use super::error::Error;
use super::hash::{child, unit};
use crate::math::{self, normal_quantile};
use crate::stats::special::{student_t_cdf, student_t_quantile};

/// Resamples that rank instability is judged by, where any number can be had.
pub(crate) const RESAMPLES: usize = 100;

/// An estimate with its interval. It may be negative even where the quantity cannot be: it is
/// shown as it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Confidence that this is above what a dummy factor, which the model does not see, gets from
    /// the same estimator; `None` for quantities that are not indices of a factor.
    pub above_dummy: Option<f64>,
}

impl Estimate {
    /// Width of the interval.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}

impl Estimate {
    /// Whether this is of an effect that showed at no point at all.
    pub(crate) fn never_showed(&self) -> bool {
        self.value == 0.0 && self.standard_error == 0.0
    }

    /// What is known of an effect that showed in none of `points` points: its estimate and error are
    /// zero, but it may show as often as would go unseen with probability (1 - level) / 2, and then be
    /// as large as `largest`.
    pub(crate) fn or_unseen(self, points: usize, largest: f64, level: f64) -> Self {
        if !self.never_showed() || !largest.is_finite() {
            return self;
        }
        Estimate {
            high: unseen_share(points, level) * largest,
            ..self
        }
    }
}

/// The largest share of points at which an effect may show that goes unseen at `points` independent points with
/// probability (1 - level) / 2.
pub(crate) fn unseen_share(points: usize, level: f64) -> f64 {
    1.0 - math::exp(math::ln(0.5 - 0.5 * level) / points as f64)
}

pub(crate) fn check_level(level: f64) -> Result<(), Error> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(Error::setting("level", "must be between 0 and 1"))
}

/// Sums of row moments of each replicate and how many rows are in each.
#[derive(Debug, Clone)]
pub(crate) struct ReplicateSums {
    pub(crate) moments: usize,
    /// `replicates x moments`.
    pub(crate) sums: Vec<f64>,
    /// Complete rows of each replicate.
    pub(crate) counts: Vec<usize>,
}

impl ReplicateSums {
    pub(crate) fn new(replicates: usize, moments: usize) -> Self {
        ReplicateSums {
            moments,
            sums: vec![0.0; replicates * moments],
            counts: vec![0; replicates],
        }
    }

    /// The sums that replicate `r` is to be added to.
    pub(crate) fn of(&mut self, r: usize) -> &mut [f64] {
        &mut self.sums[r * self.moments..(r + 1) * self.moments]
    }

    pub(crate) fn add(&mut self, other: &ReplicateSums) {
        for (sum, part) in self.sums.iter_mut().zip(&other.sums) {
            *sum += part;
        }
        for (count, part) in self.counts.iter_mut().zip(&other.counts) {
            *count += part;
        }
    }

    /// Mean moments over all replicates.
    pub(crate) fn mean(&self) -> Vec<f64> {
        self.mean_without(self.counts.len())
    }

    fn mean_without(&self, left_out: usize) -> Vec<f64> {
        let mut mean = vec![0.0; self.moments];
        let mut count = 0;
        for (r, sums) in self.sums.chunks(self.moments).enumerate() {
            if r != left_out {
                count += self.counts[r];
                for (m, sum) in mean.iter_mut().zip(sums) {
                    *m += sum;
                }
            }
        }
        for m in &mut mean {
            *m /= count as f64;
        }
        mean
    }

    /// Applies a function of the mean moments to all replicates and to all but one.
    ///
    /// Replicates without a complete row are not counted.
    pub(crate) fn jackknife(&self, f: impl Fn(&[f64]) -> Vec<f64>) -> Jackknife {
        let full = f(&self.mean());
        let used = (0..self.counts.len()).filter(|&r| self.counts[r] > 0);
        let leave_one_out = used.map(|r| f(&self.mean_without(r))).collect();
        Jackknife {
            full,
            leave_one_out,
        }
    }
}

/// Values of several statistics on all replicates and on all but one.
///
/// With theta_(r) the value without replicate r of R, the variance of the value on all is
/// (R - 1) / R sum (theta_(r) - mean)^2 (Efron & Stein 1981), and the interval is Student's t with
/// R - 1 degrees of freedom. Unlike the spread of R separate estimates, it does not carry the bias
/// of ratios on small samples.
pub(crate) struct Jackknife {
    pub(crate) full: Vec<f64>,
    pub(crate) leave_one_out: Vec<Vec<f64>>,
}

impl Jackknife {
    pub(crate) fn replicates(&self) -> usize {
        self.leave_one_out.len()
    }

    fn standard_error(&self, statistic: impl Fn(&[f64]) -> f64) -> f64 {
        let r = self.leave_one_out.len() as f64;
        let values: Vec<f64> = self.leave_one_out.iter().map(|v| statistic(v)).collect();
        let mean = values.iter().sum::<f64>() / r;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        ((r - 1.0) / r * squares).sqrt()
    }

    /// Estimate of statistic `i`; `dummy` is the number of the statistic that plays the dummy, or
    /// nothing where the dummy's value is exactly zero.
    pub(crate) fn estimate(&self, i: usize, level: f64, dummy: Dummy) -> Estimate {
        let freedom = self.leave_one_out.len() as f64 - 1.0;
        let value = self.full[i];
        let standard_error = self.standard_error(|v| v[i]);
        let half = student_t_quantile(0.5 + 0.5 * level, freedom) * standard_error;
        let above = |difference: f64, error: f64| {
            if error > 0.0 {
                student_t_cdf(difference / error, freedom)
            } else if difference > 0.0 {
                1.0
            } else if difference < 0.0 {
                0.0
            } else {
                0.5
            }
        };
        let above_dummy = match dummy {
            Dummy::None => None,
            Dummy::Zero => Some(above(value, standard_error)),
            Dummy::Statistic(d) => {
                let error = self.standard_error(|v| v[i] - v[d]);
                Some(above(value - self.full[d], error))
            }
        };
        Estimate {
            value,
            standard_error,
            low: value - half,
            high: value + half,
            above_dummy,
        }
    }

    /// Values with the spread of the full estimate, for statistics of several indices at once:
    /// the leave-one-out values moved away from their mean by (R - 1) / sqrt(R).
    pub(crate) fn pseudo_resamples(&self) -> Vec<Vec<f64>> {
        let r = self.leave_one_out.len() as f64;
        let scale = (r - 1.0) / r.sqrt();
        let mut mean = vec![0.0; self.full.len()];
        for values in &self.leave_one_out {
            for (m, v) in mean.iter_mut().zip(values) {
                *m += v / r;
            }
        }
        let spread = |values: &Vec<f64>| {
            let moved = values.iter().zip(&mean).zip(&self.full);
            moved.map(|((v, m), full)| full + scale * (v - m)).collect()
        };
        self.leave_one_out.iter().map(spread).collect()
    }
}

/// Percentile interval of statistic `i` from resamples (each a vector of all statistics).
pub(crate) fn percentile_estimate(
    value: f64,
    resamples: &[Vec<f64>],
    i: usize,
    level: f64,
    dummy: Dummy,
) -> Estimate {
    let values: Vec<f64> = resamples.iter().map(|v| v[i]).collect();
    let above_dummy = match dummy {
        Dummy::None => None,
        Dummy::Zero => Some(share_above(values.iter().copied())),
        Dummy::Statistic(d) => Some(share_above(resamples.iter().map(|v| v[i] - v[d]))),
    };
    percentiles(value, values, level, above_dummy)
}

/// Share of positive values; zeros count half.
pub(crate) fn share_above(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    let above: f64 = values
        .map(|v| {
            if v > 0.0 {
                1.0
            } else if v < 0.0 {
                0.0
            } else {
                0.5
            }
        })
        .sum();
    above / n
}

/// An estimate with the percentiles and the standard deviation of its resampled values.
pub(crate) fn percentiles(
    value: f64,
    mut resampled: Vec<f64>,
    level: f64,
    above_dummy: Option<f64>,
) -> Estimate {
    resampled.sort_by(f64::total_cmp);
    let n = resampled.len() as f64;
    let mean = resampled.iter().sum::<f64>() / n;
    let squares: f64 = resampled.iter().map(|v| (v - mean) * (v - mean)).sum();
    Estimate {
        value,
        standard_error: (squares / (n - 1.0)).sqrt(),
        low: quantile(&resampled, 0.5 - 0.5 * level),
        high: quantile(&resampled, 0.5 + 0.5 * level),
        above_dummy,
    }
}

/// Quantile of sorted values by linear interpolation (type 7 of Hyndman & Fan 1996).
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() - 1) as f64;
    let below = (at as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (at - below as f64) * (sorted[above] - sorted[below])
}

/// What an index is compared with.
#[derive(Clone, Copy)]
pub(crate) enum Dummy {
    None,
    Zero,
    Statistic(usize),
}

/// Rank stability of Sarrazin, Pianosi & Wagener (2016, eq. 5-6): the 95 % quantile over pairs of
/// resamples of the mean absolute change of rank, weighted by the square of the larger index.
/// Below 1 the order of the important factors is settled. Each resample has one index per factor.
pub(crate) fn rank_instability(resamples: &[Vec<f64>]) -> f64 {
    let ranks: Vec<Vec<f64>> = resamples.iter().map(|s| ranks_of(s)).collect();
    let mut changes = Vec::new();
    for j in 0..resamples.len() {
        for k in 0..j {
            let (mut change, mut total) = (0.0, 0.0);
            for i in 0..resamples[j].len() {
                let larger = resamples[j][i].max(resamples[k][i]);
                change += (ranks[j][i] - ranks[k][i]).abs() * larger * larger;
                total += larger * larger;
            }
            changes.push(if total > 0.0 { change / total } else { 0.0 });
        }
    }
    changes.sort_by(f64::total_cmp);
    let at = (0.95 * changes.len() as f64) as usize;
    changes
        .get(at.min(changes.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0.0)
}

/// Rank instability of estimates of which only the errors are known, as if they were independent.
pub(crate) fn instability_of_estimates(estimates: &[Estimate], key: u64) -> f64 {
    let resample = |number: u64| {
        let draw = |(i, e): (usize, &Estimate)| {
            let z = normal_quantile(unit(child(child(key, number), i as u64)));
            e.value + z * e.standard_error
        };
        estimates.iter().enumerate().map(draw).collect()
    };
    rank_instability(&(0..RESAMPLES as u64).map(resample).collect::<Vec<_>>())
}

impl Jackknife {
    /// Rank instability of some of the statistics.
    pub(crate) fn rank_instability(&self, statistics: &[usize]) -> f64 {
        let of = |v: &Vec<f64>| statistics.iter().map(|&i| v[i]).collect();
        let resamples: Vec<Vec<f64>> = self.pseudo_resamples().iter().map(of).collect();
        rank_instability(&resamples)
    }
}

fn ranks_of(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    let mut ranks = vec![0.0; values.len()];
    for (rank, &i) in order.iter().enumerate() {
        ranks[i] = rank as f64;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coverage of the 95 % interval of a ratio of means from 8 replicates, on 2,000 fixed studies:
    /// within 4 standard errors of a binomial (0.95 +- 0.0195). The mutant that takes a normal
    /// quantile in place of Student's t is outside.
    #[test]
    fn intervals_of_a_ratio_cover() {
        let (mut covered, mut normal_covered) = (0, 0);
        for study in 0..2000 {
            let mut sums = ReplicateSums::new(8, 2);
            for r in 0..8 {
                sums.counts[r] = 10;
                for row in 0..10 {
                    let key = child(child(study, r as u64), row);
                    let z = normal_quantile(unit(child(key, 0)));
                    let w = normal_quantile(unit(child(key, 1)));
                    sums.of(r)[0] += 3.0 + z + w;
                    sums.of(r)[1] += 2.0 + 0.3 * w;
                }
            }
            let jackknife = sums.jackknife(|m| vec![m[0] / m[1]]);
            let e = jackknife.estimate(0, 0.95, Dummy::None);
            covered += usize::from(e.low <= 1.5 && 1.5 <= e.high);
            normal_covered += usize::from((e.value - 1.5).abs() <= 1.96 * e.standard_error);
        }
        let rate = covered as f64 / 2000.0;
        assert!((rate - 0.95).abs() < 0.0195, "{rate}");
        let mutant = normal_covered as f64 / 2000.0;
        assert!((mutant - 0.95).abs() > 0.0195, "{mutant}");
    }

    #[test]
    fn rank_instability_is_zero_when_settled_and_large_when_not() {
        let settled = vec![
            vec![0.6, 0.3, 0.1],
            vec![0.55, 0.35, 0.1],
            vec![0.61, 0.3, 0.09],
        ];
        assert_eq!(rank_instability(&settled), 0.0);
        let swapped = vec![vec![0.5, 0.5001, 0.0], vec![0.5001, 0.5, 0.0]];
        assert!((rank_instability(&swapped) - 1.0).abs() < 1e-12);
    }
}
