//! One value of the tree with its path: typed getters that note a fault and return nothing when the value is wrong.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::{Sink, shown};
use super::keys::{hides_value, names_things};
use super::suggest::did_you_mean;
use super::tree::{Entry, Node, NodeKind, Position, join_key};
use super::units::{format_duration, parse_duration};

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Value<'a> {
    /// The value.
    pub(super) node: &'a Node,
    /// Its path: `sites.paris.timeout`.
    pub(super) path: String,
    /// Where its key stands; of a list's item, where the item stands.
    pub(super) named_at: Position,
    /// Whether it may never be shown.
    pub(super) hidden: bool,
    /// Where its faults go.
    pub(super) sink: &'a Sink,
}

impl<'a> Value<'a> {
    /// The whole file.
    pub(super) fn root(node: &'a Node, sink: &'a Sink) -> Self {
        Self { node, path: String::new(), named_at: node.at, hidden: false, sink }
    }

    /// The value of a key below this one.
    pub(super) fn below(&self, entry: &'a Entry) -> Self {
        let hidden = self.hidden || (!names_things(&self.path) && hides_value(&self.path, &entry.key));
        let path = join_key(&self.path, &entry.key);
        Self { node: &entry.value, path, named_at: entry.at, hidden, sink: self.sink }
    }

    /// Notes a fault of this value.
    pub(super) fn fault(&self, message: impl Into<String>) {
        self.sink.fault(&self.path, self.node.at, message, None);
    }

    /// Notes a fault of this value, and what to do about it.
    pub(super) fn fault_with(&self, message: impl Into<String>, hint: impl Into<Option<String>>) {
        self.sink.fault(&self.path, self.node.at, message, hint.into());
    }

    /// The fault that this text is not what it should be: "`abc` is not a duration".
    pub(super) fn not(&self, text: &str, what: &str, hint: impl Into<Option<String>>) {
        self.fault_with(format!("{} {what}", self.name_of(text)), hint);
    }

    /// The value in a message: itself, or that it is not shown.
    fn name_of(&self, text: &str) -> String {
        if self.hidden { "the value (not shown)".to_owned() } else { format!("`{}`", shown(text)) }
    }

    /// The text as it is written, whatever it is.
    pub(super) fn raw(&self) -> Option<&'a str> {
        match &self.node.kind {
            NodeKind::Scalar(text) => Some(text),
            NodeKind::Null => {
                let quote = "put it in quotes if it begins with `&` or `#`, or is `null` or `~`".to_owned();
                self.fault_with("has no value", self.hidden.then_some(quote));
                None
            }
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                self.fault(format!("must be a single value, not {}", self.node.describe()));
                None
            }
        }
    }

    /// A text without control characters; it may be empty. The line break that ends a block (`|`) does not count.
    pub(super) fn line(&self) -> Option<&'a str> {
        let text = self.raw()?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        if text.chars().any(char::is_control) {
            self.fault("must not contain control characters or line breaks");
            return None;
        }
        Some(text)
    }

    /// A text that is not empty and has no control characters.
    pub(super) fn text(&self) -> Option<&'a str> {
        let text = self.line()?;
        if text.is_empty() {
            self.fault("is empty");
            return None;
        }
        Some(text)
    }

    /// A duration within `range`.
    pub(super) fn duration(&self, range: &RangeInclusive<Duration>) -> Option<Duration> {
        let text = self.text()?;
        let Some(duration) = parse_duration(text) else {
            self.not(text, "is not a duration", "write seconds, or `200ms`, `90s`, `5m`, `1h30m`, `2d`".to_owned());
            return None;
        };
        if range.contains(&duration) {
            return Some(duration);
        }
        let (from, to) = (format_duration(*range.start()), format_duration(*range.end()));
        self.not(text, &format!("is out of range: {from} to {to}"), None);
        None
    }

    /// A whole number within `range`.
    pub(super) fn integer(&self, range: &RangeInclusive<u32>) -> Option<u32> {
        let text = self.text()?;
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            self.not(text, "is not a whole number", None);
            return None;
        }
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.not(text, &format!("is out of range: {} to {}", range.start(), range.end()), None);
        }
        number
    }

    /// A number within `range`.
    pub(super) fn number(&self, range: &RangeInclusive<f64>) -> Option<f64> {
        let text = self.text()?;
        let decimal = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
        let Some(number) = text.parse::<f64>().ok().filter(|_| decimal) else {
            self.not(text, "is not a number", None);
            return None;
        };
        if range.contains(&number) {
            return Some(number);
        }
        self.not(text, &format!("is out of range: {} to {}", range.start(), range.end()), None);
        None
    }

    /// Yes or no.
    pub(super) fn flag(&self) -> Option<bool> {
        let text = self.text()?;
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => {
                self.not(text, "is neither `true` nor `false`", None);
                None
            }
        }
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
        let hint = did_you_mean(text, choices.iter().map(|(name, _)| *name));
        self.not(text, &format!("is none of {}", names.join(", ")), hint);
        None
    }

    /// The items of a list; a single value is a list of one, an empty one a list of none.
    pub(super) fn items(&self) -> Vec<Value<'a>> {
        match &self.node.kind {
            NodeKind::Null => Vec::new(),
            NodeKind::Sequence(items) => {
                let path = |index| format!("{}[{index}]", self.path);
                let item = |(index, node): (_, &'a Node)| Self { node, path: path(index), named_at: node.at, ..*self };
                items.iter().enumerate().map(item).collect()
            }
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => vec![self.clone()],
        }
    }

    /// The texts of a list, all of them or none.
    pub(super) fn texts(&self) -> Option<Vec<String>> {
        let texts: Vec<_> = self.items().iter().map(Value::text).collect();
        texts.into_iter().map(|text| text.map(str::to_owned)).collect()
    }

    /// A program and its arguments.
    pub(super) fn command(&self) -> Option<Vec<String>> {
        let words = self.texts()?;
        let single = matches!(self.node.kind, NodeKind::Scalar(_));
        match words.first() {
            None => {
                self.fault("names no program");
                None
            }
            Some(program) if single && program.contains(char::is_whitespace) => {
                let hint = "write a list: [\"program\", \"argument\"]; no shell reads it".to_owned();
                self.not(program, "has spaces in it, but it is run as one program", hint);
                None
            }
            Some(_) => Some(words),
        }
    }

    /// A path; a relative one counts from `base`.
    pub(super) fn path(&self, base: &Path) -> Option<PathBuf> {
        let text = self.text()?;
        if text.starts_with('~') {
            let hint = "write the whole path: no shell reads it".to_owned();
            self.not(text, "begins with `~`, which stands for no home here", hint);
            return None;
        }
        Some(base.join(text))
    }
}
