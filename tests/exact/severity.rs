//! What an event comes to: severity, foiling, claims.

use crate::support::*;
use flashpoint::formula::Role;
use flashpoint::math::pow;
use flashpoint::stats::hypothesis::{binomial_test, chi_square_homogeneity, kolmogorov};

/// Probabilities of 1, 2, ..., `max` deaths.
fn power_law(exponent: f64, max: f64) -> Vec<f64> {
    let tail = |x: f64| pow(x, 1.0 - exponent);
    let at_least = |k: f64| (tail(k - 0.5) - tail(max + 0.5)) / (tail(0.5) - tail(max + 0.5));
    (1..=max as usize)
        .map(|k| at_least(k as f64) - at_least(k as f64 + 1.0))
        .collect()
}

#[test]
fn severity_foiling_and_claims() {
    let model = scenario("severity");
    let mut runs = Runs::new(&model, 1);
    let record = runs.record(0);
    let bombings: Vec<_> = record
        .events
        .iter()
        .filter(|event| event.action == 0)
        .collect();
    let n = bombings.len() as u64;

    let foiled = bombings.iter().filter(|event| event.fields.foiled).count() as u64;
    accepts("foiled", binomial_test(foiled, n, 0.35));
    rejects("not foiled", binomial_test(foiled, n, 0.65));
    assert!(
        bombings
            .iter()
            .all(|event| (event.fields.killed == 0.0) == event.fields.foiled)
    );
    assert_eq!(runs.metric("foiled"), foiled as f64);

    let is_claimed = |event: &flashpoint::engine::Event| who(event, Role::Claimant) == 0;
    let claimed = bombings.iter().filter(|event| is_claimed(event)).count() as u64;
    accepts("claimed", binomial_test(claimed, n, 0.6));
    rejects("claimed when done", binomial_test(claimed, n, 0.6 * 0.65));
    assert_eq!(runs.metric("claimed"), claimed as f64);
    // Foiling and claims come from the same stream, and are independent all the same.
    let table = |foiled: bool| {
        let of = bombings
            .iter()
            .filter(|event| event.fields.foiled == foiled);
        tally(of.map(|event| usize::from(is_claimed(event))), 2)
    };
    accepts(
        "independent",
        chi_square_homogeneity(&table(true), &table(false)),
    );

    let done = bombings.iter().filter(|event| !event.fields.foiled);
    let severity = tally(done.map(|event| event.fields.killed as usize - 1), 300);
    accepts("severity", frequencies(&severity, &power_law(2.4, 300.0)));
    rejects(
        "exponent of the tail",
        frequencies(&severity, &power_law(3.4, 300.0)),
    );
    rejects(
        "other exponent",
        frequencies(&severity, &power_law(2.5, 300.0)),
    );
    let deaths: f64 = bombings.iter().map(|event| event.fields.killed).sum();
    assert_eq!(runs.metric("killed_by_bombs"), deaths);
    assert_eq!(runs.metric("toll"), deaths);
}

/// What is above the limit is not piled up on it.
#[test]
fn the_law_is_truncated_and_not_clamped() {
    let model = edited("severity", &[("max = 300", "max = 5")]);
    let record = Runs::new(&model, 2).record(0);
    let done = record
        .events
        .iter()
        .filter(|event| event.fields.killed > 0.0 && event.action == 0);
    let severity = tally(done.map(|event| event.fields.killed as usize - 1), 5);
    accepts("truncated", frequencies(&severity, &power_law(2.4, 5.0)));
    let mut clamped = power_law(2.4, 300.0);
    clamped[4] = clamped[4..].iter().sum();
    clamped.truncate(5);
    rejects("clamped", frequencies(&severity, &clamped));
}

#[test]
fn continuous_severity() {
    let model = scenario("severity");
    let record = Runs::new(&model, 3).record(0);
    let raids = record.events.iter().filter(|event| event.action == 1);
    let damage: Vec<f64> = raids.map(|event| event.fields.killed).collect();
    let law = |max: f64| move |x: f64| (1.0 - pow(x / 2.0, -0.8)) / (1.0 - pow(max / 2.0, -0.8));
    accepts("power law", kolmogorov(&damage, law(50.0)));
    rejects("not truncated", kolmogorov(&damage, |x| law(1e300)(x)));
}
