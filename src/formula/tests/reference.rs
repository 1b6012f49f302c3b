//! The meaning of a formula by walking its tree: the plainest thing that can be right.

use super::fixture::{Moment, World};
use crate::formula::{
    BinaryOp, Environment, Expr, ExprKind, Field, Members, Relation, Role, Symbols, UnaryOp,
};
use crate::math::exp;

pub struct Reference<'a> {
    pub moment: &'a Moment,
    pub fixed_self: Option<u32>,
}

type Bindings = Vec<(String, f64)>;

/// Nothing is true or false of what has no value.
fn about(a: f64, b: f64, is: bool) -> f64 {
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    truth(is)
}

fn truth(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

/// -1 to `None`.
fn who(value: f64) -> Option<u32> {
    if value < 0.0 {
        None
    } else {
        Some(value as u32)
    }
}

fn min(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a < b {
        a
    } else {
        b
    }
}

fn max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a > b {
        a
    } else {
        b
    }
}

impl Reference<'_> {
    pub fn value(&self, expr: &Expr) -> f64 {
        self.walk(expr, &mut Vec::new())
    }

    fn walk(&self, expr: &Expr, bound: &mut Bindings) -> f64 {
        match &expr.kind {
            ExprKind::Number(x) => *x,
            ExprKind::Truth(t) => truth(*t),
            ExprKind::Nobody | ExprKind::Nowhere => -1.0,
            ExprKind::Name(name) => self.name(name, bound),
            ExprKind::Attribute { base, name } => match &base.kind {
                ExprKind::Name(b) if b == "event" => match name.text.as_str() {
                    "killed" => self.moment.field(Field::Killed),
                    "foiled" => self.moment.field(Field::Foiled),
                    _ => self.moment.field(Field::Goldstein),
                },
                ExprKind::Name(b) if b == "rungs" => {
                    f64::from(World.rung_index(&name.text).unwrap())
                }
                ExprKind::Name(b) if b == "world" => self.stock(&name.text, Some(0), Some(0)),
                _ => self.stock(&name.text, who(self.walk(base, bound)), Some(0)),
            },
            ExprKind::Index { base, indices } => match &base.kind {
                ExprKind::Attribute { base, name } => {
                    let row = who(self.walk(base, bound));
                    self.stock(&name.text, row, who(self.walk(&indices[0], bound)))
                }
                _ => {
                    let pair = (
                        who(self.walk(&indices[0], bound)),
                        who(self.walk(&indices[1], bound)),
                    );
                    match pair {
                        (Some(a), Some(b)) if a != b => self.moment.rung(World.pair_slot(a, b)),
                        _ => 0.0,
                    }
                }
            },
            ExprKind::Unary { op, operand } => {
                let x = self.walk(operand, bound);
                match op {
                    UnaryOp::Negate => -x,
                    UnaryOp::Not => about(x, x, x == 0.0),
                }
            }
            ExprKind::Chain { first, rest } => {
                let mut left = self.walk(first, bound);
                for (op, right) in rest {
                    left = infix(*op, left, self.walk(right, bound));
                }
                left
            }
            ExprKind::In { item, set, negated } => {
                let item = self.walk(item, bound);
                let members = self.members(set, bound);
                truth(members.iter().any(|m| f64::from(*m) == item) != *negated)
            }
            ExprKind::Conditional { condition, yes, no } => {
                let condition = self.walk(condition, bound);
                if condition.is_nan() {
                    condition
                } else if condition != 0.0 {
                    self.walk(yes, bound)
                } else {
                    self.walk(no, bound)
                }
            }
            ExprKind::Call {
                function,
                arguments,
            } => {
                let x: Vec<f64> = arguments.iter().map(|a| self.walk(a, bound)).collect();
                call(&function.text, &x)
            }
            ExprKind::Aggregate {
                function,
                body,
                variable,
                set,
                condition,
            } => {
                let mut values = Vec::new();
                for member in self.members(set, bound) {
                    bound.push((variable.text.clone(), f64::from(member)));
                    if condition
                        .as_ref()
                        .is_none_or(|c| self.walk(c, bound) != 0.0)
                    {
                        values.push(if function.text == "count" {
                            1.0
                        } else {
                            self.walk(body, bound)
                        });
                    }
                    bound.pop();
                }
                let count = values.len() as f64;
                let values = values.into_iter();
                match function.text.as_str() {
                    "sum" | "count" => values.reduce(|a, b| a + b).unwrap_or(0.0),
                    "mean" => values.reduce(|a, b| a + b).unwrap() / count,
                    "max" => values.reduce(max).unwrap(),
                    _ => values.reduce(min).unwrap(),
                }
            }
        }
    }

    fn name(&self, name: &str, bound: &Bindings) -> f64 {
        if let Some((_, value)) = bound.iter().rev().find(|(n, _)| n == name) {
            return *value;
        }
        if let Some(role) = Role::named(name) {
            return match (role, self.fixed_self) {
                (Role::SelfActor, Some(actor)) => f64::from(actor),
                _ => self.moment.role(role),
            };
        }
        if name == "time" {
            return self.moment.time;
        }
        if let Some(parameter) = World.parameter(name) {
            return self.moment.parameter(parameter);
        }
        World
            .actor(name)
            .or(World.place(name))
            .map(f64::from)
            .unwrap()
    }

    fn stock(&self, name: &str, row: Option<u32>, column: Option<u32>) -> f64 {
        let shape = World.stock(name).unwrap();
        row.zip(column)
            .and_then(|(row, column)| shape.slot(row, column))
            .map_or(shape.elsewhere, |slot| self.moment.stock(slot))
    }

    fn members(&self, set: &Expr, bound: &mut Bindings) -> Vec<u32> {
        match &set.kind {
            ExprKind::Name(name) => match World.set(name).unwrap() {
                Members::Actors(members) | Members::Places(members) => members.to_vec(),
            },
            ExprKind::Call {
                function,
                arguments,
            } => {
                let relation = match function.text.as_str() {
                    "rivals" => Relation::Rivals,
                    "allies" => Relation::Allies,
                    _ => Relation::Clients,
                };
                who(self.walk(&arguments[0], bound))
                    .map_or(Vec::new(), |actor| World.relation(relation, actor).to_vec())
            }
            _ => unreachable!(),
        }
    }
}

fn infix(op: BinaryOp, a: f64, b: f64) -> f64 {
    match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        BinaryOp::Power => libm::pow(a, b),
        BinaryOp::Less => about(a, b, a < b),
        BinaryOp::LessEqual => about(a, b, a <= b),
        BinaryOp::Greater => about(a, b, a > b),
        BinaryOp::GreaterEqual => about(a, b, a >= b),
        BinaryOp::Equal => about(a, b, a == b),
        BinaryOp::NotEqual => about(a, b, a != b),
        BinaryOp::And if a == 0.0 || b == 0.0 => 0.0,
        BinaryOp::And => about(a, b, true),
        BinaryOp::Or if a == 1.0 || b == 1.0 => 1.0,
        BinaryOp::Or => about(a, b, false),
    }
}

fn call(function: &str, x: &[f64]) -> f64 {
    let related = |relation| match (who(x[0]), who(x[1])) {
        (Some(a), Some(b)) => truth(World.relation(relation, a).contains(&b)),
        _ => 0.0,
    };
    match function {
        "exp" => exp(x[0]),
        "ln" => libm::log(x[0]),
        "sqrt" => x[0].sqrt(),
        "abs" => x[0].abs(),
        "floor" => x[0].floor(),
        "logistic" if x[0] < 0.0 => exp(x[0]) / (1.0 + exp(x[0])),
        "logistic" => 1.0 / (1.0 + exp(-x[0])),
        "min" => x.iter().copied().reduce(min).unwrap(),
        "max" => x.iter().copied().reduce(max).unwrap(),
        "clamp" => min(max(x[0], x[1]), x[2]),
        "host" => who(x[0])
            .and_then(|p| World.host(p))
            .map_or(-1.0, f64::from),
        "patron" => who(x[0])
            .and_then(|a| World.patron(a))
            .map_or(-1.0, f64::from),
        "is_rival" => related(Relation::Rivals),
        "is_ally" => related(Relation::Allies),
        other => unreachable!("{other}"),
    }
}
