//! Patterns give the bits of the programs that they are made of.

use proptest::prelude::*;

use super::fixture::{Moment, SLOTS, compiled, formula, moment};
use crate::formula::{
    Abreast, Environment, Given, Group, Kept, Known, LANES, LaneStack, Lanes, Pattern, Program,
    Row, Scope, Totals, Type,
};

/// Runs in different moments, of which each evaluates the formula whose turn it is.
struct Runs<'a> {
    moments: &'a [Moment],
    formulas: usize,
    /// Of all totals, for each moment.
    groups: Vec<Vec<Group>>,
}

impl<'a> Runs<'a> {
    fn new(moments: &'a [Moment], formulas: usize, totals: &Totals) -> Self {
        let groups = moments.iter().map(|moment| {
            let mut groups = vec![Group::default(); totals.groups as usize];
            for kept in &totals.list {
                kept.add_up(&mut groups, |slot| moment.stock(slot));
            }
            groups
        });
        Self {
            moments,
            formulas,
            groups: groups.collect(),
        }
    }

    fn moment(&self, lane: usize) -> usize {
        lane / self.formulas % self.moments.len()
    }
}

impl Abreast for Runs<'_> {
    fn row(&self, lane: usize) -> usize {
        lane % self.formulas
    }
    fn still_stock(&self, lane: usize, given: &Given) -> f64 {
        self.stock(lane, given)
    }
    fn stock(&self, lane: usize, given: &Given) -> f64 {
        self.moments[self.moment(lane)].stock(given.slot)
    }
    fn totals(&self, given: &[Given], is_one: bool, pattern: &[Kept], totals: &mut Lanes) {
        let sum = given[0].sum;
        assert!(!is_one || given.iter().all(|given| given.sum == sum));
        for (lane, total) in totals.iter_mut().enumerate() {
            let kept = &pattern[given[self.row(lane)].total as usize];
            let groups = &self.groups[self.moment(lane)];
            *total = match kept.without {
                Some((_, way)) => way.sum_with(groups, 0, 0.0),
                None => {
                    let [a, b, c, d] = groups[kept.root as usize];
                    (a + b) + (c + d)
                }
            };
        }
    }
    fn time(&self, lane: usize) -> f64 {
        self.moments[self.moment(lane)].time()
    }
}

/// The greatest number of programs that make one pattern, and whether it gives the value of each in each moment; `None` if no
/// pattern is made of the first.
fn agree(programs: &[Program], moments: &[Moment]) -> Option<(usize, bool)> {
    let is_still = |slot: u32| slot & 2 == 0;
    let mut totals = Totals::default();
    let mut known = Known::behind(moments[0].parameters.len());
    let mut pattern: Option<Pattern> = None;
    let mut members = Vec::new();
    for program in programs {
        let folded = program.with_known(&mut known);
        let row = Row::new(&folded, &is_still, &mut totals)?;
        let pattern = pattern.get_or_insert_with(|| Pattern::like(&row));
        if pattern.fits(&row) {
            pattern.push(row);
            members.push(program);
        }
    }
    let mut pattern = pattern?;
    pattern.close();
    let runs = Runs::new(moments, members.len(), &totals);
    // Parameters are those of one world.
    let parameters = moments[0].parameters;
    let constants = (parameters.into_iter())
        .chain(known.programs().iter().map(|p| p.evaluate(&moments[0])))
        .collect::<Vec<f64>>();
    let given = pattern.given(&constants, SLOTS);
    let values = *pattern.evaluate(&given, &runs, &mut LaneStack::default());
    let same = (0..LANES).all(|lane| {
        let moment = Moment {
            parameters,
            ..moments[runs.moment(lane)].clone()
        };
        let plain = members[runs.row(lane)].evaluate(&moment);
        plain.to_bits() == values[lane].to_bits() || plain.is_nan() && values[lane].is_nan()
    });
    Some((members.len(), same))
}

proptest! {
    #![proptest_config(super::fixture::cases(3000))]

    #[test]
    fn patterns_give_the_bits_of_their_programs(
        text in formula(false),
        moments in prop::collection::vec(moment(), 1..4),
    ) {
        let programs = (0..4).map(|actor| compiled(&text, &Scope::process(actor), Type::Number));
        let Ok(programs) = programs.collect::<Result<Vec<_>, _>>() else { return Ok(()) };
        if let Some((_, same)) = agree(&programs, &moments) {
            prop_assert!(same, "{text}");
        }
    }
}

#[test]
fn formulas_for_different_actors_make_one_pattern() {
    let plain = super::bounds::two(0.25, 4.0);
    let programs = |text: &str| -> Vec<Program> {
        let program = |actor| compiled(text, &Scope::process(actor), Type::Number).unwrap();
        [0, 1].map(program).into()
    };
    for text in [
        "min(0.9, 0.3 + p * self.unrest)",
        "3 / (1 + exp(-self.capability)) if self.unrest > 1 and time < 5 else 2 - q",
        "7",
    ] {
        let agreed = agree(&programs(text), std::slice::from_ref(&plain));
        assert_eq!(agreed, Some((2, true)), "{text}");
    }
    // A constant on either side is one operation with the value; the order matters.
    let mixed: Vec<Program> = ["2 - self.unrest", "self.unrest - 2"]
        .iter()
        .flat_map(|text| programs(text))
        .collect();
    assert_eq!(agree(&mixed, std::slice::from_ref(&plain)), Some((2, true)));
}
