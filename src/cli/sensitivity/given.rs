//! Indices from any runs: of a random sample, or of finished batches.

use super::choose::in_words;
use super::study::{LEVEL, Study};
use super::{Analysis, Method};
use crate::cli::CliError;
use crate::cli::analysis::study_error;
use crate::cli::worlds::Worlds;
use crate::experiment::Quantity;
use crate::report::sensitivity::{Cell, DUMMY, FactorRow, Failures, IndexKind, Indices, Subject};
use crate::sensitivity::given::{
    GivenIndices, PawnStatistic, Resampling, Table, pawn_indices, prcc, rank_indices,
    rank_indices_of_means, regional_sensitivity,
};
use crate::sensitivity::{Error, Outcome, Sample};

/// Slices of a factor for PAWN.
const SLICES: usize = 10;
/// With fewer effective rows than this, a few worlds decide.
const FEW_EFFECTIVE: f64 = 100.0;

impl Study<'_> {
    pub(super) fn sample(
        &self,
        method: Method,
        design: &Sample,
        quantity: usize,
        outcomes: &[Outcome],
    ) -> Result<Analysis, CliError> {
        let table = Table::of_design(design, outcomes).map_err(study_error)?;
        let about = self.about(
            quantity,
            name(method),
            "one run in each world, worlds drawn independently.".to_owned(),
            outcomes.len(),
        );
        let found = indices(method, &table, self.seed)?;
        let mut indices = report(method, &table, found, about, "run");
        indices.notes.extend(self.notes_on_factors());
        Ok(Analysis::Indices(indices))
    }
}

/// Indices of the worlds of batches: a row is a world, its output the mean over its runs.
pub(super) fn of_worlds(
    worlds: &Worlds,
    method: Method,
    of: &str,
    quantity: Quantity,
    seed: u64,
) -> Result<Indices, CliError> {
    if quantity == Quantity::Category {
        return Err(CliError::usage("a batch gives the indices of numbers only")
            .with_help("name one endgame, or the scenario itself with --method kernel"));
    }
    if method == Method::Regional && !quantity.is_probability() {
        return Err(
            CliError::usage("method regional needs an outcome that comes true or not")
                .with_help("name an endgame or a flag"),
        );
    }
    let table = &worlds.table;
    let each = worlds.runs_per_world;
    let about = Subject {
        title: worlds.title.clone(),
        method: name(method).to_owned(),
        of: of.to_owned(),
        output: in_words(worlds.model, quantity),
        design: format!(
            "{} worlds of finished batches; the output of a world is the mean of its {each} runs.",
            worlds.number
        ),
        seed,
        runs: worlds.runs,
        provisional: None,
    };
    let found = match indices(method, table, seed) {
        Ok(found) => found,
        Err(CliError::Failure { message, .. }) if worlds.number < 100 => {
            return Err(CliError::failure(message).with_help(format!(
                "with few worlds every interval is wider than what there is to see: give the batch more worlds, for example \
                 --runs {}, or name the scenario itself",
                200 * u64::from(each)
            )));
        }
        Err(error) => return Err(error),
    };
    let mut report = report(method, table, found, about, "world");
    if method == Method::Rank {
        report.kinds[0] = IndexKind {
            id: "first",
            heading: "First, means",
            meaning: "share of the variance between the means of the worlds that the factor explains alone; chance has a part in \
                      these means, smaller the more runs a world has.",
        };
        add_shares_of_mean_response(&mut report, worlds, seed);
    }
    report.notes.extend(worlds.notes.iter().cloned());
    Ok(report)
}

/// Adds the shares of the variance that the means would have without chance, if there is any.
fn add_shares_of_mean_response(report: &mut Indices, worlds: &Worlds, seed: u64) {
    let Some(noise) = &worlds.noise else {
        return;
    };
    let of_mean = match rank_indices_of_means(&worlds.table, noise, LEVEL, seed) {
        Ok(found) => found.columns,
        Err(Error::ConstantOutput) => {
            report.notes.push(
                "The worlds differ no more than chance alone would have it: there are no shares of the mean response."
                    .to_owned(),
            );
            return;
        }
        // Whatever else is wrong, the indices of the means have shown.
        Err(_) => return,
    };
    report.kinds.push(IndexKind {
        id: "mean_first",
        heading: "First, mean",
        meaning: "share of the variance of the mean response (the probability, where the output is yes or no) that the factor \
                  explains alone: the same with the part of chance taken out.",
    });
    for (row, (_, estimate)) in report.factors.iter_mut().zip(of_mean) {
        row.indices.push(estimate.map(Cell::from));
    }
    for row in &mut report.factors {
        row.indices.resize(report.kinds.len(), None);
    }
}

fn name(method: Method) -> &'static str {
    match method {
        Method::Pawn => "PAWN indices",
        Method::Prcc => "Partial rank correlations",
        Method::Regional => "Regional sensitivity",
        _ => "First-order indices from ranks",
    }
}

fn indices(method: Method, table: &Table, seed: u64) -> Result<GivenIndices, CliError> {
    let options = Resampling {
        level: LEVEL,
        seed,
        ..Resampling::default()
    };
    let found = match method {
        Method::Pawn => pawn_indices(table, SLICES, PawnStatistic::Median, &options),
        Method::Prcc => prcc(table, &options),
        Method::Regional => regional_sensitivity(table, &options),
        _ => rank_indices(table, LEVEL, seed),
    };
    found.map_err(study_error)
}

/// Indices of a table by one of the methods for given data. `unit` is what a row is.
fn report(
    method: Method,
    table: &Table,
    found: GivenIndices,
    subject: Subject,
    unit: &'static str,
) -> Indices {
    let kind = match method {
        Method::Pawn => IndexKind {
            id: "pawn",
            heading: "PAWN",
            meaning: "median distance (Kolmogorov-Smirnov, 0 to 1) between the distribution of the output in a tenth of the \
                      factor's values (or at each, of few) and in all. Not 0 for a factor that does nothing, and smaller then \
                      the fewer values it has: the dummy has ten slices, and P > dummy compares with the factor's own values \
                      in random order.",
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
            meaning: "distance (0 to 1) between the values of the factor where the outcome came true and where it did not: \
                      Kolmogorov-Smirnov, or of categories half the sum of differences of shares. Not 0 for a factor that does \
                      nothing: the dummy is a column of random numbers, and P > dummy compares with the factor's own values in \
                      random order.",
        },
        _ => IndexKind {
            id: "first",
            heading: "First",
            meaning: "share of the variance of single runs that the factor explains alone.",
        },
    };
    let mut notes = Vec::new();
    if method == Method::Rank {
        let effective = table.effective_rows();
        if effective < FEW_EFFECTIVE {
            notes.push(format!(
                "A few {unit}s have most of the variance, as if there were only {effective:.0} in all: strong factors look weaker than \
                 they are, and intervals may miss. More {unit}s help."
            ));
        }
        let by_chance = 0.025 * found.columns.len() as f64;
        if by_chance >= 1.0 {
            notes.push(format!(
                "Of {} intervals of factors that do nothing, about {by_chance:.0} would lie wholly below zero by chance, and as many \
                 wholly above.",
                found.columns.len()
            ));
        }
    }
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
    Indices {
        subject,
        kinds: vec![kind],
        factors,
        whole: Vec::new(),
        ranking: 0,
        rank_instability: found.rank_instability,
        pairs: Vec::new(),
        notes,
        failures: Failures::new(unit, &found.completeness),
    }
}
