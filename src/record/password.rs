//! What a client says of how long the password still is good: pure.

use super::{CycleRecord, Stage};

/// How long the password still is good, as far as a login told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordTerm {
    /// The client said so: whole days.
    Days(i64),
    /// The login was good, and nothing was said.
    Unsaid,
}

impl PasswordTerm {
    /// What this cycle's login told; none where nobody logged in.
    pub(super) fn of(record: &CycleRecord) -> Option<Self> {
        let logged_in = record.stages.iter().any(|s| s.stage == Stage::Login && s.outcome.is_passed());
        let said = record.dialogue.iter().filter(|event| !event.sent).rev().find_map(|event| days_in(&event.text));
        // A record that was read back from its row has no dialogue.
        said.map(Self::Days).or_else(|| (logged_in && !record.dialogue.is_empty()).then_some(Self::Unsaid))
    }
}

/// The days in `Your password will expire in 5 days.` (Connect Tunnel's words; gateways that pass on what a directory says
/// have others), where the line says such a thing.
fn days_in(line: &str) -> Option<i64> {
    let line = line.to_ascii_lowercase();
    let (_, after) = line.split_once("password")?;
    let (between, after) = after.split_once("expire")?;
    if ["session", "certificate", "licen", "token"].iter().any(|other| between.contains(other)) {
        return None;
    }
    if after.starts_with('d') {
        return None;
    }
    if let Some(at) = after.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = after.split_at(at);
        if !before.contains(" in ") {
            return None;
        }
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let (number, unit) = digits.split_at(end);
        let number: i64 = number.parse().ok().filter(|number| *number < 10_000)?;
        let unit = unit.trim_start();
        return match () {
            () if unit.starts_with("day") => Some(number),
            () if unit.starts_with("hour") => Some(number / 24),
            () => None,
        };
    }
    let words = [("today", 0), ("tomorrow", 1)];
    words.into_iter().find(|(word, _)| after.contains(word)).map(|(_, days)| days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_clients_and_directories_are_understood() {
        for (line, days) in [
            ("Your password will expire in 5 days.", Some(5)),
            ("Your password will expire in 1 day", Some(1)),
            ("  PASSWORD EXPIRES IN 14 DAY(S). Do you want to change it now?", Some(14)),
            ("Warning: your password will expire in less than 2 days", Some(2)),
            ("Your password expires in 30 hours", Some(1)),
            ("Your password will expire today!", Some(0)),
            ("your password expires tomorrow", Some(1)),
            ("Your password has expired. Please change it now.", None),
            ("Your password expired 3 days ago", None),
            ("Your password will expire in 99999999999999999999 days", None),
            ("Your password will expire on 2026-12-24", None),
            ("Passwords expire every 30 days", None),
            ("Password accepted. Your session will expire in 8 hours", None),
            ("Your session will expire in 5 days", None),
            ("Password:", None),
            ("", None),
        ] {
            assert_eq!(days_in(line), days, "{line}");
        }
    }
}
