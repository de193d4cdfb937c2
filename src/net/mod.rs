//! The network context: the value that owns everything that depends on *which* network a cycle runs in.
//!
//! How a client is spawned, sockets, name resolution, resolv.conf's path, snapshots of interfaces and routes, which
//! processes count, the lock: a stage asks its [`NetContext`] and never the host directly. Today there is the host's
//! context ([`HostNet`]) and the simulated one of `vpnprobe demo`; a namespace per site is one more implementation.

mod context;
mod host;
mod icmp;
mod lock;
mod netlink;
mod processes;
mod resolve;
mod stream;
mod types;
mod watch;

pub use context::{BoxFuture, BoxStream, LockHeld, NetChanges, NetContext, NetLock, PreExec, Stream};
pub use host::HostNet;
pub use types::{
    ConnectError, Fragments, Interface, MAIN_TABLE, NetSnapshot, PingError, PingReport, PingRequest, ResolveError,
    Route, RouteHop, RouteProtocol, Rule, matches_glob,
};
