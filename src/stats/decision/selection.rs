//! The best of several systems, with a stated probability.
//!
//! [`select`] is the fully sequential procedure KN of S.-H. Kim and B. L. Nelson, "A fully sequential procedure for
//! indifference-zone selection in simulation", ACM Transactions on Modeling and Computer Simulation 11 (2001), figure 1 with
//! c = 1. All systems are observed under common random numbers, and a system is dropped as soon as another is better by more
//! than chance can explain. If the best is better than every other by at least the *indifference zone*, it is found with at
//! least the stated probability; systems within that zone of the best may be found in its place.
//!
//! The proof takes observations as normal and independent of one another; between systems any correlation is allowed. So an
//! observation should be a mean over many runs (a world of 50, say), which also makes those of worlds independent. Measured on
//! yes-or-no outcomes in batches, 5 systems of which the first is the best, 95 % asked for:
//!
//! | batch | probabilities | zone | found the best | observations against equal numbers |
//! |---|---|---|---|---|
//! | 50 | 0.3, 0.35, 0.35, 0.35, 0.35 | 0.05 | 0.998 | 100 % |
//! | 50 | 0.3, 0.35, 0.4, 0.45, 0.5 | 0.05 | 1.000 | 100 % |
//! | 50 | 0.02, 0.03, 0.03, 0.03, 0.03 | 0.01 | 0.968 | 90 % |
//! | 50 | 0.02, 0.03, 0.05, 0.08, 0.12 | 0.005 | 1.000 | 72 % |
//!
//! (`print_selection` in the tests prints it; 500 repetitions, first stage of 20.) Where the first stage is enough, all systems have
//! the same number of observations. The last column compares with giving each system as many as the one observed most.
//!
//! [`allocate`] spends a fixed number of observations instead: optimal computing budget allocation, C.-H. Chen, J. Lin, E. Yücesan
//! and S. E. Chick, "Simulation budget allocation for further enhancing the efficiency of ordinal optimization", Discrete Event
//! Dynamic Systems 10 (2000), theorem 1. It states an estimated probability and no guarantee.

use std::ops::Range;

use thiserror::Error;

use super::Goal;
use crate::stats::special::normal_cdf;

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
    let first = plan.first_stage.min(plan.most);
    let mut observed = Observed::new(count, plan.goal);
    observed.keep_first_stage = true;
    for system in 0..count {
        observed.take(systems, system, first)?;
    }
    // Figure 1, initialization: continuation regions end at h^2 S^2 / delta^2.
    let df = (first - 1) as f64;
    let beta = (1.0 - plan.probability) / (count - 1) as f64;
    let eta = (libm::pow(2.0 * beta, -2.0 / df) - 1.0) / 2.0;
    let h2 = 2.0 * eta * df;
    let delta = plan.indifference;
    let reach = |a: usize, b: usize| h2 * observed.first_stage_variance(a, b) / (delta * delta);
    let mut reaches = vec![0.0; count * count];
    for a in 0..count {
        for b in 0..count {
            reaches[a * count + b] = reach(a, b);
        }
    }
    let furthest = reaches.iter().copied().fold(0.0, f64::max);
    observed.first_stage = Vec::new();
    let mut survivors: Vec<usize> = (0..count).collect();
    let mut made = first;
    let complete = loop {
        let r = made as f64;
        let beaten = |a: usize| {
            survivors.iter().any(|&b| {
                let margin = (delta / (2.0 * r) * (reaches[a * count + b] - r)).max(0.0);
                b != a && observed.gain(a) < observed.gain(b) - margin
            })
        };
        let kept: Vec<usize> = (survivors.iter().copied())
            .filter(|&a| !beaten(a))
            .collect();
        survivors = kept;
        // Beyond the last region the best mean is taken: those left are within the zone.
        if survivors.len() == 1 || r > furthest {
            break true;
        }
        if made >= plan.most {
            break false;
        }
        let step = plan.step.min(plan.most - made);
        for &system in &survivors {
            observed.take(systems, system, step)?;
        }
        made += step;
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

/// What came of a fixed number of observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// The system with the best mean.
    pub best: usize,
    /// Estimated probability that it is the best: one less the sum of the probabilities that each other system is better, which
    /// is below the true one if the variances were known. No guarantee.
    pub probability: f64,
    /// Observations made of each system.
    pub observations: Vec<u64>,
    /// Mean of the observations of each system.
    pub means: Vec<f64>,
}

/// Spends about `budget` observations in all where they tell most about which system is the best, or fewer once the estimated
/// probability reaches that of the plan. `plan.most` is not used.
///
/// # Errors
/// As for [`select`].
pub fn allocate<S: Systems>(
    systems: &mut S,
    plan: &SelectionPlan,
    budget: u64,
) -> Result<Allocation, SelectionError<S::Error>> {
    let count = systems.count();
    check(count, plan)?;
    let mut observed = Observed::new(count, plan.goal);
    for system in 0..count {
        observed.take(systems, system, plan.first_stage)?;
    }
    loop {
        let best = observed.best();
        let probability = observed.probability(best);
        let spent: u64 = observed.counts.iter().sum();
        if probability >= plan.probability || spent >= budget {
            return Ok(Allocation {
                best,
                probability,
                means: observed.means(),
                observations: observed.counts,
            });
        }
        let gains: Vec<f64> = (0..count).map(|i| observed.gain(i)).collect();
        let variances: Vec<f64> = (0..count).map(|i| observed.variance(i)).collect();
        let shares = ocba_shares(&gains, &variances, plan.indifference);
        let round = plan.step.saturating_mul(count as u64).min(budget - spent);
        let target = (spent + round) as f64;
        let wanted: Vec<f64> = (shares.iter().zip(&observed.counts))
            .map(|(share, &made)| (share * target - made as f64).max(0.0))
            .collect();
        let total: f64 = wanted.iter().sum();
        let mut any = false;
        for (system, wanted) in wanted.iter().enumerate() {
            let more = (wanted / total * round as f64).floor();
            if more >= 1.0 {
                observed.take(systems, system, more as u64)?;
                any = true;
            }
        }
        if !any {
            observed.take(systems, best, round)?;
        }
    }
}

/// Shares of the budget: `N_i` proportional to `variance_i / distance_i^2` and `N_b = sd_b sqrt(sum of N_i^2 / variance_i)`.
/// `gains` are means of which larger is better; distances below `smallest` count as that.
fn ocba_shares(gains: &[f64], variances: &[f64], smallest: f64) -> Vec<f64> {
    let best = (0..gains.len()).fold(0, |b, i| if gains[i] > gains[b] { i } else { b });
    // A system that has not varied yet may still do so.
    let floor = variances.iter().copied().fold(0.0, f64::max) * 1e-3;
    let variance = |i: usize| variances[i].max(floor).max(f64::MIN_POSITIVE);
    let mut shares: Vec<f64> = (0..gains.len())
        .map(|i| {
            let distance = (gains[best] - gains[i]).max(smallest);
            variance(i) / (distance * distance)
        })
        .collect();
    shares[best] = 0.0;
    let sum: f64 = (0..gains.len())
        .map(|i| shares[i] * shares[i] / variance(i))
        .sum();
    shares[best] = (variance(best) * sum).sqrt();
    let total: f64 = shares.iter().sum();
    shares.iter().map(|share| share / total).collect()
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
    squares: Vec<f64>,
    keep_first_stage: bool,
    /// First observations of each system.
    first_stage: Vec<Vec<f64>>,
}

impl Observed {
    fn new(count: usize, goal: Goal) -> Self {
        Self {
            goal,
            counts: vec![0; count],
            sums: vec![0.0; count],
            squares: vec![0.0; count],
            keep_first_stage: false,
            first_stage: Vec::new(),
        }
    }

    fn take<S: Systems>(
        &mut self,
        systems: &mut S,
        system: usize,
        more: u64,
    ) -> Result<(), SelectionError<S::Error>> {
        let first = self.counts[system];
        let values = systems
            .sample(system, first..first + more)
            .map_err(|error| SelectionError::Sample { system, error })?;
        if values.len() as u64 != more {
            return Err(SelectionError::WrongNumber(system));
        }
        for (observation, &value) in (first..).zip(&values) {
            if !value.is_finite() {
                return Err(SelectionError::NotFinite {
                    system,
                    observation,
                });
            }
            let gain = self.goal.gain(value);
            self.sums[system] += gain;
            self.squares[system] += gain * gain;
        }
        self.counts[system] += more;
        if self.keep_first_stage && first == 0 {
            self.first_stage
                .push(values.iter().map(|&v| self.goal.gain(v)).collect());
        }
        Ok(())
    }

    fn gain(&self, system: usize) -> f64 {
        self.sums[system] / self.counts[system] as f64
    }

    fn means(&self) -> Vec<f64> {
        (0..self.counts.len())
            .map(|system| self.goal.gain(self.gain(system)))
            .collect()
    }

    fn variance(&self, system: usize) -> f64 {
        let n = self.counts[system] as f64;
        let mean = self.gain(system);
        ((self.squares[system] - n * mean * mean) / (n - 1.0)).max(0.0)
    }

    fn best(&self) -> usize {
        (0..self.counts.len()).fold(0, |best, other| {
            if self.gain(other) > self.gain(best) {
                other
            } else {
                best
            }
        })
    }

    /// Sample variance of the difference of two systems in the first stage.
    fn first_stage_variance(&self, a: usize, b: usize) -> f64 {
        let pairs = self.first_stage[a].iter().zip(&self.first_stage[b]);
        let differences: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
        let n = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / n;
        let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
        squares / (n - 1.0)
    }

    /// Bonferroni's bound with normal tails: equation (3) of Chen et al.
    fn probability(&self, best: usize) -> f64 {
        let error = |i: usize| self.variance(i) / self.counts[i] as f64;
        let wrong: f64 = (0..self.counts.len())
            .filter(|&i| i != best)
            .map(|i| {
                let spread = (error(i) + error(best)).sqrt();
                let distance = self.gain(best) - self.gain(i);
                if spread > 0.0 {
                    normal_cdf(-distance / spread)
                } else if distance > 0.0 {
                    0.0
                } else {
                    0.5
                }
            })
            .sum();
        (1.0 - wrong).max(0.0)
    }
}

#[cfg(test)]
mod tests;
