//! A finished experiment as a table of worlds, for analyses that make no runs of their own.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::CliError;
use super::analysis::study_error;
use super::run::RUNS_FILE;
use super::sensitivity::{Named, StudySubject, cases, quantity};
use super::worlds::{Worlds, fraction, probability};
use crate::batch::check::{self, Options};
use crate::batch::plan::Plan;
use crate::batch::store::{Description, MANIFEST};
use crate::experiment::{Input, Quantity};
use crate::model::ParameterDraws;
use crate::report::runs_reader::{WorldMean, cell_means};
use crate::sensitivity::given::{Table, TableColumn};
use crate::sensitivity::{Factor, Level, Outcome};

/// With fewer worlds than this a row of the table is a cell.
const LEAST_WORLDS: usize = 100;
/// Rows take turns among scenarios and among cells by the fractional parts of multiples of these, which fill a square evenly
/// (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences").
const TURNS: [f64; 2] = [0.754_877_666_246_692_7, 0.569_840_290_998_053_2];

/// An experiment whose runs were kept.
pub(super) struct FinishedExperiment {
    subject: StudySubject,
    folder: PathBuf,
    names: Vec<String>,
}

/// The worlds of a cell.
struct CellWorlds {
    number: u64,
    worlds: Vec<WorldMean>,
}

impl FinishedExperiment {
    /// Opens the folder of a batch.
    ///
    /// # Errors
    /// A usage error if the batch is not complete, did not keep its runs, or was made by another version.
    pub fn open(folder: &Path) -> Result<Self, CliError> {
        let shown = folder.display();
        let description = Description::read(folder)
            .map_err(|error| CliError::usage(format!("`{shown}`: {error}")))?;
        if !folder.join(MANIFEST).exists() {
            return Err(
                CliError::usage(format!("the batch in `{shown}` is not complete"))
                    .with_help("the command that began it goes on with it"),
            );
        }
        if !folder.join(RUNS_FILE).exists() {
            return Err(
                CliError::usage(format!("`{shown}` does not hold its single runs")).with_help(
                    "write keep_runs = true under [batch] in the file of the experiment",
                ),
            );
        }
        let options = Options {
            seed: description.seed,
            runs: description.runs,
        };
        let plan = check::load(&description.inputs, &description.experiment, options);
        let plan = plan
            .ok()
            .filter(|plan| plan.identity == description.identity);
        let plan = plan.ok_or_else(|| {
            let made = &description.identity.flashpoint;
            CliError::usage(format!(
                "`{shown}` was made by version {made} of flashpoint"
            ))
            .with_help("make it again: another version might draw other worlds")
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            names: vec![plan.name.clone()],
            subject: StudySubject::Experiment(Box::new(plan)),
        })
    }

    fn plan(&self) -> Option<&Plan> {
        self.subject.experiment()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What decides its rows and is another in `other`, seeds and numbers of runs apart; `None` if nothing is.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let (this, that) = (self.plan()?, other.plan()?);
        let changed = this.identity.changed_scenarios(&that.identity);
        if let Some(scenario) = changed.first() {
            return Some(format!("scenario {scenario} reads differently"));
        }
        let settings =
            |plan: &Plan| [&plan.levers, &plan.sweeps].map(|points| points.axes().to_vec());
        let differ = this.scenarios != that.scenarios
            || this.variants != that.variants
            || this.worlds != that.worlds
            || settings(this) != settings(that);
        differ.then(|| {
            "scenarios, variants, levers or sweeps differ in the files of the experiment".to_owned()
        })
    }

    /// Name of the experiment.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Its seed.
    pub fn seeds(&self) -> Vec<u64> {
        self.plan().map(|plan| plan.seed).into_iter().collect()
    }

    /// What it was, for the manifest of an analysis.
    pub fn description(&self) -> Value {
        json!({ "experiment": self.subject.identity(), "seed": self.seeds().first() })
    }

    /// The outcome `of`, and what differs between rows: scenario, variant, sweeps and levers, and the uncertain parameters.
    ///
    /// A row is a world in one of the cells, which take turns: a world is the same in all cells, and rows must be independent.
    /// With few worlds, a row is a cell and its output the mean over all its runs.
    ///
    /// # Errors
    /// A usage error for an unknown outcome or parameter; files that cannot be read.
    pub fn worlds(&self, of: &str, params: &[String]) -> Result<(Worlds<'_>, Quantity), CliError> {
        let Some(plan) = self.plan() else {
            return Err(CliError::failure("the experiment has no plan"));
        };
        let named = self.subject.named();
        let quantity = quantity(&named[0], of)?;
        let cells = self.cells(&named[0], quantity)?;
        let count = cells.iter().map(|cell| cell.worlds.len()).min();
        let count = count.unwrap_or(0);
        let by_world = count >= LEAST_WORLDS;
        let mut cases = cases(&named, &[of.to_owned()])?;
        let mut inputs = self.subject.inputs(&[], params, &mut cases)?;
        if !by_world {
            inputs.retain(|input| plan.held_parameters().any(|name| name == input.name));
        }
        let categories = self.subject.categories();
        let by_scenario = by_scenario(plan, &cells);
        let mut rows = Rows::new(plan, &named, &categories, &inputs);
        let mut runs = 0;
        let rows_of = if by_world { count } else { cells.len() };
        for row in 0..rows_of {
            let (cell, world) = match by_world {
                true => {
                    let cell = turn(plan, &cells, &by_scenario, row);
                    (cell, Some(&cell.worlds[row]))
                }
                false => (&cells[row], None),
            };
            rows.add(cell, world);
            let of_row = world.map_or(&cell.worlds[..], std::slice::from_ref);
            runs += of_row
                .iter()
                .map(|world| u64::from(world.runs))
                .sum::<u64>();
        }
        let Rows {
            x, outcomes, noise, ..
        } = rows;
        let category = |factor: &Factor| {
            let levels = factor.levels().unwrap_or_default().iter();
            let labels = levels.map(|level: &Level| (level.value, level.name.clone()));
            TableColumn::category(&factor.name, labels.collect())
        };
        let columns = categories.iter().map(category);
        let columns = columns.chain(inputs.iter().map(|input| TableColumn::number(&input.name)));
        let table = Table::new(columns.collect(), &x, &outcomes).map_err(study_error)?;
        let notes = vec![if by_world {
            "A row is a world in one of the cells of the experiment, which take turns.".to_owned()
        } else {
            format!(
                "A row is a cell of the experiment, since there are only {count} worlds: uncertain parameters are no factors."
            )
        }];
        let each = match by_world {
            true => plan.block,
            false => u32::try_from(runs / rows_of.max(1) as u64).unwrap_or(u32::MAX),
        };
        let worlds = Worlds {
            table,
            noise: by_world.then_some(noise),
            model: named[0].model,
            title: plan.title.clone(),
            number: rows_of,
            runs,
            runs_per_world: each,
            notes,
        };
        Ok((worlds, quantity))
    }

    fn cells(&self, named: &Named<'_>, quantity: Quantity) -> Result<Vec<CellWorlds>, CliError> {
        let path = self.folder.join(RUNS_FILE);
        let means = cell_means(&path, named.model, quantity).map_err(|error| {
            CliError::failure(format!("cannot read `{}`: {error}", path.display()))
        })?;
        let mut cells: Vec<CellWorlds> = Vec::new();
        for (number, world) in means {
            match cells.last_mut().filter(|last| last.number == number) {
                Some(last) => last.worlds.push(world),
                None => cells.push(CellWorlds {
                    number,
                    worlds: vec![world],
                }),
            }
        }
        Ok(cells)
    }
}

/// The cell in which a world counts: scenarios by their weights, all else evenly.
fn turn<'c>(
    plan: &Plan,
    cells: &'c [CellWorlds],
    by_scenario: &[Vec<&'c CellWorlds>],
    row: usize,
) -> &'c CellWorlds {
    let [scenario, place] = TURNS.map(|turn| fraction((row as f64 + 0.5) * turn));
    let mut above = 0.0;
    let weights = plan.scenarios.iter().map(|scenario| scenario.weight);
    let number = weights.take_while(|weight| {
        above += weight;
        scenario >= above
    });
    let scenario = number.count().min(plan.scenarios.len() - 1);
    let of_scenario = &by_scenario[scenario];
    let at = (place * of_scenario.len() as f64) as usize;
    // A scenario all of whose cells failed gives its turns to the others.
    let cell = of_scenario.get(at).copied();
    cell.unwrap_or(&cells[(place * cells.len() as f64) as usize])
}

/// The cells of each scenario.
fn by_scenario<'c>(plan: &Plan, cells: &'c [CellWorlds]) -> Vec<Vec<&'c CellWorlds>> {
    let mut by_scenario = vec![Vec::new(); plan.scenarios.len()];
    for cell in cells {
        by_scenario[plan.cell(cell.number).scenario].push(cell);
    }
    by_scenario
}

/// Rows of the table on their way.
struct Rows<'a> {
    plan: &'a Plan,
    categories: &'a [Factor],
    inputs: &'a [Input],
    factors: Vec<Factor>,
    named: &'a [Named<'a>],
    draws: Vec<ParameterDraws>,
    held: Vec<&'a str>,
    x: Vec<f64>,
    outcomes: Vec<Outcome>,
    noise: Vec<f64>,
}

impl<'a> Rows<'a> {
    fn new(
        plan: &'a Plan,
        named: &'a [Named<'a>],
        categories: &'a [Factor],
        inputs: &'a [Input],
    ) -> Self {
        let draws = named
            .iter()
            .map(|n| ParameterDraws::new(n.model, plan.seed));
        Self {
            plan,
            categories,
            inputs,
            factors: inputs.iter().map(Input::factor).collect(),
            draws: draws.collect(),
            named,
            held: plan.held_parameters().collect(),
            x: Vec::new(),
            outcomes: Vec::new(),
            noise: Vec::new(),
        }
    }

    /// A world of a cell, or all of it.
    fn add(&mut self, cell: &CellWorlds, world: Option<&WorldMean>) {
        let place = self.plan.cell(cell.number);
        for factor in self.categories {
            let digit = match factor.name.as_str() {
                super::worlds::SCENARIO => place.scenario,
                _ => place.variant,
            };
            self.x.push(digit as f64);
        }
        let mut setting = Vec::new();
        self.plan.setting(place, &mut setting);
        let drawn: Vec<Vec<f64>> = match world {
            Some(world) => (self.draws.iter_mut().zip(self.named))
                .map(|(draws, named)| draws.probabilities(named.model, world.world))
                .collect(),
            None => Vec::new(),
        };
        for (input, factor) in self.inputs.iter().zip(&self.factors) {
            let held = self.held.iter().position(|name| *name == input.name);
            self.x.push(match held {
                Some(axis) => setting[axis],
                None => factor.value(probability(input, &drawn)),
            });
        }
        match world {
            Some(world) => {
                self.outcomes.push(world.mean.clone());
                self.noise.push(world.noise);
            }
            None => {
                let means: Result<Vec<f64>, _> =
                    cell.worlds.iter().map(|world| world.mean.clone()).collect();
                let mean = |means: Vec<f64>| means.iter().sum::<f64>() / means.len() as f64;
                self.outcomes.push(means.map(mean));
                self.noise.push(0.0);
            }
        }
    }
}
