//! Bounds of a formula by its fast code.
//!
//! Every step gives the bounds that [`Program::bound`] works out for the same operation. Most of them hold values that are
//! defined: then two ends are all there is to a bound, and one case of each operation is all that is needed.

use super::{Code, Does, From, HEIGHT, Source, Step, Steps};
use crate::formula::interval::{Interval, Ranges};
use crate::formula::program::{Program, greatest, least};

/// Bounds of values that are all defined; both ends are no numbers where a value may be undefined.
#[derive(Clone, Copy)]
struct Ends {
    low: f64,
    high: f64,
}

impl Code {
    /// The bounds that `program`, of which the code was made, gives of its value.
    #[inline]
    pub fn bound<R: Ranges>(&self, program: &Program, ranges: &R) -> Interval {
        let bound = match self {
            Self::Number(value) => Some(Ends::point(*value)),
            Self::Steps(steps) => steps.bound(ranges),
            Self::None => None,
        };
        match bound {
            Some(bound) if bound.is_defined() => bound.interval(),
            _ => program.bound(ranges),
        }
    }
}

impl Steps {
    /// `None` where a value may be undefined, or a condition may hold and not hold.
    fn bound<R: Ranges>(&self, ranges: &R) -> Option<Ends> {
        let mut a = Ends::ZERO;
        let mut waiting = [Ends::ZERO; HEIGHT];
        let mut height = 0_usize;
        let mut ahead = &self.steps[..];
        while let [step, behind @ ..] = ahead {
            ahead = behind;
            let b = if step.from == From::Waiting {
                height = height.wrapping_sub(1);
                waiting[height % HEIGHT]
            } else {
                self.operand(step, ranges)
            };
            let mut go_on_at = |position: u32| ahead = &self.steps[position as usize..];
            a = match step.does {
                Does::Take => b,
                Does::TakeToo => {
                    waiting[height % HEIGHT] = a;
                    height += 1;
                    b
                }
                Does::Add => a.add(b)?,
                Does::Subtract => a.subtract(b)?,
                Does::SubtractFrom => b.subtract(a)?,
                Does::Multiply => a.multiply(b)?,
                Does::Divide => a.divide(b)?,
                Does::DivideInto => b.divide(a)?,
                Does::Min => a.min(b),
                Does::MinOf => b.min(a),
                Does::Max => a.max(b),
                Does::MaxOf => b.max(a),
                Does::Negate => a.negate(),
                Does::Exp => a.unary(Interval::exp)?,
                Does::Ln => a.unary(Interval::ln)?,
                Does::Sqrt => a.unary(Interval::sqrt)?,
                Does::Abs => a.unary(Interval::abs)?,
                Does::Floor => a.unary(Interval::floor)?,
                Does::Logistic => a.unary(Interval::logistic)?,
                Does::Not => a.unary(Interval::not)?,
                Does::Power => a.binary(b, Interval::power)?,
                Does::PowerOf => b.binary(a, Interval::power)?,
                Does::Less => a.binary(b, Interval::less)?,
                Does::LessEqual => a.binary(b, Interval::less_equal)?,
                Does::Greater => b.binary(a, Interval::less)?,
                Does::GreaterEqual => b.binary(a, Interval::less_equal)?,
                Does::Equal => a.binary(b, Interval::equal)?,
                Does::NotEqual => a.binary(b, Interval::equal)?.unary(Interval::not)?,
                // The side that waits and the one held change places; neither operation minds.
                Does::And => a.binary(b, Interval::and)?,
                Does::Or => a.binary(b, Interval::or)?,
                Does::SkipAnd if a.high == 0.0 => {
                    go_on_at(step.index);
                    Ends::ZERO
                }
                Does::SkipOr if a.low > 0.0 => {
                    go_on_at(step.index);
                    Ends {
                        low: 1.0,
                        high: 1.0,
                    }
                }
                Does::SkipAnd | Does::SkipOr => {
                    waiting[height % HEIGHT] = a;
                    height += 1;
                    a
                }
                Does::Branch if a.low > 0.0 => a,
                Does::Branch if a.high == 0.0 => {
                    go_on_at(step.index);
                    a
                }
                Does::Jump => {
                    go_on_at(step.index);
                    a
                }
                Does::Branch
                | Does::ActorStock
                | Does::GridStock
                | Does::GridStockOf
                | Does::RungBetween
                | Does::Host
                | Does::Patron
                | Does::Related
                | Does::RelatedTo
                | Does::Member => return None,
            };
        }
        Some(a)
    }

    #[inline]
    fn operand<R: Ranges>(&self, step: &Step, ranges: &R) -> Ends {
        match step.from {
            From::Nothing => Ends::ZERO,
            From::Number => Ends::point(step.number),
            From::Parameter => Ends::point(ranges.parameter(step.index)),
            From::StillStock => Ends::point(ranges.still_stock(step.index)),
            From::Stock => Ends::of(ranges.stock(step.index)),
            From::Rung => Ends::of(ranges.rung(step.index)),
            From::Time => Ends::of(ranges.time()),
            From::Source => self.source(self.sources[step.index as usize], ranges),
            From::Waiting | From::Metric | From::Role | From::Field | From::StockOfRole => {
                Ends::UNDEFINED
            }
        }
    }

    fn source<R: Ranges>(&self, source: Source, ranges: &R) -> Ends {
        match source {
            Source::Total(total) => Ends::point(ranges.total(total)),
            Source::Gather {
                fold,
                contiguous,
                start,
                count,
                without,
            } => Ends::of(fold.bound(count, without, |position| {
                let place = start + position;
                ranges.stock(if contiguous {
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
    fn point(value: f64) -> Self {
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
    fn add(self, other: Self) -> Option<Self> {
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
    fn subtract(self, other: Self) -> Option<Self> {
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
    fn multiply(self, other: Self) -> Option<Self> {
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
    fn divide(self, other: Self) -> Option<Self> {
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
    fn min(self, other: Self) -> Self {
        Self {
            low: least(self.low, other.low),
            high: least(self.high, other.high),
        }
    }

    #[inline]
    fn max(self, other: Self) -> Self {
        Self {
            low: greatest(self.low, other.low),
            high: greatest(self.high, other.high),
        }
    }
}
