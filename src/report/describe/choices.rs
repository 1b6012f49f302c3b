//! Actions, processes and rules.

use super::markdown::{Document, code};
use super::values::{
    expression, id, ids, optional_code, optional_expression, quantity, selector, spelled,
};
use super::{number, sources, text};
use crate::model::{IfPending, Outcome};
use crate::scenario::raw::{
    RawAction, RawOption, RawProcess, RawRule, RawRungMove, RawScenario, RawSelector,
};

pub(super) fn actions(raw: &RawScenario, out: &mut Document) {
    if raw.action.is_empty() {
        return;
    }
    out.heading(2, "Actions");
    for (name, action) in &raw.action {
        titled(name, &action.label, true, out);
        describe_action(action, out);
    }
}

fn describe_action(action: &RawAction, out: &mut Document) {
    let codes = |texts: &[String]| texts.iter().map(|text| code(text)).collect::<Vec<_>>();
    out.item("Reads", &quoted(&action.verb));
    let killed = action.killed.as_ref().map_or_else(String::new, quantity);
    out.item("Killed", &killed);
    out.item(
        "Probability of being foiled",
        &optional_expression(&action.foiled),
    );
    if let Some(claim) = &action.claim {
        let probability = claim.probability.as_ref();
        let probability = probability.map_or_else(|| "1".to_owned(), expression);
        out.item(
            "Claimed by",
            &format!("{} with probability {probability}", code(&claim.by)),
        );
    }
    out.item(
        "Goldstein weight",
        &action.goldstein.map_or_else(String::new, number),
    );
    let moves: Vec<String> = action.rung.iter().map(rung_move).collect();
    out.items("Ladder", &moves);
    let suspects: Vec<String> = (action.suspect.iter())
        .map(|suspect| {
            let note = suspect.note.as_ref();
            let note = note.map_or_else(String::new, |note| format!(" ({note})"));
            format!(
                "{}: {}{note}",
                code(&suspect.who),
                expression(&suspect.weight)
            )
        })
        .collect();
    out.items("Whom an observer may blame, with weights", &suspects);
    out.items("Effects", &codes(&action.effects));
    out.items("Effects when foiled", &codes(&action.foiled_effects));
    out.item("Source", &sources(&action.source));
    out.item("Note", &text(&action.note));
}

fn rung_move(step: &RawRungMove) -> String {
    let [a, b] = step.between.each_ref().map(|who| code(who));
    let mut line = format!("{a} and {b}");
    if let Some(rung) = &step.at_least {
        line.push_str(&format!(": at least {}", code(rung)));
    }
    if let Some(rung) = &step.at_most {
        line.push_str(&format!(": at most {}", code(rung)));
    }
    if let Some(by) = step.step {
        let (direction, by) = if by < 0 {
            ("down", -i64::from(by))
        } else {
            ("up", i64::from(by))
        };
        line.push_str(&format!(": {by} {direction}"));
    }
    if let Some(when) = &step.when {
        line.push_str(&format!(", when {}", code(when)));
    }
    line
}

pub(super) fn processes(raw: &RawScenario, out: &mut Document) {
    if raw.process.is_empty() {
        return;
    }
    out.heading(2, "Processes");
    for (name, process) in &raw.process {
        titled(name, &process.label, process.enabled, out);
        describe_process(process, out);
    }
}

fn describe_process(process: &RawProcess, out: &mut Document) {
    out.item("Who", &id(&process.who));
    let title = format!("Hazard per {}", spelled(&process.per));
    out.item(&title, &expression(&process.hazard));
    let deed = deed(
        &process.action,
        &process.target,
        &process.place,
        &process.claimant,
        &process.sponsor,
    );
    out.item("Leads to", &deed);
    out.item("Rationality", &optional_expression(&process.rationality));
    out.item("Source", &sources(&process.source));
    out.item("Note", &text(&process.note));
    options(&process.option, out);
}

pub(super) fn rules(raw: &RawScenario, out: &mut Document) {
    if raw.rule.is_empty() {
        return;
    }
    out.heading(2, "Rules");
    for (name, rule) in &raw.rule {
        titled(name, &rule.label, rule.enabled, out);
        describe_rule(rule, out);
    }
}

fn describe_rule(rule: &RawRule, out: &mut Document) {
    let standings: Vec<String> = rule.standing.list().iter().map(spelled).collect();
    out.item("Who", &id(&rule.who));
    out.item("Answers", &ids(rule.on.names()));
    out.item("As", &standings.join(", "));
    if rule.outcome != Outcome::default() {
        out.item("Outcome", &spelled(&rule.outcome));
    }
    out.item("When", &optional_code(&rule.when));
    out.item("Rationality", &optional_expression(&rule.rationality));
    if rule.if_pending != IfPending::default() {
        out.item("If an answer is under way", &spelled(&rule.if_pending));
    }
    out.item("Cooldown in days", &optional_expression(&rule.cooldown));
    out.item("Source", &sources(&rule.source));
    out.item("Note", &text(&rule.note));
    options(&rule.option, out);
}

fn options(options: &[RawOption], out: &mut Document) {
    let header = [
        "option",
        "name",
        "stance",
        "open when",
        "score",
        "probability",
        "does",
        "after days",
        "if still",
        "note",
    ];
    let rows: Vec<[String; 10]> = (options.iter())
        .map(|option| {
            let off = if option.enabled {
                ""
            } else {
                " (switched off)"
            };
            [
                id(&option.id) + off,
                text(&option.label),
                option.stance.as_ref().map_or_else(String::new, spelled),
                optional_code(&option.when),
                optional_expression(&option.score),
                optional_expression(&option.probability),
                deed(
                    &option.action,
                    &option.target,
                    &option.place,
                    &option.claimant,
                    &option.sponsor,
                ),
                option.delay.as_ref().map_or_else(String::new, quantity),
                optional_code(&option.still),
                text(&option.note),
            ]
        })
        .collect();
    if !rows.is_empty() {
        out.table(header, &rows);
    }
}

/// "`attack` against `iran` in `kerman`, claimed by `isis`"; empty without an action.
fn deed(
    action: &Option<String>,
    target: &Option<RawSelector>,
    place: &Option<RawSelector>,
    claimant: &Option<String>,
    sponsor: &Option<String>,
) -> String {
    let Some(action) = action else {
        return String::new();
    };
    let mut line = code(action);
    if let Some(target) = target {
        line.push_str(&format!(" against {}", selector(target)));
    }
    if let Some(place) = place {
        line.push_str(&format!(" in {}", selector(place)));
    }
    if let Some(claimant) = claimant {
        line.push_str(&format!(", claimed by {}", code(claimant)));
    }
    if let Some(sponsor) = sponsor {
        line.push_str(&format!(", sponsored in secret by {}", code(sponsor)));
    }
    line
}

fn titled(name: &str, label: &Option<String>, enabled: bool, out: &mut Document) {
    let off = if enabled { "" } else { ": switched off" };
    match label {
        Some(label) => out.heading(3, &format!("{label} ({}){off}", code(name))),
        None => out.heading(3, &format!("{}{off}", code(name))),
    }
}

fn quoted(text: &Option<String>) -> String {
    text.as_ref()
        .map_or_else(String::new, |text| format!("\"{text}\""))
}
