//! Whether the prober's own way out is there: routes, carrier, and somebody who answers.
//!
//! A dead uplink makes every gateway look dead. Whoever is about to blame one, or to act on it, asks here first. What
//! can't be looked at is not called down: it must keep nobody from acting. Decides nothing about sites.
//!
//! Where no targets are configured, the other sites are asked: those that were reached before are *witnesses*. When none
//! of them answers either, it is not all of their gateways that died at once.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use crate::net::{ConnectError, Fragments, NetContext, NetSnapshot, PingError, PingReport, PingRequest};
use crate::record::SiteName;

/// How long a target may take to answer: more than any earthly round trip, less than anybody wants to wait for a restart.
const PATIENCE: Duration = Duration::from_secs(1);

/// So many witnesses are asked: one live one ends it, and a thousand packets at a dead uplink would tell no more.
const MOST_WITNESSES: usize = 8;

/// What answered at a site, outside its tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Witness {
    /// Echo requests.
    Ping(IpAddr),
    /// Connections.
    Tcp(SocketAddr),
}

impl Witness {
    const fn address(self) -> IpAddr {
        match self {
            Self::Ping(address) => address,
            Self::Tcp(address) => address.ip(),
        }
    }
}

/// What answered when each site was reached last. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Witnesses(Arc<Mutex<BTreeMap<SiteName, Witness>>>);

impl Witnesses {
    /// This answered at that site.
    pub fn note(&self, site: &SiteName, witness: Witness) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(site.clone(), witness);
    }

    /// Those of other sites, at other addresses.
    fn beside(&self, site: &SiteName, peer: Option<IpAddr>) -> Vec<Witness> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = all.iter().filter(|(other, witness)| *other != site && Some(witness.address()) != peer);
        others.map(|(_, witness)| *witness).take(MOST_WITNESSES).collect()
    }
}

/// Why it is the prober's own fault that this site was not reached at `peer`, in words; `None`: it is not, or nobody can
/// tell. As [`is_down`]; where no targets are configured, also when no witness answers within a second.
pub async fn is_to_blame(
    net: &dyn NetContext,
    targets: &[IpAddr],
    witnesses: &Witnesses,
    site: &SiteName,
    peer: Option<IpAddr>,
) -> Option<String> {
    if let Some(words) = is_down(net, targets, peer).await {
        return Some(words);
    }
    // A target that answers proves the uplink.
    let witnesses = if targets.is_empty() { witnesses.beside(site, peer) } else { Vec::new() };
    let mut asked: FuturesUnordered<_> = witnesses.iter().map(|witness| has_answer(net, *witness)).collect();
    while let Some(answered) = asked.next().await {
        if answered != Some(false) {
            return None;
        }
    }
    let addresses: Vec<_> = witnesses.iter().map(|witness| witness.address().to_string()).collect();
    (!addresses.is_empty()).then(|| format!("no other site answers either: {}", addresses.join(", ")))
}

/// Whether it answers; `None`: it can't be asked.
async fn has_answer(net: &dyn NetContext, witness: Witness) -> Option<bool> {
    match witness {
        Witness::Ping(target) => match answer(target, net.ping(request(target)).await) {
            Answer::Came => Some(true),
            Answer::Silence(_) => Some(false),
            Answer::Unknown(_) => None,
        },
        Witness::Tcp(to) => match net.connect(to, Instant::now() + PATIENCE).await {
            Ok(_) | Err(ConnectError::Refused) => Some(true),
            Err(ConnectError::TimedOut | ConnectError::Unreachable(_)) => Some(false),
            Err(_) => None,
        },
    }
}

/// Why the uplink is down, in words; `None`: it is not, or nobody can tell.
///
/// It is down when
/// 1. there is no route to `peer` (without a peer: no default route at all),
/// 2. or the interface of that route has no carrier (without a peer: that of no default route has one),
/// 3. or none of `targets` answers one echo request within a second. They are asked at once; the first answer ends it.
pub async fn is_down(net: &dyn NetContext, targets: &[IpAddr], peer: Option<IpAddr>) -> Option<String> {
    let words = without_way(net, peer).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot look at this host's routes: they don't tell whether its uplink is there");
        None
    });
    match words {
        Some(words) => Some(words),
        None => silence(targets, |request| net.ping(request)).await,
    }
}

fn without_way(net: &dyn NetContext, peer: Option<IpAddr>) -> io::Result<Option<String>> {
    let Some(peer) = peer else { return Ok(without_default(&net.snapshot()?)) };
    let Some(hop) = net.route_to(peer)? else { return Ok(Some(format!("no route to {peer}"))) };
    Ok(without_carrier(&net.snapshot()?, &[hop.interface]))
}

/// Half of all addresses counts as a default route: two such routes are how a tunnel takes one's place.
fn without_default(network: &NetSnapshot) -> Option<String> {
    let ways = network.routes.iter().filter(|route| route.destination.1 <= 1);
    let interfaces: Vec<u32> = ways.filter_map(|route| route.interface).collect();
    if interfaces.is_empty() {
        return Some("no default route".to_owned());
    }
    without_carrier(network, &interfaces)
}

/// Said when none of the interfaces has a carrier.
fn without_carrier(network: &NetSnapshot, interfaces: &[u32]) -> Option<String> {
    let mut names = Vec::new();
    for index in interfaces {
        // One that is gone by now went with its routes: the next look tells.
        let dead = network.interface(*index).filter(|interface| !interface.carrier)?;
        if !names.contains(&dead.name.as_str()) {
            names.push(dead.name.as_str());
        }
    }
    Some(format!("no carrier on {}", names.join(", ")))
}

/// Said when none of the targets answers. Those that can't be asked don't count.
async fn silence<F>(targets: &[IpAddr], ping: impl Fn(PingRequest) -> F) -> Option<String>
where
    F: Future<Output = Result<PingReport, PingError>>,
{
    let ask = |target: &IpAddr| {
        let (target, report) = (*target, ping(request(*target)));
        async move { (target, report.await) }
    };
    let mut asked: FuturesUnordered<_> = targets.iter().map(ask).collect();
    let mut silent = Vec::new();
    while let Some((target, report)) = asked.next().await {
        match answer(target, report) {
            Answer::Came => return None,
            Answer::Silence(words) => silent.push(words),
            Answer::Unknown(error) => {
                tracing::warn!(%target, %error, "cannot ask a target of the uplink");
            }
        }
    }
    (!silent.is_empty()).then(|| format!("no target of the uplink answers: {}", silent.join(", ")))
}

/// What asking a target brought.
#[derive(Debug, PartialEq)]
enum Answer {
    Came,
    Silence(String),
    Unknown(PingError),
}

fn answer(target: IpAddr, report: Result<PingReport, PingError>) -> Answer {
    match report {
        Ok(report) if report.stats.received > 0 => Answer::Came,
        Ok(report) => match report.unreachable {
            Some(words) => Answer::Silence(format!("{target} ({words})")),
            None => Answer::Silence(target.to_string()),
        },
        Err(error) => Answer::Unknown(error),
    }
}

const fn request(target: IpAddr) -> PingRequest {
    PingRequest { target, count: 1, interval: PATIENCE, timeout: PATIENCE, payload: 56, fragments: Fragments::Allowed }
}

#[cfg(test)]
mod tests;
