//! What is compared: a way to make runs of one model.

use cpu_time::ProcessTime;
use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// Makes runs of a model. Run `n` has seed `n`, and comes out in one of the model's cells.
pub trait Runner {
    /// How many of the runs come out in each cell.
    fn outcomes(&mut self, first: u64, runs: u64) -> Vec<u64>;

    /// CPU seconds of the runs on one core. Start-up, loading and imports are not in it; setting up each run is.
    fn cpu_seconds(&mut self, first: u64, runs: u64) -> f64;

    /// Seconds on the wall clock when the runs are divided evenly among `cores` threads or processes.
    fn wall_seconds(&mut self, first: u64, runs: u64, cores: usize) -> f64;
}

/// Flashpoint's name.
pub const FLASHPOINT: &str = "**Flashpoint**";
/// The name of a program by hand that makes the same runs as Flashpoint, to the bit.
pub const SAME_RUNS: &str = "Flashpoint's runs, to the bit";

pub struct Contender {
    pub name: String,
    pub version: String,
    /// Runs for the check of agreement.
    pub checked_runs: u64,
    pub runner: Box<dyn Runner>,
}

impl Contender {
    /// A contender in this process. Each core makes runs with a function of its own, which returns a run's cell.
    pub fn new<Make, Run>(name: &str, version: &str, cells: usize, make: Make) -> Self
    where
        Make: Fn() -> Run + Sync + 'static,
        Run: FnMut(u64) -> usize + 'static,
    {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            checked_runs: 20_000,
            runner: Box::new(InProcess {
                run: make(),
                make,
                cells,
            }),
        }
    }
}

struct InProcess<Make, Run> {
    make: Make,
    run: Run,
    cells: usize,
}

impl<Make, Run> Runner for InProcess<Make, Run>
where
    Make: Fn() -> Run + Sync,
    Run: FnMut(u64) -> usize,
{
    fn outcomes(&mut self, first: u64, runs: u64) -> Vec<u64> {
        let mut counts = vec![0; self.cells];
        for seed in first..first + runs {
            counts[(self.run)(seed)] += 1;
        }
        counts
    }

    fn cpu_seconds(&mut self, first: u64, runs: u64) -> f64 {
        let start = ProcessTime::now();
        for seed in first..first + runs {
            black_box((self.run)(seed));
        }
        start.elapsed().as_secs_f64()
    }

    fn wall_seconds(&mut self, first: u64, runs: u64, cores: usize) -> f64 {
        let make = &self.make;
        let start = Instant::now();
        thread::scope(|scope| {
            for (from, until) in shares(first, runs, cores) {
                scope.spawn(move || {
                    let mut run = make();
                    for seed in from..until {
                        black_box(run(seed));
                    }
                });
            }
        });
        start.elapsed().as_secs_f64()
    }
}

/// The first run of each core, and the run after its last.
pub fn shares(first: u64, runs: u64, cores: usize) -> impl Iterator<Item = (u64, u64)> {
    let cut = move |core: u64| first + runs * core / cores as u64;
    (0..cores as u64).map(move |core| (cut(core), cut(core + 1)))
}

/// As many runs as take about `seconds` of CPU time on one core.
pub fn runs_in(seconds: f64, runner: &mut dyn Runner) -> u64 {
    let mut runs = 1;
    loop {
        let taken = runner.cpu_seconds(0, runs);
        if taken >= seconds / 8.0 {
            return (runs as f64 * seconds / taken).ceil() as u64;
        }
        runs *= 2;
    }
}
