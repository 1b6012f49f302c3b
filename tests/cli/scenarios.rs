use std::fs;

use crate::{flashpoint, folder, succeed};

#[test]
fn the_built_in_scenarios_can_be_listed_shown_and_exported() {
    let folder = folder(&[]);
    let exported = succeed(folder.path(), &["scenarios", "--export", "all"]);
    assert!(folder.path().join("all/scenario.schema.json").exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    assert!(folder.path().join("all/experiment.schema.json").exists());

    let table = succeed(folder.path(), &["scenarios"]);
    let (scenarios, experiments) = table.split_once("\nExperiments").unwrap();
    let (_, experiments) = experiments.split_once("\n\n").unwrap();
    let listed = scenarios.lines().count() + experiments.lines().count();
    let beside = |file: &&str| file.contains("/hindcast/") || file.ends_with(".schema.json");
    let found = exported.lines().filter(|file| !beside(file)).count();
    assert_eq!(found, listed);
    for line in scenarios.lines() {
        let (name, title) = line.split_once(' ').expect(line);
        assert!(!title.trim().is_empty(), "{name} has no title");
        let text = succeed(folder.path(), &["scenarios", "--show", name]);
        let file = folder.path().join(format!("all/{name}.toml"));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        succeed(folder.path(), &["check", file.to_str().unwrap()]);

        let up = "../".repeat(name.matches('/').count());
        let reference = format!("#:schema {up}scenario.schema.json");
        assert_eq!(text.lines().next(), Some(reference.as_str()), "{name}");
    }
    for line in experiments.lines() {
        let (name, title) = line.split_once(' ').expect(line);
        assert!(!title.trim().is_empty(), "{name} has no title");
        let text = succeed(folder.path(), &["scenarios", "--show", name]);
        let file = folder.path().join(format!("all/{name}.toml"));
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
        // The exported file finds the exported scenarios beside it, and is the same experiment.
        let counted = |experiment: &str| {
            let done = flashpoint(folder.path(), &["batch", experiment, "--dry-run"]);
            assert_eq!(done.code, 0, "{}", done.stderr);
            done.stdout
                .lines()
                .take(3)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(counted(name), counted(file.to_str().unwrap()));
        let up = "../".repeat(name.matches('/').count());
        let reference = format!("#:schema {up}experiment.schema.json");
        assert_eq!(text.lines().next(), Some(reference.as_str()), "{name}");
    }

    let hindcasts = exported.lines().filter(|file| file.contains("/hindcast/"));
    let mut count = 0;
    for file in hindcasts {
        let name = file
            .strip_prefix("all/")
            .unwrap()
            .strip_suffix(".toml")
            .unwrap();
        let text = succeed(folder.path(), &["scenarios", "--show", name]);
        assert_eq!(fs::read_to_string(folder.path().join(file)).unwrap(), text);
        // The schema that the first line names is there.
        let schema = text
            .lines()
            .next()
            .unwrap()
            .strip_prefix("#:schema ")
            .unwrap();
        let beside = folder.path().join(file).parent().unwrap().join(schema);
        assert!(beside.exists(), "{file}: {schema}");
        count += 1;
    }
    assert!(count > 10);
}

#[test]
fn an_export_overwrites_only_on_demand_and_all_or_nothing() {
    let folder = folder(&[("scenario.schema.json", "mine")]);
    let schema = folder.path().join("scenario.schema.json");
    let refused = flashpoint(folder.path(), &["scenarios", "--export", "."]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(&schema).unwrap(), "mine");
    succeed(folder.path(), &["scenarios", "--export", ".", "--force"]);
    assert_ne!(fs::read_to_string(&schema).unwrap(), "mine");
}
