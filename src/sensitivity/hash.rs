//! Keyed hashing: random numbers that are a function of where they are used, so that no order of
//! evaluation and no thread count can change them.

/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014, variant 13 of Stafford): a bijection.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Key number `b` below key `a`.
pub(crate) fn child(a: u64, b: u64) -> u64 {
    mix(mix(a.wrapping_add(GOLDEN)).wrapping_add(b.wrapping_add(1).wrapping_mul(GOLDEN)))
}

/// A uniform number in the open interval (0, 1) with 52 bits.
pub(crate) fn unit(hash: u64) -> f64 {
    ((hash >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// A uniform number in `0..n` (its bias, below n / 2^64, cannot be seen).
pub(crate) fn below(hash: u64, n: usize) -> usize {
    ((u128::from(hash) * n as u128) >> 64) as usize
}

/// SplitMix64 as a stream, for shuffles and resamples.
pub(crate) struct Stream(u64);

impl Stream {
    pub(crate) fn new(key: u64) -> Self {
        Stream(mix(key))
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Fisher-Yates shuffle.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, below(self.draw(), last + 1));
        }
    }
}

/// How often each of `n` rows is drawn in `n` draws with replacement.
pub(crate) fn resample_counts(n: usize, key: u64) -> Vec<u16> {
    let mut stream = Stream::new(key);
    let mut counts = vec![0u16; n];
    for _ in 0..n {
        let drawn = &mut counts[below(stream.draw(), n)];
        *drawn = drawn.saturating_add(1);
    }
    counts
}
