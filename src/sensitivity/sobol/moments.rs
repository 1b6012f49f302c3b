//! Row moments: products of the outputs of one point whose means give every index.

use super::design::Layout;

/// Number of moments that do not belong to a column.
const COMMON: usize = 7;

/// Places of the moments of a block and of the statistics made of their means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    pub(crate) layout: Layout,
}

/// Places in the vector of statistics.
pub(crate) const MEAN: usize = 0;
pub(crate) const VARIANCE: usize = 1;
pub(crate) const VARIANCE_OF_MEAN: usize = 2;
pub(crate) const NOISE: usize = 3;
pub(crate) const DUMMY_FIRST: usize = 4;
const FIRST: usize = 5;

impl Moments {
    pub(crate) fn count(&self) -> usize {
        let d = self.layout.columns;
        COMMON
            + d * self.per_column()
            + if self.layout.second_order {
                d * (d - 1) / 2
            } else {
                0
            }
    }

    fn per_column(&self) -> usize {
        3 + usize::from(self.layout.mean_total)
    }

    /// Writes the moments of one block of outputs, from which `shift` (near the mean, against
    /// cancellation) is taken away.
    pub(crate) fn write(&self, block: &[f64], shift: f64, out: &mut [f64]) {
        let d = self.layout.columns;
        let (a, b, c) = (block[0] - shift, block[1] - shift, block[2] - shift);
        out[..COMMON].copy_from_slice(&[
            a,
            b,
            0.5 * (a * a + b * b),
            a * b,
            c,
            a * c,
            0.5 * (a - c) * (a - c),
        ]);
        let columns = &mut out[COMMON..];
        let ab = &block[self.layout.ab()..][..d];
        match self.layout.ba() {
            None => {
                for i in 0..d {
                    let step = (ab[i] - shift) - a;
                    columns[i] = b * step;
                    columns[d + i] = step;
                    columns[2 * d + i] = 0.5 * step * step;
                }
            }
            Some(place) => {
                let ba = &block[place..][..d];
                for i in 0..d {
                    let (up, down) = ((ab[i] - shift) - a, (ba[i] - shift) - b);
                    columns[i] = 0.5 * (b * up + a * down);
                    columns[d + i] = 0.5 * (up + down);
                    columns[2 * d + i] = 0.25 * (up * up + down * down);
                }
            }
        }
        if let Some(place) = self.layout.ab_second() {
            let second = &block[place..][..d];
            for i in 0..d {
                columns[3 * d + i] = 0.5 * (a - (ab[i] - shift)) * (c - (second[i] - shift));
            }
        }
        if let Some(place) = self.layout.ba() {
            let ba = &block[place..][..d];
            let pairs = &mut columns[self.per_column() * d..];
            let mut rest = pairs;
            for i in 0..d {
                let (ab_i, ba_i) = (ab[i] - shift, ba[i] - shift);
                let (row, after) = rest.split_at_mut(d - i - 1);
                for ((p, ab_j), ba_j) in row.iter_mut().zip(&ab[i + 1..]).zip(&ba[i + 1..]) {
                    *p = 0.5 * (ba_i * (ab_j - shift) + (ba_j - shift) * ab_i) - a * b;
                }
                rest = after;
            }
        }
    }

    pub(crate) fn first(&self, i: usize) -> usize {
        FIRST + i
    }

    pub(crate) fn joint_total(&self, i: usize) -> usize {
        FIRST + self.layout.columns + i
    }

    pub(crate) fn mean_first(&self, i: usize) -> usize {
        FIRST + 2 * self.layout.columns + i
    }

    pub(crate) fn mean_dummy(&self) -> usize {
        FIRST + 3 * self.layout.columns
    }

    pub(crate) fn mean_total(&self, i: usize) -> Option<usize> {
        self.layout
            .mean_total
            .then_some(FIRST + 3 * self.layout.columns + 1 + i)
    }

    /// Place of pair number `pair` in the order (0, 1), (0, 2), ..., (1, 2), ...
    pub(crate) fn second(&self, pair: usize) -> usize {
        let columns = 3 + usize::from(self.layout.mean_total);
        FIRST + columns * self.layout.columns + 1 + pair
    }

    /// All statistics from mean moments. Shares of a variance that is not positive are NaN here
    /// and are never shown.
    pub(crate) fn statistics(&self, m: &[f64], shift: f64) -> Vec<f64> {
        let d = self.layout.columns;
        let columns = &m[COMMON..];
        let mean = 0.5 * (m[0] + m[1]);
        let variance = m[2] - mean * mean;
        let variance_of_mean = m[5] - m[0] * m[4];
        let of_mean = |x: f64| {
            if variance_of_mean > 0.0 {
                x / variance_of_mean
            } else {
                f64::NAN
            }
        };
        let share = |x: f64| {
            if variance > 0.0 {
                x / variance
            } else {
                f64::NAN
            }
        };
        let numerator = |i: usize| columns[i] - mean * columns[d + i];
        let dummy = m[3] - mean * mean;
        let mut all = vec![
            shift + mean,
            variance,
            variance_of_mean,
            share(m[6]),
            share(dummy),
        ];
        all.extend((0..d).map(|i| share(numerator(i))));
        all.extend((0..d).map(|i| share(columns[2 * d + i])));
        all.extend((0..d).map(|i| of_mean(numerator(i))));
        all.push(of_mean(dummy));
        if self.layout.mean_total {
            all.extend((0..d).map(|i| of_mean(columns[3 * d + i])));
        }
        if self.layout.second_order {
            // The corrections for the mean cancel: pair - i - j is free of the shift.
            let mut pair = self.per_column() * d;
            for i in 0..d {
                for j in i + 1..d {
                    all.push(share(columns[pair] - columns[i] - columns[j]));
                    pair += 1;
                }
            }
        }
        all
    }
}
