//! Classification and regression trees (CART): a partition of all rows into boxes.

use rayon::prelude::*;

use super::boxes::{BoxStatistics, Limit, ScenarioBox, between};
use super::check_targets;
use crate::sensitivity::error::Error;
use crate::sensitivity::given::{Table, ties};

/// When to stop splitting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CartSettings {
    /// Largest number of leaves.
    pub max_leaves: usize,
    /// Smallest number of rows in a leaf.
    pub min_rows: usize,
    /// Smallest gain of a split, as a share of the sum of squares of all rows.
    pub min_gain: f64,
}

impl Default for CartSettings {
    fn default() -> Self {
        CartSettings {
            max_leaves: 8,
            min_rows: 20,
            min_gain: 0.005,
        }
    }
}

/// A leaf.
#[derive(Debug, Clone, PartialEq)]
pub struct CartLeaf {
    /// Its box; leaves do not overlap and hold all rows.
    pub scenario: ScenarioBox,
    /// What is in it.
    pub statistics: BoxStatistics,
}

/// The result of [`cart`].
#[derive(Debug, Clone, PartialEq)]
pub struct Cart {
    /// Mean target of all rows.
    pub base_rate: f64,
    /// Leaves, densest first.
    pub leaves: Vec<CartLeaf>,
    /// Share of the sum of squares of the targets that the leaves explain.
    pub explained: f64,
    /// Share of the sum of squares explained by the splits of each column.
    pub importance: Vec<f64>,
}

/// Grows a regression tree on the targets: the split with the largest fall of the sum of squares
/// comes first, wherever it is, until the settings stop it. (For targets of 0 and 1 this is Gini's
/// criterion.) Categories are sorted by their mean target and split in that order, which holds the
/// best of all splits of categories. Deterministic, O(columns rows log rows) and then
/// O(columns rows of the leaf) for each split. Trees are not pruned: `min_gain` has that part.
///
/// Source: Breiman, Friedman, Olshen & Stone (1984) "Classification and Regression Trees", sections
/// 8.4 and 9.4 (theorem 4.5 and proposition 8.16 on categories).
///
/// # Errors
/// [`Error::BadSetting`], [`Error::ConstantOutput`], [`Error::TooFewRows`].
pub fn cart(table: &Table, settings: &CartSettings) -> Result<Cart, Error> {
    check_targets(table)?;
    if settings.max_leaves == 0 || settings.min_rows == 0 {
        return Err(Error::setting(
            "max_leaves and min_rows",
            "must be at least 1",
        ));
    }
    let columns = 0..table.columns().len();
    let orders: Vec<Vec<u32>> = columns.into_par_iter().map(|j| table.order(j)).collect();
    let base_rate = table.y().iter().sum::<f64>() / table.rows() as f64;
    let squares: f64 = table
        .y()
        .iter()
        .map(|y| (y - base_rate) * (y - base_rate))
        .sum();
    let mut nodes = vec![Node::new(table, ScenarioBox::default(), orders, settings)];
    let mut importance = vec![0.0; table.columns().len()];
    while nodes.len() < settings.max_leaves {
        let mut best: Option<(usize, f64)> = None;
        for (i, node) in nodes.iter().enumerate() {
            let gain = node.split.as_ref().map_or(0.0, |s| s.gain / squares);
            if gain > best.map_or(0.0, |(_, g)| g) {
                best = Some((i, gain));
            }
        }
        let Some((i, gain)) = best.filter(|(_, gain)| *gain >= settings.min_gain) else {
            break;
        };
        let node = nodes.swap_remove(i);
        if let Some(split) = node.split {
            importance[split.column] += gain;
            let (left, right) = divide(table, node.scenario, node.orders, &split);
            nodes.push(Node::new(table, left.0, left.1, settings));
            nodes.push(Node::new(table, right.0, right.1, settings));
        }
    }
    let leaf = |node: Node| CartLeaf {
        statistics: node.scenario.statistics(table),
        scenario: node.scenario,
    };
    let mut leaves: Vec<CartLeaf> = nodes.into_iter().map(leaf).collect();
    leaves.sort_by(|a, b| b.statistics.density.total_cmp(&a.statistics.density));
    Ok(Cart {
        base_rate,
        leaves,
        explained: importance.iter().sum(),
        importance,
    })
}

/// A leaf on the way, with its best split.
struct Node {
    scenario: ScenarioBox,
    // Rows in the order of each column.
    orders: Vec<Vec<u32>>,
    split: Option<Split>,
}

struct Split {
    column: usize,
    gain: f64,
    left: Limit,
    right: Limit,
}

impl Node {
    fn new(
        table: &Table,
        scenario: ScenarioBox,
        orders: Vec<Vec<u32>>,
        settings: &CartSettings,
    ) -> Self {
        let splits: Vec<Option<Split>> = (0..orders.len())
            .into_par_iter()
            .map(|column| best_split(table, &scenario, column, &orders[column], settings))
            .collect();
        let mut split: Option<Split> = None;
        for candidate in splits.into_iter().flatten() {
            if split.as_ref().is_none_or(|s| candidate.gain > s.gain) {
                split = Some(candidate);
            }
        }
        Node {
            scenario,
            orders,
            split,
        }
    }
}

/// Rows of one value (or category): how many, the sum of their targets, the value.
struct Bin {
    n: usize,
    sum: f64,
    value: f64,
}

fn best_split(
    table: &Table,
    scenario: &ScenarioBox,
    column: usize,
    order: &[u32],
    settings: &CartSettings,
) -> Option<Split> {
    let (x, y) = (table.x(column), table.y());
    let bin = |tie: &[u32]| Bin {
        n: tie.len(),
        sum: tie.iter().map(|&row| y[row as usize]).sum(),
        value: x[tie[0] as usize],
    };
    let mut bins: Vec<Bin> = ties(order, x).map(bin).collect();
    let categorical = table.columns()[column].categorical;
    if categorical {
        let mean = |b: &Bin| b.sum / b.n as f64;
        bins.sort_by(|a, b| {
            mean(a)
                .total_cmp(&mean(b))
                .then(a.value.total_cmp(&b.value))
        });
    }
    let total: f64 = bins.iter().map(|b| b.sum).sum();
    let all = order.len();
    let (mut n, mut sum) = (0, 0.0);
    let mut best: Option<(f64, usize)> = None;
    for (i, bin) in bins.iter().enumerate().take(bins.len().saturating_sub(1)) {
        n += bin.n;
        sum += bin.sum;
        if n < settings.min_rows || all - n < settings.min_rows {
            continue;
        }
        let (left, right) = (n as f64, (all - n) as f64);
        let apart = sum / left - (total - sum) / right;
        let gain = apart * apart * left * right / all as f64;
        if gain > best.map_or(0.0, |(g, _)| g) {
            best = Some((gain, i));
        }
    }
    let (gain, at) = best?;
    let (left, right) = if categorical {
        let side = |bins: &[Bin]| {
            let mut kept: Vec<f64> = bins.iter().map(|b| b.value).collect();
            kept.sort_by(f64::total_cmp);
            Limit::Categories(kept)
        };
        (side(&bins[..=at]), side(&bins[at + 1..]))
    } else {
        let (low, high) = match scenario.limit(column) {
            Some(Limit::Range { low, high }) => (*low, *high),
            _ => (None, None),
        };
        // Neighbouring numbers of the machine cannot be told apart by a limit.
        let cut = between(bins[at].value, bins[at + 1].value)?;
        (
            Limit::Range {
                low,
                high: Some(cut),
            },
            Limit::Range {
                low: Some(cut),
                high,
            },
        )
    };
    Some(Split {
        column,
        gain,
        left,
        right,
    })
}

type Half = (ScenarioBox, Vec<Vec<u32>>);

fn divide(
    table: &Table,
    scenario: ScenarioBox,
    orders: Vec<Vec<u32>>,
    split: &Split,
) -> (Half, Half) {
    let x = table.x(split.column);
    let goes_left = |row: u32| split.left.allows(x[row as usize]);
    let (left, right) = orders
        .into_iter()
        .map(|order| order.into_iter().partition(|&row| goes_left(row)))
        .unzip();
    let (mut left_box, mut right_box) = (scenario.clone(), scenario);
    left_box.set(split.column, split.left.clone());
    right_box.set(split.column, split.right.clone());
    ((left_box, left), (right_box, right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::design::{Design, Model, Sample, run};
    use crate::sensitivity::factor::{Factor, Factors};
    use crate::sensitivity::testbed::uniform;

    fn table(factors: Factors, rows: usize, model: &dyn Model) -> Table {
        let design = Sample::latin_hypercube(factors, rows, 1).unwrap();
        Table::of_design(&design, &run(&design, 0..design.rows(), model)).unwrap()
    }

    /// A tree with three leaves of probability 0.9, 0.5 and 0.1 is found again.
    #[test]
    fn a_tree_is_found_again() {
        let factors = Factors::new(vec![
            Factor::uniform("x", 0.0, 1.0),
            Factor::categorical("why", &["a", "b", "c", "d"]),
            Factor::uniform("idle", 0.0, 1.0),
        ])
        .unwrap();
        let model = |x: &[f64], _: u64| {
            Ok(if x[0] < 0.3 {
                0.1
            } else if x[1] == 0.0 || x[1] == 3.0 {
                0.9
            } else {
                0.5
            })
        };
        let table = table(factors, 2000, &model);
        let tree = cart(&table, &CartSettings::default()).unwrap();
        let densities: Vec<f64> = tree.leaves.iter().map(|l| l.statistics.density).collect();
        assert_eq!(densities.len(), 3);
        for (got, truth) in densities.iter().zip([0.9, 0.5, 0.1]) {
            assert!((got - truth).abs() < 1e-9);
        }
        assert!((tree.explained - 1.0).abs() < 1e-9);
        assert_eq!(tree.importance[2], 0.0);
        let first = &tree.leaves[0].scenario;
        assert_eq!(first.limit(1), Some(&Limit::Categories(vec![0.0, 3.0])));
        let say = first.sentence(&table);
        assert!(say.ends_with("and `why` is a or d"), "{say}");
        // Leaves hold each row once.
        for row in 0..table.rows() {
            let holders = tree
                .leaves
                .iter()
                .filter(|l| l.scenario.contains(&table, row));
            assert_eq!(holders.count(), 1);
        }
    }

    #[test]
    fn settings_stop_the_growth() {
        let model = |x: &[f64], _: u64| Ok(x[0]);
        let table = table(uniform(2, 0.0, 1.0), 1000, &model);
        let base = CartSettings {
            max_leaves: 100,
            min_rows: 1,
            min_gain: 0.0,
        };
        let leaves = |s: CartSettings| cart(&table, &s).unwrap().leaves;
        assert_eq!(
            leaves(CartSettings {
                max_leaves: 5,
                ..base
            })
            .len(),
            5
        );
        let large = leaves(CartSettings {
            min_rows: 300,
            ..base
        });
        assert!(large.iter().all(|l| l.statistics.rows >= 300));
        // The first split of a uniform target explains 3/4, the next two 3/32 each.
        assert_eq!(
            leaves(CartSettings {
                min_gain: 0.2,
                ..base
            })
            .len(),
            2
        );
        assert_eq!(
            leaves(CartSettings {
                min_gain: 0.08,
                ..base
            })
            .len(),
            4
        );
        assert!(
            cart(
                &table,
                &CartSettings {
                    max_leaves: 0,
                    ..base
                }
            )
            .is_err()
        );
    }
}
