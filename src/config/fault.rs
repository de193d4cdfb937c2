//! Faults of a configuration: all of them at once, each with its place; and the sink that collects them.
//!
//! A fault's text never holds the value of a key that is unknown or holds a secret.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::tree::Position;

/// One fault (or warning) of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fault {
    /// The file, as it was named to the loader.
    pub file: Arc<str>,
    /// The key: `sites.paris.timeout`; empty where the whole file is meant.
    pub path: String,
    /// Line in the file, from 1; 0 where the whole file is meant.
    pub line: u32,
    /// Column in the line in characters, from 1; 0 where the whole file is meant.
    pub column: u32,
    /// What is wrong: a lowercase fragment, values in backticks.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault of the whole file.
    pub(super) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.into(), path: String::new(), line: 0, column: 0, message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.path.is_empty() {
            write!(f, ": {}", self.path)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// A configuration that can't be used: every fault of it, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The faults; at least one.
    pub faults: Vec<Fault>,
    /// What else is worth a second look; not part of the error's text.
    pub warnings: Vec<Fault>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}

impl From<Fault> for LoadError {
    fn from(fault: Fault) -> Self {
        Self { faults: vec![fault], warnings: Vec::new() }
    }
}

/// Collects faults and warnings while the configuration is walked. The same fault found twice (a default that several
/// sites fall back to) counts once.
pub(super) struct Sink {
    file: Arc<str>,
    /// The file came with the program.
    built_in: bool,
    faults: RefCell<Collected>,
    warnings: RefCell<Collected>,
}

#[derive(Default)]
struct Collected {
    list: Vec<Fault>,
    seen: HashSet<Fault>,
}

impl Collected {
    fn push(&mut self, fault: Fault) {
        if self.seen.insert(fault.clone()) {
            self.list.push(fault);
        }
    }

    fn into_sorted(mut self) -> Vec<Fault> {
        self.list.sort_by_key(|fault| (fault.line, fault.column));
        self.list
    }
}

impl Sink {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.into(), built_in: false, faults: RefCell::default(), warnings: RefCell::default() }
    }

    /// For a file that came with the program: what takes long to check, tests have checked.
    pub(super) fn built_in(file: &str) -> Self {
        Self { built_in: true, ..Self::new(file) }
    }

    pub(super) const fn is_built_in(&self) -> bool {
        self.built_in
    }

    /// Notes a fault.
    pub(super) fn fault(&self, path: &str, at: Position, message: impl Into<String>, hint: Option<String>) {
        self.faults.borrow_mut().push(self.build(path, at, message.into(), hint));
    }

    /// Notes a warning.
    pub(super) fn warning(&self, path: &str, at: Position, message: impl Into<String>, hint: Option<String>) {
        self.warnings.borrow_mut().push(self.build(path, at, message.into(), hint));
    }

    /// The warnings, or else every fault; both in the order of the file.
    pub(super) fn finish(self) -> Result<Vec<Fault>, LoadError> {
        let faults = self.faults.into_inner().into_sorted();
        let warnings = self.warnings.into_inner().into_sorted();
        if faults.is_empty() { Ok(warnings) } else { Err(LoadError { faults, warnings }) }
    }

    fn build(&self, path: &str, at: Position, message: String, hint: Option<String>) -> Fault {
        let file = Arc::clone(&self.file);
        Fault { file, path: path.to_owned(), line: at.line, column: at.column, message, hint }
    }
}

/// A value as it is shown in a message: control characters escaped (they could drive the reader's terminal), cut after
/// 60 characters.
pub(super) fn shown(value: &str) -> String {
    const LIMIT: usize = 60;
    let mut text: String = value.chars().take(LIMIT).flat_map(escaped).collect();
    if value.chars().nth(LIMIT).is_some() {
        text.push('…');
    }
    text
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    // `escape_debug` also escapes quotes, which need none here, and invisible format characters, which do.
    let plain = matches!(c, '"' | '\'' | '\\');
    plain.then_some(c).into_iter().chain((!plain).then(|| c.escape_debug()).into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_printed_with_file_line_column_path_and_hint() {
        let sink = Sink::new("config.yml");
        let at = Position { line: 12, column: 14 };
        sink.fault("sites.paris.timeout", at, "`abc` is not a duration", Some("write `90s`".to_owned()));
        let error = sink.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            "config.yml:12:14: sites.paris.timeout: `abc` is not a duration\n  hint: write `90s`"
        );
    }

    #[test]
    fn the_same_fault_counts_once_and_faults_come_in_the_order_of_the_file() {
        let sink = Sink::new("c");
        sink.fault("b", Position { line: 2, column: 1 }, "late", None);
        sink.fault("a", Position { line: 1, column: 9 }, "early", None);
        sink.fault("b", Position { line: 2, column: 1 }, "late", None);
        let messages: Vec<_> = sink.finish().unwrap_err().faults.into_iter().map(|f| f.message).collect();
        assert_eq!(messages, ["early", "late"]);
    }

    #[test]
    fn a_value_is_shown_without_control_characters_and_not_at_any_length() {
        assert_eq!(shown("a\x1b[31m\nb"), "a\\u{1b}[31m\\nb");
        assert_eq!(shown("it's \"x\" \\d"), "it's \"x\" \\d");
        assert_eq!(shown(&"x".repeat(100)), format!("{}…", "x".repeat(60)));
    }
}
