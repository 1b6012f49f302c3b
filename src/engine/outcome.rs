//! How a run ends and what it comes to.

use super::view::View;
use super::{Ending, Observer, RunError, RunState, Running, Scene, Simulator, metrics};
use crate::engine::Problem;
use crate::model::{Formula, MetricKind, World};

/// What a finished run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The endgame, by index; `None` for a run that was stopped at the cap on events.
    pub endgame: Option<u32>,
    /// Whether each flag holds, in the model's order.
    pub flags: Vec<bool>,
}

impl Simulator<'_> {
    /// Reads the endgame and the flags off a finished run into `outcome`.
    pub fn read_outcome(&self, world: &World, state: &RunState, outcome: &mut Outcome) {
        let view = View {
            model: self.model,
            world,
            state,
            time: state.time,
            scene: &Scene::NONE,
        };
        let holds = |when: &Formula| when.program.evaluate(&view) != 0.0;
        outcome.endgame = match state.ending {
            Some(Ending::Capped) | None => None,
            _ => (self.model.endgames.iter())
                .position(|endgame| endgame.when.as_ref().is_none_or(holds))
                .map(|index| index as u32),
        };
        outcome.flags.clear();
        let flags = self.model.flags.iter().map(|flag| holds(&flag.when));
        outcome.flags.extend(flags);
    }
}

impl<O: Observer> Running<'_, O> {
    /// Ends the run: whatever is measured through time is brought up to the end.
    pub(super) fn end(&mut self, ending: Ending, time: f64) -> Result<(), RunError> {
        self.record_timeline(time)?;
        self.state.time = time;
        self.record_timeline(f64::INFINITY)?;
        self.read_metrics(|_| true)?;
        self.state.ending = Some(ending);
        Ok(())
    }

    /// Ends the run if an absorbing endgame has been reached.
    pub(super) fn check_absorbing(&mut self) -> Result<(), RunError> {
        self.read_metrics(|metric| metric.absorbing)?;
        let model = self.model;
        for (index, endgame) in model.endgames.iter().enumerate() {
            let reached = endgame.absorbing && self.allows(&endgame.when, &Scene::NONE);
            if reached {
                return self.end(Ending::Absorbed(index as u32), self.state.time);
            }
        }
        Ok(())
    }

    /// Brings the metrics that satisfy `wanted` up to now.
    fn read_metrics(
        &mut self,
        wanted: impl Fn(&crate::model::Metric) -> bool,
    ) -> Result<(), RunError> {
        let model = self.model;
        for (index, metric) in model.metrics.iter().enumerate() {
            if !wanted(metric) {
                continue;
            }
            metrics::follow(model, self.world, self.state, index as u32);
            if let MetricKind::Final(formula) = &metric.kind {
                self.state.values[index] = self.value(formula, &Scene::NONE)?;
            }
        }
        for &index in &model.derived_metrics {
            let metric = &model.metrics[index as usize];
            if let (true, MetricKind::Value(formula)) = (wanted(metric), &metric.kind) {
                self.state.values[index as usize] = self.metric_value(formula)?;
            }
        }
        Ok(())
    }

    /// A metric made of others may be infinite, as a day that never came is.
    fn metric_value(&self, formula: &Formula) -> Result<f64, RunError> {
        let view = self.view(&Scene::NONE);
        let value = formula.program.evaluate(&view);
        if value.is_nan() {
            return Err(self.error(formula.site, Problem::NotFinite(value)));
        }
        Ok(value)
    }

    /// Records the series at every date up to `until` that has not been recorded; without an end, the run is over, and the
    /// series stay where they are.
    pub(super) fn record_timeline(&mut self, until: f64) -> Result<(), RunError> {
        let Some(timeline) = &self.model.timeline else {
            return Ok(());
        };
        while self.state.timeline_points < timeline.points {
            let point = self.state.timeline_points;
            let day = point as f64 * timeline.every;
            if day > until {
                break;
            }
            let time = if until.is_finite() {
                day
            } else {
                self.state.time
            };
            let base = point * timeline.series.len();
            for (series, (_, formula)) in timeline.series.iter().enumerate() {
                let view = View {
                    time,
                    ..self.view(&Scene::NONE)
                };
                let value = formula.program.evaluate(&view);
                if !value.is_finite() {
                    return Err(self.error(formula.site, Problem::NotFinite(value)));
                }
                self.state.timeline[base + series] = value;
            }
            self.state.timeline_points += 1;
        }
        Ok(())
    }
}
