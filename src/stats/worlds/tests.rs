use super::*;
use crate::stats::proportion::wilson;
use crate::stats::special::{beta_quantile, normal_quantile};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn histogram_of(runs: u32, occurrences: &[u32]) -> WorldHistogram {
    let mut histogram = WorldHistogram::new(runs);
    for &k in occurrences {
        histogram.add(k);
    }
    histogram
}

/// Quantiles of a beta distribution with mean `mean` and intraclass correlation `correlation` at
/// 2000 evenly spaced levels; drawing from them is drawing from the distribution, near enough.
fn beta_worlds(mean: f64, correlation: f64) -> Vec<f64> {
    if correlation == 0.0 {
        return vec![mean];
    }
    let size = 1.0 / correlation - 1.0;
    let levels = (0..2000).map(|i| (f64::from(i) + 0.5) / 2000.0);
    levels
        .map(|u| beta_quantile(mean * size, (1.0 - mean) * size, u))
        .collect()
}

fn simulate(worlds: u32, runs: u32, table: &[f64], rng: &mut ChaCha8Rng) -> WorldHistogram {
    let mut histogram = WorldHistogram::new(runs);
    for _ in 0..worlds {
        let p = table[rng.random_range(0..table.len())];
        histogram.add((0..runs).filter(|_| rng.random::<f64>() < p).count() as u32);
    }
    histogram
}

/// Share of `repetitions` in which `interval` covers the overall mean.
fn coverage(
    interval: impl Fn(&WorldHistogram) -> Interval,
    (worlds, runs, mean, correlation): (u32, u32, f64, f64),
    repetitions: u32,
) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(u64::from(worlds));
    let table = beta_worlds(mean, correlation);
    let truth = table.iter().sum::<f64>() / table.len() as f64;
    let hits = (0..repetitions)
        .filter(|_| interval(&simulate(worlds, runs, &table, &mut rng)).contains(truth))
        .count();
    hits as f64 / f64::from(repetitions)
}

fn clustered(histogram: &WorldHistogram) -> Interval {
    histogram.mean_interval(0.95)
}

/// The interval that takes all runs as independent.
fn unclustered(histogram: &WorldHistogram) -> Interval {
    wilson(histogram.power_sum(1) as u64, histogram.runs(), 0.95)
}

/// Student's interval of the world shares.
fn student(histogram: &WorldHistogram) -> Interval {
    let worlds = histogram.worlds() as f64;
    let error = (histogram.share_variance().unwrap() / worlds).sqrt();
    student_interval(histogram.mean().unwrap(), error, worlds - 1.0, 0.95)
}

#[test]
#[ignore = "prints the table of the documentation of `mean_interval`"]
fn print_coverage() {
    for correlation in [0.0, 0.1] {
        for worlds in [20, 200] {
            for mean in [0.5, 0.1, 0.01, 0.001] {
                let size = (worlds, 50, mean, correlation);
                let [a, b, c] = [
                    coverage(clustered, size, 2000),
                    coverage(student, size, 2000),
                    coverage(unclustered, size, 2000),
                ];
                println!("/// | {worlds} | {correlation} | {mean} | {a:.3} | {b:.3} | {c:.3} |");
            }
        }
    }
}

#[test]
fn clustered_interval_covers_and_the_interval_of_independent_runs_does_not() {
    for mean in [0.5, 0.1] {
        let size = (100, 50, mean, 0.1);
        let share = coverage(clustered, size, 1000);
        // Three standard errors of the share are 0.021.
        assert!((share - 0.95).abs() < 0.025, "{mean}: {share}");
        assert!(coverage(unclustered, size, 300) < 0.8);
    }
}

#[test]
fn variances_of_a_histogram_worked_by_hand() {
    // Shares 0, 1/2, 1/2, 1 of two runs.
    let histogram = histogram_of(2, &[0, 1, 1, 2]);
    assert_eq!(histogram.mean(), Some(0.5));
    assert_eq!(histogram.share_variance(), Some(1.0 / 6.0));
    // Within: two worlds of variance 1/2, two of 0.
    assert_eq!(histogram.chance_variance(), Some(0.25));
    assert!((histogram.between_variance().unwrap() - (1.0 / 6.0 - 0.125)).abs() < 1e-15);
    // Equal worlds: the estimate of the spread is negative and says so.
    assert!(histogram_of(2, &[1, 1, 1]).between_variance().unwrap() < 0.0);
}

#[test]
fn between_variance_is_unbiased_and_the_variance_of_shares_is_not() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let table = beta_worlds(0.2, 0.1);
    let truth = 0.2 * 0.8 * 0.1;
    let (mut between, mut raw, mut chance) = (Moments::new(), Moments::new(), Moments::new());
    for _ in 0..300 {
        let histogram = simulate(60, 10, &table, &mut rng);
        between.add(histogram.between_variance().unwrap());
        raw.add(histogram.share_variance().unwrap());
        chance.add(histogram.chance_variance().unwrap());
    }
    let z = |m: &Moments, t: f64| (m.mean().unwrap() - t) / m.standard_error().unwrap();
    assert!(z(&between, truth).abs() < 3.5, "{}", z(&between, truth));
    assert!(z(&raw, truth) > 10.0);
    assert!(z(&chance, 0.2 * 0.8 * 0.9).abs() < 3.5);
}

#[test]
fn an_endgame_that_never_occurred_is_bounded_by_worlds() {
    let never = histogram_of(50, &[0; 200]);
    assert_eq!(never.mean_interval(0.95).low, 0.0);
    let high = never.mean_interval(0.95).high;
    assert_eq!(high, wilson(0, 200, 0.95).high);
    // One occurrence tells little about how others would cluster.
    let mut once = histogram_of(50, &[0; 199]);
    once.add(1);
    assert!(once.mean_interval(0.95).width() > 1.5 * wilson(1, 10_000, 0.95).width());
    let always = histogram_of(50, &[50; 200]);
    assert!((always.mean_interval(0.95).low - (1.0 - high)).abs() < 1e-12);
    assert_eq!(
        WorldHistogram::new(50).mean_interval(0.95),
        Interval::new(0.0, 1.0)
    );
    assert!(histogram_of(50, &[7]).mean_interval(0.95).width() > 0.5);
}

#[test]
fn band_shows_the_spread_of_worlds_without_the_noise_of_runs() {
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    let band = simulate(1000, 50, &beta_worlds(0.2, 0.1), &mut rng)
        .band(0.9)
        .unwrap();
    let truth = |u| beta_quantile(1.8, 7.2, u);
    assert!((band.low - truth(0.05)).abs() < 0.015, "{band:?}");
    assert!((band.median - truth(0.5)).abs() < 0.015, "{band:?}");
    assert!((band.high - truth(0.95)).abs() < 0.03, "{band:?}");
    assert_eq!(WorldHistogram::new(50).band(0.9), None);
}

#[test]
fn metric_variances_are_unbiased() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let mut normal = |sd: f64| sd * normal_quantile(rng.random::<f64>().max(1e-300));
    let (mut between, mut chance, mut covered) = (Moments::new(), Moments::new(), 0);
    for _ in 0..500 {
        let mut metric = WorldMoments::new(5);
        for _ in 0..20 {
            let centre = 100.0 + normal(2.0);
            let mut world = Moments::new();
            for _ in 0..5 {
                world.add(centre + normal(3.0));
            }
            metric.add(&world);
        }
        between.add(metric.between_variance().unwrap());
        chance.add(metric.chance_variance().unwrap());
        covered += u32::from(metric.mean_interval(0.95).unwrap().contains(100.0));
    }
    let z = |m: &Moments, t: f64| (m.mean().unwrap() - t) / m.standard_error().unwrap();
    assert!(z(&between, 4.0).abs() < 3.5);
    assert!(z(&chance, 9.0).abs() < 3.5);
    assert!(z(&between, 4.0 + 9.0 / 5.0) < -3.5);
    assert!((f64::from(covered) / 500.0 - 0.95).abs() < 0.035);
}

proptest! {
    #[test]
    fn merging_is_exact(ks in prop::collection::vec(0u32..=20, 0..60), cut in 0usize..60) {
        let whole = histogram_of(20, &ks);
        let (left, right) = ks.split_at(cut.min(ks.len()));
        let mut merged = histogram_of(20, right);
        merged.merge(&histogram_of(20, left));
        prop_assert_eq!(&merged, &whole);
        let text = serde_json::to_string(&merged).unwrap();
        prop_assert_eq!(serde_json::from_str::<WorldHistogram>(&text).unwrap(), whole);
    }

    #[test]
    fn metric_merging_is_exact(values in prop::collection::vec(prop::array::uniform3(-1e6f64..1e6), 0..30), cut in 0usize..30) {
        let of = |worlds: &[[f64; 3]]| {
            let mut metric = WorldMoments::new(3);
            for world in worlds {
                let mut moments = Moments::new();
                world.iter().for_each(|&x| moments.add(x));
                metric.add(&moments);
            }
            metric
        };
        let (left, right) = values.split_at(cut.min(values.len()));
        let mut merged = of(right);
        merged.merge(&of(left));
        prop_assert_eq!(merged, of(&values));
    }
}

#[test]
fn a_stored_histogram_needs_its_cells() {
    assert!(serde_json::from_str::<WorldHistogram>("[3]").is_err());
    assert!(serde_json::from_str::<WorldHistogram>("[3,1]").is_ok());
}
