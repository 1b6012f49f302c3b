//! Targets and places chosen among several.

use crate::support::*;
use flashpoint::engine::DropReason;
use flashpoint::formula::Role;

#[test]
fn weighted_selectors_draw_in_proportion_and_independently() {
    let model = scenario("selectors");
    let record = Runs::new(&model, 1).record(0);
    let strikes = record.events.iter().filter(|event| event.action == 0);
    let cell =
        |event| 3 * (who(event, Role::Target) as usize - 1) + who(event, Role::Place) as usize;
    let table = tally(strikes.map(cell), 12);
    let product = |targets: [f64; 4], places: [f64; 3]| -> Vec<f64> {
        (0..12).map(|k| targets[k / 3] * places[k % 3]).collect()
    };
    let places = [0.25, 0.0, 0.75];
    accepts(
        "in reach",
        frequencies(&table, &product([1.0, 2.0, 5.0, 0.0], places)),
    );
    rejects(
        "out of reach",
        frequencies(&table, &product([1.0, 2.0, 5.0, 9.0], places)),
    );
    rejects(
        "all alike",
        frequencies(&table, &product([1.0, 1.0, 1.0, 0.0], places)),
    );
    let squared = product([1.0, 4.0, 25.0, 0.0], places);
    rejects("weights counted twice", frequencies(&table, &squared));
}

#[test]
fn the_greatest_is_taken_and_the_first_of_equals() {
    let greatest = |edits: &[(&str, &str)]| {
        let model = edited("selectors", edits);
        let record = Runs::new(&model, 2).record(0);
        let threats = record.events.into_iter().filter(|event| event.action == 1);
        let mut chosen: Vec<(i32, i32)> = threats
            .map(|event| (who(&event, Role::Target), who(&event, Role::Place)))
            .collect();
        assert!(chosen.len() > 1_000);
        chosen.dedup();
        chosen
    };
    assert_eq!(greatest(&[("small", "small")]), [(4, 2)]);
    let tie = ("large = 5, far = 9", "large = 9, far = 9");
    assert_eq!(greatest(&[tie, ("coast = 0.25", "coast = 0.75")]), [(3, 0)]);
}

#[test]
fn nobody_in_reach_is_no_event() {
    let model = edited("selectors", &[("far = 0, default = 1", "default = 0")]);
    let record = Runs::new(&model, 3).record(0);
    assert!(record.times_of(0).is_empty());
    assert!(record.drops.len() > 10_000);
    assert!(
        record
            .drops
            .iter()
            .all(|(_, reason)| *reason == DropReason::NoTarget)
    );
}
