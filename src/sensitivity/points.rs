//! Point sets in (0, 1)^d: Owen-scrambled Sobol points and Latin hypercubes.

use sobol_burley::parts::sobol_rev;

use super::error::Error;
use super::hash::{Stream, child, unit};

/// Number of dimensions of the Sobol sequence (direction numbers of Joe & Kuo 2008).
pub const SOBOL_DIMENSIONS: usize = sobol_burley::NUM_DIMENSIONS as usize;

/// Number of points of one scramble.
pub const SOBOL_POINTS: usize = 1 << INDEX_BITS;

const INDEX_BITS: u32 = 16;

/// Independent nested uniform (Owen) scrambles of the Sobol sequence.
///
/// The unscrambled digits come from the crate `sobol_burley`. Its own samples are not used: they
/// have 23 bits, can be exactly 0 and are scrambled by a hash that only approximates Owen's
/// permutations. Here each node of the binary tree of digits is flipped by its own hashed bit
/// (Owen 1995). The first 16 digits of the first 2^16 points are all different in every dimension,
/// so the digits below are independent uniform bits: coordinates have 52 bits and lie strictly
/// between 0 and 1. A point does not depend on how many points are used, so sets can grow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SobolPoints {
    seed: u64,
}

impl SobolPoints {
    /// The point sets of a seed.
    pub fn new(seed: u64) -> Self {
        SobolPoints { seed }
    }

    /// Refuses sets that the sequence cannot give.
    ///
    /// # Errors
    /// [`Error::TooManyDimensions`], [`Error::TooManyPoints`].
    pub fn check(dimensions: usize, points: usize) -> Result<(), Error> {
        if dimensions > SOBOL_DIMENSIONS {
            let limit = SOBOL_DIMENSIONS;
            return Err(Error::TooManyDimensions {
                needed: dimensions,
                limit,
            });
        }
        if points > SOBOL_POINTS {
            return Err(Error::TooManyPoints {
                needed: points,
                limit: SOBOL_POINTS,
            });
        }
        Ok(())
    }

    /// Coordinate `dimension` of point `index` of scramble `scramble`, in (0, 1).
    ///
    /// `index` must be below [`SOBOL_POINTS`] and `dimension` below [`SOBOL_DIMENSIONS`].
    pub fn coordinate(&self, scramble: usize, index: usize, dimension: usize) -> f64 {
        debug_assert!(index < SOBOL_POINTS && dimension < SOBOL_DIMENSIONS);
        let digits = sobol_rev((index as u32).reverse_bits(), dimension as u32).reverse_bits();
        let digits = u64::from(digits >> (32 - INDEX_BITS));
        let tree = child(child(self.seed, scramble as u64), dimension as u64);
        let mut scrambled = 0;
        for level in 0..INDEX_BITS {
            // Nodes of the tree in heap order: a leading 1, then the digits above this one.
            let node = (1 << level) | (digits >> (INDEX_BITS - level));
            let digit = (digits >> (INDEX_BITS - 1 - level)) & 1;
            scrambled = (scrambled << 1) | (digit ^ (child(tree, node) >> 63));
        }
        let below = child(tree, (1 << INDEX_BITS) | digits) >> INDEX_BITS;
        unit((scrambled << (64 - INDEX_BITS)) | below)
    }
}

/// A Latin hypercube (McKay, Beckman & Conover 1979): each of the `rows` equal slices of each
/// dimension holds one point. It cannot grow.
#[derive(Debug, Clone)]
pub struct LatinHypercube {
    seed: u64,
    rows: usize,
    // Slice of each row, dimension by dimension.
    slices: Vec<u32>,
}

impl LatinHypercube {
    /// Draws the slices of `rows` points in `dimensions` dimensions.
    ///
    /// # Errors
    /// [`Error::BadSetting`] if there are no rows or more than 2^32.
    pub fn new(rows: usize, dimensions: usize, seed: u64) -> Result<Self, Error> {
        if rows == 0 || u32::try_from(rows).is_err() {
            return Err(Error::setting("rows", "must be from 1 to 4294967295"));
        }
        let mut slices = Vec::with_capacity(rows * dimensions);
        for dimension in 0..dimensions {
            let mut order: Vec<u32> = (0..rows as u32).collect();
            Stream::new(child(seed, dimension as u64)).shuffle(&mut order);
            slices.extend(order);
        }
        Ok(LatinHypercube { seed, rows, slices })
    }

    /// Number of points.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Coordinate `dimension` of point `row`, in (0, 1).
    pub fn coordinate(&self, row: usize, dimension: usize) -> f64 {
        let slice = f64::from(self.slices[dimension * self.rows + row]);
        let within = unit(child(child(!self.seed, dimension as u64), row as u64));
        let u = (slice + within) / self.rows as f64;
        // Rounding could reach 1 in the last slice.
        u.min(1.0 - f64::EPSILON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_elementary_interval_of_a_scramble_holds_its_share() {
        let points = SobolPoints::new(7);
        for scramble in 0..4 {
            for dimension in [0, 1, 5, 100, 255] {
                let mut hits = [0; 256];
                for index in 0..256 {
                    let u = points.coordinate(scramble, index, dimension);
                    assert!(u > 0.0 && u < 1.0);
                    hits[(u * 256.0) as usize] += 1;
                }
                assert_eq!(hits, [1; 256], "scramble {scramble}, dimension {dimension}");
            }
            // The first two dimensions are a (0, 8, 2)-net: all 16 x 16 boxes hold one point.
            let mut boxes = [0; 256];
            for index in 0..256 {
                let cell = |d| (points.coordinate(scramble, index, d) * 16.0) as usize;
                boxes[cell(0) * 16 + cell(1)] += 1;
            }
            assert_eq!(boxes, [1; 256]);
        }
    }

    /// A single scrambled point is uniform and two scrambles are independent: chi-square on 16
    /// cells of pairs, alpha = 1e-6 (15 degrees of freedom: 56.5).
    #[test]
    fn scrambles_are_independent_and_uniform() {
        let chi = |pair: &dyn Fn(usize) -> (f64, f64)| {
            let mut cells = [0.0; 16];
            for s in 0..4000 {
                let (u, v) = pair(s);
                cells[(u * 4.0) as usize * 4 + (v * 4.0) as usize] += 1.0;
            }
            cells
                .iter()
                .map(|c| (c - 250.0f64) * (c - 250.0) / 250.0)
                .sum::<f64>()
        };
        let points = SobolPoints::new(3);
        let between = |s: usize| {
            (
                points.coordinate(2 * s, 5, 2),
                points.coordinate(2 * s + 1, 5, 2),
            )
        };
        assert!(chi(&between) < 56.5);
        let across = |s: usize| (points.coordinate(s, 5, 2), points.coordinate(s, 5, 3));
        assert!(chi(&across) < 56.5);
        // Mutant: one scramble for all dimensions.
        let same = |s: usize| (points.coordinate(s, 5, 2), points.coordinate(s, 5, 2));
        assert!(chi(&same) > 56.5);
    }

    #[test]
    fn latin_hypercube_fills_every_slice_once() {
        let cube = LatinHypercube::new(97, 3, 11).unwrap();
        for dimension in 0..3 {
            let mut hits = vec![0; 97];
            for row in 0..97 {
                hits[(cube.coordinate(row, dimension) * 97.0) as usize] += 1;
            }
            assert!(hits.iter().all(|&h| h == 1));
        }
        assert!(LatinHypercube::new(0, 3, 11).is_err());
    }

    #[test]
    fn limits_are_errors() {
        assert!(SobolPoints::check(256, 1 << 16).is_ok());
        assert!(matches!(
            SobolPoints::check(257, 1),
            Err(Error::TooManyDimensions { .. })
        ));
        assert!(matches!(
            SobolPoints::check(1, 65537),
            Err(Error::TooManyPoints { .. })
        ));
    }
}
