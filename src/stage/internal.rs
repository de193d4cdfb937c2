//! Stage `internal`: what lies behind the gateway answers, and through the tunnel.
//!
//! The ping first, small and large. The stage ends when the client says that the tunnel is gone.

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::external::small_series;
use super::mtu::Large;
use super::ping::{Meaning, judge};
use super::{CycleState, StageEnd};
use crate::check::{Astray, Way};
use crate::client::{Session, SessionEvent};
use crate::record::{FailureKind, MalfunctionKind, Outcome, PingStats};

/// After the first route of the tunnel, the one to the inside may take so long: a client that makes some hundred routes
/// by a script needs one or two seconds.
const ROUTE_COMES: Duration = Duration::from_secs(5);

/// Runs the stage.
pub(super) async fn run(cx: &mut CycleState<'_>) -> StageEnd {
    let (vpn, around, tunnel) = (cx.vpn, cx.around, cx.tunnel.clone());
    let way = Way { net: &*around.net, tunnel: tunnel.as_ref(), routes_until: Instant::now() + ROUTE_COMES };
    let Some(address) = vpn.internal_ip.as_deref() else { return StageEnd::passed() };
    let Ok(target) = address.parse::<IpAddr>() else {
        // The configuration only lets addresses through: while a client holds the resolver, no name is resolved.
        return StageEnd::because(MalfunctionKind::ResolverFailed, format!("`{address}` is not an IP address"));
    };
    let mut stats = None;
    let end = while_connected(cx, ping(way, target, vpn.ping, &mut stats)).await;
    cx.internal = stats;
    end.unwrap_or_else(|lost| lost)
}

/// Pings through the tunnel, and tries whether a large packet gets through it.
async fn ping(
    way: Way<'_>,
    target: IpAddr,
    config: crate::config::PingConfig,
    stats: &mut Option<PingStats>,
) -> StageEnd {
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
async fn while_connected<T>(cx: &mut CycleState<'_>, work: impl Future<Output = T>) -> Result<T, StageEnd> {
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
