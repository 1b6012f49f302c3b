//! How a run ends and what it comes to.

use super::view::View;
use super::{Ending, Observer, RunError, Running, Scene, metrics};
use crate::engine::Problem;
use crate::model::{Formula, MetricKind};

impl<O: Observer> Running<'_, O> {
    /// Ends the run: whatever is measured through time is brought up to the end.
    pub(super) fn end(&mut self, ending: Ending, time: f64) -> Result<(), RunError> {
        self.record_timeline(time)?;
        self.state.time = time;
        self.record_timeline(f64::INFINITY)?;
        self.read_metrics(|_| true)?;
        self.state.ending = Some(ending);
        self.classify(ending)
    }

    /// Finds the endgame, the first whose condition holds, and the flags.
    fn classify(&mut self, ending: Ending) -> Result<(), RunError> {
        let model = self.model;
        self.state.endgame = None;
        if ending != Ending::Capped {
            for (index, endgame) in model.endgames.iter().enumerate() {
                if self.allows(&endgame.when, &Scene::NONE)? {
                    self.state.endgame = Some(index as u32);
                    break;
                }
            }
        }
        for (index, flag) in model.flags.iter().enumerate() {
            self.state.flags[index] = self.value(&flag.when, &Scene::NONE)? != 0.0;
        }
        Ok(())
    }

    /// Looks at absorbing endgames at the end of a day. The dates are fixed, so that what other actors do in between does not
    /// move the time at which time alone brings an endgame about.
    pub(super) fn midnight(&mut self, day: f64) -> Result<(), RunError> {
        self.record_timeline(day)?;
        self.state.time = day;
        self.state.next_midnight = day + 1.0;
        self.check_absorbing()
    }

    /// Ends the run if an absorbing endgame has been reached.
    pub(super) fn check_absorbing(&mut self) -> Result<(), RunError> {
        self.read_metrics(|metric| metric.absorbing)?;
        let model = self.model;
        for (index, endgame) in model.endgames.iter().enumerate() {
            let reached = endgame.absorbing && self.allows(&endgame.when, &Scene::NONE)?;
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
