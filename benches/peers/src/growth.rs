//! How the cost of a run grows, in scenarios made for the purpose.

use crate::plot::{Line, Plot};
use crate::race::spread;
use crate::scenario::Scenario;
use cpu_time::ProcessTime;
use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

/// CPU time for each measurement.
const SLICE: f64 = 0.1;
const REPEATS: usize = 5;

/// A family of scenarios that differ in one size.
pub struct Family {
    /// Names its plot.
    pub id: &'static str,
    pub grows: &'static str,
    /// What the exponent of the cost of a run should be.
    pub ideal: f64,
    /// What the sizes are.
    axis: &'static str,
    sizes: &'static [u32],
    text: fn(u32) -> String,
}

static FAMILIES: [Family; 7] = [
    Family {
        id: "events",
        grows: "events: horizon 10 to 10,000 days at a constant rate",
        ideal: 1.0,
        axis: "horizon in days; ten events a day",
        sizes: &[10, 30, 100, 300, 1_000, 3_000, 10_000],
        text: |days| ladder(10, f64::from(days), 1.0),
    },
    Family {
        id: "horizon",
        grows: "horizon at equal activity: 10 to 10,000 days, 1,000 events",
        ideal: 0.0,
        axis: "horizon in days; 1,000 events in all",
        sizes: &[10, 30, 100, 300, 1_000, 3_000, 10_000],
        text: |days| ladder(10, f64::from(days), 100.0 / f64::from(days)),
    },
    Family {
        id: "actors",
        grows: "actors, all acting: 10 to 1,000, 1,000 events",
        ideal: 0.0,
        axis: "actors; 1,000 events in all",
        sizes: &[10, 30, 100, 300, 1_000],
        text: |actors| ladder(actors, 1_000.0 / f64::from(actors), 1.0),
    },
    Family {
        id: "idle-actors",
        grows: "idle actors with stocks: 10 to 1,000 beside ten that act",
        ideal: 0.0,
        axis: "idle actors",
        sizes: &[10, 30, 100, 300, 1_000],
        text: |actors| ladder(10, 100.0, 1.0) + &bystanders(actors),
    },
    Family {
        id: "idle-processes",
        grows: "idle processes: 10 to 1,000 with hazard 0 beside ten that act",
        ideal: 0.0,
        axis: "idle processes",
        sizes: &[10, 30, 100, 300, 1_000],
        text: |actors| ladder(10, 100.0, 1.0) + &bystanders(actors) + IDLE_PROCESS,
    },
    Family {
        id: "rules-elsewhere",
        grows: "rules on an action that does not happen: 1 to 300",
        ideal: 0.0,
        axis: "rules on another action",
        sizes: &[1, 3, 10, 30, 100, 300],
        text: |rules| ladder(10, 100.0, 1.0) + &bystanders(1) + &bystander_rules(rules, "alarm"),
    },
    Family {
        id: "rules-asked",
        grows: "rules on every event, whose guard does not hold: 1 to 300",
        ideal: 1.0,
        axis: "rules asked at every event",
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

/// What a run of one size costs.
struct Cost {
    size: u32,
    events: f64,
    /// Seconds of CPU time a run.
    run: f64,
}

/// How the cost of a run grows in one family.
pub struct Growth {
    pub family: &'static Family,
    costs: Vec<Cost>,
    pub exponent: f64,
    /// Over the two largest sizes.
    last_exponent: f64,
}

pub fn growth() -> Vec<Growth> {
    (FAMILIES.iter())
        .map(|family| {
            let costs: Vec<Cost> = (family.sizes.iter())
                .map(|&size| cost(size, &(family.text)(size)))
                .collect();
            Growth {
                family,
                exponent: line(&costs).0,
                last_exponent: line(&costs[costs.len() - 2..]).0,
                costs,
            }
        })
        .collect()
}

fn cost(size: u32, text: &str) -> Cost {
    let scenario = Scenario::generated(text);
    let seconds = |first: u64, runs: u64| {
        let start = ProcessTime::now();
        let summary = scenario.replicate(first, runs, 1);
        (start.elapsed().as_secs_f64(), summary.totals().events)
    };
    let mut runs = 1;
    while seconds(0, runs).0 < SLICE {
        runs *= 2;
    }
    let measured: Vec<(f64, u64)> = (1..=REPEATS as u64)
        .map(|n| seconds(n * runs, runs))
        .collect();
    let each: Vec<f64> = measured.iter().map(|(s, _)| s / runs as f64).collect();
    let events: u64 = measured.iter().map(|(_, events)| events).sum();
    Cost {
        size,
        events: events as f64 / (runs * REPEATS as u64) as f64,
        run: spread(&each).median,
    }
}

/// The least-squares line through the logarithms of size and cost: slope and height at size 1.
fn line(costs: &[Cost]) -> (f64, f64) {
    let points = || costs.iter().map(|c| (f64::from(c.size).ln(), c.run.ln()));
    let n = costs.len() as f64;
    let (x, y) = points().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let (above, below) = points().fold((0.0, 0.0), |(above, below), p| {
        (above + (p.0 - x) * (p.1 - y), below + (p.0 - x) * (p.0 - x))
    });
    let slope = above / below;
    (slope, y - slope * x)
}

/// Two decimals, and no minus before a zero.
pub fn two_decimals(x: f64) -> String {
    format!("{:.2}", (100.0 * x).round() / 100.0 + 0.0)
}

/// In Markdown.
pub fn table(growths: &[Growth]) -> String {
    let mut text = String::from(
        "| what grows | exponent | ideal | over the last step | ns an event, smallest to largest | plot |\n\
         |---|---:|---:|---:|---|---|\n",
    );
    for growth in growths {
        let each: Vec<String> = (growth.costs.iter())
            .map(|cost| format!("{:.0}", 1e9 * cost.run / cost.events))
            .collect();
        writeln!(
            text,
            "| {} | {} | {} | {} | {} | [growth-{id}.svg](growth-{id}.svg) |",
            growth.family.grows,
            two_decimals(growth.exponent),
            growth.family.ideal,
            two_decimals(growth.last_exponent),
            each.join(", "),
            id = growth.family.id,
        )
        .expect("text");
    }
    text
}

/// Writes every measurement into `growth.csv`, and a plot for each family.
pub fn write(growths: &[Growth], folder: &Path) -> io::Result<()> {
    let mut rows = String::from("grows,size,events_a_run,seconds_a_run,ns_an_event\n");
    for growth in growths {
        for cost in &growth.costs {
            writeln!(
                rows,
                "{},{},{},{:e},{:.2}",
                growth.family.id,
                cost.size,
                cost.events,
                cost.run,
                1e9 * cost.run / cost.events
            )
            .expect("text");
        }
        let file = format!("growth-{}.svg", growth.family.id);
        fs::write(folder.join(file), growth.plot().svg())?;
    }
    fs::write(folder.join("growth.csv"), rows)
}

impl Growth {
    fn plot(&self) -> Plot {
        let points: Vec<(f64, f64)> = (self.costs.iter())
            .map(|cost| (f64::from(cost.size), 1e6 * cost.run))
            .collect();
        let (slope, height) = line(&self.costs);
        let fitted = move |x: f64| 1e6 * (height + slope * x.ln()).exp();
        let ideal = self.family.ideal;
        let (x, y) = points[0];
        Plot {
            title: self.family.grows.to_owned(),
            x: self.family.axis.to_owned(),
            y: "CPU time of a run in µs".to_owned(),
            lines: vec![
                Line {
                    label: format!("ideal: exponent {ideal}, from the smallest"),
                    dashed: true,
                    at: Box::new(move |size| y * (size / x).powf(ideal)),
                },
                Line {
                    label: format!("fitted: exponent {}", two_decimals(slope)),
                    dashed: false,
                    at: Box::new(fitted),
                },
            ],
            points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_is_the_exponent_of_a_power_law() {
        let costs: Vec<Cost> = [10, 30, 1_000]
            .map(|size| Cost {
                size,
                events: 1.0,
                run: 2.0 * f64::from(size).powf(0.7),
            })
            .into();
        let (slope, height) = line(&costs);
        assert!((slope - 0.7).abs() < 1e-12 && (height - 2.0_f64.ln()).abs() < 1e-12);
    }
}
