//! Keyed random streams: every source of chance has a name, and the name alone makes its numbers.
//!
//! A stream is identified by the seed of the experiment and by a *name*, a list of strings such as
//! `["process", "iskp_plots", "iskp", "wait"]`. Its [`StreamKey`] is a block of ChaCha8 that is keyed by
//! the seed and placed by a hash of the name.
//! Run `r` draws from the stream through a xoshiro256++ generator, each of whose four words of state
//! is output `r` of a SplitMix64 generator that starts at one of the four words of the key. So the
//! numbers of a stream in a run depend on nothing but (seed, name, run): neither on which other
//! streams exist, nor on the order or the thread in which runs are made. Two scenarios that share a name share its numbers (common random
//! numbers), and adding a process leaves every other process as it was.
//!
//! ```
//! use flashpoint::random::{StreamKey, StreamSource};
//!
//! let source = StreamSource::new(StreamKey::derive(42, &["process", "raid", "wait"]));
//! let mut stream = source.stream(7);
//! let wait = stream.exponential();
//! assert!(wait > 0.0);
//! assert_eq!(wait, source.stream(7).exponential());
//! ```

use std::convert::Infallible;

use rand::{Rng, SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

mod ziggurat;

#[cfg(test)]
mod tests;

/// A stream for the tests of other modules.
#[cfg(test)]
pub(crate) fn test_stream(seed: u64) -> Stream {
    StreamSource::new(StreamKey::derive(seed, &["test"])).stream(0)
}

/// Separates these keys from every other use of SHA-256, and one layout of streams from the next.
const DOMAIN: &[u8] = b"flashpoint stream v2";

/// Words of 32 bits in a block of ChaCha.
const WORDS_PER_BLOCK: u128 = 16;

/// A 256-bit key that belongs to one seed and one stream name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey([u8; 32]);

impl StreamKey {
    /// The key of the stream named `parts` under `seed`.
    ///
    /// ChaCha8, keyed by SHA-256 of the domain string and the seed (8 bytes, little endian), makes the keys of all names. The
    /// first 16 bytes of SHA-256 of the name say which block is whose: the stream, then the block in it (8 bytes each, little
    /// endian); the key is the first half of the block. What is hashed of a name is the domain string, then each part preceded
    /// by its length in bytes (8 bytes, little endian). The lengths keep `["ab", "c"]` and `["a", "bc"]` apart.
    pub fn derive(seed: u64, parts: &[&str]) -> StreamKey {
        let mut name = Sha256::new();
        name.update(DOMAIN);
        for part in parts {
            name.update((part.len() as u64).to_le_bytes());
            name.update(part.as_bytes());
        }
        let place: [u8; 32] = name.finalize().into();
        let (words, _) = place.as_chunks::<8>();
        let [stream, block] = [0, 1].map(|word| u64::from_le_bytes(words[word]));
        let keyed = Sha256::new()
            .chain_update(DOMAIN)
            .chain_update(seed.to_le_bytes());
        let mut chacha = ChaCha8Rng::from_seed(keyed.finalize().into());
        chacha.set_stream(stream);
        chacha.set_word_pos(u128::from(block) * WORDS_PER_BLOCK);
        let mut key = [0; 32];
        chacha.fill_bytes(&mut key);
        StreamKey(key)
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Hands out the [`Stream`] of each run for one [`StreamKey`], in any order, for a few multiplications each.
#[derive(Clone, Copy, Debug)]
pub struct StreamSource {
    key: [u64; 4],
}

impl StreamSource {
    /// The source of the streams of `key`.
    pub fn new(key: StreamKey) -> StreamSource {
        let (words, _) = key.0.as_chunks::<8>();
        StreamSource {
            key: std::array::from_fn(|word| u64::from_le_bytes(words[word])),
        }
    }

    /// The source of a parameter's uniforms: the stream named `["parameter", name]`, in which the
    /// run index is the index of the world.
    pub fn for_parameter(seed: u64, name: &str) -> StreamSource {
        StreamSource::new(StreamKey::derive(seed, &["parameter", name]))
    }

    /// The stream of run `run`, at its start.
    #[inline]
    pub fn stream(&self, run: u64) -> Stream {
        Stream::from_state(self.key.map(|word| split_mix(word, run)))
    }
}

/// Output `index`, counted from 0, of the SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014) that starts at `start`. Its authors and those of xoshiro256++ advise it for making states.
#[inline]
fn split_mix(start: u64, index: u64) -> u64 {
    let weyl = start.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mixed = (weyl ^ (weyl >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// A xoshiro256++ generator (Blackman and Vigna, "Scrambled linear pseudorandom number
/// generators", ACM TOMS 47(4), 2021): one named stream in one run.
///
/// It is `Copy` so that a run can save and restore its state; a copy repeats the same numbers.
/// It also implements [`rand::Rng`] (through [`TryRng`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    state: [u64; 4],
}

impl Stream {
    /// A stream that is to be replaced before it is used.
    pub(crate) const UNUSED: Self = Self { state: [1; 4] };

    /// A generator with the given state. The all-zero state, in which xoshiro stays for ever, is
    /// replaced by a fixed one.
    pub fn from_state(state: [u64; 4]) -> Stream {
        if state == [0; 4] {
            return Stream {
                state: [0x9E37_79B9_7F4A_7C15, 0, 0, 0],
            };
        }
        Stream { state }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let output = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        output
    }

    /// A uniform variate in the open interval (0, 1).
    ///
    /// It is the midpoint `(k + 1/2) 2^-52` of one of 2^52 equal cells, so it lies in
    /// `[2^-53, 1 - 2^-53]` and `1 - u` has the same distribution.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        self.draw().uniform()
    }

    /// What [`Stream::uniform`] would give, made a number only where it is asked for.
    #[inline]
    pub(crate) fn draw(&mut self) -> Draw {
        Draw(self.next_u64())
    }

    /// An exponential variate of mean 1, strictly positive, by the ziggurat method (Marsaglia and
    /// Tsang, "The ziggurat method for generating random variables", JSS 5(8), 2000).
    ///
    /// It uses one draw of 64 bits in about 99% of calls and more in the others. Where exactly one
    /// uniform per sample is needed, invert the distribution function instead.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        ziggurat::TABLES.exponential(self)
    }
}

/// A uniform variate that has been drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    /// In place of one that is not used.
    pub const UNUSED: Self = Self(0);

    /// The number.
    #[inline]
    pub fn uniform(self) -> f64 {
        open_unit(self.0)
    }
}

/// Maps the top 52 of 64 bits, `k`, to the open unit interval: `(k + 1/2) 2^-52`.
///
/// Not 53 bits: `k + 1/2` is then rounded for half of all `k`, and the largest becomes 1.
#[inline]
pub(crate) fn open_unit(bits: u64) -> f64 {
    // As the last 52 bits of a number from 1 to 2 they make 1 + k 2^-52; what is taken off leaves the result exactly.
    const ONE: u64 = 1.0_f64.to_bits();
    const LESS: f64 = 1.0 - f64::EPSILON / 2.0;
    f64::from_bits(bits >> 12 | ONE) - LESS
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((Stream::next_u64(self) >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(Stream::next_u64(self))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = Stream::next_u64(self).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}
