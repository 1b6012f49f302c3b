//! Making the runs of a study: looking at them on the way, stopping when they are enough, and going on after an interruption.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Analysis;
use super::study::{Plan, Study};
use crate::cli::CliError;
use crate::cli::files;
use crate::cli::run::{Clock, Meter};
use crate::durable;
use crate::experiment::Subject;
use crate::report::evaluations::{Evaluations, EvaluationsError};
use crate::report::number::count;

/// Name of the file with the figures so far.
pub(super) const PROVISIONAL: &str = "provisional.txt";
/// Rank instability below which a ranking has settled (Sarrazin, Pianosi & Wagener 2016).
const SETTLED: f64 = 1.0;
/// Seconds of work towards which runs are made between two writings to the disk.
const SECONDS: f64 = 0.5;
/// Rows that are made first, when nobody knows how long they take.
const FIRST_ROWS: usize = 64;
/// Rows between two writings at most.
const MOST_ROWS: usize = 1 << 16;

/// How a study is watched and stopped.
pub(super) struct Watch<'a> {
    pub stop: &'a AtomicBool,
    pub meter: &'a Meter,
    /// Where the figures so far are written.
    pub folder: Option<&'a Path>,
}

/// What a study came to.
pub(super) struct Carried {
    /// One for each quantity; none if there are too few rows for it.
    pub analyses: Vec<Analysis>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Runs used.
    pub runs: u64,
}

/// Makes the rows of the plan that are not there yet, look after look.
pub(super) fn carry_out(
    study: &Study<'_>,
    plan: &Plan,
    evaluations: &mut Evaluations,
    watch: &Watch<'_>,
) -> Result<Carried, CliError> {
    let looks = plan.looks();
    let all = looks.last().copied().unwrap_or_default();
    let runs = |rows: usize| rows as u64 * study.repeats;
    watch
        .meter
        .resumed(runs(evaluations.rows().min(all)), runs(all));
    let sizes = study.categories.iter();
    let sizes = sizes.map(|factor| factor.levels().map_or(1, <[_]>::len));
    let subject = Subject::new(
        study.cases,
        sizes.collect(),
        study.inputs,
        study.seed,
        watch.meter,
    )
    .repeated(study.repeats);
    let mut next = FIRST_ROWS;
    for &rows in &looks {
        while evaluations.rows() < rows {
            if watch.stop.load(Ordering::Relaxed) {
                return Ok(interrupted(study, plan, evaluations, all));
            }
            let from = evaluations.rows();
            let clock = Clock::start();
            let made = subject.rows(plan.design(), from..rows.min(from + next));
            evaluations.append(made).map_err(evaluations_error)?;
            next = match clock.seconds() {
                short if short < SECONDS => (2 * next).min(MOST_ROWS),
                long if long > 2.0 * SECONDS => (next / 2).max(1),
                _ => next,
            };
        }
        let last = rows == all;
        let mut analyses = match analyse(study, plan, evaluations, rows) {
            Ok(analyses) => analyses,
            Err(error) if last => return Err(error),
            // A rare outcome may not have come yet.
            Err(_) => continue,
        };
        let enough = |width: f64| analyses.iter().all(|one| one.has_settled(width));
        if last || study.precision.is_some_and(enough) {
            for analysis in &mut analyses {
                analysis.conclude(study.precision);
            }
            if let Some(folder) = watch.folder {
                forget_provisional(folder)?;
            }
            return Ok(Carried {
                analyses,
                interrupted: false,
                runs: runs(rows),
            });
        }
        let so_far = format!("{} of {} runs", count(runs(rows)), count(runs(all)));
        for analysis in &mut analyses {
            watch
                .meter
                .say(&format!("{so_far}. {}", analysis.leaders(3)));
            analysis.mark_provisional(format!("after {so_far}."));
        }
        if let Some(folder) = watch.folder {
            let texts: Vec<String> = analyses.iter().map(Analysis::text).collect();
            let path = folder.join(PROVISIONAL);
            files::write(&path, texts.join("\n").as_bytes(), true)?;
        }
    }
    Err(CliError::failure("the study has no runs"))
}

fn analyse(
    study: &Study<'_>,
    plan: &Plan,
    evaluations: &Evaluations,
    rows: usize,
) -> Result<Vec<Analysis>, CliError> {
    (0..study.of.len())
        .map(|quantity| study.analyse(plan, quantity, &evaluations.outcomes(quantity)[..rows]))
        .collect()
}

/// What is there when the user stops: whole rounds of points if there is at least one.
fn interrupted(study: &Study<'_>, plan: &Plan, evaluations: &Evaluations, all: usize) -> Carried {
    let round = plan.balanced();
    let rows = evaluations.rows() / round * round;
    let why = format!(
        "interrupted after {} of {} runs.",
        count(evaluations.rows() as u64 * study.repeats),
        count(all as u64 * study.repeats)
    );
    let mut analyses = analyse(study, plan, evaluations, rows).unwrap_or_default();
    for analysis in &mut analyses {
        analysis.mark_provisional(why.clone());
    }
    Carried {
        analyses,
        interrupted: true,
        runs: evaluations.rows() as u64 * study.repeats,
    }
}

fn forget_provisional(folder: &Path) -> Result<(), CliError> {
    let path = folder.join(PROVISIONAL);
    durable::remove_file(&path)
        .map_err(|error| CliError::failure(format!("cannot remove `{}`: {error}", path.display())))
}

impl Analysis {
    fn has_settled(&self, width: f64) -> bool {
        self.widest() <= width && self.rank_instability() <= SETTLED
    }

    /// Says whether the precision that was asked for has been reached.
    fn conclude(&mut self, precision: Option<f64>) {
        let Some(width) = precision else { return };
        let (widest, settled) = (self.widest(), self.has_settled(width));
        let widest = if widest.is_finite() {
            format!("Widest interval: {widest:.3}")
        } else {
            "Some indices cannot be told".to_owned()
        };
        self.add_note(format!(
            "{widest}; {width} was asked for, with a settled ranking: {}. The study grew until then, so its intervals are \
             somewhat too narrow.",
            if settled { "reached" } else { "not reached" }
        ));
    }
}

/// What is said when the runs cannot be kept.
pub(super) fn evaluations_error(error: EvaluationsError) -> CliError {
    let message = error.to_string();
    match error {
        EvaluationsError::AnotherStudy { .. } => CliError::usage(message)
            .with_help("choose another folder with --out, or start over in this one with --fresh"),
        EvaluationsError::Busy(_) => {
            CliError::usage(message).with_help("wait until it has finished, or stop it")
        }
        EvaluationsError::Io { .. } => CliError::failure(message),
    }
}
