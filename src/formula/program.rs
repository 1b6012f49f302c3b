//! A compiled formula: operations on a small stack.

use super::scope::Role;
use super::stack::Stack;
use super::symbols::Relation;
use super::total::{Total, Totals, pairwise_sum};
use crate::math::{self, logistic};

/// What `event.*` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Deaths.
    Killed,
    /// 1 for a foiled event, 0 for one that is done.
    Foiled,
    /// The action's weight on the Goldstein scale of conflict and cooperation, -10 to 10.
    Goldstein,
}

impl Field {
    /// Every field, in the order of declaration.
    pub(super) const ALL: [Self; 3] = [Self::Killed, Self::Foiled, Self::Goldstein];
}

/// How an aggregate combines the stocks that it visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Sum,
    Max,
    Min,
}

impl Fold {
    /// The `count` values combined, without the one at the position `without`; 0 for none.
    ///
    /// The least and the greatest are found from the first to the last. Sums are taken pair by pair, then pairs of pairs, and so
    /// on ([`pairwise_sum`]), so that they can be kept up to date when one value changes.
    #[inline]
    pub(super) fn over(self, count: u32, without: u32, value: impl Fn(u32) -> f64) -> f64 {
        let visited = || (0..count).filter(|&position| position != without);
        match self {
            Self::Sum => pairwise_sum(
                count,
                0.0,
                |position| {
                    if position == without {
                        0.0
                    } else {
                        value(position)
                    }
                },
                |a, b| a + b,
            ),
            Self::Max => visited().map(value).reduce(greatest).unwrap_or(0.0),
            Self::Min => visited().map(value).reduce(least).unwrap_or(0.0),
        }
    }
}

/// One operation. Those with operands pop them, the last on top, and push their result.
///
/// Truths are 1 and 0; actors and places are their index, nobody and nowhere -1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Op {
    Constant(f64),
    Parameter(u32),
    Stock(u32),
    Rung(u32),
    Metric(u32),
    Role(Role),
    Field(Field),
    Time,
    /// actor -> value of an actor stock.
    ActorStock(u32),
    /// actor, actor or place -> value of a pair or presence stock.
    GridStock(u32),
    /// actor, actor -> rung.
    RungBetween,
    /// place -> actor.
    Host,
    /// actor -> actor.
    Patron,
    /// a, b -> whether b stands in the relation to a.
    Related(Relation),
    /// x -> whether x is in the sorted stretch of the pool.
    Member {
        start: u32,
        count: u32,
    },
    /// Over the stocks `start..start + count`, or over those that this stretch of the pool lists, without the one at the position
    /// `without`. `count` is at least 1.
    Gather {
        fold: Fold,
        contiguous: bool,
        start: u32,
        count: u32,
        without: u32,
    },
    Negate,
    Not,
    Exp,
    Ln,
    Sqrt,
    Abs,
    Floor,
    Logistic,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Min,
    Max,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    /// condition, yes, no -> yes where the condition is not 0, otherwise no; not-a-number where the condition has no value.
    Select,
}

const _: () = assert!(size_of::<Op>() <= 16);

const ARITHMETIC: [Op; 24] = [
    Op::Negate,
    Op::Not,
    Op::Exp,
    Op::Ln,
    Op::Sqrt,
    Op::Abs,
    Op::Floor,
    Op::Logistic,
    Op::Add,
    Op::Subtract,
    Op::Multiply,
    Op::Divide,
    Op::Power,
    Op::Min,
    Op::Max,
    Op::Less,
    Op::LessEqual,
    Op::Greater,
    Op::GreaterEqual,
    Op::Equal,
    Op::NotEqual,
    Op::And,
    Op::Or,
    Op::Select,
];

impl Op {
    /// How many operands it pops; it always pushes one.
    pub(super) fn arity(self) -> usize {
        match self {
            Self::Constant(_)
            | Self::Parameter(_)
            | Self::Stock(_)
            | Self::Rung(_)
            | Self::Metric(_)
            | Self::Role(_)
            | Self::Field(_)
            | Self::Time
            | Self::Gather { .. } => 0,
            Self::ActorStock(_)
            | Self::Host
            | Self::Patron
            | Self::Member { .. }
            | Self::Negate
            | Self::Not
            | Self::Exp
            | Self::Ln
            | Self::Sqrt
            | Self::Abs
            | Self::Floor
            | Self::Logistic => 1,
            Self::GridStock(_)
            | Self::RungBetween
            | Self::Related(_)
            | Self::Add
            | Self::Subtract
            | Self::Multiply
            | Self::Divide
            | Self::Power
            | Self::Min
            | Self::Max
            | Self::Less
            | Self::LessEqual
            | Self::Greater
            | Self::GreaterEqual
            | Self::Equal
            | Self::NotEqual
            | Self::And
            | Self::Or => 2,
            Self::Select => 3,
        }
    }

    /// Whether the value depends on nothing but the operands.
    pub(super) fn is_arithmetic(self) -> bool {
        ARITHMETIC.contains(&self)
    }

    /// What tells an operation from others, for constants, parameters and arithmetic.
    pub(super) fn key(self) -> (u8, u64) {
        match self {
            Self::Constant(value) => (0, value.to_bits()),
            Self::Parameter(index) => (1, u64::from(index)),
            _ => {
                let position = ARITHMETIC.iter().position(|&op| op == self);
                (2, position.map_or(u64::MAX, |position| position as u64))
            }
        }
    }

    /// The value of an operation of one operand that depends on nothing else; `None` for any other.
    #[inline]
    pub(super) fn unary(self, x: f64) -> Option<f64> {
        Some(match self {
            Self::Negate => -x,
            Self::Not if x.is_nan() => x,
            Self::Not => truth(x == 0.0),
            Self::Exp => math::exp(x),
            Self::Ln => math::ln(x),
            Self::Sqrt => x.sqrt(),
            Self::Abs => x.abs(),
            Self::Floor => x.floor(),
            Self::Logistic => logistic(x),
            _ => return None,
        })
    }

    /// The value of an operation of two operands that depends on nothing else; `None` for any other.
    #[inline]
    pub(super) fn binary(self, a: f64, b: f64) -> Option<f64> {
        Some(match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            Self::Power => math::pow(a, b),
            Self::Min => least(a, b),
            Self::Max => greatest(a, b),
            Self::Less => compared(a, b, a < b),
            Self::LessEqual => compared(a, b, a <= b),
            Self::Greater => compared(a, b, a > b),
            Self::GreaterEqual => compared(a, b, a >= b),
            Self::Equal => compared(a, b, a == b),
            Self::NotEqual => compared(a, b, a != b),
            Self::And if a == 0.0 || b == 0.0 => 0.0,
            Self::And => compared(a, b, true),
            Self::Or if a == 1.0 || b == 1.0 => 1.0,
            Self::Or => compared(a, b, false),
            _ => return None,
        })
    }
}

/// `yes` where the condition is not 0, otherwise `no`; not-a-number where the condition has no value.
#[inline]
pub(super) fn select(condition: f64, yes: f64, no: f64) -> f64 {
    if condition.is_nan() {
        condition
    } else if condition == 0.0 {
        no
    } else {
        yes
    }
}

pub(super) fn truth(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// A truth about two values: not-a-number when either is, because nothing is true of what has no value.
#[inline]
pub(super) fn compared(a: f64, b: f64, is: bool) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        truth(is)
    }
}

/// The smaller; not-a-number when either is, and the second of two zeros, on every machine (`f64::min` promises neither).
pub(super) fn least(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() { a } else { b }
}

/// The greater, as [`least`].
pub(super) fn greatest(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// What a formula reads while it runs. Evaluation is generic over it, so that each read is inlined.
pub trait Environment {
    /// The value of a parameter in this world.
    fn parameter(&self, index: u32) -> f64;
    /// The value of a stock.
    fn stock(&self, slot: u32) -> f64;
    /// The value of a stock that no time moves.
    fn still_stock(&self, slot: u32) -> f64 {
        self.stock(slot)
    }
    /// A sum of stocks that no time moves.
    fn total(&self, _total: Total) -> f64 {
        f64::NAN
    }
    /// The rung of an unordered pair, as an index into the ladder.
    fn rung(&self, pair: u32) -> f64;
    /// The value of a metric so far.
    fn metric(&self, index: u32) -> f64;
    /// The index of an actor or place; -1 for nobody and nowhere.
    fn role(&self, role: Role) -> f64;
    /// A field of the event at hand; 0 where there is none.
    fn field(&self, field: Field) -> f64;
    /// Days since the start.
    fn time(&self) -> f64;
    /// The slot of a stock for an actor and a column (0 for actor stocks, else an actor or place); `None` where it does not exist.
    fn stock_slot(&self, stock: u32, actor: u32, column: u32) -> Option<u32>;
    /// What a stock reads where it does not exist.
    fn elsewhere(&self, stock: u32) -> f64;
    /// The index of the unordered pair of two different actors.
    fn pair_slot(&self, a: u32, b: u32) -> u32;
    /// The host of a place, or -1.
    fn host(&self, place: u32) -> f64;
    /// The patron of an actor, or -1.
    fn patron(&self, actor: u32) -> f64;
    /// Whether `b` is among the rivals, allies or clients of `a`.
    fn related(&self, relation: Relation, a: u32, b: u32) -> bool;
}

/// What a program reads, to know when its value may change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reads {
    /// Slots of stocks that it names, ascending, without repetition.
    pub stocks: Vec<u32>,
    /// Pairs whose rung it names, ascending, without repetition.
    pub rungs: Vec<u32>,
    /// Whether it reads the time.
    pub time: bool,
    /// Parameters, ascending, without repetition.
    pub parameters: Vec<u32>,
    /// Metrics, ascending, without repetition.
    pub metrics: Vec<u32>,
    /// Whether it reads roles or fields of an event.
    pub event: bool,
    /// Whether it reads stocks or rungs that depend on roles, beyond those in `stocks` and `rungs`.
    pub dynamic: bool,
    /// Whether it reads rungs at all.
    pub ladder: bool,
}

/// A formula ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    pub(super) ops: Box<[Op]>,
    /// Slots that gathers visit, and sorted members of sets.
    pub(super) pool: Box<[u32]>,
}

impl Program {
    /// A program that always gives `value`.
    pub fn constant(value: f64) -> Self {
        Self {
            ops: Box::new([Op::Constant(value)]),
            pool: Box::default(),
        }
    }

    /// Whether the value depends on nothing, parameters included.
    pub fn is_constant(&self) -> bool {
        self.as_constant().is_some()
    }

    /// The value, when it depends on nothing.
    pub fn as_constant(&self) -> Option<f64> {
        match *self.ops {
            [Op::Constant(value)] => Some(value),
            _ => None,
        }
    }

    /// The slot, when the formula is one stock and nothing else.
    pub fn as_stock(&self) -> Option<u32> {
        match *self.ops {
            [Op::Stock(slot)] => Some(slot),
            _ => None,
        }
    }

    /// The pair, when the formula is one rung and nothing else.
    pub fn as_rung(&self) -> Option<u32> {
        match *self.ops {
            [Op::Rung(pair)] => Some(pair),
            _ => None,
        }
    }

    /// The slots of a gather.
    pub(super) fn gathered(
        &self,
        contiguous: bool,
        start: u32,
        count: u32,
    ) -> impl Iterator<Item = u32> {
        (start..start + count).map(move |place| {
            if contiguous {
                place
            } else {
                self.pool[place as usize]
            }
        })
    }

    /// The total that a gather of this program reads, if it can be kept; `is_still` tells of a slot that no time moves.
    pub(super) fn total(
        &self,
        op: Op,
        is_still: &dyn Fn(u32) -> bool,
        totals: &mut Totals,
    ) -> Option<Total> {
        let Op::Gather {
            fold: Fold::Sum,
            contiguous,
            start,
            count,
            without,
        } = op
        else {
            return None;
        };
        let slots: Vec<u32> = self.gathered(contiguous, start, count).collect();
        (slots.iter().all(|&slot| is_still(slot))).then(|| totals.total(slots, without))
    }

    /// Whether the value is the same through the whole of a run: it depends on parameters and on what there is, no more.
    pub fn only_parameters(&self) -> bool {
        !self.ops.iter().any(|op| {
            matches!(
                op,
                Op::Stock(_)
                    | Op::Rung(_)
                    | Op::Metric(_)
                    | Op::Role(_)
                    | Op::Field(_)
                    | Op::Time
                    | Op::ActorStock(_)
                    | Op::GridStock(_)
                    | Op::RungBetween
                    | Op::Gather { .. }
            )
        })
    }

    /// Everything that the value depends on.
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
        for op in &self.ops {
            match *op {
                Op::Stock(slot) => reads.stocks.push(slot),
                Op::Rung(pair) => {
                    reads.rungs.push(pair);
                    reads.ladder = true;
                }
                Op::Gather {
                    contiguous,
                    start,
                    count,
                    without,
                    ..
                } => {
                    let slots = self.gathered(contiguous, start, count).zip(0..);
                    let visited = slots.filter(|&(_, position)| position != without);
                    reads.stocks.extend(visited.map(|(slot, _)| slot));
                }
                Op::Time => reads.time = true,
                Op::Parameter(index) => reads.parameters.push(index),
                Op::Metric(index) => reads.metrics.push(index),
                Op::Role(_) | Op::Field(_) => reads.event = true,
                Op::ActorStock(_) | Op::GridStock(_) => reads.dynamic = true,
                Op::RungBetween => {
                    reads.dynamic = true;
                    reads.ladder = true;
                }
                _ => {}
            }
        }
        for list in [
            &mut reads.stocks,
            &mut reads.rungs,
            &mut reads.parameters,
            &mut reads.metrics,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        reads
    }

    /// The value: a number; 1 or 0 for a truth; an index, or -1 for nobody and nowhere, for an actor or place.
    #[inline]
    pub fn evaluate<E: Environment>(&self, env: &E) -> f64 {
        match *self.ops {
            [Op::Constant(value)] => value,
            [Op::Parameter(index)] => env.parameter(index),
            [Op::Stock(slot)] => env.stock(slot),
            [Op::Role(role)] => env.role(role),
            _ => self.run(env),
        }
    }

    fn run<E: Environment>(&self, env: &E) -> f64 {
        let mut stack = Stack::new(0.0);
        for op in &self.ops {
            let value = match *op {
                Op::Constant(value) => value,
                Op::Parameter(index) => env.parameter(index),
                Op::Stock(slot) => env.stock(slot),
                Op::Rung(pair) => env.rung(pair),
                Op::Metric(index) => env.metric(index),
                Op::Role(role) => env.role(role),
                Op::Field(field) => env.field(field),
                Op::Time => env.time(),
                Op::ActorStock(stock) => {
                    let actor = stack.pop();
                    stock_of(env, stock, actor, 0.0)
                }
                Op::GridStock(stock) => {
                    let column = stack.pop();
                    let actor = stack.pop();
                    stock_of(env, stock, actor, column)
                }
                Op::RungBetween => match (index(stack.pop()), index(stack.pop())) {
                    (Some(b), Some(a)) if a != b => env.rung(env.pair_slot(a, b)),
                    _ => 0.0,
                },
                Op::Host => index(stack.pop()).map_or(-1.0, |place| env.host(place)),
                Op::Patron => index(stack.pop()).map_or(-1.0, |actor| env.patron(actor)),
                Op::Related(relation) => match (index(stack.pop()), index(stack.pop())) {
                    (Some(b), Some(a)) => truth(env.related(relation, a, b)),
                    _ => 0.0,
                },
                Op::Member { start, count } => {
                    let members = &self.pool[start as usize..(start + count) as usize];
                    truth(index(stack.pop()).is_some_and(|x| members.binary_search(&x).is_ok()))
                }
                Op::Gather {
                    fold,
                    contiguous,
                    start,
                    count,
                    without,
                } => fold.over(count, without, |position| {
                    let place = start + position;
                    env.stock(if contiguous {
                        place
                    } else {
                        self.pool[place as usize]
                    })
                }),
                Op::Select => {
                    let no = stack.pop();
                    let yes = stack.pop();
                    let condition = stack.pop();
                    select(condition, yes, no)
                }
                Op::Negate
                | Op::Not
                | Op::Exp
                | Op::Ln
                | Op::Sqrt
                | Op::Abs
                | Op::Floor
                | Op::Logistic => {
                    let x = stack.pop();
                    op.unary(x).unwrap_or(f64::NAN)
                }
                Op::Add
                | Op::Subtract
                | Op::Multiply
                | Op::Divide
                | Op::Power
                | Op::Min
                | Op::Max
                | Op::Less
                | Op::LessEqual
                | Op::Greater
                | Op::GreaterEqual
                | Op::Equal
                | Op::NotEqual
                | Op::And
                | Op::Or => {
                    let b = stack.pop();
                    let a = stack.pop();
                    op.binary(a, b).unwrap_or(f64::NAN)
                }
            };
            stack.push(value);
        }
        stack.pop()
    }
}

pub(super) fn stock_of<E: Environment>(env: &E, stock: u32, actor: f64, column: f64) -> f64 {
    match (index(actor), index(column)) {
        (Some(actor), Some(column)) => env.stock_slot(stock, actor, column),
        _ => None,
    }
    .map_or_else(|| env.elsewhere(stock), |slot| env.stock(slot))
}

/// The actor or place that a value stands for; `None` for nobody and nowhere.
#[inline]
pub(super) fn index(value: f64) -> Option<u32> {
    // Values of these types only come from indices and -1, so the cast is exact.
    (value >= 0.0).then_some(value as u32)
}
