//! What makes runs of a model fast: formulas as code, sums kept as totals, what is looked up worked out beforehand. Nothing here
//! changes a value.

use super::{
    Abreast, Action, Choice, Deed, Effect, Formula, Measured, MetricKind, Model, Preference,
};
use super::{Process, Quantity, Selector};
use crate::distribution::Family;
use crate::formula::{KeptSum, Known, Program, StockTarget, Totals, UpdateOp};

/// Made once a model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fast {
    /// What formulas make of parameters alone: read behind the parameters.
    pub known: Vec<Program>,
    /// For each process: its hazard, with what parameters decide worked out, to be bounded.
    pub hazards: Vec<Program>,
    /// For each process: the slots that its hazard reads and that time may move.
    pub moving_reads: Vec<Vec<u32>>,
    pub sums: Vec<KeptSum>,
    /// Groups of all these sums together.
    pub sum_groups: usize,
    /// For each process: its turn, if that is nothing more; empty if there is none.
    pub turns: Vec<Option<Turn>>,
    /// All turns, if nothing else happens.
    pub abreast: Option<Abreast>,
    /// Distributions whose parameters are the same through every run.
    pub shapes: Vec<(Family, Vec<Program>)>,
    /// Metrics that an absorbing endgame reads, by index; those made of other metrics in their order.
    pub absorbing_metrics: Vec<u32>,
    pub absorbing_derived: Vec<u32>,
    /// All metrics, by index.
    pub all_metrics: Vec<u32>,
    /// Endgames that end a run, by index.
    pub absorbing_endgames: Vec<u32>,
}

/// A turn of a process in which nothing is drawn but the wait and the course, and nothing moves but stocks.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// For each course of the choice: what it does; `None` for one that does nothing.
    pub courses: Vec<Option<Box<[Change]>>>,
}

/// A change of a known stock by a number that parameters decide.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub slot: u32,
    /// Index of the number among the constants of a world.
    pub by: u32,
    /// Of the number's formula.
    pub site: u32,
    pub operation: UpdateOp,
}

impl Model {
    /// Fills in [`Model::fast`] and the code of every formula.
    pub(crate) fn make_fast(&mut self) {
        let mut shapes = Vec::new();
        self.for_each_quantity(&mut |quantity| {
            if let Quantity::Drawn {
                family,
                parameters,
                shape,
                ..
            } = quantity
                && (parameters.iter()).all(|p| p.program.only_parameters())
            {
                *shape = Some(shapes.len() as u32);
                let programs = parameters.iter().map(|p| p.program.clone());
                shapes.push((*family, programs.collect()));
            }
        });
        self.know_deeds();
        let still: Vec<bool> = (self.slots.iter().map(|s| s.half_life.is_none())).collect();
        let is_still = |slot: u32| still[slot as usize];
        let mut known = Known::behind(self.parameters.len());
        let mut totals = Totals::default();
        self.for_each_formula(&mut |formula| {
            let program = formula.program.with_known(&mut known);
            formula.code = program.code(&is_still, &mut totals);
        });
        let turns = self
            .processes
            .iter()
            .map(|process| self.turn(process, &mut known));
        let turns: Vec<Option<Turn>> = turns.collect();
        let abreast = Abreast::new(self, &turns, &mut known, &mut totals);
        let hazard = |process: &Process| process.hazard.program.with_known(&mut known);
        let moving_reads = |process: &Process| {
            let reads = process.reads.iter().copied();
            reads.filter(|&slot| !is_still(slot)).collect()
        };
        let mut fast = Fast {
            hazards: self.processes.iter().map(hazard).collect(),
            moving_reads: self.processes.iter().map(moving_reads).collect(),
            shapes,
            abreast,
            turns: match turns.iter().any(Option::is_some) {
                true => turns,
                false => Vec::new(),
            },
            ..Fast::default()
        };
        fast.known = known.programs().to_vec();
        fast.sum_groups = totals.groups as usize;
        fast.sums = totals.list;
        for (slot, summand) in fast.sums.iter().flat_map(KeptSum::summands) {
            let summands = &mut self.slot_dependents[slot as usize].summands;
            summands.push(summand);
        }
        let indices = |count: usize| 0..count as u32;
        let absorbing = |&metric: &u32| self.metrics[metric as usize].absorbing;
        fast.all_metrics = indices(self.metrics.len()).collect();
        fast.absorbing_metrics = indices(self.metrics.len()).filter(absorbing).collect();
        fast.absorbing_derived = (self.derived_metrics.iter().copied())
            .filter(absorbing)
            .collect();
        fast.absorbing_endgames = indices(self.endgames.len())
            .filter(|&endgame| self.endgames[endgame as usize].absorbing)
            .collect();
        self.fast = fast;
    }

    /// The turn of a process, if it is nothing more.
    fn turn(&self, process: &Process, known: &mut Known) -> Option<Turn> {
        let choice = &process.choice;
        let formulas = (choice.courses.iter())
            .flat_map(|course| course.when.iter().chain(&course.preference))
            .chain(&choice.rationality);
        let mut reads = formulas.map(|formula| formula.program.reads());
        if choice.draws_details || reads.any(|reads| reads.event) {
            return None;
        }
        let courses = choice.courses.iter().map(|course| match &course.deed {
            None => Some(None),
            Some(deed) => deed.changes(known).map(Some),
        });
        let courses = courses.collect::<Option<_>>()?;
        Some(Turn { courses })
    }

    /// Every formula that is evaluated while a run is under way.
    fn for_each_formula(&mut self, visit: &mut dyn FnMut(&mut Formula)) {
        for action in &mut self.actions {
            action.formulas(visit);
        }
        for process in &mut self.processes {
            visit(&mut process.hazard);
            process.choice.formulas(visit);
        }
        for rule in &mut self.rules {
            rule.when.iter_mut().for_each(&mut *visit);
            rule.choice.formulas(visit);
        }
        for entry in &mut self.calendar {
            entry.when.iter_mut().for_each(&mut *visit);
            (entry.effects.iter_mut()).for_each(|effect| effect.formulas(visit));
            let killed = entry.event.iter_mut().flat_map(|event| &mut event.killed);
            killed.for_each(&mut *visit);
        }
        for metric in &mut self.metrics {
            if let MetricKind::Sum(formula)
            | MetricKind::Final(formula)
            | MetricKind::Value(formula) = &mut metric.kind
            {
                visit(formula);
            }
        }
        for endgame in &mut self.endgames {
            endgame.when.iter_mut().for_each(&mut *visit);
        }
        self.flags.iter_mut().for_each(|flag| visit(&mut flag.when));
        if let Some(timeline) = &mut self.timeline {
            (timeline.series.iter_mut()).for_each(|(_, formula)| visit(formula));
        }
    }

    fn for_each_quantity(&mut self, visit: &mut dyn FnMut(&mut Quantity)) {
        let severities = self.actions.iter_mut().flat_map(|a| &mut a.killed);
        severities.for_each(&mut *visit);
        let delays = self.deeds_mut().flat_map(|deed| &mut deed.delay);
        delays.for_each(visit);
    }
}

impl Action {
    fn formulas(&mut self, visit: &mut dyn FnMut(&mut Formula)) {
        self.killed.iter_mut().for_each(|q| q.formulas(visit));
        self.foiled.iter_mut().for_each(&mut *visit);
        if let Some(claim) = &mut self.claim {
            visit(&mut claim.by);
            claim.probability.iter_mut().for_each(&mut *visit);
        }
        for Measured { filter, .. } in &mut self.metrics {
            filter.iter_mut().for_each(&mut *visit);
        }
        for step in &mut self.rung_moves {
            step.between.iter_mut().for_each(&mut *visit);
            step.when.iter_mut().for_each(&mut *visit);
        }
        for suspect in &mut self.suspects {
            visit(&mut suspect.who);
            visit(&mut suspect.weight);
        }
        let effects = self.effects.iter_mut().chain(&mut self.foiled_effects);
        effects.for_each(|effect| effect.formulas(visit));
    }
}

impl Choice {
    fn formulas(&mut self, visit: &mut dyn FnMut(&mut Formula)) {
        self.rationality.iter_mut().for_each(&mut *visit);
        for course in &mut self.courses {
            course.when.iter_mut().for_each(&mut *visit);
            course.preference.iter_mut().for_each(&mut *visit);
            course.deed.iter_mut().for_each(|deed| deed.formulas(visit));
        }
    }
}

impl Deed {
    fn formulas(&mut self, visit: &mut dyn FnMut(&mut Formula)) {
        for selector in self.target.iter_mut().chain(&mut self.place) {
            match selector {
                Selector::Formula(formula) => visit(formula),
                Selector::Among {
                    preference, when, ..
                } => {
                    let (Preference::Weight(formula) | Preference::Most(formula)) = preference;
                    visit(formula);
                    when.iter_mut().for_each(&mut *visit);
                }
            }
        }
        self.claimant.iter_mut().for_each(&mut *visit);
        self.sponsor.iter_mut().for_each(&mut *visit);
        self.delay
            .iter_mut()
            .for_each(|delay| delay.formulas(visit));
        self.still.iter_mut().for_each(&mut *visit);
        if let Some(done) = &mut self.done {
            done.formulas(visit);
        }
    }
}

impl Deed {
    /// The changes that the deed makes, if it is nothing more.
    fn changes(&self, known: &mut Known) -> Option<Box<[Change]>> {
        let done = self.done.as_ref()?;
        let more = done.draws_outcome()
            || !(done.metrics.is_empty() && done.rung_moves.is_empty() && done.rules.is_empty());
        if more || !self.is_plain() {
            return None;
        }
        let changes = done.effects.iter().map(|effect| match effect.target {
            StockTarget::Fixed(slot) if effect.condition.is_none() => Some(Change {
                slot,
                by: known.index(&effect.value.program)?,
                site: effect.value.site,
                operation: effect.operation,
            }),
            _ => None,
        });
        changes.collect()
    }
}

impl Quantity {
    fn formulas(&mut self, visit: &mut dyn FnMut(&mut Formula)) {
        match self {
            Quantity::Fixed(formula) => visit(formula),
            Quantity::Drawn { parameters, .. } => parameters.iter_mut().for_each(visit),
            Quantity::Discrete { .. } => {}
        }
    }
}

impl Effect {
    fn formulas(&mut self, visit: &mut dyn FnMut(&mut Formula)) {
        self.of_role = self.target.as_stock_of_role();
        visit(&mut self.value);
        self.condition.iter_mut().for_each(visit);
    }
}
