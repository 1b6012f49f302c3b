//! The worlds of finished batches as one table, for analyses that make no runs of their own.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::CliError;
use super::analysis::study_error;
use super::finished_experiment::FinishedExperiment;
use super::kept_runs::KeptRuns;
use super::sensitivity::{Named, inputs, named, nothing_varies, quantity};
use crate::batch::store::DESCRIPTION;
use crate::experiment::{Input, Quantity};
use crate::model::{Model, ParameterDraws};
use crate::sensitivity::given::{Table, TableColumn};
use crate::sensitivity::{Factor, Kind, Level, Outcome};

/// Name of the factor that says which of several scenarios holds.
pub(super) const SCENARIO: &str = "scenario";
/// Worlds take turns among scenarios by the fractional parts of its multiples, which fill (0, 1) evenly.
const GOLDEN_SECTION: f64 = 0.618_033_988_749_894_9;

/// A factor that says which of several things holds: a category with their names and weights.
pub(super) fn category_factor(name: &str, levels: Vec<String>, weights: &[f64]) -> Factor {
    let level = |(i, (name, &weight)): (usize, (String, &f64))| Level {
        name,
        value: i as f64,
        weight,
    };
    let levels = levels.into_iter().zip(weights).enumerate().map(level);
    Factor {
        name: name.to_owned(),
        group: None,
        kind: Kind::Categorical(levels.collect()),
    }
}

/// Checks that there is a weight for each scenario, or none at all, which means equal weights.
///
/// # Errors
/// A usage error for another number of weights, or for a weight that is not above zero.
pub(super) fn weights_of(weights: &[f64], scenarios: usize) -> Result<Vec<f64>, CliError> {
    if weights.is_empty() {
        return Ok(vec![1.0; scenarios]);
    }
    if weights.len() != scenarios {
        return Err(CliError::usage(format!(
            "--weights has {} numbers for {scenarios} scenarios",
            weights.len()
        )));
    }
    if weights.iter().any(|w| !w.is_finite() || *w <= 0.0) {
        return Err(CliError::usage(
            "--weights: every weight must be a number above zero",
        ));
    }
    Ok(weights.to_vec())
}

/// Finished batches whose runs were kept, one for each scenario.
pub(super) struct Batches {
    list: Vec<KeptRuns>,
    names: Vec<String>,
    weights: Vec<f64>,
}

/// The worlds of some batches, with one outcome of each.
pub(super) struct Worlds<'a> {
    /// A row for each world.
    pub table: Table,
    /// For each world, the variance of its mean over repetitions of its runs; `None` where that cannot be told.
    pub noise: Option<Vec<f64>>,
    /// A model with this outcome.
    pub model: &'a Model,
    /// The scenarios.
    pub title: String,
    /// Number of worlds.
    pub number: usize,
    /// Runs in all of them.
    pub runs: u64,
    /// Runs in the first.
    pub runs_per_world: u32,
    /// What must be said about the factors.
    pub notes: Vec<String>,
}

impl Batches {
    /// Opens the folders.
    ///
    /// # Errors
    /// As [`KeptRuns::open`]; a usage error for two batches of one scenario, or for bad weights.
    pub fn open(folders: &[PathBuf], weights: &[f64]) -> Result<Self, CliError> {
        let mut list: Vec<KeptRuns> = Vec::new();
        let mut names: Vec<String> = Vec::new();
        for folder in folders {
            let batch = KeptRuns::open(folder)?;
            let name = &batch.manifest.description.scenario.name;
            if names.contains(name) {
                return Err(CliError::usage(format!(
                    "`{}` is a second batch of scenario {name}",
                    folder.display()
                ))
                .with_help("name batches of different scenarios, or one with more runs"));
            }
            names.push(name.clone());
            list.push(batch);
        }
        Ok(Self {
            weights: weights_of(weights, list.len())?,
            list,
            names,
        })
    }

    /// Names of the scenarios.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The seed of each batch.
    pub fn seeds(&self) -> Vec<u64> {
        let seed = |batch: &KeptRuns| batch.manifest.description.seed;
        self.list.iter().map(seed).collect()
    }

    /// What the batches were, for the manifest of an analysis.
    pub fn description(&self) -> Value {
        let descriptions: Vec<_> = self.list.iter().map(KeptRuns::description).collect();
        match descriptions.as_slice() {
            [one] => one.clone(),
            _ => json!({ "batches": descriptions, "weights": self.weights }),
        }
    }

    /// The outcome `of` of every world, and the values of the parameters `params` (all that vary, if none are named).
    ///
    /// With several batches each world counts in one of them, in turn as the weights say: worlds of one number have the
    /// same parameters in batches of one seed, and rows must be independent.
    ///
    /// # Errors
    /// A usage error for an unknown outcome or parameter; files that cannot be read.
    pub fn worlds(&self, of: &str, params: &[String]) -> Result<(Worlds<'_>, Quantity), CliError> {
        let scenarios: Vec<Named<'_>> = (self.list.iter().zip(&self.names))
            .map(|(batch, name)| Named {
                name: name.clone(),
                model: &batch.model,
                raw: None,
            })
            .collect();
        let inputs = inputs(&scenarios, &[]);
        if inputs.is_empty() && scenarios.len() < 2 {
            return Err(nothing_varies());
        }
        let inputs = named(&scenarios, inputs, params)?;
        let mut means = Vec::new();
        let mut first = Quantity::Category;
        for (number, (batch, scenario)) in self.list.iter().zip(&scenarios).enumerate() {
            let quantity = quantity(scenario, of)?;
            if number == 0 {
                first = quantity;
            }
            means.push(batch.means(quantity)?);
        }
        let count = means.iter().map(Vec::len).min().unwrap_or(0);
        let runs_per_world = means[0].first().map_or(0, |world| world.runs);
        let several = self.list.len() > 1;
        let factor = category_factor(SCENARIO, self.names.clone(), &self.weights);
        let factors: Vec<Factor> = inputs.iter().map(Input::factor).collect();
        let mut draws: Vec<Vec<ParameterDraws>> = Vec::new();
        for batch in &self.list {
            let seed = batch.manifest.description.seed;
            let of_model = |other: &KeptRuns| ParameterDraws::new(&other.model, seed);
            draws.push(self.list.iter().map(of_model).collect());
        }
        let mut x = Vec::new();
        let (mut outcomes, mut noise): (Vec<Outcome>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut runs = 0;
        for place in 0..count {
            let turn = fraction((place as f64 + 0.5) * GOLDEN_SECTION);
            let number = factor.value(turn) as usize;
            let Some(world) = means[number].get(place) else {
                break;
            };
            if several {
                x.push(number as f64);
            }
            let drawn: Vec<Vec<f64>> = (draws[number].iter_mut().zip(&self.list))
                .map(|(draws, batch)| draws.probabilities(&batch.model, world.world))
                .collect();
            for (input, factor) in inputs.iter().zip(&factors) {
                x.push(factor.value(probability(input, &drawn)));
            }
            outcomes.push(world.mean.clone());
            noise.push(world.noise);
            runs += u64::from(world.runs);
        }
        let column = |input: &Input| TableColumn::number(&input.name);
        let labels = self.names.iter().enumerate();
        let labels = labels.map(|(i, name)| (i as f64, name.clone())).collect();
        let scenario = several.then(|| TableColumn::category(SCENARIO, labels));
        let columns = scenario.into_iter().chain(inputs.iter().map(column));
        let table = Table::new(columns.collect(), &x, &outcomes).map_err(study_error)?;
        let mut notes = Vec::new();
        if several {
            notes.push(format!(
                "`{SCENARIO}` is which of the scenarios holds. Each world counts in one of them, in turn."
            ));
            let differing = inputs.iter().filter(|input| !input.is_common());
            let differing: Vec<&str> = differing.map(|input| input.name.as_str()).collect();
            if !differing.is_empty() {
                notes.push(format!(
                    "Parameters with another prior in another scenario are given as how far up their prior they are, from 0 to 1: {}.",
                    differing.join(", ")
                ));
            }
        }
        let worlds = Worlds {
            table,
            // One run does not tell how it might have gone otherwise.
            noise: (runs_per_world > 1).then_some(noise),
            model: &self.list[0].model,
            title: match self.list.as_slice() {
                [one] => one.model.title().to_owned(),
                _ => self.names.join(", "),
            },
            number: count,
            runs,
            runs_per_world,
            notes,
        };
        Ok((worlds, first))
    }
}

/// How far up its prior a parameter is in a world; `drawn` has that of all parameters of each scenario. Streams are keyed by
/// name, so it is the same wherever the parameter has a prior.
pub(super) fn probability(input: &Input, drawn: &[Vec<f64>]) -> f64 {
    let mut places = input.in_scenario.iter().zip(drawn);
    let varied = places.find_map(|(varied, drawn)| Some(drawn[varied.as_ref()?.parameter]));
    varied.unwrap_or(0.5)
}

/// The part of a number behind the point.
pub(super) fn fraction(x: f64) -> f64 {
    x - libm::floor(x)
}

/// Runs that were kept: of scenarios, or of an experiment.
pub(super) enum Finished {
    Runs(Batches),
    Experiment(FinishedExperiment),
}

impl Finished {
    /// Opens the folders.
    ///
    /// # Errors
    /// As [`Batches::open`] and [`FinishedExperiment::open`]; a usage error for an experiment beside other folders.
    pub fn open(folders: &[PathBuf], weights: &[f64]) -> Result<Self, CliError> {
        let experiment = |folder: &&PathBuf| folder.join(DESCRIPTION).exists();
        let Some(folder) = folders.iter().find(experiment) else {
            return Batches::open(folders, weights).map(Self::Runs);
        };
        if folders.len() > 1 || !weights.is_empty() {
            return Err(
                CliError::usage(format!("`{}` holds an experiment", folder.display()))
                    .with_help("name it alone: its scenarios and their weights stand in its file"),
            );
        }
        FinishedExperiment::open(folder).map(Self::Experiment)
    }

    /// The outcome `of` and the factors `params` (all, if none are named) of every row.
    ///
    /// # Errors
    /// A usage error for an unknown outcome or parameter; files that cannot be read.
    pub fn worlds(&self, of: &str, params: &[String]) -> Result<(Worlds<'_>, Quantity), CliError> {
        match self {
            Self::Runs(batches) => batches.worlds(of, params),
            Self::Experiment(experiment) => experiment.worlds(of, params),
        }
    }

    /// Refuses to measure what was found in these runs anew in `others` unless, but for their seeds, they are the same: then
    /// every column of worlds means the same in both.
    ///
    /// # Errors
    /// A usage error that names two folders and what differs.
    pub fn check_confirmed_by(&self, others: &Self) -> Result<(), CliError> {
        let differing = match (self, others) {
            (Self::Runs(these), Self::Runs(those)) => {
                let mut pairs = these.list.iter().zip(&those.list);
                pairs.find_map(|(this, that)| {
                    let difference = this.difference(that)?;
                    Some((this.folder.as_path(), that.folder.as_path(), difference))
                })
            }
            (Self::Experiment(this), Self::Experiment(that)) => {
                let difference = this.difference(that);
                difference.map(|difference| (this.folder(), that.folder(), difference))
            }
            (Self::Runs(_), Self::Experiment(_)) | (Self::Experiment(_), Self::Runs(_)) => {
                return Err(CliError::usage(
                    "runs of a scenario cannot confirm those of an experiment, nor the other way round",
                ));
            }
        };
        match differing {
            None => Ok(()),
            Some((this, that, difference)) => Err(CliError::usage(format!(
                "`{}` cannot confirm what is found in `{}`: {difference}",
                that.display(),
                this.display()
            ))
            .with_help("run the same scenario again with the same options and another --seed")),
        }
    }

    /// Names of the scenarios, or of the experiment.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Runs(batches) => batches.names(),
            Self::Experiment(experiment) => experiment.names(),
        }
    }

    /// The seeds.
    pub fn seeds(&self) -> Vec<u64> {
        match self {
            Self::Runs(batches) => batches.seeds(),
            Self::Experiment(experiment) => experiment.seeds(),
        }
    }

    /// What they were, for the manifest of an analysis.
    pub fn description(&self) -> Value {
        match self {
            Self::Runs(batches) => batches.description(),
            Self::Experiment(experiment) => experiment.description(),
        }
    }
}
