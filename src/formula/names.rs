//! Names, stocks and rungs; and what to say about those that do not fit.

use super::ast::{Expr, ExprKind, Name, Span};
use super::compile::{Compiler, Type};
use super::program::{Field, Op, index};
use super::scope::{CandidateKind, Role};
use super::symbols::{StockOf, StockShape};

const FUNCTIONS: [&str; 15] = [
    "abs", "clamp", "count", "exp", "floor", "host", "is_ally", "is_rival", "ln", "logistic",
    "max", "mean", "min", "patron", "sqrt",
];

/// Whether the language has a function of that name, over values or over sets, or a relation that is a set.
pub fn is_function(name: &str) -> bool {
    FUNCTIONS.contains(&name) || ["sum", "rivals", "allies", "clients"].contains(&name)
}

/// Where a stock reference leads.
pub(super) enum Located {
    Slot(u32),
    /// The stock does not exist there and reads this value.
    Elsewhere(f64),
    /// Known only when the formula runs. The code of the actor, and from the offset `column` on that of the second actor or the
    /// place, has been emitted.
    Dynamic {
        stock: u32,
        column: Option<usize>,
    },
}

impl Compiler<'_> {
    pub(super) fn name(&mut self, name: &str, span: &Span) -> Option<Type> {
        if let Some(variable) = self.variables().iter().rev().find(|v| v.name == name) {
            let (value, kind) = (variable.value, variable.kind);
            return Some(self.constant(value, kind));
        }
        if let Some(argument) = self.argument(name) {
            return self.in_caller(|compiler| compiler.expr(&argument));
        }
        if let Some(role) = Role::named(name) {
            return self.role(role, span);
        }
        if name == "time" {
            self.visible(self.scope.time, "time", span)?;
            self.ops.push(Op::Time);
        } else if let Some(parameter) = self.symbols.parameter(name) {
            self.ops.push(Op::Parameter(parameter));
        } else if let Some(metric) = self.symbols.metric(name) {
            self.visible(self.scope.metrics, "metrics", span)?;
            self.ops.push(Op::Metric(metric));
        } else if let Some(actor) = self.symbols.actor(name) {
            return Some(self.constant(f64::from(actor), Type::Actor));
        } else if let Some(place) = self.symbols.place(name) {
            return Some(self.constant(f64::from(place), Type::Place));
        } else if self.symbols.definition(name).is_some() {
            let function = Name {
                text: name.to_owned(),
                span: span.clone(),
            };
            return self.named_formula(&function, &[], span);
        } else {
            return self.unknown_name(name, span);
        }
        Some(Type::Number)
    }

    fn role(&mut self, role: Role, span: &Span) -> Option<Type> {
        if !self.scope.sees(role) {
            let subject = self.scope.subject;
            let truth_hidden =
                matches!(role, Role::Perpetrator | Role::Sponsor) && self.scope.sees(Role::Blamed);
            let message = if truth_hidden {
                format!("{subject} cannot see the true {}", role.name())
            } else {
                format!("{subject} has no `{}`", role.name())
            };
            return self.error(span, message, Some(self.scope.instead_of(role)));
        }
        let place = role == Role::Place
            || (role == Role::Candidate && self.scope.candidate == CandidateKind::Place);
        let kind = if place { Type::Place } else { Type::Actor };
        let fixed = self.scope.fixed_self.filter(|_| role == Role::SelfActor);
        self.ops.push(match fixed {
            Some(known) => Op::Constant(f64::from(known)),
            None => Op::Role(role),
        });
        Some(kind)
    }

    /// Reports a kind of name that the scope does not see.
    fn visible(&mut self, visible: bool, what: &str, span: &Span) -> Option<()> {
        if visible {
            return Some(());
        }
        let scope = self.scope;
        let mut seen = vec!["parameters"];
        let kinds = [
            (scope.metrics, "metrics"),
            (scope.stocks, "stocks"),
            (scope.rungs, "rungs"),
            (scope.time, "time"),
            (scope.event, "`event.*`"),
        ];
        seen.extend(
            kinds
                .iter()
                .filter(|(sees, _)| *sees)
                .map(|(_, name)| *name),
        );
        self.error(
            span,
            format!("{} cannot see {what}", scope.subject),
            Some(format!("it sees {}", seen.join(", "))),
        )
    }

    /// `event.*`, `rungs.*`, `rung[a, b]`, or the value of a stock.
    pub(super) fn reference(&mut self, expr: &Expr) -> Option<Type> {
        match &expr.kind {
            ExprKind::Attribute { base, name } if is_name(base, "event") => {
                return self.field(name, &expr.span);
            }
            ExprKind::Attribute { base, name } if is_name(base, "rungs") => {
                let Some(rung) = self.symbols.rung_index(&name.text) else {
                    let valid = |c: &str| self.symbols.rung_index(c).is_some();
                    let help = self.suggest(&name.text, &[], valid);
                    let message = format!("the ladder has no rung `{}`", name.text);
                    return self.error(&name.span, message, help);
                };
                return Some(self.constant(f64::from(rung), Type::Number));
            }
            ExprKind::Index { base, indices } if is_name(base, "rung") => {
                return self.rung(indices, &expr.span);
            }
            _ => {}
        }
        match self.locate(expr)? {
            Located::Slot(slot) => self.ops.push(Op::Stock(slot)),
            Located::Elsewhere(value) => self.ops.push(Op::Constant(value)),
            Located::Dynamic { stock, column } => self.ops.push(match column {
                Some(_) => Op::GridStock(stock),
                None => Op::ActorStock(stock),
            }),
        }
        Some(Type::Number)
    }

    fn field(&mut self, name: &Name, span: &Span) -> Option<Type> {
        let (field, kind) = match name.text.as_str() {
            "killed" => (Field::Killed, Type::Number),
            "foiled" => (Field::Foiled, Type::Truth),
            "goldstein" => (Field::Goldstein, Type::Number),
            other => {
                let help = "an event has `killed`, `foiled` and `goldstein`".to_owned();
                return self.error(&name.span, format!("an event has no `{other}`"), Some(help));
            }
        };
        self.visible(self.scope.event, "`event.*`", span)?;
        self.ops.push(Op::Field(field));
        Some(kind)
    }

    fn rung(&mut self, indices: &[Expr], span: &Span) -> Option<Type> {
        self.visible(self.scope.rungs, "rungs", span)?;
        let [a, b] = indices else {
            let help = "write `rung[a, b]`".to_owned();
            return self.error(span, "a rung belongs to two actors", Some(help));
        };
        let start = self.ops.len();
        let first = self.want(a, Type::Actor);
        let middle = self.ops.len();
        self.want(b, Type::Actor).and(first)?;
        let (first, second) = match (&self.ops[start..middle], self.known(middle)) {
            ([Op::Constant(first)], Some(second)) => (*first, second),
            _ => {
                self.ops.push(Op::RungBetween);
                return Some(Type::Number);
            }
        };
        self.ops.truncate(start);
        match (index(first), index(second)) {
            (Some(first), Some(second)) if first != second => {
                let pair = self.symbols.pair_slot(first, second);
                self.ops.push(Op::Rung(pair));
            }
            (Some(_), Some(_)) if self.is_named(a) && self.is_named(b) => {
                return self.error(span, "an actor stands on no rung with itself", None);
            }
            // As at run time: no relation, the lowest rung.
            _ => self.ops.push(Op::Constant(0.0)),
        }
        Some(Type::Number)
    }

    /// The left side of a statement.
    pub(super) fn target(&mut self, expr: &Expr) -> Option<Located> {
        match &expr.kind {
            ExprKind::Index { base, .. } if is_name(base, "rung") => self.error(
                &expr.span,
                "a statement cannot set a rung",
                Some("rungs move by the `rung` tables of an action".to_owned()),
            ),
            ExprKind::Attribute { base, .. }
                if is_name(base, "event") || is_name(base, "rungs") =>
            {
                self.error(&expr.span, "a statement can only change a stock", None)
            }
            ExprKind::Attribute { .. } | ExprKind::Index { .. } => self.locate(expr),
            _ => {
                let help = "write `actor.stock`, `actor.stock[b]` or `world.stock` on the left";
                let message = "a statement can only change a stock";
                self.error(&expr.span, message, Some(help.to_owned()))
            }
        }
    }

    /// `world.stock`, `actor.stock`, `actor.stock[actor]` or `actor.stock[place]`.
    fn locate(&mut self, expr: &Expr) -> Option<Located> {
        let (attribute, column) = match &expr.kind {
            ExprKind::Index { base, indices } => match indices.as_slice() {
                [column] => (&**base, Some(column)),
                _ => {
                    let message = "a stock takes one actor or place in its brackets";
                    return self.error(&expr.span, message, None);
                }
            },
            _ => (expr, None),
        };
        let ExprKind::Attribute { base, name } = &attribute.kind else {
            let help = Some("write `actor.stock[...]` or `rung[a, b]`".to_owned());
            return self.error(&expr.span, "only stocks and `rung` have brackets", help);
        };
        let world = is_name(base, "world");
        let start = self.ops.len();
        let owner = if world {
            Some(())
        } else {
            match self.expr(base) {
                Some(Type::Actor) => Some(()),
                Some(kind) => self.error(
                    &base.span,
                    format!("stocks belong to actors; this is {}", kind.noun()),
                    (kind == Type::Place)
                        .then(|| "of an actor in a place, write `actor.stock[place]`".to_owned()),
                ),
                None => None,
            }
        };
        let middle = self.ops.len();
        let found = match column {
            Some(column) => Some(self.expr(column)?),
            None => None,
        };
        let symbols = self.symbols;
        let Some(shape) = symbols.stock(&name.text) else {
            let help = self.suggest(&name.text, &[], |c| symbols.stock(c).is_some());
            return self.error(
                &name.span,
                format!("there is no stock `{}`", name.text),
                help,
            );
        };
        self.visible(self.scope.stocks, "stocks", &expr.span)?;
        owner?;
        let given = match (world, found) {
            (true, None) => Some(StockOf::World),
            (false, None) => Some(StockOf::Actor),
            (false, Some(Type::Actor)) => Some(StockOf::Pair),
            (false, Some(Type::Place)) => Some(StockOf::Presence),
            _ => None,
        };
        if given != Some(shape.of) {
            let n = &name.text;
            let (of, written) = match shape.of {
                StockOf::World => ("the world", format!("world.{n}")),
                StockOf::Actor => ("an actor", format!("actor.{n}")),
                StockOf::Pair => ("a pair of actors", format!("actor.{n}[actor]")),
                StockOf::Presence => ("an actor in a place", format!("actor.{n}[place]")),
            };
            return self.error(
                &expr.span,
                format!("`{n}` is a stock of {of}"),
                Some(format!("write `{written}`")),
            );
        }
        let row = match self.ops[start..middle] {
            [Op::Constant(row)] => Some(row),
            _ if world => Some(0.0),
            _ => None,
        };
        let known = match column {
            Some(_) => self.known(middle),
            None => Some(0.0),
        };
        let (Some(row), Some(known)) = (row, known) else {
            return Some(Located::Dynamic {
                stock: shape.id,
                column: column.map(|_| middle),
            });
        };
        self.ops.truncate(start);
        self.fixed(&shape, row, known, name, base, column)
    }

    fn fixed(
        &mut self,
        shape: &StockShape<'_>,
        row: f64,
        column: f64,
        name: &Name,
        base: &Expr,
        written: Option<&Expr>,
    ) -> Option<Located> {
        let slot = match (index(row), index(column)) {
            (Some(row), Some(column)) => shape.slot(row, column),
            _ => None,
        };
        if let Some(slot) = slot {
            return Some(Located::Slot(slot));
        }
        if self.is_named(base) && written.is_none_or(|column| self.is_named(column)) {
            let span = base.span.start..name.span.end;
            let message = format!("`{}` does not exist there", name.text);
            let help = "give it a value in the `initial` of the stock; only through a role does it read its `elsewhere`";
            return self.error(&span, message, Some(help.to_owned()));
        }
        Some(Located::Elsewhere(shape.elsewhere))
    }

    /// Whether an expression of an actor or place names it, and does not reach it by a role or the variable of an aggregate.
    fn is_named(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name(name) => {
                Role::named(name).is_none()
                    && self.variables().iter().all(|v| v.name != *name)
                    && self.argument(name).is_none()
                    && self.symbols.definition(name).is_none()
            }
            ExprKind::Call { arguments, .. } => arguments.iter().all(|a| self.is_named(a)),
            _ => false,
        }
    }

    fn unknown_name(&mut self, name: &str, span: &Span) -> Option<Type> {
        let symbols = self.symbols;
        let (message, help) = if symbols.set(name).is_some() {
            (
                format!("`{name}` is a set, not a value"),
                Some(format!(
                    "write `x in {name}`, or `sum(a.stock for a in {name})`"
                )),
            )
        } else if let Some(shape) = symbols.stock(name) {
            let owner = if shape.of == StockOf::World {
                "world"
            } else {
                "actor"
            };
            (
                format!("`{name}` is a stock: say whose"),
                Some(format!("write `{owner}.{name}`")),
            )
        } else if symbols.rung_index(name).is_some() {
            (
                format!("`{name}` is a rung of the ladder"),
                Some(format!("write `rungs.{name}` for its index")),
            )
        } else {
            let form = match name {
                "event" => Some("write `event.killed`, `event.foiled` or `event.goldstein`"),
                "world" => Some("write `world.stock`"),
                "rung" => Some("write `rung[a, b]`"),
                "rungs" => Some("write `rungs.name`"),
                _ => None,
            };
            match form {
                Some(form) => (
                    format!("`{name}` is no value by itself"),
                    Some(form.to_owned()),
                ),
                None => {
                    let scope = self.scope;
                    let mut more: Vec<&str> = Vec::new();
                    more.extend(self.variables().iter().map(|v| v.name.as_str()));
                    more.extend(self.calls.argument_names());
                    let roles = Role::ALL.into_iter().filter(|role| scope.sees(*role));
                    more.extend(roles.map(|role| role.name()));
                    more.extend(scope.time.then_some("time"));
                    let valid = |c: &str| {
                        symbols.parameter(c).is_some()
                            || symbols.actor(c).is_some()
                            || symbols.place(c).is_some()
                            || symbols.definition(c).is_some()
                            || (scope.metrics && symbols.metric(c).is_some())
                    };
                    (
                        format!("there is no `{name}`"),
                        self.suggest(name, &more, valid),
                    )
                }
            }
        };
        self.error(span, message, help)
    }

    pub(super) fn unknown_function(&mut self, function: &Name) -> Option<Type> {
        let help = match function.text.as_str() {
            "log" => Some("the natural logarithm is `ln`".to_owned()),
            "pow" => Some("write `x ^ y`".to_owned()),
            "rivals" | "allies" | "clients" => Some(format!(
                "it is a set: write `x in {0}(a)`, or `sum(x.stock for x in {0}(a))`",
                function.text
            )),
            "sum" | "mean" | "count" => {
                Some(format!("write `{}(... for a in set)`", function.text))
            }
            name => self.suggest(name, &FUNCTIONS, |c| self.symbols.definition(c).is_some()),
        };
        let message = match function.text.as_str() {
            known @ ("rivals" | "allies" | "clients") => format!("`{known}` is no value"),
            known @ ("sum" | "mean" | "count") => format!("`{known}` goes over a set"),
            name => format!("there is no function `{name}`"),
        };
        self.error(&function.span, message, help)
    }

    /// The name most like `name` among `more` and the names of the scenario that are `valid` here, if any is like it at all.
    pub(super) fn suggest(
        &self,
        name: &str,
        more: &[&str],
        valid: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let candidates = self.symbols.candidates();
        let names = candidates.iter().map(String::as_str).filter(|c| valid(c));
        let limit = (name.chars().count() / 3).max(1);
        names
            .chain(more.iter().copied())
            .map(|c| (strsim::damerau_levenshtein(name, c), c))
            .filter(|(distance, _)| *distance <= limit)
            .min()
            .map(|(_, c)| format!("did you mean `{c}`?"))
    }
}

pub(super) fn is_name(expr: &Expr, name: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(n) if n == name)
}
