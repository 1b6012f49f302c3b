//! The results of a batch: tables, a text for people, and a folder that explains itself.

pub mod cells;
pub mod files;
pub mod parquet_table;
pub mod row;
