//! nexosim: one model holds the ten actors, each of whose decisions schedules its next; one thread.
//!
//! A model an actor, talking through ports, would be nearer to the package's style and far slower: this is its best case. A day
//! is a second of its clock.

use super::{ACTORS, HORIZON, decide};
use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::QuerySource;
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct Ladder {
    rng: Xoshiro256PlusPlus,
    levels: [i32; ACTORS],
    total: i32,
}

#[Model]
impl Ladder {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        for actor in 0..ACTORS {
            self.wait(actor, context);
        }
    }

    #[nexosim(schedulable)]
    async fn act(&mut self, actor: usize, context: &Context<Self>) {
        let own = self.levels[actor];
        let level = decide(own, self.total, self.rng.random());
        self.levels[actor] = level;
        self.total += level - own;
        self.wait(actor, context);
    }

    fn wait(&mut self, actor: usize, context: &Context<Self>) {
        let wait = Duration::from_secs_f64(self.rng.sample(Exp1)) + Duration::from_nanos(1);
        let scheduled = context.schedule_event(wait, schedulable!(Self::act), actor);
        scheduled.expect("a time to come");
    }

    async fn total(&mut self) -> i32 {
        self.total
    }
}

pub fn run(seed: u64) -> usize {
    let ladder = Ladder {
        rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        levels: [0; ACTORS],
        total: 0,
    };
    let mailbox = Mailbox::new();
    let mut bench = SimInit::with_num_threads(1);
    let total = QuerySource::new()
        .connect(Ladder::total, &mailbox)
        .register(&mut bench);
    let mut simulation = (bench.add_model(ladder, mailbox, "ladder"))
        .init(MonotonicTime::EPOCH)
        .expect("a bench");
    (simulation.step_until(Duration::from_secs_f64(HORIZON))).expect("a run");
    simulation.process_query(&total, ()).expect("an answer") as usize
}
