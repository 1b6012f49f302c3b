//! Numbers as text: for programs to the last bit, for people to the digit that is known.

use std::fmt;

use crate::stats::interval::Interval;

/// Decimals shown at most.
const MAX_DECIMALS: i32 = 6;

/// Shown as the shortest text that reads back as the number.
#[derive(Clone, Copy, Debug)]
pub struct Exact(pub f64);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(x) = self;
        let size = x.abs();
        if size == 0.0 || (1e-5..1e15).contains(&size) || !x.is_finite() {
            write!(f, "{x}")
        } else {
            write!(f, "{x:e}")
        }
    }
}

/// The shortest text that reads back as `x`.
pub fn exact(x: f64) -> String {
    Exact(x).to_string()
}

/// The shortest text that reads back as `x`; empty without a value.
pub fn exact_or_empty(x: Option<f64>) -> String {
    x.map(exact).unwrap_or_default()
}

/// A whole number with commas between thousands.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of something: `1 policy`, `1,000 policies`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    match n {
        1 => format!("1 {one}"),
        n => format!("{} {many}", count(n)),
    }
}

/// How many decimals an estimate deserves whose interval is that wide: so many that the last one counts in units no larger than
/// half the interval. Negative where not even the ones are known. An interval without width says nothing of what is known: three
/// significant digits.
pub fn decimals(interval: Interval) -> i32 {
    let half = interval.width() / 2.0;
    if !half.is_finite() {
        return 0;
    }
    if has_no_width(interval) {
        return three_significant(interval.low);
    }
    (-15..MAX_DECIMALS)
        .find(|&decimals| power_of_ten(-decimals) <= half)
        .unwrap_or(MAX_DECIMALS)
}

/// Whether an interval has no width, but for rounding.
pub fn has_no_width(interval: Interval) -> bool {
    interval.width() <= 1e-12 * interval.low.abs().max(interval.high.abs())
}

/// Decimals with which three significant digits of `x` are shown; none for a whole number below a million.
fn three_significant(x: f64) -> i32 {
    if x == x.floor() && x.abs() < 1e6 {
        return 0;
    }
    (-15..=MAX_DECIMALS)
        .find(|&decimals| x.abs() >= 100.0 * power_of_ten(-decimals))
        .unwrap_or(MAX_DECIMALS)
}

/// `x` rounded to so many decimals; negative ones round to tens, hundreds, ... What is not a number is a dash.
pub fn rounded(x: f64, decimals: i32) -> String {
    if x.is_nan() {
        return "–".to_owned();
    }
    if !x.is_finite() {
        return if x > 0.0 { "∞" } else { "−∞" }.to_owned();
    }
    let text = if decimals >= 0 {
        format!("{x:.*}", decimals as usize)
    } else {
        let unit = power_of_ten(-decimals);
        format!("{:.0}", (x / unit).round() * unit)
    };
    match text.strip_prefix('-') {
        Some(size) if size.chars().all(|c| matches!(c, '0' | '.')) => size.to_owned(),
        Some(size) => format!("−{size}"),
        None => text,
    }
}

/// `x` to three significant digits without trailing zeros, or as it is if it is a whole number below a million.
pub fn significant(x: f64) -> String {
    let text = rounded(x, three_significant(x));
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A probability in percent, to so many decimals of the percentage.
pub fn percent(p: f64, decimals: i32) -> String {
    format!("{} %", rounded(100.0 * p, decimals.max(0)))
}

/// Decimals of the percentage that a probability with this interval deserves.
pub fn percent_decimals(interval: Interval) -> i32 {
    let percentage = Interval::new(100.0 * interval.low, 100.0 * interval.high);
    decimals(percentage).max(0)
}

/// A range of percentages: `3.1–4.5 %`.
pub fn percent_range(low: f64, high: f64, decimals: i32) -> String {
    let (low, high) = (100.0 * low, 100.0 * high);
    format!("{}–{} %", rounded(low, decimals), rounded(high, decimals))
}

/// A range of numbers, apart when one of them is negative: `3–5`, `−3 to 5`.
pub fn range(low: &str, high: &str) -> String {
    let apart = low.starts_with('−') || high.starts_with('−');
    format!("{low}{}{high}", if apart { " to " } else { "–" })
}

fn power_of_ten(exponent: i32) -> f64 {
    let power = (0..exponent.abs()).fold(1.0, |power, _| power * 10.0);
    if exponent < 0 { 1.0 / power } else { power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers_read_back() {
        for x in [0.0, 0.1, -2.5, 1e-7, 1e300, 123_456.789, f64::MIN_POSITIVE] {
            assert_eq!(exact(x).parse::<f64>(), Ok(x));
        }
        assert_eq!((exact(1e300).as_str(), exact(3.0).as_str()), ("1e300", "3"));
    }

    #[test]
    fn thousands_are_set_apart() {
        let texts: Vec<_> = [0, 999, 1000, 1_234_567].map(count).into();
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn digits_follow_the_interval() {
        let show = |x: f64, half: f64| rounded(x, decimals(Interval::new(x - half, x + half)));
        assert_eq!(show(0.123_456, 0.02), "0.12");
        assert_eq!(show(0.123_456, 0.008), "0.123");
        assert_eq!(show(43.712, 1.3), "44");
        assert_eq!(show(123_456.0, 340.0), "123500");
        assert_eq!(show(-0.001, 0.2), "0.0");
        assert_eq!(show(-1.26, 0.2), "−1.3");
        assert_eq!(decimals(Interval::new(0.0, f64::INFINITY)), 0);
        assert_eq!(rounded(f64::NEG_INFINITY, 1), "−∞");
        assert_eq!(
            (
                rounded(f64::NAN, 1).as_str(),
                significant(f64::NAN).as_str()
            ),
            ("–", "–")
        );
        // Nothing shows how exactly these are known; 23.4 % twice, once with an error of rounding.
        assert_eq!(show(23.404_255_319, 0.0), "23.4");
        assert_eq!(show(23.404_255_319, 4e-15), "23.4");
        assert_eq!(show(0.0, 0.0), "0");
    }

    #[test]
    fn significant_digits() {
        let texts: Vec<_> = [12.3456, 0.012_345, 1234.5, 1234.0, -0.5]
            .map(significant)
            .into();
        assert_eq!(texts, ["12.3", "0.0123", "1230", "1234", "−0.5"]);
    }

    #[test]
    fn ranges_with_a_sign_are_spelled_out() {
        assert_eq!(range("3", "5"), "3–5");
        assert_eq!(range("−3", "5"), "−3 to 5");
        assert_eq!(percent_range(0.031, 0.045, 1), "3.1–4.5 %");
    }
}
