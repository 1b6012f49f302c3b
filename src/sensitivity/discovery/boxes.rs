//! Boxes: limits on some columns, what is inside, and how to say it.

use crate::math::normal_cdf;
use crate::sensitivity::given::Table;
use crate::stats::special::beta_inc;

/// What a box allows in one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Limit {
    /// Values above `low` and below `high`, where they are given.
    Range {
        /// Lower limit.
        low: Option<f64>,
        /// Upper limit.
        high: Option<f64>,
    },
    /// One of these categories, in increasing order of their values.
    Categories(Vec<f64>),
}

impl Limit {
    /// Whether a value is inside.
    pub fn allows(&self, value: f64) -> bool {
        match self {
            Limit::Range { low, high } => {
                low.is_none_or(|low| value > low) && high.is_none_or(|high| value < high)
            }
            Limit::Categories(kept) => kept.contains(&value),
        }
    }
}

/// A number strictly between two others, if there is one.
pub(crate) fn between(low: f64, high: f64) -> Option<f64> {
    let middle = low + 0.5 * (high - low);
    (low < middle && middle < high).then_some(middle)
}

/// A box: limits on some columns of a table, all of which must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScenarioBox {
    /// Column numbers and their limits, in order of columns; others are free.
    pub limits: Vec<(usize, Limit)>,
}

impl ScenarioBox {
    /// Whether a complete row of the table, by its place, is inside.
    pub fn contains(&self, table: &Table, place: usize) -> bool {
        self.limits
            .iter()
            .all(|(column, limit)| limit.allows(table.x(*column)[place]))
    }

    /// The limit of a column, if it has one.
    pub fn limit(&self, column: usize) -> Option<&Limit> {
        self.limits
            .iter()
            .find(|(c, _)| *c == column)
            .map(|(_, limit)| limit)
    }

    /// Replaces the limit of a column; a range without ends frees it.
    pub(crate) fn set(&mut self, column: usize, limit: Limit) {
        self.limits.retain(|(c, _)| *c != column);
        if limit
            != (Limit::Range {
                low: None,
                high: None,
            })
        {
            let at = self.limits.partition_point(|(c, _)| *c < column);
            self.limits.insert(at, (column, limit));
        }
    }

    /// What is inside, in one pass over the rows.
    pub fn statistics(&self, table: &Table) -> BoxStatistics {
        let columns: Vec<&[f64]> = self.limits.iter().map(|(c, _)| table.x(*c)).collect();
        let mut inside = Sums::default();
        // Rows that only one limit keeps out.
        let mut only = vec![Sums::default(); self.limits.len()];
        let mut total = 0.0;
        for (row, &p) in table.y().iter().enumerate() {
            total += p;
            let mut broken = None;
            let mut count = 0;
            for (l, (_, limit)) in self.limits.iter().enumerate() {
                if !limit.allows(columns[l][row]) {
                    broken = Some(l);
                    count += 1;
                    if count == 2 {
                        break;
                    }
                }
            }
            match broken {
                None => inside.add(p),
                Some(l) if count == 1 => only[l].add(p),
                Some(_) => {}
            }
        }
        let quasi_p = |(l, (column, _)): (usize, &(usize, Limit))| {
            (*column, inside.quasi_p(&inside.with(&only[l])))
        };
        BoxStatistics {
            rows: inside.n,
            mass: inside.n as f64 / table.rows() as f64,
            density: inside.mean(),
            coverage: (total != 0.0).then(|| inside.sum / total),
            quasi_p: self.limits.iter().enumerate().map(quasi_p).collect(),
        }
    }

    /// The limits in words, for example "`threat` above 0.42 and `why` is fear or honour".
    pub fn sentence(&self, table: &Table) -> String {
        if self.limits.is_empty() {
            return "any world".to_owned();
        }
        let say = |(column, limit): &(usize, Limit)| {
            let column = &table.columns()[*column];
            let name = format!("`{}`", column.name);
            match limit {
                Limit::Range {
                    low: Some(low),
                    high: Some(high),
                } => {
                    format!("{name} between {} and {}", short(*low), short(*high))
                }
                Limit::Range {
                    low: Some(low),
                    high: None,
                } => {
                    format!("{name} above {}", short(*low))
                }
                Limit::Range {
                    low: None,
                    high: Some(high),
                } => {
                    format!("{name} below {}", short(*high))
                }
                Limit::Range {
                    low: None,
                    high: None,
                } => format!("{name} anything"),
                Limit::Categories(kept) => {
                    let labels: Vec<String> = kept.iter().map(|&v| column.label(v)).collect();
                    format!("{name} is {}", labels.join(" or "))
                }
            }
        };
        self.limits
            .iter()
            .map(say)
            .collect::<Vec<_>>()
            .join(" and ")
    }
}

/// Four significant digits, enough for a limit that was drawn between two rows.
fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = libm::floor(libm::log10(value.abs())) as i32;
    if !(-5..=15).contains(&magnitude) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.*}", (3 - magnitude).max(0) as usize);
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

/// Measures of a box; see the module for their definitions.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxStatistics {
    /// Rows inside.
    pub rows: usize,
    /// Share of all rows.
    pub mass: f64,
    /// Mean target inside (0 if there are no rows).
    pub density: f64,
    /// Share of the sum of targets; none where that sum is 0.
    pub coverage: Option<f64>,
    /// For each limited column, the probability that a box of as many rows drawn from the box
    /// without that limit would be as dense (Bryant & Lempert 2010, section 4.3): large if the
    /// limit does nothing. An exact binomial tail for targets of 0 and 1, else a normal tail with
    /// the variance of the targets. They are not corrected for the search.
    pub quasi_p: Vec<(usize, f64)>,
}

impl BoxStatistics {
    /// The measures in words.
    pub fn sentence(&self) -> String {
        let covered = match self.coverage {
            Some(coverage) => format!("{:.1} % of it is there", 100.0 * coverage),
            None => "it never comes about".to_owned(),
        };
        format!(
            "{:.1} % of worlds ({} rows), the outcome has probability {:.3} there, and {covered}",
            100.0 * self.mass,
            self.rows,
            self.density,
        )
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: usize,
    sum: f64,
    square: f64,
}

impl Sums {
    fn add(&mut self, p: f64) {
        self.n += 1;
        self.sum += p;
        self.square += p * p;
    }

    fn with(&self, other: &Sums) -> Sums {
        Sums {
            n: self.n + other.n,
            sum: self.sum + other.sum,
            square: self.square + other.square,
        }
    }

    fn mean(&self) -> f64 {
        if self.n == 0 {
            0.0
        } else {
            self.sum / self.n as f64
        }
    }

    fn quasi_p(&self, unlimited: &Sums) -> f64 {
        let (n, p) = (self.n as f64, unlimited.mean());
        if self.n == 0 {
            return 1.0;
        }
        // Zeros and ones equal their squares.
        if unlimited.square == unlimited.sum {
            // P(Bin(n, p) >= k) = I_p(k, n - k + 1).
            let k = self.sum;
            return if k > 0.0 {
                beta_inc(k, n - k + 1.0, p)
            } else {
                1.0
            };
        }
        let variance = unlimited.square / unlimited.n as f64 - p * p;
        if variance <= 0.0 {
            return 1.0;
        }
        normal_cdf(-(self.mean() - p) / (variance / n).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::given::TableColumn;

    fn table() -> Table {
        let labels = vec![(0.0, "fear".to_owned()), (1.0, "honour".to_owned())];
        let columns = vec![
            TableColumn::number("threat"),
            TableColumn::category("why", labels),
        ];
        let x = [0.1, 0.0, 0.2, 1.0, 0.3, 0.0, 0.4, 1.0, 0.5, 0.0, 0.6, 1.0];
        let y = [0.0, 0.0, 1.0, 0.0, 1.0, 1.0].map(Ok);
        Table::new(columns, &x, &y).unwrap()
    }

    #[test]
    fn measures_by_hand() {
        let table = table();
        let mut scenario = ScenarioBox::default();
        scenario.set(1, Limit::Categories(vec![0.0]));
        scenario.set(
            0,
            Limit::Range {
                low: Some(0.25),
                high: None,
            },
        );
        let s = scenario.statistics(&table);
        assert_eq!((s.rows, s.mass, s.density), (2, 2.0 / 6.0, 1.0));
        assert!((s.coverage.unwrap() - 2.0 / 3.0).abs() < 1e-15);
        // Without the range: 3 rows, 2 hits; P(2 of 2) = 4/9. Without the category: 4 rows, 3 hits.
        assert!((s.quasi_p[0].1 - 4.0 / 9.0).abs() < 1e-12);
        assert!((s.quasi_p[1].1 - 9.0 / 16.0).abs() < 1e-12);
        assert_eq!(
            scenario.sentence(&table),
            "`threat` above 0.25 and `why` is fear"
        );
        scenario.set(
            0,
            Limit::Range {
                low: None,
                high: None,
            },
        );
        assert_eq!(scenario.limits.len(), 1);
        let never = table.map_output(|_| 0.0).unwrap();
        let s = scenario.statistics(&never);
        assert_eq!((s.density, s.coverage), (0.0, None));
        assert_eq!(ScenarioBox::default().sentence(&table), "any world");
    }

    #[test]
    fn numbers_are_short() {
        let said = [0.0, 1.0, -2.5, 1234567.0, 0.123456, 99.996, 1e-9].map(short);
        assert_eq!(
            said,
            ["0", "1", "-2.5", "1234567", "0.1235", "100", "1.000e-9"]
        );
    }
}
