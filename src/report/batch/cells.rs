//! The table of cells: a row for each cell and quantity. The table of runs: a row for each run.

use super::files::{Files, Formats};
use super::parquet_table::{Cell, Column, ColumnType};
use super::row::{place, place_columns};
use crate::batch::cell::{CellRuns, Estimate};
use crate::batch::cell_reader::CellReader;
use crate::batch::conduct::{Conducted, for_each_cell};
use crate::batch::plan::Plan;
use crate::batch::record::Ending;
use crate::batch::store::StoreError;

/// The estimates of one cell, a quantity each; none for a cell that failed.
pub type Estimates = Vec<Estimate>;

/// Works out the estimates of all cells and hands them to `visit` in order.
///
/// # Errors
/// The runs cannot be read, or `visit` refuses.
pub fn each_estimate(
    plan: &Plan,
    reader: &CellReader<'_>,
    done: &Conducted,
    mut visit: impl FnMut(u64, Estimates) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let work = |runs: &CellRuns<'_>| -> Estimates {
        if done.failures.contains_key(&runs.number()) {
            return Vec::new();
        }
        let quantities = 0..plan.quantities.len();
        quantities
            .map(|index| runs.estimate(index, done.level))
            .collect()
    };
    for_each_cell(plan, reader, work, |number, estimates| {
        visit(number, estimates)
    })
}

/// Writes cells.csv and cells.parquet, and hands the estimates on to `visit`.
///
/// # Errors
/// They cannot be written, or `visit` refuses.
pub fn write_cells(
    plan: &Plan,
    reader: &CellReader<'_>,
    done: &Conducted,
    files: &mut Files,
    mut visit: impl FnMut(u64, &Estimates) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    use ColumnType::{Count, Number, Text};
    let mut columns = place_columns(plan);
    columns.extend([
        Column::new("quantity", Text, "Endgame, flag or metric"),
        Column::new("kind", Text, "Which of the three"),
        Column::new("unit", Text, "Unit of the estimate, of a metric"),
        Column::new("runs", Count, "Runs"),
        Column::new("capped", Count, "Runs stopped at the cap on events"),
        Column::new(
            "worlds",
            Count,
            "Draws of the parameters, 1 if they are held",
        ),
        Column::new(
            "never",
            Count,
            "Runs in which a day never came, counted as the horizon",
        ),
        Column::new("estimate", Number, "Probability or mean"),
        Column::new(
            "low",
            Number,
            "Lower end of the Monte Carlo interval of the estimate",
        ),
        Column::new(
            "high",
            Number,
            "Upper end of the Monte Carlo interval of the estimate",
        ),
        Column::new(
            "sd",
            Number,
            "Standard deviation of single runs, of a metric",
        ),
        Column::new(
            "band_low",
            Number,
            "5 % quantile of the probability across parameters",
        ),
        Column::new(
            "band_median",
            Number,
            "Median of the probability across parameters",
        ),
        Column::new(
            "band_high",
            Number,
            "95 % quantile of the probability across parameters",
        ),
    ]);
    let description = format!("{}: every cell, a row for each quantity", plan.title);
    let mut table = files.table("cells", &columns, Formats::Both, &description)?;
    let mut setting = Vec::new();
    each_estimate(plan, reader, done, |number, estimates| {
        let mut cells = place(plan, number, &mut setting);
        let about_it = cells.len();
        for (quantity, estimate) in plan.quantities.iter().zip(&estimates) {
            let band = estimate.band;
            cells.truncate(about_it);
            cells.extend([
                Cell::Text(Some(&quantity.id)),
                Cell::Text(Some(quantity.kind())),
                Cell::Text(quantity.unit.as_deref()),
                Cell::Count(estimate.runs),
                Cell::Count(estimate.capped),
                Cell::Count(estimate.worlds.unwrap_or(1)),
                Cell::Count(estimate.never),
                Cell::Number(estimate.mean),
                Cell::Number(estimate.interval.map(|interval| interval.low)),
                Cell::Number(estimate.interval.map(|interval| interval.high)),
                Cell::Number(estimate.sd),
                Cell::Number(band.map(|band| band.low)),
                Cell::Number(band.map(|band| band.median)),
                Cell::Number(band.map(|band| band.high)),
            ]);
            files.row(&mut table, &cells)?;
        }
        visit(number, &estimates)
    })?;
    files.finish_table(table)
}

/// Writes failures.csv: the cells that failed, each with its first error.
///
/// # Errors
/// It cannot be written.
pub fn write_failures(plan: &Plan, done: &Conducted, files: &mut Files) -> Result<(), StoreError> {
    let mut columns = place_columns(plan);
    columns.extend([
        Column::new("run", ColumnType::Count, "The run that failed first"),
        Column::new("error", ColumnType::Text, "What went wrong"),
    ]);
    let mut table = files.table("failures", &columns, Formats::Csv, "")?;
    let mut setting = Vec::new();
    for (number, failure) in &done.failures {
        let mut cells = place(plan, *number, &mut setting);
        cells.extend([Cell::Count(failure.run), Cell::Text(Some(&failure.message))]);
        files.row(&mut table, &cells)?;
    }
    files.finish_table(table)
}

/// Writes runs.parquet: a row for every run of the cells that did not fail.
///
/// # Errors
/// It cannot be written.
pub fn write_runs(
    plan: &Plan,
    reader: &CellReader<'_>,
    done: &Conducted,
    files: &mut Files,
) -> Result<(), StoreError> {
    use ColumnType::{Count, Number, Text, Truth};
    let mut columns = place_columns(plan);
    columns.extend([
        Column::new(
            "run",
            Count,
            "Number of the run, the same chance in every cell",
        ),
        Column::new(
            "world",
            Count,
            "Draw of the parameters, the same in every cell",
        ),
        Column::new(
            "endgame",
            Text,
            "Endgame; none for a run stopped at the cap on events",
        ),
        Column::new("events", Count, "Number of events"),
    ]);
    let flags = plan.flags();
    columns.extend(
        flags
            .iter()
            .map(|flag| Column::new(format!("flag_{}", flag.id()), Truth, flag.label())),
    );
    columns.extend(plan.metrics.iter().map(|metric| Column {
        unit: metric.unit.clone(),
        ..Column::new(format!("metric_{}", metric.id), Number, &*metric.label)
    }));
    let description = format!("{}: every run", plan.title);
    let mut table = files.table("runs", &columns, Formats::Parquet, &description)?;
    let endgames = plan.endgame_ids();
    let block = u64::from(plan.block);
    let mut setting = Vec::new();
    for number in 0..plan.cells() {
        if done.failures.contains_key(&number) {
            continue;
        }
        let records = reader.read(number..number + 1)?;
        let runs = CellRuns::new(plan, number, &records);
        let mut cells = place(plan, number, &mut setting);
        let about_it = cells.len();
        for (run, record) in (0..).zip(runs.records()) {
            cells.truncate(about_it);
            let endgame = match record.ending() {
                Ending::Endgame(index) => Some(endgames[index]),
                _ => None,
            };
            cells.extend([
                Cell::Count(run),
                Cell::Count(plan.runs_per_world().map_or(0, |_| run / block)),
                Cell::Text(endgame),
                Cell::Count(u64::from(record.events())),
            ]);
            cells.extend((0..flags.len()).map(|flag| Cell::Truth(record.flag(flag))));
            let metrics = 0..plan.metrics.len();
            cells.extend(metrics.map(|metric| Cell::Number(Some(record.metric(metric)))));
            files.row(&mut table, &cells)?;
        }
    }
    files.finish_table(table)
}
