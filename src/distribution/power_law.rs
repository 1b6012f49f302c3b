//! The continuous power law `x^-exponent` on `[min, max]`, `exponent > 1`, `max` possibly
//! infinite. With `r = max / min` and `t = exponent - 1`,
//! `F(x) = (1 - (x / min)^-t) / (1 - r^-t)`.

use crate::math::{exp, exp_m1, ln, ln_1p};

/// `covered` is the part of the unbounded law that lies below `max`.
#[inline(always)]
pub(super) fn quantile(exponent: f64, min: f64, covered: f64, u: f64) -> f64 {
    let t = exponent - 1.0;
    min * exp(-ln_1p(-u * covered) / t)
}

/// Where the first few values of the discrete law end, so that most variates tell theirs without a logarithm and an exponential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Firsts {
    /// Probability of a value at most that of the least, the one after it, and so on.
    ends: [f64; Firsts::COUNT],
    /// So near to an end, rounding decides, and only the quantile itself will tell.
    margin: f64,
}

impl Firsts {
    const COUNT: usize = 8;

    /// Of the law with its least value `min`, of which `covered` is the part of the unbounded one that lies below the greatest.
    pub fn new(exponent: f64, min: f64, covered_in_all: f64) -> Self {
        let t = exponent - 1.0;
        let below = |k: usize| covered(t, min - 0.5, min + k as f64 + 0.5) / covered_in_all;
        Self {
            ends: std::array::from_fn(below),
            // A thousand times what errors of a few units in the last place make of `u`.
            margin: 1e-12 * (1.0 + t) / covered_in_all,
        }
    }

    /// How far above the least value the quantile is, if that is certain: to the bit as [`discrete_quantile`] says.
    #[inline]
    pub fn find(&self, u: f64) -> Option<f64> {
        let mut found = 0.0;
        let mut is_apart = true;
        for end in self.ends {
            found += f64::from(u8::from(u > end));
            // Not from an end that has no value.
            is_apart &= (u - end).abs() > self.margin;
        }
        (found < Self::COUNT as f64 && is_apart).then_some(found)
    }
}

/// As [`quantile`], of the law of the whole numbers from `min` on.
pub(super) fn discrete_quantile(exponent: f64, min: f64, covered: f64, u: f64) -> f64 {
    (quantile(exponent, min - 0.5, covered, u) + 0.5).floor()
}

pub(super) fn cdf(exponent: f64, min: f64, max: f64, x: f64) -> f64 {
    let t = exponent - 1.0;
    covered(t, min, x.clamp(min, max)) / covered(t, min, max)
}

/// `min t / (1 - r^-t)` times the integral of `y^-t` from 1 to `r`.
pub(super) fn mean(exponent: f64, min: f64, max: f64) -> f64 {
    let t = exponent - 1.0;
    let (s, log_ratio) = (1.0 - t, ln(max / min));
    let integral = if s == 0.0 {
        log_ratio
    } else {
        exp_m1(s * log_ratio) / s
    };
    min * t / covered(t, min, max) * integral
}

/// `1 - (x / min)^-t`, the part of the unbounded law that lies below `x`.
pub(super) fn covered(t: f64, min: f64, x: f64) -> f64 {
    -exp_m1(-t * ln(x / min))
}

#[cfg(test)]
mod tests {
    use super::{Firsts, covered, discrete_quantile};

    #[test]
    fn the_first_values_are_those_of_the_quantile() {
        let inf = f64::INFINITY;
        for exponent in [1.0 + 1e-9, 1.3, 2.0, 3.7, 40.0, 1e5] {
            for min in [1.0, 2.0, 17.0, 1e6, 1e15] {
                for max in [min, min + 1.0, min + 6.0, 90.0 * min, inf] {
                    let all = covered(exponent - 1.0, min - 0.5, max + 0.5);
                    let firsts = Firsts::new(exponent, min, all);
                    let near = firsts.ends.into_iter().flat_map(|end| {
                        let step = end.next_up() - end;
                        (-200..200).map(move |k| end + f64::from(k * k * k) * step)
                    });
                    let grid = (0..2000).map(|k| (f64::from(k) + 0.5) / 2000.0);
                    for u in grid.chain(near).filter(|u| (1e-16..1.0).contains(u)) {
                        let quantile = discrete_quantile(exponent, min, all, u).clamp(min, max);
                        let found = firsts.find(u).map_or(quantile, |above| min + above);
                        assert_eq!(found, quantile, "{exponent} {min} {max} {u}");
                    }
                }
            }
        }
    }

    #[test]
    fn most_variates_tell_their_value_and_none_near_an_end() {
        let all = covered(1.0, 0.5, 100.5);
        let firsts = Firsts::new(2.0, 1.0, all);
        let told = (0..1000).filter(|k| firsts.find((f64::from(*k) + 0.5) / 1000.0).is_some());
        assert_eq!(told.count(), 946);
        for end in firsts.ends {
            assert_eq!(firsts.find(end.next_up()), None);
            assert_eq!(firsts.find(end.next_down()), None);
        }
    }
}
