//! Citations: every name of a source that is cited is declared, and every declared source is cited.

use std::collections::BTreeSet;

use super::problems::Problems;
use crate::scenario::raw::{OneOrMany, RawScenario};
use crate::scenario::schema::is_id;
use crate::scenario::tree::Path;

/// Reports citations of sources that are not declared, and warns of sources that nothing cites.
///
/// A scenario without sources cites by plain texts, and so may one with sources: what is spelled as an id is a name.
pub(super) fn check(raw: &RawScenario, problems: &mut Problems) {
    if raw.source.is_empty() {
        return;
    }
    let mut cited = BTreeSet::new();
    let mut misspelled = false;
    for (path, source) in citations(raw) {
        let (names, single) = match source {
            OneOrMany::One(name) => (std::slice::from_ref(name), true),
            OneOrMany::Many(names) => (names.as_slice(), false),
        };
        for (index, name) in names.iter().enumerate() {
            if raw.source.contains_key(name) {
                cited.insert(name);
            } else if is_id(name) {
                let path = path.key("source");
                let path = if single { path } else { path.index(index) };
                problems.unknown(&path, "source", name, raw.source.keys());
                misspelled = true;
            }
        }
    }
    if misspelled {
        return;
    }
    for id in raw.source.keys().filter(|id| !cited.contains(id)) {
        let path = Path::keys(["source", id]);
        problems.warning(&path, format!("nothing cites the source `{id}`"));
    }
}

/// Everything that is cited, with the path of the table that cites it.
fn citations(raw: &RawScenario) -> impl Iterator<Item = (Path, &OneOrMany)> {
    macro_rules! sections {
        ($($section:ident),*) => {
            std::iter::empty()$(.chain(raw.$section.iter().map(|(id, entry)| {
                (Path::keys([stringify!($section), id]), &entry.source)
            })))*
        };
    }
    let calendar = raw.calendar.iter().enumerate();
    let calendar =
        calendar.map(|(index, entry)| (Path::keys(["calendar"]).index(index), &entry.source));
    sections!(parameter, formula, actor, stock, action, process, rule)
        .chain([(Path::keys(["ladder"]), &raw.ladder.source)])
        .chain(calendar)
        .filter_map(|(path, source)| Some((path, source.as_ref()?)))
}
