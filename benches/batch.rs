//! What a batch costs beside its runs: time for each cell, and memory. `cargo bench --bench batch`; with `-- full`, also the ten
//! million runs of 10,000 cells with 1,000 runs each, and a design of a million cells.
//!
//! The scenario is ladder-10 with the pull of the others as a parameter, which moves through one value for each cell.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use flashpoint::batch::check::{self, Options};
use flashpoint::batch::conduct::{Control, conduct};
use flashpoint::batch::inputs::Inputs;
use flashpoint::batch::plan::Plan;
use flashpoint::batch::store::{Description, Store};
use flashpoint::report::batch::finish;

const LADDER: &str = include_str!("../scenarios/bench/ladder-10.toml");

/// The plan of so many cells with so many runs each.
fn plan(cells: u32, runs: u64) -> (Plan, Description) {
    let scenario = LADDER.replace("0.1 * mean", "pull * mean").replace(
        "[actor.player]",
        "[parameter.pull]\nvalue = 0.1\nbasis = \"assumption\"\n\n[actor.player]",
    );
    let experiment = format!(
        "[batch]\nruns = {runs}\n[scenario.ladder]\nfile = \"ladder.toml\"\n[lever.pull]\nrange = [0.09, 0.11]\nsteps = {cells}\n"
    );
    let files = [("ladder.toml", scenario), ("batch.toml", experiment)];
    let inputs = Inputs {
        files: files.map(|(name, text)| (name.to_owned(), text)).into(),
        ..Inputs::default()
    };
    let plan = match check::load(&inputs, "batch.toml", Options::default()) {
        Ok(plan) => plan,
        Err(problems) => panic!("{}", problems.render(false)),
    };
    let description = Description {
        experiment: "batch.toml".to_owned(),
        seed: None,
        runs: None,
        identity: plan.identity.clone(),
        inputs,
    };
    (plan, description)
}

/// Seconds of the runs, and of the tables.
#[allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn measure(cells: u32, runs: u64, threads: usize) -> [f64; 2] {
    let folder = tempfile::tempdir().expect("a folder for the batch");
    let (plan, description) = plan(cells, runs);
    let store = Store::open(folder.path(), &plan, &description, false).expect("a folder");
    let control = Control {
        threads,
        stop: &AtomicBool::new(false),
        progress: &(),
    };
    let start = Instant::now();
    let done = conduct(&plan, &store, &control).expect("runs");
    let made = start.elapsed().as_secs_f64();
    let text = finish(&plan, &store, &done).expect("tables");
    assert!(text.contains("cells"));
    let told = start.elapsed().as_secs_f64() - made;
    println!(
        "{cells:>9} cells x {runs:>5} runs, {threads} threads: runs {made:8.2} s, tables {told:7.2} s, peak memory {} MB",
        peak_memory()
    );
    [made, told]
}

/// The most memory that this process has had, in MB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1000
}

fn main() {
    // The same runs in few cells and in many: what is left between them is the cost of a cell.
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let [few, _] = measure(10, 10_000, 1);
        let [many, _] = measure(10_000, 10, 1);
        least = least.min((many - few) / 9990.0);
    }
    println!(
        "cost of a cell beside its runs: {:.1} microseconds",
        1e6 * least
    );
    if std::env::args().any(|argument| argument == "full") {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        measure(10_000, 1000, threads);
        measure(1_000_000, 1, threads);
    }
}
