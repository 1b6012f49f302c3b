//! Agreement in distribution with `rebop`, an exact simulator of reaction networks written by others.

use crate::support::*;
use flashpoint::engine::Unobserved;
use flashpoint::random::{StreamKey, StreamSource};
use flashpoint::stats::hypothesis::{chi_square_homogeneity, kolmogorov_smirnov};
use rebop::gillespie::{Gillespie, Rate};

const HORIZON: f64 = 12.0;
const RUNS: u64 = 40_000;
const CROWDED: isize = 12;

/// What both simulators measure in each run.
#[derive(Default)]
struct Sample {
    /// Gone at the end.
    gone: Vec<usize>,
    /// Rioting at the end.
    rioting: Vec<usize>,
    /// First day with at least twelve rioting; runs without one are left out.
    crowded: Vec<f64>,
}

fn ours() -> Sample {
    let model = scenario("epidemic");
    let mut runs = Runs::new(&model, 1);
    let mut sample = Sample::default();
    for run in 0..RUNS {
        runs.run(run, &mut Unobserved);
        sample.gone.push(runs.metric("gone") as usize);
        sample.rioting.push(runs.metric("rioting") as usize);
        sample.crowded.push(runs.metric("crowded"));
    }
    sample.crowded.retain(|day| day.is_finite());
    sample
}

fn theirs(draw: f64, leave: f64) -> Sample {
    let mut sample = Sample::default();
    let seeds = StreamSource::new(StreamKey::derive(2, &["seed of the other simulator"]));
    for run in 0..RUNS {
        let seed = seeds.stream(run).next_u64();
        let mut crowd = Gillespie::new_with_seed([40, 3, 0], false, seed);
        crowd.add_reaction(Rate::lma(draw, [1, 1, 0]), [-1, 1, 0]);
        crowd.add_reaction(Rate::lma(leave, [0, 1, 0]), [0, -1, 1]);
        let mut crowded = None;
        while crowd.get_species(1) > 0 && crowd.get_time() < HORIZON {
            crowd.advance_one_reaction_or_until(HORIZON);
            if crowd.get_species(1) >= CROWDED {
                crowded.get_or_insert(crowd.get_time());
            }
        }
        sample.gone.push(crowd.get_species(2) as usize);
        sample.rioting.push(crowd.get_species(1) as usize);
        sample.crowded.extend(crowded);
    }
    sample
}

fn same_counts(a: &[usize], b: &[usize]) -> Option<flashpoint::stats::hypothesis::TestResult> {
    let tally = |counts: &[usize]| tally(counts.iter().copied(), 50);
    chi_square_homogeneity(&tally(a), &tally(b))
}

#[test]
fn counts_and_first_passages_agree() {
    let (a, b) = (ours(), theirs(0.03, 0.5));
    accepts("gone", same_counts(&a.gone, &b.gone));
    accepts("rioting", same_counts(&a.rioting, &b.rioting));
    accepts("first passage", kolmogorov_smirnov(&a.crowded, &b.crowded));
    let share = |sample: &Sample| {
        [
            sample.crowded.len() as u64,
            RUNS - sample.crowded.len() as u64,
        ]
    };
    accepts(
        "ever crowded",
        chi_square_homogeneity(&share(&a), &share(&b)),
    );

    let mutant = theirs(0.033, 0.5);
    rejects("gone", same_counts(&a.gone, &mutant.gone));
    rejects(
        "first passage",
        kolmogorov_smirnov(&a.crowded, &mutant.crowded),
    );
    let mutant = theirs(0.03, 0.45);
    rejects("rioting", same_counts(&a.rioting, &mutant.rioting));
    rejects(
        "ever crowded",
        chi_square_homogeneity(&share(&a), &share(&mutant)),
    );
}
