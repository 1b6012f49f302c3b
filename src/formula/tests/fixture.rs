//! A scenario of four actors and two places, and random formulas about it.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::formula::{
    CheckError, Definition, Environment, Expr, Field, Interval, Members, NO_SLOT, Program, Ranges,
    Relation, Role, Scope, StockOf, StockShape, Symbols, Total, Type, compile, parse_formula,
};

pub const PARAMETERS: [&str; 3] = ["p", "q", "infinite"];
pub const ACTORS: [&str; 4] = ["iran", "pakistan", "isis", "iskp"];
pub const PLACES: [&str; 2] = ["kerman", "sistan"];
pub const RUNGS: [&str; 3] = ["normal", "strike", "war"];
const N: u32 = NO_SLOT;
/// unrest 0..2, capability 2..6, trust 6..18, presence 18..22, war 22.
pub const SLOTS: usize = 23;
const UNREST: [u32; 4] = [0, 1, N, N];
const CAPABILITY: [u32; 4] = [2, 3, 4, 5];
const TRUST: [u32; 16] = [N, 6, 7, 8, 9, N, 10, 11, 12, 13, N, 14, 15, 16, 17, N];
const PRESENCE: [u32; 8] = [N, N, N, N, 18, 19, 20, 21];
const WAR: [u32; 1] = [22];

pub struct World;

/// Named formulas, with what they take.
const NAMED: [(&str, &[&str], &str); 9] = [
    ("calm", &[], "1 - iran.unrest"),
    ("pressure", &["who"], "p + who.unrest"),
    ("larger", &["x", "y"], "x if x > y else y"),
    ("total", &["members"], "sum(a.capability for a in members)"),
    ("added", &["x"], "sum(a.capability + x for a in states)"),
    ("culprit", &[], "blamed if blamed != nobody else target"),
    ("twice", &["x"], "larger(x, x) + x"),
    ("broken", &["x"], "x + sponsor.unrest + irn.unrest"),
    ("endless", &["x"], "1 + endless(x)"),
];

static DEFINITIONS: LazyLock<Vec<(&str, Vec<String>, Expr)>> = LazyLock::new(|| {
    let owned = |takes: &[&str]| takes.iter().map(|&name| name.to_owned()).collect();
    let parsed = NAMED.iter();
    let parsed =
        parsed.map(|(name, takes, text)| (*name, owned(takes), parse_formula(text).unwrap()));
    parsed.collect()
});

fn find(names: &[&str], name: &str) -> Option<u32> {
    names.iter().position(|n| *n == name).map(|i| i as u32)
}

impl Symbols for World {
    fn parameter(&self, name: &str) -> Option<u32> {
        find(&PARAMETERS, name)
    }
    fn metric(&self, name: &str) -> Option<u32> {
        find(&["attacks"], name)
    }
    fn actor(&self, name: &str) -> Option<u32> {
        find(&ACTORS, name)
    }
    fn place(&self, name: &str) -> Option<u32> {
        find(&PLACES, name)
    }
    fn set(&self, name: &str) -> Option<Members<'_>> {
        Some(match name {
            "actors" => Members::Actors(&[0, 1, 2, 3]),
            "states" => Members::Actors(&[0, 1]),
            "jihadists" => Members::Actors(&[3, 2]),
            "nothing" => Members::Actors(&[]),
            "places" => Members::Places(&[0, 1]),
            _ => return None,
        })
    }
    fn stock(&self, name: &str) -> Option<StockShape<'_>> {
        let shape = |id, of, slots, columns, elsewhere| StockShape {
            id,
            of,
            slots,
            columns,
            elsewhere,
        };
        Some(match name {
            "unrest" => shape(0, StockOf::Actor, &UNREST, 1, 0.25),
            "capability" => shape(1, StockOf::Actor, &CAPABILITY, 1, 0.0),
            "trust" => shape(2, StockOf::Pair, &TRUST, 4, 1.0),
            "presence" => shape(3, StockOf::Presence, &PRESENCE, 2, 0.0),
            "gaza" => shape(4, StockOf::World, &WAR, 1, 0.0),
            _ => return None,
        })
    }
    fn rung_index(&self, name: &str) -> Option<u32> {
        find(&RUNGS, name)
    }
    fn pair_slot(&self, a: u32, b: u32) -> u32 {
        let (low, high) = (a.min(b), a.max(b));
        high * (high - 1) / 2 + low
    }
    fn host(&self, place: u32) -> Option<u32> {
        [Some(0), None][place as usize]
    }
    fn patron(&self, actor: u32) -> Option<u32> {
        (actor == 3).then_some(2)
    }
    fn relation(&self, relation: Relation, actor: u32) -> &[u32] {
        match (relation, actor) {
            (Relation::Rivals, 0) => &[2],
            (Relation::Rivals, 2) => &[0, 3],
            (Relation::Allies, 1) => &[0],
            (Relation::Clients, 2) => &[3],
            _ => &[],
        }
    }
    fn definition(&self, name: &str) -> Option<Definition<'_>> {
        let index = DEFINITIONS.iter().position(|(n, ..)| *n == name)?;
        let (_, takes, body) = &DEFINITIONS[index];
        Some(Definition {
            index: index as u32,
            takes,
            body: Some(body),
        })
    }
    fn candidates(&self) -> Vec<String> {
        let stocks = ["unrest", "capability", "trust", "presence", "gaza"];
        let sets = [
            "actors",
            "states",
            "jihadists",
            "nothing",
            "places",
            "attacks",
        ];
        let lists: [&[&str]; 6] = [&PARAMETERS, &ACTORS, &PLACES, &RUNGS, &stocks, &sets];
        let named = NAMED.iter().map(|(name, ..)| *name);
        let names = lists.concat().into_iter().chain(named);
        names.map(str::to_owned).collect()
    }
    fn actor_count(&self) -> u32 {
        4
    }
    fn place_count(&self) -> u32 {
        2
    }
}

/// A moment of a run.
#[derive(Debug, Clone)]
pub struct Moment {
    pub parameters: [f64; 3],
    pub stocks: Vec<f64>,
    pub rungs: [f64; 6],
    pub roles: [f64; 9],
    pub fields: [f64; 3],
    pub time: f64,
}

impl Environment for Moment {
    fn parameter(&self, index: u32) -> f64 {
        self.parameters[index as usize]
    }
    fn stock(&self, slot: u32) -> f64 {
        self.stocks[slot as usize]
    }
    fn rung(&self, pair: u32) -> f64 {
        self.rungs[pair as usize]
    }
    fn metric(&self, _index: u32) -> f64 {
        7.0
    }
    fn role(&self, role: Role) -> f64 {
        self.roles[role as usize]
    }
    fn field(&self, field: Field) -> f64 {
        self.fields[field as usize]
    }
    fn time(&self) -> f64 {
        self.time
    }
    fn stock_slot(&self, stock: u32, actor: u32, column: u32) -> Option<u32> {
        let name = ["unrest", "capability", "trust", "presence", "gaza"][stock as usize];
        World.stock(name)?.slot(actor, column)
    }
    fn elsewhere(&self, stock: u32) -> f64 {
        [0.25, 0.0, 1.0, 0.0, 0.0][stock as usize]
    }
    fn pair_slot(&self, a: u32, b: u32) -> u32 {
        World.pair_slot(a, b)
    }
    fn host(&self, place: u32) -> f64 {
        World.host(place).map_or(-1.0, f64::from)
    }
    fn patron(&self, actor: u32) -> f64 {
        World.patron(actor).map_or(-1.0, f64::from)
    }
    fn related(&self, relation: Relation, a: u32, b: u32) -> bool {
        World.relation(relation, a).contains(&b)
    }
}

/// The ranges between two moments, with the parameters of the first.
pub struct Between<'a>(pub &'a Moment, pub &'a Moment);

pub fn between(a: f64, b: f64) -> Interval {
    Interval::new(a.min(b), a.max(b))
}

impl Ranges for Between<'_> {
    fn parameter(&self, index: u32) -> f64 {
        self.0.parameter(index)
    }
    fn stock(&self, slot: u32) -> Interval {
        between(self.0.stock(slot), self.1.stock(slot))
    }
    fn still_stock(&self, slot: u32) -> f64 {
        self.0.stock(slot)
    }
    fn total(&self, total: Total) -> f64 {
        self.0.total(total)
    }
    fn rung(&self, pair: u32) -> Interval {
        between(self.0.rung(pair), self.1.rung(pair))
    }
    fn time(&self) -> Interval {
        between(self.0.time, self.1.time)
    }
}

/// So many cases, the same on every run.
pub fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

pub fn compiled(text: &str, scope: &Scope, expected: Type) -> Result<Program, Vec<CheckError>> {
    let expr = parse_formula(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    compile(&expr, &World, scope, expected)
}

pub fn number(text: &str, scope: &Scope) -> Program {
    compiled(text, scope, Type::Number).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

pub fn moment() -> impl Strategy<Value = Moment> {
    let value = prop_oneof![Just(0.0), Just(1.0), 0.0..1.0, -3.0..20.0];
    let actor = prop_oneof![Just(-1.0), Just(0.0), Just(1.0), Just(2.0), Just(3.0)];
    let place = prop_oneof![Just(-1.0), Just(0.0), Just(1.0)];
    (
        [-2.0..3.0, 0.0..1.0],
        prop::collection::vec(value, SLOTS),
        prop::array::uniform6(0_u32..3),
        (prop::array::uniform9(actor), place, 0_u32..4),
        (0_u32..100, any::<bool>()),
        0.0..400.0,
    )
        .prop_map(
            |(parameters, stocks, rungs, (mut roles, place, own), (killed, foiled), time)| {
                roles[Role::Place as usize] = place;
                roles[Role::SelfActor as usize] = f64::from(own);
                Moment {
                    parameters: [parameters[0], parameters[1], f64::INFINITY],
                    stocks,
                    rungs: rungs.map(f64::from),
                    roles,
                    fields: [f64::from(killed), f64::from(u8::from(foiled)), -10.0],
                    time,
                }
            },
        )
}

/// Random formulas of numbers; with `roles`, also of what only an event knows.
pub fn formula(roles: bool) -> BoxedStrategy<String> {
    let mut leaves = vec![
        "0",
        "1",
        "2",
        "0.1",
        "inf",
        "p",
        "q",
        "infinite",
        "time",
        "rungs.strike",
        "iran.unrest",
        "pakistan.unrest",
        "self.capability",
        "self.unrest",
        "world.gaza",
        "iskp.presence[kerman]",
        "iran.trust[isis]",
        "self.trust[pakistan]",
        "rung[iran, pakistan]",
        "rung[isis, iskp]",
        "host(kerman).unrest",
        "patron(iskp).capability",
        "sum(a.capability for a in actors)",
        "mean(a.capability for a in jihadists)",
        "max(a.unrest for a in states)",
        "sum(a.unrest for a in actors if a != self)",
        "sum(a.unrest for a in nothing)",
        "sum(sum(a.trust[b] for b in actors if b != a) for a in rivals(isis))",
        "count(a for a in states if a.unrest > 0.5)",
        "sum(a.capability for a in states if a.unrest > p)",
    ];
    let mut truths = vec![
        "true",
        "false",
        "iran in states",
        "self not in jihadists",
        "self == iran",
        "is_rival(isis, self)",
        "is_ally(self, iran)",
        "host(sistan) == nobody",
    ];
    if roles {
        leaves.extend([
            "event.killed",
            "event.goldstein",
            "target.unrest",
            "target.capability",
            "claimant.trust[target]",
            "iran.trust[claimant]",
            "target.presence[place]",
            "rung[self, target]",
            "host(place).unrest",
            "patron(target).capability",
            "(claimant if event.foiled else sponsor).unrest",
            "count(a for a in actors if a == target or is_rival(a, target))",
        ]);
        truths.extend([
            "event.foiled",
            "target in jihadists",
            "place == kerman",
            "place in places",
            "target in rivals(claimant)",
            "is_rival(target, perpetrator)",
            "claimant == nobody",
            "host == host(place)",
            "patron(target) != nobody",
        ]);
    }
    let leaf = prop::sample::select(leaves).prop_map(str::to_owned);
    let truth_leaf = prop::sample::select(truths).prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, move |n| {
        let compare = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
        let truth = prop_oneof![
            2 => truth_leaf.clone(),
            2 => (n.clone(), compare, n.clone()).prop_map(|(a, op, b)| format!("(({a}) {op} ({b}))")),
            1 => (n.clone(), n.clone(), truth_leaf.clone(), prop::sample::select(vec!["and", "or"]))
                .prop_map(|(a, b, c, op)| format!("(not ({a} < {b}) {op} {c})")),
        ];
        let unary = prop::sample::select(vec!["exp", "ln", "sqrt", "abs", "floor", "logistic", "-"]);
        let infix = prop::sample::select(vec!["+", "-", "*", "/", "^"]);
        prop_oneof![
            3 => (n.clone(), infix.clone(), n.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            1 => (n.clone(), infix, n.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b} - {a}")),
            2 => (unary, n.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            1 => (n.clone(), n.clone(), n.clone()).prop_map(|(a, b, c)| format!("clamp({a}, {b}, {c})")),
            1 => (n.clone(), n.clone(), n.clone()).prop_map(|(a, b, c)| format!("min({a}, max({b}, {c}), 3)")),
            1 => (n.clone(), prop::sample::select(vec![2, 3, -1, -2])).prop_map(|(a, e)| format!("({a}) ^ {e}")),
            2 => (n.clone(), truth, n.clone()).prop_map(|(a, c, b)| format!("(({a}) if {c} else ({b}))")),
            1 => n.clone().prop_map(|a| if a.contains("for") { a } else { format!("sum(x.capability * ({a}) for x in jihadists)") }),
            1 => n.prop_map(|a| if a.contains("for") { a } else { format!("max(({a}) + x.unrest for x in actors if x != isis)") }),
        ]
    })
    .boxed()
}
