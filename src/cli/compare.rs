//! `flashpoint compare`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::again::Settings;
use super::analysis::{ResultsFolder, show};
use super::prepare::{DEFAULT_SEED, Prepared, prepare_with};
use super::run::{Interrupt, Meter, experiment_error, threads};
use super::sensitivity::{Named, quantity};
use super::{CliError, Format, Output, Override};
use crate::experiment::paired::{
    PairedError, PrecisePairedReplication, replicate_paired_to_precision,
};
use crate::experiment::{Control, Plan, Quantity, WorldSource, replicate_paired};
use crate::model::Model;
use crate::report::comparison::{Comparisons, VariantDescription, is_headline, rows};
use crate::report::manifest::ScenarioDescription;
use crate::report::results::LEVEL;
use crate::report::run_text::PrecisionOutcome;
use crate::scenario::variant::Variant;
use crate::stats::precision::PrecisionPlan;

/// Runs of each model unless another number is asked for.
const DEFAULT_RUNS: u64 = 10_000;
/// Most runs of each model to reach a precision, unless another number is asked for.
const DEFAULT_MOST_RUNS: u64 = 10_000_000;
/// Runs of the first look at a precision, and worlds, at least.
const PILOT: [u64; 2] = [2000, 40];

/// Compare what-ifs with a scenario, run by run under the same random numbers.
///
/// The first scenario is the baseline. Every what-if changes it; further scenarios are compared as they are. Run r of a variant
/// shares its random numbers and, where parameters are drawn, its parameters with run r of the baseline. So what differs is the
/// effect of the change, known far better than from runs of their own.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The baseline, then scenarios to compare with it: files, names of built-in scenarios, or `-` for standard input.
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// A variant of the baseline (repeatable): a name, a colon, and changes with commas between: `parameter = value`,
    /// `drop rule.ID` (or process.ID, calendar.ID, rule.ID.OPTION), `overlay SCENARIO`.
    #[arg(long = "what-if", value_name = "NAME: CHANGE, ...")]
    what_ifs: Vec<String>,
    /// Compare this outcome only (repeatable): an endgame, a flag or a metric [default: all endgames, flags and headline metrics].
    #[arg(long = "of", value_name = "OUTCOME")]
    of: Vec<String>,
    /// Runs of the baseline and of each variant (default 10000); with --precision, the most runs (default 10000000). Rounded up to
    /// whole worlds.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Go on until the paired 95 % interval of every difference of probabilities is at most W wide, for example 0.01. The intervals
    /// stay valid although the runs are looked at repeatedly.
    #[arg(long, value_name = "W")]
    precision: Option<f64>,
    /// Seed of all random numbers.
    #[arg(long, value_name = "S", default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
    /// Hold a parameter at this value in the baseline and in every variant (repeatable).
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<Override>,
    /// Hold all parameters at their default values instead of drawing them from their priors.
    #[arg(long)]
    defaults: bool,
    /// Write comparison.csv, a README and a manifest into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write them even if the folder holds an analysis, or files of these names, already.
    #[arg(long, requires = "out")]
    force: bool,
    /// How the results are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Files of results.
const FILES: [&str; 2] = ["comparison.csv", "README.md"];

/// What is compared with the baseline.
struct Compared {
    description: VariantDescription,
    prepared: Prepared,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let folder = ResultsFolder::new(args.out.as_deref(), FILES, args.force, "--force")?;
    let (baseline, compared) = args.prepare(out)?;
    let model = &baseline.model;
    let scenario = Named {
        name: baseline.loaded.name.clone(),
        model,
        raw: None,
    };
    let wanted = (args.of.iter())
        .map(|name| quantity(&scenario, name))
        .collect::<Result<Vec<Quantity>, CliError>>()?;
    if wanted.contains(&Quantity::Category) {
        return Err(CliError::usage("--of endgame-category cannot be compared")
            .with_help("name an endgame, or leave --of out to compare all of them"));
    }
    let plan = args.plan(model, &compared)?;
    let looks = args.looks(model, &plan, &wanted)?;
    let variants: Vec<Model> = compared.iter().map(|c| c.prepared.model.clone()).collect();

    let interrupt = Interrupt::install();
    let meter = Meter::new(
        plan.runs.saturating_mul(1 + variants.len() as u64),
        out.stderr_terminal,
    );
    let control = Control {
        threads: threads(args.threads),
        stop: &interrupt.stop,
        progress: &meter,
    };
    let chosen = |q: Quantity| {
        if wanted.is_empty() {
            is_headline(model, q)
        } else {
            wanted.contains(&q)
        }
    };
    let done = match &looks {
        Some(looks) => {
            replicate_paired_to_precision(model, &variants, &plan, looks, chosen, &control)
        }
        None => replicate_paired(model, &variants, &plan, &control).map(|replication| {
            PrecisePairedReplication {
                replication,
                level: LEVEL,
                reached: false,
                looks: Vec::new(),
            }
        }),
    };
    meter.clear();
    let PrecisePairedReplication {
        replication: done,
        level,
        reached,
        looks: looked,
    } = done.map_err(|error| match error {
        PairedError::Baseline(error) => experiment_error(error, Some(args.settings())),
        PairedError::Variant { variant, error } => {
            let name = &compared[variant].description.name;
            CliError::failure(format!("variant `{name}`: {error}"))
        }
    })?;
    if done.completed_runs == 0 {
        return Err(CliError::Interrupted);
    }

    let descriptions: Vec<VariantDescription> =
        compared.iter().map(|c| c.description.clone()).collect();
    let comparisons = Comparisons {
        title: model.title().to_owned(),
        baseline: baseline.loaded.name.clone(),
        overrides: (args.set.iter())
            .map(|set| (set.name.clone(), set.value))
            .collect(),
        seed: args.seed,
        runs: done.completed_runs,
        worlds: (plan.runs_per_world(model)).map(|size| done.completed_runs / u64::from(size)),
        priors_unused: args.defaults && model.has_priors(),
        level,
        precision: args.precision.map(|width| PrecisionOutcome {
            width,
            reached,
            looks: looked.len(),
        }),
        interrupted: done.interrupted.then_some(plan.runs),
        capped: (done.variants.iter())
            .map(|variant| variant.comparison.capped())
            .collect(),
        rows: rows(model, &descriptions, &done, chosen, level),
        variants: descriptions,
    };
    args.show(&baseline, &compared, &comparisons, folder.as_ref(), out)?;
    if done.interrupted {
        Err(CliError::Interrupted)
    } else {
        Ok(())
    }
}

impl Args {
    /// What decides the runs of the baseline.
    fn settings(&self) -> Settings<'_> {
        Settings {
            scenario: self.scenarios.first().map_or("", String::as_str),
            seed: self.seed,
            set: &self.set,
            defaults: self.defaults,
            runs_per_world: None,
        }
    }

    /// The baseline and what is compared with it. All problems come before the first run.
    fn prepare(&self, out: &mut Output) -> Result<(Prepared, Vec<Compared>), CliError> {
        if self.scenarios.len() + self.what_ifs.len() < 2 {
            return Err(
                CliError::usage("there is nothing to compare with").with_help(
                    "add --what-if \"NAME: parameter = value\", or name a second scenario",
                ),
            );
        }
        let mut compared = Vec::new();
        let baseline = prepare_with(&self.scenarios[0], &self.set, None, out)?;
        for name in &self.scenarios[1..] {
            let prepared = prepare_with(name, &self.set, None, out)?;
            let changes = format!("the scenario \"{}\"", prepared.model.title());
            compared.push((name.clone(), changes, prepared));
        }
        for line in &self.what_ifs {
            let variant = Variant::parse(line).map_err(CliError::Scenario)?;
            let changes = line.split_once(':').map_or("", |(_, changes)| changes);
            let changes: Vec<&str> = (changes.split(',').map(str::trim))
                .filter(|change| !change.is_empty())
                .collect();
            if changes.is_empty() {
                let message = format!("the what-if `{}` changes nothing", variant.name());
                return Err(CliError::usage(message).with_help(
                    "write changes behind a colon: `NAME: parameter = value, drop rule.ID`",
                ));
            }
            let changes = changes.join(", ");
            let name = variant.name().to_owned();
            let prepared = prepare_with(&self.scenarios[0], &self.set, Some(&variant), out)?;
            compared.push((name, changes, prepared));
        }
        let compared: Vec<Compared> = (compared.into_iter())
            .map(|(name, changes, prepared)| Compared {
                description: VariantDescription { name, changes },
                prepared,
            })
            .collect();
        for (number, one) in compared.iter().enumerate() {
            let name = &one.description.name;
            if compared[..number]
                .iter()
                .any(|c| c.description.name == *name)
            {
                return Err(CliError::usage(format!("two variants are called `{name}`"))
                    .with_help("give each a name of its own"));
            }
        }
        Ok((baseline, compared))
    }

    fn plan(&self, baseline: &Model, compared: &[Compared]) -> Result<Plan, CliError> {
        let mut models =
            std::iter::once(baseline).chain(compared.iter().map(|c| &c.prepared.model));
        let worlds = if !self.defaults && models.any(Model::has_priors) {
            WorldSource::Priors
        } else {
            WorldSource::Defaults
        };
        let plan = Plan {
            seed: self.seed,
            first_run: 0,
            runs: self.runs.unwrap_or(match self.precision {
                Some(_) => DEFAULT_MOST_RUNS,
                None => DEFAULT_RUNS,
            }),
            worlds,
        };
        plan.whole_worlds(baseline)
            .ok_or_else(|| CliError::usage(format!("{} runs are too many", plan.runs)))
    }

    /// When to look at the runs, if a precision is asked for.
    fn looks(
        &self,
        model: &Model,
        plan: &Plan,
        wanted: &[Quantity],
    ) -> Result<Option<PrecisionPlan>, CliError> {
        let Some(width) = self.precision else {
            return Ok(None);
        };
        if !wanted.is_empty() && !wanted.iter().any(|q| q.is_probability()) {
            return Err(
                CliError::usage("--precision is about probabilities, and --of names none")
                    .with_help("name an endgame or a flag, or choose the number of --runs"),
            );
        }
        let world = plan.runs_per_world(model).map_or(1, u64::from);
        let pilot = PILOT[0].max(PILOT[1].saturating_mul(world));
        PrecisionPlan::new(width, LEVEL, pilot, plan.runs, world)
            .map(Some)
            .map_err(|error| CliError::usage(format!("--precision: {error}")))
    }

    fn show(
        &self,
        baseline: &Prepared,
        compared: &[Compared],
        comparisons: &Comparisons,
        folder: Option<&ResultsFolder<'_, { FILES.len() }>>,
        out: &mut Output,
    ) -> Result<(), CliError> {
        let shown = match self.format {
            Format::Text => comparisons.text(),
            Format::Csv => comparisons.csv(),
            Format::Json => super::json(comparisons)?,
        };
        let files = || {
            let scenario = |p: &Prepared| {
                ScenarioDescription::new(p.loaded.name.clone(), p.loaded.resolved_text())
            };
            let variants: Vec<_> = (compared.iter())
                .map(|c| json!({"name": c.description.name, "changes": c.description.changes, "scenario": scenario(&c.prepared)}))
                .collect();
            let about = json!({
                "flashpoint": env!("CARGO_PKG_VERSION"),
                "analysis": "compare",
                "baseline": scenario(baseline),
                "variants": variants,
                "of": self.of,
                "seed": self.seed,
                "defaults": self.defaults,
                "overrides": comparisons.overrides.iter().cloned().collect::<BTreeMap<_, _>>(),
                "runs_asked": self.runs,
                "precision": self.precision,
                "runs_completed": comparisons.runs,
                "interrupted": comparisons.interrupted.is_some(),
                "level": comparisons.level,
            });
            let notes = format!(
                "# Variants against their baseline\n\n`comparison.csv` has the figures, `manifest.json` what they were made of.\n\n```text\n{}```\n",
                comparisons.text()
            );
            (about, [comparisons.csv(), notes])
        };
        show(&shown, self.format, folder, files, out)
    }
}
