//! Exact summation of `f64` in flat memory.
//!
//! Source: R. M. Neal, "Fast exact summation using small and large superaccumulators",
//! arXiv:1505.05571 (2015), the small superaccumulator.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Chunks of 32 bits each; bit 0 of chunk 0 weighs 2^-1074, the smallest subnormal.
///
/// The largest finite `f64` ends at bit 2097; 67 chunks leave room for more than 2^64 of them.
const CHUNKS: usize = 67;
const CHUNK_BITS: u32 = 32;
const CHUNK_MASK: i64 = 0xFFFF_FFFF;
/// An addition changes a chunk by less than 2^53, and a propagated chunk is below 2^32 in size,
/// so this many additions stay inside an `i64`.
const ADDITIONS_BETWEEN_CARRIES: u32 = 1000;

const MANTISSA_BITS: u32 = 52;
const MANTISSA_MASK: u64 = (1 << MANTISSA_BITS) - 1;
const EXPONENT_MASK: u64 = 0x7FF;

/// The exact sum of any number of `f64` values.
///
/// The sum is kept as a fixed-point number that covers the whole range of `f64`, so it is the same
/// for every order and grouping of the same values, and [`value`](Self::value) rounds once, to
/// nearest even.
///
/// Non-finite values follow IEEE 754: a NaN, or infinities of both signs, make the value NaN;
/// infinities of one sign make it that infinity. They are remembered apart from the finite part, so
/// merging stays commutative and associative. The sum of nothing is `+0.0`, and so is an exact
/// cancellation.
#[derive(Clone, Debug)]
pub struct ExactSum {
    chunks: [i64; CHUNKS],
    pending: u32,
    special: Special,
}

/// Which non-finite values have been added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Special {
    nan: bool,
    positive_infinity: bool,
    negative_infinity: bool,
}

/// Sign and magnitude, with every chunk in `0..2^32`.
struct Magnitude {
    negative: bool,
    chunks: [u32; CHUNKS],
}

impl Default for ExactSum {
    fn default() -> Self {
        Self {
            chunks: [0; CHUNKS],
            pending: 0,
            special: Special::default(),
        }
    }
}

impl ExactSum {
    /// The empty sum.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one value.
    #[inline]
    pub fn add(&mut self, x: f64) {
        let bits = x.to_bits();
        let exponent = (bits >> MANTISSA_BITS) & EXPONENT_MASK;
        let fraction = bits & MANTISSA_MASK;
        let (mantissa, shift) = match exponent {
            0 if fraction == 0 => return,
            0 => (fraction, 0),
            EXPONENT_MASK => return self.add_special(x),
            _ => (fraction | (1 << MANTISSA_BITS), exponent as u32 - 1),
        };
        let chunk = (shift / CHUNK_BITS) as usize;
        let offset = shift % CHUNK_BITS;
        let low = ((mantissa << offset) as i64) & CHUNK_MASK;
        let high = (mantissa >> (CHUNK_BITS - offset)) as i64;
        // All ones for a negative value: `(v ^ sign) - sign` then negates without a branch.
        let sign = (bits as i64) >> 63;
        self.chunks[chunk] += (low ^ sign) - sign;
        self.chunks[chunk + 1] += (high ^ sign) - sign;
        self.pending += 1;
        if self.pending >= ADDITIONS_BETWEEN_CARRIES {
            self.propagate();
        }
    }

    /// Adds the exact product `a * b`, as its rounded value and the rounding error.
    ///
    /// Exact as long as neither the product nor its error leaves the normal range: sizes of the
    /// product between 1e-290 and 1e290 are safe. Source: T. J. Dekker, "A floating-point technique
    /// for extending the available precision", Numerische Mathematik 18 (1971), equation 5.7 with
    /// Veltkamp's splitting.
    #[inline]
    pub fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(product);
        let (a_high, a_low) = split(a);
        let (b_high, b_low) = split(b);
        let error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
        // Splitting overflows for factors above 2^996, where the error is far below any use.
        if error.is_finite() {
            self.add(error);
        }
    }

    /// Adds everything that `other` has summed.
    pub fn merge(&mut self, other: &Self) {
        // What has been propagated is smaller than one addition.
        if self.pending + other.pending + 1 >= ADDITIONS_BETWEEN_CARRIES {
            self.propagate();
        }
        if other.pending + 1 >= ADDITIONS_BETWEEN_CARRIES {
            let mut other = other.clone();
            other.propagate();
            return self.merge(&other);
        }
        for (mine, theirs) in self.chunks.iter_mut().zip(other.chunks) {
            *mine += theirs;
        }
        self.pending += other.pending + 1;
        self.special.nan |= other.special.nan;
        self.special.positive_infinity |= other.special.positive_infinity;
        self.special.negative_infinity |= other.special.negative_infinity;
    }

    /// Whether only finite values have been added.
    pub fn is_finite(&self) -> bool {
        self.special == Special::default()
    }

    /// The sum, rounded once to the nearest `f64` (ties to even); infinite when it is beyond the
    /// range of `f64`.
    pub fn value(&self) -> f64 {
        match self.special {
            Special {
                nan: false,
                positive_infinity: false,
                negative_infinity: false,
            } => self.magnitude().round(),
            Special {
                nan: false,
                positive_infinity: true,
                negative_infinity: false,
            } => f64::INFINITY,
            Special {
                nan: false,
                positive_infinity: false,
                negative_infinity: true,
            } => f64::NEG_INFINITY,
            _ => f64::NAN,
        }
    }

    /// The sum as an unevaluated sum of `N` parts of falling size: the rounded value, the rounded
    /// rest, and so on; trailing parts are zero once nothing is left.
    pub fn expansion<const N: usize>(&self) -> [f64; N] {
        let mut parts = [0.0; N];
        let mut rest = self.clone();
        for part in &mut parts {
            *part = rest.value();
            if *part == 0.0 || !part.is_finite() {
                break;
            }
            rest.add(-*part);
        }
        parts
    }

    #[cold]
    fn add_special(&mut self, x: f64) {
        if x.is_nan() {
            self.special.nan = true;
        } else if x > 0.0 {
            self.special.positive_infinity = true;
        } else {
            self.special.negative_infinity = true;
        }
    }

    /// Brings every chunk but the last into `0..2^32`; the last keeps the sign.
    ///
    /// This form is unique, so equal sums have equal chunks afterwards.
    #[cold]
    fn propagate(&mut self) {
        let mut carry = 0;
        for chunk in &mut self.chunks[..CHUNKS - 1] {
            let total = *chunk + carry;
            *chunk = total & CHUNK_MASK;
            carry = total >> CHUNK_BITS;
        }
        self.chunks[CHUNKS - 1] += carry;
        self.pending = 0;
    }

    fn magnitude(&self) -> Magnitude {
        let mut chunks = [0; CHUNKS];
        let occupied = |&chunk: &i64| chunk != 0;
        let (Some(first), Some(last)) = (
            self.chunks.iter().position(occupied),
            self.chunks.iter().rposition(occupied),
        ) else {
            return Magnitude {
                negative: false,
                chunks,
            };
        };
        // A carry is below 2^31 in size, so it goes no further than one chunk beyond the last.
        let last = (last + 1).min(CHUNKS - 1);
        // Writes the sum times `sign`, and gives its last chunk, which is negative if all of it is.
        let carried = |sign: i64, chunks: &mut [u32; CHUNKS]| {
            let mut carry = 0;
            for (chunk, &signed) in chunks[first..last]
                .iter_mut()
                .zip(&self.chunks[first..last])
            {
                let total = sign * signed + carry;
                *chunk = (total & CHUNK_MASK) as u32;
                carry = total >> CHUNK_BITS;
            }
            let top = sign * self.chunks[last] + carry;
            chunks[last] = top as u32;
            top
        };
        let top = carried(1, &mut chunks);
        let negative = top < 0;
        let top = if negative {
            carried(-1, &mut chunks)
        } else {
            top
        };
        debug_assert!(top <= CHUNK_MASK, "more than 2^64 additions");
        Magnitude { negative, chunks }
    }
}

/// Splits into a high part of 26 bits and a low part of 26 bits and a sign (Veltkamp).
fn split(x: f64) -> (f64, f64) {
    const FACTOR: f64 = 134_217_729.0; // 2^27 + 1
    let scaled = FACTOR * x;
    let high = scaled - (scaled - x);
    (high, x - high)
}

impl Magnitude {
    fn round(&self) -> f64 {
        let Some(top_chunk) = self.chunks.iter().rposition(|&chunk| chunk != 0) else {
            return 0.0;
        };
        let top_bit = top_chunk as u32 * CHUNK_BITS + self.chunks[top_chunk].ilog2();
        // Up to 53 bits at weight 2^-1074 the bit pattern of the number is the number itself,
        // subnormal or not.
        let dropped = top_bit.saturating_sub(MANTISSA_BITS);
        let mantissa = self.bits_from(dropped);
        let mut bits = (u64::from(dropped) << MANTISSA_BITS) + mantissa;
        if dropped > 0 {
            let half = self.bit(dropped - 1);
            let above_half = self.any_bit_below(dropped - 1);
            // A carry out of the mantissa moves into the exponent, which is what rounding up means.
            if half && (above_half || bits & 1 == 1) {
                bits += 1;
            }
        }
        let infinite = EXPONENT_MASK << MANTISSA_BITS;
        let size = f64::from_bits(bits.min(infinite));
        if self.negative { -size } else { size }
    }

    /// The 53 bits that start at `position`.
    fn bits_from(&self, position: u32) -> u64 {
        let chunk = (position / CHUNK_BITS) as usize;
        let mut window = 0u128;
        for (i, &bits) in self.chunks[chunk..].iter().take(3).enumerate() {
            window |= u128::from(bits) << (CHUNK_BITS * i as u32);
        }
        let window = window >> (position % CHUNK_BITS);
        (window & ((1 << (MANTISSA_BITS + 1)) - 1)) as u64
    }

    fn bit(&self, position: u32) -> bool {
        self.chunks[(position / CHUNK_BITS) as usize] >> (position % CHUNK_BITS) & 1 == 1
    }

    fn any_bit_below(&self, position: u32) -> bool {
        let chunk = (position / CHUNK_BITS) as usize;
        let partial = (1u32 << (position % CHUNK_BITS)) - 1;
        self.chunks[chunk] & partial != 0 || self.chunks[..chunk].iter().any(|&bits| bits != 0)
    }
}

impl PartialEq for ExactSum {
    /// Equality of the exact sums, whatever way they were reached.
    fn eq(&self, other: &Self) -> bool {
        let (mut a, mut b) = (self.clone(), other.clone());
        a.propagate();
        b.propagate();
        a.chunks == b.chunks && a.special == b.special
    }
}

/// The canonical stored form: sign, position of the lowest non-zero chunk, chunks from there up to
/// the highest non-zero one. Equal sums have equal stored forms.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    negative: bool,
    lowest: usize,
    chunks: Vec<u32>,
    nan: bool,
    positive_infinity: bool,
    negative_infinity: bool,
}

impl Serialize for ExactSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let magnitude = self.magnitude();
        let occupied = |&chunk: &u32| chunk != 0;
        let lowest = magnitude.chunks.iter().position(occupied).unwrap_or(0);
        let end = magnitude
            .chunks
            .iter()
            .rposition(occupied)
            .map_or(0, |i| i + 1);
        Stored {
            negative: magnitude.negative,
            lowest,
            chunks: magnitude.chunks[lowest..end.max(lowest)].to_vec(),
            nan: self.special.nan,
            positive_infinity: self.special.positive_infinity,
            negative_infinity: self.special.negative_infinity,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ExactSum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let end = stored.lowest.saturating_add(stored.chunks.len());
        if end > CHUNKS {
            return Err(D::Error::custom(format!(
                "an exact sum has at most {CHUNKS} chunks, not {end}"
            )));
        }
        let mut sum = Self::default();
        for (chunk, bits) in sum.chunks[stored.lowest..end].iter_mut().zip(stored.chunks) {
            let bits = i64::from(bits);
            *chunk = if stored.negative { -bits } else { bits };
        }
        sum.propagate();
        sum.special = Special {
            nan: stored.nan,
            positive_infinity: stored.positive_infinity,
            negative_infinity: stored.negative_infinity,
        };
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn sum_of(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::new();
        for &x in values {
            sum.add(x);
        }
        sum
    }

    /// Any finite value, all exponents alike.
    fn any_finite() -> impl Strategy<Value = f64> {
        any::<u64>()
            .prop_map(f64::from_bits)
            .prop_filter("finite", |x| x.is_finite())
    }

    /// A mantissa and a shift that keep 200 terms inside an `i128`.
    fn narrow() -> impl Strategy<Value = (i64, u32)> {
        (-(1i64 << 53)..=(1i64 << 53), 0u32..40)
    }

    proptest! {
        #[test]
        fn agrees_with_integer_arithmetic(terms in prop::collection::vec(narrow(), 0..200), scale in -1074i32..=800) {
            let total: i128 = terms.iter().map(|&(m, e)| i128::from(m) << e).sum();
            let values: Vec<f64> = terms.iter().map(|&(m, e)| libm::scalbn(m as f64, e as i32 + scale)).collect();
            let expected = libm::scalbn(total as f64, scale);
            prop_assert_eq!(sum_of(&values).value().to_bits(), (expected + 0.0).to_bits());
        }

        #[test]
        fn order_and_grouping_do_not_matter(values in prop::collection::vec(any_finite(), 0..60), seed: u64, cut in 0usize..60) {
            let mut shuffled = values.clone();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            for i in (1..shuffled.len()).rev() {
                shuffled.swap(i, (rng.next_u64() % (i as u64 + 1)) as usize);
            }
            let whole = sum_of(&values);
            let (left, right) = shuffled.split_at(cut.min(shuffled.len()));
            let mut merged = sum_of(right);
            merged.merge(&sum_of(left));
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(merged.value().to_bits(), whole.value().to_bits());
            prop_assert_eq!(serde_json::to_string(&merged).unwrap(), serde_json::to_string(&whole).unwrap());
        }

        #[test]
        fn a_value_and_its_opposite_cancel(values in prop::collection::vec(any_finite(), 0..60), x in any_finite()) {
            let mut sum = sum_of(&values);
            for v in &values {
                sum.add(-v);
            }
            prop_assert_eq!(&sum, &ExactSum::new());
            sum.add(x);
            prop_assert_eq!(sum.value(), x);
        }

        #[test]
        fn stored_form_returns_the_sum(values in prop::collection::vec(any::<f64>(), 0..30)) {
            let sum = sum_of(&values);
            let text = serde_json::to_string(&sum).unwrap();
            let back: ExactSum = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&back, &sum);
            prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
        }

        #[test]
        fn two_values_round_like_the_processor(a in any_finite(), b in any_finite()) {
            prop_assert_eq!(sum_of(&[a, b]).value(), a + b);
        }

        #[test]
        fn products_are_exact(a in -(1i64 << 53)..(1i64 << 53), b in -(1i64 << 53)..(1i64 << 53)) {
            let mut sum = ExactSum::new();
            sum.add_product(a as f64, b as f64);
            let [high, low] = sum.expansion::<2>();
            prop_assert_eq!(high as i128 + low as i128, i128::from(a) * i128::from(b));
        }
    }

    #[test]
    fn halves_round_to_even_and_a_sticky_bit_breaks_the_tie() {
        let ulp = f64::EPSILON;
        assert_eq!(sum_of(&[1.0, ulp / 2.0]).value(), 1.0);
        assert_eq!(sum_of(&[1.0 + ulp, ulp / 2.0]).value(), 1.0 + 2.0 * ulp);
        assert_eq!(sum_of(&[1.0, ulp / 2.0, 5e-324]).value(), 1.0 + ulp);
        assert_eq!(sum_of(&[-1.0, -ulp / 2.0, -5e-324]).value(), -1.0 - ulp);
        assert_eq!(sum_of(&[1.0, ulp / 2.0, -5e-324]).value(), 1.0);
    }

    #[test]
    fn passes_through_overflow_and_back() {
        let mut sum = sum_of(&[f64::MAX, f64::MAX, 1.0]);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.add(-f64::MAX);
        sum.add(-f64::MAX);
        assert_eq!(sum.value(), 1.0);
    }

    #[test]
    fn carries_hold_over_many_additions() {
        let mut sum = ExactSum::new();
        for _ in 0..5000 {
            sum.add(f64::MAX);
            sum.add(1.0 - f64::EPSILON / 2.0);
        }
        for _ in 0..5000 {
            sum.add(-f64::MAX);
            sum.add(-1.0);
        }
        assert_eq!(sum.value(), -2500.0 * f64::EPSILON);
    }

    #[test]
    fn non_finite_values_follow_ieee() {
        assert_eq!(sum_of(&[1.0, f64::INFINITY]).value(), f64::INFINITY);
        assert_eq!(sum_of(&[f64::NEG_INFINITY, 2.0]).value(), f64::NEG_INFINITY);
        assert!(sum_of(&[f64::INFINITY, f64::NEG_INFINITY]).value().is_nan());
        assert!(sum_of(&[f64::NAN]).value().is_nan());
        assert!(!sum_of(&[f64::NAN]).is_finite());
        let mut merged = sum_of(&[1.0]);
        merged.merge(&sum_of(&[f64::INFINITY]));
        assert_eq!(merged.value(), f64::INFINITY);
    }

    #[test]
    fn the_plain_sum_would_fail_here() {
        let values = [1e16, 1.0, -1e16, 1e-300];
        assert_eq!(values.iter().sum::<f64>(), 1e-300);
        assert_eq!(sum_of(&values).value(), 1.0);
    }

    #[test]
    fn malformed_stored_forms_are_refused() {
        let text = r#"{"negative":false,"lowest":66,"chunks":[1,1],"nan":false,"positive_infinity":false,"negative_infinity":false}"#;
        assert!(serde_json::from_str::<ExactSum>(text).is_err());
    }
}
