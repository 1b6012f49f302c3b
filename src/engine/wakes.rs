//! Which of many clocks wakes first.

/// One clock's time, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wake {
    time: f64,
    clock: u32,
}

/// A clock that never wakes, and is none.
const NEVER: Wake = Wake {
    time: f64::INFINITY,
    clock: 0,
};

/// The times at which clocks wake, as a tournament: each node of a complete binary tree holds the earlier of the two below it,
/// and of two at the same time the one with the lower index. To change a time costs as many comparisons as the tree is high,
/// whatever the times; to know the first costs nothing (Knuth, *The Art of Computer Programming* 3, section 5.4.1).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wakes {
    /// The winner of all in 1; the clocks in the last half.
    nodes: Vec<Wake>,
}

impl Wakes {
    /// So many clocks, none of which wakes.
    pub fn new(clocks: usize) -> Self {
        let width = clocks.next_power_of_two();
        let mut wakes = Self {
            nodes: vec![NEVER; 2 * width],
        };
        wakes.silence();
        wakes
    }

    /// Lets no clock wake.
    pub fn silence(&mut self) {
        let width = self.nodes.len() / 2;
        for (index, node) in self.nodes.iter_mut().enumerate() {
            *node = NEVER;
            if index >= width {
                node.clock = (index - width) as u32;
            }
        }
        for node in (1..width).rev() {
            self.nodes[node] = self.nodes[2 * node];
        }
    }

    /// The times of `other`, which has as many clocks.
    pub fn copy(&mut self, other: &Self) {
        self.nodes.copy_from_slice(&other.nodes);
    }

    /// Sets the time at which a clock wakes.
    #[inline]
    pub fn set(&mut self, clock: usize, time: f64) {
        let width = self.nodes.len() / 2;
        let mut node = width + clock;
        self.nodes[node].time = time;
        while node > 1 {
            let (left, right) = (self.nodes[node & !1], self.nodes[node | 1]);
            node /= 2;
            self.nodes[node] = if right.time < left.time { right } else { left };
        }
    }

    /// The clock that wakes first, and when. The first of several at the same time; at infinity when none wakes.
    #[inline]
    pub fn first(&self) -> (usize, f64) {
        let Wake { time, clock } = self.nodes[1];
        (clock as usize, time)
    }
}

#[cfg(test)]
mod tests {
    use super::Wakes;
    use proptest::prelude::*;

    /// The first of the earliest, by looking at every clock.
    fn scan(times: &[f64]) -> (usize, f64) {
        let mut first = (0, f64::INFINITY);
        for (clock, &time) in times.iter().enumerate() {
            if time < first.1 {
                first = (clock, time);
            }
        }
        first
    }

    proptest! {
        #[test]
        fn the_winner_is_the_first_in_a_scan(
            clocks in 0_usize..40,
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..6), 0..100),
        ) {
            let mut wakes = Wakes::new(clocks);
            let mut times = vec![f64::INFINITY; clocks];
            prop_assert_eq!(wakes.first().1, f64::INFINITY);
            for (clock, time) in changes.into_iter().filter(|_| clocks > 0) {
                let time = if time == 5 { f64::INFINITY } else { f64::from(time) };
                wakes.set(clock.index(clocks), time);
                times[clock.index(clocks)] = time;
                prop_assert_eq!(wakes.first(), scan(&times));
            }
        }
    }
}
