//! Flashpoint: an agent-based escalation simulator.

pub mod distribution;
pub mod math;
pub mod random;
pub mod scenario;
pub mod stats;
