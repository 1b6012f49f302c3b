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
use crate::{calibration, hindcast};

/// Check files: every problem at once, each with its place and what to do about it.
///
/// Scenarios, experiments, hindcasts, calibrations and files of base rates can be checked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Ends with exit code 2 if any of them has an error. Warnings are no errors."
)]
pub(super) struct Args {
    /// Files, or names of what is built in.
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
    is_scenario: bool,
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
    Hindcast { questions: usize },
    BaseRates { base_rates: usize },
    Calibration(CalibrationContent),
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

/// What a calibration goes by, and what it fits.
#[derive(Serialize)]
struct CalibrationContent {
    patterns: usize,
    hindcasts: usize,
    parameters: usize,
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
    let kind = Kind::of(name).unwrap_or(Kind::Scenario);
    let read = match kind {
        Kind::Scenario => match load(name) {
            Ok(loaded) => Ok((Some(content(&loaded.raw)), problems(&loaded))),
            Err(problems) => Err(problems),
        },
        Kind::Experiment => experiment::load(&DiskFiles, name, Options::default())
            .map(|plan| (Some(size(&plan)), plan.warnings)),
        Kind::Hindcast => hindcast::read(name, &mut |_| {}).map(|case| {
            let questions = case.questions.len();
            (Some(Content::Hindcast { questions }), case.warnings)
        }),
        Kind::Calibration => calibration::read(name).map(|found| {
            let content = CalibrationContent {
                patterns: found.patterns.len(),
                hindcasts: found.cases.len(),
                parameters: found.parameters.len(),
            };
            (Some(Content::Calibration(content)), Diagnostics::default())
        }),
        Kind::BaseRates => hindcast::read::count_base_rates(name).map(|base_rates| {
            let content = Content::BaseRates { base_rates };
            (Some(content), Diagnostics::default())
        }),
    };
    let (content, problems) = read.unwrap_or_else(|problems| (None, problems));
    Finding {
        scenario: name.to_owned(),
        is_scenario: kind == Kind::Scenario,
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
        let (one, many) = match findings.iter().all(|finding| finding.is_scenario) {
            true => ("scenario", "scenarios"),
            false => ("file", "files"),
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
        Content::Hindcast { questions } => {
            number::counted(*questions as u64, "question", "questions")
        }
        Content::BaseRates { base_rates } => {
            number::counted(*base_rates as u64, "base rate", "base rates")
        }
        Content::Calibration(content) => [
            (content.patterns, "pattern", "patterns"),
            (content.hindcasts, "hindcast", "hindcasts"),
            (content.parameters, "parameter", "parameters"),
        ]
        .map(|(count, one, many)| number::counted(count as u64, one, many))
        .join(", "),
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
