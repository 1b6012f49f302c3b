//! The chapter on hindcasts: its examples run, and its tables name what the program knows.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use flashpoint::calibration::raw::SCHEMA;
use flashpoint::hindcast::schema::{base_rates_schema, hindcast_schema};
use serde_json::Value;

use crate::markdown::{code, guide};

/// The only block of the chapter with this mark.
fn block(info: &str) -> String {
    let mut blocks = guide("hindcast.md").blocks().into_iter();
    let found = blocks.find(|block| block.info == info).unwrap();
    assert!(blocks.all(|block| block.info != info), "{info}");
    found.text
}

#[test]
fn the_examples_run() {
    let folder = tempfile::tempdir().unwrap();
    let tutorial = guide("first-scenario.md").blocks();
    let border = tutorial.into_iter().rfind(|block| block.info == "toml");
    let files = [
        ("border.toml", border.unwrap().text),
        ("march-2021.toml", block("toml,hindcast")),
        ("base-rates.toml", block("toml,base-rates")),
        ("calibration.toml", block("toml,calibration")),
    ];
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), said.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let hindcast = run(&["hindcast", "march-2021.toml", "--runs", "1000"]);
    for shown in [
        "North strikes within 30 days?",
        "How does South answer?",
        "Base rate",
    ] {
        assert!(hindcast.contains(shown), "{hindcast}");
    }
    let calibration = run(&["calibrate", "calibration.toml", "--worlds", "400"]);
    for shown in ["march-2021: north_strikes", "held out", "restraint"] {
        assert!(calibration.contains(shown), "{calibration}");
    }
}

#[test]
fn tables_name_every_key_and_say_which_are_required() {
    let schemas = [hindcast_schema(), base_rates_schema(), SCHEMA.clone()];
    let definition = |name: &str| {
        let mut definitions = schemas
            .iter()
            .filter_map(|schema| schema["$defs"].get(name));
        definitions
            .next()
            .unwrap_or_else(|| panic!("what is {name}?"))
            .clone()
    };
    let tables = guide("hindcast.md").tables("keys:");
    let names: Vec<&str> = tables.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "RawCase",
        "RawQuestion",
        "RawAnswer",
        "RawBaseRate",
        "RawHead",
        "RawFitted",
        "RawPattern",
    ];
    assert_eq!(names, expected);
    for (name, rows) in &tables {
        let definition = definition(name);
        let required = definition.get("required").and_then(Value::as_array);
        let is_required = |key: &String| required.is_some_and(|all| all.iter().any(|k| k == key));
        let keys = definition["properties"].as_object().unwrap().keys();
        let known: BTreeMap<String, bool> =
            keys.map(|key| (key.clone(), is_required(key))).collect();
        let shown: BTreeMap<String, bool> = rows
            .iter()
            .map(|row| (code(&row[0])[0].clone(), row[1] == "required"))
            .collect();
        assert_eq!(shown, known, "the table of {name}");
    }
}
