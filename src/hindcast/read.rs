//! From a hindcast file to a [`Case`] that can be run.

use std::collections::BTreeMap;

use super::document::{BuiltinFiles, constant_distribution, is_unopened, with_suggestion};
use super::question::{Baseline, Question, Reading};
use super::raw::{
    RawBaseRate, RawBaseRateRef, RawBaseRates, RawCase, RawHindcast, RawOutcome, RawQuestion,
};
use super::schema;
use crate::experiment::subject::is_day;
use crate::model::Model;
use crate::scenario::compile::compile;
use crate::scenario::deserialize::from_node;
use crate::scenario::diagnostics::{Diagnostic, Diagnostics};
use crate::scenario::document;
use crate::scenario::extend::{DiskFiles, Files, Origin, Reader};
use crate::scenario::load::{LoadedScenario, finish};
use crate::scenario::raw::RawScenario;
use crate::scenario::source::Span;
use crate::scenario::structure;
use crate::scenario::tree::{Entry, Node, Path, Table, Value};
use crate::scenario::wording::{closest, list};

/// Parts into which a continuous baseline is divided.
const PARTS: usize = 1000;
/// Whole numbers that a uniform baseline lists one by one.
const MOST_COUNTS: f64 = 1000.0;

/// A hindcast that can be run.
#[derive(Clone, Debug)]
pub struct Case {
    /// Built-in name, or the file's name without extension.
    pub name: String,
    /// Title of the scenario.
    pub title: String,
    /// Files of one group are one case in the summary.
    pub group: String,
    /// Whether it counts in the summary.
    pub in_summary: bool,
    /// The scenario, with a flag for each condition that is asked for, and without its timeline.
    pub loaded: LoadedScenario,
    /// The same, compiled.
    pub model: Model,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What is allowed but hardly meant.
    pub warnings: Diagnostics,
    /// The file as it was written, with all that it extends, as text.
    pub text: String,
}

/// Reads the hindcast of that path or built-in name. `change` may alter the scenario before it is compiled.
///
/// # Errors
/// All problems of the file and of the scenarios that it extends.
pub fn read(name: &str, change: &mut dyn FnMut(&mut RawScenario)) -> Result<Case, Diagnostics> {
    read_with(&DiskFiles, name, change)
}

/// As [`read`], with files from anywhere.
///
/// # Errors
/// As [`read`].
pub fn read_with(
    files: &dyn Files,
    name: &str,
    change: &mut dyn FnMut(&mut RawScenario),
) -> Result<Case, Diagnostics> {
    let builtin = BuiltinFiles(files);
    let mut reader = Reader::new(files);
    let Some((mut document, origin)) = reader.document(name, builtin.builtin(name).as_deref())
    else {
        let problems = match reader.sources.iter().next() {
            None => with_suggestion(&builtin, name, reader.problems),
            Some(_) => reader.problems,
        };
        return Err(Diagnostics::new(reader.sources, problems));
    };
    refuse_unknown_sections(&mut document, &mut reader.problems);
    let (sections, raw) = take_sections(&mut document, &mut reader.problems);
    let merged = reader.merge_document(origin.clone(), document);
    let (Some(mut merged), Some(raw)) = (merged, raw) else {
        return Err(Diagnostics::new(reader.sources, reader.problems));
    };
    if raw.question.is_empty() {
        reader.problems.push(
            Diagnostic::error("the file asks nothing")
                .at(sections.span)
                .help("add a table [[question]] for each thing that is asked"),
        );
    }
    let rates = base_rates(&builtin, &origin, &raw.hindcast, &sections, &mut reader)?;
    reader
        .problems
        .extend(add_flags(&mut merged, &raw.question, &sections));
    let mut loaded = finish(reader, Some(merged), name)?;
    // Nobody reads the timeline, and recording it costs more than the runs.
    loaded.raw.timeline = None;
    change(&mut loaded.raw);
    let compiled = compile(&loaded)?;
    let mut asker = Asker {
        model: &compiled.model,
        rates: &rates,
        sections: &sections,
        problems: Vec::new(),
    };
    let questions: Vec<Question> = (raw.question.iter().enumerate())
        .filter_map(|(index, question)| asker.question(index, question))
        .collect();
    let problems = asker.problems;
    if !problems.is_empty() {
        return Err(loaded.diagnostics(problems));
    }
    let title = compiled.model.title().to_owned();
    Ok(Case {
        name: loaded.name.clone(),
        group: raw.hindcast.case.clone().unwrap_or_else(|| title.clone()),
        title,
        in_summary: raw.hindcast.in_summary.unwrap_or(true),
        warnings: loaded.diagnostics(compiled.warnings),
        text: loaded.resolved_text(),
        model: compiled.model,
        questions,
        loaded,
    })
}

/// Takes the sections that only hindcasts have out of the document. If they are well formed, they are read as well.
fn take_sections(
    document: &mut Node,
    problems: &mut Vec<Diagnostic>,
) -> (Node, Option<RawHindcast>) {
    let mut taken = Table::default();
    if let Value::Table(table) = &mut document.value {
        for name in ["hindcast", "question"] {
            if let Some(entry) = table.shift_remove(name) {
                taken.insert(name.to_owned(), entry);
            }
        }
    }
    let sections = Node {
        value: Value::Table(taken),
        span: document.span,
    };
    let found = structure::check(&sections, &schema::SECTIONS, true);
    let well_formed = found.is_empty();
    problems.extend(found);
    if !well_formed {
        return (sections, None);
    }
    let read = from_node(&sections);
    if let Err(error) = &read {
        problems.push(Diagnostic::error(format!(
            "the file cannot be read: {error}"
        )));
    }
    (sections, read.ok())
}

/// Sections that no hindcast has. They are removed, so that they are reported once.
fn refuse_unknown_sections(document: &mut Node, problems: &mut Vec<Diagnostic>) {
    let schema = schema::hindcast_schema();
    let known = schema.get("properties").and_then(|all| all.as_object());
    let (Some(known), Value::Table(table)) = (known, &mut document.value) else {
        return;
    };
    table.retain(|key, entry| {
        let is_known = known.contains_key(key);
        if !is_known {
            let names = known.keys().map(String::as_str);
            let problem = Diagnostic::error(format!("unknown section `{key}`")).at(entry.key_span);
            problems.push(match closest(key, names.clone()) {
                Some(best) => problem.label(format!("did you mean `{best}`?")),
                None => problem.help(format!("the sections are {}", list(names, "and"))),
            });
        }
        is_known
    });
}

/// How many base rates there are in the file of that path or built-in name.
///
/// # Errors
/// All problems of the file.
pub fn count_base_rates(name: &str) -> Result<usize, Diagnostics> {
    read_base_rates(&BuiltinFiles(&DiskFiles), name).map(|rates| rates.len())
}

fn read_base_rates(
    files: &BuiltinFiles<'_>,
    name: &str,
) -> Result<BTreeMap<String, RawBaseRate>, Diagnostics> {
    let text = files.builtin(name);
    let schema = schema::base_rates_schema();
    let rates = document::read::<RawBaseRates>(files, name, text.as_deref(), &schema)?;
    Ok(rates.content.base_rate.into_iter().collect())
}

/// The rates in the file that the case names.
fn base_rates(
    files: &BuiltinFiles<'_>,
    origin: &Origin,
    case: &RawCase,
    sections: &Node,
    reader: &mut Reader<'_>,
) -> Result<BTreeMap<String, RawBaseRate>, Diagnostics> {
    let Some(target) = &case.base_rates else {
        return Ok(BTreeMap::new());
    };
    let name = origin.refer(files, target);
    match read_base_rates(files, &name) {
        Ok(rates) => Ok(rates),
        // There is no such file: the place that names it tells more than the file could.
        Err(problems) if is_unopened(&problems) => {
            let span = sections.nearest_span(&Path::keys(["hindcast", "base_rates"]));
            reader
                .problems
                .extend(problems.into_iter().map(|problem| problem.at(span)));
            Ok(BTreeMap::new())
        }
        Err(problems) => Err(problems),
    }
}

/// Name of the flag for a condition.
fn flag_name(question: &RawQuestion, option: Option<usize>) -> String {
    match option {
        None => question.id.clone(),
        Some(option) => format!("{}_{}", question.id, question.option[option].id),
    }
}

/// Adds a flag to the scenario for every condition that is asked for. The flag's condition keeps the place where it was written,
/// so what is wrong with it is shown there.
fn add_flags(scenario: &mut Node, questions: &[RawQuestion], sections: &Node) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let Value::Table(root) = &mut scenario.value else {
        return problems;
    };
    let flags = root.entry("flag".to_owned()).or_insert_with(|| Entry {
        key_span: sections.span,
        node: Node {
            value: Value::Table(Table::default()),
            span: sections.span,
        },
    });
    let Value::Table(flags) = &mut flags.node.value else {
        return problems;
    };
    let paths = questions.iter().enumerate().flat_map(|(index, question)| {
        let path = Path::keys(["question"]).index(index);
        let options = (0..question.option.len())
            .map(|option| (Some(option), path.key("option").index(option)))
            .collect::<Vec<_>>();
        let whole = [(None, path)];
        (whole.into_iter().chain(options)).map(move |(option, path)| (question, option, path))
    });
    for (question, option, path) in paths {
        let (Some(table), Some(when)) = (sections.at(&path), sections.at(&path.key("when"))) else {
            continue;
        };
        let name = flag_name(question, option);
        if let Some(other) = flags.get(&name) {
            problems.push(
                Diagnostic::error(format!("the scenario has a flag `{name}` already"))
                    .at(table.span)
                    .related(other.key_span, "here")
                    .help("give the question another `id`: a flag of that name is made for it"),
            );
            continue;
        }
        let entry = Entry {
            key_span: when.span,
            node: when.clone(),
        };
        flags.insert(
            name,
            Entry {
                key_span: table.span,
                node: Node {
                    value: Value::Table(Table::from_iter([("when".to_owned(), entry)])),
                    span: table.span,
                },
            },
        );
    }
    problems
}

/// Finds out what questions mean.
struct Asker<'a> {
    model: &'a Model,
    rates: &'a BTreeMap<String, RawBaseRate>,
    sections: &'a Node,
    problems: Vec<Diagnostic>,
}

impl Asker<'_> {
    fn at(&self, path: &Path) -> Span {
        self.sections.nearest_span(path)
    }

    fn error(&mut self, path: &Path, message: impl Into<String>, help: Option<String>) {
        let mut problem = Diagnostic::error(message).at(self.at(path));
        problem.help = help;
        self.problems.push(problem);
    }

    fn question(&mut self, index: usize, raw: &RawQuestion) -> Option<Question> {
        let path = Path::keys(["question"]).index(index);
        let reading = self.reading(raw, &path)?;
        let options = match &reading {
            Reading::YesNo { .. } => [("no", "no"), ("yes", "yes")]
                .map(|(id, label)| (id.to_owned(), label.to_owned()))
                .into(),
            Reading::Options { .. } => (raw.option.iter())
                .map(|option| {
                    let label = option.label.clone();
                    let label = label.unwrap_or_else(|| option.id.replace('_', " "));
                    (option.id.clone(), label)
                })
                .collect(),
            Reading::Number { .. } => Vec::new(),
        };
        let outcome = self.outcome(raw, &reading, &raw.happened, &path.key("happened"));
        let last_time = (raw.last_time.as_ref()).map(|last| {
            let last = self.outcome(raw, &reading, last, &path.key("last_time"));
            last.map(|value| Baseline::exact(vec![(value, 1.0)]))
        });
        let base_rate = (raw.base_rate.as_ref())
            .map(|rate| self.base_rate(raw, &reading, rate, &path.key("base_rate")));
        let uniform = self.uniform(raw, &reading, &path);
        Some(Question {
            id: raw.id.clone(),
            ask: raw.ask.clone(),
            unit: raw.unit.clone().or_else(|| match reading {
                Reading::Number { metric, .. } => {
                    self.model.metrics()[metric].unit().map(str::to_owned)
                }
                _ => None,
            }),
            options,
            outcome: outcome?,
            in_sample: raw.in_sample,
            base_rate: base_rate.flatten(),
            last_time: last_time.flatten(),
            uniform,
            source: raw.source.clone(),
            reading,
        })
    }

    fn flag(&self, name: &str) -> Option<usize> {
        let mut flags = self.model.flags().iter();
        flags.position(|flag| flag.id() == name)
    }

    fn reading(&mut self, raw: &RawQuestion, path: &Path) -> Option<Reading> {
        let given = [
            raw.when.is_some(),
            raw.number.is_some(),
            !raw.option.is_empty(),
        ];
        if given.into_iter().filter(|given| *given).count() != 1 {
            let message = "a question has exactly one of `when`, `number` and `option`";
            self.error(path, message, None);
            return None;
        }
        for (key, is_given) in [
            ("limit", raw.limit.is_some()),
            ("between", raw.between.is_some()),
            ("unit", raw.unit.is_some()),
        ] {
            if is_given && raw.number.is_none() {
                let message = format!("`{key}` is for questions that ask for a `number`");
                self.error(&path.key(key), message, None);
            }
        }
        if raw.ordered && raw.option.is_empty() {
            let message = "`ordered` is for questions with options";
            self.error(&path.key("ordered"), message, None);
        }
        if raw.when.is_some() {
            let flag = self.flag(&flag_name(raw, None))?;
            return Some(Reading::YesNo { flag });
        }
        if let Some(name) = &raw.number {
            return self.number(raw, name, path);
        }
        let last = raw.option.len() - 1;
        let mut flags = Vec::new();
        for (index, option) in raw.option.iter().enumerate() {
            let path = path.key("option").index(index);
            match (&option.when, index == last) {
                (Some(_), false) => flags.push(self.flag(&flag_name(raw, Some(index)))?),
                (None, true) => {}
                (None, false) => {
                    let message = format!("the option `{}` has no `when`", option.id);
                    let help = "only the last option goes without: it is what remains";
                    self.error(&path, message, Some(help.to_owned()));
                    return None;
                }
                (Some(_), true) => {
                    let message = format!("the last option, `{}`, must have no `when`", option.id);
                    let help = "it is what remains, so that one answer is always right";
                    self.error(&path.key("when"), message, Some(help.to_owned()));
                    return None;
                }
            }
        }
        if last == 0 {
            self.error(path, "a question has at least two options", None);
            return None;
        }
        Some(Reading::Options {
            flags,
            ordered: raw.ordered,
        })
    }

    fn number(&mut self, raw: &RawQuestion, name: &str, path: &Path) -> Option<Reading> {
        let metrics = self.model.metrics();
        let Some(metric) = metrics.iter().position(|metric| metric.id() == name) else {
            let message = format!("the scenario has no metric `{name}`");
            let best = closest(name, metrics.iter().map(|metric| metric.id()));
            let help = best.map_or_else(
                || "declare it in this file: [metric.NAME]".to_owned(),
                |best| format!("did you mean `{best}`?"),
            );
            self.error(&path.key("number"), message, Some(help));
            return None;
        };
        let limit = raw.limit;
        if limit.is_none() && is_day(self.model, metric) {
            let message = format!("`{name}` may never come, so the question needs a `limit`");
            let help = "write the number of days that were looked at, for example `limit = 60`";
            self.error(path, message, Some(help.to_owned()));
            return None;
        }
        if let Some([low, high]) = raw.between
            && low >= high
        {
            let message = format!("the range must rise, but goes from {low} to {high}");
            self.error(&path.key("between"), message, None);
        }
        Some(Reading::Number { metric, limit })
    }

    /// An answer of history as a number.
    fn outcome(
        &mut self,
        raw: &RawQuestion,
        reading: &Reading,
        outcome: &RawOutcome,
        path: &Path,
    ) -> Option<f64> {
        match (reading, outcome) {
            (Reading::YesNo { .. }, RawOutcome::Truth(yes)) => Some(f64::from(u8::from(*yes))),
            (Reading::YesNo { .. }, _) => {
                self.error(path, "the answer is `true` or `false`", None);
                None
            }
            (Reading::Options { .. }, RawOutcome::Name(id)) => {
                let position = raw.option.iter().position(|option| option.id == *id);
                if position.is_none() {
                    self.unknown_option(raw, id, path);
                }
                position.map(|index| index as f64)
            }
            (Reading::Options { .. }, _) => {
                self.error(path, "the answer is the id of an option, in quotes", None);
                None
            }
            (Reading::Number { limit, .. }, RawOutcome::Number(number)) => {
                Some(limit.map_or(*number, |limit| number.min(limit)))
            }
            (
                Reading::Number {
                    limit: Some(limit), ..
                },
                RawOutcome::Name(word),
            ) if word == "never" => Some(*limit),
            (Reading::Number { limit, .. }, _) => {
                let help = limit
                    .is_none()
                    .then(|| "`\"never\"` needs a `limit`: how far was looked".to_owned());
                self.error(path, "the answer is a number or \"never\"", help);
                None
            }
        }
    }

    fn unknown_option(&mut self, raw: &RawQuestion, id: &str, path: &Path) {
        let ids = || raw.option.iter().map(|option| option.id.as_str());
        let help = match closest(id, ids()) {
            Some(best) => format!("did you mean `{best}`?"),
            None => format!("the options are {}", list(ids(), "and")),
        };
        let message = format!("the question has no option `{id}`");
        self.error(path, message, Some(help));
    }

    fn base_rate(
        &mut self,
        raw: &RawQuestion,
        reading: &Reading,
        rate: &RawBaseRateRef,
        path: &Path,
    ) -> Option<Baseline> {
        let rates = self.rates;
        let rate = match rate {
            RawBaseRateRef::Given(rate) => rate.as_ref(),
            RawBaseRateRef::Named(name) => match rates.get(name) {
                Some(rate) => rate,
                None => {
                    let message = format!("there is no base rate `{name}`");
                    let help = match closest(name, rates.keys().map(String::as_str)) {
                        Some(best) => format!("did you mean `{best}`?"),
                        None if rates.is_empty() => {
                            "name the file that has it: `base_rates = \"FILE\"` in [hindcast]"
                                .to_owned()
                        }
                        None => format!(
                            "base rates: {}",
                            list(rates.keys().map(String::as_str), "and")
                        ),
                    };
                    self.error(path, message, Some(help));
                    return None;
                }
            },
        };
        match baseline(raw, reading, rate) {
            Ok(baseline) => Some(baseline),
            Err(message) => {
                self.error(path, message, None);
                None
            }
        }
    }

    fn uniform(&mut self, raw: &RawQuestion, reading: &Reading, path: &Path) -> Option<Baseline> {
        let count = match reading {
            Reading::YesNo { .. } => 2,
            Reading::Options { flags, .. } => flags.len() + 1,
            Reading::Number { limit, .. } => {
                let Some([low, high]) = raw.between.or(limit.map(|limit| [0.0, limit])) else {
                    let message = "a number needs the range of the uniform baseline";
                    let help = "write `between = [LOW, HIGH]`: what was conceivable beforehand";
                    self.error(path, message, Some(help.to_owned()));
                    return None;
                };
                let limit = limit.unwrap_or(f64::INFINITY);
                let atoms = spread(low, high, raw).into_iter();
                let atoms = atoms.map(|(value, weight)| (value.min(limit), weight));
                return Some(Baseline::exact(atoms.collect()));
            }
        };
        let equal = (0..count).map(|value| (f64::from(value as u32), 1.0));
        Some(Baseline::exact(equal.collect()))
    }
}

/// Equal weights on the whole numbers from `low` to `high` if both are whole and nothing else says that it is a matter of
/// fractions, or else on the middles of many equal parts.
fn spread(low: f64, high: f64, raw: &RawQuestion) -> Vec<(f64, f64)> {
    let whole = |x: f64| x == x.floor();
    let counts = raw.limit.is_none() && whole(low) && whole(high) && high - low < MOST_COUNTS;
    if counts {
        let count = (high - low) as usize + 1;
        return (0..count).map(|i| (low + i as f64, 1.0)).collect();
    }
    let part = (high - low) / PARTS as f64;
    let middle = |i: usize| low + (i as f64 + 0.5) * part;
    (0..PARTS).map(|i| (middle(i), 1.0)).collect()
}

/// A base rate in the terms of a question.
fn baseline(raw: &RawQuestion, reading: &Reading, rate: &RawBaseRate) -> Result<Baseline, String> {
    let never = rate.never.unwrap_or(0.0);
    let mut ends = Vec::new();
    let distribution = match (reading, rate.probability, &rate.shares, &rate.distribution) {
        (Reading::YesNo { .. }, Some(probability), None, None) => {
            let range = rate.range.unwrap_or([probability; 2]);
            for p in [probability, range[0], range[1]] {
                if !(0.0..=1.0).contains(&p) {
                    return Err(format!("{p} is not a probability"));
                }
            }
            if range[0] < range[1] {
                ends = range.map(yes_no).into();
            }
            yes_no(probability)
        }
        (Reading::Options { .. }, None, Some(shares), None) => {
            for (id, share) in shares {
                if raw.option.iter().all(|option| option.id != *id) {
                    return Err(format!(
                        "the base rate has a share for `{id}`, which is no option"
                    ));
                }
                if *share < 0.0 {
                    return Err(format!("the share of `{id}` must not be negative"));
                }
            }
            let shares = raw
                .option
                .iter()
                .map(|option| shares.get(&option.id).copied());
            let shares: Vec<f64> = shares.map(|share| share.unwrap_or(0.0)).collect();
            if shares.iter().sum::<f64>() <= 0.0 {
                return Err("the shares of a base rate add up to nothing".to_owned());
            }
            (0..).map(f64::from).zip(shares).collect()
        }
        (Reading::Number { limit, .. }, None, None, Some(distribution)) => {
            let distribution = constant_distribution(distribution)?;
            if !(0.0..=1.0).contains(&never) {
                return Err(format!("{never} is not a probability"));
            }
            let Some(limit) = limit.or((never == 0.0).then_some(f64::MAX)) else {
                return Err("`never` is for questions with a `limit`".to_owned());
            };
            let weight = (1.0 - never) / PARTS as f64;
            let part = |i: usize| {
                let value = distribution.quantile((i as f64 + 0.5) / PARTS as f64);
                (value.min(limit), weight)
            };
            let mut atoms: Vec<(f64, f64)> = (0..PARTS).map(part).collect();
            if never > 0.0 {
                atoms.push((limit, never));
            }
            atoms
        }
        (reading, ..) => {
            let wanted = match reading {
                Reading::YesNo { .. } => "`probability`",
                Reading::Options { .. } => "`shares`, one for each option",
                Reading::Number { .. } => "`distribution`",
            };
            return Err(format!(
                "the base rate of this question must have {wanted}, and no more"
            ));
        }
    };
    Ok(Baseline {
        distribution,
        ends,
        source: rate.source.clone(),
    })
}

fn yes_no(probability: f64) -> Vec<(f64, f64)> {
    vec![(0.0, 1.0 - probability), (1.0, probability)]
}
