use std::fs;
use std::io::{self, Write};

use super::*;
use crate::experiment::fixture::RIVALS;

/// Keeps what is printed.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A folder with a scenario.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rivals.toml"), RIVALS).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Exit code, standard output and standard error of `flashpoint run rivals.toml` with more arguments.
    fn run(&self, arguments: &[&str]) -> (u8, String, String) {
        let (stdout, stderr) = (Screen::default(), Screen::default());
        let mut out = Output::to(stdout.clone(), stderr.clone());
        let scenario = self.path("rivals.toml");
        let line = ["flashpoint", "run", &scenario].into_iter();
        let code = super::super::run(line.chain(arguments.iter().copied()), &mut out);
        (code, stdout.text(), stderr.text())
    }

    fn done(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.run(arguments);
        assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
        stdout
    }

    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.path(folder)).unwrap().map(Result::unwrap);
        let read = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        };
        entries.map(read).collect()
    }
}

#[test]
fn files_do_not_depend_on_threads() {
    let desk = Desk::new();
    let mut first: Option<BTreeMap<String, Vec<u8>>> = None;
    for threads in ["1", "2", "4"] {
        let out = desk.path(threads);
        desk.done(&[
            "--runs",
            "3000",
            "--keep-runs",
            "--threads",
            threads,
            "--out",
            &out,
        ]);
        let mut files = desk.files(threads);
        assert!(files.remove(TIMINGS).is_some());
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        let expected = [
            "flags.csv",
            "manifest.json",
            "metrics.csv",
            "outcomes.csv",
            RUNS_FILE,
            "timeline.csv",
        ];
        assert_eq!(names, expected);
        match &first {
            Some(first) => assert!(files == *first, "{threads} threads make other files"),
            None => first = Some(files),
        }
    }
}

#[test]
fn tables_have_their_columns() {
    let desk = Desk::new();
    let out = desk.path("out");
    let printed = desk.done(&["--runs", "800", "--out", &out, "--format", "csv"]);
    let files = desk.files("out");
    let table = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    assert_eq!(printed, table("outcomes.csv"));
    let lines: Vec<String> = printed.lines().map(str::to_owned).collect();
    let header = "endgame,label,count,runs,probability,low,high,band_low,band_median,band_high";
    assert_eq!(lines[0], header);
    assert!(lines[1].starts_with("war,\"War, or near it\","));
    assert_eq!(lines.len(), 4);
    let header = "metric,label,unit,runs,never,mean,mean_low,mean_high,sd,p05,p25,p50,p75,p95,chance_share,parameter_share";
    assert_eq!(table("metrics.csv").lines().next(), Some(header));
    // Shares need a value in every run.
    assert!(table("metrics.csv").lines().nth(2).unwrap().ends_with(",,"));
    let timeline = table("timeline.csv");
    let mut lines = timeline.lines();
    assert_eq!(
        lines.next(),
        Some("day,date,series,mean,p05,p25,p50,p75,p95")
    );
    assert_eq!(
        lines.next(),
        Some("0,2024-01-01,anger,0.2,0.2,0.2,0.2,0.2,0.2")
    );
    assert_eq!(timeline.lines().count(), 1 + 4 * 2);
    assert!(table("flags.csv").starts_with("flag,label,"));

    let out = desk.path("defaults");
    let printed = desk.done(&["--defaults", "--out", &out, "--format", "csv"]);
    assert_eq!(
        printed.lines().next(),
        Some("endgame,label,count,runs,probability,low,high")
    );
}

#[test]
fn the_manifest_repeats_the_experiment() {
    let desk = Desk::new();
    let out = desk.path("out");
    desk.done(&[
        "--runs",
        "804",
        "--seed",
        "9",
        "--set",
        "temper=0.25",
        "--out",
        &out,
    ]);
    let manifest: Manifest = serde_json::from_slice(&desk.files("out")["manifest.json"]).unwrap();
    let description = &manifest.description;
    assert_eq!(
        (description.seed, description.overrides["temper"]),
        (9, 0.25)
    );
    // Whole worlds of eight.
    assert_eq!(
        (description.runs_asked, manifest.runs_completed),
        (808, 808)
    );
    assert!(!manifest.interrupted);
    fs::write(desk.path("again.toml"), &description.scenario.text).unwrap();
    let (stdout, again) = (Screen::default(), desk.path("again"));
    let mut output = Output::to(stdout, Screen::default());
    let scenario = desk.path("again.toml");
    let line = [
        "flashpoint",
        "run",
        &scenario,
        "--runs",
        "808",
        "--seed",
        "9",
        "--set",
        "temper=0.25",
        "--out",
        &again,
    ];
    assert_eq!(super::super::run(line, &mut output), 0);
    assert_eq!(
        desk.files("again")["outcomes.csv"],
        desk.files("out")["outcomes.csv"]
    );
}

#[test]
fn an_override_and_the_defaults_change_the_runs() {
    let desk = Desk::new();
    let outcomes = |arguments: &[&str]| {
        let line = ["--no-files", "--runs", "800", "--format", "csv"];
        desk.done(&[&line, arguments].concat())
    };
    let base = outcomes(&[]);
    assert_eq!(base, outcomes(&["--set", "temper=0.5"]));
    for change in [
        ["--set", "temper=0.9"].as_slice(),
        &["--defaults"],
        &["--seed", "2"],
    ] {
        assert_ne!(base, outcomes(change));
    }
    // Without any prior left, runs are independent, and there is nothing to tell across parameters.
    let fixed = outcomes(&["--set", "rate=0.03"]);
    assert_eq!(fixed, outcomes(&["--defaults"]));
}

#[test]
fn existing_results_of_another_experiment_are_refused() {
    let desk = Desk::new();
    let out = desk.path("out");
    let line = ["--runs", "80", "--out", &out];
    desk.done(&line);
    let before = desk.files("out");
    desk.done(&line);
    let other = [&line[..], &["--seed", "2"]].concat();
    let (code, stdout, stderr) = desk.run(&other);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains("another experiment") && stderr.contains("--force"),
        "{stderr}"
    );
    assert_eq!(desk.files("out")["manifest.json"], before["manifest.json"]);
    desk.done(&[&other[..], &["--force"]].concat());
    assert_ne!(desk.files("out")["manifest.json"], before["manifest.json"]);
}

#[test]
fn results_that_cannot_be_stored_are_an_error() {
    let desk = Desk::new();
    let out = desk.path("rivals.toml/out");
    let (code, stdout, stderr) = desk.run(&["--out", &out]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.starts_with("error: cannot write "), "{stderr}");
}

#[test]
fn bad_usage_has_exit_code_two() {
    let desk = Desk::new();
    for arguments in [
        ["--runs", "0"],
        ["--threads", "0"],
        ["--precision", "0"],
        ["--precision", "2"],
        ["--set", "tempr=1"],
        ["--set", "temper"],
        ["--seed", "-1"],
        ["--format", "xml"],
    ] {
        let (code, stdout, stderr) = desk.run(&arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
    }
    assert!(
        desk.run(&["--set", "tempr=1"])
            .2
            .contains("did you mean `temper`?")
    );
    assert_eq!(desk.files("").len(), 1);
}

#[test]
fn a_failing_run_has_exit_code_one_and_leaves_nothing() {
    let desk = Desk::new();
    let failing = RIVALS.replace("\"a.anger\"", "\"ln(0.8 - a.anger)\"");
    fs::write(desk.path("rivals.toml"), failing).unwrap();
    let out = desk.path("out");
    let (code, stdout, stderr) = desk.run(&["--keep-runs", "--out", &out]);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(
        stderr.contains("error: run ")
            && stderr.contains(&format!(
                "`flashpoint trace {} --run ",
                desk.path("rivals.toml")
            )),
        "{stderr}"
    );
    assert_eq!(desk.files("").len(), 1);
}

#[test]
fn json_tells_what_the_tables_tell() {
    let desk = Desk::new();
    let text = desk.done(&["--no-files", "--runs", "800", "--format", "json"]);
    let results: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(results["runs"], 800);
    assert_eq!(results["worlds"], 100);
    assert_eq!(results["outcomes"][0]["id"], "war");
    assert!(results["outcomes"][0]["low"].as_f64() < results["outcomes"][0]["high"].as_f64());
    assert!(results["outcomes"][0]["band"]["median"].is_number());
    assert_eq!(results["metrics"][0]["id"], "raids");
    assert_eq!(results["timeline"].as_array().unwrap().len(), 8);
}

#[test]
fn a_precision_is_reached_and_recorded() {
    let desk = Desk::new();
    let out = desk.path("out");
    let text = desk.done(&["--precision", "0.06", "--out", &out]);
    assert!(text.contains("at most 6 percentage points wide"), "{text}");
    let manifest: Manifest = serde_json::from_slice(&desk.files("out")["manifest.json"]).unwrap();
    assert_eq!(manifest.precision_reached, Some(true));
    assert_eq!(manifest.looks.last(), Some(&manifest.runs_completed));
}
