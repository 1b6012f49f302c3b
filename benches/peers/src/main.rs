//! Flashpoint beside its peers and beside hand-written kernels, and how its cost grows. Started by `benches/peers/run`.

mod agreement;
mod comparison;
mod contender;
mod exchange;
mod generator;
mod goals;
mod growth;
mod ladder;
mod machine;
mod plot;
mod program;
mod race;
mod scaling;
mod scenario;

use comparison::{CSV_HEADER, compare};
use goals::Measured;
use program::Program;
use std::path::PathBuf;
use std::time::Instant;
use std::{fs, io};

/// What to measure.
struct Options {
    /// Rounds in which contenders run in turn.
    rounds: usize,
    /// Runs of ladder-10 whose memory is measured.
    runs: u64,
    /// The `flashpoint` program.
    program: PathBuf,
    /// A Python interpreter that has the Python packages; without one they are left out.
    python: Option<PathBuf>,
    /// Where the results are written.
    out: PathBuf,
}

impl Options {
    fn parse(arguments: &[String]) -> Self {
        let value = |name: &str| {
            let index = arguments.iter().position(|argument| argument == name)?;
            arguments.get(index + 1)
        };
        let number = |name: &str, usual: u64| {
            value(name).map_or(usual, |n| n.parse().expect("a whole number"))
        };
        let path = |name: &str, usual: &str| {
            let usual = || scenario::repository().join(usual);
            std::path::absolute(value(name).map_or_else(usual, PathBuf::from)).expect("a path")
        };
        Self {
            rounds: number("--rounds", 7).max(1) as usize,
            runs: number("--runs", 1_000_000),
            program: path("--program", "target/release/flashpoint"),
            python: value("--python").map(PathBuf::from),
            out: path("--out", "results/bench"),
        }
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|first| first == program::MEASURE)
    {
        program::measure(&arguments[1..]);
    }
    let options = Options::parse(&arguments);
    fs::create_dir_all(&options.out)?;
    let stages = Stages::new();

    stages.begin("ladder-10: agreement, then speed");
    let contenders = ladder::contenders(options.python.as_deref());
    let ladder = compare(ladder::subject(), contenders, options.rounds);
    stages.begin("exchange: agreement, then speed");
    let exchange = compare(exchange::subject(), exchange::contenders(), options.rounds);
    stages.begin("all cores");
    let scaling = scaling::scaling(options.rounds);
    stages.begin("the program as a whole");
    let program = Program::measure(&options.program, options.runs);
    stages.begin("how cost grows");
    let growth = growth::growth();
    let load = stages.end();

    let measured = Measured {
        ladder: &ladder,
        exchange: &exchange,
        scaling: &scaling,
        program: &program,
        growth: &growth,
    };
    let report = format!(
        "# Speed side by side\n\n\
        Written by `benches/peers/run`; [what is measured and how](../../benches/README.md).\n\n\
        Commit {}; {}. {load} On a machine that does nothing else the load is at most {} while this runs; where it is higher, \
        others had a share in the cores, and figures by the wall clock say little.\n\n\
        Speed on one core is per CPU second, on all cores per second of the wall clock. Contenders run in turn, A B C A B C ..., \
        rounds: {}. Figures are medians over rounds, ratios are taken within a round. Each was first checked to give the same \
        distribution: mean within {} standard errors of the mean of all, and a chi-square test of its outcomes against all \
        others' at alpha {}.\n\n\
        ## Goals\n\n{}\n\
        A goal is met if the median over rounds meets it. Where a package stands in several lines, its fastest counts.\n\n{}\n\
        ## Ten actors on ladders (`bench/ladder-10`), about {} decisions a run\n\n{}\n\
        ## One exchange of blows (`bench/exchange`), {:.1} events a run\n\n{}\n\
        ## All cores\n\n{}\n\
        ## The program as a whole\n\n{}\n\
        ## How cost grows\n\n\
        Exponent of the CPU time of a run, on a log–log scale. Every measurement is in `growth.csv`.\n\n{}",
        machine::commit(),
        machine::description(),
        machine::cores(),
        options.rounds,
        agreement::STANDARD_ERRORS,
        agreement::ALPHA,
        goals::table(&measured),
        goals::by_hand(&measured),
        comparison::grouped(ladder.units),
        ladder.tables(),
        exchange.units,
        exchange.tables(),
        scaling::table(&scaling),
        program.text(),
        growth::table(&growth),
    );
    print!("{report}");
    growth::write(&growth, &options.out)?;
    let rows = format!("{CSV_HEADER}{}{}", ladder.rows(), exchange.rows());
    fs::write(options.out.join("peers.csv"), rows)?;
    fs::write(options.out.join("peers.md"), report)
}

/// Tells on standard error what is under way, and remembers the load.
struct Stages {
    start: Instant,
    load: std::cell::RefCell<Vec<f64>>,
}

impl Stages {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            load: std::cell::RefCell::default(),
        }
    }

    fn begin(&self, what: &str) {
        let load = machine::load();
        self.load.borrow_mut().push(load);
        let seconds = self.start.elapsed().as_secs_f64();
        eprintln!("{seconds:4.0} s  {what} (load average {load:.2})");
    }

    /// The load average at the beginning of each stage and at the end, in words.
    fn end(&self) -> String {
        self.begin("done");
        let loads: Vec<String> = (self.load.borrow().iter())
            .map(|load| format!("{load:.2}"))
            .collect();
        format!("Load average from stage to stage: {}.", loads.join(", "))
    }
}
