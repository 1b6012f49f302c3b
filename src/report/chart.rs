//! A picture of the endgames of one or several scenarios, as SVG.

use super::number::{percent, percent_decimals};
use super::results::{OutcomeRow, Results};
use super::side_by_side::Column;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 230.0;
const RIGHT: f64 = 70.0;
const TOP: f64 = 64.0;
const LANE: f64 = 17.0;
const GAP: f64 = 13.0;
/// Colours that remain apart for colour-blind readers (Okabe and Ito 2008).
const COLOURS: [&str; 6] = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9",
];

/// For every endgame and scenario a bar for the probability, a dark line for its Monte Carlo 95 % interval and, where parameters
/// were drawn, a pale line for the 90 % band across them.
pub fn svg(columns: &[Column<'_>]) -> String {
    let mut endgames: Vec<(&str, &str)> = Vec::new();
    for row in columns.iter().flat_map(|column| &column.results.outcomes) {
        if endgames.iter().all(|(id, _)| *id != row.id) {
            endgames.push((&row.id, &row.label));
        }
    }
    let group = LANE * columns.len() as f64 + GAP;
    let bottom = TOP + group * endgames.len() as f64;
    let height = bottom + 44.0;
    let end = axis_end(columns.iter().map(|column| column.results));
    let x = |p: f64| LEFT + (WIDTH - LEFT - RIGHT) * (p / end).min(1.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let mut at = 12.0;
    for (index, column) in columns.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        out.push_str(&format!(
            "<rect x=\"{at:.1}\" y=\"12\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\n\
             <text x=\"{:.1}\" y=\"23\">{}</text>\n",
            at + 18.0,
            escaped(column.name)
        ));
        at += 42.0 + 7.4 * column.name.chars().count() as f64;
    }
    let bands = columns.iter().any(|column| column.results.worlds.is_some());
    let key = if bands {
        "dark line: Monte Carlo 95 % interval; pale line: 90 % of draws of the parameters"
    } else {
        "dark line: Monte Carlo 95 % interval"
    };
    out.push_str(&format!(
        "<text x=\"12\" y=\"44\" fill=\"#555\" font-size=\"12\">Probability of each endgame; {key}</text>\n"
    ));
    for tenth in 0..=10 {
        let p = f64::from(tenth) / 10.0;
        if p <= end + 1e-9 {
            out.push_str(&format!(
                "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP:.1}\" y2=\"{bottom:.1}\" stroke=\"#ddd\"/>\n\
                 <text x=\"{0:.1}\" y=\"{1:.1}\" text-anchor=\"middle\" fill=\"#555\">{2} %</text>\n",
                x(p),
                bottom + 18.0,
                10 * tenth
            ));
        }
    }
    for (place, (id, label)) in endgames.iter().enumerate() {
        let top = TOP + group * place as f64 + GAP / 2.0;
        let middle = top + LANE * columns.len() as f64 / 2.0 + 4.5;
        out.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>\n",
            LEFT - 10.0,
            escaped(label)
        ));
        for (index, column) in columns.iter().enumerate() {
            let row = column.results.outcomes.iter().find(|row| row.id == *id);
            if let Some(row) = row {
                let colour = COLOURS[index % COLOURS.len()];
                out.push_str(&lane(row, top + LANE * index as f64, colour, &x));
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

fn lane(row: &OutcomeRow, top: f64, colour: &str, x: &impl Fn(f64) -> f64) -> String {
    let middle = top + LANE / 2.0;
    let mut out = String::new();
    let mut reach = row.interval.high.max(row.probability);
    if let Some(band) = row.band {
        reach = reach.max(band.high);
        out.push_str(&format!(
            "<line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"{colour}\" stroke-opacity=\"0.3\" stroke-width=\"5\"/>\n",
            x(band.low),
            x(band.high)
        ));
    }
    out.push_str(&format!(
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\" fill-opacity=\"0.75\"/>\n\
         <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\" stroke=\"black\" stroke-width=\"1.6\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"#333\">{}</text>\n",
        x(0.0),
        top + 2.5,
        x(row.probability) - x(0.0),
        LANE - 5.0,
        x(row.interval.low),
        x(row.interval.high),
        x(reach) + 5.0,
        middle + 4.0,
        percent(row.probability, percent_decimals(row.interval))
    ));
    out
}

/// The least tenth that holds every bar, interval and band.
fn axis_end<'a>(results: impl Iterator<Item = &'a Results>) -> f64 {
    let reach = |row: &OutcomeRow| {
        let band = row.band.map_or(0.0, |band| band.high);
        row.probability.max(row.interval.high).max(band)
    };
    let furthest = results
        .flat_map(|results| &results.outcomes)
        .map(reach)
        .fold(0.0, f64::max);
    ((furthest * 10.0).ceil() / 10.0).clamp(0.1, 1.0)
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::run_text::Heading;
    use crate::stats::interval::Interval;

    fn results(probability: f64) -> Results {
        let row = OutcomeRow {
            id: "war".to_owned(),
            label: "War & ruin".to_owned(),
            count: 10,
            runs: 100,
            probability,
            interval: Interval {
                low: probability - 0.05,
                high: probability + 0.05,
            },
            band: None,
        };
        Results {
            runs: 100,
            capped: 0,
            worlds: None,
            outcomes: vec![row],
            flags: Vec::new(),
            metrics: Vec::new(),
            timeline: Vec::new(),
        }
    }

    #[test]
    fn bars_are_as_long_as_their_probabilities() {
        let heading = Heading::default();
        let (some, more) = (results(0.2), results(0.4));
        let columns = [("one", &some), ("two", &more)].map(|(name, results)| Column {
            name,
            heading: &heading,
            results,
        });
        let svg = svg(&columns);
        // The axis ends at 50 %, and 560 units are left for it.
        assert!(svg.contains("width=\"224.0\""), "{svg}");
        assert!(svg.contains("width=\"448.0\""), "{svg}");
        assert!(svg.contains("War &amp; ruin"), "{svg}");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }
}
