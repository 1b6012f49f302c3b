//! Code made of a program, operation by operation.

use super::chain::Chain;
use super::{Code, Does, From, HEIGHT, RELATIONS, Source, Step, Steps, Who, fuse};
use crate::formula::program::{Op, Program};
use crate::formula::scope::Role;
use crate::formula::total::{Total, Totals};

impl Program {
    /// Fast code for the program. `is_still` tells of a slot that no time moves; sums over such slots become totals.
    pub fn code(&self, is_still: &dyn Fn(u32) -> bool, totals: &mut Totals) -> Code {
        if let Some(value) = self.as_constant() {
            return Code::Number(value);
        }
        if let Some(slot) = self.as_stock() {
            return Code::Stock(slot);
        }
        if let Some(pair) = self.as_rung() {
            return Code::Rung(pair);
        }
        let mut maker = Maker {
            program: self,
            is_still,
            totals,
            steps: Vec::new(),
            sources: Vec::new(),
            read_totals: Vec::new(),
            entries: Vec::new(),
            height: 0,
            open: Vec::new(),
        };
        let made = maker.make();
        if let Some(chain) = made.and_then(|()| Chain::of(&maker.steps)) {
            return Code::Chain(chain);
        }
        match made {
            Some(()) => Code::Steps(Steps {
                steps: maker.steps.into(),
                sources: maker.sources.into(),
                totals: maker.read_totals.into(),
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
    read_totals: Vec<Total>,
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
            code: fuse(does, operand.from),
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
                if let Some(total) = self.program.total(op, self.is_still, self.totals) {
                    self.read_totals.push(total);
                    return self.unread(From::Total, self.read_totals.len() as u32 - 1);
                }
                self.source(Source::Gather {
                    fold,
                    contiguous,
                    start,
                    count,
                    without,
                })
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
