//! A finished batch of runs, read back from its folder, and files of an analysis.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{CliError, files};
use crate::digest::sha256_hex;
use crate::experiment::{Quantity, Varied};
use crate::model::{Model, ParameterDraws};
use crate::report::directory::MANIFEST;
use crate::report::manifest::{Manifest, ParameterMode};
use crate::report::runs_reader::{WorldMean, world_means};
use crate::scenario::compile::compile;
use crate::scenario::load::load_text;
use crate::sensitivity::Outcome;
use crate::sensitivity::given::{Table, TableColumn};

/// Name of the file of single runs.
const RUNS_FILE: &str = "runs.parquet";

/// A batch whose runs were kept.
pub(super) struct Batch {
    /// What was run.
    pub manifest: Manifest,
    /// Its model.
    pub model: Model,
    path: PathBuf,
}

impl Batch {
    /// Opens the folder of a batch.
    ///
    /// # Errors
    /// A usage error if it is not a folder of `flashpoint run --keep-runs` of this version, with draws from priors.
    pub fn open(folder: &Path) -> Result<Self, CliError> {
        let shown = folder.display();
        let again = "make it with `flashpoint run SCENARIO --keep-runs --out DIR`";
        let text = fs::read_to_string(folder.join(MANIFEST)).map_err(|error| {
            CliError::usage(format!("`{shown}` is no folder of results: {error}")).with_help(again)
        })?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| {
            let message =
                format!("{MANIFEST} in `{shown}` is not that of a batch of runs: {error}");
            CliError::usage(message).with_help(again)
        })?;
        let description = &manifest.description;
        let path = folder.join(RUNS_FILE);
        if !path.exists() {
            let message = format!("`{shown}` does not hold its single runs");
            return Err(CliError::usage(message).with_help(again));
        }
        if description.flashpoint != env!("CARGO_PKG_VERSION") {
            // The worlds are drawn again: another version might draw others.
            let made = &description.flashpoint;
            let message = format!("`{shown}` was made by version {made} of flashpoint");
            return Err(CliError::usage(message).with_help("run the scenario again"));
        }
        if description.parameters == ParameterMode::Defaults {
            let message = format!("in `{shown}` all parameters have their default values");
            return Err(CliError::usage(message).with_help(
                "there is nothing to compare: run without --defaults a scenario whose parameters have priors",
            ));
        }
        let mut loaded = load_text(&description.scenario.name, &description.scenario.text)
            .map_err(CliError::Scenario)?;
        let overrides = description.overrides.iter();
        let overrides: Vec<super::Override> = overrides
            .map(|(name, &value)| super::Override {
                name: name.clone(),
                value,
            })
            .collect();
        super::overrides::apply(&overrides, &mut loaded.raw)?;
        let model = compile(&loaded).map_err(CliError::Scenario)?.model;
        Ok(Self {
            manifest,
            model,
            path,
        })
    }

    /// The mean of a quantity in each world.
    pub fn means(&self, quantity: Quantity) -> Result<Vec<WorldMean>, CliError> {
        let means = world_means(&self.path, &self.model, quantity);
        means.map_err(|error| {
            CliError::failure(format!("cannot read `{}`: {error}", self.path.display()))
        })
    }

    /// A table with a row for each world: the values of the parameters `varied`, drawn again as they were, and an outcome.
    pub fn table(&self, varied: &[Varied], worlds: &[(u64, Outcome)]) -> Result<Table, CliError> {
        let draws = ParameterDraws::new(&self.model, self.manifest.description.seed);
        let mut x = Vec::with_capacity(varied.len() * worlds.len());
        for (world, _) in worlds {
            let values = draws.world(&self.model, *world);
            x.extend(varied.iter().map(|v| values[v.parameter]));
        }
        let column = |v: &Varied| TableColumn::number(self.model.parameters()[v.parameter].id());
        let columns = varied.iter().map(column).collect();
        let outcomes: Vec<Outcome> = worlds.iter().map(|(_, outcome)| outcome.clone()).collect();
        Table::new(columns, &x, &outcomes).map_err(study_error)
    }

    /// What the batch was, for the manifest of an analysis.
    pub fn description(&self) -> Value {
        json!({
            "key": self.manifest.key,
            "scenario": self.manifest.description.scenario.name,
            "seed": self.manifest.description.seed,
            "runs": self.manifest.runs_completed,
            "runs_per_world": self.manifest.description.runs_per_world,
            "runs_sha256": self.manifest.files.get(RUNS_FILE),
        })
    }
}

/// Runs `work` on so many threads; all cores if no number is given.
pub(super) fn on_threads<T: Send>(
    threads: Option<u64>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, CliError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0) as usize)
        .build()
        .map_err(|error| CliError::failure(format!("cannot start the threads: {error}")))?;
    Ok(pool.install(work))
}

/// Refuses a folder that holds an analysis already.
pub(super) fn refuse_folder(folder: Option<&Path>, force: bool) -> Result<(), CliError> {
    let Some(folder) = folder else { return Ok(()) };
    files::refuse_existing(&folder.join(MANIFEST), force)
        .map_err(|error| error.with_help("choose another folder with --out, or add --force"))
}

/// Writes the files of an analysis, and last the manifest, which lists them with their SHA-256.
pub(super) fn write_folder(
    folder: &Path,
    mut manifest: Value,
    contents: &[(&str, &str)],
    force: bool,
) -> Result<String, CliError> {
    let mut listed = BTreeMap::new();
    for (name, text) in contents {
        files::write(&folder.join(name), text.as_bytes(), force)?;
        listed.insert(*name, sha256_hex(text.as_bytes()));
    }
    manifest["files"] = json!(listed);
    let text = super::json(&manifest)?;
    files::write(&folder.join(MANIFEST), text.as_bytes(), force)?;
    Ok(format!("Results: {}\n", folder.display()))
}

/// What a study says when it cannot be made.
pub(super) fn study_error(error: crate::sensitivity::Error) -> CliError {
    use crate::sensitivity::Error;
    let failed = CliError::failure(error.to_string());
    match error {
        Error::ConstantOutput => failed.with_help(
            "ask about another outcome with --of, or make more runs: what never changes has no drivers",
        ),
        Error::TooFewRows { .. } => failed.with_help(
            "make more runs; if many fail, look into one with `flashpoint trace`, or raise `max_events`",
        ),
        Error::TooManyDimensions { .. } => {
            CliError::usage(error.to_string()).with_help("name fewer parameters with --params")
        }
        Error::BadSetting { .. } | Error::DuplicateFactor(_) => CliError::usage(error.to_string()),
        _ => failed,
    }
}
