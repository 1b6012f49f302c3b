//! Models whose runs can be made abreast: nothing happens but turns, and nothing that happens moves a clock.

use super::{Choice, ChoiceBy, Formula, Model, Turn};
use crate::formula::{Known, Pattern, Row, Totals};

/// The turns of a model in which nothing else happens, at times that nothing moves.
#[derive(Clone, Debug)]
pub(crate) struct Abreast {
    pub kinds: Vec<Kind>,
    /// For each process: its kind, and which of that kind's processes it is.
    pub members: Vec<(u16, u16)>,
}

/// Turns that differ in nothing but the operands of their formulas and what the courses do.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub by: ChoiceBy,
    /// Of the rationality, then of each course's guard and of its score or probability; `None` for one that there is not.
    pub patterns: Vec<Option<Pattern>>,
    /// What a turn may come to: a course, those first that do not only take what others leave; the last is none.
    pub outcomes: Vec<Option<u32>>,
    /// How many do not only take what others leave.
    pub preferred: usize,
    /// Whether it depends on guards which one takes what is left; it is the first of the others if not.
    pub rest_depends: bool,
    /// Processes of this kind.
    pub processes: Vec<u32>,
}

/// As many processes, nobody included, as can be told apart in the bits that a uniform variate does not use.
pub(crate) const MOST_PROCESSES: usize = 1 << 12;

impl Abreast {
    /// The turns of `model` if nothing but these `turns` happens in it.
    pub fn new(
        model: &Model,
        turns: &[Option<Turn>],
        known: &mut Known,
        totals: &mut Totals,
    ) -> Option<Self> {
        let undisturbed = model.calendar.is_empty()
            && model.timeline.is_none()
            && !model.absorbing_moves
            && (model.processes.iter()).all(|process| process.hazard.program.only_parameters());
        if !undisturbed || turns.is_empty() || turns.len() >= MOST_PROCESSES {
            return None;
        }
        for turn in turns {
            let changes = turn.as_ref()?.courses.iter().flatten().flatten();
            for change in changes {
                let dependents = &model.slot_dependents[change.slot as usize];
                let seen = !(dependents.processes.is_empty() && dependents.watchers.is_empty());
                if seen || dependents.absorbing {
                    return None;
                }
            }
        }
        let mut abreast = Self {
            kinds: Vec::new(),
            members: Vec::new(),
        };
        for (process, index) in model.processes.iter().zip(0..) {
            abreast.place(&process.choice, index, &mut |formula| {
                let is_still = |slot: u32| model.slots[slot as usize].half_life.is_none();
                Row::new(&formula.program.with_known(known), &is_still, totals)
            })?;
        }
        let kinds = abreast.kinds.iter_mut();
        for pattern in kinds.flat_map(|kind| kind.patterns.iter_mut().flatten()) {
            pattern.close();
        }
        Some(abreast)
    }

    /// Puts a process among those of its kind. `row` makes a row of a formula, if it can.
    fn place(
        &mut self,
        choice: &Choice,
        index: u32,
        row: &mut dyn FnMut(&Formula) -> Option<Row>,
    ) -> Option<()> {
        let courses = choice.courses.iter();
        let formulas = std::iter::once(&choice.rationality)
            .chain(courses.flat_map(|course| [&course.when, &course.preference]));
        let rows = formulas.map(|formula| match formula {
            Some(formula) => row(formula).map(Some),
            None => Some(None),
        });
        let rows: Vec<Option<Row>> = rows.collect::<Option<_>>()?;
        let found = self
            .kinds
            .iter()
            .position(|kind| kind.fits(choice.by, &rows));
        let kind = found.unwrap_or_else(|| {
            let like = |row: &Option<Row>| row.as_ref().map(Pattern::like);
            let courses = choice.courses.iter().zip(0..);
            let (preferred, rest): (Vec<_>, Vec<_>) = courses.partition(|(course, _)| {
                choice.by != ChoiceBy::Probability || course.preference.is_some()
            });
            let rest_depends = rest.iter().any(|(course, _)| course.when.is_some());
            // Of several without a guard, the last takes what is left.
            let others = rest.iter().rev();
            let outcomes = preferred.iter().chain(others).map(|&(_, number)| number);
            self.kinds.push(Kind {
                by: choice.by,
                patterns: rows.iter().map(like).collect(),
                outcomes: outcomes.map(Some).chain([None]).collect(),
                preferred: preferred.len(),
                rest_depends,
                processes: Vec::new(),
            });
            self.kinds.len() - 1
        });
        let number = kind as u16;
        let kind = &mut self.kinds[kind];
        self.members.push((number, kind.processes.len() as u16));
        kind.processes.push(index);
        for (pattern, row) in kind.patterns.iter_mut().zip(rows) {
            if let (Some(pattern), Some(row)) = (pattern, row) {
                pattern.push(row);
            }
        }
        Some(())
    }
}

impl Kind {
    /// How many courses there are.
    pub fn courses(&self) -> u32 {
        (self.patterns.len() / 2) as u32
    }

    /// Where the guard of a course stands among the patterns.
    pub fn guard(course: u32) -> usize {
        2 * course as usize + 1
    }

    /// Where the score or probability of a course stands among the patterns.
    pub fn preference(course: u32) -> usize {
        2 * course as usize + 2
    }

    /// Whether there may be no course for a turn to take.
    pub fn may_come_to_none(&self) -> bool {
        match self.by {
            ChoiceBy::Only => false,
            ChoiceBy::Score => true,
            ChoiceBy::Probability => self.rest_depends || self.preferred + 1 == self.outcomes.len(),
        }
    }

    fn fits(&self, by: ChoiceBy, rows: &[Option<Row>]) -> bool {
        let fit = |(pattern, row): (&Option<Pattern>, &Option<Row>)| match (pattern, row) {
            (Some(pattern), Some(row)) => pattern.fits(row),
            (None, None) => true,
            _ => false,
        };
        self.by == by
            && self.patterns.len() == rows.len()
            && self.patterns.iter().zip(rows).all(fit)
    }
}
