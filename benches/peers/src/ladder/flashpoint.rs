//! Flashpoint: the shipped scenario.

use crate::scenario::Scenario;

pub fn runner() -> impl FnMut(u64) -> usize {
    let mut scenario = Scenario::shipped("scenarios/bench/ladder-10.toml");
    move |number| scenario.run(number).metrics()[0] as usize
}
