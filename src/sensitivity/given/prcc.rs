//! Partial rank correlation coefficients.

use super::{GivenIndices, Resampling, Table, bootstrap, order_of, ties};
use crate::sensitivity::error::Error;
use crate::sensitivity::hash::{child, unit};

/// Partial rank correlation of each ordered column with the output: the correlation of their ranks
/// once the linear effect of the ranks of all other columns is taken out of both; from -1 to 1, no
/// unit. It is meant for monotonic effects: a factor that acts up and down may have none.
///
/// Equal values have their mean rank. A categorical column has no rank: it is held fixed (one
/// indicator for each category but the first) and has no coefficient of its own. Intervals are from
/// the row bootstrap, ranks taken anew in each resample.
///
/// Source: Iman & Conover (1979) Technometrics 21, 499; Marino et al. (2008) J. Theor. Biol. 254,
/// 178, section 2.3. With P the inverse correlation matrix, the coefficient is
/// -P_jy / sqrt(P_jj P_yy).
///
/// # Errors
/// [`Error::Collinear`] with the name of a column that the others determine,
/// [`Error::ConstantOutput`], [`Error::TooFewRows`] below 5 rows more than columns,
/// [`Error::BadSetting`].
pub fn prcc(table: &Table, options: &Resampling) -> Result<GivenIndices, Error> {
    let variables = Variables::new(table);
    table.need_rows(variables.list.len() + 5)?;
    table.need_variance()?;
    let ordered: Vec<usize> = (0..variables.list.len())
        .filter(|&v| matches!(variables.list[v], Variable::Ranks { .. }))
        .collect();
    let index = |weights: &[f64], dummy_key: u64| {
        let partial = variables.partial(weights, dummy_key)?;
        let mut all: Vec<f64> = ordered.iter().map(|&v| partial[v]).collect();
        all.push(partial[variables.list.len()]);
        Ok(all)
    };
    let found = bootstrap(table, options, index)?;
    let mut estimates = found.columns.into_iter();
    let mut columns = Vec::new();
    for column in table.columns() {
        let estimate = if column.categorical {
            None
        } else {
            estimates.next()
        };
        columns.push((column.name.clone(), estimate));
    }
    Ok(GivenIndices {
        columns,
        dummy: found.dummy,
        rank_instability: found.rank_instability,
        completeness: table.completeness().clone(),
    })
}

enum Variable {
    Ranks { column: usize, order: Vec<u32> },
    Indicator { column: usize, category: f64 },
}

struct Variables<'a> {
    table: &'a Table,
    list: Vec<Variable>,
    y_order: Vec<u32>,
}

impl<'a> Variables<'a> {
    fn new(table: &'a Table) -> Self {
        let mut list = Vec::new();
        for (column, c) in table.columns().iter().enumerate() {
            let order = table.order(column);
            if c.categorical {
                let x = table.x(column);
                let categories = ties(&order, x).map(|tie| x[tie[0] as usize]);
                let others = categories.skip(1);
                list.extend(others.map(|category| Variable::Indicator { column, category }));
            } else {
                list.push(Variable::Ranks { column, order });
            }
        }
        Variables {
            table,
            list,
            y_order: order_of(table.y()),
        }
    }

    fn name(&self, v: usize) -> String {
        let column = match self.list.get(v) {
            Some(Variable::Ranks { column, .. } | Variable::Indicator { column, .. }) => *column,
            None => return "output".to_owned(),
        };
        self.table.columns()[column].name.clone()
    }

    /// Partial correlation of each variable, and then of a dummy, with the output.
    fn partial(&self, weights: &[f64], dummy_key: u64) -> Result<Vec<f64>, Error> {
        let n = self.table.rows();
        let size = self.list.len() + 2;
        // Row after row, so that one pass adds up all products.
        let mut z = vec![0.0; n * size];
        for (v, variable) in self.list.iter().enumerate() {
            match variable {
                Variable::Ranks { column, order } => {
                    ranks(order, self.table.x(*column), weights, |row, r| {
                        z[row * size + v] = r
                    });
                }
                Variable::Indicator { column, category } => {
                    for (row, x) in self.table.x(*column).iter().enumerate() {
                        z[row * size + v] = f64::from(u8::from(x == category));
                    }
                }
            }
        }
        // A uniform number is its own rank but for scale and a little noise.
        for row in 0..n {
            z[row * size + size - 2] = unit(child(dummy_key, row as u64));
        }
        ranks(&self.y_order, self.table.y(), weights, |row, r| {
            z[row * size + size - 1] = r
        });
        let mut matrix = correlations(&z, weights, size, |v| self.name(v))?;
        // The dummy is left out of the coefficients of the others.
        let with_dummy = invert(&mut matrix.clone(), size, |v| self.name(v))?;
        let keep: Vec<usize> = (0..size).filter(|&v| v != size - 2).collect();
        let small: Vec<f64> = keep
            .iter()
            .flat_map(|&i| keep.iter().map(move |&j| (i, j)))
            .map(|(i, j)| matrix[i * size + j])
            .collect();
        matrix = small;
        let inverse = invert(&mut matrix, size - 1, |v| self.name(v))?;
        let coefficient = |p: &[f64], size: usize, v: usize| {
            let y = size - 1;
            -p[v * size + y] / (p[v * size + v] * p[y * size + y]).sqrt()
        };
        let mut all: Vec<f64> = (0..self.list.len())
            .map(|v| coefficient(&inverse, size - 1, v))
            .collect();
        all.push(coefficient(&with_dummy, size, size - 2));
        Ok(all)
    }
}

/// Gives each row its rank among weighted rows; equal values share their mean rank.
fn ranks(order: &[u32], x: &[f64], weights: &[f64], mut give: impl FnMut(usize, f64)) {
    let mut below = 0.0;
    for tie in ties(order, x) {
        let weight: f64 = tie.iter().map(|&row| weights[row as usize]).sum();
        for &row in tie {
            give(row as usize, below + 0.5 * (weight + 1.0));
        }
        below += weight;
    }
}

fn correlations(
    z: &[f64],
    weights: &[f64],
    size: usize,
    name: impl Fn(usize) -> String,
) -> Result<Vec<f64>, Error> {
    let total: f64 = weights.iter().sum();
    let mut mean = vec![0.0; size];
    for (row, w) in z.chunks(size).zip(weights) {
        for (m, v) in mean.iter_mut().zip(row) {
            *m += w * v / total;
        }
    }
    let mut products = vec![0.0; size * size];
    let mut centred = vec![0.0; size];
    for (row, &w) in z.chunks(size).zip(weights) {
        if w == 0.0 {
            continue;
        }
        for ((c, v), m) in centred.iter_mut().zip(row).zip(&mean) {
            *c = v - m;
        }
        for i in 0..size {
            let scaled = w * centred[i];
            for (p, c) in products[i * size..=i * size + i].iter_mut().zip(&centred) {
                *p += scaled * c;
            }
        }
    }
    let mut matrix = vec![0.0; size * size];
    for i in 0..size {
        let scale = products[i * size + i];
        if scale <= 1e-12 * total {
            return Err(if i == size - 1 {
                Error::ConstantOutput
            } else {
                Error::Collinear(name(i))
            });
        }
        for j in 0..=i {
            let value = products[i * size + j] / (scale * products[j * size + j]).sqrt();
            matrix[i * size + j] = value;
            matrix[j * size + i] = value;
        }
    }
    Ok(matrix)
}

/// Inverse of a correlation matrix by Gauss-Jordan elimination, which needs no pivoting for
/// positive definite matrices.
fn invert(
    matrix: &mut [f64],
    size: usize,
    name: impl Fn(usize) -> String,
) -> Result<Vec<f64>, Error> {
    let mut inverse = vec![0.0; size * size];
    for i in 0..size {
        inverse[i * size + i] = 1.0;
    }
    for k in 0..size {
        let pivot = matrix[k * size + k];
        // What is left of the unit variance once all columns before are taken out. If only the
        // output is left without variance, its ranks are a sum of those of the factors: legal.
        if pivot < 1e-10 && k + 1 < size {
            return Err(Error::Collinear(name(k)));
        }
        let pivot = pivot.max(1e-15);
        for j in 0..size {
            matrix[k * size + j] /= pivot;
            inverse[k * size + j] /= pivot;
        }
        for i in 0..size {
            let factor = matrix[i * size + k];
            if i != k && factor != 0.0 {
                for j in 0..size {
                    matrix[i * size + j] -= factor * matrix[k * size + j];
                    inverse[i * size + j] -= factor * inverse[k * size + j];
                }
            }
        }
    }
    Ok(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::normal_quantile;
    use crate::sensitivity::design::{Sample, run};
    use crate::sensitivity::error::Outcome;
    use crate::sensitivity::factor::{Factor, Factors};
    use crate::sensitivity::testbed::*;

    const SPEARMAN: f64 = 0.690_160;

    /// z(x1) + noise, both standard normal: correlation 1/sqrt(2), so Spearman's is
    /// 6/pi asin(1/(2 sqrt(2))) = 0.69016 (Pearson 1907).
    fn noisy_normal(x: &[f64], key: u64) -> Outcome {
        Ok(normal_quantile(x[0]) + normal(key, 3))
    }

    #[test]
    fn one_factor_gives_spearman() {
        let design = Sample::latin_hypercube(uniform(1, 0.0, 1.0), 50_000, 1).unwrap();
        let table = Table::of_design(&design, &run(&design, 0..50_000, &noisy_normal)).unwrap();
        let options = Resampling {
            resamples: 100,
            ..Resampling::default()
        };
        let e = prcc(&table, &options).unwrap().columns[0].1.unwrap();
        assert!((e.value - SPEARMAN).abs() < 1e-2, "{e:?}");
    }

    /// The definition: residuals of ranks on the ranks of the others, correlated.
    #[test]
    fn inverse_matrix_gives_correlations_of_residuals() {
        let design = Sample::latin_hypercube(uniform(2, 0.0, 1.0), 500, 1).unwrap();
        let outcomes = run(&design, 0..500, &|x: &[f64], key: u64| {
            Ok(x[0] - 2.0 * x[1] * x[1] + 0.3 * normal(key, 0))
        });
        let table = Table::of_design(&design, &outcomes).unwrap();
        let got = prcc(&table, &Resampling::default()).unwrap();
        let rank = |values: &[f64]| {
            let order = order_of(values);
            let mut r = vec![0.0; values.len()];
            order
                .iter()
                .enumerate()
                .for_each(|(i, &row)| r[row as usize] = i as f64 - 249.5);
            r
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let residual = |a: &[f64], on: &[f64]| {
            let slope = dot(a, on) / dot(on, on);
            a.iter()
                .zip(on)
                .map(|(a, b)| a - slope * b)
                .collect::<Vec<_>>()
        };
        let (x0, x1, y) = (rank(table.x(0)), rank(table.x(1)), rank(table.y()));
        for (i, (x, other)) in [(&x0, &x1), (&x1, &x0)].into_iter().enumerate() {
            let (a, b) = (residual(x, other), residual(&y, other));
            let direct = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
            assert!((got.columns[i].1.unwrap().value - direct).abs() < 1e-12);
        }
        assert!(got.columns[1].1.unwrap().high < 0.0);
    }

    #[test]
    fn categories_are_held_fixed_and_collinear_columns_named() {
        let why = Factor::categorical("why", &["a", "b", "c"]);
        let x = Factor::uniform("x", 0.0, 1.0);
        let factors = Factors::new(vec![why, x]).unwrap();
        let design = Sample::sobol(factors, 600, 2).unwrap();
        // The category is by far the largest effect; held fixed, x explains the rest.
        let model = |x: &[f64], _: u64| Ok([50.0, 0.0, 100.0][x[0] as usize] + x[1]);
        let table = Table::of_design(&design, &run(&design, 0..600, &model)).unwrap();
        let got = prcc(&table, &Resampling::default()).unwrap();
        assert_eq!(got.columns[0].1, None);
        assert!(got.columns[1].1.unwrap().value > 0.99);

        let columns = table.columns().to_vec();
        let columns = [
            columns[1].clone(),
            super::super::TableColumn::number("copy"),
        ];
        let x: Vec<f64> = table.x(1).iter().flat_map(|&x| [x, 3.0 * x]).collect();
        let y: Vec<Outcome> = table.y().iter().map(|&y| Ok(y)).collect();
        let twice = Table::new(columns.to_vec(), &x, &y).unwrap();
        let error = prcc(&twice, &Resampling::default()).unwrap_err();
        assert_eq!(error, Error::Collinear("copy".into()));
    }

    /// Coverage of the 95 % interval over 300 tables of 200 rows, within 4 standard errors.
    #[test]
    fn coverage() {
        let mut covered = 0;
        for seed in 0..300 {
            let design = Sample::latin_hypercube(uniform(1, 0.0, 1.0), 200, seed).unwrap();
            let table = Table::of_design(&design, &run(&design, 0..200, &noisy_normal)).unwrap();
            let e = prcc(&table, &Resampling::default()).unwrap().columns[0]
                .1
                .unwrap();
            covered += usize::from(e.low <= SPEARMAN && SPEARMAN <= e.high);
        }
        let rate = covered as f64 / 300.0;
        eprintln!("prcc {rate}");
        assert!((rate - 0.95).abs() < 0.05, "{rate}");
    }
}
