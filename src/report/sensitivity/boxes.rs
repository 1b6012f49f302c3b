//! Boxes in which an outcome is likely.

use serde::Serialize;

use super::{Failures, Subject};
use crate::report::csv_text::CsvText;
use crate::report::number::{
    count, exact, exact_or_empty, percent, percent_decimals, percent_range, rounded, significant,
};
use crate::report::text_table::{Align, Table};
use crate::stats::interval::Interval;

/// The limits of a box on one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BoxLimit {
    /// The parameter.
    pub parameter: String,
    /// Worlds inside are above it.
    pub low: Option<f64>,
    /// Worlds inside are below it.
    pub high: Option<f64>,
    /// Worlds inside have one of these, where the parameter is a category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
    /// Share of all worlds that this limit alone would leave.
    pub alone: f64,
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
    /// What it is in other worlds, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Confirmed>,
}

/// A share in percent, or a dash where there is none.
fn percent_or_dash(share: Option<f64>, decimals: i32) -> String {
    share.map_or_else(|| "–".to_owned(), |share| percent(share, decimals))
}

/// A box in worlds that it was not found in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confirmed {
    /// Worlds inside.
    pub worlds: usize,
    /// Share of all worlds.
    pub mass: f64,
    /// Mean target of the worlds inside; none if there are no worlds inside.
    pub density: Option<f64>,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of the sum of targets that is inside; none where the outcome never came true.
    pub coverage: Option<f64>,
}

impl Confirmed {
    fn text(&self) -> String {
        let decimals = percent_decimals(Interval::new(self.low, self.high));
        format!(
            "{} ({})",
            percent_or_dash(self.density, decimals),
            percent_range(self.low, self.high, decimals)
        )
    }
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
    /// The target of a world is whether the share of its runs with the outcome is at least this; without it, the share itself.
    pub threshold: Option<f64>,
    /// Runs of a world.
    pub runs_per_world: u32,
    /// Mean target of all worlds.
    pub base_rate: f64,
    /// The same in the worlds in which boxes are confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_base_rate: Option<f64>,
    /// Whether the boxes are steps of one path, or parts of a whole.
    pub partition: bool,
    /// The boxes.
    pub boxes: Vec<FoundBox>,
    /// Number of the chosen box.
    pub chosen: usize,
    /// Sentences to be read with it.
    pub notes: Vec<String>,
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

    /// A box in a sentence.
    pub fn sentence(&self, found: &FoundBox) -> String {
        let (density, base) = (percent(found.density, 1), percent(self.base_rate, 1));
        let (coverage, mass) = (percent(found.coverage, 0), percent(found.mass, 1));
        let name = &self.outcome;
        let often = match self.threshold {
            None => format!("{name} has a probability of {density}"),
            Some(p) => format!("{density} of worlds have {name} in at least {p} of their runs"),
        };
        if found.limits.is_empty() {
            return format!("{often} in all worlds");
        }
        let covered = match self.threshold {
            None => format!("{coverage} of all runs with {name}"),
            Some(_) => format!("{coverage} of all such worlds"),
        };
        format!(
            "{often} when {} (over all worlds {base}); that covers {covered}, in {mass} of the worlds",
            found.condition
        )
    }

    fn target(&self) -> String {
        let each = self.runs_per_world;
        match self.threshold {
            Some(p) => {
                format!("1 if the outcome came true in at least {p} of its {each} runs, else 0")
            }
            None => format!("the plain share of its {each} runs in which the outcome came true"),
        }
    }

    /// The table of boxes, then the chosen one in a sentence with its limits.
    pub fn text(&self) -> String {
        let mut out = self.subject.text("Which worlds decide");
        out.push_str(&format!(
            "Target of a world: {}. Its mean over all worlds: {}.\n\n",
            self.target(),
            percent(self.base_rate, 2)
        ));
        out.push_str(&self.table());
        if let Some(found) = self.boxes.get(self.chosen) {
            out.push_str(&self.paragraph(found));
        }
        if self.partition {
            let others = self.boxes.iter().filter(|one| one.number != self.chosen);
            for found in others {
                out.push_str(&format!(
                    "\nBox {}: {}.\n",
                    found.number,
                    self.sentence(found)
                ));
            }
        }
        out.push_str(
            "\nDensity: mean target inside. Coverage: share of the sum of targets inside. Mass: share of the worlds inside.\n\
             Quasi-p: how likely worlds drawn at random from the box without a limit are as dense; large if the limit does\n\
             nothing. It is not corrected for the search among many limits, and densities are somewhat too high because the\n",
        );
        out.push_str(if self.confirmed_base_rate.is_some() {
            "densest boxes were looked for. \"Confirmed\" is what they are in worlds that they were not found in, with 95 % intervals.\n"
        } else {
            "densest boxes were looked for: measure them in a batch of another seed with --confirm.\n"
        });
        for note in &self.notes {
            out.push_str(&format!("{note}\n"));
        }
        if self.boxes.iter().all(|found| found.limits.is_empty()) {
            out.push_str(
                "No limit could be told from chance: use more worlds, or fewer parameters with --params.\n",
            );
        }
        out.push_str(&self.failures.text());
        out
    }

    fn table(&self) -> String {
        let mut header = vec![
            "Box",
            "",
            "Worlds",
            "Mass",
            "Density",
            "Coverage",
            "Limits",
            "Largest quasi-p",
        ];
        if self.confirmed_base_rate.is_some() {
            header.push("Confirmed density");
            header.push("coverage");
        }
        let mut table = Table::new(&header);
        let shown = self.shown();
        for found in &shown {
            let mark = if found.number == self.chosen { "*" } else { "" };
            let mut row = vec![
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
            ];
            if let Some(confirmed) = &found.confirmed {
                row.push(confirmed.text());
                row.push(percent_or_dash(confirmed.coverage, 1));
            }
            table.row(row);
        }
        let mut text = table.text(|column| {
            if column == 1 {
                Align::Left
            } else {
                Align::Right
            }
        });
        let left_out = self.boxes.len() - shown.len();
        if left_out > 0 {
            text.push_str(&format!(
                "{left_out} boxes in between are not shown (CSV and JSON have all; choose any with --box).\n"
            ));
        }
        text
    }

    /// The boxes of the table: of a long path those that limit other parameters than the one before, or cover clearly less.
    fn shown(&self) -> Vec<&FoundBox> {
        let mut shown: Vec<&FoundBox> = Vec::new();
        let last = self.boxes.len().saturating_sub(1);
        for found in &self.boxes {
            let parameters = |one: &FoundBox| -> Vec<String> {
                one.limits.iter().map(|l| l.parameter.clone()).collect()
            };
            let new = shown.last().is_none_or(|before| {
                parameters(before) != parameters(found)
                    || (before.coverage - found.coverage).abs() >= 0.1
            });
            if self.partition || new || found.number == self.chosen || found.number == last {
                shown.push(found);
            }
        }
        shown
    }

    /// A box with its limits.
    fn paragraph(&self, found: &FoundBox) -> String {
        let mut text = format!("\nBox {}: {}.\n", found.number, self.sentence(found));
        if let (Some(confirmed), Some(base), false) = (
            &found.confirmed,
            self.confirmed_base_rate,
            found.limits.is_empty(),
        ) {
            text.push_str(&format!(
                "Confirmed in {} other worlds inside: {}, where all confirming worlds together have {}.\n",
                count(confirmed.worlds as u64),
                confirmed.text(),
                percent(base, 1)
            ));
        }
        for limit in &found.limits {
            let end = |x: Option<f64>| x.map_or_else(|| "…".to_owned(), significant);
            let p = limit
                .quasi_p
                .map_or_else(String::new, |p| format!(", quasi-p {}", rounded(p, 4)));
            let range = match &limit.categories {
                Some(names) => format!("is {}", names.join(" or ")),
                None => format!("from {} to {}", end(limit.low), end(limit.high)),
            };
            text.push_str(&format!(
                "  {} {range}   (alone: {} of worlds{p})\n",
                limit.parameter,
                percent(limit.alone, 0)
            ));
        }
        text
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
            "confirmed_worlds",
            "confirmed_density",
            "confirmed_low",
            "confirmed_high",
            "confirmed_coverage",
            "sentence",
        ]);
        for found in &self.boxes {
            let confirmed = |f: fn(&Confirmed) -> Option<f64>| {
                exact_or_empty(found.confirmed.as_ref().and_then(f))
            };
            let worlds = found.confirmed.as_ref().map(|c| c.worlds);
            csv.row(&[
                found.number.to_string(),
                found.phase.to_owned(),
                found.worlds.to_string(),
                exact(found.mass),
                exact(found.density),
                exact(found.coverage),
                found.limits.len().to_string(),
                exact_or_empty(found.least_significant()),
                worlds.map_or_else(String::new, |worlds| worlds.to_string()),
                confirmed(|c| c.density),
                confirmed(|c| Some(c.low)),
                confirmed(|c| Some(c.high)),
                confirmed(|c| c.coverage),
                self.sentence(found),
            ]);
        }
        csv.text()
    }

    /// One row for each box and limit.
    pub fn boxes_csv(&self) -> String {
        let mut csv = CsvText::new(&[
            "box",
            "parameter",
            "low",
            "high",
            "categories",
            "mass_alone",
            "quasi_p",
        ]);
        for found in &self.boxes {
            for limit in &found.limits {
                csv.row(&[
                    found.number.to_string(),
                    limit.parameter.clone(),
                    exact_or_empty(limit.low),
                    exact_or_empty(limit.high),
                    limit
                        .categories
                        .as_ref()
                        .map_or_else(String::new, |c| c.join(";")),
                    exact(limit.alone),
                    exact_or_empty(limit.quasi_p),
                ]);
            }
        }
        csv.text()
    }
}
