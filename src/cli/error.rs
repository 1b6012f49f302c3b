//! How a command fails, and with which exit code.

use std::io;

use crate::scenario::diagnostics::Diagnostics;

/// The exit codes, for the help text.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  failure during the run (a formula without a value, a file that cannot be written)
    2  bad usage, or a scenario with errors
    3  some cells of a batch failed; the others are done
  130  interrupted; what is complete by then is reported, and saved if there is a folder for it
       (hindcast writes no files then; calibrate and discover keep nothing)";

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line asks for something that cannot be done.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// The scenario has errors.
    #[error("{0}")]
    Scenario(Diagnostics),
    /// The scenarios have errors, which the command has shown itself.
    #[error("the scenarios have errors")]
    ProblemsShown,
    /// Something failed on the way.
    #[error("{message}")]
    Failure {
        /// What failed.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// Some cells of a batch failed; the results of the others are stored and reported.
    #[error("{0}")]
    CellsFailed(String),
    /// The user interrupted the command, which has reported what it had.
    #[error("interrupted")]
    Interrupted,
    /// Standard output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    /// A command line that asks for something that cannot be done.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            help: None,
        }
    }

    /// Something failed on the way.
    pub fn failure(message: impl Into<String>) -> Self {
        Self::Failure {
            message: message.into(),
            help: None,
        }
    }

    /// Adds advice to a usage error or a failure.
    #[must_use]
    pub fn with_help(mut self, advice: impl Into<String>) -> Self {
        if let Self::Usage { help, .. } | Self::Failure { help, .. } = &mut self {
            *help = Some(advice.into());
        }
        self
    }

    /// The exit code, as in the help text.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::Scenario(_) | Self::ProblemsShown => 2,
            // A reader that has seen enough, such as `head`, is no failure.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Failure { .. } | Self::Output(_) => 1,
            Self::CellsFailed(_) => 3,
            Self::Interrupted => 130,
        }
    }

    /// What standard error should say, complete with line ends; empty if everything has been said.
    pub fn report(&self, colour: bool) -> String {
        let (red, bold, off) = if colour {
            ("\x1b[1;31m", "\x1b[1m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        let help = match self {
            Self::Scenario(problems) => return problems.render(colour),
            Self::ProblemsShown => return String::new(),
            Self::Output(_) if self.exit_code() == 0 => return String::new(),
            Self::Interrupted => return format!("{bold}interrupted{off}\n"),
            Self::Usage { help, .. } | Self::Failure { help, .. } => help.as_deref(),
            Self::Output(_) | Self::CellsFailed(_) => None,
        };
        let mut text = format!("{red}error{off}{bold}: {self}{off}\n");
        if let Some(help) = help {
            text.push_str(&format!("  {bold}help{off}: {help}\n"));
        }
        text
    }
}
