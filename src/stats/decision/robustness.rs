//! Regret and satisficing across worlds.
//!
//! A *setting* is what a policy chooses, a *world* what it cannot choose. The regret of a setting in a world is what the best
//! setting for that world would gain over it (L. J. Savage, "The theory of statistical decision", Journal of the American
//! Statistical Association 46 (1951)); how many worlds it satisfices in was proposed as a measure of robustness by M. K. Starr,
//! Management Science 9 (1962). Both follow the survey of J. D. Herman, P. M. Reed, H. B. Zeff and G. W. Characklis, "How should
//! robustness be defined for water systems planning under change?", Journal of Water Resources Planning and Management 141 (2015).
//!
//! # Noise
//!
//! Each outcome in a world is a mean over some runs. A maximum over noisy means is too large, so plain regrets are too large, and
//! the plain share of worlds beyond a limit is drawn towards one half. Therefore each world's runs are divided into groups, which
//! show the noise of the means *and how it is shared by settings* under common random numbers. Groups may differ in size: with
//! n_g of R runs in group g of G, the noise of a world's mean has the estimated covariance `sum n_g d_g d_g' / (R (G - 1))`, where
//! d_g is what the group's mean differs from the world's.
//!
//! *Regrets and satisficing* take the noise out by shrinkage. With C the covariance of the worlds' means and N
//! that of their noise, the true outcomes have the covariance `B = C^1/2 (I - C^-1/2 N C^-1/2)+ C^1/2` across worlds, that is,
//! C - N but for directions in which there is more noise than spread. The plus sets negative eigenvalues to 0, so that 0 <= B <= C
//! holds, and the factor `B C^-1` by which a mean is drawn towards the others has eigenvalues between 0 and 1; with (C - N)+
//! instead of B they may be as large as 100 where settings are nearly alike. Given the means m of a world, its true outcomes are
//! then drawn from the normal distribution with mean `M + B C^-1 (m - M)` and covariance `B - B C^-1 B`, where M is the mean over
//! worlds (empirical Bayes: B. Efron and C. Morris, Journal of the American Statistical Association 68 (1973); drawing, instead of
//! taking its mean, keeps the spread of the true outcomes: D. B. Rubin, "Multiple Imputation for Nonresponse in Surveys" (1987)).
//! Worlds thus drawn have the right mean, variances and covariances; probabilities are cut off at 0 and 1. Estimates are means
//! over such draws. Without noise the draws are the means themselves.
//!
//! Probabilities are no normal numbers, and an *expected regret* can be bounded without any such assumption. The plain one is too
//! large on average. The cross-fitted one is too small: the setting to compare with is chosen by one half of the groups and valued
//! by the other, both ways, so that noise does not favour it, and a choice that is not the best cannot make the regret larger
//! (V. Chernozhukov et al., "Double/debiased machine learning for treatment and structural parameters", The Econometrics Journal
//! 21 (2018), where the name is from). The choice is that which is best in the world, or on average over the worlds of the state,
//! or over those of the stratum, whichever of the three gains most. The estimate from the draws is kept between these two: where
//! common random numbers leave no doubt which setting is better, they coincide.
//!
//! Closed form, two settings whose difference is normal across worlds with mean -0.3 and standard deviation 1 (noise of the same
//! size), 100 worlds; root mean square error, and in brackets that of plain regrets:
//!
//! | | truth | error |
//! |---|---|---|
//! | expected regret | 0.267 | 0.073 (0.172) |
//! | 90 % regret | 0.982 | 0.227 (0.526) |
//! | maximal regret | of these worlds | 0.554 (1.267) |
//!
//! (`print_accuracy` in the tests prints it.)
//!
//! # Intervals
//!
//! Worlds of one *unit* share their random numbers, such as the same draw of the parameters under rival explanations or in several
//! states: they are alike. What is known of a mean comes from the units of each state, or, where a state is a single world, from
//! its groups, which share their random numbers across states just as units do. Each state has an interval of its own: Student's
//! for numbers; Wilson's for probabilities and Tango's for their regret, at the effective number of runs (see
//! [`WorldHistogram::mean_interval`](crate::stats::worlds::WorldHistogram::mean_interval) and
//! [`PairedIndicator::difference`](crate::stats::paired::PairedIndicator::difference)), which say something even of what has not
//! been seen. Their reaches d_s below and above the estimate are put together as `sqrt(sum w_s w_t r_st d_s d_t)` with the
//! correlations r that units or groups show, and 1 for a state without any spread (G. Y. Zou and A. Donner, "Construction of
//! confidence limits about effect measures: a general approach", Statistics in Medicine 27 (2008)). Numbers that never varied have
//! no interval: it reaches from minus to plus infinity.
//!
//! The interval of `regret_expected` begins where that of the cross-fitted regret does, and so holds 0 unless some gain is sure. It
//! ends with the bootstrap, but between the ends for the cross-fitted and the plain regret.
//!
//! `regret_90` and `satisficing` have the percentiles of a bootstrap over units (B. Efron and R. J. Tibshirani, "An Introduction to
//! the Bootstrap" (1993)), or over groups where worlds are single, each with a draw of its own. `regret_maximal` is about the very
//! worlds that were run, since no sample bounds the worst of all worlds: its interval comes from draws for these worlds, each with
//! the means and covariances of another resample (N. M. Laird and T. A. Louis, Journal of the American Statistical Association 82
//! (1987)). Plain regrets are too large on average, so the intervals of regrets reach down to the plain ones at
//! least, and to 0 where that of the expected regret does.
//!
//! Measured on 200 repetitions with two settings, 50 runs in each world, one uniform deciding both settings (shared) or each its own
//! (apart); x is uniform between 0 and 1, y has the distribution Beta(0.3, 29.7). Share of 95 % intervals that held the truth, and in
//! brackets mean estimate and truth:
//!
//! | probabilities | worlds | setting | expected | expected regret | 90 % regret | maximal regret |
//! |---|---|---|---|---|---|---|
//! | 0.6 x, 0.5 x, shared | 40 | first | 0.96 (0.3007 of 0.3000) | 0.92 (0.0503 of 0.0500) | 0.93 (0.0886 of 0.0900) | 0.85 (0.1118 of 0.0978) |
//! | 0.6 x, 0.5 x, shared | 40 | second | 0.96 (0.2504 of 0.2500) | 1.00 (0.0000 of 0.0000) | 1.00 (0.0001 of 0.0000) | 1.00 (0.0037 of 0.0000) |
//! | 0.6 x, 0.5 x, shared | 200 | first | 0.95 (0.2983 of 0.3000) | 0.95 (0.0498 of 0.0500) | 0.97 (0.0888 of 0.0900) | 0.29 (0.1201 of 0.0994) |
//! | 0.6 x, 0.5 x, shared | 200 | second | 0.94 (0.2485 of 0.2500) | 1.00 (0.0000 of 0.0000) | 1.00 (0.0000 of 0.0000) | 1.00 (0.0043 of 0.0000) |
//! | 0.6 x, 0.5 x, apart | 40 | first | 0.94 (0.3030 of 0.3000) | 0.94 (0.0522 of 0.0500) | 0.91 (0.0964 of 0.0900) | 0.90 (0.1254 of 0.0976) |
//! | 0.6 x, 0.5 x, apart | 40 | second | 0.93 (0.2530 of 0.2500) | 1.00 (0.0020 of 0.0000) | 1.00 (0.0063 of 0.0000) | 1.00 (0.0227 of 0.0000) |
//! | 0.6 x, 0.5 x, apart | 200 | first | 0.93 (0.3008 of 0.3000) | 0.96 (0.0507 of 0.0500) | 0.93 (0.0930 of 0.0900) | 0.75 (0.1287 of 0.0996) |
//! | 0.6 x, 0.5 x, apart | 200 | second | 0.93 (0.2509 of 0.2500) | 1.00 (0.0007 of 0.0000) | 1.00 (0.0013 of 0.0000) | 1.00 (0.0195 of 0.0000) |
//! | 0.2 + 0.1 x both, apart | 40 | first | 0.95 (0.2505 of 0.2500) | 0.97 (0.0122 of 0.0000) | 0.97 (0.0310 of 0.0000) | 0.97 (0.0542 of 0.0000) |
//! | 0.2 + 0.1 x both, apart | 40 | second | 0.96 (0.2502 of 0.2500) | 0.96 (0.0120 of 0.0000) | 0.96 (0.0305 of 0.0000) | 0.96 (0.0537 of 0.0000) |
//! | 0.2 + 0.1 x both, apart | 200 | first | 0.93 (0.2502 of 0.2500) | 0.96 (0.0073 of 0.0000) | 0.96 (0.0212 of 0.0000) | 0.96 (0.0449 of 0.0000) |
//! | 0.2 + 0.1 x both, apart | 200 | second | 0.96 (0.2501 of 0.2500) | 0.98 (0.0072 of 0.0000) | 0.98 (0.0209 of 0.0000) | 0.98 (0.0450 of 0.0000) |
//! | 0.5 y, 0.1 y, shared | 40 | first | 0.98 (0.0050 of 0.0050) | 0.98 (0.0040 of 0.0040) | 0.76 (0.0103 of 0.0119) | 0.58 (0.0252 of 0.0329) |
//! | 0.5 y, 0.1 y, shared | 40 | second | 0.99 (0.0010 of 0.0010) | 1.00 (0.0000 of 0.0000) | 1.00 (0.0003 of 0.0000) | 1.00 (0.0006 of 0.0000) |
//! | 0.5 y, 0.1 y, shared | 200 | first | 0.96 (0.0050 of 0.0050) | 0.95 (0.0040 of 0.0040) | 0.89 (0.0117 of 0.0119) | 0.60 (0.0368 of 0.0461) |
//! | 0.5 y, 0.1 y, shared | 200 | second | 0.96 (0.0010 of 0.0010) | 1.00 (0.0000 of 0.0000) | 1.00 (0.0002 of 0.0000) | 1.00 (0.0009 of 0.0000) |
//! | 0.5 y, 0.1 y, apart | 40 | first | 0.96 (0.0051 of 0.0050) | 0.95 (0.0044 of 0.0040) | 0.82 (0.0109 of 0.0119) | 0.61 (0.0255 of 0.0316) |
//! | 0.5 y, 0.1 y, apart | 40 | second | 0.99 (0.0010 of 0.0010) | 1.00 (0.0002 of 0.0000) | 1.00 (0.0005 of 0.0000) | 1.00 (0.0014 of 0.0000) |
//! | 0.5 y, 0.1 y, apart | 200 | first | 0.96 (0.0050 of 0.0050) | 0.97 (0.0044 of 0.0040) | 0.90 (0.0120 of 0.0119) | 0.60 (0.0403 of 0.0494) |
//! | 0.5 y, 0.1 y, apart | 200 | second | 0.96 (0.0010 of 0.0010) | 1.00 (0.0001 of 0.0000) | 1.00 (0.0003 of 0.0000) | 1.00 (0.0015 of 0.0000) |
//!
//! (`print_coverage` in the tests prints it.) The draws are normal. So the largest of many regrets comes out too large where the
//! regrets of worlds have a bound, the more the more worlds there are; it comes out too small where most worlds have hardly any and
//! few have much.
//!
//! Of a stratum with a single world nothing tells noise from truth in a maximum: there the plain means are used for the last three,
//! and the intervals show their noise, from resampled groups. Many runs in it make both small.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use thiserror::Error;

use super::matrix::Matrix;
use super::{Estimate, Goal, Limit};
use crate::random::{Stream, StreamKey, StreamSource};
use crate::stats::interval::Interval;
use crate::stats::special::normal_quantile;

mod means;

/// Draws of the true outcomes, and resamples of the worlds.
const DRAWS: u64 = 400;
/// Share of the worlds that a high regret leaves below it.
const HIGH: f64 = 0.9;
/// Eigenvalues below this part of the largest count as 0.
const NEGLIGIBLE: f64 = 1e-10;

/// What an evaluation asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// Which outcomes are better.
    pub goal: Goal,
    /// Whether outcomes are probabilities: shares of runs in which something came about.
    pub probability: bool,
    /// A limit that outcomes should keep, if any.
    pub limit: Option<Limit>,
    /// Level of the intervals, in `(0, 1)`.
    pub level: f64,
    /// Seed of the resampling.
    pub seed: u64,
}

/// How robust a setting is, in the unit of the outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Robustness {
    /// Expected outcome.
    pub expected: Estimate,
    /// Expected regret.
    pub regret_expected: Estimate,
    /// Regret that is exceeded in a tenth of the worlds, by weight.
    pub regret_90: Estimate,
    /// Largest regret among the worlds that were run.
    pub regret_maximal: Estimate,
    /// Share of the worlds, by weight, in which the outcome keeps the limit.
    pub satisficing: Option<Estimate>,
}

/// Outcomes that cannot be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum OutcomesError {
    /// No settings or strata.
    #[error("there must be at least one {0}")]
    Empty(&'static str),
    /// Less than two groups, or an empty one.
    #[error("chance shows only in two groups of runs or more")]
    Groups,
    /// A weight is not a finite number above 0.
    #[error("weights must be above 0, not {0}")]
    Weight(f64),
    /// There is no such stratum.
    #[error("there is no stratum {0}")]
    NoStratum(usize),
    /// Not one mean for each setting and group.
    #[error("a world needs {expected} means, not {got}")]
    Length {
        /// Settings times groups.
        expected: usize,
        /// How many there were.
        got: usize,
    },
    /// A mean is not finite.
    #[error("the mean of setting {setting} is not a finite number")]
    NotFinite {
        /// The setting.
        setting: usize,
    },
    /// A stratum has no world.
    #[error("stratum {0} has no world")]
    NoWorld(usize),
}

/// Outcomes of all settings in all worlds.
///
/// Strata are sets of worlds with a weight of their own, such as rival explanations; within a stratum all worlds weigh the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcomes {
    settings: usize,
    /// Of each group, its part of the runs times the number of groups: 1 if all are of equal size.
    parts: Vec<f64>,
    /// Runs of each world.
    runs: f64,
    strata: Vec<Stratum>,
}

#[derive(Clone, Debug, PartialEq)]
struct Stratum {
    weight: f64,
    worlds: Vec<World>,
}

#[derive(Clone, Debug, PartialEq)]
struct World {
    /// Which of the stratum's states it is in.
    state: u64,
    /// Worlds with the same unit share their random numbers.
    unit: u64,
    /// Mean of each setting.
    means: Vec<f64>,
    /// Deviations of each group from it, group by group.
    deviations: Vec<f64>,
}

impl Outcomes {
    /// No worlds yet, of strata with these weights (they need not add up to 1). The runs of each world are divided into groups of
    /// these sizes.
    ///
    /// # Errors
    /// No settings or strata, less than two groups; a weight that is not above 0.
    pub fn new(
        settings: usize,
        group_sizes: &[u64],
        weights: &[f64],
    ) -> Result<Self, OutcomesError> {
        for (name, number) in [("setting", settings), ("stratum", weights.len())] {
            if number == 0 {
                return Err(OutcomesError::Empty(name));
            }
        }
        if group_sizes.len() < 2 || group_sizes.contains(&0) {
            return Err(OutcomesError::Groups);
        }
        if let Some(&wrong) = weights.iter().find(|w| !(**w > 0.0 && w.is_finite())) {
            return Err(OutcomesError::Weight(wrong));
        }
        let total: f64 = weights.iter().sum();
        let stratum = |weight: &f64| Stratum {
            weight: weight / total,
            worlds: Vec::new(),
        };
        let runs = group_sizes.iter().sum::<u64>() as f64;
        let part = |&size: &u64| size as f64 * group_sizes.len() as f64 / runs;
        Ok(Self {
            settings,
            parts: group_sizes.iter().map(part).collect(),
            runs,
            strata: weights.iter().map(stratum).collect(),
        })
    }

    fn groups(&self) -> usize {
        self.parts.len()
    }

    /// Adds a world: for each setting the means of its groups, setting by setting. Group g of all settings has the same runs, and
    /// so has group g of all worlds with the same `unit`, in whatever stratum and state. A state has at most one world of a unit.
    ///
    /// # Errors
    /// There is no such stratum, or not a finite mean for each setting and group.
    pub fn add_world(
        &mut self,
        stratum: usize,
        state: u64,
        unit: u64,
        group_means: &[f64],
    ) -> Result<(), OutcomesError> {
        let (settings, groups) = (self.settings, self.groups());
        let expected = settings * groups;
        if group_means.len() != expected {
            return Err(OutcomesError::Length {
                expected,
                got: group_means.len(),
            });
        }
        if let Some(cell) = group_means.iter().position(|x| !x.is_finite()) {
            return Err(OutcomesError::NotFinite {
                setting: cell / groups,
            });
        }
        let rows = group_means.chunks_exact(groups);
        let mean = |row: &[f64]| {
            let sum: f64 = row.iter().zip(&self.parts).map(|(x, part)| x * part).sum();
            sum / groups as f64
        };
        let means: Vec<f64> = rows.map(mean).collect();
        let mut deviations = Vec::with_capacity(expected);
        for group in 0..groups {
            let of = |setting: usize| group_means[setting * groups + group] - means[setting];
            deviations.extend((0..settings).map(of));
        }
        let stratum = (self.strata.get_mut(stratum)).ok_or(OutcomesError::NoStratum(stratum))?;
        stratum.worlds.push(World {
            state,
            unit,
            means,
            deviations,
        });
        Ok(())
    }

    /// How robust each setting is. Deterministic: the same outcomes and question give the same answer, whatever the threads.
    ///
    /// # Errors
    /// A stratum without a world.
    pub fn evaluate(&self, question: &Question) -> Result<Vec<Robustness>, OutcomesError> {
        if let Some(empty) = self.strata.iter().position(|s| s.worlds.is_empty()) {
            return Err(OutcomesError::NoWorld(empty));
        }
        let key = |name| StreamKey::derive(question.seed, &["robustness", name]);
        let (draws, resamples) = (key("draws"), key("resamples"));
        let own: Vec<Posterior> = (self.strata.iter())
            .map(|stratum| self.posterior(&stratum.all(), stratum.is_one_unit()))
            .collect();
        let bounds = match question.probability {
            true => [0.0, 1.0],
            false => [f64::NEG_INFINITY, f64::INFINITY],
        };
        let plain: Vec<Vec<Vec<f64>>> = (self.strata.iter())
            .map(|stratum| stratum.worlds.iter().map(|w| w.means.clone()).collect())
            .collect();
        let observed = self.scores(question, &plain);
        let drawn: Vec<Vec<Scores>> = (0..DRAWS)
            .into_par_iter()
            .map(|number| {
                let mut stream = StreamSource::new(draws).stream(number);
                let worlds = (plain.iter().zip(&own))
                    .map(|(means, posterior)| posterior.draw(means, bounds, &mut stream));
                self.scores(question, &worlds.collect::<Vec<_>>())
            })
            .collect();
        let units: BTreeSet<u64> = (self.strata.iter())
            .flat_map(|stratum| stratum.worlds.iter().map(|world| world.unit))
            .collect();
        let units: Vec<u64> = units.into_iter().collect();
        let resampled: Vec<[Vec<Scores>; 2]> = (0..DRAWS)
            .into_par_iter()
            .map(|number| {
                let mut stream = StreamSource::new(resamples).stream(number);
                let picks = Picks::new(&units, self.groups(), &mut stream);
                let mut fixed = Vec::new();
                let mut moved = Vec::new();
                for (stratum, means) in self.strata.iter().zip(&plain) {
                    if stratum.is_one_unit() {
                        let others: Vec<World> = (stratum.worlds.iter())
                            .map(|world| World {
                                means: self.with_other_groups(world, &picks.groups),
                                ..world.clone()
                            })
                            .collect();
                        let posterior = self.posterior(&others.iter().collect::<Vec<_>>(), true);
                        let others: Vec<Vec<f64>> =
                            others.into_iter().map(|world| world.means).collect();
                        let outcomes = posterior.draw(&others, bounds, &mut stream);
                        fixed.push(outcomes.clone());
                        moved.push(outcomes);
                        continue;
                    }
                    let some = stratum.resampled(&picks.units);
                    let posterior = self.posterior(&some, false);
                    let some: Vec<Vec<f64>> = some.iter().map(|w| w.means.clone()).collect();
                    fixed.push(posterior.draw(means, bounds, &mut stream));
                    moved.push(posterior.draw(&some, bounds, &mut stream));
                }
                [self.scores(question, &fixed), self.scores(question, &moved)]
            })
            .collect();
        let fitted = self.cross_fitted(question.goal);
        let greatest = self.greatest(question.goal);
        let robustness = |setting: usize| {
            let estimate = |read: fn(&Scores) -> f64, kind: usize, lowest: f64| {
                let values = drawn.iter().map(|scores| read(&scores[setting]));
                let value = values.sum::<f64>() / DRAWS as f64;
                let values = resampled.iter().map(|both| read(&both[kind][setting]));
                let interval = percentiles(values.collect(), question.level);
                // The centre of a bootstrap may lie elsewhere: the interval is made to hold the estimate.
                let low = interval.low.min(value).min(lowest);
                let high = interval.high.max(value);
                // Of what never varied nothing is known.
                let interval = match high > low {
                    true => Interval::new(low, high),
                    false => means::UNKNOWN,
                };
                Estimate { value, interval }
            };
            let expected = self.expected(question, setting);
            let regret = means::Regret {
                drawn: estimate(|s| s.regret_expected, 1, f64::INFINITY),
                fitted: self.regret(question, setting, &fitted),
                plain: self.regret(question, setting, &greatest),
            };
            let regret_expected = regret.within(question, expected.interval);
            // Where it is not sure that there is any regret, there may be none in any world.
            let least = |plain: f64| match regret_expected.interval.low > 0.0 {
                true => plain,
                false => 0.0,
            };
            let plain = &observed[setting];
            Robustness {
                expected,
                regret_expected,
                regret_90: estimate(|s| s.regret_90, 1, least(plain.regret_90)),
                regret_maximal: estimate(|s| s.regret_maximal, 0, least(plain.regret_maximal)),
                satisficing: (question.limit)
                    .map(|_| estimate(|s| s.satisficing, 1, f64::INFINITY)),
            }
        };
        Ok((0..self.settings).map(robustness).collect())
    }

    /// What is known of the true outcomes of worlds of one stratum, which may all be of `one_unit`.
    fn posterior(&self, worlds: &[&World], one_unit: bool) -> Posterior {
        let n = self.settings;
        let count = worlds.len() as f64;
        let centre = centre(n, worlds.iter().map(|world| &*world.means));
        let as_they_are = |centre| Posterior {
            centre,
            gain: Matrix::identity(n),
            spread: Matrix::zero(n),
        };
        if worlds.len() < 2 {
            return as_they_are(centre);
        }
        let noise = self.noise(worlds, one_unit);
        let mut total = Matrix::zero(n);
        for world in worlds {
            let deviations: Vec<f64> = (world.means.iter().zip(&centre))
                .map(|(mean, centre)| mean - centre)
                .collect();
            total.add_outer(&deviations, 1.0 / (count - 1.0));
        }
        if noise.cells.iter().all(|&x| x == 0.0) {
            return as_they_are(centre);
        }
        let largest = (0..n).map(|i| total.cells[i * n + i]).fold(0.0, f64::max);
        let root = total.with_eigenvalues(|x| x.max(0.0).sqrt());
        let inverse_root = total.with_eigenvalues(|x| match x > largest * NEGLIGIBLE {
            true => 1.0 / x.sqrt(),
            false => 0.0,
        });
        let noise_share = inverse_root.times(&noise).times(&inverse_root);
        let kept =
            |f: fn(f64) -> f64| noise_share.with_eigenvalues(|x| f((1.0 - x).clamp(0.0, 1.0)));
        Posterior {
            centre,
            gain: root.times(&kept(|x| x)).times(&inverse_root),
            spread: root.times(&kept(|x| (x * (1.0 - x)).sqrt())),
        }
    }

    /// Covariance of the noise of the means of two worlds or more, which may all be of `one_unit`.
    fn noise(&self, worlds: &[&World], one_unit: bool) -> Matrix {
        let (n, groups) = (self.settings, self.groups());
        // Noise that all worlds of one unit share moves their mean, and does not spread them.
        let shared = match one_unit {
            true => centre(n * groups, worlds.iter().map(|world| &*world.deviations)),
            false => vec![0.0; n * groups],
        };
        let own = worlds.len() as f64 - f64::from(u8::from(one_unit));
        let mut noise = Matrix::zero(n);
        let factor = 1.0 / (own * groups as f64 * (groups - 1) as f64);
        for world in worlds {
            let apart: Vec<f64> = (world.deviations.iter().zip(&shared))
                .map(|(deviation, shared)| deviation - shared)
                .collect();
            for (deviations, part) in apart.chunks_exact(n).zip(&self.parts) {
                noise.add_outer(deviations, factor * part);
            }
        }
        noise
    }

    /// The means of a single world as other runs might have made them: over groups drawn from its own.
    fn with_other_groups(&self, world: &World, picks: &[usize]) -> Vec<f64> {
        let groups = self.groups() as f64;
        // Drawn means vary by a factor (G - 1) / G less than those of other runs.
        let scale = (groups / (groups - 1.0)).sqrt() / groups;
        let deviations: Vec<&[f64]> = world.deviations.chunks_exact(self.settings).collect();
        let outcome = |setting: usize| {
            let picked = |&group: &usize| self.parts[group] * deviations[group][setting];
            world.means[setting] + scale * picks.iter().map(picked).sum::<f64>()
        };
        (0..self.settings).map(outcome).collect()
    }

    /// Reads the scores of every setting off worlds with known outcomes, stratum by stratum.
    fn scores(&self, question: &Question, strata: &[Vec<Vec<f64>>]) -> Vec<Scores> {
        let mut all = vec![Scores::default(); self.settings];
        let mut regrets = vec![Vec::new(); self.settings];
        for (stratum, worlds) in self.strata.iter().zip(strata) {
            let weight = stratum.weight / worlds.len() as f64;
            for outcomes in worlds {
                let gain = |&outcome: &f64| question.goal.gain(outcome);
                let best = outcomes.iter().map(gain).fold(f64::NEG_INFINITY, f64::max);
                for (setting, outcome) in outcomes.iter().enumerate() {
                    let regret = best - gain(outcome);
                    let scores = &mut all[setting];
                    scores.regret_expected += weight * regret;
                    scores.regret_maximal = scores.regret_maximal.max(regret);
                    if question.limit.is_some_and(|limit| limit.holds(*outcome)) {
                        scores.satisficing += weight;
                    }
                    regrets[setting].push((regret, weight));
                }
            }
        }
        for (scores, regrets) in all.iter_mut().zip(&mut regrets) {
            scores.regret_90 = weighted_quantile(regrets, HIGH);
        }
        all
    }
}

impl Stratum {
    fn all(&self) -> Vec<&World> {
        self.worlds.iter().collect()
    }

    /// Whether all its worlds share their random numbers, so that only groups of runs show what is known.
    fn is_one_unit(&self) -> bool {
        self.worlds.windows(2).all(|two| two[0].unit == two[1].unit)
    }

    /// Its worlds, each as often as its unit was picked; all of them if fewer than two would be left.
    fn resampled(&self, units: &BTreeMap<u64, usize>) -> Vec<&World> {
        let times = |world: &World| units.get(&world.unit).copied().unwrap_or(0);
        let some: Vec<&World> = (self.worlds.iter())
            .flat_map(|world| std::iter::repeat_n(world, times(world)))
            .collect();
        if some.len() < 2 { self.all() } else { some }
    }
}

/// What a resample is made of.
struct Picks {
    /// How often each unit was picked.
    units: BTreeMap<u64, usize>,
    /// The groups picked.
    groups: Vec<usize>,
}

impl Picks {
    /// As many units and groups as there are, each drawn from all.
    fn new(units: &[u64], groups: usize, stream: &mut Stream) -> Self {
        let mut index = |number: usize| {
            let at = (stream.uniform() * number as f64) as usize;
            at.min(number - 1)
        };
        let mut picked = BTreeMap::new();
        for _ in units {
            *picked.entry(units[index(units.len())]).or_insert(0) += 1;
        }
        Self {
            units: picked,
            groups: (0..groups).map(|_| index(groups)).collect(),
        }
    }
}

/// Normal distribution of the true outcomes of a world given its means.
struct Posterior {
    centre: Vec<f64>,
    gain: Matrix,
    /// Root of the covariance.
    spread: Matrix,
}

impl Posterior {
    /// True outcomes of each world, within bounds.
    fn draw(&self, means: &[Vec<f64>], bounds: [f64; 2], stream: &mut Stream) -> Vec<Vec<f64>> {
        let certain = self.spread.cells.iter().all(|&x| x == 0.0);
        let one = |means: &Vec<f64>| {
            let deviations: Vec<f64> = (means.iter().zip(&self.centre))
                .map(|(mean, centre)| mean - centre)
                .collect();
            let mut outcomes = self.gain.apply(&deviations);
            for (outcome, centre) in outcomes.iter_mut().zip(&self.centre) {
                *outcome += centre;
            }
            if !certain {
                let normal: Vec<f64> = (0..self.spread.size)
                    .map(|_| normal_quantile(stream.uniform()))
                    .collect();
                for (outcome, part) in outcomes.iter_mut().zip(self.spread.apply(&normal)) {
                    *outcome += part;
                }
            }
            for outcome in &mut outcomes {
                *outcome = outcome.clamp(bounds[0], bounds[1]);
            }
            outcomes
        };
        means.iter().map(one).collect()
    }
}

/// The mean of vectors of length `n`.
fn centre<'a>(n: usize, vectors: impl ExactSizeIterator<Item = &'a [f64]>) -> Vec<f64> {
    let count = vectors.len() as f64;
    let mut centre = vec![0.0; n];
    for vector in vectors {
        for (sum, x) in centre.iter_mut().zip(vector) {
            *sum += x / count;
        }
    }
    centre
}

/// What is read off worlds with known outcomes.
#[derive(Clone, Copy, Debug, Default)]
struct Scores {
    regret_expected: f64,
    regret_90: f64,
    regret_maximal: f64,
    satisficing: f64,
}

/// The smallest value at or below which a share `p` of the weight lies.
fn weighted_quantile(values: &mut [(f64, f64)], p: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mut below = 0.0;
    for &(value, weight) in values.iter() {
        below += weight;
        if below >= p * total - 1e-12 {
            return value;
        }
    }
    values.last().map_or(f64::NAN, |&(value, _)| value)
}

/// Central share `level` of values.
pub(super) fn percentiles(mut values: Vec<f64>, level: f64) -> Interval {
    values.sort_by(f64::total_cmp);
    let at = |p: f64| {
        let place = p * (values.len() - 1) as f64;
        let (below, part) = (place.floor(), place - place.floor());
        let value = |i: f64| values[(i as usize).min(values.len() - 1)];
        value(below) + part * (value(below + 1.0) - value(below))
    };
    let tail = (1.0 - level) / 2.0;
    Interval::new(at(tail), at(1.0 - tail))
}

#[cfg(test)]
mod tests;
