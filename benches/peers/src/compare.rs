//! Side by side: whether contenders agree in distribution, and how fast each is.

use crate::scenario::repository;
use cpu_time::ProcessTime;
use flashpoint::stats::hypothesis::chi_square_homogeneity;
use std::fmt::Write;

/// Significance level of the test that a contender's outcomes follow the law of the others'.
pub const ALPHA: f64 = 0.001;
/// Standard errors that a contender's mean may lie from the pooled mean.
pub const STANDARD_ERRORS: f64 = 4.0;
/// CPU time that a contender runs for in a round.
const SLICE: f64 = 0.25;

/// Runs done on request, and the CPU time that they took.
pub struct Batch {
    pub seconds: f64,
    /// How many runs came out in each cell.
    pub counts: Vec<u64>,
}

type RunBatch = Box<dyn FnMut(u64, u64) -> Batch>;

pub struct Contender {
    pub name: String,
    pub version: String,
    /// Runs for the check of agreement.
    pub checked_runs: u64,
    /// Runs with seeds from the first number on, as many as the second says.
    pub batch: RunBatch,
}

impl Contender {
    /// A contender in this process, whose runs come out in one of `cells` cells.
    pub fn new(
        name: &str,
        version: &str,
        cells: usize,
        mut run: impl FnMut(u64) -> usize + 'static,
    ) -> Self {
        let batch = move |first, runs| {
            let mut counts = vec![0; cells];
            let start = ProcessTime::now();
            for seed in first..first + runs {
                counts[run(seed)] += 1;
            }
            Batch {
                seconds: start.elapsed().as_secs_f64(),
                counts,
            }
        };
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            checked_runs: 20_000,
            batch: Box::new(batch),
        }
    }
}

/// How a contender's outcomes compare with those of all others together.
#[derive(Debug)]
pub struct Agreement {
    pub mean: f64,
    pub standard_error: f64,
    /// Distance from the pooled mean, in standard errors.
    pub z: f64,
    /// p-value of the chi-square test against the others.
    pub p: f64,
    pub runs_per_second: f64,
}

impl Agreement {
    pub fn agrees(&self) -> bool {
        self.z.abs() <= STANDARD_ERRORS && self.p > ALPHA
    }
}

/// Runs every contender, each with seeds of its own, and compares the outcomes. `value` is the number that a cell stands for.
pub fn agreement(contenders: &mut [Contender], value: impl Fn(usize) -> f64) -> Vec<Agreement> {
    let batches: Vec<Batch> = (contenders.iter_mut().zip(1..))
        .map(|(contender, index)| (contender.batch)(index * 1_000_000_000, contender.checked_runs))
        .collect();
    let cells = batches[0].counts.len();
    let pool: Vec<u64> = (0..cells)
        .map(|cell| batches.iter().map(|batch| batch.counts[cell]).sum())
        .collect();
    let (pooled_mean, variance, _) = moments(&pool, &value);
    let compare = |batch: &Batch| {
        let (mean, _, runs) = moments(&batch.counts, &value);
        let standard_error = (variance / runs).sqrt();
        let others: Vec<u64> = (pool.iter().zip(&batch.counts))
            .map(|(all, own)| all - own)
            .collect();
        Agreement {
            mean,
            standard_error,
            z: (mean - pooled_mean) / standard_error,
            p: chi_square_homogeneity(&batch.counts, &others).map_or(0.0, |test| test.p_value),
            runs_per_second: runs / batch.seconds,
        }
    };
    batches.iter().map(compare).collect()
}

/// Mean, variance and number of the outcomes in `counts`.
fn moments(counts: &[u64], value: impl Fn(usize) -> f64) -> (f64, f64, f64) {
    let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
        (counts.iter().enumerate())
            .map(|(cell, &count)| count as f64 * f(value(cell)))
            .sum()
    };
    let runs = sum(&|_| 1.0);
    let mean = sum(&|x| x) / runs;
    (mean, sum(&|x| (x - mean) * (x - mean)) / runs, runs)
}

/// A contender's speed over the rounds.
pub struct Speed {
    /// Runs a second of CPU time, round by round.
    pub rates: Vec<f64>,
    /// Speed of the first contender over this one's, round by round.
    pub ratios: Vec<f64>,
}

/// Times the contenders in turn, A B C A B C ..., for `rounds` rounds.
pub fn race(contenders: &mut [Contender], found: &[Agreement], rounds: usize) -> Vec<Speed> {
    let mut speeds: Vec<Speed> = (contenders.iter())
        .map(|_| Speed {
            rates: Vec::new(),
            ratios: Vec::new(),
        })
        .collect();
    for round in 0..rounds {
        for (index, contender) in contenders.iter_mut().enumerate() {
            let runs = (SLICE * found[index].runs_per_second).ceil() as u64;
            let first = (round as u64 + 1) * 1_000_000;
            let rate = runs as f64 / (contender.batch)(first, runs).seconds;
            let reference = speeds[0].rates.get(round).copied().unwrap_or(rate);
            speeds[index].rates.push(rate);
            speeds[index].ratios.push(reference / rate);
        }
    }
    speeds
}

pub struct Spread {
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
}

pub fn spread(values: &[f64]) -> Spread {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Spread {
        median: sorted[sorted.len() / 2],
        least: sorted[0],
        greatest: sorted[sorted.len() - 1],
    }
}

/// What a comparison is about.
pub struct Subject<'a> {
    /// First column of the CSV.
    pub model: &'a str,
    /// What a unit of work is called, and how many a run has on average.
    pub unit: (&'a str, f64),
    /// What the mean is of.
    pub outcome: &'a str,
}

/// Checks that the contenders agree, times those that do, and returns the table in Markdown and the rows in CSV.
pub fn compare(
    subject: &Subject,
    mut contenders: Vec<Contender>,
    value: impl Fn(usize) -> f64,
    rounds: usize,
) -> (String, String) {
    let mut found = agreement(&mut contenders, value);
    let mut text = String::new();
    for index in (0..contenders.len()).rev() {
        if !found[index].agrees() {
            let (out, why) = (contenders.remove(index), found.remove(index));
            writeln!(
                text,
                "Not timed, for it disagrees: {} ({why:?}).\n",
                out.name
            )
            .expect("text");
        }
    }
    let speeds = race(&mut contenders, &found, rounds);
    let (unit, units) = subject.unit;
    writeln!(
        text,
        "| | version | runs/s | {unit}s/s | ns a {unit} | Flashpoint's speed over it (min–max) | {} | off by | p |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|",
        subject.outcome
    )
    .expect("text");
    let mut rows = String::new();
    for ((contender, found), speed) in contenders.iter().zip(&found).zip(&speeds) {
        let (rate, ratio) = (spread(&speed.rates), spread(&speed.ratios));
        let per_second = rate.median * units;
        let Contender { name, version, .. } = contender;
        writeln!(
            text,
            "| {name} | {version} | {:.0} | {:.3e} | {:.1} | {:.3} ({:.3}–{:.3}) | {:.2} ± {:.2} | {:+.1} se | {:.3} |",
            rate.median,
            per_second,
            1e9 / per_second,
            ratio.median,
            ratio.least,
            ratio.greatest,
            found.mean,
            found.standard_error,
            found.z,
            found.p,
        )
        .expect("text");
        writeln!(
            rows,
            "{},\"{name}\",\"{version}\",{},{},{},{},{},{},{},{},{},{},{}",
            subject.model,
            rate.median,
            rate.least,
            rate.greatest,
            per_second,
            ratio.median,
            ratio.least,
            ratio.greatest,
            found.mean,
            found.standard_error,
            found.z,
            found.p,
        )
        .expect("text");
    }
    (text, rows)
}

/// Heads the rows of [`compare`].
pub const CSV_HEADER: &str = "model,contender,version,runs_per_cpu_second,runs_per_cpu_second_min,runs_per_cpu_second_max,\
units_per_cpu_second,flashpoint_speed_ratio,flashpoint_speed_ratio_min,flashpoint_speed_ratio_max,mean,standard_error,z,p\n";

/// The version of a package in this benchmark's lock file.
pub fn version(package: &str) -> String {
    let lock = std::fs::read_to_string(repository().join("benches/peers/Cargo.lock"));
    let lock = lock.expect("a lock file");
    let entry = lock.split("[[package]]").find(|entry| {
        entry
            .trim_start()
            .starts_with(&format!("name = \"{package}\""))
    });
    let line = entry.and_then(|entry| entry.lines().find(|line| line.starts_with("version")));
    (line
        .and_then(|line| line.split('"').nth(1))
        .expect("a locked package"))
    .to_owned()
}
