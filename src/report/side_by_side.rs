//! The results of several scenarios beside each other.

use super::number::{count, percent, percent_decimals, percent_range};
use super::results::{OutcomeRow, Results};
use super::run_text::{Heading, capped_warning};
use super::text_table::{Align, Table};

/// One scenario with its results.
pub struct Column<'a> {
    /// Name of the scenario.
    pub name: &'a str,
    /// What was run.
    pub heading: &'a Heading,
    pub results: &'a Results,
}

/// Endgames and flags of several scenarios as text: for each the probability with its Monte Carlo interval and, where
/// parameters were drawn, the band across them.
pub fn text(columns: &[Column<'_>]) -> String {
    let mut out = String::new();
    for column in columns {
        let runs = count(column.results.runs);
        let heading = column.heading;
        let draws = match column.results.worlds {
            Some(worlds) => format!(", {} draws of the parameters", count(worlds)),
            None => String::new(),
        };
        out.push_str(&format!(
            "{} ({}): {runs} runs{draws}; seed {}\n",
            column.name, heading.title, heading.seed
        ));
    }
    for (name, rows) in [
        ("Endgame", outcomes as fn(&Results) -> &[OutcomeRow]),
        ("Flag", flags),
    ] {
        if columns
            .iter()
            .any(|column| !rows(column.results).is_empty())
        {
            out.push('\n');
            out.push_str(&table(name, columns, rows));
        }
    }
    out.push_str("\nIn each column: probability, Monte Carlo 95 % interval");
    if columns.iter().any(|column| column.results.worlds.is_some()) {
        out.push_str(
            "; below, in brackets, how far the probability moves across parameters (90 % of draws)",
        );
    }
    out.push_str(".\n");
    for column in columns.iter().filter(|column| column.results.capped > 0) {
        let warning = capped_warning(column.heading, column.results);
        out.push_str(&format!("WARNING: {}: {warning}", column.name));
    }
    out
}

fn outcomes(results: &Results) -> &[OutcomeRow] {
    &results.outcomes
}

fn flags(results: &Results) -> &[OutcomeRow] {
    &results.flags
}

fn table(name: &str, columns: &[Column<'_>], rows: fn(&Results) -> &[OutcomeRow]) -> String {
    let mut header = vec![name];
    header.extend(columns.iter().map(|column| column.name));
    let mut table = Table::new(&header);
    let mut ids: Vec<(&str, &str)> = Vec::new();
    for column in columns {
        for row in rows(column.results) {
            if ids.iter().all(|(id, _)| *id != row.id) {
                ids.push((&row.id, &row.label));
            }
        }
    }
    for (id, label) in ids {
        let found: Vec<Option<&OutcomeRow>> = (columns.iter())
            .map(|column| rows(column.results).iter().find(|row| row.id == id))
            .collect();
        let line = |first: &str, cell: fn(&OutcomeRow) -> String| {
            let cells = found
                .iter()
                .map(|row| row.map_or_else(|| "–".to_owned(), cell));
            std::iter::once(first.to_owned()).chain(cells).collect()
        };
        table.row(line(label, estimate));
        if found.iter().flatten().any(|row| row.band.is_some()) {
            table.row(line("", band));
        }
    }
    table.text(|column| match column {
        0 => Align::Left,
        _ => Align::Right,
    })
}

fn estimate(row: &OutcomeRow) -> String {
    let digits = percent_decimals(row.interval);
    let interval = percent_range(row.interval.low, row.interval.high, digits);
    format!("{}  {interval}", percent(row.probability, digits))
}

fn band(row: &OutcomeRow) -> String {
    let digits = percent_decimals(row.interval).min(1);
    (row.band).map_or_else(String::new, |band| {
        format!("[{}]", percent_range(band.low, band.high, digits))
    })
}
