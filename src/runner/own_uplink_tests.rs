//! What a dead uplink would explain.

use std::time::Duration;

use super::*;

fn stages(ends: &[(Stage, Outcome)]) -> Vec<StageRecord> {
    let record = |&(stage, outcome): &(Stage, Outcome)| StageRecord {
        stage,
        outcome,
        required: true,
        took: Duration::ZERO,
        detail: None,
    };
    ends.iter().map(record).collect()
}

fn suspected(ends: &[(Stage, Outcome)]) -> Option<Stage> {
    suspect(&stages(ends)).map(|record| record.stage)
}

const PASSED: Outcome = Outcome::Passed;
const SILENT: Outcome = Outcome::Failed(FailureKind::InternalUnreachable);
const TIMED_OUT: Outcome = Outcome::Failed(FailureKind::LoginTimeout);

#[test]
fn silence_is_doubted_and_an_answer_is_not() {
    let of_login = |outcome| suspected(&[(Stage::Login, outcome)]).is_some();
    for kind in ["connect-timeout", "unreachable", "no-reply", "name-not-resolved", "login-timeout", "disconnected"] {
        assert!(of_login(Outcome::Failed(FailureKind::from_name(kind).unwrap())), "{kind}");
    }
    for kind in FailureKind::ALL.iter().filter(|kind| kind.fault_domain() == crate::record::FaultDomain::Identity) {
        assert!(!of_login(Outcome::Failed(*kind)), "{kind}");
    }
    for kind in ["connect-refused", "certificate-untrusted", "certificate-expired", "session-limit", "no-license"] {
        assert!(!of_login(Outcome::Failed(FailureKind::from_name(kind).unwrap())), "{kind}");
    }
    assert!(of_login(Outcome::Inconclusive(MalfunctionKind::ResolverFailed)));
    assert!(!of_login(Outcome::Inconclusive(MalfunctionKind::AccountPaused)));
    assert!(!of_login(Outcome::Inconclusive(MalfunctionKind::OwnUplinkDown)), "it is known already");
    assert!(!of_login(PASSED));
    let nameless = Outcome::Failed(FailureKind::NameNotResolved);
    assert_eq!(suspected(&[(Stage::External, nameless)]), None, "the resolver has answered");
}

#[test]
fn the_deciding_stage_is_doubted_unless_anything_in_the_cycle_was_an_answer() {
    let refused = Outcome::Failed(FailureKind::AuthRejected);
    let no_reply = Outcome::Failed(FailureKind::NoReply);
    assert_eq!(suspected(&[(Stage::Login, PASSED), (Stage::Internal, SILENT)]), Some(Stage::Internal));
    assert_eq!(suspected(&[(Stage::External, no_reply), (Stage::Login, TIMED_OUT)]), Some(Stage::External));
    assert_eq!(suspected(&[(Stage::External, no_reply), (Stage::Login, refused)]), None);
    let fallen = Outcome::Failed(FailureKind::SaMissing);
    let watched = Outcome::Skipped { because_of: Stage::Sa };
    assert_eq!(suspected(&[(Stage::Sa, fallen), (Stage::Restart, watched)]), Some(Stage::Sa));
    assert_eq!(suspected(&[(Stage::Sa, fallen), (Stage::Restart, PASSED)]), None, "it is up");
}

#[test]
fn while_a_clients_interface_stays_the_routes_tell_nothing() {
    let left = |kind| {
        suspected(&[(Stage::Login, PASSED), (Stage::Internal, SILENT), (Stage::Cleanup, Outcome::Left(kind))]).is_some()
    };
    assert!(!left(LeftoverKind::InterfaceLeft) && !left(LeftoverKind::ClientSurvived));
    // The default route goes with a cable, and can't be put back.
    assert!(left(LeftoverKind::RouteLeft));
}
