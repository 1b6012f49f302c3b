//! `flashpoint describe`.

use super::{CliError, Output};
use crate::report::describe::markdown;
use crate::scenario::load::load;

/// Describe a scenario in Markdown: actors, rules, and the table of parameters with their sources.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario file, or name of a built-in scenario.
    scenario: String,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let loaded = load(&args.scenario).map_err(CliError::Scenario)?;
    Ok(out.print(&markdown(&loaded))?)
}
