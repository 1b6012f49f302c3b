//! `flashpoint run` as a process: signals, limits of the system, and pipes.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::folder;

pub const SCENARIO: &str = r#"
[scenario]
title = "Raids"
start = 2024-01-01
horizon = 100

[parameter.rate]
value = 0.02
basis = "assumption"
prior = { dist = "uniform", low = 0.01, high = 0.05 }

[actor.a]
kind = "state"

[action.raid]
[process.raids]
who = "a"
hazard = "rate"
action = "raid"

[metric.raids]
count = ["raid"]

[[endgame]]
id = "some"
when = "raids > 0"
[[endgame]]
id = "none"
"#;

/// A folder with the scenario.
pub fn desk() -> tempfile::TempDir {
    folder(&[("raids.toml", SCENARIO)])
}

pub fn run(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flashpoint"));
    command
        .current_dir(folder)
        .args(["run", "raids.toml"])
        .args(arguments);
    command
}

pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn interrupt(process: u32) {
    let id = process.to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
}

/// Waits until some runs have been written to the folder in which results are prepared: beside the final one if that is new, else
/// in it.
pub fn wait_for_rows(folder: &Path) {
    let begun = || {
        let staging = names(folder)
            .into_iter()
            .find(|name| name.starts_with(".out.partial-") || name.starts_with(".partial-"));
        let rows = staging.map(|name| folder.join(name).join("runs.parquet"));
        rows.and_then(|rows| fs::metadata(rows).ok())
            .is_some_and(|rows| rows.len() > 100_000)
    };
    for _ in 0..6000 {
        if begun() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("no runs were made");
}

pub const ENDLESS: [&str; 5] = ["--runs", "1000000000000", "--keep-runs", "--out", "out"];

#[test]
fn an_interrupt_saves_what_is_done() {
    let desk = desk();
    let process = run(desk.path(), &ENDLESS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_rows(desk.path());
    interrupt(process.id());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "interrupted\n");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("interrupted: ") && text.contains("Results: out"),
        "{text}"
    );
    assert_eq!(names(desk.path()), ["out", "raids.toml"]);

    let read = |folder: &str, name: &str| fs::read(desk.path().join(folder).join(name)).unwrap();
    let manifest: serde_json::Value =
        serde_json::from_slice(&read("out", "manifest.json")).unwrap();
    assert_eq!(manifest["interrupted"], true);
    let completed = manifest["runs_completed"].as_u64().unwrap();
    assert!(completed > 0 && completed < 1_000_000_000_000);
    // They are the first runs of any experiment with this seed.
    let runs = completed.to_string();
    let again = run(
        desk.path(),
        &["--runs", &runs, "--keep-runs", "--out", "again"],
    )
    .stdout(Stdio::null())
    .status();
    assert!(again.unwrap().success());
    for name in ["outcomes.csv", "metrics.csv", "runs.parquet"] {
        assert!(read("out", name) == read("again", name), "{name} differs");
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_leaves_nothing() {
    // The runs under way take for ever.
    let desk = desk();
    let long = SCENARIO
        .replace(
            "horizon = 100",
            "horizon = 100000\nmax_events = 1000000000000",
        )
        .replace("hazard = \"rate\"", "hazard = \"100000 * rate\"");
    fs::write(desk.path().join("raids.toml"), long).unwrap();
    let arguments = ["--threads", "1", "--out", "out"];
    let mut process = run(desk.path(), &arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..6000 {
        if names(desk.path()).len() > 1 {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_millis(300));
    interrupt(process.id());
    sleep(Duration::from_millis(300));
    assert!(
        process.try_wait().unwrap().is_none(),
        "the first interrupt waits for the runs under way"
    );
    interrupt(process.id());
    let status: ExitStatus = process.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(names(desk.path()), ["raids.toml"]);
}

/// A limit on the size of files stands for a full disk.
#[test]
fn a_full_disk_is_reported_and_leaves_nothing() {
    let desk = desk();
    let limited = "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"";
    for arguments in [
        ["--runs", "100000", "--keep-runs", "--out", "out"].as_slice(),
        &["--runs", "1000", "--set", "rate=0.02", "--out", "out"],
    ] {
        // The second writes a manifest that is too large: the summary of the scenario is long.
        let scenario = format!(
            "{SCENARIO}\n[actor.b]\nkind = \"state\"\nnote = \"{}\"\n",
            "x".repeat(9000)
        );
        fs::write(desk.path().join("raids.toml"), scenario).unwrap();
        let output = Command::new("bash")
            .current_dir(desk.path())
            .args([
                "-c",
                limited,
                env!("CARGO_BIN_EXE_flashpoint"),
                "run",
                "raids.toml",
            ])
            .args(arguments)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains("error: cannot write ") && stderr.contains("too large"),
            "{stderr}"
        );
        assert_eq!(names(desk.path()), ["raids.toml"]);
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let desk = desk();
    let mut process = run(desk.path(), &["--runs", "1000", "--no-files"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_pipe_sees_no_progress() {
    let desk = desk();
    let output = run(
        desk.path(),
        &["--runs", "100000", "--no-files", "--format", "csv"],
    )
    .output()
    .unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 3);
}
