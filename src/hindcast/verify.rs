//! How good the forecasts were: scores, differences to the baselines, and what they come to over cases.

use serde::Serialize;

use super::forecast::{Answers, Forecast, forecast};
use super::question::{Baseline, Question, Reading, Rule};
use super::read::Case;
use crate::experiment::subject::is_day;
use crate::stats::interval::Interval;
use crate::stats::scores::{
    ClusteredSample, MonteCarlo, PairedDifference, crps, fair_sum, logarithmic, paired_difference,
};

/// Who else makes a forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forecaster {
    /// How often it happens elsewhere.
    BaseRate,
    /// What happened the last time.
    Persistence,
    /// All answers equally probable.
    Uniform,
}

impl Forecaster {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BaseRate, Self::Persistence, Self::Uniform];

    /// Name in files.
    pub fn id(self) -> &'static str {
        match self {
            Self::BaseRate => "base_rate",
            Self::Persistence => "persistence",
            Self::Uniform => "uniform",
        }
    }

    /// Name for readers.
    pub fn label(self) -> &'static str {
        match self {
            Self::BaseRate => "base rate",
            Self::Persistence => "persistence",
            Self::Uniform => "uniform",
        }
    }

    fn baseline(self, question: &Question) -> Option<&Baseline> {
        match self {
            Self::BaseRate => question.base_rate.as_ref(),
            Self::Persistence => question.last_time.as_ref(),
            Self::Uniform => question.uniform.as_ref(),
        }
    }
}

/// The score of a forecast that is known exactly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BaselineScore {
    /// Whose.
    pub forecaster: Forecaster,
    /// Where it comes from, if that is stated.
    pub source: Option<String>,
    /// Its score.
    pub score: f64,
    /// The scores at the ends of its range, the smaller first.
    pub range: Option<[f64; 2]>,
    /// Probability of what happened; none for numbers.
    pub probability: Option<f64>,
    /// Logarithmic score; none for numbers, and none where it is infinite because what happened was called impossible.
    pub logarithmic: Option<f64>,
    /// Score of the simulation less this one: below 0 the simulation was better. Its Monte Carlo error is that of the simulation.
    pub difference: f64,
}

/// A question, the forecast, and how good it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verification {
    /// Name of the file.
    pub file: String,
    /// The case to which it belongs in the summary.
    pub case: String,
    /// Whether it counts in the summary.
    pub in_summary: bool,
    /// Id of the question.
    pub question: String,
    /// The question in words.
    pub ask: String,
    /// Unit of a number.
    pub unit: Option<String>,
    /// Numbers beyond it count as it: as far as was looked.
    pub limit: Option<f64>,
    /// Whether a number is a day or counts days: what lies at the limit then never came.
    pub is_day: bool,
    /// Whether the outcome was used when the scenario's numbers were chosen.
    pub in_sample: bool,
    /// What happened: an id, or a number.
    pub outcome: String,
    /// The same for readers.
    pub outcome_label: String,
    /// Where that is known from.
    pub source: String,
    /// What the runs say.
    pub forecast: Forecast,
    /// How it is scored.
    pub rule: Rule,
    /// Fair score of the simulation.
    pub score: f64,
    /// Its Monte Carlo standard error; none with a single world.
    pub score_error: Option<f64>,
    /// Logarithmic score of the simulation; none for numbers, and none where it is infinite because no run showed what happened.
    pub logarithmic: Option<f64>,
    /// The baselines that there are.
    pub baselines: Vec<BaselineScore>,
}

/// Compares the answers of a case's runs with what happened. `runs_per_world` is `None` if there is one world only; intervals have
/// the level `level`, bands cover the share `band` of the worlds.
pub fn verify(
    case: &Case,
    answers: &Answers,
    runs_per_world: Option<u32>,
    level: f64,
    band: f64,
) -> Vec<Verification> {
    let questions = case.questions.iter().enumerate();
    questions
        .map(|(index, question)| {
            let score = score_of_runs(question, answers, index);
            let exactly = |values: &[f64]| {
                let hits = values.iter().filter(|&&value| value == question.outcome);
                hits.count() as f64 / values.len().max(1) as f64
            };
            let is_number = matches!(question.reading, Reading::Number { .. });
            let log = |probability: f64| {
                Some(logarithmic(probability)).filter(|score| !is_number && score.is_finite())
            };
            let baselines = Forecaster::ALL.into_iter().filter_map(|forecaster| {
                let baseline = forecaster.baseline(question)?;
                let own = score_of(question, &baseline.distribution);
                let ends = (baseline.ends.iter()).map(|end| score_of(question, end));
                let ends: Vec<f64> = ends.collect();
                let range = match ends.as_slice() {
                    [a, b] => Some([a.min(*b), a.max(*b)]),
                    _ => None,
                };
                let total: f64 = baseline.distribution.iter().map(|atom| atom.1).sum();
                let hit = (baseline.distribution.iter())
                    .filter(|atom| atom.0 == question.outcome)
                    .map(|atom| atom.1 / total)
                    .sum::<f64>();
                Some(BaselineScore {
                    forecaster,
                    source: baseline.source.clone(),
                    score: own,
                    range,
                    probability: (!is_number).then_some(hit),
                    logarithmic: log(hit),
                    difference: score.value - own,
                })
            });
            let (outcome, outcome_label) = match question.options.get(question.outcome as usize) {
                Some((id, label)) if !is_number => (id.clone(), label.clone()),
                _ => {
                    let number = question.outcome.to_string();
                    (number.clone(), number)
                }
            };
            Verification {
                file: case.name.clone(),
                case: case.group.clone(),
                in_summary: case.in_summary,
                question: question.id.clone(),
                ask: question.ask.clone(),
                unit: question.unit.clone(),
                limit: question.limit(),
                is_day: match question.reading {
                    Reading::Number { metric, .. } => {
                        is_day(&case.model, metric) || question.unit.as_deref() == Some("days")
                    }
                    _ => false,
                },
                in_sample: question.in_sample,
                outcome,
                outcome_label,
                source: question.source.clone(),
                forecast: forecast(question, answers, index, runs_per_world, level, band),
                rule: question.rule(),
                score: score.value,
                score_error: score.standard_error,
                logarithmic: log(exactly(&answers.values[index])),
                baselines: baselines.collect(),
            }
        })
        .collect()
}

/// The number of steps between options in order, by which their score is divided.
fn steps(question: &Question) -> f64 {
    (question.options.len() as f64 - 1.0).max(1.0)
}

fn indicator(of: usize) -> impl Fn(f64) -> f64 {
    move |value| f64::from(u8::from(value == of as f64))
}

/// Fair score of the runs.
fn score_of_runs(question: &Question, answers: &Answers, index: usize) -> MonteCarlo {
    let scaled = |score: MonteCarlo, factor: f64| MonteCarlo {
        value: factor * score.value,
        standard_error: score.standard_error.map(|error| factor * error),
    };
    let whole = || {
        answers
            .sample(index, |value| value)
            .fair_crps(question.outcome)
    };
    match question.rule() {
        Rule::Brier | Rule::Crps => whole(),
        Rule::RankedProbability => scaled(whole(), 1.0 / steps(question)),
        Rule::HalfQuadratic => {
            let each = |option: usize| answers.sample(index, indicator(option));
            let samples: Vec<ClusteredSample> = (0..question.options.len()).map(each).collect();
            let outcomes = (0..samples.len()).map(|option| indicator(option)(question.outcome));
            let variables: Vec<_> = samples.iter().zip(outcomes).collect();
            scaled(fair_sum(&variables), 0.5)
        }
    }
}

/// Score of a distribution that is known exactly.
fn score_of(question: &Question, distribution: &[(f64, f64)]) -> f64 {
    let whole = || crps(distribution, question.outcome);
    match question.rule() {
        Rule::Brier | Rule::Crps => whole(),
        Rule::RankedProbability => whole() / steps(question),
        Rule::HalfQuadratic => {
            let each = (0..question.options.len()).map(|option| {
                let seen = indicator(option);
                let hits: Vec<_> = (distribution.iter())
                    .map(|&(value, weight)| (seen(value), weight))
                    .collect();
                crps(&hits, seen(question.outcome))
            });
            0.5 * each.sum::<f64>()
        }
    }
}

/// A comparison over cases of the simulation with one baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Which questions: those with named answers, whose scores lie between 0 and 1, or numbers of one unit.
    pub scale: String,
    /// Whether questions are left out whose answers were used when the scenario's numbers were chosen.
    pub out_of_sample: bool,
    /// With whom the simulation is compared.
    pub baseline: Forecaster,
    /// Questions with that baseline.
    pub questions: usize,
    /// Cases: questions of one case are averaged first, since they share their history.
    pub cases: usize,
    /// Mean score of the simulation over cases.
    pub score: f64,
    /// The same of the baseline.
    pub baseline_score: f64,
    /// Mean difference, below 0 if the simulation was better.
    pub difference: f64,
    /// Student's interval of the mean difference; none with a single case.
    pub interval: Option<Interval>,
    /// Monte Carlo standard error of the mean difference, at most. None with single worlds.
    pub monte_carlo_error: Option<f64>,
    /// Two-sided p-value of exchanging the signs of the differences.
    pub p_value: f64,
    /// The smallest that so many cases could give.
    pub smallest_p_value: f64,
    /// About how many cases like these would show a difference of this size with a probability of 80 %; none where there is no
    /// difference, or no spread to judge by.
    pub cases_needed: Option<u64>,
}

/// The scale on which a question's score can be averaged with others.
fn scale(question: &Verification) -> String {
    match (question.rule, &question.unit) {
        (Rule::Crps, Some(unit)) => format!("CRPS ({unit})"),
        (Rule::Crps, None) => "CRPS".to_owned(),
        _ => "Brier or RPS".to_owned(),
    }
}

/// Compares the simulation with each baseline over all cases that count: first with all questions, then without those in sample.
/// Intervals have the level `level`.
pub fn summarize(all: &[Verification], level: f64) -> Vec<Summary> {
    let counted: Vec<&Verification> = all.iter().filter(|v| v.in_summary).collect();
    let mut scales: Vec<String> = Vec::new();
    for question in &counted {
        let scale = scale(question);
        if !scales.contains(&scale) {
            scales.push(scale);
        }
    }
    let mut summaries = Vec::new();
    for scale_name in scales {
        let of_scale = counted.iter().copied().filter(|v| scale(v) == scale_name);
        let of_scale: Vec<&Verification> = of_scale.collect();
        let some_in_sample = of_scale.iter().any(|v| v.in_sample);
        for out_of_sample in [false, true] {
            if out_of_sample && !some_in_sample {
                continue;
            }
            for baseline in Forecaster::ALL {
                let chosen = of_scale.iter().copied();
                let chosen = chosen.filter(|v| !(out_of_sample && v.in_sample));
                summaries.extend(compare(&scale_name, out_of_sample, baseline, chosen, level));
            }
        }
    }
    summaries
}

/// Scores within one case, summed up.
#[derive(Default)]
struct OfCase {
    questions: f64,
    score: f64,
    baseline: f64,
    error: Option<f64>,
}

fn compare<'a>(
    scale: &str,
    out_of_sample: bool,
    baseline: Forecaster,
    questions: impl Iterator<Item = &'a Verification>,
    level: f64,
) -> Option<Summary> {
    let mut names: Vec<&str> = Vec::new();
    let mut cases: Vec<OfCase> = Vec::new();
    let mut count = 0;
    for question in questions {
        let own = question.baselines.iter().find(|b| b.forecaster == baseline);
        let Some(own) = own else { continue };
        let position = names.iter().position(|name| *name == question.case);
        let position = position.unwrap_or_else(|| {
            names.push(&question.case);
            cases.push(OfCase {
                error: Some(0.0),
                ..OfCase::default()
            });
            cases.len() - 1
        });
        let case = &mut cases[position];
        count += 1;
        case.questions += 1.0;
        case.score += question.score;
        case.baseline += own.score;
        case.error = case.error.zip(question.score_error).map(|(a, b)| a + b);
    }
    let number = cases.len() as f64;
    let mean = |of: &dyn Fn(&OfCase) -> f64| {
        cases
            .iter()
            .map(|case| of(case) / case.questions)
            .sum::<f64>()
            / number
    };
    let differences: Vec<f64> = (cases.iter())
        .map(|case| (case.score - case.baseline) / case.questions)
        .collect();
    let found = paired_difference(&differences, level)?;
    // Cases share their seed and their worlds, so errors may well go the same way: their mean is the most they come to.
    let errors: Option<f64> = (cases.iter())
        .map(|case| case.error.map(|error| error / case.questions))
        .sum();
    Some(Summary {
        scale: scale.to_owned(),
        out_of_sample,
        baseline,
        questions: count,
        cases: found.cases,
        score: mean(&|case| case.score),
        baseline_score: mean(&|case| case.baseline),
        difference: found.mean,
        interval: found.interval,
        monte_carlo_error: errors.map(|sum| sum / number),
        p_value: found.p_value,
        smallest_p_value: found.smallest_p_value,
        cases_needed: cases_needed(&found, &differences),
    })
}

/// `((z(0.975) + z(0.8)) sd / mean)^2`, the sample size of a two-sided test at 5 % with a power of 80 % (normal approximation).
fn cases_needed(found: &PairedDifference, differences: &[f64]) -> Option<u64> {
    const DEVIATES: f64 = 1.959_964 + 0.841_621;
    let mut moments = crate::stats::moments::Moments::new();
    differences.iter().for_each(|&d| moments.add(d));
    let spread = moments.standard_deviation().filter(|sd| *sd > 0.0)?;
    let ratio = DEVIATES * spread / found.mean;
    let needed = libm::ceil(ratio * ratio).max(2.0);
    needed.is_finite().then_some(needed as u64)
}
