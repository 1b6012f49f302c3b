//! A merged scenario as plain TOML text.

use std::fmt::Write as _;

use super::tree::{Node, Table, Value, bare_or_quoted, quoted};

/// Deepest table that is written under a header of its own; what is inside it is written inline.
const HEADER_DEPTH: usize = 2;

/// The document as TOML text. Equal documents give equal bytes.
pub(super) fn to_toml(root: &Node) -> String {
    let mut out = String::new();
    if let Some(table) = root.as_table() {
        write_section(&mut out, "", table, 0);
    }
    out.trim_start().to_owned()
}

/// The entries of a table that stands under a header: plain values first, then its own tables.
fn write_section(out: &mut String, header: &str, table: &Table, depth: usize) {
    let is_section = |value: &Value| match value {
        Value::Table(_) => depth < HEADER_DEPTH,
        Value::Array(items) => {
            depth <= HEADER_DEPTH
                && !items.is_empty()
                && items.iter().all(|item| item.as_table().is_some())
        }
        _ => false,
    };
    for (key, entry) in table
        .iter()
        .filter(|(_, entry)| !is_section(&entry.node.value))
    {
        write_entry(out, key, &entry.node.value);
    }
    for (key, entry) in table {
        let name = match header {
            "" => bare_or_quoted(key).into_owned(),
            _ => format!("{header}.{}", bare_or_quoted(key)),
        };
        match &entry.node.value {
            Value::Table(inner) if is_section(&entry.node.value) => {
                // A table of tables alone needs no header: theirs imply it.
                let implied = !inner.is_empty()
                    && inner
                        .values()
                        .all(|inner| depth + 1 < HEADER_DEPTH && inner.node.as_table().is_some());
                if !implied {
                    let _ = writeln!(out, "\n[{name}]");
                }
                write_section(out, &name, inner, depth + 1);
            }
            Value::Array(items) if is_section(&entry.node.value) => {
                for element in items.iter().filter_map(Node::as_table) {
                    let _ = writeln!(out, "\n[[{name}]]");
                    for (key, entry) in element {
                        write_entry(out, key, &entry.node.value);
                    }
                }
            }
            _ => {}
        }
    }
}

fn write_entry(out: &mut String, key: &str, value: &Value) {
    let _ = write!(out, "{} = ", bare_or_quoted(key));
    write_inline(out, value);
    out.push('\n');
}

fn write_inline(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => out.push_str(&quoted(text)),
        Value::Integer(integer) => {
            let _ = write!(out, "{integer}");
        }
        // The shortest digits that read back as the same number.
        Value::Float(float) => {
            let _ = write!(out, "{float:?}");
        }
        Value::Boolean(boolean) => {
            let _ = write!(out, "{boolean}");
        }
        Value::Date(date) => out.push_str(date),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                write_inline(out, &item.value);
            }
            out.push(']');
        }
        Value::Table(table) => {
            out.push('{');
            for (position, (key, entry)) in table.iter().enumerate() {
                let _ = write!(
                    out,
                    "{} {} = ",
                    if position == 0 { "" } else { "," },
                    bare_or_quoted(key)
                );
                write_inline(out, &entry.node.value);
            }
            out.push_str(if table.is_empty() { "}" } else { " }" });
        }
    }
}
