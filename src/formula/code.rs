//! Formulas made fast: code with an accumulator, whose operations read their second operand themselves.
//!
//! [`Program`] says what a formula means and is evaluated plainly, by a stack. [`Code`] gives the same bits with less work:
//!
//! - what parameters alone decide is worked out once a world ([`Program::with_known`]);
//! - an operation and the read of its operand are one step, and the value under way stays in a register;
//! - `and`, `or` and `if` pass over what cannot matter;
//! - sums over stocks that no time moves are read from totals that are kept up to date.

use super::program::{
    Environment, Field, Fold, NONE_LEFT_OUT, Op, Program, greatest, index, least, stock_of, truth,
};
use super::scope::Role;
use super::symbols::Relation;
use crate::math;
use std::collections::BTreeMap;

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

/// A truth about two values: not-a-number when either is.
#[inline]
fn compared(a: f64, b: f64, is: bool) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        truth(is)
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

/// A sum that is kept up to date, or the same without one of its stocks.
///
/// The sum is a complete binary tree as [`pairwise_sum`](super::program::pairwise_sum) adds up: node 1 is the sum of all, nodes
/// `2 k` and `2 k + 1` lie below node `k` and are kept side by side as pair `k`, and the stocks are the nodes from the number of
/// pairs on, with zeros behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// Where its pairs begin among those of all totals.
    pub pairs: u32,
    /// The node of the stock that is left out; 1 for none.
    pub without: u32,
}

impl Total {
    /// The sum, from the pairs of all totals.
    #[inline]
    pub fn value(self, pairs: &[[f64; 2]]) -> f64 {
        let pairs = &pairs[self.pairs as usize..];
        let mut node = self.without as usize;
        if node == 1 {
            return pairs[1][0] + pairs[1][1];
        }
        // What is left out counts as 0; everything beside its path to the root is added.
        let mut sum = 0.0;
        while node > 1 {
            sum += pairs[node / 2][1 - node % 2];
            node /= 2;
        }
        sum
    }
}

/// The sums of a model that are kept as totals: over stocks that no time moves.
#[derive(Debug, Default)]
pub struct Totals {
    /// Where the pairs of each begin, how many they are (a power of two), and its slots in the order of summation.
    pub list: Vec<(u32, u32, Vec<u32>)>,
    /// Pairs of all.
    pub pairs: u32,
    known: BTreeMap<Vec<u32>, (u32, u32)>,
}

impl Totals {
    fn total(&mut self, slots: Vec<u32>, without: u32) -> Total {
        let (pairs, width) = *self.known.entry(slots).or_insert_with_key(|slots| {
            let (pairs, width) = (self.pairs, (slots.len() as u32).next_power_of_two());
            self.list.push((pairs, width, slots.clone()));
            self.pairs += width;
            (pairs, width)
        });
        let without = if without == NONE_LEFT_OUT {
            1
        } else {
            width + without
        };
        Total { pairs, without }
    }
}

impl Program {
    /// Fast code for the program. `is_still` tells of a slot that no time moves; sums over such slots become totals.
    pub fn code(&self, is_still: &dyn Fn(u32) -> bool, totals: &mut Totals) -> Code {
        if let Some(value) = self.as_constant() {
            return Code::Number(value);
        }
        let mut maker = Maker {
            program: self,
            is_still,
            totals,
            steps: Vec::new(),
            sources: Vec::new(),
            entries: Vec::new(),
            height: 0,
            open: Vec::new(),
        };
        match maker.make() {
            Some(()) => Code::Steps(Steps {
                steps: maker.steps.into(),
                sources: maker.sources.into(),
                pool: self.pool.clone(),
            }),
            None => Code::None,
        }
    }
}

/// Where an operand of the program is while code is made.
#[derive(Clone, Copy, PartialEq)]
enum Entry {
    /// Not read yet: the step that uses it will.
    Unread(Operand),
    /// In the accumulator.
    Held,
    /// Waiting.
    Waits,
}

/// Where an operand is read, in the terms of a [`Step`].
#[derive(Clone, Copy, PartialEq)]
struct Operand {
    from: From,
    stock: u16,
    index: u32,
    number: f64,
}

impl Operand {
    fn at(from: From, index: u32) -> Self {
        Self {
            from,
            stock: 0,
            index,
            number: 0.0,
        }
    }
}

const NOTHING: Operand = Operand {
    from: From::Nothing,
    stock: 0,
    index: 0,
    number: 0.0,
};

/// A place in the program where what follows may be passed over.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    None,
    /// The right side of an `and` or `or` begins.
    Right(Does),
    /// The first case of a condition begins.
    First,
    /// The second case begins.
    Second,
}

/// Makes code, operation by operation. Methods give `None` where the program stays as it is.
struct Maker<'a> {
    program: &'a Program,
    is_still: &'a dyn Fn(u32) -> bool,
    totals: &'a mut Totals,
    steps: Vec<Step>,
    sources: Vec<Source>,
    entries: Vec<Entry>,
    height: usize,
    /// Steps that go on at a place that is not known yet.
    open: Vec<usize>,
}

impl Maker<'_> {
    fn make(&mut self) -> Option<()> {
        let turns = turns(self.program)?;
        for (&op, &turn) in self.program.ops.iter().zip(&turns) {
            self.turn(turn)?;
            self.operation(op)?;
        }
        self.hold()?;
        (self.entries.len() == 1).then_some(())
    }

    fn step(&mut self, does: Does, operand: Operand) -> Option<()> {
        match (does, operand.from) {
            (Does::TakeToo | Does::SkipAnd | Does::SkipOr, _) => self.height += 1,
            (_, From::Waiting) => self.height = self.height.checked_sub(1)?,
            _ => {}
        }
        self.steps.push(Step {
            does,
            from: operand.from,
            stock: operand.stock,
            index: operand.index,
            number: operand.number,
        });
        (self.height <= HEIGHT).then_some(())
    }

    /// Reads an operand into the accumulator.
    fn take(&mut self, operand: Operand) -> Option<()> {
        let held = self.entries.iter_mut().find(|entry| **entry == Entry::Held);
        let does = match held {
            Some(held) => {
                *held = Entry::Waits;
                Does::TakeToo
            }
            None => Does::Take,
        };
        self.step(does, operand)
    }

    /// Brings the last operand into the accumulator.
    fn hold(&mut self) -> Option<()> {
        match self.entries.pop()? {
            Entry::Unread(operand) => self.take(operand)?,
            Entry::Held => {}
            Entry::Waits => return None,
        }
        self.entries.push(Entry::Held);
        Some(())
    }

    fn turn(&mut self, turn: Turn) -> Option<()> {
        if turn == Turn::None {
            return Some(());
        }
        self.hold()?;
        self.entries.pop();
        let does = match turn {
            Turn::Right(does) => {
                self.entries.push(Entry::Waits);
                does
            }
            Turn::Second => Does::Jump,
            _ => Does::Branch,
        };
        self.open.push(self.steps.len());
        self.step(does, NOTHING)
    }

    /// Lets the step that was left open last go on at `position`.
    fn close(&mut self, position: usize) -> Option<()> {
        let step = self.open.pop()?;
        self.steps[step].index = position as u32;
        Some(())
    }

    fn unread(&mut self, from: From, index: u32) -> Option<()> {
        self.entries.push(Entry::Unread(Operand::at(from, index)));
        Some(())
    }

    fn source(&mut self, source: Source) -> Option<()> {
        self.sources.push(source);
        self.unread(From::Source, self.sources.len() as u32 - 1)
    }

    fn operation(&mut self, op: Op) -> Option<()> {
        match op {
            Op::Constant(number) => {
                let operand = Operand::at(From::Number, 0);
                self.entries
                    .push(Entry::Unread(Operand { number, ..operand }));
                Some(())
            }
            Op::Parameter(index) => self.unread(From::Parameter, index),
            Op::Stock(slot) if (self.is_still)(slot) => self.unread(From::StillStock, slot),
            Op::Stock(slot) => self.unread(From::Stock, slot),
            Op::Rung(pair) => self.unread(From::Rung, pair),
            Op::Metric(index) => self.unread(From::Metric, index),
            Op::Role(role) => self.unread(From::Role, role as u32),
            Op::Field(field) => self.unread(From::Field, field as u32),
            Op::Time => self.unread(From::Time, 0),
            Op::Gather {
                fold,
                contiguous,
                start,
                count,
                without,
            } => {
                let source = match self.total(op) {
                    Some(total) => Source::Total(total),
                    None => Source::Gather {
                        fold,
                        contiguous,
                        start,
                        count,
                        without,
                    },
                };
                self.source(source)
            }
            Op::ActorStock(stock) => self.actor_stock(u16::try_from(stock).ok()?),
            Op::GridStock(stock) => match self.two() {
                Some((actor, column)) => self.source(Source::GridStock {
                    stock,
                    actor,
                    column,
                }),
                None => {
                    let stock = u16::try_from(stock).ok()?;
                    self.binary(Does::GridStock, Does::GridStockOf, stock)
                }
            },
            Op::RungBetween => match self.two() {
                Some((a, b)) => self.source(Source::Rung(a, b)),
                None => self.binary(Does::RungBetween, Does::RungBetween, 0),
            },
            Op::Related(relation) => {
                let relation = RELATIONS.iter().position(|&r| r == relation)?;
                self.binary(Does::Related, Does::RelatedTo, relation as u16)
            }
            Op::Member { start, count } => {
                self.hold()?;
                self.sources.push(Source::Member { start, count });
                let source = self.sources.len() as u32 - 1;
                let operand = Operand::at(From::Nothing, source);
                self.step(Does::Member, operand)
            }
            Op::Select => {
                self.hold()?;
                let end = self.steps.len();
                let second = self.open.last()? + 1;
                self.close(end)?;
                self.close(second)
            }
            Op::Host => self.unary(Does::Host),
            Op::Patron => self.unary(Does::Patron),
            Op::Negate => self.unary(Does::Negate),
            Op::Not => self.unary(Does::Not),
            Op::Exp => self.unary(Does::Exp),
            Op::Ln => self.unary(Does::Ln),
            Op::Sqrt => self.unary(Does::Sqrt),
            Op::Abs => self.unary(Does::Abs),
            Op::Floor => self.unary(Does::Floor),
            Op::Logistic => self.unary(Does::Logistic),
            Op::Add => self.binary(Does::Add, Does::Add, 0),
            Op::Subtract => self.binary(Does::Subtract, Does::SubtractFrom, 0),
            Op::Multiply => self.binary(Does::Multiply, Does::Multiply, 0),
            Op::Divide => self.binary(Does::Divide, Does::DivideInto, 0),
            Op::Power => self.binary(Does::Power, Does::PowerOf, 0),
            Op::Min => self.binary(Does::Min, Does::MinOf, 0),
            Op::Max => self.binary(Does::Max, Does::MaxOf, 0),
            Op::Less => self.binary(Does::Less, Does::Greater, 0),
            Op::LessEqual => self.binary(Does::LessEqual, Does::GreaterEqual, 0),
            Op::Greater => self.binary(Does::Greater, Does::Less, 0),
            Op::GreaterEqual => self.binary(Does::GreaterEqual, Does::LessEqual, 0),
            Op::Equal => self.binary(Does::Equal, Does::Equal, 0),
            Op::NotEqual => self.binary(Does::NotEqual, Does::NotEqual, 0),
            Op::And => self.connective(Does::And),
            Op::Or => self.connective(Does::Or),
        }
    }

    fn unary(&mut self, does: Does) -> Option<()> {
        self.hold()?;
        self.step(does, NOTHING)
    }

    /// An operation of two operands: `does` where the first is in the accumulator, `reversed` where the second is.
    fn binary(&mut self, does: Does, reversed: Does, stock: u16) -> Option<()> {
        let (second, first) = (self.entries.pop()?, self.entries.pop()?);
        let of_stock = |operand: Operand| {
            let free = stock == 0 || operand.stock == 0;
            free.then_some(Operand {
                stock: stock | operand.stock,
                ..operand
            })
        };
        match (first, second) {
            (Entry::Held, Entry::Unread(operand)) => self.step(does, of_stock(operand)?)?,
            (Entry::Unread(operand), Entry::Held) => self.step(reversed, of_stock(operand)?)?,
            (Entry::Unread(left), Entry::Unread(right)) => {
                self.take(left)?;
                self.step(does, of_stock(right)?)?;
            }
            (Entry::Waits, Entry::Held) => {
                self.step(reversed, of_stock(Operand::at(From::Waiting, 0))?)?;
            }
            _ => return None,
        }
        self.entries.push(Entry::Held);
        Some(())
    }

    /// `and` or `or`, whose left side waits.
    fn connective(&mut self, does: Does) -> Option<()> {
        self.hold()?;
        self.entries.pop();
        if self.entries.pop()? != Entry::Waits {
            return None;
        }
        self.step(does, Operand::at(From::Waiting, 0))?;
        self.entries.push(Entry::Held);
        self.close(self.steps.len())
    }

    fn actor_stock(&mut self, stock: u16) -> Option<()> {
        if let Some(Entry::Unread(operand)) = self.entries.last_mut()
            && operand.from == From::Role
        {
            operand.from = From::StockOfRole;
            operand.stock = stock;
            return Some(());
        }
        self.hold()?;
        self.step(Does::ActorStock, Operand { stock, ..NOTHING })
    }

    /// The last two operands, if both are known or a role; they are then used up.
    fn two(&mut self) -> Option<(Who, Who)> {
        let [.., Entry::Unread(a), Entry::Unread(b)] = *self.entries else {
            return None;
        };
        let who = |operand: Operand| match operand.from {
            From::Number => Some(Who::Known(operand.number as i32)),
            From::Role => Some(Who::Role(Role::ALL[operand.index as usize])),
            _ => None,
        };
        let found = (who(a)?, who(b)?);
        self.entries.truncate(self.entries.len() - 2);
        Some(found)
    }

    /// The total that a gather reads, if it can be kept.
    fn total(&mut self, op: Op) -> Option<Total> {
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
        let slots: Vec<u32> = self.program.gathered(contiguous, start, count).collect();
        (slots.iter().all(|&slot| (self.is_still)(slot))).then(|| self.totals.total(slots, without))
    }
}

/// Where the operands of `and`, `or` and conditions begin, by position in the program.
fn turns(program: &Program) -> Option<Vec<Turn>> {
    let mut turns = vec![Turn::None; program.ops.len()];
    let mut starts: Vec<usize> = Vec::new();
    for (position, op) in program.ops.iter().enumerate() {
        let operands = starts.len().checked_sub(op.arity())?;
        match (op, &starts[operands..]) {
            (Op::And, [_, right]) => turns[*right] = Turn::Right(Does::SkipAnd),
            (Op::Or, [_, right]) => turns[*right] = Turn::Right(Does::SkipOr),
            (Op::Select, [_, first, second]) => {
                turns[*first] = Turn::First;
                turns[*second] = Turn::Second;
            }
            _ => {}
        }
        let start = starts.get(operands).copied().unwrap_or(position);
        starts.truncate(operands);
        starts.push(start);
    }
    Some(turns)
}

/// What formulas make of parameters alone: worked out once a world, and read as parameters behind the declared ones.
#[derive(Debug, Clone, Default)]
pub struct Known {
    declared: u32,
    programs: Vec<Program>,
    indices: BTreeMap<Vec<(u8, u64)>, u32>,
}

impl Known {
    /// None yet, behind so many declared parameters.
    pub fn behind(declared: usize) -> Self {
        Self {
            declared: declared as u32,
            ..Self::default()
        }
    }

    /// How to work them out, in the order of their indices.
    pub fn programs(&self) -> &[Program] {
        &self.programs
    }

    fn parameter(&mut self, ops: &[Op]) -> Op {
        let key: Vec<(u8, u64)> = ops.iter().map(|op| op.key()).collect();
        let programs = &mut self.programs;
        let index = *self.indices.entry(key).or_insert_with(|| {
            programs.push(Program {
                ops: ops.into(),
                pool: Box::default(),
            });
            programs.len() as u32 - 1
        });
        Op::Parameter(self.declared + index)
    }
}

impl Program {
    /// The same formula with all that parameters alone decide replaced by parameters of `known`.
    pub fn with_known(&self, known: &mut Known) -> Self {
        let mut ops: Vec<Op> = Vec::with_capacity(self.ops.len());
        // Start of each operand, and whether only parameters decide it.
        let mut operands: Vec<(usize, bool)> = Vec::new();
        let replace = |ops: &mut Vec<Op>, start: usize, end: usize, known: &mut Known| {
            if end - start > 1 {
                let parameter = known.parameter(&ops[start..end]);
                ops.splice(start..end, [parameter]);
            }
        };
        for op in &self.ops {
            let first = operands.len().saturating_sub(op.arity());
            let of_parameters = match op {
                Op::Constant(_) | Op::Parameter(_) => true,
                _ => op.is_arithmetic() && operands[first..].iter().all(|operand| operand.1),
            };
            if !of_parameters {
                let mut end = ops.len();
                for &(start, known_by_parameters) in operands[first..].iter().rev() {
                    if known_by_parameters {
                        replace(&mut ops, start, end, known);
                    }
                    end = start;
                }
            }
            let start = operands.get(first).map_or(ops.len(), |operand| operand.0);
            operands.truncate(first);
            operands.push((start, of_parameters));
            ops.push(*op);
        }
        if operands == [(0, true)] {
            let end = ops.len();
            replace(&mut ops, 0, end, known);
        }
        Self {
            ops: ops.into(),
            pool: self.pool.clone(),
        }
    }
}
