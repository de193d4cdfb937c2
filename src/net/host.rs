//! The network of the host, or rather of the network namespace in which the prober itself runs.
//!
//! It only puts the pieces together. Each piece is a plain function on the calling thread's namespace, or takes a
//! socket that such a function made, so that a context of another namespace can use them all.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{StreamExt, iter};
use tokio::net::UdpSocket;
use tokio::process::Command;
use tokio::time::Instant;

use super::icmp::{EchoSocket, OpenError, Version, ping_by_program, ping_by_socket};
use super::lock::{CLIENT_LOCK, Holder, Lock};
use super::watch::Watch;
use super::{
    BoxFuture, BoxStream, ConnectError, Fragments, LockHeld, NetChanges, NetContext, NetLock, NetSnapshot, PingError,
};
use super::{
    PingReport, PingRequest, PreExec, ResolveError, Route, RouteHop, Rule, netlink, processes, resolve, stream,
};

/// `ping` programs that run at once, where there is no socket.
const MOST_PROGRAMS: usize = 16;

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
            let report = ping_alike(vec![request]).await.pop();
            report.unwrap_or_else(|| Err(PingError::Io("no report came".to_owned())))
        })
    }

    fn ping_all(&self, requests: Vec<PingRequest>) -> BoxFuture<'_, Vec<Result<PingReport, PingError>>> {
        Box::pin(async move {
            let mut sockets: BTreeMap<_, (Vec<_>, Vec<_>)> = BTreeMap::new();
            for (place, request) in requests.into_iter().enumerate() {
                let kind = (request.target.is_ipv4(), request.fragments == Fragments::Forbidden);
                let (places, own) = sockets.entry(kind).or_default();
                places.push(place);
                own.push(request);
            }
            let mut reports = BTreeMap::new();
            let sweeps = sockets.into_values().map(|(places, own)| async move { (places, ping_alike(own).await) });
            for (places, found) in join_all(sweeps).await {
                reports.extend(places.into_iter().zip(found));
            }
            reports.into_values().collect()
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

/// Pings targets that can share a socket, by the first way that is allowed.
async fn ping_alike(requests: Vec<PingRequest>) -> Vec<Result<PingReport, PingError>> {
    let Some(version) = requests.first().map(|request| Version::of(request.target)) else { return Vec::new() };
    match EchoSocket::open(version) {
        Ok(socket) => ping_by_socket(socket, &requests).await,
        Err(OpenError::NotPermitted(why)) => {
            let programs = requests.into_iter().map(|request| ping_by_program(Command::new("ping"), request, &why));
            iter(programs).buffered(MOST_PROGRAMS).collect().await
        }
        Err(OpenError::Io(why)) => requests.iter().map(|_| Err(PingError::Io(why.clone()))).collect(),
    }
}
