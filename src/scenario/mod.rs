//! Scenario files: reading, inheritance, validation, and compilation into a [`crate::model::Model`].

pub mod raw;
