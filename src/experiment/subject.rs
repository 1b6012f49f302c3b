//! A model as a function of its parameters and of chance, for sensitivity analyses.
//!
//! The chance of a run depends on its key alone, and its parameters on the point of the design alone. So two runs can share
//! one and differ in the other, as the designs of [`crate::sensitivity`] need it.

use std::sync::{Arc, Mutex, PoisonError};

use super::Progress;
use crate::distribution::Distribution;
use crate::engine::{Problem, RunError, RunState, Simulator};
use crate::model::{MetricKind, Model, World, WorldError};
use crate::sensitivity::{self, Factor, Failure, Kind, Level, Outcome, Quantile};

/// Probabilities nearer to 0 or 1 than this are moved there, so that every quantile is finite.
const TAIL: f64 = f64::EPSILON;
/// Name of the failure of a run that was stopped at the cap on events.
pub const CAPPED: &str = "the run was stopped at `max_events`";

/// What of a run is studied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// 1 if the run ends in the endgame with this index, else 0.
    Endgame(usize),
    /// 1 if the flag with this index holds, else 0.
    Flag(usize),
    /// The metric with this index. A day that never came counts as the horizon.
    Metric(usize),
    /// The index of the endgame, a category.
    Category,
}

impl Quantity {
    /// Whether it is 0 or 1, so that its mean is a probability.
    pub fn is_probability(self) -> bool {
        matches!(self, Quantity::Endgame(_) | Quantity::Flag(_))
    }

    /// Reads it off a finished run, of which the endgame (if any), the flags and the metrics are known.
    ///
    /// # Errors
    /// A failure by name: the run was stopped at the cap on events, or the metric is not finite.
    pub fn read(
        self,
        model: &Model,
        endgame: Option<u32>,
        flag: impl FnOnce(usize) -> bool,
        metric: impl FnOnce(usize) -> f64,
    ) -> Outcome {
        let Some(endgame) = endgame else {
            return Err(Failure::new(CAPPED));
        };
        match self {
            Quantity::Endgame(index) => Ok(f64::from(u8::from(endgame as usize == index))),
            Quantity::Flag(index) => Ok(f64::from(u8::from(flag(index)))),
            Quantity::Category => Ok(f64::from(endgame)),
            Quantity::Metric(index) => {
                let value = metric(index);
                if value.is_finite() {
                    Ok(value)
                } else if value > 0.0 && is_day(model, index) {
                    Ok(model.horizon())
                } else {
                    let id = model.metrics()[index].id();
                    Err(Failure::new(format!(
                        "metric `{id}` is not a finite number"
                    )))
                }
            }
        }
    }
}

/// Whether the metric with this index is a day, which may never come.
pub fn is_day(model: &Model, metric: usize) -> bool {
    matches!(
        model.metrics()[metric].kind,
        MetricKind::First | MetricKind::Last | MetricKind::FirstBeyond { .. }
    )
}

/// A parameter that is varied, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Varied {
    /// Index of the parameter in the model.
    pub parameter: usize,
    /// Its distribution.
    pub distribution: Distribution,
}

impl Varied {
    /// The parameter as a factor of a study.
    pub fn factor(&self, model: &Model) -> Factor {
        self.trimmed_factor(model, 0.0)
    }

    /// The same without the outermost probability `trim` on both sides, for designs that go to the ends of a factor.
    pub fn trimmed_factor(&self, model: &Model, trim: f64) -> Factor {
        let name = model.parameters()[self.parameter].id();
        if let Distribution::Discrete(discrete) = &self.distribution {
            let level = |(value, weight): (f64, f64)| Level {
                name: value.to_string(),
                value,
                weight,
            };
            return Factor {
                name: name.to_owned(),
                group: None,
                kind: Kind::Discrete(discrete.atoms().map(level).collect()),
            };
        }
        let distribution = self.distribution.clone();
        let quantile = move |u: f64| {
            let u = trim + (1.0 - 2.0 * trim) * u;
            distribution.quantile(u.clamp(TAIL, 1.0 - TAIL))
        };
        Factor::continuous(name, Quantile::Custom(Arc::new(quantile)))
    }
}

/// One quantity of a model as a function of some parameters; all others have their default values.
pub struct Subject<'a> {
    model: &'a Model,
    quantity: Quantity,
    seed: u64,
    parameters: Vec<usize>,
    progress: &'a dyn Progress,
    /// Simulators that no thread is using. None of their state reaches into the next run.
    idle: Mutex<Vec<(Simulator<'a>, RunState)>>,
}

impl<'a> Subject<'a> {
    /// `quantity` as a function of the parameters `varied`, in this order. Random streams have `seed`, and the key of a run
    /// is its number.
    pub fn new(
        model: &'a Model,
        quantity: Quantity,
        varied: &[Varied],
        seed: u64,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            model,
            quantity,
            seed,
            parameters: varied.iter().map(|v| v.parameter).collect(),
            progress,
            idle: Mutex::new(Vec::new()),
        }
    }

    fn run(&self, world: &World, key: u64) -> Outcome {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut simulator, mut state) = idle().pop().unwrap_or_else(|| {
            let simulator = Simulator::new(self.model, self.seed);
            let state = simulator.allocate();
            (simulator, state)
        });
        let unobserved = &mut crate::engine::Unobserved;
        let ended = simulator
            .start(world, key, &mut state)
            .and_then(|()| simulator.finish(world, &mut state, unobserved));
        let outcome = match ended {
            Ok(()) => self.quantity.read(
                self.model,
                state.endgame(),
                |flag| state.flags()[flag],
                |metric| state.metrics()[metric],
            ),
            Err(error) => Err(run_failure(&error)),
        };
        idle().push((simulator, state));
        outcome
    }
}

impl sensitivity::Model for Subject<'_> {
    fn evaluate(&self, values: &[f64], key: u64) -> Outcome {
        let mut parameters = self.model.default_parameters();
        for (&parameter, &value) in self.parameters.iter().zip(values) {
            parameters[parameter] = value;
        }
        let world = World::new(self.model, parameters);
        let outcome = match world {
            Ok(world) => self.run(&world, key),
            Err(error) => Err(world_failure(&error)),
        };
        self.progress.advanced(1);
        outcome
    }
}

/// Failures that differ in their values alone have one name.
fn world_failure(error: &WorldError) -> Failure {
    Failure::new(format!("{} must be {}", error.site, error.required))
}

fn run_failure(error: &RunError) -> Failure {
    let problem = match error.problem {
        Problem::NotFinite(_) => "is not a finite number",
        Problem::NegativeHazard(_) => "is a negative hazard",
        Problem::Unbounded | Problem::BoundBroken { .. } => "cannot be bounded",
        Problem::NotAProbability(_) => "is not a probability",
        Problem::ProbabilitiesExceedOne(_) => "has probabilities that add up to more than 1",
        Problem::NegativeRationality(_) => "is a negative rationality",
        Problem::NegativeWeight(_) => "is a negative weight",
        Problem::NegativeDraw(_) => "came to a negative number",
        Problem::Distribution(_) => "has a distribution with numbers that it cannot have",
    };
    Failure::new(format!("{} {problem}", error.site))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture::rivals;
    use crate::sensitivity::Model as _;

    #[test]
    fn a_run_depends_on_values_and_key_alone() {
        let model = rivals();
        let varied: Vec<Varied> = (model.parameters().iter().enumerate())
            .filter_map(|(parameter, p)| {
                let distribution = p.prior()?.clone();
                Some(Varied {
                    parameter,
                    distribution,
                })
            })
            .collect();
        assert!(!varied.is_empty());
        let values =
            |u: f64| -> Vec<f64> { varied.iter().map(|v| v.factor(&model).value(u)).collect() };
        let fresh = |u: f64, key: u64| {
            Subject::new(&model, Quantity::Metric(0), &varied, 1, &()).evaluate(&values(u), key)
        };
        let used = Subject::new(&model, Quantity::Metric(0), &varied, 1, &());
        let mut seen = std::collections::BTreeSet::new();
        for key in [5, u64::MAX, 5, 17, 1 << 63, 6, 7, 8] {
            let outcome = used.evaluate(&values(0.7), key);
            assert_eq!(outcome, fresh(0.7, key));
            seen.insert(outcome.unwrap().to_bits());
        }
        assert!(seen.len() > 1, "the key makes a difference");
        // The ends of every prior are finite.
        for end in [0.0, 1.0] {
            assert!(values(end).iter().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn capped_runs_are_failures_and_days_that_never_came_are_the_horizon() {
        let model = rivals();
        let read = |quantity: Quantity, endgame, value: f64| {
            quantity.read(&model, endgame, |_| true, |_| value)
        };
        assert_eq!(
            read(Quantity::Flag(0), None, 0.0),
            Err(Failure::new(CAPPED))
        );
        assert_eq!(read(Quantity::Flag(0), Some(0), 0.0), Ok(1.0));
        assert_eq!(read(Quantity::Endgame(1), Some(0), 0.0), Ok(0.0));
        assert_eq!(read(Quantity::Category, Some(1), 0.0), Ok(1.0));
        let first = model
            .metrics()
            .iter()
            .position(|m| m.id() == "first_raid")
            .unwrap();
        let raids = model
            .metrics()
            .iter()
            .position(|m| m.id() == "raids")
            .unwrap();
        let never = f64::INFINITY;
        assert_eq!(
            read(Quantity::Metric(first), Some(0), never),
            Ok(model.horizon())
        );
        assert!(read(Quantity::Metric(raids), Some(0), never).is_err());
    }
}
