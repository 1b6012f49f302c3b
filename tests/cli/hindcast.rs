//! `flashpoint hindcast`, on a scenario whose probabilities are known.
//!
//! The clash comes with probability p, uniform on [0, 1] over worlds, on day 5; without priors p = 0.3.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
#[cfg(unix)]
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{flashpoint, folder, succeed};

const SCENARIO: &str = r#"
[scenario]
title = "A clash"
start = 2024-01-01
horizon = 10
runs_per_world = 20

[parameter.p]
value = 0.3
basis = "assumption"
prior = { dist = "uniform", low = 0, high = 1 }

[actor.a]
kind = "state"

[action.clash]

[[calendar]]
id = "decision"
day = 5
probability = "p"
actor = "a"
action = "clash"

[metric.clashes]
count = "clash"
[metric.clash_day]
first = "clash"

[[endgame]]
id = "any"
"#;

const CASE: &str = r#"
[scenario]
title = "The clash of 2024"
extends = "clash.toml"

[hindcast]
case = "first"
base_rates = "rates.toml"

[[question]]
id = "clash"
ask = "Is there a clash?"
when = "clashes >= 1"
happened = true
last_time = false
base_rate = "clashes"
source = "the newspapers"

[[question]]
id = "day"
ask = "When?"
number = "clash_day"
unit = "days"
limit = 8
happened = 5
last_time = "never"
source = "the newspapers"

[[question]]
id = "what"
ask = "What happens?"
happened = "clash"
base_rate = { shares = { peace = 1, clash = 1 } }
source = "the newspapers"
in_sample = true
[[question.option]]
id = "peace"
when = "clashes == 0"
[[question.option]]
id = "clash"
when = "clashes == 1"
[[question.option]]
id = "war"
"#;

const RATES: &str = r#"
[base_rate.clashes]
probability = 0.6
range = [0.4, 0.8]
source = "a handbook"
"#;

fn desk() -> tempfile::TempDir {
    folder(&[
        ("clash.toml", SCENARIO),
        ("case.toml", CASE),
        ("rates.toml", RATES),
    ])
}

/// The table of scores by question and forecaster.
fn scores(csv: &str) -> BTreeMap<(String, String), BTreeMap<String, String>> {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let cells = line.split(',').map(str::to_owned);
            let row: BTreeMap<String, String> = header
                .iter()
                .map(|name| (*name).to_owned())
                .zip(cells)
                .collect();
            ((row["question"].clone(), row["forecaster"].clone()), row)
        })
        .collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column}: {row:?}"))
}

/// At p = 0.3 the Brier score of yes is 0.49; the day is 5 or never, that is 8: CRPS = 0.7 * 3 - 0.7 * 0.3 * 3 = 1.47; of the three
/// options, half of 0.7^2 + 0.7^2 is 0.49.
#[test]
fn scores_are_those_of_the_closed_form() {
    let desk = desk();
    let line = [
        "hindcast",
        "case.toml",
        "--defaults",
        "--runs",
        "20000",
        "--format",
        "csv",
    ];
    let found = scores(&succeed(desk.path(), &line));
    let at =
        |question: &str, forecaster: &str| &found[&(question.to_owned(), forecaster.to_owned())];
    for (question, exact) in [("clash", 0.49), ("day", 1.47), ("what", 0.49)] {
        let row = at(question, "simulation");
        let (score, error) = (number(row, "score"), number(row, "monte_carlo_error"));
        assert!((score - exact).abs() < 4.0 * error, "{question}: {row:?}");
        assert!(error < 0.02, "{question}: {row:?}");
        // The score of the opposite outcome, 0.09 in each unit, would be caught.
        assert!((score - exact * 0.09 / 0.49).abs() > 4.0 * error);
    }
    let exact = [
        ("clash", "base_rate", 0.16),
        ("clash", "persistence", 1.0),
        ("clash", "uniform", 0.25),
        ("day", "persistence", 3.0),
        // Uniform on [0, 8] at 5: (5^3 + 3^3) / (3 * 8^2).
        ("day", "uniform", 152.0 / 192.0),
        ("what", "base_rate", 0.25),
        ("what", "uniform", 0.5 * (4.0 / 9.0 + 1.0 / 9.0 + 1.0 / 9.0)),
    ];
    for (question, forecaster, exact) in exact {
        let row = at(question, forecaster);
        assert!((number(row, "score") - exact).abs() < 1e-5, "{row:?}");
        let difference = number(at(question, "simulation"), "score") - exact;
        assert!(
            (number(row, "difference") - difference).abs() < 1e-5,
            "{row:?}"
        );
    }
    let rate = at("clash", "base_rate");
    assert!((number(rate, "score_low") - 0.04).abs() < 1e-12);
    assert!((number(rate, "score_high") - 0.36).abs() < 1e-12);
    assert!((number(rate, "logarithmic") + flashpoint::math::ln(0.6)).abs() < 1e-12);
    // What was called impossible.
    assert_eq!(at("clash", "persistence")["logarithmic"], "inf");
    assert!(!found.contains_key(&("what".to_owned(), "persistence".to_owned())));
}

/// What lies beyond the limit counts as it, in the uniform baseline too: uniform on [0, 60] and cut at 8, when 8 happens, its CRPS
/// is the integral of (x / 60)^2 up to 8.
#[test]
fn the_uniform_baseline_ends_at_the_limit() {
    let desk = desk();
    let text = CASE.replace(
        "limit = 8\nhappened = 5",
        "limit = 8\nbetween = [0, 60]\nhappened = \"never\"",
    );
    fs::write(desk.path().join("case.toml"), text).unwrap();
    let line = ["hindcast", "case.toml", "--runs", "200", "--format", "csv"];
    let found = scores(&succeed(desk.path(), &line));
    let row = &found[&("day".to_owned(), "uniform".to_owned())];
    let exact = 512.0 / 3.0 / 3600.0;
    assert!((number(row, "score") - exact).abs() < 1e-4, "{row:?}");
}

/// Of two hindcasts the second takes for ever: an interruption shows the first, and writes nothing.
#[cfg(unix)]
/// One draw of the parameters says nothing of their spread, and what more runs would change is not known of a single case.
#[test]
fn a_single_world_is_not_taken_for_all() {
    let desk = desk();
    let text = succeed(desk.path(), &["hindcast", "case.toml", "--runs", "10"]);
    assert!(text.contains("20 runs"), "{text}");
    let yes = text.lines().find(|line| line.contains("Is there a clash?"));
    assert!(!yes.unwrap().contains('['), "{text}");
    assert!(
        text.contains("What more runs would change cannot be told."),
        "{text}"
    );
}

/// A number that is no day does not fail to come: it lies at the limit or beyond. Its unit is that of the metric.
#[test]
fn numbers_at_their_limit_are_said_to_lie_there() {
    let desk = desk();
    let case = CASE
        .replace(
            "number = \"clash_day\"\nunit = \"days\"",
            "number = \"many\"",
        )
        .replace("happened = 5\nlast_time = \"never\"", "happened = 14")
        + "[metric.many]\nvalue = \"10 * clashes\"\nunit = \"shots\"\n";
    fs::write(desk.path().join("case.toml"), case).unwrap();
    let text = succeed(desk.path(), &["hindcast", "case.toml", "--runs", "400"]);
    let line = text.lines().find(|line| line.contains("When?")).unwrap();
    assert!(line.contains("≥ 8") && !line.contains("never"), "{text}");
    assert!(text.contains("CRPS (shots)"), "{text}");
}

#[test]
fn an_interrupt_shows_the_hindcasts_that_are_complete() {
    let desk = desk();
    let scenario = SCENARIO.replace(
        "[metric.clashes]",
        "[action.shot]\n[process.shots]\nwho = \"a\"\nhazard = 2000\naction = \"shot\"\n[metric.clashes]",
    );
    fs::write(desk.path().join("slow-clash.toml"), scenario).unwrap();
    let slow = CASE.replace("clash.toml", "slow-clash.toml");
    fs::write(desk.path().join("slow.toml"), slow).unwrap();
    // On a busy machine the first may not be complete yet: then a longer wait is tried.
    let shown = [1, 4, 16, 64].into_iter().find_map(|seconds| {
        let process = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
            .current_dir(desk.path())
            .args(["hindcast", "case.toml", "slow.toml", "--runs", "1000000"])
            .args(["--out", "results"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_secs(seconds));
        super::run::interrupt(process.id());
        let output = process.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130));
        assert!(!desk.path().join("results").exists());
        let stdout = String::from_utf8(output.stdout).unwrap();
        let remark = match stdout.is_empty() {
            true => "No hindcast is complete: nothing is kept.\ninterrupted\n",
            false => "No files are written: they are for all hindcasts together.\ninterrupted\n",
        };
        assert_eq!(String::from_utf8_lossy(&output.stderr), remark);
        (!stdout.is_empty()).then_some(stdout)
    });
    let shown = shown.unwrap();
    for part in [
        "1 hindcast, 1,000,000 runs",
        "interrupted: 1 of 2 hindcasts were made\n",
        "The clash of 2024 (case)",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert!(!shown.contains("(slow)"), "{shown}");
}

/// With p uniform over worlds, half of the runs clash, and the probability moves over the whole range of the prior.
#[test]
fn the_band_across_parameters_stands_beside_the_monte_carlo_interval() {
    let desk = desk();
    let line = [
        "hindcast",
        "case.toml",
        "--runs",
        "20000",
        "--format",
        "json",
    ];
    let found: Value = serde_json::from_str(&succeed(desk.path(), &line)).unwrap();
    let yes = &found["questions"][0]["forecast"]["yes"];
    let value = |key: &str| yes[key].as_f64().unwrap();
    assert!(value("low") < 0.5 && 0.5 < value("high"));
    assert!(value("high") - value("low") < 0.06);
    let band = |key: &str| yes["band"][key].as_f64().unwrap();
    assert!((band("low") - 0.05).abs() < 0.05 && (band("high") - 0.95).abs() < 0.05);
    // One case: no interval, and no p-value below 1.
    for row in found["summary"].as_array().unwrap() {
        assert_eq!(
            (&row["cases"], &row["interval"]),
            (&Value::from(1), &Value::Null)
        );
        assert_eq!(row["p_value"], 1.0);
    }
    // The question in sample is left out of the second summary.
    let questions = |out_of_sample: bool| {
        let rows = found["summary"].as_array().unwrap().iter();
        let mut rows = rows.filter(|row| {
            row["out_of_sample"] == out_of_sample
                && row["baseline"] == "uniform"
                && row["scale"] == "Brier or RPS"
        });
        rows.next().unwrap()["questions"].as_u64().unwrap()
    };
    assert_eq!((questions(false), questions(true)), (2, 1));
}

/// Eight cases in which the clash happened, against a baseline that says 1 in 2: differences of one sign, so 2 of 256 assignments.
#[test]
fn cases_are_averaged_and_compared() {
    let desk = desk();
    let mut line = vec!["hindcast".to_owned()];
    for i in 0..8 {
        let name = format!("case-{i}.toml");
        let text = CASE.replace("\"first\"", &format!("\"case {i}\""));
        fs::write(desk.path().join(&name), text).unwrap();
        line.push(name);
    }
    // A second file of one case, and one that does not count.
    fs::write(
        desk.path().join("again.toml"),
        CASE.replace("\"first\"", "\"case 0\""),
    )
    .unwrap();
    let aside = CASE.replace("base_rates =", "in_summary = false\nbase_rates =");
    fs::write(desk.path().join("aside.toml"), aside).unwrap();
    line.extend(
        [
            "again.toml",
            "aside.toml",
            "--set",
            "p=0.3",
            "--runs",
            "1000",
        ]
        .map(str::to_owned),
    );
    line.extend(["--format", "json"].map(str::to_owned));
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let found: Value = serde_json::from_str(&succeed(desk.path(), &line)).unwrap();
    let rows = found["summary"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["baseline"] == "base_rate" && row["out_of_sample"] == true)
        .unwrap();
    assert_eq!(
        (&row["cases"], &row["questions"]),
        (&Value::from(8), &Value::from(9))
    );
    assert!((row["p_value"].as_f64().unwrap() - 2.0 / 256.0).abs() < 1e-12);
    assert!(row["difference"].as_f64().unwrap() > 0.2, "{row}");
}

#[test]
fn results_do_not_depend_on_threads_and_are_written_once() {
    let desk = desk();
    let made = |threads: &str, out: &str| {
        let line = [
            "hindcast",
            "case.toml",
            "--runs",
            "400",
            "--threads",
            threads,
            "--out",
            out,
        ];
        succeed(desk.path(), &line);
        let read = |name: &str| fs::read_to_string(desk.path().join(out).join(name)).unwrap();
        [
            "forecasts.csv",
            "scores.csv",
            "summary.csv",
            "README.md",
            "manifest.json",
        ]
        .map(read)
    };
    assert_eq!(made("1", "one"), made("3", "three"));
    let again = ["hindcast", "case.toml", "--runs", "400", "--out", "one"];
    let refused = flashpoint(desk.path(), &again);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("exists already"),
        "{}",
        refused.stderr
    );
    let text = succeed(desk.path(), &["hindcast", "case.toml", "--runs", "400"]);
    for word in [
        "Is there a clash?",
        "How little this proves",
        "Last time",
        "Cases needed",
    ] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 150),
        "{text}"
    );
}

/// What a broken file is told: the place and what to do.
#[test]
fn mistakes_are_shown_where_they_are() {
    let cases: [(&str, &str, &[&str]); 19] = [
        (
            "ask = \"What happens?\"",
            "ask = \"What happens?\"\nlast_tim = \"war\"",
            &[
                "unknown key `last_tim` in `question[2]`",
                "did you mean `last_time`?",
            ],
        ),
        (
            "[hindcast]",
            "[hindcasts]",
            &["unknown section `hindcasts`", "did you mean `hindcast`?"],
        ),
        (
            "base_rates = \"rates.toml\"",
            "base_rates = \"rats.toml\"",
            &["rats.toml", "case.toml:8:14"],
        ),
        (
            "base_rate = \"clashes\"",
            "base_rate = \"clashs\"",
            &["there is no base rate `clashs`", "did you mean `clashes`?"],
        ),
        (
            "number = \"clash_day\"",
            "number = \"clash_dy\"",
            &["no metric `clash_dy`", "did you mean `clash_day`?"],
        ),
        (
            "when = \"clashes >= 1\"",
            "when = \"clashs >= 1\"",
            &["case.toml:13:9", "`clashs`", "clashes"],
        ),
        (
            "happened = true",
            "happened = 3",
            &["the answer is `true` or `false`"],
        ),
        (
            "happened = 5",
            "happened = true",
            &["the answer is a number or \"never\""],
        ),
        (
            "happened = \"clash\"",
            "happened = \"clsh\"",
            &["no option `clsh`", "did you mean `clash`?"],
        ),
        (
            "limit = 8\n",
            "",
            &["may never come, so the question needs a `limit`"],
        ),
        (
            "when = \"clashes == 1\"\n",
            "",
            &["the option `clash` has no `when`"],
        ),
        (
            "id = \"war\"",
            "id = \"war\"\nwhen = \"clashes == 2\"",
            &["the last option, `war`, must have no `when`"],
        ),
        (
            "id = \"day\"",
            "id = \"clash\"",
            &["two elements with the id `clash`"],
        ),
        (
            "when = \"clashes >= 1\"",
            "when = \"clashes >= 1\"\nnumber = \"clashes\"",
            &["exactly one of `when`, `number` and `option`"],
        ),
        (
            "shares = { peace = 1, clash = 1 }",
            "shares = { peas = 1 }",
            &["`peas`, which is no option"],
        ),
        (
            "shares = { peace = 1, clash = 1 }",
            "probability = 0.5",
            &["must have `shares`"],
        ),
        (
            "extends = \"clash.toml\"",
            "extends = \"clsh.toml\"",
            &["no scenario file `clsh.toml`", "did you mean `clash.toml`?"],
        ),
        (
            "source = \"the newspapers\"\n\n[[question]]\nid = \"day\"",
            "\n[[question]]\nid = \"day\"",
            &["missing key `source` in `question[0]`"],
        ),
        (
            "unit = \"days\"",
            "unit = 3",
            &["`unit` must be text in quotes"],
        ),
    ];
    for (old, new, messages) in cases {
        assert!(CASE.contains(old), "{old}");
        let desk = desk();
        fs::write(desk.path().join("case.toml"), CASE.replacen(old, new, 1)).unwrap();
        let done = flashpoint(desk.path(), &["hindcast", "case.toml"]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (2, ""),
            "{new}: {}",
            done.stderr
        );
        for message in messages {
            assert!(done.stderr.contains(message), "{message}\n{}", done.stderr);
        }
    }
}

#[test]
fn wrong_names_and_empty_files_are_refused() {
    let desk = desk();
    fs::write(desk.path().join("empty.toml"), "").unwrap();
    fs::create_dir(desk.path().join("nothing")).unwrap();
    let asks_nothing = CASE.split("[[question]]").next().unwrap();
    fs::write(desk.path().join("asks.toml"), asks_nothing).unwrap();
    let rates = RATES.replace("probability = 0.6", "probability = 0.6\nprobabilty = 1");
    fs::write(desk.path().join("bad-rates.toml"), rates).unwrap();
    let bad = CASE.replace("rates.toml", "bad-rates.toml");
    fs::write(desk.path().join("bad.toml"), bad).unwrap();
    let cases: [(&[&str], &str); 9] = [
        (
            &["no-such.toml"],
            "`no-such.toml` cannot be read: there is no such file",
        ),
        (
            &["isis-iran/hindcast/june-2071"],
            "did you mean the built-in `isis-iran/hindcast/june-2017`?",
        ),
        (&["empty.toml"], "the file is empty"),
        (&["nothing"], "holds no hindcast"),
        (&["asks.toml"], "the file asks nothing"),
        (&["bad.toml"], "bad-rates.toml:4:1"),
        (
            &["case.toml", "case.toml"],
            "two hindcasts have the name `case`",
        ),
        (&["case.toml", "--set", "q=1"], "no parameter `q`"),
        (
            &["case.toml", "--runs", "0"],
            "invalid value '0' for '--runs <N>': 0 is not in 1..",
        ),
    ];
    for (arguments, message) in cases {
        let line = [&["hindcast"], arguments].concat();
        let done = flashpoint(desk.path(), &line);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(done.stderr.contains(message), "{message}\n{}", done.stderr);
    }
    let capped = SCENARIO.replace("horizon = 10", "horizon = 10\nmax_events = 1")
        .replace("[metric.clashes]", "[[calendar]]\nid = \"more\"\nday = 6\nactor = \"a\"\naction = \"clash\"\n[metric.clashes]");
    fs::write(desk.path().join("clash.toml"), capped).unwrap();
    let done = flashpoint(desk.path(), &["hindcast", "case.toml", "--runs", "100"]);
    assert_eq!(done.code, 1);
    assert!(
        done.stderr.contains("were stopped at `max_events`"),
        "{}",
        done.stderr
    );
}

/// The hindcasts that ship with the program: each can be run, and a folder stands for all in it.
#[test]
fn the_built_in_hindcasts_run() {
    let line = [
        "hindcast",
        "isis-iran/hindcast",
        "--runs",
        "100",
        "--format",
        "json",
    ];
    let found: Value = serde_json::from_str(&succeed(Path::new("/"), &line)).unwrap();
    let questions = found["questions"].as_array().unwrap();
    let files: std::collections::BTreeSet<&str> = questions
        .iter()
        .map(|q| q["file"].as_str().unwrap())
        .collect();
    for name in [
        "june-2017",
        "september-2018",
        "february-2019",
        "october-2022",
        "august-2023",
        "january-2024",
        "year-2017",
        "year-2023",
    ] {
        assert!(
            files.contains(format!("isis-iran/hindcast/{name}").as_str()),
            "{name}"
        );
    }
    // January 2024 was kept out when numbers were chosen.
    let held_out = questions.iter().filter(|q| q["case"] == "January 2024");
    assert!(held_out.clone().count() > 10 && held_out.clone().all(|q| q["in_sample"] == false));
    assert!(
        questions
            .iter()
            .all(|q| !q["source"].as_str().unwrap().is_empty())
    );
}
