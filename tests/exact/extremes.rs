//! The ends of the range: half-lives of a millionth and a million of days, stocks at their bounds, the longest horizon, ties.

use crate::support::*;
use flashpoint::engine::{Ending, Unobserved};
use flashpoint::formula::Role;
use flashpoint::math::{exp, ln};
use flashpoint::stats::hypothesis::z_test;
use flashpoint::stats::moments::Moments;

/// A scenario with one group, and the rest.
fn one_group(horizon: f64, rest: &str) -> String {
    format!(
        "[scenario]\nstart = 2024-01-01\nhorizon = {horizon}\n[actor.group]\nkind = \"group\"\n\
         [metric.attacks]\ncount = \"attack\"\n[[endgame]]\nid = \"any\"\n[action.attack]\n{rest}"
    )
}

fn counts(model: &flashpoint::model::Model, runs: u64) -> Vec<f64> {
    let mut all = Runs::new(model, 1);
    let count = |run| {
        all.run(run, &mut Unobserved);
        all.metric("attacks")
    };
    (0..runs).map(count).collect()
}

fn moments_of(sample: &[f64]) -> Moments {
    let mut moments = Moments::new();
    sample.iter().for_each(|&x| moments.add(x));
    moments
}

/// Half of all offspring within a microsecond or so: clusters of mean size 2 and counts of mean m t / (1 - n) and variance
/// m t / (1 - n)^3 (Hawkes and Oakes 1974).
#[test]
fn a_half_life_of_a_millionth_of_a_day() {
    let model = edited(
        "hawkes",
        &[
            ("value = 1.6", "value = 1e6"),
            ("value = 0.8", "value = 5e5"),
        ],
    );
    let counts = counts(&model, 10_000);
    accepts("mean", z_test(&moments_of(&counts), 20.0, 80_f64.sqrt()));
    rejects(
        "no offspring",
        z_test(&moments_of(&counts), 10.0, 80_f64.sqrt()),
    );
    let variance = moments_of(&counts).variance().expect("runs");
    assert!((variance - 80.0).abs() < 6.0, "{variance}");
}

/// Next to no decay: births with immigration, whose number is negative binomial with r = m / a and p = exp(-a t)
/// (Kendall, Biometrika 35, 1948).
#[test]
fn a_half_life_of_a_million_days() {
    let model = edited(
        "hawkes",
        &[
            ("value = 1.6", "value = 1e-6"),
            ("value = 0.8", "value = 0.05"),
        ],
    );
    let counts = tally(counts(&model, 10_000).into_iter().map(|n| n as usize), 80);
    let negative_binomial = |jump: f64| -> Vec<f64> {
        let (r, p) = (0.5 / jump, exp(-jump * 20.0));
        let mut cell = exp(r * ln(p));
        let mut cells = Vec::new();
        for k in 0..80 {
            cells.push(cell);
            cell *= (r + f64::from(k)) / f64::from(k + 1) * (1.0 - p);
        }
        cells
    };
    accepts("births", frequencies(&counts, &negative_binomial(0.05)));
    rejects("without births", frequencies(&counts, &poisson(10.0, 80)));
    rejects(
        "weaker births",
        frequencies(&counts, &negative_binomial(0.045)),
    );
}

#[test]
fn half_lives_that_floating_point_can_barely_hold() {
    for half_life in ["1e-15", "1e-300", "5e-324", "1e300"] {
        let hazard = "0.1 + min(1, self.heat * self.cold)";
        let model = inline(&one_group(
            365.0,
            &format!(
                "effects = [\"self.heat += 1\", \"self.cold += 1\"]\n\
                 [stock.heat]\nof = \"actor\"\ninitial = 0\nhalf_life = {half_life}\n\
                 [stock.cold]\nof = \"actor\"\ninitial = 0\nbaseline = 0.01\nhalf_life = 3\n\
                 [process.p]\nwho = \"group\"\nhazard = \"{hazard}\"\naction = \"attack\"\n\
                 [metric.mean]\ntime_mean = \"group.heat\"\n\
                 [metric.hot]\ntime_above = {{ of = \"group.heat\", level = 0.5 }}"
            ),
        ));
        let mut runs = Runs::new(&model, 1);
        for run in 0..20 {
            runs.run(run, &mut Unobserved);
            assert_eq!(runs.state.ending(), Some(Ending::Horizon), "{half_life}");
            assert!(runs.metric("mean").is_finite() && runs.metric("hot").is_finite());
        }
    }
}

/// A fast and a slow stock in one hazard: Lambda(t) is the sum of both integrals.
#[test]
fn fast_and_slow_stocks_in_one_hazard() {
    let model = inline(&one_group(
        100.0,
        "[stock.flash]\nof = \"actor\"\ninitial = 300\nbaseline = 0\nhalf_life = 0.01\n\
         [stock.glow]\nof = \"actor\"\ninitial = 0\nbaseline = 0.2\nhalf_life = 50\n\
         [process.p]\nwho = \"group\"\nhazard = \"self.flash + self.glow\"\naction = \"attack\"",
    ));
    let part = |x: f64, b: f64, half_life: f64, t: f64| {
        let d = ln(2.0) / half_life;
        b * t + (x - b) * (1.0 - exp(-d * t)) / d
    };
    let compensator = |t: f64| part(300.0, 0.0, 0.01, t) + part(0.0, 0.2, 50.0, t);
    let observed = tally(counts(&model, 10_000).into_iter().map(|n| n as usize), 60);
    accepts(
        "counts",
        frequencies(&observed, &poisson(compensator(100.0), 60)),
    );
    let slow_only = part(0.0, 0.2, 50.0, 100.0);
    rejects(
        "flash missed",
        frequencies(&observed, &poisson(slow_only, 60)),
    );
    let mut runs = Runs::new(&model, 2);
    let times: Vec<f64> = (0..500).flat_map(|run| runs.record(run).times()).collect();
    let rescaled: Vec<f64> = times
        .iter()
        .map(|&t| compensator(t) / compensator(100.0))
        .collect();
    accepts("times", uniform(&rescaled));
}

/// Pushed far beyond its maximum a stock stands on it, and its hazard, which has a root there, starts from 0.
#[test]
fn a_stock_at_its_maximum_while_it_relaxes() {
    let model = inline(&one_group(
        20_000.0,
        "effects = [\"self.level += 5\"]\n\
         [stock.level]\nof = \"actor\"\ninitial = 1\nbaseline = 0.3\nhalf_life = 2\nmin = 0\nmax = 1\n\
         [process.p]\nwho = \"group\"\nhazard = \"sqrt(1 - self.level)\"\naction = \"attack\"\n\
         [metric.peak]\npeak = \"group.level\"",
    ));
    let mut runs = Runs::new(&model, 1);
    let waits = gaps(&runs.record(0).times());
    assert_eq!(runs.metric("peak"), 1.0);
    let residual = |&wait: &f64| {
        integral(
            |s| (1.0 - relaxed(1.0, 0.3, 2.0, s)).max(0.0).sqrt(),
            0.0,
            wait,
            200,
        )
    };
    let residuals: Vec<f64> = waits.iter().map(residual).collect();
    accepts("from the maximum", exponential(&residuals, 1.0));
    rejects("no memory", exponential(&waits, 1.0 / 0.7_f64.sqrt()));
}

/// 0.7 + (0.1 - 0.7) is not 0.1 in floating point, but a stock that is set to 0.1 is.
#[test]
fn a_stock_has_the_value_to_which_it_is_set() {
    let model = inline(
        &(one_group(
            10.0,
            "[stock.x]\nof = \"world\"\ninitial = 0.5\nbaseline = 0.7\nhalf_life = 5\n\
             [stock.seen]\nof = \"world\"\ninitial = 0\n\
             [metric.seen]\nfinal = \"world.seen\"\n\
             [metric.low]\nlow = \"world.x\"\n\
             [metric.below]\ntime_below = { of = \"world.x\", level = 0.1 }\n\
             [metric.first]\nfirst_below = { of = \"world.x\", level = 0.1 }\n\
             [process.p]\nwho = \"group\"\nhazard = 0\naction = \"attack\"\n\
             [[calendar]]\nid = \"set\"\nday = 3\neffects = [\"world.x = 0.1\"]\n\
             [[calendar]]\nid = \"look\"\nday = 3\nwhen = \"world.x == 0.1\"\neffects = [\"world.seen = 1\"]\n",
        )),
    );
    let mut runs = Runs::new(&model, 1);
    runs.run(0, &mut Unobserved);
    assert_eq!(runs.metric("seen"), 1.0);
    assert_eq!(runs.metric("low"), 0.1);
    assert_eq!(runs.metric("below"), 0.0);
    assert_eq!(runs.metric("first"), f64::INFINITY);
}

#[test]
fn the_longest_horizon_and_an_event_on_it() {
    let model = inline(&one_group(
        100_000.0,
        "[process.p]\nwho = \"group\"\nhazard = 1e-4\naction = \"attack\"\n\
         [action.end]\n[metric.end]\nfirst = \"end\"\n\
         [[calendar]]\nid = \"last\"\nday = 100000\naction = \"end\"\nactor = \"group\"",
    ));
    let observed = tally(counts(&model, 5_000).into_iter().map(|n| n as usize), 30);
    accepts("counts", frequencies(&observed, &poisson(10.0, 30)));
    rejects(
        "a day in ten missed",
        frequencies(&observed, &poisson(9.0, 30)),
    );
    let mut runs = Runs::new(&model, 1);
    runs.run(0, &mut Unobserved);
    assert_eq!(runs.metric("end"), 100_000.0);
}

/// One process of a set is a clock for each actor, on that actor's own stocks, patron and rung.
#[test]
fn every_actor_of_a_set_has_its_own_clock() {
    let model = inline(
        "[scenario]\nstart = 2024-01-01\nhorizon = 40\n\
         [actor.patron]\nkind = \"state\"\n[actor.cell]\nkind = \"proxy\"\npatron = \"patron\"\ncount = 3\n\
         [ladder]\n[[ladder.rung]]\nid = \"calm\"\n[[ladder.rung]]\nid = \"war\"\n\
         [stock.zeal]\nof = \"actor\"\ninitial = { cell_1 = 1, cell_2 = 2, cell_3 = 4 }\n\
         [stock.support]\nof = \"actor\"\ninitial = { patron = 0 }\n\
         [action.attack]\n[action.break]\n[[action.break.rung]]\nbetween = [\"self\", \"target\"]\nat_least = \"war\"\n\
         [process.attacks]\nwho = \"cell\"\nhazard = \"20 * self.zeal * patron(self).support * (1 - rung[self, patron(self)])\"\naction = \"attack\"\n\
         [[calendar]]\nid = \"support\"\nday = 10\neffects = [\"patron.support = 1\"]\n\
         [[calendar]]\nid = \"break\"\nday = 30\naction = \"break\"\nactor = \"patron\"\ntarget = \"cell_3\"\n\
         [metric.attacks]\ncount = \"attack\"\n[[endgame]]\nid = \"any\"\n",
    );
    let record = Runs::new(&model, 1).record(0);
    let attacks = |from: f64, to: f64| {
        let within = record
            .events
            .iter()
            .filter(move |e| e.action == 0 && e.time >= from && e.time < to);
        tally(within.map(|e| who(e, Role::Perpetrator) as usize - 1), 3)
    };
    assert_eq!(attacks(0.0, 10.0), [0, 0, 0], "no support");
    accepts(
        "support",
        frequencies(&attacks(10.0, 30.0), &[1.0, 2.0, 4.0]),
    );
    rejects(
        "shared zeal",
        frequencies(&attacks(10.0, 30.0), &[1.0, 1.0, 1.0]),
    );
    // Broken with, the third is done.
    accepts(
        "broken",
        frequencies(&attacks(30.0, 41.0), &[1.0, 2.0, 0.0]),
    );
    let total: u64 = attacks(10.0, 30.0).iter().sum();
    assert!((total as f64 - 2_800.0).abs() < 4.0 * 2_800_f64.sqrt());
}

/// Answers of several rules that are due at the same moment come in the order in which they were chosen.
#[test]
fn ties_follow_the_order_of_choice() {
    let rule = |id: &str, effect: &str, delay: &str| {
        format!(
            "[action.{id}]\neffects = [\"{effect}\"]\n[rule.{id}]\nwho = \"group\"\non = \"attack\"\nas = \"any\"\n\
             [[rule.{id}.option]]\nid = \"o\"\naction = \"{id}\"\ndelay = {delay}\n"
        )
    };
    let tail = "[stock.x]\nof = \"world\"\ninitial = 1\n[metric.x]\nfinal = \"world.x\"\n\
                [[calendar]]\nid = \"c\"\nday = 1\naction = \"attack\"\nactor = \"group\"\n";
    let result = |first: &str, second: &str| {
        let model = inline(&one_group(9.0, &format!("{first}{second}{tail}")));
        let mut runs = Runs::new(&model, 1);
        runs.run(0, &mut Unobserved);
        runs.metric("x")
    };
    let (add, double) = (
        rule("add", "world.x += 3", "2"),
        rule("double", "world.x *= 2", "2"),
    );
    assert_eq!(result(&add, &double), 8.0);
    assert_eq!(result(&double, &add), 5.0);
    let sooner = rule("double", "world.x *= 2", "1.999");
    assert_eq!(result(&add, &sooner), 5.0);
}

/// A large hazard that is switched on late, and off by the first event: one event, at once when it may come.
#[test]
fn a_hazard_that_is_switched_on_late_is_met_when_it_comes() {
    let model = inline(&one_group(
        365.0,
        r#"
effects = ["self.done = 1"]
[stock.done]
of = "actor"
initial = 0
[process.attacks]
who = "group"
hazard = "1e6 if time > 100 and self.done < 1 else 0"
action = "attack"
"#,
    ));
    let mut runs = Runs::new(&model, 1);
    for run in 0..20 {
        let times = runs.record(run).times_of(0);
        assert_eq!(times.len(), 1, "run {run}");
        assert!((100.0..100.001).contains(&times[0]), "run {run}: {times:?}");
    }
}

/// A stock that hardly moves has the mean of one that does not.
#[test]
fn the_mean_through_time_of_a_stock_that_hardly_moves() {
    let mean = |half_life: &str| {
        let model = inline(&one_group(
            10.0,
            &format!(
                r#"
effects = ["self.level += 1"]
[stock.level]
of = "actor"
initial = 1
baseline = 0
half_life = {half_life}
[process.attacks]
who = "group"
hazard = 0.5
action = "attack"
[metric.mean]
time_mean = "group.level"
"#
            ),
        ));
        let mut runs = Runs::new(&model, 1);
        runs.run(3, &mut Unobserved);
        runs.metric("mean")
    };
    let still = mean("inf");
    assert!(still > 1.0);
    for half_life in ["1e15", "1e18", "1e30"] {
        assert!((mean(half_life) - still).abs() < 1e-9, "{half_life}");
    }
}
