//! Results as CSV: one header line, full precision, empty cells where there is no value.

use super::csv_text::CsvText;
use super::number::{exact, exact_or_empty};
use super::results::{MetricRow, OutcomeRow, QUANTILES, Results, TimelineRow};

/// The endgames. With draws of the parameters, three columns more tell how the probability varies across them.
pub fn outcomes(results: &Results) -> String {
    probabilities("endgame", &results.outcomes, results.worlds.is_some())
}

/// The endgames of several scenarios, with the scenario's name in the first column and always with the band.
pub fn outcomes_of_several<'a>(named: impl Iterator<Item = (&'a str, &'a Results)>) -> String {
    let mut header = vec!["scenario"];
    header.extend(probability_header("endgame", true));
    let mut csv = CsvText::new(&header);
    for (name, results) in named {
        for row in &results.outcomes {
            let mut cells = vec![name.to_owned()];
            cells.extend(probability_cells(row, true));
            csv.row(&cells);
        }
    }
    csv.text()
}

/// The flags, as the endgames.
pub fn flags(results: &Results) -> String {
    probabilities("flag", &results.flags, results.worlds.is_some())
}

fn probabilities(first: &str, rows: &[OutcomeRow], bands: bool) -> String {
    let mut csv = CsvText::new(&probability_header(first, bands));
    for row in rows {
        csv.row(&probability_cells(row, bands));
    }
    csv.text()
}

fn probability_header(first: &str, bands: bool) -> Vec<&str> {
    let mut header = vec![
        first,
        "label",
        "count",
        "runs",
        "probability",
        "low",
        "high",
    ];
    if bands {
        header.extend(["band_low", "band_median", "band_high"]);
    }
    header
}

fn probability_cells(row: &OutcomeRow, bands: bool) -> Vec<String> {
    let mut cells = vec![
        row.id.clone(),
        row.label.clone(),
        row.count.to_string(),
        row.runs.to_string(),
        exact(row.probability),
        exact(row.interval.low),
        exact(row.interval.high),
    ];
    if bands {
        let band = row.band;
        let ends = [
            band.map(|band| band.low),
            band.map(|band| band.median),
            band.map(|band| band.high),
        ];
        cells.extend(ends.map(exact_or_empty));
    }
    cells
}

/// The metrics. With draws of the parameters, two columns more divide the variance of single runs.
pub fn metrics(results: &Results) -> String {
    let shares = results.worlds.is_some();
    let mut header = vec![
        "metric",
        "label",
        "unit",
        "runs",
        "never",
        "mean",
        "mean_low",
        "mean_high",
        "sd",
    ];
    let names = QUANTILES.map(quantile_name);
    header.extend(names.iter().map(String::as_str));
    if shares {
        header.extend(["chance_share", "parameter_share"]);
    }
    let mut csv = CsvText::new(&header);
    for row in &results.metrics {
        csv.row(&metric_cells(row, shares));
    }
    csv.text()
}

fn metric_cells(row: &MetricRow, shares: bool) -> Vec<String> {
    let mut cells = vec![
        row.id.clone(),
        row.label.clone(),
        row.unit.clone().unwrap_or_default(),
        row.runs.to_string(),
        row.never.to_string(),
        exact_or_empty(row.mean),
        exact_or_empty(row.mean_interval.map(|interval| interval.low)),
        exact_or_empty(row.mean_interval.map(|interval| interval.high)),
        exact_or_empty(row.sd),
    ];
    cells.extend(quantile_cells(row.quantiles));
    if shares {
        cells.push(exact_or_empty(row.shares.map(|shares| shares.chance)));
        cells.push(exact_or_empty(row.shares.map(|shares| shares.parameters)));
    }
    cells
}

/// The recorded series.
pub fn timeline(results: &Results) -> String {
    let names = QUANTILES.map(quantile_name);
    let mut header = vec!["day", "date", "series", "mean"];
    header.extend(names.iter().map(String::as_str));
    let mut csv = CsvText::new(&header);
    for row in &results.timeline {
        let TimelineRow {
            day,
            date,
            series,
            mean,
            quantiles,
        } = row;
        let mut cells = vec![
            exact(*day),
            date.clone(),
            series.clone(),
            exact_or_empty(*mean),
        ];
        cells.extend(quantile_cells(*quantiles));
        csv.row(&cells);
    }
    csv.text()
}

fn quantile_name(p: f64) -> String {
    format!("p{:02.0}", 100.0 * p)
}

fn quantile_cells(quantiles: Option<[f64; 5]>) -> [String; 5] {
    quantiles.map_or_else(Default::default, |values| values.map(exact))
}
