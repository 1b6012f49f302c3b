//! Named formulas: compiled anew wherever their name stands, with the scope of that place.

use super::ast::{Expr, Name, Span};
use super::compile::{Compiler, Type, Variable, Within};

/// The named formulas that are being compiled, each inside another.
#[derive(Default)]
pub(super) struct Calls {
    stack: Vec<Call>,
    /// The one to whose text the expression at hand belongs; `None` in the text that is compiled itself.
    current: Option<usize>,
}

struct Call {
    definition: u32,
    /// What the formula takes, with the expressions that were given.
    arguments: Vec<(String, Expr)>,
    /// The call whose text names this one.
    caller: Option<usize>,
    /// How many variables of aggregates there were: the formula sees only later ones.
    variables: usize,
    used_at: Span,
}

impl Calls {
    fn current(&self) -> Option<&Call> {
        self.current.map(|index| &self.stack[index])
    }

    pub(super) fn within(&self) -> Option<Within> {
        self.current().map(|call| Within {
            definition: call.definition,
            used_at: call.used_at.clone(),
        })
    }

    /// What the values given to the formula at hand are called.
    pub(super) fn argument_names(&self) -> impl Iterator<Item = &str> {
        let arguments = self.current().map(|call| call.arguments.iter());
        arguments
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
    }

    /// Whether the expression at hand belongs to a formula that is made of this one.
    fn inside(&self, definition: u32) -> bool {
        let mut at = self.current;
        while let Some(index) = at {
            if self.stack[index].definition == definition {
                return true;
            }
            at = self.stack[index].caller;
        }
        false
    }
}

impl Compiler<'_> {
    /// The variables of aggregates that the expression at hand can see.
    pub(super) fn variables(&self) -> &[Variable] {
        let hidden = self.calls.current().map_or(0, |call| call.variables);
        &self.variables[hidden..]
    }

    /// The expression that a named formula was given under this name.
    pub(super) fn argument(&self, name: &str) -> Option<Expr> {
        let arguments = &self.calls.current()?.arguments;
        let found = arguments.iter().find(|(argument, _)| argument == name);
        found.map(|(_, expr)| expr.clone())
    }

    /// Compiles an argument where it was written: in the text, and with the variables, of the caller.
    pub(super) fn in_caller<T>(&mut self, compile: impl FnOnce(&mut Self) -> T) -> T {
        let inner = self.calls.current;
        let Some(call) = self.calls.current() else {
            return compile(self);
        };
        let later = self.variables.split_off(call.variables);
        self.calls.current = call.caller;
        let result = compile(self);
        self.calls.current = inner;
        self.variables.extend(later);
        result
    }

    /// Compiles a named formula in place of its name.
    pub(super) fn named_formula(
        &mut self,
        name: &Name,
        arguments: &[Expr],
        span: &Span,
    ) -> Option<Type> {
        let symbols = self.symbols;
        let Some(definition) = symbols.definition(&name.text) else {
            return self.unknown_function(name);
        };
        let takes = definition.takes;
        if takes.len() != arguments.len() {
            let f = &name.text;
            let help = match takes {
                [] => format!("write `{f}`"),
                takes => format!("write `{f}({})`", takes.join(", ")),
            };
            let (count, s) = match takes.len() {
                0 => ("no".to_owned(), "s"),
                1 => ("1".to_owned(), ""),
                n => (n.to_string(), "s"),
            };
            let message = format!(
                "the formula `{f}` takes {count} value{s}, not {}",
                arguments.len()
            );
            return self.error(span, message, Some(help));
        }
        if self.calls.inside(definition.index) {
            let message = format!(
                "the formula `{}` is made of itself, through others or directly",
                name.text
            );
            return self.error(span, message, None);
        }
        let body = definition.body?;
        let used_at = match self.calls.current() {
            Some(call) => call.used_at.clone(),
            None => span.clone(),
        };
        self.calls.stack.push(Call {
            definition: definition.index,
            arguments: takes
                .iter()
                .cloned()
                .zip(arguments.iter().cloned())
                .collect(),
            caller: self.calls.current,
            variables: self.variables.len(),
            used_at,
        });
        let caller = self.calls.current;
        self.calls.current = Some(self.calls.stack.len() - 1);
        let found = self.expr(body);
        self.calls.stack.pop();
        self.calls.current = caller;
        found
    }
}
