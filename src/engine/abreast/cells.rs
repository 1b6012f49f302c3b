//! What is kept up to date in several runs at once: stocks, and sums over them.

use super::table::Change;
use crate::engine::RunState;
use crate::engine::state::Level;
use crate::formula::{Group, LANES};
use crate::model::{Model, SlotConstants, World};

/// Stocks and sums in each run. What has a place there stands in it in the first run, in the next place in the second, and so on.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    /// Each stock and a spare one, for changes that are none; [filled up](fill_up).
    pub stocks: Vec<f64>,
    /// When each stock was last changed, if time moves it.
    pub since: Vec<f64>,
    /// Slots of stocks that may change; all others are in every run what they are at its start.
    changed: Vec<u32>,
    pub sums: Sums,
}

/// How sums over stocks are kept.
#[derive(Clone, Debug)]
pub(super) enum Sums {
    /// Each as one number, because every sum of the stocks is exact, in whatever order they are added; and a spare one, for stocks
    /// that count in none.
    Exact(Vec<f64>),
    /// As trees, see [`KeptSum`](crate::formula::KeptSum): groups of four values or sums of groups each, so many for each run.
    Trees(Vec<Group>, usize),
}

impl Default for Sums {
    fn default() -> Self {
        Self::Exact(Vec::new())
    }
}

/// The place of a stock, by its slot.
pub(super) fn place_of_stock(slot: u32) -> u32 {
    slot * LANES as u32
}

/// The place of a sum, if it is kept as one number.
pub(super) fn place_of_sum(sum: u32) -> u32 {
    sum * LANES as u32
}

/// Adds what is never read until there are as many elements as a power of 2, so that [`at`] finds them.
pub(super) fn fill_up<T: Clone>(elements: &mut Vec<T>, with: T) {
    elements.resize(elements.len().next_power_of_two(), with);
}

/// The element at `index`, which must be less than their number, a power of 2: then no test is needed to stay among them.
#[inline(always)]
pub(super) fn at<T>(elements: &[T], index: usize) -> &T {
    debug_assert!(index < elements.len() && elements.len().is_power_of_two());
    &elements[index & elements.len().wrapping_sub(1)]
}

/// The same, to change it.
#[inline(always)]
pub(super) fn at_mut<T>(elements: &mut [T], index: usize) -> &mut T {
    debug_assert!(index < elements.len() && elements.len().is_power_of_two());
    let last = elements.len().wrapping_sub(1);
    &mut elements[index & last]
}

impl Cells {
    /// For any runs in `world`, in which stocks are changed by `changes`.
    pub fn new<'c>(
        model: &Model,
        world: &World,
        changes: impl Iterator<Item = &'c Change> + Clone,
    ) -> Self {
        let mut is_changed = vec![false; model.slots.len() + 1];
        for change in changes.clone() {
            is_changed[change.slot as usize] = true;
        }
        let changed = (0..model.slots.len() as u32).filter(|&slot| is_changed[slot as usize]);
        let sums = if sums_are_exact(model, world, changes) {
            Sums::Exact(vec![0.0; LANES * (model.fast.sums.len() + 1)])
        } else {
            let groups = model.fast.sum_groups;
            Sums::Trees(vec![Group::default(); LANES * groups], groups)
        };
        let mut since = vec![0.0; LANES * (model.slots.len() + 1)];
        fill_up(&mut since, 0.0);
        let mut stocks = since.clone();
        let (lanes, _) = stocks.as_chunks_mut::<LANES>();
        for (stock, constants) in lanes.iter_mut().zip(&world.slots) {
            stock.fill(constants.initial);
        }
        Self {
            stocks,
            since,
            changed: changed.collect(),
            sums,
        }
    }

    /// Takes over a run.
    pub fn enter(&mut self, model: &Model, lane: usize, state: &RunState) {
        for &slot in &self.changed {
            let place = lane + place_of_stock(slot) as usize;
            let level = state.levels[slot as usize];
            (self.stocks[place], self.since[place]) = (level.value, level.since);
        }
        match &mut self.sums {
            Sums::Trees(groups, of_run) => {
                groups[lane * *of_run..][..*of_run].copy_from_slice(&state.totals);
            }
            Sums::Exact(sums) => {
                let (sums, _) = sums.as_chunks_mut::<LANES>();
                for (sum, kept) in sums.iter_mut().zip(&model.fast.sums) {
                    sum[lane] = kept.total().value(&state.totals);
                }
            }
        }
    }

    /// Gives a run back.
    pub fn leave(&self, model: &Model, lane: usize, state: &mut RunState) {
        for &slot in &self.changed {
            state.levels[slot as usize] = self.level(lane, place_of_stock(slot));
        }
        match &self.sums {
            Sums::Trees(groups, of_run) => {
                let own = &groups[lane * of_run..][..*of_run];
                state.totals.copy_from_slice(own);
            }
            Sums::Exact(_) => {
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
            value: *at(&self.stocks, lane + place as usize),
            since: *at(&self.since, lane + place as usize),
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
