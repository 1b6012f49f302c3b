//! What is aimed at, and what was measured.

use crate::comparison::{Comparison, short};
use crate::contender::{FLASHPOINT, SAME_RUNS};
use crate::growth::{Growth, two_decimals};
use crate::program::Program;
use crate::race::Spread;
use crate::scaling::Scaling;
use std::fmt::Write;

/// How far an exponent may lie from the ideal.
const EXPONENT_TOLERANCE: f64 = 0.05;

/// How the names of the limit kernels begin.
const LIMIT: &str = "limit kernel";

struct Goal {
    what: String,
    goal: String,
    measured: String,
    met: bool,
}

/// All that was measured.
pub struct Measured<'a> {
    pub ladder: &'a Comparison,
    pub exchange: &'a Comparison,
    pub scaling: &'a [Scaling],
    pub program: &'a Program,
    pub growth: &'a [Growth],
}

/// The goals in Markdown. A goal is met if the median over rounds meets it.
pub fn table(measured: &Measured) -> String {
    let mut goals = Vec::new();
    for (peer, least) in [
        ("ixa", 10.0),
        ("krabmaga", 5.0),
        ("Mesa", 100.0),
        ("SimPy", 100.0),
        ("agentpy", 100.0),
        ("naive binary heap", 3.0),
    ] {
        let Some(ratio) = measured.ladder.flashpoint_over(peer) else {
            continue;
        };
        goals.push(Goal {
            what: format!("ladder-10: speed over {peer}, per core"),
            goal: format!("at least {least}x"),
            measured: times(ratio),
            met: ratio.median >= least,
        });
    }
    for (name, comparison, most) in [
        ("ladder-10", measured.ladder, 1.25),
        ("exchange", measured.exchange, 1.5),
    ] {
        let Some(slower) = comparison.time_over(FLASHPOINT, LIMIT) else {
            continue;
        };
        goals.push(Goal {
            what: format!("{name}: time over the limit kernel's, per core"),
            goal: format!("at most {most}x"),
            measured: times(slower),
            met: slower.median <= most,
        });
    }
    let [spin, scenarios @ ..] = measured.scaling else {
        panic!("the spin loop comes first");
    };
    for scaling in scenarios {
        let share = scaling.over(spin);
        goals.push(Goal {
            what: format!(
                "{}: speed on all cores over cores x one, over the spin loop's",
                scaling.name()
            ),
            goal: "at least 0.95".to_owned(),
            measured: times(share).replace('x', ""),
            met: share.median >= 0.95,
        });
    }
    let start = measured.program.start_up();
    goals.push(Goal {
        what: "flagship: start-up to first runs".to_owned(),
        goal: "under 20 ms".to_owned(),
        measured: format!(
            "{:.1} ms ({:.1}–{:.1})",
            start.median, start.least, start.greatest
        ),
        met: start.median < 20.0,
    });
    let (seconds, how) = measured.program.precision_seconds();
    goals.push(Goal {
        what: "flagship: intervals of 1 point on 4 cores".to_owned(),
        goal: "within 2 s".to_owned(),
        measured: format!("{seconds:.2} s ({how})"),
        met: seconds <= 2.0,
    });
    for growth in measured.growth {
        goals.push(Goal {
            what: format!("cost grows with {}", growth.family.grows),
            goal: format!("exponent {}", growth.family.ideal),
            measured: two_decimals(growth.exponent),
            met: growth.exponent <= growth.family.ideal + EXPONENT_TOLERANCE,
        });
    }
    let mut text =
        String::from("| | goal | measured (min–max over rounds) | met |\n|---|---:|---:|---|\n");
    for goal in goals {
        let met = if goal.met { "yes" } else { "no" };
        writeln!(
            text,
            "| {} | {} | {} | {met} |",
            goal.what, goal.goal, goal.measured
        )
        .expect("text");
    }
    text
}

/// What keeping to Flashpoint's promises costs without any generality, in a sentence for each model.
pub fn by_hand(measured: &Measured) -> String {
    let mut text = String::new();
    for comparison in [measured.ladder, measured.exchange] {
        let over_limit = comparison.time_over(SAME_RUNS, LIMIT);
        let flashpoint_over = comparison.time_over(FLASHPOINT, SAME_RUNS);
        if let (Some(over_limit), Some(flashpoint_over)) = (over_limit, flashpoint_over) {
            writeln!(
                text,
                "A program by hand that makes the same runs as Flashpoint, to the bit, takes {} of the limit kernel's time on {}, and \
                 Flashpoint {} of that program's.",
                times(over_limit),
                comparison.model(),
                times(flashpoint_over),
            )
            .expect("text");
        }
    }
    text
}

fn times(ratio: Spread) -> String {
    let [median, least, greatest] = [ratio.median, ratio.least, ratio.greatest].map(short);
    format!("{median}x ({least}–{greatest})")
}
