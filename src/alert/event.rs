//! What the policy is told and what it says: plain values, and the steady ids of its messages.

use std::fmt::Write;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{AlertFacts, FlapCounts, MAX_AGE, REPORT_MAX_AGE};
use crate::record::{LeftoverKind, PasswordTerm, Verdict};

/// One look at a subject.
#[expect(clippy::struct_excessive_bools, reason = "each of them may be there with any other")]
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Whom it concerns: a site's name, later also a hub's client. Opaque to the policy.
    pub subject: String,
    /// Up, down or unknown.
    pub verdict: Verdict,
    /// When it was looked at: the start of the cycle.
    pub at: DateTime<Utc>,
    /// Since when it is so, where that is known; else since this look, for all it says.
    pub since: Option<DateTime<Utc>>,
    /// From this look to the next.
    pub interval: Duration,
    /// The account was refused: told at the first.
    pub identity_failure: bool,
    /// Not looked at, because the account rests or the prober's own uplink is down: that is no blindness.
    pub paused: bool,
    /// Maintenance: it counts, but people are told nothing.
    pub silenced: bool,
    /// An event asked for this look, not the timetable: down, it does not count towards `alerts.after`.
    pub triggered: bool,
    /// It was found dead at first and is up at the end; none when it was up all along, or is not now.
    pub back: Option<Back>,
    /// What a client left behind; none where nothing had to be cleaned up.
    pub leftovers: Option<Vec<LeftoverKind>>,
    /// Whole days until the gateway's certificate ends; none where none was seen.
    pub cert_days_left: Option<i64>,
    /// The account that logs in, for people; sites may share it.
    pub account: Option<String>,
    /// How long its password still is good; none where nobody logged in.
    pub password: Option<PasswordTerm>,
    /// What it says of the prober's own way out: whether that is there.
    pub uplink: Option<bool>,
    /// What a message tells.
    pub facts: AlertFacts,
}

/// How something that was found dead came back within one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back {
    /// From the start of the look until it carried traffic again.
    pub after: Duration,
    /// The prober restarted it; else it came back by itself, which is told nobody.
    pub restored: bool,
}

impl Observation {
    /// A look that found nothing but this verdict.
    pub fn of(subject: impl Into<String>, verdict: Verdict, at: DateTime<Utc>, interval: Duration) -> Self {
        Self {
            subject: subject.into(),
            verdict,
            at,
            since: None,
            interval,
            identity_failure: false,
            paused: false,
            silenced: false,
            triggered: false,
            back: None,
            leftovers: None,
            cert_days_left: None,
            account: None,
            password: None,
            uplink: None,
            facts: AlertFacts::default(),
        }
    }

    /// What it says of the prober's own uplink, which has a story of its own: one for all sites.
    pub(super) fn of_uplink(&self) -> Option<Self> {
        let verdict = if self.uplink? { Verdict::Up } else { Verdict::Down };
        let subject = format!("uplink of {}", self.facts.prober);
        Some(Self { facts: self.facts.clone(), ..Self::of(subject, verdict, self.at, self.interval) })
    }

    /// Since when it is so, as far as this look knows.
    pub(super) fn began(&self) -> DateTime<Utc> {
        self.since.unwrap_or(self.at)
    }

    /// Since when it is up, as this look saw it.
    pub(super) fn back_at(&self) -> DateTime<Utc> {
        let after = self.back.and_then(|back| TimeDelta::from_std(back.after).ok());
        after.and_then(|after| self.at.checked_add_signed(after)).unwrap_or(self.at)
    }

    /// Whether the prober brought it back.
    pub(super) fn is_restored(&self) -> bool {
        self.back.is_some_and(|back| back.restored)
    }
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
        /// The prober restarted it.
        #[serde(default)]
        restored: bool,
    },
    /// It was found dead, and the prober brought it back before people were told of it: a notice, with nothing to do.
    Restored {
        /// The first look that found it dead.
        start: DateTime<Utc>,
        /// When it carried traffic again; never before `start`.
        end: DateTime<Utc>,
        /// Restorings within the last hour, this one included.
        hour: u32,
        /// And within the last day.
        day: u32,
    },
    /// It falls again and again, and is brought back.
    Unsteady {
        /// The first restoring of this story.
        start: DateTime<Utc>,
        /// The how manieth reminder; 0 for the alert itself.
        number: u32,
        /// Restorings within the last hour, this one included.
        hour: u32,
        /// And within the last day.
        day: u32,
    },
    /// It held for an hour.
    Steady {
        /// The first restoring of this story.
        start: DateTime<Utc>,
        /// Since when it holds; never before `start`.
        end: DateTime<Utc>,
        /// Restorings from the first to the last.
        times: u32,
    },
    /// It changes between up and down again and again.
    Flapping {
        /// Changes between the last 21 looks.
        changes: u32,
        /// What it is now.
        verdict: Verdict,
    },
    /// It still does.
    FlappingDigest {
        /// When people were told first.
        start: DateTime<Utc>,
        /// When they were told last: from then on it was counted.
        since: DateTime<Utc>,
        /// The how manieth, from 1.
        number: u32,
        /// What was seen since they were told last.
        counts: FlapCounts,
        /// What it is now.
        verdict: Verdict,
    },
    /// It does no more.
    FlappingOver {
        /// When people were told first; never after the event itself.
        start: DateTime<Utc>,
        /// What was seen since.
        counts: FlapCounts,
        /// What it is now.
        verdict: Verdict,
    },
    /// A client left something on the host that could not be put right.
    Leftovers {
        /// What.
        kinds: Vec<LeftoverKind>,
    },
    /// Nothing is left any more.
    LeftoversGone {
        /// The first look after which something was left; never after the event itself.
        start: DateTime<Utc>,
    },
    /// The gateway's certificate runs out, or has.
    CertificateExpires {
        /// Whole days until then; negative once it has.
        days: i64,
        /// People were not told of it before.
        first: bool,
    },
    /// The gateway has another one.
    CertificateRenewed {
        /// Whole days until it runs out.
        days: i64,
    },
    /// The account's password expires, by the client's words.
    PasswordExpires {
        /// Whole days until then.
        days: i64,
        /// People were not told of it before.
        first: bool,
    },
    /// There is another one, or it lasts.
    PasswordRenewed {},
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
    /// Not an alert: a report by the calendar, whose text and page its channel has.
    Report {
        /// Its headline.
        title: String,
    },
}

impl AlertKind {
    /// A message of this kind that fails at this age is given up.
    pub const fn max_age(&self) -> Duration {
        match self {
            // Whoever is paged a day late is paged for nothing; a report is still worth reading after a weekend.
            Self::Report { .. } => REPORT_MAX_AGE,
            _ => MAX_AGE,
        }
    }
}

impl AlertEvent {
    /// What was decided at this look, with what it found.
    pub(super) fn of(seen: &Observation, id: String, thread: String, kind: AlertKind, now: DateTime<Utc>) -> Self {
        Self { id, thread, subject: seen.subject.clone(), at: now, kind, facts: seen.facts.clone() }
    }

    /// A report that this prober sends. The key names it for ever: letters, digits and `. - _ =` only.
    pub fn report(prober: &str, key: &str, at: DateTime<Utc>, title: String) -> Self {
        let id = format!("report.{key}");
        Self {
            thread: id.clone(),
            id,
            subject: "reports".to_owned(),
            at,
            kind: AlertKind::Report { title },
            facts: AlertFacts { prober: prober.to_owned(), ..AlertFacts::default() },
        }
    }
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
pub(super) fn fnv1a(text: &str) -> u64 {
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
