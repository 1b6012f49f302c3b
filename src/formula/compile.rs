//! Names resolved, types checked, and what is known at load folded away.

use super::ast::{Expr, Span};
use super::program::{Environment, Program};
use super::scope::Scope;
use super::symbols::Symbols;

/// The types of formulas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Number,
    Truth,
    Actor,
    Place,
}

/// A formula that reads well and makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CheckError {
    /// Bytes of the formula's text.
    pub span: Span,
    pub message: String,
    /// What to write instead, when that can be guessed.
    pub help: Option<String>,
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
        stock: u32,
        actor: Program,
        /// The second actor or the place; `None` for actor stocks.
        column: Option<Program>,
    },
}

impl StockTarget {
    /// The slot to write, or `None` where the stock does not exist.
    pub fn slot<E: Environment>(&self, _env: &E) -> Option<u32> {
        None
    }
}

/// Compiles a formula that must be of type `expected`.
///
/// # Errors
/// Every error found, in the order of the text.
pub fn compile(
    _expr: &Expr,
    _symbols: &dyn Symbols,
    _scope: &Scope,
    _expected: Type,
) -> Result<Program, Vec<CheckError>> {
    Ok(Program::constant(0.0))
}

/// Compiles the left side of a statement.
///
/// # Errors
/// As [`compile`]; and when it is no stock, or a stock that does not exist for an actor or place that it names.
pub fn compile_target(
    _place: &Expr,
    _symbols: &dyn Symbols,
    _scope: &Scope,
) -> Result<StockTarget, Vec<CheckError>> {
    Ok(StockTarget::Nothing)
}
