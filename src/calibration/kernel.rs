//! How well a run agrees with a pattern, and how far out of reach a pattern is for a world.

use super::read::Pattern;
use crate::hindcast::Question;
use crate::math::exp;

/// A pattern's measure of agreement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kernel {
    outcome: f64,
    limit: Option<f64>,
    /// Number of named answers; 0 for a number.
    answers: usize,
    error: f64,
    discrepancy: f64,
}

impl Kernel {
    /// The kernel of a pattern about that question.
    pub fn new(question: &Question, pattern: &Pattern) -> Self {
        Self {
            outcome: question.outcome,
            limit: question.limit(),
            answers: question.options.len(),
            error: pattern.error,
            discrepancy: pattern.discrepancy,
        }
    }

    /// Variance of a number's record and discrepancy.
    fn variance(&self) -> f64 {
        self.error * self.error + self.discrepancy * self.discrepancy
    }

    /// Probability of the record, up to a factor, if a run answers `answer`; at most 1.
    ///
    /// * Named answers: with error `e`, discrepancy `d` and K answers, `(1 - d) (1 - e) + d / K` if they agree, and
    ///   `(1 - d) e / (K - 1) + d / K` if not.
    /// * Numbers: a normal density around the answer, 1 at its top; with neither error nor discrepancy, whether they are equal.
    ///   A number that never came agrees with *never* only.
    pub fn agreement(&self, answer: f64) -> f64 {
        if self.answers > 0 {
            let k = self.answers as f64;
            let recorded = if answer == self.outcome {
                1.0 - self.error
            } else {
                self.error / (k - 1.0)
            };
            return (1.0 - self.discrepancy) * recorded + self.discrepancy / k;
        }
        let never = |x: f64| self.limit.is_some_and(|limit| x >= limit);
        let (theirs, ours) = (never(self.outcome), never(answer));
        if theirs || ours {
            return f64::from(u8::from(theirs == ours));
        }
        let (distance, variance) = (answer - self.outcome, self.variance());
        if variance == 0.0 {
            return f64::from(u8::from(distance == 0.0));
        }
        exp(-0.5 * distance * distance / variance)
    }

    /// Implausibility of the pattern in a world whose runs answer `answers`: the distance between the record and the mean of the
    /// runs, in standard deviations of all that may lie between them: chance, the error of that mean, the error of the record,
    /// and the discrepancy of the scenario. For a named answer the distance is that of the probability `p` of the record from 1,
    /// so that the implausibility is `sqrt((1 - p) / p)`.
    ///
    /// Above 3 a pattern is taken to be out of reach: the three-sigma rule of F. Pukelsheim, The American Statistician 48 (1994).
    pub fn implausibility(&self, answers: &[f64]) -> f64 {
        let runs = answers.len() as f64;
        if self.answers > 0 {
            let p = answers.iter().map(|&a| self.agreement(a)).sum::<f64>() / runs;
            return ((1.0 - p) / p).max(0.0).sqrt();
        }
        let mean = answers.iter().sum::<f64>() / runs;
        let squares: f64 = answers.iter().map(|a| (a - mean) * (a - mean)).sum();
        let chance = squares / (runs - 1.0).max(1.0);
        let spread = (chance + chance / runs + self.variance()).sqrt();
        let distance = (self.outcome - mean).abs();
        if distance == 0.0 {
            0.0
        } else {
            distance / spread
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(outcome: f64, answers: usize, error: f64, discrepancy: f64) -> Kernel {
        Kernel {
            outcome,
            limit: None,
            answers,
            error,
            discrepancy,
        }
    }

    fn number(outcome: f64, limit: Option<f64>, error: f64, discrepancy: f64) -> Kernel {
        Kernel {
            outcome,
            limit,
            answers: 0,
            error,
            discrepancy,
        }
    }

    /// The probabilities of all records of a run add up to 1.
    #[test]
    fn named_answers_have_probabilities() {
        for answers in [2, 3, 5] {
            let total: f64 = (0..answers)
                .map(|outcome| named(outcome as f64, answers, 0.1, 0.2).agreement(1.0))
                .sum();
            assert!((total - 1.0).abs() < 1e-12);
        }
        assert_eq!(named(1.0, 2, 0.0, 0.0).agreement(1.0), 1.0);
        assert_eq!(named(1.0, 2, 0.0, 0.0).agreement(0.0), 0.0);
        assert!((named(1.0, 2, 0.1, 0.2).agreement(0.0) - 0.18).abs() < 1e-15);
    }

    #[test]
    fn numbers_agree_within_their_errors_and_never_with_never_only() {
        let kernel = number(11.0, Some(60.0), 3.0, 4.0);
        assert_eq!(kernel.agreement(11.0), 1.0);
        assert!((kernel.agreement(16.0) - exp(-0.5)).abs() < 1e-15);
        assert_eq!(kernel.agreement(60.0), 0.0);
        assert_eq!(number(60.0, Some(60.0), 3.0, 4.0).agreement(60.0), 1.0);
        let exact = number(2.0, None, 0.0, 0.0);
        assert_eq!((exact.agreement(2.0), exact.agreement(3.0)), (1.0, 0.0));
    }

    #[test]
    fn implausibility_counts_standard_deviations() {
        // Mean 2, variance 1 of the runs, 1 / 3 of the mean, 1 + 4 of the errors: 19 / 3.
        let kernel = number(8.0, None, 1.0, 2.0);
        let found = kernel.implausibility(&[1.0, 2.0, 3.0]);
        assert!((found - 6.0 / (19.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        // One run in ten: three standard deviations.
        let mut runs = vec![0.0; 10];
        runs[0] = 1.0;
        assert!((named(1.0, 2, 0.0, 0.0).implausibility(&runs) - 3.0).abs() < 1e-12);
        assert_eq!(number(2.0, None, 0.0, 0.0).implausibility(&[2.0; 4]), 0.0);
        assert_eq!(
            number(3.0, None, 0.0, 0.0).implausibility(&[2.0; 4]),
            f64::INFINITY
        );
    }
}
