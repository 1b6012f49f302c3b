//! The machine that measures.

use std::fs;
use std::process::Command;

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many processes wanted to run over the last minute, on average; where the system does not tell, not a number.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    (text.split(' ').next())
        .and_then(|field| field.parse().ok())
        .unwrap_or(f64::NAN)
}

/// Processor, cores, system and compiler, as far as the system tells.
pub fn description() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name));
        (line.and_then(|line| line.split(": ").nth(1)))
            .unwrap_or("unknown")
            .trim()
    };
    format!(
        "{}, {} MHz, {} cores; {}; {}",
        field("model name"),
        field("cpu MHz"),
        cores(),
        said("uname", &["-sr"]),
        said("rustc", &["--version"]),
    )
}

/// The commit that is measured, marked if files other than results differ from it.
pub fn commit() -> String {
    let git = |arguments: &[&str]| {
        let folder = ["-C", env!("CARGO_MANIFEST_DIR")];
        said("git", &[&folder, arguments].concat())
    };
    let changed = git(&["status", "--porcelain", "--", ":/", ":(top,exclude)results"]);
    let mark = if changed.is_empty() { "" } else { "-dirty" };
    git(&["describe", "--always"]) + mark
}

/// What a command prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => format!("{program} unknown"),
    }
}
