//! Events: severity, attribution, effects, and whom they provoke.

use super::choice::draw;
use super::observe::{Cause, DropReason, Event};
use super::state::{Due, Level};
use super::{Ending, Observer, Origin, Problem, Roles, RunError, Running, Scene, metrics};
use crate::formula::{Environment, Role};
use crate::model::{
    Action, Dependents, Effect, ForcedEvent, IfPending, MetricKind, NOBODY, Outcome, Rule,
    RungShift, StandingSet,
};

impl<'a, O: Observer> Running<'a, O> {
    /// An event happens: it is measured, takes effect, and reaches the actors whom it concerns.
    pub(super) fn event(
        &mut self,
        action_index: u32,
        roles: Roles,
        cause: Cause,
        claimant: Option<i32>,
        forced: Option<&ForcedEvent>,
    ) -> Result<(), RunError> {
        if self.state.events >= self.model.max_events {
            return self.end(Ending::Capped, self.state.time);
        }
        let model = self.model;
        let action = &model.actions[action_index as usize];
        let scene = &self.outcome_of(action, roles, claimant, forced)?;
        let event = Event {
            time: self.state.time,
            number: self.state.events,
            action: action_index,
            roles: scene.roles,
            fields: scene.event,
            cause,
        };
        self.state.events += 1;
        self.observer.event(&event);
        for &metric in &action.metrics {
            self.measure(metric, scene)?;
        }
        let effects = if scene.event.foiled {
            &action.foiled_effects
        } else {
            &action.effects
        };
        self.apply(effects, scene)?;
        if !scene.event.foiled {
            self.move_rungs(action, scene)?;
        }
        self.provoke(action, scene)
    }

    /// Severity, foiling and claim.
    fn outcome_of(
        &mut self,
        action: &Action,
        roles: Roles,
        claimant: Option<i32>,
        forced: Option<&ForcedEvent>,
    ) -> Result<Scene, RunError> {
        let mut scene = Scene::of(roles);
        scene.event.goldstein = action.goldstein;
        let actor = roles.get(Role::Perpetrator);
        let drawn = action.killed.is_some() || action.foiled.is_some() || action.claim.is_some();
        if !drawn && forced.is_none() {
            return Ok(scene.with(Role::Claimant, claimant.unwrap_or(NOBODY)));
        }
        let [for_foiling, for_claim, for_killed] = if drawn {
            let offset = usize::try_from(actor).map_or(0, |actor| actor as u32);
            let stream = self.stream(action.outcome_stream + offset);
            [stream.uniform(), stream.uniform(), stream.uniform()]
        } else {
            [0.5; 3]
        };
        scene.event.foiled = match (forced, &action.foiled) {
            (Some(forced), _) => forced.foiled,
            (None, Some(chance)) => for_foiling < self.probability(chance, &scene)?,
            (None, None) => false,
        };
        let known = forced.and_then(|forced| forced.killed.as_ref());
        scene.event.killed = match (known, &action.killed) {
            _ if scene.event.foiled => 0.0,
            (Some(known), _) => match self.value(known, &scene)? {
                killed if killed < 0.0 => {
                    return Err(self.error(known.site, Problem::NegativeDraw(killed)));
                }
                killed => killed,
            },
            (None, Some(killed)) => self.quantity(killed, &scene, for_killed)?,
            (None, None) => 0.0,
        };
        let claimant = match (claimant, &action.claim) {
            (Some(claimant), _) => claimant,
            (None, Some(claim)) => {
                let chance = match &claim.probability {
                    Some(chance) => self.probability(chance, &scene)?,
                    None => 1.0,
                };
                if for_claim < chance {
                    self.who(&claim.by, &scene)
                } else {
                    NOBODY
                }
            }
            (None, None) => NOBODY,
        };
        Ok(scene.with(Role::Claimant, claimant))
    }

    /// A calendar entry's day has come.
    pub(super) fn calendar_entry(&mut self, index: u32) -> Result<(), RunError> {
        let model = self.model;
        let entry = &model.calendar[index as usize];
        if !self.allows(&entry.when, &Scene::NONE)? {
            return Ok(());
        }
        let time = self.state.time;
        self.observer.calendar(time, index);
        self.apply(&entry.effects, &Scene::NONE)?;
        let Some(forced) = &entry.event else {
            return Ok(());
        };
        let roles = Roles::NONE
            .with(Role::SelfActor, forced.actor)
            .with(Role::Perpetrator, forced.actor)
            .with(Role::Target, forced.target)
            .with(Role::Place, forced.place)
            .with(Role::Host, model.host(forced.place))
            .with(Role::Sponsor, forced.sponsor);
        let cause = Cause::Calendar(index);
        self.event(forced.action, roles, cause, forced.claimant, Some(forced))
    }

    fn measure(&mut self, metric: u32, scene: &Scene) -> Result<(), RunError> {
        let model = self.model;
        let definition = &model.metrics[metric as usize];
        if !self.allows(&definition.filter, scene)? {
            return Ok(());
        }
        let time = self.state.time;
        let value = self.state.values[metric as usize];
        let changed = match &definition.kind {
            MetricKind::Count => value + 1.0,
            MetricKind::Sum(formula) => value + self.value(formula, scene)?,
            MetricKind::First => value.min(time),
            MetricKind::Last => time,
            MetricKind::Exchanges { between, .. } => {
                value + self.exchange(metric, *between, &scene.roles)
            }
            _ => return Ok(()),
        };
        self.state.values[metric as usize] = changed;
        self.scratch.absorbing |= definition.absorbing;
        Ok(())
    }

    /// 1 if an action of one of two actors against the other (as target or as host) answers one of the other's, else 0.
    fn exchange(&mut self, metric: u32, [a, b]: [u32; 2], roles: &Roles) -> f64 {
        let (a, b) = (a as i32, b as i32);
        let against = |other: i32| {
            [Role::Target, Role::Host]
                .map(|r| roles.get(r))
                .contains(&other)
        };
        let actor = roles.get(Role::Perpetrator);
        let side = match actor {
            _ if actor == a && against(b) => 0,
            _ if actor == b && against(a) => 1,
            _ => return 0.0,
        };
        let time = self.state.time;
        let last = &mut self.state.metrics[metric as usize].last;
        let answers = time - last[1 - side] <= self.world.metric_levels[metric as usize];
        last[side] = time;
        if answers {
            // The provocation is used up: a second answer to it is not a second exchange.
            last[1 - side] = f64::NEG_INFINITY;
        }
        f64::from(u8::from(answers))
    }

    fn apply(&mut self, effects: &[Effect], scene: &Scene) -> Result<(), RunError> {
        for effect in effects {
            if !self.allows(&effect.condition, scene)? {
                continue;
            }
            let view = self.view(scene);
            let slot = match effect.of_role {
                Some((stock, role)) => view.stock_of_role(stock, role),
                None => effect.target.slot(&view),
            };
            let Some(slot) = slot else {
                continue;
            };
            let by = self.value(&effect.value, scene)?;
            let old = self.view(scene).stock(slot);
            let new = effect.operation.apply(old, by);
            if !new.is_finite() {
                return Err(self.error(effect.value.site, Problem::NotFinite(new)));
            }
            self.set_stock(slot, new);
        }
        Ok(())
    }

    #[inline]
    fn set_stock(&mut self, slot: u32, value: f64) {
        let model = self.model;
        let constants = &self.world.slots[slot as usize];
        let value = value.clamp(constants.min, constants.max);
        let dependents = &model.slot_dependents[slot as usize];
        self.touch(dependents);
        self.state.levels[slot as usize] = Level {
            value,
            since: self.state.time,
        };
        for summand in &dependents.summands {
            summand.set(&mut self.state.totals, value);
        }
    }

    /// Lets all that depends on a stock or rung know that it is about to change.
    #[inline]
    fn touch(&mut self, dependents: &Dependents) {
        for &metric in &dependents.watchers {
            metrics::follow(self.model, self.world, self.state, metric);
        }
        for &process in &dependents.processes {
            self.mark_dirty(process);
        }
        self.scratch.absorbing |= dependents.absorbing;
    }

    fn move_rungs(&mut self, action: &Action, scene: &Scene) -> Result<(), RunError> {
        let model = self.model;
        for step in &action.rung_moves {
            if !self.allows(&step.when, scene)? {
                continue;
            }
            let [a, b] = step.between.each_ref().map(|who| self.who(who, scene));
            let Some(pair) = model.pair(a, b) else {
                continue;
            };
            let before = self.state.rungs[pair];
            let top = model.rungs.len() as i32 - 1;
            let after = match step.shift {
                RungShift::AtLeast(rung) => before.max(rung),
                RungShift::AtMost(rung) => before.min(rung),
                RungShift::Step(by) => (i32::from(before) + by).clamp(0, top) as u16,
            };
            if after != before {
                self.touch(&model.pair_dependents[pair]);
                self.state.rungs[pair] = after;
                self.observer.rung(model.pairs[pair], before, after);
            }
        }
        Ok(())
    }

    /// Lets every rule that the event concerns choose its answer.
    fn provoke(&mut self, action: &Action, scene: &Scene) -> Result<(), RunError> {
        if action.rules.is_empty() {
            return Ok(());
        }
        self.scratch.beliefs.fill(None);
        let model = self.model;
        for &index in &action.rules {
            let rule = &model.rules[index as usize];
            let answers = match rule.outcome {
                Outcome::Done => !scene.event.foiled,
                Outcome::Foiled => scene.event.foiled,
                Outcome::Any => true,
            };
            // Every event reaches an actor in some role.
            let concerns = |wanted: StandingSet| {
                wanted == StandingSet::ANY || wanted.meets(self.standings(rule.actor, &scene.roles))
            };
            if answers && concerns(rule.standings) {
                self.answer(index, rule, action, scene)?;
            }
        }
        Ok(())
    }

    /// The roles in which an event reaches an actor.
    fn standings(&self, actor: u32, roles: &Roles) -> StandingSet {
        let who = actor as i32;
        let target = roles.get(Role::Target);
        let mut standings = StandingSet::default();
        let mut add = |holds: bool, standing| {
            if holds {
                standings = standings.with(standing);
            }
        };
        add(target == who, StandingSet::TARGET);
        add(roles.get(Role::Host) == who, StandingSet::HOST);
        add(
            roles.get(Role::Perpetrator) == who,
            StandingSet::PERPETRATOR,
        );
        add(roles.get(Role::Claimant) == who, StandingSet::CLAIMANT);
        if let Ok(target) = usize::try_from(target) {
            let definition = &self.model.actors[actor as usize];
            add(self.model.actors[target].patron == who, StandingSet::PATRON);
            add(
                definition.allies.contains(&(target as u32)),
                StandingSet::ALLY,
            );
            add(
                definition.rivals.contains(&(target as u32)),
                StandingSet::RIVAL,
            );
        }
        if standings == StandingSet::default() {
            standings = StandingSet::ONLOOKER;
        }
        standings
    }

    fn answer(
        &mut self,
        index: u32,
        rule: &Rule,
        action: &Action,
        scene: &Scene,
    ) -> Result<(), RunError> {
        let blamed = self.belief(rule.actor, action, scene)?;
        // A rule sees beliefs: the true perpetrator and sponsor stay hidden from it.
        let scene = &scene
            .with(Role::SelfActor, rule.actor as i32)
            .with(Role::Blamed, blamed)
            .with(Role::Perpetrator, NOBODY)
            .with(Role::Sponsor, NOBODY);
        if !self.allows(&rule.when, scene)? {
            return Ok(());
        }
        let memory = self.state.rules[index as usize];
        let cooldown = self.world.cooldowns[index as usize];
        if cooldown > 0.0 && self.state.time - memory.last_answer < cooldown {
            return Ok(());
        }
        if memory.pending > 0 {
            match rule.if_pending {
                IfPending::Ignore => return Ok(()),
                IfPending::Add => {}
                IfPending::Replace => self.drop_pending(index),
            }
        }
        self.choose(Origin::Rule(index), scene)
    }

    fn drop_pending(&mut self, rule: u32) {
        let time = self.state.time;
        let observer = &mut *self.observer;
        self.state.agenda.retain(|pending| match &pending.due {
            Due::Answer(answer) if answer.origin == Origin::Rule(rule) => {
                observer.dropped(time, answer.origin, answer.course, DropReason::Replaced);
                false
            }
            _ => true,
        });
        self.state.rules[rule as usize].pending = 0;
    }

    /// Whom an actor believes responsible for the event: one belief an event and actor.
    fn belief(&mut self, observer: u32, action: &Action, scene: &Scene) -> Result<i32, RunError> {
        if let Some(belief) = self.scratch.beliefs[observer as usize] {
            return Ok(belief);
        }
        let perpetrator = scene.roles.get(Role::Perpetrator);
        let belief = if action.suspects.is_empty() || perpetrator == observer as i32 {
            perpetrator
        } else {
            let uniform = self.stream(action.belief_stream + observer).uniform();
            let seen = &scene.with(Role::SelfActor, observer as i32);
            let mut weights = std::mem::take(&mut self.scratch.weights);
            weights.clear();
            for suspect in &action.suspects {
                let known = self.who(&suspect.who, seen) != NOBODY;
                weights.push(if known {
                    self.weight(&suspect.weight, seen)?
                } else {
                    0.0
                });
            }
            let drawn = draw(&weights, uniform);
            self.scratch.weights = weights;
            drawn.map_or(NOBODY, |(index, _)| {
                self.who(&action.suspects[index].who, seen)
            })
        };
        self.scratch.beliefs[observer as usize] = Some(belief);
        self.observer.belief(observer, belief);
        Ok(belief)
    }
}
