//! What the user asks about, and what is varied.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::cli::CliError;
use crate::distribution::{Distribution, Family, Shape};
use crate::experiment::naming;
use crate::experiment::subject::is_day;
use crate::experiment::{Case, Input, Quantity, Varied};
use crate::model::Model;
use crate::scenario::raw::RawScenario;
use crate::scenario::wording::closest;

/// The endgame as a category.
const CATEGORY: &str = "endgame-category";

/// Factors that are varied together: `NAME=a,b,c`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Group {
    /// Name of the group.
    pub name: String,
    /// The parameters in it.
    pub members: Vec<String>,
}

impl FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write NAME=a,b,c with names of parameters".to_owned();
        let (name, members) = text.split_once('=').ok_or_else(wrong)?;
        let members: Vec<String> = members.split(',').map(|m| m.trim().to_owned()).collect();
        if name.trim().is_empty() || members.iter().any(String::is_empty) {
            return Err(wrong());
        }
        Ok(Self {
            name: name.trim().to_owned(),
            members,
        })
    }
}

/// A scenario of a study.
pub(in crate::cli) struct Named<'a> {
    /// Its name.
    pub name: String,
    /// Compiled.
    pub model: &'a Model,
    /// As it was read, if it was.
    pub raw: Option<&'a RawScenario>,
}

/// The scenarios with what `--of` names in each of them. Endgames of one name are one category in all.
///
/// # Errors
/// A usage error for a name that a scenario does not have, or has twice, and for one that is given twice.
pub(in crate::cli) fn cases<'a>(
    scenarios: &[Named<'a>],
    of: &[String],
) -> Result<Vec<Case<'a>>, CliError> {
    if let Some(name) = (1..of.len()).find_map(|i| of[..i].iter().find(|name| **name == of[i])) {
        return Err(CliError::usage(format!("`{name}` is asked for twice")));
    }
    let mut categories: Vec<&str> = Vec::new();
    let mut cases = Vec::new();
    for scenario in scenarios {
        let quantities: Result<Vec<Quantity>, CliError> =
            of.iter().map(|name| quantity(scenario, name)).collect();
        let mut case = Case::alone(scenario.model, quantities?);
        for (number, endgame) in case.categories.iter_mut().zip(scenario.model.endgames()) {
            let known = categories.iter().position(|id| *id == endgame.id());
            *number = known.unwrap_or(categories.len()) as f64;
            if known.is_none() {
                categories.push(endgame.id());
            }
        }
        cases.push(case);
    }
    Ok(cases)
}

/// An endgame, a flag or a metric, if need be with `endgame:`, `flag:` or `metric:` before it.
pub(in crate::cli) fn quantity(scenario: &Named<'_>, name: &str) -> Result<Quantity, CliError> {
    if name == CATEGORY {
        return Ok(Quantity::Category);
    }
    naming::find(scenario.model, name).map_err(|error| {
        CliError::usage(format!("{error} ({})", scenario.name)).with_help(error.advice())
    })
}

/// What is studied, in words.
pub(in crate::cli) fn in_words(model: &Model, quantity: Quantity) -> String {
    match quantity {
        Quantity::Endgame(i) => format!("whether a run ends in `{}`", model.endgames()[i].id()),
        Quantity::Flag(i) => format!("whether `{}` comes true", model.flags()[i].id()),
        Quantity::Metric(i) if is_day(model, i) => format!(
            "`{}` (a day that never came counts as the horizon, day {})",
            model.metrics()[i].id(),
            model.horizon()
        ),
        Quantity::Metric(i) => format!("`{}`", model.metrics()[i].id()),
        Quantity::Category => "which endgame a run reaches".to_owned(),
    }
}

/// What is uncertain in any of the scenarios, in the order in which they name it: every parameter with a prior, as it is, and
/// those with a range but no prior, uniform over it.
pub(in crate::cli) fn inputs(scenarios: &[Named<'_>], held: &[String]) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    for (number, scenario) in scenarios.iter().enumerate() {
        for varied in uncertain(scenario, held) {
            let name = scenario.model.parameters()[varied.parameter].id();
            let at = inputs.iter().position(|input| input.name == name);
            let at = at.unwrap_or_else(|| {
                inputs.push(Input {
                    name: name.to_owned(),
                    in_scenario: vec![None; scenarios.len()],
                });
                inputs.len() - 1
            });
            inputs[at].in_scenario[number] = Some(varied);
        }
    }
    inputs
}

/// A usage error: there is nothing to vary.
pub(in crate::cli) fn nothing_varies() -> CliError {
    CliError::usage("no parameter of the scenario has a prior or a range").with_help(
        "give a parameter what is known about it, for example prior = { dist = \"uniform\", low = 0, high = 1 }",
    )
}

fn uncertain(scenario: &Named<'_>, held: &[String]) -> Vec<Varied> {
    let mut varied = Vec::new();
    for (parameter, p) in scenario.model.parameters().iter().enumerate() {
        if held.iter().any(|name| name == p.id()) {
            continue;
        }
        let range = scenario
            .raw
            .and_then(|raw| raw.parameter.get(p.id())?.range);
        let distribution = match (p.prior(), range) {
            (Some(prior), _) => Some(prior.clone()),
            (None, Some(ends)) if ends[0] < ends[1] => Shape::new(Family::Uniform, &ends)
                .ok()
                .map(Distribution::from),
            _ => None,
        };
        // What has one value is no factor.
        let varies = |d: &Distribution| {
            let (low, high) = d.support();
            low < high
        };
        varied.extend(distribution.filter(varies).map(|distribution| Varied {
            parameter,
            distribution,
        }));
    }
    varied
}

/// Those of `inputs` that the user names, in the order of the scenarios; all if none are named.
///
/// # Errors
/// A usage error for a name that is not among them.
pub(in crate::cli) fn named(
    scenarios: &[Named<'_>],
    inputs: Vec<Input>,
    names: &[String],
) -> Result<Vec<Input>, CliError> {
    for name in names {
        known(scenarios, &inputs, name)?;
    }
    let chosen = |input: &Input| names.is_empty() || names.contains(&input.name);
    Ok(inputs.into_iter().filter(chosen).collect())
}

/// Group of each parameter that is in one.
///
/// # Errors
/// A usage error for a parameter that is not varied, or is in two groups.
pub(super) fn groups(
    scenarios: &[Named<'_>],
    inputs: &[Input],
    groups: &[Group],
) -> Result<BTreeMap<String, String>, CliError> {
    let mut of = BTreeMap::new();
    for group in groups {
        for member in &group.members {
            known(scenarios, inputs, member)?;
            if of.insert(member.clone(), group.name.clone()).is_some() {
                let message = format!("parameter `{member}` is in two groups");
                return Err(CliError::usage(message));
            }
        }
    }
    Ok(of)
}

fn known(scenarios: &[Named<'_>], inputs: &[Input], name: &str) -> Result<(), CliError> {
    if inputs.iter().any(|input| input.name == name) {
        return Ok(());
    }
    let mut parameters = scenarios.iter().flat_map(|s| s.model.parameters());
    if parameters.any(|p| p.id() == name) {
        let message = format!("parameter `{name}` is not varied");
        return Err(CliError::usage(message)
            .with_help("it has neither a prior nor a range, or is not among --params"));
    }
    let error = CliError::usage(format!("there is no parameter `{name}`"));
    let names = inputs.iter().map(|input| input.name.as_str());
    Err(match closest(name, names) {
        Some(closest) => error.with_help(format!("did you mean `{closest}`?")),
        None => error.with_help("`flashpoint describe` lists the parameters of a scenario"),
    })
}
