//! What the reference says about what happens when: each claim as a scenario small enough to work out by hand.

use flashpoint::engine::{Ending, RunState, Simulator, Unobserved};
use flashpoint::model::World;
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load_text;

/// Two states with a stock each, and an action; what follows is added.
const CAST: &str = r#"
[scenario]
start = 2025-01-01
horizon = 100

[actor.a]
kind = "state"
[actor.b]
kind = "state"

[stock.x]
of = "actor"
initial = 0

[action.answer]
"#;

/// An event of `action` by `a` against `b` on `day`.
fn forced(id: &str, action: &str, [by, against]: [&str; 2], day: f64) -> String {
    format!(
        "[[calendar]]\nid = \"{id}\"\nday = {day}\naction = \"{action}\"\nactor = \"{by}\"\ntarget = \"{against}\"\n"
    )
}

/// A whole scenario with those additions: with the action `act` and a last endgame, unless it has them.
fn completed(additions: &str) -> String {
    let or = |key: &str, default: &'static str| {
        if additions.contains(key) { "" } else { default }
    };
    let act = or("[action.act]", "[action.act]\n");
    let otherwise = or("[[endgame]]", "[[endgame]]\nid = \"otherwise\"\n");
    format!("{CAST}{act}{additions}{otherwise}")
}

/// The metrics of run 0, in the order of the file, the endgame, and the finished run.
fn run(additions: &str) -> (Vec<f64>, Option<u32>, RunState) {
    let text = completed(additions);
    let loaded = load_text("claim.toml", &text).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let compiled = compile(&loaded).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let model = &compiled.model;
    let world = World::new(model, model.default_parameters()).unwrap();
    let mut simulator = Simulator::new(model, 1);
    let mut state = simulator.allocate();
    simulator.start(&world, 0, &mut state).unwrap();
    simulator
        .finish(&world, &mut state, &mut Unobserved)
        .unwrap();
    (state.metrics().to_vec(), state.endgame(), state)
}

fn metrics(additions: &str) -> Vec<f64> {
    run(additions).0
}

#[test]
fn metrics_come_before_effects_and_rules_after_them() {
    let text = r#"
[action.act]
effects = ["self.x = 1", "self.x = self.x + 1"]

[rule.r]
who = "b"
on = "act"
as = "target"
when = "a.x == 2"
[[rule.r.option]]
id = "o"
action = "answer"

[metric.before]
sum = "self.x"
over = "act"
[metric.answers]
count = "answer"
"#;
    let event = forced("c", "act", ["a", "b"], 1.0);
    assert_eq!(metrics(&format!("{text}{event}")), [0.0, 1.0]);
}

#[test]
fn pending_answers_are_ignored_added_or_replaced() {
    let rule = |if_pending: &str| {
        let events: String = [1.0, 3.0]
            .map(|day| forced(&format!("c{day}"), "act", ["a", "b"], day))
            .concat();
        let rule = format!(
            "[rule.r]\nwho = \"b\"\non = \"act\"\nas = \"target\"\nif_pending = \"{if_pending}\"\n\
             [[rule.r.option]]\nid = \"o\"\naction = \"answer\"\ndelay = 10\n\
             [metric.answers]\ncount = \"answer\"\n[metric.first]\nfirst = \"answer\"\n"
        );
        metrics(&(events + &rule))
    };
    assert_eq!(rule("ignore"), [1.0, 11.0]);
    assert_eq!(rule("add"), [2.0, 11.0]);
    assert_eq!(rule("replace"), [1.0, 13.0]);
}

#[test]
fn replacing_drops_the_old_answer_even_for_doing_nothing() {
    let text = r#"
[rule.r]
who = "b"
on = "act"
as = "target"
if_pending = "replace"
rationality = inf
[[rule.r.option]]
id = "do"
score = "1 if time < 2 else -1"
action = "answer"
delay = 10
[[rule.r.option]]
id = "nothing"

[metric.answers]
count = "answer"
"#;
    let events = [1.0, 3.0].map(|day| forced(&format!("c{day}"), "act", ["a", "b"], day));
    assert_eq!(metrics(&(text.to_owned() + &events[0])), [1.0]);
    assert_eq!(metrics(&(text.to_owned() + &events.concat())), [0.0]);
}

#[test]
fn a_cooldown_runs_from_the_day_the_answer_is_carried_out() {
    let count = |cooldown: u32| {
        let events: String = [1.0, 12.0, 22.0]
            .map(|day| forced(&format!("c{day}"), "act", ["a", "b"], day))
            .concat();
        let rule = format!(
            "[rule.r]\nwho = \"b\"\non = \"act\"\nas = \"target\"\ncooldown = {cooldown}\n\
             [[rule.r.option]]\nid = \"o\"\naction = \"answer\"\ndelay = 5\n\
             [metric.answers]\ncount = \"answer\"\n"
        );
        metrics(&(events + &rule))[0]
    };
    // The first answer is carried out on day 6.
    assert_eq!([count(5), count(7), count(17)], [3.0, 2.0, 1.0]);
}

#[test]
fn three_blows_in_turn_are_two_exchanges() {
    let turns = [["a", "b"], ["b", "a"], ["a", "b"], ["a", "b"]];
    let events: String = (1..)
        .zip(turns)
        .map(|(day, who)| forced(&format!("c{day}"), "act", who, f64::from(day)))
        .collect();
    let metric = "[metric.e]\nexchanges = { between = [\"a\", \"b\"], on = \"act\", within = 5 }\n";
    assert_eq!(metrics(&(events + metric)), [2.0]);
}

#[test]
fn records_are_taken_before_what_happens_at_the_same_time() {
    let text = r#"
[[calendar]]
id = "c"
day = 50
effects = ["a.x = 1"]
[timeline]
every = 50
series = { x = "a.x" }
"#;
    assert_eq!(run(text).2.timeline(), [0.0, 0.0, 1.0]);
}

#[test]
fn calendar_entries_of_one_time_come_in_the_order_of_the_file() {
    let entry = |id: &str, effect: &str| {
        format!("[[calendar]]\nid = \"{id}\"\nday = 5\neffects = [\"{effect}\"]\n")
    };
    let metric = "[metric.x]\nfinal = \"a.x\"\n";
    let (set, double) = (entry("s", "a.x = 3"), entry("d", "a.x *= 2"));
    assert_eq!(metrics(&format!("{set}{double}{metric}")), [6.0]);
    assert_eq!(metrics(&format!("{double}{set}{metric}")), [3.0]);
}

/// A stock that falls from 1 to below 0.5 on day 10, and an absorbing endgame that asks for it.
const FALLING: &str = r#"
[stock.y]
of = "world"
initial = 1
baseline = 0
half_life = 10
[metric.reached]
first_below = { of = "world.y", level = 0.5 }
[[endgame]]
id = "low"
when = "world.y < 0.5"
absorbing = true
[[endgame]]
id = "otherwise"
"#;

#[test]
fn an_absorbing_endgame_ends_the_run_through_events_only() {
    let (values, endgame, state) = run(FALLING);
    assert!((values[0] - 10.0).abs() < 1e-9);
    assert_eq!(
        (endgame, state.ending(), state.time()),
        (Some(0), Some(Ending::Horizon), 100.0)
    );

    let event = "[[calendar]]\nid = \"c\"\nday = 3\neffects = [\"world.y = 0.4\"]\n";
    let (_, endgame, state) = run(&(event.to_owned() + FALLING));
    assert_eq!(
        (endgame, state.ending(), state.time()),
        (Some(0), Some(Ending::Absorbed(0)), 3.0)
    );
}

#[test]
fn a_window_ends_when_its_second_day_begins() {
    let text = r#"
[[calendar]]
id = "c"
window = [2025-01-05, 2025-01-06]
action = "act"
actor = "a"
[metric.day]
first = "act"
"#;
    let loaded = load_text("claim.toml", &completed(text)).unwrap();
    let model = compile(&loaded).unwrap().model;
    let world = World::new(&model, model.default_parameters()).unwrap();
    let mut simulator = Simulator::new(&model, 1);
    let mut state = simulator.allocate();
    for run in 0..200 {
        simulator.start(&world, run, &mut state).unwrap();
        simulator
            .finish(&world, &mut state, &mut Unobserved)
            .unwrap();
        assert!((4.0..5.0).contains(&state.metrics()[0]));
    }
}

#[test]
fn an_option_without_a_target_is_dropped() {
    let text = r#"
[rule.r]
who = "b"
on = "act"
as = "target"
[[rule.r.option]]
id = "o"
action = "answer"
target = "claimant"
[metric.answers]
count = "answer"
"#;
    let event = forced("c", "act", ["a", "b"], 1.0);
    assert_eq!(metrics(&format!("{text}{event}")), [0.0]);
    assert_eq!(metrics(&format!("{text}{event}claimant = \"a\"\n")), [1.0]);
}

#[test]
fn answers_without_delay_come_after_all_rules_have_chosen() {
    // The second rule chooses while the answer of the first, and the marking that it provokes, are still to come.
    let text = r#"
[rule.first]
who = "a"
on = "act"
as = "perpetrator"
[[rule.first.option]]
id = "o"
action = "answer"
target = "a"

[rule.second]
who = "b"
on = "act"
as = "target"
when = "a.x == 0"
[[rule.second.option]]
id = "o"
action = "answer"
target = "a"

[rule.mark]
who = "a"
on = "answer"
as = "target"
if_pending = "add"
[[rule.mark.option]]
id = "o"
action = "marking"
target = "a"

[action.marking]
effects = ["target.x += 1"]

[metric.x]
final = "a.x"
"#;
    let event = forced("c", "act", ["a", "b"], 1.0);
    assert_eq!(metrics(&format!("{text}{event}")), [2.0]);
}
