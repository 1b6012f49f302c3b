//! The ziggurat for the unit exponential (Marsaglia and Tsang, JSS 5(8), 2000), 256 layers.
//!
//! Layers of equal area `AREA` cover the density `e^-x`. Layer `i >= 1` is the rectangle from 0 to
//! `x[i]` between the heights `y[i] = e^-x[i]` and `y[i + 1]`; layer 0 is the strip of height
//! `y[1]` over `[0, TAIL]` together with the tail beyond. The tables are computed by the compiler,
//! in arithmetic that IEEE 754 fixes to the bit.

use super::{Stream, open_unit};

const LAYERS: usize = 256;

/// Where the tail begins: the root of the recursion below that makes the last layer end at
/// height 1 (Marsaglia and Tsang 2000, section 4).
pub(super) const TAIL: f64 = 7.697_117_470_131_05;

/// e^-TAIL.
const TAIL_HEIGHT: f64 = 4.541_343_538_414_966e-4;

/// The area of every layer: `TAIL e^-TAIL + e^-TAIL`.
const AREA: f64 = (TAIL + 1.0) * TAIL_HEIGHT;

pub(super) static TABLES: Tables = Tables::build();

#[derive(Clone)]
pub(super) struct Tables {
    /// Widths of the layers, decreasing; `x[0]` is the width that layer 0 would have as a
    /// rectangle, `x[256]` is 0.
    pub(super) x: [f64; LAYERS + 1],
    /// Heights at which the layers begin, increasing to 1.
    pub(super) y: [f64; LAYERS + 1],
}

impl Tables {
    const fn build() -> Tables {
        let mut x = [0.0; LAYERS + 1];
        let mut y = [0.0; LAYERS + 1];
        x[0] = AREA / TAIL_HEIGHT;
        x[1] = TAIL;
        y[1] = TAIL_HEIGHT;
        let mut i = 2;
        while i < LAYERS {
            y[i] = y[i - 1] + AREA / x[i - 1];
            x[i] = negative_ln(y[i]);
            i += 1;
        }
        y[LAYERS] = 1.0;
        Tables { x, y }
    }

    #[inline]
    pub(super) fn exponential(&self, stream: &mut Stream) -> f64 {
        let (layer, x) = self.position(stream);
        if x < self.x[layer + 1] {
            return x;
        }
        // Handed over and back, so that a caller may keep the stream in registers.
        let (stream_after, x) = self.exponential_from_edge(*stream, layer, x);
        *stream = stream_after;
        x
    }

    /// A layer and a position in it.
    #[inline]
    fn position(&self, stream: &mut Stream) -> (usize, f64) {
        // The layer takes 8 low bits and the position 52 high bits, so the two are independent.
        let bits = stream.next_u64();
        let layer = (bits & 0xFF) as usize;
        (layer, open_unit(bits) * self.x[layer])
    }

    /// Goes on where a position is not surely below the density.
    #[cold]
    #[inline(never)]
    fn exponential_from_edge(
        &self,
        mut stream: Stream,
        mut layer: usize,
        mut x: f64,
    ) -> (Stream, f64) {
        let mut beyond = 0.0;
        loop {
            if layer == 0 {
                // The exponential has no memory: past TAIL it starts afresh.
                beyond += TAIL;
            } else if self.is_below(layer, x, stream.uniform()) {
                return (stream, beyond + x);
            }
            (layer, x) = self.position(&mut stream);
            if x < self.x[layer + 1] {
                return (stream, beyond + x);
            }
        }
    }

    /// Whether the point at `x`, within a layer but for the lowest, in height `share` of it, lies below the density. The density
    /// is convex: it lies below its chord and above its tangent, which decides nearly always.
    pub(super) fn is_below(&self, layer: usize, x: f64, share: f64) -> bool {
        /// More than rounding can make of a layer's height or width.
        const MARGIN: f64 = 1e-9;
        let height = self.y[layer + 1] - self.y[layer];
        let (inwards, width) = (self.x[layer] - x, self.x[layer] - self.x[layer + 1]);
        if height * (share + MARGIN) < self.y[layer] * inwards {
            return true;
        }
        if width * (share - MARGIN) > inwards {
            return false;
        }
        self.is_exactly_below(layer, x, share)
    }

    /// As [`Tables::is_below`], by the density itself.
    pub(super) fn is_exactly_below(&self, layer: usize, x: f64, share: f64) -> bool {
        let height = self.y[layer + 1] - self.y[layer];
        self.y[layer] + height * share < libm::exp(-x)
    }
}

/// `-ln y` for `y` in (0, 1], usable by the compiler: `y = m 2^-k` with `m` in [1/2, 1), and
/// `ln m = 2 artanh((m - 1) / (m + 1))` by its power series.
const fn negative_ln(y: f64) -> f64 {
    let mut mantissa = y;
    let mut halvings = 0.0;
    while mantissa < 0.75 {
        mantissa *= 2.0;
        halvings += 1.0;
    }
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let mut power = s;
    let mut sum = 0.0;
    let mut odd = 1.0;
    while odd < 30.0 {
        sum += power / odd;
        power *= s * s;
        odd += 2.0;
    }
    halvings * std::f64::consts::LN_2 - 2.0 * sum
}
