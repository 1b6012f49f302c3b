//! Turns taken side by side.

use super::cells::{Cells, Sums, at, at_mut};
use super::foresee::{Coming, Turn};
use super::table::Table;
use super::{Abreast, Lane};
use crate::engine::choice::{ROUNDING, quantal_response};
use crate::engine::view::relaxed;
use crate::formula::{self, Given, Kept, LANES, Lanes};
use crate::model::{Abreast as Plan, ChoiceBy, Kind, World};

/// Turns of one kind, one in each run.
struct Side {
    /// Which of the kind's processes, or nobody.
    members: [usize; LANES],
    /// If it matters when turns are taken.
    times: Lanes,
    /// Decide the courses.
    uniforms: Lanes,
}

/// So many turns of each run are fetched at once, because they stand together.
const NEXT: usize = 16;

/// The next turns of each run: the next, the one after it, and so on.
#[derive(Default)]
struct Next {
    turns: [[Turn; LANES]; NEXT],
    /// When, if it matters.
    times: [Lanes; NEXT],
}

impl Next {
    /// Fetches those from `number` on. Runs that have fewer get turns of `nobody` instead, at the time of their last.
    fn fetch(
        &mut self,
        coming: &Coming,
        lanes: &[Lane; LANES],
        number: usize,
        nobody: Turn,
        is_timed: bool,
    ) {
        for (run, lane) in lanes.iter().enumerate() {
            let first = lane.first + number;
            if let Some(turns) = coming.turns::<NEXT>(first) {
                for (turn, row) in turns.iter().zip(&mut self.turns) {
                    row[run] = *turn;
                }
            }
            if is_timed && let Some(times) = coming.times::<NEXT>(first) {
                for (time, row) in times.iter().zip(&mut self.times) {
                    row[run] = *time;
                }
            }
            let left = lane.count.saturating_sub(number).min(NEXT);
            self.turns[left..]
                .iter_mut()
                .for_each(|row| row[run] = nobody);
            self.times[left..]
                .iter_mut()
                .for_each(|row| row[run] = lane.time);
        }
    }
}

impl Abreast {
    /// Takes the turns that were drawn.
    pub(super) fn take(&mut self, world: &World, plan: &Plan) {
        let lanes = self.lanes;
        let nobody = Turn::of_nobody(plan.members.len());
        let mut side = Side {
            members: [0; LANES],
            times: [0.0; LANES],
            uniforms: [0.0; LANES],
        };
        let mut next = Next::default();
        let most = lanes.iter().map(|lane| lane.count).max().unwrap_or(0);
        for number in 0..most {
            if number % NEXT == 0 {
                next.fetch(&self.coming, &lanes, number, nobody, self.is_timed);
            }
            let (turns, times) = (&next.turns[number % NEXT], &next.times[number % NEXT]);
            if self.is_timed {
                side.times = *times;
            }
            // If all processes are of one kind, these are its members.
            let each = side.members.iter_mut().zip(&mut side.uniforms);
            for ((member, uniform), turn) in each.zip(turns) {
                (*member, *uniform) = (turn.process(), turn.uniform());
            }
            if let [kind] = &plan.kinds[..] {
                self.turn(world, kind, 0, &side);
                continue;
            }
            for (index, kind) in plan.kinds.iter().enumerate() {
                let nobody = self.tables[index].nobody();
                let mut are_any = false;
                for (member, turn) in side.members.iter_mut().zip(turns) {
                    *member = nobody;
                    if let Some(&(its, its_member)) = plan.members.get(turn.process())
                        && usize::from(its) == index
                    {
                        *member = its_member.into();
                        are_any = true;
                    }
                }
                if are_any {
                    self.turn(world, kind, index, &side);
                }
            }
        }
    }

    /// Takes turns of kind `number`.
    #[inline]
    fn turn(&mut self, world: &World, kind: &Kind, number: usize, side: &Side) {
        match kind.by {
            ChoiceBy::Only => self.rows = side.members,
            ChoiceBy::Probability => self.choose_by_probability(world, kind, number, side),
            ChoiceBy::Score => self.choose_by_score(world, kind, number, side),
        }
        let (table, rows) = (&self.tables[number], &self.rows);
        if table.has_idle {
            for (lane, &row) in self.lanes.iter_mut().zip(rows) {
                lane.idle += u64::from(table.idle[row]);
            }
        }
        let all_finite = match &mut self.cells.sums {
            Sums::Exact(sums) if table.is_plain => {
                let stocks = &mut self.cells.stocks;
                let one_sum = table.steps_in.map(|sum| &mut sums[sum as usize..]);
                if let Some(sum) = one_sum.and_then(<[f64]>::first_chunk_mut) {
                    step(stocks, sum, table, rows);
                    true
                } else {
                    change_plainly(stocks, sums, table, rows)
                }
            }
            _ => change(&mut self.cells, world, table, rows, side),
        };
        if !all_finite {
            self.give_up(number, side);
        }
    }

    /// Lets the runs that take a turn of this kind be made alone, because something in one of them cannot be used: that will tell
    /// what it is.
    #[cold]
    fn give_up(&mut self, number: usize, side: &Side) {
        let nobody = self.tables[number].nobody();
        for (lane, &member) in self.lanes.iter_mut().zip(&side.members) {
            lane.failed |= member != nobody;
        }
    }

    /// Finds out what comes of each run's turn, among the outcomes of the kind.
    #[inline]
    fn choose_by_probability(&mut self, world: &World, kind: &Kind, number: usize, side: &Side) {
        let Table { given, members, .. } = &self.tables[number];
        let seen = Seen {
            side,
            world,
            cells: &self.cells,
        };
        let (stack, rows) = (&mut self.stack, &mut self.rows);
        // What courses so far take up.
        let below = &mut self.below;
        let mut is_first = true;
        let mut all_usable = true;
        // Rows where what they leave is drawn: of nothing, unless a course is open.
        let rest = &mut self.rest;
        let mut other = kind.outcomes.len() - 1;
        if kind.rest_depends {
            for (rest, member) in rest.iter_mut().zip(&side.members) {
                *rest = member + other * members;
            }
        }
        for course in 0..kind.courses() {
            let [guard, preference] = [Kind::guard(course), Kind::preference(course)];
            let open = kind.patterns[guard].as_ref().map(|pattern| {
                let guard = *pattern.evaluate(&given[guard], &seen, stack);
                for guard in guard {
                    all_usable &= guard.is_finite();
                }
                guard.map(|guard| guard != 0.0)
            });
            let Some(pattern) = &kind.patterns[preference] else {
                other -= 1;
                if kind.rest_depends {
                    for (lane, rest) in rest.iter_mut().enumerate() {
                        let is_open = open.is_none_or(|open| open[lane]);
                        let row = side.members[lane] + other * members;
                        *rest = if is_open { row } else { *rest };
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
            if is_first {
                is_first = false;
                all_usable &= pass_first(probabilities, side, rows, *members);
                if kind.preferred > 1 {
                    *below = *probabilities;
                }
            } else {
                all_usable &= pass(probabilities, below, &side.uniforms, rows, *members);
            }
        }
        if is_first {
            *rows = side.members;
        }
        if kind.rest_depends {
            for (row, (rest, member)) in rows.iter_mut().zip(rest.iter().zip(&side.members)) {
                if *row == member + kind.preferred * members {
                    *row = *rest;
                }
            }
        }
        if !all_usable {
            self.give_up(number, side);
        }
    }

    /// As [`Abreast::choose_by_probability`], among courses with scores.
    #[inline(never)]
    fn choose_by_score(&mut self, world: &World, kind: &Kind, number: usize, side: &Side) {
        let given = &self.tables[number].given;
        let seen = Seen {
            side,
            world,
            cells: &self.cells,
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
        self.rows = side.members;
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
        let (members, nobody) = (self.tables[number].members, self.tables[number].nobody());
        for lane in (0..LANES).filter(|&lane| side.members[lane] != nobody) {
            let weights = &mut self.weights;
            weights.clear();
            weights.extend(self.scores.iter().map(|scores| scores[lane]));
            let drawn = quantal_response(weights, rationality[lane], side.uniforms[lane]);
            // No course is the last outcome.
            let outcome = drawn.map_or(courses as usize, |(course, _)| course);
            self.rows[lane] += outcome * members;
            self.lanes[lane].failed |= !is_usable[lane];
        }
    }
}

/// As [`pass`] for the first course, below which courses take up nothing: each run starts at the row of its member.
#[inline(never)]
fn pass_first(
    probabilities: &Lanes,
    side: &Side,
    rows: &mut [usize; LANES],
    further: usize,
) -> bool {
    let mut all_usable = true;
    for lane in 0..LANES {
        let probability = probabilities[lane];
        all_usable &= (0.0..=1.0).contains(&probability);
        let is_beyond = usize::from(side.uniforms[lane] >= probability);
        rows[lane] = side.members[lane] + (is_beyond.wrapping_neg() & further);
    }
    all_usable
}

/// Goes one outcome further, by so many rows, in each run in which the uniform variate lies beyond `below`, which is what courses so
/// far take up, and becomes more by the probability of the next; whether all probabilities can be used.
// Of slices, or it would be written out for each of the lanes, with more to keep than there are registers.
#[inline(never)]
fn pass(
    probabilities: &[f64],
    below: &mut [f64],
    uniforms: &[f64],
    rows: &mut [usize],
    further: usize,
) -> bool {
    let mut all_usable = true;
    let each = probabilities.iter().zip(below).zip(uniforms).zip(rows);
    for (((&probability, below), &uniform), row) in each {
        *below += probability;
        all_usable &= (0.0..=1.0).contains(&probability) & (*below <= 1.0 + ROUNDING);
        *row += usize::from(uniform >= *below).wrapping_neg() & further;
    }
    all_usable
}

/// Makes the changes of a plain table whose changes are steps that all count in `sum`, in one of its `rows` for each run.
#[inline(never)]
fn step(stocks: &mut [f64], sum: &mut Lanes, table: &Table, rows: &[usize; LANES]) {
    for changes in &table.changes {
        let changes = &changes[..];
        for (lane, (&row, sum)) in rows.iter().zip(&mut *sum).enumerate() {
            let change = at(changes, row);
            let stock = at_mut(stocks, lane + change.place as usize);
            let new = change.within(change.step_of(*stock));
            *sum += new - *stock;
            *stock = new;
        }
    }
}

/// Makes the changes of a plain table; whether all came to finite numbers.
#[inline(never)]
fn change_plainly(
    stocks: &mut [f64],
    sums: &mut [f64],
    table: &Table,
    rows: &[usize; LANES],
) -> bool {
    let mut check = 0.0;
    for changes in &table.changes {
        let changes = &changes[..];
        for (lane, &row) in rows.iter().enumerate() {
            let change = at(changes, row);
            let stock = at_mut(stocks, lane + change.place as usize);
            let old = *stock;
            let new = change.of(old);
            check += 0.0 * new;
            let new = change.within(new);
            *stock = new;
            sums[lane + change.sum as usize] += new - old;
        }
    }
    // Not a number if any was not finite.
    check == 0.0
}

/// As [`change_plainly`], of any table.
#[inline(never)]
fn change(
    cells: &mut Cells,
    world: &World,
    table: &Table,
    rows: &[usize; LANES],
    side: &Side,
) -> bool {
    let mut check = 0.0;
    for changes in &table.changes {
        for (lane, &row) in rows.iter().enumerate() {
            let change = at(changes, row);
            let level = cells.level(lane, change.place);
            let mut old = level.value;
            if let Some(constants) = world.slots.get(change.slot as usize)
                && constants.decay != 0.0
            {
                old = relaxed(level, constants, side.times[lane]);
                cells.since[lane + change.place as usize] = side.times[lane];
            }
            let new = change.of(old);
            check += 0.0 * new;
            let new = change.within(new);
            cells.stocks[lane + change.place as usize] = new;
            let counts = change.counts.start as usize..change.counts.end as usize;
            for counts in &table.counts[counts] {
                match &mut cells.sums {
                    Sums::Exact(sums) => sums[lane + counts.sum as usize] += new - old,
                    Sums::Trees(groups, of_run) => counts.way.set(groups, lane * *of_run, new),
                }
            }
        }
    }
    check == 0.0
}

/// What the formulas of these turns see.
struct Seen<'a> {
    side: &'a Side,
    world: &'a World,
    cells: &'a Cells,
}

impl formula::Abreast for Seen<'_> {
    #[inline]
    fn row(&self, lane: usize) -> usize {
        self.side.members[lane]
    }
    #[inline(always)]
    fn still_stock(&self, lane: usize, given: &Given) -> f64 {
        *at(&self.cells.stocks, lane + given.places[0] as usize)
    }
    #[inline]
    fn stock(&self, lane: usize, given: &Given) -> f64 {
        let level = self.cells.level(lane, given.places[0]);
        let constants = &self.world.slots[given.slot as usize];
        relaxed(level, constants, self.side.times[lane])
    }
    // Alone, or what it keeps would compete for registers with all that formulas do.
    #[inline(never)]
    fn totals(&self, given: &[Given], is_one: bool, kept: &[Kept], totals: &mut Lanes) {
        let stocks = &self.cells.stocks[..];
        let each = totals.iter_mut().zip(&self.side.members).enumerate();
        match &self.cells.sums {
            Sums::Exact(sums) => {
                // The sum in each run, where it is the same for all.
                let sum = given.first().filter(|_| is_one);
                let sum = sum.and_then(|given| sums[given.places[1] as usize..].first_chunk());
                // A stock that is left out where none is, the spare one, is 0.
                match sum {
                    Some(sum) => each.for_each(|(lane, (total, &member))| {
                        let sum: &Lanes = sum;
                        let [left_out, _] = at(given, member).places;
                        *total = sum[lane % LANES] - at(stocks, lane + left_out as usize);
                    }),
                    None => each.for_each(|(lane, (total, &member))| {
                        let [left_out, of] = at(given, member).places;
                        *total = sums[lane + of as usize] - at(stocks, lane + left_out as usize);
                    }),
                }
            }
            Sums::Trees(groups, of_run) => each.for_each(|(lane, (total, &member))| {
                let kept = &kept[at(given, member).total as usize];
                let base = lane * of_run;
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
