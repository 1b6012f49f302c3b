//! Ten actors on ladders: the model of `scenarios/bench/ladder-10.toml`, written for each package.

mod heap;
mod ixa;
mod keyed;
mod krabmaga;
mod krabmaga_steps;
mod limit;
mod nexosim;
mod python;
mod rebop;
mod rebop_macro;
mod scan;

use crate::comparison::Subject;
use crate::contender::{Contender, SAME_RUNS};
use crate::generator::Ziggurat;
use crate::scenario::{self, version};
use std::path::Path;

const ACTORS: usize = 10;
/// The highest level; the lowest is 0.
const TOP: i32 = 5;
/// Days.
const HORIZON: f64 = 100.0;

const CELLS: usize = ACTORS * TOP as usize + 1;

/// The level of an actor after its decision, from its own level, the sum of all levels and a uniform draw.
#[inline]
fn decide(own: i32, total: i32, uniform: f64) -> i32 {
    let mean = f64::from(total - own) / (ACTORS - 1) as f64;
    if uniform < (0.3 + 0.1 * mean).min(0.9) {
        (own + 1).min(TOP)
    } else {
        (own - 1).max(0)
    }
}

pub fn subject() -> Subject {
    Subject {
        model: "ladder-10",
        unit: "decision",
        units: Some(HORIZON * ACTORS as f64),
        outcome: ("mean final sum of levels", |cell| cell as f64),
        event: ("a mean level of 4 or more at the end", |cell| {
            cell >= 4 * ACTORS
        }),
    }
}

/// Flashpoint first, then its peers. Without an interpreter the Python packages are left out.
pub fn contenders(python: Option<&Path>) -> Vec<Contender> {
    let by_hand = "by hand";
    let rust = |name: &str, version: &str, run: fn(u64) -> usize| {
        Contender::new(name, version, CELLS, move || run)
    };
    let with_ziggurat = |name: &str, run: fn(&Ziggurat, u64) -> usize| {
        Contender::new(name, by_hand, CELLS, move || {
            let ziggurat = Ziggurat::new();
            move |seed| run(&ziggurat, seed)
        })
    };
    let mut all = vec![
        scenario::contender("bench/ladder-10", CELLS, |rows, run| {
            rows.metrics[run] as usize
        }),
        with_ziggurat("limit kernel: total-rate draw", limit::total_rate),
        rust(
            "total-rate draw, xoshiro256++",
            by_hand,
            limit::total_rate_xoshiro,
        ),
        with_ziggurat("keyed streams, a clock an actor", keyed::cheapest),
        Contender::new(SAME_RUNS, by_hand, CELLS, || {
            let kernel = keyed::SameRuns::new();
            move |run| kernel.run(run)
        }),
        rust(
            "times integrated out (computes less)",
            by_hand,
            limit::without_times,
        ),
        rust("linear scan, a clock an actor", by_hand, scan::run),
        rust("naive binary heap", by_hand, heap::run),
        rust(
            "rebop, macro (levels counted, actors not told apart)",
            &version("rebop"),
            rebop_macro::run,
        ),
        rust("rebop, functions (the same)", &version("rebop"), rebop::run),
        rust("krabmaga, by events", &version("krabmaga"), krabmaga::run),
        rust(
            "krabmaga, by steps",
            &version("krabmaga"),
            krabmaga_steps::run,
        ),
        rust("ixa", &version("ixa"), ixa::run),
        rust("nexosim", &version("nexosim"), nexosim::run),
    ];
    for (name, module) in [
        ("SimPy", "simpy"),
        ("Mesa, by steps", "mesa"),
        ("Mesa, by events", "mesa_events"),
        ("agentpy", "agentpy"),
    ] {
        all.extend(python.map(|python| python::contender(python, name, module)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::agreement;
    use crate::scenario::Scenario;

    /// Rises a hundredth too seldom.
    fn mutant(seed: u64) -> usize {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(seed);
        let (mut levels, mut total) = ([0; ACTORS], 0);
        for _ in 0..1_000 {
            let own = &mut levels[rng.random_range(0..ACTORS)];
            let level = decide(*own, total, rng.random::<f64>() + 0.01);
            total += level - *own;
            *own = level;
        }
        total as usize
    }

    #[test]
    fn runs_by_hand_with_the_same_draws_are_the_same() {
        let kernel = keyed::SameRuns::new();
        let mut run = 0;
        Scenario::shipped("bench/ladder-10").for_each(0, 2_000, |rows, row| {
            assert_eq!(kernel.run(run), rows.metrics[row] as usize, "run {run}");
            run += 1;
        });
        assert_eq!(run, 2_000);
    }

    #[test]
    fn the_peers_agree_and_a_mutant_does_not() {
        let mut all = contenders(None);
        all.push(Contender::new("mutant", "", CELLS, || mutant));
        let (found, _) = agreement(&mut all, |cell| cell as f64);
        let (mutant, peers) = found.split_last().expect("contenders");
        // The pool of all is off by the mutant's share in it, which the peers' tests still bear.
        assert!(!mutant.agrees(), "{mutant:?}");
        assert!(peers.iter().all(|peer| peer.p > 1e-6), "{peers:?}");
    }
}
