//! The configuration file as a tree of nodes that know where they stand.
//!
//! Scalars keep their source text: which of them is a number, a switch or a name is decided by the key that holds them,
//! so that a password `0123` or a realm `on` arrives as it was written.

/// A place in the file, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Position {
    /// Line.
    pub(super) line: u32,
    /// Column in characters.
    pub(super) column: u32,
}

/// A node of the tree.
#[derive(Debug)]
pub(super) struct Node {
    /// Where it stands.
    pub(super) at: Position,
    /// What it is.
    pub(super) kind: NodeKind,
}

/// What a node is.
#[derive(Debug)]
pub(super) enum NodeKind {
    /// Nothing, `~` or `null`.
    Null,
    /// Anything else that is neither list nor mapping: its text, without quotes.
    Scalar(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order of the file, each key once.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry {
    /// The key's text.
    pub(super) key: String,
    /// Where the key stands.
    pub(super) at: Position,
    /// The value.
    pub(super) value: Node,
}

impl Node {
    /// What kind of node it is, for messages.
    pub(super) const fn describe(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "empty",
            NodeKind::Scalar(_) => "a single value",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a mapping",
        }
    }
}

/// `path` with one more key: `sites.paris`; a key that is no plain word is put in quotes.
pub(super) fn join_key(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '<'));
    let key = if plain { super::fault::shown(key) } else { format!("\"{}\"", super::fault::shown(key)) };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_readable_with_odd_keys() {
        assert_eq!(join_key("", "sites"), "sites");
        assert_eq!(join_key("sites", "paris-1"), "sites.paris-1");
        assert_eq!(join_key("sites", "a.b"), "sites.\"a.b\"");
        assert_eq!(join_key("sites", "a\nb"), "sites.\"a\\nb\"");
        assert_eq!(join_key("sites", ""), "sites.\"\"");
    }
}
