//! krabmaga by steps: a repeating agent stands for the group, and each of its steps is one decision of one of the ten.
//!
//! The group decides at rate 10, the actor who decides is uniform, and the state keeps the days; the schedule counts steps.

use super::{ACTORS, HORIZON, decide};
use krabmaga::engine::agent::Agent;
use krabmaga::engine::schedule::Schedule;
use krabmaga::engine::state::State;
use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::any::Any;

#[derive(Clone)]
struct Group;

impl Agent for Group {
    fn step(&mut self, state: &mut dyn State) {
        let ladder = (state.as_any_mut().downcast_mut::<Ladder>()).expect("the ladder's state");
        let own = &mut ladder.levels[ladder.rng.random_range(0..ACTORS)];
        let level = decide(*own, ladder.total, ladder.rng.random());
        ladder.total += level - *own;
        *own = level;
        ladder.wait();
    }
}

struct Ladder {
    rng: Xoshiro256PlusPlus,
    levels: [i32; ACTORS],
    total: i32,
    day: f64,
}

impl Ladder {
    fn wait(&mut self) {
        self.day += self.rng.sample::<f64, _>(Exp1) / ACTORS as f64;
    }
}

impl State for Ladder {
    fn init(&mut self, schedule: &mut Schedule) {
        self.wait();
        schedule.schedule_repeating(Box::new(Group), 0.0, 0);
    }

    fn end_condition(&mut self, _schedule: &mut Schedule) -> bool {
        self.day > HORIZON
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
        day: 0.0,
    };
    let mut schedule = Schedule::new();
    ladder.init(&mut schedule);
    while !ladder.end_condition(&mut schedule) {
        schedule.step(&mut ladder);
    }
    ladder.total as usize
}
