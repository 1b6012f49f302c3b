//! Parameters ordered by what moving each of them does: text, CSV, JSON and a tornado diagram.

use std::cmp::Ordering;

use serde::Serialize;

use super::chart::escaped;
use super::csv_text::CsvText;
use super::difference::{Scale, p_value};
use super::number::{count, exact, exact_or_empty, rounded, significant};
use super::text_table::{Align, Table};
use crate::experiment::comparison::Contrast;
use crate::experiment::one_at_a_time::{Moved, OneAtATime};
use crate::stats::hypothesis::{bonferroni_level, holm};
use crate::stats::interval::Interval;
use crate::stats::paired::Difference;

/// Adjusted p-values up to this count as shown.
const SIGNIFICANT: f64 = 0.05;
/// Bars drawn at most.
const MOST_BARS: usize = 25;

/// A parameter, in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterName {
    pub id: String,
    pub label: Option<String>,
    pub unit: Option<String>,
}

/// What moving one parameter does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TornadoRow {
    /// The parameter.
    pub parameter: ParameterName,
    /// Its low end.
    pub low: f64,
    /// Its high end.
    pub high: f64,
    /// The low end against the base.
    pub at_low: Option<Difference>,
    /// The high end against the base.
    pub at_high: Option<Difference>,
    /// The high end against the low one.
    pub swing: Option<Difference>,
    /// Smallest of the three p-values, each corrected for all of the analysis (Holm).
    pub p_adjusted: Option<f64>,
    /// Largest size of any of the three differences that is compatible with the runs, at a level at which all of the analysis
    /// hold together.
    pub at_most: Option<f64>,
    /// Why it could not be moved.
    pub failure: Option<String>,
}

impl TornadoRow {
    /// Size of the largest of the three differences.
    fn size(&self) -> f64 {
        let all = [self.at_low, self.at_high, self.swing];
        let sizes = all.iter().flatten().map(|d| d.difference.abs());
        sizes.fold(0.0, f64::max)
    }

    fn is_shown(&self) -> bool {
        self.p_adjusted.is_some_and(|p| p <= SIGNIFICANT)
    }

    /// Whether no run came to anything else at either end.
    fn is_idle(&self) -> bool {
        let all = [self.at_low, self.at_high, self.swing];
        self.failure.is_none()
            && all.iter().all(|d| {
                d.is_some_and(|d| {
                    d.difference == 0.0 && d.variance_reduction.is_none_or(f64::is_infinite)
                })
            })
    }
}

/// Parameters by the size of their effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tornado {
    /// Title of the scenario.
    pub title: String,
    /// Name of the scenario.
    pub scenario: String,
    /// What is asked about, in words.
    pub output: String,
    /// Whether it is a probability.
    pub is_probability: bool,
    /// Draws over which effects are averaged; `None` if all other parameters have their default values.
    pub worlds: Option<u64>,
    /// Seed of all random streams.
    pub seed: u64,
    /// Runs at each point.
    pub runs: u64,
    /// Level of the intervals.
    pub level: f64,
    /// Parameters that were not moved because they have neither a prior nor a range.
    pub unmoved: usize,
    /// Estimate for the base, with its interval.
    pub base: Option<Difference>,
    /// Parameters asked for, if it was interrupted before the last.
    pub interrupted: Option<usize>,
    /// The parameters, the largest effect first; those that failed last.
    pub rows: Vec<TornadoRow>,
}

/// The rows of an analysis at `level` in `(0, 1)`, in order. `name` gives the words for a parameter's index.
pub fn rows(
    done: &OneAtATime,
    level: f64,
    name: impl Fn(usize) -> ParameterName,
) -> Vec<TornadoRow> {
    let contrasts = |moved: &Moved| match moved {
        Moved::Effect(e) => vec![e.at_low.clone(), e.at_high.clone(), e.swing.clone()],
        Moved::Failed { .. } => Vec::new(),
    };
    let family: Vec<Contrast> = done.moved.iter().flat_map(contrasts).collect();
    let together = bonferroni_level(level, family.len());
    let p_values: Vec<f64> = (family.iter())
        .map(|c| c.difference(level).map_or(1.0, |d| d.p_value))
        .collect();
    let adjusted = holm(&p_values);
    let mut triples = adjusted.chunks_exact(3);
    let mut rows: Vec<TornadoRow> = Vec::with_capacity(done.moved.len());
    for moved in &done.moved {
        rows.push(match moved {
            Moved::Effect(effect) => {
                let all = [&effect.at_low, &effect.at_high, &effect.swing];
                let [at_low, at_high, swing] = all.map(|c| c.difference(level));
                let ends = all.iter().filter_map(|c| c.difference(together));
                let at_most = ends
                    .map(|d| d.interval.low.abs().max(d.interval.high.abs()))
                    .reduce(f64::max);
                let smallest = |ps: &[f64]| ps.iter().copied().fold(1.0, f64::min);
                TornadoRow {
                    parameter: name(effect.ends.parameter),
                    low: effect.ends.low,
                    high: effect.ends.high,
                    at_low,
                    at_high,
                    swing,
                    p_adjusted: triples.next().map(smallest),
                    at_most,
                    failure: None,
                }
            }
            Moved::Failed { ends, at, reason } => TornadoRow {
                parameter: name(ends.parameter),
                low: ends.low,
                high: ends.high,
                at_low: None,
                at_high: None,
                swing: None,
                p_adjusted: None,
                at_most: None,
                failure: Some(format!("at {}: {reason}", significant(*at))),
            },
        });
    }
    // Stable, so equal ones stay in the order of the scenario.
    rows.sort_by(|a, b| {
        let failed = a.failure.is_some().cmp(&b.failure.is_some());
        failed.then(b.size().partial_cmp(&a.size()).unwrap_or(Ordering::Equal))
    });
    rows
}

impl Tornado {
    fn scale(&self) -> Scale {
        Scale::of(self.is_probability)
    }

    /// A table of the parameters with an effect, and what is known of the others.
    pub fn text(&self) -> String {
        let scale = self.scale();
        let mut out = format!("{}\nWhat moves {}.\n", self.title, self.output);
        let (others, averaged) = match self.worlds {
            None => ("all others at their default values", String::new()),
            Some(worlds) => (
                "all others drawn from their priors",
                format!(", averaged over {} draws", count(worlds)),
            ),
        };
        out.push_str(&format!(
            "One parameter at a time, {others}{averaged}; {} runs at each end, under the same random numbers; seed {}.\n",
            count(self.runs),
            self.seed
        ));
        if let Some(asked) = self.interrupted {
            out.push_str(&format!(
                "interrupted: {} of {asked} parameters were moved\n",
                self.rows.len()
            ));
        }
        if let Some(base) = self.base {
            out.push_str(&format!(
                "Base: {} ({})\n",
                scale.value(base.difference, base.interval),
                scale.range(base.interval)
            ));
        }
        let shown: Vec<&TornadoRow> = self.rows.iter().filter(|row| row.is_shown()).collect();
        if shown.is_empty() {
            out.push_str("\nNo parameter shows an effect.\n");
        } else {
            out.push('\n');
            out.push_str(&self.table(&shown));
        }
        self.push_others(&mut out);
        if self.unmoved > 0 {
            out.push_str(&format!(
                "\n{} without a prior or a range: not moved.\n",
                of_parameters(self.unmoved)
            ));
        }
        out.push('\n');
        let unit = if self.is_probability {
            ", in percentage points"
        } else {
            ""
        };
        out.push_str(&format!(
            "At low, at high: change against the base when the parameter has its low or its high value{unit}; low to high: the whole \
             way.\nIn parentheses: paired 95 % intervals. p (Holm): the smallest of the three, corrected for all {} comparisons; \
             at most {SIGNIFICANT} counts as shown.\n",
            3 * self.rows.iter().filter(|row| row.failure.is_none()).count(),
        ));
        out.push_str(match self.worlds {
            None => "Interactions between parameters do not show here: with other defaults, effects may differ (--over-worlds averages).\n",
            Some(_) => "These are averages: an effect may be larger in some worlds, and reversed in others.\n",
        });
        out
    }

    fn table(&self, rows: &[&TornadoRow]) -> String {
        let scale = self.scale();
        let mut table = Table::new(&[
            "Parameter",
            "Low",
            "High",
            "At low",
            "At high",
            "Low to high",
            "p (Holm)",
        ]);
        for row in rows {
            let change = |d: Option<Difference>| {
                d.map_or_else(
                    || "–".to_owned(),
                    |d| {
                        format!(
                            "{} ({})",
                            scale.difference(d.difference, d.interval),
                            scale.interval(d.interval)
                        )
                    },
                )
            };
            table.row(vec![
                row.parameter.id.clone(),
                significant(row.low),
                significant(row.high),
                change(row.at_low),
                change(row.at_high),
                change(row.swing),
                row.p_adjusted.map_or_else(String::new, p_value),
            ]);
        }
        table.text(|column| {
            if column == 0 {
                Align::Left
            } else {
                Align::Right
            }
        })
    }

    fn push_others(&self, out: &mut String) {
        let names = |rows: &[&TornadoRow]| {
            let names: Vec<&str> = rows.iter().map(|row| row.parameter.id.as_str()).collect();
            wrapped(&names.join(", "))
        };
        let rest = self
            .rows
            .iter()
            .filter(|row| row.failure.is_none() && !row.is_shown());
        let (idle, unclear): (Vec<&TornadoRow>, Vec<&TornadoRow>) =
            rest.partition(|row| row.is_idle());
        if !unclear.is_empty() {
            let most = unclear
                .iter()
                .filter_map(|row| row.at_most)
                .fold(0.0, f64::max);
            let most = if self.is_probability {
                format!("{} percentage points", significant(100.0 * most))
            } else {
                significant(most)
            };
            out.push_str(&format!(
                "\nNo effect seen of {}, at most ±{most}:\n{}",
                of_parameters(unclear.len()),
                names(&unclear)
            ));
        }
        if !idle.is_empty() {
            out.push_str(&format!(
                "\nNot a single run changed with {}:\n{}",
                of_parameters(idle.len()),
                names(&idle)
            ));
        }
        for row in self.rows.iter() {
            if let Some(failure) = &row.failure {
                out.push_str(&format!(
                    "\n{} could not be moved: {failure}\n",
                    row.parameter.id
                ));
            }
        }
    }

    /// A row for each parameter, in order.
    pub fn csv(&self) -> String {
        let mut csv = CsvText::new(&[
            "parameter",
            "label",
            "unit",
            "low",
            "high",
            "base",
            "at_low",
            "at_low_low",
            "at_low_high",
            "at_high",
            "at_high_low",
            "at_high_high",
            "swing",
            "swing_low",
            "swing_high",
            "p_adjusted",
            "at_most",
            "failure",
        ]);
        for row in &self.rows {
            let mut cells = vec![
                row.parameter.id.clone(),
                row.parameter.label.clone().unwrap_or_default(),
                row.parameter.unit.clone().unwrap_or_default(),
                exact(row.low),
                exact(row.high),
                exact_or_empty(self.base.map(|d| d.difference)),
            ];
            for change in [row.at_low, row.at_high, row.swing] {
                cells.extend([
                    exact_or_empty(change.map(|d| d.difference)),
                    exact_or_empty(change.map(|d| d.interval.low)),
                    exact_or_empty(change.map(|d| d.interval.high)),
                ]);
            }
            cells.extend([
                exact_or_empty(row.p_adjusted),
                exact_or_empty(row.at_most),
                row.failure.clone().unwrap_or_default(),
            ]);
            csv.row(&cells);
        }
        csv.text()
    }

    /// A tornado diagram as SVG: for each of the parameters with the largest effects two bars from the base, to what the low and
    /// the high end come to, each with its paired 95 % interval.
    pub fn svg(&self) -> String {
        const WIDTH: f64 = 860.0;
        const LEFT: f64 = 300.0;
        const RIGHT: f64 = 40.0;
        const TOP: f64 = 78.0;
        const LANE: f64 = 24.0;
        /// Okabe and Ito 2008.
        const LOW: &str = "#0072B2";
        const HIGH: &str = "#D55E00";
        let base = self.base.map_or(0.0, |d| d.difference);
        let bars: Vec<&TornadoRow> = (self.rows.iter())
            .filter(|row| row.failure.is_none() && !row.is_idle())
            .take(MOST_BARS)
            .collect();
        let reach = (bars.iter())
            .flat_map(|row| [row.at_low, row.at_high])
            .flatten()
            .map(|d| d.interval)
            .fold(Interval::new(0.0, 0.0), |all, i| {
                Interval::new(all.low.min(i.low), all.high.max(i.high))
            });
        let (low, high) = (base + reach.low, base + reach.high);
        let step = tick((high - low).max(1e-9));
        let (start, end) = ((low / step).floor() * step, (high / step).ceil() * step);
        let end = if end > start { end } else { start + step };
        let x = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * (value - start) / (end - start);
        let bottom = TOP + LANE * bars.len() as f64;
        let shown = bars.len();
        let others = match self.worlds {
            None => "all others at their defaults",
            Some(_) => "averaged over draws of all others",
        };
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {:.0}\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"12\" y=\"22\">{}: {}</text>\n\
             <text x=\"12\" y=\"41\" fill=\"#555\" font-size=\"12\">One parameter at a time, {others}; line: paired 95 % interval; {shown} of {} parameters</text>\n\
             <rect x=\"12\" y=\"51\" width=\"12\" height=\"12\" fill=\"{LOW}\"/><text x=\"30\" y=\"62\" font-size=\"12\">at its low value</text>\n\
             <rect x=\"140\" y=\"51\" width=\"12\" height=\"12\" fill=\"{HIGH}\"/><text x=\"158\" y=\"62\" font-size=\"12\">at its high value</text>\n",
            bottom + 40.0,
            escaped(&self.title),
            escaped(&self.output),
            self.rows.len()
        );
        let ticks = ((end - start) / step).round() as u32;
        for number in 0..=ticks {
            let value = start + step * f64::from(number);
            let label = if self.is_probability {
                format!("{} %", trimmed(100.0 * value, 100.0 * step))
            } else {
                trimmed(value, step)
            };
            out.push_str(&format!(
                "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP:.1}\" y2=\"{bottom:.1}\" stroke=\"#ddd\"/>\n\
                 <text x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"middle\" fill=\"#555\">{label}</text>\n",
                x(value),
                bottom + 18.0
            ));
        }
        for (place, row) in bars.iter().enumerate() {
            let top = TOP + LANE * place as f64;
            let middle = top + LANE / 2.0;
            out.push_str(&format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} <tspan fill=\"#777\" font-size=\"11\">{} … {}</tspan></text>\n",
                LEFT - 10.0,
                middle + 4.5,
                escaped(&row.parameter.id),
                significant(row.low),
                significant(row.high)
            ));
            // The two bars share the lane where they lie on one side, and each has a half of it.
            for (change, colour, offset) in
                [(row.at_low, LOW, 2.5), (row.at_high, HIGH, LANE / 2.0)]
            {
                let Some(change) = change else { continue };
                let (from, to) = (x(base), x(base + change.difference));
                let height = LANE / 2.0 - 2.5;
                let line = top + offset + height / 2.0;
                out.push_str(&format!(
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{colour}\" fill-opacity=\"0.75\"/>\n\
                     <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{line:.1}\" y2=\"{line:.1}\" stroke=\"black\" stroke-width=\"1.3\"/>\n",
                    from.min(to),
                    top + offset,
                    (to - from).abs(),
                    x(base + change.interval.low),
                    x(base + change.interval.high)
                ));
            }
        }
        out.push_str(&format!(
            "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP:.1}\" y2=\"{bottom:.1}\" stroke=\"black\"/>\n</svg>\n",
            x(base)
        ));
        out
    }
}

fn of_parameters(number: usize) -> String {
    if number == 1 {
        "1 parameter".to_owned()
    } else {
        format!("{number} parameters")
    }
}

/// Lines of at most 110 characters, broken at spaces.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length > 0 && length + 1 + word.chars().count() > 110 {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += word.chars().count();
    }
    out.push('\n');
    out
}

/// A round number that divides `range` into four to ten parts.
fn tick(range: f64) -> f64 {
    let mut step = 1.0;
    while step > range / 4.0 {
        step /= 10.0;
    }
    while step * 10.0 <= range / 4.0 {
        step *= 10.0;
    }
    for factor in [5.0, 2.0] {
        if step * factor <= range / 4.0 {
            return step * factor;
        }
    }
    step
}

/// `value` to the decimals that `step` has.
fn trimmed(value: f64, step: f64) -> String {
    let mut decimals = 0;
    let mut scaled = step;
    while (scaled - scaled.round()).abs() > 1e-6 * scaled && decimals < 12 {
        scaled *= 10.0;
        decimals += 1;
    }
    rounded(value, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (range, step) in [
            (1.0, 0.2),
            (0.037, 0.005),
            (8.0, 2.0),
            (170.0, 20.0),
            (2400.0, 500.0),
        ] {
            assert!(
                (tick(range) / step - 1.0).abs() < 1e-9,
                "{range}: {}",
                tick(range)
            );
        }
        assert_eq!(trimmed(0.30000000004, 0.1), "0.3");
        assert_eq!(trimmed(40.0, 20.0), "40");
    }

    #[test]
    fn long_lists_are_wrapped() {
        let names = vec!["parameter"; 30].join(", ");
        let text = wrapped(&names);
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.chars().count() <= 110));
        assert_eq!(text.replace('\n', " ").trim_end(), names);
    }

    fn difference(x: f64, half: f64) -> Option<Difference> {
        Some(Difference {
            baseline: 0.4,
            variant: 0.4 + x,
            difference: x,
            interval: Interval::new(x - half, x + half),
            p_value: 0.0,
            variance_reduction: Some(2.0),
        })
    }

    #[test]
    fn bars_begin_at_the_base_and_end_at_the_estimate() {
        let row = TornadoRow {
            parameter: ParameterName {
                id: "a & b".to_owned(),
                label: None,
                unit: None,
            },
            low: 0.0,
            high: 1.0,
            at_low: difference(-0.2, 0.0),
            at_high: difference(0.4, 0.0),
            swing: difference(0.6, 0.0),
            p_adjusted: Some(0.0),
            at_most: Some(0.6),
            failure: None,
        };
        let tornado = Tornado {
            title: "T".to_owned(),
            scenario: "t".to_owned(),
            output: "whether".to_owned(),
            is_probability: true,
            worlds: None,
            seed: 1,
            runs: 100,
            level: 0.95,
            unmoved: 0,
            base: difference(0.4, 0.0),
            interrupted: None,
            rows: vec![row],
        };
        let svg = tornado.svg();
        // From 20 % to 80 % on 520 units: the base lies at 300 + 520 / 3.
        assert!(
            svg.contains("<rect x=\"300.0\" y=\"80.5\" width=\"173.3\""),
            "{svg}"
        );
        assert!(
            svg.contains("<rect x=\"473.3\" y=\"90.0\" width=\"346.7\""),
            "{svg}"
        );
        assert!(svg.contains("a &amp; b") && svg.contains(">80 %<"), "{svg}");
    }
}
