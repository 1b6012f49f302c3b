//! ixa: actors are entities with a property, decisions are plans; the sum of levels is kept in a data plugin.

use super::{ACTORS, HORIZON, decide};
use ixa::prelude::*;
use rand_distr::Exp1;

define_entity!(Actor);
define_property!(struct Level(i32), Actor, default_const = Level(0));
define_rng!(LadderRng);
define_data_plugin!(Total, i32, 0);

fn plan(context: &mut Context, actor: EntityId<Actor>) {
    let wait: f64 = context.sample_distr(LadderRng, Exp1);
    let time = context.get_current_time() + wait;
    context.add_plan(time, move |context| act(context, actor));
}

fn act(context: &mut Context, actor: EntityId<Actor>) {
    let Level(own) = context.get_property(actor);
    let total = *context.get_data(Total);
    let level = decide(own, total, context.sample_range(LadderRng, 0.0..1.0));
    *context.get_data_mut(Total) += level - own;
    context.set_property(actor, Level(level));
    plan(context, actor);
}

pub fn run(seed: u64) -> usize {
    let mut context = Context::new();
    context.init_random(seed);
    for _ in 0..ACTORS {
        let actor = context.add_entity(Actor).expect("an actor");
        plan(&mut context, actor);
    }
    context.add_plan(HORIZON, Context::shutdown);
    context.execute();
    *context.get_data(Total) as usize
}
