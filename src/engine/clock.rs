//! Waiting times of processes: thinning under a rigorous bound.

use super::view::{Ahead, View};
use super::{Observer, Origin, Problem, RunError, Running, Scene};
use crate::formula::{Interval, Role};

/// A bound over all that is left of the run is good enough if it is at most this many times the hazard of now.
const GOOD_BOUND: f64 = 1.5;

/// How often the look-ahead is halved in search of a finite bound.
const HALVINGS: u32 = 60;

/// The clock that wakes first, and when. The first of several at the same time.
#[inline]
pub(super) fn earliest(wakes: &[f64]) -> (usize, f64) {
    let mut first = (0, f64::INFINITY);
    for (index, &wake) in wakes.iter().enumerate() {
        if wake < first.1 {
            first = (index, wake);
        }
    }
    first
}

impl<O: Observer> Running<'_, O> {
    /// Sets a clock for the first time in a run.
    pub(super) fn set_clock(&mut self, process: usize) -> Result<(), RunError> {
        self.wind_clock(process);
        self.bound_clock(process)
    }

    /// Bounds anew the clocks whose hazards may have changed. The wait that is left is kept.
    pub(super) fn reset_dirty_clocks(&mut self) -> Result<(), RunError> {
        while let Some(process) = self.scratch.dirty.pop() {
            let process = process as usize;
            self.scratch.is_dirty[process] = false;
            self.spend(process);
            self.bound_clock(process)?;
        }
        Ok(())
    }

    /// A clock wakes: for a candidate, or only to look further ahead.
    pub(super) fn wake(&mut self, process: usize) -> Result<(), RunError> {
        let clock = self.state.clocks[process];
        if !clock.candidate {
            self.spend(process);
            return self.bound_clock(process);
        }
        let happens = clock.exact || {
            let hazard = self.hazard(process)?;
            if hazard > clock.bound {
                let bound = clock.bound;
                let site = self.model.processes[process].hazard.site;
                return Err(self.error(site, Problem::BoundBroken { hazard, bound }));
            }
            let stream = self.model.processes[process].wait_stream;
            self.stream(stream).uniform() * clock.bound < hazard
        };
        self.wind_clock(process);
        self.mark_dirty(process as u32);
        if happens {
            let actor = self.model.processes[process].actor as i32;
            let scene = Scene::NONE.with(Role::SelfActor, actor);
            self.choose(Origin::Process(process as u32), &scene)?;
        }
        Ok(())
    }

    /// Notes that the hazard of a process may have changed.
    #[inline]
    pub(super) fn mark_dirty(&mut self, process: u32) {
        let is_dirty = &mut self.scratch.is_dirty[process as usize];
        if !*is_dirty {
            *is_dirty = true;
            self.scratch.dirty.push(process);
        }
    }

    /// A fresh wait, from now.
    #[inline]
    fn wind_clock(&mut self, process: usize) {
        let stream = self.model.processes[process].wait_stream;
        let remaining = self.stream(stream).exponential();
        let time = self.state.time;
        let clock = &mut self.state.clocks[process];
        clock.remaining = remaining;
        clock.since = time;
        clock.bound = 0.0;
    }

    /// Takes off what has been spent of the wait since the last bound.
    fn spend(&mut self, process: usize) {
        let time = self.state.time;
        let clock = &mut self.state.clocks[process];
        clock.remaining = (clock.remaining - clock.bound * (time - clock.since)).max(0.0);
        clock.since = time;
    }

    fn hazard(&self, process: usize) -> Result<f64, RunError> {
        let process = &self.model.processes[process];
        let scene = Scene::NONE.with(Role::SelfActor, process.actor as i32);
        let hazard = self.value(&process.hazard, &scene)?;
        if hazard < 0.0 {
            return Err(self.error(process.hazard.site, Problem::NegativeHazard(hazard)));
        }
        Ok(hazard)
    }

    /// Bounds the hazard from now on, and sets the time at which the clock wakes.
    fn bound_clock(&mut self, process: usize) -> Result<(), RunError> {
        let now = self.state.time;
        let hazard = self.hazard(process)?;
        let (bound, until, exact) = if self.moves(process) {
            let (bound, until) = self.bound_ahead(process, hazard)?;
            (bound, until, false)
        } else {
            (hazard, f64::INFINITY, true)
        };
        let clock = &mut self.state.clocks[process];
        clock.bound = bound;
        clock.exact = exact;
        let candidate = if bound > 0.0 {
            now + clock.remaining / bound
        } else {
            f64::INFINITY
        };
        clock.candidate = candidate <= until;
        self.state.wakes[process] = candidate.min(until);
        Ok(())
    }

    /// Whether the hazard changes between events.
    fn moves(&self, process: usize) -> bool {
        let definition = &self.model.processes[process];
        self.world.look_ahead[process] < f64::INFINITY
            && (definition.uses_time
                || definition.reads.iter().any(|&slot| {
                    let constants = &self.world.slots[slot as usize];
                    constants.decay > 0.0
                        && self.state.levels[slot as usize].value != constants.baseline
                }))
    }

    /// An upper bound of the hazard, and until when it holds.
    fn bound_ahead(&self, process: usize, hazard: f64) -> Result<(f64, f64), RunError> {
        let definition = &self.model.processes[process];
        let scene = Scene::NONE.with(Role::SelfActor, definition.actor as i32);
        let now = self.state.time;
        let bound_until = |until: f64| {
            let view: View<'_> = self.view(&scene);
            definition.hazard.program.bound(&Ahead { view, until })
        };
        // A clock with nothing to wait for still looks at a hazard that may turn negative, so that this does not go unnoticed.
        let may_sleep = |bound: Interval| bound.high > 0.0 || bound.low >= 0.0;
        let horizon = self.model.horizon;
        let to_the_end = bound_until(horizon);
        // Nothing is drawn beyond the horizon, so a clock that sleeps past it need not wake there.
        if now >= horizon {
            return Ok((hazard, f64::INFINITY));
        }
        if to_the_end.high <= GOOD_BOUND * hazard && is_known(to_the_end) && may_sleep(to_the_end) {
            return Ok((to_the_end.high, f64::INFINITY));
        }
        let mut ahead = self.world.look_ahead[process];
        for _ in 0..HALVINGS {
            let until = (now + ahead).min(horizon);
            if until <= now {
                // Time could not go on: the hazard has a pole here.
                break;
            }
            if until == horizon && is_known(to_the_end) && may_sleep(to_the_end) {
                return Ok((to_the_end.high, f64::INFINITY));
            }
            let bound = bound_until(until);
            if is_known(bound) {
                return Ok((bound.high, until));
            }
            ahead /= 2.0;
        }
        Err(self.error(definition.hazard.site, Problem::Unbounded))
    }
}

/// Whether the hazard has a value throughout, and a finite upper bound.
fn is_known(bound: Interval) -> bool {
    !bound.undefined && bound.high.is_finite()
}
