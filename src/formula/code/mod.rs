//! Formulas made fast: code with an accumulator, whose operations read their second operand themselves.
//!
//! [`Program`] says what a formula means and is evaluated plainly, by a stack. [`Code`] gives the same bits with less work:
//!
//! - what parameters alone decide is worked out once a world ([`Program::with_known`]);
//! - an operation and the read of its operand are one step, and the value under way stays in a register;
//! - `and`, `or` and `if` pass over what cannot matter;
//! - sums over stocks that no time moves are read from totals that are kept up to date.

mod bound;
mod make;

use super::program::{
    Environment, Field, Fold, Program, compared, greatest, index, least, stock_of, truth,
};
use super::scope::Role;
use super::symbols::Relation;
use super::total::Total;
use crate::math;

/// Values that may wait at once; a formula that needs more is evaluated plainly.
const HEIGHT: usize = 8;

/// A formula ready to run fast. It gives the same bits as the program that it was made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Code {
    /// Nothing but a number.
    Number(f64),
    /// Steps, taken one after the other.
    Steps(Steps),
    /// No faster than the program.
    None,
}

/// The steps of a [`Code`].
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    steps: Box<[Step]>,
    sources: Box<[Source]>,
    /// Slots that gathers visit, and sorted members of sets.
    pool: Box<[u32]>,
}

/// Reads an operand, then does something with it and the accumulator.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    does: Does,
    from: From,
    /// A stock.
    stock: u16,
    /// What to read, or where to go on.
    index: u32,
    /// The operand, where it is a number.
    number: f64,
}

const _: () = assert!(size_of::<Step>() == 16);

/// Where an operand comes from; `index` of the step says which.
#[derive(Debug, Clone, Copy, PartialEq)]
enum From {
    /// There is none, or the step reads for itself.
    Nothing,
    /// The value that has waited for the shortest time.
    Waiting,
    Number,
    Parameter,
    /// A stock that no time moves.
    StillStock,
    Stock,
    Rung,
    Metric,
    Role,
    Field,
    Time,
    /// An actor stock of whoever has the role.
    StockOfRole,
    Source,
}

/// An operand that needs more than an index to find.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    Gather {
        fold: Fold,
        contiguous: bool,
        start: u32,
        count: u32,
        without: u32,
    },
    Total(Total),
    GridStock {
        stock: u32,
        actor: Who,
        column: Who,
    },
    Rung(Who, Who),
    Member {
        start: u32,
        count: u32,
    },
}

/// An actor or a place.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Known(i32),
    Role(Role),
}

impl Who {
    #[inline]
    fn value<E: Environment>(self, env: &E) -> f64 {
        match self {
            Self::Known(who) => f64::from(who),
            Self::Role(role) => env.role(role),
        }
    }
}

/// What a step does with the accumulator `a` and its operand `b`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    /// b
    Take,
    /// b, while a waits.
    TakeToo,
    Add,
    Subtract,
    /// b - a
    SubtractFrom,
    Multiply,
    Divide,
    /// b / a
    DivideInto,
    Power,
    /// b ^ a
    PowerOf,
    Min,
    /// The smaller of b and a.
    MinOf,
    Max,
    /// The greater of b and a.
    MaxOf,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Negate,
    Not,
    Exp,
    Ln,
    Sqrt,
    Abs,
    Floor,
    Logistic,
    ActorStock,
    /// The stock of a at b.
    GridStock,
    /// The stock of b at a.
    GridStockOf,
    RungBetween,
    Host,
    Patron,
    /// Whether b stands in the relation `stock` to a.
    Related,
    /// Whether a stands in the relation `stock` to b.
    RelatedTo,
    Member,
    /// Past the right side of an `and` where the left one is 0; else the left one waits.
    SkipAnd,
    /// Past the right side of an `or` where the left one is 1; else the left one waits.
    SkipOr,
    /// To the second case where the condition is 0.
    Branch,
    Jump,
}

const RELATIONS: [Relation; 3] = [Relation::Rivals, Relation::Allies, Relation::Clients];

impl Code {
    /// The value, which is that of `program` to the bit.
    #[inline]
    pub fn evaluate<E: Environment>(&self, program: &Program, env: &E) -> f64 {
        match self {
            Self::Number(value) => *value,
            Self::Steps(steps) => steps.evaluate(env),
            Self::None => program.evaluate(env),
        }
    }
}

impl Steps {
    fn evaluate<E: Environment>(&self, env: &E) -> f64 {
        let mut a = 0.0;
        let mut waiting = [0.0; HEIGHT];
        let mut height = 0_usize;
        let mut ahead = &self.steps[..];
        while let [step, behind @ ..] = ahead {
            ahead = behind;
            let item = step.index;
            let b = match step.from {
                From::Nothing | From::Number => step.number,
                From::Waiting => {
                    height = height.wrapping_sub(1);
                    waiting[height % HEIGHT]
                }
                From::Parameter => env.parameter(item),
                From::StillStock => env.still_stock(item),
                From::Stock => env.stock(item),
                From::Rung => env.rung(item),
                From::Metric => env.metric(item),
                From::Role => env.role(Role::ALL[item as usize]),
                From::Field => env.field(Field::ALL[item as usize]),
                From::Time => env.time(),
                From::StockOfRole => stock_of(
                    env,
                    u32::from(step.stock),
                    env.role(Role::ALL[item as usize]),
                    0.0,
                ),
                From::Source => self.read(self.sources[item as usize], env),
            };
            a = match step.does {
                Does::Take => b,
                Does::TakeToo => {
                    waiting[height % HEIGHT] = a;
                    height += 1;
                    b
                }
                Does::Add => a + b,
                Does::Subtract => a - b,
                Does::SubtractFrom => b - a,
                Does::Multiply => a * b,
                Does::Divide => a / b,
                Does::DivideInto => b / a,
                Does::Min => least(a, b),
                Does::MinOf => least(b, a),
                Does::Max => greatest(a, b),
                Does::MaxOf => greatest(b, a),
                Does::Less => compared(a, b, a < b),
                Does::LessEqual => compared(a, b, a <= b),
                Does::Greater => compared(a, b, a > b),
                Does::GreaterEqual => compared(a, b, a >= b),
                Does::Equal => compared(a, b, a == b),
                Does::NotEqual => compared(a, b, a != b),
                Does::Power => math::pow(a, b),
                Does::PowerOf => math::pow(b, a),
                Does::And if a == 0.0 || b == 0.0 => 0.0,
                Does::And => compared(a, b, true),
                Does::Or if a == 1.0 || b == 1.0 => 1.0,
                Does::Or => compared(a, b, false),
                Does::Negate => -a,
                Does::Not if a.is_nan() => a,
                Does::Not => truth(a == 0.0),
                Does::Exp => math::exp(a),
                Does::Ln => math::ln(a),
                Does::Sqrt => a.sqrt(),
                Does::Abs => a.abs(),
                Does::Floor => a.floor(),
                Does::Logistic => math::logistic(a),
                Does::ActorStock => stock_of(env, u32::from(step.stock), a, 0.0),
                Does::GridStock => stock_of(env, u32::from(step.stock), a, b),
                Does::GridStockOf => stock_of(env, u32::from(step.stock), b, a),
                Does::RungBetween => rung_between(env, a, b),
                Does::Host => index(a).map_or(-1.0, |place| env.host(place)),
                Does::Patron => index(a).map_or(-1.0, |actor| env.patron(actor)),
                Does::Related => related(env, step.stock, a, b),
                Does::RelatedTo => related(env, step.stock, b, a),
                Does::Member => match self.sources[item as usize] {
                    Source::Member { start, count } => {
                        let members = &self.pool[start as usize..(start + count) as usize];
                        truth(index(a).is_some_and(|x| members.binary_search(&x).is_ok()))
                    }
                    _ => f64::NAN,
                },
                Does::SkipAnd if a == 0.0 => {
                    ahead = &self.steps[item as usize..];
                    0.0
                }
                Does::SkipOr if a == 1.0 => {
                    ahead = &self.steps[item as usize..];
                    1.0
                }
                Does::SkipAnd | Does::SkipOr => {
                    waiting[height % HEIGHT] = a;
                    height += 1;
                    a
                }
                Does::Branch => {
                    if a == 0.0 {
                        ahead = &self.steps[item as usize..];
                    } else if a.is_nan() {
                        // To the jump past both cases, which stands before the second.
                        ahead = &self.steps[item as usize - 1..];
                    }
                    a
                }
                Does::Jump => {
                    ahead = &self.steps[item as usize..];
                    a
                }
            };
        }
        a
    }

    fn read<E: Environment>(&self, source: Source, env: &E) -> f64 {
        match source {
            Source::Total(total) => env.total(total),
            Source::GridStock {
                stock,
                actor,
                column,
            } => stock_of(env, stock, actor.value(env), column.value(env)),
            Source::Rung(a, b) => rung_between(env, a.value(env), b.value(env)),
            Source::Gather {
                fold,
                contiguous: true,
                start,
                count,
                without,
            } => fold.over(count, without, |position| env.stock(start + position)),
            Source::Gather {
                fold,
                contiguous: false,
                start,
                count,
                without,
            } => {
                let listed = &self.pool[start as usize..(start + count) as usize];
                fold.over(count, without, |position| {
                    env.stock(listed[position as usize])
                })
            }
            Source::Member { .. } => f64::NAN,
        }
    }
}

fn rung_between<E: Environment>(env: &E, a: f64, b: f64) -> f64 {
    match (index(a), index(b)) {
        (Some(a), Some(b)) if a != b => env.rung(env.pair_slot(a, b)),
        _ => 0.0,
    }
}

fn related<E: Environment>(env: &E, relation: u16, a: f64, b: f64) -> f64 {
    match (index(a), index(b)) {
        (Some(a), Some(b)) => truth(env.related(RELATIONS[usize::from(relation) % 3], a, b)),
        _ => 0.0,
    }
}
