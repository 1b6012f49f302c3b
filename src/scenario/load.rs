//! Loading: from a path or a built-in name to a [`RawScenario`] whose every value can be found in its file again.

use std::ops::Range;

use super::deserialize::from_node;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::extend::{DiskFiles, Files, Reader};
use super::raw::RawScenario;
use super::source::{SourceMap, Span};
use super::tree::{Node, Path, Value};
use super::{canonical, offsets, structure};

/// A scenario that is well formed: all keys are known and all values have the right shape.
///
/// Whether names and formulas mean something is checked when it is compiled.
#[derive(Clone, Debug)]
pub struct LoadedScenario {
    /// The scenario, merged with those that it extends.
    pub raw: RawScenario,
    /// The same with the place in which every value was written.
    pub tree: Node,
    /// The files read: the scenario itself first, then those that it extends.
    pub sources: SourceMap,
    /// Name of the built-in scenario, or the file's name without its extension.
    pub name: String,
}

impl LoadedScenario {
    /// Where the value at `path` was written. For a table with a header, the header.
    pub fn locate(&self, path: &Path) -> Option<Span> {
        Some(self.tree.at(path)?.span)
    }

    /// Where the last key of `path` was written; for an array element, the element.
    pub fn locate_key(&self, path: &Path) -> Option<Span> {
        self.tree.key_span(path)
    }

    /// Where the longest existing part of `path` was written.
    pub fn locate_nearest(&self, path: &Path) -> Span {
        self.tree.nearest_span(path)
    }

    /// Where the bytes `range` of the formula at `path` were written: exact for every kind of TOML string, escapes
    /// included. For a bare number, the number.
    pub fn locate_in_formula(&self, path: &Path, range: Range<usize>) -> Option<Span> {
        let node = self.tree.at(path)?;
        match &node.value {
            Value::String(text) => Some(offsets::in_string(&self.sources, node.span, text, range)),
            _ => Some(node.span),
        }
    }

    /// The merged scenario as TOML text that depends on nothing but its content: comments, layout and the division
    /// into files leave no trace.
    pub fn resolved_text(&self) -> String {
        canonical::to_toml(&self.tree)
    }

    /// Problems of this scenario, ready to be shown.
    pub fn diagnostics(&self, items: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics::new(self.sources.clone(), items)
    }
}

/// Loads the scenario file at that path, or else the built-in scenario of that name. `-` reads standard input.
///
/// # Errors
///
/// All problems of the file and of those that it extends: unreadable files, syntax, structure.
pub fn load(path_or_builtin: &str) -> Result<LoadedScenario, Diagnostics> {
    load_with(&DiskFiles, path_or_builtin)
}

/// Loads a scenario from TOML text. `name` stands for the file's path in messages, and `extends` is relative to it.
///
/// # Errors
///
/// As [`load`].
pub fn load_text(name: &str, text: &str) -> Result<LoadedScenario, Diagnostics> {
    let mut reader = Reader::new(&DiskFiles);
    let merged = reader.merge_text(name, text);
    finish(reader, merged, name)
}

/// As [`load`], with files from anywhere.
///
/// # Errors
///
/// As [`load`].
pub fn load_with(files: &dyn Files, path_or_builtin: &str) -> Result<LoadedScenario, Diagnostics> {
    let mut reader = Reader::new(files);
    let merged = reader.merge_named(path_or_builtin);
    finish(reader, merged, path_or_builtin)
}

/// The scenario of a merged document, or all its problems and those found before.
pub(crate) fn finish(
    reader: Reader<'_>,
    merged: Option<Node>,
    name: &str,
) -> Result<LoadedScenario, Diagnostics> {
    let Reader {
        sources,
        mut problems,
        incomplete,
        ..
    } = reader;
    let Some(tree) = merged else {
        return Err(Diagnostics::new(sources, problems));
    };
    // What a missing base would have contributed is not missing here.
    problems.extend(structure::check(&tree, &structure::SCENARIO, !incomplete));
    if !problems.is_empty() {
        return Err(Diagnostics::new(sources, problems));
    }
    read(tree, sources, short_name(name))
}

/// The scenario of a merged document.
pub(super) fn from_tree(
    tree: Node,
    sources: SourceMap,
    name: String,
) -> Result<LoadedScenario, Diagnostics> {
    let problems = structure::check(&tree, &structure::SCENARIO, true);
    if !problems.is_empty() {
        return Err(Diagnostics::new(sources, problems));
    }
    read(tree, sources, name)
}

/// The scenario of a document without structural problems.
fn read(tree: Node, sources: SourceMap, name: String) -> Result<LoadedScenario, Diagnostics> {
    match from_node::<RawScenario>(&tree) {
        Ok(raw) => Ok(LoadedScenario {
            raw,
            tree,
            sources,
            name,
        }),
        Err(error) => {
            let problem = Diagnostic::error(format!("the scenario cannot be read: {error}"));
            Err(Diagnostics::new(sources, vec![problem]))
        }
    }
}

/// The built-in name itself, or the file name without folder and extension.
pub(crate) fn short_name(name: &str) -> String {
    if name == "-" {
        return "stdin".to_owned();
    }
    match name.strip_suffix(".toml") {
        Some(stem) => stem.rsplit(['/', '\\']).next().unwrap_or(stem).to_owned(),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
