//! The best of several systems, with a stated probability.
//!
//! [`select`] is the fully sequential procedure KN of S.-H. Kim and B. L. Nelson, "A fully sequential procedure for
//! indifference-zone selection in simulation", ACM Transactions on Modeling and Computer Simulation 11 (2001), figure 1 with
//! c = 1. All systems are observed under common random numbers, and a system is dropped as soon as another is better by more
//! than chance can explain. If the best is better than every other by at least the *indifference zone*, it is found with at
//! least the stated probability; systems within that zone of the best may be found in its place.
//!
//! The proof takes observations as normal and independent of one another; between systems any correlation is allowed. So an
//! observation should be a mean over many runs (50 or more), and those that share a world should be in one observation. The
//! first stage, from which the variance of a difference comes, is each pair's own: it lasts until [`FEWEST_DIFFERENCES`]
//! observations of the two differ, since outcomes that are rare in both show no variance for a long time, and then far too little
//! of it. A pair that hardly ever differs is settled when the share of observations that do is known to be so small that the two
//! lie within the zone (E. S. Clopper and E. B. Pearson's bound, times the largest possible difference). As long as a pair of
//! survivors is not settled, nothing is guaranteed. Measured on yes-or-no outcomes in batches, the first of the systems the best,
//! 95 % asked for:
//!
//! | batch | probabilities | zone | found the best | observations against equal numbers |
//! |---|---|---|---|---|
//! | 50 | 0.3, 0.35, 0.35, 0.35, 0.35 | 0.05 | 0.998 | 95 % |
//! | 50 | 0.3, 0.35, 0.4, 0.45, 0.5 | 0.05 | 1.000 | 95 % |
//! | 50 | 0.02, 0.03, 0.03, 0.03, 0.03 | 0.01 | 0.988 | 90 % |
//! | 50 | 0.02, 0.03, 0.05, 0.08, 0.12 | 0.005 | 1.000 | 73 % |
//! | 50 | 0.003, 0.01, 0.01 | 0.005 | 1.000 | 95 % |
//! | 50 | 0.001, 0.006, 0.006 | 0.005 | 1.000 | 95 % |
//!
//! (`print_selection` in the tests prints it; 500 repetitions, first stage of 20.) Where the first stage is enough, all systems have
//! the same number of observations. The last column compares with giving each system as many as the one observed most.

use std::ops::Range;

use thiserror::Error;

use super::Goal;
use crate::stats::proportion::clopper_pearson;

/// Observations of two systems that must differ before the variance of their difference is believed.
pub const FEWEST_DIFFERENCES: u64 = 20;

/// What is to be compared.
pub trait Systems {
    /// Why an observation cannot be made.
    type Error;

    /// How many there are.
    fn count(&self) -> usize;

    /// Observations with the numbers `observations` of one system, in order. Observations with one number share their random
    /// numbers in all systems; those with different numbers are independent. The same call gives the same values.
    ///
    /// # Errors
    /// An observation cannot be made.
    fn sample(&mut self, system: usize, observations: Range<u64>) -> Result<Vec<f64>, Self::Error>;
}

/// How to look for the best system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelectionPlan {
    /// Which outcomes are better.
    pub goal: Goal,
    /// Probability of finding the best, in `(1 / systems, 1)`.
    pub probability: f64,
    /// Difference worth detecting, above 0, in the unit of the outcome.
    pub indifference: f64,
    /// The largest possible difference of two outcomes, if there is one: 1 for probabilities.
    pub range: Option<f64>,
    /// Observations of each system before the first is dropped, at least 2; 20 or more are advised.
    pub first_stage: u64,
    /// Observations between two decisions, at least 1.
    pub step: u64,
    /// Most observations of one system.
    pub most: u64,
}

/// A plan that cannot be carried out, or a system that cannot be observed.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum SelectionError<E> {
    /// There is nothing to choose from.
    #[error("a selection needs two systems or more, not {0}")]
    TooFewSystems(usize),
    /// The probability is out of range.
    #[error(
        "the probability of a correct selection must lie between {chance} (pure chance) and 1, not {asked}"
    )]
    Probability {
        /// What was asked for.
        asked: f64,
        /// One over the number of systems.
        chance: f64,
    },
    /// The indifference zone is not above 0.
    #[error("the indifference zone must be above 0, not {0}")]
    Indifference(f64),
    /// A number of observations is too small.
    #[error("the {name} must be at least {least}")]
    TooFew {
        /// Which number.
        name: &'static str,
        /// Its least value.
        least: u64,
    },
    /// An outcome is not finite.
    #[error("observation {observation} of system {system} is not a finite number")]
    NotFinite {
        /// The system.
        system: usize,
        /// Number of the observation.
        observation: u64,
    },
    /// The sampler gave too few or too many values.
    #[error("system {0} did not give the observations that it was asked for")]
    WrongNumber(usize),
    /// The system cannot be observed.
    #[error("system {system}: {error}")]
    Sample {
        /// The system.
        system: usize,
        /// Why.
        error: E,
    },
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// The system with the best mean among those that were not dropped.
    pub best: usize,
    /// Whether the probability asked for is guaranteed: all others were dropped, or could be no better by more than the
    /// indifference zone. False when the largest number of observations came first.
    pub complete: bool,
    /// Systems that were not dropped, in order.
    pub survivors: Vec<usize>,
    /// Observations made of each system.
    pub observations: Vec<u64>,
    /// Mean of the observations of each system.
    pub means: Vec<f64>,
}

/// Finds the best system. Deterministic: the same systems and plan give the same selection.
///
/// # Errors
/// The plan is out of range, or an observation cannot be made or is not finite.
pub fn select<S: Systems>(
    systems: &mut S,
    plan: &SelectionPlan,
) -> Result<Selection, SelectionError<S::Error>> {
    let count = systems.count();
    check(count, plan)?;
    let mut observed = Observed {
        goal: plan.goal,
        counts: vec![0; count],
        sums: vec![0.0; count],
    };
    let mut pairs = vec![Pair::default(); count * count];
    let pair = |a: usize, b: usize| a.min(b) * count + a.max(b);
    let delta = plan.indifference;
    let mut survivors: Vec<usize> = (0..count).collect();
    let mut made = 0;
    let mut step = plan.first_stage;
    let complete = loop {
        step = step.min(plan.most - made);
        let mut gains = Vec::with_capacity(survivors.len());
        for &system in &survivors {
            gains.push(observed.take(systems, system, step)?);
        }
        made += step;
        step = plan.step;
        for (i, &a) in survivors.iter().enumerate() {
            for (j, &b) in survivors.iter().enumerate().skip(i + 1) {
                pairs[pair(a, b)].add(&gains[i], &gains[j], plan, count);
            }
        }
        let r = made as f64;
        let beaten = |a: usize| {
            survivors.iter().any(|&b| {
                let reach = match pairs[pair(a, b)].reach {
                    Some(reach) if a != b => reach,
                    _ => return false,
                };
                let margin = (delta / (2.0 * r) * (reach - r)).max(0.0);
                observed.gain(a) < observed.gain(b) - margin
            })
        };
        let kept: Vec<usize> = (survivors.iter().copied())
            .filter(|&a| !beaten(a))
            .collect();
        survivors = kept;
        // Beyond the last region the best mean is taken: those left are within the zone.
        let ended = survivors.iter().enumerate().all(|(i, &a)| {
            let reach = |&b: &usize| pairs[pair(a, b)].reach;
            survivors[i + 1..]
                .iter()
                .all(|b| reach(b).is_some_and(|reach| r > reach))
        });
        if ended {
            break true;
        }
        if made >= plan.most {
            break false;
        }
    };
    let best = survivors.iter().copied().fold(survivors[0], |best, other| {
        if observed.gain(other) > observed.gain(best) {
            other
        } else {
            best
        }
    });
    Ok(Selection {
        best,
        complete,
        survivors,
        means: observed.means(),
        observations: observed.counts,
    })
}

fn check<E>(count: usize, plan: &SelectionPlan) -> Result<(), SelectionError<E>> {
    if count < 2 {
        return Err(SelectionError::TooFewSystems(count));
    }
    let chance = 1.0 / count as f64;
    let asked = plan.probability;
    if !(asked > chance && asked < 1.0) {
        return Err(SelectionError::Probability { asked, chance });
    }
    if !(plan.indifference > 0.0 && plan.indifference.is_finite()) {
        return Err(SelectionError::Indifference(plan.indifference));
    }
    for (name, value, least) in [
        ("first stage", plan.first_stage, 2),
        ("largest number of observations", plan.most, 2),
        ("step", plan.step, 1),
    ] {
        if value < least {
            return Err(SelectionError::TooFew { name, least });
        }
    }
    Ok(())
}

/// Sums of what was observed, as gains: larger is better.
struct Observed {
    goal: Goal,
    counts: Vec<u64>,
    sums: Vec<f64>,
}

impl Observed {
    /// Observes a system some more; the gains.
    fn take<S: Systems>(
        &mut self,
        systems: &mut S,
        system: usize,
        more: u64,
    ) -> Result<Vec<f64>, SelectionError<S::Error>> {
        let first = self.counts[system];
        let mut values = systems
            .sample(system, first..first + more)
            .map_err(|error| SelectionError::Sample { system, error })?;
        if values.len() as u64 != more {
            return Err(SelectionError::WrongNumber(system));
        }
        for (observation, value) in (first..).zip(&mut values) {
            if !value.is_finite() {
                return Err(SelectionError::NotFinite {
                    system,
                    observation,
                });
            }
            *value = self.goal.gain(*value);
            self.sums[system] += *value;
        }
        self.counts[system] += more;
        Ok(values)
    }

    fn gain(&self, system: usize) -> f64 {
        self.sums[system] / self.counts[system] as f64
    }

    fn means(&self) -> Vec<f64> {
        (0..self.counts.len())
            .map(|system| self.goal.gain(self.gain(system)))
            .collect()
    }
}

/// Differences of two systems in their first stage.
#[derive(Clone, Default)]
struct Pair {
    count: u64,
    differing: u64,
    mean: f64,
    squares: f64,
    /// Where the continuation region ends, once the first stage is over.
    reach: Option<f64>,
}

impl Pair {
    fn add(&mut self, a: &[f64], b: &[f64], plan: &SelectionPlan, systems: usize) {
        if self.reach.is_some() {
            return;
        }
        // B. P. Welford's recurrence, Technometrics 4 (1962).
        for difference in a.iter().zip(b).map(|(a, b)| a - b) {
            self.count += 1;
            self.differing += u64::from(difference != 0.0);
            let from_old = difference - self.mean;
            self.mean += from_old / self.count as f64;
            self.squares += from_old * (difference - self.mean);
        }
        let delta = plan.indifference;
        let beta = (1.0 - plan.probability) / (systems - 1) as f64;
        let alike = plan.range.is_some_and(|range| {
            range * clopper_pearson(self.differing, self.count, 1.0 - 2.0 * beta).high < delta
        });
        if self.count >= 2 && (self.differing >= FEWEST_DIFFERENCES || alike) {
            // Figure 1, initialization: the region ends at h^2 S^2 / delta^2.
            let df = (self.count - 1) as f64;
            let eta = (libm::pow(2.0 * beta, -2.0 / df) - 1.0) / 2.0;
            self.reach = Some(2.0 * eta * self.squares / (delta * delta));
        }
    }
}

#[cfg(test)]
mod tests;
