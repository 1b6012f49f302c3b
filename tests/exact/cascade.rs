//! Answers without delay that provoke each other end at the cap on events, and nowhere else.

use crate::support::*;
use flashpoint::engine::{Ending, Unobserved};

const FEUD: &str = r#"
[scenario]
start = 2024-01-01
horizon = 10
max_events = 200000

[actor.a]
kind = "group"

[actor.b]
kind = "group"

[action.blow]

[[calendar]]
id = "spark"
day = 1
action = "blow"
actor = "a"
target = "b"

[rule.answer]
who = "groups"
on = "blow"
as = "target"

[[rule.answer.option]]
id = "back"
action = "blow"
target = "blamed"

[metric.blows]
count = "blow"

[[endgame]]
id = "any"
"#;

#[test]
fn a_cascade_without_delay_ends_at_the_cap() {
    let model = inline(FEUD);
    // A stack of this size would not hold two hundred thousand calls.
    let handle = std::thread::Builder::new().stack_size(256 * 1024);
    std::thread::scope(|scope| {
        let run = || {
            let mut runs = Runs::new(&model, 1);
            runs.run(0, &mut Unobserved);
            assert_eq!(runs.state.ending(), Some(Ending::Capped));
            assert_eq!(runs.state.events(), 200_000);
            assert_eq!(runs.state.time(), 1.0);
            assert_eq!(runs.metric("blows"), 200_000.0);
            assert_eq!(runs.endgame(), None);
        };
        let thread = handle.spawn_scoped(scope, run).expect("a thread");
        assert!(thread.join().is_ok());
    });
}

#[test]
fn a_cascade_with_delay_goes_back_and_forth_until_the_horizon() {
    let text = FEUD.replace("target = \"blamed\"", "target = \"blamed\"\ndelay = 0.25");
    let model = inline(&text);
    let mut runs = Runs::new(&model, 1);
    let record = runs.record(0);
    assert_eq!(runs.state.ending(), Some(Ending::Horizon));
    // On days 1, 1.25, ..., 10.
    assert_eq!(record.events.len(), 37);
    let sides: Vec<i32> = record
        .events
        .iter()
        .map(|event| who(event, flashpoint::formula::Role::Perpetrator))
        .collect();
    assert!(sides.windows(2).all(|pair| pair[0] != pair[1]));
}

/// Three who answer everybody: each event provokes two more, and those at the same time follow the order of their causes.
#[test]
fn a_cascade_that_branches_is_carried_out_in_order() {
    let text = FEUD
        .replace("[actor.b]", "[actor.c]\nkind = \"group\"\n[actor.b]")
        .replace(
            "as = \"target\"",
            "as = [\"target\", \"onlooker\"]\nif_pending = \"add\"",
        );
    let model = inline(&text);
    let mut runs = Runs::new(&model, 1);
    let record = runs.record(0);
    assert_eq!(runs.state.ending(), Some(Ending::Capped));
    assert_eq!(record.events.len(), 200_000);
    assert!(
        record
            .events
            .windows(2)
            .all(|pair| pair[0].number + 1 == pair[1].number)
    );
    // Breadth first: a's blow is answered by c and b, before either of these is.
    let actors: Vec<i32> = record.events[..3]
        .iter()
        .map(|event| who(event, flashpoint::formula::Role::Perpetrator))
        .collect();
    assert_eq!(actors, [0, 1, 2]);
}
