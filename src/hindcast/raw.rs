//! The hindcast file as it is written: the sections of a scenario, and those below.
//!
//! As for scenarios, these types are the single source of the format: the JSON Schema is derived from them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::raw::{Basis, RawDistribution};

/// The sections that a hindcast file has beside those of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHindcast {
    /// What this file is about.
    pub hindcast: RawCase,
    /// What is asked, and what then happened.
    pub question: Vec<RawQuestion>,
}

/// A case: a moment of the past from which the scenario looks ahead.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCase {
    /// Name of the case (default: the scenario's title). Files with the same name are one case in the summary.
    pub case: Option<String>,
    /// Whether the case counts in the summary (default true).
    pub in_summary: Option<bool>,
    /// The file in which base rates are looked up, relative to this one.
    pub base_rates: Option<String>,
    pub note: Option<String>,
}

/// A yes or no, a number, or a name.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RawOutcome {
    Truth(bool),
    Number(f64),
    Name(String),
}

/// A question about a run, and the answer that history gave. Exactly one of `when`, `number` and `option` says what is asked.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawQuestion {
    pub id: String,
    /// The question in words.
    pub ask: String,
    /// Asks yes or no: a condition, as in a flag.
    pub when: Option<String>,
    /// Asks how much or when: a metric.
    pub number: Option<String>,
    /// Asks which: the options in order; the first whose `when` holds is the answer, the last has no `when`.
    #[serde(default)]
    pub option: Vec<RawAnswer>,
    /// Whether the options are in an order, so that a near miss is better than a far one (default false).
    #[serde(default)]
    pub ordered: bool,
    /// What then happened: true or false, a number or "never", or the id of an option.
    pub happened: RawOutcome,
    /// Numbers beyond this count as this: as far as was looked. Required for days that may never come.
    pub limit: Option<f64>,
    pub unit: Option<String>,
    /// Range of the uniform baseline of a number (default: 0 to the limit).
    pub between: Option<[f64; 2]>,
    /// Baseline: how often it happens elsewhere. A name in the file of base rates, or the rate itself.
    pub base_rate: Option<RawBaseRateRef>,
    /// Baseline: what happened the last time, written as in `happened`.
    pub last_time: Option<RawOutcome>,
    /// Whether the answer was used when the scenario's numbers were chosen (default false).
    #[serde(default)]
    pub in_sample: bool,
    /// Where the answer is known from.
    pub source: String,
    pub basis: Option<Basis>,
    pub note: Option<String>,
}

/// One of the possible answers.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAnswer {
    pub id: String,
    pub label: Option<String>,
    /// A condition, as in a flag; absent in the last option.
    pub when: Option<String>,
}

/// The name of a base rate, or the rate itself.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RawBaseRateRef {
    Named(String),
    Given(Box<RawBaseRate>),
}

/// How often something happens elsewhere. Exactly one of `probability`, `shares` and `distribution` is given.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawBaseRate {
    pub label: Option<String>,
    /// For a yes or no.
    pub probability: Option<f64>,
    /// For options: a share for each, in any unit.
    pub shares: Option<IndexMap<String, f64>>,
    /// For a number.
    pub distribution: Option<RawDistribution>,
    /// Probability that the number never comes (default 0).
    pub never: Option<f64>,
    /// Range of the probability.
    pub range: Option<[f64; 2]>,
    pub basis: Option<Basis>,
    pub source: Option<String>,
    pub note: Option<String>,
}

/// A file of base rates.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawBaseRates {
    /// Base rates by name.
    pub base_rate: IndexMap<String, RawBaseRate>,
}
