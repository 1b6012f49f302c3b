//! `flashpoint calibrate`.

use std::path::PathBuf;

use serde_json::json;

use super::analysis::{ResultsFolder, show};
use super::hindcast::{forecast_error, threads};
use super::prepare::DEFAULT_SEED;
use super::run::{Interrupt, Meter};
use super::{CliError, Format, Output};
use crate::calibration::{CalibrationError, calibrate, read};
use crate::digest::sha256_hex;
use crate::experiment::Control;
use crate::hindcast::ForecastError;
use crate::report::calibration::{fragment, parameters_csv, patterns_csv, text};
use crate::report::manifest::ScenarioDescription;
use crate::report::results::LEVEL;

/// Files of results.
const FILES: [&str; 4] = [
    "patterns.csv",
    "parameters.csv",
    "fitted-priors.toml",
    "README.md",
];

/// Fit parameters to patterns of the past, and check the fit on patterns that were held out.
///
/// A calibration file lists patterns (questions of hindcasts, whose answers are known), each fitted or held out and with the error
/// that is allowed for, and the parameters to fit. Worlds are drawn from the priors and weighted by how probable they make
/// the fitted patterns. Parameters about which the patterns say nothing keep their priors.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Calibration file, or name of a built-in one.
    #[arg(value_name = "FILE")]
    file: String,
    /// Number of worlds, instead of that of the file.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000_000))]
    worlds: Option<u32>,
    /// Seed of all random numbers.
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
    /// Write the results into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write them even if the folder holds an analysis, or files of these names, already.
    #[arg(long, requires = "out")]
    force: bool,
    /// How the results are printed. CSV is the table of parameters.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let folder = ResultsFolder::new(args.out.as_deref(), FILES, args.force, "--force")?;
    let mut calibration = read(&args.file).map_err(CliError::Scenario)?;
    for case in &calibration.cases {
        if !case.warnings.is_empty() {
            out.remark(&case.warnings.render(out.stderr_colour));
        }
    }
    calibration.worlds = args.worlds.unwrap_or(calibration.worlds);
    let each = |case: &crate::hindcast::Case| u64::from(case.model.runs_per_world().max(1));
    let runs: u64 = calibration.cases.iter().map(each).sum();
    let meter = Meter::new(runs * u64::from(calibration.worlds), out.stderr_terminal);
    let interrupt = Interrupt::install();
    let control = Control {
        threads: threads(args.threads),
        stop: &interrupt.stop,
        progress: &meter,
    };
    let found = calibrate(&calibration, args.seed, LEVEL, &control);
    meter.clear();
    let found = found.map_err(|error| match error {
        CalibrationError::Runs(error) => {
            if matches!(error, ForecastError::Interrupted) {
                out.remark("Weighing the worlds takes the runs of all hindcasts: nothing is kept.\n");
            }
            forecast_error(error)
        }
        CalibrationError::Impossible { .. } => CliError::failure(error.to_string()).with_help(
            "allow for errors of the record and discrepancies of the scenario, widen the priors, or draw more worlds",
        ),
    })?;
    let report = text(&calibration.title, &found);
    let parameters = parameters_csv(&found);
    let shown = match args.format {
        Format::Text => report.clone(),
        Format::Csv => parameters.clone(),
        Format::Json => super::json(&found)?,
    };
    let files = || {
        let hindcasts = calibration.cases.iter();
        let hindcasts: Vec<_> = hindcasts
            .map(|case| ScenarioDescription::new(case.name.clone(), case.text.clone()))
            .collect();
        let about = json!({
            "flashpoint": env!("CARGO_PKG_VERSION"),
            "analysis": "calibrate",
            "calibration": {
                "name": calibration.name,
                "sha256": sha256_hex(calibration.text.as_bytes()),
                "text": calibration.text,
            },
            "hindcasts": hindcasts,
            "worlds": calibration.worlds,
            "seed": args.seed,
        });
        let notes = format!(
            "# Calibration\n\n`patterns.csv` has the patterns before and after, `parameters.csv` the parameters, `fitted-priors.toml` the priors \
             that may be written into the scenario, `manifest.json` what was run.\n\n```text\n{report}```\n"
        );
        let texts = [patterns_csv(&found), parameters, fragment(&found), notes];
        (about, texts)
    };
    show(&shown, args.format, folder.as_ref(), files, out)
}
