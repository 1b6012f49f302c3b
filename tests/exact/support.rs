//! What the tests share: scenarios and their mutants, runs and records of them, verdicts of tests.

use flashpoint::engine::{DropReason, Event, Observer, Origin, RunError, RunState, Simulator};
use flashpoint::formula::Role;
use flashpoint::math::{exp, ln};
use flashpoint::model::{Model, World};
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::load_text;
use flashpoint::stats::hypothesis::{TestResult, chi_square_goodness_of_fit, kolmogorov};

/// Probability with which one test rejects the truth.
pub const ALPHA: f64 = 0.001;

/// A mutant must be rejected with no doubt left.
const BEYOND_DOUBT: f64 = 1e-6;

/// The test does not reject the theory.
#[track_caller]
pub fn accepts(what: &str, result: Option<TestResult>) {
    let result = result.expect(what);
    assert!(result.p_value > ALPHA, "{what}: {result:?}");
}

/// The test rejects the theory of a mutant.
#[track_caller]
pub fn rejects(what: &str, result: Option<TestResult>) {
    let result = result.expect(what);
    assert!(result.p_value < BEYOND_DOUBT, "{what}: {result:?}");
}

/// A scenario given as text.
#[track_caller]
pub fn inline(text: &str) -> Model {
    let loaded = load_text("test.toml", text).unwrap_or_else(|d| panic!("{}", d.render(false)));
    compile(&loaded)
        .unwrap_or_else(|d| panic!("{}", d.render(false)))
        .model
}

/// The text of a scenario of `scenarios/exact/`.
pub fn text_of(name: &str) -> String {
    let path = format!("{}/scenarios/exact/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A scenario of `scenarios/exact/`.
#[track_caller]
pub fn scenario(name: &str) -> Model {
    inline(&text_of(name))
}

/// A scenario of `scenarios/exact/` with each first text replaced by the second.
#[track_caller]
pub fn edited(name: &str, edits: &[(&str, &str)]) -> Model {
    let mut text = text_of(name);
    for (from, to) in edits {
        assert!(text.contains(from), "`{from}` is not in {name}");
        text = text.replace(from, to);
    }
    inline(&text)
}

/// The world of the parameters' default values.
pub fn default_world(model: &Model) -> World {
    World::new(model, model.default_parameters()).expect("default parameters")
}

/// Runs of one model under one seed.
pub struct Runs<'m> {
    pub model: &'m Model,
    pub world: World,
    pub simulator: Simulator<'m>,
    pub state: RunState,
}

impl<'m> Runs<'m> {
    pub fn new(model: &'m Model, seed: u64) -> Self {
        let simulator = Simulator::new(model, seed);
        Self {
            model,
            world: default_world(model),
            state: simulator.allocate(),
            simulator,
        }
    }

    /// Makes run `run` from start to end.
    pub fn try_run<O: Observer>(&mut self, run: u64, observer: &mut O) -> Result<(), RunError> {
        self.simulator.start(&self.world, run, &mut self.state)?;
        self.simulator
            .finish(&self.world, &mut self.state, observer)
    }

    pub fn run<O: Observer>(&mut self, run: u64, observer: &mut O) {
        self.try_run(run, observer)
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// Makes run `run` and gives all that happened in it.
    pub fn record(&mut self, run: u64) -> Record {
        let mut record = Record::default();
        self.run(run, &mut record);
        record
    }

    /// A metric of the last run.
    #[track_caller]
    pub fn metric(&self, id: &str) -> f64 {
        let index = (self.model.metrics().iter()).position(|metric| metric.id() == id);
        self.state.metrics()[index.expect(id)]
    }

    /// The endgame of the last run; `None` at the cap on events.
    pub fn endgame(&self) -> Option<&'m str> {
        let index = self.state.endgame()?;
        Some(self.model.endgames()[index as usize].id())
    }
}

/// A choice as an observer sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    pub time: f64,
    pub origin: Origin,
    pub course: u16,
    pub probability: f64,
    pub due: f64,
}

/// All that happened in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub events: Vec<Event>,
    pub rungs: Vec<((u32, u32), u16, u16)>,
    /// Number of the event, observer, and whom it blames.
    pub beliefs: Vec<(u64, u32, i32)>,
    pub choices: Vec<Chosen>,
    pub drops: Vec<(f64, DropReason)>,
    pub entries: Vec<(f64, u32)>,
}

impl Observer for Record {
    fn event(&mut self, event: &Event) {
        self.events.push(*event);
    }
    fn rung(&mut self, pair: (u32, u32), before: u16, after: u16) {
        self.rungs.push((pair, before, after));
    }
    fn belief(&mut self, observer: u32, blamed: i32) {
        let number = self.events.last().map_or(0, |event| event.number);
        self.beliefs.push((number, observer, blamed));
    }
    fn choice(&mut self, time: f64, origin: Origin, course: u16, probability: f64, due: f64) {
        self.choices.push(Chosen {
            time,
            origin,
            course,
            probability,
            due,
        });
    }
    fn dropped(&mut self, time: f64, _origin: Origin, _course: u16, reason: DropReason) {
        self.drops.push((time, reason));
    }
    fn calendar(&mut self, time: f64, entry: u32) {
        self.entries.push((time, entry));
    }
}

impl Record {
    /// Days of the events.
    pub fn times(&self) -> Vec<f64> {
        self.events.iter().map(|event| event.time).collect()
    }

    /// Days of the events of one action, given by its place among the actions of the scenario.
    pub fn times_of(&self, action: u32) -> Vec<f64> {
        let events = self.events.iter().filter(|event| event.action == action);
        events.map(|event| event.time).collect()
    }
}

/// Who fills a role of an event.
pub fn who(event: &Event, role: Role) -> i32 {
    event.roles.get(role)
}

/// How often each value from 0 on occurs, as many as `cells`; larger ones count in the last cell.
pub fn tally(values: impl IntoIterator<Item = usize>, cells: usize) -> Vec<u64> {
    let mut counts = vec![0; cells];
    for value in values {
        counts[value.min(cells - 1)] += 1;
    }
    counts
}

/// Chi-square test of counts against probabilities.
pub fn frequencies(observed: &[u64], probabilities: &[f64]) -> Option<TestResult> {
    chi_square_goodness_of_fit(observed, probabilities)
}

/// Kolmogorov's test that a sample is exponential with that mean.
pub fn exponential(sample: &[f64], mean: f64) -> Option<TestResult> {
    kolmogorov(sample, |x| 1.0 - exp(-x / mean))
}

/// Kolmogorov's test that a sample is uniform between 0 and 1.
pub fn uniform(sample: &[f64]) -> Option<TestResult> {
    kolmogorov(sample, |x| x.clamp(0.0, 1.0))
}

/// P(N = k) for N Poisson with that mean, k = 0, 1, ..., the last cell taking the rest.
pub fn poisson(mean: f64, cells: usize) -> Vec<f64> {
    let mut cell = exp(-mean);
    let mut probabilities = Vec::new();
    for k in 0..cells - 1 {
        probabilities.push(cell);
        cell *= mean / (k + 1) as f64;
    }
    probabilities.push((1.0 - probabilities.iter().sum::<f64>()).max(0.0));
    probabilities
}

/// P(N >= k) for N Poisson.
pub fn poisson_at_least(k: usize, mean: f64) -> f64 {
    match k {
        0 => 1.0,
        _ if mean <= 0.0 => 0.0,
        _ => poisson(mean, k + 1)[k],
    }
}

/// Integral of a smooth function by Simpson's rule with `2 n` steps.
pub fn integral(f: impl Fn(f64) -> f64, from: f64, to: f64, n: usize) -> f64 {
    let h = (to - from) / (2 * n) as f64;
    let inner = |k: usize| f(from + k as f64 * h) * if k % 2 == 1 { 4.0 } else { 2.0 };
    h / 3.0 * (f(from) + (1..2 * n).map(inner).sum::<f64>() + f(to))
}

/// Value after `days` of a stock that starts from `initial` and relaxes to `baseline` with that half-life.
pub fn relaxed(initial: f64, baseline: f64, half_life: f64, days: f64) -> f64 {
    baseline + (initial - baseline) * exp(-ln(2.0) * days / half_life)
}

/// Times between one number and the next, the first from 0.
pub fn gaps(times: &[f64]) -> Vec<f64> {
    let before = std::iter::once(&0.0).chain(times);
    times.iter().zip(before).map(|(t, s)| t - s).collect()
}
