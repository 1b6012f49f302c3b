//! `flashpoint discover`.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use super::batch::{Batch, on_threads, refuse_folder, study_error, write_folder};
use super::sensitivity::{in_words, quantity};
use super::{CliError, Format, Output};
use crate::experiment::{Quantity, Varied};
use crate::model::Model;
use crate::report::sensitivity::{BoxLimit, Boxes, Failures, FoundBox, Subject};
use crate::sensitivity::discovery::{
    BoxStatistics, CartSettings, Limit, Phase, PrimSettings, ScenarioBox, cart, prim,
};
use crate::sensitivity::given::Table;

/// Find out in which worlds an outcome is likely, as limits on few parameters.
///
/// Works on the worlds of a finished batch (`flashpoint run --keep-runs`). The target of a world is the share of its runs in
/// which the outcome came true, not a single run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of the batch.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The outcome: an endgame or a flag.
    #[arg(long, value_name = "OUTCOME")]
    outcome: String,
    /// Ask for worlds in which the share of runs with the outcome is at least P, instead of for the share itself.
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    /// How boxes are found.
    #[arg(long, value_enum, default_value_t = Method::Prim)]
    method: Method,
    /// The box to describe; without it, the one with the largest mass × (density − base rate).
    #[arg(long = "box", value_name = "N")]
    number: Option<usize>,
    /// Smallest share of the worlds in a box.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    min_mass: f64,
    /// Number of threads; all cores if not given. Does not change the results.
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    threads: Option<u64>,
    /// Write the results into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write them even if the folder holds an analysis already.
    #[arg(long, requires = "out")]
    force: bool,
    /// How the results are printed. CSV is the table of boxes.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Method {
    /// Peels thin slices off until the outcome is dense in what is left: a path of boxes to choose from.
    Prim,
    /// Splits all worlds in two, again and again: boxes that do not overlap.
    Cart,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    refuse_folder(args.out.as_deref(), args.force)?;
    if let Some(p) = args.threshold
        && !(p > 0.0 && p <= 1.0)
    {
        return Err(CliError::usage(format!(
            "--threshold {p}: a probability above 0, and at most 1"
        )));
    }
    let batch = Batch::open(&args.folder)?;
    let quantity = quantity(&batch.model, &args.outcome)?;
    if !quantity.is_probability() {
        return Err(
            CliError::usage(format!("`{}` does not come true or not", args.outcome))
                .with_help("name an endgame or a flag"),
        );
    }
    let boxes = on_threads(args.threads, || find(args, &batch, quantity))??;
    let text = boxes.text();
    let mut shown = match args.format {
        Format::Text => text.clone(),
        Format::Csv => boxes.trajectory_csv(),
        Format::Json => super::json(&boxes)?,
    };
    if let Some(folder) = &args.out {
        let about = json!({
            "flashpoint": env!("CARGO_PKG_VERSION"),
            "analysis": "discover",
            "method": if args.method == Method::Prim { "prim" } else { "cart" },
            "outcome": args.outcome,
            "threshold": args.threshold,
            "min_mass": args.min_mass,
            "box": boxes.chosen,
            "batch": batch.description(),
        });
        let (trajectory, limits) = (boxes.trajectory_csv(), boxes.boxes_csv());
        let notes = format!(
            "# In which worlds an outcome is likely\n\n`trajectory.csv` has the boxes, `boxes.csv` their limits, \
             `manifest.json` what they were made of.\n\n```text\n{text}```\n"
        );
        let contents = [
            ("trajectory.csv", trajectory.as_str()),
            ("boxes.csv", limits.as_str()),
            ("README.md", notes.as_str()),
        ];
        let line = write_folder(folder, about, &contents, args.force)?;
        if args.format == Format::Text {
            shown.push_str(&line);
        }
    }
    Ok(out.print(&shown)?)
}

fn find(args: &Args, batch: &Batch, quantity: Quantity) -> Result<Boxes, CliError> {
    let model = &batch.model;
    let varied: Vec<Varied> = (model.parameters().iter().enumerate())
        .filter_map(|(parameter, p)| {
            let distribution = p.prior()?.clone();
            Some(Varied {
                parameter,
                distribution,
            })
        })
        .collect();
    let means = batch.means(quantity)?;
    let runs = means.iter().map(|world| u64::from(world.runs)).sum();
    let each = means.first().map_or(0, |world| world.runs);
    let at_least = |share: f64| match args.threshold {
        Some(p) => f64::from(u8::from(share >= p)),
        None => share,
    };
    let worlds: Vec<_> = (means.into_iter())
        .map(|world| (world.world, world.mean.map(at_least)))
        .collect();
    let table = batch.table(&varied, &worlds)?;
    let (base_rate, boxes, design) = match args.method {
        Method::Prim => by_prim(args, &table)?,
        Method::Cart => by_cart(args, &table)?,
    };
    let chosen = args
        .number
        .unwrap_or_else(|| Boxes::suggest(&boxes, base_rate));
    if chosen >= boxes.len() {
        let message = format!("there is no box {chosen}");
        let last = format!("boxes have the numbers 0 to {}", boxes.len() - 1);
        return Err(CliError::usage(message).with_help(last));
    }
    Ok(Boxes {
        subject: Subject {
            title: model.title().to_owned(),
            method: match args.method {
                Method::Prim => "PRIM".to_owned(),
                Method::Cart => "CART".to_owned(),
            },
            output: in_words(model, quantity),
            design: format!("{design} {} worlds of {each} runs.", worlds.len()),
            seed: batch.manifest.description.seed,
            runs,
        },
        outcome: outcome(model, quantity),
        target: match args.threshold {
            Some(p) => {
                format!("1 if the outcome came true in at least {p} of its {each} runs, else 0")
            }
            None => format!("the plain share of its {each} runs in which the outcome came true"),
        },
        base_rate,
        partition: args.method == Method::Cart,
        boxes,
        chosen,
        failures: Failures::new("world", table.completeness()),
    })
}

type Found = (f64, Vec<FoundBox>, &'static str);

fn by_prim(args: &Args, table: &Table) -> Result<Found, CliError> {
    let settings = PrimSettings {
        min_mass: args.min_mass,
        ..PrimSettings::default()
    };
    let found = prim(table, &settings).map_err(study_error)?;
    // With many parameters most limits of a box are there by chance, and one limit in so many is allowed to stay by chance.
    let most = 0.05 / table.columns().len() as f64;
    let mut boxes: Vec<FoundBox> = Vec::new();
    for step in &found.trajectory {
        let phase = match step.phase {
            Phase::Start => "all",
            Phase::Peel => "peel",
            Phase::Paste => "paste",
        };
        let (scenario, statistics) = without_idle_limits(&step.scenario, table, most);
        let next = describe(boxes.len(), phase, &scenario, &statistics, table);
        if boxes.iter().all(|known| known.limits != next.limits) {
            boxes.push(next);
        }
    }
    let design = "each step takes a slice of about 5 % off the box, where that raises the density most for each world lost; \
                  then limits are dropped whose quasi-p is above 0.05 / number of parameters.";
    Ok((found.base_rate, boxes, design))
}

/// The box without the limits that do nothing: the one with the largest quasi-p goes first, until all are at most `most`.
fn without_idle_limits(
    scenario: &ScenarioBox,
    table: &Table,
    most: f64,
) -> (ScenarioBox, BoxStatistics) {
    let mut scenario = scenario.clone();
    loop {
        let statistics = scenario.statistics(table);
        let mut worst: Option<(usize, f64)> = None;
        for &(column, p) in &statistics.quasi_p {
            if p > worst.map_or(most, |(_, largest)| largest) {
                worst = Some((column, p));
            }
        }
        match worst {
            None => return (scenario, statistics),
            Some((column, _)) => scenario.limits.retain(|(c, _)| *c != column),
        }
    }
}

fn by_cart(args: &Args, table: &Table) -> Result<Found, CliError> {
    if !(args.min_mass > 0.0 && args.min_mass < 1.0) {
        return Err(CliError::usage("--min-mass: must be between 0 and 1"));
    }
    let least = libm::ceil(args.min_mass * table.rows() as f64) as usize;
    let settings = CartSettings {
        min_rows: least.max(1),
        ..CartSettings::default()
    };
    let found = cart(table, &settings).map_err(study_error)?;
    let boxes =
        found.leaves.iter().enumerate().map(|(number, leaf)| {
            describe(number, "leaf", &leaf.scenario, &leaf.statistics, table)
        });
    let design = "all worlds are split in two where that explains most, until there are 8 parts or a split explains too little.";
    Ok((found.base_rate, boxes.collect(), design))
}

fn describe(
    number: usize,
    phase: &'static str,
    scenario: &ScenarioBox,
    statistics: &BoxStatistics,
    table: &Table,
) -> FoundBox {
    let limit = |(column, limit): &(usize, Limit)| {
        let (low, high) = match limit {
            Limit::Range { low, high } => (*low, *high),
            // Parameters are numbers; none has categories.
            Limit::Categories(_) => (None, None),
        };
        let quasi_p = statistics.quasi_p.iter().find(|(c, _)| c == column);
        BoxLimit {
            parameter: table.columns()[*column].name.clone(),
            low,
            high,
            quasi_p: quasi_p.map(|(_, p)| *p),
        }
    };
    FoundBox {
        number,
        phase,
        worlds: statistics.rows,
        mass: statistics.mass,
        density: statistics.density,
        coverage: statistics.coverage,
        limits: scenario.limits.iter().map(limit).collect(),
        condition: scenario.sentence(table),
    }
}

fn outcome(model: &Model, quantity: Quantity) -> String {
    match quantity {
        Quantity::Endgame(i) => format!("`{}`", model.endgames()[i].id()),
        Quantity::Flag(i) => format!("`{}`", model.flags()[i].id()),
        _ => String::new(),
    }
}
