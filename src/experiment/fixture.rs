//! A small model for the tests of experiments and reports.

use crate::model::Model;
use crate::scenario::compile::compile;
use crate::scenario::load::load_text;

/// Two rivals; worlds of eight runs, three endgames, a flag, metrics of which one may never come, and two series.
pub const RIVALS: &str = r#"
[scenario]
title = "Two rivals"
start = 2024-01-01
horizon = 60
runs_per_world = 8

[parameter.rate]
value = 0.03
basis = "assumption"
prior = { dist = "lognormal", median = 0.03, sigma = 0.8 }

[parameter.temper]
value = 0.5
basis = "assumption"

[actor.a]
kind = "state"
rivals = ["b"]

[actor.b]
kind = "state"
rivals = ["a"]

[stock.anger]
of = "actor"
initial = 0.2
half_life = 15
min = 0
max = 1

[action.raid]
effects = ["target.anger += 0.3"]

[process.raids]
who = "a"
hazard = "rate"
action = "raid"
target = "b"

[rule.answer]
who = "b"
on = ["raid"]
as = ["target"]
[[rule.answer.option]]
id = "back"
probability = "self.anger * temper"
action = "raid"
target = "a"
delay = 2
[[rule.answer.option]]
id = "hold"

[metric.raids]
label = "Raids"
count = ["raid"]
[metric.first_raid]
label = "First raid"
unit = "days"
first = ["raid"]
headline = false
[metric.peak_anger]
peak = "b.anger"
headline = false

[[endgame]]
id = "war"
label = "War, or near it"
when = "raids >= 4"
[[endgame]]
id = "tension"
label = "Tension"
when = "raids >= 1"
[[endgame]]
id = "calm"
label = "Calm"

[flag.angry]
label = "Anger above one half"
when = "peak_anger > 0.5"

[timeline]
every = 20
[timeline.series]
anger = "b.anger"
other = "a.anger"
"#;

/// The model of a scenario text.
pub fn model_of(text: &str) -> Model {
    let loaded = load_text("fixture.toml", text).unwrap_or_else(|e| panic!("{}", e.render(false)));
    match compile(&loaded) {
        Ok(compiled) => compiled.model,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

/// The model of [`RIVALS`].
pub fn rivals() -> Model {
    model_of(RIVALS)
}
