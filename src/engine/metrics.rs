//! Metrics: what is read off a run while it is under way.

use super::state::{Level, MetricState, RunState};
use super::view::{Now, greater, lesser, relaxed};
use crate::model::{MetricKind, Model, SlotConstants, Watched, World};

/// The path of a stock or rung between two events: from `level` towards a baseline.
#[derive(Clone, Copy)]
struct Path<'a> {
    level: Level,
    slot: &'a SlotConstants,
}

/// Of a rung, which no time moves.
const STILL: SlotConstants = SlotConstants {
    initial: 0.0,
    baseline: 0.0,
    decay: 0.0,
    min: f64::NEG_INFINITY,
    max: f64::INFINITY,
    alone: true,
};

impl<'a> Path<'a> {
    #[inline]
    fn of(watched: Watched, world: &'a World, state: &RunState) -> Self {
        match watched {
            Watched::Slot(slot) => Self {
                level: state.levels[slot as usize],
                slot: &world.slots[slot as usize],
            },
            Watched::Pair(pair) => Self {
                level: Level {
                    value: f64::from(state.rungs[pair as usize]),
                    since: 0.0,
                },
                slot: &STILL,
            },
        }
    }

    #[inline]
    fn at(&self, time: f64) -> f64 {
        relaxed(self.level, self.slot, time)
    }

    /// When the path comes to `level`, which lies strictly between its ends or at one of them:
    /// `t = t0 - ln((level - b) / (x0 - b)) / lambda`.
    fn crossing(&self, level: f64, from: f64, to: f64) -> f64 {
        let share = (level - self.slot.baseline) / (self.level.value - self.slot.baseline);
        let time = self.level.since - crate::math::ln(share) / self.slot.decay;
        // Rounding must not carry the crossing out of the stretch that holds it.
        if time > from { time.min(to) } else { from }
    }

    /// Integral from `from`, at which the path is at `first`, to `to`: `b (to - from) + (first - b) (1 - exp(-lambda (to - from))) /
    /// lambda`. The difference of the ends over lambda would be all rounding where time hardly moves the path.
    fn integral(&self, [from, to]: [f64; 2], first: f64) -> f64 {
        let days = to - from;
        if self.slot.decay == 0.0 || self.level.value == self.slot.baseline {
            return self.level.value * days;
        }
        let SlotConstants {
            baseline, decay, ..
        } = *self.slot;
        baseline * days - (first - baseline) * crate::math::exp_m1(-decay * days) / decay
    }
}

/// Sets every metric to its value before anything has happened.
pub(super) fn reset(model: &Model, world: &World, state: &mut RunState) {
    for (index, metric) in model.metrics.iter().enumerate() {
        state.metrics[index] = MetricState {
            since: 0.0,
            integral: 0.0,
            last: [f64::NEG_INFINITY; 2],
        };
        state.values[index] = match metric.kind {
            MetricKind::First | MetricKind::Last | MetricKind::FirstBeyond { .. } => f64::INFINITY,
            MetricKind::Peak(watched)
            | MetricKind::Low(watched)
            | MetricKind::TimeMean(watched) => Path::of(watched, world, state).at(0.0),
            _ => 0.0,
        };
    }
}

/// Follows the stock or rung that metric `index` watches up to now. Called before it changes, and before the metric is read.
pub(super) fn follow(model: &Model, world: &World, state: &mut RunState, now: &Now, index: u32) {
    let index = index as usize;
    let (from, to) = (state.metrics[index].since, now.time);
    state.metrics[index].since = to;
    let value = state.values[index];
    let kind = &model.metrics[index].kind;
    let watched = match *kind {
        MetricKind::Peak(of) | MetricKind::Low(of) | MetricKind::TimeMean(of) => of,
        MetricKind::TimeBeyond { of, .. } => of,
        MetricKind::FirstBeyond { of, .. } if value == f64::INFINITY => of,
        _ => return,
    };
    let path = Path::of(watched, world, state);
    let known = match watched {
        Watched::Slot(slot) => now.kept(slot as usize),
        Watched::Pair(_) => None,
    };
    let (first, last) = (path.at(from), known.unwrap_or_else(|| path.at(to)));
    let level = world.metric_levels[index];
    let beyond = |x: f64, above: bool| if above { x > level } else { x < level };
    state.values[index] = match *kind {
        // Not `f64::max`, which may give either of two zeros.
        MetricKind::Peak(_) => greater(greater(value, first), last),
        MetricKind::Low(_) => lesser(lesser(value, first), last),
        MetricKind::TimeBeyond { above, .. } => {
            value
                + match (beyond(first, above), beyond(last, above)) {
                    (true, true) => to - from,
                    (false, false) => 0.0,
                    (true, false) => path.crossing(level, from, to) - from,
                    (false, true) => to - path.crossing(level, from, to),
                }
        }
        MetricKind::FirstBeyond { above, .. } if beyond(first, above) => from,
        MetricKind::FirstBeyond { above, .. } if beyond(last, above) => {
            path.crossing(level, from, to)
        }
        MetricKind::TimeMean(_) => {
            let integral = state.metrics[index].integral + path.integral([from, to], first);
            state.metrics[index].integral = integral;
            if to > 0.0 { integral / to } else { last }
        }
        _ => value,
    };
}
