//! Choices: which course, against whom, where, and when.

use super::state::{Answer, Due};
use super::{Cause, DropReason, Fault, Observer, Origin, Problem, Roles, Running, Scene};
use crate::distribution::{MAX_PARAMETERS, Shape};
use crate::formula::Role;
use crate::model::{
    Action, Choice, ChoiceBy, Deed, Formula, Model, NOBODY, Preference, Quantity, Selector,
};
use crate::random::Draw;

/// Tolerance for probabilities that are meant to add up to 1.
pub(super) const ROUNDING: f64 = 1e-9;

impl Model {
    pub(super) fn choice(&self, origin: Origin) -> &Choice {
        match origin {
            Origin::Process(index) => &self.processes[index as usize].choice,
            Origin::Rule(index) => &self.rules[index as usize].choice,
        }
    }

    fn chooser(&self, origin: Origin) -> i32 {
        let actor = match origin {
            Origin::Process(index) => self.processes[index as usize].actor,
            Origin::Rule(index) => self.rules[index as usize].actor,
        };
        actor as i32
    }

    /// The greatest number of things among which a choice is made.
    pub(super) fn largest_choice(&self) -> usize {
        let courses = (self.processes.iter().map(|p| &p.choice))
            .chain(self.rules.iter().map(|r| &r.choice))
            .map(|choice| choice.courses.len());
        let suspects = self.actions.iter().map(|a| a.suspects.len());
        courses
            .chain(suspects)
            .chain([self.actors.len(), self.places.len()])
            .max()
            .unwrap_or(0)
    }
}

impl<'a, O: Observer> Running<'a, O> {
    /// Chooses a course and carries it out, or puts it on the agenda.
    pub(super) fn choose(&mut self, origin: Origin, scene: &Scene) -> Result<(), Fault> {
        let model = self.model;
        let choice = model.choice(origin);
        let chosen = match choice.by {
            ChoiceBy::Only => Some((0, 1.0)),
            ChoiceBy::Score => self.choose_by_score(choice, scene)?,
            ChoiceBy::Probability => self.choose_by_probability(choice, scene)?,
        };
        let details = if choice.draws_details {
            let stream = self.stream(choice.detail_stream);
            [stream.draw(), stream.draw(), stream.draw()]
        } else {
            [Draw::UNUSED; 3]
        };
        let Some((course, probability)) = chosen else {
            return Ok(());
        };
        let Some(deed) = &choice.courses[course].deed else {
            let time = self.state.time;
            self.observer
                .choice(time, origin, course as u16, probability, f64::INFINITY);
            return Ok(());
        };
        let course = course as u16;
        if let (Origin::Process(process), true) = (origin, deed.is_plain()) {
            let actor = model.processes[process as usize].actor as i32;
            let roles = Roles::NONE
                .with(Role::SelfActor, actor)
                .with(Role::Perpetrator, actor);
            let cause = Cause::Choice {
                origin,
                course,
                probability,
            };
            let action = self.done(deed);
            let scene = Scene::of(roles);
            return self.event(deed.action, action, scene, cause, None, None);
        }
        self.begin_deed(origin, course, probability, deed, scene, details)
    }

    #[allow(clippy::too_many_arguments)]
    fn begin_deed(
        &mut self,
        origin: Origin,
        course: u16,
        probability: f64,
        deed: &Deed,
        scene: &Scene,
        [for_target, for_place, for_delay]: [Draw; 3],
    ) -> Result<(), Fault> {
        let time = self.state.time;
        let target = match &deed.target {
            Some(selector) => self.select(selector, scene, for_target)?,
            None => NOBODY,
        };
        let place = match &deed.place {
            Some(selector) => self.select(selector, scene, for_place)?,
            None => NOBODY,
        };
        if (deed.target.is_some() && target == NOBODY) || (deed.place.is_some() && place == NOBODY)
        {
            self.observer
                .dropped(time, origin, course, DropReason::NoTarget);
            return Ok(());
        }
        let delay = match &deed.delay {
            Some(quantity) => self.quantity(quantity, scene, for_delay)?,
            None => 0.0,
        };
        if delay == 0.0 && matches!(origin, Origin::Process(_)) {
            if !self.allows(&deed.still, scene)? {
                self.observer
                    .dropped(time, origin, course, DropReason::NoLongerHolds);
                return Ok(());
            }
            let cause = Cause::Choice {
                origin,
                course,
                probability,
            };
            return self.carry_out(origin, cause, deed, scene, target, place);
        }
        let due = time + delay;
        self.observer.choice(time, origin, course, probability, due);
        if let Origin::Rule(rule) = origin {
            self.state.rules[rule as usize].pending += 1;
        }
        let answer = Answer {
            origin,
            course,
            probability,
            scene: *scene,
            target,
            place,
        };
        self.state.schedule(due, Due::Answer(answer));
        Ok(())
    }

    /// An answer's delay is over.
    pub(super) fn answer_due(&mut self, answer: &Answer) -> Result<(), Fault> {
        let Answer {
            origin,
            course,
            probability,
            ref scene,
            target,
            place,
        } = *answer;
        if let Origin::Rule(rule) = origin {
            self.state.rules[rule as usize].pending -= 1;
        }
        let Some(deed) = &self.model.choice(origin).courses[course as usize].deed else {
            return Ok(());
        };
        let time = self.state.time;
        if !self.allows(&deed.still, scene)? {
            self.observer
                .dropped(time, origin, course, DropReason::NoLongerHolds);
            return Ok(());
        }
        if let Origin::Rule(rule) = origin {
            self.state.rules[rule as usize].last_answer = time;
        }
        let cause = Cause::Choice {
            origin,
            course,
            probability,
        };
        self.carry_out(origin, cause, deed, scene, target, place)
    }

    #[inline(always)]
    fn carry_out(
        &mut self,
        origin: Origin,
        cause: Cause,
        deed: &Deed,
        scene: &Scene,
        target: i32,
        place: i32,
    ) -> Result<(), Fault> {
        let perpetrator = self.model.chooser(origin);
        let name = |who: &Option<Formula>| (who.as_ref()).map(|formula| self.who(formula, scene));
        let (claimant, sponsor) = (name(&deed.claimant), name(&deed.sponsor));
        let roles = Roles::NONE
            .with(Role::SelfActor, perpetrator)
            .with(Role::Perpetrator, perpetrator)
            .with(Role::Target, target)
            .with(Role::Place, place)
            .with(Role::Host, self.model.host(place))
            .with(Role::Sponsor, sponsor.unwrap_or(NOBODY));
        let action = self.done(deed);
        let scene = Scene::of(roles);
        self.event(deed.action, action, scene, cause, claimant, None)
    }

    /// The action of a deed as this deed does it.
    #[inline]
    fn done<'d>(&self, deed: &'d Deed) -> &'d Action
    where
        'a: 'd,
    {
        match &deed.done {
            Some(done) if !O::PLAIN => done,
            _ => &self.model.actions[deed.action as usize],
        }
    }

    /// Quantal response (McKelvey and Palfrey 1995): P(course) proportional to exp(rationality x score) among the courses that
    /// are open; with infinite rationality the best, and the first of several equally good.
    pub(super) fn choose_by_score(
        &mut self,
        choice: &Choice,
        scene: &Scene,
    ) -> Result<Option<(usize, f64)>, Fault> {
        let uniform = self.stream(choice.choice_stream).uniform();
        let rationality = match &choice.rationality {
            Some(formula) => self.rationality(formula, scene)?,
            None => 1.0,
        };
        let mut weights = std::mem::take(&mut self.scratch.weights);
        weights.clear();
        let view = self.view(scene);
        for course in &choice.courses {
            let score = match &course.preference {
                _ if !self.allows(&course.when, scene)? => f64::NEG_INFINITY,
                Some(formula) => self.value_seen(formula, &view)?,
                None => 0.0,
            };
            weights.push(score);
        }
        let chosen = quantal_response(&mut weights, rationality, uniform);
        self.scratch.weights = weights;
        Ok(chosen)
    }

    fn rationality(&self, formula: &Formula, scene: &Scene) -> Result<f64, Fault> {
        let value = self.evaluate(formula, scene);
        if value.is_nan() {
            return Err(self.error(formula.site, Problem::NotFinite(value)));
        }
        if value < 0.0 {
            return Err(self.error(formula.site, Problem::NegativeRationality(value)));
        }
        Ok(value)
    }

    /// Plain probabilities; a course without one takes what the open courses leave.
    #[inline]
    pub(super) fn choose_by_probability(
        &mut self,
        choice: &Choice,
        scene: &Scene,
    ) -> Result<Option<(usize, f64)>, Fault> {
        let uniform = self.stream(choice.choice_stream).uniform();
        let mut below = 0.0;
        let mut chosen = None;
        let mut rest = None;
        for (index, course) in choice.courses.iter().enumerate() {
            if !self.allows(&course.when, scene)? {
                continue;
            }
            let Some(formula) = &course.preference else {
                rest = Some(index);
                continue;
            };
            let probability = self.probability(formula, scene)?;
            below += probability;
            if chosen.is_none() && uniform < below {
                chosen = Some((index, probability));
            }
            if below > 1.0 + ROUNDING {
                return Err(self.error(formula.site, Problem::ProbabilitiesExceedOne(below)));
            }
        }
        Ok(chosen.or(rest.map(|index| (index, 1.0 - below))))
    }

    #[inline(always)]
    pub(super) fn probability(&self, formula: &Formula, scene: &Scene) -> Result<f64, Fault> {
        let probability = self.value(formula, scene)?;
        if (0.0..=1.0).contains(&probability) {
            Ok(probability)
        } else {
            Err(self.error(formula.site, Problem::NotAProbability(probability)))
        }
    }

    pub(super) fn weight(&self, formula: &Formula, scene: &Scene) -> Result<f64, Fault> {
        let weight = self.value(formula, scene)?;
        if weight < 0.0 {
            return Err(self.error(formula.site, Problem::NegativeWeight(weight)));
        }
        Ok(weight)
    }

    /// Who or where; nobody if no candidate will do.
    #[inline]
    fn select(&mut self, selector: &Selector, scene: &Scene, drawn: Draw) -> Result<i32, Fault> {
        match selector {
            Selector::Formula(formula) => Ok(self.who(formula, scene)),
            Selector::Among {
                members,
                preference,
                when,
            } => self.select_among(members, preference, when, scene, drawn),
        }
    }

    /// The index drawn by `uniform` with probabilities proportional to `weights`, and its probability; none if all are 0. That they must
    /// not add up to infinity is said of the formula at `site`.
    pub(super) fn draw(
        &self,
        weights: &[f64],
        uniform: f64,
        site: u32,
    ) -> Result<Option<(usize, f64)>, Fault> {
        let total = weights.iter().sum::<f64>();
        if !total.is_finite() {
            return Err(self.error(site, Problem::NotFinite(total)));
        }
        Ok(draw_from(weights, total, uniform))
    }

    #[inline(never)]
    fn select_among(
        &mut self,
        members: &[u32],
        preference: &Preference,
        when: &Option<Formula>,
        scene: &Scene,
        drawn: Draw,
    ) -> Result<i32, Fault> {
        let mut weights = std::mem::take(&mut self.scratch.weights);
        weights.clear();
        let mut best = (None, f64::NEG_INFINITY);
        let mut seen = *scene;
        for (index, &member) in members.iter().enumerate() {
            seen.roles = seen.roles.with(Role::Candidate, member as i32);
            let scene = &seen;
            let weight = if !self.allows(when, scene)? {
                0.0
            } else {
                match preference {
                    Preference::Weight(formula) => self.weight(formula, scene)?,
                    Preference::Most(formula) => {
                        let value = self.value(formula, scene)?;
                        if value > best.1 {
                            best = (Some(index), value);
                        }
                        0.0
                    }
                }
            };
            weights.push(weight);
        }
        let index = match preference {
            Preference::Weight(formula) => {
                let drawn = self.draw(&weights, drawn.uniform(), formula.site)?;
                drawn.map(|(index, _)| index)
            }
            Preference::Most(_) => best.0,
        };
        self.scratch.weights = weights;
        Ok(index.map_or(NOBODY, |index| members[index] as i32))
    }

    /// A number, or a draw by inversion of the distribution function; never negative.
    #[inline(always)]
    pub(super) fn quantity(
        &self,
        quantity: &Quantity,
        scene: &Scene,
        drawn: Draw,
    ) -> Result<f64, Fault> {
        if let Quantity::Drawn { shape, site, .. } = quantity
            && let Some(shape) = shape.and_then(|shape| self.world.shapes[shape as usize].as_ref())
            && !O::PLAIN
        {
            return self.not_negative(shape.quantile(drawn.uniform()), *site);
        }
        self.quantity_now(quantity, scene, drawn)
    }

    /// The same, with parameters as they are now.
    #[inline(never)]
    fn quantity_now(&self, quantity: &Quantity, scene: &Scene, drawn: Draw) -> Result<f64, Fault> {
        let (value, site) = match quantity {
            Quantity::Fixed(formula) => (self.value(formula, scene)?, formula.site),
            Quantity::Discrete { distribution, site } => {
                (distribution.quantile(drawn.uniform()), *site)
            }
            Quantity::Drawn {
                family,
                parameters,
                site,
                ..
            } => {
                let mut values = [0.0; MAX_PARAMETERS];
                for (value, formula) in values.iter_mut().zip(parameters) {
                    // An end of a truncation may be infinite; the shape checks the rest.
                    *value = self.evaluate(formula, scene);
                }
                let values = &values[..parameters.len()];
                let shape = Shape::new(*family, values)
                    .map_err(|error| self.error(*site, Problem::Distribution(Box::new(error))))?;
                (shape.quantile(drawn.uniform()), *site)
            }
        };
        self.not_negative(value, site)
    }

    fn not_negative(&self, value: f64, site: u32) -> Result<f64, Fault> {
        if value < 0.0 {
            return Err(self.error(site, Problem::NegativeDraw(value)));
        }
        Ok(value)
    }
}

/// The course drawn by `uniform` with probabilities proportional to exp(rationality x score), and its probability; with infinite
/// rationality the best, and the first of several equally good. Courses that are not open have the score of minus infinity; none
/// is drawn if none is open. `scores` are used up.
#[inline(always)]
pub(super) fn quantal_response(
    scores: &mut [f64],
    rationality: f64,
    uniform: f64,
) -> Option<(usize, f64)> {
    let greater = |best: f64, &score: &f64| if score > best { score } else { best };
    let best = scores.iter().fold(f64::NEG_INFINITY, greater);
    if rationality == f64::INFINITY {
        let is_best = |&score: &f64| score == best && score > f64::NEG_INFINITY;
        return scores.iter().position(is_best).map(|index| (index, 1.0));
    }
    let mut total = 0.0;
    for score in &mut *scores {
        // A course that is not open has weight 0 also at rationality 0, where the product has no value.
        *score = match *score {
            f64::NEG_INFINITY => 0.0,
            // e^0
            score if score == best => 1.0,
            score => crate::math::exp(rationality * (score - best)),
        };
        total += *score;
    }
    draw_from(scores, total, uniform)
}

/// The index drawn by `uniform` with probabilities proportional to `weights`, which add up to `total`, and its probability; none if
/// all are 0.
#[inline]
fn draw_from(weights: &[f64], total: f64, uniform: f64) -> Option<(usize, f64)> {
    let mut left = uniform * total;
    let mut last = None;
    for (index, &weight) in weights.iter().enumerate() {
        if weight > 0.0 {
            last = Some((index, weight));
            if left < weight {
                break;
            }
            left -= weight;
        }
    }
    last.map(|(index, weight)| (index, weight / total))
}

#[cfg(test)]
mod tests {
    use super::draw_from;

    #[test]
    fn a_draw_follows_the_weights_and_skips_zeros() {
        let draw = |weights: &[f64], uniform| draw_from(weights, weights.iter().sum(), uniform);
        let weights = [0.0, 1.0, 0.0, 3.0, 0.0];
        assert_eq!(draw(&weights, 0.1), Some((1, 0.25)));
        assert_eq!(draw(&weights, 0.2499), Some((1, 0.25)));
        assert_eq!(draw(&weights, 0.2501), Some((3, 0.75)));
        assert_eq!(draw(&weights, 1.0 - f64::EPSILON), Some((3, 0.75)));
        assert_eq!(draw(&[0.0, 0.0], 0.5), None);
        assert_eq!(draw(&[], 0.5), None);
    }
}
