use serde_json::Value;

use crate::{flashpoint, folder, succeed};

/// A scenario that is sound, whatever is put in front of its last table.
fn scenario(extra: &str) -> String {
    format!(
        r#"
[scenario]
title = "A small scenario"
start = 2024-01-01
horizon = 10
{extra}
[actor.a]
kind = "state"
[action.attack]
[process.attacks]
who = "a"
hazard = 0.1
action = "attack"
[[endgame]]
id = "only"
"#
    )
}

#[test]
fn every_problem_of_every_file_is_shown() {
    let sound = scenario("");
    let two = scenario("")
        .replace("action = \"attack\"", "action = \"atack\"")
        .replace("hazard = 0.1", "hazard = \"0.1 +\"");
    let folder = folder(&[
        ("sound.toml", &sound),
        ("two.toml", &two),
        ("syntax.toml", "[scenario\n"),
        ("shape.toml", &sound.replace("kind =", "knd =")),
    ]);
    let files = [
        "two.toml",
        "syntax.toml",
        "sound.toml",
        "shape.toml",
        "gone.toml",
    ];
    let arguments: Vec<&str> = ["check"].into_iter().chain(files).collect();
    let done = flashpoint(folder.path(), &arguments);
    assert_eq!((done.code, done.stderr.as_str()), (2, ""));
    for file in [
        "two.toml:",
        "syntax.toml:",
        "shape.toml:",
        "`gone.toml`",
        "sound.toml: ok:",
    ] {
        assert!(done.stdout.contains(file), "{file}\n{}", done.stdout);
    }
    assert!(!done.stdout.contains('\x1b'));

    let arguments: Vec<&str> = arguments.into_iter().chain(["--format", "json"]).collect();
    let json = flashpoint(folder.path(), &arguments);
    assert_eq!(json.code, 2);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let problems: Vec<usize> = (json["scenarios"].as_array().unwrap().iter())
        .map(|scenario| scenario["problems"].as_array().unwrap().len())
        .collect();
    assert_eq!(json["scenarios"][0]["scenario"], "two.toml");
    assert_eq!(json["scenarios"][0]["problems"][0]["location"]["line"], 12);
    assert_eq!((problems[0], problems[2], problems[4]), (2, 0, 1));
    let total: usize = problems.iter().sum();
    assert_eq!(json["errors"], total);
    let last = done.stdout.lines().last().unwrap();
    assert_eq!(last, format!("{total} errors in 4 scenarios"));
}

#[test]
fn a_warning_is_shown_but_is_no_error() {
    let unused = "[parameter.idle]\nvalue = 1\nbasis = \"assumption\"\n";
    let folder = folder(&[("warned.toml", &scenario(unused))]);
    let text = succeed(folder.path(), &["check", "warned.toml"]);
    assert!(text.contains("warning: "), "{text}");
    assert!(text.contains("warned.toml: ok: 1 actor, "), "{text}");
    assert!(text.ends_with("\n1 warning in 1 scenario\n"), "{text}");
    let json = succeed(folder.path(), &["check", "warned.toml", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["errors"], &json["warnings"]), (&0.into(), &1.into()));
    assert_eq!(json["scenarios"][0]["content"]["endgames"], 1);
}

#[test]
fn a_problem_of_a_shared_base_is_shown_once() {
    let child = "[scenario]\nextends = \"base.toml\"\n";
    let base = scenario("").replace("who = \"a\"", "who = \"aa\"");
    let folder = folder(&[("base.toml", &base), ("x.toml", child), ("y.toml", child)]);
    let done = flashpoint(folder.path(), &["check", "x.toml", "y.toml"]);
    assert_eq!(done.code, 2);
    assert_eq!(
        done.stdout.matches("base.toml:").count(),
        1,
        "{}",
        done.stdout
    );
    assert!(
        done.stdout.ends_with("\n1 error in 2 scenarios\n"),
        "{}",
        done.stdout
    );
}

#[test]
fn an_experiment_is_checked_as_one() {
    let experiment =
        "[batch]\nruns = 1500\n[scenario.one]\nfile = \"one.toml\"\n[lever.p]\nvalues = [0, 1]\n";
    let one = scenario("[parameter.p]\nvalue = 0\nbasis = \"assumption\"\n")
        .replace("hazard = 0.1", "hazard = \"0.1 + p\"");
    let wrong = experiment.replace("lever.p", "lever.q");
    let folder = folder(&[
        ("one.toml", &one),
        ("policies.toml", experiment),
        ("wrong.toml", &wrong),
    ]);
    let found = succeed(folder.path(), &["check", "policies.toml", "one.toml"]);
    assert!(
        found.starts_with(
            "policies.toml: ok: 2 policies in 1 state of the world: 2 cells, 1,500 runs each\n"
        ),
        "{found}"
    );
    let json = succeed(
        folder.path(),
        &["check", "policies.toml", "--format", "json"],
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["scenarios"][0]["content"]["cells"], 2);
    assert_eq!(json["scenarios"][0]["content"]["size"]["runs"], 1500);
    let done = flashpoint(folder.path(), &["check", "wrong.toml", "one.toml"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stdout.contains("wrong.toml:5") && done.stdout.contains("`q`"),
        "{}",
        done.stdout
    );
    assert!(
        done.stdout.ends_with("\n1 error in 1 file\n"),
        "{}",
        done.stdout
    );
}

#[test]
fn hindcasts_calibrations_and_base_rates_are_checked_as_what_they_are() {
    let desk = folder(&[
        (
            "rates.toml",
            "[base_rate.war]\nprobability = 2\nsource = \"x\"\n",
        ),
        (
            "case.toml",
            "[scenario]\nextends = \"isis-iran/genuine\"\n[hindcast]\ncase = \"a\"\n",
        ),
    ]);
    let names = ["january-2024", "calibration", "base-rates"];
    let names = names.map(|name| format!("isis-iran/hindcast/{name}"));
    let text = succeed(desk.path(), &["check", &names[0], &names[1], &names[2]]);
    assert!(text.contains(&format!("{}: ok: ", names[0])), "{text}");
    assert!(text.contains(" questions\n"), "{text}");
    assert!(text.contains(" patterns, "), "{text}");
    assert!(text.contains(" base rates\n"), "{text}");
    let done = flashpoint(desk.path(), &["check", "rates.toml", "case.toml"]);
    assert_eq!(done.code, 2);
    assert!(done.stdout.contains("rates.toml:"), "{}", done.stdout);
    assert!(!done.stdout.contains("unknown key"), "{}", done.stdout);
    for (command, name, help) in [
        (
            "run",
            "case.toml",
            "`case.toml` is a hindcast, not a scenario",
        ),
        (
            "describe",
            names[1].as_str(),
            "`flashpoint calibrate` carries it out",
        ),
        (
            "rank",
            "isis-iran/experiments/variants",
            "`flashpoint batch` runs it",
        ),
    ] {
        let mut arguments = vec![command, name];
        if command == "rank" {
            arguments.extend(["--by", "x"]);
        }
        let done = flashpoint(desk.path(), &arguments);
        assert_eq!(done.code, 2);
        assert!(done.stderr.contains(help), "{command}: {}", done.stderr);
    }
}
