//! Effects in the unit of the output: screening, and one factor at a time.

use super::Analysis;
use super::shares::{NOTHING, dummy};
use super::study::{LEVEL, LEVELS, SCRAMBLES, Study};
use crate::cli::CliError;
use crate::cli::analysis::study_error;
use crate::report::sensitivity::{
    Cell, CurvePoint, Curves, FactorRow, Failures, IndexKind, Indices,
};
use crate::sensitivity::{Completeness, Design, Grid, MorrisDesign, Outcome, morris_effects};
use crate::stats::interval::Interval;
use crate::stats::mean::student_interval;
use crate::stats::proportion::wilson;

impl Study<'_> {
    pub(super) fn morris(
        &self,
        design: &MorrisDesign,
        quantity: usize,
        outcomes: &[Outcome],
    ) -> Result<Analysis, CliError> {
        let effects = morris_effects(design, outcomes, LEVEL).map_err(study_error)?;
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
        let points = outcomes.len() / design.runs_per_point();
        let few_values = (design.factors().list().iter()).any(|factor| factor.levels().is_some());
        let moves = if few_values {
            " (or from one to another of its values, where it has few or is a category)"
        } else {
            ""
        };
        let mut notes = self.notes_on_factors();
        notes.push(
            "mu* screens: it says which factors can be left out. Its sizes are no shares of anything."
                .to_owned(),
        );
        Ok(Analysis::Indices(Indices {
            subject: self.about(
                quantity,
                "Morris screening",
                format!(
                    "{points} base points in {SCRAMBLES} independent scrambles; each parameter moves between the 5, 35, 65 \
                     and 95 % quantiles of its prior{moves}, runs of a point share their chance."
                ),
                outcomes.len(),
            ),
            kinds: vec![
                IndexKind {
                    id: "mu_star",
                    heading: "mu*",
                    meaning: "mean size of the change of the output when this factor moves by two thirds of its range (or to another of \
                              its few values), times 3/2. A change that only chance decides counts too.",
                },
                IndexKind {
                    id: "mu",
                    heading: "mu",
                    meaning: "the same with its sign: near mu* if the factor always works in one direction. Of a category, the direction \
                              is the order in which its values are listed.",
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
            rank_instability: effects.rank_instability,
            pairs: Vec::new(),
            notes,
            failures: Failures::new("point", &effects.completeness),
        }))
    }

    /// The first repeats of all points of a grid.
    pub(super) fn curves(
        &self,
        grid: &Grid,
        quantity: usize,
        outcomes: &[Outcome],
    ) -> Result<Analysis, CliError> {
        let points = grid.points();
        let repeats = outcomes.len() / points;
        let outcomes = &outcomes[..repeats * points];
        let of_point = |point: usize| -> Vec<&Outcome> {
            outcomes.iter().skip(point).step_by(points).collect()
        };
        let probability = self.cases[0].quantities[quantity].is_probability();
        let base = of_point(0);
        let mut values = vec![0.0; grid.factors().len()];
        let mut curve = Vec::with_capacity(points - 1);
        let mut left_out = Vec::new();
        let mut point = 1;
        for (factor, &levels) in grid.levels().iter().enumerate() {
            let varied = &grid.factors().list()[factor];
            for level in 0..levels {
                grid.row(point, &mut values);
                let here = of_point(point);
                let pairs = here.iter().zip(&base);
                let change = pairs.filter_map(|(a, b)| Some(a.as_ref().ok()? - b.as_ref().ok()?));
                let change: Vec<f64> = change.collect();
                let names = varied.levels().filter(|_| varied.is_categorical());
                match (mean(&here, probability), mean_of(&change)) {
                    (Some(mean), Some(change)) => curve.push(CurvePoint {
                        factor: varied.name.clone(),
                        value: values[factor],
                        label: names.map(|levels| levels[level].name.clone()),
                        runs: here.iter().filter(|outcome| outcome.is_ok()).count() as u64,
                        mean,
                        change,
                    }),
                    _ => left_out.push(format!("{} = {}", varied.name, values[factor])),
                }
                point += 1;
            }
        }
        let mut completeness = Completeness {
            blocks: outcomes.len(),
            ..Completeness::default()
        };
        for outcome in outcomes {
            match outcome {
                Ok(_) => completeness.complete += 1,
                Err(failure) => {
                    let known = completeness.failures.entry(failure.name.clone());
                    *known.or_insert(0) += 1;
                }
            }
        }
        let mut notes = self.notes_on_factors();
        if !left_out.is_empty() {
            notes.push(format!(
                "Left out, because nearly all runs failed there: {}.",
                left_out.join(", ")
            ));
        }
        let base = mean(&base, probability);
        let base = base.ok_or_else(|| {
            CliError::failure("nearly all runs with every factor at its median failed")
        })?;
        let firsts: String = (self.categories.iter())
            .filter_map(|f| Some(format!(" and {} = {}", f.name, f.levels()?.first()?.name)))
            .collect();
        Ok(Analysis::Curves(Curves {
            subject: self.about(
                quantity,
                "One factor at a time",
                format!(
                    "each parameter at {LEVELS} quantiles of its prior (or each of its values), {repeats} runs each, all others \
                     at their medians{firsts}; run k has the same chance everywhere."
                ),
                outcomes.len(),
            ),
            base,
            points: curve,
            notes,
            failures: Failures::new("run", &completeness),
        }))
    }
}

/// Mean of the output over runs that did not fail, if there are two.
fn mean(outcomes: &[&Outcome], probability: bool) -> Option<Cell> {
    let values = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok());
    let values: Vec<f64> = values.copied().collect();
    let cell = mean_of(&values)?;
    if !probability {
        return Some(cell);
    }
    let successes = values.iter().filter(|&&v| v == 1.0).count();
    let Interval { low, high } = wilson(successes as u64, values.len() as u64, LEVEL);
    Some(Cell { low, high, ..cell })
}

/// Mean with Student's interval, for which two values are needed.
fn mean_of(values: &[f64]) -> Option<Cell> {
    if values.len() < 2 {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    let standard_error = (squares / (n - 1.0) / n).sqrt();
    let Interval { low, high } = student_interval(mean, standard_error, n - 1.0, LEVEL);
    Some(Cell {
        value: mean,
        standard_error,
        low,
        high,
        above_dummy: None,
    })
}
