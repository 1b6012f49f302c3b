//! Calibrations as text and CSV.

use std::fmt::Write as _;

use super::csv_text::CsvText;
use super::number::{
    count, decimals, exact, exact_or_empty, percent, percent_decimals, range, rounded, significant,
};
use super::text_table::{Align, Table};
use crate::calibration::fit::FEWEST_EFFECTIVE_WORLDS;
use crate::calibration::posterior::{Calibrated, Marginal, PatternCheck, Predictive};
use crate::calibration::raw::Use;
use crate::stats::interval::Interval;

/// The whole report, under a title.
pub fn text(title: &str, found: &Calibrated) -> String {
    let mut out = format!(
        "{title}: {} worlds, {} runs; {} effective worlds after weighting\n\n",
        count(found.worlds.into()),
        count(found.runs),
        rounded(found.effective_worlds, 0),
    );
    let mut table = Table::new(&[
        "Pattern",
        "Use",
        "Happened",
        "Prior",
        "Posterior",
        "Score",
        "after",
        "Implausibility",
        "after",
        "Out of reach",
    ]);
    for pattern in &found.patterns {
        table.row(pattern_cells(pattern));
    }
    out.push_str(&table.text(|column| {
        if column < 5 {
            Align::Left
        } else {
            Align::Right
        }
    }));
    out.push_str(PATTERNS);
    let _ = writeln!(
        out,
        "In {} of the worlds no fitted pattern is out of reach.\n",
        percent(found.not_ruled_out, 0)
    );
    let mut table = Table::new(&[
        "Parameter",
        "Prior (5, 50, 95 %)",
        "Posterior",
        "Contraction",
        "Shift",
        "Informed",
    ]);
    for parameter in &found.parameters {
        table.row(parameter_cells(parameter));
    }
    out.push_str(&table.text(|column| {
        if column < 3 {
            Align::Left
        } else {
            Align::Right
        }
    }));
    out.push_str(PARAMETERS);
    out.push('\n');
    out.push_str(&conclusion(found));
    out
}

const PATTERNS: &str = "\
Prior, posterior: probability of what happened; of a number the 5, 50 and 95 % quantiles. Score: Brier or CRPS, smaller is better.
Implausibility: distance in standard deviations, the median over worlds; above 3 a pattern is out of reach of a world.
";
const PARAMETERS: &str = "\
Contraction: 1 - posterior / prior standard deviation. Shift: of the mean, in prior standard deviations. Both with the
simultaneous 95 % interval of the simulation. A parameter is informed if one of them is beyond 0 for certain.
";

fn conclusion(found: &Calibrated) -> String {
    if found.effective_worlds < FEWEST_EFFECTIVE_WORLDS {
        return format!(
            "With fewer than {FEWEST_EFFECTIVE_WORLDS} effective worlds nothing is fitted: draw more with --worlds, or ask whether the patterns\n\
             can be had at all.\n"
        );
    }
    let informed: Vec<&Marginal> = found.parameters.iter().filter(|p| p.informed).collect();
    let kept: Vec<&str> = (found.parameters.iter())
        .filter(|p| p.fitted.is_none())
        .map(|p| p.parameter.as_str())
        .collect();
    let mut out = String::new();
    if informed.is_empty() {
        out.push_str("The patterns inform no parameter: all keep their priors.\n");
        return out;
    }
    out.push_str("Fitted priors. Their spread is the upper end of its interval, never above that of the prior:\n\n");
    out.push_str(&fragment(found));
    if !kept.is_empty() {
        let _ = writeln!(
            out,
            "\nNot informed, so the prior stays: {}.",
            kept.join(", ")
        );
    }
    if !found.correlations.is_empty() {
        let pairs = found.correlations.iter();
        let pairs: Vec<String> = pairs
            .map(|(a, b, r)| format!("{a} and {b} ({})", rounded(*r, 1)))
            .collect();
        let _ = writeln!(
            out,
            "\nKnown better together than apart (correlation): {}. The fitted priors leave that out,\nand are wider for it.",
            pairs.join(", ")
        );
    }
    out
}

/// The fitted priors as a piece of a scenario.
pub fn fragment(found: &Calibrated) -> String {
    let mut out = String::new();
    for parameter in &found.parameters {
        if let Some(fitted) = &parameter.fitted {
            let _ = writeln!(
                out,
                "[parameter.{}]\nprior = {fitted}\n",
                parameter.parameter
            );
        }
    }
    out
}

fn pattern_cells(pattern: &PatternCheck) -> Vec<String> {
    let predictive = |p: &Predictive| match p.quantiles {
        Some([low, middle, high]) => format!(
            "{} [{}]",
            significant(middle),
            range(&significant(low), &significant(high))
        ),
        None => percent(p.probability, percent_decimals(p.interval).min(1)),
    };
    let happened = match pattern.outcome.parse::<f64>() {
        Ok(number) => significant(number),
        Err(_) => pattern.outcome.clone(),
    };
    vec![
        format!("{}: {}", pattern.hindcast, pattern.question),
        match pattern.role {
            Use::Fit => "fit".to_owned(),
            Use::HeldOut => "held out".to_owned(),
        },
        happened,
        predictive(&pattern.prior),
        predictive(&pattern.posterior),
        rounded(pattern.prior.score, 2),
        rounded(pattern.posterior.score, 2),
        rounded(pattern.prior.implausibility, 1),
        rounded(pattern.posterior.implausibility, 1),
        percent(pattern.out_of_reach, 0),
    ]
}

fn parameter_cells(parameter: &Marginal) -> Vec<String> {
    let quantiles = |q: &[f64; 3]| q.map(significant).join(", ");
    let with_interval = |value: Option<f64>, interval: Option<Interval>| {
        let (Some(value), Some(interval)) = (value, interval) else {
            return "–".to_owned();
        };
        let decimals = decimals(interval).clamp(1, 2);
        format!(
            "{} ({})",
            rounded(value, decimals),
            range(
                &rounded(interval.low, decimals),
                &rounded(interval.high, decimals)
            )
        )
    };
    vec![
        parameter.parameter.clone(),
        quantiles(&parameter.prior_quantiles),
        quantiles(&parameter.quantiles),
        with_interval(parameter.contraction, parameter.contraction_interval),
        with_interval(parameter.shift, parameter.shift_interval),
        if parameter.informed { "yes" } else { "no" }.to_owned(),
    ]
}

/// A row for each pattern.
pub fn patterns_csv(found: &Calibrated) -> String {
    let mut table = CsvText::new(&[
        "hindcast",
        "question",
        "use",
        "error",
        "discrepancy",
        "outcome",
        "stage",
        "probability",
        "low",
        "high",
        "p05",
        "p50",
        "p95",
        "score",
        "implausibility",
        "out_of_reach",
    ]);
    for pattern in &found.patterns {
        for (stage, p) in [("prior", &pattern.prior), ("posterior", &pattern.posterior)] {
            let quantile = |i: usize| exact_or_empty(p.quantiles.map(|q| q[i]));
            table.row(&[
                pattern.hindcast.clone(),
                pattern.question.clone(),
                match pattern.role {
                    Use::Fit => "fit".to_owned(),
                    Use::HeldOut => "held_out".to_owned(),
                },
                exact(pattern.error),
                exact(pattern.discrepancy),
                pattern.outcome.clone(),
                stage.to_owned(),
                exact(p.probability),
                exact(p.interval.low),
                exact(p.interval.high),
                quantile(0),
                quantile(1),
                quantile(2),
                exact(p.score),
                exact(p.implausibility),
                exact(pattern.out_of_reach),
            ]);
        }
    }
    table.text()
}

/// A row for each parameter.
pub fn parameters_csv(found: &Calibrated) -> String {
    let mut table = CsvText::new(&[
        "parameter",
        "log_scale",
        "prior",
        "prior_p05",
        "prior_p50",
        "prior_p95",
        "p05",
        "p50",
        "p95",
        "mean",
        "sd",
        "sd_low",
        "sd_high",
        "contraction",
        "contraction_low",
        "contraction_high",
        "shift",
        "shift_low",
        "shift_high",
        "informed",
        "fitted",
    ]);
    for p in &found.parameters {
        let mut row = vec![
            p.parameter.clone(),
            p.log_scale.to_string(),
            p.prior.clone(),
        ];
        let quantiles = p.prior_quantiles.iter().chain(&p.quantiles);
        row.extend(quantiles.map(|&quantile| exact(quantile)));
        row.extend([p.mean, p.sd, p.sd_interval.low, p.sd_interval.high].map(exact));
        for (value, interval) in [
            (p.contraction, p.contraction_interval),
            (p.shift, p.shift_interval),
        ] {
            let (low, high) = (interval.map(|i| i.low), interval.map(|i| i.high));
            row.extend([value, low, high].map(exact_or_empty));
        }
        row.push(p.informed.to_string());
        row.push(p.fitted.clone().unwrap_or_default());
        table.row(&row);
    }
    table.text()
}
