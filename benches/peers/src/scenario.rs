//! Scenarios as `flashpoint run` runs them: loaded, checked, compiled, and run and summed up by the library's `replicate`.

use crate::contender::{Contender, FLASHPOINT, Runner};
use cpu_time::ProcessTime;
use flashpoint::experiment::{Control, Plan, RowSink, Rows, Summary, WorldSource, replicate};
use flashpoint::model::Model;
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::{LoadedScenario, load, load_text};
use std::hint::black_box;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// The seed of all runs.
pub const SEED: u64 = 1;

pub struct Scenario(Model);

impl Scenario {
    /// A built-in scenario.
    pub fn shipped(name: &str) -> Self {
        Self::new(load(name).unwrap_or_else(|problems| panic!("{}", problems.render(false))))
    }

    pub fn generated(text: &str) -> Self {
        let loaded = load_text("generated.toml", text);
        Self::new(loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false))))
    }

    fn new(loaded: LoadedScenario) -> Self {
        let compiled = compile(&loaded).unwrap_or_else(|p| panic!("{}", p.render(false)));
        Self(compiled.model)
    }

    /// Makes runs, rounded up to whole worlds, on as many threads as asked.
    pub fn replicate(&self, first: u64, runs: u64, threads: usize) -> Summary {
        self.carry_out(first, runs, threads, None)
    }

    /// Makes runs on one thread and hands on each, in turn, as a row.
    pub fn for_each(&self, first: u64, runs: u64, take: impl FnMut(&Rows, usize) + Send) {
        self.carry_out(first, runs, 1, Some(&mut Each(take)));
    }

    fn carry_out(
        &self,
        first_run: u64,
        runs: u64,
        threads: usize,
        sink: Option<&mut dyn RowSink>,
    ) -> Summary {
        let model = &self.0;
        let worlds = if model.has_priors() {
            WorldSource::Priors
        } else {
            WorldSource::Defaults
        };
        let mut plan = Plan {
            seed: SEED,
            first_run,
            runs,
            worlds,
        };
        let world = plan.runs_per_world(model).map_or(1, u64::from);
        plan.first_run = first_run.next_multiple_of(world);
        plan.runs = runs.next_multiple_of(world);
        let control = Control {
            threads,
            stop: &AtomicBool::new(false),
            progress: &(),
        };
        let done = replicate(model, &plan, &control, sink);
        done.unwrap_or_else(|error| panic!("{error}")).summary
    }
}

struct Each<Take>(Take);

impl<Take: FnMut(&Rows, usize) + Send> RowSink for Each<Take> {
    fn take(&mut self, rows: &Rows) -> io::Result<()> {
        (0..rows.len()).for_each(|row| (self.0)(rows, row));
        Ok(())
    }
}

/// Flashpoint with a shipped scenario; `cell` tells where a run comes out.
pub fn contender(
    name: &str,
    cells: usize,
    cell: impl Fn(&Rows, usize) -> usize + Send + Sync + 'static,
) -> Contender {
    Contender {
        name: FLASHPOINT.to_owned(),
        version: format!("this tree, {}", version("flashpoint")),
        checked_runs: 20_000,
        runner: Box::new(Replicated {
            scenario: Scenario::shipped(name),
            cells,
            cell,
        }),
    }
}

/// A scenario whose runs come out in cells.
struct Replicated<Cell> {
    scenario: Scenario,
    cells: usize,
    cell: Cell,
}

impl<Cell: Fn(&Rows, usize) -> usize + Send + Sync> Runner for Replicated<Cell> {
    fn outcomes(&mut self, first: u64, runs: u64) -> Vec<u64> {
        let mut counts = vec![0; self.cells];
        (self.scenario).for_each(first, runs, |rows, row| counts[(self.cell)(rows, row)] += 1);
        counts
    }

    fn cpu_seconds(&mut self, first: u64, runs: u64) -> f64 {
        let start = ProcessTime::now();
        black_box(self.scenario.replicate(first, runs, 1));
        start.elapsed().as_secs_f64()
    }

    fn wall_seconds(&mut self, first: u64, runs: u64, cores: usize) -> f64 {
        let start = Instant::now();
        black_box(self.scenario.replicate(first, runs, cores));
        start.elapsed().as_secs_f64()
    }
}

/// The top of the repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The version of a package in this benchmark's lock file.
pub fn version(package: &str) -> String {
    let lock = include_str!("../Cargo.lock");
    let named = format!("name = \"{package}\"");
    let entry = (lock.split("[[package]]")).find(|entry| entry.trim_start().starts_with(&named));
    let line = entry.and_then(|entry| entry.lines().find(|line| line.starts_with("version")));
    let version = line.and_then(|line| line.split('"').nth(1));
    version.expect("a locked package").to_owned()
}
