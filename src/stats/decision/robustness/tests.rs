use super::*;
use crate::random::test_stream;
use crate::stats::special::{beta_quantile, normal_cdf, normal_pdf};

fn question(limit: Option<Limit>) -> Question {
    Question {
        goal: Goal::Largest,
        probability: false,
        limit,
        level: 0.95,
        seed: 1,
    }
}

/// Two settings: 0 in every world, and normal across worlds with mean -0.3 and standard deviation 1. Five groups whose mean has
/// noise of standard deviation `noise` in the difference, and a larger part that the settings share.
fn two_settings(worlds: usize, noise: f64, stream: &mut Stream) -> (Outcomes, Vec<f64>) {
    let mut normal = || normal_quantile(stream.uniform());
    let mut outcomes = Outcomes::new(2, &[1; 5], &[1.0]).unwrap();
    let mut truths = Vec::new();
    for unit in 0..worlds as u64 {
        let truth = normal() - 0.3;
        let mut means = [0.0; 10];
        for group in 0..5 {
            let shared = 3.0 * normal();
            means[group] = shared;
            means[5 + group] = truth + shared + noise * 5f64.sqrt() * normal();
        }
        outcomes.add_world(0, 0, unit, &means).unwrap();
        truths.push(truth);
    }
    (outcomes, truths)
}

/// Regrets of the first of two settings with the noise left in: expected, 90 % and maximal.
fn plain(outcomes: &Outcomes) -> [f64; 3] {
    let worlds = outcomes.strata[0].worlds.iter();
    let mut regrets: Vec<f64> = worlds.map(|w| (w.means[1] - w.means[0]).max(0.0)).collect();
    regrets.sort_by(f64::total_cmp);
    let count = regrets.len();
    let high = regrets[(0.9 * count as f64).ceil() as usize - 1];
    [
        regrets.iter().sum::<f64>() / count as f64,
        high,
        regrets[count - 1],
    ]
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
        let found = outcomes.evaluate(&question(None)).unwrap()[0];
        let found = [
            found.regret_expected.value,
            found.regret_90.value,
            found.regret_maximal.value,
        ];
        let [expected, high] = truths();
        for (kind, found) in [found, plain(&outcomes)].into_iter().enumerate() {
            for ((sum, found), truth) in sums.iter_mut().zip(found).zip([expected, high, worst]) {
                let error = found - truth;
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
    let mut outcomes = Outcomes::new(3, &[1; 2], &[3.0, 1.0]).unwrap();
    let exact = |values: [f64; 3]| values.iter().flat_map(|&v| [v, v]).collect::<Vec<_>>();
    // Two worlds of weight 3/8 and one of 1/4; smaller is better.
    outcomes
        .add_world(0, 0, 0, &exact([1.0, 2.0, 4.0]))
        .unwrap();
    outcomes
        .add_world(0, 0, 1, &exact([3.0, 2.0, 1.0]))
        .unwrap();
    outcomes
        .add_world(1, 0, 0, &exact([5.0, 5.0, 6.0]))
        .unwrap();
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
    let mut outcomes = Outcomes::new(4, &[1; 4], &[1.0]).unwrap();
    for unit in 0..100 {
        let level = 5.0 * stream.uniform();
        let means: Vec<f64> = (0..16).map(|_| level + stream.uniform()).collect();
        outcomes.add_world(0, 0, unit, &means).unwrap();
    }
    let noisy: f64 = (outcomes.strata[0].worlds.iter())
        .map(|w| w.means.iter().copied().fold(0.0, f64::max) - w.means[0])
        .sum();
    let found = outcomes.evaluate(&question(None)).unwrap()[0];
    // The mean of four uniforms has a standard deviation of 0.14; the best of four lies about one above the mean.
    assert!(noisy > 12.0, "{noisy:?}");
    assert!(found.regret_expected.value < 0.06, "{found:?}");
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    assert!(Outcomes::new(0, &[1; 2], &[1.0]).is_err() && Outcomes::new(2, &[1; 2], &[]).is_err());
    for sizes in [&[5][..], &[5, 0], &[]] {
        assert_eq!(Outcomes::new(2, sizes, &[1.0]), Err(OutcomesError::Groups));
    }
    assert_eq!(
        Outcomes::new(2, &[1; 2], &[1.0, 0.0]),
        Err(OutcomesError::Weight(0.0))
    );
    let mut outcomes = Outcomes::new(2, &[1; 2], &[1.0, 1.0]).unwrap();
    assert_eq!(
        outcomes.add_world(0, 0, 0, &[1.0]),
        Err(OutcomesError::Length {
            expected: 4,
            got: 1
        })
    );
    assert_eq!(
        outcomes.add_world(0, 0, 0, &[1.0, 1.0, f64::NAN, 1.0]),
        Err(OutcomesError::NotFinite { setting: 1 })
    );
    assert_eq!(
        outcomes.add_world(2, 0, 0, &[1.0; 4]),
        Err(OutcomesError::NoStratum(2))
    );
    outcomes.add_world(0, 0, 0, &[1.0; 4]).unwrap();
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
        let mut shared = Outcomes::new(1, &[1; 2], &[1.0, 1.0]).unwrap();
        let mut separate = shared.clone();
        for unit in 0..30 {
            let level = normal_quantile(stream.uniform());
            for stratum in 0..2 {
                let mean = [level + 0.1 * normal_quantile(stream.uniform()); 2];
                shared.add_world(stratum, 0, unit, &mean).unwrap();
                let own = unit + 1000 * stratum as u64;
                separate.add_world(stratum, 0, own, &mean).unwrap();
            }
        }
        let holds = |outcomes: &Outcomes| {
            let found = outcomes.expected(&question(None), 0);
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
    let mut outcomes = Outcomes::new(2, &[1; 10], &[1.0]).unwrap();
    let mut stream = test_stream(7);
    let means: Vec<f64> = (0..20)
        .map(|i| f64::from(i / 10) + 0.3 * stream.uniform())
        .collect();
    outcomes.add_world(0, 0, 0, &means).unwrap();
    let found = outcomes.evaluate(&question(None)).unwrap();
    let regret = found[0].regret_expected;
    assert!(
        regret.interval.contains(1.0) && regret.interval.width() > 0.02,
        "{regret:?}"
    );
    assert!(found[1].regret_expected.value == 0.0);
    assert!(found[0].expected.interval.width() > 0.02);
}

/// Worlds of yes-or-no runs with the sizes of their groups: two settings with the probabilities `p(x)` where x is uniform between 0
/// and 1, in states that differ in nothing. One uniform decides both settings, in all states, if `shared`. Also the probabilities.
fn yes_or_no(
    (worlds, states): (u64, u64),
    sizes: &[u64],
    p: impl Fn(f64) -> [f64; 2],
    shared: bool,
    stream: &mut Stream,
) -> (Outcomes, Vec<[f64; 2]>) {
    let mut outcomes = Outcomes::new(2, sizes, &[1.0]).unwrap();
    let mut truths = Vec::new();
    for unit in 0..worlds {
        let p = p(stream.uniform());
        truths.push(p);
        let mut means = [Vec::new(), Vec::new()];
        for &size in sizes {
            let mut occurrences = [0.0; 2];
            for _ in 0..size {
                let chance = stream.uniform();
                for setting in 0..2 {
                    let own = if shared { chance } else { stream.uniform() };
                    occurrences[setting] += f64::from(u8::from(own < p[setting]));
                }
            }
            for setting in 0..2 {
                means[setting].push(occurrences[setting] / size as f64);
            }
        }
        let means = means.concat();
        for state in 0..states {
            outcomes.add_world(0, state, unit, &means).unwrap();
        }
    }
    (outcomes, truths)
}

fn of_probabilities() -> Question {
    Question {
        goal: Goal::Smallest,
        probability: true,
        ..question(None)
    }
}

#[test]
fn states_of_one_world_each_show_their_noise() {
    let (mut stream, mut covered) = (test_stream(21), [0; 2]);
    for _ in 0..200 {
        let (outcomes, _) = yes_or_no((1, 3), &[20; 10], |_| [0.3, 0.4], true, &mut stream);
        let found = outcomes.evaluate(&of_probabilities()).unwrap();
        covered[0] += u32::from(found[0].expected.interval.contains(0.3));
        covered[1] += u32::from(found[1].regret_expected.interval.contains(0.1));
        assert!(found[0].expected.interval.width() > 0.1, "{found:?}");
    }
    // 190 expected, standard deviation 3.1.
    assert!(covered.iter().all(|&covered| covered >= 180), "{covered:?}");
}

#[test]
fn what_was_never_seen_is_not_certain() {
    let mut stream = test_stream(22);
    for (worlds, most) in [(1, 0.04), (40, 0.1)] {
        let (outcomes, _) = yes_or_no((worlds, 3), &[10; 10], |_| [0.0, 1.0], true, &mut stream);
        let found = outcomes.evaluate(&of_probabilities()).unwrap();
        for estimate in [found[0].expected, found[0].regret_expected] {
            let Interval { low, high } = estimate.interval;
            assert!(low == 0.0 && high > 0.01 && high < most, "{estimate:?}");
        }
        assert!((found[1].expected.value - 1.0).abs() < 1e-12);
        assert!(found[1].expected.interval.width() > 0.01);
        // Of a number that never varied nothing is known.
        let numbers = outcomes.evaluate(&question(None)).unwrap();
        assert_eq!(numbers[0].expected.interval, means::UNKNOWN);
    }
}

/// Groups of unequal size show the same noise as equal ones.
#[test]
fn noise_is_taken_out_whatever_the_number_of_runs() {
    let truth = |x: f64| [0.2 + 0.1 * x; 2];
    for sizes in [&[5; 10][..], &[4, 5, 5, 4, 5, 5, 4, 5, 5, 5], &[1, 1, 9]] {
        let (mut stream, mut means) = (test_stream(23), [0.0; 2]);
        for _ in 0..20 {
            let (outcomes, _) = yes_or_no((40, 1), sizes, truth, false, &mut stream);
            let found = outcomes.evaluate(&of_probabilities()).unwrap();
            assert!(found[0].expected.interval.width() > 0.01);
            let stratum = &outcomes.strata[0];
            let noise = outcomes.noise(&stratum.all(), false).cells[0];
            let p = 0.25;
            means[0] += noise / (p * (1.0 - p) / outcomes.runs) / 20.0;
            means[1] += found[0].regret_expected.value / 20.0;
        }
        // E[p (1 - p)] is a little below 0.25 * 0.75.
        assert!((means[0] - 1.0).abs() < 0.12, "{sizes:?} {means:?}");
        // The regret is 0; the plain one is the mean of a normal number above 0, with the noise of a difference.
        let plain = (2.0 * 0.1875 / sizes.iter().sum::<u64>() as f64).sqrt() * normal_pdf(0.0);
        assert!(means[1] < 0.5 * plain, "{sizes:?} {means:?} {plain}");
    }
}

#[test]
fn means_are_drawn_towards_each_other_and_never_apart() {
    let mut stream = test_stream(24);
    for _ in 0..20 {
        // Twelve settings that are nearly alike, in few worlds: the noise exceeds the spread in some directions.
        let mut outcomes = Outcomes::new(12, &[1; 10], &[1.0]).unwrap();
        for unit in 0..20 {
            let level = stream.uniform();
            let means: Vec<f64> = (0..120).map(|_| level + 0.3 * stream.uniform()).collect();
            outcomes.add_world(0, 0, unit, &means).unwrap();
        }
        let worlds = outcomes.strata[0].all();
        let posterior = outcomes.posterior(&worlds, false);
        // The gain B C^-1 has the eigenvalues of a symmetric matrix; its trace is their sum, that of its square that of squares.
        let trace = |m: &Matrix| (0..12).map(|i| m.cells[13 * i]).sum::<f64>();
        let (first, second) = (
            trace(&posterior.gain),
            trace(&posterior.gain.times(&posterior.gain)),
        );
        assert!(second <= first + 1e-9 && first <= 12.0, "{first} {second}");
        // What is drawn varies no more than the means.
        let means: Vec<Vec<f64>> = worlds.iter().map(|w| w.means.clone()).collect();
        let drawn = posterior.draw(&means, [f64::NEG_INFINITY, f64::INFINITY], &mut stream);
        let largest = |worlds: &[Vec<f64>]| -> f64 {
            let regret = |w: &Vec<f64>| w.iter().copied().fold(0.0, f64::max) - w[0];
            worlds.iter().map(regret).fold(0.0, f64::max)
        };
        assert!(largest(&drawn) <= 1.5 * largest(&means));
    }
}

#[test]
fn expected_regret_of_rare_outcomes_is_covered() {
    let (mut stream, mut covered, mut sums) = (test_stream(25), [0; 2], [0.0; 2]);
    let repetitions = 100;
    for _ in 0..repetitions {
        // Mean probabilities of 0.5 and 0.1 %, in a tenth of the worlds.
        let p = |x: f64| if x < 0.1 { [0.05, 0.01] } else { [0.0; 2] };
        let (outcomes, _) = yes_or_no((40, 1), &[5; 10], p, true, &mut stream);
        let found = outcomes.evaluate(&of_probabilities()).unwrap();
        for (setting, truth) in [0.004, 0.0].into_iter().enumerate() {
            let regret = found[setting].regret_expected;
            covered[setting] += u32::from(regret.interval.contains(truth));
            sums[setting] += regret.value / f64::from(repetitions);
        }
    }
    // 95 expected, standard deviation 2.2; of 4000 worlds the mean regret has a standard error of 0.0002.
    assert!(covered.iter().all(|&covered| covered >= 90), "{covered:?}");
    assert!(
        (sums[0] - 0.004).abs() < 0.0008 && sums[1] < 0.0002,
        "{sums:?}"
    );
}

/// For each case a name, whether one uniform decides both settings, and the probabilities.
type Case = (&'static str, bool, fn(f64) -> [f64; 2]);

const CASES: [Case; 5] = [
    ("0.6 x, 0.5 x, shared", true, |x| [0.6 * x, 0.5 * x]),
    ("0.6 x, 0.5 x, apart", false, |x| [0.6 * x, 0.5 * x]),
    ("0.2 + 0.1 x both, apart", false, |x| [0.2 + 0.1 * x; 2]),
    ("0.5 y, 0.1 y, shared", true, |x| {
        let y = beta_quantile(0.3, 29.7, x);
        [0.5 * y, 0.1 * y]
    }),
    ("0.5 y, 0.1 y, apart", false, |x| {
        let y = beta_quantile(0.3, 29.7, x);
        [0.5 * y, 0.1 * y]
    }),
];

#[test]
#[ignore = "prints the table of coverage in the module's documentation"]
fn print_coverage() {
    for (name, shared, p) in CASES {
        let regret = |p: [f64; 2], setting: usize| p[setting] - p[0].min(p[1]);
        let grid: Vec<[f64; 2]> = (0..10_000).map(|i| p((f64::from(i) + 0.5) / 1e4)).collect();
        let mean = |read: &dyn Fn([f64; 2]) -> f64| {
            grid.iter().map(|&p| read(p)).sum::<f64>() / grid.len() as f64
        };
        for worlds in [40, 200] {
            let (mut stream, repetitions) = (test_stream(31), 200);
            // For each setting and column: covered, estimate, truth.
            let mut sums = [[[0.0; 3]; 4]; 2];
            for _ in 0..repetitions {
                let (outcomes, truths) = yes_or_no((worlds, 1), &[5; 10], p, shared, &mut stream);
                let found = outcomes.evaluate(&of_probabilities()).unwrap();
                for setting in 0..2 {
                    let of = &found[setting];
                    let real = truths.iter().map(|&p| regret(p, setting));
                    let columns = [
                        (of.expected, mean(&|p| p[setting])),
                        (of.regret_expected, mean(&|p| regret(p, setting))),
                        (of.regret_90, regret(p(0.9), setting)),
                        (of.regret_maximal, real.fold(0.0, f64::max)),
                    ];
                    for (sums, (estimate, truth)) in sums[setting].iter_mut().zip(columns) {
                        let interval = estimate.interval;
                        let holds = interval.low - 1e-12 <= truth && truth <= interval.high + 1e-12;
                        for (sum, x) in
                            sums.iter_mut()
                                .zip([f64::from(u8::from(holds)), estimate.value, truth])
                        {
                            *sum += x / f64::from(repetitions);
                        }
                    }
                }
            }
            for (setting, columns) in sums.iter().enumerate() {
                let cells: Vec<String> = (columns.iter())
                    .map(|[covered, found, truth]| {
                        format!("{covered:.2} ({found:.4} of {truth:.4})")
                    })
                    .collect();
                let which = ["first", "second"][setting];
                println!(
                    "//! | {name} | {worlds} | {which} | {} |",
                    cells.join(" | ")
                );
            }
        }
    }
}
