use super::*;
use crate::sensitivity::design::{Design, Model, Sample, run};
use crate::sensitivity::factor::{Factor, Factors};
use crate::sensitivity::hash::{child, unit};
use crate::sensitivity::testbed::uniform;

fn table(factors: Factors, rows: usize, model: &dyn Model) -> Table {
    let design = Sample::latin_hypercube(factors, rows, 1).unwrap();
    Table::of_design(&design, &run(&design, 0..design.rows(), model)).unwrap()
}

/// The densest box of the trajectory with at least this coverage.
fn choose(result: &Prim, coverage: f64) -> &PrimStep {
    let enough = result
        .trajectory
        .iter()
        .filter(|s| s.statistics.coverage.unwrap() >= coverage);
    enough
        .max_by(|a, b| a.statistics.density.total_cmp(&b.statistics.density))
        .unwrap()
}

/// Outcome certain in x1 > 0.6, x2 < 0.5 and impossible elsewhere; x3 to x5 do nothing.
#[test]
fn a_box_is_found_again() {
    let model = |x: &[f64], _: u64| Ok(f64::from(u8::from(x[0] > 0.6 && x[1] < 0.5)));
    let table = table(uniform(5, 0.0, 1.0), 2000, &model);
    let result = prim(&table, &PrimSettings::default()).unwrap();
    assert!((result.base_rate - 0.2).abs() < 0.03);
    let found = choose(&result, 0.9);
    assert!(found.statistics.density > 0.95, "{found:?}");
    let limited: Vec<usize> = found.scenario.limits.iter().map(|(c, _)| *c).collect();
    assert_eq!(limited, [0, 1]);
    assert!(found.statistics.quasi_p.iter().all(|(_, p)| *p < 1e-6));
    let Some(Limit::Range {
        low: Some(low),
        high: None,
    }) = found.scenario.limit(0)
    else {
        panic!("{:?}", found.scenario)
    };
    assert!((low - 0.6).abs() < 0.03);
    let say = found.scenario.sentence(&table);
    assert!(
        say.starts_with("`x1` above 0.") && say.contains(" and `x2` below 0."),
        "{say}"
    );
}

/// The same on probabilities of worlds: a world ends badly with probability 0.9 in the box and 0.1
/// elsewhere. Only half of the worlds have x3 = "b", which the box also asks for.
#[test]
fn probabilities_and_categories() {
    let factors = Factors::new(vec![
        Factor::uniform("x1", 0.0, 1.0),
        Factor::categorical("why", &["a", "b", "c", "d"]),
        Factor::discrete("n", &[1.0, 2.0, 3.0]),
        Factor::uniform("idle", 0.0, 1.0),
    ])
    .unwrap();
    let model = |x: &[f64], _: u64| {
        let inside = x[0] > 0.5 && (x[1] == 1.0 || x[1] == 3.0) && x[2] >= 2.0;
        Ok(if inside { 0.9 } else { 0.1 })
    };
    let table = table(factors, 3000, &model);
    let result = prim(&table, &PrimSettings::default()).unwrap();
    let found = result
        .trajectory
        .iter()
        .find(|s| s.statistics.density > 0.88)
        .unwrap();
    assert_eq!(
        found.scenario.limit(1),
        Some(&Limit::Categories(vec![1.0, 3.0]))
    );
    assert_eq!(
        found.scenario.limit(2),
        Some(&Limit::Range {
            low: Some(1.5),
            high: None
        })
    );
    assert_eq!(found.scenario.limit(3), None);
    let say = found.scenario.sentence(&table);
    assert!(say.contains("`why` is b or d and `n` above 1.5"), "{say}");
    assert!(found.statistics.quasi_p.iter().all(|(_, p)| *p < 1e-6));
}

/// In noise the quasi-p-values of the chosen limits are not extreme, and in signal they are: the
/// mutant that ignores them would take both for findings.
#[test]
fn quasi_p_values_tell_noise() {
    let noise = |_: &[f64], key: u64| Ok(f64::from(u8::from(unit(child(key, 1)) < 0.3)));
    let table = table(uniform(3, 0.0, 1.0), 1000, &noise);
    let result = prim(&table, &PrimSettings::default()).unwrap();
    let half = result
        .trajectory
        .iter()
        .find(|s| s.statistics.mass < 0.6)
        .unwrap();
    let weakest = half
        .statistics
        .quasi_p
        .iter()
        .map(|(_, p)| *p)
        .fold(0.0, f64::max);
    assert!(weakest > 1e-3, "{half:?}");
}

/// Masses fall by a peel each time, statistics agree with a direct count, and every box is inside
/// the one before.
#[test]
fn trajectory_is_consistent() {
    let model = |x: &[f64], key: u64| Ok(f64::from(u8::from(unit(child(key, 1)) < x[0] * x[1])));
    let table = table(uniform(4, 0.0, 1.0), 1000, &model);
    for criterion in [Peel::Mean, Peel::GainPerRow] {
        let settings = PrimSettings {
            criterion,
            ..PrimSettings::default()
        };
        let result = prim(&table, &settings).unwrap();
        let total: f64 = table.y().iter().sum();
        let mut before: Option<&PrimStep> = None;
        for step in &result.trajectory {
            let inside: Vec<usize> = (0..1000)
                .filter(|&i| step.scenario.contains(&table, i))
                .collect();
            let sum: f64 = inside.iter().map(|&i| table.y()[i]).sum();
            assert_eq!(step.statistics.rows, inside.len());
            assert!((step.statistics.coverage.unwrap() - sum / total).abs() < 1e-12);
            assert!((step.statistics.density - sum / inside.len() as f64).abs() < 1e-12);
            assert!(step.statistics.mass >= 0.05);
            if let (Some(before), Phase::Peel) = (before, step.phase) {
                let peeled = before.statistics.rows - step.statistics.rows;
                assert_eq!(
                    peeled,
                    ((0.05 * before.statistics.rows as f64) as usize).max(1)
                );
                assert!(inside.iter().all(|&i| before.scenario.contains(&table, i)));
            }
            before = Some(step);
        }
    }
}

#[test]
fn pasting_gives_back_what_was_peeled_too_far() {
    let model = |x: &[f64], _: u64| Ok(f64::from(u8::from(x[0] > 0.6) | u8::from(x[0] < 0.1)));
    let table = table(uniform(1, 0.0, 1.0), 1000, &model);
    let mut narrow = ScenarioBox::default();
    narrow.set(
        0,
        Limit::Range {
            low: Some(0.5),
            high: Some(0.8),
        },
    );
    let steps = paste(&table, &narrow, &PrimSettings::default()).unwrap();
    let last = &steps[steps.len() - 1];
    assert_eq!(
        last.scenario.limit(0),
        Some(&Limit::Range {
            low: Some(0.5),
            high: None
        })
    );
    let mut densities: Vec<f64> = steps.iter().map(|s| s.statistics.density).collect();
    densities.insert(0, narrow.statistics(&table).density);
    assert!(densities.windows(2).all(|d| d[0] < d[1]));
}

#[test]
fn bad_input_is_an_error() {
    let model = |x: &[f64], _: u64| Ok(x[0]);
    let table = table(uniform(2, 0.0, 1.0), 100, &model);
    let bad = PrimSettings {
        peel: 0.0,
        ..PrimSettings::default()
    };
    assert!(prim(&table, &bad).is_err());
    let outside = table.map_output(|y| 2.0 * y).unwrap();
    assert!(prim(&outside, &PrimSettings::default()).is_err());
    let same = table.map_output(|_| 1.0).unwrap();
    assert_eq!(
        prim(&same, &PrimSettings::default()),
        Err(Error::ConstantOutput)
    );
}
