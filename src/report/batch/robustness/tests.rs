//! Regret and satisficing of a batch whose probabilities are known exactly.
//!
//! A bold policy comes to war with probability x, a careful one with 0.3, each by a draw of its own. Under the first explanation,
//! which has a quarter of the weight, x is uniform between 0.1 and 0.5; under the second, between 0.3 and 0.7.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::batch::check::{self, Options};
use crate::batch::conduct::{Control, conduct};
use crate::batch::inputs::Inputs;
use crate::batch::store::{Description, Store};
use crate::model::ParameterDraws;
use crate::stats::mean::mean_interval;
use crate::stats::moments::Moments;

const SCENARIO: &str = r#"
[scenario]
title = "Bold or careful"
start = 2024-01-01
horizon = 2
runs_per_world = 50

[parameter.x]
value = 0.3
basis = "assumption"
prior = { dist = "uniform", low = 0.1, high = 0.5 }
[parameter.careful]
value = 0
basis = "assumption"

[actor.a]
kind = "state"

[action.war]
[[calendar]]
id = "bold"
day = 1
probability = "x * (1 - careful)"
actor = "a"
action = "war"
[[calendar]]
id = "careful"
day = 1
probability = "0.3 * careful"
actor = "a"
action = "war"

[metric.wars]
count = ["war"]

[[endgame]]
id = "war"
when = "wars > 0"
[[endgame]]
id = "peace"
"#;

const GRIM: &str = r#"
[scenario]
extends = "mild.toml"
[parameter.x]
value = 0.5
prior = { dist = "uniform", low = 0.3, high = 0.7 }
"#;

const EXPERIMENT: &str = r#"
[batch]
runs = 2000
[scenario.mild]
file = "mild.toml"
[scenario.grim]
file = "grim.toml"
weight = 3
[lever.careful]
values = [0, 1]
[goal.peace]
of = "war"
threshold = 0.35
"#;

const SEEDS: u64 = 10;

/// What is expected of a policy, by the formulas.
struct Truth {
    expected: f64,
    regret_expected: f64,
    regret_90: f64,
    satisficing: f64,
}

/// The bold policy: regret max(0, x - 0.3). Its 90 % quantile r lies beyond what the first explanation can do, so
/// 0.75 (0.4 - r) / 0.4 = 0.1.
const BOLD: Truth = Truth {
    expected: 0.25 * 0.3 + 0.75 * 0.5,
    regret_expected: 0.25 * 0.05 + 0.75 * 0.2,
    regret_90: 0.4 - 0.4 * 0.1 / 0.75,
    satisficing: 0.25 * 0.625 + 0.75 * 0.125,
};
/// The careful policy: regret max(0, 0.3 - x), and 0.25 (0.2 - r) / 0.4 = 0.1.
const CAREFUL: Truth = Truth {
    expected: 0.3,
    regret_expected: 0.25 * 0.05,
    regret_90: 0.2 - 0.4 * 0.1 / 0.25,
    satisficing: 1.0,
};

/// The experiment with one seed.
struct Evaluated {
    /// The two policies.
    robustness: Vec<Robustness>,
    /// Their largest regrets in the worlds that were run.
    largest: [f64; 2],
    /// Expected regret of the careful one in these worlds.
    regret: f64,
    /// The same from the means of the worlds' runs, whose noise is left in.
    plain_regret: f64,
}

fn evaluate(seed: u64) -> Evaluated {
    let files = [
        ("mild.toml", SCENARIO),
        ("grim.toml", GRIM),
        ("experiment.toml", EXPERIMENT),
    ];
    let inputs = Inputs {
        files: files
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
        ..Inputs::default()
    };
    let options = Options {
        seed: Some(seed),
        runs: None,
    };
    let plan = check::load(&inputs, "experiment.toml", options)
        .unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    let description = Description {
        experiment: "experiment.toml".to_owned(),
        seed: options.seed,
        runs: None,
        select: false,
        identity: plan.identity.clone(),
        inputs,
    };
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &plan, &description, false).unwrap();
    let control = Control {
        threads: 1,
        stop: &AtomicBool::new(false),
        progress: &(),
    };
    let done = conduct(&plan, &store, &control).unwrap();
    let reader = CellReader::new(&store, done.rounds).unwrap();
    let mut weighed = weigh(&plan, &reader, &done).unwrap();

    let mut largest = [0.0_f64; 2];
    let (mut regret, mut plain_regret) = (0.0, 0.0);
    for scenario in 0..2 {
        let share = plan.scenarios[scenario as usize].weight / done.rounds as f64;
        let model = plan.model(plan.cell(2 * scenario));
        let x = (model.parameters().iter()).position(|parameter| parameter.id() == "x");
        let draws = ParameterDraws::new(model, seed);
        for world in 0..done.rounds {
            let x = draws.world(model, world)[x.unwrap()];
            largest[0] = largest[0].max(x - 0.3);
            largest[1] = largest[1].max(0.3 - x);
            regret += share * (0.3 - x).max(0.0);
        }
        let [bold, careful] = [0, 1].map(|policy| {
            let number = 2 * scenario + policy;
            let records = reader.read(number..number + 1).unwrap();
            let runs = CellRuns::new(&plan, number, &records);
            group_means(&runs, plan.goals[0].quantity, &[50]).unwrap()
        });
        let regrets = careful
            .iter()
            .zip(&bold)
            .map(|(careful, bold)| (careful - bold).max(0.0));
        plain_regret += share * regrets.sum::<f64>();
    }
    Evaluated {
        robustness: weighed.remove(0).policies.unwrap(),
        largest,
        regret,
        plain_regret,
    }
}

#[test]
fn regret_and_satisficing_are_those_of_the_closed_form_and_plain_regret_is_not() {
    // For each policy and column, how often the interval holds the truth.
    let mut covered = [[0; 5]; 2];
    let mut left_in = Moments::new();
    for seed in 1..=SEEDS {
        let Evaluated {
            robustness,
            largest,
            regret,
            plain_regret,
        } = evaluate(seed);
        for (policy, truth) in [BOLD, CAREFUL].iter().enumerate() {
            let Robustness {
                expected,
                regret_expected,
                regret_90,
                regret_maximal,
                satisficing,
            } = robustness[policy];
            let columns = [
                (expected, truth.expected),
                (regret_expected, truth.regret_expected),
                (regret_90, truth.regret_90),
                (regret_maximal, largest[policy]),
                (satisficing.unwrap(), truth.satisficing),
            ];
            for (count, (estimate, truth)) in covered[policy].iter_mut().zip(columns) {
                let close = 1e-9;
                let interval = estimate.interval;
                *count +=
                    u64::from(interval.low - close <= truth && truth <= interval.high + close);
            }
        }
        left_in.add(plain_regret - regret);
    }
    // Of ten intervals that hold with 95 %, fewer than seven hold with a probability of 0.001.
    assert!(
        covered.as_flattened().iter().all(|&count| count >= 7),
        "{covered:?}"
    );
    // The mutant: regret from the means of the worlds' runs, whose noise makes it too large.
    let left_in = mean_interval(&left_in, 0.99).unwrap();
    assert!(left_in.low > 0.0, "{left_in:?}");
}

#[test]
fn the_runs_of_a_world_are_divided_into_ten_groups_whatever_their_number() {
    for runs in [2, 3, 10, 11, 13, 47, 50, 53] {
        let sizes = group_sizes(runs);
        assert_eq!(sizes.iter().sum::<u64>(), runs);
        assert_eq!(sizes.len() as u64, runs.min(10));
        let (least, most) = (sizes.iter().min(), sizes.iter().max());
        assert!(most.unwrap() - least.unwrap() <= 1, "{sizes:?}");
    }
}
