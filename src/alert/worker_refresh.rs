//! What the task does beside messages: says again what still goes on, and hands to another channel what one does not
//! deliver.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::severity::Part;
use super::{NotifierTask, in_time};
use crate::alert::{AlertEvent, MAX_BACKOFF, Outgoing, SendError};

impl NotifierTask {
    /// After how long a message of this channel goes to another one too.
    pub(super) fn patience(&self, channel: &str) -> Option<Duration> {
        self.channels.get(channel)?.fallback().map(|fallback| fallback.after)
    }

    /// Puts what is overdue into the outbox for another channel too; whether there was anything.
    pub(super) fn fall_back(&mut self) -> bool {
        let now = self.clock.now();
        let overdue = self.state.outbox.overdue(now, |channel| self.patience(channel));
        for key in &overdue {
            let Some(event) = self.state.outbox.fall_back(key) else { continue };
            let Some(to) = self.channels.get(&key.channel).and_then(|channel| channel.fallback()) else { continue };
            let to = to.channel.clone();
            if self.gets_it_anyway(&event, &to) {
                continue;
            }
            tracing::warn!(channel = %key.channel, %to, id = %event.id, "message not delivered in time; it goes to another channel too");
            self.state.outbox.enqueue(&to, event, now);
        }
        !overdue.is_empty()
    }

    /// Whether a channel is told of an event by itself.
    fn gets_it_anyway(&mut self, event: &AlertEvent, channel: &str) -> bool {
        match event.kind.part() {
            Part::Alone => self.channels.get(channel).is_some_and(|channel| channel.takes(event)),
            Part::Beginning | Part::Middle | Part::End => !self.state.stories.falls_back(event, channel),
        }
    }

    /// When a channel is told next what still goes on; none while none is waited for.
    pub(super) fn next_refresh(&self) -> Option<Instant> {
        if !self.may_refresh() {
            return None;
        }
        let (busy, now) = (self.busy(), Instant::now());
        let wants = self.channels.iter().filter(|(name, channel)| {
            channel.repeat().is_some() && !busy.contains(*name) && !self.going_on(name).is_empty()
        });
        wants.map(|(name, _)| self.refresh_at.get(name).copied().unwrap_or(now)).min()
    }

    /// At the end only messages have a last try: what goes on is said again by the next start.
    fn may_refresh(&self) -> bool {
        self.ending.is_none() && self.gate.may_send()
    }

    /// Starts what is due of it.
    pub(super) fn launch_refreshes(&mut self) {
        if !self.may_refresh() {
            return;
        }
        let (busy, now) = (self.busy(), Instant::now());
        for (name, channel) in self.channels.clone() {
            let Some(repeat) = channel.repeat().filter(|_| !busy.contains(&name)) else { continue };
            if self.refresh_at.get(&name).is_some_and(|at| *at > now) {
                continue;
            }
            let going_on: Vec<Outgoing> = self.going_on(&name).into_iter().map(|event| self.again(event)).collect();
            if going_on.is_empty() {
                continue;
            }
            self.refresh_at.insert(name.clone(), now + repeat);
            let channel = Arc::clone(&channel);
            let task = self.sends.spawn(async move { in_time(channel.refresh(&going_on)).await });
            self.refreshing.insert(task.id(), name);
        }
    }

    fn again(&self, event: &AlertEvent) -> Outgoing {
        Outgoing::of(event.clone(), None, &self.timezone, self.clock.now())
    }

    /// What goes on of which the channel was told, but for what a message of it is on its way.
    fn going_on(&self, channel: &str) -> Vec<&AlertEvent> {
        let now = self.clock.now();
        let pending = self.state.outbox.pending().filter(|message| message.channel == channel);
        let waits: HashSet<&str> = pending.map(|message| message.event.thread.as_str()).collect();
        let is_watched =
            |event: &AlertEvent| self.state.subjects.get(&event.subject).is_none_or(|subject| subject.is_watched(now));
        let events = self.state.stories.going_on(channel);
        events.filter(|event| !waits.contains(event.thread.as_str()) && is_watched(event)).collect()
    }

    /// Says so when a channel stops or begins to take it. One that does not is asked less and less often, as with messages:
    /// each time may hold up a cycle by the window before it.
    pub(super) fn note_refresh(&mut self, channel: &str, result: Result<(), SendError>) {
        let Err(error) = result else {
            if self.stale.remove(channel).is_some() {
                tracing::info!(%channel, "what still goes on is taken again");
            }
            return;
        };
        let failures = self.stale.entry(channel.to_owned()).or_default();
        if *failures == 0 {
            tracing::warn!(%channel, %error, "what still goes on was not taken; it is said again");
        } else {
            tracing::debug!(%channel, %error, "what still goes on was not taken");
        }
        *failures = failures.saturating_add(1);
        let repeat = self.channels.get(channel).and_then(|channel| channel.repeat()).unwrap_or(MAX_BACKOFF);
        let wait = repeat.saturating_mul(1 << (*failures).min(16)).min(MAX_BACKOFF.max(repeat));
        self.refresh_at.insert(channel.to_owned(), Instant::now() + wait);
    }
}
