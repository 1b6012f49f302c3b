//! How the cost of a run grows, in scenarios made for the purpose.

use crate::compare::spread;
use crate::scenario::Scenario;
use cpu_time::ProcessTime;
use std::fmt::Write;

/// CPU time for each measurement.
const SLICE: f64 = 0.15;
const REPEATS: usize = 3;

/// A family of scenarios that differ in one size.
struct Family {
    grows: &'static str,
    /// What the exponent of the cost of a run should be.
    ideal: &'static str,
    sizes: &'static [u32],
    text: fn(u32) -> String,
}

const FAMILIES: [Family; 7] = [
    Family {
        grows: "events: horizon 10 to 10,000 days at a constant rate",
        ideal: "1",
        sizes: &[10, 30, 100, 300, 1_000, 3_000, 10_000],
        text: |days| ladder(10, f64::from(days), 1.0),
    },
    Family {
        grows: "horizon at equal activity: 10 to 10,000 days, 1,000 events",
        ideal: "0",
        sizes: &[10, 30, 100, 300, 1_000, 3_000, 10_000],
        text: |days| ladder(10, f64::from(days), 100.0 / f64::from(days)),
    },
    Family {
        grows: "actors, all acting: 10 to 1,000, 1,000 events",
        ideal: "0",
        sizes: &[10, 30, 100, 300, 1_000],
        text: |actors| ladder(actors, 1_000.0 / f64::from(actors), 1.0),
    },
    Family {
        grows: "idle actors with stocks: 10 to 1,000 beside ten that act",
        ideal: "0",
        sizes: &[10, 30, 100, 300, 1_000],
        text: |actors| ladder(10, 100.0, 1.0) + &bystanders(actors),
    },
    Family {
        grows: "idle processes: 10 to 1,000 with hazard 0 beside ten that act",
        ideal: "0",
        sizes: &[10, 30, 100, 300, 1_000],
        text: |actors| ladder(10, 100.0, 1.0) + &bystanders(actors) + IDLE_PROCESS,
    },
    Family {
        grows: "rules on an action that does not happen: 1 to 300",
        ideal: "0",
        sizes: &[1, 3, 10, 30, 100, 300],
        text: |rules| ladder(10, 100.0, 1.0) + &bystanders(1) + &bystander_rules(rules, "alarm"),
    },
    Family {
        grows: "rules on every event, whose guard does not hold: 1 to 300",
        ideal: "1",
        sizes: &[1, 3, 10, 30, 100, 300],
        text: |rules| ladder(10, 100.0, 1.0) + &bystanders(1) + &bystander_rules(rules, "rise"),
    },
];

/// The ladder of `scenarios/bench/ladder-10.toml` with other numbers.
fn ladder(actors: u32, horizon: f64, rate: f64) -> String {
    format!(
        r#"
[scenario]
title = "Ladder"
start = 2024-01-01
horizon = {horizon}
max_events = 100000000
[actor.player]
kind = "state"
count = {actors}
[stock.level]
of = "actor"
initial = 0
min = 0
max = 5
[action.rise]
effects = ["self.level += 1"]
[action.fall]
effects = ["self.level -= 1"]
[action.alarm]
[process.act]
who = "player"
hazard = {rate}
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
"#
    )
}

fn bystanders(count: u32) -> String {
    format!("[actor.bystander]\nkind = \"public\"\ncount = {count}\n")
}

const IDLE_PROCESS: &str =
    "[process.idle]\nwho = \"bystander\"\nhazard = \"0 * self.level\"\naction = \"alarm\"\n";

fn bystander_rules(count: u32, on: &str) -> String {
    let rule = |index: u32| {
        format!(
            r#"
[rule.answer_{index}]
who = "bystander_1"
on = ["{on}"]
as = ["any"]
when = "self.level > 0"
[[rule.answer_{index}.option]]
id = "alarm"
stance = "escalate"
probability = 1
action = "alarm"
"#
        )
    };
    (0..count).map(rule).collect()
}

struct Cost {
    size: u32,
    events: f64,
    /// Seconds of CPU time a run.
    run: f64,
}

fn cost(size: u32, text: &str) -> Cost {
    let mut scenario = Scenario::generated(text);
    scenario.run(0);
    let (mut runs, mut events) = (0, 0);
    let mut seconds = Vec::new();
    for _ in 0..REPEATS {
        let (start, before) = (ProcessTime::now(), runs);
        while start.elapsed().as_secs_f64() < SLICE {
            events += scenario.run(runs).events();
            runs += 1;
        }
        seconds.push(start.elapsed().as_secs_f64() / (runs - before) as f64);
    }
    Cost {
        size,
        events: events as f64 / runs as f64,
        run: spread(&seconds).median,
    }
}

/// The slope of the least-squares line through the logarithms of size and cost.
fn exponent(costs: &[Cost]) -> f64 {
    let points = || costs.iter().map(|c| (f64::from(c.size).ln(), c.run.ln()));
    let n = costs.len() as f64;
    let (x, y) = points().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let (above, below) = points().fold((0.0, 0.0), |(above, below), p| {
        (above + (p.0 - x) * (p.1 - y), below + (p.0 - x) * (p.0 - x))
    });
    above / below
}

/// The table in Markdown, and every measurement in CSV.
pub fn growth() -> (String, String) {
    let mut text = String::from(
        "| what grows | exponent | ideal | over the last step | ns an event, smallest to largest |\n|---|---:|---:|---:|---|\n",
    );
    let mut rows = String::from("grows,size,events_a_run,seconds_a_run,ns_an_event\n");
    for family in &FAMILIES {
        let costs: Vec<Cost> = (family.sizes.iter())
            .map(|&size| cost(size, &(family.text)(size)))
            .collect();
        let each: Vec<String> = (costs.iter())
            .map(|cost| format!("{:.0}", 1e9 * cost.run / cost.events))
            .collect();
        writeln!(
            text,
            "| {} | {:.2} | {} | {:.2} | {} |",
            family.grows,
            exponent(&costs),
            family.ideal,
            exponent(&costs[costs.len() - 2..]),
            each.join(", ")
        )
        .expect("text");
        for cost in &costs {
            writeln!(
                rows,
                "\"{}\",{},{},{},{}",
                family.grows,
                cost.size,
                cost.events,
                cost.run,
                1e9 * cost.run / cost.events
            )
            .expect("text");
        }
    }
    (text, rows)
}
