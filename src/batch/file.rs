//! The file of a batch as it is written: plain types, checked for structure only.

use std::sync::LazyLock;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::builtin;
use crate::scenario::diagnostics::Diagnostics;
use crate::scenario::document::{self, Document};
use crate::scenario::extend::Files;
use crate::scenario::raw::{OneOrMany, RawCalendarEntry};
use crate::scenario::schema::schema_of;

/// An experiment: scenarios, variants and settings of parameters, each combination of which is run.
///
/// A *policy* is a variant with a setting of the levers; a *state of the world* is a scenario with a setting of the sweeps.
/// Every policy is run in every state: each such pair is a cell.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawExperiment {
    /// Title, size and precision.
    #[serde(default)]
    pub batch: RawBatch,
    /// The scenarios, for example rival explanations, by names of your own.
    pub scenario: IndexMap<String, RawScenarioEntry>,
    /// Named sets of changes that apply to every scenario.
    #[serde(default)]
    pub variant: IndexMap<String, RawVariant>,
    /// Parameters that a policy sets, each with the values to try.
    #[serde(default)]
    pub lever: IndexMap<String, RawAxis>,
    /// Parameters that the world sets, each with the values to try.
    #[serde(default)]
    pub sweep: IndexMap<String, RawAxis>,
    /// How the values of several levers, or of several sweeps, are combined.
    #[serde(default)]
    pub design: RawDesigns,
    /// What every cell is compared with.
    #[serde(default)]
    pub baseline: RawBaseline,
    /// What a good policy achieves.
    #[serde(default)]
    pub goal: IndexMap<String, RawGoal>,
    /// How `--select` looks for the best policy.
    pub select: Option<RawSelect>,
}

/// Title, size and precision of a batch.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawBatch {
    /// One line.
    pub title: Option<String>,
    /// A paragraph or more for readers.
    pub summary: Option<String>,
    /// Seed of all random numbers (default 1).
    pub seed: Option<u64>,
    /// Runs of each cell (default 1000), rounded up to whole worlds.
    pub runs: Option<u64>,
    /// Instead of a number of runs: go on until every interval of every cell is at most so wide, for example 0.02.
    pub precision: Option<f64>,
    /// With a precision, the most runs of a cell (default 100000).
    pub max_runs: Option<u64>,
    /// Runs for each draw of the uncertain parameters, in all scenarios alike (default: as the first scenario says).
    pub runs_per_world: Option<u32>,
    /// Hold all parameters at their default values instead of drawing them from their priors.
    pub defaults: bool,
    /// Endgames, flags and metrics to compare; by default all endgames and flags and the metrics of the main table.
    pub of: Option<Vec<String>>,
    /// Keep every single run in runs.parquet, with all metrics.
    pub keep_runs: bool,
    /// Run the scenarios as they are too, as the variant `as_is` (default true).
    pub as_is: Option<bool>,
}

/// A scenario of the experiment.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawScenarioEntry {
    /// A file beside this one, or the name of a built-in scenario such as "isis-iran/genuine".
    pub file: String,
    pub label: Option<String>,
    /// How probable you hold it against the others; only proportions count (default 1).
    pub weight: Option<f64>,
    pub note: Option<String>,
}

/// A named set of changes.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawVariant {
    pub label: Option<String>,
    /// Scenarios whose own changes (not what they extend) are laid over each scenario.
    pub overlay: Option<OneOrMany>,
    /// Parameters held at values, no longer drawn from their priors.
    pub set: IndexMap<String, f64>,
    /// Rules, processes, calendar entries or options that are switched off: "rule.answer", "calendar.kerman".
    pub drop: Vec<String>,
    /// Calendar entries that are added, or that change those with the same id.
    pub calendar: Vec<RawCalendarEntry>,
    pub note: Option<String>,
}

/// The values of one parameter: `values`, or a `range`; without either, the parameter's own range.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawAxis {
    pub label: Option<String>,
    /// The values to try.
    pub values: Option<Vec<f64>>,
    /// Lowest and highest value.
    pub range: Option<[f64; 2]>,
    /// Number of values from one end of the range to the other in a factorial design (default 5).
    pub steps: Option<u32>,
    /// Equal steps, or equal ratios.
    pub scale: Scale,
    pub note: Option<String>,
}

/// How the values of a range are spaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal ratios.
    Log,
}

/// The designs of levers and sweeps.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawDesigns {
    /// How the levers are combined (default: every value with every other).
    pub lever: Option<RawDesign>,
    /// How the sweeps are combined (default: every value with every other).
    pub sweep: Option<RawDesign>,
}

/// How the values of several parameters are combined.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDesign {
    pub kind: DesignKind,
    /// Number of points of a Latin hypercube or a Sobol sequence.
    pub points: Option<u64>,
}

/// Kinds of designs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DesignKind {
    /// Every value with every other.
    Factorial,
    /// Each of as many equal slices of each parameter once.
    LatinHypercube,
    /// The scrambled Sobol sequence: even cover with few points.
    Sobol,
}

/// What every cell is compared with. What is not given stays as it is in the cell.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawBaseline {
    /// Compare with this scenario; by default each cell is compared within its own.
    pub scenario: Option<String>,
    /// Compare with this variant (default: `as_is`, or else the first one).
    pub variant: Option<String>,
    /// Compare with this setting of the levers (default: the first value of each).
    pub lever: Option<IndexMap<String, f64>>,
    /// Compare with this setting of the sweeps; by default each cell is compared within its own.
    pub sweep: Option<IndexMap<String, f64>>,
}

/// What a good policy achieves.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawGoal {
    /// An endgame, a flag or a metric.
    pub of: String,
    pub label: Option<String>,
    /// Whether little or much of it is good (default low).
    #[serde(default)]
    pub want: Want,
    /// A state of the world counts as satisfied if the probability or mean in it is below this (above, if much is wanted).
    pub threshold: Option<f64>,
}

/// How `--select` looks for the best policy: the expected outcome over all states counts, by the weights of the scenarios.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSelect {
    /// The goal that decides (default: the only one).
    pub goal: Option<String>,
    /// Probability of finding the best policy (default 0.95).
    pub probability: Option<f64>,
    /// Difference worth detecting: policies that are no further from the best count as good as it.
    pub indifference: f64,
    /// Most runs of a policy in each state (default 100000).
    pub max_runs: Option<u64>,
}

/// Which way is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// The less the better.
    #[default]
    Low,
    /// The more the better.
    High,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(json_schema);

/// The JSON Schema (draft 2020-12) of the file of a batch.
pub fn json_schema() -> Value {
    schema_of::<RawExperiment>("Flashpoint experiment")
}

/// Reads the file of a batch, or a built-in experiment.
///
/// # Errors
/// It cannot be read, or is not well formed; all problems at once.
pub fn read(files: &dyn Files, name: &str) -> Result<Document<RawExperiment>, Diagnostics> {
    document::read(files, name, builtin::experiment_text(name), &SCHEMA)
}
