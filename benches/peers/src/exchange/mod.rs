//! One exchange of blows: the model of `scenarios/bench/exchange.toml` as a scenario, and as a program for this model alone.

mod kernel;
mod keyed;

use crate::comparison::Subject;
use crate::contender::{Contender, SAME_RUNS};
use crate::scenario::{self, SEED};
use flashpoint::experiment::Rows;
use kernel::{Kernel, RAIDS};

/// How a run ended.
#[derive(Debug, PartialEq)]
struct End {
    war: bool,
    /// Iran's grievance, 0 to 1.
    grievance: f64,
    strikes: u64,
    events: u64,
}

const GRIEVANCES: usize = 4;
const STRIKES: usize = 8;
const EVENTS: usize = 128;

const CELLS: usize = 2 * GRIEVANCES * STRIKES * EVENTS;

impl End {
    fn cell(&self) -> usize {
        let grievance = ((self.grievance * GRIEVANCES as f64) as usize).min(GRIEVANCES - 1);
        let strikes = (self.strikes as usize).min(STRIKES - 1);
        let events = (self.events as usize).min(EVENTS - 1);
        ((usize::from(self.war) * GRIEVANCES + grievance) * STRIKES + strikes) * EVENTS + events
    }
}

/// The number of events in the runs of a cell.
fn events(cell: usize) -> f64 {
    (cell % EVENTS) as f64
}

pub fn subject() -> Subject {
    Subject {
        model: "exchange",
        unit: "event",
        units: None,
        outcome: ("mean events", events),
        event: ("war", |cell| cell / (GRIEVANCES * STRIKES * EVENTS) == 1),
    }
}

/// How a run of the scenario ended, whose first endgame is the war and which has two metrics.
fn scenario_end(rows: &Rows, run: usize) -> End {
    let [strikes, grievance] = rows.metrics[2 * run..2 * run + 2] else {
        unreachable!("two metrics a run");
    };
    End {
        war: rows.endgames[run] == Some(0),
        grievance,
        strikes: strikes as u64,
        events: rows.events[run],
    }
}

pub fn contenders() -> Vec<Contender> {
    vec![
        scenario::contender("bench/exchange", CELLS, |rows, run| {
            scenario_end(rows, run).cell()
        }),
        limit("limit kernel", RAIDS),
        Contender::new(SAME_RUNS, "by hand", CELLS, || {
            let kernel = keyed::Kernel::new(SEED);
            move |run| kernel.run(run).cell()
        }),
    ]
}

/// The hand-written kernel, with so many raids a day while there is no momentum.
fn limit(name: &str, raids: f64) -> Contender {
    Contender::new(name, "by hand", CELLS, move || {
        let kernel = Kernel::new(raids);
        move |seed| kernel.run(seed).cell()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::agreement;
    use crate::scenario::Scenario;

    #[test]
    fn runs_by_hand_with_the_same_draws_are_the_same_to_the_bit() {
        let kernel = keyed::Kernel::new(SEED);
        let mut run = 0;
        Scenario::shipped("bench/exchange").for_each(0, 20_000, |rows, row| {
            assert_eq!(kernel.run(run), scenario_end(rows, row), "run {run}");
            run += 1;
        });
        assert_eq!(run, 20_000);
    }

    #[test]
    fn kernel_and_scenario_agree_and_a_mutant_does_not() {
        let agree = |both: &mut [Contender]| {
            let (found, _) = agreement(both, events);
            found.iter().all(|found| found.agrees())
        };
        let mut both = contenders();
        assert!(agree(&mut both));
        both[1] = limit("mutant", 1.04 * RAIDS);
        assert!(!agree(&mut both));
    }
}
