use proptest::prelude::*;

use super::fixture::{Moment, SLOTS, World, compiled, formula, moment, number};
use super::reference::Reference;
use crate::formula::{
    Program, Scope, StockTarget, Type, compile, compile_target, parse_formula, parse_statement,
};

fn plain() -> Moment {
    Moment {
        parameters: [2.0, 0.5, f64::INFINITY],
        stocks: (0..SLOTS).map(|slot| slot as f64).collect(),
        rungs: [0.0, 1.0, 2.0, 0.0, 1.0, 2.0],
        roles: [0.0, 0.0, 3.0, 0.0, 0.0, 2.0, -1.0, -1.0, 1.0],
        fields: [12.0, 1.0, -10.0],
        time: 30.0,
    }
}

#[test]
fn precedence() {
    let scope = Scope::effects();
    for (text, expected) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 4 - 3", 3.0),
        ("16 / 4 / 2", 2.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 ^ 2", -4.0),
        ("2 ^ -1", 0.5),
        ("-2 * -3", 6.0),
        ("1 if 1 < 2 and 2 > 3 or true else 0", 1.0),
        ("1 if true or false and false else 0", 1.0),
        ("1 if not 1 > 2 and true else 0", 1.0),
        ("1 if not false == true else 0", 1.0),
        ("1 if false else 2 if false else 3", 3.0),
        ("1 + 1 if true else 5", 2.0),
        ("1.5e2 + .5", 150.5),
    ] {
        let program = number(text, &scope);
        assert_eq!(program.as_constant(), Some(expected), "{text}");
    }
}

#[test]
fn values_by_hand() {
    let scope = Scope::effects();
    for (text, expected) in [
        ("iran.unrest + 10 * pakistan.unrest", 10.0),
        ("target.capability", 5.0),
        ("target.unrest", 0.25),
        ("sponsor.capability", 0.0),
        ("target.trust[claimant]", 17.0),
        ("target.presence[place]", 20.0),
        ("rung[self, target]", 0.0),
        ("rung[iran, isis]", 1.0),
        ("sum(a.capability for a in actors)", 14.0),
        ("mean(a.capability for a in actors)", 3.5),
        ("max(isis.presence[l] for l in places)", 19.0),
        ("count(a for a in actors if a != self)", 3.0),
        ("1 if target in clients(claimant) else 0", 1.0),
        ("event.killed + event.goldstein", 2.0),
        ("logistic(0)", 0.5),
        ("clamp(world.gaza, 0, 1)", 1.0),
    ] {
        assert_eq!(number(text, &scope).evaluate(&plain()), expected, "{text}");
    }
}

#[test]
fn knowledge_at_load_is_used() {
    // A rule of iran (0): reads through `self` are as those of a named actor, and what it need not know is not read.
    let scope = Scope::rule(0);
    assert_eq!(number("self.unrest", &scope).as_stock(), Some(0));
    assert_eq!(number("host(kerman).unrest", &scope).as_stock(), Some(0));
    assert_eq!(number("rung[self, pakistan]", &scope).as_rung(), Some(0));
    assert_eq!(
        number("sum(1 for a in rivals(self))", &scope).as_constant(),
        Some(1.0)
    );
    let guard = compiled("self == iran or time > 3", &scope, Type::Truth).unwrap();
    assert_eq!(guard.as_constant(), Some(1.0));
    let guard = compiled("self == isis and target.unrest > 3", &scope, Type::Truth).unwrap();
    assert_eq!(guard.as_constant(), Some(0.0));
    assert_eq!(
        number("isis.capability if self == isis else 2", &scope).as_constant(),
        Some(2.0)
    );
    // Where the stock of `self` does not exist.
    assert_eq!(
        number("self.unrest", &Scope::rule(2)).as_constant(),
        Some(0.25)
    );
    assert_eq!(
        number("isis.presence[sistan]", &Scope::rule(0)).as_stock(),
        Some(19)
    );
}

#[test]
fn reads() {
    let scope = Scope::effects();
    let reads = number(
        "sum(a.capability for a in jihadists) + rung[iran, isis] * time + iran.unrest",
        &scope,
    )
    .reads();
    assert_eq!((reads.stocks, reads.rungs), (vec![0, 4, 5], vec![1]));
    assert!(reads.time && !reads.dynamic && !reads.event && reads.metrics.is_empty());
    let reads = number("target.unrest", &scope).reads();
    assert!(reads.dynamic && reads.event && reads.stocks.is_empty());
    assert!(number("p * q + 1", &scope).only_parameters());
    assert!(!number("p * time", &scope).only_parameters());
    assert!(!number("p + 0 * iran.unrest", &scope).only_parameters());
    assert!(!number("p * q + 1", &scope).is_constant());
    assert!(
        !number("attacks / 2", &Scope::endgame())
            .reads()
            .metrics
            .is_empty()
    );
}

#[test]
fn a_known_operand_without_a_value_is_not_left_out() {
    let scope = Scope::rule(0);
    for (text, value) in [
        ("0 / 0 > 1 and iran.unrest >= 0", f64::NAN),
        ("iran.unrest >= 0 and 0 / 0 > 1", f64::NAN),
        ("iran.unrest < 0 and 0 / 0 > 1", 0.0),
        ("0 / 0 > 1 or iran.unrest < 0", f64::NAN),
        ("0 / 0 > 1 or iran.unrest >= 0", 1.0),
    ] {
        let found = compiled(text, &scope, Type::Truth).unwrap();
        let found = found.evaluate(&plain());
        assert!(
            found == value || found.is_nan() && value.is_nan(),
            "{text}: {found}"
        );
    }
}

#[test]
fn one_operation_for_sums_of_stocks() {
    let scope = Scope::rule(0);
    for text in [
        "max(a.capability for a in actors)",
        "max(a.capability for a in actors if a != self)",
    ] {
        assert_eq!(number(text, &scope).ops.len(), 1, "{text}");
    }
    let mixed = number("sum(a.unrest for a in actors)", &scope);
    assert_eq!(mixed.evaluate(&plain()), 0.0 + 1.0 + 0.25 + 0.25);
}

#[test]
fn targets() {
    let target = |text: &str, scope: &Scope| {
        let statement = parse_statement(text).unwrap();
        compile_target(&statement.place, &World, scope)
    };
    let effects = Scope::effects();
    assert_eq!(
        target("iran.unrest = 1", &effects),
        Ok(StockTarget::Fixed(0))
    );
    assert_eq!(
        target("world.gaza += 1", &effects),
        Ok(StockTarget::Fixed(22))
    );
    assert_eq!(
        target("self.unrest = 1", &Scope::rule(2)),
        Ok(StockTarget::Nothing)
    );
    let slot = |text| target(text, &effects).unwrap().slot(&plain());
    assert_eq!(slot("target.presence[place] *= 0.9"), Some(20));
    assert_eq!(slot("target.presence[sistan] *= 0.9"), Some(21));
    assert_eq!(slot("target.trust[claimant] *= 0.9"), Some(17));
    assert_eq!(slot("target.unrest = 1"), None);
    assert_eq!(slot("sponsor.capability = 1"), None);
    for text in [
        "isis.unrest = 1",
        "p = 1",
        "rung[iran, isis] = 1",
        "event.killed = 1",
        "iran.trust = 1",
        "missing.unrest = 1",
    ] {
        assert!(target(text, &effects).is_err(), "{text}");
    }
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn agrees(text: &str, scope: &Scope, moment: &Moment) -> Result<(), TestCaseError> {
    let expr = parse_formula(text).map_err(|e| TestCaseError::fail(format!("{text}: {e:?}")))?;
    let program = match compile(&expr, &World, scope, Type::Number) {
        Ok(program) => program,
        // A formula of constants only, without a value, is refused.
        Err(errors)
            if errors
                .iter()
                .all(|e| e.message == "this formula has no value") =>
        {
            return Ok(());
        }
        Err(errors) => return Err(TestCaseError::fail(format!("{text}: {errors:?}"))),
    };
    let found = program.evaluate(moment);
    let expected = Reference {
        moment,
        fixed_self: scope.fixed_self,
    }
    .value(&expr);
    prop_assert!(
        same(found, expected),
        "{text}: {found} instead of {expected}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(super::fixture::cases(1000))]

    #[test]
    fn evaluation_agrees_with_the_reference(text in formula(true), moment in moment()) {
        agrees(&text, &Scope::effects(), &moment)?;
    }

    #[test]
    fn specialised_evaluation_agrees_with_the_reference(text in formula(false), moment in moment(), actor in 0_u32..4) {
        agrees(&text, &Scope::process(actor), &moment)?;
    }
}

#[test]
fn the_comparison_with_the_reference_finds_a_mutant() {
    // A program that groups a sum the other way differs in the last bit only.
    let scope = Scope::state("a test");
    let moment = Moment {
        parameters: [0.1, 0.2, 0.3],
        ..plain()
    };
    let expr = parse_formula("p + q + 0.3").unwrap();
    let expected = Reference {
        moment: &moment,
        fixed_self: None,
    }
    .value(&expr);
    let mutant: Program = number("p + (q + 0.3)", &scope);
    assert!(!same(mutant.evaluate(&moment), expected));
    assert!(same(
        number("p + q + 0.3", &scope).evaluate(&moment),
        expected
    ));
}
