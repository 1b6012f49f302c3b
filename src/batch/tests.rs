//! Batches as a whole: what is in the cells, and what survives an interruption.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::cell_reader::CellReader;
use super::check::{self, Options};
use super::conduct::{Conducted, Control, Progress, conduct, for_each_cell, standing};
use super::inputs::Inputs;
use super::plan::{CODEC, Identity, Plan};
use super::store::{Description, Store, StoreError};
use crate::experiment::fixture::RIVALS;
use crate::experiment::{self, WorldSource, replicate};
use crate::report::batch::finish;
use crate::scenario::compile::compile;
use crate::scenario::load::load_text;
use crate::scenario::variant::Variant;

/// Two explanations, two variants, a lever and a sweep: 2 x 2 states and 3 x 2 policies.
const EXPERIMENT: &str = r#"
[batch]
runs = 48
keep_runs = true

[scenario.angry]
file = "rivals.toml"

[scenario.calm]
file = "calm.toml"
weight = 3

[variant.silent]
drop = ["rule.answer.back"]

[variant.armed]
set = { rate = 0.2 }

[lever.temper]
values = [0.5, 1]

[sweep.memory]
values = [5, 15]
"#;

/// What makes the experiment weigh its policies.
const GOAL: &str = "\n[goal.peace]\nof = \"war\"\nthreshold = 0.1\n";

fn inputs(experiment: &str) -> Inputs {
    let rivals = RIVALS
        .replace("half_life = 15", "half_life = \"memory\"")
        .replace(
            "[actor.a]",
            "[parameter.memory]\nvalue = 15\nbasis = \"assumption\"\n\n[actor.a]",
        );
    let calm = "[scenario]\nextends = \"rivals.toml\"\n[parameter.rate]\nvalue = 0.01\n\
                prior = { dist = \"lognormal\", median = 0.01, sigma = 0.8 }\n";
    let files = [
        ("experiment.toml", experiment),
        ("rivals.toml", &rivals),
        ("calm.toml", calm),
    ];
    Inputs {
        files: files
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
        builtins: BTreeMap::new(),
    }
}

fn plan(experiment: &str) -> Plan {
    let loaded = check::load(&inputs(experiment), "experiment.toml", Options::default());
    loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

fn description(experiment: &str, plan: &Plan) -> Description {
    Description {
        experiment: "experiment.toml".to_owned(),
        seed: None,
        runs: None,
        select: false,
        identity: plan.identity.clone(),
        inputs: inputs(experiment),
    }
}

fn open(folder: &Path, experiment: &str, plan: &Plan) -> Result<Store, StoreError> {
    Store::open(folder, plan, &description(experiment, plan), false)
}

/// Stops after so many runs.
struct StopAfter<'a> {
    left: AtomicU64,
    stop: &'a AtomicBool,
}

impl Progress for StopAfter<'_> {
    fn advanced(&self, runs: u64) {
        let left = self.left.load(Ordering::Relaxed);
        self.left
            .store(left.saturating_sub(runs), Ordering::Relaxed);
        if left <= runs {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn carry_out(plan: &Plan, store: &Store, threads: usize, runs: u64) -> Conducted {
    let stop = AtomicBool::new(false);
    let progress = StopAfter {
        left: AtomicU64::new(runs),
        stop: &stop,
    };
    let control = Control {
        threads,
        stop: &stop,
        progress: &progress,
    };
    conduct(plan, store, &control).unwrap()
}

/// Name and content of each file in a folder, but for what only says that somebody was there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| !path.ends_with(".lock"))
        .map(|path| {
            let content = if path.is_dir() {
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, content)
        })
        .collect()
}

/// The finished files of a batch that is made in one go.
fn in_one_go(experiment: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(experiment);
    let store = open(folder.path(), experiment, &plan).unwrap();
    let done = carry_out(&plan, &store, 1, u64::MAX);
    finish(&plan, &store, &done).unwrap();
    files(folder.path())
}

/// The same, interrupted after every so many runs, with another number of threads.
fn in_pieces(experiment: &str, runs: u64) -> (BTreeMap<String, Vec<u8>>, u32) {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(experiment);
    let mut sittings = 0;
    loop {
        let store = open(folder.path(), experiment, &plan).unwrap();
        let done = carry_out(&plan, &store, 3, runs);
        sittings += 1;
        if done.complete {
            finish(&plan, &store, &done).unwrap();
            return (files(folder.path()), sittings);
        }
    }
}

#[test]
fn a_cell_holds_the_runs_of_its_scenario_with_its_changes() {
    let plan = plan(EXPERIMENT);
    assert_eq!((plan.cells(), plan.policies(), plan.states()), (24, 6, 4));
    assert_eq!(plan.scenarios[1].weight, 0.75);
    for number in 0..24 {
        assert_eq!(plan.number(plan.cell(number)), number);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), EXPERIMENT, &plan).unwrap();
    let done = carry_out(&plan, &store, 2, u64::MAX);
    let reader = CellReader::new(&store, done.rounds).unwrap();
    let mut occurrences = Vec::new();
    let work = |runs: &super::cell::CellRuns<'_>| -> Vec<u64> {
        (0..3)
            .map(|quantity| runs.occurrences(quantity).0)
            .collect()
    };
    for_each_cell(&plan, &reader, work, |_, counts| {
        occurrences.push(counts);
        Ok(())
    })
    .unwrap();

    // Each cell again, by way of a scenario that is written out and the ordinary runs.
    let sources = inputs(EXPERIMENT).files;
    let mut different = std::collections::BTreeSet::new();
    for (number, counts) in (0..).zip(occurrences) {
        let cell = plan.cell(number);
        let mut text = sources["rivals.toml"].clone();
        if cell.scenario == 1 {
            let prior = "value = 0.03\nbasis = \"assumption\"\nprior = { dist = \"lognormal\", median = 0.03";
            assert!(text.contains(prior));
            text = text.replace(prior, &prior.replace("0.03", "0.01"));
        }
        let loaded = load_text("cell.toml", &text).unwrap();
        let mut setting = Vec::new();
        plan.setting(cell, &mut setting);
        let line = format!("v: memory = {}, temper = {}", setting[0], setting[1]);
        let line = match plan.variants[cell.variant].name.as_str() {
            "silent" => format!("{line}, drop rule.answer.back"),
            "armed" => format!("{line}, rate = 0.2"),
            _ => line,
        };
        let loaded = Variant::parse(&line).unwrap().apply(&loaded).unwrap();
        let model = compile(&loaded).unwrap().model;
        let runs = experiment::Plan {
            seed: 1,
            first_run: 0,
            runs: 48,
            worlds: WorldSource::Priors,
        };
        let control = experiment::Control {
            threads: 1,
            stop: &AtomicBool::new(false),
            progress: &(),
        };
        let expected = replicate(&model, &runs, &control, None).unwrap();
        assert_eq!(counts, expected.summary.totals().endgames, "cell {number}");
        different.insert(counts);
    }
    // The cells are not all alike, so that a cell with another's runs would be seen.
    assert!(different.len() > 5, "{}", different.len());
}

#[test]
fn an_interrupted_batch_ends_with_the_same_bytes() {
    let experiment = &format!("{EXPERIMENT}{GOAL}");
    let whole = in_one_go(experiment);
    let names: Vec<&str> = whole.keys().map(String::as_str).collect();
    let expected = [
        "README.md",
        "batch.json",
        "cells.csv",
        "cells.parquet",
        "comparison.csv",
        "manifest.json",
        "report.txt",
        "robustness.csv",
        "runs.parquet",
    ];
    assert_eq!(names, expected);
    for runs in [1, 700] {
        let (pieces, sittings) = in_pieces(experiment, runs);
        assert!(sittings > 1, "{sittings}");
        for (name, content) in &whole {
            assert!(
                pieces[name] == *content,
                "{name} differs after stops every {runs} runs"
            );
        }
        assert_eq!(pieces.len(), whole.len());
    }
    // The bytes do tell one seed from another.
    let other = in_one_go(&experiment.replace("runs = 48", "runs = 48\nseed = 2"));
    assert_ne!(other["cells.csv"], whole["cells.csv"]);
}

#[test]
fn a_precision_decides_alike_after_an_interruption() {
    let experiment = EXPERIMENT
        .replace(
            "runs = 48\nkeep_runs = true",
            "precision = 0.2\nmax_runs = 4000\nof = [\"war\"]",
        )
        .replace("[lever.temper]\nvalues = [0.5, 1]", "")
        .replace("[sweep.memory]\nvalues = [5, 15]", "");
    let whole = in_one_go(&experiment);
    let manifest: serde_json::Value = serde_json::from_slice(&whole["manifest.json"]).unwrap();
    assert_eq!(manifest["precision_reached"], true);
    let looks = manifest["looks"].as_array().unwrap().len();
    assert!(manifest["runs_per_cell"].as_u64().unwrap() < 4000 && looks > 0);
    let cells = String::from_utf8(whole["cells.csv"].clone()).unwrap();
    let mut reader = csv::Reader::from_reader(cells.as_bytes());
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|known| known == name).unwrap();
    let (low, high) = (place("low"), place("high"));
    for row in reader.records() {
        let row = row.unwrap();
        let [low, high] = [low, high].map(|at| row[at].parse::<f64>().unwrap());
        assert!(high - low <= 0.2, "{row:?}");
    }
    let (pieces, sittings) = in_pieces(&experiment, 900);
    assert!(sittings > 1);
    assert!(pieces == whole, "the files differ");
}

#[test]
fn a_partial_batch_is_balanced_and_useful() {
    let experiment = &format!("{EXPERIMENT}{GOAL}");
    let plan = plan(experiment);
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), experiment, &plan).unwrap();
    // Two rounds of 24 cells with 8 runs each, and a little more.
    let done = carry_out(&plan, &store, 1, 400);
    assert!(!done.complete && done.rounds >= 2, "{done:?}");
    drop(store);
    let looked = standing(&plan, &Store::read_only(folder.path(), &plan)).unwrap();
    assert_eq!(looked, done);
    let store = Store::read_only(folder.path(), &plan);
    let text = crate::report::batch::provisional(&plan, &store, &looked).unwrap();
    assert!(
        text.contains("War, or near it") && text.contains("Goal"),
        "{text}"
    );
}

#[test]
fn a_damaged_chunk_is_made_again() {
    let whole = in_one_go(EXPERIMENT);
    let plan = plan(EXPERIMENT);
    for damage in [0, 70, 5000, usize::MAX] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), EXPERIMENT, &plan).unwrap();
        carry_out(&plan, &store, 1, u64::MAX);
        let chunks = folder.path().join("chunks");
        let first = fs::read_dir(&chunks)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let mut bytes = fs::read(&first).unwrap();
        match bytes.get_mut(damage) {
            Some(byte) => *byte ^= 1,
            None => bytes.truncate(bytes.len() / 2),
        }
        fs::write(&first, bytes).unwrap();
        let looked = standing(&plan, &store).unwrap();
        assert!(!looked.complete);
        let done = carry_out(&plan, &store, 1, u64::MAX);
        finish(&plan, &store, &done).unwrap();
        assert!(files(folder.path()) == whole, "damage at {damage}");
    }
}

#[test]
fn another_batch_in_the_folder_is_refused_and_fresh_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = plan(EXPERIMENT);
    let store = open(folder.path(), EXPERIMENT, &first).unwrap();
    // While one holds the folder, nobody else may.
    assert!(matches!(
        open(folder.path(), EXPERIMENT, &first),
        Err(StoreError::Locked(_))
    ));
    let done = carry_out(&first, &store, 1, u64::MAX);
    finish(&first, &store, &done).unwrap();
    drop(store);
    let cases = [
        (
            ("runs = 48", "runs = 48\nseed = 9"),
            "the seed is 1 then, 9 now",
        ),
        (
            ("runs = 48", "runs = 56"),
            "each cell has 48 runs then, 56 runs now",
        ),
        (
            ("rate = 0.2", "rate = 0.3"),
            "the scenario `angry/armed` and another one reads differently",
        ),
        (
            ("values = [0.5, 1]", "values = [0.5, 2]"),
            "the file of the experiment reads differently",
        ),
    ];
    for ((old, new), message) in cases {
        let text = EXPERIMENT.replace(old, new);
        let changed = plan(&text);
        let refused = open(folder.path(), &text, &changed)
            .unwrap_err()
            .to_string();
        assert!(refused.contains(message), "{refused}");
    }
    // A comment changes nothing.
    let text = format!("# A comment.\n{EXPERIMENT}");
    let same = plan(&text);
    assert!(open(folder.path(), &text, &same).unwrap().is_complete());
    let text = EXPERIMENT.replace("runs = 48", "runs = 56");
    let changed = plan(&text);
    let fresh = Store::open(folder.path(), &changed, &description(&text, &changed), true).unwrap();
    assert!(!fresh.is_complete());
    assert_eq!(
        files(folder.path()).keys().collect::<Vec<_>>(),
        ["batch.json", "chunks"]
    );
}

#[test]
fn a_fresh_start_leaves_nothing_of_an_attempt_that_did_not_end() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = &format!("{EXPERIMENT}{GOAL}");
    let plan = plan(experiment);
    let store = open(folder.path(), experiment, &plan).unwrap();
    let done = carry_out(&plan, &store, 1, u64::MAX);
    finish(&plan, &store, &done).unwrap();
    drop(store);
    // As if it had been killed before the manifest was written, and a selection before it.
    fs::remove_file(folder.path().join("manifest.json")).unwrap();
    for name in [
        "observations.csv",
        "selection.csv",
        ".runs.parquet.4711.partial",
    ] {
        fs::write(folder.path().join(name), "of another experiment\n").unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    Store::open(folder.path(), &plan, &description(experiment, &plan), true).unwrap();
    assert_eq!(
        files(folder.path()).keys().collect::<Vec<_>>(),
        ["batch.json", "chunks", "notes.txt"]
    );
}

#[test]
fn chunks_without_a_description_are_not_taken_for_those_of_another_batch() {
    let folder = tempfile::tempdir().unwrap();
    let other = EXPERIMENT.replace("runs = 48", "runs = 56");
    let store = open(folder.path(), &other, &plan(&other)).unwrap();
    carry_out(&plan(&other), &store, 1, u64::MAX);
    assert!(!store.stored().unwrap().is_empty());
    drop(store);
    fs::remove_file(folder.path().join("batch.json")).unwrap();
    let store = open(folder.path(), EXPERIMENT, &plan(EXPERIMENT)).unwrap();
    assert!(store.stored().unwrap().is_empty());
}

#[test]
fn an_interrupted_fresh_start_does_not_leave_a_batch_that_seems_complete() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(EXPERIMENT);
    let store = open(folder.path(), EXPERIMENT, &plan).unwrap();
    let done = carry_out(&plan, &store, 1, u64::MAX);
    finish(&plan, &store, &done).unwrap();
    assert!(store.is_complete());
    drop(store);
    // A folder in the place of a file cannot be removed as one: the start ends there.
    let cells = folder.path().join("cells.csv");
    fs::remove_file(&cells).unwrap();
    fs::create_dir(&cells).unwrap();
    let fresh = || Store::open(folder.path(), &plan, &description(EXPERIMENT, &plan), true);
    fresh().unwrap_err();
    assert!(!Store::read_only(folder.path(), &plan).is_complete());
    fs::remove_dir(&cells).unwrap();
    assert!(!fresh().unwrap().is_complete());
    assert_eq!(
        files(folder.path()).keys().collect::<Vec<_>>(),
        ["batch.json", "chunks"]
    );
}

#[test]
fn what_a_killed_process_left_is_removed_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(EXPERIMENT);
    drop(open(folder.path(), EXPERIMENT, &plan).unwrap());
    for name in [".runs.parquet.4711.partial", "chunks/.0.chunk.4711.partial"] {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    drop(open(folder.path(), EXPERIMENT, &plan).unwrap());
    for place in ["", "chunks"] {
        let names = fs::read_dir(folder.path().join(place)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(names.into_iter().all(|name| !name.ends_with(".partial")));
    }
}

#[test]
fn a_batch_and_a_selection_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(EXPERIMENT);
    drop(open(folder.path(), EXPERIMENT, &plan).unwrap());
    let selection = Description {
        select: true,
        ..description(EXPERIMENT, &plan)
    };
    let refused = Store::open(folder.path(), &plan, &selection, false).unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.ends_with("holds another batch: it is for every cell, this one for a selection"),
        "{refused}"
    );
}

#[test]
fn files_of_two_codecs_do_not_get_mixed() {
    let identity = plan(EXPERIMENT).identity;
    assert_eq!(identity.codec, CODEC);
    let written = serde_json::to_value(&identity).unwrap();
    // What the ordinary program has written stays as it is.
    assert_eq!(written.get("codec").is_some(), CODEC != "snappy");
    assert_eq!(
        serde_json::from_value::<Identity>(written).unwrap(),
        identity
    );
    let mut other = identity.clone();
    other.codec = "lzo".to_owned();
    assert_eq!(
        identity.differences(&other),
        [format!(
            "Parquet files are compressed with lzo then, {CODEC} now"
        )]
    );
    assert_ne!(identity.digest(), other.digest());
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let plan = plan(EXPERIMENT);
    for fresh in [false, true] {
        let refused =
            Store::open(folder.path(), &plan, &description(EXPERIMENT, &plan), fresh).unwrap_err();
        assert!(matches!(refused, StoreError::Occupied(_)), "{refused}");
    }
    assert_eq!(files(folder.path()).len(), 1);
    let file = folder.path().join("thesis.txt");
    assert!(matches!(
        open(&file, EXPERIMENT, &plan),
        Err(StoreError::NotAFolder(_))
    ));
}
