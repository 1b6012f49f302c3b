//! Keyed streams, by programs for this model and no other, tuned by hand: each actor has a clock of its own, a stream for its waits
//! and one for its choices, so that nothing that is done to one actor shifts the draws of another.

use super::limit::{Levels, PLACES};
use super::{ACTORS, HORIZON, TOP};
use crate::generator::{Wyrand, Ziggurat};
use crate::scenario::SEED;
use flashpoint::random::{Stream, StreamKey, StreamSource};

/// Lets the actors decide in the order of their clocks. `wait` draws how long an actor waits, `decide` makes a decision of its.
///
/// Clocks stand in a tournament, as the bits of positive numbers, whose order is theirs; the last 4 bits name the actor, which
/// moves no time, and its place in the order by at most 1 in 2^48 of itself. Each actor's next but one time is drawn ahead, so that
/// finding the next decision does not wait for a draw.
#[inline(always)]
fn take_turns(mut wait: impl FnMut(usize) -> f64, mut decide: impl FnMut(usize)) {
    let named = |time: f64, actor: usize| time.to_bits() & !0xF | actor as u64;
    let mut following = [0.0; PLACES];
    let mut clocks = [u64::MAX; 2 * PLACES];
    for actor in 0..ACTORS {
        let first = wait(actor);
        clocks[PLACES + actor] = named(first, actor);
        following[actor] = first + wait(actor);
    }
    for pair in (1..PLACES).rev() {
        clocks[pair] = clocks[2 * pair].min(clocks[2 * pair + 1]);
    }
    let horizon = HORIZON.to_bits();
    while clocks[1] < horizon {
        let actor = (clocks[1] & 0xF) as usize;
        let time = following[actor];
        let mut earliest = named(time, actor);
        let mut place = PLACES + actor;
        clocks[place] = earliest;
        for _ in 0..PLACES.trailing_zeros() {
            earliest = earliest.min(clocks[place ^ 1]);
            place /= 2;
            clocks[place] = earliest;
        }
        following[actor] = time + wait(actor);
        decide(actor);
    }
}

/// With the cheapest sound generator, and decisions from whole numbers.
pub fn cheapest(ziggurat: &Ziggurat, seed: u64) -> usize {
    let stream = |key: usize| Wyrand::keyed(seed, key as u64);
    let mut waits: [Wyrand; PLACES] = std::array::from_fn(|actor| stream(2 * actor));
    let mut choices: [Wyrand; PLACES] = std::array::from_fn(|actor| stream(2 * actor + 1));
    let mut levels = Levels::ZERO;
    take_turns(
        |actor| ziggurat.exponential(&mut waits[actor]),
        |actor| {
            let k = (((choices[actor].next() >> 32) * 90) >> 32) as i32;
            levels.step(actor, 27 - k);
        },
    );
    levels.total as usize
}

/// Sums of nine levels.
const SUMS: usize = (ACTORS - 1) * TOP as usize + 1;

/// The same runs as Flashpoint's, to the bit: its streams, its exponentials and its uniforms of 52 bits.
pub struct SameRuns {
    waits: [StreamSource; PLACES],
    choices: [StreamSource; PLACES],
    /// For each sum of the others' levels: draws of 52 bits below this one let an actor rise. None does beyond the last sum.
    rises_below: [u64; SUMS.next_power_of_two()],
}

impl SameRuns {
    pub fn new() -> Self {
        let sources = |what: &str| {
            std::array::from_fn(|place| {
                let actor = format!("player_{}", place + 1);
                StreamSource::new(StreamKey::derive(SEED, &["process", "act", &actor, what]))
            })
        };
        Self {
            waits: sources("wait"),
            choices: sources("choice"),
            rises_below: std::array::from_fn(|others| {
                if others >= SUMS {
                    return 0;
                }
                let chance = 0.3 + 0.1 * (others as f64 / (ACTORS - 1) as f64);
                // A uniform variate is (k + 1/2) 2^-52.
                (chance.min(0.9) * (1_u64 << 52) as f64 - 0.5).ceil() as u64
            }),
        }
    }

    /// The least sum of the others' levels with which a draw lets an actor rise.
    #[inline(always)]
    fn needs(&self, drawn: u64) -> i32 {
        // Chances lie a ninetieth apart, but for rounding.
        let near = ((drawn * 90) >> 52).saturating_sub(27) as usize % self.rises_below.len();
        let at_least = |sum: usize| drawn >= self.rises_below[sum % self.rises_below.len()];
        near as i32 + i32::from(at_least(near)) + i32::from(at_least(near + 1))
    }

    pub fn run(&self, number: u64) -> usize {
        let open = |sources: &[StreamSource; PLACES]| sources.map(|source| source.stream(number));
        let mut waits: [Stream; PLACES] = open(&self.waits);
        let mut choices: [Stream; PLACES] = open(&self.choices);
        let mut levels = Levels::ZERO;
        take_turns(
            |actor| waits[actor].exponential(),
            |actor| levels.step(actor, 1 - self.needs(choices[actor].next_u64() >> 12)),
        );
        levels.total as usize
    }
}
