//! The problems found while a scenario is compiled.

use std::collections::BTreeSet;

use crate::formula::{CheckError, Span};
use crate::model::WorldError;
use crate::scenario::diagnostics::{Diagnostic, Diagnostics, Severity};
use crate::scenario::load::LoadedScenario;
use crate::scenario::tree::Path;
use crate::scenario::wording::{closest, list};

/// Collects problems; each is kept once, however many actors it concerns.
pub(super) struct Problems<'a> {
    loaded: &'a LoadedScenario,
    found: Vec<Diagnostic>,
    seen: BTreeSet<(Option<crate::scenario::source::Span>, String)>,
}

impl<'a> Problems<'a> {
    pub fn new(loaded: &'a LoadedScenario) -> Self {
        Self {
            loaded,
            found: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        let key = (diagnostic.location, diagnostic.message.clone());
        if self.seen.insert(key) {
            self.found.push(diagnostic);
        }
    }

    /// An error at the value at `path`, or at the nearest that exists.
    pub fn error(&mut self, path: &Path, message: impl Into<String>) {
        let span = self.loaded.locate_nearest(path);
        self.push(Diagnostic::error(message).at(span));
    }

    /// An error at the value at `path`, with advice.
    pub fn error_with_help(
        &mut self,
        path: &Path,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let span = self.loaded.locate_nearest(path);
        self.push(Diagnostic::error(message).at(span).help(help));
    }

    /// An error at the name of what is at `path`.
    pub fn error_at_key(&mut self, path: &Path, message: impl Into<String>) {
        let span = self.loaded.locate_key(path);
        self.push(Diagnostic::error(message).at(span));
    }

    /// An error at a formula of constants whose value cannot be used.
    pub fn unusable(&mut self, error: &WorldError) {
        let mut path = Path::root();
        for part in error.site.split('.') {
            let mut indices = part.split('[');
            path = path.key(indices.next().unwrap_or_default());
            for index in indices.filter_map(|index| index.trim_end_matches(']').parse().ok()) {
                path = path.index(index);
            }
        }
        let key = path.last_key().unwrap_or_default();
        let (value, required) = (error.value, error.required);
        let message = format!("`{key}` is {value}, but must be {required}");
        self.error(&path, message);
    }

    /// Something that is allowed but hardly meant.
    pub fn warning(&mut self, path: &Path, message: impl Into<String>) {
        let span = self.loaded.locate_nearest(path);
        self.push(Diagnostic::warning(message).at(span));
    }

    /// An error at some bytes of the formula at `path`.
    pub fn in_formula(&mut self, path: &Path, span: Span, message: String, help: Option<String>) {
        let location = self.loaded.locate_in_formula(path, span);
        let mut diagnostic = Diagnostic::error(message)
            .at(location.unwrap_or_else(|| self.loaded.locate_nearest(path)));
        diagnostic.help = help;
        self.push(diagnostic);
    }

    /// An error of the formula at `path`, or of a named formula that it uses. `name` gives their names.
    pub fn in_checked<'n>(
        &mut self,
        path: &Path,
        error: CheckError,
        name: impl Fn(u32) -> Option<&'n str>,
    ) {
        let named = error.within.and_then(|w| Some((name(w.definition)?, w)));
        let Some((name, within)) = named else {
            return self.in_formula(path, error.span, error.message, error.help);
        };
        let own = Path::keys(["formula", name, "value"]);
        let mut diagnostic = Diagnostic::error(error.message).at(self
            .loaded
            .locate_in_formula(&own, error.span)
            .unwrap_or_else(|| self.loaded.locate_nearest(&own)));
        diagnostic.help = error.help;
        if let Some(used) = self.loaded.locate_in_formula(path, within.used_at) {
            diagnostic = diagnostic.related(used, "used here");
        }
        self.push(diagnostic);
    }

    /// An error at a name that nothing has, with the nearest name that something has.
    pub fn unknown(
        &mut self,
        path: &Path,
        kind: &str,
        name: &str,
        known: impl Iterator<Item = impl AsRef<str>>,
    ) {
        let known: Vec<String> = known.map(|name| name.as_ref().to_owned()).collect();
        let message = format!("there is no {kind} `{name}`");
        match suggestion(name, &known) {
            Some(help) => self.error_with_help(path, message, help),
            None => self.error(path, message),
        }
    }

    /// Whether anything is wrong so far.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|d| d.severity == Severity::Error)
    }

    pub fn warnings(self) -> Vec<Diagnostic> {
        self.found
    }

    pub fn diagnostics(self) -> Diagnostics {
        self.loaded.diagnostics(self.found)
    }
}

/// The nearest of some names, or all of them if they are few.
fn suggestion(name: &str, known: &[String]) -> Option<String> {
    let known = || known.iter().map(String::as_str);
    match closest(name, known()) {
        Some(nearest) => Some(format!("did you mean `{nearest}`?")),
        None if (1..=12).contains(&known().count()) => {
            Some(format!("write {}", list(known(), "or")))
        }
        None => None,
    }
}
