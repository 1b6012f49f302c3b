//! Flashpoint: an agent-based escalation simulator.
//!
//! Modules depend one way, from the top of this list to the bottom.
//!
//! | module | what it is for |
//! |---|---|
//! | [`cli`] | the `flashpoint` command; the only module that prints |
//! | [`report`] | chronicles, descriptions and results, as strings and files |
//! | [`calibration`] | which parameters make the past likely |
//! | [`hindcast`] | what a scenario would have said in the past, against what happened |
//! | [`batch`] | many scenarios, variants and settings, durable on disk |
//! | [`experiment`] | many runs, summed up in flat memory |
//! | [`sensitivity`] | designs and estimators: which inputs drive an output, and where it is likely |
//! | [`scenario`] | scenario files: reading, inheritance, checking, compiling into a model |
//! | [`engine`] | one run, exactly |
//! | [`model`] | the compiled scenario |
//! | [`formula`] | the formula language |
//! | [`distribution`], [`stats`], [`random`], [`math`], [`digest`], [`durable`] | the ground: distributions, statistics, keyed random streams, portable elementary functions, digests, files that are whole |

pub mod batch;
pub mod calibration;
pub mod cli;
pub mod digest;
pub mod distribution;
pub mod durable;
pub mod engine;
pub mod experiment;
pub mod formula;
pub mod hindcast;
pub mod math;
pub mod model;
pub mod random;
pub mod report;
pub mod scenario;
pub mod sensitivity;
pub mod stats;
