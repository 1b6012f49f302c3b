//! The reference results of the flagship are those of the program and the scenarios as they are.

use std::fs;
use std::path::{Path, PathBuf};

use flashpoint::digest::sha256_hex;
use flashpoint::scenario::load::load;
use serde_json::Value;

use crate::{folder, succeed};

fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results/isis-iran")
}

const ADVICE: &str = "if this change of results is meant, run results/isis-iran/regenerate";

#[test]
fn the_sample_comes_out_the_same() {
    let folder = folder(&[]);
    let arguments = "run isis-iran/base --runs 500 --seed 1 --out sample";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    succeed(folder.path(), &arguments);
    let mut names: Vec<String> = fs::read_dir(reference().join("sample"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "flags.csv",
            "manifest.json",
            "metrics.csv",
            "outcomes.csv",
            "timeline.csv"
        ]
    );
    for name in names {
        let [expected, made] = [reference(), folder.path().to_owned()]
            .map(|root| fs::read_to_string(root.join("sample").join(&name)).unwrap());
        assert!(expected == made, "sample/{name} differs: {ADVICE}");
    }
}

#[test]
fn the_results_are_of_the_scenarios_as_they_are() {
    for name in ["genuine", "let-through", "orchestrated"] {
        let folder = reference().join(name);
        let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        let scenario = load(&format!("isis-iran/{name}")).unwrap();
        let text = manifest["scenario"]["text"].as_str().unwrap();
        assert!(text == scenario.resolved_text(), "{name}: {ADVICE}");
        for (file, digest) in manifest["files"].as_object().unwrap() {
            let bytes = fs::read(folder.join(file)).unwrap();
            assert_eq!(
                digest.as_str(),
                Some(sha256_hex(&bytes).as_str()),
                "{name}/{file}"
            );
        }
    }
}
