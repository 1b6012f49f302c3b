//! The rows of the tables of a batch.

use std::fmt::Write as _;

use crate::batch::plan::Plan;
use crate::report::batch::parquet_table::{Cell, Column, ColumnType};
use crate::report::number::Exact;

/// The columns that say which cell a row is about: its number, scenario, variant, and the setting of sweeps and levers.
pub fn place_columns(plan: &Plan) -> Vec<Column> {
    let mut columns = vec![
        Column::new("cell", ColumnType::Count, "Number of the cell"),
        Column::new("scenario", ColumnType::Text, "Scenario"),
        Column::new("variant", ColumnType::Text, "Variant"),
    ];
    let axes = [("sweep", &plan.sweeps), ("lever", &plan.levers)];
    for (kind, points) in axes {
        columns.extend(points.axes().iter().map(|axis| {
            let label = axis.label.as_deref().unwrap_or(&axis.parameter);
            Column::new(
                format!("{kind}_{}", axis.parameter),
                ColumnType::Number,
                label,
            )
        }));
    }
    columns
}

/// The first cells of a row about the cell with this number; `setting` is working memory.
pub fn place<'p>(plan: &'p Plan, number: u64, setting: &mut Vec<f64>) -> Vec<Cell<'p>> {
    let cell = plan.cell(number);
    plan.setting(cell, setting);
    let mut cells = vec![
        Cell::Count(number),
        Cell::Text(Some(&plan.scenarios[cell.scenario].name)),
        Cell::Text(Some(&plan.variants[cell.variant].name)),
    ];
    cells.extend(setting.iter().map(|&value| Cell::Number(Some(value))));
    cells
}

/// Writes a cell as text, with full precision, in the place of what `text` holds; nothing where there is nothing.
pub fn set_text(text: &mut String, cell: &Cell<'_>) {
    text.clear();
    // Nothing that is written into a string can fail.
    let _ = match cell {
        Cell::Count(count) => write!(text, "{count}"),
        Cell::Number(Some(number)) => write!(text, "{}", Exact(*number)),
        Cell::Truth(truth) => write!(text, "{truth}"),
        Cell::Text(Some(content)) => text.write_str(content),
        Cell::Number(None) | Cell::Text(None) => Ok(()),
    };
}
