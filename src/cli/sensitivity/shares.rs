//! Shares of the variance or of the spread: Sobol, kernel and Shapley.

use super::Analysis;
use super::study::{LEVEL, Study, scrambled};
use crate::cli::CliError;
use crate::cli::analysis::study_error;
use crate::experiment::Quantity;
use crate::report::sensitivity::{Cell, DUMMY, FactorRow, Failures, IndexKind, Indices, Whole};
use crate::sensitivity::{
    Design, Kernel, Outcome, ShapleyDesign, SobolDesign, SobolOptions, kernel_indices,
    shapley_effects, sobol_indices,
};

impl Study<'_> {
    pub(super) fn sobol(
        &self,
        design: &SobolDesign,
        quantity: usize,
        outcomes: &[Outcome],
    ) -> Result<Analysis, CliError> {
        let options = SobolOptions {
            level: LEVEL,
            ..SobolOptions::default()
        };
        let indices = sobol_indices(design, outcomes, &options).map_err(study_error)?;
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
        let mut notes = self.notes_on_factors();
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
        let mut found = Indices {
            subject: self.about(
                quantity,
                "Sobol indices with the seed as a factor",
                scrambled(outcomes.len(), design.runs_per_point()),
                outcomes.len(),
            ),
            kinds: vec![
                IndexKind {
                    id: "first",
                    heading: "First",
                    meaning: "share of the variance of single runs that the factor explains alone.",
                },
                IndexKind {
                    id: "joint_total",
                    heading: "Joint total",
                    meaning: "share of the variance of single runs in which the factor takes part, alone, with other factors, or \
                              with chance.",
                },
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
                whole(
                    "chance_share",
                    "Pure chance: share of the variance of single runs that remains when all factors are known",
                    indices.noise_share.into(),
                ),
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
            rank_instability: indices.rank_instability,
            pairs: pairs.collect(),
            notes,
            failures: Failures::new("point", &indices.completeness),
        };
        if self.repeats > 1 {
            of_means(&mut found, self.repeats);
        }
        Ok(Analysis::Indices(found))
    }

    pub(super) fn kernel(
        &self,
        design: &SobolDesign,
        quantity: usize,
        outcomes: &[Outcome],
    ) -> Result<Analysis, CliError> {
        let (kernel, name, spread) = match self.cases[0].quantities[quantity] {
            Quantity::Metric(_) => (
                Kernel::Energy,
                "Kernel indices of the whole distribution (energy distance)",
                "Spread: mean distance of two runs of different worlds",
            ),
            _ => (
                Kernel::Category,
                "Kernel indices of a category",
                "Spread: probability that two runs of different worlds end differently",
            ),
        };
        let indices = kernel_indices(design, outcomes, kernel, LEVEL).map_err(study_error)?;
        let mut factors: Vec<FactorRow> = (indices.columns.iter())
            .map(|c| FactorRow {
                factor: c.name.clone(),
                indices: vec![Some(c.first.into()), Some(c.joint_total.into())],
            })
            .collect();
        factors.push(dummy(vec![Some(indices.dummy_first.into()), Some(NOTHING)]));
        Ok(Analysis::Indices(Indices {
            subject: self.about(
                quantity,
                name,
                scrambled(outcomes.len(), design.runs_per_point()),
                outcomes.len(),
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
                whole(
                    "chance_share",
                    "Pure chance: share of the spread that remains when all factors are known",
                    indices.noise_share.into(),
                ),
                whole("spread", spread, indices.spread.into()),
            ],
            ranking: 1,
            rank_instability: indices.rank_instability,
            pairs: Vec::new(),
            notes: self.notes_on_factors(),
            failures: Failures::new("point", &indices.completeness),
        }))
    }

    pub(super) fn shapley(
        &self,
        design: &ShapleyDesign,
        quantity: usize,
        outcomes: &[Outcome],
    ) -> Result<Analysis, CliError> {
        let effects = shapley_effects(design, outcomes, LEVEL).map_err(study_error)?;
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
                quantity,
                "Shapley effects",
                scrambled(outcomes.len(), design.runs_per_point()),
                outcomes.len(),
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
            rank_instability: effects.rank_instability,
            pairs: Vec::new(),
            notes: self.notes_on_factors(),
            failures: Failures::new("chain", &effects.completeness),
        }))
    }
}

/// What indices of means of runs say about single runs: the shares of the mean response, and chance.
///
/// With s the share of chance in the variance of means of R runs, that in single runs is R s / (1 + (R - 1) s), which grows with
/// s, so that the ends of the interval can be moved too.
fn of_means(found: &mut Indices, repeats: u64) {
    const FIRST_OF_MEAN: usize = 2;
    found.kinds.drain(..FIRST_OF_MEAN);
    for row in &mut found.factors {
        row.indices.drain(..FIRST_OF_MEAN);
    }
    found.ranking = found.kinds.len() - 1;
    let r = repeats as f64;
    let single = |s: f64| r * s / (1.0 + (r - 1.0) * s.max(0.0));
    found.whole.retain(|whole| whole.id != "variance");
    for whole in &mut found.whole {
        if let (Some(cell), "chance_share") = (&mut whole.value, whole.id) {
            let scale = 1.0 + (r - 1.0) * cell.value.max(0.0);
            *cell = Cell {
                value: single(cell.value),
                standard_error: cell.standard_error * r / (scale * scale),
                low: single(cell.low),
                high: single(cell.high),
                above_dummy: None,
            };
        }
    }
    found.subject.design.push_str(&format!(
        " Each output is the mean of {repeats} runs of one world."
    ));
}

/// What a dummy has in totals and effects: exactly nothing, since equal values and equal chance make equal runs.
pub(super) const NOTHING: Cell = Cell {
    value: 0.0,
    standard_error: 0.0,
    low: 0.0,
    high: 0.0,
    above_dummy: None,
};

pub(super) fn dummy(indices: Vec<Option<Cell>>) -> FactorRow {
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
