//! A quite different crisis in the same language does what its file says.

use flashpoint::experiment::WorldSource;

use super::batch::{Batch, Batches, Case, mean, z_score};

const RUNS: u64 = 4000;

fn cuba(settings: &[(&str, f64)]) -> Case {
    Case::built_in("other/cuba-1962", &[settings])
}

/// Settings, metric, and whether the metric is higher without the settings.
type Mechanism = (&'static [(&'static str, f64)], &'static str, bool);

const MECHANISMS: &[Mechanism] = &[
    (&[("incident_rate", 0.0)], "incidents", true),
    (&[("incident_rate", 0.0)], "peak_fear", true),
    (&[("deadline", 0.0)], "air_strikes", true),
    (&[("bargaining", 0.0)], "cuban_protests", true),
    (&[("secret_trade", 0.0)], "secret_offers", true),
    (&[("caution", 0.0)], "air_strikes", false),
    (&[("pledge_worth", 0.0)], "cuban_protests", true),
];

#[test]
fn its_mechanisms_work() {
    let settings = MECHANISMS.iter().map(|(setting, ..)| cuba(setting));
    let needs = settings.chain([cuba(&[])]).map(|case| (case, RUNS));
    let batches = Batches::run(needs);
    let with = batches.get(&cuba(&[]));
    for &(setting, metric, higher) in MECHANISMS {
        let without = batches.get(&cuba(setting)).metric(metric);
        let with = with.metric(metric);
        let differences: Vec<f64> = with.iter().zip(&without).map(|(a, b)| a - b).collect();
        let z = z_score(&differences);
        println!(
            "{metric}: {:.3} with, {:.3} at {setting:?}, z = {z:.1}",
            mean(&with),
            mean(&without)
        );
        assert!(
            if higher { z > 4.0 } else { z < -4.0 },
            "{metric} {setting:?}: z = {z}"
        );
    }
}

#[test]
fn every_endgame_happens_and_none_is_certain() {
    let batch = Batch::run(&cuba(&[]), RUNS, WorldSource::Priors);
    let endgames = cuba(&[]).model().endgames().len();
    for endgame in 0..endgames {
        let hits = batch
            .endgames
            .iter()
            .filter(|&&e| e == Some(endgame as u32));
        let share = hits.count() as f64 / RUNS as f64;
        println!("{endgame}: {share}");
        assert!(share > 0.0 && share < 0.95, "endgame {endgame}: {share}");
    }
}
