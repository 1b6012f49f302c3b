//! Two models compared run by run.

use serde::{Deserialize, Serialize};

use super::rows::Rows;
use super::subject::Quantity;
use crate::model::Model;
use crate::stats::matched_pairs::MatchedPairs;
use crate::stats::paired::{Difference, MeanPairs, PairedIndicator, PairedMean};
use crate::stats::worlds::Band;

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
    Mean(Box<PairedMean>),
}

/// The values of a pair of runs, baseline first; `None` without a value.
pub type Pair = (Option<f64>, Option<f64>);

impl Contrast {
    /// No pairs yet of `quantity`. `runs_per_world` is given when runs share worlds.
    pub fn new(quantity: Quantity, runs_per_world: Option<u32>) -> Self {
        if quantity.is_probability() {
            Self::Indicator(PairedIndicator::new(runs_per_world))
        } else {
            Self::Mean(Box::new(PairedMean::new(runs_per_world)))
        }
    }

    /// Adds the pairs of a complete world; where runs do not share worlds, any pairs.
    pub fn add(&mut self, world: impl Iterator<Item = Pair>) {
        match self {
            Self::Indicator(contrast) => {
                let mut pairs = MatchedPairs::default();
                let mut unknown = 0;
                for (baseline, variant) in world {
                    pairs.record(baseline == Some(1.0), variant == Some(1.0));
                    unknown += u64::from(baseline.is_none() || variant.is_none());
                }
                contrast.add(&pairs);
                contrast.add_unknown(unknown);
            }
            Self::Mean(contrast) => {
                let mut pairs = MeanPairs::default();
                for pair in world {
                    match pair {
                        (Some(baseline), Some(variant)) => pairs.record(baseline, variant),
                        _ => pairs.drop_pair(),
                    }
                }
                contrast.add(&pairs);
            }
        }
    }

    /// Adds all pairs of `other`, which must be of the same quantity.
    pub fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Indicator(mine), Self::Indicator(theirs)) => mine.merge(theirs),
            (Self::Mean(mine), Self::Mean(theirs)) => mine.merge(theirs),
            _ => debug_assert!(false, "contrasts of different quantities"),
        }
    }

    /// Pairs in which both runs have a value.
    pub fn pairs(&self) -> u64 {
        match self {
            Self::Indicator(contrast) => contrast.pairs().pairs,
            Self::Mean(contrast) => contrast.pairs(),
        }
    }

    /// Pairs left out because one of the two has no value.
    pub fn dropped(&self) -> u64 {
        match self {
            Self::Indicator(_) => 0,
            Self::Mean(contrast) => contrast.dropped(),
        }
    }

    /// The difference with its Monte Carlo interval at `level` in `(0, 1)`; `None` with too few pairs.
    pub fn difference(&self, level: f64) -> Option<Difference> {
        match self {
            Self::Indicator(contrast) => contrast.difference(level),
            Self::Mean(contrast) => contrast.difference(level),
        }
    }

    /// Median and central share `level` in `(0, 1)` of the true difference across worlds, where it can be told.
    pub fn band(&self, level: f64) -> Option<Band> {
        match self {
            Self::Indicator(contrast) => contrast.band(level),
            Self::Mean(contrast) => contrast.band(level),
        }
    }
}

/// The value of `quantity` in each of the runs; `None` for a run stopped at the cap, or without a finite value.
pub fn values(model: &Model, quantity: Quantity, rows: &Rows) -> Vec<Option<f64>> {
    let read = |run: usize| {
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
    (0..rows.len()).map(read).collect()
}

/// The contrast of two lists of values of the same runs, whole worlds if runs share them.
pub fn contrast(
    quantity: Quantity,
    runs_per_world: Option<u32>,
    baseline: &[Option<f64>],
    variant: &[Option<f64>],
) -> Contrast {
    let mut contrast = Contrast::new(quantity, runs_per_world);
    let size = runs_per_world.map_or(baseline.len(), |size| size as usize);
    let worlds = baseline
        .chunks(size.max(1))
        .zip(variant.chunks(size.max(1)));
    for (baseline, variant) in worlds {
        contrast.add(baseline.iter().copied().zip(variant.iter().copied()));
    }
    contrast
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
        let contrast = |q: &CommonQuantity| Contrast::new(q.baseline, runs_per_world);
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
        self.runs += runs as u64;
        self.capped += (0..runs)
            .filter(|&run| baseline.endgames[run].is_none() || variant.endgames[run].is_none())
            .count() as u64;
        for (quantity, all) in common.iter().zip(&mut self.contrasts) {
            let a = values(baseline_model, quantity.baseline, baseline);
            let b = values(variant_model, quantity.variant, variant);
            all.merge(&contrast(quantity.baseline, self.runs_per_world, &a, &b));
        }
    }

    /// Adds all pairs of `other`, which must be of the same quantities.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.contrasts.len(), other.contrasts.len());
        self.runs += other.runs;
        self.capped += other.capped;
        for (mine, theirs) in self.contrasts.iter_mut().zip(&other.contrasts) {
            mine.merge(theirs);
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
