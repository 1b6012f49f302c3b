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
    let header = "factor,index,estimate,standard_error,low,high,above_dummy";
    assert_eq!(lines.next(), Some(header));
    let number = |cell: &str| cell.parse().unwrap_or(f64::NAN);
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let row = Row {
                estimate: number(cells[2]),
                low: number(cells[4]),
                high: number(cells[5]),
                above_dummy: number(cells[6]),
            };
            ((cells[0].to_owned(), cells[1].to_owned()), row)
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
    let found = study(desk.path(), &["--of", "clash", "--budget", "80000"]);
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
            .starts_with("factor,value,runs,mean,mean_low,mean_high,change")
    );
    let mut seen = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse::<f64>().unwrap();
        let exact = match cells[0] {
            "drive" => 0.75 * number(1),
            "lever" => 0.5 * (0.5 + number(1)),
            _ => 0.375,
        };
        let slack = 0.5 * (number(5) - number(4));
        assert!(
            number(4) - slack <= exact && exact <= number(5) + slack,
            "{line}"
        );
        if cells[0] == "idle" {
            assert_eq!(number(6), 0.0);
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
            assert_eq!(files.len(), 3);
            (text, files)
        };
        assert!(files("1") == files("2"), "{method}");
    }
}

#[test]
fn failed_runs_are_counted_and_named() {
    // Every world with a lever in the upper half of its range fails before it starts.
    let failing = SCENARIO.replace("day = 1", "day = \"0.5 - floor(4 * lever)\"");
    let desk = folder(&[("clash.toml", &failing)]);
    let line = [
        "sensitivity",
        "clash.toml",
        "--of",
        "clash",
        "--method",
        "rank",
        "--budget",
        "2000",
    ];
    let text = succeed(desk.path(), &line);
    assert!(
        text.contains("1,000 × ") && text.contains("must be 0 or more"),
        "{text}"
    );
    assert!(
        text.contains("Failed runs are left out: 1,000 of 2,000 runs are used."),
        "{text}"
    );
}

#[test]
fn a_batch_gives_indices_and_boxes_without_new_runs() {
    let desk = desk();
    let run = [
        "run",
        "clash.toml",
        "--runs",
        "20000",
        "--keep-runs",
        "--out",
        "batch",
        "--seed",
        "3",
    ];
    succeed(desk.path(), &run);
    let batch = |method: &str| {
        let line = [
            "sensitivity",
            "--from",
            "batch",
            "--of",
            "clash",
            "--method",
            method,
            "--format",
            "csv",
        ];
        table(&succeed(desk.path(), &line))
    };
    // The mean of 20 runs has a variance of V_MEAN + (V - V_MEAN) / 20.
    let variance = V_MEAN + (V - V_MEAN) / 20.0;
    let rank = batch("rank");
    assert!(
        at(&rank, "drive", "first").holds(27.0 / 576.0 / variance),
        "{rank:?}"
    );
    assert!(at(&rank, "idle", "first").holds(0.0), "{rank:?}");
    for method in ["pawn", "prcc", "regional"] {
        let found = batch(method);
        assert!(
            at(&found, "drive", method).above_dummy > 0.99,
            "{method}: {found:?}"
        );
        assert!(
            at(&found, "idle", method).above_dummy < 0.99,
            "{method}: {found:?}"
        );
    }

    let discover = ["discover", "batch", "--outcome", "clash", "--out", "boxes"];
    let text = succeed(desk.path(), &discover);
    assert!(text.contains("`clash` has a probability of"), "{text}");
    assert!(text.contains("when `drive` above 0."), "{text}");
    let trajectory = fs::read_to_string(desk.path().join("boxes/trajectory.csv")).unwrap();
    let numbers = |line: &str| -> Vec<f64> {
        let cells = line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN));
        cells.collect()
    };
    let start = numbers(trajectory.lines().nth(1).unwrap());
    assert_eq!(start[3], 1.0);
    assert!((start[4] - 0.375).abs() < 0.03);
    let last = numbers(trajectory.lines().last().unwrap());
    assert!(last[4] > 0.75 && last[3] < 0.15, "{last:?}");
    // A limit on what does nothing would be there by chance alone.
    let limits = fs::read_to_string(desk.path().join("boxes/boxes.csv")).unwrap();
    assert!(
        limits.contains(",drive,") && !limits.contains(",idle,"),
        "{limits}"
    );

    // The same box by its number, and worlds in which the clash is more likely than not.
    let chosen = succeed(
        desk.path(),
        &["discover", "batch", "--outcome", "clash", "--box", "3"],
    );
    assert!(chosen.contains("\nBox 3: "), "{chosen}");
    let threshold = [
        "discover",
        "batch",
        "--outcome",
        "clash",
        "--threshold",
        "0.5",
        "--method",
        "cart",
    ];
    let text = succeed(desk.path(), &threshold);
    assert!(
        text.contains("1 if the outcome came true in at least 0.5"),
        "{text}"
    );
    assert!(text.contains("`drive` above"), "{text}");
    for threads in ["1", "2"] {
        let again = [
            "discover",
            "batch",
            "--outcome",
            "clash",
            "--threads",
            threads,
            "--out",
            threads,
        ];
        succeed(desk.path(), &again);
        let other = fs::read_to_string(desk.path().join(threads).join("trajectory.csv")).unwrap();
        assert_eq!(other, trajectory);
    }
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
    let cases: [(i32, &[&str], &str); 15] = [
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
            &[
                "clash.toml",
                "--of",
                "clash",
                "--method",
                "rank",
                "--precision",
                "0.1",
            ],
            "--precision is for method sobol",
        ),
        (
            2,
            &["clash.toml", "--of", "clash", "--group", "a=drive,nobody"],
            "no parameter `nobody`",
        ),
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
