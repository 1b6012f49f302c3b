//! The engine against closed forms.
//!
//! Each test compares runs of a scenario of `scenarios/exact/` with what theory says of it, at the error of the first kind
//! [`support::ALPHA`] and with a fixed seed, and shows that the same test on the same sample rejects the theory of a plausible
//! bug, a *mutant*.

mod beliefs;
mod calendar;
mod cascade;
mod competing;
mod delays;
mod extremes;
mod gamblers_ruin;
mod gillespie;
mod hawkes;
mod keyed;
mod limits;
mod logit;
mod metrics;
mod plainly;
mod poisson;
mod recovery;
mod selectors;
mod severity;
mod support;
