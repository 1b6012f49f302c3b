//! Quantiles of a stream in flat memory.
//!
//! A mergeable histogram of fixed relative bin width, after C. Masson, J. E. Rim and H. K. Lee,
//! "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", PVLDB 12
//! (2019), with the bins read off the bit pattern of the value (128 bins a binade) and the uniform
//! collapse of I. Epicoco, C. Melle, M. Cafaro, M. Pulimeno and G. Morleo, "UDDSketch: accurate
//! tracking of quantiles in data streams", IEEE Access 8 (2020).

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::interval::Interval;
use super::special::binomial_quantile;

/// Bins kept for each sign.
pub const MAX_BINS: usize = 2048;
/// Low bits of an `f64` that a bin forgets: 7 of the 52 mantissa bits stay, 128 bins a binade.
const FORGOTTEN_BITS: u32 = 45;
/// At this level one bin holds every value.
const MAX_LEVEL: u32 = 64 - FORGOTTEN_BITS;

/// Histogram of finite values from which quantiles are read.
///
/// Bins are 1/128 of a binade wide, so a quantile is within 0.4 % of an exact order statistic (for sizes
/// above 2.3e-308, where `f64` has its full precision). A bin
/// also keeps its smallest and largest value: the ends of a bin are reported exactly, and so is
/// every value that is alone in its bin, e.g. integers up to 256.
///
/// **Memory.** Each sign holds at most [`MAX_BINS`] bins (16 binades densely filled). Beyond that
/// all bins of that sign are joined in pairs, doubling their width, as often as it takes; then
/// [`relative_accuracy`](Self::relative_accuracy) says what is left. The number of joins depends
/// only on which values were seen, so the sketch is the same for every order and grouping:
/// [`merge`](Self::merge) is exact, commutative and associative.
///
/// **Non-finite values** are a caller's error: they are left out, and [`rejected`](Self::rejected)
/// counts them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileSketch {
    negative: Side,
    zeros: u64,
    positive: Side,
    rejected: u64,
}

/// The values of one sign, by size.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Side {
    /// How often bins have been joined in pairs.
    level: u32,
    /// Sorted by index, no index twice, no empty bin.
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bin {
    index: u32,
    count: u64,
    min: f64,
    max: f64,
}

impl Bin {
    fn absorb(&mut self, other: &Bin) {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Estimate of the order statistic at 0-based `rank` in the bin.
    ///
    /// The first and last are known. In between it is the harmonic mean of the ends, which is off
    /// by the same relative error at both.
    fn value_at(&self, rank: u64) -> f64 {
        if rank == 0 {
            self.min
        } else if rank + 1 >= self.count || self.min == self.max {
            self.max
        } else {
            // Halving one factor first keeps the product's scale: min / (1/2 + min / (2 max)).
            self.min / (0.5 + 0.5 * (self.min / self.max))
        }
    }

    /// How many of the bin's values are at most `x`, taking them as evenly spread.
    fn count_at_most(&self, x: f64) -> f64 {
        let count = self.count as f64;
        if x >= self.max {
            count
        } else if x < self.min {
            0.0
        } else {
            // The smallest is at most x, the largest is not.
            1.0 + (count - 2.0).max(0.0) * ((x - self.min) / (self.max - self.min))
        }
    }
}

/// Working memory for adding many values at once.
#[derive(Clone, Debug, Default)]
pub struct Room {
    negative: Vec<f64>,
    positive: Vec<f64>,
    bins: Vec<Bin>,
}

impl Side {
    fn index(&self, size: f64) -> u32 {
        ((size.to_bits() >> FORGOTTEN_BITS) >> self.level) as u32
    }

    fn add(&mut self, size: f64) {
        let index = self.index(size);
        let bin = Bin {
            index,
            count: 1,
            min: size,
            max: size,
        };
        match self.bins.binary_search_by_key(&index, |bin| bin.index) {
            Ok(position) => self.bins[position].absorb(&bin),
            Err(position) => {
                self.bins.insert(position, bin);
                self.collapse();
            }
        }
    }

    /// As [`Side::add`] of each, by way of a bin for every index from the least to the greatest; `bins` is working memory.
    fn add_all(&mut self, sizes: &[f64], bins: &mut Vec<Bin>) {
        let Some(&first) = sizes.first() else {
            return;
        };
        let (mut least, mut greatest) = (first, first);
        for &size in sizes {
            least = if size < least { size } else { least };
            greatest = if size > greatest { size } else { greatest };
        }
        let first = self.index(least);
        let span = (self.index(greatest) - first) as usize + 1;
        // Few values far apart would leave most of the bins empty.
        if span > (8 * sizes.len()).min(MAX_BINS) {
            sizes.iter().for_each(|&size| self.add(size));
            return;
        }
        let empty = Bin {
            index: 0,
            count: 0,
            min: f64::INFINITY,
            max: 0.0,
        };
        bins.clear();
        bins.resize(span, empty);
        for &size in sizes {
            let index = self.index(size);
            let bin = &mut bins[(index - first) as usize];
            bin.index = index;
            bin.count += 1;
            bin.min = if size < bin.min { size } else { bin.min };
            bin.max = if size > bin.max { size } else { bin.max };
        }
        bins.retain(|bin| bin.count > 0);
        self.take_in(bins);
        self.collapse();
    }

    /// Adds bins of the same level, sorted by index, no index twice. What is left in `sorted` afterwards means nothing.
    fn take_in(&mut self, sorted: &mut [Bin]) {
        let Some(first) = sorted.first() else {
            return;
        };
        if self.bins.is_empty() {
            self.bins.extend_from_slice(sorted);
            return;
        }
        let mut at = (self.bins).partition_point(|bin| bin.index < first.index);
        let mut missing = 0;
        for next in 0..sorted.len() {
            let bin = sorted[next];
            while self.bins.get(at).is_some_and(|mine| mine.index < bin.index) {
                at += 1;
            }
            match self.bins.get_mut(at) {
                Some(mine) if mine.index == bin.index => mine.absorb(&bin),
                _ => {
                    sorted[missing] = bin;
                    missing += 1;
                }
            }
        }
        // From the last to the first, so that nothing is written over before it has moved.
        let mut mine = self.bins.len();
        self.bins.extend_from_slice(&sorted[..missing]);
        while missing > 0 {
            let bin = sorted[missing - 1];
            if mine > 0 && self.bins[mine - 1].index > bin.index {
                self.bins[mine + missing - 1] = self.bins[mine - 1];
                mine -= 1;
            } else {
                self.bins[mine + missing - 1] = bin;
                missing -= 1;
            }
        }
    }

    fn merge(&mut self, other: &Side) {
        let mut other = other.clone();
        while other.level < self.level {
            other.join_pairs();
        }
        while self.level < other.level {
            self.join_pairs();
        }
        self.take_in(&mut other.bins);
        self.collapse();
    }

    fn collapse(&mut self) {
        while self.bins.len() > MAX_BINS {
            self.join_pairs();
        }
    }

    fn join_pairs(&mut self) {
        self.level += 1;
        for bin in &mut self.bins {
            bin.index >>= 1;
        }
        self.join_equal();
    }

    fn join_equal(&mut self) {
        self.bins.dedup_by(|next, kept| {
            let same = next.index == kept.index;
            if same {
                kept.absorb(next);
            }
            same
        });
    }

    fn count(&self) -> u64 {
        self.bins.iter().map(|bin| bin.count).sum()
    }

    /// Half the relative width of a bin: the most that [`Bin::value_at`] can be off.
    fn relative_accuracy(&self) -> f64 {
        let steps = libm::ldexp(1.0, self.level as i32 - 7);
        if steps <= 1.0 {
            // From 1 to 1 + steps, against the harmonic mean.
            steps / (2.0 + steps)
        } else {
            // Whole binades are joined: from 1 to 2^steps.
            let ratio = libm::exp2(steps);
            if ratio.is_finite() {
                (ratio - 1.0) / (ratio + 1.0)
            } else {
                1.0
            }
        }
    }
}

impl QuantileSketch {
    /// No values yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one value; a non-finite one is only counted as rejected.
    pub fn add(&mut self, x: f64) {
        if !x.is_finite() {
            self.rejected += 1;
        } else if x > 0.0 {
            self.positive.add(x);
        } else if x < 0.0 {
            self.negative.add(-x);
        } else {
            self.zeros += 1;
        }
    }

    /// Adds many values, as [`add`](Self::add) adds each; `room` is working memory.
    pub fn add_all(&mut self, values: &[f64], room: &mut Room) {
        // Most often all values are finite and above 0: as whole numbers, their bits then lie between those of 0 and of infinity,
        // and neither difference has its sign bit set.
        const INFINITY: i64 = f64::INFINITY.to_bits() as i64;
        let signs = values.iter().fold(0, |signs, x| {
            let bits = x.to_bits() as i64;
            signs | bits.wrapping_sub(1) | (INFINITY - 1).wrapping_sub(bits)
        });
        if signs >= 0 {
            self.positive.add_all(values, &mut room.bins);
            return;
        }
        room.negative.clear();
        room.positive.clear();
        for &x in values {
            if !x.is_finite() {
                self.rejected += 1;
            } else if x > 0.0 {
                room.positive.push(x);
            } else if x < 0.0 {
                room.negative.push(-x);
            } else {
                self.zeros += 1;
            }
        }
        self.positive.add_all(&room.positive, &mut room.bins);
        self.negative.add_all(&room.negative, &mut room.bins);
    }

    /// Adds everything that `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.negative.merge(&other.negative);
        self.zeros += other.zeros;
        self.positive.merge(&other.positive);
        self.rejected += other.rejected;
    }

    /// Number of finite values.
    pub fn count(&self) -> u64 {
        self.negative.count() + self.zeros + self.positive.count()
    }

    /// Number of non-finite values that were left out.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Largest relative error of a reported order statistic: 1/257 as long as no bins were joined.
    pub fn relative_accuracy(&self) -> f64 {
        self.negative
            .relative_accuracy()
            .max(self.positive.relative_accuracy())
    }

    /// The `p`-quantile, `p` in `[0, 1]`: the smallest value that at least a share `p` of the values
    /// does not exceed (the inverse of the empirical distribution function). `None` without values.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = libm::ceil(p * count as f64) as u64;
        Some(self.order_statistic(rank.clamp(1, count) - 1))
    }

    /// Distribution-free interval of the `p`-quantile at `level`, from independent values: the order
    /// statistics between which the quantile lies with probability at least `level`, each tail at
    /// most half of the rest, by the exact binomial distribution of ranks.
    ///
    /// An end is infinite where the sample is too small to bound that side. `None` without values.
    ///
    /// Source: H. A. David and H. N. Nagaraja, "Order Statistics", 3rd edition (2003), section 7.1.
    pub fn quantile_interval(&self, p: f64, level: f64) -> Option<Interval> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let tail = (1.0 - level) / 2.0;
        // With K values below the quantile, X_(l) is above it only if K < l, X_(u) below only if
        // K >= u; ranks are 1-based.
        let lower = binomial_quantile(tail, count, p);
        let upper = binomial_quantile(1.0 - tail, count, p) + 1;
        let low = if lower == 0 {
            f64::NEG_INFINITY
        } else {
            self.order_statistic(lower - 1)
        };
        let high = if upper > count {
            f64::INFINITY
        } else {
            self.order_statistic(upper - 1)
        };
        Some(Interval::new(low, high))
    }

    /// Share of the values that are at most `x`; exact unless `x` falls inside a bin. `None` without
    /// values.
    pub fn fraction_at_most(&self, x: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let mut at_most = 0.0;
        for bin in &self.negative.bins {
            // Values below -x in size are above x: mirror the bin.
            let mirrored = Bin {
                min: -bin.max,
                max: -bin.min,
                ..*bin
            };
            at_most += mirrored.count_at_most(x);
        }
        if x >= 0.0 {
            at_most += self.zeros as f64;
        }
        for bin in &self.positive.bins {
            at_most += bin.count_at_most(x);
        }
        Some(at_most / count as f64)
    }

    /// The value at 0-based `rank` in ascending order, `rank < count`.
    fn order_statistic(&self, rank: u64) -> f64 {
        let mut rest = rank;
        for bin in self.negative.bins.iter().rev() {
            if rest < bin.count {
                return -bin.value_at(bin.count - 1 - rest);
            }
            rest -= bin.count;
        }
        if rest < self.zeros {
            return 0.0;
        }
        rest -= self.zeros;
        let mut last = 0.0;
        for bin in &self.positive.bins {
            if rest < bin.count {
                return bin.value_at(rest);
            }
            rest -= bin.count;
            last = bin.max;
        }
        debug_assert!(false, "rank {rank} of {}", self.count());
        last
    }
}

impl<'de> Deserialize<'de> for Side {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Stored {
            level: u32,
            bins: Vec<Bin>,
        }
        let Stored { level, bins } = Stored::deserialize(deserializer)?;
        let belongs = |bin: &Bin, x: f64| {
            x > 0.0
                && x.is_finite()
                && (x.to_bits() >> FORGOTTEN_BITS) >> level == u64::from(bin.index)
        };
        let sound = level <= MAX_LEVEL
            && bins.len() <= MAX_BINS
            && bins.iter().all(|bin| bin.count > 0 && bin.min <= bin.max)
            && bins
                .iter()
                .all(|bin| belongs(bin, bin.min) && belongs(bin, bin.max))
            && bins.windows(2).all(|pair| pair[0].index < pair[1].index);
        if !sound {
            return Err(D::Error::custom("not the bins of a quantile sketch"));
        }
        Ok(Self { level, bins })
    }
}

#[cfg(test)]
mod tests;
