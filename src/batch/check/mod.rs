//! From the file of an experiment to a [`Plan`]: everything that is wrong with it is found here, before anything runs.

mod design;
mod questions;

use std::collections::BTreeMap;

use super::file::{self, RawExperiment};
use super::plan::{AS_IS, CODEC, Identity, Named, Plan, PlannedScenario, Size};
use crate::batch::axes::Points;
use crate::digest::sha256_hex;
use crate::model::Model;
use crate::scenario::compile::compile;
use crate::scenario::diagnostics::{Diagnostic, Diagnostics};
use crate::scenario::document::Document;
use crate::scenario::extend::Files;
use crate::scenario::load::{LoadedScenario, load_with};
use crate::scenario::tree::Path;
use crate::scenario::variant::Variant;
use crate::scenario::wording::{closest, list};

/// Scenarios times variants: each is compiled and kept.
const MOST_MODELS: usize = 2000;
/// Endgames that a record of a run can tell apart.
const MOST_ENDGAMES: usize = 250;
/// Cells and runs in all that can be counted with room to spare.
const MOST_RUNS: u64 = 1 << 50;
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
            codec: CODEC.to_owned(),
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
