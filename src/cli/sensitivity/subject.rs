//! What a study is of: scenarios that are named, or an experiment with its scenarios, variants, levers and sweeps.

use serde_json::{Value, json};

use super::Args;
use super::choose::{self, Named};
use crate::batch::axes::{Axis, Values};
use crate::batch::check::{self, Options};
use crate::batch::plan::{Cell, Plan};
use crate::cli::kind::Kind;
use crate::cli::prepare::{Prepared, prepare};
use crate::cli::worlds::{SCENARIO, category_factor, weights_of};
use crate::cli::{CliError, Output};
use crate::distribution::{Discrete, Distribution, Family, Shape};
use crate::experiment::{Case, Input, Varied, WorldSource};
use crate::report::manifest::ScenarioDescription;
use crate::scenario::extend::DiskFiles;
use crate::sensitivity::Factor;

/// Name of the factor that says which variant of an experiment is applied.
const VARIANT: &str = "variant";

/// The models of a study.
pub(in crate::cli) enum StudySubject {
    Scenarios {
        prepared: Vec<Prepared>,
        weights: Vec<f64>,
    },
    Experiment(Box<Plan>),
}

impl StudySubject {
    /// Loads what is named.
    ///
    /// # Errors
    /// Whatever is wrong with it; a usage error for options that an experiment decides itself.
    pub(super) fn load(args: &Args, out: &mut Output) -> Result<Self, CliError> {
        if let Some(name) = args
            .scenarios
            .iter()
            .find(|name| Kind::of(name) == Some(Kind::Experiment))
        {
            return load_experiment(args, name, out).map(|plan| Self::Experiment(Box::new(plan)));
        }
        let mut prepared: Vec<Prepared> = Vec::new();
        for scenario in &args.scenarios {
            let next = prepare(scenario, &args.set, out)?;
            if prepared
                .iter()
                .any(|one| one.loaded.name == next.loaded.name)
            {
                let message = format!("scenario {} is named twice", next.loaded.name);
                return Err(CliError::usage(message));
            }
            prepared.push(next);
        }
        let weights = weights_of(&args.weights, prepared.len())?;
        Ok(Self::Scenarios { prepared, weights })
    }

    /// The experiment, if it is one.
    pub(in crate::cli) fn experiment(&self) -> Option<&Plan> {
        match self {
            Self::Experiment(plan) => Some(plan),
            Self::Scenarios { .. } => None,
        }
    }

    /// The models; those of an experiment scenario by scenario and variant by variant.
    pub(in crate::cli) fn named(&self) -> Vec<Named<'_>> {
        match self {
            Self::Scenarios { prepared, .. } => (prepared.iter())
                .map(|prepared| Named {
                    name: prepared.loaded.name.clone(),
                    model: &prepared.model,
                    raw: Some(&prepared.loaded.raw),
                })
                .collect(),
            Self::Experiment(plan) => {
                let cells = (0..plan.scenarios.len())
                    .flat_map(|scenario| (0..plan.variants.len()).map(move |v| (scenario, v)));
                cells
                    .map(|(scenario, variant)| Named {
                        name: format!(
                            "{} / {}",
                            plan.scenarios[scenario].name, plan.variants[variant].name
                        ),
                        model: plan.model(Cell {
                            sweep: 0,
                            scenario,
                            variant,
                            lever: 0,
                        }),
                        raw: None,
                    })
                    .collect()
            }
        }
    }

    /// The factors that say which of the models is run; none if there is one.
    pub(in crate::cli) fn categories(&self) -> Vec<Factor> {
        let factors = match self {
            Self::Scenarios { prepared, weights } => {
                let names = prepared.iter().map(|p| p.loaded.name.clone());
                vec![category_factor(SCENARIO, names.collect(), weights)]
            }
            Self::Experiment(plan) => {
                let scenarios = plan.scenarios.iter().map(|s| s.name.clone());
                let weights: Vec<f64> = plan.scenarios.iter().map(|s| s.weight).collect();
                let variants: Vec<String> = plan.variants.iter().map(|v| v.name.clone()).collect();
                let equal = vec![1.0; variants.len()];
                vec![
                    category_factor(SCENARIO, scenarios.collect(), &weights),
                    category_factor(VARIANT, variants, &equal),
                ]
            }
        };
        let several = |factor: &Factor| factor.levels().is_some_and(|levels| levels.len() > 1);
        factors.into_iter().filter(several).collect()
    }

    /// What is varied in the models: levers and sweeps over their values, and the uncertain parameters that none of them sets.
    ///
    /// # Errors
    /// A usage error if nothing varies, or a name of `params` does not.
    pub(in crate::cli) fn inputs(
        &self,
        held: &[String],
        params: &[String],
        cases: &mut [Case<'_>],
    ) -> Result<Vec<Input>, CliError> {
        let named = self.named();
        let mut held = held.to_vec();
        let mut inputs = Vec::new();
        if let Self::Experiment(plan) = self {
            for axis in plan.sweeps.axes().iter().chain(plan.levers.axes()) {
                held.push(axis.parameter.clone());
                inputs.extend(setting(axis, &named, cases));
            }
        }
        let uncertain = match self {
            Self::Experiment(plan) if plan.worlds == WorldSource::Defaults => Vec::new(),
            _ => choose::inputs(&named, &held),
        };
        inputs.extend(uncertain);
        if inputs.is_empty() && named.len() < 2 {
            return Err(choose::nothing_varies());
        }
        choose::named(&named, inputs, params)
    }

    /// Title of the study.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Scenarios { prepared, .. } => match prepared.as_slice() {
                [one] => one.model.title().to_owned(),
                several => {
                    let names: Vec<&str> = several.iter().map(|p| p.loaded.name.as_str()).collect();
                    names.join(", ")
                }
            },
            Self::Experiment(plan) => plan.title.clone(),
        }
    }

    /// What decides the runs.
    pub(in crate::cli) fn identity(&self) -> Value {
        match self {
            Self::Scenarios { .. } => {
                let hash = |s: ScenarioDescription| json!({ "name": s.name, "sha256": s.sha256 });
                self.descriptions().into_iter().map(hash).collect()
            }
            Self::Experiment(plan) => json!({
                "experiment": plan.name,
                "sha256": plan.identity.experiment,
                "scenarios": plan.identity.scenarios,
            }),
        }
    }

    /// The same in full, for the manifest.
    pub(super) fn description(&self) -> Value {
        match self {
            Self::Scenarios { .. } => json!(self.descriptions()),
            Self::Experiment(_) => self.identity(),
        }
    }

    fn descriptions(&self) -> Vec<ScenarioDescription> {
        let Self::Scenarios { prepared, .. } = self else {
            return Vec::new();
        };
        let description = |prepared: &Prepared| {
            let loaded = &prepared.loaded;
            ScenarioDescription::new(loaded.name.clone(), loaded.resolved_text())
        };
        prepared.iter().map(description).collect()
    }
}

fn load_experiment(args: &Args, name: &str, out: &mut Output) -> Result<Plan, CliError> {
    let refused = |option: &str| {
        Err(
            CliError::usage(format!("{option} cannot be used with an experiment"))
                .with_help("what it would say stands in the file of the experiment"),
        )
    };
    if args.scenarios.len() > 1 {
        return Err(CliError::usage(format!("`{name}` is an experiment"))
            .with_help("name the experiment alone: its scenarios stand in its file"));
    }
    if !args.weights.is_empty() {
        return refused("--weights");
    }
    if !args.set.is_empty() {
        return refused("--set");
    }
    let plan = check::load(&DiskFiles, name, Options::default()).map_err(CliError::Scenario)?;
    if !plan.warnings.is_empty() {
        out.remark(&plan.warnings.render(out.stderr_colour));
    }
    Ok(plan)
}

/// A lever or sweep over its values, all alike. One with a single value is set in the cases and is no factor.
fn setting(axis: &Axis, named: &[Named<'_>], cases: &mut [Case<'_>]) -> Option<Input> {
    let place = |named: &Named<'_>| {
        let mut parameters = named.model.parameters().iter();
        parameters.position(|p| p.id() == axis.parameter)
    };
    let [low, high] = axis.values.ends();
    let distribution = match &axis.values {
        Values::List(values) => Discrete::new(values, &vec![1.0; values.len()])
            .ok()
            .map(Distribution::from),
        Values::Linear { .. } => Shape::new(Family::Uniform, &[low, high])
            .ok()
            .map(Distribution::from),
        Values::Log { .. } => Shape::new(Family::LogUniform, &[low, high])
            .ok()
            .map(Distribution::from),
    };
    let distribution = distribution.filter(|_| low < high);
    let Some(distribution) = distribution else {
        for (case, named) in cases.iter_mut().zip(named) {
            if let Some(parameter) = place(named) {
                case.base[parameter] = low;
            }
        }
        return None;
    };
    let varied = |named: &Named<'_>| {
        place(named).map(|parameter| Varied {
            parameter,
            distribution: distribution.clone(),
        })
    };
    Some(Input {
        name: axis.parameter.clone(),
        in_scenario: named.iter().map(varied).collect(),
    })
}
