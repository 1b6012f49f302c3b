//! The command line as a user meets it: the real program, in a folder of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

mod batch;
mod broken;
mod calibrate;
mod check;
mod compare;
mod coverage;
mod hindcast;
mod identity;
mod mutations;
mod reference_results;
#[cfg(unix)]
mod run;
mod scenarios;
mod sensitivity;
mod trace;
mod usage;
#[cfg(unix)]
mod writing;

/// What a command did.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

/// Runs the program in a folder.
fn flashpoint(folder: &Path, arguments: &[&str]) -> Done {
    let output = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Done {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command that must succeed without a word on standard error, and gives its output.
fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let done = flashpoint(folder, arguments);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{arguments:?}");
    done.stdout
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}
