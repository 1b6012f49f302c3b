//! A TOML document as a tree in which every key and every value knows where it was written.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use toml::de::{DeTable, DeValue};

use super::diagnostics::Diagnostic;
use super::source::{FileId, FileOffset, SourceFile, SourceMap, Span};

/// Deepest nesting of tables and arrays that is accepted.
pub const MAX_DEPTH: usize = 64;

/// Syntax errors of one file that are reported one by one.
const MAX_SYNTAX_ERRORS: usize = 20;

/// A value and the bytes in which it was written.
///
/// The span of a table with a header is the header; that of a table that only its dotted keys or the headers of its
/// own tables bring into being is the key.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What was written.
    pub value: Value,
    /// Where it was written.
    pub span: Span,
}

/// The kinds of TOML values.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string, escapes resolved.
    String(String),
    /// An integer.
    Integer(i64),
    /// A float; may be infinite or not a number.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A date or time as it was written, for example `2024-01-03`.
    Date(String),
    /// An array.
    Array(Vec<Node>),
    /// A table: keys in the order in which they were written.
    Table(Table),
}

/// The entries of a table in the order in which they were written.
pub type Table = IndexMap<String, Entry, foldhash::fast::FixedState>;

/// The value under a key, and where the key was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key was written.
    pub key_span: Span,
    /// Its value.
    pub node: Node,
}

impl Value {
    /// What the value is, with its article: "a string", "an array".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Boolean(true) => "`true`",
            Self::Boolean(false) => "`false`",
            Self::Date(_) => "a date",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// The entries, if this is a table.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value under `key`, if this is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        Some(&self.as_table()?.get(key)?.node)
    }

    /// The value at the end of `path`.
    pub fn at(&self, path: &Path) -> Option<&Node> {
        self.along(&path.0)
    }

    /// The value at the end of `segments`.
    pub(crate) fn along(&self, segments: &[Segment]) -> Option<&Node> {
        segments
            .iter()
            .try_fold(self, |node, segment| node.child(segment))
    }

    /// Where the last key of `path` was written; for an array element, where the element was written.
    pub fn key_span(&self, path: &Path) -> Option<Span> {
        let (last, parents) = path.0.split_last()?;
        let parent = self.along(parents)?;
        match last {
            Segment::Key(key) => Some(parent.as_table()?.get(&**key)?.key_span),
            Segment::Index(_) => Some(parent.child(last)?.span),
        }
    }

    /// Where the longest existing part of `path` was written.
    pub fn nearest_span(&self, path: &Path) -> Span {
        let mut node = self;
        for segment in &path.0 {
            match node.child(segment) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.span
    }

    /// The value at the end of `segments`, to be changed.
    pub(super) fn along_mut(&mut self, segments: &[Segment]) -> Option<&mut Node> {
        segments
            .iter()
            .try_fold(self, |node, segment| match (segment, &mut node.value) {
                (Segment::Key(key), Value::Table(table)) => Some(&mut table.get_mut(&**key)?.node),
                (Segment::Index(index), Value::Array(items)) => items.get_mut(*index),
                _ => None,
            })
    }

    /// The same with all places in the map to which its files were added.
    pub(super) fn moved(mut self, offset: FileOffset) -> Self {
        self.span = offset.moved(self.span);
        self.value = match self.value {
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| item.moved(offset)).collect())
            }
            Value::Table(table) => {
                let entries = table.into_iter().map(|(key, entry)| {
                    let key_span = offset.moved(entry.key_span);
                    let node = entry.node.moved(offset);
                    (key, Entry { key_span, node })
                });
                Value::Table(entries.collect())
            }
            plain => plain,
        };
        self
    }

    fn child(&self, segment: &Segment) -> Option<&Node> {
        match segment {
            Segment::Key(key) => self.get(key),
            Segment::Index(index) => self.as_array()?.get(*index),
        }
    }
}

/// One step from a value to a value inside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Into a table.
    Key(Arc<str>),
    /// Into an array, from 0.
    Index(usize),
}

/// The way from the root of a document to a value, for example `rule.pakistan_answers.option[1].score`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The path of the whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path from the root along `keys`.
    pub fn keys<const N: usize>(keys: [&str; N]) -> Self {
        Self(keys.iter().map(|key| Segment::Key((*key).into())).collect())
    }

    /// This path and one more key.
    #[must_use]
    pub fn key(&self, key: impl AsRef<str>) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Key(key.as_ref().into()));
        path
    }

    /// This path and one more index (from 0).
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Segment::Index(index));
        path
    }

    /// This path and one more step.
    #[must_use]
    pub(super) fn with(mut self, step: Segment) -> Self {
        self.0.push(step);
        self
    }

    pub(crate) fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    pub(crate) fn pop(&mut self) {
        self.0.pop();
    }

    /// The steps.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The last key of the path: the name of an array for the elements of the array.
    pub fn last_key(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|segment| match segment {
            Segment::Key(key) => Some(&**key),
            Segment::Index(_) => None,
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(&bare_or_quoted(key))?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A key as it is written in TOML: quoted unless it is made of letters, digits, `_` and `-`.
pub(crate) fn bare_or_quoted(key: &str) -> Cow<'_, str> {
    let bare = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
    if !key.is_empty() && key.bytes().all(bare) {
        Cow::Borrowed(key)
    } else {
        Cow::Owned(quoted(key))
    }
}

/// A TOML basic string.
pub(crate) fn quoted(text: &str) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Reads the TOML text of `file`.
///
/// # Errors
///
/// Every syntax error, every number out of range, nesting beyond [`MAX_DEPTH`], and a file without any key.
pub fn parse(sources: &SourceMap, file: FileId) -> Result<Node, Vec<Diagnostic>> {
    let Some(source) = sources.get(file) else {
        return Err(Vec::new());
    };
    let (document, errors) = DeTable::parse_recoverable(source.text());
    let mut builder = Builder {
        file,
        problems: Vec::new(),
    };
    if !errors.is_empty() {
        let errors = further_errors(source, errors);
        builder.syntax_errors(source, &errors);
        return Err(builder.problems);
    }
    let root = Node {
        value: Value::Table(builder.table(document.into_inner(), 1)),
        span: Span::new(file, 0..0),
    };
    if builder.problems.is_empty() && root.as_table().is_some_and(Table::is_empty) {
        let problem = Diagnostic::error("the file is empty").at(root.span).help(
            "a scenario begins with the table [scenario], an experiment with [batch]; `flashpoint scenarios` lists examples",
        );
        builder.problems.push(problem);
    }
    if builder.problems.is_empty() {
        Ok(root)
    } else {
        Err(builder.problems)
    }
}

struct Builder {
    file: FileId,
    problems: Vec<Diagnostic>,
}

impl Builder {
    fn node(&mut self, value: DeValue<'_>, range: Range<usize>, depth: usize) -> Node {
        let span = Span::new(self.file, range);
        let value = match value {
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Integer(integer) => {
                let parsed = i64::from_str_radix(integer.as_str(), integer.radix());
                if parsed.is_err() {
                    self.number_too_large(span);
                }
                Value::Integer(parsed.unwrap_or_default())
            }
            DeValue::Float(float) => {
                let parsed = float.as_str().parse::<f64>().unwrap_or(f64::NAN);
                if parsed.is_infinite() && !float.as_str().contains("inf") {
                    self.number_too_large(span);
                }
                Value::Float(parsed)
            }
            DeValue::Boolean(boolean) => Value::Boolean(boolean),
            DeValue::Datetime(date) => Value::Date(date.to_string()),
            DeValue::Array(_) | DeValue::Table(_) if depth > MAX_DEPTH => {
                self.problems.push(
                    Diagnostic::error(format!(
                        "tables and arrays are nested more than {MAX_DEPTH} deep"
                    ))
                    .at(span),
                );
                Value::Boolean(false)
            }
            DeValue::Array(items) => {
                let items = items.into_iter().map(|item| {
                    let range = item.span();
                    self.node(item.into_inner(), range, depth + 1)
                });
                Value::Array(items.collect())
            }
            DeValue::Table(table) => Value::Table(self.table(table, depth + 1)),
        };
        Node { value, span }
    }

    fn table(&mut self, table: DeTable<'_>, depth: usize) -> Table {
        let mut entries: Vec<_> = table.into_iter().collect();
        // The parser moves a table to the end when its header follows that of one of its own tables.
        entries.sort_by_key(|(key, _)| key.span().start);
        let entries = entries.into_iter().map(|(key, value)| {
            let key_span = Span::new(self.file, key.span());
            let range = value.span();
            let node = self.node(value.into_inner(), range, depth);
            (key.into_inner().into_owned(), Entry { key_span, node })
        });
        entries.collect()
    }

    fn number_too_large(&mut self, span: Span) {
        self.problems
            .push(Diagnostic::error("this number is too large").at(span));
    }

    /// At most one error a line: the parser goes on after an error, and what it reports next on the same line is
    /// most often the same mistake again.
    fn syntax_errors(&mut self, source: &SourceFile, errors: &[toml::de::Error]) {
        let mut seen_lines = BTreeSet::new();
        let mut in_open_array = false;
        let unclosed = errors
            .iter()
            .any(|error| error.message().starts_with("unclosed"));
        let mut hidden = 0;
        for error in errors {
            let range = error.span().unwrap_or(0..0);
            let is_unclosed = error.message().starts_with("unclosed");
            // Everything after an opening bracket without its partner is read as elements.
            if in_open_array && !is_unclosed {
                continue;
            }
            in_open_array |=
                unclosed && (is_unclosed || error.message().starts_with("missing comma"));
            if !seen_lines.insert(source.line_index(range.start)) {
                continue;
            }
            if self.problems.len() == MAX_SYNTAX_ERRORS {
                hidden += 1;
                continue;
            }
            self.problems.push(syntax_error(
                error.message(),
                source.text(),
                Span::new(self.file, range),
            ));
        }
        if hidden > 0 {
            let note = format!("{hidden} more lines of this file have syntax errors");
            if let Some(last) = self.problems.pop() {
                self.problems.push(last.note(note));
            }
        }
    }
}

/// Largest file that is read again after a key without a value, in bytes.
const MAX_REREAD_BYTES: usize = 1 << 20;

/// The parser gives up at a key without a value: what follows is read without that line.
fn further_errors(source: &SourceFile, mut errors: Vec<toml::de::Error>) -> Vec<toml::de::Error> {
    if source.text().len() > MAX_REREAD_BYTES {
        return errors;
    }
    let mut text = source.text().to_owned();
    let mut all = Vec::new();
    for _ in 0..MAX_SYNTAX_ERRORS {
        let stop = errors
            .iter()
            .position(|error| error.message().starts_with("key with no value"));
        let Some(stop) = stop else { break };
        let offset = errors[stop].span().map_or(0, |span| span.start);
        let line = source.line_range(source.line_index(offset));
        if text[line.clone()].trim().is_empty() {
            break;
        }
        all.push(errors.swap_remove(stop));
        text.replace_range(line.clone(), &" ".repeat(line.len()));
        errors = DeTable::parse_recoverable(&text).1;
    }
    all.extend(errors);
    all.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    all
}

fn syntax_error(message: &str, text: &str, span: Span) -> Diagnostic {
    let (what, expected) = match message.split_once(", expected ") {
        Some((what, "nothing")) => (what, None),
        Some((what, expected)) => (what, Some(expected)),
        None => (message, None),
    };
    let written = text.get(span.range()).unwrap_or("");
    match what {
        "string values must be quoted" => Diagnostic::error("text must be in quotes")
            .at(span)
            .help(format!("write {}", quoted(written))),
        what if what.starts_with("invalid") && what.ends_with("string") && is_quote(expected) => {
            Diagnostic::error("this string is not closed")
                .at(span)
                .help("a string ends with the quotes that it began with")
        }
        "duplicate key" => Diagnostic::error(format!("`{written}` is defined twice"))
            .at(span)
            .label("second definition")
            .help("remove one of the two, or merge them into one table"),
        "cannot recurse further; max recursion depth met" => Diagnostic::error(format!(
            "tables and arrays are nested more than {MAX_DEPTH} deep"
        ))
        .at(span),
        _ => {
            let problem = Diagnostic::error(format!("invalid TOML: {what}")).at(span);
            match expected {
                Some(expected) => problem.label(format!("expected {expected}")),
                None => problem,
            }
        }
    }
}

/// True if the parser expected nothing but closing quotes.
fn is_quote(expected: Option<&str>) -> bool {
    expected.is_some_and(|expected| expected.chars().all(|c| matches!(c, '`' | '"' | '\'')))
}
