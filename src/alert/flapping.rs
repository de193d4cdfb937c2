//! Whether a subject changes between up and down too often for single messages to mean anything: pure, part of the
//! policy.
//!
//! As Nagios sees it (Nagios Core, `base/flapping.c`): of the last 21 looks the changes from each to the next are weighed,
//! the newest more than the oldest, and the sum is set against that of changes at every look. Beyond 30 % it *flaps*,
//! below 20 % it does so no more. People get one message, then a digest now and then, then one when it is over; what
//! happens meanwhile is an outage in every other respect. One that lasts is told all the same: who waits for it to stop
//! flapping would be told of a dead gateway hours later.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::steady_id;
use super::policy::length;
use super::{AlertEvent, AlertKind, Observation};
use crate::record::Verdict;

/// Changes between so many looks and one more.
const CHANGES: u32 = 20;
/// A change weighs 0.75 at the oldest place and 1.25 at the newest; here in parts of 76, so that all are whole numbers.
const OLDEST_WEIGHT: u32 = 57;
const WEIGHT_STEP: u32 = 2;
/// All changes together: a hundred percent.
const WHOLE: u32 = CHANGES * 76;
/// From so many percent on it flaps, and below so many no more.
const START_PCT: u32 = 30;
const STOP_PCT: u32 = 20;
/// Down so often in a row, it is no longer flapping but down: a third of what is looked back at.
pub(super) const LASTS: u32 = 7;

/// How one subject changed. Survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Flapping {
    /// One bit a look, the newest the lowest: it was other than the one before.
    changes: u32,
    /// What the newest look found.
    up: Option<bool>,
    /// That people were told, until it is over.
    told: Option<Told>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    /// The id of the first message.
    thread: String,
    /// The look that made it flap.
    start: DateTime<Utc>,
    /// When people were told last.
    at: DateTime<Utc>,
    /// How many digests they got.
    digests: u32,
    /// Since the start, and since they were told last.
    total: FlapCounts,
    latest: FlapCounts,
}

/// What a digest counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlapCounts {
    /// Looks that found it up.
    pub up: u32,
    /// Looks that found it down.
    pub down: u32,
    /// Times it went down.
    pub falls: u32,
}

impl FlapCounts {
    fn note(&mut self, up: bool, fell: bool) {
        let counted = if up { &mut self.up } else { &mut self.down };
        *counted = counted.saturating_add(1);
        self.falls = self.falls.saturating_add(u32::from(fell));
    }
}

impl Flapping {
    /// Takes a look in and says what is to be told. `reminder`: between two digests; zero: none.
    pub(super) fn on_look(&mut self, seen: &Observation, reminder: Duration, now: DateTime<Utc>) -> Option<AlertEvent> {
        let up = match seen.verdict {
            Verdict::Up => true,
            Verdict::Down => false,
            Verdict::Unknown => return None,
        };
        let changed = self.up.is_some_and(|before| before != up);
        self.changes = ((self.changes << 1) | u32::from(changed)) & ((1 << CHANGES) - 1);
        self.up = Some(up);
        if let Some(told) = &mut self.told {
            for counts in [&mut told.total, &mut told.latest] {
                counts.note(up, changed && !up);
            }
        }
        if seen.silenced {
            return None;
        }
        match self.told.take() {
            None if self.weight() * 100 >= START_PCT * WHOLE => Some(self.begin(seen, now)),
            None => None,
            Some(told) if self.weight() * 100 < STOP_PCT * WHOLE => Some(over(told, seen, now)),
            Some(told) => {
                let told = self.told.insert(told);
                told.digest(seen, reminder, now)
            }
        }
    }

    /// Whether people were told that it flaps, and it is not over.
    pub(super) const fn is_told(&self) -> bool {
        self.told.is_some()
    }

    /// Changes of the last looks, weighed.
    fn weight(&self) -> u32 {
        (0..CHANGES)
            .filter(|age| self.changes >> age & 1 == 1)
            .map(|age| OLDEST_WEIGHT + WEIGHT_STEP * (CHANGES - 1 - age))
            .sum()
    }

    fn begin(&mut self, seen: &Observation, now: DateTime<Utc>) -> AlertEvent {
        let id = steady_id(&seen.subject, seen.at, "flapping");
        self.told = Some(Told {
            thread: id.clone(),
            start: seen.at,
            at: now,
            digests: 0,
            total: FlapCounts::default(),
            latest: FlapCounts::default(),
        });
        let kind = AlertKind::Flapping { changes: self.changes.count_ones(), verdict: seen.verdict };
        AlertEvent::of(seen, id.clone(), id, kind, now)
    }
}

impl Told {
    fn digest(&mut self, seen: &Observation, reminder: Duration, now: DateTime<Utc>) -> Option<AlertEvent> {
        self.start = self.start.min(seen.at); // only when the wall clock was set back
        self.at = self.at.min(now);
        if reminder.is_zero() || length(self.at, now) < reminder {
            return None;
        }
        self.digests = self.digests.saturating_add(1);
        let since = std::mem::replace(&mut self.at, now);
        let counts = std::mem::take(&mut self.latest);
        let id = format!("{}.digest-{}", self.thread, self.digests);
        let kind =
            AlertKind::FlappingDigest { start: self.start, since, number: self.digests, counts, verdict: seen.verdict };
        Some(AlertEvent::of(seen, id, self.thread.clone(), kind, now))
    }
}

fn over(told: Told, seen: &Observation, now: DateTime<Utc>) -> AlertEvent {
    let Told { thread, start, total, .. } = told;
    let kind = AlertKind::FlappingOver { start: start.min(seen.at), counts: total, verdict: seen.verdict };
    AlertEvent::of(seen, format!("{thread}.over"), thread, kind, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(changes: u32) -> u32 {
        Flapping { changes, ..Flapping::default() }.weight()
    }

    #[test]
    fn a_change_weighs_from_three_to_five_quarters() {
        assert_eq!(weight((1 << CHANGES) - 1), WHOLE);
        assert_eq!((weight(1) * 4, weight(1 << (CHANGES - 1)) * 4), (5 * 76, 3 * 76));
    }
}
