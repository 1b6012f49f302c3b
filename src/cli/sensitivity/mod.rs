//! `flashpoint sensitivity`.

mod choose;
mod given;
mod methods;

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::{Value, json};

use choose::Group;
pub(super) use choose::{in_words, named, quantity, uncertain};

use super::batch::{Batch, on_threads, refuse_folder, write_folder};
use super::prepare::{DEFAULT_SEED, prepare};
use super::run::Meter;
use super::{CliError, Format, Output, Override};
use crate::report::sensitivity::{Curves, Indices};

/// Find out which uncertain parameters drive an outcome, and how much of it is chance.
///
/// The factors are the parameters with a prior (or else a range). Chance is told apart from them: runs share their random
/// numbers where the method needs it. The same scenario, options and seed give the same results, byte for byte, with any number
/// of threads.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenario file, name of a built-in scenario, or `-` for standard input.
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    scenario: Option<String>,
    /// Use the runs of a finished batch (`flashpoint run --keep-runs`) instead of making new ones.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// What to explain: an endgame, a flag, a metric, or `endgame-category`.
    #[arg(long, value_name = "OUTCOME")]
    of: String,
    /// The method [default: sobol; rank with --from].
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// Vary these parameters only; all others have their default values.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    params: Vec<String>,
    /// Vary these parameters together, as one factor (repeatable).
    #[arg(long = "group", value_name = "NAME=a,b,c", conflicts_with = "from")]
    groups: Vec<Group>,
    /// Most runs to make [default: 200000; 2000000 with --precision].
    #[arg(long, value_name = "RUNS", conflicts_with = "from", value_parser = clap::value_parser!(u64).range(1..))]
    budget: Option<u64>,
    /// Go on until all intervals are at most W wide and the ranking has settled (method sobol).
    #[arg(long, value_name = "W", conflicts_with = "from")]
    precision: Option<f64>,
    /// Also find the interaction of each pair of factors (method sobol).
    #[arg(long, conflicts_with = "from")]
    pairs: bool,
    /// Seed of all random numbers.
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
    /// Hold a parameter at this value (repeatable).
    #[arg(long = "set", value_name = "NAME=VALUE", conflicts_with = "from")]
    set: Vec<Override>,
    /// Write the results into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write them even if the folder holds an analysis already.
    #[arg(long, requires = "out")]
    force: bool,
    /// How the results are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

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
    /// Largest shift of the distribution when a factor is fixed.
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
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    refuse_folder(args.out.as_deref(), args.force)?;
    let (analysis, about) = match (&args.from, &args.scenario) {
        (Some(folder), _) => from_batch(args, &Batch::open(folder)?)?,
        (None, Some(scenario)) => from_runs(args, scenario, out)?,
        (None, None) => return Err(CliError::usage("name a scenario, or a folder with --from")),
    };
    let (text, csv) = (analysis.text(), analysis.csv());
    let mut shown = match args.format {
        Format::Text => text.clone(),
        Format::Csv => csv.clone(),
        Format::Json => super::json(&analysis.value()?)?,
    };
    if let Some(folder) = &args.out {
        let name = match analysis {
            Analysis::Indices(_) => "indices.csv",
            Analysis::Curves(_) => "curves.csv",
        };
        let notes = format!(
            "# What drives an outcome\n\n`{name}` has the figures, `manifest.json` what they were made of.\n\n```text\n{text}```\n"
        );
        let contents = [(name, csv.as_str()), ("README.md", notes.as_str())];
        let line = write_folder(folder, about, &contents, args.force)?;
        if args.format == Format::Text {
            shown.push_str(&line);
        }
    }
    Ok(out.print(&shown)?)
}

fn from_runs(args: &Args, scenario: &str, out: &mut Output) -> Result<(Analysis, Value), CliError> {
    let method = args.method.unwrap_or(Method::Sobol);
    args.check(method)?;
    let prepared = prepare(scenario, &args.set, out)?;
    let model = &prepared.model;
    let quantity = quantity(model, &args.of)?;
    let held: Vec<String> = args.set.iter().map(|set| set.name.clone()).collect();
    let varied = choose::uncertain(model, Some(&prepared.loaded.raw), &held)?;
    let varied = choose::named(model, varied, &args.params)?;
    let groups = choose::groups(model, &varied, &args.groups)?;
    let meter = Meter::new(0, out.stderr_terminal);
    let study = methods::Study {
        model,
        quantity,
        varied: &varied,
        groups: &groups,
        seed: args.seed,
        budget: args.budget,
        precision: args.precision,
        pairs: args.pairs,
        progress: &meter,
    };
    let analysis = on_threads(args.threads, || study.carry_out(method));
    meter.clear();
    let analysis = analysis??;
    let parameters: Vec<&str> = varied
        .iter()
        .map(|v| model.parameters()[v.parameter].id())
        .collect();
    let overrides = args.set.iter().map(|set| (set.name.clone(), set.value));
    let text = prepared.loaded.resolved_text();
    let about = json!({
        "flashpoint": env!("CARGO_PKG_VERSION"),
        "analysis": "sensitivity",
        "method": method.name(),
        "of": args.of,
        "scenario": crate::report::manifest::ScenarioDescription::new(prepared.loaded.name.clone(), text),
        "overrides": overrides.collect::<std::collections::BTreeMap<_, _>>(),
        "parameters": parameters,
        "groups": groups,
        "budget": args.budget,
        "precision": args.precision,
        "pairs": args.pairs,
        "seed": args.seed,
    });
    Ok((analysis, about))
}

fn from_batch(args: &Args, batch: &Batch) -> Result<(Analysis, Value), CliError> {
    let method = args.method.unwrap_or(Method::Rank);
    if !method.takes_given_data() {
        let message = format!("method {} needs runs of its own design", method.name());
        return Err(CliError::usage(message)
            .with_help("with --from, choose rank, pawn, prcc or regional; or name the scenario"));
    }
    let model = &batch.model;
    let quantity = quantity(model, &args.of)?;
    let varied = choose::uncertain(model, None, &[])?;
    let varied = choose::named(model, varied, &args.params)?;
    let indices = on_threads(args.threads, || {
        given::of_batch(batch, method, quantity, &varied, args.seed)
    })??;
    let about = json!({
        "flashpoint": env!("CARGO_PKG_VERSION"),
        "analysis": "sensitivity",
        "method": method.name(),
        "of": args.of,
        "batch": batch.description(),
        "parameters": args.params,
        "seed": args.seed,
    });
    Ok((Analysis::Indices(indices), about))
}

impl Args {
    fn check(&self, method: Method) -> Result<(), CliError> {
        if let Some(width) = self.precision {
            if method != Method::Sobol {
                return Err(CliError::usage("--precision is for method sobol")
                    .with_help("give the other methods a --budget"));
            }
            if !(width > 0.0 && width < 2.0) {
                return Err(CliError::usage(format!(
                    "--precision {width}: a width of intervals of shares lies between 0 and 2"
                )));
            }
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
}
