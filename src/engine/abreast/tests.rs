//! Runs made abreast end as they would one by one, to the bit.

use super::cells::Sums;
use crate::engine::{RunError, RunState, Simulator, Unobserved};
use crate::experiment::fixture::model_of;
use crate::model::{Model, World};
use std::ops::Range;

fn world(model: &Model) -> World {
    World::new(model, model.default_parameters()).unwrap()
}

/// The end of each run, made abreast; and the simulator.
fn abreast(model: &Model, runs: Range<u64>) -> (Vec<String>, Simulator<'_>) {
    let mut simulator = Simulator::new(model, 3);
    let mut ends = Vec::new();
    let world = world(model);
    // A room for each group of runs, so that states have all been started once.
    for first in runs.clone().step_by(crate::formula::LANES) {
        let end = runs.end.min(first + crate::formula::LANES as u64);
        let show = |state: &RunState| ends.push(format!("{state:?}"));
        let made = simulator.make(&world, first..end, &mut Vec::new(), show);
        made.unwrap();
    }
    (ends, simulator)
}

/// A run, made alone.
fn finished(simulator: &mut Simulator, world: &World, run: u64) -> Result<RunState, RunError> {
    let mut state = simulator.allocate();
    simulator.start(world, run, &mut state)?;
    simulator.finish(world, &mut state, &mut Unobserved)?;
    Ok(state)
}

/// The end of each run, made alone.
fn alone(model: &Model, runs: Range<u64>) -> Vec<String> {
    let mut simulator = Simulator::new(model, 3);
    let world = world(model);
    let end = |run: u64| format!("{:?}", finished(&mut simulator, &world, run).unwrap());
    runs.map(end).collect()
}

/// Compares runs, and says whether their sums were kept exactly.
#[track_caller]
fn assert_same(text: &str, runs: Range<u64>) -> bool {
    let model = model_of(text);
    assert!(model.fast.abreast.is_some(), "made abreast");
    let (ends, simulator) = abreast(&model, runs.clone());
    assert!(!simulator.abreast.tables.is_empty(), "made abreast");
    let lanes = simulator.abreast.lanes;
    assert!(lanes.iter().all(|lane| !lane.failed), "none is made again");
    assert!(lanes[0].turns > 0);
    let alone = alone(&model, runs);
    assert!(ends == alone, "{}\n{}", ends[0], alone[0]);
    matches!(simulator.abreast.cells.sums, Sums::Exact(_))
}

/// Actors on ladders.
const LADDER: &str = r#"
[scenario]
title = "Ladder"
start = 2024-01-01
horizon = 40
[actor.player]
kind = "state"
count = 7
[stock.level]
of = "actor"
initial = 0
min = 0
max = 5
[action.rise]
effects = ["self.level += 1"]
[action.fall]
effects = ["self.level -= 1"]
[process.act]
who = "player"
hazard = 1
[[process.act.option]]
id = "up"
stance = "escalate"
probability = "min(0.9, 0.3 + 0.1 * mean(other.level for other in player if other != self))"
action = "rise"
[[process.act.option]]
id = "down"
stance = "deescalate"
action = "fall"
[metric.total]
final = "sum(p.level for p in player)"
[[endgame]]
id = "all"
label = "All"
"#;

#[test]
fn ladders_end_as_one_by_one_with_exact_sums_and_with_trees() {
    assert!(assert_same(LADDER, 0..70));
    // A step that is no multiple of a power of 2; a factor; stocks without bounds that may come far, and too far.
    let tenths = LADDER.replace("level += 1", "level += 0.1");
    assert!(!assert_same(&tenths, 0..33));
    let factors = LADDER.replace("self.level -= 1", "self.level *= 0.9");
    assert!(!assert_same(&factors, 5..21));
    let boundless = LADDER.replace("max = 5", "");
    assert!(assert_same(&boundless, 0..16));
    let far = boundless.replace("level += 1", "level += 100");
    assert!(!assert_same(&far, 0..16));
    // A formula that has no value where nothing ever is, as in lanes without a run.
    let from_one = LADDER.replace("initial = 0\nmin = 0", "initial = 1\nmin = 1");
    let from_one = from_one.replace(
        "min(0.9, 0.3 + 0.1 * mean",
        "min(0.9, 0.3 / self.level + 0.01 * mean",
    );
    assert!(assert_same(&from_one, 0..5));
    // One bit of one run is seen.
    let other = tenths.replace("0.1\"]", "0.10000000000000002\"]");
    let ends = |text: &str| abreast(&model_of(text), 0..4).0;
    assert!(ends(&tenths) != ends(&other));
}

/// A step that bounds would hide is refused as it is in a run made alone.
#[test]
fn a_step_beyond_all_numbers_is_no_step() {
    let text = (LADDER.replace("max = 5", "max = 1.7e308")).replace("level += 1", "level += 1e308");
    let model = model_of(&text);
    let world = world(&model);
    let mut simulator = Simulator::new(&model, 3);
    let alone = finished(&mut simulator, &world, 0).unwrap_err();
    let made = Simulator::new(&model, 3).make(&world, 0..40, &mut Vec::new(), |_| {});
    assert_eq!(made, Err(alone));
}

#[test]
fn more_turns_than_a_stretch_holds_and_more_actors_than_a_group() {
    let long = LADDER.replace("horizon = 40", "horizon = 1500");
    assert!(assert_same(&long, 0..16));
    let many = LADDER.replace("count = 7", "count = 300");
    assert!(assert_same(&many, 0..16));
    let many = many.replace("level += 1", "level += 0.3");
    assert!(!assert_same(&many, 0..16));
}

/// Several kinds of turns, with all that turns may have.
const KINDS: &str = r#"
[scenario]
title = "Kinds"
start = 2024-01-01
horizon = 90
[parameter.push]
value = 0.7
basis = "assumption"
[actor.a]
kind = "state"
[actor.b]
kind = "state"
[actor.c]
kind = "state"
[actor.quiet]
kind = "state"
count = 6
[set.first]
actors = ["a", "b"]
[set.ends]
actors = ["a", "c"]
[stock.still]
of = "actor"
initial = 0.25
min = -20
max = 20
[stock.moving]
of = "actor"
initial = 1
baseline = 0.5
half_life = 9
[action.up]
effects = ["self.still += push * 2", "self.moving *= 1.1", "self.still *= -1"]
[action.down]
effects = ["self.still -= 1", "self.moving = 0.25"]
[action.reset]
effects = ["a.still = 0", "b.still = 1.5"]
[action.nothing]
[process.only]
who = "ends"
hazard = 0.8
action = "up"
[process.never]
who = "quiet"
hazard = 0
action = "up"
[process.chance]
who = "first"
hazard = "push"
[[process.chance.option]]
id = "up"
stance = "escalate"
when = "self.still < 15 and (time > 20 or not self.moving < 0.3)"
probability = "clamp(0.5 - 0.1 * self.moving, 0, 1) if self.still > 0 else 0.25 * push"
action = "up"
[[process.chance.option]]
id = "hold"
stance = "hold"
probability = 0.2
[[process.chance.option]]
id = "empty"
stance = "hold"
probability = "0.1 * exp(-abs(a.still + b.still + c.still))"
action = "nothing"
[[process.chance.option]]
id = "down"
stance = "deescalate"
when = "sum(p.still for p in states if p != self) > -5"
action = "down"
[process.clear]
who = "c"
hazard = 0.1
[[process.clear.option]]
id = "clear"
stance = "deescalate"
probability = "0.2 + 0.5 / (1 + exp(-sum(p.still for p in states)))"
action = "reset"
[process.quantal]
who = "states"
hazard = 0.3
rationality = "1 + push * exp(a.still)"
[[process.quantal.option]]
id = "up"
stance = "escalate"
score = "b.moving - self.still"
action = "up"
[[process.quantal.option]]
id = "down"
stance = "deescalate"
when = "self.moving > 0.4"
score = "self.still / 2"
action = "down"
[[process.quantal.option]]
id = "hold"
stance = "hold"
[process.best]
who = "b"
hazard = 0.1
rationality = "inf"
[[process.best.option]]
id = "up"
stance = "escalate"
score = "b.moving - a.still"
action = "up"
[[process.best.option]]
id = "down"
stance = "deescalate"
score = "b.moving - a.still"
action = "down"
[metric.sum]
final = "sum(p.still for p in states)"
[metric.other]
final = "sum(p.still for p in states if p != a)"
[[endgame]]
id = "high"
label = "High"
when = "sum >= 0"
[[endgame]]
id = "rest"
label = "Rest"
"#;

#[test]
fn turns_of_several_kinds_end_as_one_by_one() {
    let model = model_of(KINDS);
    assert_eq!(model.fast.abreast.as_ref().unwrap().kinds.len(), 5);
    assert!(!assert_same(KINDS, 0..50));
}

#[test]
fn a_run_that_cannot_go_on_says_so_after_those_before_it() {
    // A probability above 1 once the others stand high enough, which does not happen in every run.
    let text = LADDER.replace(
        "min(0.9, 0.3 +",
        "(max(0, sum(p.level for p in player) - 31) + 0.3 +",
    );
    let model = model_of(&text);
    let world = world(&model);
    let mut simulator = Simulator::new(&model, 3);
    let seen = |state: &RunState| (state.run(), state.events(), state.metrics().to_vec());
    let alone = |run: u64| finished(&mut simulator, &world, run).map(|state| seen(&state));
    let all: Vec<Result<_, RunError>> = (0..40).map(alone).collect();
    let first = all.iter().position(Result::is_err).unwrap();
    assert!(first > 0);
    let mut shown = Vec::new();
    let error = Simulator::new(&model, 3).make(&world, 0..40, &mut Vec::new(), |state| {
        shown.push(seen(state));
    });
    assert_eq!(
        Some(error),
        all.get(first).map(|end| end.clone().map(|_| ()))
    );
    let before: Vec<_> = all.into_iter().map_while(Result::ok).collect();
    assert_eq!(shown, before);
}

#[test]
fn the_cap_on_events_is_that_of_runs_made_alone() {
    // Expected turns: 280 a run. Below that all runs are made alone; a little above, those that pass it are made again.
    for cap in [100, 285, 300] {
        let text = LADDER.replace("horizon = 40", &format!("horizon = 40\nmax_events = {cap}"));
        let model = model_of(&text);
        let world = world(&model);
        let mut ends = Vec::new();
        let mut simulator = Simulator::new(&model, 3);
        let seen = |state: &RunState| (state.events(), state.ending());
        let show = |state: &RunState| ends.push(seen(state));
        (simulator.make(&world, 0..64, &mut Vec::new(), show)).unwrap();
        let alone = |run: u64| seen(&finished(&mut simulator, &world, run).unwrap());
        assert_eq!(ends, (0..64).map(alone).collect::<Vec<_>>());
    }
}
