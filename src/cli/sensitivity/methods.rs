//! Making the runs of a method and reading off its indices.

use std::collections::BTreeMap;

use super::choose::in_words;
use super::{Analysis, Method, given};
use crate::cli::CliError;
use crate::cli::batch::study_error;
use crate::experiment::{Progress, Quantity, Subject, Varied};
use crate::model::Model;
use crate::report::sensitivity as report;
use crate::report::sensitivity::{
    Cell, CurvePoint, Curves, DUMMY, FactorRow, Failures, IndexKind, Indices, Whole,
};
use crate::sensitivity::given::Table;
use crate::sensitivity::{
    Completeness, Design, Factor, Factors, Grid, Kernel, MorrisDesign, MorrisPlan, Outcome, Sample,
    ShapleyDesign, ShapleyPlan, SobolDesign, SobolOptions, SobolPlan, Steps, Stop,
    grow_until_settled, kernel_indices, morris_effects, run, shapley_effects, sobol_indices,
};
use crate::stats::interval::Interval;
use crate::stats::mean::student_interval;
use crate::stats::proportion::wilson;

/// Level of all intervals.
pub(super) const LEVEL: f64 = 0.95;
/// Independent scrambles of designs on Sobol points.
const SCRAMBLES: usize = 8;
const DEFAULT_BUDGET: u64 = 200_000;
/// The most runs when a precision decides.
const DEFAULT_MOST: u64 = 2_000_000;
/// Points of each scramble at which a study that grows begins.
const FIRST_POINTS: usize = 32;
/// Levels of a factor in one-at-a-time curves.
const LEVELS: usize = 9;
/// Probability at both ends of a prior that screening does not reach.
const TRIM: f64 = 0.05;

/// Chance takes part in a share.
pub(super) const OF_RUNS: &str = "of the variance of single runs";

/// An analysis that makes its own runs.
pub(super) struct Study<'a> {
    pub model: &'a Model,
    pub quantity: Quantity,
    pub varied: &'a [Varied],
    /// Group of each parameter that is in one.
    pub groups: &'a BTreeMap<String, String>,
    pub seed: u64,
    pub budget: Option<u64>,
    pub precision: Option<f64>,
    pub pairs: bool,
    pub progress: &'a dyn Progress,
}

impl Study<'_> {
    pub(super) fn carry_out(&self, method: Method) -> Result<Analysis, CliError> {
        if self.quantity == Quantity::Category && method != Method::Kernel {
            return Err(CliError::usage(format!(
                "method {} needs a number, but `endgame-category` is a category",
                method.name()
            ))
            .with_help("use --method kernel, or name one endgame"));
        }
        match method {
            Method::Sobol => self.sobol(),
            Method::Kernel => self.kernel(),
            Method::Shapley => self.shapley(),
            Method::Morris => self.morris(),
            Method::Ofat => self.ofat(),
            Method::Rank | Method::Pawn | Method::Prcc | Method::Regional => self.sample(method),
        }
    }

    fn factors(&self, trim: f64) -> Result<Factors, CliError> {
        let factor = |v: &Varied| -> Factor {
            let factor = v.trimmed_factor(self.model, trim);
            match self.groups.get(&factor.name) {
                Some(group) => factor.in_group(group),
                None => factor,
            }
        };
        Factors::new(self.varied.iter().map(factor).collect()).map_err(study_error)
    }

    fn runs(&self, design: &dyn Design) -> Vec<Outcome> {
        self.progress.planned(design.rows() as u64);
        run(design, 0..design.rows(), &self.subject())
    }

    fn subject(&self) -> Subject<'_> {
        Subject::new(
            self.model,
            self.quantity,
            self.varied,
            self.seed,
            self.progress,
        )
    }

    fn about(&self, method: &str, design: String, runs: usize) -> report::Subject {
        report::Subject {
            title: self.model.title().to_owned(),
            method: method.to_owned(),
            output: in_words(self.model, self.quantity),
            design,
            seed: self.seed,
            runs: runs as u64,
        }
    }

    fn budget(&self) -> u64 {
        self.budget.unwrap_or(match self.precision {
            Some(_) => DEFAULT_MOST,
            None => DEFAULT_BUDGET,
        })
    }

    /// Points of each scramble that the budget allows: a power of 2, for which Sobol points are balanced.
    fn points(&self, runs_per_point: usize) -> Result<usize, CliError> {
        let each = (SCRAMBLES * runs_per_point) as u64;
        let points = self.budget() / each;
        if points < 2 {
            return Err(
                CliError::usage(format!("{} runs are too few", self.budget())).with_help(format!(
                    "at least {} are needed; fewer factors (--params, --group) need fewer",
                    2 * each
                )),
            );
        }
        Ok((1 << points.ilog2()).min(crate::sensitivity::SOBOL_POINTS))
    }

    fn sobol_plan(&self, mean_total: bool) -> SobolPlan {
        SobolPlan {
            scrambles: SCRAMBLES,
            points: 2,
            second_order: self.pairs,
            mean_total,
            seed: self.seed,
        }
    }

    /// A design as large as the budget allows.
    fn sobol_design(&self, mean_total: bool) -> Result<SobolDesign, CliError> {
        let least = SobolDesign::new(self.factors(0.0)?, self.sobol_plan(mean_total));
        let least = least.map_err(study_error)?;
        let points = self.points(least.runs_per_point())?;
        least.grown(points).map_err(study_error)
    }

    fn sobol(&self) -> Result<Analysis, CliError> {
        let options = SobolOptions {
            level: LEVEL,
            ..SobolOptions::default()
        };
        let largest = self.sobol_design(true)?;
        let mut notes = Vec::new();
        let (design, indices) = match self.precision {
            None => {
                let outcomes = self.runs(&largest);
                let indices = sobol_indices(&largest, &outcomes, &options).map_err(study_error)?;
                (largest, indices)
            }
            Some(width) => {
                self.progress.planned(largest.rows() as u64);
                let stop = Stop {
                    width,
                    max_points: largest.plan().points,
                    ..Stop::default()
                };
                let mut plan = *largest.plan();
                plan.points = FIRST_POINTS.min(stop.max_points);
                let first = SobolDesign::new(self.factors(0.0)?, plan).map_err(study_error)?;
                let study = grow_until_settled(first, &self.subject(), &options, &stop);
                let study = study.map_err(study_error)?;
                let widest = study.indices.widest();
                notes.push(format!(
                    "Widest interval: {widest:.3}; {width} was asked for, with a settled ranking: {}. \
                     The study grew until then, so its intervals are somewhat too narrow.",
                    if study.settled { "reached" } else { "not reached" }
                ));
                (study.design, study.indices)
            }
        };
        notes.push(ranking_note(indices.rank_instability));
        let names = design.factors().columns();
        let mut factors: Vec<FactorRow> = (indices.columns.iter())
            .map(|c| FactorRow {
                factor: c.name.clone(),
                indices: vec![
                    Some(c.first.into()),
                    Some(c.joint_total.into()),
                    c.mean_first.map(Cell::from),
                    c.mean_total.map(Cell::from),
                ],
            })
            .collect();
        factors.push(dummy(vec![
            Some(indices.dummy_first.into()),
            Some(NOTHING),
            None,
            Some(NOTHING),
        ]));
        let with_mean = indices.columns.iter().all(|c| c.mean_total.is_some());
        if !with_mean {
            notes.push(
                "The mean response cannot be told from a constant: its indices are left out."
                    .to_owned(),
            );
        }
        let pairs = indices.pairs.iter().map(|pair| {
            let name = |i: usize| names[i].name.clone();
            (name(pair.i), name(pair.j), pair.second.into())
        });
        Ok(Analysis::Indices(Indices {
            subject: self.about(
                "Sobol indices with the seed as a factor",
                scrambled(design.plan().points, design.runs_per_point()),
                design.rows(),
            ),
            kinds: vec![
                FIRST,
                JOINT_TOTAL,
                IndexKind {
                    id: "mean_first",
                    heading: "First, mean",
                    meaning: "share of the variance of the mean response (the probability, where the output is yes or no) \
                              that the factor explains alone.",
                },
                IndexKind {
                    id: "mean_total",
                    heading: "Total, mean",
                    meaning: "share of the variance of the mean response that would remain if all but this factor were known; \
                              chance takes no part in it.",
                },
            ],
            factors,
            whole: vec![
                chance(indices.noise_share.into()),
                whole("mean", "Mean of the output", indices.mean.into()),
                whole(
                    "variance",
                    "Variance of single runs",
                    indices.variance.into(),
                ),
                whole(
                    "variance_of_mean",
                    "Variance of the mean response: of what the factors would tell if they were known",
                    indices.variance_of_mean.into(),
                ),
            ],
            ranking: if with_mean { 3 } else { 1 },
            pairs: pairs.collect(),
            notes,
            failures: Failures::new("point", &indices.completeness),
        }))
    }

    fn kernel(&self) -> Result<Analysis, CliError> {
        let design = self.sobol_design(false)?;
        let (kernel, name) = match self.quantity {
            Quantity::Metric(_) => (
                Kernel::Energy,
                "Kernel indices of the whole distribution (energy distance)",
            ),
            _ => (Kernel::Category, "Kernel indices of a category"),
        };
        let outcomes = self.runs(&design);
        let indices = kernel_indices(&design, &outcomes, kernel, LEVEL).map_err(study_error)?;
        let mut factors: Vec<FactorRow> = (indices.columns.iter())
            .map(|c| FactorRow {
                factor: c.name.clone(),
                indices: vec![Some(c.first.into()), Some(c.joint_total.into())],
            })
            .collect();
        factors.push(dummy(vec![Some(indices.dummy_first.into()), Some(NOTHING)]));
        let spread = match kernel {
            Kernel::Category => {
                "Spread: probability that two runs of different worlds end differently"
            }
            _ => "Spread: mean distance of two runs of different worlds",
        };
        Ok(Analysis::Indices(Indices {
            subject: self.about(
                name,
                scrambled(design.plan().points, design.runs_per_point()),
                design.rows(),
            ),
            kinds: vec![
                IndexKind {
                    id: "first",
                    heading: "First",
                    meaning: "share of the spread of single runs that the factor explains alone.",
                },
                IndexKind {
                    id: "joint_total",
                    heading: "Joint total",
                    meaning: "share of the spread of single runs in which the factor takes part, alone, with other factors, \
                              or with chance.",
                },
            ],
            factors,
            whole: vec![
                Whole {
                    id: "chance_share",
                    meaning: "Pure chance: share of the spread that remains when all factors are known",
                    value: Some(indices.noise_share.into()),
                },
                whole("spread", spread, indices.spread.into()),
            ],
            ranking: 1,
            pairs: Vec::new(),
            notes: Vec::new(),
            failures: Failures::new("point", &indices.completeness),
        }))
    }

    fn shapley(&self) -> Result<Analysis, CliError> {
        let design = |points| {
            let plan = ShapleyPlan {
                scrambles: SCRAMBLES,
                points,
                chance: true,
                seed: self.seed,
            };
            ShapleyDesign::new(self.factors(0.0)?, plan).map_err(study_error)
        };
        let points = self.points(design(2)?.runs_per_point())?;
        let design = design(points)?;
        let outcomes = self.runs(&design);
        let effects = shapley_effects(&design, &outcomes, LEVEL).map_err(study_error)?;
        let row = |name: &str, cell: Cell| FactorRow {
            factor: name.to_owned(),
            indices: vec![Some(cell)],
        };
        let mut factors: Vec<FactorRow> = (effects.columns.iter())
            .map(|(name, e)| row(name, (*e).into()))
            .collect();
        factors.push(row(DUMMY, NOTHING));
        Ok(Analysis::Indices(Indices {
            subject: self.about(
                "Shapley effects",
                scrambled(points, design.runs_per_point()),
                design.rows(),
            ),
            kinds: vec![IndexKind {
                id: "shapley",
                heading: "Share",
                meaning: "share of the variance of single runs. What factors do together, or with chance, is split evenly \
                          among them, so that all shares and that of chance add up to 1.",
            }],
            factors,
            whole: vec![
                Whole {
                    id: "chance_share",
                    meaning: "Chance: its share, with its part of what it does together with factors",
                    value: effects.chance.map(Cell::from),
                },
                whole(
                    "variance",
                    "Variance of single runs",
                    effects.variance.into(),
                ),
            ],
            ranking: 0,
            pairs: Vec::new(),
            notes: Vec::new(),
            failures: Failures::new("chain", &effects.completeness),
        }))
    }

    fn morris(&self) -> Result<Analysis, CliError> {
        let design = |points| {
            let plan = MorrisPlan {
                scrambles: SCRAMBLES,
                points,
                steps: Steps::Levels(4),
                second_chance: false,
                seed: self.seed,
            };
            MorrisDesign::new(self.factors(TRIM)?, plan).map_err(study_error)
        };
        let points = self.points(design(2)?.runs_per_point())?;
        let design = design(points)?;
        let outcomes = self.runs(&design);
        let effects = morris_effects(&design, &outcomes, LEVEL).map_err(study_error)?;
        let mut factors: Vec<FactorRow> = (effects.factors.iter())
            .map(|f| FactorRow {
                factor: f.name.clone(),
                indices: vec![
                    Some(f.mu_star.into()),
                    Some(f.mu.into()),
                    Some(f.sigma.into()),
                ],
            })
            .collect();
        factors.push(dummy(vec![Some(NOTHING); 3]));
        Ok(Analysis::Indices(Indices {
            subject: self.about(
                "Morris screening",
                format!(
                    "{SCRAMBLES} independent scrambles of {points} base points; each parameter moves between the 5, 35, 65 \
                     and 95 % quantiles of its prior, runs of a point share their chance."
                ),
                design.rows(),
            ),
            kinds: vec![
                IndexKind {
                    id: "mu_star",
                    heading: "mu*",
                    meaning: "mean size of the change of the output when this factor moves by two thirds of its range, times 3/2. \
                              A change that only chance decides counts too.",
                },
                IndexKind {
                    id: "mu",
                    heading: "mu",
                    meaning: "the same with its sign: near mu* if the factor always works in one direction.",
                },
                IndexKind {
                    id: "sigma",
                    heading: "sigma",
                    meaning: "standard deviation of the changes: large with interactions, curved effects, or chance.",
                },
            ],
            factors,
            whole: Vec::new(),
            ranking: 0,
            pairs: Vec::new(),
            notes: vec![
                "mu* screens: it says which factors can be left out. Its sizes are no shares of anything.".to_owned(),
            ],
            failures: Failures::new("point", &effects.completeness),
        }))
    }

    fn sample(&self, method: Method) -> Result<Analysis, CliError> {
        let rows = self
            .budget
            .unwrap_or(1 << 13)
            .min(crate::sensitivity::SOBOL_POINTS as u64);
        let design = Sample::latin_hypercube(self.factors(0.0)?, rows as usize, self.seed)
            .map_err(study_error)?;
        let outcomes = self.runs(&design);
        let table = Table::of_design(&design, &outcomes).map_err(study_error)?;
        let about = self.about(
            given::name(method),
            "one run in each world, on a Latin hypercube.".to_owned(),
            design.rows(),
        );
        let indices = given::indices(method, &table, self.quantity, about, "run", self.seed)?;
        Ok(Analysis::Indices(indices))
    }

    fn ofat(&self) -> Result<Analysis, CliError> {
        let grid = |repeats: usize| {
            let factors = self.factors(0.0)?;
            let base = vec![0.5; factors.len()];
            Grid::one_at_a_time(factors, base, LEVELS, repeats, self.seed).map_err(study_error)
        };
        let points = grid(1)?.points();
        let repeats = self.budget() / points as u64;
        if repeats < 2 {
            let message = format!("{} runs are too few", self.budget());
            let needed = format!("at least {} are needed", 2 * points);
            return Err(CliError::usage(message).with_help(needed));
        }
        let repeats = repeats.min(10_000) as usize;
        let grid = grid(repeats)?;
        let outcomes = self.runs(&grid);
        let of_point = |point: usize| &outcomes[point * repeats..(point + 1) * repeats];
        let base = of_point(0);
        let mut values = vec![0.0; grid.factors().len()];
        let mut curve = Vec::with_capacity(points - 1);
        let mut point = 1;
        for (factor, &levels) in grid.levels().iter().enumerate() {
            for _ in 0..levels {
                grid.row(point * repeats, &mut values);
                let here = of_point(point);
                let pairs = here.iter().zip(base);
                let change = pairs.filter_map(|(a, b)| Some(a.as_ref().ok()? - b.as_ref().ok()?));
                curve.push(CurvePoint {
                    factor: grid.factors().list()[factor].name.clone(),
                    value: values[factor],
                    runs: here.iter().filter(|outcome| outcome.is_ok()).count() as u64,
                    mean: self.mean(here)?,
                    change: student(&change.collect::<Vec<_>>()),
                });
                point += 1;
            }
        }
        let mut completeness = Completeness {
            blocks: outcomes.len(),
            ..Completeness::default()
        };
        for outcome in &outcomes {
            match outcome {
                Ok(_) => completeness.complete += 1,
                Err(failure) => {
                    *completeness
                        .failures
                        .entry(failure.name.clone())
                        .or_insert(0) += 1;
                }
            }
        }
        Ok(Analysis::Curves(Curves {
            subject: self.about(
                "One factor at a time",
                format!(
                    "each parameter at {LEVELS} quantiles of its prior (or each of its values), {repeats} runs each, all others \
                     at their medians; run k has the same chance everywhere."
                ),
                grid.rows(),
            ),
            base: self.mean(base)?,
            points: curve,
            failures: Failures::new("run", &completeness),
        }))
    }

    /// Mean of the output over runs that did not fail.
    fn mean(&self, outcomes: &[Outcome]) -> Result<Cell, CliError> {
        let values: Vec<f64> = outcomes.iter().flatten().copied().collect();
        if values.len() < 2 {
            return Err(CliError::failure("nearly all runs at a point failed"));
        }
        let cell = student(&values);
        if !self.quantity.is_probability() {
            return Ok(cell);
        }
        let successes = values.iter().filter(|&&v| v == 1.0).count();
        let Interval { low, high } = wilson(successes as u64, values.len() as u64, LEVEL);
        Ok(Cell { low, high, ..cell })
    }
}

/// Mean with Student's interval; at least two values are needed for an interval.
fn student(values: &[f64]) -> Cell {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let standard_error = (squares / (n - 1.0) / n).sqrt();
    let Interval { low, high } = student_interval(mean, standard_error, n - 1.0, LEVEL);
    Cell {
        value: mean,
        standard_error,
        low,
        high,
        above_dummy: None,
    }
}

/// What a dummy has in totals and effects: exactly nothing, since equal values and equal chance make equal runs.
const NOTHING: Cell = Cell {
    value: 0.0,
    standard_error: 0.0,
    low: 0.0,
    high: 0.0,
    above_dummy: None,
};

const FIRST: IndexKind = IndexKind {
    id: "first",
    heading: "First",
    meaning: "share of the variance of single runs that the factor explains alone.",
};

const JOINT_TOTAL: IndexKind = IndexKind {
    id: "joint_total",
    heading: "Joint total",
    meaning: "share of the variance of single runs in which the factor takes part, alone, with other factors, or with chance.",
};

fn dummy(indices: Vec<Option<Cell>>) -> FactorRow {
    FactorRow {
        factor: DUMMY.to_owned(),
        indices,
    }
}

fn whole(id: &'static str, meaning: &'static str, value: Cell) -> Whole {
    Whole {
        id,
        meaning,
        value: Some(value),
    }
}

fn chance(value: Cell) -> Whole {
    Whole {
        id: "chance_share",
        meaning: "Pure chance: share of the variance of single runs that remains when all factors are known",
        value: Some(value),
    }
}

fn scrambled(points: usize, runs: usize) -> String {
    format!("{SCRAMBLES} independent scrambles of {points} points, {runs} runs at each.")
}

fn ranking_note(instability: f64) -> String {
    let settled = if instability < 1.0 {
        "settled"
    } else {
        "not settled"
    };
    format!(
        "The ranking of the important factors is {settled} (instability {instability:.2}, settled below 1)."
    )
}
