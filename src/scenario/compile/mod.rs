//! From a scenario that is well formed to a [`Model`] that can be run.
//!
//! Names are resolved, formulas are type-checked and compiled, and processes and rules are specialised for each actor. All
//! problems are reported together.

mod actions;
mod calendar;
mod choices;
mod ladder;
mod names;
mod outcomes;
mod problems;
mod quantities;
mod sources;
mod stocks;

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::diagnostics::{Diagnostic, Diagnostics};
use super::load::LoadedScenario;
use super::raw::{Basis, Expression, RawScenario};
use super::tree::Path;
use crate::formula::{self, Program, Scope, Type};
use crate::model::{self, Formula, Model, NOBODY, World};
use names::Names;
use problems::Problems;

/// A scenario ready to run.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The compiled scenario.
    pub model: Model,
    /// What is allowed but hardly meant, such as a parameter that no formula reads.
    pub warnings: Vec<Diagnostic>,
}

/// Compiles a scenario.
///
/// # Errors
/// Every problem of its meaning: unknown names, formulas of the wrong type, contradictions.
pub fn compile(loaded: &LoadedScenario) -> Result<Compiled, Diagnostics> {
    let mut problems = Problems::new(loaded);
    let names = Names::collect(&loaded.raw, &mut problems);
    sources::check(&loaded.raw, &mut problems);
    let compiler = Compiler {
        raw: &loaded.raw,
        parameter_used: vec![false; names.parameters.len()],
        actor_ids: names.actors.keys().map(|id| id.as_str().into()).collect(),
        names,
        problems,
        sites: Vec::new(),
        streams: Vec::new(),
    };
    compiler.run(&loaded.name)
}

/// Dates and limits when a scenario does not say.
const DEFAULT_MAX_EVENTS: u64 = 100_000;
const DEFAULT_RUNS_PER_WORLD: u32 = 50;
const LONGEST_HORIZON: f64 = 100_000.0;
/// The distribution over worlds is kept as a histogram with one cell more than this.
pub const MOST_RUNS_PER_WORLD: u64 = 10_000;

struct Compiler<'a> {
    raw: &'a RawScenario,
    names: Names<'a>,
    problems: Problems<'a>,
    sites: Vec<String>,
    streams: Vec<Vec<Arc<str>>>,
    actor_ids: Vec<Arc<str>>,
    parameter_used: Vec<bool>,
}

impl<'a> Compiler<'a> {
    fn run(mut self, name: &str) -> Result<Compiled, Diagnostics> {
        let header = &self.raw.scenario;
        let start = self.start();
        let horizon = self.horizon();
        let parameters = self.parameters();
        let (stocks, slots) = self.stocks();
        let mut actions = self.actions();
        let processes = self.processes();
        let rules = self.rules();
        for (index, (id, rule)) in rules.iter().enumerate() {
            for action in self.answered(id) {
                let answering: &mut Vec<u32> = &mut actions[action as usize].rules;
                debug_assert!(answering.last().is_none_or(|&last| last < index as u32));
                answering.push(index as u32);
            }
            debug_assert!((rule.actor as usize) < self.names.actors.len());
        }
        let initial_rungs = self.initial_rungs();
        self.refuse_idle_additions();
        let calendar = self.calendar(start, horizon);
        let (metrics, derived_metrics) = self.metrics(&mut actions);
        let endgames = self.endgames();
        self.refuse_unfollowed(&metrics, &endgames);
        let flags = self.flags();
        let timeline = self.timeline(horizon);
        if self.problems.has_errors() {
            return Err(self.problems.diagnostics());
        }
        // Only now: what a broken formula would have read is not known.
        self.warn_of_unused();
        let pairs = if self.raw.ladder.rung.is_empty() {
            Vec::new()
        } else {
            let count = self.names.actors.len() as u32;
            let partners = |a: u32| (a + 1..count).map(move |b| (a, b));
            (0..count).flat_map(partners).collect()
        };
        let initial_rungs = ladder::initial(&initial_rungs, &pairs);
        let rungs = self.raw.ladder.rung.iter().map(|rung| model::Rung {
            id: rung.id.clone(),
            label: label(&rung.label, &rung.id),
        });
        let mut model = Model {
            title: label(&header.title, name),
            start,
            horizon,
            max_events: header.max_events.unwrap_or(DEFAULT_MAX_EVENTS),
            runs_per_world: header.runs_per_world.unwrap_or(DEFAULT_RUNS_PER_WORLD),
            parameters,
            actors: self.actors(),
            places: self.places(),
            slot_dependents: vec![model::Dependents::default(); slots.len()],
            pair_dependents: vec![model::Dependents::default(); pairs.len()],
            stocks,
            slots,
            rungs: rungs.collect(),
            pairs,
            initial_rungs,
            actions,
            processes,
            rules: rules.into_iter().map(|(_, rule)| rule).collect(),
            calendar,
            metrics,
            derived_metrics,
            endgames,
            absorbing_moves: false,
            flags,
            timeline,
            streams: self.streams,
            sites: self.sites,
            fast: model::Fast::default(),
        };
        outcomes::link_dependents(&mut model);
        model.make_fast();
        if let Err(error) = World::new(&model, model.default_parameters())
            && error.parameters.is_empty()
        {
            // No parameter can help.
            self.problems.unusable(&error);
            return Err(self.problems.diagnostics());
        }
        Ok(Compiled {
            model,
            warnings: self.problems.warnings(),
        })
    }

    fn start(&mut self) -> jiff::civil::Date {
        let path = Path::keys(["scenario", "start"]);
        match &self.raw.scenario.start {
            Some(text) => self.date(text, &path),
            None => {
                self.problems.error_with_help(
                    &path,
                    "the scenario has no `start`",
                    "add the first day, for example `start = 2024-01-01`",
                );
                jiff::civil::Date::ZERO
            }
        }
    }

    fn date(&mut self, text: &str, path: &Path) -> jiff::civil::Date {
        text.parse().unwrap_or_else(|_| {
            let message =
                format!("`{text}` is no date: write year-month-day, for example 2024-01-31");
            self.problems.error(path, message);
            jiff::civil::Date::ZERO
        })
    }

    fn horizon(&mut self) -> f64 {
        let path = Path::keys(["scenario", "horizon"]);
        match self.raw.scenario.horizon {
            Some(days) if days > 0.0 && days <= LONGEST_HORIZON => days,
            Some(days) => {
                let message = format!(
                    "`horizon` is {days}, but must be a positive number of days up to {LONGEST_HORIZON}"
                );
                self.problems.error(&path, message);
                1.0
            }
            None => {
                self.problems.error_with_help(
                    &path,
                    "the scenario has no `horizon`",
                    "add the length of a run in days, for example `horizon = 365`",
                );
                1.0
            }
        }
    }

    fn parameters(&mut self) -> Vec<model::Parameter> {
        let raw = self.raw;
        let runs_per_world = raw.scenario.runs_per_world.map(u64::from);
        let limits = [
            ("max_events", raw.scenario.max_events, 1, u64::MAX),
            ("runs_per_world", runs_per_world, 2, MOST_RUNS_PER_WORLD),
        ];
        for (key, given, least, most) in limits {
            let path = Path::keys(["scenario", key]);
            match given {
                Some(n) if n < least => {
                    let message = format!("`{key}` must be at least {least}");
                    self.problems.error(&path, message);
                }
                Some(n) if n > most => {
                    let message = format!("`{key}` must be at most {most}");
                    self.problems.error(&path, message);
                }
                _ => {}
            }
        }
        let mut parameters = Vec::new();
        for (id, parameter) in &raw.parameter {
            let path = Path::keys(["parameter", id]);
            if parameter.basis != Basis::Assumption && parameter.source.is_none() {
                self.problems.error_with_help(
                    &path,
                    format!("the parameter `{id}` names no source"),
                    "add `source = \"...\"`, or mark it `basis = \"assumption\"`",
                );
            }
            if let Some([low, high]) = parameter.range
                && low >= high
            {
                self.problems.error(
                    &path.key("range"),
                    format!("the range must rise, but goes from {low} to {high}"),
                );
            }
            let prior = parameter.prior.as_ref();
            parameters.push(model::Parameter {
                id: id.clone(),
                value: parameter.value,
                prior: prior.and_then(|prior| self.prior(prior, &path.key("prior"))),
            });
        }
        parameters
    }

    fn warn_of_unused(&mut self) {
        for (id, formula) in &self.names.formulas {
            if !formula.used.get() {
                let message = format!("nothing uses the formula `{id}`, so it is not checked");
                self.problems.warning(&Path::keys(["formula", id]), message);
            }
        }
        for (index, id) in self.raw.parameter.keys().enumerate() {
            if !self.parameter_used[index] {
                let path = Path::keys(["parameter", id]);
                self.problems
                    .warning(&path, format!("no formula reads the parameter `{id}`"));
            }
        }
    }

    fn actors(&self) -> Vec<model::Actor> {
        let names = &self.names;
        let actors = names.actors.iter().enumerate();
        actors
            .map(|(index, (id, (base, actor)))| {
                let number = id.strip_prefix(base).unwrap_or_default().replace('_', " ");
                model::Actor {
                    id: id.clone(),
                    label: label(&actor.label, base) + &number,
                    patron: names.patrons[index].map_or(NOBODY, |patron| patron as i32),
                    rivals: names.rivals[index].clone(),
                    allies: names.allies[index].clone(),
                }
            })
            .collect()
    }

    fn places(&self) -> Vec<model::Place> {
        let places = self.raw.place.iter().zip(&self.names.hosts);
        places
            .map(|((id, place), host)| model::Place {
                id: id.clone(),
                label: label(&place.label, id),
                host: host.map_or(NOBODY, |host| host as i32),
            })
            .collect()
    }

    /// Reports additions to lists where nothing is inherited that they could be added to.
    fn refuse_idle_additions(&mut self) {
        let raw = self.raw;
        let mut idle = Vec::new();
        macro_rules! sections {
            ($($section:ident),*) => {$(
                for (id, entry) in &raw.$section {
                    if entry.add.is_some() {
                        idle.push(Path::keys([stringify!($section), id]));
                    }
                }
            )*};
        }
        sections!(actor, set, action, rule);
        for (index, entry) in raw.calendar.iter().enumerate() {
            if entry.add.is_some() {
                idle.push(Path::keys(["calendar"]).index(index));
            }
        }
        for path in idle {
            self.problems.error_with_help(
                &path.key("add"),
                format!("`{path}` is not inherited, so there is nothing to add to"),
                "give the lists themselves, without `add`",
            );
        }
    }

    /// Compiles a number or a formula. What is wrong is reported, and a formula that is never run takes its place.
    fn formula(
        &mut self,
        expression: &Expression,
        path: &Path,
        scope: &Scope,
        expected: Type,
    ) -> Formula {
        let program = match expression {
            Expression::Number(number) if expected == Type::Number => Program::constant(*number),
            Expression::Number(number) => {
                self.problems.error(
                    path,
                    format!("{number} is a number, but a condition is needed here"),
                );
                Program::constant(0.0)
            }
            Expression::Formula(text) => self.program(text, path, scope, expected),
        };
        self.placed(program, path)
    }

    /// Compiles a number or a formula that must come to a number.
    fn number(&mut self, expression: &Expression, path: &Path, scope: &Scope) -> Formula {
        self.formula(expression, path, scope, Type::Number)
    }

    /// Compiles a number; a constant that no run could go on with is an error here already.
    fn limited(
        &mut self,
        expression: &Expression,
        path: &Path,
        scope: &Scope,
        limits: RangeInclusive<f64>,
    ) -> Formula {
        let formula = self.number(expression, path, scope);
        self.check_limits(&formula, path, limits);
        formula
    }

    fn check_limits(&mut self, formula: &Formula, path: &Path, limits: RangeInclusive<f64>) {
        if let Some(value) = formula.program.as_constant()
            && !limits.contains(&value)
        {
            let required = if *limits.end() == f64::INFINITY {
                format!("{} or more", limits.start())
            } else {
                format!("between {} and {}", limits.start(), limits.end())
            };
            let key = path.last_key().unwrap_or_default();
            let message = format!("`{key}` is {value}, but must be {required}");
            self.problems.error(path, message);
        }
    }

    /// Compiles a formula given as text.
    fn text(&mut self, text: &str, path: &Path, scope: &Scope, expected: Type) -> Formula {
        let program = self.program(text, path, scope, expected);
        self.placed(program, path)
    }

    /// Compiles an optional guard.
    fn guard(&mut self, text: &Option<String>, path: &Path, scope: &Scope) -> Option<Formula> {
        let text = text.as_ref()?;
        Some(self.text(text, path, scope, Type::Truth))
    }

    fn program(&mut self, text: &str, path: &Path, scope: &Scope, expected: Type) -> Program {
        match formula::parse_formula(text) {
            Ok(expr) => self.compiled(&expr, path, scope, expected),
            Err(error) => {
                self.problems
                    .in_formula(path, error.span, error.message, error.help);
                Program::constant(0.0)
            }
        }
    }

    fn compiled(
        &mut self,
        expr: &formula::Expr,
        path: &Path,
        scope: &Scope,
        expected: Type,
    ) -> Program {
        match formula::compile(expr, &self.names, scope, expected) {
            Ok(program) => {
                let reads = program.reads();
                for &parameter in &reads.parameters {
                    self.parameter_used[parameter as usize] = true;
                }
                if reads.ladder && self.raw.ladder.rung.is_empty() {
                    self.problems.in_formula(
                        path,
                        expr.span.clone(),
                        "this formula reads a rung, but the scenario has no ladder".to_owned(),
                        Some("declare rungs with `[[ladder.rung]]`".to_owned()),
                    );
                }
                program
            }
            Err(errors) => {
                self.report(errors, path);
                Program::constant(0.0)
            }
        }
    }

    /// Reports what is wrong with the formula at `path`.
    fn report(&mut self, errors: Vec<formula::CheckError>, path: &Path) {
        let names = &self.names.formulas;
        for error in errors {
            self.problems.in_checked(path, error, |index| {
                names.get_index(index as usize).map(|(name, _)| *name)
            });
        }
    }

    fn placed(&mut self, program: Program, path: &Path) -> Formula {
        self.sites.push(path.to_string());
        Formula::new(program, self.sites.len() as u32 - 1)
    }

    /// Reports a formula that is followed through a run and reads a stock or rung of whoever the run finds: it could not be told
    /// when its value may have changed. `what` says what the formula is.
    fn refuse_found_stocks(&mut self, formula: &Formula, path: &Path, what: &str) {
        if formula.program.reads().dynamic {
            self.problems.error_with_help(
                path,
                format!("{what} cannot depend on a stock or rung of an actor or place that is found in the run"),
                "say the stock in each case: `a.stock if a.power > b.power else b.stock` instead of `(a if a.power > b.power else b).stock`",
            );
        }
    }

    /// Reserves a random stream under a name of its own.
    fn stream(&mut self, name: &[&str]) -> u32 {
        self.streams
            .push(name.iter().map(|&part| part.into()).collect());
        self.streams.len() as u32 - 1
    }

    /// Reserves one stream for each actor, and gives the first.
    fn stream_for_each_actor(&mut self, name: &[&str]) -> u32 {
        let first = self.streams.len() as u32;
        let parts: Vec<Arc<str>> = name.iter().map(|&part| part.into()).collect();
        for actor in &self.actor_ids {
            let with_actor = parts.iter().chain([actor]).cloned();
            self.streams.push(with_actor.collect());
        }
        first
    }
}

/// The label that was given, or the id with spaces.
fn label(given: &Option<String>, id: &str) -> String {
    given.clone().unwrap_or_else(|| id.replace('_', " "))
}
