//! The description of the flagship says what the scenario says: its tables of mechanisms, formulas, processes and rules.

use std::collections::BTreeSet;

use flashpoint::scenario::builtin;
use flashpoint::scenario::load::{LoadedScenario, load};
use flashpoint::scenario::raw::{Expression, RawScenario};

use crate::markdown::{Page, code, document};

fn base() -> RawScenario {
    let loaded: Result<LoadedScenario, _> = load("isis-iran/base");
    loaded.unwrap_or_else(|problems| panic!("{problems}")).raw
}

fn rows(mark: &str) -> Vec<Vec<String>> {
    let page: Page = document("model.md");
    let mut tables = page.tables(mark);
    assert_eq!(tables.len(), 1, "{mark}");
    tables.remove(0).1
}

/// As a cell of a table shows it.
fn shown(expression: &Expression) -> String {
    match expression {
        Expression::Number(number) => number.to_string(),
        Expression::Formula(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

fn only(cell: &str) -> String {
    let found = code(cell);
    assert_eq!(found.len(), 1, "{cell}");
    found[0].clone()
}

/// The 27 mechanisms, each with parameters that switch it off and where it is implemented.
#[test]
fn mechanisms_are_those_of_the_scenario() {
    let base = base();
    let rows = rows("mechanisms");
    assert_eq!(rows.len(), 27);
    let mut named = BTreeSet::new();
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row[0], (index + 1).to_string());
        let parameters = row[2].split(", ");
        for parameter in parameters {
            let id = only(parameter);
            let stated = parameter.rsplit(['(', ')']).nth(1).unwrap();
            let neutral = base.parameter[&id].neutral;
            assert_eq!(neutral, stated.parse().ok(), "{id}");
            assert!(named.insert(id.clone()), "{id} stands twice");
        }
        for place in code(&row[3]) {
            let found = base.process.contains_key(&place)
                || base.rule.contains_key(&place)
                || base.action.contains_key(&place);
            assert!(found, "{place}");
        }
    }
    let with_neutral = base.parameter.iter().filter(|(_, p)| p.neutral.is_some());
    let with_neutral: BTreeSet<String> = with_neutral.map(|(id, _)| id.clone()).collect();
    assert_eq!(named, with_neutral);
}

#[test]
fn formulas_are_those_of_the_scenario() {
    let base = base();
    let rows = rows("formulas");
    let told: Vec<(String, Vec<String>, String)> = (rows.iter())
        .map(|row| (only(&row[0]), code(&row[1]), only(&row[2])))
        .collect();
    let real: Vec<_> = (base.formula.iter())
        .map(|(id, formula)| (id.clone(), formula.takes.clone(), shown(&formula.value)))
        .collect();
    assert_eq!(told, real);
}

#[test]
fn processes_are_those_of_the_scenario() {
    let base = base();
    let told: Vec<[String; 3]> = (rows("processes").iter())
        .map(|row| [only(&row[0]), only(&row[1]), only(&row[2])])
        .collect();
    let real: Vec<_> = (base.process.iter())
        .map(|(id, process)| [id.clone(), process.who.clone(), shown(&process.hazard)])
        .collect();
    assert_eq!(told, real);
}

#[test]
fn rules_are_those_of_the_scenario() {
    let base = base();
    let told: Vec<[String; 3]> = (rows("rules").iter())
        .map(|row| [only(&row[0]), only(&row[1]), row[2].replace('`', "")])
        .collect();
    let mut real = Vec::new();
    for (id, rule) in &base.rule {
        let by_probability = rule
            .option
            .iter()
            .any(|option| option.probability.is_some());
        for option in &rule.option {
            let weight = match (&option.score, &option.probability) {
                (Some(score), _) => shown(score),
                (None, Some(probability)) => format!("P = {}", shown(probability)),
                (None, None) if by_probability => "the rest".to_owned(),
                (None, None) => "0".to_owned(),
            };
            real.push([id.clone(), option.id.clone(), weight]);
        }
    }
    assert_eq!(told, real);
}

#[test]
fn every_variant_is_listed() {
    let told: BTreeSet<String> = rows("variants").iter().map(|row| only(&row[0])).collect();
    let real: BTreeSet<String> = (builtin::list().iter())
        .filter_map(|(name, _)| Some(name.strip_prefix("isis-iran/variants/")?.to_owned()))
        .collect();
    assert_eq!(told, real);
}

/// What the page names in code, outside the tables, exists.
#[test]
fn ideas_of_the_literature_stand_where_the_page_says() {
    let base = base();
    let page = document("model.md");
    let ideas = page.text.split("| Idea | Source | Where |").nth(1).unwrap();
    let ideas = ideas.split("\n\n").next().unwrap();
    let names = code(ideas);
    assert!(names.len() > 10);
    for name in names {
        let found = base.parameter.contains_key(&name)
            || base.formula.contains_key(&name)
            || base.rule.contains_key(&name);
        assert!(found, "{name}");
    }
}
