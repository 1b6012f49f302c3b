//! The state of one run: a plain value that can be cloned, kept and resumed.

use std::collections::VecDeque;

use super::wakes::Wakes;
use crate::formula::{KeptSum, Role};
use crate::model::{Model, NOBODY, World};
use crate::random::Stream;

/// Who fills each role of an event, by index; [`NOBODY`] where nobody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles([i32; Role::ALL.len()]);

impl Roles {
    /// Nobody in any role.
    pub const NONE: Self = Self([NOBODY; Role::ALL.len()]);

    /// Who fills `role`.
    #[inline]
    pub fn get(&self, role: Role) -> i32 {
        self.0[role as usize]
    }

    /// The same roles with `who` in `role`.
    #[inline]
    #[must_use]
    pub fn with(mut self, role: Role, who: i32) -> Self {
        self.0[role as usize] = who;
        self
    }
}

/// What formulas see of an event besides its roles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EventFields {
    /// People killed.
    pub killed: f64,
    /// Whether the event was foiled.
    pub foiled: bool,
    /// Conflict-cooperation weight of the action.
    pub goldstein: f64,
}

impl EventFields {
    /// The fields where there is no event.
    pub const NONE: Self = Self {
        killed: 0.0,
        foiled: false,
        goldstein: 0.0,
    };
}

/// What a formula sees of an event: who fills its roles, and the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scene {
    pub roles: Roles,
    pub event: EventFields,
}

impl Scene {
    /// No event.
    pub const NONE: Self = Self::of(Roles::NONE);

    /// No event, but somebody in a role: the actor whose process it is.
    pub const fn of(roles: Roles) -> Self {
        Self {
            roles,
            event: EventFields::NONE,
        }
    }

    /// The same scene with `who` in `role`.
    #[inline]
    #[must_use]
    pub fn with(mut self, role: Role, who: i32) -> Self {
        self.roles = self.roles.with(role, who);
        self
    }
}

/// A stock's value at the time of its last change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    pub value: f64,
    /// That time, if time moves the stock; what it was at first otherwise.
    pub since: f64,
}

impl Level {
    /// Of no stock.
    pub const SPARE: Self = Self {
        value: 0.0,
        since: 0.0,
    };
}

/// The clock of one process: the next point of a Poisson process of rate `bound`, which is thinned to the hazard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clock {
    /// When the bound was last worked out.
    pub since: f64,
    /// Lower bound of the hazard from `since` to `until`; not negative.
    pub least: f64,
    /// Upper bound of the hazard from `since` to `until`.
    pub bound: f64,
    /// Until when the bounds hold.
    pub until: f64,
    /// Unit-rate exponential wait that was left at `since`; not a number before it is drawn, which waits until there is a hazard.
    pub remaining: f64,
    /// Whether the clock wakes for a candidate, or only to look further ahead.
    pub candidate: bool,
    /// Whether the bound is the hazard itself, so that every candidate is taken.
    pub exact: bool,
}

/// The choice that an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A process, by index.
    Process(u32),
    /// A rule, by index.
    Rule(u32),
}

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pending {
    pub time: f64,
    pub due: Due,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Due {
    Calendar(u32),
    Answer(Answer),
}

/// A course that was chosen and waits for its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    pub origin: Origin,
    pub course: u16,
    /// Probability with which the course was chosen.
    pub probability: f64,
    /// Roles of the event that is answered, as the actor believes them.
    pub scene: Scene,
    pub target: i32,
    pub place: i32,
}

/// A random stream, and the start after which it was opened; see [`RunState::starts`].
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenStream {
    pub stream: Stream,
    pub start: u64,
}

impl OpenStream {
    /// Not opened: the first start is number 1.
    const NONE: Self = Self {
        stream: Stream::UNUSED,
        start: 0,
    };
}

/// What a rule remembers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RuleState {
    /// Day of the last answer that was carried out.
    pub last_answer: f64,
    /// Answers under way.
    pub pending: u32,
}

/// What a metric remembers besides its current value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct MetricState {
    /// A stock or rung has been followed up to here.
    pub since: f64,
    /// Integral of the stock or rung from the start to `since`.
    pub integral: f64,
    /// Last action of the first of two actors against the second, and of the second against the first.
    pub last: [f64; 2],
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// At the horizon.
    Horizon,
    /// In an absorbing endgame, by index.
    Absorbed(u32),
    /// At the cap on events, or after [`STEPS_PER_EVENT`] times as many steps that led to none: what would have followed is
    /// not known.
    Capped,
}

/// The state of one run.
///
/// It holds no reference and no hidden state: a clone goes on exactly as the original does.
#[derive(Clone, Debug)]
pub struct RunState {
    pub(super) run: u64,
    pub(super) time: f64,
    pub(super) events: u64,
    /// Times that a clock woke or something came due, whether or not an event followed.
    pub(super) steps: u64,
    /// When absorbing endgames that the passing of time may bring about are looked at next.
    pub(super) next_midnight: f64,
    pub(super) levels: Vec<Level>,
    /// Groups of the sums that are kept up to date.
    pub(super) totals: Vec<[f64; 4]>,
    pub(super) rungs: Vec<u16>,
    pub(super) clocks: Vec<Clock>,
    /// When each clock wakes.
    pub(super) wakes: Wakes,
    pub(super) rules: Vec<RuleState>,
    /// Sorted by time; what is due at the same time stands in the order in which it was put there. A deque, because what is due at
    /// once goes to either end in a cascade.
    pub(super) agenda: VecDeque<Pending>,
    pub(super) streams: Vec<OpenStream>,
    /// Counts the runs that have been started in this room, so that streams of earlier ones are told from those of this one.
    pub(super) starts: u64,
    pub(super) metrics: Vec<MetricState>,
    /// Current values of the metrics.
    pub(super) values: Vec<f64>,
    /// Recorded series: point by point, series by series.
    pub(super) timeline: Vec<f64>,
    pub(super) timeline_points: usize,
    pub(super) ending: Option<Ending>,
    pub(super) endgame: Option<u32>,
    pub(super) flags: Vec<bool>,
}

impl RunState {
    /// Room for a run of `model`.
    pub(super) fn new(model: &Model) -> Self {
        let clock = Clock {
            since: 0.0,
            least: 0.0,
            bound: 0.0,
            until: f64::INFINITY,
            remaining: f64::NAN,
            candidate: false,
            exact: false,
        };
        let rule = RuleState {
            last_answer: f64::NEG_INFINITY,
            pending: 0,
        };
        let records = (model.timeline.as_ref()).map_or(0, |t| t.points * t.series.len());
        Self {
            run: 0,
            time: 0.0,
            events: 0,
            steps: 0,
            next_midnight: 1.0,
            levels: vec![Level::SPARE; model.slots.len()],
            totals: vec![[0.0; 4]; model.fast.sum_groups],
            rungs: vec![0; model.pairs.len()],
            clocks: vec![clock; model.processes.len()],
            wakes: Wakes::new(model.processes.len()),
            rules: vec![rule; model.rules.len()],
            agenda: VecDeque::with_capacity(AGENDA_CAPACITY),
            streams: vec![OpenStream::NONE; model.streams.len()],
            starts: 0,
            metrics: vec![MetricState::default(); model.metrics.len()],
            values: vec![0.0; model.metrics.len()],
            timeline: vec![0.0; records],
            timeline_points: 0,
            ending: None,
            endgame: None,
            flags: vec![false; model.flags.len()],
        }
    }

    /// Back to the start, as run `run` in `world`.
    pub(super) fn reset(&mut self, model: &Model, world: &World, run: u64) {
        self.run = run;
        self.time = 0.0;
        self.events = 0;
        self.steps = 0;
        self.next_midnight = 1.0;
        for (level, slot) in self.levels.iter_mut().zip(&world.slots) {
            *level = Level {
                value: slot.initial,
                since: 0.0,
            };
        }
        for (slot, summand) in model.fast.sums.iter().flat_map(KeptSum::summands) {
            summand.set(&mut self.totals, self.levels[slot as usize].value);
        }
        self.rungs.copy_from_slice(&model.initial_rungs);
        for clock in &mut self.clocks {
            clock.remaining = f64::NAN;
        }
        self.wakes.silence();
        for rule in &mut self.rules {
            rule.last_answer = f64::NEG_INFINITY;
            rule.pending = 0;
        }
        self.agenda.clear();
        self.starts += 1;
        self.timeline_points = 0;
        self.ending = None;
        self.endgame = None;
        self.flags.fill(false);
    }

    /// Back to `start`, a state of the same model from which nothing has been drawn, as run `run`.
    pub(super) fn restart(&mut self, start: &Self, run: u64) {
        self.run = run;
        self.time = start.time;
        self.events = start.events;
        self.steps = start.steps;
        self.next_midnight = start.next_midnight;
        self.levels.copy_from_slice(&start.levels);
        self.totals.copy_from_slice(&start.totals);
        self.rungs.copy_from_slice(&start.rungs);
        self.clocks.copy_from_slice(&start.clocks);
        self.wakes.copy(&start.wakes);
        self.rules.copy_from_slice(&start.rules);
        self.agenda.clear();
        self.starts += 1;
        self.metrics.copy_from_slice(&start.metrics);
        self.values.copy_from_slice(&start.values);
        let recorded = start.recorded();
        self.timeline[..recorded].copy_from_slice(&start.timeline[..recorded]);
        self.timeline_points = start.timeline_points;
        self.ending = start.ending;
        self.endgame = start.endgame;
        self.flags.copy_from_slice(&start.flags);
    }

    /// Numbers in the timeline that belong to this run.
    fn recorded(&self) -> usize {
        if self.timeline_points == 0 {
            0
        } else {
            self.timeline.len()
        }
    }

    /// Number of the run.
    pub fn run(&self) -> u64 {
        self.run
    }

    /// Days since the start.
    pub fn time(&self) -> f64 {
        self.time
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// How the run ended; `None` while it is under way.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// The endgame of a finished run, by index; `None` while it is under way, and for a run that was stopped at the cap.
    pub fn endgame(&self) -> Option<u32> {
        self.endgame
    }

    /// Whether each flag holds at the end of a finished run, in the model's order.
    pub fn flags(&self) -> &[bool] {
        &self.flags
    }

    /// Values of the metrics, in the model's order; infinite for a first day that never came.
    pub fn metrics(&self) -> &[f64] {
        &self.values
    }

    /// Recorded series, date by date and within a date in the model's order.
    pub fn timeline(&self) -> &[f64] {
        &self.timeline
    }

    /// Puts something on the agenda, behind all that is due at the same time.
    pub(super) fn schedule(&mut self, time: f64, due: Due) {
        let at = self.agenda.partition_point(|pending| pending.time <= time);
        self.agenda.insert(at, Pending { time, due });
    }
}

/// How many steps a run may take for each event that it may have: keeps a run from going on for ever where next to no step
/// leads to an event.
pub const STEPS_PER_EVENT: u64 = 100;

/// Answers that may be under way at once before the agenda has to grow.
const AGENDA_CAPACITY: usize = 1024;
