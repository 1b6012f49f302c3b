//! Scenario files: reading, inheritance, validation, and compilation into a [`crate::model::Model`].

pub mod builtin;
pub(crate) mod canonical;
pub mod compile;
pub(crate) mod deserialize;
pub mod diagnostics;
pub mod document;
pub mod extend;
pub mod load;
mod merge;
mod offsets;
pub mod raw;
pub mod schema;
mod shape;
pub mod source;
pub(crate) mod structure;
pub mod tree;
pub mod variant;
pub mod wording;
