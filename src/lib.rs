//! Flashpoint: an agent-based escalation simulator.

pub mod math;
pub mod random;
pub mod scenario;
pub mod sensitivity;
pub mod stats;
