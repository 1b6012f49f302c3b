//! Where results cannot or must not be written.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::flashpoint;
use crate::run::{ENDLESS, SCENARIO, desk, interrupt, names, run, wait_for_rows};

/// Exit code and standard error; nothing may be on standard output.
fn refused(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), stderr)
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| {
        let bytes = fs::read(folder.join(&name)).unwrap();
        (name, bytes)
    };
    names(folder).into_iter().map(read).collect()
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn a_folder_that_cannot_be_made() {
    let desk = desk();
    fs::write(desk.path().join("file"), "mine").unwrap();
    for (out, code, message) in [
        (
            "file",
            2,
            "file is not a folder\n  help: choose another folder with --out\n",
        ),
        ("file/out", 1, "file/out: Not a directory (os error 20)\n"),
        (
            "raids.toml/a/b",
            1,
            "raids.toml/a/b: Not a directory (os error 20)\n",
        ),
        (
            "/dev/null/out",
            1,
            "error: cannot write /dev/null/out: Not a directory (os error 20)\n",
        ),
        #[cfg(target_os = "linux")]
        (
            "/proc/flashpoint",
            1,
            "error: cannot write /proc/flashpoint: No such file or directory (os error 2)\n",
        ),
    ] {
        let done = refused(run(desk.path(), &["--runs", "100", "--out", out]));
        assert!(
            done.0 == code && done.1.ends_with(message),
            "{out}: {done:?}"
        );
        assert_eq!(names(desk.path()), ["file", "raids.toml"], "{out}");
        assert_eq!(fs::read(desk.path().join("file")).unwrap(), b"mine");
    }
}

#[test]
fn a_folder_that_may_not_be_written() {
    let desk = desk();
    let out = desk.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::set_permissions(&out, Permissions::from_mode(0o555)).unwrap();
    if File::create(out.join("probe")).is_ok() {
        // The administrator may write everywhere.
        return;
    }
    for place in ["out", "out/below"] {
        let (code, stderr) = refused(run(desk.path(), &["--runs", "100", "--out", place]));
        assert_eq!(code, 1);
        assert!(stderr.starts_with("error: cannot write "), "{stderr}");
        assert_eq!(names(&out), [""; 0]);
    }
}

#[test]
fn a_folder_that_holds_something_else() {
    let desk = desk();
    let out = desk.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("thesis.txt"), "mine").unwrap();
    let line = ["--runs", "100", "--out", "out"];
    let (code, stderr) = refused(run(desk.path(), &line));
    assert_eq!(code, 2);
    assert!(
        stderr.contains("out ") && stderr.contains("--force"),
        "{stderr}"
    );
    assert_eq!(names(&out), ["thesis.txt"]);
    let forced = run(desk.path(), &[&line[..], &["--force"]].concat())
        .output()
        .unwrap();
    assert!(forced.status.success());
    assert_eq!(files(&out)["thesis.txt"], b"mine");

    let before = files(&out);
    for other in [["--seed", "2"], ["--runs", "150"], ["--set", "rate=0.02"]] {
        let (code, stderr) = refused(run(desk.path(), &[&["--out", "out"], &other[..]].concat()));
        assert_eq!(code, 2);
        assert!(stderr.contains("another experiment"), "{stderr}");
        assert_eq!(files(&out), before);
    }
    // Another version of the scenario is another experiment, another layout is not.
    fs::write(
        desk.path().join("raids.toml"),
        format!("# Raids\n{SCENARIO}"),
    )
    .unwrap();
    assert!(run(desk.path(), &line).output().unwrap().status.success());
    fs::write(
        desk.path().join("raids.toml"),
        SCENARIO.replace("0.05", "0.06"),
    )
    .unwrap();
    assert_eq!(refused(run(desk.path(), &line)).0, 2);
}

/// What is printed counts as much as what is stored.
#[cfg(target_os = "linux")]
#[test]
fn a_full_device_on_standard_output() {
    let desk = desk();
    for arguments in [
        ["run", "raids.toml", "--runs", "100", "--no-files"].as_slice(),
        &["trace", "raids.toml", "--run", "0"],
        &["check", "raids.toml"],
        &["describe", "raids.toml"],
        &["scenarios"],
        &["schema"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
            .current_dir(desk.path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(File::create("/dev/full").unwrap())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(
            stderr.starts_with("error: cannot write the output: "),
            "{arguments:?}: {stderr}"
        );
    }
}

/// Starts an experiment, and ends it with a signal once it has written some runs below `place`. Gives the exit code.
fn cut_short(desk: &Path, arguments: &[&str], place: &Path, signal: fn(&mut Child)) -> Option<i32> {
    let mut process = run(desk, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_rows(place);
    signal(&mut process);
    process.wait().unwrap().code()
}

fn kill(process: &mut Child) {
    process.kill().unwrap();
}

fn stop(process: &mut Child) {
    interrupt(process.id());
}

#[test]
fn a_killed_run_leaves_nothing_under_a_final_name() {
    let desk = desk();
    assert_eq!(cut_short(desk.path(), &ENDLESS, desk.path(), kill), None);
    let left = names(desk.path());
    assert!(left[0].starts_with(".out.partial-"), "{left:?}");
    assert_eq!(left[1..], ["raids.toml"]);
    // What is left is in nobody's way.
    let line = ["--runs", "100", "--out", "out"];
    assert!(run(desk.path(), &line).output().unwrap().status.success());
    let out = desk.path().join("out");
    assert_eq!(manifest(&out)["runs_completed"], 100);

    // Complete results are still complete after a sudden end of what would have replaced them.
    let before = files(&out);
    let forced = [&ENDLESS[..], &["--force"]].concat();
    assert_eq!(cut_short(desk.path(), &forced, &out, kill), None);
    let mut left = names(&out);
    assert!(left.remove(0).starts_with(".partial-"), "{left:?}");
    assert!(left.iter().eq(before.keys()), "{left:?}");
    for (name, bytes) in before {
        assert!(
            fs::read(out.join(&name)).unwrap() == bytes,
            "{name} has changed"
        );
    }
}

/// An experiment that takes some seconds.
const LONG: [&str; 7] = [
    "--runs",
    "2000000",
    "--threads",
    "1",
    "--keep-runs",
    "--out",
    "out",
];

#[test]
fn an_interrupted_experiment_can_be_completed() {
    let desk = desk();
    let out = desk.path().join("out");
    assert_eq!(cut_short(desk.path(), &LONG, desk.path(), stop), Some(130));
    assert_eq!(manifest(&out)["interrupted"], true);
    let made = manifest(&out)["runs_completed"].as_u64().unwrap();
    assert!(made > 0 && made < 2_000_000, "{made}");
    let names_before = names(&out);

    assert!(run(desk.path(), &LONG).output().unwrap().status.success());
    assert_eq!(manifest(&out)["interrupted"], false);
    assert_eq!(manifest(&out)["runs_completed"], 2_000_000);
    assert_eq!(names(&out), names_before);
    assert_eq!(names(desk.path()), ["out", "raids.toml"]);

    // Fewer runs of the same experiment do not take the place of all of them.
    let complete = files(&out);
    assert_eq!(cut_short(desk.path(), &LONG, &out, stop), Some(130));
    assert!(files(&out) == complete);
}

/// A case for `hindcast`.
const CASE: &str = r#"
[scenario]
title = "Raids of one winter"
extends = "raids.toml"

[hindcast]
case = "first"

[[question]]
id = "raid"
ask = "Is there a raid?"
when = "raids > 0"
happened = true
last_time = false
source = "the newspapers"
"#;

#[test]
fn a_file_in_the_way_of_an_analysis_is_told_before_anything_is_run() {
    let desk = desk();
    fs::write(desk.path().join("case.toml"), CASE).unwrap();
    let kept = ["--keep-runs", "--runs", "8000", "--out", "kept"];
    assert!(run(desk.path(), &kept).output().unwrap().status.success());
    let out = desk.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("README.md"), "mine").unwrap();
    let lines: [&[&str]; 7] = [
        &["compare", "raids.toml", "--what-if", "more: rate = 0.04"],
        &["rank", "raids.toml", "--by", "some", "--chart", "chart.svg"],
        &["sensitivity", "raids.toml", "--of", "some"],
        &["sensitivity", "--from", "kept", "--of", "some"],
        &["discover", "kept", "--outcome", "some"],
        &["hindcast", "case.toml"],
        &["calibrate", "no-matter-which.toml"],
    ];
    for line in lines {
        let done = flashpoint(desk.path(), &[line, &["--out", "out"]].concat());
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{line:?}");
        assert!(
            done.stderr
                .contains("`out/README.md` exists already\n  help: choose another folder"),
            "{line:?}: {}",
            done.stderr
        );
        assert_eq!(names(&out), ["README.md"], "{line:?}");
    }
    assert!(!desk.path().join("chart.svg").exists());
    let line = ["hindcast", "case.toml", "--out", "raids.toml"];
    let done = flashpoint(desk.path(), &line);
    assert_eq!((done.code, done.stdout.as_str()), (2, ""));
    assert!(
        done.stderr.contains("`raids.toml` is not a folder"),
        "{}",
        done.stderr
    );
}

/// A folder in the place of a file that should be replaced cannot be.
fn in_the_way(out: &Path, name: &str) {
    fs::create_dir_all(out.join(name).join("inside")).unwrap();
}

#[test]
fn what_cannot_be_written_is_shown_all_the_same() {
    let desk = desk();
    fs::write(desk.path().join("case.toml"), CASE).unwrap();
    let kept = ["--keep-runs", "--runs", "8000", "--out", "kept"];
    assert!(run(desk.path(), &kept).output().unwrap().status.success());
    let compare = ["compare", "raids.toml", "--what-if", "more: rate = 0.04"];
    let lines: [(&[&str], &str, &str); 6] = [
        (&["run", "raids.toml"], "outcomes.csv", "Raids\n"),
        (&compare, "comparison.csv", "Paired 95 %"),
        (
            &["rank", "raids.toml", "--by", "some"],
            "rank.csv",
            "What moves whether",
        ),
        (
            &["discover", "kept", "--outcome", "some"],
            "trade_off.svg",
            "Which worlds decide",
        ),
        (
            &["hindcast", "case.toml", "--runs", "400"],
            "forecasts.csv",
            "Is there a raid?",
        ),
        (
            &["sensitivity", "--from", "kept", "--of", "some"],
            "indices.csv",
            "rate",
        ),
    ];
    for (line, name, part) in lines {
        let out = desk.path().join(line[0]);
        in_the_way(&out, name);
        let force = if line[0] == "sensitivity" {
            "--fresh"
        } else {
            "--force"
        };
        let done = flashpoint(desk.path(), &[line, &["--out", line[0], force]].concat());
        assert_eq!(done.code, 1, "{line:?}: {}", done.stderr);
        assert!(done.stdout.contains(part), "{line:?}: {}", done.stdout);
        assert!(
            !done.stdout.contains("Results: "),
            "{line:?}: {}",
            done.stdout
        );
        assert!(
            done.stderr.starts_with("error: cannot write "),
            "{}",
            done.stderr
        );
        assert!(done.stderr.contains(name), "{line:?}: {}", done.stderr);
        // Nothing half written is left, and nothing that would seem complete.
        let left = names(&out);
        assert!(
            left.iter()
                .all(|name| !name.starts_with('.') && name != "manifest.json"),
            "{left:?}"
        );
    }
    in_the_way(desk.path(), "chart.svg");
    for line in [
        &["run", "raids.toml", "--no-files"][..],
        &["rank", "raids.toml", "--by", "some", "--force"],
    ] {
        let chart = if line[0] == "run" {
            // Without --force a chart that is there is refused before the runs.
            "/dev/full/chart.svg"
        } else {
            "chart.svg"
        };
        let done = flashpoint(desk.path(), &[line, &["--chart", chart]].concat());
        assert_eq!(done.code, 1, "{line:?}: {}", done.stderr);
        assert!(!done.stdout.is_empty(), "{line:?}");
        assert!(
            done.stderr.contains("chart.svg"),
            "{line:?}: {}",
            done.stderr
        );
    }
}

#[test]
fn a_scenario_that_fails_does_not_take_the_results_of_others_with_it() {
    let desk = desk();
    let wild = SCENARIO.replace("hazard = \"rate\"", "hazard = \"rate / (time - time)\"");
    fs::write(desk.path().join("wild.toml"), wild).unwrap();
    let line = ["wild.toml", "--runs", "100", "--no-files"];
    let done = run(desk.path(), &line).output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    let stdout = String::from_utf8(done.stdout).unwrap();
    assert!(
        stdout.contains("Raids") && stdout.contains("some"),
        "{stdout}"
    );
}

/// What cannot be printed is stored: only one of both may fail.
#[cfg(target_os = "linux")]
#[test]
fn results_are_stored_where_they_cannot_be_printed() {
    let desk = desk();
    let output = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
        .current_dir(desk.path())
        .args(["compare", "raids.toml", "--what-if", "more: rate = 0.04"])
        .args(["--runs", "400", "--out", "out"])
        .stdin(Stdio::null())
        .stdout(File::create("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        names(&desk.path().join("out")),
        ["README.md", "comparison.csv", "manifest.json"]
    );
}
