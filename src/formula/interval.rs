//! Outer bounds of a formula by interval arithmetic.
//!
//! Every operation returns an interval that contains the result that [`Program::evaluate`] computes, for all operands in their
//! intervals (Moore, Kearfott and Cloud, *Introduction to Interval Analysis*, 2009). The operations `+ - * /` and the square root
//! are rounded correctly, and rounding is monotone: what is computed between the ends of the operands lies between what is
//! computed at the ends, so these need no rounding outward. Functions of [`math`](crate::math) are not rounded correctly, and
//! ends that they give are moved outward by [`FUNCTION_ULPS`].

use super::program::{Fold, Op, Program, greatest, least};
use super::stack::Stack;
use super::total::{Total, pairwise_sum};
use crate::math::{exp, ln, logistic, pow};

/// How far ends move outward for elementary functions, in units in the last place: an error of less than one, on either of two
/// ends, doubled for safety.
const FUNCTION_ULPS: u32 = 4;

/// All values from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The least value; may be negative infinity.
    pub low: f64,
    /// The greatest value; may be infinity.
    pub high: f64,
    /// Whether the value may also be not-a-number. A bound with this set promises nothing.
    pub undefined: bool,
}

/// What a formula may read, as ranges.
pub trait Ranges {
    /// Parameters do not change in a run, and so are points.
    fn parameter(&self, index: u32) -> f64;
    /// The values that a stock may have.
    fn stock(&self, slot: u32) -> Interval;
    /// The value of a stock that no time moves.
    fn still_stock(&self, slot: u32) -> f64;
    /// A sum of stocks that no time moves.
    fn total(&self, total: Total) -> f64;
    /// The rungs on which a pair may stand.
    fn rung(&self, pair: u32) -> Interval;
    /// Days since the start.
    fn time(&self) -> Interval;
}

impl Interval {
    /// Any value at all, not-a-number included.
    pub const UNKNOWN: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
        undefined: true,
    };

    const ALL: Self = Self::new(f64::NEG_INFINITY, f64::INFINITY);
    const MAYBE: Self = Self::new(0.0, 1.0);
    /// A truth that may have no value.
    const UNDECIDED: Self = Self {
        undefined: true,
        ..Self::MAYBE
    };

    /// From `low` to `high`, which must not be less.
    pub const fn new(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            undefined: false,
        }
    }

    /// One value; [`Interval::UNKNOWN`] for not-a-number.
    pub const fn point(value: f64) -> Self {
        if value.is_nan() {
            return Self::UNKNOWN;
        }
        Self::new(value, value)
    }

    /// Whether a value may be in it.
    pub fn contains(self, value: f64) -> bool {
        if value.is_nan() {
            return self.undefined;
        }
        self.low <= value && value <= self.high
    }

    /// Whether the value is a number between finite ends.
    pub fn is_bounded(self) -> bool {
        !self.undefined && self.low.is_finite() && self.high.is_finite()
    }

    /// The least interval around both.
    pub fn hull(self, other: Self) -> Self {
        Self {
            low: least(self.low, other.low),
            high: greatest(self.high, other.high),
            undefined: self.undefined || other.undefined,
        }
    }

    fn is_point(self) -> bool {
        self.low == self.high
    }

    fn with(self, low: f64, high: f64) -> Self {
        Self { low, high, ..self }
    }

    /// Passes not-a-number on.
    fn unless_undefined(self, operand: Self) -> Self {
        if operand.undefined {
            Self::UNKNOWN
        } else {
            self
        }
    }

    fn widened(self, steps: u32) -> Self {
        self.with(down(self.low, steps), up(self.high, steps))
    }

    /// Cuts off what the result cannot be, such as negative values of a square.
    fn within(self, low: f64, high: f64) -> Self {
        self.with(greatest(self.low, low), least(self.high, high))
    }

    pub(super) fn negate(self) -> Self {
        self.with(-self.high, -self.low)
    }

    pub(super) fn not(self) -> Self {
        self.with(1.0 - self.high, 1.0 - self.low)
    }

    pub(super) fn abs(self) -> Self {
        if self.low >= 0.0 {
            self
        } else if self.high <= 0.0 {
            self.negate()
        } else {
            self.with(0.0, greatest(-self.low, self.high))
        }
    }

    pub(super) fn exp(self) -> Self {
        self.with(exp(self.low), exp(self.high))
            .widened(FUNCTION_ULPS)
            .within(0.0, f64::INFINITY)
    }

    pub(super) fn ln(self) -> Self {
        if self.low < 0.0 || self.undefined {
            return Self::UNKNOWN;
        }
        let result = Self::new(ln(self.low), ln(self.high)).widened(FUNCTION_ULPS);
        // The sign is exact, and decides whether a root of the result exists.
        if self.low >= 1.0 {
            result.within(0.0, f64::INFINITY)
        } else if self.high <= 1.0 {
            result.within(f64::NEG_INFINITY, 0.0)
        } else {
            result
        }
    }

    pub(super) fn sqrt(self) -> Self {
        if self.low < 0.0 || self.undefined {
            return Self::UNKNOWN;
        }
        Self::new(self.low.sqrt(), self.high.sqrt())
    }

    pub(super) fn floor(self) -> Self {
        self.with(self.low.floor(), self.high.floor())
    }

    pub(super) fn logistic(self) -> Self {
        // An exponential, a sum and a quotient: the error of the first and two roundings.
        self.with(logistic(self.low), logistic(self.high))
            .widened(2 * FUNCTION_ULPS)
            .within(0.0, 1.0)
    }

    #[inline]
    pub(super) fn add(self, other: Self) -> Self {
        let (low, high) = (self.low + other.low, self.high + other.high);
        // Infinity and its opposite have no sum, wherever the two meet.
        let opposite = |a: f64, b: f64| a.is_infinite() && b == -a;
        if !(low.is_finite() && high.is_finite())
            && (opposite(self.low, other.high) || opposite(self.high, other.low))
        {
            return Self::UNKNOWN;
        }
        Self::new(low, high)
            .unless_undefined(self)
            .unless_undefined(other)
    }

    #[inline]
    pub(super) fn subtract(self, other: Self) -> Self {
        self.add(other.negate())
    }

    #[inline]
    pub(super) fn multiply(self, other: Self) -> Self {
        if self.is_plain() && other.is_plain() {
            return Self::new(self.low * other.low, self.high * other.high);
        }
        if (self.contains(0.0) && other.reaches_infinity())
            || (other.contains(0.0) && self.reaches_infinity())
        {
            return Self::UNKNOWN;
        }
        self.corners(other, |a, b| a * b)
    }

    #[inline]
    pub(super) fn divide(self, other: Self) -> Self {
        if self.is_plain() && other.is_plain() && other.low > 0.0 {
            return Self::new(self.low / other.high, self.high / other.low);
        }
        let zeros = self.contains(0.0) && other.contains(0.0);
        let infinities = self.reaches_infinity() && other.reaches_infinity();
        if zeros || infinities || self.undefined || other.undefined {
            return Self::UNKNOWN;
        }
        if other.contains(0.0) {
            return Self::ALL;
        }
        self.corners(other, |a, b| a / b)
    }

    /// Whether all values are finite and none is below 0, as most quantities are.
    #[inline]
    fn is_plain(self) -> bool {
        !self.undefined && self.low >= 0.0 && self.high < f64::INFINITY
    }

    fn reaches_infinity(self) -> bool {
        self.low.is_infinite() || self.high.is_infinite()
    }

    /// The hull of a product or quotient at the ends of both operands.
    fn corners(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self {
        let mut result = Self::new(f64::INFINITY, f64::NEG_INFINITY);
        for a in [self.low, self.high] {
            for b in [other.low, other.high] {
                result = result.hull(Self::point(f(a, b)));
            }
        }
        result.unless_undefined(self).unless_undefined(other)
    }

    pub(super) fn power(self, exponent: Self) -> Self {
        if self.undefined || exponent.undefined {
            return Self::UNKNOWN;
        }
        let at = |a: f64, b: f64| Self::point(pow(a, b)).widened(FUNCTION_ULPS);
        let result = if self.low > 0.0 || (self.low == 0.0 && exponent.low >= 0.0) {
            // Monotone in either operand while the other stands still, so extreme in the corners.
            at(self.low, exponent.low)
                .hull(at(self.low, exponent.high))
                .hull(at(self.high, exponent.low))
                .hull(at(self.high, exponent.high))
                .within(0.0, f64::INFINITY)
        } else if exponent.is_point()
            && exponent.low.is_finite()
            && exponent.low.floor() == exponent.low
        {
            self.integer_power(exponent.low)
        } else {
            Self::UNKNOWN
        };
        if result.low.is_nan() || result.high.is_nan() {
            Self::UNKNOWN
        } else {
            result
        }
    }

    /// `self ^ n` for an integer `n`.
    fn integer_power(self, n: f64) -> Self {
        if n == 0.0 {
            return Self::point(1.0);
        }
        if n < 0.0 && self.contains(0.0) {
            return Self::ALL;
        }
        let at = |a: f64| Self::point(pow(a, n)).widened(FUNCTION_ULPS);
        let ends = at(self.low).hull(at(self.high));
        let even = n % 2.0 == 0.0;
        if !even {
            return ends;
        }
        if self.contains(0.0) {
            return ends.with(0.0, ends.high);
        }
        ends.within(0.0, f64::INFINITY)
    }

    pub(super) fn min(self, other: Self) -> Self {
        Self::new(least(self.low, other.low), least(self.high, other.high))
            .unless_undefined(self)
            .unless_undefined(other)
    }

    pub(super) fn max(self, other: Self) -> Self {
        Self::new(
            greatest(self.low, other.low),
            greatest(self.high, other.high),
        )
        .unless_undefined(self)
        .unless_undefined(other)
    }

    /// `self < other`: 1, 0 or either.
    pub(super) fn less(self, other: Self) -> Self {
        if self.undefined || other.undefined {
            Self::UNDECIDED
        } else if self.high < other.low {
            Self::point(1.0)
        } else if self.low >= other.high {
            Self::point(0.0)
        } else {
            Self::MAYBE
        }
    }

    /// `self <= other`: 1, 0 or either.
    pub(super) fn less_equal(self, other: Self) -> Self {
        if self.undefined || other.undefined {
            Self::UNDECIDED
        } else {
            // Without not-a-number, `a <= b` is `not (b < a)`.
            other.less(self).not()
        }
    }

    pub(super) fn equal(self, other: Self) -> Self {
        if self.undefined || other.undefined {
            Self::UNDECIDED
        } else if self.is_point() && other.is_point() && self.low == other.low {
            Self::point(1.0)
        } else if self.high < other.low || other.high < self.low {
            Self::point(0.0)
        } else {
            Self::MAYBE
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        if self.high == 0.0 || other.high == 0.0 {
            Self::point(0.0)
        } else if self.undefined || other.undefined {
            Self::UNDECIDED
        } else {
            self.min(other)
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        if self.low > 0.0 || other.low > 0.0 {
            Self::point(1.0)
        } else if self.undefined || other.undefined {
            Self::UNDECIDED
        } else {
            self.max(other)
        }
    }

    fn select(self, yes: Self, no: Self) -> Self {
        if self.undefined {
            Self::UNKNOWN
        } else if self.low > 0.0 {
            yes
        } else if self.high == 0.0 {
            no
        } else {
            yes.hull(no)
        }
    }
}

/// `steps` representable numbers below `value`.
fn down(value: f64, steps: u32) -> f64 {
    (0..steps).fold(value, |value, _| value.next_down())
}

/// `steps` representable numbers above `value`.
fn up(value: f64, steps: u32) -> f64 {
    (0..steps).fold(value, |value, _| value.next_up())
}

impl Fold {
    /// Bounds of the `count` values combined, without the one at the position `without`, as [`Fold::over`] combines them.
    pub(super) fn bound(
        self,
        count: u32,
        without: u32,
        value: impl Fn(u32) -> Interval,
    ) -> Interval {
        let visited = || (0..count).filter(|&position| position != without);
        match self {
            Self::Sum => {
                let zero = Interval::point(0.0);
                let value = |position| match position {
                    position if position == without => zero,
                    position => value(position),
                };
                Some(pairwise_sum(count, zero, value, Interval::add))
            }
            Self::Max => visited().map(value).reduce(Interval::max),
            Self::Min => visited().map(value).reduce(Interval::min),
        }
        .unwrap_or(Interval::UNKNOWN)
    }
}

impl Program {
    /// Bounds of the value, over all values of what it reads in their ranges.
    ///
    /// What `ranges` does not tell of (metrics, roles, fields of events, stocks reached by role) counts as unknown.
    pub fn bound<R: Ranges>(&self, ranges: &R) -> Interval {
        let mut stack = Stack::new(Interval::ALL);
        for op in &self.ops {
            let value = match *op {
                Op::Constant(value) => Interval::point(value),
                Op::Parameter(index) => Interval::point(ranges.parameter(index)),
                Op::Stock(slot) => ranges.stock(slot),
                Op::Rung(pair) => ranges.rung(pair),
                Op::Time => ranges.time(),
                Op::Metric(_) | Op::Role(_) | Op::Field(_) => Interval::UNKNOWN,
                Op::ActorStock(_) | Op::Host | Op::Patron => {
                    stack.pop();
                    Interval::UNKNOWN
                }
                Op::GridStock(_) | Op::RungBetween => {
                    stack.pop();
                    stack.pop();
                    Interval::UNKNOWN
                }
                Op::Member { .. } => {
                    stack.pop();
                    Interval::MAYBE
                }
                Op::Related(_) => {
                    stack.pop();
                    stack.pop();
                    Interval::MAYBE
                }
                Op::Gather {
                    fold,
                    contiguous,
                    start,
                    count,
                    without,
                } => fold.bound(count, without, |position| {
                    let place = start + position;
                    ranges.stock(if contiguous {
                        place
                    } else {
                        self.pool[place as usize]
                    })
                }),
                Op::Select => {
                    let no = stack.pop();
                    let yes = stack.pop();
                    stack.pop().select(yes, no)
                }
                Op::Negate => stack.pop().negate(),
                Op::Not => stack.pop().truth().not(),
                Op::Exp => stack.pop().exp(),
                Op::Ln => stack.pop().ln(),
                Op::Sqrt => stack.pop().sqrt(),
                Op::Abs => stack.pop().abs(),
                Op::Floor => stack.pop().floor(),
                Op::Logistic => stack.pop().logistic(),
                Op::Add
                | Op::Subtract
                | Op::Multiply
                | Op::Divide
                | Op::Power
                | Op::Min
                | Op::Max
                | Op::Less
                | Op::LessEqual
                | Op::Greater
                | Op::GreaterEqual
                | Op::Equal
                | Op::NotEqual
                | Op::And
                | Op::Or => {
                    let b = stack.pop();
                    let a = stack.pop();
                    match *op {
                        Op::Add => a.add(b),
                        Op::Subtract => a.subtract(b),
                        Op::Multiply => a.multiply(b),
                        Op::Divide => a.divide(b),
                        Op::Power => a.power(b),
                        Op::Min => a.min(b),
                        Op::Max => a.max(b),
                        Op::Less => a.less(b),
                        Op::LessEqual => a.less_equal(b),
                        Op::Greater => b.less(a),
                        Op::GreaterEqual => b.less_equal(a),
                        Op::Equal => a.equal(b),
                        Op::NotEqual => a.equal(b).not(),
                        Op::And => a.truth().and(b.truth()),
                        Op::Or => a.truth().or(b.truth()),
                        _ => Interval::UNKNOWN,
                    }
                }
            };
            stack.push(value);
        }
        stack.pop()
    }
}

impl Interval {
    /// A truth is 0 or 1, if it has a value, even where nothing is known of it.
    fn truth(self) -> Self {
        if self.undefined {
            Self::UNDECIDED
        } else {
            self
        }
    }
}
