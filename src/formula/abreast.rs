//! Formulas that do the same with different operands, evaluated for several runs at once.
//!
//! What a formula is for one actor and what it is for another often differ in nothing but the stocks, numbers and sums that they
//! read. Such formulas make a [`Pattern`]: one list of operations, and a table of operands with a row for each formula. The work
//! of finding out what comes next is then done once for [`LANES`] runs, whichever of the formulas each of them evaluates.

use super::program::{Op, Program, select};
use super::stack::MAX_STACK;
use super::total::{Kept, Totals};

/// Runs for which a formula is evaluated at once.
pub const LANES: usize = 32;

/// A value in each of several runs.
pub type Lanes = [f64; LANES];

/// What the formulas of a pattern read, each in its own run.
pub trait Abreast {
    /// The row of the formula that `lane` evaluates.
    fn row(&self, lane: usize) -> usize;
    /// A stock that no time moves.
    fn still_stock(&self, lane: usize, given: &Given) -> f64;
    /// Any stock.
    fn stock(&self, lane: usize, given: &Given) -> f64;
    /// Sums over stocks that no time moves: those of the pattern that are `given` for each row. `is_one` tells that they are all
    /// of the same kept sum.
    fn totals(&self, given: &[Given], is_one: bool, pattern: &[Kept], totals: &mut Lanes);
    /// Days since the start.
    fn time(&self, lane: usize) -> f64;
}

/// An operation, with its operand left open.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LaneOp {
    Number,
    StillStock,
    Stock,
    Total,
    Time,
    Arithmetic(Op),
    /// A number that is the same in all formulas.
    Constant(f64),
    /// An operation of two operands, of which the second is the same number in all formulas.
    WithConstant(Op, f64),
    /// The same, of which the first is.
    OfConstant(Op, f64),
    /// Several of these, one after the other.
    Scale(Scale),
}

/// A quotient, a product, a sum, and bounds, in this order, of a value and constants: `min(most, max(least, x / divisor * factor +
/// summand))`. What there is not has the constant that changes no value.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Scale {
    divisor: f64,
    factor: f64,
    summand: f64,
    least: f64,
    most: f64,
}

impl Scale {
    /// Changes no value. Minus 0 is the one number that changes no other, whatever its sign, when it is added.
    const NONE: Self = Self {
        divisor: 1.0,
        factor: 1.0,
        summand: -0.0,
        least: f64::NEG_INFINITY,
        most: f64::INFINITY,
    };

    /// An operation of a value and a constant that can be said so, to the bit of what is a number.
    fn of(op: LaneOp) -> Option<Self> {
        let none = Self::NONE;
        Some(match op {
            LaneOp::Scale(scale) => scale,
            LaneOp::WithConstant(Op::Divide, divisor) => Self { divisor, ..none },
            LaneOp::WithConstant(Op::Multiply, factor)
            | LaneOp::OfConstant(Op::Multiply, factor) => Self { factor, ..none },
            LaneOp::WithConstant(Op::Add, summand) | LaneOp::OfConstant(Op::Add, summand) => {
                Self { summand, ..none }
            }
            LaneOp::WithConstant(Op::Subtract, number) => Self {
                summand: -number,
                ..none
            },
            LaneOp::OfConstant(Op::Subtract, summand) => Self {
                factor: -1.0,
                summand,
                ..none
            },
            // Of two zeros the second counts, so their order matters.
            LaneOp::WithConstant(Op::Min | Op::Max, 0.0) => return None,
            LaneOp::WithConstant(Op::Max, least) | LaneOp::OfConstant(Op::Max, least)
                if !least.is_nan() =>
            {
                Self { least, ..none }
            }
            LaneOp::WithConstant(Op::Min, most) | LaneOp::OfConstant(Op::Min, most)
                if !most.is_nan() =>
            {
                Self { most, ..none }
            }
            _ => return None,
        })
    }

    /// All that this does and then all that `next` does, if that is in order.
    fn then(self, next: Self) -> Option<Self> {
        let [before, after] = [self, next].map(Self::numbers);
        let none = Self::NONE.numbers();
        let changes =
            |numbers: &[f64; 5], step: usize| numbers[step].to_bits() != none[step].to_bits();
        let end = (0..5).rfind(|&step| changes(&before, step));
        let start = (0..5).find(|&step| changes(&after, step));
        let is_in_order = end.is_none_or(|end| start.is_none_or(|start| end < start));
        let both = |step: usize| match changes(&after, step) {
            true => after[step],
            false => before[step],
        };
        let [divisor, factor, summand, least, most] = std::array::from_fn(both);
        is_in_order.then_some(Self {
            divisor,
            factor,
            summand,
            least,
            most,
        })
    }

    /// In the order in which they count.
    fn numbers(self) -> [f64; 5] {
        [
            self.divisor,
            self.factor,
            self.summand,
            self.least,
            self.most,
        ]
    }

    /// Replaces a value by what it makes of it, in every run.
    #[inline(never)]
    fn apply(self, lanes: &mut Lanes) {
        let scaled = |value: f64| value * self.factor + self.summand;
        let bounded = |value: f64| {
            let value = if self.least > value {
                self.least
            } else {
                value
            };
            if self.most < value { self.most } else { value }
        };
        let divides = self.divisor != 1.0;
        let is_bounded = self.least != f64::NEG_INFINITY || self.most != f64::INFINITY;
        match (divides, is_bounded) {
            (false, false) => each(lanes, scaled),
            (false, true) => each(lanes, |value| bounded(scaled(value))),
            (true, false) => each(lanes, |value| scaled(value / self.divisor)),
            (true, true) => each(lanes, |value| bounded(scaled(value / self.divisor))),
        }
    }
}

/// What an operation reads in one formula.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operand {
    Number(f64),
    Parameter(u32),
    Slot(u32),
    Total(Kept),
}

/// What an operation reads in one formula and one world.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    number: f64,
    /// A slot: the one that is read, or that a total leaves out, which is the one behind all if it leaves out none.
    pub slot: u32,
    /// A sum that is kept, by index.
    pub sum: u32,
    /// Where [`Abreast`] finds that slot and that sum, if it cares.
    pub places: [u32; 2],
    /// A total among those of the pattern.
    pub total: u32,
}

/// Formulas that differ in nothing but their operands.
#[derive(Clone, Debug)]
pub struct Pattern {
    ops: Vec<LaneOp>,
    /// Operands of each formula.
    width: usize,
    /// Formula by formula.
    operands: Vec<Operand>,
    totals: Vec<Kept>,
    /// Whether all totals are of one sum.
    is_one_sum: bool,
}

/// One formula, to be put into a pattern.
#[derive(Clone, Debug)]
pub struct Row {
    ops: Vec<LaneOp>,
    operands: Vec<Operand>,
}

impl Row {
    /// The formula of `program`, if it is one of stocks, sums of stocks that no time moves, parameters and the time. `is_still`
    /// tells of a slot that no time moves.
    pub fn new(
        program: &Program,
        is_still: &dyn Fn(u32) -> bool,
        totals: &mut Totals,
    ) -> Option<Self> {
        let mut row = Self {
            ops: Vec::new(),
            operands: Vec::new(),
        };
        for &op in &program.ops {
            let (op, operand) = match op {
                Op::Constant(number) => (LaneOp::Number, Some(Operand::Number(number))),
                Op::Parameter(index) => (LaneOp::Number, Some(Operand::Parameter(index))),
                Op::Stock(slot) if is_still(slot) => {
                    (LaneOp::StillStock, Some(Operand::Slot(slot)))
                }
                Op::Stock(slot) => (LaneOp::Stock, Some(Operand::Slot(slot))),
                Op::Gather { .. } => {
                    let total = program.total(op, is_still, totals)?;
                    (LaneOp::Total, Some(Operand::Total(totals.kept(total)?)))
                }
                Op::Time => (LaneOp::Time, None),
                op if op.is_arithmetic() => (LaneOp::Arithmetic(op), None),
                _ => return None,
            };
            row.ops.push(op);
            row.operands.extend(operand);
        }
        Some(row)
    }
}

impl Pattern {
    /// A pattern for formulas like `row`, which is not in it yet.
    pub fn like(row: &Row) -> Self {
        Self {
            ops: row.ops.clone(),
            width: row.operands.len(),
            operands: Vec::new(),
            totals: Vec::new(),
            is_one_sum: false,
        }
    }

    /// Whether a formula does the same as those of the pattern.
    pub fn fits(&self, row: &Row) -> bool {
        self.ops == row.ops
    }

    /// Puts in a formula that fits.
    pub fn push(&mut self, row: Row) {
        self.operands.extend(row.operands);
    }

    /// To be called when all formulas are in: numbers that are the same in all of them are no longer looked up for each, and an
    /// operation of a value and such a number is one.
    pub fn close(&mut self) {
        let mut ops: Vec<Option<LaneOp>> = Vec::with_capacity(self.ops.len());
        // Where the values on the stack were made.
        let mut made: Vec<usize> = Vec::new();
        let mut is_read = Vec::with_capacity(self.width);
        let constant = |ops: &[Option<LaneOp>], place: usize| match ops[place] {
            Some(LaneOp::Constant(number)) => Some(number),
            _ => None,
        };
        for &op in &self.ops {
            let mut new = op;
            if op.reads() {
                if op == LaneOp::Number
                    && let Some(number) = self.shared_number(is_read.len())
                {
                    new = LaneOp::Constant(number);
                }
                is_read.push(new == op);
            }
            if let LaneOp::Arithmetic(op) = op {
                let operands = made.split_off(made.len() - op.arity());
                if let [first, second] = operands[..] {
                    let mut value = None;
                    if let Some(number) = constant(&ops, second) {
                        (ops[second], value) = (None, Some(first));
                        new = LaneOp::WithConstant(op, number);
                    } else if let Some(number) = constant(&ops, first) {
                        (ops[first], value) = (None, Some(second));
                        new = LaneOp::OfConstant(op, number);
                    }
                    if let Some(value) = value
                        && let Some(scale) = ops[value].and_then(|before| before.scale_then(new))
                    {
                        (ops[value], new) = (None, LaneOp::Scale(scale));
                    }
                }
            }
            made.push(ops.len());
            ops.push(Some(new));
        }
        self.ops = ops.into_iter().flatten().collect();
        let mut read = is_read.iter().cycle();
        self.operands.retain(|_| read.next() == Some(&true));
        self.width = is_read.iter().filter(|read| **read).count();
        let totals = self.operands.iter().filter_map(|operand| match operand {
            Operand::Total(total) => Some(*total),
            _ => None,
        });
        self.totals = totals.collect();
        let mut pairs = self.totals.iter().zip(self.totals.iter().skip(1));
        self.is_one_sum = pairs.all(|(total, next)| total.sum == next.sum);
    }

    /// The number that all formulas have in a column.
    fn shared_number(&self, column: usize) -> Option<f64> {
        let mut operands = self.operands[column..].iter().step_by(self.width);
        match operands.next() {
            Some(&Operand::Number(first)) => {
                let is_first = |other: &Operand| matches!(other, Operand::Number(number) if number.to_bits() == first.to_bits());
                operands.all(is_first).then_some(first)
            }
            _ => None,
        }
    }

    /// Whether a formula depends on the time, otherwise than through stocks that were changed.
    pub fn is_timed(&self) -> bool {
        let is_timed = |op: &LaneOp| matches!(op, LaneOp::Stock | LaneOp::Time);
        self.ops.iter().any(is_timed)
    }

    /// The operands in the world whose parameters, and what is known of them, are `constants`: for each operand that of
    /// each formula. There are so many `slots`.
    pub fn given(&self, constants: &[f64], slots: usize) -> Vec<Vec<Given>> {
        let mut totals = 0..;
        let given = self.operands.iter().map(|operand| {
            let mut given = Given {
                number: 0.0,
                slot: slots as u32,
                sum: 0,
                places: [0; 2],
                total: 0,
            };
            match *operand {
                Operand::Number(number) => given.number = number,
                Operand::Parameter(index) => given.number = constants[index as usize],
                Operand::Slot(slot) => given.slot = slot,
                Operand::Total(total) => {
                    given.sum = total.sum;
                    given.slot = total.without.map_or(given.slot, |(slot, _)| slot);
                    given.total = totals.next().unwrap_or(0);
                }
            }
            given
        });
        let rows: Vec<Given> = given.collect();
        let column = |column| rows.iter().skip(column).step_by(self.width);
        let column = |number| column(number).copied().collect();
        (0..self.width).map(column).collect()
    }

    /// The value in each run of the formula that it evaluates, to the bit that of its [`Program`]. `stack` is working memory.
    pub fn evaluate<'s, E: Abreast>(
        &self,
        given: &[Vec<Given>],
        env: &E,
        stack: &'s mut LaneStack,
    ) -> &'s mut Lanes {
        let stack = &mut *stack.0;
        let mut columns = given.iter();
        let mut height = 0;
        for &op in &self.ops {
            match op {
                LaneOp::Arithmetic(op) => {
                    height -= op.arity() - 1;
                    arithmetic(op, &mut stack[height - 1..]);
                    continue;
                }
                LaneOp::WithConstant(op, number) => {
                    with_constant(op, &mut stack[height - 1], number);
                    continue;
                }
                LaneOp::OfConstant(op, number) => {
                    of_constant(op, number, &mut stack[height - 1]);
                    continue;
                }
                LaneOp::Scale(scale) => {
                    scale.apply(&mut stack[height - 1]);
                    continue;
                }
                _ => {}
            }
            let top = &mut stack[height];
            height += 1;
            let column = if op.reads() { columns.next() } else { None };
            let column = column.map_or(&[][..], |column| &column[..]);
            let read = |lane: usize| &column[env.row(lane)];
            match op {
                LaneOp::Number => set(top, |lane| read(lane).number),
                LaneOp::StillStock => set(top, |lane| env.still_stock(lane, read(lane))),
                LaneOp::Stock => set(top, |lane| env.stock(lane, read(lane))),
                LaneOp::Total => env.totals(column, self.is_one_sum, &self.totals, top),
                LaneOp::Time => set(top, |lane| env.time(lane)),
                LaneOp::Constant(number) => *top = [number; LANES],
                LaneOp::Arithmetic(_)
                | LaneOp::WithConstant(..)
                | LaneOp::OfConstant(..)
                | LaneOp::Scale(_) => {}
            }
        }
        &mut stack[0]
    }
}

#[inline(always)]
fn set(lanes: &mut Lanes, value: impl Fn(usize) -> f64) {
    for (lane, place) in lanes.iter_mut().enumerate() {
        *place = value(lane);
    }
}

impl LaneOp {
    /// This and then `next` as one.
    fn scale_then(self, next: Self) -> Option<Scale> {
        Scale::of(self)?.then(Scale::of(next)?)
    }

    /// Whether it has an operand in the table.
    fn reads(self) -> bool {
        match self {
            Self::Number | Self::StillStock | Self::Stock | Self::Total => true,
            Self::Time
            | Self::Arithmetic(_)
            | Self::Constant(_)
            | Self::WithConstant(..)
            | Self::OfConstant(..)
            | Self::Scale(_) => false,
        }
    }
}

/// Working memory for [`Pattern::evaluate`].
#[derive(Clone, Debug)]
pub struct LaneStack(Box<[Lanes; MAX_STACK + 2]>);

impl Default for LaneStack {
    fn default() -> Self {
        // An operation of one operand looks at two places behind it, too.
        Self(Box::new([[0.0; LANES]; MAX_STACK + 2]))
    }
}

/// Calls a macro with the operations of one operand and those of two, apart from which there is only [`Op::Select`]. What each
/// comes to is said in [`Op`] alone.
macro_rules! with_arithmetic {
    ($call:ident) => {
        $call! {
            unary Negate Not Exp Ln Sqrt Abs Floor Logistic;
            binary Add Subtract Multiply Divide Power Min Max Less LessEqual Greater GreaterEqual Equal NotEqual And Or
        }
    };
}

/// Replaces the operands at the start of `stack` by the value of an operation, in every run.
#[inline]
fn arithmetic(op: Op, stack: &mut [Lanes]) {
    let [a, b, c, ..] = stack else { return };
    macro_rules! in_each {
        (unary $($unary:ident)*; binary $($binary:ident)*) => {
            match op {
                $(Op::$unary => for lane in 0..LANES {
                    a[lane] = Op::$unary.unary(a[lane]).unwrap_or(f64::NAN);
                },)*
                $(Op::$binary => for lane in 0..LANES {
                    a[lane] = Op::$binary.binary(a[lane], b[lane]).unwrap_or(f64::NAN);
                },)*
                Op::Select => for lane in 0..LANES {
                    a[lane] = select(a[lane], b[lane], c[lane]);
                },
                _ => *a = [f64::NAN; LANES],
            }
        };
    }
    with_arithmetic!(in_each);
}

/// Replaces a value, in every run.
#[inline(always)]
fn each(lanes: &mut Lanes, value: impl Fn(f64) -> f64) {
    for lane in lanes {
        *lane = value(*lane);
    }
}

/// Replaces a value by that of an operation of it and a number, in every run.
#[inline]
fn with_constant(op: Op, a: &mut Lanes, number: f64) {
    if matches!(op, Op::Min | Op::Max) && number != 0.0 && !number.is_nan() {
        // Then the order does not matter, to the last bit.
        return of_constant(op, number, a);
    }
    macro_rules! in_each {
        (unary $($unary:ident)*; binary $($binary:ident)*) => {
            match op {
                $(Op::$binary => for a in a {
                    *a = Op::$binary.binary(*a, number).unwrap_or(f64::NAN);
                },)*
                _ => *a = [f64::NAN; LANES],
            }
        };
    }
    with_arithmetic!(in_each);
}

/// Replaces a value by that of an operation of a number and it, in every run.
#[inline]
fn of_constant(op: Op, number: f64, b: &mut Lanes) {
    macro_rules! in_each {
        (unary $($unary:ident)*; binary $($binary:ident)*) => {
            match op {
                // The same as below, in one instruction.
                Op::Min if !number.is_nan() => for b in b {
                    *b = if number < *b { number } else { *b };
                },
                Op::Max if !number.is_nan() => for b in b {
                    *b = if number > *b { number } else { *b };
                },
                $(Op::$binary => for b in b {
                    *b = Op::$binary.binary(number, *b).unwrap_or(f64::NAN);
                },)*
                _ => *b = [f64::NAN; LANES],
            }
        };
    }
    with_arithmetic!(in_each);
}
