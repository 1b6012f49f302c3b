//! What formulas see of a run.

use super::state::{EventFields, Level, Roles, RunState};
use crate::formula::{Environment, Field, Interval, Ranges, Role};
use crate::model::{Model, NOBODY, SlotConstants, World};

/// A run at this moment, seen from an event and by an actor.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub model: &'a Model,
    pub world: &'a World,
    pub state: &'a RunState,
    pub time: f64,
    pub roles: Roles,
    pub event: EventFields,
}

/// Value at `time` of a stock that stood at `level` and relaxes to its baseline:
/// `x(t) = b + (x0 - b) exp(-lambda (t - t0))`.
#[inline]
pub(super) fn relaxed(level: Level, slot: &SlotConstants, time: f64) -> f64 {
    if slot.decay == 0.0 || level.value == slot.baseline {
        return level.value;
    }
    let kept = crate::math::exp(-slot.decay * (time - level.since));
    slot.baseline + (level.value - slot.baseline) * kept
}

impl View<'_> {
    #[inline]
    pub fn stock_at(&self, slot: u32, time: f64) -> f64 {
        let slot = slot as usize;
        relaxed(self.state.levels[slot], &self.world.slots[slot], time)
    }
}

impl Environment for View<'_> {
    #[inline]
    fn parameter(&self, index: u32) -> f64 {
        self.world.parameters[index as usize]
    }

    #[inline]
    fn stock(&self, slot: u32) -> f64 {
        self.stock_at(slot, self.time)
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
        f64::from(self.roles.get(role))
    }

    #[inline]
    fn field(&self, field: Field) -> f64 {
        match field {
            Field::Killed => self.event.killed,
            Field::Foiled => f64::from(u8::from(self.event.foiled)),
            Field::Goldstein => self.event.goldstein,
        }
    }

    #[inline]
    fn time(&self) -> f64 {
        self.time
    }

    fn stock_slot(&self, stock: u32, actor: f64, column: f64) -> Option<u32> {
        let stock = &self.model.stocks[stock as usize];
        let (actor, column) = (actor as i32, column as i32);
        if actor < 0 || column < 0 {
            return None;
        }
        let slot = stock.slots[actor as usize * stock.columns as usize + column as usize];
        (slot != crate::formula::NO_SLOT).then_some(slot)
    }

    fn elsewhere(&self, stock: u32) -> f64 {
        self.model.stocks[stock as usize].elsewhere
    }

    fn pair_slot(&self, a: f64, b: f64) -> Option<u32> {
        self.model.pair(a as i32, b as i32).map(|pair| pair as u32)
    }

    fn host(&self, place: f64) -> f64 {
        f64::from(self.model.host(place as i32))
    }

    fn patron(&self, actor: f64) -> f64 {
        let patron = |actor: usize| self.model.actors[actor].patron;
        f64::from(usize::try_from(actor as i32).map_or(NOBODY, patron))
    }

    fn is_rival(&self, a: f64, b: f64) -> bool {
        let rivals = |a: usize| self.model.actors[a].rivals.iter();
        usize::try_from(a as i32).is_ok_and(|a| rivals(a).any(|&r| f64::from(r) == b))
    }

    fn is_ally(&self, a: f64, b: f64) -> bool {
        let allies = |a: usize| self.model.actors[a].allies.iter();
        usize::try_from(a as i32).is_ok_and(|a| allies(a).any(|&r| f64::from(r) == b))
    }
}

/// Everything that a stock may be between now and `until`, if no event comes between: the ends of its path, because it moves
/// monotonically to its baseline.
pub(super) struct Ahead<'a> {
    pub view: View<'a>,
    pub until: f64,
}

impl Ranges for Ahead<'_> {
    fn parameter(&self, index: u32) -> f64 {
        self.view.world.parameters[index as usize]
    }

    fn stock(&self, slot: u32) -> Interval {
        let now = self.view.stock_at(slot, self.view.time);
        let then = self.view.stock_at(slot, self.until);
        Interval::hull(now, then)
    }

    fn rung(&self, pair: u32) -> Interval {
        Interval::point(f64::from(self.view.state.rungs[pair as usize]))
    }

    fn time(&self) -> Interval {
        Interval::hull(self.view.time, self.until)
    }
}
