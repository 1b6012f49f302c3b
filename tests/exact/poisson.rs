//! Poisson counts: constant, and from a decaying stock.

use crate::support::*;
use flashpoint::math::{exp, ln};

const HORIZON: f64 = 5.0;

/// Integrated intensity of riots.
fn compensator(t: f64) -> f64 {
    let decay = ln(2.0);
    0.2 * t + (3.0 - 0.2) * (1.0 - exp(-decay * t)) / decay
}

#[test]
fn counts_are_poisson() {
    let model = scenario("poisson");
    let mut runs = Runs::new(&model, 1);
    let (mut raids, mut riots) = (Vec::new(), Vec::new());
    for run in 0..20_000 {
        runs.record(run);
        raids.push(runs.metric("raids") as usize);
        riots.push(runs.metric("riots") as usize);
    }
    let raids = tally(raids, 20);
    accepts("raids", frequencies(&raids, &poisson(4.0, 20)));
    rejects("half a day late", frequencies(&raids, &poisson(3.6, 20)));

    let riots = tally(riots, 25);
    let mean = compensator(HORIZON);
    accepts("riots", frequencies(&riots, &poisson(mean, 25)));
    rejects(
        "no decay between events",
        frequencies(&riots, &poisson(3.0 * HORIZON, 25)),
    );
    // Fixed steps of a tenth of a day take the rate at the start of each step.
    let stepped: f64 = (0..50)
        .map(|k| 0.1 * relaxed(3.0, 0.2, 1.0, 0.1 * f64::from(k)))
        .sum();
    rejects("fixed steps", frequencies(&riots, &poisson(stepped, 25)));
}

#[test]
fn times_follow_the_decaying_intensity() {
    let model = scenario("poisson");
    let mut runs = Runs::new(&model, 2);
    let mut times = Vec::new();
    for run in 0..5_000 {
        times.extend(runs.record(run).times_of(1));
    }
    let rescaled = |clock: &dyn Fn(f64) -> f64| -> Vec<f64> {
        times.iter().map(|&t| clock(t) / clock(HORIZON)).collect()
    };
    accepts("rescaled", uniform(&rescaled(&compensator)));
    rejects("constant", uniform(&rescaled(&|t| t)));
    rejects(
        "without its floor",
        uniform(&rescaled(&|t| 1.0 - exp(-ln(2.0) * t))),
    );
}
