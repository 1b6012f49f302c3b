//! The start of a run, worked out once for all runs of a world.

use super::{Fault, RunState, Simulator, Unobserved, metrics};
use crate::model::{World, WorldMark};

/// What all runs of a world have in common at their start.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    mark: WorldMark,
    /// A run from which nothing has been drawn: stocks, metrics, bounds of hazards. It has ended already if an absorbing endgame
    /// holds from the start.
    pub start: RunState,
    /// Processes that wait for an event from the start on.
    pub waiting: Vec<u32>,
}

impl Simulator<'_> {
    /// Makes `world` ready, if it is not; an error is told of as one of run `run`.
    pub(super) fn prepare(&mut self, world: &World, run: u64) -> Result<Prepared, Fault> {
        let (mut start, mut waiting) = match self.prepared.take() {
            Some(prepared) if prepared.mark == world.mark => return Ok(prepared),
            Some(old) => (old.start, old.waiting),
            None => (self.allocate(), Vec::new()),
        };
        let model = self.model;
        start.reset(model, world, run);
        metrics::reset(model, world, &mut start);
        let observer = &mut Unobserved;
        let mut running = self.running(world, &mut start, observer);
        running.bound_clocks()?;
        running.check_absorbing()?;
        waiting.clear();
        waiting.extend((0..model.processes.len()).filter_map(|process| {
            let waits = match world.mean_waits[process] {
                steady if !steady.is_nan() => steady < f64::INFINITY,
                _ => start.clocks[process].bound > 0.0,
            };
            waits.then_some(process as u32)
        }));
        Ok(Prepared {
            mark: world.mark.clone(),
            start,
            waiting,
        })
    }
}
