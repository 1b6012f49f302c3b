//! The values of levers and sweeps, point by point.
//!
//! Points have numbers and are worked out when asked for, so that a design of millions of points needs no memory (a Latin
//! hypercube keeps four bytes for each point and parameter).

use super::file::DesignKind;
use crate::math;
use crate::sensitivity::{Error, LatinHypercube, SobolPoints};

/// The values of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The parameter.
    pub parameter: String,
    /// The name for readers, if it has one of its own.
    pub label: Option<String>,
    /// What it may be.
    pub values: Values,
}

/// What a parameter may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One of these, at least one.
    List(Vec<f64>),
    /// Anything in between, evenly.
    Linear {
        /// Lowest value.
        low: f64,
        /// Highest value.
        high: f64,
    },
    /// Anything in between, its logarithm evenly.
    Log {
        /// Lowest value, above 0.
        low: f64,
        /// Highest value.
        high: f64,
    },
}

impl Values {
    /// The value below which a share `u` in `[0, 1]` lies.
    pub fn at(&self, u: f64) -> f64 {
        match *self {
            Self::List(ref values) => {
                let index = (u * values.len() as f64) as usize;
                values[index.min(values.len() - 1)]
            }
            Self::Linear { low, high } => (low + u * (high - low)).clamp(low, high),
            Self::Log { low, high } => (low * math::pow(high / low, u)).clamp(low, high),
        }
    }

    /// The values themselves, or `steps` (at least 2) from end to end.
    pub fn steps(self, steps: u32) -> Self {
        match self {
            Self::List(_) => self,
            _ => {
                let last = f64::from(steps - 1);
                Self::List((0..steps).map(|i| self.at(f64::from(i) / last)).collect())
            }
        }
    }

    /// The values of a list; none of a range.
    pub fn listed(&self) -> &[f64] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }

    /// Lowest and highest value.
    pub fn ends(&self) -> [f64; 2] {
        match *self {
            Self::List(ref values) => (values.iter())
                .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &x| {
                    [low.min(x), high.max(x)]
                }),
            Self::Linear { low, high } | Self::Log { low, high } => [low, high],
        }
    }
}

/// The points of a design over some parameters. Without parameters there is one empty point.
#[derive(Clone, Debug)]
pub struct Points {
    axes: Vec<Axis>,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The last parameter moves fastest.
    Factorial,
    Latin(LatinHypercube),
    Sobol {
        points: SobolPoints,
        count: u64,
    },
}

impl Points {
    /// Every value of each list with every other.
    pub fn factorial(axes: Vec<Axis>) -> Self {
        Self {
            axes,
            kind: Kind::Factorial,
        }
    }

    /// `count` sampled points. The scramble, or the slices, follow from `seed`.
    ///
    /// # Errors
    /// More points or parameters than the design has.
    pub fn sampled(
        kind: DesignKind,
        axes: Vec<Axis>,
        count: u64,
        seed: u64,
    ) -> Result<Self, Error> {
        let rows = usize::try_from(count).unwrap_or(usize::MAX);
        let kind = match kind {
            DesignKind::Factorial => Kind::Factorial,
            DesignKind::LatinHypercube => Kind::Latin(LatinHypercube::new(rows, axes.len(), seed)?),
            DesignKind::Sobol => {
                SobolPoints::check(axes.len(), rows)?;
                let points = SobolPoints::new(seed);
                Kind::Sobol { points, count }
            }
        };
        Ok(Self { axes, kind })
    }

    /// The parameters.
    pub fn axes(&self) -> &[Axis] {
        &self.axes
    }

    /// Number of points; `None` if it cannot be counted.
    pub fn count(&self) -> Option<u64> {
        match &self.kind {
            Kind::Factorial => (self.axes.iter()).try_fold(1_u64, |product, axis| {
                product.checked_mul(axis.values.listed().len() as u64)
            }),
            Kind::Latin(cube) => Some(cube.rows() as u64),
            Kind::Sobol { count, .. } => Some(*count),
        }
    }

    /// Appends the values of the point with this number, which must be below the count.
    pub fn point(&self, number: u64, values: &mut Vec<f64>) {
        match &self.kind {
            Kind::Factorial => {
                let start = values.len();
                let mut rest = number;
                for axis in self.axes.iter().rev() {
                    let list = axis.values.listed();
                    let size = (list.len() as u64).max(1);
                    values.push(list[(rest % size) as usize]);
                    rest /= size;
                }
                values[start..].reverse();
            }
            Kind::Latin(cube) => {
                values.extend((self.axes.iter().enumerate()).map(|(dimension, axis)| {
                    axis.values.at(cube.coordinate(number as usize, dimension))
                }))
            }
            Kind::Sobol { points, .. } => {
                values.extend((self.axes.iter().enumerate()).map(|(dimension, axis)| {
                    let u = points.coordinate(0, number as usize, dimension);
                    axis.values.at(u)
                }));
            }
        }
    }

    /// The number of the factorial point with these values, in the order of the parameters; `None` if there is none.
    pub fn find(&self, setting: &[f64]) -> Option<u64> {
        if !matches!(self.kind, Kind::Factorial) || setting.len() != self.axes.len() {
            return None;
        }
        let mut pairs = self.axes.iter().zip(setting);
        pairs.try_fold(0, |number, (axis, value)| {
            let list = axis.values.listed();
            let place = list.iter().position(|known| known == value)?;
            Some(number * list.len() as u64 + place as u64)
        })
    }

    /// Whether every value is combined with every other.
    pub fn is_factorial(&self) -> bool {
        matches!(self.kind, Kind::Factorial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(parameter: &str, values: Values) -> Axis {
        Axis {
            parameter: parameter.to_owned(),
            label: None,
            values,
        }
    }

    fn point(points: &Points, number: u64) -> Vec<f64> {
        let mut values = Vec::new();
        points.point(number, &mut values);
        values
    }

    #[test]
    fn factorial_points_are_counted_out_and_found_again() {
        let points = Points::factorial(vec![
            axis("a", Values::List(vec![1.0, 2.0])),
            axis(
                "b",
                Values::Linear {
                    low: 0.0,
                    high: 1.0,
                }
                .steps(3),
            ),
        ]);
        assert_eq!(points.count(), Some(6));
        let all: Vec<Vec<f64>> = (0..6).map(|i| point(&points, i)).collect();
        assert_eq!(all[0], [1.0, 0.0]);
        assert_eq!(all[1], [1.0, 0.5]);
        assert_eq!(all[5], [2.0, 1.0]);
        for (number, values) in all.iter().enumerate() {
            assert_eq!(points.find(values), Some(number as u64));
        }
        assert_eq!(points.find(&[1.0, 0.4]), None);
        assert_eq!(points.find(&[1.0]), None);
    }

    #[test]
    fn without_parameters_there_is_one_empty_point() {
        let points = Points::factorial(Vec::new());
        assert_eq!((points.count(), points.find(&[])), (Some(1), Some(0)));
        assert!(point(&points, 0).is_empty());
    }

    #[test]
    fn steps_go_from_end_to_end() {
        let log = Values::Log {
            low: 0.01,
            high: 1.0,
        };
        let Values::List(steps) = log.clone().steps(3) else {
            panic!("a list");
        };
        assert_eq!((steps[0], steps[2]), (0.01, 1.0));
        assert!((steps[1] - 0.1).abs() < 1e-15);
        assert_eq!(log.ends(), [0.01, 1.0]);
        assert_eq!(Values::List(vec![3.0, -1.0, 2.0]).ends(), [-1.0, 3.0]);
    }

    #[test]
    fn sampled_points_cover_every_slice_and_every_value() {
        for kind in [DesignKind::LatinHypercube, DesignKind::Sobol] {
            let axes = vec![
                axis(
                    "a",
                    Values::Linear {
                        low: -1.0,
                        high: 1.0,
                    },
                ),
                axis("b", Values::List(vec![5.0, 6.0, 7.0, 8.0])),
            ];
            let points = Points::sampled(kind, axes, 64, 7).unwrap();
            assert_eq!(points.count(), Some(64));
            let (mut slices, mut values) = ([0; 64], [0; 4]);
            for number in 0..64 {
                let [a, b] = point(&points, number)[..] else {
                    panic!("two values");
                };
                slices[((a + 1.0) * 32.0) as usize] += 1;
                values[b as usize - 5] += 1;
            }
            assert_eq!((slices, values), ([1; 64], [16; 4]));
        }
    }

    #[test]
    fn what_a_design_cannot_give_is_refused() {
        let axes = || {
            vec![axis(
                "a",
                Values::Linear {
                    low: 0.0,
                    high: 1.0,
                },
            )]
        };
        assert!(Points::sampled(DesignKind::Sobol, axes(), 1 << 20, 1).is_err());
        assert!(Points::sampled(DesignKind::LatinHypercube, axes(), 0, 1).is_err());
        let wide = (0..5).map(|i| {
            let values = (0..10_000).map(f64::from).collect();
            axis(&format!("p{i}"), Values::List(values))
        });
        assert_eq!(Points::factorial(wide.collect()).count(), None);
    }
}
