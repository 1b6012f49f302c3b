//! From the file of an experiment to a [`Plan`]: everything that is wrong with it is found here, before anything runs.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::axes::{Axis, Points, Values};
use super::file::{self, DesignKind, RawAxis, RawDesign, RawExperiment, Scale};
use super::plan::{
    AS_IS, Baseline, Goal, Identity, Named, Plan, PlannedQuantity, PlannedScenario,
    PlannedSelection, RecordedMetric, Size, Source, label_of,
};
use crate::digest::sha256_hex;
use crate::experiment::{Quantity, WorldSource, naming};
use crate::model::{Model, World};
use crate::scenario::compile::compile;
use crate::scenario::diagnostics::{Diagnostic, Diagnostics};
use crate::scenario::document::Document;
use crate::scenario::extend::Files;
use crate::scenario::load::{LoadedScenario, load_with};
use crate::scenario::tree::Path;
use crate::scenario::variant::Variant;
use crate::scenario::wording::{closest, list};

/// Runs of a cell unless another number is asked for.
const DEFAULT_RUNS: u64 = 1000;
/// Runs of a cell made at most to reach a precision, unless another number is asked for.
const DEFAULT_MOST_RUNS: u64 = 100_000;
/// Values along a range unless another number is asked for.
const DEFAULT_STEPS: u32 = 5;
/// Values along a range, at most.
const MOST_STEPS: u32 = 1_000_000;
/// Runs of the only world of a cell that are made together.
const BLOCK: u64 = 250;
/// Scenarios times variants: each is compiled and kept.
const MOST_MODELS: usize = 2000;
/// Endgames that a record of a run can tell apart.
const MOST_ENDGAMES: usize = 250;
/// Cells and runs in all that can be counted with room to spare.
const MOST_RUNS: u64 = 1 << 50;
/// Cells whose parameters are tried before anything runs; of larger designs, the ends of each lever and sweep.
const CELLS_TRIED: u64 = 2000;
/// What the Sobol points and Latin hypercubes of levers and sweeps are drawn with beside the seed.
const LEVER_SALT: u64 = 0x6c65_7665;
const SWEEP_SALT: u64 = 0x7377_6565;

/// What the command line says about a batch, against its file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Options {
    /// Another seed.
    pub seed: Option<u64>,
    /// Another number of runs of each cell.
    pub runs: Option<u64>,
}

/// Reads the experiment of that name, a file or a built-in one, and checks it.
///
/// # Errors
/// All that is wrong with it and its scenarios.
pub fn load(files: &dyn Files, name: &str, options: Options) -> Result<Plan, Diagnostics> {
    let document = file::read(files, name)?;
    let checker = Checker {
        files,
        raw: &document.content,
        document: &document,
        problems: Vec::new(),
        warnings: Vec::new(),
        foreign: Vec::new(),
    };
    checker.run(name, options)
}

/// A scenario of the experiment with one of its variants.
struct Pair {
    name: String,
    loaded: LoadedScenario,
    model: Model,
}

struct Checker<'a> {
    files: &'a dyn Files,
    raw: &'a RawExperiment,
    document: &'a Document<RawExperiment>,
    problems: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// Problems of other files.
    foreign: Vec<Diagnostics>,
}

impl Checker<'_> {
    fn run(mut self, name: &str, options: Options) -> Result<Plan, Diagnostics> {
        let scenarios = self.scenarios();
        let variants = self.variants();
        let models = scenarios.len().saturating_mul(variants.len());
        if models > MOST_MODELS {
            let message = format!(
                "{} scenarios with {} variants each are {models}, but at most {MOST_MODELS} can be held",
                scenarios.len(),
                variants.len()
            );
            self.error(&Path::keys(["variant"]), message);
        }
        self.axes_against_each_other(&variants);
        self.stop()?;
        let pairs = self.pairs(&scenarios, &variants);
        self.stop()?;
        self.alike(&pairs);
        let raw = self.raw;
        let seed = options.seed.or(raw.batch.seed).unwrap_or(1);
        let levers = self.points(
            "lever",
            &raw.lever,
            raw.design.lever.as_ref(),
            &pairs,
            seed ^ LEVER_SALT,
        );
        let sweeps = self.points(
            "sweep",
            &raw.sweep,
            raw.design.sweep.as_ref(),
            &pairs,
            seed ^ SWEEP_SALT,
        );
        let (worlds, block, size) = self.size(&pairs, options);
        self.stop()?;
        let (quantities, goals, metrics) = self.quantities(&pairs);
        let selection = self.selection(&goals);
        let baseline = self.baseline(&scenarios, &variants, &levers, &sweeps);
        let identity = self.identity(seed, size, &pairs);
        let held = (pairs.iter())
            .map(|pair| held_indices(&pair.model, &sweeps, &levers))
            .collect();
        let mut plan = Plan {
            name: short_name(name),
            title: (raw.batch.title.clone()).unwrap_or_else(|| short_name(name)),
            summary: raw.batch.summary.clone(),
            seed,
            size,
            worlds,
            block,
            keep_runs: raw.batch.keep_runs,
            scenarios,
            variants: variants.iter().map(named).collect(),
            levers,
            sweeps,
            quantities,
            goals,
            selection,
            baseline,
            metrics,
            identity,
            warnings: Diagnostics::default(),
            models: pairs.into_iter().map(|pair| pair.model).collect(),
            held,
        };
        self.count(&plan);
        self.stop()?;
        self.try_cells(&plan);
        self.stop()?;
        let own = Diagnostics::new(self.document.sources.clone(), self.warnings);
        plan.warnings = Diagnostics::join(self.foreign.into_iter().chain([own]));
        Ok(plan)
    }

    /// An error, if there has been one so far.
    fn stop(&mut self) -> Result<(), Diagnostics> {
        if self.problems.is_empty() && !self.foreign.iter().any(Diagnostics::has_errors) {
            return Ok(());
        }
        let own = Diagnostics::new(
            self.document.sources.clone(),
            std::mem::take(&mut self.problems),
        );
        let foreign = std::mem::take(&mut self.foreign);
        Err(Diagnostics::join([own].into_iter().chain(foreign)))
    }

    fn error(&mut self, path: &Path, message: impl Into<String>) {
        let span = self.document.locate(path);
        self.problems.push(Diagnostic::error(message).at(span));
    }

    fn error_with_help(
        &mut self,
        path: &Path,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let span = self.document.locate(path);
        let problem = Diagnostic::error(message).at(span).help(help);
        self.problems.push(problem);
    }

    /// An error about a name at `path`, with the nearest one that exists.
    fn unknown<'n>(
        &mut self,
        path: &Path,
        message: String,
        written: &str,
        known: impl Iterator<Item = &'n str> + Clone,
    ) {
        let help = match closest(written, known.clone()) {
            Some(best) => format!("did you mean `{best}`?"),
            None => format!("there are {}", list(known, "and")),
        };
        self.error_with_help(path, message, help);
    }

    fn scenarios(&mut self) -> Vec<PlannedScenario> {
        let raw = self.raw;
        if raw.scenario.is_empty() {
            self.error_with_help(
                &Path::root(),
                "the experiment has no scenarios",
                "add one, for example `[scenario.genuine]` with `file = \"isis-iran/genuine\"`",
            );
        }
        let mut total = 0.0;
        for (name, entry) in &raw.scenario {
            let weight = entry.weight.unwrap_or(1.0);
            if weight < 0.0 {
                let path = Path::keys(["scenario", name, "weight"]);
                self.error(
                    &path,
                    format!("the weight is {weight}, but must be 0 or more"),
                );
            }
            total += weight;
        }
        if !raw.scenario.is_empty() && total <= 0.0 {
            self.error(&Path::keys(["scenario"]), "all scenarios have weight 0");
        }
        let planned = |(name, entry): (&String, &file::RawScenarioEntry)| PlannedScenario {
            name: name.clone(),
            label: entry.label.clone().unwrap_or_else(|| name.clone()),
            weight: entry.weight.unwrap_or(1.0) / total,
        };
        raw.scenario.iter().map(planned).collect()
    }

    fn variants(&mut self) -> Vec<Variant> {
        let raw = self.raw;
        let mut variants = Vec::new();
        if raw.batch.as_is.unwrap_or(true) {
            let mut as_is = Variant::as_is(AS_IS);
            as_is.set_label(Some("As it is".to_owned()));
            variants.push(as_is);
        } else if raw.variant.is_empty() {
            self.error_with_help(
                &Path::keys(["batch", "as_is"]),
                "without variants and without the scenarios as they are there is nothing to run",
                "remove `as_is = false`, or add a variant",
            );
        }
        for (name, entry) in &raw.variant {
            let path = Path::keys(["variant", name]);
            if name == AS_IS {
                let message = format!("`{AS_IS}` is the variant that changes nothing");
                self.error_with_help(&path, message, "give this one another name");
            }
            variants.push(self.variant(name, entry, &path));
        }
        variants
    }

    fn variant(&mut self, name: &str, entry: &file::RawVariant, path: &Path) -> Variant {
        let document = self.document;
        let mut variant = Variant::with_sources(name.to_owned(), document.sources.clone());
        variant.set_label(entry.label.clone());
        for reference in entry.overlay.iter().flat_map(|names| names.names()) {
            let scenario = document.resolve(self.files, reference);
            if let Err(problems) = variant.overlay_with(self.files, &scenario) {
                // What cannot be found has no place of its own: the reference has.
                let span = document.locate(&path.key("overlay"));
                if problems.iter().all(|problem| problem.location.is_none()) {
                    self.problems
                        .extend(problems.into_iter().map(|problem| problem.at(span)));
                } else {
                    self.foreign.push(problems);
                }
            }
        }
        if let Some(node) = document.tree.at(path)
            && !entry.calendar.is_empty()
        {
            variant.overlay_table(node, "calendar");
        }
        for (parameter, value) in &entry.set {
            let span = document.locate_key(&path.key("set").key(parameter));
            let set = variant.set(parameter, *value, span);
            self.problems.extend(set.err().map(|problem| *problem));
        }
        for (index, what) in entry.drop.iter().enumerate() {
            let span = document.locate(&path.key("drop").index(index));
            let dropped = variant.drop(what, span);
            self.problems.extend(dropped.err().map(|problem| *problem));
        }
        if variant.is_as_is() {
            let span = document.locate(path);
            let message = format!("the variant `{name}` changes nothing");
            self.warnings.push(Diagnostic::warning(message).at(span));
        }
        variant
    }

    /// A parameter has one master: a lever, a sweep, or the variants.
    fn axes_against_each_other(&mut self, variants: &[Variant]) {
        let raw = self.raw;
        for name in raw
            .sweep
            .keys()
            .filter(|name| raw.lever.contains_key(*name))
        {
            let lever = self.document.locate_key(&Path::keys(["lever", name]));
            let sweep = self.document.locate_key(&Path::keys(["sweep", name]));
            let message = format!("`{name}` is both a lever and a sweep");
            let problem = Diagnostic::error(message).at(sweep);
            self.problems.push(
                problem
                    .related(lever, "the lever")
                    .help("a policy sets levers, the world sets sweeps: keep one of the two"),
            );
        }
        let axes = || {
            let levers = raw.lever.keys().map(|name| ("lever", name));
            levers.chain(raw.sweep.keys().map(|name| ("sweep", name)))
        };
        for variant in variants {
            for (parameter, _) in variant.parameters() {
                if let Some((kind, name)) = axes().find(|(_, name)| *name == parameter) {
                    let axis = self.document.locate_key(&Path::keys([kind, name]));
                    let path = Path::keys(["variant", variant.name()]);
                    let set = path.key("set").key(parameter);
                    let span = self.document.locate_key(match self.document.tree.at(&set) {
                        Some(_) => &set,
                        None => &path,
                    });
                    let message = format!(
                        "the variant `{}` changes `{parameter}`, which is a {kind} too",
                        variant.name()
                    );
                    let problem = Diagnostic::error(message).at(span);
                    self.problems.push(
                        problem
                            .related(axis, format!("the {kind}"))
                            .help("the two contradict each other: keep one of them"),
                    );
                }
            }
        }
    }

    /// Every scenario with every variant, compiled.
    fn pairs(&mut self, scenarios: &[PlannedScenario], variants: &[Variant]) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for scenario in scenarios {
            let entry = &self.raw.scenario[&scenario.name];
            let file = self.document.resolve(self.files, &entry.file);
            let base = match load_with(self.files, &file) {
                Ok(base) => base,
                Err(problems) if problems.iter().all(|p| p.location.is_none()) => {
                    let path = Path::keys(["scenario", &scenario.name, "file"]);
                    let span = self.document.locate(&path);
                    self.problems
                        .extend(problems.into_iter().map(|problem| problem.at(span)));
                    continue;
                }
                Err(problems) => {
                    self.foreign.push(problems);
                    continue;
                }
            };
            for variant in variants {
                let compiled = variant
                    .apply(&base)
                    .and_then(|loaded| compile(&loaded).map(|compiled| (loaded, compiled)));
                match compiled {
                    Ok((loaded, compiled)) => {
                        // What a variant leaves unused is no mistake.
                        if variant.is_as_is() {
                            self.foreign.push(loaded.diagnostics(compiled.warnings));
                        }
                        pairs.push(Pair {
                            name: format!("{}/{}", scenario.name, variant.name()),
                            loaded,
                            model: compiled.model,
                        });
                    }
                    Err(problems) => self.foreign.push(problems),
                }
            }
        }
        pairs
    }

    /// All scenarios must have the same endgames and flags, for cells to be compared.
    fn alike(&mut self, pairs: &[Pair]) {
        let Some((first, rest)) = pairs.split_first() else {
            return;
        };
        if first.model.endgames().len() > MOST_ENDGAMES {
            let message = format!("a scenario has more than {MOST_ENDGAMES} endgames");
            self.error(&Path::keys(["scenario"]), message);
        }
        let endgames = |pair: &Pair| -> Vec<String> {
            let all = pair.model.endgames().iter();
            all.map(|endgame| endgame.id().to_owned()).collect()
        };
        let flags = |pair: &Pair| -> Vec<String> {
            let all = pair.model.flags().iter();
            all.map(|flag| flag.id().to_owned()).collect()
        };
        let mut other = None;
        for pair in rest {
            for (kind, mine, theirs) in [
                ("endgames", endgames(pair), endgames(first)),
                ("flags", flags(pair), flags(first)),
            ] {
                if mine != theirs && other.is_none() {
                    other = Some(format!(
                        "`{}` has the {kind} {}, but `{}` has {}",
                        pair.name,
                        list(mine.iter().map(String::as_str), "and"),
                        first.name,
                        list(theirs.iter().map(String::as_str), "and"),
                    ));
                }
            }
        }
        if let Some(message) = other {
            self.error_with_help(
                &Path::keys(["scenario"]),
                message,
                "all scenarios and variants of an experiment must have the same endgames and flags, in the same order",
            );
        }
    }

    fn points(
        &mut self,
        kind: &'static str,
        axes: &IndexMap<String, RawAxis>,
        design: Option<&RawDesign>,
        pairs: &[Pair],
        seed: u64,
    ) -> Points {
        let design_path = Path::keys(["design", kind]);
        let design_kind = design.map_or(DesignKind::Factorial, |design| design.kind);
        let sampled = design_kind != DesignKind::Factorial;
        let count = match design {
            Some(_) if axes.is_empty() => {
                let message = format!("there is a design for the {kind}s, but no {kind}");
                self.error(&design_path, message);
                1
            }
            Some(RawDesign {
                points: Some(_), ..
            }) if !sampled => {
                self.error_with_help(
                    &design_path.key("points"),
                    "a factorial design has as many points as there are combinations",
                    "remove `points`, or choose `kind = \"sobol\"`",
                );
                1
            }
            Some(RawDesign { points: None, .. }) if sampled => {
                self.error(
                    &design_path,
                    "the design does not say how many `points` it has",
                );
                1
            }
            Some(RawDesign {
                points: Some(0), ..
            }) => {
                self.error(
                    &design_path.key("points"),
                    "a design without points is empty",
                );
                1
            }
            Some(design) => design.points.unwrap_or(1),
            None => 1,
        };
        let mut checked = Vec::new();
        for (name, axis) in axes {
            let path = Path::keys([kind, name]);
            if let Some(values) = self.axis(name, axis, &path, sampled, pairs) {
                checked.push(Axis {
                    parameter: name.clone(),
                    label: axis.label.clone(),
                    values,
                });
            }
        }
        if !sampled || checked.len() < axes.len() {
            return Points::factorial(if sampled { Vec::new() } else { checked });
        }
        Points::sampled(design_kind, checked, count, seed).unwrap_or_else(|error| {
            self.error(&design_path, format!("the design cannot be made: {error}"));
            Points::factorial(Vec::new())
        })
    }

    fn axis(
        &mut self,
        name: &str,
        axis: &RawAxis,
        path: &Path,
        sampled: bool,
        pairs: &[Pair],
    ) -> Option<Values> {
        for pair in pairs {
            if !pair.loaded.raw.parameter.contains_key(name) {
                let known = pair.loaded.raw.parameter.keys().map(String::as_str);
                let message = format!("the scenario `{}` has no parameter `{name}`", pair.name);
                let span = self.document.locate_key(path);
                let problem = Diagnostic::error(message).at(span);
                self.problems.push(match closest(name, known) {
                    Some(best) => problem.help(format!("did you mean `{best}`?")),
                    None => {
                        problem.help("`flashpoint describe` lists the parameters of a scenario")
                    }
                });
                return None;
            }
        }
        let values = match (&axis.values, axis.range) {
            (Some(_), Some(_)) => {
                self.error(path, format!("`{name}` has both `values` and a `range`"));
                return None;
            }
            (Some(values), None) => {
                return self.list(name, values, axis, path);
            }
            (None, Some(range)) => range,
            (None, None) => self.own_range(name, path, pairs)?,
        };
        let [low, high] = values;
        let at = path.key("range");
        if low >= high {
            self.error(
                &at,
                format!("the range must rise, but goes from {low} to {high}"),
            );
            return None;
        }
        let values = match axis.scale {
            Scale::Log if low <= 0.0 => {
                let message =
                    format!("a range with `scale = \"log\"` must be above 0, not from {low}");
                self.error(&at, message);
                return None;
            }
            Scale::Log => Values::Log { low, high },
            Scale::Linear => Values::Linear { low, high },
        };
        match (sampled, axis.steps) {
            (true, Some(_)) => {
                self.error_with_help(
                    &path.key("steps"),
                    "the points of this design are sampled: there are no `steps`",
                    "remove `steps`, or list the `values`",
                );
                None
            }
            (true, None) => Some(values),
            (false, Some(steps)) if steps < 2 => {
                self.error(
                    &path.key("steps"),
                    "from end to end there are at least 2 `steps`",
                );
                None
            }
            (false, Some(steps)) if steps > MOST_STEPS => {
                let message = format!("there are at most {MOST_STEPS} `steps`, not {steps}");
                self.error(&path.key("steps"), message);
                None
            }
            (false, steps) => Some(values.steps(steps.unwrap_or(DEFAULT_STEPS))),
        }
    }

    fn list(&mut self, name: &str, values: &[f64], axis: &RawAxis, path: &Path) -> Option<Values> {
        let at = path.key("values");
        if values.is_empty() {
            self.error_with_help(
                &at,
                format!("`{name}` has no values to try"),
                "list at least one, for example `values = [0.5, 1, 2]`",
            );
            return None;
        }
        if axis.steps.is_some() {
            self.error(&path.key("steps"), "a list of values has no `steps`");
            return None;
        }
        for (index, value) in values.iter().enumerate() {
            if values[..index].contains(value) {
                let message = format!("`{name}` has the value {value} twice");
                self.error(&at.index(index), message);
                return None;
            }
        }
        Some(Values::List(values.to_vec()))
    }

    /// The parameter's own range in the first scenario: its `range`, or the 5 % and 95 % quantiles of its prior.
    fn own_range(&mut self, name: &str, path: &Path, pairs: &[Pair]) -> Option<[f64; 2]> {
        let first = pairs.first()?;
        if let Some(range) = first.loaded.raw.parameter.get(name).and_then(|p| p.range) {
            return Some(range);
        }
        let parameters = first.model.parameters();
        let prior = parameters.iter().find(|p| p.id() == name)?.prior();
        match prior {
            Some(prior) => Some([0.05, 0.95].map(|u| prior.quantile(u))),
            None => {
                self.error_with_help(
                    path,
                    format!("`{name}` has neither `values` nor a `range`, here or in its scenario"),
                    "add `values = [...]` or `range = [low, high]`",
                );
                None
            }
        }
    }

    /// Where parameters come from, how many runs are made together, and how many in all.
    fn size(&mut self, pairs: &[Pair], options: Options) -> (WorldSource, u32, Size) {
        let raw = &self.raw.batch;
        let priors = !raw.defaults && pairs.iter().any(|pair| pair.model.has_priors());
        if let Some(width) = raw.precision
            && !(width > 0.0 && width < 1.0)
        {
            let path = Path::keys(["batch", "precision"]);
            self.error(
                &path,
                format!("the precision is {width}, but must lie between 0 and 1"),
            );
        }
        for (key, given) in [("runs", raw.runs), ("max_runs", raw.max_runs)] {
            if given == Some(0) {
                let path = Path::keys(["batch", key]);
                self.error(&path, format!("`{key}` must be at least 1"));
            }
        }
        if let (Some(_), Some(_)) = (raw.precision, raw.runs) {
            let path = Path::keys(["batch", "precision"]);
            self.error_with_help(
                &path,
                "`runs` and `precision` contradict each other",
                "keep one of them; `max_runs` limits the runs of a precision",
            );
        }
        if let (None, Some(_)) = (raw.precision, raw.max_runs) {
            let path = Path::keys(["batch", "max_runs"]);
            self.error_with_help(&path, "`max_runs` belongs to a `precision`", "write `runs`");
        }
        let runs_per_world = match raw.runs_per_world {
            Some(n) if !(2..=10_000).contains(&n) => {
                let path = Path::keys(["batch", "runs_per_world"]);
                self.error(&path, "`runs_per_world` must be between 2 and 10000");
                2
            }
            Some(n) => n,
            None => pairs.first().map_or(1, |pair| pair.model.runs_per_world()),
        };
        let precise = options.runs.is_none() && raw.precision.is_some();
        let asked = match options.runs.or(raw.runs) {
            Some(runs) => runs,
            None if precise => raw.max_runs.unwrap_or(DEFAULT_MOST_RUNS),
            None => DEFAULT_RUNS,
        };
        let asked = asked.clamp(1, MOST_RUNS);
        let block = match priors {
            true => u64::from(runs_per_world),
            // As few blocks as possible, of equal size.
            false => asked.div_ceil(asked.div_ceil(BLOCK)),
        };
        let runs = asked.next_multiple_of(block);
        let size = match raw.precision {
            Some(width) if precise => Size::Precision {
                width,
                most_runs: runs,
            },
            _ => Size::Runs(runs),
        };
        let worlds = match priors {
            true => WorldSource::Priors,
            false => WorldSource::Defaults,
        };
        (worlds, block as u32, size)
    }

    fn quantities(
        &mut self,
        pairs: &[Pair],
    ) -> (Vec<PlannedQuantity>, Vec<Goal>, Vec<RecordedMetric>) {
        let raw = self.raw;
        let Some(first) = pairs.first() else {
            return Default::default();
        };
        let mut wanted: Vec<(Quantity, String)> = Vec::new();
        match &raw.batch.of {
            Some(names) if names.is_empty() => {
                let path = Path::keys(["batch", "of"]);
                self.error(&path, "`of` is empty: there is nothing to compare");
            }
            Some(names) => {
                for (index, name) in names.iter().enumerate() {
                    let path = Path::keys(["batch", "of"]).index(index);
                    let Some(quantity) = self.quantity(pairs, name, &path) else {
                        continue;
                    };
                    if wanted.iter().any(|(known, _)| *known == quantity) {
                        self.error(&path, format!("`{name}` is listed twice"));
                    } else {
                        wanted.push((quantity, naming::name(&first.model, quantity)));
                    }
                }
            }
            None => {
                for (_, _, quantity) in naming::all(&first.model) {
                    let shown = match quantity {
                        Quantity::Metric(i) => first.model.metrics()[i].is_headline(),
                        _ => true,
                    };
                    let name = naming::name(&first.model, quantity);
                    let everywhere =
                        (pairs.iter()).all(|pair| naming::find(&pair.model, &name).is_ok());
                    if shown && everywhere {
                        wanted.push((quantity, name));
                    }
                }
            }
        }
        let mut goals = Vec::new();
        for (name, goal) in &raw.goal {
            let path = Path::keys(["goal", name]);
            let Some(quantity) = self.quantity(pairs, &goal.of, &path.key("of")) else {
                continue;
            };
            let known = wanted.iter().position(|(known, _)| *known == quantity);
            let index = known.unwrap_or_else(|| {
                wanted.push((quantity, naming::name(&first.model, quantity)));
                wanted.len() - 1
            });
            if let Some(threshold) = goal.threshold
                && !matches!(quantity, Quantity::Metric(_))
                && !(0.0..=1.0).contains(&threshold)
            {
                let message = format!(
                    "the threshold is {threshold}, but `{}` has a probability between 0 and 1",
                    goal.of
                );
                self.error(&path.key("threshold"), message);
            }
            goals.push(Goal {
                name: name.clone(),
                label: goal
                    .label
                    .clone()
                    .unwrap_or_else(|| label_of(&first.model, quantity).0),
                quantity: index,
                want: goal.want,
                threshold: goal.threshold,
            });
        }
        let mut metrics: Vec<RecordedMetric> = Vec::new();
        let mut planned = Vec::new();
        for (quantity, id) in wanted {
            let (label, unit) = label_of(&first.model, quantity);
            let source = match quantity {
                Quantity::Endgame(i) => Source::Endgame(i),
                Quantity::Flag(i) => Source::Flag(i),
                Quantity::Metric(i) => {
                    metrics.extend(recorded(pairs, i));
                    Source::Metric(metrics.len() - 1)
                }
                Quantity::Category => continue,
            };
            planned.push(PlannedQuantity {
                id,
                label,
                unit,
                source,
            });
        }
        if raw.batch.keep_runs {
            for index in 0..first.model.metrics().len() {
                let id = first.model.metrics()[index].id();
                if metrics.iter().all(|known| known.id != id) {
                    metrics.extend(recorded(pairs, index));
                }
            }
        }
        (planned, goals, metrics)
    }

    /// The quantity of that name, which all scenarios must have; that of the first one.
    fn quantity(&mut self, pairs: &[Pair], name: &str, path: &Path) -> Option<Quantity> {
        let mut first = None;
        for pair in pairs {
            match naming::find(&pair.model, name) {
                Ok(quantity) => first = first.or(Some(quantity)),
                Err(error) => {
                    let message = format!("`{}`: {error}", pair.name);
                    self.error_with_help(path, message, error.advice());
                    return None;
                }
            }
        }
        first
    }

    fn selection(&mut self, goals: &[Goal]) -> Option<PlannedSelection> {
        let raw = self.raw.select.as_ref()?;
        let path = Path::keys(["select"]);
        let goal = match &raw.goal {
            Some(name) => {
                let found = goals.iter().position(|goal| goal.name == *name);
                if found.is_none() {
                    let known = self.raw.goal.keys().map(String::as_str);
                    let message = format!("the experiment has no goal `{name}`");
                    self.unknown(&path.key("goal"), message, name, known);
                }
                found?
            }
            None if goals.len() == 1 => 0,
            None => {
                let message = format!(
                    "the experiment has {} goals: which one decides?",
                    goals.len()
                );
                self.error_with_help(
                    &path,
                    message,
                    "add `goal = \"...\"` with the name of a `[goal.NAME]`",
                );
                return None;
            }
        };
        let probability = raw.probability.unwrap_or(0.95);
        if !(probability > 0.0 && probability < 1.0) {
            let message = format!("the probability is {probability}, but must lie between 0 and 1");
            self.error(&path.key("probability"), message);
        }
        if raw.indifference <= 0.0 {
            let message = format!(
                "`indifference` is {}, but must be above 0",
                raw.indifference
            );
            self.error(&path.key("indifference"), message);
        }
        if raw.max_runs == Some(0) {
            self.error(&path.key("max_runs"), "`max_runs` must be at least 1");
        }
        Some(PlannedSelection {
            goal,
            probability,
            indifference: raw.indifference,
            most_runs: raw.max_runs.unwrap_or(DEFAULT_MOST_RUNS),
        })
    }

    fn baseline(
        &mut self,
        scenarios: &[PlannedScenario],
        variants: &[Variant],
        levers: &Points,
        sweeps: &Points,
    ) -> Baseline {
        let raw = &self.raw.baseline;
        let scenario = raw.scenario.as_ref().and_then(|name| {
            let found = scenarios.iter().position(|known| known.name == *name);
            if found.is_none() {
                let path = Path::keys(["baseline", "scenario"]);
                let known = scenarios.iter().map(|known| known.name.as_str());
                let message = format!("the experiment has no scenario `{name}`");
                self.unknown(&path, message, name, known);
            }
            found
        });
        let variant = raw.variant.as_ref().and_then(|name| {
            let found = variants.iter().position(|known| known.name() == name);
            if found.is_none() {
                let path = Path::keys(["baseline", "variant"]);
                let known = variants.iter().map(Variant::name);
                let message = format!("the experiment has no variant `{name}`");
                self.unknown(&path, message, name, known);
            }
            found
        });
        let lever = self.baseline_setting("lever", raw.lever.as_ref(), levers);
        Baseline {
            scenario,
            sweep: self.baseline_setting("sweep", raw.sweep.as_ref(), sweeps),
            variant: variant.unwrap_or(0),
            lever: lever.unwrap_or(0),
        }
    }

    fn baseline_setting(
        &mut self,
        kind: &'static str,
        given: Option<&IndexMap<String, f64>>,
        points: &Points,
    ) -> Option<u64> {
        let given = given?;
        let path = Path::keys(["baseline", kind]);
        if !points.is_factorial() {
            self.error_with_help(
                &path,
                format!("the {kind}s are sampled: no point has exactly these values"),
                "remove it: the first point is the baseline",
            );
            return None;
        }
        for name in given.keys() {
            if points.axes().iter().all(|axis| axis.parameter != *name) {
                let known = points.axes().iter().map(|axis| axis.parameter.as_str());
                let message = format!("the experiment has no {kind} `{name}`");
                self.unknown(&path.key(name), message, name, known);
                return None;
            }
        }
        let mut setting = Vec::new();
        for axis in points.axes() {
            match given.get(&axis.parameter) {
                Some(value) => setting.push(*value),
                None => {
                    let message =
                        format!("the baseline does not set the {kind} `{}`", axis.parameter);
                    self.error(&path, message);
                    return None;
                }
            }
        }
        let found = points.find(&setting);
        if found.is_none() {
            let message = format!("the {kind}s never have the values of the baseline");
            let tried = points.axes().iter().map(|axis| match &axis.values {
                Values::List(values) => format!("{} is one of {values:?}", axis.parameter),
                _ => axis.parameter.clone(),
            });
            let tried: Vec<String> = tried.collect();
            self.error_with_help(&path, message, tried.join("; "));
        }
        found
    }

    fn identity(&self, seed: u64, size: Size, pairs: &[Pair]) -> Identity {
        let scenarios: BTreeMap<String, String> = (pairs.iter())
            .map(|pair| {
                let text = pair.loaded.resolved_text();
                (pair.name.clone(), sha256_hex(text.as_bytes()))
            })
            .collect();
        Identity {
            flashpoint: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            size,
            experiment: sha256_hex(self.document.canonical_text().as_bytes()),
            scenarios,
        }
    }

    /// Refuses designs that cannot be counted.
    fn count(&mut self, plan: &Plan) {
        let runs = plan.size.most_runs();
        let cells = (plan.levers.count().zip(plan.sweeps.count()))
            .and_then(|(levers, sweeps)| levers.checked_mul(sweeps))
            .and_then(|cells| cells.checked_mul(plan.models.len() as u64));
        if cells
            .and_then(|cells| cells.checked_mul(runs))
            .is_none_or(|all| all > MOST_RUNS)
        {
            self.error_with_help(
                &Path::keys(["batch"]),
                "the design has more runs than can be counted",
                "try fewer values, or sample the design: `[design.sweep]` with `kind = \"sobol\"` and `points`",
            );
        }
    }

    /// Looks for settings that a scenario cannot have, such as a negative half-life, and for those that its prior rules out.
    fn try_cells(&mut self, plan: &Plan) {
        let mut settings: Vec<Vec<f64>> = Vec::new();
        let mut setting = Vec::new();
        if plan.cells() <= CELLS_TRIED {
            for state in 0..plan.sweeps.count().unwrap_or(0) {
                for policy in 0..plan.levers.count().unwrap_or(0) {
                    setting.clear();
                    plan.sweeps.point(state, &mut setting);
                    plan.levers.point(policy, &mut setting);
                    settings.push(setting.clone());
                }
            }
        } else {
            plan.setting(plan.cell(0), &mut setting);
            let axes = plan.sweeps.axes().iter().chain(plan.levers.axes());
            for (place, axis) in axes.enumerate() {
                for end in axis.values.ends() {
                    let mut changed = setting.clone();
                    changed[place] = end;
                    settings.push(changed);
                }
            }
        }
        let names: Vec<(&'static str, &str)> = (plan.sweeps.axes().iter())
            .map(|axis| ("sweep", axis.parameter.as_str()))
            .chain(
                plan.levers
                    .axes()
                    .iter()
                    .map(|axis| ("lever", axis.parameter.as_str())),
            )
            .collect();
        for (model, held) in plan.models.iter().zip(&plan.held) {
            for setting in &settings {
                let mut parameters = model.default_parameters();
                for (&index, &value) in held.iter().zip(setting) {
                    parameters[index] = value;
                }
                if let Err(error) = World::new(model, parameters) {
                    // The parameters that the formula reads tell which axis is to blame.
                    let blamed = names
                        .iter()
                        .find(|(_, name)| error.parameters.iter().any(|(read, _)| read == name));
                    let path = match blamed {
                        Some((kind, name)) => Path::keys([kind, name]),
                        None => Path::root(),
                    };
                    let span = self.document.locate_key(&path);
                    self.problems
                        .push(Diagnostic::error(error.to_string()).at(span));
                    return;
                }
            }
        }
        let Some(model) = plan.models.first() else {
            return;
        };
        let axes = plan.sweeps.axes().iter().chain(plan.levers.axes());
        for ((kind, name), axis) in names.iter().zip(axes) {
            let parameter = model.parameters().iter().find(|p| p.id() == *name);
            let Some(prior) = parameter.and_then(|p| p.prior()) else {
                continue;
            };
            let (low, high) = prior.support();
            let [least, most] = axis.values.ends();
            if least < low || most > high {
                let message = format!(
                    "`{name}` goes from {least} to {most}, but its prior has nothing outside {low} to {high}"
                );
                let span = self.document.locate_key(&Path::keys([kind, name]));
                self.warnings.push(Diagnostic::warning(message).at(span));
            }
        }
    }
}

/// A metric of the first model with its index in every one; `None` if one lacks it.
fn recorded(pairs: &[Pair], index: usize) -> Option<RecordedMetric> {
    let metric = &pairs.first()?.model.metrics()[index];
    let find = |pair: &Pair| {
        let mut all = pair.model.metrics().iter();
        all.position(|other| other.id() == metric.id())
    };
    Some(RecordedMetric {
        id: metric.id().to_owned(),
        label: metric.label().to_owned(),
        unit: metric.unit().map(str::to_owned),
        in_models: pairs.iter().map(find).collect::<Option<_>>()?,
    })
}

/// The indices of the parameters of the sweeps, then of the levers, in a model.
fn held_indices(model: &Model, sweeps: &Points, levers: &Points) -> Vec<usize> {
    let axes = sweeps.axes().iter().chain(levers.axes());
    axes.filter_map(|axis| {
        let mut parameters = model.parameters().iter();
        parameters.position(|parameter| parameter.id() == axis.parameter)
    })
    .collect()
}

fn named(variant: &Variant) -> Named {
    Named {
        name: variant.name().to_owned(),
        label: variant.label().unwrap_or(variant.name()).to_owned(),
    }
}

/// The file's name without folder and extension.
fn short_name(name: &str) -> String {
    if name == "-" {
        return "stdin".to_owned();
    }
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.strip_suffix(".toml").unwrap_or(file).to_owned()
}
