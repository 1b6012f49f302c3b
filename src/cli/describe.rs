//! `flashpoint describe`.

use super::prepare::loaded;
use super::{CliError, Output};
use crate::report::describe::markdown;

/// Describe a scenario in Markdown: actors, rules, and the table of parameters with their sources.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario file, or name of a built-in scenario.
    scenario: String,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let loaded = loaded(&args.scenario)?;
    Ok(out.print(&markdown(&loaded))?)
}
