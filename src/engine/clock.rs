//! Waiting times of processes: thinning under a rigorous bound.

use super::state::Clock;
use super::view::{Ahead, View};
use super::{Fault, Observer, Origin, Problem, Running, Scene};
use crate::formula::{Interval, Role};

/// A bound over all that is left of the run is good enough if it is at most this many times the hazard of now.
const GOOD_BOUND: f64 = 1.5;

/// How often the look-ahead is halved in search of a finite bound.
const HALVINGS: u32 = 60;

impl<O: Observer> Running<'_, O> {
    /// Bounds every hazard that may change, at the start of a run.
    pub(super) fn bound_clocks(&mut self) -> Result<(), Fault> {
        for process in 0..self.model.processes.len() {
            if !self.is_steady(process) {
                self.bound_clock(process)?;
                self.state
                    .wakes
                    .set(process, self.state.clocks[process].until);
            }
        }
        Ok(())
    }

    /// Draws the wait of a clock that has been bounded at the start of a run.
    pub(super) fn start_clock(&mut self, process: usize) {
        if self.is_steady(process) {
            self.wind_steady_clock(process);
        } else {
            self.aim_clock(process);
        }
    }

    /// Bounds anew the clocks whose hazards may have changed. The wait that is left is kept.
    pub(super) fn reset_dirty_clocks(&mut self) -> Result<(), Fault> {
        while let Some(process) = self.scratch.dirty.pop() {
            let process = process as usize;
            self.scratch.is_dirty[process] = false;
            self.spend(process);
            self.bound_clock(process)?;
            self.aim_clock(process);
        }
        Ok(())
    }

    /// A clock wakes: for a candidate, or only to look further ahead.
    pub(super) fn wake(&mut self, process: usize) -> Result<(), Fault> {
        let happens = if self.is_steady(process) {
            self.wind_steady_clock(process);
            true
        } else {
            let clock = self.state.clocks[process];
            if !clock.candidate {
                self.spend(process);
                self.bound_clock(process)?;
                self.aim_clock(process);
                return Ok(());
            }
            self.state.clocks[process].remaining = f64::NAN;
            self.mark_dirty(process as u32);
            let hazard = if clock.exact {
                clock.bound
            } else {
                self.hazard(process)?
            };
            self.scratch.hazards[process] = hazard;
            clock.exact || self.is_taken(process, hazard, clock.bound)?
        };
        if happens {
            let actor = self.model.processes[process].actor as i32;
            let scene = Scene::NONE.with(Role::SelfActor, actor);
            self.choose(Origin::Process(process as u32), &scene)?;
        }
        Ok(())
    }

    /// Thinning: whether a candidate of a clock that runs at rate `bound` is an event of the hazard.
    fn is_taken(&mut self, process: usize, hazard: f64, bound: f64) -> Result<bool, Fault> {
        let definition = &self.model.processes[process];
        if hazard > bound {
            let site = definition.hazard.site;
            return Err(self.error(site, Problem::BoundBroken { hazard, bound }));
        }
        Ok(self.stream(definition.wait_stream).uniform() * bound < hazard)
    }

    /// Whether the hazard is the same through the whole of every run in this world.
    #[inline]
    pub(super) fn is_steady(&self, process: usize) -> bool {
        !self.world.mean_waits[process].is_nan()
    }

    /// A fresh wait at a steady hazard.
    #[inline(always)]
    pub(super) fn wind_steady_clock(&mut self, process: usize) {
        let stream = self.model.processes[process].wait_stream;
        let wait = self.stream(stream).exponential() * self.world.mean_waits[process];
        self.state.wakes.set(process, self.state.time + wait);
    }

    /// Notes that the hazard of a process may have changed.
    #[inline]
    pub(super) fn mark_dirty(&mut self, process: u32) {
        self.scratch.hazards[process as usize] = f64::NAN;
        let is_dirty = &mut self.scratch.is_dirty[process as usize];
        if !*is_dirty {
            *is_dirty = true;
            self.scratch.dirty.push(process);
        }
    }

    /// Takes off what has been spent of the wait since the last bound.
    fn spend(&mut self, process: usize) {
        let time = self.state.time;
        let clock = &mut self.state.clocks[process];
        if !clock.remaining.is_nan() {
            clock.remaining = (clock.remaining - clock.bound * (time - clock.since)).max(0.0);
        }
    }

    /// Sets the time at which a clock that has just been bounded wakes, with a fresh wait if it has none.
    fn aim_clock(&mut self, process: usize) {
        let Clock { bound, until, .. } = self.state.clocks[process];
        let mut candidate = f64::INFINITY;
        if bound > 0.0 {
            if self.state.clocks[process].remaining.is_nan() {
                let stream = self.model.processes[process].wait_stream;
                self.state.clocks[process].remaining = self.stream(stream).exponential();
            }
            candidate = self.state.time + self.state.clocks[process].remaining / bound;
        }
        self.state.clocks[process].candidate = candidate <= until;
        self.state.wakes.set(process, candidate.min(until));
    }

    /// The hazard of a process, now.
    fn hazard(&self, process: usize) -> Result<f64, Fault> {
        let process = &self.model.processes[process];
        let scene = Scene::NONE.with(Role::SelfActor, process.actor as i32);
        let hazard = self.value(&process.hazard, &scene)?;
        if hazard < 0.0 {
            return Err(self.error(process.hazard.site, Problem::NegativeHazard(hazard)));
        }
        Ok(hazard)
    }

    /// Bounds the hazard from now on.
    fn bound_clock(&mut self, process: usize) -> Result<(), Fault> {
        let mut kept = std::mem::replace(&mut self.scratch.hazards[process], f64::NAN);
        if O::PLAIN {
            kept = f64::NAN;
        }
        let exact = !self.moves(process);
        let (bound, until) = if exact {
            (self.hazard_unless(kept, process)?, f64::INFINITY)
        } else {
            self.bound_ahead(process, kept)?
        };
        let since = self.state.time;
        let clock = &mut self.state.clocks[process];
        *clock = Clock {
            since,
            bound,
            until,
            exact,
            ..*clock
        };
        Ok(())
    }

    /// The hazard of a process, now, which is `known` unless that is not a number.
    fn hazard_unless(&self, known: f64, process: usize) -> Result<f64, Fault> {
        if known.is_nan() {
            self.hazard(process)
        } else {
            Ok(known)
        }
    }

    /// Whether the hazard changes between events.
    fn moves(&self, process: usize) -> bool {
        let definition = &self.model.processes[process];
        self.world.look_ahead[process] < f64::INFINITY
            && (definition.uses_time
                || self.model.fast.moving_reads[process].iter().any(|&slot| {
                    let constants = &self.world.slots[slot as usize];
                    constants.decay > 0.0
                        && self.state.levels[slot as usize].value != constants.baseline
                }))
    }

    /// An upper bound of the hazard, and until when it holds. `kept` is the hazard if it is known, else not a number.
    fn bound_ahead(&self, process: usize, kept: f64) -> Result<(f64, f64), Fault> {
        let definition = &self.model.processes[process];
        let now = self.state.time;
        let horizon = self.model.horizon;
        // Nothing is drawn beyond the horizon, so a clock that sleeps past it need not wake there.
        if now >= horizon {
            return Ok((self.hazard_unless(kept, process)?, f64::INFINITY));
        }
        let program = &self.model.fast.hazards[process];
        let bound_until = |until: f64| {
            // Bounds say nothing of roles, so it does not matter who looks.
            let view: View<'_> = self.view(&Scene::NONE);
            let ahead = Ahead { view, until };
            if O::PLAIN {
                program.bound(&ahead)
            } else {
                definition.hazard.code.bound(program, &ahead)
            }
        };
        // A clock with nothing to wait for still looks at a hazard that may turn negative, so that this does not go unnoticed.
        let may_sleep = |bound: Interval| bound.high > 0.0 || bound.low >= 0.0;
        let to_the_end = bound_until(horizon);
        // The hazard lies between the bounds: where these are near each other, it need not be known.
        let is_near = to_the_end.low >= 0.0 && to_the_end.high <= GOOD_BOUND * to_the_end.low;
        if is_near && is_known(to_the_end) && !O::PLAIN {
            return Ok((to_the_end.high, f64::INFINITY));
        }
        let hazard = self.hazard_unless(kept, process)?;
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
