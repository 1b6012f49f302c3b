//! Intervals cover probabilities that are known: 93 to 97 of 100 times, whether the number of runs is fixed or a precision is
//! asked for, with and without priors. Intervals that are a little too narrow are found out.

use std::sync::atomic::AtomicBool;
use std::thread;

use flashpoint::experiment::precision::{looks, replicate_to_precision};
use flashpoint::experiment::{Control, Plan, Summary, WorldSource, replicate};
use flashpoint::model::Model;
use flashpoint::report::results::{LEVEL, Results};
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load_text;
use flashpoint::stats::proportion::wilson;

/// One toss with three sides of known probability, and a fourth that takes the rest.
const TOSS: &str = r#"
[scenario]
title = "A toss"
start = 2024-01-01
horizon = 1
runs_per_world = 50
[parameter.half]
value = 0.5
basis = "assumption"
#prior = { dist = "uniform", low = 0.35, high = 0.65 }
[parameter.fifth]
value = 0.2
basis = "assumption"
#prior = { dist = "triangular", low = 0.1, mode = 0.2, high = 0.3 }
[parameter.hundredth]
value = 0.01
basis = "assumption"
#prior = { dist = "uniform", low = 0, high = 0.02 }
[actor.dealer]
kind = "organization"
[stock.side]
of = "world"
initial = 0
[action.toss]
[action.one]
effects = ["world.side = 1"]
[action.two]
effects = ["world.side = 2"]
[action.three]
effects = ["world.side = 3"]
[[calendar]]
id = "start"
day = 0.5
action = "toss"
actor = "dealer"
[rule.falls]
who = "dealer"
on = "toss"
as = "perpetrator"
[[rule.falls.option]]
id = "one"
probability = "half"
action = "one"
[[rule.falls.option]]
id = "two"
probability = "fifth"
action = "two"
[[rule.falls.option]]
id = "three"
probability = "hundredth"
action = "three"
[[endgame]]
id = "half"
when = "world.side == 1"
[[endgame]]
id = "fifth"
when = "world.side == 2"
[[endgame]]
id = "hundredth"
when = "world.side == 3"
[[endgame]]
id = "rest"
"#;

/// Probabilities of the endgames, in order. With priors they are the means of the priors, which are symmetric.
const TRUTH: [f64; 4] = [0.5, 0.2, 0.01, 0.29];
const REPETITIONS: u64 = 1_000;

/// Times that the interval of each endgame held its probability.
type Covered = [u32; 4];

fn model(worlds: WorldSource) -> Model {
    let text = match worlds {
        WorldSource::Defaults => TOSS.to_owned(),
        WorldSource::Priors => TOSS.replace("#prior", "prior"),
    };
    compile(&load_text("toss.toml", &text).unwrap())
        .unwrap()
        .model
}

/// Makes all repetitions, on two threads, and counts with each way of making intervals. `experiment` gives the runs and the level
/// at which to report them.
fn count<const N: usize>(
    model: &Model,
    experiment: impl Fn(u64) -> (Summary, f64) + Sync,
    intervals: [fn(&Model, &Summary, f64) -> Results; N],
) -> [Covered; N] {
    let share = |part: u64| {
        let mut covered = [[0; 4]; N];
        for seed in (part..REPETITIONS).step_by(2) {
            let (summary, level) = experiment(seed);
            for (covered, make) in covered.iter_mut().zip(intervals) {
                let rows = make(model, &summary, level).outcomes;
                for ((covered, row), truth) in covered.iter_mut().zip(rows).zip(TRUTH) {
                    *covered += u32::from(row.interval.contains(truth));
                }
            }
        }
        covered
    };
    let (mut one, two) = thread::scope(|scope| {
        let two = scope.spawn(|| share(1));
        (share(0), two.join().unwrap())
    });
    for (one, two) in one.iter_mut().flatten().zip(two.iter().flatten()) {
        *one += two;
    }
    one
}

static NEVER: AtomicBool = AtomicBool::new(false);

fn control() -> Control<'static> {
    Control {
        threads: 1,
        stop: &NEVER,
        progress: &(),
    }
}

fn fixed(model: &Model, worlds: WorldSource, runs: u64) -> impl Fn(u64) -> (Summary, f64) + Sync {
    move |seed| {
        let plan = Plan {
            seed,
            first_run: 0,
            runs,
            worlds,
        };
        let done = replicate(model, &plan, &control(), None).unwrap();
        (done.summary, LEVEL)
    }
}

fn precise(
    model: &Model,
    worlds: WorldSource,
    width: f64,
) -> impl Fn(u64) -> (Summary, f64) + Sync {
    move |seed| {
        let plan = Plan {
            seed,
            first_run: 0,
            runs: 10_000_000,
            worlds,
        };
        let rule = looks(model, &plan, width, LEVEL).unwrap();
        let done = replicate_to_precision(model, &plan, &rule, &control(), None).unwrap();
        assert!(done.reached);
        let rows = Results::new(model, &done.replication.summary, done.level).outcomes;
        assert!(rows.iter().all(|row| row.interval.width() <= width));
        (done.replication.summary, done.level)
    }
}

/// Intervals of a smaller z: 1.64 instead of 1.96.
fn narrow(model: &Model, summary: &Summary, level: f64) -> Results {
    Results::new(model, summary, level - 0.05)
}

/// Intervals that take runs of the same world for independent.
fn unclustered(model: &Model, summary: &Summary, level: f64) -> Results {
    let mut results = Results::new(model, summary, level);
    for row in &mut results.outcomes {
        row.interval = wilson(row.count, row.runs, level);
    }
    results
}

/// What is asked of 1,000 intervals.
fn acceptable(covered: u32) -> bool {
    (930..=970).contains(&covered)
}

#[test]
fn of_a_fixed_number_of_runs() {
    let model = model(WorldSource::Defaults);
    let experiment = fixed(&model, WorldSource::Defaults, 2_000);
    let [right, wrong] = count(&model, experiment, [Results::new, narrow]);
    assert!(right.into_iter().all(acceptable), "{right:?}");
    assert!(!wrong.into_iter().any(acceptable), "{wrong:?}");
}

#[test]
fn of_runs_that_share_worlds() {
    let model = model(WorldSource::Priors);
    let experiment = fixed(&model, WorldSource::Priors, 4_000);
    let ways = [Results::new, narrow, unclustered];
    let [right, wrong, naive] = count(&model, experiment, ways);
    assert!(right.into_iter().all(acceptable), "{right:?}");
    assert!(!wrong.into_iter().any(acceptable), "{wrong:?}");
    // The probability of the third differs too little between worlds to tell.
    assert!(
        ![naive[0], naive[1], naive[3]].into_iter().any(acceptable),
        "{naive:?}"
    );
}

#[test]
fn of_a_precision() {
    let model = model(WorldSource::Defaults);
    for width in [0.05, 0.03] {
        let experiment = precise(&model, WorldSource::Defaults, width);
        let [right, wrong] = count(&model, experiment, [Results::new, narrow]);
        assert!(right.into_iter().all(acceptable), "{width}: {right:?}");
        assert!(!wrong.into_iter().any(acceptable), "{width}: {wrong:?}");
    }
}

#[test]
fn of_a_precision_with_runs_that_share_worlds() {
    let model = model(WorldSource::Priors);
    let experiment = precise(&model, WorldSource::Priors, 0.05);
    let ways = [Results::new, narrow, unclustered];
    let [right, wrong, naive] = count(&model, experiment, ways);
    assert!(right.into_iter().all(acceptable), "{right:?}");
    assert!(!wrong.into_iter().any(acceptable), "{wrong:?}");
    assert!(
        ![naive[0], naive[3]].into_iter().any(acceptable),
        "{naive:?}"
    );
}
