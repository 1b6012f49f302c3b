//! Draws of the uncertain parameters.

use super::Model;
use crate::random::StreamSource;

/// Draws the parameters of world after world.
///
/// Each parameter has a random stream of its own, keyed by its name, so that adding a parameter leaves the draws of the
/// others as they were.
#[derive(Clone, Debug)]
pub struct ParameterDraws {
    sources: Vec<StreamSource>,
}

impl ParameterDraws {
    /// Prepares the streams of every parameter of `model` under `seed`.
    pub fn new(model: &Model, seed: u64) -> Self {
        let source = |p: &super::Parameter| StreamSource::for_parameter(seed, &p.id);
        Self {
            sources: model.parameters.iter().map(source).collect(),
        }
    }

    /// The parameters of world `world`: a draw from each prior by inversion of its distribution function, and the default
    /// value of each parameter without one.
    pub fn world(&self, model: &Model, world: u64) -> Vec<f64> {
        let probabilities = self.probabilities(model, world);
        let pairs = model.parameters.iter().zip(probabilities);
        let draw = |(parameter, u): (&super::Parameter, f64)| {
            let prior = parameter.prior.as_ref();
            prior.map_or(parameter.value, |prior| prior.quantile(u))
        };
        pairs.map(draw).collect()
    }

    /// How far up its prior each parameter is in world `world`: the probability of a smaller value, uniform on (0, 1).
    /// Parameters without a prior have one too, with which nothing is done.
    pub fn probabilities(&self, model: &Model, world: u64) -> Vec<f64> {
        debug_assert_eq!(model.parameters.len(), self.sources.len());
        let sources = self.sources.iter();
        sources
            .map(|source| source.stream(world).uniform())
            .collect()
    }
}
