//! What a batch costs beside its runs: CPU time for each cell, and memory.
//!
//! ```text
//! cargo bench --bench batch                      the cost of a cell
//! cargo bench --bench batch -- full              also 10,000 cells of 1,000 runs each, and a million cells
//! cargo bench --bench batch -- CELLS RUNS [T]    one batch of so many cells and runs each, on T threads (all cores)
//! cargo bench --bench batch -- short CELLS RUNS  one of those that the cost of a cell is measured with, for a profiler
//! ```
//!
//! The scenario is ladder-10 with the pull of the others as a parameter, which moves through one value for each cell. Every cell
//! is compared with the first one. For the cost of a cell, the ladder ends after half a day: a cell costs as much, and runs that
//! take less disturb the measurement less.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use cpu_time::ProcessTime;
use flashpoint::batch::check::{self, Options};
use flashpoint::batch::conduct::{Control, conduct};
use flashpoint::batch::inputs::Inputs;
use flashpoint::batch::plan::Plan;
use flashpoint::batch::store::{Description, Store};
use flashpoint::report::batch::finish;

const LADDER: &str = include_str!("../scenarios/bench/ladder-10.toml");

/// Cells and runs of each, for the cost of a cell: the same runs in few cells and in many.
const FEW: (u32, u64) = (10, 20_000);
const MANY: (u32, u64) = (5000, 40);
/// How often the two are measured, in turn.
const ROUNDS: usize = 15;

/// How long a run of the ladder is.
#[derive(Clone, Copy)]
enum Ladder {
    /// 100 days, as shipped.
    Whole,
    /// Half a day, in which about half of the runs reach the endgame that the whole one has at the end.
    Short,
}

/// The plan of so many cells with so many runs each.
fn plan(ladder: Ladder, (cells, runs): (u32, u64)) -> (Plan, Description) {
    let whole = LADDER.replace("0.1 * mean", "pull * mean").replace(
        "[actor.player]",
        "[parameter.pull]\nvalue = 0.1\nbasis = \"assumption\"\n\n[actor.player]",
    );
    let scenario = match ladder {
        Ladder::Whole => whole,
        Ladder::Short => whole
            .replace("horizon = 100", "horizon = 0.5")
            .replace("total >= 40", "total >= 2"),
    };
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
        select: false,
        identity: plan.identity.clone(),
        inputs,
    };
    (plan, description)
}

/// Seconds, of the CPU and of the clock.
#[derive(Clone, Copy)]
struct Taken {
    cpu: f64,
    clock: f64,
}

/// What the runs take, and what the tables take.
fn measure(ladder: Ladder, size: (u32, u64), threads: usize) -> [Taken; 2] {
    let folder = tempfile::tempdir().expect("a folder for the batch");
    let (plan, description) = plan(ladder, size);
    let store = Store::open(folder.path(), &plan, &description, false).expect("a folder");
    let control = Control {
        threads,
        stop: &AtomicBool::new(false),
        progress: &(),
    };
    let (runs, done) = timed(|| conduct(&plan, &store, &control).expect("runs"));
    let (tables, text) = timed(|| finish(&plan, &store, &done).expect("tables"));
    assert!(text.contains("cells"));
    [runs, tables]
}

fn timed<T>(work: impl FnOnce() -> T) -> (Taken, T) {
    let (cpu, clock) = (ProcessTime::now(), Instant::now());
    let value = work();
    let taken = Taken {
        cpu: cpu.elapsed().as_secs_f64(),
        clock: clock.elapsed().as_secs_f64(),
    };
    (taken, value)
}

/// Measures one batch and prints what it took.
fn one(ladder: Ladder, (cells, runs): (u32, u64), threads: usize) {
    let [made, told] = measure(ladder, (cells, runs), threads);
    let clock = made.clock + told.clock;
    println!(
        "{cells} cells x {runs} runs, {threads} threads: {clock:.1} s ({:.1} s runs, {:.1} s tables), {:.1} s of CPU time, \
         {:.0} cells/s, {:.0} runs/s, peak memory {} MB",
        made.clock,
        told.clock,
        made.cpu + told.cpu,
        f64::from(cells) / clock,
        f64::from(cells) * runs as f64 / clock,
        peak_memory()
    );
}

/// Measures the cost of a cell beside its runs.
fn cost_of_a_cell() {
    let mut costs = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        let few = measure(Ladder::Short, FEW, 1).map(|taken| taken.cpu);
        let many = measure(Ladder::Short, MANY, 1).map(|taken| taken.cpu);
        let cells = f64::from(MANY.0 - FEW.0);
        let [made, told] = [0, 1].map(|part| 1e6 * (many[part] - few[part]) / cells);
        for (cost, value) in costs.iter_mut().zip([made, told, made + told]) {
            cost.push(value);
        }
    }
    println!(
        "CPU time of a cell beside its runs, in microseconds: {} runs in {} cells and in {}, one thread; median of {ROUNDS} rounds [least to most]",
        u64::from(FEW.0) * FEW.1,
        FEW.0,
        MANY.0
    );
    for (name, cost) in ["while running", "tables", "together"]
        .iter()
        .zip(&mut costs)
    {
        cost.sort_by(f64::total_cmp);
        let (least, median, most) = (cost[0], cost[ROUNDS / 2], cost[ROUNDS - 1]);
        println!("{name:<14} {median:6.1}  [{least:.1} to {most:.1}]");
    }
}

/// The most memory that this process has had, in MB; 0 where the system does not say.
fn peak_memory() -> u64 {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1000
}

fn main() {
    let arguments: Vec<String> = (std::env::args().skip(1))
        .filter(|argument| argument != "--bench")
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u32>().expect("a whole number");
    match arguments.as_slice() {
        [] => cost_of_a_cell(),
        ["full"] => {
            // Peak memory never falls: the largest comes last.
            one(Ladder::Whole, (10_000, 1000), cores);
            one(Ladder::Whole, (1_000_000, 1), cores);
            cost_of_a_cell();
        }
        ["short", cells, runs] => one(Ladder::Short, (number(cells), number(runs).into()), 1),
        [cells, runs] => one(Ladder::Whole, (number(cells), number(runs).into()), cores),
        [cells, runs, threads] => one(
            Ladder::Whole,
            (number(cells), number(runs).into()),
            number(threads) as usize,
        ),
        _ => panic!(
            "usage: cargo bench --bench batch [-- full | CELLS RUNS [THREADS] | short CELLS RUNS]"
        ),
    }
}
