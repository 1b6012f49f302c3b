//! Events: severity, attribution, effects, and whom they provoke.

use super::observe::{Cause, DropReason, Event};
use super::state::Due;
use super::view::relaxed;
use super::{Ending, Fault, Observer, Origin, Problem, Roles, Running, Scene, metrics};
use crate::formula::{Role, StockTarget, UpdateOp};
use crate::model::{
    Action, Dependents, Effect, ForcedEvent, IfPending, Measured, MetricKind, NOBODY, Outcome,
    REACHED_BY, Rule, RungMove, RungShift,
};
use crate::random::Draw;

impl<'a, O: Observer> Running<'a, O> {
    /// An event happens: it is measured, takes effect, and reaches the actors whom it concerns. `scene` says who does it to whom.
    #[inline(never)]
    pub(super) fn event(
        &mut self,
        number: u32,
        action: &Action,
        mut scene: Scene,
        cause: Cause,
        claimant: Option<i32>,
        forced: Option<&ForcedEvent>,
    ) -> Result<(), Fault> {
        if self.state.events >= self.model.max_events {
            return self.end(Ending::Capped, self.state.time);
        }
        scene.event.goldstein = action.goldstein;
        let claimant = if action.draws_outcome() || forced.is_some() {
            self.draw_outcome(action, &mut scene, claimant, forced)?
        } else {
            claimant.unwrap_or(NOBODY)
        };
        scene.roles = scene.roles.with(Role::Claimant, claimant);
        let scene = &scene;
        let event = Event {
            time: self.state.time,
            number: self.state.events,
            action: number,
            roles: scene.roles,
            fields: scene.event,
            cause,
        };
        self.state.events += 1;
        self.observer.event(&event);
        for measured in &action.metrics {
            self.measure(measured, scene)?;
        }
        let effects = if scene.event.foiled {
            &action.foiled_effects
        } else {
            &action.effects
        };
        self.apply(effects, scene)?;
        if !scene.event.foiled {
            for step in &action.rung_moves {
                self.move_rung(step, scene)?;
            }
        }
        if action.rules.is_empty() {
            return Ok(());
        }
        self.provoke(action, scene)
    }

    /// Severity and foiling, put into the scene; and who claims the event.
    #[inline(always)]
    fn draw_outcome(
        &mut self,
        action: &Action,
        scene: &mut Scene,
        claimant: Option<i32>,
        forced: Option<&ForcedEvent>,
    ) -> Result<i32, Fault> {
        let actor = scene.roles.get(Role::Perpetrator);
        let [for_foiling, for_claim, for_killed] = if action.draws_outcome() {
            let offset = usize::try_from(actor).map_or(0, |actor| actor as u32);
            let stream = self.stream(action.outcome_stream + offset);
            [stream.draw(), stream.draw(), stream.draw()]
        } else {
            [Draw::UNUSED; 3]
        };
        scene.event.foiled = match (forced, &action.foiled) {
            (Some(forced), _) => forced.foiled,
            (None, Some(chance)) => for_foiling.uniform() < self.probability(chance, scene)?,
            (None, None) => false,
        };
        let known = forced.and_then(|forced| forced.killed.as_ref());
        scene.event.killed = match (known, &action.killed) {
            _ if scene.event.foiled => 0.0,
            (Some(known), _) => match self.value(known, scene)? {
                killed if killed < 0.0 => {
                    return Err(self.error(known.site, Problem::NegativeDraw(killed)));
                }
                killed => killed,
            },
            (None, Some(killed)) => self.quantity(killed, scene, for_killed)?,
            (None, None) => 0.0,
        };
        Ok(match (claimant, &action.claim) {
            (Some(claimant), _) => claimant,
            (None, Some(claim)) => {
                let chance = match &claim.probability {
                    Some(chance) => self.probability(chance, scene)?,
                    None => 1.0,
                };
                if for_claim.uniform() < chance {
                    self.who(&claim.by, scene)
                } else {
                    NOBODY
                }
            }
            (None, None) => NOBODY,
        })
    }

    /// A calendar entry's day has come.
    pub(super) fn calendar_entry(&mut self, index: u32) -> Result<(), Fault> {
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
        let action = &model.actions[forced.action as usize];
        let claimant = forced.claimant;
        let scene = Scene::of(roles);
        self.event(forced.action, action, scene, cause, claimant, Some(forced))
    }

    fn measure(&mut self, measured: &Measured, scene: &Scene) -> Result<(), Fault> {
        if !self.allows(&measured.filter, scene)? {
            return Ok(());
        }
        let model = self.model;
        let metric = measured.metric;
        let definition = &model.metrics[metric as usize];
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

    fn apply(&mut self, effects: &[Effect], scene: &Scene) -> Result<(), Fault> {
        for effect in effects {
            if !self.allows(&effect.condition, scene)? {
                continue;
            }
            let slot = match &effect.target {
                StockTarget::Fixed(slot) => *slot,
                _ => match self.slot_of_role(effect, scene) {
                    Some(slot) => slot,
                    None => continue,
                },
            };
            let by = self.evaluate(&effect.value, scene);
            self.change_stock(slot, effect.operation, by, effect.value.site)?;
        }
        Ok(())
    }

    /// The slot that an effect writes, which depends on roles; none where the stock does not exist.
    fn slot_of_role(&self, effect: &Effect, scene: &Scene) -> Option<u32> {
        let view = self.view(scene);
        match effect.of_role {
            Some((stock, role)) => view.stock_of_role(stock, role),
            None => effect.target.slot(&view),
        }
    }

    /// Changes a stock by a number, which comes from the formula at `site`.
    #[inline(always)]
    pub(super) fn change_stock(
        &mut self,
        slot: u32,
        operation: UpdateOp,
        by: f64,
        site: u32,
    ) -> Result<(), Fault> {
        let slot = slot as usize;
        let constants = &self.world.slots[slot];
        let moves = constants.decay != 0.0;
        let level = self.state.levels[slot];
        let old = if !moves {
            level.value
        } else if let Some(known) = self.scratch.now.kept(slot) {
            known
        } else {
            relaxed(level, constants, self.state.time)
        };
        // A change by what is not finite comes to nothing finite.
        let new = operation.apply(old, by);
        if !new.is_finite() {
            let wrong = if by.is_finite() { new } else { by };
            return Err(self.error(site, Problem::NotFinite(wrong)));
        }
        let new = if new < constants.min {
            constants.min
        } else {
            new
        };
        let new = if new > constants.max {
            constants.max
        } else {
            new
        };
        if !constants.alone {
            if moves {
                // For metrics that follow it.
                self.scratch.now.keep(slot, old);
            }
            let dependents = &self.model.slot_dependents[slot];
            self.touch(dependents);
            for summand in &dependents.summands {
                summand.set(&mut self.state.totals, new);
            }
        }
        let level = &mut self.state.levels[slot];
        level.value = new;
        if moves {
            level.since = self.state.time;
            self.scratch.now.keep(slot, new);
        }
        Ok(())
    }

    /// Lets all that depends on a stock or rung know that it is about to change.
    #[inline(always)]
    fn touch(&mut self, dependents: &Dependents) {
        for &metric in &dependents.watchers {
            metrics::follow(
                self.model,
                self.world,
                self.state,
                &self.scratch.now,
                metric,
            );
        }
        for &process in &dependents.processes {
            self.mark_dirty(process);
        }
        self.scratch.absorbing |= dependents.absorbing;
    }

    fn move_rung(&mut self, step: &RungMove, scene: &Scene) -> Result<(), Fault> {
        if !self.allows(&step.when, scene)? {
            return Ok(());
        }
        let model = self.model;
        let [a, b] = step.between.each_ref().map(|who| self.who(who, scene));
        let Some(pair) = model.pair(a, b) else {
            return Ok(());
        };
        let before = self.state.rungs[pair];
        let top = model.rungs.len() as i32 - 1;
        let after = match step.shift {
            RungShift::AtLeast(rung) => before.max(rung),
            RungShift::AtMost(rung) => before.min(rung),
            RungShift::Step(by) => i32::from(before).saturating_add(by).clamp(0, top) as u16,
        };
        if after != before {
            self.touch(&model.pair_dependents[pair]);
            self.state.rungs[pair] = after;
            self.observer.rung(model.pairs[pair], before, after);
        }
        Ok(())
    }

    /// Lets every rule that the event concerns choose its answer.
    #[inline(always)]
    fn provoke(&mut self, action: &Action, scene: &Scene) -> Result<(), Fault> {
        if !all_is_known::<O>(action) {
            self.scratch.beliefs.fill(None);
        }
        let model = self.model;
        let roles = REACHED_BY.map(|role| scene.roles.get(role));
        for &index in &action.rules {
            let rule = &model.rules[index as usize];
            let answers = match rule.outcome {
                Outcome::Done => !scene.event.foiled,
                Outcome::Foiled => scene.event.foiled,
                Outcome::Any => true,
            };
            if answers && model.concerns(rule, roles) {
                self.answer(index, rule, action, scene)?;
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        index: u32,
        rule: &Rule,
        action: &Action,
        scene: &Scene,
    ) -> Result<(), Fault> {
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
    fn belief(&mut self, observer: u32, action: &Action, scene: &Scene) -> Result<i32, Fault> {
        let perpetrator = scene.roles.get(Role::Perpetrator);
        if all_is_known::<O>(action) {
            return Ok(perpetrator);
        }
        if let Some(belief) = self.scratch.beliefs[observer as usize] {
            return Ok(belief);
        }
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
            let site = action.suspects[0].weight.site;
            let drawn = self.draw(&weights, uniform, site)?;
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

/// Whether everybody believes what is true, and nobody is to be told of it.
fn all_is_known<O: Observer>(action: &Action) -> bool {
    O::IDLE && action.suspects.is_empty()
}
