//! Sensitivity analysis beside its peers: `sensitivity-peers FOLDER ROUNDS [PYTHON SCRIPT RESAMPLES...]`.

mod allocation;
mod study;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use salib::RngState;
use salib::estimators::{
    estimate_saltelli2010_from_outputs_with_bootstrap,
    estimate_saltelli2010_from_outputs_with_second_order,
};
use study::{FUNCTIONS, LARGE, Outputs, Study};

#[global_allocator]
static ALLOCATOR: allocation::Counting = allocation::Counting;

const POINTS: usize = 4096;
const RESAMPLES: usize = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, rounds, python @ ..] = &arguments[..] else {
        eprintln!("usage: sensitivity-peers FOLDER ROUNDS [PYTHON SCRIPT RESAMPLES...]");
        std::process::exit(2);
    };
    let folder = Path::new(folder);
    fs::create_dir_all(folder).unwrap();
    export(folder);
    let rounds: usize = rounds.parse().unwrap();
    let study = Study::new(&LARGE, POINTS, true);
    let outputs = study.outputs();
    agree(&study, &outputs);

    let worlds = study::worlds(10_000);
    let mut contenders: Vec<Contender> = vec![
        Contender::new("Flashpoint, 8 scrambles: S1, ST, S2 and their intervals", || {
            drop(study.by_scrambles());
        }),
        Contender::new("Flashpoint, 1,000 resamples: S1, ST, S2 and their intervals", || {
            drop(study.by_bootstrap(RESAMPLES));
        }),
        Contender::new("crate salib 0.3.0, 1,000 resamples: S1, ST and their intervals, S2 without", || {
            drop(by_salib(&outputs, RESAMPLES));
        }),
        Contender::new("crate salib 0.3.0, point estimates: S1, ST, S2", || {
            drop(point_by_salib(&outputs));
        }),
        Contender::new("Flashpoint, PRIM on 10,000 worlds x 20 parameters", || {
            std::hint::black_box(study::boxes(&worlds));
        }),
    ];
    for _ in 0..rounds {
        for contender in &mut contenders {
            contender.time();
        }
    }
    let mut rows: Vec<Row> = contenders.iter().map(Contender::row).collect();
    if let [python, script, resamples @ ..] = python {
        write_rows(&folder.join("large.csv"), &study);
        for resamples in resamples {
            rows.push(by_python(python, script, &folder.join("large.csv"), resamples));
        }
    }
    let small_study = Study::new(&LARGE, POINTS / 4, true);
    let (_, small_analysis) = allocation::peak_of(|| small_study.by_scrambles());
    let (_, analysis) = allocation::peak_of(|| study.by_scrambles());
    let mut text = format!(
        "Sobol's G of 20 factors, {POINTS} points, {} rows; medians of {rounds} rounds, every contender in each, {} threads.\n\n\
         | contender | seconds | least | most | CPU seconds |\n|---|---|---|---|---|\n",
        study.outcomes.len(),
        rayon::current_num_threads()
    );
    let mut csv = String::from("contender,seconds,least,most,cpu_seconds,peak_megabytes\n");
    for row in &rows {
        let _ = writeln!(
            text,
            "| {} | {:.4} | {:.4} | {:.4} | {:.4} |",
            row.name, row.seconds, row.least, row.most, row.cpu
        );
        let _ = writeln!(
            csv,
            "\"{}\",{:.6},{:.6},{:.6},{:.6},{}",
            row.name,
            row.seconds,
            row.least,
            row.most,
            row.cpu,
            row.megabytes.map_or_else(String::new, |m| format!("{m:.1}"))
        );
    }
    let _ = writeln!(
        text,
        "\nMemory that the analysis by scrambles needs beside its outcomes: {:.1} bytes a row at {} rows, {:.1} at {} rows.",
        analysis as f64 / study.outcomes.len() as f64,
        study.outcomes.len(),
        small_analysis as f64 / small_study.outcomes.len() as f64,
        small_study.outcomes.len()
    );
    for row in rows.iter().filter(|row| row.megabytes.is_some()) {
        let _ = writeln!(
            text,
            "Peak memory of {}: {:.0} MB.",
            row.name,
            row.megabytes.unwrap_or_default()
        );
    }
    fs::write(folder.join("speed.md"), &text).unwrap();
    fs::write(folder.join("speed.csv"), csv).unwrap();
    println!("{text}");
}

/// The same functions and points for SALib (Python), and what Flashpoint makes of them.
fn export(folder: &Path) {
    for function in &FUNCTIONS {
        for second_order in [false, true] {
            let study = Study::new(function, 16_384, second_order);
            let indices = study.by_scrambles();
            let kind = if second_order { "pairs" } else { "plain" };
            write_rows(&folder.join(format!("{}-{kind}.csv", function.name)), &study);
            let mut csv = String::from("index,value,standard_error\n");
            for column in &indices.columns {
                for (index, e) in [("S1", column.first), ("ST", column.joint_total)] {
                    let _ = writeln!(csv, "{index} {},{},{}", column.name, e.value, e.standard_error);
                }
            }
            for pair in &indices.pairs {
                let (i, j, e) = (pair.i + 1, pair.j + 1, pair.second);
                let _ = writeln!(csv, "S2 x{i} x{j},{},{}", e.value, e.standard_error);
            }
            fs::write(folder.join(format!("{}-{kind}-flashpoint.csv", function.name)), csv).unwrap();
        }
    }
}

fn write_rows(path: &Path, study: &Study) {
    let mut csv = String::new();
    for (values, output) in study.rows_for_salib() {
        for value in values {
            let _ = write!(csv, "{value},");
        }
        let _ = writeln!(csv, "{output}");
    }
    fs::write(path, csv).unwrap();
}

fn point_by_salib(outputs: &Outputs) -> salib::estimators::SobolIndices {
    estimate_saltelli2010_from_outputs_with_second_order(&outputs.a, &outputs.b, &outputs.ab, &outputs.ba)
}

fn by_salib(outputs: &Outputs, resamples: usize) -> salib::estimators::SobolIndicesWithCi {
    std::hint::black_box(point_by_salib(outputs));
    let mut rng = RngState::from_seed([1; 32]);
    estimate_saltelli2010_from_outputs_with_bootstrap(
        &outputs.a,
        &outputs.b,
        &outputs.ab,
        resamples,
        0.05,
        &mut rng,
    )
    .unwrap()
}

/// Contenders that do not agree are not timed. Flashpoint averages both ways to compute each index, so the two differ by the
/// error of either, which at this number of points is about 0.01. On the very same sums they are compared by `salib_peer.py agree`.
fn agree(study: &Study, outputs: &Outputs) {
    let (ours, theirs) = (study.by_scrambles(), point_by_salib(outputs));
    for (i, column) in ours.columns.iter().enumerate() {
        for (mine, other) in [
            (column.first, theirs.first_order[i]),
            (column.joint_total, theirs.total_order[i]),
        ] {
            let apart = (mine.value - other).abs();
            assert!(apart < 0.03, "factor {i}: {} and {other}", mine.value);
        }
    }
}

struct Contender<'a> {
    name: &'static str,
    work: Box<dyn Fn() + 'a>,
    seconds: Vec<f64>,
    cpu: Vec<f64>,
}

struct Row {
    name: String,
    seconds: f64,
    least: f64,
    most: f64,
    cpu: f64,
    megabytes: Option<f64>,
}

impl<'a> Contender<'a> {
    fn new(name: &'static str, work: impl Fn() + 'a) -> Self {
        Contender {
            name,
            work: Box::new(work),
            seconds: Vec::new(),
            cpu: Vec::new(),
        }
    }

    fn time(&mut self) {
        let cpu = cpu_time::ProcessTime::now();
        let start = Instant::now();
        (self.work)();
        self.seconds.push(start.elapsed().as_secs_f64());
        self.cpu.push(cpu.elapsed().as_secs_f64());
    }

    fn row(&self) -> Row {
        let sorted = |values: &[f64]| {
            let mut values = values.to_vec();
            values.sort_by(f64::total_cmp);
            values
        };
        let (seconds, cpu) = (sorted(&self.seconds), sorted(&self.cpu));
        Row {
            name: self.name.to_owned(),
            seconds: seconds[seconds.len() / 2],
            least: seconds[0],
            most: seconds[seconds.len() - 1],
            cpu: cpu[cpu.len() / 2],
            megabytes: None,
        }
    }
}

/// SALib in Python on the same rows; loading is not counted.
fn by_python(python: &str, script: &str, rows: &Path, resamples: &str) -> Row {
    let done = Command::new(python)
        .args([script, "time"])
        .arg(rows)
        .arg(resamples)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let numbers: Vec<f64> = text.split_whitespace().map(|n| n.parse().unwrap()).collect();
    Row {
        name: format!("SALib (Python), {resamples} resamples: S1, ST, S2 and their intervals"),
        seconds: numbers[0],
        least: numbers[0],
        most: numbers[0],
        cpu: numbers[1],
        megabytes: Some(numbers[2]),
    }
}
