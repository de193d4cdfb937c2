//! What a key may hold, as JSON Schema. YAML reads `0123`, `yes` and `1e3` as numbers and switches, and the loader takes
//! their text: so a text may be any of them.

use serde_json::{Value, json};

use crate::config::built_in_profile_names;
use crate::record::{FailureKind, MalfunctionKind};
use crate::zone::Zone;

/// What a key holds.
#[derive(Clone, Copy)]
pub(in crate::config) enum Shape {
    /// A text that is not empty, in one line.
    Text,
    /// A text in one line; it may be empty.
    Line,
    /// A text that holds a secret.
    Password,
    /// A text of this form, and what it is in words.
    Pattern(&'static str, &'static str),
    /// A regular expression.
    Regex,
    /// A text of any number of lines.
    Template,
    /// One of several words.
    Choice(&'static [&'static str]),
    /// A reason.
    Reason,
    /// A time zone.
    Zone,
    /// A client profile.
    Client,
    /// Yes or no.
    Flag,
    /// Yes.
    True,
    /// A whole number from, to.
    Integer(u32, u32),
    /// A number from, to.
    Number(f64, f64),
    /// A duration in seconds from, to.
    Duration(f64, f64),
    /// A program and its arguments.
    Command,
    /// A group of arguments: one, or a list.
    Words,
    /// The name of an interface, or nothing.
    Interface,
    /// A list, or a single one of its items.
    List(&'static Shape),
    /// This, or a block.
    Or(&'static Shape, &'static str),
    /// A mapping with keys of its own.
    Block(&'static str),
    /// A mapping from names to blocks.
    Names(&'static str),
    /// A mapping from names to texts.
    Values,
}

/// Control characters are refused; the line break that ends a YAML block does not count.
const TEXT: &str = r"^[^\u0000-\u001f\u007f-\u009f]+\n?$";
const LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*\n?$";
const DURATION: &str = r"^\s*([0-9]+(\.[0-9]+)?|(?=[0-9])([0-9]+(\.[0-9]+)?d)?([0-9]+(\.[0-9]+)?h)?([0-9]+(\.[0-9]+)?m)?([0-9]+(\.[0-9]+)?s)?([0-9]+(\.[0-9]+)?ms)?)\s*$";

impl Shape {
    /// The schema of such a value.
    pub(super) fn schema(self) -> Value {
        let scalar = json!(["string", "number", "boolean"]);
        let text = |pattern: &str| json!({ "type": scalar, "pattern": pattern });
        match self {
            Self::Text | Self::Password => text(TEXT),
            Self::Line => text(LINE),
            Self::Pattern(pattern, words) => {
                json!({ "type": scalar, "pattern": pattern, "patternErrorMessage": format!("must be {words}") })
            }
            Self::Regex | Self::Template => json!({ "type": scalar, "minLength": 1 }),
            Self::Choice(words) => json!({ "enum": words }),
            Self::Reason => {
                let failures = FailureKind::ALL.iter().map(|kind| kind.as_str());
                let all: Vec<_> = failures.chain(MalfunctionKind::ALL.iter().map(|kind| kind.as_str())).collect();
                json!({ "enum": all })
            }
            // Proposed and not enumerated: the loader takes any case of the letters.
            Self::Zone => json!({ "type": scalar, "pattern": TEXT, "examples": Zone::names() }),
            Self::Client => {
                json!({ "type": scalar, "pattern": TEXT, "examples": built_in_profile_names() })
            }
            Self::Flag => {
                json!({ "type": ["boolean", "string"], "pattern": word(&["true", "yes", "on", "false", "no", "off"]) })
            }
            Self::True => {
                json!({ "type": ["boolean", "string"], "not": { "const": false }, "pattern": word(&["true", "yes", "on"]) })
            }
            Self::Integer(from, to) => {
                json!({ "type": ["integer", "string"], "minimum": from, "maximum": to, "pattern": r"^[0-9]+\n?$" })
            }
            Self::Number(from, to) => {
                json!({ "type": ["number", "string"], "minimum": from, "maximum": to, "pattern": r"^[-0-9.]+\n?$" })
            }
            Self::Duration(from, to) => json!({
                "type": ["number", "string"], "minimum": from, "maximum": to, "pattern": DURATION,
                "patternErrorMessage": "must be a duration: seconds, or `200ms`, `90s`, `5m`, `1h30m`, `2d`",
            }),
            Self::Command => json!({ "anyOf": [
                Self::Pattern(r"^\S+$", "a program, or a list of a program and its arguments").schema(),
                { "type": "array", "minItems": 1, "items": Self::Text.schema() },
            ] }),
            Self::Words => json!({ "anyOf": [
                Self::Line.schema(),
                { "type": ["array", "null"], "items": Self::Line.schema() },
            ] }),
            Self::Interface => {
                json!({ "type": ["string", "number", "boolean", "null"], "maxLength": 15, "pattern": r"^[^\s/]+$" })
            }
            Self::List(item) => {
                json!({ "anyOf": [item.schema(), { "type": ["array", "null"], "items": item.schema() }] })
            }
            Self::Or(one, block) => json!({ "anyOf": [one.schema(), Self::Block(block).schema()] }),
            Self::Block(name) => json!({ "$ref": format!("#/definitions/{name}") }),
            Self::Names(name) => {
                json!({ "type": ["object", "null"], "additionalProperties": Self::Block(name).schema() })
            }
            Self::Values => json!({ "type": ["object", "null"], "additionalProperties": Self::Line.schema() }),
        }
    }
}

/// One of these words, whatever the case of its letters.
fn word(words: &[&str]) -> String {
    let either = |c: char| format!("[{}{c}]", c.to_ascii_uppercase());
    let any: Vec<String> = words.iter().map(|word| word.chars().map(either).collect()).collect();
    format!(r"^({})\n?$", any.join("|"))
}
