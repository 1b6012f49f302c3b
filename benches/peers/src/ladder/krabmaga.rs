//! krabmaga by events: actors are agents, taken up by the schedule at the times that the state asks for after each step.
//!
//! An agent's `step` cannot reach the schedule and the repeating schedule knows waits of 1 only, so the state puts the agent that
//! acted back on the schedule in `after_step`. Times are `f32`.

use super::{ACTORS, HORIZON, decide};
use krabmaga::engine::agent::Agent;
use krabmaga::engine::agentimpl::AgentImpl;
use krabmaga::engine::schedule::Schedule;
use krabmaga::engine::state::State;
use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::any::Any;

#[derive(Clone)]
struct Actor(usize);

impl Agent for Actor {
    fn step(&mut self, state: &mut dyn State) {
        let ladder = (state.as_any_mut().downcast_mut::<Ladder>()).expect("the ladder's state");
        let own = ladder.levels[self.0];
        let level = decide(own, ladder.total, ladder.rng.random());
        ladder.levels[self.0] = level;
        ladder.total += level - own;
        ladder.acted.push(self.0);
    }
}

struct Ladder {
    rng: Xoshiro256PlusPlus,
    levels: [i32; ACTORS],
    total: i32,
    acted: Vec<usize>,
}

impl State for Ladder {
    fn init(&mut self, schedule: &mut Schedule) {
        self.acted.extend(0..ACTORS);
        self.after_step(schedule);
    }

    fn after_step(&mut self, schedule: &mut Schedule) {
        while let Some(actor) = self.acted.pop() {
            let time = schedule.time + self.rng.sample::<f32, _>(Exp1);
            let agent = AgentImpl::new(Box::new(Actor(actor)), actor as u32);
            schedule.schedule_once(agent, time, 0);
        }
    }

    fn end_condition(&mut self, schedule: &mut Schedule) -> bool {
        let next = schedule.events.peek();
        next.is_none_or(|(_, priority)| priority.time > HORIZON as f32)
    }

    fn reset(&mut self) {}
    fn update(&mut self, _step: u64) {}

    fn as_any(&self) -> &dyn Any {
        self
    }
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
    fn as_state(&self) -> &dyn State {
        self
    }
    fn as_state_mut(&mut self) -> &mut dyn State {
        self
    }
}

pub fn run(seed: u64) -> usize {
    let mut ladder = Ladder {
        rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        levels: [0; ACTORS],
        total: 0,
        acted: Vec::with_capacity(ACTORS),
    };
    let mut schedule = Schedule::new();
    ladder.init(&mut schedule);
    while !ladder.end_condition(&mut schedule) {
        schedule.step(&mut ladder);
    }
    ladder.total as usize
}
