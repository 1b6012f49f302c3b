//! `flashpoint discover`.

use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use super::analysis::{ResultsFolder, on_threads, show, study_error};
use super::sensitivity::in_words;
use super::worlds::{Finished, Worlds};
use super::{CliError, Format, Output};
use crate::experiment::Quantity;
use crate::model::Model;
use crate::report::sensitivity::{
    BoxLimit, Boxes, Confirmed, Failures, FoundBox, Subject, trade_off,
};
use crate::sensitivity::discovery::{
    BoxStatistics, CartSettings, Limit, Phase, PrimSettings, ScenarioBox, cart, prim,
};
use crate::sensitivity::given::Table;
use crate::stats::interval::Interval;
use crate::stats::mean::student_interval;
use crate::stats::proportion::wilson;

/// Files of results.
const FILES: [&str; 4] = ["trade_off.svg", "trajectory.csv", "boxes.csv", "README.md"];
/// Level of the intervals of confirmed densities.
const LEVEL: f64 = 0.95;

/// Find out in which worlds an outcome is likely, as limits on few parameters.
///
/// Works on the worlds of a finished batch (`flashpoint run --keep-runs`). The target of a world is the share of its runs in
/// which the outcome came true, not a single run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of batches, one for each scenario. With several, which scenario holds may limit a box.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The outcome: an endgame or a flag.
    #[arg(long, value_name = "OUTCOME")]
    outcome: String,
    /// How likely each scenario is, relative to the others [default: all equally likely].
    #[arg(long, value_name = "WEIGHTS", value_delimiter = ',')]
    weights: Vec<f64>,
    /// Look at these parameters only.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    params: Vec<String>,
    /// Measure the boxes anew in the worlds of these batches, of another seed.
    #[arg(long, value_name = "DIR", num_args = 1..)]
    confirm: Vec<PathBuf>,
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
    /// Write them even if the folder holds an analysis, or files of these names, already.
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
    let folder = ResultsFolder::new(args.out.as_deref(), FILES, args.force, "--force")?;
    if let Some(p) = args.threshold
        && !(p > 0.0 && p <= 1.0)
    {
        return Err(CliError::usage(format!(
            "--threshold {p}: a probability above 0, and at most 1"
        )));
    }
    let batches = Finished::open(&args.folders, &args.weights)?;
    let others = match args.confirm.as_slice() {
        [] => None,
        folders => Some(confirming(folders, &batches, args)?),
    };
    let boxes = on_threads(args.threads, || find(args, &batches, others.as_ref()))??;
    let text = boxes.text();
    let shown = match args.format {
        Format::Text => text.clone(),
        Format::Csv => boxes.trajectory_csv(),
        Format::Json => super::json(&boxes)?,
    };
    let files = || {
        let about = json!({
            "flashpoint": env!("CARGO_PKG_VERSION"),
            "analysis": "discover",
            "method": if args.method == Method::Prim { "prim" } else { "cart" },
            "outcome": args.outcome,
            "threshold": args.threshold,
            "min_mass": args.min_mass,
            "parameters": args.params,
            "box": boxes.chosen,
            "batch": batches.description(),
            "confirmed_in": others.as_ref().map(Finished::description),
        });
        let notes = format!(
            "# In which worlds an outcome is likely\n\n`trajectory.csv` has the boxes, `boxes.csv` their limits, `trade_off.svg` \
             draws them, `manifest.json` says what they were made of.\n\n```text\n{text}```\n"
        );
        let texts = [
            trade_off::svg(&boxes),
            boxes.trajectory_csv(),
            boxes.boxes_csv(),
            notes,
        ];
        (about, texts)
    };
    show(&shown, args.format, folder.as_ref(), files, out)
}

/// The batches of `--confirm`: the same scenarios, other seeds.
fn confirming(folders: &[PathBuf], batches: &Finished, args: &Args) -> Result<Finished, CliError> {
    let others = Finished::open(folders, &args.weights)?;
    if others.names() != batches.names() {
        return Err(CliError::usage(format!(
            "--confirm has batches of {}, not of {}",
            others.names().join(", "),
            batches.names().join(", ")
        ))
        .with_help("name batches of the same scenarios in the same order"));
    }
    if (others.seeds().iter()).any(|seed| batches.seeds().contains(seed)) {
        return Err(CliError::usage("--confirm has a batch of the same seed")
            .with_help("its worlds are the same: run the scenario with another --seed"));
    }
    batches.check_confirmed_by(&others)?;
    Ok(others)
}

fn find(args: &Args, batches: &Finished, others: Option<&Finished>) -> Result<Boxes, CliError> {
    let (worlds, quantity) = batches.worlds(&args.outcome, &args.params)?;
    if !quantity.is_probability() {
        return Err(
            CliError::usage(format!("`{}` does not come true or not", args.outcome))
                .with_help("name an endgame or a flag"),
        );
    }
    let target = |table: &Table| match args.threshold {
        Some(p) => table
            .map_output(|share| f64::from(u8::from(share >= p)))
            .map_err(study_error),
        None => Ok(table.clone()),
    };
    let table = target(&worlds.table)?;
    let each = worlds.runs_per_world;
    let other = match others {
        Some(others) => {
            let others = others.worlds(&args.outcome, &args.params)?.0;
            check_same_target(args, &worlds, &others)?;
            Some(target(&others.table)?)
        }
        None => None,
    };
    let (base_rate, boxes, design) = match args.method {
        Method::Prim => by_prim(args, &table, other.as_ref())?,
        Method::Cart => by_cart(args, &table, other.as_ref())?,
    };
    let chosen = args
        .number
        .unwrap_or_else(|| Boxes::suggest(&boxes, base_rate));
    if chosen >= boxes.len() {
        let message = format!("there is no box {chosen}");
        let last = format!("boxes have the numbers 0 to {}", boxes.len() - 1);
        return Err(CliError::usage(message).with_help(last));
    }
    let model = worlds.model;
    Ok(Boxes {
        subject: Subject {
            title: worlds.title.clone(),
            method: match args.method {
                Method::Prim => "PRIM".to_owned(),
                Method::Cart => "CART".to_owned(),
            },
            of: args.outcome.clone(),
            output: in_words(model, quantity),
            design: format!("{design} {} worlds of {each} runs.", worlds.number),
            seed: batches.seeds()[0],
            runs: worlds.runs,
            provisional: None,
        },
        outcome: outcome(model, quantity),
        threshold: args.threshold,
        runs_per_world: each,
        base_rate,
        partition: args.method == Method::Cart,
        boxes,
        chosen,
        confirmed_base_rate: other.map(|table| mean(&table)),
        notes: worlds.notes,
        failures: Failures::new("world", table.completeness()),
    })
}

/// Refuses to confirm boxes in a table whose columns or targets are other ones: limits are on numbers of columns.
fn check_same_target(args: &Args, found: &Worlds, other: &Worlds) -> Result<(), CliError> {
    let [columns, other_columns] = [found, other].map(|worlds| worlds.table.columns());
    if columns != other_columns {
        let [names, other_names] = [columns, other_columns].map(|columns| {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            names.join(", ")
        });
        return Err(CliError::usage(format!(
            "--confirm has rows of {other_names}, but boxes are found in rows of {names}"
        ))
        .with_help("make as many worlds as in the runs in which the boxes are found"));
    }
    let [each, other_each] = [found, other].map(|worlds| worlds.runs_per_world);
    if args.threshold.is_some() && each != other_each {
        return Err(CliError::usage(format!(
            "--confirm has {other_each} runs in each world, not {each}: a share of at least --threshold means something else there"
        ))
        .with_help("run the scenario with the same number of runs per world, or leave --threshold out"));
    }
    other.table.need_rows(1).map_err(study_error)
}

fn mean(table: &Table) -> f64 {
    table.y().iter().sum::<f64>() / table.rows() as f64
}

type Found = (f64, Vec<FoundBox>, &'static str);

fn by_prim(args: &Args, table: &Table, other: Option<&Table>) -> Result<Found, CliError> {
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
        let next = describe(boxes.len(), phase, &scenario, &statistics, table, other)?;
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

fn by_cart(args: &Args, table: &Table, other: Option<&Table>) -> Result<Found, CliError> {
    if !(args.min_mass > 0.0 && args.min_mass < 1.0) {
        return Err(CliError::usage("--min-mass: must be between 0 and 1"));
    }
    let least = libm::ceil(args.min_mass * table.rows() as f64) as usize;
    let settings = CartSettings {
        min_rows: least.max(1),
        ..CartSettings::default()
    };
    let found = cart(table, &settings).map_err(study_error)?;
    let boxes = found.leaves.iter().enumerate().map(|(number, leaf)| {
        describe(
            number,
            "leaf",
            &leaf.scenario,
            &leaf.statistics,
            table,
            other,
        )
    });
    let design = "all worlds are split in two where that explains most, until there are 8 parts or a split explains too little.";
    let boxes = boxes.collect::<Result<Vec<FoundBox>, CliError>>()?;
    Ok((found.base_rate, boxes, design))
}

fn describe(
    number: usize,
    phase: &'static str,
    scenario: &ScenarioBox,
    statistics: &BoxStatistics,
    table: &Table,
    other: Option<&Table>,
) -> Result<FoundBox, CliError> {
    let coverage = statistics.coverage;
    let coverage =
        coverage.ok_or_else(|| study_error(crate::sensitivity::Error::ConstantOutput))?;
    let limit = |(column, limit): &(usize, Limit)| {
        let (low, high, categories) = match limit {
            Limit::Range { low, high } => (*low, *high, None),
            Limit::Categories(kept) => {
                let names = kept.iter().map(|&v| table.columns()[*column].label(v));
                (None, None, Some(names.collect()))
            }
        };
        let quasi_p = statistics.quasi_p.iter().find(|(c, _)| c == column);
        let allowed = table.x(*column).iter().filter(|&&x| limit.allows(x));
        BoxLimit {
            parameter: table.columns()[*column].name.clone(),
            low,
            high,
            categories,
            alone: allowed.count() as f64 / table.rows() as f64,
            quasi_p: quasi_p.map(|(_, p)| *p),
        }
    };
    Ok(FoundBox {
        number,
        phase,
        worlds: statistics.rows,
        mass: statistics.mass,
        density: statistics.density,
        coverage,
        limits: scenario.limits.iter().map(limit).collect(),
        condition: scenario.sentence(table),
        confirmed: other.map(|other| confirm(scenario, other)),
    })
}

/// The box in worlds that it was not found in.
fn confirm(scenario: &ScenarioBox, other: &Table) -> Confirmed {
    let statistics = scenario.statistics(other);
    let inside = (0..other.rows()).filter(|&row| scenario.contains(other, row));
    let targets: Vec<f64> = inside.map(|row| other.y()[row]).collect();
    let interval = (targets.len() > 1).then(|| mean_of_worlds(&targets));
    Confirmed {
        worlds: statistics.rows,
        mass: statistics.mass,
        density: (statistics.rows > 0).then_some(statistics.density),
        low: interval.map_or(0.0, |i| i.low.max(0.0)),
        high: interval.map_or(1.0, |i| i.high.min(1.0)),
        coverage: statistics.coverage,
    }
}

/// The interval of a mean over worlds, of which there are at least two: Wilson's where each of them has all or nothing, Student's
/// otherwise. Worlds that are all alike tell no more than as many that have all or nothing.
fn mean_of_worlds(targets: &[f64]) -> Interval {
    let n = targets.len() as f64;
    let mean = targets.iter().sum::<f64>() / n;
    let squares = targets.iter().map(|y| (y - mean) * (y - mean));
    let error = (squares.sum::<f64>() / (n - 1.0) / n).sqrt();
    if error == 0.0 || targets.iter().all(|&y| y == 0.0 || y == 1.0) {
        return wilson((mean * n).round() as u64, targets.len() as u64, LEVEL);
    }
    student_interval(mean, error, n - 1.0, LEVEL)
}

fn outcome(model: &Model, quantity: Quantity) -> String {
    match quantity {
        Quantity::Endgame(i) => format!("`{}`", model.endgames()[i].id()),
        Quantity::Flag(i) => format!("`{}`", model.flags()[i].id()),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handful_of_worlds_that_agree_is_not_certain() {
        let all = mean_of_worlds(&[1.0; 11]);
        assert_eq!(all, wilson(11, 11, LEVEL));
        assert!(all.low < 0.8);
        assert_eq!(mean_of_worlds(&[0.0, 0.0]), wilson(0, 2, LEVEL));
        assert_eq!(mean_of_worlds(&[0.0, 1.0, 1.0]), wilson(2, 3, LEVEL));
        assert_eq!(mean_of_worlds(&[0.25; 8]), wilson(2, 8, LEVEL));
        let shares = mean_of_worlds(&[0.2, 0.3, 0.25, 0.25]);
        assert!(shares.contains(0.25) && shares.width() < 0.2);
    }
}
