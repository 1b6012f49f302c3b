//! The merge of a scenario with the one that it extends.

use std::collections::BTreeMap;

use super::tree::{Entry, Node, Table, Value};

/// The key of a table whose lists are appended to those that are inherited.
const ADD: &str = "add";
/// The sections whose entries may have it, and the lists that it may hold.
const WITH_LISTS: [&str; 5] = ["actor", "set", "action", "rule", "calendar"];
const LISTS: [&str; 8] = [
    "effects",
    "foiled_effects",
    "rung",
    "on",
    "rivals",
    "allies",
    "actors",
    "places",
];

/// Keys that make a table one value, replaced as a whole: a distribution, a choice among a set.
const WHOLE: [&str; 2] = ["dist", "among"];

/// `child` laid over `parent`. Every value keeps the place where it was written; a merged table has the child's.
pub(super) fn merge(parent: Node, child: Node) -> Node {
    merge_nodes(parent, child, &Place::root())
}

/// Where in the document two values are merged.
struct Place<'a> {
    key: &'a str,
    parent: Option<&'a Place<'a>>,
}

impl<'a> Place<'a> {
    fn root() -> Self {
        Place {
            key: "",
            parent: None,
        }
    }

    fn inside(&'a self, key: &'a str) -> Place<'a> {
        Place {
            key,
            parent: Some(self),
        }
    }

    /// Whether this is an entry of the section `name`, such as one parameter or one entry of the calendar.
    fn is_entry_of(&self, name: &str) -> bool {
        let depth_two = |section: &Place| section.parent.is_some_and(|root| root.parent.is_none());
        (self.parent).is_some_and(|section| section.key == name && depth_two(section))
    }
}

fn merge_nodes(parent: Node, child: Node, place: &Place<'_>) -> Node {
    let Node { value, span } = child;
    let value = match (parent.value, value) {
        (Value::Table(parent), Value::Table(child)) if !is_whole(&parent) && !is_whole(&child) => {
            Value::Table(merge_tables(parent, child, place))
        }
        (Value::Array(parent), Value::Array(child)) => {
            Value::Array(merge_arrays(parent, child, place))
        }
        (_, child) => child,
    };
    Node { value, span }
}

fn is_whole(table: &Table) -> bool {
    WHOLE.iter().any(|key| table.contains_key(*key))
}

fn merge_tables(mut parent: Table, mut child: Table, place: &Place<'_>) -> Table {
    let added = take_additions(&mut child, place);
    // A new value without a new prior is a decision: the old prior would overrule it.
    if place.is_entry_of("parameter") && child.contains_key("value") && !child.contains_key("prior")
    {
        parent.shift_remove("prior");
    }
    for (key, entry) in child {
        match parent.get_mut(&key) {
            Some(slot) => {
                let old = std::mem::replace(
                    &mut slot.node,
                    Node {
                        value: Value::Boolean(false),
                        span: entry.node.span,
                    },
                );
                slot.node = merge_nodes(old, entry.node, &place.inside(&key));
                slot.key_span = entry.key_span;
            }
            None => {
                parent.insert(key, entry);
            }
        }
    }
    for (key, entry) in added {
        append(&mut parent, key, entry);
    }
    parent
}

/// Takes out the additions, where they have a meaning. Anything else is left for the structure check.
fn take_additions(child: &mut Table, place: &Place<'_>) -> Table {
    let has_meaning = WITH_LISTS.iter().any(|section| place.is_entry_of(section));
    let Some(Value::Table(added)) = child.get_mut(ADD).map(|entry| &mut entry.node.value) else {
        return Table::default();
    };
    if !has_meaning {
        return Table::default();
    }
    let mut taken = Table::default();
    for key in LISTS {
        if let Some(entry) = added.shift_remove(key) {
            taken.insert(key.to_owned(), entry);
        }
    }
    if added.is_empty() {
        child.shift_remove(ADD);
    }
    taken
}

/// Appends a list to the list under `key`. A single name counts as a list of one.
fn append(table: &mut Table, key: String, entry: Entry) {
    let Some(slot) = table.get_mut(&key) else {
        table.insert(key, entry);
        return;
    };
    let list = |node: Node| match node.value {
        Value::Array(items) => items,
        value => vec![Node {
            value,
            span: node.span,
        }],
    };
    let span = entry.node.span;
    let old = std::mem::replace(
        &mut slot.node,
        Node {
            value: Value::Boolean(false),
            span,
        },
    );
    let items = list(old).into_iter().chain(list(entry.node)).collect();
    slot.node = Node {
        value: Value::Array(items),
        span,
    };
    slot.key_span = entry.key_span;
}

/// Arrays of tables merge by `id` (suspects by `who`), others are replaced.
fn merge_arrays(mut parent: Vec<Node>, child: Vec<Node>, place: &Place<'_>) -> Vec<Node> {
    let name = id_key(place.key);
    let identified = |nodes: &[Node]| nodes.iter().any(|node| id_of(node, name).is_some());
    if !identified(&parent) || !identified(&child) {
        return child;
    }
    // The last endgame takes whatever is left, so new ones go before it.
    let last_is_open = parent.last().is_some_and(|last| last.get("when").is_none());
    let mut last = if place.key == "endgame" && last_is_open {
        parent.pop()
    } else {
        None
    };
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, node) in parent.iter().enumerate() {
        if let Some(id) = id_of(node, name) {
            places.entry(id.to_owned()).or_insert(index);
        }
    }
    let mut merged: Vec<Option<Node>> = parent.into_iter().map(Some).collect();
    for node in child {
        let id = id_of(&node, name);
        let slot = match id.and_then(|id| places.get(id)) {
            Some(index) => merged.get_mut(*index),
            None if id.is_some() && last.as_ref().and_then(|last| id_of(last, name)) == id => {
                Some(&mut last)
            }
            None => None,
        };
        match slot.and_then(|slot| slot.take().map(|old| (slot, old))) {
            Some((slot, old)) => *slot = Some(merge_nodes(old, node, &place.inside(""))),
            None => merged.push(Some(node)),
        }
    }
    merged.into_iter().chain([last]).flatten().collect()
}

/// The key by which the elements of the array `name` are told apart.
pub(super) fn id_key(name: &str) -> &'static str {
    if name == "suspect" { "who" } else { "id" }
}

/// The id of an element.
pub(super) fn id_of<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.as_str()
}
