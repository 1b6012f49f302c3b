//! Formulas that go on from value to value: nothing waits, nothing is passed over, and no function is called. Most of what a run
//! evaluates is one, and it takes less than the general [`Steps`].

use super::bound::{Ends, Reader};
use super::{Does, From, Step, fuse};
use crate::formula::interval::Ranges;
use crate::formula::program::{Environment, greatest, least};

/// A first operand, and what is done with each of the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    first: Operand,
    links: Box<[Link]>,
}

/// What is done with the value so far and an operand.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Link {
    joins: Joins,
    operand: Operand,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operand {
    Number(f64),
    Parameter(u32),
    /// A stock that no time moves.
    StillStock(u32),
    Stock(u32),
}

/// As the steps of these names, of the value so far `a` and the operand `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Joins {
    Add,
    Subtract,
    SubtractFrom,
    Multiply,
    Divide,
    DivideInto,
    Min,
    MinOf,
    Max,
    MaxOf,
}

impl Chain {
    /// The same as a chain, if it is one.
    pub(super) fn of(steps: &[Step]) -> Option<Self> {
        let (first, others) = steps.split_first()?;
        if first.code != fuse(Does::Take, first.from) {
            return None;
        }
        let links = others.iter().map(Link::of).collect::<Option<_>>()?;
        Some(Self {
            first: Operand::of(first)?,
            links,
        })
    }

    #[inline(never)]
    pub(super) fn evaluate<E: Environment>(&self, env: &E) -> f64 {
        let mut a = self.first.value(env);
        for link in &self.links {
            let b = link.operand.value(env);
            a = match link.joins {
                Joins::Add => a + b,
                Joins::Subtract => a - b,
                Joins::SubtractFrom => b - a,
                Joins::Multiply => a * b,
                Joins::Divide => a / b,
                Joins::DivideInto => b / a,
                Joins::Min => least(a, b),
                Joins::MinOf => least(b, a),
                Joins::Max => greatest(a, b),
                Joins::MaxOf => greatest(b, a),
            };
        }
        a
    }

    /// `None` where a value may be undefined.
    pub(super) fn bound<R: Ranges>(&self, ranges: &Reader<'_, R>) -> Option<Ends> {
        let mut a = self.first.ends(ranges);
        for link in &self.links {
            let b = link.operand.ends(ranges);
            a = match link.joins {
                Joins::Add => a.add(b)?,
                Joins::Subtract => a.subtract(b)?,
                Joins::SubtractFrom => b.subtract(a)?,
                Joins::Multiply => a.multiply(b)?,
                Joins::Divide => a.divide(b)?,
                Joins::DivideInto => b.divide(a)?,
                Joins::Min => a.min(b),
                Joins::MinOf => b.min(a),
                Joins::Max => a.max(b),
                Joins::MaxOf => b.max(a),
            };
        }
        Some(a)
    }
}

impl Link {
    fn of(step: &Step) -> Option<Self> {
        const JOINS: [(Does, Joins); 10] = [
            (Does::Add, Joins::Add),
            (Does::Subtract, Joins::Subtract),
            (Does::SubtractFrom, Joins::SubtractFrom),
            (Does::Multiply, Joins::Multiply),
            (Does::Divide, Joins::Divide),
            (Does::DivideInto, Joins::DivideInto),
            (Does::Min, Joins::Min),
            (Does::MinOf, Joins::MinOf),
            (Does::Max, Joins::Max),
            (Does::MaxOf, Joins::MaxOf),
        ];
        let operand = Operand::of(step)?;
        let mut joins = JOINS.into_iter();
        let (_, joins) = joins.find(|&(does, _)| step.code == fuse(does, step.from))?;
        Some(Self { joins, operand })
    }
}

impl Operand {
    fn of(step: &Step) -> Option<Self> {
        match step.from {
            From::Number => Some(Self::Number(step.number)),
            From::Parameter => Some(Self::Parameter(step.index)),
            From::StillStock => Some(Self::StillStock(step.index)),
            From::Stock => Some(Self::Stock(step.index)),
            _ => None,
        }
    }

    #[inline]
    fn value<E: Environment>(self, env: &E) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Parameter(index) => env.parameter(index),
            Self::StillStock(slot) => env.still_stock(slot),
            Self::Stock(slot) => env.stock(slot),
        }
    }

    #[inline]
    fn ends<R: Ranges>(self, ranges: &Reader<'_, R>) -> Ends {
        match self {
            Self::Number(number) => Ends::point(number),
            Self::Parameter(index) => ranges.parameter(index),
            Self::StillStock(slot) => ranges.still_stock(slot),
            Self::Stock(slot) => ranges.stock(slot),
        }
    }
}
