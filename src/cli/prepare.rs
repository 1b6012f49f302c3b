//! From a scenario's name to a model that can be run.

use super::overrides::{self, Override};
use super::{CliError, Output};
use crate::model::Model;
use crate::scenario::compile::compile;
use crate::scenario::load::{LoadedScenario, load};

/// The seed when the user gives none.
pub(super) const DEFAULT_SEED: u64 = 1;

/// A scenario as it will be run.
pub(super) struct Prepared {
    /// The scenario, overrides included.
    pub loaded: LoadedScenario,
    /// The same, compiled.
    pub model: Model,
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
    let mut loaded = load(scenario).map_err(CliError::Scenario)?;
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
