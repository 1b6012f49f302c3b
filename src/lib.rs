//! Flashpoint: an agent-based escalation simulator.

pub mod formula;
pub mod math;
pub mod random;
pub mod stats;
