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
    /// Failed runs.
    pub failures: Failures,
}

impl Curves {
    /// A table with all levels of all factors.
    pub fn text(&self) -> String {
        let mut out = self.subject.text();
        out.push_str(&format!(
            "With every factor at its median: {}\n\n",
            self.base.text()
        ));
        let mut table = Table::new(&["Factor", "Value", "Mean", "Change"]);
        for point in &self.points {
            table.row(vec![
                point.factor.clone(),
                significant(point.value),
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
        out.push_str(&self.failures.text());
        out
    }

    /// One row for each factor and level.
    pub fn csv(&self) -> String {
        let mut csv = CsvText::new(&[
            "factor",
            "value",
            "runs",
            "mean",
            "mean_low",
            "mean_high",
            "change",
            "change_low",
            "change_high",
        ]);
        for p in &self.points {
            let mut cells = vec![p.factor.clone(), exact(p.value), p.runs.to_string()];
            for cell in [p.mean, p.change] {
                cells.extend([cell.value, cell.low, cell.high].map(exact));
            }
            csv.row(&cells);
        }
        csv.text()
    }
}
