//! Sums over sets: taken pair by pair, so that they can be kept up to date when one value changes.

use std::collections::BTreeMap;

/// Stands for the position of a value that is left out of a sum, where none is.
pub(super) const NONE_LEFT_OUT: u32 = u32::MAX;

/// Branches of a node.
const BRANCHES: usize = 4;

/// The sum of `count` values as a complete binary tree adds them up, each node its two branches, with zeros behind the last value
/// up to a power of four, to the last bit. Its rounding error grows with the logarithm of the count (Higham, *Accuracy and
/// Stability of Numerical Algorithms*, 2002, section 4.2).
#[inline]
pub(super) fn pairwise_sum<T: Copy>(
    count: u32,
    zero: T,
    value: impl Fn(u32) -> T,
    add: impl Fn(T, T) -> T,
) -> T {
    // A sum for each set bit of the number of values that have been added: of the last 2^k of them.
    let mut sums = [zero; 33];
    for position in 0..count {
        let mut sum = value(position);
        let mut level = 0;
        while position >> level & 1 == 1 {
            sum = add(sums[level], sum);
            level += 1;
        }
        sums[level] = sum;
    }
    // Of the zeros behind the last value, only the first can matter: it makes 0 of -0.
    let mut sum = sums[count.trailing_zeros() as usize];
    if count != width(count) {
        sum = add(sum, zero);
    }
    let mut rest = count & count.wrapping_sub(1);
    while rest != 0 {
        sum = add(sums[rest.trailing_zeros() as usize], sum);
        rest &= rest - 1;
    }
    sum
}

/// Values under the root of a tree for `count` of them: a power of four.
fn width(count: u32) -> u32 {
    let mut width = BRANCHES as u32;
    while width < count {
        width *= BRANCHES as u32;
    }
    width
}

/// Four values added up as [`pairwise_sum`] does, two levels of it at once.
pub type Group = [f64; BRANCHES];

#[inline]
pub(super) fn sum(group: &Group) -> f64 {
    (group[0] + group[1]) + (group[2] + group[3])
}

/// The sum of a group if `value` stood in `place`. The order of two summands does not matter to the last bit.
#[inline]
fn sum_with(group: &Group, place: u32, value: f64) -> f64 {
    let at = |place: u32| group[place as usize % BRANCHES];
    (value + at(place ^ 1)) + (at(place ^ 2) + at(place ^ 3))
}

/// A value's place in a tree of groups: the root is group 0, and the sums of groups `4 g + 1` to `4 g + 4` stand in group `g`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    group: u32,
    place: u32,
}

impl Place {
    /// Where the sum of this place's group stands; `None` for the root.
    #[inline]
    fn above(self) -> Option<Self> {
        let above = self.group.checked_sub(1)?;
        Some(Self {
            group: above / BRANCHES as u32,
            place: above % BRANCHES as u32,
        })
    }
}

/// The way up from a place in a tree to its root: the place, then where the sum of its group stands, and so on. It is all that is
/// needed to add up again after a change, without a look at the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    /// Four times the group, among those of all totals, and the place in it; as many as `levels`.
    steps: [u16; Self::MOST_LEVELS],
    levels: u8,
}

impl Way {
    /// Enough for sums over 16,384 stocks.
    const MOST_LEVELS: usize = 7;

    /// The way up from `at` in the tree whose first group is `first`; `None` if it is too long or too far out to be told so.
    fn new(first: u32, at: Place) -> Option<Self> {
        let mut way = Self {
            steps: [0; Self::MOST_LEVELS],
            levels: 0,
        };
        for at in std::iter::successors(Some(at), |at| at.above()) {
            let step = (first + at.group) * BRANCHES as u32 + at.place;
            *way.steps.get_mut(usize::from(way.levels))? = u16::try_from(step).ok()?;
            way.levels += 1;
        }
        Some(way)
    }

    /// The sum at the root if `value` stood at the beginning. Groups of all totals begin at `base`.
    #[inline]
    pub fn sum_with(&self, groups: &[Group], base: usize, mut value: f64) -> f64 {
        for &step in &self.steps[..usize::from(self.levels) % (Self::MOST_LEVELS + 1)] {
            let group = &groups[base + usize::from(step) / BRANCHES];
            value = sum_with(group, u32::from(step), value);
        }
        value
    }

    /// Lets `value` stand at the beginning and brings the sums up to date.
    #[inline]
    pub fn set(&self, groups: &mut [Group], base: usize, mut value: f64) {
        for &step in &self.steps[..usize::from(self.levels) % (Self::MOST_LEVELS + 1)] {
            let group = &mut groups[base + usize::from(step) / BRANCHES];
            // Added up before it is stored: a sum that is read back from store would wait for it.
            let sum = sum_with(group, u32::from(step), value);
            group[usize::from(step) % BRANCHES] = value;
            value = sum;
        }
    }
}

/// A sum that is kept up to date, or the same without one of its values. It adds up as [`pairwise_sum`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// Where its groups begin among those of all totals.
    first: u32,
    without: Option<Place>,
}

impl Total {
    /// The sum, from the groups of all totals.
    #[inline]
    pub fn value(self, groups: &[Group]) -> f64 {
        let groups = &groups[self.first as usize..];
        let Some(mut at) = self.without else {
            return sum(&groups[0]);
        };
        // What is left out counts as 0.
        let mut value = 0.0;
        loop {
            value = sum_with(&groups[at.group as usize], at.place, value);
            match at.above() {
                Some(above) => at = above,
                None => return value,
            }
        }
    }
}

/// A value that counts in a total.
#[derive(Debug, Clone, Copy)]
pub struct Summand {
    first: u32,
    at: Place,
}

impl Summand {
    /// The way up from the value, if it can be told.
    pub fn way(self) -> Option<Way> {
        Way::new(self.first, self.at)
    }

    /// Brings the total up to date after the value has changed.
    #[inline]
    pub fn set(self, groups: &mut [Group], mut value: f64) {
        let groups = &mut groups[self.first as usize..];
        let mut at = self.at;
        loop {
            let group = &mut groups[at.group as usize];
            group[at.place as usize % BRANCHES] = value;
            value = sum_with(group, at.place, value);
            match at.above() {
                Some(above) => at = above,
                None => return,
            }
        }
    }
}

/// What reads a sum that is kept, for an evaluation in several runs at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kept {
    /// The sum, by index.
    pub sum: u32,
    /// Its root, among the groups of all totals.
    pub root: u32,
    /// The slot that is left out, and the way up from it.
    pub without: Option<(u32, Way)>,
}

/// A tree of sums over slots.
#[derive(Debug, Clone)]
pub struct KeptSum {
    first: u32,
    /// Groups of sums, which come before those of values.
    inner: u32,
    /// Slots in the order of summation.
    pub slots: Vec<u32>,
}

impl KeptSum {
    /// The place of each slot.
    pub fn summands(&self) -> impl Iterator<Item = (u32, Summand)> {
        self.slots.iter().zip(0..).map(|(&slot, position)| {
            let (first, at) = (self.first, self.at(position));
            (slot, Summand { first, at })
        })
    }

    /// The whole sum.
    pub fn total(&self) -> Total {
        Total {
            first: self.first,
            without: None,
        }
    }

    /// Puts the values of slots into the groups of all totals and adds them up, to the bits that [`Summand::set`] gives.
    pub fn add_up(&self, groups: &mut [Group], value: impl Fn(u32) -> f64) {
        let groups = &mut groups[self.first as usize..];
        for (chunk, group) in (self.slots.chunks(BRANCHES)).zip(&mut groups[self.inner as usize..])
        {
            for (&slot, place) in chunk.iter().zip(group) {
                *place = value(slot);
            }
        }
        let leaves = self.slots.len().div_ceil(BRANCHES) as u32;
        for group in (1..self.inner + leaves).rev() {
            let sum = sum(&groups[group as usize]);
            let above = group - 1;
            groups[(above / BRANCHES as u32) as usize][above as usize % BRANCHES] = sum;
        }
    }

    fn at(&self, position: u32) -> Place {
        let branches = BRANCHES as u32;
        Place {
            group: self.inner + position / branches,
            place: position % branches,
        }
    }
}

/// The sums of a model that are kept as totals: over stocks that no time moves.
#[derive(Debug, Default)]
pub struct Totals {
    pub list: Vec<KeptSum>,
    /// Groups of all.
    pub groups: u32,
    known: BTreeMap<Vec<u32>, usize>,
}

impl Totals {
    pub(super) fn total(&mut self, slots: Vec<u32>, without: u32) -> Total {
        let index = *self.known.entry(slots).or_insert_with_key(|slots| {
            // One group, four of them, sixteen, ... down to those of values.
            let leaves = width(slots.len() as u32) / BRANCHES as u32;
            let inner = (leaves - 1) / (BRANCHES as u32 - 1);
            self.list.push(KeptSum {
                first: self.groups,
                inner,
                slots: slots.clone(),
            });
            self.groups += inner + leaves;
            self.list.len() - 1
        });
        let kept = &self.list[index];
        Total {
            first: kept.first,
            without: (without != NONE_LEFT_OUT).then(|| kept.at(without)),
        }
    }

    /// The sum that a total reads; `None` if its way cannot be told.
    pub(super) fn kept(&self, total: Total) -> Option<Kept> {
        let sum = self
            .list
            .iter()
            .position(|kept| kept.first == total.first)?;
        let without = match total.without {
            None => None,
            Some(at) => {
                let kept = &self.list[sum];
                let position = (at.group - kept.inner) * BRANCHES as u32 + at.place;
                let slot = *kept.slots.get(position as usize)?;
                Some((slot, Way::new(total.first, at)?))
            }
        };
        Some(Kept {
            sum: sum as u32,
            root: total.first,
            without,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_added_as_a_tree() {
        let value = |position: u32| format!("{position}");
        let add = |a: &str, b: &str| format!("({a} {b})");
        let text = |count: u32| {
            // Texts are leaked: the sum takes values that can be copied.
            let leak = |text: String| -> &'static str { text.leak() };
            pairwise_sum(count, "0", |p| leak(value(p)), |a, b| leak(add(a, b)))
        };
        assert_eq!(text(1), "(0 0)");
        assert_eq!(text(3), "((0 1) (2 0))");
        assert_eq!(text(4), "((0 1) (2 3))");
        assert_eq!(text(6), "(((0 1) (2 3)) ((4 5) 0))");
    }

    #[test]
    fn zeros_up_to_a_power_of_four_are_added_without_adding_them() {
        for count in 1..=70_u32 {
            for sign in [1.0, -1.0] {
                let value = |position: u32| {
                    sign * [0.0, 0.1, 1e9, 3.3, 0.0][(position + count) as usize % 5]
                };
                let padded = (0..width(count)).map(|p| if p < count { value(p) } else { 0.0 });
                let mut level: Vec<f64> = padded.collect();
                while level.len() > 1 {
                    level = level.chunks(2).map(|pair| pair[0] + pair[1]).collect();
                }
                let sum = pairwise_sum(count, 0.0, value, |a, b| a + b);
                assert_eq!(sum.to_bits(), level[0].to_bits(), "{count} {sign}");
            }
        }
        assert_eq!(pairwise_sum(0, 0.0, |_| 1.0, |a, b| a + b), 0.0);
    }

    #[test]
    fn a_total_is_the_sum_afresh_whatever_changes_and_is_left_out() {
        let mut totals = Totals::default();
        for count in [1_u32, 3, 4, 5, 7, 16, 17, 70] {
            let slots: Vec<u32> = (100 * count..101 * count).collect();
            let all = totals.total(slots.clone(), NONE_LEFT_OUT);
            let without: Vec<Total> = (0..count).map(|w| totals.total(slots.clone(), w)).collect();
            let kept = totals.list.last().unwrap().clone();
            assert_eq!(kept.slots, slots, "all share their groups");
            let mut groups = vec![[0.0; BRANCHES]; totals.groups as usize];
            let mut values = vec![0.0; count as usize];
            for (change, (slot, summand)) in kept.summands().chain(kept.summands()).enumerate() {
                let value =
                    crate::math::exp(change as f64 * 0.7) * [1e-9, -0.1, 1e9, 3.3][change % 4];
                values[(slot - slots[0]) as usize] = value;
                summand.set(&mut groups, value);
                let sum = |without: u32| {
                    let value = |p: u32| {
                        if p == without {
                            0.0
                        } else {
                            values[p as usize]
                        }
                    };
                    pairwise_sum(count, 0.0, value, |a, b| a + b).to_bits()
                };
                assert_eq!(all.value(&groups).to_bits(), sum(NONE_LEFT_OUT));
                for (position, total) in without.iter().enumerate() {
                    let sum = sum(position as u32);
                    assert_eq!(total.value(&groups).to_bits(), sum);
                    let (slot, way) = totals.kept(*total).unwrap().without.unwrap();
                    assert_eq!(slot, slots[position]);
                    assert_eq!(way.sum_with(&groups, 0, 0.0).to_bits(), sum);
                }
                let mut afresh = vec![[0.0; BRANCHES]; groups.len()];
                for kept in &totals.list {
                    let old = kept.slots.len() != count as usize;
                    kept.add_up(&mut afresh, |slot| match old {
                        true => 0.0,
                        false => values[(slot - slots[0]) as usize],
                    });
                }
                assert_eq!(afresh, groups);
                let way = summand.way().unwrap();
                way.set(&mut afresh, 0, 7.0);
                summand.set(&mut groups, 7.0);
                assert_eq!(afresh, groups);
                summand.set(&mut groups, value);
            }
        }
    }
}
