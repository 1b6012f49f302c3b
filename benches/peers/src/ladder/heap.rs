//! Written by hand, naively: the standard library's binary heap of events, and the mean worked out from scratch.

use super::{ACTORS, HORIZON, decide};
use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

#[derive(PartialEq)]
struct Event {
    time: f64,
    actor: usize,
}

impl Eq for Event {}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The heap gives its greatest first, so the earliest is the greatest.
impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        other.time.total_cmp(&self.time)
    }
}

pub fn run(seed: u64) -> usize {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut levels = [0; ACTORS];
    let mut events = BinaryHeap::new();
    for actor in 0..ACTORS {
        let time = rng.sample(Exp1);
        events.push(Event { time, actor });
    }
    while let Some(Event { time, actor }) = events.pop() {
        if time > HORIZON {
            break;
        }
        let total = levels.iter().sum();
        levels[actor] = decide(levels[actor], total, rng.random());
        let time = time + rng.sample::<f64, _>(Exp1);
        events.push(Event { time, actor });
    }
    levels.iter().sum::<i32>() as usize
}
