//! From a scenario's name to a model that can be run.

use super::kind::Kind;
use super::overrides::{self, Override};
use super::{CliError, Output};
use crate::model::Model;
use crate::scenario::compile::compile;
use crate::scenario::load::{LoadedScenario, load};
use crate::scenario::variant::Variant;

/// The seed when the user gives none.
pub(super) const DEFAULT_SEED: u64 = 1;

/// A scenario as it will be run.
pub(super) struct Prepared {
    /// The scenario, overrides included.
    pub loaded: LoadedScenario,
    /// The same, compiled.
    pub model: Model,
}

impl Prepared {
    /// The same with another number of runs for each draw of the parameters, if one is asked for.
    pub(super) fn with_runs_per_world(mut self, asked: Option<u32>) -> Self {
        if let Some(asked) = asked {
            self.model = self.model.with_runs_per_world(asked);
        }
        self
    }
}

/// Loads and compiles the scenario of that path or built-in name. Warnings go to standard error.
///
/// # Errors
/// The scenario has errors, or an override names a parameter that it does not have.
pub(super) fn prepare(
    scenario: &str,
    set: &[Override],
    out: &mut Output,
) -> Result<Prepared, CliError> {
    let mut loaded = loaded(scenario)?;
    overrides::apply(set, &mut loaded.raw)?;
    let compiled = compile(&loaded).map_err(CliError::Scenario)?;
    if !compiled.warnings.is_empty() {
        let warnings = loaded.diagnostics(compiled.warnings);
        out.remark(&warnings.render(out.stderr_colour));
    }
    Ok(Prepared {
        loaded,
        model: compiled.model,
    })
}

/// Loads a scenario.
///
/// # Errors
/// Whatever is wrong with it; a usage error for a file of another kind.
pub(super) fn loaded(scenario: &str) -> Result<LoadedScenario, CliError> {
    match Kind::refuse(scenario, Kind::Scenario) {
        Some(refused) => Err(refused),
        None => load(scenario).map_err(CliError::Scenario),
    }
}

/// As [`prepare`], with the overrides and then a variant written into the scenario, so that its text holds them. What a variant
/// leaves unused is no mistake: its warnings are not shown.
///
/// # Errors
/// As for [`prepare`]; the scenario does not have what the variant changes.
pub(super) fn prepare_with(
    scenario: &str,
    set: &[Override],
    variant: Option<&Variant>,
    out: &mut Output,
) -> Result<Prepared, CliError> {
    let mut loaded = loaded(scenario)?;
    overrides::apply(set, &mut loaded.raw)?;
    let mut held = Variant::as_is("--set");
    for (number, Override { name, value }) in set.iter().enumerate() {
        // Of several overrides of one parameter the last one counts.
        if set[number + 1..].iter().all(|later| later.name != *name) {
            held.set(name, *value, None)
                .map_err(|problem| CliError::usage(problem.message))?;
        }
    }
    loaded = held.apply(&loaded).map_err(CliError::Scenario)?;
    if let Some(variant) = variant {
        loaded = variant.apply(&loaded).map_err(CliError::Scenario)?;
    }
    let compiled = compile(&loaded).map_err(CliError::Scenario)?;
    if variant.is_none() && !compiled.warnings.is_empty() {
        let warnings = loaded.diagnostics(compiled.warnings);
        out.remark(&warnings.render(out.stderr_colour));
    }
    Ok(Prepared {
        loaded,
        model: compiled.model,
    })
}
