//! Stage `keepalive`: one packet through the tunnel, so that translators and firewalls on the way do not forget it.
//!
//! Whether it is answered was asked in `internal`; here nobody waits for a reply longer than for a ping.

use std::net::IpAddr;

use super::external::small_series;
use super::ping::not_sent;
use super::{StageEnd, TunnelCycle};
use crate::net::PingRequest;

/// Runs the stage.
pub(super) async fn run(cx: &mut TunnelCycle<'_>) -> StageEnd {
    let probes = &cx.site.probes;
    let Some(target) = probes.internal_ip.as_deref().and_then(|address| address.parse::<IpAddr>().ok()) else {
        return StageEnd::passed();
    };
    let packet = PingRequest { count: 1, ..small_series(target, &probes.ping) };
    match cx.around.net.ping(packet).await {
        Ok(_) => StageEnd::passed(),
        Err(error) => not_sent(&error),
    }
}
