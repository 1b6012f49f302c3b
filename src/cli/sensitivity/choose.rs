//! What the user asks about, and what is varied.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::cli::CliError;
use crate::distribution::{Distribution, Family, Shape};
use crate::experiment::naming::{self, NameError};
use crate::experiment::subject::is_day;
use crate::experiment::{Quantity, Varied};
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

/// What `--of` names: an endgame, a flag or a metric, if need be with `endgame:`, `flag:` or `metric:` before it.
///
/// # Errors
/// A usage error for a name that the scenario does not have, or has twice.
pub(in crate::cli) fn quantity(model: &Model, name: &str) -> Result<Quantity, CliError> {
    if name == CATEGORY {
        return Ok(Quantity::Category);
    }
    naming::find(model, name).map_err(name_error)
}

/// A usage error for a name of no outcome.
pub(in crate::cli) fn name_error(error: NameError) -> CliError {
    CliError::usage(error.to_string()).with_help(error.advice())
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

/// Every parameter with a prior, as it is, and those with a range but no prior, uniform over it.
///
/// # Errors
/// A usage error if there are none.
pub(in crate::cli) fn uncertain(
    model: &Model,
    raw: Option<&RawScenario>,
    held: &[String],
) -> Result<Vec<Varied>, CliError> {
    let mut varied = Vec::new();
    for (parameter, p) in model.parameters().iter().enumerate() {
        if held.iter().any(|name| name == p.id()) {
            continue;
        }
        let range = raw.and_then(|raw| raw.parameter.get(p.id())?.range);
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
    if varied.is_empty() {
        return Err(
            CliError::usage("no parameter of the scenario has a prior or a range").with_help(
                "give a parameter what is known about it, for example prior = { dist = \"uniform\", low = 0, high = 1 }",
            ),
        );
    }
    Ok(varied)
}

/// Those of `varied` that the user names, in the order of the scenario; all if none are named.
///
/// # Errors
/// A usage error for a name that is not among them.
pub(in crate::cli) fn named(
    model: &Model,
    varied: Vec<Varied>,
    names: &[String],
) -> Result<Vec<Varied>, CliError> {
    for name in names {
        known(model, &varied, name)?;
    }
    let id = |v: &Varied| model.parameters()[v.parameter].id();
    let chosen = |v: &Varied| names.is_empty() || names.iter().any(|name| name == id(v));
    Ok(varied.into_iter().filter(chosen).collect())
}

/// Group of each parameter that is in one.
///
/// # Errors
/// A usage error for a parameter that is not varied, or is in two groups.
pub(super) fn groups(
    model: &Model,
    varied: &[Varied],
    groups: &[Group],
) -> Result<BTreeMap<String, String>, CliError> {
    let mut of = BTreeMap::new();
    for group in groups {
        for member in &group.members {
            known(model, varied, member)?;
            if of.insert(member.clone(), group.name.clone()).is_some() {
                let message = format!("parameter `{member}` is in two groups");
                return Err(CliError::usage(message));
            }
        }
    }
    Ok(of)
}

fn known(model: &Model, varied: &[Varied], name: &str) -> Result<(), CliError> {
    let id = |v: &Varied| model.parameters()[v.parameter].id();
    if varied.iter().any(|v| id(v) == name) {
        return Ok(());
    }
    if model.parameters().iter().any(|p| p.id() == name) {
        let message = format!("parameter `{name}` is not varied");
        return Err(CliError::usage(message)
            .with_help("it has neither a prior nor a range, or is not among --params"));
    }
    let error = CliError::usage(format!("the scenario has no parameter `{name}`"));
    Err(match closest(name, varied.iter().map(id)) {
        Some(closest) => error.with_help(format!("did you mean `{closest}`?")),
        None => error.with_help("`flashpoint describe` lists the parameters of a scenario"),
    })
}
