//! Shapley effects: shares of the variance that add up to 1, with interactions split evenly among
//! those that take part. Chance is a player like the factors.
//!
//! Each point has two independent sets of values x and y (and two chances) and a random order of
//! the players; runs go from x to y, one player at a time. With f_0 at x and f_k after k players,
//! the effect of the k-th player is
//!
//! E\[(f_0 - (f_{k-1} + f_k) / 2) (f_{k-1} - f_k)\] / V.
//!
//! Cost N (D + 2) with chance as a player. Source: Goda (2021) "A simple algorithm for global
//! sensitivity analysis with Shapley effects", Reliab. Eng. Syst. Saf. 213, 107702, eq. 6 and
//! algorithm 1 (there N (D + 1), without chance).

use super::blocks::{Completeness, ScrambledBlocks};
use super::design::{Design, chance_key};
use super::error::{Error, Outcome};
use super::factor::Factors;
use super::hash::{Stream, child};
use super::points::SobolPoints;
use super::replicate::{Dummy, Estimate, check_level};

/// Size and parts of a [`ShapleyDesign`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShapleyPlan {
    /// Independent scrambles, at least 2.
    pub scrambles: usize,
    /// Points of each scramble, best a power of 2.
    pub points: usize,
    /// Whether chance is a player. Without it the runs of a point share their chance, and the
    /// effects add up to 1 less the variance that chance explains alone.
    pub chance: bool,
    /// Seed of points, orders and chances.
    pub seed: u64,
}

/// Chains of runs from one point to another. The runs of one chain are consecutive; block b belongs
/// to point b / R of scramble b mod R, so the design can grow.
#[derive(Debug, Clone)]
pub struct ShapleyDesign {
    factors: Factors,
    plan: ShapleyPlan,
    points: SobolPoints,
}

impl ShapleyDesign {
    /// Plans the runs.
    ///
    /// # Errors
    /// [`Error::BadSetting`], [`Error::TooManyDimensions`], [`Error::TooManyPoints`].
    pub fn new(factors: Factors, plan: ShapleyPlan) -> Result<Self, Error> {
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
        Ok(ShapleyDesign {
            factors,
            plan,
            points: SobolPoints::new(plan.seed),
        })
    }

    /// Runs of one chain: the length of a block of rows.
    pub fn runs_per_point(&self) -> usize {
        self.players() + 1
    }

    fn players(&self) -> usize {
        self.factors.columns().len() + usize::from(self.plan.chance)
    }

    /// Step (from 1) at which each player moves.
    fn steps(&self, block: usize) -> Vec<usize> {
        let mut steps: Vec<usize> = (1..=self.players()).collect();
        let key = child(child(self.plan.seed, 0x006f_7264_6572), block as u64);
        Stream::new(key).shuffle(&mut steps);
        steps
    }
}

impl Design for ShapleyDesign {
    fn factors(&self) -> &Factors {
        &self.factors
    }

    fn rows(&self) -> usize {
        self.plan.scrambles * self.plan.points * self.runs_per_point()
    }

    fn unit(&self, row: usize, point: &mut [f64]) -> u64 {
        let (block, place) = (row / self.runs_per_point(), row % self.runs_per_point());
        let (index, scramble) = (block / self.plan.scrambles, block % self.plan.scrambles);
        let steps = self.steps(block);
        for (column, step) in self.factors.columns().iter().zip(&steps) {
            for &factor in &column.members {
                let dimension = factor
                    + if *step <= place {
                        self.factors.len()
                    } else {
                        0
                    };
                point[factor] = self.points.coordinate(scramble, index, dimension);
            }
        }
        let chance_moved = self.plan.chance && steps[self.players() - 1] <= place;
        chance_key(self.plan.seed, block, u64::from(chance_moved))
    }
}

/// The result of [`shapley_effects`]; effects are shares without unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ShapleyEffects {
    /// Name and effect of each factor or group.
    pub columns: Vec<(String, Estimate)>,
    /// Effect of chance, if it is a player.
    pub chance: Option<Estimate>,
    /// Variance of single runs, in the squared unit of the output.
    pub variance: Estimate,
    /// As [`super::SobolIndices::rank_instability`], of the effects without that of chance.
    pub rank_instability: f64,
    /// Failed runs and the chains left.
    pub completeness: Completeness,
}

/// Shapley effects from the outcomes of the first rows of a design; whole chains are used.
///
/// Intervals come from the scrambles. A factor that the model does not see has an effect of exactly
/// 0 in every chain. One that changed nothing in any of N chains need not be one: its effect is at most its
/// total, the mean of (f_{k-1} - f_k)^2 / 2V, so that its interval reaches up to q R^2 / 2V, with R the range of
/// the outputs and q the largest share of chains that goes unseen, (1 - q)^N = (1 - level) / 2. The same holds
/// for chance.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::TooFewRows`], [`Error::Length`], [`Error::BadSetting`],
/// [`Error::ConstantOutput`].
pub fn shapley_effects(
    design: &ShapleyDesign,
    outcomes: &[Outcome],
    level: f64,
) -> Result<ShapleyEffects, Error> {
    check_level(level)?;
    let runs = design.runs_per_point();
    let data = ScrambledBlocks::new(outcomes, design.rows(), runs, design.plan.scrambles)?;
    let shift = data.shift();
    let players = design.players();
    let sums = data.replicate_sums(players + 2, |b, block, out| {
        for (player, &step) in design.steps(b).iter().enumerate() {
            let (before, after) = (block[step - 1], block[step]);
            out[player] = (block[0] - 0.5 * (before + after)) * (before - after);
        }
        let (x, y) = (block[0] - shift, block[players] - shift);
        out[players] = 0.5 * (x + y);
        out[players + 1] = 0.5 * (x * x + y * y);
    });
    let jackknife = sums.jackknife(|m| {
        let variance = m[players + 1] - m[players] * m[players];
        let mut all: Vec<f64> = m[..players]
            .iter()
            .map(|effect| effect / variance)
            .collect();
        all.push(variance);
        all
    });
    let varies = |v: &Vec<f64>| v[players] > 1e-24 * shift * shift;
    if !varies(&jackknife.full) || !jackknife.leave_one_out.iter().all(varies) {
        return Err(Error::ConstantOutput);
    }
    let columns = design.factors.columns();
    let range = data.range();
    let largest = 0.5 * range * range / jackknife.full[players];
    let chains = data.blocks.completeness.complete;
    let effect = |i: usize| {
        let found = jackknife.estimate(i, level, Dummy::Zero);
        found.or_unseen(chains, largest, level)
    };
    Ok(ShapleyEffects {
        columns: columns
            .iter()
            .enumerate()
            .map(|(i, c)| (c.name.clone(), effect(i)))
            .collect(),
        chance: design.plan.chance.then(|| effect(players - 1)),
        variance: jackknife.estimate(players, level, Dummy::None),
        rank_instability: jackknife.rank_instability(&(0..columns.len()).collect::<Vec<_>>()),
        completeness: data.blocks.completeness,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::design::{Model, run};
    use crate::sensitivity::testbed::*;

    fn study(factors: Factors, chance: bool, points: usize, model: &dyn Model) -> ShapleyEffects {
        let plan = ShapleyPlan {
            scrambles: 8,
            points,
            chance,
            seed: 4,
        };
        let design = ShapleyDesign::new(factors, plan).unwrap();
        let outcomes = run(&design, 0..design.rows(), model);
        shapley_effects(&design, &outcomes, 0.95).unwrap()
    }

    fn effects(s: &ShapleyEffects) -> Vec<f64> {
        s.columns.iter().map(|(_, e)| e.value).collect()
    }

    #[test]
    fn ishigami_without_chance() {
        let s = study(ishigami_factors(), false, 32768, &ishigami_model);
        assert_eq!(mismatch(&effects(&s), &ISHIGAMI_SHAPLEY, 2e-3), None);
        assert_eq!(s.chance, None);
        for ((_, e), reference) in s.columns.iter().zip(ISHIGAMI_SHAPLEY) {
            assert!((e.value - reference).abs() < 4.0 * e.standard_error);
        }
        // Mutants: first-order and total indices do not pass.
        assert!(mismatch(&ISHIGAMI_FIRST, &ISHIGAMI_SHAPLEY, 2e-3).is_some());
        assert!(mismatch(&ISHIGAMI_TOTAL, &ISHIGAMI_SHAPLEY, 2e-3).is_some());
    }

    /// Var = 4: x1 alone 1/3, x2 alone 4/3, chance alone 1, x1 with chance 4/3.
    #[test]
    fn chance_is_a_player() {
        let s = study(uniform(2, -1.0, 1.0), true, 16384, &interacting_noise);
        assert_eq!(mismatch(&effects(&s), &[0.25, 1.0 / 3.0], 6e-3), None);
        let chance = s.chance.unwrap().value;
        assert_eq!(mismatch(&[chance], &[5.0 / 12.0], 6e-3), None);
        let sum: f64 = effects(&s).iter().sum::<f64>() + chance;
        assert!((sum - 1.0).abs() < 1e-2);
        // A model without chance gives chance exactly nothing.
        let s = study(uniform(2, 0.0, 1.0), true, 64, &product);
        assert_eq!(s.chance.unwrap().value, 0.0);
    }

    /// x1 decides between 0 and 1, V = 1/4, and x2 nothing unless it is above 0.9999: nothing shows in 8 x 64 chains,
    /// of which a share 1 - 0.025^(1/512) = 0.0072 might be missed.
    #[test]
    fn effects_that_never_showed_are_not_certainly_zero() {
        let model = |x: &[f64], _: u64| {
            Ok(f64::from(u8::from(x[0] < 0.5)) + if x[1] > 0.9999 { 1.0 } else { 0.0 })
        };
        let s = study(uniform(2, 0.0, 1.0), true, 64, &model);
        for e in [s.columns[1].1, s.chance.unwrap()] {
            assert_eq!((e.value, e.low), (0.0, 0.0));
            assert!((e.high - 2.0 * 0.007_179).abs() < 1e-4, "{e:?}");
        }
        assert!((s.columns[0].1.value - 1.0).abs() < 1e-9);
    }

    #[test]
    fn chains_go_from_one_point_to_the_other() {
        let plan = ShapleyPlan {
            scrambles: 2,
            points: 8,
            chance: true,
            seed: 4,
        };
        let design = ShapleyDesign::new(uniform(3, 0.0, 1.0), plan).unwrap();
        for block in 0..16 {
            let mut last: Option<(Vec<f64>, u64)> = None;
            for place in 0..5 {
                let mut point = vec![0.0; 3];
                let key = design.unit(block * 5 + place, &mut point);
                if let Some((before, key_before)) = last {
                    let moved = before.iter().zip(&point).filter(|(a, b)| a != b).count();
                    assert_eq!(moved + usize::from(key != key_before), 1);
                }
                last = Some((point, key));
            }
        }
    }
}
