//! From YAML (and JSON, which is YAML) to the spanned tree, by serde-saphyr.
//!
//! Messages of the parser never show the source: a neighbouring line may hold a password.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error as YamlError, Location, Options, Spanned};

use super::fault::Sink;
use super::keys::{holds_secret, names_things};
use super::tree::{Entry, Node, NodeKind, Position, join_key};

/// Parses the text. Faults go into the sink; without a tree there is nothing more to find.
///
/// A key given twice does not stop it: all of them are found. The last one counts for the rest of the check; of sites
/// and profiles that share a name, each is checked.
pub(super) fn parse(text: &str, sink: &Sink) -> Option<Node> {
    let strict = serde_saphyr::from_str_with_options(text, options(DuplicateKeyPolicy::Error));
    let (raw, repeated_key): (Spanned<Raw>, _) = match strict {
        Ok(raw) => (raw, None),
        Err(YamlError::DuplicateMappingKey { location, .. }) => {
            match serde_saphyr::from_str_with_options(text, options(DuplicateKeyPolicy::LastWins)) {
                Ok(raw) => (raw, Some(position(location))),
                Err(error) => return report(&error, sink),
            }
        }
        Err(error) => return report(&error, sink),
    };
    let mut builder = Builder { text, sink, repeated: Vec::new() };
    let node = builder.node(raw, Some(""));
    if let Some(at) = repeated_key
        && !builder.repeated.contains(&at)
    {
        // Numbers written in two ways (`1` and `0x1`) are one key for the parser.
        sink.fault("", at, "a key is given twice", None);
    }
    Some(node)
}

/// Limits far beyond any configuration (10 MB, 1,000 sites that all merge one anchor), but small enough that a file
/// made to exhaust memory is refused.
pub(super) fn options(duplicate_keys: DuplicateKeyPolicy) -> Options {
    serde_saphyr::options! {
        with_snippet: false,
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        duplicate_keys: duplicate_keys,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 2_000_000 },
        budget: serde_saphyr::budget! {
            max_events: 20_000_000,
            max_nodes: 10_000_000,
            max_aliases: 200_000,
            max_anchors: 200_000,
            max_merge_keys: 200_000,
            max_depth: 20,
            enforce_alias_anchor_ratio: false,
        },
    }
}

/// What [`options`] sets, for whoever meets it.
const LIMITS: &str = "at most 20 levels, 10,000,000 values, 200,000 anchors and aliases, 2,000,000 values by aliases";

fn position(location: Location) -> Position {
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: narrow(location.line()), column: narrow(location.column()) }
}

fn report<T>(error: &YamlError, sink: &Sink) -> Option<T> {
    let at = error.location().map(position).unwrap_or_default();
    let quote = "put a value that begins with `!`, `&`, `*`, `@`, `%` or holds `: ` in quotes";
    let too_large = ("the file is larger or deeper than any configuration should be".to_owned(), Some(LIMITS));
    let mut cause = error;
    while let YamlError::AliasError { error, .. } = cause {
        cause = error;
    }
    let (message, hint) = match cause {
        YamlError::MultipleDocuments { .. } => ("a second document (`---`) is not allowed".to_owned(), None),
        // The tag may be a password that begins with `!`.
        YamlError::UnsupportedTag { .. } => ("a tag (`!…`) is not allowed".to_owned(), Some(quote)),
        YamlError::Budget { .. }
        | YamlError::AliasReplayLimitExceeded { .. }
        | YamlError::AliasExpansionLimitExceeded { .. } => too_large,
        YamlError::MergeValueNotMapOrSeqOfMaps { .. } => ("`<<` needs a mapping".to_owned(), None),
        YamlError::UnknownAnchor { .. } => ("an alias (`*…`) without its anchor (`&…`)".to_owned(), Some(quote)),
        YamlError::ExternalMessage { msg, .. } if msg.contains("recursion limit") => too_large,
        // Fixed sentences of the scanner; the only thing of the file in them is a single character.
        YamlError::ExternalMessage { msg, .. } if msg.len() < 200 => {
            (format!("not valid YAML: {msg}"), hint_to(msg).or_else(|| wants_quotes(msg).then_some(quote)))
        }
        _ => ("not valid YAML".to_owned(), None),
    };
    sink.fault("", at, message, hint.map(str::to_owned));
    None
}

/// What a fault of the layout most likely comes from.
fn hint_to(message: &str) -> Option<&'static str> {
    if message.contains("tab") {
        Some("indent with spaces")
    } else if message.contains("quoted scalar") {
        Some("a quote is opened here or above, and not closed in its line")
    } else if message.contains("block mapping") || message.contains("block collection") || message.contains("indent") {
        Some("keys of one block begin in the same column: see how far this line and the one above are indented")
    } else {
        None
    }
}

fn wants_quotes(message: &str) -> bool {
    ["unexpected character", "mapping values", "handle"].iter().any(|part| message.contains(part))
}

/// What the parser hands out, before the source text is cut.
pub(super) enum Raw {
    Null,
    /// A text as the parser read it: quotes and escapes resolved.
    Text(String),
    /// Read by the parser as a number or a switch: the source text counts.
    Typed,
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::Sequence(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            list.push(entry);
        }
        Ok(Raw::Mapping(list))
    }
}

/// Turns raw nodes into ours; its recursion is bounded by `max_depth`.
struct Builder<'a> {
    text: &'a str,
    sink: &'a Sink,
    /// Where keys stand that were given before in the same mapping.
    repeated: Vec<Position>,
}

impl Builder<'_> {
    /// `path` is `None` under a key that holds a secret: nothing of what stands there is shown.
    fn node(&mut self, raw: Spanned<Raw>, path: Option<&str>) -> Node {
        let at = position(raw.defined);
        let kind = match raw.value {
            Raw::Null => NodeKind::Null,
            Raw::Text(text) => NodeKind::Scalar(text),
            Raw::Typed => NodeKind::Scalar(self.cut(raw.defined).to_owned()),
            Raw::Sequence(items) => {
                let items = items.into_iter().enumerate();
                let build = |(index, item)| match path {
                    Some(path) => self.node(item, Some(&format!("{path}[{index}]"))),
                    None => self.node(item, None),
                };
                NodeKind::Sequence(items.map(build).collect())
            }
            Raw::Mapping(entries) => NodeKind::Mapping(self.entries(entries, path)),
        };
        Node { at, kind }
    }

    fn entries(&mut self, raw: Vec<(Spanned<Raw>, Spanned<Raw>)>, path: Option<&str>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::with_capacity(raw.len());
        let mut seen: HashMap<String, usize> = HashMap::with_capacity(raw.len());
        for (key, value) in raw {
            let at = position(key.defined);
            let Some(key) = self.key(key) else {
                self.sink.fault(path.unwrap_or_default(), at, "a key must be a single word or text", None);
                continue;
            };
            let key_path = path.map(|path| join_key(path, &key));
            let secret = holds_secret(&key) && !path.is_some_and(names_things);
            let value = self.node(value, key_path.as_deref().filter(|_| !secret));
            if let Some(earlier) = seen.get(&key).and_then(|&index| entries.get_mut(index)) {
                let hint = format!("it is also in line {}: keep one of them", earlier.at.line);
                self.sink.fault(key_path.as_deref().unwrap_or_default(), at, "this key is given twice", Some(hint));
                self.repeated.push(at);
                if path.is_some_and(names_things) {
                    // Two sites of one name: both are checked, so that the faults of neither stay hidden.
                    entries.push(Entry { key, at, value });
                } else {
                    *earlier = Entry { key, at, value };
                }
            } else {
                seen.insert(key.clone(), entries.len());
                entries.push(Entry { key, at, value });
            }
        }
        entries
    }

    fn key(&self, raw: Spanned<Raw>) -> Option<String> {
        match raw.value {
            Raw::Text(text) => Some(text),
            Raw::Null | Raw::Typed => Some(self.cut(raw.defined).to_owned()),
            Raw::Sequence(_) | Raw::Mapping(_) => None,
        }
    }

    /// The source text of a scalar; it has no quotes, as the parser saw a number or a switch in it.
    fn cut(&self, location: Location) -> &str {
        let span = location.span();
        let bytes = span.byte_offset().zip(span.byte_len()).and_then(|(offset, len)| {
            let start = usize::try_from(offset).ok()?;
            Some(start..start.checked_add(usize::try_from(len).ok()?)?)
        });
        bytes.and_then(|range| self.text.get(range)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::support::{text, value};

    fn parsed(text: &str) -> Node {
        let sink = Sink::new("c");
        let node = parse(text, &sink).unwrap();
        sink.finish().unwrap();
        node
    }

    fn faults(text: &str) -> Vec<String> {
        let sink = Sink::new("c");
        let _ = parse(text, &sink);
        sink.finish().unwrap_err().faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn scalars_arrive_as_they_were_written() {
        for written in
            ["0123", "yes", "on", "0x1F", "1_000", "1e999", ".nan", "-.inf", "+5", "true", "2026-11-20", "0o17"]
        {
            assert_eq!(text(&parsed(&format!("a: {written}\n")), &["a"]), written);
            assert_eq!(text(&parsed(&format!("ü: '€'\na: [x, {written}]\nb: &n {written}\nc: *n")), &["c"]), written);
            assert_eq!(text(&parsed(&format!("{written}: x\n")), &[written]), "x");
        }
        assert_eq!(text(&parsed("a: 'it''s'"), &["a"]), "it's");
        assert_eq!(text(&parsed("a: \"0\\t1\""), &["a"]), "0\t1");
    }

    #[test]
    fn every_value_knows_where_it_stands() {
        let node = parsed("# x\r\na:\r\n  bé: 12\r\n");
        assert_eq!(value(&node, &["a", "bé"]).at, Position { line: 3, column: 7 });
    }

    #[test]
    fn anchors_and_merges_work_and_point_to_where_the_value_is_written() {
        let node = parsed("b: &b {timeout: 0012, realm: on}\nx:\n  <<: *b\n  timeout: 5\n");
        assert_eq!(text(&node, &["x", "timeout"]), "5");
        assert_eq!(text(&node, &["x", "realm"]), "on");
        assert_eq!(value(&node, &["x", "realm"]).at, Position { line: 1, column: 30 });
    }

    #[test]
    fn every_key_that_is_given_twice_is_found() {
        assert_eq!(
            faults("a: 1\nb:\n  c: 1\n  c: 2\n  c: 3\na: 3\n"),
            [
                "c:4:3: b.c: this key is given twice\n  hint: it is also in line 3: keep one of them",
                "c:5:3: b.c: this key is given twice\n  hint: it is also in line 4: keep one of them",
                "c:6:1: a: this key is given twice\n  hint: it is also in line 1: keep one of them",
            ]
        );
        assert_eq!(faults("1: a\n0x1: b\n"), ["c:2:1: a key is given twice"]);
    }

    #[test]
    fn json_is_read_too() {
        let node =
            parsed("{\n\t\"a\": \"\\ud83d\\ude00\\/\",\n\t\"b\": [1, true, null, 0.50],\n\t\"c\":{\"d\":\"e\"}}");
        assert_eq!(text(&node, &["a"]), "😀/");
        assert_eq!(text(&node, &["c", "d"]), "e");
    }

    #[test]
    fn a_syntax_error_shows_nothing_of_the_file() {
        for line in [
            "password: \"hunter2",
            "password: !hunter2",
            "password: !hunter2 x",
            "password: !x!hunter2 x",
            "password: *hunter2",
            "password: @hunter2",
            "password: %hunter2",
            "password: hunter2: x",
            "password: [hunter2",
            "password: {hunter2",
            "password: 'hunter2",
            "password: \"hunter2\\q\"",
            "password: hunter2\n\tx: 1",
            "password: hunter2\n  x: 1",
            "password: !!int hunter2",
            "password: !!binary hunter2",
            "password: &a [*a, hunter2]",
            "password:\n  <<: hunter2",
            "%hunter2 x y",
            "password: hunter2\n---\nhunter2: 1",
            "password: \u{1b}hunter2",
        ] {
            let found = faults(&format!("user: probe\n{line}\npassword2: hunter2\n")).join("\n");
            assert!(!found.contains("hunter2"), "{line}: {found}");
            assert!(found.starts_with("c:"), "{found}");
        }
    }

    #[test]
    fn a_file_made_to_exhaust_the_memory_is_refused() {
        let level = |n: u32| format!("a{n}: &a{n} [{}]", vec![format!("*a{}", n - 1); 10].join(", "));
        let levels: Vec<_> = (1..12).map(level).collect();
        let bomb = format!("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n{}\n", levels.join("\n"));
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        for text in [bomb, "[".repeat(100_000), nested(100), nested(300)] {
            let found = faults(&text);
            assert!(found.len() == 1 && found[0].contains("than any configuration should be"), "{found:?}");
        }
    }
}
