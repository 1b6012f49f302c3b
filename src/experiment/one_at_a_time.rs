//! One parameter at a time: each is moved to its low and its high end while all else stays, under common random numbers.

use std::io;

use super::comparison::{Contrast, contrast, values};
use super::replicate::{Control, ExperimentError, Plan, replicate};
use super::rows::{RowSink, Rows};
use super::subject::Quantity;
use crate::model::Model;
use crate::stats::interval::Interval;
use crate::stats::precision::Sample;
use crate::stats::worlds::WorldHistogram;

/// A parameter and the ends that it is moved to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ends {
    /// Index of the parameter in the model.
    pub parameter: usize,
    /// Low end.
    pub low: f64,
    /// High end.
    pub high: f64,
}

/// What moving one parameter does.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The parameter and its ends.
    pub ends: Ends,
    /// The low end against the base.
    pub at_low: Contrast,
    /// The high end against the base.
    pub at_high: Contrast,
    /// The high end against the low one.
    pub swing: Contrast,
}

/// What came of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Moved {
    /// It has been moved.
    Effect(Box<Effect>),
    /// At one of its ends the model cannot be run.
    Failed {
        /// The parameter and its ends.
        ends: Ends,
        /// The end in question.
        at: f64,
        /// Why.
        reason: String,
    },
}

/// The outcome where nothing is moved.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// An outcome that is there or not. A run stopped at the cap on events does not have it.
    Indicator {
        /// Runs with the outcome.
        occurrences: u64,
        /// Number of runs.
        runs: u64,
        /// Worlds by how many of their runs have it, if runs share worlds.
        worlds: Option<WorldHistogram>,
    },
    /// A metric, as the difference to nothing.
    Mean(Contrast),
}

impl Base {
    fn new(quantity: Quantity, runs_per_world: Option<u32>, values: &[Option<f64>]) -> Self {
        if !quantity.is_probability() {
            let nothing = vec![Some(0.0); values.len()];
            return Self::Mean(contrast(quantity, runs_per_world, &nothing, values));
        }
        let count = |runs: &[Option<f64>]| runs.iter().filter(|&&v| v == Some(1.0)).count();
        Self::Indicator {
            occurrences: count(values) as u64,
            runs: values.len() as u64,
            worlds: runs_per_world.map(|size| {
                let mut worlds = WorldHistogram::new(size);
                for world in values.chunks(size.max(1) as usize) {
                    worlds.add(count(world) as u32);
                }
                worlds
            }),
        }
    }

    /// The estimate with its interval at `level` in `(0, 1)`, as for the results of a run; `None` with too few values.
    pub fn estimate(&self, level: f64) -> Option<(f64, Interval)> {
        match self {
            Self::Indicator { runs: 0, .. } => None,
            &Self::Indicator {
                occurrences,
                runs,
                ref worlds,
            } => {
                let sample = match worlds {
                    Some(worlds) => Sample::Clustered(worlds),
                    None => Sample::Independent { occurrences, runs },
                };
                Some((occurrences as f64 / runs as f64, sample.interval(level)))
            }
            Self::Mean(contrast) => {
                let found = contrast.difference(level)?;
                Some((found.difference, found.interval))
            }
        }
    }

    /// Runs without a value, which are left out.
    pub fn dropped(&self) -> u64 {
        match self {
            Self::Indicator { .. } => 0,
            Self::Mean(contrast) => contrast.dropped(),
        }
    }
}

/// Effects of parameters that are moved one at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct OneAtATime {
    /// Where nothing is moved.
    pub base: Base,
    /// The parameters, in the order asked for, as far as they were done.
    pub moved: Vec<Moved>,
    /// Runs of the base, and of the ends of parameters that were moved, that were stopped at the cap on events.
    pub capped: u64,
    /// Whether the experiment was stopped before the last parameter.
    pub interrupted: bool,
}

/// Makes the runs of `plan` for `quantity` with nothing moved, and with each parameter at each of its ends.
///
/// With [`WorldSource::Defaults`](super::WorldSource::Defaults) all other parameters have their default values. With
/// [`WorldSource::Priors`](super::WorldSource::Priors) they are drawn, and an effect is one on average over worlds; in the base
/// the parameter itself is drawn too. The result is the same for any number of threads. When the experiment is stopped, the
/// parameter under way is dropped; `None` if not even the base is complete.
///
/// # Errors
/// The base cannot be run. A failure at an end is no error: it is told in its place.
pub fn one_at_a_time(
    model: &Model,
    quantity: Quantity,
    parameters: &[Ends],
    plan: &Plan,
    control: &Control<'_>,
) -> Result<Option<OneAtATime>, ExperimentError> {
    let size = plan.runs_per_world(model);
    let outcomes = |model: &Model| {
        let mut kept = Values {
            model,
            quantity,
            values: Vec::new(),
        };
        let made = replicate(model, plan, control, Some(&mut kept))?;
        let capped = made.summary.totals().capped;
        Ok((!made.interrupted).then_some((kept.values, capped)))
    };
    let Some((base, capped)) = outcomes(model)? else {
        return Ok(None);
    };
    let mut done = OneAtATime {
        base: Base::new(quantity, size, &base),
        moved: Vec::with_capacity(parameters.len()),
        capped,
        interrupted: false,
    };
    for &ends in parameters {
        let mut found = Vec::with_capacity(2);
        let mut failed = None;
        for at in [ends.low, ends.high] {
            match outcomes(&model.with_parameter(ends.parameter, at)) {
                Ok(Some(values)) => found.push(values),
                Ok(None) => {
                    done.interrupted = true;
                    return Ok(Some(done));
                }
                // Threads that cannot be started are not the parameter's fault.
                Err(error @ ExperimentError::Threads(_)) => return Err(error),
                Err(error) => {
                    let reason = error.to_string();
                    failed = Some(Moved::Failed { ends, at, reason });
                    break;
                }
            }
        }
        done.moved.push(match (failed, found.as_slice()) {
            (None, [(low, capped_low), (high, capped_high)]) => {
                done.capped += capped_low + capped_high;
                Moved::Effect(Box::new(Effect {
                    ends,
                    at_low: contrast(quantity, size, &base, low),
                    at_high: contrast(quantity, size, &base, high),
                    swing: contrast(quantity, size, low, high),
                }))
            }
            (Some(failed), _) => failed,
            (None, _) => continue,
        });
    }
    Ok(Some(done))
}

/// Keeps the values of one quantity.
struct Values<'a> {
    model: &'a Model,
    quantity: Quantity,
    values: Vec<Option<f64>>,
}

impl RowSink for Values<'_> {
    fn take(&mut self, rows: &Rows) -> io::Result<()> {
        let values = values(self.model, self.quantity, rows);
        self.values.extend(values);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use super::*;
    use crate::experiment::fixture::model_of;
    use crate::experiment::{Progress, WorldSource};
    use crate::stats::matched_pairs::MatchedPairs;

    /// P(clash) = drive x (0.5 + lever): 0.375 by default. `idle` does nothing.
    const CLASH: &str = r#"
[scenario]
title = "A clash of known probability"
start = 2024-01-01
horizon = 10
runs_per_world = 20
[parameter.drive]
value = 0.5
basis = "assumption"
prior = { dist = "uniform", low = 0, high = 1 }
[parameter.lever]
value = 0.25
basis = "assumption"
prior = { dist = "uniform", low = 0, high = 0.5 }
[parameter.idle]
value = 0
basis = "assumption"
prior = { dist = "normal", mean = 0, sd = 1 }
[actor.a]
kind = "state"
[action.clash]
[[calendar]]
id = "day"
day = 1
probability = "drive * (0.5 + lever) + 0 * idle"
actor = "a"
action = "clash"
[metric.clashes]
count = ["clash"]
[[endgame]]
id = "clash"
when = "clashes > 0"
[[endgame]]
id = "quiet"
"#;

    fn ends(parameter: usize, low: f64, high: f64) -> Ends {
        Ends {
            parameter,
            low,
            high,
        }
    }

    fn moved(worlds: WorldSource, parameters: &[Ends], threads: usize) -> OneAtATime {
        let stop = AtomicBool::new(false);
        let control = Control {
            threads,
            stop: &stop,
            progress: &(),
        };
        let plan = Plan {
            seed: 3,
            first_run: 0,
            runs: 8000,
            worlds,
        };
        let model = model_of(CLASH);
        let quantity = Quantity::Endgame(0);
        let done = one_at_a_time(&model, quantity, parameters, &plan, &control);
        done.unwrap().unwrap()
    }

    fn effect(done: &OneAtATime, index: usize) -> &Effect {
        match &done.moved[index] {
            Moved::Effect(effect) => effect,
            failed => panic!("{failed:?}"),
        }
    }

    #[test]
    fn effects_are_those_of_the_closed_form() {
        let parameters = [
            ends(0, 0.05, 0.95),
            ends(1, 0.025, 0.475),
            ends(2, -1.0, 1.0),
        ];
        // Around the defaults, and on average over worlds: the other factor is 3/4 or 1/2 either way.
        for worlds in [WorldSource::Defaults, WorldSource::Priors] {
            let done = moved(worlds, &parameters, 2);
            assert!(done.base.estimate(0.999).unwrap().1.contains(0.375));
            for (index, low, high) in [(0, 0.0375, 0.7125), (1, 0.2625, 0.4875)] {
                let effect = effect(&done, index);
                for (contrast, exact) in [
                    (&effect.at_low, low - 0.375),
                    (&effect.at_high, high - 0.375),
                    (&effect.swing, high - low),
                ] {
                    let found = contrast.difference(0.999).unwrap();
                    assert!(found.interval.contains(exact), "{index} {exact}: {found:?}");
                }
            }
            // What does nothing changes no run at all.
            let idle = effect(&done, 2);
            if let (Contrast::Indicator(swing), WorldSource::Defaults) = (&idle.swing, worlds) {
                let MatchedPairs { pairs, .. } = *swing.pairs();
                assert_eq!((pairs, swing.pairs().discordant()), (8000, 0));
            }
        }
    }

    /// A base that came about in 1 of 500 runs, or in 1 of 25 worlds of 20 runs, has the interval that its results would
    /// have, which ends at 0.
    #[test]
    fn the_base_has_the_interval_of_a_probability() {
        let mut values = vec![Some(0.0); 500];
        values[3] = Some(1.0);
        values[4] = None;
        let (value, interval) = Base::new(Quantity::Flag(0), None, &values)
            .estimate(0.95)
            .unwrap();
        assert_eq!(
            (value, interval),
            (0.002, crate::stats::proportion::wilson(1, 500, 0.95))
        );
        let mut worlds = WorldHistogram::new(20);
        worlds.add(1);
        (1..25).for_each(|_| worlds.add(0));
        let (value, interval) = Base::new(Quantity::Flag(0), Some(20), &values)
            .estimate(0.95)
            .unwrap();
        assert_eq!((value, interval), (0.002, worlds.mean_interval(0.95)));
        assert!(interval.low >= 0.0);
        let metric = Base::new(Quantity::Metric(0), None, &values);
        assert_eq!(metric.dropped(), 1);
        assert!((metric.estimate(0.95).unwrap().0 - 1.0 / 499.0).abs() < 1e-12);
        let few = Base::new(Quantity::Metric(0), None, &values[..1]);
        assert_eq!(few.estimate(0.95), None);
    }

    #[test]
    fn threads_change_nothing() {
        let parameters = [ends(0, 0.1, 0.9)];
        let one = moved(WorldSource::Priors, &parameters, 1);
        assert_eq!(moved(WorldSource::Priors, &parameters, 3), one);
    }

    #[test]
    fn an_end_that_cannot_be_run_is_told_and_the_others_go_on() {
        let done = moved(
            WorldSource::Defaults,
            &[ends(0, 0.1, 3.0), ends(1, 0.1, 0.2)],
            2,
        );
        let Moved::Failed { at, reason, .. } = &done.moved[0] else {
            panic!("{done:?}");
        };
        assert_eq!(*at, 3.0);
        assert!(
            reason.contains("probability") && reason.contains("between 0 and 1"),
            "{reason}"
        );
        assert!(effect(&done, 1).swing.difference(0.95).unwrap().difference > 0.0);
    }

    #[test]
    fn a_stop_keeps_the_parameters_that_are_complete() {
        // The base and both ends of the first parameter, then a part of the second.
        struct After(AtomicBool, AtomicU64);
        impl Progress for After {
            fn advanced(&self, runs: u64) {
                let made = self.1.fetch_add(runs, Ordering::Relaxed) + runs;
                self.0.store(made > 3 * 8000, Ordering::Relaxed);
            }
        }
        let after = After(AtomicBool::new(false), AtomicU64::new(0));
        let control = Control {
            threads: 2,
            stop: &after.0,
            progress: &after,
        };
        let plan = Plan {
            seed: 3,
            first_run: 0,
            runs: 8000,
            worlds: WorldSource::Defaults,
        };
        let parameters = [ends(0, 0.1, 0.9), ends(1, 0.1, 0.2)];
        let quantity = Quantity::Endgame(0);
        let model = model_of(CLASH);
        let done = one_at_a_time(&model, quantity, &parameters, &plan, &control);
        let done = done.unwrap().unwrap();
        assert!(done.interrupted);
        assert_eq!(
            done.moved,
            moved(WorldSource::Defaults, &parameters[..1], 1).moved
        );
    }

    #[test]
    fn a_stop_before_the_base_gives_nothing() {
        let stop = AtomicBool::new(true);
        let control = Control {
            threads: 1,
            stop: &stop,
            progress: &(),
        };
        let plan = Plan {
            seed: 3,
            first_run: 0,
            runs: 8000,
            worlds: WorldSource::Defaults,
        };
        let done = one_at_a_time(&model_of(CLASH), Quantity::Flag(0), &[], &plan, &control);
        assert_eq!(done.unwrap(), None);
    }
}
