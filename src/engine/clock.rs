//! Waiting times of processes: thinning under a rigorous bound.

use super::state::Clock;
use super::view::{Ahead, View};
use super::{Fault, Observer, Origin, Problem, Running, Scene};
use crate::formula::Interval;

/// A bound over all that is left of the run is good enough if it is at most this many times the hazard of now.
const GOOD_BOUND: f64 = 1.5;

/// A bound that is no good one is looked for nearer by while more candidates than this are expected under it.
const MOST_CANDIDATES: f64 = 1000.0;

/// How often the look-ahead is halved in search of a bound.
const HALVINGS: u32 = 60;

impl<O: Observer> Running<'_, O> {
    /// Bounds every hazard that may change, at the start of a run.
    pub(super) fn bound_clocks(&mut self) -> Result<(), Fault> {
        for process in 0..self.model.processes.len() {
            if !self.is_steady(process) {
                let clock = self.bounded(process, self.state.clocks[process])?;
                self.state.clocks[process] = clock;
                self.state.wakes.set(process, clock.until);
            }
        }
        Ok(())
    }

    /// Draws the wait of a clock that has been bounded at the start of a run. One among `many` is to be settled with the others.
    pub(super) fn start_clock(&mut self, process: usize, many: bool) {
        if !self.is_steady(process) {
            self.aim_clock(process, self.state.clocks[process]);
        } else if many {
            let time = self.steady_wake(process);
            self.state.wakes.put(process, time);
        } else {
            self.wind_steady_clock(process);
        }
    }

    /// Bounds anew the clocks whose hazards may have changed. The wait that is left is kept.
    pub(super) fn reset_dirty_clocks(&mut self) -> Result<(), Fault> {
        while let Some(process) = self.scratch.dirty.pop() {
            let process = process as usize;
            self.scratch.is_dirty[process] = false;
            self.reset_clock(process)?;
        }
        Ok(())
    }

    /// Bounds a hazard anew and sets when its clock wakes. The wait that is left is kept.
    fn reset_clock(&mut self, process: usize) -> Result<(), Fault> {
        let mut clock = self.state.clocks[process];
        clock.spend(self.state.time);
        let clock = self.bounded(process, clock)?;
        self.aim_clock(process, clock);
        Ok(())
    }

    /// A clock wakes: for a candidate, or only to look further ahead.
    pub(super) fn wake(&mut self, process: usize) -> Result<(), Fault> {
        let happens = if self.is_steady(process) {
            self.wind_steady_clock(process);
            true
        } else {
            let clock = &mut self.state.clocks[process];
            if !clock.candidate {
                return self.reset_clock(process);
            }
            clock.remaining = f64::NAN;
            let clock = *clock;
            self.mark_dirty(process as u32);
            self.is_taken(process, &clock)?
        };
        if happens {
            // The formulas of a process know its actor.
            self.choose(Origin::Process(process as u32), &Scene::NONE)?;
        }
        Ok(())
    }

    /// Thinning: whether a candidate of a clock is an event of the hazard.
    #[inline]
    fn is_taken(&mut self, process: usize, clock: &Clock) -> Result<bool, Fault> {
        let bound = clock.bound;
        if clock.exact {
            self.scratch.hazards[process] = bound;
            return Ok(true);
        }
        let definition = &self.model.processes[process];
        let drawn = self.stream(definition.wait_stream).uniform() * bound;
        // Where the hazard cannot be as low as what was drawn, it need not be known.
        if drawn < clock.least && !O::PLAIN {
            return Ok(true);
        }
        let hazard = self.hazard(process, &self.view(&Scene::NONE))?;
        if !(clock.least..=bound).contains(&hazard) {
            let site = definition.hazard.site;
            let bound = if hazard > bound { bound } else { clock.least };
            return Err(self.error(site, Problem::BoundBroken { hazard, bound }));
        }
        self.scratch.hazards[process] = hazard;
        Ok(drawn < hazard)
    }

    /// Whether the hazard is the same through the whole of every run in this world.
    #[inline]
    pub(super) fn is_steady(&self, process: usize) -> bool {
        !self.world.mean_waits[process].is_nan()
    }

    /// A fresh wait at a steady hazard.
    #[inline(always)]
    pub(super) fn wind_steady_clock(&mut self, process: usize) {
        let time = self.steady_wake(process);
        self.state.wakes.set(process, time);
    }

    /// When a clock at a steady hazard wakes next.
    #[inline(always)]
    fn steady_wake(&mut self, process: usize) -> f64 {
        let stream = self.model.processes[process].wait_stream;
        let wait = self.stream(stream).exponential() * self.world.mean_waits[process];
        self.state.time + wait
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

    /// Sets the time at which a clock that has just been bounded wakes, with a fresh wait if it has none.
    #[inline(always)]
    fn aim_clock(&mut self, process: usize, mut clock: Clock) {
        let mut candidate = f64::INFINITY;
        if clock.bound > 0.0 {
            if clock.remaining.is_nan() {
                let stream = self.model.processes[process].wait_stream;
                clock.remaining = self.stream(stream).exponential();
            }
            candidate = self.state.time + clock.remaining / clock.bound;
        }
        clock.candidate = candidate <= clock.until;
        self.state.clocks[process] = clock;
        let wake = if clock.candidate {
            candidate
        } else {
            clock.until
        };
        self.state.wakes.adjust(process, wake);
    }

    /// The hazard of a process, now.
    #[inline]
    fn hazard(&self, process: usize, view: &View<'_>) -> Result<f64, Fault> {
        let formula = &self.model.processes[process].hazard;
        let hazard = self.value_seen(formula, view)?;
        if hazard < 0.0 {
            return Err(self.error(formula.site, Problem::NegativeHazard(hazard)));
        }
        Ok(hazard)
    }

    /// The clock with its hazard bounded from now on.
    #[inline(always)]
    fn bounded(&mut self, process: usize, clock: Clock) -> Result<Clock, Fault> {
        let mut kept = std::mem::replace(&mut self.scratch.hazards[process], f64::NAN);
        if O::PLAIN {
            kept = f64::NAN;
        }
        // Bounds say nothing of roles, and the formulas of a process know its actor.
        let view = &self.view(&Scene::NONE);
        let hazard = || match kept {
            unknown if unknown.is_nan() => self.hazard(process, view),
            known => Ok(known),
        };
        let exact = !self.moves(process);
        let Outlook {
            least,
            bound,
            until,
        } = if exact {
            Outlook::steady(hazard()?)
        } else {
            self.bound_ahead(process, view, hazard)?
        };
        Ok(Clock {
            since: self.state.time,
            least,
            bound,
            until,
            exact,
            ..clock
        })
    }

    /// Whether the hazard changes between events.
    #[inline(always)]
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

    /// Bounds of the hazard, which now is what `hazard` gives.
    #[inline(always)]
    fn bound_ahead(
        &self,
        process: usize,
        view: &View<'_>,
        hazard: impl Fn() -> Result<f64, Fault>,
    ) -> Result<Outlook, Fault> {
        let definition = &self.model.processes[process];
        let now = self.state.time;
        let horizon = self.model.horizon;
        // Nothing is drawn beyond the horizon, so a clock that sleeps past it need not wake there.
        if now >= horizon {
            return Ok(Outlook::steady(hazard()?));
        }
        let program = &self.model.fast.hazards[process];
        let bound_until = |until: f64| {
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
            return Ok(Outlook::between(to_the_end, f64::INFINITY));
        }
        let hazard = hazard()?;
        if to_the_end.high <= GOOD_BOUND * hazard && is_known(to_the_end) && may_sleep(to_the_end) {
            return Ok(Outlook::between(to_the_end, f64::INFINITY));
        }
        let is_loose = |bound: Interval, until: f64| {
            bound.high > GOOD_BOUND * hazard && bound.high * (until - now) > MOST_CANDIDATES
        };
        let mut ahead = self.world.look_ahead[process];
        let mut found = None;
        for _ in 0..HALVINGS {
            let until = (now + ahead).min(horizon);
            if until <= now {
                // Time could not go on.
                break;
            }
            let (bound, lasts) = if until == horizon && may_sleep(to_the_end) {
                (to_the_end, f64::INFINITY)
            } else {
                (bound_until(until), until)
            };
            if is_known(bound) {
                found = Some(Outlook::between(bound, lasts));
                if !is_loose(bound, until) {
                    break;
                }
            }
            ahead /= 2.0;
        }
        // Without any, the hazard has a pole here.
        found.ok_or_else(|| self.error(definition.hazard.site, Problem::Unbounded))
    }
}

/// Between what a hazard lies, and until when.
struct Outlook {
    /// Not negative.
    least: f64,
    bound: f64,
    until: f64,
}

impl Outlook {
    /// A hazard that stays as it is.
    fn steady(hazard: f64) -> Self {
        Self {
            least: hazard,
            bound: hazard,
            until: f64::INFINITY,
        }
    }

    fn between(bounds: Interval, until: f64) -> Self {
        Self {
            // A hazard that turns out negative is an error.
            least: if bounds.low > 0.0 { bounds.low } else { 0.0 },
            bound: bounds.high,
            until,
        }
    }
}

impl Clock {
    /// Takes off what has been spent of the wait since the last bound.
    fn spend(&mut self, time: f64) {
        if !self.remaining.is_nan() {
            self.remaining = (self.remaining - self.bound * (time - self.since)).max(0.0);
        }
    }
}

/// Whether the hazard has a value throughout, and a finite upper bound.
fn is_known(bound: Interval) -> bool {
    !bound.undefined && bound.high.is_finite()
}
