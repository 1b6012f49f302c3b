//! The same bytes whatever the number of threads, and the same run whoever looks at it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;

use crate::{folder, succeed};

const FILES: [&str; 7] = [
    "flags.csv",
    "manifest.json",
    "metrics.csv",
    "outcomes.csv",
    "runs.parquet",
    "timeline.csv",
    "timings.json",
];

/// Scenarios, and whether their parameters are drawn.
fn scenarios() -> [(String, bool); 2] {
    let ladder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/bench/ladder-10.toml");
    [
        ("isis-iran/genuine".to_owned(), true),
        (ladder.to_str().unwrap().to_owned(), false),
    ]
}

/// Makes runs and gives the files of results, by name.
fn run(folder: &Path, scenario: &str, out: &str, more: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let line = [
        "run",
        scenario,
        "--runs",
        "400",
        "--keep-runs",
        "--out",
        out,
    ];
    succeed(folder, &[&line, more].concat());
    let entries = fs::read_dir(folder.join(out)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths
        .map(|path| (name(&path), fs::read(&path).unwrap()))
        .collect()
}

#[test]
fn files_are_the_same_for_any_number_of_threads_and_every_time() {
    for (scenario, _) in scenarios() {
        let folder = folder(&[]);
        let mut first = run(folder.path(), &scenario, "first", &["--threads", "1"]);
        let names: Vec<&str> = first.keys().map(String::as_str).collect();
        assert_eq!(names, FILES);
        first.remove("timings.json");
        for (out, threads) in [("again", "1"), ("two", "2"), ("four", "4"), ("four", "4")] {
            let mut other = run(folder.path(), &scenario, out, &["--threads", threads]);
            other.remove("timings.json");
            for (name, bytes) in &first {
                assert!(other[name] == *bytes, "{scenario}: {out}/{name} differs");
            }
        }
        let mut other = run(folder.path(), &scenario, "other", &["--seed", "12"]);
        assert!(other.remove("runs.parquet") != first.remove("runs.parquet"));
    }
}

/// A cell as `trace` writes it: numbers beyond all bounds are null.
fn as_json(field: &Field) -> Value {
    match field {
        Field::Bool(truth) => (*truth).into(),
        Field::ULong(number) => (*number).into(),
        Field::Double(number) => (*number).into(),
        Field::Str(text) => text.clone().into(),
        Field::Null => Value::Null,
        other => panic!("{other}"),
    }
}

#[test]
fn a_traced_run_is_the_one_in_the_file_of_runs() {
    for (scenario, drawn) in scenarios() {
        let folder = folder(&[]);
        run(folder.path(), &scenario, "out", &[]);
        let file = File::open(folder.path().join("out/runs.parquet")).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let rows: Vec<Row> = reader
            .get_row_iter(None)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(rows.len(), 400);

        for run in [0, 1, 49, 50, 255, 256, 399] {
            let cells = rows[run].get_column_iter();
            let mut cells: BTreeMap<&str, Value> = cells
                .map(|(name, cell)| (name.as_str(), as_json(cell)))
                .collect();
            let run = run.to_string();
            let line = ["trace", &scenario, "--run", &run, "--format", "json"];
            let trace: Value = serde_json::from_str(&succeed(folder.path(), &line)).unwrap();
            let result = &trace["result"];
            let mut expected = BTreeMap::from([
                ("run", trace["run"]["run"].clone()),
                ("endgame", result["endgame"]["id"].clone()),
                ("events", result["events"].clone()),
            ]);
            let prefixed = |kind: &str, values: &Value| -> Vec<(String, Value)> {
                let values = values.as_array().unwrap().iter();
                let name = |value: &Value| format!("{kind}_{}", value["id"].as_str().unwrap());
                values
                    .map(|value| (name(value), value["value"].clone()))
                    .collect()
            };
            let values = [
                prefixed("flag", &result["flags"]),
                prefixed("metric", &result["metrics"]),
            ]
            .concat();
            expected.extend(
                values
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.clone())),
            );
            if drawn {
                expected.insert("world", trace["run"]["world"].clone());
            } else {
                assert_eq!(cells.remove("world"), Some(0.into()));
            }
            assert_eq!(cells, expected, "{scenario}, run {run}");
        }
    }
}
