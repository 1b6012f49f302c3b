//! `flashpoint trace`.

use super::prepare::{DEFAULT_SEED, prepare};
use super::{CliError, Format, Output, Override};
use crate::engine::Simulator;
use crate::model::{ParameterDraws, World};
use crate::report::chronicle::{Chronicle, Recorder, RunHeader, RunResult};
use crate::scenario::compile::MOST_RUNS_PER_WORLD;

/// Tell what happened in one run, and why.
///
/// It is the same run as number K of a batch with the same scenario, seed and settings.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario file, or name of a built-in scenario.
    scenario: String,
    /// Number of the run, from 0.
    #[arg(long, value_name = "K")]
    run: u64,
    /// Seed of all random streams.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Hold a parameter at this value instead of drawing it from its prior (repeatable).
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<Override>,
    /// Hold all parameters at their default values.
    #[arg(long)]
    defaults: bool,
    /// Runs in each world, as the batch had them if not the scenario's `runs_per_world`.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=MOST_RUNS_PER_WORLD as i64), conflicts_with = "defaults")]
    runs_per_world: Option<u32>,
    /// How the chronicle is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let prepared = prepare(&args.scenario, &args.set, out)?;
    let prepared = prepared.with_runs_per_world(args.runs_per_world);
    let model = &prepared.model;
    let (number, parameters) = if args.defaults || !model.has_priors() {
        (None, model.default_parameters())
    } else {
        let number = args.run / u64::from(model.runs_per_world().max(1));
        let parameters = ParameterDraws::new(model, args.seed).world(model, number);
        (Some(number), parameters)
    };
    let name = &prepared.loaded.name;
    let header = RunHeader::new(model, name, args.seed, args.run, number, &parameters);
    let world = World::new(model, parameters)
        .map_err(|error| CliError::failure(format!("run {}: {error}", args.run)))?;

    let mut simulator = Simulator::new(model, args.seed);
    let mut state = simulator.allocate();
    let mut recorder = Recorder::new(model);
    let finished = simulator
        .start(&world, args.run, &mut state)
        .and_then(|()| simulator.finish(&world, &mut state, &mut recorder));
    let chronicle = Chronicle {
        run: header,
        entries: recorder.into_entries(),
        result: RunResult::new(model, &state),
    };
    // What led up to an error is what one wants to see.
    out.print(&match args.format {
        Format::Text => chronicle.text(),
        Format::Json => super::json(&chronicle)?,
        Format::Csv => chronicle.csv(),
    })?;
    finished.map_err(|error| CliError::failure(error.to_string()))
}
