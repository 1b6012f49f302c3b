use super::*;
use crate::stats::special::beta_quantile;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const RUNS_PER_WORLD: u32 = 50;

/// An endgame's source of runs, plain or clustered, that grows on demand.
struct Source {
    /// World probabilities to draw from; a single one makes plain runs.
    table: Vec<f64>,
    truth: f64,
}

impl Source {
    fn new(p: f64, correlation: f64) -> Self {
        if correlation == 0.0 {
            return Self {
                table: vec![p],
                truth: p,
            };
        }
        let size = 1.0 / correlation - 1.0;
        let levels = (0..2000).map(|i| (f64::from(i) + 0.5) / 2000.0);
        let table: Vec<f64> = levels
            .map(|u| beta_quantile(p * size, (1.0 - p) * size, u))
            .collect();
        let truth = table.iter().sum::<f64>() / table.len() as f64;
        Self { table, truth }
    }

    fn grow(&self, histogram: &mut WorldHistogram, runs: u64, rng: &mut ChaCha8Rng) {
        let runs_per_world = histogram.runs_per_world();
        while histogram.runs() < runs {
            let p = self.table[rng.random_range(0..self.table.len())];
            let hits = (0..runs_per_world).filter(|_| rng.random::<f64>() < p);
            histogram.add(hits.count() as u32);
        }
    }

    fn is_plain(&self) -> bool {
        self.table.len() == 1
    }
}

struct Outcome {
    covered: bool,
    reached: bool,
    runs: u64,
    stage: u32,
}

fn sample<'a>(source: &Source, histogram: &'a WorldHistogram) -> Sample<'a> {
    if source.is_plain() {
        Sample::Independent {
            occurrences: (0..).zip(histogram.counts()).map(|(k, &h)| k * h).sum(),
            runs: histogram.runs(),
        }
    } else {
        Sample::Clustered(histogram)
    }
}

fn follow(plan: &PrecisionPlan, source: &Source, rng: &mut ChaCha8Rng) -> Outcome {
    let mut histogram = WorldHistogram::new(RUNS_PER_WORLD);
    let mut look = plan.first_look();
    loop {
        source.grow(&mut histogram, look.runs, rng);
        let sample = sample(source, &histogram);
        match plan.observe(look, &[sample]) {
            Decision::ContinueTo(next) => {
                assert!(next.runs > look.runs);
                look = next;
            }
            Decision::Stop { level, reached } => {
                return Outcome {
                    covered: sample.interval(level).contains(source.truth),
                    reached,
                    runs: look.runs,
                    stage: look.stage,
                };
            }
        }
    }
}

/// The mutant: a look at the 95 % interval every hundred runs that stops when the interval lies
/// wholly on one side of a value of interest, here the truth.
fn peek(source: &Source, rng: &mut ChaCha8Rng) -> bool {
    let mut histogram = WorldHistogram::new(RUNS_PER_WORLD);
    for runs in (100..=10_000).step_by(100) {
        source.grow(&mut histogram, runs, rng);
        if !sample(source, &histogram)
            .interval(0.95)
            .contains(source.truth)
        {
            return false;
        }
    }
    true
}

fn plan(width: f64) -> PrecisionPlan {
    PrecisionPlan::new(width, 0.95, 1000, 10_000_000, 100).unwrap()
}

#[test]
#[ignore = "prints the table of the module's documentation"]
fn print_coverage() {
    let repetitions = 6000u32;
    for (kind, correlation) in [("independent", 0.0), ("clustered", 0.05)] {
        for width in [0.02, 0.01] {
            for p in [0.5, 0.2, 0.05, 0.01] {
                let source = Source::new(p, correlation);
                let mut rng =
                    ChaCha8Rng::seed_from_u64(900_000 + (p * 1000.0 + width * 1e6) as u64);
                let (mut covered, mut extra, mut runs) = (0, 0, 0);
                for _ in 0..repetitions {
                    let outcome = follow(&plan(width), &source, &mut rng);
                    covered += u32::from(outcome.covered);
                    extra += u32::from(outcome.stage > 1);
                    runs += outcome.runs;
                    assert!(outcome.reached);
                }
                let share = |n: u32| f64::from(n) / f64::from(repetitions);
                println!(
                    "//! | {kind} | {width} | {p} | {:.3} | {} | {:.3} |",
                    share(covered),
                    runs / u64::from(repetitions),
                    share(extra)
                );
            }
        }
    }
}

#[test]
fn coverage_at_the_stopping_time_and_the_mutant_that_peeks() {
    let source = Source::new(0.2, 0.0);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let repetitions = 1000;
    let coarse = PrecisionPlan::new(0.05, 0.95, 200, 100_000, 50).unwrap();
    let covered = (0..repetitions)
        .filter(|_| follow(&coarse, &source, &mut rng).covered)
        .count() as f64
        / f64::from(repetitions);
    // 93 % to 97 %, widened by two and a half standard errors of the share.
    assert!(
        covered > 0.93 - 0.017 && covered < 0.97 + 0.013,
        "{covered}"
    );
    let kept = (0..200).filter(|_| peek(&source, &mut rng)).count() as f64 / 200.0;
    assert!(kept < 0.93 - 0.017, "{kept}");
}

#[test]
fn clustered_coverage_needs_the_clusters() {
    let source = Source::new(0.2, 0.05);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let repetitions = 400;
    let coarse = PrecisionPlan::new(0.05, 0.95, 1000, 1_000_000, 50).unwrap();
    let (mut covered, mut unclustered) = (0, 0);
    for _ in 0..repetitions {
        covered += u32::from(follow(&coarse, &source, &mut rng).covered);
        // The mutant takes runs of a world as independent: it stops early and misses often.
        let mut histogram = WorldHistogram::new(RUNS_PER_WORLD);
        source.grow(&mut histogram, 1000, &mut rng);
        let hits = (0..).zip(histogram.counts()).map(|(k, &h)| k * h).sum();
        unclustered += u32::from(wilson(hits, 1000, 0.95).contains(source.truth));
    }
    let share = |n: u32| f64::from(n) / f64::from(repetitions);
    assert!(share(covered) > 0.93 - 0.03, "{}", share(covered));
    assert!(share(unclustered) < 0.93 - 0.03, "{}", share(unclustered));
}

#[test]
fn spending_never_exceeds_the_error() {
    let plan = plan(0.02);
    let spent: f64 = (1..40).map(|stage| plan.alpha(stage)).sum();
    assert!(spent <= 0.05 + 1e-12 && spent > 0.0499);
    assert_eq!(plan.alpha(0), plan.alpha(1));
}

#[test]
fn sizes_follow_the_granularity_and_the_largest_number() {
    let plan = PrecisionPlan::new(0.001, 0.95, 930, 25_000, 100).unwrap();
    assert_eq!(plan.first_look().runs, 1000);
    let half = |runs| Sample::Independent {
        occurrences: runs / 2,
        runs,
    };
    let Decision::ContinueTo(next) = plan.observe(plan.first_look(), &[half(1000)]) else {
        panic!("a pilot of 1000 cannot reach 0.001");
    };
    assert_eq!(next.runs, 25_000);
    let decision = plan.observe(next, &[half(25_000)]);
    assert!(matches!(decision, Decision::Stop { reached: false, .. }));
}

#[test]
fn the_widest_interval_decides() {
    let plan = plan(0.05);
    let rare = Sample::Independent {
        occurrences: 1,
        runs: 1000,
    };
    let even = Sample::Independent {
        occurrences: 500,
        runs: 1000,
    };
    let look = plan.first_look();
    assert!(matches!(
        plan.observe(look, &[rare]),
        Decision::Stop { reached: true, .. }
    ));
    let Decision::ContinueTo(next) = plan.observe(look, &[rare, even]) else {
        panic!("an even endgame needs more than 1000 runs");
    };
    assert_eq!(next.stage, 1);
    // z(0.9775)^2 / 0.05^2 = 1607, less a little for Wilson's shrinkage.
    assert!((1600..=1700).contains(&next.runs), "{next:?}");
    assert!(matches!(
        plan.observe(look, &[]),
        Decision::Stop { reached: true, .. }
    ));
}

#[test]
fn without_complete_worlds_the_plan_goes_on() {
    let empty = WorldHistogram::new(50);
    let plan = PrecisionPlan::new(0.02, 0.95, 10, 5000, 10).unwrap();
    let decision = plan.observe(plan.first_look(), &[Sample::Clustered(&empty)]);
    assert!(matches!(decision, Decision::ContinueTo(look) if look.runs == 5000));
}

#[test]
fn impossible_plans_are_refused() {
    let new = PrecisionPlan::new;
    assert_eq!(new(0.0, 0.95, 1, 1, 1), Err(PlanError::TargetWidth(0.0)));
    assert!(new(f64::NAN, 0.95, 1, 1, 1).is_err());
    assert_eq!(new(0.1, 1.0, 1, 1, 1), Err(PlanError::Level(1.0)));
    assert_eq!(
        new(0.1, 0.9, 1, 1, 0),
        Err(PlanError::NoRuns("granularity"))
    );
}
