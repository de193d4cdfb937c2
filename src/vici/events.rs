//! What happens to the daemon's SAs, as it tells.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::client::within;
use super::connection::{Broken, Connection};
use super::message::Section;
use super::patience::Backoff;
use super::reading::read_event;
use super::{Endpoint, ViciError};
use crate::net::{BoxFuture, NetContext};

/// First and longest wait between two tries to connect.
const TRIES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long connecting and asking for the events may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// After so long without a word the daemon is asked for its version: silence is the usual state of an event connection,
/// and a TCP peer that vanished is silent too.
const QUIET: Duration = Duration::from_mins(1);

/// How long it may take to answer that.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// What is asked for.
const NAMES: [&str; 3] = ["child-updown", "ike-updown", "child-rekey"];

/// Which way an SA went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It was installed, or established.
    Up,
    /// It is gone.
    Down,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// From now on nothing is missed. What happened before is not told: look at the whole view now. Comes first of all,
    /// and again after each [`Event::Lost`].
    Connected,
    /// The daemon ended, is not there, or does not answer; connecting is tried for ever. Comes once until it succeeds.
    Lost(ViciError),
    /// A CHILD_SA went up or down. A rekeyed one does neither.
    Child {
        /// The connection's name.
        ike: String,
        /// The IKE_SA's number.
        ike_id: u32,
        /// The CHILD_SA configuration's name.
        child: String,
        /// The CHILD_SA's number.
        child_id: u32,
        /// Which way.
        direction: Direction,
    },
    /// An IKE_SA went up or down; its children are told of one by one.
    Ike {
        /// The connection's name.
        ike: String,
        /// The IKE_SA's number.
        ike_id: u32,
        /// Which way.
        direction: Direction,
    },
    /// A CHILD_SA has a successor.
    Rekeyed {
        /// The connection's name.
        ike: String,
        /// The IKE_SA's number.
        ike_id: u32,
        /// The CHILD_SA configuration's name.
        child: String,
        /// Its number before.
        old_id: u32,
        /// Its number now.
        new_id: u32,
    },
}

/// The events of one daemon, for ever: over restarts of it, and however long it is away.
///
/// Poll it always, in a task that does nothing slow: what is not read waits in the daemon's memory.
pub struct Events {
    endpoint: Endpoint,
    net: Arc<dyn NetContext>,
    state: State,
    backoff: Backoff,
    /// Whether the consumer knows that nothing is told.
    told_lost: bool,
}

enum State {
    Waiting(Instant),
    // Kept from one call to the next: a consumer that is called away often must not keep us from ever connecting.
    Connecting(BoxFuture<'static, Result<Connection, ViciError>>),
    Open(Open),
}

struct Open {
    connection: Connection,
    since: Instant,
    /// When the daemon is asked whether it lives.
    ask_at: Instant,
    /// When it must have answered, once it was asked.
    answer_by: Option<Instant>,
}

impl Events {
    pub(super) fn new(endpoint: Endpoint, net: Arc<dyn NetContext>) -> Self {
        let backoff = Backoff::new(TRIES.0, TRIES.1);
        Self { endpoint, net, state: State::Waiting(Instant::now()), backoff, told_lost: false }
    }

    /// Waits for the next event. Safe to give up and call again: nothing is lost.
    pub async fn next(&mut self) -> Event {
        loop {
            match &mut self.state {
                State::Waiting(until) => {
                    sleep_until(*until).await;
                    let connecting = connect(self.endpoint.clone(), Arc::clone(&self.net));
                    self.state = State::Connecting(Box::pin(connecting));
                }
                State::Connecting(connecting) => match connecting.as_mut().await {
                    Ok(connection) => {
                        self.state = State::Open(Open::new(connection));
                        self.told_lost = false;
                        return Event::Connected;
                    }
                    Err(error) => {
                        self.state = State::Waiting(Instant::now() + self.backoff.next());
                        if !std::mem::replace(&mut self.told_lost, true) {
                            return Event::Lost(error);
                        }
                    }
                },
                State::Open(open) => match open.next().await {
                    Ok(event) => return event,
                    Err(broken) => {
                        // One that holds for a moment only is no reason to try faster.
                        if open.since.elapsed() >= TRIES.1 {
                            self.backoff.reset();
                        }
                        self.state = State::Waiting(Instant::now() + self.backoff.next());
                        self.told_lost = true;
                        return Event::Lost(broken.of("events", &self.endpoint));
                    }
                },
            }
        }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting(_) => "waiting",
            State::Connecting(_) => "connecting",
            State::Open(_) => "open",
        };
        f.debug_struct("Events").field("endpoint", &self.endpoint).field("state", &state).finish_non_exhaustive()
    }
}

impl Open {
    fn new(connection: Connection) -> Self {
        let now = Instant::now();
        Self { connection, since: now, ask_at: now + QUIET, answer_by: None }
    }

    async fn next(&mut self) -> Result<Event, Broken> {
        loop {
            let limit = self.answer_by.unwrap_or(self.ask_at);
            let Ok(received) = timeout_at(limit, self.connection.next()).await else {
                if self.answer_by.is_some() {
                    return Err(Broken::Silent(ANSWER_LIMIT));
                }
                self.answer_by = Some(Instant::now() + ANSWER_LIMIT);
                self.connection.ask("version").await?;
                continue;
            };
            let received = received?;
            self.answer_by = None;
            self.ask_at = Instant::now() + QUIET;
            let Some((name, message)) = received else { continue };
            if let Some(event) = read_event(&name, Section::parse(&message)?) {
                return Ok(event);
            }
        }
    }
}

async fn connect(endpoint: Endpoint, net: Arc<dyn NetContext>) -> Result<Connection, ViciError> {
    let deadline = Instant::now() + CONNECT_LIMIT;
    let opened = within(deadline, "connect", Connection::open(&endpoint, &*net, deadline)).await?;
    let mut connection = opened.map_err(|source| ViciError::Unreachable { endpoint: endpoint.to_string(), source })?;
    for name in NAMES {
        // What happens before all are asked for is in the view that is looked at next.
        let registered = within(deadline, name, connection.register(name)).await?;
        connection = registered.map_err(|broken| broken.of(name, &endpoint))?;
    }
    Ok(connection)
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
