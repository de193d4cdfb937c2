//! What may be asked of an IKE daemon.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::View;
use crate::net::BoxFuture;

/// An IKE daemon that can be asked. Every request has its deadline and never outlasts it.
pub trait IkeControl: fmt::Debug + Send + Sync {
    /// What is configured and what is installed. Tried again on a new connection when the daemon restarts meanwhile.
    fn view(&self, deadline: Instant) -> BoxFuture<'_, Result<View, ViciError>>;

    /// Brings a CHILD_SA up, its IKE_SA first where there is none. The daemon itself gives up after `timeout`.
    ///
    /// What it says is a hint, the next view decides: strongSwan takes the first word of any CHILD_SA of the same IKE_SA
    /// for the answer, be it another's success or the end of a rekeyed one. It refuses a CHILD_SA that is up already. And
    /// where it gave up, it still goes on by itself as long as the IKE_SA is CONNECTING.
    fn initiate<'a>(&'a self, child: &'a ChildRef, timeout: Duration) -> BoxFuture<'a, Result<(), ViciError>>;

    /// Takes one SA down, known by its number, and returns as soon as the daemon says that it is down. After `timeout`
    /// the daemon itself gives up on a peer that does not answer: a CHILD_SA then stays and its end stays in the queue
    /// (an error); an IKE_SA is destroyed at once, its peer told and not waited for (VICI's `force`: [`Ended::Down`]).
    /// Here too the next view decides. A rekeyed SA has a new number, an IKE_SA too.
    fn terminate(&self, id: SaId, timeout: Duration) -> BoxFuture<'_, Result<Ended, ViciError>>;
}

/// A configured CHILD_SA.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildRef {
    /// The connection, where two have a child of this name.
    pub ike: Option<String>,
    /// The CHILD_SA configuration.
    pub child: String,
}

/// An installed SA, by the daemon's number for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SaId {
    /// A CHILD_SA.
    Child(u32),
    /// An IKE_SA, with all its children.
    Ike(u32),
}

/// What `terminate` came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It is down.
    Down,
    /// There was nothing of that number any more.
    NothingThere,
}

/// Why a request brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum ViciError {
    /// Nobody listens there.
    #[error("no strongSwan answers at `{endpoint}`")]
    Unreachable {
        /// The socket.
        endpoint: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The connection broke while the request was under way: the daemon ended or was restarted.
    #[error("strongSwan closed the connection during `{command}`")]
    ConnectionLost {
        /// The request.
        command: String,
    },
    /// The deadline passed.
    #[error("strongSwan did not answer `{command}` within {} s", after.as_secs_f32())]
    TimedOut {
        /// The request.
        command: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The daemon refused, in its own words.
    #[error("`{command}`: {message}")]
    Refused {
        /// The request.
        command: String,
        /// The daemon's `errmsg`, as one line without control characters.
        message: String,
    },
    /// What came is not VICI.
    #[error("what answers at `{endpoint}` does not speak VICI: {what}")]
    Malformed {
        /// The socket.
        endpoint: String,
        /// What is wrong with it.
        what: String,
    },
}
