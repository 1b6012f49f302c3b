//! What is common to all designs, and running a model on one.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::error::{Error, Failure, Outcome};
use super::factor::Factors;
use super::hash::child;
use super::points::{LatinHypercube, SobolPoints};

/// A model under study: a function of the factors and of chance.
pub trait Model: Sync {
    /// Runs the model once.
    ///
    /// `values` has one value per factor, in the order of the list of factors. `key` names the
    /// chance of the run: equal keys must give equal random numbers (and a model without chance
    /// ignores it). To study which of several categories is reached, give the category's number.
    ///
    /// # Errors
    /// A [`Failure`] when the run gives no output.
    fn evaluate(&self, values: &[f64], key: u64) -> Outcome;
}

impl<F: Fn(&[f64], u64) -> Outcome + Sync> Model for F {
    fn evaluate(&self, values: &[f64], key: u64) -> Outcome {
        self(values, key)
    }
}

/// A list of runs to make. Rows have absolute numbers from 0, are computed when asked for and do
/// not depend on each other, so any part of a design can be made anywhere.
pub trait Design: Sync {
    /// The factors that are varied.
    fn factors(&self) -> &Factors;

    /// Number of rows.
    fn rows(&self) -> usize;

    /// Writes the point of a row on the probability scale, [0, 1]^D, and returns its key.
    fn unit(&self, row: usize, point: &mut [f64]) -> u64;

    /// Writes the values of the factors in a row and returns its key.
    fn row(&self, row: usize, values: &mut [f64]) -> u64 {
        let key = self.unit(row, values);
        self.factors().map(values);
        key
    }
}

/// Runs the model on some rows of a design, in parallel; the outcomes are in the order of the
/// rows whatever the number of threads.
pub fn run(design: &dyn Design, rows: Range<usize>, model: &dyn Model) -> Vec<Outcome> {
    let dimensions = design.factors().len();
    rows.into_par_iter()
        .map_init(
            || vec![0.0; dimensions],
            |values, row| {
                let key = design.row(row, values);
                model.evaluate(values, key)
            },
        )
        .collect()
}

/// How many runs failed, why, and what was left to analyse.
///
/// The rule: the runs that enter an estimator together (all runs of one point of the design) are
/// one block, and a block with a failed run is left out of every estimator.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Completeness {
    /// Blocks of the design.
    pub blocks: usize,
    /// Blocks without a failed run: the effective number of points.
    pub complete: usize,
    /// Absolute row numbers of the failed runs.
    pub failed_rows: Vec<usize>,
    /// Number of failed runs by the name of the reason.
    pub failures: BTreeMap<String, usize>,
}

/// Outputs with failed runs marked by their block.
pub(crate) struct Blocks {
    /// Output of each row (0 where the run failed; such a row is in an incomplete block).
    pub(crate) values: Vec<f64>,
    /// Whether each block has all its runs.
    pub(crate) complete: Vec<bool>,
    pub(crate) completeness: Completeness,
}

impl Blocks {
    /// Splits outcomes into blocks of `size` runs.
    pub(crate) fn new(outcomes: &[Outcome], size: usize) -> Result<Self, Error> {
        let mut completeness = Completeness::default();
        let mut values = Vec::with_capacity(outcomes.len());
        let mut complete = Vec::with_capacity(outcomes.len() / size);
        for block in outcomes.chunks(size) {
            let mut whole = true;
            for outcome in block {
                match outcome {
                    Ok(value) if value.is_finite() => values.push(*value),
                    Ok(value) => {
                        return Err(Error::NotFinite {
                            row: values.len(),
                            column: "output".to_owned(),
                            value: value.to_string(),
                        });
                    }
                    Err(Failure { name }) => {
                        completeness.failed_rows.push(values.len());
                        *completeness.failures.entry(name.clone()).or_insert(0) += 1;
                        values.push(0.0);
                        whole = false;
                    }
                }
            }
            complete.push(whole);
        }
        completeness.blocks = complete.len();
        completeness.complete = complete.iter().filter(|&&whole| whole).count();
        Ok(Blocks {
            values,
            complete,
            completeness,
        })
    }

    pub(crate) fn too_few(&self, needed: usize) -> Error {
        Error::TooFewRows {
            got: self.completeness.complete,
            total: self.completeness.blocks,
            needed,
            failed: self.completeness.failed_rows.len(),
        }
    }
}

/// Key of the chance of base point `base`; `copy` tells apart the independent chances of a point.
pub(crate) fn chance_key(seed: u64, base: usize, copy: u64) -> u64 {
    child(child(child(seed, 0x6368_616e_6365), base as u64), copy)
}

/// A set of independent points for the given-data methods and for scenario discovery.
#[derive(Debug, Clone)]
pub struct Sample {
    factors: Factors,
    seed: u64,
    points: SamplePoints,
}

#[derive(Debug, Clone)]
enum SamplePoints {
    Latin(LatinHypercube),
    Sobol { points: SobolPoints, rows: usize },
}

impl Sample {
    /// A Latin hypercube.
    ///
    /// # Errors
    /// As [`LatinHypercube::new`].
    pub fn latin_hypercube(factors: Factors, rows: usize, seed: u64) -> Result<Self, Error> {
        let cube = LatinHypercube::new(rows, factors.len(), seed)?;
        Ok(Sample {
            factors,
            seed,
            points: SamplePoints::Latin(cube),
        })
    }

    /// The first points of one scrambled Sobol sequence; a longer sample starts with a shorter.
    ///
    /// # Errors
    /// As [`SobolPoints::check`].
    pub fn sobol(factors: Factors, rows: usize, seed: u64) -> Result<Self, Error> {
        SobolPoints::check(factors.len(), rows)?;
        let points = SamplePoints::Sobol {
            points: SobolPoints::new(seed),
            rows,
        };
        Ok(Sample {
            factors,
            seed,
            points,
        })
    }
}

impl Design for Sample {
    fn factors(&self) -> &Factors {
        &self.factors
    }

    fn rows(&self) -> usize {
        match &self.points {
            SamplePoints::Latin(cube) => cube.rows(),
            SamplePoints::Sobol { rows, .. } => *rows,
        }
    }

    fn unit(&self, row: usize, point: &mut [f64]) -> u64 {
        for (dimension, u) in point.iter_mut().enumerate() {
            *u = match &self.points {
                SamplePoints::Latin(cube) => cube.coordinate(row, dimension),
                SamplePoints::Sobol { points, .. } => points.coordinate(0, row, dimension),
            };
        }
        chance_key(self.seed, row, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_runs_take_their_block_with_them_and_are_named() {
        let fail = |name: &str| Err(Failure::new(name));
        let outcomes = vec![
            Ok(1.0),
            Ok(2.0),
            fail("no end"),
            Ok(4.0),
            Ok(5.0),
            Ok(6.0),
            fail("b"),
            fail("b"),
        ];
        let blocks = Blocks::new(&outcomes, 2).unwrap();
        assert_eq!(blocks.complete, [true, false, true, false]);
        assert_eq!(blocks.completeness.complete, 2);
        assert_eq!(blocks.completeness.failed_rows, [2, 6, 7]);
        let counts: Vec<_> = blocks.completeness.failures.into_iter().collect();
        assert_eq!(counts, [("b".to_owned(), 2), ("no end".to_owned(), 1)]);
    }

    #[test]
    fn a_nan_is_an_error_that_names_its_row() {
        let error = Blocks::new(&[Ok(1.0), Ok(f64::NAN)], 1).err().unwrap();
        assert_eq!(
            error.to_string(),
            "row 1: `output` is NaN, which is not a finite number"
        );
    }
}
