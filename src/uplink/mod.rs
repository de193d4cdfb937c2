//! Whether the prober's own way out is there: routes, carrier, and somebody who answers.
//!
//! A dead uplink makes every gateway look dead. Whoever is about to blame one, or to act on it, asks here first. What
//! can't be looked at is not called down: it must keep nobody from acting. Decides nothing about sites.
//!
//! Where no targets are configured, the other sites are asked: those that were reached before are *witnesses*. When none
//! of them answers either, it is not all of their gateways that died at once.

mod afterwards;
mod witness;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use crate::net::{ConnectError, Fragments, NetContext, NetSnapshot, PingError, PingReport, PingRequest};
use crate::record::SiteName;

pub use afterwards::{Doubt, find_witness, was_to_blame};
use witness::MOST_WITNESSES;
pub use witness::{Witness, Witnesses};

/// How long a target may take to answer: more than any earthly round trip, less than anybody wants to wait for a restart.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why it is the prober's own fault that this site was not reached at `peers`, in words; `None`: it is not, or nobody can
/// tell. As [`is_down`]; where no targets are configured, also when no witness answers within a second.
pub async fn is_to_blame(
    net: &dyn NetContext,
    targets: &[IpAddr],
    witnesses: &Witnesses,
    site: &SiteName,
    peers: &[IpAddr],
) -> Option<String> {
    if let Some(words) = no_way_or_silence(net, targets, peers).await {
        return Some(words);
    }
    // A target that answers proves the uplink.
    if targets.is_empty() { nobody_answers(net, &witnesses.beside(site, peers)).await } else { None }
}

/// Said when none of the witnesses answers.
async fn nobody_answers(net: &dyn NetContext, witnesses: &[Witness]) -> Option<String> {
    if any(net, witnesses, request, |answer| answer != Some(false)).await {
        return None;
    }
    let addresses: Vec<_> = witnesses.iter().map(|witness| witness.address().to_string()).collect();
    (!addresses.is_empty()).then(|| format!("no other site answers either: {}", addresses.join(", ")))
}

/// Whether one of them does what is wanted: all are asked at once, and the first one ends it.
async fn any(
    net: &dyn NetContext,
    witnesses: &[Witness],
    request: fn(IpAddr) -> PingRequest,
    wanted: impl Fn(Option<bool>) -> bool,
) -> bool {
    let mut asked: FuturesUnordered<_> = witnesses.iter().map(|witness| has_answer(net, *witness, request)).collect();
    while let Some(answered) = asked.next().await {
        if wanted(answered) {
            return true;
        }
    }
    false
}

/// Whether it answers; `None`: it can't be asked.
async fn has_answer(net: &dyn NetContext, witness: Witness, request: fn(IpAddr) -> PingRequest) -> Option<bool> {
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
    no_way_or_silence(net, targets, peer.as_slice()).await
}

async fn no_way_or_silence(net: &dyn NetContext, targets: &[IpAddr], peers: &[IpAddr]) -> Option<String> {
    match no_way(net, peers) {
        Some(words) => Some(words),
        None => silence(targets, |request| net.ping(request)).await,
    }
}

/// Said when there is no way to any of the peers; without one, when there is none out of this host.
fn no_way(net: &dyn NetContext, peers: &[IpAddr]) -> Option<String> {
    let look = |peer| {
        without_way(net, peer).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot look at this host's routes: they don't tell whether its uplink is there");
            None
        })
    };
    if peers.is_empty() {
        return look(None);
    }
    let words: Option<Vec<_>> = peers.iter().map(|peer| look(Some(*peer))).collect();
    words?.into_iter().next()
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
