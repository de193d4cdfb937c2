//! From the outcomes of the stages to the verdict over the cycle: pure.

use super::{MalfunctionKind, Outcome, Reason, Stage, StageRecord, Verdict};

/// The verdict over a cycle, and what decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// Up, down or unknown.
    pub verdict: Verdict,
    /// The stage that decided it; none when up, unless a tunnel was found dead and restored: then the first that failed.
    pub stage: Option<Stage>,
    /// Its reason.
    pub reason: Option<Reason>,
}

/// Judges a cycle.
///
/// 0. `unknown` when the prober's own uplink was found to be down: then nothing else says anything;
/// 1. `down` when a stage from `external` to `internal` failed and counts (`required`);
/// 2. else `unknown` when a stage before `teardown` was inconclusive;
/// 3. else `up`.
///
/// A `restart` that passed takes back what `sa` and `internal` said: the state at the end counts, and what was wrong
/// before is named beside `up`. One that did not pass changes nothing: the first failure stays the one that is named.
///
/// `keepalive`, `teardown` and `cleanup` never change the verdict: what the last two find are leftovers.
pub fn judge(stages: &[StageRecord]) -> Judgement {
    let restored = stages.iter().any(|s| s.stage == Stage::Restart && s.outcome.is_passed());
    let counts = |s: &&StageRecord| match s.stage {
        Stage::Keepalive | Stage::Teardown | Stage::Cleanup => false,
        Stage::Sa | Stage::Internal => !restored,
        _ => s.required,
    };
    let deciding = || stages.iter().filter(counts);
    let decided = |verdict, record: &StageRecord| Judgement {
        verdict,
        stage: Some(record.stage),
        reason: record.outcome.reason(),
    };
    let uplink = Outcome::Inconclusive(MalfunctionKind::OwnUplinkDown);
    if let Some(blind) = stages.iter().find(|s| s.outcome == uplink) {
        return decided(Verdict::Unknown, blind);
    }
    if let Some(failed) = deciding().find(|s| matches!(s.outcome, Outcome::Failed(_))) {
        return decided(Verdict::Down, failed);
    }
    if let Some(unclear) = deciding().find(|s| matches!(s.outcome, Outcome::Inconclusive(_))) {
        return decided(Verdict::Unknown, unclear);
    }
    let fell = stages.iter().find(|s| restored && matches!(s.outcome, Outcome::Failed(_)) && s.required);
    fell.map_or(Judgement { verdict: Verdict::Up, stage: None, reason: None }, |fell| decided(Verdict::Up, fell))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{FailureKind, MalfunctionKind};
    use std::time::Duration;

    fn stage(stage: Stage, outcome: Outcome) -> StageRecord {
        StageRecord { stage, outcome, required: true, took: Duration::ZERO, detail: None }
    }

    #[test]
    fn a_failure_outweighs_an_earlier_malfunction() {
        let judged = judge(&[
            stage(Stage::External, Outcome::Inconclusive(MalfunctionKind::NoIcmpPermission)),
            stage(Stage::Login, Outcome::Failed(FailureKind::AuthRejected)),
        ]);
        assert_eq!(judged.verdict, Verdict::Down);
        assert_eq!(judged.stage, Some(Stage::Login));
        assert_eq!(judged.reason, Some(FailureKind::AuthRejected.into()));
    }

    #[test]
    fn the_first_failure_decides() {
        let judged = judge(&[
            stage(Stage::External, Outcome::Failed(FailureKind::NoReply)),
            stage(Stage::Login, Outcome::Failed(FailureKind::ConnectTimeout)),
        ]);
        assert_eq!(judged.stage, Some(Stage::External));
    }

    #[test]
    fn a_stage_that_is_not_required_decides_nothing() {
        let mut external = stage(Stage::External, Outcome::Failed(FailureKind::NoReply));
        external.required = false;
        assert_eq!(judge(&[external, stage(Stage::Login, Outcome::Passed)]).verdict, Verdict::Up);
    }

    #[test]
    fn a_restored_tunnel_is_up_and_what_was_wrong_is_named() {
        let found_dead = |restart| {
            judge(&[
                stage(Stage::External, Outcome::Passed),
                stage(Stage::Sa, Outcome::Failed(FailureKind::SaMissing)),
                stage(Stage::Internal, Outcome::Failed(FailureKind::InternalUnreachable)),
                stage(Stage::Restart, restart),
                stage(Stage::Keepalive, Outcome::Skipped { because_of: Stage::Restart }),
            ])
        };
        let why = (Some(Stage::Sa), Some(Reason::from(FailureKind::SaMissing)));
        for (restart, verdict) in [
            (Outcome::Passed, Verdict::Up),
            (Outcome::Failed(FailureKind::RestartFailed), Verdict::Down),
            (Outcome::Skipped { because_of: Stage::Sa }, Verdict::Down),
        ] {
            let judged = found_dead(restart);
            assert_eq!((judged.verdict, (judged.stage, judged.reason)), (verdict, why));
        }
    }

    #[test]
    fn a_carrier_that_is_silent_is_not_restored_with_the_tunnel() {
        let judged = judge(&[
            stage(Stage::External, Outcome::Failed(FailureKind::NoReply)),
            stage(Stage::Sa, Outcome::Failed(FailureKind::SaMissing)),
            stage(Stage::Restart, Outcome::Passed),
        ]);
        assert_eq!((judged.verdict, judged.stage), (Verdict::Down, Some(Stage::External)));
    }

    #[test]
    fn a_lost_keep_alive_packet_decides_nothing() {
        let judged = judge(&[
            stage(Stage::Sa, Outcome::Passed),
            stage(Stage::Keepalive, Outcome::Inconclusive(MalfunctionKind::NoIcmpPermission)),
        ]);
        assert_eq!(judged.verdict, Verdict::Up);
    }

    #[test]
    fn leftovers_never_change_the_verdict() {
        let judged = judge(&[
            stage(Stage::Login, Outcome::Passed),
            stage(Stage::Teardown, Outcome::Inconclusive(MalfunctionKind::Cancelled)),
        ]);
        assert_eq!(judged.verdict, Verdict::Up);
        assert_eq!(judged.reason, None);
    }

    #[test]
    fn a_cycle_that_could_not_be_prepared_is_unknown() {
        let judged = judge(&[
            stage(Stage::Prepare, Outcome::Inconclusive(MalfunctionKind::PrepareFailed)),
            stage(Stage::Login, Outcome::Skipped { because_of: Stage::Prepare }),
        ]);
        assert_eq!(judged.verdict, Verdict::Unknown);
        assert_eq!(judged.stage, Some(Stage::Prepare));
    }
}
