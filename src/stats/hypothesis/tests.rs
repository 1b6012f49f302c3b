//! Reference values were computed with SciPy 1.16.

use super::*;
use crate::stats::special::normal_quantile;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn close(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= 1e-9 * expected.abs().max(1e-3)
}

fn check(result: Option<TestResult>, statistic: f64, p_value: f64) {
    let result = result.unwrap();
    assert!(
        close(result.statistic, statistic) && close(result.p_value, p_value),
        "{result:?}, not {statistic}, {p_value}"
    );
}

/// Share of rejections at 5 % over repetitions with their own random numbers.
fn rejections(repetitions: u32, test: impl Fn(&mut ChaCha8Rng) -> f64) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    let rejected = (0..repetitions).filter(|_| test(&mut rng) <= 0.05).count();
    rejected as f64 / f64::from(repetitions)
}

/// Three standard errors of a share of 5 % over 2000 repetitions are 0.0146.
fn assert_near_alpha(share: f64) {
    assert!((share - 0.05).abs() < 0.0146, "{share}");
}

fn counts(n: u32, probabilities: &[f64], rng: &mut ChaCha8Rng) -> Vec<u64> {
    let mut counts = vec![0; probabilities.len()];
    for _ in 0..n {
        let u: f64 = rng.random();
        let mut sum = 0.0;
        let cell = probabilities.iter().position(|p| {
            sum += p;
            u < sum
        });
        counts[cell.unwrap_or(probabilities.len() - 1)] += 1;
    }
    counts
}

#[test]
fn chi_square_reference_values() {
    check(
        chi_square_goodness_of_fit(&[16, 18, 16, 14, 12, 12], &[2.0, 2.0, 2.0, 2.0, 2.0, 1.0]),
        3.5,
        0.623_387_627_749_582_2,
    );
    check(
        chi_square_homogeneity(&[30, 14, 34, 45, 57, 20], &[48, 24, 30, 20, 60, 18]),
        16.832_995_951_417_008,
        0.004_827_660_712_061_591,
    );
}

#[test]
fn small_cells_are_pooled_with_their_neighbours() {
    // Expected 50, 46, 2, 1, 1: the last three only reach 4 and join the second.
    let pooled = chi_square_goodness_of_fit(&[50, 40, 5, 3, 2], &[0.5, 0.46, 0.02, 0.01, 0.01]);
    check(pooled, 0.0, 1.0);
    assert_eq!(chi_square_goodness_of_fit(&[3, 1], &[0.5, 0.5]), None);
    let mirrored = chi_square_homogeneity(&[50, 40, 2], &[50, 40, 2]).unwrap();
    assert_eq!((mirrored.statistic, mirrored.p_value), (0.0, 1.0));
}

#[test]
fn an_impossible_observation_refutes() {
    let result = chi_square_goodness_of_fit(&[99, 1], &[1.0, 0.0]).unwrap();
    assert_eq!(result.p_value, 0.0);
    assert_eq!(chi_square_goodness_of_fit(&[1], &[0.5, 0.5]), None);
    assert_eq!(chi_square_goodness_of_fit(&[0, 0], &[0.5, 0.5]), None);
    assert_eq!(chi_square_homogeneity(&[0, 0], &[1, 2]), None);
}

#[test]
fn chi_square_rejects_at_its_level_and_sees_a_shift() {
    let null = [0.4, 0.3, 0.15, 0.1, 0.04, 0.01];
    let shifted = [0.36, 0.3, 0.19, 0.1, 0.04, 0.01];
    let fit = |rng: &mut ChaCha8Rng, truth: &[f64]| {
        let observed = counts(400, truth, rng);
        chi_square_goodness_of_fit(&observed, &null)
            .unwrap()
            .p_value
    };
    assert_near_alpha(rejections(2000, |rng| fit(rng, &null)));
    assert!(rejections(500, |rng| fit(rng, &shifted)) > 0.2);
    let two = |rng: &mut ChaCha8Rng, second: &[f64]| {
        let (a, b) = (counts(600, &null, rng), counts(300, second, rng));
        chi_square_homogeneity(&a, &b).unwrap().p_value
    };
    assert_near_alpha(rejections(2000, |rng| two(rng, &null)));
    assert!(rejections(500, |rng| two(rng, &shifted)) > 0.15);
}

#[test]
fn kolmogorov_reference_values() {
    for (x, p) in [
        (0.2, 0.999_999_999_999_495),
        (0.5, 0.963_945_243_664_875_1),
        (0.9, 0.392_730_707_940_654_3),
        (1.0, 0.269_999_671_677_354_56),
        (1.3581, 0.049_999_630_431_667_4),
        (2.0, 0.000_670_925_255_779_695_3),
    ] {
        assert!(close(kolmogorov_upper_tail(x), p), "{x}");
    }
    assert_eq!(kolmogorov_upper_tail(0.0), 1.0);
    let sample = [0.97, 0.1, 0.25, 0.4, 0.55, 0.81, 0.9];
    let one = kolmogorov(&sample, |x| x).unwrap();
    assert!(close(one.statistic, 0.238_571_428_571_428_66));
    // The exact p-value of seven values is 0.7413; 0.48342 is their exact 5 % point.
    assert!((one.p_value - 0.7413).abs() < 0.02, "{one:?}");
    assert!((kolmogorov_result(0.48342, 7.0).p_value - 0.05).abs() < 0.001);
    let two = kolmogorov_smirnov(&[1.0, 2.0, 3.0, 4.5, 6.0], &[2.5, 3.5, 5.0, 7.0, 8.0, 9.0]);
    assert_eq!(two.unwrap().statistic, 0.5);
    assert_eq!(kolmogorov(&[], |x| x), None);
    assert_eq!(kolmogorov_smirnov(&[f64::NAN], &[1.0]), None);
}

#[test]
fn ties_do_not_count_as_distance() {
    let tied = kolmogorov_smirnov(&[1.0, 1.0, 2.0, 2.0], &[1.0, 2.0]).unwrap();
    assert_eq!((tied.statistic, tied.p_value), (0.0, 1.0));
}

#[test]
fn kolmogorov_rejects_at_its_level_and_sees_a_shift() {
    let sample = |rng: &mut ChaCha8Rng, n: u32, shift: f64| -> Vec<f64> {
        (0..n).map(|_| rng.random::<f64>() + shift).collect()
    };
    let uniform = |x: f64| x.clamp(0.0, 1.0);
    let one = |rng: &mut ChaCha8Rng, shift| {
        kolmogorov(&sample(rng, 60, shift), uniform)
            .unwrap()
            .p_value
    };
    assert_near_alpha(rejections(2000, |rng| one(rng, 0.0)));
    assert!(rejections(300, |rng| one(rng, 0.15)) > 0.5);
    let two = |rng: &mut ChaCha8Rng, shift| {
        let (a, b) = (sample(rng, 150, 0.0), sample(rng, 217, shift));
        kolmogorov_smirnov(&a, &b).unwrap().p_value
    };
    assert_near_alpha(rejections(2000, |rng| two(rng, 0.0)));
    assert!(rejections(300, |rng| two(rng, 0.15)) > 0.5);
}

#[test]
fn z_test_rejects_at_its_level_and_sees_a_shift() {
    let test = |rng: &mut ChaCha8Rng, mean: f64| {
        let mut moments = Moments::new();
        for _ in 0..20 {
            moments.add(3.0 * normal_quantile(rng.random::<f64>().max(1e-300)));
        }
        z_test(&moments, mean, 3.0).unwrap().p_value
    };
    assert_near_alpha(rejections(2000, |rng| test(rng, 0.0)));
    assert!(rejections(300, |rng| test(rng, 2.0)) > 0.7);
    let mut moments = Moments::new();
    assert_eq!(z_test(&moments, 0.0, 1.0), None);
    moments.add(1.959_963_984_540_054);
    check(z_test(&moments, 0.0, 1.0), 1.959_963_984_540_054, 0.05);
    assert_eq!(z_test(&moments, 0.0, 0.0), None);
}

#[test]
fn binomial_reference_values() {
    for (k, n, p, p_value) in [
        (3, 15, 0.1, 0.184_061_069_106_391_06),
        (682, 925, 0.75, 0.382_491_559_574_851_7),
        (9, 10, 0.5, 0.021_484_375),
        (0, 20, 0.2, 0.021_511_001_366_792_78),
        (5, 10, 0.5, 1.0),
        (60, 200, 0.4, 0.003_815_046_311_088_844_7),
        (0, 7, 0.0, 1.0),
        (1, 7, 0.0, 0.0),
        (7, 7, 1.0, 1.0),
    ] {
        check(binomial_test(k, n, p), k as f64, p_value);
    }
    assert_eq!(binomial_test(3, 2, 0.5), None);
    assert_eq!(binomial_test(1, 2, 1.5), None);
}

#[test]
fn binomial_test_is_the_sum_of_the_less_probable() {
    for (n, p) in [(1, 0.5), (12, 0.3), (33, 0.91), (40, 0.02)] {
        for k in 0..=n {
            let limit = binomial_pmf(k, n, p) * (1.0 + 1e-7);
            let sum: f64 = (0..=n)
                .map(|j| binomial_pmf(j, n, p))
                .filter(|&q| q <= limit)
                .sum();
            let p_value = binomial_test(k, n, p).unwrap().p_value;
            assert!(
                close(p_value, sum.min(1.0)),
                "{k} of {n} at {p}: {p_value} {sum}"
            );
        }
    }
}

#[test]
fn holm_worked_by_hand() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
    for (got, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        assert!(close(*got, expected));
    }
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    assert!(holm(&[]).is_empty());
}
