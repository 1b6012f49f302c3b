//! What is kept up to date in several runs at once: stocks, and sums over them.

use super::table::Change;
use crate::engine::RunState;
use crate::engine::state::Level;
use crate::formula::{Group, LANES};
use crate::model::{Model, SlotConstants, World};

/// Stocks and sums in each run. What has a place there stands in it in the first run, in the next place in the second, and so on.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    /// Each stock and a spare one, for changes that are none; if sums are exact, each of them and a spare one, for stocks that count
    /// in none.
    pub values: Vec<f64>,
    /// When each stock was last changed, if time moves it.
    pub since: Vec<f64>,
    pub sums: Sums,
}

/// How sums over stocks are kept.
#[derive(Clone, Debug, Default)]
pub(super) enum Sums {
    /// Each as one number, because every sum of the stocks is exact, in whatever order they are added.
    #[default]
    Exact,
    /// As trees, see [`KeptSum`](crate::formula::KeptSum): groups of four values or sums of groups each, so many for each run.
    Trees(Vec<Group>, usize),
}

/// The place of a stock, by its slot.
pub(super) fn place_of_stock(slot: u32) -> u32 {
    slot * LANES as u32
}

/// The place of a sum, if it is kept as one number.
pub(super) fn place_of_sum(model: &Model, sum: u32) -> u32 {
    place_of_stock(model.slots.len() as u32 + 1 + sum)
}

impl Cells {
    /// For any runs in `world`, in which stocks are changed by `changes`.
    pub fn new<'c>(
        model: &Model,
        world: &World,
        changes: impl Iterator<Item = &'c Change>,
    ) -> Self {
        let sums = if sums_are_exact(model, world, changes) {
            Sums::Exact
        } else {
            let groups = model.fast.sum_groups;
            Sums::Trees(vec![Group::default(); LANES * groups], groups)
        };
        let places = LANES * (model.slots.len() + 1 + model.fast.sums.len() + 1);
        Self {
            values: vec![0.0; places],
            since: vec![0.0; places],
            sums,
        }
    }

    /// Takes over a run.
    pub fn enter(&mut self, model: &Model, lane: usize, state: &RunState) {
        let (values, _) = self.values.as_chunks_mut::<LANES>();
        let (since, _) = self.since.as_chunks_mut::<LANES>();
        for ((value, since), level) in values.iter_mut().zip(since).zip(&state.levels) {
            (value[lane], since[lane]) = (level.value, level.since);
        }
        match &mut self.sums {
            Sums::Trees(groups, of_run) => {
                groups[lane * *of_run..][..*of_run].copy_from_slice(&state.totals);
            }
            Sums::Exact => {
                let sums = values.iter_mut().skip(model.slots.len() + 1);
                for (sum, kept) in sums.zip(&model.fast.sums) {
                    sum[lane] = kept.total().value(&state.totals);
                }
            }
        }
    }

    /// Gives a run back.
    pub fn leave(&self, model: &Model, lane: usize, state: &mut RunState) {
        let (values, _) = self.values.as_chunks::<LANES>();
        let (since, _) = self.since.as_chunks::<LANES>();
        for ((value, since), level) in values.iter().zip(since).zip(&mut state.levels) {
            (level.value, level.since) = (value[lane], since[lane]);
        }
        match &self.sums {
            Sums::Trees(groups, of_run) => {
                let own = &groups[lane * of_run..][..*of_run];
                state.totals.copy_from_slice(own);
            }
            Sums::Exact => {
                for kept in &model.fast.sums {
                    kept.add_up(&mut state.totals, |slot| state.levels[slot as usize].value);
                }
            }
        }
    }

    /// A stock, as it was when it was last changed.
    #[inline(always)]
    pub fn level(&self, lane: usize, place: u32) -> Level {
        Level {
            value: self.values[lane + place as usize],
            since: self.since[lane + place as usize],
        }
    }
}

/// Whether every stock that counts in a sum is, at all times, a multiple of one power of 2 and small enough: then no sum is ever
/// rounded.
fn sums_are_exact<'c>(
    model: &Model,
    world: &World,
    changes: impl Iterator<Item = &'c Change>,
) -> bool {
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
        *reach += match change.step_or_target() {
            Some(by) if is_whole(by) && whole_ends => {
                if ends.iter().all(|end| end.abs() <= LARGEST) {
                    0.0
                } else {
                    by.abs() * model.max_events as f64
                }
            }
            _ => f64::INFINITY,
        };
    }
    let mut slots = model.fast.sums.iter().flat_map(|kept| &kept.slots);
    model.slots.len() < MOST && slots.all(|&slot| reaches[slot as usize] <= LARGEST)
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
