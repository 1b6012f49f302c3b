//! Runs of several hindcasts in the same worlds, each under a chance of its own.

use std::sync::atomic::Ordering;

use rayon::prelude::*;

use crate::engine::{Simulator, Unobserved};
use crate::experiment::{Control, ExperimentError};
use crate::hindcast::{Case, ForecastError};
use crate::model::{ParameterDraws, World};
use crate::random::StreamKey;

/// Worlds that one thread makes at a time.
const CHUNK: u32 = 8;

/// The answers of a case's runs: for each question those of all runs, world by world.
///
/// The worlds are those of `seed`, the same for every case whose parameters have the same names and priors. What happens in them by
/// chance is keyed by the case's name as well: cases must be independent given the world, or the product of their likelihoods
/// would not be unbiased.
///
/// # Errors
/// The first run that fails or is stopped before its end, in the order of the worlds; an answer that is no number; an interruption.
pub(super) fn answers(
    case: &Case,
    seed: u64,
    worlds: u32,
    control: &Control<'_>,
) -> Result<Vec<Vec<f64>>, ForecastError> {
    let failed = |error: ExperimentError| ForecastError::Runs {
        case: case.name.clone(),
        error,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(control.threads)
        .build()
        .map_err(|error| failed(error.into()))?;
    let chance = chance_seed(seed, &case.name);
    let chunks = worlds.div_ceil(CHUNK);
    let make = |chunk: u32| {
        if control.stop.load(Ordering::Relaxed) {
            return Err(ForecastError::Interrupted);
        }
        let first = chunk * CHUNK;
        let last = worlds.min(first + CHUNK);
        let made = chunk_of(case, seed, chance, first..last);
        let runs = u64::from(last - first) * u64::from(runs_per_world(case));
        control.progress.advanced(runs);
        made
    };
    let parts: Vec<Result<Vec<Vec<f64>>, ForecastError>> =
        pool.install(|| (0..chunks).into_par_iter().map(make).collect());
    let mut all = vec![Vec::new(); case.questions.len()];
    for part in parts {
        for (values, part) in all.iter_mut().zip(part?) {
            values.extend(part);
        }
    }
    Ok(all)
}

/// Runs in each world.
pub(super) fn runs_per_world(case: &Case) -> u32 {
    case.model.runs_per_world().max(1)
}

fn chance_seed(seed: u64, case: &str) -> u64 {
    let key = StreamKey::derive(seed, &["calibration", "chance", case]);
    let bytes = key.as_bytes().iter().take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn chunk_of(
    case: &Case,
    seed: u64,
    chance: u64,
    worlds: std::ops::Range<u32>,
) -> Result<Vec<Vec<f64>>, ForecastError> {
    let model = &case.model;
    let failed = |error: ExperimentError| ForecastError::Runs {
        case: case.name.clone(),
        error,
    };
    let each = u64::from(runs_per_world(case));
    let mut simulator = Simulator::new(model, chance);
    let mut state = simulator.allocate();
    let draws = ParameterDraws::new(model, seed);
    let mut values = vec![Vec::new(); case.questions.len()];
    for number in worlds.map(u64::from) {
        let parameters = draws.world(model, number);
        let first_run = number * each;
        let world = World::new(model, parameters).map_err(|error| {
            failed(ExperimentError::World {
                world: number,
                first_run,
                error,
            })
        })?;
        for run in first_run..first_run + each {
            simulator
                .start(&world, run, &mut state)
                .and_then(|()| simulator.finish(&world, &mut state, &mut Unobserved))
                .map_err(|error| failed(error.into()))?;
            if state.endgame().is_none() {
                return Err(ForecastError::Capped {
                    case: case.name.clone(),
                    capped: 1,
                    runs: run + 1,
                });
            }
            for (question, values) in case.questions.iter().zip(&mut values) {
                let answer = question.answer(state.flags(), state.metrics());
                if !answer.is_finite() {
                    return Err(ForecastError::Infinite {
                        case: case.name.clone(),
                        question: question.id.clone(),
                        run,
                    });
                }
                values.push(answer);
            }
        }
    }
    Ok(values)
}
