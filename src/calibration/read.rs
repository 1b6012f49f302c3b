//! From a calibration file to hindcasts that can be run under one set of worlds.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use super::raw::{RawCalibration, RawPattern, SCHEMA, Use};
use crate::distribution::Distribution;
use crate::hindcast::read::read_with;
use crate::hindcast::{
    BuiltinFiles, Case, Question, constant_distribution, is_unopened, with_suggestion,
};
use crate::scenario::diagnostics::{Diagnostic, Diagnostics};
use crate::scenario::document::{self, Document};
use crate::scenario::extend::{DiskFiles, Files};
use crate::scenario::load::short_name;
use crate::scenario::raw::{RawDistribution, RawParameter};
use crate::scenario::tree::Path;
use crate::scenario::wording::closest;

/// Worlds unless the file says otherwise.
const DEFAULT_WORLDS: u32 = 4000;

/// A parameter that is fitted.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// Its id.
    pub id: String,
    /// What is believed before the patterns are seen.
    pub prior: Distribution,
}

/// A pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Index of the hindcast in [`Calibration::cases`].
    pub case: usize,
    /// Index of the question in the hindcast.
    pub question: usize,
    /// What it is for.
    pub role: Use,
    /// Error of the record.
    pub error: f64,
    /// Discrepancy of the scenario.
    pub discrepancy: f64,
}

/// A calibration that can be carried out.
#[derive(Clone, Debug)]
pub struct Calibration {
    /// Built-in name, or the file's name without extension.
    pub name: String,
    /// Title.
    pub title: String,
    /// Worlds to draw.
    pub worlds: u32,
    /// The parameters.
    pub parameters: Vec<Fitted>,
    /// The patterns, in the order of the file.
    pub patterns: Vec<Pattern>,
    /// The hindcasts that the patterns belong to. They draw the fitted parameters from the priors of this calibration.
    pub cases: Vec<Case>,
    /// The file as text that depends on nothing but its content.
    pub text: String,
}

impl Calibration {
    /// The question of a pattern.
    pub fn question(&self, pattern: &Pattern) -> &Question {
        &self.cases[pattern.case].questions[pattern.question]
    }
}

/// Reads the calibration of that path or built-in name.
///
/// # Errors
/// All problems of the file, or those of the hindcasts that it names.
pub fn read(name: &str) -> Result<Calibration, Diagnostics> {
    let files = DiskFiles;
    let builtin = BuiltinFiles(&files);
    let text = builtin.builtin(name);
    let read = document::read::<RawCalibration>(&files, name, text.as_deref(), &SCHEMA);
    let document = read.map_err(|problems| {
        if is_unopened(&problems) {
            let sources = problems.sources().clone();
            let problems = with_suggestion(&builtin, name, problems.into_iter().collect());
            return Diagnostics::new(sources, problems);
        }
        problems
    })?;
    let raw = &document.content;
    let mut builder = Builder {
        files: &files,
        document: &document,
        raw,
        problems: Vec::new(),
        cases: Vec::new(),
        names: Vec::new(),
        identities: Vec::new(),
        priors: BTreeMap::new(),
    };
    builder.check_numbers();
    let patterns = builder.patterns()?;
    let parameters = builder.parameters();
    if !builder.problems.is_empty() {
        return Err(Diagnostics::new(document.sources.clone(), builder.problems));
    }
    let cases = builder.cases;
    let short = short_name(name);
    Ok(Calibration {
        title: raw
            .calibration
            .title
            .clone()
            .unwrap_or_else(|| short.clone()),
        name: short,
        worlds: raw.calibration.worlds.unwrap_or(DEFAULT_WORLDS),
        parameters,
        patterns,
        cases,
        text: document.canonical_text(),
    })
}

struct Builder<'a> {
    files: &'a dyn Files,
    document: &'a Document<RawCalibration>,
    raw: &'a RawCalibration,
    problems: Vec<Diagnostic>,
    cases: Vec<Case>,
    /// Under which name each case was asked for.
    names: Vec<String>,
    /// Which file each case is.
    identities: Vec<PathBuf>,
    /// The scenario's prior of each fitted parameter, and the case in which it was first seen.
    priors: BTreeMap<String, (Option<RawDistribution>, String)>,
}

impl Builder<'_> {
    fn error(&mut self, path: &Path, message: impl Into<String>, help: Option<String>) {
        let mut problem = Diagnostic::error(message).at(self.document.locate(path));
        problem.help = help;
        self.problems.push(problem);
    }

    fn check_numbers(&mut self) {
        let raw = self.raw;
        if raw.parameter.is_empty() {
            self.error(
                &Path::root(),
                "no parameter is fitted",
                Some("add a table [parameter.NAME] for each of them".to_owned()),
            );
        }
        if raw.pattern.iter().all(|pattern| pattern.role != Use::Fit) {
            self.error(
                &Path::root(),
                "no pattern is fitted",
                Some("add a table [[pattern]] with `use = \"fit\"`".to_owned()),
            );
        }
        if raw.calibration.worlds.is_some_and(|worlds| worlds < 2) {
            let path = Path::keys(["calibration", "worlds"]);
            self.error(&path, "at least 2 worlds are needed", None);
        }
    }

    /// The patterns, reading each hindcast once. The chance of a hindcast is keyed by its name, so two of one name are refused.
    fn patterns(&mut self) -> Result<Vec<Pattern>, Diagnostics> {
        let raw = self.raw;
        let mut patterns = Vec::new();
        for (index, pattern) in raw.pattern.iter().enumerate() {
            let path = Path::keys(["pattern"]).index(index);
            let case = match self.names.iter().position(|name| *name == pattern.hindcast) {
                Some(case) => case,
                None => self.read_case(&pattern.hindcast, &path.key("hindcast"))?,
            };
            if let Some(pattern) = self.pattern(case, pattern, &path) {
                patterns.push(pattern);
            }
        }
        Ok(patterns)
    }

    fn read_case(&mut self, name: &str, path: &Path) -> Result<usize, Diagnostics> {
        let found = self.document.resolve(&BuiltinFiles(self.files), name);
        let fitted = &self.raw.parameter;
        let mut seen: Vec<(String, Option<RawParameter>)> = Vec::new();
        let mut known: Vec<String> = Vec::new();
        let case = read_with(self.files, &found, &mut |scenario| {
            known = scenario.parameter.keys().cloned().collect();
            for (id, fitted) in fitted {
                let parameter = scenario.parameter.get_mut(id);
                seen.push((id.clone(), parameter.as_deref().cloned()));
                if let (Some(parameter), Some(prior)) = (parameter, &fitted.prior) {
                    parameter.prior = Some(prior.clone());
                }
            }
        });
        let case = case.map_err(|problems| {
            if is_unopened(&problems) {
                let span = self.document.locate(path);
                let problems = problems.into_iter().map(|problem| problem.at(span));
                return Diagnostics::new(self.document.sources.clone(), problems.collect());
            }
            problems
        })?;
        let file = self.files.identity(FilePath::new(&found));
        if let Some(other) = self.identities.iter().position(|other| *other == file) {
            let message = format!(
                "`{name}` is the file that was named `{}` before",
                self.names[other]
            );
            let help = "write the name of a hindcast the same way in all its patterns";
            self.error(path, message, Some(help.to_owned()));
        } else if self.cases.iter().any(|other| other.name == case.name) {
            let message = format!("two hindcasts have the name `{}`", case.name);
            let help = "give one of the files another name: what happens by chance in a hindcast goes by its name";
            self.error(path, message, Some(help.to_owned()));
        }
        self.identities.push(file);
        for (id, parameter) in seen {
            let path = Path::keys(["parameter", &id]);
            let Some(parameter) = parameter else {
                let message = format!("`{}` has no parameter `{id}`", case.name);
                let best = closest(&id, known.iter().map(String::as_str));
                self.error(
                    &path,
                    message,
                    best.map(|best| format!("did you mean `{best}`?")),
                );
                continue;
            };
            match self.priors.get(&id) {
                None => {
                    let first = (parameter.prior, case.name.clone());
                    self.priors.insert(id, first);
                }
                Some((prior, _)) if *prior == parameter.prior => {}
                Some((_, first)) => {
                    let message = format!(
                        "`{id}` has one prior in `{first}` and another in `{}`",
                        case.name
                    );
                    let help =
                        "a fitted parameter is the same in all hindcasts: do not change it there";
                    self.error(&path, message, Some(help.to_owned()));
                }
            }
        }
        self.names.push(name.to_owned());
        self.cases.push(case);
        Ok(self.cases.len() - 1)
    }

    fn pattern(&mut self, case: usize, raw: &RawPattern, path: &Path) -> Option<Pattern> {
        let questions = &self.cases[case].questions;
        let position = questions.iter().position(|q| q.id == raw.question);
        let Some(question) = position else {
            let message = format!("`{}` has no question `{}`", raw.hindcast, raw.question);
            let best = closest(&raw.question, questions.iter().map(|q| q.id.as_str()));
            let help = best.map(|best| format!("did you mean `{best}`?"));
            self.error(&path.key("question"), message, help);
            return None;
        };
        let named = !questions[question].options.is_empty();
        for (key, value) in [("error", raw.error), ("discrepancy", raw.discrepancy)] {
            let fits = value >= 0.0 && (!named || value < 1.0);
            if !fits {
                let wanted = if named {
                    "a probability below 1, since the answer has a name"
                } else {
                    "0 or more"
                };
                self.error(
                    &path.key(key),
                    format!("`{key}` is {value}, but must be {wanted}"),
                    None,
                );
            }
        }
        Some(Pattern {
            case,
            question,
            role: raw.role,
            error: raw.error,
            discrepancy: raw.discrepancy,
        })
    }

    fn parameters(&mut self) -> Vec<Fitted> {
        let raw = self.raw;
        let mut parameters = Vec::new();
        for (id, fitted) in &raw.parameter {
            let path = Path::keys(["parameter", id]);
            let inherited = self.priors.get(id).and_then(|(prior, _)| prior.clone());
            let Some(prior) = fitted.prior.clone().or(inherited) else {
                if self.priors.contains_key(id) {
                    let message = format!("`{id}` has no prior in the scenario");
                    let help = "say here what is believed before the patterns are seen: `prior = { dist = ... }`";
                    self.error(&path, message, Some(help.to_owned()));
                }
                continue;
            };
            match constant_distribution(&prior) {
                Ok(prior) => parameters.push(Fitted {
                    id: id.clone(),
                    prior,
                }),
                Err(message) => self.error(&path.key("prior"), message, None),
            }
        }
        parameters
    }
}
