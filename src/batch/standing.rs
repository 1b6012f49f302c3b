//! How a batch stands while it is under way.

use super::plan::{Plan, Source};
use super::record::Ending;
use crate::stats::proportion::score_interval;
use crate::stats::special::two_sided_z;

/// Cells times quantities that are followed, at most.
const MOST_FOLLOWED: u64 = 200_000;

/// Follows the widest interval of a probability, in every cell, while runs come in.
///
/// It keeps sums alone, so its intervals are those of the tables without their correction for rare outcomes.
pub struct Tracker<'p> {
    plan: &'p Plan,
    /// Indices of the quantities that are probabilities; none when there are too many to follow.
    quantities: Vec<usize>,
    /// For each cell and quantity.
    sums: Vec<Sums>,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    blocks: u32,
    occurrences: u64,
    /// Sum over blocks of the squared number of occurrences.
    squares: u64,
}

impl<'p> Tracker<'p> {
    /// Nothing so far.
    pub fn new(plan: &'p Plan) -> Self {
        let mut quantities: Vec<usize> = (plan.quantities.iter().enumerate())
            .filter(|(_, quantity)| quantity.is_probability())
            .map(|(index, _)| index)
            .collect();
        let followed = plan.cells().saturating_mul(quantities.len() as u64);
        if followed > MOST_FOLLOWED {
            quantities.clear();
        }
        let count = plan.cells() as usize * quantities.len();
        Self {
            plan,
            sums: if quantities.is_empty() {
                Vec::new()
            } else {
                vec![Sums::default(); count]
            },
            quantities,
        }
    }

    /// Adds the records of the units from `first` on.
    pub fn add(&mut self, first: u64, records: &[u8]) {
        if self.quantities.is_empty() {
            return;
        }
        let layout = self.plan.layout();
        let units = records.chunks_exact(self.plan.unit_bytes());
        for (unit, records) in (first..).zip(units) {
            let cell = (unit % self.plan.cells()) as usize;
            let sums = &mut self.sums[cell * self.quantities.len()..][..self.quantities.len()];
            for (sums, &quantity) in sums.iter_mut().zip(&self.quantities) {
                let occurs = |bytes: &&[u8]| {
                    let record = layout.read(bytes);
                    match (self.plan.quantities[quantity].source, record.ending()) {
                        (Source::Endgame(index), ending) => ending == Ending::Endgame(index),
                        (Source::Flag(index), Ending::Endgame(_)) => record.flag(index),
                        _ => false,
                    }
                };
                let count = records.chunks_exact(layout.bytes()).filter(occurs).count() as u64;
                sums.blocks += 1;
                sums.occurrences += count;
                sums.squares += count * count;
            }
        }
    }

    /// The widest interval at 95 %, if the intervals are followed and every cell has runs.
    pub fn widest(&self) -> Option<f64> {
        let z = two_sided_z(super::conduct::LEVEL);
        let block = f64::from(self.plan.block);
        let clustered = self.plan.runs_per_world().is_some();
        let mut widest = None;
        for sums in &self.sums {
            if sums.blocks == 0 {
                return None;
            }
            let blocks = f64::from(sums.blocks);
            let (k, runs) = (sums.occurrences as f64, blocks * block);
            let p = k / runs;
            let variance = (sums.squares as f64 - k * k / blocks) / (blocks - 1.0).max(1.0);
            let effective = match clustered {
                // Variance of a world's share, over the number of worlds, against that of independent runs.
                true if variance > 0.0 => {
                    (p * (1.0 - p) * blocks * block * block / variance).clamp(blocks, runs)
                }
                true => blocks,
                false => runs,
            };
            let width = super::conduct::width(score_interval(p, effective, z));
            widest = Some(widest.map_or(width, |widest: f64| widest.max(width)));
        }
        widest
    }
}
