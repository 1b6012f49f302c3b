//! Processes, rules and their options.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Additions, Expression, OneOrMany, RawQuantity};
use crate::model::{IfPending, Outcome, Stance};

/// A name, a role, or a choice among a set.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RawSelector {
    Named(String),
    Among(Box<RawAmong>),
}

/// A choice among the members of a set, seen by formulas as `candidate`. Exactly one of `weight` and `most` is given.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAmong {
    /// A set, or rivals(x), allies(x), clients(x).
    pub among: String,
    /// Drawn with a probability proportional to this.
    pub weight: Option<Expression>,
    /// The candidate with the greatest value; the first wins a tie.
    pub most: Option<Expression>,
    /// Only candidates for whom this holds.
    pub when: Option<String>,
}

/// One of the courses open to an actor.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawOption {
    pub id: String,
    pub label: Option<String>,
    /// escalate, hold or deescalate: shown in tables and chronicles.
    pub stance: Option<Stance>,
    /// The option is open only when this holds.
    pub when: Option<String>,
    /// The probability is proportional to exp(rationality x score).
    pub score: Option<Expression>,
    /// A plain probability instead of a score. One option without it takes what is left.
    pub probability: Option<Expression>,
    /// What is done; without it nothing happens.
    pub action: Option<String>,
    /// Against whom.
    pub target: Option<RawSelector>,
    /// Where.
    pub place: Option<RawSelector>,
    /// Who claims it, instead of the action's own claim. "nobody" for no claim.
    pub claimant: Option<String>,
    /// The hidden sponsor.
    pub sponsor: Option<String>,
    /// Days until it is done.
    pub delay: Option<RawQuantity>,
    /// Checked when the delay is over: dropped if it no longer holds.
    pub still: Option<String>,
    #[serde(default = "super::yes")]
    pub enabled: bool,
    pub note: Option<String>,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// A day.
    #[default]
    Day,
    /// 365 days.
    Year,
}

impl Per {
    /// Length in days.
    pub fn days(self) -> f64 {
        match self {
            Self::Day => 1.0,
            Self::Year => 365.0,
        }
    }
}

/// Something that starts by itself: an action, or a choice among options, at a hazard rate per day.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawProcess {
    pub label: Option<String>,
    /// An actor, or a set of actors with one independent clock each.
    pub who: String,
    /// Expected number per day at this moment.
    pub hazard: Expression,
    /// The unit of time of the hazard, if it is not the day.
    #[serde(default)]
    pub per: Per,
    /// The action it leads to, unless there are options.
    pub action: Option<String>,
    pub target: Option<RawSelector>,
    pub place: Option<RawSelector>,
    pub claimant: Option<String>,
    pub sponsor: Option<String>,
    /// How sharply scores decide among the options (default 1; inf: always the best).
    pub rationality: Option<Expression>,
    #[serde(default)]
    pub option: Vec<RawOption>,
    #[serde(default = "super::yes")]
    pub enabled: bool,
    pub note: Option<String>,
    /// Cited sources, or texts.
    pub source: Option<OneOrMany>,
}

/// The role in which an event reaches an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The event was directed at the actor.
    Target,
    /// It happened in a place of the actor's.
    Host,
    /// The actor is the target's patron.
    Patron,
    /// The actor counts the target as an ally.
    Ally,
    /// The actor counts the target as a rival.
    Rival,
    /// The actor did it.
    Perpetrator,
    /// The actor claimed it.
    Claimant,
    /// None of the other roles.
    Onlooker,
    /// Whatever the role.
    Any,
}

/// One role, or a list of roles.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Standings {
    One(Standing),
    Many(Vec<Standing>),
}

impl Standings {
    /// The roles in the order in which they were written.
    pub fn list(&self) -> &[Standing] {
        match self {
            Self::One(standing) => std::slice::from_ref(standing),
            Self::Many(standings) => standings,
        }
    }
}

/// How an actor answers events of certain kinds that reach it in certain roles.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    pub label: Option<String>,
    /// An actor, or a set of actors.
    pub who: String,
    /// The actions that are answered.
    pub on: OneOrMany,
    /// The role in which the event reaches the actor.
    #[serde(rename = "as")]
    pub standing: Standings,
    /// Events that were carried out (the default), foiled, or any.
    #[serde(default)]
    pub outcome: Outcome,
    /// The rule applies only when this holds.
    pub when: Option<String>,
    /// How sharply scores decide (default 1; inf: always the best).
    pub rationality: Option<Expression>,
    #[serde(default)]
    pub if_pending: IfPending,
    /// Days after its last answer during which the rule does not react (default 0).
    pub cooldown: Option<Expression>,
    pub option: Vec<RawOption>,
    #[serde(default = "super::yes")]
    pub enabled: bool,
    pub note: Option<String>,
    /// Cited sources, or texts.
    pub source: Option<OneOrMany>,
    /// Appended to the lists that are inherited. Only in a scenario that extends another.
    pub add: Option<Additions>,
}
