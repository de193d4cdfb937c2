//! When people are told that a gateway's certificate runs out, or the account's password: pure, part of the policy.
//!
//! Once as each of [`THRESHOLDS`] is crossed, and once when there is another one. A certificate's days come from the stage
//! `gateway`, which looks at it whether or not it judges it; a password's from the client's words at a login, and where
//! a good login says nothing of it, it lasts.

use serde::{Deserialize, Serialize};

use super::event::steady_id;
use super::{AlertEvent, AlertKind, Observation};
use crate::record::PasswordTerm;

use chrono::{DateTime, Utc};

/// Days before the end, the earliest first.
const THRESHOLDS: [i64; 4] = [30, 14, 7, 1];
/// So many looks in a row must show another one: of several gateways behind one name, some may have a new certificate, and
/// some may say nothing of the password.
const SURE: u32 = 3;

/// What runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiring {
    Certificate,
    Password,
}

impl Expiring {
    /// Whole days until then, as far as this look knows.
    fn days(self, seen: &Observation) -> Option<i64> {
        match (self, seen.password) {
            (Self::Certificate, _) => seen.cert_days_left,
            (Self::Password, Some(PasswordTerm::Days(days))) => Some(days),
            (Self::Password, Some(PasswordTerm::Unsaid)) => Some(i64::MAX),
            (Self::Password, None) => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Password => "password",
        }
    }

    const fn expires(self, days: i64, first: bool) -> AlertKind {
        match self {
            Self::Certificate => AlertKind::CertificateExpires { days, first },
            Self::Password => AlertKind::PasswordExpires { days, first },
        }
    }

    const fn renewed(self, days: i64) -> AlertKind {
        match self {
            Self::Certificate => AlertKind::CertificateRenewed { days },
            Self::Password => AlertKind::PasswordRenewed {},
        }
    }
}

/// What people know of one that runs out. Survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Expiry {
    told: Option<Told>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    /// The id of the first message.
    thread: String,
    /// The site whose look they were told of: one name for the whole story.
    #[serde(default)]
    subject: String,
    /// The last one of [`THRESHOLDS`] that they were told of.
    threshold: i64,
    /// Looks in a row that showed one which lasts longer than the first of them.
    renewed: u32,
}

impl Expiry {
    /// Whether people know of it, and it is not over.
    pub(super) const fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// Takes a look in. One that did not see it says nothing.
    pub(super) fn on_look(&mut self, what: Expiring, seen: &Observation, now: DateTime<Utc>) -> Option<AlertEvent> {
        let days = what.days(seen)?;
        let crossed = THRESHOLDS.into_iter().rev().find(|threshold| days <= *threshold);
        match (crossed, &mut self.told) {
            (None, None) => None,
            // Another site of the account may have a gateway or a directory that never says it.
            (None, Some(told)) if !told.subject.is_empty() && told.subject != seen.subject => None,
            (None, Some(told)) => {
                told.renewed = told.renewed.saturating_add(1);
                if told.renewed < SURE || seen.silenced {
                    return None;
                }
                let Told { thread, subject, .. } = self.told.take()?;
                let event = AlertEvent::of(seen, format!("{thread}.renewed"), thread, what.renewed(days), now);
                Some(AlertEvent { subject: known_as(subject, seen), ..event })
            }
            (Some(threshold), told) => {
                if let Some(told) = told {
                    told.renewed = 0;
                    if threshold >= told.threshold {
                        return None;
                    }
                }
                if seen.silenced {
                    return None;
                }
                let known = told.take();
                let first = known.is_none();
                let (thread, subject) = match known {
                    Some(known) => (known.thread, known_as(known.subject, seen)),
                    None => (steady_id(&seen.subject, seen.at, what.name()), seen.subject.clone()),
                };
                let id = if first { thread.clone() } else { format!("{thread}.{threshold}") };
                *told = Some(Told { thread: thread.clone(), subject: subject.clone(), threshold, renewed: 0 });
                Some(AlertEvent { subject, ..AlertEvent::of(seen, id, thread, what.expires(days, first), now) })
            }
        }
    }
}

/// The name that the story has; a state of an earlier version does not say it.
fn known_as(subject: String, seen: &Observation) -> String {
    if subject.is_empty() { seen.subject.clone() } else { subject }
}
