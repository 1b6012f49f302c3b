//! Actions as they are when somebody in particular does them: what is known of the roles is put in, and what it rules out is left
//! out. Nothing here changes a value.

use super::world::BeforeRuns;
use super::{Action, Deed, Effect, Formula, Measured, Model, NOBODY, Outcome, Rule, RungMove};
use super::{Selector, StandingSet, Suspect};
use crate::formula::{KnownRoles, Role};

/// The roles of an event that decide whom it reaches.
pub(crate) const REACHED_BY: [Role; 4] =
    [Role::Target, Role::Host, Role::Perpetrator, Role::Claimant];

impl Model {
    /// Gives every deed its action as it is when the deed does it.
    pub(super) fn know_deeds(&mut self) {
        let of_processes = self.processes.iter().map(|p| (p.actor, &p.choice));
        let of_rules = self.rules.iter().map(|r| (r.actor, &r.choice));
        let deeds = of_processes.chain(of_rules).flat_map(|(actor, choice)| {
            let deeds = choice.courses.iter().filter_map(|c| c.deed.as_ref());
            deeds.map(move |deed| (actor, deed))
        });
        let all: Vec<Action> = deeds.map(|(actor, deed)| self.done(actor, deed)).collect();
        for (deed, done) in self.deeds_mut().zip(all) {
            deed.done = Some(Box::new(done));
        }
    }

    /// The deeds of all processes, then of all rules.
    pub(super) fn deeds_mut(&mut self) -> impl Iterator<Item = &mut Deed> {
        let of_processes = self.processes.iter_mut().map(|p| &mut p.choice);
        let choices = of_processes.chain(self.rules.iter_mut().map(|r| &mut r.choice));
        let courses = choices.flat_map(|choice| &mut choice.courses);
        courses.filter_map(|course| course.deed.as_mut())
    }

    /// The action of a deed of `actor`, as it is when the deed does it.
    fn done(&self, actor: u32, deed: &Deed) -> Action {
        let action = &self.actions[deed.action as usize];
        let knowing = Knowing {
            structure: BeforeRuns {
                model: self,
                parameters: &[],
            },
            roles: self.roles_of(actor, deed, action),
        };
        let mut done = action.clone();
        // Before the event is there, nobody has claimed it.
        let unclaimed = knowing.with(Role::Claimant, Some(NOBODY));
        done.foiled.iter_mut().for_each(|f| unclaimed.put_in(f));
        if let Some(claim) = &mut done.claim {
            unclaimed.put_in(&mut claim.by);
            claim
                .probability
                .iter_mut()
                .for_each(|p| unclaimed.put_in(p));
        }
        for Measured { filter, .. } in &mut done.metrics {
            filter.iter_mut().for_each(|f| knowing.put_in(f));
        }
        done.metrics.retain(|measured| may_hold(&measured.filter));
        for RungMove { between, when, .. } in &mut done.rung_moves {
            between.iter_mut().for_each(|who| knowing.put_in(who));
            when.iter_mut().for_each(|f| knowing.put_in(f));
        }
        done.rung_moves.retain(|step| may_hold(&step.when));
        for effects in [&mut done.effects, &mut done.foiled_effects] {
            for effect in effects.iter_mut() {
                knowing.put_into_effect(effect);
            }
            effects.retain(|effect| may_hold(&effect.condition));
        }
        // Each observer looks at suspects as `self`.
        let seen = knowing.with(Role::SelfActor, None);
        for Suspect { who, weight } in &mut done.suspects {
            seen.put_in(who);
            seen.put_in(weight);
        }
        let never_foiled = done.foiled.is_none();
        done.rules.retain(|&rule| {
            let rule = &self.rules[rule as usize];
            (rule.outcome != Outcome::Foiled || !never_foiled)
                && self.may_concern(rule, &knowing.roles)
        });
        done
    }

    /// Who has which role in the event of a deed of `actor`.
    fn roles_of(&self, actor: u32, deed: &Deed, action: &Action) -> KnownRoles {
        let constant = |formula: &Formula| Some(formula.program.as_constant()? as i32);
        let chosen = |selector: &Option<Selector>| match selector {
            None => Some(NOBODY),
            Some(Selector::Formula(formula)) => constant(formula),
            Some(Selector::Among { .. }) => None,
        };
        let place = chosen(&deed.place);
        let claimant = match (&deed.claimant, &action.claim) {
            (Some(claimant), _) => constant(claimant),
            (None, Some(_)) => None,
            (None, None) => Some(NOBODY),
        };
        KnownRoles::default()
            .with(Role::SelfActor, Some(actor as i32))
            .with(Role::Perpetrator, Some(actor as i32))
            .with(Role::Target, chosen(&deed.target))
            .with(Role::Place, place)
            .with(Role::Host, place.map(|place| self.host(place)))
            .with(Role::Claimant, claimant)
            .with(
                Role::Sponsor,
                (deed.sponsor.as_ref()).map_or(Some(NOBODY), constant),
            )
            .with(Role::Blamed, Some(NOBODY))
            .with(Role::Candidate, Some(NOBODY))
    }

    /// Whether an event in which `roles` are known may reach the actor of a rule in a role that the rule answers.
    fn may_concern(&self, rule: &Rule, roles: &KnownRoles) -> bool {
        match REACHED_BY.map(|role| roles.get(role)) {
            [Some(target), Some(host), Some(perpetrator), Some(claimant)] => {
                self.concerns(rule, [target, host, perpetrator, claimant])
            }
            _ => true,
        }
    }

    /// Whether an event with these actors in [`REACHED_BY`] reaches the actor of a rule in a role that the rule answers.
    #[inline]
    pub(crate) fn concerns(&self, rule: &Rule, roles: [i32; 4]) -> bool {
        // Every event reaches an actor in some role.
        if rule.standings == StandingSet::ANY {
            return true;
        }
        let [target, host, perpetrator, claimant] = roles.map(|who| who == rule.actor as i32);
        let wanted = |standing| rule.standings.meets(standing);
        (target && wanted(StandingSet::TARGET))
            || (host && wanted(StandingSet::HOST))
            || (perpetrator && wanted(StandingSet::PERPETRATOR))
            || (claimant && wanted(StandingSet::CLAIMANT))
            || (wanted(StandingSet::BY_RELATION) && wanted(self.standings(rule.actor, roles)))
    }

    /// The roles in which an event reaches an actor, from those in [`REACHED_BY`].
    fn standings(
        &self,
        actor: u32,
        [target, host, perpetrator, claimant]: [i32; 4],
    ) -> StandingSet {
        let who = actor as i32;
        let mut standings = StandingSet::default();
        let mut add = |holds: bool, standing| {
            if holds {
                standings = standings.with(standing);
            }
        };
        add(target == who, StandingSet::TARGET);
        add(host == who, StandingSet::HOST);
        add(perpetrator == who, StandingSet::PERPETRATOR);
        add(claimant == who, StandingSet::CLAIMANT);
        if let Ok(target) = usize::try_from(target) {
            let definition = &self.actors[actor as usize];
            add(self.actors[target].patron == who, StandingSet::PATRON);
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
}

/// Whether a guard may hold: it is none, or not known to be 0.
fn may_hold(guard: &Option<Formula>) -> bool {
    (guard.as_ref()).and_then(|guard| guard.program.as_constant()) != Some(0.0)
}

/// Puts what is known into formulas.
#[derive(Clone, Copy)]
struct Knowing<'a> {
    structure: BeforeRuns<'a>,
    roles: KnownRoles,
}

impl Knowing<'_> {
    fn with(self, role: Role, who: Option<i32>) -> Self {
        Self {
            roles: self.roles.with(role, who),
            ..self
        }
    }

    fn put_in(&self, formula: &mut Formula) {
        formula.program = formula.program.with_roles(&self.roles, &self.structure);
    }

    fn put_into_effect(&self, effect: &mut Effect) {
        effect.target = effect.target.with_roles(&self.roles, &self.structure);
        self.put_in(&mut effect.value);
        effect.condition.iter_mut().for_each(|f| self.put_in(f));
    }
}
