//! What the policy is told and what it says: plain values, and the steady ids of its messages.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::AlertFacts;
use crate::record::Verdict;

/// One look at a subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Whom it concerns: a site's name, later also a hub's client. Opaque to the policy.
    pub subject: String,
    /// Up, down or unknown.
    pub verdict: Verdict,
    /// When it was looked at: the start of the cycle.
    pub at: DateTime<Utc>,
    /// From this look to the next.
    pub interval: Duration,
    /// The account was refused: told at the first.
    pub identity_failure: bool,
    /// Not looked at on purpose, because the account rests: that is no blindness.
    pub paused: bool,
    /// Maintenance: it counts, but people are told nothing.
    pub silenced: bool,
    /// What a message tells.
    pub facts: AlertFacts,
}

/// Something that people are told, once per channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertEvent {
    /// Steady: the same event has the same id after a restart, and no two events share one. Letters, digits and
    /// `. - _ =` only.
    pub id: String,
    /// The id of the first event of the same story; its own for the first.
    pub thread: String,
    /// Whom it concerns.
    pub subject: String,
    /// When the policy decided.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: AlertKind,
    /// What was found: in the last down cycle while it is down, else in the cycle that decided.
    pub facts: AlertFacts,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// The subject is down.
    Triggered {
        /// First down cycle of the outage.
        start: DateTime<Utc>,
        /// Down cycles in a row.
        downs: u32,
    },
    /// It still is.
    Reminder {
        /// First down cycle of the outage.
        start: DateTime<Utc>,
        /// The how manieth, from 1.
        number: u32,
    },
    /// It is over.
    Resolved {
        /// First down cycle of the outage.
        start: DateTime<Utc>,
        /// First of the up cycles that ended it; never before `start`.
        end: DateTime<Utc>,
        /// What had failed when it was told.
        failed: Box<AlertFacts>,
    },
    /// The prober could not tell for too long.
    Blind {
        /// First unknown cycle.
        since: DateTime<Utc>,
    },
    /// Somebody asked whether messages arrive. Never a subject's state, never stored.
    Test {
        /// Version of the program.
        version: String,
    },
    /// The prober can tell again.
    BlindOver {
        /// First unknown cycle.
        since: DateTime<Utc>,
        /// What it sees now.
        verdict: Verdict,
    },
}

/// The id of what happened to `subject` in the story that began at `start`.
pub(super) fn steady_id(subject: &str, start: DateTime<Utc>, what: &str) -> String {
    format!("{}.{}.{what}", id_part(subject), start.format("%Y%m%dT%H%M%S%.3fZ"))
}

/// Longest readable part of an id: a `Message-ID` can't be folded, and a line of a mail has 998 characters at most
/// (RFC 5322 §2.1.1).
const ID_PART_LEN: usize = 64;

/// `text` in letters, digits, `-` and `_`, every other byte as `=XX`: safe in a `Message-ID` and different for
/// different texts. A long text is cut and its hash added.
pub(super) fn id_part(text: &str) -> String {
    let mut part = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            part.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(part, "={byte:02X}");
        }
    }
    if part.len() > ID_PART_LEN {
        part.truncate(ID_PART_LEN);
        let _ = write!(part, "={:016x}", fnv1a(text));
    }
    part
}

/// FNV-1a, 64 bits (draft-eastlake-fnv): the same in every version of the program, which std's hasher does not promise.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_steady_and_safe_in_a_mail_header() {
        let start = "2026-11-20T06:15:30.123Z".parse().unwrap();
        assert_eq!(steady_id("paris", start, "down"), "paris.20261120T061530.123Z.down");
        assert_eq!(id_part("a b\r\n>é"), "a=20b=0D=0A=3E=C3=A9");
    }

    #[test]
    fn long_names_stay_apart() {
        let (one, other) = ("x".repeat(500) + "1", "x".repeat(500) + "2");
        assert_ne!(id_part(&one), id_part(&other));
        assert!(id_part(&one).len() < 100);
    }
}
