//! What makes runs of a model fast: formulas as code, sums kept as totals, what is looked up worked out beforehand. Nothing here
//! changes a value.

use super::{Choice, Deed, Effect, Formula, MetricKind, Model, Preference, Quantity, Selector};
use crate::distribution::Family;
use crate::formula::{Known, Program, Totals};

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
    /// Pairs of all these sums together.
    pub sum_pairs: usize,
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

/// A sum that is kept up to date; see [`crate::formula::Total`].
#[derive(Clone, Debug)]
pub(crate) struct KeptSum {
    /// Where its pairs begin.
    pub pairs: u32,
    /// How many pairs, and so how many nodes for stocks: a power of two.
    pub width: u32,
    /// Slots in the order of the nodes.
    pub slots: Vec<u32>,
}

/// A stock's place in a total.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summand {
    /// Where the pairs of the total begin.
    pub pairs: u32,
    pub node: u32,
}

impl KeptSum {
    /// Adds up the stocks afresh, `value` of each slot.
    pub fn fill(&self, pairs: &mut [[f64; 2]], value: impl Fn(u32) -> f64) {
        let width = self.width as usize;
        let pairs = &mut pairs[self.pairs as usize..][..width];
        pairs.fill([0.0; 2]);
        for (&slot, node) in self.slots.iter().zip(width..) {
            pairs[node / 2][node % 2] = value(slot);
        }
        for node in (2..width).rev() {
            pairs[node / 2][node % 2] = pairs[node][0] + pairs[node][1];
        }
    }
}

impl Summand {
    /// Brings the total up to date after the stock has come to `value`.
    #[inline]
    pub fn set(self, pairs: &mut [[f64; 2]], value: f64) {
        let pairs = &mut pairs[self.pairs as usize..];
        let mut node = self.node as usize;
        let mut sum = value;
        while node > 1 {
            let pair = &mut pairs[node / 2];
            pair[node % 2] = sum;
            sum = pair[0] + pair[1];
            node /= 2;
        }
    }
}

impl Model {
    /// Fills in [`Model::fast`] and the code of every formula.
    pub(crate) fn make_fast(&mut self) {
        let still: Vec<bool> = (self.slots.iter().map(|s| s.half_life.is_none())).collect();
        let is_still = |slot: u32| still[slot as usize];
        let mut known = Known::behind(self.parameters.len());
        let mut totals = Totals::default();
        self.for_each_formula(&mut |formula| {
            let program = formula.program.with_known(&mut known);
            formula.code = program.code(&is_still, &mut totals);
        });
        let hazard = |process: &super::Process| process.hazard.program.with_known(&mut known);
        let moving_reads = |process: &super::Process| {
            let reads = process.reads.iter().copied();
            reads.filter(|&slot| !is_still(slot)).collect()
        };
        let mut fast = Fast {
            hazards: self.processes.iter().map(hazard).collect(),
            moving_reads: self.processes.iter().map(moving_reads).collect(),
            ..Fast::default()
        };
        fast.known = known.programs().to_vec();
        fast.sum_pairs = totals.pairs as usize;
        for (pairs, width, slots) in totals.list {
            for (&slot, node) in slots.iter().zip(width..) {
                let summands = &mut self.slot_dependents[slot as usize].summands;
                summands.push(Summand { pairs, node });
            }
            fast.sums.push(KeptSum {
                pairs,
                width,
                slots,
            });
        }
        self.for_each_quantity(&mut |quantity| {
            if let Quantity::Drawn {
                family,
                parameters,
                shape,
                ..
            } = quantity
                && (parameters.iter()).all(|p| p.program.reads().only_parameters())
            {
                *shape = Some(fast.shapes.len() as u32);
                let programs = parameters.iter().map(|p| p.program.clone());
                fast.shapes.push((*family, programs.collect()));
            }
        });
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

    /// Every formula that is evaluated while a run is under way.
    fn for_each_formula(&mut self, visit: &mut dyn FnMut(&mut Formula)) {
        for action in &mut self.actions {
            action.killed.iter_mut().for_each(|q| q.formulas(visit));
            action.foiled.iter_mut().for_each(&mut *visit);
            if let Some(claim) = &mut action.claim {
                visit(&mut claim.by);
                claim.probability.iter_mut().for_each(&mut *visit);
            }
            for step in &mut action.rung_moves {
                step.between.iter_mut().for_each(&mut *visit);
                step.when.iter_mut().for_each(&mut *visit);
            }
            for suspect in &mut action.suspects {
                visit(&mut suspect.who);
                visit(&mut suspect.weight);
            }
            let effects = action.effects.iter_mut().chain(&mut action.foiled_effects);
            effects.for_each(|effect| effect.formulas(visit));
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
            metric.filter.iter_mut().for_each(&mut *visit);
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
        let choices = (self.processes.iter_mut().map(|p| &mut p.choice))
            .chain(self.rules.iter_mut().map(|r| &mut r.choice));
        let deeds = choices
            .flat_map(|c| &mut c.courses)
            .flat_map(|c| &mut c.deed);
        deeds.flat_map(|d| &mut d.delay).for_each(visit);
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
