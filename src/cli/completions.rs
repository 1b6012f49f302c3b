//! `flashpoint completions` and `flashpoint man`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, CliError, Output};

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For example:
  bash  flashpoint completions bash > ~/.local/share/bash-completion/completions/flashpoint
  zsh   flashpoint completions zsh > \"${fpath[1]}/_flashpoint\"
  fish  flashpoint completions fish > ~/.config/fish/completions/flashpoint.fish")]
pub(super) struct Args {
    /// The shell.
    shell: Shell,
}

/// Print the manual page, or that of one command.
#[derive(Debug, clap::Args)]
#[command(after_help = "For example: flashpoint man > ~/.local/share/man/man1/flashpoint.1")]
pub(super) struct ManArgs {
    /// A command, for example `run`.
    command: Option<String>,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "flashpoint", &mut script);
    Ok(out.stdout().write_all(&script)?)
}

pub(super) fn manual(args: &ManArgs, out: &mut Output) -> Result<(), CliError> {
    let mut program = Cli::command();
    program.build();
    let command = match &args.command {
        None => program,
        Some(name) => (program.find_subcommand(name).cloned())
            .map(|command| command.display_name(format!("flashpoint-{name}")))
            .ok_or_else(|| CliError::usage(format!("there is no command `{name}`")))?,
    };
    let mut page = Vec::new();
    let source = concat!("flashpoint ", env!("CARGO_PKG_VERSION"));
    let manual = clap_mangen::Man::new(command).source(source);
    manual.render(&mut page)?;
    Ok(out.stdout().write_all(&page)?)
}
