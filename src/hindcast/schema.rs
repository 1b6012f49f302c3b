//! The JSON Schemas of hindcast files and of files of base rates.

use std::sync::LazyLock;

use serde_json::Value;

use super::raw::{RawBaseRates, RawHindcast};
use crate::scenario::schema::{schema_of, schema_with_scenario};

/// The sections of a hindcast file alone.
pub(super) static SECTIONS: LazyLock<Value> =
    LazyLock::new(|| schema_of::<RawHindcast>("Flashpoint hindcast"));

/// The JSON Schema (draft 2020-12) of a hindcast file: the sections of a scenario, `hindcast` and `question`.
pub fn hindcast_schema() -> Value {
    schema_with_scenario::<RawHindcast>("Flashpoint hindcast")
}

/// The JSON Schema (draft 2020-12) of a file of base rates.
pub fn base_rates_schema() -> Value {
    schema_of::<RawBaseRates>("Flashpoint base rates")
}
