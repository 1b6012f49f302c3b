//! Factors: what is varied, how a uniform number becomes a value, and which factors move together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::error::Error;
use crate::math;

/// A quantile function: maps (0, 1) to values of a factor.
#[derive(Clone)]
pub enum Quantile {
    /// Uniform between two bounds.
    Uniform {
        /// Lower bound.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Uniform in the logarithm between two positive bounds.
    LogUniform {
        /// Lower bound, above 0.
        low: f64,
        /// Upper bound.
        high: f64,
    },
    /// Triangular between two bounds.
    Triangular {
        /// Lower bound.
        low: f64,
        /// Most likely value.
        mode: f64,
        /// Upper bound.
        high: f64,
    },
    /// Normal.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation, above 0.
        sd: f64,
    },
    /// Any other non-decreasing function of (0, 1).
    Custom(Arc<dyn Fn(f64) -> f64 + Send + Sync>),
}

impl fmt::Debug for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantile::Uniform { low, high } => write!(f, "Uniform({low}, {high})"),
            Quantile::LogUniform { low, high } => write!(f, "LogUniform({low}, {high})"),
            Quantile::Triangular { low, mode, high } => {
                write!(f, "Triangular({low}, {mode}, {high})")
            }
            Quantile::Normal { mean, sd } => write!(f, "Normal({mean}, {sd})"),
            Quantile::Custom(_) => write!(f, "Custom"),
        }
    }
}

impl Quantile {
    /// The value at probability `u`.
    pub fn at(&self, u: f64) -> f64 {
        match self {
            Quantile::Uniform { low, high } => low + (high - low) * u,
            Quantile::LogUniform { low, high } => {
                let (a, b) = (math::ln(*low), math::ln(*high));
                math::exp(a + (b - a) * u)
            }
            Quantile::Triangular { low, mode, high } => {
                let (range, left) = (high - low, mode - low);
                if u * range < left {
                    low + (u * range * left).sqrt()
                } else {
                    high - ((1.0 - u) * range * (high - mode)).sqrt()
                }
            }
            Quantile::Normal { mean, sd } => mean + sd * math::normal_quantile(u),
            Quantile::Custom(f) => f(u),
        }
    }

    fn problem(&self) -> Option<&'static str> {
        let finite = |values: &[f64]| values.iter().all(|v| v.is_finite());
        match *self {
            Quantile::Uniform { low, high } if !finite(&[low, high]) || low >= high => {
                Some("bounds must be finite and in order")
            }
            Quantile::LogUniform { low, high }
                if !finite(&[low, high]) || low <= 0.0 || low >= high =>
            {
                Some("bounds must be finite, above zero and in order")
            }
            Quantile::Triangular { low, mode, high }
                if !finite(&[low, mode, high]) || low > mode || mode > high || low >= high =>
            {
                Some("bounds and mode must be finite and in order")
            }
            Quantile::Normal { mean, sd } if !finite(&[mean, sd]) || sd <= 0.0 => {
                Some("the standard deviation must be above zero")
            }
            _ => None,
        }
    }
}

/// One level of a discrete factor.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Name of the level.
    pub name: String,
    /// Value that the model is given.
    pub value: f64,
    /// Relative weight, above 0.
    pub weight: f64,
}

/// How a factor varies.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A number with a quantile function.
    Continuous(Quantile),
    /// A number with few values, which have an order.
    Discrete(Vec<Level>),
    /// Levels without an order (for example which explanation of the conflict holds); the model
    /// is given the value of the level.
    Categorical(Vec<Level>),
}

/// One thing that is varied.
#[derive(Debug, Clone)]
pub struct Factor {
    /// Name, unique in a study.
    pub name: String,
    /// Factors of one group are varied together and share one index.
    pub group: Option<String>,
    /// How it varies.
    pub kind: Kind,
}

impl Factor {
    /// A factor with any quantile function.
    pub fn continuous(name: impl Into<String>, quantile: Quantile) -> Self {
        Factor {
            name: name.into(),
            group: None,
            kind: Kind::Continuous(quantile),
        }
    }

    /// A factor that is uniform between two bounds.
    pub fn uniform(name: impl Into<String>, low: f64, high: f64) -> Self {
        Factor::continuous(name, Quantile::Uniform { low, high })
    }

    /// A factor with equally likely values, in the order given.
    pub fn discrete(name: impl Into<String>, values: &[f64]) -> Self {
        let level = |&value: &f64| Level {
            name: value.to_string(),
            value,
            weight: 1.0,
        };
        let levels = values.iter().map(level).collect();
        Factor {
            name: name.into(),
            group: None,
            kind: Kind::Discrete(levels),
        }
    }

    /// A factor with equally likely named levels; the model is given their number from 0.
    pub fn categorical(name: impl Into<String>, labels: &[&str]) -> Self {
        let level = |(i, label): (usize, &&str)| Level {
            name: (*label).to_owned(),
            value: i as f64,
            weight: 1.0,
        };
        let levels = labels.iter().enumerate().map(level).collect();
        Factor {
            name: name.into(),
            group: None,
            kind: Kind::Categorical(levels),
        }
    }

    /// The same factor as a member of a group.
    pub fn in_group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// The value at probability `u`.
    pub fn value(&self, u: f64) -> f64 {
        match &self.kind {
            Kind::Continuous(quantile) => quantile.at(u),
            Kind::Discrete(levels) | Kind::Categorical(levels) => levels[level_at(levels, u)].value,
        }
    }

    /// Number of levels, or `None` for a continuous factor.
    pub fn levels(&self) -> Option<&[Level]> {
        match &self.kind {
            Kind::Continuous(_) => None,
            Kind::Discrete(levels) | Kind::Categorical(levels) => Some(levels),
        }
    }

    /// True if the levels have no order.
    pub fn is_categorical(&self) -> bool {
        matches!(self.kind, Kind::Categorical(_))
    }

    /// The middle of level number `level` on the probability scale.
    pub(crate) fn level_middle(&self, level: usize) -> Option<f64> {
        let levels = self.levels()?;
        let total: f64 = levels.iter().map(|l| l.weight).sum();
        let before: f64 = levels[..level].iter().map(|l| l.weight).sum();
        Some((before + 0.5 * levels[level].weight) / total)
    }

    /// Two levels drawn by their weights from uniform numbers, the second from those that the first leaves; as the middles
    /// of the levels on the probability scale. A single level is both; the numbers of a continuous factor stay as they are.
    pub(crate) fn two_levels(&self, u: f64, other: f64) -> (f64, f64) {
        let Some(levels) = self.levels() else {
            return (u, other);
        };
        let first = level_at(levels, u);
        let rest: f64 = (levels.iter().enumerate())
            .filter(|&(i, _)| i != first)
            .map(|(_, level)| level.weight)
            .sum();
        let (mut second, mut above) = (first, 0.0);
        for (i, level) in levels.iter().enumerate().filter(|&(i, _)| i != first) {
            second = i;
            above += level.weight;
            if other * rest < above {
                break;
            }
        }
        let middle = |level: usize, u: f64| self.level_middle(level).unwrap_or(u);
        (middle(first, u), middle(second, other))
    }

    fn check(&self) -> Result<(), Error> {
        let bad = |problem: &str| Error::BadFactor {
            factor: self.name.clone(),
            problem: problem.to_owned(),
        };
        match &self.kind {
            Kind::Continuous(quantile) => match quantile.problem() {
                Some(problem) => Err(bad(problem)),
                None => Ok(()),
            },
            Kind::Discrete(levels) | Kind::Categorical(levels) => {
                if levels.is_empty() {
                    return Err(bad("it has no levels"));
                }
                if levels.iter().any(|l| !l.value.is_finite()) {
                    return Err(bad("the value of a level is not finite"));
                }
                if levels
                    .iter()
                    .any(|l| !l.weight.is_finite() || l.weight <= 0.0)
                {
                    return Err(bad("the weight of a level is not above zero"));
                }
                Ok(())
            }
        }
    }
}

fn level_at(levels: &[Level], u: f64) -> usize {
    let total: f64 = levels.iter().map(|l| l.weight).sum();
    let mut above = 0.0;
    for (i, level) in levels.iter().enumerate() {
        above += level.weight;
        if u * total < above {
            return i;
        }
    }
    levels.len() - 1
}

/// What gets an index: a factor that stands alone, or a group of factors.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name of the factor or of the group.
    pub name: String,
    /// Numbers of the factors in it.
    pub members: Vec<usize>,
}

/// The checked list of factors of a study.
#[derive(Debug, Clone)]
pub struct Factors {
    list: Vec<Factor>,
    columns: Vec<Column>,
}

impl Factors {
    /// Checks names and distributions.
    ///
    /// # Errors
    /// [`Error::NoFactors`], [`Error::DuplicateFactor`], [`Error::BadFactor`].
    pub fn new(list: Vec<Factor>) -> Result<Self, Error> {
        if list.is_empty() {
            return Err(Error::NoFactors);
        }
        let mut factors = BTreeSet::new();
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        let mut columns: Vec<Column> = Vec::new();
        for (i, factor) in list.iter().enumerate() {
            factor.check()?;
            if !factors.insert(factor.name.clone()) {
                return Err(Error::DuplicateFactor(factor.name.clone()));
            }
            let known = factor.group.as_ref().and_then(|group| groups.get(group));
            if let Some(&column) = known {
                columns[column].members.push(i);
                continue;
            }
            if let Some(group) = &factor.group {
                groups.insert(group.clone(), columns.len());
            }
            let name = factor.group.clone().unwrap_or_else(|| factor.name.clone());
            columns.push(Column {
                name,
                members: vec![i],
            });
        }
        let mut names = BTreeSet::new();
        for column in &columns {
            if !names.insert(column.name.clone()) {
                return Err(Error::DuplicateFactor(column.name.clone()));
            }
        }
        Ok(Factors { list, columns })
    }

    /// The factors, in order; a point has one value for each.
    pub fn list(&self) -> &[Factor] {
        &self.list
    }

    /// The factors and groups that get an index, in order of their first member.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Number of factors.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Never true: an empty list is refused by [`Factors::new`].
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Turns a point of (0, 1)^D into values, in place.
    pub fn map(&self, point: &mut [f64]) {
        for (factor, u) in self.list.iter().zip(point) {
            *u = factor.value(*u);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_levels() {
        let at = |f: &Factor, us: &[f64]| us.iter().map(|&u| f.value(u)).collect::<Vec<_>>();
        assert_eq!(
            at(&Factor::uniform("x", -1.0, 3.0), &[0.25, 0.5]),
            vec![0.0, 1.0]
        );
        let log = Factor::continuous(
            "x",
            Quantile::LogUniform {
                low: 1.0,
                high: 100.0,
            },
        );
        assert!((log.value(0.5) - 10.0).abs() < 1e-12);
        let tri = Factor::continuous(
            "x",
            Quantile::Triangular {
                low: 0.0,
                mode: 1.0,
                high: 3.0,
            },
        );
        assert!((tri.value(1.0 / 3.0) - 1.0).abs() < 1e-12);
        assert!((tri.value(1.0 / 12.0) - 0.5).abs() < 1e-12);
        let normal = Factor::continuous("x", Quantile::Normal { mean: 2.0, sd: 3.0 });
        assert!((normal.value(0.975) - (2.0 + 3.0 * 1.959963984540054)).abs() < 1e-9);
        let cat = Factor::categorical("why", &["a", "b", "c"]);
        assert_eq!(at(&cat, &[0.1, 0.34, 0.99]), vec![0.0, 1.0, 2.0]);
        let weighted = Factor {
            name: "w".into(),
            group: None,
            kind: Kind::Discrete(vec![
                Level {
                    name: "few".into(),
                    value: 5.0,
                    weight: 1.0,
                },
                Level {
                    name: "many".into(),
                    value: 9.0,
                    weight: 3.0,
                },
            ]),
        };
        assert_eq!(at(&weighted, &[0.24, 0.26]), vec![5.0, 9.0]);
        assert_eq!(weighted.level_middle(1), Some(0.625));
    }

    #[test]
    fn bad_lists_are_refused() {
        assert_eq!(Factors::new(vec![]).unwrap_err(), Error::NoFactors);
        let twice = vec![
            Factor::uniform("x", 0.0, 1.0),
            Factor::uniform("x", 0.0, 2.0),
        ];
        assert_eq!(
            Factors::new(twice).unwrap_err(),
            Error::DuplicateFactor("x".into())
        );
        let clash = vec![
            Factor::uniform("x", 0.0, 1.0),
            Factor::uniform("y", 0.0, 2.0).in_group("x"),
        ];
        assert_eq!(
            Factors::new(clash).unwrap_err(),
            Error::DuplicateFactor("x".into())
        );
        assert!(Factors::new(vec![Factor::uniform("x", 1.0, 1.0)]).is_err());
        assert!(Factors::new(vec![Factor::discrete("x", &[])]).is_err());
        assert!(Factors::new(vec![Factor::discrete("x", &[f64::NAN])]).is_err());
    }

    #[test]
    fn groups_are_one_column() {
        let list = vec![
            Factor::uniform("a", 0.0, 1.0).in_group("g"),
            Factor::uniform("b", 0.0, 1.0),
            Factor::uniform("c", 0.0, 1.0).in_group("g"),
        ];
        let factors = Factors::new(list).unwrap();
        let names: Vec<_> = factors.columns().iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["g", "b"]);
        assert_eq!(factors.columns()[0].members, vec![0, 2]);
    }
}
