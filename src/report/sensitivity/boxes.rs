//! Boxes in which an outcome is likely.

use serde::Serialize;

use super::{Failures, Subject};
use crate::report::csv_text::CsvText;
use crate::report::number::{count, exact, exact_or_empty, percent, rounded};
use crate::report::text_table::{Align, Table};

/// The limits of a box on one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoxLimit {
    /// The parameter.
    pub parameter: String,
    /// Worlds inside are above it.
    pub low: Option<f64>,
    /// Worlds inside are below it.
    pub high: Option<f64>,
    /// Probability that worlds drawn at random from the box without this limit are as dense.
    pub quasi_p: Option<f64>,
}

/// A box.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundBox {
    /// Number, from 0.
    pub number: usize,
    /// How it came about.
    pub phase: &'static str,
    /// Worlds inside.
    pub worlds: usize,
    /// Share of all worlds.
    pub mass: f64,
    /// Mean target of the worlds inside.
    pub density: f64,
    /// Share of the sum of targets that is inside.
    pub coverage: f64,
    /// What worlds inside have in common.
    pub limits: Vec<BoxLimit>,
    /// The same in words.
    pub condition: String,
}

impl FoundBox {
    /// Weighted relative accuracy (Lavrač, Flach & Zupan 1999): mass × (density − base rate).
    fn accuracy(&self, base_rate: f64) -> f64 {
        self.mass * (self.density - base_rate)
    }

    fn least_significant(&self) -> Option<f64> {
        let all = self.limits.iter().filter_map(|limit| limit.quasi_p);
        all.fold(None, |most, p| Some(most.map_or(p, |m: f64| m.max(p))))
    }
}

/// What scenario discovery found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Boxes {
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// What the outcome is called in sentences.
    pub outcome: String,
    /// What the target of a world is.
    pub target: String,
    /// Mean target of all worlds.
    pub base_rate: f64,
    /// Whether the boxes are steps of one path, or parts of a whole.
    pub partition: bool,
    /// The boxes.
    pub boxes: Vec<FoundBox>,
    /// Number of the chosen box.
    pub chosen: usize,
    /// Worlds with failed runs.
    pub failures: Failures,
}

impl Boxes {
    /// The number of the box with the largest mass × (density − base rate), for when the user does not choose.
    pub fn suggest(boxes: &[FoundBox], base_rate: f64) -> usize {
        let mut best = 0;
        for (number, found) in boxes.iter().enumerate() {
            if found.accuracy(base_rate) > boxes[best].accuracy(base_rate) {
                best = number;
            }
        }
        best
    }

    /// The chosen box in a sentence.
    pub fn sentence(&self, found: &FoundBox) -> String {
        if found.limits.is_empty() {
            return format!("no limit: {} in any world", percent(found.density, 1));
        }
        format!(
            "{} has {} {} when {}: {} of all worlds, with {} of the worlds' total",
            self.outcome,
            if self.target_is_share() {
                "a probability of"
            } else {
                "a share of"
            },
            percent(found.density, 1),
            found.condition,
            percent(found.mass, 1),
            percent(found.coverage, 1),
        )
    }

    fn target_is_share(&self) -> bool {
        !self.target.contains("1 if")
    }

    /// The table of all boxes, then the chosen one in a sentence with its limits.
    pub fn text(&self) -> String {
        let mut out = self.subject.text();
        out.push_str(&format!(
            "Target of a world: {}. Its mean over all worlds: {}.\n\n",
            self.target,
            percent(self.base_rate, 2)
        ));
        let mut table = Table::new(&[
            "Box",
            "",
            "Worlds",
            "Mass",
            "Density",
            "Coverage",
            "Limits",
            "Largest quasi-p",
        ]);
        for found in &self.boxes {
            let mark = if found.number == self.chosen { "*" } else { "" };
            table.row(vec![
                format!("{}{mark}", found.number),
                found.phase.to_owned(),
                count(found.worlds as u64),
                percent(found.mass, 1),
                percent(found.density, 1),
                percent(found.coverage, 1),
                found.limits.len().to_string(),
                found
                    .least_significant()
                    .map_or_else(String::new, |p| rounded(p, 3)),
            ]);
        }
        out.push_str(&table.text(|column| {
            if column == 1 {
                Align::Left
            } else {
                Align::Right
            }
        }));
        if let Some(found) = self.boxes.get(self.chosen) {
            out.push_str(&format!(
                "\nBox {}: {}.\n",
                found.number,
                self.sentence(found)
            ));
            for limit in &found.limits {
                let end = |x: Option<f64>| x.map_or_else(|| "…".to_owned(), exact);
                let p = limit
                    .quasi_p
                    .map_or_else(String::new, |p| format!("   quasi-p {}", rounded(p, 4)));
                out.push_str(&format!(
                    "  {} from {} to {}{p}\n",
                    limit.parameter,
                    end(limit.low),
                    end(limit.high)
                ));
            }
        }
        if self.partition {
            for found in self
                .boxes
                .iter()
                .filter(|found| found.number != self.chosen)
            {
                out.push_str(&format!(
                    "Box {}: {}.\n",
                    found.number,
                    self.sentence(found)
                ));
            }
        }
        out.push_str(
            "\nDensity: mean target inside. Coverage: share of the sum of targets inside. Mass: share of the worlds inside.\n\
             Quasi-p: how likely worlds drawn at random from the box without a limit are as dense; large if the limit does\n\
             nothing. It is not corrected for the search among many limits: boxes are hypotheses for another seed to confirm.\n",
        );
        out.push_str(&self.failures.text());
        out
    }

    /// One row for each box: the trade-off to choose from.
    pub fn trajectory_csv(&self) -> String {
        let mut csv = CsvText::new(&[
            "box",
            "phase",
            "worlds",
            "mass",
            "density",
            "coverage",
            "limits",
            "largest_quasi_p",
            "sentence",
        ]);
        for found in &self.boxes {
            csv.row(&[
                found.number.to_string(),
                found.phase.to_owned(),
                found.worlds.to_string(),
                exact(found.mass),
                exact(found.density),
                exact(found.coverage),
                found.limits.len().to_string(),
                exact_or_empty(found.least_significant()),
                self.sentence(found),
            ]);
        }
        csv.text()
    }

    /// One row for each box and limit.
    pub fn boxes_csv(&self) -> String {
        let mut csv = CsvText::new(&["box", "parameter", "low", "high", "quasi_p"]);
        for found in &self.boxes {
            for limit in &found.limits {
                csv.row(&[
                    found.number.to_string(),
                    limit.parameter.clone(),
                    exact_or_empty(limit.low),
                    exact_or_empty(limit.high),
                    exact_or_empty(limit.quasi_p),
                ]);
            }
        }
        csv.text()
    }
}
