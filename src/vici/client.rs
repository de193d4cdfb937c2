//! strongSwan, asked over VICI.
//!
//! Every request has a connection of its own: connecting takes a tenth of a millisecond, an `initiate` keeps its
//! connection busy for seconds, and nothing of a request that failed is left for the next one. What looks is tried again
//! when the daemon is restarted meanwhile; what changes something never is: whether it was done is for the caller to see.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_util::bytes::Bytes;
use tracing::info;

use super::connection::{Broken, Connection};
use super::message::{Fault, MessageWriter, Section};
use super::patience::Patience;
use super::reading::{read_connections, read_sas};
use super::{ChildRef, Ended, Endpoint, Events, IkeControl, SaId, ViciError, View};
use crate::net::{BoxFuture, NetContext};
use crate::record::one_line;

/// The daemon gives up by itself after the time it is told; this much later nobody waits for its word any more.
const MARGIN: Duration = Duration::from_secs(2);

/// Most that is kept of a view, in bytes: a hundred thousand tunnels.
const LARGEST_VIEW: usize = 64 * 1024 * 1024;

/// Most changes at once. The daemon spends one of its 16 threads on each for as long as it takes. With eight that wait
/// for a dead peer it answers nobody any more, neither us nor a peer; with six it does (seen with 5.9.8).
const MOST_CHANGES: usize = 4;

/// What `terminate` says where nothing has that number (`vici_control.c`).
const NOTHING_THERE: &str = "no matching SAs to terminate found";

/// The daemon behind one VICI socket. Have one of them for each daemon, and clones of it: of what changes something, only
/// so many are under way at once. The others wait for their turn, and their time begins with it.
#[derive(Debug, Clone)]
pub struct Strongswan {
    endpoint: Endpoint,
    net: Arc<dyn NetContext>,
    changes: Arc<Semaphore>,
}

impl Strongswan {
    /// The daemon that listens there. A Unix socket is the same from every network; a TCP port is one of `net`.
    pub fn new(endpoint: Endpoint, net: Arc<dyn NetContext>) -> Self {
        Self { endpoint, net, changes: Arc::new(Semaphore::new(MOST_CHANGES)) }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What happens to its SAs, on a connection of its own.
    pub fn events(&self) -> Events {
        Events::new(self.endpoint.clone(), Arc::clone(&self.net))
    }

    async fn open(&self, deadline: Instant) -> Result<Connection, ViciError> {
        let endpoint = self.endpoint.to_string();
        let opened = within(deadline, "connect", Connection::open(&self.endpoint, &*self.net, deadline)).await?;
        opened.map_err(|source| ViciError::Unreachable { endpoint, source })
    }

    async fn view_once(&self, deadline: Instant) -> Result<View, ViciError> {
        let connection = self.open(deadline).await?;
        let (mut view, mut room) = (View::default(), LARGEST_VIEW);
        let listed = connection.list("list-conns", "list-conn", |item| {
            read_connections(item).try_for_each(|child| {
                take_room(&mut room, child.weight())?;
                view.configured.push(child);
                Ok(())
            })
        });
        let connection = self.answered(deadline, "list-conns", listed).await?;
        // Waits for SAs that the daemon is working on, rather than leave them out (`noblock`).
        let listed = connection.list("list-sas", "list-sa", |item| {
            read_sas(item).try_for_each(|sa| {
                take_room(&mut room, sa.weight())?;
                view.installed.push(sa);
                Ok(())
            })
        });
        self.answered(deadline, "list-sas", listed).await?;
        Ok(view)
    }

    async fn view(&self, deadline: Instant) -> Result<View, ViciError> {
        let mut patience = Patience::new(deadline);
        loop {
            match self.view_once(deadline).await {
                // The socket is there before the configuration is.
                Ok(view)
                    if view.configured.is_empty()
                        && patience.saw_restart()
                        && patience.wait_for_configuration().await => {}
                Ok(view) => {
                    if patience.saw_restart() {
                        info!(endpoint = %self.endpoint, "strongSwan was restarted meanwhile: asked it again");
                    }
                    return Ok(view);
                }
                Err(error) => patience.wait_after(error).await?,
            }
        }
    }

    /// Connects, with patience for a daemon that is being restarted, then sends this once.
    async fn command(&self, command: &str, message: MessageWriter, timeout: Duration) -> Result<Bytes, ViciError> {
        // Never closed, so never refused.
        let _turn = self.changes.acquire().await;
        let deadline = Instant::now() + timeout + MARGIN;
        let mut patience = Patience::new(deadline);
        let connection = loop {
            match self.open(deadline).await {
                Ok(connection) => break connection,
                Err(error) => patience.wait_after(error).await?,
            }
        };
        let request = connection.request(command, message.bytes());
        self.answered(deadline, command, request).await.map(|(_, answer)| answer)
    }

    async fn answered<T>(
        &self,
        deadline: Instant,
        command: &str,
        request: impl Future<Output = Result<T, Broken>>,
    ) -> Result<T, ViciError> {
        within(deadline, command, request).await?.map_err(|broken| broken.of(command, &self.endpoint))
    }

    async fn initiate(&self, child: &ChildRef, timeout: Duration) -> Result<(), ViciError> {
        let selectors = [("child", Some(&child.child)), ("ike", child.ike.as_ref())];
        let selectors = selectors.into_iter().filter_map(|(key, name)| Some((key, name?.clone())));
        let message = self.message("initiate", selectors, Some(timeout))?;
        let answer = self.command("initiate", message, timeout).await?;
        match refusal(&answer) {
            None => Ok(()),
            Some(message) => Err(ViciError::Refused { command: "initiate".into(), message }),
        }
    }

    async fn terminate(&self, id: SaId, timeout: Duration) -> Result<Ended, ViciError> {
        let message = match id {
            SaId::Child(number) => self.message("terminate", [("child-id", number.to_string())], Some(timeout)),
            // With a time limit strongSwan 5.9 waits for a peer that may be dead, and destroys the IKE_SA only then;
            // without one it does so at once. The peer is told either way.
            SaId::Ike(number) => {
                self.message("terminate", [("ike-id", number.to_string()), ("force", "yes".to_owned())], None)
            }
        }?;
        let answer = self.command("terminate", message, timeout).await?;
        match refusal(&answer) {
            None => Ok(Ended::Down),
            Some(message) if message == NOTHING_THERE => Ok(Ended::NothingThere),
            Some(message) => Err(ViciError::Refused { command: "terminate".into(), message }),
        }
    }

    /// A request that changes something. Its log lines are not asked for: whether it went well is the answer's to say.
    fn message(
        &self,
        command: &str,
        selectors: impl IntoIterator<Item = (&'static str, String)>,
        timeout: Option<Duration>,
    ) -> Result<MessageWriter, ViciError> {
        let mut message = MessageWriter::default();
        let limit = timeout.map(|timeout| ("timeout", milliseconds(timeout).to_string()));
        for (key, value) in selectors.into_iter().chain(limit).chain([("loglevel", "-1".to_owned())]) {
            message
                .value(key.as_bytes(), value.as_bytes())
                .map_err(|fault| Broken::Fault(fault).of(command, &self.endpoint))?;
        }
        Ok(message)
    }
}

impl IkeControl for Strongswan {
    fn view(&self, deadline: Instant) -> BoxFuture<'_, Result<View, ViciError>> {
        Box::pin(self.view(deadline))
    }

    fn initiate<'a>(&'a self, child: &'a ChildRef, timeout: Duration) -> BoxFuture<'a, Result<(), ViciError>> {
        Box::pin(self.initiate(child, timeout))
    }

    fn terminate(&self, id: SaId, timeout: Duration) -> BoxFuture<'_, Result<Ended, ViciError>> {
        Box::pin(self.terminate(id, timeout))
    }
}

/// What the future comes to, if it does until then. It is dropped otherwise, and its connection with it.
pub(super) async fn within<T>(
    deadline: Instant,
    command: &str,
    future: impl Future<Output = T>,
) -> Result<T, ViciError> {
    let began = Instant::now();
    timeout_at(deadline, future).await.map_err(|_| {
        // People read it: a tenth of a second is as much as they want to know.
        let tenths = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
        ViciError::TimedOut { command: command.to_owned(), after: Duration::from_secs_f64(tenths) }
    })
}

fn take_room(room: &mut usize, weight: usize) -> Result<(), Fault> {
    *room = room.checked_sub(weight).ok_or(Fault::TooMany)?;
    Ok(())
}

/// Why the daemon did not do it; none where it did.
fn refusal(answer: &[u8]) -> Option<String> {
    let answer = Section::parse(answer).ok()?;
    if answer.value("success") == Some(b"yes") {
        return None;
    }
    Some(answer.text("errmsg").map_or_else(|| "it gives no reason".to_owned(), |words| one_line(&words)))
}

/// For the daemon 0 is without end, and what is negative without waiting.
fn milliseconds(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX).max(1)
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
