//! Growing a Sobol study until its answer is settled.

use super::design::{Design, Model, run};
use super::error::{Error, Outcome};
use super::sobol::{SobolDesign, SobolIndices, SobolOptions, sobol_indices};

/// When a study is settled. Both conditions must hold (Sarrazin, Pianosi & Wagener 2016, Environ.
/// Model. Softw. 79, 135, who use 0.05 and 1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// Largest width of an interval of an index of a factor.
    pub width: f64,
    /// Largest [`SobolIndices::rank_instability`].
    pub rank_instability: f64,
    /// Points of each scramble at which to stop in any case.
    pub max_points: usize,
}

impl Default for Stop {
    fn default() -> Self {
        Stop {
            width: 0.05,
            rank_instability: 1.0,
            max_points: 4096,
        }
    }
}

/// A study that was grown.
#[derive(Debug, Clone)]
pub struct Study {
    /// The design with all its points.
    pub design: SobolDesign,
    /// The outcome of each row.
    pub outcomes: Vec<Outcome>,
    /// Indices from all rows.
    pub indices: SobolIndices,
    /// Whether the conditions of [`Stop`] hold, or only the limit of points was reached.
    pub settled: bool,
}

/// Runs a design and doubles its points, keeping all runs, until it is settled.
///
/// Looking at the width decides when to stop, so the last intervals are somewhat narrower than those
/// of a study of fixed size.
///
/// # Errors
/// Those of [`sobol_indices`] and of [`SobolDesign::grown`].
pub fn grow_until_settled(
    design: SobolDesign,
    model: &dyn Model,
    options: &SobolOptions,
    stop: &Stop,
) -> Result<Study, Error> {
    let mut design = design;
    let mut outcomes = run(&design, 0..design.rows(), model);
    loop {
        let indices = sobol_indices(&design, &outcomes, options)?;
        let settled =
            indices.widest() <= stop.width && indices.rank_instability <= stop.rank_instability;
        let points = (2 * design.plan().points).min(stop.max_points);
        if settled || points <= design.plan().points {
            return Ok(Study {
                design,
                outcomes,
                indices,
                settled,
            });
        }
        let larger = design.grown(points)?;
        outcomes.extend(run(&larger, design.rows()..larger.rows(), model));
        design = larger;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::sobol::SobolPlan;
    use crate::sensitivity::testbed::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn grows_until_the_intervals_are_narrow_and_runs_nothing_twice() {
        let runs = AtomicUsize::new(0);
        let model = |x: &[f64], _: u64| {
            runs.fetch_add(1, Ordering::Relaxed);
            Ok(ishigami(x))
        };
        let plan = SobolPlan {
            points: 16,
            seed: 1,
            ..SobolPlan::default()
        };
        let design = SobolDesign::new(ishigami_factors(), plan).unwrap();
        let options = SobolOptions::default();
        let stop = Stop {
            width: 0.05,
            ..Stop::default()
        };
        let study = grow_until_settled(design.clone(), &model, &options, &stop).unwrap();
        assert!(study.settled && study.indices.widest() <= 0.05);
        assert!(study.design.plan().points > 16);
        assert_eq!(runs.into_inner(), study.design.rows());
        // The grown study is the study of the same size made at once.
        let at_once = run(&study.design, 0..study.design.rows(), &ishigami_model);
        assert_eq!(at_once, study.outcomes);
        let narrow = Stop {
            width: 1e-9,
            rank_instability: 1.0,
            max_points: 40,
        };
        let study = grow_until_settled(design, &ishigami_model, &options, &narrow).unwrap();
        assert!(!study.settled);
        assert_eq!(study.design.plan().points, 40);
    }
}
