//! Properties that hold across methods: coverage of intervals and the same bits for any threads.

use super::discovery::{CartSettings, PrimSettings, cart, prim};
use super::given::Table;
use super::hash::{child, unit};
use super::testbed::*;
use super::*;

/// Shares of studies whose interval holds the truth, one for each quantity, and the same for the
/// mutant interval of half the width.
fn coverage(
    studies: u64,
    quantities: impl Fn(u64) -> Vec<(Estimate, f64)>,
) -> (Vec<f64>, Vec<f64>) {
    let mut covered = Vec::new();
    let mut halved = Vec::new();
    for seed in 0..studies {
        let pairs = quantities(seed);
        covered.resize(pairs.len(), 0.0);
        halved.resize(pairs.len(), 0.0);
        for (i, (e, truth)) in pairs.iter().enumerate() {
            let share = 1.0 / studies as f64;
            covered[i] += if e.low <= *truth && *truth <= e.high {
                share
            } else {
                0.0
            };
            let near = (e.value - truth).abs() <= 0.25 * e.width();
            halved[i] += if near { share } else { 0.0 };
        }
    }
    (covered, halved)
}

/// 400 studies: a binomial with p = 0.95 is outside [0.905, 0.98] with probability below 1e-3.
fn assert_covers(name: &str, (covered, halved): (Vec<f64>, Vec<f64>)) {
    eprintln!("{name} {covered:.3?}");
    assert!(
        covered.iter().all(|r| (0.905..=0.98).contains(r)),
        "{name} {covered:?}"
    );
    assert!(halved.iter().all(|r| *r < 0.9), "{name} {halved:?}");
}

/// The category is 1 with probability x1 / 2 + x2 / 4, else 0: p = 3/8, D = 2 p (1 - p) = 15/32.
/// First order: 2 Var(x1 / 2) / D = 4/45 and 2 Var(x2 / 4) / D = 1/45. With the chance shared, the
/// category changes with probability E|dx1| / 2 = 1/6 (total 16/45) and 1/12 (8/45). Noise:
/// 2 E[q (1 - q)] / D with E[q^2] = 9/64 + 1/48 + 1/192 = 1/6, so 2 (3/8 - 1/6) / D = 8/9.
#[test]
fn kernel_intervals_cover() {
    let model = |x: &[f64], key: u64| -> Outcome {
        let q = 0.5 * x[0] + 0.25 * x[1];
        Ok(f64::from(u8::from(unit(child(key, 0)) < q)))
    };
    let rates = coverage(400, |seed| {
        let plan = SobolPlan {
            points: 64,
            seed,
            mean_total: false,
            ..SobolPlan::default()
        };
        let design = SobolDesign::new(uniform(2, 0.0, 1.0), plan).unwrap();
        let outcomes = run(&design, 0..design.rows(), &model);
        let k = kernel_indices(&design, &outcomes, Kernel::Category, 0.95).unwrap();
        vec![
            (k.columns[0].first, 4.0 / 45.0),
            (k.columns[1].first, 1.0 / 45.0),
            (k.columns[0].joint_total, 16.0 / 45.0),
            (k.columns[1].joint_total, 8.0 / 45.0),
            (k.noise_share, 8.0 / 9.0),
            (k.spread, 15.0 / 32.0),
            (k.dummy_first, 0.0),
        ]
    });
    assert_covers("kernel", rates);
}

#[test]
fn shapley_intervals_cover() {
    let rates = coverage(400, |seed| {
        let plan = ShapleyPlan {
            scrambles: 8,
            points: 64,
            chance: true,
            seed,
        };
        let design = ShapleyDesign::new(uniform(2, -1.0, 1.0), plan).unwrap();
        let outcomes = run(&design, 0..design.rows(), &interacting_noise);
        let s = shapley_effects(&design, &outcomes, 0.95).unwrap();
        vec![
            (s.columns[0].1, 0.25),
            (s.columns[1].1, 1.0 / 3.0),
            (s.chance.unwrap(), 5.0 / 12.0),
            (s.variance, 4.0),
        ]
    });
    assert_covers("shapley", rates);
}

/// x1 on (-1, 1) has the effects 2 + 4 w1, w1 standard normal: mu 2, sigma 4, and
/// mu* = E|N(2, 4^2)| = 4 sqrt(2/pi) exp(-1/8) + 2 (1 - 2 Phi(-1/2)) = 3.58237.
#[test]
fn morris_intervals_cover() {
    let rates = coverage(400, |seed| {
        let steps = Steps::Levels(4);
        let plan = MorrisPlan {
            scrambles: 8,
            points: 16,
            steps,
            second_chance: true,
            seed,
        };
        let design = MorrisDesign::new(uniform(2, -1.0, 1.0), plan).unwrap();
        let outcomes = run(&design, 0..design.rows(), &interacting_noise);
        let m = morris_effects(&design, &outcomes, 0.95).unwrap();
        let x1 = &m.factors[0];
        vec![
            (x1.mu, 2.0),
            (x1.mu_star, 3.582_372),
            (x1.sigma, 4.0),
            (x1.mean_effect_variance.unwrap(), 0.0),
        ]
    });
    assert_covers("morris", rates);
}

#[test]
fn same_bits_for_any_number_of_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let plan = SobolPlan {
                points: 200,
                ..SobolPlan::default()
            };
            let sobol = SobolDesign::new(ishigami_factors(), plan).unwrap();
            let outcomes = run(&sobol, 0..sobol.rows(), &noisy_ishigami);
            let kernel = kernel_indices(&sobol, &outcomes, Kernel::Energy, 0.95).unwrap();
            let plan = MorrisPlan {
                scrambles: 4,
                points: 300,
                steps: Steps::Radial,
                second_chance: true,
                seed: 1,
            };
            let design = MorrisDesign::new(ishigami_factors(), plan).unwrap();
            let outcomes = run(&design, 0..design.rows(), &noisy_ishigami);
            let morris = morris_effects(&design, &outcomes, 0.95).unwrap();
            let plan = ShapleyPlan {
                scrambles: 4,
                points: 300,
                chance: true,
                seed: 1,
            };
            let design = ShapleyDesign::new(ishigami_factors(), plan).unwrap();
            let outcomes = run(&design, 0..design.rows(), &noisy_ishigami);
            let shapley = shapley_effects(&design, &outcomes, 0.95).unwrap();
            let design = Sample::sobol(ishigami_factors(), 700, 1).unwrap();
            let outcomes = run(&design, 0..design.rows(), &noisy_ishigami);
            let table = Table::of_design(&design, &outcomes).unwrap();
            let table = table
                .map_output(|y| crate::math::logistic(y - 8.0))
                .unwrap();
            let boxes = prim(&table, &PrimSettings::default()).unwrap();
            let tree = cart(&table, &CartSettings::default()).unwrap();
            (kernel, morris, shapley, boxes, tree)
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(7));
}
