//! Screening by elementary effects in a radial design.
//!
//! From each base point one run is made for each factor, with that factor alone moved; its
//! elementary effect is (f(moved) - f(base)) / (move on the probability scale). Over the points, mu
//! is the mean effect, mu* the mean absolute effect and sigma the standard deviation.
//!
//! Sources: Morris (1991) Technometrics 33, 161; mu*: Campolongo, Cariboni & Saltelli (2007)
//! Environ. Model. Softw. 22, 1509; radial design: Campolongo, Saltelli & Cariboni (2011) Comput.
//! Phys. Commun. 182, 978.
//!
//! The runs of one point share the chance of the point, so sigma also holds the interaction of a
//! factor with chance. With a second chance, E\[effect(wa) effect(wb)\] - mu(wa) mu(wb) is the
//! variance of the effects on the mean response alone. Groups are not used: each factor has its own
//! effect. A factor that the model does not see has only effects of exactly 0. A factor whose effects were
//! all 0 at N points need not be one: with a step of fixed length the intervals then reach up to a change as
//! large as the range of the outputs, as often as goes unseen at so many points with probability
//! (1 - level) / 2.

use super::blocks::{Completeness, ScrambledBlocks};
use super::design::{Design, chance_key};
use super::error::{Error, Outcome};
use super::factor::Factors;
use super::points::SobolPoints;
use super::replicate::{Dummy, Estimate, check_level, unseen_share};

/// How a factor is moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Steps {
    /// Morris's grid of p levels (even), 0, 1/(p-1), ..., 1, with steps of p / (2 (p - 1)). All
    /// factors need finite values at probabilities 0 and 1. The grid would leave out most levels of a factor
    /// that has levels of its own, and compare few pairs of the others: such a factor moves from a level drawn
    /// by the weights to another one drawn by them, and the change is divided by the same step. Its effect has
    /// the sign of a move to a later level.
    Levels(usize),
    /// By this much on the probability scale, towards the middle: short steps give derivatives, and
    /// [`FactorEffects::mean_square`] the derivative-based measure.
    Short(f64),
    /// From one coordinate to that of a second point (Campolongo et al. 2011). Steps can be
    /// short: use levels where the output jumps or is a category, since effects of jumps over
    /// short steps have no finite variance.
    Radial,
}

/// Size and parts of a [`MorrisDesign`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MorrisPlan {
    /// Independent scrambles, at least 2.
    pub scrambles: usize,
    /// Base points of each scramble.
    pub points: usize,
    /// How a factor is moved.
    pub steps: Steps,
    /// Makes all runs a second time with an independent chance.
    pub second_chance: bool,
    /// Seed of points and chances.
    pub seed: u64,
}

/// A radial one-at-a-time design on scrambled Sobol points. The runs of one point, D + 1 or
/// 2 (D + 1), are consecutive: base, then each factor moved, then the same with the second chance.
/// Block b belongs to point b / R of scramble b mod R, so the design can grow.
#[derive(Debug, Clone)]
pub struct MorrisDesign {
    factors: Factors,
    plan: MorrisPlan,
    points: SobolPoints,
}

impl MorrisDesign {
    /// Plans the runs.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for fewer than 2 scrambles, no points, odd levels or steps of no length;
    /// [`Error::BadFactor`] if a factor has no finite bounds and levels are used;
    /// [`Error::TooManyDimensions`], [`Error::TooManyPoints`].
    pub fn new(factors: Factors, plan: MorrisPlan) -> Result<Self, Error> {
        if plan.scrambles < 2 {
            return Err(Error::setting(
                "scrambles",
                "at least 2 are needed for intervals",
            ));
        }
        if plan.points == 0 {
            return Err(Error::setting("points", "at least 1 is needed"));
        }
        if let Steps::Levels(levels) = plan.steps {
            if levels < 2 || levels % 2 == 1 {
                return Err(Error::setting("levels", "must be even and at least 2"));
            }
            for factor in factors.list() {
                if !factor.value(0.0).is_finite() || !factor.value(1.0).is_finite() {
                    let problem = "levels need finite bounds".to_owned();
                    return Err(Error::BadFactor {
                        factor: factor.name.clone(),
                        problem,
                    });
                }
            }
        }
        if let Steps::Short(step) = plan.steps
            && !(step > 0.0 && step <= 0.5)
        {
            return Err(Error::setting("step", "must be above 0 and at most 0.5"));
        }
        SobolPoints::check(2 * factors.len(), plan.points)?;
        Ok(MorrisDesign {
            factors,
            plan,
            points: SobolPoints::new(plan.seed),
        })
    }

    /// Runs of one point: the length of a block of rows.
    pub fn runs_per_point(&self) -> usize {
        (self.factors.len() + 1) * if self.plan.second_chance { 2 } else { 1 }
    }

    /// Coordinates of a factor at the base and moved: the same only for a factor with a single level.
    fn ends(&self, block: usize, factor: usize) -> (f64, f64) {
        let (index, scramble) = (block / self.plan.scrambles, block % self.plan.scrambles);
        let u = self.points.coordinate(scramble, index, factor);
        match self.plan.steps {
            Steps::Short(step) => (u, if u < 0.5 { u + step } else { u - step }),
            Steps::Radial => {
                let dimension = self.factors.len() + factor;
                (u, self.points.coordinate(scramble, index, dimension))
            }
            Steps::Levels(_) if self.factors.list()[factor].levels().is_some() => {
                let dimension = self.factors.len() + factor;
                let other = self.points.coordinate(scramble, index, dimension);
                self.factors.list()[factor].two_levels(u, other)
            }
            Steps::Levels(levels) => {
                let level = (u * levels as f64) as usize;
                let half = levels / 2;
                let moved = if level < half {
                    level + half
                } else {
                    level - half
                };
                let top = (levels - 1) as f64;
                (level as f64 / top, moved as f64 / top)
            }
        }
    }

    /// What the change of the output is divided by when a factor moves between `ends`.
    fn step(&self, factor: usize, ends: (f64, f64)) -> f64 {
        let between = ends.1 - ends.0;
        match self.plan.steps {
            Steps::Levels(levels) if self.factors.list()[factor].levels().is_some() => {
                grid_step(levels).copysign(between)
            }
            _ => between,
        }
    }

    /// The length of all steps; `None` where they have none in common.
    fn fixed_step(&self) -> Option<f64> {
        match self.plan.steps {
            Steps::Levels(levels) => Some(grid_step(levels)),
            Steps::Short(step) => Some(step),
            Steps::Radial => None,
        }
    }
}

/// Length of a step on a grid of `levels` levels.
fn grid_step(levels: usize) -> f64 {
    levels as f64 / (2.0 * (levels - 1) as f64)
}

impl Design for MorrisDesign {
    fn factors(&self) -> &Factors {
        &self.factors
    }

    fn rows(&self) -> usize {
        self.plan.scrambles * self.plan.points * self.runs_per_point()
    }

    fn unit(&self, row: usize, point: &mut [f64]) -> u64 {
        let (block, place) = (row / self.runs_per_point(), row % self.runs_per_point());
        let star = self.factors.len() + 1;
        let moved = (place % star).checked_sub(1);
        for (factor, u) in point.iter_mut().enumerate() {
            let (base, end) = self.ends(block, factor);
            *u = if moved == Some(factor) { end } else { base };
        }
        chance_key(self.plan.seed, block, (place / star) as u64)
    }
}

/// Elementary effects of one factor, in units of the output per unit of probability.
#[derive(Debug, Clone, PartialEq)]
pub struct FactorEffects {
    /// Name of the factor.
    pub name: String,
    /// Mean effect.
    pub mu: Estimate,
    /// Mean absolute effect.
    pub mu_star: Estimate,
    /// Standard deviation of the effects (divisor: number of points - 1).
    pub sigma: Estimate,
    /// Mean squared effect. With short steps this is the derivative-based measure (DGSM) for the
    /// factor on the probability scale: E\[(df/du)^2\], in the squared unit of the output (Kucherenko,
    /// Rodriguez-Fernandez, Pantelides & Shah 2009, Reliab. Eng. Syst. Saf. 94, 1135).
    pub mean_square: Estimate,
    /// Variance of the effects on the mean response, which may be estimated negative; needs
    /// [`MorrisPlan::second_chance`].
    pub mean_effect_variance: Option<Estimate>,
}

impl FactorEffects {
    /// What is known of effects that were all 0, if a share `unseen` of them may be as large as `largest`.
    fn or_unseen(self, unseen: f64, largest: f64) -> Self {
        let up_to = |e: Estimate, high: f64| Estimate { high, ..e };
        let (mean, square) = (unseen * largest, unseen * largest * largest);
        FactorEffects {
            mu: Estimate {
                low: -mean,
                ..up_to(self.mu, mean)
            },
            mu_star: up_to(self.mu_star, mean),
            sigma: up_to(self.sigma, square.sqrt()),
            mean_square: up_to(self.mean_square, square),
            mean_effect_variance: self.mean_effect_variance.map(|e| up_to(e, square)),
            ..self
        }
    }
}

/// The result of [`morris_effects`].
#[derive(Debug, Clone, PartialEq)]
pub struct MorrisEffects {
    /// One for each factor.
    pub factors: Vec<FactorEffects>,
    /// As [`super::SobolIndices::rank_instability`], of mu*.
    pub rank_instability: f64,
    /// Failed runs and the points left.
    pub completeness: Completeness,
}

/// Moments of a factor.
const PER_FACTOR: usize = 5;
/// Statistics made of them.
const STATISTICS: usize = 5;

/// Elementary effects from the outcomes of the first rows of a design; whole blocks are used.
///
/// Intervals come from the scrambles (jackknife and Student's t). Where no run changed, they are those of effects
/// of 0 but for a share q, the largest that goes unseen, of size E = range of the outputs / step: up to q E for
/// mu* (and down to -q E for mu), q E^2 for the mean square and sqrt(q) E for sigma.
///
/// # Errors
/// [`Error::NotFinite`], [`Error::TooFewRows`], [`Error::Length`], [`Error::BadSetting`].
pub fn morris_effects(
    design: &MorrisDesign,
    outcomes: &[Outcome],
    level: f64,
) -> Result<MorrisEffects, Error> {
    check_level(level)?;
    let runs = design.runs_per_point();
    let data = ScrambledBlocks::new(outcomes, design.rows(), runs, design.plan.scrambles)?;
    let d = design.factors.len();
    let second = design.plan.second_chance;
    let sums = data.replicate_sums(PER_FACTOR * d, |b, block, out| {
        for (i, out) in out.chunks_mut(PER_FACTOR).enumerate() {
            let step = design.step(i, design.ends(b, i));
            let effect = |start: usize| (block[start + 1 + i] - block[start]) / step;
            let first = effect(0);
            let other = if second { effect(d + 1) } else { first };
            out[0] = first;
            out[1] = other;
            out[2] = 0.5 * (first.abs() + other.abs());
            out[3] = 0.5 * (first * first + other * other);
            out[4] = first * other;
        }
    });
    let n = data.blocks.completeness.complete as f64;
    let jackknife = sums.jackknife(|means| {
        let mut all = Vec::with_capacity(STATISTICS * d);
        for m in means.chunks(PER_FACTOR) {
            let mu = 0.5 * (m[0] + m[1]);
            // Rounding can take the variance of equal effects below zero.
            let variance = (m[3] - mu * mu).max(0.0) * n / (n - 1.0);
            all.extend([mu, m[2], variance.sqrt(), m[3], m[4] - m[0] * m[1]]);
        }
        all
    });
    // The largest effect that there may have been: steps of any length have none.
    let largest = design.fixed_step().map(|step| data.range() / step);
    let unseen = unseen_share(data.blocks.completeness.complete, level);
    let of_factor = |i: usize| {
        let estimate = |at: usize, dummy| jackknife.estimate(STATISTICS * i + at, level, dummy);
        let found = FactorEffects {
            name: design.factors.list()[i].name.clone(),
            mu: estimate(0, Dummy::None),
            mu_star: estimate(1, Dummy::Zero),
            sigma: estimate(2, Dummy::Zero),
            mean_square: estimate(3, Dummy::Zero),
            mean_effect_variance: second.then(|| estimate(4, Dummy::Zero)),
        };
        match largest {
            Some(largest) if found.mean_square.value == 0.0 => found.or_unseen(unseen, largest),
            _ => found,
        }
    };
    let factors = (0..d).map(of_factor).collect();
    let mu_star: Vec<usize> = (0..d).map(|i| STATISTICS * i + 1).collect();
    Ok(MorrisEffects {
        factors,
        rank_instability: jackknife.rank_instability(&mu_star),
        completeness: data.blocks.completeness,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::design::{Model, run};
    use crate::sensitivity::factor::{Factor, Kind, Level, Quantile};
    use crate::sensitivity::testbed::*;

    fn plan(steps: Steps) -> MorrisPlan {
        MorrisPlan {
            scrambles: 8,
            points: 128,
            steps,
            second_chance: false,
            seed: 3,
        }
    }

    fn study(factors: Factors, plan: MorrisPlan, model: &dyn Model) -> MorrisEffects {
        let design = MorrisDesign::new(factors, plan).unwrap();
        let outcomes = run(&design, 0..design.rows(), model);
        morris_effects(&design, &outcomes, 0.95).unwrap()
    }

    /// 128 points of three Sobol dimensions hold each point of the 4 x 4 x 4 grid twice, so the
    /// values are those of the whole grid.
    #[test]
    fn ishigami_on_four_levels() {
        let m = study(ishigami_factors(), plan(Steps::Levels(4)), &ishigami_model);
        let mu_star: Vec<f64> = m.factors.iter().map(|f| f.mu_star.value).collect();
        assert_eq!(mismatch(&mu_star, &[7.704054, 7.875, 6.248796], 1e-6), None);
        let population = (1023.0f64 / 1024.0).sqrt();
        let sigma: Vec<f64> = m
            .factors
            .iter()
            .map(|f| population * f.sigma.value)
            .collect();
        assert_eq!(mismatch(&sigma, &[6.248796, 7.875, 8.837132], 1e-6), None);
        assert!(m.factors.iter().all(|f| f.mu_star.width() < 1e-9));
        // Mutant: Morris's mu, in which effects of opposite signs cancel.
        let mu: Vec<f64> = m.factors.iter().map(|f| f.mu.value).collect();
        assert!(mismatch(&mu, &[7.704054, 7.875, 6.248796], 1e-1).is_some());
    }

    /// Derivatives of Ishigami: E[(df/dx)^2] = 7.719587941, 24.5, 10.987305069. The factors are 2 pi wide,
    /// and a step is 2 pi / 10^5, so differences stand for derivatives to about 1e-4. The mutant on the
    /// four levels of Morris is far off.
    #[test]
    fn derivatives_of_ishigami() {
        let mut plan = plan(Steps::Short(1e-5));
        plan.points = 32_768;
        let exact = [7.719587941, 24.5, 10.987305069];
        let width = 2.0 * std::f64::consts::PI;
        let squares = |m: &MorrisEffects| -> Vec<f64> {
            let of = |f: &FactorEffects| f.mean_square.value / (width * width);
            m.factors.iter().map(of).collect()
        };
        let m = study(ishigami_factors(), plan, &ishigami_model);
        assert_eq!(mismatch(&squares(&m), &exact, 1e-2), None);
        for (f, exact) in m.factors.iter().zip(exact) {
            let apart = f.mean_square.value - exact * width * width;
            assert!(
                apart.abs() < 5.0 * f.mean_square.standard_error + 0.02,
                "{f:?}"
            );
        }
        plan.steps = Steps::Levels(4);
        let m = study(ishigami_factors(), plan, &ishigami_model);
        assert!(mismatch(&squares(&m), &exact, 1.0).is_some());
    }

    #[test]
    fn linear_effects_are_the_slopes() {
        for steps in [Steps::Radial, Steps::Levels(6)] {
            let m = study(uniform(5, 0.0, 2.0), plan(steps), &linear);
            for (i, f) in m.factors.iter().enumerate() {
                let slope = 2.0 * (5 - i) as f64;
                assert!((f.mu.value - slope).abs() < 1e-9);
                assert!((f.mu_star.value - slope).abs() < 1e-9);
                assert!(f.sigma.value < 1e-6);
                assert_eq!(f.mean_effect_variance, None);
            }
        }
    }

    /// 2 x1 w1 gives x1 on (-1, 1) an effect of 2 + 4 w1 and x2 one of 4: the variance is all due to
    /// chance, and the mean response has none.
    #[test]
    fn a_second_chance_tells_noise_from_interaction() {
        let mut plan = plan(Steps::Levels(4));
        plan.second_chance = true;
        plan.points = 4096;
        let m = study(uniform(2, -1.0, 1.0), plan, &interacting_noise);
        let [x1, x2] = &m.factors[..] else {
            panic!("two factors")
        };
        assert!((x1.mu.value - 2.0).abs() < 0.1);
        assert!((x1.sigma.value - 4.0).abs() < 0.1);
        assert!((x2.mu_star.value - 4.0).abs() < 1e-9 && x2.sigma.value < 1e-6);
        let variance = x1.mean_effect_variance.unwrap();
        assert!(
            variance.value.abs() < 4.0 * variance.standard_error && variance.value.abs() < 0.5,
            "{variance:?}"
        );
    }

    /// Which of ten categories it is: of the 90 moves between two of them, 6 x 4 x 2 = 48 change the output, by
    /// 0.7, and each counts over a step of 2/3. Of three values 0, 1, 2 of weights 1/2, 1/4, 1/4, a move changes
    /// a value of 2 x by 2 or 4: from 0 by 3 on average (weight 1/2), from 1 by 2 (2/3 of the time to 0), from 2
    /// by (2/3) 4 + (1/3) 2. All signs are that of the effect. A level that stands alone has none.
    #[test]
    fn every_level_is_visited_and_any_two_are_compared() {
        let labels = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        let level = |value: f64, weight: f64| Level {
            name: value.to_string(),
            value,
            weight,
        };
        let weighted = vec![level(0.0, 2.0), level(1.0, 1.0), level(2.0, 1.0)];
        let factors = || {
            Factors::new(vec![
                Factor::categorical("variant", &labels),
                Factor {
                    name: "weighted".into(),
                    group: None,
                    kind: Kind::Discrete(weighted.clone()),
                },
                Factor::discrete("alone", &[5.0]),
                Factor::uniform("x", 0.0, 1.0),
            ])
            .unwrap()
        };
        let high = |variant: f64| [1.0, 2.0, 4.0, 5.0, 7.0, 8.0].contains(&variant);
        let model = |x: &[f64], _: u64| {
            Ok(if high(x[0]) { 0.9 } else { 0.2 } + 2.0 * x[1] + x[2] + 0.1 * x[3])
        };
        let mut plan = plan(Steps::Levels(4));
        plan.points = 1024;
        let design = MorrisDesign::new(factors(), plan).unwrap();
        let (mut pairs, mut values) = (std::collections::BTreeSet::new(), [0; 3]);
        let mut base = [0.0; 4];
        let mut moved = [0.0; 4];
        for block in 0..design.rows() / 5 {
            design.row(5 * block, &mut base);
            design.row(5 * block + 1, &mut moved);
            pairs.insert((base[0] as u32, moved[0] as u32));
            values[base[1] as usize] += 1;
        }
        assert_eq!(pairs.len(), 90);
        assert!(pairs.iter().all(|(from, to)| from != to));
        assert_eq!(values, [4096, 2048, 2048]);

        let m = study(factors(), plan, &model);
        let [variant, weighted, alone, x] = &m.factors[..] else {
            panic!("four factors")
        };
        let near = |e: Estimate, exact: f64| {
            assert!((e.value - exact).abs() < 0.03 * exact, "{e:?} {exact}");
            let apart = (e.value - exact).abs();
            assert!(apart < 5.0 * e.standard_error, "{e:?} {exact}");
        };
        near(variant.mu_star, 1.5 * 0.7 * 48.0 / 90.0);
        let mean = 0.5 * 3.0 + 0.25 * 2.0 + 0.25 * 10.0 / 3.0;
        near(weighted.mu_star, 1.5 * mean);
        near(weighted.mu, 1.5 * mean);
        assert_eq!((alone.mu_star.value, alone.sigma.value), (0.0, 0.0));
        assert!((x.mu.value - 0.1).abs() < 1e-9);
    }

    /// Nothing was seen of a factor that acts beyond the 999th part of its range: up to the share that 1,024
    /// points leave unseen with probability 1/40, 3.6 in a thousand, its effect may be the range of the output.
    #[test]
    fn effects_that_never_showed_are_not_certainly_zero() {
        let model = |x: &[f64], _: u64| Ok(x[0] + if x[1] > 0.9999 { 1.0 } else { 0.0 });
        let mut plan = plan(Steps::Short(0.001));
        plan.seed = 1;
        let share = unseen_share(1024, 0.95);
        assert!((share - 0.0036).abs() < 1e-4);
        let m = study(uniform(2, 0.0, 1.0), plan, &model);
        let (x, rare) = (&m.factors[0], &m.factors[1]);
        assert_eq!((rare.mu_star.value, rare.mu_star.low), (0.0, 0.0));
        let largest = rare.mu_star.high / share;
        assert!((largest - 1000.0).abs() < 5.0, "{largest}");
        assert_eq!(
            (rare.mu.low, rare.mu.high),
            (-rare.mu_star.high, rare.mu_star.high)
        );
        assert!((rare.sigma.high - share.sqrt() * largest).abs() < 1e-9);
        assert!((rare.mean_square.high - share * largest * largest).abs() < 1e-6);
        assert_eq!(rare.mu_star.above_dummy, Some(0.5));
        // An effect that is always the same was seen.
        assert!((x.mu_star.value - 1.0).abs() < 1e-9 && x.sigma.high < 1e-3);
        // Steps of any length have no largest effect.
        let x_alone = |x: &[f64], _: u64| Ok(x[0]);
        let m = study(uniform(2, 0.0, 1.0), self::plan(Steps::Radial), &x_alone);
        assert_eq!(m.factors[1].mu_star.width(), 0.0);
    }

    #[test]
    fn settings_are_checked() {
        let ok = plan(Steps::Levels(4));
        let normal = Factor::continuous("z", Quantile::Normal { mean: 0.0, sd: 1.0 });
        let normal = || Factors::new(vec![normal.clone()]).unwrap();
        assert!(matches!(
            MorrisDesign::new(normal(), ok),
            Err(Error::BadFactor { .. })
        ));
        assert!(MorrisDesign::new(normal(), plan(Steps::Radial)).is_ok());
        assert!(MorrisDesign::new(uniform(2, 0.0, 1.0), plan(Steps::Levels(3))).is_err());
        assert!(MorrisDesign::new(uniform(2, 0.0, 1.0), plan(Steps::Short(0.0))).is_err());
        let one = MorrisPlan { scrambles: 1, ..ok };
        assert!(MorrisDesign::new(uniform(2, 0.0, 1.0), one).is_err());
    }
}
