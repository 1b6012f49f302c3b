use super::markdown;
use crate::scenario::load::load_text;

const SCENARIO: &str = r#"
[scenario]
title = "Two states"
summary = "A first paragraph.\n\nA second."
start = 2024-01-01
horizon = 100

[parameter.rate]
value = 0.5
unit = "per year"
basis = "data"
source = "Someone | 2020"
prior = { dist = "lognormal", median = 0.5, sigma = 0.4 }
range = [0.2, 1]
[parameter.resolve]
value = 1
basis = "assumption"
neutral = 0

[actor.a]
label = "State A"
kind = "state"
rivals = ["b"]
[actor.b]
kind = "state"
[place.border]
host = "b"

[stock.anger]
of = "actor"
initial = { a = 0.4, default = "resolve" }

[[ladder.rung]]
id = "calm"
[[ladder.rung]]
id = "war"
label = "War"

[action.raid]
verb = "raids"
killed = { dist = "discrete_power_law", exponent = "1 + resolve", min = 1, max = 30 }
effects = ["target.anger += 0.1 if event.killed > 3"]
[[action.raid.rung]]
between = ["self", "target"]
step = -1

[process.raids]
who = "a"
hazard = "rate / 365"
action = "raid"
target = { among = "rivals(self)", weight = "candidate.anger" }
place = "border"

[rule.answer]
who = "b"
on = "raid"
as = "target"
when = "blamed == a"
[[rule.answer.option]]
id = "strike"
stance = "escalate"
score = "self.anger"
action = "raid"
target = "blamed"
delay = { dist = "exponential", mean = 3 }
[[rule.answer.option]]
id = "wait"
stance = "hold"
score = 0
enabled = false

[[calendar]]
id = "shock"
window = [2024-02-01, 2024-02-10]
effects = ["a.anger = 1"]

[metric.raids]
count = "raid"
where = "target == b"
[metric.tense]
time_above = { of = "a.anger", level = 0.5 }

[[endgame]]
id = "war"
when = "rung[a, b] >= rungs.war"
absorbing = true
[[endgame]]
id = "peace"
"#;

/// Cells of a row of a table, `\|` being part of a cell.
fn cells(line: &str) -> usize {
    line.replace("\\|", "").matches('|').count() - 1
}

#[test]
fn everything_is_described_in_well_formed_tables() {
    let loaded = load_text("two.toml", SCENARIO).unwrap();
    let text = markdown(&loaded);
    for line in [
        "# Two states",
        "A second.",
        "- Start: 2024-01-01",
        "- Horizon: 100 days",
        "- Parameters: 2: 1 data, 1 assumption; 1 with a prior",
        "| `a` | State A | state | `b` |",
        "| `anger` | actor | `a` 0.4, `default` `resolve` |",
        "| 1 | `war` | War |",
        "- Killed: discrete_power_law(exponent = `1 + resolve`, min = 1, max = 30)",
        "  - `self` and `target`: 1 down",
        "- Hazard per day: `rate / 365`",
        "- Leads to: `raid` against one of `rivals(self)` in proportion to `candidate.anger` in `border`",
        "| `strike` | escalate | `self.anger` | `raid` against `blamed` | exponential(mean = 3) |",
        "| `wait` (switched off) | hold | 0 |  |  |",
        "| `shock` | 2024-02-01 to 2024-02-10 | `a.anger = 1` |",
        "| `raids` | number of `raid` | `target == b` |",
        "| `tense` | days in which `a.anger` is above 0.5 |  |",
        "| 1 | `war` | `rung[a, b] >= rungs.war` | ends the run |",
        "| 2 | `peace` | otherwise |  |",
        "| `rate` | 0.5 | per year | lognormal(median = 0.5, sigma = 0.4) | 0.2 to 1 |  | data | Someone \\| 2020 |",
    ] {
        assert!(text.lines().any(|l| l == line), "no line {line}\n\n{text}");
    }
    let tables = text.split("\n\n").filter(|block| block.starts_with('|'));
    for table in tables {
        let widths: Vec<usize> = table.lines().map(cells).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
    }
}
