//! Turns drawn ahead, and put in order.

use crate::engine::{RunState, Simulator};
use crate::model::{ChoiceBy, MOST_PROCESSES, World};
use crate::random::Stream;
use std::ops::Range;

/// The turns of all runs that will be taken, run by run.
#[derive(Clone, Debug, Default)]
pub(super) struct Coming {
    turns: Vec<Turn>,
    times: Vec<f64>,
}

impl Coming {
    /// Some turns from a place on.
    pub fn turns<const COUNT: usize>(&self, place: usize) -> Option<&[Turn; COUNT]> {
        self.turns.get(place..)?.first_chunk()
    }

    /// When they are taken, if it matters.
    pub fn times<const COUNT: usize>(&self, place: usize) -> Option<&[f64; COUNT]> {
        self.times.get(place..)?.first_chunk()
    }

    /// Room for turns, and for their times, behind a place in which there is none, and which comes before all others. If it does
    /// not matter later when turns are taken, their times stand where those of other runs stood.
    fn room(&mut self, first: usize, count: usize, is_timed: bool) -> Option<Room<'_>> {
        let first_time = if is_timed { first } else { 0 };
        if self.turns.len() < first + ROOM {
            self.turns.resize(2 * first + ROOM, Turn::default());
        }
        if self.times.len() < first_time + ROOM {
            self.times.resize(2 * first_time + ROOM, 0.0);
        }
        let times = self.times[first_time..].first_chunk_mut()?;
        times[..=count].fill(f64::NEG_INFINITY);
        let turns = self.turns[first..].first_chunk_mut()?;
        Some(Room { turns, times })
    }
}

/// Places in [`Coming`] for the turns of one run. Where there is no turn yet, the time is before all others.
struct Room<'a> {
    turns: &'a mut [Turn; ROOM],
    times: &'a mut [f64; ROOM],
}

const ROOM: usize = MOST_TURNS + 1;

/// What decides the course of a turn; its last bits, which a uniform variate does not use, say whose turn it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn(u64);

impl Turn {
    const WHOSE: u64 = MOST_PROCESSES as u64 - 1;

    /// One of nobody, in a model with so many processes.
    pub fn of_nobody(processes: usize) -> Self {
        Self(processes as u64 & Self::WHOSE)
    }

    /// The process.
    #[inline(always)]
    pub fn process(self) -> usize {
        (self.0 & Self::WHOSE) as usize
    }

    /// The uniform variate that decides the course.
    #[inline(always)]
    pub fn uniform(self) -> f64 {
        crate::random::open_unit(self.0)
    }
}

/// Working memory. Turns are counted in steps of time, so that each can be put where it belongs, but for the few others in its
/// step.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    /// Times of turns as they are drawn, process by process, and the step of each; those behind the last are not used.
    drawn: Vec<(f64, u16)>,
    /// Where the times of each process end.
    ends: Vec<usize>,
    /// Of each step the turns in it, then where the next of them goes.
    heads: Box<Heads>,
}

type Heads = [u16; MOST_STEPS];

const MOST_STEPS: usize = 1 << 13;

/// Turns of a run in a stretch of time; many more than are expected.
const MOST_TURNS: usize = 1 << 13;

/// Steps for each turn that is expected: few turns share one then.
const STEPS_OF_TURN: f64 = 4.0;

impl Default for Drawing {
    fn default() -> Self {
        Self {
            drawn: Vec::new(),
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

    /// The step in which a time lies. It never falls as time goes on.
    #[inline(always)]
    fn of(self, time: f64) -> u16 {
        (time * self.scale + self.shift).to_bits() as u16
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
            (lane.first, lane.count) = (taken + 1, count);
            if lane.turns > self.model.max_events || count > MOST_TURNS {
                (lane.failed, lane.count) = (true, 0);
                continue;
            }
            add_up(&mut abreast.drawing.heads[..steps.count]);
            self.place_turns(state, number);
            taken += count + 1;
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
        let Drawing { drawn, heads, .. } = drawing;
        let mut count = 0;
        for (index, (process, wake)) in model.processes.iter().zip(wakes).enumerate() {
            while *wake < until {
                if count == drawn.len() {
                    drawn.resize(2 * count + 1024, (0.0, 0));
                }
                let stream = self.streams.of(model, state, process.wait_stream);
                let mean = world.mean_waits[index];
                let room = &mut drawn[count..];
                count += draw_times(stream, mean, wake, until, steps, room, heads);
            }
            drawing.ends.push(count);
        }
        count
    }

    /// Puts the turns of run `number` whose times were drawn, with what decides their courses, in order.
    fn place_turns(&mut self, state: &mut RunState, number: usize) {
        let model = self.model;
        let abreast = &mut self.abreast;
        let (drawing, lane) = (&mut abreast.drawing, &mut abreast.lanes[number]);
        let before = lane.first - 1;
        let Some(room) = (abreast.coming).room(before, lane.count, abreast.is_timed) else {
            return;
        };
        let mut first = 0;
        for (process, (&end, index)) in model.processes.iter().zip(drawing.ends.iter().zip(0..)) {
            let drawn = &drawing.drawn[first..end];
            first = end;
            if drawn.is_empty() {
                continue;
            }
            let heads = &mut *drawing.heads;
            if process.choice.by == ChoiceBy::Only {
                let mut none = Stream::UNUSED;
                place::<false>(drawn, index, &mut none, heads, room.turns, room.times);
            } else {
                let stream = self.streams.of(model, state, process.choice.choice_stream);
                place::<true>(drawn, index, stream, heads, room.turns, room.times);
            }
        }
        if lane.count > 0 {
            lane.time = room.times[lane.count % ROOM];
        }
    }
}

/// Draws the times of turns from `next` on, up to `until` or for as many as there is room, and counts them in their steps; how many.
/// `next` becomes the next time.
// Alone, so that all that changes stays in registers.
#[inline(never)]
fn draw_times(
    stream: &mut Stream,
    mean: f64,
    next: &mut f64,
    until: f64,
    steps: Steps,
    room: &mut [(f64, u16)],
    heads: &mut Heads,
) -> usize {
    let (mut waits, mut time) = (*stream, *next);
    let all = room.len();
    let mut places = room.iter_mut();
    for place in &mut places {
        let step = steps.of(time);
        *place = (time, step);
        let head = &mut heads[usize::from(step) % MOST_STEPS];
        *head = head.wrapping_add(1);
        time += waits.exponential() * mean;
        if time >= until {
            break;
        }
    }
    (*stream, *next) = (waits, time);
    all - places.len()
}

/// Of the turns in each step makes where the first of them goes.
fn add_up(heads: &mut [u16]) {
    /// Multiplied by a word of four numbers, makes each the sum of itself and those before it.
    const ONES: u64 = 0x0001_0001_0001_0001;
    let mut before = 0_u64;
    for heads in heads.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = heads.map(u64::from);
        let counts = a | b << 16 | c << 32 | d << 48;
        let sums = counts.wrapping_mul(ONES);
        let starts = before.wrapping_add(sums).wrapping_sub(counts);
        *heads = [0, 16, 32, 48].map(|bits| (starts >> bits) as u16);
        before = before.wrapping_add((sums >> 48).wrapping_mul(ONES));
    }
}

/// Puts turns of one process in order among those of others; of two at the same time, the one put there first comes first. What
/// decides their courses comes from `stream`, if anything does.
#[inline(never)]
fn place<const DRAWS: bool>(
    drawn: &[(f64, u16)],
    process: u64,
    stream: &mut Stream,
    heads: &mut Heads,
    turns: &mut [Turn; ROOM],
    sorted: &mut [f64; ROOM],
) {
    // A copy stays in registers.
    let mut courses = *stream;
    for &(time, step) in drawn {
        let head = &mut heads[usize::from(step) % MOST_STEPS];
        let mut before = usize::from(*head) % MOST_TURNS;
        *head = head.wrapping_add(1);
        let draw = if DRAWS { courses.next_u64() } else { 0 };
        // Few turns away, if at all; the first place comes before all others.
        while time < sorted[before] {
            sorted[before + 1] = sorted[before];
            turns[before + 1] = turns[before];
            before = before.wrapping_sub(1) % MOST_TURNS;
        }
        sorted[before + 1] = time;
        turns[before + 1] = Turn(draw & !Turn::WHOSE | process);
    }
    *stream = courses;
}
