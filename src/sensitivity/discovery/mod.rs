//! Scenario discovery: plain boxes of factor values in which an outcome is likely.
//!
//! The target of a row (a world) is the probability of the outcome in it, from 0 to 1; 0 and 1 alone
//! are the classical case. Of a box with rows B, with p the targets:
//!
//! * density: mean of p over B, how likely the outcome is inside;
//! * coverage: sum of p over B / sum of p over all rows, how much of the outcome is inside;
//! * mass: share of the rows inside.
//!
//! Source of the measures: Bryant & Lempert (2010) "Thinking inside the box", Technol. Forecast.
//! Soc. Change 77, 34.

mod boxes;
mod cart;
mod prim;

pub use boxes::{BoxStatistics, Limit, ScenarioBox};
pub use cart::{Cart, CartLeaf, CartSettings, cart};
pub use prim::{Peel, Phase, Prim, PrimSettings, PrimStep, paste, prim};

use super::error::Error;
use super::given::Table;

/// Refuses targets that are not probabilities or are all equal.
fn check_targets(table: &Table) -> Result<(), Error> {
    table.need_rows(2)?;
    if table.y().iter().any(|p| !(0.0..=1.0).contains(p)) {
        return Err(Error::setting(
            "output",
            "must be a probability, from 0 to 1",
        ));
    }
    table.need_variance()
}
