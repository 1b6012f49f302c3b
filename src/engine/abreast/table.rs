//! What turns of one kind do in one world.

use super::cells::{fill_up, place_of_stock, place_of_sum};
use crate::formula::{Given, Pattern, UpdateOp, Way};
use crate::model::{Kind, Model, World};
use std::ops::Range;

/// What the turns of one kind do: for each of its processes and each outcome of a turn there is a row of changes. All rows are as
/// wide as the widest; what is missing is a change of a spare stock, so that no turn differs from another in what is to be done.
/// Behind the last process stands nobody, whose turns change nothing: for runs in which no turn of this kind is to be taken.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// For each pattern of the kind: the operands.
    pub given: Vec<Vec<Vec<Given>>>,
    /// Rows of each outcome, one for each process and nobody; those of the next outcome follow.
    pub members: usize,
    /// For each row whether it is no event.
    pub idle: Vec<bool>,
    pub has_idle: bool,
    /// The first change of each row, the second, and so on; at least one. Rows are [filled up](fill_up), those of `given` also.
    pub changes: Vec<Vec<Change>>,
    /// Sums in which stocks count.
    pub counts: Vec<Counts>,
    /// Whether no change is of a stock that time moves, or that counts in several sums.
    pub is_plain: bool,
    /// The sum in which all stocks that are changed count, if each change adds to a stock with finite bounds; its place.
    pub steps_in: Option<u32>,
    /// Whether it matters when a turn is taken.
    pub is_timed: bool,
}

/// A change of a stock: to `factor` times what it is, and `summand` more, but within bounds.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Change {
    factor: f64,
    summand: f64,
    min: f64,
    max: f64,
    pub slot: u32,
    /// The place of the stock, and of the first sum in which it counts, which is the spare one if it counts in none.
    pub place: u32,
    pub sum: u32,
    /// All sums in which it counts, in the table.
    pub counts: Range<u32>,
}

impl Change {
    /// Of the spare stock.
    fn none(model: &Model) -> Self {
        Self {
            factor: 1.0,
            summand: 0.0,
            min: 0.0,
            max: 0.0,
            slot: model.slots.len() as u32,
            place: place_of_stock(model.slots.len() as u32),
            sum: place_of_sum(model.fast.sums.len() as u32),
            counts: 0..0,
        }
    }

    /// What `operation` does with `by`, to the bit; `None` if that is no finite number, or cannot be said so.
    fn new(model: &Model, world: &World, slot: u32, operation: UpdateOp, by: f64) -> Option<Self> {
        let (factor, summand) = match operation {
            // Minus 0 is the one number that changes no other, whatever its sign, when it is added.
            UpdateOp::Multiply => (by, -0.0),
            UpdateOp::Add => (1.0, by),
            UpdateOp::Subtract => (1.0, -by),
            UpdateOp::Set if by.to_bits() == (-0.0_f64).to_bits() => return None,
            UpdateOp::Set => (0.0, by),
        };
        let constants = &world.slots[slot as usize];
        by.is_finite().then(|| Self {
            factor,
            summand,
            min: constants.min,
            max: constants.max,
            slot,
            place: place_of_stock(slot),
            ..Self::none(model)
        })
    }

    /// Whether it is not of the spare stock.
    fn is_real(&self, model: &Model) -> bool {
        (self.slot as usize) < model.slots.len()
    }

    /// Whether it adds to a stock with finite bounds, and whatever the stock is within them comes to a finite number.
    fn is_step(&self) -> bool {
        let ends = [self.min, self.max].map(|end| end + self.summand);
        self.factor == 1.0 && ends.into_iter().all(f64::is_finite)
    }

    /// What becomes of a stock that is `old`, before bounds, if it [is a step](Self::is_step).
    #[inline(always)]
    pub fn step_of(&self, old: f64) -> f64 {
        old + self.summand
    }

    /// What becomes of a stock that is `old`, before bounds.
    #[inline(always)]
    pub fn of(&self, old: f64) -> f64 {
        old * self.factor + self.summand
    }

    /// A value within bounds.
    #[inline(always)]
    pub fn within(&self, value: f64) -> f64 {
        let value = if value < self.min { self.min } else { value };
        if value > self.max { self.max } else { value }
    }

    /// What it adds to a stock, or what it makes of it; `None` where it depends on the stock how far it moves.
    pub fn step_or_target(&self) -> Option<f64> {
        [0.0, 1.0].contains(&self.factor).then_some(self.summand)
    }
}

impl Table {
    /// The member who is nobody.
    pub fn nobody(&self) -> usize {
        self.members - 1
    }

    /// The tables of all kinds; `None` if there is a change that cannot be made so.
    pub fn all(model: &Model, world: &World) -> Option<Vec<Self>> {
        let plan = model.fast.abreast.as_ref()?;
        let counts = Counts::all(model)?;
        let table = |kind: &Kind| Self::new(model, world, kind, &counts);
        plan.kinds.iter().map(table).collect()
    }

    fn new(model: &Model, world: &World, kind: &Kind, counts: &[Vec<Counts>]) -> Option<Self> {
        let slots = model.slots.len();
        let given = kind.patterns.iter().map(|pattern| {
            let given = |pattern: &Pattern| pattern.given(&world.constants, slots);
            let mut columns = pattern.as_ref().map_or_else(Vec::new, given);
            for given in columns.iter_mut().flatten() {
                given.places = [place_of_stock(given.slot), place_of_sum(given.sum)];
            }
            for column in &mut columns {
                if let Some(&any) = column.first() {
                    column.push(any);
                    fill_up(column, any);
                }
            }
            columns
        });
        let turns = || {
            let turn = |&process: &u32| model.fast.turns[process as usize].as_ref();
            kind.processes.iter().filter_map(turn)
        };
        let courses = turns().flat_map(|turn| turn.courses.iter().flatten());
        let width = courses
            .map(|changes| changes.len())
            .max()
            .unwrap_or(0)
            .max(1);
        let members = kind.processes.len() + 1;
        let rows = members * kind.outcomes.len();
        let mut table = Self {
            given: given.collect(),
            members,
            idle: vec![false; rows],
            has_idle: false,
            changes: vec![vec![Change::none(model); rows]; width],
            counts: Vec::new(),
            is_plain: true,
            steps_in: None,
            is_timed: kind.patterns.iter().flatten().any(Pattern::is_timed),
        };
        for (process, turn) in turns().enumerate() {
            let rows = (process..).step_by(members);
            for (row, outcome) in rows.zip(&kind.outcomes) {
                let course = outcome.and_then(|course| turn.courses[course as usize].as_deref());
                table.idle[row] = course.is_none();
                table.has_idle |=
                    course.is_none() && (outcome.is_some() || kind.may_come_to_none());
                for (number, change) in course.unwrap_or_default().iter().enumerate() {
                    let by = world.constants[change.by as usize];
                    let mut new = Change::new(model, world, change.slot, change.operation, by)?;
                    let slot = change.slot as usize;
                    let moves = world.slots[slot].decay != 0.0;
                    table.is_timed |= moves;
                    table.is_plain &= !moves && counts[slot].len() <= 1;
                    let first = table.counts.len() as u32;
                    table.counts.extend(&counts[slot]);
                    new.counts = first..table.counts.len() as u32;
                    new.sum = counts[slot].first().map_or(new.sum, |counts| counts.sum);
                    table.changes[number][row] = new;
                }
            }
        }
        let mut real = (table.changes.iter().flatten()).filter(|change| change.is_real(model));
        table.steps_in = real.clone().next().map(|change| change.sum);
        if !real.all(|change| change.is_step() && Some(change.sum) == table.steps_in) {
            table.steps_in = None;
        }
        for changes in &mut table.changes {
            fill_up(changes, Change::none(model));
        }
        Some(table)
    }
}

/// A sum in which a stock counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counts {
    /// Its place, if it is kept as one number.
    pub sum: u32,
    pub way: Way,
}

impl Counts {
    /// For each slot, the sums in which it counts; `None` if some way cannot be told.
    fn all(model: &Model) -> Option<Vec<Vec<Self>>> {
        let mut all = vec![Vec::new(); model.slots.len()];
        for (kept, sum) in model.fast.sums.iter().zip(0..) {
            for (slot, summand) in kept.summands() {
                let way = summand.way()?;
                let sum = place_of_sum(sum);
                all[slot as usize].push(Self { sum, way });
            }
        }
        Some(all)
    }
}
