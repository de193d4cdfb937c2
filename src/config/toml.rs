//! From TOML to the spanned tree, by the low-level half of the crate `toml`.
//!
//! As in YAML a scalar keeps its source text, and messages of the parser never show the source: a neighbouring line may
//! hold a password. Where they are fixed sentences, they are told; nothing of the file is in them.

use std::cell::Cell;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::fault::Sink;
use super::keys::{holds_secret, names_things};
use super::tree::{Entry, Node, NodeKind, Position, join_key};

/// As deep as YAML may be (see `yaml`).
const MAX_DEPTH: usize = 20;

/// The parser keeps some 50 bytes for each byte of a file that is made of brackets alone: this is 1 GB at worst, and
/// more than 15,000 sites.
const LARGEST: usize = 16 << 20;

/// More syntax errors than this are the wrong kind of file.
const MOST_ERRORS: usize = 20;

/// Keys given twice that are told: finding the other one takes a walk through the file each time.
const MOST_REPEATED: usize = 100;

const TOO_LARGE: &str = "the file is larger or deeper than any configuration should be";

const LIMITS: &str = "at most 16 MiB and 20 levels";

/// Parses the text. Faults go into the sink; without a tree there is nothing more to find.
///
/// A key given twice does not stop it: the first one counts for the rest of the check.
pub(super) fn parse(text: &str, sink: &Sink) -> Option<Node> {
    if text.len() > LARGEST {
        sink.fault("", Position { line: 1, column: 1 }, TOO_LARGE, Some(LIMITS.to_owned()));
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let (repeated, broken): (Vec<_>, Vec<_>) = errors.into_iter().partition(|e| e.message() == "duplicate key");
    let places = Places::of(text);
    if !broken.is_empty() {
        report(&broken, &places, sink);
        return None;
    }
    let mut builder = Builder { text, places: &places, too_deep: None, keys: Vec::new() };
    let mut node = builder.table(Position { line: 1, column: 1 }, table.into_inner(), Some(""), 0..0, 0);
    if let Some(at) = builder.too_deep {
        sink.fault("", at, TOO_LARGE, Some(LIMITS.to_owned()));
        return None;
    }
    for error in repeated.iter().take(MOST_REPEATED) {
        let at = error.span().map_or(0, |span| span.start);
        let earlier = builder.earlier(at);
        let path = earlier.and_then(|key| key.path.as_deref()).unwrap_or_default();
        let hint = earlier.filter(|key| key.start != at).map(|key| {
            let line = places.at(key.start).line;
            format!("it is also in line {line}: keep one of them")
        });
        sink.fault(path, places.at(at), "this key is given twice", hint);
    }
    if matches!(&node.kind, NodeKind::Mapping(entries) if entries.is_empty()) {
        node.kind = NodeKind::Null;
    }
    Some(node)
}

fn report(errors: &[Error], places: &Places<'_>, sink: &Sink) {
    for error in errors.iter().take(MOST_ERRORS) {
        let at = places.at(error.span().map_or(0, |span| span.start));
        // What the parser expected instead is in its own words ("expected nothing"), of no help to anybody.
        let message = error.message().split(", expected").next().unwrap_or_default();
        if message.contains("recurs") {
            sink.fault("", at, TOO_LARGE, Some(LIMITS.to_owned()));
            return;
        }
        let hint = if message.contains("must be quoted") || message.contains("leading zero") {
            Some("put the value in quotes".to_owned())
        } else {
            None
        };
        sink.fault("", at, format!("not valid TOML: {message}"), hint);
    }
}

/// Where the lines begin.
struct Places<'a> {
    text: &'a str,
    lines: Vec<usize>,
    /// The place asked for last, and its column: the next one is mostly right behind it, and a line may be megabytes.
    last: Cell<(usize, usize)>,
}

impl<'a> Places<'a> {
    fn of(text: &'a str) -> Self {
        let after = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, lines: std::iter::once(0).chain(after).collect(), last: Cell::new((0, 1)) }
    }

    fn at(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or(0);
        let (last, last_column) = self.last.get();
        let (from, columns) = if (start..=offset).contains(&last) { (last, last_column) } else { (start, 1) };
        let column = columns + self.text.get(from..offset).unwrap_or_default().chars().count();
        self.last.set((offset, column));
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position { line: narrow(line), column: narrow(column) }
    }
}

/// A key of the tree, to find the one that is given again.
struct Key {
    name: String,
    start: usize,
    /// `None` under a key that holds a secret.
    path: Option<String>,
    /// The span of the table that it stands in: of its braces, of its header, of a dotted key; empty at the top.
    within: std::ops::Range<usize>,
}

/// Turns the parser's values into nodes; its recursion is bounded by [`MAX_DEPTH`].
struct Builder<'a> {
    text: &'a str,
    places: &'a Places<'a>,
    too_deep: Option<Position>,
    keys: Vec<Key>,
}

impl Builder<'_> {
    /// `path` is `None` under a key that holds a secret: nothing of what stands there is shown.
    fn node(&mut self, value: Spanned<DeValue<'_>>, path: Option<&str>, depth: usize) -> Node {
        let span = value.span();
        let at = self.places.at(span.start);
        if depth > MAX_DEPTH {
            self.too_deep.get_or_insert(at);
            return Node { at, kind: NodeKind::Null };
        }
        let kind = match value.into_inner() {
            DeValue::String(text) => NodeKind::Scalar(text.into_owned()),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
                NodeKind::Scalar(self.text.get(span).unwrap_or_default().to_owned())
            }
            DeValue::Array(items) => {
                let items = items.into_iter().enumerate();
                let build = |(index, item)| {
                    let path = path.map(|path| format!("{path}[{index}]"));
                    self.node(item, path.as_deref(), depth + 1)
                };
                NodeKind::Sequence(items.map(build).collect())
            }
            DeValue::Table(table) => return self.table(at, table, path, span, depth),
        };
        Node { at, kind }
    }

    /// The parser sorts keys by name; we want the order of the file.
    fn table(
        &mut self,
        at: Position,
        table: DeTable<'_>,
        path: Option<&str>,
        within: std::ops::Range<usize>,
        depth: usize,
    ) -> Node {
        let mut items: Vec<_> = table.into_iter().collect();
        items.sort_by_key(|(key, _)| key.span().start);
        let mut entries = Vec::with_capacity(items.len());
        for (key, value) in items {
            let start = key.span().start;
            let key_at = self.places.at(start);
            let key = key.into_inner().into_owned();
            let key_path = path.map(|path| join_key(path, &key));
            let secret = holds_secret(&key) && !path.is_some_and(names_things);
            let value = self.node(value, key_path.as_deref().filter(|_| !secret), depth + 1);
            self.keys.push(Key { name: key.clone(), start, path: key_path, within: within.clone() });
            entries.push(Entry { key, at: key_at, value });
        }
        Node { at, kind: NodeKind::Mapping(entries) }
    }

    /// The key that stands at this place, else the one of the same name that stands before it in the same table.
    fn earlier(&self, at: usize) -> Option<&Key> {
        if let Some(same) = self.keys.iter().find(|key| key.start == at) {
            return Some(same);
        }
        let kind_of = |key: &Key| self.text.get(key.within.clone()).and_then(|table| table.chars().next());
        let is_dotted = self.text.get(..at)?.trim_end().ends_with('.');
        let named = |key: &&Key| {
            let written = self.text.get(at..).unwrap_or_default().trim_start_matches(['"', '\'']);
            key.start < at && written.starts_with(key.name.as_str())
        };
        let inline = |key: &&Key| kind_of(key) == Some('{') && key.within.contains(&at);
        let header = |key: &&Key| match kind_of(key) {
            Some('{') => false,
            None | Some('[') => !is_dotted,
            Some(_) => is_dotted,
        };
        // Of several around it the innermost, which begins last.
        let innermost = self.keys.iter().filter(named).filter(inline).max_by_key(|key| key.within.start);
        innermost.or_else(|| self.keys.iter().filter(named).filter(header).max_by_key(|key| key.start))
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
        for written in [
            "0x1F",
            "0o17",
            "0b1",
            "1_000",
            "+5",
            "-0",
            "0.50",
            "1e999",
            "nan",
            "-inf",
            "true",
            "2026-11-20",
            "2026-11-20 02:00:00Z",
            "02:00:00.5",
            "99999999999999999999999",
        ] {
            assert_eq!(text(&parsed(&format!("a = {written}\n")), &["a"]), written);
            assert_eq!(text(&parsed(&format!("'ü' = [\"€\"]\na = {{b={written}}}")), &["a", "b"]), written);
        }
        for (written, read) in [
            ("\"0\\t1\\u00e9\"", "0\t1é"),
            ("'it\\'", "it\\"),
            ("\"\"\"\nfirst\\\n   second\"\"\"", "firstsecond"),
            ("'''\none\ntwo'''", "one\ntwo"),
            ("\"\"", ""),
        ] {
            assert_eq!(text(&parsed(&format!("a = {written}")), &["a"]), read);
        }
    }

    #[test]
    fn every_way_to_write_a_table_is_the_same_tree_in_the_order_of_the_file() {
        let shape = |text: &str| {
            let NodeKind::Mapping(sites) = parsed(text).kind else { panic!() };
            format!("{:?}", sites.iter().map(|site| (&site.key, site.value.describe())).collect::<Vec<_>>())
        };
        let expected = "[(\"zürich\", \"a mapping\"), (\"b\", \"a list\")]";
        assert_eq!(shape("['zürich']\na = 1\n[[b]]\n[[b]]\nx = 1"), expected);
        assert_eq!(shape("\"zürich\".a = 1\nb = [{}, {x = 1}]"), expected);
        assert_eq!(shape("\"z\\u00fcrich\" = {a = 1}\r\nb = []\r\n"), expected);
    }

    #[test]
    fn every_value_knows_where_it_stands() {
        let node = parsed("# x\r\n[a]\r\n  \"bé\" = 12\r\n");
        assert_eq!(value(&node, &["a", "bé"]).at, Position { line: 3, column: 10 });
        let NodeKind::Mapping(entries) = &value(&node, &["a"]).kind else { panic!() };
        assert_eq!(entries[0].at, Position { line: 3, column: 3 });
    }

    #[test]
    fn every_key_that_is_given_twice_is_found_with_its_path() {
        assert_eq!(
            faults(
                "a = 1\na = 2\n[b]\nc = 1\nd = { c = 5, x = { y = 1, y = 2 } }\nc = 2\nc = 3\n[b]\ne.f = 1\ne.f = 2\n"
            ),
            [
                "c:2:1: a: this key is given twice\n  hint: it is also in line 1: keep one of them",
                "c:5:27: b.d.x.y: this key is given twice\n  hint: it is also in line 5: keep one of them",
                "c:6:1: b.c: this key is given twice\n  hint: it is also in line 4: keep one of them",
                "c:7:1: b.c: this key is given twice\n  hint: it is also in line 4: keep one of them",
                "c:8:2: b: this key is given twice",
                "c:10:3: b.e.f: this key is given twice\n  hint: it is also in line 9: keep one of them",
            ]
        );
    }

    #[test]
    fn a_syntax_error_shows_nothing_of_the_file_and_does_not_hide_the_next_one() {
        for line in [
            "password = \"hunter2",
            "password = hunter2",
            "password = 'hunter2",
            "password = 0hunter2",
            "password = [hunter2",
            "password = {hunter2",
            "password = {hunter2 = hunter2}",
            "password = \"hunter2\\q\"",
            "password hunter2",
            "hunter2",
            "[hunter2",
            "= hunter2",
            "password = \"\"\"hunter2",
            "password.hunter2 = 1\npassword = 1\npassword.hunter2.x = 2",
            "password = 1hunter2-2-2",
        ] {
            let found = faults(&format!("user = 'probe'\n{line}\npassword2 = hunter2\n")).join("\n");
            assert!(!found.contains("hunter2"), "{line}: {found}");
            assert!(found.starts_with("c:"), "{found}");
        }
        let two = faults("a = 01\nb = 1\nc = yes\n");
        assert!(two.len() == 2 && two.iter().all(|f| f.contains("put the value in quotes")), "{two:?}");
    }

    #[test]
    fn a_file_made_to_exhaust_the_memory_or_the_stack_is_refused() {
        let deep = |n: usize| format!("a = {}1{}", "[".repeat(n), "]".repeat(n));
        for text in [
            deep(100_000),
            deep(30),
            format!("a = {}1{}", "{a=".repeat(100_000), "}".repeat(100_000)),
            format!("{}a = 1", "a.".repeat(30)),
            format!("{}a = 1", "a.".repeat(100_000)),
            format!("[{}a]", "a.".repeat(100_000)),
            format!("#{}", "x".repeat(LARGEST)),
        ] {
            let found = faults(&text);
            assert!(found.len() == 1 && found[0].contains(TOO_LARGE), "{found:?}");
        }
        parsed(&deep(18));
    }

    #[test]
    fn a_line_of_megabytes_and_many_keys_given_twice_take_no_time_worth_speaking_of() {
        parsed(&format!("a = [{}]", "1,".repeat(1_000_000)));
        let keys: Vec<_> = (0..50_000).map(|n| format!("k{n} = 1\n")).collect();
        assert_eq!(faults(&keys.concat().repeat(2)).len(), MOST_REPEATED);
    }
}
