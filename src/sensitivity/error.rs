//! What can go wrong in a study, and what a failed run is.

use thiserror::Error;

/// Why a design or an analysis could not be made.
///
/// Row numbers are absolute: they are the numbers by which a design gives its rows.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// The list of factors is empty.
    #[error("a study needs at least one factor")]
    NoFactors,
    /// Two factors have the same name.
    #[error("two factors have the name `{0}`")]
    DuplicateFactor(String),
    /// The distribution of a factor is not valid.
    #[error("factor `{factor}`: {problem}")]
    BadFactor {
        /// Name of the factor.
        factor: String,
        /// What is wrong with it.
        problem: String,
    },
    /// More coordinates than the Sobol sequence has.
    #[error("the design needs {needed} Sobol dimensions, but there are {limit}")]
    TooManyDimensions {
        /// Dimensions that the design needs.
        needed: usize,
        /// Dimensions that there are.
        limit: usize,
    },
    /// More points in one scramble than the Sobol sequence has.
    #[error("{needed} points in one scramble are asked for, but there are {limit}")]
    TooManyPoints {
        /// Points asked for.
        needed: usize,
        /// Points that there are.
        limit: usize,
    },
    /// A setting is outside its range.
    #[error("{name}: {problem}")]
    BadSetting {
        /// Name of the setting.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A vector has the wrong length.
    #[error("{what}: {expected} values are needed, {got} were given")]
    Length {
        /// Which vector.
        what: &'static str,
        /// Length that is needed.
        expected: usize,
        /// Length that was given.
        got: usize,
    },
    /// A value is NaN or infinite (a run that failed must be given as a [`Failure`]).
    #[error("row {row}: `{column}` is {value}, which is not a finite number")]
    NotFinite {
        /// Absolute row number.
        row: usize,
        /// Name of the column.
        column: String,
        /// The value as text.
        value: String,
    },
    /// Too few complete rows are left once failed runs are taken out.
    #[error(
        "{got} complete rows are left of {total}, at least {needed} are needed ({failed} runs failed)"
    )]
    TooFewRows {
        /// Complete rows.
        got: usize,
        /// Rows in all.
        total: usize,
        /// Rows needed.
        needed: usize,
        /// Failed runs.
        failed: usize,
    },
    /// The output has no variance, so shares of it do not exist.
    #[error("the output is the same in every run: shares of its variance are not defined")]
    ConstantOutput,
    /// A column is a linear function of others (in ranks).
    #[error("column `{0}` is constant or a linear function of the other columns in ranks")]
    Collinear(String),
}

impl Error {
    pub(crate) fn setting(name: &'static str, problem: impl Into<String>) -> Self {
        Error::BadSetting {
            name,
            problem: problem.into(),
        }
    }
}

/// A run that gave no output, with the name of the reason.
///
/// Equal names are counted together, so a name should not hold values that differ from run to run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("run failed: {name}")]
pub struct Failure {
    /// Name of the reason.
    pub name: String,
}

impl Failure {
    /// A failure with this reason.
    pub fn new(name: impl Into<String>) -> Self {
        Failure { name: name.into() }
    }
}

/// Output of one run, or why there is none.
pub type Outcome = Result<f64, Failure>;
