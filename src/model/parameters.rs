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
        let draw = |(parameter, source): (&super::Parameter, &StreamSource)| {
            let prior = parameter.prior.as_ref();
            prior.map_or(parameter.value, |p| {
                p.quantile(source.stream(world).uniform())
            })
        };
        let pairs = model.parameters.iter().zip(&self.sources);
        pairs.map(draw).collect()
    }
}
