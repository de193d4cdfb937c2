//! When people are told that a gateway's certificate runs out: pure, part of the policy.
//!
//! Once as each of [`THRESHOLDS`] is crossed, and once when another certificate is there. The days come from the stage
//! `gateway`, which looks at the certificate whether or not it judges it.

use serde::{Deserialize, Serialize};

use super::event::steady_id;
use super::{AlertEvent, AlertKind, Observation};

use chrono::{DateTime, Utc};

/// Days before the end, the earliest first.
const THRESHOLDS: [i64; 4] = [30, 14, 7, 1];
/// So many looks in a row must show another certificate: of several gateways behind one name, some may have a new one.
const SURE: u32 = 3;

/// What people know of one gateway's certificate. Survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Expiry {
    told: Option<Told>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    /// The id of the first message.
    thread: String,
    /// The last one of [`THRESHOLDS`] that they were told of.
    threshold: i64,
    /// Looks in a row that showed a certificate which lasts longer than the first of them.
    renewed: u32,
}

impl Expiry {
    /// Takes a look in. One that saw no certificate says nothing.
    pub(super) fn on_look(&mut self, seen: &Observation, now: DateTime<Utc>) -> Option<AlertEvent> {
        let days = seen.cert_days_left?;
        let crossed = THRESHOLDS.into_iter().rev().find(|threshold| days <= *threshold);
        match (crossed, &mut self.told) {
            (None, None) => None,
            (None, Some(told)) => {
                told.renewed = told.renewed.saturating_add(1);
                if told.renewed < SURE || seen.silenced {
                    return None;
                }
                let thread = self.told.take()?.thread;
                let kind = AlertKind::CertificateRenewed { days };
                Some(AlertEvent::of(seen, format!("{thread}.renewed"), thread, kind, now))
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
                let known = told.as_ref().map(|told| told.thread.clone());
                let first = || steady_id(&seen.subject, seen.at, "certificate");
                let thread = known.clone().unwrap_or_else(first);
                let id = if known.is_some() { format!("{thread}.{threshold}") } else { thread.clone() };
                *told = Some(Told { thread: thread.clone(), threshold, renewed: 0 });
                Some(AlertEvent::of(
                    seen,
                    id,
                    thread,
                    AlertKind::CertificateExpires { days, first: known.is_none() },
                    now,
                ))
            }
        }
    }
}
