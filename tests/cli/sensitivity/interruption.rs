//! Studies that are killed, stopped, grown, or meant for another folder.

use super::*;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Long enough to be stopped on the way.
const LONG: [&str; 8] = [
    "sensitivity",
    "clash.toml",
    "--of",
    "clash",
    "--budget",
    "600000",
    "--threads",
    "1",
];

fn start(desk: &Path, out: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flashpoint"));
    let command = command.args(LONG).args(["--out", out]).current_dir(desk);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.stdin(Stdio::null()).spawn().unwrap()
}

/// Waits until some runs are kept.
fn wait(desk: &Path, out: &str, bytes: u64) {
    let path = desk.join(out).join("evaluations.csv");
    while fs::metadata(&path).map_or(0, |file| file.len()) < bytes {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn length(desk: &Path, out: &str) -> usize {
    let path = desk.join(out).join("evaluations.csv");
    fs::read(path).unwrap().len()
}

#[test]
fn a_killed_or_stopped_study_goes_on_to_the_same_bytes() {
    let desk = desk();
    let whole = [&LONG[..], &["--out", "whole"]].concat();
    let expected = succeed(desk.path(), &whole).replace("whole", "");
    let all = length(desk.path(), "whole");

    let mut killed = start(desk.path(), "killed");
    wait(desk.path(), "killed", 40_000);
    killed.kill().unwrap();
    killed.wait().unwrap();
    // What it may have been writing at that moment.
    let half_written = desk.path().join("killed/.provisional.txt.4711.partial");
    fs::write(half_written, "clash").unwrap();
    let kept = length(desk.path(), "killed");
    assert!(kept < all, "killed too late");
    assert!(!desk.path().join("killed/manifest.json").exists());

    let stopped = start(desk.path(), "stopped");
    wait(desk.path(), "stopped", 100_000);
    let id = stopped.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    let done = stopped.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130));
    let shown = String::from_utf8(done.stdout).unwrap();
    assert!(
        shown.starts_with("PROVISIONAL: interrupted after "),
        "{shown}"
    );
    assert!(shown.contains("of 589,824 runs"), "{shown}");
    assert!(shown.contains("\ndrive "), "{shown}");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(
        said.contains("the same command goes on from there"),
        "{said}"
    );
    assert!(length(desk.path(), "stopped") < all, "stopped too late");

    for out in ["killed", "stopped"] {
        let again = [&LONG[..], &["--out", out]].concat();
        assert_eq!(succeed(desk.path(), &again).replace(out, ""), expected);
        let [resumed, whole] = [out, "whole"].map(|name| files(&desk.path().join(name)));
        let names = resumed.keys().chain(whole.keys());
        let differing: Vec<_> = names
            .filter(|name| resumed.get(*name) != whole.get(*name))
            .collect();
        assert!(differing.is_empty(), "{out}: {differing:?}");
    }
}

#[test]
fn a_study_grows_and_another_one_is_refused() {
    let desk = desk();
    let ask = |budget: &str, more: &[&str]| {
        let mut line = vec![
            "sensitivity",
            "clash.toml",
            "--of",
            "clash",
            "--budget",
            budget,
            "--out",
            "out",
        ];
        line.extend(more);
        flashpoint(desk.path(), &line)
    };
    assert_eq!(ask("3000", &[]).code, 0);
    let small = files(&desk.path().join("out"));
    assert_eq!(ask("12000", &[]).code, 0);
    let large = files(&desk.path().join("out"));
    let runs = |files: &BTreeMap<std::ffi::OsString, Vec<u8>>| {
        files[std::ffi::OsStr::new("evaluations.csv")].clone()
    };
    assert!(runs(&large).starts_with(&runs(&small)));
    assert!(runs(&large).len() > 2 * runs(&small).len());
    // A smaller budget takes the first of the runs that are there.
    assert_eq!(ask("3000", &[]).code, 0);
    let again = files(&desk.path().join("out"));
    for name in ["indices.csv", "README.md"] {
        let name = std::ffi::OsStr::new(name);
        assert_eq!(again[name], small[name]);
    }
    for (more, differs) in [
        (&["--seed", "2"][..], "differs in seed"),
        (&["--set", "fixed=0.5"], "differs in overrides"),
        (&["--params", "drive"], "differs in parameters"),
        (&["--method", "morris"], "differs in design"),
    ] {
        let refused = ask("3000", more);
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains(differs), "{}", refused.stderr);
        assert!(refused.stderr.contains("--fresh"), "{}", refused.stderr);
    }
    let path = desk.path().join("clash.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("drive * (0.5", "drive * (0.4")).unwrap();
    let refused = ask("3000", &[]).stderr;
    assert!(refused.contains("the scenario or its text"), "{refused}");
    assert!(files(&desk.path().join("out")) == again);
    assert_eq!(ask("3000", &["--fresh"]).code, 0);
    assert!(runs(&files(&desk.path().join("out"))) != runs(&small));
}

/// A folder made by another design of the same method is not gone on with.
#[test]
fn screening_runs_of_another_design_are_refused() {
    let desk = desk();
    let line = [
        "sensitivity",
        "clash.toml",
        "--of",
        "clash",
        "--method",
        "morris",
        "--budget",
        "500",
        "--out",
        "out",
    ];
    succeed(desk.path(), &line);
    succeed(desk.path(), &line);
    let path = desk.path().join("out/study.json");
    let text = fs::read_to_string(&path).unwrap();
    let without = text.lines().filter(|line| !line.contains("\"few_values\""));
    let without: String = without.map(|line| format!("{line}\n")).collect();
    assert_ne!(without, text);
    fs::write(&path, without).unwrap();
    let refused = flashpoint(desk.path(), &line);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("differs in design"),
        "{}",
        refused.stderr
    );
}
