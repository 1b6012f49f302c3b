//! The table of robustness: how well each policy meets the goals, whatever the state of the world.

use super::files::{Files, Formats};
use super::parquet_table::{Cell, Column, ColumnType};
use crate::batch::cell::CellRuns;
use crate::batch::cell_reader::CellReader;
use crate::batch::conduct::Conducted;
use crate::batch::file::Want;
use crate::batch::plan::{Goal, Plan};
use crate::batch::store::StoreError;
use crate::report::number::counted;
use crate::stats::decision::robustness::{Outcomes, Question, Robustness};
use crate::stats::decision::satisficing::{StateWorlds, satisficing_share};
use crate::stats::decision::{self, Limit};

/// Policies that are weighed against each other at most: the work grows with the cube of their number.
pub const MOST_POLICIES: u64 = 64;
/// Groups into which the runs of a world are divided to see their noise, at most.
const MOST_GROUPS: u64 = 10;

/// How well each policy meets a goal; or why that cannot be said.
pub struct Weighed {
    /// Index of the goal.
    pub goal: usize,
    /// Runs behind it that were stopped at the cap on events: without the outcome if it is one that is there or not, left out of
    /// the mean of a metric.
    pub capped: u64,
    /// A policy each; or what stands in the way.
    pub policies: Result<Vec<Robustness>, String>,
}

/// Whether a batch weighs policies.
pub fn is_asked(plan: &Plan) -> bool {
    !plan.goals.is_empty() && plan.policies() > 1
}

/// The goal as the statistics know it.
pub fn direction(want: Want) -> decision::Goal {
    match want {
        Want::Low => decision::Goal::Smallest,
        Want::High => decision::Goal::Largest,
    }
}

/// Weighs the policies for every goal.
///
/// # Errors
/// The runs cannot be read.
pub fn weigh(
    plan: &Plan,
    reader: &CellReader<'_>,
    done: &Conducted,
) -> Result<Vec<Weighed>, StoreError> {
    let mut all = Vec::new();
    for (index, goal) in plan.goals.iter().enumerate() {
        let mut capped = 0;
        let policies = weigh_one(plan, goal, reader, done, &mut capped)?;
        all.push(Weighed {
            goal: index,
            capped,
            policies,
        });
    }
    Ok(all)
}

fn weigh_one(
    plan: &Plan,
    goal: &Goal,
    reader: &CellReader<'_>,
    done: &Conducted,
    capped: &mut u64,
) -> Result<Result<Vec<Robustness>, String>, StoreError> {
    if plan.policies() > MOST_POLICIES {
        return Ok(Err(format!(
            "{} policies are too many to weigh against each other (at most {MOST_POLICIES}); --select finds the best of many",
            plan.policies()
        )));
    }
    let likely = |index: usize| plan.scenarios[index].weight > 0.0;
    let stratum_of: Vec<Option<usize>> = (0..plan.scenarios.len())
        .map(|index| likely(index).then(|| (0..index).filter(|&i| likely(i)).count()))
        .collect();
    let weights: Vec<f64> = (plan.scenarios.iter())
        .map(|scenario| scenario.weight)
        .filter(|weight| *weight > 0.0)
        .collect();
    let policies = plan.policies();
    let runs = reader.rounds() * u64::from(plan.block);
    let world = plan.runs_per_world().map_or(runs, u64::from);
    if world < 2 {
        return Ok(Err(
            "one run in each world cannot show what is chance: more runs are needed".to_owned(),
        ));
    }
    let sizes = group_sizes(world);
    let groups = sizes.len();
    let made = Outcomes::new(policies as usize, &sizes, &weights);
    let mut outcomes = match made {
        Ok(outcomes) => outcomes,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let probability = plan.quantities[goal.quantity].is_probability();
    let worlds_of = plan.runs_per_world().filter(|_| probability);
    // For each policy, its worlds in each state.
    let mut worlds: Vec<Vec<StateWorlds>> = vec![Vec::new(); policies as usize];
    for state in 0..plan.states() {
        let first = state * policies;
        let Some(stratum) = stratum_of[plan.cell(first).scenario] else {
            continue;
        };
        if let Some(cell) = (first..first + policies).find(|n| done.failures.contains_key(n)) {
            return Ok(Err(format!(
                "cell {cell} failed: {}",
                plan.describe(plan.cell(cell))
            )));
        }
        // For each policy, the means of its groups, world by world.
        let mut means: Vec<Vec<f64>> = Vec::with_capacity(policies as usize);
        for (policy, number) in (first..first + policies).enumerate() {
            let records = reader.read(number..number + 1)?;
            let runs = CellRuns::new(plan, number, &records);
            *capped += runs.capped();
            let Some(grouped) = group_means(&runs, goal.quantity, &sizes) else {
                return Ok(Err(format!(
                    "in cell {number} ({}) none of {} has a value: each was stopped at the cap on events (`max_events`), or its \
                     metric is not finite",
                    plan.describe(plan.cell(number)),
                    counted(sizes[0], "run in a row", "runs in a row"),
                )));
            };
            means.push(grouped);
            if let Some(runs_per_world) = worlds_of {
                worlds[policy].push(StateWorlds {
                    weight: plan.scenarios[runs.cell().scenario].weight,
                    occurrences: occurrences(&runs, goal.quantity, runs_per_world),
                });
            }
        }
        let count = means.first().map_or(0, |means| means.len() / groups);
        for number in 0..count {
            let start = number * groups;
            let row: Vec<f64> = (means.iter())
                .flat_map(|means| means[start..start + groups].iter().copied())
                .collect();
            if let Err(error) = outcomes.add_world(stratum, state, number as u64, &row) {
                return Ok(Err(error.to_string()));
            }
        }
    }
    let limit = goal.threshold.map(|threshold| match goal.want {
        Want::Low => Limit::Below(threshold),
        Want::High => Limit::Above(threshold),
    });
    let question = Question {
        goal: direction(goal.want),
        probability,
        limit,
        level: done.level,
        seed: plan.seed,
    };
    let mut robust = match outcomes.evaluate(&question) {
        Ok(robust) => robust,
        Err(error) => return Ok(Err(error.to_string())),
    };
    if let (Some(limit), Some(runs)) = (limit, worlds_of) {
        // Of yes-or-no outcomes more is known than their means: the distribution of counts.
        for (robustness, worlds) in robust.iter_mut().zip(&worlds) {
            let share = satisficing_share(worlds, runs, limit, done.level, plan.seed);
            robustness.satisficing = share.or(robustness.satisficing);
        }
    }
    Ok(Ok(robust))
}

/// The sizes of the groups into which the runs of a world are divided: as equal as can be.
fn group_sizes(runs: u64) -> Vec<u64> {
    let groups = MOST_GROUPS.min(runs);
    let end = |group: u64| group * runs / groups;
    (0..groups)
        .map(|group| end(group + 1) - end(group))
        .collect()
}

/// In how many runs of each world an endgame or a flag came about.
fn occurrences(runs: &CellRuns<'_>, quantity: usize, runs_per_world: u32) -> Vec<u32> {
    let mut worlds = Vec::new();
    for (run, value) in runs.values(quantity).enumerate() {
        if run % runs_per_world as usize == 0 {
            worlds.push(0);
        }
        if let Some(occurrences) = worlds.last_mut() {
            *occurrences += u32::from(value == Some(1.0));
        }
    }
    worlds
}

/// The means of consecutive groups of so many runs, over and over. A run without a value leaves its group smaller; `None` if a
/// group has none.
fn group_means(runs: &CellRuns<'_>, quantity: usize, sizes: &[u64]) -> Option<Vec<f64>> {
    let mut means: Vec<f64> = Vec::new();
    let (mut seen, mut count, mut sum) = (0, 0_u64, 0.0);
    for value in runs.values(quantity) {
        seen += 1;
        if let Some(value) = value {
            count += 1;
            sum += value;
        }
        if seen == sizes[means.len() % sizes.len()] {
            if count == 0 {
                return None;
            }
            means.push(sum / count as f64);
            (seen, count, sum) = (0, 0, 0.0);
        }
    }
    Some(means)
}

/// Writes robustness.csv.
///
/// # Errors
/// It cannot be written.
pub fn write_robustness(
    plan: &Plan,
    weighed: &[Weighed],
    files: &mut Files,
) -> Result<(), StoreError> {
    use ColumnType::{Count, Number, Text};
    let mut columns = vec![
        Column::new("goal", Text, "Goal"),
        Column::new("quantity", Text, "Endgame, flag or metric"),
        Column::new("want", Text, "Which way is good"),
        Column::new("threshold", Number, "Limit of a state that is satisfied"),
        Column::new("policy", Count, "Number of the policy"),
        Column::new("variant", Text, "Variant"),
    ];
    columns.extend(plan.levers.axes().iter().map(|axis| {
        Column::new(
            format!("lever_{}", axis.parameter),
            Number,
            &*axis.parameter,
        )
    }));
    for name in [
        "expected",
        "regret_expected",
        "regret_90",
        "regret_maximal",
        "satisficing",
    ] {
        for part in ["", "_low", "_high"] {
            columns.push(Column::new(format!("{name}{part}"), Number, name));
        }
    }
    let mut table = files.table("robustness", &columns, Formats::Csv, "")?;
    let mut setting = Vec::new();
    for weighed in weighed {
        let goal = &plan.goals[weighed.goal];
        let Ok(policies) = &weighed.policies else {
            continue;
        };
        for (policy, robustness) in (0..).zip(policies) {
            // The policy in the first state.
            let cell = plan.cell(policy);
            setting.clear();
            plan.levers.point(cell.lever, &mut setting);
            let mut cells = vec![
                Cell::Text(Some(&goal.name)),
                Cell::Text(Some(&plan.quantities[goal.quantity].id)),
                Cell::Text(Some(match goal.want {
                    Want::Low => "low",
                    Want::High => "high",
                })),
                Cell::Number(goal.threshold),
                Cell::Count(policy),
                Cell::Text(Some(&plan.variants[cell.variant].name)),
            ];
            cells.extend(setting.iter().map(|&value| Cell::Number(Some(value))));
            let estimates = [
                Some(robustness.expected),
                Some(robustness.regret_expected),
                Some(robustness.regret_90),
                Some(robustness.regret_maximal),
                robustness.satisficing,
            ];
            for estimate in estimates {
                // Without a bound nothing is known.
                let interval = (estimate.map(|estimate| estimate.interval))
                    .filter(|interval| interval.width().is_finite());
                cells.extend([
                    Cell::Number(estimate.map(|estimate| estimate.value)),
                    Cell::Number(interval.map(|interval| interval.low)),
                    Cell::Number(interval.map(|interval| interval.high)),
                ]);
            }
            files.row(&mut table, &cells)?;
        }
    }
    files.finish_table(table)
}

#[cfg(test)]
mod tests;
