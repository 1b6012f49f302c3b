//! Processes and rules: who chooses what.

use super::{Compiler, label};
use crate::formula::{
    BinaryOp, CandidateKind, Expr, ExprKind, Members, Program, Relation, Scope, Symbols, Type,
    parse_formula,
};
use crate::model::{
    Choice, ChoiceBy, Course, Deed, Formula, Preference, Process, Quantity, Rule, Selector,
    StandingSet,
};
use crate::scenario::raw::{
    Expression, Per, RawAmong, RawOption, RawProcess, RawRule, RawSelector, Standing,
};
use crate::scenario::tree::Path;

/// Whose choice it is, and under which name its random streams run.
struct Chooser<'a> {
    actor: u32,
    kind: &'a str,
    id: &'a str,
    scope: Scope,
}

impl Compiler<'_> {
    pub(super) fn processes(&mut self) -> Vec<Process> {
        let raw = self.raw;
        let mut processes = Vec::new();
        for (id, process) in &raw.process {
            let path = Path::keys(["process", id]);
            for actor in self.actors_named(&process.who, &path.key("who")) {
                // What is switched off is checked all the same, and may be switched on by an extension.
                let compiled = self.process(id, process, actor, &path);
                if process.enabled {
                    processes.push(compiled);
                }
            }
        }
        processes
    }

    fn process(&mut self, id: &str, raw: &RawProcess, actor: u32, path: &Path) -> Process {
        let scope = Scope::process(actor);
        let hazard = self.hazard(raw, &path.key("hazard"), &scope);
        let chooser = Chooser {
            actor,
            kind: "process",
            id,
            scope,
        };
        let (options, options_path) = if raw.option.is_empty() {
            if raw.action.is_none() {
                self.problems.error_with_help(
                    path,
                    format!("the process `{id}` leads to nothing"),
                    "add `action = \"...\"`, or options with `[[process.NAME.option]]`",
                );
            }
            (vec![own_option(id, raw)], None)
        } else {
            let own = [
                ("action", raw.action.is_some()),
                ("target", raw.target.is_some()),
                ("place", raw.place.is_some()),
                ("claimant", raw.claimant.is_some()),
                ("sponsor", raw.sponsor.is_some()),
            ];
            for (key, _) in own.into_iter().filter(|(_, given)| *given) {
                self.problems.error(
                    &path.key(key),
                    format!(
                        "a process with options has no `{key}` of its own: move it into an option"
                    ),
                );
            }
            (raw.option.clone(), Some(path.key("option")))
        };
        let choice = self.choice(
            &chooser,
            &options,
            &raw.rationality,
            path,
            options_path.as_ref(),
        );
        let reads = hazard.program.reads();
        let actor_id = self.names.actor_id(actor).to_owned();
        Process {
            id: id.to_owned(),
            label: label(&raw.label, id),
            actor,
            reads: reads.stocks,
            uses_time: reads.time,
            hazard,
            choice,
            wait_stream: self.stream(&["process", id, &actor_id, "wait"]),
        }
    }

    /// The hazard per day.
    fn hazard(&mut self, raw: &RawProcess, path: &Path, scope: &Scope) -> Formula {
        let hazard = self.unchecked_hazard(raw, path, scope);
        self.refuse_found_stocks(&hazard, path, "a hazard");
        hazard
    }

    fn unchecked_hazard(&mut self, raw: &RawProcess, path: &Path, scope: &Scope) -> Formula {
        let limits = 0.0..=f64::INFINITY;
        let days = raw.per.days();
        let text = match &raw.hazard {
            Expression::Number(number) => {
                return self.limited(&Expression::Number(number / days), path, scope, limits);
            }
            Expression::Formula(_) if raw.per == Per::Day => {
                return self.limited(&raw.hazard, path, scope, limits);
            }
            Expression::Formula(text) => text,
        };
        let program = match parse_formula(text) {
            Ok(expr) => self.compiled(&divided(expr, days), path, scope, Type::Number),
            Err(error) => {
                self.problems
                    .in_formula(path, error.span, error.message, error.help);
                Program::constant(0.0)
            }
        };
        let formula = self.placed(program, path);
        self.check_limits(&formula, path, limits);
        formula
    }

    /// The rules, each with the id under which it was declared.
    pub(super) fn rules(&mut self) -> Vec<(String, Rule)> {
        let raw = self.raw;
        let mut rules = Vec::new();
        for (id, rule) in &raw.rule {
            let path = Path::keys(["rule", id]);
            for (index, action) in rule.on.names().iter().enumerate() {
                let path = match &rule.on {
                    crate::scenario::raw::OneOrMany::One(_) => path.key("on"),
                    crate::scenario::raw::OneOrMany::Many(_) => path.key("on").index(index),
                };
                self.names.action(raw, action, &path, &mut self.problems);
            }
            for actor in self.actors_named(&rule.who, &path.key("who")) {
                let compiled = self.rule(id, rule, actor, &path);
                if rule.enabled {
                    rules.push((id.clone(), compiled));
                }
            }
        }
        rules
    }

    /// Indices of the actions that a rule answers.
    pub(super) fn answered(&self, rule: &str) -> Vec<u32> {
        let Some(rule) = self.raw.rule.get(rule) else {
            return Vec::new();
        };
        let actions = rule.on.names().iter();
        let mut indices: Vec<u32> = actions
            .filter_map(|id| self.raw.action.get_index_of(id))
            .map(|index| index as u32)
            .collect();
        indices.sort_unstable();
        indices.dedup();
        indices
    }

    fn rule(&mut self, id: &str, raw: &RawRule, actor: u32, path: &Path) -> Rule {
        let scope = Scope::rule(actor);
        let standings = raw.standing.list();
        if standings.is_empty() {
            self.problems.error(
                &path.key("as"),
                "the rule lists no role in which events reach the actor",
            );
        }
        let standings = (standings.iter().map(|&s| standing(s)))
            .fold(StandingSet::default(), StandingSet::with);
        if raw.option.is_empty() {
            self.problems
                .error(path, format!("the rule `{id}` has no options"));
        }
        let cooldown = raw.cooldown.as_ref().map(|cooldown| {
            self.number(
                cooldown,
                &path.key("cooldown"),
                &Scope::parameters("a cooldown"),
            )
        });
        let chooser = Chooser {
            actor,
            kind: "rule",
            id,
            scope,
        };
        Rule {
            id: id.to_owned(),
            label: label(&raw.label, id),
            actor,
            standings,
            outcome: raw.outcome,
            when: self.guard(&raw.when, &path.key("when"), &scope),
            if_pending: raw.if_pending,
            cooldown,
            choice: self.choice(
                &chooser,
                &raw.option,
                &raw.rationality,
                path,
                Some(&path.key("option")),
            ),
        }
    }

    fn choice(
        &mut self,
        chooser: &Chooser<'_>,
        options: &[RawOption],
        rationality: &Option<Expression>,
        path: &Path,
        options_path: Option<&Path>,
    ) -> Choice {
        let option_path = |index: usize| options_path.map_or(path.clone(), |p| p.index(index));
        let enabled = || {
            options
                .iter()
                .enumerate()
                .filter(|(_, option)| option.enabled)
        };
        let by = self.choice_by(options, path, option_path);
        let mut courses = Vec::new();
        for (index, option) in enabled() {
            let path = option_path(index);
            courses.push(self.course(chooser, option, &path));
        }
        let rationality = (rationality.as_ref())
            .map(|r| self.number(r, &path.key("rationality"), &chooser.scope));
        let actor = self.names.actor_id(chooser.actor).to_owned();
        let draws_details = courses.iter().any(|course| {
            course.deed.as_ref().is_some_and(|deed| {
                let drawn = |selector: &Option<Selector>| {
                    matches!(
                        selector,
                        Some(Selector::Among {
                            preference: Preference::Weight(_),
                            ..
                        })
                    )
                };
                let delay_drawn = matches!(
                    deed.delay,
                    Some(Quantity::Drawn { .. } | Quantity::Discrete { .. })
                );
                drawn(&deed.target) || drawn(&deed.place) || delay_drawn
            })
        });
        Choice {
            by,
            rationality,
            courses,
            choice_stream: self.stream(&[chooser.kind, chooser.id, &actor, "choice"]),
            detail_stream: self.stream(&[chooser.kind, chooser.id, &actor, "details"]),
            draws_details,
        }
    }

    /// How the options are weighed, with reports of those that do not fit together.
    fn choice_by(
        &mut self,
        options: &[RawOption],
        path: &Path,
        option_path: impl Fn(usize) -> Path,
    ) -> ChoiceBy {
        let enabled: Vec<(usize, &RawOption)> = options
            .iter()
            .enumerate()
            .filter(|(_, o)| o.enabled)
            .collect();
        let with_score = enabled.iter().filter(|(_, o)| o.score.is_some()).count();
        let with_probability = enabled
            .iter()
            .filter(|(_, o)| o.probability.is_some())
            .count();
        for &(index, option) in &enabled {
            if option.probability.is_some() && with_score > 0 {
                self.problems.error(
                    &option_path(index).key("probability"),
                    "the options of one choice have either scores or probabilities, not both",
                );
            }
        }
        if with_probability > 0 {
            let rest = enabled.iter().filter(|(_, o)| o.probability.is_none());
            for (index, _) in rest.skip(1) {
                self.problems.error(
                    &option_path(*index),
                    "only one option may go without a probability: it takes what the others leave",
                );
            }
            return ChoiceBy::Probability;
        }
        match enabled.as_slice() {
            [(_, only)] if only.when.is_none() => ChoiceBy::Only,
            [_, _, ..] if with_score == 0 => {
                self.problems.error_with_help(
                    path,
                    "nothing says how to choose among these options",
                    "give them a `score` each, or a `probability`",
                );
                ChoiceBy::Score
            }
            _ => ChoiceBy::Score,
        }
    }

    fn course(&mut self, chooser: &Chooser<'_>, raw: &RawOption, path: &Path) -> Course {
        let scope = &chooser.scope;
        let preference = [("score", &raw.score), ("probability", &raw.probability)]
            .into_iter()
            .find_map(|(key, value)| Some((key, value.as_ref()?)))
            .map(|(key, value)| match key {
                "probability" => self.limited(value, &path.key(key), scope, 0.0..=1.0),
                _ => self.number(value, &path.key(key), scope),
            });
        Course {
            id: raw.id.clone(),
            label: label(&raw.label, &raw.id),
            stance: raw.stance,
            when: self.guard(&raw.when, &path.key("when"), scope),
            preference,
            deed: self.deed(chooser, raw, path),
        }
    }

    fn deed(&mut self, chooser: &Chooser<'_>, raw: &RawOption, path: &Path) -> Option<Deed> {
        let scope = &chooser.scope;
        let Some(action) = &raw.action else {
            let needless = [
                ("target", raw.target.is_some()),
                ("place", raw.place.is_some()),
                ("claimant", raw.claimant.is_some()),
                ("sponsor", raw.sponsor.is_some()),
                ("delay", raw.delay.is_some()),
                ("still", raw.still.is_some()),
            ];
            for (key, _) in needless.into_iter().filter(|(_, given)| *given) {
                self.problems.error(
                    &path.key(key),
                    format!(
                        "an option without an `action` does nothing, so `{key}` has no meaning"
                    ),
                );
            }
            return None;
        };
        let action = self
            .names
            .action(self.raw, action, &path.key("action"), &mut self.problems);
        let target = (raw.target.as_ref())
            .map(|t| self.selector(chooser, t, &path.key("target"), CandidateKind::Actor));
        let place = (raw.place.as_ref())
            .map(|p| self.selector(chooser, p, &path.key("place"), CandidateKind::Place));
        let mut who = |key: &str, name: &Option<String>| {
            let name = name.as_ref()?;
            Some(self.text(name, &path.key(key), scope, Type::Actor))
        };
        let claimant = who("claimant", &raw.claimant);
        let sponsor = who("sponsor", &raw.sponsor);
        let delay = (raw.delay.as_ref()).map(|d| self.quantity(d, &path.key("delay"), scope));
        Some(Deed {
            action: action?,
            target,
            place,
            claimant,
            sponsor,
            delay,
            still: self.guard(&raw.still, &path.key("still"), scope),
            done: None,
        })
    }

    fn selector(
        &mut self,
        chooser: &Chooser<'_>,
        raw: &RawSelector,
        path: &Path,
        kind: CandidateKind,
    ) -> Selector {
        let among = match raw {
            RawSelector::Named(text) => {
                let expected = match kind {
                    CandidateKind::Actor => Type::Actor,
                    CandidateKind::Place => Type::Place,
                };
                return Selector::Formula(self.text(text, path, &chooser.scope, expected));
            }
            RawSelector::Among(among) => among,
        };
        let scope = chooser.scope.with_candidate(kind);
        let members = self.members(among, chooser.actor, &path.key("among"), kind);
        let preference = match (&among.weight, &among.most) {
            (Some(weight), None) => {
                Preference::Weight(self.number(weight, &path.key("weight"), &scope))
            }
            (None, Some(most)) => Preference::Most(self.number(most, &path.key("most"), &scope)),
            _ => {
                self.problems.error_with_help(
                    path,
                    "a choice among several needs either `weight` or `most`",
                    "`weight = 1` draws any of them with the same probability",
                );
                let none = Expression::Number(0.0);
                Preference::Weight(self.number(&none, path, &scope))
            }
        };
        Selector::Among {
            members,
            preference,
            when: self.guard(&among.when, &path.key("when"), &scope),
        }
    }

    /// The members of a set, or those who stand in a relation to a known actor.
    fn members(
        &mut self,
        raw: &RawAmong,
        actor: u32,
        path: &Path,
        kind: CandidateKind,
    ) -> Vec<u32> {
        let wanted = match kind {
            CandidateKind::Actor => "set of actors",
            CandidateKind::Place => "set of places",
        };
        let expr = match parse_formula(&raw.among) {
            Ok(expr) => expr,
            Err(error) => {
                self.problems
                    .in_formula(path, error.span, error.message, error.help);
                return Vec::new();
            }
        };
        match &expr.kind {
            ExprKind::Name(name) => match (self.names.set(name), kind) {
                (Some(Members::Actors(list)), CandidateKind::Actor)
                | (Some(Members::Places(list)), CandidateKind::Place) => return list.to_vec(),
                (Some(_), _) => self
                    .problems
                    .error(path, format!("`{name}` is not a {wanted}")),
                (None, _) => {
                    let known: Vec<&str> = self.names.sets.keys().copied().collect();
                    self.problems.unknown(path, wanted, name, known.iter());
                }
            },
            ExprKind::Call {
                function,
                arguments,
            } if kind == CandidateKind::Actor => {
                let relation = match function.text.as_str() {
                    "rivals" => Some(Relation::Rivals),
                    "allies" => Some(Relation::Allies),
                    "clients" => Some(Relation::Clients),
                    _ => None,
                };
                let of = match arguments.as_slice() {
                    [argument] => match &argument.kind {
                        ExprKind::Name(name) if name == "self" => Some(actor),
                        ExprKind::Name(name) => self.names.actor(name),
                        _ => None,
                    },
                    _ => None,
                };
                match (relation, of) {
                    (Some(relation), Some(of)) => {
                        return self.names.relation(relation, of).to_vec();
                    }
                    _ => self.problems.error(
                        path,
                        format!("`{}` is not a set: write a set, or rivals(x), allies(x) or clients(x) with x = self or an actor", raw.among),
                    ),
                }
            }
            _ => self
                .problems
                .error(path, format!("`{}` is not a {wanted}", raw.among)),
        }
        Vec::new()
    }

    /// The actor of that name, or the members of the set of that name.
    fn actors_named(&mut self, name: &str, path: &Path) -> Vec<u32> {
        match (self.names.actor(name), self.names.set(name)) {
            (Some(actor), _) => vec![actor],
            (None, Some(Members::Actors(members))) => members.to_vec(),
            _ => {
                let known = self.names.actor_names();
                self.problems
                    .unknown(path, "actor or set of actors", name, known);
                // Somebody stands in, so that the rest is checked as well.
                (0..self.names.actors.len().min(1) as u32).collect()
            }
        }
    }
}

fn divided(dividend: Expr, divisor: f64) -> Expr {
    let span = dividend.span.clone();
    let divisor = Expr {
        kind: ExprKind::Number(divisor),
        span: span.clone(),
    };
    Expr {
        kind: ExprKind::Chain {
            first: Box::new(dividend),
            rest: vec![(BinaryOp::Divide, divisor)],
        },
        span,
    }
}

/// The only option of a process that leads to one action.
fn own_option(id: &str, raw: &RawProcess) -> RawOption {
    RawOption {
        id: id.to_owned(),
        label: raw.label.clone(),
        stance: None,
        when: None,
        score: None,
        probability: None,
        action: raw.action.clone(),
        target: raw.target.clone(),
        place: raw.place.clone(),
        claimant: raw.claimant.clone(),
        sponsor: raw.sponsor.clone(),
        delay: None,
        still: None,
        enabled: true,
        note: None,
    }
}

fn standing(raw: Standing) -> StandingSet {
    match raw {
        Standing::Target => StandingSet::TARGET,
        Standing::Host => StandingSet::HOST,
        Standing::Patron => StandingSet::PATRON,
        Standing::Ally => StandingSet::ALLY,
        Standing::Rival => StandingSet::RIVAL,
        Standing::Perpetrator => StandingSet::PERPETRATOR,
        Standing::Claimant => StandingSet::CLAIMANT,
        Standing::Onlooker => StandingSet::ONLOOKER,
        Standing::Any => StandingSet::ANY,
    }
}
