//! A secret that is asked for again: refused, or only asked at random? Pure.
//!
//! Some users of Connect Tunnel see its credential dialog come back although their password is good. Typed again after a
//! real refusal it would lock the account, sooner or later; so it is typed again only when nothing on the terminal since
//! the first time looks like a refusal, and when somebody who keeps count of that allows it.

use std::sync::LazyLock;

use regex::Regex;

/// More than this said between two questions is no dialog that came back at random.
const MOST_SAID: usize = 2 * 1024;

/// Words of a refusal, wider than any profile's rules: a refusal in words that no rule knows must count as one.
static REFUSAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)invalid|incorrect|wrong|denied|fail|reject|refus|lock|expire|error|disabled|suspend|not (?:valid|correct|accepted|allowed|recogni[sz]ed|authori[sz]ed|permitted|found|known)|unknown|unauthori[sz]ed|forbidden|try again|retry|attempt|mismatch|do(?:es)? not|bad |blocked",
    )
    .ok()
});

/// What was typed of secrets, and what was said since.
#[derive(Debug, Default)]
pub(super) struct Again {
    last: Option<Typed>,
    /// Said since the last secret.
    since: String,
    granted: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typed {
    Password,
    Code,
}

impl Again {
    /// The client said this.
    pub(super) fn heard(&mut self, text: &str) {
        if self.last.is_some() && self.since.len() <= MOST_SAID {
            self.since.push_str(text);
        }
    }

    /// A secret was typed.
    pub(super) fn sent(&mut self, code: bool) {
        self.last = Some(if code { Typed::Code } else { Typed::Password });
        self.since.clear();
    }

    /// Whether any secret was typed.
    pub(super) const fn sent_any(&self) -> bool {
        self.last.is_some()
    }

    /// Whether the last secret was a one-time code.
    pub(super) fn code_was_last(&self) -> bool {
        self.last == Some(Typed::Code)
    }

    /// Whether it is worth asking for leave to type the password again: nobody has decided yet, and nothing since the
    /// password looks like a refusal.
    pub(super) fn may_ask(&self) -> bool {
        let refused = self.since.len() > MOST_SAID || REFUSAL.as_ref().is_none_or(|words| words.is_match(&self.since));
        self.granted.is_none() && self.last == Some(Typed::Password) && !refused
    }

    /// Somebody has decided.
    pub(super) fn decided(&mut self, granted: bool) {
        self.granted = Some(granted);
    }

    /// Whether it was allowed.
    pub(super) fn granted(&self) -> bool {
        self.granted == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(said: &str) -> bool {
        let mut again = Again::default();
        again.heard("Authentication failure");
        again.sent(false);
        again.heard(said);
        again.may_ask()
    }

    #[test]
    fn only_silence_and_the_dialog_itself_are_no_refusal() {
        for said in ["", "\n  1. OK\n  2. Cancel\nEnter your choice [1]:Connecting…\nUsername:"] {
            assert!(after(said), "{said}");
        }
        for said in [
            "Authentication failure",
            "Login incorrect.\nUsername:",
            "The credentials you entered do not match.",
            "Please try again.",
            "ACCESS DENIED",
            "2 attempts left",
            &"x".repeat(MOST_SAID + 1),
        ] {
            assert!(!after(said), "{said}");
        }
    }

    #[test]
    fn it_is_asked_once_and_never_for_a_code() {
        let mut again = Again::default();
        assert!(!again.may_ask() && !again.sent_any());
        again.sent(false);
        assert!(again.may_ask());
        again.decided(true);
        assert!(!again.may_ask() && again.granted());
        let mut code = Again::default();
        code.sent(true);
        assert!(!code.may_ask() && code.code_was_last());
    }
}
