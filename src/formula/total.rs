//! Sums over sets: taken pair by pair, so that they can be kept up to date when one value changes.

use super::program::NONE_LEFT_OUT;
use std::collections::BTreeMap;

/// The sum of `count` values as a complete binary tree adds them up, each node its two branches, with zeros behind the last value
/// up to a power of two. Its rounding error grows with the logarithm of the count (Higham, *Accuracy and Stability of Numerical
/// Algorithms*, 2002, section 4.2).
#[inline]
pub(super) fn pairwise_sum<T: Copy>(
    count: u32,
    zero: T,
    value: impl Fn(u32) -> T,
    add: impl Fn(T, T) -> T,
) -> T {
    // A sum for each set bit of the number of values that have been added: of the last 2^k of them.
    let mut sums = [zero; 32];
    let width = count.next_power_of_two();
    for position in 0..width {
        let mut sum = if position < count {
            value(position)
        } else {
            zero
        };
        let mut level = 0;
        while position >> level & 1 == 1 {
            sum = add(sums[level], sum);
            level += 1;
        }
        sums[level] = sum;
    }
    sums[width.trailing_zeros() as usize]
}

/// A sum that is kept up to date, or the same without one of its stocks.
///
/// The sum is a complete binary tree as [`pairwise_sum`] adds up: node 1 is the sum of all, nodes
/// `2 k` and `2 k + 1` lie below node `k` and are kept side by side as pair `k`, and the stocks are the nodes from the number of
/// pairs on, with zeros behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// Where its pairs begin among those of all totals.
    pub pairs: u32,
    /// The node of the stock that is left out; 1 for none.
    pub without: u32,
}

impl Total {
    /// The sum, from the pairs of all totals.
    #[inline]
    pub fn value(self, pairs: &[[f64; 2]]) -> f64 {
        let pairs = &pairs[self.pairs as usize..];
        let mut node = self.without as usize;
        if node == 1 {
            return pairs[1][0] + pairs[1][1];
        }
        // What is left out counts as 0; everything beside its path to the root is added.
        let mut sum = 0.0;
        while node > 1 {
            sum += pairs[node / 2][1 - node % 2];
            node /= 2;
        }
        sum
    }
}

/// The sums of a model that are kept as totals: over stocks that no time moves.
#[derive(Debug, Default)]
pub struct Totals {
    /// Where the pairs of each begin, how many they are (a power of two), and its slots in the order of summation.
    pub list: Vec<(u32, u32, Vec<u32>)>,
    /// Pairs of all.
    pub pairs: u32,
    known: BTreeMap<Vec<u32>, (u32, u32)>,
}

impl Totals {
    pub(super) fn total(&mut self, slots: Vec<u32>, without: u32) -> Total {
        let (pairs, width) = *self.known.entry(slots).or_insert_with_key(|slots| {
            let (pairs, width) = (self.pairs, (slots.len() as u32).next_power_of_two());
            self.list.push((pairs, width, slots.clone()));
            self.pairs += width;
            (pairs, width)
        });
        let without = if without == NONE_LEFT_OUT {
            1
        } else {
            width + without
        };
        Total { pairs, without }
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
        assert_eq!(text(1), "0");
        assert_eq!(text(2), "(0 1)");
        assert_eq!(text(3), "((0 1) (2 0))");
        assert_eq!(text(5), "(((0 1) (2 3)) ((4 0) (0 0)))");
    }

    #[test]
    fn a_total_without_one_is_the_sum_with_0_in_its_place() {
        let values = [0.1, 0.7, 1e-9, 3.3, -0.2, 1e9, 0.3];
        let mut totals = Totals::default();
        let slots: Vec<u32> = (0..7).collect();
        let all = totals.total(slots.clone(), NONE_LEFT_OUT);
        assert_eq!((all.pairs, totals.pairs, totals.list[0].1), (0, 8, 8));
        let mut pairs = vec![[0.0; 2]; 8];
        for (node, value) in (8..).zip(values) {
            pairs[node / 2][node % 2] = value;
        }
        for node in (2..8).rev() {
            pairs[node / 2][node % 2] = pairs[node][0] + pairs[node][1];
        }
        let sum = |without: u32| {
            let value = |p: u32| {
                if p == without {
                    0.0
                } else {
                    values[p as usize]
                }
            };
            pairwise_sum(7, 0.0, value, |a, b| a + b)
        };
        assert_eq!(all.value(&pairs).to_bits(), sum(NONE_LEFT_OUT).to_bits());
        for without in 0..7 {
            let total = totals.total(slots.clone(), without);
            assert_eq!(total.value(&pairs).to_bits(), sum(without).to_bits());
        }
        assert_eq!(totals.list.len(), 1, "all share their pairs");
    }
}
