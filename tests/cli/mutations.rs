//! Scenarios and formulas that nobody meant: whatever they say, there is an answer, and no panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::LazyLock;

use flashpoint::engine::{RunError, Simulator, Unobserved};
use flashpoint::formula::{parse_formula, parse_statement};
use flashpoint::model::{ParameterDraws, World};
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::{load, load_text};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use crate::broken::BASE;

/// How far a text came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Loading,
    Compiling,
    Running,
    End,
}

/// Loads and compiles a text, and makes one run of at most 300 events. Problems must be errors that can be shown.
fn attempt(text: &str) -> Reached {
    let mut loaded = match load_text("mutant.toml", text) {
        Ok(loaded) => loaded,
        Err(problems) => {
            assert!(problems.has_errors() && !problems.render(false).is_empty());
            return Reached::Loading;
        }
    };
    let cap = loaded.raw.scenario.max_events.unwrap_or(u64::MAX);
    if cap > 0 {
        loaded.raw.scenario.max_events = Some(cap.min(300));
    }
    let model = match compile(&loaded) {
        Ok(compiled) => compiled.model,
        Err(problems) => {
            assert!(problems.has_errors() && !problems.render(false).is_empty());
            return Reached::Compiling;
        }
    };
    let parameters = ParameterDraws::new(&model, 5).world(&model, 0);
    let Ok(world) = World::new(&model, parameters) else {
        return Reached::Running;
    };
    let mut simulator = Simulator::new(&model, 5);
    let mut state = simulator.allocate();
    let run = |simulator: &mut Simulator<'_>| -> Result<(), RunError> {
        simulator.start(&world, 0, &mut state)?;
        simulator.finish(&world, &mut state, &mut Unobserved)
    };
    match { run }(&mut simulator) {
        Ok(()) => Reached::End,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Reached::Running
        }
    }
}

/// Tries the same texts every time, and counts how far they came. A panic is shown with the smallest text that brings it.
fn explore<S: Strategy>(cases: u32, texts: S, text: impl Fn(S::Value) -> String) -> [u32; 4] {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let reached = std::cell::RefCell::new([0; 4]);
    let outcome = runner.run(&texts, |value| {
        let text = text(value);
        match catch_unwind(AssertUnwindSafe(|| attempt(&text))) {
            Ok(far) => {
                reached.borrow_mut()[far as usize] += 1;
                Ok(())
            }
            Err(_) => Err(TestCaseError::fail(text)),
        }
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    reached.into_inner()
}

/// The scenarios that are shipped, each as one text, and the base of the broken ones.
static SHIPPED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let ladder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/bench/ladder-10.toml");
    let names = [
        "isis-iran/genuine",
        "isis-iran/orchestrated",
        ladder.to_str().unwrap(),
    ];
    let shipped = names.iter().map(|name| load(name).unwrap().resolved_text());
    shipped
        .chain([BASE.to_owned(), include_str!("story.toml").to_owned()])
        .collect()
});

/// Values that are seldom right.
const ODD: [&str; 24] = [
    "nan",
    "inf",
    "-inf",
    "-1",
    "0",
    "1e308",
    "5e-324",
    "1e9",
    "4294967296",
    "-9223372036854775808",
    "true",
    "\"\"",
    "\"self\"",
    "\"nobody\"",
    "\"inf\"",
    "\"time\"",
    "[]",
    "{}",
    "[[]]",
    "2025-01-01",
    "\"a if\"",
    "=",
    "\"",
    "é",
];

/// Parts of a text that belong together: words, numbers, single signs, white space.
fn tokens(text: &str) -> Vec<&str> {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match word(first) {
            true => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        tokens.push(&rest[..end]);
        rest = &rest[end..];
    }
    tokens
}

#[derive(Clone, Debug)]
enum Edit {
    DeleteLine(Index),
    DuplicateLine(Index),
    SwapLines(Index, Index),
    DeleteToken(Index),
    DuplicateToken(Index),
    /// Puts one token in the place of another.
    CopyToken(Index, Index),
    /// Puts an odd value in the place of what follows the `=` of a line.
    OddValue(Index, &'static str),
    OddToken(Index, &'static str),
    Cut(Index),
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let mut tokens = tokens(text);
        if tokens.is_empty() {
            return String::new();
        }
        let words: Vec<usize> = (0..tokens.len())
            .filter(|&at| !tokens[at].trim().is_empty())
            .collect();
        let word = |index: &Index| match words.is_empty() {
            true => 0,
            false => words[index.index(words.len())],
        };
        match self {
            Self::DeleteLine(at) => drop(lines.remove(at.index(lines.len()))),
            Self::DuplicateLine(at) => {
                let at = at.index(lines.len());
                lines.insert(at, lines[at]);
            }
            Self::SwapLines(one, other) => {
                let count = lines.len();
                lines.swap(one.index(count), other.index(count));
            }
            Self::OddValue(at, value) => {
                let at = at.index(lines.len());
                let line = lines[at]
                    .split_once('=')
                    .map(|(key, _)| format!("{key}= {value}\n"));
                let line = line.unwrap_or_else(|| lines[at].to_owned());
                return lines[..at].concat() + &line + &lines[at + 1..].concat();
            }
            Self::DeleteToken(at) => {
                tokens.remove(word(at));
                return tokens.concat();
            }
            Self::DuplicateToken(at) => {
                let at = word(at);
                tokens.insert(at, tokens[at]);
                return tokens.concat();
            }
            Self::CopyToken(from, to) => {
                tokens[word(to)] = tokens[word(from)];
                return tokens.concat();
            }
            Self::OddToken(at, value) => {
                tokens[word(at)] = value;
                return tokens.concat();
            }
            Self::Cut(at) => {
                tokens.truncate(word(at));
                return tokens.concat();
            }
        }
        lines.concat()
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        2 => at().prop_map(Edit::DeleteLine),
        1 => at().prop_map(Edit::DuplicateLine),
        1 => (at(), at()).prop_map(|(one, other)| Edit::SwapLines(one, other)),
        2 => at().prop_map(Edit::DeleteToken),
        1 => at().prop_map(Edit::DuplicateToken),
        4 => (at(), at()).prop_map(|(from, to)| Edit::CopyToken(from, to)),
        4 => (at(), select(&ODD[..])).prop_map(|(at, odd)| Edit::OddValue(at, odd)),
        2 => (at(), select(&ODD[..])).prop_map(|(at, odd)| Edit::OddToken(at, odd)),
        1 => at().prop_map(Edit::Cut),
    ]
}

#[test]
fn mutated_scenarios_end_in_an_answer() {
    let mutants = (0..SHIPPED.len(), prop::collection::vec(edit(), 1..4));
    let reached = explore(2_500, mutants, |(scenario, edits)| {
        (edits.iter()).fold(SHIPPED[scenario].clone(), |text, edit| edit.apply(&text))
    });
    // Each stage has something to do.
    assert!(reached.iter().all(|&count| count >= 5), "{reached:?}");
}

/// What formulas are made of, and what they are not.
const SOUP: [&str; 64] = [
    "1",
    "0.5",
    "-2",
    "1e308",
    "0",
    "inf",
    "nobody",
    "nowhere",
    "true",
    "false",
    "self",
    "target",
    "blamed",
    "host",
    "place",
    "claimant",
    "perpetrator",
    "sponsor",
    "candidate",
    "event",
    "time",
    "world",
    "north",
    "army",
    "hills",
    "neighbours",
    "actors",
    "places",
    "raid_rate",
    "anger_0",
    "deaths",
    "rungs",
    "rung",
    "x",
    ".",
    ".anger",
    ".killed",
    ".war",
    "[",
    "]",
    "(",
    ")",
    "{",
    ",",
    "+",
    "-",
    "*",
    "/",
    "^",
    "<",
    ">=",
    "==",
    "=",
    "+=",
    "and",
    "or",
    "not",
    "if",
    "else",
    "for",
    "in",
    "sum(",
    "max(",
    "é",
];

/// Places of the base where a formula or statement stands.
const SLOTS: [&str; 8] = [
    "raid_rate / 365",
    "event.killed > 2",
    "event.killed > 20",
    "self.anger\"\naction",
    "target.anger += 0.1 * event.killed",
    "rung[north, army] >= rungs.war",
    "deaths > 20",
    "north.anger\"\n",
];

fn in_slot(slot: usize, formula: &str) -> String {
    let old = SLOTS[slot].split('"').next().unwrap();
    let new = SLOTS[slot].replacen(old, formula, 1);
    assert!(BASE.contains(SLOTS[slot]));
    BASE.replacen(SLOTS[slot], &new, 1)
}

#[test]
fn formulas_of_random_words_end_in_an_answer() {
    let soup = prop::collection::vec(select(&SOUP[..]), 1..9).prop_map(|words| words.join(" "));
    let reached = explore(3_000, (0..SLOTS.len(), soup), |(slot, formula)| {
        let _ = parse_formula(&formula);
        let _ = parse_statement(&formula);
        in_slot(slot, &formula)
    });
    assert!(reached[Reached::Compiling as usize] > 2_000, "{reached:?}");
    assert!(reached[Reached::End as usize] > 5, "{reached:?}");
}

/// Formulas with sound grammar, and mostly sound types, whose values may be anything.
fn number() -> impl Strategy<Value = String> {
    let leaf = select(vec![
        "0",
        "1",
        "0.5",
        "3",
        "1e308",
        "1e-308",
        "700",
        "inf",
        "anger_0",
        "raid_rate",
        "time",
        "self.anger",
        "north.anger",
        "event.killed",
        "target.anger",
        "host.anger",
        "rung[north, army]",
        "rung[self, target]",
        "rungs.war",
        "deaths",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        let infix = select(vec!["+", "-", "*", "/", "^"]);
        let compare = select(vec!["<", ">=", "==", "!="]);
        let one = select(vec!["exp", "ln", "sqrt", "abs", "floor", "logistic", "-"]);
        prop_oneof![
            4 => (two(), infix).prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            2 => (inner.clone(), one).prop_map(|(a, function)| format!("{function}({a})")),
            1 => two().prop_map(|(a, b)| format!("min({a}, {b})")),
            1 => three.prop_map(|(a, b, c)| format!("clamp({a}, {b}, {c})")),
            2 => (two(), two(), compare).prop_map(|((a, b), (c, d), op)| format!("({a} if {b} {op} {c} else {d})")),
            1 => two().prop_map(|(a, b)| format!("sum(x.anger * {a} for x in actors if x.anger < {b})")),
            1 => inner.prop_map(|a| format!("max(x.anger + {a} for x in neighbours)")),
        ]
    })
}

#[test]
fn formulas_of_any_value_end_in_an_answer() {
    let reached = explore(1_500, (0..SLOTS.len(), number()), |(slot, formula)| {
        let formula = match SLOTS[slot] {
            truth if truth.contains('>') => format!("{formula} > 1"),
            effect if effect.contains("+=") => format!("target.anger += {formula}"),
            _ => formula,
        };
        in_slot(slot, &formula)
    });
    assert!(reached[Reached::Running as usize] > 20, "{reached:?}");
    assert!(reached[Reached::End as usize] > 100, "{reached:?}");
}
