//! Formulas in which roles are known give the bits of those in which they are read.

use proptest::prelude::*;

use super::fixture::{Moment, compiled, formula, moment};
use crate::formula::{KnownRoles, Role, Scope, StockTarget, Type, compile_target, parse_statement};

/// The roles of the moment that `mask` picks out.
fn known(moment: &Moment, mask: u16) -> KnownRoles {
    (Role::ALL.into_iter()).fold(KnownRoles::default(), |known, role| {
        let who = moment.roles[role as usize] as i32;
        known.with(role, (mask >> role as u16 & 1 == 1).then_some(who))
    })
}

proptest! {
    #![proptest_config(super::fixture::cases(4000))]

    #[test]
    fn a_value_does_not_depend_on_what_is_known(
        text in formula(true), moment in moment(), mask in 0_u16..512,
    ) {
        let Ok(program) = compiled(&text, &Scope::rule(1), Type::Number) else { return Ok(()) };
        let knowing = program.with_roles(&known(&moment, mask), &moment);
        let (plain, fast) = (program.evaluate(&moment), knowing.evaluate(&moment));
        let same = plain.to_bits() == fast.to_bits() || (plain.is_nan() && fast.is_nan());
        prop_assert!(same, "{text}: {plain} plainly, {fast} by {knowing:?}");
    }
}

#[test]
fn where_all_roles_are_known_no_role_is_read() {
    let scope = Scope::effects();
    let moment = super::bounds::two(0.5, 0.25);
    let roles = (known(&moment, 0))
        .with(Role::SelfActor, Some(0))
        .with(Role::Target, Some(1))
        .with(Role::Place, Some(-1));
    for (text, expected) in [
        ("target.unrest", "pakistan.unrest"),
        ("self.trust[target]", "iran.trust[pakistan]"),
        ("rung[self, target]", "rung[iran, pakistan]"),
        (
            "3 if place == kerman else target.unrest * 2",
            "pakistan.unrest * 2",
        ),
        ("4 if target in jihadists or self == target else 5", "5"),
        (
            "1 if is_rival(self, target) and self.unrest > 0 else 2",
            "2",
        ),
    ] {
        let program = super::fixture::number(text, &scope).with_roles(&roles, &moment);
        let expected = super::fixture::number(expected, &scope);
        assert_eq!(program, expected, "{text}");
    }
}

#[test]
fn a_target_is_a_slot_where_its_owner_is_known() {
    let target = |text: &str| {
        let statement = parse_statement(text).unwrap();
        compile_target(&statement.place, &super::fixture::World, &Scope::effects()).unwrap()
    };
    let moment = super::bounds::two(0.5, 0.25);
    let roles = KnownRoles::default().with(Role::Target, Some(1));
    let unrest = target("pakistan.unrest += 1");
    assert!(matches!(unrest, StockTarget::Fixed(_)));
    assert_eq!(
        target("target.unrest += 1").with_roles(&roles, &moment),
        unrest
    );
    let own = target("self.unrest += 1");
    assert_eq!(own.with_roles(&roles, &moment), own);
    let nobody = KnownRoles::default().with(Role::Target, Some(-1));
    let nothing = target("target.unrest += 1").with_roles(&nobody, &moment);
    assert_eq!(nothing, StockTarget::Nothing);
}
