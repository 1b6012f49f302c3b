//! A study that makes its own runs: which design it has, and how far it may grow.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::choose::in_words;
use super::{Analysis, Method};
use crate::cli::CliError;
use crate::cli::analysis::study_error;
use crate::experiment::{Case, Input, Quantity};
use crate::report::sensitivity::Subject;
use crate::sensitivity::{
    Design, Factor, Factors, Grid, Level, MorrisDesign, MorrisPlan, Outcome, SOBOL_POINTS, Sample,
    ShapleyDesign, ShapleyPlan, SobolDesign, SobolPlan, Steps,
};

/// Level of all intervals.
pub(super) const LEVEL: f64 = 0.95;
/// Independent scrambles of designs on Sobol points.
pub(super) const SCRAMBLES: usize = 8;
/// Levels of a factor in one-at-a-time curves.
pub(super) const LEVELS: usize = 9;
/// Levels of a factor in screening.
const SCREENING_LEVELS: usize = 4;
/// Probability at both ends of a prior that screening does not reach.
const TRIM: f64 = 0.05;
const DEFAULT_BUDGET: u64 = 200_000;
/// The same for methods that need no design.
const DEFAULT_SAMPLE: u64 = 8192;
/// The most runs when a precision decides.
const DEFAULT_MOST: u64 = 2_000_000;
/// Points of each scramble, or repeats of a grid, at which a study is first looked at.
const FIRST_POINTS: usize = 32;
/// The same for methods that need no design.
const FIRST_SAMPLE: usize = 512;
/// Repeats of a grid at most.
const MOST_REPEATS: u64 = 10_000;

/// What is studied.
pub(super) struct Study<'a> {
    pub title: String,
    /// The factors that say which of the cases it is.
    pub categories: Vec<Factor>,
    pub cases: &'a [Case<'a>],
    pub inputs: &'a [Input],
    /// Group of each parameter that is in one.
    pub groups: &'a BTreeMap<String, String>,
    /// What the user calls the quantities of the cases.
    pub of: &'a [String],
    pub seed: u64,
    pub budget: Option<u64>,
    pub precision: Option<f64>,
    pub pairs: bool,
    /// Runs whose mean is the output of a row.
    pub repeats: u64,
}

/// The largest design that a study may have.
pub(super) enum Plan {
    Sobol(SobolDesign),
    Kernel(SobolDesign),
    Shapley(ShapleyDesign),
    Morris(MorrisDesign),
    Ofat(Grid),
    Sample(Method, Sample),
}

impl Plan {
    pub(super) fn design(&self) -> &dyn Design {
        match self {
            Plan::Sobol(design) | Plan::Kernel(design) => design,
            Plan::Shapley(design) => design,
            Plan::Morris(design) => design,
            Plan::Ofat(design) => design,
            Plan::Sample(_, design) => design,
        }
    }

    /// Rows after which there is as much from every scramble, or of every point.
    pub(super) fn balanced(&self) -> usize {
        match self {
            Plan::Sobol(design) | Plan::Kernel(design) => SCRAMBLES * design.runs_per_point(),
            Plan::Shapley(design) => SCRAMBLES * design.runs_per_point(),
            Plan::Morris(design) => SCRAMBLES * design.runs_per_point(),
            Plan::Ofat(design) => design.points(),
            Plan::Sample(..) => 1,
        }
    }

    /// Numbers of rows at which the outcomes are looked at: each twice the one before, the last is all.
    pub(super) fn looks(&self) -> Vec<usize> {
        let first = match self {
            Plan::Sample(..) => FIRST_SAMPLE,
            _ => FIRST_POINTS,
        };
        let most = self.design().rows() / self.balanced();
        let doubled = std::iter::successors(Some(first), |points| points.checked_mul(2));
        let mut looks: Vec<usize> = doubled.take_while(|&points| points < most).collect();
        looks.push(most);
        looks
            .into_iter()
            .map(|points| points * self.balanced())
            .collect()
    }

    /// What decides which row is which: plans that are the same in this and differ in size begin with the same rows.
    pub(super) fn kind(&self) -> Value {
        match self {
            Plan::Sobol(design) | Plan::Kernel(design) => json!({
                "kind": "sobol",
                "scrambles": SCRAMBLES,
                "pairs": design.plan().second_order,
                "mean_total": design.plan().mean_total,
            }),
            Plan::Shapley(_) => json!({ "kind": "shapley", "scrambles": SCRAMBLES }),
            Plan::Morris(_) => json!({
                "kind": "morris",
                "scrambles": SCRAMBLES,
                "levels": SCREENING_LEVELS,
                "few_values": "any two",
                "trim": TRIM,
            }),
            Plan::Ofat(_) => json!({ "kind": "one at a time", "levels": LEVELS }),
            Plan::Sample(..) => json!({ "kind": "random" }),
        }
    }
}

impl Study<'_> {
    /// The largest design that the budget allows.
    pub(super) fn plan(&self, method: Method) -> Result<Plan, CliError> {
        for (name, &quantity) in self.of.iter().zip(&self.cases[0].quantities) {
            if quantity == Quantity::Category && method != Method::Kernel {
                return Err(CliError::usage(format!(
                    "method {} needs a number, but `{name}` is a category",
                    method.name()
                ))
                .with_help("use --method kernel, or name one endgame"));
            }
            if method == Method::Regional && !quantity.is_probability() {
                return Err(CliError::usage(
                    "method regional needs an outcome that comes true or not",
                )
                .with_help("name an endgame or a flag"));
            }
        }
        match method {
            Method::Sobol => Ok(Plan::Sobol(self.sobol_design(true)?)),
            Method::Kernel => Ok(Plan::Kernel(self.sobol_design(false)?)),
            Method::Shapley => self.shapley_design().map(Plan::Shapley),
            Method::Morris => self.morris_design().map(Plan::Morris),
            Method::Ofat => self.grid().map(Plan::Ofat),
            Method::Rank | Method::Pawn | Method::Prcc | Method::Regional => {
                let rows = self.budget(DEFAULT_SAMPLE) as usize;
                let sample = Sample::random(self.factors(0.0)?, rows, self.seed);
                Ok(Plan::Sample(method, sample.map_err(study_error)?))
            }
        }
    }

    /// Analyses the outcomes of a quantity in the first rows of the plan.
    pub(super) fn analyse(
        &self,
        plan: &Plan,
        quantity: usize,
        outcomes: &[Outcome],
    ) -> Result<Analysis, CliError> {
        match plan {
            Plan::Sobol(design) => self.sobol(design, quantity, outcomes),
            Plan::Kernel(design) => self.kernel(design, quantity, outcomes),
            Plan::Shapley(design) => self.shapley(design, quantity, outcomes),
            Plan::Morris(design) => self.morris(design, quantity, outcomes),
            Plan::Ofat(design) => self.curves(design, quantity, outcomes),
            Plan::Sample(method, design) => self.sample(*method, design, quantity, outcomes),
        }
    }

    fn factors(&self, trim: f64) -> Result<Factors, CliError> {
        let factor = |input: &Input| -> Factor {
            let factor = input.trimmed_factor(trim);
            match self.groups.get(&input.name) {
                Some(group) => factor.in_group(group),
                None => factor,
            }
        };
        let categories = self.categories.iter().cloned();
        let factors = categories.chain(self.inputs.iter().map(factor));
        Factors::new(factors.collect()).map_err(study_error)
    }

    /// What the analysis of a quantity is about.
    pub(super) fn about(
        &self,
        quantity: usize,
        method: &str,
        design: String,
        runs: usize,
    ) -> Subject {
        let case = &self.cases[0];
        Subject {
            title: self.title.clone(),
            method: method.to_owned(),
            of: self.of[quantity].clone(),
            output: in_words(case.model, case.quantities[quantity]),
            design,
            seed: self.seed,
            runs: runs as u64 * self.repeats,
            provisional: None,
        }
    }

    /// What must be said about the factors.
    pub(super) fn notes_on_factors(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for factor in &self.categories {
            let levels = factor.levels().unwrap_or_default();
            let total: f64 = levels.iter().map(|level| level.weight).sum();
            let weight =
                |level: &Level| format!("{} {:.0} %", level.name, 100.0 * level.weight / total);
            let weights: Vec<String> = levels.iter().map(weight).collect();
            notes.push(format!(
                "`{0}` is which {0} holds: {1}.",
                factor.name,
                weights.join(", ")
            ));
        }
        let differing = self.inputs.iter().filter(|input| !input.is_common());
        let differing: Vec<&str> = differing.map(|input| input.name.as_str()).collect();
        if !differing.is_empty() {
            notes.push(format!(
                "Parameters with another prior in another scenario are varied as how far up their prior they are, from 0 to 1: {}.",
                differing.join(", ")
            ));
        }
        notes
    }

    fn budget(&self, default: u64) -> u64 {
        self.budget.unwrap_or(match self.precision {
            Some(_) => DEFAULT_MOST,
            None => default,
        })
    }

    /// Points of each scramble that the budget allows: a power of 2, for which Sobol points are balanced.
    fn points(&self, runs_per_point: usize) -> Result<usize, CliError> {
        let each = (SCRAMBLES * runs_per_point) as u64 * self.repeats;
        let budget = self.budget(DEFAULT_BUDGET);
        let points = budget / each;
        if points < 2 {
            return Err(
                CliError::usage(format!("{budget} runs are too few")).with_help(format!(
                    "at least {} are needed; fewer factors (--params, --group) need fewer",
                    2 * each
                )),
            );
        }
        Ok((1 << points.ilog2()).min(SOBOL_POINTS))
    }

    fn sobol_design(&self, mean_total: bool) -> Result<SobolDesign, CliError> {
        let plan = SobolPlan {
            scrambles: SCRAMBLES,
            points: 2,
            second_order: self.pairs,
            mean_total,
            seed: self.seed,
        };
        let least = SobolDesign::new(self.factors(0.0)?, plan).map_err(study_error)?;
        let points = self.points(least.runs_per_point())?;
        least.grown(points).map_err(study_error)
    }

    fn shapley_design(&self) -> Result<ShapleyDesign, CliError> {
        let design = |points| {
            let plan = ShapleyPlan {
                scrambles: SCRAMBLES,
                points,
                chance: true,
                seed: self.seed,
            };
            ShapleyDesign::new(self.factors(0.0)?, plan).map_err(study_error)
        };
        design(self.points(design(2)?.runs_per_point())?)
    }

    fn morris_design(&self) -> Result<MorrisDesign, CliError> {
        let design = |points| {
            let plan = MorrisPlan {
                scrambles: SCRAMBLES,
                points,
                steps: Steps::Levels(SCREENING_LEVELS),
                second_chance: false,
                seed: self.seed,
            };
            MorrisDesign::new(self.factors(TRIM)?, plan).map_err(study_error)
        };
        design(self.points(design(2)?.runs_per_point())?)
    }

    /// All factors at their medians, and the first of each category.
    fn grid(&self) -> Result<Grid, CliError> {
        let factors = self.factors(0.0)?;
        let mut base = vec![0.5; factors.len()];
        base[..self.categories.len()].fill(0.0);
        let least =
            Grid::one_at_a_time(factors, base, LEVELS, 1, self.seed).map_err(study_error)?;
        let budget = self.budget(DEFAULT_BUDGET);
        let repeats = (budget / least.points() as u64).min(MOST_REPEATS);
        if repeats < 2 {
            let message = format!("{budget} runs are too few");
            let needed = format!("at least {} are needed", 2 * least.points());
            return Err(CliError::usage(message).with_help(needed));
        }
        least.repeated(repeats as usize).map_err(study_error)
    }
}

/// How a design on Sobol points is said, as far as it was run.
pub(super) fn scrambled(rows: usize, runs_per_point: usize) -> String {
    let points = rows / runs_per_point;
    if points.is_multiple_of(SCRAMBLES) {
        let points = points / SCRAMBLES;
        format!(
            "{SCRAMBLES} independent scrambles of {points} points, {runs_per_point} runs at each."
        )
    } else {
        format!(
            "{points} points of {SCRAMBLES} independent scrambles, {runs_per_point} runs at each."
        )
    }
}
