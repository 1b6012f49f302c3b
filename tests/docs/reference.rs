//! The reference of the scenario language is complete: its tables name what the program knows, no more and no less.

use std::collections::BTreeMap;

use flashpoint::distribution::Family;
use flashpoint::formula::{RESERVED, Role, Scope};
use flashpoint::scenario::schema::json_schema;
use serde_json::{Map, Value};

use crate::markdown::{Page, code, guide};

fn reference() -> Page {
    guide("scenario-language.md")
}

fn definitions(schema: &Value) -> Vec<(String, Map<String, Value>)> {
    let definitions = schema["$defs"].as_object().unwrap();
    let mut all: Vec<_> = (definitions.iter())
        .map(|(name, definition)| (name.clone(), definition.as_object().unwrap().clone()))
        .collect();
    all.push((
        "RawScenario".to_owned(),
        schema.as_object().unwrap().clone(),
    ));
    all
}

/// Keys by table of the scenario file, and whether each is required.
fn keys_of_schema() -> BTreeMap<String, BTreeMap<String, bool>> {
    let mut tables = BTreeMap::new();
    for (name, definition) in definitions(&json_schema()) {
        let Some(Value::Object(properties)) = definition.get("properties") else {
            continue;
        };
        let required = |key: &str| {
            let list = definition.get("required").and_then(Value::as_array);
            list.is_some_and(|list| list.iter().any(|name| name == key))
        };
        let keys = properties.keys().map(|key| (key.clone(), required(key)));
        tables.insert(name, keys.collect());
    }
    tables
}

/// Values by enumeration.
fn values_of_schema() -> BTreeMap<String, Vec<String>> {
    fn values(definition: &Map<String, Value>) -> Vec<String> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let mut found: Vec<String> = definition.get("const").and_then(text).into_iter().collect();
        if let Some(Value::Array(list)) = definition.get("enum") {
            found.extend(list.iter().filter_map(text));
        }
        if let Some(Value::Array(branches)) = definition.get("oneOf") {
            found.extend(
                branches
                    .iter()
                    .filter_map(Value::as_object)
                    .flat_map(values),
            );
        }
        found
    }
    let all = definitions(&json_schema()).into_iter();
    let all = all.map(|(name, definition)| (name, values(&definition)));
    all.filter(|(_, values)| !values.is_empty()).collect()
}

#[test]
fn tables_name_every_key_and_say_which_are_required() {
    let mut expected = keys_of_schema();
    // Their keys are the parameters of the families.
    expected.remove("RawDistribution").unwrap();
    let mut shown = BTreeMap::new();
    for (name, rows) in reference().tables("keys:") {
        let keys: BTreeMap<String, bool> = rows
            .iter()
            .map(|row| (code(&row[0])[0].clone(), row[1] == "required"))
            .collect();
        assert_eq!(keys.len(), rows.len(), "a key of {name} stands twice");
        assert!(
            shown.insert(name.clone(), keys).is_none(),
            "{name} has two tables"
        );
    }
    for (name, keys) in &expected {
        assert_eq!(shown.get(name), Some(keys), "the table of {name}");
    }
    assert_eq!(shown.len(), expected.len());
}

#[test]
fn tables_name_every_value() {
    let mut expected = values_of_schema();
    expected.remove("RawFamily").unwrap();
    for (name, rows) in reference().tables("values:") {
        let shown: Vec<String> = rows.iter().map(|row| code(&row[0])[0].clone()).collect();
        assert_eq!(Some(shown), expected.remove(&name), "the table of {name}");
    }
    assert!(expected.is_empty(), "no table of {:?}", expected.keys());
}

#[test]
fn the_table_of_distributions_is_complete() {
    let mut expected: Vec<&str> = Family::ALL
        .iter()
        .map(|family| family.signature())
        .collect();
    expected.push("discrete(values, [weights])");
    let tables = reference().tables("distributions");
    let shown: Vec<String> = tables[0]
        .1
        .iter()
        .map(|row| code(&row[0])[0].clone())
        .collect();
    assert_eq!(shown, expected);
    let keys = &keys_of_schema()["RawDistribution"];
    let named = |key: &str| {
        let words = |text: &String| {
            text.split(|c: char| !c.is_alphanumeric())
                .any(|word| word == key)
        };
        key == "dist" || shown.iter().any(words)
    };
    assert!(keys.keys().all(|key| named(key)));
}

#[test]
fn reserved_words_are_listed() {
    let page = reference();
    let list = page.text.split("one of the words").nth(1).unwrap();
    let list = code(list.split("\n\n").next().unwrap());
    for word in RESERVED {
        assert!(
            list.iter().any(|listed| listed == word),
            "`{word}` is not listed"
        );
    }
}

#[test]
fn the_table_of_scopes_is_that_of_the_program() {
    let scopes = [
        Scope::parameters(""),
        Scope::state(""),
        Scope::process(0),
        Scope::rule(0),
        Scope::effects(),
        Scope::suspect(),
        Scope::metric_event(),
        Scope::metric_value(),
        Scope::endgame(),
    ];
    let tables = reference().tables("scopes");
    assert_eq!(tables[0].1.len(), scopes.len());
    for (row, scope) in tables[0].1.iter().zip(scopes) {
        let mut roles = code(&row[2]);
        if row[1] != "–" {
            roles.push("self".to_owned());
        }
        for role in Role::ALL {
            let shown = roles.iter().any(|name| name == role.name());
            assert_eq!(shown, scope.sees(role), "{}: {}", row[0], role.name());
        }
        let yes = |cell: &str| cell == "yes";
        assert_eq!(yes(&row[3]), scope.event, "{}: event", row[0]);
        let state = [scope.stocks, scope.rungs, scope.time];
        assert_eq!([yes(&row[4]); 3], state, "{}: state", row[0]);
        assert_eq!(yes(&row[5]), scope.metrics, "{}: metrics", row[0]);
    }
}
