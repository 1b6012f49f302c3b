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
    time: f64,
    clock: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Group {
    times: [f64; 4],
    clocks: [u32; 4],
}

impl Group {
    #[inline]
    fn winner(&self) -> Wake {
        let first_of = |a: usize, b: usize| if self.times[b] < self.times[a] { b } else { a };
        let (left, right) = (first_of(0, 1), first_of(2, 3));
        let first = first_of(left, right);
        Wake {
            time: self.times[first],
            clock: self.clocks[first],
        }
    }
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
        let group = Group {
            times: [f64::INFINITY; 4],
            clocks: [0; 4],
        };
        let mut wakes = Self {
            groups: vec![group; inner + leaves],
            inner,
            winner: Wake {
                time: f64::INFINITY,
                clock: 0,
            },
        };
        for clock in (0..4 * leaves).rev() {
            wakes.set(clock, f64::INFINITY);
        }
        wakes
    }

    /// Lets no clock wake.
    pub fn silence(&mut self) {
        for group in &mut self.groups {
            group.times = [f64::INFINITY; 4];
        }
        self.winner.time = f64::INFINITY;
    }

    /// The times of `other`, which has as many clocks.
    pub fn copy(&mut self, other: &Self) {
        self.groups.copy_from_slice(&other.groups);
        self.winner = other.winner;
    }

    /// Sets the time at which a clock wakes.
    #[inline]
    pub fn set(&mut self, clock: usize, time: f64) {
        let mut winner = Wake {
            time,
            clock: clock as u32,
        };
        let (mut index, mut place) = (self.inner + clock / 4, clock % 4);
        loop {
            let group = &mut self.groups[index];
            group.times[place] = winner.time;
            group.clocks[place] = winner.clock;
            winner = group.winner();
            if index == 0 {
                break;
            }
            (index, place) = ((index - 1) / 4, (index - 1) % 4);
        }
        self.winner = winner;
    }

    /// The clock that wakes first, and when. The first of several at the same time; at infinity when none wakes.
    #[inline]
    pub fn first(&self) -> (usize, f64) {
        (self.winner.clock as usize, self.winner.time)
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
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..6), 0..200),
        ) {
            let mut wakes = Wakes::new(clocks);
            let mut times = vec![f64::INFINITY; clocks];
            prop_assert_eq!(wakes.first().1, f64::INFINITY);
            for (clock, time) in changes.into_iter().filter(|_| clocks > 0) {
                let time = if time == 5 { f64::INFINITY } else { f64::from(time) };
                wakes.set(clock.index(clocks), time);
                times[clock.index(clocks)] = time;
                let (first, scanned) = (wakes.first(), scan(&times));
                prop_assert_eq!(first.1, scanned.1);
                prop_assert!(first.0 == scanned.0 || first.1 == f64::INFINITY);
            }
            wakes.silence();
            prop_assert_eq!(wakes.first().1, f64::INFINITY);
        }
    }
}
