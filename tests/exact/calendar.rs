//! Dated changes from outside.

use crate::support::*;
use flashpoint::engine::Unobserved;
use flashpoint::stats::hypothesis::binomial_test;

#[test]
fn windows_are_uniform_and_chances_are_kept() {
    let model = scenario("calendar");
    let mut runs = Runs::new(&model, 1);
    let (mut days, mut summits) = (Vec::new(), 0);
    for run in 0..10_000 {
        runs.run(run, &mut Unobserved);
        days.push((runs.metric("election") - 10.0) / 21.0);
        summits += runs.metric("reforms") as u64;
        assert_eq!(runs.metric("mood"), 5.0);
    }
    assert!(days.iter().all(|day| (0.0..=1.0).contains(day)));
    accepts("window", uniform(&days));
    let from_the_start: Vec<f64> = days.iter().map(|day| (10.0 + 21.0 * day) / 31.0).collect();
    rejects("from the start of the run", uniform(&from_the_start));
    let without_the_last: Vec<f64> = days.iter().map(|day| day * 21.0 / 20.0).collect();
    rejects("the last day left out", uniform(&without_the_last));
    accepts("summit", binomial_test(summits, 10_000, 0.3));
    rejects("always or never", binomial_test(summits, 10_000, 0.35));
}

#[test]
fn entries_of_one_day_follow_their_order() {
    let model = scenario("calendar");
    let mut runs = Runs::new(&model, 2);
    let record = runs.record(0);
    let of_the_day: Vec<u32> = record
        .entries
        .iter()
        .filter(|(day, _)| *day == 50.0)
        .map(|(_, entry)| *entry)
        .collect();
    // Doubling, then the rise that sees it; the third sees both and does nothing.
    assert_eq!(of_the_day, [2, 3]);
    assert_eq!(runs.metric("mood"), 5.0);
    // The other order has another result.
    let swapped = edited(
        "calendar",
        &[
            ("world.mood == 2", "world.mood == 1"),
            ("world.mood *= 2", "world.mood += 0"),
        ],
    );
    let mut runs = Runs::new(&swapped, 2);
    runs.record(0);
    assert_eq!(runs.metric("mood"), 4.0);
}

#[test]
fn entries_beyond_the_horizon_or_switched_off_do_not_happen() {
    for edit in [
        ("id = \"doubling\"\nday = 50", "id = \"doubling\"\nday = 61"),
        ("id = \"doubling\"", "id = \"doubling\"\nenabled = false"),
        ("id = \"doubling\"", "id = \"doubling\"\nprobability = 0"),
    ] {
        let model = edited(
            "calendar",
            &[edit, ("id = \"never\"", "id = \"never\"\nenabled = false")],
        );
        let mut runs = Runs::new(&model, 1);
        runs.record(0);
        assert_eq!(runs.metric("mood"), 1.0, "{edit:?}");
    }
}
