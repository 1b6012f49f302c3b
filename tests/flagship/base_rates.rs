//! The flagship against the base rates that it was set by: crises of the International Crisis Behavior data, with 95 %
//! intervals. Across the priors, under the explanation that adds nothing to the crisis itself.

use flashpoint::experiment::WorldSource;

use super::batch::{Batch, Case};

const RUNS: u64 = 6000;

fn share(of: &[bool], among: &[bool]) -> f64 {
    let count = |list: &mut dyn Iterator<Item = bool>| list.filter(|&b| b).count() as f64;
    let both = count(&mut of.iter().zip(among).map(|(&a, &b)| a && b));
    both / count(&mut among.iter().copied())
}

#[test]
fn crises_are_like_crises() {
    let case = Case::new("genuine", &[]);
    let batch = Batch::run(&case, RUNS, WorldSource::Priors);
    let test = |metric: &str, holds: &dyn Fn(f64) -> bool| -> Vec<bool> {
        batch.metric(metric).into_iter().map(holds).collect()
    };
    let struck = test("strikes_on_pakistan", &|n| n >= 1.0);
    let answered = test("pakistani_answers", &|n| n >= 1.0);
    let minor = test("peak_rung_pakistan", &|rung| rung <= 4.0);
    let war = test("peak_rung_pakistan", &|rung| rung >= 7.0);
    let serious: Vec<bool> = minor.iter().zip(&war).map(|(m, w)| !m && !w).collect();
    let restored = test("first_restoration", &|day| day < f64::INFINITY);
    let recurs = test("recurrence", &|yes| yes > 0.5);
    let mut lags = batch.metric("answer_lag");
    lags.retain(|lag| lag.is_finite() && *lag >= 0.0);
    lags.sort_by(f64::total_cmp);
    let lag = lags[lags.len() / 2];
    let found = [
        ("Pakistan answers", share(&answered, &struck), 0.31..0.73),
        ("minor clashes", share(&minor, &answered), 0.36..0.68),
        ("serious clashes", share(&serious, &answered), 0.20..0.50),
        ("war", share(&war, &answered), 0.05..0.29),
        // Within the rest of the year; the base rate of 0.47 counts recurrence over years.
        ("recurrence", share(&recurs, &restored), 0.05..0.57),
        ("days to the answer", lag, 1.0..5.0),
        // A strike that nobody answers counts as a crisis in which nothing more happened.
        ("war after any strike", share(&war, &struck), 0.02..0.29),
    ];
    for (what, value, range) in &found {
        println!("{what}: {value:.3}, expected {range:?}");
    }
    for (what, value, range) in &found {
        assert!(range.contains(value), "{what}: {value} not in {range:?}");
    }
}
