//! The documentation says what the program does: its examples run, its messages are the real ones, its tables are complete, and
//! its links lead somewhere.

mod examples;
mod links;
mod markdown;
mod reference;
mod semantics;
#[cfg(unix)]
mod what_if;
