//! The JSON Schema of the scenario file, derived from [`RawScenario`].

use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value, json};

use super::raw::RawScenario;

/// How ids are written.
pub const ID_PATTERN: &str = "^[a-z][a-z0-9_]*$";

/// True if `text` is written as an id: see [`ID_PATTERN`].
pub fn is_id(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The JSON Schema (draft 2020-12) of a scenario file, for editors and for the reader's own check.
///
/// It describes a scenario after its `extends` is resolved: a file that extends another may leave required keys out.
pub fn json_schema() -> Value {
    schema_of::<RawScenario>("Flashpoint scenario")
}

/// The JSON Schema of a TOML file that is read into a `T`.
pub(crate) fn schema_of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = schema_for!(T).to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), json!(title));
    }
    refine(&mut schema);
    schema
}

/// The JSON Schema of a TOML file with the sections of `T` beside those of a scenario.
pub(crate) fn schema_with_scenario<T: JsonSchema>(title: &str) -> Value {
    let mut schema = schema_of::<T>(title);
    let scenario = json_schema();
    for keyword in ["properties", "$defs"] {
        if let (Some(Value::Object(mine)), Some(Value::Object(theirs))) =
            (schema.get_mut(keyword), scenario.get(keyword))
        {
            for (name, child) in theirs {
                mine.entry(name).or_insert_with(|| child.clone());
            }
        }
    }
    schema
}

/// Adapts a schema to TOML, which has no null, and adds the spelling of ids.
fn refine(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    drop_null(object);
    if object
        .get("default")
        .is_some_and(|default| default.is_null() || default.is_object() || default.is_array())
    {
        object.shift_remove("default");
    }
    if object
        .get("additionalProperties")
        .is_some_and(Value::is_object)
    {
        object.insert("propertyNames".to_owned(), json!({ "pattern": ID_PATTERN }));
    }
    if let Some(id) = object
        .get_mut("properties")
        .and_then(|all| all.get_mut("id"))
        .and_then(Value::as_object_mut)
    {
        id.insert("pattern".to_owned(), json!(ID_PATTERN));
    }
    for (keyword, value) in object.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties" | "$defs", Value::Object(children)) => {
                children.values_mut().for_each(refine)
            }
            ("anyOf" | "oneOf", Value::Array(children)) => children.iter_mut().for_each(refine),
            ("items" | "additionalProperties", child) => refine(child),
            _ => {}
        }
    }
}

/// `Option` allows null; in TOML the key is simply absent.
fn drop_null(object: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
        branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
        if branches.len() == 1
            && let Some(Value::Object(only)) = branches.pop()
        {
            object.shift_remove("anyOf");
            for (keyword, value) in only {
                object.entry(keyword).or_insert(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `visit` on every schema inside `schema`.
    fn walk(schema: &Value, visit: &mut dyn FnMut(&Map<String, Value>)) {
        let Some(object) = schema.as_object() else {
            return;
        };
        visit(object);
        for keyword in ["properties", "$defs"] {
            if let Some(Value::Object(children)) = object.get(keyword) {
                children.values().for_each(|child| walk(child, visit));
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(children)) = object.get(keyword) {
                children.iter().for_each(|child| walk(child, visit));
            }
        }
        for keyword in ["items", "additionalProperties"] {
            if let Some(child) = object.get(keyword) {
                walk(child, visit);
            }
        }
    }

    #[test]
    fn schema_fits_toml_and_ids() {
        let schema = json_schema();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert_eq!(schema["title"], "Flashpoint scenario");
        assert!(schema.get("$id").is_none());
        let (mut maps, mut ids) = (0, 0);
        walk(&schema, &mut |object| {
            assert_ne!(object.get("type"), Some(&json!("null")));
            assert!(!object.get("type").is_some_and(Value::is_array));
            assert!(
                object
                    .get("default")
                    .is_none_or(|default| !default.is_null())
            );
            if object
                .get("additionalProperties")
                .is_some_and(Value::is_object)
            {
                assert_eq!(object["propertyNames"]["pattern"], ID_PATTERN);
                maps += 1;
            }
            if let Some(id) = object.get("properties").and_then(|all| all.get("id")) {
                assert_eq!(id["pattern"], ID_PATTERN);
                ids += 1;
            }
        });
        // Sources, parameters, formulas, actors, places, sets, stocks, actions, processes, rules, metrics, flags, series, values
        // by key, and rungs by actor and partner.
        assert_eq!(maps, 16);
        // Rungs, options, calendar entries, endgames.
        assert_eq!(ids, 4);
    }

    /// The reader's walker relies on these shapes alone; a new kind of schema must be taught to it first.
    #[test]
    fn schema_uses_only_known_keywords() {
        let known = [
            "$schema",
            "title",
            "description",
            "type",
            "properties",
            "additionalProperties",
            "required",
            "$defs",
            "$ref",
            "anyOf",
            "oneOf",
            "enum",
            "const",
            "items",
            "minItems",
            "maxItems",
            "format",
            "pattern",
            "minimum",
            "default",
            "propertyNames",
        ];
        walk(&json_schema(), &mut |object| {
            for keyword in object.keys() {
                assert!(known.contains(&keyword.as_str()), "{keyword}");
            }
        });
    }

    #[test]
    fn id_spelling() {
        for good in ["a", "iran_2", "a__"] {
            assert!(is_id(good), "{good}");
        }
        for bad in ["", "_a", "2a", "A", "a-b", "a b", "é", "aé"] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
