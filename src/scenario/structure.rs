//! The check of a document against the schema: everything that is wrong with its shape, at once.

use super::diagnostics::Diagnostic;
use super::tree::Node;

/// All structural problems of a merged document. `complete` is false when a part of it could not be read: then
/// missing keys are not reported.
pub(super) fn check(_root: &Node, _complete: bool) -> Vec<Diagnostic> {
    Vec::new()
}

/// Ids used twice in one array of tables of one file.
pub(super) fn duplicate_ids(_root: &Node) -> Vec<Diagnostic> {
    Vec::new()
}

/// The candidate that was probably meant by `written`, if any is close enough.
pub(super) fn closest<'a>(
    written: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let (distance, best) = candidates
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .min()?;
    (distance <= written.chars().count().max(best.chars().count()) / 3).then_some(best)
}
