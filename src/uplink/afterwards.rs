//! The uplink, looked at when a cycle is over: it may have died in its middle, or no stage before the login would have
//! noticed.
//!
//! The site's own gateway is asked first: what answers now was there all the time, whatever others say.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{MOST_WITNESSES, PATIENCE, Witness, Witnesses, any, has_answer, no_way, nobody_answers, request, silence};
use crate::net::{NetContext, PingRequest, ResolveError};
use crate::record::SiteName;

/// A cycle that failed, and perhaps not by the fault of its site.
#[derive(Debug, Clone, Copy)]
pub struct Doubt<'a> {
    /// Its site.
    pub site: &'a SiteName,
    /// Host and port of its gateway, where that takes connections.
    pub gateway: Option<(&'a str, u16)>,
    /// Its peer, where that is known by address alone.
    pub peer: Option<IpAddr>,
    /// The site was reached in this cycle.
    pub reached: bool,
}

/// Why the uplink is to blame for a cycle, now that the host's routes are its own again, in words; `None`: it is not, or
/// nobody can tell. Takes two seconds and a half at most, and no time where the site answers.
///
/// 1. Whatever answers at the site itself proves the uplink.
/// 2. Else as [`super::is_to_blame`].
/// 3. But a site that was reached in this cycle, and of which nothing is known that could be asked, may be as alive as
///    before: the silence of other sites says nothing of it.
pub async fn was_to_blame(
    net: &dyn NetContext,
    targets: &[IpAddr],
    witnesses: &Witnesses,
    doubt: Doubt<'_>,
) -> Option<String> {
    let noted = witnesses.of(doubt.site);
    let found = match doubt.gateway {
        Some((host, _)) => net.resolve_all(host, PATIENCE).await,
        None => Ok(Vec::new()),
    };
    // A resolver that knows of no such name has answered.
    let unknown_name = matches!(found, Err(ResolveError::NotFound(_)));
    let mut peers = found.unwrap_or_default();
    let ports = peers.iter().take(MOST_WITNESSES).zip(std::iter::repeat(doubt.gateway));
    let mut asked: Vec<_> =
        ports.filter_map(|(&to, gateway)| Some(Witness::Tcp(SocketAddr::new(to, gateway?.1)))).collect();
    asked.extend(doubt.peer.map(Witness::Ping));
    asked.extend(noted);
    peers.extend(doubt.peer);
    peers.extend(noted.map(Witness::address));

    let no_way = no_way(net, &peers);
    let site = async {
        let answered =
            (unknown_name && no_way.is_none()) || any(net, &asked, insistent, |answer| answer == Some(true)).await;
        if answered { Err(()) } else { Ok(()) }
    };
    let uplink = async {
        if let Some(words) = &no_way {
            return Ok(words.clone());
        }
        if let Some(words) = silence(targets, |request| net.ping(request)).await {
            return Ok(words);
        }
        let may_be_outvoted = targets.is_empty() && (noted.is_some() || !doubt.reached);
        let beside = if may_be_outvoted { witnesses.beside(doubt.site, &peers) } else { Vec::new() };
        nobody_answers(net, &beside).await.ok_or(())
    };
    // The first that proves it ends both.
    tokio::try_join!(site, uplink).ok().map(|((), words)| words)
}

/// A site must not be called silent for one packet that was lost on the way.
const fn insistent(target: IpAddr) -> PingRequest {
    PingRequest { count: 3, interval: Duration::from_millis(200), ..request(target) }
}

/// Looks for what answers at a site that was just reached, where no stage did: once in a while.
pub async fn find_witness(net: &dyn NetContext, witnesses: &Witnesses, site: &SiteName, gateway: (&str, u16)) {
    if !witnesses.wants(site) {
        return;
    }
    let (host, port) = gateway;
    let address = net.resolve_all(host, PATIENCE).await.ok().and_then(|found| found.first().copied());
    let witness = address.map(|address| Witness::Tcp(SocketAddr::new(address, port)));
    let answers = match witness {
        Some(witness) => has_answer(net, witness, request).await == Some(true),
        None => false,
    };
    witnesses.keep(site, witness.filter(|_| answers));
}
