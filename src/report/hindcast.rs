//! Hindcasts as text and CSV.

use std::fmt::Write as _;

use serde::Serialize;

use super::csv_text::CsvText;
use super::number::{
    count, decimals, exact, exact_or_empty, percent, percent_decimals, percent_range, range,
    rounded, significant,
};
use super::text_table::{Align, Table};
use crate::hindcast::forecast::{Forecast, Probability};
use crate::hindcast::question::Rule;
use crate::hindcast::verify::{Forecaster, Summary, Verification};
use crate::stats::interval::Interval;

/// Hindcasts of several cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Hindcasts {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Runs of each file, rounded up to whole worlds.
    pub runs: u64,
    /// Whether parameters were drawn from their priors.
    pub priors: bool,
    /// Hindcasts asked for, if an interruption came before the last.
    pub interrupted: Option<usize>,
    /// The questions, case by case.
    pub questions: Vec<Verification>,
    /// Comparisons over cases.
    pub summary: Vec<Summary>,
    /// Titles of the files, in order.
    #[serde(skip)]
    pub titles: Vec<(String, String)>,
}

/// Monte Carlo errors are worth a remark if twice their size is more than this share of half an interval.
const COARSE: f64 = 0.5;

const HOW_TO_READ: &str = "\
Forecast: probability with Monte Carlo 95 % interval, and [in brackets] how far it moves across parameters (90 % of draws);
of a number the median and the central 90 %. Smaller scores are better. A star marks questions whose answer was used when the
scenario's numbers were chosen: a good score there is no merit.
";

impl Hindcasts {
    /// The whole report.
    pub fn text(&self) -> String {
        let parameters = if self.priors {
            "parameters drawn from their priors"
        } else {
            "all parameters at their defaults"
        };
        let mut out = format!(
            "{}, {} runs of each; {parameters}; seed {}\n",
            plural(self.titles.len(), "hindcast"),
            count(self.runs),
            self.seed
        );
        if let Some(asked) = self.interrupted {
            let _ = writeln!(
                out,
                "interrupted: {} of {asked} hindcasts were made",
                self.titles.len()
            );
        }
        out.push('\n');
        for (file, title) in &self.titles {
            let of_file = self.questions.iter().filter(|q| q.file == *file);
            let _ = writeln!(out, "{title} ({file})\n");
            let mut table = Table::new(&[
                "Question",
                "Happened",
                "Forecast",
                "",
                "Score",
                "Base rate",
                "Last time",
                "Uniform",
            ]);
            for question in of_file {
                table.row(cells(question));
            }
            out.push_str(&table.text(|column| {
                if column < 4 {
                    Align::Left
                } else {
                    Align::Right
                }
            }));
            out.push('\n');
        }
        out.push_str(HOW_TO_READ);
        out.push('\n');
        out.push_str(&self.summary_text());
        out
    }

    fn summary_text(&self) -> String {
        let mut out = String::new();
        if self.summary.is_empty() {
            out.push_str("No case counts in the summary.\n");
            return out;
        }
        let mut table = Table::new(&[
            "Over cases",
            "Against",
            "Cases",
            "Score",
            "Baseline",
            "Difference",
            "95 % interval",
            "p",
            "Cases needed",
        ]);
        for summary in &self.summary {
            table.row(summary_cells(summary));
        }
        out.push_str(&table.text(|column| {
            if column < 2 {
                Align::Left
            } else {
                Align::Right
            }
        }));
        let _ = writeln!(out, "\n{}", self.how_little());
        out
    }

    /// What so few cases can show.
    fn how_little(&self) -> String {
        let most = self.summary.iter().map(|s| s.cases).max().unwrap_or(0);
        let shown = (self.summary.iter()).filter(|s| {
            s.interval.is_some_and(|interval| !interval.contains(0.0)) && s.p_value <= 0.05
        });
        let smallest = (self.summary.iter())
            .map(|s| s.smallest_p_value)
            .fold(1.0, f64::min);
        let coarse = self.summary.iter().filter(|s| {
            let half = s
                .interval
                .map_or(f64::INFINITY, |interval| interval.width() / 2.0);
            s.monte_carlo_error
                .is_some_and(|error| 2.0 * error > COARSE * half)
        });
        let all_told =
            (self.summary.iter()).all(|s| s.interval.is_some() && s.monte_carlo_error.is_some());
        let more_runs = match coarse.count() {
            0 if all_told => "More runs would hardly change the intervals.".to_owned(),
            0 => "What more runs would change cannot be told.".to_owned(),
            number => format!("In {number} of them the runs are too few: add some with --runs."),
        };
        format!(
            "How little this proves: there are {} at most, chosen with hindsight, of scenarios whose authors knew the answers.\n\
             Questions of one case are averaged first, since they share their history. p: from exchanging signs; with so few\n\
             cases no p below {} is possible. Of {}, {} a difference (interval without 0 and\n\
             p at most 0.05), before any correction for their number. {more_runs}\n\
             \"Cases needed\": how many like these it would take to show such a difference, four times in five.\n",
            plural(most, "case"),
            significant(smallest),
            plural(self.summary.len(), "comparison"),
            match shown.count() {
                1 => "1 shows".to_owned(),
                number => format!("{number} show"),
            },
        )
    }

    /// A row for each question and possible answer, or quantile of a number.
    pub fn forecasts_csv(&self) -> String {
        let mut table = CsvText::new(&[
            "file",
            "case",
            "question",
            "ask",
            "unit",
            "in_sample",
            "item",
            "value",
            "low",
            "high",
            "band_low",
            "band_median",
            "band_high",
            "outcome",
            "source",
        ]);
        for question in &self.questions {
            let mut row =
                |item: &str, value: f64, interval: Option<Interval>, p: Option<&Probability>| {
                    let band = p.and_then(|p| p.band);
                    table.row(&[
                        question.file.clone(),
                        question.case.clone(),
                        question.question.clone(),
                        question.ask.clone(),
                        question.unit.clone().unwrap_or_default(),
                        question.in_sample.to_string(),
                        item.to_owned(),
                        exact(value),
                        exact_or_empty(interval.map(|i| i.low)),
                        exact_or_empty(interval.map(|i| i.high)),
                        exact_or_empty(band.map(|b| b.low)),
                        exact_or_empty(band.map(|b| b.median)),
                        exact_or_empty(band.map(|b| b.high)),
                        question.outcome.clone(),
                        question.source.clone(),
                    ]);
                };
            let mut probability = |prefix: &str, p: &Probability| {
                let item = format!("{prefix}{}", p.answer);
                row(&item, p.probability, Some(p.interval), Some(p));
            };
            match &question.forecast {
                Forecast::YesNo { yes } => probability("p_", yes),
                Forecast::Options { options } => options.iter().for_each(|p| probability("p_", p)),
                Forecast::Number {
                    mean,
                    interval,
                    quantiles,
                    at_limit,
                } => {
                    if let Some(p) = at_limit {
                        probability("p_at_", p);
                    }
                    row("mean", *mean, *interval, None);
                    for (name, value) in ["p05", "p50", "p95"].iter().zip(quantiles) {
                        row(name, *value, None, None);
                    }
                }
            }
        }
        table.text()
    }

    /// A row for each question and forecaster.
    pub fn scores_csv(&self) -> String {
        let mut table = CsvText::new(&[
            "file",
            "case",
            "question",
            "in_sample",
            "in_summary",
            "forecaster",
            "rule",
            "unit",
            "score",
            "monte_carlo_error",
            "score_low",
            "score_high",
            "logarithmic",
            "difference",
        ]);
        for question in &self.questions {
            let start = |forecaster: &str| {
                vec![
                    question.file.clone(),
                    question.case.clone(),
                    question.question.clone(),
                    question.in_sample.to_string(),
                    question.in_summary.to_string(),
                    forecaster.to_owned(),
                    question.rule.name().to_owned(),
                    question.unit.clone().unwrap_or_default(),
                ]
            };
            let named = question.rule != Rule::Crps;
            let log = |score: Option<f64>| match score {
                None if named => "inf".to_owned(),
                score => exact_or_empty(score),
            };
            let mut own = start("simulation");
            own.extend([
                exact(question.score),
                exact_or_empty(question.score_error),
                String::new(),
                String::new(),
                log(question.logarithmic),
                String::new(),
            ]);
            table.row(&own);
            for baseline in &question.baselines {
                let mut row = start(baseline.forecaster.id());
                row.extend([
                    exact(baseline.score),
                    String::new(),
                    exact_or_empty(baseline.range.map(|range| range[0])),
                    exact_or_empty(baseline.range.map(|range| range[1])),
                    log(baseline.logarithmic),
                    exact(baseline.difference),
                ]);
                table.row(&row);
            }
        }
        table.text()
    }

    /// A row for each comparison over cases.
    pub fn summary_csv(&self) -> String {
        let mut table = CsvText::new(&[
            "scale",
            "out_of_sample",
            "baseline",
            "questions",
            "cases",
            "score",
            "baseline_score",
            "difference",
            "low",
            "high",
            "monte_carlo_error",
            "p_value",
            "smallest_p_value",
            "cases_needed",
        ]);
        for s in &self.summary {
            table.row(&[
                s.scale.clone(),
                s.out_of_sample.to_string(),
                s.baseline.id().to_owned(),
                s.questions.to_string(),
                s.cases.to_string(),
                exact(s.score),
                exact(s.baseline_score),
                exact(s.difference),
                exact_or_empty(s.interval.map(|i| i.low)),
                exact_or_empty(s.interval.map(|i| i.high)),
                exact_or_empty(s.monte_carlo_error),
                exact(s.p_value),
                exact(s.smallest_p_value),
                s.cases_needed.map(|n| n.to_string()).unwrap_or_default(),
            ]);
        }
        table.text()
    }
}

fn plural(number: usize, what: &str) -> String {
    format!(
        "{} {what}{}",
        count(number as u64),
        if number == 1 { "" } else { "s" }
    )
}

fn cells(question: &Verification) -> Vec<String> {
    let star = if question.in_sample { " *" } else { "" };
    let (forecast, more, happened) = match &question.forecast {
        Forecast::YesNo { yes } => {
            let (p, rest) = probability(yes);
            (format!("yes {p}"), rest, question.outcome_label.clone())
        }
        Forecast::Options { options } => {
            let happened = options.iter().find(|p| p.answer == question.outcome);
            let (p, rest) = happened.map(probability).unwrap_or_default();
            (format!("this {p}"), rest, question.outcome_label.clone())
        }
        Forecast::Number {
            quantiles,
            at_limit,
            interval,
            mean,
        } => {
            let beyond = |limit: f64| match question.is_day {
                true => "never".to_owned(),
                false => format!("≥ {}", significant(limit)),
            };
            let shown = |value: f64| match question.limit {
                Some(limit) if value >= limit => beyond(limit),
                _ => significant(value),
            };
            let mut rest = format!("[{}]", range(&shown(quantiles[0]), &shown(quantiles[2])));
            if let Some(p) = at_limit.as_ref().filter(|p| p.probability > 0.0) {
                let limit = question.limit.map(beyond).unwrap_or_default();
                let _ = write!(rest, "; {limit} {}", probability(p).0);
            } else if let Some(interval) = interval {
                let _ = write!(rest, "; mean {}", rounded(*mean, decimals(*interval)));
            }
            let happened = match question.outcome.parse() {
                Ok(number) => shown(number),
                Err(_) => question.outcome.clone(),
            };
            (shown(quantiles[1]), rest, happened)
        }
    };
    let own = match question.score_error {
        Some(error) => {
            let interval =
                Interval::new(question.score - 2.0 * error, question.score + 2.0 * error);
            rounded(question.score, decimals(interval).clamp(2, 3))
        }
        None => rounded(question.score, 3),
    };
    let others = Forecaster::ALL.map(|forecaster| {
        let found = question
            .baselines
            .iter()
            .find(|b| b.forecaster == forecaster);
        found.map_or_else(|| "–".to_owned(), |b| rounded(b.score, 2))
    });
    let mut row = vec![
        format!("{}{star}", question.ask),
        happened,
        forecast,
        more,
        format!("{} {own}", question.rule.name()),
    ];
    row.extend(others);
    row
}

/// The probability, and its intervals.
fn probability(p: &Probability) -> (String, String) {
    let decimals = percent_decimals(p.interval).min(1);
    let mut rest = percent_range(p.interval.low, p.interval.high, decimals);
    if let Some(band) = p.band {
        let _ = write!(rest, " [{}]", percent_range(band.low, band.high, decimals));
    }
    (percent(p.probability, decimals), rest)
}

fn summary_cells(s: &Summary) -> Vec<String> {
    let which = if s.out_of_sample {
        ", without starred questions"
    } else {
        ""
    };
    let interval = s.interval.map_or_else(
        || "none".to_owned(),
        |i| range(&rounded(i.low, 2), &rounded(i.high, 2)),
    );
    vec![
        format!("{}{which}", s.scale),
        s.baseline.label().to_owned(),
        s.cases.to_string(),
        rounded(s.score, 2),
        rounded(s.baseline_score, 2),
        rounded(s.difference, 2),
        interval,
        rounded(s.p_value, 2),
        s.cases_needed.map_or_else(
            || "–".to_owned(),
            |n| {
                if n > 1000 {
                    "> 1000".to_owned()
                } else {
                    n.to_string()
                }
            },
        ),
    ]
}
