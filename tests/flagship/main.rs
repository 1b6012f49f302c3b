//! The flagship scenarios: every mechanism moves what it should and in the stated direction, nothing else moves, the three
//! explanations leave different fingerprints, and no result is degenerate.

mod base_rates;
mod batch;
mod cuba;
mod explanations;
mod mechanisms;
