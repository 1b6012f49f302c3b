//! The JSON Schemas of hindcast files and of files of base rates.

use std::sync::LazyLock;

use schemars::schema_for;
use serde_json::Value;

use super::raw::{RawBaseRates, RawHindcast};
use crate::scenario::schema::{titled, with_scenario};

/// The sections of a hindcast file alone.
pub(super) static SECTIONS: LazyLock<Value> =
    LazyLock::new(|| titled(schema_for!(RawHindcast).to_value(), "Flashpoint hindcast"));

/// The JSON Schema (draft 2020-12) of a hindcast file: the sections of a scenario, `hindcast` and `question`.
pub fn hindcast_schema() -> Value {
    with_scenario(
        schema_for!(RawHindcast).to_value(),
        "Flashpoint hindcast",
    )
}

/// The JSON Schema (draft 2020-12) of a file of base rates.
pub fn base_rates_schema() -> Value {
    titled(
        schema_for!(RawBaseRates).to_value(),
        "Flashpoint base rates",
    )
}
