//! Answers: delay distributions, answers dropped, answers under way, cooldown.

use crate::support::*;
use flashpoint::engine::{DropReason, Unobserved};
use flashpoint::math::{exp, ln, normal_cdf};
use flashpoint::model::Model;
use flashpoint::stats::hypothesis::{kolmogorov, z_test};
use flashpoint::stats::moments::Moments;

const RATE: f64 = 0.5;
const DELAY: f64 = 1.5;
const HORIZON: f64 = 30.0;
const RUNS: u64 = 10_000;

/// Number of answers in each run.
fn answers(model: &Model) -> Vec<usize> {
    let mut runs = Runs::new(model, 1);
    let count = |run| {
        runs.run(run, &mut Unobserved);
        runs.metric("answers") as usize
    };
    (0..RUNS).map(count).collect()
}

/// Counts of a renewal process that is dead for `dead` days after each count and starts alive; the n-th comes
/// `late` days after its cause.
fn type_one(dead: f64, late: f64) -> Vec<f64> {
    let at_least = |n: usize| {
        let free = HORIZON - late - dead * n.saturating_sub(1) as f64;
        poisson_at_least(n, RATE * free)
    };
    (0..20).map(|n| at_least(n) - at_least(n + 1)).collect()
}

#[test]
fn ignore_makes_a_counter_with_dead_time() {
    let counts = tally(answers(&scenario("delays")), 20);
    accepts("ignored", frequencies(&counts, &type_one(DELAY, DELAY)));
    rejects(
        "added",
        frequencies(&counts, &poisson(RATE * (HORIZON - DELAY), 20)),
    );
    rejects(
        "answered at once",
        frequencies(&counts, &type_one(0.0, DELAY)),
    );
}

#[test]
fn add_answers_every_strike() {
    let counts = tally(answers(&edited("delays", &[("\"ignore\"", "\"add\"")])), 40);
    accepts(
        "added",
        frequencies(&counts, &poisson(RATE * (HORIZON - DELAY), 40)),
    );
    rejects(
        "without delay",
        frequencies(&counts, &poisson(RATE * HORIZON, 40)),
    );
}

#[test]
fn replace_makes_a_counter_that_every_strike_prolongs() {
    let model = edited("delays", &[("\"ignore\"", "\"replace\"")]);
    let mut moments = Moments::new();
    for count in answers(&model) {
        moments.add(count as f64);
    }
    let deviation = moments.standard_deviation().expect("runs");
    let mean = RATE * (HORIZON - DELAY) * exp(-RATE * DELAY);
    accepts("replaced", z_test(&moments, mean, deviation));
    let ignored: f64 = type_one(DELAY, DELAY)
        .iter()
        .enumerate()
        .map(|(n, p)| n as f64 * p)
        .sum();
    rejects("ignored", z_test(&moments, ignored, deviation));

    // One by one: an answer comes exactly when no strike falls into its delay.
    let mut runs = Runs::new(&model, 2);
    let mut replaced = 0;
    for run in 0..200 {
        let record = runs.record(run);
        let (strikes, answers) = (record.times_of(0), record.times_of(1));
        let next = |k: usize| strikes.get(k + 1).copied().unwrap_or(f64::INFINITY);
        let alone = (0..strikes.len()).filter(|&k| next(k) - strikes[k] > DELAY);
        let due: Vec<f64> = alone
            .map(|k| strikes[k] + DELAY)
            .filter(|&t| t <= HORIZON)
            .collect();
        assert_eq!(answers, due, "run {run}");
        replaced += record.drops.len();
        assert!(
            record
                .drops
                .iter()
                .all(|(_, reason)| *reason == DropReason::Replaced)
        );
    }
    assert!(replaced > 1_000);
}

#[test]
fn cooldown_counts_from_the_last_answer() {
    let model = edited(
        "delays",
        &[
            ("if_pending = \"ignore\"", "cooldown = 2"),
            ("delay = \"delay\"", "delay = 0.25"),
        ],
    );
    let counts = tally(answers(&model), 20);
    // Under way for a quarter of a day, then cooling down for two.
    accepts("cooldown", frequencies(&counts, &type_one(2.25, 0.25)));
    rejects(
        "from the strike",
        frequencies(&counts, &type_one(2.0, 0.25)),
    );
}

#[test]
fn delays_follow_their_distribution() {
    let lognormal = "delay = { dist = \"lognormal\", median = 2, sigma = \"sigma\" }\n";
    let sigma = "[parameter.sigma]\nvalue = 0.5\nbasis = \"assumption\"\n[actor.red]";
    let model = edited(
        "delays",
        &[
            ("delay = \"delay\"", lognormal),
            ("[actor.red]", sigma),
            ("\"ignore\"", "\"add\""),
            ("horizon = 30", "horizon = 20000"),
        ],
    );
    let record = Runs::new(&model, 3).record(0);
    let delays: Vec<f64> = record
        .choices
        .iter()
        .map(|choice| choice.due - choice.time)
        .collect();
    assert!(delays.len() > 5_000);
    let lognormal = |median: f64| move |x: f64| normal_cdf(ln(x / median) / 0.5);
    accepts("lognormal", kolmogorov(&delays, lognormal(2.0)));
    rejects(
        "2 is the mean",
        kolmogorov(&delays, lognormal(2.0 * exp(-0.125))),
    );

    // And the answers come when they are due, though in another order.
    let mut due: Vec<f64> = record.choices.iter().map(|choice| choice.due).collect();
    due.retain(|&due| due <= 20_000.0);
    let strikes = record.times_of(0);
    assert!(gaps(&due).iter().any(|gap| *gap < 0.0), "overtaken");
    due.sort_by(f64::total_cmp);
    assert_eq!(record.times_of(1), due);
    assert_eq!(strikes.len(), delays.len());
}

/// Also where there is nothing to wait for, and for what a process does.
#[test]
fn still_is_asked_at_once_where_there_is_no_delay() {
    let scenario = |delay: &str| {
        format!(
            r#"
[scenario]
start = 2024-01-01
horizon = 100
[actor.a]
kind = "state"
[action.raid]
[process.raids]
who = "a"
hazard = 0.1
[[process.raids.option]]
id = "raid"
stance = "escalate"
probability = 1
action = "raid"
{delay}
still = "time < 30"
[[endgame]]
id = "any"
"#
        )
    };
    for delay in ["", "delay = 0", "target = \"a\"", "delay = 1e-9"] {
        let model = inline(&scenario(delay));
        let mut runs = Runs::new(&model, 4);
        let (mut kept, mut dropped) = (0, 0);
        for run in 0..100 {
            let record = runs.record(run);
            assert!(record.events.iter().all(|event| event.time < 30.0));
            assert!(record.drops.iter().all(|(time, _)| *time >= 30.0));
            kept += record.events.len();
            dropped += record.drops.len();
        }
        assert!(kept > 200 && dropped > 500, "{kept} {dropped}");
    }
}

/// Resolve falls below one half on day 10 exactly, whatever happens; answers due later are dropped, and only those.
#[test]
fn an_answer_is_dropped_when_its_condition_no_longer_holds() {
    let model = edited(
        "delays",
        &[
            (
                "[action.strike]",
                "[stock.resolve]\nof = \"actor\"\ninitial = 1\nbaseline = 0\nhalf_life = 10\n[action.strike]",
            ),
            (
                "delay = \"delay\"",
                "delay = { dist = \"exponential\", mean = 2 }\nstill = \"self.resolve > 0.5\"",
            ),
            ("\"ignore\"", "\"add\""),
        ],
    );
    let mut runs = Runs::new(&model, 4);
    let (mut kept, mut dropped) = (0, 0);
    for run in 0..500 {
        let record = runs.record(run);
        let mut due: Vec<f64> = record.choices.iter().map(|choice| choice.due).collect();
        due.retain(|&due| due <= HORIZON);
        due.sort_by(f64::total_cmp);
        let (early, late): (Vec<f64>, Vec<f64>) = due.into_iter().partition(|&due| due < 10.0);
        assert_eq!(record.times_of(1), early);
        assert!(
            record
                .drops
                .iter()
                .all(|(_, reason)| *reason == DropReason::NoLongerHolds)
        );
        assert_eq!(
            record
                .drops
                .iter()
                .map(|(time, _)| *time)
                .collect::<Vec<_>>(),
            late
        );
        kept += early.len();
        dropped += late.len();
    }
    assert!(kept > 1_000 && dropped > 1_000);
}
