//! Variants against their baseline: text, CSV and JSON.

use serde::Serialize;

use super::csv_text::CsvText;
use super::difference::{Scale, p_value, times};
use super::number::{count, exact, exact_or_empty, significant};
use super::results::BAND;
use super::run_text::PrecisionOutcome;
use super::run_text::held;
use super::text_table::{Align, Table};
use crate::experiment::comparison::{CommonQuantity, Comparison};
use crate::experiment::{PairedReplication, Quantity};
use crate::model::Model;
use crate::stats::hypothesis::{bonferroni_level, holm};
use crate::stats::interval::Interval;
use crate::stats::paired::Difference;
use crate::stats::worlds::Band;

/// Adjusted p-values up to this count as shown.
const SIGNIFICANT: f64 = 0.05;

/// Kind of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    Endgame,
    Flag,
    Metric,
}

/// One outcome of one variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparisonRow {
    /// Name of the variant.
    pub variant: String,
    pub kind: OutcomeKind,
    /// Name of the outcome.
    pub id: String,
    pub label: String,
    /// Unit of a metric; probabilities are shares.
    pub unit: Option<String>,
    /// Pairs of runs in which both have a value.
    pub pairs: u64,
    /// Pairs left out because one of the two has no value.
    pub dropped: u64,
    /// The difference, with its paired interval; `None` with too few pairs.
    pub difference: Option<Difference>,
    /// Interval at a level so high that all intervals of the table hold together with the level of one.
    pub simultaneous: Option<Interval>,
    /// The p-value after Holm's correction for all rows.
    pub p_adjusted: Option<f64>,
    /// Median and central 90 % of the true difference across draws of the parameters.
    pub band: Option<Band>,
}

/// A variant, in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VariantDescription {
    /// Its name.
    pub name: String,
    /// What it changes.
    pub changes: String,
}

/// Variants against their baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparisons {
    /// Title of the baseline.
    pub title: String,
    /// Name of the baseline.
    pub baseline: String,
    /// Parameters held by the user, in the baseline and in every variant.
    pub overrides: Vec<(String, f64)>,
    pub variants: Vec<VariantDescription>,
    /// Seed of all random streams.
    pub seed: u64,
    /// Runs of each model.
    pub runs: u64,
    /// Draws of the parameters; `None` when they are held at their defaults.
    pub worlds: Option<u64>,
    /// Whether some parameter has a prior that was not used.
    pub priors_unused: bool,
    /// Level of the intervals.
    pub level: f64,
    /// Runs asked for, if it was interrupted before.
    pub interrupted: Option<u64>,
    /// What became of the precision asked for, if one was.
    pub precision: Option<PrecisionOutcome>,
    /// Pairs in which a run was stopped at the cap on events, for each variant.
    pub capped: Vec<u64>,
    /// Outcomes by variant.
    pub rows: Vec<ComparisonRow>,
}

/// Whether a quantity is in the main table: all endgames and flags, and metrics that are headlines.
pub fn is_headline(model: &Model, quantity: Quantity) -> bool {
    match quantity {
        Quantity::Endgame(_) | Quantity::Flag(_) => true,
        Quantity::Metric(i) => model.metrics()[i].is_headline(),
        Quantity::Category => false,
    }
}

/// The rows of all variants whose quantity is `wanted`, at `level` in `(0, 1)`. They are one family: what is said of one takes
/// all others into account.
pub fn rows(
    model: &Model,
    variants: &[VariantDescription],
    done: &PairedReplication,
    wanted: impl Fn(Quantity) -> bool,
    level: f64,
) -> Vec<ComparisonRow> {
    let family: Vec<(&VariantDescription, &CommonQuantity, usize, &Comparison)> =
        (variants.iter().zip(&done.variants))
            .flat_map(|(variant, made)| {
                let quantities = made.common.iter().enumerate();
                quantities.map(move |(i, q)| (variant, q, i, &made.comparison))
            })
            .filter(|(_, q, _, _)| wanted(q.baseline))
            .collect();
    let together = bonferroni_level(level, family.len());
    let differences: Vec<Option<Difference>> = (family.iter())
        .map(|(_, _, i, comparison)| comparison.contrasts()[*i].difference(level))
        .collect();
    let p_values: Vec<f64> = (differences.iter().flatten()).map(|d| d.p_value).collect();
    let mut adjusted = holm(&p_values).into_iter();
    let mut rows = Vec::with_capacity(family.len());
    for (one, difference) in family.iter().zip(differences) {
        let (variant, quantity, i, comparison) = one;
        let contrast = &comparison.contrasts()[*i];
        let (kind, label, unit) = described(model, quantity.baseline);
        rows.push(ComparisonRow {
            variant: variant.name.clone(),
            kind,
            id: quantity.id.clone(),
            label,
            unit,
            pairs: contrast.pairs(),
            dropped: contrast.dropped(),
            simultaneous: contrast.difference(together).map(|d| d.interval),
            p_adjusted: difference.and_then(|_| adjusted.next()),
            difference,
            band: contrast.band(BAND),
        });
    }
    rows
}

/// An interval as wide as that of the baseline or the variant by itself, which is not known as exactly as their difference: a
/// half of the variance that common random numbers save, each.
fn own_width(found: &Difference) -> Interval {
    let saved = found.variance_reduction.filter(|times| times.is_finite());
    let factor = saved.map_or(1.0, |times| (times / 2.0).max(1.0).sqrt());
    Interval::new(0.0, factor * found.interval.width())
}

/// Kind, label and unit of an outcome.
fn described(model: &Model, quantity: Quantity) -> (OutcomeKind, String, Option<String>) {
    match quantity {
        Quantity::Endgame(i) => {
            let label = model.endgames()[i].label().to_owned();
            (OutcomeKind::Endgame, label, None)
        }
        Quantity::Flag(i) => (OutcomeKind::Flag, model.flags()[i].label().to_owned(), None),
        Quantity::Metric(i) => {
            let metric = &model.metrics()[i];
            let unit = metric.unit().map(str::to_owned);
            (OutcomeKind::Metric, metric.label().to_owned(), unit)
        }
        Quantity::Category => (OutcomeKind::Endgame, "endgame".to_owned(), None),
    }
}

impl Comparisons {
    /// Tables for people, a table a variant.
    pub fn text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        let runs = count(self.runs);
        let draws = match self.worlds {
            Some(worlds) => format!(": {} draws of the parameters", count(worlds)),
            None if self.priors_unused => ", all parameters at their defaults".to_owned(),
            None => String::new(),
        };
        out.push_str(&format!(
            "{runs} pairs of runs{draws}; seed {}\n{}Baseline: {}\n",
            self.seed,
            held(&self.overrides),
            self.baseline
        ));
        if let Some(asked) = self.interrupted {
            out.push_str(&format!(
                "interrupted: {runs} of at most {} runs of each were made\n",
                count(asked)
            ));
        }
        for (number, variant) in self.variants.iter().enumerate() {
            out.push_str(&format!("\n{}: {}\n", variant.name, variant.changes));
            let rows: Vec<&ComparisonRow> = (self.rows.iter())
                .filter(|row| row.variant == variant.name)
                .collect();
            if rows.is_empty() {
                out.push_str("It has none of these outcomes.\n");
                continue;
            }
            out.push('\n');
            out.push_str(&self.table(&rows));
            if self.capped[number] > 0 {
                out.push_str(&format!(
                    "WARNING: in {} of {runs} pairs a run was stopped at the cap on events (`max_events`). It counts in no endgame or\n\
                     flag, and the pair in no metric. A difference of probabilities that these pairs could have made has no star.\n",
                    count(self.capped[number])
                ));
            }
        }
        out.push('\n');
        self.push_notes(&mut out);
        out
    }

    fn table(&self, rows: &[&ComparisonRow]) -> String {
        let across = format!("Across parameters {:.0} %", 100.0 * BAND);
        let mut header = vec![
            "Outcome",
            "Baseline",
            "Variant",
            "Difference",
            "Paired 95 %",
        ];
        if self.worlds.is_some() {
            header.push(&across);
        }
        header.extend(["p (Holm)", "", "Runs saved"]);
        let mut table = Table::new(&header);
        for row in rows {
            let scale = Scale::of(row.kind != OutcomeKind::Metric);
            let label = match (&row.unit, row.kind) {
                (Some(unit), _) => format!("{} ({unit})", row.label),
                _ => row.label.clone(),
            };
            let Some(found) = row.difference else {
                let mut cells = vec![label];
                cells.resize(header.len(), "–".to_owned());
                table.row(cells);
                continue;
            };
            let p = row.p_adjusted.unwrap_or(1.0);
            let own = own_width(&found);
            let mut cells = vec![
                label,
                scale.value(found.baseline, own),
                scale.value(found.variant, own),
                scale.difference(found.difference, found.interval),
                scale.interval(found.interval),
            ];
            if self.worlds.is_some() {
                let band = row.band.map(|band| Interval::new(band.low, band.high));
                cells.push(band.map_or_else(
                    || "unknown".to_owned(),
                    |band| scale.spread(band, found.interval),
                ));
            }
            cells.push(p_value(p));
            cells.push(if p <= SIGNIFICANT { "*" } else { "" }.to_owned());
            cells.push(times(found.variance_reduction));
            table.row(cells);
        }
        let mark = header.len() - 2;
        table.text(|column| {
            if column == 0 || column == mark {
                Align::Left
            } else {
                Align::Right
            }
        })
    }

    fn push_notes(&self, out: &mut String) {
        out.push_str(
            "Difference: variant less baseline, run by run under the same random numbers; of probabilities in percentage points.\n",
        );
        if self.worlds.is_some() {
            out.push_str(
                "Across parameters: how far the difference itself moves between draws of the parameters; more runs do not narrow it.\n",
            );
        }
        out.push_str(&format!(
            "p (Holm): corrected for all {} comparisons; * at most {SIGNIFICANT}. Without a star no difference is shown, which is\n\
             not to say that there is none: the interval tells how large it may be.\n\
             Runs saved: how many times more runs an equally exact difference would take without common random numbers.\n",
            self.rows.len()
        ));
        if let Some(precision) = self.precision {
            let end = if precision.reached {
                "reached"
            } else {
                "not reached"
            };
            out.push_str(&format!(
                "Intervals of all differences of probabilities at most {} percentage points wide: {end}. The runs were looked at {} \
                 times; the intervals allow for it.\n",
                significant(100.0 * precision.width),
                precision.looks
            ));
        }
    }

    /// One row for each variant and outcome.
    pub fn csv(&self) -> String {
        let mut header = vec![
            "variant",
            "kind",
            "quantity",
            "label",
            "unit",
            "pairs",
            "dropped",
            "baseline",
            "estimate",
            "difference",
            "low",
            "high",
            "simultaneous_low",
            "simultaneous_high",
            "p_value",
            "p_adjusted",
            "variance_reduction",
        ];
        if self.worlds.is_some() {
            header.extend(["band_low", "band_median", "band_high"]);
        }
        let mut csv = CsvText::new(&header);
        for row in &self.rows {
            let kind = match row.kind {
                OutcomeKind::Endgame => "endgame",
                OutcomeKind::Flag => "flag",
                OutcomeKind::Metric => "metric",
            };
            let mut cells = vec![
                row.variant.clone(),
                kind.to_owned(),
                row.id.clone(),
                row.label.clone(),
                row.unit.clone().unwrap_or_default(),
                row.pairs.to_string(),
                row.dropped.to_string(),
            ];
            let number =
                |read: fn(&Difference) -> f64| exact_or_empty(row.difference.as_ref().map(read));
            cells.extend([
                number(|d| d.baseline),
                number(|d| d.variant),
                number(|d| d.difference),
                number(|d| d.interval.low),
                number(|d| d.interval.high),
                exact_or_empty(row.simultaneous.map(|i| i.low)),
                exact_or_empty(row.simultaneous.map(|i| i.high)),
                number(|d| d.p_value),
                exact_or_empty(row.p_adjusted),
                row.difference
                    .and_then(|d| d.variance_reduction)
                    .map_or_else(String::new, exact),
            ]);
            if self.worlds.is_some() {
                cells.extend(
                    [
                        row.band.map(|band| band.low),
                        row.band.map(|band| band.median),
                        row.band.map(|band| band.high),
                    ]
                    .map(exact_or_empty),
                );
            }
            csv.row(&cells);
        }
        csv.text()
    }
}
