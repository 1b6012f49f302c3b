//! `flashpoint compare` and `flashpoint rank`, on a scenario whose answers are known.
//!
//! The clash comes with probability p = drive * (0.5 + lever), drawn once at the start: 0.375 by default. One uniform decides
//! whether it comes, so a what-if with a higher p loses no run and gains those between the two.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::process::{Command, Stdio};

use super::{flashpoint, folder, succeed};

const SCENARIO: &str = r#"
[scenario]
title = "A clash of known probability"
start = 2024-01-01
horizon = 10
runs_per_world = 50

[parameter.drive]
value = 0.5
basis = "assumption"
prior = { dist = "uniform", low = 0, high = 1 }
[parameter.lever]
label = "How far it goes"
unit = "share"
value = 0.25
basis = "assumption"
range = [0, 0.5]
[parameter.idle]
value = 0
basis = "assumption"
prior = { dist = "normal", mean = 0, sd = 1 }

[actor.a]
kind = "state"

[action.clash]
[action.echo]
[[calendar]]
id = "day_of_decision"
day = 1
probability = "drive * (0.5 + lever) + 0 * idle"
actor = "a"
action = "clash"

[rule.echoes]
who = "a"
on = "clash"
as = "perpetrator"
[[rule.echoes.option]]
id = "echo"
action = "echo"
delay = 3

[metric.clashes]
label = "Clashes"
count = ["clash"]
[metric.echo_day]
label = "Day of the echo"
unit = "days"
first = ["echo"]
headline = false

[flag.echoed]
when = "echo_day < 10"

[[endgame]]
id = "clash"
when = "clashes > 0"
[[endgame]]
id = "quiet"
"#;

fn desk() -> tempfile::TempDir {
    folder(&[("clash.toml", SCENARIO)])
}

/// Rows of a table in CSV by their first cells, as many as `keys`; each row by its header.
fn table(csv: &str, keys: usize) -> BTreeMap<Vec<String>, BTreeMap<String, String>> {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells.len(), header.len(), "{line}");
            let key = cells[..keys].iter().map(|cell| (*cell).to_owned());
            let row = header.iter().zip(&cells);
            let row = row.map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned()));
            (key.collect(), row.collect())
        })
        .collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    let cell = &row[column];
    cell.parse()
        .unwrap_or_else(|_| panic!("{column}: `{cell}`"))
}

fn compared(desk: &Path, arguments: &[&str]) -> BTreeMap<Vec<String>, BTreeMap<String, String>> {
    let mut line = vec!["compare", "clash.toml", "--format", "csv"];
    line.extend(arguments);
    table(&succeed(desk, &line), 3)
}

fn row<'a>(
    table: &'a BTreeMap<Vec<String>, BTreeMap<String, String>>,
    key: [&str; 3],
) -> &'a BTreeMap<String, String> {
    let key: Vec<String> = key.iter().map(|part| (*part).to_owned()).collect();
    table
        .get(&key)
        .unwrap_or_else(|| panic!("{key:?} in {table:?}"))
}

#[test]
fn differences_are_those_of_the_closed_form() {
    let desk = desk();
    // p = 0.375, 0.475 with the drive at 19/30, 0 without the calendar entry.
    let line = [
        "--defaults",
        "--runs",
        "20000",
        "--what-if",
        "more: drive = 0.6333333333333333",
        "--what-if",
        "none: drop calendar.day_of_decision",
        "--what-if",
        "mute: drop rule.echoes",
    ];
    let found = compared(desk.path(), &line);
    // Three variants with two endgames, a flag and a headline metric.
    assert_eq!(found.len(), 12);
    for (key, exact) in [
        (["more", "endgame", "clash"], 0.1),
        (["more", "endgame", "quiet"], -0.1),
        (["more", "metric", "clashes"], 0.1),
        (["none", "endgame", "clash"], -0.375),
        (["mute", "flag", "echoed"], -0.375),
    ] {
        let row = row(&found, key);
        // The interval is 95 %: that of all together is wider.
        assert!(number(row, "simultaneous_low") < exact, "{key:?} {row:?}");
        assert!(number(row, "simultaneous_high") > exact, "{key:?} {row:?}");
        assert!(number(row, "low") > number(row, "simultaneous_low"));
        assert!(number(row, "high") - number(row, "low") < 0.02);
        assert!(number(row, "p_adjusted") < 1e-6);
        let difference = number(row, "estimate") - number(row, "baseline");
        assert!((difference - number(row, "difference")).abs() < 1e-12);
    }
    // One uniform for both: 0.375 * 0.625 + 0.475 * 0.525 against 0.1 * 0.9.
    let saved = number(
        row(&found, ["more", "endgame", "clash"]),
        "variance_reduction",
    );
    assert!((saved / 5.375 - 1.0).abs() < 0.1, "{saved}");
    // What is mute changes no clash: no difference, and an interval that says how little it could be.
    let same = row(&found, ["mute", "endgame", "clash"]);
    assert_eq!(
        (number(same, "difference"), number(same, "p_adjusted")),
        (0.0, 1.0)
    );
    assert!(number(same, "high") > 0.0 && number(same, "high") < 0.001);
    assert_eq!(same["variance_reduction"], "inf");
}

#[test]
fn worlds_make_a_band_and_the_intervals_know_of_them() {
    let desk = desk();
    // The gain is a fifth of drive, uniform from 0 to 0.2: mean 0.1, 90 % from 0.01 to 0.19.
    let found = compared(
        desk.path(),
        &["--runs", "40000", "--what-if", "more: lever = 0.45"],
    );
    let clash = row(&found, ["more", "endgame", "clash"]);
    assert!(number(clash, "simultaneous_low") < 0.1 && number(clash, "simultaneous_high") > 0.1);
    assert!((number(clash, "band_low") - 0.01).abs() < 0.02, "{clash:?}");
    assert!(
        (number(clash, "band_high") - 0.19).abs() < 0.03,
        "{clash:?}"
    );
    assert_eq!(clash["pairs"], "40000");
    // Worlds spread the gain d with variance 0.2^2 / 12, in 800 worlds, besides the noise of the runs, E d (1 - d).
    let width = number(clash, "high") - number(clash, "low");
    let error = ((0.04 / 12.0 + 0.087 / 50.0) / 800.0_f64).sqrt();
    assert!(
        (width / (2.0 * 1.96 * error) - 1.0).abs() < 0.15,
        "{width} {error}"
    );
}

/// Every clash is followed by its echo, which is one event too many: nobody knows what comes of these runs.
#[test]
fn a_difference_that_the_cap_could_have_made_is_not_shown() {
    let capped = SCENARIO.replace("horizon = ", "max_events = 1\nhorizon = ");
    let desk = folder(&[("clash.toml", &capped)]);
    let line = [
        "compare",
        "clash.toml",
        "--defaults",
        "--runs",
        "2000",
        "--what-if",
        "silent: drop rule.echoes",
    ];
    let text = succeed(desk.path(), &line);
    assert!(
        text.contains("of 2,000 pairs a run was stopped at the cap on events (`max_events`)"),
        "{text}"
    );
    let csv = succeed(desk.path(), &[&line[..], &["--format", "csv"]].concat());
    let rows = table(&csv, 3);
    let clash = row(&rows, ["silent", "endgame", "clash"]);
    assert!(number(clash, "low") > 0.3, "{clash:?}");
    assert_eq!(number(clash, "p_adjusted"), 1.0);

    let line = ["rank", "clash.toml", "--by", "clash", "--runs", "500"];
    let text = succeed(desk.path(), &line);
    assert!(
        text.contains("runs were stopped at the cap on events (`max_events`)"),
        "{text}"
    );
}

#[test]
fn scenarios_outcomes_and_overrides_can_be_chosen() {
    let desk = desk();
    let other = "[scenario]\ntitle = \"Higher\"\nextends = \"clash.toml\"\n[parameter.lever]\nvalue = 0.5\n";
    fs::write(desk.path().join("higher.toml"), other).unwrap();
    let line = [
        "higher.toml",
        "--of",
        "echo_day",
        "--of",
        "clash",
        "--set",
        "drive=0.8",
        "--set",
        "idle=0",
        "--runs",
        "20000",
        "--what-if",
        "held: drive = 0.8",
    ];
    let found = compared(desk.path(), &line);
    assert_eq!(found.len(), 4);
    let clash = row(&found, ["higher.toml", "endgame", "clash"]);
    assert!(number(clash, "simultaneous_low") < 0.2 && number(clash, "simultaneous_high") > 0.2);
    // A day that never came counts as the horizon: 4 p + 10 (1 - p), and p gains 0.2.
    let day = row(&found, ["higher.toml", "metric", "echo_day"]);
    assert!(number(day, "simultaneous_low") < -1.2 && number(day, "simultaneous_high") > -1.2);
    assert_eq!(
        (day["unit"].as_str(), day["dropped"].as_str()),
        ("days", "0")
    );
    assert_eq!(
        number(row(&found, ["held", "endgame", "clash"]), "difference"),
        0.0
    );

    let text = succeed(
        desk.path(),
        &["compare", "clash.toml", "higher.toml", "--runs", "1000"],
    );
    for part in [
        "A clash of known probability\n1,000 pairs of runs: 20 draws of the parameters; seed 1\nBaseline: clash\n",
        "higher.toml: the scenario \"Higher\"",
        "Across parameters 90 %",
        "p (Holm)",
        "corrected for all 4 comparisons",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let held = [
        "compare",
        "clash.toml",
        "higher.toml",
        "--runs",
        "20",
        "--set",
        "drive=0.25",
    ];
    let text = succeed(desk.path(), &held);
    assert!(
        text.contains("seed 1\nwith drive = 0.25\nBaseline: clash\n"),
        "{text}"
    );
}

#[test]
fn files_do_not_depend_on_threads_and_hold_what_was_asked() {
    let desk = desk();
    let files = |threads: &str| {
        let line = [
            "compare",
            "clash.toml",
            "--what-if",
            "more: drive = 0.7, lever = 0.1",
            "--runs",
            "5000",
            "--threads",
            threads,
            "--out",
            threads,
        ];
        let text = succeed(desk.path(), &line).replace(&format!("Results: {threads}"), "");
        let read = |name: &str| fs::read_to_string(desk.path().join(threads).join(name)).unwrap();
        (
            text,
            ["comparison.csv", "README.md", "manifest.json"].map(read),
        )
    };
    let one = files("1");
    assert_eq!(files("3"), one);
    let manifest: serde_json::Value = serde_json::from_str(&one.1[2]).unwrap();
    assert_eq!(manifest["runs_completed"], 5000);
    let text = manifest["variants"][0]["scenario"]["text"]
        .as_str()
        .unwrap();
    fs::write(desk.path().join("more.toml"), text).unwrap();
    // The text of a variant is a scenario: as such it differs from the what-if in nothing.
    let line = [
        "compare",
        "more.toml",
        "--what-if",
        "same: lever = 0.1",
        "--format",
        "json",
    ];
    let same: serde_json::Value = serde_json::from_str(&succeed(desk.path(), &line)).unwrap();
    for row in same["rows"].as_array().unwrap() {
        assert_eq!(row["difference"]["difference"], 0.0, "{row}");
    }
    let refused = flashpoint(
        desk.path(),
        &["compare", "clash.toml", "clash.toml", "--out", "1"],
    );
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("exists already"),
        "{}",
        refused.stderr
    );
}

#[test]
fn precision_is_reached_or_said_not_to_be() {
    let desk = desk();
    let ask = |width: &str, runs: &str| {
        let line = [
            "compare",
            "clash.toml",
            "--what-if",
            "more: drive = 0.6",
            "--of",
            "clash",
            "--defaults",
            "--precision",
            width,
            "--runs",
            runs,
        ];
        succeed(desk.path(), &line)
    };
    assert!(ask("0.01", "1000000").contains("at most 1 percentage points wide: reached"));
    assert!(ask("0.0001", "4000").contains("4,000 pairs of runs"));
    assert!(ask("0.0001", "4000").contains("wide: not reached"));
}

#[test]
fn mistakes_are_told_before_anything_is_run() {
    let desk = desk();
    let cases: [(&[&str], &str); 14] = [
        (&["compare", "clash.toml"], "nothing to compare with"),
        (
            &["compare", "clash.toml", "--what-if", "more: dirve = 1"],
            "did you mean `drive`?",
        ),
        (
            &[
                "compare",
                "clash.toml",
                "--what-if",
                "more: drop rule.echos",
            ],
            "did you mean `echoes`?",
        ),
        (
            &["compare", "clash.toml", "--what-if", "drive = 1"],
            "begins with its name and a colon",
        ),
        (
            &["compare", "clash.toml", "--what-if", "more:"],
            "changes nothing",
        ),
        (
            &[
                "compare",
                "clash.toml",
                "--what-if",
                "a: drive = 1",
                "--what-if",
                "a: drive = 0",
            ],
            "two variants are called `a`",
        ),
        (
            &["compare", "clash.toml", "clash.toml", "--of", "clsh"],
            "did you mean `clash`?",
        ),
        (
            &[
                "compare",
                "clash.toml",
                "clash.toml",
                "--of",
                "endgame-category",
            ],
            "cannot be compared",
        ),
        (
            &["compare", "clash.toml", "clash.toml", "--precision", "2"],
            "between 0 and 1",
        ),
        (
            &[
                "compare",
                "clash.toml",
                "clash.toml",
                "--precision",
                "0.1",
                "--of",
                "clashes",
            ],
            "about probabilities",
        ),
        (
            &["compare", "clash.toml", "no.toml"],
            "there is no scenario file `no.toml`",
        ),
        (
            &["rank", "clash.toml", "--by", "clsh"],
            "did you mean `clash`?",
        ),
        (
            &["rank", "clash.toml", "--by", "clash", "--params", "drvie"],
            "did you mean `drive`?",
        ),
        (
            &["rank", "clash.toml", "--by", "endgame-category"],
            "cannot be ranked by a category",
        ),
    ];
    for (line, message) in cases {
        let done = flashpoint(desk.path(), line);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{line:?}");
        assert!(done.stderr.contains(message), "{line:?}: {}", done.stderr);
    }
    // What cannot be run is told with the variant's name.
    let line = [
        "compare",
        "clash.toml",
        "--defaults",
        "--what-if",
        "wild: drive = 3",
    ];
    let done = flashpoint(desk.path(), &line);
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    assert!(
        done.stderr.contains("variant `wild`: ") && done.stderr.contains("between 0 and 1"),
        "{}",
        done.stderr
    );
}

#[test]
fn parameters_are_ranked_by_what_they_do() {
    let desk = desk();
    for over in [&[][..], &["--over-worlds"]] {
        let line = [
            &[
                "rank",
                "clash.toml",
                "--by",
                "clash",
                "--runs",
                "8000",
                "--format",
                "csv",
            ],
            over,
        ]
        .concat();
        let text = succeed(desk.path(), &line);
        let order: Vec<&str> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap())
            .collect();
        assert_eq!(order, ["drive", "lever", "idle"]);
        let found = table(&text, 1);
        let at = |name: &str| &found[&vec![name.to_owned()]];
        // Ends: quantiles 5 % and 95 % of the prior, or the range.
        for (name, low, high, swing) in [("drive", 0.05, 0.95, 0.675), ("lever", 0.0, 0.5, 0.25)] {
            let row = at(name);
            assert!(
                (number(row, "low") - low).abs() < 1e-12
                    && (number(row, "high") - high).abs() < 1e-12
            );
            let slack = number(row, "swing_high") - number(row, "swing_low");
            assert!((number(row, "swing") - swing).abs() < slack, "{row:?}");
            assert!(number(row, "p_adjusted") < 1e-6 && slack < 0.1);
        }
        assert_eq!(at("lever")["label"], "How far it goes");
        let idle = at("idle");
        assert_eq!(
            (number(idle, "swing"), number(idle, "p_adjusted")),
            (0.0, 1.0)
        );
        assert!(number(idle, "at_most") < 0.08);
    }
    let text = succeed(
        desk.path(),
        &["rank", "clash.toml", "--by", "clash", "--runs", "2000"],
    );
    for part in [
        "What moves whether a run ends in `clash`.",
        "all others at their default values;\n2,000 runs at each end",
        "Base: 3",
        "Not a single run changed with 1 parameter:\nidle",
        "Interactions between parameters do not show here",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_rank_writes_a_chart_and_files_and_tells_what_fails() {
    let desk = desk();
    // Above 1 the probability cannot be: the high end of the lever fails with a large drive.
    let line = [
        "rank",
        "clash.toml",
        "--by",
        "echo_day",
        "--set",
        "drive=1",
        "--runs",
        "500",
        "--out",
        "out",
        "--chart",
        "chart.svg",
    ];
    let wide = SCENARIO.replace("range = [0, 0.5]", "range = [0, 0.7]");
    fs::write(desk.path().join("clash.toml"), wide).unwrap();
    let text = succeed(desk.path(), &line);
    assert!(
        text.contains("lever could not be moved: at 0.7: "),
        "{text}"
    );
    assert!(text.contains("Results: out"), "{text}");
    let read = |name: &str| fs::read_to_string(desk.path().join(name)).unwrap();
    assert_eq!(read("chart.svg"), read("out/tornado.svg"));
    assert!(read("out/rank.csv").contains("\nlever,"));
    let again = flashpoint(desk.path(), &line);
    assert_eq!(again.code, 2, "{}", again.stderr);
    succeed(desk.path(), &[&line[..], &["--force"]].concat());
    for threads in ["1", "3"] {
        let line = [
            "rank",
            "clash.toml",
            "--by",
            "clash",
            "--runs",
            "1000",
            "--params",
            "drive,idle",
            "--over-worlds",
            "--threads",
            threads,
            "--out",
            threads,
        ];
        succeed(desk.path(), &line);
    }
    for name in ["rank.csv", "tornado.svg", "README.md", "manifest.json"] {
        assert_eq!(
            read(&format!("1/{name}")),
            read(&format!("3/{name}")),
            "{name}"
        );
    }
    assert!(!read("1/rank.csv").contains("lever"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_shows_what_there_is() {
    let desk = desk();
    // On a busy machine nothing may be complete yet: then a longer wait is tried.
    let shown = [1, 4, 16, 64].into_iter().find_map(|seconds| {
        let process = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
            .current_dir(desk.path())
            .args(["compare", "clash.toml", "--what-if", "more: drive = 0.6"])
            .args(["--runs", "100000000000"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_secs(seconds));
        super::run::interrupt(process.id());
        let output = process.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "interrupted\n");
        assert_eq!(output.status.code(), Some(130));
        let stdout = String::from_utf8(output.stdout).unwrap();
        (!stdout.is_empty()).then_some(stdout)
    });
    let shown = shown.unwrap();
    assert!(
        shown.contains("interrupted: ")
            && shown.contains("of at most 100,000,000,000 runs of each"),
        "{shown}"
    );
    assert!(shown.contains("Paired 95 %"), "{shown}");
}

/// The metric has no value without a clash: with the drive at its low end, 0.05, in all but 0.0375 of runs.
#[test]
fn a_rank_tells_what_it_leaves_out_and_what_it_cannot_tell() {
    let metric = "[metric.late]\nvalue = \"echo_day + drive\"\n[metric.echo_day]";
    let scenario = SCENARIO.replace("[metric.echo_day]", metric);
    let desk = folder(&[("clash.toml", &scenario)]);
    let ask = |by: &str, more: &[&str]| {
        let line = ["rank", "clash.toml", "--by", by];
        succeed(desk.path(), &[&line[..], more].concat())
    };
    let found = table(&ask("late", &["--format", "csv"]), 1);
    let row = |name: &str| &found[&vec![name.to_owned()]];
    let drive = row("drive");
    assert!((number(drive, "at_low") + 0.45).abs() < 1e-9, "{drive:?}");
    assert!((number(drive, "dropped") - 962.5).abs() < 30.0, "{drive:?}");
    let (low, high) = (number(drive, "base_low"), number(drive, "base_high"));
    assert!(low <= 4.5 && 4.5 <= high, "{drive:?}");
    // Pairs with a value are the same: those without are not known to be.
    let text = ask("late", &[]);
    for part in [
        "Runs without a value are left out",
        "base 6",
        " of 1,000, drive 9",
        "It cannot be told whether 2 parameters moved it, since too few pairs of runs have values that differ:\nlever, idle",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for text in [
        ask("clashes", &["--runs", "1"]),
        ask("late", &["--set", "drive=0", "--params", "lever,idle"]),
    ] {
        assert!(text.contains("Base: cannot be told"), "{text}");
        assert!(text.contains("It cannot be told whether "), "{text}");
        assert!(!text.contains("at most ±"), "{text}");
    }
    let found = table(&ask("clashes", &["--runs", "1", "--format", "csv"]), 1);
    let row = &found[&vec!["drive".to_owned()]];
    for column in ["base", "at_low", "p_adjusted", "at_most"] {
        assert_eq!(row[column], "", "{column}");
    }
}

#[test]
fn the_base_of_a_rank_is_between_0_and_1() {
    let desk = desk();
    for more in [&[][..], &["--over-worlds"]] {
        for drive in ["drive=0.003", "drive=1"] {
            let line = ["rank", "clash.toml", "--by", "clash", "--runs", "1000"];
            let rest = ["--params", "lever", "--set", drive, "--format", "csv"];
            let found = table(&succeed(desk.path(), &[&line[..], &rest, more].concat()), 1);
            let row = &found[&vec!["lever".to_owned()]];
            let [low, base, high] = ["base_low", "base", "base_high"].map(|c| number(row, c));
            assert!(0.0 <= low && low <= base, "{drive} {low} {base}");
            assert!(base < high && high <= 1.0, "{drive} {base} {high}");
        }
    }
}
