//! The command line. This is the only module that prints.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

mod again;
mod analysis;
mod batch;
mod calibrate;
mod check;
mod compare;
mod completions;
mod describe;
mod discover;
mod error;
mod files;
mod finished_experiment;
mod hindcast;
mod kept_runs;
mod kind;
mod new;
mod output;
mod overrides;
mod prepare;
mod rank;
mod run;
mod scenarios;
mod schema;
mod sensitivity;
mod status;
mod trace;
mod worlds;

pub use error::CliError;
pub use output::Output;
pub use overrides::Override;

/// Agent-based escalation simulator: Monte Carlo distributions over the endgames of a crisis.
#[derive(Debug, Parser)]
#[command(name = "flashpoint", version, after_help = error::EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Batch(batch::Args),
    Status(status::Args),
    Compare(compare::Args),
    Rank(rank::Args),
    Sensitivity(sensitivity::Args),
    Discover(discover::Args),
    Hindcast(hindcast::Args),
    Calibrate(calibrate::Args),
    Trace(trace::Args),
    Check(check::Args),
    Describe(describe::Args),
    Scenarios(scenarios::Args),
    New(new::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(completions::ManArgs),
}

/// How a table or a chronicle is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// Comma-separated values with a header line.
    Csv,
}

/// Runs the command that this process was started with.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os(), &mut Output::standard()))
}

/// Runs a command line, program name first, and gives its exit code: 0 done, 1 failure during the run, 2 bad usage or
/// scenario, 3 cells of a batch failed, 130 interrupted.
pub fn run(
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    out: &mut Output,
) -> u8 {
    let result = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli.command.run(out),
        Err(refusal) => show_refusal(&refusal, out),
    };
    match result.and_then(|()| Ok(out.flush()?)) {
        Ok(()) => 0,
        Err(error) => {
            out.remark(&error.report(out.stderr_colour));
            error.exit_code()
        }
    }
}

/// Help and version, which were asked for, or what is wrong with the command line.
fn show_refusal(refusal: &clap::Error, out: &mut Output) -> Result<(), CliError> {
    let colour = if refusal.use_stderr() {
        out.stderr_colour
    } else {
        out.stdout_colour
    };
    let text = refusal.render();
    let text = if colour {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    if refusal.use_stderr() {
        out.remark(&text);
        Err(CliError::ProblemsShown)
    } else {
        Ok(out.print(&text)?)
    }
}

impl Command {
    fn run(self, out: &mut Output) -> Result<(), CliError> {
        match self {
            Self::Run(args) => run::run(&args, out),
            Self::Batch(args) => batch::run(&args, out),
            Self::Status(args) => status::run(&args, out),
            Self::Compare(args) => compare::run(&args, out),
            Self::Rank(args) => rank::run(&args, out),
            Self::Sensitivity(args) => sensitivity::run(&args, out),
            Self::Discover(args) => discover::run(&args, out),
            Self::Hindcast(args) => hindcast::run(&args, out),
            Self::Calibrate(args) => calibrate::run(&args, out),
            Self::Trace(args) => trace::run(&args, out),
            Self::Check(args) => check::run(&args, out),
            Self::Describe(args) => describe::run(&args, out),
            Self::Scenarios(args) => scenarios::run(&args, out),
            Self::New(args) => new::run(&args, out),
            Self::Schema(args) => schema::run(&args, out),
            Self::Completions(args) => completions::run(&args, out),
            Self::Man(args) => completions::manual(&args, out),
        }
    }
}

/// A value as a JSON document for people and programs.
fn json(value: &impl serde::Serialize) -> Result<String, CliError> {
    match serde_json::to_string_pretty(value) {
        Ok(text) => Ok(text + "\n"),
        Err(error) => Err(CliError::failure(format!(
            "cannot be written as JSON: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::{self, Write};
    use std::rc::Rc;

    use super::*;

    /// Where an output goes, kept to be read afterwards.
    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    #[test]
    fn colours_appear_only_where_they_are_wanted() {
        for arguments in [
            ["flashpoint", "nothing"].as_slice(),
            &["flashpoint", "describe", "no/such"],
        ] {
            let said = |colour: bool| {
                let (stdout, stderr) = (Shared::default(), Shared::default());
                let mut out = Output::to(stdout.clone(), stderr.clone());
                out.stderr_colour = colour;
                assert_eq!(run(arguments, &mut out), 2);
                assert_eq!(stdout.text(), "");
                stderr.text()
            };
            assert!(said(true).contains('\x1b'));
            assert!(said(false).contains("error: ") && !said(false).contains('\x1b'));
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
