//! Whether a cycle that did not end well was the fault of the prober's own uplink: asked once more when its stages are
//! over and the host's routes are its own again.

use std::net::IpAddr;

use crate::config::Site;
use crate::record::{
    CycleRecord, FailureKind, LeftoverKind, MalfunctionKind, Outcome, Stage, StageRecord, Verdict, judge, one_line,
};
use crate::stage::Surroundings;
use crate::uplink::{Doubt, find_witness, was_to_blame};

/// The deciding stage as it is to be told, where the uplink is to blame for it.
pub(super) async fn look(
    site: &Site,
    around: &Surroundings,
    stages: &[StageRecord],
    peer: Option<IpAddr>,
) -> Option<StageRecord> {
    let suspect = suspect(stages)?;
    let gateway = site.ssl_vpn().map(crate::config::SslVpn::gateway_address);
    // The peer of a tunnel need not answer to anything: it is not outvoted, as before a restart.
    let reached = gateway.is_none() || stages.iter().any(shows_an_answer);
    let doubt = Doubt { site: &site.name, gateway, peer, reached };
    let why = tokio::select! {
        biased;
        () = around.cancel.cancelled() => None,
        why = was_to_blame(&*around.net, &around.uplink.targets, &around.witnesses, doubt) => why,
    };
    let (reason, detail) = (suspect.outcome.as_str(), suspect.detail.as_deref().unwrap_or_default());
    let words = one_line(&format!("{}; it looked like {reason}: {detail}", why?));
    let outcome = Outcome::Inconclusive(MalfunctionKind::OwnUplinkDown);
    Some(StageRecord { outcome, detail: Some(words), ..suspect.clone() })
}

/// Notes what answers at a site that is up, where no stage asked there.
pub(super) async fn note_witness(site: &Site, around: &Surroundings, record: &CycleRecord) {
    let Some(vpn) = site.ssl_vpn().filter(|_| record.verdict == Verdict::Up) else { return };
    tokio::select! {
        biased;
        () = around.cancel.cancelled() => {}
        () = find_witness(&*around.net, &around.witnesses, &site.name, vpn.gateway_address()) => {}
    }
}

/// The deciding stage, where a dead uplink would explain it and nothing in the cycle speaks against it.
fn suspect(stages: &[StageRecord]) -> Option<&StageRecord> {
    let judged = judge(stages);
    let deciding = stages.iter().find(|s| Some(s.stage) == judged.stage)?;
    let answered = stages.iter().any(|s| matches!(s.outcome, Outcome::Failed(_)) && !is_explained(s));
    // Then the routes may still be the client's. What `teardown` reported may be gone by now.
    let held = |s: &StageRecord| {
        let holds = matches!(s.outcome, Outcome::Left(LeftoverKind::ClientSurvived | LeftoverKind::InterfaceLeft));
        s.stage == Stage::Cleanup && holds
    };
    let doubtful = judged.verdict != Verdict::Up && is_explained(deciding) && !answered && !stages.iter().any(held);
    doubtful.then_some(deciding)
}

/// Whether it could have ended so because the prober's own uplink was down.
const fn is_explained(record: &StageRecord) -> bool {
    match record.outcome {
        // What the client says of a name may be the silence of a resolver; what the prober's own says is an answer.
        Outcome::Failed(FailureKind::NameNotResolved) => matches!(record.stage, Stage::Login),
        Outcome::Failed(kind) => !is_an_answer(kind),
        Outcome::Inconclusive(MalfunctionKind::ResolverFailed | MalfunctionKind::ClientExited) => true,
        // A packet that could not be sent.
        Outcome::Inconclusive(MalfunctionKind::PrepareFailed) => matches!(record.stage, Stage::Internal),
        Outcome::Passed | Outcome::Inconclusive(_) | Outcome::Left(_) | Outcome::Skipped { .. } => false,
    }
}

/// Whether somebody out there must have said it.
const fn is_an_answer(kind: FailureKind) -> bool {
    match kind {
        FailureKind::ConnectRefused
        | FailureKind::CertificateUntrusted
        | FailureKind::CertificateExpired
        | FailureKind::SessionLimit
        | FailureKind::NoLicense
        | FailureKind::NoAddress
        | FailureKind::PostureRejected
        | FailureKind::RealmUnknown
        | FailureKind::AuthRejected
        | FailureKind::AccountLocked
        | FailureKind::PasswordExpired
        | FailureKind::OtpRequired
        | FailureKind::OtpRejected => true,
        FailureKind::NoReply
        | FailureKind::PacketLoss
        | FailureKind::Unreachable
        | FailureKind::NameNotResolved
        | FailureKind::ConnectTimeout
        | FailureKind::TlsFailed
        | FailureKind::LoginTimeout
        | FailureKind::Disconnected
        | FailureKind::NoInterface
        | FailureKind::NotThroughTunnel
        | FailureKind::MtuBlackhole
        | FailureKind::SaMissing
        | FailureKind::SaNotInstalled
        | FailureKind::RestartFailed
        | FailureKind::RestartLimit
        | FailureKind::InternalUnreachable
        | FailureKind::CheckFailed => false,
    }
}

/// Whether something of the site was heard of in the stage.
const fn shows_an_answer(record: &StageRecord) -> bool {
    match record.outcome {
        Outcome::Passed => matches!(record.stage, Stage::External | Stage::Gateway | Stage::Login),
        Outcome::Failed(kind) => matches!(
            kind,
            FailureKind::PacketLoss | FailureKind::Disconnected | FailureKind::NoInterface | FailureKind::TlsFailed
        ),
        Outcome::Inconclusive(_) | Outcome::Left(_) | Outcome::Skipped { .. } => false,
    }
}

#[cfg(test)]
#[path = "own_uplink_tests.rs"]
mod tests;
