use std::sync::atomic::{AtomicBool, AtomicU64};

use super::*;
use crate::experiment::comparison::Contrast;
use crate::experiment::fixture::{RIVALS, model_of, rivals};
use crate::experiment::subject::Quantity;
use crate::experiment::{Progress, WorldSource};

static NEVER: AtomicBool = AtomicBool::new(false);

fn control(threads: usize) -> Control<'static> {
    Control {
        threads,
        stop: &NEVER,
        progress: &(),
    }
}

fn plan(worlds: WorldSource, first_run: u64, runs: u64) -> Plan {
    Plan {
        seed: 7,
        first_run,
        runs,
        worlds,
    }
}

fn compare(models: &[Model], plan: &Plan, threads: usize) -> PairedReplication {
    replicate_paired(&models[0], &models[1..], plan, &control(threads)).unwrap()
}

/// A toss decided by a calendar entry of probability `p`, which is `base` or `base + gain`.
const TOSS: &str = r#"
[scenario]
title = "A toss"
start = 2024-01-01
horizon = 10
runs_per_world = 10
[parameter.base]
value = 0.3
basis = "assumption"
#prior = { dist = "uniform", low = 0.1, high = 0.5 }
[parameter.gain]
value = 0
basis = "assumption"
[parameter.size]
value = 2
basis = "assumption"
[actor.a]
kind = "state"
[action.heads]
[[calendar]]
id = "toss"
day = 1
probability = "base + gain * base"
actor = "a"
action = "heads"
[metric.day]
first = ["heads"]
[metric.sum]
final = "size"
[[endgame]]
id = "heads"
when = "day < 5"
[[endgame]]
id = "tails"
"#;

fn toss(gain: &str, priors: bool) -> Model {
    let text = if priors {
        TOSS.replace("#prior", "prior")
    } else {
        TOSS.to_owned()
    };
    model_of(&text.replacen("value = 0\n", &format!("value = {gain}\n"), 1))
}

#[test]
fn a_known_difference_with_its_variance_reduction() {
    // Common random numbers: a run gains heads exactly when its uniform lies between 0.3 and 0.36.
    let models = [toss("0", false), toss("0.2", false)];
    let done = compare(&models, &plan(WorldSource::Defaults, 0, 20_000), 2);
    let contrasts = done.variants[0].comparison.contrasts();
    let Contrast::Indicator(heads) = &contrasts[0] else {
        panic!("{contrasts:?}");
    };
    assert_eq!(heads.pairs().only_baseline, 0);
    let found = heads.difference(0.999).unwrap();
    assert!(found.interval.contains(0.06), "{found:?}");
    let expected = (0.3 * 0.7 + 0.36 * 0.64) / (0.06 * 0.94);
    assert!((found.variance_reduction.unwrap() / expected - 1.0).abs() < 0.1);
    // A day that never came counts as the horizon: E = p + 10 (1 - p), so the difference is -9 x 0.06.
    let Contrast::Mean(day) = &contrasts[2] else {
        panic!("{contrasts:?}");
    };
    assert!(day.difference(0.999).unwrap().interval.contains(-0.54));
    // The mutant: other random numbers for the variant. The difference stands, the reduction is gone.
    let apart = Plan {
        first_run: 20_000,
        ..plan(WorldSource::Defaults, 0, 20_000)
    };
    let (_, mut other) = stage_of(&models[1], &apart, &control(2)).unwrap().unwrap();
    other.first_run = 0;
    let (_, rows) = stage_of(
        &models[0],
        &plan(WorldSource::Defaults, 0, 20_000),
        &control(2),
    )
    .unwrap()
    .unwrap();
    let common = &done.variants[0].common;
    let mut independent = Comparison::new(common, None);
    independent.add(common, (&models[0], &rows), (&models[1], &other));
    let Contrast::Indicator(heads) = &independent.contrasts()[0] else {
        panic!();
    };
    let found = heads.difference(0.999).unwrap();
    assert!((found.variance_reduction.unwrap() - 1.0).abs() < 0.1);
}

#[test]
fn worlds_are_shared_and_the_band_is_that_of_the_difference() {
    // In each world the gain is a fifth of the base, uniform from 0.02 to 0.1.
    let models = [toss("0", true), toss("0.2", true)];
    let done = compare(&models, &plan(WorldSource::Priors, 0, 40_000), 2);
    let Contrast::Indicator(heads) = &done.variants[0].comparison.contrasts()[0] else {
        panic!();
    };
    assert_eq!(heads.worlds(), Some(4000));
    assert!(heads.difference(0.999).unwrap().interval.contains(0.06));
    let band = heads.band(0.9).unwrap();
    assert!(
        (band.low - 0.024).abs() < 0.02 && (band.high - 0.096).abs() < 0.025,
        "{band:?}"
    );
}

#[test]
fn the_runs_are_those_of_each_model_alone() {
    let base = rivals();
    let changed = model_of(&RIVALS.replace("runs_per_world = 8", "runs_per_world = 5"));
    let changed = changed.with_parameter(1, 0.9);
    for worlds in [WorldSource::Defaults, WorldSource::Priors] {
        let plan = plan(worlds, 0, 4800);
        let done = compare(&[base.clone(), changed.clone()], &plan, 2);
        assert_eq!((done.completed_runs, done.interrupted), (4800, false));
        let alone = replicate(&base, &plan, &control(1), None).unwrap();
        assert_eq!(done.baseline, alone.summary);
        let aligned = changed.with_runs_per_world(8);
        let alone = replicate(&aligned, &plan, &control(1), None).unwrap();
        assert_eq!(done.variants[0].summary, alone.summary);
        for (contrast, quantity) in
            (done.variants[0].comparison.contrasts().iter()).zip(&done.variants[0].common)
        {
            if let (Contrast::Indicator(indicator), Quantity::Endgame(i)) =
                (contrast, quantity.baseline)
            {
                let counts = (indicator.pairs().baseline(), indicator.pairs().variant());
                let totals = (&done.baseline, &done.variants[0].summary);
                let of = |summary: &Summary| summary.totals().endgames[i];
                assert_eq!(counts, (of(totals.0), of(totals.1)));
            }
        }
    }
}

#[test]
fn threads_stages_and_merging_change_nothing() {
    let models = [rivals(), rivals().with_parameter(1, 0.2)];
    let whole = compare(&models, &plan(WorldSource::Priors, 0, 6400), 1);
    assert_eq!(
        compare(&models, &plan(WorldSource::Priors, 0, 6400), 3),
        whole
    );
    let parts = [(3200, 3200), (0, 800), (800, 2400)];
    let parts = parts.map(|(first, runs)| {
        let done = compare(&models, &plan(WorldSource::Priors, first, runs), 2);
        done.variants[0].comparison.clone()
    });
    let mut merged = parts[0].clone();
    parts[1..].iter().for_each(|part| merged.merge(part));
    assert_eq!(merged, whole.variants[0].comparison);
    let sent = serde_json::to_string(&merged).unwrap();
    assert_eq!(serde_json::from_str::<Comparison>(&sent).unwrap(), merged);
}

#[test]
fn a_stop_leaves_whole_stages_of_all_models() {
    let models = [rivals(), rivals().with_parameter(1, 0.2)];
    // Both models need three whole stages, and the fourth is begun.
    struct After(AtomicBool, AtomicU64);
    impl Progress for After {
        fn advanced(&self, runs: u64) {
            let made = self.1.fetch_add(runs, Ordering::Relaxed) + runs;
            self.0.store(made > 2 * 3 * STAGE, Ordering::Relaxed);
        }
    }
    let after = After(AtomicBool::new(false), AtomicU64::new(0));
    let control = Control {
        stop: &after.0,
        progress: &after,
        ..control(2)
    };
    let plan = plan(WorldSource::Priors, 0, 1_000_000);
    let done = replicate_paired(&models[0], &models[1..], &plan, &control).unwrap();
    assert!(done.interrupted && done.completed_runs == 3 * STAGE);
    let prefix = Plan {
        runs: done.completed_runs,
        ..plan
    };
    let again = compare(&models, &prefix, 1);
    assert_eq!(again.variants, done.variants);
}

#[test]
fn precision_goes_on_until_every_difference_is_narrow() {
    for priors in [false, true] {
        let models = [toss("0", priors), toss("0.2", priors)];
        let worlds = if priors {
            WorldSource::Priors
        } else {
            WorldSource::Defaults
        };
        let plan = plan(worlds, 0, 1_000_000);
        let precise = |width: f64, most: u64| {
            let looks = PrecisionPlan::new(width, 0.95, 2000, most, 10).unwrap();
            replicate_paired_to_precision(
                &models[0],
                &models[1..],
                &Plan { runs: most, ..plan },
                &looks,
                |_| true,
                &control(2),
            )
            .unwrap()
        };
        let done = precise(0.01, plan.runs);
        assert!(done.reached && done.level >= 0.95, "{:?}", done.looks);
        let made = &done.replication;
        assert!((2000..200_000).contains(&made.completed_runs));
        let Contrast::Indicator(heads) = &made.variants[0].comparison.contrasts()[0] else {
            panic!();
        };
        let interval = heads.difference(done.level).unwrap().interval;
        assert!(
            interval.width() <= 0.01 && interval.contains(0.06),
            "{interval:?}"
        );
        let whole = Plan {
            runs: made.completed_runs,
            ..plan
        };
        assert_eq!(compare(&models, &whole, 1), *made);
        let cramped = precise(0.0001, 3000);
        assert_eq!(
            (cramped.reached, cramped.replication.completed_runs),
            (false, 3000)
        );
    }
}

#[test]
fn outcomes_that_only_one_model_has_are_left_out() {
    let other = model_of(&RIVALS.replace("id = \"tension\"", "id = \"strain\""));
    let common = common_quantities(&rivals(), &other);
    let ids: Vec<&str> = common.iter().map(|q| q.id.as_str()).collect();
    assert_eq!(
        ids,
        ["war", "calm", "angry", "raids", "first_raid", "peak_anger"]
    );
    assert_eq!(common[1].variant, Quantity::Endgame(2));
}

#[test]
fn the_model_that_fails_is_named() {
    let failing = "[metric.bad]\nfinal = \"ln(0.8 - a.anger)\"\n[metric.peak_anger]";
    let failing = model_of(&RIVALS.replace("[metric.peak_anger]", failing));
    let plan = plan(WorldSource::Defaults, 0, 20_000);
    let go = |models: &[Model]| {
        replicate_paired(&models[0], &models[1..], &plan, &control(2)).unwrap_err()
    };
    let error = go(&[rivals(), rivals(), failing.clone()]);
    assert!(
        matches!(error, PairedError::Variant { variant: 1, .. }),
        "{error}"
    );
    assert!(matches!(go(&[failing, rivals()]), PairedError::Baseline(_)));
}
