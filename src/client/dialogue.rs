//! Decides what to type: text in, steps out. Pure.
//!
//! Every rule of the profile is awaited at once. The match that begins first in the text counts; of two that begin at
//! the same place, the rule that stands first in the profile. What a match covered, and all before it, is consumed.
//!
//! Part of the text is the gateway's own (banners, messages, names in certificates), and a gateway may lie. So a line is
//! typed only where the client asks for it: its prompt is the last thing on the terminal; for a `hidden` rule the client
//! has switched the terminal's echo off, which no text can do. A claim of being connected ends nothing: the dialogue goes
//! on until somebody has proved it ([`Dialogue::settle`]), and falls with the next question for credentials.
//! `docs/decisions/0015` has the whole reasoning.

use std::collections::VecDeque;

use regex::RegexSet;

use super::again::Again;
use super::certificates::Certificates;
use super::fields::{Expanded, FieldError, Fields};
use super::lines::{ceil_char, floor_char, is_last_word, is_on_last_line, last_line, line_around, next_char};
use crate::config::{DialogueRule, Fingerprint, Reaction, Template};
use crate::record::{FailureKind, MalfunctionKind, Reason};

/// Unmatched text that is kept, because a match may begin in it: enough for a certificate with its question.
const KEPT_TEXT: usize = 8 * 1024;
/// A rule without `max` is answered so often at most. A client that asks the same thing more often is going round in
/// circles (Connect Tunnel's button menu comes after each of its dialogs, six at most).
const MOST_ANSWERS: u32 = 12;
/// Why a line that may be hidden is not typed yet.
const A_MOMENT: &str = "not answered yet: the client may switch the echo off";
/// Name of the group that makes a rule a certificate question.
const FINGERPRINT_GROUP: &str = "fingerprint";

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Type this line.
    Send(Expanded),
    /// The login failed, or the client could not do what it said it had done.
    Failed {
        /// Why.
        reason: Reason,
        /// The client's words.
        text: String,
    },
    /// The client says that the tunnel is up.
    Connected {
        /// Whether the word can be worth something by itself: credentials were typed before, or the profile has none.
        credible: bool,
    },
    /// What it said before was not true: it asks for credentials.
    Withdrawn,
    /// It asks for the password again without having refused it, and the profile knows that it does so: ask whether a
    /// second sending is allowed, and say so by [`Dialogue::permit`].
    AskedAgain,
    /// The client says that the tunnel is gone again.
    Lost {
        /// Why.
        reason: Reason,
        /// The client's words.
        text: String,
    },
}

/// A dialogue under way.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts about the terminal that are independent of each other")]
pub struct Dialogue {
    rules: Vec<DialogueRule>,
    /// All patterns in one automaton: most text matches none of them, and that is known in one pass.
    any: RegexSet,
    answered: Vec<u32>,
    fields: Fields,
    certificates: Certificates,
    /// Consumed text (one character of context for `^`) and what follows it.
    text: String,
    consumed: usize,
    /// Something is new since the last search.
    fresh: bool,
    /// The client has the terminal's echo switched off.
    hidden: bool,
    /// The client may still switch it off, for the prompt at the end.
    may_still_hide: bool,
    /// It has had its moment for that.
    moment_over: bool,
    /// A prompt at the end that is not answered, and why.
    withheld: Option<&'static str>,
    /// The rule that matched last, and the fingerprint that it caught, until asked for.
    matched: Option<(usize, Option<String>)>,
    /// Credentials are asked for although the tunnel was seen: nobody answers.
    left_unanswered: bool,
    heard: bool,
    claimed: bool,
    again: Again,
    /// Steps that follow the one given last.
    following: VecDeque<Step>,
    state: State,
}

/// What a rule has to type, and when.
#[derive(Clone, Copy)]
struct Answer<'a> {
    line: &'a Template,
    max: Option<(u32, Reason)>,
    hidden: bool,
    may_hide: bool,
    again: bool,
}

impl<'a> Answer<'a> {
    const fn of(rule: &'a DialogueRule) -> Option<Self> {
        match &rule.reaction {
            Reaction::Send { line, max, hidden, may_hide, again } => {
                Some(Self { line, max: *max, hidden: *hidden, may_hide: *may_hide, again: *again })
            }
            Reaction::Failed(_) | Reaction::Connected => None,
        }
    }
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
    /// Waits to hear whether the password may be typed a second time.
    AskingLeave,
    /// Somebody has seen the tunnel.
    Settled,
    Over,
}

impl Dialogue {
    /// A dialogue by these rules.
    pub fn new(rules: Vec<DialogueRule>, fields: Fields, pinned: Vec<Fingerprint>) -> Result<Self, regex::Error> {
        let any = RegexSet::new(rules.iter().map(|r| r.expect.as_str()))?;
        // Those of a good login, before its clock runs; the rest when they are needed.
        rules.iter().filter(|r| !matches!(r.reaction, Reaction::Failed(_))).for_each(|r| r.expect.prepare());
        let answered = vec![0; rules.len()];
        Ok(Self {
            rules,
            any,
            answered,
            fields,
            certificates: Certificates::new(pinned),
            text: String::new(),
            consumed: 0,
            fresh: false,
            hidden: false,
            may_still_hide: false,
            moment_over: false,
            withheld: None,
            matched: None,
            left_unanswered: false,
            heard: false,
            claimed: false,
            again: Again::default(),
            following: VecDeque::new(),
            state: State::LoggingIn,
        })
    }

    /// The client printed these bytes, of which `text` is the cleaned text.
    pub fn push(&mut self, bytes: &[u8], text: &str) {
        if self.state == State::Over {
            // Nobody looks at it any more: a client that floods while it is ended must not fill the memory.
            return;
        }
        if matches!(self.state, State::LoggingIn | State::AskingLeave) {
            self.certificates.look(bytes);
            self.again.heard(text);
        }
        self.text.push_str(text);
        self.fresh |= !text.is_empty();
        self.moment_over &= text.is_empty();
        self.left_unanswered &= text.trim().is_empty();
    }

    /// Whether the client has the terminal's echo switched off, now that all of this text was there.
    pub fn echo_off(&mut self, off: bool) {
        self.fresh |= off && !self.hidden;
        self.hidden = off;
    }

    /// Whether a line waits for the client to switch the echo off, which it may do or not: say by
    /// [`Dialogue::moment_over`] when it has had time enough.
    pub const fn waits_a_moment(&self) -> bool {
        self.may_still_hide
    }

    /// The client has had time enough to switch the echo off.
    pub fn moment_over(&mut self) {
        self.fresh |= self.may_still_hide;
        self.moment_over = true;
    }

    /// Whether the password may be typed a second time.
    pub fn permit(&mut self, granted: bool) {
        if self.state == State::AskingLeave {
            self.again.decided(granted);
            self.state = State::LoggingIn;
            self.fresh = true;
        }
    }

    /// The tunnel was seen: from now on nothing is typed, and only its loss counts.
    pub fn settle(&mut self) {
        if self.state != State::Over {
            self.state = State::Settled;
        }
    }

    /// The next step, if the text so far asks for one. Call until it says none.
    pub fn next_step(&mut self) -> Option<Step> {
        if let Some(step) = self.following.pop_front() {
            return Some(step);
        }
        loop {
            if !self.fresh || matches!(self.state, State::Over | State::AskingLeave) {
                return None;
            }
            let Some((start, end, rule)) = self.find_match() else {
                self.fresh = false;
                self.forget();
                return None;
            };
            if self.state == State::LoggingIn && self.must_ask_leave(rule) {
                self.state = State::AskingLeave;
                return Some(Step::AskedAgain);
            }
            let found = self.take(start, end, rule);
            self.heard = true;
            let step = match self.state {
                State::Settled => self.react_settled(found.rule, found.words),
                State::LoggingIn | State::AskingLeave | State::Over => Some(self.react(found)),
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

    /// Whether the client waits for credentials that it does not get: nothing else may be typed now, or it would be taken
    /// for them.
    pub const fn waits_in_vain(&self) -> bool {
        self.withheld.is_some() || self.left_unanswered
    }

    /// Text that waits at the end without a line end and looks like a question, with the reason why a prompt that a rule
    /// knows was not answered.
    pub fn open_question(&self) -> Option<String> {
        if let Some(why) = self.withheld {
            let line = last_line(&self.text[self.consumed..]).unwrap_or_default();
            return Some(format!("{line} ({why})"));
        }
        let line = self.text[self.consumed..].rsplit('\n').next()?;
        let question = line.trim();
        let choice = question.ends_with(')') && question.rsplit('(').next().is_some_and(|c| c.contains('/'));
        (choice || question.ends_with([':', '?', '>', ']'])).then(|| question.to_owned())
    }

    /// The match that begins first and counts.
    fn find_match(&mut self) -> Option<(usize, usize, usize)> {
        (self.withheld, self.may_still_hide) = (None, false);
        let candidates = self.any.matches_at(&self.text, self.consumed);
        let mut first: Option<(usize, usize, usize)> = None;
        for rule in &candidates {
            let found = match Answer::of(&self.rules[rule]).map(|answer| self.prompt(rule, answer)) {
                Some(Ok(found)) => found,
                Some(Err(why)) => {
                    self.may_still_hide |= why == A_MOMENT;
                    self.withheld = Some(why);
                    None
                }
                None => self.rules[rule].expect.find_at(&self.text, self.consumed).map(|m| (m.start(), m.end())),
            };
            // An empty match would be found again for ever: it counts once at a place, and not at the end.
            if let Some((start, end)) = found
                && start < self.text.len()
                && first.is_none_or(|(earliest, _, by)| (start, rule) < (earliest, by))
            {
                first = Some((start, end, rule));
            }
        }
        first
    }

    /// Where the client asks for the line of this rule; `Err`: it seems to, and is not answered.
    ///
    /// 1. What follows the prompt on the terminal says that the client does not wait at it: a banner may hold its words.
    /// 2. A secret goes to the very last words only: `Your Password expires soon, PIN:` asks for something else.
    /// 3. A `hidden` line is typed only while the client has the echo off; one that may be hidden not before the client
    ///    has had a moment to switch it off, since it may throw away what was typed before.
    fn prompt(&self, rule: usize, answer: Answer<'_>) -> Result<Option<(usize, usize)>, &'static str> {
        let secret = answer.line.has_secret();
        let mut from = self.consumed;
        let mut near_miss = None;
        while let Some(found) = self.rules[rule].expect.find_at(&self.text, from) {
            let rest = &self.text[found.end()..];
            if is_on_last_line(rest) {
                if secret && !is_last_word(rest) {
                    near_miss = Some("not answered: the rule does not match the end of the prompt");
                } else if answer.hidden && !self.hidden {
                    near_miss = Some("not answered: the client has not switched the echo off");
                } else if answer.may_hide && !self.hidden && !self.moment_over {
                    near_miss = Some(A_MOMENT);
                } else {
                    return Ok(Some((found.start(), found.end())));
                }
            }
            // An empty match would be found again for ever.
            let next = if found.end() > from { found.end() } else { next_char(&self.text, from) };
            if next == from {
                break;
            }
            from = next;
        }
        near_miss.map_or(Ok(None), Err)
    }

    /// Consumes a match.
    fn take(&mut self, start: usize, end: usize, rule: usize) -> Match {
        let fingerprint = self.rules[rule]
            .expect
            .captures_at(&self.text, start)
            .and_then(|c| c.name(FINGERPRINT_GROUP).map(|m| m.as_str().to_owned()));
        let words = line_around(&self.text, start, end);
        let before = last_line(&self.text[self.consumed..start]).map(str::to_owned);
        self.consumed = if end > self.consumed { end } else { next_char(&self.text, end) };
        self.matched = Some((rule, fingerprint.clone()));
        Match { rule, fingerprint, words, before }
    }

    /// The pattern of the rule that matched last, and the fingerprint that it caught; once.
    pub fn matched(&mut self) -> Option<(String, Option<String>)> {
        let (rule, fingerprint) = self.matched.take()?;
        Some((self.rules[rule].expect.as_str().to_owned(), fingerprint))
    }

    /// A person answered: what was asked is no question any more.
    pub fn answered(&mut self) {
        self.consumed = self.text.len();
        self.withheld = None;
    }

    fn react(&mut self, found: Match) -> Step {
        match self.rules[found.rule].reaction {
            Reaction::Connected => {
                self.claimed = true;
                let asks = |rule: &DialogueRule| Answer::of(rule).is_some_and(|answer| answer.line.has_secret());
                Step::Connected { credible: self.again.sent_any() || !self.rules.iter().any(asks) }
            }
            Reaction::Failed(reason) => self.fail(reason, found.words),
            Reaction::Send { .. } => self.answer(found),
        }
    }

    /// Types the line of a prompt, unless it was typed often enough or the certificate is not trusted.
    fn answer(&mut self, found: Match) -> Step {
        let Match { rule, fingerprint, words, before } = found;
        if let Err(shown) = self.trusted(rule, fingerprint.as_deref()) {
            let text = format!("the client offers the certificate {shown}, which is not pinned");
            return self.fail(FailureKind::CertificateUntrusted.into(), text);
        }
        self.answered[rule] += 1;
        let Some(answer) = Answer::of(&self.rules[rule]) else {
            return self.fail(MalfunctionKind::UnexpectedPrompt.into(), words);
        };
        let (limit, reason) = match answer.max {
            Some((limit, reason)) => (limit + u32::from(answer.again && self.again.granted()), reason),
            None => (MOST_ANSWERS, MalfunctionKind::UnexpectedPrompt.into()),
        };
        if self.answered[rule] > limit {
            // The prompt says little; what came right before it is why it is asked again.
            let said = before.map(|line| format!(": {line}")).unwrap_or_default();
            return self.fail(reason, format!("asked again{said}; {words}"));
        }
        match self.fields.expand(answer.line) {
            Ok(expanded) => {
                // Our Enter ends the line, which the terminal does not echo.
                self.text.clear();
                self.consumed = 0;
                if answer.line.has_secret() {
                    self.again.sent(answer.line.has_field("otp"));
                }
                if self.claimed && answer.line.has_credential() {
                    self.claimed = false;
                    self.following.push_back(Step::Send(expanded));
                    return Step::Withdrawn;
                }
                Step::Send(expanded)
            }
            Err(FieldError::Missing(field)) if field == "otp" => {
                let text = format!("the client asks for a one-time code and the site has no `otp_secret`: {words}");
                self.fail(FailureKind::OtpRequired.into(), text)
            }
            Err(FieldError::Missing(field)) => {
                let text = format!("the client asks for `{field}`, which the site does not have: {words}");
                self.fail(MalfunctionKind::UnexpectedPrompt.into(), text)
            }
            Err(FieldError::NotNow(why)) => self.fail(MalfunctionKind::AccountPaused.into(), why),
        }
    }

    /// Whether what was shown of certificates lets this line be typed; `Err`: a certificate that is not pinned.
    fn trusted(&mut self, rule: usize, fingerprint: Option<&str>) -> Result<(), String> {
        if self.rules[rule].expect.capture_names().flatten().any(|name| name == FINGERPRINT_GROUP) {
            return self.certificates.may_accept(fingerprint.unwrap_or_default());
        }
        let secret = Answer::of(&self.rules[rule]).is_some_and(|answer| answer.line.has_secret());
        if secret { self.certificates.trusted() } else { Ok(()) }
    }

    /// Whether this prompt asks for the password again, and nobody has said yet whether it may be typed again.
    fn must_ask_leave(&self, rule: usize) -> bool {
        let Some(answer) = Answer::of(&self.rules[rule]) else { return false };
        let exhausted = answer.max.is_some_and(|(limit, _)| self.answered[rule] == limit);
        answer.again && exhausted && self.again.may_ask()
    }

    fn react_settled(&mut self, rule: usize, words: String) -> Option<Step> {
        match self.rules[rule].reaction {
            Reaction::Failed(reason @ (Reason::Failure(FailureKind::Disconnected) | Reason::Malfunction(_))) => {
                self.state = State::Over;
                Some(Step::Lost { reason, text: words })
            }
            Reaction::Send { ref line, .. } => {
                self.left_unanswered = line.has_credential() && is_on_last_line(&self.text[self.consumed..]);
                None
            }
            Reaction::Connected => Some(Step::Connected { credible: self.again.sent_any() }),
            Reaction::Failed(_) => None,
        }
    }

    fn fail(&mut self, reason: Reason, text: String) -> Step {
        self.state = State::Over;
        // The code was the last thing that the gateway was given: the password had been good enough to be asked for it.
        let after_code = self.again.code_was_last() && reason == FailureKind::AuthRejected.into();
        let reason = if after_code { FailureKind::OtpRejected.into() } else { reason };
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

#[cfg(test)]
#[path = "dialogue_tests.rs"]
mod tests;
