//! The cap on events, and formulas without a usable value.

use crate::support::*;
use flashpoint::engine::{Ending, Problem, RunError, Unobserved};

/// A minimal scenario with that hazard, effect and more.
fn minimal(hazard: &str, effect: &str, more: &str) -> String {
    format!(
        r#"
[scenario]
start = 2024-01-01
horizon = 100
max_events = 50

[actor.group]
kind = "group"

[stock.level]
of = "actor"
initial = 1

[stock.fading]
of = "actor"
initial = 1
baseline = 0
half_life = 5

[action.attack]
effects = ["{effect}"]

[process.attacks]
who = "group"
hazard = "{hazard}"
action = "attack"

[metric.attacks]
count = "attack"

[[endgame]]
id = "any"
{more}
"#
    )
}

/// The error in which a run ends.
#[track_caller]
fn error(hazard: &str, effect: &str, more: &str, run: u64) -> RunError {
    let model = inline(&minimal(hazard, effect, more));
    let result = Runs::new(&model, 1).try_run(run, &mut Unobserved);
    let Err(error) = result else {
        panic!("no error: {hazard}, {effect}");
    };
    assert_eq!(error.run, run);
    let text = error.to_string();
    assert!(
        text.contains(&error.site) && text.contains(&error.date),
        "{text}"
    );
    assert!(text.contains(&format!("run {run}")), "{text}");
    error
}

#[test]
fn a_run_that_reaches_the_cap_is_told_apart() {
    let capped = inline(&minimal("10", "self.level += 1", ""));
    let mut runs = Runs::new(&capped, 1);
    runs.run(0, &mut Unobserved);
    assert_eq!(runs.state.ending(), Some(Ending::Capped));
    assert_eq!((runs.state.events(), runs.metric("attacks")), (50, 50.0));
    assert_eq!(runs.endgame(), None);
    assert!(runs.state.time() < 20.0);

    // Just as many events as the cap allows are not too many.
    let fifty = inline(&minimal(
        "1 if self.level <= 50 else 0",
        "self.level += 1",
        "",
    ));
    let mut runs = Runs::new(&fifty, 1);
    runs.run(0, &mut Unobserved);
    assert_eq!(runs.state.ending(), Some(Ending::Horizon));
    assert_eq!(runs.state.events(), 50);
    assert_eq!(runs.endgame(), Some("any"));
}

#[test]
fn a_formula_that_is_no_number_names_itself_the_run_and_the_date() {
    // On day 11.6 of run 7 or so: the date is that of the event.
    let broken = "self.level = ln(0.5 - 0.5 * self.level) if time > 10";
    let found = error("0.5", broken, "", 7);
    assert_eq!(found.site, "action.attack.effects[0]");
    assert!(matches!(found.problem, Problem::NotFinite(value) if value == f64::NEG_INFINITY));
    assert!(
        found.date.as_str() > "2024-01-10" && found.date.as_str() < "2024-02-10",
        "{}",
        found.date
    );

    let found = error("0 / (self.level - self.level)", "self.level = 1", "", 3);
    assert_eq!(
        (found.site.as_str(), found.date.as_str()),
        ("process.attacks.hazard", "2024-01-01")
    );
    assert!(matches!(found.problem, Problem::NotFinite(value) if value.is_nan()));

    let rule = "[rule.thinks]\nwho = \"group\"\non = \"attack\"\nas = \"any\"\n\
                [[rule.thinks.option]]\nid = \"a\"\nscore = \"sqrt(-self.level)\"\n\
                [[rule.thinks.option]]\nid = \"b\"\nscore = 0\n";
    let found = error("1", "self.level += 1", rule, 0);
    assert!(
        found.site.contains("rule.thinks") && found.site.contains("score"),
        "{}",
        found.site
    );
}

#[test]
fn a_series_without_a_value_is_told_with_its_day() {
    let series = "[timeline]\nevery = 1\n[timeline.series]\nx = \"1 / (50 - time)\"\n";
    let found = error("0.001", "self.level += 1", series, 0);
    assert_eq!(
        (found.site.as_str(), found.date.as_str()),
        ("timeline.series.x", "2024-02-20")
    );
}

/// Actors without rivals have nothing to divide: a condition on the share of their rivals has no value, and neither allows nor
/// forbids.
#[test]
fn a_condition_without_a_value_is_no_answer() {
    let rule = "[rule.thinks]\nwho = \"group\"\non = \"attack\"\nas = \"any\"\n\
                when = \"count(a for a in rivals(self) if a != self) / count(a for a in rivals(self)) > 0.5 and self.level > 0\"\n\
                [[rule.thinks.option]]\nid = \"a\"\nscore = 1\n";
    let found = error("1", "self.level += 1", rule, 0);
    assert_eq!(found.site, "rule.thinks.when");
    assert!(matches!(found.problem, Problem::NotFinite(value) if value.is_nan()));
}

#[test]
fn a_stock_that_overflows_is_an_error_of_its_effect() {
    let found = error("10", "self.level *= 1e200", "", 2);
    assert_eq!(found.site, "action.attack.effects[0]");
    assert!(matches!(found.problem, Problem::NotFinite(value) if value == f64::INFINITY));
}

#[test]
fn the_longest_step_ends_on_the_highest_rung() {
    let text = minimal("1", "self.level += 1", "").replace(
        "[process.attacks]",
        r#"[[action.attack.rung]]
between = ["self", "target"]
step = 2147483647
[actor.other]
kind = "group"
[[ladder.rung]]
id = "low"
[[ladder.rung]]
id = "middle"
[[ladder.rung]]
id = "high"
[ladder.initial]
group = { other = "middle" }
[metric.reached]
final = "rung[group, other]"
[process.attacks]
target = "other""#,
    );
    let model = inline(&text);
    let mut runs = Runs::new(&model, 1);
    runs.run(0, &mut Unobserved);
    assert_eq!(runs.metric("reached"), 2.0);
}

#[test]
fn hazards_are_neither_negative_nor_without_bound() {
    let found = error("2.5 - self.level", "self.level += 1", "", 5);
    assert_eq!(found.site, "process.attacks.hazard");
    assert_eq!(found.problem, Problem::NegativeHazard(-0.5));

    // Negative between events only: found when a candidate falls there, or the next look ahead.
    let found = error("self.fading - 0.5", "self.level = 1", "", 5);
    assert!(matches!(found.problem, Problem::NegativeHazard(_)));

    // Never positive, so that no candidate falls anywhere.
    let found = error("-time", "self.level = 1", "", 0);
    assert!(matches!(found.problem, Problem::NegativeHazard(_)));

    // A pole that can be integrated, so that time may come up to it: no loop, and no silence.
    let found = error("0.001 / sqrt(abs(time - 50))", "self.level = 1", "", 0);
    assert_eq!(found.site, "process.attacks.hazard");
    assert_eq!(found.problem, Problem::Unbounded);
    assert_eq!(found.date, "2024-02-19");
}

#[test]
fn probabilities_weights_and_delays_are_checked_when_they_are_drawn() {
    let rule = |option: &str| {
        format!(
            "[rule.r]\nwho = \"group\"\non = \"attack\"\nas = \"any\"\n[[rule.r.option]]\nid = \"a\"\naction = \"other\"\n{option}\n[action.other]\n"
        )
    };
    let site = "rule.r.option";
    for (option, fits) in [
        (
            "probability = \"self.level\"",
            Problem::NotAProbability(2.0),
        ),
        ("delay = \"1.5 - self.level\"", Problem::NegativeDraw(-0.5)),
        (
            "target = { among = \"actors\", weight = \"1 - self.level\" }",
            Problem::NegativeWeight(-1.0),
        ),
    ] {
        let found = error("1", "self.level += 1", &rule(option), 0);
        assert!(found.site.contains(site), "{}", found.site);
        assert_eq!(found.problem, fits, "{option}");
    }
}

/// The simulator that met an error in one run makes the next as if nothing had been.
#[test]
fn an_error_leaves_no_trace_in_later_runs() {
    let text = minimal(
        "0.3 + 0.2 * self.level",
        "self.level = ln(self.level)",
        "[action.other]\n[process.other]\nwho = \"group\"\nhazard = \"0.1 * self.level\"\naction = \"other\"\n[process.tick]\nwho = \"group\"\nhazard = 0.9\naction = \"other\"\n[[calendar]]\nid = \"shock\"\nday = 30\nprobability = 0.5\neffects = [\"group.level = 2.7\"]",
    )
    .replace("self.level = ln(self.level)\"", "self.level = 2 - self.level\", \"self.fading = sqrt(1.5 - self.level)\"");
    let model = inline(&text);
    let mut together = Runs::new(&model, 1);
    let (mut failed, mut compared) = (0, 0);
    for run in 0..200 {
        let mut record = Record::default();
        let result = together.try_run(run, &mut record);
        let mut alone = Record::default();
        let result_alone = Runs::new(&model, 1).try_run(run, &mut alone);
        // As text, because an error may hold a value that is not equal to itself.
        let text = |result: &Result<(), RunError>| format!("{result:?}");
        assert_eq!(record, alone, "run {run}");
        assert_eq!(text(&result), text(&result_alone), "run {run}");
        failed += u64::from(result.is_err());
        compared += u64::from(result.is_ok());
    }
    assert!(
        failed > 3 && compared > 3,
        "{failed} failed, {compared} did not"
    );
}
