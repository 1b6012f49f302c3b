//! The shipped program as a whole: `flashpoint run` in a process of its own.

use crate::comparison::{grouped, short};
use crate::machine::cores;
use crate::race::{Spread, spread};
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const FLAGSHIP: &str = "isis-iran/genuine";
const STARTS: usize = 20;
/// Width asked of the intervals of the flagship's endgames.
const WIDTH: &str = "0.01";
/// Runs of each draw of the parameters: as few as there may be, with which a precision is reached soonest.
const FEW_A_WORLD: [&str; 2] = ["--runs-per-world", "2"];
/// Cores that the goal for `--precision` speaks of.
const GOAL_CORES: usize = 4;
/// What is expected to take more is not measured.
const MOST_CPU_SECONDS: f64 = 300.0;

/// What a process took.
#[derive(Clone, Copy, Debug)]
struct Usage {
    wall_seconds: f64,
    cpu_seconds: f64,
    peak_mebibytes: f64,
}

/// The first argument that makes this program start the command in the other arguments and say what it took.
pub const MEASURE: &str = "measure";

/// Starts a command and tells on standard error, in a last line, the wall-clock and CPU seconds and the peak memory in KiB that
/// it took. The system accounts for children that have ended, all together: so a process that has only one is needed, and a
/// small one, since memory at the moment of starting the child counts as the child's.
pub fn measure(command: &[String]) {
    let [program, arguments @ ..] = command else {
        panic!("{MEASURE} needs a command");
    };
    let start = Instant::now();
    let status = Command::new(program).args(arguments).status();
    let wall = start.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of children");
    let seconds = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6);
    eprintln!("{wall} {} {}", seconds[0] + seconds[1], usage.max_rss());
    let ended_well = status.is_ok_and(|status| status.success());
    std::process::exit(i32::from(!ended_well));
}

/// Runs the program with these arguments in this folder; what it printed, and what it took.
fn run(program: &Path, folder: &Path, arguments: &[&str]) -> (String, Usage) {
    let own = std::env::current_exe().expect("this program");
    let output = Command::new(own)
        .arg(MEASURE)
        .arg(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("a process");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} {arguments:?}: {told}",
        program.display()
    );
    let last = told.lines().last().unwrap_or_default();
    let numbers: Vec<f64> = (last.split(' '))
        .map(|field| field.parse().expect("a number"))
        .collect();
    let usage = Usage {
        wall_seconds: numbers[0],
        cpu_seconds: numbers[1],
        peak_mebibytes: numbers[2] / 1024.0,
    };
    (String::from_utf8_lossy(&output.stdout).into_owned(), usage)
}

/// What the program took for the tasks that the goals speak of.
pub struct Program {
    /// Runs of ladder-10, and what they took with their results written, on all cores.
    ladder: Vec<(u64, Usage)>,
    /// Milliseconds of the wall clock from start to end of the flagship's first runs, and CPU milliseconds.
    start_wall: Vec<f64>,
    start_cpu: Vec<f64>,
    /// Going on until all intervals of the flagship are as narrow as asked: runs, and what it took.
    precise: Option<(u64, Usage)>,
    /// Runs of the flagship on one thread, the widest interval of an endgame in percentage points, and what it took.
    flagship: (u64, f64, Usage),
}

impl Program {
    /// `runs` is how many runs of ladder-10 show that memory does not grow with their number.
    pub fn measure(program: &Path, runs: u64) -> Self {
        let folder = Scratch::new();
        let ladder = [runs.div_ceil(100), runs]
            .map(|runs| {
                let (number, out) = (runs.to_string(), format!("ladder-{runs}"));
                let arguments = ["run", "bench/ladder-10", "--runs", &number, "--out", &out];
                (runs, run(program, &folder.0, &arguments).1)
            })
            .to_vec();
        let arguments = ["run", FLAGSHIP, "--runs", "1", "--no-files"];
        let arguments = [&arguments[..], &FEW_A_WORLD].concat();
        let starts: Vec<Usage> = (0..STARTS)
            .map(|_| run(program, &folder.0, &arguments).1)
            .collect();
        let json = ["--no-files", "--format", "json"];
        let arguments = ["run", FLAGSHIP, "--runs", "10000", "--threads", "1"];
        let (text, usage) = run(program, &folder.0, &[&arguments[..], &json].concat());
        let (runs, width) = results(&text);
        let flagship = (runs, width, usage);
        let threads = cores().min(GOAL_CORES).to_string();
        let arguments = ["run", FLAGSHIP, "--precision", WIDTH, "--threads", &threads];
        let arguments = [&arguments[..], &FEW_A_WORLD].concat();
        let precise = (predicted_seconds(flagship) <= MOST_CPU_SECONDS).then(|| {
            let (text, usage) = run(program, &folder.0, &[&arguments[..], &json].concat());
            (results(&text).0, usage)
        });
        Self {
            ladder,
            start_wall: starts.iter().map(|u| 1e3 * u.wall_seconds).collect(),
            start_cpu: starts.iter().map(|u| 1e3 * u.cpu_seconds).collect(),
            precise,
            flagship,
        }
    }

    /// Milliseconds from start to end of the flagship's first runs.
    pub fn start_up(&self) -> Spread {
        spread(&self.start_wall)
    }

    /// Seconds that `--precision` takes on the cores that the goal speaks of, and how they are known.
    pub fn precision_seconds(&self) -> (f64, &'static str) {
        match self.precise {
            Some((_, usage)) if cores() >= GOAL_CORES => (usage.wall_seconds, "on the clock"),
            Some((_, usage)) => (
                usage.cpu_seconds / GOAL_CORES as f64,
                "a quarter of the CPU time here",
            ),
            None => (
                predicted_seconds(self.flagship) / GOAL_CORES as f64,
                "not measured: what the width after fewer runs lets expect",
            ),
        }
    }

    /// In Markdown.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "| `flashpoint run bench/ladder-10`, results written | seconds | CPU seconds | runs a CPU second | peak memory |\n\
             |---|---:|---:|---:|---:|\n",
        );
        for (runs, usage) in &self.ladder {
            text += &format!(
                "| {} runs on {} cores | {:.2} | {:.2} | {} | {:.1} MiB |\n",
                grouped(*runs as f64),
                cores(),
                usage.wall_seconds,
                usage.cpu_seconds,
                grouped(*runs as f64 / usage.cpu_seconds),
                usage.peak_mebibytes
            );
        }
        let (wall, cpu) = (self.start_up(), spread(&self.start_cpu));
        let (runs, width, usage) = self.flagship;
        let precise = match self.precise {
            Some((runs, usage)) => format!(
                "{} runs in {:.2} s on {} cores, {:.2} CPU seconds, {:.1} MiB.",
                grouped(runs as f64),
                usage.wall_seconds,
                cores().min(GOAL_CORES),
                usage.cpu_seconds,
                usage.peak_mebibytes
            ),
            None => format!(
                "not measured, for it would take about {:.0} CPU seconds.",
                predicted_seconds(self.flagship)
            ),
        };
        text += &format!(
            "\nThe flagship, `{FLAGSHIP}`:\n\n\
             - Start-up to the end of the first runs (`--runs 1 --runs-per-world 2`, which is two runs): {:.1} ms ({:.1}–{:.1}) on the clock, \
             {:.1} ms ({:.1}–{:.1}) of CPU time, median (min–max) of {STARTS} starts.\n\
             - `--precision {WIDTH} --runs-per-world 2`: {}\n\
             - {} runs on one thread: {:.2} CPU seconds; the widest 95 % interval of an endgame is {} points, which makes {} points \
             after one CPU second (the width falls with the root of the time).\n",
            wall.median,
            wall.least,
            wall.greatest,
            cpu.median,
            cpu.least,
            cpu.greatest,
            precise,
            grouped(runs as f64),
            usage.cpu_seconds,
            short(width),
            short(width * usage.cpu_seconds.sqrt()),
        );
        text
    }
}

/// CPU seconds until the flagship's intervals are as narrow as asked, from how wide they are after fewer runs.
fn predicted_seconds((_, points, usage): (u64, f64, Usage)) -> f64 {
    let asked = 100.0 * WIDTH.parse::<f64>().expect("a width");
    usage.cpu_seconds * (points / asked).powi(2)
}

/// The number of runs and the width of the widest interval of an endgame, in percentage points.
fn results(json: &str) -> (u64, f64) {
    let results: Value = serde_json::from_str(json).expect("results in JSON");
    let outcomes = results["outcomes"].as_array().expect("endgames");
    let end = |outcome: &Value, end: &str| outcome[end].as_f64().expect("an end of an interval");
    let widths = outcomes.iter().map(|o| end(o, "high") - end(o, "low"));
    let runs = results["runs"].as_u64().expect("a number of runs");
    (runs, 100.0 * widths.fold(0.0, f64::max))
}

/// A folder that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let name = format!("flashpoint-peers-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for results");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is small and harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
