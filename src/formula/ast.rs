//! The syntax tree of a formula, before names mean anything.

use std::ops::Range;

/// Where a piece of a formula stands: byte offsets into its text.
pub type Span = Range<usize>;

/// An expression with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// The form, with its parts.
    pub kind: ExprKind,
    /// Brackets around it included.
    pub span: Span,
}

/// A name with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Name {
    /// As written.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// The forms of an expression.
///
/// Operators of one precedence level that group to the left are one [`ExprKind::Chain`] and not a tree, so that the depth of
/// a tree is bounded by the depth of the nesting that its author wrote, however many terms a sum has.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A literal; `inf` included.
    Number(f64),
    /// `true` or `false`.
    Truth(bool),
    /// `nobody`: no actor.
    Nobody,
    /// `nowhere`: no place.
    Nowhere,
    /// A bare name: a parameter, metric, actor, place, set, role, loop variable, or `time`.
    Name(String),
    /// `base.name`: a stock, `event.*`, `rungs.*`, `world.*`.
    Attribute { base: Box<Expr>, name: Name },
    /// `base[index, ...]`: a pair or presence stock, or `rung[a, b]`.
    Index { base: Box<Expr>, indices: Vec<Expr> },
    /// A prefix operator.
    Unary { op: UnaryOp, operand: Box<Expr> },
    /// `first op second op third ...`, grouping to the left. Comparisons and `^` always have exactly one element in `rest`.
    Chain {
        first: Box<Expr>,
        rest: Vec<(BinaryOp, Expr)>,
    },
    /// `item in set` or `item not in set`.
    In {
        item: Box<Expr>,
        set: Box<Expr>,
        negated: bool,
    },
    /// `yes if condition else no`.
    Conditional {
        condition: Box<Expr>,
        yes: Box<Expr>,
        no: Box<Expr>,
    },
    /// `function(arguments)`.
    Call {
        function: Name,
        arguments: Vec<Expr>,
    },
    /// `function(body for variable in set if condition)`.
    Aggregate {
        function: Name,
        body: Box<Expr>,
        variable: Name,
        set: Box<Expr>,
        condition: Option<Box<Expr>>,
    },
}

/// Prefix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `not`
    Not,
}

/// Infix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `and`
    And,
    /// `or`
    Or,
}

impl BinaryOp {
    /// How the operator is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "^",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::And => "and",
            Self::Or => "or",
        }
    }
}

/// What a statement does to a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateOp {
    /// `=`
    Set,
    /// `+=`
    Add,
    /// `-=`
    Subtract,
    /// `*=`
    Multiply,
}

impl UpdateOp {
    /// The new value of a stock that stands at `old`, for the value `by` of the statement's formula.
    pub fn apply(self, old: f64, by: f64) -> f64 {
        match self {
            Self::Set => by,
            Self::Add => old + by,
            Self::Subtract => old - by,
            Self::Multiply => old * by,
        }
    }
}

/// `place op value [if condition]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The stock reference on the left, for [`compile_target`](super::compile_target).
    pub place: Expr,
    /// What is done to it.
    pub op: UpdateOp,
    /// The formula of a number on the right.
    pub value: Expr,
    /// The formula of a truth without which nothing is done.
    pub condition: Option<Expr>,
}

/// A text that is no formula.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// Bytes of the text; on character boundaries, and never beyond the end.
    pub span: Span,
    /// What is wrong, as one line.
    pub message: String,
    /// What to write instead, when that can be guessed.
    pub help: Option<String>,
}
