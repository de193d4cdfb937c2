//! Which stages a cycle has and which of them are skipped: pure.

use crate::config::{GatewayProtocol, Site, SiteTarget};
use crate::record::{MalfunctionKind, Outcome, Stage, StageRecord};

/// The stages of a site's cycle, in their order. A stage without a target is left out.
pub fn stages_of(site: &Site) -> Vec<Stage> {
    let probes = &site.probes;
    let has = |stage: Stage| match (stage, &site.target) {
        (Stage::External, _) => probes.external_ip.is_some(),
        (Stage::Internal, _) => probes.ask_inside(),
        (Stage::Gateway, SiteTarget::SslVpn(vpn)) => vpn.gateway.speaks != GatewayProtocol::None,
        (Stage::Prepare | Stage::Login | Stage::Teardown | Stage::Cleanup, SiteTarget::SslVpn(_))
        | (Stage::Sa, SiteTarget::Ipsec(_)) => true,
        (Stage::Restart, SiteTarget::Ipsec(tunnel)) => tunnel.restart.enabled,
        (Stage::Keepalive, SiteTarget::Ipsec(_)) => probes.internal_ip.is_some(),
        (Stage::Sa | Stage::Restart | Stage::Keepalive, SiteTarget::SslVpn(_))
        | (Stage::Prepare | Stage::Gateway | Stage::Login | Stage::Teardown | Stage::Cleanup, SiteTarget::Ipsec(_)) => {
            false
        }
    };
    Stage::ALL.iter().copied().filter(|&stage| has(stage)).collect()
}

/// What to do with a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Run it.
    Run,
    /// Leave it out, because of this earlier stage.
    Skip(Stage),
}

/// Decides about a stage, given those before it.
///
/// 1. `teardown` and `cleanup` run once a client was started, whatever happened, and only then.
/// 2. Nothing else runs after a `prepare` that did not pass, or once the prober was asked to stop.
/// 3. `gateway` and `login` run also when a stage before them failed: gateways drop ICMP, and what the client says of a
///    gateway that looks dead is worth knowing.
/// 4. `internal` runs only when `login` passed; of a tunnel without a login it runs whatever `sa` said.
/// 5. `restart` runs when `sa` or `internal` failed: not when strongSwan could not tell.
/// 6. `keepalive` runs where the tunnel is up in the end.
/// 7. Nothing that goes over the uplink runs once that was found to be down.
/// 8. Once another prober's client was found to hold the host's routes, nothing else of a tunnel can be told.
pub fn decide(stage: Stage, done: &[StageRecord], client_started: bool, cancelled: bool) -> Decision {
    let last = done.last().map_or(Stage::Prepare, |s| s.stage);
    let failed = |wanted: Stage| done.iter().any(|s| s.stage == wanted && matches!(s.outcome, Outcome::Failed(_)));
    let not_passed = |wanted: Stage| done.iter().find(|s| s.stage == wanted && s.outcome != Outcome::Passed);
    match stage {
        Stage::Teardown | Stage::Cleanup if client_started => Decision::Run,
        Stage::Teardown | Stage::Cleanup => {
            Decision::Skip(not_passed(Stage::Prepare).map_or(Stage::Login, |s| s.stage))
        }
        _ if not_passed(Stage::Prepare).is_some() => Decision::Skip(Stage::Prepare),
        Stage::Internal if not_passed(Stage::Login).is_some() => Decision::Skip(Stage::Login),
        // The stage under way when the stop came carries the reason; where none was, this one does.
        _ if cancelled && done.iter().any(|s| matches!(s.outcome, Outcome::Inconclusive(_))) => Decision::Skip(last),
        _ if let Some(blind) = own_outage(done).filter(|_| stage != Stage::Sa) => Decision::Skip(blind),
        _ if let Some(busy) = held_by_another(done) => Decision::Skip(busy),
        Stage::Restart => match not_passed(Stage::Sa) {
            Some(sa) if !failed(Stage::Sa) => Decision::Skip(sa.stage),
            None if !failed(Stage::Internal) => Decision::Skip(last),
            _ => Decision::Run,
        },
        Stage::Keepalive if let Some(sa) = not_passed(Stage::Sa).filter(|_| !failed(Stage::Sa)) => {
            Decision::Skip(sa.stage)
        }
        Stage::Keepalive => match done.iter().find(|s| s.stage == Stage::Restart) {
            Some(restart) if restart.outcome.is_passed() => Decision::Run,
            Some(restart) if failed(Stage::Sa) || failed(Stage::Internal) => Decision::Skip(restart.stage),
            _ => not_passed(Stage::Sa).map_or(Decision::Run, |sa| Decision::Skip(sa.stage)),
        },
        Stage::Prepare | Stage::External | Stage::Gateway | Stage::Login | Stage::Sa | Stage::Internal => Decision::Run,
    }
}

/// The stage that found the prober's own uplink down.
fn own_outage(done: &[StageRecord]) -> Option<Stage> {
    let down = Outcome::Inconclusive(MalfunctionKind::OwnUplinkDown);
    done.iter().find(|s| s.outcome == down).map(|s| s.stage)
}

/// The stage that found another's client on the host.
fn held_by_another(done: &[StageRecord]) -> Option<Stage> {
    let busy = Outcome::Inconclusive(MalfunctionKind::ClientBusy);
    done.iter().find(|s| s.outcome == busy && s.stage != Stage::Prepare && s.stage != Stage::Login).map(|s| s.stage)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::FailureKind;

    fn done(stages: &[(Stage, Outcome)]) -> Vec<StageRecord> {
        let record = |&(stage, outcome): &(Stage, Outcome)| StageRecord {
            stage,
            outcome,
            required: true,
            took: Duration::ZERO,
            detail: None,
        };
        stages.iter().map(record).collect()
    }

    const PASSED: Outcome = Outcome::Passed;

    #[test]
    fn a_login_is_tried_also_when_the_gateway_drops_pings() {
        let before = done(&[(Stage::Prepare, PASSED), (Stage::External, Outcome::Failed(FailureKind::NoReply))]);
        assert_eq!(decide(Stage::Login, &before, false, false), Decision::Run);
    }

    #[test]
    fn there_is_no_ping_through_a_tunnel_that_is_not_there() {
        let before = done(&[(Stage::Login, Outcome::Failed(FailureKind::AuthRejected))]);
        assert_eq!(decide(Stage::Internal, &before, true, false), Decision::Skip(Stage::Login));
    }

    #[test]
    fn of_a_tunnel_that_strongswan_does_not_tell_of_nothing_more_is_done_and_that_is_why() {
        let mut before = done(&[
            (Stage::Sa, Outcome::Inconclusive(MalfunctionKind::ViciUnreachable)),
            (Stage::Internal, Outcome::Failed(FailureKind::InternalUnreachable)),
        ]);
        assert_eq!(decide(Stage::Restart, &before, false, false), Decision::Skip(Stage::Sa));
        before.extend(done(&[(Stage::Restart, Outcome::Skipped { because_of: Stage::Sa })]));
        assert_eq!(decide(Stage::Keepalive, &before, false, false), Decision::Skip(Stage::Sa));
    }

    #[test]
    fn a_started_client_is_always_taken_down() {
        for outcome in
            [PASSED, Outcome::Failed(FailureKind::LoginTimeout), Outcome::Inconclusive(MalfunctionKind::Cancelled)]
        {
            for cancelled in [false, true] {
                let before = done(&[(Stage::Prepare, PASSED), (Stage::Login, outcome)]);
                for stage in [Stage::Teardown, Stage::Cleanup] {
                    assert_eq!(decide(stage, &before, true, cancelled), Decision::Run);
                }
            }
        }
    }

    #[test]
    fn a_client_that_was_never_started_is_not_taken_down() {
        let before = done(&[(Stage::Prepare, Outcome::Inconclusive(MalfunctionKind::PrepareFailed))]);
        for stage in [Stage::External, Stage::Login, Stage::Internal, Stage::Teardown, Stage::Cleanup] {
            assert_eq!(decide(stage, &before, false, false), Decision::Skip(Stage::Prepare), "{stage}");
        }
    }

    #[test]
    fn after_a_stop_nothing_new_is_begun() {
        let before =
            done(&[(Stage::Prepare, PASSED), (Stage::External, Outcome::Inconclusive(MalfunctionKind::Cancelled))]);
        assert_eq!(decide(Stage::Login, &before, false, true), Decision::Skip(Stage::External));
    }
}
