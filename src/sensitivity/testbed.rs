//! Models whose indices are known, for the tests.

use std::f64::consts::PI;

use super::error::Outcome;
use super::factor::{Factor, Factors};
use super::hash::{child, unit};
use crate::math::normal_quantile;

pub(crate) fn uniform(d: usize, low: f64, high: f64) -> Factors {
    Factors::new(
        (0..d)
            .map(|i| Factor::uniform(format!("x{}", i + 1), low, high))
            .collect(),
    )
    .unwrap()
}

/// Standard normal number `i` of the chance `key`.
pub(crate) fn normal(key: u64, i: u64) -> f64 {
    normal_quantile(unit(child(key, i)))
}

pub(crate) fn ishigami_factors() -> Factors {
    uniform(3, -PI, PI)
}

pub(crate) fn ishigami(x: &[f64]) -> f64 {
    let (s1, s2) = (libm::sin(x[0]), libm::sin(x[1]));
    s1 + 7.0 * s2 * s2 + 0.1 * x[2] * x[2] * x[2] * x[2] * s1
}

pub(crate) const ISHIGAMI_FIRST: [f64; 3] = [0.313905191, 0.442411145, 0.0];
pub(crate) const ISHIGAMI_TOTAL: [f64; 3] = [0.557588855, 0.442411145, 0.243683664];
pub(crate) const ISHIGAMI_SHAPLEY: [f64; 3] = [0.435747023, 0.442411145, 0.121841832];

pub(crate) fn ishigami_model(x: &[f64], _: u64) -> Outcome {
    Ok(ishigami(x))
}

/// Ishigami plus N(0, 3^2).
pub(crate) fn noisy_ishigami(x: &[f64], key: u64) -> Outcome {
    Ok(ishigami(x) + 3.0 * normal(key, 0))
}

/// Ishigami plus N(0, 3^2), as a simulator that gives every set of values its own random numbers.
pub(crate) fn reseeded_ishigami(x: &[f64], key: u64) -> Outcome {
    let own = x.iter().fold(key, |k, v| child(k, v.to_bits()));
    Ok(ishigami(x) + 3.0 * normal(own, 0))
}

pub(crate) const G: [f64; 8] = [0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0];

pub(crate) fn sobol_g(x: &[f64], _: u64) -> Outcome {
    Ok(x.iter()
        .zip(G)
        .map(|(x, a)| ((4.0 * x - 2.0).abs() + a) / (1.0 + a))
        .product())
}

/// 5 x1 + 4 x2 + 3 x3 + 2 x4 + x5.
pub(crate) fn linear(x: &[f64], _: u64) -> Outcome {
    Ok(x.iter().enumerate().map(|(i, x)| (5 - i) as f64 * x).sum())
}

/// x1 + x2 / 2 + x1 x2.
pub(crate) fn product(x: &[f64], _: u64) -> Outcome {
    Ok(x[0] + 0.5 * x[1] + x[0] * x[1])
}

/// x1 + 2 x2 + 2 x1 w1 + w2, with x on (-1, 1) and w standard normal.
pub(crate) fn interacting_noise(x: &[f64], key: u64) -> Outcome {
    Ok(x[0] + 2.0 * x[1] + 2.0 * x[0] * normal(key, 1) + normal(key, 2))
}

/// The first value that is further than `tolerance` from its reference, if there is one.
pub(crate) fn mismatch(got: &[f64], reference: &[f64], tolerance: f64) -> Option<String> {
    assert_eq!(got.len(), reference.len());
    let wrong = |(i, (g, r)): (usize, (&f64, &f64))| {
        let off = (g - r).abs() > tolerance || g.is_nan();
        off.then(|| format!("value {i} is {g}, not {r} (tolerance {tolerance})"))
    };
    got.iter().zip(reference).enumerate().find_map(wrong)
}
