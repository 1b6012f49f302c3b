//! Turns drawn ahead, and put in order.

use super::Abreast;
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

/// Working memory: turns are put into steps of time by counting, and into order within each step afterwards.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    /// Times of turns as they are drawn, process by process; those behind the last are not used.
    times: Vec<f64>,
    /// Where the times of each process end.
    ends: Vec<usize>,
    /// Of each step the turns in it, then where the next of them goes.
    heads: Box<Heads>,
}

type Heads = [u16; MOST_STEPS];

const MOST_STEPS: usize = 1 << 13;

/// As many turns as heads can count.
const MOST_TURNS: usize = u16::MAX as usize;

/// Steps for each turn that is expected: few turns share one then.
const STEPS_OF_TURN: f64 = 4.0;

impl Default for Drawing {
    fn default() -> Self {
        Self {
            times: Vec::new(),
            ends: Vec::new(),
            heads: Box::new([0; MOST_STEPS]),
        }
    }
}

/// Equal steps of time.
#[derive(Clone, Copy, Debug)]
struct Steps {
    count: usize,
    scale: f64,
    shift: f64,
}

impl Steps {
    /// In a stretch of time in which so many turns are expected.
    fn new(stretch: &Range<f64>, turns: f64) -> Self {
        /// Added to a number, makes its last bits the nearest whole number.
        const TO_WHOLE: f64 = (1_u64 << 52) as f64;
        // There is room for one more at either end, where rounding may put a turn.
        let count = (turns * STEPS_OF_TURN)
            .clamp(1.0, MOST_STEPS as f64 - 8.0)
            .floor();
        let scale = count / (stretch.end - stretch.start);
        Self {
            count: (count as usize + 3).next_multiple_of(4),
            scale,
            shift: TO_WHOLE + 1.0 - stretch.start * scale,
        }
    }

    /// The step in which a time lies. It never falls as time goes on; were it ever to, [`put_in_order`] would see to it.
    #[inline(always)]
    fn of(self, time: f64) -> usize {
        (time * self.scale + self.shift).to_bits() as usize % MOST_STEPS
    }
}

impl Simulator<'_> {
    /// Draws the turns of all runs within a stretch of time, in which so many are expected of each.
    pub(super) fn foresee(
        &mut self,
        world: &World,
        states: &mut [RunState],
        stretch: Range<f64>,
        expected: f64,
    ) {
        let steps = Steps::new(&stretch, expected);
        let mut taken = 0;
        for (number, state) in states.iter_mut().enumerate() {
            self.abreast.drawing.heads[..steps.count].fill(0);
            let count = self.draw_turns(world, number, state, stretch.end, steps);
            let abreast = &mut self.abreast;
            let lane = &mut abreast.lanes[number];
            lane.turns += count as u64;
            (lane.first, lane.count) = (taken, count);
            if lane.turns > self.model.max_events || count > MOST_TURNS {
                (lane.failed, lane.count) = (true, 0);
                continue;
            }
            if abreast.coming.len() < taken + count {
                abreast.coming.resize(2 * (taken + count), Coming::NONE);
            }
            add_up(&mut abreast.drawing.heads[..steps.count]);
            self.place_turns(state, taken..taken + count, steps);
            let abreast = &mut self.abreast;
            let sorted = &mut abreast.coming[taken..taken + count];
            put_in_order(sorted);
            if let Some(last) = sorted.last() {
                abreast.lanes[number].time = last.time;
            }
            taken += count;
        }
    }

    /// Draws the times of the turns of one run before `until`, process by process; how many.
    fn draw_turns(
        &mut self,
        world: &World,
        number: usize,
        state: &mut RunState,
        until: f64,
        steps: Steps,
    ) -> usize {
        let model = self.model;
        let drawing = &mut self.abreast.drawing;
        drawing.ends.clear();
        let processes = model.processes.len();
        let wakes = &mut self.abreast.wakes[number * processes..][..processes];
        let mut count = 0;
        for (index, (process, wake)) in model.processes.iter().zip(wakes).enumerate() {
            if *wake < until {
                let stream = self.streams.of(model, state, process.wait_stream);
                let mean = world.mean_waits[index];
                count = drawing.draw_times(stream, mean, wake, until, count, steps);
            }
            drawing.ends.push(count);
        }
        count
    }

    /// Puts the turns whose times were drawn, with what decides their courses, into their steps.
    fn place_turns(&mut self, state: &mut RunState, places: Range<usize>, steps: Steps) {
        let model = self.model;
        let Abreast {
            drawing, coming, ..
        } = &mut self.abreast;
        let sorted = &mut coming[places];
        let mut first = 0;
        for (process, (&end, index)) in model.processes.iter().zip(drawing.ends.iter().zip(0..)) {
            let times = &drawing.times[first..end];
            first = end;
            if times.is_empty() {
                continue;
            }
            let heads = &mut *drawing.heads;
            if process.choice.by == ChoiceBy::Only {
                place(times, || index, steps, heads, sorted);
            } else {
                let stream = self.streams.of(model, state, process.choice.choice_stream);
                let mut courses = *stream;
                let draw = || courses.next_u64() & !Coming::WHOSE | index;
                place(times, draw, steps, heads, sorted);
                *stream = courses;
            }
        }
    }
}

impl Drawing {
    /// Draws the times of turns from `next` up to `until` into what stands at `count`; how many stand there then. `next` becomes
    /// the first time that is not before `until`.
    // Alone, so that all that changes stays in registers.
    #[inline(never)]
    fn draw_times(
        &mut self,
        stream: &mut Stream,
        mean: f64,
        next: &mut f64,
        until: f64,
        mut count: usize,
        steps: Steps,
    ) -> usize {
        let (mut waits, mut time) = (*stream, *next);
        let Self { times, heads, .. } = self;
        while time < until {
            if count == times.len() {
                times.resize(2 * count + 16, 0.0);
            }
            for place in &mut times[count..] {
                *place = time;
                count += 1;
                let head = &mut heads[steps.of(time)];
                *head = head.wrapping_add(1);
                time += waits.exponential() * mean;
                if time >= until {
                    break;
                }
            }
        }
        (*stream, *next) = (waits, time);
        count
    }
}

/// Of the turns in each step makes where the first of them goes.
fn add_up(heads: &mut [u16]) {
    /// Multiplied by a word of four numbers, makes each the sum of itself and those before it.
    const ONES: u64 = 0x0001_0001_0001_0001;
    let mut before = 0_u64;
    for heads in heads.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = heads.map(u64::from);
        let sums = (a | b << 16 | c << 32 | d << 48).wrapping_mul(ONES);
        let starts = before + (sums << 16);
        *heads = [0, 16, 32, 48].map(|bits| (starts >> bits) as u16);
        before += (sums >> 48).wrapping_mul(ONES);
    }
}

/// Puts turns of one process into their steps. `draw` makes what decides their courses.
#[inline(never)]
fn place(
    times: &[f64],
    mut draw: impl FnMut() -> u64,
    steps: Steps,
    heads: &mut Heads,
    sorted: &mut [Coming],
) {
    for &time in times {
        let head = &mut heads[steps.of(time)];
        let draw = draw();
        if let Some(place) = sorted.get_mut(usize::from(*head)) {
            *place = Coming { time, draw };
        }
        *head = head.wrapping_add(1);
    }
}

/// Puts turns into the order of their times that are so but for a few places; of two at the same time, the first comes first.
fn put_in_order(turns: &mut [Coming]) {
    let mut latest = f64::NEG_INFINITY;
    for place in 0..turns.len() {
        let time = turns[place].time;
        if time < latest {
            let to = turns[..place].iter().rposition(|turn| turn.time <= time);
            turns[to.map_or(0, |to| to + 1)..=place].rotate_right(1);
        } else {
            latest = time;
        }
    }
}
