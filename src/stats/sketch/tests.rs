use super::*;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn sketch_of(values: &[f64]) -> QuantileSketch {
    let mut sketch = QuantileSketch::new();
    for &x in values {
        sketch.add(x);
    }
    sketch
}

fn exact_quantile(values: &[f64], p: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (p * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// Values of both signs over many binades, zeros and repeats among them.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        4 => (-20i32..20, 1.0f64..2.0, any::<bool>())
            .prop_map(|(e, m, negative)| if negative { -m } else { m } * crate::math::exp2(f64::from(e))),
        1 => Just(0.0),
        1 => (-200i32..200).prop_map(f64::from),
    ];
    prop::collection::vec(value, 1..300)
}

proptest! {
    #[test]
    fn quantiles_are_within_the_stated_accuracy(values in values(), p in 0.0f64..=1.0) {
        let sketch = sketch_of(&values);
        let expected = exact_quantile(&values, p);
        let got = sketch.quantile(p).unwrap();
        prop_assert!((got - expected).abs() <= 0.004 * expected.abs(), "{} {}", got, expected);
        prop_assert!(sketch.relative_accuracy() < 0.004);
    }

    #[test]
    fn merging_does_not_depend_on_order_or_grouping(values in values(), cut in 0usize..300) {
        let whole = sketch_of(&values);
        let (left, right) = values.split_at(cut.min(values.len()));
        let mut merged = sketch_of(right);
        merged.merge(&sketch_of(left));
        prop_assert_eq!(&merged, &whole);
        let text = serde_json::to_string(&merged).unwrap();
        prop_assert_eq!(&serde_json::from_str::<QuantileSketch>(&text).unwrap(), &whole);
    }

    #[test]
    fn many_values_at_once_are_added_as_one_by_one(
        values in values(), factor in 0.001f64..1.0, positive in any::<bool>(), cut in 0usize..300,
    ) {
        // The nearer to 1 in size, the closer together; sometimes all positive.
        let near = |x: f64| if x.abs() > 1.0 { x.signum() * crate::math::pow(x.abs(), factor) } else { x };
        let shift = |x: f64| if positive { x.abs() + 0.1 } else { x };
        let values: Vec<f64> = values.iter().map(|&x| shift(near(x))).collect();
        let (mut sketch, mut room) = (QuantileSketch::new(), Room::default());
        let (left, right) = values.split_at(cut.min(values.len()));
        for part in [left, right] {
            sketch.add_all(part, &mut room);
        }
        prop_assert_eq!(&sketch, &sketch_of(&values));
    }

    #[test]
    fn fraction_at_most_is_exact_at_the_ends_of_bins(values in values(), x in -300i32..300) {
        let x = f64::from(x);
        let exact = values.iter().filter(|&&v| v <= x).count() as f64 / values.len() as f64;
        let near = values.iter().filter(|&&v| (v - x).abs() <= 0.008 * x.abs()).count() as f64;
        let got = sketch_of(&values).fraction_at_most(x).unwrap();
        prop_assert!((got - exact).abs() <= near / values.len() as f64 + 1e-12);
    }
}

#[test]
fn a_value_that_is_not_above_0_and_finite_is_seen_among_others() {
    for odd in [
        0.0,
        -0.0,
        f64::from_bits(1),
        -f64::from_bits(1),
        f64::MAX,
        f64::MIN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
        -1.5,
    ] {
        let mut values = [1.0; 9];
        values[5] = odd;
        let mut sketch = QuantileSketch::new();
        sketch.add_all(&values, &mut Room::default());
        assert_eq!(sketch, sketch_of(&values), "{odd}");
    }
}

#[test]
fn small_integers_are_exact() {
    let values: Vec<f64> = (0..1000).map(|i| f64::from(i * 37 % 257 - 128)).collect();
    let sketch = sketch_of(&values);
    for i in 0..=200 {
        let p = f64::from(i) / 200.0;
        assert_eq!(sketch.quantile(p), Some(exact_quantile(&values, p)), "{p}");
    }
    for x in -130..130 {
        let x = f64::from(x);
        let exact = values.iter().filter(|&&v| v <= x).count() as f64 / 1000.0;
        assert!((sketch.fraction_at_most(x).unwrap() - exact).abs() < 1e-12);
    }
}

#[test]
fn joined_bins_stay_independent_of_order_and_say_what_is_left() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    // 100 binades: the finest bins would be 12800.
    let values: Vec<f64> = (0..40_000)
        .map(|_| libm::exp2(rng.random_range(-50.0..50.0)))
        .collect();
    let whole = sketch_of(&values);
    assert!(whole.positive.bins.len() <= MAX_BINS);
    assert_eq!(whole.positive.level, 3);
    let accuracy = whole.relative_accuracy();
    assert!((accuracy - 1.0 / 33.0).abs() < 1e-12, "{accuracy}");
    for p in [0.01, 0.3, 0.5, 0.99] {
        let (got, exact) = (whole.quantile(p).unwrap(), exact_quantile(&values, p));
        assert!((got / exact - 1.0).abs() <= accuracy);
    }
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    assert_eq!(sketch_of(&sorted), whole);
    let mut merged = QuantileSketch::new();
    for part in sorted.chunks(777).rev() {
        merged.merge(&sketch_of(part));
    }
    assert_eq!(merged, whole);
    let (mut added, mut room) = (QuantileSketch::new(), Room::default());
    for part in values.chunks(777) {
        added.add_all(part, &mut room);
    }
    assert_eq!(added, whole);
}

#[test]
fn every_finite_value_fits() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut sketch = sketch_of(&[
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        -5e-324,
        0.0,
        -0.0,
    ]);
    for _ in 0..20_000 {
        let x = f64::from_bits(rng.random());
        if x.is_finite() {
            sketch.add(x);
        }
    }
    assert!(sketch.positive.bins.len() <= MAX_BINS && sketch.negative.bins.len() <= MAX_BINS);
    assert_eq!(sketch.quantile(0.0), Some(f64::MIN));
    assert_eq!(sketch.quantile(1.0), Some(f64::MAX));
    assert!(sketch.quantile(0.3).unwrap().is_finite());
}

#[test]
fn non_finite_values_are_counted_and_left_out() {
    let sketch = sketch_of(&[1.0, f64::NAN, f64::INFINITY, 2.0]);
    assert_eq!((sketch.count(), sketch.rejected()), (2, 2));
    assert_eq!(sketch.quantile(1.0), Some(2.0));
}

#[test]
fn empty_sketch_has_no_quantiles() {
    let sketch = QuantileSketch::new();
    assert_eq!(sketch.quantile(0.5), None);
    assert_eq!(sketch.quantile_interval(0.5, 0.95), None);
    assert_eq!(sketch.fraction_at_most(1.0), None);
}

#[test]
fn median_interval_of_ten_values_is_the_sign_test() {
    let sketch = sketch_of(&(1..=10).map(f64::from).collect::<Vec<_>>());
    // P(2 <= Bin(10, 1/2) <= 8) = 0.979: the second and the ninth value.
    assert_eq!(
        sketch.quantile_interval(0.5, 0.95),
        Some(Interval::new(2.0, 9.0))
    );
    // Ten values cannot bound their 99th percentile from above.
    assert_eq!(
        sketch.quantile_interval(0.99, 0.95).unwrap().high,
        f64::INFINITY
    );
}

#[test]
fn quantile_intervals_cover_and_the_quantile_of_a_shifted_rank_does_not() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for (n, p) in [(40, 0.5), (400, 0.9)] {
        let repetitions = 2000;
        let (mut covered, mut shifted) = (0, 0);
        for _ in 0..repetitions {
            let values: Vec<f64> = (0..n).map(|_| rng.random::<f64>()).collect();
            let sketch = sketch_of(&values);
            let hit = |p_read: f64| {
                let interval = sketch.quantile_interval(p_read, 0.95).unwrap();
                u32::from(interval.contains(p))
            };
            covered += hit(p);
            shifted += hit(p + (p * (1.0 - p) / f64::from(n)).sqrt());
        }
        let share = |hits: u32| f64::from(hits) / f64::from(repetitions);
        // Discrete ranks make the interval conservative; three standard errors are 0.015.
        assert!(
            share(covered) > 0.935 && share(covered) < 0.99,
            "{n}: {}",
            share(covered)
        );
        assert!(share(shifted) < 0.935, "{n}: {}", share(shifted));
    }
}

#[test]
fn tampered_bins_are_refused() {
    let text = serde_json::to_string(&sketch_of(&[1.0, 2.0])).unwrap();
    assert!(serde_json::from_str::<QuantileSketch>(&text).is_ok());
    let tampered = text.replace("\"min\":2.0", "\"min\":1.5");
    assert_ne!(tampered, text);
    assert!(serde_json::from_str::<QuantileSketch>(&tampered).is_err());
}
