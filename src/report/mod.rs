//! What is told about scenarios and runs: text, Markdown, JSON and CSV, as strings. Nothing here prints.

pub mod chronicle;
pub mod describe;
