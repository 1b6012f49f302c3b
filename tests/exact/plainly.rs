//! The fast way through a run and the plain one give the same run, to the bit.

use super::support::{Record, inline};
use flashpoint::engine::{Plainly, Simulator};
use flashpoint::model::{Model, ParameterDraws, World};
use flashpoint::scenario::builtin;
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load;

/// Runs made of each scenario, each in a world of its own.
const RUNS: u64 = 6;

/// All that a run comes to, numbers as bits.
#[derive(Debug, PartialEq)]
struct Outcome {
    record: String,
    metrics: Vec<u64>,
    timeline: Vec<u64>,
    endgame: Option<u32>,
    flags: Vec<bool>,
}

fn outcomes(model: &Model, plainly: bool) -> Vec<Outcome> {
    let draws = ParameterDraws::new(model, 11);
    let mut simulator = Simulator::new(model, 11);
    let mut state = simulator.allocate();
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect();
    let outcome = |run| {
        let world = World::new(model, draws.world(model, run)).expect("a world");
        let mut record = Plainly(Record::default());
        simulator.start(&world, run, &mut state).expect("a start");
        if plainly {
            simulator.finish(&world, &mut state, &mut record)
        } else {
            simulator.finish(&world, &mut state, &mut record.0)
        }
        .expect("an end");
        Outcome {
            // Shortest decimals tell every two numbers apart.
            record: format!("{:?}", record.0),
            metrics: bits(state.metrics()),
            timeline: bits(state.timeline()),
            endgame: state.endgame(),
            flags: state.flags().to_vec(),
        }
    };
    (0..RUNS).map(outcome).collect()
}

#[test]
fn shipped_scenarios_run_the_same_fast_and_plainly() {
    for (name, _) in builtin::list() {
        let loaded = load(name).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let model = compile(&loaded)
            .unwrap_or_else(|problems| panic!("{}", problems.render(false)))
            .model;
        assert_eq!(outcomes(&model, false), outcomes(&model, true), "{name}");
    }
}

/// Sums over stocks whose values have no short binary form, with and without one of them, over and without relaxing stocks.
const SUMS: &str = r#"
[scenario]
title = "Sums"
start = 2024-01-01
horizon = 200
[actor.player]
kind = "state"
count = 11
[actor.judge]
kind = "state"
[stock.level]
of = "actor"
initial = { player = 0.1 }
[stock.heat]
of = "actor"
initial = { player = 1 }
baseline = 0.3
half_life = 7
[action.rise]
effects = ["self.level += 0.1 * ln(2 + time)", "self.heat += 0.7"]
[action.fall]
effects = ["self.level *= 0.93"]
[process.act]
who = "player"
hazard = "0.2 + 0.01 * sum(p.level for p in player if p != self) + 0.02 * sum(p.heat for p in player)"
rationality = 0.4
[[process.act.option]]
id = "up"
stance = "escalate"
score = "-mean(other.level for other in player if other != self)"
action = "rise"
[[process.act.option]]
id = "down"
stance = "deescalate"
score = "-5 * sum(other.heat for other in player if other != self) / sum(p.level for p in player)"
action = "fall"
[metric.total]
final = "sum(p.level for p in player)"
[[endgame]]
id = "all"
label = "All"
"#;

#[test]
fn sums_that_are_kept_equal_sums_taken_afresh() {
    let model = inline(SUMS);
    let fast = outcomes(&model, false);
    assert_eq!(fast, outcomes(&model, true));
    // The comparison sees one bit.
    let other = inline(&SUMS.replace("0.93", "0.9300000000000002"));
    assert_ne!(fast, outcomes(&other, false));
}
