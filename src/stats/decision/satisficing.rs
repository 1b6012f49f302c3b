//! The share of the worlds in which a probability keeps a limit, such as "the probability of war is below 2 %".
//!
//! A world shows k of R runs with an outcome, and k/R scatters around the probability. With 50 runs and a limit of 2 % the plain
//! share of worlds with k/R below it is that of worlds with no occurrence at all. So the distribution of the probability behind the
//! counts is estimated first ([`deconvolution`](crate::stats::deconvolution)), and the share is read off it.
//!
//! Root mean square error over 100 repetitions of 200 worlds, and in brackets that of the plain share:
//!
//! | true distribution | limit | truth | 20 runs | 50 runs |
//! |---|---|---|---|---|
//! | Beta(1, 49) | 0.02 | 0.628 | 0.079 (0.093) | 0.045 (0.135) |
//! | Beta(1, 49) | 0.05 | 0.919 | 0.038 (0.206) | 0.024 (0.052) |
//! | Beta(2, 38) | 0.02 | 0.183 | 0.068 (0.251) | 0.039 (0.027) |
//! | Beta(2, 38) | 0.05 | 0.587 | 0.051 (0.159) | 0.033 (0.034) |
//! | Beta(0.5, 4.5) | 0.02 | 0.322 | 0.043 (0.107) | 0.033 (0.052) |
//! | Beta(0.5, 4.5) | 0.05 | 0.491 | 0.039 (0.078) | 0.029 (0.035) |
//!
//! (`print_accuracy` in the tests prints it.) Intervals are percentiles of a bootstrap over worlds: they show the scatter of the
//! estimate, not its bias, which is of the order of the errors above.

use rayon::prelude::*;

use super::robustness::percentiles;
use super::{Estimate, Limit};
use crate::random::{StreamKey, StreamSource};
use crate::stats::deconvolution::MixingDistribution;
use crate::stats::interval::Interval;
use crate::stats::worlds::WorldHistogram;

/// Resamples of the worlds.
const RESAMPLES: u64 = 200;

/// Share of the worlds, by weight, in which the probability keeps `limit`, with its interval at `level` in `(0, 1)`. Each stratum
/// has a weight above 0 and its worlds. `None` if a stratum has no worlds or less than two runs in each.
pub fn satisficing_share(
    strata: &[(f64, &WorldHistogram)],
    limit: Limit,
    level: f64,
    seed: u64,
) -> Option<Estimate> {
    let total: f64 = strata.iter().map(|(weight, _)| weight).sum();
    let share = |counts: &[Vec<u64>]| -> Option<f64> {
        let parts = strata.iter().zip(counts).map(|((weight, _), counts)| {
            let distribution = MixingDistribution::estimate(counts)?;
            Some(weight / total * kept(&distribution, limit))
        });
        parts.sum()
    };
    let observed: Vec<Vec<u64>> = strata.iter().map(|(_, h)| h.counts().to_vec()).collect();
    let value = share(&observed)?;
    let key = StreamKey::derive(seed, &["satisficing"]);
    let resampled: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .filter_map(|number| {
            let mut stream = StreamSource::new(key).stream(number);
            let counts: Vec<Vec<u64>> = (observed.iter())
                .map(|counts| resample(counts, || stream.uniform()))
                .collect();
            share(&counts)
        })
        .collect();
    let interval = percentiles(resampled, level);
    Some(Estimate {
        value,
        interval: Interval::new(interval.low.min(value), interval.high.max(value)),
    })
}

fn kept(distribution: &MixingDistribution, limit: Limit) -> f64 {
    match limit {
        Limit::Below(limit) => distribution.share_below(limit),
        Limit::Above(limit) => 1.0 - distribution.share_at_most(limit),
    }
}

/// As many worlds, each drawn from the observed ones.
fn resample(counts: &[u64], mut uniform: impl FnMut() -> f64) -> Vec<u64> {
    let mut ends = Vec::with_capacity(counts.len());
    let mut worlds = 0;
    for count in counts {
        worlds += count;
        ends.push(worlds);
    }
    let mut drawn = vec![0; counts.len()];
    for _ in 0..worlds {
        let world = ((uniform() * worlds as f64) as u64).min(worlds - 1);
        drawn[ends.partition_point(|&end| end <= world)] += 1;
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Stream, test_stream};
    use crate::stats::special::{beta_inc, beta_quantile};

    type Shape = (&'static str, f64, f64);

    /// Beta distributions by their parameters.
    const SHAPES: [Shape; 3] = [
        ("Beta(1, 49)", 1.0, 49.0),
        ("Beta(2, 38)", 2.0, 38.0),
        ("Beta(0.5, 4.5)", 0.5, 4.5),
    ];

    fn worlds(a: f64, b: f64, (count, runs): (u32, u32), stream: &mut Stream) -> WorldHistogram {
        let mut histogram = WorldHistogram::new(runs);
        for _ in 0..count {
            let p = beta_quantile(a, b, stream.uniform());
            histogram.add((0..runs).filter(|_| stream.uniform() < p).count() as u32);
        }
        histogram
    }

    fn plain(histogram: &WorldHistogram, limit: f64) -> f64 {
        let runs = f64::from(histogram.runs_per_world());
        let counts = histogram.counts().iter().enumerate();
        let below = counts.filter(|(k, _)| (*k as f64 / runs) < limit);
        below.map(|(_, &n)| n).sum::<u64>() as f64 / histogram.worlds() as f64
    }

    /// Root mean square errors of the estimate and of the plain share.
    fn errors((_, a, b): Shape, limit: f64, runs: u32, repetitions: u32) -> [f64; 2] {
        let mut stream = test_stream(a.to_bits() ^ u64::from(runs));
        let truth = beta_inc(a, b, limit);
        let mut sums = [0.0; 2];
        for _ in 0..repetitions {
            let histogram = worlds(a, b, (200, runs), &mut stream);
            let estimate = MixingDistribution::estimate(histogram.counts()).unwrap();
            let found = [estimate.share_below(limit), plain(&histogram, limit)];
            for (sum, found) in sums.iter_mut().zip(found) {
                *sum += (found - truth) * (found - truth) / f64::from(repetitions);
            }
        }
        sums.map(f64::sqrt)
    }

    #[test]
    #[ignore = "prints the table of the module's documentation"]
    fn print_accuracy() {
        for shape in SHAPES {
            for limit in [0.02, 0.05] {
                let truth = beta_inc(shape.1, shape.2, limit);
                let [a, b] = [20, 50].map(|runs| errors(shape, limit, runs, 100));
                println!(
                    "//! | {} | {limit} | {truth:.3} | {:.3} ({:.3}) | {:.3} ({:.3}) |",
                    shape.0, a[0], a[1], b[0], b[1]
                );
            }
        }
    }

    #[test]
    #[ignore = "prints the coverage of the intervals; takes minutes"]
    fn print_interval_coverage() {
        for (name, a, b) in SHAPES {
            let (limit, mut stream) = (0.02, test_stream(12));
            let truth = beta_inc(a, b, limit);
            let covered = (0..100).filter(|&seed| {
                let worlds = worlds(a, b, (200, 50), &mut stream);
                let found = satisficing_share(&[(1.0, &worlds)], Limit::Below(limit), 0.95, seed);
                found.unwrap().interval.contains(truth)
            });
            println!("{name}: {} of 100", covered.count());
        }
    }

    #[test]
    fn the_noise_of_the_runs_is_taken_out_of_the_share() {
        let [estimate, plain] = errors(SHAPES[1], 0.02, 20, 10);
        assert!(estimate < 0.12, "{estimate}");
        assert!(plain > 0.2, "{plain}");
    }

    #[test]
    fn intervals_hold_the_truth_and_strata_their_weights() {
        let mut stream = test_stream(88);
        let (low, high) = (
            worlds(1.0, 49.0, (300, 50), &mut stream),
            worlds(8.0, 12.0, (300, 50), &mut stream),
        );
        let limit = Limit::Below(0.05);
        let truth = beta_inc(1.0, 49.0, 0.05);
        let alone = satisficing_share(&[(1.0, &low)], limit, 0.95, 1).unwrap();
        assert!(alone.interval.contains(truth), "{alone:?} {truth}");
        let both = satisficing_share(&[(3.0, &low), (1.0, &high)], limit, 0.95, 1).unwrap();
        assert!((both.value - 0.75 * alone.value).abs() < 0.01, "{both:?}");
        let above = satisficing_share(&[(1.0, &low)], Limit::Above(0.05), 0.95, 1).unwrap();
        assert!((above.value - (1.0 - alone.value)).abs() < 1e-9);
        assert_eq!(
            satisficing_share(&[(1.0, &low)], limit, 0.95, 1),
            Some(alone)
        );
        assert_eq!(
            satisficing_share(&[(1.0, &WorldHistogram::new(50))], limit, 0.95, 1),
            None
        );
    }

    #[test]
    fn a_certain_outcome_keeps_no_limit_below_it() {
        let mut always = WorldHistogram::new(10);
        (0..5).for_each(|_| always.add(10));
        let share = |limit| {
            satisficing_share(&[(1.0, &always)], limit, 0.95, 1)
                .unwrap()
                .value
        };
        assert_eq!(share(Limit::Below(1.0)), 0.0);
        assert_eq!(share(Limit::Above(0.99)), 1.0);
    }
}
