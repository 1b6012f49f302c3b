//! Turns in which nothing is drawn but the wait and the course, and nothing moves but stocks.

use super::{Fault, Observer, Running, STEPS_PER_EVENT, Scene};
use crate::model::{ChoiceBy, Turn};

impl<O: Observer> Running<'_, O> {
    /// Takes such turns for as long as they come before all else. [`Running::step`] would take each of them as well, to the same
    /// bits, but has more to look at.
    pub(super) fn take_turns(&mut self) -> Result<(), Fault> {
        let model = self.model;
        if !O::IDLE || model.fast.turns.is_empty() {
            return Ok(());
        }
        let until = self.undisturbed_until();
        let most_steps = model.max_events.saturating_mul(STEPS_PER_EVENT);
        loop {
            let (process, wake) = self.state.wakes.first();
            let within = wake < until
                && self.state.events < model.max_events
                && self.state.steps < most_steps;
            let turn = match &model.fast.turns[process] {
                Some(turn) if within && self.is_steady(process) => turn,
                _ => return Ok(()),
            };
            self.state.steps += 1;
            self.go_to(wake);
            self.wind_steady_clock(process);
            self.take(process, turn)?;
            if !self.scratch.dirty.is_empty() {
                self.reset_dirty_clocks()?;
            }
            if self.scratch.absorbing {
                self.scratch.absorbing = false;
                self.check_absorbing()?;
                if self.state.ending.is_some() {
                    return Ok(());
                }
            }
        }
    }

    /// The earliest time at which something comes that is no turn.
    fn undisturbed_until(&self) -> f64 {
        let due = self.state.agenda.front().map(|pending| pending.time);
        let midnight = (self.model.absorbing_moves).then_some(self.state.next_midnight);
        let record = (self.model.timeline.as_ref()).and_then(|timeline| {
            let point = self.state.timeline_points;
            (point < timeline.points).then_some(timeline.day(point))
        });
        let others = [due, midnight, record].into_iter().flatten();
        others.fold(self.model.horizon, f64::min)
    }

    #[inline]
    fn take(&mut self, process: usize, turn: &Turn) -> Result<(), Fault> {
        let choice = &self.model.processes[process].choice;
        let chosen = match choice.by {
            ChoiceBy::Only => Some((0, 1.0)),
            ChoiceBy::Score => self.choose_by_score(choice, &Scene::NONE)?,
            ChoiceBy::Probability => self.choose_by_probability(choice, &Scene::NONE)?,
        };
        let Some(changes) = chosen.and_then(|(course, _)| turn.courses[course].as_deref()) else {
            return Ok(());
        };
        self.state.events += 1;
        for change in changes {
            let by = self.world.constants[change.by as usize];
            self.change_stock(change.slot, change.operation, by, change.site)?;
        }
        Ok(())
    }
}
