//! The host's network, noting when each call began and ended: where a cycle's time goes, seen from inside its own code.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::Instant;
use vpnprobe::net::{
    BoxFuture, BoxStream, ConnectError, HostNet, LockHeld, NetChanges, NetContext, NetLock, NetSnapshot, PingError,
    PingReport, PingRequest, PreExec, ResolveError, Route, RouteHop, Rule,
};

/// A call, or one look at `/proc` (whose calls follow each other).
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) began: Instant,
    pub(super) ended: Instant,
    /// The last process asked about.
    pid: i32,
}

/// The host's network, watched.
#[derive(Debug)]
pub(super) struct Watched {
    net: HostNet,
    calls: Mutex<Vec<Call>>,
}

impl Watched {
    pub(super) fn new(net: HostNet) -> Self {
        Self { net, calls: Mutex::default() }
    }

    /// Takes what was noted.
    pub(super) fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.locked())
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted<T>(&self, name: &'static str, call: impl FnOnce(&HostNet) -> T) -> T {
        let began = Instant::now();
        let result = call(&self.net);
        self.locked().push(Call { name, began, ended: Instant::now(), pid: 0 });
        result
    }
}

impl NetContext for Watched {
    fn name(&self) -> &str {
        self.net.name()
    }

    fn pre_exec(&self) -> Option<PreExec> {
        self.net.pre_exec()
    }

    fn resolv_conf(&self) -> &Path {
        self.net.resolv_conf()
    }

    fn snapshot(&self) -> io::Result<NetSnapshot> {
        self.noted("snapshot", HostNet::snapshot)
    }

    fn watch(&self) -> io::Result<Box<dyn NetChanges>> {
        self.noted("watch", HostNet::watch)
    }

    fn route_to(&self, target: IpAddr) -> io::Result<Option<RouteHop>> {
        self.noted("route_to", |net| net.route_to(target))
    }

    fn remove_interface(&self, index: u32) -> io::Result<()> {
        self.noted("remove_interface", |net| net.remove_interface(index))
    }

    fn remove_route(&self, route: &Route) -> io::Result<()> {
        self.noted("remove_route", |net| net.remove_route(route))
    }

    fn add_route(&self, route: &Route) -> io::Result<()> {
        self.noted("add_route", |net| net.add_route(route))
    }

    fn remove_rule(&self, rule: &Rule) -> io::Result<()> {
        self.noted("remove_rule", |net| net.remove_rule(rule))
    }

    fn add_rule(&self, rule: &Rule) -> io::Result<()> {
        self.noted("add_rule", |net| net.add_rule(rule))
    }

    fn holders(&self, interface: &str) -> Vec<i32> {
        self.noted("holders", |net| net.holders(interface))
    }

    /// A look at `/proc` asks this for every process, in the order of their ids: a lower id begins another look.
    fn contains_process(&self, pid: i32) -> Option<bool> {
        let began = Instant::now();
        let here = self.net.contains_process(pid);
        let ended = Instant::now();
        let mut calls = self.locked();
        match calls.last_mut() {
            Some(look) if look.name == "proc" && look.pid < pid => (look.pid, look.ended) = (pid, ended),
            _ => calls.push(Call { name: "proc", began, ended, pid }),
        }
        here
    }

    fn ping(&self, request: PingRequest) -> BoxFuture<'_, Result<PingReport, PingError>> {
        self.net.ping(request)
    }

    fn resolve<'a>(&'a self, host: &'a str, timeout: Duration) -> BoxFuture<'a, Result<IpAddr, ResolveError>> {
        self.net.resolve(host, timeout)
    }

    fn resolve_all<'a>(&'a self, host: &'a str, timeout: Duration) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        self.net.resolve_all(host, timeout)
    }

    fn connect(&self, to: SocketAddr, deadline: Instant) -> BoxFuture<'_, Result<BoxStream, ConnectError>> {
        self.net.connect(to, deadline)
    }

    fn datagrams(&self, to: SocketAddr) -> io::Result<UdpSocket> {
        self.net.datagrams(to)
    }

    fn try_lock(&self) -> Result<NetLock, LockHeld> {
        self.noted("lock", HostNet::try_lock)
    }

    fn unlocked(&self) -> BoxFuture<'_, ()> {
        self.net.unlocked()
    }
}
