//! rebop by its macro, which makes a program of the network in [`super::rebop`].
//!
//! The sum and what it lacks change together, though a rate depends on at most one of them: the other is a product that comes out
//! -1 times, which the macro takes.

use super::{ACTORS, HORIZON, TOP};
use rebop::define_system;

define_system! {
    ;
    Levels { l0, l1, l2, l3, l4, l5, sum, lack }
    rise_0: l0 => l1 + sum + -1 lack @ 27. / 90.
    rise_1: l1 => l2 + sum + -1 lack @ 26. / 90.
    rise_2: l2 => l3 + sum + -1 lack @ 25. / 90.
    rise_3: l3 => l4 + sum + -1 lack @ 24. / 90.
    rise_4: l4 => l5 + sum + -1 lack @ 23. / 90.
    pulled_0: l0 + sum => l1 + 2 sum + -1 lack @ 1. / 90.
    pulled_1: l1 + sum => l2 + 2 sum + -1 lack @ 1. / 90.
    pulled_2: l2 + sum => l3 + 2 sum + -1 lack @ 1. / 90.
    pulled_3: l3 + sum => l4 + 2 sum + -1 lack @ 1. / 90.
    pulled_4: l4 + sum => l5 + 2 sum + -1 lack @ 1. / 90.
    fall_1: l1 => l0 + lack + -1 sum @ 14. / 90.
    fall_2: l2 => l1 + lack + -1 sum @ 15. / 90.
    fall_3: l3 => l2 + lack + -1 sum @ 16. / 90.
    fall_4: l4 => l3 + lack + -1 sum @ 17. / 90.
    fall_5: l5 => l4 + lack + -1 sum @ 18. / 90.
    dragged_1: l1 + lack => l0 + 2 lack + -1 sum @ 1. / 90.
    dragged_2: l2 + lack => l1 + 2 lack + -1 sum @ 1. / 90.
    dragged_3: l3 + lack => l2 + 2 lack + -1 sum @ 1. / 90.
    dragged_4: l4 + lack => l3 + 2 lack + -1 sum @ 1. / 90.
    dragged_5: l5 + lack => l4 + 2 lack + -1 sum @ 1. / 90.
}

pub fn run(seed: u64) -> usize {
    let mut levels = Levels::new();
    levels.seed(seed);
    levels.l0 = ACTORS as isize;
    levels.lack = ACTORS as isize * TOP as isize;
    levels.advance_until(HORIZON);
    levels.sum as usize
}
