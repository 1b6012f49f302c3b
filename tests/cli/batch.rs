//! `flashpoint batch` and `flashpoint status` as processes: kills, locks, files, and bad experiments.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::run::SCENARIO;
use crate::{flashpoint, folder, succeed};

const EXPERIMENT: &str = r#"
[batch]
title = "Raids and walls"
runs = 100
keep_runs = true

[scenario.border]
file = "raids.toml"
label = "The border"

[variant.quiet]
label = "A quiet year"
set = { rate = 0.001 }

[variant.none]
drop = ["process.raids"]

[goal.peace]
of = "some"
threshold = 0.5

[select]
indifference = 0.1
"#;

fn desk(experiment: &str) -> tempfile::TempDir {
    folder(&[("raids.toml", SCENARIO), ("walls.toml", experiment)])
}

/// Name and content of each file of a finished batch.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&path).unwrap_or_default())
        })
        .collect()
}

fn column(table: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let place = (reader.headers().unwrap().iter()).position(|known| known == name);
    let place = place.unwrap_or_else(|| panic!("no column {name}"));
    (reader.records())
        .map(|row| row.unwrap()[place].to_owned())
        .collect()
}

fn text(files: &BTreeMap<String, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

#[test]
fn a_batch_explains_itself_and_is_not_run_twice() {
    let desk = desk(EXPERIMENT);
    let planned = succeed(
        desk.path(),
        &["batch", "walls.toml", "--dry-run", "--threads", "1"],
    );
    assert!(
        planned.contains("3 (3 policies in 1 state of the world)"),
        "{planned}"
    );
    assert!(planned.contains("100 in each cell, 300 in all") && planned.contains("disk"));
    assert!(!desk.path().join("results").exists());

    let printed = succeed(desk.path(), &["batch", "walls.toml"]);
    for part in [
        "Raids and walls\n3 cells: 3 policies in 1 state of the world; 100 runs each, 2 draws",
        "A quiet year",
        "differences to the baseline (As it is) are significant",
        "Goal some",
        "Results: results/walls\n",
    ] {
        assert!(printed.contains(part), "{part}\n{printed}");
    }
    let made = files(&desk.path().join("results/walls"));
    let again = succeed(desk.path(), &["batch", "walls.toml"]);
    assert!(again.contains("complete before") && again.starts_with("Raids and walls\n"));
    assert!(files(&desk.path().join("results/walls")) == made);
    let status = succeed(desk.path(), &["status", "results/walls"]);
    assert!(status.ends_with("Complete.\n") && status.contains("A quiet year"));

    // Every file is in the manifest with its digest, and in the README.
    let manifest: serde_json::Value = serde_json::from_slice(&made["manifest.json"]).unwrap();
    let listed = manifest["files"].as_object().unwrap();
    let readme = text(&made, "README.md");
    for name in made.keys() {
        if !["manifest.json", "batch.json", ".lock"].contains(&name.as_str()) {
            assert!(listed.contains_key(name), "{name}");
        }
        assert!(
            name == ".lock" || readme.contains(&format!("`{name}`")),
            "{name}\n{readme}"
        );
    }
    // Without raids there are none; the paired difference says so exactly.
    let cells = text(&made, "cells.csv");
    let place = column(&cells, "variant")
        .iter()
        .position(|name| name == "none");
    assert_eq!(column(&cells, "quantity")[place.unwrap()], "some");
    assert_eq!(column(&cells, "estimate")[place.unwrap()], "0");
}

#[test]
fn parquet_files_hold_what_the_tables_hold() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let desk = desk(EXPERIMENT);
    succeed(desk.path(), &["batch", "walls.toml", "--threads", "2"]);
    let results = desk.path().join("results/walls");
    let open = |name: &str| {
        let file = fs::File::open(results.join(name)).unwrap();
        SerializedFileReader::new(file).unwrap()
    };
    let cells = fs::read_to_string(results.join("cells.csv")).unwrap();
    let mut csv = csv::Reader::from_reader(cells.as_bytes());
    let header = csv.headers().unwrap().clone();
    let mut rows = 0;
    for (row, record) in open("cells.parquet")
        .get_row_iter(None)
        .unwrap()
        .zip(csv.records())
    {
        let (row, record) = (row.unwrap(), record.unwrap());
        for (((name, field), title), cell) in row.get_column_iter().zip(&header).zip(&record) {
            assert_eq!(name, title);
            match field {
                Field::Null => assert_eq!(cell, ""),
                Field::Double(x) => assert_eq!(cell.parse::<f64>().unwrap(), *x),
                Field::ULong(n) => assert_eq!(cell.parse::<u64>().unwrap(), *n),
                Field::Str(text) => assert_eq!(cell, text),
                other => panic!("{other}"),
            }
        }
        rows += 1;
    }
    assert_eq!(rows, column(&cells, "cell").len());

    // The single runs add up to the estimates.
    let runs = open("runs.parquet");
    let metadata = runs
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .unwrap();
    let described = metadata
        .iter()
        .find(|pair| pair.key == "flashpoint")
        .unwrap();
    assert!(
        described
            .value
            .as_ref()
            .unwrap()
            .contains("The same chance")
            || described
                .value
                .as_ref()
                .unwrap()
                .contains("the same chance")
    );
    let mut counted: BTreeMap<(u64, String), u64> = BTreeMap::new();
    let mut total = 0;
    for row in runs.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let fields: BTreeMap<&String, &Field> = row.get_column_iter().collect();
        let of = |name: &str| fields[&name.to_owned()];
        let (Field::ULong(cell), Field::Str(endgame), Field::Double(raids)) =
            (of("cell"), of("endgame"), of("metric_raids"))
        else {
            panic!("{row}");
        };
        assert_eq!(endgame == "some", *raids > 0.0);
        *counted.entry((*cell, endgame.clone())).or_default() += 1;
        total += 1;
    }
    assert_eq!(total, 300);
    // The README names the codec, whichever the program is built with.
    let readme = fs::read_to_string(results.join("README.md")).unwrap();
    for group in runs.metadata().row_groups() {
        for column in group.columns() {
            let codec = column.compression().to_string().to_lowercase();
            let name = codec.split('(').next().unwrap_or_default();
            assert!(
                readme.contains(&format!("Parquet files are compressed with {name}.")),
                "{codec}\n{readme}"
            );
        }
    }
    let (numbers, quantities) = (column(&cells, "cell"), column(&cells, "quantity"));
    let estimates = column(&cells, "estimate");
    for ((cell, quantity), estimate) in numbers.iter().zip(&quantities).zip(&estimates) {
        if quantity == "some" {
            let count = counted.get(&(cell.parse().unwrap(), quantity.clone()));
            assert_eq!(
                estimate.parse::<f64>().unwrap(),
                *count.unwrap_or(&0) as f64 / 100.0
            );
        }
    }
}

#[test]
fn comparisons_are_those_of_the_command_compare() {
    let desk = desk(EXPERIMENT);
    succeed(desk.path(), &["batch", "walls.toml"]);
    let table = fs::read_to_string(desk.path().join("results/walls/comparison.csv")).unwrap();
    let what_if = "quiet: rate = 0.001";
    let compared = succeed(
        desk.path(),
        &[
            "compare",
            "raids.toml",
            "--what-if",
            what_if,
            "--runs",
            "100",
            "--format",
            "csv",
        ],
    );
    let rows = |table: &str, names: &[&str]| -> BTreeMap<String, Vec<String>> {
        let columns: Vec<Vec<String>> = names.iter().map(|name| column(table, name)).collect();
        let quantities = column(table, "quantity").into_iter().enumerate();
        quantities
            .map(|(row, quantity)| {
                let cells = columns.iter().map(|column| column[row].clone()).collect();
                (quantity, cells)
            })
            .collect()
    };
    // Holm's correction is over all rows of a table, so it is left out.
    let names = [
        "baseline",
        "estimate",
        "difference",
        "low",
        "high",
        "variance_reduction",
        "p_value",
    ];
    let quiet: String = (table.lines())
        .filter(|line| line.starts_with("cell,") || line.contains(",quiet,"))
        .map(|line| format!("{line}\n"))
        .collect();
    let (batch, compare) = (rows(&quiet, &names), rows(&compared, &names));
    assert_eq!(batch.len(), 3, "{quiet}");
    for (quantity, row) in batch {
        assert_eq!(compare[&quantity], row, "{quantity}");
    }
}

#[test]
fn the_best_policy_is_selected_and_a_second_time_nothing_is_run() {
    let desk = desk(EXPERIMENT);
    let printed = succeed(desk.path(), &["batch", "walls.toml", "--select"]);
    assert!(
        printed.contains("Best: none.\nWith a probability of 95"),
        "{printed}"
    );
    let made = files(&desk.path().join("results/walls-selection"));
    let table = text(&made, "selection.csv");
    let best = column(&table, "best")
        .iter()
        .position(|best| best == "true");
    assert_eq!(column(&table, "variant")[best.unwrap()], "none");
    // A log that was cut off in the middle of a line gives the same selection.
    let second = tempfile::tempdir().unwrap();
    let copy = second.path().join("copy");
    fs::create_dir_all(&copy).unwrap();
    fs::write(copy.join("batch.json"), &made["batch.json"]).unwrap();
    let log = &made["observations.csv"];
    let half = &log[..log.len() / 2];
    fs::write(copy.join("observations.csv"), half).unwrap();
    let stored = half.iter().filter(|&&byte| byte == b'\n').count() - 1;
    let status = succeed(desk.path(), &["status", copy.to_str().unwrap()]);
    assert!(
        status.contains(&format!("{stored} observations are stored")),
        "{status}"
    );
    succeed(
        desk.path(),
        &[
            "batch",
            "walls.toml",
            "--select",
            "--out",
            copy.to_str().unwrap(),
        ],
    );
    assert!(files(&copy) == made, "the files differ");

    let without = EXPERIMENT.replace("[select]\nindifference = 0.1", "");
    fs::write(desk.path().join("walls.toml"), without).unwrap();
    let done = flashpoint(desk.path(), &["batch", "walls.toml", "--select"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr.contains("does not say how to select"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_failed_cell_is_recorded_and_the_others_finish() {
    // With a high level, the hazard becomes negative as soon as somebody raids.
    let scenario = SCENARIO
        .replace(
            "[action.raid]",
            "[stock.fear]\nof = \"world\"\ninitial = 0\n\n[action.raid]\neffects = [\"world.fear += 1\"]",
        )
        .replace("hazard = \"rate\"", "hazard = \"rate - bite * world.fear\"")
        .replace(
            "[actor.a]",
            "[parameter.bite]\nvalue = 0\nbasis = \"assumption\"\n\n[actor.a]",
        );
    let experiment = "[batch]\nruns = 100\n[scenario.border]\nfile = \"raids.toml\"\n\
                      [sweep.bite]\nvalues = [0, 1]\n";
    let desk = folder(&[("raids.toml", &scenario), ("walls.toml", experiment)]);
    let done = flashpoint(desk.path(), &["batch", "walls.toml"]);
    assert_eq!(done.code, 3, "{}", done.stderr);
    assert!(
        done.stdout
            .contains("1 cell failed and is in no table but failures.csv")
    );
    assert!(done.stderr.contains("1 cell failed"), "{}", done.stderr);
    let made = files(&desk.path().join("results/walls"));
    let failures = text(&made, "failures.csv");
    assert_eq!(column(&failures, "sweep_bite"), ["1"]);
    assert!(
        column(&failures, "error")[0].contains("process.raids.hazard"),
        "{failures}"
    );
    let cells = text(&made, "cells.csv");
    assert!(
        column(&cells, "sweep_bite")
            .iter()
            .all(|value| value == "0")
    );
    assert!(!column(&cells, "cell").is_empty());
    // Complete, and still with its exit code.
    assert_eq!(flashpoint(desk.path(), &["batch", "walls.toml"]).code, 3);
}

/// A war and a storm, each with its probability; the cap lets only one of the two happen.
const CAPPED: &str = r#"
[scenario]
title = "Wars and storms"
start = 2024-01-01
horizon = 10
max_events = 1
[parameter.wars_share]
value = 0.5
basis = "assumption"
[parameter.storms_share]
value = 0
basis = "assumption"
[actor.a]
kind = "state"
[action.war]
[action.storm]
[[calendar]]
id = "war"
day = 1
probability = "wars_share"
actor = "a"
action = "war"
[[calendar]]
id = "storm"
day = 2
probability = "storms_share"
actor = "a"
action = "storm"
[metric.wars]
count = ["war"]
[[endgame]]
id = "war"
when = "wars > 0"
[[endgame]]
id = "peace"
"#;

/// Half of the wars or all of them are followed by a storm, at the cap.
const CAPPED_EXPERIMENT: &str = r#"
[batch]
runs = 1000
of = ["war", "wars"]
[scenario.storms]
file = "storms.toml"
[variant.careful]
set = { wars_share = 0.1 }
[lever.storms_share]
values = [0, 0.5, 1]
[goal.peace]
of = "war"
[select]
indifference = 0.1
"#;

#[test]
fn runs_at_the_cap_count_alike_in_every_table_and_are_told() {
    let desk = folder(&[("storms.toml", CAPPED), ("capped.toml", CAPPED_EXPERIMENT)]);
    let printed = succeed(desk.path(), &["batch", "capped.toml"]);
    let made = files(&desk.path().join("results/capped"));
    let cells = text(&made, "cells.csv");
    let of_wars = |name: &str| -> Vec<f64> {
        let rows = column(&cells, "quantity").into_iter();
        let rows = rows.zip(column(&cells, name));
        let rows = rows.filter(|(quantity, _)| quantity == "war");
        rows.map(|(_, value)| value.parse().unwrap()).collect()
    };
    let (shares, capped) = (of_wars("estimate"), of_wars("capped"));
    assert!(capped[0] == 0.0 && (200.0..300.0).contains(&capped[1]));
    assert!((400.0..600.0).contains(&capped[2]) && shares[2] == 0.0);
    let robustness = text(&made, "robustness.csv");
    for (expected, share) in column(&robustness, "expected").iter().zip(&shares) {
        let expected: f64 = expected.parse().unwrap();
        assert!((expected - share).abs() < 1e-12, "{expected} {share}");
    }
    // A storm does not keep peace, though all wars with one are cut off; care does.
    let comparison = text(&made, "comparison.csv");
    let significant: Vec<String> = column(&comparison, "quantity")
        .into_iter()
        .zip(column(&comparison, "significant"))
        .filter(|(quantity, _)| quantity == "war")
        .map(|(_, significant)| significant)
        .collect();
    assert_eq!(significant, ["false", "false", "true", "true", "true"]);
    let all: f64 = capped.iter().sum();
    for part in [
        "WARNING: in 4 cells runs were stopped at the cap on events (`max_events`)",
        &format!(
            "  cell 1 (storms / as_is, storms_share = 0.5): {} of 1,000 runs\n",
            capped[1]
        ),
        "WARNING: 8 differences rest on pairs in which a run was stopped",
    ] {
        assert!(printed.contains(part), "{part}\n{printed}");
    }
    let part =
        format!("WARNING: {all} runs that were stopped at the cap on events count as ones without");
    assert!(printed.contains(&part), "{part}\n{printed}");
    // Which policy is best hangs on what is not known.
    let done = flashpoint(desk.path(), &["batch", "capped.toml", "--select"]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    for part in ["were stopped at the cap on events", "raise `max_events`"] {
        assert!(done.stderr.contains(part), "{part}\n{}", done.stderr);
    }

    // Neither are scenarios beside each other without a warning.
    let stormy = "[scenario]\nextends = \"storms.toml\"\n[parameter.storms_share]\nvalue = 0.5\n";
    fs::write(desk.path().join("stormy.toml"), stormy).unwrap();
    let line = [
        "run",
        "storms.toml",
        "stormy.toml",
        "--runs",
        "100",
        "--no-files",
    ];
    let shown = succeed(desk.path(), &line);
    assert!(
        shown.contains("WARNING: stormy: ") && !shown.contains("WARNING: storms: "),
        "{shown}"
    );

    // A mean over no run at all is not weighed, for the reason that there is.
    let all_capped = CAPPED_EXPERIMENT
        .replace("wars_share = 0.1", "wars_share = 1")
        .replace("of = \"war\"", "of = \"wars\"");
    fs::write(desk.path().join("none.toml"), all_capped).unwrap();
    let printed = succeed(desk.path(), &["batch", "none.toml"]);
    let part = "not weighed: in cell 5 (storms / careful, storms_share = 1) none of 100 runs in a row has a value: each was stopped \
                at the cap on events";
    assert!(printed.contains(part), "{part}\n{printed}");
}

/// Enough to do for a while.
fn long() -> String {
    EXPERIMENT.replace("runs = 100\n", "runs = 12000\n")
}

fn start(desk: &Path, out: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_flashpoint"))
        .current_dir(desk)
        .args(["batch", "walls.toml", "--threads", "1", "--out", out])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until so many chunks are stored.
fn wait_for_chunks(folder: &Path, count: usize) {
    for _ in 0..12_000 {
        let chunks = fs::read_dir(folder.join("chunks"));
        let stored = chunks.map_or(0, |entries| {
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            names.filter(|name| name.ends_with(".chunk")).count()
        });
        if stored >= count || folder.join("manifest.json").exists() {
            return;
        }
        sleep(Duration::from_millis(5));
    }
    panic!("no chunks");
}

#[test]
fn killed_at_any_moment_a_batch_goes_on_to_the_same_files() {
    let desk = desk(&long());
    succeed(desk.path(), &["batch", "walls.toml", "--out", "whole"]);
    let whole = files(&desk.path().join("whole"));
    let target = desk.path().join("pieces");
    let mut killed = 0;
    for chunks in [0, 1, 5, 20] {
        let mut child = start(desk.path(), "pieces");
        wait_for_chunks(&target, chunks);
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
    }
    assert!(killed >= 3, "{killed}");
    let status = succeed(desk.path(), &["status", "pieces"]);
    assert!(
        status.contains("Provisional: ") || status.contains("Complete."),
        "{status}"
    );
    succeed(desk.path(), &["batch", "walls.toml", "--out", "pieces"]);
    assert!(files(&target) == whole, "the files differ");
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let desk = desk(&long());
    let mut first = start(desk.path(), "shared");
    wait_for_chunks(&desk.path().join("shared"), 1);
    let second = flashpoint(desk.path(), &["batch", "walls.toml", "--out", "shared"]);
    let looked = flashpoint(desk.path(), &["status", "shared"]);
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(second.code, 2);
    assert!(
        second.stderr.contains("another flashpoint is at work"),
        "{}",
        second.stderr
    );
    // Looking is allowed.
    assert_eq!(looked.code, 0, "{}", looked.stderr);
}

#[cfg(unix)]
#[test]
fn an_interruption_saves_and_says_how_to_go_on() {
    let desk = desk(&long());
    let child = start(desk.path(), "it");
    wait_for_chunks(&desk.path().join("it"), 1);
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let done = child.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(130));
    let printed = String::from_utf8(done.stdout).unwrap();
    let command = "    flashpoint batch walls.toml --out it --threads 1\n";
    assert!(
        printed.contains("Stopped: ") && printed.contains(command),
        "{printed}"
    );
    assert!(
        printed.contains("A quiet year"),
        "provisional results: {printed}"
    );
    let changed = long().replace("rate = 0.001", "rate = 0.002");
    fs::write(desk.path().join("walls.toml"), changed).unwrap();
    let refused = flashpoint(desk.path(), &["batch", "walls.toml", "--out", "it"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .stderr
            .contains("`border/quiet` reads differently now")
            && refused.stderr.contains("--fresh starts over"),
        "{}",
        refused.stderr
    );
}

#[test]
fn mistakes_in_an_experiment_are_found_before_anything_runs() {
    // What is replaced, by what, and what the message says.
    let cases: [(&str, &str, &[&str]); 28] = [
        (
            "raids.toml",
            "raid.toml",
            &[
                "there is no scenario file `raid.toml`",
                "walls.toml:8:8",
                "did you mean `raids.toml`?",
            ],
        ),
        (
            "[batch]",
            "[batc]",
            &["unknown key `batc`", "did you mean `batch`?"],
        ),
        ("runs = 100", "runs = 0", &["`runs` must be at least 1"]),
        ("runs = 100", "runs = -3", &["`runs` must not be negative"]),
        (
            "runs = 100",
            "precision = 1.5",
            &["must lie between 0 and 1"],
        ),
        (
            "runs = 100",
            "runs = 100\nprecision = 0.1",
            &["contradict each other"],
        ),
        (
            "runs = 100",
            "runs = 100\nmax_runs = 5",
            &["`max_runs` belongs to a `precision`"],
        ),
        (
            "runs = 100",
            "runs = 100\nof = [\"sme\"]",
            &["no endgame, flag or metric `sme`", "did you mean `some`?"],
        ),
        (
            "runs = 100",
            "runs = 100\nof = [\"some\", \"some\"]",
            &["listed twice"],
        ),
        ("runs = 100", "runs = 100\nof = []", &["`of` is empty"]),
        (
            "rate = 0.001",
            "rat = 0.001",
            &[
                "no parameter `rat`",
                "did you mean `rate`?",
                "walls.toml:13:9",
            ],
        ),
        (
            "process.raids",
            "process.raid",
            &["has no process `raid`", "did you mean `raids`?"],
        ),
        ("process.raids", "actor.a", &["cannot be dropped"]),
        (
            "[variant.none]",
            "[variant.none]\noverlay = \"nothing\"",
            &["there is no scenario file `nothing`"],
        ),
        (
            "[variant.none]",
            "[variant.as_is]",
            &["`as_is` is the variant that changes nothing"],
        ),
        (
            "[goal.peace]",
            "[lever.rate]\nvalues = [0.1]\n\n[goal.peace]",
            &["the variant `quiet` changes `rate`, which is a lever too"],
        ),
        (
            "[goal.peace]",
            "[lever.horizon]\nvalues = [1]\n\n[goal.peace]",
            &["has no parameter `horizon`"],
        ),
        (
            "set = { rate = 0.001 }",
            "[lever.rate]\nvalues = []",
            &["`rate` has no values to try"],
        ),
        (
            "set = { rate = 0.001 }",
            "[lever.rate]\nvalues = [1, 1]",
            &["the value 1 twice"],
        ),
        (
            "set = { rate = 0.001 }",
            "[lever.rate]\nrange = [2, 1]",
            &["the range must rise"],
        ),
        (
            "set = { rate = 0.001 }",
            "[lever.rate]\nrange = [0, 1]\nscale = \"log\"",
            &["must be above 0"],
        ),
        (
            "set = { rate = 0.001 }",
            "[lever.rate]\n[sweep.rate]",
            &["both a lever and a sweep"],
        ),
        (
            "set = { rate = 0.001 }",
            "[lever.rate]\n[design.lever]\nkind = \"sobol\"",
            &["how many `points`"],
        ),
        (
            "set = { rate = 0.001 }",
            "[design.sweep]\nkind = \"sobol\"\npoints = 8",
            &["but no sweep"],
        ),
        (
            "set = { rate = 0.001 }",
            "[lever.rate]\n[design.lever]\nkind = \"sobol\"\npoints = 0",
            &["a design without points is empty"],
        ),
        (
            "[goal.peace]",
            "[baseline]\nvariant = \"quite\"\n\n[goal.peace]",
            &["no variant `quite`", "did you mean `quiet`?"],
        ),
        (
            "threshold = 0.5",
            "threshold = 50",
            &["a probability between 0 and 1"],
        ),
        (
            "indifference = 0.1",
            "indifference = 0",
            &["must be above 0"],
        ),
    ];
    for (old, new, messages) in cases {
        assert!(EXPERIMENT.contains(old), "{old}");
        let desk = desk(&EXPERIMENT.replacen(old, new, 1));
        let done = flashpoint(desk.path(), &["batch", "walls.toml"]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (2, ""),
            "{new}: {}",
            done.stderr
        );
        for message in messages {
            assert!(done.stderr.contains(message), "{new}: {}", done.stderr);
        }
        assert!(!desk.path().join("results").exists(), "{new}");
    }
}

#[test]
fn values_that_a_scenario_cannot_have_and_designs_that_no_disk_holds_are_refused() {
    let scenario = SCENARIO.replace(
        "[action.raid]",
        "[stock.fear]\nof = \"world\"\ninitial = 0\nhalf_life = \"memory\"\n\n[action.raid]\neffects = [\"world.fear += 1\"]",
    ).replace("[actor.a]", "[parameter.memory]\nvalue = 5\nbasis = \"assumption\"\nprior = { dist = \"uniform\", low = 1, high = 9 }\n\n[actor.a]");
    let experiment =
        |axis: &str| format!("[batch]\n[scenario.border]\nfile = \"raids.toml\"\n{axis}");
    let desk = folder(&[("raids.toml", &scenario), ("walls.toml", "")]);
    let refused = |axis: &str| {
        fs::write(desk.path().join("walls.toml"), experiment(axis)).unwrap();
        let done = flashpoint(desk.path(), &["batch", "walls.toml"]);
        assert_eq!(done.code, 2, "{}", done.stdout);
        assert!(!desk.path().join("results/walls/cells.csv").exists());
        done.stderr
    };
    let text = refused("[sweep.memory]\nvalues = [5, -1]\n");
    assert!(
        text.contains("stock.fear.half_life is -1, but must be a positive number of days"),
        "{text}"
    );
    assert!(text.contains("walls.toml:4:8"), "{text}");
    let text = refused(
        "[sweep.memory]\nrange = [1, 9]\nsteps = 4000000000\n[sweep.rate]\nrange = [0.01, 0.05]\nsteps = 4000000\n",
    );
    assert!(text.contains("at most 1000000 `steps`"), "{text}");
    let text = refused(
        "[sweep.memory]\nrange = [1, 9]\n[design.sweep]\nkind = \"latin_hypercube\"\npoints = 4000000000\n",
    );
    assert!(text.contains("at most 10000000 `points`"), "{text}");
    let text = refused(
        "[sweep.memory]\nrange = [1, 9]\nsteps = 100000\n[sweep.rate]\nrange = [0.01, 0.05]\nsteps = 10000\n",
    );
    assert!(
        text.contains("the batch needs about") && text.contains("TB"),
        "{text}"
    );
    // What the prior rules out is allowed, and remarked upon.
    fs::write(
        desk.path().join("walls.toml"),
        experiment("[sweep.memory]\nvalues = [5, 20]\n"),
    )
    .unwrap();
    let done = flashpoint(desk.path(), &["batch", "walls.toml", "--dry-run"]);
    assert_eq!(done.code, 0);
    assert!(
        done.stderr.contains("its prior has nothing outside 1 to 9"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_scenario_is_no_experiment() {
    let desk = desk(EXPERIMENT);
    for name in ["raids.toml", "isis-iran/genuine"] {
        let done = flashpoint(desk.path(), &["batch", name, "--dry-run"]);
        assert_eq!(done.code, 2);
        assert!(
            done.stderr
                .contains(&format!("`{name}` is a scenario, not an experiment")),
            "{}",
            done.stderr
        );
    }
}

#[test]
fn a_manifest_that_was_changed_is_reported() {
    let desk = desk(EXPERIMENT);
    succeed(desk.path(), &["batch", "walls.toml"]);
    fs::write(desk.path().join("results/walls/manifest.json"), "{").unwrap();
    let done = flashpoint(desk.path(), &["batch", "walls.toml"]);
    assert_eq!(done.code, 1);
    assert!(
        done.stderr
            .contains("manifest.json is not as it was written")
            && done.stderr.contains("--fresh"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_folder_that_is_no_batch_has_no_status() {
    let desk = desk(EXPERIMENT);
    for folder in [".", "nowhere"] {
        let done = flashpoint(desk.path(), &["status", folder]);
        assert_eq!(done.code, 2);
        assert!(
            done.stderr.contains("is not the folder of a batch"),
            "{}",
            done.stderr
        );
    }
}
