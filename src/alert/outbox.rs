//! The queue of what is not yet delivered: pure. In order per subject and channel; a message is tried until it is
//! delivered or [`MAX_AGE`] old, then kept among the dead letters.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::AlertEvent;
use super::event::fnv1a;

/// Wait after the first failure; it doubles with each further one (contract: alerts).
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// Longest wait between two attempts, and the wait after a permanent refusal (contract: alerts).
pub const MAX_BACKOFF: Duration = Duration::from_mins(5);
/// The longest that a receiver may put us off.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);
/// A message that fails at this age is given up (contract: alerts).
pub const MAX_AGE: Duration = Duration::from_hours(24);
/// The same for a report.
pub const REPORT_MAX_AGE: Duration = Duration::from_hours(7 * 24);
/// Dead letters that are kept; the oldest go first. With a few kilobytes each the state stays a small file.
const MAX_DEAD: usize = 1000;

/// Names one message: one event for one channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageKey {
    /// The event's id.
    pub id: String,
    /// The channel's name.
    pub channel: String,
}

/// One event on its way to one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The channel's name.
    pub channel: String,
    /// What is told.
    pub event: AlertEvent,
    /// When it was put here.
    pub created_at: DateTime<Utc>,
    /// Attempts that failed.
    pub attempts: u32,
    /// When it may be tried.
    pub next_attempt: DateTime<Utc>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When somebody asked for a dead letter to be sent again: its age counts from then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retried_at: Option<DateTime<Utc>>,
    /// It took so long that it went to another channel too.
    #[serde(default)]
    pub fell_back: bool,
}

/// What became of the wish to send messages again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// Dead letters that wait to be sent again.
    pub revived: usize,
    /// Messages that waited for their back-off and are due now.
    pub hastened: usize,
    /// Ids of which there is no message.
    pub unknown: Vec<String>,
}

impl Retried {
    /// How many messages there were.
    pub const fn found(&self) -> usize {
        self.revived + self.hastened
    }
}

impl Message {
    /// Its name.
    pub fn key(&self) -> MessageKey {
        MessageKey { id: self.event.id.clone(), channel: self.channel.clone() }
    }

    /// Whether it may be tried. A time further away than any wait means that the wall clock was set back.
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.next_attempt <= now || self.next_attempt > after(now, MAX_RETRY_AFTER)
    }
}

/// What is not yet delivered, and what never was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outbox {
    pending: VecDeque<Message>,
    dead: VecDeque<Message>,
    delivered: u64,
    given_up: u64,
}

impl Outbox {
    /// Appends an event for a channel, due at once. One that is already waiting there is not appended again.
    pub fn enqueue(&mut self, channel: &str, event: AlertEvent, now: DateTime<Utc>) {
        if self.pending.iter().any(|m| m.channel == channel && m.event.id == event.id) {
            return;
        }
        let channel = channel.to_owned();
        self.pending.push_back(Message {
            channel,
            event,
            created_at: now,
            attempts: 0,
            next_attempt: now,
            last_error: None,
            retried_at: None,
            fell_back: false,
        });
    }

    /// What may be tried now: of each subject and channel only the oldest, so that the order is kept.
    pub fn due(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Message> {
        self.heads().filter(move |message| message.is_due(now))
    }

    /// What would be tried next but waits for its back-off.
    pub fn waiting(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Message> {
        self.heads().filter(move |message| !message.is_due(now))
    }

    /// How long until another message becomes due; none when no message waits for that.
    pub fn next_due(&self, now: DateTime<Utc>) -> Option<Duration> {
        self.waiting(now).map(|message| (message.next_attempt - now).to_std().unwrap_or_default()).min()
    }

    /// Everything may be tried at once: after a start, and before the end.
    pub fn make_everything_due(&mut self, now: DateTime<Utc>) {
        for message in &mut self.pending {
            message.next_attempt = now;
        }
    }

    /// It arrived.
    pub fn delivered(&mut self, key: &MessageKey) {
        if self.take(key).is_some() {
            self.delivered = self.delivered.saturating_add(1);
        }
    }

    /// It did not arrive. A permanent refusal is tried again too (a full mailbox is emptied, a wrong password is put
    /// right), at the longest back-off. Returns whether it was given up.
    pub fn failed(&mut self, key: &MessageKey, now: DateTime<Utc>, permanent: bool, error: &str) -> bool {
        let Some(message) = self.find(key) else { return false };
        message.attempts = message.attempts.saturating_add(1);
        message.last_error = Some(error.to_owned());
        let wait = if permanent { MAX_BACKOFF } else { with_jitter(backoff(message.attempts), message) };
        message.next_attempt = after(now, wait);
        let begun = message.retried_at.unwrap_or(message.created_at);
        if after(begun, message.event.kind.max_age()) > now {
            return false;
        }
        self.give_up(key);
        true
    }

    /// Somebody wants these messages (`None`: all) to be sent again: dead letters wait anew under their old ids, for as
    /// long as at first, and what waits is due at once.
    ///
    /// Letters of one subject and channel die in their order, so what died comes before whatever still waits.
    pub fn retry(&mut self, ids: Option<&[String]>, now: DateTime<Utc>) -> Retried {
        let is_meant = |message: &Message| ids.is_none_or(|ids| ids.contains(&message.event.id));
        let mut retried = Retried::default();
        for message in self.pending.iter_mut().filter(|message| is_meant(message)) {
            message.next_attempt = now;
            retried.hastened += 1;
        }
        let (mut meant, kept): (Vec<_>, Vec<_>) = self.dead.drain(..).partition(|message| is_meant(message));
        self.dead = kept.into();
        meant.sort_by_key(|message| message.event.at);
        for message in meant.into_iter().rev() {
            retried.revived += 1;
            // It may have been told anew since.
            if !self.contains(&message.key()) {
                let anew = Message { attempts: 0, next_attempt: now, retried_at: Some(now), ..message };
                self.pending.push_front(anew);
            }
        }
        let known = |id: &String| self.pending.iter().any(|message| message.event.id == **id);
        retried.unknown = ids.unwrap_or_default().iter().filter(|id| !known(id)).cloned().collect();
        retried
    }

    /// The receiver wants to be tried again after so long, at the earliest.
    pub fn put_off(&mut self, key: &MessageKey, now: DateTime<Utc>, wait: Duration) {
        if let Some(message) = self.find(key) {
            message.next_attempt = message.next_attempt.max(after(now, wait.min(MAX_RETRY_AFTER)));
        }
    }

    /// What was not delivered for as long as `patience` says of its channel, and goes to no other yet.
    pub fn overdue(&self, now: DateTime<Utc>, patience: impl Fn(&str) -> Option<Duration>) -> Vec<MessageKey> {
        self.falls_back_at(patience).filter(|(at, _)| *at <= now).map(|(_, message)| message.key()).collect()
    }

    /// How long until a message is overdue; none when none will be.
    pub fn next_overdue(&self, now: DateTime<Utc>, patience: impl Fn(&str) -> Option<Duration>) -> Option<Duration> {
        self.falls_back_at(patience).map(|(at, _)| (at - now).to_std().unwrap_or_default()).min()
    }

    fn falls_back_at(
        &self,
        patience: impl Fn(&str) -> Option<Duration>,
    ) -> impl Iterator<Item = (DateTime<Utc>, &Message)> {
        let waiting = self.pending.iter().filter(|message| !message.fell_back);
        waiting.filter_map(move |message| Some((after(message.created_at, patience(&message.channel)?), message)))
    }

    /// It goes to another channel too. Gives its event, the first time.
    pub fn fall_back(&mut self, key: &MessageKey) -> Option<AlertEvent> {
        let message = self.find(key).filter(|message| !message.fell_back)?;
        message.fell_back = true;
        Some(message.event.clone())
    }

    fn find(&mut self, key: &MessageKey) -> Option<&mut Message> {
        self.pending.iter_mut().find(|m| m.event.id == key.id && m.channel == key.channel)
    }

    fn give_up(&mut self, key: &MessageKey) {
        let Some(message) = self.take(key) else { return };
        self.given_up = self.given_up.saturating_add(1);
        self.dead.push_back(message);
        while self.dead.len() > MAX_DEAD {
            self.dead.pop_front();
        }
    }

    /// Whether this message still waits.
    pub fn contains(&self, key: &MessageKey) -> bool {
        self.pending.iter().any(|m| m.event.id == key.id && m.channel == key.channel)
    }

    /// What waits, oldest first.
    pub fn pending(&self) -> impl ExactSizeIterator<Item = &Message> {
        self.pending.iter()
    }

    /// Dead letters that are kept, oldest first.
    pub fn dead(&self) -> impl ExactSizeIterator<Item = &Message> {
        self.dead.iter()
    }

    /// How many were delivered since the state was begun.
    pub const fn delivered_total(&self) -> u64 {
        self.delivered
    }

    /// How many were given up since the state was begun, those no longer kept included.
    pub const fn given_up_total(&self) -> u64 {
        self.given_up
    }

    fn heads(&self) -> impl Iterator<Item = &Message> {
        let mut seen = HashSet::new();
        self.pending.iter().filter(move |message| seen.insert((&message.event.subject, &message.channel)))
    }

    fn take(&mut self, key: &MessageKey) -> Option<Message> {
        let index = self.pending.iter().position(|m| m.event.id == key.id && m.channel == key.channel)?;
        self.pending.remove(index)
    }
}

/// Wait after this many failed attempts.
fn backoff(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16); // 2^16 s is beyond MAX_BACKOFF
    (FIRST_BACKOFF * (1 << doublings)).min(MAX_BACKOFF)
}

/// Up to a fifth less, so that the messages of an hour's outage don't all come back in one moment. By the message's name
/// and attempt and not by chance: the same in every run.
fn with_jitter(wait: Duration, message: &Message) -> Duration {
    const LEAST: u64 = 800;
    let name = format!("{}/{}/{}", message.event.id, message.channel, message.attempts);
    let permille = LEAST + fnv1a(&name) % (1001 - LEAST);
    wait.mul_f64(f64::from(u32::try_from(permille).unwrap_or(1000)) / 1000.0)
}

/// `time` later by `wait`; `time` itself at the end of the calendar.
fn after(time: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(wait).ok().and_then(|wait| time.checked_add_signed(wait)).unwrap_or(time)
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
