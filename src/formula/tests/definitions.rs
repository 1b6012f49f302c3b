//! Named formulas: the same program as their text in the place of their name.

use super::fixture::{compiled, number};
use crate::formula::{CandidateKind, Scope, Type};

#[test]
fn a_name_stands_for_its_text() {
    let rule = Scope::rule(0);
    for (named, written) in [
        ("calm", "1 - iran.unrest"),
        ("2 * calm + p", "2 * (1 - iran.unrest) + p"),
        ("pressure(iran)", "p + iran.unrest"),
        ("pressure(self)", "p + self.unrest"),
        ("pressure(target)", "p + target.unrest"),
        ("larger(p, q)", "p if p > q else q"),
        (
            "twice(p + 1)",
            "(p + 1 if p + 1 > p + 1 else p + 1) + (p + 1)",
        ),
        (
            "larger(larger(p, q), 1)",
            "(p if p > q else q) if (p if p > q else q) > 1 else 1",
        ),
        (
            "culprit.capability",
            "(blamed if blamed != nobody else target).capability",
        ),
        (
            "pressure(culprit)",
            "p + (blamed if blamed != nobody else target).unrest",
        ),
        ("total(jihadists)", "sum(a.capability for a in jihadists)"),
        (
            "total(rivals(self))",
            "sum(a.capability for a in rivals(self))",
        ),
        // The text of a formula does not see the variables of who names it, and the other way round: each `a` is its own.
        (
            "sum(added(a.unrest) for a in states)",
            "sum(sum(b.capability + a.unrest for b in states) for a in states)",
        ),
        (
            "added(sum(a.unrest for a in states))",
            "sum(b.capability + sum(a.unrest for a in states) for b in states)",
        ),
    ] {
        assert_eq!(number(named, &rule), number(written, &rule), "{named}");
    }
    let candidate = Scope::rule(0).with_candidate(CandidateKind::Actor);
    assert_eq!(
        number("pressure(candidate)", &candidate),
        number("p + candidate.unrest", &candidate)
    );
}

#[test]
fn an_error_lies_where_it_was_written() {
    let rule = Scope::rule(0);
    let errors = |text: &str| compiled(text, &rule, Type::Number).expect_err(text);
    // In the formula, which reads `x + sponsor.unrest + irn.unrest`; found through the name at 4..13.
    let found = errors("1 + broken(p)");
    let places: Vec<_> = (found.iter())
        .map(|e| {
            let within = e.within.clone().unwrap();
            (e.span.clone(), within.definition, within.used_at)
        })
        .collect();
    assert_eq!(places, [(4..11, 7, 4..13), (21..24, 7, 4..13)], "{found:?}");
    // In the text itself: also what is given to a formula belongs there.
    for (text, span, says) in [
        ("pressure(irn)", 9..12, "there is no `irn`"),
        ("pressure(p, q)", 0..14, "takes 1 value, not 2"),
        ("pressure", 0..8, "takes 1 value, not 0"),
        ("calm(p)", 0..7, "takes no values, not 1"),
        ("clam + 1", 0..4, "there is no `clam`"),
        ("presure(iran)", 0..7, "there is no function `presure`"),
        ("culprit", 0..7, "expected a number, found an actor"),
    ] {
        let found = errors(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].message.contains(says), "{text}: {found:?}");
        assert_eq!(found[0].span, span, "{text}");
    }
    assert_eq!(
        errors("clam")[0].help.as_deref(),
        Some("did you mean `calm`?")
    );
    let help = errors("presure(iran)")[0].help.clone();
    assert_eq!(help.as_deref(), Some("did you mean `pressure`?"));
}

#[test]
fn formulas_end() {
    let rule = Scope::rule(0);
    let found = compiled("endless(p)", &rule, Type::Number).unwrap_err();
    assert!(found[0].message.contains("made of itself"), "{found:?}");
    let nested = format!("{}p{}", "twice(".repeat(40), ")".repeat(40));
    let found = compiled(&nested, &rule, Type::Number).unwrap_err();
    assert!(found[0].message.contains("too many steps"), "{found:?}");
}
