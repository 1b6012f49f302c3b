//! The scenario file as it is written: plain types, checked for structure only.
//!
//! These types are the single source of the file format: the reader deserializes into them and the JSON Schema
//! is derived from them, doc comments included. Meaning (names, formulas, units of thought) is checked when a
//! [`RawScenario`] is compiled.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod choice;

pub use choice::{Per, RawAmong, RawOption, RawProcess, RawRule, RawSelector, Standing, Standings};

/// A number, or a formula in quotes.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Expression {
    Number(f64),
    Formula(String),
}

/// One value for all, or a table of values by actor.
///
/// The table is nested once more for pairs and for actors in places. The key `default` covers every actor, partner or place that is not listed.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PerKey {
    All(Expression),
    Keyed(IndexMap<String, PerKey>),
}

/// One name, or a list of names.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    /// The names in the order in which they were written.
    pub fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

/// A scenario: who the actors are, what they can do, what makes them do it, and which endgames are asked about.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawScenario {
    /// Title, dates and limits.
    pub scenario: RawHeader,
    /// Documents and data sets that numbers come from, cited by name.
    pub source: IndexMap<String, RawSource>,
    /// Named numbers that what-ifs, sweeps and sensitivity analyses may vary. Formulas use them by name.
    pub parameter: IndexMap<String, RawParameter>,
    /// Named formulas, which other formulas use by name.
    pub formula: IndexMap<String, RawFormula>,
    /// States, agencies, groups, proxies and publics.
    pub actor: IndexMap<String, RawActor>,
    /// Territories with a host.
    pub place: IndexMap<String, RawPlace>,
    /// Named sets of actors or of places.
    pub set: IndexMap<String, RawSet>,
    /// State variables of the world, an actor, an ordered pair of actors, or an actor in a place.
    pub stock: IndexMap<String, RawStock>,
    /// The rungs of escalation on which every pair of actors stands.
    pub ladder: RawLadder,
    /// Kinds of events: severity, foiling, attribution, effects.
    pub action: IndexMap<String, RawAction>,
    /// What starts by itself, with a hazard rate.
    pub process: IndexMap<String, RawProcess>,
    /// How actors answer events: escalate, hold or de-escalate.
    pub rule: IndexMap<String, RawRule>,
    /// Dated changes from outside.
    pub calendar: Vec<RawCalendarEntry>,
    /// What is read off a run.
    pub metric: IndexMap<String, RawMetric>,
    /// Ordered, exclusive outcomes: the first whose `when` holds is the run's endgame; the last has no `when`.
    pub endgame: Vec<RawEndgame>,
    /// Yes/no outcomes beside the endgames.
    pub flag: IndexMap<String, RawFlag>,
    /// Series recorded at regular dates.
    pub timeline: Option<RawTimeline>,
}

/// Title, dates and limits of a scenario.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHeader {
    /// One line.
    pub title: Option<String>,
    /// A paragraph or more for readers.
    pub summary: Option<String>,
    /// The scenario that this one builds on: a relative path, or a built-in name such as "isis-iran/base".
    pub extends: Option<String>,
    /// First day of every run, for example 2023-12-15.
    #[schemars(with = "Option<DateText>")]
    pub start: Option<String>,
    /// Length of a run in days.
    pub horizon: Option<f64>,
    /// Cap on the events of one run (default 100000). A run that reaches it is stopped and counted apart.
    pub max_events: Option<u64>,
    /// Runs for each draw of the uncertain parameters (default 50).
    pub runs_per_world: Option<u32>,
}

/// A date, written 2024-01-03 without quotes.
#[derive(JsonSchema)]
#[schemars(transparent, extend("format" = "date"))]
pub struct DateText(pub String);

/// Where a number comes from.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The document that the scenario is built on.
    Seed,
    /// Counted or estimated from data.
    Data,
    /// Published research.
    Literature,
    /// Chosen by the scenario's author: not evidence.
    Assumption,
}

/// A document or data set.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSource {
    /// Author, year, title, and where it was published.
    pub citation: String,
    pub url: Option<String>,
    pub note: Option<String>,
}

/// A formula with a name. It stands for its text wherever the name is used, and sees what can be seen there.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawFormula {
    pub label: Option<String>,
    /// Names of the values that it takes in brackets: ["deaths"] makes `f` into `f(deaths)`.
    #[serde(default)]
    pub takes: Vec<String>,
    /// What it stands for.
    pub value: Expression,
    pub unit: Option<String>,
    /// Cited sources, or texts.
    pub source: Option<OneOrMany>,
    pub note: Option<String>,
}

/// A named number.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawParameter {
    /// Value used when parameters are held at their defaults.
    pub value: f64,
    pub label: Option<String>,
    pub unit: Option<String>,
    /// Distribution over worlds: what is not known about this number.
    pub prior: Option<RawDistribution>,
    /// Range for sweeps; by default the prior's 5 % and 95 % quantiles.
    pub range: Option<[f64; 2]>,
    /// The value that switches the mechanism off.
    pub neutral: Option<f64>,
    /// Where the number comes from.
    pub basis: Basis,
    /// Cited sources, or texts; required unless the basis is an assumption.
    pub source: Option<OneOrMany>,
    pub note: Option<String>,
}

/// The family of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RawFamily {
    Constant,
    Uniform,
    LogUniform,
    Triangular,
    Normal,
    Lognormal,
    Exponential,
    Weibull,
    Beta,
    Pert,
    PowerLaw,
    DiscretePowerLaw,
    Discrete,
}

/// A probability distribution: `dist` names the family, the other keys are its parameters.
///
/// constant(value), uniform(low, high), log_uniform(low, high), triangular(low, mode, high), normal(mean, sd, [low, high]),
/// lognormal(median, sigma, [low, high]), exponential(mean), weibull(scale, shape), beta(alpha, beta, [low, high]),
/// pert(low, mode, high), power_law(exponent, min, max), discrete_power_law(exponent, min, max), discrete(values, [weights]).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDistribution {
    /// Family of the distribution.
    pub dist: RawFamily,
    #[serde(default)]
    pub value: Option<Expression>,
    #[serde(default)]
    pub low: Option<Expression>,
    #[serde(default)]
    pub mode: Option<Expression>,
    #[serde(default)]
    pub high: Option<Expression>,
    #[serde(default)]
    pub mean: Option<Expression>,
    #[serde(default)]
    pub sd: Option<Expression>,
    #[serde(default)]
    pub median: Option<Expression>,
    /// Standard deviation of the logarithm.
    #[serde(default)]
    pub sigma: Option<Expression>,
    #[serde(default)]
    pub scale: Option<Expression>,
    #[serde(default)]
    pub shape: Option<Expression>,
    #[serde(default)]
    pub alpha: Option<Expression>,
    #[serde(default)]
    pub beta: Option<Expression>,
    /// Density exponent of a power law (greater than 1).
    #[serde(default)]
    pub exponent: Option<Expression>,
    #[serde(default)]
    pub min: Option<Expression>,
    #[serde(default)]
    pub max: Option<Expression>,
    #[serde(default)]
    pub values: Option<Vec<f64>>,
    #[serde(default)]
    pub weights: Option<Vec<f64>>,
}

/// A number, a formula, or a distribution.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RawQuantity {
    Fixed(Expression),
    Drawn(Box<RawDistribution>),
}

/// What kind of actor this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A state, acting through its government.
    State,
    /// A part of a state that may act on its own or in secret.
    Agency,
    /// A non-state armed group.
    Group,
    /// An armed group with a patron.
    Proxy,
    /// A population.
    Public,
    /// An organization that is none of these, such as the United Nations.
    Organization,
}

/// Somebody who acts, answers, or is acted upon.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawActor {
    pub label: Option<String>,
    pub kind: ActorKind,
    /// Actors (or sets of actors) that this one counts as rivals. One-way.
    #[serde(default)]
    pub rivals: Vec<String>,
    /// Actors (or sets of actors) that this one counts as allies. One-way.
    #[serde(default)]
    pub allies: Vec<String>,
    /// The state behind a proxy or an agency.
    pub patron: Option<String>,
    /// Makes so many alike, named NAME_1, NAME_2, ..., and a set NAME of them all.
    pub count: Option<u32>,
    pub note: Option<String>,
    /// Cited sources, or texts.
    pub source: Option<OneOrMany>,
    /// Appended to the lists that are inherited. Only in a scenario that extends another.
    pub add: Option<Additions>,
}

/// A territory.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPlace {
    pub label: Option<String>,
    /// The actor whose territory it is.
    pub host: Option<String>,
    pub note: Option<String>,
}

/// A named set: either of actors or of places.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSet {
    pub label: Option<String>,
    /// Actors, or other sets of actors.
    pub actors: Option<Vec<String>>,
    /// Places, or other sets of places.
    pub places: Option<Vec<String>>,
    pub note: Option<String>,
    /// Appended to the lists that are inherited. Only in a scenario that extends another.
    pub add: Option<Additions>,
}

/// What a stock belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockOwner {
    /// The world: there is one value.
    World,
    /// An actor.
    Actor,
    /// An ordered pair of actors.
    Pair,
    /// An actor in a place.
    Presence,
}

/// A state variable that relaxes to its baseline between events.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawStock {
    pub label: Option<String>,
    /// What the stock belongs to.
    pub of: StockOwner,
    /// Value at the start. A table without `default` also says for whom the stock exists.
    pub initial: PerKey,
    /// Value towards which the stock relaxes; by default its initial value.
    pub baseline: Option<PerKey>,
    /// Days in which half of the distance to the baseline is made up. Without it the stock stays where it is.
    pub half_life: Option<PerKey>,
    /// Value read through a role for whom the stock does not exist (default 0).
    pub elsewhere: Option<f64>,
    /// Saturation from below: effects stop here.
    pub min: Option<Expression>,
    /// Saturation from above: effects stop here.
    pub max: Option<Expression>,
    pub unit: Option<String>,
    pub basis: Option<Basis>,
    /// Cited sources, or texts.
    pub source: Option<OneOrMany>,
    pub note: Option<String>,
}

/// The ladder of escalation, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawLadder {
    pub rung: Vec<RawRung>,
    /// Rungs on which pairs start, by actor (or set of actors) and partner. All other pairs start on the first rung.
    pub initial: IndexMap<String, IndexMap<String, String>>,
    /// Cited sources, or texts.
    pub source: Option<OneOrMany>,
    pub note: Option<String>,
}

/// One rung of the ladder.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRung {
    pub id: String,
    pub label: Option<String>,
    pub note: Option<String>,
}

/// A kind of event.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawAction {
    pub label: Option<String>,
    /// For chronicles, in the third person: "strikes", "accuses".
    pub verb: Option<String>,
    /// People killed: a number, a formula, or a distribution (0 when absent).
    pub killed: Option<RawQuantity>,
    /// Probability that the event is foiled: nobody is killed and `foiled_effects` apply instead of `effects`.
    pub foiled: Option<Expression>,
    /// Who claims the event.
    pub claim: Option<RawClaim>,
    /// Conflict-cooperation weight (Goldstein 1992), readable as event.goldstein.
    pub goldstein: Option<f64>,
    /// Moves on the ladder. A foiled event moves nothing.
    pub rung: Vec<RawRungMove>,
    /// Whom an observer may believe responsible. Without suspects everybody knows the truth.
    pub suspect: Vec<RawSuspect>,
    /// Statements such as "target.unrest += 0.1 * ln(1 + event.killed)", applied in order.
    pub effects: Vec<String>,
    /// Statements applied instead when the event is foiled.
    pub foiled_effects: Vec<String>,
    pub note: Option<String>,
    /// Cited sources, or texts.
    pub source: Option<OneOrMany>,
    /// Appended to the lists that are inherited. Only in a scenario that extends another.
    pub add: Option<Additions>,
}

/// Who claims an event, and how probably.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawClaim {
    /// "self" (the perpetrator) or an actor.
    pub by: String,
    /// Probability of a claim (default 1).
    pub probability: Option<Expression>,
}

/// A move of one pair on the ladder. Exactly one of `at_least`, `at_most` and `step` is given.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRungMove {
    /// The pair: two roles or actors, for example ["self", "host"].
    pub between: [String; 2],
    /// Rise to this rung unless already there or above.
    pub at_least: Option<String>,
    /// Come down to this rung unless already there or below.
    pub at_most: Option<String>,
    /// Rungs up (positive) or down (negative), within the ladder.
    pub step: Option<i32>,
    pub when: Option<String>,
}

/// Somebody whom an observer may believe responsible.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSuspect {
    /// A role (perpetrator, claimant, sponsor, target, host) or an actor.
    pub who: String,
    /// The probability of this belief is proportional to the weight. `self` is the observer.
    pub weight: Expression,
    pub note: Option<String>,
}

fn yes() -> bool {
    true
}

/// A dated change from outside. Exactly one of `date`, `window` and `day` is given.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCalendarEntry {
    pub id: String,
    pub label: Option<String>,
    #[schemars(with = "Option<DateText>")]
    pub date: Option<String>,
    /// First and last date; the day is drawn uniformly.
    #[schemars(with = "Option<[DateText; 2]>")]
    pub window: Option<[String; 2]>,
    /// Days after the start.
    pub day: Option<Expression>,
    /// Probability that it happens (default 1).
    pub probability: Option<Expression>,
    /// Happens only if this holds at that time.
    pub when: Option<String>,
    /// Statements on stocks.
    #[serde(default)]
    pub effects: Vec<String>,
    /// An event that happens then.
    pub action: Option<String>,
    /// Who does it.
    pub actor: Option<String>,
    pub target: Option<String>,
    pub place: Option<String>,
    pub claimant: Option<String>,
    pub sponsor: Option<String>,
    /// The known number of people killed, instead of the action's distribution.
    pub killed: Option<Expression>,
    /// A foiled event (default false).
    pub foiled: Option<bool>,
    #[serde(default = "yes")]
    pub enabled: bool,
    pub basis: Option<Basis>,
    /// Cited sources, or texts.
    pub source: Option<OneOrMany>,
    pub note: Option<String>,
    /// Appended to the lists that are inherited. Only in a scenario that extends another.
    pub add: Option<Additions>,
}

/// A stock or a rung against a level.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawLevel {
    /// One stock or one rung, for example "iran.unrest" or "rung[iran, pakistan]".
    pub of: String,
    /// A number or a formula of parameters.
    pub level: Expression,
}

/// Answers in kind between two actors.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawExchanges {
    pub between: [String; 2],
    pub on: OneOrMany,
    /// Days within which the other side's action counts as an answer.
    pub within: Expression,
}

/// A number read off a run. Exactly one kind is given: count, sum, first, last, peak, low, time_above, time_below,
/// first_above, first_below, time_mean, exchanges, final or value.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawMetric {
    pub label: Option<String>,
    pub unit: Option<String>,
    /// Shown in the main table (default true).
    pub headline: Option<bool>,
    pub note: Option<String>,
    /// Number of events of these actions.
    pub count: Option<OneOrMany>,
    /// Sum of a formula over the events of the actions in `over`.
    pub sum: Option<Expression>,
    /// The actions of a `sum`.
    pub over: Option<OneOrMany>,
    /// Only events for which this holds.
    #[serde(rename = "where")]
    pub filter: Option<String>,
    /// Day of the first event of these actions; never, if there is none.
    pub first: Option<OneOrMany>,
    /// Day of the last event of these actions; never, if there is none.
    pub last: Option<OneOrMany>,
    /// Highest value of one stock or rung.
    pub peak: Option<String>,
    /// Lowest value of one stock or rung.
    pub low: Option<String>,
    /// Days strictly above a level.
    pub time_above: Option<RawLevel>,
    /// Days strictly below a level.
    pub time_below: Option<RawLevel>,
    /// First day strictly above a level; never, if not reached.
    pub first_above: Option<RawLevel>,
    /// First day strictly below a level; never, if not reached.
    pub first_below: Option<RawLevel>,
    /// Time average of one stock or rung.
    pub time_mean: Option<String>,
    /// Reciprocal exchanges between two actors.
    pub exchanges: Option<RawExchanges>,
    /// A formula of stocks and rungs at the end of the run.
    #[serde(rename = "final")]
    pub at_end: Option<Expression>,
    /// A formula of other metrics and parameters.
    pub value: Option<Expression>,
}

/// A named outcome.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEndgame {
    pub id: String,
    pub label: Option<String>,
    /// Condition on metrics, parameters, and stocks and rungs at the end. Absent in the last one.
    pub when: Option<String>,
    /// The run ends when the condition holds: at the start, after an event that touches what it reads, or at the end of a day.
    #[serde(default)]
    pub absorbing: bool,
    pub note: Option<String>,
}

/// A yes/no outcome.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawFlag {
    pub label: Option<String>,
    /// Condition on metrics, parameters, and stocks and rungs at the end.
    pub when: String,
    pub note: Option<String>,
}

/// Series recorded at regular dates.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTimeline {
    /// Days between records.
    pub every: f64,
    /// Formulas of stocks and rungs.
    pub series: BTreeMap<String, Expression>,
}

/// What is appended to inherited lists of the same names. Each key goes where the list itself may stand.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Additions {
    /// More statements of an action or a calendar entry.
    pub effects: Option<Vec<String>>,
    /// More statements of an action that is foiled.
    pub foiled_effects: Option<Vec<String>>,
    /// More moves on the ladder of an action.
    pub rung: Option<Vec<RawRungMove>>,
    /// More actions that a rule answers.
    pub on: Option<OneOrMany>,
    /// More rivals of an actor.
    pub rivals: Option<Vec<String>>,
    /// More allies of an actor.
    pub allies: Option<Vec<String>>,
    /// More members of a set of actors.
    pub actors: Option<Vec<String>>,
    /// More members of a set of places.
    pub places: Option<Vec<String>>,
}
