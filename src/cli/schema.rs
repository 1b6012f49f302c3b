//! `flashpoint schema`.

use super::{CliError, Output};
use crate::scenario::schema::json_schema;

/// Print the JSON Schema of scenario files, for editors.
///
/// An editor with a TOML language server checks and completes a scenario whose first line is
/// `#:schema PATH-OR-URL-OF-THE-SCHEMA`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args, out: &mut Output) -> Result<(), CliError> {
    Ok(out.print(&text())?)
}

/// The schema as a file.
pub(super) fn text() -> String {
    format!("{:#}\n", json_schema())
}
