//! What an experiment was, so that it can be repeated, and which files hold its results.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::sha256_hex;

/// Characters of the key in the name of a results folder.
const KEY_LENGTH: usize = 12;

/// All that decides the results of an experiment. Two equal descriptions give the same results, byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Version of the program.
    pub flashpoint: String,
    /// The scenario.
    pub scenario: ScenarioDescription,
    /// Parameters that were set by hand.
    pub overrides: BTreeMap<String, f64>,
    /// Seed of all random streams.
    pub seed: u64,
    /// Where the parameters came from.
    pub parameters: ParameterMode,
    /// Runs for each draw of the parameters, if they were drawn.
    pub runs_per_world: Option<u32>,
    /// Number of runs asked for; with a precision, the largest allowed.
    pub runs_asked: u64,
    /// Width asked for of every endgame's interval, if any.
    pub precision: Option<f64>,
    /// Whether the single runs are kept.
    pub keep_runs: bool,
}

/// A scenario with all that it extends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScenarioDescription {
    /// Name of the scenario.
    pub name: String,
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: String,
    /// The merged scenario; it can be run as a file.
    pub text: String,
}

impl ScenarioDescription {
    /// The scenario of that name and merged text.
    pub fn new(name: String, text: String) -> Self {
        Self {
            sha256: sha256_hex(text.as_bytes()),
            name,
            text,
        }
    }
}

/// Where the parameters of the runs came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterMode {
    /// All at their defaults.
    Defaults,
    /// Drawn from their priors.
    Priors,
}

impl Description {
    /// Key of the experiment: SHA-256 of the description, in hexadecimal.
    pub fn key(&self) -> String {
        // A description holds nothing that JSON cannot express, so the fallback is never used.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        sha256_hex(&bytes)
    }

    /// Name of a folder for the results: the scenario's name and the beginning of the key.
    pub fn folder_name(&self) -> String {
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
                c
            } else {
                '-'
            }
        };
        let name: String = self.scenario.name.chars().map(safe).collect();
        let name = name.trim_matches('-');
        let name = if name.is_empty() { "scenario" } else { name };
        format!("{name}-{}", &self.key()[..KEY_LENGTH])
    }
}

/// The content of `manifest.json`. It names neither times nor machines, so that it is the same for every repetition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Key of the experiment.
    pub key: String,
    /// What was asked for.
    #[serde(flatten)]
    pub description: Description,
    /// Number of runs made.
    pub runs_completed: u64,
    /// Whether the experiment was interrupted before its end.
    pub interrupted: bool,
    /// Level of the Monte Carlo intervals: above 0.95 where it pays for having looked at the runs before.
    pub level: f64,
    /// Sizes at which the runs were looked at; empty without a precision.
    pub looks: Vec<u64>,
    /// Whether the precision asked for was reached; `None` without one.
    pub precision_reached: Option<bool>,
    /// SHA-256 of each file of results, in hexadecimal. Timings differ between repetitions and are not listed.
    pub files: BTreeMap<String, String>,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn description() -> Description {
        Description {
            flashpoint: "0.1.0".to_owned(),
            scenario: ScenarioDescription::new("isis-iran/base".to_owned(), "x = 1\n".to_owned()),
            overrides: BTreeMap::from([("plot_rate".to_owned(), 0.5)]),
            seed: 1,
            parameters: ParameterMode::Priors,
            runs_per_world: Some(50),
            runs_asked: 1000,
            precision: None,
            keep_runs: false,
        }
    }

    #[test]
    fn every_part_of_a_description_makes_another_key() {
        let base = description();
        let changes: [fn(&mut Description); 9] = [
            |d| d.flashpoint.push('1'),
            |d| d.scenario = ScenarioDescription::new("isis-iran/base".into(), "x = 2\n".into()),
            |d| d.overrides.clear(),
            |d| d.overrides = BTreeMap::from([("plot_rate".to_owned(), 0.6)]),
            |d| d.seed = 2,
            |d| d.parameters = ParameterMode::Defaults,
            |d| d.runs_asked = 2000,
            |d| d.precision = Some(0.01),
            |d| d.keep_runs = true,
        ];
        for change in changes {
            let mut other = base.clone();
            change(&mut other);
            assert_ne!(other.key(), base.key());
        }
        assert_eq!(base.clone().key(), base.key());
    }

    #[test]
    fn folders_have_plain_names() {
        let mut description = description();
        assert!(description.folder_name().starts_with("isis-iran-base-"));
        for name in ["", "../../", "a b/..\\c"] {
            description.scenario.name = name.to_owned();
            let folder = description.folder_name();
            assert!(
                !folder.contains(['/', '\\', '.', ' ']) && !folder.starts_with('-'),
                "{folder}"
            );
        }
    }
}
