//! A regular expression of a dialogue: checked when the configuration is read, compiled where it is used.
//!
//! Compiled, a profile's patterns take some hundred kilobytes: too much to hold for every profile and for ever, when
//! most of them match once in a thousand logins. So each dialogue compiles, of its own copy, those that it needs.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::{CaptureNames, Captures, Match, Regex, RegexBuilder};

/// Of a compiled pattern, in bytes: a dialogue's patterns are short, and one that is huge would be slow on everything
/// that a gateway sends.
const SIZE: usize = 1 << 20;

/// A regular expression.
pub struct Pattern {
    text: Arc<str>,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// Checks the expression.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        Self::checked(text).map(|(pattern, _)| pattern)
    }

    /// Checks the expression, and says whether it matches the empty text.
    pub(super) fn checked(text: &str) -> Result<(Self, bool), regex::Error> {
        let matches_nothing = compile(text)?.is_match("");
        Ok((Self::unchecked(text), matches_nothing))
    }

    /// One of the program's own, which tests have checked: to compile those of all clients takes longer than all else that
    /// is done with a configuration.
    pub(super) fn unchecked(text: &str) -> Self {
        Self { text: text.into(), compiled: OnceLock::new() }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Compiles it now, so that its first use is as fast as every other.
    pub fn prepare(&self) {
        let _ = self.regex();
    }

    /// Whether it matches somewhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex().is_match(text)
    }

    /// The first match that begins at `start` or after it.
    pub fn find_at<'h>(&self, text: &'h str, start: usize) -> Option<Match<'h>> {
        self.regex().find_at(text, start)
    }

    /// The same, with its groups.
    pub fn captures_at<'h>(&self, text: &'h str, start: usize) -> Option<Captures<'h>> {
        self.regex().captures_at(text, start)
    }

    /// The names of its groups.
    pub fn capture_names(&self) -> CaptureNames<'_> {
        self.regex().capture_names()
    }

    fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| compile(&self.text).expect("it was compiled once when it was checked"))
    }
}

fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).size_limit(SIZE).dfa_size_limit(SIZE).build()
}

impl Clone for Pattern {
    /// A copy that is not compiled yet, and takes what it compiles with it when it goes.
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), compiled: OnceLock::new() }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_checked_when_it_is_made_and_a_copy_matches_as_it_does() {
        assert!(Pattern::new("(").is_err());
        assert!(Pattern::new(r"(?:\w{500}){500}").is_err(), "it is too large");
        let pattern = Pattern::new("(?<what>b+)").unwrap();
        for pattern in [pattern.clone(), pattern] {
            assert_eq!(pattern.find_at("b abbc", 1).map(|found| found.range()), Some(3..5));
            assert_eq!(&pattern.captures_at("abbc", 0).unwrap()["what"], "bb");
            assert_eq!(pattern.capture_names().flatten().collect::<Vec<_>>(), ["what"]);
            assert_eq!(format!("{pattern:?}"), r#""(?<what>b+)""#);
        }
    }
}
