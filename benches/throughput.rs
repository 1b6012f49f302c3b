//! Runs and events a second on shipped scenarios, for one core and for all: `cargo bench --bench throughput`.
//!
//! Both are measured in turn, five rounds; the medians are printed as a Markdown table, with the ratio between them. Comparisons
//! with other packages are in `benches/peers`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use flashpoint::experiment::{Control, Plan, WorldSource, replicate};
use flashpoint::model::Model;
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load;

const ROUNDS: u64 = 5;

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "| scenario | events a run | runs/s, 1 core | events/s, 1 core | runs/s, {cores} cores | speed-up |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for (name, runs) in [("bench/ladder-10", 10_240), ("isis-iran/genuine", 5_000)] {
        let loaded = load(name).unwrap_or_else(|problems| panic!("{problems}"));
        let compiled = compile(&loaded).unwrap_or_else(|problems| panic!("{problems}"));
        let mut alone = Vec::new();
        let mut together = Vec::new();
        let mut events = 0;
        for round in 0..ROUNDS {
            let (seconds, counted) = measure(&compiled.model, round, runs, 1);
            alone.push(seconds);
            together.push(measure(&compiled.model, round, runs, cores).0);
            events += counted;
        }
        let (alone, together) = (median(alone), median(together));
        let events_a_run = events as f64 / (ROUNDS * runs) as f64;
        let rate = runs as f64 / alone;
        println!(
            "| {name} | {events_a_run:.1} | {rate:.0} | {:.0} | {:.0} | {:.2} |",
            rate * events_a_run,
            runs as f64 / together,
            alone / together
        );
    }
}

/// Seconds that the runs take, and the events in them.
fn measure(model: &Model, round: u64, runs: u64, threads: usize) -> (f64, u64) {
    let worlds = if model.has_priors() {
        WorldSource::Priors
    } else {
        WorldSource::Defaults
    };
    let plan = Plan {
        seed: 1 + round,
        first_run: 0,
        runs,
        worlds,
    };
    let control = Control {
        threads,
        stop: &AtomicBool::new(false),
        progress: &(),
    };
    let clock = Instant::now();
    let done = replicate(model, &plan, &control, None).unwrap_or_else(|error| panic!("{error}"));
    (clock.elapsed().as_secs_f64(), done.summary.totals().events)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
