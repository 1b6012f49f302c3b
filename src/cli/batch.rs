//! `flashpoint batch`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::again::quoted;
use super::kind::Kind;
use super::run::{Interrupt, threads};
use super::{CliError, Output};
use crate::batch::check::{self, Options};
use crate::batch::chunk::Maker;
use crate::batch::conduct::{Conducted, Control, Progress, chunk_bytes, conduct};
use crate::batch::inputs::Recording;
use crate::batch::plan::{Plan, PlannedSelection, Size};
use crate::batch::selection::{SelectError, select_policy};
use crate::batch::store::{DESCRIPTION, Description, Store, StoreError, check_room};
use crate::report::batch::robustness::direction;
use crate::report::batch::{REPORT, finish, finish_selection, provisional};
use crate::report::number::{count, counted, significant};
use crate::scenario::extend::DiskFiles;

/// Longest time that the pilot of a dry run takes, roughly.
const PILOT: Duration = Duration::from_secs(1);

/// Run an experiment: many scenarios, variants and settings in one file, durable on disk.
///
/// Results are stored chunk by chunk. When the command is interrupted, or the machine stops, the same command goes on from
/// there, and the files in the end are the same, byte for byte. `flashpoint status DIR` shows how far it is.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File of the experiment, or name of a built-in one, such as `isis-iran/experiments/variants`.
    #[arg(value_name = "FILE")]
    experiment: String,
    /// Folder for the results [default: results/NAME].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Say how many cells and runs there are, about how long they take and how much disk they need, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// Start over: remove what the folder holds of another batch or an earlier attempt.
    #[arg(long, conflicts_with = "dry_run")]
    fresh: bool,
    /// Instead of running every cell, find the best policy with as few runs as that takes, as the file's [select] says.
    #[arg(long, conflicts_with_all = ["dry_run", "runs"])]
    select: bool,
    /// Runs of each cell, instead of what the file says.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Seed of all random numbers, instead of what the file says.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let recording = Recording::new(&DiskFiles);
    let options = Options {
        seed: args.seed,
        runs: args.runs,
    };
    if let Some(refused) = Kind::refuse(&args.experiment, Kind::Experiment) {
        return Err(refused);
    }
    let plan = check::load(&recording, &args.experiment, options).map_err(CliError::Scenario)?;
    if !plan.warnings.is_empty() {
        out.remark(&plan.warnings.render(out.stderr_colour));
    }
    let selection = match (args.select, plan.selection) {
        (false, _) => None,
        (true, None) => {
            let message = format!("`{}` does not say how to select", args.experiment);
            return Err(CliError::usage(message).with_help(
                "add a `[select]` with the `indifference` worth detecting, and a `[goal.NAME]`",
            ));
        }
        (true, Some(_)) if plan.policies() < 2 => {
            return Err(
                CliError::usage("there is only one policy: nothing to select from")
                    .with_help("add variants or levers"),
            );
        }
        (true, selection) => selection,
    };
    let folder = (args.out.clone()).unwrap_or_else(|| {
        let name = match selection {
            Some(_) => format!("{}-selection", plan.name),
            None => plan.name.clone(),
        };
        Path::new("results").join(name)
    });
    let threads = threads(args.threads);
    if args.dry_run {
        let text = dry_run(&plan, &folder, threads);
        return Ok(out.print(&text)?);
    }
    let description = Description {
        experiment: args.experiment.clone(),
        seed: args.seed,
        runs: args.runs,
        select: args.select,
        identity: plan.identity.clone(),
        inputs: recording.into_inputs(),
    };
    if selection.is_none() && !folder.join(DESCRIPTION).exists() {
        check_room(&folder, disk_needed(&plan)).map_err(store_error)?;
    }
    let store = Store::open(&folder, &plan, &description, args.fresh).map_err(store_error)?;
    if store.is_complete() {
        return already_complete(&store, out);
    }
    if let Some(asked) = &selection {
        return select(args, &plan, asked, &store, threads, out);
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| CliError::failure(format!("cannot start the threads: {error}")))?;
    let interrupt = Interrupt::install();
    let meter = Meter::new(&plan, out.stderr_terminal);
    let control = Control {
        threads,
        stop: &interrupt.stop,
        progress: &meter,
    };
    let done = conduct(&plan, &store, &control);
    meter.clear();
    let done = done.map_err(store_error)?;
    if !done.complete {
        return stopped(args, &plan, &store, &done, &pool, out);
    }
    let text = pool
        .install(|| finish(&plan, &store, &done))
        .map_err(store_error)?;
    out.print(&text)?;
    out.print(&format!("Results: {}\n", store.folder().display()))?;
    failed_cells(done.failures.len())
}

/// Finds the best policy.
fn select(
    args: &Args,
    plan: &Plan,
    asked: &PlannedSelection,
    store: &Store,
    threads: usize,
    out: &mut Output,
) -> Result<(), CliError> {
    let interrupt = Interrupt::install();
    let meter = Meter::open_ended(plan, out.stderr_terminal);
    let control = Control {
        threads,
        stop: &interrupt.stop,
        progress: &meter,
    };
    let goal = direction(plan.goals[asked.goal].want);
    let found = select_policy(plan, asked, goal, store.folder(), &control);
    meter.clear();
    match found {
        Ok(found) => {
            let text = finish_selection(plan, asked, &found, store).map_err(store_error)?;
            out.print(&text)?;
            Ok(out.print(&format!("Results: {}\n", store.folder().display()))?)
        }
        Err(SelectError::Stopped) => {
            out.print(&format!(
                "Stopped: the observations so far are stored in {}.\nThe same command goes on from there:\n\n    flashpoint batch {}\n\n",
                store.folder().display(),
                args.again(),
            ))?;
            Err(CliError::Interrupted)
        }
        Err(SelectError::Store(error)) => Err(store_error(error)),
        Err(error @ SelectError::Cell(_)) => Err(CliError::failure(error.to_string())),
        Err(error @ SelectError::Capped { .. }) => Err(CliError::failure(error.to_string())
            .with_help("raise `max_events`, or look for a cascade with `flashpoint trace`")),
        Err(error @ SelectError::Procedure(_)) => Err(CliError::usage(error.to_string())),
    }
}

/// The error of a batch in which cells failed: all others are done.
fn failed_cells(failed: usize) -> Result<(), CliError> {
    match failed {
        0 => Ok(()),
        1 => Err(CliError::CellsFailed(
            "1 cell failed: see failures.csv".to_owned(),
        )),
        more => Err(CliError::CellsFailed(format!(
            "{more} cells failed: see failures.csv"
        ))),
    }
}

/// A batch that was complete before this command: shows what it came to.
fn already_complete(store: &Store, out: &mut Output) -> Result<(), CliError> {
    // An interruption between the manifest and the removal leaves the chunks behind.
    store.remove_chunks().map_err(store_error)?;
    let folder = store.folder();
    if let Ok(text) = std::fs::read_to_string(folder.join(REPORT)) {
        out.print(&text)?;
    }
    out.print(&format!(
        "Results: {} (complete before; --fresh runs it again)\n",
        folder.display()
    ))?;
    failed_cells(store.failed_cells().map_err(store_error)?)
}

/// A batch that was interrupted: everything is on disk, and the command says how to go on.
fn stopped(
    args: &Args,
    plan: &Plan,
    store: &Store,
    done: &Conducted,
    pool: &rayon::ThreadPool,
    out: &mut Output,
) -> Result<(), CliError> {
    if done.rounds > 0 {
        let text = pool.install(|| provisional(plan, store, done));
        out.print(&text.map_err(store_error)?)?;
        out.print("\n")?;
    }
    let made = done.units * u64::from(plan.block);
    let planned = plan.size.most_runs() * plan.cells();
    let at_most = match plan.size {
        Size::Runs(_) => "",
        Size::Precision { .. } => "at most ",
    };
    out.print(&format!(
        "Stopped: {} of {at_most}{} runs are made and stored in {}.\nThe same command goes on from there:\n\n    flashpoint batch {}\n\n",
        count(made),
        count(planned),
        store.folder().display(),
        args.again(),
    ))?;
    Err(CliError::Interrupted)
}

impl Args {
    /// The arguments of the command that goes on.
    fn again(&self) -> String {
        let mut text = quoted(&self.experiment);
        if let Some(folder) = &self.out {
            text.push_str(&format!(" --out {}", quoted(&folder.display().to_string())));
        }
        if self.select {
            text.push_str(" --select");
        }
        if let Some(runs) = self.runs {
            text.push_str(&format!(" --runs {runs}"));
        }
        if let Some(seed) = self.seed {
            text.push_str(&format!(" --seed {seed}"));
        }
        if let Some(threads) = self.threads {
            text.push_str(&format!(" --threads {threads}"));
        }
        text
    }
}

/// What stands in the way of using a folder.
pub(super) fn store_error(error: StoreError) -> CliError {
    let message = error.to_string();
    match error {
        StoreError::Locked(_) => {
            CliError::usage(message).with_help("wait for it, or choose another folder with --out")
        }
        StoreError::Changed { .. } => CliError::usage(message).with_help(
            "--fresh starts over and removes what is there; --out puts the results elsewhere",
        ),
        StoreError::Occupied(_) | StoreError::NotAFolder(_) => {
            CliError::usage(message).with_help("choose another folder with --out")
        }
        StoreError::NoBatch { .. } => {
            CliError::usage(message).with_help("`flashpoint batch FILE --out DIR` makes one")
        }
        StoreError::NoRoom { needed, free, path } => CliError::usage(format!(
            "the batch needs about {}, but the disk of {} has {} left",
            bytes(needed),
            path.display(),
            bytes(free)
        ))
        .with_help("choose another disk with --out, fewer runs, or a smaller design"),
        StoreError::BrokenManifest { .. } => CliError::failure(message)
            .with_help("--fresh runs the batch again; --out puts the results elsewhere"),
        StoreError::Io { error, .. } if error.kind() == io::ErrorKind::StorageFull => {
            CliError::failure(message)
                .with_help("make room and run the same command again: what is stored is kept")
        }
        StoreError::Io { .. } => CliError::failure(message),
    }
}

/// Bytes that a batch needs at most, about: its chunks, and the tables that are made from them before they are removed.
fn disk_needed(plan: &Plan) -> u64 {
    /// A row of cells.csv, and of comparison.csv.
    const ROW: u64 = 400;
    let rows = plan.cells().saturating_mul(plan.quantities.len() as u64);
    let chunks = chunk_bytes(plan);
    let runs = if plan.keep_runs { chunks } else { 0 };
    chunks
        .saturating_add(runs)
        .saturating_add(rows.saturating_mul(ROW))
}

fn dry_run(plan: &Plan, folder: &Path, threads: usize) -> String {
    let runs = plan.size.most_runs();
    let total = runs * plan.cells();
    let at_most = match plan.size {
        Size::Runs(_) => "",
        Size::Precision { .. } => "at most ",
    };
    let mut text = format!(
        "{}\n\
         cells     {} ({} in {})\n\
         runs      {at_most}{} in each cell, {at_most}{} in all\n",
        plan.title,
        count(plan.cells()),
        counted(plan.policies(), "policy", "policies"),
        counted(plan.states(), "state of the world", "states of the world"),
        count(runs),
        count(total),
    );
    let (seconds, made, failed) = pilot(plan, threads);
    if made > 0 {
        let all = seconds / made as f64 * total as f64;
        text.push_str(&format!(
            "time      {at_most}about {} on {threads} {} (a guess from {} runs)\n",
            duration(all),
            if threads == 1 { "thread" } else { "threads" },
            count(made),
        ));
    }
    text.push_str(&format!(
        "disk      {at_most}about {} in {}\n",
        bytes(disk_needed(plan)),
        folder.display()
    ));
    for message in failed {
        text.push_str(&format!("WARNING: in the pilot a cell failed: {message}\n"));
    }
    text
}

/// Runs the first block of some cells across the design, for about a second: seconds, runs, and what failed.
#[allow(
    clippy::disallowed_methods,
    reason = "a dry run says how long the batch will take"
)]
fn pilot(plan: &Plan, threads: usize) -> (f64, u64, Vec<String>) {
    let mut maker = Maker::new(plan, threads);
    let block = u64::from(plan.block);
    let together = (threads as u64 * 256).div_ceil(block).min(plan.cells());
    let mut records = vec![0; together as usize * plan.unit_bytes()];
    let stop = AtomicBool::new(false);
    let places = 8.min(plan.cells().div_ceil(together));
    let (mut made, mut seconds, mut failed) = (0, 0.0, Vec::new());
    for place in 0..places {
        let last = plan.cells() - together;
        let first = last * place / places.saturating_sub(1).max(1);
        let start = Instant::now();
        let (units, failures) = maker.make(|place| first + place, &mut records, &stop, &());
        seconds += start.elapsed().as_secs_f64();
        made += units * block;
        failed.extend(failures.into_iter().map(|failure| {
            format!(
                "{}: {}",
                plan.describe(plan.cell(failure.cell)),
                failure.message
            )
        }));
        if seconds > PILOT.as_secs_f64() {
            break;
        }
    }
    failed.truncate(3);
    (seconds, made, failed)
}

/// A duration for people.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{} s", significant(s.ceil())),
        s if s < 5400.0 => format!("{} min", significant((s / 60.0).ceil())),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

/// A number of bytes for people.
fn bytes(n: u64) -> String {
    let mut size = n as f64;
    for unit in ["bytes", "kB", "MB", "GB", "TB"] {
        if size < 1000.0 || unit == "TB" {
            return format!("{} {unit}", significant(size));
        }
        size /= 1000.0;
    }
    String::new()
}

/// A progress bar, if anybody is watching: what was found on disk counts as done, but not for the speed.
struct Meter {
    bar: ProgressBar,
    cells: u64,
    made: AtomicU64,
    start: Instant,
    /// Cells that are done, and the widest interval, once a chunk is stored.
    state: Mutex<Option<(u64, Option<f64>)>>,
}

impl Meter {
    fn new(plan: &Plan, watched: bool) -> Self {
        let bar = ProgressBar::new(plan.size.most_runs() * plan.cells());
        Self::with_bar(
            bar,
            "{wide_bar} {human_pos} of {human_len} runs{msg}",
            plan,
            watched,
        )
    }

    /// For work of which nobody knows how much there is.
    fn open_ended(plan: &Plan, watched: bool) -> Self {
        Self::with_bar(
            ProgressBar::new_spinner(),
            "{spinner} {human_pos} runs{msg}",
            plan,
            watched,
        )
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "progress is shown against the clock"
    )]
    fn with_bar(bar: ProgressBar, template: &str, plan: &Plan, watched: bool) -> Self {
        let bar = if watched { bar } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            cells: plan.cells(),
            made: AtomicU64::new(0),
            start: Instant::now(),
            state: Mutex::new(None),
        }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self) {
        let made = self.made.load(Ordering::Relaxed);
        let seconds = self.start.elapsed().as_secs_f64();
        let mut message = String::new();
        if made > 0 && seconds > 0.0 {
            let rate = made as f64 / seconds;
            message = format!(", {}/s", count(rate as u64));
            if let Some(length) = self.bar.length() {
                let left = length.saturating_sub(self.bar.position()) as f64 / rate;
                message.push_str(&format!(", {} left", duration(left)));
            }
        }
        let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((cells, widest)) = state {
            message.push_str(&format!(
                ", {} of {} cells",
                count(cells),
                count(self.cells)
            ));
            if let Some(widest) = widest {
                let points = significant(100.0 * widest);
                message.push_str(&format!(", widest interval {points} pp"));
            }
        }
        self.bar.set_message(message);
    }
}

impl Progress for Meter {
    fn planned(&self, runs: u64) {
        self.bar.set_length(runs);
    }

    fn found(&self, runs: u64) {
        self.bar.inc(runs);
    }

    fn advanced(&self, runs: u64) {
        self.made.fetch_add(runs, Ordering::Relaxed);
        self.bar.inc(runs);
        if !self.bar.is_hidden() {
            self.show();
        }
    }

    fn saved(&self, cells_done: u64, widest: &dyn Fn() -> Option<f64>) {
        if self.bar.is_hidden() {
            return;
        }
        let widest = widest();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = Some((cells_done, widest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_for_people() {
        let sizes: Vec<_> = [999, 1500, 2_340_000, 7_000_000_000_000_000]
            .map(bytes)
            .into();
        assert_eq!(sizes, ["999 bytes", "1.5 kB", "2.34 MB", "7000 TB"]);
        let times: Vec<_> = [0.2, 80.0, 100.0, 7200.0, 1e6].map(duration).into();
        assert_eq!(times, ["1 s", "80 s", "2 min", "2.0 h", "11.6 days"]);
    }
}
