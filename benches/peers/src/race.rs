//! How fast contenders are, measured in turn.

use crate::contender::{Contender, runs_in};
use crate::machine::cores;

/// CPU time that a contender runs for in a round on one core, and then on each of all cores.
const SLICE: f64 = 0.25;

/// A contender's speed, round by round.
pub struct Speed {
    /// Runs a second of CPU time, on one core.
    pub one_core: Vec<f64>,
    /// Runs a second of the wall clock, on all cores.
    pub all_cores: Vec<f64>,
}

impl Speed {
    /// This speed over another's on one core, within rounds.
    pub fn over(&self, other: &Speed) -> Spread {
        let ratios = self.one_core.iter().zip(&other.one_core);
        spread(&ratios.map(|(own, other)| own / other).collect::<Vec<_>>())
    }
}

/// Times the contenders in turn, A B C A B C ..., for `rounds` rounds.
pub fn race(contenders: &mut [Contender], rounds: usize) -> Vec<Speed> {
    let cores = cores();
    let runs: Vec<u64> = (contenders.iter_mut())
        .map(|contender| runs_in(SLICE, &mut *contender.runner))
        .collect();
    let mut speeds: Vec<Speed> = (contenders.iter())
        .map(|_| Speed {
            one_core: Vec::new(),
            all_cores: Vec::new(),
        })
        .collect();
    for round in 0..rounds as u64 {
        for ((contender, &runs), speed) in contenders.iter_mut().zip(&runs).zip(&mut speeds) {
            let first = (round + 1) * 1_000_000_000;
            let alone = contender.runner.cpu_seconds(first, runs);
            speed.one_core.push(runs as f64 / alone);
            let all = runs * cores as u64;
            let together = contender.runner.wall_seconds(first, all, cores);
            speed.all_cores.push(all as f64 / together);
        }
    }
    speeds
}

/// Median, least and greatest of some measurements.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
}

pub fn spread(values: &[f64]) -> Spread {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Spread {
        median: sorted[sorted.len() / 2],
        least: sorted[0],
        greatest: sorted[sorted.len() - 1],
    }
}
