//! The calendar: dated changes from outside.

use jiff::civil::Date;

use super::{Compiler, label};
use crate::formula::{Scope, Symbols};
use crate::model::{CalendarEntry, ForcedEvent, Formula, NOBODY};
use crate::scenario::raw::{Expression, RawCalendarEntry};
use crate::scenario::tree::Path;

impl Compiler<'_> {
    pub(super) fn calendar(&mut self, start: Date, horizon: f64) -> Vec<CalendarEntry> {
        let raw = self.raw;
        let mut calendar = Vec::new();
        for (index, entry) in raw.calendar.iter().enumerate() {
            if !entry.enabled {
                continue;
            }
            let path = Path::keys(["calendar"]).index(index);
            let Some(days) = self.days(entry, start, horizon, &path) else {
                continue;
            };
            let scope = Scope::state("a calendar entry");
            let parameters = Scope::parameters("the probability of a calendar entry");
            let probability = (entry.probability.as_ref())
                .map(|p| self.number(p, &path.key("probability"), &parameters));
            if entry.action.is_none() && entry.effects.is_empty() {
                self.problems.error_with_help(
                    &path,
                    format!("the calendar entry `{}` changes nothing", entry.id),
                    "add `effects = [...]` or `action = \"...\"`",
                );
            }
            calendar.push(CalendarEntry {
                id: entry.id.clone(),
                label: label(&entry.label, &entry.id),
                days,
                probability,
                when: self.guard(&entry.when, &path.key("when"), &scope),
                effects: self.effects(&entry.effects, &path.key("effects"), &scope),
                event: self.forced_event(entry, &path),
                stream: self.stream(&["calendar", &entry.id]),
            });
        }
        calendar
    }

    /// First and last day of an entry.
    fn days(
        &mut self,
        entry: &RawCalendarEntry,
        start: Date,
        horizon: f64,
        path: &Path,
    ) -> Option<[Formula; 2]> {
        let scope = Scope::parameters("the day of a calendar entry");
        let (first, last, key) = match (&entry.date, &entry.window, &entry.day) {
            (Some(date), None, None) => {
                let day = self.day_of(date, start, &path.key("date"));
                (day, day, "date")
            }
            (None, Some([first, last]), None) => {
                let path = path.key("window");
                let first_day = self.day_of(first, start, &path.index(0));
                let last_day = self.day_of(last, start, &path.index(1));
                if last_day < first_day {
                    let message = format!("the window ends on {last}, before it begins on {first}");
                    self.problems.error(&path, message);
                }
                // The last day is part of the window.
                (first_day, last_day + 1.0, "window")
            }
            (None, None, Some(day)) => {
                let path = path.key("day");
                let day = self.number(day, &path, &scope);
                match day.program.as_constant() {
                    Some(day) if day < 0.0 => self.before_start(entry, start, &path),
                    Some(day) if day > horizon => self.after_end(entry, &path),
                    _ => {}
                }
                return Some([day.clone(), day]);
            }
            _ => {
                self.problems.error(
                    path,
                    "a calendar entry has exactly one of `date`, `window` and `day`",
                );
                return None;
            }
        };
        if first < 0.0 {
            self.before_start(entry, start, &path.key(key));
        } else if first > horizon {
            self.after_end(entry, &path.key(key));
        }
        let [first, last] = [first, last].map(Expression::Number);
        let path = path.key(key);
        Some([
            self.number(&first, &path, &scope),
            self.number(&last, &path, &scope),
        ])
    }

    fn before_start(&mut self, entry: &RawCalendarEntry, start: Date, path: &Path) {
        let id = &entry.id;
        let message = format!("the entry `{id}` lies before the start of the scenario, {start}");
        self.problems.error(path, message);
    }

    fn after_end(&mut self, entry: &RawCalendarEntry, path: &Path) {
        if self.problems.has_errors() {
            // Perhaps in the start or the horizon.
            return;
        }
        let id = &entry.id;
        let message =
            format!("the entry `{id}` never happens: it lies after the end of the scenario");
        self.problems.warning(path, message);
    }

    fn day_of(&mut self, text: &str, start: Date, path: &Path) -> f64 {
        let date = self.date(text, path);
        start
            .until(date)
            .map_or(0.0, |span| f64::from(span.get_days()))
    }

    fn forced_event(&mut self, entry: &RawCalendarEntry, path: &Path) -> Option<ForcedEvent> {
        let Some(action) = &entry.action else {
            let needless = [
                ("actor", entry.actor.is_some()),
                ("target", entry.target.is_some()),
                ("place", entry.place.is_some()),
                ("claimant", entry.claimant.is_some()),
                ("sponsor", entry.sponsor.is_some()),
                ("killed", entry.killed.is_some()),
                ("foiled", entry.foiled.is_some()),
            ];
            for (key, _) in needless.into_iter().filter(|(_, given)| *given) {
                self.problems.error(
                    &path.key(key),
                    format!("an entry without an `action` is no event, so `{key}` has no meaning"),
                );
            }
            return None;
        };
        let action = self
            .names
            .action(self.raw, action, &path.key("action"), &mut self.problems);
        if entry.actor.is_none() {
            self.problems.error(
                path,
                "an event of the calendar needs an `actor`: who does it",
            );
        }
        let actor = self.optional_actor(&entry.actor, &path.key("actor"));
        let target = self.optional_actor(&entry.target, &path.key("target"));
        let claimant = entry.claimant.as_ref().map(|name| {
            if name == "nobody" {
                NOBODY
            } else {
                self.optional_actor(&entry.claimant, &path.key("claimant"))
            }
        });
        let sponsor = self.optional_actor(&entry.sponsor, &path.key("sponsor"));
        let place = entry.place.as_ref().map_or(NOBODY, |name| {
            let found = self.names.place(name);
            if found.is_none() {
                let known = self.names.places.iter();
                self.problems
                    .unknown(&path.key("place"), "place", name, known);
            }
            found.map_or(NOBODY, |place| place as i32)
        });
        let killed = (entry.killed.as_ref()).map(|killed| {
            let scope = Scope::parameters("the number killed in a calendar entry");
            self.number(killed, &path.key("killed"), &scope)
        });
        Some(ForcedEvent {
            action: action?,
            actor,
            target,
            place,
            claimant,
            sponsor,
            killed,
            foiled: entry.foiled.unwrap_or(false),
        })
    }

    fn optional_actor(&mut self, name: &Option<String>, path: &Path) -> i32 {
        let Some(name) = name else {
            return NOBODY;
        };
        let found = self.names.actor(name);
        if found.is_none() {
            let known = self.names.actors.keys();
            self.problems.unknown(path, "actor", name, known);
        }
        found.map_or(NOBODY, |actor| actor as i32)
    }
}
