use super::*;
use crate::random::{Stream, test_stream};
use crate::stats::matched_pairs;
use proptest::prelude::*;

/// Worlds of pairs: in a share of them the variant adds a gain that is uniform up to twice its mean; the others are as the
/// baseline, whose probability is 0.3. Common random numbers: one uniform decides both runs.
fn worlds(
    (count, size): (u32, u32),
    share: f64,
    gain: f64,
    stream: &mut Stream,
) -> PairedIndicator {
    let mut paired = PairedIndicator::new(Some(size));
    for _ in 0..count {
        let gain = if stream.uniform() < share {
            2.0 * gain * stream.uniform()
        } else {
            0.0
        };
        let mut world = MatchedPairs::default();
        for _ in 0..size {
            let u = stream.uniform();
            world.record(u < 0.3, u < 0.3 + gain);
        }
        paired.add(&world);
    }
    paired
}

fn this(paired: &PairedIndicator) -> Interval {
    paired.difference(0.95).unwrap().interval
}

fn student(paired: &PairedIndicator) -> Interval {
    let worlds = paired.worlds.as_ref().unwrap();
    let count = worlds.count() as f64;
    let error = (worlds.variance(&paired.pairs).unwrap() / count).sqrt();
    student_interval(
        paired.difference(0.95).unwrap().difference,
        error,
        count - 1.0,
        0.95,
    )
}

fn unclustered(paired: &PairedIndicator) -> Interval {
    let pairs = &paired.pairs;
    matched_pairs::score_interval(
        pairs.only_variant as f64,
        pairs.only_baseline as f64,
        pairs.pairs as f64,
        two_sided_z(0.95),
    )
}

fn coverage(
    intervals: &[fn(&PairedIndicator) -> Interval],
    (count, share, gain): (u32, f64, f64),
    repetitions: u32,
) -> Vec<f64> {
    let mut stream = test_stream(gain.to_bits() ^ u64::from(count));
    let mut hits = vec![0; intervals.len()];
    for _ in 0..repetitions {
        let paired = worlds((count, 50), share, gain, &mut stream);
        for (hits, interval) in hits.iter_mut().zip(intervals) {
            *hits += u32::from(interval(&paired).contains(share * gain));
        }
    }
    hits.iter()
        .map(|&hits| f64::from(hits) / f64::from(repetitions))
        .collect()
}

const CASES: [(u32, f64, f64); 10] = [
    (20, 1.0, 0.2),
    (20, 1.0, 0.01),
    (20, 0.3, 0.2),
    (20, 0.3, 0.01),
    (20, 0.05, 0.05),
    (200, 1.0, 0.2),
    (200, 1.0, 0.01),
    (200, 0.3, 0.2),
    (200, 0.05, 0.05),
    (200, 0.01, 0.05),
];

#[test]
#[ignore = "prints the table of the documentation of `PairedIndicator::difference`"]
fn print_coverage() {
    for case in CASES {
        let [a, b, c] = coverage(&[this, student, unclustered], case, 2000)[..] else {
            unreachable!()
        };
        let (count, share, gain) = case;
        println!("/// | {count} | {share} | {gain} | {a:.3} | {b:.3} | {c:.3} |");
    }
}

#[test]
fn clustered_interval_covers_and_the_interval_of_independent_pairs_does_not() {
    for case in [(50, 1.0, 0.2), (50, 0.3, 0.2)] {
        let [this, unclustered] = coverage(&[this, unclustered], case, 1000)[..] else {
            unreachable!()
        };
        // Three standard errors of the share are 0.021.
        assert!((this - 0.95).abs() < 0.025, "{case:?}: {this}");
        assert!(unclustered < 0.85, "{case:?}: {unclustered}");
    }
    // A rare difference errs on the wide side, where Student's interval misses.
    let [this, student] = coverage(&[this, student], (20, 0.05, 0.05), 1000)[..] else {
        unreachable!()
    };
    assert!(this > 0.93 && student < 0.8, "{this} {student}");
}

#[test]
fn p_values_agree_with_intervals_and_are_uniform_under_no_difference() {
    // Gain and loss of equal size in every world: no difference on average.
    let mut stream = test_stream(2);
    let (mut clustered, mut plain) = (0, 0);
    for _ in 0..1000 {
        let mut paired = PairedIndicator::new(Some(10));
        let mut flat = PairedIndicator::new(None);
        for _ in 0..40 {
            let gain = 0.6 * (stream.uniform() - 0.5);
            let mut world = MatchedPairs::default();
            for _ in 0..10 {
                let u = stream.uniform();
                world.record(u < 0.5, u < 0.5 + gain);
            }
            paired.add(&world);
            flat.add(&world);
        }
        for paired in [&paired, &flat] {
            let found = paired.difference(0.95).unwrap();
            assert_eq!(found.p_value <= 0.05, !found.interval.contains(0.0));
        }
        clustered += u32::from(paired.difference(0.95).unwrap().p_value <= 0.05);
        plain += u32::from(flat.difference(0.95).unwrap().p_value <= 0.05);
    }
    // 50 expected, standard deviation 7.
    assert!((29..=71).contains(&clustered), "{clustered}");
    assert!(plain > 71, "{plain}");
}

#[test]
fn variance_reduction_of_a_closed_form() {
    // One uniform u decides both: baseline u < 0.3, variant u < 0.4. Independent variance 0.21 + 0.24, paired 0.1 x 0.9.
    let mut stream = test_stream(3);
    let mut table = MatchedPairs::default();
    let mut means = MeanPairs::default();
    for _ in 0..200_000 {
        let u = stream.uniform();
        table.record(u < 0.3, u < 0.4);
        // X = u, Y = 2u: variances 1/12 and 4/12, difference u with 1/12.
        means.record(u, 2.0 * u);
    }
    let mut paired = PairedIndicator::new(None);
    paired.add(&table);
    let found = paired.difference(0.95).unwrap();
    assert!((found.variance_reduction.unwrap() - 5.0).abs() < 0.1);
    assert!((found.difference - 0.1).abs() < 0.002 && found.p_value < 1e-9);
    let mut mean = PairedMean::new(None);
    mean.add(&means);
    let found = mean.difference(0.95).unwrap();
    assert!((found.variance_reduction.unwrap() - 5.0).abs() < 0.1);
    assert!(found.interval.contains(0.5) && found.interval.width() < 0.004);
}

/// Root mean square error of a quantile, with the noise taken out and with the noise in it.
fn band_errors(difference: fn(f64) -> f64, count: u32, repetitions: u32) -> [[f64; 2]; 3] {
    let mut stream = test_stream(u64::from(count));
    let mut sums = [[0.0; 2]; 3];
    for _ in 0..repetitions {
        let mut paired = PairedIndicator::new(Some(50));
        for _ in 0..count {
            let d = difference(stream.uniform());
            let mut world = MatchedPairs::default();
            for _ in 0..50 {
                let u = stream.uniform();
                world.record(u < 0.5, u < 0.5 + d);
            }
            paired.add(&world);
        }
        let band = paired.band(0.9).unwrap();
        let raw = |p| paired.worlds.as_ref().unwrap().quantile(p);
        let found = [
            [band.low, raw(0.05)],
            [band.median, raw(0.5)],
            [band.high, raw(0.95)],
        ];
        for (sum, (found, p)) in sums.iter_mut().zip(found.iter().zip([0.05, 0.5, 0.95])) {
            for (sum, found) in sum.iter_mut().zip(found) {
                let error = found - difference(p);
                *sum += error * error / f64::from(repetitions);
            }
        }
    }
    sums.map(|sum| sum.map(f64::sqrt))
}

type Shape = (&'static str, fn(f64) -> f64);

const SHAPES: [Shape; 3] = [
    ("all 0.05", |_| 0.05),
    ("uniform from -0.1 to 0.2", |u| 0.3 * u - 0.1),
    (
        "70 % at 0, 30 % at 0.3",
        |u| if u < 0.7 { 0.0 } else { 0.3 },
    ),
];

#[test]
#[ignore = "prints the table of the documentation of `PairedIndicator::band`"]
fn print_band_accuracy() {
    for (name, shape) in SHAPES {
        for count in [50, 500] {
            let [a, b, c] =
                band_errors(shape, count, 200).map(|[this, raw]| format!("{this:.3} ({raw:.3})"));
            println!("/// | {name} | {count} | {a} | {b} | {c} |");
        }
    }
}

#[test]
fn bands_lose_the_noise_of_the_runs() {
    let [low, _, high] = band_errors(SHAPES[0].1, 200, 20);
    assert!(low[0] < 0.02 && high[0] < 0.02, "{low:?} {high:?}");
    // The observed differences are too far apart for the same bound.
    assert!(low[1] > 0.04 && high[1] > 0.04, "{low:?} {high:?}");
}

#[test]
fn means_over_worlds_and_pairs_without_a_value() {
    let mut mean = PairedMean::new(Some(2));
    for (base, gain) in [(1.0, 1.0), (5.0, 3.0), (9.0, 2.0)] {
        let mut world = MeanPairs::default();
        world.record(base, base + gain);
        world.record(base + 1.0, base + 1.0 + gain);
        mean.add(&world);
    }
    let found = mean.difference(0.95).unwrap();
    assert_eq!(
        (found.baseline, found.variant, found.difference),
        (5.5, 7.5, 2.0)
    );
    // Differences of the worlds 1, 3, 2: standard error 1 / sqrt 3; variances of the means 16, 21 and 1.
    let half = student_t_quantile(0.975, 2.0) / 3f64.sqrt();
    assert!((found.interval.high - 2.0 - half).abs() < 1e-12);
    assert!((found.variance_reduction.unwrap() - 37.0).abs() < 1e-9);
    // Runs of a world do not differ in their gain: there is no noise to take out.
    assert_eq!(mean.band(0.9).unwrap().median, 2.0);

    let mut world = MeanPairs::default();
    world.record(2.0, 3.0);
    world.drop_pair();
    mean.add(&world);
    assert_eq!((mean.pairs(), mean.dropped(), mean.band(0.9)), (7, 1, None));
}

#[test]
fn too_little_has_no_difference() {
    assert_eq!(PairedIndicator::new(Some(5)).difference(0.95), None);
    assert_eq!(PairedMean::new(None).difference(0.95), None);
    let mut one = PairedIndicator::new(Some(2));
    let mut world = MatchedPairs::default();
    world.record(true, false);
    world.record(true, true);
    one.add(&world);
    // One world: next to nothing is known.
    let found = one.difference(0.95).unwrap();
    assert!(found.interval.contains(0.5) && found.interval.low < -0.9);
    assert_eq!(one.band(0.9), None);
    // Nothing differs: the bound is that of as many pairs as there are worlds.
    let mut same = PairedIndicator::new(Some(50));
    for _ in 0..100 {
        same.add(&MatchedPairs {
            pairs: 50,
            both: 10,
            ..MatchedPairs::default()
        });
    }
    let found = same.difference(0.95).unwrap();
    let z2 = two_sided_z(0.95) * two_sided_z(0.95);
    assert!((found.interval.high - z2 / (100.0 + z2)).abs() < 1e-12);
    assert_eq!((found.p_value, found.variance_reduction), (1.0, None));
}

/// 100 of 1,000 pairs differ. With fewer unknown pairs than the near end of the interval, they cannot all be due to these.
#[test]
fn a_difference_that_unknown_pairs_could_have_made_is_none() {
    for (only_variant, only_baseline) in [(100, 0), (0, 100)] {
        let mut all = PairedIndicator::new(None);
        all.add(&MatchedPairs {
            pairs: 1000,
            both: 200,
            only_baseline,
            only_variant,
        });
        let known = all.difference(0.95).unwrap();
        assert!(known.p_value < 1e-6);
        let nearest = 1000.0 * known.interval.low.abs().min(known.interval.high.abs());
        all.add_unknown(nearest as u64);
        assert_eq!(all.difference(0.95), Some(known));
        all.add_unknown(1);
        let unknown = all.difference(0.95).unwrap();
        assert_eq!((unknown.p_value, unknown.interval), (1.0, known.interval));
    }
}

proptest! {
    #[test]
    fn any_grouping_gives_the_same(
        values in prop::collection::vec((any::<[bool; 4]>(), any::<[i8; 4]>()), 0..40),
        cut in 0usize..40,
    ) {
        let part = |values: &[([bool; 4], [i8; 4])]| {
            let mut indicator = PairedIndicator::new(Some(2));
            let mut mean = PairedMean::new(Some(2));
            for (b, x) in values {
                let mut world = MatchedPairs::default();
                world.record(b[0], b[1]);
                world.record(b[2], b[3]);
                indicator.add(&world);
                let mut world = MeanPairs::default();
                world.record(f64::from(x[0]) / 3.0, f64::from(x[1]));
                world.record(f64::from(x[2]), f64::from(x[3]) / 7.0);
                mean.add(&world);
            }
            (indicator, mean)
        };
        let whole = part(&values);
        let (left, right) = values.split_at(cut.min(values.len()));
        let (left, mut merged) = (part(left), part(right));
        merged.0.merge(&left.0);
        merged.1.merge(&left.1);
        prop_assert_eq!(&merged, &whole);
        let stored = serde_json::to_string(&merged).unwrap();
        let read: (PairedIndicator, PairedMean) = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(read, whole);
    }
}
