//! Statistics of simulated outcomes.
