//! What all cores bring, beside what they bring to a loop that touches no memory.

use crate::comparison::grouped;
use crate::machine::cores;
use crate::race::{Spread, spread};
use crate::scenario::Scenario;
use std::fmt::Write;
use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// Seconds of the wall clock that a measurement on one core takes.
const SLICE: f64 = 0.5;

/// Does this much work on this many threads.
type Work = Box<dyn Fn(u64, usize)>;

pub struct Scaling {
    name: &'static str,
    unit: &'static str,
    /// Units of work a second of the wall clock on one core.
    one_core: Spread,
    /// And on all.
    all_cores: Spread,
    /// Speed on all cores over cores x speed on one, round by round.
    efficiency: Vec<f64>,
}

/// A pure spin loop, then shipped scenarios; one core and all in turn.
pub fn scaling(rounds: usize) -> Vec<Scaling> {
    let cores = cores();
    let subjects: [(&str, &str, Work); 3] = [
        ("pure spin loop", "iterations", Box::new(spin)),
        ("bench/ladder-10", "runs", runs_of("bench/ladder-10")),
        ("isis-iran/genuine", "runs", runs_of("isis-iran/genuine")),
    ];
    let sizes: Vec<u64> = subjects.iter().map(|(_, _, work)| size(work)).collect();
    let mut measured = vec![(Vec::new(), Vec::new()); subjects.len()];
    for _ in 0..rounds {
        for (((_, _, work), &size), (one, all)) in subjects.iter().zip(&sizes).zip(&mut measured) {
            one.push(size as f64 / seconds(work, size, 1));
            let size = size * cores as u64;
            all.push(size as f64 / seconds(work, size, cores));
        }
    }
    (subjects.iter().zip(measured))
        .map(|(&(name, unit, _), (one, all))| Scaling {
            name,
            unit,
            one_core: spread(&one),
            all_cores: spread(&all),
            efficiency: (one.iter().zip(&all))
                .map(|(one, all)| all / (cores as f64 * one))
                .collect(),
        })
        .collect()
}

impl Scaling {
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub fn efficiency(&self) -> Spread {
        spread(&self.efficiency)
    }

    /// This efficiency over another's, within rounds.
    pub fn over(&self, other: &Scaling) -> Spread {
        let ratios = self.efficiency.iter().zip(&other.efficiency);
        spread(&ratios.map(|(own, other)| own / other).collect::<Vec<_>>())
    }
}

/// In Markdown.
pub fn table(scalings: &[Scaling]) -> String {
    let cores = cores();
    let mut text = format!(
        "| | one core | {cores} cores | share of {cores} x one core (min–max) | the same over the spin loop's (min–max) |\n\
         |---|---:|---:|---:|---:|\n"
    );
    let percent = |s: Spread| {
        let [median, least, greatest] = [s.median, s.least, s.greatest].map(|x| 100.0 * x);
        format!("{median:.0} % ({least:.0}–{greatest:.0} %)")
    };
    for scaling in scalings {
        writeln!(
            text,
            "| {} | {} {unit}/s | {} {unit}/s | {} | {} |",
            scaling.name,
            grouped(scaling.one_core.median),
            grouped(scaling.all_cores.median),
            percent(scaling.efficiency()),
            percent(scaling.over(&scalings[0])),
            unit = scaling.unit,
        )
        .expect("text");
    }
    text
}

fn runs_of(name: &str) -> Work {
    let scenario = Scenario::shipped(name);
    Box::new(move |runs, threads| {
        black_box(scenario.replicate(0, runs, threads));
    })
}

fn spin(iterations: u64, threads: usize) {
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut x = 1_u64;
                for _ in 0..iterations / threads as u64 {
                    x = black_box(x.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1));
                }
            });
        }
    });
}

/// As much work as one core does in a slice.
fn size(work: &Work) -> u64 {
    let mut size = 1;
    loop {
        let taken = seconds(work, size, 1);
        if taken >= SLICE / 4.0 {
            return (size as f64 * SLICE / taken).ceil() as u64;
        }
        size *= 2;
    }
}

fn seconds(work: &Work, size: u64, threads: usize) -> f64 {
    let start = Instant::now();
    work(size, threads);
    start.elapsed().as_secs_f64()
}
