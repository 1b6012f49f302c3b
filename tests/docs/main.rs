//! The documentation says what the program does: its examples run, its messages are the real ones, its tables are complete, and
//! its links lead somewhere.

#[cfg(unix)]
mod batches;
mod drivers;
mod examples;
mod hindcast;
mod links;
mod markdown;
mod model;
mod reference;
mod semantics;
#[cfg(unix)]
mod what_if;
