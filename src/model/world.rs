//! Numbers that depend on parameters alone, worked out once for many runs.

use super::{Formula, MetricKind, Model, pair_index};
use std::sync::Arc;

use crate::distribution::Shape;
use crate::formula::{Environment, Field, Program, Relation, Role};

/// One setting of the parameters, and what follows from it for every run.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) mark: WorldMark,
    pub(crate) parameters: Vec<f64>,
    /// The parameters, and behind them what formulas make of parameters alone.
    pub(crate) constants: Vec<f64>,
    /// For each distribution in [`Fast::shapes`](super::Fast::shapes): its member; `None` where the parameters will not do, which
    /// the first draw reports.
    pub(crate) shapes: Vec<Option<Shape>>,
    pub(crate) slots: Vec<SlotConstants>,
    /// For each metric: its level or its window in days, where it has one.
    pub(crate) metric_levels: Vec<f64>,
    /// For each rule: its cooldown in days.
    pub(crate) cooldowns: Vec<f64>,
    pub(crate) calendar: Vec<CalendarConstants>,
    /// For each process whose hazard is a usable number made of parameters, and so the same through every run: its mean wait in
    /// days, infinite for a hazard of 0. Not a number for the others.
    pub(crate) mean_waits: Vec<f64>,
    /// For each process: how far ahead its hazard is bounded, in days; infinite for a hazard that only events change.
    pub(crate) look_ahead: Vec<f64>,
}

/// Tells worlds apart: equal for a world and its clones, which never change, and for no others.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorldMark(Arc<()>);

impl PartialEq for WorldMark {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// How one slot starts and moves between events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotConstants {
    pub initial: f64,
    pub baseline: f64,
    /// Decay rate per day, ln 2 / half-life; 0 for a slot that stays where it is.
    pub decay: f64,
    pub min: f64,
    pub max: f64,
    /// Whether nothing else depends on it.
    pub alone: bool,
}

/// When and how probably a calendar entry happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CalendarConstants {
    pub first: f64,
    pub last: f64,
    pub probability: f64,
}

/// A formula of parameters whose value cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{site} is {value}, but must be {required}{}", describe_parameters(.parameters))]
pub struct WorldError {
    /// Where the formula stands in the scenario.
    pub site: String,
    /// What it came to.
    pub value: f64,
    /// What is allowed.
    pub required: &'static str,
    /// The parameters that it reads, with their values.
    pub parameters: Vec<(String, f64)>,
}

fn describe_parameters(parameters: &[(String, f64)]) -> String {
    if parameters.is_empty() {
        return String::new();
    }
    let list: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    format!(" (with {})", list.join(", "))
}

/// Sees parameters, and who and where there is: every other access is ruled out when the formula is compiled.
#[derive(Clone, Copy)]
pub(super) struct BeforeRuns<'a> {
    pub model: &'a Model,
    pub parameters: &'a [f64],
}

impl Environment for BeforeRuns<'_> {
    fn parameter(&self, index: u32) -> f64 {
        self.parameters[index as usize]
    }
    fn stock(&self, _slot: u32) -> f64 {
        f64::NAN
    }
    fn rung(&self, _pair: u32) -> f64 {
        f64::NAN
    }
    fn metric(&self, _index: u32) -> f64 {
        f64::NAN
    }
    fn role(&self, _role: Role) -> f64 {
        f64::NAN
    }
    fn field(&self, _field: Field) -> f64 {
        f64::NAN
    }
    fn time(&self) -> f64 {
        f64::NAN
    }
    fn stock_slot(&self, stock: u32, actor: u32, column: u32) -> Option<u32> {
        self.model.stock_slot(stock, actor, column)
    }
    fn elsewhere(&self, stock: u32) -> f64 {
        self.model.stocks[stock as usize].elsewhere
    }
    fn pair_slot(&self, a: u32, b: u32) -> u32 {
        pair_index(a, b, self.model.actors.len())
    }
    fn host(&self, place: u32) -> f64 {
        f64::from(self.model.places[place as usize].host)
    }
    fn patron(&self, actor: u32) -> f64 {
        f64::from(self.model.actors[actor as usize].patron)
    }
    fn related(&self, relation: Relation, a: u32, b: u32) -> bool {
        self.model.related(relation, a, b)
    }
}

impl World {
    /// The world in which the model's parameters have the values `parameters`, in the model's order.
    ///
    /// # Errors
    /// A formula of parameters comes to a value that it must not have, such as a negative half-life.
    pub fn new(model: &Model, parameters: Vec<f64>) -> Result<Self, WorldError> {
        let reader = BeforeRuns {
            model,
            parameters: &parameters,
        };
        let slots = reader.slots()?;
        let mut metric_levels = Vec::with_capacity(model.metrics.len());
        for metric in &model.metrics {
            metric_levels.push(match &metric.kind {
                MetricKind::TimeBeyond { level, .. } | MetricKind::FirstBeyond { level, .. } => {
                    reader.finite(level)?
                }
                MetricKind::Exchanges { within, .. } => {
                    reader.checked(within, "0 or more", |x| x >= 0.0)?
                }
                _ => 0.0,
            });
        }
        let mut cooldowns = Vec::with_capacity(model.rules.len());
        for rule in &model.rules {
            cooldowns.push(match &rule.cooldown {
                Some(cooldown) => reader.checked(cooldown, "0 or more", |x| x >= 0.0)?,
                None => 0.0,
            });
        }
        let mut calendar = Vec::with_capacity(model.calendar.len());
        for entry in &model.calendar {
            let first = reader.checked(&entry.days[0], "0 or more", |x| x >= 0.0)?;
            calendar.push(CalendarConstants {
                first,
                last: reader.checked(&entry.days[1], "no earlier than the first day", |x| {
                    x >= first
                })?,
                probability: match &entry.probability {
                    Some(p) => {
                        reader.checked(p, "between 0 and 1", |x| (0.0..=1.0).contains(&x))?
                    }
                    None => 1.0,
                },
            });
        }
        let look_ahead = (model.processes.iter())
            .map(|process| look_ahead(model, &slots, process))
            .collect();
        let of_parameters = |program: &Program| program.evaluate(&reader);
        let mut constants = parameters.clone();
        constants.extend(model.fast.known.iter().map(of_parameters));
        let shapes = model.fast.shapes.iter().map(|(family, programs)| {
            let values: Vec<f64> = programs.iter().map(of_parameters).collect();
            let shape = Shape::new(*family, &values).ok();
            shape.map(Shape::for_many_quantiles)
        });
        let shapes = shapes.collect();
        let mean_waits = model.processes.iter().map(|p| reader.mean_wait(p));
        let mean_waits = mean_waits.collect();
        Ok(Self {
            mark: WorldMark::default(),
            constants,
            shapes,
            slots,
            metric_levels,
            cooldowns,
            calendar,
            mean_waits,
            look_ahead,
            parameters,
        })
    }

    /// The parameters' values, in the model's order.
    pub fn parameters(&self) -> &[f64] {
        &self.parameters
    }
}

/// The most times that a clock looks ahead in a run without a candidate, however short the half-lives.
const MOST_LOOKS: f64 = 1000.0;

/// The shortest half-life among the slots that a hazard reads; a formula of `time` is bounded over a tenth of the horizon.
///
/// A look ahead over many half-lives costs nothing: the hazard is near its new level soon after the event that set it off.
fn look_ahead(model: &Model, slots: &[SlotConstants], process: &super::Process) -> f64 {
    let half_lives = (process.reads.iter())
        .map(|&slot| slots[slot as usize].decay)
        .filter(|&decay| decay > 0.0)
        .map(|decay| std::f64::consts::LN_2 / decay);
    let own_time = process.uses_time.then_some(model.horizon / 10.0);
    let shortest = half_lives.chain(own_time).fold(f64::INFINITY, f64::min);
    shortest.max(model.horizon / MOST_LOOKS)
}

impl BeforeRuns<'_> {
    fn slots(&self) -> Result<Vec<SlotConstants>, WorldError> {
        let mut slots = Vec::with_capacity(self.model.slots.len());
        for (slot, dependents) in self.model.slots.iter().zip(&self.model.slot_dependents) {
            let or = |formula: &Option<Formula>, default: f64| match formula {
                Some(formula) => self.finite(formula),
                None => Ok(default),
            };
            let min = or(&slot.min, f64::NEG_INFINITY)?;
            let max = or(&slot.max, f64::INFINITY)?;
            if let Some(formula) = slot.max.as_ref().filter(|_| max < min) {
                return Err(self.error(formula, max, "at least `min`"));
            }
            let within = |x: f64| min <= x && x <= max;
            let initial =
                self.checked(&slot.initial, "between the stock's `min` and `max`", within)?;
            let baseline = match &slot.baseline {
                Some(formula) => {
                    self.checked(formula, "between the stock's `min` and `max`", within)?
                }
                None => initial,
            };
            let decay = match &slot.half_life {
                Some(formula) => {
                    let half_life = formula.program.evaluate(self);
                    if half_life.is_nan() || half_life <= 0.0 {
                        return Err(self.error(formula, half_life, "a positive number of days"));
                    }
                    // Half-lives below 4e-309 days would come to an infinite rate, which has no product with a time of 0.
                    (std::f64::consts::LN_2 / half_life).min(f64::MAX)
                }
                None => 0.0,
            };
            slots.push(SlotConstants {
                initial,
                baseline,
                decay,
                min,
                max,
                alone: dependents.are_none(),
            });
        }
        Ok(slots)
    }

    fn mean_wait(&self, process: &super::Process) -> f64 {
        let hazard = &process.hazard.program;
        if !hazard.only_parameters() {
            return f64::NAN;
        }
        let value = hazard.evaluate(self);
        if value.is_finite() && value >= 0.0 {
            1.0 / value.abs()
        } else {
            f64::NAN
        }
    }

    fn finite(&self, formula: &Formula) -> Result<f64, WorldError> {
        self.checked(formula, "a finite number", |_| true)
    }

    fn checked(
        &self,
        formula: &Formula,
        required: &'static str,
        allowed: impl Fn(f64) -> bool,
    ) -> Result<f64, WorldError> {
        let value = formula.program.evaluate(self);
        if value.is_finite() && allowed(value) {
            Ok(value)
        } else {
            Err(self.error(formula, value, required))
        }
    }

    fn error(&self, formula: &Formula, value: f64, required: &'static str) -> WorldError {
        WorldError {
            site: self.model.sites[formula.site as usize].clone(),
            value,
            required,
            parameters: self.read_by(&formula.program),
        }
    }

    fn read_by(&self, program: &Program) -> Vec<(String, f64)> {
        let reads = program.reads();
        let name = |&index: &u32| {
            let index = index as usize;
            (
                self.model.parameters[index].id.clone(),
                self.parameters[index],
            )
        };
        reads.parameters.iter().map(name).collect()
    }
}
