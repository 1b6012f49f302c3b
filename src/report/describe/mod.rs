//! A scenario as a Markdown document: who acts, what moves them, and where every number comes from.

use std::collections::BTreeMap;

use crate::scenario::load::LoadedScenario;
use crate::scenario::raw::{Basis, Expression, OneOrMany, PerKey, RawParameter, RawScenario};
use crate::scenario::schema::is_id;

mod choices;
mod markdown;
mod outcomes;
mod values;

use markdown::{Document, code};
use values::{distribution, expression, id, ids, number, per_key, spelled};

/// The scenario, merged with those that it extends, as Markdown. Tables leave out columns without content.
pub fn markdown(loaded: &LoadedScenario) -> String {
    let raw = &loaded.raw;
    let mut out = Document::default();
    head(loaded, &mut out);
    who_and_where(raw, &mut out);
    stocks(raw, &mut out);
    ladder(raw, &mut out);
    choices::actions(raw, &mut out);
    choices::processes(raw, &mut out);
    choices::rules(raw, &mut out);
    outcomes::calendar(raw, &mut out);
    outcomes::metrics(raw, &mut out);
    outcomes::endgames(raw, &mut out);
    outcomes::timeline(raw, &mut out);
    formulas(raw, &mut out);
    parameters(raw, &mut out);
    bibliography(raw, &mut out);
    out.finish()
}

fn head(loaded: &LoadedScenario, out: &mut Document) {
    let header = &loaded.raw.scenario;
    out.heading(1, header.title.as_deref().unwrap_or(&loaded.name));
    if let Some(summary) = &header.summary {
        out.paragraph(summary);
    }
    let bases = loaded.sources.iter().skip(1);
    let bases: Vec<String> = bases.map(|(_, file)| code(file.name())).collect();
    if !bases.is_empty() {
        out.item("Extends", &bases.join(", which extends "));
    }
    out.item("Start", header.start.as_deref().unwrap_or(""));
    out.item("Horizon", &with_unit(header.horizon, "days"));
    let cap = header.max_events.map(|cap| format!("{cap} events"));
    out.item("A run is stopped at", &cap.unwrap_or_default());
    let runs = header.runs_per_world.map(|runs| runs.to_string());
    out.item("Runs per draw of the parameters", &runs.unwrap_or_default());
    out.item("Parameters", &parameters_by_basis(&loaded.raw));
}

fn with_unit(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(String::new, |value| format!("{} {unit}", number(value)))
}

/// "23: 9 data, 4 literature, 10 assumption; 12 with a prior".
fn parameters_by_basis(raw: &RawScenario) -> String {
    let mut counts: BTreeMap<Basis, usize> = BTreeMap::new();
    for parameter in raw.parameter.values() {
        *counts.entry(parameter.basis).or_default() += 1;
    }
    let counts: Vec<String> = (counts.iter())
        .map(|(basis, count)| format!("{count} {}", spelled(basis)))
        .collect();
    if counts.is_empty() {
        return "none".to_owned();
    }
    let uncertain = raw.parameter.values().filter(|p| p.prior.is_some()).count();
    format!(
        "{}: {}; {uncertain} with a prior",
        raw.parameter.len(),
        counts.join(", ")
    )
}

fn who_and_where(raw: &RawScenario, out: &mut Document) {
    let header = [
        "actor", "name", "kind", "patron", "rivals", "allies", "count", "source", "note",
    ];
    let rows = raw.actor.iter().map(|(name, actor)| {
        [
            id(name),
            text(&actor.label),
            spelled(&actor.kind),
            actor.patron.as_deref().map_or_else(String::new, id),
            ids(&actor.rivals),
            ids(&actor.allies),
            actor.count.map_or_else(String::new, |n| n.to_string()),
            sources(&actor.source),
            text(&actor.note),
        ]
    });
    out.section("Actors", header, rows);

    let rows = raw.place.iter().map(|(name, place)| {
        [
            id(name),
            text(&place.label),
            place.host.as_deref().map_or_else(String::new, id),
            text(&place.note),
        ]
    });
    out.section("Places", ["place", "name", "host", "note"], rows);

    let rows = raw.set.iter().map(|(name, set)| {
        let members = set.actors.as_ref().or(set.places.as_ref());
        [
            id(name),
            text(&set.label),
            members.map_or_else(String::new, |members| ids(members)),
            text(&set.note),
        ]
    });
    out.section("Sets", ["set", "name", "members", "note"], rows);
}

fn stocks(raw: &RawScenario, out: &mut Document) {
    let header = [
        "stock",
        "name",
        "of",
        "initial",
        "baseline",
        "half-life (days)",
        "elsewhere",
        "min",
        "max",
        "unit",
        "basis",
        "source",
        "note",
    ];
    let keyed = |value: &Option<PerKey>| value.as_ref().map_or_else(String::new, per_key);
    let bound = |value: &Option<Expression>| value.as_ref().map_or_else(String::new, expression);
    let rows = raw.stock.iter().map(|(name, stock)| {
        [
            id(name),
            text(&stock.label),
            spelled(&stock.of),
            per_key(&stock.initial),
            keyed(&stock.baseline),
            keyed(&stock.half_life),
            stock.elsewhere.map_or_else(String::new, number),
            bound(&stock.min),
            bound(&stock.max),
            text(&stock.unit),
            stock.basis.as_ref().map_or_else(String::new, spelled),
            sources(&stock.source),
            text(&stock.note),
        ]
    });
    out.section("Stocks", header, rows);
}

fn ladder(raw: &RawScenario, out: &mut Document) {
    let rows = raw.ladder.rung.iter().enumerate().map(|(index, rung)| {
        [
            index.to_string(),
            id(&rung.id),
            text(&rung.label),
            text(&rung.note),
        ]
    });
    out.section("Ladder", ["level", "rung", "name", "note"], rows);
    let initial: Vec<String> = (raw.ladder.initial.iter())
        .flat_map(|(row, partners)| {
            let pair = move |(column, rung): (&String, &String)| {
                format!("{} and {}: {}", id(row), id(column), id(rung))
            };
            partners.iter().map(pair)
        })
        .collect();
    out.items("At the start", &initial);
    out.item("Source", &sources(&raw.ladder.source));
    out.item("Note", &text(&raw.ladder.note));
}

fn parameters(raw: &RawScenario, out: &mut Document) {
    let header = [
        "parameter",
        "name",
        "value",
        "unit",
        "prior",
        "range",
        "neutral",
        "basis",
        "source",
        "note",
    ];
    let rows = raw.parameter.iter().map(|(name, parameter)| {
        let range = parameter.range;
        [
            id(name),
            text(&parameter.label),
            number(parameter.value),
            text(&parameter.unit),
            (parameter.prior.as_ref()).map_or_else(String::new, distribution),
            range.map_or_else(String::new, |[low, high]| {
                format!("{} to {}", number(low), number(high))
            }),
            parameter.neutral.map_or_else(String::new, number),
            spelled(&parameter.basis),
            sources(&parameter.source),
            text(&parameter.note),
        ]
    });
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return;
    }
    out.heading(2, "Parameters");
    provenance(raw, out);
    out.table(header, &rows);
}

/// How many parameters rest on what.
fn provenance(raw: &RawScenario, out: &mut Document) {
    let mut groups: BTreeMap<Basis, Vec<&RawParameter>> = BTreeMap::new();
    for parameter in raw.parameter.values() {
        groups.entry(parameter.basis).or_default().push(parameter);
    }
    let rows: Vec<[String; 4]> = (groups.iter())
        .map(|(basis, parameters)| {
            let count = |holds: fn(&RawParameter) -> bool| {
                parameters.iter().filter(|p| holds(p)).count().to_string()
            };
            [
                spelled(basis),
                parameters.len().to_string(),
                count(|p| p.prior.is_some()),
                count(|p| p.source.is_some()),
            ]
        })
        .collect();
    out.table(
        ["basis", "parameters", "with a prior", "with a source"],
        &rows,
    );
}

fn formulas(raw: &RawScenario, out: &mut Document) {
    let header = [
        "formula",
        "name",
        "takes",
        "stands for",
        "unit",
        "source",
        "note",
    ];
    let rows = raw.formula.iter().map(|(name, formula)| {
        [
            id(name),
            text(&formula.label),
            ids(&formula.takes),
            expression(&formula.value),
            text(&formula.unit),
            sources(&formula.source),
            text(&formula.note),
        ]
    });
    out.section("Named formulas", header, rows);
}

/// The sources that are cited by name.
fn bibliography(raw: &RawScenario, out: &mut Document) {
    let rows = raw.source.iter().map(|(name, source)| {
        [
            id(name),
            source.citation.clone(),
            text(&source.url),
            text(&source.note),
        ]
    });
    out.section("Sources", ["source", "citation", "address", "note"], rows);
}

/// What is cited: names of sources as code, texts as they are.
fn sources(cited: &Option<OneOrMany>) -> String {
    let cited = cited.as_ref().map_or(&[][..], OneOrMany::names);
    let shown: Vec<String> = (cited.iter())
        .map(|source| {
            if is_id(source) {
                id(source)
            } else {
                source.clone()
            }
        })
        .collect();
    shown.join("; ")
}

fn text(value: &Option<String>) -> String {
    value.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests;
