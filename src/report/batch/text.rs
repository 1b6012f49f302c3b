//! The results of a batch for people.

use std::fmt::Write as _;

use super::cells::Estimates;
use super::comparison::{Compared, Comparisons, is_significant};
use super::robustness::Weighed;
use crate::batch::cell::Estimate;
use crate::batch::conduct::Conducted;
use crate::batch::file::Want;
use crate::batch::plan::{Plan, PlannedQuantity, Size};
use crate::report::number::{
    count, counted, decimals, has_no_width, percent, percent_decimals, percent_range, range,
    rounded, significant,
};
use crate::report::text_table::{Align, Table};
use crate::stats::decision;
use crate::stats::interval::Interval;

/// Cells that are shown in tables; of larger batches, the ends are shown.
const MOST_CELLS: u64 = 120;
/// Columns of a table of cells.
const MOST_COLUMNS: u64 = 6;
/// Differences that are shown.
const MOST_DIFFERENCES: usize = 40;
/// Cells that a warning names.
const MOST_CELLS_NAMED: usize = 5;

/// What the text shows, collected while the tables are written.
pub struct Shown<'p> {
    plan: &'p Plan,
    /// All cells of a small batch.
    cells: Vec<Estimates>,
    /// For each quantity, the cells with the lowest and the highest estimate.
    ends: Vec<Option<[(u64, Estimate); 2]>>,
    /// The largest differences in size that are significant, with their cell and quantity.
    differences: Vec<(u64, usize, Compared)>,
    /// How many comparisons there are, and how many are significant.
    compared: [u64; 2],
    /// How many comparisons rest on pairs in which a run was stopped at the cap on events.
    capped_differences: u64,
    /// The first cells with runs that were stopped at the cap on events, each with their number.
    capped: Vec<(u64, u64)>,
    /// How many such cells there are.
    capped_cells: usize,
}

impl<'p> Shown<'p> {
    /// Nothing so far.
    pub fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            cells: Vec::new(),
            ends: vec![None; plan.quantities.len()],
            differences: Vec::new(),
            compared: [0, 0],
            capped_differences: 0,
            capped: Vec::new(),
            capped_cells: 0,
        }
    }

    /// Takes the estimates of the next cell.
    pub fn cell(&mut self, number: u64, estimates: &Estimates) {
        if self.plan.cells() <= MOST_CELLS {
            self.cells.push(estimates.clone());
        }
        if let Some(capped) = estimates.first().map(|e| e.capped).filter(|&c| c > 0) {
            self.capped_cells += 1;
            if self.capped.len() < MOST_CELLS_NAMED {
                self.capped.push((number, capped));
            }
        }
        for (ends, estimate) in self.ends.iter_mut().zip(estimates) {
            let Some(mean) = estimate.mean else { continue };
            let here = (number, *estimate);
            match ends {
                None => *ends = Some([here, here]),
                Some([low, high]) => {
                    if low.1.mean.is_some_and(|known| mean < known) {
                        *low = here;
                    }
                    if high.1.mean.is_some_and(|known| mean > known) {
                        *high = here;
                    }
                }
            }
        }
    }

    /// Takes the comparisons of the next cell.
    pub fn comparison(&mut self, number: u64, comparisons: &Comparisons) {
        for (quantity, compared) in comparisons.iter().enumerate() {
            let Some(compared) = compared else { continue };
            self.compared[0] += 1;
            self.capped_differences += u64::from(compared.capped > 0);
            if !is_significant(compared.p_adjusted) {
                continue;
            }
            self.compared[1] += 1;
            if self.differences.len() < MOST_DIFFERENCES {
                self.differences.push((number, quantity, *compared));
            }
        }
    }

    /// The text, but for where the results are stored.
    pub fn text(&self, done: &Conducted, weighed: &[Weighed]) -> String {
        let mut out = self.heading(done);
        if done.rounds == 0 {
            return out;
        }
        if self.cells.is_empty() {
            out.push_str(&self.ends());
        } else {
            for index in 0..self.plan.quantities.len() {
                out.push_str(&self.quantity(index));
            }
        }
        out.push_str(&self.differences());
        for weighed in weighed {
            out.push_str(&self.robustness(weighed));
        }
        out.push_str(&self.notes(done, weighed));
        out
    }

    fn heading(&self, done: &Conducted) -> String {
        let plan = self.plan;
        let (policies, states) = (plan.policies(), plan.states());
        let runs = done.rounds * u64::from(plan.block);
        let worlds = match plan.runs_per_world() {
            Some(each) => format!(
                ", {} draws of the parameters",
                count(runs / u64::from(each))
            ),
            None => String::new(),
        };
        let mut out = format!(
            "{}\n{}: {} in {}; {} runs each{worlds}; seed {}\n",
            plan.title,
            counted(plan.cells(), "cell", "cells"),
            counted(policies, "policy", "policies"),
            counted(states, "state of the world", "states of the world"),
            count(runs),
            plan.seed,
        );
        if let Size::Precision { width, .. } = plan.size {
            let width = significant(100.0 * width);
            let verdict = match done.reached {
                Some(true) => format!("every interval is at most {width} percentage points wide"),
                Some(false) => format!(
                    "WARNING: the largest number of runs did not bring every interval to {width} percentage points"
                ),
                None => format!(
                    "not every interval is yet known to be {width} percentage points wide or less"
                ),
            };
            let _ = writeln!(out, "{verdict}");
        }
        if !done.failures.is_empty() {
            let _ = writeln!(
                out,
                "WARNING: {} failed and {} in no table but failures.csv:",
                counted(done.failures.len() as u64, "cell", "cells"),
                if done.failures.len() == 1 {
                    "is"
                } else {
                    "are"
                },
            );
            let failures = done.failures.iter();
            let failures = failures.map(|(number, failure)| (*number, failure.message.clone()));
            self.push_cells(&mut out, failures, done.failures.len());
        }
        if self.capped_cells > 0 {
            let _ = writeln!(
                out,
                "WARNING: in {} runs were stopped at the cap on events (`max_events`). They count in no endgame, flag or metric;\n\
                 the probabilities are too low by up to their share:",
                counted(self.capped_cells as u64, "cell", "cells"),
            );
            let capped = self.capped.iter().map(|(number, capped)| {
                let text = format!("{} of {} runs", count(*capped), count(runs));
                (*number, text)
            });
            self.push_cells(&mut out, capped, self.capped_cells);
        }
        out
    }

    /// Names the first of `all` cells, each with what is to be said of it.
    fn push_cells(&self, out: &mut String, cells: impl Iterator<Item = (u64, String)>, all: usize) {
        for (number, text) in cells.take(MOST_CELLS_NAMED) {
            let place = self.plan.describe(self.plan.cell(number));
            let _ = writeln!(out, "  cell {number} ({place}): {text}");
        }
        if all > MOST_CELLS_NAMED {
            let _ = writeln!(out, "  ... and {} more", all - MOST_CELLS_NAMED);
        }
    }

    /// One quantity in every cell.
    fn quantity(&self, index: usize) -> String {
        let plan = self.plan;
        let quantity = &plan.quantities[index];
        let Lines { down, across } = self.lines();
        let shown = across.len().min(MOST_COLUMNS as usize);
        let heading = heading_of(quantity);
        let header = std::iter::once(heading.as_str())
            .chain(across[..shown].iter().map(|(name, _)| name.as_str()));
        let mut table = Table::new(&header.collect::<Vec<_>>());
        for (name, row) in &down {
            let mut cells = vec![name.clone()];
            cells.extend(across[..shown].iter().map(|(_, column)| {
                let estimate = self.cells[(row + column) as usize].get(index);
                estimate.map_or_else(|| "failed".to_owned(), |e| estimate_text(quantity, e))
            }));
            table.row(cells);
        }
        let more = match across.len() - shown {
            0 => String::new(),
            more => format!("... and {more} more columns: see cells.csv\n"),
        };
        format!("\n{}{more}", table.text(first_left))
    }

    /// What stands down and across in the tables of cells: two sweeps against each other; else policies down and states across,
    /// or the other way round where there are fewer policies.
    fn lines(&self) -> Lines {
        let plan = self.plan;
        let (policies, states) = (plan.policies(), plan.states());
        if let ([down, across], 1, 1, true) = (
            plan.sweeps.axes(),
            policies,
            plan.scenarios.len(),
            plan.sweeps.is_factorial(),
        ) {
            let [down, across] = [down, across].map(|axis| -> Vec<String> {
                let label = axis.label.as_deref().unwrap_or(&axis.parameter);
                let values = axis.values.listed().iter();
                values
                    .map(|value| format!("{label} {}", significant(*value)))
                    .collect()
            });
            let width = across.len() as u64;
            return Lines {
                down: (0..).step_by(width as usize).zip(down).map(swap).collect(),
                across: (0..).zip(across).map(swap).collect(),
            };
        }
        let policies_of: Vec<(String, u64)> = (0..policies)
            .map(|policy| (policy_name(plan, policy), policy))
            .collect();
        let states_of: Vec<(String, u64)> = (0..states)
            .map(|state| state * policies)
            .map(|first| (self.state_name(first), first))
            .collect();
        match states <= MOST_COLUMNS || policies > MOST_COLUMNS {
            true => Lines {
                down: policies_of,
                across: states_of,
            },
            false => Lines {
                down: states_of,
                across: policies_of,
            },
        }
    }

    /// The ends of each quantity over all cells.
    fn ends(&self) -> String {
        let mut table = Table::new(&["Quantity", "Lowest", "in", "Highest", "in"]);
        for (quantity, ends) in self.plan.quantities.iter().zip(&self.ends) {
            let Some([low, high]) = ends else { continue };
            let place = |number: u64| {
                format!(
                    "cell {number} ({})",
                    self.plan.describe(self.plan.cell(number))
                )
            };
            table.row(vec![
                heading_of(quantity),
                estimate_text(quantity, &low.1),
                place(low.0),
                estimate_text(quantity, &high.1),
                place(high.0),
            ]);
        }
        let left = |column| match column {
            1 | 3 => Align::Right,
            _ => Align::Left,
        };
        format!("\n{}", table.text(left))
    }

    fn differences(&self) -> String {
        let [all, significant] = self.compared;
        if all == 0 {
            return String::new();
        }
        let plan = self.plan;
        let mut out = format!(
            "\n{} of {} differences to the baseline ({}) are significant, corrected for all of them (Holm, 5 %)",
            count(significant),
            count(all),
            self.baseline_name()
        );
        if self.differences.is_empty() {
            out.push_str(".\n");
            self.push_capped_differences(&mut out);
            return out;
        }
        if significant as usize > self.differences.len() {
            let _ = write!(out, "; the first {}", self.differences.len());
        }
        out.push_str(":\n\n");
        let mut table = Table::new(&[
            "Policy",
            "State of the world",
            "Quantity",
            "Difference",
            "Paired 95 %",
            "Variance reduction",
        ]);
        for (number, index, compared) in &self.differences {
            let quantity = &plan.quantities[*index];
            let difference = &compared.difference;
            let [value, interval] =
                difference_text(quantity, difference.difference, difference.interval);
            table.row(vec![
                policy_name(plan, *number),
                self.state_name(*number),
                quantity.label.clone(),
                value,
                interval,
                reduction(difference.variance_reduction),
            ]);
        }
        out.push_str(&table.text(|column| match column {
            0..=2 => Align::Left,
            _ => Align::Right,
        }));
        self.push_capped_differences(&mut out);
        out
    }

    fn push_capped_differences(&self, out: &mut String) {
        if self.capped_differences > 0 {
            let _ = writeln!(
                out,
                "WARNING: {} on pairs in which a run was stopped at the cap on events. A difference of probabilities is not called\n\
                 significant if these pairs could have made it; a difference of metrics is that of the other pairs.",
                counted(
                    self.capped_differences,
                    "difference rests",
                    "differences rest"
                ),
            );
        }
    }

    fn robustness(&self, weighed: &Weighed) -> String {
        let plan = self.plan;
        let goal = &plan.goals[weighed.goal];
        let quantity = &plan.quantities[goal.quantity];
        let want = match goal.want {
            Want::Low => "little",
            Want::High => "much",
        };
        let title = format!("\nGoal {}: {want} of {}", goal.label, heading_of(quantity));
        let policies = match &weighed.policies {
            Ok(policies) => policies,
            Err(reason) => return format!("{title}\nnot weighed: {reason}\n"),
        };
        let satisficing = goal.threshold.map(|threshold| {
            let limit = match quantity.is_probability() {
                true => percent(threshold, percent_digits(threshold)),
                false => significant(threshold),
            };
            let sign = match goal.want {
                Want::Low => '<',
                Want::High => '>',
            };
            format!("States {sign} {limit}")
        });
        let mut header = vec![
            "Policy",
            "Expected",
            "Expected regret",
            "90 % regret",
            "Worst regret",
        ];
        header.extend(satisficing.as_deref());
        let mut table = Table::new(&header);
        for (policy, robustness) in (0..).zip(policies) {
            let mut cells = vec![policy_name(plan, policy)];
            let estimates = [
                robustness.expected,
                robustness.regret_expected,
                robustness.regret_90,
                robustness.regret_maximal,
            ];
            cells.extend(estimates.map(|estimate| weighed_text(quantity, &estimate)));
            if let Some(share) = robustness.satisficing {
                cells.push(share_text(&share));
            }
            table.row(cells);
        }
        let warning = match (weighed.capped, quantity.is_probability()) {
            (0, _) => String::new(),
            (capped, probability) => format!(
                "WARNING: {} at the cap on events {}. Which policy does well may be due to them.\n",
                counted(capped, "run that was stopped", "runs that were stopped"),
                match (probability, capped) {
                    (true, 1) => "counts as one without the outcome",
                    (true, _) => "count as ones without the outcome",
                    (false, 1) => "is left out",
                    (false, _) => "are left out",
                }
            ),
        };
        format!("{title}\n\n{}{warning}", table.text(first_left))
    }

    fn notes(&self, done: &Conducted, weighed: &[Weighed]) -> String {
        let mut out = format!(
            "\nBehind each estimate: its Monte Carlo {} % interval. Every cell has the same chance run by run, so differences\n\
             are known better than their parts.\n",
            significant(100.0 * done.level)
        );
        if weighed.iter().any(|weighed| weighed.policies.is_ok()) {
            out.push_str(
                "Regret: what the best policy for a state of the world would gain over this one. States are draws of the parameters\n\
                 within scenarios and sweeps, by the scenarios' weights. The 90 % and the worst regret are the least certain: between\n\
                 policies that are nearly alike they come out too large, and of rare outcomes too small, and their intervals\n\
                 hold the truth less often than they say.\n",
            );
        }
        out
    }

    /// What all cells are compared with: a policy, and a state of the world if it is the same for all.
    fn baseline_name(&self) -> String {
        let plan = self.plan;
        let number = plan.number(plan.baseline_of(plan.cell(0)));
        let baseline = plan.baseline;
        match (baseline.scenario, baseline.sweep) {
            (None, None) => policy_name(plan, number),
            _ if plan.policies() == 1 => self.state_name(number),
            _ => format!(
                "{} in {}",
                policy_name(plan, number),
                self.state_name(number)
            ),
        }
    }

    /// Scenario and sweeps of a cell.
    fn state_name(&self, number: u64) -> String {
        let plan = self.plan;
        let cell = plan.cell(number);
        let mut values = Vec::new();
        plan.sweeps.point(cell.sweep, &mut values);
        let axes = plan.sweeps.axes();
        let mut parts = Vec::new();
        if plan.scenarios.len() > 1 || axes.is_empty() {
            parts.push(plan.scenarios[cell.scenario].label.clone());
        }
        parts.extend(axes.iter().zip(&values).map(|(axis, value)| {
            let label = axis.label.as_deref().unwrap_or(&axis.parameter);
            format!("{label} {}", significant(*value))
        }));
        parts.join(", ")
    }
}

/// Variant and levers of the cell with this number.
pub(super) fn policy_name(plan: &Plan, number: u64) -> String {
    let cell = plan.cell(number);
    let mut values = Vec::new();
    plan.levers.point(cell.lever, &mut values);
    let axes = plan.levers.axes();
    let mut parts = Vec::new();
    if plan.variants.len() > 1 || axes.is_empty() {
        parts.push(plan.variants[cell.variant].label.clone());
    }
    parts.extend(axes.iter().zip(&values).map(|(axis, value)| {
        let label = axis.label.as_deref().unwrap_or(&axis.parameter);
        format!("{label} {}", significant(*value))
    }));
    parts.join(", ")
}

/// A value whose interval is not known, to three digits.
pub(super) fn value_alone(quantity: &PlannedQuantity, value: f64) -> String {
    match quantity.is_probability() {
        true => format!("{} %", significant(100.0 * value)),
        false => significant(value),
    }
}

/// Rows and columns of a table of cells: a cell's number is the sum of those of its row and column.
struct Lines {
    down: Vec<(String, u64)>,
    across: Vec<(String, u64)>,
}

fn swap((number, name): (u64, String)) -> (String, u64) {
    (name, number)
}

fn first_left(column: usize) -> Align {
    match column {
        0 => Align::Left,
        _ => Align::Right,
    }
}

fn heading_of(quantity: &PlannedQuantity) -> String {
    match &quantity.unit {
        Some(unit) => format!("{} ({unit})", quantity.label),
        None => quantity.label.clone(),
    }
}

/// An estimate with its interval, to the digits that are known.
fn estimate_text(quantity: &PlannedQuantity, estimate: &Estimate) -> String {
    let Some(mean) = estimate.mean else {
        return "–".to_owned();
    };
    match estimate.interval {
        Some(interval) => value_text(quantity.is_probability(), mean, interval),
        None => significant(mean),
    }
}

fn weighed_text(quantity: &PlannedQuantity, estimate: &decision::Estimate) -> String {
    value_text(quantity.is_probability(), estimate.value, estimate.interval)
}

fn value_text(probability: bool, value: f64, interval: Interval) -> String {
    if has_no_width(interval) || !interval.width().is_finite() {
        let (scale, unit) = if probability {
            (100.0, " %")
        } else {
            (1.0, "")
        };
        return format!("{}{unit}", significant(scale * value));
    }
    if probability {
        let digits = percent_decimals(interval);
        let interval = percent_range(interval.low, interval.high, digits);
        return format!("{} {interval}", percent(value, digits));
    }
    let digits = decimals(interval);
    let (low, high) = (
        rounded(interval.low, digits),
        rounded(interval.high, digits),
    );
    format!("{} {}", rounded(value, digits), range(&low, &high))
}

/// A share of worlds; it is not known to more than a decimal.
fn share_text(share: &decision::Estimate) -> String {
    let digits = percent_decimals(share.interval).min(1);
    if has_no_width(share.interval) || !share.interval.width().is_finite() {
        return percent(share.value, digits);
    }
    format!(
        "{} {}",
        percent(share.value, digits),
        percent_range(share.interval.low, share.interval.high, digits)
    )
}

/// A difference and its interval, in percentage points for a probability.
fn difference_text(quantity: &PlannedQuantity, value: f64, interval: Interval) -> [String; 2] {
    let (scale, unit) = match quantity.is_probability() {
        true => (100.0, " pp"),
        false => (1.0, ""),
    };
    let interval = Interval::new(scale * interval.low, scale * interval.high);
    let digits = decimals(interval);
    let digits = if quantity.is_probability() {
        digits.max(0)
    } else {
        digits
    };
    let signed = |x: f64| match rounded(x, digits) {
        text if x > 0.0 && !text.starts_with('−') => format!("+{text}"),
        text => text,
    };
    [
        format!("{}{unit}", signed(scale * value)),
        format!(
            "{} to {}{unit}",
            signed(interval.low),
            signed(interval.high)
        ),
    ]
}

fn reduction(factor: Option<f64>) -> String {
    match factor {
        Some(factor) if factor.is_finite() => format!("× {}", significant_two(factor)),
        _ => "–".to_owned(),
    }
}

/// A factor to two digits: no more of it is known.
fn significant_two(x: f64) -> String {
    if x >= 10.0 {
        rounded(x, 0)
    } else {
        rounded(x, 1)
    }
}

/// Decimals of the percentage of a threshold, as it was written.
fn percent_digits(threshold: f64) -> i32 {
    let percentage = 100.0 * threshold;
    (0..4)
        .find(|&digits| {
            let text = rounded(percentage, digits);
            text.parse::<f64>()
                .is_ok_and(|shown| (shown - percentage).abs() < 1e-9)
        })
        .unwrap_or(4)
}
