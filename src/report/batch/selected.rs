//! What a selection found, as a text and a table.

use super::files::{Files, Formats};
use super::parquet_table::{Cell, Column, ColumnType};
use super::text::{policy_name, value_alone};
use crate::batch::file::Want;
use crate::batch::plan::{Plan, PlannedSelection};
use crate::batch::selection::observation_runs;
use crate::batch::store::StoreError;
use crate::report::number::{count, percent, significant};
use crate::report::text_table::{Align, Table};
use crate::stats::decision::selection::Selection;

/// The text for people.
pub fn text(plan: &Plan, asked: &PlannedSelection, found: &Selection) -> String {
    let goal = &plan.goals[asked.goal];
    let quantity = &plan.quantities[goal.quantity];
    let runs = |observations: u64| observations * observation_runs(plan) * plan.states();
    let total: u64 = found.observations.iter().map(|&n| runs(n)).sum();
    let most = found.observations.iter().copied().max().unwrap_or(0);
    let equal = runs(most) * plan.policies();
    let zone = match quantity.is_probability() {
        true => format!(
            "{} percentage points",
            significant(100.0 * asked.indifference)
        ),
        false => significant(asked.indifference),
    };
    let want = match goal.want {
        Want::Low => "lowest",
        Want::High => "highest",
    };
    let best = policy_name(plan, found.best as u64);
    let verdict = match found.complete {
        true => format!(
            "Best: {best}.\nWith a probability of {} or more, no other policy is better by more than {zone} (procedure KN).\n",
            percent(asked.probability, 1)
        ),
        false => format!(
            "Best so far: {best}. The largest number of runs came before the others were out, so no probability is guaranteed.\n"
        ),
    };
    let mut table = Table::new(&["Policy", &quantity.label, "Runs", ""]);
    let mut order: Vec<usize> = (0..found.means.len()).collect();
    order.sort_by(|&a, &b| {
        let by_mean = found.means[a].total_cmp(&found.means[b]);
        match goal.want {
            Want::Low => by_mean,
            Want::High => by_mean.reverse(),
        }
    });
    for policy in order {
        let state = match (policy == found.best, found.survivors.contains(&policy)) {
            (true, _) => "best",
            (false, true) => "as good",
            (false, false) => "dropped",
        };
        table.row(vec![
            policy_name(plan, policy as u64),
            value_alone(quantity, found.means[policy]),
            count(runs(found.observations[policy])),
            state.to_owned(),
        ]);
    }
    let table = table.text(|column| match column {
        0 | 3 => Align::Left,
        _ => Align::Right,
    });
    format!(
        "{}\n{}: the policy with the {want} expected outcome over {} states of the world; seed {}\n\n{table}\n{verdict}\
         {} runs were made; as many for each policy as for the best would have been {}.\n\
         The means of policies that were dropped rest on few runs: their order says little.\n",
        plan.title,
        quantity.label,
        count(plan.states()),
        plan.seed,
        count(total),
        count(equal),
    )
}

/// Writes selection.csv.
///
/// # Errors
/// It cannot be written.
pub fn write(plan: &Plan, found: &Selection, files: &mut Files) -> Result<(), StoreError> {
    use ColumnType::{Count, Number, Text, Truth};
    let mut columns = vec![
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
    columns.extend([
        Column::new(
            "mean",
            Number,
            "Expected outcome over the states of the world",
        ),
        Column::new(
            "observations",
            Count,
            "Observations in each state, means over 50 runs or more",
        ),
        Column::new("runs", Count, "Runs in all"),
        Column::new("best", Truth, "Whether it was found to be the best"),
        Column::new("survived", Truth, "Whether it was not dropped"),
    ]);
    let mut table = files.table("selection", &columns, Formats::Csv, "")?;
    for (policy, (&mean, &observations)) in found.means.iter().zip(&found.observations).enumerate()
    {
        let cell = plan.cell(policy as u64);
        let mut setting = Vec::new();
        plan.levers.point(cell.lever, &mut setting);
        let mut cells = vec![
            Cell::Count(policy as u64),
            Cell::Text(Some(&plan.variants[cell.variant].name)),
        ];
        cells.extend(setting.iter().map(|&value| Cell::Number(Some(value))));
        cells.extend([
            Cell::Number(Some(mean)),
            Cell::Count(observations),
            Cell::Count(observations * observation_runs(plan) * plan.states()),
            Cell::Truth(policy == found.best),
            Cell::Truth(found.survivors.contains(&policy)),
        ]);
        files.row(&mut table, &cells)?;
    }
    files.finish_table(table)
}
