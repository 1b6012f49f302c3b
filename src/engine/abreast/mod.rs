//! Several runs at once, through turns whose times nothing can move.
//!
//! Where nothing happens but turns ([`Turn`](crate::model::Turn)) and no hazard ever changes, the times of all turns and the
//! draws that decide them are known before any of them is taken. They are drawn process by process and put in order
//! ([`foresee`]), then taken in several runs side by side ([`side`]): the first turn of each run, the second of each, and so on.
//! What to do next is thus found out once for all of them, and no run waits for itself.
//!
//! Every run comes to the same state, to the bit, as by [`Simulator::finish`]. One that cannot be made so, because a formula has
//! a value that cannot be used or the cap on events is near, is made by that instead, which knows what to say of it.

mod cells;
mod foresee;
mod side;
mod table;
#[cfg(test)]
mod tests;

use super::{RunError, RunState, Simulator, Unobserved};
use crate::formula::{LANES, LaneStack, Lanes};
use crate::model::{Model, World, WorldMark};
use cells::Cells;
use foresee::{Coming, Drawing};
use std::ops::Range;
use table::Table;

/// Fewer runs than this are quicker made one after the other.
const FEWEST: usize = 4;

/// So many turns of each process must be expected, or making the tables takes longer than they spare.
const FEWEST_TURNS: f64 = 64.0;

/// Turns of a run towards which stretches of time are made.
const STRETCH: f64 = 1024.0;

/// Working memory, and what holds in one world.
#[derive(Clone, Debug, Default)]
pub(super) struct Abreast {
    /// The world for which tables were made; `None` before the first.
    mark: Option<WorldMark>,
    /// Of each kind of turn; none where there is a change that cannot be made so.
    tables: Vec<Table>,
    lanes: [Lane; LANES],
    cells: Cells,
    /// When each process acts next, run by run.
    wakes: Vec<f64>,
    /// Whether it matters when turns are taken.
    is_timed: bool,
    coming: Coming,
    drawing: Drawing,
    stack: LaneStack,
    /// Where it stands in its table what comes of each turn that is being taken.
    rows: [usize; LANES],
    /// What courses so far take up of the probability.
    below: Lanes,
    /// Rows where what is left is drawn.
    rest: [usize; LANES],
    scores: Vec<Lanes>,
    weights: Vec<f64>,
}

/// A run under way.
#[derive(Clone, Copy, Debug, Default)]
struct Lane {
    /// Its turns in this stretch of time, among those of all lanes.
    first: usize,
    count: usize,
    /// Turns drawn so far, and the time of the last.
    turns: u64,
    time: f64,
    /// Turns without an event.
    idle: u64,
    /// Whether it cannot be made so.
    failed: bool,
}

impl Simulator<'_> {
    /// Makes runs `runs` in `world`, each from its start to its end, and shows each to `show`, in order. They are made in `room`,
    /// which may be empty and grows as needed.
    ///
    /// # Errors
    /// The first run that cannot be made, as [`Simulator::start`] and [`Simulator::finish`] say. Those before it have been shown.
    pub fn make(
        &mut self,
        world: &World,
        runs: Range<u64>,
        room: &mut Vec<RunState>,
        mut show: impl FnMut(&RunState),
    ) -> Result<(), RunError> {
        let stretch = self.stretch(world, runs.end.saturating_sub(runs.start));
        let width = if stretch.is_some() { LANES } else { 1 };
        let mut next = runs.start;
        while next < runs.end {
            let mut started = 0;
            let mut failure = None;
            for run in (next..runs.end).take(width) {
                if room.len() == started {
                    room.push(self.allocate());
                }
                match self.start(world, run, &mut room[started]) {
                    Ok(()) => started += 1,
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            let states = &mut room[..started];
            if let Some(stretch) = stretch
                && started >= FEWEST
            {
                self.take_turns_abreast(world, states, stretch)?;
            }
            for state in states {
                self.finish(world, state, &mut Unobserved)?;
                show(state);
            }
            if let Some(error) = failure {
                return Err(error);
            }
            next += started as u64;
        }
        Ok(())
    }

    /// Length of a stretch of time in days, once all is ready to make so many runs abreast; `None` where they are not to be made so.
    fn stretch(&mut self, world: &World, runs: u64) -> Option<f64> {
        self.model.fast.abreast.as_ref()?;
        // Not a number where some hazard is not the same through the whole of a run.
        let rate: f64 = world.mean_waits.iter().map(|wait| 1.0 / wait).sum();
        let turns = rate * self.model.horizon;
        let few = FEWEST_TURNS * world.mean_waits.len() as f64;
        // Nor where the cap on events is near.
        let is_apt = turns * runs as f64 >= few && turns < self.model.max_events as f64;
        (is_apt && self.abreast.prepare(self.model, world)).then_some(STRETCH / rate)
    }

    /// Takes all turns of runs that stand at their start, as far as it can.
    fn take_turns_abreast(
        &mut self,
        world: &World,
        states: &mut [RunState],
        stretch: f64,
    ) -> Result<(), RunError> {
        let Some(plan) = &self.model.fast.abreast else {
            return Ok(());
        };
        if states.iter().any(|state| state.ending.is_some()) {
            return Ok(());
        }
        self.abreast.enter(self.model, states);
        let mut from = 0.0;
        while from < self.model.horizon {
            let until = f64::min(from + stretch, self.model.horizon);
            self.foresee(
                world,
                states,
                from..until,
                STRETCH * (until - from) / stretch,
            );
            self.abreast.take(world, plan);
            from = until;
        }
        self.abreast.leave(self.model, states);
        for (lane, state) in states.iter_mut().enumerate() {
            if self.abreast.lanes[lane].failed {
                let run = state.run;
                self.start(world, run, state)?;
            }
        }
        Ok(())
    }
}

impl Abreast {
    /// Makes the tables of `world`, if that is not done; whether they can be made.
    fn prepare(&mut self, model: &Model, world: &World) -> bool {
        if self.mark.as_ref() != Some(&world.mark) {
            self.mark = Some(world.mark.clone());
            self.tables = Table::all(model, world).unwrap_or_default();
            let changes = self
                .tables
                .iter()
                .flat_map(|table| table.changes.iter().flatten());
            self.cells = Cells::new(model, world, changes);
            self.is_timed = self.tables.iter().any(|table| table.is_timed);
        }
        !self.tables.is_empty()
    }

    /// Takes over the runs, which stand at their start.
    fn enter(&mut self, model: &Model, states: &[RunState]) {
        self.wakes.clear();
        self.lanes = [Lane::default(); LANES];
        for lane in 0..LANES {
            // What is evaluated for lanes without a run should be possible, too.
            if let Some(state) = states.get(lane).or(states.last()) {
                self.cells.enter(model, lane, state);
            }
        }
        for state in states {
            let processes = 0..state.clocks.len();
            self.wakes
                .extend(processes.map(|process| state.wakes.time(process)));
        }
    }

    /// Gives the runs back.
    fn leave(&self, model: &Model, states: &mut [RunState]) {
        for (number, (lane, state)) in self.lanes.iter().zip(states).enumerate() {
            self.cells.leave(model, number, state);
            let processes = state.clocks.len();
            let wakes = &self.wakes[number * processes..][..processes];
            for (process, &time) in wakes.iter().enumerate() {
                state.wakes.put(process, time);
            }
            state.wakes.settle();
            if lane.turns > 0 {
                state.time = lane.time;
            }
            state.events += lane.turns - lane.idle;
            state.steps += lane.turns;
        }
    }
}
