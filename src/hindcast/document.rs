//! What files about scenarios have in common: built-in ones, and constant distributions.

use std::path::{Path as FilePath, PathBuf};

use serde_json::Value as Json;

use crate::distribution::{Discrete, Distribution, Family, Shape};
use crate::scenario::builtin;
use crate::scenario::diagnostics::{Diagnostic, Diagnostics};
use crate::scenario::extend::{Files, ReadError};
use crate::scenario::raw::RawDistribution;
use crate::scenario::wording::closest;

/// Files in which the built-in ones are those about scenarios, not the scenarios.
pub(crate) struct BuiltinFiles<'a>(pub &'a dyn Files);

impl Files for BuiltinFiles<'_> {
    fn read(&self, path: &FilePath) -> Result<Vec<u8>, ReadError> {
        self.0.read(path)
    }

    fn list(&self, folder: &FilePath) -> Vec<String> {
        self.0.list(folder)
    }

    fn identity(&self, path: &FilePath) -> PathBuf {
        self.0.identity(path)
    }

    fn builtin(&self, name: &str) -> Option<String> {
        builtin::hindcast_text(name).map(str::to_owned)
    }

    fn builtin_names(&self) -> Vec<String> {
        let names = builtin::hindcasts().iter().map(|(name, _)| *name);
        names.map(str::to_owned).collect()
    }
}

/// The problems of a file that could not be opened, with the built-in one of `files` that was probably meant by `name`.
pub(crate) fn with_suggestion(
    files: &BuiltinFiles<'_>,
    name: &str,
    mut problems: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let names = files.builtin_names();
    if let ([problem], Some(best)) = (
        problems.as_mut_slice(),
        closest(name, names.iter().map(String::as_str)),
    ) && problem.help.is_none()
    {
        problem.help = Some(format!("did you mean the built-in `{best}`?"));
    }
    problems
}

/// Whether the file itself could not be opened, so that no place in it can be shown.
pub(crate) fn is_unopened(problems: &Diagnostics) -> bool {
    problems.sources().iter().next().is_none()
}

/// A distribution whose numbers are all given.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub(crate) fn constant_distribution(raw: &RawDistribution) -> Result<Distribution, String> {
    let written = serde_json::to_value(raw).unwrap_or_default();
    let given = |key: &str| written.get(key).filter(|value| !value.is_null());
    let name = given("dist").and_then(Json::as_str).unwrap_or_default();
    let number = |key: &str| match given(key) {
        None => Ok(None),
        Some(Json::Number(number)) => Ok(number.as_f64()),
        Some(Json::String(text)) => text
            .parse()
            .map(Some)
            .map_err(|_| format!("`{key}` must be a number here, not a formula")),
        Some(_) => Err(format!("`{key}` must be a number")),
    };
    let Some(family) = Family::from_name(name) else {
        let values = (raw.values.as_deref()).ok_or("a discrete distribution needs `values`")?;
        let equal = vec![1.0; values.len()];
        let weights = raw.weights.as_deref().unwrap_or(&equal);
        let discrete = Discrete::new(values, weights).map_err(|error| error.to_string())?;
        return Ok(discrete.into());
    };
    let mut values = Vec::new();
    for parameter in family.parameters() {
        match number(parameter.name)?.or(parameter.default) {
            Some(value) => values.push(value),
            None => {
                return Err(format!(
                    "`{}` is missing: write {}",
                    parameter.name,
                    family.signature()
                ));
            }
        }
    }
    let shape = Shape::new(family, &values).map_err(|error| error.to_string())?;
    Ok(shape.into())
}
