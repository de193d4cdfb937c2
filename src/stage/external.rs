//! Stage `external`: does the gateway's public address answer?

use std::net::IpAddr;
use std::time::Duration;

use super::ping::{Meaning, judge};
use super::{Measured, StageEnd, Surroundings};
use crate::config::{PingConfig, Site};
use crate::net::{Fragments, PingRequest, ResolveError};
use crate::record::{FailureKind, MalfunctionKind};
use crate::uplink::Witness;

/// For a name to be resolved; the resolver library itself gives up after 2 × 5 s per server (resolv.conf(5)).
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Payload of an echo request, as `ping` sends it.
const PAYLOAD: usize = 56;

/// Runs the stage.
pub(super) async fn run(site: &Site, around: &Surroundings, measured: &mut Measured) -> StageEnd {
    let (end, target) = ask(site, around, measured).await;
    if let Some(target) = target.filter(|_| end.outcome.is_passed()) {
        around.witnesses.note(&site.name, Witness::Ping(target));
    }
    around.blame(&site.name, end, target.as_slice()).await
}

/// How it ended, and whom it asked.
async fn ask(site: &Site, around: &Surroundings, measured: &mut Measured) -> (StageEnd, Option<IpAddr>) {
    let Some(host) = site.probes.external_ip.as_deref() else { return (StageEnd::passed(), None) };
    let target = match around.net.resolve(host, RESOLVE_TIMEOUT).await {
        Ok(target) => target,
        Err(e @ ResolveError::NotFound(_)) => {
            return (StageEnd::because(FailureKind::NameNotResolved, e.to_string()), None);
        }
        Err(e @ ResolveError::ResolverFailed { .. }) => {
            return (StageEnd::because(MalfunctionKind::ResolverFailed, e.to_string()), None);
        }
    };
    let ping = site.probes.ping;
    let request = small_series(target, &ping);
    let report = around.net.ping(request).await;
    measured.external = report.as_ref().ok().map(|r| r.stats);
    let meaning = Meaning { silence: FailureKind::NoReply, unreachable: FailureKind::Unreachable };
    (judge(target, &report, ping.max_loss_pct, meaning), Some(target))
}

/// An ordinary series of echo requests.
pub(super) const fn small_series(target: IpAddr, ping: &PingConfig) -> PingRequest {
    let PingConfig { count, interval, timeout, .. } = *ping;
    PingRequest { target, count, interval, timeout, payload: PAYLOAD, fragments: Fragments::Allowed }
}
