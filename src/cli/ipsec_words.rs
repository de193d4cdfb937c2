//! What `vpnprobe ipsec` says: one line a fact, and for ever the same fact once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::common::say;
use crate::ipsec::{Ended, Note, Step};

/// Tells a person, or a log, what passes find and do.
#[derive(Debug, Default)]
pub(super) struct Teller {
    /// What was last said of a tunnel's state; only where there are many passes.
    said: Option<Mutex<BTreeMap<String, String>>>,
}

/// How loud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warn,
    Info,
}

impl Teller {
    /// Says each fact.
    pub(super) fn of_one_pass() -> Self {
        Self::default()
    }

    /// Says of each tunnel only what is new; the rest is a detail (`--verbose`).
    pub(super) fn of_many_passes() -> Self {
        Self { said: Some(Mutex::default()) }
    }

    /// Says it.
    pub(super) fn tell(&self, note: &Note<'_>) {
        let words = note.to_string();
        if matches!(note, Note::Would(..)) {
            // What was asked for is a result.
            say(&format!("{words}\n"));
        } else if self.is_known(note, &words) {
            tracing::debug!("{words}");
        } else {
            match level(note) {
                Level::Error => tracing::error!("{words}"),
                Level::Warn => tracing::warn!("{words}"),
                Level::Info => tracing::info!("{words}"),
            }
        }
    }

    fn is_known(&self, note: &Note<'_>, words: &str) -> bool {
        let (Some(said), Some((name, kind))) = (&self.said, state_of(note)) else { return false };
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if kind.is_empty() {
            // A restart has changed it: what is found next is news.
            said.retain(|known, _| !known.ends_with(&format!("\0{name}")));
            return false;
        }
        said.insert(format!("{kind}\0{name}"), words.to_owned()).is_some_and(|before| before == words)
    }
}

/// Whose state a note tells, and which side of it; an empty one where a restart begins.
fn state_of<'a>(note: &'a Note<'_>) -> Option<(&'a str, &'static str)> {
    match note {
        Note::Found(name, _) => Some((name, "found")),
        Note::Left(name, _) | Note::Refused(name, _) | Note::NotTried(name, _) => Some((name, "done")),
        Note::Step(Step::Begun { tunnel, .. }) => Some((&tunnel.child, "")),
        Note::Back(_) | Note::Would(..) | Note::Step(_) => None,
    }
}

fn level(note: &Note<'_>) -> Level {
    match note {
        Note::Found(_, assessment) if assessment.is_up() => Level::Info,
        Note::Step(Step::Failed { .. }) => Level::Error,
        Note::Found(..)
        | Note::Refused(..)
        | Note::NotTried(..)
        | Note::Step(
            Step::NotTerminated { .. } | Step::NotInitiated { .. } | Step::StillSilent { .. } | Step::DaemonAway { .. },
        ) => Level::Warn,
        Note::Back(_) | Note::Left(..) | Note::Would(..) | Note::Step(_) => Level::Info,
    }
}

/// A pass in one line: `200 tunnels: 198 UP, 1 restored, 1 DOWN (net-a)`.
pub(super) fn summary(names: &[String], ended: &[Ended]) -> String {
    let count = |wanted: Ended| ended.iter().filter(|end| **end == wanted).count();
    let (up, restored, down) = (count(Ended::Up), count(Ended::Restored), count(Ended::Down));
    let mut parts = Vec::new();
    if up > 0 {
        parts.push(format!("{up} UP"));
    }
    if restored > 0 {
        parts.push(format!("{restored} restored"));
    }
    if down > 0 {
        const SHOWN: usize = 5;
        let of_those = names.iter().zip(ended).filter(|(_, end)| **end == Ended::Down).map(|(name, _)| name.as_str());
        let shown: Vec<_> = of_those.take(SHOWN).collect();
        let more = if down > SHOWN { ", …" } else { "" };
        parts.push(format!("{down} DOWN ({}{more})", shown.join(", ")));
    }
    let tunnels = if ended.len() == 1 { "1 tunnel".to_owned() } else { format!("{} tunnels", ended.len()) };
    format!("{tunnels}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_one_line() {
        let names: Vec<String> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(str::to_owned).into();
        for (ended, words) in [
            (vec![Ended::Up], "1 tunnel: 1 UP"),
            (vec![Ended::Up, Ended::Restored, Ended::Down], "3 tunnels: 1 UP, 1 restored, 1 DOWN (c)"),
            (vec![Ended::Down; 8], "8 tunnels: 8 DOWN (a, b, c, d, e, …)"),
        ] {
            assert_eq!(summary(&names, &ended), words);
        }
    }
}
