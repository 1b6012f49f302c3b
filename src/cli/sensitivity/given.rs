//! Indices from runs that are there.

use super::Method;
use super::choose::in_words;
use super::methods::{LEVEL, OF_RUNS};
use crate::cli::CliError;
use crate::cli::batch::{Batch, study_error};
use crate::experiment::{Quantity, Varied};
use crate::report::sensitivity::{Cell, DUMMY, FactorRow, Failures, IndexKind, Indices, Subject};
use crate::sensitivity::given::{
    PawnStatistic, Resampling, Table, pawn_indices, prcc, rank_indices, regional_sensitivity,
};

/// Slices of a factor for PAWN.
const SLICES: usize = 10;

/// Indices of the worlds of a batch: a row is a world, its output the mean over its runs.
pub(super) fn of_batch(
    batch: &Batch,
    method: Method,
    quantity: Quantity,
    varied: &[Varied],
    seed: u64,
) -> Result<Indices, CliError> {
    if quantity == Quantity::Category {
        return Err(CliError::usage("a batch gives the indices of numbers only")
            .with_help("name one endgame, or the scenario itself with --method kernel"));
    }
    let means = batch.means(quantity)?;
    let runs: u64 = means.iter().map(|world| u64::from(world.runs)).sum();
    let each = means.first().map_or(0, |world| world.runs);
    let worlds: Vec<_> = means.into_iter().map(|w| (w.world, w.mean)).collect();
    let table = batch.table(varied, &worlds)?;
    let about = Subject {
        title: batch.model.title().to_owned(),
        method: name(method).to_owned(),
        output: in_words(&batch.model, quantity),
        design: format!(
            "the {} worlds of a finished batch (its seed {}); the output of a world is the mean of its {each} runs.",
            worlds.len(),
            batch.manifest.description.seed
        ),
        seed,
        runs,
    };
    let mut indices = indices(method, &table, quantity, about, "world", seed)?;
    if method == Method::Rank {
        indices.notes.push(format!(
            "The variance is that of means of {each} runs, not {OF_RUNS}: chance has a {each}th of its part in single runs. \
             What is missing to 1 is that, and interactions."
        ));
    }
    Ok(indices)
}

pub(super) fn name(method: Method) -> &'static str {
    match method {
        Method::Pawn => "PAWN indices",
        Method::Prcc => "Partial rank correlations",
        Method::Regional => "Regional sensitivity",
        _ => "First-order indices from ranks",
    }
}

/// Indices of a table by one of the methods for given data.
pub(super) fn indices(
    method: Method,
    table: &Table,
    quantity: Quantity,
    subject: Subject,
    unit: &'static str,
    seed: u64,
) -> Result<Indices, CliError> {
    let options = Resampling {
        level: LEVEL,
        seed,
        ..Resampling::default()
    };
    let found = match method {
        Method::Pawn => pawn_indices(table, SLICES, PawnStatistic::Median, &options),
        Method::Prcc => prcc(table, &options),
        Method::Regional if !quantity.is_probability() => {
            return Err(
                CliError::usage("method regional needs an outcome that comes true or not")
                    .with_help("name an endgame or a flag"),
            );
        }
        Method::Regional => regional_sensitivity(table, &options),
        _ => rank_indices(table, LEVEL, seed),
    };
    let found = found.map_err(study_error)?;
    let kind = match method {
        Method::Pawn => IndexKind {
            id: "pawn",
            heading: "PAWN",
            meaning: "median distance (Kolmogorov-Smirnov, 0 to 1) between the distribution of the output in a tenth of the \
                      factor's values and in all. Not 0 for a factor that does nothing: compare with the dummy.",
        },
        Method::Prcc => IndexKind {
            id: "prcc",
            heading: "PRCC",
            meaning: "correlation of ranks (-1 to 1) with the effects of all other factors taken out. For effects in one \
                      direction: a factor that works up and down may have none.",
        },
        Method::Regional => IndexKind {
            id: "regional",
            heading: "Distance",
            meaning: "distance (Kolmogorov-Smirnov, 0 to 1) between the values of the factor where the outcome came true and \
                      where it did not. Not 0 for a factor that does nothing: compare with the dummy.",
        },
        _ => IndexKind {
            id: "first",
            heading: "First",
            meaning: "share of the variance of the output that the factor explains alone.",
        },
    };
    let mut factors: Vec<FactorRow> = (found.columns.into_iter())
        .map(|(factor, estimate)| FactorRow {
            factor,
            indices: vec![estimate.map(Cell::from)],
        })
        .collect();
    factors.push(FactorRow {
        factor: DUMMY.to_owned(),
        indices: vec![Some(Cell {
            above_dummy: None,
            ..found.dummy.into()
        })],
    });
    Ok(Indices {
        subject,
        kinds: vec![kind],
        factors,
        whole: Vec::new(),
        ranking: 0,
        pairs: Vec::new(),
        notes: Vec::new(),
        failures: Failures::new(unit, &found.completeness),
    })
}
