//! Fast code gives the bits of the program.

use proptest::prelude::*;

use super::fixture::{Moment, compiled, formula, moment};
use crate::formula::{
    Code, Environment, Field, Known, Program, Relation, Role, Scope, Totals, Type,
};

/// A moment with what parameters decide behind its parameters.
struct Knowing<'a> {
    moment: &'a Moment,
    known: Vec<f64>,
}

impl<'a> Knowing<'a> {
    fn new(moment: &'a Moment, known: &Known) -> Self {
        let values = known.programs().iter().map(|p| p.evaluate(moment));
        Self {
            moment,
            known: values.collect(),
        }
    }
}

impl Environment for Knowing<'_> {
    fn parameter(&self, index: u32) -> f64 {
        match (index as usize).checked_sub(self.moment.parameters.len()) {
            Some(known) => self.known[known],
            None => self.moment.parameter(index),
        }
    }
    fn stock(&self, slot: u32) -> f64 {
        self.moment.stock(slot)
    }
    fn rung(&self, pair: u32) -> f64 {
        self.moment.rung(pair)
    }
    fn metric(&self, index: u32) -> f64 {
        self.moment.metric(index)
    }
    fn role(&self, role: Role) -> f64 {
        self.moment.role(role)
    }
    fn field(&self, field: Field) -> f64 {
        self.moment.field(field)
    }
    fn time(&self) -> f64 {
        self.moment.time()
    }
    fn stock_slot(&self, stock: u32, actor: u32, column: u32) -> Option<u32> {
        self.moment.stock_slot(stock, actor, column)
    }
    fn elsewhere(&self, stock: u32) -> f64 {
        self.moment.elsewhere(stock)
    }
    fn pair_slot(&self, a: u32, b: u32) -> u32 {
        self.moment.pair_slot(a, b)
    }
    fn host(&self, place: u32) -> f64 {
        self.moment.host(place)
    }
    fn patron(&self, actor: u32) -> f64 {
        self.moment.patron(actor)
    }
    fn related(&self, relation: Relation, a: u32, b: u32) -> bool {
        self.moment.related(relation, a, b)
    }
}

/// The value of the program, and that of its code with all that parameters decide worked out beforehand.
fn both(program: &Program, moment: &Moment) -> (f64, f64, Code) {
    let mut known = Known::behind(moment.parameters.len());
    let folded = program.with_known(&mut known);
    let code = folded.code(&|_| false, &mut Totals::default());
    let value = code.evaluate(&folded, &Knowing::new(moment, &known));
    (program.evaluate(moment), value, code)
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

proptest! {
    #![proptest_config(super::fixture::cases(4000))]

    #[test]
    fn code_gives_the_bits_of_the_program(text in formula(true), moment in moment()) {
        let Ok(program) = compiled(&text, &Scope::rule(1), Type::Number) else { return Ok(()) };
        let (plain, fast, code) = both(&program, &moment);
        prop_assert!(same(plain, fast), "{text}: {plain} plainly, {fast} by {code:?}");
    }
}

#[test]
fn what_decides_is_enough() {
    // The right side of each is never looked at where the left one decides, and no value of it would matter.
    for text in [
        "1 if iran.unrest > 5 and ln(pakistan.unrest) > 0 else 2",
        "1 if iran.unrest < 5 or ln(pakistan.unrest) > 0 else 2",
        "(1 if iran.unrest > 5 else 2) + (p if not (pakistan.unrest > 3) else p * p - q)",
        "p * (1 if sqrt(iran.unrest) > 0 and sqrt(pakistan.unrest) > 0 else 2)",
    ] {
        let program = super::fixture::number(text, &Scope::state("a test"));
        for (iran, pakistan) in [
            (0.0, -1.0),
            (9.0, -1.0),
            (9.0, 4.0),
            (-1.0, 4.0),
            (-1.0, -1.0),
        ] {
            let moment = super::bounds::two(iran, pakistan);
            let (plain, fast, code) = both(&program, &moment);
            assert!(same(plain, fast), "{text}: {plain} and {fast} by {code:?}");
            assert!(matches!(code, Code::Steps(_)), "{text} is made fast");
        }
    }
}

#[test]
fn what_parameters_decide_is_worked_out_once() {
    let text = "p * q + iran.unrest * (1 - p) + (q / 2 if p > 1 else p * q)";
    let program = super::fixture::number(text, &Scope::state("a test"));
    let mut known = Known::behind(3);
    let folded = program.with_known(&mut known);
    assert_eq!(known.programs().len(), 3, "{folded:?}");
    assert_eq!(folded, program.with_known(&mut known), "and for once");
    assert_eq!(known.programs().len(), 3);
}
