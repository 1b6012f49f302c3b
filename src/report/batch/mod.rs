//! The results of a batch: tables, a text for people, and a folder that explains itself.

pub mod cells;
pub mod comparison;
pub mod files;
pub mod parquet_table;
pub mod readme;
pub mod robustness;
pub mod row;
pub mod selected;
pub mod text;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::batch::cell_reader::CellReader;
use crate::batch::conduct::Conducted;
use crate::batch::plan::{Identity, Plan, PlannedSelection};
use crate::batch::selection::OBSERVATIONS;
use crate::batch::store::{self, MANIFEST, Store, StoreError};
use crate::stats::decision::selection::Selection;
use files::Files;
use text::Shown;

/// Name of the file with the text that was printed when the batch was complete.
pub const REPORT: &str = "report.txt";

/// Writes what a selection found, the manifest last. Gives the text for people.
///
/// # Errors
/// A file cannot be written.
pub fn finish_selection(
    plan: &Plan,
    asked: &PlannedSelection,
    found: &Selection,
    store: &Store,
) -> Result<String, StoreError> {
    let mut files = Files::new(store.folder());
    selected::write(plan, found, &mut files)?;
    let text = selected::text(plan, asked, found);
    files.write(REPORT, &text)?;
    files.keep(OBSERVATIONS)?;
    let blocks = found.observations.iter().copied().max().unwrap_or(0);
    let manifest = Manifest {
        key: crate::digest::hex(&plan.identity.digest()),
        identity: &plan.identity,
        cells: plan.cells(),
        runs_per_cell: blocks * u64::from(plan.block),
        level: asked.probability,
        looks: &[],
        precision_reached: None,
        failed_cells: 0,
        files: files.written(),
    };
    write_manifest(&manifest, store)?;
    Ok(text)
}

fn write_manifest(manifest: &Manifest<'_>, store: &Store) -> Result<(), StoreError> {
    let text = serde_json::to_string_pretty(manifest).map_err(|error| StoreError::Io {
        path: store.folder().join(MANIFEST),
        error: error.into(),
    })?;
    store::write(store.folder(), MANIFEST, (text + "\n").as_bytes())?;
    store.remove_chunks()
}

/// The content of `manifest.json`. It names neither times nor machines, so that it is the same for every repetition.
#[derive(Serialize)]
struct Manifest<'a> {
    key: String,
    #[serde(flatten)]
    identity: &'a Identity,
    cells: u64,
    runs_per_cell: u64,
    level: f64,
    looks: &'a [u64],
    precision_reached: Option<bool>,
    failed_cells: usize,
    files: &'a BTreeMap<String, String>,
}

/// Writes the files of a complete batch, the manifest last, and removes the chunks of runs that they were made from. Gives the
/// text for people.
///
/// # Errors
/// The runs cannot be read, or a file cannot be written.
pub fn finish(plan: &Plan, store: &Store, done: &Conducted) -> Result<String, StoreError> {
    let reader = CellReader::new(store, done.rounds)?;
    let mut files = Files::new(store.folder());
    let mut shown = Shown::new(plan);
    cells::write_cells(plan, &reader, done, &mut files, |number, estimates| {
        shown.cell(number, estimates);
        Ok(())
    })?;
    if has_comparisons(plan) {
        comparison::write_comparison(plan, &reader, done, &mut files, |number, comparisons| {
            shown.comparison(number, comparisons);
        })?;
    }
    let mut weighed = Vec::new();
    if robustness::is_asked(plan) {
        weighed = robustness::weigh(plan, &reader, done)?;
        robustness::write_robustness(plan, &weighed, &mut files)?;
    }
    if !done.failures.is_empty() {
        cells::write_failures(plan, done, &mut files)?;
    }
    if plan.keep_runs {
        cells::write_runs(plan, &reader, done, &mut files)?;
    }
    let text = shown.text(done, &weighed);
    files.write(REPORT, &text)?;
    let readme = readme::text(plan, done, files.written());
    files.write("README.md", &readme)?;
    let manifest = Manifest {
        key: crate::digest::hex(&plan.identity.digest()),
        identity: &plan.identity,
        cells: plan.cells(),
        runs_per_cell: done.rounds * u64::from(plan.block),
        level: done.level,
        looks: &done.looks,
        precision_reached: done.reached,
        failed_cells: done.failures.len(),
        files: files.written(),
    };
    write_manifest(&manifest, store)?;
    Ok(text)
}

/// The text for people of a batch that is not complete: of the blocks that all cells have.
///
/// # Errors
/// The runs cannot be read.
pub fn provisional(plan: &Plan, store: &Store, done: &Conducted) -> Result<String, StoreError> {
    let mut shown = Shown::new(plan);
    let mut weighed = Vec::new();
    if done.rounds > 0 {
        let reader = CellReader::new(store, done.rounds)?;
        cells::each_estimate(plan, &reader, done, |number, estimates| {
            shown.cell(number, &estimates);
            Ok(())
        })?;
        if has_comparisons(plan) {
            comparison::each_comparison(plan, &reader, done, |number, comparisons| {
                shown.comparison(number, comparisons);
                Ok(())
            })?;
        }
        if robustness::is_asked(plan) {
            weighed = robustness::weigh(plan, &reader, done)?;
        }
    }
    Ok(shown.text(done, &weighed))
}

/// Whether some cell is compared with another one.
fn has_comparisons(plan: &Plan) -> bool {
    plan.policies() > 1 || plan.baseline.scenario.is_some() || plan.baseline.sweep.is_some()
}
