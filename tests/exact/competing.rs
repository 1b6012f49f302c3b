//! Competing constant hazards: the wait follows their sum, and the winner is drawn in proportion.

use crate::support::*;
use flashpoint::formula::Role;
use flashpoint::math::exp;
use flashpoint::stats::hypothesis::{chi_square_homogeneity, kolmogorov, kolmogorov_smirnov};

const RATES: [f64; 3] = [0.5, 1.0, 2.5];
const TOTAL: f64 = 4.0;

/// The first event of each run: when, and who.
fn firsts() -> Vec<(f64, usize)> {
    let model = scenario("competing");
    let mut runs = Runs::new(&model, 1);
    let first = |run| {
        let record = runs.record(run);
        let event = record.events.first().expect("an event in ten days");
        (event.time, who(event, Role::Perpetrator) as usize)
    };
    (0..20_000).map(first).collect()
}

#[test]
fn the_wait_follows_the_sum_of_the_hazards() {
    let firsts = firsts();
    let waits: Vec<f64> = firsts.iter().map(|(time, _)| *time).collect();
    accepts("sum", exponential(&waits, 1.0 / TOTAL));

    // Bug in public frameworks: the winner is drawn first, and the wait from the winner's own rate.
    let mixture = |t: f64| {
        RATES
            .iter()
            .map(|r| r / TOTAL * (1.0 - exp(-r * t)))
            .sum::<f64>()
    };
    rejects("the winner's own rate", kolmogorov(&waits, mixture));
    rejects("mean of the rates", exponential(&waits, 3.0 / TOTAL));
}

#[test]
fn the_winner_is_drawn_in_proportion() {
    let winners = tally(firsts().into_iter().map(|(_, who)| who), 3);
    accepts("in proportion", frequencies(&winners, &RATES));
    rejects("equal chances", frequencies(&winners, &[1.0; 3]));
    rejects("in file order", frequencies(&winners, &[2.5, 1.0, 0.5]));
}

#[test]
fn winner_and_wait_are_independent() {
    let firsts = firsts();
    let waits_of = |winner: usize| -> Vec<f64> {
        let won = firsts.iter().filter(|(_, who)| *who == winner);
        won.map(|(time, _)| *time).collect()
    };
    accepts(
        "red and green",
        kolmogorov_smirnov(&waits_of(0), &waits_of(2)),
    );
    accepts(
        "blue and green",
        kolmogorov_smirnov(&waits_of(1), &waits_of(2)),
    );
    // With waits from the winner's own rate, those of red and green would differ by a factor of five.
    let stretched: Vec<f64> = waits_of(0).iter().map(|wait| wait * 5.0).collect();
    rejects("own rates", kolmogorov_smirnov(&stretched, &waits_of(2)));
}

/// Between events too, not only before the first: with constant hazards the sequence of winners has no memory.
#[test]
fn later_gaps_and_winners_are_as_the_first() {
    let model = edited("competing", &[("horizon = 10", "horizon = 5000")]);
    let record = Runs::new(&model, 2).record(0);
    accepts("gaps", exponential(&gaps(&record.times()), 1.0 / TOTAL));
    let actor = |k: usize| who(&record.events[k], Role::Perpetrator) as usize;
    let after = |before: usize| {
        let pairs = (1..record.events.len()).filter(|k| actor(k - 1) == before);
        tally(pairs.map(actor), 3)
    };
    accepts("no memory", chi_square_homogeneity(&after(0), &after(2)));
    // A loser that never gets a new wait would follow a win of another more often.
    let tilted = [after(0)[0] / 2, after(0)[1], after(0)[2] * 3 / 2];
    rejects("memory", chi_square_homogeneity(&tilted, &after(2)));
}
