//! How the output goes along each factor.

use serde::Serialize;

use super::{Cell, Failures, Subject};
use crate::report::csv_text::CsvText;
use crate::report::number::{exact, significant};
use crate::report::text_table::{Align, Table};

/// One factor at one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Name of the factor.
    pub factor: String,
    /// Its value.
    pub value: f64,
    /// What the value stands for, where it is the number of a category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Runs that did not fail.
    pub runs: u64,
    /// Mean of the output.
    pub mean: Cell,
    /// Mean difference from the base point, run by run under the same chance.
    pub change: Cell,
}

/// One factor at a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curves {
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// Mean of the output with every factor at its median.
    pub base: Cell,
    /// Factor by factor, level by level.
    pub points: Vec<CurvePoint>,
    /// Sentences to be read with it.
    pub notes: Vec<String>,
    /// Failed runs.
    pub failures: Failures,
}

impl Curves {
    /// Width of the widest interval of a mean.
    pub fn widest(&self) -> f64 {
        let widths = self.points.iter().map(|p| p.mean.high - p.mean.low);
        widths.fold(0.0, f64::max)
    }

    /// The factors along which the output goes furthest, in a line, to watch while runs are made.
    pub fn leaders(&self, number: usize) -> String {
        let mut spans: Vec<(&str, f64)> = Vec::new();
        for factor in self.points.chunk_by(|a, b| a.factor == b.factor) {
            let means = || factor.iter().map(|p| p.mean.value);
            let span =
                means().fold(f64::NEG_INFINITY, f64::max) - means().fold(f64::INFINITY, f64::min);
            spans.push((&factor[0].factor, span));
        }
        spans.sort_by(|a, b| b.1.total_cmp(&a.1));
        let leaders = spans.iter().take(number);
        let leaders: Vec<String> = leaders
            .map(|(name, span)| format!("{name} {}", significant(*span)))
            .collect();
        format!("Range of the mean: {}", leaders.join(", "))
    }

    /// A table with all levels of all factors.
    pub fn text(&self) -> String {
        let mut out = self.subject.text("What drives");
        out.push_str(&format!(
            "With every factor at its median: {}\n\n",
            self.base.text()
        ));
        let mut table = Table::new(&["Factor", "Value", "Mean", "Change"]);
        for point in &self.points {
            table.row(vec![
                point.factor.clone(),
                (point.label.clone()).unwrap_or_else(|| significant(point.value)),
                point.mean.text(),
                point.change.text(),
            ]);
        }
        out.push_str(&table.text(|column| {
            if column == 0 {
                Align::Left
            } else {
                Align::Right
            }
        }));
        out.push_str(
            "\nMean: of the output with this factor at this value and all others at their medians.\n\
             Change: from the base point, run by run under the same chance.\n\
             In parentheses: 95 % intervals. Interactions between factors do not show here.\n",
        );
        for note in &self.notes {
            out.push_str(&format!("{note}\n"));
        }
        out.push_str(&self.failures.text());
        out
    }

    /// One row for each factor and level.
    pub fn csv(&self) -> String {
        let mut csv = CsvText::new(&[
            "outcome",
            "factor",
            "value",
            "runs",
            "mean",
            "mean_low",
            "mean_high",
            "change",
            "change_low",
            "change_high",
            "label",
        ]);
        for p in &self.points {
            let mut cells = vec![
                self.subject.of.clone(),
                p.factor.clone(),
                exact(p.value),
                p.runs.to_string(),
            ];
            for cell in [p.mean, p.change] {
                cells.extend([cell.value, cell.low, cell.high].map(exact));
            }
            cells.push(p.label.clone().unwrap_or_default());
            csv.row(&cells);
        }
        csv.text()
    }
}
