//! Calibration: which values of the parameters would have made the past likely, and how little that may narrow them.
//!
//! Patterns are questions of hindcasts with known answers, listed before anything is fitted and kept apart: some are fitted, the
//! others are held out for checking (pattern-oriented modelling: Grimm et al. 2005). Worlds are drawn from the priors, the same
//! in every hindcast because draws are keyed by name, and each is weighted by how probable it makes the fitted patterns.
//!
//! The weight of a world is the product over hindcasts of the mean over its runs of the product of kernels, one for each fitted
//! pattern. A kernel is the probability of the record given a run: it spreads by the error of the record and by the discrepancy
//! of the scenario, both stated for each pattern. So acceptance is not an approximation but exact under these errors (Wilkinson
//! 2013), and since the mean over runs is unbiased (hindcasts being independent given a world) the weighted worlds follow the exact posterior (Beaumont 2003). With a kernel
//! of 0 and 1 this is rejection sampling (Tavare et al. 1997; approximate Bayesian computation: Beaumont, Zhang and Balding
//! 2002). Beside it stands the implausibility of history matching (Craig et al. 1997), which says world by world whether a
//! pattern is out of reach.
//!
//! Fitted priors are never tighter than the patterns allow: see [`fit`].
//!
//! Sources: V. Grimm et al., "Pattern-oriented modeling of agent-based complex systems: lessons from ecology", Science 310 (2005);
//! R. D. Wilkinson, "Approximate Bayesian computation (ABC) gives exact results under the assumption of model error", Statistical
//! Applications in Genetics and Molecular Biology 12 (2013); M. A. Beaumont, "Estimation of population growth or decline in
//! genetically monitored populations", Genetics 164 (2003); S. Tavare et al., "Inferring coalescence times from DNA sequence
//! data", Genetics 145 (1997); M. A. Beaumont, W. Zhang and D. J. Balding, "Approximate Bayesian computation in population
//! genetics", Genetics 162 (2002); P. S. Craig et al., "Pressure matching for hydrocarbon reservoirs", Case Studies in Bayesian
//! Statistics III (1997).

pub mod fit;
pub mod kernel;
pub mod posterior;
pub mod raw;
pub mod read;
mod runs;

pub use posterior::{Calibrated, CalibrationError, calibrate};
pub use read::{Calibration, read};
