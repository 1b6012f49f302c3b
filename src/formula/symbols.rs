//! What the names of a scenario mean to the compiler.

use super::ast::Expr;

/// Marks, in [`StockShape::slots`], an actor, pair or presence for which the stock does not exist.
pub const NO_SLOT: u32 = u32::MAX;

/// The members of a set, in the order in which aggregates visit them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Members<'a> {
    /// A set of actors.
    Actors(&'a [u32]),
    /// A set of places.
    Places(&'a [u32]),
}

/// What one value of a stock belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockOf {
    /// The one world.
    World,
    /// An actor.
    Actor,
    /// An ordered pair of actors.
    Pair,
    /// An actor in a place.
    Presence,
}

/// A stock and where its values are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StockShape<'a> {
    /// For [`Environment::stock_slot`](super::Environment::stock_slot) and `elsewhere`.
    pub id: u32,
    /// What a value belongs to.
    pub of: StockOf,
    /// Slots by row: one for the world; by actor; by actor and actor; by actor and place. [`NO_SLOT`] where there is none.
    pub slots: &'a [u32],
    /// Row length of `slots`: 1 for world and actor stocks, the number of actors for pairs, of places for presences.
    pub columns: u32,
    /// What the stock reads where it does not exist.
    pub elsewhere: f64,
}

impl StockShape<'_> {
    /// The slot of a row (an actor) and a column; `None` where the stock does not exist.
    pub fn slot(&self, row: u32, column: u32) -> Option<u32> {
        if column >= self.columns {
            return None;
        }
        let index = u64::from(row) * u64::from(self.columns) + u64::from(column);
        let slot = *self.slots.get(usize::try_from(index).ok()?)?;
        (slot != NO_SLOT).then_some(slot)
    }
}

/// One-way relations between actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// Its rivals.
    Rivals,
    /// Its allies.
    Allies,
    /// Those whose patron the actor is.
    Clients,
}

/// A formula that has a name. Wherever the name stands, the formula is compiled in its place, and sees what can be seen there.
#[derive(Debug, Clone, Copy)]
pub struct Definition<'a> {
    /// For [`CheckError::within`](super::CheckError::within).
    pub index: u32,
    /// What the values in brackets after the name are called inside the formula; empty if it takes none.
    pub takes: &'a [String],
    /// `None` if its text is no formula, which has been reported.
    pub body: Option<&'a Expr>,
}

/// The names of a scenario. Indices are dense and start at 0.
pub trait Symbols {
    /// The index of a parameter.
    fn parameter(&self, name: &str) -> Option<u32>;
    /// The index of a metric.
    fn metric(&self, name: &str) -> Option<u32>;
    /// The index of an actor.
    fn actor(&self, name: &str) -> Option<u32>;
    /// The index of a place.
    fn place(&self, name: &str) -> Option<u32>;
    /// Declared and built-in sets (`actors`, `places`, `states`, ...).
    fn set(&self, name: &str) -> Option<Members<'_>>;
    /// A stock and its table.
    fn stock(&self, name: &str) -> Option<StockShape<'_>>;
    /// The index of a rung of the ladder, for `rungs.name`.
    fn rung_index(&self, name: &str) -> Option<u32>;
    /// The index of an unordered pair of two different actors, for `rung[a, b]`.
    fn pair_slot(&self, a: u32, b: u32) -> u32;
    /// The actor on whose ground a place is.
    fn host(&self, place: u32) -> Option<u32>;
    /// The patron of a proxy or agency.
    fn patron(&self, actor: u32) -> Option<u32>;
    /// Those to whom `actor` stands in the relation: its rivals, allies or clients.
    fn relation(&self, relation: Relation, actor: u32) -> &[u32];
    /// A named formula.
    fn definition(&self, name: &str) -> Option<Definition<'_>>;
    /// Every name there is, for "did you mean".
    fn candidates(&self) -> Vec<String>;
    /// How many actors there are.
    fn actor_count(&self) -> u32;
    /// How many places there are.
    fn place_count(&self) -> u32;
}
