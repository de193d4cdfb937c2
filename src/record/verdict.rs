//! From the outcomes of the stages to the verdict over the cycle: pure.

use super::{Outcome, Reason, Stage, StageRecord, Verdict};

/// The verdict over a cycle, and what decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// Up, down or unknown.
    pub verdict: Verdict,
    /// The stage that decided it; none when up.
    pub stage: Option<Stage>,
    /// Its reason; none when up.
    pub reason: Option<Reason>,
}

/// Judges a cycle.
///
/// 1. `down` when a stage from `external` to `internal` failed and counts (`required`);
/// 2. else `unknown` when a stage before `teardown` was inconclusive;
/// 3. else `up`.
///
/// `teardown` and `cleanup` never change the verdict: what they find are leftovers.
pub fn judge(stages: &[StageRecord]) -> Judgement {
    let deciding = || stages.iter().filter(|s| s.required && !matches!(s.stage, Stage::Teardown | Stage::Cleanup));
    let decided = |verdict, record: &StageRecord| Judgement {
        verdict,
        stage: Some(record.stage),
        reason: record.outcome.reason(),
    };
    if let Some(failed) = deciding().find(|s| matches!(s.outcome, Outcome::Failed(_))) {
        return decided(Verdict::Down, failed);
    }
    if let Some(unclear) = deciding().find(|s| matches!(s.outcome, Outcome::Inconclusive(_))) {
        return decided(Verdict::Unknown, unclear);
    }
    Judgement { verdict: Verdict::Up, stage: None, reason: None }
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
