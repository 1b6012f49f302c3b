//! The check of a document against the schema: everything that is wrong with its shape, at once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value as Schema;

use super::diagnostics::Diagnostic;
use super::merge::{id_key, id_of};
use super::schema::{is_id, json_schema};
use super::shape::{Shape, Shapes};
use super::source::Span;
use super::tree::{Node, Path, Segment, Table, Value};
use super::wording::{as_id, closest, list};

/// The schema of scenario files.
pub(super) static SCENARIO: LazyLock<Schema> = LazyLock::new(json_schema);

/// Keys are listed in a message up to this number.
const MAX_LISTED: usize = 24;

/// All structural problems of a merged document that should follow `schema`. `complete` is false when a part of it could not
/// be read: then missing keys are not reported.
pub(crate) fn check(root: &Node, schema: &Schema, complete: bool) -> Vec<Diagnostic> {
    let shapes = Shapes::of(schema);
    let mut checker = Checker {
        root,
        shapes: &shapes,
        complete,
        path: Path::root(),
        problems: Vec::new(),
    };
    checker.node(root, shapes.root());
    checker.problems
}

/// Ids used twice in one array of tables of one file.
pub(super) fn duplicate_ids(root: &Node) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    find_duplicates(root, &Trail::Root, &mut problems);
    problems
}

/// The way to a value, while the values on it are being looked at.
enum Trail<'a> {
    Root,
    Key(&'a Trail<'a>, &'a str),
    Index(&'a Trail<'a>, usize),
}

impl Trail<'_> {
    fn path(&self) -> Path {
        match self {
            Self::Root => Path::root(),
            Self::Key(before, key) => before.path().key(*key),
            Self::Index(before, index) => before.path().index(*index),
        }
    }

    fn last_key(&self) -> Option<&str> {
        match self {
            Self::Root => None,
            Self::Key(_, key) => Some(key),
            Self::Index(before, _) => before.last_key(),
        }
    }
}

fn find_duplicates(node: &Node, trail: &Trail<'_>, problems: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Table(table) => {
            for (key, entry) in table {
                find_duplicates(&entry.node, &Trail::Key(trail, key), problems);
            }
        }
        Value::Array(items) => {
            let key = id_key(trail.last_key().unwrap_or_default());
            let mut first: BTreeMap<&str, Span> = BTreeMap::new();
            for (index, item) in items.iter().enumerate() {
                if let Some(id) = id_of(item, key) {
                    let span = item.get(key).map_or(item.span, |node| node.span);
                    if let Some(earlier) = first.get(id) {
                        let problem = Diagnostic::error(format!(
                            "`{}` has two elements with the {key} `{id}`",
                            trail.path()
                        ))
                        .at(span)
                        .label("used again here")
                        .related(*earlier, "first used here");
                        problems.push(problem);
                    } else {
                        first.insert(id, span);
                    }
                }
                find_duplicates(item, &Trail::Index(trail, index), problems);
            }
        }
        _ => {}
    }
}

struct Checker<'a> {
    root: &'a Node,
    shapes: &'a Shapes<'a>,
    complete: bool,
    path: Path,
    problems: Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    /// Checks one value.
    fn node(&mut self, node: &Node, field: &'a Shape<'a>) {
        let shape = self.shapes.resolve(field);
        if let Some(branches) = &shape.branches {
            self.any_of(node, field, shape, branches);
        } else if let Some(names) = &shape.names {
            self.one_of(node, field, shape, names);
        } else if !accepts(self.shapes, shape, &node.value) {
            self.wrong_type(node, field, shape);
        } else {
            match &node.value {
                Value::Table(table) => self.table(node, table, shape),
                Value::Array(items) => self.array(node, items, shape),
                Value::Integer(integer) => self.integer(node, *integer, shape),
                Value::Float(float) if !float.is_finite() => {
                    self.report(node, format!("{} must be a finite number", self.subject()));
                }
                Value::String(text) => self.text(node, text, field, shape),
                Value::Date(text) => self.text(node, text, field, shape),
                _ => {}
            }
        }
    }

    fn any_of(
        &mut self,
        node: &Node,
        field: &'a Shape<'a>,
        shape: &'a Shape<'a>,
        branches: &'a [usize],
    ) {
        let shapes = self.shapes;
        let mut branches = branches.iter().map(|&branch| shapes.get(branch));
        if let Value::Float(float) = node.value
            && !float.is_finite()
            && branches
                .clone()
                .any(|branch| accepts(shapes, branch, &Value::String(String::new())))
        {
            if float.is_nan() {
                self.report(node, format!("{} is not a number", self.subject()));
            }
            return; // An infinite number is the formula `inf`.
        }
        match branches.find(|branch| accepts(shapes, branch, &node.value)) {
            Some(branch) => self.node(node, branch),
            None => self.wrong_type(node, field, shape),
        }
    }

    fn one_of(&mut self, node: &Node, field: &Shape<'_>, shape: &Shape<'_>, names: &[&str]) {
        let Value::String(text) = &node.value else {
            return self.wrong_type(node, field, shape);
        };
        if names.contains(&text.as_str()) {
            return;
        }
        let key = self.path.last_key().unwrap_or_default();
        let problem = Diagnostic::error(format!("`{text}` is not a valid `{key}`")).at(node.span);
        let all = format!("`{key}` is one of {}", list(names.iter().copied(), "or"));
        self.problems
            .push(match closest(text, names.iter().copied()) {
                Some(best) => problem.label(format!("did you mean \"{best}\"?")).help(all),
                None => problem.help(all),
            });
    }

    fn table(&mut self, node: &Node, table: &Table, shape: &'a Shape<'a>) {
        let properties = shape.properties.as_ref();
        for (key, entry) in table {
            let known = properties.and_then(|properties| properties.get(key.as_str()));
            match known.copied().or(shape.others) {
                Some(child) => {
                    let child = self.shapes.get(child);
                    if known.is_none() && !is_id(key) {
                        self.bad_id(key, entry.key_span);
                    }
                    self.path.push(Segment::Key(key.as_str().into()));
                    self.node(&entry.node, child);
                    self.path.pop();
                }
                None => {
                    self.unknown_key(key, entry.key_span, table, shape);
                }
            }
        }
        if self.complete {
            self.missing_keys(node, table, shape);
        }
    }

    fn unknown_key(&mut self, key: &str, span: Span, table: &Table, shape: &Shape<'_>) {
        let place = match self.path.segments() {
            [] => String::new(),
            _ => format!(" in `{}`", self.path),
        };
        let problem = Diagnostic::error(format!("unknown key `{key}`{place}")).at(span);
        let properties = shape.properties.iter().flatten();
        let names: Vec<&str> = properties.clone().map(|(name, _)| *name).collect();
        let unused = names.iter().copied();
        let unused = unused.filter(|name| !table.contains_key(*name));
        let mut tables = properties.filter(|&(_, &child)| {
            let inner = self.shapes.resolve(self.shapes.get(child));
            let inner = inner.properties.as_ref();
            inner.is_some_and(|inner| inner.contains_key(key))
        });
        self.problems.push(if let Some((inner, _)) = tables.next() {
            let inner = self.path.key(*inner);
            problem.help(format!("`{key}` belongs in the table `[{inner}]`"))
        } else if let Some(best) = closest(key, unused) {
            problem.label(format!("did you mean `{best}`?"))
        } else if names.len() <= MAX_LISTED {
            let names = list(names, "and");
            problem.help(format!("the keys here are {names}"))
        } else {
            problem
        });
    }

    fn missing_keys(&mut self, node: &Node, table: &Table, shape: &Shape<'_>) {
        let required = shape.required.iter().copied();
        let missing: Vec<&str> = required.filter(|key| !table.contains_key(*key)).collect();
        if missing.is_empty() {
            return;
        }
        let keys = if missing.len() == 1 { "key" } else { "keys" };
        let message = format!(
            "missing {keys} {} in `{}`",
            list(missing.iter().copied(), "and"),
            self.path
        );
        let mut problem = Diagnostic::error(message).at(node.span);
        for key in &missing {
            let property = shape.properties.as_ref().and_then(|all| all.get(key));
            if let Some(doc) = property.and_then(|&index| self.shapes.get(index).description) {
                problem = problem.note(format!("`{key}`: {doc}"));
            }
        }
        if let Some(sibling) = self.extended_sibling(node) {
            problem = problem.help(format!(
                "the scenario that this one extends has `{sibling}`: use that name to change it"
            ));
        }
        self.problems.push(problem);
    }

    /// The similarly named table of another file, beside the incomplete one.
    fn extended_sibling(&self, node: &Node) -> Option<&str> {
        let (last, parents) = self.path.segments().split_last()?;
        let Segment::Key(name) = last else {
            return None;
        };
        let siblings = self.root.along(parents)?.as_table()?.iter();
        let inherited = siblings.filter(|(_, entry)| entry.node.span.file != node.span.file);
        closest(name, inherited.map(|(key, _)| key.as_str()))
    }

    fn array(&mut self, node: &Node, items: &[Node], shape: &'a Shape<'a>) {
        let (min, max) = (shape.min_items, shape.max_items);
        let len = items.len() as u64;
        if min.is_some_and(|min| len < min) || max.is_some_and(|max| len > max) {
            let expected = max.or(min).unwrap_or_default();
            self.report(
                node,
                format!(
                    "{} must have exactly {expected} elements, not {len}",
                    self.subject()
                ),
            );
        }
        let Some(element) = shape.items else {
            return;
        };
        let element = self.shapes.get(element);
        for (index, item) in items.iter().enumerate() {
            self.path.push(Segment::Index(index));
            self.node(item, element);
            self.path.pop();
        }
    }

    fn integer(&mut self, node: &Node, integer: i64, shape: &Shape<'_>) {
        let (low, high) = match shape.format {
            Some("uint32") => (0, i64::from(u32::MAX)),
            Some("uint64") => (0, i64::MAX),
            Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => return,
        };
        if integer < 0 && low == 0 {
            self.report(node, format!("{} must not be negative", self.subject()));
        } else if !(low..=high).contains(&integer) {
            self.report(
                node,
                format!("{} must be between {low} and {high}", self.subject()),
            );
        }
    }

    fn text(&mut self, node: &Node, text: &str, field: &Shape<'_>, shape: &Shape<'_>) {
        if shape.format == Some("date") {
            if !is_date(text) {
                self.wrong_type(node, field, shape);
            }
        } else if shape.has_pattern && !is_id(text) {
            self.bad_id(text, node.span);
        }
    }

    fn bad_id(&mut self, text: &str, span: Span) {
        let problem = Diagnostic::error(format!("`{text}` is not a valid id"))
            .at(span)
            .help("ids are made of lower-case letters, digits and `_`, and begin with a letter");
        self.problems.push(match as_id(text) {
            Some(id) => problem.label(format!("write `{id}`")),
            None => problem,
        });
    }

    fn wrong_type(&mut self, node: &Node, field: &Shape<'_>, shape: &Shape<'_>) {
        let wants_date = shape.format == Some("date");
        let found = match &node.value {
            Value::Date(text) if text.len() > 10 || text.contains(':') => "a time".to_owned(),
            Value::String(text) if wants_date && text.chars().count() <= 20 => format!("`{text}`"),
            Value::Float(_) if shape.kind == Some("integer") => "a fraction".to_owned(),
            value => value.kind().to_owned(),
        };
        let message = format!(
            "{} must be {}, not {found}",
            self.subject(),
            expected(self.shapes, shape)
        );
        let mut problem = Diagnostic::error(message).at(node.span);
        problem.help = self.type_help(node, shape);
        if let Some(doc) = field.description {
            problem = problem.note(format!(
                "`{}`: {doc}",
                self.path.last_key().unwrap_or_default()
            ));
        }
        self.problems.push(problem);
    }

    fn type_help(&self, node: &Node, shape: &Shape<'_>) -> Option<String> {
        let path = self.path.to_string();
        match (shape.kind?, &node.value) {
            ("array", Value::Table(_)) => Some(format!("write [[{path}]], with double brackets")),
            ("object", Value::Array(items))
                if items.iter().all(|item| item.as_table().is_some()) =>
            {
                Some(format!("write [{path}], with single brackets"))
            }
            ("number" | "integer", Value::String(text)) if text.trim().parse::<f64>().is_ok() => {
                Some("remove the quotes".to_owned())
            }
            ("number", Value::String(_)) => Some("a formula is not possible here".to_owned()),
            ("string", Value::Integer(_) | Value::Float(_) | Value::Boolean(_)) => {
                Some("put it in quotes".to_owned())
            }
            _ => None,
        }
    }

    fn report(&mut self, node: &Node, message: String) {
        self.problems.push(Diagnostic::error(message).at(node.span));
    }

    /// The value in question: its key, or its number in the array under that key.
    fn subject(&self) -> String {
        let key = self.path.last_key().unwrap_or_default();
        match self.path.segments().last() {
            Some(Segment::Index(index)) => format!("element {} of `{key}`", index + 1),
            _ => format!("`{key}`"),
        }
    }
}

/// True if the shape is meant for values of this type.
fn accepts(shapes: &Shapes<'_>, shape: &Shape<'_>, value: &Value) -> bool {
    let shape = shapes.resolve(shape);
    if let Some(branches) = &shape.branches {
        let mut branches = branches.iter();
        return branches.any(|&branch| accepts(shapes, shapes.get(branch), value));
    }
    if shape.names.is_some() {
        return matches!(value, Value::String(_));
    }
    match (shape.kind, value) {
        (Some("number"), Value::Integer(_) | Value::Float(_)) => true,
        (Some("integer"), Value::Integer(_)) => true,
        (Some("string"), Value::String(_)) => true,
        (Some("string"), Value::Date(_)) => shape.format == Some("date"),
        (Some("boolean"), Value::Boolean(_)) => true,
        (Some("array"), Value::Array(_)) => true,
        (Some("object"), Value::Table(_)) => true,
        _ => false,
    }
}

/// What the shape asks for, in words.
fn expected(shapes: &Shapes<'_>, shape: &Shape<'_>) -> String {
    let shape = shapes.resolve(shape);
    if let Some(branches) = &shape.branches {
        return match shape.description.and_then(|text| text.lines().next()) {
            Some(text) => as_phrase(text),
            None => (branches.iter())
                .map(|&branch| expected(shapes, shapes.get(branch)))
                .collect::<Vec<_>>()
                .join(" or "),
        };
    }
    if let Some(names) = &shape.names {
        return format!("one of {}", list(names.iter().copied(), "or"));
    }
    match shape.kind {
        Some("number") => "a number".to_owned(),
        Some("integer") => "a whole number".to_owned(),
        Some("string") if shape.format.is_some() => "a date such as 2024-01-03".to_owned(),
        Some("string") => "text in quotes".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("array") => {
            let items = shape.items.map(|items| shapes.resolve(shapes.get(items)));
            match (shape.max_items, items.and_then(|items| items.kind)) {
                (Some(count), _) => format!("an array of {count}"),
                (None, Some("object")) => "an array of tables".to_owned(),
                (None, Some("string")) => "an array of strings".to_owned(),
                (None, Some("number")) => "an array of numbers".to_owned(),
                _ => "an array".to_owned(),
            }
        }
        Some("object") => "a table".to_owned(),
        _ => "something else".to_owned(),
    }
}

/// A sentence such as "A number, or a formula in quotes." as a part of another: "a number or a formula in quotes".
fn as_phrase(sentence: &str) -> String {
    let text = sentence.trim_end_matches('.');
    let text = if text.matches(',').count() == 1 {
        text.replacen(", or", " or", 1)
    } else {
        text.to_owned()
    };
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

/// True for a date of the Gregorian calendar written 2024-01-03.
fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        let part = &bytes[range];
        part.iter().all(u8::is_ascii_digit).then(|| {
            part.iter()
                .fold(0, |n, digit| n * 10 + u32::from(digit - b'0'))
        })
    };
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return false;
    }
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(5..7), digits(8..10)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for good in ["2024-01-03", "2024-02-29", "2000-02-29", "1999-12-31"] {
            assert!(is_date(good), "{good}");
        }
        let bad = [
            "",
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-04-31",
            "2024-1-03",
            "2024-01-3é",
            "2024/01/03",
            "+024-01-03",
            "2024-01-03T",
        ];
        for bad in bad {
            assert!(!is_date(bad), "{bad}");
        }
    }

    #[test]
    fn phrases() {
        assert_eq!(
            as_phrase("A number, or a formula in quotes."),
            "a number or a formula in quotes"
        );
        assert_eq!(
            as_phrase("A number, a formula, or a list."),
            "a number, a formula, or a list"
        );
        assert_eq!(as_phrase(""), "");
    }
}
