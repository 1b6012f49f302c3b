//! `flashpoint schema`.

use clap::ValueEnum;
use serde_json::Value;

use super::{CliError, Output};
use crate::batch;
use crate::calibration::raw::SCHEMA;
use crate::hindcast::schema::{base_rates_schema, hindcast_schema};
use crate::scenario::schema::json_schema;

/// Print the JSON Schema of scenario files, or of files about scenarios, for editors.
///
/// An editor with a TOML language server checks and completes a file whose first line is
/// `#:schema PATH-OR-URL-OF-THE-SCHEMA`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The kind of file.
    #[arg(value_enum, default_value_t = Kind::Scenario)]
    kind: Kind,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// Scenarios.
    Scenario,
    /// Experiments, as `flashpoint batch` runs them.
    Experiment,
    /// Hindcasts.
    Hindcast,
    /// Base rates of hindcasts.
    BaseRates,
    /// Calibrations.
    Calibration,
}

impl Kind {
    /// The name of the file that holds its schema.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Scenario => "scenario.schema.json",
            Self::Experiment => "experiment.schema.json",
            Self::Hindcast => "hindcast.schema.json",
            Self::BaseRates => "base-rates.schema.json",
            Self::Calibration => "calibration.schema.json",
        }
    }

    /// The schema as a file.
    pub fn text(self) -> String {
        let schema: Value = match self {
            Self::Scenario => json_schema(),
            Self::Experiment => batch::file::json_schema(),
            Self::Hindcast => hindcast_schema(),
            Self::BaseRates => base_rates_schema(),
            Self::Calibration => SCHEMA.clone(),
        };
        format!("{schema:#}\n")
    }
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    Ok(out.print(&args.kind.text())?)
}
