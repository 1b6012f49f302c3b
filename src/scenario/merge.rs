//! The merge of a scenario with the one that it extends.

use std::collections::BTreeMap;

use super::tree::{Node, Table, Value};

/// Keys that make a table one value, replaced as a whole: a distribution, a choice among a set.
const WHOLE: [&str; 2] = ["dist", "among"];

/// `child` laid over `parent`. Every value keeps the place where it was written; a merged table has the child's.
pub(super) fn merge(parent: Node, child: Node) -> Node {
    merge_nodes(parent, child, "")
}

fn merge_nodes(parent: Node, child: Node, key: &str) -> Node {
    let Node { value, span } = child;
    let value = match (parent.value, value) {
        (Value::Table(parent), Value::Table(child)) if !is_whole(&parent) && !is_whole(&child) => {
            Value::Table(merge_tables(parent, child))
        }
        (Value::Array(parent), Value::Array(child)) => {
            Value::Array(merge_arrays(parent, child, key))
        }
        (_, child) => child,
    };
    Node { value, span }
}

fn is_whole(table: &Table) -> bool {
    WHOLE.iter().any(|key| table.contains_key(*key))
}

fn merge_tables(mut parent: Table, child: Table) -> Table {
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
                slot.node = merge_nodes(old, entry.node, &key);
                slot.key_span = entry.key_span;
            }
            None => {
                parent.insert(key, entry);
            }
        }
    }
    parent
}

/// Arrays of tables merge by `id` (suspects by `who`), others are replaced.
fn merge_arrays(mut parent: Vec<Node>, child: Vec<Node>, key: &str) -> Vec<Node> {
    let name = id_key(key);
    let identified = |nodes: &[Node]| nodes.iter().any(|node| id_of(node, name).is_some());
    if !identified(&parent) || !identified(&child) {
        return child;
    }
    // The last endgame takes whatever is left, so new ones go before it.
    let last_is_open = parent.last().is_some_and(|last| last.get("when").is_none());
    let mut last = if key == "endgame" && last_is_open {
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
            Some((slot, old)) => *slot = Some(merge_nodes(old, node, key)),
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
