//! The limit: kernels for this model and no other, tuned by hand.
//!
//! With constant rates the next decision of the group comes after an Exp(10) wait and is any actor's with equal probability.
//! The mean level of the other nine is at most 5, so that min(0.9, ...) never binds and the probability to rise is
//! (27 + sum of the others) / 90: with k uniform on 0..90 an actor rises if k < 27 + sum of the others. Actor and k come from one
//! draw, uniform on 0..900; everything is whole numbers.

use super::{ACTORS, HORIZON, TOP};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, Poisson};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

const CELLS: usize = 90 * ACTORS;

/// The actor and 27 - k for each cell of the joint draw.
const DRAWS: [(u32, i32); CELLS] = {
    let mut draws = [(0, 0); CELLS];
    let mut cell = 0;
    while cell < CELLS {
        draws[cell] = ((cell % ACTORS) as u32, 27 - (cell / ACTORS) as i32);
        cell += 1;
    }
    draws
};

struct Levels {
    of: [i32; ACTORS.next_power_of_two()],
    total: i32,
}

impl Levels {
    const ZERO: Self = Self {
        of: [0; ACTORS.next_power_of_two()],
        total: 0,
    };

    #[inline(always)]
    fn decide(&mut self, draw: u64) {
        let cell = ((u128::from(draw) * CELLS as u128) >> 64) as usize;
        let (actor, offset) = DRAWS[cell];
        let level = &mut self.of[actor as usize % ACTORS.next_power_of_two()];
        let own = *level;
        // Both outcomes are worked out ahead: only the comparison and a conditional move wait for the decision before.
        let (up, down) = ((own + 1).min(TOP), (own - 1).max(0));
        let (rise, fall) = (up - own, down - own);
        let change = if own - offset < self.total {
            rise
        } else {
            fall
        };
        *level = own + change;
        self.total += change;
    }
}

/// Total-rate draw: the time and the actor of every decision.
pub fn with_times(seed: u64) -> usize {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut levels = Levels::ZERO;
    let horizon = HORIZON * ACTORS as f64;
    let mut time = rng.sample::<f64, _>(Exp1);
    while time <= horizon {
        levels.decide(rng.next_u64());
        time += rng.sample::<f64, _>(Exp1);
    }
    levels.total as usize
}

/// Times integrated out: the number of decisions is Poisson(1,000), and nothing reads when they fall.
pub fn without_times(seed: u64) -> usize {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let decisions = Poisson::new(HORIZON * ACTORS as f64).expect("positive mean");
    let mut levels = Levels::ZERO;
    for _ in 0..decisions.sample(&mut rng) as u32 {
        levels.decide(rng.next_u64());
    }
    levels.total as usize
}
