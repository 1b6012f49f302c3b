//! The tornado diagram.

use super::{Tornado, TornadoRow};
use crate::report::chart::escaped;
use crate::report::number::{rounded, significant};
use crate::stats::interval::Interval;

/// Bars drawn at most.
const MOST_BARS: usize = 25;

impl Tornado {
    /// A tornado diagram as SVG: for each of the parameters with the largest effects two bars from the base, to what the low and
    /// the high end come to, each with its paired 95 % interval.
    pub fn svg(&self) -> String {
        const WIDTH: f64 = 860.0;
        const LEFT: f64 = 300.0;
        const RIGHT: f64 = 40.0;
        const TOP: f64 = 78.0;
        const LANE: f64 = 26.0;
        const BAR: f64 = 10.0;
        /// Okabe and Ito 2008.
        const LOW: &str = "#0072B2";
        const HIGH: &str = "#D55E00";
        let base = self.base.map_or(0.0, |base| base.value);
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
        let inside = |value: f64| {
            if self.is_probability {
                value.clamp(0.0, 1.0)
            } else {
                value
            }
        };
        let (low, high) = (inside(base + reach.low), inside(base + reach.high));
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
            for (change, colour, offset) in [
                (row.at_low, LOW, LANE / 2.0 - BAR),
                (row.at_high, HIGH, LANE / 2.0),
            ] {
                let Some(change) = change else { continue };
                let (from, to) = (x(base), x(inside(base + change.difference)));
                let line = top + offset + BAR / 2.0;
                out.push_str(&format!(
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR:.1}\" fill=\"{colour}\" fill-opacity=\"0.75\"/>\n\
                     <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{line:.1}\" y2=\"{line:.1}\" stroke=\"black\" stroke-width=\"1.3\"/>\n",
                    from.min(to),
                    top + offset,
                    (to - from).abs(),
                    x(inside(base + change.interval.low)),
                    x(inside(base + change.interval.high))
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
    use crate::report::tornado::{BaseEstimate, ParameterName};
    use crate::stats::paired::Difference;

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
            dropped: Some(0),
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
            capped: 0,
            base: Some(BaseEstimate {
                value: 0.4,
                interval: Interval::new(0.4, 0.4),
            }),
            base_dropped: 0,
            interrupted: None,
            rows: vec![row],
        };
        let svg = tornado.svg();
        // From 20 % to 80 % on 520 units: the base lies at 300 + 520 / 3.
        assert!(
            svg.contains("<rect x=\"300.0\" y=\"81.0\" width=\"173.3\""),
            "{svg}"
        );
        assert!(
            svg.contains("<rect x=\"473.3\" y=\"91.0\" width=\"346.7\""),
            "{svg}"
        );
        assert!(svg.contains("a &amp; b") && svg.contains(">80 %<"), "{svg}");
    }
}
