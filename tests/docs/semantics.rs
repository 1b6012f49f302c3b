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
fn an_absorbing_endgame_ends_the_run_at_an_event_or_at_the_end_of_a_day() {
    let (values, endgame, state) = run(FALLING);
    assert!((values[0] - 10.0).abs() < 1e-9);
    assert_eq!(
        (endgame, state.ending(), state.time()),
        (Some(0), Some(Ending::Absorbed(0)), 11.0)
    );

    let event = "[[calendar]]\nid = \"c\"\nday = 3\neffects = [\"world.y = 0.4\"]\n";
    let (_, endgame, state) = run(&(event.to_owned() + FALLING));
    assert_eq!(
        (endgame, state.ending(), state.time()),
        (Some(0), Some(Ending::Absorbed(0)), 3.0)
    );
}

#[test]
fn an_absorbing_endgame_of_a_metric_ends_the_run_when_the_metric_gets_there() {
    let ends = |metric: &str, when: &str| {
        let ladder = "[[ladder.rung]]\nid = \"calm\"\n[[ladder.rung]]\nid = \"war\"\n";
        let blow = "[action.blow]\n[[action.blow.rung]]\nbetween = [\"self\", \"target\"]\nat_least = \"war\"\n";
        let day = forced("c", "blow", ["a", "b"], 3.25);
        let endgames = format!(
            "[[endgame]]\nid = \"war\"\nwhen = \"{when}\"\nabsorbing = true\n[[endgame]]\nid = \"calm\"\n"
        );
        let (_, endgame, state) = run(&format!(
            "{ladder}{blow}{day}[metric.m]\n{metric}\n{endgames}"
        ));
        assert_eq!(endgame, Some(0), "{metric}");
        state.time()
    };
    // A rung moves in events alone.
    assert_eq!(ends("peak = \"rung[a, b]\"", "m >= rungs.war"), 3.25);
    let first = "first_above = { of = \"rung[a, b]\", level = 0.5 }";
    assert_eq!(ends(first, "m < 100"), 3.25);
    // Time and means go on between events: more than two days of war are there at the end of the third.
    let days = "time_above = { of = \"rung[a, b]\", level = 0.5 }";
    assert_eq!(ends(days, "m > 2"), 6.0);
    assert_eq!(ends("time_mean = \"rung[a, b]\"", "m >= 0.5"), 7.0);
}

#[test]
fn a_window_holds_its_last_day() {
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
    let mut on_the_last = 0;
    for run in 0..200 {
        simulator.start(&world, run, &mut state).unwrap();
        simulator
            .finish(&world, &mut state, &mut Unobserved)
            .unwrap();
        let day = state.metrics()[0];
        assert!((4.0..6.0).contains(&day));
        on_the_last += u32::from(day >= 5.0);
    }
    assert!((70..130).contains(&on_the_last));
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

#[test]
fn pairs_start_where_the_ladder_says() {
    let ladder = |initial: &str| {
        let text = format!(
            "[actor.c]\nkind = \"group\"\n[[ladder.rung]]\nid = \"calm\"\n[[ladder.rung]]\nid = \"crisis\"\n[[ladder.rung]]\nid = \"war\"\n\
             [ladder.initial]\n{initial}\n\
             [metric.ab]\nfinal = \"rung[a, b]\"\n[metric.peak]\npeak = \"rung[a, b]\"\n[metric.ac]\nfinal = \"rung[c, a]\"\n"
        );
        metrics(&text)
    };
    assert_eq!(ladder(""), [0.0, 0.0, 0.0]);
    // Who comes first does not matter.
    assert_eq!(ladder("b = { a = \"crisis\" }"), [1.0, 1.0, 0.0]);
    // A pair of ids comes before sets, wherever it stands; of sets, the fewest, then the first.
    let nested = "actors = { actors = \"war\" }\nstates = { c = \"crisis\" }\na = { b = \"calm\" }";
    assert_eq!(ladder(nested), [0.0, 0.0, 1.0]);
    // An absorbing endgame may hold from the start.
    let text = "[[ladder.rung]]\nid = \"calm\"\n[[ladder.rung]]\nid = \"war\"\n[ladder.initial]\na = { b = \"war\" }\n\
        [[endgame]]\nid = \"war\"\nwhen = \"rung[a, b] == rungs.war\"\nabsorbing = true\n[[endgame]]\nid = \"calm\"\n";
    let (_, endgame, state) = run(text);
    assert_eq!((endgame, state.time()), (Some(0), 0.0));
}

#[test]
fn a_hazard_per_year_is_a_hazard_per_day() {
    let count = |hazard: &str| {
        let text = format!(
            "[process.p]\nwho = \"a\"\n{hazard}\naction = \"act\"\n[metric.n]\ncount = \"act\"\n[metric.last]\nlast = \"act\"\n"
        );
        metrics(&text)
    };
    let daily = count("hazard = \"100 / 365 * 2\"");
    assert!(daily[0] > 30.0);
    assert_eq!(daily, count("hazard = 200\nper = \"year\""));
    assert_eq!(daily, count("hazard = \"100 * 2\"\nper = \"year\""));
    assert_ne!(daily, count("hazard = \"100 * 2\"\nper = \"day\""));
}

#[test]
fn a_named_formula_sees_what_can_be_seen_where_its_name_stands() {
    let text = r#"
[formula.own]
takes = ["other"]
value = "self.x + 10 * other.x"

[action.act]
effects = ["a.x = 1", "b.x = 2", "target.x = own(self)"]

[rule.r]
who = "b"
on = "act"
as = "target"
[[rule.r.option]]
id = "o"
when = "own(blamed) == 21"
action = "answer"

[metric.x_of_b]
final = "b.x"
[metric.answers]
count = "answer"
"#;
    let event = forced("c", "act", ["a", "b"], 1.0);
    // In the effect, `self` is a: 1 + 10 x 1. In the rule it is b: 11 + 10 x 1.
    assert_eq!(metrics(&format!("{text}{event}")), [11.0, 1.0]);
}
