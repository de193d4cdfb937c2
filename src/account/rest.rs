//! When an account rests, and until when: pure.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ring::pbkdf2;
use serde::{Deserialize, Serialize};

use crate::config::Secret;
use crate::record::FailureKind;

/// How long an account rests after its first, second and third failure in a row (contract: alerts). After a further one
/// it rests until its secret changes, or until somebody resumes it.
const LENGTHS: [Duration; 3] = [Duration::from_mins(30), Duration::from_hours(2), Duration::from_hours(8)];
/// Rounds of the key derivation: some ten milliseconds, spent only while an account rests. The mark is no password file,
/// but whoever reads it must not be able to try many passwords a second.
const ROUNDS: NonZeroU32 = NonZeroU32::new(100_000).expect("not zero");

/// Tells whether a secret has changed without keeping it (PBKDF2-HMAC-SHA256, RFC 8018 §5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretMark {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl SecretMark {
    /// The mark of a secret, with this salt.
    pub fn of(secret: &Secret, salt: [u8; 16]) -> Self {
        let mut hash = [0; 32];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, secret.reveal().as_bytes(), &mut hash);
        Self { salt, hash }
    }

    /// Whether it is this secret's.
    pub fn is_of(&self, secret: &Secret) -> bool {
        let secret = secret.reveal().as_bytes();
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &self.salt, secret, &self.hash).is_ok()
    }
}

/// The rest of one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// Failures in a row.
    pub failures: u32,
    /// Why the last one.
    pub reason: FailureKind,
    /// Since when it rests.
    pub since: DateTime<Utc>,
    /// The secret that was refused.
    pub refused: SecretMark,
}

/// An account that may not be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resting {
    /// Why.
    pub reason: FailureKind,
    /// Until when; `None`: until its secret changes, or `resume`.
    pub until: Option<DateTime<Utc>>,
}

impl Rest {
    /// The account was refused: it rests, longer than the last time.
    pub fn after(earlier: Option<&Self>, reason: FailureKind, refused: SecretMark, now: DateTime<Utc>) -> Self {
        let failures = earlier.map_or(0, |rest| rest.failures).saturating_add(1);
        Self { failures, reason, since: now, refused }
    }

    /// Whether the account rests now; `secret` is the one that would be typed.
    ///
    /// 1. With another secret than the refused one it does not.
    /// 2. Else it rests for as long as its count of failures says.
    /// 3. A clock that was set back does not make the rest longer: it begins again now, at most.
    pub fn at(&self, secret: &Secret, now: DateTime<Utc>) -> Option<Resting> {
        self.known_at(now).filter(|_| self.refused.is_of(secret))
    }

    /// The same for whoever does not know the secret: so it is as long as that has not changed.
    pub fn known_at(&self, now: DateTime<Utc>) -> Option<Resting> {
        let began = self.since.min(now);
        let until = self.length().map(|length| began + length);
        if until.is_some_and(|until| until <= now) {
            return None;
        }
        Some(Resting { reason: self.reason, until })
    }

    /// How long it rests; `None`: until its secret changes.
    fn length(&self) -> Option<Duration> {
        let index = usize::try_from(self.failures.saturating_sub(1)).unwrap_or(usize::MAX);
        LENGTHS.get(index).copied()
    }
}

impl std::fmt::Display for Resting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.until {
            Some(until) => write!(f, "the account rests after {} until {}", self.reason, until.format("%F %T UTC")),
            None => {
                write!(f, "the account rests after {} until its password changes or `vpnprobe resume`", self.reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        "2026-11-20T06:00:00Z".parse::<DateTime<Utc>>().unwrap() + chrono::TimeDelta::minutes(minutes)
    }

    fn secret() -> Secret {
        Secret::new("hunter2")
    }

    fn refused(earlier: Option<&Rest>, minutes: i64) -> Rest {
        Rest::after(earlier, FailureKind::AuthRejected, SecretMark::of(&secret(), [7; 16]), at(minutes))
    }

    #[test]
    fn it_rests_for_thirty_minutes_two_hours_eight_hours_and_then_for_good() {
        let mut rest = None;
        let mut now = 0;
        for minutes in [30, 120, 480] {
            let next = refused(rest.as_ref(), now);
            assert!(next.at(&secret(), at(now + minutes - 1)).is_some(), "{minutes}");
            assert_eq!(next.at(&secret(), at(now + minutes)), None, "{minutes}");
            now += minutes;
            rest = Some(next);
        }
        let last = refused(rest.as_ref(), now);
        assert_eq!(last.at(&secret(), at(now + 1_000_000)).unwrap().until, None);
    }

    #[test]
    fn a_changed_secret_ends_the_rest() {
        let rest = refused(None, 0);
        assert!(rest.at(&secret(), at(1)).is_some());
        assert_eq!(rest.at(&Secret::new("hunter3"), at(1)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_prolong_it() {
        let rest = refused(None, 0);
        let day_before = at(-24 * 60);
        assert_eq!(rest.at(&secret(), day_before).unwrap().until, Some(at(-24 * 60 + 30)));
    }

    #[test]
    fn what_is_kept_is_not_the_secret() {
        let kept = serde_json::to_string(&refused(None, 0)).unwrap();
        assert!(!kept.contains("hunter2"));
        let back: Rest = serde_json::from_str(&kept).unwrap();
        assert!(back.refused.is_of(&secret()));
    }
}
