//! Documents read into plain types.

use serde::de::value::{Error, MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};

use super::tree::{Node, Value};

/// Reads a `T` from a document. Dates are texts, infinite numbers the formulas "inf" and "-inf".
///
/// # Errors
/// The document does not have the shape of a `T`.
pub(crate) fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Error> {
    T::deserialize(Content(node))
}

/// A value of the document.
#[derive(Clone, Copy)]
struct Content<'a>(&'a Node);

impl<'de> IntoDeserializer<'de> for Content<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Content<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::String(text) | Value::Date(text) => visitor.visit_borrowed_str(text),
            Value::Integer(integer) => visitor.visit_i64(*integer),
            Value::Float(float) if float.is_finite() => visitor.visit_f64(*float),
            Value::Float(float) => visitor.visit_string(float.to_string()),
            Value::Boolean(boolean) => visitor.visit_bool(*boolean),
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter().map(Content));
                let read = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(read)
            }
            Value::Table(table) => {
                let entries = table.iter();
                let entries = entries.map(|(key, entry)| (key.as_str(), Content(&entry.node)));
                let mut entries = MapDeserializer::new(entries);
                let read = visitor.visit_map(&mut entries)?;
                entries.end()?;
                Ok(read)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::Table(table) => {
                let entries = table.iter();
                let entries = entries.map(|(key, entry)| (key.as_str(), Content(&entry.node)));
                MapAccessDeserializer::new(MapDeserializer::new(entries))
                    .deserialize_enum(name, variants, visitor)
            }
            Value::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde::Deserialize;

    use super::*;
    use crate::scenario::source::SourceMap;
    use crate::scenario::tree;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Plain,
        Other(f64),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Number {
        Value(f64),
        Text(String),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        date: String,
        count: u32,
        real: f64,
        yes: bool,
        kinds: Vec<Kind>,
        numbers: IndexMap<String, Number>,
        pair: [f64; 2],
        given: Option<i64>,
        missing: Option<i64>,
    }

    fn read(text: &str) -> Result<Sample, Error> {
        let mut sources = SourceMap::new();
        let file = sources.add("sample.toml".to_owned(), text);
        from_node(&tree::parse(&sources, file).unwrap())
    }

    const SAMPLE: &str = r#"
date = 2024-01-03
count = 3
real = 2
yes = true
kinds = ["plain", { other = 0.5 }]
numbers = { z = 1, a = -inf, m = "p + 1" }
pair = [1, 2.5]
given = -4
"#;

    #[test]
    fn every_kind_of_value_is_read() {
        let text = |text: &str| Number::Text(text.to_owned());
        let numbers = [
            ("z", Number::Value(1.0)),
            ("a", text("-inf")),
            ("m", text("p + 1")),
        ];
        let expected = Sample {
            date: "2024-01-03".to_owned(),
            count: 3,
            real: 2.0,
            yes: true,
            kinds: vec![Kind::Plain, Kind::Other(0.5)],
            numbers: numbers.map(|(key, value)| (key.to_owned(), value)).into(),
            pair: [1.0, 2.5],
            given: Some(-4),
            missing: None,
        };
        let found = read(SAMPLE).unwrap();
        assert_eq!(found, expected);
        assert!(found.numbers.keys().eq(["z", "a", "m"]), "in their order");
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (from, to) in [
            ("count = 3", "count = -3"),
            ("yes = true", "yes = 1"),
            ("pair = [1, 2.5]", "pair = [1]"),
            ("pair = [1, 2.5]", "pair = [1, 2.5, 3]"),
            ("\"plain\"", "\"plane\""),
            ("given = -4", "geven = -4"),
        ] {
            assert!(SAMPLE.contains(from));
            assert!(read(&SAMPLE.replace(from, to)).is_err(), "{to}");
        }
    }
}
