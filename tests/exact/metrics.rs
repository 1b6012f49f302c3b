//! What is read off a run, against closed forms and numeric integration of the known path.

use crate::support::*;
use flashpoint::engine::Unobserved;
use flashpoint::math::ln;

/// Pushes: the day, and the value that the stock has after it, as a function of the value before.
type Push = (f64, fn(f64) -> f64);

/// A stock that relaxes and is pushed.
struct Path {
    initial: f64,
    baseline: f64,
    half_life: f64,
    pushes: &'static [Push],
}

const UNREST: Path = Path {
    initial: 0.2,
    baseline: 0.1,
    half_life: 4.0,
    pushes: &[
        (5.0, |x| x + 0.5),
        (7.5, |x| (x + 0.7).min(1.0)),
        (20.0, |_| 0.0),
    ],
};

const HOPE: Path = Path {
    initial: 0.2,
    baseline: 0.9,
    half_life: 6.0,
    pushes: &[(7.5, |x| x - 0.6)],
};

const HORIZON: f64 = 30.0;

impl Path {
    /// Value on a day; on the day of a push, before it.
    fn at(&self, day: f64) -> f64 {
        let (mut since, mut value) = (0.0, self.initial);
        for (when, push) in self.pushes.iter().filter(|(when, _)| *when < day) {
            value = push(relaxed(value, self.baseline, self.half_life, when - since));
            since = *when;
        }
        relaxed(value, self.baseline, self.half_life, day - since)
    }

    /// Midpoints of a fine grid, none of which is the day of a push.
    fn grid(&self) -> Vec<f64> {
        let n = 300_000;
        let day = |k: usize| (k as f64 + 0.5) * HORIZON / n as f64;
        (0..n).map(|k| self.at(day(k))).collect()
    }

    fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        let grid = self.grid();
        grid.iter().map(|&x| f(x)).sum::<f64>() / grid.len() as f64
    }

    /// Mean as seen by somebody who takes the stock for constant between pushes.
    fn mean_without_relaxing(&self, f: impl Fn(f64) -> f64) -> f64 {
        let (mut since, mut value, mut sum) = (0.0, self.initial, 0.0);
        for (when, push) in self.pushes {
            sum += f(value) * (when - since);
            value = push(relaxed(value, self.baseline, self.half_life, when - since));
            since = *when;
        }
        (sum + f(value) * (HORIZON - since)) / HORIZON
    }
}

fn close(what: &str, found: f64, wanted: f64, tolerance: f64) {
    assert!(
        (found - wanted).abs() <= tolerance,
        "{what}: {found}, not {wanted}"
    );
}

fn share_above(level: f64) -> impl Fn(f64) -> f64 {
    move |x| f64::from(u8::from(x > level))
}

#[test]
fn measures_of_a_relaxing_stock() {
    let model = scenario("metrics");
    let mut runs = Runs::new(&model, 1);
    runs.run(0, &mut Unobserved);

    let above = UNREST.mean(share_above(0.4)) * HORIZON;
    close("above", runs.metric("above"), above, 3e-4);
    close("below", runs.metric("below"), HORIZON - above, 3e-4);
    close("mean", runs.metric("mean"), UNREST.mean(|x| x), 1e-8);
    close(
        "hope above",
        runs.metric("hope_above"),
        HOPE.mean(share_above(0.4)) * HORIZON,
        3e-4,
    );
    close(
        "hope mean",
        runs.metric("hope_mean"),
        HOPE.mean(|x| x),
        1e-8,
    );

    // A mutant that follows stocks at events only is far off.
    assert!((UNREST.mean_without_relaxing(share_above(0.4)) * HORIZON - above).abs() > 1.0);
    assert!((UNREST.mean_without_relaxing(|x| x) - UNREST.mean(|x| x)).abs() > 0.05);

    close("peak", runs.metric("peak"), 1.0, 0.0);
    close("low", runs.metric("low"), 0.0, 0.0);
    close(
        "hope peak",
        runs.metric("hope_peak"),
        HOPE.at(HORIZON).max(HOPE.at(7.5)),
        1e-12,
    );
    close(
        "hope low",
        runs.metric("hope_low"),
        HOPE.at(7.5) - 0.6,
        1e-12,
    );
    close(
        "final",
        runs.metric("final"),
        UNREST.at(HORIZON) + 300.0,
        1e-9,
    );
}

#[test]
fn first_passages_lie_between_events() {
    let model = scenario("metrics");
    let mut runs = Runs::new(&model, 1);
    runs.run(0, &mut Unobserved);
    // The push on day 5 carries unrest above the level at once; it falls below 0.15 before that, on its own.
    close("above", runs.metric("first_above"), 7.5, 0.0);
    let halves = ln((0.2 - 0.1) / (0.15 - 0.1)) / ln(2.0);
    close("below", runs.metric("first_below"), 4.0 * halves, 1e-12);
    let halves = ln((0.2 - 0.9) / (0.4 - 0.9)) / ln(2.0);
    close("hope", runs.metric("hope_first"), 6.0 * halves, 1e-12);
    assert_eq!(runs.metric("hope_never"), f64::INFINITY);
}

#[test]
fn rungs_and_events() {
    let model = scenario("metrics");
    let mut runs = Runs::new(&model, 1);
    runs.run(0, &mut Unobserved);
    // Calm, tense from day 3, war from day 4, calm from day 19, tense from day 25.
    for (id, value) in [
        ("at_war", 15.0),
        ("rung_mean", (1.0 + 2.0 * 15.0 + 5.0) / 30.0),
        ("rung_peak", 2.0),
        ("first_war", 4.0),
        ("blows", 5.0),
        ("blows_of_blue", 2.0),
        ("killed", 4.0 * 3.0 + 40.0),
        ("first", 25.0),
        ("last", 25.0),
        ("never", f64::INFINITY),
        ("never_last", f64::INFINITY),
        // Day 6 answers day 4, and day 25 answers day 18; day 18 answers day 6 within twelve days only.
        ("exchanges", 2.0),
        ("long_exchanges", 3.0),
    ] {
        assert_eq!(runs.metric(id), value, "{id}");
    }
    let derived = 52.0 / 5.0 + runs.metric("above");
    assert_eq!(runs.metric("derived"), derived);
}

#[test]
fn the_timeline_follows_the_path() {
    let model = scenario("metrics");
    let mut runs = Runs::new(&model, 1);
    runs.run(0, &mut Unobserved);
    let timeline = model.timeline().expect("a timeline");
    let days: Vec<f64> = timeline.days().collect();
    assert_eq!((days.len(), days[24]), (25, 30.0));
    let series = |name: &str| timeline.names().position(|n| n == name).expect("a series");
    let (unrest, rung_series) = (series("unrest"), series("rung"));
    for (day, values) in days.iter().zip(runs.state.timeline().chunks(2)) {
        // On the day of a push the value before it is recorded.
        close("unrest", values[unrest], UNREST.at(*day), 1e-12);
        let rung = [3.0, 4.0].iter().filter(|blow| **blow < *day).count();
        let rung = if *day > 25.0 {
            1
        } else if *day > 19.0 {
            0
        } else {
            rung
        };
        assert_eq!(values[rung_series], rung as f64, "on day {day}");
    }
}

/// The same measures when another process cuts the path into many stretches.
#[test]
fn events_in_between_change_no_measure() {
    let quiet = scenario("metrics");
    let noise = "[action.noise]\neffects = [\"world.unrest += 0\", \"world.hope *= 1\"]\n\
                 [process.noise]\nwho = \"red\"\nhazard = 20\naction = \"noise\"\n[action.silence]";
    let noisy = edited("metrics", &[("[action.silence]", noise)]);
    let (mut quiet, mut noisy) = (Runs::new(&quiet, 1), Runs::new(&noisy, 1));
    quiet.run(0, &mut Unobserved);
    noisy.run(0, &mut Unobserved);
    assert!(noisy.state.events() > 400);
    for metric in quiet.model.metrics() {
        let (a, b) = (quiet.metric(metric.id()), noisy.metric(metric.id()));
        assert!(
            a == b || (a - b).abs() < 1e-11,
            "{}: {a} and {b}",
            metric.id()
        );
    }
}
