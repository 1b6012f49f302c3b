//! Indices and boxes of runs that are there.

use super::*;

#[test]
fn a_batch_gives_indices_and_boxes_without_new_runs() {
    let desk = desk();
    let run = [
        "run",
        "clash.toml",
        "--runs",
        "20000",
        "--keep-runs",
        "--out",
        "batch",
        "--seed",
        "3",
    ];
    succeed(desk.path(), &run);
    let batch = |method: &str| {
        let line = [
            "sensitivity",
            "--from",
            "batch",
            "--of",
            "clash",
            "--method",
            method,
            "--format",
            "csv",
        ];
        table(&succeed(desk.path(), &line))
    };
    // The mean of 20 runs has a variance of V_MEAN + (V - V_MEAN) / 20.
    let variance = V_MEAN + (V - V_MEAN) / 20.0;
    let rank = batch("rank");
    assert!(
        at(&rank, "drive", "first").holds(27.0 / 576.0 / variance),
        "{rank:?}"
    );
    assert!(
        at(&rank, "drive", "mean_first").holds(27.0 / 576.0 / V_MEAN),
        "{rank:?}"
    );
    assert!(at(&rank, "idle", "first").holds(0.0), "{rank:?}");
    for method in ["pawn", "prcc", "regional"] {
        let found = batch(method);
        assert!(
            at(&found, "drive", method).above_dummy > 0.99,
            "{method}: {found:?}"
        );
        assert!(
            at(&found, "idle", method).above_dummy < 0.99,
            "{method}: {found:?}"
        );
    }

    succeed(
        desk.path(),
        &[
            "run",
            "clash.toml",
            "--runs",
            "20000",
            "--keep-runs",
            "--out",
            "other",
            "--seed",
            "4",
        ],
    );
    let discover = [
        "discover",
        "batch",
        "--outcome",
        "clash",
        "--out",
        "boxes",
        "--confirm",
        "other",
    ];
    let text = succeed(desk.path(), &discover);
    assert!(text.contains("`clash` has a probability of"), "{text}");
    assert!(text.contains("other worlds inside: "), "{text}");
    let picture = fs::read_to_string(desk.path().join("boxes/trade_off.svg")).unwrap();
    assert!(picture.contains("<circle") && picture.contains("cross: the box in other worlds"));
    let same = [
        "discover",
        "batch",
        "--outcome",
        "clash",
        "--confirm",
        "batch",
    ];
    let refused = flashpoint(desk.path(), &same);
    assert!(
        refused.stderr.contains("the same seed"),
        "{}",
        refused.stderr
    );
    assert!(text.contains("when `drive` above 0."), "{text}");
    let trajectory = fs::read_to_string(desk.path().join("boxes/trajectory.csv")).unwrap();
    let numbers = |line: &str| -> Vec<f64> {
        let cells = line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN));
        cells.collect()
    };
    let start = numbers(trajectory.lines().nth(1).unwrap());
    assert_eq!(start[3], 1.0);
    assert!((start[4] - 0.375).abs() < 0.03);
    let last = numbers(trajectory.lines().last().unwrap());
    assert!(last[4] > 0.75 && last[3] < 0.15, "{last:?}");
    // In other worlds the densest box is less dense, but still far above the base rate; p is at most 1 there.
    assert!(
        last[9] > 0.6 && last[10] < last[9] && last[9] < last[11],
        "{last:?}"
    );
    // A limit on what does nothing would be there by chance alone.
    let limits = fs::read_to_string(desk.path().join("boxes/boxes.csv")).unwrap();
    assert!(
        limits.contains(",drive,") && !limits.contains(",idle,"),
        "{limits}"
    );

    // The same box by its number, and worlds in which the clash is more likely than not.
    let chosen = succeed(
        desk.path(),
        &["discover", "batch", "--outcome", "clash", "--box", "3"],
    );
    assert!(chosen.contains("\nBox 3: "), "{chosen}");
    let threshold = [
        "discover",
        "batch",
        "--outcome",
        "clash",
        "--threshold",
        "0.5",
        "--method",
        "cart",
    ];
    let text = succeed(desk.path(), &threshold);
    assert!(
        text.contains("1 if the outcome came true in at least 0.5"),
        "{text}"
    );
    assert!(text.contains("`drive` above"), "{text}");
    for threads in ["1", "2"] {
        let again = [
            "discover",
            "batch",
            "--outcome",
            "clash",
            "--threads",
            threads,
            "--confirm",
            "other",
            "--out",
            threads,
        ];
        succeed(desk.path(), &again);
        let other = fs::read_to_string(desk.path().join(threads).join("trajectory.csv")).unwrap();
        assert_eq!(other, trajectory);
    }
}

/// A folder with the scenario, and the runs of seed 3 in which boxes are found.
fn found() -> tempfile::TempDir {
    let desk = desk();
    kept(desk.path(), "clash.toml", "found", &["--seed", "3"]);
    desk
}

/// Boxes of the runs in `found`, confirmed by those in another folder.
fn confirming(other: &str) -> [&str; 6] {
    [
        "discover",
        "found",
        "--outcome",
        "clash",
        "--confirm",
        other,
    ]
}

fn kept(desk: &Path, scenario: &str, out: &str, more: &[&str]) {
    let line = ["run", scenario, "--keep-runs", "--out", out];
    let size = ["--runs", "4000"];
    let size = if more.contains(&"--runs") {
        &[][..]
    } else {
        &size
    };
    succeed(desk, &[&line, size, more].concat());
}

#[test]
fn boxes_are_confirmed_by_runs_of_the_same_scenario_alone() {
    let desk = found();
    let longer = SCENARIO.replace(
        "[parameter.drive]",
        "[parameter.first]\nvalue = 0.5\nbasis = \"assumption\"\nprior = { dist = \"uniform\", low = 0, high = 1 }\n[parameter.drive]",
    );
    let longer = longer.replace("+ 0 * idle", "+ 0 * idle + 0 * first");
    fs::create_dir(desk.path().join("elsewhere")).unwrap();
    fs::write(desk.path().join("elsewhere/clash.toml"), longer).unwrap();
    kept(desk.path(), "elsewhere/clash.toml", "longer", &[]);
    let fewer = ["--set", "idle=0", "--set", "lever=0.25"];
    kept(desk.path(), "clash.toml", "fewer", &fewer);
    kept(desk.path(), "clash.toml", "held", &["--set", "drive=0"]);
    for (other, why) in [
        ("longer", "scenario clash reads differently"),
        (
            "fewer",
            "one was run without --set, the other with --set idle=0 --set lever=0.25",
        ),
        (
            "held",
            "one was run without --set, the other with --set drive=0",
        ),
    ] {
        let line = confirming(other);
        let refused = flashpoint(desk.path(), &line);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{other}");
        let message = format!("`{other}` cannot confirm what is found in `found`: {why}\n");
        assert!(refused.stderr.contains(&message), "{}", refused.stderr);
    }
    // A share of runs is another one with more runs, but its mean is the same.
    let finer = ["--runs-per-world", "40"];
    kept(desk.path(), "clash.toml", "finer", &finer);
    let line = confirming("finer");
    succeed(desk.path(), &line);
    let refused = flashpoint(desk.path(), &[&line[..], &["--threshold", "0.5"]].concat());
    assert_eq!(refused.code, 2);
    let message = "--confirm has 40 runs in each world, not 20";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
}

#[test]
fn an_outcome_that_never_comes_where_boxes_are_confirmed_has_no_coverage() {
    let desk = found();
    kept(desk.path(), "clash.toml", "few", &["--runs", "40"]);
    let line = [
        "discover",
        "found",
        "--outcome",
        "clash",
        "--threshold",
        "0.8",
        "--confirm",
        "few",
        "--out",
        "boxes",
    ];
    let text = succeed(desk.path(), &line);
    let start = text.lines().find(|line| line.contains("  all  ")).unwrap();
    assert!(start.trim_end().ends_with(" –"), "{text}");
    assert!(text.contains("– (0–100 %)"), "{text}");
    assert!(!text.contains('∞') && !text.contains("NaN"), "{text}");
    let trajectory = fs::read_to_string(desk.path().join("boxes/trajectory.csv")).unwrap();
    let start: Vec<&str> = trajectory.lines().nth(1).unwrap().split(',').collect();
    assert_eq!((start[8], start[9], start[12]), ("2", "0", ""), "{start:?}");
    let picture = fs::read_to_string(desk.path().join("boxes/trade_off.svg")).unwrap();
    assert!(
        !picture.contains("NaN") && !picture.contains("inf"),
        "{picture}"
    );
}

#[test]
fn boxes_of_an_experiment_are_confirmed_by_the_same_design_alone() {
    let sweep = r#"
[batch]
title = "A sweep"
keep_runs = true
runs = 4000
[scenario.only]
file = "clash.toml"
[sweep.fixed]
values = [0.5, 1]
"#;
    let other = sweep.replace("[0.5, 1]", "[0.25, 1]");
    let desk = folder(&[("clash.toml", SCENARIO), ("kept.toml", sweep)]);
    fs::create_dir(desk.path().join("elsewhere")).unwrap();
    fs::write(desk.path().join("elsewhere/clash.toml"), SCENARIO).unwrap();
    fs::write(desk.path().join("elsewhere/kept.toml"), other).unwrap();
    let batch = |file: &str, out: &str, more: &[&str]| {
        let line = [&["batch", file, "--out", out], more].concat();
        let done = flashpoint(desk.path(), &line);
        assert_eq!(done.code, 0, "{}", done.stderr);
    };
    batch("kept.toml", "found", &[]);
    batch("kept.toml", "again", &["--seed", "2"]);
    batch("kept.toml", "few", &["--seed", "2", "--runs", "400"]);
    batch("elsewhere/kept.toml", "moved", &["--seed", "2"]);
    let confirm = |other: &str| {
        let line = confirming(other);
        flashpoint(desk.path(), &line)
    };
    let done = confirm("again");
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    for (other, why) in [
        (
            "few",
            "--confirm has rows of fixed, but boxes are found in rows of fixed, drive, lever, idle",
        ),
        ("moved", "levers or sweeps differ"),
    ] {
        let refused = confirm(other);
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""), "{other}");
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
}
