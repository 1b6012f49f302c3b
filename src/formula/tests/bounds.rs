use proptest::prelude::*;

use super::fixture::{Between, Moment, SLOTS, between, compiled, formula, moment, number};
use crate::formula::{Interval, KeptSum, Known, Program, Ranges, Scope, Total, Totals, Type};

/// Parameters stay, everything else lies somewhere between two moments.
fn inside(a: &Moment, b: &Moment, at: &[f64]) -> Moment {
    let mut position = at.iter().cycle();
    let mut mix = |a: f64, b: f64| {
        let t = position.next().copied().unwrap_or(0.0);
        (a + t * (b - a)).clamp(a.min(b), a.max(b))
    };
    Moment {
        stocks: a
            .stocks
            .iter()
            .zip(&b.stocks)
            .map(|(a, b)| mix(*a, *b))
            .collect(),
        rungs: std::array::from_fn(|i| mix(a.rungs[i], b.rungs[i]).round()),
        time: mix(a.time, b.time),
        ..a.clone()
    }
}

proptest! {
    #![proptest_config(super::fixture::cases(1000))]

    #[test]
    fn bounds_contain_values(
        text in formula(false), a in moment(), b in moment(), actor in 0_u32..4,
        at in prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), 0.0..1.0], 7 * 8),
    ) {
        let Ok(program) = compiled(&text, &Scope::process(actor), Type::Number) else { return Ok(()) };
        let bound = program.bound(&Between(&a, &b));
        for at in at.chunks(7) {
            let value = program.evaluate(&inside(&a, &b, at));
            prop_assert!(bound.contains(value), "{text}: {value} outside {bound:?}");
        }
    }
}

/// Ranges between two moments with what parameters decide behind the parameters, and with sums of stocks that stay where they
/// are in the first moment.
struct Prepared<'a> {
    between: Between<'a>,
    known: Vec<f64>,
    totals: Vec<[f64; 4]>,
}

impl Ranges for Prepared<'_> {
    fn parameter(&self, index: u32) -> f64 {
        let declared = self.between.0.parameters.len();
        match (index as usize).checked_sub(declared) {
            Some(known) => self.known[known],
            None => self.between.parameter(index),
        }
    }
    fn stock(&self, slot: u32) -> Interval {
        self.between.stock(slot)
    }
    fn still_stock(&self, slot: u32) -> f64 {
        self.between.still_stock(slot)
    }
    fn total(&self, total: Total) -> f64 {
        total.value(&self.totals)
    }
    fn rung(&self, pair: u32) -> Interval {
        self.between.rung(pair)
    }
    fn time(&self) -> Interval {
        self.between.time()
    }
}

/// The bound of the program, and that of its code; `is_still` tells of stocks that are in `a` where they are in `b`.
fn both(
    program: &Program,
    a: &Moment,
    b: &Moment,
    is_still: &dyn Fn(u32) -> bool,
) -> [Interval; 2] {
    let mut known = Known::behind(a.parameters.len());
    let folded = program.with_known(&mut known);
    let mut totals = Totals::default();
    let code = folded.code(is_still, &mut totals);
    let mut groups = vec![[0.0; 4]; totals.groups as usize];
    for (slot, summand) in totals.list.iter().flat_map(KeptSum::summands) {
        summand.set(&mut groups, a.stocks[slot as usize]);
    }
    let ranges = Prepared {
        known: known.programs().iter().map(|p| p.evaluate(a)).collect(),
        between: Between(a, b),
        totals: groups,
    };
    [folded.bound(&ranges), code.bound(&folded, &ranges)]
}

proptest! {
    #![proptest_config(super::fixture::cases(4000))]

    #[test]
    fn code_gives_the_bounds_of_the_program(
        text in formula(false), a in moment(), b in moment(), actor in 0_u32..4,
        still in prop::collection::vec(any::<bool>(), SLOTS), all_still in any::<bool>(),
        rungs_stay in any::<bool>(),
    ) {
        let Ok(program) = compiled(&text, &Scope::process(actor), Type::Number) else { return Ok(()) };
        let is_still = |slot: u32| all_still || still[slot as usize];
        let mut b = b;
        for slot in 0..SLOTS {
            if is_still(slot as u32) {
                b.stocks[slot] = a.stocks[slot];
            }
        }
        if rungs_stay {
            b.rungs = a.rungs;
        }
        let [plain, fast] = both(&program, &a, &b, &is_still);
        prop_assert!(plain == fast, "{text}: {plain:?} plainly, {fast:?} by code");
    }
}

/// The bound of a formula of the two unrests in their ranges.
fn bound_of(text: &str, a: f64, b: f64, c: f64, d: f64) -> Interval {
    let program: Program = number(text, &Scope::state("a test"));
    program.bound(&Between(&two(a, c), &two(b, d)))
}

pub fn two(x: f64, y: f64) -> Moment {
    let mut stocks = vec![0.0; SLOTS];
    (stocks[0], stocks[1]) = (x, y);
    Moment {
        parameters: [2.0, 0.5, f64::INFINITY],
        stocks,
        rungs: [0.0; 6],
        roles: [0.0; 9],
        fields: [0.0; 3],
        time: 0.0,
    }
}

#[test]
fn bounds_hold_to_the_bit() {
    // Each computed value between the ends lies in the bound although nothing is rounded outward; a bound that is one step
    // narrower misses one of them.
    let text = "iran.unrest * 0.1 / 3 + sqrt(iran.unrest) - 1e-17";
    let program = number(text, &Scope::state("a test"));
    let bound = bound_of(text, 0.3, 0.7, 0.0, 0.0);
    let values: Vec<f64> = (0..=1000)
        .map(|k| program.evaluate(&two((0.3 + 0.0004 * f64::from(k)).clamp(0.3, 0.7), 0.0)))
        .collect();
    assert!(values.iter().all(|&value| bound.contains(value)));
    let narrower = between(bound.low.next_up(), bound.high.next_down());
    assert!(values.iter().any(|&value| !narrower.contains(value)));
}

#[test]
fn a_product_of_two_corners_is_found() {
    let (a, b) = (between(-1.0, 2.0), between(-3.0, 1.0));
    let contains_products = |interval: Interval| {
        let steps =
            |i: Interval| (0..=8).map(move |k| i.low + (i.high - i.low) * f64::from(k) / 8.0);
        steps(a).all(|x| steps(b).all(|y| interval.contains(x * y)))
    };
    assert!(contains_products(bound_of(
        "iran.unrest * pakistan.unrest",
        a.low,
        a.high,
        b.low,
        b.high
    )));
    assert!(!contains_products(between(a.low * b.low, a.high * b.high)));
}

#[test]
fn bounds_are_close() {
    for (text, a, b, low, high) in [
        ("iran.unrest + 1", 0.0, 2.0, 1.0, 3.0),
        ("-iran.unrest", 0.0, 2.0, -2.0, 0.0),
        ("iran.unrest * iran.unrest", -1.0, 2.0, -2.0, 4.0),
        ("iran.unrest ^ 2", -1.0, 2.0, 0.0, 4.0),
        ("iran.unrest ^ 3", -1.0, 2.0, -1.0, 8.0),
        ("iran.unrest ^ -2", 1.0, 2.0, 0.25, 1.0),
        ("iran.unrest ^ 0.5", 0.0, 4.0, 0.0, 2.0),
        ("1 / iran.unrest", 1.0, 2.0, 0.5, 1.0),
        ("exp(iran.unrest)", 0.0, 1.0, 1.0, std::f64::consts::E),
        (
            "ln(1 + iran.unrest)",
            0.0,
            std::f64::consts::E - 1.0,
            0.0,
            1.0,
        ),
        ("sqrt(ln(1 + iran.unrest))", 0.0, 0.0, 0.0, 0.0),
        ("abs(iran.unrest)", -3.0, 2.0, 0.0, 3.0),
        ("floor(iran.unrest)", 0.5, 2.5, 0.0, 2.0),
        ("logistic(iran.unrest)", 0.0, 800.0, 0.5, 1.0),
        ("clamp(iran.unrest, 0, 1)", -5.0, 0.5, 0.0, 0.5),
        ("1 if iran.unrest > 1 else 2", 0.0, 1.0, 2.0, 2.0),
        ("1 if iran.unrest >= 1 else 2", 0.0, 1.0, 1.0, 2.0),
        ("p if iran.unrest != 3 else 9", 0.0, 1.0, 2.0, 2.0),
        ("sum(a.unrest for a in states)", 0.0, 1.0, 0.0, 1.0),
    ] {
        let bound = bound_of(text, a, b, 0.0, 0.0);
        let near = |x: f64, y: f64| (x - y).abs() <= 1e-14;
        assert!(
            near(bound.low, low) && near(bound.high, high),
            "{text}: {bound:?}"
        );
        assert!(bound.is_bounded(), "{text}");
    }
}

#[test]
fn what_cannot_be_bounded_is_not() {
    for text in [
        "1 / iran.unrest",
        "ln(iran.unrest)",
        "sqrt(iran.unrest)",
        "iran.unrest ^ 0.5",
        "iran.unrest ^ -1",
        "infinite * iran.unrest",
        "clamp(sqrt(iran.unrest), 0, 1)",
        "infinite - infinite",
    ] {
        assert!(!bound_of(text, -1.0, 1.0, 0.0, 0.0).is_bounded(), "{text}");
    }
    // Infinity by infinity, where the divisor also passes through zero.
    assert!(bound_of("infinite / (1 / iran.unrest)", -1.0, 1.0, 0.0, 0.0).undefined);
    // The square root of a negative number fails every comparison, which three-valued logic has to allow for.
    let text = "1 if sqrt(iran.unrest) >= 0 else 2";
    assert!(
        bound_of(text, -1.0, 1.0, 0.0, 0.0)
            .contains(number(text, &Scope::state("a test")).evaluate(&two(-1.0, 0.0)))
    );
}
