//! Written by hand: a clock an actor, and a linear scan for the first.

use super::{ACTORS, HORIZON, decide};
use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_xoshiro::Xoshiro256PlusPlus;

pub fn run(seed: u64) -> usize {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut levels = [0; ACTORS];
    let mut total = 0;
    let mut wakes: [f64; ACTORS] = std::array::from_fn(|_| rng.sample(Exp1));
    loop {
        let (mut actor, mut time) = (0, wakes[0]);
        for (other, &wake) in wakes.iter().enumerate() {
            if wake < time {
                (actor, time) = (other, wake);
            }
        }
        if time > HORIZON {
            return total as usize;
        }
        let level = decide(levels[actor], total, rng.random());
        total += level - levels[actor];
        levels[actor] = level;
        wakes[actor] = time + rng.sample::<f64, _>(Exp1);
    }
}
