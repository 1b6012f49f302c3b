//! Sets: membership, and aggregates unrolled over the members.

use super::ast::{Expr, ExprKind, Name};
use super::compile::{Compiler, NO_CONDITION, Type, Variable};
use super::parse::RESERVED;
use super::program::{Fold, Op, index, truth};
use super::symbols::{Members, Relation};
use super::total::NONE_LEFT_OUT;

/// The fewest stocks whose sum is taken pair by pair, so that it can be kept up to date.
const FEWEST_SUMMED: usize = 5;

/// A set as a formula writes it.
enum Set {
    Static(Type, Vec<u32>),
    /// Those who stand in a relation to the actor whose code has been emitted.
    Related(Relation),
}

impl Compiler<'_> {
    fn set(&mut self, expr: &Expr) -> Option<Set> {
        let symbols = self.symbols;
        match &expr.kind {
            ExprKind::Name(name) if self.argument(name).is_some() => {
                let argument = self.argument(name)?;
                self.in_caller(|compiler| compiler.set(&argument))
            }
            ExprKind::Name(name) => match symbols.set(name) {
                Some(Members::Actors(members)) => Some(Set::Static(Type::Actor, members.to_vec())),
                Some(Members::Places(members)) => Some(Set::Static(Type::Place, members.to_vec())),
                None => {
                    let help = self.suggest(name, &[], |c| symbols.set(c).is_some());
                    self.error(&expr.span, format!("there is no set `{name}`"), help)
                }
            },
            ExprKind::Call {
                function,
                arguments,
            } => {
                let relation = match function.text.as_str() {
                    "rivals" => Relation::Rivals,
                    "allies" => Relation::Allies,
                    "clients" => Relation::Clients,
                    _ => return self.not_a_set(expr),
                };
                let [owner] = arguments.as_slice() else {
                    let message = format!("`{}` takes one actor", function.text);
                    return self.error(&expr.span, message, None);
                };
                let start = self.ops.len();
                self.want(owner, Type::Actor)?;
                let Some(known) = self.known(start) else {
                    return Some(Set::Related(relation));
                };
                self.ops.truncate(start);
                let members =
                    index(known).map_or(&[][..], |actor| symbols.relation(relation, actor));
                Some(Set::Static(Type::Actor, members.to_vec()))
            }
            _ => self.not_a_set(expr),
        }
    }

    fn not_a_set<T>(&mut self, expr: &Expr) -> Option<T> {
        self.error(
            &expr.span,
            "expected a set",
            Some("name a set, or write `rivals(a)`, `allies(a)` or `clients(a)`".to_owned()),
        )
    }

    pub(super) fn membership(&mut self, item: &Expr, set: &Expr, negated: bool) -> Option<Type> {
        let found = self.set(set);
        let start = self.ops.len();
        let kind = self.expr(item);
        let (found, kind) = (found?, kind?);
        let expected = match &found {
            Set::Static(kind, _) => *kind,
            Set::Related(_) => Type::Actor,
        };
        if kind != expected {
            return self.error(
                &item.span,
                format!(
                    "this set has no {}: expected {}, found {}",
                    if kind == Type::Place {
                        "places"
                    } else {
                        "such members"
                    },
                    expected.noun(),
                    kind.noun()
                ),
                None,
            );
        }
        match found {
            Set::Related(relation) => self.emit(Op::Related(relation)),
            Set::Static(_, members) => match self.known(start) {
                Some(known) => {
                    let is_member = index(known).is_some_and(|x| members.contains(&x));
                    self.ops.truncate(start);
                    self.ops.push(Op::Constant(truth(is_member)));
                }
                None => {
                    let mut members = members;
                    members.sort_unstable();
                    members.dedup();
                    let (start, count) = self.pooled(&members);
                    self.ops.push(Op::Member { start, count });
                }
            },
        }
        if negated {
            self.emit(Op::Not);
        }
        Some(Type::Truth)
    }

    /// Copies a list into the pool; returns where it starts and its length.
    fn pooled(&mut self, list: &[u32]) -> (u32, u32) {
        let start = self.pool.len();
        self.pool.extend_from_slice(list);
        // Lists hold at most every actor, place or stock, and formulas at most `MAX_WORK` lists.
        (start as u32, list.len() as u32)
    }

    pub(super) fn aggregate(
        &mut self,
        function: &Name,
        body: &Expr,
        variable: &Name,
        set: &Expr,
        condition: Option<&Expr>,
    ) -> Option<Type> {
        let found = self.set(set);
        self.check_variable(variable)?;
        let (kind, members) = match found? {
            Set::Static(kind, members) => (kind, members),
            Set::Related(_) => {
                let help = "use the relations of a named actor or, in a rule or process, of `self`; or go over `actors` with `if is_rival(..., a)`";
                let message = "the members of this set are not known at load";
                return self.error(&set.span, message, Some(help.to_owned()));
            }
        };
        self.variables.push(Variable {
            name: variable.text.clone(),
            kind,
            value: -1.0,
        });
        let unrolled = Unroll {
            body,
            condition,
            members: &members,
        };
        let result = match function.text.as_str() {
            "sum" => self.sum(&unrolled).map(|_| ()),
            "mean" => self.mean(&unrolled, function, set),
            "max" => self.extremum(&unrolled, function, set, Op::Max),
            "min" => self.extremum(&unrolled, function, set, Op::Min),
            "count" => self.count(&unrolled, variable),
            name => {
                let help = Some("`sum`, `mean`, `max`, `min` and `count` go over a set".to_owned());
                self.error(
                    &function.span,
                    format!("`{name}` does not go over a set"),
                    help,
                )
            }
        };
        self.variables.pop();
        result.map(|()| Type::Number)
    }

    fn check_variable(&mut self, variable: &Name) -> Option<()> {
        let name = variable.text.as_str();
        let symbols = self.symbols;
        let taken = RESERVED.contains(&name)
            || self.variables().iter().any(|v| v.name == name)
            || self.argument(name).is_some()
            || symbols.definition(name).is_some()
            || symbols.parameter(name).is_some()
            || symbols.metric(name).is_some()
            || symbols.actor(name).is_some()
            || symbols.place(name).is_some()
            || symbols.set(name).is_some();
        if taken {
            let help = Some("choose a name for the variable that nothing else has".to_owned());
            return self.error(
                &variable.span,
                format!("`{name}` already means something"),
                help,
            );
        }
        Some(())
    }

    fn bind(&mut self, value: f64) {
        if let Some(variable) = self.variables.last_mut() {
            variable.value = value;
        }
    }

    /// Compiles the condition for the bound member. `Some(Some(_))`: it is known and has left no code.
    fn condition(&mut self, unroll: &Unroll<'_>) -> Option<Option<bool>> {
        let Some(condition) = unroll.condition else {
            return Some(Some(true));
        };
        let start = self.ops.len();
        self.want(condition, Type::Truth)?;
        let known = self.known(start);
        if known.is_some_and(f64::is_nan) {
            return self.error(&condition.span, NO_CONDITION, None);
        }
        if known.is_some() {
            self.ops.truncate(start);
        }
        Some(known.map(|value| value != 0.0))
    }

    /// Checks the body and the condition where no member would have them compiled.
    fn only_check(&mut self, unroll: &Unroll<'_>) -> Option<()> {
        let start = self.ops.len();
        self.bind(-1.0);
        let condition = self.condition(unroll);
        self.want(unroll.body, Type::Number)?;
        condition?;
        self.ops.truncate(start);
        Some(())
    }

    /// `((first + second) + third) ...`, with 0 for members whose condition does not hold when the formula runs. Returns how
    /// many members there are, or `None` in the inner option when that is only known then.
    fn sum(&mut self, unroll: &Unroll<'_>) -> Option<Option<usize>> {
        let start = self.ops.len();
        let mut terms = 0;
        let mut all_known = true;
        let mut left_out = Vec::new();
        for member in unroll.members {
            self.bind(f64::from(*member));
            let condition = self.condition(unroll)?;
            if condition == Some(false) {
                left_out.push((terms, self.stock_left_out(unroll)?));
                continue;
            }
            self.want(unroll.body, Type::Number)?;
            if condition.is_none() {
                all_known = false;
                self.ops.push(Op::Constant(0.0));
                self.ops.push(Op::Select);
            }
            terms += 1;
            if terms > 1 {
                self.emit(Op::Add);
            }
        }
        if terms == 0 {
            self.only_check(unroll)?;
            self.ops.push(Op::Constant(0.0));
        }
        self.gather(start, Op::Add, Fold::Sum, &left_out);
        Some(all_known.then_some(terms))
    }

    /// The stock that the body would read for a member that is left out, if it is a stock and nothing else.
    fn stock_left_out(&mut self, unroll: &Unroll<'_>) -> Option<Option<u32>> {
        if !matches!(
            unroll.body.kind,
            ExprKind::Attribute { .. } | ExprKind::Index { .. }
        ) {
            return Some(None);
        }
        let start = self.ops.len();
        self.want(unroll.body, Type::Number)?;
        let stock = match self.ops[start..] {
            [Op::Stock(slot)] => Some(slot),
            _ => None,
        };
        self.ops.truncate(start);
        Some(stock)
    }

    fn mean(&mut self, unroll: &Unroll<'_>, function: &Name, set: &Expr) -> Option<()> {
        match self.sum(unroll)? {
            Some(0) => self.empty(function, set),
            Some(count) => {
                self.ops.push(Op::Constant(count as f64));
                self.emit(Op::Divide);
                Some(())
            }
            None => self.perhaps_empty(function, unroll),
        }
    }

    fn extremum(&mut self, unroll: &Unroll<'_>, function: &Name, set: &Expr, op: Op) -> Option<()> {
        let start = self.ops.len();
        let mut terms = 0;
        for member in unroll.members {
            self.bind(f64::from(*member));
            match self.condition(unroll)? {
                Some(true) => {}
                Some(false) => continue,
                None => return self.perhaps_empty(function, unroll),
            }
            self.want(unroll.body, Type::Number)?;
            terms += 1;
            if terms > 1 {
                self.emit(op);
            }
        }
        if terms == 0 {
            self.only_check(unroll)?;
            return self.empty(function, set);
        }
        let fold = if op == Op::Max { Fold::Max } else { Fold::Min };
        self.gather(start, op, fold, &[]);
        Some(())
    }

    fn empty(&mut self, function: &Name, set: &Expr) -> Option<()> {
        let message = format!("`{}` over nothing has no value", function.text);
        let help = Some("no member of this set meets the condition".to_owned());
        self.error(&set.span, message, help)
    }

    fn perhaps_empty(&mut self, function: &Name, unroll: &Unroll<'_>) -> Option<()> {
        let span = unroll.condition.map_or(&function.span, |c| &c.span);
        let f = &function.text;
        let message = format!("this condition may leave `{f}` nothing, and so no value, in a run");
        let help = if f == "mean" {
            "write `sum(... if ...) / max(1, count(... if ...))`".to_owned()
        } else {
            format!("say what counts then: `{f}((x if condition else fallback) for a in set)`")
        };
        self.error(span, message, Some(help))
    }

    fn count(&mut self, unroll: &Unroll<'_>, variable: &Name) -> Option<()> {
        if !super::names::is_name(unroll.body, &variable.text) {
            let help = Some(format!(
                "write `count({0} for {0} in set if condition)`",
                variable.text
            ));
            let message = "`count` counts members, not values";
            return self.error(&unroll.body.span, message, help);
        }
        let start = self.ops.len();
        let mut certain = 0_u32;
        for member in unroll.members {
            self.bind(f64::from(*member));
            let first = self.ops.len() == start;
            match self.condition(unroll)? {
                Some(known) => certain += u32::from(known),
                None if first => {}
                None => self.ops.push(Op::Add),
            }
        }
        if unroll.members.is_empty() {
            self.bind(-1.0);
            self.condition(unroll)?;
            self.ops.truncate(start);
        }
        let none_open = self.ops.len() == start;
        if none_open || certain > 0 {
            self.ops.push(Op::Constant(f64::from(certain)));
            if !none_open {
                self.ops.push(Op::Add);
            }
        }
        Some(())
    }

    /// Replaces code that does nothing but combine stocks, two or more (in sums [`FEWEST_SUMMED`]), by one operation that visits the same stocks. A sum
    /// without one member of a set, as over all but `self`, becomes the sum over the set in which that member counts as 0: then
    /// all such sums share what they add up. `left_out` has the members without a term, by the number of terms before them.
    fn gather(&mut self, start: usize, combine: Op, fold: Fold, left_out: &[(usize, Option<u32>)]) {
        let mut slots = Vec::new();
        for (position, op) in self.ops[start..].iter().enumerate() {
            // stock, stock, op, stock, op, ...
            let combines = position >= 2 && position % 2 == 0;
            match op {
                Op::Stock(slot) if !combines => slots.push(*slot),
                op if combines && *op == combine => {}
                _ => return,
            }
        }
        if slots.len() < 2 || (fold == Fold::Sum && slots.len() < FEWEST_SUMMED) {
            return;
        }
        let mut without = NONE_LEFT_OUT;
        if let [(position, Some(slot))] = *left_out {
            slots.insert(position, slot);
            without = position as u32;
        }
        self.ops.truncate(start);
        let contiguous = slots.windows(2).all(|w| w[0].checked_add(1) == Some(w[1]));
        let (start, count) = if contiguous {
            (slots[0], slots.len() as u32)
        } else {
            self.pooled(&slots)
        };
        self.ops.push(Op::Gather {
            fold,
            contiguous,
            start,
            count,
            without,
        });
    }
}

/// An aggregate's parts.
struct Unroll<'e> {
    body: &'e Expr,
    condition: Option<&'e Expr>,
    members: &'e [u32],
}
