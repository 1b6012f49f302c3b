//! `flashpoint check`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::ValueEnum;
use serde::Serialize;

use super::kind::Kind;
use super::{CliError, Output};
use crate::batch::check::{self as experiment, Options};
use crate::batch::plan::{Plan, Size};
use crate::report::number;
use crate::scenario::compile::compile;
use crate::scenario::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::scenario::extend::DiskFiles;
use crate::scenario::load::{LoadedScenario, load};
use crate::scenario::raw::RawScenario;

/// Check scenarios and experiments: every problem at once, each with its place and what to do about it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Ends with exit code 2 if any of them has an error. Warnings are no errors."
)]
pub(super) struct Args {
    /// Files of scenarios or experiments, or names of built-in ones.
    #[arg(required = true, value_name = "FILE")]
    scenarios: Vec<String>,
    /// How the problems are printed.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// With the lines concerned.
    Text,
    /// One JSON document.
    Json,
}

/// What was found in one scenario or experiment.
#[derive(Serialize)]
struct Finding {
    scenario: String,
    #[serde(skip)]
    is_experiment: bool,
    ok: bool,
    /// What it holds, if it could be read at all.
    content: Option<Content>,
    problems: Diagnostics,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content {
    Scenario(ScenarioContent),
    Experiment(ExperimentContent),
}

/// How many of each a scenario defines; a group of actors with a `count` counts as so many.
#[derive(Serialize)]
struct ScenarioContent {
    actors: usize,
    places: usize,
    stocks: usize,
    actions: usize,
    processes: usize,
    rules: usize,
    parameters: usize,
    metrics: usize,
    endgames: usize,
}

/// What an experiment comes to.
#[derive(Serialize)]
struct ExperimentContent {
    policies: u64,
    states: u64,
    cells: u64,
    size: Size,
}

#[derive(Serialize)]
struct Summary<'a> {
    errors: usize,
    warnings: usize,
    scenarios: &'a [Finding],
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let findings: Vec<Finding> = args.scenarios.iter().map(|name| check(name)).collect();
    let total = |count: fn(&Finding) -> usize| findings.iter().map(count).sum::<usize>();
    let errors = total(|finding| finding.problems.error_count());
    let warnings = total(|finding| finding.problems.len()) - errors;
    let text = match args.format {
        CheckFormat::Text => text(&findings, out.stdout_colour),
        CheckFormat::Json => {
            let summary = Summary {
                errors,
                warnings,
                scenarios: &findings,
            };
            super::json(&summary)?
        }
    };
    out.print(&text)?;
    if errors > 0 {
        return Err(CliError::ProblemsShown);
    }
    Ok(())
}

fn check(name: &str) -> Finding {
    let is_experiment = Kind::of(name) == Some(Kind::Experiment);
    let (content, problems) = if is_experiment {
        match experiment::load(&DiskFiles, name, Options::default()) {
            Ok(plan) => (Some(size(&plan)), plan.warnings),
            Err(problems) => (None, problems),
        }
    } else {
        match load(name) {
            Ok(loaded) => (Some(content(&loaded.raw)), problems(&loaded)),
            Err(problems) => (None, problems),
        }
    };
    Finding {
        scenario: name.to_owned(),
        is_experiment,
        ok: !problems.has_errors(),
        content,
        problems,
    }
}

fn problems(loaded: &LoadedScenario) -> Diagnostics {
    match compile(loaded) {
        Ok(compiled) => loaded.diagnostics(compiled.warnings),
        Err(problems) => problems,
    }
}

fn size(plan: &Plan) -> Content {
    Content::Experiment(ExperimentContent {
        policies: plan.policies(),
        states: plan.states(),
        cells: plan.cells(),
        size: plan.size,
    })
}

fn content(raw: &RawScenario) -> Content {
    let actors = raw.actor.values();
    Content::Scenario(ScenarioContent {
        actors: actors.map(|actor| actor.count.unwrap_or(1) as usize).sum(),
        places: raw.place.len(),
        stocks: raw.stock.len(),
        actions: raw.action.len(),
        processes: raw.process.len(),
        rules: raw.rule.len(),
        parameters: raw.parameter.len(),
        metrics: raw.metric.len(),
        endgames: raw.endgame.len(),
    })
}

/// The problems, each once even if several scenarios extend the one that has it, then a line for each scenario without
/// errors, then how many problems there are.
fn text(findings: &[Finding], colour: bool) -> String {
    let mut out = String::new();
    let mut shown = BTreeSet::new();
    let (mut errors, mut warnings, mut concerned) = (0, 0, 0_u64);
    for finding in findings {
        let sources = finding.problems.sources();
        let is_new = |item: &&Diagnostic| shown.insert(place_and_message(item, &finding.problems));
        let new: Vec<Diagnostic> = finding.problems.iter().filter(is_new).cloned().collect();
        let new_errors = (new.iter())
            .filter(|item| item.severity == Severity::Error)
            .count();
        errors += new_errors;
        warnings += new.len() - new_errors;
        concerned += u64::from(!finding.problems.is_empty());
        out.push_str(&Diagnostics::new(sources.clone(), new).render(colour));
    }
    for finding in findings {
        if let (true, Some(content)) = (finding.ok, &finding.content) {
            let _ = writeln!(out, "{}: ok: {}", finding.scenario, describe(content));
        }
    }
    if concerned > 0 {
        let counts = [
            (errors, "error", "errors"),
            (warnings, "warning", "warnings"),
        ];
        let counts: Vec<String> = (counts.into_iter())
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| number::counted(count as u64, one, many))
            .collect();
        let counts = counts.join(" and ");
        let (one, many) = match findings.iter().any(|finding| finding.is_experiment) {
            true => ("file", "files"),
            false => ("scenario", "scenarios"),
        };
        let _ = writeln!(out, "{counts} in {}", number::counted(concerned, one, many));
    }
    out
}

/// What tells problems apart across scenarios that share files.
fn place_and_message(item: &Diagnostic, all: &Diagnostics) -> (String, usize, String) {
    let (file, start) = item.location.map_or((String::new(), 0), |span| {
        let file = all.sources().get(span.file);
        let name = file.map(|file| file.name().to_owned());
        (name.unwrap_or_default(), span.start)
    });
    (file, start, item.message.clone())
}

fn describe(content: &Content) -> String {
    match content {
        Content::Scenario(content) => describe_scenario(content),
        Content::Experiment(content) => format!(
            "{} in {}: {}, {}{} runs each",
            number::counted(content.policies, "policy", "policies"),
            number::counted(content.states, "state of the world", "states of the world"),
            number::counted(content.cells, "cell", "cells"),
            match content.size {
                Size::Runs(_) => "",
                Size::Precision { .. } => "at most ",
            },
            number::count(content.size.most_runs())
        ),
    }
}

fn describe_scenario(content: &ScenarioContent) -> String {
    let parts = [
        (content.actors, "actor", "actors"),
        (content.places, "place", "places"),
        (content.stocks, "stock", "stocks"),
        (content.actions, "action", "actions"),
        (content.processes, "process", "processes"),
        (content.rules, "rule", "rules"),
        (content.parameters, "parameter", "parameters"),
        (content.metrics, "metric", "metrics"),
        (content.endgames, "endgame", "endgames"),
    ];
    let parts = parts.map(|(count, one, many)| number::counted(count as u64, one, many));
    parts.join(", ")
}
