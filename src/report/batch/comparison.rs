//! The table of comparisons: every cell with its baseline, run by run.

use super::files::{Files, Formats};
use super::parquet_table::{Cell, Column, ColumnType};
use super::row::{place, place_columns};
use crate::batch::cell::{BAND, CellRuns};
use crate::batch::cell_reader::CellReader;
use crate::batch::conduct::{Conducted, for_each_pair};
use crate::batch::plan::Plan;
use crate::batch::store::StoreError;
use crate::stats::hypothesis::holm;
use crate::stats::matched_pairs::MatchedPairs;
use crate::stats::paired::{Difference, MeanPairs, PairedIndicator, PairedMean};
use crate::stats::worlds::Band;

/// Comparisons that are kept between the two passes over them; more are worked out twice.
const MOST_KEPT: usize = 100_000;

/// One quantity of a cell against its baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// The difference with its paired interval.
    pub difference: Difference,
    /// Median and central 90 % of the difference across draws of the parameters.
    pub band: Option<Band>,
    /// Pairs in which a run was stopped at the cap on events.
    pub capped: u64,
    /// The difference's p-value, corrected for all comparisons of the batch (Holm).
    pub p_adjusted: f64,
}

/// The comparisons of one cell, a quantity each: `None` where there is nothing to compare. Empty for a baseline, and where the
/// cell or its baseline failed.
pub type Comparisons = Vec<Option<Compared>>;

/// Works out all comparisons and hands them to `visit` in the order of cells.
///
/// # Errors
/// The runs cannot be read, or `visit` refuses.
pub fn each_comparison(
    plan: &Plan,
    reader: &CellReader<'_>,
    done: &Conducted,
    mut visit: impl FnMut(u64, &Comparisons) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let work = |runs: &CellRuns<'_>, baseline: &CellRuns<'_>| -> Comparisons {
        let failed = |runs: &CellRuns<'_>| done.failures.contains_key(&runs.number());
        if runs.number() == baseline.number() || failed(runs) || failed(baseline) {
            return Vec::new();
        }
        let capped = baseline.capped_pairs(runs);
        let quantities = 0..plan.quantities.len();
        quantities
            .map(|index| compare(plan, index, (baseline, runs), capped, done.level))
            .collect()
    };
    // The correction needs all p-values before the first of them is final.
    let mut p_values = Vec::new();
    let mut kept: Option<Vec<(u64, Comparisons)>> = Some(Vec::new());
    for_each_pair(plan, reader, work, |number, comparisons| {
        p_values.extend(comparisons.iter().flatten().map(|c| c.difference.p_value));
        if p_values.len() > MOST_KEPT {
            kept = None;
        }
        if let Some(kept) = &mut kept {
            kept.push((number, comparisons));
        }
        Ok(())
    })?;
    let adjusted = holm(&p_values);
    drop(p_values);
    let mut adjusted = adjusted.into_iter();
    let mut correct = |number: u64, mut comparisons: Comparisons| {
        for (compared, p) in comparisons.iter_mut().flatten().zip(&mut adjusted) {
            compared.p_adjusted = p;
        }
        visit(number, &comparisons)
    };
    match kept {
        Some(kept) => {
            (kept.into_iter()).try_for_each(|(number, comparisons)| correct(number, comparisons))
        }
        None => for_each_pair(plan, reader, work, correct),
    }
}

fn compare(
    plan: &Plan,
    quantity: usize,
    (baseline, runs): (&CellRuns<'_>, &CellRuns<'_>),
    capped: u64,
    level: f64,
) -> Option<Compared> {
    let size = plan.runs_per_world();
    // Without worlds, any set of pairs can be added together.
    let together = size.map_or(runs.runs().max(1), u64::from);
    let pairs = baseline.values(quantity).zip(runs.values(quantity));
    let (difference, band) = if plan.quantities[quantity].is_probability() {
        let mut all = PairedIndicator::new(size);
        let mut world = MatchedPairs::default();
        for (number, (old, new)) in (1..).zip(pairs) {
            world.record(old == Some(1.0), new == Some(1.0));
            if number % together == 0 {
                all.add(&world);
                world = MatchedPairs::default();
            }
        }
        all.add_unknown(capped);
        (all.difference(level)?, all.band(BAND))
    } else {
        let mut all = PairedMean::new(size);
        let mut world = MeanPairs::default();
        for (number, pair) in (1..).zip(pairs) {
            match pair {
                (Some(old), Some(new)) => world.record(old, new),
                _ => world.drop_pair(),
            }
            if number % together == 0 {
                all.add(&world);
                world = MeanPairs::default();
            }
        }
        (all.difference(level)?, all.band(BAND))
    };
    Some(Compared {
        difference,
        band,
        capped,
        p_adjusted: difference.p_value,
    })
}

/// Writes comparison.csv, and hands the comparisons on to `visit`.
///
/// # Errors
/// It cannot be written, or `visit` refuses.
pub fn write_comparison(
    plan: &Plan,
    reader: &CellReader<'_>,
    done: &Conducted,
    files: &mut Files,
    mut visit: impl FnMut(u64, &Comparisons),
) -> Result<(), StoreError> {
    use ColumnType::{Count, Number, Text, Truth};
    let mut columns = place_columns(plan);
    columns.extend([
        Column::new(
            "baseline_cell",
            Count,
            "Number of the cell it is compared with",
        ),
        Column::new("quantity", Text, "Endgame, flag or metric"),
        Column::new("kind", Text, "Which of the three"),
        Column::new("unit", Text, "Unit of the estimate, of a metric"),
        Column::new("estimate", Number, "Probability or mean in the cell"),
        Column::new("baseline", Number, "Probability or mean in the baseline"),
        Column::new("difference", Number, "Cell less baseline"),
        Column::new(
            "low",
            Number,
            "Lower end of the paired interval of the difference",
        ),
        Column::new(
            "high",
            Number,
            "Upper end of the paired interval of the difference",
        ),
        Column::new(
            "variance_reduction",
            Number,
            "How many times more independent runs would be needed for an equally exact difference",
        ),
        Column::new(
            "p_value",
            Number,
            "Probability of such a difference if there were none",
        ),
        Column::new(
            "p_adjusted",
            Number,
            "The same, corrected for all rows of the table (Holm)",
        ),
        Column::new(
            "significant",
            Truth,
            "Whether the corrected one is at most 0.05",
        ),
        Column::new(
            "band_low",
            Number,
            "5 % quantile of the difference across parameters",
        ),
        Column::new(
            "band_median",
            Number,
            "Median of the difference across parameters",
        ),
        Column::new(
            "band_high",
            Number,
            "95 % quantile of the difference across parameters",
        ),
    ]);
    let mut table = files.table("comparison", &columns, Formats::Csv, "")?;
    let mut setting = Vec::new();
    each_comparison(plan, reader, done, |number, comparisons| {
        let mut cells = place(plan, number, &mut setting);
        let about_it = cells.len();
        let baseline = plan.number(plan.baseline_of(plan.cell(number)));
        for (quantity, compared) in plan.quantities.iter().zip(comparisons) {
            let Some(Compared {
                difference,
                band,
                p_adjusted,
                ..
            }) = compared
            else {
                continue;
            };
            cells.truncate(about_it);
            cells.extend([
                Cell::Count(baseline),
                Cell::Text(Some(&quantity.id)),
                Cell::Text(Some(quantity.kind())),
                Cell::Text(quantity.unit.as_deref()),
                Cell::Number(Some(difference.variant)),
                Cell::Number(Some(difference.baseline)),
                Cell::Number(Some(difference.difference)),
                Cell::Number(Some(difference.interval.low)),
                Cell::Number(Some(difference.interval.high)),
                Cell::Number(difference.variance_reduction),
                Cell::Number(Some(difference.p_value)),
                Cell::Number(Some(*p_adjusted)),
                Cell::Truth(is_significant(*p_adjusted)),
                Cell::Number(band.map(|band| band.low)),
                Cell::Number(band.map(|band| band.median)),
                Cell::Number(band.map(|band| band.high)),
            ]);
            files.row(&mut table, &cells)?;
        }
        visit(number, comparisons);
        Ok(())
    })?;
    files.finish_table(table)
}

/// Whether a corrected p-value speaks against there being no difference.
pub fn is_significant(p_adjusted: f64) -> bool {
    p_adjusted <= 0.05
}
