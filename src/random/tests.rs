use rand::RngExt;

use super::ziggurat::{TABLES, TAIL, Tables};
use super::*;

/// Kolmogorov's critical value of `D sqrt(n)` at alpha = 0.001: `sqrt(ln(2 / alpha) / 2)`.
const KS_CRITICAL: f64 = 1.9495;

/// The 0.999 quantile of chi-square with 255 degrees of freedom.
const CHI_SQUARE_255: f64 = 330.52;

/// The statistic `D sqrt(n)` of the sample against `cdf`.
fn ks(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_unstable_by(f64::total_cmp);
    let n = sample.len() as f64;
    let mut d = 0.0_f64;
    for (i, &x) in sample.iter().enumerate() {
        let f = cdf(x);
        d = d.max(f - i as f64 / n).max((i + 1) as f64 / n - f);
    }
    d * n.sqrt()
}

/// Pearson's statistic of indices in `0..256` against the uniform law.
fn chi_square(indices: impl Iterator<Item = usize>) -> f64 {
    let mut counts = [0_u32; 256];
    let mut n = 0.0;
    for index in indices {
        counts[index] += 1;
        n += 1.0;
    }
    let expected = n / 256.0;
    counts
        .iter()
        .map(|&c| f64::from(c) - expected)
        .map(|difference| difference * difference / expected)
        .sum()
}

/// The cell of the unit square, cut 16 by 16, in which the pair of uniforms falls.
fn cell(a: f64, b: f64) -> usize {
    16 * (16.0 * a) as usize + (16.0 * b) as usize
}

fn source(seed: u64, parts: &[&str]) -> StreamSource {
    StreamSource::new(StreamKey::derive(seed, parts))
}

#[test]
fn xoshiro_matches_the_published_reference() {
    // The output of the authors' C code from the state 1, 2, 3, 4.
    let expected = [
        41943041,
        58720359,
        3588806011781223,
        3591011842654386,
        9228616714210784205,
        9973669472204895162,
        14011001112246962877,
        12406186145184390807,
        15849039046786891736,
        10450023813501588000,
    ];
    let mut stream = Stream::from_state([1, 2, 3, 4]);
    for value in expected {
        assert_eq!(stream.next_u64(), value);
    }
}

#[test]
fn the_all_zero_state_is_replaced() {
    let mut stream = Stream::from_state([0; 4]);
    assert!((0..8).any(|_| stream.next_u64() != 0));
}

#[test]
fn state_is_made_of_four_published_generators() {
    // The first outputs of SplitMix64 from the state 1234567, as published for its reference code.
    let expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ];
    let mut key = [0; 32];
    for word in 0..4 {
        key[8 * word..8 * word + 8].copy_from_slice(&(1234567_u64 + word as u64).to_le_bytes());
    }
    let source = StreamSource::new(StreamKey(key));
    for (run, value) in expected.into_iter().enumerate() {
        let Stream { state } = source.stream(run as u64);
        assert_eq!(state[0], value);
        assert_eq!(state[3], split_mix(1234570, run as u64));
    }
}

#[test]
fn key_is_half_a_block_of_chacha8() {
    // The ChaCha8 keystream for a zero key and a zero IV (256-bit key vector TC1 of draft-strombergson-chacha-test-vectors-01).
    let mut zero = [0; 8];
    ChaCha8Rng::from_seed([0; 32]).fill_bytes(&mut zero);
    assert_eq!(zero, [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);

    let mut seed = b"flashpoint stream v2".to_vec();
    seed.extend([0x2a, 0, 0, 0, 0, 0, 0, 0]);
    let mut name = b"flashpoint stream v2".to_vec();
    name.extend([4, 0, 0, 0, 0, 0, 0, 0]);
    name.extend(b"raid");
    name.extend([2, 0, 0, 0, 0, 0, 0, 0]);
    name.extend("é".as_bytes());
    let place: [u8; 32] = Sha256::digest(&name).into();
    let word = |at: usize| u64::from_le_bytes(place[at..at + 8].try_into().unwrap());
    let mut chacha = ChaCha8Rng::from_seed(Sha256::digest(&seed).into());
    chacha.set_stream(word(0));
    chacha.set_word_pos(16 * u128::from(word(8)));
    let mut expected = [0; 32];
    chacha.fill_bytes(&mut expected);
    assert_eq!(StreamKey::derive(42, &["raid", "é"]).as_bytes(), &expected);
}

#[test]
fn stored_numbers_stay_the_same_between_versions() {
    let mut stream = source(42, &["process", "raid", "wait"]).stream(7);
    let found = [
        stream.next_u64(),
        stream.uniform().to_bits(),
        stream.exponential().to_bits(),
        stream.exponential().to_bits(),
    ];
    let expected = [
        17945502167649815456,
        4603266387741491585,
        4610509399300196662,
        4601785243767504162,
    ];
    assert_eq!(found, expected);
}

#[test]
fn names_seeds_and_runs_make_different_streams() {
    let mut states = Vec::new();
    let names: [&[&str]; 7] = [
        &[],
        &[""],
        &["", ""],
        &["ab", "c"],
        &["a", "bc"],
        &["abc"],
        &["a", "b", "c"],
    ];
    for name in names {
        for seed in [0, 1, u64::MAX] {
            let source = source(seed, name);
            states.extend([0, 1, 1 << 40, u64::MAX].map(|run| source.stream(run).state));
        }
    }
    let count = states.len();
    states.sort_unstable();
    states.dedup();
    assert_eq!(states.len(), count);
}

#[test]
fn parameter_streams_are_named_parameter() {
    let named = source(9, &["parameter", "wait_median"]);
    assert_eq!(
        StreamSource::for_parameter(9, "wait_median").stream(3),
        named.stream(3)
    );
}

#[test]
fn the_unit_interval_is_open_and_symmetric() {
    let ulp = f64::EPSILON / 2.0;
    assert_eq!(open_unit(0), ulp);
    assert_eq!(open_unit(u64::MAX), 1.0 - ulp);
    for bits in [0, 1 << 12, 0x0123_4567_89AB_CDEF, 1 << 63] {
        assert_eq!(open_unit(!bits), 1.0 - open_unit(bits));
    }
}

#[test]
fn uniform_passes_kolmogorov_smirnov() {
    let mut stream = source(2026, &["uniform"]).stream(0);
    let sample: Vec<f64> = (0..1_000_000).map(|_| stream.uniform()).collect();
    let mutant = sample.iter().map(|u| libm::pow(*u, 1.01)).collect();
    assert!(ks(sample, |u| u) < KS_CRITICAL);
    assert!(ks(mutant, |u| u) > KS_CRITICAL);
}

#[test]
fn exponential_passes_kolmogorov_smirnov() {
    let cdf = |x: f64| -libm::expm1(-x);
    let mut stream = source(2026, &["exponential"]).stream(0);
    let sample: Vec<f64> = (0..1_000_000).map(|_| stream.exponential()).collect();
    assert!(sample.iter().all(|&x| x > 0.0));
    let beyond = sample.iter().filter(|&&x| x > 2.0 * TAIL).count();
    assert!(
        beyond <= 4,
        "expected 0.2 of 10^6 beyond twice the tail's start, found {beyond}"
    );

    let faster = sample.iter().map(|x| x / 1.01).collect();
    assert!(ks(sample, cdf) < KS_CRITICAL);
    assert!(ks(faster, cdf) > KS_CRITICAL);

    let mut wrong_layer = TABLES.clone();
    wrong_layer.x[128] = 0.0;
    let sample = (0..1_000_000)
        .map(|_| wrong_layer.exponential(&mut stream))
        .collect();
    assert!(ks(sample, cdf) > KS_CRITICAL);
}

#[test]
fn exponential_tail_is_exponential() {
    let tail = |tables: &Tables| -> Vec<f64> {
        let mut stream = source(2026, &["tail"]).stream(0);
        (0..4_000_000)
            .map(|_| tables.exponential(&mut stream))
            .filter(|&x| x > TAIL)
            .map(|x| x - TAIL)
            .collect()
    };
    // Binomial with mean 1816.5 and standard deviation 42.6; 3.29 of them for alpha = 0.001.
    let expected = 4e6 * libm::exp(-TAIL);
    let z = |count: usize| (count as f64 - expected) / expected.sqrt();
    let sample = tail(&TABLES);
    assert!(z(sample.len()).abs() < 3.29);
    let shorter = sample.iter().map(|x| 0.8 * x).collect();
    assert!(ks(sample, |x| -libm::expm1(-x)) < KS_CRITICAL);
    assert!(ks(shorter, |x| -libm::expm1(-x)) > KS_CRITICAL);

    let mut wider_base = TABLES.clone();
    wider_base.x[0] *= 1.03;
    assert!(z(tail(&wider_base).len()) > 3.29);
}

#[test]
fn ziggurat_layers_lie_on_the_curve_and_have_equal_areas() {
    let (x, y) = (&TABLES.x, &TABLES.y);
    let area = TAIL * y[1] + libm::exp(-TAIL);
    assert!((x[0] * y[1] - area).abs() < 1e-17);
    for i in 1..256 {
        assert!(
            (y[i] - libm::exp(-x[i])).abs() < 2e-15 * y[i],
            "height of layer {i}"
        );
        assert!(
            (x[i] * (y[i + 1] - y[i]) - area).abs() < 1e-14,
            "area of layer {i}"
        );
        assert!(x[i] > x[i + 1] && y[i] < y[i + 1]);
    }
    assert_eq!((x[256], y[256]), (0.0, 1.0));
}

#[test]
fn chord_and_tangent_decide_as_the_density_does() {
    let mut stream = source(2026, &["edges"]).stream(0);
    let (mut below, mut above) = (0, 0);
    for layer in 1..256 {
        let (outer, inner) = (TABLES.x[layer], TABLES.x[layer + 1]);
        for number in 0..4000 {
            let x = inner + (outer - inner) * stream.uniform();
            // Every other one close to the density, where neither chord nor tangent decides.
            let at = (libm::exp(-x) - TABLES.y[layer]) / (TABLES.y[layer + 1] - TABLES.y[layer]);
            let share = match number % 4 {
                0 => at * (1.0 + 1e-12 * (stream.uniform() - 0.5)),
                1 => at + 2e-9 * (stream.uniform() - 0.5),
                _ => stream.uniform(),
            };
            let exactly = TABLES.is_exactly_below(layer, x, share);
            assert_eq!(
                TABLES.is_below(layer, x, share),
                exactly,
                "{layer} {x} {share}"
            );
            *(if exactly { &mut below } else { &mut above }) += 1;
        }
    }
    assert!(below > 100_000 && above > 100_000);
    // A layer that is not on the curve is noticed.
    let mut wrong = TABLES.clone();
    wrong.x[100] += 1e-3;
    let differs = |share: f64| {
        let x = TABLES.x[100] - 1e-4;
        wrong.is_below(100, x, share) != TABLES.is_exactly_below(100, x, share)
    };
    assert!((1..100).any(|percent| differs(f64::from(percent) / 100.0)));
}

#[test]
fn first_draws_of_neighbouring_runs_are_independent() {
    let source = source(7, &["runs"]);
    let first: Vec<f64> = (0..100_001)
        .map(|run| source.stream(run).uniform())
        .collect();
    let pairs = |lag: fn(f64, f64) -> f64| {
        chi_square(first.windows(2).map(|w| cell(w[0], lag(w[0], w[1]))))
    };
    assert!(pairs(|_, next| next) < CHI_SQUARE_255);
    // The mutant repeats the previous run's number in 5% of the runs.
    assert!(pairs(|now, next| if next < 0.05 { now } else { next }) > CHI_SQUARE_255);
    assert!(ks(first, |u| u) < KS_CRITICAL);
}

#[test]
fn neighbouring_names_and_seeds_are_independent() {
    for (a, b) in [
        (source(7, &["raid 1"]), source(7, &["raid 2"])),
        (source(7, &["raid"]), source(8, &["raid"])),
    ] {
        let pairs: Vec<(f64, f64)> = (0..100_000)
            .map(|run| (a.stream(run).uniform(), b.stream(run).uniform()))
            .collect();
        assert!(chi_square(pairs.iter().map(|&(u, v)| cell(u, v))) < CHI_SQUARE_255);
        assert!(
            chi_square(
                pairs
                    .iter()
                    .map(|&(u, v)| cell(u, if v < 0.05 { u } else { v }))
            ) > CHI_SQUARE_255
        );
    }
}

#[test]
fn rand_draws_from_the_same_numbers() {
    let mut a = Stream::from_state([1, 2, 3, 4]);
    let mut b = a;
    assert_eq!(a.random::<u64>(), b.next_u64());
    assert_eq!(a.random::<u32>(), (b.next_u64() >> 32) as u32);
    let mut bytes = [0; 11];
    a.fill(&mut bytes);
    assert_eq!(bytes[..8], b.next_u64().to_le_bytes());
    assert_eq!(bytes[8..], b.next_u64().to_le_bytes()[..3]);
}
