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
