//! PAWN: distances between conditional and unconditional distributions.

use super::{GivenIndices, Resampling, Table, bootstrap, order_of, ties};
use crate::sensitivity::error::Error;
use crate::sensitivity::hash::{below, child};

/// How the distances of the slices become one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PawnStatistic {
    /// The median, not moved by one odd slice.
    Median,
    /// The mean.
    Mean,
    /// The maximum, for screening: small only if no slice matters. The most biased upwards.
    Max,
}

/// PAWN indices: the Kolmogorov-Smirnov distance between the distribution of the output in a slice
/// of a factor and in all rows, summarised over the slices; from 0 to 1, no unit.
///
/// An ordered column is cut in `slices` of about equal numbers of rows (equal values stay
/// together), a categorical column has one slice for each category. The index of a factor that does
/// nothing is not 0 but about 1 / sqrt(rows of a slice): compare with the dummy. That which is shown has `slices`
/// slices drawn at random; `above_dummy` compares a column with its own slices in random order, however many and
/// large they are, and is uniform for one that does nothing. Intervals hold the expected index at this number of
/// rows.
///
/// Source: Pianosi & Wagener (2015) Environ. Model. Softw. 67, 1, eq. 4-5, and (2018) 108, 197
/// (generic samples).
///
/// # Errors
/// [`Error::TooFewRows`] for fewer than 5 rows a slice, [`Error::ConstantOutput`],
/// [`Error::BadSetting`].
pub fn pawn_indices(
    table: &Table,
    slices: usize,
    statistic: PawnStatistic,
    options: &Resampling,
) -> Result<GivenIndices, Error> {
    if slices < 2 {
        return Err(Error::setting("slices", "at least 2 are needed"));
    }
    table.need_rows(5 * slices)?;
    table.need_variance()?;
    let d = table.columns().len();
    let sliced: Vec<Vec<u32>> = (0..d).map(|j| slices_of(table, j, slices)).collect();
    let y_order = order_of(table.y());
    let index = |weights: &[f64], dummy_key: u64| {
        let mut all: Vec<f64> = sliced
            .iter()
            .map(|slice| summary(distances(&y_order, table.y(), slice, weights), statistic))
            .collect();
        let random = |row: usize| below(child(dummy_key, row as u64), slices) as u32;
        let dummy: Vec<u32> = (0..table.rows()).map(random).collect();
        all.push(summary(
            distances(&y_order, table.y(), &dummy, weights),
            statistic,
        ));
        Ok(all)
    };
    let mut found = bootstrap(table, options, index)?;
    let ones = vec![1.0; table.rows()];
    // Slices of the same sizes have the same indices in random orders.
    let kind = |j: usize| sizes(&sliced[j]);
    found.compare_with_random_orders(table.rows(), options.seed, kind, |j, order| {
        let moved: Vec<u32> = order.iter().map(|&row| sliced[j][row as usize]).collect();
        summary(distances(&y_order, table.y(), &moved, &ones), statistic)
    });
    let names = table.columns().iter().map(|c| c.name.clone());
    Ok(GivenIndices {
        columns: names.zip(found.columns.into_iter().map(Some)).collect(),
        dummy: found.dummy,
        rank_instability: found.rank_instability,
        completeness: table.completeness().clone(),
    })
}

/// The slice of each row.
fn slices_of(table: &Table, column: usize, slices: usize) -> Vec<u32> {
    let order = table.order(column);
    let categorical = table.columns()[column].categorical;
    let mut slice_of = vec![0; table.rows()];
    let mut before = 0;
    for (number, tie) in ties(&order, table.x(column)).enumerate() {
        let middle = before + tie.len() / 2;
        let slice = if categorical {
            number
        } else {
            middle * slices / table.rows()
        };
        for &row in tie {
            slice_of[row as usize] = slice as u32;
        }
        before += tie.len();
    }
    slice_of
}

/// Numbers of rows of the slices, in increasing order.
fn sizes(slice_of: &[u32]) -> Vec<usize> {
    let mut sorted = slice_of.to_vec();
    sorted.sort_unstable();
    let mut sizes: Vec<usize> = sorted.chunk_by(|a, b| a == b).map(<[u32]>::len).collect();
    sizes.sort_unstable();
    sizes
}

/// Distance of each slice that has weight. Between two rows of a slice only the unconditional
/// distribution grows, so it is enough to look before and after each row of the slice.
fn distances(order: &[u32], y: &[f64], slice_of: &[u32], weights: &[f64]) -> Vec<f64> {
    let slices = slice_of.iter().max().map_or(0, |&s| s as usize + 1);
    let mut totals = vec![0.0; slices];
    for (&slice, weight) in slice_of.iter().zip(weights) {
        totals[slice as usize] += weight;
    }
    let total: f64 = weights.iter().sum();
    let mut reached = vec![0.0; slices];
    let mut farthest = vec![0.0f64; slices];
    let mut all = 0.0;
    for tie in ties(order, y) {
        let look = |row: u32, all: f64, reached: &[f64], farthest: &mut [f64]| {
            let slice = slice_of[row as usize] as usize;
            if totals[slice] > 0.0 {
                let distance = (reached[slice] / totals[slice] - all / total).abs();
                farthest[slice] = farthest[slice].max(distance);
            }
        };
        for &row in tie {
            look(row, all, &reached, &mut farthest);
        }
        for &row in tie {
            all += weights[row as usize];
            reached[slice_of[row as usize] as usize] += weights[row as usize];
        }
        for &row in tie {
            look(row, all, &reached, &mut farthest);
        }
    }
    (0..slices)
        .filter(|&s| totals[s] > 0.0)
        .map(|s| farthest[s])
        .collect()
}

fn summary(mut distances: Vec<f64>, statistic: PawnStatistic) -> f64 {
    distances.sort_by(f64::total_cmp);
    let n = distances.len();
    match statistic {
        PawnStatistic::Median => 0.5 * (distances[(n - 1) / 2] + distances[n / 2]),
        PawnStatistic::Mean => distances.iter().sum::<f64>() / n as f64,
        PawnStatistic::Max => distances[n - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::design::{Design, Sample, run};
    use crate::sensitivity::factor::{Factor, Factors};
    use crate::sensitivity::testbed::*;

    /// Y = x1: the distance of slice k of 10 is max(k, 9 - k) / 10. x2 does nothing.
    #[test]
    fn closed_form() {
        let design = Sample::latin_hypercube(uniform(2, 0.0, 1.0), 4000, 1).unwrap();
        let outcomes = run(&design, 0..4000, &|x: &[f64], _: u64| Ok(x[0]));
        let table = Table::of_design(&design, &outcomes).unwrap();
        let options = Resampling::default();
        for (statistic, value) in [
            (PawnStatistic::Median, 0.7),
            (PawnStatistic::Mean, 0.7),
            (PawnStatistic::Max, 0.9),
        ] {
            let indices = pawn_indices(&table, 10, statistic, &options).unwrap();
            let (x1, x2) = (indices.columns[0].1.unwrap(), indices.columns[1].1.unwrap());
            assert!((x1.value - value).abs() < 2e-3, "{x1:?}");
            assert!(x2.value < 0.12 && x2.above_dummy < Some(0.99), "{x2:?}");
            assert_eq!(x1.above_dummy, Some(1.0));
            assert!(x2.value > 0.0 && indices.dummy.value > 0.0);
        }
    }

    /// The distances in one pass are those of the definition.
    #[test]
    fn distances_by_definition() {
        let y = [3.0, 1.0, 2.0, 2.0, 5.0, 1.0, 4.0, 2.0];
        let slice_of = [0, 0, 1, 0, 1, 2, 2, 1];
        let weights = [1.0, 2.0, 0.0, 1.0, 3.0, 1.0, 1.0, 2.0];
        let fast = distances(&order_of(&y), &y, &slice_of, &weights);
        for slice in 0..3 {
            let cdf = |at: f64, of: &dyn Fn(usize) -> bool| {
                let rows = || (0..8).filter(|&i| of(i));
                let below: f64 = rows().filter(|&i| y[i] <= at).map(|i| weights[i]).sum();
                below / rows().map(|i| weights[i]).sum::<f64>()
            };
            let at = |v: f64| (cdf(v, &|i| slice_of[i] == slice) - cdf(v, &|_| true)).abs();
            let slow = y.iter().map(|&v| at(v)).fold(0.0, f64::max);
            assert!((fast[slice as usize] - slow).abs() < 1e-15);
        }
    }

    /// P > dummy of columns that do nothing is uniform, whatever their kind: over 100 tables its mean is 1/2 to within 4
    /// standard errors of 1 / sqrt(12 x 100) = 0.029. Halves of 400 rows whose means are 0.6 standard deviations apart have a
    /// distance of 0.236 from each other, where 0.136 is significant at 5 %.
    #[test]
    fn columns_of_any_kind_are_compared_with_their_like() {
        let factors = Factors::new(vec![
            Factor::discrete("binary", &[0.0, 1.0]),
            Factor::categorical("ten", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]),
            Factor::discrete("five", &[0.0, 1.0, 2.0, 3.0, 4.0]),
            Factor::uniform("number", 0.0, 1.0),
            Factor::discrete("works", &[0.0, 1.0]),
        ])
        .unwrap();
        let model = |x: &[f64], key: u64| Ok(0.6 * x[4] + normal(key, 0));
        let mut above = [0.0; 5];
        for seed in 0..100 {
            let design = Sample::random(factors.clone(), 400, seed).unwrap();
            let table = Table::of_design(&design, &run(&design, 0..400, &model)).unwrap();
            let options = Resampling {
                resamples: 100,
                seed,
                ..Resampling::default()
            };
            let found = pawn_indices(&table, 10, PawnStatistic::Median, &options).unwrap();
            for (mean, (_, e)) in above.iter_mut().zip(&found.columns) {
                *mean += e.unwrap().above_dummy.unwrap() / 100.0;
            }
        }
        for mean in &above[..4] {
            assert!((mean - 0.5).abs() < 0.12, "{above:?}");
        }
        assert!(above[4] > 0.98, "{above:?}");
    }

    /// One category of three decides a coin: distances 2/3, 1/3 and 1/3 from P(Y = 1) = 1/3.
    #[test]
    fn categories() {
        let why = Factor::categorical("why", &["a", "b", "c"]);
        let design = Sample::sobol(Factors::new(vec![why]).unwrap(), 3000, 2).unwrap();
        let model = |x: &[f64], _: u64| Ok(f64::from(u8::from(x[0] == 1.0)));
        let outcomes = run(&design, 0..design.rows(), &model);
        let table = Table::of_design(&design, &outcomes).unwrap();
        let options = Resampling::default();
        let max = pawn_indices(&table, 10, PawnStatistic::Max, &options).unwrap();
        assert!((max.columns[0].1.unwrap().value - 2.0 / 3.0).abs() < 1e-2);
        let median = pawn_indices(&table, 10, PawnStatistic::Median, &options).unwrap();
        assert!((median.columns[0].1.unwrap().value - 1.0 / 3.0).abs() < 1e-2);
    }
}
