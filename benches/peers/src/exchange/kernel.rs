//! The limit: a kernel for this model and no other, tuned by hand.
//!
//! - The half-lives divide 180 days, so that one exponential and a few products bring all stocks up to date.
//! - Raids come at rate a (1 + 0.4 m) with m decaying: the first of an Exp(a) wait and a wait for the rest, whose integrated
//!   hazard has an inverse in closed form (Dassios and Zhao, Electronic Communications in Probability 18 (2013)). Nothing is
//!   thinned, and only a raid draws anew.
//! - At most three answers can be under way, so the agenda is three numbers.
//! - Severity is looked up in a table of 65,536 places, right to 1 in 65,536; that moves a run's mean grievance by far less than
//!   the check of agreement can see.

use super::End;
use crate::generator::{Wyrand, Ziggurat};
use rand::RngExt;
use rand_distr::StandardNormal;

const IRAN: usize = 0;
const PAKISTAN: usize = 1;
const HORIZON: f64 = 365.0;
const WAR: u8 = 4;
const MOMENTUM_DECAY: f64 = std::f64::consts::LN_2 / 15.0;

const GRIEVANCE: [f64; 2] = [0.2, 0.2];
const RESOLVE: [f64; 2] = [0.5, 0.4];
const RESTRAINT: [f64; 2] = [0.6, 0.7];

/// Whose answer is under way: Iran's to a raid, Iran's to a strike, Pakistan's to a strike.
const ANSWERER: [usize; 3] = [IRAN, IRAN, PAKISTAN];

/// Raids a day without momentum.
pub const RAIDS: f64 = 0.05;

pub struct Kernel {
    /// As [`RAIDS`].
    raids: f64,
    /// What a raid adds to grievance: 0.05 ln(1 + killed) at equally probable places.
    grief: Vec<f64>,
    ziggurat: Ziggurat,
}

#[derive(Clone, Copy)]
struct Answer {
    time: f64,
    strike: bool,
}

struct Run<'a> {
    kernel: &'a Kernel,
    rng: Wyrand,
    since: f64,
    grievance: [f64; 2],
    resolve: [f64; 2],
    restraint: [f64; 2],
    momentum: f64,
    rung: u8,
    raid: f64,
    answers: [Answer; 3],
    end: End,
}

impl Kernel {
    pub fn new(raids: f64) -> Self {
        // The language's discrete power law is the continuous one on [0.5, 100.5], rounded.
        let weight = |killed: u32| 1.0 / (f64::from(killed * killed) - 0.25);
        let total: f64 = (1..=100).map(weight).sum();
        let mut grief = Vec::with_capacity(1 << 16);
        let mut below = 0.0;
        for killed in 1..=100 {
            below += weight(killed) / total;
            let until = (below * f64::from(1 << 16)).round() as usize;
            grief.resize(until, 0.05 * f64::from(1 + killed).ln());
        }
        Self {
            raids,
            grief,
            ziggurat: Ziggurat::new(),
        }
    }

    pub fn run(&self, seed: u64) -> End {
        let none = Answer {
            time: f64::INFINITY,
            strike: false,
        };
        let mut run = Run {
            kernel: self,
            rng: Wyrand::new(seed),
            since: 0.0,
            grievance: GRIEVANCE,
            resolve: RESOLVE,
            restraint: RESTRAINT,
            momentum: 0.0,
            rung: 0,
            raid: 0.0,
            answers: [none; 3],
            end: End {
                war: false,
                grievance: 0.0,
                strikes: 0,
                events: 0,
            },
        };
        run.plan_raid(0.0);
        run.go();
        run.end
    }
}

impl Run<'_> {
    fn go(&mut self) {
        loop {
            let (mut slot, mut next) = (3, self.raid);
            for (index, answer) in self.answers.iter().enumerate() {
                if answer.time < next {
                    (slot, next) = (index, answer.time);
                }
            }
            if next > HORIZON {
                self.relax(HORIZON);
                break;
            }
            self.relax(next);
            self.end.events += 1;
            if slot == 3 {
                self.happen(next);
            } else if self.answers[slot].strike {
                self.answers[slot].time = f64::INFINITY;
                self.strike(ANSWERER[slot], next);
                if self.rung == WAR {
                    self.end.war = true;
                    break;
                }
            } else {
                self.answers[slot].time = f64::INFINITY;
                self.talk(ANSWERER[slot]);
            }
        }
        self.end.grievance = self.grievance[IRAN];
    }

    #[inline]
    fn relax(&mut self, time: f64) {
        let x = ((self.since - time) / 180.0).exp2();
        let x2 = x * x;
        let x3 = x2 * x;
        let x6 = x3 * x3;
        for side in [IRAN, PAKISTAN] {
            let towards = |base: f64, level: f64, share: f64| base + (level - base) * share;
            self.grievance[side] = towards(GRIEVANCE[side], self.grievance[side], x3);
            self.resolve[side] = towards(RESOLVE[side], self.resolve[side], x2);
            self.restraint[side] = towards(RESTRAINT[side], self.restraint[side], x6);
        }
        self.momentum *= x6 * x6;
        self.since = time;
    }

    fn plan_raid(&mut self, now: f64) {
        let ziggurat = &self.kernel.ziggurat;
        let alone = ziggurat.exponential(&mut self.rng) / self.kernel.raids;
        let excess = 0.4 * self.kernel.raids * self.momentum / MOMENTUM_DECAY;
        let spent = ziggurat.exponential(&mut self.rng);
        // The logarithm is needed only where the driven wait can be the shorter: 1 - exp(-x) < x.
        let driven = if spent < excess * (MOMENTUM_DECAY * alone).min(1.0) {
            -(1.0 - spent / excess).ln() / MOMENTUM_DECAY
        } else {
            f64::INFINITY
        };
        self.raid = now + alone.min(driven);
    }

    fn happen(&mut self, now: f64) {
        let grief = self.kernel.grief[(self.rng.next() >> 48) as usize];
        self.grievance[IRAN] = (self.grievance[IRAN] + grief).min(1.0);
        self.resolve[IRAN] = (self.resolve[IRAN] + 0.03).min(1.0);
        self.momentum += 1.0;
        self.plan_raid(now);
        self.choose(0, now, 0.9, 3.0);
    }

    fn strike(&mut self, by: usize, now: f64) {
        let at = 1 - by;
        self.end.strikes += 1;
        self.grievance[at] = (self.grievance[at] + 0.25).min(1.0);
        self.resolve[at] = (self.resolve[at] + 0.15).min(1.0);
        self.grievance[by] *= 0.6;
        self.restraint[by] *= 0.8;
        self.rung += 1;
        if self.rung < WAR {
            self.choose(1 + at, now, 0.3, 2.0);
        }
    }

    fn talk(&mut self, by: usize) {
        let with = 1 - by;
        self.restraint[by] = (self.restraint[by] + 0.1).min(1.0);
        self.restraint[with] = (self.restraint[with] + 0.1).min(1.0);
        self.grievance[with] *= 0.8;
        self.rung = self.rung.saturating_sub(1);
    }

    /// Strike, hold or talk, with probabilities in proportion to exp(4 score), unless an answer is under way.
    #[inline]
    fn choose(&mut self, slot: usize, now: f64, reluctance: f64, median: f64) {
        if self.answers[slot].time < f64::INFINITY {
            return;
        }
        let actor = ANSWERER[slot];
        let heat = self.grievance[actor] - self.restraint[actor];
        let strike = (4.0 * (heat + self.resolve[actor] - reluctance)).exp();
        let talk = (4.0 * (-heat - 0.3)).exp();
        let drawn = self.rng.uniform() * (strike + 1.0 + talk);
        let (strikes, median) = match drawn {
            drawn if drawn < strike => (true, median),
            drawn if drawn < strike + 1.0 => return,
            _ => (false, 5.0),
        };
        let delay = median * (0.5 * self.rng.sample::<f64, _>(StandardNormal)).exp();
        self.answers[slot] = Answer {
            time: now + delay,
            strike: strikes,
        };
    }
}
