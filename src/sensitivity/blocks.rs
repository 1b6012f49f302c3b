//! Outcomes in blocks: what failed runs take with them, and sums over independent scrambles.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::error::{Error, Failure, Outcome};
use super::replicate::ReplicateSums;

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

/// Outcomes of a design in blocks, with the scramble of each.
pub(crate) struct ScrambledBlocks {
    pub(crate) blocks: Blocks,
    pub(crate) runs: usize,
    pub(crate) scrambles: usize,
}

impl ScrambledBlocks {
    /// `outcomes` of the first of `rows` rows, in blocks of `runs` that belong to the scrambles in
    /// turn.
    pub(crate) fn new(
        outcomes: &[Outcome],
        rows: usize,
        runs: usize,
        scrambles: usize,
    ) -> Result<Self, Error> {
        if outcomes.len() > rows {
            let (expected, got) = (rows, outcomes.len());
            return Err(Error::Length {
                what: "outcomes",
                expected,
                got,
            });
        }
        let whole = outcomes.len() / runs * runs;
        let blocks = Blocks::new(&outcomes[..whole], runs)?;
        let data = ScrambledBlocks {
            blocks,
            runs,
            scrambles,
        };
        let mut seen = vec![false; data.scrambles];
        for block in data.complete_blocks() {
            seen[block % data.scrambles] = true;
        }
        if seen.iter().filter(|&&s| s).count() < 2 {
            return Err(data.blocks.too_few(2));
        }
        Ok(data)
    }

    /// Numbers of the complete blocks.
    pub(crate) fn complete_blocks(&self) -> Vec<usize> {
        let complete = &self.blocks.complete;
        (0..complete.len()).filter(|&b| complete[b]).collect()
    }

    pub(crate) fn block(&self, b: usize) -> &[f64] {
        &self.blocks.values[b * self.runs..(b + 1) * self.runs]
    }

    /// The mean of the first run of all complete blocks: a point near which products do not cancel.
    pub(crate) fn shift(&self) -> f64 {
        let blocks = self.complete_blocks();
        let sum: f64 = blocks.iter().map(|&b| self.block(b)[0]).sum();
        sum / blocks.len() as f64
    }

    /// Distance between the smallest and the largest output of complete blocks.
    pub(crate) fn range(&self) -> f64 {
        let blocks = self.complete_blocks();
        let outputs = || blocks.iter().flat_map(|&b| self.block(b)).copied();
        let ends = (
            outputs().fold(f64::INFINITY, f64::min),
            outputs().fold(f64::NEG_INFINITY, f64::max),
        );
        ends.1 - ends.0
    }

    /// Sums in each scramble of the moments that `write` makes of a block, given its number and
    /// outputs. Parts of fixed size are added in order.
    pub(crate) fn replicate_sums(
        &self,
        moments: usize,
        write: impl Fn(usize, &[f64], &mut [f64]) + Sync,
    ) -> ReplicateSums {
        let blocks = self.blocks.complete.len();
        // The size of a part depends on the data alone, and there are at most 64 of them.
        let part = blocks.div_ceil(64).max(64);
        let of_part = |p: usize| {
            let mut sums = ReplicateSums::new(self.scrambles, moments);
            let mut row = vec![0.0; moments];
            for b in p * part..blocks.min((p + 1) * part) {
                if self.blocks.complete[b] {
                    write(b, self.block(b), &mut row);
                    let r = b % self.scrambles;
                    sums.counts[r] += 1;
                    for (sum, moment) in sums.of(r).iter_mut().zip(&row) {
                        *sum += moment;
                    }
                }
            }
            sums
        };
        let parts: Vec<ReplicateSums> = (0..blocks.div_ceil(part))
            .into_par_iter()
            .map(of_part)
            .collect();
        let mut all = ReplicateSums::new(self.scrambles, moments);
        for part in &parts {
            all.add(part);
        }
        all
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
