//! The simulated network context.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep, timeout_at};

use super::{World, gateway};
use crate::fd::watch_fd;
use crate::net::{
    BoxFuture, BoxStream, ConnectError, LockHeld, NetChanges, NetContext, NetLock, NetSnapshot, PingError, PingReport,
    PingRequest, PreExec, ResolveError, Route, RouteHop, Rule,
};
use crate::record::PingStats;

/// An address behind the gateway that never answers.
pub(super) const SILENT: [u8; 4] = [10, 1, 0, 66];

/// The gateway's name and address.
const GATEWAY: (&str, [u8; 4]) = ("vpn.example.com", [203, 0, 113, 10]);

/// The network of the simulated host.
#[derive(Debug)]
pub struct DemoNet {
    world: World,
    resolv_conf: PathBuf,
}

impl DemoNet {
    /// The network of this host.
    pub fn of(world: World) -> Self {
        let resolv_conf = world.resolv_conf();
        Self { world, resolv_conf }
    }

    /// Outside everything answers; inside only through the tunnel, and one address never.
    fn round_trip(&self, target: IpAddr) -> Option<Duration> {
        let IpAddr::V4(v4) = target else { return None };
        match v4.octets() {
            SILENT => None,
            [10, ..] => self.world.is_connected().then_some(Duration::from_micros(18_400)),
            _ => Some(Duration::from_micros(11_200)),
        }
    }
}

impl NetContext for DemoNet {
    fn name(&self) -> &'static str {
        "demo"
    }

    fn pre_exec(&self) -> Option<PreExec> {
        None
    }

    fn resolv_conf(&self) -> &Path {
        &self.resolv_conf
    }

    fn snapshot(&self) -> io::Result<NetSnapshot> {
        Ok(self.world.snapshot())
    }

    fn watch(&self) -> io::Result<Box<dyn NetChanges>> {
        Ok(Box::new(Changes::of(&self.world.interfaces())?))
    }

    fn route_to(&self, target: IpAddr) -> io::Result<Option<RouteHop>> {
        let inside = matches!(target, IpAddr::V4(v4) if v4.octets()[0] == 10);
        let wanted = if inside && self.world.is_connected() { "tun0" } else { "eth0" };
        let snapshot = self.world.snapshot();
        let interface = snapshot.interfaces.iter().find(|i| i.name == wanted);
        Ok(interface.map(|i| RouteHop { interface: i.index, source: i.addresses.first().map(|(a, _)| *a) }))
    }

    fn remove_interface(&self, _: u32) -> io::Result<()> {
        self.world.disconnect()
    }

    fn remove_route(&self, _: &Route) -> io::Result<()> {
        Ok(())
    }

    fn add_route(&self, _: &Route) -> io::Result<()> {
        Ok(())
    }

    fn remove_rule(&self, _: &Rule) -> io::Result<()> {
        Ok(())
    }

    fn add_rule(&self, _: &Rule) -> io::Result<()> {
        Ok(())
    }

    fn holders(&self, _: &str) -> Vec<i32> {
        Vec::new()
    }

    fn contains_process(&self, _: i32) -> Option<bool> {
        // No stranger of the real host has anything to do with the simulated one.
        Some(false)
    }

    fn ping(&self, request: PingRequest) -> BoxFuture<'_, Result<PingReport, PingError>> {
        Box::pin(async move {
            let mut replies = Vec::new();
            for number in 0..request.count {
                match self.round_trip(request.target) {
                    Some(rtt) => {
                        // A little spread, the same every time.
                        let rtt = rtt + Duration::from_micros(u64::from(number * 370 % 900));
                        sleep(rtt).await;
                        replies.push(rtt);
                    }
                    None => sleep(request.interval).await,
                }
            }
            if replies.is_empty() {
                sleep(request.timeout).await;
            }
            Ok(PingReport { stats: PingStats::from_rtts(request.count, &replies), unreachable: None })
        })
    }

    fn resolve<'a>(&'a self, host: &'a str, _: Duration) -> BoxFuture<'a, Result<IpAddr, ResolveError>> {
        Box::pin(async move { host.parse().map_err(|_| ResolveError::NotFound(host.to_owned())) })
    }

    fn resolve_all<'a>(&'a self, host: &'a str, _: Duration) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        let found = if host == GATEWAY.0 { Some(GATEWAY.1.into()) } else { host.parse().ok() };
        Box::pin(async move { found.map(|a| vec![a]).ok_or_else(|| ResolveError::NotFound(host.to_owned())) })
    }

    fn connect(&self, to: SocketAddr, deadline: Instant) -> BoxFuture<'_, Result<BoxStream, ConnectError>> {
        Box::pin(async move {
            if to.ip() != IpAddr::from(GATEWAY.1) {
                return Err(ConnectError::Unreachable("no route to host".to_owned()));
            }
            match timeout_at(deadline, gateway::connect()).await {
                Ok(Ok(stream)) => Ok(Box::new(stream) as BoxStream),
                Ok(Err(e)) => Err(ConnectError::Io(e.to_string())),
                Err(_) => Err(ConnectError::TimedOut),
            }
        })
    }

    fn datagrams(&self, _: SocketAddr) -> io::Result<UdpSocket> {
        // Nobody here is asked by UDP.
        Err(io::ErrorKind::NetworkUnreachable.into())
    }

    fn try_lock(&self) -> Result<NetLock, LockHeld> {
        Ok(Box::new(()))
    }

    fn unlocked(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Interfaces are files: inotify tells when they come and go.
struct Changes {
    inotify: Inotify,
    ready: AsyncFd<std::os::fd::OwnedFd>,
}

impl Changes {
    fn of(dir: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        inotify.add_watch(dir, AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_DELETE)?;
        let fd = std::os::fd::AsFd::as_fd(&inotify).try_clone_to_owned()?;
        Ok(Self { inotify, ready: watch_fd(fd, Interest::READABLE)? })
    }
}

impl NetChanges for Changes {
    fn changed(&mut self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async {
            let mut ready = self.ready.readable().await?;
            let _ = self.inotify.read_events();
            ready.clear_ready();
            Ok(())
        })
    }
}
