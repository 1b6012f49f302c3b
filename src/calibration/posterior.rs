//! The worlds, weighted by the patterns.

use serde::Serialize;

use super::fit::{self, FEWEST_EFFECTIVE_WORLDS, Scale};
use super::kernel::Kernel;
use super::raw::Use;
use super::read::{Calibration, Fitted, Pattern};
use super::runs;
use crate::distribution::Distribution;
use crate::experiment::Control;
use crate::hindcast::ForecastError;
use crate::model::ParameterDraws;
use crate::random::{StreamKey, StreamSource};
use crate::stats::interval::Interval;
use crate::stats::scores::crps;
use crate::stats::special::two_sided_z;

/// Resamples of the worlds.
const RESAMPLES: u64 = 400;
/// Implausibility above which a pattern is out of reach.
const OUT_OF_REACH: f64 = 3.0;
/// Quantiles that are told.
const QUANTILES: [f64; 3] = [0.05, 0.5, 0.95];
/// Correlations that are told are at least so large.
const NOTABLE_CORRELATION: f64 = 0.3;

/// Why a calibration cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// The runs of a hindcast cannot be made.
    #[error(transparent)]
    Runs(#[from] ForecastError),
    /// No world gives the fitted patterns any probability.
    #[error("none of the {worlds} worlds is compatible with the fitted patterns")]
    Impossible {
        /// Number of worlds.
        worlds: u32,
    },
}

/// What a calibration found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibrated {
    /// Worlds drawn from the priors.
    pub worlds: u32,
    /// Runs in all.
    pub runs: u64,
    /// Effective number of worlds behind the weights: `(sum of w)^2 / sum of w^2` (L. Kish, "Survey Sampling", 1965).
    pub effective_worlds: f64,
    /// Share of the worlds in which no fitted pattern is out of reach.
    pub not_ruled_out: f64,
    /// The patterns, in the order of the file.
    pub patterns: Vec<PatternCheck>,
    /// The parameters.
    pub parameters: Vec<Marginal>,
    /// Pairs of parameters of which the patterns know the combination better than each, with their correlation.
    pub correlations: Vec<(String, String, f64)>,
}

/// A pattern before and after the fit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PatternCheck {
    /// Name of the hindcast.
    pub hindcast: String,
    /// Id of the question.
    pub question: String,
    /// The question in words.
    pub ask: String,
    /// Fitted, or held out.
    #[serde(rename = "use")]
    pub role: Use,
    /// Error of the record.
    pub error: f64,
    /// Discrepancy of the scenario.
    pub discrepancy: f64,
    /// What happened: an id, or a number.
    pub outcome: String,
    /// What the worlds say when drawn from the priors.
    pub prior: Predictive,
    /// What they say when weighted by the fitted patterns.
    pub posterior: Predictive,
    /// Share of the worlds in which this pattern is out of reach.
    pub out_of_reach: f64,
}

/// A predictive distribution, seen at what happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Predictive {
    /// Probability of what happened; for numbers, of a number at most as large (equal ones count half).
    pub probability: f64,
    /// Its Monte Carlo interval.
    pub interval: Interval,
    /// 5, 50 and 95 % quantiles of a number.
    pub quantiles: Option<[f64; 3]>,
    /// Brier score of what happened (against all else), or the CRPS of a number.
    pub score: f64,
    /// Median implausibility over worlds.
    pub implausibility: f64,
}

/// A parameter before and after the fit. Mean, standard deviation, contraction and shift are on the scale of the logarithm if the
/// parameter is positive without limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Marginal {
    /// Id of the parameter.
    pub parameter: String,
    /// Whether it is measured by its logarithm.
    pub log_scale: bool,
    /// Its prior, as it is written in a file.
    pub prior: String,
    /// 5, 50 and 95 % quantiles of the prior.
    pub prior_quantiles: [f64; 3],
    /// The same of the posterior.
    pub quantiles: [f64; 3],
    /// Posterior mean.
    pub mean: f64,
    /// Posterior standard deviation.
    pub sd: f64,
    /// 95 % Monte Carlo interval of the posterior standard deviation.
    pub sd_interval: Interval,
    /// `1 - posterior sd / prior sd`: 0 if nothing is learned, 1 if all is known. `None`, as what follows, if the parameter is the
    /// same in all worlds, so that there is nothing to be learned.
    pub contraction: Option<f64>,
    /// Its simultaneous 95 % Monte Carlo interval.
    pub contraction_interval: Option<Interval>,
    /// Shift of the mean in standard deviations of the prior.
    pub shift: Option<f64>,
    /// Its simultaneous 95 % Monte Carlo interval.
    pub shift_interval: Option<Interval>,
    /// Whether the patterns say anything about it.
    pub informed: bool,
    /// The fitted prior, as it is written in a file; none if the parameter should keep its prior.
    pub fitted: Option<String>,
}

/// Draws the worlds, makes the runs and weights the worlds. The same for any number of threads.
///
/// # Errors
/// Runs that cannot be made; patterns that no world is compatible with.
pub fn calibrate(
    calibration: &Calibration,
    seed: u64,
    level: f64,
    control: &Control<'_>,
) -> Result<Calibrated, CalibrationError> {
    let worlds = calibration.worlds as usize;
    let mut weights = vec![1.0; worlds];
    let mut seen: Vec<Option<Seen>> = calibration.patterns.iter().map(|_| None).collect();
    let mut runs = 0;
    for (index, case) in calibration.cases.iter().enumerate() {
        let each = runs::runs_per_world(case) as usize;
        let answers = runs::answers(case, seed, calibration.worlds, control)?;
        runs += (worlds * each) as u64;
        let of_case = || {
            let patterns = calibration.patterns.iter().enumerate();
            patterns.filter(move |(_, pattern)| pattern.case == index)
        };
        let fitted: Vec<(Kernel, usize)> = of_case()
            .filter(|(_, pattern)| pattern.role == Use::Fit)
            .map(|(_, pattern)| (kernel(calibration, pattern), pattern.question))
            .collect();
        for (world, weight) in weights.iter_mut().enumerate() {
            let runs = world * each..(world + 1) * each;
            let of_run = |run: usize| {
                let agreement = |(kernel, question): &(Kernel, usize)| {
                    kernel.agreement(answers[*question][run])
                };
                fitted.iter().map(agreement).product::<f64>()
            };
            let sum: f64 = runs.map(of_run).sum();
            *weight *= sum / each as f64;
        }
        for (position, pattern) in of_case() {
            let kernel = kernel(calibration, pattern);
            let values = &answers[pattern.question];
            seen[position] = Some(Seen::new(calibration, pattern, &kernel, values, each));
        }
    }
    let seen: Vec<Seen> = seen.into_iter().flatten().collect();
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return Err(CalibrationError::Impossible {
            worlds: calibration.worlds,
        });
    }
    let squares: f64 = weights.iter().map(|w| w * w).sum();
    let effective_worlds = total * total / squares;
    let resamples = Resamples::new(&weights, seed);
    let patterns = calibration.patterns.iter().zip(&seen);
    let within_reach = |world: &usize| {
        let mut fitted = patterns.clone().filter(|(p, _)| p.role == Use::Fit);
        fitted.all(|(_, seen)| seen.implausibility[*world] <= OUT_OF_REACH)
    };
    let reached = (0..worlds).filter(within_reach).count();
    let checks = patterns
        .clone()
        .map(|(pattern, seen)| check(calibration, pattern, seen, &resamples, level));
    let draws = draws(calibration, seed);
    let marginals = calibration.parameters.iter().zip(&draws);
    let columns: Vec<Vec<f64>> = marginals
        .clone()
        .map(|(fitted, values)| {
            let scale = Scale::of(&fitted.prior);
            values.iter().map(|&value| scale.seen(value)).collect()
        })
        .collect();
    let count = calibration.parameters.len();
    let parameters = marginals.zip(&columns).map(|((fitted, values), column)| {
        marginal(
            fitted,
            values,
            column,
            &resamples,
            effective_worlds,
            level,
            count,
        )
    });
    Ok(Calibrated {
        worlds: calibration.worlds,
        runs,
        effective_worlds,
        not_ruled_out: reached as f64 / worlds as f64,
        patterns: checks.collect(),
        parameters: parameters.collect(),
        correlations: correlations(&calibration.parameters, &columns, &weights),
    })
}

fn kernel(calibration: &Calibration, pattern: &Pattern) -> Kernel {
    Kernel::new(calibration.question(pattern), pattern)
}

/// The values of the fitted parameters in each world.
fn draws(calibration: &Calibration, seed: u64) -> Vec<Vec<f64>> {
    let mut columns = vec![Vec::new(); calibration.parameters.len()];
    let Some(case) = calibration.cases.first() else {
        return columns;
    };
    let model = &case.model;
    let position = |fitted: &Fitted| {
        let mut parameters = model.parameters().iter();
        parameters.position(|parameter| parameter.id() == fitted.id)
    };
    let positions: Vec<Option<usize>> = calibration.parameters.iter().map(position).collect();
    let draws = ParameterDraws::new(model, seed);
    for world in 0..calibration.worlds {
        let values = draws.world(model, world.into());
        for (column, position) in columns.iter_mut().zip(&positions) {
            column.push(position.map_or(f64::NAN, |position| values[position]));
        }
    }
    columns
}

/// What the runs say about one pattern, world by world.
struct Seen {
    /// Probability of what happened, or of a number at most as large.
    probability: Vec<f64>,
    implausibility: Vec<f64>,
    /// All answers in the order of the runs, if they are numbers.
    values: Option<Vec<f64>>,
    outcome: f64,
}

impl Seen {
    fn new(
        calibration: &Calibration,
        pattern: &Pattern,
        kernel: &Kernel,
        values: &[f64],
        each: usize,
    ) -> Self {
        let question = calibration.question(pattern);
        let outcome = question.outcome;
        let is_number = question.options.is_empty();
        let share = |world: &[f64]| {
            let equal = world.iter().filter(|&&v| v == outcome).count() as f64;
            let below = world.iter().filter(|&&v| v < outcome).count() as f64;
            let sum = if is_number {
                below + 0.5 * equal
            } else {
                equal
            };
            sum / world.len() as f64
        };
        Self {
            probability: values.chunks(each).map(share).collect(),
            implausibility: (values.chunks(each))
                .map(|world| kernel.implausibility(world))
                .collect(),
            values: is_number.then(|| values.to_vec()),
            outcome,
        }
    }
}

/// The worlds' weights and how often each world is in each resample.
struct Resamples<'a> {
    weights: &'a [f64],
    counts: Vec<Vec<u32>>,
}

impl<'a> Resamples<'a> {
    fn new(weights: &'a [f64], seed: u64) -> Self {
        let worlds = weights.len();
        let key = StreamKey::derive(seed, &["calibration", "resample"]);
        let source = StreamSource::new(key);
        let resample = |number: u64| {
            let mut stream = source.stream(number);
            let mut counts = vec![0; worlds];
            for _ in 0..worlds {
                let chosen = (stream.uniform() * worlds as f64) as usize;
                counts[chosen.min(worlds - 1)] += 1;
            }
            counts
        };
        Self {
            weights,
            counts: (0..RESAMPLES).map(resample).collect(),
        }
    }

    /// A statistic of the worlds' weights, and its standard deviation over resamples of the worlds. The statistic is given how
    /// often each world counts.
    fn estimate(&self, statistic: impl Fn(&dyn Fn(usize) -> f64) -> f64) -> (f64, f64) {
        let value = statistic(&|_| 1.0);
        let resampled = self.counts.iter();
        let resampled: Vec<f64> = resampled
            .map(|counts| statistic(&|world| f64::from(counts[world])))
            .filter(|value| value.is_finite())
            .collect();
        let number = resampled.len() as f64;
        let mean = resampled.iter().sum::<f64>() / number;
        let squares: f64 = resampled.iter().map(|v| (v - mean) * (v - mean)).sum();
        (value, (squares / (number - 1.0)).sqrt())
    }
}

/// Mean and standard deviation of values with weights. The variance is corrected for the few effective values behind it:
/// `sum of w (x - m)^2 / (1 - sum of w^2)`, with weights that add up to 1.
fn weighted_moments(values: &[f64], weight: impl Fn(usize) -> f64) -> (f64, f64) {
    let (mut total, mut squares, mut sum) = (0.0, 0.0, 0.0);
    for (world, value) in values.iter().enumerate() {
        let w = weight(world);
        total += w;
        squares += w * w;
        sum += w * value;
    }
    let mean = sum / total;
    let spread = values.iter().enumerate();
    let spread: f64 = spread
        .map(|(world, value)| weight(world) * (value - mean) * (value - mean))
        .sum();
    let correction = 1.0 - squares / (total * total);
    (mean, (spread / total / correction).sqrt())
}

/// Quantiles of values with weights.
fn weighted_quantiles(pairs: &mut [(f64, f64)]) -> [f64; 3] {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = pairs.iter().map(|pair| pair.1).sum();
    QUANTILES.map(|p| {
        let mut sum = 0.0;
        let found = pairs.iter().find(|pair| {
            sum += pair.1;
            sum >= p * total
        });
        found.or(pairs.last()).map_or(f64::NAN, |pair| pair.0)
    })
}

fn around(estimate: f64, error: f64, level: f64) -> Interval {
    let half = two_sided_z(level) * error;
    Interval::new(estimate - half, estimate + half)
}

fn check(
    calibration: &Calibration,
    pattern: &Pattern,
    seen: &Seen,
    resamples: &Resamples<'_>,
    level: f64,
) -> PatternCheck {
    let question = calibration.question(pattern);
    let flat = vec![1.0; resamples.weights.len()];
    let predictive = |weights: &[f64]| {
        let mean = |times: &dyn Fn(usize) -> f64| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (world, p) in seen.probability.iter().enumerate() {
                let weight = weights[world] * times(world);
                sum += weight * p;
                total += weight;
            }
            sum / total
        };
        let (probability, error) = resamples.estimate(mean);
        let interval = around(probability, error, level);
        let mut distribution: Option<Vec<(f64, f64)>> = seen.values.as_ref().map(|values| {
            let each = values.len() / weights.len();
            let weight = |run: usize| weights[run / each];
            (values.iter().enumerate())
                .map(|(run, &value)| (value, weight(run)))
                .collect()
        });
        let score = match &distribution {
            Some(distribution) => crps(distribution, seen.outcome),
            None => (1.0 - probability) * (1.0 - probability),
        };
        let mut implausibility: Vec<(f64, f64)> = (seen.implausibility.iter())
            .zip(weights)
            .map(|(&i, &w)| (i, w))
            .collect();
        Predictive {
            probability,
            interval: Interval::new(interval.low.max(0.0), interval.high.min(1.0)),
            quantiles: distribution.as_mut().map(|all| weighted_quantiles(all)),
            score,
            implausibility: weighted_quantiles(&mut implausibility)[1],
        }
    };
    let out_of_reach = seen.implausibility.iter().filter(|i| **i > OUT_OF_REACH);
    let option = question.options.get(question.outcome as usize);
    PatternCheck {
        hindcast: calibration.cases[pattern.case].name.clone(),
        question: question.id.clone(),
        ask: question.ask.clone(),
        role: pattern.role,
        error: pattern.error,
        discrepancy: pattern.discrepancy,
        outcome: option.map_or_else(|| question.outcome.to_string(), |(id, _)| id.clone()),
        prior: predictive(&flat),
        posterior: predictive(resamples.weights),
        out_of_reach: out_of_reach.count() as f64 / resamples.weights.len() as f64,
    }
}

/// One parameter. `count` is the number of parameters, for which intervals of contraction and shift are corrected.
fn marginal(
    fitted: &Fitted,
    values: &[f64],
    column: &[f64],
    resamples: &Resamples<'_>,
    effective_worlds: f64,
    level: f64,
    count: usize,
) -> Marginal {
    let scale = Scale::of(&fitted.prior);
    let before = |times: &dyn Fn(usize) -> f64| weighted_moments(column, times);
    let after = |times: &dyn Fn(usize) -> f64| {
        weighted_moments(column, |world| resamples.weights[world] * times(world))
    };
    let mean = after(&|_| 1.0).0;
    let (sd, sd_error) = resamples.estimate(|times| after(times).1);
    let simultaneous = 1.0 - (1.0 - level) / count as f64;
    let relative =
        |(value, error)| varies(column).then(|| (value, around(value, error, simultaneous)));
    let contraction = resamples.estimate(|times| 1.0 - after(times).1 / before(times).1);
    let contraction = relative(contraction);
    let shift = relative(resamples.estimate(|times| {
        let (prior_mean, prior_sd) = before(times);
        (after(times).0 - prior_mean) / prior_sd
    }));
    let enough = effective_worlds >= FEWEST_EFFECTIVE_WORLDS;
    let is_narrower = contraction.is_some_and(|(_, interval)| interval.low > 0.0);
    let is_elsewhere = shift.is_some_and(|(_, interval)| !interval.contains(0.0));
    let informed = enough && (is_narrower || is_elsewhere);
    let sd_interval = around(sd, sd_error, level);
    let widest = sd_interval.high.min(before(&|_| 1.0).1);
    let found = informed.then(|| match &fitted.prior {
        Distribution::Discrete(discrete) => {
            let weight = |value: f64| {
                let worlds = values.iter().zip(resamples.weights);
                worlds.filter(|(v, _)| **v == value).map(|(_, w)| w).sum()
            };
            let weights: Vec<f64> = discrete.atoms().map(|(value, _)| weight(value)).collect();
            fit::reweighted(discrete, &weights)
        }
        prior => fit::distribution(prior, mean, widest),
    });
    let weighted = |weights: &dyn Fn(usize) -> f64| {
        let worlds = values.iter().enumerate();
        let mut pairs: Vec<(f64, f64)> = worlds.map(|(i, &v)| (v, weights(i))).collect();
        weighted_quantiles(&mut pairs)
    };
    Marginal {
        parameter: fitted.id.clone(),
        log_scale: scale == Scale::Log,
        prior: fit::toml(&fitted.prior),
        prior_quantiles: QUANTILES.map(|p| fitted.prior.quantile(p)),
        quantiles: weighted(&|world| resamples.weights[world]),
        mean,
        sd,
        sd_interval,
        contraction: contraction.map(|(value, _)| value),
        contraction_interval: contraction.map(|(_, interval)| interval),
        shift: shift.map(|(value, _)| value),
        shift_interval: shift.map(|(_, interval)| interval),
        informed,
        fitted: (found.flatten()).map(|found| fit::toml(&fit::with_fewer_digits(&found))),
    }
}

/// Whether a parameter is not the same in all worlds.
fn varies(column: &[f64]) -> bool {
    column.windows(2).any(|pair| pair[0] != pair[1])
}

fn correlations(
    parameters: &[Fitted],
    columns: &[Vec<f64>],
    weights: &[f64],
) -> Vec<(String, String, f64)> {
    let total: f64 = weights.iter().sum();
    let mean = |of: &dyn Fn(usize) -> f64| {
        let sum: f64 = weights.iter().enumerate().map(|(i, w)| w * of(i)).sum();
        sum / total
    };
    let mut found = Vec::new();
    for (a, first) in columns.iter().enumerate() {
        for (b, second) in columns.iter().enumerate().skip(a + 1) {
            if !varies(first) || !varies(second) {
                continue;
            }
            let (mean_a, mean_b) = (mean(&|i| first[i]), mean(&|i| second[i]));
            let product = mean(&|i| (first[i] - mean_a) * (second[i] - mean_b));
            let squares = |column: &[f64], m: f64| mean(&|i| (column[i] - m) * (column[i] - m));
            let r = product / (squares(first, mean_a) * squares(second, mean_b)).sqrt();
            if r.abs() >= NOTABLE_CORRELATION {
                found.push((parameters[a].id.clone(), parameters[b].id.clone(), r));
            }
        }
    }
    found
}
