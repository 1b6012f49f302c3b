//! A chronicle as a table of ids and numbers.

use super::super::csv_text::CsvText;
use super::{
    Chronicle, Course, Decision, Dropped, Entry, EventEntry, Name, RunResult, Source, When,
};

const COLUMNS: [&str; 25] = [
    "day",
    "date",
    "kind",
    "event",
    "actor",
    "action",
    "target",
    "place",
    "host",
    "killed",
    "foiled",
    "claimant",
    "sponsor",
    "goldstein",
    "source",
    "id",
    "option",
    "stance",
    "probability",
    "answers",
    "due",
    "other",
    "before",
    "after",
    "value",
];

/// One line; columns that are not set stay empty.
struct Row([String; COLUMNS.len()]);

impl Row {
    fn new(when: &When, kind: &str) -> Self {
        Self(Default::default())
            .set("day", when.day)
            .set("date", &when.date)
            .set("kind", kind)
    }

    fn set(mut self, column: &str, value: impl ToString) -> Self {
        if let Some(index) = COLUMNS.iter().position(|name| *name == column) {
            self.0[index] = value.to_string();
        }
        self
    }

    fn name(self, column: &str, name: Option<Name<'_>>) -> Self {
        match name {
            Some(name) => self.set(column, name.id),
            None => self,
        }
    }

    fn source(self, source: Source<'_>) -> Self {
        self.set("source", source.kind).set("id", source.name.id)
    }

    fn course(self, course: &Course<'_>) -> Self {
        self.set("option", course.name.id)
            .set("stance", course.stance.unwrap_or(""))
            .set("probability", course.probability)
    }
}

pub(super) fn render(chronicle: &Chronicle<'_>) -> String {
    let mut rows = Vec::new();
    for entry in &chronicle.entries {
        match entry {
            Entry::Event(event) => event_rows(event, &mut rows),
            Entry::Decision(decision) => rows.push(decision_row(decision)),
            Entry::Dropped(dropped) => rows.push(dropped_row(dropped)),
            Entry::Calendar(note) => {
                let row = Row::new(&note.when, "calendar");
                rows.push(row.set("source", "calendar").set("id", note.name.id));
            }
        }
    }
    if let Some(result) = &chronicle.result {
        result_rows(result, &mut rows);
    }
    let mut table = CsvText::new(&COLUMNS);
    for Row(cells) in &rows {
        table.row(cells);
    }
    table.text()
}

fn event_rows(event: &EventEntry<'_>, rows: &mut Vec<Row>) {
    let row = |kind: &str| Row::new(&event.when, kind).set("event", event.number);
    let mut main = row("event")
        .name("actor", event.perpetrator)
        .set("action", event.action.id)
        .name("target", event.target)
        .name("place", event.place)
        .name("host", event.host)
        .set("killed", event.killed)
        .set("foiled", event.foiled)
        .name("claimant", event.claimant)
        .name("sponsor", event.sponsor)
        .set("goldstein", event.goldstein)
        .source(event.cause.source);
    if let Some(course) = &event.cause.course {
        main = main.course(course);
    }
    if let Some(answers) = event.cause.answers {
        main = main.set("answers", answers);
    }
    rows.push(main);
    for step in &event.ladder {
        let [a, b] = step.between;
        rows.push(
            row("ladder")
                .set("actor", a.id)
                .set("other", b.id)
                .set("before", step.before.name.id)
                .set("after", step.after.name.id),
        );
    }
    for belief in &event.beliefs {
        let row = row("belief").set("actor", belief.observer.id);
        rows.push(row.name("other", belief.blamed));
    }
    for decision in &event.decisions {
        rows.push(decision_row(decision).set("event", event.number));
    }
}

fn decision_row(decision: &Decision<'_>) -> Row {
    let row = Row::new(&decision.when, "decision")
        .set("actor", decision.actor.id)
        .source(decision.source)
        .course(&decision.course);
    match &decision.due {
        Some(due) => row.set("due", due.day),
        None => row,
    }
}

fn dropped_row(dropped: &Dropped<'_>) -> Row {
    Row::new(&dropped.when, "dropped")
        .set("actor", dropped.actor.id)
        .source(dropped.source)
        .set("option", dropped.course.id)
        .set("value", dropped.reason)
}

fn result_rows(result: &RunResult<'_>, rows: &mut Vec<Row>) {
    let row = |kind: &str| Row::new(&result.when, kind);
    rows.push(row("ending").set("value", result.ending));
    if let Some(endgame) = result.endgame {
        rows.push(row("endgame").set("id", endgame.id));
    }
    for flag in &result.flags {
        let row = row("flag").set("id", flag.name.id);
        rows.push(row.set("value", flag.value));
    }
    for metric in &result.metrics {
        let row = row("metric").set("id", metric.name.id);
        rows.push(row.set("value", metric.value));
    }
}
