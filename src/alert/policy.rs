//! When people are told: pure. Observations and the time come in, events go out; nothing here knows of sites, mails
//! or files.
//!
//! A *streak* is a number of cycles in a row. An *outage* begins with the first down after an up and ends with the
//! next up (with `resolve_after` ups in a row once people were told of it); `unknown` changes neither. A down cycle that
//! an event asked for may begin an outage, but is none of the streak: at once after a fall it would say the same twice.
//!
//! A subject that *flaps* changes too often for single messages: of its outages only those are told that last, or in which
//! the account was refused.
//!
//! While a subject is *silenced* (maintenance) everything counts and nothing is told. What people would have been told, and
//! what still is so at the first look afterwards, they are told then: with its true start, or its true end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::company::{Company, Found, HOLD};
use super::event::steady_id;
use super::expiry::{Expiring, Expiry};
use super::flapping::{Flapping, LASTS};
use super::leftovers::Leftovers;
use super::restores::Restores;
use super::{AlertEvent, AlertFacts, AlertKind, Observation};
use crate::config::AlertRules;
use crate::record::Verdict;

/// The rules in force for a subject.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    rules: AlertRules,
}

/// What the policy remembers of one subject. Survives a restart.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubjectState {
    last: Option<LastLook>,
    downs: u32,
    ups: Option<UpStreak>,
    outage: Option<Outage>,
    blindness: Option<Blindness>,
    restores: Restores,
    flapping: Flapping,
    leftovers: Leftovers,
    certificate: Expiry,
}

/// The latest observation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct LastLook {
    at: DateTime<Utc>,
    interval: Duration,
    #[serde(default)]
    found: Found,
}

/// Up cycles in a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct UpStreak {
    count: u32,
    since: DateTime<Utc>,
    /// One of them restored it.
    #[serde(default)]
    restored: bool,
}

/// Down, and not yet over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// Its first down cycle.
    pub start: DateTime<Utc>,
    /// What its latest down cycle found.
    pub last: AlertFacts,
    /// That people were told; none as long as they were not.
    pub told: Option<Told>,
    /// People ought to know of it, told or not.
    #[serde(default)]
    pub owed: bool,
    /// Until then it waits for what is found of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held_until: Option<DateTime<Utc>>,
}

/// That people were told of an outage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The id of the first message.
    pub thread: String,
    /// When they were told last.
    pub at: DateTime<Utc>,
    /// How often they were reminded.
    pub reminders: u32,
    /// What had failed when they were told first.
    pub failed: AlertFacts,
}

/// Unknown cycles without a decided one between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Blindness {
    since: DateTime<Utc>,
    /// The id of the message, once it was told.
    thread: Option<String>,
    /// People ought to know of it, told or not.
    #[serde(default)]
    owed: bool,
}

impl SubjectState {
    /// The outage that people were told of and that is not over.
    pub fn open_alert(&self) -> Option<&Outage> {
        self.outage.as_ref().filter(|outage| outage.told.is_some())
    }

    /// The outage that is not over, told or not.
    pub const fn outage(&self) -> Option<&Outage> {
        self.outage.as_ref()
    }

    /// When it was looked at last: the start of that cycle.
    pub fn last_look(&self) -> Option<DateTime<Utc>> {
        self.last.map(|last| last.at)
    }

    /// What it was taken for last; none where nobody has looked. While an account rests, what it was before.
    pub fn verdict(&self) -> Option<Verdict> {
        self.last?;
        Some(match (&self.blindness, &self.ups, &self.outage) {
            (None, Some(_), _) => Verdict::Up,
            (None, None, Some(_)) => Verdict::Down,
            (Some(_), ..) | (None, None, None) => Verdict::Unknown,
        })
    }

    /// Since when it is so, as far as that is remembered.
    pub fn since(&self, verdict: Verdict) -> Option<DateTime<Utc>> {
        match verdict {
            Verdict::Up => self.ups.map(|ups| ups.since),
            Verdict::Down => self.outage.as_ref().map(|outage| outage.start),
            Verdict::Unknown => self.blindness.as_ref().map(|blindness| blindness.since),
        }
    }

    /// Down cycles in a row.
    pub const fn downs(&self) -> u32 {
        self.downs
    }

    /// Since when the prober can't tell, once people were told of it.
    pub fn blind_since(&self) -> Option<DateTime<Utc>> {
        self.blindness.as_ref().filter(|b| b.thread.is_some()).map(|b| b.since)
    }

    /// Whether people were told that it falls again and again, and it is not over.
    pub const fn is_unsteady(&self) -> bool {
        self.restores.is_unsteady()
    }

    /// Whether people were told that it flaps, and it does.
    pub const fn is_flapping(&self) -> bool {
        self.flapping.is_told()
    }

    /// Whether it is still looked at: one that is no longer configured is not, and what is known of it is no news.
    pub fn is_watched(&self, now: DateTime<Utc>) -> bool {
        self.last.is_some_and(|last| length(last.at, now) <= last.interval.saturating_mul(3))
    }

    /// Whether more than two intervals lie between the latest observation and this one.
    fn is_gap_before(&self, seen: &Observation) -> bool {
        self.last.is_some_and(|last| length(last.at, seen.at) > last.interval.max(seen.interval).saturating_mul(2))
    }

    /// After a gap nobody knows what was between: streaks begin anew, told stories go on.
    fn break_streaks(&mut self) {
        self.downs = 0;
        self.ups = None;
        self.blindness.take_if(|blindness| blindness.thread.is_none());
        self.restores.break_calm();
    }

    /// One that an event asked for says nothing of when the timetable looks next.
    fn note_look(&mut self, seen: &Observation) {
        let before = self.last.filter(|_| seen.triggered).map_or(Duration::ZERO, |last| last.interval);
        self.last = Some(LastLook { at: seen.at, interval: seen.interval.max(before), found: Found::of(seen) });
    }

    /// What was found at the latest look.
    pub(super) fn found(&self) -> Found {
        self.last.map_or(Found::Nothing, |last| last.found)
    }

    /// Since when it is found so.
    pub(super) fn began(&self, found: Found) -> Option<DateTime<Utc>> {
        match found {
            Found::Down(_) => self.outage.as_ref().map(|outage| outage.start),
            Found::Unknown(_) => self.blindness.as_ref().map(|blindness| blindness.since),
            Found::Up | Found::Nothing => None,
        }
    }

    /// Whether the latest look is older than `since`, and the next one is due before `until`.
    pub(super) fn is_to_be_looked_at(&self, since: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        self.last.is_some_and(|last| last.at < since && last.at + last.interval <= until)
    }

    /// Whether people ought to know that it is so, and don't.
    pub(super) fn is_owed(&self, found: Found) -> bool {
        match found {
            Found::Down(_) => self.outage.as_ref().is_some_and(|outage| outage.owed && outage.told.is_none()),
            Found::Unknown(_) => self.blindness.as_ref().is_some_and(|b| b.owed && b.thread.is_none()),
            Found::Up | Found::Nothing => false,
        }
    }

    /// The outage that waits for what is found of the others: until when, what was found, and since when it waits.
    pub(super) fn held(&self) -> Option<(DateTime<Utc>, Found, DateTime<Utc>)> {
        let outage = self.outage.as_ref().filter(|outage| outage.told.is_none())?;
        let until = outage.held_until?;
        Some((until, self.found(), until - HOLD))
    }

    /// It waits no more: people know of it by another message.
    pub(super) fn let_go(&mut self) {
        if let Some(outage) = &mut self.outage {
            outage.held_until = None;
        }
    }

    /// Tells of the outage that waits.
    pub(super) fn tell_held(&mut self, subject: &str, now: DateTime<Utc>) -> Option<AlertEvent> {
        self.held()?;
        self.tell_outage(subject, now)
    }

    /// Tells of the outage.
    fn tell_outage(&mut self, subject: &str, now: DateTime<Utc>) -> Option<AlertEvent> {
        // None since a gap: it had been told before, were it not for maintenance.
        let downs = self.downs.max(1);
        let outage = self.outage.as_mut()?;
        let (id, facts) = (steady_id(subject, outage.start, "down"), outage.last.clone());
        outage.told = Some(Told { thread: id.clone(), at: now, reminders: 0, failed: facts.clone() });
        outage.held_until = None;
        let kind = AlertKind::Triggered { start: outage.start, downs };
        Some(AlertEvent { thread: id.clone(), id, subject: subject.to_owned(), at: now, kind, facts })
    }
}

impl Policy {
    /// The policy with these rules; a count of 0 means 1.
    pub const fn new(rules: AlertRules) -> Self {
        Self { rules }
    }

    /// Takes one observation in. `now` is when it is told, at or after its end. The same observation twice counts once.
    pub fn observe(&self, state: &mut SubjectState, seen: &Observation, now: DateTime<Utc>) -> Vec<AlertEvent> {
        self.observe_among(state, seen, (Company::Alone, Company::Alone), now)
    }

    /// The same for one of many: what all have in common is not told of one. `of_outage`: for the outage that goes on.
    pub fn observe_among(
        &self,
        state: &mut SubjectState,
        seen: &Observation,
        (company, of_outage): (Company, Company),
        now: DateTime<Utc>,
    ) -> Vec<AlertEvent> {
        if state.last.is_some_and(|last| last.at == seen.at) {
            return Vec::new();
        }
        if state.is_gap_before(seen) {
            state.break_streaks();
        }
        state.note_look(seen);
        // A look that an event asked for says the same as the next one.
        let flaps = if seen.triggered { None } else { state.flapping.on_look(seen, self.rules.reminder, now) };
        let events = match seen.verdict {
            Verdict::Up => {
                let outage = state.outage.as_ref().map(|outage| (outage.start, outage.told.is_some()));
                let seen_again = see_again(state, seen, now);
                [seen_again, self.on_up(state, seen, now), self.on_back(state, seen, outage, now)]
            }
            Verdict::Down => [see_again(state, seen, now), self.on_down(state, seen, of_outage, now), None],
            Verdict::Unknown => {
                let late = tell(state, seen, of_outage, now);
                let late = late.or_else(|| self.remind(state, seen, of_outage, now));
                [late, self.on_unknown(state, seen, company, now), None]
            }
        };
        let certificate = state.certificate.on_look(Expiring::Certificate, seen, now);
        let beside = [state.leftovers.on_look(seen, now), certificate];
        flaps.into_iter().chain(events.into_iter().chain(beside).flatten()).collect()
    }

    fn on_down(
        &self,
        state: &mut SubjectState,
        seen: &Observation,
        company: Company,
        now: DateTime<Utc>,
    ) -> Option<AlertEvent> {
        state.ups = None;
        state.restores.break_calm();
        state.downs = state.downs.saturating_add(u32::from(!seen.triggered));
        let due = (state.downs >= self.rules.after && !seen.triggered) || seen.identity_failure;
        let first =
            || Outage { start: seen.began(), last: seen.facts.clone(), told: None, owed: false, held_until: None };
        let outage = state.outage.get_or_insert_with(first);
        outage.start = outage.start.min(seen.at); // only when the wall clock was set back
        outage.last = seen.facts.clone();
        if outage.told.is_some() {
            return self.remind(state, seen, company, now);
        }
        outage.owed |= due;
        tell(state, seen, company, now)
    }

    fn on_up(&self, state: &mut SubjectState, seen: &Observation, now: DateTime<Utc>) -> Option<AlertEvent> {
        state.downs = 0;
        let ups = state.ups.get_or_insert(UpStreak { count: 0, since: seen.back_at(), restored: false });
        ups.count = ups.count.saturating_add(1);
        ups.restored |= seen.is_restored();
        let over = ups.count >= self.rules.resolve_after;
        let (end, restored) = (ups.since, ups.restored);
        let outage = state.outage.take_if(|outage| outage.told.is_none() || (over && !seen.silenced))?;
        let told = outage.told?;
        let (end, failed) = (end.max(outage.start), Box::new(told.failed));
        let kind = AlertKind::Resolved { start: outage.start, end, failed, restored };
        let id = format!("{}.up", told.thread);
        Some(AlertEvent::of(seen, id, told.thread, kind, now))
    }

    /// Beside the outage: whether it was restored, and holds. `outage`: its start, and whether people were told of it.
    fn on_back(
        &self,
        state: &mut SubjectState,
        seen: &Observation,
        outage: Option<(DateTime<Utc>, bool)>,
        now: DateTime<Utc>,
    ) -> Option<AlertEvent> {
        if !seen.is_restored() {
            return state.restores.on_up(seen, now);
        }
        let (down_since, is_told) = outage.unwrap_or((seen.at, false));
        state.restores.on_restored(seen, down_since.min(seen.at), is_told, self.rules.reminder, now)
    }

    /// An outage that people know of and that lasts is said again after `reminder`.
    pub(super) fn remind(
        &self,
        state: &mut SubjectState,
        seen: &Observation,
        company: Company,
        now: DateTime<Utc>,
    ) -> Option<AlertEvent> {
        if company == Company::All {
            return None;
        }
        let outage = state.outage.as_mut().filter(|_| !seen.silenced)?;
        let told = outage.told.as_mut()?;
        told.at = told.at.min(now); // only when the wall clock was set back
        if self.rules.reminder.is_zero() || length(told.at, now) < self.rules.reminder {
            return None;
        }
        told.at = now;
        told.reminders = told.reminders.saturating_add(1);
        Some(AlertEvent {
            id: format!("{}.reminder-{}", told.thread, told.reminders),
            thread: told.thread.clone(),
            subject: seen.subject.clone(),
            at: now,
            kind: AlertKind::Reminder { start: outage.start, number: told.reminders },
            facts: outage.last.clone(),
        })
    }

    fn on_unknown(
        &self,
        state: &mut SubjectState,
        seen: &Observation,
        company: Company,
        now: DateTime<Utc>,
    ) -> Option<AlertEvent> {
        if seen.paused {
            return None;
        }
        let blindness = state.blindness.get_or_insert(Blindness { since: seen.began(), thread: None, owed: false });
        blindness.since = blindness.since.min(seen.at); // only when the wall clock was set back
        blindness.owed |= length(blindness.since, now) >= self.rules.blind_after;
        if blindness.thread.is_some() || !blindness.owed || seen.silenced || company == Company::All {
            return None;
        }
        let id = steady_id(&seen.subject, blindness.since, "blind");
        blindness.thread = Some(id.clone());
        let kind = AlertKind::Blind { since: blindness.since };
        Some(AlertEvent::of(seen, id.clone(), id, kind, now))
    }
}

/// An outage that people ought to know of is told, once, as soon as they may be told.
fn tell(state: &mut SubjectState, seen: &Observation, company: Company, now: DateTime<Utc>) -> Option<AlertEvent> {
    if state.flapping.is_told() && state.downs < LASTS && !seen.identity_failure {
        return None;
    }
    let outage = state.outage.as_mut().filter(|outage| outage.owed && outage.told.is_none() && !seen.silenced)?;
    outage.start = outage.start.min(seen.at); // only when the wall clock was set back
    match company {
        Company::Alone => {}
        Company::All => return None,
        Company::Open => {
            let latest = now + HOLD;
            let until = *outage.held_until.get_or_insert(latest);
            if until > now && until <= latest {
                return None;
            }
        }
    }
    state.tell_outage(&seen.subject, now)
}

/// A decided verdict ends blindness, and says so to whom was told of it.
fn see_again(state: &mut SubjectState, seen: &Observation, now: DateTime<Utc>) -> Option<AlertEvent> {
    let Blindness { since, thread, .. } =
        state.blindness.take_if(|blindness| blindness.thread.is_none() || !seen.silenced)?;
    let thread = thread?;
    let kind = AlertKind::BlindOver { since, verdict: seen.verdict };
    Some(AlertEvent::of(seen, format!("{thread}.over"), thread, kind, now))
}

/// From `from` to `to`; zero where the wall clock was set back between them.
pub(super) fn length(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    to.signed_duration_since(from).to_std().unwrap_or_default()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
