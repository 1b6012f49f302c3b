//! A finished batch of runs, read back from its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::CliError;
use super::run::RUNS_FILE;
use crate::experiment::Quantity;
use crate::model::Model;
use crate::report::directory::MANIFEST;
use crate::report::manifest::{Manifest, ParameterMode};
use crate::report::runs_reader::{WorldMean, world_means};
use crate::scenario::compile::compile;
use crate::scenario::load::load_text;

/// A batch whose runs were kept.
pub(super) struct KeptRuns {
    /// What was run.
    pub manifest: Manifest,
    /// Its model.
    pub model: Model,
    /// Its folder.
    pub folder: PathBuf,
}

impl KeptRuns {
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
        if !folder.join(RUNS_FILE).exists() {
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
            folder: folder.to_owned(),
        })
    }

    /// The mean of a quantity in each world.
    pub fn means(&self, quantity: Quantity) -> Result<Vec<WorldMean>, CliError> {
        let path = self.folder.join(RUNS_FILE);
        world_means(&path, &self.model, quantity).map_err(|error| {
            CliError::failure(format!("cannot read `{}`: {error}", path.display()))
        })
    }

    /// What decides its worlds and is another in `other`, the seed apart; `None` if nothing is.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let [this, that] = [self, other].map(|batch| &batch.manifest.description);
        if this.scenario.name != that.scenario.name {
            let [this, that] = [this, that].map(|description| &description.scenario.name);
            return Some(format!("one is of scenario {this}, the other of {that}"));
        }
        if this.overrides != that.overrides {
            let [this, that] = [this, that].map(|description| set_by_hand(&description.overrides));
            return Some(format!("one was run {this}, the other {that}"));
        }
        (this.scenario.sha256 != that.scenario.sha256)
            .then(|| format!("scenario {} reads differently", this.scenario.name))
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

/// The parameters that were set by hand, as options.
fn set_by_hand(overrides: &BTreeMap<String, f64>) -> String {
    if overrides.is_empty() {
        return "without --set".to_owned();
    }
    let options = overrides.iter();
    let options: Vec<String> = options
        .map(|(name, value)| format!("--set {name}={value}"))
        .collect();
    format!("with {}", options.join(" "))
}
