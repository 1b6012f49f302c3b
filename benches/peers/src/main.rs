//! Flashpoint beside its peers and beside hand-written kernels, and how its cost grows. Started by `benches/peers/run`.

mod compare;
mod exchange;
mod growth;
mod ladder;
mod scenario;

use compare::{CSV_HEADER, Subject, compare};
use std::fs;
use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, path, runs] = &arguments[..]
        && mode == "profile"
    {
        profile(path, runs.parse().expect("a number of runs"));
        return Ok(());
    }
    let mut arguments = arguments.into_iter();
    let rounds = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(7);
    let python = arguments.next().map(PathBuf::from);

    let ladder = Subject {
        model: "ladder-10",
        unit: ("decision", 1_000.0),
        outcome: "mean final sum",
    };
    let (ladder_table, ladder_rows) = compare(
        &ladder,
        ladder::contenders(python.as_deref()),
        |cell| cell as f64,
        rounds,
    );

    let mut contenders = exchange::contenders();
    let found = compare::agreement(&mut contenders, exchange::events);
    let exchange = Subject {
        model: "exchange",
        unit: ("event", found[0].mean),
        outcome: "mean events",
    };
    let (exchange_table, exchange_rows) = compare(&exchange, contenders, exchange::events, rounds);

    let (growth_table, growth_rows) = growth::growth();

    let machine = machine();
    let report = format!(
        "# Speed side by side\n\n{machine}\n\n\
        Seconds are CPU seconds of one core. Contenders run in turn, A B C A B C ..., {rounds} rounds; figures are medians over \
        rounds, ratios are taken within a round. Each was first checked to give the same distribution: mean within {} standard \
        errors of the pooled mean, and a chi-square test of its outcomes against all others' at alpha {}.\n\n\
        ## Ten actors on ladders (`scenarios/bench/ladder-10.toml`), about 1,000 decisions a run\n\n{ladder_table}\n\
        ## One exchange of blows (`scenarios/bench/exchange.toml`), {:.1} events a run\n\n{exchange_table}\n\
        ## How cost grows\n\nExponent of the time of a run, on a log-log scale. Every measurement is in `growth.csv`.\n\n{growth_table}\n\
        ## All cores\n\n<!-- all-cores -->\n",
        compare::STANDARD_ERRORS,
        compare::ALPHA,
        exchange.unit.1,
    );
    print!("{report}");
    let folder = scenario::repository().join("results/bench");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("peers.md"), report)?;
    fs::write(
        folder.join("peers.csv"),
        format!("{CSV_HEADER}{ladder_rows}{exchange_rows}"),
    )?;
    fs::write(folder.join("growth.csv"), growth_rows)
}

/// Runs a shipped scenario and nothing else, for a profiler to look at.
fn profile(path: &str, runs: u64) {
    let mut scenario = scenario::Scenario::shipped(path);
    let events: u64 = (0..runs).map(|number| scenario.run(number).events()).sum();
    println!("{runs} runs, {events} events");
}

/// Processor, cores and load, where the system tells.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split(": ").nth(1))
            .unwrap_or("unknown")
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = read("/proc/loadavg");
    format!(
        "{}, {} MHz, {cores} cores; load average at the end of the measurement {}.",
        field("model name"),
        field("cpu MHz"),
        load.split(' ').next().unwrap_or("unknown"),
    )
}
