//! The trait of a network context.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UdpSocket;
use tokio::time::Instant;

use super::{ConnectError, NetSnapshot, PingError, PingReport, PingRequest, ResolveError, Route, RouteHop, Rule};

/// A boxed future: a few calls per cycle, so its cost does not matter.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs in a client's process between fork and exec; only async-signal-safe calls are allowed in it.
pub type PreExec = Box<dyn FnMut() -> io::Result<()> + Send + Sync>;

/// A connection, whatever carries it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that a network context made; dropping it closes it.
pub type BoxStream = Box<dyn Stream>;

/// The lock of one network context; dropping it, or dying, releases it.
pub type NetLock = Box<dyn Send + Sync>;

/// Another process holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockHeld {
    /// Held by this process.
    #[error("process {0} is using the VPN client of this network namespace")]
    By(i32),
    /// The lock could not be tried.
    #[error("cannot take the lock of this network namespace: {0}")]
    Io(String),
}

/// Tells that interfaces, addresses or routes changed.
pub trait NetChanges: Send {
    /// Waits for the next change. May wake without one; never misses one that came after the value was made.
    fn changed(&mut self) -> BoxFuture<'_, io::Result<()>>;
}

/// One network, with everything that depends on it.
pub trait NetContext: Send + Sync + std::fmt::Debug {
    /// Its name in logs and in `state_dir`: `host`, or a namespace's.
    fn name(&self) -> &str;

    /// What a client's process must do to get into this network; nothing on the host.
    fn pre_exec(&self) -> Option<PreExec>;

    /// The resolver configuration that clients of this network rewrite.
    fn resolv_conf(&self) -> &Path;

    /// Interfaces, routes and policy rules as they are now.
    fn snapshot(&self) -> io::Result<NetSnapshot>;

    /// Starts watching interfaces, addresses and routes.
    fn watch(&self) -> io::Result<Box<dyn NetChanges>>;

    /// Which way a packet to `target` would go; `None` when there is no route.
    fn route_to(&self, target: IpAddr) -> io::Result<Option<RouteHop>>;

    /// Removes an interface; one that is gone already is no error.
    fn remove_interface(&self, index: u32) -> io::Result<()>;

    /// Removes a route; one that is gone already is no error.
    fn remove_route(&self, route: &Route) -> io::Result<()>;

    /// Puts a route back; one that is there already is no error.
    fn add_route(&self, route: &Route) -> io::Result<()>;

    /// Removes a policy rule; one that is gone already is no error.
    fn remove_rule(&self, rule: &Rule) -> io::Result<()>;

    /// Makes a policy rule again; one that is there already is no error.
    fn add_rule(&self, rule: &Rule) -> io::Result<()>;

    /// Processes that hold this tun or tap interface open, where this user may see it.
    fn holders(&self, interface: &str) -> Vec<i32>;

    /// Whether this process belongs to this network; `None` where this user may not see that. One that is gone does not.
    fn contains_process(&self, pid: i32) -> Option<bool>;

    /// Sends echo requests. The future ends by itself after `count` intervals and one timeout.
    fn ping(&self, request: PingRequest) -> BoxFuture<'_, Result<PingReport, PingError>>;

    /// Sends echo requests to many targets at once; one result a request, in the same order.
    fn ping_all(&self, requests: Vec<PingRequest>) -> BoxFuture<'_, Vec<Result<PingReport, PingError>>> {
        Box::pin(join_all(requests.into_iter().map(|request| self.ping(request))))
    }

    /// Resolves a host name or reads an address.
    fn resolve<'a>(&'a self, host: &'a str, timeout: Duration) -> BoxFuture<'a, Result<IpAddr, ResolveError>>;

    /// Resolves a host name or reads an address: all addresses, in the resolver's order; at least one.
    fn resolve_all<'a>(&'a self, host: &'a str, timeout: Duration) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>>;

    /// Connects by TCP until `deadline`. The socket is made in this network.
    fn connect(&self, to: SocketAddr, deadline: Instant) -> BoxFuture<'_, Result<BoxStream, ConnectError>>;

    /// A UDP socket of this network that sends to `to` and hears nobody else.
    fn datagrams(&self, to: SocketAddr) -> io::Result<UdpSocket>;

    /// Takes the lock that keeps two probers from touching a client of this network at the same time.
    fn try_lock(&self) -> Result<NetLock, LockHeld>;

    /// Waits until whoever holds the lock gives it back. Returns at once when nobody holds it.
    fn unlocked(&self) -> BoxFuture<'_, ()>;
}
