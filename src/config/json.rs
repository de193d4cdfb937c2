//! From JSON to the spanned tree: its grammar is checked by `serde_json`, its content read as YAML, which it is.
//!
//! YAML alone would take comments, single quotes and trailing commas, and speaks of YAML where it finds a fault.

use serde::de::IgnoredAny;

use super::fault::Sink;
use super::tree::{Node, Position};

/// Parses the text. Faults go into the sink; without a tree there is nothing more to find.
pub(super) fn parse(text: &str, sink: &Sink) -> Option<Node> {
    if text.trim().is_empty() {
        // As an empty YAML file: "holds no configuration" says more than "end of file".
        return super::yaml::parse(text, sink);
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(IgnoredAny) => super::yaml::parse(text, sink),
        Err(error) => {
            report(text, &error, sink);
            None
        }
    }
}

fn report(text: &str, error: &serde_json::Error, sink: &Sink) {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    // The crate counts bytes, and names the last one that it read.
    let before = line.as_bytes().get(..error.column().saturating_sub(1)).unwrap_or_default();
    let at =
        Position { line: narrow(error.line()), column: narrow(String::from_utf8_lossy(before).chars().count() + 1) };
    let whole = error.to_string();
    // Fixed sentences: the grammar alone is asked, so nothing of the file is in them.
    let message = whole.rsplit_once(" at line ").map_or(whole.as_str(), |(message, _)| message);
    let hint = match message {
        "key must be a string" => Some("JSON knows no comments, no comma before `}`, and keys in double quotes alone"),
        "control character (\\u0000-\\u001F) found while parsing a string" => Some("write `\\n` for a line break"),
        _ => None,
    };
    sink.fault("", at, format!("not valid JSON: {message}"), hint.map(str::to_owned));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let sink = Sink::new("c");
        let _ = parse(text, &sink);
        sink.finish().map_or_else(|error| error.to_string(), |_| "no fault".to_owned())
    }

    #[test]
    fn what_yaml_would_take_is_no_json() {
        for (text, expected) in [
            ("{\"a\": 1,}", "c:1:9: not valid JSON: key must be a string"),
            ("{\"a\": [1,]}", "c:1:10: not valid JSON: expected value"),
            ("{\"é\": 'x'}", "c:1:7: not valid JSON: expected value"),
            ("# none\n{}", "c:1:1: not valid JSON: expected value"),
            ("{a: 1}", "c:1:2: not valid JSON: key must be a string"),
            ("{\"a\": 0123}", "c:1:8: not valid JSON: invalid number"),
            ("{\"a\": yes}", "c:1:7: not valid JSON: expected value"),
            ("{\n\t\"a\": 1\n\t\"b\": 2\n}", "c:3:2: not valid JSON: expected `,` or `}`"),
            ("{\"a\": \"x\ny\"}", "c:1:8: not valid JSON: control character"),
            ("{\"a\": 1", "c:1:7: not valid JSON: EOF while parsing an object"),
            ("{} {}", "c:1:4: not valid JSON: trailing characters"),
        ] {
            assert!(told(text).starts_with(expected), "{text}: {}", told(text));
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(told(&deep).contains("larger or deeper than any configuration should be"));
    }

    #[test]
    fn every_way_to_write_json_is_read() {
        // YAML takes keys of 1,024 characters at most; no name of anything is so long.
        let long = "x".repeat(1_000);
        for text in [
            "{\t\"a\"\t:\t1\r\n}\r\n".to_owned(),
            "{\"a\"\n:\n1\n,\n\"b\"\n:{\n}}".to_owned(),
            "{\"a\":1,\"b\":[],\"c\":{},\"d\":[[],{}],\"e\":-1.5E+3,\"f\":null}".to_owned(),
            format!("{{\"{long}\": \"{long}\"}}"),
            "{\"\\ud83d\\ude00\\/\\b\\f\": \"\\u0000\\u007f\"}".to_owned(),
            "{\"a\": \"\u{2028}\u{feff}é\"}".to_owned(),
            "{\"\":\"\"}".to_owned(),
            "{\"a\":\"%& *!|>'@`#: - ? ---\"}".to_owned(),
        ] {
            assert!(told(&text) == "no fault", "{text:.80}: {:.200}", told(&text));
        }
        assert_eq!(
            told("{\"a\": {\"b\": 1,\n \"b\": 2}}"),
            "c:2:2: a.b: this key is given twice\n  hint: it is also in line 1: keep one of them"
        );
    }
}
