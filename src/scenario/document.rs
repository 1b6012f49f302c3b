//! TOML documents that are no scenarios but name scenarios, such as the file of a batch.

use serde::de::DeserializeOwned;
use serde_json::Value as Schema;

use super::deserialize::from_node;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::extend::{Files, Origin, Reader};
use super::source::{SourceMap, Span};
use super::tree::{Node, Path};
use super::{canonical, structure};

/// A document that is well formed: all keys are known and all values have the right shape.
#[derive(Clone, Debug)]
pub struct Document<T> {
    /// Its content.
    pub content: T,
    /// The same with the place in which every value was written.
    pub tree: Node,
    /// The file that it was read from.
    pub sources: SourceMap,
    origin: Origin,
}

/// Reads the file at `path`, or else `builtin`, the text of a document of that name that is part of the program.
///
/// # Errors
/// It cannot be read, or does not follow `schema`, which must be that of a `T`.
pub fn read<T: DeserializeOwned>(
    files: &dyn Files,
    name: &str,
    builtin: Option<&str>,
    schema: &Schema,
) -> Result<Document<T>, Diagnostics> {
    let mut reader = Reader::new(files);
    let found = reader.document(name, builtin);
    let Reader {
        sources,
        mut problems,
        ..
    } = reader;
    let Some((tree, origin)) = found else {
        return Err(Diagnostics::new(sources, problems));
    };
    problems.extend(structure::check(&tree, schema, true));
    if !problems.is_empty() {
        return Err(Diagnostics::new(sources, problems));
    }
    match from_node(&tree) {
        Ok(content) => Ok(Document {
            content,
            tree,
            sources,
            origin,
        }),
        Err(error) => {
            let problem = Diagnostic::error(format!("`{name}` cannot be read: {error}"));
            Err(Diagnostics::new(sources, vec![problem]))
        }
    }
}

impl<T> Document<T> {
    /// Where the value at `path` was written, or the longest existing part of it.
    pub fn locate(&self, path: &Path) -> Span {
        self.tree.nearest_span(path)
    }

    /// Where the last key of `path` was written, or else the longest existing part of it.
    pub fn locate_key(&self, path: &Path) -> Span {
        (self.tree.key_span(path)).unwrap_or_else(|| self.tree.nearest_span(path))
    }

    /// The document as TOML text that depends on nothing but its content.
    pub fn canonical_text(&self) -> String {
        canonical::to_toml(&self.tree)
    }

    /// The name by which a scenario is loaded that this document calls `reference`: a file beside this one, or else a built-in
    /// scenario.
    pub fn resolve(&self, files: &dyn Files, reference: &str) -> String {
        self.origin.refer(files, reference)
    }
}
