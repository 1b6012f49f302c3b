//! `flashpoint hindcast`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::analysis::{ResultsFolder, show};
use super::prepare::DEFAULT_SEED;
use super::run::{Interrupt, Meter};
use super::{CliError, Format, Output, Override, overrides};
use crate::experiment::Control;
use crate::hindcast::{Answers, Case, ForecastError, read, summarize, verify};
use crate::report::hindcast::Hindcasts;
use crate::report::manifest::ScenarioDescription;
use crate::report::results::{BAND, LEVEL};
use crate::scenario::builtin;

/// Runs of each case unless another number is asked for.
const DEFAULT_RUNS: u64 = 10_000;

/// Files of results.
const FILES: [&str; 4] = ["forecasts.csv", "scores.csv", "summary.csv", "README.md"];

/// Ask what scenarios would have said in the past, and score it against what then happened.
///
/// A hindcast file is a scenario file that looks ahead from a moment of the past, with questions and the answers that history
/// gave. Shown are the forecast, its proper score, and the scores of three baselines: base rates, persistence (what happened the
/// last time) and uniform; then the differences over all cases, and how little so few cases prove.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Hindcast files, names of built-in hindcasts, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// Runs of each case; rounded up to whole worlds.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_RUNS, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Seed of all random numbers.
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
    /// Hold a parameter at this value in every case (repeatable).
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<Override>,
    /// Hold all parameters at their default values instead of drawing them from their priors.
    #[arg(long)]
    defaults: bool,
    /// Write the results into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write them even if the folder holds an analysis, or files of these names, already.
    #[arg(long, requires = "out")]
    force: bool,
    /// How the results are printed. CSV is the table of scores.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let folder = ResultsFolder::new(args.out.as_deref(), FILES, args.force, "--force")?;
    // All problems of all cases come before the first run.
    let mut cases = args.cases(out)?;
    let asked = cases.len();
    let meter = Meter::new(args.runs * cases.len() as u64, out.stderr_terminal);
    let interrupt = Interrupt::install();
    let control = Control {
        threads: threads(args.threads),
        stop: &interrupt.stop,
        progress: &meter,
    };
    let mut questions = Vec::new();
    let (mut scored, mut most_runs) = (0, 0);
    for case in &cases {
        let priors = case.model.has_priors() && !args.defaults;
        let each = priors.then(|| case.model.runs_per_world().max(1));
        let runs = args.runs.checked_next_multiple_of(each.unwrap_or(1).into());
        let runs =
            runs.ok_or_else(|| CliError::usage(format!("{} runs are too many", args.runs)))?;
        let answers = Answers::of(case, args.seed, runs, priors, &control);
        let answers = match answers {
            Ok(answers) => answers,
            Err(ForecastError::Interrupted) => break,
            Err(error) => {
                meter.clear();
                return Err(forecast_error(error));
            }
        };
        questions.extend(verify(case, &answers, each, LEVEL, BAND));
        scored += 1;
        most_runs = most_runs.max(runs);
    }
    meter.clear();
    cases.truncate(scored);
    if scored == 0 {
        out.remark("No hindcast is complete: nothing is kept.\n");
        return Err(CliError::Interrupted);
    }
    let interrupted = (scored < asked).then_some(asked);
    let hindcasts = Hindcasts {
        seed: args.seed,
        runs: most_runs,
        priors: !args.defaults,
        interrupted,
        summary: summarize(&questions, LEVEL),
        questions,
        titles: (cases.iter())
            .map(|case| (case.name.clone(), case.title.clone()))
            .collect(),
    };
    let text = hindcasts.text();
    let scores = hindcasts.scores_csv();
    let shown = match args.format {
        Format::Text => text.clone(),
        Format::Csv => scores.clone(),
        Format::Json => super::json(&hindcasts)?,
    };
    if interrupted.is_some() {
        out.print(&shown)?;
        if args.out.is_some() {
            out.remark("No files are written: they are for all hindcasts together.\n");
        }
        return Err(CliError::Interrupted);
    }
    let files = || args.files(&cases, &hindcasts, &text, scores);
    show(&shown, args.format, folder.as_ref(), files, out)
}

impl Args {
    fn cases(&self, out: &mut Output) -> Result<Vec<Case>, CliError> {
        let mut cases: Vec<Case> = Vec::new();
        let mut failed = false;
        let mut change = Ok(());
        for name in expand(&self.files)? {
            let read = read(&name, &mut |scenario| {
                if change.is_ok() {
                    change = overrides::apply(&self.set, scenario);
                }
            });
            match read {
                Ok(case) => {
                    if !case.warnings.is_empty() {
                        out.remark(&case.warnings.render(out.stderr_colour));
                    }
                    if cases.iter().any(|other| other.name == case.name) {
                        let message = format!("two hindcasts have the name `{}`", case.name);
                        return Err(CliError::usage(message).with_help("name each of them once"));
                    }
                    cases.push(case);
                }
                Err(problems) => {
                    failed = true;
                    out.remark(&problems.render(out.stderr_colour));
                }
            }
        }
        change?;
        if failed {
            return Err(CliError::ProblemsShown);
        }
        Ok(cases)
    }

    /// What the manifest says, and the files.
    fn files(
        &self,
        cases: &[Case],
        hindcasts: &Hindcasts,
        text: &str,
        scores: String,
    ) -> (Value, [String; FILES.len()]) {
        let overrides = self.set.iter().map(|set| (set.name.clone(), set.value));
        let scenarios = cases
            .iter()
            .map(|case| ScenarioDescription::new(case.name.clone(), case.text.clone()));
        let about = json!({
            "flashpoint": env!("CARGO_PKG_VERSION"),
            "analysis": "hindcast",
            "scenarios": scenarios.collect::<Vec<_>>(),
            "overrides": overrides.collect::<BTreeMap<_, _>>(),
            "seed": self.seed,
            "runs": self.runs,
            "defaults": self.defaults,
        });
        let notes = format!(
            "# Hindcasts\n\n`forecasts.csv` has what the runs said, `scores.csv` how good it was, `summary.csv` what it comes to over cases, \
             `manifest.json` what was run.\n\n```text\n{text}```\n"
        );
        let texts = [
            hindcasts.forecasts_csv(),
            scores,
            hindcasts.summary_csv(),
            notes,
        ];
        (about, texts)
    }
}

/// The threads to use; all cores if no number is given.
pub(super) fn threads(asked: Option<u64>) -> usize {
    match asked {
        Some(threads) => threads as usize,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// Why there is no forecast, with what to do about it.
pub(super) fn forecast_error(error: ForecastError) -> CliError {
    let failed = CliError::failure(error.to_string());
    match error {
        ForecastError::Capped { .. } => {
            failed.with_help("raise `max_events`, or see with a short `horizon` what goes on")
        }
        ForecastError::Infinite { .. } => failed.with_help("give the question a `limit`"),
        ForecastError::Runs { .. } => failed,
        ForecastError::Interrupted => CliError::Interrupted,
    }
}

/// Marks a hindcast file, in a folder that holds other files too.
fn is_hindcast(text: &str) -> bool {
    text.lines().any(|line| line.trim() == "[hindcast]")
}

/// The names, with the hindcasts in a folder in place of the folder.
fn expand(names: &[String]) -> Result<Vec<String>, CliError> {
    let mut all = Vec::new();
    for name in names {
        let path = Path::new(name);
        let inside: Vec<String> = if path.is_dir() {
            hindcasts_in(path)?
        } else if path.exists() || builtin::hindcast_text(name).is_some() {
            all.push(name.clone());
            continue;
        } else {
            let prefix = format!("{}/", name.trim_end_matches('/'));
            let builtin = builtin::hindcasts().iter();
            builtin
                .filter(|(name, text)| name.starts_with(&prefix) && is_hindcast(text))
                .map(|(name, _)| (*name).to_owned())
                .collect()
        };
        if inside.is_empty() && path.is_dir() {
            let message = format!("the folder `{name}` holds no hindcast");
            let help = "a hindcast is a file *.toml with a line `[hindcast]`";
            return Err(CliError::usage(message).with_help(help));
        }
        if inside.is_empty() {
            // Reading it will say what is wrong.
            all.push(name.clone());
        }
        all.extend(inside);
    }
    Ok(all)
}

fn hindcasts_in(folder: &Path) -> Result<Vec<String>, CliError> {
    let failure = |error: std::io::Error| {
        CliError::failure(format!("cannot read `{}`: {error}", folder.display()))
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        if is_toml && fs::read_to_string(&path).is_ok_and(|text| is_hindcast(&text)) {
            found.push(path.display().to_string());
        }
    }
    found.sort();
    Ok(found)
}
