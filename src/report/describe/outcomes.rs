//! The calendar, and what is read off a run.

use super::markdown::{Document, code};
use super::values::{expression, id, ids, number, optional_code, optional_expression, spelled};
use super::{sources, text};
use crate::scenario::raw::{
    Expression, OneOrMany, RawCalendarEntry, RawLevel, RawMetric, RawScenario,
};

pub(super) fn calendar(raw: &RawScenario, out: &mut Document) {
    let header = [
        "entry",
        "name",
        "when",
        "probability",
        "if",
        "effects",
        "event",
        "basis",
        "source",
        "note",
    ];
    let rows = raw.calendar.iter().map(|entry| {
        let off = if entry.enabled { "" } else { " (switched off)" };
        let effects: Vec<String> = entry.effects.iter().map(|effect| code(effect)).collect();
        [
            id(&entry.id) + off,
            text(&entry.label),
            time(entry),
            optional_expression(&entry.probability),
            optional_code(&entry.when),
            effects.join("; "),
            forced_event(entry),
            entry.basis.as_ref().map_or_else(String::new, spelled),
            sources(&entry.source),
            text(&entry.note),
        ]
    });
    out.section("Calendar", header, rows);
}

fn time(entry: &RawCalendarEntry) -> String {
    match (&entry.date, &entry.window, &entry.day) {
        (Some(date), _, _) => date.clone(),
        (_, Some([first, last]), _) => format!("{first} to {last}"),
        (_, _, Some(day)) => format!("day {}", expression(day)),
        (None, None, None) => String::new(),
    }
}

fn forced_event(entry: &RawCalendarEntry) -> String {
    let Some(action) = &entry.action else {
        return String::new();
    };
    let mut line = code(action);
    let parts = [
        (" by ", &entry.actor),
        (" against ", &entry.target),
        (" in ", &entry.place),
        (", claimed by ", &entry.claimant),
        (", sponsored in secret by ", &entry.sponsor),
    ];
    for (word, who) in parts {
        if let Some(who) = who {
            line.push_str(word);
            line.push_str(&code(who));
        }
    }
    if let Some(killed) = &entry.killed {
        line.push_str(&format!(", killed {}", expression(killed)));
    }
    if entry.foiled == Some(true) {
        line.push_str(", foiled");
    }
    line
}

pub(super) fn metrics(raw: &RawScenario, out: &mut Document) {
    let rows = raw.metric.iter().map(|(name, metric)| {
        [
            id(name),
            text(&metric.label),
            measure(metric),
            optional_code(&metric.filter),
            text(&metric.unit),
            text(&metric.note),
        ]
    });
    let header = ["metric", "name", "measures", "only where", "unit", "note"];
    out.section("Metrics", header, rows);
}

fn measure(metric: &RawMetric) -> String {
    let actions = |names: &OneOrMany| ids(names.names());
    let on = |what: &str, names: &Option<OneOrMany>| {
        names
            .as_ref()
            .map(|names| format!("{what} {}", actions(names)))
    };
    let path =
        |what: &str, of: &Option<String>| of.as_ref().map(|of| format!("{what} {}", code(of)));
    let beyond = |what: &str, direction: &str, of: &Option<RawLevel>| {
        let of = of.as_ref()?;
        Some(format!(
            "{what} {} is {direction} {}",
            code(&of.of),
            expression(&of.level)
        ))
    };
    let sum = metric.sum.as_ref().map(|formula| {
        let over = metric.over.as_ref().map_or_else(String::new, actions);
        format!("sum of {} over {over}", expression(formula))
    });
    let exchanges = metric.exchanges.as_ref().map(|exchanges| {
        let [a, b] = exchanges.between.each_ref().map(|who| code(who));
        format!(
            "exchanges of {} between {a} and {b} within {} days",
            actions(&exchanges.on),
            expression(&exchanges.within)
        )
    });
    let formula = |what: &str, formula: &Option<Expression>| {
        formula.as_ref().map(|f| format!("{what}{}", expression(f)))
    };
    let kinds = [
        on("number of", &metric.count),
        sum,
        on("day of the first", &metric.first),
        on("day of the last", &metric.last),
        path("highest", &metric.peak),
        path("lowest", &metric.low),
        beyond("days in which", "above", &metric.time_above),
        beyond("days in which", "below", &metric.time_below),
        beyond("first day on which", "above", &metric.first_above),
        beyond("first day on which", "below", &metric.first_below),
        path("time average of", &metric.time_mean),
        exchanges,
        formula("at the end: ", &metric.at_end),
        formula("", &metric.value),
    ];
    let kinds: Vec<String> = kinds.into_iter().flatten().collect();
    kinds.join("; ")
}

pub(super) fn endgames(raw: &RawScenario, out: &mut Document) {
    let rows = raw.endgame.iter().enumerate().map(|(index, endgame)| {
        let otherwise = || "otherwise".to_owned();
        [
            (index + 1).to_string(),
            id(&endgame.id),
            text(&endgame.label),
            endgame.when.as_deref().map_or_else(otherwise, code),
            if endgame.absorbing {
                "ends the run"
            } else {
                ""
            }
            .to_owned(),
            text(&endgame.note),
        ]
    });
    let header = ["order", "endgame", "name", "when", "absorbing", "note"];
    out.section("Endgames", header, rows);

    let rows = raw.flag.iter().map(|(name, flag)| {
        [
            id(name),
            text(&flag.label),
            code(&flag.when),
            text(&flag.note),
        ]
    });
    out.section("Flags", ["flag", "name", "when", "note"], rows);
}

pub(super) fn timeline(raw: &RawScenario, out: &mut Document) {
    let Some(timeline) = &raw.timeline else {
        return;
    };
    let rows = (timeline.series.iter()).map(|(name, formula)| [id(name), expression(formula)]);
    let title = format!("Timeline, every {} days", number(timeline.every));
    out.section(&title, ["series", "formula"], rows);
}
