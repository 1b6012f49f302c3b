//! How the values of a scenario file are written for readers.

use serde::Serialize;
use serde_json::Value;

use super::markdown::code;
use crate::scenario::raw::{Expression, PerKey, RawDistribution, RawQuantity, RawSelector};

/// The shortest digits that read back as the same number.
pub(super) fn number(value: f64) -> String {
    value.to_string()
}

pub(super) fn id(name: &str) -> String {
    code(name)
}

pub(super) fn ids(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| id(name)).collect();
    names.join(", ")
}

pub(super) fn optional_code(formula: &Option<String>) -> String {
    formula.as_deref().map_or_else(String::new, code)
}

pub(super) fn expression(value: &Expression) -> String {
    match value {
        Expression::Number(value) => number(*value),
        Expression::Formula(formula) => code(formula),
    }
}

pub(super) fn optional_expression(value: &Option<Expression>) -> String {
    value.as_ref().map_or_else(String::new, expression)
}

pub(super) fn per_key(value: &PerKey) -> String {
    match value {
        PerKey::All(value) => expression(value),
        PerKey::Keyed(entries) => {
            let entry = |(key, value): (&String, &PerKey)| match value {
                PerKey::All(value) => format!("{} {}", id(key), expression(value)),
                nested => format!("{} ({})", id(key), per_key(nested)),
            };
            let entries: Vec<String> = entries.iter().map(entry).collect();
            entries.join(", ")
        }
    }
}

pub(super) fn quantity(value: &RawQuantity) -> String {
    match value {
        RawQuantity::Fixed(value) => expression(value),
        RawQuantity::Drawn(drawn) => distribution(drawn),
    }
}

/// "lognormal(median = 2, sigma = 0.5)".
pub(super) fn distribution(drawn: &RawDistribution) -> String {
    let entries = match serde_json::to_value(drawn) {
        Ok(Value::Object(entries)) => entries,
        _ => return spelled(&drawn.dist),
    };
    let parameters: Vec<String> = (entries.iter())
        .filter(|(key, value)| *key != "dist" && !value.is_null())
        .map(|(key, value)| format!("{key} = {}", plain(value)))
        .collect();
    format!("{}({})", spelled(&drawn.dist), parameters.join(", "))
}

pub(super) fn selector(value: &RawSelector) -> String {
    let among = match value {
        RawSelector::Named(name) => return code(name),
        RawSelector::Among(among) => among,
    };
    let mut text = format!("one of {}", code(&among.among));
    if let Some(weight) = &among.weight {
        text.push_str(&format!(" in proportion to {}", expression(weight)));
    }
    if let Some(most) = &among.most {
        text.push_str(&format!(" with the greatest {}", expression(most)));
    }
    if let Some(when) = &among.when {
        text.push_str(&format!(" for which {}", code(when)));
    }
    text
}

/// How the file spells a choice such as a kind of actor.
pub(super) fn spelled(choice: &impl Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => code(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.as_f64().map_or_else(|| other.to_string(), number),
    }
}
