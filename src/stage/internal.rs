//! Stage `internal`: what lies behind the gateway answers, and through the tunnel.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::external::PAYLOAD;
use super::ping::{Meaning, judge};
use super::{CycleState, StageEnd};
use crate::client::{Session, SessionEvent};
use crate::net::{NetContext, PingRequest};
use crate::record::{FailureKind, MalfunctionKind};

/// After the first route of the tunnel, the one to the inside may take so long: a client that makes some hundred routes
/// by a script needs one or two seconds.
const ROUTE_COMES: Duration = Duration::from_secs(5);

/// Runs the stage.
pub(super) async fn run(cx: &mut CycleState<'_>) -> StageEnd {
    let Some(address) = cx.vpn.internal_ip.as_deref() else { return StageEnd::passed() };
    let Ok(target) = address.parse::<IpAddr>() else {
        // The configuration only lets addresses through: while a client holds the resolver, no name is resolved.
        return StageEnd::because(MalfunctionKind::ResolverFailed, format!("`{address}` is not an IP address"));
    };
    if let Some(end) = way_is_not_the_tunnel(cx, target).await {
        return end;
    }
    let ping = cx.vpn.ping;
    let request =
        PingRequest { target, count: ping.count, interval: ping.interval, timeout: ping.timeout, payload: PAYLOAD };
    let around = cx.around;
    let Some(client) = cx.client.as_mut() else { return StageEnd::passed() };
    let report = tokio::select! {
        report = around.net.ping(request) => report,
        words = lost(&mut client.session) => {
            client.connected = false;
            return StageEnd::because(FailureKind::Disconnected, words);
        }
    };
    cx.internal = report.as_ref().ok().map(|r| r.stats);
    let meaning = Meaning { silence: FailureKind::InternalUnreachable, unreachable: FailureKind::InternalUnreachable };
    judge(target, &report, ping.max_loss_pct, meaning)
}

/// Proof that the way there is the tunnel. A profile without `interface` asks for none.
///
/// A client's script makes its routes one after the other, so the one that counts may still be on its way.
async fn way_is_not_the_tunnel(cx: &mut CycleState<'_>, target: IpAddr) -> Option<StageEnd> {
    let tunnel = cx.tunnel.clone()?;
    let net = &*cx.around.net;
    let refuse = |words: String| Some(StageEnd::because(FailureKind::NotThroughTunnel, words));
    let mut changes = match net.watch() {
        Ok(changes) => changes,
        Err(e) => return refuse(format!("cannot watch routes: {e}")),
    };
    let deadline = Instant::now() + ROUTE_COMES;
    loop {
        let words = match net.route_to(target) {
            Ok(Some(hop)) if hop.interface == tunnel.index => return None,
            Ok(Some(hop)) => format!("the way to {target} is {}, not {}", name_of(net, hop.interface), tunnel.name),
            Ok(None) => format!("there is no way to {target}"),
            Err(e) => format!("cannot tell the way to {target}: {e}"),
        };
        let client = cx.client.as_mut()?;
        tokio::select! {
            change = timeout_at(deadline, changes.changed()) => if !matches!(change, Ok(Ok(()))) {
                return refuse(words);
            },
            words = lost(&mut client.session) => {
                client.connected = false;
                return Some(StageEnd::because(FailureKind::Disconnected, words));
            }
        }
    }
}

fn name_of(net: &dyn NetContext, index: u32) -> String {
    let name = net.snapshot().ok().and_then(|s| Some(s.interface(index)?.name.clone()));
    name.unwrap_or_else(|| format!("interface #{index}"))
}

/// Waits until the client says that the tunnel is gone, or ends.
async fn lost(session: &mut Session) -> String {
    loop {
        match session.event().await {
            Some(SessionEvent::Lost { text, .. } | SessionEvent::Failed { text, .. }) => return session.blanked(&text),
            Some(SessionEvent::Connected { .. }) => {}
            Some(SessionEvent::Ended { status }) => {
                let how = status.map(|s| format!(" ({s})")).unwrap_or_default();
                let words = session.last_line().unwrap_or_default();
                return format!("the client ended{how} while the tunnel was in use: {words}");
            }
            None => return "the client ended while the tunnel was in use".to_owned(),
        }
    }
}
