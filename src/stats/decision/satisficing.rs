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
//! (`print_accuracy` in the tests prints it.)
//!
//! The states of a batch share their worlds: the same draws of the parameters under each scenario and at each point of a sweep. So
//! each state is estimated apart, and the intervals are percentiles of a bootstrap that draws worlds once for all states together.
//! A bootstrap cannot draw what has not been seen. In a state in which almost all worlds are on one side of the limit (the other
//! has fewer than [`FEWEST`] of them) the interval therefore reaches at least as far as Wilson's for so many independent worlds.
//! Bias is not in the intervals; it is of the order of the errors above. Of 100 intervals at 95 %, with 50 runs in each world, so
//! many held the truth; the last column has five states with the same worlds:
//!
//! | true distribution | limit | 40 worlds | 200 worlds | 200 worlds, five states |
//! |---|---|---|---|---|
//! | Beta(1, 49) | 0.02 | 90 | 97 | 97 |
//! | Beta(1, 49) | 0.1 | 100 | 99 | 99 |
//! | Beta(2, 38) | 0.02 | 94 | 98 | 98 |
//! | Beta(2, 38) | 0.1 | 99 | 92 | 92 |
//!
//! (`print_interval_coverage` in the tests prints it.)

use rayon::prelude::*;

use super::robustness::percentiles;
use super::{Estimate, Limit};
use crate::random::{StreamKey, StreamSource};
use crate::stats::deconvolution::MixingDistribution;
use crate::stats::interval::Interval;
use crate::stats::proportion::score_interval;
use crate::stats::special::two_sided_z;

/// Resamples of the worlds, at most and at least; in between so many that states and resamples do not multiply.
const RESAMPLES: [u64; 2] = [200, 50];
/// States up to which there are most resamples.
const FEW_STATES: u64 = 4;
/// Worlds on one side of the limit below which that side counts as hardly seen.
const FEWEST: f64 = 5.0;

/// The worlds of one state.
#[derive(Clone, Debug, PartialEq)]
pub struct StateWorlds {
    /// Weight of the state, above 0.
    pub weight: f64,
    /// In how many runs of each world the outcome came about. World i of all states is the same draw of the parameters.
    pub occurrences: Vec<u32>,
}

/// Share of the worlds, by the states' weights, in which the probability keeps `limit`, with its interval at `level` in `(0, 1)`.
/// Each world has so many `runs`. `None` without states or worlds, if states differ in their number, or with less than two runs.
pub fn satisficing_share(
    states: &[StateWorlds],
    runs: u32,
    limit: Limit,
    level: f64,
    seed: u64,
) -> Option<Estimate> {
    let worlds = states.first()?.occurrences.len();
    if worlds == 0 || states.iter().any(|state| state.occurrences.len() != worlds) {
        return None;
    }
    let total: f64 = states.iter().map(|state| state.weight).sum();
    // The share in a state where each world was picked so many times.
    let share = |state: &StateWorlds, times: &[u64]| -> Option<f64> {
        let mut counts = vec![0; runs as usize + 1];
        for (&occurrences, times) in state.occurrences.iter().zip(times) {
            *counts.get_mut(occurrences as usize)? += times;
        }
        Some(kept(&MixingDistribution::estimate(&counts)?, limit))
    };
    let (mut value, mut reach) = (0.0, [0.0; 2]);
    for state in states {
        let part = share(state, &vec![1; worlds])?;
        let weight = state.weight / total;
        value += weight * part;
        if part.min(1.0 - part) * (worlds as f64) < FEWEST {
            let interval = score_interval(part, worlds as f64, two_sided_z(level));
            reach[0] += weight * (part - interval.low);
            reach[1] += weight * (interval.high - part);
        }
    }
    let key = StreamKey::derive(seed, &["satisficing"]);
    let [most, least] = RESAMPLES;
    let resamples = (most * FEW_STATES / states.len() as u64).clamp(least, most);
    let resampled: Vec<f64> = (0..resamples)
        .into_par_iter()
        .filter_map(|number| {
            let mut stream = StreamSource::new(key).stream(number);
            let mut times = vec![0; worlds];
            for _ in 0..worlds {
                let world = (stream.uniform() * worlds as f64) as usize;
                times[world.min(worlds - 1)] += 1;
            }
            let parts = states
                .iter()
                .map(|state| Some(state.weight / total * share(state, &times)?));
            parts.sum()
        })
        .collect();
    let interval = percentiles(resampled, level);
    let low = interval.low.min(value - reach[0]).max(0.0);
    let high = interval.high.max(value + reach[1]).min(1.0);
    Some(Estimate {
        value,
        interval: Interval::new(low.min(value), high.max(value)),
    })
}

fn kept(distribution: &MixingDistribution, limit: Limit) -> f64 {
    match limit {
        Limit::Below(limit) => distribution.share_below(limit),
        Limit::Above(limit) => 1.0 - distribution.share_at_most(limit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Stream, test_stream};
    use crate::stats::special::{beta_inc, beta_quantile};
    use crate::stats::worlds::WorldHistogram;

    type Shape = (&'static str, f64, f64);

    /// Beta distributions by their parameters.
    const SHAPES: [Shape; 3] = [
        ("Beta(1, 49)", 1.0, 49.0),
        ("Beta(2, 38)", 2.0, 38.0),
        ("Beta(0.5, 4.5)", 0.5, 4.5),
    ];

    /// Occurrences in each of some worlds.
    fn worlds(a: f64, b: f64, (count, runs): (u32, u32), stream: &mut Stream) -> Vec<u32> {
        let mut world = || {
            let p = beta_quantile(a, b, stream.uniform());
            (0..runs).filter(|_| stream.uniform() < p).count() as u32
        };
        (0..count).map(|_| world()).collect()
    }

    fn histogram(worlds: &[u32], runs: u32) -> WorldHistogram {
        let mut histogram = WorldHistogram::new(runs);
        worlds.iter().for_each(|&world| histogram.add(world));
        histogram
    }

    fn states(states: &[(f64, &[u32])]) -> Vec<StateWorlds> {
        let state = |&(weight, worlds): &(f64, &[u32])| StateWorlds {
            weight,
            occurrences: worlds.to_vec(),
        };
        states.iter().map(state).collect()
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
            let histogram = histogram(&worlds(a, b, (200, runs), &mut stream), runs);
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

    /// Of some repetitions, how many intervals hold the truth, with as many copies of one state.
    fn covered(
        (_, a, b): Shape,
        limit: f64,
        (worlds_of_50, copies): (u32, usize),
        repetitions: u64,
    ) -> usize {
        let mut stream = test_stream(12);
        let truth = beta_inc(a, b, limit);
        let covered = (0..repetitions).filter(|&seed| {
            let worlds = worlds(a, b, (worlds_of_50, 50), &mut stream);
            let copies = states(&vec![(1.0, &worlds[..]); copies]);
            let found = satisficing_share(&copies, 50, Limit::Below(limit), 0.95, seed);
            found.unwrap().interval.contains(truth)
        });
        covered.count()
    }

    #[test]
    #[ignore = "prints the coverage of the intervals; takes minutes"]
    fn print_interval_coverage() {
        for shape in SHAPES {
            for limit in [0.02, 0.1] {
                let [one, more, few] =
                    [(200, 1), (200, 5), (40, 1)].map(|size| covered(shape, limit, size, 100));
                println!("//! | {} | {limit} | {few} | {one} | {more} |", shape.0);
            }
        }
    }

    #[test]
    fn states_that_share_their_worlds_do_not_count_twice() {
        // Nine tenths of the worlds keep this limit; the interval of a single state holds as often as it says.
        let alone = covered(SHAPES[1], 0.0965, (40, 1), 40);
        // 38 expected, standard deviation 1.4.
        assert!(alone >= 34, "{alone}");
        let mut stream = test_stream(3);
        let some = worlds(1.0, 1.0, (40, 50), &mut stream);
        let share = |copies: usize| {
            let states = states(&vec![(1.0, &some[..]); copies]);
            satisficing_share(&states, 50, Limit::Below(0.5), 0.95, 1).unwrap()
        };
        let (one, four) = (share(1), share(4));
        assert!((one.value - four.value).abs() < 1e-12, "{one:?} {four:?}");
        assert!((one.interval.width() - four.interval.width()).abs() < 1e-12);
    }

    #[test]
    fn a_limit_that_all_worlds_keep_is_not_kept_for_certain() {
        let none = [0; 40];
        for copies in [1, 20] {
            let states = states(&vec![(1.0, &none[..]); copies]);
            let found = satisficing_share(&states, 50, Limit::Below(0.3), 0.95, 1).unwrap();
            // 40 of 40: z^2 / (40 + z^2) = 0.0876.
            assert!((found.value - 1.0).abs() < 1e-12, "{found:?}");
            assert!((found.interval.low - 0.9124).abs() < 1e-4, "{found:?}");
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
        let alone = satisficing_share(&states(&[(1.0, &low)]), 50, limit, 0.95, 1).unwrap();
        assert!(alone.interval.contains(truth), "{alone:?} {truth}");
        let both =
            satisficing_share(&states(&[(3.0, &low), (1.0, &high)]), 50, limit, 0.95, 1).unwrap();
        assert!((both.value - 0.75 * alone.value).abs() < 0.01, "{both:?}");
        let above =
            satisficing_share(&states(&[(1.0, &low)]), 50, Limit::Above(0.05), 0.95, 1).unwrap();
        assert!((above.value - (1.0 - alone.value)).abs() < 1e-9);
        assert_eq!(
            satisficing_share(&states(&[(1.0, &low)]), 50, limit, 0.95, 1),
            Some(alone)
        );
        assert_eq!(
            satisficing_share(&states(&[(1.0, &[])]), 50, limit, 0.95, 1),
            None
        );
    }

    #[test]
    fn a_certain_outcome_keeps_no_limit_below_it() {
        let always = states(&[(1.0, &[10; 5])]);
        let share = |limit| {
            satisficing_share(&always, 10, limit, 0.95, 1)
                .unwrap()
                .value
        };
        assert_eq!(share(Limit::Below(1.0)), 0.0);
        assert_eq!(share(Limit::Above(0.99)), 1.0);
    }
}
