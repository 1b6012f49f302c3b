//! Which of many clocks wakes first.

/// The times at which clocks wake, as a tournament: clocks compete in groups of four, the winners of four groups compete in a
/// group, and so on up to one. The earlier time wins, and of two at the same time the clock with the lower index. To change a time
/// costs one group on each level, whatever the times; to know the first costs nothing (Knuth, *The Art of Computer Programming*
/// 3, section 5.4.1, has tournaments of two).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wakes {
    /// The last group first; the four groups whose winners meet in group `g` are `4 g + 1` to `4 g + 4`.
    groups: Vec<Group>,
    /// Groups of winners, which come before those of clocks.
    inner: usize,
    winner: Wake,
}

/// One clock's time, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wake {
    /// The bits of the time: those of numbers that are not negative are in the order of the numbers, and quicker to compare.
    time: u64,
    clock: u32,
}

impl Wake {
    const NEVER: Self = Self {
        time: f64::INFINITY.to_bits(),
        clock: 0,
    };

    #[inline]
    fn first(self, other: Self) -> Self {
        if other.time < self.time { other } else { self }
    }
}

type Group = [Wake; 4];

#[inline]
fn winner(&[a, b, c, d]: &Group) -> Wake {
    a.first(b).first(c.first(d))
}

impl Wakes {
    /// So many clocks, none of which wakes.
    pub fn new(clocks: usize) -> Self {
        let mut inner = 0;
        let mut leaves = 1;
        while 4 * leaves < clocks {
            inner += leaves;
            leaves *= 4;
        }
        let mut wakes = Self {
            groups: vec![[Wake::NEVER; 4]; inner + leaves],
            inner,
            winner: Wake::NEVER,
        };
        for clock in (0..4 * leaves).rev() {
            wakes.set(clock, f64::INFINITY);
        }
        wakes
    }

    /// Lets no clock wake.
    pub fn silence(&mut self) {
        for wake in self.groups.as_flattened_mut() {
            wake.time = Wake::NEVER.time;
        }
        self.winner.time = Wake::NEVER.time;
    }

    /// The times of `other`, which has as many clocks.
    pub fn copy(&mut self, other: &Self) {
        self.groups.copy_from_slice(&other.groups);
        self.winner = other.winner;
    }

    /// The time at which a clock wakes.
    pub fn time(&self, clock: usize) -> f64 {
        f64::from_bits(self.groups[self.inner + clock / 4][clock % 4].time)
    }

    /// Sets the time at which a clock wakes, which is not negative, to be followed by [`Wakes::settle`]: quicker than
    /// [`Wakes::set`] for many clocks.
    #[inline]
    pub fn put(&mut self, clock: usize, time: f64) {
        self.groups[self.inner + clock / 4][clock % 4].time = time.to_bits();
    }

    /// Finds the winners of all groups.
    pub fn settle(&mut self) {
        for index in (1..self.groups.len()).rev() {
            let first = winner(&self.groups[index]);
            self.groups[(index - 1) / 4][(index - 1) % 4] = first;
        }
        self.winner = winner(&self.groups[0]);
    }

    /// Sets the time at which a clock wakes, which is not negative.
    #[inline]
    pub fn set(&mut self, clock: usize, time: f64) {
        let mut first = Wake {
            time: time.to_bits(),
            clock: clock as u32,
        };
        let (mut index, mut place) = (self.inner + clock / 4, clock % 4);
        loop {
            let group = &mut self.groups[index];
            group[place] = first;
            first = winner(group);
            if index == 0 {
                break;
            }
            (index, place) = ((index - 1) / 4, (index - 1) % 4);
        }
        self.winner = first;
    }

    /// As [`Self::set`], for a clock that hardly decides which is the first: goes no further than the change is seen.
    #[inline]
    pub fn adjust(&mut self, clock: usize, time: f64) {
        let mut first = Wake {
            time: time.to_bits(),
            clock: clock as u32,
        };
        let (mut index, mut place) = (self.inner + clock / 4, clock % 4);
        while self.groups[index][place] != first {
            let group = &mut self.groups[index];
            group[place] = first;
            first = winner(group);
            if index == 0 {
                self.winner = first;
                break;
            }
            (index, place) = ((index - 1) / 4, (index - 1) % 4);
        }
    }

    /// The clock that wakes first, and when. The first of several at the same time; at infinity when none wakes.
    #[inline]
    pub fn first(&self) -> (usize, f64) {
        (self.winner.clock as usize, f64::from_bits(self.winner.time))
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
            clocks in 0_usize..80,
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..6, any::<bool>()), 0..200),
        ) {
            let mut wakes = Wakes::new(clocks);
            let mut times = vec![f64::INFINITY; clocks];
            prop_assert_eq!(wakes.first().1, f64::INFINITY);
            for (clock, time, adjust) in changes.into_iter().filter(|_| clocks > 0) {
                let time = if time == 5 { f64::INFINITY } else { f64::from(time) };
                if adjust {
                    wakes.adjust(clock.index(clocks), time);
                } else {
                    wakes.set(clock.index(clocks), time);
                }
                times[clock.index(clocks)] = time;
                let (first, scanned) = (wakes.first(), scan(&times));
                prop_assert_eq!(first.1, scanned.1);
                prop_assert!(first.0 == scanned.0 || first.1 == f64::INFINITY);
            }
            let mut afresh = Wakes::new(clocks);
            for (clock, time) in times.into_iter().enumerate() {
                afresh.put(clock, time);
            }
            afresh.settle();
            prop_assert_eq!(&afresh, &wakes);
            wakes.silence();
            prop_assert_eq!(wakes.first().1, f64::INFINITY);
        }
    }
}
