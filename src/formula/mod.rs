//! The formula language of scenarios: text to a flat program, its value, and bounds on its value.
//!
//! ```text
//! text --parse_formula--> Expr --compile(Symbols, Scope)--> Program --evaluate(Environment)--> f64
//!                                                                  \--bound(Ranges)--------> Interval
//! ```
//!
//! - [`parse_formula`], [`parse_statement`]: syntax ([`Expr`], [`Statement`]);
//! - [`Symbols`], [`Scope`]: what names mean, and which of them a formula may use where it stands;
//! - [`compile`], [`compile_target`]: names resolved, types checked, whatever is known at load folded;
//! - [`Definition`]: a named formula, compiled wherever its name stands;
//! - [`Program`]: a formula ready to run: one pass over a slice, without recursion or allocation;
//! - [`KnownRoles`]: who is known to have a role, and formulas in which that is put in;
//! - [`Code`]: the same made fast, with the same bits;
//! - [`Interval`]: outer bounds of a formula over ranges of what it reads.
//!
//! This module knows of no file and no engine. Elementary functions come from [`math`](crate::math), so a value is the same on every machine.

mod abreast;
mod aggregate;
mod ast;
mod code;
mod compile;
mod definition;
mod interval;
mod known;
mod names;
mod parse;
mod program;
mod roles;
mod scope;
mod stack;
mod symbols;
mod token;
mod total;

#[cfg(test)]
mod tests;

pub use abreast::{Abreast, Given, LANES, LaneStack, Lanes, Pattern, Row};
pub use ast::{BinaryOp, Expr, ExprKind, Name, Span, Statement, SyntaxError, UnaryOp, UpdateOp};
pub use code::Code;
pub use compile::{CheckError, StockTarget, Type, Within, compile, compile_target};
pub use interval::{Interval, Ranges};
pub use known::Known;
pub use names::is_function;
pub use parse::{MAX_LENGTH, MAX_NESTING, RESERVED, parse_formula, parse_statement};
pub use program::{Environment, Field, Program, Reads};
pub use roles::KnownRoles;
pub use scope::{CandidateKind, Role, Scope};
pub use stack::MAX_STACK;
pub use symbols::{Definition, Members, NO_SLOT, Relation, StockOf, StockShape, Symbols};
pub use total::{Group, Kept, KeptSum, Summand, Total, Totals, Way};
