//! `flashpoint sensitivity` and `flashpoint discover`, on a scenario whose answers are known.
//!
//! The clash comes with probability p = drive * (0.5 + lever), drawn once at the start: `drive` is uniform on [0, 1] and
//! `lever` on [0, 0.5]; `idle` does nothing. With a = drive and b = 0.5 + lever, independent:
//!
//! * E p = 1/2 * 3/4 = 3/8, and the variance of single runs is 3/8 * 5/8 = 15/64;
//! * E a^2 = 1/3, E b^2 = (1 - 1/8) / (3/2) = 7/12, so Var p = 7/36 - 9/64 = 31/576;
//! * Var E[p given a] = (3/4)^2 / 12 = 27/576, Var E[p given b] = (1/2)^2 / 48 = 3/576, and 1/576 is left for the pair.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{flashpoint, folder, succeed};

mod finished;
#[cfg(unix)]
mod interruption;
mod several;

const SCENARIO: &str = r#"
[scenario]
title = "A clash of known probability"
start = 2024-01-01
horizon = 10
runs_per_world = 20

[parameter.drive]
value = 0.5
basis = "assumption"
prior = { dist = "uniform", low = 0, high = 1 }
[parameter.lever]
value = 0.25
basis = "assumption"
prior = { dist = "uniform", low = 0, high = 0.5 }
[parameter.idle]
value = 0
basis = "assumption"
prior = { dist = "normal", mean = 0, sd = 1 }
[parameter.fixed]
value = 1
basis = "assumption"

[actor.a]
kind = "state"

[action.clash]
[[calendar]]
id = "day_of_decision"
day = 1
probability = "drive * (0.5 + lever) * fixed + 0 * idle"
actor = "a"
action = "clash"

[metric.clashes]
count = ["clash"]
[metric.first_clash]
first = ["clash"]

[flag.impossible]
when = "clashes > 5"

[[endgame]]
id = "clash"
when = "clashes > 0"
[[endgame]]
id = "quiet"
"#;

const V: f64 = 15.0 / 64.0;
const V_MEAN: f64 = 31.0 / 576.0;

fn desk() -> tempfile::TempDir {
    folder(&[("clash.toml", SCENARIO)])
}

/// A row of indices.csv.
#[derive(Clone, Copy, Debug)]
struct Row {
    estimate: f64,
    low: f64,
    high: f64,
    above_dummy: f64,
}

impl Row {
    /// The interval is 95 %, and a test looks at many: it is widened by half on both sides.
    fn holds(&self, exact: f64) -> bool {
        let slack = 0.5 * (self.high - self.low) + 1e-12;
        self.low - slack <= exact && exact <= self.high + slack
    }
}

fn table(csv: &str) -> BTreeMap<(String, String), Row> {
    let mut lines = csv.lines();
    let header = "outcome,factor,index,estimate,standard_error,low,high,above_dummy";
    assert_eq!(lines.next(), Some(header));
    let number = |cell: &str| cell.parse().unwrap_or(f64::NAN);
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let row = Row {
                estimate: number(cells[3]),
                low: number(cells[5]),
                high: number(cells[6]),
                above_dummy: number(cells[7]),
            };
            ((cells[1].to_owned(), cells[2].to_owned()), row)
        })
        .collect()
}

fn study(desk: &Path, arguments: &[&str]) -> BTreeMap<(String, String), Row> {
    let mut line = vec!["sensitivity", "clash.toml", "--format", "csv"];
    line.extend(arguments);
    table(&succeed(desk, &line))
}

fn at<'a>(table: &'a BTreeMap<(String, String), Row>, factor: &str, index: &str) -> &'a Row {
    let key = (factor.to_owned(), index.to_owned());
    table
        .get(&key)
        .unwrap_or_else(|| panic!("{key:?} in {table:?}"))
}

#[test]
fn sobol_indices_are_those_of_the_closed_form() {
    let desk = desk();
    let found = study(
        desk.path(),
        &["--of", "clash", "--budget", "80000", "--seed", "3"],
    );
    let (drive, lever, pair) = (27.0 / 576.0, 3.0 / 576.0, 1.0 / 576.0);
    let expected = [
        ("drive", "first", drive / V),
        ("lever", "first", lever / V),
        ("idle", "first", 0.0),
        ("drive", "mean_first", drive / V_MEAN),
        ("lever", "mean_first", lever / V_MEAN),
        ("drive", "mean_total", (drive + pair) / V_MEAN),
        ("lever", "mean_total", (lever + pair) / V_MEAN),
        ("", "chance_share", 1.0 - V_MEAN / V),
        ("", "mean", 3.0 / 8.0),
        ("", "variance", V),
        ("", "variance_of_mean", V_MEAN),
        // Runs of equal chance compare p with one uniform: two runs differ with probability E|p - p'|. For `drive` that is
        // E b * E|a - a'| = 3/4 * 1/3, for `lever` E a * E|b - b'| = 1/2 * 1/6.
        ("drive", "joint_total", 0.25 / (2.0 * V)),
        ("lever", "joint_total", (1.0 / 12.0) / (2.0 * V)),
    ];
    for (factor, index, exact) in expected {
        let row = at(&found, factor, index);
        assert!(row.holds(exact), "{factor} {index}: {exact} in {row:?}");
        // The mean response has a fourth of the variance, and so four times the width.
        let widest = if index.starts_with("mean_") { 0.5 } else { 0.1 };
        assert!(row.high - row.low < widest, "{factor} {index}: {row:?}");
    }
    // A parameter that does nothing is exactly nothing where runs share their chance.
    assert_eq!(at(&found, "idle", "joint_total").estimate, 0.0);
    assert_eq!(at(&found, "idle", "mean_total").estimate, 0.0);
    assert_eq!(at(&found, "(dummy)", "mean_total").estimate, 0.0);
    assert!(at(&found, "drive", "mean_total").above_dummy > 0.999);
    assert_eq!(at(&found, "idle", "mean_total").above_dummy, 0.5);
    // The mutant that takes single runs for the mean response would be caught.
    assert!(!at(&found, "drive", "first").holds(drive / V_MEAN));
}

#[test]
fn other_methods_agree_with_the_closed_form() {
    let desk = desk();
    let (drive, lever) = (27.0 / 576.0, 3.0 / 576.0);
    // Two categories: kernel indices are Sobol indices.
    let kernel = [
        "--of",
        "endgame-category",
        "--method",
        "kernel",
        "--budget",
        "40000",
    ];
    let found = study(desk.path(), &kernel);
    assert!(at(&found, "drive", "first").holds(drive / V));
    assert!(at(&found, "", "chance_share").holds(1.0 - V_MEAN / V));
    assert!(at(&found, "", "spread").holds(2.0 * V));

    let shapley = ["--of", "clash", "--method", "shapley", "--budget", "40000"];
    let found = study(desk.path(), &shapley);
    let share = |factor| at(&found, factor, "shapley").estimate;
    let chance = at(&found, "", "chance_share").estimate;
    let sum = share("drive") + share("lever") + share("idle") + chance;
    assert!((sum - 1.0).abs() < 0.02, "{sum}");
    assert_eq!(share("idle"), 0.0);
    assert!(share("drive") > share("lever") && chance > share("drive"));

    let rank = ["--of", "clash", "--method", "rank", "--budget", "20000"];
    let found = study(desk.path(), &rank);
    assert!(at(&found, "drive", "first").holds(drive / V));
    assert!(at(&found, "lever", "first").holds(lever / V));
    assert!(at(&found, "idle", "first").holds(0.0));

    for (method, index) in [
        ("pawn", "pawn"),
        ("prcc", "prcc"),
        ("regional", "regional"),
        ("morris", "mu_star"),
    ] {
        let found = study(
            desk.path(),
            &["--of", "clash", "--method", method, "--budget", "6000"],
        );
        let size = |factor| at(&found, factor, index).estimate.abs();
        assert!(size("drive") > size("lever"), "{method}: {found:?}");
        assert!(size("lever") > size("idle"), "{method}: {found:?}");
        assert!(
            at(&found, "drive", index).above_dummy > 0.95,
            "{method}: {found:?}"
        );
    }

    // The mean along `drive` is 3/4 of it; a fraction of the runs is enough to see that.
    let curves = [
        "sensitivity",
        "clash.toml",
        "--of",
        "clash",
        "--method",
        "ofat",
        "--budget",
        "28000",
        "--format",
        "csv",
    ];
    let curves = succeed(desk.path(), &curves);
    let mut lines = curves.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("outcome,factor,value,runs,mean,mean_low,mean_high,change")
    );
    let mut seen = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse::<f64>().unwrap();
        let exact = match cells[1] {
            "drive" => 0.75 * number(2),
            "lever" => 0.5 * (0.5 + number(2)),
            _ => 0.375,
        };
        let slack = 0.5 * (number(6) - number(5));
        assert!(
            number(5) - slack <= exact && exact <= number(6) + slack,
            "{line}"
        );
        if cells[1] == "idle" {
            assert_eq!(number(7), 0.0);
        }
        seen += 1;
    }
    assert_eq!(seen, 27);
}

#[test]
fn groups_and_pairs() {
    let desk = desk();
    let both = [
        "--of",
        "clash",
        "--group",
        "both=drive,lever",
        "--budget",
        "40000",
    ];
    let found = study(desk.path(), &both);
    assert!(at(&found, "both", "mean_total").holds(1.0));
    assert!(!found.keys().any(|(factor, _)| factor == "drive"));
    let found = study(
        desk.path(),
        &[
            "--of",
            "clash",
            "--pairs",
            "--params",
            "drive,lever",
            "--budget",
            "40000",
        ],
    );
    assert!(at(&found, "drive × lever", "second_order").holds(1.0 / 576.0 / V));
    assert!(!found.keys().any(|(factor, _)| factor == "idle"));
}

#[test]
fn means_of_runs_tell_more_of_the_mean_response() {
    let desk = desk();
    let ask = |repeats: &str| {
        let line = [
            "--of",
            "clash",
            "--budget",
            "80000",
            "--seed",
            "2",
            "--repeats",
            repeats,
        ];
        study(desk.path(), &line)
    };
    let (one, ten) = (ask("1"), ask("10"));
    let (drive, lever, pair) = (27.0 / 576.0, 3.0 / 576.0, 1.0 / 576.0);
    for (factor, index, exact) in [
        ("drive", "mean_first", drive / V_MEAN),
        ("drive", "mean_total", (drive + pair) / V_MEAN),
        ("lever", "mean_total", (lever + pair) / V_MEAN),
        ("", "chance_share", 1.0 - V_MEAN / V),
        ("", "mean", 3.0 / 8.0),
        ("", "variance_of_mean", V_MEAN),
    ] {
        let row = at(&ten, factor, index);
        assert!(row.holds(exact), "{factor} {index}: {exact} in {row:?}");
    }
    assert!(
        !ten.keys()
            .any(|(_, index)| index == "first" || index == "variance")
    );
    let width = |found: &BTreeMap<(String, String), Row>| {
        let row = at(found, "drive", "mean_total");
        row.high - row.low
    };
    assert!(width(&ten) < width(&one), "{ten:?} {one:?}");
}

#[test]
fn precision_is_reached_or_said_not_to_be() {
    let desk = desk();
    let ask = |width: &str, budget: &str| {
        let line = [
            "sensitivity",
            "clash.toml",
            "--of",
            "clash",
            "--precision",
            width,
            "--budget",
            budget,
        ];
        succeed(desk.path(), &line)
    };
    assert!(ask("0.2", "400000").contains("with a settled ranking: reached"));
    assert!(ask("0.0001", "5000").contains("with a settled ranking: not reached"));
}

#[test]
fn results_do_not_depend_on_threads() {
    let desk = desk();
    for method in [
        "sobol", "morris", "shapley", "kernel", "ofat", "rank", "pawn", "prcc", "regional",
    ] {
        let files = |threads: &str| {
            let out = format!("{method}-{threads}");
            let line = [
                "sensitivity",
                "clash.toml",
                "--of",
                "clash",
                "--method",
                method,
                "--budget",
                "2000",
                "--threads",
                threads,
                "--out",
                &out,
            ];
            let text = succeed(desk.path(), &line).replace(&out, "");
            let read = |entry: fs::DirEntry| (entry.file_name(), fs::read(entry.path()).unwrap());
            let entries = fs::read_dir(desk.path().join(&out)).unwrap();
            let files: BTreeMap<_, _> = entries.map(|entry| read(entry.unwrap())).collect();
            assert_eq!(files.len(), 5);
            (text, files)
        };
        assert!(files("1") == files("2"), "{method}");
    }
}

#[test]
fn failed_runs_are_counted_and_named() {
    // Worlds fail before they start where the lever is in the uppermost 6 % of its range; of 1,000 worlds, 60 or so.
    let failing = SCENARIO.replace("day = 1", "day = \"0.5 - floor(lever / 0.47)\"");
    let desk = folder(&[("clash.toml", &failing)]);
    for (method, unit, least) in [
        ("sobol", "point", 0.7),
        ("kernel", "point", 0.7),
        ("shapley", "chain", 0.7),
        ("morris", "point", 0.3),
        ("ofat", "run", 0.9),
        ("rank", "run", 0.9),
        ("pawn", "run", 0.9),
        ("prcc", "run", 0.9),
        ("regional", "run", 0.9),
    ] {
        let budget = if method == "ofat" { "28000" } else { "6000" };
        let line = [
            "sensitivity",
            "clash.toml",
            "--of",
            "clash",
            "--method",
            method,
            "--budget",
            budget,
        ];
        let text = succeed(desk.path(), &line);
        assert!(
            text.contains(" × ") && text.contains("must be 0 or more"),
            "{text}"
        );
        let line = text.lines().find(|line| line.starts_with("Failures: "));
        let line = line.unwrap().replace(',', "");
        let (_, used) = line.split_once("left out: ").unwrap();
        let words: Vec<&str> = used.split(' ').collect();
        let [used, of] = [words[0], words[2]].map(|word| word.parse::<f64>().unwrap());
        assert_eq!(words[3], format!("{unit}s"), "{line}");
        assert!(used < of && used > least * of, "{method}: {line}");
        if method == "ofat" {
            assert!(
                text.contains("nearly all runs failed there: lever = 0.47"),
                "{text}"
            );
        }
    }
}

#[test]
fn several_outcomes_come_from_the_same_runs() {
    let desk = desk();
    let ask = |of: &str| {
        let line = [
            "sensitivity",
            "clash.toml",
            "--of",
            of,
            "--budget",
            "6000",
            "--format",
            "csv",
        ];
        succeed(desk.path(), &line)
    };
    let both = ask("clash,first_clash");
    let (clash, first) = (ask("clash"), ask("first_clash"));
    let rows = first.split_once('\n').unwrap().1;
    assert_eq!(both, clash.clone() + rows);
    assert!(rows.starts_with("first_clash,drive,first,"), "{rows}");
}

/// Files of a folder with their content.
fn files(folder: &Path) -> BTreeMap<std::ffi::OsString, Vec<u8>> {
    let read = |entry: fs::DirEntry| (entry.file_name(), fs::read(entry.path()).unwrap());
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| read(entry.unwrap())).collect()
}

#[test]
fn what_cannot_be_done_is_refused_with_advice() {
    let desk = desk();
    let plain = SCENARIO.lines().filter(|line| !line.starts_with("prior"));
    let plain: String = plain.flat_map(|line| [line, "\n"]).collect();
    fs::write(desk.path().join("plain.toml"), plain).unwrap();
    succeed(
        desk.path(),
        &["run", "clash.toml", "--runs", "20", "--out", "unkept"],
    );
    fs::create_dir(desk.path().join("taken")).unwrap();
    fs::write(desk.path().join("taken/manifest.json"), "{}").unwrap();
    let cases: [(i32, &[&str], &str); 18] = [
        (2, &["clash.toml", "--of", "clahs"], "did you mean `clash`?"),
        (
            2,
            &["clash.toml", "--of", "clash", "--params", "drvie"],
            "did you mean `drive`?",
        ),
        (
            2,
            &["clash.toml", "--of", "clash", "--params", "fixed"],
            "neither a prior nor a range",
        ),
        (
            2,
            &["plain.toml", "--of", "clash"],
            "no parameter of the scenario has a prior",
        ),
        (
            1,
            &["clash.toml", "--of", "impossible", "--budget", "2000"],
            "the output is the same in every run",
        ),
        (
            2,
            &["clash.toml", "--of", "clash", "--budget", "10"],
            "at least 144 are needed",
        ),
        (
            2,
            &["clash.toml", "--of", "endgame-category"],
            "use --method kernel",
        ),
        (
            2,
            &["clash.toml", "--of", "clashes", "--method", "regional"],
            "name an endgame or a flag",
        ),
        (
            2,
            &["clash.toml", "--of", "clash", "--precision", "0"],
            "the width of an interval is above 0",
        ),
        (
            2,
            &["clash.toml", "--of", "clash", "--group", "a=drive,nobody"],
            "no parameter `nobody`",
        ),
        (
            2,
            &["clash.toml", "clash.toml", "--of", "clash"],
            "named twice",
        ),
        (
            2,
            &[
                "clash.toml",
                "plain.toml",
                "--of",
                "clash",
                "--weights",
                "1",
            ],
            "1 numbers for 2 scenarios",
        ),
        (2, &["clash.toml", "--of", "clash,clash"], "asked for twice"),
        (2, &["--of", "clash"], "SCENARIO"),
        (
            2,
            &["--from", "nowhere", "--of", "clash"],
            "no folder of results",
        ),
        (2, &["--from", "unkept", "--of", "clash"], "--keep-runs"),
        (
            2,
            &["--from", "unkept", "--of", "clash", "--budget", "5"],
            "cannot be used with",
        ),
        (
            2,
            &["clash.toml", "--of", "clash", "--out", "taken"],
            "exists already",
        ),
    ];
    for (code, arguments, message) in cases {
        let mut line = vec!["sensitivity"];
        line.extend(arguments);
        let done = flashpoint(desk.path(), &line);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (code, ""),
            "{arguments:?}"
        );
        assert!(
            done.stderr.contains(message),
            "{arguments:?}: {}",
            done.stderr
        );
    }
}

/// `idle` changes no run at any point. That makes its estimates 0, but not certainly so.
#[test]
fn what_never_showed_is_not_certainly_nothing() {
    let desk = desk();
    for (method, indices) in [
        (
            "sobol",
            &["first", "joint_total", "mean_first", "mean_total"][..],
        ),
        ("kernel", &["first", "joint_total"]),
        ("shapley", &["shapley"]),
        ("morris", &["mu_star", "mu", "sigma"]),
    ] {
        let line = ["--of", "clash", "--method", method, "--budget", "8000"];
        let found = study(desk.path(), &line);
        for index in indices {
            let idle = at(&found, "idle", index);
            assert_eq!(idle.estimate, 0.0, "{method} {index}");
            let low = if *index == "mu" { -idle.high } else { 0.0 };
            assert!(
                idle.low == low && idle.high > 0.0,
                "{method} {index} {idle:?}"
            );
        }
    }
}
