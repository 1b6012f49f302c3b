//! The check of levers and sweeps: which values there are, and whether the scenarios can have them.

use indexmap::IndexMap;

use super::{Checker, Pair};
use crate::batch::axes::{Axis, Points, Values};
use crate::batch::file::{DesignKind, RawAxis, RawDesign, Scale};
use crate::batch::plan::Plan;
use crate::model::World;
use crate::scenario::diagnostics::Diagnostic;
use crate::scenario::tree::Path;
use crate::scenario::wording::closest;

/// Values along a range unless another number is asked for.
const DEFAULT_STEPS: u32 = 5;
/// Values along a range, at most.
const MOST_STEPS: u32 = 1_000_000;
/// Points of a Latin hypercube, at most: they are all drawn at once.
const MOST_LATIN_POINTS: u64 = 10_000_000;
/// Cells whose parameters are tried before anything runs; of larger designs, the ends of each lever and sweep.
const CELLS_TRIED: u64 = 2000;

impl Checker<'_> {
    pub(super) fn points(
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
            Some(RawDesign {
                kind: DesignKind::LatinHypercube,
                points: Some(points),
                ..
            }) if *points > MOST_LATIN_POINTS => {
                self.error_with_help(
                    &design_path.key("points"),
                    format!(
                        "a Latin hypercube has at most {MOST_LATIN_POINTS} `points`, not {points}"
                    ),
                    "`kind = \"sobol\"` makes its points one by one",
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

    pub(super) fn axis(
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

    pub(super) fn list(
        &mut self,
        name: &str,
        values: &[f64],
        axis: &RawAxis,
        path: &Path,
    ) -> Option<Values> {
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
    pub(super) fn own_range(
        &mut self,
        name: &str,
        path: &Path,
        pairs: &[Pair],
    ) -> Option<[f64; 2]> {
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

    /// Looks for settings that a scenario cannot have, such as a negative half-life, and for those that its prior rules out.
    pub(super) fn try_cells(&mut self, plan: &Plan) {
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
