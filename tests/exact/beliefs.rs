//! Attribution: what observers believe, and that rules see nothing else.

use crate::support::*;
use flashpoint::engine::{Cause, Origin};
use flashpoint::formula::Role;

const GROUP: u32 = 0;
const BOASTER: i32 = 1;
const STATE: u32 = 2;
const RIVAL: i32 = 3;
const WITNESS: u32 = 4;

/// How often an observer blames each actor, among attacks claimed or not.
fn blame(record: &Record, observer: u32, claimed: bool) -> Vec<u64> {
    let of_interest = record.beliefs.iter().filter(|(number, who_sees, _)| {
        let event = &record.events[*number as usize];
        *who_sees == observer && (who(event, Role::Claimant) == BOASTER) == claimed
    });
    tally(of_interest.map(|(_, _, blamed)| *blamed as usize), 5)
}

#[test]
fn beliefs_follow_the_weights() {
    let model = scenario("beliefs");
    let record = Runs::new(&model, 1).record(0);
    let claimed = blame(&record, STATE, true);
    accepts("claimed", frequencies(&claimed, &[1.0, 4.0, 0.0, 3.0, 0.0]));
    rejects(
        "the claim believed",
        frequencies(&claimed, &[0.0, 1.0, 0.0, 0.0, 0.0]),
    );
    rejects(
        "the truth known",
        frequencies(&claimed, &[1.0, 0.0, 0.0, 0.0, 0.0]),
    );
    let unclaimed = blame(&record, STATE, false);
    accepts(
        "unclaimed",
        frequencies(&unclaimed, &[1.0, 0.0, 0.0, 3.0, 0.0]),
    );

    // Weights are those of the observer.
    let witness = blame(&record, WITNESS, true);
    accepts("witness", frequencies(&witness, &[1.0, 4.0, 0.0, 0.5, 0.0]));
    rejects(
        "the state's weights",
        frequencies(&witness, &[1.0, 4.0, 0.0, 3.0, 0.0]),
    );
    // Who did it is not deceived.
    let own = blame(&record, GROUP, true);
    assert!(own[0] > 3_000 && own[1..].iter().all(|&count| count == 0));
}

#[test]
fn rules_act_on_one_belief_an_event_and_never_on_the_truth() {
    let model = scenario("beliefs");
    let record = Runs::new(&model, 2).record(0);
    let mut accusations = vec![[0_u64; 2]; 5];
    for pair in record.events.iter().filter(|event| event.action == 1) {
        let Cause::Choice {
            origin: Origin::Rule(rule),
            ..
        } = pair.cause
        else {
            panic!("an accusation answers an attack");
        };
        let whom = who(pair, Role::Target);
        accusations[whom as usize][usize::from(rule >= 5)] += 1;
        assert_eq!(who(pair, Role::Sponsor), -1);
    }
    // Two rules of one actor answer the same event on the same belief: each accuses each actor as often.
    for [first, second] in &accusations {
        assert_eq!(first, second);
    }
    // Every belief was acted on, twice (answers without delay come before the next attack).
    let believed = tally(
        record.beliefs.iter().map(|(_, _, blamed)| *blamed as usize),
        5,
    );
    let acted: Vec<u64> = accusations.iter().map(|counts| counts[0]).collect();
    assert_eq!(believed, acted);
    assert!(believed[RIVAL as usize] > 1_000);
}

#[test]
fn beliefs_of_different_observers_are_independent() {
    let model = scenario("beliefs");
    let record = Runs::new(&model, 3).record(0);
    let of = |observer: u32| {
        record
            .beliefs
            .iter()
            .filter(move |(_, o, _)| *o == observer)
    };
    let pairs = of(STATE).zip(of(WITNESS)).filter(|((number, ..), _)| {
        who(&record.events[*number as usize], Role::Claimant) == BOASTER
    });
    let cells = pairs.map(|((_, _, a), (_, _, b))| 4 * *a as usize + *b as usize);
    let (state, witness) = ([1.0, 4.0, 0.0, 3.0], [1.0, 4.0, 0.0, 0.5]);
    let product: Vec<f64> = (0..16).map(|k| state[k / 4] * witness[k % 4]).collect();
    let table = tally(cells, 16);
    accepts("independent", frequencies(&table, &product));
    let shared: Vec<f64> = (0..16)
        .map(|k| product[k] * if k / 4 == k % 4 { 2.0 } else { 1.0 })
        .collect();
    rejects("one opinion", frequencies(&table, &shared));
}
