//! The names of a scenario and what they stand for: the [`Symbols`] of its formulas.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use indexmap::{IndexMap, IndexSet};

use super::problems::Problems;
use crate::formula::{
    Definition, Expr, ExprKind, Members, NO_SLOT, RESERVED, Relation, StockOf, StockShape, Symbols,
    is_function, parse_formula,
};
use crate::model::pair_index;
use crate::scenario::raw::{
    ActorKind, Expression, PerKey, RawActor, RawScenario, RawSet, RawStock, StockOwner,
};
use crate::scenario::schema::is_id;
use crate::scenario::tree::Path;

/// The members of a declared or built-in set.
#[derive(Clone, Debug)]
pub(super) enum SetMembers {
    Actors(Vec<u32>),
    Places(Vec<u32>),
}

/// A stock and where its slots are.
#[derive(Clone, Debug)]
pub(super) struct StockTable {
    pub of: StockOf,
    pub slots: Vec<u32>,
    pub columns: u32,
    pub elsewhere: f64,
}

/// A named formula.
#[derive(Debug)]
pub(super) struct NamedFormula<'a> {
    takes: &'a [String],
    /// `None` if its text is no formula.
    body: Option<Expr>,
    /// Whether a formula that was compiled has named it.
    pub used: Cell<bool>,
}

/// Everything that a formula can name. Names that could not be resolved have been reported.
pub(super) struct Names<'a> {
    pub parameters: IndexSet<&'a str>,
    pub metrics: IndexSet<&'a str>,
    pub formulas: IndexMap<&'a str, NamedFormula<'a>>,
    /// Actors with copies made by `count`, and the declaration of each.
    pub actors: IndexMap<String, (&'a str, &'a RawActor)>,
    pub places: IndexSet<&'a str>,
    pub sets: BTreeMap<&'a str, SetMembers>,
    pub stocks: IndexMap<&'a str, StockTable>,
    pub rungs: IndexSet<&'a str>,
    pub hosts: Vec<Option<u32>>,
    pub patrons: Vec<Option<u32>>,
    pub rivals: Vec<Vec<u32>>,
    pub allies: Vec<Vec<u32>>,
    pub clients: Vec<Vec<u32>>,
    pub slot_count: u32,
}

/// The most actors, and the most slots, that a scenario may have: enough for any crisis, and too few to fill a memory.
const MOST_ACTORS: u32 = 10_000;
const MOST_SLOTS: usize = 2_000_000;

impl<'a> Names<'a> {
    pub fn collect(raw: &'a RawScenario, problems: &mut Problems) -> Self {
        let mut names = Self {
            parameters: raw.parameter.keys().map(String::as_str).collect(),
            metrics: raw.metric.keys().map(String::as_str).collect(),
            formulas: IndexMap::new(),
            actors: IndexMap::new(),
            places: raw.place.keys().map(String::as_str).collect(),
            sets: BTreeMap::new(),
            stocks: IndexMap::new(),
            rungs: raw.ladder.rung.iter().map(|r| r.id.as_str()).collect(),
            hosts: Vec::new(),
            patrons: Vec::new(),
            rivals: Vec::new(),
            allies: Vec::new(),
            clients: Vec::new(),
            slot_count: 0,
        };
        names.add_actors(raw, problems);
        names.add_built_in_sets();
        names.add_sets(raw, problems);
        names.add_relations(raw, problems);
        names.add_stocks(raw, problems);
        names.check_name_space(raw, problems);
        names.add_formulas(raw, problems);
        names
    }

    fn add_actors(&mut self, raw: &'a RawScenario, problems: &mut Problems) {
        for (id, actor) in &raw.actor {
            let path = Path::keys(["actor", id, "count"]);
            match actor.count {
                None => {
                    self.actors.insert(id.clone(), (id, actor));
                }
                Some(count) if (1..=MOST_ACTORS).contains(&count) => {
                    let first = self.actors.len() as u32;
                    for number in 1..=count {
                        self.actors.insert(format!("{id}_{number}"), (id, actor));
                    }
                    let members = (first..first + count).collect();
                    self.sets.insert(id, SetMembers::Actors(members));
                }
                Some(count) => problems.error(
                    &path,
                    format!("`count` is {count}, but must lie between 1 and {MOST_ACTORS}"),
                ),
            }
        }
    }

    fn add_built_in_sets(&mut self) {
        let kinds = [
            ("states", ActorKind::State),
            ("agencies", ActorKind::Agency),
            ("groups", ActorKind::Group),
            ("proxies", ActorKind::Proxy),
            ("publics", ActorKind::Public),
            ("organizations", ActorKind::Organization),
        ];
        for (name, kind) in kinds {
            let members = (0..).zip(self.actors.values());
            let members = members.filter(|(_, (_, actor))| actor.kind == kind);
            let members = members.map(|(index, _)| index).collect();
            self.sets.insert(name, SetMembers::Actors(members));
        }
        let actors = (0..self.actors.len() as u32).collect();
        self.sets.insert("actors", SetMembers::Actors(actors));
        let places = (0..self.places.len() as u32).collect();
        self.sets.insert("places", SetMembers::Places(places));
    }

    /// Sets may be made of other sets, in any order: each is added once those that it names are there.
    fn add_sets(&mut self, raw: &'a RawScenario, problems: &mut Problems) {
        let mut waiting: Vec<(&'a String, &'a RawSet)> = raw.set.iter().collect();
        while !waiting.is_empty() {
            let known = |name: &String| !waiting.iter().any(|(id, _)| *id == name);
            let (ready, rest): (Vec<_>, Vec<_>) =
                (waiting.iter().copied()).partition(|(_, set)| named_by(set).all(known));
            if ready.is_empty() {
                for (id, _) in rest {
                    let message =
                        format!("the set `{id}` is made of itself, through others or directly");
                    problems.error(&Path::keys(["set", id]), message);
                }
                return;
            }
            for (id, set) in ready {
                self.add_set(id, set, problems);
            }
            waiting = rest;
        }
    }

    fn add_set(&mut self, id: &'a str, set: &RawSet, problems: &mut Problems) {
        let path = Path::keys(["set", id]);
        let members = match (&set.actors, &set.places) {
            (Some(list), None) => {
                SetMembers::Actors(self.actor_list(list, &path.key("actors"), problems))
            }
            (None, Some(list)) => {
                SetMembers::Places(self.place_list(list, &path.key("places"), problems))
            }
            _ => return problems.error(&path, "a set lists either `actors` or `places`"),
        };
        // A name that is taken is reported with all others of its sort.
        if !BUILT_IN_SETS.contains(&id) {
            self.sets.insert(id, members);
        }
    }

    /// Indices of actors, given by id or by set.
    pub fn actor_list(&self, list: &[String], path: &Path, problems: &mut Problems) -> Vec<u32> {
        let mut found = IndexSet::new();
        for (index, name) in list.iter().enumerate() {
            match (self.actor(name), self.set(name)) {
                (Some(actor), _) => {
                    found.insert(actor);
                }
                (None, Some(Members::Actors(members))) => found.extend(members.iter().copied()),
                (None, Some(Members::Places(_))) => problems.error(
                    &path.index(index),
                    format!("`{name}` is a set of places, but actors are needed here"),
                ),
                (None, None) => problems.unknown(
                    &path.index(index),
                    "actor or set of actors",
                    name,
                    self.actor_names(),
                ),
            }
        }
        found.into_iter().collect()
    }

    fn place_list(&self, list: &[String], path: &Path, problems: &mut Problems) -> Vec<u32> {
        let mut found = IndexSet::new();
        for (index, name) in list.iter().enumerate() {
            match (self.place(name), self.set(name)) {
                (Some(place), _) => {
                    found.insert(place);
                }
                (None, Some(Members::Places(members))) => found.extend(members.iter().copied()),
                (None, Some(Members::Actors(_))) => problems.error(
                    &path.index(index),
                    format!("`{name}` is a set of actors, but places are needed here"),
                ),
                (None, None) => problems.unknown(
                    &path.index(index),
                    "place or set of places",
                    name,
                    self.places.iter().copied(),
                ),
            }
        }
        found.into_iter().collect()
    }

    /// Ids of actors and of sets of actors.
    pub fn actor_names(&self) -> impl Iterator<Item = &str> {
        let sets = self.sets.iter();
        let sets = sets.filter(|(_, members)| matches!(members, SetMembers::Actors(_)));
        let actors = self.actors.keys().map(String::as_str);
        actors.chain(sets.map(|(name, _)| *name))
    }

    fn add_relations(&mut self, raw: &'a RawScenario, problems: &mut Problems) {
        self.clients = vec![Vec::new(); self.actors.len()];
        for index in 0..self.actors.len() {
            let (id, actor) = self.actors[index];
            let path = Path::keys(["actor", id]);
            let others = |mut list: Vec<u32>| {
                list.retain(|&other| other as usize != index);
                list
            };
            let rivals = self.actor_list(&actor.rivals, &path.key("rivals"), problems);
            let allies = self.actor_list(&actor.allies, &path.key("allies"), problems);
            self.rivals.push(others(rivals));
            self.allies.push(others(allies));
            let patron = actor.patron.as_ref().and_then(|patron| {
                let found = self.actor(patron);
                let path = path.key("patron");
                if found.is_none() {
                    problems.unknown(&path, "actor", patron, self.actors.keys());
                } else if found == Some(index as u32) {
                    problems.error(&path, "an actor cannot be its own patron");
                }
                found
            });
            self.patrons.push(patron);
            if let Some(patron) = patron {
                self.clients[patron as usize].push(index as u32);
            }
        }
        for (id, place) in &raw.place {
            let host = place.host.as_ref().and_then(|host| {
                let found = self.actor(host);
                if found.is_none() {
                    let path = Path::keys(["place", id, "host"]);
                    problems.unknown(&path, "actor", host, self.actors.keys());
                }
                found
            });
            self.hosts.push(host);
        }
    }

    fn add_stocks(&mut self, raw: &'a RawScenario, problems: &mut Problems) {
        for (id, stock) in &raw.stock {
            let path = Path::keys(["stock", id, "initial"]);
            self.check_keys(stock.of, &stock.initial, &path, problems);
            let (of, columns) = match stock.of {
                StockOwner::World => (StockOf::World, 1),
                StockOwner::Actor => (StockOf::Actor, 1),
                StockOwner::Pair => (StockOf::Pair, self.actors.len()),
                StockOwner::Presence => (StockOf::Presence, self.places.len()),
            };
            let rows = if of == StockOf::World {
                1
            } else {
                self.actors.len()
            };
            if rows * columns + self.slot_count as usize > MOST_SLOTS {
                problems.error(&path, "the scenario has too many values of stocks");
                continue;
            }
            let mut slots = Vec::with_capacity(rows * columns);
            for row in 0..rows {
                for column in 0..columns {
                    let exists = !(of == StockOf::Pair && row == column)
                        && self.value_of(stock, &stock.initial, row, column).is_some();
                    slots.push(if exists { self.slot_count } else { NO_SLOT });
                    self.slot_count += u32::from(exists);
                }
            }
            let table = StockTable {
                of,
                slots,
                columns: columns as u32,
                elsewhere: stock.elsewhere.unwrap_or(0.0),
            };
            self.stocks.insert(id, table);
        }
    }

    /// Reports keys of a table by actor (and partner or place) that name nobody, or that are too deep.
    pub fn check_keys(
        &self,
        of: StockOwner,
        values: &PerKey,
        path: &Path,
        problems: &mut Problems,
    ) {
        let PerKey::Keyed(rows) = values else {
            return;
        };
        if of == StockOwner::World {
            return problems.error(path, "a stock of the world has a single value, not a table");
        }
        for (row, inner) in rows {
            let row_path = path.key(row.as_str());
            if row != "default" && self.actor(row).is_none() && !self.is_actor_set(row) {
                problems.unknown(&row_path, "actor or set of actors", row, self.actor_names());
            }
            let PerKey::Keyed(columns) = inner else {
                continue;
            };
            if of == StockOwner::Actor {
                problems.error(
                    &row_path,
                    "a stock of an actor has one value for each actor",
                );
                continue;
            }
            for (column, innermost) in columns {
                let path = row_path.key(column.as_str());
                if matches!(innermost, PerKey::Keyed(_)) {
                    problems.error(
                        &path,
                        "this table is nested too deeply: a value is needed here",
                    );
                }
                if column == "default" {
                    continue;
                }
                if of == StockOwner::Pair {
                    if self.actor(column).is_none() && !self.is_actor_set(column) {
                        problems.unknown(
                            &path,
                            "actor or set of actors",
                            column,
                            self.actor_names(),
                        );
                    }
                } else if self.place(column).is_none() && !self.is_place_set(column) {
                    problems.unknown(&path, "place or set of places", column, self.places.iter());
                }
            }
        }
    }

    fn is_actor_set(&self, name: &str) -> bool {
        matches!(self.sets.get(name), Some(SetMembers::Actors(_)))
    }

    fn is_place_set(&self, name: &str) -> bool {
        matches!(self.sets.get(name), Some(SetMembers::Places(_)))
    }

    /// The value of a stock for an owner: by id, else by a set that holds it, else by default. Also its path below `values`.
    pub fn value_of<'p>(
        &self,
        stock: &RawStock,
        values: &'p PerKey,
        row: usize,
        column: usize,
    ) -> Option<(&'p crate::scenario::raw::Expression, Vec<&'p str>)> {
        let mut keys = Vec::new();
        let mut node = values;
        let owners = match stock.of {
            StockOwner::World => [None, None],
            StockOwner::Actor => [Some((false, row)), None],
            StockOwner::Pair => [Some((false, row)), Some((false, column))],
            StockOwner::Presence => [Some((false, row)), Some((true, column))],
        };
        for (is_place, index) in owners.into_iter().flatten() {
            if let PerKey::Keyed(table) = node {
                let (key, inner) = self.entry_for(table, is_place, index)?;
                keys.push(key);
                node = inner;
            }
        }
        match node {
            PerKey::All(expression) => Some((expression, keys)),
            PerKey::Keyed(_) => None,
        }
    }

    fn entry_for<'p>(
        &self,
        table: &'p IndexMap<String, PerKey>,
        is_place: bool,
        index: usize,
    ) -> Option<(&'p str, &'p PerKey)> {
        let id = if is_place {
            self.places.get_index(index).copied()
        } else {
            self.actors.get_index(index).map(|(id, _)| id.as_str())
        };
        let by_set = || {
            table
                .iter()
                .find(|(key, _)| match self.sets.get(key.as_str()) {
                    Some(SetMembers::Actors(members)) => {
                        !is_place && members.contains(&(index as u32))
                    }
                    Some(SetMembers::Places(members)) => {
                        is_place && members.contains(&(index as u32))
                    }
                    None => false,
                })
        };
        table
            .get_key_value(id?)
            .or_else(by_set)
            .or_else(|| table.get_key_value("default"))
            .map(|(key, value)| (key.as_str(), value))
    }

    /// Formulas cannot tell a parameter from an actor of the same name.
    fn check_name_space(&self, raw: &'a RawScenario, problems: &mut Problems) {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        let declared = (raw.parameter.keys().map(|id| ("parameter", id)))
            .chain(raw.actor.keys().map(|id| ("actor", id)))
            .chain(raw.place.keys().map(|id| ("place", id)))
            .chain(raw.set.keys().map(|id| ("set", id)))
            .chain(raw.metric.keys().map(|id| ("metric", id)))
            .chain(raw.formula.keys().map(|id| ("formula", id)));
        for (kind, id) in declared {
            let path = Path::keys([kind, id]);
            let taken = RESERVED.contains(&id.as_str())
                || BUILT_IN_SETS.contains(&id.as_str())
                || (kind == "formula" && is_function(id));
            if taken {
                let message =
                    format!("`{id}` has a meaning of its own in formulas: choose another name");
                problems.error_at_key(&path, message);
            }
            let kind = match kind {
                "actor" => "an actor",
                "parameter" => "a parameter",
                "place" => "a place",
                "set" => "a set",
                "metric" => "a metric",
                _ => "a formula",
            };
            if let Some(other) = seen.insert(id, kind) {
                let message = format!(
                    "`{id}` is the name of {other} and of {kind}: formulas could not tell which is meant"
                );
                problems.error_at_key(&path, message);
            }
        }
        for (id, (base, actor)) in &self.actors {
            if let (Some(_), Some(kind)) = (actor.count, seen.get(id.as_str())) {
                let path = Path::keys(["actor", base, "count"]);
                let message = format!(
                    "`count` makes an actor `{id}`, but there is already {kind} of that name"
                );
                problems.error(&path, message);
            }
        }
    }

    /// Parses the named formulas. They are compiled, and so checked, wherever they are named.
    fn add_formulas(&mut self, raw: &'a RawScenario, problems: &mut Problems) {
        for (id, formula) in &raw.formula {
            let path = Path::keys(["formula", id]);
            let mut seen = BTreeSet::new();
            for (index, name) in formula.takes.iter().enumerate() {
                let problem = if !is_id(name) {
                    "is not a valid name: names are made of lower-case letters, digits and `_`, and begin with a letter"
                } else if !seen.insert(name) {
                    "stands here twice"
                } else if self.has_meaning(raw, name) {
                    "already means something: choose a name that nothing else has"
                } else {
                    continue;
                };
                problems.error(
                    &path.key("takes").index(index),
                    format!("`{name}` {problem}"),
                );
            }
            let path = path.key("value");
            let body = match &formula.value {
                Expression::Number(number) => Ok(Expr {
                    kind: ExprKind::Number(*number),
                    span: 0..0,
                }),
                Expression::Formula(text) => parse_formula(text),
            };
            let body = body
                .map_err(|e| problems.in_formula(&path, e.span, e.message, e.help))
                .ok();
            let named = NamedFormula {
                takes: &formula.takes,
                body,
                used: Cell::new(false),
            };
            self.formulas.insert(id, named);
        }
    }

    /// Whether a formula could take `name` for something else.
    fn has_meaning(&self, raw: &RawScenario, name: &str) -> bool {
        RESERVED.contains(&name)
            || is_function(name)
            || raw.formula.contains_key(name)
            || self.parameters.contains(name)
            || self.metrics.contains(name)
            || self.actors.contains_key(name)
            || self.places.contains(name)
            || self.sets.contains_key(name)
    }

    /// An actor's id as formulas write it.
    pub fn actor_id(&self, index: u32) -> &str {
        self.actors
            .get_index(index as usize)
            .map_or("nobody", |(id, _)| id.as_str())
    }

    /// The position of an action, or a report that there is none.
    pub fn action(
        &self,
        raw: &RawScenario,
        id: &str,
        path: &Path,
        problems: &mut Problems,
    ) -> Option<u32> {
        let found = raw.action.get_index_of(id);
        if found.is_none() {
            problems.unknown(path, "action", id, raw.action.keys());
        }
        found.map(|index| index as u32)
    }
}

/// The names in the list of a set.
fn named_by(set: &RawSet) -> impl Iterator<Item = &String> {
    let lists = [&set.actors, &set.places];
    lists.into_iter().flatten().flatten()
}

/// Sets that every scenario has.
pub(super) const BUILT_IN_SETS: [&str; 8] = [
    "actors",
    "places",
    "states",
    "agencies",
    "groups",
    "proxies",
    "publics",
    "organizations",
];

impl Symbols for Names<'_> {
    fn parameter(&self, name: &str) -> Option<u32> {
        self.parameters.get_index_of(name).map(|index| index as u32)
    }

    fn metric(&self, name: &str) -> Option<u32> {
        self.metrics.get_index_of(name).map(|index| index as u32)
    }

    fn actor(&self, name: &str) -> Option<u32> {
        self.actors.get_index_of(name).map(|index| index as u32)
    }

    fn place(&self, name: &str) -> Option<u32> {
        self.places.get_index_of(name).map(|index| index as u32)
    }

    fn set(&self, name: &str) -> Option<Members<'_>> {
        self.sets.get(name).map(|members| match members {
            SetMembers::Actors(list) => Members::Actors(list),
            SetMembers::Places(list) => Members::Places(list),
        })
    }

    fn stock(&self, name: &str) -> Option<StockShape<'_>> {
        let (id, _, table) = self.stocks.get_full(name)?;
        Some(StockShape {
            id: id as u32,
            of: table.of,
            slots: &table.slots,
            columns: table.columns,
            elsewhere: table.elsewhere,
        })
    }

    fn rung_index(&self, name: &str) -> Option<u32> {
        self.rungs.get_index_of(name).map(|index| index as u32)
    }

    fn pair_slot(&self, a: u32, b: u32) -> u32 {
        pair_index(a, b, self.actors.len())
    }

    fn host(&self, place: u32) -> Option<u32> {
        self.hosts[place as usize]
    }

    fn patron(&self, actor: u32) -> Option<u32> {
        self.patrons[actor as usize]
    }

    fn relation(&self, relation: Relation, actor: u32) -> &[u32] {
        let actor = actor as usize;
        match relation {
            Relation::Rivals => &self.rivals[actor],
            Relation::Allies => &self.allies[actor],
            Relation::Clients => &self.clients[actor],
        }
    }

    fn definition(&self, name: &str) -> Option<Definition<'_>> {
        let (index, _, formula) = self.formulas.get_full(name)?;
        formula.used.set(true);
        Some(Definition {
            index: index as u32,
            takes: formula.takes,
            body: formula.body.as_ref(),
        })
    }

    fn candidates(&self) -> Vec<String> {
        let own = |names: &IndexSet<&str>| -> Vec<String> {
            names.iter().map(|&name| name.to_owned()).collect()
        };
        let mut all = own(&self.parameters);
        all.extend(own(&self.metrics));
        all.extend(own(&self.places));
        all.extend(own(&self.rungs));
        all.extend(self.formulas.keys().map(|&name| name.to_owned()));
        all.extend(self.actors.keys().cloned());
        all.extend(self.sets.keys().map(|&name| name.to_owned()));
        all.extend(self.stocks.keys().map(|&name| name.to_owned()));
        all
    }

    fn actor_count(&self) -> u32 {
        self.actors.len() as u32
    }

    fn place_count(&self) -> u32 {
        self.places.len() as u32
    }
}
