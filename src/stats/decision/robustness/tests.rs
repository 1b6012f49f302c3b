use super::*;
use crate::random::test_stream;
use crate::stats::special::{normal_cdf, normal_pdf};

fn question(limit: Option<Limit>) -> Question {
    Question {
        goal: Goal::Largest,
        limit,
        level: 0.95,
        seed: 1,
    }
}

/// Two settings: 0 in every world, and normal across worlds with mean -0.3 and standard deviation 1. Five groups whose mean has
/// noise of standard deviation `noise` in the difference, and a larger part that the settings share.
fn two_settings(worlds: usize, noise: f64, stream: &mut Stream) -> (Outcomes, Vec<f64>) {
    let mut normal = || normal_quantile(stream.uniform());
    let mut outcomes = Outcomes::new(2, 5, &[1.0]).unwrap();
    let mut truths = Vec::new();
    for unit in 0..worlds as u64 {
        let truth = normal() - 0.3;
        let mut means = [0.0; 10];
        for group in 0..5 {
            let shared = 3.0 * normal();
            means[group] = shared;
            means[5 + group] = truth + shared + noise * 5f64.sqrt() * normal();
        }
        outcomes.add_world(0, unit, &means).unwrap();
        truths.push(truth);
    }
    (outcomes, truths)
}

/// Without the groups the noise stays in.
fn plain(outcomes: &Outcomes) -> Outcomes {
    let mut plain = Outcomes::new(outcomes.settings, 1, &[1.0]).unwrap();
    for world in &outcomes.strata[0].worlds {
        plain.add_world(0, world.unit, &world.means).unwrap();
    }
    plain
}

/// Expected regret, 90 % regret and satisficing share (regret aside, outcome above the other's) of the first setting.
fn truths() -> [f64; 2] {
    // Regret of the first setting is max(0, d), d normal with mean -0.3 and standard deviation 1.
    let expected = normal_pdf(-0.3) - 0.3 * normal_cdf(-0.3);
    let high = -0.3 + normal_quantile(0.9);
    [expected, high]
}

fn errors(noise: f64, worlds: usize, repetitions: u32) -> [[f64; 2]; 3] {
    let mut stream = test_stream(4);
    let mut sums = [[0.0; 2]; 3];
    for _ in 0..repetitions {
        let (outcomes, real) = two_settings(worlds, noise, &mut stream);
        let worst = real.iter().copied().fold(0.0, f64::max);
        for (kind, outcomes) in [&outcomes, &plain(&outcomes)].into_iter().enumerate() {
            let found = outcomes.evaluate(&question(None)).unwrap()[0];
            let [expected, high] = truths();
            let errors = [
                found.regret_expected.value - expected,
                found.regret_90.value - high,
                found.regret_maximal.value - worst,
            ];
            for (sum, error) in sums.iter_mut().zip(errors) {
                sum[kind] += error * error / f64::from(repetitions);
            }
        }
    }
    sums.map(|sum| sum.map(f64::sqrt))
}

#[test]
#[ignore = "prints the table of the module's documentation"]
fn print_accuracy() {
    let [expected, high] = truths();
    let [a, b, c] = errors(1.0, 100, 100);
    println!(
        "//! | expected regret | {expected:.3} | {:.3} ({:.3}) |",
        a[0], a[1]
    );
    println!(
        "//! | 90 % regret | {high:.3} | {:.3} ({:.3}) |",
        b[0], b[1]
    );
    println!(
        "//! | maximal regret | of these worlds | {:.3} ({:.3}) |",
        c[0], c[1]
    );
}

#[test]
fn noise_is_taken_out_of_regrets() {
    let [expected, high, maximal] = errors(1.0, 150, 12);
    assert!(expected[0] < 0.08 && expected[1] > 0.1, "{expected:?}");
    assert!(high[0] < 0.25 && high[1] > 0.3, "{high:?}");
    assert!(maximal[0] < maximal[1], "{maximal:?}");
}

#[test]
fn intervals_cover_regrets_and_shares() {
    let mut stream = test_stream(5);
    let [expected, high] = truths();
    let limit = Limit::Above(0.5);
    let mut covered = [0; 5];
    let repetitions = 100;
    for _ in 0..repetitions {
        let (outcomes, real) = two_settings(80, 0.7, &mut stream);
        let found = outcomes.evaluate(&question(Some(limit))).unwrap();
        let worst = real.iter().copied().fold(0.0, f64::max);
        let share = found[1].satisficing.unwrap();
        // The second setting has the mean -0.3; the shared noise makes its share above 0.5 hard to see.
        for (covered, (interval, truth)) in covered.iter_mut().zip([
            (found[0].regret_expected.interval, expected),
            (found[0].regret_90.interval, high),
            (found[0].regret_maximal.interval, worst),
            (found[1].expected.interval, -0.3),
            (share.interval, normal_cdf(-0.8)),
        ]) {
            *covered += u32::from(interval.contains(truth));
        }
    }
    // 95 expected, standard deviation 2.2.
    assert!(covered.iter().all(|&c| c >= 88), "{covered:?}");
}

#[test]
fn outcomes_without_noise_are_taken_as_they_are() {
    let mut outcomes = Outcomes::new(3, 2, &[3.0, 1.0]).unwrap();
    let exact = |values: [f64; 3]| values.iter().flat_map(|&v| [v, v]).collect::<Vec<_>>();
    // Two worlds of weight 3/8 and one of 1/4; smaller is better.
    outcomes.add_world(0, 0, &exact([1.0, 2.0, 4.0])).unwrap();
    outcomes.add_world(0, 1, &exact([3.0, 2.0, 1.0])).unwrap();
    outcomes.add_world(1, 0, &exact([5.0, 5.0, 6.0])).unwrap();
    let asked = Question {
        goal: Goal::Smallest,
        limit: Some(Limit::Below(2.5)),
        ..question(None)
    };
    let found = outcomes.evaluate(&asked).unwrap();
    let regrets: Vec<[f64; 3]> = (found.iter())
        .map(|r| {
            [
                r.regret_expected.value,
                r.regret_90.value,
                r.regret_maximal.value,
            ]
        })
        .collect();
    // Regrets by world: (0, 1, 3), (2, 1, 0), (0, 0, 1).
    assert_eq!(regrets[0], [0.75, 2.0, 2.0]);
    assert_eq!(regrets[1], [0.75, 1.0, 1.0]);
    assert_eq!(regrets[2], [3.0 * 0.375 + 0.25, 3.0, 3.0]);
    let shares: Vec<f64> = found.iter().map(|r| r.satisficing.unwrap().value).collect();
    assert_eq!(shares, [0.375, 0.75, 0.375]);
    assert_eq!(found[0].expected.value, 0.375 * 4.0 + 0.25 * 5.0);
}

#[test]
fn settings_that_are_all_the_same_have_no_regret() {
    let mut stream = test_stream(6);
    let mut outcomes = Outcomes::new(4, 4, &[1.0]).unwrap();
    for unit in 0..100 {
        let level = 5.0 * stream.uniform();
        let means: Vec<f64> = (0..16).map(|_| level + stream.uniform()).collect();
        outcomes.add_world(0, unit, &means).unwrap();
    }
    let noisy = plain(&outcomes).evaluate(&question(None)).unwrap()[0];
    let found = outcomes.evaluate(&question(None)).unwrap()[0];
    // The mean of four uniforms has a standard deviation of 0.14; the best of four lies about one above the mean.
    assert!(noisy.regret_expected.value > 0.12, "{noisy:?}");
    assert!(found.regret_expected.value < 0.06, "{found:?}");
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    assert!(Outcomes::new(0, 2, &[1.0]).is_err() && Outcomes::new(2, 2, &[]).is_err());
    assert_eq!(
        Outcomes::new(2, 2, &[1.0, 0.0]),
        Err(OutcomesError::Weight(0.0))
    );
    let mut outcomes = Outcomes::new(2, 2, &[1.0, 1.0]).unwrap();
    assert_eq!(
        outcomes.add_world(0, 0, &[1.0]),
        Err(OutcomesError::Length {
            expected: 4,
            got: 1
        })
    );
    assert_eq!(
        outcomes.add_world(0, 0, &[1.0, 1.0, f64::NAN, 1.0]),
        Err(OutcomesError::NotFinite { setting: 1 })
    );
    assert_eq!(
        outcomes.add_world(2, 0, &[1.0; 4]),
        Err(OutcomesError::NoStratum(2))
    );
    outcomes.add_world(0, 0, &[1.0; 4]).unwrap();
    assert_eq!(
        outcomes.evaluate(&question(None)),
        Err(OutcomesError::NoWorld(1))
    );
}

/// Two strata whose worlds share their draws: the same world under another explanation.
#[test]
fn worlds_that_share_their_draws_are_not_taken_for_independent() {
    let (mut together, mut apart) = (0, 0);
    let mut stream = test_stream(11);
    for _ in 0..200 {
        let mut shared = Outcomes::new(1, 1, &[1.0, 1.0]).unwrap();
        let mut separate = shared.clone();
        for unit in 0..30 {
            let level = normal_quantile(stream.uniform());
            for stratum in 0..2 {
                let mean = [level + 0.1 * normal_quantile(stream.uniform())];
                shared.add_world(stratum, unit, &mean).unwrap();
                let own = unit + 1000 * stratum as u64;
                separate.add_world(stratum, own, &mean).unwrap();
            }
        }
        let holds = |outcomes: &Outcomes| {
            let found = outcomes.expected(0, 0.95);
            u32::from(found.interval.contains(0.0))
        };
        together += holds(&shared);
        apart += holds(&separate);
    }
    // 190 expected, standard deviation 3.1; independent strata would have half the variance.
    assert!(
        (180..=199).contains(&together) && apart < 176,
        "{together} {apart}"
    );
}

#[test]
fn a_single_world_shows_its_noise() {
    let mut outcomes = Outcomes::new(2, 10, &[1.0]).unwrap();
    let mut stream = test_stream(7);
    let means: Vec<f64> = (0..20)
        .map(|i| f64::from(i / 10) + 0.3 * stream.uniform())
        .collect();
    outcomes.add_world(0, 0, &means).unwrap();
    let found = outcomes.evaluate(&question(None)).unwrap();
    let regret = found[0].regret_expected;
    assert!(
        regret.interval.contains(1.0) && regret.interval.width() > 0.02,
        "{regret:?}"
    );
    assert!(found[1].regret_expected.value == 0.0);
    assert!(found[0].expected.interval.width() > 0.02);
}
