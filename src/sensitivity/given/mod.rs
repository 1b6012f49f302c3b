//! Indices from given data: any table of factor values and outputs, whatever design made it.
//!
//! | method | answers | ties and categories |
//! |---|---|---|
//! | [`rank_indices`] | first-order Sobol indices | yes |
//! | [`pawn_indices`] | how far fixing a factor moves the whole distribution | yes |
//! | [`prcc`] | direction and strength of monotonic effects, others held fixed | categories are held fixed |
//! | [`regional_sensitivity`] | which factors tell one kind of outcome from the other | yes |
//!
//! All compare with a dummy that the output knows nothing of. It must be of the kind of the column: an index of
//! few slices, of ties or of categories is larger or smaller by chance than one of numbers that are all different.
//! For all but partial rank correlations, which are scaled by the variance of the ranks, the dummy is therefore the
//! column itself in 1,000 random orders, and [`Estimate::above_dummy`] 1 less the p-value of a permutation test. The
//! dummy that is shown is a column of random numbers.

mod pawn;
mod prcc;
mod rank;
mod regional;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use pawn::{PawnStatistic, pawn_indices};
pub use prcc::prcc;
pub use rank::{rank_indices, rank_indices_of_means};
pub use regional::regional_sensitivity;

use super::blocks::{Blocks, Completeness};
use super::design::Design;
use super::error::{Error, Outcome};
use super::factor::Factor;
use super::hash::{Stream, child, resample_counts};
use super::replicate::{
    Estimate, RESAMPLES, check_level, percentiles, rank_instability, share_above,
};

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    /// Name of the factor.
    pub name: String,
    /// True if values are numbers of categories without an order.
    pub categorical: bool,
    /// Names of categories by their value, for sentences; may be empty.
    pub labels: Vec<(f64, String)>,
}

impl TableColumn {
    /// An ordered column.
    pub fn number(name: impl Into<String>) -> Self {
        TableColumn {
            name: name.into(),
            categorical: false,
            labels: Vec::new(),
        }
    }

    /// The name of a category, or its value where it has none.
    pub fn label(&self, value: f64) -> String {
        let named = self.labels.iter().find(|(v, _)| *v == value);
        named.map_or_else(|| value.to_string(), |(_, label)| label.clone())
    }

    /// A column of categories with the names of values.
    pub fn category(name: impl Into<String>, labels: Vec<(f64, String)>) -> Self {
        TableColumn {
            name: name.into(),
            categorical: true,
            labels,
        }
    }
}

/// Factor values and an output, complete rows only.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<TableColumn>,
    // Column after column.
    x: Vec<f64>,
    y: Vec<f64>,
    rows: Vec<usize>,
    completeness: Completeness,
}

impl Table {
    /// Takes `x` row after row (rows x columns, in the units of the factors) and one outcome a row.
    /// Rows of failed runs are left out and counted.
    ///
    /// # Errors
    /// [`Error::NoFactors`]; [`Error::Length`]; [`Error::NotFinite`] with row and column of a NaN or
    /// an infinite value, in `x` (failed runs included) or in the output.
    pub fn new(columns: Vec<TableColumn>, x: &[f64], outcomes: &[Outcome]) -> Result<Self, Error> {
        let d = columns.len();
        if d == 0 {
            return Err(Error::NoFactors);
        }
        if x.len() != d * outcomes.len() {
            let (expected, got) = (d * outcomes.len(), x.len());
            return Err(Error::Length {
                what: "factor values",
                expected,
                got,
            });
        }
        if let Some(at) = x.iter().position(|v| !v.is_finite()) {
            let column = columns[at % d].name.clone();
            return Err(Error::NotFinite {
                row: at / d,
                column,
                value: x[at].to_string(),
            });
        }
        let blocks = Blocks::new(outcomes, 1)?;
        let rows: Vec<usize> = (0..outcomes.len())
            .filter(|&r| blocks.complete[r])
            .collect();
        let mut by_column = Vec::with_capacity(d * rows.len());
        for column in 0..d {
            by_column.extend(rows.iter().map(|&row| x[row * d + column]));
        }
        let y = rows.iter().map(|&row| blocks.values[row]).collect();
        Ok(Table {
            columns,
            x: by_column,
            y,
            rows,
            completeness: blocks.completeness,
        })
    }

    /// The table of a design that was run from its first row.
    ///
    /// # Errors
    /// As [`Table::new`], and [`Error::Length`] for more outcomes than rows.
    pub fn of_design(design: &dyn Design, outcomes: &[Outcome]) -> Result<Self, Error> {
        if outcomes.len() > design.rows() {
            let (expected, got) = (design.rows(), outcomes.len());
            return Err(Error::Length {
                what: "outcomes",
                expected,
                got,
            });
        }
        let factors = design.factors().list();
        let column = |f: &Factor| match f.levels() {
            Some(levels) if f.is_categorical() => {
                let labels = levels.iter().map(|l| (l.value, l.name.clone()));
                TableColumn::category(&f.name, labels.collect())
            }
            _ => TableColumn::number(&f.name),
        };
        let mut x = vec![0.0; factors.len() * outcomes.len()];
        x.par_chunks_mut(factors.len())
            .enumerate()
            .for_each(|(row, values)| {
                design.row(row, values);
            });
        Table::new(factors.iter().map(column).collect(), &x, outcomes)
    }

    /// The same table with another output made of the first, for example the indicator of an
    /// endgame.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the function gives a NaN.
    pub fn map_output(&self, f: impl Fn(f64) -> f64) -> Result<Self, Error> {
        let mut table = self.clone();
        for (y, row) in table.y.iter_mut().zip(&self.rows) {
            *y = f(*y);
            if !y.is_finite() {
                let column = "output".to_owned();
                return Err(Error::NotFinite {
                    row: *row,
                    column,
                    value: y.to_string(),
                });
            }
        }
        Ok(table)
    }

    /// The columns.
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// Number of complete rows.
    pub fn rows(&self) -> usize {
        self.y.len()
    }

    /// Absolute number of each complete row.
    pub fn row_numbers(&self) -> &[usize] {
        &self.rows
    }

    /// Failed runs and the rows left.
    pub fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// Values of a column in the complete rows.
    pub fn x(&self, column: usize) -> &[f64] {
        &self.x[column * self.y.len()..(column + 1) * self.y.len()]
    }

    /// Outputs of the complete rows.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    /// The rows for which `keep` is true, by their place among the complete rows: for example those
    /// outside a box, to look for another. The completeness stays that of the whole table.
    pub fn filtered(&self, keep: impl Fn(usize) -> bool) -> Self {
        let places: Vec<usize> = (0..self.rows()).filter(|&i| keep(i)).collect();
        let take = |values: &[f64]| places.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        Table {
            columns: self.columns.clone(),
            x: (0..self.columns.len())
                .flat_map(|j| take(self.x(j)))
                .collect(),
            y: take(&self.y),
            rows: places.iter().map(|&i| self.rows[i]).collect(),
            completeness: self.completeness.clone(),
        }
    }

    /// As how many rows of a normal output the rows count: 3 (sum z^2)^2 / sum z^4 of the centred
    /// outputs, the number of rows if their kurtosis is that of the normal distribution. Far fewer
    /// than there are rows: a few rows have most of the variance.
    pub fn effective_rows(&self) -> f64 {
        let n = self.rows() as f64;
        let mean = self.y.iter().sum::<f64>() / n;
        let squares = || self.y.iter().map(|y| (y - mean) * (y - mean));
        let (second, fourth): (f64, f64) = (
            squares().sum(),
            squares().map(|square| square * square).sum(),
        );
        if fourth > 0.0 {
            (3.0 * second * second / fourth).min(n)
        } else {
            n
        }
    }

    pub(crate) fn need_rows(&self, needed: usize) -> Result<(), Error> {
        if self.rows() >= needed {
            return Ok(());
        }
        Err(Error::TooFewRows {
            got: self.rows(),
            total: self.completeness.blocks,
            needed,
            failed: self.completeness.failed_rows.len(),
        })
    }

    pub(crate) fn need_variance(&self) -> Result<(), Error> {
        if self.y.iter().any(|&y| y != self.y[0]) {
            Ok(())
        } else {
            Err(Error::ConstantOutput)
        }
    }

    /// Numbers of the rows in increasing order of a column, equal values in order of rows.
    pub(crate) fn order(&self, column: usize) -> Vec<u32> {
        order_of(self.x(column))
    }
}

/// Numbers of the values in increasing order, equal values in order of their numbers.
pub(crate) fn order_of(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    let key = |i: u32| values[i as usize];
    order.sort_unstable_by(|&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
    order
}

/// Runs of equal values in an order.
pub(crate) fn ties<'a>(order: &'a [u32], values: &'a [f64]) -> impl Iterator<Item = &'a [u32]> {
    order.chunk_by(|&a, &b| values[a as usize] == values[b as usize])
}

/// How intervals are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampling {
    /// Number of resamples of the rows, at least 100.
    pub resamples: usize,
    /// Nominal coverage of the intervals, for example 0.95.
    pub level: f64,
    /// Seed of resamples and dummies.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Resampling {
            resamples: 200,
            level: 0.95,
            seed: 0,
        }
    }
}

/// Indices of one kind for all columns of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenIndices {
    /// Name and index of each column; `None` where the method does not apply to the column.
    pub columns: Vec<(String, Option<Estimate>)>,
    /// The index of a column of random numbers.
    pub dummy: Estimate,
    /// As [`super::SobolIndices::rank_instability`], of the sizes of the indices.
    pub rank_instability: f64,
    /// Failed runs and the rows left.
    pub completeness: Completeness,
}

/// Random orders of a column that show what it would get if it did nothing.
const DUMMIES: usize = 1000;

/// What `index` is of the rows in each of [`DUMMIES`] random orders.
fn of_random_orders(rows: usize, key: u64, index: impl Fn(&[u32]) -> f64 + Sync) -> Vec<f64> {
    let draw = |number: usize| {
        let mut order: Vec<u32> = (0..rows as u32).collect();
        Stream::new(child(key, number as u64)).shuffle(&mut order);
        index(&order)
    };
    (0..DUMMIES).into_par_iter().map(draw).collect()
}

/// Bootstraps a statistic of weighted rows. `statistic` takes the weight of each row and the key of
/// a dummy and gives one value per column and then that of the dummy, or nothing if the resample is
/// degenerate (another is then drawn).
///
/// Intervals are the bootstrap percentiles moved so that their mean is the estimate: statistics like
/// a largest distance are biased upwards, and more so on resamples. `above_dummy` compares sizes
/// on the same resample: for indices that any kind of column gets alike if it does nothing.
fn bootstrap(
    table: &Table,
    options: &Resampling,
    statistic: impl Fn(&[f64], u64) -> Result<Vec<f64>, Error> + Sync,
) -> Result<Bootstrapped, Error> {
    check_level(options.level)?;
    if options.resamples < 100 {
        return Err(Error::setting("resamples", "at least 100 are needed"));
    }
    let n = table.rows();
    let full = statistic(&vec![1.0; n], child(options.seed, u64::MAX))?;
    let resample = |b: usize| {
        let key = child(options.seed, b as u64);
        let mut last = Err(Error::ConstantOutput);
        // A rare category may be missing from a resample.
        for attempt in 0..50 {
            let key = child(key, attempt);
            let weights: Vec<f64> = resample_counts(n, key).into_iter().map(f64::from).collect();
            last = statistic(&weights, child(key, u64::MAX));
            if last.is_ok() {
                break;
            }
        }
        last
    };
    let resamples: Result<Vec<Vec<f64>>, Error> = (0..options.resamples)
        .into_par_iter()
        .map(resample)
        .collect();
    let resamples = resamples?;
    let count = resamples.len() as f64;
    let dummy = full.len() - 1;
    let estimate = |i: usize| {
        let mean = resamples.iter().map(|v| v[i]).sum::<f64>() / count;
        let centred = resamples.iter().map(|v| full[i] + v[i] - mean).collect();
        let above = share_above(resamples.iter().map(|v| v[i].abs() - v[dummy].abs()));
        percentiles(
            full[i],
            centred,
            options.level,
            (i != dummy).then_some(above),
        )
    };
    let sizes = |v: &Vec<f64>| v[..dummy].iter().map(|x| x.abs()).collect();
    let sizes: Vec<Vec<f64>> = resamples.iter().take(RESAMPLES).map(sizes).collect();
    Ok(Bootstrapped {
        columns: (0..dummy).map(estimate).collect(),
        dummy: estimate(dummy),
        rank_instability: rank_instability(&sizes),
    })
}

/// What [`bootstrap`] gives.
struct Bootstrapped {
    columns: Vec<Estimate>,
    dummy: Estimate,
    rank_instability: f64,
}

impl Bootstrapped {
    /// Compares the index of each column with `index`, what it is of the column in random orders of the rows. Columns of one `kind`
    /// have the same indices in random orders.
    fn compare_with_random_orders<Kind: Ord>(
        &mut self,
        rows: usize,
        seed: u64,
        kind: impl Fn(usize) -> Kind,
        index: impl Fn(usize, &[u32]) -> f64 + Sync,
    ) {
        let mut random: BTreeMap<Kind, Vec<f64>> = BTreeMap::new();
        for (column, estimate) in self.columns.iter_mut().enumerate() {
            let key = child(!seed, random.len() as u64);
            let random = random
                .entry(kind(column))
                .or_insert_with(|| of_random_orders(rows, key, |order| index(column, order)));
            let above = random.iter().map(|dummy| estimate.value - dummy);
            estimate.above_dummy = Some(share_above(above));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::design::{Sample, run};
    use crate::sensitivity::error::Failure;
    use crate::sensitivity::testbed::*;

    #[test]
    fn bad_rows_are_named_and_failed_rows_left_out() {
        let columns = vec![TableColumn::number("a"), TableColumn::number("b")];
        let mut x = vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let y = vec![Ok(1.0), Err(Failure::new("late")), Ok(3.0)];
        let table = Table::new(columns.clone(), &x, &y).unwrap();
        assert_eq!(table.x(1), [1.0, 5.0]);
        assert_eq!(table.y(), [1.0, 3.0]);
        assert_eq!(table.row_numbers(), [0, 2]);
        assert_eq!(table.completeness().failures["late"], 1);
        x[3] = f64::NAN;
        let error = Table::new(columns.clone(), &x, &y).unwrap_err();
        assert_eq!(
            error.to_string(),
            "row 1: `b` is NaN, which is not a finite number"
        );
        x[3] = 3.0;
        let nan = vec![Ok(1.0), Ok(2.0), Ok(f64::INFINITY)];
        let error = Table::new(columns.clone(), &x, &nan).unwrap_err();
        assert!(matches!(error, Error::NotFinite { row: 2, .. }));
        assert!(matches!(
            Table::new(columns, &x[1..], &y),
            Err(Error::Length { .. })
        ));
    }

    #[test]
    fn same_bits_for_any_number_of_threads() {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let design = Sample::latin_hypercube(ishigami_factors(), 500, 1).unwrap();
                let outcomes = run(&design, 0..500, &noisy_ishigami);
                let table = Table::of_design(&design, &outcomes).unwrap();
                let options = Resampling::default();
                let unit = table.map_output(|y| f64::from(u8::from(y > 3.5))).unwrap();
                [
                    rank_indices(&table, 0.95, 1).unwrap(),
                    pawn_indices(&table, 10, PawnStatistic::Median, &options).unwrap(),
                    prcc(&table, &options).unwrap(),
                    regional_sensitivity(&unit, &options).unwrap(),
                ]
            })
        };
        let one = with(1);
        assert_eq!(one, with(2));
        assert_eq!(one, with(3));
    }

    #[test]
    fn constant_outputs_and_short_tables_are_errors() {
        let design = Sample::sobol(uniform(2, 0.0, 1.0), 400, 1).unwrap();
        let table = Table::of_design(&design, &vec![Ok(0.5); 400]).unwrap();
        let options = Resampling::default();
        assert_eq!(
            rank_indices(&table, 0.95, 1).unwrap_err(),
            Error::ConstantOutput
        );
        let pawn = pawn_indices(&table, 10, PawnStatistic::Max, &options);
        assert_eq!(pawn.unwrap_err(), Error::ConstantOutput);
        assert_eq!(prcc(&table, &options).unwrap_err(), Error::ConstantOutput);
        assert_eq!(
            regional_sensitivity(&table, &options).unwrap_err(),
            Error::ConstantOutput
        );
        let table = Table::of_design(&design, &vec![Ok(0.5); 5]).unwrap();
        assert!(matches!(
            rank_indices(&table, 0.95, 1),
            Err(Error::TooFewRows { .. })
        ));
    }
}
