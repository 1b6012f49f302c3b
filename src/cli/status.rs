//! `flashpoint status`.

use std::path::PathBuf;

use super::batch::store_error;
use super::run::threads;
use super::{CliError, Output};
use crate::batch::check::{self, Options};
use crate::batch::conduct::standing;
use crate::batch::plan::Size;
use crate::batch::selection::stored_observations;
use crate::batch::store::{Description, MANIFEST, Store};
use crate::report::batch::{REPORT, provisional};
use crate::report::number::{count, counted, percent};

/// Show how far a batch is, and what it has come to so far.
///
/// A batch can be looked at while it is running, after an interruption, or when it is complete.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a batch.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Number of threads; all cores if not given.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let folder = &args.folder;
    let description = Description::read(folder).map_err(store_error)?;
    if folder.join(MANIFEST).exists() {
        let text = std::fs::read_to_string(folder.join(REPORT)).map_err(|error| {
            CliError::failure(format!(
                "cannot read {REPORT} in {}: {error}",
                folder.display()
            ))
        })?;
        out.print(&text)?;
        return Ok(out.print("\nComplete.\n")?);
    }
    let options = Options {
        seed: description.seed,
        runs: description.runs,
    };
    let loaded = check::load(&description.inputs, &description.experiment, options);
    let plan = match loaded {
        Ok(plan) if plan.identity == description.identity => plan,
        Ok(plan) if plan.identity.flashpoint == description.identity.flashpoint => {
            let differences = plan.identity.differences(&description.identity);
            let message = format!(
                "{} holds another batch: {}",
                folder.display(),
                differences.join("; ")
            );
            return Err(
                CliError::usage(message).with_help("look at it with the program that began it")
            );
        }
        _ => {
            let version = &description.identity.flashpoint;
            let message = format!(
                "{} was begun by version {version} of flashpoint, which would run it otherwise than this one",
                folder.display()
            );
            return Err(
                CliError::usage(message).with_help("look at it with the version that began it")
            );
        }
    };
    if description.select {
        let observations = stored_observations(folder).map_err(store_error)?;
        return Ok(out.print(&format!(
            "A selection that is not finished: {} stored. The command that began it goes on from there.\n",
            counted(observations as u64, "observation is", "observations are"),
        ))?);
    }
    let store = Store::read_only(folder, &plan);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads(args.threads))
        .build()
        .map_err(|error| CliError::failure(format!("cannot start the threads: {error}")))?;
    let done = standing(&plan, &store).map_err(store_error)?;
    if done.rounds > 0 {
        let text = pool.install(|| provisional(&plan, &store, &done));
        out.print(&text.map_err(store_error)?)?;
        out.print("\n")?;
    } else {
        out.print("No results yet: not every cell has its first runs.\n")?;
    }
    let block = u64::from(plan.block);
    let (made, planned) = (done.units * block, plan.size.most_runs() * plan.cells());
    let at_most = match plan.size {
        Size::Runs(_) => "",
        Size::Precision { .. } => "at most ",
    };
    let share = percent(made as f64 / planned.max(1) as f64, 0);
    out.print(&format!(
        "Provisional: {} of {at_most}{} runs are stored ({share}); each cell has {} to {}.\n",
        count(made),
        count(planned),
        count(done.rounds * block),
        count(done.units.div_ceil(plan.cells()) * block),
    ))?;
    Ok(())
}
