//! Formulas in which it is known who has a role.

use super::compile::StockTarget;
use super::program::{Environment, Op, Program, index, truth};
use super::scope::Role;

/// Who has each role, by index, -1 for nobody; `None` where that is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KnownRoles([Option<i32>; Role::ALL.len()]);

impl KnownRoles {
    /// Who has `role`, if that is known.
    pub fn get(&self, role: Role) -> Option<i32> {
        self.0[role as usize]
    }

    /// The same with `who` in `role`.
    #[must_use]
    pub fn with(mut self, role: Role, who: Option<i32>) -> Self {
        self.0[role as usize] = who;
        self
    }
}

/// Operands of a program that is made anew: where each begins, and its value if that is known.
type Operands = Vec<(usize, Option<f64>)>;

impl Program {
    /// The same formula where `roles` are known: it gives the same bits wherever they are filled so. `structure` says what
    /// depends on nothing but actors and places; nothing else is read from it.
    pub fn with_roles<E: Environment>(&self, roles: &KnownRoles, structure: &E) -> Self {
        let mut ops: Vec<Op> = Vec::with_capacity(self.ops.len());
        let mut operands: Operands = Vec::new();
        for &op in &self.ops {
            let first = operands.len().saturating_sub(op.arity());
            let start = operands.get(first).map_or(ops.len(), |operand| operand.0);
            if let (Op::Select, &[(_, Some(condition)), yes, no]) = (op, &operands[first..]) {
                let (kept, value) = if condition.is_nan() {
                    (vec![Op::Constant(condition)], Some(condition))
                } else if condition == 0.0 {
                    (ops[no.0..].to_vec(), no.1)
                } else {
                    (ops[yes.0..no.0].to_vec(), yes.1)
                };
                ops.truncate(start);
                ops.extend(kept);
                operands.truncate(first);
                operands.push((start, value));
                continue;
            }
            let values = operands[first..].iter().map(|operand| operand.1);
            let op = match self.folded(op, &values.collect::<Vec<_>>(), roles, structure) {
                Some(folded) => {
                    ops.truncate(start);
                    folded
                }
                None => op,
            };
            let value = match op {
                Op::Constant(value) => Some(value),
                _ => None,
            };
            operands.truncate(first);
            operands.push((start, value));
            ops.push(op);
        }
        let pooled = |op: &Op| matches!(op, Op::Member { .. } | Op::Gather { .. });
        let pool = ops.iter().any(pooled).then(|| self.pool.clone());
        Self {
            ops: ops.into(),
            pool: pool.unwrap_or_default(),
        }
    }

    /// What an operation comes to, if its operands are known as far as they decide it.
    fn folded<E: Environment>(
        &self,
        op: Op,
        operands: &[Option<f64>],
        roles: &KnownRoles,
        structure: &E,
    ) -> Option<Op> {
        let stock = |stock: u32, actor: f64, column: f64| {
            let slot = match (index(actor), index(column)) {
                (Some(actor), Some(column)) => structure.stock_slot(stock, actor, column),
                _ => None,
            };
            slot.map_or_else(|| Op::Constant(structure.elsewhere(stock)), Op::Stock)
        };
        Some(match (op, operands) {
            (Op::Role(role), _) => Op::Constant(f64::from(roles.get(role)?)),
            (Op::ActorStock(of), &[Some(actor)]) => stock(of, actor, 0.0),
            (Op::GridStock(of), &[Some(actor), Some(column)]) => stock(of, actor, column),
            (Op::RungBetween, &[Some(a), Some(b)]) => match (index(a), index(b)) {
                (Some(a), Some(b)) if a != b => Op::Rung(structure.pair_slot(a, b)),
                _ => Op::Constant(0.0),
            },
            (Op::Host, &[Some(place)]) => {
                Op::Constant(index(place).map_or(-1.0, |place| structure.host(place)))
            }
            (Op::Patron, &[Some(actor)]) => {
                Op::Constant(index(actor).map_or(-1.0, |actor| structure.patron(actor)))
            }
            (Op::Related(relation), &[Some(a), Some(b)]) => {
                Op::Constant(match (index(a), index(b)) {
                    (Some(a), Some(b)) => truth(structure.related(relation, a, b)),
                    _ => 0.0,
                })
            }
            (Op::Member { start, count }, &[Some(x)]) => {
                let members = &self.pool[start as usize..(start + count) as usize];
                Op::Constant(truth(
                    index(x).is_some_and(|x| members.binary_search(&x).is_ok()),
                ))
            }
            (Op::And, &[Some(0.0), _] | &[_, Some(0.0)]) => Op::Constant(0.0),
            (Op::Or, &[Some(1.0), _] | &[_, Some(1.0)]) => Op::Constant(1.0),
            (op, &[Some(x)]) => Op::Constant(op.unary(x)?),
            (op, &[Some(a), Some(b)]) => Op::Constant(op.binary(a, b)?),
            _ => return None,
        })
    }
}

impl StockTarget {
    /// The same where `roles` are known; see [`Program::with_roles`].
    #[must_use]
    pub fn with_roles<E: Environment>(&self, roles: &KnownRoles, structure: &E) -> Self {
        let Self::Dynamic {
            stock,
            actor,
            column,
        } = self
        else {
            return self.clone();
        };
        let actor = actor.with_roles(roles, structure);
        let column = (column.as_ref()).map(|column| column.with_roles(roles, structure));
        let known = actor.as_constant().is_some()
            && (column.as_ref()).is_none_or(|column| column.as_constant().is_some());
        let target = Self::Dynamic {
            stock: *stock,
            actor,
            column,
        };
        match (known, target.slot(structure)) {
            (false, _) => target,
            (true, Some(slot)) => Self::Fixed(slot),
            (true, None) => Self::Nothing,
        }
    }
}
