//! What is told about scenarios and runs: text, Markdown, JSON and CSV, as strings and files. Nothing here prints.

pub mod batch;
pub mod calibration;
pub mod chart;
pub mod chronicle;
pub mod comparison;
mod csv_text;
pub mod describe;
mod difference;
pub mod directory;
pub mod evaluations;
pub mod hindcast;
pub mod manifest;
pub mod number;
pub mod parquet;
pub mod results;
pub mod run_text;
pub mod runs_reader;
pub mod sensitivity;
pub mod side_by_side;
pub mod tables;
mod text_table;
pub mod tornado;
