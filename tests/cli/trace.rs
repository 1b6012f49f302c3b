use flashpoint::engine::{Simulator, Unobserved};
use flashpoint::model::{ParameterDraws, World};
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load;
use serde_json::Value;

use crate::{flashpoint, folder, succeed};

const STORY: &str = include_str!("story.toml");

fn traced(extra: &[&str]) -> String {
    let folder = folder(&[("story.toml", STORY)]);
    let arguments = ["trace", "story.toml", "--run", "3"];
    succeed(folder.path(), &[&arguments, extra].concat())
}

fn traced_json(extra: &[&str]) -> Value {
    serde_json::from_str(&traced(&[&["--format", "json"], extra].concat())).unwrap()
}

#[test]
fn a_chronicle_reads_as_a_story() {
    assert_eq!(traced(&[]), include_str!("story.txt"));
}

#[test]
fn a_chronicle_in_json_has_ids_and_labels() {
    let json = traced_json(&[]);
    assert_eq!(json["run"]["run"], 3);
    assert_eq!(json["run"]["world"], Value::Null);
    let entries = json["entries"].as_array().unwrap();
    let first = &entries[0];
    assert_eq!(first["kind"], "event");
    assert_eq!(first["date"], "2024-01-03");
    assert_eq!(first["perpetrator"]["id"], "front");
    assert_eq!(first["perpetrator"]["label"], "the Front");
    assert_eq!(first["claimant"], Value::Null);
    assert_eq!(first["beliefs"][0]["blamed"]["id"], "a");
    assert_eq!(first["decisions"][0]["due"]["day"], 12.0);
    let strike = entries.iter().find(|entry| entry["number"] == 3).unwrap();
    assert_eq!(strike["cause"]["source"]["kind"], "rule");
    assert_eq!(strike["cause"]["answers"], 1);
    assert_eq!(strike["ladder"].as_array().unwrap().len(), 1);
    assert_eq!(strike["ladder"][0]["before"]["level"], 0);
    assert_eq!(strike["ladder"][0]["after"]["id"], "strikes");
    let result = &json["result"];
    assert_eq!(result["endgame"]["id"], "strikes");
    assert_eq!(result["flags"][0]["value"], true);
    assert_eq!(result["metrics"][1]["date"], "2024-01-15");
    assert_eq!(result["metrics"][2]["value"], Value::Null);
}

#[test]
fn a_chronicle_in_csv_is_a_regular_table() {
    let csv = traced(&["--format", "csv"]);
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()));
    let column = |name: &str| rows[0].iter().position(|cell| *cell == name).unwrap();
    let of_kind = |kind: &str| {
        let rows = rows.iter().filter(|row| row[column("kind")] == kind);
        rows.collect::<Vec<_>>()
    };
    let counts = [
        "event", "ladder", "belief", "decision", "dropped", "calendar", "metric",
    ]
    .map(|kind| of_kind(kind).len());
    assert_eq!(counts, [5, 1, 4, 3, 2, 1, 4]);
    assert_eq!(of_kind("ladder")[0][column("after")], "strikes");
    assert_eq!(of_kind("endgame")[0][column("id")], "strikes");
    assert_eq!(of_kind("metric")[2][column("value")], "inf");
    assert_eq!(of_kind("event")[3][column("answers")], "1");
}

#[test]
fn set_changes_the_story() {
    // One day earlier, the strike's answer is due before the summit that it waits for.
    let json = traced_json(&["--set", "patience=9"]);
    assert_eq!(json["run"]["parameters"][0]["value"], 9.0);
    let dropped = json["entries"].as_array().unwrap().iter();
    let reasons: Vec<&Value> = (dropped.map(|entry| &entry["reason"]))
        .filter(|reason| !reason.is_null())
        .collect();
    assert_eq!(reasons, ["no_target", "replaced", "no_longer_holds"]);
    assert_eq!(json["result"]["events"], 4);
}

#[test]
fn an_answer_that_was_replaced_is_not_taken_for_its_successor() {
    // Both answers would be due on the same day.
    let same_day = STORY.replace("delay = \"patience\"", "delay = \"patience + 2 - time\"");
    assert_ne!(same_day, STORY);
    let folder = folder(&[("story.toml", &same_day)]);
    let text = succeed(folder.path(), &["trace", "story.toml", "--run", "0"]);
    assert!(
        text.contains("option strike, escalate, p = 1.00, answering #1)"),
        "{text}"
    );
}

#[test]
fn set_of_an_unknown_parameter_names_the_closest() {
    let folder = folder(&[("story.toml", STORY)]);
    let arguments = ["trace", "story.toml", "--run", "0", "--set", "patiense=9"];
    let done = flashpoint(folder.path(), &arguments);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr.contains("did you mean `patience`?"),
        "{}",
        done.stderr
    );
}

#[test]
fn runs_per_world_can_be_asked_for() {
    let folder = folder(&[]);
    succeed(folder.path(), &["new", "crisis"]);
    let path = folder.path().join("crisis.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let other = text.replacen("[scenario]\n", "[scenario]\nruns_per_world = 3\n", 1);
    std::fs::write(folder.path().join("three.toml"), other).unwrap();
    let results = |line: &[&str]| {
        let line = [line, &["--runs", "300", "--no-files", "--format", "json"]].concat();
        let json: Value = serde_json::from_str(&succeed(folder.path(), &line)).unwrap();
        (json["outcomes"].clone(), json["metrics"].clone())
    };
    let asked = results(&["run", "crisis.toml", "--runs-per-world", "3"]);
    assert!(asked.0.is_array(), "{asked:?}");
    assert_eq!(asked, results(&["run", "three.toml"]));
    assert_ne!(asked, results(&["run", "crisis.toml"]));
    for refused in [["--runs-per-world", "1"], ["--runs-per-world", "3"]] {
        let more: &[&str] = if refused[1] == "3" {
            &["--defaults"]
        } else {
            &[]
        };
        let line = [&["run", "crisis.toml"], &refused[..], more].concat();
        assert_eq!(flashpoint(folder.path(), &line).code, 2, "{line:?}");
    }
}

#[test]
fn the_traced_run_is_the_one_of_the_batch() {
    let folder = folder(&[]);
    succeed(folder.path(), &["new", "crisis"]);
    let path = folder.path().join("crisis.toml");
    let compiled = compile(&load(path.to_str().unwrap()).unwrap()).unwrap();
    let model = &compiled.model;
    let draws = ParameterDraws::new(model, 7);
    let mut drawn = Vec::new();
    let usual = u64::from(model.runs_per_world());
    let runs = [0, usual - 1, usual, 3 * usual + 1].map(|run| (run, usual));
    for (run, per_world) in runs.into_iter().chain([(2, 3), (3, 3)]) {
        let world = World::new(model, draws.world(model, run / per_world)).unwrap();
        let mut simulator = Simulator::new(model, 7);
        let mut state = simulator.allocate();
        simulator.start(&world, run, &mut state).unwrap();
        simulator
            .finish(&world, &mut state, &mut Unobserved)
            .unwrap();

        let (run, asked) = (run.to_string(), per_world.to_string());
        let mut arguments = vec![
            "trace",
            "crisis.toml",
            "--seed",
            "7",
            "--format",
            "json",
            "--run",
            &run,
        ];
        if per_world != usual {
            arguments.extend(["--runs-per-world", &asked]);
        }
        let json: Value = serde_json::from_str(&succeed(folder.path(), &arguments)).unwrap();
        let numbers = |list: &Value| -> Vec<f64> {
            let values = list.as_array().unwrap().iter().map(|item| &item["value"]);
            values
                .map(|v| v.as_f64().unwrap_or(f64::INFINITY))
                .collect()
        };
        assert_eq!(numbers(&json["run"]["parameters"]), world.parameters());
        assert_eq!(numbers(&json["result"]["metrics"]), state.metrics());
        drawn.push(world.parameters()[0]);
    }
    assert!(drawn[0] == drawn[1] && drawn[1] != drawn[2], "{drawn:?}");
    assert!(drawn[4] == drawn[0] && drawn[5] == drawn[2], "{drawn:?}");
}

#[test]
fn defaults_hold_the_parameters() {
    let folder = folder(&[]);
    succeed(folder.path(), &["new", "crisis"]);
    let arguments = ["trace", "crisis.toml", "--run", "60", "--format", "json"];
    let value_with = |extra: &[&str]| {
        let text = succeed(folder.path(), &[&arguments, extra].concat());
        let json: Value = serde_json::from_str(&text).unwrap();
        let rate = &json["run"]["parameters"][0];
        assert_eq!(rate["id"], "attack_rate");
        (
            rate["value"].as_f64().unwrap(),
            rate["drawn"].as_bool().unwrap(),
        )
    };
    assert_eq!(value_with(&["--defaults"]), (6.0, false));
    assert_eq!(value_with(&["--set", "attack_rate=7.5"]), (7.5, false));
    let (value, drawn) = value_with(&[]);
    assert!(drawn && value != 6.0);
}

#[test]
fn a_run_that_fails_is_told_up_to_there() {
    let failing = STORY.replace(
        "[rule.b_answers]\n",
        "[process.talks]\nwho = \"a\"\nhazard = \"0.0001 / (0.5 - world.tension)\"\naction = \"thanks\"\n\n[rule.b_answers]\n",
    );
    let folder = folder(&[("story.toml", &failing)]);
    let done = flashpoint(folder.path(), &["trace", "story.toml", "--run", "0"]);
    assert_eq!(done.code, 1);
    assert!(
        done.stderr
            .starts_with("error: run 0, 2024-01-20: process.talks.hazard"),
        "{}",
        done.stderr
    );
    assert!(
        done.stdout
            .contains("2024-01-15  #3  State B strikes State A"),
        "{}",
        done.stdout
    );
    assert!(!done.stdout.contains("Endgame"), "{}", done.stdout);
}
