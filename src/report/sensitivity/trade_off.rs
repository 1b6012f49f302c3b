//! A picture of the boxes to choose from: how dense each is against how much it covers.

use super::{Boxes, FoundBox};
use crate::report::chart::{COLOURS, escaped};
use crate::report::number::percent;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 64.0;
const BOTTOM: f64 = 52.0;
/// Least distance of two numbers of boxes, in units of the picture.
const APART: f64 = 26.0;

/// Each box is a point with its number; the colour says how many limits it has. A dashed line is the base rate, a ring the box
/// that was chosen. Boxes that were confirmed have a cross where they are in the other worlds.
pub fn svg(boxes: &Boxes) -> String {
    let densest = (boxes.boxes.iter())
        .map(|b| {
            b.density
                .max(b.confirmed.as_ref().and_then(|c| c.density).unwrap_or(0.0))
        })
        .fold(boxes.base_rate, f64::max);
    let end = ((densest * 10.0).ceil() / 10.0).clamp(0.1, 1.0);
    let x = |coverage: f64| LEFT + (WIDTH - LEFT - RIGHT) * coverage;
    let y = |density: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * density / end;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH:.0} {HEIGHT:.0}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"12\" y=\"23\">{}: boxes to choose from ({})</text>\n\
         <text x=\"12\" y=\"44\" fill=\"#555\" font-size=\"12\">number of the box at each point; dashed: all worlds; ring: the chosen box{}</text>\n",
        escaped(&boxes.outcome.replace('`', "")),
        escaped(&boxes.subject.title),
        if boxes.confirmed_base_rate.is_some() {
            "; cross: the box in other worlds"
        } else {
            ""
        }
    );
    for tick in 0..=5 {
        let share = f64::from(tick) / 5.0;
        out.push_str(&format!(
            "<line x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP:.1}\" y2=\"{1:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{0:.1}\" y=\"{2:.1}\" text-anchor=\"middle\" fill=\"#555\">{3}</text>\n\
             <line x1=\"{LEFT:.1}\" x2=\"{4:.1}\" y1=\"{5:.1}\" y2=\"{5:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{6:.1}\" y=\"{7:.1}\" text-anchor=\"end\" fill=\"#555\">{8}</text>\n",
            x(share),
            y(0.0),
            y(0.0) + 18.0,
            percent(share, 0),
            x(1.0),
            y(share * end),
            LEFT - 8.0,
            y(share * end) + 4.5,
            percent(share * end, 0)
        ));
    }
    out.push_str(&format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">coverage: share of the outcome that is inside</text>\n\
         <text transform=\"translate(18 {:.1}) rotate(-90)\" text-anchor=\"middle\">density: how likely it is inside</text>\n\
         <line x1=\"{LEFT:.1}\" x2=\"{:.1}\" y1=\"{4:.1}\" y2=\"{4:.1}\" stroke=\"#555\" stroke-dasharray=\"5 4\"/>\n",
        x(0.5),
        HEIGHT - 10.0,
        y(end / 2.0),
        x(1.0),
        y(boxes.base_rate)
    ));
    let mut labels: Vec<(f64, f64)> = Vec::new();
    let chosen_first = (boxes.boxes.iter().filter(|b| b.number == boxes.chosen))
        .chain(boxes.boxes.iter().filter(|b| b.number != boxes.chosen));
    for found in chosen_first {
        let at = (x(found.coverage), y(found.density));
        out.push_str(&point(found, at, found.number == boxes.chosen));
        let confirmed = found.confirmed.as_ref();
        let measured = confirmed.and_then(|c| Some((c.coverage?, c.density?)));
        if let Some((coverage, density)) = measured {
            out.push_str(&cross((x(coverage), y(density))));
        }
        let free = |other: &(f64, f64)| (at.0 - other.0).abs() + (at.1 - other.1).abs() >= APART;
        if labels.iter().all(free) {
            labels.push(at);
            out.push_str(&format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\">{}</text>\n",
                at.0 + 6.0,
                at.1 - 6.0,
                found.number
            ));
        }
    }
    let most = boxes
        .boxes
        .iter()
        .map(|b| b.limits.len())
        .max()
        .unwrap_or(0);
    for (limits, colour) in COLOURS.iter().enumerate().take(most + 1) {
        let left = LEFT + 90.0 * limits as f64;
        let more = limits == COLOURS.len() - 1 && most > limits;
        out.push_str(&format!(
            "<circle cx=\"{left:.1}\" cy=\"55\" r=\"4\" fill=\"{colour}\"/>\n\
             <text x=\"{:.1}\" y=\"59\" font-size=\"11\">{limits}{} limit{}</text>\n",
            left + 8.0,
            if more { " or more" } else { "" },
            if limits == 1 { "" } else { "s" }
        ));
    }
    out.push_str("</svg>\n");
    out
}

fn point(found: &FoundBox, (x, y): (f64, f64), chosen: bool) -> String {
    let colour = COLOURS[found.limits.len().min(COLOURS.len() - 1)];
    let mut out = format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>\n");
    if chosen {
        out.push_str(&format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8\" fill=\"none\" stroke=\"black\" stroke-width=\"1.6\"/>\n"
        ));
    }
    out
}

fn cross((x, y): (f64, f64)) -> String {
    let (left, right, above, below) = (x - 3.0, x + 3.0, y - 3.0, y + 3.0);
    format!(
        "<path d=\"M{left:.1} {above:.1} L{right:.1} {below:.1} M{left:.1} {below:.1} L{right:.1} {above:.1}\" stroke=\"#555\"/>\n"
    )
}
