//! The `flashpoint` command once more, as a benchmark target: so it is built with the dependencies that the tests have built, and
//! `benches/instructions/check` counts the instructions of the whole program, from its arguments to its results.

use std::process::ExitCode;

fn main() -> ExitCode {
    flashpoint::cli::main()
}
