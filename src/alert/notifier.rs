//! The handle to the task that tells people: what the runner and the daemon talk to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::worker::{Command, NotifierTask};
use super::{AlertEvent, AlertState, AlertStore, Channel, Observation, Retried, RouteGate, StoreError};
use crate::clock::Clock;
use crate::config::AlertRules;
use crate::zone::Zone;

/// Longest last try before the end: with a dead mail server the prober still ends soon.
pub const SHUTDOWN_WINDOW: Duration = Duration::from_secs(5);
/// Observations that may wait for the task. One worker runs one cycle at a time, so more than a few never do.
const QUEUE: usize = 64;

/// Tells people. Clones talk to the same task.
#[derive(Debug, Clone)]
pub struct Notifier {
    commands: mpsc::Sender<Command>,
}

/// What the calendar asked for, and which of its periods need no more telling.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The name of what is told again and again: `monthly`.
    pub name: String,
    /// The first day of each period that is settled, from now on; none: nothing is remembered any more.
    pub periods: BTreeSet<NaiveDate>,
    /// A message, and the channel that it goes to.
    pub message: Option<(String, AlertEvent)>,
}

/// Why an observation is not safe.
#[derive(Debug, thiserror::Error)]
pub enum NotifierError {
    /// It counts and people are told, but a restart would forget it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task has ended.
    #[error("the alert task has ended")]
    Gone,
}

impl Notifier {
    /// Loads the state and makes the task, which the caller spawns and watches ([`NotifierTask::run`]). Everything that
    /// was pending is due at once. Reads a file: call it before the first cycle.
    ///
    /// # Errors
    /// When there is a state that can't be read; a damaged one is no error.
    pub fn new(
        store: Arc<dyn AlertStore>,
        channels: Vec<Arc<dyn Channel>>,
        gate: &RouteGate,
        clock: Arc<dyn Clock>,
        timezone: Zone,
    ) -> Result<(Self, NotifierTask), StoreError> {
        let mut state = store.load()?;
        state.outbox.make_everything_due(clock.now());
        let (commands, queue) = mpsc::channel(QUEUE);
        Ok((Self { commands }, NotifierTask::new(state, store, channels, gate.listen(), clock, timezone, queue)))
    }

    /// Takes a cycle in. When this returns, its consequences are saved and on their way; nothing was waited for but
    /// the disk.
    pub async fn observe(&self, observation: Observation, rules: AlertRules) -> Result<(), NotifierError> {
        self.ask(|reply| Command::Observe { observation: Box::new(observation), rules, reply }).await??;
        Ok(())
    }

    /// Puts a message that the calendar asks for into the outbox and notes its period, by one write: after a crash both
    /// are so, or neither.
    pub async fn settle(&self, settled: Settled) -> Result<(), NotifierError> {
        self.ask(|reply| Command::Settle { settled: Box::new(settled), reply }).await??;
        Ok(())
    }

    /// Sends messages again, by their ids; none: every dead letter, and what waits for its back-off.
    pub async fn retry(&self, ids: Option<Vec<String>>) -> Result<Retried, NotifierError> {
        Ok(self.ask(|reply| Command::Retry { ids, reply }).await??)
    }

    /// What is remembered now.
    pub async fn state(&self) -> Result<AlertState, NotifierError> {
        self.ask(Command::State).await
    }

    /// One last try for everything pending, until `deadline` and [`SHUTDOWN_WINDOW`] at most (none while the gate is
    /// held), then the task ends. Returns how many messages are left for the next start.
    pub async fn shutdown(&self, deadline: Instant) -> Result<usize, NotifierError> {
        let deadline = deadline.min(Instant::now() + SHUTDOWN_WINDOW);
        self.ask(|reply| Command::Shutdown { deadline, reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, NotifierError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| NotifierError::Gone)?;
        answer.await.map_err(|_| NotifierError::Gone)
    }
}

#[cfg(test)]
#[path = "notifier_tests.rs"]
mod tests;
