//! What parameters alone decide.

use super::program::{Op, Program};
use std::collections::BTreeMap;

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

    /// The index of the parameter that stands for a formula of parameters alone; `None` for any other formula.
    pub fn index(&mut self, program: &Program) -> Option<u32> {
        let decided =
            |op: &Op| matches!(op, Op::Constant(_) | Op::Parameter(_)) || op.is_arithmetic();
        if !program.ops.iter().all(decided) {
            return None;
        }
        match *program.ops {
            [Op::Parameter(index)] => Some(index),
            _ => match self.parameter(&program.ops) {
                Op::Parameter(index) => Some(index),
                _ => None,
            },
        }
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
