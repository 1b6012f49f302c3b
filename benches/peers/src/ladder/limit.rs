//! The limit: kernels for this model and no other, tuned by hand, one run after the other, scalar.
//!
//! With constant rates the next decision of the group comes after an Exp(10) wait and is any actor's with equal probability.
//! The mean level of the other nine is at most 5, so that min(0.9, ...) never binds and the probability to rise is
//! (27 + sum of the others) / 90: with k uniform on 0..90 an actor rises if k < 27 + sum of the others. Actor and k come from one
//! draw, uniform on 0..900; everything is whole numbers. A draw of 32 bits is enough for it (each cell's probability is right to
//! 2 in 10 million of itself), so 64 bits serve two decisions.

use super::{ACTORS, HORIZON, TOP};
use crate::generator::{Wyrand, Ziggurat};
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, Poisson};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;
use std::hint::select_unpredictable;

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

/// Room for the actors, so that an index cut to its width needs no check.
pub(super) const PLACES: usize = ACTORS.next_power_of_two();

pub(super) struct Levels {
    of: [i32; PLACES],
    pub(super) total: i32,
}

impl Levels {
    pub(super) const ZERO: Self = Self {
        of: [0; PLACES],
        total: 0,
    };

    #[inline(always)]
    fn decide(&mut self, draw: u32) {
        let cell = ((u64::from(draw) * CELLS as u64) >> 32) as usize;
        let (actor, offset) = DRAWS[cell];
        self.step(actor as usize % PLACES, offset);
    }

    /// The actor rises if -`offset` < the sum of the others.
    #[inline(always)]
    pub(super) fn step(&mut self, actor: usize, offset: i32) {
        let level = &mut self.of[actor];
        let own = *level;
        // Both outcomes are worked out ahead: only the comparison and a conditional move wait for the decision before.
        let (up, down) = ((own + 1).min(TOP), (own - 1).max(0));
        let (rise, fall) = (up - own, down - own);
        let change = select_unpredictable(own - offset < self.total, rise, fall);
        *level = own + change;
        self.total += change;
    }
}

/// The limit kernel: a total-rate draw, that is the time and the actor of every decision.
pub fn total_rate(ziggurat: &Ziggurat, seed: u64) -> usize {
    let mut rng = Wyrand::new(seed);
    let mut levels = Levels::ZERO;
    let horizon = HORIZON * ACTORS as f64;
    let mut time = 0.0;
    loop {
        let two = rng.next();
        time += ziggurat.exponential(&mut rng);
        if time > horizon {
            break;
        }
        levels.decide(two as u32);
        time += ziggurat.exponential(&mut rng);
        if time > horizon {
            break;
        }
        levels.decide((two >> 32) as u32);
    }
    levels.total as usize
}

/// The same with a generator of more state and the exponential of `rand_distr`.
pub fn total_rate_xoshiro(seed: u64) -> usize {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut levels = Levels::ZERO;
    let horizon = HORIZON * ACTORS as f64;
    let mut time = rng.sample::<f64, _>(Exp1);
    while time <= horizon {
        levels.decide(rng.next_u32());
        time += rng.sample::<f64, _>(Exp1);
    }
    levels.total as usize
}

/// Times integrated out: the number of decisions is Poisson(1,000), and nothing reads when they fall.
pub fn without_times(seed: u64) -> usize {
    let mut rng = Wyrand::new(seed);
    let decisions = Poisson::new(HORIZON * ACTORS as f64).expect("positive mean");
    let decisions = decisions.sample(&mut rng) as u32;
    let mut levels = Levels::ZERO;
    for _ in 0..decisions / 2 {
        let two = rng.next();
        levels.decide(two as u32);
        levels.decide((two >> 32) as u32);
    }
    if decisions % 2 == 1 {
        levels.decide(rng.next() as u32);
    }
    levels.total as usize
}
