//! Randomness is keyed by names: what is added, moved or left out does not shift the draws of the rest.

use crate::support::*;
use flashpoint::engine::{Simulator, Unobserved};
use flashpoint::formula::Role;
use flashpoint::model::{Model, ParameterDraws, World};

const RUNS: u64 = 60;

/// One event in words that do not depend on positions in the file.
#[derive(Debug, PartialEq)]
struct Fact {
    time: u64,
    action: String,
    killed: u64,
    foiled: bool,
    roles: Vec<Option<String>>,
}

/// Names of the actors and of the actions in the order of the file.
struct Names(Vec<String>, Vec<String>);

fn names(text: &str) -> Names {
    let headers = |table: &str| -> Vec<String> {
        let prefix = format!("[{table}.");
        let lines = text.lines().filter_map(|line| line.strip_prefix(&prefix));
        lines
            .map(|line| line.trim_end_matches(']').to_owned())
            .collect()
    };
    Names(headers("actor"), headers("action"))
}

/// The events of a run whose actions are among the known ones.
fn facts(text: &str, run: u64) -> Vec<Fact> {
    let (model, names) = (inline(text), names(text));
    let record = Runs::new(&model, 9).record(run);
    let roles = [
        Role::Perpetrator,
        Role::Target,
        Role::Claimant,
        Role::Host,
        Role::Sponsor,
    ];
    let fact = |event: &flashpoint::engine::Event| Fact {
        time: event.time.to_bits(),
        action: names.1[event.action as usize].clone(),
        killed: event.fields.killed.to_bits(),
        foiled: event.fields.foiled,
        roles: roles
            .iter()
            .map(|&role| {
                usize::try_from(who(event, role))
                    .ok()
                    .map(|k| names.0[k].clone())
            })
            .collect(),
    };
    let known = record.events.iter().map(fact);
    known
        .filter(|fact| !fact.action.starts_with("extra"))
        .collect()
}

#[track_caller]
fn same_facts(changed: &str) {
    let text = text_of("keyed");
    let mut events = 0;
    for run in 0..RUNS {
        let facts_before = facts(&text, run);
        assert_eq!(facts_before, facts(changed, run), "run {run}");
        events += facts_before.len();
    }
    assert!(events > 1_000);
}

#[track_caller]
fn replaced(from: &str, to: &str) -> String {
    let text = text_of("keyed");
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

const EXTRA: &str = r#"
[actor.extra]
kind = "group"

[stock.extra_mood]
of = "world"
initial = 1
baseline = 0
half_life = 3

[action.extra_noise]
killed = { dist = "discrete_power_law", exponent = 2, min = 1, max = 100 }
effects = ["world.extra_mood += 1"]

[process.extra_noise]
who = "extra"
hazard = "0.5 + world.extra_mood / 10"
action = "extra_noise"

[rule.extra_answer]
who = "extra"
on = ["attack", "extra_noise"]
as = "any"
[[rule.extra_answer.option]]
id = "echo"
probability = 0.3
action = "extra_noise"
delay = { dist = "exponential", mean = 1 }

[[calendar]]
id = "extra_day"
date = 2024-01-20
effects = ["world.extra_mood = 5"]

[metric.extra_mean]
time_mean = "world.extra_mood"

"#;

/// The scenario with an actor, a stock, an action, a process, a rule that hears of everything, a calendar entry and a metric
/// before `anchor`.
fn extra(anchor: &str) -> String {
    replaced(anchor, &format!("{EXTRA}{anchor}"))
}

#[test]
fn what_is_unrelated_changes_nothing() {
    same_facts(&extra("[[endgame]]"));
    // Ahead of all others it shifts every index.
    same_facts(&extra("[actor.group]"));
}

#[test]
fn what_is_related_does_change_the_runs() {
    let changed = replaced("foiled = 0.3", "foiled = 0.31");
    let text = text_of("keyed");
    assert!((0..RUNS).any(|run| facts(&text, run) != facts(&changed, run)));
    // But the first attack comes at the same time: its wait is drawn from a stream of its own.
    let first = |text: &str, run| {
        let attack = facts(text, run)
            .into_iter()
            .find(|fact| fact.action == "attack");
        attack.map(|fact| fact.time)
    };
    assert!((0..RUNS).all(|run| first(&text, run) == first(&changed, run)));
    // Another name is another stream.
    let renamed = text.replace("process.attacks", "process.raids");
    assert!((0..RUNS).all(|run| first(&text, run) != first(&renamed, run)));
}

#[test]
fn the_order_of_tables_does_not_matter() {
    // Blocks that start with a table of the first level and go on with its parts, in the reverse order.
    let text = text_of("keyed");
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines() {
        let starts =
            line.starts_with('[') && !line.starts_with("[[") || line.starts_with("[[calendar");
        if starts || line.starts_with("[[endgame") || blocks.is_empty() {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    assert!(blocks.len() > 15);
    blocks.reverse();
    same_facts(&blocks.concat());
}

fn everything(runs: &mut Runs, run: u64) -> (Record, Vec<u64>) {
    let record = runs.record(run);
    let metrics = runs.state.metrics().iter().map(|value| value.to_bits());
    (record, metrics.collect())
}

#[test]
fn a_run_alone_is_the_run_in_a_batch() {
    let model = scenario("keyed");
    let mut batch = Runs::new(&model, 5);
    for run in 0..RUNS {
        let in_batch = everything(&mut batch, run);
        assert_eq!(
            in_batch,
            everything(&mut Runs::new(&model, 5), run),
            "run {run}"
        );
    }
    let mut backwards = Runs::new(&model, 5);
    let last = everything(&mut backwards, RUNS - 1);
    assert_eq!(
        everything(&mut backwards, 0),
        everything(&mut Runs::new(&model, 5), 0)
    );
    assert_ne!(
        last,
        everything(&mut Runs::new(&model, 6), RUNS - 1),
        "the seed counts"
    );
}

#[test]
fn a_clone_of_a_run_under_way_goes_on_alike() {
    let model = scenario("keyed");
    let world = default_world(&model);
    let (mut first, mut second) = (Simulator::new(&model, 5), Simulator::new(&model, 5));
    let mut state = first.allocate();
    for run in 0..RUNS {
        first.start(&world, run, &mut state).expect("a start");
        for _ in 0..run {
            first
                .step(&world, &mut state, &mut Unobserved)
                .expect("a step");
        }
        let mut clone = state.clone();
        let (mut original, mut copy) = (Record::default(), Record::default());
        first
            .finish(&world, &mut state, &mut original)
            .expect("an end");
        // Another simulator, which has made other runs.
        second
            .start(&world, run + 1, &mut second.allocate())
            .expect("a start");
        second
            .finish(&world, &mut clone, &mut copy)
            .expect("an end");
        assert_eq!(original, copy, "run {run}");
        assert_eq!(state.metrics(), clone.metrics());
        assert_eq!(state.ending(), clone.ending());
    }
}

#[test]
fn worlds_are_keyed_by_the_names_of_parameters() {
    let draws = |model: &Model| -> Vec<Vec<(String, u64)>> {
        let draws = ParameterDraws::new(model, 3);
        let named = |world| {
            let values = draws.world(model, world);
            let pairs = model.parameters().iter().zip(values);
            let mut named: Vec<(String, u64)> = pairs
                .map(|(p, value)| (p.id().to_owned(), value.to_bits()))
                .collect();
            named.retain(|(id, _)| id != "added");
            named.sort();
            named
        };
        (0..20).map(named).collect()
    };
    let added = "[parameter.added]\nvalue = 1\nbasis = \"assumption\"\nprior = { dist = \"uniform\", low = 0, high = 1 }\n\n[parameter.attack_rate]";
    let before = draws(&scenario("keyed"));
    assert_eq!(
        before,
        draws(&inline(&replaced("[parameter.attack_rate]", added)))
    );
    assert!(before.windows(2).all(|pair| pair[0] != pair[1]));
    let renamed = text_of("keyed").replace("attack_rate", "raid_rate");
    assert_ne!(before[0][1].1, draws(&inline(&renamed))[0][1].1);

    // And the same run in two worlds shares its draws: only the parameters differ.
    let model = scenario("keyed");
    let parameters = ParameterDraws::new(&model, 3);
    let mut runs = Runs::new(&model, 5);
    let first = |runs: &mut Runs, world: World| {
        runs.world = world;
        runs.record(0).events.first().map(|event| event.time)
    };
    let mut at_double_rate = parameters.world(&model, 0);
    let slow = first(
        &mut runs,
        World::new(&model, at_double_rate.clone()).expect("a world"),
    );
    at_double_rate[0] *= 1.0000001;
    let fast = first(
        &mut runs,
        World::new(&model, at_double_rate).expect("a world"),
    );
    let (slow, fast) = (slow.expect("an event"), fast.expect("an event"));
    assert!(fast <= slow && slow - fast < 1e-3);
}
