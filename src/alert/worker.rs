//! The task behind [`Notifier`](super::Notifier): owns the state, saves it before anything leaves, sends one message
//! per channel at a time while the gate is open, and wakes by events and deadlines alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::policy::length;
use super::stories::Channels;
use super::{
    AlertEvent, AlertState, AlertStore, Channel, GateListener, Message, MessageKey, Observation, Outgoing, Retried,
    SendError, Settled, StoreError,
};
use crate::clock::Clock;
use crate::config::AlertRules;
use crate::net::BoxFuture;
use crate::zone::Zone;

/// How long one send may take while the gate is open. RFC 5321 §4.5.3.2 allows minutes per command; whoever is paged
/// does not.
pub const SEND_DEADLINE: Duration = Duration::from_secs(30);
/// After a state that could not be saved, the next try.
const SAVE_AGAIN: Duration = Duration::from_mins(1);

/// What the handle asks for.
#[derive(Debug)]
pub(super) enum Command {
    Observe { observation: Box<Observation>, rules: AlertRules, reply: oneshot::Sender<Result<(), StoreError>> },
    Settle { settled: Box<Settled>, reply: oneshot::Sender<Result<(), StoreError>> },
    State(oneshot::Sender<AlertState>),
    Retry { ids: Option<Vec<String>>, reply: oneshot::Sender<Result<Retried, StoreError>> },
    Shutdown { deadline: Instant, reply: oneshot::Sender<usize> },
}

/// The task: spawn [`run`](Self::run) and watch it.
pub struct NotifierTask {
    state: AlertState,
    store: Arc<dyn AlertStore>,
    channels: Channels,
    gate: GateListener,
    clock: Arc<dyn Clock>,
    timezone: Zone,
    commands: mpsc::Receiver<Command>,
    sends: JoinSet<Result<(), SendError>>,
    in_flight: HashMap<Id, MessageKey>,
    /// Channels that are being told what still goes on.
    refreshing: HashMap<Id, String>,
    /// When each is told next that wants to be.
    refresh_at: BTreeMap<String, Instant>,
    /// How often in a row each did not take it.
    stale: HashMap<String, u32>,
    /// What has had its one try, or was not due, when the gate began to close or the end began.
    tried: HashSet<MessageKey>,
    ending: Option<(Instant, oneshot::Sender<usize>)>,
    /// When a state that could not be saved is saved again.
    save_again: Option<Instant>,
}

impl std::fmt::Debug for NotifierTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotifierTask").field("in_flight", &self.in_flight).finish_non_exhaustive()
    }
}

/// Why the task woke.
enum Wake {
    Command(Option<Command>),
    Gate,
    Sent(Result<(Id, Result<(), SendError>), JoinError>),
    Time,
}

impl NotifierTask {
    pub(super) fn new(
        state: AlertState,
        store: Arc<dyn AlertStore>,
        channels: Vec<Arc<dyn Channel>>,
        gate: GateListener,
        clock: Arc<dyn Clock>,
        timezone: Zone,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        Self {
            state,
            store,
            channels: channels.into_iter().map(|channel| (channel.name().to_owned(), channel)).collect(),
            gate,
            clock,
            timezone,
            commands,
            sends: JoinSet::new(),
            in_flight: HashMap::new(),
            refreshing: HashMap::new(),
            refresh_at: BTreeMap::new(),
            stale: HashMap::new(),
            tried: HashSet::new(),
            ending: None,
            save_again: None,
        }
    }

    /// The subjects that are to be looked at: what all have in common is told when each of them was.
    #[must_use]
    pub fn watching(mut self, subjects: impl IntoIterator<Item = String>) -> Self {
        self.state.configured = subjects.into_iter().collect();
        self
    }

    /// Runs until [`Notifier::shutdown`](super::Notifier::shutdown), or until every handle is gone.
    pub async fn run(mut self) {
        loop {
            self.launch_due();
            if self.is_last_try() && self.sends.is_empty() {
                self.fall_silent();
                if self.ending.is_some() {
                    break;
                }
            }
            match self.next_wake().await {
                Wake::Command(Some(command)) => self.obey(command).await,
                Wake::Command(None) => break,
                Wake::Gate => self.count_tries(),
                Wake::Sent(done) => self.settle(done).await,
                Wake::Time => {
                    if self.on_time().await.is_break() {
                        break;
                    }
                }
            }
        }
        self.cancel_sends().await;
        if let Some((_, reply)) = self.ending.take() {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(self.state.outbox.pending().len());
        }
    }

    async fn next_wake(&mut self) -> Wake {
        let deadline = self.next_deadline();
        tokio::select! {
            command = self.commands.recv() => Wake::Command(command),
            () = self.gate.changed() => Wake::Gate,
            Some(done) = self.sends.join_next_with_id() => Wake::Sent(done),
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => Wake::Time,
        }
    }

    /// The earliest of: the gate closes, the end, the next message becomes due or overdue, what waits for other sites is
    /// told, what goes on is said again, the state is saved again.
    fn next_deadline(&self) -> Option<Instant> {
        let now = Instant::now();
        let next_due = self.state.outbox.next_due(self.clock.now()).filter(|_| self.gate.may_send());
        let end = self.ending.as_ref().map(|(deadline, _)| *deadline);
        let overdue = self.state.outbox.next_overdue(self.clock.now(), |channel| self.patience(channel));
        let held = self.state.next_release().map(|at| length(self.clock.now(), at));
        let [next_due, overdue, held] = [next_due, overdue, held].map(|wait| wait.map(|wait| now + wait));
        [self.gate.closing_at(), end, next_due, overdue, held, self.next_refresh(), self.save_again]
            .into_iter()
            .flatten()
            .min()
    }

    async fn on_time(&mut self) -> ControlFlow<()> {
        let now = Instant::now();
        let is_past = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        if is_past(self.ending.as_ref().map(|(deadline, _)| *deadline)) {
            return ControlFlow::Break(());
        }
        if is_past(self.gate.closing_at()) {
            self.cancel_sends().await;
            self.fall_silent();
        }
        let wall = self.clock.now();
        let released = self.state.release(wall);
        let is_changed = !released.is_empty();
        self.enqueue(released, wall);
        if self.fall_back() || is_changed || is_past(self.save_again) {
            // A failure was said, and is tried again.
            let _ = self.save().await;
        }
        ControlFlow::Continue(())
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Observe { observation, rules, reply } => {
                let saved = self.observe(&observation, rules).await;
                let _ = reply.send(saved);
            }
            Command::Settle { settled, reply } => {
                let saved = self.settle_periods(*settled).await;
                let _ = reply.send(saved);
            }
            Command::State(reply) => {
                let _ = reply.send(self.state.clone());
            }
            Command::Retry { ids, reply } => {
                let retried = self.state.outbox.retry(ids.as_deref(), self.clock.now());
                let saved = self.save().await;
                let _ = reply.send(saved.map(|()| retried));
            }
            Command::Shutdown { deadline, reply } => {
                let now = self.clock.now();
                let held = self.state.release_all(now);
                if !held.is_empty() {
                    self.enqueue(held, now);
                    // A failure was said; nothing is lost by it that is sent now.
                    let _ = self.save().await;
                }
                self.state.outbox.make_everything_due(self.clock.now());
                self.ending = Some((deadline, reply));
                self.count_tries();
            }
        }
    }

    async fn observe(&mut self, seen: &Observation, rules: AlertRules) -> Result<(), StoreError> {
        let now = self.clock.now();
        let events = self.state.observe(seen, rules, now);
        self.enqueue(events, now);
        self.save().await
    }

    fn enqueue(&mut self, events: Vec<AlertEvent>, now: DateTime<Utc>) {
        for event in events {
            tracing::info!(subject = %event.subject, id = %event.id, "alert");
            for name in self.state.stories.audience(&event, &self.channels) {
                self.state.outbox.enqueue(&name, event.clone(), now);
            }
        }
    }

    async fn settle_periods(&mut self, settled: Settled) -> Result<(), StoreError> {
        if settled.periods.is_empty() {
            self.state.settled.remove(&settled.name);
        } else {
            self.state.settled.insert(settled.name, settled.periods);
        }
        if let Some((channel, event)) = settled.message {
            self.state.outbox.enqueue(&channel, event, self.clock.now());
        }
        self.save().await
    }

    /// Whether each message has one try only: the gate is about to close, or this is the end.
    fn is_last_try(&self) -> bool {
        self.ending.is_some() || self.gate.closing_at().is_some()
    }

    /// When the gate begins to close, or the end begins, what is being sent has its one try already, and what waits
    /// for its back-off is not due.
    fn count_tries(&mut self) {
        if self.is_last_try() {
            let waiting = self.state.outbox.waiting(self.clock.now()).map(Message::key);
            self.tried.extend(self.in_flight.values().cloned().chain(waiting));
        }
    }

    /// Says that nothing is being sent, when each message had its one try.
    fn fall_silent(&mut self) {
        self.gate.confirm_quiet();
        self.tried.clear();
    }

    /// Starts every send that may start: due, its channel idle, the gate open, not yet tried in this window.
    fn launch_due(&mut self) {
        if !self.gate.may_send() {
            return;
        }
        // One that is given up lets the next of its site come up at once.
        while self.launch_messages() {}
        self.launch_refreshes();
    }

    /// Starts the sends; whether a message was for a channel that there is not.
    fn launch_messages(&mut self) -> bool {
        let mut busy = self.busy();
        let is_last_try = self.is_last_try();
        let mut unknown = Vec::new();
        let mut ready = Vec::new();
        for message in self.state.outbox.due(self.clock.now()) {
            let key = message.key();
            if busy.contains(&key.channel) || (is_last_try && self.tried.contains(&key)) {
                continue;
            }
            match self.channels.get(&key.channel) {
                Some(channel) => {
                    busy.insert(key.channel.clone());
                    ready.push((key, Arc::clone(channel), self.outgoing(message)));
                }
                None => unknown.push(key),
            }
        }
        for (key, channel, outgoing) in ready {
            self.launch(key, channel, outgoing);
        }
        for key in &unknown {
            self.note_failure(key, &SendError::permanent("this channel is no longer configured"));
        }
        !unknown.is_empty()
    }

    /// Channels that something is being sent to.
    fn busy(&self) -> HashSet<String> {
        self.in_flight.values().map(|key| &key.channel).chain(self.refreshing.values()).cloned().collect()
    }

    fn launch(&mut self, key: MessageKey, channel: Arc<dyn Channel>, outgoing: Outgoing) {
        if self.is_last_try() {
            self.tried.insert(key.clone());
        }
        let task = self.sends.spawn(async move { in_time(channel.send(&outgoing)).await });
        self.in_flight.insert(task.id(), key);
    }

    fn outgoing(&self, message: &Message) -> Outgoing {
        let first = self.state.stories.first_of(&message.event).cloned();
        Outgoing::of(message.event.clone(), first, &self.timezone, message.created_at)
    }

    async fn settle(&mut self, done: Result<(Id, Result<(), SendError>), JoinError>) {
        self.note(done);
        // A failure was said and is tried again; a repeat with the same id is all that can come of it.
        let _ = self.save().await;
    }

    fn note(&mut self, done: Result<(Id, Result<(), SendError>), JoinError>) {
        let (id, result) = match done {
            Ok(done) => done,
            Err(error) if error.is_cancelled() => {
                (error.id(), Err(SendError::transient("cancelled before it was taken")))
            }
            Err(error) => (error.id(), Err(SendError::transient("the channel panicked"))),
        };
        if let Some(channel) = self.refreshing.remove(&id) {
            self.note_refresh(&channel, result);
            return;
        }
        let Some(key) = self.in_flight.remove(&id) else { return };
        match result {
            Ok(()) => {
                tracing::info!(channel = %key.channel, id = %key.id, "message delivered");
                self.state.outbox.delivered(&key);
            }
            Err(error) => self.note_failure(&key, &error),
        }
    }

    fn note_failure(&mut self, key: &MessageKey, error: &SendError) {
        let now = self.clock.now();
        let given_up = self.state.outbox.failed(key, now, error.permanent, &error.text);
        if let Some(wait) = error.retry_after {
            self.state.outbox.put_off(key, now, wait);
        }
        if given_up {
            tracing::error!(channel = %key.channel, id = %key.id, %error, "message not delivered for too long; given up");
        } else {
            tracing::warn!(channel = %key.channel, id = %key.id, %error, "message not delivered; it is tried again");
        }
    }

    /// Cancels what is being sent; it counts as not delivered. What arrived in the meantime counts as delivered.
    async fn cancel_sends(&mut self) {
        if self.sends.is_empty() {
            return;
        }
        self.sends.abort_all();
        while let Some(done) = self.sends.join_next_with_id().await {
            self.note(done);
        }
        let _ = self.save().await;
    }

    /// Saves the state without holding up the runtime's threads, on which logins are timed.
    async fn save(&mut self) -> Result<(), StoreError> {
        self.state.stories.forget_ended(&self.state.outbox);
        let (store, state) = (Arc::clone(&self.store), self.state.clone());
        let saved = tokio::task::spawn_blocking(move || store.save(&state))
            .await
            .unwrap_or_else(|error| Err(StoreError::new("save the alert state", error)));
        self.save_again = saved.is_err().then(|| Instant::now() + SAVE_AGAIN);
        if let Err(error) = &saved {
            tracing::error!(%error, cause = ?std::error::Error::source(error), "a restart would forget alerts");
        }
        saved
    }
}

/// Within the deadline that every message has.
pub(super) async fn in_time(send: BoxFuture<'_, Result<(), SendError>>) -> Result<(), SendError> {
    let too_late = || SendError::transient(format!("not taken in time, {} s", SEND_DEADLINE.as_secs()));
    timeout(SEND_DEADLINE, send).await.unwrap_or_else(|_| Err(too_late()))
}

#[path = "worker_refresh.rs"]
mod refresh;
