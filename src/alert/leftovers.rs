//! When people are told that a client left something on the host: pure, part of the policy.
//!
//! At the first cycle whose cleanup could not put everything right, and when one is clean again. It never has to do with
//! the verdict.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::steady_id;
use super::{AlertEvent, AlertKind, Observation};

/// What people know of one site's leftovers. Survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Leftovers {
    told: Option<Told>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    /// The id of the first message.
    thread: String,
    /// The first look after which something was left.
    start: DateTime<Utc>,
}

impl Leftovers {
    /// Takes a look in. One after which nothing was to be cleaned up says nothing.
    pub(super) fn on_look(&mut self, seen: &Observation, now: DateTime<Utc>) -> Option<AlertEvent> {
        let left = seen.leftovers.as_ref().filter(|_| !seen.silenced)?;
        match (left.as_slice(), &self.told) {
            ([], None) | ([_, ..], Some(_)) => None,
            ([], Some(_)) => {
                let Told { thread, start } = self.told.take()?;
                let kind = AlertKind::LeftoversGone { start: start.min(seen.at) };
                Some(AlertEvent::of(seen, format!("{thread}.over"), thread, kind, now))
            }
            (kinds, None) => {
                let id = steady_id(&seen.subject, seen.at, "leftovers");
                self.told = Some(Told { thread: id.clone(), start: seen.at });
                Some(AlertEvent::of(seen, id.clone(), id, AlertKind::Leftovers { kinds: kinds.to_vec() }, now))
            }
        }
    }
}
