//! One model, all contenders: checked, timed, and told in tables.

use crate::agreement::{Agreement, agreement};
use crate::contender::Contender;
use crate::machine::cores;
use crate::race::{Speed, Spread, race, spread};
use flashpoint::stats::proportion::wilson;
use std::fmt::Write;

/// Level of the interval whose width is told.
const LEVEL: f64 = 0.95;

/// What a comparison is about.
pub struct Subject {
    /// First column of the CSV.
    pub model: &'static str,
    /// What a unit of work is called.
    pub unit: &'static str,
    /// How many of them a run has on average; if not known, they are what the mean is of.
    pub units: Option<f64>,
    /// What the mean is of, and the number that a cell stands for.
    pub outcome: (&'static str, fn(usize) -> f64),
    /// Something that happens in a run or not: what is asked of it is its probability.
    pub event: (&'static str, fn(usize) -> bool),
}

/// What came out for the contenders that agree.
pub struct Comparison {
    subject: Subject,
    /// Units of work in a run, on average.
    pub units: f64,
    /// Probability of the event.
    probability: f64,
    names: Vec<String>,
    versions: Vec<String>,
    found: Vec<Agreement>,
    pub speeds: Vec<Speed>,
    /// Contenders that disagree, and how.
    rejected: Vec<String>,
}

/// Checks that the contenders agree, and times those that do.
pub fn compare(subject: Subject, mut contenders: Vec<Contender>, rounds: usize) -> Comparison {
    let (mut found, pool) = agreement(&mut contenders, subject.outcome.1);
    let mut rejected = Vec::new();
    for index in (0..contenders.len()).rev() {
        if !found[index].agrees() {
            let (out, why) = (contenders.remove(index), found.remove(index));
            rejected.push(format!("{} ({why:?})", out.name));
        }
    }
    let all: u64 = pool.iter().sum();
    let happened = pool
        .iter()
        .enumerate()
        .filter(|&(cell, _)| (subject.event.1)(cell));
    let happened: u64 = happened.map(|(_, count)| count).sum();
    let mean = (pool.iter().enumerate())
        .map(|(cell, &count)| (subject.outcome.1)(cell) * count as f64)
        .sum::<f64>()
        / all as f64;
    Comparison {
        units: subject.units.unwrap_or(mean),
        probability: happened as f64 / all as f64,
        speeds: race(&mut contenders, rounds),
        names: contenders.iter().map(|c| c.name.clone()).collect(),
        versions: contenders.iter().map(|c| c.version.clone()).collect(),
        found,
        rejected,
        subject,
    }
}

impl Comparison {
    /// The model's name.
    pub fn model(&self) -> &str {
        self.subject.model
    }

    /// Flashpoint's speed over that of the fastest contender whose name begins so, within rounds.
    pub fn flashpoint_over(&self, name: &str) -> Option<Spread> {
        let named = self.names.iter().zip(&self.speeds);
        named
            .filter(|(other, _)| other.starts_with(name))
            .map(|(_, speed)| self.speeds[0].over(speed))
            .min_by(|a, b| a.median.total_cmp(&b.median))
    }

    /// The time that a contender whose name begins so takes over that of another, within rounds.
    pub fn time_over(&self, name: &str, other: &str) -> Option<Spread> {
        let speed = |start: &str| {
            let place = self.names.iter().position(|name| name.starts_with(start))?;
            Some(&self.speeds[place])
        };
        Some(speed(other)?.over(speed(name)?))
    }

    /// Width of the interval of the event's probability that so many runs reach, in percentage points.
    fn width(&self, runs: f64) -> f64 {
        let runs = runs.round().max(1.0);
        let happened = (self.probability * runs).round() as u64;
        100.0 * wilson(happened, runs as u64, LEVEL).width()
    }

    /// The tables in Markdown.
    pub fn tables(&self) -> String {
        let mut text = String::new();
        for name in &self.rejected {
            writeln!(text, "Not timed, for it disagrees: {name}.\n").expect("text");
        }
        let unit = self.subject.unit;
        let cores = cores();
        writeln!(
            text,
            "| | version | runs/s, one core | {unit}s/s, one core | ns per {unit} | runs/s, {cores} cores | {unit}s/s, {cores} cores \
             | Flashpoint's speed over it (min–max) | interval after a CPU second |\n\
             |---|---|---:|---:|---:|---:|---:|---:|---:|"
        )
        .expect("text");
        for (index, speed) in self.speeds.iter().enumerate() {
            let one = spread(&speed.one_core).median;
            let all = spread(&speed.all_cores).median;
            let ratio = self.speeds[0].over(speed);
            writeln!(
                text,
                "| {} | {} | {} | {:.2e} | {} | {} | {:.2e} | {} ({}–{}) | {} points |",
                self.names[index],
                self.versions[index],
                grouped(one),
                one * self.units,
                short(1e9 / (one * self.units)),
                grouped(all),
                all * self.units,
                short(ratio.median),
                short(ratio.least),
                short(ratio.greatest),
                short(self.width(one)),
            )
            .expect("text");
        }
        writeln!(
            text,
            "\nThe last column is the width of the 95 % interval of the probability of {} ({:.1} %), after as many runs as take a \
             CPU second.\n\n| | {} | off the mean of all | p |\n|---|---:|---:|---:|",
            self.subject.event.0,
            100.0 * self.probability,
            self.subject.outcome.0,
        )
        .expect("text");
        for (name, found) in self.names.iter().zip(&self.found) {
            writeln!(
                text,
                "| {name} | {:.2} ± {:.2} | {:+.1} standard errors | {:.3} |",
                found.mean, found.standard_error, found.z, found.p
            )
            .expect("text");
        }
        text
    }

    /// The rows in CSV.
    pub fn rows(&self) -> String {
        let mut rows = String::new();
        for (index, speed) in self.speeds.iter().enumerate() {
            let (one, all) = (spread(&speed.one_core), spread(&speed.all_cores));
            let (ratio, found) = (self.speeds[0].over(speed), &self.found[index]);
            let numbers = [
                one.median,
                one.least,
                one.greatest,
                one.median * self.units,
                all.median,
                all.least,
                all.greatest,
                all.median * self.units,
                ratio.median,
                ratio.least,
                ratio.greatest,
                self.width(one.median),
                found.mean,
                found.standard_error,
                found.z,
                found.p,
            ];
            let numbers: Vec<String> = numbers.iter().map(|n| format!("{n:.6}")).collect();
            writeln!(
                rows,
                "{},\"{}\",\"{}\",{}",
                self.subject.model,
                self.names[index],
                self.versions[index],
                numbers.join(",")
            )
            .expect("text");
        }
        rows
    }
}

/// Heads the rows of [`Comparison::rows`].
pub const CSV_HEADER: &str = "model,contender,version,runs_per_cpu_second,runs_per_cpu_second_min,runs_per_cpu_second_max,\
units_per_cpu_second,runs_per_second_all_cores,runs_per_second_all_cores_min,runs_per_second_all_cores_max,\
units_per_second_all_cores,flashpoint_speed_ratio,flashpoint_speed_ratio_min,flashpoint_speed_ratio_max,\
interval_points_after_cpu_second,mean,standard_error,z,p\n";

/// Three significant digits, without an exponent.
pub fn short(x: f64) -> String {
    let digits = 2 - x.abs().max(1e-3).log10().floor() as i32;
    format!("{x:.*}", digits.max(0) as usize)
}

/// A whole number with its thousands set apart.
pub fn grouped(x: f64) -> String {
    let digits = format!("{x:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567.4), "1,234,567");
        assert_eq!(grouped(999.0), "999");
        assert_eq!(short(0.012_34), "0.0123");
        assert_eq!(short(1.0), "1.00");
        assert_eq!(short(43.21), "43.2");
        assert_eq!(short(15_810.2), "15810");
    }
}
