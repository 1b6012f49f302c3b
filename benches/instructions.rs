//! Instructions that an event costs, compared with the figures in `results/bench/instructions.csv`: `benches/guard`.
//!
//! Instructions are counted, not seconds, by valgrind's callgrind: on one build the count is the same every time, however busy the
//! machine is. What is compared is the build that the tests use (`--profile dev`), which a check before a change lands has made
//! anyway. Compilers differ: a figure may grow by [`TOLERANCE`] before it counts as a step back. After a change that is worth its
//! cost, `benches/guard --record` writes the new figures.

use std::error::Error;
use std::fmt::Write as _;
use std::process::Command;
use std::{env, fs};

use flashpoint::engine::{Simulator, Unobserved};
use flashpoint::model::{ParameterDraws, World};
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load;

/// By how much a figure may grow.
const TOLERANCE: f64 = 0.1;

/// Scenario, and the runs of a short and of a long experiment: the difference leaves out what is done once.
const SCENARIOS: [(&str, u64, u64); 3] = [
    ("bench/ladder-10", 20, 60),
    ("bench/exchange", 100, 400),
    ("isis-iran/genuine", 50, 200),
];

const FIGURES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/results/bench/instructions.csv"
);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [mode, scenario, runs] = &arguments[..]
        && mode == "run"
    {
        println!("{}", run(scenario, runs.parse()?)?);
        return Ok(());
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("Instructions are not counted: valgrind is not installed.");
        return Ok(());
    }
    let known = fs::read_to_string(FIGURES).unwrap_or_default();
    let mut found = String::from("scenario,instructions_an_event\n");
    let mut worse = Vec::new();
    for (scenario, short, long) in SCENARIOS {
        let (short, long) = (count(scenario, short)?, count(scenario, long)?);
        let figure = (long.0 - short.0) / (long.1 - short.1);
        writeln!(found, "{scenario},{figure:.0}")?;
        let before = known.lines().find_map(|line| {
            let (name, figure) = line.split_once(',')?;
            (name == scenario).then(|| figure.parse::<f64>().ok())?
        });
        let change = before.map_or(0.0, |before| figure / before - 1.0);
        println!(
            "{scenario}: {figure:.0} instructions an event ({:+.1} %)",
            100.0 * change
        );
        if change > TOLERANCE {
            worse.push(scenario);
        }
    }
    if arguments.iter().any(|argument| argument == "--record") {
        fs::write(FIGURES, found)?;
    } else if !worse.is_empty() {
        return Err(format!(
            "{} cost more than {:.0} % more instructions than {FIGURES} says; if that is worth it, run `benches/guard --record`",
            worse.join(", "),
            100.0 * TOLERANCE
        )
        .into());
    }
    Ok(())
}

/// Runs of a scenario, and nothing else; the number of their events.
fn run(scenario: &str, runs: u64) -> Result<u64, Box<dyn Error>> {
    let loaded = load(scenario).map_err(|problems| problems.render(false))?;
    let compiled = compile(&loaded).map_err(|problems| problems.render(false))?;
    let model = &compiled.model;
    let draws = ParameterDraws::new(model, 1);
    let mut simulator = Simulator::new(model, 1);
    let mut state = simulator.allocate();
    let size = u64::from(model.runs_per_world()).max(1);
    let mut events = 0;
    let mut world = World::new(model, draws.world(model, 0))?;
    for run in 0..runs {
        if run > 0 && run % size == 0 {
            world = World::new(model, draws.world(model, run / size))?;
        }
        simulator.start(&world, run, &mut state)?;
        simulator.finish(&world, &mut state, &mut Unobserved)?;
        events += state.events();
    }
    Ok(events)
}

/// Instructions of a process that makes these runs, and the events in them.
fn count(scenario: &str, runs: u64) -> Result<(f64, f64), Box<dyn Error>> {
    let counted = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["run", scenario, &runs.to_string()])
        .output()?;
    let messages = String::from_utf8_lossy(&counted.stderr);
    let line = messages
        .lines()
        .find(|line| line.contains("Collected"))
        .ok_or_else(|| format!("callgrind counted nothing:\n{messages}"))?;
    let instructions = line.rsplit(' ').next().unwrap_or_default().parse()?;
    let events = String::from_utf8(counted.stdout)?.trim().parse()?;
    Ok((instructions, events))
}
