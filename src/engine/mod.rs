//! The engine: one run, in continuous time, exactly.
//!
//! Every process has a clock of its own. A clock is a unit-rate exponential wait spent at a rate that bounds the hazard from
//! above; when it runs out, the process happens with probability hazard / bound (thinning: Lewis and Shedler 1979; Ogata
//! 1981). When an event changes the bound, the wait that is left is kept and spent at the new rate (Gibson and Bruck 2000), so
//! that no draw is wasted and two variants of a scenario stay comparable run by run. The first clock to ring is the next event:
//! with constant hazards the wait follows their sum and the winner is drawn in proportion.
//!
//! The engine sees no file, terminal or thread. It allocates nothing while a run is under way (the agenda of answers under way
//! grows beyond 1,024 only if a scenario makes it, and room for turns that are drawn ahead grows in the first runs).

mod abreast;
mod choice;
mod clock;
mod error;
mod event;
mod metrics;
mod observe;
mod outcome;
mod prepared;
mod state;
mod turns;
mod view;
mod wakes;

use abreast::Abreast;
use error::Fault;
pub use error::{Problem, RunError};
pub use observe::{Cause, DropReason, Event, Observer, Plainly, Unobserved};
pub use state::{Ending, EventFields, Origin, Roles, RunState, STEPS_PER_EVENT, Scene};

use crate::formula::Code;
use crate::model::{Formula, Model, World};
use crate::random::{Stream, StreamKey, StreamSource};
use prepared::Prepared;
use state::Due;
use view::{Now, View};

/// Runs a model under one seed.
///
/// A simulator holds the keys of the random streams and working memory; all that belongs to a run is in its [`RunState`].
#[derive(Clone, Debug)]
pub struct Simulator<'m> {
    model: &'m Model,
    streams: Streams,
    scratch: Scratch,
    /// The start of the runs of the last world.
    prepared: Option<Prepared>,
    abreast: Abreast,
}

/// The keys of the random streams, each derived when it is first used.
#[derive(Clone, Debug)]
struct Streams {
    seed: u64,
    sources: Vec<Option<StreamSource>>,
}

impl Streams {
    /// Opens stream `index` of run `run` in `place`, at its start.
    #[inline(never)]
    fn open(&mut self, model: &Model, index: usize, run: u64, place: &mut Stream) {
        let source = self.sources[index].get_or_insert_with(|| {
            let parts: Vec<&str> = model.streams[index].iter().map(|part| &**part).collect();
            StreamSource::new(StreamKey::derive(self.seed, &parts))
        });
        *place = source.stream(run);
    }

    /// Stream `index` of the run in `state`, opened at its start if that run has not drawn from it yet.
    #[inline]
    fn of<'s>(&mut self, model: &Model, state: &'s mut RunState, index: u32) -> &'s mut Stream {
        let (start, run) = (state.starts, state.run);
        let open = &mut state.streams[index as usize];
        if open.start != start {
            self.open(model, index as usize, run, &mut open.stream);
            open.start = start;
        }
        &mut open.stream
    }
}

/// Working memory, empty between events.
#[derive(Clone, Debug)]
struct Scratch {
    /// Processes whose hazard may have changed.
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    /// Of processes that have just been looked at: their hazard, unless something that it reads has changed since; not a number
    /// for all others.
    hazards: Vec<f64>,
    /// Each actor's belief about the event under way.
    beliefs: Vec<Option<i32>>,
    /// Weights of options, candidates or suspects.
    weights: Vec<f64>,
    /// Whether a metric, stock or rung that an absorbing endgame reads has changed.
    absorbing: bool,
    /// The time at which the run is seen, and what stocks are at it.
    now: Now,
}

impl Scratch {
    /// Drops what a run that was stopped in the middle of an event left behind.
    fn clear(&mut self) {
        for process in self.dirty.drain(..) {
            self.is_dirty[process as usize] = false;
            self.hazards[process as usize] = f64::NAN;
        }
        self.absorbing = false;
    }
}

impl<'m> Simulator<'m> {
    /// A simulator for `model` under `seed`.
    pub fn new(model: &'m Model, seed: u64) -> Self {
        let scratch = Scratch {
            dirty: Vec::with_capacity(model.processes.len()),
            is_dirty: vec![false; model.processes.len()],
            hazards: vec![f64::NAN; model.processes.len()],
            beliefs: vec![None; model.actors.len()],
            weights: Vec::with_capacity(model.largest_choice()),
            absorbing: false,
            now: Now::new(model.slots.len()),
        };
        Self {
            model,
            streams: Streams {
                seed,
                sources: vec![None; model.streams.len()],
            },
            scratch,
            prepared: None,
            abreast: Abreast::default(),
        }
    }

    /// The model that is run.
    pub fn model(&self) -> &'m Model {
        self.model
    }

    /// Room for a run, to be used with [`Simulator::start`] as often as wanted.
    pub fn allocate(&self) -> RunState {
        RunState::new(self.model)
    }

    /// Puts `state` at the start of run `run` in `world`.
    ///
    /// # Errors
    /// A hazard has no usable value at the start.
    pub fn start(&mut self, world: &World, run: u64, state: &mut RunState) -> Result<(), RunError> {
        let prepared = self.prepare(world, run).map_err(|fault| *fault)?;
        state.restart(&prepared.start, run);
        self.running(world, state, &mut Unobserved)
            .begin(&prepared.waiting);
        self.prepared = Some(prepared);
        Ok(())
    }

    /// Goes on until the run ends.
    ///
    /// # Errors
    /// A formula comes to a value that cannot be used; the state then stays where it was found.
    pub fn finish<O: Observer>(
        &mut self,
        world: &World,
        state: &mut RunState,
        observer: &mut O,
    ) -> Result<(), RunError> {
        let mut running = self.running(world, state, observer);
        while running.state.ending.is_none() {
            running.take_turns().map_err(|fault| *fault)?;
            if running.state.ending.is_some() {
                break;
            }
            running.step().map_err(|fault| *fault)?;
        }
        Ok(())
    }

    /// Goes on to the next event, answer or end.
    ///
    /// # Errors
    /// As for [`Simulator::finish`].
    pub fn step<O: Observer>(
        &mut self,
        world: &World,
        state: &mut RunState,
        observer: &mut O,
    ) -> Result<(), RunError> {
        if state.ending.is_none() {
            let mut running = self.running(world, state, observer);
            running.step().map_err(|fault| *fault)?;
        }
        Ok(())
    }

    fn running<'a, O: Observer>(
        &'a mut self,
        world: &'a World,
        state: &'a mut RunState,
        observer: &'a mut O,
    ) -> Running<'a, O> {
        self.scratch.clear();
        self.scratch.now.go_to(state.time, O::PLAIN);
        Running {
            model: self.model,
            world,
            streams: &mut self.streams,
            scratch: &mut self.scratch,
            state,
            observer,
        }
    }
}

/// A run under way, with all that it needs at hand.
struct Running<'a, O> {
    model: &'a Model,
    world: &'a World,
    streams: &'a mut Streams,
    scratch: &'a mut Scratch,
    state: &'a mut RunState,
    observer: &'a mut O,
}

impl<'a, O: Observer> Running<'a, O> {
    /// Draws what is drawn at the start of a run.
    fn begin(&mut self, waiting: &[u32]) {
        for index in 0..self.model.calendar.len() {
            let entry = &self.model.calendar[index];
            let constants = self.world.calendar[index];
            let stream = self.stream(entry.stream);
            let (happens, when) = (stream.uniform(), stream.uniform());
            let day = constants.first + when * (constants.last - constants.first);
            if happens < constants.probability && day >= 0.0 {
                self.state.schedule(day, Due::Calendar(index as u32));
            }
        }
        let many = 4 * waiting.len() > self.model.processes.len();
        for &process in waiting {
            self.start_clock(process as usize, many);
        }
        if many {
            self.state.wakes.settle();
        }
    }

    /// Goes on to whatever comes first: what is due on the agenda, a clock, or the horizon.
    fn step(&mut self) -> Result<(), Fault> {
        let (clock, wake) = self.state.wakes.first();
        let due = self.state.agenda.front().map_or(f64::INFINITY, |p| p.time);
        let next = if due <= wake { due } else { wake };
        let midnight = self.state.next_midnight;
        if self.model.absorbing_moves && midnight <= next.min(self.model.horizon) {
            return self.midnight(midnight);
        }
        if next > self.model.horizon {
            return self.end(Ending::Horizon, self.model.horizon);
        }
        if self.state.steps >= self.model.max_events.saturating_mul(STEPS_PER_EVENT) {
            return self.end(Ending::Capped, self.state.time);
        }
        self.state.steps += 1;
        self.record_timeline(next)?;
        self.go_to(next);
        if due <= wake {
            if let Some(pending) = self.state.agenda.pop_front() {
                match pending.due {
                    Due::Calendar(entry) => self.calendar_entry(entry)?,
                    Due::Answer(answer) => self.answer_due(&answer)?,
                }
            }
        } else {
            self.wake(clock)?;
        }
        if !self.scratch.dirty.is_empty() {
            self.reset_dirty_clocks()?;
        }
        if self.scratch.absorbing && self.state.ending.is_none() {
            self.scratch.absorbing = false;
            self.check_absorbing()?;
        }
        Ok(())
    }

    #[inline]
    fn go_to(&mut self, time: f64) {
        self.state.time = time;
        self.scratch.now.go_to(time, O::PLAIN);
    }

    /// The stream with this index, opened at its start if this run has not drawn from it yet.
    #[inline]
    fn stream(&mut self, index: u32) -> &mut Stream {
        self.streams.of(self.model, self.state, index)
    }

    #[inline]
    fn view<'v>(&'v self, scene: &'v Scene) -> View<'v> {
        View {
            model: self.model,
            world: self.world,
            state: self.state,
            now: &self.scratch.now,
            scene,
        }
    }

    /// Whatever a formula comes to.
    #[inline(always)]
    fn evaluate(&self, formula: &Formula, scene: &Scene) -> f64 {
        match &formula.code {
            Code::Number(value) if !O::PLAIN => *value,
            _ => self.look_up(formula, scene),
        }
    }

    /// Apart, so that numbers, which need no view, are read in place.
    #[inline(never)]
    fn look_up(&self, formula: &Formula, scene: &Scene) -> f64 {
        self.evaluate_seen(formula, &self.view(scene))
    }

    /// Whatever a formula comes to, as seen in `view`.
    #[inline]
    fn evaluate_seen(&self, formula: &Formula, view: &View<'_>) -> f64 {
        if O::PLAIN {
            formula.program.evaluate(view)
        } else {
            formula.evaluate(view)
        }
    }

    /// The value of a formula, which must be finite: a number, or 1 or 0 for a truth.
    #[inline(always)]
    fn value(&self, formula: &Formula, scene: &Scene) -> Result<f64, Fault> {
        self.finite(self.evaluate(formula, scene), formula)
    }

    /// The same, as seen in `view`.
    #[inline(always)]
    fn value_seen(&self, formula: &Formula, view: &View<'_>) -> Result<f64, Fault> {
        let value = match &formula.code {
            Code::Number(value) if !O::PLAIN => *value,
            _ => self.evaluate_seen(formula, view),
        };
        self.finite(value, formula)
    }

    #[inline(always)]
    fn finite(&self, value: f64, formula: &Formula) -> Result<f64, Fault> {
        if value.is_finite() {
            Ok(value)
        } else {
            Err(self.error(formula.site, Problem::NotFinite(value)))
        }
    }

    /// Whether an optional guard holds; none always holds.
    #[inline(always)]
    fn allows(&self, guard: &Option<Formula>, scene: &Scene) -> Result<bool, Fault> {
        match guard {
            Some(guard) => self.holds(guard, scene),
            None => Ok(true),
        }
    }

    #[inline(never)]
    fn holds(&self, guard: &Formula, scene: &Scene) -> Result<bool, Fault> {
        Ok(self.value(guard, scene)? != 0.0)
    }

    /// The actor or place that a formula names.
    #[inline]
    fn who(&self, formula: &Formula, scene: &Scene) -> i32 {
        self.evaluate(formula, scene) as i32
    }

    #[cold]
    fn error(&self, site: u32, problem: Problem) -> Fault {
        Box::new(RunError {
            run: self.state.run,
            date: self.model.date(self.scratch.now.time),
            site: self.model.sites[site as usize].clone(),
            problem,
        })
    }
}
