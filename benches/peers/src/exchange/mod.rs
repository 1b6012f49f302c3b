//! One exchange of blows: the model of `scenarios/bench/exchange.toml` as a scenario, and as a program for this model alone.

mod kernel;

use crate::compare::{Contender, version};
use crate::scenario::Scenario;
use flashpoint::engine::Ending;
use kernel::Kernel;

/// How a run ended.
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

pub const CELLS: usize = 2 * GRIEVANCES * STRIKES * EVENTS;

impl End {
    fn cell(&self) -> usize {
        let grievance = ((self.grievance * GRIEVANCES as f64) as usize).min(GRIEVANCES - 1);
        let strikes = (self.strikes as usize).min(STRIKES - 1);
        let events = (self.events as usize).min(EVENTS - 1);
        ((usize::from(self.war) * GRIEVANCES + grievance) * STRIKES + strikes) * EVENTS + events
    }
}

/// The number of events in the runs of a cell.
pub fn events(cell: usize) -> f64 {
    (cell % EVENTS) as f64
}

fn scenario() -> impl FnMut(u64) -> usize {
    let mut scenario = Scenario::shipped("scenarios/bench/exchange.toml");
    move |number| {
        let state = scenario.run(number);
        let [strikes, grievance] = state.metrics() else {
            unreachable!("the scenario has two metrics");
        };
        let end = End {
            war: matches!(state.ending(), Some(Ending::Absorbed(_))),
            grievance: *grievance,
            strikes: *strikes as u64,
            events: state.events(),
        };
        end.cell()
    }
}

pub fn contenders() -> Vec<Contender> {
    let own = format!("this tree, {}", version("flashpoint"));
    let kernel = Kernel::new();
    let limit = move |seed| kernel.run(seed).cell();
    vec![
        Contender::new("**Flashpoint**", &own, CELLS, scenario()),
        Contender::new("limit: a kernel for this model", "by hand", CELLS, limit),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::agreement;

    #[test]
    fn kernel_and_scenario_agree_and_a_mutant_does_not() {
        let mut both = contenders();
        assert!(
            agreement(&mut both, events)
                .iter()
                .all(|found| found.agrees())
        );
        let mut mutant = Kernel::new();
        mutant.raids = 0.052;
        both[1] = Contender::new("mutant", "", CELLS, move |seed| mutant.run(seed).cell());
        assert!(
            !agreement(&mut both, events)
                .iter()
                .all(|found| found.agrees())
        );
    }
}
