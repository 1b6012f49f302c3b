//! Watches a run and keeps what a chronicle tells.

use super::{
    Belief, CalendarNote, Cause, Course, Decision, Dropped, Entry, EventEntry, LadderMove, Level,
    Name, OpenQuestions, Source, When,
};
use crate::engine::{self, DropReason, Event, Observer, Origin};
use crate::formula::Role;
use crate::model::{Choice, Model, Stance};

/// Keeps the entries of a chronicle while a run goes on.
#[derive(Clone, Debug)]
pub struct Recorder<'m> {
    model: &'m Model,
    entries: Vec<Entry<'m>>,
    /// The entry of the last event: rungs, beliefs and decisions belong to it.
    last_event: Option<usize>,
    under_way: Vec<UnderWay>,
}

/// A rule's answer that waits for its time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct UnderWay {
    origin: Origin,
    course: u16,
    due: f64,
    /// Number of the event that it answers.
    answers: u64,
}

impl<'m> Recorder<'m> {
    /// A recorder for a run of `model`.
    pub fn new(model: &'m Model) -> Self {
        Self {
            model,
            entries: Vec::new(),
            last_event: None,
            under_way: Vec::new(),
        }
    }

    /// What happened, in order.
    pub fn into_entries(self) -> Vec<Entry<'m>> {
        self.entries
    }

    fn when(&self, time: f64) -> When {
        When {
            day: time,
            date: self.model.date(time),
        }
    }

    fn actor(&self, index: i32) -> Option<Name<'m>> {
        let actor = &self.model.actors[usize::try_from(index).ok()?];
        Some(Name {
            id: &actor.id,
            label: &actor.label,
        })
    }

    fn known_actor(&self, index: u32) -> Name<'m> {
        let actor = &self.model.actors[index as usize];
        Name {
            id: &actor.id,
            label: &actor.label,
        }
    }

    fn place(&self, index: i32) -> Option<Name<'m>> {
        let place = &self.model.places[usize::try_from(index).ok()?];
        Some(Name {
            id: &place.id,
            label: &place.label,
        })
    }

    fn level(&self, index: u16) -> Level<'m> {
        let rung = &self.model.rungs[usize::from(index)];
        Level {
            level: index,
            name: Name {
                id: &rung.id,
                label: &rung.label,
            },
        }
    }

    /// The process or rule, who chooses by it, and among what.
    fn origin(&self, origin: Origin) -> (Source<'m>, Name<'m>, &'m Choice) {
        let model: &'m Model = self.model;
        let (kind, id, label, actor, choice) = match origin {
            Origin::Process(index) => {
                let process = &model.processes[index as usize];
                let (id, label) = (&process.id, &process.label);
                ("process", id, label, process.actor, &process.choice)
            }
            Origin::Rule(index) => {
                let rule = &model.rules[index as usize];
                ("rule", &rule.id, &rule.label, rule.actor, &rule.choice)
            }
        };
        let name = Name { id, label };
        (Source { kind, name }, self.known_actor(actor), choice)
    }

    fn course(choice: &'m Choice, index: u16, probability: f64) -> Course<'m> {
        let course = &choice.courses[usize::from(index)];
        Course {
            name: Name {
                id: &course.id,
                label: &course.label,
            },
            stance: course.stance.map(|stance| match stance {
                Stance::Escalate => "escalate",
                Stance::Hold => "hold",
                Stance::Deescalate => "deescalate",
            }),
            probability,
            only: choice.courses.len() == 1,
        }
    }

    fn cause(&mut self, event: &Event) -> Cause<'m> {
        match event.cause {
            engine::Cause::Choice {
                origin,
                course,
                probability,
            } => {
                let answers = self.take_under_way(origin, course, event.time);
                let (source, _, choice) = self.origin(origin);
                Cause {
                    source,
                    course: Some(Self::course(choice, course, probability)),
                    answers,
                }
            }
            engine::Cause::Calendar(index) => {
                let entry = &self.model.calendar[index as usize];
                let name = Name {
                    id: &entry.id,
                    label: &entry.label,
                };
                Cause {
                    source: Source {
                        kind: "calendar",
                        name,
                    },
                    course: None,
                    answers: None,
                }
            }
        }
    }

    /// The event that an answer due now was chosen for; the answer is no longer under way.
    fn take_under_way(&mut self, origin: Origin, course: u16, due: f64) -> Option<u64> {
        let is_it = |answer: &UnderWay| {
            answer.origin == origin && answer.course == course && answer.due == due
        };
        let position = self.under_way.iter().position(is_it)?;
        Some(self.under_way.remove(position).answers)
    }

    fn last_event(&mut self) -> Option<&mut EventEntry<'m>> {
        match self.entries.get_mut(self.last_event?)? {
            Entry::Event(event) => Some(event),
            _ => None,
        }
    }
}

impl Observer for Recorder<'_> {
    fn event(&mut self, event: &Event) {
        let cause = self.cause(event);
        let action = &self.model.actions[event.action as usize];
        let role = |role: Role| self.actor(event.roles.get(role));
        let entry = EventEntry {
            number: event.number,
            when: self.when(event.time),
            action: Name {
                id: &action.id,
                label: &action.label,
            },
            verb: &action.verb,
            perpetrator: role(Role::Perpetrator),
            target: role(Role::Target),
            place: self.place(event.roles.get(Role::Place)),
            host: role(Role::Host),
            claimant: role(Role::Claimant),
            sponsor: role(Role::Sponsor),
            killed: event.fields.killed,
            foiled: event.fields.foiled,
            goldstein: event.fields.goldstein,
            open: OpenQuestions {
                killed: action.killed.is_some(),
                claim: action.claim.is_some(),
                belief: !action.suspects.is_empty(),
            },
            cause,
            ladder: Vec::new(),
            beliefs: Vec::new(),
            decisions: Vec::new(),
        };
        // A calendar entry that forces an event is told as its cause.
        if let Some(Entry::Calendar(note)) = self.entries.last()
            && matches!(event.cause, engine::Cause::Calendar(_))
            && note.name == entry.cause.source.name
        {
            self.entries.pop();
        }
        self.last_event = Some(self.entries.len());
        self.entries.push(Entry::Event(Box::new(entry)));
    }

    fn rung(&mut self, pair: (u32, u32), before: u16, after: u16) {
        let between = [self.known_actor(pair.0), self.known_actor(pair.1)];
        let (before, after) = (self.level(before), self.level(after));
        let Some(event) = self.last_event() else {
            return;
        };
        // An action may move a pair in several steps; what counts is where it comes to stand.
        match event.ladder.iter_mut().find(|step| step.between == between) {
            Some(step) => step.after = after,
            None => event.ladder.push(LadderMove {
                between,
                before,
                after,
            }),
        }
    }

    fn belief(&mut self, observer: u32, blamed: i32) {
        let belief = Belief {
            observer: self.known_actor(observer),
            blamed: self.actor(blamed),
        };
        if let Some(event) = self.last_event() {
            event.beliefs.push(belief);
        }
    }

    fn choice(&mut self, time: f64, origin: Origin, course: u16, probability: f64, due: f64) {
        let (source, actor, choice) = self.origin(origin);
        let decision = Decision {
            when: self.when(time),
            actor,
            source,
            course: Self::course(choice, course, probability),
            due: due.is_finite().then(|| self.when(due)),
        };
        if let Origin::Process(_) = origin {
            self.entries.push(Entry::Decision(decision));
            return;
        }
        let Some(event) = self.last_event() else {
            return;
        };
        event.decisions.push(decision);
        let answers = event.number;
        if due.is_finite() {
            self.under_way.push(UnderWay {
                origin,
                course,
                due,
                answers,
            });
        }
    }

    fn dropped(&mut self, time: f64, origin: Origin, course: u16, reason: DropReason) {
        match reason {
            DropReason::NoLongerHolds => {
                self.take_under_way(origin, course, time);
            }
            // All answers of the rule that were under way are dropped, this one among them.
            DropReason::Replaced => self.under_way.retain(|answer| answer.origin != origin),
            DropReason::NoTarget => {}
        }
        let (source, actor, choice) = self.origin(origin);
        let reason = match reason {
            DropReason::NoLongerHolds => "no_longer_holds",
            DropReason::Replaced => "replaced",
            DropReason::NoTarget => "no_target",
        };
        self.entries.push(Entry::Dropped(Dropped {
            when: self.when(time),
            actor,
            source,
            course: Self::course(choice, course, 1.0).name,
            reason,
        }));
    }

    fn calendar(&mut self, time: f64, entry: u32) {
        let when = self.when(time);
        let entry = &self.model.calendar[entry as usize];
        let name = Name {
            id: &entry.id,
            label: &entry.label,
        };
        self.entries
            .push(Entry::Calendar(CalendarNote { when, name }));
    }
}
