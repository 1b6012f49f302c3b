//! An experiment that has been checked: which cells there are, and what is run in each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::axes::Points;
use super::file::Want;
use super::record::Layout;
use crate::experiment::subject::is_day;
use crate::experiment::{Quantity, WorldSource};
use crate::model::{Flag, Model};
use crate::scenario::diagnostics::Diagnostics;

/// Name of the variant that changes nothing.
pub const AS_IS: &str = "as_is";

/// What Parquet files are compressed with: `zstd` where the program is built with that feature, else `snappy`.
pub const CODEC: &str = if cfg!(feature = "zstd") {
    "zstd"
} else {
    "snappy"
};

/// An experiment that can be run.
///
/// A *policy* is a variant with a setting of the levers; a *state* is a scenario with a setting of the sweeps. A *cell* is a
/// policy in a state. Cells are numbered state by state, with sweeps in the outer and scenarios in the inner place, and within
/// a state policy by policy, with variants in the outer and levers in the inner place.
#[derive(Debug)]
pub struct Plan {
    /// Name of the experiment, from its file.
    pub name: String,
    /// Title, one line.
    pub title: String,
    /// A paragraph for readers.
    pub summary: Option<String>,
    /// Seed of all random streams.
    pub seed: u64,
    /// How long each cell is run.
    pub size: Size,
    /// Where the parameters come from that no variant, lever or sweep holds.
    pub worlds: WorldSource,
    /// Consecutive runs of a cell that are made together: one world, or part of the runs of the only world.
    pub block: u32,
    /// Whether every single run is kept for the reader.
    pub keep_runs: bool,
    /// The scenarios.
    pub scenarios: Vec<PlannedScenario>,
    /// The variants.
    pub variants: Vec<Named>,
    /// Settings of the levers.
    pub levers: Points,
    /// Settings of the sweeps.
    pub sweeps: Points,
    /// What is estimated and compared.
    pub quantities: Vec<PlannedQuantity>,
    /// What a good policy achieves.
    pub goals: Vec<Goal>,
    /// How to look for the best policy, if that is asked for.
    pub selection: Option<PlannedSelection>,
    /// What each cell is compared with.
    pub baseline: Baseline,
    /// Metrics that are recorded of each run.
    pub metrics: Vec<RecordedMetric>,
    /// What decides the results.
    pub identity: Identity,
    /// What is allowed but hardly meant.
    pub warnings: Diagnostics,
    /// The compiled scenarios, variant by variant within a scenario.
    pub(super) models: Vec<Model>,
    /// For each model, the indices of the parameters of the sweeps, then of the levers.
    pub(super) held: Vec<Vec<usize>>,
}

/// A name, with another for readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name, in files.
    pub name: String,
    /// For readers.
    pub label: String,
}

/// One of the scenarios.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedScenario {
    /// Its name in the experiment.
    pub name: String,
    /// For readers.
    pub label: String,
    /// How probable it is held to be; the weights of all scenarios add up to 1.
    pub weight: f64,
}

/// How long each cell is run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// So many runs, a multiple of the block.
    Runs(u64),
    /// Until every interval of every cell is narrow enough.
    Precision {
        /// Width asked for of every interval, in `(0, 1)`.
        width: f64,
        /// Most runs, a multiple of the block.
        most_runs: u64,
    },
}

impl Size {
    /// The most runs that a cell may have.
    pub fn most_runs(self) -> u64 {
        match self {
            Self::Runs(runs) => runs,
            Self::Precision { most_runs, .. } => most_runs,
        }
    }
}

/// Something that is estimated in each cell.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedQuantity {
    /// Its name, as in the experiment.
    pub id: String,
    /// For readers.
    pub label: String,
    /// Unit of a metric, if it has one.
    pub unit: Option<String>,
    /// Where its values are found in the records.
    pub source: Source,
}

/// Where the values of a quantity are found in the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// 1 if the run ended in the endgame with this index.
    Endgame(usize),
    /// 1 if the flag with this index held.
    Flag(usize),
    /// The recorded metric with this index.
    Metric(usize),
}

impl PlannedQuantity {
    /// Whether it is 0 or 1 in each run, so that its mean is a probability.
    pub fn is_probability(&self) -> bool {
        !matches!(self.source, Source::Metric(_))
    }

    /// `endgame`, `flag` or `metric`.
    pub fn kind(&self) -> &'static str {
        match self.source {
            Source::Endgame(_) => "endgame",
            Source::Flag(_) => "flag",
            Source::Metric(_) => "metric",
        }
    }
}

/// A metric that is recorded of each run.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedMetric {
    /// Its id.
    pub id: String,
    /// For readers.
    pub label: String,
    /// Its unit, if it has one.
    pub unit: Option<String>,
    /// Its index in each model.
    pub(super) in_models: Vec<usize>,
}

/// What a good policy achieves.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// For readers.
    pub label: String,
    /// Index of its quantity.
    pub quantity: usize,
    /// Which way is good.
    pub want: Want,
    /// On the good side of this, a state counts as satisfied.
    pub threshold: Option<f64>,
}

/// How to look for the best policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlannedSelection {
    /// Index of the goal that decides.
    pub goal: usize,
    /// Probability of finding the best policy.
    pub probability: f64,
    /// Difference worth detecting, in the unit of the goal's quantity.
    pub indifference: f64,
    /// Most runs of a policy in each state.
    pub most_runs: u64,
}

/// What each cell is compared with; `None` for the cell's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// Index of a scenario.
    pub scenario: Option<usize>,
    /// Number of a setting of the sweeps.
    pub sweep: Option<u64>,
    /// Index of a variant.
    pub variant: usize,
    /// Number of a setting of the levers.
    pub lever: u64,
}

/// A policy in a state of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Number of the setting of the sweeps.
    pub sweep: u64,
    /// Index of the scenario.
    pub scenario: usize,
    /// Index of the variant.
    pub variant: usize,
    /// Number of the setting of the levers.
    pub lever: u64,
}

/// All that decides the results of a batch. Two batches with equal identities give the same files, byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the program.
    pub flashpoint: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// How long each cell is run.
    pub size: Size,
    /// SHA-256 of the experiment's content, in hexadecimal.
    pub experiment: String,
    /// SHA-256 of each scenario's content with each variant, by `scenario/variant`.
    pub scenarios: BTreeMap<String, String>,
    /// What Parquet files are compressed with; not written down if it is `snappy`.
    #[serde(default = "snappy", skip_serializing_if = "is_snappy")]
    pub codec: String,
}

fn snappy() -> String {
    "snappy".to_owned()
}

fn is_snappy(codec: &str) -> bool {
    codec == "snappy"
}

impl Identity {
    /// SHA-256 of all of it.
    pub fn digest(&self) -> [u8; 32] {
        // It holds nothing that JSON cannot express, so the fallback is never used.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(&bytes).into()
    }

    /// What of `self` differs from `other`, in words; empty if they are equal.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut say = |what: &str, old: String, new: String| {
            if old != new {
                found.push(format!("{what} {old} then, {new} now"));
            }
        };
        say(
            "the version of flashpoint is",
            other.flashpoint.clone(),
            self.flashpoint.clone(),
        );
        say("the seed is", other.seed.to_string(), self.seed.to_string());
        let size = |size: Size| match size {
            Size::Runs(runs) => format!("{runs} runs"),
            Size::Precision { width, most_runs } => {
                format!("a precision of {width} with at most {most_runs} runs")
            }
        };
        say("each cell has", size(other.size), size(self.size));
        say(
            "Parquet files are compressed with",
            other.codec.clone(),
            self.codec.clone(),
        );
        if let [first, rest @ ..] = self.changed_scenarios(other).as_slice() {
            let more = match rest.len() {
                0 => String::new(),
                1 => " and another one".to_owned(),
                more => format!(" and {more} others"),
            };
            found.push(format!(
                "the scenario `{first}`{more} reads differently now"
            ));
        }
        if self.experiment != other.experiment && found.is_empty() {
            found.push("the file of the experiment reads differently now".to_owned());
        }
        found
    }

    /// The scenarios, with their variants, that are not the same in both.
    pub fn changed_scenarios<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let names = self.scenarios.keys().chain(other.scenarios.keys());
        let changed: BTreeSet<&str> = names
            .filter(|name| self.scenarios.get(*name) != other.scenarios.get(*name))
            .map(String::as_str)
            .collect();
        changed.into_iter().collect()
    }
}

impl Plan {
    /// Number of variants times settings of levers.
    pub fn policies(&self) -> u64 {
        self.variants.len() as u64 * self.lever_count()
    }

    /// Number of scenarios times settings of sweeps.
    pub fn states(&self) -> u64 {
        self.scenarios.len() as u64 * self.sweep_count()
    }

    /// Number of cells.
    pub fn cells(&self) -> u64 {
        self.policies() * self.states()
    }

    fn lever_count(&self) -> u64 {
        // Counted when the plan was made.
        self.levers.count().unwrap_or(0)
    }

    fn sweep_count(&self) -> u64 {
        self.sweeps.count().unwrap_or(0)
    }

    /// The cell with this number, below [`cells`](Self::cells).
    pub fn cell(&self, number: u64) -> Cell {
        let (state, policy) = (number / self.policies(), number % self.policies());
        let (scenarios, levers) = (self.scenarios.len() as u64, self.lever_count());
        Cell {
            sweep: state / scenarios,
            scenario: (state % scenarios) as usize,
            variant: (policy / levers) as usize,
            lever: policy % levers,
        }
    }

    /// The number of a cell.
    pub fn number(&self, cell: Cell) -> u64 {
        let state = cell.sweep * self.scenarios.len() as u64 + cell.scenario as u64;
        let policy = cell.variant as u64 * self.lever_count() + cell.lever;
        state * self.policies() + policy
    }

    /// The cell with which `cell` is compared; itself, if it is a baseline.
    pub fn baseline_of(&self, cell: Cell) -> Cell {
        let Baseline {
            scenario,
            sweep,
            variant,
            lever,
        } = self.baseline;
        Cell {
            sweep: sweep.unwrap_or(cell.sweep),
            scenario: scenario.unwrap_or(cell.scenario),
            variant,
            lever,
        }
    }

    /// Index of the model of a cell.
    pub(super) fn model_index(&self, cell: Cell) -> usize {
        cell.scenario * self.variants.len() + cell.variant
    }

    /// The compiled scenario of a cell.
    pub fn model(&self, cell: Cell) -> &Model {
        &self.models[self.model_index(cell)]
    }

    /// The values of the sweeps, then of the levers, in a cell.
    pub fn setting(&self, cell: Cell, values: &mut Vec<f64>) {
        values.clear();
        self.sweeps.point(cell.sweep, values);
        self.levers.point(cell.lever, values);
    }

    /// The names of the parameters of the sweeps, then of the levers.
    pub fn held_parameters(&self) -> impl Iterator<Item = &str> {
        let axes = self.sweeps.axes().iter().chain(self.levers.axes());
        axes.map(|axis| axis.parameter.as_str())
    }

    /// Runs for each draw of the parameters, for statistics between worlds; `None` if there is one world in each cell.
    pub fn runs_per_world(&self) -> Option<u32> {
        (self.worlds == WorldSource::Priors).then_some(self.block)
    }

    /// The names of a cell's scenario and variant, and its setting: for messages.
    pub fn describe(&self, cell: Cell) -> String {
        let mut values = Vec::new();
        self.setting(cell, &mut values);
        let pairs = self.held_parameters().zip(&values);
        let setting: String = pairs
            .map(|(name, value)| format!(", {name} = {value}"))
            .collect();
        let variant = &self.variants[cell.variant].name;
        format!(
            "{} / {variant}{setting}",
            self.scenarios[cell.scenario].name
        )
    }

    /// What stands in the place of a day that never came, in each model, for each recorded metric: the horizon. `None` for
    /// metrics that are no days.
    pub(super) fn never_is(&self, model: usize, metric: usize) -> Option<f64> {
        let index = self.metrics[metric].in_models[model];
        let model = &self.models[model];
        is_day(model, index).then(|| model.horizon())
    }

    /// How the record of a run is laid out.
    pub fn layout(&self) -> Layout {
        Layout::new(self.flags().len(), self.metrics.len())
    }

    /// Bytes of the records of one block of a cell.
    pub fn unit_bytes(&self) -> usize {
        self.layout().bytes() * self.block as usize
    }

    /// The flags, the same in all models.
    pub fn flags(&self) -> &[Flag] {
        self.models.first().map_or(&[], Model::flags)
    }

    /// The endgames in the order in which they are tried, the same in all models: ids.
    pub fn endgame_ids(&self) -> Vec<&str> {
        let endgames = self.models.first().map_or(&[][..], Model::endgames);
        endgames.iter().map(|endgame| endgame.id()).collect()
    }
}

/// The name for readers of a quantity of a model, and its unit.
pub(super) fn label_of(model: &Model, quantity: Quantity) -> (String, Option<String>) {
    match quantity {
        Quantity::Endgame(i) => (model.endgames()[i].label().to_owned(), None),
        Quantity::Flag(i) => (model.flags()[i].label().to_owned(), None),
        Quantity::Metric(i) => {
            let metric = &model.metrics()[i];
            (metric.label().to_owned(), metric.unit().map(str::to_owned))
        }
        Quantity::Category => (String::new(), None),
    }
}
