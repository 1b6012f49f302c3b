//! Differences between a variant and its baseline when run r of one shares its random numbers with run r of the other.
//!
//! What the two have in common cancels, so the difference is known better than from independent runs (common random numbers:
//! A. M. Law, "Simulation Modeling and Analysis", 5th edition (2015), section 11.2). [`PairedIndicator`] is for outcomes that are
//! there or not, [`PairedMean`] for numbers. Both are exactly mergeable in any order, and both may know which runs share a world,
//! that is, a draw of the parameters: the Monte Carlo error of the difference is then worked out from worlds, since the runs of a
//! world are alike, and apart from it stands the [band](PairedIndicator::band), the spread of the difference between worlds.

use serde::{Deserialize, Serialize};

use super::clustered::ClusteredMean;
use super::interval::Interval;
use super::matched_pairs::{MatchedPairs, score, score_interval};
use super::mean::student_interval;
use super::moments::Moments;
use super::sketch::QuantileSketch;
use super::special::{normal_cdf, student_t_cdf, student_t_quantile, two_sided_z};
use super::worlds::{Band, WorldMoments};

/// A difference to the baseline, in the unit of the quantity; probabilities and their differences are shares, not percentages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Estimate for the baseline.
    pub baseline: f64,
    /// Estimate for the variant.
    pub variant: f64,
    /// Variant less baseline.
    pub difference: f64,
    /// Monte Carlo interval of the difference, at the level asked for.
    pub interval: Interval,
    /// Probability of a difference at least as large if there were none; two-sided. At most `1 - level` exactly when the
    /// interval at `level` leaves out 0; but see [`PairedIndicator::add_unknown`].
    pub p_value: f64,
    /// How many times more independent runs would be needed for an equally exact difference; infinite if the difference is the
    /// same in every pair, `None` where nothing varies at all.
    pub variance_reduction: Option<f64>,
}

/// How often an outcome was gained and lost against the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairedIndicator {
    pairs: MatchedPairs,
    /// Pairs of which it is not known what they came to.
    unknown: u64,
    worlds: Option<IndicatorWorlds>,
}

/// The same world by world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct IndicatorWorlds {
    /// R, pairs in each world.
    size: u32,
    /// Worlds by their net gain, from -R to R.
    nets: Vec<u64>,
    /// Worlds in which some pair differs.
    discordant: u64,
    /// Sum over worlds of the squared number of runs with the outcome.
    baseline_squares: u128,
    variant_squares: u128,
}

impl PairedIndicator {
    /// No pairs yet. `runs_per_world` is given when runs share worlds; zero is taken as one.
    pub fn new(runs_per_world: Option<u32>) -> Self {
        let worlds = runs_per_world.map(|size| {
            let size = size.max(1);
            IndicatorWorlds {
                size,
                nets: vec![0; 2 * size as usize + 1],
                discordant: 0,
                baseline_squares: 0,
                variant_squares: 0,
            }
        });
        Self {
            pairs: MatchedPairs::default(),
            unknown: 0,
            worlds,
        }
    }

    /// Says of so many of the pairs that a run of theirs was added as one without the outcome because nobody knows whether it has
    /// it. They can move the difference by their share at most. If that could bring an end of the interval to 0, there may be no
    /// difference at all, and the p-value is 1.
    pub fn add_unknown(&mut self, pairs: u64) {
        self.unknown += pairs;
    }

    /// Adds a complete world; where runs do not share worlds, any set of pairs.
    pub fn add(&mut self, world: &MatchedPairs) {
        self.pairs.merge(world);
        if let Some(worlds) = &mut self.worlds {
            debug_assert_eq!(world.pairs, u64::from(worlds.size));
            let size = i64::from(worlds.size);
            let cell = (world.net() + size).clamp(0, 2 * size);
            worlds.nets[cell as usize] += 1;
            worlds.discordant += u64::from(world.discordant() > 0);
            worlds.baseline_squares += u128::from(world.baseline()).pow(2);
            worlds.variant_squares += u128::from(world.variant()).pow(2);
        }
    }

    /// Adds everything that `other` has seen, which must have as many runs in each world.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.worlds.is_some(), other.worlds.is_some());
        self.pairs.merge(&other.pairs);
        self.unknown += other.unknown;
        if let (Some(mine), Some(theirs)) = (&mut self.worlds, &other.worlds) {
            debug_assert_eq!(mine.size, theirs.size);
            for (mine, theirs) in mine.nets.iter_mut().zip(&theirs.nets) {
                *mine += theirs;
            }
            mine.discordant += theirs.discordant;
            mine.baseline_squares += theirs.baseline_squares;
            mine.variant_squares += theirs.variant_squares;
        }
    }

    /// The pairs by what they came to.
    pub fn pairs(&self) -> &MatchedPairs {
        &self.pairs
    }

    /// Number of worlds, if runs share worlds.
    pub fn worlds(&self) -> Option<u64> {
        self.worlds.as_ref().map(IndicatorWorlds::count)
    }

    /// The difference with its Monte Carlo interval at `level` in `(0, 1)`: Tango's score interval, at the effective number of
    /// pairs and with Student's t where runs share worlds. `None` without pairs.
    ///
    /// The effective number is that of independent pairs with the same Monte Carlo error, between the number of worlds and that
    /// of pairs. The degrees of freedom are one less than the worlds, but at most three times the number of worlds in which some
    /// pair differs: the variance of a rare difference rests on those. Without any such pair the interval is that of as many
    /// pairs as there are worlds: a kind of world that would differ may have been missed.
    ///
    /// Measured coverage at 95 %. Of the worlds, a share differs from the baseline at all, with a gain that is uniform up to
    /// twice its mean:
    ///
    /// | worlds of 50 pairs | worlds that differ | mean gain there | this interval | Student on worlds | Tango on pairs |
    /// |---|---|---|---|---|---|
    /// | 20 | 1 | 0.2 | 0.952 | 0.949 | 0.598 |
    /// | 20 | 1 | 0.01 | 0.967 | 0.922 | 0.942 |
    /// | 20 | 0.3 | 0.2 | 0.951 | 0.911 | 0.411 |
    /// | 20 | 0.3 | 0.01 | 0.995 | 0.915 | 0.939 |
    /// | 20 | 0.05 | 0.05 | 1.000 | 0.551 | 0.878 |
    /// | 200 | 1 | 0.2 | 0.960 | 0.960 | 0.633 |
    /// | 200 | 1 | 0.01 | 0.957 | 0.944 | 0.937 |
    /// | 200 | 0.3 | 0.2 | 0.939 | 0.938 | 0.433 |
    /// | 200 | 0.05 | 0.05 | 0.952 | 0.908 | 0.658 |
    /// | 200 | 0.01 | 0.05 | 1.000 | 0.710 | 0.645 |
    ///
    /// (`print_coverage` in the tests prints it.) It errs on the wide side where few worlds show a difference.
    pub fn difference(&self, level: f64) -> Option<Difference> {
        let pairs = &self.pairs;
        if pairs.pairs == 0 {
            return None;
        }
        let n = pairs.pairs as f64;
        let (gained, lost) = (pairs.only_variant as f64, pairs.only_baseline as f64);
        let (effective, df) = match &self.worlds {
            None => (n, f64::INFINITY),
            Some(worlds) => (worlds.effective_pairs(pairs), worlds.degrees_of_freedom()),
        };
        let scale = effective / n;
        let (gained, lost) = (gained * scale, lost * scale);
        let deviate = two_sided_deviate(level, df);
        let interval = score_interval(gained, lost, effective, deviate);
        let distance = interval.low.max(-interval.high);
        let may_be_none = self.unknown > 0 && distance <= self.unknown as f64 / n;
        Some(Difference {
            baseline: pairs.baseline() as f64 / n,
            variant: pairs.variant() as f64 / n,
            difference: pairs.net() as f64 / n,
            interval,
            p_value: match may_be_none {
                true => 1.0,
                false => two_sided_p(score(gained, lost, effective, 0.0), df),
            },
            variance_reduction: self.variance_reduction(),
        })
    }

    fn variance_reduction(&self) -> Option<f64> {
        let pairs = &self.pairs;
        let (independent, paired) = match &self.worlds {
            None => {
                let n = pairs.pairs as f64;
                let variance = |p: f64| p * (1.0 - p);
                let net = pairs.net() as f64 / n;
                (
                    variance(pairs.baseline() as f64 / n) + variance(pairs.variant() as f64 / n),
                    pairs.discordant() as f64 / n - net * net,
                )
            }
            Some(worlds) => {
                let count = u128::from(worlds.count());
                let spread = |sum: u128, squares: u128| (count * squares - sum * sum) as f64;
                let baseline = spread(pairs.baseline().into(), worlds.baseline_squares);
                let variant = spread(pairs.variant().into(), worlds.variant_squares);
                (baseline + variant, worlds.spread(pairs))
            }
        };
        (independent > 0.0).then(|| independent / paired.max(0.0))
    }

    /// Median and central share `level` in `(0, 1)` of the true difference across worlds, the noise of their runs taken out.
    /// `None` if runs do not share worlds, or with less than two worlds or two runs in each.
    ///
    /// The observed differences of the worlds are drawn together towards their mean until their variance is that between
    /// worlds (the constrained empirical Bayes estimate of T. A. Louis, Journal of the American Statistical Association 79
    /// (1984)). Root mean square error of the 5 %, 50 % and 95 % quantiles, and in brackets that of the observed ones:
    ///
    /// | true differences | worlds of 50 pairs | 5 % | 50 % | 95 % |
    /// |---|---|---|---|---|
    /// | all 0.05 | 50 | 0.013 (0.045) | 0.005 (0.010) | 0.017 (0.057) |
    /// | all 0.05 | 500 | 0.008 (0.050) | 0.002 (0.010) | 0.009 (0.051) |
    /// | uniform from -0.1 to 0.2 | 50 | 0.021 (0.023) | 0.024 (0.025) | 0.024 (0.032) |
    /// | uniform from -0.1 to 0.2 | 500 | 0.009 (0.014) | 0.012 (0.012) | 0.015 (0.027) |
    /// | 70 % at 0, 30 % at 0.3 | 50 | 0.003 (0.000) | 0.017 (0.017) | 0.057 (0.064) |
    /// | 70 % at 0, 30 % at 0.3 | 500 | 0.003 (0.000) | 0.003 (0.000) | 0.054 (0.063) |
    ///
    /// (`print_band_accuracy` in the tests prints it.)
    pub fn band(&self, level: f64) -> Option<Band> {
        let worlds = self.worlds.as_ref()?;
        let chance = worlds.chance_variance(&self.pairs)?;
        let total = worlds.variance(&self.pairs)?;
        let mean = self.pairs.net() as f64 / self.pairs.pairs as f64;
        let factor = shrinkage(total, chance / f64::from(worlds.size));
        Some(shrunken_band(level, mean, factor, |p| worlds.quantile(p)))
    }

    /// Unbiased estimate of the variance of the true difference between worlds; it may come out negative. `None` as for
    /// [`band`](Self::band).
    pub fn between_variance(&self) -> Option<f64> {
        let worlds = self.worlds.as_ref()?;
        let chance = worlds.chance_variance(&self.pairs)?;
        Some(worlds.variance(&self.pairs)? - chance / f64::from(worlds.size))
    }
}

impl IndicatorWorlds {
    fn count(&self) -> u64 {
        self.nets.iter().sum()
    }

    /// Sum over worlds of the squared net gain.
    fn net_squares(&self) -> u128 {
        let size = i128::from(self.size);
        let cells = (-size..).zip(&self.nets);
        cells
            .map(|(net, &worlds)| net.unsigned_abs().pow(2) * u128::from(worlds))
            .sum()
    }

    /// `W sum of squared nets - (sum of nets)^2`.
    fn spread(&self, pairs: &MatchedPairs) -> f64 {
        let net = u128::from(pairs.net().unsigned_abs());
        (u128::from(self.count()) * self.net_squares() - net * net) as f64
    }

    /// Sample variance of the worlds' observed differences.
    fn variance(&self, pairs: &MatchedPairs) -> Option<f64> {
        let (worlds, size) = (self.count() as f64, f64::from(self.size));
        (worlds >= 2.0).then(|| self.spread(pairs) / (worlds * (worlds - 1.0) * size * size))
    }

    /// Variance of the difference of a pair within a world.
    fn chance_variance(&self, pairs: &MatchedPairs) -> Option<f64> {
        let (worlds, size) = (self.count(), u128::from(self.size));
        if worlds == 0 || size < 2 {
            return None;
        }
        // A world with d differing pairs and net gain g has a sample variance of (d - g^2 / R) / (R - 1).
        let products = size * u128::from(pairs.discordant()) - self.net_squares();
        Some(products as f64 / (worlds as f64 * (size * (size - 1)) as f64))
    }

    fn effective_pairs(&self, pairs: &MatchedPairs) -> f64 {
        let (worlds, n) = (self.count() as f64, pairs.pairs as f64);
        let mean = pairs.net() as f64 / n;
        let of_a_pair = pairs.discordant() as f64 / n - mean * mean;
        match self.variance(pairs) {
            Some(variance) if variance > 0.0 => {
                (of_a_pair * worlds / variance).clamp(worlds.min(n), n)
            }
            // Worlds with equal gains that are not all of their runs do not differ; where no pair does, nothing is known.
            Some(_) if pairs.discordant() > 0 && of_a_pair > 0.0 => n,
            _ => worlds,
        }
    }

    fn degrees_of_freedom(&self) -> f64 {
        let worlds = self.count();
        match (3 * self.discordant).min(worlds.saturating_sub(1)) {
            0 => f64::INFINITY,
            df => df as f64,
        }
    }

    /// The observed difference below which a share `p` of the worlds lies.
    fn quantile(&self, p: f64) -> f64 {
        let worlds = self.count() as f64;
        let size = f64::from(self.size);
        let mut below = 0;
        for (cell, &count) in self.nets.iter().enumerate() {
            below += count;
            if below as f64 >= p * worlds && below > 0 {
                return (cell as f64 - size) / size;
            }
        }
        1.0
    }
}

/// A number in the variant against the same number in the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedMean {
    baseline: Moments,
    variant: Moments,
    difference: Moments,
    dropped: u64,
    worlds: Option<MeanWorlds>,
}

/// The same world by world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct MeanWorlds {
    /// R, pairs in each world.
    size: u64,
    /// The mean difference of all pairs.
    mean: ClusteredMean,
    /// Differences within and between the worlds all of whose pairs have one.
    complete: WorldMoments,
    /// Mean differences of those worlds.
    means: QuantileSketch,
    /// Means of the worlds with any pair.
    baseline: Moments,
    variant: Moments,
    difference: Moments,
}

/// The pairs of one world, on their way into a [`PairedMean`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeanPairs {
    baseline: Moments,
    variant: Moments,
    difference: Moments,
    dropped: u64,
}

impl MeanPairs {
    /// Adds a pair of finite values.
    pub fn record(&mut self, baseline: f64, variant: f64) {
        self.baseline.add(baseline);
        self.variant.add(variant);
        self.difference.add(variant - baseline);
    }

    /// Counts a pair in which one of the two has no value.
    pub fn drop_pair(&mut self) {
        self.dropped += 1;
    }
}

impl PairedMean {
    /// No pairs yet. `runs_per_world` is given when runs share worlds; zero is taken as one.
    pub fn new(runs_per_world: Option<u32>) -> Self {
        let worlds = runs_per_world.map(|size| {
            let size = u64::from(size.max(1));
            MeanWorlds {
                size,
                mean: ClusteredMean::new(),
                complete: WorldMoments::new(size),
                means: QuantileSketch::new(),
                baseline: Moments::new(),
                variant: Moments::new(),
                difference: Moments::new(),
            }
        });
        Self {
            baseline: Moments::new(),
            variant: Moments::new(),
            difference: Moments::new(),
            dropped: 0,
            worlds,
        }
    }

    /// Adds a complete world; where runs do not share worlds, any set of pairs.
    pub fn add(&mut self, world: &MeanPairs) {
        self.baseline.merge(&world.baseline);
        self.variant.merge(&world.variant);
        self.difference.merge(&world.difference);
        self.dropped += world.dropped;
        let Some(worlds) = &mut self.worlds else {
            return;
        };
        let difference = &world.difference;
        worlds.mean.add(difference.count(), difference.sum());
        let Some(mean) = difference.mean() else {
            return;
        };
        worlds.difference.add(mean);
        for (all, one) in [
            (&mut worlds.baseline, &world.baseline),
            (&mut worlds.variant, &world.variant),
        ] {
            if let Some(mean) = one.mean() {
                all.add(mean);
            }
        }
        if difference.count() == worlds.size {
            worlds.complete.add(difference);
            worlds.means.add(mean);
        }
    }

    /// Adds everything that `other` has seen, which must have as many runs in each world.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.worlds.is_some(), other.worlds.is_some());
        self.baseline.merge(&other.baseline);
        self.variant.merge(&other.variant);
        self.difference.merge(&other.difference);
        self.dropped += other.dropped;
        if let (Some(mine), Some(theirs)) = (&mut self.worlds, &other.worlds) {
            mine.mean.merge(&theirs.mean);
            mine.complete.merge(&theirs.complete);
            mine.means.merge(&theirs.means);
            mine.baseline.merge(&theirs.baseline);
            mine.variant.merge(&theirs.variant);
            mine.difference.merge(&theirs.difference);
        }
    }

    /// Pairs in which both have a value.
    pub fn pairs(&self) -> u64 {
        self.difference.count()
    }

    /// Pairs left out because one of the two has no value.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The mean difference with Student's interval at `level` in `(0, 1)`, from worlds where runs share them. `None` below two
    /// pairs, or two worlds.
    pub fn difference(&self, level: f64) -> Option<Difference> {
        let (standard_error, df, spreads) = match &self.worlds {
            None => (
                self.difference.standard_error()?,
                (self.difference.count() - 1) as f64,
                [&self.baseline, &self.variant, &self.difference],
            ),
            Some(worlds) => (
                worlds.mean.standard_error()?,
                (worlds.mean.worlds() - 1) as f64,
                [&worlds.baseline, &worlds.variant, &worlds.difference],
            ),
        };
        let [baseline, variant, paired] = spreads.map(|m| m.variance().unwrap_or(0.0));
        let difference = self.difference.mean()?;
        Some(Difference {
            baseline: self.baseline.mean()?,
            variant: self.variant.mean()?,
            difference,
            interval: student_interval(difference, standard_error, df, level),
            p_value: if difference == 0.0 {
                1.0
            } else {
                two_sided_p(difference / standard_error, df)
            },
            variance_reduction: (baseline + variant > 0.0).then(|| (baseline + variant) / paired),
        })
    }

    /// Median and central share `level` in `(0, 1)` of the true mean difference across worlds, as
    /// [`PairedIndicator::band`]. `None` if runs do not share worlds, if some pair was left out, or with less than two worlds or
    /// two runs in each.
    pub fn band(&self, level: f64) -> Option<Band> {
        let worlds = self.worlds.as_ref().filter(|_| self.dropped == 0)?;
        let noise = worlds.complete.chance_variance()? / worlds.size as f64;
        let between = worlds.complete.between_variance()?;
        let factor = shrinkage(between + noise, noise);
        let quantile = |p| worlds.means.quantile(p).unwrap_or(0.0);
        let mean = worlds.complete.mean()?;
        Some(shrunken_band(level, mean, factor, quantile))
    }
}

fn two_sided_deviate(level: f64, df: f64) -> f64 {
    if df.is_finite() {
        student_t_quantile(0.5 + level / 2.0, df)
    } else {
        two_sided_z(level)
    }
}

fn two_sided_p(statistic: f64, df: f64) -> f64 {
    let tail = -statistic.abs();
    let one_sided = if df.is_finite() && tail.is_finite() {
        student_t_cdf(tail, df)
    } else {
        normal_cdf(tail)
    };
    (2.0 * one_sided).min(1.0)
}

/// Factor by which observed values must be drawn towards their mean so that their variance loses the noise in it.
fn shrinkage(total: f64, noise: f64) -> f64 {
    if total > 0.0 {
        ((total - noise) / total).max(0.0).sqrt()
    } else {
        0.0
    }
}

fn shrunken_band(level: f64, mean: f64, factor: f64, quantile: impl Fn(f64) -> f64) -> Band {
    let tail = (1.0 - level) / 2.0;
    let at = |p: f64| mean + factor * (quantile(p) - mean);
    Band {
        low: at(tail),
        median: at(0.5),
        high: at(1.0 - tail),
    }
}

#[cfg(test)]
mod tests;
