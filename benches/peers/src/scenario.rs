//! Scenarios, run as a user's would be: loaded, checked, compiled, and run one after the other on one core.

use flashpoint::engine::{RunState, Simulator, Unobserved};
use flashpoint::model::{Model, World};
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::load::{load, load_text};
use std::path::PathBuf;

pub struct Scenario {
    world: World,
    simulator: Simulator<'static>,
    state: RunState,
}

impl Scenario {
    /// A scenario file of this repository.
    pub fn shipped(path: &str) -> Self {
        let path = repository().join(path);
        let loaded = load(&path.to_string_lossy());
        Self::new(loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false))))
    }

    pub fn generated(text: &str) -> Self {
        let loaded = load_text("generated.toml", text);
        Self::new(loaded.unwrap_or_else(|problems| panic!("{}", problems.render(false))))
    }

    fn new(loaded: flashpoint::scenario::load::LoadedScenario) -> Self {
        let compiled = compile(&loaded).unwrap_or_else(|p| panic!("{}", p.render(false)));
        // The model lives as long as the benchmark.
        let model: &'static Model = Box::leak(Box::new(compiled.model));
        let world = World::new(model, model.default_parameters()).expect("a world");
        let simulator = Simulator::new(model, 1);
        let state = simulator.allocate();
        Self {
            world,
            simulator,
            state,
        }
    }

    /// The state at the end of run `number`.
    pub fn run(&mut self, number: u64) -> &RunState {
        let (world, state) = (&self.world, &mut self.state);
        (self.simulator.start(world, number, state)).expect("a start");
        (self.simulator.finish(world, state, &mut Unobserved)).expect("an end");
        state
    }
}

/// The top of the repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
