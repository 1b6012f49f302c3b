//! Student's interval of a mean.

use super::interval::Interval;
use super::moments::Moments;
use super::special::student_t_quantile;

/// Interval `estimate -+ t * standard_error`, with Student's t at `level` in `(0, 1)` and `df > 0`
/// degrees of freedom.
pub fn student_interval(estimate: f64, standard_error: f64, df: f64, level: f64) -> Interval {
    let half = student_t_quantile(0.5 + level / 2.0, df) * standard_error;
    Interval::new(estimate - half, estimate + half)
}

/// Student's interval at `level` of the mean of independent values; `None` below two values.
///
/// Source: Student, "The probable error of a mean", Biometrika 6 (1908).
pub fn mean_interval(moments: &Moments, level: f64) -> Option<Interval> {
    let mean = moments.mean()?;
    let standard_error = moments.standard_error()?;
    let df = (moments.count() - 1) as f64;
    Some(student_interval(mean, standard_error, df, level))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::special::{normal_quantile, two_sided_z};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn textbook_interval() {
        let mut moments = Moments::new();
        for x in [4.0, 5.0, 6.0] {
            moments.add(x);
        }
        let interval = mean_interval(&moments, 0.95).unwrap();
        // t(0.975, 2) = 4.302652729749462, standard error 1/sqrt(3).
        assert!((interval.high - (5.0 + 4.302_652_729_749_462 / 3f64.sqrt())).abs() < 1e-12);
        assert!((interval.low - (5.0 - 4.302_652_729_749_462 / 3f64.sqrt())).abs() < 1e-12);
    }

    #[test]
    fn one_value_has_no_interval() {
        let mut moments = Moments::new();
        assert!(mean_interval(&moments, 0.95).is_none());
        moments.add(1.0);
        assert!(mean_interval(&moments, 0.95).is_none());
    }

    #[test]
    fn covers_the_mean_of_five_normal_values_and_the_normal_interval_does_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let repetitions = 4000;
        let (mut student, mut normal) = (0, 0);
        for _ in 0..repetitions {
            let mut moments = Moments::new();
            for _ in 0..5 {
                moments.add(normal_quantile(rng.random::<f64>().max(1e-300)));
            }
            student += u32::from(mean_interval(&moments, 0.95).unwrap().contains(0.0));
            let half = two_sided_z(0.95) * moments.standard_error().unwrap();
            normal += u32::from(moments.mean().unwrap().abs() <= half);
        }
        // Three and a half standard errors of the coverage, 0.012.
        let coverage = |hits: u32| f64::from(hits) / f64::from(repetitions);
        assert!(
            (coverage(student) - 0.95).abs() < 0.012,
            "{}",
            coverage(student)
        );
        assert!(
            (coverage(normal) - 0.95).abs() > 0.012,
            "{}",
            coverage(normal)
        );
    }
}
