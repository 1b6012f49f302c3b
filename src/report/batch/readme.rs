//! The README that a batch writes into its folder.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::batch::conduct::Conducted;
use crate::batch::plan::{CODEC, Plan};
use crate::report::number::{count, significant};

/// What each file holds, for those that a batch may write.
const FILES: [(&str, &str); 8] = [
    ("report.txt", "what the program printed at the end"),
    (
        "cells.csv",
        "every cell, a row for each endgame, flag and metric: estimate, Monte Carlo interval, and the band across parameters",
    ),
    ("cells.parquet", "the same"),
    (
        "comparison.csv",
        "every cell against its baseline, run by run: difference, paired interval, variance reduction, significance",
    ),
    (
        "robustness.csv",
        "every policy for every goal: expected value, regret, and the share of the states of the world that are satisfied",
    ),
    (
        "failures.csv",
        "the cells that could not be run, each with its first error; they are in no other table",
    ),
    (
        "runs.parquet",
        "every run: its cell, world, endgame, flags and metrics",
    ),
    ("README.md", "this text"),
];

/// The text, in Markdown, of a folder that holds the files `written`.
pub fn text(plan: &Plan, done: &Conducted, written: &BTreeMap<String, String>) -> String {
    let mut out = format!("# {}\n\n", plan.title);
    if let Some(summary) = &plan.summary {
        let _ = writeln!(out, "{}\n", summary.trim());
    }
    let runs = done.rounds * u64::from(plan.block);
    let _ = writeln!(
        out,
        "Results of a batch of flashpoint {}: {} cells, {} runs each, seed {}.\n",
        plan.identity.flashpoint,
        count(plan.cells()),
        count(runs),
        plan.seed
    );
    out.push_str("## What was run\n\n");
    out.push_str("A *policy* is a variant with a setting of the levers, a *state of the world* a scenario with a setting of the sweeps.\n");
    out.push_str(
        "Each policy in each state is a *cell*. Run `r` has the same chance in every cell.\n\n",
    );
    out.push_str("| scenario | | weight |\n|---|---|---|\n");
    for scenario in &plan.scenarios {
        let weight = significant(scenario.weight);
        let _ = writeln!(
            out,
            "| `{}` | {} | {weight} |",
            scenario.name, scenario.label
        );
    }
    out.push_str("\n| variant | |\n|---|---|\n");
    for variant in &plan.variants {
        let _ = writeln!(out, "| `{}` | {} |", variant.name, variant.label);
    }
    for (kind, points) in [("lever", &plan.levers), ("sweep", &plan.sweeps)] {
        if points.axes().is_empty() {
            continue;
        }
        let settings = count(points.count().unwrap_or(0));
        let _ = writeln!(
            out,
            "\n| {kind} ({settings} settings) | lowest | highest |\n|---|---|---|"
        );
        for axis in points.axes() {
            let [low, high] = axis.values.ends();
            let _ = writeln!(out, "| `{}` | {low} | {high} |", axis.parameter);
        }
    }
    out.push_str("\n## Files\n\n| file | what it holds |\n|---|---|\n");
    for (name, what) in FILES {
        if written.contains_key(name) || name == "README.md" {
            let _ = writeln!(out, "| `{name}` | {what} |");
        }
    }
    out.push_str("| `batch.json` | what was asked for, with the texts of the experiment and of all its scenarios |\n");
    out.push_str("| `manifest.json` | key of the batch, and the SHA-256 of each file |\n");
    out.push_str(&notes(plan, done));
    out
}

fn notes(plan: &Plan, done: &Conducted) -> String {
    let mut out = format!(
        "\n## How to read the tables\n\n\
         - Probabilities are shares, not percentages. `low` and `high` are the ends of the Monte Carlo interval at {} %: what the\n\
         \x20 number of runs leaves open.\n",
        significant(100.0 * done.level)
    );
    if plan.runs_per_world().is_some() {
        out.push_str(
            "- `band_low` to `band_high`: how far the probability itself, or the difference, moves with the parameters, over the\n\
             \x20 middle 90 % of draws, the noise of the runs taken out.\n",
        );
    }
    let _ = writeln!(
        out,
        "- Parquet files are compressed with {CODEC}. Labels and units of their columns stand in the metadata under the key\n\
         \x20 `flashpoint`, as JSON."
    );
    out.push_str(
        "- A day that never came counts as the horizon of its scenario; `never` says in how many runs.\n\
         - `p_adjusted` allows for all rows of the table (Holm); `significant` is whether it is at most 0.05.\n\
         - These figures follow from the assumptions of the scenarios. They are no findings about who did what, and no forecasts.\n\n\
         ## Reading the tables elsewhere\n\n\
         ```sql\n\
         -- DuckDB\n\
         SELECT scenario, variant, estimate, low, high FROM 'cells.parquet' WHERE kind = 'endgame';\n\
         ```\n\n\
         ```python\n\
         import pandas; cells = pandas.read_parquet(\"cells.parquet\")\n\
         import polars; cells = polars.read_parquet(\"cells.parquet\")\n\
         ```\n\n\
         ```r\n\
         cells <- arrow::read_parquet(\"cells.parquet\")\n\
         ```\n",
    );
    out
}
