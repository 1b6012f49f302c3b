//! Types checked, operations emitted, and what is known at load folded away.
//!
//! Code is postfix, so an operand that is known is a single [`Op::Constant`] at the end of what has been emitted: folding looks
//! there and nowhere else. Names are looked up in [`names`](super::names), named formulas put in their place in
//! [`definition`](super::definition), sets and aggregates unrolled in [`aggregate`](super::aggregate).

use super::ast::{BinaryOp, Expr, ExprKind, Name, Span, UnaryOp};
use super::definition::Calls;
use super::names::Located;
use super::program::{Environment, Op, Program, index, truth};
use super::scope::{Role, Scope};
use super::stack::MAX_STACK;
use super::symbols::{Relation, Symbols};

/// How many expressions one formula may unroll into.
const MAX_WORK: usize = 200_000;
/// How deep a formula may nest together with the formulas that it names. It bounds the call stack.
const MAX_DEPTH: usize = 600;

/// What is wrong with a condition that is known and not a number.
pub(super) const NO_CONDITION: &str = "this condition has no value";

/// The types of formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A real number, infinities included.
    Number,
    /// Yes or no; its own type, which no arithmetic takes.
    Truth,
    /// An actor or `nobody`.
    Actor,
    /// A place or `nowhere`.
    Place,
}

impl Type {
    /// The type as messages name it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Truth => "a truth (yes or no)",
            Self::Actor => "an actor",
            Self::Place => "a place",
        }
    }
}

/// A formula that reads well and makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CheckError {
    /// Bytes of the formula's text.
    pub span: Span,
    /// What is wrong, as one line.
    pub message: String,
    /// What to write instead, when that can be guessed.
    pub help: Option<String>,
    /// Set if the error lies in a formula that this one names: then `span` counts bytes of that one's text.
    pub within: Option<Within>,
}

/// The named formula in which an error lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Within {
    /// Its [`Definition::index`](super::Definition::index).
    pub definition: u32,
    /// Bytes of the text that was compiled: the name through which it came to the named formula.
    pub used_at: Span,
}

/// Where a statement writes.
#[derive(Debug, Clone, PartialEq)]
pub enum StockTarget {
    /// Always this slot.
    Fixed(u32),
    /// A stock that does not exist for whoever has the role: the statement does nothing.
    Nothing,
    /// The slot depends on roles.
    Dynamic {
        /// The stock's id.
        stock: u32,
        /// Whose stock.
        actor: Program,
        /// The second actor or the place; `None` for actor stocks.
        column: Option<Program>,
    },
}

impl StockTarget {
    /// The stock and the role, where it is an actor stock of whoever has a role.
    pub fn as_stock_of_role(&self) -> Option<(u32, Role)> {
        match self {
            Self::Dynamic {
                stock,
                actor,
                column: None,
            } => match *actor.ops {
                [Op::Role(role)] => Some((*stock, role)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The slot to write, or `None` where the stock does not exist.
    pub fn slot<E: Environment>(&self, env: &E) -> Option<u32> {
        match self {
            Self::Fixed(slot) => Some(*slot),
            Self::Nothing => None,
            Self::Dynamic {
                stock,
                actor,
                column,
            } => {
                let actor = index(actor.evaluate(env))?;
                let column = match column {
                    Some(column) => index(column.evaluate(env))?,
                    None => 0,
                };
                env.stock_slot(*stock, actor, column)
            }
        }
    }
}

/// Compiles a formula that must be of type `expected`.
///
/// A stock that does not exist for an actor or place that the formula names is an error; through a role or the variable of an
/// aggregate, it reads what it reads elsewhere. Aggregates are unrolled over the members that their set has at load.
///
/// # Errors
/// Every error found, in the order of the text.
pub fn compile(
    expr: &Expr,
    symbols: &dyn Symbols,
    scope: &Scope,
    expected: Type,
) -> Result<Program, Vec<CheckError>> {
    let mut compiler = Compiler::new(symbols, scope);
    compiler.want(expr, expected);
    if matches!(*compiler.ops, [Op::Constant(value)] if value.is_nan()) {
        compiler.error::<()>(&expr.span, "this formula has no value", None);
    }
    let program = compiler.program(0, compiler.ops.len(), &expr.span);
    compiler.finish(program)
}

/// Compiles the left side of a statement.
///
/// # Errors
/// As [`compile`]; and when it is no stock, or a stock that does not exist for an actor or place that it names.
pub fn compile_target(
    place: &Expr,
    symbols: &dyn Symbols,
    scope: &Scope,
) -> Result<StockTarget, Vec<CheckError>> {
    let mut compiler = Compiler::new(symbols, scope);
    let target = match compiler.target(place) {
        Some(Located::Slot(slot)) => StockTarget::Fixed(slot),
        Some(Located::Elsewhere(_)) | None => StockTarget::Nothing,
        Some(Located::Dynamic { stock, column }) => {
            let end = compiler.ops.len();
            StockTarget::Dynamic {
                stock,
                actor: compiler.program(0, column.unwrap_or(end), &place.span),
                column: column.map(|start| compiler.program(start, end, &place.span)),
            }
        }
    };
    compiler.finish(target)
}

/// The variable of an aggregate, while its body is compiled for one member.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) kind: Type,
    /// The member, or -1 while the body is only checked.
    pub(super) value: f64,
}

/// Methods that return `None` have reported an error; the code emitted by then is of no use, and is never run.
pub(super) struct Compiler<'a> {
    pub(super) symbols: &'a dyn Symbols,
    pub(super) scope: &'a Scope,
    pub(super) ops: Vec<Op>,
    pub(super) pool: Vec<u32>,
    /// Those of the aggregates that are open; see [`Compiler::variables`].
    pub(super) variables: Vec<Variable>,
    pub(super) calls: Calls,
    errors: Vec<CheckError>,
    work: usize,
    depth: usize,
}

impl<'a> Compiler<'a> {
    fn new(symbols: &'a dyn Symbols, scope: &'a Scope) -> Self {
        Self {
            symbols,
            scope,
            ops: Vec::new(),
            pool: Vec::new(),
            variables: Vec::new(),
            calls: Calls::default(),
            errors: Vec::new(),
            work: 0,
            depth: 0,
        }
    }

    fn finish<T>(mut self, result: T) -> Result<T, Vec<CheckError>> {
        if self.errors.is_empty() {
            return Ok(result);
        }
        self.errors.sort_by_key(|error| {
            let at = error.within.as_ref().map_or(&error.span, |w| &w.used_at);
            (at.start, at.end, error.span.start, error.span.end)
        });
        self.errors.dedup();
        Err(self.errors)
    }

    /// The code from `start` to `end` as a program, if its stack is not too high.
    fn program(&mut self, start: usize, end: usize, span: &Span) -> Program {
        let mut height = 0_usize;
        let mut highest = 0;
        for op in &self.ops[start..end] {
            height = (height + 1).saturating_sub(op.arity());
            highest = highest.max(height);
        }
        if highest > MAX_STACK {
            self.error::<()>(
                span,
                "this formula keeps too many values waiting at once",
                Some("split it, for example into metrics or stocks".to_owned()),
            );
        }
        Program {
            ops: self.ops[start..end].into(),
            pool: self.pool.as_slice().into(),
        }
    }

    /// Reports an error. Returns `None` in whatever type the caller needs.
    pub(super) fn error<T>(
        &mut self,
        span: &Span,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Option<T> {
        self.errors.push(CheckError {
            span: span.clone(),
            message: message.into(),
            help,
            within: self.calls.within(),
        });
        None
    }

    /// The value of the code from `start` on, when it is known.
    pub(super) fn known(&self, start: usize) -> Option<f64> {
        match self.ops[start..] {
            [Op::Constant(value)] => Some(value),
            _ => None,
        }
    }

    /// Adds an operation, or the constant that it makes of constants.
    pub(super) fn emit(&mut self, op: Op) {
        let folded = match (op.arity(), self.ops.as_slice()) {
            (1, [.., Op::Constant(x)]) => self.fold_unary(op, *x),
            (2, [.., Op::Constant(a), Op::Constant(b)]) => self.fold_binary(op, *a, *b),
            _ => None,
        };
        match folded {
            Some(value) => {
                self.ops.truncate(self.ops.len() - op.arity());
                self.ops.push(Op::Constant(value));
            }
            None => self.ops.push(op),
        }
    }

    fn fold_unary(&self, op: Op, x: f64) -> Option<f64> {
        let or_nobody = |actor: Option<u32>| actor.map_or(-1.0, f64::from);
        match op {
            Op::Host => Some(or_nobody(
                index(x).and_then(|place| self.symbols.host(place)),
            )),
            Op::Patron => Some(or_nobody(
                index(x).and_then(|actor| self.symbols.patron(actor)),
            )),
            _ => op.unary(x),
        }
    }

    fn fold_binary(&self, op: Op, a: f64, b: f64) -> Option<f64> {
        match op {
            Op::Related(relation) => Some(match (index(a), index(b)) {
                (Some(a), Some(b)) => truth(self.symbols.relation(relation, a).contains(&b)),
                _ => 0.0,
            }),
            _ => op.binary(a, b),
        }
    }

    /// Compiles an expression that must be of a type.
    pub(super) fn want(&mut self, expr: &Expr, expected: Type) -> Option<()> {
        let found = self.expr(expr)?;
        self.check(found, expected, expr)
    }

    fn check(&mut self, found: Type, expected: Type, expr: &Expr) -> Option<()> {
        if found == expected {
            return Some(());
        }
        let help = match (expected, found) {
            (Type::Number, Type::Truth) => Some("write `1 if ... else 0`"),
            (Type::Truth, Type::Number) => Some("compare it with something, such as `... > 0`"),
            (Type::Truth, Type::Actor) => Some("compare it with an actor, such as `... == nobody`"),
            (Type::Truth, Type::Place) => Some("compare it with a place, such as `... == nowhere`"),
            (Type::Number, Type::Actor) => {
                Some("name one of its stocks: the actor, a dot, the stock")
            }
            (Type::Place, Type::Actor) if expr.kind == ExprKind::Nobody => Some("write `nowhere`"),
            (Type::Actor, Type::Place) if expr.kind == ExprKind::Nowhere => Some("write `nobody`"),
            (Type::Actor, Type::Place) => Some("`host(place)` is the actor on whose ground it is"),
            _ => None,
        };
        self.error(
            &expr.span,
            format!("expected {}, found {}", expected.noun(), found.noun()),
            help.map(str::to_owned),
        )
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Option<Type> {
        self.work += 1;
        if self.work > MAX_WORK {
            if self.work == MAX_WORK + 1 {
                self.error::<()>(
                    &expr.span,
                    "the aggregates and named formulas of this formula unroll into too many steps",
                    Some("aggregate over smaller sets, or keep the sum in a stock".to_owned()),
                );
            }
            return None;
        }
        if self.depth >= MAX_DEPTH {
            let help = Some("name fewer formulas inside one another".to_owned());
            return self.error(&expr.span, "this formula nests too deeply", help);
        }
        self.depth += 1;
        let found = self.nested(expr);
        self.depth -= 1;
        found
    }

    fn nested(&mut self, expr: &Expr) -> Option<Type> {
        match &expr.kind {
            ExprKind::Number(value) => Some(self.constant(*value, Type::Number)),
            ExprKind::Truth(value) => Some(self.constant(truth(*value), Type::Truth)),
            ExprKind::Nobody => Some(self.constant(-1.0, Type::Actor)),
            ExprKind::Nowhere => Some(self.constant(-1.0, Type::Place)),
            ExprKind::Name(name) => self.name(name, &expr.span),
            ExprKind::Attribute { .. } | ExprKind::Index { .. } => self.reference(expr),
            ExprKind::Unary { op, operand } => self.unary(*op, operand),
            ExprKind::Chain { first, rest } => self.chain(first, rest),
            ExprKind::In { item, set, negated } => self.membership(item, set, *negated),
            ExprKind::Conditional { condition, yes, no } => self.conditional(condition, yes, no),
            ExprKind::Call {
                function,
                arguments,
            } => self.call(function, arguments, &expr.span),
            ExprKind::Aggregate {
                function,
                body,
                variable,
                set,
                condition,
            } => self.aggregate(function, body, variable, set, condition.as_deref()),
        }
    }

    pub(super) fn constant(&mut self, value: f64, kind: Type) -> Type {
        self.ops.push(Op::Constant(value));
        kind
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr) -> Option<Type> {
        let (op, kind) = match op {
            UnaryOp::Negate => (Op::Negate, Type::Number),
            UnaryOp::Not => (Op::Not, Type::Truth),
        };
        self.want(operand, kind)?;
        self.emit(op);
        Some(kind)
    }

    fn chain(&mut self, first: &Expr, rest: &[(BinaryOp, Expr)]) -> Option<Type> {
        let start = self.ops.len();
        let mut left = self.expr(first);
        for (position, (op, right)) in rest.iter().enumerate() {
            let middle = self.ops.len();
            let found = self.expr(right);
            let (operand, result) = match op {
                BinaryOp::And | BinaryOp::Or => (Some(Type::Truth), Type::Truth),
                BinaryOp::Equal | BinaryOp::NotEqual => (None, Type::Truth),
                BinaryOp::Less
                | BinaryOp::LessEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterEqual => (Some(Type::Number), Type::Truth),
                _ => (Some(Type::Number), Type::Number),
            };
            let fits = match operand {
                Some(operand) => {
                    let left = match left {
                        // What an operator of this chain gave is of the right type.
                        Some(_) if position > 0 => Some(()),
                        Some(left) => self.check(left, operand, first),
                        None => None,
                    };
                    let right = found.and_then(|found| self.check(found, operand, right));
                    left.and(right)
                }
                None => match (left, found) {
                    (Some(left), Some(found)) => self.check(found, left, right),
                    _ => None,
                },
            };
            left = fits.map(|()| result);
            if left.is_some() {
                self.infix(*op, start, middle);
            }
        }
        left
    }

    /// Applies an operator to the operands from `start` and from `middle` on.
    fn infix(&mut self, op: BinaryOp, start: usize, middle: usize) {
        let op = match op {
            BinaryOp::Add => Op::Add,
            BinaryOp::Subtract => Op::Subtract,
            BinaryOp::Multiply => Op::Multiply,
            BinaryOp::Divide => Op::Divide,
            BinaryOp::Power => Op::Power,
            BinaryOp::Less => Op::Less,
            BinaryOp::LessEqual => Op::LessEqual,
            BinaryOp::Greater => Op::Greater,
            BinaryOp::GreaterEqual => Op::GreaterEqual,
            BinaryOp::Equal => Op::Equal,
            BinaryOp::NotEqual => Op::NotEqual,
            BinaryOp::And => return self.connective(Op::And, 0.0, start, middle),
            BinaryOp::Or => return self.connective(Op::Or, 1.0, start, middle),
        };
        self.emit(op);
    }

    /// `and` and `or`: one known operand either decides (when it is `decisive`) or does not matter, unless it has no value. Specialised
    /// rules ask `self == iran and ...`, and must not read what follows for every other actor.
    fn connective(&mut self, op: Op, decisive: f64, start: usize, middle: usize) {
        let left = match self.ops[start..middle] {
            [Op::Constant(value)] => Some(value),
            _ => None,
        };
        let right = self.known(middle);
        if left == Some(decisive) || right == Some(decisive) {
            self.ops.truncate(start);
            self.ops.push(Op::Constant(decisive));
        } else if left.is_some_and(|value| !value.is_nan()) {
            self.ops.remove(start);
        } else if right.is_some_and(|value| !value.is_nan()) {
            self.ops.truncate(middle);
        } else {
            self.emit(op);
        }
    }

    fn conditional(&mut self, condition: &Expr, yes: &Expr, no: &Expr) -> Option<Type> {
        let start = self.ops.len();
        let asked = self.want(condition, Type::Truth);
        let known = asked.and_then(|()| self.known(start));
        let yes_start = self.ops.len();
        let kind = self.expr(yes);
        let no_start = self.ops.len();
        let other = self.expr(no);
        let (kind, other) = (kind?, other?);
        if kind != other {
            return self.error(
                &(yes.span.start..no.span.end),
                format!(
                    "the two cases differ in type: {} and {}",
                    kind.noun(),
                    other.noun()
                ),
                None,
            );
        }
        asked?;
        match known {
            Some(known) if known.is_nan() => {
                return self.error(&condition.span, NO_CONDITION, None);
            }
            Some(known) if known != 0.0 => {
                self.ops.truncate(no_start);
                self.ops.remove(start);
            }
            Some(_) => {
                self.ops.drain(start..no_start);
            }
            None => {
                debug_assert!(start < yes_start);
                self.emit(Op::Select);
            }
        }
        Some(kind)
    }

    fn call(&mut self, function: &Name, arguments: &[Expr], span: &Span) -> Option<Type> {
        use Type::{Actor, Number, Place, Truth};
        let unary = |op| (&[Number][..], op, Number);
        let (parameters, op, result): (&[Type], Op, Type) = match function.text.as_str() {
            "exp" => unary(Op::Exp),
            "ln" => unary(Op::Ln),
            "sqrt" => unary(Op::Sqrt),
            "abs" => unary(Op::Abs),
            "floor" => unary(Op::Floor),
            "logistic" => unary(Op::Logistic),
            "host" => (&[Place], Op::Host, Actor),
            "patron" => (&[Actor], Op::Patron, Actor),
            "is_rival" => (&[Actor, Actor], Op::Related(Relation::Rivals), Truth),
            "is_ally" => (&[Actor, Actor], Op::Related(Relation::Allies), Truth),
            "min" => return self.fold_arguments(function, arguments, Op::Min),
            "max" => return self.fold_arguments(function, arguments, Op::Max),
            "clamp" => return self.clamp(arguments, span),
            _ => return self.named_formula(function, arguments, span),
        };
        self.arguments(function, arguments, parameters, span)?;
        self.emit(op);
        Some(result)
    }

    fn arguments(
        &mut self,
        function: &Name,
        found: &[Expr],
        parameters: &[Type],
        span: &Span,
    ) -> Option<()> {
        if found.len() != parameters.len() {
            let s = if parameters.len() == 1 { "" } else { "s" };
            return self.error(
                span,
                format!(
                    "`{}` takes {} value{s}, not {}",
                    function.text,
                    parameters.len(),
                    found.len()
                ),
                None,
            );
        }
        let mut fits = Some(());
        for (argument, kind) in found.iter().zip(parameters) {
            fits = self.want(argument, *kind).and(fits);
        }
        fits
    }

    fn fold_arguments(&mut self, function: &Name, arguments: &[Expr], op: Op) -> Option<Type> {
        if arguments.len() < 2 {
            return self.error(
                &function.span,
                format!("`{}` compares two values or more", function.text),
                Some(format!(
                    "over a set, write `{}(a.stock for a in set)`",
                    function.text
                )),
            );
        }
        let mut fits = Some(());
        for (position, argument) in arguments.iter().enumerate() {
            fits = self.want(argument, Type::Number).and(fits);
            if position > 0 && fits.is_some() {
                self.emit(op);
            }
        }
        fits.map(|()| Type::Number)
    }

    /// `min(max(x, low), high)`.
    fn clamp(&mut self, arguments: &[Expr], span: &Span) -> Option<Type> {
        let [x, low, high] = arguments else {
            return self.error(
                span,
                "`clamp` takes 3 values: the number, the lowest and the highest it may be",
                None,
            );
        };
        let mut fits = self.want(x, Type::Number);
        fits = self.want(low, Type::Number).and(fits);
        if fits.is_some() {
            self.emit(Op::Max);
        }
        fits = self.want(high, Type::Number).and(fits);
        if fits.is_some() {
            self.emit(Op::Min);
        }
        fits.map(|()| Type::Number)
    }
}
