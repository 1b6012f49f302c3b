//! The merge of a scenario with the one that it extends.

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
    let last_is_open =
        key == "endgame" && parent.last().is_some_and(|last| last.get("when").is_none());
    for node in child {
        let id = id_of(&node, name).map(str::to_owned);
        let same = parent
            .iter()
            .position(|other| id.is_some() && id_of(other, name) == id.as_deref());
        match same {
            Some(index) => {
                let span = parent[index].span;
                let old = std::mem::replace(
                    &mut parent[index],
                    Node {
                        value: Value::Boolean(false),
                        span,
                    },
                );
                parent[index] = merge_nodes(old, node, key);
            }
            // The last endgame takes whatever is left, so new ones go before it.
            None if last_is_open => parent.insert(parent.len() - 1, node),
            None => parent.push(node),
        }
    }
    parent
}

/// The key by which the elements of the array `name` are told apart.
pub(super) fn id_key(name: &str) -> &'static str {
    if name == "suspect" { "who" } else { "id" }
}

/// The id of an element.
pub(super) fn id_of<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.as_str()
}
