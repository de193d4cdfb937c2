//! A plain YAML list of names: MIPsec's configuration. Pure.
//!
//! What counts as a name is MIPsec's to say, and so `PyYAML`'s (YAML 1.1): `- 123` and `- yes` are none, `- "123"` is.

use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Spanned};

use super::yaml::{Raw, options};

/// Why a text is no list of names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameListFault {
    /// It is no YAML.
    #[error("line {line}: not valid YAML")]
    NotYaml {
        /// From 1; 1 where the parser does not tell.
        line: u64,
    },
    /// It is something else than a list.
    #[error("is {what}, not a list")]
    NotAList {
        /// What it is.
        what: &'static str,
    },
    /// Something in the list is no text.
    #[error("line {line}: item {number} is {what}, not a name")]
    NotAName {
        /// From 1.
        line: u64,
        /// Which one, from 1.
        number: usize,
        /// What it is.
        what: &'static str,
    },
}

/// The names, in their order, each as often as it is there.
///
/// # Errors
///
/// The first fault.
pub fn parse_name_list(text: &str) -> Result<Vec<String>, NameListFault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed: Result<Spanned<Raw>, _> =
        serde_saphyr::from_str_with_options(text, options(DuplicateKeyPolicy::LastWins));
    let raw = parsed.map_err(|error| NameListFault::NotYaml { line: error.location().map_or(1, |at| at.line()) })?;
    let items = match raw.value {
        Raw::Sequence(items) => items,
        Raw::Null => return Err(NameListFault::NotAList { what: "empty" }),
        Raw::Mapping(_) => return Err(NameListFault::NotAList { what: "a mapping" }),
        Raw::Text(_) | Raw::Typed => return Err(NameListFault::NotAList { what: "a single value" }),
    };
    items.into_iter().enumerate().map(|(index, item)| name(text, index + 1, item)).collect()
}

fn name(source: &str, number: usize, item: Spanned<Raw>) -> Result<String, NameListFault> {
    let line = item.defined.line();
    let not = |what| Err(NameListFault::NotAName { line, number, what });
    match item.value {
        Raw::Text(text) if is_plain(source, item.defined) && is_typed(&text) => not("a number, a date or a switch"),
        Raw::Text(text) => Ok(text),
        Raw::Typed => not("a number, a date or a switch"),
        Raw::Null => not("empty"),
        Raw::Sequence(_) => not("a list"),
        Raw::Mapping(_) => not("a mapping"),
    }
}

/// Whether it stands there without quotes.
fn is_plain(source: &str, at: Location) -> bool {
    let offset = at.span().byte_offset().and_then(|offset| usize::try_from(offset).ok());
    let rest = offset.and_then(|offset| source.get(offset..)).unwrap_or_default();
    !rest.starts_with(['"', '\'', '|', '>', '!', '&'])
}

/// Whether YAML 1.1 takes a text without quotes for something else, where YAML 1.2 does not: the words for a switch,
/// dates, and numbers in its own ways of writing them (`12:30`, `1_000`, `0b1`).
fn is_typed(text: &str) -> bool {
    const SWITCHES: &[&str] = &["yes", "no", "on", "off", "true", "false", "null", "~"];
    let is_switch = SWITCHES.iter().any(|word| {
        let capital =
            |word: &str| word.get(..1).map(str::to_uppercase).unwrap_or_default() + word.get(1..).unwrap_or_default();
        text == *word || text == word.to_uppercase() || text == capital(word)
    });
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let begins_with_digit = unsigned.starts_with(|c: char| c.is_ascii_digit());
    let is_number = begins_with_digit
        && (unsigned.matches('.').count() < 2 && unsigned.split([':', '.']).all(digits)
            || unsigned.strip_prefix("0b").is_some_and(digits));
    let mut parts = text.splitn(3, '-').map(|part| part.split(['T', 't', ' ']).next().unwrap_or_default());
    let mut part = |lengths: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|part| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    is_switch || is_number || (part(4..=4) && part(1..=2) && part(1..=2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_as_they_are_written() {
        for (text, names) in [
            ("- net-a\n- net-b\n- net-a\n", vec!["net-a", "net-b", "net-a"]),
            (
                "# tunnels\n---\n- 'a b'\n- \"123\"\n- '123'\n- 'yes'\n- \"2026-11-20\"\n",
                vec!["a b", "123", "123", "yes", "2026-11-20"],
            ),
            ("[net-a, ikev2-vpn-140]", vec!["net-a", "ikev2-vpn-140"]),
            (
                "- 10.0.0.1\n- 2026-11\n- 1-2-3\n- yesterday\n- v1.5\n- 12a\n- a-1\n",
                vec!["10.0.0.1", "2026-11", "1-2-3", "yesterday", "v1.5", "12a", "a-1"],
            ),
            ("\u{feff}- x", vec!["x"]),
            ("[]", vec![]),
        ] {
            // PyYAML takes `10.0.0.1` for a text: it has more than one point.
            assert_eq!(parse_name_list(text).unwrap(), names, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_names_is_told_with_its_place() {
        for (text, words) in [
            ("", "is empty, not a list"),
            ("# nothing\n", "is empty, not a list"),
            ("net-a", "is a single value, not a list"),
            ("12", "is a single value, not a list"),
            ("sites:\n  a: 1\n", "is a mapping, not a list"),
            ("a: 1\na: 2\n", "is a mapping, not a list"),
            ("- a\n- 123\n", "line 2: item 2 is a number, a date or a switch, not a name"),
            ("- 0123\n", "line 1: item 1 is a number, a date or a switch, not a name"),
            ("- 1.5\n", "line 1: item 1 is a number, a date or a switch, not a name"),
            ("- yes\n", "line 1: item 1 is a number, a date or a switch, not a name"),
            ("- Off\n", "line 1: item 1 is a number, a date or a switch, not a name"),
            ("- true\n", "line 1: item 1 is a number, a date or a switch, not a name"),
            ("- 12:30\n", "line 1: item 1 is a number, a date or a switch, not a name"),
            ("- 2026-11-20\n", "line 1: item 1 is a number, a date or a switch, not a name"),
            ("- a\n-\n", "line 2: item 2 is empty, not a name"),
            ("- ~\n", "line 1: item 1 is empty, not a name"),
            ("- [a]\n", "line 1: item 1 is a list, not a name"),
            ("- name: a\n", "line 1: item 1 is a mapping, not a name"),
            ("- a\n- [b\n", "line 2: not valid YAML"),
            ("- a\n\t- b: 'c\n", "line 1: not valid YAML"),
            ("- a\n---\n- b\n", "line 3: not valid YAML"),
            ("- !own a\n", "line 1: not valid YAML"),
        ] {
            assert_eq!(parse_name_list(text).unwrap_err().to_string(), words, "{text}");
        }
    }
}
