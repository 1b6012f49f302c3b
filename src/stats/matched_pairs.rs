//! The difference of two probabilities from pairs of runs that share their random numbers.
//!
//! Coverage of the nominal 95 % intervals, summed exactly over the multinomial distribution of the pairs, and mean width in
//! brackets; `p10` is the probability that only the variant shows the outcome, `p01` that only the baseline does:
//!
//! | pairs | p10 | p01 | score (Tango) | normal (not offered) |
//! |---|---|---|---|---|
//! | 50 | 0.2 | 0.1 | 0.9523 (0.3063) | 0.9430 (0.2938) |
//! | 50 | 0.1 | 0 | 0.9703 (0.1904) | 0.8789 (0.1611) |
//! | 200 | 0.05 | 0.05 | 0.9479 (0.0931) | 0.9462 (0.0869) |
//! | 200 | 0.02 | 0 | 0.9331 (0.0491) | 0.9081 (0.0373) |
//! | 1000 | 0.01 | 0.01 | 0.9481 (0.0189) | 0.9481 (0.0174) |
//! | 1000 | 0.01 | 0.002 | 0.9458 (0.0149) | 0.9427 (0.0134) |
//! | 1000 | 0.005 | 0 | 0.9619 (0.0105) | 0.8707 (0.0085) |
//! | 2000 | 0.001 | 0.001 | 0.9587 (0.0054) | 0.9587 (0.0038) |
//!
//! (`print_coverage` in the tests prints it.)

use serde::{Deserialize, Serialize};

use super::interval::Interval;

/// Halvings of the search for an end of an interval: below the spacing of `f64` near 1.
const HALVINGS: u32 = 60;

/// Pairs of runs by what the two came to: a 2 x 2 table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchedPairs {
    /// All pairs.
    pub pairs: u64,
    /// Both runs show the outcome.
    pub both: u64,
    /// Only the run of the baseline does.
    pub only_baseline: u64,
    /// Only the run of the variant does.
    pub only_variant: u64,
}

impl MatchedPairs {
    /// Adds a pair.
    pub fn record(&mut self, baseline: bool, variant: bool) {
        self.pairs += 1;
        match (baseline, variant) {
            (true, true) => self.both += 1,
            (true, false) => self.only_baseline += 1,
            (false, true) => self.only_variant += 1,
            (false, false) => {}
        }
    }

    /// Adds all pairs of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.both += other.both;
        self.only_baseline += other.only_baseline;
        self.only_variant += other.only_variant;
    }

    /// Runs of the baseline with the outcome.
    pub fn baseline(&self) -> u64 {
        self.both + self.only_baseline
    }

    /// Runs of the variant with the outcome.
    pub fn variant(&self) -> u64 {
        self.both + self.only_variant
    }

    /// Pairs that differ.
    pub fn discordant(&self) -> u64 {
        self.only_baseline + self.only_variant
    }

    /// Variant less baseline: runs that gained the outcome less runs that lost it.
    pub fn net(&self) -> i64 {
        self.only_variant as i64 - self.only_baseline as i64
    }
}

/// Tango's score interval of the difference `p10 - p01`, from `gained` pairs in which only the variant shows the outcome and
/// `lost` pairs in which only the baseline does, out of `pairs > 0`. All three may be fractions, when `pairs` is an effective
/// size; `deviate` is a normal or Student's t deviate.
///
/// The interval holds all differences that the score test does not refuse, within `[-1, 1]`. Without discordant pairs it is
/// `0 -+ z^2 / (n + z^2)`. Without pairs it is `[-1, 1]`.
///
/// Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
/// Statistics in Medicine 17 (1998).
pub fn score_interval(gained: f64, lost: f64, pairs: f64, deviate: f64) -> Interval {
    if pairs <= 0.0 {
        return Interval::new(-1.0, 1.0);
    }
    let estimate = (gained - lost) / pairs;
    // The statistic falls as the difference grows. Each step waits for the one before, so both ends are looked for at once, and
    // without branches, which nothing could predict.
    let mut inside = [estimate; 2];
    let mut outside = [-1.0, 1.0];
    for _ in 0..HALVINGS {
        for end in 0..2 {
            let middle = inside[end] + (outside[end] - inside[end]) / 2.0;
            let allowed = score(gained, lost, pairs, middle).abs() <= deviate;
            inside[end] = if allowed { middle } else { inside[end] };
            outside[end] = if allowed { outside[end] } else { middle };
        }
    }
    Interval::new(inside[0], inside[1])
}

/// Tango's score statistic of the hypothesis that the difference is `difference`: standard normal if it is. At 0 it is
/// McNemar's `(gained - lost) / sqrt(gained + lost)`.
pub fn score(gained: f64, lost: f64, pairs: f64, difference: f64) -> f64 {
    let deviation = gained - lost - pairs * difference;
    if deviation == 0.0 {
        return 0.0;
    }
    // Maximum likelihood of p01 under the hypothesis, with A = 2 n: equations (8) and (9).
    let b = (2.0 * pairs - gained + lost) * difference - gained - lost;
    let c = -lost * difference * (1.0 - difference);
    let root = (b * b - 8.0 * pairs * c).max(0.0).sqrt();
    let p01 = (root - b) / (4.0 * pairs);
    let variance = pairs * (2.0 * p01 + difference * (1.0 - difference));
    if variance > 0.0 {
        deviation / variance.sqrt()
    } else {
        deviation.signum() * f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::special::{binomial_pmf, two_sided_z};

    fn tango(gained: u64, lost: u64, pairs: u64) -> Interval {
        let z = two_sided_z(0.95);
        score_interval(gained as f64, lost as f64, pairs as f64, z)
    }

    fn wald(gained: u64, lost: u64, pairs: u64) -> Interval {
        let (b, c, n) = (gained as f64, lost as f64, pairs as f64);
        let d = (b - c) / n;
        let half = two_sided_z(0.95) * ((b + c) / n - d * d).max(0.0).sqrt() / n.sqrt();
        Interval::new(d - half, d + half)
    }

    /// Exact coverage and mean width.
    fn measure(
        pairs: u64,
        gain: f64,
        loss: f64,
        interval: fn(u64, u64, u64) -> Interval,
    ) -> (f64, f64) {
        let (mut coverage, mut width) = (0.0, 0.0);
        for gained in 0..=pairs {
            let some = binomial_pmf(gained, pairs, gain);
            if some < 1e-12 {
                continue;
            }
            for lost in 0..=pairs - gained {
                let weight = some * binomial_pmf(lost, pairs - gained, loss / (1.0 - gain));
                if weight < 1e-12 {
                    continue;
                }
                let interval = interval(gained, lost, pairs);
                width += weight * interval.width();
                if interval.contains(gain - loss) {
                    coverage += weight;
                }
            }
        }
        (coverage, width)
    }

    const CASES: [(u64, f64, f64); 8] = [
        (50, 0.2, 0.1),
        (50, 0.1, 0.0),
        (200, 0.05, 0.05),
        (200, 0.02, 0.0),
        (1000, 0.01, 0.01),
        (1000, 0.01, 0.002),
        (1000, 0.005, 0.0),
        (2000, 0.001, 0.001),
    ];

    #[test]
    #[ignore = "prints the table of the module's documentation"]
    fn print_coverage() {
        for (n, gain, loss) in CASES {
            let (t, w) = (measure(n, gain, loss, tango), measure(n, gain, loss, wald));
            println!(
                "//! | {n} | {gain} | {loss} | {:.4} ({:.4}) | {:.4} ({:.4}) |",
                t.0, t.1, w.0, w.1
            );
        }
    }

    #[test]
    fn coverage_is_near_the_level_and_the_plain_normal_interval_is_not() {
        let mut misses = 0;
        for (n, gain, loss) in CASES {
            let coverage = measure(n, gain, loss, tango).0;
            assert!(
                (0.93..0.985).contains(&coverage),
                "{n} {gain} {loss}: {coverage}"
            );
            misses += u32::from(measure(n, gain, loss, wald).0 < 0.93);
        }
        assert!(misses >= 3, "{misses}");
    }

    #[test]
    fn published_interval() {
        // Airway hyper-responsiveness before and after a transplant: 1 child before only, 7 after only, of 21.
        // M. W. Fagerland, S. Lydersen and P. Laake, Statistics in Medicine 33 (2014), table VI: -0.517 to -0.026.
        let interval = tango(1, 7, 21);
        assert!((interval.low + 0.517).abs() < 5e-4, "{interval:?}");
        assert!((interval.high + 0.026).abs() < 5e-4, "{interval:?}");
    }

    #[test]
    fn nothing_seen_bounds_the_difference() {
        let z2 = two_sided_z(0.95) * two_sided_z(0.95);
        let interval = tango(0, 0, 1000);
        assert!((interval.high - z2 / (1000.0 + z2)).abs() < 1e-12);
        assert_eq!(interval.low, -interval.high);
        assert_eq!(
            score_interval(0.0, 0.0, 0.0, 1.96),
            Interval::new(-1.0, 1.0)
        );
        // Every run changed: the interval ends at the edge.
        assert!((tango(9, 0, 9).high - 1.0).abs() < 1e-12);
    }

    #[test]
    fn gain_and_loss_mirror_each_other() {
        let (a, b) = (tango(7, 3, 60), tango(3, 7, 60));
        assert!((a.low + b.high).abs() < 1e-12 && (a.high + b.low).abs() < 1e-12);
        assert!((score(9.0, 4.0, 100.0, 0.0) - 5.0 / 13f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn a_table_counts_pairs() {
        let mut table = MatchedPairs::default();
        for pair in [
            (true, true),
            (true, false),
            (false, true),
            (false, true),
            (false, false),
        ] {
            table.record(pair.0, pair.1);
        }
        assert_eq!((table.baseline(), table.variant()), (2, 3));
        assert_eq!((table.discordant(), table.net()), (3, 1));
        let mut twice = table;
        twice.merge(&table);
        assert_eq!((twice.pairs, twice.net()), (10, 2));
    }
}
