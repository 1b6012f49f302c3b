use std::sync::atomic::AtomicBool;

use super::*;
use crate::experiment::fixture::{RIVALS, model_of};
use crate::experiment::{Control, Plan, WorldSource, replicate};

fn results(scenario: &str, worlds: WorldSource, runs: u64) -> Results {
    let model = model_of(scenario);
    let plan = Plan {
        seed: 1,
        first_run: 0,
        runs,
        worlds,
    };
    let control = Control {
        threads: 2,
        stop: &AtomicBool::new(false),
        progress: &(),
    };
    let done = replicate(&model, &plan, &control, None).unwrap();
    Results::new(&model, &done.summary, 0.95)
}

fn heading() -> Heading {
    Heading {
        title: "Two rivals".to_owned(),
        seed: 1,
        max_events: 2,
        ..Heading::default()
    }
}

#[test]
fn a_table_for_people() {
    let results = results(RIVALS, WorldSource::Priors, 8000);
    let heading = Heading {
        runs_per_world: Some(8),
        overrides: vec![("temper".to_owned(), 0.5)],
        ..heading()
    };
    let text = text(&heading, &results);
    println!("{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "Two rivals",
            "8,000 runs: 1,000 draws of the parameters, 8 runs each; seed 1",
            "with temper = 0.5",
        ]
    );
    assert!(lines[4].starts_with("Endgame "));
    assert!(lines[4].contains("Monte Carlo 95 %  Across parameters 90 %  "));
    assert!(lines[6].starts_with("War, or near it "));
    assert!(text.contains("Anger above one half"));
    // The other metrics are not for the main table.
    assert!(text.contains("\nRaids ") && !text.contains("First raid"));
    assert!(text.contains("Across parameters 90 %:"));
    assert!(
        lines
            .iter()
            .all(|line| line.chars().count() <= 130 && line.trim_end() == *line)
    );
}

#[test]
fn columns_of_unknown_things_are_left_out() {
    let scenario = RIVALS.replace("headline = false", "");
    let results = results(&scenario, WorldSource::Defaults, 1000);
    let heading = Heading {
        priors_unused: true,
        ..heading()
    };
    let text = text(&heading, &results);
    println!("{text}");
    assert!(text.contains("1,000 runs, all parameters at their defaults; seed 1"));
    assert!(!text.to_lowercase().contains("across parameters"));
    // One never comes in some runs.
    assert!(text.contains("First raid (days)") && text.contains("peak anger"));
}

#[test]
fn what_went_short_is_said() {
    let capped = RIVALS.replace("horizon = 60", "horizon = 60\nmax_events = 2");
    let results = results(&capped, WorldSource::Defaults, 1000);
    let with = |precision, interrupted| {
        let heading = Heading {
            precision,
            interrupted,
            ..heading()
        };
        text(&heading, &results)
    };
    let plain = with(None, None);
    assert!(plain.contains("Stopped at the cap on events"));
    assert!(
        plain.contains("of 1,000 runs reached the cap of 2 events"),
        "{plain}"
    );
    let reached = |reached| {
        Some(PrecisionOutcome {
            width: 0.02,
            reached,
            looks: 2,
        })
    };
    assert!(with(reached(true), None).contains("at most 2 percentage points wide, after 2 looks"));
    assert!(with(reached(false), None).contains("WARNING: the largest number of runs"));
    let interrupted = with(reached(false), Some(5000));
    assert!(interrupted.contains("interrupted: 1,000 of at most 5,000 runs were made"));
}

#[test]
fn bars_are_as_long_as_probabilities() {
    let bars = [0.0, 0.001, 0.05, 0.5, 0.51, 1.0].map(bar);
    let halves = "█".repeat(10);
    assert_eq!(bars[..3], ["", "▏", "█"]);
    assert_eq!(bars[3..], [halves.clone(), halves + "▎", "█".repeat(20)]);
}

#[test]
fn shares_of_some_are_never_none_or_all() {
    assert_eq!(share(1, 1_000_000), "<0.1 %");
    assert_eq!(share(999_999, 1_000_000), ">99.9 %");
    assert_eq!(
        (share(1, 3).as_str(), share(3, 3).as_str()),
        ("33.3 %", "100.0 %")
    );
}
