//! Actions: severity, attribution, effects, moves on the ladder.

use super::{Compiler, label};
use crate::formula::{Scope, Type, parse_statement};
use crate::model::{Action, Claim, Effect, Formula, RungMove, RungShift, Suspect};
use crate::scenario::raw::RawRungMove;
use crate::scenario::tree::Path;

impl Compiler<'_> {
    pub(super) fn actions(&mut self) -> Vec<Action> {
        let raw = self.raw;
        let mut actions = Vec::new();
        for (id, action) in &raw.action {
            let path = Path::keys(["action", id]);
            let scope = Scope::effects();
            let killed = (action.killed.as_ref())
                .map(|killed| self.quantity(killed, &path.key("killed"), &scope));
            let foiled = (action.foiled.as_ref())
                .map(|foiled| self.limited(foiled, &path.key("foiled"), &scope, 0.0..=1.0));
            let claim = action.claim.as_ref().map(|claim| {
                let path = path.key("claim");
                let chance = claim.probability.as_ref();
                Claim {
                    by: self.text(&claim.by, &path.key("by"), &scope, Type::Actor),
                    probability: chance
                        .map(|p| self.limited(p, &path.key("probability"), &scope, 0.0..=1.0)),
                }
            });
            let mut rung_moves = Vec::new();
            for (index, step) in action.rung.iter().enumerate() {
                rung_moves.extend(self.rung_move(step, &path.key("rung").index(index)));
            }
            let mut suspects = Vec::new();
            for (index, suspect) in action.suspect.iter().enumerate() {
                let path = path.key("suspect").index(index);
                let scope = Scope::suspect();
                suspects.push(Suspect {
                    who: self.text(&suspect.who, &path.key("who"), &scope, Type::Actor),
                    weight: self.limited(
                        &suspect.weight,
                        &path.key("weight"),
                        &scope,
                        0.0..=f64::INFINITY,
                    ),
                });
            }
            if action.foiled.is_none() && !action.foiled_effects.is_empty() {
                self.problems.error_with_help(
                    &path.key("foiled_effects"),
                    "this action has effects when foiled, but no probability of being foiled",
                    "add `foiled = ...`, or drop `foiled_effects`",
                );
            }
            actions.push(Action {
                id: id.clone(),
                label: label(&action.label, id),
                verb: label(&action.verb, id),
                killed,
                foiled,
                claim,
                goldstein: action.goldstein.unwrap_or(0.0),
                rung_moves,
                suspects,
                effects: self.effects(&action.effects, &path.key("effects"), &scope),
                foiled_effects: self.effects(
                    &action.foiled_effects,
                    &path.key("foiled_effects"),
                    &scope,
                ),
                rules: Vec::new(),
                metrics: Vec::new(),
                outcome_stream: self.stream_for_each_actor(&["action", id, "outcome"]),
                belief_stream: self.stream_for_each_actor(&["action", id, "belief"]),
            });
        }
        actions
    }

    fn rung_move(&mut self, raw: &RawRungMove, path: &Path) -> Option<RungMove> {
        let scope = Scope::effects();
        let mut who = |index: usize| -> Formula {
            let path = path.key("between").index(index);
            self.text(&raw.between[index], &path, &scope, Type::Actor)
        };
        let between = [who(0), who(1)];
        let when = self.guard(&raw.when, &path.key("when"), &scope);
        let shift = match (&raw.at_least, &raw.at_most, raw.step) {
            (Some(rung), None, None) => RungShift::AtLeast(self.rung(rung, &path.key("at_least"))?),
            (None, Some(rung), None) => RungShift::AtMost(self.rung(rung, &path.key("at_most"))?),
            (None, None, Some(step)) => RungShift::Step(step),
            _ => {
                self.problems.error(
                    path,
                    "a move on the ladder has exactly one of `at_least`, `at_most` and `step`",
                );
                return None;
            }
        };
        if self.raw.ladder.rung.is_empty() {
            self.problems.error(
                path,
                "this action moves a pair on the ladder, but the scenario has no ladder",
            );
        }
        Some(RungMove {
            between,
            shift,
            when,
        })
    }

    pub(super) fn rung(&mut self, id: &str, path: &Path) -> Option<u16> {
        let found = self.names.rungs.get_index_of(id);
        if found.is_none() {
            let known = self.names.rungs.iter();
            self.problems.unknown(path, "rung", id, known);
        }
        found.and_then(|index| u16::try_from(index).ok())
    }

    /// Statements on stocks, in order.
    pub(super) fn effects(
        &mut self,
        statements: &[String],
        path: &Path,
        scope: &Scope,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (index, text) in statements.iter().enumerate() {
            let path = path.index(index);
            let statement = match parse_statement(text) {
                Ok(statement) => statement,
                Err(error) => {
                    self.problems
                        .in_formula(&path, error.span, error.message, error.help);
                    continue;
                }
            };
            let target = match crate::formula::compile_target(&statement.place, &self.names, scope)
            {
                Ok(target) => target,
                Err(errors) => {
                    self.report(errors, &path);
                    continue;
                }
            };
            let value = self.compiled(&statement.value, &path, scope, Type::Number);
            let value = self.placed(value, &path);
            let condition = statement.condition.as_ref().map(|condition| {
                let program = self.compiled(condition, &path, scope, Type::Truth);
                self.placed(program, &path)
            });
            effects.push(Effect {
                of_role: None,
                target,
                operation: statement.op,
                value,
                condition,
            });
        }
        effects
    }
}
