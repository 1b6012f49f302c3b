//! Expected outcome and expected regret: means over worlds, put together from the states.

use std::collections::BTreeMap;

use super::{Outcomes, Question, World};
use crate::stats::decision::{Estimate, Goal};
use crate::stats::interval::Interval;
use crate::stats::matched_pairs;
use crate::stats::mean::student_interval;
use crate::stats::proportion;
use crate::stats::special::{student_t_quantile, two_sided_z};

/// Where nothing is known.
pub const UNKNOWN: Interval = Interval {
    low: f64::NEG_INFINITY,
    high: f64::INFINITY,
};
/// Differences below this part of the values are those of rounding.
const ROUNDING: f64 = 1e-12;

/// What is averaged.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Probability,
    /// A difference of probabilities.
    Difference,
}

/// One world: its value, and how each group differs from it.
struct Value {
    unit: u64,
    value: f64,
    deviations: Vec<f64>,
}

/// Worlds of one state with the weight of their mean.
struct State {
    weight: f64,
    values: Vec<Value>,
}

/// What varies together across states: a unit, or the groups of single worlds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Unit(u64),
    Group(usize),
}

/// The mean of one state, how far its interval reaches below and above it, and which parts of that come from where: their squares
/// add up to 1. No parts if there is no spread.
struct Part {
    value: f64,
    reach: [f64; 2],
    parts: Vec<(Source, f64)>,
}

impl Outcomes {
    pub(super) fn expected(&self, question: &Question, setting: usize) -> Estimate {
        let states = self.states(|_, world| {
            let deviations = world.deviations.chunks_exact(self.settings);
            (
                world.means[setting],
                deviations.map(|group| group[setting]).collect(),
            )
        });
        let kind = match question.probability {
            true => Kind::Probability,
            false => Kind::Number,
        };
        let mut estimate = self.mean(&states, kind, question.level);
        if question.probability {
            let Interval { low, high } = estimate.interval;
            estimate.interval = Interval::new(low.max(0.0), high.min(1.0));
        }
        estimate
    }

    /// The expected regret against what was attained in each stratum, world and group.
    pub(super) fn regret(
        &self,
        question: &Question,
        setting: usize,
        attained: &[Vec<Vec<f64>>],
    ) -> Estimate {
        let states = self.states(|[stratum, number], world| {
            let gains = self.gains(question.goal, world);
            let regrets: Vec<f64> = (attained[stratum][number].iter().zip(&gains))
                .map(|(best, gains)| best - gains[setting])
                .collect();
            let value = self.weighted(&regrets, |_| true);
            (value, regrets.iter().map(|x| x - value).collect())
        });
        let kind = match question.probability {
            true => Kind::Difference,
            false => Kind::Number,
        };
        self.mean(&states, kind, question.level)
    }

    /// What the setting gains in each group that is the best in its world.
    pub(super) fn greatest(&self, goal: Goal) -> Vec<Vec<Vec<f64>>> {
        let world = |world: &World| -> Vec<f64> {
            let means: Vec<f64> = world.means.iter().map(|&mean| goal.gain(mean)).collect();
            let choice = best(&means, &means);
            let groups = self.gains(goal, world);
            groups.iter().map(|gains| gains[choice]).collect()
        };
        let strata = self.strata.iter();
        strata
            .map(|stratum| stratum.worlds.iter().map(world).collect())
            .collect()
    }

    /// For each stratum, world and group, what the setting gains there that the other half of the groups holds for the best.
    pub(super) fn cross_fitted(&self, goal: Goal) -> Vec<Vec<Vec<f64>>> {
        let stratum = |stratum: &super::Stratum| {
            let gains: Vec<Vec<Vec<f64>>> = (stratum.worlds.iter())
                .map(|world| self.gains(goal, world))
                .collect();
            let halves: Vec<[Vec<f64>; 2]> =
                gains.iter().map(|groups| self.halves(groups)).collect();
            let all = mean_of_halves(self.settings, halves.iter());
            let mut by_state: BTreeMap<u64, Vec<&[Vec<f64>; 2]>> = BTreeMap::new();
            for (world, halves) in stratum.worlds.iter().zip(&halves) {
                by_state.entry(world.state).or_default().push(halves);
            }
            let by_state: BTreeMap<u64, [Vec<f64>; 2]> = (by_state.into_iter())
                .map(|(state, halves)| (state, mean_of_halves(self.settings, halves.into_iter())))
                .collect();
            // The best in the world, in its state, in all worlds of the stratum; ties go by the last.
            let chosen = |rule: usize| -> Vec<Vec<f64>> {
                let worlds = stratum.worlds.iter().zip(&halves).zip(&gains);
                let attained = worlds.map(|((world, halves), gains)| {
                    let judged = [halves, &by_state[&world.state], &all][rule];
                    let choice = [0, 1].map(|half| best(&judged[half], &all[half]));
                    let groups = gains.iter().enumerate();
                    groups
                        .map(|(group, gains)| gains[choice[(group + 1) % 2]])
                        .collect()
                });
                attained.collect()
            };
            let total = |attained: &Vec<Vec<f64>>| -> f64 {
                attained
                    .iter()
                    .map(|groups| self.weighted(groups, |_| true))
                    .sum()
            };
            let mut most = chosen(0);
            for rule in [1, 2] {
                let other = chosen(rule);
                if total(&other) > total(&most) {
                    most = other;
                }
            }
            most
        };
        self.strata.iter().map(stratum).collect()
    }

    /// Gains of each setting, group by group.
    fn gains(&self, goal: Goal, world: &World) -> Vec<Vec<f64>> {
        let gain = |(mean, deviation): (&f64, &f64)| goal.gain(mean + deviation);
        (world.deviations.chunks_exact(self.settings))
            .map(|group| world.means.iter().zip(group).map(gain).collect())
            .collect()
    }

    /// Gains of each setting in the groups of even and of odd number.
    fn halves(&self, groups: &[Vec<f64>]) -> [Vec<f64>; 2] {
        [0, 1].map(|half| {
            let setting = |setting: usize| {
                let gains: Vec<f64> = groups.iter().map(|gains| gains[setting]).collect();
                self.weighted(&gains, |group| group % 2 == half)
            };
            (0..self.settings).map(setting).collect()
        })
    }

    /// The mean of some groups by their numbers of runs.
    fn weighted(&self, groups: &[f64], some: impl Fn(usize) -> bool) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (group, (x, part)) in groups.iter().zip(&self.parts).enumerate() {
            if some(group) {
                sum += part * x;
                weight += part;
            }
        }
        sum / weight
    }

    /// Something known for each world, by states. `read` is given the numbers of the stratum and of the world in it.
    fn states(&self, read: impl Fn([usize; 2], &World) -> (f64, Vec<f64>)) -> Vec<State> {
        let mut states: BTreeMap<(usize, u64), State> = BTreeMap::new();
        for (index, stratum) in self.strata.iter().enumerate() {
            let share = stratum.weight / stratum.worlds.len() as f64;
            for (number, world) in stratum.worlds.iter().enumerate() {
                let (value, deviations) = read([index, number], world);
                let state = states.entry((index, world.state)).or_insert_with(|| State {
                    weight: 0.0,
                    values: Vec::new(),
                });
                state.weight += share;
                state.values.push(Value {
                    unit: world.unit,
                    value,
                    deviations,
                });
            }
        }
        states.into_values().collect()
    }

    /// The mean over states by weight, with its interval (see the module).
    fn mean(&self, states: &[State], kind: Kind, level: f64) -> Estimate {
        let mut value = 0.0;
        let mut sums: BTreeMap<Source, [f64; 2]> = BTreeMap::new();
        let mut rest = [0.0; 2];
        for state in states {
            let part = self.part(state, kind, level);
            value += state.weight * part.value;
            for side in [0, 1] {
                let reach = state.weight * part.reach[side];
                if part.parts.is_empty() {
                    rest[side] += reach;
                }
                for (source, part) in &part.parts {
                    sums.entry(*source).or_default()[side] += reach * part;
                }
            }
        }
        let reach = [0, 1].map(|side| {
            let squares: f64 = sums.values().map(|sum| sum[side] * sum[side]).sum();
            squares.sqrt() + rest[side]
        });
        let interval = match reach[0] + reach[1] > ROUNDING * value.abs() {
            true => Interval::new(value - reach[0], value + reach[1]),
            false => UNKNOWN,
        };
        Estimate { value, interval }
    }

    fn part(&self, state: &State, kind: Kind, level: f64) -> Part {
        let values = &state.values;
        let count = values.len() as f64;
        let value = values.iter().map(|world| world.value).sum::<f64>() / count;
        // What differs from the mean, and the number of what is independent.
        let (number, mut parts): (f64, Vec<(Source, f64)>) = match values.as_slice() {
            [world] => {
                let groups = world.deviations.iter().zip(&self.parts).enumerate();
                (
                    self.parts.len() as f64,
                    groups
                        .map(|(group, (deviation, part))| {
                            (Source::Group(group), deviation * part.sqrt())
                        })
                        .collect(),
                )
            }
            _ => (
                count,
                (values.iter())
                    .map(|world| (Source::Unit(world.unit), world.value - value))
                    .collect(),
            ),
        };
        let size = parts.iter().map(|(_, x)| x * x).sum::<f64>().sqrt();
        let scale = match kind {
            Kind::Number => values
                .iter()
                .map(|world| world.value.abs())
                .fold(0.0, f64::max),
            Kind::Probability | Kind::Difference => 1.0,
        };
        let error = if size <= ROUNDING * scale {
            parts.clear();
            0.0
        } else {
            parts.iter_mut().for_each(|(_, x)| *x /= size);
            size / (number * (number - 1.0)).sqrt()
        };
        let interval = match kind {
            Kind::Number if error == 0.0 => Interval::new(value, value),
            Kind::Number => student_interval(value, error, number - 1.0, level),
            Kind::Probability => self.probability(values, value, error, level),
            Kind::Difference => self.difference(values, value, error, level),
        };
        Part {
            value,
            reach: [value - interval.low, interval.high - value].map(|reach| reach.max(0.0)),
            parts,
        }
    }

    /// Wilson's interval of a probability at the effective number of runs, as in a cell.
    fn probability(&self, values: &[Value], p: f64, error: f64, level: f64) -> Interval {
        let worlds = values.len() as f64;
        if values.len() == 1 {
            return proportion::score_interval(p, self.runs, two_sided_z(level));
        }
        let runs = worlds * self.runs;
        let other_than = |end: f64| {
            let others = values
                .iter()
                .filter(|world| (world.value - end).abs() > ROUNDING);
            others.count()
        };
        let informative = other_than(0.0).min(other_than(1.0));
        let effective = match error > 0.0 {
            true => (p * (1.0 - p) / (error * error)).clamp(worlds, runs),
            // The same inside in all worlds says that they do not differ; none or all say nothing.
            false if informative > 0 => runs,
            false => worlds,
        };
        proportion::score_interval(p, effective, deviate(informative, worlds, level))
    }

    /// Tango's interval of a difference of probabilities at the effective number of pairs. How often the two differ is not known,
    /// but at least as often as their means do.
    fn difference(&self, values: &[Value], mean: f64, error: f64, level: f64) -> Interval {
        let seen: Vec<f64> = match values {
            [world] => (world.deviations.iter().zip(&self.parts))
                .map(|(deviation, part)| part * (world.value + deviation).abs())
                .collect(),
            _ => values.iter().map(|world| world.value.abs()).collect(),
        };
        let number = seen.len() as f64;
        let differ = (seen.iter().sum::<f64>() / number).min(1.0);
        let informative = seen.iter().filter(|&&x| x > ROUNDING).count();
        let runs = values.len() as f64 * self.runs;
        let effective = match error > 0.0 {
            true => ((differ - mean * mean) / (error * error)).clamp(number, runs),
            false if informative > 0 || values.len() == 1 => runs,
            false => number,
        };
        matched_pairs::score_interval(
            effective * (differ + mean) / 2.0,
            effective * (differ - mean) / 2.0,
            effective,
            deviate(informative, number, level),
        )
    }
}

/// Three estimates of an expected regret.
pub(super) struct Regret {
    /// From draws of the true outcomes.
    pub drawn: Estimate,
    /// Too small on average.
    pub fitted: Estimate,
    /// Too large on average.
    pub plain: Estimate,
}

impl Regret {
    /// The drawn one between the others, where the outcome is `expected`: not below 0, and of probabilities not above what the
    /// outcome leaves to gain.
    pub fn within(&self, question: &Question, expected: Interval) -> Estimate {
        let Self {
            drawn,
            fitted,
            plain,
        } = self;
        let clamp = |x: f64, low: f64, high: f64| x.max(low).min(high.max(low)).max(0.0);
        let value = clamp(drawn.value, fitted.value, plain.value);
        let known = |interval: Interval| Some(interval).filter(|i| i.width().is_finite());
        let (fitted, plain) = match (known(fitted.interval), known(plain.interval)) {
            (None, None) => {
                return Estimate {
                    value,
                    interval: UNKNOWN,
                };
            }
            (fitted, plain) => {
                let nothing = Interval::new(0.0, 0.0);
                (fitted.unwrap_or(nothing), plain.unwrap_or(nothing))
            }
        };
        let drawn = known(drawn.interval).unwrap_or(fitted);
        let most = match (question.probability, question.goal) {
            (false, _) => f64::INFINITY,
            (true, Goal::Smallest) => expected.high,
            (true, Goal::Largest) => 1.0 - expected.low,
        };
        let high = clamp(drawn.high, fitted.high, plain.high).min(most);
        let interval = Interval::new(fitted.low.max(0.0).min(value), high.max(value));
        Estimate { value, interval }
    }
}

/// Student's deviate where a variance rests on so many of a number (see
/// [`degrees_of_freedom`](crate::stats::worlds::WorldHistogram::degrees_of_freedom)); the normal one where none varied.
fn deviate(informative: usize, number: f64, level: f64) -> f64 {
    match (3.0 * informative as f64).min(number - 1.0) {
        0.0 => two_sided_z(level),
        df => student_t_quantile(0.5 + level / 2.0, df),
    }
}

fn mean_of_halves<'a>(
    settings: usize,
    halves: impl Iterator<Item = &'a [Vec<f64>; 2]>,
) -> [Vec<f64>; 2] {
    let halves: Vec<&[Vec<f64>; 2]> = halves.collect();
    [0, 1].map(|half| super::centre(settings, halves.iter().map(|two| two[half].as_slice())))
}

/// The setting with the largest gain, of equal ones that with the largest `other` gain.
fn best(gains: &[f64], other: &[f64]) -> usize {
    let largest = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let among = largest - ROUNDING * largest.abs().max(1e-3);
    (0..gains.len())
        .filter(|&setting| gains[setting] >= among)
        .reduce(|best, setting| match other[setting] > other[best] {
            true => setting,
            false => best,
        })
        .unwrap_or(0)
}
