//! Log–log plots as SVG.

use std::fmt::Write;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 56.0;
/// Decades that the y axis spans at least, so that scatter about a level line looks as small as it is.
const LEAST_DECADES: f64 = 2.0;

/// Points and lines; both coordinates are positive.
pub struct Plot {
    pub title: String,
    pub x: String,
    pub y: String,
    pub points: Vec<(f64, f64)>,
    pub lines: Vec<Line>,
}

pub struct Line {
    pub label: String,
    pub dashed: bool,
    /// Height at x.
    pub at: Box<dyn Fn(f64) -> f64>,
}

/// One axis: decades from `low` to `high`, drawn from `start` to `end`.
struct Axis {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// Reaches from the decade at or below the least value to the one at or above the greatest.
    fn around(values: impl Iterator<Item = f64> + Clone, least: f64, ends: (f64, f64)) -> Self {
        // A value a hair beyond a decade, by rounding, does not ask for another.
        let low = values.clone().fold(f64::INFINITY, f64::min).log10() + 1e-9;
        let high = values.fold(0.0, f64::max).log10() - 1e-9;
        let (low, mut high) = (low.floor(), high.ceil());
        high = high.max(low + least);
        Self {
            low,
            high,
            start: ends.0,
            end: ends.1,
        }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - self.low) / (self.high - self.low);
        self.start + share * (self.end - self.start)
    }

    fn decades(&self) -> impl Iterator<Item = i32> {
        self.low as i32..=self.high as i32
    }

    fn minor(&self) -> impl Iterator<Item = f64> {
        let within = |decade: i32| (2..10).map(move |n| f64::from(n) * 10_f64.powi(decade));
        (self.low as i32..self.high as i32).flat_map(within)
    }
}

impl Plot {
    pub fn svg(&self) -> String {
        let ends = |index: usize| self.points[index * (self.points.len() - 1)].0;
        let (first, last) = (ends(0), ends(1));
        let on_lines = self
            .lines
            .iter()
            .flat_map(|l| [(l.at)(first), (l.at)(last)]);
        let heights = self.points.iter().map(|p| p.1).chain(on_lines);
        let x = Axis::around(self.points.iter().map(|p| p.0), 1.0, (LEFT, WIDTH - RIGHT));
        let y = Axis::around(heights, LEAST_DECADES, (HEIGHT - BOTTOM, TOP));

        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#333">
<rect width="100%" height="100%" fill="#fff"/>
<text x="{LEFT}" y="24" font-size="14" font-weight="600" fill="#111">{}</text>
"##,
            escaped(&self.title)
        );
        let mut put = |text: String| svg.write_str(&text).expect("text");
        for value in x.minor() {
            put(vertical(x.place(value), "#f1f1f1"));
        }
        for value in y.minor() {
            put(horizontal(y.place(value), "#f1f1f1"));
        }
        for decade in x.decades() {
            let at = x.place(10_f64.powi(decade));
            put(vertical(at, "#d4d4d4"));
            put(format!(
                "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                HEIGHT - BOTTOM + 18.0,
                power(decade)
            ));
        }
        for decade in y.decades() {
            let at = y.place(10_f64.powi(decade));
            put(horizontal(at, "#d4d4d4"));
            put(format!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                LEFT - 8.0,
                at + 4.0,
                power(decade)
            ));
        }
        put(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 16.0,
            escaped(&self.x)
        ));
        let middle = (TOP + HEIGHT - BOTTOM) / 2.0;
        put(format!(
            "<text transform=\"translate(20 {middle:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
            escaped(&self.y)
        ));
        for line in &self.lines {
            put(format!(
                "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {}/>\n",
                x.place(first),
                y.place((line.at)(first)),
                x.place(last),
                y.place((line.at)(last)),
                line.stroke()
            ));
        }
        for &(across, up) in &self.points {
            put(format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"#1f5fa8\" stroke=\"#fff\"/>\n",
                x.place(across),
                y.place(up)
            ));
        }
        for (index, line) in self.lines.iter().enumerate() {
            let at = TOP + 18.0 + 18.0 * index as f64;
            put(format!(
                "<line x1=\"{}\" y1=\"{at}\" x2=\"{}\" y2=\"{at}\" {}/>\
                 <text x=\"{}\" y=\"{}\" paint-order=\"stroke\" stroke=\"#fff\" stroke-width=\"3\">{}</text>\n",
                LEFT + 12.0,
                LEFT + 36.0,
                line.stroke(),
                LEFT + 44.0,
                at + 4.0,
                escaped(&line.label)
            ));
        }
        svg + "</svg>\n"
    }
}

impl Line {
    fn stroke(&self) -> &'static str {
        if self.dashed {
            "stroke=\"#888\" stroke-width=\"1.5\" stroke-dasharray=\"5 4\""
        } else {
            "stroke=\"#1f5fa8\" stroke-width=\"1.5\""
        }
    }
}

fn vertical(x: f64, colour: &str) -> String {
    format!(
        "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{}\" stroke=\"{colour}\"/>\n",
        HEIGHT - BOTTOM
    )
}

fn horizontal(y: f64, colour: &str) -> String {
    format!(
        "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\" stroke=\"{colour}\"/>\n",
        WIDTH - RIGHT
    )
}

/// A power of ten in figures.
fn power(decade: i32) -> String {
    if decade < 0 {
        return format!("0.{:0>1$}", 1, decade.unsigned_abs() as usize);
    }
    crate::comparison::grouped(10_f64.powi(decade))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
