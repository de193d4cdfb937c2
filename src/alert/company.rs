//! What all subjects have in common is told in one message: pure, part of the policy.
//!
//! When every site fails at the same stage, or the prober can tell of none for the same reason, what they share is to
//! blame, and forty messages would say less than one. The story has a subject of its own, `all sites of NAME`; while it
//! goes on, nobody is told of a single site. It is over with the first look that finds another thing; what still is down
//! then is told at its next look.
//!
//! An outage that would be told at once waits, [`HOLD`] at most, as long as every other site seen since fails likewise and
//! another one is about to be looked at.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::expiry::Expiring;
use super::{AlertEvent, AlertFacts, AlertState, Observation, Policy, SubjectState};
use crate::config::AlertRules;
use crate::record::{Reason, Stage, Verdict};

/// An outage is told at most so much later, when it may be that all sites fail.
pub const HOLD: Duration = Duration::from_mins(2);

/// What a look found, as far as others may have it in common with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Found {
    /// It says nothing of the others: maintenance, an account that rests, a dead uplink.
    #[default]
    Nothing,
    Up,
    Down(Stage),
    Unknown(Reason),
}

impl Found {
    pub(super) fn of(seen: &Observation) -> Self {
        if seen.silenced || seen.paused {
            return Self::Nothing;
        }
        match (seen.verdict, seen.facts.stage, seen.facts.reason) {
            (Verdict::Up, ..) => Self::Up,
            (Verdict::Down, Some(stage), _) => Self::Down(stage),
            (Verdict::Unknown, _, Some(reason)) => Self::Unknown(reason),
            (Verdict::Down, None, _) | (Verdict::Unknown, _, None) => Self::Nothing,
        }
    }

    /// Whether another one's look says whether all have this. That one can't be told of says nothing of those that are down.
    const fn is_told_by(self, other: Self) -> bool {
        match self {
            Self::Nothing | Self::Up => false,
            Self::Down(_) => matches!(other, Self::Up | Self::Down(_)),
            Self::Unknown(_) => !matches!(other, Self::Nothing),
        }
    }

    /// Whether such a look shows that not all have that any more.
    fn ends(self, told: Self) -> bool {
        match told {
            Self::Nothing | Self::Up => false,
            Self::Down(_) => matches!(self, Self::Up | Self::Down(_)) && self != told,
            Self::Unknown(_) => matches!(self, Self::Up | Self::Down(_)),
        }
    }
}

/// How it is with the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Company {
    /// One of them is otherwise, or there is none: it is told by itself.
    #[default]
    Alone,
    /// Nobody knows yet.
    Open,
    /// All have the same: it is told of all.
    All,
}

impl AlertState {
    /// Takes a look at one subject in; what is told by it.
    pub fn observe(&mut self, seen: &Observation, rules: AlertRules, now: DateTime<Utc>) -> Vec<AlertEvent> {
        let policy = Policy::new(rules);
        let found = Found::of(seen);
        // One that fails otherwise than before does so since now.
        let as_before = self.subjects.get(&seen.subject).filter(|state| state.found() == found);
        let since = as_before.and_then(|state| state.began(found)).unwrap_or(seen.at);
        // As long as nobody contradicts, it is one of those that people know of.
        let alone = if self.is_told(found) { Company::All } else { Company::Alone };
        let company = match found {
            // For whatever reason: people know that none can be told of.
            Found::Unknown(_) if alone == Company::All => Company::All,
            _ => self.company((&seen.subject, found, since), alone, now),
        };
        let of_outage = match found {
            // Nobody knows whether it still is so.
            Found::Unknown(_) | Found::Nothing if self.all_sites.open_alert().is_some() => Company::All,
            Found::Unknown(_) | Found::Nothing => Company::Alone,
            Found::Up | Found::Down(_) => company,
        };
        let subject = self.subjects.entry(seen.subject.clone()).or_default();
        let mut events = policy.observe_among(subject, seen, (company, of_outage), now);
        if seen.silenced {
            // What is owed is told when the maintenance is over.
            subject.let_go();
        }
        if let Some(uplink) = seen.of_uplink() {
            events.extend(policy.observe(&mut self.uplink, &uplink, now));
        }
        events.extend(self.observe_password(seen, now));
        events.extend(self.observe_all(seen, (found, company), rules, now));
        events.extend(self.release(now));
        events
    }

    /// An account has one password, however many sites log in with it.
    fn observe_password(&mut self, seen: &Observation, now: DateTime<Utc>) -> Option<AlertEvent> {
        let known = self.passwords.entry(seen.account.clone()?).or_default();
        let event = known.on_look(Expiring::Password, seen, now);
        self.passwords.retain(|_, known| known.is_told());
        event
    }

    /// Tells what waited for others long enough, or in vain.
    pub fn release(&mut self, now: DateTime<Utc>) -> Vec<AlertEvent> {
        let is_due = |(name, state): (&String, &SubjectState)| {
            let (until, found, since) = state.held()?;
            (until <= now || self.company((name, found, since), Company::Alone, now) == Company::Alone)
                .then(|| name.clone())
        };
        let due: Vec<_> = self.subjects.iter().filter_map(is_due).collect();
        self.tell_held(&due, now)
    }

    /// Tells everything that waits for others.
    pub fn release_all(&mut self, now: DateTime<Utc>) -> Vec<AlertEvent> {
        let held = self.subjects.iter().filter(|(_, state)| state.held().is_some());
        let held: Vec<_> = held.map(|(name, _)| name.clone()).collect();
        self.tell_held(&held, now)
    }

    /// When the next of them is told, whatever the others are.
    pub fn next_release(&self) -> Option<DateTime<Utc>> {
        self.subjects.values().filter_map(|state| Some(state.held()?.0)).min()
    }

    fn tell_held(&mut self, names: &[String], now: DateTime<Utc>) -> Vec<AlertEvent> {
        let tell = |name: &String| self.subjects.get_mut(name)?.tell_held(name, now);
        names.iter().filter_map(tell).collect()
    }

    /// The story of all of them.
    fn observe_all(
        &mut self,
        seen: &Observation,
        (found, company): (Found, Company),
        rules: AlertRules,
        now: DateTime<Utc>,
    ) -> Vec<AlertEvent> {
        let is_on = self.all_sites.open_alert().is_some() || self.all_sites.blind_since().is_some();
        let (told, is_told) = (self.all_sites.found(), self.is_told(found));
        let is_owed = |(name, state): (&String, &SubjectState)| {
            state.found() == found && state.is_owed(found) && self.is_watched(name, now)
        };
        let is_due = || is_told || self.subjects.iter().any(is_owed);
        let (verdict, alike) = match company {
            Company::All if is_due() => (seen.verdict, self.alike(found, now)),
            // Seen again, and all still down as they were before.
            _ if is_on && found.ends(told) && self.is_told(found) => (seen.verdict, self.alike(found, now)),
            // What still is so, as far as anybody knows.
            _ if is_on && found.ends(told) => (Verdict::Up, self.alike(told, now)),
            _ => return self.remind_of_all(seen, rules, now).into_iter().collect(),
        };
        // From then on all of them were so; and not before the story before it was over.
        let since = alike.iter().map(|(_, began)| *began).max().max(self.all_sites.last_look());
        let mut facts = AlertFacts {
            sites: Some(alike.into_iter().map(|(name, _)| name).collect()),
            decided_by: Some(seen.subject.clone()),
            // Of one site alone. Who is told may have nothing to do with it.
            group: None,
            account: None,
            dialogue: Vec::new(),
            ..seen.facts.clone()
        };
        if seen.verdict == Verdict::Up {
            // Of a tunnel that was restored: what had failed before.
            (facts.stage, facts.reason) = (None, None);
        }
        let subject = of_all(&facts.prober);
        let of_all = Observation {
            facts,
            // Told at the first, and none of the looks that may flap.
            identity_failure: verdict == Verdict::Down,
            triggered: true,
            since,
            ..Observation::of(subject, verdict, seen.at, seen.interval)
        };
        if verdict != Verdict::Up {
            self.subjects.values_mut().for_each(SubjectState::let_go);
        }
        let rules = AlertRules { resolve_after: 1, blind_after: Duration::ZERO, ..rules };
        Policy::new(rules).observe(&mut self.all_sites, &of_all, now)
    }

    /// How it is with the others, for a subject that was found so since then. `alone`: where none of them says anything.
    fn company(
        &self,
        (name, found, since): (&str, Found, DateTime<Utc>),
        alone: Company,
        now: DateTime<Utc>,
    ) -> Company {
        let mut company = alone;
        for (other, state) in &self.subjects {
            if other == name || !found.is_told_by(state.found()) || !self.is_watched(other, now) {
                continue;
            }
            if state.found() == found {
                company = if company == Company::Open { Company::Open } else { Company::All };
            } else if state.is_to_be_looked_at(since, now + HOLD) {
                company = Company::Open;
            } else {
                return Company::Alone;
            }
        }
        let is_new = |other: &String| other != name && !self.subjects.contains_key(other);
        let may_differ = alone != Company::All && found.is_told_by(Found::Up);
        if may_differ && self.configured.iter().any(is_new) { Company::Open } else { company }
    }

    /// Whether it is looked at still: one that is no longer configured is not.
    fn is_watched(&self, name: &str, now: DateTime<Utc>) -> bool {
        let is_configured = self.configured.is_empty() || self.configured.contains(name);
        is_configured && self.subjects.get(name).is_some_and(|state| state.is_watched(now))
    }

    /// While the accounts of all rest, nothing is found of any: it goes on, and is said again.
    fn remind_of_all(&mut self, seen: &Observation, rules: AlertRules, now: DateTime<Utc>) -> Option<AlertEvent> {
        self.all_sites.open_alert()?;
        let subject = of_all(&seen.facts.prober);
        let of_all = Observation::of(subject, Verdict::Unknown, seen.at, seen.interval);
        Policy::new(rules).remind(&mut self.all_sites, &of_all, Company::Alone, now)
    }

    /// Whether people know that all are like this, and the story goes on.
    fn is_told(&self, found: Found) -> bool {
        match found {
            Found::Down(stage) => self.all_sites.open_alert().is_some_and(|outage| outage.last.stage == Some(stage)),
            Found::Unknown(_) => self.all_sites.blind_since().is_some(),
            Found::Up | Found::Nothing => false,
        }
    }

    /// The subjects that were found so at last, and since when each is.
    fn alike(&self, found: Found, now: DateTime<Utc>) -> Vec<(String, DateTime<Utc>)> {
        let is_alike = |(name, state): &(&String, &SubjectState)| state.found() == found && self.is_watched(name, now);
        let watched = self.subjects.iter().filter(is_alike);
        watched.map(|(name, state)| (name.clone(), state.began(found).unwrap_or(now))).collect()
    }
}

/// The subject of what all sites have in common.
fn of_all(prober: &str) -> String {
    format!("all sites of {prober}")
}

#[cfg(test)]
#[path = "company_tests.rs"]
mod tests;
