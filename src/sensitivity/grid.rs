//! Grids: full factorial and one factor at a time.

use super::design::{Design, chance_key};
use super::error::Error;
use super::factor::{Factor, Factors};

/// What a [`Grid`] holds.
#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Full,
    OneAtATime { base: Vec<f64> },
}

/// Points on a grid, each repeated with some chances.
///
/// A continuous factor has levels in the middles of equal parts of (0, 1), (k + 1/2) / levels; a
/// discrete or categorical factor has each of its own levels once, whatever their weights. Row r is
/// repeat r / points of point r mod points, so a grid with more repeats starts with the rows of one
/// with fewer. The same repeat of all points has the same key, so that points can be compared with
/// common random numbers.
#[derive(Debug, Clone)]
pub struct Grid {
    factors: Factors,
    shape: Shape,
    levels: Vec<usize>,
    points: usize,
    repeats: usize,
    seed: u64,
}

impl Grid {
    /// All combinations of levels; the last factor changes fastest.
    ///
    /// # Errors
    /// [`Error::BadSetting`] if there are no levels or repeats, or too many points to count.
    pub fn full_factorial(
        factors: Factors,
        levels: usize,
        repeats: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        let levels = levels_of(&factors, levels, repeats)?;
        let product = levels.iter().try_fold(1usize, |p, &l| p.checked_mul(l));
        let points = product.filter(|p| p.checked_mul(repeats).is_some());
        let points = points.ok_or_else(|| Error::setting("levels", "too many combinations"))?;
        Ok(Grid {
            factors,
            shape: Shape::Full,
            levels,
            points,
            repeats,
            seed,
        })
    }

    /// A base point, then each factor in turn through its levels with the others at the base.
    ///
    /// `base` is on the probability scale, one number in \[0, 1\] for each factor.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::BadSetting`].
    pub fn one_at_a_time(
        factors: Factors,
        base: Vec<f64>,
        levels: usize,
        repeats: usize,
        seed: u64,
    ) -> Result<Self, Error> {
        if base.len() != factors.len() {
            let (expected, got) = (factors.len(), base.len());
            return Err(Error::Length {
                what: "base point",
                expected,
                got,
            });
        }
        if base.iter().any(|u| !(0.0..=1.0).contains(u)) {
            return Err(Error::setting(
                "base",
                "must be on the probability scale, from 0 to 1",
            ));
        }
        let levels = levels_of(&factors, levels, repeats)?;
        let points = 1 + levels.iter().sum::<usize>();
        Ok(Grid {
            factors,
            shape: Shape::OneAtATime { base },
            levels,
            points,
            repeats,
            seed,
        })
    }

    /// Number of points; rows are points times repeats.
    pub fn points(&self) -> usize {
        self.points
    }

    /// The same grid with another number of repeats.
    ///
    /// # Errors
    /// [`Error::BadSetting`] if there are none, or too many rows to count.
    pub fn repeated(&self, repeats: usize) -> Result<Self, Error> {
        if repeats == 0 || self.points.checked_mul(repeats).is_none() {
            return Err(Error::setting(
                "repeats",
                "at least 1, and few enough to count",
            ));
        }
        Ok(Grid {
            repeats,
            ..self.clone()
        })
    }

    /// Levels of each factor.
    pub fn levels(&self) -> &[usize] {
        &self.levels
    }

    fn at(&self, factor: usize, level: usize) -> f64 {
        let f: &Factor = &self.factors.list()[factor];
        f.level_middle(level)
            .unwrap_or((level as f64 + 0.5) / self.levels[factor] as f64)
    }
}

fn levels_of(factors: &Factors, levels: usize, repeats: usize) -> Result<Vec<usize>, Error> {
    if levels == 0 {
        return Err(Error::setting("levels", "at least 1 is needed"));
    }
    if repeats == 0 {
        return Err(Error::setting("repeats", "at least 1 is needed"));
    }
    Ok(factors
        .list()
        .iter()
        .map(|f| f.levels().map_or(levels, <[_]>::len))
        .collect())
}

impl Design for Grid {
    fn factors(&self) -> &Factors {
        &self.factors
    }

    fn rows(&self) -> usize {
        self.points * self.repeats
    }

    fn unit(&self, row: usize, point: &mut [f64]) -> u64 {
        let mut number = row % self.points;
        match &self.shape {
            Shape::Full => {
                for factor in (0..point.len()).rev() {
                    point[factor] = self.at(factor, number % self.levels[factor]);
                    number /= self.levels[factor];
                }
            }
            Shape::OneAtATime { base } => {
                point.copy_from_slice(base);
                if let Some(mut place) = number.checked_sub(1) {
                    let mut factor = 0;
                    while place >= self.levels[factor] {
                        place -= self.levels[factor];
                        factor += 1;
                    }
                    point[factor] = self.at(factor, place);
                }
            }
        }
        chance_key(self.seed, row / self.points, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors() -> Factors {
        let why = Factor::categorical("why", &["a", "b", "c"]);
        Factors::new(vec![Factor::uniform("x", 0.0, 4.0), why]).unwrap()
    }

    fn values(grid: &Grid) -> Vec<[f64; 2]> {
        let mut all = Vec::new();
        for row in 0..grid.rows() {
            let mut point = [0.0; 2];
            grid.row(row, &mut point);
            all.push(point);
        }
        all
    }

    #[test]
    fn full_factorial() {
        let grid = Grid::full_factorial(factors(), 2, 1, 0).unwrap();
        let expected = [
            [1.0, 0.0],
            [1.0, 1.0],
            [1.0, 2.0],
            [3.0, 0.0],
            [3.0, 1.0],
            [3.0, 2.0],
        ];
        assert_eq!(values(&grid), expected);
        let twice = Grid::full_factorial(factors(), 2, 2, 0).unwrap();
        let mut p = [0.0; 2];
        let keys: Vec<u64> = (0..12).map(|row| twice.row(row, &mut p)).collect();
        assert_eq!(keys[0], keys[1]);
        assert_ne!(keys[0], keys[6]);
        assert_eq!(values(&twice)[6..], expected);
        assert!(Grid::full_factorial(factors(), 0, 1, 0).is_err());
        assert!(Grid::full_factorial(factors(), usize::MAX, 1, 0).is_err());
    }

    #[test]
    fn one_at_a_time() {
        let grid = Grid::one_at_a_time(factors(), vec![0.25, 0.5], 2, 1, 0).unwrap();
        let expected = [
            [1.0, 1.0],
            [1.0, 1.0],
            [3.0, 1.0],
            [1.0, 0.0],
            [1.0, 1.0],
            [1.0, 2.0],
        ];
        assert_eq!(values(&grid), expected);
        assert!(Grid::one_at_a_time(factors(), vec![0.5], 2, 1, 0).is_err());
    }
}
