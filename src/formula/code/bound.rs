//! Bounds of a formula by its fast code.
//!
//! Every step gives the bounds that [`Program::bound`] works out for the same operation. Most of them hold values that are
//! defined: then two ends are all there is to a bound, and one case of each operation is all that is needed.

use super::{Code, Does, From, Fused, HEIGHT, Source, Step, Steps, step_value};
use crate::formula::interval::{Interval, Ranges};
use crate::formula::program::{Program, greatest, least};
use crate::formula::total::Total;

/// Bounds of values that are all defined; both ends are no numbers where a value may be undefined.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    low: f64,
    high: f64,
}

/// What a formula reads, as ends.
pub(super) struct Reader<'a, R>(&'a R);

impl<R: Ranges> Reader<'_, R> {
    #[inline]
    pub(super) fn parameter(&self, index: u32) -> Ends {
        Ends::point(self.0.parameter(index))
    }

    #[inline]
    pub(super) fn still_stock(&self, slot: u32) -> Ends {
        Ends::point(self.0.still_stock(slot))
    }

    #[inline]
    pub(super) fn stock(&self, slot: u32) -> Ends {
        Ends::of(self.0.stock(slot))
    }

    #[inline]
    fn total(&self, total: Total) -> Ends {
        Ends::point(self.0.total(total))
    }
}

impl Code {
    /// The bounds that `program`, of which the code was made, gives of its value.
    #[inline]
    pub fn bound<R: Ranges>(&self, program: &Program, ranges: &R) -> Interval {
        let bound = match self {
            Self::Chain(chain) => chain.bound(&Reader(ranges)),
            Self::Steps(steps) => steps.bound(&Reader(ranges)),
            Self::Number(_) | Self::Stock(_) | Self::Rung(_) | Self::None => None,
        };
        match bound {
            Some(bound) if bound.is_defined() => bound.interval(),
            _ => program.bound(ranges),
        }
    }
}

impl Steps {
    /// `None` where a value may be undefined, or a condition may hold and not hold.
    fn bound<R: Ranges>(&self, ranges: &Reader<'_, R>) -> Option<Ends> {
        let mut a = Ends::ZERO;
        let mut waiting = [Ends::ZERO; HEIGHT];
        let mut height = 0_usize;
        let mut ahead = &self.steps[..];
        while let [step, behind @ ..] = ahead {
            ahead = behind;
            a = step_value! {
                step, self, ranges, waiting, height;
                number Ends::point, operand operand_ends, none return None;
                with b {
                    Take => b,
                    TakeToo => {
                        waiting[height % HEIGHT] = a;
                        height += 1;
                        b
                    },
                    Add => a.add(b)?,
                    Subtract => a.subtract(b)?,
                    SubtractFrom => b.subtract(a)?,
                    Multiply => a.multiply(b)?,
                    Divide => a.divide(b)?,
                    DivideInto => b.divide(a)?,
                    Min => a.min(b),
                    MinOf => b.min(a),
                    Max => a.max(b),
                    MaxOf => b.max(a),
                    Less => a.binary(b, Interval::less)?,
                    LessEqual => a.binary(b, Interval::less_equal)?,
                    Greater => b.binary(a, Interval::less)?,
                    GreaterEqual => b.binary(a, Interval::less_equal)?,
                    Equal => a.binary(b, Interval::equal)?,
                    NotEqual => a.binary(b, Interval::equal)?.unary(Interval::not)?,
                    Power => a.binary(b, Interval::power)?,
                    PowerOf => b.binary(a, Interval::power)?,
                    // The side that waits and the one held change places; neither operation minds.
                    And => a.binary(b, Interval::and)?,
                    Or => a.binary(b, Interval::or)?,
                }
                alone {
                    Negate => a.negate(),
                    Not => a.unary(Interval::not)?,
                    Exp => a.unary(Interval::exp)?,
                    Ln => a.unary(Interval::ln)?,
                    Sqrt => a.unary(Interval::sqrt)?,
                    Abs => a.unary(Interval::abs)?,
                    Floor => a.unary(Interval::floor)?,
                    Logistic => a.unary(Interval::logistic)?,
                    SkipAnd => if a.high == 0.0 {
                        ahead = &self.steps[step.index as usize..];
                        Ends::ZERO
                    } else {
                        waiting[height % HEIGHT] = a;
                        height += 1;
                        a
                    },
                    SkipOr => if a.low > 0.0 {
                        ahead = &self.steps[step.index as usize..];
                        Ends::point(1.0)
                    } else {
                        waiting[height % HEIGHT] = a;
                        height += 1;
                        a
                    },
                    Branch => if a.high == 0.0 {
                        ahead = &self.steps[step.index as usize..];
                        a
                    } else if a.low > 0.0 {
                        a
                    } else {
                        return None;
                    },
                    Jump => {
                        ahead = &self.steps[step.index as usize..];
                        a
                    },
                }
            };
        }
        Some(a)
    }

    /// An operand that has no code of its own.
    fn operand_ends<R: Ranges>(&self, step: &Step, ranges: &Reader<'_, R>) -> Ends {
        match step.from {
            From::Rung => Ends::of(ranges.0.rung(step.index)),
            From::Time => Ends::of(ranges.0.time()),
            From::Source => self.source_ends(self.sources[step.index as usize], ranges),
            _ => Ends::UNDEFINED,
        }
    }

    fn source_ends<R: Ranges>(&self, source: Source, ranges: &Reader<'_, R>) -> Ends {
        match source {
            Source::Gather {
                fold,
                contiguous,
                start,
                count,
                without,
            } => Ends::of(fold.bound(count, without, |position| {
                let place = start + position;
                ranges.0.stock(if contiguous {
                    place
                } else {
                    self.pool[place as usize]
                })
            })),
            Source::GridStock { .. } | Source::Rung(..) | Source::Member { .. } => Ends::UNDEFINED,
        }
    }
}

impl Ends {
    const ZERO: Self = Self {
        low: 0.0,
        high: 0.0,
    };
    const UNDEFINED: Self = Self {
        low: f64::NAN,
        high: f64::NAN,
    };

    #[inline]
    pub(super) fn point(value: f64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }

    #[inline]
    fn of(interval: Interval) -> Self {
        if interval.undefined {
            return Self::UNDEFINED;
        }
        Self {
            low: interval.low,
            high: interval.high,
        }
    }

    #[inline]
    fn is_defined(self) -> bool {
        !self.low.is_nan()
    }

    #[inline]
    fn interval(self) -> Interval {
        Interval::new(self.low, self.high)
    }

    #[inline]
    fn is_finite(self) -> bool {
        self.low > f64::NEG_INFINITY && self.high < f64::INFINITY
    }

    #[inline(never)]
    fn unary(self, f: impl Fn(Interval) -> Interval) -> Option<Self> {
        if !self.is_defined() {
            return None;
        }
        let result = Self::of(f(self.interval()));
        result.is_defined().then_some(result)
    }

    #[inline(never)]
    fn binary(self, other: Self, f: impl Fn(Interval, Interval) -> Interval) -> Option<Self> {
        if !(self.is_defined() && other.is_defined()) {
            return None;
        }
        let result = Self::of(f(self.interval(), other.interval()));
        result.is_defined().then_some(result)
    }

    #[inline]
    pub(super) fn add(self, other: Self) -> Option<Self> {
        let sum = Self {
            low: self.low + other.low,
            high: self.high + other.high,
        };
        if sum.is_finite() {
            return Some(sum);
        }
        self.binary(other, Interval::add)
    }

    #[inline]
    pub(super) fn subtract(self, other: Self) -> Option<Self> {
        self.add(other.negate())
    }

    #[inline]
    fn negate(self) -> Self {
        Self {
            low: -self.high,
            high: -self.low,
        }
    }

    #[inline]
    pub(super) fn multiply(self, other: Self) -> Option<Self> {
        let product = if self.low >= 0.0 {
            self.times(other)
        } else if other.low >= 0.0 {
            other.times(self)
        } else {
            Self::UNDEFINED
        };
        // With an infinite end of a factor, an end of this is infinite or no number.
        if product.is_finite() {
            return Some(product);
        }
        self.binary(other, Interval::multiply)
    }

    /// The product with a factor that is not negative. Each end of the other factor is met by the end of this one that carries
    /// it further out; since rounding is monotone, no other product lies beyond.
    #[inline]
    fn times(self, other: Self) -> Self {
        let by_low = if other.low < 0.0 { self.high } else { self.low };
        let by_high = if other.high < 0.0 {
            self.low
        } else {
            self.high
        };
        Self {
            low: by_low * other.low,
            high: by_high * other.high,
        }
    }

    #[inline]
    pub(super) fn divide(self, other: Self) -> Option<Self> {
        if other.low > 0.0 {
            // As for products: a positive divisor is met by the end that carries the quotient further out.
            let by_low = if self.low < 0.0 {
                other.low
            } else {
                other.high
            };
            let by_high = if self.high < 0.0 {
                other.high
            } else {
                other.low
            };
            let quotient = Self {
                low: self.low / by_low,
                high: self.high / by_high,
            };
            if quotient.is_finite() {
                return Some(quotient);
            }
        }
        self.binary(other, Interval::divide)
    }

    #[inline]
    pub(super) fn min(self, other: Self) -> Self {
        Self {
            low: least(self.low, other.low),
            high: least(self.high, other.high),
        }
    }

    #[inline]
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            low: greatest(self.low, other.low),
            high: greatest(self.high, other.high),
        }
    }
}
