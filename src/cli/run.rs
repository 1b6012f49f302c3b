//! `flashpoint run`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::again::Settings;
use super::files;
use super::prepare::{DEFAULT_SEED, Prepared, prepare};
use super::{CliError, Format, Output, Override};
use crate::experiment::precision::{PreciseReplication, looks, replicate_to_precision};
use crate::experiment::{
    Control, ExperimentError, Plan, Progress, Replication, RowSink, WorldSource, replicate,
};
use crate::model::Model;
use crate::report::directory::{Committed, DirectoryError, Staging, TIMINGS};
use crate::report::manifest::{Description, Manifest, ParameterMode, ScenarioDescription};
use crate::report::parquet::RunsFile;
use crate::report::results::{LEVEL, Results};
use crate::report::run_text::{self, Heading, PrecisionOutcome};
use crate::report::{chart, side_by_side, tables};
use crate::scenario::compile::MOST_RUNS_PER_WORLD;
use crate::stats::precision::PrecisionPlan;

/// Runs made unless another number is asked for.
const DEFAULT_RUNS: u64 = 10_000;
/// Runs made at most to reach a precision, unless another number is asked for.
const DEFAULT_MOST_RUNS: u64 = 100_000_000;
/// Name of the file of single runs.
pub(super) const RUNS_FILE: &str = "runs.parquet";

/// Run scenarios many times and show the distribution over their endgames.
///
/// Several scenarios are shown side by side; each has a folder of results of its own.
///
/// Parameters with a prior are drawn from it anew for every world of some runs (`runs_per_world` in the scenario); `--defaults`
/// holds them at their default values. The same scenario, overrides, seed and number of runs give the same results, byte for
/// byte, on any machine and with any number of threads.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, names of built-in scenarios, or `-` for standard input.
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// Number of runs (default 10000); with --precision, the most runs to make (default 100000000). Rounded up to whole worlds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Seed of all random numbers.
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
    /// Hold a parameter at this value instead of drawing it from its prior (repeatable).
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<Override>,
    /// Hold all parameters at their default values instead of drawing them from their priors.
    #[arg(long)]
    defaults: bool,
    /// Go on until the 95 % interval of every endgame's probability is at most W wide, for example 0.01. The intervals stay
    /// valid although the runs are looked at repeatedly.
    #[arg(long, value_name = "W")]
    precision: Option<f64>,
    /// Runs in each world, instead of the scenario's `runs_per_world`. A precision is reached soonest with 2; the spread across
    /// parameters is told best with many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=MOST_RUNS_PER_WORLD as i64), conflicts_with = "defaults")]
    runs_per_world: Option<u32>,
    /// Folder for the results, with a folder in it for each of several scenarios [default: results/SCENARIO-KEY].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write no files.
    #[arg(long, conflicts_with_all = ["out", "keep_runs", "force"])]
    no_files: bool,
    /// Also write runs.parquet: a row for every run.
    #[arg(long)]
    keep_runs: bool,
    /// Write the results even if the folder holds something else. Files of other results are replaced, all others stay.
    #[arg(long)]
    force: bool,
    /// Also draw the endgames into this SVG file; an existing one is replaced only with --force.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// How the results are printed. CSV is the table of the endgames alone.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    // All problems of all scenarios come before the first run.
    let mut prepared = Vec::new();
    for scenario in &args.scenarios {
        prepared.push(prepare(scenario, &args.set, out)?.with_runs_per_world(args.runs_per_world));
    }
    for (index, one) in prepared.iter().enumerate() {
        let name = &one.loaded.name;
        if prepared[..index]
            .iter()
            .any(|other| other.loaded.name == *name)
        {
            return Err(
                CliError::usage(format!("two scenarios have the name `{name}`"))
                    .with_help("run them one by one, or give one of the files another name"),
            );
        }
    }
    if let Some(chart) = &args.chart {
        files::refuse_existing(chart, args.force)?;
    }
    let interrupt = Interrupt::install();
    let mut finished = Vec::new();
    let mut failed = None;
    for (scenario, prepared) in args.scenarios.iter().zip(&prepared) {
        // Without a single run of this scenario, what the others came to is shown all the same.
        let one = match run_one(args, scenario, prepared, &interrupt, out) {
            Ok(one) => one,
            Err(CliError::Interrupted) => break,
            Err(error) => {
                failed = Some(error);
                break;
            }
        };
        let stored = one.stored.is_ok();
        finished.push(one);
        if !stored || interrupt.stop.load(Ordering::Relaxed) {
            break;
        }
    }
    let shown = match finished.as_slice() {
        [] => Ok(()),
        finished => args.show(finished, out),
    };
    let all = finished.len() == prepared.len() && finished.iter().all(|one| !one.interrupted);
    let not_stored = finished.into_iter().find_map(|one| one.stored.err());
    if let Some(error) = not_stored.or(failed) {
        return Err(error);
    }
    shown?;
    if all {
        Ok(())
    } else {
        Err(CliError::Interrupted)
    }
}

/// A scenario that has been run.
struct Finished {
    name: String,
    heading: Heading,
    results: Results,
    /// Where the results are, if they were to be stored; or why they are not.
    stored: Result<Option<(PathBuf, Committed)>, CliError>,
    interrupted: bool,
}

fn run_one(
    args: &Args,
    scenario: &str,
    prepared: &Prepared,
    interrupt: &Interrupt,
    out: &Output,
) -> Result<Finished, CliError> {
    let model = &prepared.model;
    let plan = args.plan(model)?;
    let looks = args.looks(model, &plan)?;
    let folder = args.open(prepared, &plan)?;
    interrupt.guard(folder.as_ref().map(|(staging, _)| staging.staging()));
    let mut runs_file = match &folder {
        Some((staging, _)) if args.keep_runs => {
            let file = staging.create(RUNS_FILE).map_err(directory_error)?;
            Some(RunsFile::new(file, model).map_err(|error| runs_error(&error))?)
        }
        _ => None,
    };

    let meter = Meter::new(plan.runs, out.stderr_terminal);
    let control = Control {
        threads: threads(args.threads),
        stop: &interrupt.stop,
        progress: &meter,
    };
    let clock = Clock::start();
    let sink = (runs_file.as_mut()).map(|file| file as &mut dyn RowSink);
    let done = carry_out(model, &plan, looks.as_ref(), &control, sink);
    meter.clear();
    let done = done.map_err(|error| experiment_error(error, Some(args.settings(scenario))))?;
    let seconds = clock.seconds();

    let interrupted = done.replication.interrupted;
    if done.replication.completed_runs == 0 {
        return Err(CliError::Interrupted);
    }
    let results = Results::new(model, &done.replication.summary, done.level);
    let stored = folder.map(|(mut staging, description)| {
        if let Some(file) = runs_file {
            let file = file.finish().map_err(|error| runs_error(&error))?;
            staging.finish(file).map_err(directory_error)?;
        }
        let timings = timings(&done.replication, control.threads, seconds);
        store(
            staging,
            description,
            &results,
            &done,
            args.precision,
            &timings,
        )
    });
    interrupt.saved();

    Ok(Finished {
        name: prepared.loaded.name.clone(),
        heading: args.heading(model, &plan, &done),
        results,
        stored: stored.transpose(),
        interrupted,
    })
}

impl Args {
    /// What decides the runs of one of the scenarios.
    fn settings<'a>(&'a self, scenario: &'a str) -> Settings<'a> {
        Settings {
            scenario,
            seed: self.seed,
            set: &self.set,
            defaults: self.defaults,
            runs_per_world: self.runs_per_world,
        }
    }

    fn show(&self, finished: &[Finished], out: &mut Output) -> Result<(), CliError> {
        let named = finished.iter().map(|one| (one.name.as_str(), &one.results));
        let columns: Vec<_> = (finished.iter())
            .map(|one| side_by_side::Column {
                name: &one.name,
                heading: &one.heading,
                results: &one.results,
            })
            .collect();
        let text = match (self.format, finished) {
            (Format::Json, [one]) if self.scenarios.len() == 1 => super::json(&one.results)?,
            (Format::Json, _) => super::json(&named.collect::<BTreeMap<_, _>>())?,
            (Format::Csv, [one]) if self.scenarios.len() == 1 => tables::outcomes(&one.results),
            (Format::Csv, _) => tables::outcomes_of_several(named),
            (Format::Text, [one]) => {
                run_text::text(&one.heading, &one.results) + &stored_lines(finished)
            }
            (Format::Text, _) => side_by_side::text(&columns) + &stored_lines(finished),
        };
        let printed = out.print(&text).and_then(|()| out.flush());
        if let Some(chart) = &self.chart {
            files::write(chart, chart::svg(&columns).as_bytes(), self.force)?;
        }
        Ok(printed?)
    }

    fn plan(&self, model: &Model) -> Result<Plan, CliError> {
        let worlds = if model.has_priors() && !self.defaults {
            WorldSource::Priors
        } else {
            WorldSource::Defaults
        };
        let asked = self.runs.unwrap_or(match self.precision {
            Some(_) => DEFAULT_MOST_RUNS,
            None => DEFAULT_RUNS,
        });
        let plan = Plan {
            seed: self.seed,
            first_run: 0,
            runs: asked,
            worlds,
        };
        plan.whole_worlds(model)
            .ok_or_else(|| CliError::usage(format!("{asked} runs are too many")))
    }

    fn describe(&self, prepared: &Prepared, plan: &Plan) -> Description {
        let overrides = self.set.iter().map(|set| (set.name.clone(), set.value));
        let loaded = &prepared.loaded;
        Description {
            flashpoint: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: ScenarioDescription::new(loaded.name.clone(), loaded.resolved_text()),
            overrides: overrides.collect(),
            seed: plan.seed,
            parameters: match plan.worlds {
                WorldSource::Defaults => ParameterMode::Defaults,
                WorldSource::Priors => ParameterMode::Priors,
            },
            runs_per_world: plan.runs_per_world(&prepared.model),
            runs_asked: plan.runs,
            precision: self.precision,
            keep_runs: self.keep_runs,
        }
    }

    /// Prepares the folder before anything is run, so that a long experiment does not end with nowhere to go.
    fn open(
        &self,
        prepared: &Prepared,
        plan: &Plan,
    ) -> Result<Option<(Staging, Description)>, CliError> {
        if self.no_files {
            return Ok(None);
        }
        let description = self.describe(prepared, plan);
        let target = match &self.out {
            Some(folder) if self.scenarios.len() == 1 => folder.clone(),
            Some(folder) => folder.join(description.folder_name()),
            None => Path::new("results").join(description.folder_name()),
        };
        let staging = Staging::open(&target, &description, self.force).map_err(directory_error)?;
        Ok(Some((staging, description)))
    }

    /// When to look at the runs, if a precision is asked for.
    fn looks(&self, model: &Model, plan: &Plan) -> Result<Option<PrecisionPlan>, CliError> {
        let looks = (self.precision).map(|width| looks(model, plan, width, LEVEL));
        let looks = looks.transpose();
        looks.map_err(|error| CliError::usage(format!("--precision: {error}")))
    }

    fn heading(&self, model: &Model, plan: &Plan, done: &PreciseReplication) -> Heading {
        let overrides: BTreeMap<_, _> = (self.set.iter())
            .map(|set| (set.name.clone(), set.value))
            .collect();
        Heading {
            title: model.title().to_owned(),
            seed: self.seed,
            runs_per_world: plan.runs_per_world(model),
            priors_unused: model.has_priors() && plan.worlds == WorldSource::Defaults,
            overrides: overrides.into_iter().collect(),
            max_events: model.max_events,
            precision: self.precision.map(|width| PrecisionOutcome {
                width,
                reached: done.reached,
                looks: done.looks.len(),
            }),
            interrupted: done.replication.interrupted.then_some(plan.runs),
        }
    }
}

/// The number of threads asked for; all cores if none is.
pub(super) fn threads(asked: Option<u64>) -> usize {
    match asked {
        Some(threads) => threads as usize,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}

fn carry_out(
    model: &Model,
    plan: &Plan,
    looks: Option<&PrecisionPlan>,
    control: &Control<'_>,
    sink: Option<&mut dyn RowSink>,
) -> Result<PreciseReplication, ExperimentError> {
    match looks {
        Some(looks) => replicate_to_precision(model, plan, looks, control, sink),
        None => Ok(PreciseReplication {
            replication: replicate(model, plan, control, sink)?,
            level: LEVEL,
            reached: false,
            looks: Vec::new(),
        }),
    }
}

/// Writes all files but that of the single runs, and puts everything in place.
fn store(
    mut staging: Staging,
    description: Description,
    results: &Results,
    done: &PreciseReplication,
    precision: Option<f64>,
    timings: &str,
) -> Result<(PathBuf, Committed), CliError> {
    let files = [
        ("outcomes.csv", tables::outcomes(results)),
        ("flags.csv", tables::flags(results)),
        ("metrics.csv", tables::metrics(results)),
        ("timeline.csv", tables::timeline(results)),
    ];
    for (name, content) in &files {
        staging.write(name, content).map_err(directory_error)?;
    }
    staging
        .write_unlisted(TIMINGS, timings)
        .map_err(directory_error)?;
    let manifest = Manifest {
        key: description.key(),
        description,
        runs_completed: done.replication.completed_runs,
        interrupted: done.replication.interrupted,
        level: done.level,
        looks: done.looks.clone(),
        precision_reached: precision.map(|_| done.reached),
        files: staging.files().clone(),
    };
    let path = staging.target().to_owned();
    let committed = staging.commit(&manifest).map_err(directory_error)?;
    Ok((path, committed))
}

fn stored_lines(finished: &[Finished]) -> String {
    let stored = (finished.iter()).filter_map(|one| one.stored.as_ref().ok()?.as_ref());
    stored
        .map(|(path, committed)| stored_line(path, *committed))
        .collect()
}

fn stored_line(path: &Path, committed: Committed) -> String {
    // Relative to where the user is, if it lies below.
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    let shown = match &here {
        Ok(here) => path.strip_prefix(here).unwrap_or(path),
        Err(_) => path,
    };
    match committed {
        Committed::Written => format!("Results: {}\n", shown.display()),
        Committed::BetterKept => format!(
            "{} already holds results of this experiment that are complete, or of more runs; they were kept.\n",
            shown.display()
        ),
    }
}

fn timings(replication: &Replication, threads: usize, seconds: f64) -> String {
    let totals = replication.summary.totals();
    let rate = |number: u64| (seconds > 0.0).then(|| number as f64 / seconds);
    let timings = serde_json::json!({
        "seconds": seconds,
        "threads": threads,
        "runs_per_second": rate(totals.runs),
        "events_per_second": rate(totals.events),
    });
    format!("{timings:#}\n")
}

/// The error of a run that cannot go on says how to look at it, if it was made with `settings` alone.
pub(super) fn experiment_error(error: ExperimentError, settings: Option<Settings<'_>>) -> CliError {
    match (error, settings) {
        (ExperimentError::Sink(error), _) => runs_error(&error),
        (ExperimentError::Run(error), Some(settings)) => {
            let trace = settings.trace(error.run);
            CliError::failure(error.to_string())
                .with_help(format!("`{trace}` shows what led there"))
        }
        (error, _) => CliError::failure(error.to_string()),
    }
}

fn runs_error(error: &std::io::Error) -> CliError {
    CliError::failure(format!("cannot write {RUNS_FILE}: {error}"))
}

fn directory_error(error: DirectoryError) -> CliError {
    match error {
        DirectoryError::Occupied { .. } => CliError::usage(error.to_string()).with_help(
            "choose another folder with --out, or write there all the same with --force",
        ),
        DirectoryError::NotAFolder(_) => {
            CliError::usage(error.to_string()).with_help("choose another folder with --out")
        }
        DirectoryError::Io { .. } => CliError::failure(error.to_string()),
    }
}

/// Reacts to Ctrl-C: the first asks the runs to stop, the second ends the program.
pub(super) struct Interrupt {
    /// Whether the runs should stop.
    pub(super) stop: Arc<AtomicBool>,
    /// What a sudden end must not leave behind.
    unfinished: Arc<Mutex<Option<PathBuf>>>,
}

impl Interrupt {
    pub(super) fn install() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let unfinished = Arc::new(Mutex::new(None::<PathBuf>));
        let (seen, folder) = (Arc::clone(&stop), Arc::clone(&unfinished));
        // Where no handler can be set, Ctrl-C ends the program as it does anyhow.
        let _ = ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::Relaxed) {
                if let Some(folder) = (folder.lock())
                    .unwrap_or_else(PoisonError::into_inner)
                    .take()
                {
                    let _ = std::fs::remove_dir_all(folder);
                }
                std::process::exit(130);
            }
        });
        Self { stop, unfinished }
    }

    /// From now on a sudden end removes this folder.
    fn guard(&self, unfinished: Option<&Path>) {
        *(self.unfinished.lock()).unwrap_or_else(PoisonError::into_inner) =
            unfinished.map(Path::to_owned);
    }

    /// The results are in place.
    fn saved(&self) {
        (self.unfinished.lock())
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

/// A progress bar, if anybody is watching.
pub(super) struct Meter(ProgressBar);

impl Meter {
    pub(super) fn new(runs: u64, watched: bool) -> Self {
        if !watched {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(runs);
        let template = "{wide_bar} {human_pos} of {human_len} runs, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// So many of `planned` runs are there already, and took no time.
    pub(super) fn resumed(&self, runs: u64, planned: u64) {
        self.0.set_length(planned);
        self.0.set_position(runs);
        self.0.reset_eta();
    }

    /// A line above the bar.
    pub(super) fn say(&self, line: &str) {
        self.0.println(line);
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Meter {
    fn planned(&self, runs: u64) {
        self.0.set_length(runs);
    }

    fn advanced(&self, runs: u64) {
        self.0.inc(runs);
    }
}

/// Time that has passed. It decides nothing about results.
pub(super) struct Clock(std::time::Instant);

impl Clock {
    #[allow(
        clippy::disallowed_methods,
        reason = "timings are reported apart from the results"
    )]
    pub(super) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(super) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests;
