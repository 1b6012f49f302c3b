//! What is read off a run: metrics, endgames, flags, series.

use super::{Compiler, label};
use crate::formula::{Scope, Symbols, Type};
use crate::model::{
    Action, Endgame, Flag, Formula, Measured, Metric, MetricKind, Model, Slot, Timeline, Watched,
};
use crate::scenario::raw::{OneOrMany, RawLevel, RawMetric};
use crate::scenario::tree::Path;

/// The most dates that a timeline may have.
const MOST_POINTS: f64 = 100_000.0;

impl Compiler<'_> {
    /// The metrics, and the order in which those made of others are worked out. Actions learn which metrics read them.
    pub(super) fn metrics(&mut self, actions: &mut [Action]) -> (Vec<Metric>, Vec<u32>) {
        let raw = self.raw;
        let mut metrics = Vec::new();
        for (index, (id, metric)) in raw.metric.iter().enumerate() {
            let path = Path::keys(["metric", id]);
            let on = self.read_actions(metric, &path);
            let filter = self.guard(&metric.filter, &path.key("where"), &Scope::metric_event());
            if filter.is_some() && on.is_empty() {
                self.problems.error(
                    &path.key("where"),
                    "`where` chooses among events: it goes with count, sum, first, last or exchanges",
                );
            }
            for action in on {
                if let Some(action) = actions.get_mut(action as usize) {
                    action.metrics.push(Measured {
                        metric: index as u32,
                        filter: filter.clone(),
                    });
                }
            }
            metrics.push(Metric {
                id: id.clone(),
                label: label(&metric.label, id),
                unit: metric.unit.clone(),
                headline: metric.headline.unwrap_or(true),
                kind: self.metric_kind(metric, &path),
                absorbing: false,
            });
        }
        let order = self.derived_order(&metrics);
        (metrics, order)
    }

    /// The actions whose events a metric reads.
    fn read_actions(&mut self, metric: &RawMetric, path: &Path) -> Vec<u32> {
        let (names, path) = match metric {
            RawMetric {
                count: Some(on), ..
            } => (on, path.key("count")),
            RawMetric {
                first: Some(on), ..
            } => (on, path.key("first")),
            RawMetric { last: Some(on), .. } => (on, path.key("last")),
            RawMetric {
                exchanges: Some(exchanges),
                ..
            } => (&exchanges.on, path.key("exchanges").key("on")),
            RawMetric { over: Some(on), .. } => {
                if metric.sum.is_none() {
                    self.problems
                        .error(&path.key("over"), "`over` lists the actions of a `sum`");
                }
                (on, path.key("over"))
            }
            RawMetric { sum: Some(_), .. } => {
                self.problems.error_with_help(
                    path,
                    "a `sum` needs the actions over which it runs",
                    "add `over = [\"...\"]`",
                );
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        let mut found = Vec::new();
        for (index, name) in names.names().iter().enumerate() {
            let path = match names {
                OneOrMany::One(_) => path.clone(),
                OneOrMany::Many(_) => path.index(index),
            };
            found.extend(self.names.action(self.raw, name, &path, &mut self.problems));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn metric_kind(&mut self, raw: &RawMetric, path: &Path) -> MetricKind {
        let given: Vec<&str> = [
            ("count", raw.count.is_some()),
            ("sum", raw.sum.is_some()),
            ("first", raw.first.is_some()),
            ("last", raw.last.is_some()),
            ("peak", raw.peak.is_some()),
            ("low", raw.low.is_some()),
            ("time_above", raw.time_above.is_some()),
            ("time_below", raw.time_below.is_some()),
            ("first_above", raw.first_above.is_some()),
            ("first_below", raw.first_below.is_some()),
            ("time_mean", raw.time_mean.is_some()),
            ("exchanges", raw.exchanges.is_some()),
            ("final", raw.at_end.is_some()),
            ("value", raw.value.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, given)| given.then_some(key))
        .collect();
        let [key] = given.as_slice() else {
            let message = if given.is_empty() {
                "a metric needs exactly one of count, sum, first, last, peak, low, time_above, time_below, first_above, first_below, time_mean, exchanges, final and value".to_owned()
            } else {
                format!(
                    "a metric is one thing only, but this one has {}",
                    given.join(" and ")
                )
            };
            self.problems.error(path, message);
            return MetricKind::Count;
        };
        let path = path.key(*key);
        match raw {
            RawMetric { sum: Some(sum), .. } => {
                MetricKind::Sum(self.number(sum, &path, &Scope::metric_event()))
            }
            RawMetric { first: Some(_), .. } => MetricKind::First,
            RawMetric { last: Some(_), .. } => MetricKind::Last,
            RawMetric { peak: Some(of), .. } => MetricKind::Peak(self.watched(of, &path)),
            RawMetric { low: Some(of), .. } => MetricKind::Low(self.watched(of, &path)),
            RawMetric {
                time_mean: Some(of),
                ..
            } => MetricKind::TimeMean(self.watched(of, &path)),
            RawMetric {
                time_above: Some(level),
                ..
            } => self.time_beyond(level, true, &path),
            RawMetric {
                time_below: Some(level),
                ..
            } => self.time_beyond(level, false, &path),
            RawMetric {
                first_above: Some(level),
                ..
            } => self.first_beyond(level, true, &path),
            RawMetric {
                first_below: Some(level),
                ..
            } => self.first_beyond(level, false, &path),
            RawMetric {
                exchanges: Some(exchanges),
                ..
            } => {
                let mut side = |index: usize| {
                    let name = &exchanges.between[index];
                    let found = self.names.actor(name);
                    if found.is_none() {
                        let path = path.key("between").index(index);
                        let known = self.names.actors.keys();
                        self.problems.unknown(&path, "actor", name, known);
                    }
                    found.unwrap_or(0)
                };
                let between = [side(0), side(1)];
                let scope = Scope::parameters("a window");
                MetricKind::Exchanges {
                    between,
                    within: self.number(&exchanges.within, &path.key("within"), &scope),
                }
            }
            RawMetric {
                at_end: Some(formula),
                ..
            } => {
                let scope = Scope::state("a metric of the end of the run");
                MetricKind::Final(self.number(formula, &path, &scope))
            }
            RawMetric {
                value: Some(formula),
                ..
            } => MetricKind::Value(self.number(formula, &path, &Scope::metric_value())),
            _ => MetricKind::Count,
        }
    }

    fn time_beyond(&mut self, raw: &RawLevel, above: bool, path: &Path) -> MetricKind {
        let (of, level) = self.level(raw, path);
        MetricKind::TimeBeyond { of, level, above }
    }

    fn first_beyond(&mut self, raw: &RawLevel, above: bool, path: &Path) -> MetricKind {
        let (of, level) = self.level(raw, path);
        MetricKind::FirstBeyond { of, level, above }
    }

    fn level(&mut self, raw: &RawLevel, path: &Path) -> (Watched, Formula) {
        let of = self.watched(&raw.of, &path.key("of"));
        let scope = Scope::parameters("a level");
        (of, self.number(&raw.level, &path.key("level"), &scope))
    }

    /// One stock or one rung.
    fn watched(&mut self, text: &str, path: &Path) -> Watched {
        let scope = Scope::state("a metric");
        let program = self.program(text, path, &scope, Type::Number);
        match (program.as_stock(), program.as_rung()) {
            (Some(slot), _) => Watched::Slot(slot),
            (None, Some(pair)) => Watched::Pair(pair),
            (None, None) => {
                self.problems.error_with_help(
                    path,
                    format!("`{text}` is not a single stock or rung"),
                    "only one stock or one rung can be followed through time, for example `iran.unrest` or `rung[iran, pakistan]`",
                );
                Watched::Slot(0)
            }
        }
    }

    /// The metrics made of others, each after those that it reads; a circle is reported.
    fn derived_order(&mut self, metrics: &[Metric]) -> Vec<u32> {
        let derived = |index: u32| match &metrics[index as usize].kind {
            MetricKind::Value(formula) => Some(formula.program.reads().metrics),
            _ => None,
        };
        let mut order = Vec::new();
        let mut waiting: Vec<(u32, Vec<u32>)> = (0..metrics.len() as u32)
            .filter_map(|index| Some((index, derived(index)?)))
            .collect();
        while !waiting.is_empty() {
            let is_ready = |reads: &[u32], order: &[u32]| {
                reads
                    .iter()
                    .all(|&read| derived(read).is_none() || order.contains(&read))
            };
            let before = order.len();
            waiting.retain(|(index, reads)| {
                let ready = is_ready(reads, &order);
                if ready {
                    order.push(*index);
                }
                !ready
            });
            if order.len() == before {
                for (index, _) in &waiting {
                    let id = &metrics[*index as usize].id;
                    self.problems.error(
                        &Path::keys(["metric", id, "value"]),
                        format!("the metric `{id}` is made of itself, through others or directly"),
                    );
                }
                break;
            }
        }
        order
    }

    pub(super) fn endgames(&mut self) -> Vec<Endgame> {
        let raw = self.raw;
        if raw.endgame.is_empty() {
            self.problems.error_with_help(
                &Path::root(),
                "the scenario asks about no endgame",
                "add at least one `[[endgame]]`; the last one has no `when` and takes all other runs",
            );
        }
        let last = raw.endgame.len().saturating_sub(1);
        let mut endgames = Vec::new();
        for (index, endgame) in raw.endgame.iter().enumerate() {
            let path = Path::keys(["endgame"]).index(index);
            match &endgame.when {
                Some(_) if index == last => self.problems.error_with_help(
                    &path.key("when"),
                    format!("the last endgame, `{}`, has a condition, so some runs would have no endgame", endgame.id),
                    "add a last endgame without `when`: it takes all other runs",
                ),
                None if index != last => self.problems.error_with_help(
                    &path,
                    format!("the endgame `{}` has no `when`, so those after it could never be reached", endgame.id),
                    "only the last endgame goes without `when`",
                ),
                None if endgame.absorbing => self.problems.error(
                    &path.key("absorbing"),
                    "an endgame without a condition cannot end a run",
                ),
                _ => {}
            }
            endgames.push(Endgame {
                id: endgame.id.clone(),
                label: label(&endgame.label, &endgame.id),
                when: self.guard(&endgame.when, &path.key("when"), &Scope::endgame()),
                absorbing: endgame.absorbing,
            });
        }
        endgames
    }

    /// Refuses absorbing endgames, and metrics that these read, of which it could not be told when they may have changed.
    pub(super) fn refuse_unfollowed(&mut self, metrics: &[Metric], endgames: &[Endgame]) {
        let mut is_seen = vec![false; metrics.len()];
        let mut open = Vec::new();
        for (index, endgame) in endgames.iter().enumerate() {
            if let (true, Some(when)) = (endgame.absorbing, &endgame.when) {
                open.push((Path::keys(["endgame"]).index(index).key("when"), when));
            }
        }
        while let Some((path, formula)) = open.pop() {
            self.refuse_found_stocks(formula, &path, "an absorbing endgame");
            for index in formula.program.reads().metrics {
                let metric = &metrics[index as usize];
                if std::mem::replace(&mut is_seen[index as usize], true) {
                    continue;
                }
                match &metric.kind {
                    MetricKind::Final(inner) => {
                        open.push((Path::keys(["metric", &metric.id, "final"]), inner));
                    }
                    MetricKind::Value(inner) => {
                        open.push((Path::keys(["metric", &metric.id, "value"]), inner));
                    }
                    _ => {}
                }
            }
        }
    }

    pub(super) fn flags(&mut self) -> Vec<Flag> {
        let raw = self.raw;
        let mut flags = Vec::new();
        for (id, flag) in &raw.flag {
            let path = Path::keys(["flag", id, "when"]);
            flags.push(Flag {
                id: id.clone(),
                label: label(&flag.label, id),
                when: self.text(&flag.when, &path, &Scope::endgame(), Type::Truth),
            });
        }
        flags
    }

    pub(super) fn timeline(&mut self, horizon: f64) -> Option<Timeline> {
        let raw = self.raw.timeline.as_ref()?;
        let path = Path::keys(["timeline"]);
        let points = (horizon / raw.every).floor() + 1.0;
        if !(raw.every > 0.0 && points <= MOST_POINTS) {
            self.problems.error(
                &path.key("every"),
                format!(
                    "`every` is {}, but must be a number of days that leaves at most {MOST_POINTS} dates",
                    raw.every
                ),
            );
            return None;
        }
        let mut series = Vec::new();
        for (id, expression) in &raw.series {
            let path = path.key("series").key(id.as_str());
            let scope = Scope::state("a series");
            series.push((id.clone(), self.number(expression, &path, &scope)));
        }
        Some(Timeline {
            every: raw.every,
            points: points as usize,
            series,
        })
    }
}

/// Notes, for every stock slot and rung, what depends on it.
pub(super) fn link_dependents(model: &mut Model) {
    for (index, process) in model.processes.iter().enumerate() {
        let index = index as u32;
        for &slot in &process.reads {
            model.slot_dependents[slot as usize].processes.push(index);
        }
        for pair in process.hazard.program.reads().rungs {
            model.pair_dependents[pair as usize].processes.push(index);
        }
    }
    mark_absorbing(model);
    for (index, metric) in model.metrics.iter().enumerate() {
        let index = index as u32;
        let Some(watched) = watched_by(&metric.kind) else {
            continue;
        };
        let dependents = match watched {
            Watched::Slot(slot) => &mut model.slot_dependents[slot as usize],
            Watched::Pair(pair) => &mut model.pair_dependents[pair as usize],
        };
        dependents.watchers.push(index);
        dependents.absorbing |= metric.absorbing;
    }
}

/// Whether a metric may change between events.
fn time_moves(kind: &MetricKind, slots: &[Slot]) -> bool {
    match kind {
        MetricKind::TimeMean(_) | MetricKind::TimeBeyond { .. } => true,
        _ => match watched_by(kind) {
            Some(Watched::Slot(slot)) => slots[slot as usize].half_life.is_some(),
            Some(Watched::Pair(_)) | None => false,
        },
    }
}

fn watched_by(kind: &MetricKind) -> Option<Watched> {
    match kind {
        MetricKind::Peak(of)
        | MetricKind::Low(of)
        | MetricKind::TimeMean(of)
        | MetricKind::TimeBeyond { of, .. }
        | MetricKind::FirstBeyond { of, .. } => Some(*of),
        _ => None,
    }
}

/// Marks the metrics, slots and rungs on which an absorbing endgame depends, through other metrics as well.
fn mark_absorbing(model: &mut Model) {
    let absorbing = model.endgames.iter().filter(|endgame| endgame.absorbing);
    let mut formulas: Vec<Formula> = absorbing.filter_map(|e| e.when.clone()).collect();
    while let Some(formula) = formulas.pop() {
        let reads = formula.program.reads();
        model.absorbing_moves |= reads.time;
        for slot in reads.stocks {
            model.absorbing_moves |= model.slots[slot as usize].half_life.is_some();
            model.slot_dependents[slot as usize].absorbing = true;
        }
        for pair in reads.rungs {
            model.pair_dependents[pair as usize].absorbing = true;
        }
        for metric in reads.metrics {
            let metric = &mut model.metrics[metric as usize];
            if !metric.absorbing {
                metric.absorbing = true;
                if let MetricKind::Value(inner) | MetricKind::Final(inner) = &metric.kind {
                    formulas.push(inner.clone());
                }
                model.absorbing_moves |= time_moves(&metric.kind, &model.slots);
            }
        }
    }
}
