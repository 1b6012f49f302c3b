//! Sums over stocks, kept up to date in several runs at once.

use super::table::Change;
use crate::engine::RunState;
use crate::formula::{Group, KeptSum, UpdateOp};
use crate::model::{Model, SlotConstants, World};

/// The sums of a model in several runs.
#[derive(Clone, Debug)]
pub(super) enum Sums {
    /// As trees, groups of four values or sums of groups each; see [`KeptSum`].
    Trees(Vec<Group>),
    /// Each as one number, because every sum of the stocks is exact, in whatever order they are added. Behind those of each run
    /// comes a spare one, for stocks that count in none.
    Exact(Vec<f64>),
}

impl Default for Sums {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

impl Sums {
    /// No runs yet. They are exact where every stock that counts in a sum is, at all times, a multiple of one power of 2 and small
    /// enough: then no sum is ever rounded.
    pub fn new<'c>(
        model: &Model,
        world: &World,
        changes: impl Iterator<Item = &'c Change>,
    ) -> Self {
        // How far each stock may come, infinitely far if it is not always a multiple.
        let reach = |constants: &SlotConstants| match is_whole(constants.initial) {
            true => constants.initial.abs(),
            false => f64::INFINITY,
        };
        let mut reaches: Vec<f64> = world.slots.iter().map(reach).collect();
        for change in changes {
            let Some(constants) = world.slots.get(change.slot as usize) else {
                continue;
            };
            let reach = &mut reaches[change.slot as usize];
            let ends = [constants.min, constants.max];
            let whole_ends = ends.iter().all(|end| end.is_infinite() || is_whole(*end));
            *reach += match change.operation {
                UpdateOp::Multiply => f64::INFINITY,
                _ if !is_whole(change.by) || !whole_ends => f64::INFINITY,
                _ if ends.iter().all(|end| end.abs() <= LARGEST) => 0.0,
                _ => change.by.abs() * model.max_events as f64,
            };
        }
        let mut slots = model.fast.sums.iter().flat_map(|kept| &kept.slots);
        if model.slots.len() < MOST && slots.all(|&slot| reaches[slot as usize] <= LARGEST) {
            Self::Exact(Vec::new())
        } else {
            Self::Trees(Vec::new())
        }
    }

    pub fn clear(&mut self) {
        match self {
            Self::Trees(groups) => groups.clear(),
            Self::Exact(sums) => sums.clear(),
        }
    }

    /// Takes over the sums of a run; where they begin.
    pub fn enter(&mut self, model: &Model, state: &RunState) -> usize {
        match self {
            Self::Trees(groups) => {
                groups.extend_from_slice(&state.totals);
                groups.len() - state.totals.len()
            }
            Self::Exact(sums) => {
                let total = |kept: &KeptSum| kept.total().value(&state.totals);
                let base = sums.len();
                sums.extend(model.fast.sums.iter().map(total));
                sums.push(0.0);
                base
            }
        }
    }

    /// Gives the sums of a run back, whose stocks have been given back.
    pub fn leave(&self, model: &Model, state: &mut RunState, base: usize) {
        match self {
            Self::Trees(groups) => {
                let own = &groups[base..][..state.totals.len()];
                state.totals.copy_from_slice(own);
            }
            Self::Exact(_) => {
                for kept in &model.fast.sums {
                    kept.add_up(&mut state.totals, |slot| state.levels[slot as usize].value);
                }
            }
        }
    }
}

/// Stocks that may be exact, and up to which value.
const MOST: usize = 1 << 12;
const LARGEST: f64 = (1_u64 << 20) as f64;

/// Whether a number is a multiple of 2^-20: up to [`MOST`] of them, up to [`LARGEST`], have an exact sum. Minus 0 is not one,
/// since adding it is not always the same as adding nothing.
fn is_whole(number: f64) -> bool {
    const PARTS: f64 = (1_u64 << 20) as f64;
    (number * PARTS).fract() == 0.0 && number.to_bits() != (-0.0_f64).to_bits()
}
