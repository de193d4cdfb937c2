//! What people are told of a subject that is found dead and brought back: pure, part of the policy.
//!
//! One restoring is one notice. The third within an hour is an alert, and then there are no notices until it holds
//! again. Whether it is an outage as well is not decided here.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::steady_id;
use super::policy::length;
use super::{AlertEvent, AlertKind, Observation};

/// So many restorings within [`HOUR`] are an alert (contract: alerts).
const TOO_MANY: usize = 3;
/// Within this long they count together, and without one for so long it is over.
const HOUR: Duration = Duration::from_hours(1);
/// For so long they are remembered.
const DAY: Duration = Duration::from_hours(24);
/// And so many at most: a day of one every three minutes. The state stays a small file.
pub(super) const MAX_TIMES: usize = 480;

/// The restorings of one subject. Survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Restores {
    /// When those of the last day were, the oldest first.
    times: VecDeque<DateTime<Utc>>,
    /// That people were told that it falls again and again, until it is over.
    unsteady: Option<Unsteady>,
}

/// It falls again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unsteady {
    /// The id of the first message.
    thread: String,
    /// The first restoring.
    start: DateTime<Utc>,
    /// How many since.
    times: u32,
    /// When people were told last.
    told_at: DateTime<Utc>,
    /// How often they were reminded.
    reminders: u32,
    /// Since when it holds, as far as it was looked at.
    calm_since: Option<DateTime<Utc>>,
}

impl Restores {
    /// It was found dead, and was brought back. `down_since`: the first look that found it dead. `is_told`: people know
    /// of this outage, so they need no notice of its end. `reminder`: zero for never.
    pub(super) fn on_restored(
        &mut self,
        seen: &Observation,
        down_since: DateTime<Utc>,
        is_told: bool,
        reminder: Duration,
        now: DateTime<Utc>,
    ) -> Option<AlertEvent> {
        self.note(seen.at);
        let (hour, day) = (self.within(HOUR, seen.at), self.within(DAY, seen.at));
        if let Some(unsteady) = &mut self.unsteady {
            unsteady.times = unsteady.times.saturating_add(1);
            unsteady.calm_since = Some(seen.back_at());
            return unsteady.remind(seen, (hour, day), reminder, now);
        }
        if seen.silenced {
            return None;
        }
        if hour < TOO_MANY {
            let id = steady_id(&seen.subject, seen.at, "restored");
            let end = seen.back_at().max(down_since);
            let kind = AlertKind::Restored { start: down_since, end, hour: count(hour), day: count(day) };
            return (!is_told).then(|| AlertEvent::of(seen, id.clone(), id, kind, now));
        }
        let start = self.times[self.times.len() - hour];
        let id = steady_id(&seen.subject, start, "unsteady");
        self.unsteady = Some(Unsteady {
            thread: id.clone(),
            start,
            times: count(hour),
            told_at: now,
            reminders: 0,
            calm_since: Some(seen.back_at()),
        });
        let kind = AlertKind::Unsteady { start, number: 0, hour: count(hour), day: count(day) };
        Some(AlertEvent::of(seen, id.clone(), id, kind, now))
    }

    /// It was found up, without help.
    pub(super) fn on_up(&mut self, seen: &Observation, now: DateTime<Utc>) -> Option<AlertEvent> {
        let unsteady = self.unsteady.as_mut()?;
        // `min`: only when the wall clock was set back.
        let calm_since = unsteady.calm_since.map_or(seen.at, |since| since.min(seen.at));
        unsteady.calm_since = Some(calm_since);
        if length(calm_since, seen.at) < HOUR || seen.silenced {
            return None;
        }
        let Unsteady { thread, start, times, .. } = self.unsteady.take()?;
        let kind = AlertKind::Steady { start, end: calm_since.max(start), times };
        Some(AlertEvent::of(seen, format!("{thread}.over"), thread, kind, now))
    }

    /// It was found down, or nobody looked for a while: nobody knows that it held.
    pub(super) fn break_calm(&mut self) {
        if let Some(unsteady) = &mut self.unsteady {
            unsteady.calm_since = None;
        }
    }

    /// Whether people were told that it falls again and again, and it is not over.
    pub(super) const fn is_unsteady(&self) -> bool {
        self.unsteady.is_some()
    }

    fn note(&mut self, at: DateTime<Utc>) {
        // What lies ahead is of a wall clock that was set back since.
        self.times.retain(|&time| time <= at && length(time, at) <= DAY);
        self.times.push_back(at);
        while self.times.len() > MAX_TIMES {
            self.times.pop_front();
        }
    }

    fn within(&self, span: Duration, at: DateTime<Utc>) -> usize {
        self.times.iter().rev().take_while(|&&time| length(time, at) <= span).count()
    }
}

impl Unsteady {
    /// Said again with a restoring, the first after `reminder`.
    fn remind(
        &mut self,
        seen: &Observation,
        (hour, day): (usize, usize),
        reminder: Duration,
        now: DateTime<Utc>,
    ) -> Option<AlertEvent> {
        self.told_at = self.told_at.min(now); // only when the wall clock was set back
        if seen.silenced || reminder.is_zero() || length(self.told_at, now) < reminder {
            return None;
        }
        self.told_at = now;
        self.reminders = self.reminders.saturating_add(1);
        let id = format!("{}.reminder-{}", self.thread, self.reminders);
        let kind =
            AlertKind::Unsteady { start: self.start, number: self.reminders, hour: count(hour), day: count(day) };
        Some(AlertEvent::of(seen, id, self.thread.clone(), kind, now))
    }
}

fn count(times: usize) -> u32 {
    u32::try_from(times).unwrap_or(u32::MAX)
}
