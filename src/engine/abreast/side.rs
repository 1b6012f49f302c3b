//! Turns taken side by side.

use super::foresee::Coming;
use super::sums::Sums;
use super::table::Change;
use super::{Abreast, Lane};
use crate::engine::choice::{ROUNDING, quantal_response};
use crate::engine::state::Level;
use crate::engine::view::relaxed;
use crate::formula::{self, Given, Kept, LANES, Lanes};
use crate::model::{Abreast as Plan, ChoiceBy, Kind, World};

/// Turns of one kind, in different runs. What stands behind the last is not used.
struct Side {
    count: usize,
    /// The runs.
    lanes: [usize; LANES],
    /// Where the levels and sums of each begin.
    levels: [usize; LANES],
    sums: [usize; LANES],
    /// Which of the kind's processes.
    members: [usize; LANES],
    times: Lanes,
    /// Decide the courses.
    uniforms: Lanes,
}

impl Side {
    fn of(lanes: &[Lane; LANES]) -> Self {
        Self {
            count: 0,
            lanes: lanes.map(|lane| lane.number),
            levels: lanes.map(|lane| lane.levels),
            sums: lanes.map(|lane| lane.sums),
            members: [0; LANES],
            times: [0.0; LANES],
            uniforms: [0.0; LANES],
        }
    }

    /// Puts in a turn; `member` says which of the kind's processes it is, if they are not all.
    #[inline]
    fn put(&mut self, place: usize, turn: Coming, member: Option<usize>) {
        self.members[place] = member.unwrap_or(turn.process());
        self.times[place] = turn.time;
        self.uniforms[place] = turn.uniform();
    }
}

impl Abreast {
    /// Takes the turns that were drawn, in the first `runs` lanes.
    pub(super) fn take(&mut self, world: &World, plan: &Plan, runs: usize) {
        let mut lanes = self.lanes;
        lanes[..runs].sort_by_key(|lane| std::cmp::Reverse(lane.count));
        let firsts = lanes.map(|lane| lane.first);
        let mut side = Side::of(&lanes);
        let mut left = runs;
        for number in 0..lanes[0].count {
            while left > 0 && lanes[left - 1].count <= number {
                left -= 1;
            }
            if let [kind] = &plan.kinds[..] {
                side.count = left;
                for (place, first) in firsts.iter().take(left).enumerate() {
                    side.put(place, self.coming[first + number], None);
                }
                self.turn(world, kind, 0, &side);
                continue;
            }
            for (index, kind) in plan.kinds.iter().enumerate() {
                side.count = 0;
                for lane in &lanes[..left] {
                    let turn = self.coming[lane.first + number];
                    let (its, member) = plan.members[turn.process()];
                    if usize::from(its) == index {
                        let place = side.count;
                        side.lanes[place] = lane.number;
                        side.levels[place] = lane.levels;
                        side.sums[place] = lane.sums;
                        side.put(place, turn, Some(member.into()));
                        side.count += 1;
                    }
                }
                // Those behind the last evaluate some formula of this kind, too, though nothing comes of it.
                side.members[side.count..].fill(0);
                if side.count > 0 {
                    self.turn(world, kind, index, &side);
                }
            }
        }
    }

    /// Takes turns of kind `number`.
    #[inline]
    fn turn(&mut self, world: &World, kind: &Kind, number: usize, side: &Side) {
        let courses = match kind.by {
            ChoiceBy::Only => [0; LANES],
            ChoiceBy::Probability => self.choose_by_probability(world, kind, number, side),
            ChoiceBy::Score => self.choose_by_score(world, kind, number, side),
        };
        let table = &self.tables[number];
        let first = |place: usize| {
            side.members[place] * table.of_process + courses[place] as usize * table.moves.len()
        };
        let first: [usize; LANES] = std::array::from_fn(first);
        let lanes = &mut self.lanes;
        let levels = &mut self.levels[..];
        for (number, &moves) in table.moves.iter().enumerate() {
            for place in 0..side.count.min(LANES) {
                let change = &table.changes[first[place] + number];
                let level = &mut levels[side.levels[place] + change.slot as usize];
                let (old, new, is_usual) = change.make(world, moves, level, side.times[place]);
                if !is_usual {
                    change.note(&mut lanes[side.lanes[place]]);
                }
                let counts = change.counts.start as usize..change.counts.end as usize;
                let base = side.sums[place];
                match &mut self.sums {
                    Sums::Exact(sums) => {
                        sums[base + change.sum as usize] += new - old;
                        if counts.len() > 1 {
                            for counts in &table.counts[counts][1..] {
                                sums[base + counts.sum as usize] += new - old;
                            }
                        }
                    }
                    Sums::Trees(groups) => {
                        for counts in &table.counts[counts] {
                            counts.way.set(groups, base, new);
                        }
                    }
                }
            }
        }
    }

    /// The course that each run takes; one more than there are where none is open.
    #[inline]
    fn choose_by_probability(
        &mut self,
        world: &World,
        kind: &Kind,
        number: usize,
        side: &Side,
    ) -> [u32; LANES] {
        let given = &self.tables[number].given;
        let seen = Seen {
            side,
            world,
            levels: &self.levels,
            sums: &self.sums,
        };
        let stack = &mut self.stack;
        // What courses so far take up, and how many of those with a probability the uniform variate lies beyond.
        let mut below = [0.0; LANES];
        let mut passed = [0_u64; LANES];
        let mut unusable = [0_u64; LANES];
        // The course that takes what is left; one more than there are if none does.
        let courses = kind.courses();
        let mut rest = [courses; LANES];
        for course in 0..courses {
            let [guard, preference] = [Kind::guard(course), Kind::preference(course)];
            let open = kind.patterns[guard].as_ref().map(|pattern| {
                let guard = *pattern.evaluate(&given[guard], &seen, stack);
                for lane in 0..LANES {
                    unusable[lane] |= u64::from(!guard[lane].is_finite());
                }
                guard.map(|guard| guard != 0.0)
            });
            let Some(pattern) = &kind.patterns[preference] else {
                if kind.rest_depends {
                    for (lane, rest) in rest.iter_mut().enumerate() {
                        *rest = if open.is_none_or(|open| open[lane]) {
                            course
                        } else {
                            *rest
                        };
                    }
                }
                continue;
            };
            let probabilities = pattern.evaluate(&given[preference], &seen, stack);
            if let Some(open) = open {
                for lane in 0..LANES {
                    probabilities[lane] = if open[lane] { probabilities[lane] } else { 0.0 };
                }
            }
            for lane in 0..LANES {
                let probability = probabilities[lane];
                below[lane] += probability;
                let is_usable =
                    (0.0..=1.0).contains(&probability) & (below[lane] <= 1.0 + ROUNDING);
                unusable[lane] |= u64::from(!is_usable);
                passed[lane] += u64::from(side.uniforms[lane] >= below[lane]);
            }
        }
        if unusable[..side.count].iter().any(|&unusable| unusable != 0) {
            for (&lane, unusable) in side.lanes.iter().zip(unusable).take(side.count) {
                self.lanes[lane].failed |= unusable != 0;
            }
        }
        let preferred = &kind.preferred[..];
        let mut chosen = passed.map(|passed| preferred.get(passed as usize).map_or(0, |&it| it));
        if kind.rest_depends {
            for lane in 0..LANES {
                if passed[lane] as usize + 1 == preferred.len() {
                    chosen[lane] = rest[lane];
                }
            }
        }
        chosen
    }

    /// As [`Abreast::choose_by_probability`], among courses with scores.
    fn choose_by_score(
        &mut self,
        world: &World,
        kind: &Kind,
        number: usize,
        side: &Side,
    ) -> [u32; LANES] {
        let given = &self.tables[number].given;
        let seen = Seen {
            side,
            world,
            levels: &self.levels,
            sums: &self.sums,
        };
        let stack = &mut self.stack;
        let mut evaluate = |index: usize| {
            let pattern = kind.patterns[index].as_ref();
            pattern.map(|pattern| *pattern.evaluate(&given[index], &seen, stack))
        };
        let rationality = evaluate(0).unwrap_or([1.0; LANES]);
        let mut is_usable = rationality.map(|rationality| rationality >= 0.0);
        let courses = kind.courses();
        self.scores.clear();
        for course in 0..courses {
            let guard = evaluate(Kind::guard(course));
            let mut scores = evaluate(Kind::preference(course)).unwrap_or([0.0; LANES]);
            for lane in 0..LANES {
                let guard = guard.map_or(1.0, |guard| guard[lane]);
                is_usable[lane] &= guard.is_finite() && (guard == 0.0 || scores[lane].is_finite());
                if guard == 0.0 {
                    scores[lane] = f64::NEG_INFINITY;
                }
            }
            self.scores.push(scores);
        }
        let mut chosen = [courses; LANES];
        for place in 0..side.count.min(LANES) {
            let weights = &mut self.weights;
            weights.clear();
            weights.extend(self.scores.iter().map(|scores| scores[place]));
            let drawn = quantal_response(weights, rationality[place], side.uniforms[place]);
            if let Some((course, _)) = drawn {
                chosen[place] = course as u32;
            }
            self.lanes[side.lanes[place]].failed |= !is_usable[place];
        }
        chosen
    }
}

impl Change {
    /// Makes the change: what the stock was, what it is then, and whether there is nothing to note. `moves` tells whether time
    /// moves the stock.
    #[inline(always)]
    fn make(&self, world: &World, moves: bool, level: &mut Level, time: f64) -> (f64, f64, bool) {
        let old = match world.slots.get(self.slot as usize) {
            Some(slot) if moves => relaxed(*level, slot, time),
            _ => level.value,
        };
        let new = self.of(old);
        let is_usual = new.is_finite() & !self.idle;
        let new = self.within(new);
        *level = Level {
            value: new,
            since: time,
        };
        (old, new, is_usual)
    }

    /// Notes what is unusual of the change in its run.
    fn note(&self, lane: &mut Lane) {
        if self.idle {
            lane.idle += 1;
        } else {
            lane.failed = true;
        }
    }
}

/// What the formulas of these turns see.
struct Seen<'a> {
    side: &'a Side,
    world: &'a World,
    levels: &'a [Level],
    sums: &'a Sums,
}

impl Seen<'_> {
    #[inline]
    fn level(&self, lane: usize, slot: u32) -> Level {
        self.levels[self.side.levels[lane] + slot as usize]
    }
}

impl formula::Abreast for Seen<'_> {
    #[inline]
    fn row(&self, lane: usize) -> usize {
        self.side.members[lane]
    }
    #[inline]
    fn still_stock(&self, lane: usize, slot: u32) -> f64 {
        self.level(lane, slot).value
    }
    #[inline]
    fn stock(&self, lane: usize, slot: u32) -> f64 {
        let constants = &self.world.slots[slot as usize];
        relaxed(self.level(lane, slot), constants, self.side.times[lane])
    }
    #[inline(always)]
    fn totals<'g>(&self, given: impl Fn(usize) -> &'g Given, kept: &[Kept], totals: &mut Lanes) {
        let each = totals.iter_mut().zip(&self.side.sums).enumerate();
        match self.sums {
            Sums::Exact(sums) => each.for_each(|(lane, (total, &base))| {
                let given = given(lane);
                // The spare stock is 0.
                let left_out = self.level(lane, given.slot).value;
                *total = sums[base + given.sum as usize] - left_out;
            }),
            Sums::Trees(groups) => each.for_each(|(lane, (total, &base))| {
                let kept = &kept[given(lane).total as usize];
                *total = match kept.without {
                    None => {
                        let [a, b, c, d] = groups[base + kept.root as usize];
                        (a + b) + (c + d)
                    }
                    // What is left out counts as 0.
                    Some((_, way)) => way.sum_with(groups, base, 0.0),
                };
            }),
        }
    }
    #[inline]
    fn time(&self, lane: usize) -> f64 {
        self.side.times[lane]
    }
}
