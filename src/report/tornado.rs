//! Parameters ordered by what moving each of them does: text, CSV, JSON and a tornado diagram.

mod diagram;

use std::cmp::Ordering;

use serde::Serialize;

use super::csv_text::CsvText;
use super::difference::{Scale, p_value};
use super::number::{count, counted, exact, exact_or_empty, significant};
use super::text_table::{Align, Table};
use crate::experiment::comparison::Contrast;
use crate::experiment::one_at_a_time::{Base, Moved, OneAtATime};
use crate::stats::hypothesis::{bonferroni_level, holm};
use crate::stats::interval::Interval;
use crate::stats::paired::Difference;

/// Adjusted p-values up to this count as shown.
const SIGNIFICANT: f64 = 0.05;

/// A parameter, in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterName {
    pub id: String,
    pub label: Option<String>,
    pub unit: Option<String>,
}

/// The outcome where nothing is moved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaseEstimate {
    /// Estimate.
    pub value: f64,
    /// Monte Carlo interval.
    pub interval: Interval,
}

impl BaseEstimate {
    /// The estimate at `level` in `(0, 1)`; `None` with too few values.
    pub fn new(base: &Base, level: f64) -> Option<Self> {
        let (value, interval) = base.estimate(level)?;
        Some(Self { value, interval })
    }
}

/// What moving one parameter does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TornadoRow {
    /// The parameter.
    pub parameter: ParameterName,
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
    /// The low end against the base.
    pub at_low: Option<Difference>,
    /// The high end against the base.
    pub at_high: Option<Difference>,
    /// The high end against the low one.
    pub swing: Option<Difference>,
    /// Pairs of runs that are left out because one of the two has no value, in that of the three comparisons with the most;
    /// `None` if it could not be moved.
    pub dropped: Option<u64>,
    /// Smallest of the three p-values, each corrected for all of the analysis (Holm); `None` if none of the three differences
    /// can be told.
    pub p_adjusted: Option<f64>,
    /// Largest size of any of the three differences that is compatible with the runs, at a level at which all of the analysis
    /// hold together; `None` if any of them cannot be told.
    pub at_most: Option<f64>,
    /// Why it could not be moved.
    pub failure: Option<String>,
}

impl TornadoRow {
    /// Size of the largest of the three differences.
    fn size(&self) -> f64 {
        let all = [self.at_low, self.at_high, self.swing];
        let sizes = all.iter().flatten().map(|d| d.difference.abs());
        sizes.fold(0.0, f64::max)
    }

    fn is_shown(&self) -> bool {
        self.p_adjusted.is_some_and(|p| p <= SIGNIFICANT)
    }

    /// Whether some pair of runs is left out.
    fn is_partial(&self) -> bool {
        self.dropped.is_some_and(|dropped| dropped > 0)
    }

    /// Whether a bound on its effect can be given. Pairs that are all the same give none for those left out.
    fn is_bounded(&self) -> bool {
        self.at_most
            .is_some_and(|most| most > 0.0 || !self.is_partial())
    }

    /// Whether no run came to anything else at either end.
    fn is_idle(&self) -> bool {
        let all = [self.at_low, self.at_high, self.swing];
        self.failure.is_none()
            && !self.is_partial()
            && all.iter().all(|d| {
                d.is_some_and(|d| {
                    d.difference == 0.0 && d.variance_reduction.is_none_or(f64::is_infinite)
                })
            })
    }
}

/// Parameters by the size of their effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tornado {
    /// Title of the scenario.
    pub title: String,
    /// Name of the scenario.
    pub scenario: String,
    /// What is asked about, in words.
    pub output: String,
    /// Whether it is a probability.
    pub is_probability: bool,
    /// Draws over which effects are averaged; `None` if all other parameters have their default values.
    pub worlds: Option<u64>,
    /// Seed of all random streams.
    pub seed: u64,
    /// Runs at each point.
    pub runs: u64,
    /// Level of the intervals.
    pub level: f64,
    /// Parameters that were not moved because they have neither a prior nor a range.
    pub unmoved: usize,
    /// Runs that were stopped at the cap on events.
    pub capped: u64,
    /// Estimate for the base, with its interval; `None` with too few values.
    pub base: Option<BaseEstimate>,
    /// Runs of the base without a value, which are left out.
    pub base_dropped: u64,
    /// Parameters asked for, if it was interrupted before the last.
    pub interrupted: Option<usize>,
    /// The parameters, the largest effect first; those that failed last.
    pub rows: Vec<TornadoRow>,
}

/// The rows of an analysis at `level` in `(0, 1)`, in order. `name` gives the words for a parameter's index.
pub fn rows(
    done: &OneAtATime,
    level: f64,
    name: impl Fn(usize) -> ParameterName,
) -> Vec<TornadoRow> {
    let contrasts = |moved: &Moved| match moved {
        Moved::Effect(e) => vec![e.at_low.clone(), e.at_high.clone(), e.swing.clone()],
        Moved::Failed { .. } => Vec::new(),
    };
    let family: Vec<Contrast> = done.moved.iter().flat_map(contrasts).collect();
    let together = bonferroni_level(level, family.len());
    let p_values: Vec<f64> = (family.iter())
        .map(|c| c.difference(level).map_or(1.0, |d| d.p_value))
        .collect();
    let adjusted = holm(&p_values);
    let mut triples = adjusted.chunks_exact(3);
    let mut rows: Vec<TornadoRow> = Vec::with_capacity(done.moved.len());
    for moved in &done.moved {
        rows.push(match moved {
            Moved::Effect(effect) => {
                let all = [&effect.at_low, &effect.at_high, &effect.swing];
                let [at_low, at_high, swing] = all.map(|c| c.difference(level));
                let sizes = all.iter().map(|c| {
                    let interval = c.difference(together)?.interval;
                    Some(interval.low.abs().max(interval.high.abs()))
                });
                let sizes: Option<Vec<f64>> = sizes.collect();
                let at_most = sizes.and_then(|sizes| sizes.into_iter().reduce(f64::max));
                let smallest = |ps: &[f64]| ps.iter().copied().fold(1.0, f64::min);
                let adjusted = triples.next().map(smallest);
                let known = at_low.is_some() || at_high.is_some() || swing.is_some();
                TornadoRow {
                    parameter: name(effect.ends.parameter),
                    low: effect.ends.low,
                    high: effect.ends.high,
                    at_low,
                    at_high,
                    swing,
                    dropped: all.iter().map(|c| c.dropped()).max(),
                    p_adjusted: adjusted.filter(|_| known),
                    at_most,
                    failure: None,
                }
            }
            Moved::Failed { ends, at, reason } => TornadoRow {
                parameter: name(ends.parameter),
                low: ends.low,
                high: ends.high,
                at_low: None,
                at_high: None,
                swing: None,
                dropped: None,
                p_adjusted: None,
                at_most: None,
                failure: Some(format!("at {}: {reason}", significant(*at))),
            },
        });
    }
    // Stable, so equal ones stay in the order of the scenario.
    rows.sort_by(|a, b| {
        let failed = a.failure.is_some().cmp(&b.failure.is_some());
        failed.then(b.size().partial_cmp(&a.size()).unwrap_or(Ordering::Equal))
    });
    rows
}

impl Tornado {
    fn scale(&self) -> Scale {
        Scale::of(self.is_probability)
    }

    /// A table of the parameters with an effect, and what is known of the others.
    pub fn text(&self) -> String {
        let scale = self.scale();
        let mut out = format!("{}\nWhat moves {}.\n", self.title, self.output);
        let (others, averaged) = match self.worlds {
            None => ("all others at their default values", String::new()),
            Some(worlds) => (
                "all others drawn from their priors",
                format!(", averaged over {} draws", count(worlds)),
            ),
        };
        out.push_str(&format!(
            "One parameter at a time, {others}{averaged};\n{} runs at each end, under the same random numbers; seed {}.\n",
            count(self.runs),
            self.seed
        ));
        if let Some(asked) = self.interrupted {
            out.push_str(&format!(
                "interrupted: {} of {asked} parameters were moved\n",
                self.rows.len()
            ));
        }
        if self.capped > 0 {
            out.push_str(&format!(
                "WARNING: {} stopped at the cap on events (`max_events`). {}\n",
                counted(self.capped, "run was", "runs were"),
                if self.is_probability {
                    "They count in no endgame or flag; an effect that they\ncould have made is not shown."
                } else {
                    "They count in no metric: effects are those of the other runs."
                }
            ));
        }
        out.push_str(&match self.base {
            Some(base) => format!(
                "Base: {} ({})\n",
                scale.value(base.value, base.interval),
                scale.range(base.interval)
            ),
            None => "Base: cannot be told, since too few runs have a value.\n".to_owned(),
        });
        let shown: Vec<&TornadoRow> = self.rows.iter().filter(|row| row.is_shown()).collect();
        if shown.is_empty() {
            out.push_str("\nNo parameter shows an effect.\n");
        } else {
            out.push('\n');
            out.push_str(&self.table(&shown));
        }
        self.push_others(&mut out);
        self.push_dropped(&mut out);
        if self.unmoved > 0 {
            out.push_str(&format!(
                "\n{} without a prior or a range: not moved.\n",
                of_parameters(self.unmoved)
            ));
        }
        out.push('\n');
        let unit = if self.is_probability {
            ", in percentage points"
        } else {
            ""
        };
        out.push_str(&format!(
            "At low, at high: change against the base when the parameter has its low or its high value{unit}.\n\
             Low to high: the whole way. In parentheses: paired 95 % intervals.\n\
             p (Holm): the smallest of the three, corrected for all {} comparisons; at most {SIGNIFICANT} counts as shown.\n",
            3 * self.rows.iter().filter(|row| row.failure.is_none()).count(),
        ));
        out.push_str(match self.worlds {
            None => "Interactions between parameters do not show here: with other defaults, effects may differ\n(--over-worlds averages).\n",
            Some(_) => "These are averages: an effect may be larger in some worlds, and reversed in others.\n",
        });
        out
    }

    fn table(&self, rows: &[&TornadoRow]) -> String {
        let scale = self.scale();
        let mut table = Table::new(&[
            "Parameter",
            "Low",
            "High",
            "At low",
            "At high",
            "Low to high",
            "p (Holm)",
        ]);
        for row in rows {
            let change = |d: Option<Difference>| {
                d.map_or_else(
                    || "–".to_owned(),
                    |d| {
                        format!(
                            "{} ({})",
                            scale.difference(d.difference, d.interval),
                            scale.interval(d.interval)
                        )
                    },
                )
            };
            table.row(vec![
                row.parameter.id.clone(),
                significant(row.low),
                significant(row.high),
                change(row.at_low),
                change(row.at_high),
                change(row.swing),
                row.p_adjusted.map_or_else(String::new, p_value),
            ]);
        }
        table.text(|column| {
            if column == 0 {
                Align::Left
            } else {
                Align::Right
            }
        })
    }

    fn push_others(&self, out: &mut String) {
        let names = |rows: &[&TornadoRow]| {
            let names: Vec<&str> = rows.iter().map(|row| row.parameter.id.as_str()).collect();
            wrapped(&names.join(", "))
        };
        let rest = self
            .rows
            .iter()
            .filter(|row| row.failure.is_none() && !row.is_shown());
        let (idle, rest): (Vec<&TornadoRow>, Vec<&TornadoRow>) =
            rest.partition(|row| row.is_idle());
        let (unclear, unknown): (Vec<&TornadoRow>, Vec<&TornadoRow>) =
            rest.into_iter().partition(|row| row.is_bounded());
        if !unclear.is_empty() {
            let most = unclear
                .iter()
                .filter_map(|row| row.at_most)
                .fold(0.0, f64::max);
            let most = if self.is_probability {
                format!("{} percentage points", significant(100.0 * most))
            } else {
                significant(most)
            };
            out.push_str(&format!(
                "\nNo effect seen of {}, at most ±{most}:\n{}",
                of_parameters(unclear.len()),
                names(&unclear)
            ));
        }
        if !unknown.is_empty() {
            out.push_str(&format!(
                "\nIt cannot be told whether {} moved it, since too few pairs of runs have values that differ:\n{}",
                of_parameters(unknown.len()),
                names(&unknown)
            ));
        }
        if !idle.is_empty() {
            out.push_str(&format!(
                "\nNot a single run changed with {}:\n{}",
                of_parameters(idle.len()),
                names(&idle)
            ));
        }
        for row in self.rows.iter() {
            if let Some(failure) = &row.failure {
                out.push_str(&format!(
                    "\n{} could not be moved: {failure}\n",
                    row.parameter.id
                ));
            }
        }
    }

    /// What is left out for want of a value.
    fn push_dropped(&self, out: &mut String) {
        let share = |dropped: u64| format!("{} of {}", count(dropped), count(self.runs));
        let mut parts = Vec::new();
        if self.base_dropped > 0 {
            parts.push(format!("base {}", share(self.base_dropped)));
        }
        for row in self.rows.iter().filter(|row| row.is_partial()) {
            let dropped = row.dropped.map_or_else(String::new, share);
            parts.push(format!("{} {dropped}", row.parameter.id));
        }
        if !parts.is_empty() {
            out.push_str(&format!(
                "\nRuns without a value are left out, and pairs of runs of which one has none: the figures are about the rest, and moving a\n\
                 parameter may change which runs those are. Left out of the base, and at most of a comparison of each parameter:\n{}",
                wrapped(&parts.join(", "))
            ));
        }
    }

    /// A row for each parameter, in order.
    pub fn csv(&self) -> String {
        let mut csv = CsvText::new(&[
            "parameter",
            "label",
            "unit",
            "low",
            "high",
            "base",
            "base_low",
            "base_high",
            "at_low",
            "at_low_low",
            "at_low_high",
            "at_high",
            "at_high_low",
            "at_high_high",
            "swing",
            "swing_low",
            "swing_high",
            "dropped",
            "p_adjusted",
            "at_most",
            "failure",
        ]);
        for row in &self.rows {
            let mut cells = vec![
                row.parameter.id.clone(),
                row.parameter.label.clone().unwrap_or_default(),
                row.parameter.unit.clone().unwrap_or_default(),
                exact(row.low),
                exact(row.high),
                exact_or_empty(self.base.map(|base| base.value)),
                exact_or_empty(self.base.map(|base| base.interval.low)),
                exact_or_empty(self.base.map(|base| base.interval.high)),
            ];
            for change in [row.at_low, row.at_high, row.swing] {
                cells.extend([
                    exact_or_empty(change.map(|d| d.difference)),
                    exact_or_empty(change.map(|d| d.interval.low)),
                    exact_or_empty(change.map(|d| d.interval.high)),
                ]);
            }
            cells.extend([
                row.dropped.map_or_else(String::new, |n| n.to_string()),
                exact_or_empty(row.p_adjusted),
                exact_or_empty(row.at_most),
                row.failure.clone().unwrap_or_default(),
            ]);
            csv.row(&cells);
        }
        csv.text()
    }
}

fn of_parameters(number: usize) -> String {
    if number == 1 {
        "1 parameter".to_owned()
    } else {
        format!("{number} parameters")
    }
}

/// Lines of at most 110 characters, broken at spaces.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length > 0 && length + 1 + word.chars().count() > 110 {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += word.chars().count();
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_wrapped() {
        let names = vec!["parameter"; 30].join(", ");
        let text = wrapped(&names);
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= 110));
        assert_eq!(text.replace('\n', " ").trim_end(), names);
    }
}
