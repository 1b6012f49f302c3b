//! Differences to a baseline, as text.

use super::number::{
    decimals, percent, percent_decimals, percent_range, range, rounded, significant,
};
use crate::stats::interval::Interval;

/// How a quantity and its differences are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// A probability, in percent; its differences in percentage points.
    Probability,
    /// A number in its own unit.
    Number,
}

impl Scale {
    pub fn of(is_probability: bool) -> Self {
        if is_probability {
            Self::Probability
        } else {
            Self::Number
        }
    }

    /// An estimate that is known as exactly as an interval of this width tells.
    pub fn value(self, x: f64, width: Interval) -> String {
        match self {
            Self::Probability => percent(x, percent_decimals(width)),
            Self::Number if width.width() > 0.0 => rounded(x, decimals(width)),
            Self::Number => significant(x),
        }
    }

    /// A difference with its sign.
    pub fn difference(self, x: f64, interval: Interval) -> String {
        let (x, digits) = self.scaled(x, interval);
        let text = if digits.is_some() {
            rounded(x, digits.unwrap_or(0))
        } else {
            significant(x)
        };
        let nothing = text.chars().all(|c| matches!(c, '0' | '.'));
        if text.starts_with('−') || nothing {
            text
        } else {
            format!("+{text}")
        }
    }

    /// The interval of a difference.
    pub fn interval(self, interval: Interval) -> String {
        self.spread(interval, interval)
    }

    /// The interval of an estimate.
    pub fn range(self, interval: Interval) -> String {
        match self {
            Self::Probability => {
                percent_range(interval.low, interval.high, percent_decimals(interval))
            }
            Self::Number => self.interval(interval),
        }
    }

    /// A spread of differences, to no more digits than one of them is known to.
    pub fn spread(self, spread: Interval, known: Interval) -> String {
        let wider = if known.width() > spread.width() {
            known
        } else {
            spread
        };
        let digits = self.scaled(0.0, wider).1;
        let show = |x: f64| {
            let x = self.scaled(x, wider).0;
            digits.map_or_else(|| significant(x), |digits| rounded(x, digits))
        };
        let (low, high) = (show(spread.low), show(spread.high));
        if low == high { low } else { range(&low, &high) }
    }

    fn scaled(self, x: f64, interval: Interval) -> (f64, Option<i32>) {
        match self {
            Self::Probability => (100.0 * x, Some(percent_decimals(interval).min(4))),
            Self::Number => (x, (interval.width() > 0.0).then(|| decimals(interval))),
        }
    }
}

/// A p-value for people.
pub(super) fn p_value(p: f64) -> String {
    if p < 0.001 {
        "<0.001".to_owned()
    } else if p > 0.999 {
        "1".to_owned()
    } else {
        rounded(p, 3)
    }
}

/// How many times more independent runs would be needed: `×12`.
pub(super) fn times(reduction: Option<f64>) -> String {
    match reduction {
        None => "–".to_owned(),
        Some(times) if times.is_infinite() => "∞".to_owned(),
        Some(times) if times >= 9.95 => format!("×{}", rounded(times, 0)),
        Some(times) => format!("×{}", rounded(times, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_show_their_sign_and_no_more_digits_than_are_known() {
        let interval = Interval::new(-0.0213, -0.0087);
        assert_eq!(Scale::Probability.difference(-0.0151, interval), "−1.5");
        assert_eq!(Scale::Probability.interval(interval), "−2.1 to −0.9");
        let wide = Interval::new(-0.3, 2.5);
        assert_eq!(Scale::Number.difference(1.1234, wide), "+1");
        assert_eq!(Scale::Number.difference(0.0, wide), "0");
        // A band is no better known than what it is a band of.
        let band = Interval::new(0.000_376, 0.000_376);
        assert_eq!(Scale::Probability.spread(band, interval), "0.0");
        assert_eq!(
            Scale::Probability.spread(Interval::new(-0.2, 0.1), interval),
            "−20 to 10"
        );
        // Every pair has the same difference: it is known exactly.
        let exact = Interval::new(2.5, 2.5);
        assert_eq!(Scale::Number.difference(2.5, exact), "+2.5");
        assert_eq!(Scale::Number.interval(exact), "2.5");
    }

    #[test]
    fn small_p_values_and_large_reductions_are_cut() {
        let texts = [0.0, 0.0004, 0.0312, 0.9999].map(p_value);
        assert_eq!(texts, ["<0.001", "<0.001", "0.031", "1"]);
        let texts = [None, Some(f64::INFINITY), Some(1.24), Some(37.6)].map(times);
        assert_eq!(texts, ["–", "∞", "×1.2", "×38"]);
    }
}
