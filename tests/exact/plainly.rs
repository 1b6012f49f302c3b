//! The fast way through a run and the plain one give the same run, to the bit.

use super::support::{Record, inline};
use flashpoint::engine::{Plainly, RunState, Simulator, Unobserved};
use flashpoint::model::{Model, ParameterDraws, World};
use flashpoint::scenario::builtin;
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load;

/// Runs made of each scenario, each in a world of its own.
const RUNS: u64 = 6;

/// How a run is made.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Unobserved,
    Observed,
    Plainly,
}

/// What happens in each run, except to one that is not observed, and the state in which it ends: shortest decimals tell every two
/// numbers apart.
fn outcomes(model: &Model, way: Way) -> Vec<(String, String)> {
    let draws = ParameterDraws::new(model, 11);
    let mut simulator = Simulator::new(model, 11);
    let mut state = simulator.allocate();
    let outcome = |run| {
        let world = World::new(model, draws.world(model, run)).expect("a world");
        let mut record = Plainly(Record::default());
        simulator.start(&world, run, &mut state).expect("a start");
        match way {
            Way::Unobserved => simulator.finish(&world, &mut state, &mut Unobserved),
            Way::Observed => simulator.finish(&world, &mut state, &mut record.0),
            Way::Plainly => simulator.finish(&world, &mut state, &mut record),
        }
        .expect("an end");
        (format!("{:?}", record.0), format!("{state:?}"))
    };
    (0..RUNS).map(outcome).collect()
}

fn assert_all_ways_agree(model: &Model, name: &str) {
    let plain = outcomes(model, Way::Plainly);
    assert!(outcomes(model, Way::Observed) == plain, "{name}, observed");
    let unobserved = outcomes(model, Way::Unobserved);
    let ends = |outcomes: Vec<(String, String)>| -> Vec<String> {
        outcomes.into_iter().map(|(_, end)| end).collect()
    };
    assert!(ends(unobserved) == ends(plain), "{name}, unobserved");
}

/// Every built-in scenario.
fn shipped() -> impl Iterator<Item = (&'static str, Model)> {
    builtin::list().iter().map(|&(name, _)| {
        let loaded = load(name).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        let compiled = compile(&loaded);
        let compiled = compiled.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        (name, compiled.model)
    })
}

#[test]
fn shipped_scenarios_run_the_same_fast_and_plainly() {
    for (name, model) in shipped() {
        assert_all_ways_agree(&model, name);
    }
}

/// What a finished run shows of itself.
fn shown(state: &RunState) -> String {
    let outcome = (
        state.run(),
        state.time(),
        state.events(),
        state.ending(),
        state.endgame(),
    );
    format!(
        "{outcome:?} {:?} {:?} {:?}",
        state.flags(),
        state.metrics(),
        state.timeline()
    )
}

#[test]
fn shipped_scenarios_run_the_same_many_at_once_and_alone() {
    for (name, model) in shipped() {
        let draws = ParameterDraws::new(&model, 7);
        for number in 0..2 {
            let world = World::new(&model, draws.world(&model, number)).expect("a world");
            let mut simulator = Simulator::new(&model, 7);
            let mut together = Vec::new();
            let show = |state: &RunState| together.push(shown(state));
            let made = simulator.make(&world, 0..40, &mut Vec::new(), show);
            made.expect("ends");
            let mut state = simulator.allocate();
            let mut alone = |run| {
                simulator.start(&world, run, &mut state).expect("a start");
                let observer = &mut Plainly(Unobserved);
                (simulator.finish(&world, &mut state, observer)).expect("an end");
                shown(&state)
            };
            assert!(
                together == (0..40).map(&mut alone).collect::<Vec<_>>(),
                "{name}"
            );
        }
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
    assert_all_ways_agree(&model, "sums");
    // The comparison sees one bit.
    let other = inline(&SUMS.replace("0.93", "0.9300000000000002"));
    assert!(outcomes(&model, Way::Observed) != outcomes(&other, Way::Observed));
}

/// Simple turns of every kind, among all that may come between them: answers with a delay, the calendar, series, metrics that
/// follow a stock, hazards that change, an absorbing endgame, and the cap on events.
const TURNS: &str = r#"
[scenario]
title = "Turns"
start = 2024-01-01
horizon = 200
max_events = MOST
[parameter.push]
value = 0.7
basis = "assumption"
[actor.a]
kind = "state"
[actor.b]
kind = "state"
[actor.c]
kind = "state"
[stock.still]
of = "actor"
initial = 0
min = -20
max = 20
[stock.moving]
of = "actor"
initial = 1
baseline = 0.5
half_life = 9
[action.up]
effects = ["self.still += push * 2", "self.moving *= 1.1"]
[action.down]
effects = ["self.still -= 1", "self.moving = 0.25", "perpetrator.still += 0.125"]
[action.blow]
effects = ["target.moving += 1"]
[process.only]
who = "a"
hazard = 0.8
action = "up"
[process.chance]
who = "b"
hazard = "push"
[[process.chance.option]]
id = "up"
stance = "escalate"
when = "b.still < 15"
probability = "clamp(0.5 - 0.1 * b.moving, 0, 1)"
action = "up"
[[process.chance.option]]
id = "nothing"
stance = "hold"
probability = 0.2
[[process.chance.option]]
id = "down"
stance = "deescalate"
action = "down"
[process.quantal]
who = "c"
hazard = 0.5
[[process.quantal.option]]
id = "up"
stance = "escalate"
score = "a.moving - c.still"
action = "up"
[[process.quantal.option]]
id = "down"
stance = "deescalate"
score = "c.still / 2"
action = "down"
[process.heated]
who = "a"
hazard = "0.1 + 0.2 * a.moving"
action = "down"
[process.blows]
who = "b"
hazard = "0.05 * max(0, c.still)"
action = "blow"
target = "a"
[rule.answer]
who = "a"
on = ["blow"]
as = ["target"]
[[rule.answer.option]]
id = "back"
stance = "escalate"
score = "a.moving"
action = "blow"
target = "blamed"
delay = 1.5
[[rule.answer.option]]
id = "hold"
stance = "hold"
score = 0
[[calendar]]
id = "shock"
date = "2024-03-01"
effects = ["a.still = 3", "b.moving += 2"]
[metric.peak]
peak = "b.moving"
[metric.downs]
count = ["down"]
[metric.end]
final = "a.still + b.still + c.still"
[timeline]
every = 3
[timeline.series]
moving = "b.moving"
still = "c.still"
[[endgame]]
id = "hot"
label = "Hot"
when = "peak > 2.4"
absorbing = true
[[endgame]]
id = "rest"
label = "Rest"
"#;

#[test]
fn simple_turns_end_as_they_would_one_by_one() {
    for most in ["100000", "90"] {
        for plain in ["count = [\"down\"]", "count = [\"blow\"]"] {
            let text = TURNS.replace("MOST", most);
            let text = text.replace("count = [\"down\"]", plain);
            assert_all_ways_agree(&inline(&text), &format!("{most} {plain}"));
        }
    }
}
