//! Stage `sa`: is the tunnel configured, and is it installed?

use std::time::Duration;

use tokio::time::Instant;

use super::{StageEnd, TunnelCycle};
use crate::error::chain;
use crate::ipsec::{Assessment, look};
use crate::record::{FailureKind, MalfunctionKind};
use crate::vici::{IkeState, ViciError, View};

/// For strongSwan to answer; 200 tunnels are told within 100 ms, and a restart of the daemon takes about a second.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the stage.
pub(super) async fn run(cx: &mut TunnelCycle<'_>) -> StageEnd {
    match look(&*cx.around.ike, &cx.target, Instant::now() + PATIENCE).await {
        Ok((view, assessment)) => {
            let end = end_of(&view, &assessment, &cx.target.child);
            cx.seen = Some((view, assessment));
            end
        }
        Err(error) => unreachable(&error),
    }
}

/// What an assessment means for the site.
pub(super) fn end_of(view: &View, assessment: &Assessment, child: &str) -> StageEnd {
    let words = assessment.to_string();
    match assessment {
        Assessment::Up(up) => StageEnd::passed_with(format!(
            "CHILD_SA {}{{{}}} {words}, {} bytes in, {} bytes out",
            up.child.name, up.child.unique_id, up.inbound.bytes, up.outbound.bytes
        )),
        Assessment::NotConfigured { .. } | Assessment::Ambiguous { .. } => {
            StageEnd::because(MalfunctionKind::TunnelNotConfigured, format!("CHILD_SA {child}: {words}"))
        }
        Assessment::NotInstalled(_) => StageEnd::because(FailureKind::SaNotInstalled, words),
        Assessment::Missing => StageEnd::because(FailureKind::SaMissing, words),
        // Nothing is up while strongSwan works on it: what it has got so far decides the name.
        Assessment::Recovering(_) | Assessment::Settling(_) => {
            let established =
                |name: &str| view.installed.iter().any(|ike| ike.name == name && ike.state == IkeState::Established);
            let owners = view.configured.iter().filter(|config| config.child == child);
            let kind = if owners.into_iter().any(|config| established(&config.ike)) {
                FailureKind::SaNotInstalled
            } else {
                FailureKind::SaMissing
            };
            StageEnd::because(kind, words)
        }
    }
}

/// strongSwan does not answer: that says nothing of the tunnel.
pub(super) fn unreachable(error: &ViciError) -> StageEnd {
    StageEnd::because(MalfunctionKind::ViciUnreachable, chain(error))
}
