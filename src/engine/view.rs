//! What formulas see of a run.

use std::cell::Cell;

use super::state::{Level, RunState, Scene};
use crate::formula::{Environment, Field, Interval, Ranges, Relation, Role, Total};
use crate::model::{Model, SlotConstants, World, pair_index};

/// A run at this moment, seen from an event and by an actor.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub model: &'a Model,
    pub world: &'a World,
    pub state: &'a RunState,
    pub now: &'a Now,
    pub scene: &'a Scene,
}

/// The time at which a run is seen, and the values of stocks that time moves, as far as they are known for this time.
#[derive(Clone, Debug)]
pub(super) struct Now {
    pub time: f64,
    /// The number of the time among all to which runs have gone, so that no value is taken for one of another time or run;
    /// [`Self::UNKEPT`] where nothing is kept.
    moment: u64,
    moments: u64,
    /// Kept because several formulas read a stock at the same time.
    kept: Vec<Cell<Kept>>,
}

/// The value of a stock at a moment.
#[derive(Clone, Copy, Debug)]
struct Kept {
    moment: u64,
    value: f64,
}

impl Now {
    const UNKEPT: u64 = u64::MAX - 1;

    /// No time yet, of a model with so many slots.
    pub fn new(slots: usize) -> Self {
        let of_a_moment_that_never_comes = Kept {
            moment: u64::MAX,
            value: 0.0,
        };
        Self {
            time: 0.0,
            moment: Self::UNKEPT,
            moments: 0,
            kept: vec![Cell::new(of_a_moment_that_never_comes); slots],
        }
    }

    /// Goes on to a time, at which nothing is known of stocks; where a run is worked out plainly, nothing will be kept.
    #[inline]
    pub fn go_to(&mut self, time: f64, plain: bool) {
        self.time = time;
        self.moments += 1;
        self.moment = if plain { Self::UNKEPT } else { self.moments };
    }

    /// The value of a stock that time moves, if it is known.
    #[inline]
    pub fn kept(&self, slot: usize) -> Option<f64> {
        let kept = self.kept[slot].get();
        if kept.moment == self.moment {
            Some(kept.value)
        } else {
            None
        }
    }

    /// Keeps the value of a stock that time moves.
    #[inline]
    pub fn keep(&self, slot: usize, value: f64) {
        if self.moment != Self::UNKEPT {
            let moment = self.moment;
            self.kept[slot].set(Kept { moment, value });
        }
    }
}

/// Value at `time` of a stock that stood at `level` and relaxes to its baseline:
/// `x(t) = b + (x0 - b) exp(-lambda (t - t0))`.
///
/// It is exact at `t0`, and rounding never carries it out of the stretch between `x0` and `b`, so that a stock stays within its
/// declared bounds and on the right side of a threshold to which it was set.
#[inline]
pub(super) fn relaxed(level: Level, slot: &SlotConstants, time: f64) -> f64 {
    if rests(level, slot, time) {
        level.value
    } else {
        moved(level, slot, time)
    }
}

/// As [`relaxed`], of a stock that does not rest.
#[inline(always)]
fn moved(level: Level, slot: &SlotConstants, time: f64) -> f64 {
    let kept = crate::math::exp(-slot.decay * (time - level.since));
    let (low, high) = ends(level, slot);
    let value = slot.baseline + (level.value - slot.baseline) * kept;
    lesser(greater(value, low), high)
}

/// The smaller of two numbers; the second where the first is none.
#[inline]
pub(super) fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The greater of two numbers; the second where the first is none.
#[inline]
pub(super) fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// Whether a stock stands where it was set.
#[inline]
fn rests(level: Level, slot: &SlotConstants, time: f64) -> bool {
    slot.decay == 0.0 || level.value == slot.baseline || time == level.since
}

/// The lower and the upper end of a stock's path, from its level to its baseline.
#[inline]
fn ends(level: Level, slot: &SlotConstants) -> (f64, f64) {
    if level.value < slot.baseline {
        (level.value, slot.baseline)
    } else {
        (slot.baseline, level.value)
    }
}

impl View<'_> {
    /// The slot of an actor stock of whoever has a role.
    #[inline]
    pub fn stock_of_role(&self, stock: u32, role: Role) -> Option<u32> {
        let actor = u32::try_from(self.scene.roles.get(role)).ok()?;
        self.stock_slot(stock, actor, 0)
    }

    /// The value of a stock, worked out, and kept if time moves it.
    #[inline(never)]
    fn work_out(&self, slot: usize) -> f64 {
        let (level, constants) = (self.state.levels[slot], &self.world.slots[slot]);
        if constants.decay == 0.0 {
            return level.value;
        }
        let value = relaxed(level, constants, self.now.time);
        self.now.keep(slot, value);
        value
    }

    #[inline]
    pub fn stock_at(&self, slot: u32, time: f64) -> f64 {
        let slot = slot as usize;
        relaxed(self.state.levels[slot], &self.world.slots[slot], time)
    }
}

impl Environment for View<'_> {
    #[inline]
    fn parameter(&self, index: u32) -> f64 {
        self.world.constants[index as usize]
    }

    #[inline]
    fn stock(&self, slot: u32) -> f64 {
        match self.now.kept(slot as usize) {
            Some(value) => value,
            None => self.work_out(slot as usize),
        }
    }

    #[inline]
    fn still_stock(&self, slot: u32) -> f64 {
        self.state.levels[slot as usize].value
    }

    #[inline]
    fn total(&self, total: Total) -> f64 {
        total.value(&self.state.totals)
    }

    #[inline]
    fn rung(&self, pair: u32) -> f64 {
        f64::from(self.state.rungs[pair as usize])
    }

    #[inline]
    fn metric(&self, index: u32) -> f64 {
        self.state.values[index as usize]
    }

    #[inline]
    fn role(&self, role: Role) -> f64 {
        f64::from(self.scene.roles.get(role))
    }

    #[inline]
    fn field(&self, field: Field) -> f64 {
        match field {
            Field::Killed => self.scene.event.killed,
            Field::Foiled => f64::from(u8::from(self.scene.event.foiled)),
            Field::Goldstein => self.scene.event.goldstein,
        }
    }

    #[inline]
    fn time(&self) -> f64 {
        self.now.time
    }

    #[inline]
    fn stock_slot(&self, stock: u32, actor: u32, column: u32) -> Option<u32> {
        self.model.stock_slot(stock, actor, column)
    }

    fn elsewhere(&self, stock: u32) -> f64 {
        self.model.stocks[stock as usize].elsewhere
    }

    fn pair_slot(&self, a: u32, b: u32) -> u32 {
        pair_index(a, b, self.model.actors.len())
    }

    fn host(&self, place: u32) -> f64 {
        f64::from(self.model.places[place as usize].host)
    }

    fn patron(&self, actor: u32) -> f64 {
        f64::from(self.model.actors[actor as usize].patron)
    }

    fn related(&self, relation: Relation, a: u32, b: u32) -> bool {
        self.model.related(relation, a, b)
    }
}

/// Relative rounding error that a relaxed value may have, with room to spare.
const MARGIN: f64 = 8.0 * f64::EPSILON;

/// Everything that a stock may be between now and `until`, if no event comes between: the ends of its path, because it moves
/// monotonically to its baseline.
pub(super) struct Ahead<'a> {
    pub view: &'a View<'a>,
    pub until: f64,
}

impl Ahead<'_> {
    /// The least and the greatest value of a stock: a pair, which is handed back in registers.
    #[inline(never)]
    fn ends_of_stock(&self, slot: u32) -> (f64, f64) {
        let (level, constants) = (
            self.view.state.levels[slot as usize],
            &self.view.world.slots[slot as usize],
        );
        if constants.decay == 0.0 || level.value == constants.baseline {
            return (level.value, level.value);
        }
        let now = self.view.stock(slot);
        // Over the rest of a run a stock comes so near to its baseline that this is as good an end of its path.
        let then = if self.until == self.view.model.horizon {
            constants.baseline
        } else {
            self.view.stock_at(slot, self.until)
        };
        // `exp` is not rounded correctly, so a value between may stand out by a few units in the last place, but not beyond
        // the ends of the whole path. Without those a root or logarithm at a bound of the stock would seem to have no value.
        let margin = MARGIN * (now.abs() + then.abs());
        let (low, high) = ends(level, constants);
        (
            greater(lesser(now, then) - margin, low),
            lesser(greater(now, then) + margin, high),
        )
    }
}

impl Ranges for Ahead<'_> {
    fn parameter(&self, index: u32) -> f64 {
        self.view.world.constants[index as usize]
    }

    #[inline(always)]
    fn stock(&self, slot: u32) -> Interval {
        let (low, high) = self.ends_of_stock(slot);
        Interval::new(low, high)
    }

    #[inline]
    fn still_stock(&self, slot: u32) -> f64 {
        self.view.still_stock(slot)
    }

    #[inline]
    fn total(&self, total: Total) -> f64 {
        self.view.total(total)
    }

    fn rung(&self, pair: u32) -> Interval {
        Interval::point(f64::from(self.view.state.rungs[pair as usize]))
    }

    fn time(&self) -> Interval {
        Interval::new(self.view.now.time, self.until)
    }
}
