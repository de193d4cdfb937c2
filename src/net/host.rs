//! The network of the host, or rather of the network namespace in which the prober itself runs.
//!
//! It only puts the pieces together. Each piece is a plain function on the calling thread's namespace, or takes a
//! socket that such a function made, so that a context of another namespace can use them all.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::process::Command;
use tokio::time::Instant;

use super::icmp::{EchoSocket, OpenError, ping_by_program, ping_by_socket};
use super::lock::{CLIENT_LOCK, Holder, Lock};
use super::watch::Watch;
use super::{BoxFuture, BoxStream, ConnectError, LockHeld, NetChanges, NetContext, NetLock, NetSnapshot, PingError};
use super::{
    PingReport, PingRequest, PreExec, ResolveError, Route, RouteHop, Rule, netlink, processes, resolve, stream,
};

/// The network namespace in which the prober runs.
#[derive(Debug)]
pub struct HostNet {
    resolv_conf: PathBuf,
    /// The namespace as the kernel names it.
    network: PathBuf,
}

impl HostNet {
    /// The network of the calling thread. Fails when `/proc` does not tell which that is.
    pub fn new(resolv_conf: PathBuf) -> io::Result<Self> {
        Ok(Self { resolv_conf, network: processes::own_network()? })
    }
}

impl NetContext for HostNet {
    fn name(&self) -> &'static str {
        "host"
    }

    fn pre_exec(&self) -> Option<PreExec> {
        None
    }

    fn resolv_conf(&self) -> &Path {
        &self.resolv_conf
    }

    fn snapshot(&self) -> io::Result<NetSnapshot> {
        netlink::snapshot()
    }

    fn watch(&self) -> io::Result<Box<dyn NetChanges>> {
        Ok(Box::new(Watch::open()?))
    }

    fn route_to(&self, target: IpAddr) -> io::Result<Option<RouteHop>> {
        netlink::route_to(target)
    }

    fn remove_interface(&self, index: u32) -> io::Result<()> {
        netlink::remove_interface(index)
    }

    fn remove_route(&self, route: &Route) -> io::Result<()> {
        netlink::remove_route(route)
    }

    fn add_route(&self, route: &Route) -> io::Result<()> {
        netlink::add_route(route)
    }

    fn remove_rule(&self, rule: &Rule) -> io::Result<()> {
        netlink::remove_rule(rule)
    }

    fn add_rule(&self, rule: &Rule) -> io::Result<()> {
        netlink::add_rule(rule)
    }

    fn holders(&self, interface: &str) -> Vec<i32> {
        processes::holders(interface, &self.network)
    }

    fn contains_process(&self, pid: i32) -> Option<bool> {
        processes::is_in_network(pid, &self.network)
    }

    fn ping(&self, request: PingRequest) -> BoxFuture<'_, Result<PingReport, PingError>> {
        Box::pin(async move {
            match EchoSocket::open(request.target) {
                Ok(socket) => ping_by_socket(socket, request).await,
                Err(OpenError::NotPermitted(why)) => ping_by_program(Command::new("ping"), request, &why).await,
                Err(OpenError::Io(why)) => Err(PingError::Io(why)),
            }
        })
    }

    fn resolve<'a>(&'a self, host: &'a str, timeout: Duration) -> BoxFuture<'a, Result<IpAddr, ResolveError>> {
        Box::pin(resolve::resolve(host, timeout))
    }

    fn resolve_all<'a>(&'a self, host: &'a str, timeout: Duration) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        Box::pin(resolve::resolve_all(host, timeout))
    }

    fn connect(&self, to: SocketAddr, deadline: Instant) -> BoxFuture<'_, Result<BoxStream, ConnectError>> {
        let socket = stream::tcp_socket(to);
        Box::pin(async move { stream::connect(socket?, to, deadline).await })
    }

    fn datagrams(&self, to: SocketAddr) -> io::Result<UdpSocket> {
        stream::udp_socket(to)
    }

    fn try_lock(&self) -> Result<NetLock, LockHeld> {
        Ok(Box::new(Lock::try_take(CLIENT_LOCK)?))
    }

    fn unlocked(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            while let Some(holder) = Holder::of(CLIENT_LOCK) {
                holder.let_go().await;
            }
        })
    }
}
