//! Choice among options: quantal response and plain probabilities.

use crate::support::*;
use flashpoint::math::exp;
use flashpoint::model::Model;

const SCORES: [f64; 3] = [0.4, 1.0, -0.3];

fn logit(rationality: f64) -> [f64; 3] {
    SCORES.map(|score| exp(rationality * score))
}

/// How often each of the six actions happens in a run.
fn counts(model: &Model) -> Vec<u64> {
    let record = Runs::new(model, 1).record(0);
    for event in &record.events {
        let flashpoint::engine::Cause::Choice { probability, .. } = event.cause else {
            panic!("an event of a choice");
        };
        assert!(probability > 0.0 && probability <= 1.0);
    }
    tally(record.events.iter().map(|event| event.action as usize), 6)
}

fn with_rationality(value: &str) -> Vec<u64> {
    counts(&edited(
        "logit",
        &[("value = 1.5", &format!("value = {value}"))],
    ))
}

#[test]
fn frequencies_are_logit_at_finite_rationality() {
    for (text, rationality) in [("0", 0.0), ("0.3", 0.3), ("1.5", 1.5), ("4", 4.0)] {
        let counts = with_rationality(text);
        assert_eq!(counts[3], 0, "invasion is closed");
        accepts(text, frequencies(&counts[..3], &logit(rationality)));
        rejects(
            "rationality off by 0.25",
            frequencies(&counts[..3], &logit(rationality + 0.25)),
        );
    }
}

#[test]
fn the_best_is_taken_at_infinite_rationality() {
    let edit = ("rationality = \"rationality\"", "rationality = \"inf\"");
    let counts = counts(&edited("logit", &[edit]));
    assert!(counts[1] > 10_000);
    assert_eq!((counts[0], counts[2], counts[3]), (0, 0, 0));
}

#[test]
fn an_option_that_opens_takes_its_share() {
    let open = edited(
        "logit",
        &[
            ("self.nerve > 0.5", "self.nerve < 0.5"),
            ("score = 9", "score = 0.9"),
        ],
    );
    let counts = counts(&open);
    let mut weights = logit(1.5).to_vec();
    rejects(
        "still closed",
        frequencies(&counts[..4], &[&weights[..], &[1e-9]].concat()),
    );
    weights.push(exp(1.5 * 0.9));
    accepts("open", frequencies(&counts[..4], &weights));
}

#[test]
fn scores_count_up_to_a_constant_and_without_overflow() {
    let shift = |text: &str| text.replace("score = ", "score = 900 + ");
    // Formulas in quotes and bare numbers alike.
    let text = text_of("logit")
        .replace("score = \"self.nerve\"", "score = \"900 + self.nerve\"")
        .replace("score = 1\n", "score = 901\n")
        .replace("score = -0.3", "score = 899.7");
    assert_ne!(text, shift(&text));
    accepts(
        "shifted",
        frequencies(&counts(&inline(&text))[..3], &logit(1.5)),
    );
}

#[test]
fn plain_probabilities_leave_the_rest() {
    let model = scenario("logit");
    let record = Runs::new(&model, 2).record(0);
    let of = |action| record.times_of(action).len() as u64;
    // Holding is no event: it is seen as a choice that comes due never.
    let held = record
        .choices
        .iter()
        .filter(|choice| choice.due == f64::INFINITY);
    let counts = [of(4), of(5), held.count() as u64];
    accepts("rest", frequencies(&counts, &[0.2, 0.3, 0.5]));
    rejects("shared out", frequencies(&counts, &[0.4, 0.6, 0.0001]));
    rejects(
        "in turn",
        frequencies(&counts, &[0.2, 0.8 * 0.3, 0.8 * 0.7]),
    );
}
