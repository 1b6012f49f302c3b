use super::fixture::compiled;
use crate::formula::{CandidateKind, CheckError, Role, Scope, Type};

fn errors(text: &str, scope: &Scope, expected: Type) -> Vec<CheckError> {
    compiled(text, scope, expected).expect_err(text)
}

fn says(errors: &[CheckError], what: &str) -> bool {
    errors
        .iter()
        .any(|e| format!("{}; {}", e.message, e.help.clone().unwrap_or_default()).contains(what))
}

#[test]
fn types() {
    let scope = Scope::effects();
    for (text, says_this) in [
        ("1 + event.foiled", "1 if ... else 0"),
        ("1 + iran", "name one of its stocks"),
        ("1 if p else 2", "compare it with something"),
        (
            "1 if iran == kerman else 2",
            "expected an actor, found a place",
        ),
        ("1 if place == nobody else 2", "`nowhere`"),
        ("1 if true else iran", "differ in type"),
        ("iran", "expected a number"),
        ("true", "1 if"),
        ("not 1", "truth"),
        ("exp(iran)", "expected a number"),
        ("exp(1, 2)", "takes 1 value, not 2"),
        ("clamp(1, 2)", "takes 3 values"),
        ("min(1)", "two values or more"),
        ("host(iran).unrest", "expected a place"),
        ("patron(kerman).unrest", "host(place)"),
        ("1 if kerman in states else 0", "found a place"),
        ("kerman.unrest", "stocks belong to actors"),
        ("rung[iran, kerman]", "expected an actor"),
        (
            "count(a for a in states if 0 / 0 > 1)",
            "this condition has no value",
        ),
        ("1 if ln(-1) > 0 else 2", "this condition has no value"),
    ] {
        let found = errors(text, &scope, Type::Number);
        assert!(says(&found, says_this), "{text}: {found:?}");
    }
    assert!(compiled("host(place)", &scope, Type::Actor).is_ok());
    assert!(compiled("kerman if event.foiled else place", &scope, Type::Place).is_ok());
    assert!(says(&errors("nobody", &scope, Type::Place), "`nowhere`"));
}

#[test]
fn names() {
    let scope = Scope::effects();
    for (text, says_this) in [
        ("irn.unrest", "did you mean `iran`?"),
        ("iran.unrset", "did you mean `unrest`?"),
        ("rungs.wra", "did you mean `war`?"),
        ("sqr(2)", "did you mean `sqrt`?"),
        ("log(2)", "`ln`"),
        ("tagret.unrest", "did you mean `target`?"),
        ("sum(a.unrest for a in stats)", "did you mean `states`?"),
        (
            "sum(alpha.unrest for beta in states)",
            "there is no `alpha`",
        ),
        ("unrest", "write `actor.unrest`"),
        ("gaza", "write `world.gaza`"),
        ("strike", "write `rungs.strike`"),
        ("states", "is a set"),
        ("rivals(iran)", "is a set"),
        ("iran.gaza", "write `world.gaza`"),
        ("world.unrest", "stock of an actor"),
        ("iran.trust", "actor.trust[actor]"),
        ("iran.trust[kerman]", "actor.trust[actor]"),
        ("iran.presence[isis]", "actor.presence[place]"),
        ("isis.unrest", "does not exist there"),
        ("iran.presence[kerman]", "does not exist there"),
        ("host(sistan).unrest", "does not exist there"),
        ("event.died", "`killed`"),
        ("rung[iran]", "two actors"),
        ("rung[iran, iran]", "no rung with itself"),
        ("iran[isis]", "brackets"),
        ("mean(a.unrest for a in nothing)", "over nothing"),
        ("max(a.unrest for a in states if a == isis)", "over nothing"),
        ("max(a.unrest for a in states if a == target)", "fallback"),
        ("mean(a.unrest for a in states if a == target)", "count("),
        ("sum(a.unrest for a in rivals(target))", "not known at load"),
        ("sum(a.missing for a in nothing)", "there is no stock"),
        (
            "sum(iran.unrest for iran in states)",
            "already means something",
        ),
        (
            "sum(sum(a.unrest for a in states) for a in states)",
            "already means something",
        ),
        ("count(a.unrest for a in states)", "counts members"),
        (
            "product(a.unrest for a in states)",
            "does not go over a set",
        ),
        ("0 / 0", "no value"),
    ] {
        let found = errors(text, &scope, Type::Number);
        assert!(says(&found, says_this), "{text}: {found:?}");
    }
}

#[test]
fn every_error_is_reported_once_and_in_order() {
    let found = errors(
        "sum(a.missing for a in actors) + nothing_like + (1 if 2 else true)",
        &Scope::effects(),
        Type::Number,
    );
    let starts: Vec<usize> = found.iter().map(|e| e.span.start).collect();
    assert_eq!(starts, [6, 33, 49, 54], "{found:?}");
}

#[test]
fn every_role_has_a_scope_that_lacks_it() {
    let rule = Scope::rule(0);
    let process = Scope::process(0);
    let effects = Scope::effects();
    let state = Scope::endgame();
    for (role, scope, says_this) in [
        (Role::SelfActor, &state, "name the actor"),
        (
            Role::Perpetrator,
            &rule,
            "a rule cannot see the true perpetrator; use `blamed`, whom this actor believes responsible",
        ),
        (Role::Perpetrator, &process, "use `self`"),
        (Role::Target, &process, "name the actor"),
        (Role::Place, &state, "name the place"),
        (Role::Host, &process, "name the actor"),
        (Role::Claimant, &state, "name the actor"),
        (
            Role::Sponsor,
            &rule,
            "a rule cannot see the true sponsor; use `blamed`",
        ),
        (Role::Blamed, &effects, "use `perpetrator`"),
        (Role::Candidate, &rule, "`among`"),
    ] {
        let kind = if role == Role::Place {
            Type::Place
        } else {
            Type::Actor
        };
        let found = errors(role.name(), scope, kind);
        assert!(says(&found, says_this), "{role:?}: {found:?}");
        assert!(compiled(role.name(), &scope.with_roles(&[role]), kind).is_ok());
    }
    assert!(
        Role::ALL
            .into_iter()
            .all(|role| Role::named(role.name()) == Some(role))
    );
    let over_places = rule.with_candidate(CandidateKind::Place);
    assert!(compiled("candidate", &over_places, Type::Place).is_ok());
}

#[test]
fn kinds_of_names_out_of_scope() {
    let parameters = Scope::parameters("an initial value");
    for (text, scope, says_this) in [
        (
            "iran.unrest",
            parameters,
            "an initial value cannot see stocks; it sees parameters",
        ),
        ("time", parameters, "cannot see time"),
        ("rung[iran, isis]", parameters, "cannot see rungs"),
        ("attacks", Scope::effects(), "cannot see metrics"),
        ("event.killed", Scope::process(0), "cannot see `event.*`"),
        (
            "iran.unrest",
            Scope::metric_value(),
            "it sees parameters, metrics",
        ),
    ] {
        let found = errors(text, &scope, Type::Number);
        assert!(says(&found, says_this), "{text}: {found:?}");
    }
    assert!(compiled("p * 2 + rungs.war", &parameters, Type::Number).is_ok());
}

#[test]
fn large_formulas_are_refused() {
    let scope = Scope::effects();
    let nested = (0..12).fold("event.killed".to_owned(), |body, i| {
        format!("sum({body} for v{i} in actors)")
    });
    assert!(says(
        &errors(&nested, &scope, Type::Number),
        "too many steps"
    ));
    let open = (0..40).fold("time".to_owned(), |inner, _| {
        format!("time * (p + {inner})")
    });
    assert!(says(
        &errors(&open, &scope, Type::Number),
        "waiting at once"
    ));
}
