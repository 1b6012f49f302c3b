//! The patient rule induction method (PRIM).

use rayon::prelude::*;

use super::boxes::{BoxStatistics, Limit, ScenarioBox, between};
use super::check_targets;
use crate::sensitivity::error::Error;
use crate::sensitivity::given::{Table, order_of};

/// Which peel is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peel {
    /// The largest mean of what is left (Friedman & Fisher 1999, eq. 14.1): prefers large peels.
    Mean,
    /// The largest gain of the mean for each row taken away (their section 14.1 on categories of
    /// different sizes): fair to columns with few values.
    GainPerRow,
}

/// How to peel and paste.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrimSettings {
    /// Share of the rows of the box that a peel of an ordered column takes away; equal values go
    /// together, so it can be more.
    pub peel: f64,
    /// Share of the rows of the box that a paste adds.
    pub paste: f64,
    /// Smallest mass of a box.
    pub min_mass: f64,
    /// Which peel is the best.
    pub criterion: Peel,
}

impl Default for PrimSettings {
    fn default() -> Self {
        PrimSettings {
            peel: 0.05,
            paste: 0.05,
            min_mass: 0.05,
            criterion: Peel::GainPerRow,
        }
    }
}

impl PrimSettings {
    fn check(&self) -> Result<(), Error> {
        let share = |v: f64| v > 0.0 && v < 1.0;
        if !share(self.peel) {
            return Err(Error::setting("peel", "must be between 0 and 1"));
        }
        if !share(self.paste) {
            return Err(Error::setting("paste", "must be between 0 and 1"));
        }
        if !share(self.min_mass) {
            return Err(Error::setting("min_mass", "must be between 0 and 1"));
        }
        Ok(())
    }
}

/// How a box was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// All rows.
    Start,
    /// By taking rows away from the box before.
    Peel,
    /// By adding rows to the box before.
    Paste,
}

/// A box of the trajectory.
#[derive(Debug, Clone, PartialEq)]
pub struct PrimStep {
    /// How it was reached.
    pub phase: Phase,
    /// The box.
    pub scenario: ScenarioBox,
    /// What is in it.
    pub statistics: BoxStatistics,
}

/// The result of [`prim`].
#[derive(Debug, Clone, PartialEq)]
pub struct Prim {
    /// Mean target of all rows.
    pub base_rate: f64,
    /// All boxes from that of all rows to the smallest, then those pasted from it: the whole
    /// trade-off between density and coverage, to choose from.
    pub trajectory: Vec<PrimStep>,
}

/// Peels a box from all rows down to the smallest mass, and pastes from there.
///
/// In each step one end of an ordered column or one category is taken away, by the criterion; ties
/// go to the first column and the lower end. A limit lies halfway between rows. Peeling goes on
/// while the density is below 1, even if no peel gains, so the trajectory reaches `min_mass` in
/// noise too: look at the quasi-p-values. For a second scenario, peel
/// [`Table::filtered`] rows outside the first. Deterministic, O(columns rows log rows).
///
/// Source: Friedman & Fisher (1999) "Bump hunting in high-dimensional data", Stat. Comput. 9, 123.
///
/// # Errors
/// [`Error::BadSetting`] if a setting is not a share or a target is not a probability,
/// [`Error::ConstantOutput`], [`Error::TooFewRows`].
pub fn prim(table: &Table, settings: &PrimSettings) -> Result<Prim, Error> {
    settings.check()?;
    check_targets(table)?;
    let boxes = peel_boxes(table, settings);
    let step = |(scenario, phase): (ScenarioBox, Phase)| PrimStep {
        phase,
        statistics: scenario.statistics(table),
        scenario,
    };
    let mut trajectory: Vec<PrimStep> = boxes.into_par_iter().map(step).collect();
    let smallest = trajectory[trajectory.len() - 1].scenario.clone();
    trajectory.extend(paste(table, &smallest, settings)?);
    Ok(Prim {
        base_rate: trajectory[0].statistics.density,
        trajectory,
    })
}

/// Rows left in the box, in the order of each column.
struct Peeling<'a> {
    table: &'a Table,
    orders: Vec<Vec<u32>>,
    sum: f64,
}

/// Rows `from..to` of the order of a column are taken away.
struct Candidate {
    column: usize,
    from: usize,
    to: usize,
    score: f64,
}

fn peel_boxes(table: &Table, settings: &PrimSettings) -> Vec<(ScenarioBox, Phase)> {
    let columns = 0..table.columns().len();
    let orders = columns.into_par_iter().map(|j| table.order(j)).collect();
    let mut peeling = Peeling {
        table,
        orders,
        sum: table.y().iter().sum(),
    };
    let smallest = ((settings.min_mass * table.rows() as f64).ceil() as usize).max(1);
    let mut scenario = ScenarioBox::default();
    let mut boxes = vec![(scenario.clone(), Phase::Start)];
    let mut inside = vec![true; table.rows()];
    while peeling.sum < peeling.rows() as f64 {
        let mut best: Option<Candidate> = None;
        for column in 0..table.columns().len() {
            for candidate in peeling.candidates(column, smallest, settings) {
                if best.as_ref().is_none_or(|b| candidate.score > b.score) {
                    best = Some(candidate);
                }
            }
        }
        let Some(best) = best else { break };
        let limit = peeling.limit(&best, scenario.limit(best.column));
        scenario.set(best.column, limit);
        peeling.take_away(&best, &mut inside);
        boxes.push((scenario.clone(), Phase::Peel));
    }
    boxes
}

impl Peeling<'_> {
    fn rows(&self) -> usize {
        self.orders[0].len()
    }

    fn candidates(
        &self,
        column: usize,
        smallest: usize,
        settings: &PrimSettings,
    ) -> Vec<Candidate> {
        let order = &self.orders[column];
        let (n, x) = (order.len(), self.table.x(column));
        let same = |a: usize, b: usize| x[order[a] as usize] == x[order[b] as usize];
        let mut cuts = Vec::new();
        if self.table.columns()[column].categorical {
            let mut from = 0;
            for to in 1..=n {
                if to == n || !same(from, to) {
                    cuts.push((from, to));
                    from = to;
                }
            }
        } else {
            let share = ((settings.peel * n as f64) as usize).max(1);
            // Rows equal to the first that stays cannot be parted from it: take fewer, or if none
            // is below them, all of them.
            let mut low = share.min(n - 1);
            while low > 0 && same(low - 1, low) {
                low -= 1;
            }
            if low == 0 {
                low = share.min(n - 1) + 1;
                while low < n && same(low - 1, low) {
                    low += 1;
                }
            }
            cuts.push((0, low));
            let mut high = n - share.min(n - 1);
            while high < n && same(high - 1, high) {
                high += 1;
            }
            if high == n {
                high = n - share.min(n - 1) - 1;
                while high > 0 && same(high - 1, high) {
                    high -= 1;
                }
            }
            cuts.push((high, n));
        }
        cuts.retain(|(from, to)| n - (to - from) >= smallest && to - from < n);
        let before = self.sum / n as f64;
        let score = |(from, to): (usize, usize)| {
            let taken: f64 = order[from..to]
                .iter()
                .map(|&row| self.table.y()[row as usize])
                .sum();
            let after = (self.sum - taken) / (n - (to - from)) as f64;
            let score = match settings.criterion {
                Peel::Mean => after,
                Peel::GainPerRow => (after - before) / (to - from) as f64,
            };
            Candidate {
                column,
                from,
                to,
                score,
            }
        };
        cuts.into_iter().map(score).collect()
    }

    /// The limit of the column once the candidate is taken away.
    fn limit(&self, candidate: &Candidate, before: Option<&Limit>) -> Limit {
        let (order, x) = (
            &self.orders[candidate.column],
            self.table.x(candidate.column),
        );
        let at = |place: usize| x[order[place] as usize];
        if self.table.columns()[candidate.column].categorical {
            let kept = order.iter().map(|&row| x[row as usize]);
            let mut kept: Vec<f64> = kept.filter(|&v| v != at(candidate.from)).collect();
            kept.dedup();
            return Limit::Categories(kept);
        }
        let (mut low, mut high) = match before {
            Some(Limit::Range { low, high }) => (*low, *high),
            _ => (None, None),
        };
        if candidate.from == 0 {
            let (out, kept) = (at(candidate.to - 1), at(candidate.to));
            low = Some(between(out, kept).unwrap_or(out));
        } else {
            let (kept, out) = (at(candidate.from - 1), at(candidate.from));
            high = Some(between(kept, out).unwrap_or(out));
        }
        Limit::Range { low, high }
    }

    fn take_away(&mut self, candidate: &Candidate, inside: &mut [bool]) {
        for &row in &self.orders[candidate.column][candidate.from..candidate.to] {
            inside[row as usize] = false;
        }
        self.orders
            .par_iter_mut()
            .for_each(|order| order.retain(|&row| inside[row as usize]));
        // Added up anew, in the order of the first column: no error is carried from step to step.
        self.sum = self.orders[0]
            .iter()
            .map(|&row| self.table.y()[row as usize])
            .sum();
    }
}

/// Widens a box while that raises its density: in each step the end of an ordered column moves out by
/// about `settings.paste` of the rows of the box, or a category comes back. Gives the boxes after
/// each step, none if no step helps.
///
/// # Errors
/// As [`prim`].
pub fn paste(
    table: &Table,
    start: &ScenarioBox,
    settings: &PrimSettings,
) -> Result<Vec<PrimStep>, Error> {
    settings.check()?;
    check_targets(table)?;
    let mut steps: Vec<PrimStep> = Vec::new();
    let mut scenario = start.clone();
    loop {
        let statistics = scenario.statistics(table);
        let add = ((settings.paste * statistics.rows as f64) as usize).max(1);
        let mut best: Option<(f64, ScenarioBox)> = None;
        for (column, limit) in &scenario.limits {
            for wider in wider_limits(table, &scenario, *column, limit, add) {
                let mut candidate = scenario.clone();
                candidate.set(*column, wider);
                let density = candidate.statistics(table).density;
                let to_beat = best.as_ref().map_or(statistics.density, |(d, _)| *d);
                if density > to_beat {
                    best = Some((density, candidate));
                }
            }
        }
        let Some((_, better)) = best else {
            return Ok(steps);
        };
        scenario = better;
        let statistics = scenario.statistics(table);
        steps.push(PrimStep {
            phase: Phase::Paste,
            scenario: scenario.clone(),
            statistics,
        });
    }
}

/// The limits that let about `add` more rows in at one end, or one more category.
fn wider_limits(
    table: &Table,
    scenario: &ScenarioBox,
    column: usize,
    limit: &Limit,
    add: usize,
) -> Vec<Limit> {
    let mut others = scenario.clone();
    others.set(
        column,
        Limit::Range {
            low: None,
            high: None,
        },
    );
    let x = table.x(column);
    let reachable = (0..table.rows()).filter(|&i| others.contains(table, i));
    let outside: Vec<f64> = reachable
        .map(|i| x[i])
        .filter(|&v| !limit.allows(v))
        .collect();
    let order = order_of(&outside);
    let sorted: Vec<f64> = order.iter().map(|&i| outside[i as usize]).collect();
    match limit {
        Limit::Categories(kept) => {
            let mut back = sorted;
            back.dedup();
            let with = |value: f64| {
                let mut wider = kept.clone();
                let at = wider.partition_point(|&v| v < value);
                wider.insert(at, value);
                Limit::Categories(wider)
            };
            back.into_iter().map(with).collect()
        }
        Limit::Range { low, high } => {
            let mut wider = Vec::new();
            if let Some(end) = *low {
                let below = &sorted[..sorted.partition_point(|&v| v <= end)];
                if let Some(mut at) = below.len().checked_sub(1) {
                    at = at.saturating_sub(add - 1);
                    let edge = below[..at].iter().rposition(|&v| v < below[at]);
                    let low = edge.map(|i| between(below[i], below[at]).unwrap_or(below[i]));
                    wider.push(Limit::Range { low, high: *high });
                }
            }
            if let Some(end) = *high {
                let above = &sorted[sorted.partition_point(|&v| v < end)..];
                if !above.is_empty() {
                    let at = (add - 1).min(above.len() - 1);
                    let edge = above[at..].iter().find(|&&v| v > above[at]);
                    let high = edge.map(|&next| between(above[at], next).unwrap_or(next));
                    wider.push(Limit::Range { low: *low, high });
                }
            }
            wider
        }
    }
}

#[cfg(test)]
mod tests;
