//! The three explanations of the attacks leave different fingerprints, and none of them makes an endgame certain or
//! impossible.

use flashpoint::experiment::WorldSource;
use rayon::prelude::*;

use super::batch::{Batch, Batches, Case, mean, z_score};

const EXPLANATIONS: [&str; 3] = ["orchestrated", "let-through", "genuine"];
const RUNS: u64 = 3000;

fn differences(batches: &Batches, [a, b]: &[Case; 2], metric: &str) -> Vec<f64> {
    let (a, b) = (batches.get(a).metric(metric), batches.get(b).metric(metric));
    a.iter().zip(&b).map(|(a, b)| a - b).collect()
}

/// An explanation as it is, and with one setting.
fn pair(scenario: &str, setting: &[(&str, f64)]) -> [Case; 2] {
    [Case::new(scenario, &[setting]), Case::new(scenario, &[])]
}

/// A year of many protests: unrest high above its usual level.
const RESTLESS: &[(&str, f64)] = &[("protest_rate", 6.0)];
/// ISKP without its Afghan base.
const WITHOUT_BASE: &[(&str, f64)] = &[("afghan_base", 0.1)];

#[test]
fn the_explanations_leave_different_fingerprints() {
    let settings = [RESTLESS, WITHOUT_BASE];
    let cases = EXPLANATIONS
        .iter()
        .flat_map(|name| settings.iter().flat_map(|set| pair(name, set)));
    let batches = Batches::run(cases.map(|case| (case, RUNS)));
    let change = |name: &str, setting: &[(&str, f64)], metric: &str| {
        let differences = differences(&batches, &pair(name, setting), metric);
        let (mean, z) = (mean(&differences), z_score(&differences));
        println!("{name} {setting:?} {metric}: {mean:+.4}, z = {z:.1}");
        (mean, z)
    };
    let rate = |name, setting| change(name, setting, "later_attacks");

    // Attack rate against unrest: staged attacks follow it most, let-through ones too, genuine ones do not.
    let [staged, let_through, genuine] = EXPLANATIONS.map(|name| rate(name, RESTLESS));
    assert!(staged.1 > 4.0 && let_through.1 > 4.0);
    assert!(genuine.1 < 4.0 && genuine.0 < 0.2 * staged.0.min(let_through.0));

    // Attack rate against the strength of ISKP: the other way round.
    let [staged, let_through, genuine] = EXPLANATIONS.map(|name| rate(name, WITHOUT_BASE));
    assert!(let_through.1 < -4.0 && genuine.1 < -4.0);
    assert!(staged.0.abs() < 0.2 * genuine.0.abs());

    // Foiled share against unrest: it falls only where agencies look away. A staged attack is never foiled.
    let foiled = |name| change(name, RESTLESS, "foiled_share");
    let (let_through, genuine) = (foiled("let-through"), foiled("genuine"));
    assert!(let_through.1 < -4.0 && genuine.1 > -4.0);
    let shares =
        EXPLANATIONS.map(|name| mean(&batches.get(&Case::new(name, &[])).metric("foiled_share")));
    assert!(shares[0] < 0.5 * shares[1].min(shares[2]), "{shares:?}");

    // Targets: leaders are hit only if nobody protects them from above.
    let leaders = EXPLANATIONS.map(|name| {
        let batch = batches.get(&Case::new(name, &[]));
        batch.metric("leaders_hit").iter().sum::<f64>()
    });
    assert_eq!(leaders[..2], [0.0, 0.0]);
    assert!(leaders[2] > 0.0);
}

/// Runs across the priors of each explanation.
const RUNS_ACROSS: u64 = 10_000;

#[test]
fn no_endgame_is_certain_or_impossible() {
    let batches: Vec<Batch> = EXPLANATIONS
        .par_iter()
        .map(|name| Batch::run(&Case::new(name, &[]), RUNS_ACROSS, WorldSource::Priors))
        .collect();
    let endgames = Case::new("base", &[]).model().endgames().len();
    let shares: Vec<Vec<f64>> = (0..endgames)
        .map(|endgame| {
            let share = |batch: &Batch| {
                let hits = batch
                    .endgames
                    .iter()
                    .filter(|&&e| e == Some(endgame as u32));
                hits.count() as f64 / RUNS_ACROSS as f64
            };
            batches.iter().map(share).collect()
        })
        .collect();
    println!("{shares:?}");
    for shares in &shares {
        assert!(
            shares.iter().all(|&share| share > 0.0 && share < 1.0),
            "{shares:?}"
        );
        assert!(shares.iter().any(|&share| share <= 0.95), "{shares:?}");
    }
    // Every run has an endgame: none is capped.
    assert!(
        batches
            .iter()
            .all(|batch| batch.endgames.iter().all(Option::is_some))
    );
}
