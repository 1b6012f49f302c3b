//! Results of sensitivity analyses and of scenario discovery, as text and CSV.

mod boxes;
mod curves;
pub mod trade_off;

use std::collections::BTreeMap;

use serde::Serialize;

pub use boxes::{BoxLimit, Boxes, Confirmed, FoundBox};
pub use curves::{CurvePoint, Curves};

use super::csv_text::CsvText;
use super::number::{count, decimals, exact, exact_or_empty, range, rounded, significant};
use super::text_table::{Align, Table};
use crate::sensitivity::{Completeness, Estimate};
use crate::stats::interval::Interval;

/// Factors in a table of text; the others are summed up in a line.
const SHOWN: usize = 25;
/// Decimals of an index shown at least and at most.
const DECIMALS: [i32; 2] = [2, 4];

/// An estimate with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The estimate. It may be below zero even where the quantity cannot be.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Confidence that it is above what a dummy gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above_dummy: Option<f64>,
}

impl From<Estimate> for Cell {
    fn from(e: Estimate) -> Self {
        Self {
            value: e.value,
            standard_error: e.standard_error,
            low: e.low,
            high: e.high,
            above_dummy: e.above_dummy,
        }
    }
}

impl Cell {
    fn text(&self) -> String {
        let decimals = decimals(Interval::new(self.low, self.high)).clamp(DECIMALS[0], DECIMALS[1]);
        let [value, low, high] = [self.value, self.low, self.high].map(|x| rounded(x, decimals));
        if self.low == self.high {
            return if self.value == 0.0 {
                "0".to_owned()
            } else {
                value
            };
        }
        format!("{value} ({})", range(&low, &high))
    }
}

/// What an analysis was about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subject {
    /// Title of the scenario.
    pub title: String,
    /// Name of the method.
    pub method: String,
    /// Name of what was studied, as it was asked for.
    pub of: String,
    /// What was studied, for example "whether the run ends in `war`".
    pub output: String,
    /// How it was done, in a sentence.
    pub design: String,
    /// Seed of points and chances.
    pub seed: u64,
    /// Runs made for it, or used.
    pub runs: u64,
    /// Why the figures are not the last word, if they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisional: Option<String>,
}

impl Subject {
    /// What it is about; `question` is what was asked of the output, in words.
    fn text(&self, question: &str) -> String {
        let provisional = self.provisional.iter();
        let provisional: String = provisional
            .map(|why| format!("PROVISIONAL: {why}\n"))
            .collect();
        format!(
            "{provisional}{}\n{question} {}.\n{}: {}\n{} runs, seed {}.\n",
            self.title,
            self.output,
            self.method,
            self.design,
            count(self.runs),
            self.seed
        )
    }
}

/// Failed runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failures {
    /// What is left out when one of its runs fails: "point", "chain" or "world".
    pub unit: &'static str,
    /// How many of them there are.
    pub units: usize,
    /// How many are left.
    pub complete: usize,
    /// Failed runs by the reason.
    pub by_reason: BTreeMap<String, usize>,
}

impl Failures {
    /// The failures of an analysis whose blocks are called `unit`.
    pub fn new(unit: &'static str, completeness: &Completeness) -> Self {
        Self {
            unit,
            units: completeness.blocks,
            complete: completeness.complete,
            by_reason: completeness.failures.clone(),
        }
    }

    fn text(&self) -> String {
        if self.by_reason.is_empty() {
            return "No run failed.\n".to_owned();
        }
        let failed: usize = self.by_reason.values().sum();
        let who = match self.unit {
            "run" => "Failed runs are left out".to_owned(),
            unit => format!("Every {unit} with a failed run is left out"),
        };
        let mut text = format!(
            "Failures: {}. {who}: {} of {} {}s are used.\n",
            count(failed as u64),
            count(self.complete as u64),
            count(self.units as u64),
            self.unit,
        );
        for (reason, number) in &self.by_reason {
            text.push_str(&format!("  {} × {reason}\n", count(*number as u64)));
        }
        text
    }
}

/// One kind of index.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndexKind {
    /// Name in files.
    pub id: &'static str,
    /// Heading of its column.
    pub heading: &'static str,
    /// What it is, in a sentence.
    pub meaning: &'static str,
}

/// The indices of a factor, one for each kind; `None` where there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FactorRow {
    /// Name of the factor or group.
    pub factor: String,
    /// One for each kind.
    pub indices: Vec<Option<Cell>>,
}

/// A number about the output as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Whole {
    /// Name in files.
    pub id: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// The number; `None` where it cannot be told.
    pub value: Option<Cell>,
}

/// Indices of all factors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Indices {
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// The kinds of indices.
    pub kinds: Vec<IndexKind>,
    /// The factors, in the order of the scenario; last the dummy, if there is one.
    pub factors: Vec<FactorRow>,
    /// Numbers about the output as a whole.
    pub whole: Vec<Whole>,
    /// Number of the kind by which factors are ordered in text, and compared with the dummy.
    pub ranking: usize,
    /// How far from settled the ranking is: settled below 1.
    pub rank_instability: f64,
    /// Pairs of factors with their second-order index.
    pub pairs: Vec<(String, String, Cell)>,
    /// Sentences to be read with it.
    pub notes: Vec<String>,
    /// Failed runs.
    pub failures: Failures,
}

fn ranking_note(instability: f64) -> String {
    let settled = if instability < 1.0 {
        "has settled"
    } else {
        "has not settled"
    };
    format!(
        "The ranking of the important factors {settled} (instability {instability:.2}, settled below 1).\n"
    )
}

/// Name of the factor that the model does not see.
pub const DUMMY: &str = "(dummy)";

impl Indices {
    /// The indices as a table, with sentences on what they are.
    pub fn text(&self) -> String {
        let mut out = self.subject.text("What drives");
        out.push('\n');
        out.push_str(&self.table());
        for pair in self.pairs.iter().take(SHOWN) {
            out.push_str(&format!("{} with {}: {}\n", pair.0, pair.1, pair.2.text()));
        }
        if !self.whole.is_empty() {
            out.push('\n');
        }
        for whole in &self.whole {
            let value = whole
                .value
                .map_or_else(|| "not to be told".to_owned(), |c| c.text());
            out.push_str(&format!("{}: {value}\n", whole.meaning));
        }
        out.push('\n');
        for kind in &self.kinds {
            out.push_str(&format!("{}: {}\n", kind.heading, kind.meaning));
        }
        let ranking = self.kinds[self.ranking].heading;
        out.push_str(&format!(
            "P > dummy: confidence that \"{ranking}\" is above what a factor gets that the model does not see.\n\
             In parentheses: 95 % intervals. Estimates below zero are shown as they are: nothing was found.\n"
        ));
        for note in &self.notes {
            out.push_str(&format!("{note}\n"));
        }
        out.push_str(&ranking_note(self.rank_instability));
        out.push_str(&self.failures.text());
        out
    }

    /// Width of the widest interval of an index of a factor; infinite where an index that the method has cannot be told.
    pub fn widest(&self) -> f64 {
        let real = self.factors.iter().filter(|row| row.factor != DUMMY);
        let cells = real.flat_map(|row| &row.indices);
        let width = |cell: &Option<Cell>| cell.map_or(f64::INFINITY, |c| c.high - c.low);
        cells.map(width).fold(0.0, f64::max)
    }

    /// The leading factors in a line, to watch while runs are made.
    pub fn leaders(&self, number: usize) -> String {
        let real = self.ranked();
        let leaders = real.iter().take(number).map(|row| {
            let cell = row.indices[self.ranking].map_or_else(|| "?".to_owned(), |c| c.text());
            format!("{} {cell}", row.factor)
        });
        let leaders: Vec<String> = leaders.collect();
        format!(
            "{}: {}",
            self.kinds[self.ranking].heading,
            leaders.join(", ")
        )
    }

    /// The factors without the dummy, the largest first.
    fn ranked(&self) -> Vec<&FactorRow> {
        let mut real: Vec<&FactorRow> = self
            .factors
            .iter()
            .filter(|row| row.factor != DUMMY)
            .collect();
        // Stable, so equal ones stay in the order of the scenario.
        real.sort_by(|a, b| self.rank(b).total_cmp(&self.rank(a)));
        real
    }

    fn rank(&self, row: &FactorRow) -> f64 {
        let value = row.indices[self.ranking].map_or(f64::NEG_INFINITY, |cell| cell.value);
        // Of a correlation the size counts; a share below zero is no share at all.
        if self.kinds[self.ranking].id == "prcc" {
            value.abs()
        } else {
            value
        }
    }

    fn table(&self) -> String {
        let mut header = vec!["Factor"];
        header.extend(self.kinds.iter().map(|kind| kind.heading));
        header.push("P > dummy");
        let mut table = Table::new(&header);
        let real = self.ranked();
        let dummy = self.factors.iter().filter(|row| row.factor == DUMMY);
        for row in real.iter().take(SHOWN).copied().chain(dummy) {
            let mut cells = vec![row.factor.clone()];
            let text = |cell: &Option<Cell>| cell.map_or_else(|| "–".to_owned(), |c| c.text());
            cells.extend(row.indices.iter().map(text));
            let above = row.indices[self.ranking].and_then(|cell| cell.above_dummy);
            cells.push(above.map_or_else(String::new, |p| rounded(p, 3)));
            table.row(cells);
        }
        let mut text = table.text(|column| {
            if column == 0 {
                Align::Left
            } else {
                Align::Right
            }
        });
        if let Some(next) = real.get(SHOWN) {
            text.push_str(&format!(
                "{} more factors, each at most {} in \"{}\" (CSV and JSON have all)\n",
                real.len() - SHOWN,
                significant(self.rank(next)),
                self.kinds[self.ranking].heading
            ));
        }
        text
    }

    /// One row for each factor and kind, then the pairs, then the numbers about the whole (without a factor).
    pub fn csv(&self) -> String {
        let mut csv = CsvText::new(&[
            "outcome",
            "factor",
            "index",
            "estimate",
            "standard_error",
            "low",
            "high",
            "above_dummy",
        ]);
        let mut add = |factor: &str, index: &str, cell: Option<Cell>| {
            let number = |f: fn(&Cell) -> f64| exact_or_empty(cell.as_ref().map(f));
            csv.row(&[
                self.subject.of.clone(),
                factor.to_owned(),
                index.to_owned(),
                number(|c| c.value),
                number(|c| c.standard_error),
                number(|c| c.low),
                number(|c| c.high),
                cell.and_then(|c| c.above_dummy)
                    .map_or_else(String::new, exact),
            ]);
        };
        for row in &self.factors {
            for (kind, cell) in self.kinds.iter().zip(&row.indices) {
                add(&row.factor, kind.id, *cell);
            }
        }
        for (a, b, cell) in &self.pairs {
            add(&format!("{a} × {b}"), "second_order", Some(*cell));
        }
        for whole in &self.whole {
            add("", whole.id, whole.value);
        }
        csv.text()
    }
}
