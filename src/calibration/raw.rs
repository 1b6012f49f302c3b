//! The calibration file as it is written.

use std::sync::LazyLock;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scenario::raw::RawDistribution;
use crate::scenario::schema::schema_of;

/// Which parameters are fitted to which patterns.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawCalibration {
    /// Title and size.
    pub calibration: RawHead,
    /// The parameters that are fitted, with what is believed before the patterns are seen.
    pub parameter: IndexMap<String, RawFitted>,
    /// What the past looked like: questions of hindcasts.
    pub pattern: Vec<RawPattern>,
}

/// Title and size of a calibration.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHead {
    /// One line.
    pub title: Option<String>,
    /// Worlds drawn from the priors (default 4000).
    pub worlds: Option<u32>,
    pub note: Option<String>,
}

/// A parameter that is fitted.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawFitted {
    /// What is believed before the patterns are seen (default: the scenario's prior).
    pub prior: Option<RawDistribution>,
    pub note: Option<String>,
}

/// What a pattern is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Parameters are fitted to it.
    Fit,
    /// It is kept for checking.
    HeldOut,
}

/// A question of a hindcast, whose answer is known.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPattern {
    /// The hindcast: a file relative to this one, or a built-in name.
    pub hindcast: String,
    /// The id of its question.
    pub question: String,
    /// Fitted, or held out for checking.
    #[serde(rename = "use")]
    pub role: Use,
    /// Error of the record: the probability that a named answer is wrong, or the standard deviation of a number (default 0).
    #[serde(default)]
    pub error: f64,
    /// What the scenario leaves out: the probability that a named answer comes about by something else, all answers being equally
    /// probable then, or a standard deviation of a number (default 0).
    #[serde(default)]
    pub discrepancy: f64,
    /// Why this pattern, and why these errors.
    pub note: Option<String>,
}

/// The JSON Schema of calibration files.
pub static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| schema_of::<RawCalibration>("Flashpoint calibration"));
