//! Formulas made fast: code with an accumulator, whose operations read their second operand themselves.
//!
//! [`Program`] says what a formula means and is evaluated plainly, by a stack. [`Code`] gives the same bits with less work:
//!
//! - what parameters alone decide is worked out once a world ([`Program::with_known`]);
//! - an operation and the read of its operand are one step, and the value under way stays in a register;
//! - `and`, `or` and `if` pass over what cannot matter;
//! - sums over stocks that no time moves are read from totals that are kept up to date.

mod bound;
mod chain;
mod make;

use super::program::{
    Environment, Field, Fold, Program, compared, greatest, index, least, stock_of, truth,
};
use super::scope::Role;
use super::symbols::Relation;
use super::total::Total;
use crate::math;
use chain::Chain;

/// Values that may wait at once; a formula that needs more is evaluated plainly.
const HEIGHT: usize = 8;

/// A formula ready to run fast. It gives the same bits as the program that it was made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Code {
    /// Nothing but a number.
    Number(f64),
    /// Nothing but a stock.
    Stock(u32),
    /// Nothing but a rung.
    Rung(u32),
    /// Simple steps, each with an operand of its own.
    Chain(Chain),
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
    totals: Box<[Total]>,
    /// Slots that gathers visit, and sorted members of sets.
    pool: Box<[u32]>,
}

/// Reads an operand, then does something with it and the accumulator.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    /// What it does, and how it reads; see [`fuse`].
    code: u8,
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
    Total,
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
#[repr(u8)]
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
    /// The stock of a at b.
    GridStock,
    /// The stock of b at a.
    GridStockOf,
    RungBetween,
    /// Whether b stands in the relation `stock` to a.
    Related,
    /// Whether a stands in the relation `stock` to b.
    RelatedTo,
    Negate,
    Not,
    Exp,
    Ln,
    Sqrt,
    Abs,
    Floor,
    Logistic,
    ActorStock,
    Host,
    Patron,
    Member,
    /// Past the right side of an `and` where the left one is 0; else the left one waits.
    SkipAnd,
    /// Past the right side of an `or` where the left one is 1; else the left one waits.
    SkipOr,
    /// To the second case where the condition is 0.
    Branch,
    Jump,
}

impl Does {
    /// From here on they have no operand.
    const FIRST_ALONE: u8 = Self::Negate as u8;
}

const RELATIONS: [Relation; 3] = [Relation::Rivals, Relation::Allies, Relation::Clients];

impl Code {
    /// The value, which is that of `program` to the bit.
    #[inline(always)]
    pub fn evaluate<E: Environment>(&self, program: &Program, env: &E) -> f64 {
        match self {
            Self::Number(value) => *value,
            Self::Stock(slot) => env.stock(*slot),
            Self::Rung(pair) => env.rung(*pair),
            Self::Chain(chain) => chain.evaluate(env),
            Self::Steps(steps) => steps.evaluate(env),
            Self::None => program.evaluate(env),
        }
    }
}

/// The codes of the steps that do one thing, numbered `DOES`, by how they read their operand.
struct Fused<const DOES: u8>;

impl<const DOES: u8> Fused<DOES> {
    /// Ways of reading an operand that are told apart.
    const READS: u8 = 7;
    /// The operand is the number in the step.
    const NUMBER: u8 = DOES * Self::READS;
    const PARAMETER: u8 = Self::NUMBER + 1;
    const STILL_STOCK: u8 = Self::NUMBER + 2;
    const STOCK: u8 = Self::NUMBER + 3;
    const WAITING: u8 = Self::NUMBER + 4;
    const TOTAL: u8 = Self::NUMBER + 5;
    /// `from` of the step says what.
    const OTHER: u8 = Self::NUMBER + 6;
    /// There is none.
    const ALONE: u8 = Self::READS * Does::FIRST_ALONE + (DOES - Does::FIRST_ALONE);
}

/// What a step does and how it reads, in one number, so that one jump leads to both.
fn fuse(does: Does, from: From) -> u8 {
    let does = does as u8;
    if does >= Does::FIRST_ALONE {
        return Fused::<{ Does::FIRST_ALONE }>::ALONE + (does - Does::FIRST_ALONE);
    }
    let reads = match from {
        From::Nothing | From::Number => Fused::<0>::NUMBER,
        From::Parameter => Fused::<0>::PARAMETER,
        From::StillStock => Fused::<0>::STILL_STOCK,
        From::Stock => Fused::<0>::STOCK,
        From::Waiting => Fused::<0>::WAITING,
        From::Total => Fused::<0>::TOTAL,
        _ => Fused::<0>::OTHER,
    };
    does * Fused::<0>::READS + reads
}

/// The value of a step: of those `with` an operand, for each way to read it; of those `alone`, which read none. `$number` makes
/// a value of a number, `$operand` reads an operand that has no code of its own, and `$none` is the value of no step.
macro_rules! step_value {
    (
        $step:ident, $steps:ident, $env:ident, $waiting:ident, $height:ident;
        number $number:expr, operand $operand:ident, none $none:expr;
        with $b:ident { $($does:ident => $value:expr,)* }
        alone { $($lone:ident => $lone_value:expr,)* }
    ) => {
        match $step.code {
            $(
                <Fused<{ Does::$does as u8 }>>::NUMBER => {
                    let $b = $number($step.number);
                    $value
                }
                <Fused<{ Does::$does as u8 }>>::PARAMETER => {
                    let $b = $env.parameter($step.index);
                    $value
                }
                <Fused<{ Does::$does as u8 }>>::STILL_STOCK => {
                    let $b = $env.still_stock($step.index);
                    $value
                }
                <Fused<{ Does::$does as u8 }>>::STOCK => {
                    let $b = $env.stock($step.index);
                    $value
                }
                <Fused<{ Does::$does as u8 }>>::WAITING => {
                    $height = $height.wrapping_sub(1);
                    let $b = $waiting[$height % HEIGHT];
                    $value
                }
                <Fused<{ Does::$does as u8 }>>::TOTAL => {
                    let $b = $env.total($steps.totals[$step.index as usize]);
                    $value
                }
                <Fused<{ Does::$does as u8 }>>::OTHER => {
                    let $b = $steps.$operand($step, $env);
                    $value
                }
            )*
            $(<Fused<{ Does::$lone as u8 }>>::ALONE => $lone_value,)*
            _ => $none,
        }
    };
}
use step_value;

impl Steps {
    fn evaluate<E: Environment>(&self, env: &E) -> f64 {
        let mut a = 0.0;
        let mut waiting = [0.0; HEIGHT];
        let mut height = 0_usize;
        let mut ahead = &self.steps[..];
        while let [step, behind @ ..] = ahead {
            ahead = behind;
            a = step_value! {
                step, self, env, waiting, height;
                number f64::from, operand operand, none f64::NAN;
                with b {
                    Take => b,
                    TakeToo => {
                        waiting[height % HEIGHT] = a;
                        height += 1;
                        b
                    },
                    Add => a + b,
                    Subtract => a - b,
                    SubtractFrom => b - a,
                    Multiply => a * b,
                    Divide => a / b,
                    DivideInto => b / a,
                    Min => least(a, b),
                    MinOf => least(b, a),
                    Max => greatest(a, b),
                    MaxOf => greatest(b, a),
                    Less => compared(a, b, a < b),
                    LessEqual => compared(a, b, a <= b),
                    Greater => compared(a, b, a > b),
                    GreaterEqual => compared(a, b, a >= b),
                    Equal => compared(a, b, a == b),
                    NotEqual => compared(a, b, a != b),
                    Power => math::pow(a, b),
                    PowerOf => math::pow(b, a),
                    And => if a == 0.0 || b == 0.0 { 0.0 } else { compared(a, b, true) },
                    Or => if a == 1.0 || b == 1.0 { 1.0 } else { compared(a, b, false) },
                    GridStock => stock_of(env, u32::from(step.stock), a, b),
                    GridStockOf => stock_of(env, u32::from(step.stock), b, a),
                    RungBetween => rung_between(env, a, b),
                    Related => related(env, step.stock, a, b),
                    RelatedTo => related(env, step.stock, b, a),
                }
                alone {
                    Negate => -a,
                    Not => if a.is_nan() { a } else { truth(a == 0.0) },
                    Exp => math::exp(a),
                    Ln => math::ln(a),
                    Sqrt => a.sqrt(),
                    Abs => a.abs(),
                    Floor => a.floor(),
                    Logistic => math::logistic(a),
                    ActorStock => stock_of(env, u32::from(step.stock), a, 0.0),
                    Host => index(a).map_or(-1.0, |place| env.host(place)),
                    Patron => index(a).map_or(-1.0, |actor| env.patron(actor)),
                    Member => self.is_member(step.index, a),
                    SkipAnd => if a == 0.0 {
                        ahead = &self.steps[step.index as usize..];
                        0.0
                    } else {
                        waiting[height % HEIGHT] = a;
                        height += 1;
                        a
                    },
                    SkipOr => if a == 1.0 {
                        ahead = &self.steps[step.index as usize..];
                        1.0
                    } else {
                        waiting[height % HEIGHT] = a;
                        height += 1;
                        a
                    },
                    Branch => {
                        if a == 0.0 {
                            ahead = &self.steps[step.index as usize..];
                        } else if a.is_nan() {
                            // To the jump past both cases, which stands before the second.
                            ahead = &self.steps[step.index as usize - 1..];
                        }
                        a
                    },
                    Jump => {
                        ahead = &self.steps[step.index as usize..];
                        a
                    },
                }
            };
        }
        a
    }

    /// An operand that has no code of its own.
    #[inline(never)]
    fn operand<E: Environment>(&self, step: &Step, env: &E) -> f64 {
        let item = step.index;
        match step.from {
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
            _ => f64::NAN,
        }
    }

    #[inline(never)]
    fn is_member(&self, source: u32, who: f64) -> f64 {
        match self.sources[source as usize] {
            Source::Member { start, count } => {
                let members = &self.pool[start as usize..(start + count) as usize];
                truth(index(who).is_some_and(|x| members.binary_search(&x).is_ok()))
            }
            _ => f64::NAN,
        }
    }

    #[inline(never)]
    fn read<E: Environment>(&self, source: Source, env: &E) -> f64 {
        match source {
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
