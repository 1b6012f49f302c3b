//! How a run ends and what it comes to.

use super::{Ending, Fault, Observer, Running, Scene, metrics};
use crate::engine::Problem;
use crate::model::{Formula, MetricKind, Timeline};

impl<O: Observer> Running<'_, O> {
    /// Ends the run: whatever is measured through time is brought up to the end.
    pub(super) fn end(&mut self, ending: Ending, time: f64) -> Result<(), Fault> {
        let model = self.model;
        self.record_timeline(time)?;
        self.go_to(time);
        self.record_timeline(f64::INFINITY)?;
        self.read_metrics(&model.fast.all_metrics, &model.derived_metrics)?;
        self.state.ending = Some(ending);
        self.classify(ending)
    }

    /// Finds the endgame, the first whose condition holds, and the flags.
    fn classify(&mut self, ending: Ending) -> Result<(), Fault> {
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
    pub(super) fn midnight(&mut self, day: f64) -> Result<(), Fault> {
        self.record_timeline(day)?;
        self.go_to(day);
        self.state.next_midnight = day + 1.0;
        self.check_absorbing()
    }

    /// Ends the run if an absorbing endgame has been reached.
    pub(super) fn check_absorbing(&mut self) -> Result<(), Fault> {
        let model = self.model;
        let fast = &model.fast;
        self.read_metrics(&fast.absorbing_metrics, &fast.absorbing_derived)?;
        for &index in &fast.absorbing_endgames {
            if self.allows(&model.endgames[index as usize].when, &Scene::NONE)? {
                return self.end(Ending::Absorbed(index), self.state.time);
            }
        }
        Ok(())
    }

    /// Brings metrics up to now; `derived` are those made of others, each after those that it reads.
    fn read_metrics(&mut self, wanted: &[u32], derived: &[u32]) -> Result<(), Fault> {
        let model = self.model;
        for &index in wanted {
            metrics::follow(model, self.world, self.state, &self.scratch.now, index);
            if let MetricKind::Final(formula) = &model.metrics[index as usize].kind {
                self.state.values[index as usize] = self.value(formula, &Scene::NONE)?;
            }
        }
        for &index in derived {
            if let MetricKind::Value(formula) = &model.metrics[index as usize].kind {
                self.state.values[index as usize] = self.metric_value(formula)?;
            }
        }
        Ok(())
    }

    /// A metric made of others may be infinite, as a day that never came is.
    fn metric_value(&self, formula: &Formula) -> Result<f64, Fault> {
        let value = self.evaluate(formula, &Scene::NONE);
        if value.is_nan() {
            return Err(self.error(formula.site, Problem::NotFinite(value)));
        }
        Ok(value)
    }

    /// Records the series at every date up to `until` that has not been recorded; without an end, the run is over, and the
    /// series stay where they are.
    #[inline(always)]
    pub(super) fn record_timeline(&mut self, until: f64) -> Result<(), Fault> {
        match &self.model.timeline {
            Some(timeline) => self.record(timeline, until),
            None => Ok(()),
        }
    }

    #[inline(never)]
    fn record(&mut self, timeline: &Timeline, until: f64) -> Result<(), Fault> {
        while self.state.timeline_points < timeline.points {
            let point = self.state.timeline_points;
            let day = timeline.day(point);
            if day > until {
                break;
            }
            let time = if until.is_finite() {
                day
            } else {
                self.state.time
            };
            // It is past when the caller goes on.
            self.scratch.now.go_to(time, O::PLAIN);
            let series = timeline.series.len();
            // Taken out for as long as the run is read.
            let mut recorded = std::mem::take(&mut self.state.timeline);
            let room = &mut recorded[point * series..][..series];
            let done = self.record_point(timeline, room);
            self.state.timeline = recorded;
            done?;
            self.state.timeline_points += 1;
        }
        Ok(())
    }

    /// Writes the values of all series at the time at which the run is seen into `values`.
    fn record_point(&self, timeline: &Timeline, values: &mut [f64]) -> Result<(), Fault> {
        let view = self.view(&Scene::NONE);
        for ((_, formula), value) in timeline.series.iter().zip(values) {
            *value = self.value_seen(formula, &view)?;
        }
        Ok(())
    }
}
