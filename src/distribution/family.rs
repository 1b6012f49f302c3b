//! The parametric families: their names, their parameters and what these may be.

use super::DistributionError;
use super::normal;
use crate::math;

/// The largest number of parameters of a family.
pub const MAX_PARAMETERS: usize = 4;

/// The largest magnitude of a parameter, and the smallest of one that must be positive: their sums
/// and quotients stay finite.
pub(super) const LARGEST: f64 = 1e150;
const SMALLEST: f64 = 1e-150;

const INF: f64 = f64::INFINITY;

/// A parametric family of distributions. The parameters are named as in a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// `constant(value)`: one value, for certain.
    Constant,
    /// `uniform(low, high)`.
    Uniform,
    /// `log_uniform(low, high)`: the logarithm is uniform.
    LogUniform,
    /// `triangular(low, mode, high)`.
    Triangular,
    /// `normal(mean, sd, low = -inf, high = inf)`: `mean` and `sd` are those of the normal before
    /// it is truncated to `[low, high]`.
    Normal,
    /// `lognormal(median, sigma, low = 0, high = inf)`: the logarithm is normal with mean
    /// `ln median` and standard deviation `sigma`, before truncation to `[low, high]`.
    LogNormal,
    /// `exponential(mean)`.
    Exponential,
    /// `weibull(scale, shape)`: `P(X > x) = exp(-(x / scale)^shape)`.
    Weibull,
    /// `beta(alpha, beta, low = 0, high = 1)`: the beta distribution stretched to `[low, high]`.
    Beta,
    /// `pert(low, mode, high)`: the beta distribution on `[low, high]` with
    /// `alpha = 1 + 4 (mode - low) / (high - low)` and `beta = 1 + 4 (high - mode) / (high - low)`,
    /// whose mean is `(low + 4 mode + high) / 6` (Malcolm et al., Operations Research 7(5), 1959).
    Pert,
    /// `power_law(exponent, min, max = inf)`: density proportional to `x^-exponent` on
    /// `[min, max]`.
    PowerLaw,
    /// `discrete_power_law(exponent, min, max = inf)`: whole numbers, the continuous power law on
    /// `[min - 1/2, max + 1/2]` rounded to the nearest (Clauset, Shalizi and Newman, SIAM Review
    /// 51(4), 2009, equation D.6).
    ///
    /// It approximates the law `P(k)` proportional to `k^-exponent`. For exponents from 1.5 to 3,
    /// `P(min)` is too large by at most 11% of itself at `min` = 1, 4% at 2, 1% at 5.
    DiscretePowerLaw,
}

/// One parameter of a [`Family`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in a scenario file.
    pub name: &'static str,
    /// The value it has when left out; `None` where it must be given.
    pub default: Option<f64>,
}

const fn required(name: &'static str) -> Parameter {
    Parameter {
        name,
        default: None,
    }
}

const fn optional(name: &'static str, default: f64) -> Parameter {
    Parameter {
        name,
        default: Some(default),
    }
}

const FINITE: &str = "a number between -1e150 and 1e150";
const POSITIVE: &str = "a positive number, from 1e-150 to 1e150";
const WIDTH: &str = "a positive number, from 1e-150 to 1e150 (for no spread, use constant)";
const SIGMA: &str = "a number above 0, at most 20 (for no spread, use constant)";
const EXPONENT: &str = "a number above 1, at most 1000 (for an exponent of 1, use log_uniform)";
const BETA_SHAPE: &str = "a number from 0.01 to 10000";
const WHOLE: &str = "a whole number from 1 to 1e15";
const MAX_WHOLE: &str = "a whole number from 1 to 1e15, or leave it out for no limit";
const LOW_HIGH: &str = "make low less than high (for a single value, use constant)";
const MIN_MAX: &str = "make min less than max (for a single value, use constant)";

impl Family {
    /// Every family.
    pub const ALL: [Family; 12] = [
        Family::Constant,
        Family::Uniform,
        Family::LogUniform,
        Family::Triangular,
        Family::Normal,
        Family::LogNormal,
        Family::Exponential,
        Family::Weibull,
        Family::Beta,
        Family::Pert,
        Family::PowerLaw,
        Family::DiscretePowerLaw,
    ];

    /// The name in a scenario file.
    pub const fn name(self) -> &'static str {
        match self {
            Family::Constant => "constant",
            Family::Uniform => "uniform",
            Family::LogUniform => "log_uniform",
            Family::Triangular => "triangular",
            Family::Normal => "normal",
            Family::LogNormal => "lognormal",
            Family::Exponential => "exponential",
            Family::Weibull => "weibull",
            Family::Beta => "beta",
            Family::Pert => "pert",
            Family::PowerLaw => "power_law",
            Family::DiscretePowerLaw => "discrete_power_law",
        }
    }

    /// The family of that name.
    pub fn from_name(name: &str) -> Option<Family> {
        Family::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The parameters, in the order in which their values are given; those with a default come
    /// last.
    pub const fn parameters(self) -> &'static [Parameter] {
        match self {
            Family::Constant => const { &[required("value")] },
            Family::Uniform | Family::LogUniform => const { &[required("low"), required("high")] },
            Family::Triangular | Family::Pert => {
                const { &[required("low"), required("mode"), required("high")] }
            }
            Family::Normal => {
                const {
                    &[
                        required("mean"),
                        required("sd"),
                        optional("low", -INF),
                        optional("high", INF),
                    ]
                }
            }
            Family::LogNormal => {
                const {
                    &[
                        required("median"),
                        required("sigma"),
                        optional("low", 0.0),
                        optional("high", INF),
                    ]
                }
            }
            Family::Exponential => const { &[required("mean")] },
            Family::Weibull => const { &[required("scale"), required("shape")] },
            Family::Beta => {
                const {
                    &[
                        required("alpha"),
                        required("beta"),
                        optional("low", 0.0),
                        optional("high", 1.0),
                    ]
                }
            }
            Family::PowerLaw | Family::DiscretePowerLaw => {
                const { &[required("exponent"), required("min"), optional("max", INF)] }
            }
        }
    }

    /// How the family is written, such as `normal(mean, sd, [low, high])`.
    pub const fn signature(self) -> &'static str {
        match self {
            Family::Constant => "constant(value)",
            Family::Uniform => "uniform(low, high)",
            Family::LogUniform => "log_uniform(low, high)",
            Family::Triangular => "triangular(low, mode, high)",
            Family::Normal => "normal(mean, sd, [low, high])",
            Family::LogNormal => "lognormal(median, sigma, [low, high])",
            Family::Exponential => "exponential(mean)",
            Family::Weibull => "weibull(scale, shape)",
            Family::Beta => "beta(alpha, beta, [low, high])",
            Family::Pert => "pert(low, mode, high)",
            Family::PowerLaw => "power_law(exponent, min, [max])",
            Family::DiscretePowerLaw => "discrete_power_law(exponent, min, [max])",
        }
    }

    /// Checks values given in the order of [`Family::parameters`]; trailing ones that have a
    /// default may be left out.
    ///
    /// # Errors
    ///
    /// The first fault: the wrong number of values, a value out of range, two values in the wrong
    /// order, or a truncation that leaves nothing.
    pub fn validate(self, values: &[f64]) -> Result<(), DistributionError> {
        self.complete(values).map(drop)
    }

    /// The values, checked, with defaults filled in and zeros behind them.
    pub(super) fn complete(
        self,
        values: &[f64],
    ) -> Result<[f64; MAX_PARAMETERS], DistributionError> {
        let parameters = self.parameters();
        let required = parameters.iter().filter(|p| p.default.is_none()).count();
        if values.len() < required || values.len() > parameters.len() {
            return Err(DistributionError::Count {
                family: self,
                required,
                found: values.len(),
            });
        }
        let mut complete = [0.0; MAX_PARAMETERS];
        for (i, (slot, parameter)) in complete.iter_mut().zip(parameters).enumerate() {
            *slot = values.get(i).copied().or(parameter.default).unwrap_or(0.0);
        }
        self.check(&complete)?;
        Ok(complete)
    }

    fn check(self, v: &[f64; MAX_PARAMETERS]) -> Result<(), DistributionError> {
        match self {
            Family::Constant => self.finite(v, 0),
            Family::Uniform => {
                self.finite(v, 0)?;
                self.finite(v, 1)?;
                self.less(v, 0, 1, LOW_HIGH)
            }
            Family::LogUniform => {
                self.positive(v, 0, POSITIVE)?;
                self.positive(v, 1, POSITIVE)?;
                self.less(v, 0, 1, LOW_HIGH)
            }
            Family::Triangular | Family::Pert => {
                self.finite(v, 0)?;
                self.finite(v, 1)?;
                self.finite(v, 2)?;
                self.less(v, 0, 2, LOW_HIGH)?;
                self.at_most(v, 0, 1, "make low at most mode")?;
                self.at_most(v, 1, 2, "make mode at most high")
            }
            Family::Normal => {
                self.finite(v, 0)?;
                self.positive(v, 1, WIDTH)?;
                self.bound(
                    v,
                    2,
                    -INF,
                    "a number up to 1e150, or leave it out for no limit",
                )?;
                self.bound(
                    v,
                    3,
                    INF,
                    "a number from -1e150, or leave it out for no limit",
                )?;
                self.less(v, 2, 3, LOW_HIGH)?;
                self.mass(v, normal::standardize(v[0], v[1], v[2], v[3]))
            }
            Family::LogNormal => {
                self.positive(v, 0, POSITIVE)?;
                self.require(v, 1, v[1] > 0.0 && v[1] <= 20.0, SIGMA)?;
                self.require(
                    v,
                    2,
                    v[2] >= 0.0 && v[2] <= LARGEST,
                    "a number from 0 to 1e150",
                )?;
                self.require(
                    v,
                    3,
                    v[3] > 0.0,
                    "a number above 0, or leave it out for no limit",
                )?;
                self.less(v, 2, 3, LOW_HIGH)?;
                let (low, high) = (math::ln(v[2]), math::ln(v[3]));
                self.mass(v, normal::standardize(math::ln(v[0]), v[1], low, high))
            }
            Family::Exponential => self.positive(v, 0, POSITIVE),
            Family::Weibull => {
                self.positive(v, 0, POSITIVE)?;
                let requirement = "a number from 0.01 to 10000";
                self.require(v, 1, (0.01..=1e4).contains(&v[1]), requirement)
            }
            Family::Beta => {
                self.require(v, 0, (0.01..=1e4).contains(&v[0]), BETA_SHAPE)?;
                self.require(v, 1, (0.01..=1e4).contains(&v[1]), BETA_SHAPE)?;
                self.finite(v, 2)?;
                self.finite(v, 3)?;
                self.less(v, 2, 3, LOW_HIGH)
            }
            Family::PowerLaw => {
                self.require(v, 0, v[0] > 1.0 && v[0] <= 1000.0, EXPONENT)?;
                self.positive(v, 1, POSITIVE)?;
                self.require(
                    v,
                    2,
                    v[2] > 0.0,
                    "a number above 0, or leave it out for no limit",
                )?;
                self.less(v, 1, 2, MIN_MAX)
            }
            Family::DiscretePowerLaw => {
                self.require(v, 0, v[0] > 1.0 && v[0] <= 1000.0, EXPONENT)?;
                self.require(v, 1, is_whole(v[1]), WHOLE)?;
                self.require(v, 2, v[2] == INF || is_whole(v[2]), MAX_WHOLE)?;
                self.less(v, 1, 2, MIN_MAX)
            }
        }
    }

    fn require(
        self,
        v: &[f64; MAX_PARAMETERS],
        index: usize,
        holds: bool,
        requirement: &'static str,
    ) -> Result<(), DistributionError> {
        if holds {
            return Ok(());
        }
        let parameter = self.parameters()[index].name;
        Err(DistributionError::Parameter {
            family: self,
            parameter,
            value: v[index],
            requirement,
        })
    }

    fn finite(self, v: &[f64; MAX_PARAMETERS], index: usize) -> Result<(), DistributionError> {
        self.require(v, index, v[index].abs() <= LARGEST, FINITE)
    }

    fn positive(
        self,
        v: &[f64; MAX_PARAMETERS],
        index: usize,
        requirement: &'static str,
    ) -> Result<(), DistributionError> {
        self.require(
            v,
            index,
            (SMALLEST..=LARGEST).contains(&v[index]),
            requirement,
        )
    }

    /// A truncation bound: any ordinary number, or the infinity that means none.
    fn bound(
        self,
        v: &[f64; MAX_PARAMETERS],
        index: usize,
        none: f64,
        requirement: &'static str,
    ) -> Result<(), DistributionError> {
        self.require(
            v,
            index,
            v[index].abs() <= LARGEST || v[index] == none,
            requirement,
        )
    }

    fn less(
        self,
        v: &[f64; MAX_PARAMETERS],
        lower: usize,
        upper: usize,
        advice: &'static str,
    ) -> Result<(), DistributionError> {
        if v[lower] < v[upper] {
            Ok(())
        } else {
            Err(self.order(v, lower, upper, advice))
        }
    }

    fn at_most(
        self,
        v: &[f64; MAX_PARAMETERS],
        lower: usize,
        upper: usize,
        advice: &'static str,
    ) -> Result<(), DistributionError> {
        if v[lower] <= v[upper] {
            Ok(())
        } else {
            Err(self.order(v, lower, upper, advice))
        }
    }

    fn order(
        self,
        v: &[f64; MAX_PARAMETERS],
        lower: usize,
        upper: usize,
        advice: &'static str,
    ) -> DistributionError {
        DistributionError::Order {
            family: self,
            lower: self.parameters()[lower].name,
            lower_value: v[lower],
            upper: self.parameters()[upper].name,
            upper_value: v[upper],
            advice,
        }
    }

    /// Below 1e-280 the normal distribution function runs out of digits.
    fn mass(self, v: &[f64; MAX_PARAMETERS], (a, b): (f64, f64)) -> Result<(), DistributionError> {
        if normal::mass(a, b) >= 1e-280 {
            return Ok(());
        }
        Err(DistributionError::Empty {
            family: self,
            low: v[2],
            high: v[3],
        })
    }
}

fn is_whole(x: f64) -> bool {
    (1.0..=1e15).contains(&x) && x.floor() == x
}
