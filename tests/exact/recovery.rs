//! Hazards that rise between events: thinning under a bound ahead.

use crate::support::*;
use flashpoint::math::{exp, logistic};

const HAZARD: &str = "0.02 * exp(4 * self.strength)";

/// Compensators of the waits of one long run with that hazard formula, for each of some hazards by days since the last attack.
fn residuals(formula: &str, hazards: &[&dyn Fn(f64) -> f64]) -> Vec<Vec<f64>> {
    let model = edited("recovery", &[(HAZARD, formula)]);
    let waits = gaps(&Runs::new(&model, 1).record(0).times());
    assert!(waits.len() > 1_000, "{formula}: {}", waits.len());
    let compensator = |hazard: &&dyn Fn(f64) -> f64| {
        let residual = |&wait: &f64| integral(hazard, 0.0, wait, 100);
        waits.iter().take(10_000).map(residual).collect()
    };
    hazards.iter().map(compensator).collect()
}

fn strength(days: f64) -> f64 {
    relaxed(0.0, 1.0, 3.0, days)
}

#[test]
fn exponential_growth() {
    let truth = |days: f64| 0.02 * exp(4.0 * strength(days));
    let at_the_last_event = |_: f64| 0.02;
    let at_its_bound = |_: f64| 0.02 * exp(4.0);
    let residuals = residuals(HAZARD, &[&truth, &at_the_last_event, &at_its_bound]);
    accepts("exp", exponential(&residuals[0], 1.0));
    rejects("hazard of the last event", exponential(&residuals[1], 1.0));
    rejects(
        "bound taken for the hazard",
        exponential(&residuals[2], 1.0),
    );
}

#[test]
fn logistic_growth() {
    let truth = |days: f64| logistic(8.0 * (strength(days) - 0.5));
    let linear = strength;
    let residuals = residuals("logistic(8 * (self.strength - 0.5))", &[&truth, &linear]);
    accepts("logistic", exponential(&residuals[0], 1.0));
    rejects("linear", exponential(&residuals[1], 1.0));
}

/// A power between 0 and 1 has no value below 0, where rounding must not carry the bound of a stock that starts from there.
#[test]
fn roots_of_a_stock_that_starts_from_its_minimum() {
    let truth = |days: f64| strength(days).sqrt();
    for formula in ["sqrt(self.strength)", "self.strength ^ 0.5"] {
        let residuals = residuals(formula, &[&truth, &strength]);
        // Simpson's rule is coarse near the root's branch point, which costs less than 1e-3 of a residual.
        accepts(formula, exponential(&residuals[0], 1.0));
        rejects("without the root", exponential(&residuals[1], 1.0));
    }
}

/// A hazard that is exactly 0 for two half-lives, then rises.
#[test]
fn a_hazard_that_wakes_up() {
    let truth = |days: f64| (strength(days) - 0.75).max(0.0);
    let model = edited("recovery", &[(HAZARD, "max(0, self.strength - 0.75)")]);
    let waits = gaps(&Runs::new(&model, 2).record(0).times());
    assert!(waits.len() > 1_000);
    assert!(
        waits.iter().all(|&wait| wait > 6.0),
        "asleep for two half-lives"
    );
    let rescaled = |hazard: &dyn Fn(f64) -> f64| -> Vec<f64> {
        let residual = |&wait: &f64| integral(hazard, 6.0, wait, 200);
        waits.iter().map(residual).collect()
    };
    accepts("awake", exponential(&rescaled(&truth), 1.0));
    rejects("at its bound", exponential(&rescaled(&|_| 0.25), 1.0));
}

/// A hazard that steps up at a level, and one that depends on the date.
#[test]
fn steps_and_dates() {
    let truth = |days: f64| if strength(days) > 0.5 { 1.0 } else { 0.1 };
    let formula = "1 if self.strength > 0.5 else 0.1";
    let model = edited("recovery", &[(HAZARD, formula)]);
    let waits = gaps(&Runs::new(&model, 3).record(0).times());
    let step = |days: f64| 0.1 * days.min(3.0) + (days - 3.0).max(0.0);
    let residuals: Vec<f64> = waits.iter().map(|&wait| step(wait)).collect();
    accepts("step", exponential(&residuals, 1.0));
    let smooth: Vec<f64> = waits.iter().map(|&wait| wait * truth(wait)).collect();
    rejects(
        "step read at the end of the wait",
        exponential(&smooth, 1.0),
    );

    let model = edited("recovery", &[(HAZARD, "time / 20000")]);
    let squares = |times: &[f64]| -> Vec<f64> { times.iter().map(|t| t * t / 4e8).collect() };
    let times = Runs::new(&model, 4).record(0).times();
    accepts("date", uniform(&squares(&times)));
    let linear: Vec<f64> = times.iter().map(|t| t / 2e4).collect();
    rejects("not the date", uniform(&linear));
}
