//! A test a mechanism: paired runs with common random numbers, with the mechanism and without it.

use super::batch::{Batch, Batches, Case, mean, z_score};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    More,
    Less,
}
use Direction::{Less, More};

/// What is read off each run.
#[derive(Clone, Copy)]
enum Reading {
    Metric(&'static str),
    Sum(&'static [&'static str]),
    /// Unrest at the time of later attacks less its mean over time, summed over those attacks.
    UnrestExcess,
}
use Reading::{Metric, Sum, UnrestExcess};

impl Reading {
    fn of(self, batch: &Batch) -> Vec<f64> {
        match self {
            Metric(name) => batch.metric(name),
            Sum(names) => {
                let columns: Vec<_> = names.iter().map(|name| batch.metric(name)).collect();
                let runs = columns[0].len();
                (0..runs)
                    .map(|run| columns.iter().map(|column| column[run]).sum())
                    .collect()
            }
            UnrestExcess => {
                let sums = batch.metric("unrest_sum_at_attacks");
                let attacks = batch.metric("later_attacks");
                let means = batch.metric("mean_unrest");
                let runs = sums.iter().zip(attacks).zip(means);
                runs.map(|((sum, attacks), mean)| sum - attacks * mean)
                    .collect()
            }
        }
    }

    fn name(self) -> String {
        match self {
            Metric(name) => name.to_owned(),
            Sum(names) => names.join(" + "),
            UnrestExcess => "unrest excess at attacks".to_owned(),
        }
    }
}

type Settings = &'static [(&'static str, f64)];

/// One claim about one mechanism: with `on` instead of `off`, `reading` is more or less.
struct Claim {
    /// Row of the table of mechanisms in the model's design.
    mechanism: u32,
    what: &'static str,
    scenario: &'static str,
    /// Settings of both sides.
    with: Settings,
    on: Settings,
    off: Settings,
    reading: Reading,
    direction: Direction,
    runs: u64,
}

const fn claim(
    mechanism: u32,
    what: &'static str,
    scenario: &'static str,
    off: Settings,
    reading: Reading,
    direction: Direction,
    runs: u64,
) -> Claim {
    Claim {
        mechanism,
        what,
        scenario,
        with: &[],
        on: &[],
        off,
        reading,
        direction,
        runs,
    }
}

impl Claim {
    const fn with(self, with: Settings) -> Self {
        Self { with, ..self }
    }

    const fn on(self, on: Settings) -> Self {
        Self { on, ..self }
    }

    fn cases(&self) -> [Case; 2] {
        [self.on, self.off].map(|side| Case::new(self.scenario, &[self.with, side]))
    }

    fn differences(&self, batches: &Batches) -> (f64, f64, Vec<f64>) {
        let [on, off] = self.cases().map(|case| {
            let mut values = self.reading.of(batches.get(&case));
            values.truncate(self.runs as usize);
            values
        });
        let differences = on.iter().zip(&off).map(|(on, off)| on - off).collect();
        (mean(&on), mean(&off), differences)
    }
}

/// Least |z| of a mean paired difference. Chance alone gets there about once in 30 000 claims.
const LEAST_Z: f64 = 4.0;

/// Whether the differences show the direction, and their z.
fn shows(differences: &[f64], direction: Direction) -> (bool, f64) {
    let z = z_score(differences);
    let signed = if direction == More { z } else { -z };
    (signed > LEAST_Z, z)
}

const CLAIMS: &[Claim] = &[
    claim(
        1,
        "the Afghan base feeds attacks",
        "genuine",
        &[("afghan_base", 0.0)],
        Metric("later_attacks"),
        More,
        4000,
    ),
    claim(
        1,
        "so do the cells in Iraq and Syria",
        "genuine",
        &[("core_share", 0.0)],
        Metric("later_attacks"),
        More,
        4000,
    )
    .with(&[("afghan_base", 0.0)]),
    claim(
        2,
        "the Taliban suppress ISKP",
        "genuine",
        &[("taliban_suppression", 0.0)],
        Metric("iskp_at_end"),
        Less,
        1000,
    ),
    claim(
        2,
        "which leaves fewer attacks",
        "genuine",
        &[("taliban_suppression", 0.0)],
        Metric("later_attacks"),
        Less,
        4000,
    ),
    claim(
        2,
        "al-Qaeda competes for recruits",
        "genuine",
        &[("jihadist_rivalry", 0.0)],
        Metric("iskp_at_end"),
        Less,
        1000,
    ),
    claim(
        3,
        "a few plots aim at leaders",
        "genuine",
        &[("leader_share", 0.0)],
        Metric("leaders_hit"),
        More,
        4000,
    ),
    claim(
        4,
        "alert foils plots",
        "genuine",
        &[("alert_effect", 0.0)],
        Metric("foiled_share"),
        More,
        4000,
    ),
    claim(
        5,
        "staged attacks come when unrest is high",
        "orchestrated",
        &[("unrest_drive", 0.0)],
        UnrestExcess,
        More,
        4000,
    ),
    claim(
        6,
        "agencies look away when unrest is high",
        "let-through",
        &[("look_away", 0.0)],
        Metric("foiled_share"),
        Less,
        4000,
    )
    .with(&[("protest_rate", 6.0)]),
    claim(
        7,
        "attacks follow capability",
        "genuine",
        &[("capability_drive", 0.0)],
        Metric("later_attacks"),
        Less,
        4000,
    )
    .with(&[("iskp_capability", 0.2)]),
    claim(
        7,
        "failure costs legitimacy at home",
        "genuine",
        &[("failure_cost", 0.0)],
        Metric("mean_legitimacy"),
        Less,
        1000,
    ),
    claim(
        7,
        "and standing abroad",
        "genuine",
        &[("failure_abroad", 0.0)],
        Metric("standing_at_end"),
        Less,
        1000,
    ),
    claim(
        8,
        "hidden hands leak",
        "orchestrated",
        &[("leak_rate", 0.0)],
        Metric("exposures"),
        More,
        2000,
    ),
    claim(
        8,
        "a larger hand leaks more",
        "orchestrated",
        &[("hidden_hand", 0.5)],
        Metric("exposures"),
        More,
        4000,
    ),
    claim(
        8,
        "exposure costs legitimacy",
        "variants/exposure",
        &[("exposure_loss", 0.0)],
        Metric("mean_legitimacy"),
        Less,
        1000,
    ),
    claim(
        8,
        "the larger the hand, the more",
        "variants/exposure",
        &[("hidden_hand", 0.5)],
        Metric("mean_legitimacy"),
        Less,
        1000,
    ),
    claim(
        9,
        "attacks rally",
        "base",
        &[("rally", 0.0)],
        Metric("mean_legitimacy"),
        More,
        1000,
    ),
    claim(
        9,
        "their narrative allows crackdowns",
        "base",
        &[("narrative_gain", 0.0)],
        Metric("crackdowns"),
        More,
        4000,
    ),
    claim(
        9,
        "and presence abroad",
        "base",
        &[("narrative_gain", 0.0)],
        Metric("influence_gain"),
        More,
        2000,
    ),
    claim(
        10,
        "strikes spill over to unrelated rivals",
        "base",
        &[("opportunism", 0.0)],
        Metric("strikes_unrelated"),
        More,
        1000,
    ),
    claim(
        11,
        "weak hosts do not strike back",
        "base",
        &[("strength_weight", 0.0)],
        Metric("weak_host_answers"),
        Less,
        4000,
    ),
    claim(
        11,
        "a strong one does",
        "base",
        &[("pakistan_strength", 0.2)],
        Metric("pakistani_answers"),
        More,
        2000,
    )
    .with(&[("belief_error", 0.0), ("resolve_weight", 0.0)]),
    claim(
        11,
        "audience costs push it",
        "base",
        &[("audience_cost", 0.0)],
        Metric("pakistani_answers"),
        More,
        2000,
    ),
    claim(
        12,
        "a mirror image ends on a lower rung",
        "base",
        &[("mirror_preference", 0.0)],
        Metric("peak_rung_pakistan"),
        Less,
        2000,
    ),
    claim(
        13,
        "reluctance lowers crises",
        "base",
        &[("reluctance", 0.0)],
        Metric("peak_rung_pakistan"),
        Less,
        2000,
    ),
    claim(
        13,
        "and shortens them",
        "base",
        &[("reluctance", 0.0)],
        Metric("days_reciprocal"),
        Less,
        2000,
    ),
    claim(
        13,
        "envoys return",
        "base",
        &[("envoy_return_rate", 0.0)],
        Metric("envoys_at_end"),
        More,
        1000,
    ),
    claim(
        14,
        "underrating Pakistan invites strikes",
        "base",
        &[("belief_error", 0.0)],
        Metric("strikes_on_pakistan"),
        More,
        2000,
    ),
    claim(
        14,
        "and exchanges",
        "base",
        &[("belief_error", 0.0)],
        Metric("exchanges_pakistan"),
        More,
        4000,
    ),
    claim(
        15,
        "cooperation weakens ISKP",
        "genuine",
        &[("cooperation", 0.0)],
        Metric("iskp_at_end"),
        Less,
        2000,
    ),
    claim(
        15,
        "and leaves fewer attacks",
        "genuine",
        &[("cooperation", 0.0)],
        Metric("later_attacks"),
        Less,
        3000,
    )
    .with(&[("is_attack_rate", 3.0)]),
    claim(
        15,
        "accusations lower trust",
        "base",
        &[("accusation_cost", 0.0)],
        Metric("low_trust"),
        Less,
        1000,
    ),
    claim(
        16,
        "the Taliban gain from an enemy",
        "base",
        &[("taliban_gain", 0.0)],
        Metric("taliban_recognition"),
        More,
        1000,
    ),
    claim(
        17,
        "the narrative allows presence abroad",
        "base",
        &[("proxy_push", 0.0)],
        Metric("influence_gain"),
        More,
        1000,
    ),
    claim(
        17,
        "and proxies",
        "base",
        &[("proxy_push", 0.0)],
        Metric("zainabiyoun_in_pakistan"),
        More,
        1000,
    ),
    claim(
        18,
        "the Zainabiyoun alarm Pakistan",
        "base",
        &[("zainabiyoun_alarm", 0.0)],
        Metric("pakistani_grievance"),
        More,
        1000,
    ),
    claim(
        19,
        "strikes polarize",
        "base",
        &[("strikes_polarize", 0.0)],
        Metric("mean_polarization"),
        More,
        1000,
    ),
    claim(
        19,
        "so do crackdowns and expansion",
        "base",
        &[("repression_polarizes", 0.0)],
        Metric("mean_polarization"),
        More,
        1000,
    ),
    claim(
        19,
        "which feeds recruitment",
        "base",
        &[("repression_polarizes", 0.0), ("strikes_polarize", 0.0)],
        Metric("iskp_at_end"),
        More,
        2000,
    ),
    claim(
        20,
        "strikes weaken ISIS where they fall",
        "base",
        &[("attrition", 0.0)],
        Metric("isis_core_at_end"),
        Less,
        1000,
    ),
    claim(
        20,
        "operations weaken it too",
        "base",
        &[("partner_operations", 0.0)],
        Metric("isis_core_at_end"),
        Less,
        1000,
    ),
    claim(
        20,
        "against backlash",
        "genuine",
        &[("backlash", 0.0)],
        Metric("later_attacks"),
        More,
        4000,
    ),
    claim(
        21,
        "hostility does not relent",
        "genuine",
        &[("intent_floor", 0.0)],
        Metric("later_attacks"),
        More,
        3000,
    )
    .with(&[("afghan_base", 0.05)]),
    claim(
        21,
        "nor spare Sunni states",
        "base",
        &[("is_attacks_elsewhere", 0.0)],
        Metric("attacks_elsewhere"),
        More,
        1000,
    ),
    claim(
        22,
        "the west restrains Iran there",
        "base",
        &[("west_restraint", 0.0)],
        Sum(&["strikes_on_iraq", "strikes_on_syria"]),
        Less,
        2000,
    ),
    claim(
        22,
        "which shows force in the east",
        "base",
        &[("show_of_force", 0.0)],
        Metric("strikes_on_pakistan"),
        More,
        2000,
    ),
    claim(
        23,
        "Israel may be blamed: Erbil is struck",
        "base",
        &[("israel_hint", 0.0)],
        Metric("strikes_on_iraq"),
        More,
        4000,
    ),
    claim(
        24,
        "raids bring exchanges with Pakistan",
        "base",
        &[("raid_rate", 0.0)],
        Metric("exchanges_pakistan"),
        More,
        4000,
    )
    .on(&[("raid_rate", 9.0)]),
    claim(
        24,
        "remembered ones bring strikes",
        "base",
        &[("raid_memory", 0.0)],
        Metric("strikes_on_pakistan"),
        More,
        4000,
    ),
    claim(
        25,
        "unrest may divert force abroad",
        "base",
        &[("diversion", 0.0)],
        Sum(&["strikes_on_iraq", "strikes_on_syria", "strikes_on_pakistan"]),
        More,
        4000,
    )
    .on(&[("diversion", 1.0)])
    .with(&[("protest_rate", 6.0)]),
    claim(
        25,
        "protests bring crackdowns",
        "base",
        &[("protest_rate", 0.0)],
        Metric("crackdowns"),
        More,
        1000,
    ),
    claim(
        25,
        "a coming election pushes Pakistan",
        "base",
        &[("election_pressure", 0.0)],
        Metric("pakistani_answers"),
        More,
        4000,
    ),
    claim(
        26,
        "expansion needs no attack",
        "base",
        &[("expansion_motive", 0.0)],
        Metric("influence_gain"),
        More,
        1000,
    )
    .with(&[("is_attack_rate", 0.0), ("proxy_push", 0.0)]),
    claim(
        27,
        "foreign activity moves standing",
        "base",
        &[("standing_gain", 0.0)],
        Metric("standing_at_end"),
        More,
        1000,
    ),
    claim(
        27,
        "so does exposure",
        "variants/exposure",
        &[("exposure_loss", 0.0)],
        Metric("standing_at_end"),
        Less,
        1000,
    ),
];

#[test]
fn every_mechanism_moves_what_it_should() {
    let needs = CLAIMS
        .iter()
        .flat_map(|claim| claim.cases().map(|case| (case, claim.runs)));
    let batches = Batches::run(needs);
    let mut failures = Vec::new();
    for claim in CLAIMS {
        let (on, off, differences) = claim.differences(&batches);
        let (shown, z) = shows(&differences, claim.direction);
        let line = format!(
            "{:2} {} [{}]: {} {on:.4} with, {off:.4} without, z = {z:.1}",
            claim.mechanism,
            claim.what,
            claim.scenario,
            claim.reading.name()
        );
        println!("{line}");
        if !shown {
            failures.push(line);
        }
    }
    assert!(failures.is_empty(), "not shown:\n{}", failures.join("\n"));
}

#[test]
fn every_mechanism_of_the_design_has_a_claim() {
    for mechanism in 1..=27 {
        let claims = CLAIMS.iter().filter(|claim| claim.mechanism == mechanism);
        assert!(claims.count() > 0, "mechanism {mechanism}");
    }
}

/// What moves nothing: parameters of a disabled rule, of hidden hands where there are none, and thresholds of endgames.
const PLACEBOS: &[(&str, Settings)] = &[
    (
        "variants/no-pakistani-retaliation",
        &[
            ("strength_weight", 0.0),
            ("mirror_preference", 0.0),
            ("retaliation_bias", 3.0),
        ],
    ),
    (
        "genuine",
        &[
            ("leak_rate", 5.0),
            ("exposure_loss", 1.0),
            ("unrest_drive", 9.0),
        ],
    ),
    (
        "genuine",
        &[
            ("resurgence_level", 0.1),
            ("entrenchment_gain", 0.9),
            ("sustained_days", 1.0),
        ],
    ),
    (
        "variants/no-gaza-war",
        &[
            ("west_restraint", 5.0),
            ("show_of_force", 5.0),
            ("ceasefire_rate", 9.0),
        ],
    ),
];

#[test]
fn placebos_move_nothing() {
    const RUNS: u64 = 500;
    let cases = |(scenario, settings): &(&str, Settings)| {
        [Case::new(scenario, &[]), Case::new(scenario, &[settings])]
    };
    let needs = PLACEBOS.iter().flat_map(cases).map(|case| (case, RUNS));
    let batches = Batches::run(needs);
    for placebo in PLACEBOS {
        let [with, without] = cases(placebo).map(|case| batches.get(&case).values().to_vec());
        let moved = with
            .iter()
            .zip(&without)
            .filter(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!(moved.count(), 0, "{placebo:?} moves something");
    }
}

/// The comparison itself: it sees neither a mechanism where there is none, nor one that works the other way.
#[test]
fn a_wrong_claim_is_rejected() {
    let right = claim(
        4,
        "",
        "genuine",
        &[("alert_effect", 0.0)],
        Metric("foiled_share"),
        More,
        2000,
    );
    let placebo = claim(
        4,
        "",
        "genuine",
        &[("leak_rate", 0.0)],
        Metric("foiled_share"),
        More,
        2000,
    );
    let batches = Batches::run(
        [&right, &placebo]
            .into_iter()
            .flat_map(|claim| claim.cases().map(|case| (case, claim.runs))),
    );
    let (_, _, differences) = right.differences(&batches);
    assert!(shows(&differences, More).0);
    assert!(!shows(&differences, Less).0);
    let (_, _, differences) = placebo.differences(&batches);
    assert!(!shows(&differences, More).0 && !shows(&differences, Less).0);
}
