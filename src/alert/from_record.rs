//! From the record of a cycle to what the policy observes. The only file here that knows a cycle.

use super::{AlertFacts, Back, Observation, PingFacts, RestartFacts};
use crate::record::{
    CheckRecord, CycleRecord, FaultDomain, GatewayFacts, MalfunctionKind, Outcome, PingStats, Reason, Stage,
    StageRecord, Verdict,
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
            since: None,
            interval: record.interval,
            identity_failure: record.verdict == Verdict::Down && record.stages.iter().any(is_identity_failure),
            paused: record.reason == Some(MalfunctionKind::AccountPaused.into()) || is_own_outage(record),
            silenced: record.maintenance.as_ref().is_some_and(|window| window.suppress_alerts),
            triggered: record.triggered,
            back: back(record),
            leftovers: record.stages.iter().any(has_cleaned_up).then(|| record.leftovers.clone()),
            cert_days_left: record.cert_days_left(),
            account: None,
            password: record.password_term(),
            uplink: uplink(record),
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
            group: record.group.clone(),
            kind: Some(record.kind),
            stage: record.failed_stage,
            reason: record.reason,
            detail: record.detail.clone(),
            stages: stages.join(" "),
            external: record.external.as_ref().map(PingFacts::from_stats),
            gateway: record.gateway.as_ref().map(GatewayFacts::in_words).filter(|words| !words.is_empty()),
            login_ms: record.login.map(|took| took.as_secs_f64() * 1000.0),
            internal: record.internal.as_ref().map(PingFacts::from_stats),
            checks: record.checks.iter().map(CheckRecord::in_a_word).collect::<Vec<_>>().join(" "),
            tunnel: record.tunnel,
            restart: record.stages.iter().find_map(RestartFacts::from_stage),
            dialogue: record.dialogue.iter().skip(skipped_lines).cloned().collect(),
            account: None,
            sites: None,
            decided_by: None,
        }
    }
}

impl PingFacts {
    fn from_stats(stats: &PingStats) -> Self {
        Self { rtt_ms: stats.rtt.map(|rtt| rtt.avg.as_secs_f64() * 1000.0), loss_pct: stats.loss_pct() }
    }
}

impl RestartFacts {
    /// What the stage says; nothing where there was no need for it.
    fn from_stage(record: &StageRecord) -> Option<Self> {
        if record.stage != Stage::Restart {
            return None;
        }
        let detail = record.detail.as_deref();
        let words = match record.outcome {
            Outcome::Passed => detail?.to_owned(),
            Outcome::Skipped { .. } => format!("none: {}", detail?),
            failed => [failed.as_str()].into_iter().chain(detail).collect::<Vec<_>>().join(": "),
        };
        Some(Self { reason: record.outcome.reason(), words })
    }
}

/// Whether it was found dead and is up at the end.
fn back(record: &CycleRecord) -> Option<Back> {
    let after = record.restore.filter(|_| record.verdict == Verdict::Up)?;
    Some(Back { after, restored: record.restarts.is_some_and(|restarts| restarts > 0) })
}

/// Whether the gateway refused the account here, even where an earlier stage decided the verdict.
fn is_identity_failure(record: &StageRecord) -> bool {
    record.outcome.reason().map(Reason::fault_domain) == Some(FaultDomain::Identity)
}

/// Whether the prober found that it can't see at all.
fn is_own_outage(record: &CycleRecord) -> bool {
    record.verdict == Verdict::Unknown && record.reason == Some(MalfunctionKind::OwnUplinkDown.into())
}

/// What it says of the prober's own uplink: nothing, where nothing outside was asked or nothing answered.
fn uplink(record: &CycleRecord) -> Option<bool> {
    if is_own_outage(record) {
        return Some(false);
    }
    let asks_outside = |s: &StageRecord| matches!(s.stage, Stage::External | Stage::Gateway | Stage::Login);
    let reached = |s: &StageRecord| (asks_outside(s) && s.outcome.is_passed()) || is_identity_failure(s);
    (record.verdict == Verdict::Up || record.stages.iter().any(reached)).then_some(true)
}

/// Whether there was something to clean up.
fn has_cleaned_up(record: &StageRecord) -> bool {
    record.stage == Stage::Cleanup && !matches!(record.outcome, Outcome::Skipped { .. })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::{CycleId, DialogueEvent, FailureKind, SiteKind, SiteName, judge};

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

    /// A tunnel that had fallen, and what became of it.
    fn fallen(restart: Outcome, words: Option<&str>, restarts: u32) -> Observation {
        let restart = StageRecord { detail: words.map(str::to_owned), ..stage(Stage::Restart, restart) };
        Observation::from_record(&CycleRecord {
            kind: SiteKind::Ipsec,
            restarts: Some(restarts),
            restore: restart.outcome.is_passed().then_some(Duration::from_millis(1250)),
            triggered: true,
            ..record(vec![
                stage(Stage::Sa, Outcome::Failed(FailureKind::SaMissing)),
                stage(Stage::Internal, Outcome::Failed(FailureKind::InternalUnreachable)),
                restart,
            ])
        })
    }

    #[test]
    fn a_restored_tunnel_says_who_restored_it_and_when() {
        let after = Duration::from_millis(1250);
        let by_us = fallen(Outcome::Passed, Some("restored within 812 ms, attempt 1"), 1);
        assert!(by_us.verdict == Verdict::Up && by_us.triggered);
        assert_eq!(by_us.back, Some(Back { after, restored: true }));
        assert_eq!((by_us.facts.kind, by_us.facts.stage), (Some(SiteKind::Ipsec), Some(Stage::Sa)));
        let words = "restored within 812 ms, attempt 1".into();
        assert_eq!(by_us.facts.restart, Some(RestartFacts { reason: None, words }));
        let by_itself = fallen(Outcome::Passed, Some("came up by itself"), 0);
        assert_eq!(by_itself.back, Some(Back { after, restored: false }));
    }

    #[test]
    fn a_tunnel_that_stays_down_says_what_was_tried_or_why_nothing_was() {
        let restart = |outcome, words, restarts| {
            let seen = fallen(outcome, words, restarts);
            assert_eq!((seen.verdict, seen.back), (Verdict::Down, None));
            seen.facts.restart.map(|restart| (restart.reason, restart.words))
        };
        let failed = FailureKind::RestartFailed;
        let tried = Some((Some(failed.into()), "restart-failed: attempt 3: no answer".to_owned()));
        assert_eq!(restart(Outcome::Failed(failed), Some("attempt 3: no answer"), 1), tried);
        let skipped = Outcome::Skipped { because_of: Stage::Sa };
        let watched = Some((None, "none: it is only watched".to_owned()));
        assert_eq!(restart(skipped, Some("it is only watched"), 0), watched);
        assert_eq!(restart(skipped, None, 0), None);
    }

    #[test]
    fn a_login_or_its_refusal_shows_that_the_uplink_is_there() {
        let uplink = |login, internal| {
            let stages = vec![stage(Stage::Login, login), stage(Stage::Internal, internal)];
            Observation::from_record(&record(stages)).uplink
        };
        let (silent, skipped) =
            (Outcome::Failed(FailureKind::InternalUnreachable), Outcome::Skipped { because_of: Stage::Login });
        let own = Outcome::Inconclusive(MalfunctionKind::OwnUplinkDown);
        assert_eq!(uplink(Outcome::Passed, silent), Some(true));
        assert_eq!(uplink(Outcome::Failed(FailureKind::AccountLocked), skipped), Some(true));
        assert_eq!(uplink(Outcome::Failed(FailureKind::LoginTimeout), skipped), None);
        assert_eq!(uplink(Outcome::Passed, own), Some(false));
        assert_eq!(uplink(own, skipped), Some(false));
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
