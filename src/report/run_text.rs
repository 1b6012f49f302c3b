//! Results for people: tables with no more digits than are known.

use serde::Serialize;

use super::number::{
    count, decimals, percent, percent_decimals, percent_range, range, rounded, significant,
};
use super::results::{BAND, MetricRow, OutcomeRow, Results};
use super::text_table::{Align, Table};

/// Cells of the bar that stands for probability 1.
const BAR_CELLS: f64 = 20.0;

/// What the tables say about the experiment beside its results.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// Title of the scenario.
    pub title: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// Runs for each draw of the parameters, if they were drawn.
    pub runs_per_world: Option<u32>,
    /// Whether some parameter has a prior that was not used.
    pub priors_unused: bool,
    /// Parameters that were set by hand.
    pub overrides: Vec<(String, f64)>,
    /// Cap on the events of a run.
    pub max_events: u64,
    /// What became of the precision asked for, if one was.
    pub precision: Option<PrecisionOutcome>,
    /// Runs asked for, if the experiment was interrupted before it had made them.
    pub interrupted: Option<u64>,
}

/// What became of the precision asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PrecisionOutcome {
    /// Width asked for of every endgame's interval.
    pub width: f64,
    /// Whether every interval is narrower.
    pub reached: bool,
    /// How often the runs were looked at.
    pub looks: usize,
}

/// The results as text, without where they are stored.
pub fn text(heading: &Heading, results: &Results) -> String {
    let mut out = String::new();
    push_heading(&mut out, heading, results);
    if results.runs == 0 {
        return out;
    }
    out.push('\n');
    out.push_str(&probabilities("Endgame", &results.outcomes, results));
    if !results.flags.is_empty() {
        out.push('\n');
        out.push_str(&probabilities("Flag", &results.flags, results));
    }
    let shown: Vec<_> = results.metrics.iter().filter(|row| row.headline).collect();
    if !shown.is_empty() {
        out.push('\n');
        out.push_str(&metrics(&shown));
    }
    out.push('\n');
    push_notes(&mut out, heading, results);
    out
}

fn push_heading(out: &mut String, heading: &Heading, results: &Results) {
    out.push_str(&format!("{}\n", heading.title));
    let runs = count(results.runs);
    let parameters = match (results.worlds, heading.runs_per_world) {
        (Some(worlds), Some(each)) => {
            format!(
                "{runs} runs: {} draws of the parameters, {each} runs each",
                count(worlds)
            )
        }
        _ if heading.priors_unused => format!("{runs} runs, all parameters at their defaults"),
        _ => format!("{runs} runs"),
    };
    out.push_str(&format!("{parameters}; seed {}\n", heading.seed));
    out.push_str(&held(&heading.overrides));
    if let Some(asked) = heading.interrupted {
        out.push_str(&format!(
            "interrupted: {runs} of at most {} runs were made\n",
            count(asked)
        ));
    }
}

/// A line with the parameters that the user holds; nothing if there are none.
pub(super) fn held(overrides: &[(String, f64)]) -> String {
    if overrides.is_empty() {
        return String::new();
    }
    let list: Vec<_> = (overrides.iter())
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    format!("with {}\n", list.join(", "))
}

fn probabilities(name: &str, rows: &[OutcomeRow], results: &Results) -> String {
    let across = format!("Across parameters {:.0} %", 100.0 * BAND);
    let mut header = vec![name, "Probability", "", "Monte Carlo 95 %"];
    if results.worlds.is_some() {
        header.push(&across);
    }
    header.push("Runs");
    let mut table = Table::new(&header);
    for row in rows {
        let digits = percent_decimals(row.interval);
        let mut cells = vec![
            row.label.clone(),
            percent(row.probability, digits),
            bar(row.probability),
            percent_range(row.interval.low, row.interval.high, digits),
        ];
        if results.worlds.is_some() {
            let band = row
                .band
                .map(|band| percent_range(band.low, band.high, digits.min(1)));
            cells.push(band.unwrap_or_else(|| "unknown".to_owned()));
        }
        cells.push(count(row.count));
        table.row(cells);
    }
    table.text(|column| match column {
        0 | 2 => Align::Left,
        _ => Align::Right,
    })
}

fn metrics(rows: &[&MetricRow]) -> String {
    let mut table = Table::new(&[
        "Metric",
        "Mean",
        "Monte Carlo 95 %",
        "Median",
        "5–95 % of runs",
        "Never",
    ]);
    for row in rows {
        let label = match &row.unit {
            Some(unit) => format!("{} ({unit})", row.label),
            None => row.label.clone(),
        };
        let [mean, interval] = mean_cells(row);
        let [median, spread] = quantile_cells(row);
        let all = row.runs + row.never;
        let never = match row.never {
            0 => "–".to_owned(),
            never => share(never, all),
        };
        table.row(vec![label, mean, interval, median, spread, never]);
    }
    table.text(|column| {
        if column == 0 {
            Align::Left
        } else {
            Align::Right
        }
    })
}

fn mean_cells(row: &MetricRow) -> [String; 2] {
    let (Some(mean), Some(interval)) = (row.mean, row.mean_interval) else {
        let mean = row.mean.map(significant).unwrap_or_else(|| "–".to_owned());
        return [mean, "–".to_owned()];
    };
    if interval.width() == 0.0 {
        return [significant(mean), significant(mean)];
    }
    let digits = decimals(interval);
    let (low, high) = (
        rounded(interval.low, digits),
        rounded(interval.high, digits),
    );
    [rounded(mean, digits), range(&low, &high)]
}

/// Quantiles to the digit that the mean is known to: their error is of that size. Whole numbers stay as they are.
fn quantile_cells(row: &MetricRow) -> [String; 2] {
    let Some([low, _, median, _, high]) = row.quantiles else {
        return ["–".to_owned(), "–".to_owned()];
    };
    let digits = row
        .mean_interval
        .filter(|interval| interval.width() > 0.0)
        .map(decimals);
    let show = |x: f64| match digits {
        Some(digits) if x != x.floor() || digits < 0 => rounded(x, digits),
        _ => significant(x),
    };
    [show(median), range(&show(low), &show(high))]
}

/// A share of the runs, which never rounds to none or to all.
fn share(part: u64, all: u64) -> String {
    let share = part as f64 / all.max(1) as f64;
    if part < all && share > 0.999 {
        ">99.9 %".to_owned()
    } else if share < 0.001 {
        "<0.1 %".to_owned()
    } else {
        percent(share, 1)
    }
}

/// A bar in eighths of a cell.
fn bar(p: f64) -> String {
    let eighths = (p * BAR_CELLS * 8.0).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if eighths == 0 && p > 0.0 {
        bar.push('▏');
    }
    if let Some(part) = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉']
        .get(eighths % 8)
        .filter(|part| **part != ' ')
    {
        bar.push(*part);
    }
    bar
}

/// What is to be said of runs that were stopped at the cap on events.
pub(super) fn capped_warning(heading: &Heading, results: &Results) -> String {
    format!(
        "{} of {} runs reached the cap of {} events. They count in no endgame, flag or metric;\n\
         the probabilities are too low by up to that share. Raise `max_events`, or look for a cascade with `flashpoint trace`.\n",
        count(results.capped),
        count(results.runs),
        count(heading.max_events),
    )
}

fn push_notes(out: &mut String, heading: &Heading, results: &Results) {
    if results.capped > 0 {
        out.push_str(&format!("WARNING: {}", capped_warning(heading, results)));
    }
    if let Some(precision) = heading.precision {
        let width = significant(100.0 * precision.width);
        let looks = match precision.looks {
            1 => "one look".to_owned(),
            looks => format!("{looks} looks"),
        };
        let verdict = match (precision.reached, heading.interrupted) {
            (true, _) => format!(
                "Every endgame's interval is at most {width} percentage points wide, after {looks} at the runs;\n\
                 the intervals allow for the looks."
            ),
            (false, Some(_)) => format!(
                "The interruption came before every interval was {width} percentage points wide or less."
            ),
            (false, None) => format!(
                "WARNING: the largest number of runs did not bring every interval to {width} percentage points or less."
            ),
        };
        out.push_str(&verdict);
        out.push('\n');
    }
    out.push_str(
        "Monte Carlo 95 %: what the number of runs leaves open; of such intervals, 95 % hold the model's own value.\n",
    );
    if results.worlds.is_some() {
        out.push_str(
            "Across parameters 90 %: how far the probability itself moves with the parameters, over the middle 90 % of draws.\n",
        );
    }
}

#[cfg(test)]
mod tests;
