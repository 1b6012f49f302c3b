//! A birth and death process on the ladder: absorption probability and time, in absorbing endgames.

use crate::support::*;
use flashpoint::engine::{Ending, Unobserved};
use flashpoint::math::pow;
use flashpoint::model::Model;
use flashpoint::stats::hypothesis::{binomial_test, z_test};
use flashpoint::stats::moments::Moments;

const UP: f64 = 0.8;
const DOWN: f64 = 1.0;
const START: usize = 3;
const TOP: usize = 7;
const RUNS: u64 = 20_000;

/// Probability of war.
fn war(up: f64, down: f64) -> f64 {
    let r = down / up;
    (pow(r, START as f64) - 1.0) / (pow(r, TOP as f64) - 1.0)
}

/// Mean and standard deviation of the time to absorption, from the first two moments at each inner rung: with
/// generator G, `G m = -1` and `G s = -2 m` (a tridiagonal system, solved by elimination).
fn time(up: f64, down: f64) -> (f64, f64) {
    let solve = |rhs: &dyn Fn(usize) -> f64| {
        // down x[i-1] - (up + down) x[i] + up x[i+1] = -rhs(i), x[0] = x[TOP] = 0.
        let (mut slope, mut offset) = (vec![0.0; TOP + 1], vec![0.0; TOP + 1]);
        for i in 1..TOP {
            let pivot = up + down - down * slope[i - 1];
            slope[i] = up / pivot;
            offset[i] = (rhs(i) + down * offset[i - 1]) / pivot;
        }
        let mut x = vec![0.0; TOP + 1];
        for i in (1..TOP).rev() {
            x[i] = slope[i] * x[i + 1] + offset[i];
        }
        x
    };
    let mean = solve(&|_| 1.0);
    let square = solve(&|i| 2.0 * mean[i]);
    (
        mean[START],
        (square[START] - mean[START] * mean[START]).sqrt(),
    )
}

/// Number of runs that end in war, and times to absorption.
fn simulate(model: &Model) -> (u64, Moments) {
    let mut runs = Runs::new(model, 1);
    let (mut wars, mut times) = (0, Moments::new());
    for run in 0..RUNS {
        runs.run(run, &mut Unobserved);
        let endgame = runs.endgame();
        assert!(matches!(runs.state.ending(), Some(Ending::Absorbed(_))));
        assert_eq!(runs.metric("peak") == TOP as f64, endgame == Some("war"));
        wars += u64::from(endgame == Some("war"));
        times.add(runs.state.time());
    }
    (wars, times)
}

#[test]
fn the_mean_time_has_its_closed_form() {
    let (i, n) = (START as f64, TOP as f64);
    let closed = (i - n * war(UP, DOWN)) / (DOWN - UP);
    assert!((time(UP, DOWN).0 - closed).abs() < 1e-12 * closed);
}

#[test]
fn absorption_probability_and_time() {
    let (wars, times) = simulate(&scenario("gamblers-ruin"));
    accepts("war", binomial_test(wars, RUNS, war(UP, DOWN)));
    let (mean, deviation) = time(UP, DOWN);
    accepts("time", z_test(&times, mean, deviation));

    rejects(
        "steps up and down alike",
        binomial_test(wars, RUNS, START as f64 / TOP as f64),
    );
    rejects(
        "war one rung too early",
        binomial_test(wars, RUNS, {
            let r: f64 = DOWN / UP;
            (pow(r, 3.0) - 1.0) / (pow(r, 6.0) - 1.0)
        }),
    );
    // Waits drawn from the winner's own rate have mean 2 / (up + down) instead of 1 / (up + down).
    rejects("own rates", z_test(&times, 2.0 * mean, 2.0 * deviation));
}

#[test]
fn a_mutated_scenario_is_rejected() {
    let model = edited("gamblers-ruin", &[("up if", "1.1 * up if")]);
    let (wars, times) = simulate(&model);
    rejects("war", binomial_test(wars, RUNS, war(UP, DOWN)));
    accepts(
        "its own theory",
        binomial_test(wars, RUNS, war(1.1 * UP, DOWN)),
    );
    let (mean, deviation) = time(1.1 * UP, DOWN);
    accepts("its own time", z_test(&times, mean, deviation));
}
