//! A mapping, with what it falls back to: a site before `defaults`, a site's `alerts` before the file's.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keys::{Keys, holds_secret};
use super::suggest::did_you_mean;
use super::tree::{Entry, NodeKind};
use super::value::Value;

/// The entries of one or several mappings; the first that has a key decides.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    layers: Vec<Layer<'a>>,
}

#[derive(Clone)]
struct Layer<'a> {
    whole: Value<'a>,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// No mapping at all.
    pub(super) const fn none() -> Self {
        Self { layers: Vec::new() }
    }

    /// The mapping's entries, its unknown keys noted as faults. An empty value is an empty mapping.
    pub(super) fn of(value: &Value<'a>, keys: &Keys) -> Option<Self> {
        let fields = Self::open(value)?;
        fields.layers.iter().for_each(|layer| layer.check(keys));
        Some(fields)
    }

    /// The mapping's entries, whatever their keys are.
    pub(super) fn open(value: &Value<'a>) -> Option<Self> {
        let entries: &[Entry] = match &value.node.kind {
            NodeKind::Mapping(entries) => entries,
            NodeKind::Null => &[],
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => {
                value.fault(format!("must be a mapping, not {}", value.node.describe()));
                return None;
            }
        };
        Some(Self { layers: vec![Layer { whole: value.clone(), entries }] })
    }

    /// What these fields lack comes from `others`.
    pub(super) fn or(mut self, others: &Self) -> Self {
        self.layers.extend(others.layers.iter().cloned());
        self
    }

    /// The first mapping alone, without what it falls back to.
    pub(super) fn own(&self) -> Self {
        Self { layers: self.layers.first().cloned().into_iter().collect() }
    }

    /// The mappings one by one.
    pub(super) fn each(&self) -> impl Iterator<Item = Self> {
        self.layers.iter().map(|layer| Self { layers: vec![layer.clone()] })
    }

    /// Every key with its value, in the order of the file.
    pub(super) fn entries(&self) -> Vec<(&'a str, Value<'a>)> {
        let entry = |layer: &Layer<'a>| {
            let whole = layer.whole.clone();
            let value = move |entry: &'a Entry| (entry.key.as_str(), whole.below(entry));
            layer.entries.iter().map(value)
        };
        self.layers.iter().flat_map(entry).collect()
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        self.layers.iter().find_map(|layer| layer.get(key))
    }

    /// The mapping under a key, with those of what these fields fall back to.
    pub(super) fn block(&self, key: &str, keys: &Keys) -> Self {
        let found = self.layers.iter().filter_map(|layer| Self::of(&layer.get(key)?, keys));
        found.fold(Self::none(), |all, one| all.or(&one))
    }

    /// Notes a fault of the mapping as a whole, under the name of one of its keys where that one is missing.
    pub(super) fn fault(&self, key: Option<&str>, message: impl Into<String>, hint: Option<String>) {
        if let Some(Layer { whole, .. }) = self.layers.first() {
            let path = key.map_or_else(|| whole.path.clone(), |key| super::tree::join_key(&whole.path, key));
            whole.sink.fault(&path, whole.named_at, message, hint);
        }
    }

    /// Notes a warning of the mapping as a whole.
    pub(super) fn warn(&self, message: impl Into<String>, hint: Option<String>) {
        if let Some(Layer { whole, .. }) = self.layers.first() {
            whole.sink.warning(&whole.path, whole.named_at, message, hint);
        }
    }

    /// The text of a key, as [`Value::text`].
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.text().map(str::to_owned)
    }

    /// The duration of a key, as [`Value::duration`].
    pub(super) fn duration(&self, key: &str, range: &RangeInclusive<Duration>) -> Option<Duration> {
        self.get(key)?.duration(range)
    }

    /// The whole number of a key, as [`Value::integer`].
    pub(super) fn integer(&self, key: &str, range: &RangeInclusive<u32>) -> Option<u32> {
        self.get(key)?.integer(range)
    }

    /// The path of a key, as [`Value::path`].
    pub(super) fn file(&self, key: &str, base: &Path) -> Option<PathBuf> {
        self.get(key)?.path(base)
    }
}

impl<'a> Layer<'a> {
    fn get(&self, key: &str) -> Option<Value<'a>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(self.whole.below(entry))
    }

    fn check(&self, keys: &Keys) {
        let every = || keys.known.iter().chain(keys.later).copied();
        let mut before: Option<&Entry> = None;
        for entry in self.entries {
            let (key, earlier) = (entry.key.as_str(), before.replace(entry));
            if keys.known.contains(&key) {
                continue;
            }
            let value = self.whole.below(entry);
            let sink = self.whole.sink;
            let torn = matches!(entry.value.kind, NodeKind::Null) && earlier.is_some_and(|e| holds_secret(&e.key));
            if keys.later.contains(&key) {
                sink.fault(&value.path, entry.at, super::unsupported(), None);
            } else if torn {
                // `{ password: hun,ter2 }`: the key may be the other half of the secret.
                let hint = "put the secret in quotes if it holds a comma".to_owned();
                sink.fault(&self.whole.path, entry.at, "unknown key (not shown) after a secret", Some(hint));
            } else {
                let hint = did_you_mean(key, every()).or_else(|| listed(keys));
                sink.fault(&value.path, entry.at, "unknown key", hint);
            }
        }
    }
}

/// The known keys, where they are few enough to be read.
fn listed(keys: &Keys) -> Option<String> {
    let names: Vec<_> = keys.known.iter().map(|key| format!("`{key}`")).collect();
    (names.len() <= 8).then(|| format!("known here: {}", names.join(", ")))
}
