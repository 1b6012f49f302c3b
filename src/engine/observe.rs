//! What can be watched while a run is under way.

use super::state::{EventFields, Origin, Roles};

/// Why an event happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cause {
    /// A course chosen by a process or a rule, with the probability that it had.
    Choice {
        origin: Origin,
        course: u16,
        probability: f64,
    },
    /// A calendar entry, by index.
    Calendar(u32),
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Days since the start.
    pub time: f64,
    /// Number of the event in its run, from 0.
    pub number: u64,
    /// The action, by index.
    pub action: u32,
    /// The true roles.
    pub roles: Roles,
    pub fields: EventFields,
    pub cause: Cause,
}

/// Watches a run. Every method does nothing unless it is overridden.
pub trait Observer {
    /// Whether the run is worked out plainly; see [`Plainly`].
    const PLAIN: bool = false;
    /// Whether none of the methods does anything, so that nothing need be made up to be told.
    const IDLE: bool = false;
    /// An event happens; its effects come next.
    fn event(&mut self, _event: &Event) {}
    /// A pair moves on the ladder because of the last event.
    fn rung(&mut self, _pair: (u32, u32), _before: u16, _after: u16) {}
    /// An actor forms a belief about who did the last event; nobody if it cannot say.
    fn belief(&mut self, _observer: u32, _blamed: i32) {}
    /// A rule answers the last event with a course, or a process chooses one that does nothing or takes time. It is due at a time:
    /// infinite for a course that does nothing.
    fn choice(&mut self, _time: f64, _origin: Origin, _course: u16, _probability: f64, _due: f64) {}
    /// A course that was under way is dropped.
    fn dropped(&mut self, _time: f64, _origin: Origin, _course: u16, _reason: DropReason) {}
    /// A calendar entry takes effect.
    fn calendar(&mut self, _time: f64, _entry: u32) {}
}

/// Why a course that had been chosen was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Its `still` no longer held.
    NoLongerHolds,
    /// A new answer took its place.
    Replaced,
    /// Its target or place turned out to be nobody or nowhere.
    NoTarget,
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    const IDLE: bool = true;
}

/// Watches as another observer does, in a run that is worked out plainly: each formula by its program on a stack, each stock and
/// each sum afresh. Slow; the fast way must agree with it to the bit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plainly<O>(pub O);

impl<O: Observer> Observer for Plainly<O> {
    const PLAIN: bool = true;

    fn event(&mut self, event: &Event) {
        self.0.event(event);
    }
    fn rung(&mut self, pair: (u32, u32), before: u16, after: u16) {
        self.0.rung(pair, before, after);
    }
    fn belief(&mut self, observer: u32, blamed: i32) {
        self.0.belief(observer, blamed);
    }
    fn choice(&mut self, time: f64, origin: Origin, course: u16, probability: f64, due: f64) {
        self.0.choice(time, origin, course, probability, due);
    }
    fn dropped(&mut self, time: f64, origin: Origin, course: u16, reason: DropReason) {
        self.0.dropped(time, origin, course, reason);
    }
    fn calendar(&mut self, time: f64, entry: u32) {
        self.0.calendar(time, entry);
    }
}
