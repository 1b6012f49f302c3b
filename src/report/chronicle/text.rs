//! A chronicle for readers.

use std::fmt::Write as _;

use super::{
    Belief, Cause, Chronicle, Course, Decision, Dropped, Entry, EventEntry, LadderMove, Name,
    RunHeader, RunResult,
};

/// Width of a date and the gap behind it.
const DATE_WIDTH: usize = 12;

pub(super) fn render(chronicle: &Chronicle<'_>) -> String {
    let mut out = String::new();
    header(&chronicle.run, &mut out);
    let mut numbers = chronicle.entries.iter().filter_map(|entry| match entry {
        Entry::Event(event) => Some(event.number),
        _ => None,
    });
    let number_width = numbers.next_back().unwrap_or(0).to_string().len() + 1;
    for entry in &chronicle.entries {
        let (date, number, lines) = match entry {
            Entry::Event(event) => {
                let number = format!("#{}", event.number);
                (&event.when.date, number, event_lines(event))
            }
            Entry::Decision(decision) => {
                let line = decision_line(decision);
                (&decision.when.date, String::new(), vec![line])
            }
            Entry::Dropped(dropped) => {
                let line = dropped_line(dropped);
                (&dropped.when.date, String::new(), vec![line])
            }
            Entry::Calendar(note) => {
                let Name { id, label } = note.name;
                let line = if id == label {
                    format!("Calendar: {id}.")
                } else {
                    format!("Calendar: {label} ({id}).")
                };
                (&note.when.date, String::new(), vec![line])
            }
        };
        for (index, line) in lines.iter().map(|line| capitalized(line)).enumerate() {
            let (date, number) = if index == 0 {
                (date.as_str(), number.as_str())
            } else {
                ("", "")
            };
            let _ = writeln!(out, "{date:DATE_WIDTH$}{number:>number_width$}  {line}");
        }
    }
    if let Some(result) = &chronicle.result {
        ending(result, number_width, &mut out);
    }
    let drawn = chronicle.run.parameters.iter().filter(|p| p.drawn);
    let drawn = drawn.map(|parameter| (parameter.id, figures(parameter.value)));
    table("Parameters drawn", drawn.collect(), &mut out);
    out
}

fn header(run: &RunHeader<'_>, out: &mut String) {
    let [first, last] = &run.period;
    let _ = writeln!(out, "{} ({})", run.title, run.scenario);
    let world = run.world.map(|world| format!(" in world {world}"));
    let world = world.unwrap_or_else(|| " with parameters at their defaults".to_owned());
    let _ = writeln!(
        out,
        "Run {}{world}, seed {}, {first} to {last}",
        run.run, run.seed
    );
    out.push('\n');
}

/// Labels such as "the Front" begin sentences too.
fn capitalized(line: &str) -> String {
    let mut letters = line.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// What happened, then what it brought about.
fn event_lines(event: &EventEntry<'_>) -> Vec<String> {
    let mut lines = vec![format!("{} ({}).", deed(event), cause(&event.cause))];
    let mut attribution = String::new();
    let own_claim = event.claimant == event.perpetrator;
    match event.claimant {
        Some(claimant) if own_claim => {
            let _ = write!(attribution, "{} claims it.", claimant.label);
        }
        Some(claimant) => {
            let _ = write!(attribution, "{} claims it, falsely.", claimant.label);
        }
        None if event.open.claim => attribution.push_str("Nobody claims it."),
        None => {}
    }
    let hidden = event.sponsor.filter(|_| event.sponsor != event.perpetrator);
    if let Some(sponsor) = hidden {
        let gap = if attribution.is_empty() { "" } else { " " };
        let _ = write!(
            attribution,
            "{gap}{} is behind it in secret.",
            sponsor.label
        );
    }
    if !attribution.is_empty() {
        lines.push(attribution);
    }
    lines.extend(event.ladder.iter().map(ladder_line));
    if event.open.belief {
        lines.extend(belief_line(event));
    }
    lines.extend(event.decisions.iter().map(decision_line));
    lines
}

/// "Iran strikes Jaish al-Adl in Sistan, killing 2".
fn deed(event: &EventEntry<'_>) -> String {
    let mut line = event
        .perpetrator
        .map_or("Somebody", |who| who.label)
        .to_owned();
    let _ = write!(line, " {}", event.verb);
    // What somebody does to itself needs no object: "ISKP recruits".
    if let Some(target) = event.target.filter(|_| event.target != event.perpetrator) {
        let _ = write!(line, " {}", target.label);
    }
    if let Some(place) = event.place {
        let _ = write!(line, " in {}", place.label);
    }
    if event.foiled {
        line.push_str(", but is foiled");
    } else if event.killed > 0.0 {
        let _ = write!(line, ", killing {}", figures(event.killed));
    } else if event.open.killed {
        line.push_str(", killing nobody");
    }
    line
}

/// "rule iran_answers, option strike, escalate, p = 0.41, answering #9".
fn cause(cause: &Cause<'_>) -> String {
    let mut line = format!("{} {}", cause.source.kind, cause.source.name.id);
    if let Some(course) = cause.course.as_ref().filter(|course| !course.only) {
        let _ = write!(
            line,
            ", option {}, {}",
            course.name.id,
            stance_and_odds(course)
        );
    }
    if let Some(number) = cause.answers {
        let _ = write!(line, ", answering #{number}");
    }
    line
}

/// "escalate, p = 0.41".
fn stance_and_odds(course: &Course<'_>) -> String {
    let odds = format!("p = {}", probability(course.probability));
    match course.stance {
        Some(stance) => format!("{stance}, {odds}"),
        None => odds,
    }
}

fn ladder_line(step: &LadderMove<'_>) -> String {
    let [a, b] = step.between;
    format!(
        "{}\u{2013}{}: {} -> {}.",
        a.label, b.label, step.before.name.label, step.after.name.label
    )
}

/// "Pakistan and Iraq blame Iran; Syria does not know whom to blame." Perpetrators know what they did.
fn belief_line(event: &EventEntry<'_>) -> Option<String> {
    let mut groups: Vec<(Option<Name<'_>>, Vec<&str>)> = Vec::new();
    let outsiders = (event.beliefs.iter()).filter(|b| Some(b.observer) != event.perpetrator);
    for Belief { observer, blamed } in outsiders {
        match groups.iter_mut().find(|(known, _)| known == blamed) {
            Some((_, observers)) => observers.push(observer.label),
            None => groups.push((*blamed, vec![observer.label])),
        }
    }
    let clauses: Vec<String> = (groups.iter())
        .map(|(blamed, observers)| {
            let who = listed(observers);
            match (blamed, observers.len()) {
                (Some(blamed), 1) => format!("{who} blames {}", blamed.label),
                (Some(blamed), _) => format!("{who} blame {}", blamed.label),
                (None, 1) => format!("{who} does not know whom to blame"),
                (None, _) => format!("{who} do not know whom to blame"),
            }
        })
        .collect();
    (!clauses.is_empty()).then(|| clauses.join("; ") + ".")
}

/// "a", "a and b", "a, b and c".
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn decision_line(decision: &Decision<'_>) -> String {
    let course = &decision.course;
    let mut line = format!(
        "{} decides: {} ({}, {} {})",
        decision.actor.label,
        course.name.label,
        stance_and_odds(course),
        decision.source.kind,
        decision.source.name.id
    );
    match &decision.due {
        Some(due) if due.day > decision.when.day => {
            let _ = write!(line, ", due {}.", due.date);
        }
        Some(_) => line.push_str(", at once."),
        None => line.push('.'),
    }
    line
}

fn dropped_line(dropped: &Dropped<'_>) -> String {
    let why = match dropped.reason {
        "no_longer_holds" => "its condition no longer holds",
        "replaced" => "a new answer takes its place",
        _ => "there is nobody, or nowhere, to act against",
    };
    format!(
        "{} drops: {} ({} {}): {why}.",
        dropped.actor.label, dropped.course.label, dropped.source.kind, dropped.source.name.id
    )
}

fn ending(result: &RunResult<'_>, number_width: usize, out: &mut String) {
    let how = match result.ending {
        "horizon" => "The run ends at its horizon.",
        "absorbed" => "The run ends: its endgame is reached.",
        _ => "The run is stopped at its cap on events: what would have followed is not known.",
    };
    let date = &result.when.date;
    let _ = writeln!(out, "{date:DATE_WIDTH$}{:number_width$}  {how}\n", "");
    let endgame = result.endgame.map_or("none".to_owned(), |endgame| {
        format!("{} ({})", endgame.label, endgame.id)
    });
    let _ = writeln!(out, "Endgame: {endgame}");
    let _ = writeln!(out, "Events: {}", result.events);
    let flags = (result.flags.iter()).map(|flag| (flag.name.label, yes_or_no(flag.value)));
    table("Flags", flags.collect(), out);
    let metrics = result.metrics.iter().map(|metric| {
        let value = match (&metric.date, metric.unit) {
            _ if metric.rung.is_some() => metric.rung.map_or(String::new(), |r| r.label.to_owned()),
            (Some(date), _) => format!("day {} ({date})", figures(metric.value)),
            (None, _) if metric.value == f64::INFINITY => "never".to_owned(),
            (None, Some(unit)) => format!("{} {unit}", figures(metric.value)),
            (None, None) => figures(metric.value),
        };
        (metric.name.label, value)
    });
    table("Metrics", metrics.collect(), out);
}

fn yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn table(title: &str, rows: Vec<(&str, String)>, out: &mut String) {
    if rows.is_empty() {
        return;
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0);
    let _ = writeln!(out, "{title}:");
    for (name, value) in rows {
        let _ = writeln!(out, "  {name:width$}  {value}");
    }
}

/// A probability with two decimals, or with two significant digits when it is small.
fn probability(p: f64) -> String {
    if p >= 0.01 || p == 0.0 {
        format!("{p:.2}")
    } else {
        format!("{p:.1e}")
    }
}

/// Four significant digits, without needless zeros; whole numbers in full.
fn figures(x: f64) -> String {
    let magnitude = x.abs();
    if magnitude.floor() == magnitude && magnitude < 1e15 {
        return format!("{x:.0}");
    }
    if !(1e-3..1e15).contains(&magnitude) {
        return format!("{x:.3e}");
    }
    let mut decimals = 3_usize;
    let mut bound = 10.0;
    while magnitude >= bound && decimals > 0 {
        bound *= 10.0;
        decimals -= 1;
    }
    let mut bound = 1.0;
    while magnitude < bound {
        bound /= 10.0;
        decimals += 1;
    }
    let text = format!("{x:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_for_readers() {
        let cases = [
            (0.0, "0"),
            (94.0, "94"),
            (-3.0, "-3"),
            (0.5, "0.5"),
            (32.14159, "32.14"),
            (123_456.7, "123457"),
            (0.012_345_6, "0.01235"),
            (0.000_012_346, "1.235e-5"),
            (-1.0 / 3.0, "-0.3333"),
            (f64::INFINITY, "inf"),
        ];
        for (x, text) in cases {
            assert_eq!(figures(x), text);
        }
    }

    #[test]
    fn small_probabilities_keep_their_digits() {
        assert_eq!(probability(1.0), "1.00");
        assert_eq!(probability(0.4149), "0.41");
        assert_eq!(probability(0.000_432), "4.3e-4");
        assert_eq!(probability(0.0), "0.00");
    }

    #[test]
    fn lists_read_as_english() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b"]), "a and b");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
