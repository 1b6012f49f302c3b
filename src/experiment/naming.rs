//! Endgames, flags and metrics by their names.

use super::subject::Quantity;
use crate::model::Model;
use crate::scenario::wording::closest;

/// A name that stands for nothing, or for two things.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing of that name.
    #[error("the scenario has no endgame, flag or metric `{name}`")]
    Unknown {
        /// What was written.
        name: String,
        /// What was probably meant.
        closest: Option<String>,
    },
    /// Two things have that name.
    #[error("`{id}` is the name of two outcomes")]
    Ambiguous {
        /// The name.
        id: String,
        /// What they are.
        kinds: [&'static str; 2],
    },
}

impl NameError {
    /// What to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::Unknown {
                closest: Some(closest),
                ..
            } => format!("did you mean `{closest}`?"),
            Self::Unknown { .. } => "`flashpoint describe` lists what a scenario has".to_owned(),
            Self::Ambiguous {
                id,
                kinds: [first, second],
            } => format!("write `{first}:{id}` or `{second}:{id}`"),
        }
    }
}

/// Kind, id and quantity of each endgame, flag and metric, in the model's order.
pub fn all(model: &Model) -> Vec<(&'static str, &str, Quantity)> {
    let endgames = model.endgames().iter().enumerate();
    let flags = model.flags().iter().enumerate();
    let metrics = model.metrics().iter().enumerate();
    endgames
        .map(|(i, e)| ("endgame", e.id(), Quantity::Endgame(i)))
        .chain(flags.map(|(i, f)| ("flag", f.id(), Quantity::Flag(i))))
        .chain(metrics.map(|(i, m)| ("metric", m.id(), Quantity::Metric(i))))
        .collect()
}

/// The endgame, flag or metric of that name, if need be with `endgame:`, `flag:` or `metric:` before it.
///
/// # Errors
/// There is none, or there are two.
pub fn find(model: &Model, name: &str) -> Result<Quantity, NameError> {
    let all = all(model);
    let (wanted_kind, id) = match name.split_once(':') {
        Some((kind, id)) => (Some(kind), id),
        None => (None, name),
    };
    let fits = |(kind, known, _): &&(&str, &str, Quantity)| {
        *known == id && wanted_kind.is_none_or(|wanted| wanted == *kind)
    };
    let found: Vec<_> = all.iter().filter(fits).collect();
    match found.as_slice() {
        [(_, _, quantity)] => Ok(*quantity),
        [] => Err(NameError::Unknown {
            name: name.to_owned(),
            closest: closest(id, all.iter().map(|(_, id, _)| *id)).map(str::to_owned),
        }),
        [(first, _, _), (second, _, _), ..] => Err(NameError::Ambiguous {
            id: id.to_owned(),
            kinds: [first, second],
        }),
    }
}

/// The id of a quantity, as [`find`] takes it: with its kind before it where another outcome has the same id.
pub fn name(model: &Model, quantity: Quantity) -> String {
    let all = all(model);
    let Some((kind, id, _)) = all.iter().find(|(_, _, known)| *known == quantity) else {
        return String::new();
    };
    match all.iter().filter(|(_, other, _)| other == id).count() {
        1 => (*id).to_owned(),
        _ => format!("{kind}:{id}"),
    }
}
