//! The chronicle of one run: who did what to whom, why, who was blamed for it, and what followed.

use serde::Serialize;

use crate::engine::{Ending, RunState};
use crate::model::{Metric, MetricKind, Model, Watched};

mod csv;
mod record;
mod text;

pub use record::Recorder;

/// The story of one run, and what it came to.
///
/// Serialized, it is one object whose `entries` follow the run in time. Days count from the start of the scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Chronicle<'m> {
    /// Which run it is.
    pub run: RunHeader<'m>,
    /// What happened, in order.
    pub entries: Vec<Entry<'m>>,
    /// What it came to; `None` for a run that could not go on.
    pub result: Option<RunResult<'m>>,
}

/// Which run a chronicle tells.
#[derive(Clone, Debug, Serialize)]
pub struct RunHeader<'m> {
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's title.
    pub title: &'m str,
    /// Seed of all random streams.
    pub seed: u64,
    /// Number of the run in its batch, from 0.
    pub run: u64,
    /// Number of the draw of the parameters, from 0; `None` when parameters are held at their defaults.
    pub world: Option<u64>,
    /// First and last date.
    pub period: [String; 2],
    /// Every parameter with the value that it has in this run.
    pub parameters: Vec<ParameterValue<'m>>,
}

/// A parameter in one run.
#[derive(Clone, Debug, Serialize)]
pub struct ParameterValue<'m> {
    /// Name of the parameter.
    pub id: &'m str,
    /// Its value.
    pub value: f64,
    /// Whether it was drawn from a prior.
    pub drawn: bool,
}

/// Something with an id and a name for readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Name<'m> {
    /// As the scenario spells it.
    pub id: &'m str,
    /// For readers.
    pub label: &'m str,
}

/// When something happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct When {
    /// Days since the start of the scenario.
    pub day: f64,
    /// The calendar date.
    pub date: String,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry<'m> {
    /// An action, with all that it brought about at once.
    Event(Box<EventEntry<'m>>),
    /// A process chose a course that takes its time, or that does nothing.
    Decision(Decision<'m>),
    /// A course that had been chosen was not carried out.
    Dropped(Dropped<'m>),
    /// An entry of the calendar changed stocks.
    Calendar(CalendarNote<'m>),
}

/// An action and its direct consequences. Roles are the true ones.
#[derive(Clone, Debug, Serialize)]
pub struct EventEntry<'m> {
    /// Number of the event in its run, from 0.
    pub number: u64,
    /// When it happened.
    #[serde(flatten)]
    pub when: When,
    /// What was done.
    pub action: Name<'m>,
    /// What the perpetrator does, in the third person.
    pub verb: &'m str,
    /// Who did it.
    pub perpetrator: Option<Name<'m>>,
    /// Against whom.
    pub target: Option<Name<'m>>,
    /// Where.
    pub place: Option<Name<'m>>,
    /// Whose place it is.
    pub host: Option<Name<'m>>,
    /// Who says that it was them.
    pub claimant: Option<Name<'m>>,
    /// Who is behind it in secret.
    pub sponsor: Option<Name<'m>>,
    /// People killed.
    pub killed: f64,
    /// Whether it came to nothing.
    pub foiled: bool,
    /// Conflict-cooperation weight of the action (Goldstein 1992).
    pub goldstein: f64,
    /// Why it happened.
    pub cause: Cause<'m>,
    /// Pairs that moved on the ladder because of it.
    pub ladder: Vec<LadderMove<'m>>,
    /// Whom those who look into it believe responsible.
    pub beliefs: Vec<Belief<'m>>,
    /// What rules made of it.
    pub decisions: Vec<Decision<'m>>,
    /// Whether people can be killed by, a claim can be made for, and observers can err about such events.
    #[serde(skip)]
    open: OpenQuestions,
}

/// What a reader wants to be told about an event even if the answer is "nobody".
#[derive(Clone, Copy, Debug)]
struct OpenQuestions {
    killed: bool,
    claim: bool,
    belief: bool,
}

/// Why an event happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cause<'m> {
    /// Process, rule, or calendar entry.
    pub source: Source<'m>,
    /// The course that was chosen, with the probability that it had.
    pub course: Option<Course<'m>>,
    /// Number of the event that a rule answers.
    pub answers: Option<u64>,
}

/// A part of the scenario that makes things happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Source<'m> {
    /// `process`, `rule` or `calendar`.
    pub kind: &'static str,
    /// Its name.
    #[serde(flatten)]
    pub name: Name<'m>,
}

/// A course that an actor chose.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Course<'m> {
    /// Its name.
    #[serde(flatten)]
    pub name: Name<'m>,
    /// `escalate`, `hold` or `deescalate`.
    pub stance: Option<&'static str>,
    /// The probability with which it was chosen.
    pub probability: f64,
    /// Whether there was no other.
    #[serde(skip)]
    only: bool,
}

/// What one event did to a pair on the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LadderMove<'m> {
    /// The pair.
    pub between: [Name<'m>; 2],
    /// Where it stood.
    pub before: Level<'m>,
    /// Where it stands now.
    pub after: Level<'m>,
}

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Level<'m> {
    /// Its index: 0 is where every pair starts.
    pub level: u16,
    /// Its name.
    #[serde(flatten)]
    pub name: Name<'m>,
}

/// Whom an actor believes responsible; `None` if it cannot say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Belief<'m> {
    /// Who believes it.
    pub observer: Name<'m>,
    /// Whom it believes responsible.
    pub blamed: Option<Name<'m>>,
}

/// An actor chose a course.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision<'m> {
    /// When it happened.
    #[serde(flatten)]
    pub when: When,
    /// Who decides.
    pub actor: Name<'m>,
    /// The process or rule by which it decides.
    pub source: Source<'m>,
    /// What it chose.
    pub course: Course<'m>,
    /// When it will be done; `None` for a course that does nothing.
    pub due: Option<When>,
}

/// A course was not carried out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Dropped<'m> {
    /// When it happened.
    #[serde(flatten)]
    pub when: When,
    /// Who decides.
    pub actor: Name<'m>,
    /// The process or rule by which it had decided.
    pub source: Source<'m>,
    /// What it had chosen.
    pub course: Name<'m>,
    /// `no_longer_holds`, `replaced` or `no_target`.
    pub reason: &'static str,
}

/// An entry of the calendar took effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CalendarNote<'m> {
    /// When it happened.
    #[serde(flatten)]
    pub when: When,
    /// Its name.
    #[serde(flatten)]
    pub name: Name<'m>,
}

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub struct RunResult<'m> {
    /// How the run ended: `horizon`, `absorbed` or `capped`.
    pub ending: &'static str,
    /// When it happened.
    #[serde(flatten)]
    pub when: When,
    /// Number of events.
    pub events: u64,
    /// The endgame; `None` for a run that was stopped at the cap on events.
    pub endgame: Option<Name<'m>>,
    /// Every flag, in the scenario's order.
    pub flags: Vec<FlagValue<'m>>,
    /// Every metric, in the scenario's order.
    pub metrics: Vec<MetricValue<'m>>,
}

/// A flag in one run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FlagValue<'m> {
    /// Its name.
    #[serde(flatten)]
    pub name: Name<'m>,
    /// Whether it holds.
    pub value: bool,
}

/// A metric in one run.
#[derive(Clone, Debug, Serialize)]
pub struct MetricValue<'m> {
    /// Its name.
    #[serde(flatten)]
    pub name: Name<'m>,
    /// Infinite (serialized as null) for a day that never came.
    pub value: f64,
    /// Unit, when one was given.
    pub unit: Option<&'m str>,
    /// The date, for a metric that is a day.
    pub date: Option<String>,
    /// The rung, for a metric that is one.
    pub rung: Option<Name<'m>>,
}

impl<'m> RunHeader<'m> {
    /// The header of run `run` of a batch under `seed`, with the values of all parameters in the model's order. `world` is
    /// the draw that they come from, if they were drawn.
    pub fn new(
        model: &'m Model,
        scenario: &str,
        seed: u64,
        run: u64,
        world: Option<u64>,
        parameters: &[f64],
    ) -> Self {
        let parameters = (model.parameters().iter().zip(parameters))
            .map(|(parameter, &value)| ParameterValue {
                id: parameter.id(),
                value,
                drawn: world.is_some() && parameter.prior().is_some(),
            })
            .collect();
        Self {
            scenario: scenario.to_owned(),
            title: model.title(),
            seed,
            run,
            world,
            period: [model.date(0.0), model.date(model.horizon())],
            parameters,
        }
    }
}

impl<'m> RunResult<'m> {
    /// What a finished run came to; `None` while it is under way.
    pub fn new(model: &'m Model, state: &RunState) -> Option<Self> {
        let ending = match state.ending()? {
            Ending::Horizon => "horizon",
            Ending::Absorbed(_) => "absorbed",
            Ending::Capped => "capped",
        };
        let endgame = state.endgame().map(|index| {
            let endgame = &model.endgames[index as usize];
            Name {
                id: &endgame.id,
                label: &endgame.label,
            }
        });
        let flags = (model.flags.iter().zip(state.flags()))
            .map(|(flag, &value)| FlagValue {
                name: Name {
                    id: &flag.id,
                    label: &flag.label,
                },
                value,
            })
            .collect();
        let metrics = model.metrics.iter().zip(state.metrics());
        let metrics = metrics.map(|(metric, &value)| MetricValue::new(model, metric, value));
        Some(Self {
            ending,
            when: When {
                day: state.time(),
                date: model.date(state.time()),
            },
            events: state.events(),
            endgame,
            flags,
            metrics: metrics.collect(),
        })
    }
}

impl<'m> MetricValue<'m> {
    fn new(model: &'m Model, metric: &'m Metric, value: f64) -> Self {
        use MetricKind::{First, FirstBeyond, Last, Low, Peak};
        let is_day = matches!(metric.kind, First | Last | FirstBeyond { .. });
        let rung = match metric.kind {
            Peak(Watched::Pair(_)) | Low(Watched::Pair(_)) => model.rungs.get(value as usize),
            _ => None,
        };
        Self {
            name: Name {
                id: &metric.id,
                label: &metric.label,
            },
            value,
            unit: metric.unit(),
            date: (is_day && value.is_finite()).then(|| model.date(value)),
            rung: rung.map(|rung| Name {
                id: &rung.id,
                label: &rung.label,
            }),
        }
    }
}

impl<'m> Chronicle<'m> {
    /// The chronicle as an analyst would read it.
    pub fn text(&self) -> String {
        text::render(self)
    }

    /// The chronicle as CSV with a header line: one row an event, move on the ladder, belief, decision, dropped course and
    /// calendar entry, then one row for the ending, the endgame, each flag and each metric. The column `kind` tells them
    /// apart; names are ids; a day that never came is `inf`.
    pub fn csv(&self) -> String {
        csv::render(self)
    }
}
