//! Decides what to type: text in, steps out. Pure.
//!
//! Every rule of the profile is awaited at once. The match that begins first in the text counts; of two that begin at
//! the same place, the rule that stands first in the profile. What a match covered, and all before it, is consumed.

use regex::RegexSet;

use super::fields::{Expanded, FieldMissing, Fields};
use crate::config::{DialogueRule, Fingerprint, Reaction};
use crate::record::{FailureKind, MalfunctionKind, Reason};

/// Unmatched text that is kept, because a match may begin in it: enough for a certificate with its question.
const KEPT_TEXT: usize = 8 * 1024;
/// A rule without `max` is answered so often at most. A client that asks the same thing more often is going round in
/// circles (Connect Tunnel's button menu comes after each of its dialogs, six at most).
const MOST_ANSWERS: u32 = 12;
/// Name of the group that makes a rule a certificate question.
const FINGERPRINT_GROUP: &str = "fingerprint";

/// What to do next.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Type this line.
    Send(Expanded),
    /// The login failed.
    Failed {
        /// Why.
        reason: Reason,
        /// The client's words.
        text: String,
    },
    /// The client says that the tunnel is up.
    Connected,
    /// The client says that the tunnel is gone again, or that it could not make it after all.
    Lost {
        /// Why.
        reason: Reason,
        /// The client's words.
        text: String,
    },
}

/// A dialogue under way.
#[derive(Debug)]
pub struct Dialogue {
    rules: Vec<DialogueRule>,
    /// All patterns in one automaton: most text matches none of them, and that is known in one pass.
    any: RegexSet,
    answered: Vec<u32>,
    fields: Fields,
    pinned: Vec<Fingerprint>,
    /// Consumed text (one character of context for `^`) and what follows it.
    text: String,
    consumed: usize,
    /// New text since the last search.
    fresh: bool,
    heard: bool,
    state: State,
}

/// What was found in the text.
struct Match {
    rule: usize,
    fingerprint: Option<String>,
    /// The line in which it stands.
    words: String,
    /// The last line before it that is not blank.
    before: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    LoggingIn,
    Connected,
    Over,
}

impl Dialogue {
    /// A dialogue by these rules.
    pub fn new(rules: Vec<DialogueRule>, fields: Fields, pinned: Vec<Fingerprint>) -> Result<Self, regex::Error> {
        let any = RegexSet::new(rules.iter().map(|r| r.expect.as_str()))?;
        let answered = vec![0; rules.len()];
        Ok(Self {
            rules,
            any,
            answered,
            fields,
            pinned,
            text: String::new(),
            consumed: 0,
            fresh: false,
            heard: false,
            state: State::LoggingIn,
        })
    }

    /// The client printed this (cleaned) text.
    pub fn push(&mut self, text: &str) {
        if self.state == State::Over {
            // Nobody looks at it any more: a client that floods while it is ended must not fill the memory.
            return;
        }
        self.text.push_str(text);
        self.fresh |= !text.is_empty();
    }

    /// The next step, if the text so far asks for one. Call until it says none.
    pub fn next_step(&mut self) -> Option<Step> {
        loop {
            if self.state == State::Over || !self.fresh {
                return None;
            }
            let Some(found) = self.take_match() else {
                self.fresh = false;
                self.forget();
                return None;
            };
            self.heard = true;
            let step = match self.state {
                State::LoggingIn => Some(self.react(found)),
                State::Connected => self.react_connected(found.rule, found.words),
                State::Over => None,
            };
            if step.is_some() {
                return step;
            }
        }
    }

    /// Whether any rule has matched yet: the gateway has spoken.
    pub const fn has_heard(&self) -> bool {
        self.heard
    }

    /// Text that waits at the end without a line end and looks like a question.
    pub fn open_question(&self) -> Option<&str> {
        let line = self.text[self.consumed..].rsplit('\n').next()?;
        let question = line.trim();
        let choice = question.ends_with(')') && question.rsplit('(').next().is_some_and(|c| c.contains('/'));
        (choice || question.ends_with([':', '?', '>', ']'])).then_some(question)
    }

    /// The match that begins first, consumed.
    fn take_match(&mut self) -> Option<Match> {
        let candidates = self.any.matches_at(&self.text, self.consumed);
        let (start, end, rule) = candidates
            .iter()
            .filter_map(|rule| {
                let found = self.rules[rule].expect.find_at(&self.text, self.consumed)?;
                Some((found.start(), found.end(), rule))
            })
            .min_by_key(|&(start, _, rule)| (start, rule))?;
        let fingerprint = self.rules[rule]
            .expect
            .captures_at(&self.text, self.consumed)
            .and_then(|c| c.name(FINGERPRINT_GROUP).map(|m| m.as_str().to_owned()));
        let words = line_around(&self.text, start, end);
        let before = last_line(&self.text[self.consumed..start]).map(str::to_owned);
        // An empty match would be found again for ever: it counts once at a place, and not at the end.
        if end == start && end == self.text.len() {
            return None;
        }
        self.consumed = if end > self.consumed { end } else { next_char(&self.text, end) };
        Some(Match { rule, fingerprint, words, before })
    }

    fn react(&mut self, found: Match) -> Step {
        let Match { rule, fingerprint, words, before } = found;
        match &self.rules[rule].reaction {
            Reaction::Connected => {
                self.state = State::Connected;
                Step::Connected
            }
            Reaction::Failed(reason) => {
                let reason = *reason;
                self.fail(reason, words)
            }
            Reaction::Send { line, max } => {
                if self.rules[rule].expect.capture_names().flatten().any(|n| n == FINGERPRINT_GROUP) {
                    let offered = fingerprint.as_deref().unwrap_or_default();
                    if !self.pinned.iter().any(|pinned| pinned.matches(offered)) {
                        let text = format!("the client offers the certificate {offered}, which is not pinned");
                        return self.fail(FailureKind::CertificateUntrusted.into(), text);
                    }
                }
                self.answered[rule] += 1;
                let (limit, reason) = match max {
                    Some((limit, reason)) => (*limit, *reason),
                    None => (MOST_ANSWERS, MalfunctionKind::UnexpectedPrompt.into()),
                };
                if self.answered[rule] > limit {
                    // The prompt says little; what came right before it is why it is asked again.
                    let said = before.map(|line| format!(": {line}")).unwrap_or_default();
                    return self.fail(reason, format!("asked again{said}; {words}"));
                }
                match self.fields.expand(line) {
                    Ok(expanded) => {
                        // Our Enter ends the line, whether the terminal echoes it or not.
                        self.text.drain(..self.consumed);
                        self.consumed = 0;
                        Step::Send(expanded)
                    }
                    Err(FieldMissing(field)) => {
                        let text = format!("the client asks for `{field}`, which the site does not have: {words}");
                        self.fail(MalfunctionKind::UnexpectedPrompt.into(), text)
                    }
                }
            }
        }
    }

    fn react_connected(&mut self, rule: usize, words: String) -> Option<Step> {
        match self.rules[rule].reaction {
            Reaction::Failed(reason @ (Reason::Failure(FailureKind::Disconnected) | Reason::Malfunction(_))) => {
                self.state = State::Over;
                Some(Step::Lost { reason, text: words })
            }
            _ => None,
        }
    }

    fn fail(&mut self, reason: Reason, text: String) -> Step {
        self.state = State::Over;
        Step::Failed { reason, text }
    }

    /// Drops text in which no match can begin any more, but for one character: `^` looks at it.
    fn forget(&mut self) {
        let unmatched = self.text.len() - self.consumed;
        if unmatched > KEPT_TEXT {
            self.consumed = ceil_char(&self.text, self.text.len() - KEPT_TEXT);
        }
        if self.consumed > KEPT_TEXT {
            let from = floor_char(&self.text, self.consumed - 1);
            self.text.drain(..from);
            self.consumed -= from;
        }
    }
}

impl Fingerprint {
    /// Whether what a client showed (`SHA1[AA:BB:…]`, `pin-sha256:…`) is this certificate.
    pub fn matches(&self, shown: &str) -> bool {
        Self::parse(shown).is_some_and(|offered| offered == *self)
    }
}

/// The line (or lines) in which a match stands.
fn line_around(text: &str, start: usize, end: usize) -> String {
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[end..].find('\n').map_or(text.len(), |at| end + at);
    text[from..to].split('\n').map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The last line that is not blank.
fn last_line(text: &str) -> Option<&str> {
    text.rsplit('\n').map(str::trim).find(|line| !line.is_empty())
}

fn floor_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

fn next_char(text: &str, at: usize) -> usize {
    ceil_char(text, (at + 1).min(text.len()))
}

#[cfg(test)]
#[path = "dialogue_tests.rs"]
mod tests;
