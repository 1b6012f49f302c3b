//! Runs of the flagship scenarios under chosen parameters, one row a run.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::AtomicBool;

use flashpoint::experiment::{Control, Plan, RowSink, Rows, WorldSource, replicate};
use flashpoint::model::Model;
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load;
use rayon::prelude::*;

/// Every batch has the same seed and the same run numbers, so that any two of them can be compared run by run.
const SEED: u64 = 20_240_103;

/// A built-in scenario, with parameters held at other values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    scenario: String,
    /// Parameters and the bits of their values, in the order of names.
    settings: BTreeMap<String, u64>,
}

impl Case {
    /// A scenario of the flagship, by its name below `scenarios/isis-iran/`.
    pub fn new(scenario: &str, settings: &[&[(&str, f64)]]) -> Self {
        Self::built_in(&format!("isis-iran/{scenario}"), settings)
    }

    pub fn built_in(scenario: &str, settings: &[&[(&str, f64)]]) -> Self {
        let settings = settings.iter().flat_map(|set| set.iter());
        Self {
            scenario: scenario.to_owned(),
            settings: settings
                .map(|&(name, value)| (name.to_owned(), value.to_bits()))
                .collect(),
        }
    }

    /// The compiled scenario, with its parameters set as `--set` does it.
    pub fn model(&self) -> Model {
        let mut loaded =
            load(&self.scenario).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        for (name, bits) in &self.settings {
            let parameter = (loaded.raw.parameter.get_mut(name))
                .unwrap_or_else(|| panic!("{} has no parameter {name}", self.scenario));
            parameter.value = f64::from_bits(*bits);
            parameter.prior = None;
        }
        let compiled =
            compile(&loaded).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        compiled.model
    }
}

/// The metrics of runs 0, 1, 2, ...
pub struct Batch {
    names: Vec<String>,
    values: Vec<f64>,
    pub endgames: Vec<Option<u32>>,
}

impl Batch {
    /// Makes the runs on one thread.
    pub fn run(case: &Case, runs: u64, worlds: WorldSource) -> Self {
        let model = case.model();
        let mut kept = Kept::default();
        let plan = Plan {
            seed: SEED,
            first_run: 0,
            runs,
            worlds,
        };
        let control = Control {
            threads: 1,
            stop: &AtomicBool::new(false),
            progress: &(),
        };
        replicate(&model, &plan, &control, Some(&mut kept)).unwrap();
        Self {
            names: model
                .metrics()
                .iter()
                .map(|metric| metric.id().to_owned())
                .collect(),
            values: kept.metrics,
            endgames: kept.endgames,
        }
    }

    /// A metric, run by run.
    pub fn metric(&self, name: &str) -> Vec<f64> {
        let index = (self.names.iter().position(|other| other == name))
            .unwrap_or_else(|| panic!("there is no metric {name}"));
        let rows = self.values.chunks_exact(self.names.len());
        rows.map(|row| row[index]).collect()
    }

    /// All metrics, run by run.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

#[derive(Default)]
struct Kept {
    metrics: Vec<f64>,
    endgames: Vec<Option<u32>>,
}

impl RowSink for Kept {
    fn take(&mut self, rows: &Rows) -> io::Result<()> {
        self.metrics.extend_from_slice(&rows.metrics);
        self.endgames.extend_from_slice(&rows.endgames);
        Ok(())
    }
}

/// Batches shared by all comparisons that need them, each made once with the most runs that anyone asks for.
pub struct Batches(BTreeMap<Case, Batch>);

impl Batches {
    /// All parameters at their defaults, but for the cases' settings.
    pub fn run(needs: impl IntoIterator<Item = (Case, u64)>) -> Self {
        let mut most: BTreeMap<Case, u64> = BTreeMap::new();
        for (case, runs) in needs {
            let entry = most.entry(case).or_default();
            *entry = runs.max(*entry);
        }
        let made = most.into_par_iter().map(|(case, runs)| {
            let batch = Batch::run(&case, runs, WorldSource::Defaults);
            (case, batch)
        });
        Self(made.collect())
    }

    pub fn get(&self, case: &Case) -> &Batch {
        &self.0[case]
    }
}

/// Mean of the differences over its standard error; 0 if nothing differs.
pub fn z_score(differences: &[f64]) -> f64 {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences
        .iter()
        .map(|d| (d - mean) * (d - mean))
        .sum::<f64>()
        / (n - 1.0);
    if mean == 0.0 {
        0.0
    } else {
        mean / (variance / n).sqrt()
    }
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
