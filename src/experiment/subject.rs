//! Models as functions of their parameters and of chance, for sensitivity analyses.
//!
//! The chance of a run depends on its key alone, and its parameters on the point of the design alone. So two runs can share
//! one and differ in the other, as the designs of [`crate::sensitivity`] need it.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::Progress;
use crate::distribution::Distribution;
use crate::engine::{Problem, RunError, RunState, Simulator};
use crate::model::{MetricKind, Model, World, WorldError};
use crate::sensitivity::{Design, Factor, Failure, Kind, Level, Outcome, Quantile, child_key};

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
    /// The value at probability `u`, moved off the ends so that it is finite.
    fn quantile(&self, u: f64) -> f64 {
        self.distribution.quantile(u.clamp(TAIL, 1.0 - TAIL))
    }
}

/// A parameter by its name in all scenarios of a study, in some of which it may be certain or missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Name of the parameter.
    pub name: String,
    /// For each scenario, what is varied there.
    pub in_scenario: Vec<Option<Varied>>,
}

impl Input {
    /// Whether it has the same distribution wherever it is varied. If not, the factor is the probability (from 0 to 1) below
    /// its value, which stands for another value in each scenario.
    pub fn is_common(&self) -> bool {
        self.common().is_some()
    }

    fn common(&self) -> Option<&Varied> {
        let mut places = self.in_scenario.iter().flatten();
        let first = places.next()?;
        let same = |v: &Varied| v.distribution == first.distribution;
        places.all(same).then_some(first)
    }

    /// The parameter as a factor of a study.
    pub fn factor(&self) -> Factor {
        self.trimmed_factor(0.0)
    }

    /// The same without the outermost probability `trim` on both sides, for designs that go to the ends of a factor.
    pub fn trimmed_factor(&self, trim: f64) -> Factor {
        let Some(varied) = self.common() else {
            return Factor::uniform(&self.name, trim, 1.0 - trim);
        };
        if let Distribution::Discrete(discrete) = &varied.distribution {
            let level = |(value, weight): (f64, f64)| Level {
                name: value.to_string(),
                value,
                weight,
            };
            return Factor {
                name: self.name.clone(),
                group: None,
                kind: Kind::Discrete(discrete.atoms().map(level).collect()),
            };
        }
        let varied = varied.clone();
        let quantile = move |u: f64| varied.quantile(trim + (1.0 - 2.0 * trim) * u);
        Factor::continuous(&self.name, Quantile::Custom(Arc::new(quantile)))
    }
}

/// One scenario of a study, and what is read off its runs.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The scenario.
    pub model: &'a Model,
    /// Values of its parameters where none is varied.
    pub base: Vec<f64>,
    /// What is read off each run.
    pub quantities: Vec<Quantity>,
    /// For each endgame its number as a category, so that endgames of one name are one category in all scenarios.
    pub categories: Vec<f64>,
}

impl<'a> Case<'a> {
    /// A scenario that stands alone: parameters with one possible value have it and all others their default values, and the
    /// category of an endgame is its index.
    pub fn alone(model: &'a Model, quantities: Vec<Quantity>) -> Self {
        let categories = (0..model.endgames().len()).map(|i| i as f64).collect();
        let base = model.parameters().iter().map(|parameter| {
            let support = parameter.prior().map(Distribution::support);
            match support {
                Some((low, high)) if low == high => low,
                _ => parameter.value(),
            }
        });
        Self {
            model,
            base: base.collect(),
            quantities,
            categories,
        }
    }

    fn read(&self, quantity: Quantity, state: &RunState) -> Outcome {
        let outcome = quantity.read(
            self.model,
            state.endgame(),
            |flag| state.flags()[flag],
            |metric| state.metrics()[metric],
        );
        match quantity {
            // The outcome is the index of an endgame.
            Quantity::Category => outcome.map(|index| self.categories[index as usize]),
            _ => outcome,
        }
    }
}

/// Quantities of one or more scenarios as functions of some parameters; all others have their default values.
///
/// With several scenarios the first values say which one it is, and the rest are the parameters.
pub struct Subject<'a> {
    cases: &'a [Case<'a>],
    /// Sizes of the categories that say which scenario it is, the last changing fastest.
    categories: Vec<usize>,
    inputs: &'a [Input],
    common: Vec<bool>,
    seed: u64,
    repeats: u64,
    progress: &'a dyn Progress,
    /// For each scenario, simulators that no thread is using. None of their state reaches into the next run.
    idle: Vec<Mutex<Vec<(Simulator<'a>, RunState)>>>,
}

impl<'a> Subject<'a> {
    /// The quantities of `cases` as functions of their number and of `inputs`, in this order. The number has the digits of
    /// `categories`, which are so many as their product; none for a single case. Random streams have `seed`, and the key of a run
    /// is its number, so that runs of several scenarios with one key share their chance.
    pub fn new(
        cases: &'a [Case<'a>],
        categories: Vec<usize>,
        inputs: &'a [Input],
        seed: u64,
        progress: &'a dyn Progress,
    ) -> Self {
        debug_assert_eq!(cases.len(), categories.iter().product::<usize>());
        Self {
            cases,
            categories,
            inputs,
            common: inputs.iter().map(Input::is_common).collect(),
            seed,
            repeats: 1,
            progress,
            idle: cases.iter().map(|_| Mutex::default()).collect(),
        }
    }

    /// The same with the means of so many runs, at least 1, in the place of single runs. A mean of runs one of which fails is a
    /// failure.
    #[must_use]
    pub fn repeated(mut self, repeats: u64) -> Self {
        self.repeats = repeats.max(1);
        self
    }

    /// Makes one run, or the runs of one mean, and reads the quantities off it.
    pub fn evaluate(&self, values: &[f64], key: u64) -> Vec<Outcome> {
        let (digits, values) = values.split_at(self.categories.len());
        let number = (digits.iter().zip(&self.categories))
            .fold(0, |number, (&digit, size)| number * size + digit as usize);
        let case = &self.cases[number];
        let mut parameters = case.base.clone();
        for ((input, &value), &common) in self.inputs.iter().zip(values).zip(&self.common) {
            if let Some(varied) = &input.in_scenario[number] {
                parameters[varied.parameter] = if common {
                    value
                } else {
                    varied.quantile(value)
                };
            }
        }
        let outcomes = match World::new(case.model, parameters) {
            Ok(world) if self.repeats == 1 => self.run(number, &world, key),
            Ok(world) => self.mean(number, &world, key),
            Err(error) => case.all_failed(&world_failure(&error)),
        };
        self.progress.advanced(self.repeats);
        outcomes
    }

    /// Makes some rows of a design, in parallel; the outcomes are in the order of the rows.
    pub fn rows(&self, design: &dyn Design, rows: Range<usize>) -> Vec<Vec<Outcome>> {
        let dimensions = design.factors().len();
        let row = |values: &mut Vec<f64>, row| {
            let key = design.row(row, values);
            self.evaluate(values, key)
        };
        rows.into_par_iter()
            .map_init(|| vec![0.0; dimensions], row)
            .collect()
    }

    /// Means over runs with keys of their own below `key`.
    fn mean(&self, number: usize, world: &World, key: u64) -> Vec<Outcome> {
        let mut sums: Vec<Outcome> = vec![Ok(0.0); self.cases[number].quantities.len()];
        for repeat in 0..self.repeats {
            let outcomes = self.run(number, world, child_key(key, repeat));
            for (sum, outcome) in sums.iter_mut().zip(outcomes) {
                match (&mut *sum, outcome) {
                    (Ok(sum), Ok(value)) => *sum += value,
                    (Ok(_), Err(failure)) => *sum = Err(failure),
                    (Err(_), _) => {}
                }
            }
        }
        let mean = |sum: Outcome| sum.map(|sum| sum / self.repeats as f64);
        sums.into_iter().map(mean).collect()
    }

    fn run(&self, number: usize, world: &World, key: u64) -> Vec<Outcome> {
        let case = &self.cases[number];
        let idle = || {
            self.idle[number]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let ready = idle().pop();
        let (mut simulator, mut state) = ready.unwrap_or_else(|| {
            let simulator = Simulator::new(case.model, self.seed);
            let state = simulator.allocate();
            (simulator, state)
        });
        let unobserved = &mut crate::engine::Unobserved;
        let ended = simulator
            .start(world, key, &mut state)
            .and_then(|()| simulator.finish(world, &mut state, unobserved));
        let outcomes = match ended {
            Ok(()) => (case.quantities.iter())
                .map(|&quantity| case.read(quantity, &state))
                .collect(),
            Err(error) => case.all_failed(&run_failure(&error)),
        };
        idle().push((simulator, state));
        outcomes
    }
}

impl Case<'_> {
    fn all_failed(&self, failure: &Failure) -> Vec<Outcome> {
        vec![Err(failure.clone()); self.quantities.len()]
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
    use crate::distribution::{Family, Shape};
    use crate::experiment::fixture::{RIVALS, model_of, rivals};

    /// All parameters with a prior, in one or two scenarios.
    fn inputs(models: &[&Model]) -> Vec<Input> {
        let varied = |model: &Model, name: &str| {
            let parameters = model.parameters();
            let parameter = parameters.iter().position(|p| p.id() == name)?;
            let distribution = parameters[parameter].prior()?.clone();
            Some(Varied {
                parameter,
                distribution,
            })
        };
        let input = |name: &str| Input {
            name: name.to_owned(),
            in_scenario: models.iter().map(|model| varied(model, name)).collect(),
        };
        let all = ["rate", "temper"].map(input).into_iter();
        all.filter(|i| i.in_scenario.iter().any(Option::is_some))
            .collect()
    }

    #[test]
    fn a_run_depends_on_values_and_key_alone() {
        let model = rivals();
        let cases = [Case::alone(
            &model,
            vec![Quantity::Metric(0), Quantity::Category],
        )];
        let inputs = inputs(&[&model]);
        assert_eq!(inputs.len(), 1);
        let values = |u: f64| vec![inputs[0].factor().value(u)];
        let fresh = |u: f64, key: u64| {
            Subject::new(&cases, vec![], &inputs, 1, &()).evaluate(&values(u), key)
        };
        let used = Subject::new(&cases, vec![], &inputs, 1, &());
        let mut seen = std::collections::BTreeSet::new();
        for key in [5, u64::MAX, 5, 17, 1 << 63, 6, 7, 8] {
            let outcomes = used.evaluate(&values(0.7), key);
            assert_eq!(outcomes, fresh(0.7, key));
            assert_eq!(outcomes.len(), 2);
            seen.insert(outcomes[0].clone().unwrap().to_bits());
        }
        assert!(seen.len() > 1, "the key makes a difference");
        // The ends of every prior are finite.
        for end in [0.0, 1.0] {
            assert!(values(end).iter().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn scenarios_share_chance_and_have_priors_of_their_own() {
        let calm = rivals();
        let fierce = model_of(
            &RIVALS
                .replace("median = 0.03, sigma = 0.8", "median = 0.12, sigma = 0.8")
                .replace(
                    "value = 0.5\nbasis = \"assumption\"",
                    "value = 0.5\nbasis = \"assumption\"\nprior = { dist = \"uniform\", low = 0, high = 1 }",
                )
                .replace("id = \"tension\"", "id = \"strain\""),
        );
        let inputs = inputs(&[&calm, &fierce]);
        assert_eq!(inputs.len(), 2);
        assert!(!inputs[0].is_common() && inputs[1].is_common());
        assert_eq!(inputs[0].factor().value(0.25), 0.25);
        assert_eq!(inputs[0].trimmed_factor(0.1).value(0.0), 0.1);
        let uniform = Distribution::from(Shape::new(Family::Uniform, &[0.0, 1.0]).unwrap());
        assert_eq!(
            inputs[1].in_scenario[1].as_ref().unwrap().distribution,
            uniform
        );
        // war and calm are common, tension and strain are not.
        let case = |model, categories: [f64; 3]| Case {
            categories: categories.to_vec(),
            ..Case::alone(model, vec![Quantity::Metric(0), Quantity::Category])
        };
        let both = [case(&calm, [0.0, 1.0, 2.0]), case(&fierce, [0.0, 3.0, 2.0])];
        let subject = Subject::new(&both, vec![2], &inputs, 1, &());
        let raids = |outcomes: &[Outcome]| outcomes[0].clone().unwrap();
        let (mut more, mut seen) = (0, std::collections::BTreeSet::new());
        for key in 0..200 {
            let one = subject.evaluate(&[0.0, 0.5, 0.5], key);
            let other = subject.evaluate(&[1.0, 0.5, 0.5], key);
            more += i32::from(raids(&other) > raids(&one)) - i32::from(raids(&other) < raids(&one));
            seen.insert(one[1].clone().unwrap() as u64);
            seen.insert(other[1].clone().unwrap() as u64);
            // The second parameter is certain in the first scenario.
            assert_eq!(one, subject.evaluate(&[0.0, 0.5, 0.9], key));
        }
        assert!(more > 100, "{more}");
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
        // The median of the first parameter is 0.03 in the first scenario and 0.12 in the second: with that value by hand,
        // the run is the same.
        let alone = [Case::alone(&calm, vec![Quantity::Metric(0)])];
        let alone_inputs = self::inputs(&[&calm]);
        let single = Subject::new(&alone, vec![], &alone_inputs, 1, &());
        let by_hand = alone_inputs[0].factor().value(0.5);
        assert!((by_hand - 0.03).abs() < 1e-12);
        assert_eq!(
            single.evaluate(&[by_hand], 7)[0],
            subject.evaluate(&[0.0, 0.5, 0.5], 7)[0]
        );
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
