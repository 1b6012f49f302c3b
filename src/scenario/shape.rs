//! A JSON Schema made ready for the check of documents: references are followed and keywords read once, not at every value.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value as Schema;

/// A whole schema.
pub(super) struct Shapes<'s> {
    all: Vec<Shape<'s>>,
}

/// One schema in the whole one. It refers to others by index.
#[derive(Default)]
pub(super) struct Shape<'s> {
    /// The shape that `$ref` leads to; this one without a reference.
    target: usize,
    pub description: Option<&'s str>,
    /// `type`.
    pub kind: Option<&'s str>,
    pub format: Option<&'s str>,
    pub has_pattern: bool,
    /// `anyOf`.
    pub branches: Option<Vec<usize>>,
    /// The values of an enumeration: `enum`, or `oneOf` with one `const` (or `enum`) a branch.
    pub names: Option<Vec<&'s str>>,
    pub properties: Option<IndexMap<&'s str, usize, foldhash::fast::FixedState>>,
    /// `additionalProperties`, where these are described.
    pub others: Option<usize>,
    pub required: Vec<&'s str>,
    pub items: Option<usize>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
}

impl<'s> Shapes<'s> {
    /// The shapes of `schema`.
    pub fn of(schema: &'s Schema) -> Self {
        let mut maker = Maker {
            root: schema,
            all: Vec::new(),
            referred: BTreeMap::new(),
        };
        maker.add(schema);
        Self { all: maker.all }
    }

    /// The shape of the whole document.
    pub fn root(&self) -> &Shape<'s> {
        &self.all[0]
    }

    /// The shape with this index.
    pub fn get(&self, index: usize) -> &Shape<'s> {
        &self.all[index]
    }

    /// Where the reference of a shape leads, if it is one.
    pub fn resolve<'a>(&'a self, shape: &'a Shape<'s>) -> &'a Shape<'s> {
        &self.all[shape.target]
    }
}

struct Maker<'s> {
    root: &'s Schema,
    all: Vec<Shape<'s>>,
    /// What references lead to.
    referred: BTreeMap<&'s str, usize>,
}

impl<'s> Maker<'s> {
    /// Adds a schema and all that it refers to; gives its index.
    fn add(&mut self, schema: &'s Schema) -> usize {
        let index = self.all.len();
        self.all.push(Shape {
            target: index,
            ..Shape::default()
        });
        let mut shape = Shape {
            target: index,
            names: names(schema),
            ..Shape::default()
        };
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            match keyword.as_str() {
                "$ref" => shape.target = self.target(value.as_str()).unwrap_or(index),
                "description" => shape.description = value.as_str(),
                "type" => shape.kind = value.as_str(),
                "format" => shape.format = value.as_str(),
                "pattern" => shape.has_pattern = true,
                "anyOf" => shape.branches = value.as_array().map(|all| self.add_all(all)),
                "properties" => {
                    shape.properties = value.as_object().map(|all| {
                        let entries = all.iter();
                        entries
                            .map(|(key, child)| (key.as_str(), self.add(child)))
                            .collect()
                    });
                }
                "additionalProperties" if value.is_object() => {
                    shape.others = Some(self.add(value));
                }
                "required" => shape.required = strings(value).collect(),
                "items" => shape.items = Some(self.add(value)),
                "minItems" => shape.min_items = value.as_u64(),
                "maxItems" => shape.max_items = value.as_u64(),
                _ => {}
            }
        }
        self.all[index] = shape;
        index
    }

    fn add_all(&mut self, schemas: &'s [Schema]) -> Vec<usize> {
        schemas.iter().map(|schema| self.add(schema)).collect()
    }

    /// The shape in the definitions to which a reference leads in the end.
    fn target(&mut self, reference: Option<&'s str>) -> Option<usize> {
        let reference = reference?;
        let index = match self.referred.get(reference) {
            Some(&index) => index,
            None => {
                let definition = self.root.pointer(reference.strip_prefix('#')?)?;
                // Known before it is made, because it may refer to itself.
                self.referred.insert(reference, self.all.len());
                self.add(definition)
            }
        };
        Some(self.all[index].target)
    }
}

fn strings(value: &Schema) -> impl Iterator<Item = &str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Schema::as_str)
}

fn names(schema: &Schema) -> Option<Vec<&str>> {
    if let Some(direct) = schema.get("enum").filter(|all| all.is_array()) {
        return Some(strings(direct).collect());
    }
    if let Some(name) = schema.get("const").and_then(Schema::as_str) {
        return Some(vec![name]);
    }
    let branches = schema.get("oneOf").and_then(Schema::as_array)?;
    Some(branches.iter().filter_map(names).flatten().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_followed_even_in_a_circle() {
        let schema = json!({
            "type": "object",
            "properties": {
                "first": { "$ref": "#/$defs/alias", "description": "of the field" },
                "lost": { "$ref": "#/$defs/none" },
            },
            "$defs": {
                "alias": { "$ref": "#/$defs/tree" },
                "tree": { "type": "array", "items": { "$ref": "#/$defs/tree" } },
            },
        });
        let shapes = Shapes::of(&schema);
        let property = |name| shapes.get(shapes.root().properties.as_ref().unwrap()[name]);
        let first = property("first");
        assert_eq!(first.description, Some("of the field"));
        let tree = shapes.resolve(first);
        assert_eq!((tree.kind, tree.description), (Some("array"), None));
        let items = shapes.get(tree.items.unwrap());
        assert!(std::ptr::eq(shapes.resolve(items), tree));
        assert_eq!(shapes.resolve(property("lost")).kind, None);
    }

    #[test]
    fn enumerations_are_found_in_each_spelling() {
        for schema in [
            json!({ "enum": ["a", "b"] }),
            json!({ "oneOf": [{ "const": "a" }, { "enum": ["b"] }] }),
        ] {
            assert_eq!(Shapes::of(&schema).root().names, Some(vec!["a", "b"]));
        }
        assert_eq!(Shapes::of(&json!({ "type": "string" })).root().names, None);
    }
}
