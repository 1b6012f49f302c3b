//! Turns drawn ahead, and put in order.

use super::Lane;
use crate::engine::{RunState, Simulator};
use crate::model::{ChoiceBy, MOST_PROCESSES, World};
use crate::random::Stream;
use std::ops::Range;

/// A turn that will be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coming {
    pub time: f64,
    /// Decides the course; its last bits, which a uniform variate does not use, say whose turn it is.
    draw: u64,
}

impl Coming {
    pub const NONE: Self = Self { time: 0.0, draw: 0 };
    const WHOSE: u64 = MOST_PROCESSES as u64 - 1;

    /// The process.
    #[inline]
    pub fn process(self) -> usize {
        (self.draw & Self::WHOSE) as usize
    }

    /// The uniform variate that decides the course.
    #[inline]
    pub fn uniform(self) -> f64 {
        crate::random::open_unit(self.draw)
    }
}

/// Working memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawing {
    /// Turns as they are drawn, process by process; those behind the last are not used.
    drawn: Vec<Coming>,
    steps: Vec<u32>,
    heads: Vec<u32>,
}

impl Simulator<'_> {
    /// Draws the turns of all runs within a stretch of time.
    pub(super) fn foresee(&mut self, world: &World, states: &mut [RunState], stretch: Range<f64>) {
        let mut taken = 0;
        for (number, state) in states.iter_mut().enumerate() {
            let count = self.draw_turns(world, number, state, stretch.end);
            let abreast = &mut self.abreast;
            if abreast.coming.len() < taken + count {
                abreast.coming.resize(2 * (taken + count), Coming::NONE);
            }
            let sorted = &mut abreast.coming[taken..taken + count];
            abreast.drawing.sort(&stretch, sorted);
            let lane = &mut abreast.lanes[number];
            if let Some(last) = sorted.last() {
                lane.time = last.time;
            }
            (lane.first, lane.count) = (taken, count);
            lane.turns += count as u64;
            lane.failed |= lane.turns > self.model.max_events;
            taken += count;
        }
    }

    /// Draws the turns of one run before `until`, process by process; how many.
    fn draw_turns(
        &mut self,
        world: &World,
        number: usize,
        state: &mut RunState,
        until: f64,
    ) -> usize {
        let model = self.model;
        let drawn = &mut self.abreast.drawing.drawn;
        let Lane { wakes, .. } = self.abreast.lanes[number];
        let wakes = &mut self.abreast.wakes[wakes..][..model.processes.len()];
        let mut count = 0;
        for (index, (process, wake)) in model.processes.iter().zip(wakes).enumerate() {
            if *wake >= until {
                continue;
            }
            let first = count;
            let stream = self.streams.of(model, state, process.wait_stream);
            count = draw_times(stream, world.mean_waits[index], wake, until, drawn, count);
            let turns = &mut drawn[first..count];
            if process.choice.by == ChoiceBy::Only {
                turns.iter_mut().for_each(|turn| turn.draw = index as u64);
            } else {
                let stream = self.streams.of(model, state, process.choice.choice_stream);
                draw_courses(stream, index as u64, turns);
            }
        }
        count
    }
}

/// Draws the times of turns from `next` up to `until` into what stands at `count`; how many stand there then. `next` becomes the
/// first time that is not before `until`.
// Alone, so that all that changes stays in registers.
#[inline(never)]
fn draw_times(
    stream: &mut Stream,
    mean: f64,
    next: &mut f64,
    until: f64,
    drawn: &mut Vec<Coming>,
    mut count: usize,
) -> usize {
    let (mut waits, mut time) = (*stream, *next);
    while time < until {
        if count == drawn.len() {
            drawn.resize(2 * count + 16, Coming::NONE);
        }
        for turn in &mut drawn[count..] {
            turn.time = time;
            count += 1;
            time += waits.exponential() * mean;
            if time >= until {
                break;
            }
        }
    }
    (*stream, *next) = (waits, time);
    count
}

/// Draws what decides the courses of turns of one process.
#[inline(never)]
fn draw_courses(stream: &mut Stream, process: u64, turns: &mut [Coming]) {
    let mut courses = *stream;
    for turn in turns {
        turn.draw = courses.next_u64() & !Coming::WHOSE | process;
    }
    *stream = courses;
}

impl Drawing {
    /// Puts the turns that were drawn, as many as `sorted` has room for, into the order of their times; of two at the same time,
    /// the one drawn first comes first.
    fn sort(&mut self, stretch: &Range<f64>, sorted: &mut [Coming]) {
        /// Added to a number, makes its last bits the nearest whole number.
        const TO_WHOLE: f64 = (1_u64 << 52) as f64;
        let drawn = &self.drawn[..sorted.len()];
        let last = (2 * drawn.len()).next_power_of_two();
        let scale = last as f64 / (stretch.end - stretch.start);
        // A step function of the time, which never falls. Were it ever to, the last loop would still put all in order.
        let shift = TO_WHOLE - stretch.start * scale;
        let step = |turn: &Coming| {
            let step = (turn.time * scale + shift).to_bits() as u32;
            step.min(last as u32)
        };
        self.heads.clear();
        self.heads.resize(last + 1, 0);
        self.steps.clear();
        self.steps.extend(drawn.iter().map(step));
        let heads = &mut self.heads[..=last];
        for &step in &self.steps {
            heads[step as usize] += 1;
        }
        let mut before = 0;
        for head in &mut *heads {
            before += std::mem::replace(head, before);
        }
        for (turn, &step) in drawn.iter().zip(&self.steps) {
            let head = &mut heads[step as usize];
            sorted[*head as usize] = *turn;
            *head += 1;
        }
        let mut latest = f64::NEG_INFINITY;
        for place in 0..sorted.len() {
            let time = sorted[place].time;
            if time < latest {
                // Within its step, few turns away.
                let to = sorted[..place].iter().rposition(|turn| turn.time <= time);
                sorted[to.map_or(0, |to| to + 1)..=place].rotate_right(1);
            } else {
                latest = time;
            }
        }
    }
}
