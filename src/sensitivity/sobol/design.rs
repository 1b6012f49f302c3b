//! The pick-freeze design with the seed as a factor.

use crate::sensitivity::design::{Design, chance_key};
use crate::sensitivity::error::Error;
use crate::sensitivity::factor::Factors;
use crate::sensitivity::points::SobolPoints;

/// Size and parts of a [`SobolDesign`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SobolPlan {
    /// Independent scrambles R, at least 2; 8 to 16 give useful intervals.
    pub scrambles: usize,
    /// Points n of each scramble, best a power of 2, at most 65,536. N = R n.
    pub points: usize,
    /// Adds the runs BA_i, for indices of pairs.
    pub second_order: bool,
    /// Adds the runs AB_i with the second chance, for total indices of the mean response.
    pub mean_total: bool,
    /// Seed of points and chances.
    pub seed: u64,
}

impl Default for SobolPlan {
    fn default() -> Self {
        SobolPlan {
            scrambles: 8,
            points: 128,
            second_order: false,
            mean_total: true,
            seed: 0,
        }
    }
}

/// A and B are N x D Owen-scrambled Sobol points (2 D dimensions of one sequence); AB_i is A with
/// column i (a factor or a group) from B, BA_i the reverse. Each point has two independent chances
/// wa and wb. The runs of one point are a block of consecutive rows:
///
/// | runs | how many |
/// |---|---|
/// | (A, wa), (B, wb), (A, wb) | 3 |
/// | (AB_i, wa) | one for each column |
/// | (AB_i, wb), with [`SobolPlan::mean_total`] | one for each column |
/// | (BA_i, wb), with [`SobolPlan::second_order`] | one for each column |
///
/// Block b belongs to point b / R of scramble b mod R, so a design with more points starts with
/// the rows of one with fewer: outcomes can be kept and the design grown.
#[derive(Debug, Clone)]
pub struct SobolDesign {
    factors: Factors,
    plan: SobolPlan,
    layout: Layout,
    points: SobolPoints,
    // Column of each factor.
    column_of: Vec<usize>,
}

impl SobolDesign {
    /// Plans the runs.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for fewer than 2 scrambles or no points, [`Error::TooManyDimensions`]
    /// above 128 factors, [`Error::TooManyPoints`] above 65,536 points in a scramble.
    pub fn new(factors: Factors, plan: SobolPlan) -> Result<Self, Error> {
        if plan.scrambles < 2 {
            return Err(Error::setting(
                "scrambles",
                "at least 2 are needed for intervals",
            ));
        }
        if plan.points == 0 {
            return Err(Error::setting("points", "at least 1 is needed"));
        }
        SobolPoints::check(2 * factors.len(), plan.points)?;
        let layout = Layout {
            columns: factors.columns().len(),
            second_order: plan.second_order,
            mean_total: plan.mean_total,
        };
        let mut column_of = vec![0; factors.len()];
        for (i, column) in factors.columns().iter().enumerate() {
            for &member in &column.members {
                column_of[member] = i;
            }
        }
        let points = SobolPoints::new(plan.seed);
        Ok(SobolDesign {
            factors,
            plan,
            layout,
            points,
            column_of,
        })
    }

    /// The same design with more points in each scramble: its first rows are the rows of this one.
    ///
    /// # Errors
    /// As [`SobolDesign::new`], and [`Error::BadSetting`] if there are fewer points than before.
    pub fn grown(&self, points: usize) -> Result<Self, Error> {
        if points < self.plan.points {
            return Err(Error::setting("points", "a design can only grow"));
        }
        let mut plan = self.plan;
        plan.points = points;
        SobolDesign::new(self.factors.clone(), plan)
    }

    /// Size and parts.
    pub fn plan(&self) -> &SobolPlan {
        &self.plan
    }

    /// Runs of one point: the length of a block of rows.
    pub fn runs_per_point(&self) -> usize {
        self.layout.runs()
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }
}

impl Design for SobolDesign {
    fn factors(&self) -> &Factors {
        &self.factors
    }

    fn rows(&self) -> usize {
        self.plan.scrambles * self.plan.points * self.layout.runs()
    }

    fn unit(&self, row: usize, point: &mut [f64]) -> u64 {
        let (block, role) = (row / self.layout.runs(), row % self.layout.runs());
        let (index, scramble) = (block / self.plan.scrambles, block % self.plan.scrambles);
        let role = self.layout.role(role);
        for (factor, u) in point.iter_mut().enumerate() {
            let from_b = role.base_is_b != (role.swapped == Some(self.column_of[factor]));
            let dimension = factor + if from_b { self.factors.len() } else { 0 };
            *u = self.points.coordinate(scramble, index, dimension);
        }
        chance_key(self.plan.seed, block, u64::from(role.second_chance))
    }
}

/// Which run is where in a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Layout {
    pub(crate) columns: usize,
    pub(crate) second_order: bool,
    pub(crate) mean_total: bool,
}

struct Role {
    base_is_b: bool,
    swapped: Option<usize>,
    second_chance: bool,
}

impl Layout {
    pub(crate) fn runs(&self) -> usize {
        3 + self.columns * (1 + usize::from(self.mean_total) + usize::from(self.second_order))
    }

    /// Place of (AB_0, wa).
    pub(crate) fn ab(&self) -> usize {
        3
    }

    /// Place of (AB_0, wb), if it is there.
    pub(crate) fn ab_second(&self) -> Option<usize> {
        self.mean_total.then_some(3 + self.columns)
    }

    /// Place of (BA_0, wb), if it is there.
    pub(crate) fn ba(&self) -> Option<usize> {
        let before = 3 + self.columns * (1 + usize::from(self.mean_total));
        self.second_order.then_some(before)
    }

    fn role(&self, place: usize) -> Role {
        if place < 3 {
            return Role {
                base_is_b: place == 1,
                swapped: None,
                second_chance: place > 0,
            };
        }
        let (part, column) = ((place - 3) / self.columns, (place - 3) % self.columns);
        let base_is_b = self.ba() == Some(3 + part * self.columns);
        Role {
            base_is_b,
            swapped: Some(column),
            second_chance: part > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::factor::Factor;

    fn factors() -> Factors {
        Factors::new(vec![
            Factor::uniform("x", 0.0, 1.0),
            Factor::uniform("y", 0.0, 1.0).in_group("g"),
            Factor::uniform("z", 0.0, 1.0).in_group("g"),
        ])
        .unwrap()
    }

    fn rows(design: &SobolDesign) -> Vec<(Vec<f64>, u64)> {
        let mut all = Vec::new();
        for row in 0..design.rows() {
            let mut point = vec![0.0; 3];
            let key = design.unit(row, &mut point);
            all.push((point, key));
        }
        all
    }

    #[test]
    fn blocks_hold_what_the_table_says() {
        let plan = SobolPlan {
            second_order: true,
            points: 4,
            ..SobolPlan::default()
        };
        let design = SobolDesign::new(factors(), plan).unwrap();
        assert_eq!(design.runs_per_point(), 3 + 3 * 2);
        for block in rows(&design).chunks(9) {
            let [(a, wa), (b, wb), (a2, wb2), ab, gab, ab2, gab2, ba, gba] = block else {
                panic!("nine runs")
            };
            assert_eq!((a2, wb2), (a, wb));
            assert_ne!(wa, wb);
            assert_eq!(ab, &(vec![b[0], a[1], a[2]], *wa));
            assert_eq!(gab, &(vec![a[0], b[1], b[2]], *wa));
            assert_eq!(ab2, &(ab.0.clone(), *wb));
            assert_eq!(gab2, &(gab.0.clone(), *wb));
            assert_eq!(ba, &(vec![a[0], b[1], b[2]], *wb));
            assert_eq!(gba, &(vec![b[0], a[1], a[2]], *wb));
        }
    }

    #[test]
    fn a_grown_design_starts_with_the_old_rows() {
        let plan = SobolPlan {
            points: 8,
            ..SobolPlan::default()
        };
        let small = SobolDesign::new(factors(), plan).unwrap();
        let large = small.grown(20).unwrap();
        assert_eq!(rows(&large)[..small.rows()], rows(&small));
        assert!(large.grown(8).is_err());
    }

    #[test]
    fn all_keys_of_points_differ() {
        let design = SobolDesign::new(factors(), SobolPlan::default()).unwrap();
        let mut keys: Vec<u64> = rows(&design)
            .chunks(7)
            .flat_map(|b| [b[0].1, b[1].1])
            .collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
