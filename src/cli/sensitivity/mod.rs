//! `flashpoint sensitivity`.

mod choose;
mod effects;
mod evaluate;
mod given;
mod shares;
mod study;
mod subject;

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Value, json};

use choose::Group;
pub(super) use choose::{Named, cases, in_words, inputs, named, nothing_varies, quantity};

use super::analysis::{ResultsFolder, on_threads, refuse_file, show};
use super::prepare::DEFAULT_SEED;
use super::run::{Interrupt, Meter};
use super::worlds::Finished;
use super::{CliError, Format, Output, Override};
use crate::report::directory::MANIFEST;
use crate::report::evaluations::{EVALUATIONS, Evaluations, STUDY};
use crate::report::sensitivity::{Curves, Indices};
use evaluate::{Carried, Watch};
pub(super) use subject::StudySubject;

/// Find out which uncertain parameters drive an outcome, and how much of it is chance.
///
/// The factors are the parameters with a prior (or else a range); with several scenarios, also which of them holds. Chance is
/// told apart from them: runs share their random numbers where the method needs it. The same scenarios, options and seed give
/// the same results, byte for byte, with any number of threads, interrupted or not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario files, names of built-in scenarios, or `-` for standard input. With several, which one holds is a factor.
    /// Or one experiment: its scenarios, variants, levers and sweeps are factors too.
    #[arg(
        required_unless_present = "from",
        conflicts_with = "from",
        value_name = "SCENARIO"
    )]
    scenarios: Vec<String>,
    /// Use the runs of finished batches (`flashpoint run --keep-runs`) instead of making new ones; one for each scenario. Or
    /// those of one experiment (`flashpoint batch` with keep_runs).
    #[arg(long, value_name = "DIR", num_args = 1..)]
    from: Vec<PathBuf>,
    /// What to explain: endgames, flags, metrics, or `endgame-category` (several from the same runs).
    #[arg(long, value_name = "OUTCOMES", value_delimiter = ',', required = true)]
    of: Vec<String>,
    /// How likely each scenario is, relative to the others [default: all equally likely].
    #[arg(long, value_name = "WEIGHTS", value_delimiter = ',')]
    weights: Vec<f64>,
    /// The method [default: sobol; rank with --from].
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Vary these parameters only; all others have their default values.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    params: Vec<String>,
    /// Vary these parameters together, as one factor (repeatable).
    #[arg(long = "group", value_name = "NAME=a,b,c", conflicts_with = "from")]
    groups: Vec<Group>,
    /// Most runs to make [default: 200000, or 8192 for rank, pawn, prcc and regional; 2000000 with --precision].
    #[arg(long, value_name = "RUNS", conflicts_with = "from", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    budget: Option<u64>,
    /// Go on until all intervals are at most W wide and the ranking has settled.
    #[arg(long, value_name = "W", conflicts_with = "from")]
    precision: Option<f64>,
    /// Also find the interaction of each pair of factors (method sobol).
    #[arg(long, conflicts_with = "from")]
    pairs: bool,
    /// Take the mean of R runs in the place of each single run, for outcomes that are rare or vary much by chance (method
    /// sobol): shares are then of the mean response alone.
    #[arg(long, value_name = "R", default_value_t = 1, conflicts_with = "from", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    repeats: u64,
    /// Seed of all random numbers.
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
    /// Hold a parameter at this value (repeatable).
    #[arg(long = "set", value_name = "NAME=VALUE", conflicts_with = "from")]
    set: Vec<Override>,
    /// Keep the runs and write the results in this folder. The same command goes on after an interruption, and one with a
    /// larger budget uses the runs that are there.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Start over in a folder that holds another analysis, or files of the names of its results.
    #[arg(long, requires = "out")]
    fresh: bool,
    /// How the results are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The folder of results: a table and a README.
type Folder<'a> = ResultsFolder<'a, 2>;

/// How drivers are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Method {
    /// Shares of the variance: first order and total, with and without chance.
    Sobol,
    /// Screening of many factors with few runs.
    Morris,
    /// Shares of the variance that add up to 1.
    Shapley,
    /// Shares for the whole distribution, or for which endgame is reached.
    Kernel,
    /// One factor at a time: the curve of the output along each factor.
    Ofat,
    /// First-order shares from the order of the values.
    Rank,
    /// Median shift of the distribution when a factor is fixed.
    Pawn,
    /// Partial rank correlation: direction and strength.
    Prcc,
    /// Which factors tell runs with the outcome from those without.
    Regional,
}

impl Method {
    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether any set of runs will do.
    fn takes_given_data(self) -> bool {
        matches!(
            self,
            Method::Rank | Method::Pawn | Method::Prcc | Method::Regional
        )
    }
}

/// What an analysis found.
pub(super) enum Analysis {
    Indices(Indices),
    Curves(Curves),
}

impl Analysis {
    fn text(&self) -> String {
        match self {
            Analysis::Indices(indices) => indices.text(),
            Analysis::Curves(curves) => curves.text(),
        }
    }

    fn csv(&self) -> String {
        match self {
            Analysis::Indices(indices) => indices.csv(),
            Analysis::Curves(curves) => curves.csv(),
        }
    }

    fn value(&self) -> Result<Value, CliError> {
        let value = match self {
            Analysis::Indices(indices) => serde_json::to_value(indices),
            Analysis::Curves(curves) => serde_json::to_value(curves),
        };
        value.map_err(|error| CliError::failure(format!("cannot be written as JSON: {error}")))
    }

    fn widest(&self) -> f64 {
        match self {
            Analysis::Indices(indices) => indices.widest(),
            Analysis::Curves(curves) => curves.widest(),
        }
    }

    fn rank_instability(&self) -> f64 {
        match self {
            Analysis::Indices(indices) => indices.rank_instability,
            Analysis::Curves(_) => 0.0,
        }
    }

    fn leaders(&self, number: usize) -> String {
        match self {
            Analysis::Indices(indices) => indices.leaders(number),
            Analysis::Curves(curves) => curves.leaders(number),
        }
    }

    fn add_note(&mut self, note: String) {
        match self {
            Analysis::Indices(indices) => indices.notes.push(note),
            Analysis::Curves(curves) => curves.notes.push(note),
        }
    }

    fn mark_provisional(&mut self, why: String) {
        let subject = match self {
            Analysis::Indices(indices) => &mut indices.subject,
            Analysis::Curves(curves) => &mut curves.subject,
        };
        subject.provisional = Some(why);
    }
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    if args.from.is_empty() {
        return from_runs(args, out);
    }
    let method = args.method.unwrap_or(Method::Rank);
    let folder = args.results(method, args.fresh)?;
    let (analyses, about) = from_batches(args, method)?;
    args.show(&analyses, about, folder.as_ref(), out)
}

fn from_runs(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let method = args.method.unwrap_or(Method::Sobol);
    args.check(method)?;
    let continued = (args.out.as_deref()).is_some_and(|folder| folder.join(STUDY).exists());
    // A folder that belongs to a study may hold the results of a smaller one.
    let folder = args.results(method, args.fresh || continued)?;
    let subject = StudySubject::load(args, out)?;
    let named = subject.named();
    let mut cases = choose::cases(&named, &args.of)?;
    let held: Vec<String> = args.set.iter().map(|set| set.name.clone()).collect();
    let inputs = subject.inputs(&held, &args.params, &mut cases)?;
    let groups = choose::groups(&named, &inputs, &args.groups)?;
    let study = study::Study {
        title: subject.title(),
        categories: subject.categories(),
        cases: &cases,
        inputs: &inputs,
        groups: &groups,
        of: &args.of,
        seed: args.seed,
        budget: args.budget,
        precision: args.precision,
        pairs: args.pairs,
        repeats: args.repeats,
    };
    let plan = study.plan(method)?;

    let overrides = args.set.iter().map(|set| (set.name.clone(), set.value));
    let identity = json!({
        "flashpoint": env!("CARGO_PKG_VERSION"),
        "analysis": "sensitivity",
        "design": plan.kind(),
        "scenarios": subject.identity(),
        "weights": args.weights,
        "overrides": overrides.collect::<std::collections::BTreeMap<_, _>>(),
        "parameters": inputs.iter().map(|input| input.name.as_str()).collect::<Vec<_>>(),
        "groups": groups,
        "outcomes": args.of,
        "repeats": args.repeats,
        "seed": args.seed,
    });
    let mut evaluations = match &args.out {
        Some(folder) => {
            refuse_file(folder, EVALUATIONS, args.fresh || continued, "--fresh")?;
            Evaluations::open(folder, &identity, &args.of, args.fresh)
                .map_err(evaluate::evaluations_error)?
        }
        None => Evaluations::in_memory(args.of.len()),
    };
    let interrupt = Interrupt::install();
    let meter = Meter::new(0, out.stderr_terminal);
    let watch = Watch {
        stop: &interrupt.stop,
        meter: &meter,
        folder: args.out.as_deref(),
    };
    let carried = on_threads(args.threads, || {
        evaluate::carry_out(&study, &plan, &mut evaluations, &watch)
    });
    meter.clear();
    let carried = carried??;
    if carried.interrupted {
        return args.show_interrupted(&carried, out);
    }
    let mut about = identity;
    about["method"] = json!(method.name());
    about["scenarios"] = subject.description();
    about["budget"] = json!(args.budget);
    about["precision"] = json!(args.precision);
    about["runs"] = json!(carried.runs);
    args.show(&carried.analyses, about, folder.as_ref(), out)
}

fn from_batches(args: &Args, method: Method) -> Result<(Vec<Analysis>, Value), CliError> {
    if !method.takes_given_data() {
        let message = format!("method {} needs runs of its own design", method.name());
        return Err(CliError::usage(message)
            .with_help("with --from, choose rank, pawn, prcc or regional; or name the scenario"));
    }
    let batches = Finished::open(&args.from, &args.weights)?;
    let mut analyses = Vec::new();
    for of in &args.of {
        let (worlds, quantity) = batches.worlds(of, &args.params)?;
        let found = on_threads(args.threads, || {
            given::of_worlds(&worlds, method, of, quantity, args.seed)
        })??;
        analyses.push(Analysis::Indices(found));
    }
    let about = json!({
        "flashpoint": env!("CARGO_PKG_VERSION"),
        "analysis": "sensitivity",
        "method": method.name(),
        "outcomes": args.of,
        "batch": batches.description(),
        "parameters": args.params,
        "seed": args.seed,
    });
    Ok((analyses, about))
}

/// The tables of all analyses as one.
fn csv_of(analyses: &[Analysis]) -> String {
    let mut all = String::new();
    for (number, analysis) in analyses.iter().enumerate() {
        let csv = analysis.csv();
        let rows = csv.split_once('\n').map_or("", |(_, rows)| rows);
        all.push_str(if number == 0 { &csv } else { rows });
    }
    all
}

fn text_of(analyses: &[Analysis]) -> String {
    let texts: Vec<String> = analyses.iter().map(Analysis::text).collect();
    texts.join("\n")
}

impl Args {
    fn check(&self, method: Method) -> Result<(), CliError> {
        if let Some(width) = self.precision
            && !(width > 0.0 && width.is_finite())
        {
            return Err(CliError::usage(format!(
                "--precision {width}: the width of an interval is above 0"
            )));
        }
        if self.repeats > 1 && method != Method::Sobol {
            return Err(CliError::usage("--repeats is for method sobol"));
        }
        if self.repeats > 1 && self.pairs {
            return Err(CliError::usage(
                "--pairs are shares of the variance of single runs: leave --repeats out",
            ));
        }
        if self.pairs && method != Method::Sobol {
            return Err(CliError::usage("--pairs is for method sobol"));
        }
        let grouping = matches!(method, Method::Sobol | Method::Kernel | Method::Shapley);
        if !self.groups.is_empty() && !grouping {
            return Err(CliError::usage(format!(
                "--group is for methods sobol, kernel and shapley, not {}",
                method.name()
            )));
        }
        Ok(())
    }

    /// What is printed.
    fn shown(&self, analyses: &[Analysis]) -> Result<String, CliError> {
        match self.format {
            Format::Text => Ok(text_of(analyses)),
            Format::Csv => Ok(csv_of(analyses)),
            Format::Json => match analyses {
                [one] => super::json(&one.value()?),
                several => {
                    let values: Result<Vec<Value>, CliError> =
                        several.iter().map(Analysis::value).collect();
                    super::json(&values?)
                }
            },
        }
    }

    /// The folder for the results.
    fn results(&self, method: Method, replace: bool) -> Result<Option<Folder<'_>>, CliError> {
        let table = if method == Method::Ofat {
            "curves.csv"
        } else {
            "indices.csv"
        };
        Folder::new(
            self.out.as_deref(),
            [table, "README.md"],
            replace,
            "--fresh",
        )
    }

    /// Prints what was found, and writes it into the folder, if there is one.
    fn show(
        &self,
        analyses: &[Analysis],
        about: Value,
        folder: Option<&Folder<'_>>,
        out: &mut Output,
    ) -> Result<(), CliError> {
        let files = || {
            let kept = (self.out.as_ref()).is_some_and(|out| out.join(EVALUATIONS).exists());
            let runs = if kept {
                format!(
                    "`{EVALUATIONS}` has the outcome of every run and `{STUDY}` says what the rows are, "
                )
            } else {
                String::new()
            };
            let table = folder.map_or("", |folder| folder.names()[0]);
            let notes = format!(
                "# What drives an outcome\n\n`{table}` has the figures, {runs}`{MANIFEST}` what they were made of.\n\n```text\n{}```\n",
                text_of(analyses)
            );
            (about, [csv_of(analyses), notes])
        };
        show(&self.shown(analyses)?, self.format, folder, files, out)
    }

    fn show_interrupted(&self, carried: &Carried, out: &mut Output) -> Result<(), CliError> {
        if carried.analyses.is_empty() {
            out.remark("Too few runs have been made for any figures.\n");
        } else {
            out.print(&self.shown(&carried.analyses)?)?;
        }
        let rows = crate::report::number::count(carried.runs);
        out.remark(&match &self.out {
            Some(folder) => format!(
                "{rows} runs are kept in `{}`: the same command goes on from there.\n",
                folder.display()
            ),
            None => "Nothing is kept: with --out DIR the same command could go on.\n".to_owned(),
        });
        Err(CliError::Interrupted)
    }
}
