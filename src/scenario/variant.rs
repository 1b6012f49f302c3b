//! Variants: a scenario with some of it changed, under a name.
//!
//! A variant can
//!
//! - lay another scenario's own changes over the scenario (*overlay*): `isis-iran/variants/early-mediation` extends one
//!   explanation, but as an overlay the same changes apply to any other;
//! - hold parameters at values, so that they are no longer drawn from their priors;
//! - drop rules, processes, calendar entries, or single options of a rule or process.
//!
//! They are applied in this order. The names of all else stay, so that run `r` of a variant has the same chance as run `r` of
//! the scenario (common random numbers).

use super::diagnostics::{Diagnostic, Diagnostics};
use super::extend::{DiskFiles, Files, Reader};
use super::load::{self, LoadedScenario};
use super::source::{SourceMap, Span};
use super::tree::{Entry, Node, Path, Segment, Table, Value};
use super::wording::{closest, list};
use super::{merge, structure};

/// What a variant that is written in one line is called in messages.
const INLINE: &str = "what-if";

/// What can be dropped, for messages.
const DROP_HELP: &str = "write `rule.ID`, `process.ID`, `calendar.ID`, or `rule.ID.OPTION`";

/// A named set of changes that can be applied to any scenario that has what they change.
#[derive(Clone, Debug)]
pub struct Variant {
    name: String,
    label: Option<String>,
    /// The files into which the places of the changes point.
    sources: SourceMap,
    overlays: Vec<Node>,
    settings: Vec<Setting>,
    drops: Vec<Drop>,
}

/// A parameter held at a value.
#[derive(Clone, Debug)]
struct Setting {
    parameter: String,
    value: f64,
    at: Option<Span>,
}

/// Something that is switched off.
#[derive(Clone, Debug)]
struct Drop {
    what: String,
    at: Option<Span>,
}

impl Variant {
    /// The scenario as it is.
    pub fn as_is(name: impl Into<String>) -> Self {
        Self::with_sources(name.into(), SourceMap::new())
    }

    /// No changes yet; the places of those to come point into `sources`.
    pub fn with_sources(name: String, sources: SourceMap) -> Self {
        Self {
            name,
            label: None,
            sources,
            overlays: Vec::new(),
            settings: Vec::new(),
            drops: Vec::new(),
        }
    }

    /// Reads a variant from one line: `NAME: CHANGE, CHANGE, ...`, where a change is `parameter = value`,
    /// `drop rule.ID` (or `process.ID`, `calendar.ID`, `rule.ID.OPTION`) or `overlay SCENARIO`. Without changes it is the
    /// scenario as it is.
    ///
    /// # Errors
    /// Everything that is wrong with the line, with its place; overlays that cannot be read.
    pub fn parse(line: &str) -> Result<Self, Diagnostics> {
        Self::parse_with(&DiskFiles, line)
    }

    /// As [`parse`](Self::parse), with files from anywhere.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with(files: &dyn Files, line: &str) -> Result<Self, Diagnostics> {
        let mut sources = SourceMap::new();
        let file = sources.add(INLINE, line);
        let mut problems = Vec::new();
        let (name, changes) = line.split_once(':').unwrap_or((line, ""));
        let mut variant = Self::with_sources(name.trim().to_owned(), sources.clone());
        if variant.name.is_empty() || variant.name.contains(['=', ',']) {
            let problem = Diagnostic::error("a variant begins with its name and a colon");
            problems.push(
                problem
                    .at(Span::new(file, 0..name.len()))
                    .help("for example `no reply: resolve = 0, drop rule.answer`"),
            );
            return Err(Diagnostics::new(sources, problems));
        }
        let mut start = name.len() + 1;
        for part in changes.split(',') {
            let lead = part.len() - part.trim_start().len();
            let from = start + lead;
            let at = Span::new(file, from..from + part.trim().len());
            start += part.len() + 1;
            if !part.trim().is_empty() {
                variant.read_change(files, part.trim(), at, &mut problems);
            }
        }
        if problems.is_empty() {
            Ok(variant)
        } else {
            Err(Diagnostics::new(variant.sources, problems))
        }
    }

    fn read_change(
        &mut self,
        files: &dyn Files,
        text: &str,
        at: Span,
        problems: &mut Vec<Diagnostic>,
    ) {
        if let Some((parameter, value)) = text.split_once('=') {
            let (parameter, value) = (parameter.trim(), value.trim());
            match value.parse::<f64>() {
                Ok(number) if number.is_finite() => {
                    problems.extend(self.set(parameter, number, at).err().map(|e| *e));
                }
                _ => problems
                    .push(Diagnostic::error(format!("`{value}` is not a finite number")).at(at)),
            }
            return;
        }
        let (verb, what) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        match (verb, what.trim()) {
            ("drop", what) => problems.extend(self.drop(what, at).err().map(|e| *e)),
            ("overlay", what) if !what.is_empty() => {
                if let Err(found) = self.overlay_with(files, what) {
                    let mut messages: Vec<Diagnostic> = found.iter().cloned().collect();
                    // Their places are in other files; the line is where the user looks.
                    for message in &mut messages {
                        message.location = Some(at);
                        message.related.clear();
                    }
                    problems.extend(messages);
                }
            }
            _ => {
                let problem = Diagnostic::error(format!("`{text}` is no change of a scenario"));
                problems.push(problem.at(at).help(
                    "write `parameter = value`, `drop rule.ID` or `overlay SCENARIO`, with commas between",
                ));
            }
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name for readers, if it has one of its own.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Gives it a name for readers.
    pub fn set_label(&mut self, label: Option<String>) {
        self.label = label;
    }

    /// Whether it changes nothing.
    pub fn is_as_is(&self) -> bool {
        self.overlays.is_empty() && self.settings.is_empty() && self.drops.is_empty()
    }

    /// Holds a parameter at a finite value. `at` is where that was written, if anywhere.
    ///
    /// # Errors
    /// The parameter is set already.
    pub fn set(
        &mut self,
        parameter: &str,
        value: f64,
        at: impl Into<Option<Span>>,
    ) -> Result<(), Box<Diagnostic>> {
        let at = at.into();
        if let Some(earlier) = (self.settings.iter()).find(|s| s.parameter == parameter) {
            let message = format!("the variant `{}` sets `{parameter}` twice", self.name);
            let problem = Diagnostic::error(message).at(at);
            return Err(Box::new(match earlier.at {
                Some(earlier) => problem.related(earlier, "set here before"),
                None => problem,
            }));
        }
        self.settings.push(Setting {
            parameter: parameter.to_owned(),
            value,
            at,
        });
        Ok(())
    }

    /// Switches something off: `rule.ID`, `process.ID`, `calendar.ID`, `rule.ID.OPTION` or `process.ID.OPTION`.
    ///
    /// # Errors
    /// It is written in another way.
    pub fn drop(&mut self, what: &str, at: impl Into<Option<Span>>) -> Result<(), Box<Diagnostic>> {
        let at = at.into();
        let mut parts = what.split('.');
        let kind = parts.next().unwrap_or_default();
        let (parts, empty) = (parts.clone().count(), parts.any(str::is_empty));
        let known = match kind {
            "rule" | "process" => matches!(parts, 1 | 2),
            "calendar" => parts == 1,
            _ => false,
        };
        if !known || empty {
            let message = format!("`{what}` cannot be dropped");
            return Err(Box::new(Diagnostic::error(message).at(at).help(DROP_HELP)));
        }
        self.drops.push(Drop {
            what: what.to_owned(),
            at,
        });
        Ok(())
    }

    /// Lays the table `key` of `parent` over the scenario, in which it must have the same key and format. Its places point into
    /// the sources of this variant.
    pub(crate) fn overlay_table(&mut self, parent: &Node, key: &str) {
        let Some(entry) = parent.as_table().and_then(|table| table.get(key)) else {
            return;
        };
        self.overlays.push(Node {
            value: Value::Table(Table::from_iter([(key.to_owned(), entry.clone())])),
            span: parent.span,
        });
    }

    /// Lays the own content of a scenario (a file, or a built-in one) over the scenario: all but its title, its summary, and
    /// what it extends.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn overlay(&mut self, scenario: &str) -> Result<(), Diagnostics> {
        self.overlay_with(&DiskFiles, scenario)
    }

    /// As [`overlay`](Self::overlay), with files from anywhere.
    ///
    /// # Errors
    /// As [`overlay`](Self::overlay).
    pub fn overlay_with(&mut self, files: &dyn Files, scenario: &str) -> Result<(), Diagnostics> {
        let mut reader = Reader::new(files);
        let node = reader.own_named(scenario);
        let (Some(mut node), true) = (node, reader.problems.is_empty()) else {
            return Err(Diagnostics::new(reader.sources, reader.problems));
        };
        if let Value::Table(root) = &mut node.value
            && let Some(Entry { node: header, .. }) = root.get_mut("scenario")
            && let Value::Table(header) = &mut header.value
        {
            header.shift_remove("title");
            header.shift_remove("summary");
        }
        let offset = self.sources.append(&reader.sources);
        self.overlays.push(node.moved(offset));
        Ok(())
    }

    /// The parameters that it changes, and where.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<Span>)> {
        let set = (self.settings.iter()).map(|set| (set.parameter.as_str(), set.at));
        let overlaid = (self.overlays.iter())
            .filter_map(|node| node.get("parameter")?.as_table())
            .flat_map(|table| {
                table
                    .iter()
                    .map(|(id, entry)| (id.as_str(), Some(entry.key_span)))
            });
        set.chain(overlaid)
    }

    /// The files into which the places of its changes point.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// The scenario with these changes. It keeps its name.
    ///
    /// # Errors
    /// The scenario does not have what is to be changed, or has structural errors with the changes.
    pub fn apply(&self, scenario: &LoadedScenario) -> Result<LoadedScenario, Diagnostics> {
        if self.is_as_is() {
            return Ok(scenario.clone());
        }
        let mut sources = scenario.sources.clone();
        let offset = sources.append(&self.sources);
        let mut problems = Vec::new();
        let mut tree = scenario.tree.clone();
        for overlay in &self.overlays {
            let overlay = overlay.clone().moved(offset);
            problems.extend(structure::duplicate_ids(&overlay));
            tree = merge::merge(tree, overlay);
        }
        for setting in &self.settings {
            let at = setting.at.map(|at| offset.moved(at));
            let set = set_parameter(&mut tree, setting, at, &scenario.name);
            problems.extend(set.err().map(|e| *e));
        }
        for drop in &self.drops {
            let at = drop.at.map(|at| offset.moved(at));
            let dropped = switch_off(&mut tree, &drop.what, at, &scenario.name);
            problems.extend(dropped.err().map(|e| *e));
        }
        if !problems.is_empty() {
            return Err(Diagnostics::new(sources, problems));
        }
        load::from_tree(tree, sources, scenario.name.clone())
    }
}

fn set_parameter(
    tree: &mut Node,
    setting: &Setting,
    at: Option<Span>,
    scenario: &str,
) -> Result<(), Box<Diagnostic>> {
    let Setting {
        parameter, value, ..
    } = setting;
    let path = Path::keys(["parameter", parameter]);
    if let Some(Node {
        value: Value::Table(table),
        span,
    }) = tree.along_mut(path.segments())
    {
        let span = at.unwrap_or(*span);
        table.shift_remove("prior");
        let node = Node {
            value: Value::Float(*value),
            span,
        };
        let key_span = span;
        table.insert("value".to_owned(), Entry { key_span, node });
        return Ok(());
    }
    let known = tree.get("parameter").and_then(Node::as_table);
    let message = format!("the scenario `{scenario}` has no parameter `{parameter}`");
    Err(Box::new(missing(message, parameter, keys(known)).at(at)))
}

fn switch_off(
    tree: &mut Node,
    what: &str,
    at: Option<Span>,
    scenario: &str,
) -> Result<(), Box<Diagnostic>> {
    let mut parts = what.split('.');
    let (kind, id) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let path = match element(tree.get(kind), id) {
        Ok(segment) => Path::keys([kind]).with(segment),
        Err(known) => {
            let message = format!("the scenario `{scenario}` has no {kind} `{id}`");
            return Err(Box::new(missing(message, id, known).at(at)));
        }
    };
    let path = match parts.next() {
        None => path,
        Some(option) => {
            let path = path.key("option");
            match element(tree.at(&path), option) {
                Ok(segment) => path.with(segment),
                Err(known) => {
                    let message =
                        format!("the {kind} `{id}` of `{scenario}` has no option `{option}`");
                    return Err(Box::new(missing(message, option, known).at(at)));
                }
            }
        }
    };
    if let Some(Node {
        value: Value::Table(table),
        span,
    }) = tree.along_mut(path.segments())
    {
        let span = at.unwrap_or(*span);
        let node = Node {
            value: Value::Boolean(false),
            span,
        };
        let key_span = span;
        table.insert("enabled".to_owned(), Entry { key_span, node });
    }
    Ok(())
}

/// The step to the element `id` of a table or of an array of tables; without it, the ids that there are.
fn element<'a>(parent: Option<&'a Node>, id: &str) -> Result<Segment, Vec<&'a str>> {
    match parent.map(|node| &node.value) {
        Some(Value::Table(table)) if table.contains_key(id) => Ok(Segment::Key(id.into())),
        Some(Value::Table(table)) => Err(keys(Some(table))),
        Some(Value::Array(items)) => {
            let ids = || items.iter().map(|item| merge::id_of(item, "id"));
            match ids().position(|known| known == Some(id)) {
                Some(index) => Ok(Segment::Index(index)),
                None => Err(ids().flatten().collect()),
            }
        }
        _ => Err(Vec::new()),
    }
}

fn keys(table: Option<&Table>) -> Vec<&str> {
    table.map_or_else(Vec::new, |table| table.keys().map(String::as_str).collect())
}

/// Names are listed in a message up to this number.
const MOST_LISTED: usize = 12;

fn missing(message: String, written: &str, known: Vec<&str>) -> Diagnostic {
    let problem = Diagnostic::error(message);
    match closest(written, known.iter().copied()) {
        Some(best) => problem.help(format!("did you mean `{best}`?")),
        None if known.is_empty() => problem.help("it has none at all"),
        None if known.len() <= MOST_LISTED => {
            problem.help(format!("there are {}", list(known, "and")))
        }
        None => problem.help("`flashpoint describe` lists what a scenario has"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::fixture::RIVALS;
    use crate::scenario::compile::compile;
    use crate::scenario::load::{load, load_text};

    fn rivals() -> LoadedScenario {
        load_text("rivals.toml", RIVALS).unwrap()
    }

    fn apply(line: &str) -> LoadedScenario {
        let variant = Variant::parse(line).unwrap_or_else(|e| panic!("{}", e.render(false)));
        let changed = variant.apply(&rivals());
        changed.unwrap_or_else(|e| panic!("{}", e.render(false)))
    }

    fn refusal(line: &str) -> String {
        match Variant::parse(line).and_then(|variant| variant.apply(&rivals())) {
            Ok(_) => panic!("`{line}` was accepted"),
            Err(problems) => problems.render(false),
        }
    }

    #[test]
    fn a_line_sets_and_drops() {
        let changed = apply("quiet: rate = 0.01, drop rule.answer.back, drop process.raids");
        assert_eq!(changed.raw.parameter["rate"].value, 0.01);
        assert_eq!(changed.raw.parameter["rate"].prior, None);
        assert!(!changed.raw.rule["answer"].option[0].enabled);
        assert!(changed.raw.rule["answer"].option[1].enabled);
        assert!(!changed.raw.process["raids"].enabled);
        assert_eq!(changed.name, "rivals");
        // The text holds the changes, so that it stands for the variant in a manifest.
        let again = load_text("again.toml", &changed.resolved_text()).unwrap();
        assert_eq!(again.raw, changed.raw);
        compile(&changed).unwrap();
    }

    #[test]
    fn nothing_but_a_name_changes_nothing() {
        for line in ["as it is", "as it is:", "as it is: ,"] {
            assert_eq!(apply(line).raw, rivals().raw);
        }
        assert_eq!(
            Variant::as_is("x").apply(&rivals()).unwrap().raw,
            rivals().raw
        );
    }

    #[test]
    fn an_overlay_is_what_a_scenario_changes_laid_over_another() {
        let overlaid = |base: &str| {
            let variant =
                Variant::parse("mediator: overlay isis-iran/variants/early-mediation").unwrap();
            let base = load(base).unwrap();
            (variant.apply(&base).unwrap(), base)
        };
        let shipped = load("isis-iran/variants/early-mediation").unwrap();
        let (genuine, _) = overlaid("isis-iran/genuine");
        assert_eq!(genuine.raw.parameter, shipped.raw.parameter);
        let (orchestrated, base) = overlaid("isis-iran/orchestrated");
        assert_eq!(orchestrated.raw.parameter["channel_rate"].value, 36.0);
        assert_eq!(
            orchestrated.raw.parameter["capability_drive"],
            base.raw.parameter["capability_drive"]
        );
        assert_eq!(orchestrated.raw.scenario.title, base.raw.scenario.title);
        let mut variant = Variant::as_is("x");
        variant
            .overlay("isis-iran/variants/early-mediation")
            .unwrap();
        let changed: Vec<&str> = variant.parameters().map(|(id, _)| id).collect();
        assert_eq!(
            changed,
            ["channel_rate", "envoy_return_rate", "mechanism_share"]
        );
    }

    #[test]
    fn mistakes_are_shown_where_they_were_made() {
        let cases = [
            (
                "a: rat = 1",
                "has no parameter `rat`",
                "did you mean `rate`?",
            ),
            (
                "a: rate = 1, rate = 2",
                "sets `rate` twice",
                "set here before",
            ),
            ("a: rate = x", "`x` is not a finite number", "what-if:1:4"),
            ("a: rate = inf", "`inf` is not a finite number", ""),
            (
                "a: drop rule.anser",
                "has no rule `anser`",
                "did you mean `answer`?",
            ),
            (
                "a: drop rule.answer.bak",
                "has no option `bak`",
                "did you mean `back`?",
            ),
            (
                "a: drop calendar.x",
                "has no calendar `x`",
                "it has none at all",
            ),
            (
                "a: drop actor.b",
                "`actor.b` cannot be dropped",
                "write `rule.ID`",
            ),
            ("a: drop rule.", "cannot be dropped", ""),
            ("a: drop", "cannot be dropped", ""),
            (
                "a: overlay no/such",
                "there is no scenario file `no/such`",
                "what-if:1:4",
            ),
            (
                "a: nonsense",
                "`nonsense` is no change",
                "with commas between",
            ),
            ("rate = 1", "begins with its name", ""),
            ("", "begins with its name", ""),
        ];
        for (line, message, advice) in cases {
            let text = refusal(line);
            assert!(
                text.contains(message) && text.contains(advice),
                "{line}: {text}"
            );
        }
    }

    #[test]
    fn errors_that_a_variant_makes_point_into_its_own_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("change.toml");
        std::fs::write(&path, "[rule.answer]\nwhn = \"1 > 0\"\n").unwrap();
        let text = refusal(&format!("a: overlay {}", path.display()));
        assert!(
            text.contains("unknown key `whn`") && text.contains("change.toml:2:1"),
            "{text}"
        );
    }
}
