//! The `flashpoint` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    flashpoint::cli::main()
}
