//! `flashpoint schema`.

use clap::ValueEnum;

use super::{CliError, Output};
use crate::batch;
use crate::scenario::schema::json_schema;

/// Print the JSON Schema of scenario files, or of the files of `flashpoint batch`, for editors.
///
/// An editor with a TOML language server checks and completes a file whose first line is
/// `#:schema PATH-OR-URL-OF-THE-SCHEMA`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which files.
    #[arg(value_enum, default_value_t = Kind::Scenario)]
    kind: Kind,
}

/// Kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Scenarios.
    Scenario,
    /// Experiments, as `flashpoint batch` runs them.
    Experiment,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    Ok(out.print(&text(args.kind))?)
}

/// The schema as a file.
pub(super) fn text(kind: Kind) -> String {
    let schema = match kind {
        Kind::Scenario => json_schema(),
        Kind::Experiment => batch::file::json_schema(),
    };
    format!("{schema:#}\n")
}
