//! rebop: a reaction network among the numbers of actors on each level, the sum of levels and what the sum lacks to its greatest.
//!
//! Rates follow the law of mass action (from Rust no other can be written), which is enough: an actor on level k rises at rate
//! (27 - k + sum) / 90 and falls at (13 + k + lack) / 90, each a constant and a product of two species. Actors are not told apart,
//! and a decision that would change nothing (a fall at the bottom, a rise at the top) is no reaction: the law of the sum is the
//! same, with fewer events and no actors to speak of.

use super::{ACTORS, HORIZON, TOP};
use rebop::gillespie::{Gillespie, Rate};

const LEVELS: usize = TOP as usize + 1;
const SUM: usize = LEVELS;
const LACK: usize = LEVELS + 1;
const SPECIES: usize = LEVELS + 2;

fn network(seed: u64) -> Gillespie {
    let mut species = [0; SPECIES];
    species[0] = ACTORS as isize;
    species[LACK] = ACTORS as isize * TOP as isize;
    let mut network = Gillespie::new_with_seed(species, true, seed);
    for level in 0..LEVELS {
        let k = level as f64;
        if level + 1 < LEVELS {
            add(&mut network, level, level + 1, (27.0 - k) / 90.0, SUM);
        }
        if level > 0 {
            add(&mut network, level, level - 1, (13.0 + k) / 90.0, LACK);
        }
    }
    network
}

/// One actor moves at rate `alone`, and at 1/90 for each of the species `with`.
fn add(network: &mut Gillespie, from: usize, to: usize, alone: f64, with: usize) {
    let step = to as isize - from as isize;
    let mut change = [0; SPECIES];
    change[from] = -1;
    change[to] = 1;
    change[SUM] = step;
    change[LACK] = -step;
    let one = from as u32;
    network.add_reaction(Rate::lma_sparse(alone, [(one, 1)]), change);
    let both = Rate::lma_sparse(1.0 / 90.0, [(one, 1), (with as u32, 1)]);
    network.add_reaction(both, change);
}

pub fn run(seed: u64) -> usize {
    let mut network = network(seed);
    network.advance_until(HORIZON);
    network.get_species(SUM) as usize
}
