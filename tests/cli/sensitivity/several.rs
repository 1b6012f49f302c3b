//! Which scenario or variant it is, and what levers and sweeps say, as factors.

use super::*;

/// The second scenario halves the drive by its prior, so that p = s * drive * (0.5 + lever), with s = 1 or 1/2. With equal
/// weights E s = 3/4 and Var s = 1/16; drive and lever as above.
#[test]
fn which_scenario_holds_is_a_factor() {
    let half = SCENARIO.replace("low = 0, high = 1 }", "low = 0, high = 0.5 }");
    assert_ne!(half, SCENARIO);
    let desk = folder(&[("full.toml", SCENARIO), ("half.toml", &half)]);
    let ask = |more: &[&str]| {
        let mut line = vec![
            "sensitivity",
            "full.toml",
            "half.toml",
            "--of",
            "clash",
            "--budget",
            "120000",
        ];
        line.extend(more);
        succeed(desk.path(), &line)
    };
    let found = table(&ask(&["--format", "csv"]));
    let mean = 9.0 / 32.0;
    let v = mean * (1.0 - mean);
    let v_mean = 35.0 / 288.0 - mean * mean;
    let (scenario, drive, lever) = (9.0 / 1024.0, 81.0 / 3072.0, 9.0 / 3072.0);
    // Two runs of one chance differ with probability E|p - p'|; between scenarios that is E a b / 2, half of the time.
    let joint_scenario = 0.5 * 3.0 / 16.0 / (2.0 * v);
    for (factor, index, exact) in [
        ("scenario", "first", scenario / v),
        ("drive", "first", drive / v),
        ("scenario", "mean_first", scenario / v_mean),
        ("drive", "mean_first", drive / v_mean),
        ("lever", "mean_first", lever / v_mean),
        ("scenario", "joint_total", joint_scenario),
        ("", "chance_share", 1.0 - v_mean / v),
        ("", "mean", mean),
        ("", "variance_of_mean", v_mean),
    ] {
        let row = at(&found, factor, index);
        assert!(row.holds(exact), "{factor} {index}: {exact} in {row:?}");
    }
    assert!(at(&found, "scenario", "mean_total").above_dummy > 0.99);
    let text = ask(&["--weights", "3,1"]);
    assert!(text.contains("full 75 %, half 25 %"), "{text}");
    assert!(text.contains("from 0 to 1: drive."), "{text}");
    // E s = 7/8.
    let found = table(&ask(&["--weights", "3,1", "--format", "csv"]));
    assert!(at(&found, "", "mean").holds(21.0 / 64.0));

    // One factor at a time begins with the first scenario; the second is a level of its own.
    let curves = ask(&["--method", "ofat", "--format", "csv"]);
    let row = curves.lines().find(|line| line.ends_with(",half"));
    let mean: f64 = row.unwrap().split(',').nth(4).unwrap().parse().unwrap();
    assert!((mean - 0.1875).abs() < 0.03, "{curves}");

    // The same from two batches of one seed: each world counts once.
    for name in ["full", "half"] {
        let scenario = format!("{name}.toml");
        let line = [
            "run",
            &scenario,
            "--runs",
            "60000",
            "--keep-runs",
            "--out",
            name,
        ];
        succeed(desk.path(), &line);
    }
    let line = [
        "sensitivity",
        "--from",
        "full",
        "half",
        "--of",
        "clash",
        "--format",
        "csv",
    ];
    let found = table(&succeed(desk.path(), &line));
    for (factor, share) in [("scenario", scenario), ("drive", drive), ("idle", 0.0)] {
        let row = at(&found, factor, "mean_first");
        assert!(
            row.holds(share / v_mean),
            "{factor}: {share} / {v_mean} in {row:?}"
        );
        let row = at(&found, factor, "first");
        let of_means = v_mean + (v - v_mean) / 20.0;
        assert!(row.holds(share / of_means), "{factor}: {row:?}");
    }
    let line = [
        "discover",
        "full",
        "half",
        "--outcome",
        "clash",
        "--out",
        "boxes",
    ];
    let text = succeed(desk.path(), &line);
    let limits = fs::read_to_string(desk.path().join("boxes/boxes.csv")).unwrap();
    assert!(limits.contains(",scenario,,,full,"), "{limits}");
    assert!(text.contains("`scenario` is full"), "{text}");
}

/// A sweep over fixed = 1/2 and 1 is the s of [`which_scenario_holds_is_a_factor`], and so is a variant that sets it.
#[test]
fn levers_sweeps_and_variants_of_an_experiment_are_factors() {
    let sweep = r#"
[batch]
title = "A sweep"
[scenario.only]
file = "clash.toml"
[sweep.fixed]
values = [0.5, 1]
"#;
    let variant = r#"
[batch]
title = "A variant"
[scenario.only]
file = "clash.toml"
[variant.weak]
set = { fixed = 0.5 }
"#;
    let desk = folder(&[
        ("clash.toml", SCENARIO),
        ("sweep.toml", sweep),
        ("variant.toml", variant),
    ]);
    let ask = |file: &str, more: &[&str]| {
        let mut line = vec!["sensitivity", file, "--of", "clash"];
        line.extend(more);
        flashpoint(desk.path(), &line)
    };
    let mean = 9.0 / 32.0;
    let v = mean * (1.0 - mean);
    for (file, factor) in [("sweep.toml", "fixed"), ("variant.toml", "variant")] {
        let done = ask(file, &["--budget", "80000", "--format", "csv"]);
        assert_eq!((done.code, done.stderr.as_str()), (0, ""));
        let found = table(&done.stdout);
        for (factor, index, exact) in [
            (factor, "first", 9.0 / 1024.0 / v),
            ("drive", "first", 81.0 / 3072.0 / v),
            ("", "mean", mean),
        ] {
            let row = at(&found, factor, index);
            assert!(
                row.holds(exact),
                "{file} {factor} {index}: {exact} in {row:?}"
            );
        }
        assert!(!found.keys().any(|(factor, _)| factor == "scenario"));
    }
    // The same from the finished runs of the experiment: a row is a world in one of the two cells.
    let kept = sweep.replace("[batch]", "[batch]\nkeep_runs = true\nruns = 40000");
    fs::write(desk.path().join("kept.toml"), kept).unwrap();
    let done = flashpoint(desk.path(), &["batch", "kept.toml", "--out", "kept"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let line = [
        "sensitivity",
        "--from",
        "kept",
        "--of",
        "clash",
        "--format",
        "csv",
    ];
    let found = table(&succeed(desk.path(), &line));
    let v_mean = 35.0 / 288.0 - mean * mean;
    for (factor, share) in [
        ("fixed", 9.0 / 1024.0),
        ("drive", 81.0 / 3072.0),
        ("idle", 0.0),
    ] {
        let row = at(&found, factor, "mean_first");
        assert!(
            row.holds(share / v_mean),
            "{factor}: {share} / {v_mean} in {row:?}"
        );
    }
    let text = succeed(desk.path(), &["discover", "kept", "--outcome", "clash"]);
    assert!(text.contains("`fixed` above 0.75"), "{text}");
    let refused = ask("sweep.toml", &["--set", "drive=1"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("with an experiment"),
        "{}",
        refused.stderr
    );
    let refused = flashpoint(
        desk.path(),
        &["sensitivity", "clash.toml", "sweep.toml", "--of", "clash"],
    );
    assert!(
        refused.stderr.contains("is an experiment"),
        "{}",
        refused.stderr
    );
}

/// Ten variants, six of which clash with probability 0.9 and four with 0.2: of the 90 moves from one to another, 48 change the
/// probability by 0.7. The runs of a point share the number that decides, so that 0.7 of these change the outcome.
#[test]
fn screening_compares_any_two_variants() {
    let mut experiment = r#"
[batch]
title = "Ten variants"
[scenario.only]
file = "clash.toml"
"#
    .to_owned();
    for variant in 1..10 {
        let p = if [1, 2, 4, 5, 7, 8].contains(&variant) {
            0.9
        } else {
            0.2
        };
        experiment.push_str(&format!("[variant.v{variant}]\nset = {{ fixed = {p} }}\n"));
    }
    let scenario = SCENARIO
        .replace(
            "drive * (0.5 + lever) * fixed",
            "fixed + 0.1 * drive + 0 * lever",
        )
        .replace("value = 1\nbasis", "value = 0.2\nbasis");
    let desk = folder(&[("clash.toml", &scenario), ("ten.toml", &experiment)]);
    let line = [
        "sensitivity",
        "ten.toml",
        "--of",
        "clash",
        "--method",
        "morris",
        "--budget",
        "12000",
        "--format",
    ];
    let found = table(&succeed(desk.path(), &[&line[..], &["csv"]].concat()));
    let row = at(&found, "variant", "mu_star");
    assert!(row.holds(1.5 * 0.7 * 48.0 / 90.0), "{row:?}");
    assert!(
        row.above_dummy > 0.99 && row.high - row.low < 0.3,
        "{row:?}"
    );
    let text = succeed(desk.path(), &[&line[..], &["text"]].concat());
    assert!(
        text.contains("(or from one to another of its values, where it has few or is a category)"),
        "{text}"
    );
}
