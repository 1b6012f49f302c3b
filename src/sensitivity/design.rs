//! What is common to all designs, and running a model on one.

use std::ops::Range;

use rayon::prelude::*;

use super::error::{Error, Outcome};
use super::factor::Factors;
use super::hash::{child, unit};
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
    /// A [`super::Failure`] when the run gives no output.
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
    Random { rows: usize },
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

    /// Independent uniform points, as the intervals of the rank estimator ask for; a longer sample
    /// starts with a shorter.
    ///
    /// # Errors
    /// [`Error::BadSetting`] if there are no rows.
    pub fn random(factors: Factors, rows: usize, seed: u64) -> Result<Self, Error> {
        if rows == 0 {
            return Err(Error::setting("rows", "at least 1 is needed"));
        }
        Ok(Sample {
            factors,
            seed,
            points: SamplePoints::Random { rows },
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
            SamplePoints::Sobol { rows, .. } | SamplePoints::Random { rows } => *rows,
        }
    }

    fn unit(&self, row: usize, point: &mut [f64]) -> u64 {
        for (dimension, u) in point.iter_mut().enumerate() {
            *u = match &self.points {
                SamplePoints::Latin(cube) => cube.coordinate(row, dimension),
                SamplePoints::Sobol { points, .. } => points.coordinate(0, row, dimension),
                SamplePoints::Random { .. } => {
                    unit(child(child(!self.seed, row as u64), dimension as u64))
                }
            };
        }
        chance_key(self.seed, row, 0)
    }
}
