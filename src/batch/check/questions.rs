//! The check of what is asked: how many runs, which quantities and goals, and what is compared with what.

use indexmap::IndexMap;

use super::{Checker, MOST_RUNS, Options, Pair};
use crate::batch::axes::{Points, Values};
use crate::batch::plan::{
    Baseline, Goal, PlannedQuantity, PlannedScenario, PlannedSelection, RecordedMetric, Size,
    Source, label_of,
};
use crate::experiment::{Quantity, WorldSource, naming};
use crate::scenario::tree::Path;
use crate::scenario::variant::Variant;

/// Runs of a cell unless another number is asked for.
const DEFAULT_RUNS: u64 = 1000;
/// Runs of a cell made at most to reach a precision, unless another number is asked for.
const DEFAULT_MOST_RUNS: u64 = 100_000;
/// Runs of the only world of a cell that are made together.
const BLOCK: u64 = 250;

impl Checker<'_> {
    /// Where parameters come from, how many runs are made together, and how many in all.
    pub(super) fn size(&mut self, pairs: &[Pair], options: Options) -> (WorldSource, u32, Size) {
        let raw = &self.raw.batch;
        let priors = !raw.defaults && pairs.iter().any(|pair| pair.model.has_priors());
        if let Some(width) = raw.precision
            && !(width > 0.0 && width < 1.0)
        {
            let path = Path::keys(["batch", "precision"]);
            self.error(
                &path,
                format!("the precision is {width}, but must lie between 0 and 1"),
            );
        }
        for (key, given) in [("runs", raw.runs), ("max_runs", raw.max_runs)] {
            if given == Some(0) {
                let path = Path::keys(["batch", key]);
                self.error(&path, format!("`{key}` must be at least 1"));
            }
        }
        if let (Some(_), Some(_)) = (raw.precision, raw.runs) {
            let path = Path::keys(["batch", "precision"]);
            self.error_with_help(
                &path,
                "`runs` and `precision` contradict each other",
                "keep one of them; `max_runs` limits the runs of a precision",
            );
        }
        if let (None, Some(_)) = (raw.precision, raw.max_runs) {
            let path = Path::keys(["batch", "max_runs"]);
            self.error_with_help(&path, "`max_runs` belongs to a `precision`", "write `runs`");
        }
        let runs_per_world = match raw.runs_per_world {
            Some(n) if !(2..=10_000).contains(&n) => {
                let path = Path::keys(["batch", "runs_per_world"]);
                self.error(&path, "`runs_per_world` must be between 2 and 10000");
                2
            }
            Some(n) => n,
            None => pairs.first().map_or(1, |pair| pair.model.runs_per_world()),
        };
        let precise = options.runs.is_none() && raw.precision.is_some();
        let asked = match options.runs.or(raw.runs) {
            Some(runs) => runs,
            None if precise => raw.max_runs.unwrap_or(DEFAULT_MOST_RUNS),
            None => DEFAULT_RUNS,
        };
        let asked = asked.clamp(1, MOST_RUNS);
        let block = match priors {
            true => u64::from(runs_per_world),
            // As few blocks as possible, of equal size.
            false => asked.div_ceil(asked.div_ceil(BLOCK)),
        };
        let runs = asked.next_multiple_of(block);
        let size = match raw.precision {
            Some(width) if precise => Size::Precision {
                width,
                most_runs: runs,
            },
            _ => Size::Runs(runs),
        };
        let worlds = match priors {
            true => WorldSource::Priors,
            false => WorldSource::Defaults,
        };
        (worlds, block as u32, size)
    }

    pub(super) fn quantities(
        &mut self,
        pairs: &[Pair],
    ) -> (Vec<PlannedQuantity>, Vec<Goal>, Vec<RecordedMetric>) {
        let raw = self.raw;
        let Some(first) = pairs.first() else {
            return Default::default();
        };
        let mut wanted: Vec<(Quantity, String)> = Vec::new();
        match &raw.batch.of {
            Some(names) if names.is_empty() => {
                let path = Path::keys(["batch", "of"]);
                self.error(&path, "`of` is empty: there is nothing to compare");
            }
            Some(names) => {
                for (index, name) in names.iter().enumerate() {
                    let path = Path::keys(["batch", "of"]).index(index);
                    let Some(quantity) = self.quantity(pairs, name, &path) else {
                        continue;
                    };
                    if wanted.iter().any(|(known, _)| *known == quantity) {
                        self.error(&path, format!("`{name}` is listed twice"));
                    } else {
                        wanted.push((quantity, naming::name(&first.model, quantity)));
                    }
                }
            }
            None => {
                for (_, _, quantity) in naming::all(&first.model) {
                    let shown = match quantity {
                        Quantity::Metric(i) => first.model.metrics()[i].is_headline(),
                        _ => true,
                    };
                    let name = naming::name(&first.model, quantity);
                    let everywhere =
                        (pairs.iter()).all(|pair| naming::find(&pair.model, &name).is_ok());
                    if shown && everywhere {
                        wanted.push((quantity, name));
                    }
                }
            }
        }
        let mut goals = Vec::new();
        for (name, goal) in &raw.goal {
            let path = Path::keys(["goal", name]);
            let Some(quantity) = self.quantity(pairs, &goal.of, &path.key("of")) else {
                continue;
            };
            let known = wanted.iter().position(|(known, _)| *known == quantity);
            let index = known.unwrap_or_else(|| {
                wanted.push((quantity, naming::name(&first.model, quantity)));
                wanted.len() - 1
            });
            if let Some(threshold) = goal.threshold
                && !matches!(quantity, Quantity::Metric(_))
                && !(0.0..=1.0).contains(&threshold)
            {
                let message = format!(
                    "the threshold is {threshold}, but `{}` has a probability between 0 and 1",
                    goal.of
                );
                self.error(&path.key("threshold"), message);
            }
            goals.push(Goal {
                name: name.clone(),
                label: goal
                    .label
                    .clone()
                    .unwrap_or_else(|| label_of(&first.model, quantity).0),
                quantity: index,
                want: goal.want,
                threshold: goal.threshold,
            });
        }
        let mut metrics: Vec<RecordedMetric> = Vec::new();
        let mut planned = Vec::new();
        for (quantity, id) in wanted {
            let (label, unit) = label_of(&first.model, quantity);
            let source = match quantity {
                Quantity::Endgame(i) => Source::Endgame(i),
                Quantity::Flag(i) => Source::Flag(i),
                Quantity::Metric(i) => {
                    metrics.extend(recorded(pairs, i));
                    Source::Metric(metrics.len() - 1)
                }
                Quantity::Category => continue,
            };
            planned.push(PlannedQuantity {
                id,
                label,
                unit,
                source,
            });
        }
        if raw.batch.keep_runs {
            for index in 0..first.model.metrics().len() {
                let id = first.model.metrics()[index].id();
                if metrics.iter().all(|known| known.id != id) {
                    metrics.extend(recorded(pairs, index));
                }
            }
        }
        (planned, goals, metrics)
    }

    /// The quantity of that name, which all scenarios must have; that of the first one.
    pub(super) fn quantity(&mut self, pairs: &[Pair], name: &str, path: &Path) -> Option<Quantity> {
        let mut first = None;
        for pair in pairs {
            match naming::find(&pair.model, name) {
                Ok(quantity) => first = first.or(Some(quantity)),
                Err(error) => {
                    let message = format!("`{}`: {error}", pair.name);
                    self.error_with_help(path, message, error.advice());
                    return None;
                }
            }
        }
        first
    }

    pub(super) fn selection(&mut self, goals: &[Goal]) -> Option<PlannedSelection> {
        let raw = self.raw.select.as_ref()?;
        let path = Path::keys(["select"]);
        let goal = match &raw.goal {
            Some(name) => {
                let found = goals.iter().position(|goal| goal.name == *name);
                if found.is_none() {
                    let known = self.raw.goal.keys().map(String::as_str);
                    let message = format!("the experiment has no goal `{name}`");
                    self.unknown(&path.key("goal"), message, name, known);
                }
                found?
            }
            None if goals.len() == 1 => 0,
            None => {
                let message = format!(
                    "the experiment has {} goals: which one decides?",
                    goals.len()
                );
                self.error_with_help(
                    &path,
                    message,
                    "add `goal = \"...\"` with the name of a `[goal.NAME]`",
                );
                return None;
            }
        };
        let probability = raw.probability.unwrap_or(0.95);
        if !(probability > 0.0 && probability < 1.0) {
            let message = format!("the probability is {probability}, but must lie between 0 and 1");
            self.error(&path.key("probability"), message);
        }
        if raw.indifference <= 0.0 {
            let message = format!(
                "`indifference` is {}, but must be above 0",
                raw.indifference
            );
            self.error(&path.key("indifference"), message);
        }
        if raw.max_runs == Some(0) {
            self.error(&path.key("max_runs"), "`max_runs` must be at least 1");
        }
        Some(PlannedSelection {
            goal,
            probability,
            indifference: raw.indifference,
            most_runs: raw.max_runs.unwrap_or(DEFAULT_MOST_RUNS),
        })
    }

    pub(super) fn baseline(
        &mut self,
        scenarios: &[PlannedScenario],
        variants: &[Variant],
        levers: &Points,
        sweeps: &Points,
    ) -> Baseline {
        let raw = &self.raw.baseline;
        let scenario = raw.scenario.as_ref().and_then(|name| {
            let found = scenarios.iter().position(|known| known.name == *name);
            if found.is_none() {
                let path = Path::keys(["baseline", "scenario"]);
                let known = scenarios.iter().map(|known| known.name.as_str());
                let message = format!("the experiment has no scenario `{name}`");
                self.unknown(&path, message, name, known);
            }
            found
        });
        let variant = raw.variant.as_ref().and_then(|name| {
            let found = variants.iter().position(|known| known.name() == name);
            if found.is_none() {
                let path = Path::keys(["baseline", "variant"]);
                let known = variants.iter().map(Variant::name);
                let message = format!("the experiment has no variant `{name}`");
                self.unknown(&path, message, name, known);
            }
            found
        });
        let lever = self.baseline_setting("lever", raw.lever.as_ref(), levers);
        Baseline {
            scenario,
            sweep: self.baseline_setting("sweep", raw.sweep.as_ref(), sweeps),
            variant: variant.unwrap_or(0),
            lever: lever.unwrap_or(0),
        }
    }

    pub(super) fn baseline_setting(
        &mut self,
        kind: &'static str,
        given: Option<&IndexMap<String, f64>>,
        points: &Points,
    ) -> Option<u64> {
        let given = given?;
        let path = Path::keys(["baseline", kind]);
        if !points.is_factorial() {
            self.error_with_help(
                &path,
                format!("the {kind}s are sampled: no point has exactly these values"),
                "remove it: the first point is the baseline",
            );
            return None;
        }
        for name in given.keys() {
            if points.axes().iter().all(|axis| axis.parameter != *name) {
                let known = points.axes().iter().map(|axis| axis.parameter.as_str());
                let message = format!("the experiment has no {kind} `{name}`");
                self.unknown(&path.key(name), message, name, known);
                return None;
            }
        }
        let mut setting = Vec::new();
        for axis in points.axes() {
            match given.get(&axis.parameter) {
                Some(value) => setting.push(*value),
                None => {
                    let message =
                        format!("the baseline does not set the {kind} `{}`", axis.parameter);
                    self.error(&path, message);
                    return None;
                }
            }
        }
        let found = points.find(&setting);
        if found.is_none() {
            let message = format!("the {kind}s never have the values of the baseline");
            let tried = points.axes().iter().map(|axis| match &axis.values {
                Values::List(values) => format!("{} is one of {values:?}", axis.parameter),
                _ => axis.parameter.clone(),
            });
            let tried: Vec<String> = tried.collect();
            self.error_with_help(&path, message, tried.join("; "));
        }
        found
    }
}

/// A metric of the first model with its index in every one; `None` if one lacks it.
fn recorded(pairs: &[Pair], index: usize) -> Option<RecordedMetric> {
    let metric = &pairs.first()?.model.metrics()[index];
    let find = |pair: &Pair| {
        let mut all = pair.model.metrics().iter();
        all.position(|other| other.id() == metric.id())
    };
    Some(RecordedMetric {
        id: metric.id().to_owned(),
        label: metric.label().to_owned(),
        unit: metric.unit().map(str::to_owned),
        in_models: pairs.iter().map(find).collect::<Option<_>>()?,
    })
}
