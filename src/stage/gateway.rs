//! Stage `gateway`: name, TCP, TLS and certificate of the gateway, each timed, without logging in.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::pki_types::UnixTime;

use super::{StageEnd, VpnCycle};
use crate::config::{GatewayProtocol, SslVpn};
use crate::net::{BoxStream, ConnectError, NetContext, ResolveError};
use crate::record::{FailureKind, GatewayFacts, MalfunctionKind};
use crate::tls::{Demand, Distrust, Roots, Seen, TlsTrouble, Trusted, Wanted, facts_of, handshake, judge};
use crate::uplink::Witness;

/// Runs the stage.
pub(super) async fn run(cx: &mut VpnCycle<'_>) -> StageEnd {
    let deadline = Instant::now() + cx.vpn.gateway.timeout;
    // Kept also when the stage is cut short.
    let facts = cx.gateway.insert(GatewayFacts::default());
    let ca_file = cx.site.probes.ca_file.as_deref();
    let look = Look { net: &*cx.around.net, vpn: cx.vpn, ca_file, deadline, now: cx.around.unix_time() };
    let mut addresses = Vec::new();
    let end = look.at_gateway(facts, &mut addresses).await.unwrap_or_else(|end| end);
    // Where pings are answered, they are the cheaper question, and the uplink is there.
    if cx.measured.external.is_some_and(|external| external.received > 0) {
        return end;
    }
    if let Some(address) = facts.address {
        cx.around.witnesses.note(&cx.site.name, Witness::Tcp(address));
        return end;
    }
    cx.around.blame(&cx.site.name, end, &addresses).await
}

/// One look at the gateway, under one deadline.
struct Look<'a> {
    net: &'a dyn NetContext,
    vpn: &'a SslVpn,
    ca_file: Option<&'a Path>,
    deadline: Instant,
    now: UnixTime,
}

impl Look<'_> {
    /// The end of a stage that passed, or (`Err`) of one that did not; beside it the `addresses` of the gateway.
    async fn at_gateway(&self, facts: &mut GatewayFacts, addresses: &mut Vec<IpAddr>) -> Result<StageEnd, StageEnd> {
        let (host, port) = self.vpn.gateway_address();
        *addresses = self.resolve(host, facts).await?;
        let (address, stream) = self.connect(addresses, port, facts).await?;
        if self.vpn.gateway.speaks != GatewayProtocol::Tls {
            return Ok(StageEnd::passed_with(facts.in_words()));
        }
        let wanted = Wanted::of(host, address.ip());
        let (seen, speaks) = self.shake_hands(stream, &wanted, facts).await?;
        self.judge(&seen, &wanted, facts, speaks).await
    }

    async fn resolve(&self, host: &str, facts: &mut GatewayFacts) -> Result<Vec<IpAddr>, StageEnd> {
        let began = Instant::now();
        let addresses = match self.net.resolve_all(host, self.vpn.gateway.timeout).await {
            Ok(addresses) => addresses,
            Err(e @ ResolveError::NotFound(_)) => {
                return Err(StageEnd::because(FailureKind::NameNotResolved, e.to_string()));
            }
            Err(e @ ResolveError::ResolverFailed { .. }) => {
                return Err(StageEnd::because(MalfunctionKind::ResolverFailed, e.to_string()));
            }
        };
        if host.parse::<IpAddr>().is_err() {
            facts.resolve = Some(began.elapsed());
        }
        Ok(addresses)
    }

    /// Tries the addresses in turn, each within its share of what time is left.
    async fn connect(
        &self,
        addresses: &[IpAddr],
        port: u16,
        facts: &mut GatewayFacts,
    ) -> Result<(SocketAddr, BoxStream), StageEnd> {
        let mut refusals = Vec::new();
        for (place, &address) in addresses.iter().enumerate() {
            let to = SocketAddr::new(address, port);
            let began = Instant::now();
            let turns = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
            let share = self.deadline.saturating_duration_since(began) / turns;
            match self.net.connect(to, began + share).await {
                Ok(stream) => {
                    facts.tcp = Some(began.elapsed());
                    facts.address = Some(to);
                    return Ok((to, stream));
                }
                Err(error) => refusals.push((to, error, began.elapsed())),
            }
        }
        Err(not_connected(&refusals))
    }

    /// The handshake; beside what was seen the words of a gateway that ended it in a way that says nothing against it.
    async fn shake_hands(
        &self,
        stream: BoxStream,
        wanted: &Wanted,
        facts: &mut GatewayFacts,
    ) -> Result<(Seen, Result<(), TlsTrouble>), StageEnd> {
        let began = Instant::now();
        let Ok(shaken) = timeout_at(self.deadline, handshake(stream, wanted)).await else {
            let words = format!("no answer to the TLS handshake within {} ms", began.elapsed().as_millis());
            return Err(StageEnd::because(FailureKind::TlsFailed, words));
        };
        facts.certificate = shaken.seen.chain.first().and_then(|leaf| facts_of(leaf, self.now));
        match shaken.stream {
            Ok(_) => {
                facts.tls = Some(began.elapsed());
                facts.tls_version = shaken.seen.version.map(str::to_owned);
                Ok((shaken.seen, Ok(())))
            }
            Err(TlsTrouble::Failed(words)) => Err(StageEnd::because(FailureKind::TlsFailed, words)),
            Err(other @ (TlsTrouble::Incompatible(_) | TlsTrouble::ClientCertificate(_))) => {
                Ok((shaken.seen, Err(other)))
            }
        }
    }

    async fn judge(
        &self,
        seen: &Seen,
        wanted: &Wanted,
        facts: &GatewayFacts,
        spoken: Result<(), TlsTrouble>,
    ) -> Result<StageEnd, StageEnd> {
        let roots = self.roots().await?;
        let pins = if self.vpn.gateway.verify == Some(false) { &[][..] } else { &self.vpn.fingerprints };
        let demand = Demand { pins, roots: roots.as_ref() };
        if let Err(TlsTrouble::Incompatible(_)) = &spoken
            && let Err(trouble) = spoken
        {
            if roots.is_none() && pins.is_empty() {
                return Ok(StageEnd::passed_with(format!("{}, {trouble}: certificate not seen", facts.in_words())));
            }
            let words = format!("{trouble}: its certificate can't be verified (`gateway: {{ verify: false }}`?)");
            return Err(StageEnd::because(FailureKind::TlsFailed, words));
        }
        let trust = match judge(seen, wanted, demand, self.now) {
            Ok(Trusted::NotAsked) => "not verified",
            Ok(Trusted::Pinned) => "pinned",
            Ok(Trusted::Verified) => "trusted",
            Err(Distrust::Expired(words)) => return Err(StageEnd::because(FailureKind::CertificateExpired, words)),
            Err(Distrust::Untrusted(words)) => {
                return Err(StageEnd::because(FailureKind::CertificateUntrusted, words));
            }
        };
        let end = spoken.err().map(|trouble| format!("; {trouble}")).unwrap_or_default();
        Ok(StageEnd::passed_with(format!("{}, {trust}{end}", facts.in_words())))
    }

    /// Whom the chain may end at, where somebody asked for that.
    async fn roots(&self) -> Result<Option<Roots>, StageEnd> {
        let ca_file = self.ca_file;
        let asked = self.vpn.gateway.verify.unwrap_or(ca_file.is_some());
        if !asked {
            return Ok(None);
        }
        let roots = Roots::load(ca_file).await;
        roots.map(Some).map_err(|e| StageEnd::because(MalfunctionKind::PrepareFailed, e.to_string()))
    }
}

/// No address took the connection: the most telling answer counts. One that refuses is there.
fn not_connected(refusals: &[(SocketAddr, ConnectError, Duration)]) -> StageEnd {
    let words: Vec<_> = refusals
        .iter()
        .map(|(to, error, took)| match error {
            ConnectError::TimedOut => format!("{to}: no answer within {} ms", took.as_millis()),
            other => format!("{to}: {other}"),
        })
        .collect();
    let words = words.join("; ");
    let any = |wanted: fn(&ConnectError) -> bool| refusals.iter().any(|(_, error, _)| wanted(error));
    if any(|e| matches!(e, ConnectError::Refused)) {
        StageEnd::because(FailureKind::ConnectRefused, words)
    } else if any(|e| matches!(e, ConnectError::TimedOut)) {
        StageEnd::because(FailureKind::ConnectTimeout, words)
    } else if any(|e| matches!(e, ConnectError::Unreachable(_))) {
        StageEnd::because(FailureKind::Unreachable, words)
    } else {
        StageEnd::because(MalfunctionKind::PrepareFailed, words)
    }
}

#[cfg(test)]
#[path = "gateway_tests.rs"]
mod tests;
