//! The cheapest sound source of chance for the limit kernels.

use rand_xoshiro::rand_core::TryRng;
use std::convert::Infallible;

/// wyrand (Wang Yi, <https://github.com/wangyi-fudan/wyhash>): one addition that the next draw waits for, and one multiplication
/// that it does not. It passes BigCrush and PractRand; its period is 2^64.
#[derive(Clone, Copy)]
pub struct Wyrand(u64);

impl Wyrand {
    /// A generator that starts where a mixture of the seed's bits says (the finalizer of SplitMix64).
    #[inline]
    pub fn new(seed: u64) -> Self {
        let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self(mixed ^ (mixed >> 31))
    }

    /// The generator that belongs to a seed and a key.
    #[inline]
    pub fn keyed(seed: u64, key: u64) -> Self {
        Self::new(seed ^ Self::new(!key).0)
    }

    #[inline(always)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x2D35_8DCC_AA6C_78A5);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0x8BB8_4B93_962E_ACC9);
        product as u64 ^ (product >> 64) as u64
    }

    /// Uniform on [0, 1).
    #[inline(always)]
    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as i64 as f64 * (1.0 / (1_u64 << 53) as f64)
    }
}

impl TryRng for Wyrand {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

const LAYERS: usize = 256;
/// Where the tail begins (Marsaglia and Tsang 2000, section 4).
const TAIL: f64 = 7.697_117_470_131_05;
/// Positions in a layer: 56 bits.
const POSITIONS: f64 = (1_u64 << 56) as f64;

/// The ziggurat for the unit exponential (Marsaglia and Tsang, JSS 5(8), 2000), with the usual case decided by whole numbers.
pub struct Ziggurat {
    /// A layer's width over [`POSITIONS`].
    scale: [f64; LAYERS],
    /// Positions below this one lie under the curve.
    inside: [u64; LAYERS],
    /// Heights at which the layers begin.
    height: [f64; LAYERS + 1],
}

impl Ziggurat {
    pub fn new() -> Self {
        let area = (TAIL + 1.0) * (-TAIL).exp();
        let mut width = [0.0; LAYERS + 1];
        let mut height = [0.0; LAYERS + 1];
        width[0] = area / (-TAIL).exp();
        width[1] = TAIL;
        height[1] = (-TAIL).exp();
        for layer in 2..LAYERS {
            height[layer] = height[layer - 1] + area / width[layer - 1];
            width[layer] = -height[layer].ln();
        }
        height[LAYERS] = 1.0;
        Self {
            scale: std::array::from_fn(|layer| width[layer] / POSITIONS),
            inside: std::array::from_fn(|i| (width[i + 1] / width[i] * POSITIONS) as u64),
            height,
        }
    }

    /// An exponential variate of mean 1.
    #[inline(always)]
    pub fn exponential(&self, rng: &mut Wyrand) -> f64 {
        let bits = rng.next();
        let layer = (bits & 0xFF) as usize;
        let position = bits >> 8;
        let x = position as i64 as f64 * self.scale[layer];
        if position < self.inside[layer] {
            return x;
        }
        self.outside(rng, layer, x)
    }

    /// About 1 draw in 90 comes here.
    #[cold]
    #[inline(never)]
    fn outside(&self, rng: &mut Wyrand, layer: usize, x: f64) -> f64 {
        if layer == 0 {
            return TAIL - (1.0 - rng.uniform()).ln();
        }
        let (below, above) = (self.height[layer], self.height[layer + 1]);
        if below + (above - below) * rng.uniform() < (-x).exp() {
            return x;
        }
        self.exponential(rng)
    }
}
