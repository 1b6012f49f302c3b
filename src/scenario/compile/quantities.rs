//! Numbers that are drawn: priors, severities, delays.

use super::Compiler;
use crate::distribution::{Discrete, Distribution, Family, Shape};
use crate::formula::Scope;
use crate::model::{Formula, Quantity};
use crate::scenario::raw::{Expression, RawDistribution, RawFamily, RawQuantity};
use crate::scenario::tree::Path;

impl Compiler<'_> {
    /// A number, a formula, or a distribution whose numbers may be formulas.
    pub(super) fn quantity(&mut self, raw: &RawQuantity, path: &Path, scope: &Scope) -> Quantity {
        let distribution = match raw {
            RawQuantity::Fixed(expression) => {
                return Quantity::Fixed(self.number(expression, path, scope));
            }
            RawQuantity::Drawn(distribution) => distribution,
        };
        let Some(family) = family(distribution.dist) else {
            let discrete = self.discrete(distribution, path);
            let formula = self.number(&Expression::Number(0.0), path, scope);
            return match discrete {
                Some(distribution) => Quantity::Discrete {
                    distribution,
                    site: formula.site,
                },
                None => Quantity::Fixed(formula),
            };
        };
        let Some(parameters) = self.family_parameters(distribution, family, path, scope) else {
            return Quantity::Fixed(self.number(&Expression::Number(0.0), path, scope));
        };
        let constants: Option<Vec<f64>> =
            (parameters.iter().map(|p| p.program.as_constant())).collect();
        if let Some(values) = constants {
            self.check_shape(family, &values, path);
        }
        let site = self.number(&Expression::Number(0.0), path, scope).site;
        Quantity::Drawn {
            family,
            parameters,
            shape: None,
            site,
        }
    }

    /// The distribution of a parameter over worlds: its numbers are known when the scenario is loaded.
    pub(super) fn prior(&mut self, raw: &RawDistribution, path: &Path) -> Option<Distribution> {
        let Some(family) = family(raw.dist) else {
            return self.discrete(raw, path).map(Distribution::from);
        };
        let formulas = self.family_parameters(raw, family, path, &Scope::parameters("a prior"))?;
        let mut values = Vec::new();
        for formula in &formulas {
            match formula.program.as_constant() {
                Some(value) => values.push(value),
                None => {
                    self.problems
                        .error(path, "a prior is made of numbers, not of other parameters");
                    return None;
                }
            }
        }
        self.check_shape(family, &values, path)
            .map(Distribution::from)
    }

    fn check_shape(&mut self, family: Family, values: &[f64], path: &Path) -> Option<Shape> {
        match Shape::new(family, values) {
            Ok(shape) => Some(shape),
            Err(error) => {
                self.problems.error(path, error.to_string());
                None
            }
        }
    }

    fn discrete(&mut self, raw: &RawDistribution, path: &Path) -> Option<Discrete> {
        for (name, _) in given(raw) {
            let message = format!("`{name}` is no parameter of discrete(values, [weights])");
            self.problems.error(&path.key(name), message);
        }
        let Some(values) = &raw.values else {
            self.problems
                .error(path, "a discrete distribution needs `values`");
            return None;
        };
        let equal = vec![1.0; values.len()];
        match Discrete::new(values, raw.weights.as_deref().unwrap_or(&equal)) {
            Ok(discrete) => Some(discrete),
            Err(error) => {
                self.problems.error(path, error.to_string());
                None
            }
        }
    }

    /// The parameters of a family in its order; none if one is missing, which is reported.
    fn family_parameters(
        &mut self,
        raw: &RawDistribution,
        family: Family,
        path: &Path,
        scope: &Scope,
    ) -> Option<Vec<Formula>> {
        let wanted = family.parameters();
        for (name, _) in given(raw) {
            if wanted.iter().all(|parameter| parameter.name != name) {
                let message = format!("`{name}` is no parameter of {}", family.signature());
                self.problems.error(&path.key(name), message);
            }
        }
        for (name, is_given) in [
            ("values", raw.values.is_some()),
            ("weights", raw.weights.is_some()),
        ] {
            if is_given {
                let message = format!("`{name}` is no parameter of {}", family.signature());
                self.problems.error(&path.key(name), message);
            }
        }
        let mut formulas = Vec::new();
        let mut complete = true;
        for parameter in wanted {
            let path = path.key(parameter.name);
            let found = given(raw).find(|(name, _)| *name == parameter.name);
            match (found, parameter.default) {
                (Some((_, expression)), _) => formulas.push(self.number(expression, &path, scope)),
                (None, Some(default)) => {
                    formulas.push(self.number(&Expression::Number(default), &path, scope));
                }
                (None, None) => {
                    let message = format!(
                        "`{}` is missing: write {}",
                        parameter.name,
                        family.signature()
                    );
                    self.problems.error(&path, message);
                    complete = false;
                }
            }
        }
        complete.then_some(formulas)
    }
}

/// The family of a distribution; `None` for discrete ones, which belong to no family.
fn family(raw: RawFamily) -> Option<Family> {
    Some(match raw {
        RawFamily::Constant => Family::Constant,
        RawFamily::Uniform => Family::Uniform,
        RawFamily::LogUniform => Family::LogUniform,
        RawFamily::Triangular => Family::Triangular,
        RawFamily::Normal => Family::Normal,
        RawFamily::Lognormal => Family::LogNormal,
        RawFamily::Exponential => Family::Exponential,
        RawFamily::Weibull => Family::Weibull,
        RawFamily::Beta => Family::Beta,
        RawFamily::Pert => Family::Pert,
        RawFamily::PowerLaw => Family::PowerLaw,
        RawFamily::DiscretePowerLaw => Family::DiscretePowerLaw,
        RawFamily::Discrete => return None,
    })
}

/// The parameters that were written, by name.
fn given(raw: &RawDistribution) -> impl Iterator<Item = (&'static str, &Expression)> {
    let all = [
        ("value", &raw.value),
        ("low", &raw.low),
        ("mode", &raw.mode),
        ("high", &raw.high),
        ("mean", &raw.mean),
        ("sd", &raw.sd),
        ("median", &raw.median),
        ("sigma", &raw.sigma),
        ("scale", &raw.scale),
        ("shape", &raw.shape),
        ("alpha", &raw.alpha),
        ("beta", &raw.beta),
        ("exponent", &raw.exponent),
        ("min", &raw.min),
        ("max", &raw.max),
    ];
    all.into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| (name, value)))
}
