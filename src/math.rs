//! Elementary functions that give the same bits on every machine.
//!
//! The standard library's `ln`, `exp`, `pow` and the like call the platform's mathematical library,
//! whose last bits differ between systems; one such bit can turn a run. Everything here rests on
//! the `libm` crate, which is the same Rust code everywhere, and on the operations that IEEE 754
//! rounds exactly (`+ - * /` and the square root).

mod powers;

use powers::POWERS;
use std::f64::consts::FRAC_1_SQRT_2;

/// `e^x`.
///
/// The method and the constants are those of `exp` in the ARM Optimized Routines (S. Nagy; MIT licence), with an error below 0.512
/// units in the last place: with `x = k ln 2 / 128 + r`, it is `2^(k/128)` from a table times a polynomial in `r`. It has no
/// division and no branch for the numbers that are usual: an exponential is most of the time of a decaying stock. Beyond -700 and
/// 700 it is that of the `libm` crate.
#[inline]
pub fn exp(x: f64) -> f64 {
    /// Added to a number, makes its last bits the nearest whole number.
    const TO_WHOLE: f64 = 1.5 * (1_u64 << 52) as f64;
    // In two parts, of which the first has zeros behind, so that its product with a whole number is exact.
    const LN2_128: [f64; 2] = [
        f64::from_bits(0x3F76_2E42_FEFA_0000),
        f64::from_bits(0x3D0C_F79A_BC9E_3B39),
    ];
    // Near 1/2, 1/6, 1/24 and 1/120.
    const C: [f64; 4] = [
        f64::from_bits(0x3FDF_FFFF_FFFF_FDBD),
        f64::from_bits(0x3FC5_5555_5555_543C),
        f64::from_bits(0x3FA5_5555_CF17_2B91),
        f64::from_bits(0x3F81_1111_67A4_D017),
    ];
    if x.abs() >= 700.0 || x.is_nan() {
        return libm::exp(x);
    }
    let shifted = x * (128.0 * std::f64::consts::LOG2_E) + TO_WHOLE;
    let (k, bits) = (shifted - TO_WHOLE, shifted.to_bits());
    let r = x - k * LN2_128[0] - k * LN2_128[1];
    let (tail, power) = POWERS[(bits % 128) as usize];
    let power = f64::from_bits(power.wrapping_add(bits << 45));
    let rr = r * r;
    let even = C[0] + r * C[1];
    let odd = C[2] + r * C[3];
    power + power * (f64::from_bits(tail) + r + rr * even + rr * rr * odd)
}

/// `2^x`.
#[inline]
pub fn exp2(x: f64) -> f64 {
    libm::exp2(x)
}

/// `e^x - 1`, accurate near 0.
#[inline]
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// Natural logarithm: `-inf` at 0, NaN below.
#[inline]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// `ln(1 + x)`, accurate near 0.
#[inline]
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// `base^exponent`, with the special cases of C99 (`pow(x, 0)` is 1, a negative base needs an
/// integer exponent or gives NaN).
#[inline]
pub fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

/// Square root, correctly rounded.
#[inline]
pub fn sqrt(x: f64) -> f64 {
    x.sqrt()
}

/// Logistic function `1 / (1 + e^-x)`, accurate in both tails.
#[inline]
pub fn logistic(x: f64) -> f64 {
    // The exponential of a negative number only, so that nothing overflows.
    let e = exp(-x.abs());
    if x >= 0.0 {
        1.0 / (1.0 + e)
    } else {
        e / (1.0 + e)
    }
}

/// Standard normal distribution function `erfc(-z / sqrt(2)) / 2`.
///
/// Relative error about `z^2 1e-16` in the lower tail, where it is small but not 0 down to
/// z = -38.
#[inline]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// Standard normal quantile function, for `p` in `[0, 1]`: `-inf` at 0, `inf` at 1, NaN outside.
///
/// Relative error about 1e-16. Source: Wichura, "Algorithm AS 241: the percentage points of the
/// normal distribution", Applied Statistics 37(3), 1988, routine PPND16.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * polynomial(r, &CENTRAL.0) / polynomial(r, &CENTRAL.1);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail <= 0.0 {
        return if tail < 0.0 {
            f64::NAN
        } else {
            f64::INFINITY.copysign(q)
        };
    }
    let r = (-libm::log(tail)).sqrt();
    let z = if r <= 5.0 {
        polynomial(r - 1.6, &MIDDLE.0) / polynomial(r - 1.6, &MIDDLE.1)
    } else {
        polynomial(r - 5.0, &FAR.0) / polynomial(r - 5.0, &FAR.1)
    };
    z.copysign(q)
}

/// Horner's rule; `coefficients[i]` belongs to `x^i`.
#[inline]
fn polynomial(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

/// Numerator and denominator of AS 241 for `|p - 1/2| <= 0.425`.
const CENTRAL: ([f64; 8], [f64; 8]) = (
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);

/// The same for `sqrt(-ln tail)` up to 5.
const MIDDLE: ([f64; 8], [f64; 8]) = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

/// The same beyond.
const FAR: ([f64; 8], [f64; 8]) = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_7e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Exact bits of a result at each input; another implementation would differ in some of them.
    /// For the elementary functions each is within one unit in the last place of the true value.
    fn check(f: fn(f64) -> f64, golden: &[(f64, u64)]) {
        for &(x, bits) in golden {
            assert_eq!(
                f(x).to_bits(),
                bits,
                "at {x}: {} for {}",
                f(x),
                f64::from_bits(bits)
            );
        }
    }

    #[test]
    fn exp_is_bit_exact() {
        check(
            exp,
            &[
                (-700.25, 0x00CAF5FE9A485C8E),
                (-30.1, 0x3D37D53552AFC264),
                (-1.0, 0x3FD78B56362CEF38),
                (-0.3, 0x3FE7B4C869C37C05),
                (-1e-9, 0x3FEFFFFFFF768FA1),
                (1e-5, 0x3FF0000A7C5E340E),
                (0.7, 0x40001C2A61268987),
                (1.0, 0x4005BF0A8B145769),
                (12.34, 0x410BE9AF9DCFF5F0),
                (700.5, 0x7F18625C7D4F56C2),
            ],
        );
    }

    #[test]
    fn exp_is_within_a_unit_in_the_last_place_of_libm() {
        let ln2 = std::f64::consts::LN_2;
        let edges = [
            0.0,
            0.5 * ln2 / 128.0,
            ln2,
            64.5 * ln2,
            699.9999,
            700.0,
            745.2,
            f64::INFINITY,
        ];
        let near = |edge: f64| {
            let step = edge.next_up() - edge;
            (-3000..3000).map(move |k| edge + 1e5 * f64::from(k) * step)
        };
        let everywhere =
            (0..200_000_u32).map(|k| f64::from(k.wrapping_mul(2_654_435_769)) / 3_000_000.0);
        let mut differ = 0;
        for x in edges.into_iter().flat_map(near).chain(everywhere) {
            for x in [x, -x] {
                let (one, other) = (exp(x).to_bits(), libm::exp(x).to_bits());
                assert!(one.abs_diff(other) <= 1, "at {x}");
                differ += u32::from(one != other);
            }
        }
        // Neither rounds all results correctly.
        assert!((10_000..100_000).contains(&differ), "{differ} differ");
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn exp_rises() {
        for k in 0..2_000_000 {
            let x = -50.0 + 5e-5 * f64::from(k);
            let (below, at, above) = (exp(x.next_down()), exp(x), exp(x.next_up()));
            assert!(below <= at && at <= above, "at {x}");
        }
    }

    /// Products of neighbours, in pairs of numbers, are the next.
    #[test]
    fn powers_multiply() {
        let power = |k: usize| {
            let (tail, bits) = POWERS[k % 128];
            let k = k as u64;
            let high = f64::from_bits(bits.wrapping_add(k << 45));
            (high, high * f64::from_bits(tail))
        };
        assert_eq!(power(0), (1.0, 0.0));
        for k in 0..128 {
            let ((a, a_rest), (b, b_rest)) = (power(k), power(1));
            let product = a * b;
            let rest = a.mul_add(b, -product) + (a * b_rest + b * a_rest);
            let (next, next_rest) = power(k + 1);
            let apart = (product - next) + (rest - next_rest);
            assert!(apart.abs() < 1e-31, "{k}: {apart:e}");
        }
    }

    #[test]
    fn exp2_is_bit_exact() {
        check(
            exp2,
            &[
                (-1000.1, 0x016DDB680117AA8E),
                (-30.3, 0x3E09FDF8BCCE533A),
                (-0.6, 0x3FE51CB453B9536C),
                (-0.1, 0x3FEDDB680117AB12),
                (1e-9, 0x3FF00000002FA1F9),
                (0.5, 0x3FF6A09E667F3BCD),
                (0.9, 0x3FFDDB680117AB12),
                (1.1, 0x400125FBEE250664),
                (12.34, 0x40B44089FC7CC77C),
                (1000.5, 0x7E76A09E667F3BCD),
            ],
        );
    }

    #[test]
    fn exp_m1_is_bit_exact() {
        check(
            exp_m1,
            &[
                (-40.0, 0xBFF0000000000000),
                (-1.3, 0xBFE7476B67B98EC0),
                (-0.3, 0xBFD0966F2C7907F6),
                (-1e-9, 0xBE112E0BE801F1D9),
                (1e-12, 0x3D719799812DF3BD),
                (0.1, 0x3FBAEC7B35A00D3A),
                (0.7, 0x3FF03854C24D130D),
                (1.9, 0x4016BE5B1CD863F6),
                (12.34, 0x410BE9A79DCFF5F0),
                (700.5, 0x7F18625C7D4F56C2),
            ],
        );
    }

    #[test]
    fn ln_is_bit_exact() {
        check(
            ln,
            &[
                (1e-310, 0xC0864E69394D9508),
                (1e-9, 0xC034B927F32BFFB8),
                (0.1, 0xC0026BB1BBB55515),
                (0.3, 0xBFF34378FCBDA721),
                (0.999, 0xBF5064670D979B73),
                (1.001, 0x3F5060354F8C3CC4),
                (3.0, 0x3FF193EA7AAD030A),
                (10.0, 0x40026BB1BBB55516),
                (12345.678, 0x4022D79559791E31),
                (1e300, 0x4085963447F87FB5),
            ],
        );
    }

    #[test]
    fn ln_1p_is_bit_exact() {
        check(
            ln_1p,
            &[
                (-0.999999, 0xC02BA18A998FC064),
                (-0.7, 0xBFF34378FCBDA720),
                (-0.3, 0xBFD6D3C324E13F4E),
                (-1e-9, 0xBE112E0BE84BBB51),
                (1e-12, 0x3D719799812DE065),
                (0.1, 0x3FB8663F793C46C7),
                (0.7, 0x3FE0FAE81914A991),
                (3.3, 0x3FF7567CB4BF2DF7),
                (12345.678, 0x4022D79FF745B2FD),
                (1e300, 0x4085963447F87FB5),
            ],
        );
    }

    #[test]
    fn sqrt_is_bit_exact() {
        check(
            sqrt,
            &[
                (1e-310, 0x1FC1297872D9CBAE),
                (1e-9, 0x3F009456549BE1BD),
                (0.1, 0x3FD43D136248490F),
                (0.3, 0x3FE186F174F88472),
                (0.999, 0x3FEFFBE72966CCAD),
                (2.0, 0x3FF6A09E667F3BCD),
                (3.0, 0x3FFBB67AE8584CAA),
                (10.0, 0x40094C583ADA5B53),
                (12345.678, 0x405BC71C5EAB9ED8),
                (1e300, 0x5F138D352E5096AF),
            ],
        );
    }

    #[test]
    fn logistic_is_bit_exact() {
        check(
            logistic,
            &[
                (-700.25, 0x00CAF5FE9A485C8E),
                (-36.6, 0x3CA25878ACA16DBD),
                (-3.3, 0x3FA236630D362B36),
                (-0.4, 0x3FD9AF19F3D3169C),
                (-1e-9, 0x3FDFFFFFFFBB47D1),
                (0.1, 0x3FE0CCA12729AFB8),
                (0.7, 0x3FE561CB52A19476),
                (3.3, 0x3FEEDC99CF2C9D4D),
                (12.34, 0x3FEFFFF6D4214002),
                (36.0, 0x3FEFFFFFFFFFFFFE),
            ],
        );
    }

    #[test]
    fn normal_cdf_is_bit_exact() {
        check(
            normal_cdf,
            &[
                (-37.5, 0x00208EDA98086EDE),
                (-8.1, 0x3CB3CD1722128078),
                (-3.3, 0x3F3FAE82E1B2D7B8),
                (-1.2, 0x3FBD7534B65D1E34),
                (-0.4, 0x3FD60D91F7AC901A),
                (0.1, 0x3FE1464507526871),
                (0.7, 0x3FE841D5715C32A8),
                (1.3, 0x3FECE702AB8EF8A4),
                (3.3, 0x3FEFFC0A2FA3C9A5),
                (7.9, 0x3FEFFFFFFFFFFFF3),
            ],
        );
    }

    #[test]
    fn normal_quantile_is_bit_exact() {
        check(
            normal_quantile,
            &[
                (1e-300, 0xC04286074064C26E),
                (1e-20, 0xC022865170B43A4B),
                (1e-5, 0xC0110F3F8843A3DA),
                (0.02, 0xC0006E13E8AADFDB),
                (0.1, 0xBFF4813C36E26D34),
                (0.3, 0xBFE0C7E39582C5FA),
                (0.6, 0x3FD036D6C4A04B5A),
                (0.93, 0x3FF79CD70D9C27F3),
                (0.99, 0x40029C5C4630FF0C),
                (0.999999, 0x40130381A97985F1),
            ],
        );
    }

    #[test]
    fn pow_is_bit_exact() {
        for (base, exponent, bits) in [
            (1e-9, 0.3, 0x3F60585E4C78B07C),
            (0.1, -2.7, 0x407F52FEE8B01D8B),
            (0.5, 0.5, 0x3FE6A09E667F3BCD),
            (0.999, 1000.5, 0x3FD7854F15B74FA1),
            (1.001, -777.7, 0x3FDD6ABE75D97230),
            (2.0, 0.1, 0x3FF125FBEE250664),
            (3.3, 3.3, 0x4049B5369F572008),
            (10.0, -5.5, 0x3ECA86F0875FCF94),
            (12345.678, 0.01, 0x3FF194A6051CC240),
            (1e300, 1.02, 0x7F76C8E5CA239078),
        ] {
            assert_eq!(pow(base, exponent).to_bits(), bits, "{base} ^ {exponent}");
        }
    }

    #[test]
    fn limits_are_reached_without_overflow() {
        assert_eq!(
            (logistic(f64::NEG_INFINITY), logistic(f64::INFINITY)),
            (0.0, 1.0)
        );
        assert_eq!(logistic(0.0), 0.5);
        assert_eq!(
            (normal_cdf(f64::NEG_INFINITY), normal_cdf(f64::INFINITY)),
            (0.0, 1.0)
        );
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert_eq!(normal_quantile(0.5), 0.0);
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(1.1).is_nan());
        assert!(normal_quantile(f64::NAN).is_nan());
    }

    #[test]
    fn normal_quantile_inverts_normal_cdf() {
        for i in 1..=370 {
            let z = -0.1 * f64::from(i);
            assert!(
                (normal_quantile(normal_cdf(z)) - z).abs() < 1e-14 * z.abs(),
                "at {z}"
            );
        }
    }
}
