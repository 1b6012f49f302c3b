//! The same runs as Flashpoint's, to the bit, by a program for this model and no other, tuned by hand.
//!
//! It keeps what a scenario is promised and the limit kernel does without: a stream of its own for every source of chance, waits
//! that are kept when a hazard changes and thinned under a bound, stocks with half-lives of any length, draws by inversion, and
//! elementary functions that are the same on every machine. It does without all that makes a scenario general: formulas, roles,
//! slots, an agenda, metrics, observers and errors. So its distance from the limit kernel is what the promises cost, and
//! Flashpoint's distance from it what generality does.

use super::End;
use flashpoint::distribution::{Family, Shape};
use flashpoint::math::{exp, ln, normal_quantile};
use flashpoint::random::{Stream, StreamKey, StreamSource};
use std::f64::consts::LN_2;

const IRAN: usize = 0;
const PAKISTAN: usize = 1;
const HORIZON: f64 = 365.0;
const WAR: u8 = 4;
const RATIONALITY: f64 = 4.0;

/// Places in the table of severities.
const PLACES: usize = 4096;
/// The most that are killed.
const MOST: usize = 100;

/// Who answers what: Iran a raid, Iran a strike, Pakistan a strike.
const ANSWERS: [(&str, &str, usize); 3] = [
    ("iran_answers_raid", "iran", IRAN),
    ("answers_strike", "iran", IRAN),
    ("answers_strike", "pakistan", PAKISTAN),
];

pub struct Kernel {
    wait: StreamSource,
    severity: StreamSource,
    choices: [StreamSource; ANSWERS.len()],
    details: [StreamSource; ANSWERS.len()],
    killed: Shape,
    /// How many are killed where the uniform variate lies in a place; 0 where the place does not tell.
    places: Vec<u8>,
    /// What a raid adds to grievance, by the number killed.
    grief: [f64; MOST + 1],
}

impl Kernel {
    pub fn new(seed: u64) -> Self {
        let source = |name: &[&str]| StreamSource::new(StreamKey::derive(seed, name));
        let of_rules =
            |what: &str| ANSWERS.map(|(rule, actor, _)| source(&["rule", rule, actor, what]));
        let killed = Shape::new(Family::DiscretePowerLaw, &[2.0, 1.0, MOST as f64]);
        let killed = killed.expect("a power law");
        let told = |place: usize| {
            // Half a place more on both sides, so that rounding at an end does not matter.
            let at = |x: f64| killed.quantile((x / PLACES as f64).clamp(1e-9, 1.0 - 1e-9)) as u8;
            let (low, high) = (at(place as f64 - 0.5), at(place as f64 + 1.5));
            if low == high { low } else { 0 }
        };
        Self {
            wait: source(&["process", "raids", "separatists", "wait"]),
            severity: source(&["action", "raid", "outcome", "separatists"]),
            choices: of_rules("choice"),
            details: of_rules("details"),
            places: (0..PLACES).map(told).collect(),
            grief: std::array::from_fn(|killed| 0.05 * ln(1.0 + killed as f64)),
            killed,
        }
    }

    pub fn run(&self, number: u64) -> End {
        let unopened = Stream::from_state([1; 4]);
        let none = Answer {
            time: f64::INFINITY,
            strike: false,
        };
        let mut run = Run {
            kernel: self,
            number,
            wait: self.wait.stream(number),
            severity: unopened,
            rules: [(unopened, unopened); ANSWERS.len()],
            opened: [false; ANSWERS.len()],
            raided: false,
            grievance: [Decaying::at(0.2, 60.0), Decaying::at(0.2, 60.0)],
            resolve: [Decaying::at(0.5, 90.0), Decaying::at(0.4, 90.0)],
            restraint: [Decaying::at(0.6, 30.0), Decaying::at(0.7, 30.0)],
            momentum: Decaying::at(0.0, 15.0),
            rung: 0,
            answers: [none; ANSWERS.len()],
            end: End {
                war: false,
                grievance: 0.0,
                strikes: 0,
                events: 0,
            },
        };
        run.go();
        run.end
    }
}

/// A stock as it was at its last change.
#[derive(Clone, Copy)]
struct Decaying {
    value: f64,
    since: f64,
    baseline: f64,
    decay: f64,
}

impl Decaying {
    fn at(baseline: f64, half_life: f64) -> Self {
        Self {
            value: baseline,
            since: 0.0,
            baseline,
            decay: LN_2 / half_life,
        }
    }

    #[inline(always)]
    fn now(&self, time: f64) -> f64 {
        if self.value == self.baseline || self.since == time {
            return self.value;
        }
        let value =
            self.baseline + (self.value - self.baseline) * exp(-self.decay * (time - self.since));
        let (low, high) = if self.value < self.baseline {
            (self.value, self.baseline)
        } else {
            (self.baseline, self.value)
        };
        value.clamp(low, high)
    }

    #[inline(always)]
    fn change(&mut self, time: f64, change: impl Fn(f64) -> f64) {
        self.value = change(self.now(time));
        self.since = time;
    }

    /// As [`Self::change`], of a stock between 0 and 1.
    #[inline(always)]
    fn change_share(&mut self, time: f64, change: impl Fn(f64) -> f64) {
        self.change(time, |now| change(now).clamp(0.0, 1.0));
    }
}

#[derive(Clone, Copy)]
struct Answer {
    time: f64,
    strike: bool,
}

/// The wait for the next raid: a candidate, and between what the hazard lies until then.
struct Candidate {
    time: f64,
    least: f64,
    bound: f64,
}

struct Run<'a> {
    kernel: &'a Kernel,
    number: u64,
    wait: Stream,
    severity: Stream,
    /// Of each answer: the streams of its choices and of their details.
    rules: [(Stream, Stream); ANSWERS.len()],
    opened: [bool; ANSWERS.len()],
    raided: bool,
    grievance: [Decaying; 2],
    resolve: [Decaying; 2],
    restraint: [Decaying; 2],
    momentum: Decaying,
    rung: u8,
    answers: [Answer; ANSWERS.len()],
    end: End,
}

/// Raids a day, given the momentum.
#[inline(always)]
fn hazard(momentum: f64) -> f64 {
    (momentum * 0.4 + 1.0) * 0.05
}

impl Run<'_> {
    fn go(&mut self) {
        let mut raid = self.next_raid(0.0);
        let now = loop {
            let (mut slot, mut next) = (ANSWERS.len(), raid.time);
            for (index, answer) in self.answers.iter().enumerate() {
                if answer.time <= next {
                    (slot, next) = (index, answer.time);
                }
            }
            if next > HORIZON {
                break HORIZON;
            }
            if slot == ANSWERS.len() {
                if self.is_taken(&raid) {
                    self.happen(next);
                }
                raid = self.next_raid(next);
                continue;
            }
            self.answers[slot].time = f64::INFINITY;
            self.end.events += 1;
            let (_, _, by) = ANSWERS[slot];
            if self.answers[slot].strike {
                self.strike(by, next);
                if self.rung == WAR {
                    self.end.war = true;
                    break next;
                }
            } else {
                self.talk(by, next);
            }
        };
        self.end.grievance = self.grievance[IRAN].now(now);
    }

    /// A candidate at a rate that bounds the hazard for all that is left of the run.
    #[inline(always)]
    fn next_raid(&mut self, now: f64) -> Candidate {
        let momentum = self.momentum.now(now);
        let margin = 8.0 * f64::EPSILON * momentum;
        let greatest = (momentum + margin).min(self.momentum.value);
        let bound = hazard(greatest);
        Candidate {
            time: now + self.wait.exponential() / bound,
            least: hazard(0.0),
            bound,
        }
    }

    #[inline(always)]
    fn is_taken(&mut self, candidate: &Candidate) -> bool {
        if candidate.bound == candidate.least {
            return true;
        }
        let drawn = self.wait.uniform() * candidate.bound;
        drawn < candidate.least || drawn < hazard(self.momentum.now(candidate.time))
    }

    #[inline(always)]
    fn happen(&mut self, now: f64) {
        self.end.events += 1;
        if !self.raided {
            self.raided = true;
            self.severity = self.kernel.severity.stream(self.number);
        }
        // The first two would be for foiling and claims.
        self.severity.next_u64();
        self.severity.next_u64();
        let uniform = self.severity.uniform();
        let killed = match self.kernel.places[(uniform * PLACES as f64) as usize] {
            0 => self.kernel.killed.quantile(uniform) as usize,
            told => usize::from(told),
        };
        let grief = self.kernel.grief[killed];
        self.grievance[IRAN].change_share(now, |level| level + grief);
        self.resolve[IRAN].change_share(now, |level| level + 0.03);
        self.momentum.change(now, |level| level + 1.0);
        self.choose(0, now, 0.9, 3.0);
    }

    fn strike(&mut self, by: usize, now: f64) {
        let at = 1 - by;
        self.end.strikes += 1;
        self.grievance[at].change_share(now, |level| level + 0.25);
        self.resolve[at].change_share(now, |level| level + 0.15);
        self.grievance[by].change_share(now, |level| level * 0.6);
        self.restraint[by].change_share(now, |level| level * 0.8);
        self.rung += 1;
        if self.rung < WAR {
            self.choose(1 + at, now, 0.3, 2.0);
        }
    }

    fn talk(&mut self, by: usize, now: f64) {
        let with = 1 - by;
        self.restraint[by].change_share(now, |level| level + 0.1);
        self.restraint[with].change_share(now, |level| level + 0.1);
        self.grievance[with].change_share(now, |level| level * 0.8);
        self.rung = self.rung.saturating_sub(1);
    }

    /// Strike, hold or talk, by quantal response, unless an answer is under way.
    #[inline(always)]
    fn choose(&mut self, slot: usize, now: f64, reluctance: f64, median: f64) {
        if self.answers[slot].time < f64::INFINITY {
            return;
        }
        if !self.opened[slot] {
            self.opened[slot] = true;
            let (choices, details) = (&self.kernel.choices[slot], &self.kernel.details[slot]);
            self.rules[slot] = (choices.stream(self.number), details.stream(self.number));
        }
        let (choices, details) = &mut self.rules[slot];
        let uniform = choices.uniform();
        // The first two would be for the target and the place.
        details.next_u64();
        details.next_u64();
        let for_delay = details.uniform();
        let (_, _, actor) = ANSWERS[slot];
        let grievance = self.grievance[actor].now(now);
        let restraint = self.restraint[actor].now(now);
        let strike = grievance + self.resolve[actor].now(now) - restraint - reluctance;
        let talk = restraint - grievance - 0.3;
        let best = strike.max(0.0).max(talk);
        let weight = |score: f64| match score == best {
            true => 1.0,
            false => exp(RATIONALITY * (score - best)),
        };
        let [strike, hold, talk] = [strike, 0.0, talk].map(weight);
        let mut left = uniform * (strike + hold + talk);
        let (strikes, median) = if left < strike {
            (true, median)
        } else {
            left -= strike;
            if left < hold {
                return;
            }
            (false, 5.0)
        };
        let delay = median * exp(0.5 * normal_quantile(for_delay));
        self.answers[slot] = Answer {
            time: now + delay,
            strike: strikes,
        };
    }
}
