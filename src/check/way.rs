//! Proof that the way to an address is the tunnel.

use std::net::IpAddr;

use tokio::time::{Instant, timeout_at};

use crate::net::{Interface, NetContext};

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

impl Way<'_> {
    /// Waits until the way to `target` is the tunnel; or says which it is instead.
    pub async fn is_the_tunnel(&self, target: IpAddr) -> Result<(), String> {
        let Some(tunnel) = self.tunnel else { return Ok(()) };
        let mut changes = self.net.watch().map_err(|e| format!("cannot watch routes: {e}"))?;
        loop {
            let words = match self.net.route_to(target) {
                Ok(Some(hop)) if hop.interface == tunnel.index => return Ok(()),
                Ok(Some(hop)) => {
                    format!("the way to {target} is {}, not {}", self.name_of(hop.interface), tunnel.name)
                }
                Ok(None) => format!("there is no way to {target}"),
                Err(e) => format!("cannot tell the way to {target}: {e}"),
            };
            if !matches!(timeout_at(self.routes_until, changes.changed()).await, Ok(Ok(()))) {
                return Err(words);
            }
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
