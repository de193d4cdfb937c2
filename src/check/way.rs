//! Proof that the way to an address is the tunnel.

use std::net::IpAddr;

use tokio::time::{Instant, timeout_at};

use crate::net::{Interface, NetContext};
use crate::record::{FailureKind, MalfunctionKind, Reason};

/// Where the way must lead.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// The network.
    pub net: &'a dyn NetContext,
    /// The tunnel; none where the client's profile names no interface: then every way is right.
    pub tunnel: Option<&'a Interface>,
    /// Until then a route may still be on its way: a client's script makes one after the other.
    pub routes_until: Instant,
}

/// The way is not the tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Astray {
    /// `disconnected`: the tunnel does not stand any more; `not-through-tunnel`: it stands, and the way is another;
    /// `prepare-failed`: this host does not tell.
    pub reason: Reason,
    /// What was seen.
    pub words: String,
}

impl Astray {
    /// The prober's own host does not tell: nobody else is to blame.
    const fn untold(words: String) -> Self {
        Self { reason: Reason::Malfunction(MalfunctionKind::PrepareFailed), words }
    }
}

impl Way<'_> {
    /// Waits until the way to `target` is the tunnel; or says which it is instead.
    pub async fn is_the_tunnel(&self, target: IpAddr) -> Result<(), Astray> {
        if self.tunnel.is_none() {
            return Ok(());
        }
        let mut changes = self.net.watch().map_err(|e| Astray::untold(format!("cannot watch routes: {e}")))?;
        loop {
            let Err(astray) = self.now(target) else { return Ok(()) };
            // A tunnel that fell does not come back; a route may.
            if astray.reason == FailureKind::Disconnected.into()
                || !matches!(timeout_at(self.routes_until, changes.changed()).await, Ok(Ok(())))
            {
                return Err(astray);
            }
        }
    }

    /// Whether the tunnel stands, now: silence after it fell is nobody else's.
    pub fn stands(&self) -> Result<(), Astray> {
        let Some(tunnel) = self.tunnel else { return Ok(()) };
        let fallen = |words| Err(Astray { reason: FailureKind::Disconnected.into(), words });
        let name = &tunnel.name;
        let snapshot = match self.net.snapshot() {
            Ok(snapshot) => snapshot,
            Err(e) => return Err(Astray::untold(format!("cannot look at interfaces: {e}"))),
        };
        match snapshot.interface(tunnel.index) {
            None => fallen(format!("the tunnel's interface {name} is gone")),
            Some(now) if !now.up => fallen(format!("the tunnel's interface {name} is down")),
            Some(now) if now.addresses.is_empty() => {
                fallen(format!("the tunnel's interface {name} has lost its address"))
            }
            Some(_) => Ok(()),
        }
    }

    /// Whether the tunnel stands and the way to `target` leads through it, now.
    pub fn now(&self, target: IpAddr) -> Result<(), Astray> {
        let Some(tunnel) = self.tunnel else { return Ok(()) };
        self.stands()?;
        let elsewhere = |words| Err(Astray { reason: FailureKind::NotThroughTunnel.into(), words });
        let name = &tunnel.name;
        match self.net.route_to(target) {
            Ok(Some(hop)) if hop.interface == tunnel.index => Ok(()),
            Ok(Some(hop)) => elsewhere(format!("the way to {target} is {}, not {name}", self.name_of(hop.interface))),
            Ok(None) => elsewhere(format!("there is no way to {target}")),
            Err(e) => Err(Astray::untold(format!("cannot tell the way to {target}: {e}"))),
        }
    }

    /// Which way it is now, without waiting: "by tun0".
    pub fn in_words(&self, target: IpAddr) -> String {
        match self.net.route_to(target) {
            Ok(Some(hop)) => format!("by {}", self.name_of(hop.interface)),
            Ok(None) => "and there is no way to it".to_owned(),
            Err(e) => format!("by a way that can't be told: {e}"),
        }
    }

    fn name_of(&self, index: u32) -> String {
        let name = self.net.snapshot().ok().and_then(|s| Some(s.interface(index)?.name.clone()));
        name.unwrap_or_else(|| format!("interface #{index}"))
    }
}
