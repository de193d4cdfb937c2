//! From the record of a cycle to what the policy observes. The only file here that knows a cycle.

use super::{AlertFacts, Observation, PingFacts};
use crate::record::{
    CheckRecord, CycleRecord, FaultDomain, GatewayFacts, MalfunctionKind, PingStats, Reason, StageRecord, Verdict,
};

/// Lines of the dialogue that a message shows: the last screen of a login, short enough for a telephone.
const DIALOGUE_LINES: usize = 12;

impl Observation {
    /// What the policy is told about this cycle; the subject is the site's name.
    pub fn from_record(record: &CycleRecord) -> Self {
        Self {
            subject: record.site.as_str().to_owned(),
            verdict: record.verdict,
            at: record.time.to_utc(),
            interval: record.interval,
            identity_failure: record.verdict == Verdict::Down && record.stages.iter().any(is_identity_failure),
            paused: record.reason == Some(MalfunctionKind::AccountPaused.into()),
            silenced: record.maintenance.as_ref().is_some_and(|window| window.suppress_alerts),
            facts: AlertFacts::from_record(record),
        }
    }
}

impl AlertFacts {
    /// What a message tells about this cycle.
    pub fn from_record(record: &CycleRecord) -> Self {
        let stages: Vec<_> = record.stages.iter().map(|s| format!("{}={}", s.stage, s.outcome.as_str())).collect();
        let skipped_lines = record.dialogue.len().saturating_sub(DIALOGUE_LINES);
        Self {
            prober: record.prober.clone(),
            stage: record.failed_stage,
            reason: record.reason,
            detail: record.detail.clone(),
            stages: stages.join(" "),
            external: record.external.as_ref().map(PingFacts::from_stats),
            gateway: record.gateway.as_ref().map(GatewayFacts::in_words).filter(|words| !words.is_empty()),
            login_ms: record.login.map(|took| took.as_secs_f64() * 1000.0),
            internal: record.internal.as_ref().map(PingFacts::from_stats),
            checks: record.checks.iter().map(CheckRecord::in_a_word).collect::<Vec<_>>().join(" "),
            dialogue: record.dialogue.iter().skip(skipped_lines).cloned().collect(),
        }
    }
}

impl PingFacts {
    fn from_stats(stats: &PingStats) -> Self {
        Self { rtt_ms: stats.rtt.map(|rtt| rtt.avg.as_secs_f64() * 1000.0), loss_pct: stats.loss_pct() }
    }
}

/// Whether the gateway refused the account here, even where an earlier stage decided the verdict.
fn is_identity_failure(record: &StageRecord) -> bool {
    record.outcome.reason().map(Reason::fault_domain) == Some(FaultDomain::Identity)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::{CycleId, DialogueEvent, FailureKind, Outcome, SiteKind, SiteName, Stage, StageRecord, judge};

    fn record(stages: Vec<StageRecord>) -> CycleRecord {
        let judged = judge(&stages);
        let time = "2026-11-20T07:15:30.250+01:00".parse().unwrap();
        CycleRecord {
            id: CycleId::from_text("id"),
            time,
            site: SiteName::new("paris").unwrap(),
            kind: SiteKind::SslVpn,
            group: None,
            prober: "edge-1".into(),
            interval: Duration::from_mins(10),
            maintenance: None,
            stages,
            verdict: judged.verdict,
            failed_stage: judged.stage,
            reason: judged.reason,
            detail: Some("Access denied".into()),
            external: Some(PingStats::from_rtts(2, &[Duration::from_micros(12_345)])),
            gateway: None,
            login: None,
            internal: None,
            checks: Vec::new(),
            tunnel: None,
            restarts: None,
            restore: None,
            triggered: false,
            leftovers: vec![],
            took: Some(Duration::from_secs(9)),
            dialogue: (0..20).map(|n| DialogueEvent { at_ms: n, sent: false, text: format!("line {n}") }).collect(),
        }
    }

    fn stage(stage: Stage, outcome: Outcome) -> StageRecord {
        StageRecord { stage, outcome, required: true, took: Duration::ZERO, detail: None }
    }

    #[test]
    fn a_cycle_becomes_what_the_policy_and_the_message_need() {
        let seen = Observation::from_record(&record(vec![
            stage(Stage::External, Outcome::Passed),
            stage(Stage::Login, Outcome::Failed(FailureKind::AuthRejected)),
            stage(Stage::Internal, Outcome::Skipped { because_of: Stage::Login }),
        ]));
        assert_eq!(seen.subject, "paris");
        assert_eq!(seen.at, "2026-11-20T06:15:30.250Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        assert!(seen.identity_failure);
        assert_eq!(seen.facts.stages, "external=passed login=auth-rejected internal=skipped");
        assert_eq!(seen.facts.external, Some(PingFacts { rtt_ms: Some(12.345), loss_pct: 50.0 }));
        assert_eq!(seen.facts.login_ms, None, "what was not measured is absent");
        assert_eq!(seen.facts.dialogue.first().unwrap().text, "line 8");
    }

    #[test]
    fn a_refused_account_counts_as_such_although_the_ping_had_failed_before() {
        let seen = Observation::from_record(&record(vec![
            stage(Stage::External, Outcome::Failed(FailureKind::NoReply)),
            stage(Stage::Login, Outcome::Failed(FailureKind::AccountLocked)),
        ]));
        assert!(seen.identity_failure);
        assert_eq!(seen.facts.reason, Some(FailureKind::NoReply.into()));
    }
}
