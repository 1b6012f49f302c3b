//! The compiled scenario: flat, immutable, no names in the hot path.
//!
//! A [`Model`] is made by compiling a scenario and holds everything that a run needs: actors, places, stock slots,
//! actions, processes and rules *specialised for each actor*, metrics and endgames, all addressed by index. Numbers that
//! depend on parameters alone are worked out once a world, in [`World`].

use std::sync::Arc;

use crate::distribution::{Discrete, Distribution, Family};
use crate::formula::{
    Code, Environment, NO_SLOT, Program, Relation, Role, StockTarget, Summand, UpdateOp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod abreast;
mod done;
mod fast;
mod parameters;
mod world;

pub(crate) use abreast::{Abreast, Kind, MOST_PROCESSES};
pub(crate) use done::REACHED_BY;
pub(crate) use fast::{Fast, Turn};
pub use parameters::ParameterDraws;
pub(crate) use world::{SlotConstants, WorldMark};
pub use world::{World, WorldError};

/// No actor, no place: the value of a role that nobody fills.
pub const NOBODY: i32 = -1;

/// A compiled formula and where it stands in the scenario, for error messages.
#[derive(Clone, Debug)]
pub(crate) struct Formula {
    /// What it means.
    pub program: Program,
    /// The same made fast; see [`Model::make_fast`].
    pub code: Code,
    /// Index into [`Model::sites`].
    pub site: u32,
}

impl Formula {
    /// A formula that is evaluated plainly until it is made fast.
    pub fn new(program: Program, site: u32) -> Self {
        Self {
            program,
            code: Code::None,
            site,
        }
    }

    /// The value, by the fast code.
    #[inline(always)]
    pub fn evaluate<E: Environment>(&self, env: &E) -> f64 {
        self.code.evaluate(&self.program, env)
    }
}

/// A compiled scenario.
///
/// Its content can be read through accessors; it can only be made by compiling a scenario, so every index in it is valid.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) title: String,
    pub(crate) start: jiff::civil::Date,
    pub(crate) horizon: f64,
    pub(crate) max_events: u64,
    pub(crate) runs_per_world: u32,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) places: Vec<Place>,
    pub(crate) stocks: Vec<Stock>,
    pub(crate) slots: Vec<Slot>,
    /// For each slot, what must be looked at again when it changes.
    pub(crate) slot_dependents: Vec<Dependents>,
    pub(crate) rungs: Vec<Rung>,
    /// The actors of each unordered pair that stands on the ladder (none when there is no ladder).
    pub(crate) pairs: Vec<(u32, u32)>,
    /// The rung on which each pair starts.
    pub(crate) initial_rungs: Vec<u16>,
    pub(crate) pair_dependents: Vec<Dependents>,
    pub(crate) actions: Vec<Action>,
    pub(crate) processes: Vec<Process>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) calendar: Vec<CalendarEntry>,
    pub(crate) metrics: Vec<Metric>,
    /// Metrics computed from others, in an order in which each comes after those that it reads.
    pub(crate) derived_metrics: Vec<u32>,
    pub(crate) endgames: Vec<Endgame>,
    /// Whether an absorbing endgame may be reached without an event that touches what it reads: by the passing of time.
    pub(crate) absorbing_moves: bool,
    pub(crate) flags: Vec<Flag>,
    pub(crate) timeline: Option<Timeline>,
    /// Names of the random streams; processes, rules, actions and calendar entries refer to them by index.
    pub(crate) streams: Vec<Vec<Arc<str>>>,
    /// Where each formula stands, for example `rule.answer.option[mirror].score`.
    pub(crate) sites: Vec<String>,
    pub(crate) fast: Fast,
}

impl Model {
    /// The scenario's title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Length of a run in days.
    pub fn horizon(&self) -> f64 {
        self.horizon
    }

    /// Runs for each draw of the uncertain parameters.
    pub fn runs_per_world(&self) -> u32 {
        self.runs_per_world
    }

    /// The same with another number of runs for each draw of the uncertain parameters.
    pub fn with_runs_per_world(&self, runs_per_world: u32) -> Self {
        Self {
            runs_per_world,
            ..self.clone()
        }
    }

    /// The same with one parameter held at `value` in every world. A parameter that does not exist changes nothing.
    pub fn with_parameter(&self, index: usize, value: f64) -> Self {
        let mut model = self.clone();
        if let Some(parameter) = model.parameters.get_mut(index) {
            parameter.value = value;
            parameter.prior = None;
        }
        model
    }

    /// The parameters, in the order of the scenario.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The endgames in the order in which they are tried.
    pub fn endgames(&self) -> &[Endgame] {
        &self.endgames
    }

    /// The yes/no outcomes beside the endgames.
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }

    /// What is read off each run.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// The recorded series, if any.
    pub fn timeline(&self) -> Option<&Timeline> {
        self.timeline.as_ref()
    }

    /// Whether any parameter has a distribution.
    pub fn has_priors(&self) -> bool {
        self.parameters.iter().any(|p| p.prior.is_some())
    }

    /// The default value of every parameter.
    pub fn default_parameters(&self) -> Vec<f64> {
        self.parameters.iter().map(|p| p.value).collect()
    }

    /// The calendar date of a day of the run (fractions of a day are dropped).
    pub fn date(&self, day: f64) -> String {
        let days = day.floor() as i64;
        jiff::Span::new()
            .try_days(days)
            .and_then(|span| self.start.checked_add(span))
            .map_or_else(|_| format!("day {day}"), |date| date.to_string())
    }

    /// Index of the unordered pair of two different actors; `None` without a ladder.
    pub(crate) fn pair(&self, a: i32, b: i32) -> Option<usize> {
        if self.pairs.is_empty() || a < 0 || b < 0 || a == b {
            return None;
        }
        Some(pair_index(a as u32, b as u32, self.actors.len()) as usize)
    }

    /// The slot of a stock for an actor and a column (0 for actor stocks, else an actor or place), if it exists.
    #[inline]
    pub(crate) fn stock_slot(&self, stock: u32, actor: u32, column: u32) -> Option<u32> {
        let stock = &self.stocks[stock as usize];
        let slot = stock.slots[(actor * stock.columns + column) as usize];
        (slot != NO_SLOT).then_some(slot)
    }

    /// Whether `b` is among the rivals, allies or clients of `a`.
    pub(crate) fn related(&self, relation: Relation, a: u32, b: u32) -> bool {
        let actor = &self.actors[a as usize];
        match relation {
            Relation::Rivals => actor.rivals.contains(&b),
            Relation::Allies => actor.allies.contains(&b),
            Relation::Clients => self.actors[b as usize].patron == a as i32,
        }
    }

    /// The actor whose territory a place is.
    pub(crate) fn host(&self, place: i32) -> i32 {
        usize::try_from(place).map_or(NOBODY, |place| self.places[place].host)
    }
}

/// Index of the unordered pair of two different ones of `count` actors: (0, 1), (0, 2), ..., (1, 2), ...
pub(crate) fn pair_index(a: u32, b: u32, count: usize) -> u32 {
    let (low, high) = (a.min(b), a.max(b));
    low * (2 * count as u32 - low - 1) / 2 + high - low - 1
}

/// A named number that may vary between worlds.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub(crate) id: String,
    pub(crate) value: f64,
    pub(crate) prior: Option<Distribution>,
}

impl Parameter {
    /// Name used in formulas.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Value when parameters are held at their defaults.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Distribution over worlds.
    pub fn prior(&self) -> Option<&Distribution> {
        self.prior.as_ref()
    }
}

/// Somebody who acts, answers, or is acted upon.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub id: String,
    pub label: String,
    pub patron: i32,
    pub rivals: Vec<u32>,
    pub allies: Vec<u32>,
}

/// A territory.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub id: String,
    pub label: String,
    pub host: i32,
}

/// A declared state variable; its values lie in slots.
#[derive(Clone, Debug)]
pub(crate) struct Stock {
    /// Slot of each owner: actors; actors x actors; or actors x places. `NO_SLOT` where it does not exist.
    pub slots: Vec<u32>,
    pub columns: u32,
    pub elsewhere: f64,
}

/// One value of a stock.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub initial: Formula,
    pub baseline: Option<Formula>,
    pub half_life: Option<Formula>,
    pub min: Option<Formula>,
    pub max: Option<Formula>,
}

/// What a change of a slot or a rung touches.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependents {
    /// Processes whose hazard reads it.
    pub processes: Vec<u32>,
    /// Metrics that follow it through time.
    pub watchers: Vec<u32>,
    /// Totals in which it counts.
    pub summands: Vec<Summand>,
    /// Whether an absorbing endgame reads it.
    pub absorbing: bool,
}

impl Dependents {
    /// Whether there are none.
    pub fn are_none(&self) -> bool {
        let Self {
            processes,
            watchers,
            summands,
            absorbing,
        } = self;
        processes.is_empty() && watchers.is_empty() && summands.is_empty() && !absorbing
    }
}

/// A rung of the ladder.
#[derive(Clone, Debug)]
pub(crate) struct Rung {
    pub id: String,
    pub label: String,
}

/// A number, or a draw from a distribution.
#[derive(Clone, Debug)]
pub(crate) enum Quantity {
    Fixed(Formula),
    Drawn {
        family: Family,
        parameters: Vec<Formula>,
        /// Index into [`Fast::shapes`], if the parameters are the same through every run.
        shape: Option<u32>,
        site: u32,
    },
    Discrete {
        distribution: Discrete,
        site: u32,
    },
}

/// A kind of event.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub id: String,
    pub label: String,
    pub verb: String,
    pub killed: Option<Quantity>,
    pub foiled: Option<Formula>,
    pub claim: Option<Claim>,
    pub goldstein: f64,
    pub rung_moves: Vec<RungMove>,
    pub suspects: Vec<Suspect>,
    pub effects: Vec<Effect>,
    pub foiled_effects: Vec<Effect>,
    /// Rules that answer this action, in the order of the scenario.
    pub rules: Vec<u32>,
    /// Metrics that read its events.
    pub metrics: Vec<Measured>,
    /// First of one stream for each actor: severity, foiling and claim when that actor acts.
    pub outcome_stream: u32,
    /// First of one stream for each actor: that actor's beliefs about who did it.
    pub belief_stream: u32,
}

impl Action {
    /// Whether chance decides on severity, foiling or claim.
    #[inline]
    pub fn draws_outcome(&self) -> bool {
        self.killed.is_some() || self.foiled.is_some() || self.claim.is_some()
    }
}

/// A metric that reads events.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub metric: u32,
    /// Which events it reads.
    pub filter: Option<Formula>,
}

/// Who claims an event, and how probably.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub by: Formula,
    pub probability: Option<Formula>,
}

/// A move of one pair on the ladder.
#[derive(Clone, Debug)]
pub(crate) struct RungMove {
    pub between: [Formula; 2],
    pub shift: RungShift,
    pub when: Option<Formula>,
}

/// How a pair moves on the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RungShift {
    AtLeast(u16),
    AtMost(u16),
    Step(i32),
}

/// Somebody whom an observer may believe responsible.
#[derive(Clone, Debug)]
pub(crate) struct Suspect {
    pub who: Formula,
    pub weight: Formula,
}

/// A change of a stock.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    pub target: StockTarget,
    /// The stock and the role, where it is an actor stock of whoever has a role; see [`Model::make_fast`].
    pub of_role: Option<(u32, Role)>,
    pub operation: UpdateOp,
    pub value: Formula,
    pub condition: Option<Formula>,
}

/// Who or where: worked out, or chosen among several.
#[derive(Clone, Debug)]
pub(crate) enum Selector {
    Formula(Formula),
    Among {
        members: Vec<u32>,
        preference: Preference,
        when: Option<Formula>,
    },
}

/// How one of several candidates is chosen.
#[derive(Clone, Debug)]
pub(crate) enum Preference {
    /// With a probability proportional to the weight.
    Weight(Formula),
    /// The greatest; the first wins a tie.
    Most(Formula),
}

/// Direction of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    Escalate,
    Hold,
    Deescalate,
}

/// Which events a rule answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    #[default]
    Done,
    Foiled,
    Any,
}

/// What happens when an answer of the same rule and actor is already under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfPending {
    /// The new event draws no answer of its own.
    #[default]
    Ignore,
    /// Both answers go ahead.
    Add,
    /// The new answer takes the place of the old one.
    Replace,
}

/// One of the courses open to an actor.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub id: String,
    pub label: String,
    pub stance: Option<Stance>,
    pub when: Option<Formula>,
    /// Score, or probability, as [`Choice::by`] says; `None` for the course that takes the rest.
    pub preference: Option<Formula>,
    pub deed: Option<Deed>,
}

/// What a course does.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    pub action: u32,
    pub target: Option<Selector>,
    pub place: Option<Selector>,
    /// Instead of the action's own claim.
    pub claimant: Option<Formula>,
    pub sponsor: Option<Formula>,
    pub delay: Option<Quantity>,
    pub still: Option<Formula>,
    /// The action as it is when this deed does it; see [`Model::make_fast`].
    pub done: Option<Box<Action>>,
}

impl Deed {
    /// Whether a process does it at once, and nothing but its actor is to be known for it.
    pub fn is_plain(&self) -> bool {
        self.target.is_none()
            && self.place.is_none()
            && self.delay.is_none()
            && self.still.is_none()
            && self.claimant.is_none()
            && self.sponsor.is_none()
    }
}

/// How the course is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChoiceBy {
    /// There is only one, and it is always open.
    Only,
    /// Quantal response: P proportional to exp(rationality x score).
    Score,
    /// Plain probabilities.
    Probability,
}

/// A choice among courses.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub by: ChoiceBy,
    pub rationality: Option<Formula>,
    pub courses: Vec<Course>,
    /// Decides which course.
    pub choice_stream: u32,
    /// Decides target, place and delay, when any of these is drawn.
    pub detail_stream: u32,
    pub draws_details: bool,
}

/// Something that starts by itself, for one actor.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub id: String,
    pub label: String,
    pub actor: u32,
    pub hazard: Formula,
    /// Slots that the hazard reads.
    pub reads: Vec<u32>,
    pub uses_time: bool,
    pub choice: Choice,
    pub wait_stream: u32,
}

/// A set of roles in which an event may reach an actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StandingSet(pub u16);

impl StandingSet {
    pub const TARGET: Self = Self(1);
    pub const HOST: Self = Self(1 << 1);
    pub const PATRON: Self = Self(1 << 2);
    pub const ALLY: Self = Self(1 << 3);
    pub const RIVAL: Self = Self(1 << 4);
    pub const PERPETRATOR: Self = Self(1 << 5);
    pub const CLAIMANT: Self = Self(1 << 6);
    pub const ONLOOKER: Self = Self(1 << 7);
    pub const ANY: Self = Self(u16::MAX);
    /// Roles that follow from whom the actor is bound to, and that of all the rest.
    pub const BY_RELATION: Self =
        Self(Self::PATRON.0 | Self::ALLY.0 | Self::RIVAL.0 | Self::ONLOOKER.0);

    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How one actor answers events.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub id: String,
    pub label: String,
    pub actor: u32,
    pub standings: StandingSet,
    pub outcome: Outcome,
    pub when: Option<Formula>,
    pub if_pending: IfPending,
    pub cooldown: Option<Formula>,
    pub choice: Choice,
}

/// A dated change from outside.
#[derive(Clone, Debug)]
pub(crate) struct CalendarEntry {
    pub id: String,
    pub label: String,
    /// First and last day.
    pub days: [Formula; 2],
    pub probability: Option<Formula>,
    pub when: Option<Formula>,
    pub effects: Vec<Effect>,
    pub event: Option<ForcedEvent>,
    pub stream: u32,
}

/// An event that the calendar forces.
#[derive(Clone, Debug)]
pub(crate) struct ForcedEvent {
    pub action: u32,
    pub actor: i32,
    pub target: i32,
    pub place: i32,
    pub claimant: Option<i32>,
    pub sponsor: i32,
    pub killed: Option<Formula>,
    pub foiled: bool,
}

/// One stock slot or one rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    Slot(u32),
    Pair(u32),
}

/// A number read off a run.
#[derive(Clone, Debug)]
pub struct Metric {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) unit: Option<String>,
    pub(crate) headline: bool,
    pub(crate) kind: MetricKind,
    /// Whether an absorbing endgame reads it.
    pub(crate) absorbing: bool,
}

impl Metric {
    /// Name used in formulas and files.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Name for readers.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Unit, when one was given.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// Whether it belongs in the main table.
    pub fn is_headline(&self) -> bool {
        self.headline
    }
}

/// How a metric is measured.
#[derive(Clone, Debug)]
pub(crate) enum MetricKind {
    Count,
    Sum(Formula),
    First,
    Last,
    Peak(Watched),
    Low(Watched),
    TimeBeyond {
        of: Watched,
        level: Formula,
        above: bool,
    },
    FirstBeyond {
        of: Watched,
        level: Formula,
        above: bool,
    },
    TimeMean(Watched),
    Exchanges {
        between: [u32; 2],
        within: Formula,
    },
    Final(Formula),
    Value(Formula),
}

/// A named outcome.
#[derive(Clone, Debug)]
pub struct Endgame {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) when: Option<Formula>,
    pub(crate) absorbing: bool,
}

impl Endgame {
    /// Name used in files.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Name for readers.
    pub fn label(&self) -> &str {
        &self.label
    }
}

/// A yes/no outcome.
#[derive(Clone, Debug)]
pub struct Flag {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) when: Formula,
}

impl Flag {
    /// Name used in files.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Name for readers.
    pub fn label(&self) -> &str {
        &self.label
    }
}

/// Series recorded at regular dates.
#[derive(Clone, Debug)]
pub struct Timeline {
    pub(crate) every: f64,
    /// Number of dates: 0, `every`, 2 `every`, ... up to the horizon.
    pub(crate) points: usize,
    pub(crate) series: Vec<(String, Formula)>,
}

impl Timeline {
    /// Days of the records.
    pub fn days(&self) -> impl Iterator<Item = f64> + '_ {
        (0..self.points).map(|point| self.day(point))
    }

    /// Day of a record.
    pub(crate) fn day(&self, point: usize) -> f64 {
        point as f64 * self.every
    }

    /// Names of the series.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.series.iter().map(|(name, _)| name.as_str())
    }
}
