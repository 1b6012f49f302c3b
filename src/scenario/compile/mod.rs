//! Compilation of a loaded scenario into a model.

use super::diagnostics::{Diagnostic, Diagnostics};
use super::load::LoadedScenario;
use crate::model::Model;

/// A model and what is doubtful about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The model.
    pub model: Model,
    /// Warnings only.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles a scenario.
///
/// # Errors
/// All problems of the scenario.
pub fn compile(loaded: &LoadedScenario) -> Result<Compiled, Diagnostics> {
    Err(loaded.diagnostics(vec![Diagnostic::error("compilation is not built in")]))
}
