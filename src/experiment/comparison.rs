//! Two models compared run by run.

use serde::{Deserialize, Serialize};

use super::rows::Rows;
use super::subject::Quantity;
use crate::model::Model;
use crate::stats::matched_pairs::MatchedPairs;
use crate::stats::paired::{MeanPairs, PairedIndicator, PairedMean};

/// An outcome that two models have in common, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonQuantity {
    /// Name.
    pub id: String,
    /// What it is in the baseline.
    pub baseline: Quantity,
    /// What it is in the variant.
    pub variant: Quantity,
}

/// The endgames, flags and metrics that both models have, in the order of the baseline. Names are compared within their kind.
pub fn common_quantities(baseline: &Model, variant: &Model) -> Vec<CommonQuantity> {
    let mut common = Vec::new();
    let mut add = |id: &str, baseline, variant: Option<Quantity>| {
        common.extend(variant.map(|variant| CommonQuantity {
            id: id.to_owned(),
            baseline,
            variant,
        }));
    };
    for (i, endgame) in baseline.endgames().iter().enumerate() {
        let same = (variant.endgames().iter()).position(|other| other.id() == endgame.id());
        add(
            endgame.id(),
            Quantity::Endgame(i),
            same.map(Quantity::Endgame),
        );
    }
    for (i, flag) in baseline.flags().iter().enumerate() {
        let same = (variant.flags().iter()).position(|other| other.id() == flag.id());
        add(flag.id(), Quantity::Flag(i), same.map(Quantity::Flag));
    }
    for (i, metric) in baseline.metrics().iter().enumerate() {
        let same = (variant.metrics().iter()).position(|other| other.id() == metric.id());
        add(metric.id(), Quantity::Metric(i), same.map(Quantity::Metric));
    }
    common
}

/// How one quantity differs between a variant and its baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// An outcome that is there or not. A run stopped at the cap on events does not have it, as in the results of `run`.
    Indicator(PairedIndicator),
    /// A metric. A day that never came counts as the horizon; pairs in which it has no finite value otherwise, or in which a run
    /// was stopped at the cap, are left out.
    Mean(PairedMean),
}

/// Differences of a variant to its baseline, over pairs of runs with the same number.
///
/// Like a [`Summary`](super::Summary) it merges exactly, in any order and grouping of whole worlds, and its size depends on the
/// models, not on the number of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    runs: u64,
    capped: u64,
    runs_per_world: Option<u32>,
    contrasts: Vec<Contrast>,
}

impl Comparison {
    /// No pairs yet of the quantities `common`. `runs_per_world` is given when runs share worlds.
    pub fn new(common: &[CommonQuantity], runs_per_world: Option<u32>) -> Self {
        let contrast = |quantity: &CommonQuantity| {
            if quantity.baseline.is_probability() {
                Contrast::Indicator(PairedIndicator::new(runs_per_world))
            } else {
                Contrast::Mean(PairedMean::new(runs_per_world))
            }
        };
        Self {
            runs: 0,
            capped: 0,
            runs_per_world: runs_per_world.map(|size| size.max(1)),
            contrasts: common.iter().map(contrast).collect(),
        }
    }

    /// Adds runs with the same numbers of both models: whole worlds, if runs share worlds.
    pub fn add(
        &mut self,
        common: &[CommonQuantity],
        (baseline_model, baseline): (&Model, &Rows),
        (variant_model, variant): (&Model, &Rows),
    ) {
        debug_assert_eq!(baseline.first_run, variant.first_run);
        let runs = baseline.len().min(variant.len());
        let size = self.runs_per_world.map_or(runs, |size| size as usize);
        self.runs += runs as u64;
        self.capped += (0..runs)
            .filter(|&run| baseline.endgames[run].is_none() || variant.endgames[run].is_none())
            .count() as u64;
        for (quantity, contrast) in common.iter().zip(&mut self.contrasts) {
            let read = |model: &Model, rows: &Rows, quantity: Quantity, run: usize| {
                let flags = run * model.flags().len();
                let metrics = run * model.metrics().len();
                let value = quantity.read(
                    model,
                    rows.endgames[run],
                    |flag| rows.flags[flags + flag],
                    |metric| rows.metrics[metrics + metric],
                );
                value.ok()
            };
            let mut first = 0;
            while first < runs {
                let world = first..(first + size).min(runs);
                first = world.end;
                let values = world.map(|run| {
                    (
                        read(baseline_model, baseline, quantity.baseline, run),
                        read(variant_model, variant, quantity.variant, run),
                    )
                });
                match contrast {
                    Contrast::Indicator(contrast) => {
                        let mut pairs = MatchedPairs::default();
                        for (a, b) in values {
                            pairs.record(a == Some(1.0), b == Some(1.0));
                        }
                        contrast.add(&pairs);
                    }
                    Contrast::Mean(contrast) => {
                        let mut pairs = MeanPairs::default();
                        for pair in values {
                            match pair {
                                (Some(a), Some(b)) => pairs.record(a, b),
                                _ => pairs.drop_pair(),
                            }
                        }
                        contrast.add(&pairs);
                    }
                }
            }
        }
    }

    /// Adds all pairs of `other`, which must be of the same quantities.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.contrasts.len(), other.contrasts.len());
        self.runs += other.runs;
        self.capped += other.capped;
        for pair in self.contrasts.iter_mut().zip(&other.contrasts) {
            match pair {
                (Contrast::Indicator(mine), Contrast::Indicator(theirs)) => mine.merge(theirs),
                (Contrast::Mean(mine), Contrast::Mean(theirs)) => mine.merge(theirs),
                _ => debug_assert!(false, "comparisons of different quantities"),
            }
        }
    }

    /// Number of pairs.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Pairs in which a run was stopped at the cap on events.
    pub fn capped(&self) -> u64 {
        self.capped
    }

    /// One for each of the quantities in common.
    pub fn contrasts(&self) -> &[Contrast] {
        &self.contrasts
    }
}
