//! Hindcasts: what a scenario would have said at moments of the past, against what then happened.
//!
//! A hindcast file is a scenario file with two more sections: `[hindcast]`, and a `[[question]]` for each thing asked. It extends
//! a scenario, sets the date, forces what was known by then with the calendar, and reads the answers off runs with metrics and
//! conditions of the scenario language.
//!
//! | module | what it holds |
//! |---|---|
//! | [`raw`] | the file format |
//! | [`schema`] | its JSON Schema |
//! | [`read`] | from a file to a [`Case`] that can be run |
//! | [`question`] | what is asked, the answer of history, the baselines |
//! | [`forecast`] | the answers of many runs |
//! | [`verify`] | scores, differences to the baselines, and a summary over cases |

mod document;
pub mod forecast;
pub mod question;
pub mod raw;
pub mod read;
pub mod schema;
pub mod verify;

pub(crate) use document::{BuiltinFiles, constant_distribution, is_unopened, with_suggestion};
pub use forecast::{Answers, Forecast, ForecastError};
pub use question::{Baseline, Question, Rule};
pub use read::{Case, read};
pub use verify::{Summary, Verification, summarize, verify};
