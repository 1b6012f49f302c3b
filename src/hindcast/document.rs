//! What files about scenarios have in common: built-in ones, sections of their own, constant distributions.

use std::path::{Path as FilePath, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::raw::RawBaseRates;
use super::schema;
use crate::distribution::{Discrete, Distribution, Family, Shape};
use crate::scenario::canonical::to_json;
use crate::scenario::diagnostics::Diagnostic;
use crate::scenario::extend::{Files, ReadError};
use crate::scenario::raw::RawDistribution;
use crate::scenario::tree::{Node, Table, Value};
use crate::scenario::{builtin, structure};

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

/// Takes the sections `names` out of a document and reads them as a `T`, whose schema is `schema`. Gives the sections with
/// their places too. What is wrong is added to `problems`; then there is no `T`.
pub(crate) fn read_section<T: DeserializeOwned>(
    document: &mut Node,
    names: &[&str],
    schema: &Json,
    problems: &mut Vec<Diagnostic>,
) -> (Node, Option<T>) {
    let mut taken = Table::new();
    if let Value::Table(table) = &mut document.value {
        for name in names {
            if let Some(entry) = table.shift_remove(*name) {
                taken.insert((*name).to_owned(), entry);
            }
        }
    }
    let sections = Node {
        value: Value::Table(taken),
        span: document.span,
    };
    let before = problems.len();
    problems.extend(structure::duplicate_ids(&sections));
    problems.extend(structure::check_against(schema, &sections, true));
    if problems.len() > before {
        return (sections, None);
    }
    let read = serde_json::from_value(to_json(&sections));
    if let Err(error) = &read {
        problems.push(Diagnostic::error(format!("the file cannot be read: {error}")));
    }
    (sections, read.ok())
}

/// Reads a file of base rates.
pub(super) fn read_base_rates(
    document: &mut Node,
    problems: &mut Vec<Diagnostic>,
) -> Option<RawBaseRates> {
    let schema = schema::base_rates_schema();
    problems.extend(structure::check_against(&schema, document, true));
    read_section(document, &["base_rate"], &schema, problems).1
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
