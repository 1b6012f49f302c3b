//! What is wrong with a scenario: messages that point at the place in the file.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use serde::{Serialize, Serializer};

use super::source::{SourceFile, SourceMap, Span};

/// Problems that are printed one by one; the rest are counted.
const MAX_RENDERED: usize = 100;

/// Longest line that is handed to the renderer as a whole, in bytes.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// Bytes of a longer line that are kept on each side of the place that is pointed at.
const MAX_CONTEXT_BYTES: usize = 400;

/// Bytes that are underlined.
const MAX_UNDERLINED_BYTES: usize = 60;

/// Columns of a terminal.
const WIDTH: usize = 110;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The scenario cannot be run.
    Error,
    /// The scenario can be run, but may not mean what was intended.
    Warning,
}

/// One problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// Text beside the caret.
    pub label: Option<String>,
    /// Where it was written.
    pub location: Option<Span>,
    /// Other places that belong to the problem, each with the text beside its caret.
    pub related: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
    /// Further remarks.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message.into())
    }

    /// A warning without a place.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message.into())
    }

    fn new(severity: Severity, message: String) -> Self {
        Self {
            severity,
            message,
            label: None,
            location: None,
            related: Vec::new(),
            help: None,
            notes: Vec::new(),
        }
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.location = span.into();
        self
    }

    /// Sets the text beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Sets the advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a remark.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// All problems found in a scenario, with the files they point into.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    sources: SourceMap,
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// A collection sorted by file and position. Problems without a place come first. What is equal is kept once.
    pub fn new(sources: SourceMap, mut items: Vec<Diagnostic>) -> Self {
        items.sort_by_key(|item| (item.location, item.severity));
        items.dedup();
        Self { sources, items }
    }

    /// The problems of several documents together, in their order; what reads the same is kept once.
    pub fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        let mut seen = BTreeSet::new();
        for part in parts {
            let offset = all.sources.append(&part.sources);
            for item in part.items {
                let alone = Self {
                    sources: part.sources.clone(),
                    items: vec![item.clone()],
                };
                if !seen.insert(alone.render(false)) {
                    continue;
                }
                all.items.push(Diagnostic {
                    location: item.location.map(|span| offset.moved(span)),
                    related: (item.related.into_iter())
                        .map(|(span, label)| (offset.moved(span), label))
                        .collect(),
                    ..item
                });
            }
        }
        all
    }

    /// The problems by file and position.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.items.iter()
    }

    /// The files into which the places point.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// True if there is no problem at all.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Number of problems, warnings included.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Number of errors.
    pub fn error_count(&self) -> usize {
        self.items
            .iter()
            .filter(|item| item.severity == Severity::Error)
            .count()
    }

    /// True if there is an error.
    pub fn has_errors(&self) -> bool {
        self.error_count() > 0
    }

    /// The problems as text: for each one its message, its place as file:line:column, the lines concerned with
    /// carets, and the advice. With `colour`, ANSI escape codes are included.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let renderer = renderer.term_width(WIDTH);
        let mut out = String::new();
        for item in self.items.iter().take(MAX_RENDERED) {
            out.push_str(&renderer.render(&[self.group(item)]));
            out.push_str("\n\n");
        }
        if self.items.len() > MAX_RENDERED {
            out.push_str(&format!(
                "... and {} more\n\n",
                self.items.len() - MAX_RENDERED
            ));
        }
        out
    }

    fn group<'a>(&'a self, item: &'a Diagnostic) -> Group<'a> {
        let level = match item.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(item.message.as_str()));
        if let Some(location) = item.location
            && let Some(file) = self.sources.get(location.file)
        {
            group = group.elements(excerpts(
                file,
                location,
                item.label.as_deref(),
                AnnotationKind::Primary,
            ));
        }
        for (span, label) in &item.related {
            if let Some(file) = self.sources.get(span.file) {
                group = group.elements(excerpts(file, *span, Some(label), AnnotationKind::Context));
            }
        }
        for note in &item.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        if let Some(help) = &item.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }
}

/// The place as file:line:column, and the line with its carets. Only the first line of a longer span is shown, and
/// only the neighbourhood of the span in a very long line.
fn excerpts<'a>(
    file: &'a SourceFile,
    span: Span,
    label: Option<&'a str>,
    kind: AnnotationKind,
) -> Vec<Element<'a>> {
    let text = file.text();
    let start = file.floor_boundary(span.start);
    let position = file.position(start);
    let line = file.line_range(position.line - 1);
    let start = start.min(line.end);
    let end = span.end.min(start + MAX_UNDERLINED_BYTES);
    let end = file.floor_boundary(end).clamp(start, line.end);
    let origin = Origin::path(file.name())
        .line(position.line)
        .char_column(position.column);
    if text[line.clone()].trim().is_empty() && label.is_none() {
        return vec![origin.into()];
    }
    let excerpt = |part: Range<usize>| {
        let annotation = kind.span(start - part.start..end - part.start);
        Snippet::source(&text[part])
            .line_start(position.line)
            .annotation(annotation.label(label))
    };
    if line.len() <= MAX_LINE_BYTES {
        return vec![excerpt(line).path(file.name()).into()];
    }
    let from = file.floor_boundary(start.saturating_sub(MAX_CONTEXT_BYTES));
    let to = file.floor_boundary(end + MAX_CONTEXT_BYTES);
    let part = from.max(line.start)..to.min(line.end);
    vec![origin.into(), excerpt(part).into()]
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

#[derive(Serialize)]
struct JsonPlace<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    label: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonDiagnostic<'a> {
    severity: Severity,
    message: &'a str,
    location: Option<JsonPlace<'a>>,
    related: Vec<JsonPlace<'a>>,
    help: Option<&'a str>,
    notes: &'a [String],
}

impl Serialize for Diagnostics {
    /// A list of objects with severity, message, location (file, line, column, end_line, end_column, label), related
    /// places, help and notes. Lines and columns count from 1; columns count characters; the end is exclusive.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.items.iter().map(|item| {
            JsonDiagnostic {
                severity: item.severity,
                message: &item.message,
                location: item
                    .location
                    .and_then(|span| self.json_place(span, item.label.as_deref())),
                related: item
                    .related
                    .iter()
                    .filter_map(|(span, label)| self.json_place(*span, Some(label)))
                    .collect(),
                help: item.help.as_deref(),
                notes: &item.notes,
            }
        }))
    }
}

impl Diagnostics {
    fn json_place<'a>(&'a self, span: Span, label: Option<&'a str>) -> Option<JsonPlace<'a>> {
        let file = self.sources.get(span.file)?;
        let (start, end) = (file.position(span.start), file.position(span.end));
        Some(JsonPlace {
            file: file.name(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            label,
        })
    }
}
