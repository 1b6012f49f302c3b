//! `flashpoint rank`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;

use super::analysis::{ResultsFolder, show};
use super::prepare::{DEFAULT_SEED, prepare_with};
use super::run::{Interrupt, Meter, experiment_error, threads};
use super::sensitivity::{Named, in_words, inputs, named, nothing_varies, quantity};
use super::{CliError, Format, Output, Override, files};
use crate::distribution::Distribution;
use crate::experiment::one_at_a_time::{Ends, one_at_a_time};
use crate::experiment::{Control, Plan, Quantity, Varied, WorldSource};
use crate::model::Model;
use crate::report::manifest::ScenarioDescription;
use crate::report::results::LEVEL;
use crate::report::tornado::{BaseEstimate, ParameterName, Tornado, rows};
use crate::scenario::raw::RawScenario;

/// Runs at each point unless another number is asked for.
const DEFAULT_RUNS: u64 = 1_000;
/// The same where effects are averaged over worlds.
const DEFAULT_RUNS_OVER_WORLDS: u64 = 5_000;
/// Probability that a prior leaves beyond each end.
const TAIL: f64 = 0.05;

/// Files of results.
const FILES: [&str; 3] = ["rank.csv", "tornado.svg", "README.md"];

/// Rank parameters by what moving each of them does to an outcome.
///
/// Each parameter in turn is moved to the low and the high end of its range (its `range`, or else the 5 % and 95 % quantiles of its
/// prior) while all others have their default values, under the same random numbers. A first look: interactions do not show. `flashpoint
/// sensitivity` goes on from here.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario file, name of a built-in scenario, or `-` for standard input.
    #[arg(value_name = "SCENARIO")]
    scenario: String,
    /// What to rank by: an endgame, a flag or a metric.
    #[arg(long, value_name = "OUTCOME")]
    by: String,
    /// Move these parameters only.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    params: Vec<String>,
    /// Draw all other parameters from their priors, and average over the draws, instead of holding them at their defaults.
    #[arg(long)]
    over_worlds: bool,
    /// Runs at the base and at each end of each parameter (default 1000; 5000 with --over-worlds). Rounded up to whole worlds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    runs: Option<u64>,
    /// Seed of all random numbers.
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
    /// Hold a parameter at this value (repeatable).
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<Override>,
    /// Also draw a tornado diagram into this SVG file; an existing one is replaced only with --force.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// Write rank.csv, tornado.svg, a README and a manifest into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write files even if they exist already.
    #[arg(long)]
    force: bool,
    /// How the results are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let folder = ResultsFolder::new(args.out.as_deref(), FILES, args.force, "--force")?;
    if let Some(chart) = &args.chart {
        files::refuse_existing(chart, args.force)?;
    }
    let prepared = prepare_with(&args.scenario, &args.set, None, out)?;
    let (model, raw) = (&prepared.model, &prepared.loaded.raw);
    let scenario = Named {
        name: prepared.loaded.name.clone(),
        model,
        raw: Some(raw),
    };
    let quantity = quantity(&scenario, &args.by)?;
    if quantity == Quantity::Category {
        return Err(CliError::usage("parameters cannot be ranked by a category")
            .with_help("name one endgame, flag or metric"));
    }
    let held: BTreeSet<String> = args.set.iter().map(|set| set.name.clone()).collect();
    let held: Vec<String> = held.into_iter().collect();
    let scenario = [scenario];
    let movable = inputs(&scenario, &held);
    if movable.is_empty() {
        return Err(nothing_varies());
    }
    let unmoved = model.parameters().len() - movable.len() - held.len();
    let inputs = named(&scenario, movable, &args.params)?;
    let varied = inputs.iter().flat_map(|input| &input.in_scenario).flatten();
    let parameters: Vec<Ends> = varied.map(|v| ends(model, raw, v)).collect();
    let plan = args.plan(model)?;

    let interrupt = Interrupt::install();
    let points = 1 + 2 * parameters.len() as u64;
    let meter = Meter::new(plan.runs.saturating_mul(points), out.stderr_terminal);
    let control = Control {
        threads: threads(args.threads),
        stop: &interrupt.stop,
        progress: &meter,
    };
    let done = one_at_a_time(model, quantity, &parameters, &plan, &control);
    meter.clear();
    let Some(done) = done.map_err(|error| experiment_error(error, None))? else {
        return Err(CliError::Interrupted);
    };

    let name = |parameter: usize| {
        let id = model.parameters()[parameter].id();
        let raw = raw.parameter.get(id);
        ParameterName {
            id: id.to_owned(),
            label: raw.and_then(|p| p.label.clone()),
            unit: raw.and_then(|p| p.unit.clone()),
        }
    };
    let tornado = Tornado {
        title: model.title().to_owned(),
        scenario: prepared.loaded.name.clone(),
        output: in_words(model, quantity),
        is_probability: quantity.is_probability(),
        worlds: plan
            .runs_per_world(model)
            .map(|size| plan.runs / u64::from(size)),
        seed: args.seed,
        runs: plan.runs,
        level: LEVEL,
        unmoved,
        capped: done.capped,
        base: BaseEstimate::new(&done.base, LEVEL),
        base_dropped: done.base.dropped(),
        interrupted: done.interrupted.then_some(parameters.len()),
        rows: rows(&done, LEVEL, name),
    };
    let text = prepared.loaded.resolved_text();
    let scenario = ScenarioDescription::new(prepared.loaded.name.clone(), text);
    args.show(&tornado, &scenario, folder.as_ref(), out)?;
    if done.interrupted {
        Err(CliError::Interrupted)
    } else {
        Ok(())
    }
}

/// The ends between which a parameter is moved.
fn ends(model: &Model, raw: &RawScenario, varied: &Varied) -> Ends {
    let id = model.parameters()[varied.parameter].id();
    let range = raw.parameter.get(id).and_then(|p| p.range);
    let [low, high] = match (&varied.distribution, range) {
        (_, Some(range)) => range,
        // The quantiles of a number with few values may be one and the same.
        (discrete @ Distribution::Discrete(_), None) => {
            let (low, high) = discrete.support();
            [low, high]
        }
        (other, None) => [other.quantile(TAIL), other.quantile(1.0 - TAIL)],
    };
    Ends {
        parameter: varied.parameter,
        low,
        high,
    }
}

impl Args {
    fn plan(&self, model: &Model) -> Result<Plan, CliError> {
        let worlds = if self.over_worlds {
            WorldSource::Priors
        } else {
            WorldSource::Defaults
        };
        let plan = Plan {
            seed: self.seed,
            first_run: 0,
            runs: self.runs.unwrap_or(match worlds {
                WorldSource::Defaults => DEFAULT_RUNS,
                WorldSource::Priors => DEFAULT_RUNS_OVER_WORLDS,
            }),
            worlds,
        };
        plan.whole_worlds(model)
            .ok_or_else(|| CliError::usage(format!("{} runs are too many", plan.runs)))
    }

    fn show(
        &self,
        tornado: &Tornado,
        scenario: &ScenarioDescription,
        folder: Option<&ResultsFolder<'_, { FILES.len() }>>,
        out: &mut Output,
    ) -> Result<(), CliError> {
        let shown = match self.format {
            Format::Text => tornado.text(),
            Format::Csv => tornado.csv(),
            Format::Json => super::json(tornado)?,
        };
        let files = || {
            let about = json!({
                "flashpoint": env!("CARGO_PKG_VERSION"),
                "analysis": "rank",
                "by": self.by,
                "scenario": scenario,
                "parameters": self.params,
                "over_worlds": self.over_worlds,
                "seed": self.seed,
                "runs": tornado.runs,
                "interrupted": tornado.interrupted.is_some(),
                "level": tornado.level,
            });
            let notes = format!(
                "# Parameters by the size of their effect\n\n`rank.csv` has the figures, `manifest.json` what they were made of.\n\n```text\n{}```\n",
                tornado.text()
            );
            (about, [tornado.csv(), tornado.svg(), notes])
        };
        let stored = show(&shown, self.format, folder, files, out);
        if let Some(chart) = &self.chart {
            files::write(chart, tornado.svg().as_bytes(), self.force)?;
        }
        stored
    }
}
