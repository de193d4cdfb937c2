//! Stage `internal`: what lies behind the gateway answers, and through the tunnel.
//!
//! The ping first, small and large, then the checks, whatever the ping said: whoever is called at night wants to know
//! whether one host is silent or everything behind the gateway. Reasons count in that order. The stage ends when the
//! client says that the tunnel is gone.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::external::small_series;
use super::mtu::Large;
use super::ping::{Meaning, judge};
use super::{Measured, StageEnd, Surroundings, VpnCycle};
use crate::check::{Astray, Inside, Way};
use crate::client::{Session, SessionEvent};
use crate::config::{PingConfig, Probes};
use crate::net::Interface;
use crate::record::{CheckRecord, FailureKind, MalfunctionKind, Outcome, PingStats, one_line};

/// After the first route of the tunnel, the one to the inside may take so long: a client that makes some hundred routes
/// by a script needs one or two seconds.
const ROUTE_COMES: Duration = Duration::from_secs(5);

/// Runs the stage.
pub(super) async fn run(cx: &mut VpnCycle<'_>) -> StageEnd {
    let (site, around, tunnel) = (cx.site, cx.around, cx.tunnel.clone());
    let mut measured = std::mem::replace(&mut cx.measured, Measured::nothing());
    let end = while_connected(cx, ask(&site.probes, around, tunnel.as_ref(), &mut measured)).await;
    cx.measured = measured;
    end.unwrap_or_else(|lost| lost)
}

/// Asks everything inside, by the tunnel where its interface is known.
pub(super) async fn ask(
    probes: &Probes,
    around: &Surroundings,
    tunnel: Option<&Interface>,
    measured: &mut Measured,
) -> StageEnd {
    let way = Way { net: &*around.net, tunnel, routes_until: Instant::now() + ROUTE_COMES };
    let inside = Inside { way, ca_file: probes.ca_file.as_deref(), now: around.unix_time() };
    (measured.internal, measured.checks) = (None, Vec::new());
    let pinged = match probes.internal_ip.as_deref() {
        Some(address) => Some(ping(way, address, probes.ping, &mut measured.internal).await),
        None => None,
    };
    for check in &probes.checks {
        measured.checks.push(Box::pin(inside.run(check)).await);
    }
    sum_up(pinged, &measured.checks)
}

/// The first failure counts, the ping's before those of the checks; else the first trouble of our own.
fn sum_up(pinged: Option<StageEnd>, checks: &[CheckRecord]) -> StageEnd {
    let passed = checks.iter().filter(|check| check.outcome.is_passed()).count();
    let tally = (!checks.is_empty()).then(|| format!("{passed}/{} checks passed", checks.len()));
    let of_check = |check: &CheckRecord| StageEnd {
        outcome: check.outcome,
        detail: Some(format!("{}: {}", check.name, check.detail.as_deref().unwrap_or_default())),
    };
    let ends: Vec<_> = pinged.clone().into_iter().chain(checks.iter().map(of_check)).collect();
    let first = |wanted: fn(Outcome) -> bool| ends.iter().find(|end| wanted(end.outcome));
    let decides = first(|o| matches!(o, Outcome::Failed(_))).or_else(|| first(|o| !o.is_passed()));
    let end = decides.cloned().or(pinged).unwrap_or_else(StageEnd::passed);
    let words: Vec<_> = end.detail.into_iter().chain(tally).collect();
    StageEnd { detail: Some(one_line(&words.join("; "))).filter(|words| !words.is_empty()), ..end }
}

/// Pings through the tunnel, and tries whether a large packet gets through it.
async fn ping(way: Way<'_>, address: &str, config: PingConfig, stats: &mut Option<PingStats>) -> StageEnd {
    let Ok(target) = address.parse::<IpAddr>() else {
        // The configuration only lets addresses through: while a client holds the resolver, no name is resolved.
        return StageEnd::because(MalfunctionKind::ResolverFailed, format!("`{address}` is not an IP address"));
    };
    if let Err(astray) = way.is_the_tunnel(target).await {
        return astray.into();
    }
    let report = way.net.ping(small_series(target, &config)).await;
    *stats = report.as_ref().ok().map(|r| r.stats);
    let meaning = Meaning { silence: FailureKind::InternalUnreachable, unreachable: FailureKind::InternalUnreachable };
    let end = judge(target, &report, config.max_loss_pct, meaning);
    if let Outcome::Failed(_) = end.outcome {
        // Silence after the tunnel fell is not the inside's, nor the carrier's.
        return way.now(target).err().map_or(end, StageEnd::from);
    }
    if !config.mtu || !end.outcome.is_passed() {
        return end;
    }
    // Asked for now: a client's script sets it beside address and routes.
    let mtu = way.tunnel.and_then(|tunnel| Some(way.net.snapshot().ok()?.interface(tunnel.index)?.mtu));
    match mtu.and_then(|mtu| Large::of(target, mtu)) {
        Some(large) => large.tried(way.net, &config).await.judge(stats.map_or(0.0, |s| s.loss_pct()), &end),
        None => end,
    }
}

impl From<Astray> for StageEnd {
    fn from(astray: Astray) -> Self {
        Self::because(astray.reason, astray.words)
    }
}

/// Does something while the client holds the tunnel; `Err`: it is gone.
async fn while_connected<T>(cx: &mut VpnCycle<'_>, work: impl Future<Output = T>) -> Result<T, StageEnd> {
    let Some(client) = cx.client.as_mut() else { return Ok(work.await) };
    tokio::select! {
        done = work => Ok(done),
        words = lost(&mut client.session) => {
            client.connected = false;
            Err(StageEnd::because(FailureKind::Disconnected, words))
        }
    }
}

/// Waits until the client says that the tunnel is gone, or ends.
async fn lost(session: &mut Session) -> String {
    loop {
        match session.event().await {
            Some(SessionEvent::Lost { text, .. } | SessionEvent::Failed { text, .. }) => return session.blanked(&text),
            Some(SessionEvent::Connected { .. } | SessionEvent::Withdrawn | SessionEvent::AskedAgain) => {}
            Some(SessionEvent::Ended { status }) => {
                let how = status.map(|s| format!(" ({s})")).unwrap_or_default();
                let words = session.last_line().unwrap_or_default();
                return format!("the client ended{how} while the tunnel was in use: {words}");
            }
            None => return "the client ended while the tunnel was in use".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, outcome: Outcome) -> CheckRecord {
        CheckRecord {
            name: name.to_owned(),
            outcome,
            took: Duration::ZERO,
            detail: Some("words".into()),
            cert_days_left: None,
        }
    }

    #[test]
    fn the_first_failure_counts_and_the_ping_comes_first() {
        let passed = || Some(StageEnd::passed_with("5/5 replies"));
        let silent = || Some(StageEnd::because(FailureKind::InternalUnreachable, "silent"));
        let blind = || Some(StageEnd::because(MalfunctionKind::NoIcmpPermission, "EPERM"));
        let (good, bad) = (Outcome::Passed, Outcome::Failed(FailureKind::CheckFailed));
        let astray = Outcome::Failed(FailureKind::NotThroughTunnel);
        let ours = Outcome::Inconclusive(MalfunctionKind::PrepareFailed);
        for (pinged, checks, outcome, detail) in [
            (passed(), vec![], good, "5/5 replies"),
            (passed(), vec![good, good], good, "5/5 replies; 2/2 checks passed"),
            (None, vec![good], good, "1/1 checks passed"),
            (None, vec![], good, ""),
            (passed(), vec![good, bad, astray], bad, "check 1: words; 1/3 checks passed"),
            (passed(), vec![astray, bad], astray, "check 0: words; 0/2 checks passed"),
            (silent(), vec![good, bad], Outcome::Failed(FailureKind::InternalUnreachable), "silent; 1/2 checks passed"),
            (blind(), vec![good], Outcome::Inconclusive(MalfunctionKind::NoIcmpPermission), "EPERM; 1/1 checks passed"),
            (blind(), vec![bad], bad, "check 0: words; 0/1 checks passed"),
            (passed(), vec![ours, good], ours, "check 0: words; 1/2 checks passed"),
        ] {
            let checks: Vec<_> =
                checks.into_iter().enumerate().map(|(n, outcome)| check(&format!("check {n}"), outcome)).collect();
            let end = sum_up(pinged, &checks);
            assert_eq!((end.outcome, end.detail.unwrap_or_default().as_str()), (outcome, detail));
        }
    }
}
