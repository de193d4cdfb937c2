//! One row of a day file: pure.

use std::fmt::Write as _;
use std::time::Duration;

use crate::record::{CheckRecord, CycleRecord, PingStats, StageRecord, no_formula, seen};

/// The columns, in the order of the contract (`docs/csv.md` describes each). New ones are added at the end.
pub const COLUMNS: [&str; 28] = [
    "time",
    "site",
    "kind",
    "verdict",
    "failed_stage",
    "reason",
    "external_rtt_ms",
    "external_loss_pct",
    "login_ms",
    "internal_rtt_ms",
    "internal_loss_pct",
    "restarts",
    "restore_ms",
    "leftovers",
    "cycle_ms",
    "detail",
    "fault_domain",
    "stages",
    "checks",
    "cert_days_left",
    "public_ip",
    "country",
    "dns_country",
    "interval_s",
    "maintenance",
    "group",
    "prober",
    "cycle_id",
];

/// The cells of a record's row. What was not measured is an empty cell.
pub fn row_of(record: &CycleRecord) -> [String; COLUMNS.len()] {
    let unmeasured = String::new;
    [
        record.time.format("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
        no_formula(record.site.as_str()),
        record.kind.to_string(),
        record.verdict.to_string(),
        record.failed_stage.map(|s| s.to_string()).unwrap_or_default(),
        record.reason.map(|r| r.to_string()).unwrap_or_default(),
        rtt(record.external.as_ref()),
        loss(record.external.as_ref()),
        record.login.map(millis).unwrap_or_default(),
        rtt(record.internal.as_ref()),
        loss(record.internal.as_ref()),
        record.restarts.map(|n| n.to_string()).unwrap_or_default(),
        record.restore.map(millis).unwrap_or_default(),
        record.leftovers.iter().map(|l| l.as_str()).collect::<Vec<_>>().join(" "),
        record.took.map(millis).unwrap_or_default(),
        record.detail.as_deref().map(no_formula).unwrap_or_default(),
        record.reason.map(|r| r.fault_domain().to_string()).unwrap_or_default(),
        stages(&record.stages),
        seen(&record.checks.iter().map(CheckRecord::in_a_word).collect::<Vec<_>>().join(" ")),
        record.cert_days_left().map(|days| days.to_string()).unwrap_or_default(),
        unmeasured(),
        unmeasured(),
        unmeasured(),
        seconds(record.interval),
        record.maintenance.as_ref().map(|window| no_formula(window.label())).unwrap_or_default(),
        record.group.as_deref().map(no_formula).unwrap_or_default(),
        no_formula(&record.prober),
        record.id.to_string(),
    ]
}

fn stages(stages: &[StageRecord]) -> String {
    let words: Vec<_> = stages.iter().map(|s| format!("{}={}", s.stage, s.outcome.as_str())).collect();
    words.join(" ")
}

/// Milliseconds with three decimals.
fn millis(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1000.0)
}

/// Seconds, with decimals only where there are any.
fn seconds(duration: Duration) -> String {
    let mut out = duration.as_secs().to_string();
    if duration.subsec_millis() > 0 {
        let _ = write!(out, ".{:03}", duration.subsec_millis());
    }
    out
}

fn rtt(stats: Option<&PingStats>) -> String {
    stats.and_then(|s| s.rtt).map(|r| millis(r.avg)).unwrap_or_default()
}

fn loss(stats: Option<&PingStats>) -> String {
    let Some(stats) = stats else { return String::new() };
    let text = format!("{:.3}", stats.loss_pct());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::record::{
        CycleId, FailureKind, InForce, LeftoverKind, Outcome, PingStats, SiteKind, SiteName, Stage, Verdict,
    };

    pub(in crate::results) fn record() -> CycleRecord {
        let stage = |stage, outcome| StageRecord {
            stage,
            outcome,
            required: true,
            took: Duration::from_millis(1),
            detail: None,
        };
        CycleRecord {
            id: CycleId::from_text("20261120T061530.123Z-9f3ab2c1"),
            time: "2026-11-20T07:15:30.123+01:00".parse().unwrap(),
            site: SiteName::new("paris, \"north\"").unwrap(),
            kind: SiteKind::SslVpn,
            group: Some("emea".into()),
            prober: "edge-1".into(),
            interval: Duration::from_mins(10),
            maintenance: None,
            stages: vec![
                stage(Stage::Prepare, Outcome::Passed),
                stage(Stage::External, Outcome::Passed),
                stage(Stage::Login, Outcome::Failed(FailureKind::AuthRejected)),
                stage(Stage::Internal, Outcome::Skipped { because_of: Stage::Login }),
            ],
            verdict: Verdict::Down,
            failed_stage: Some(Stage::Login),
            reason: Some(FailureKind::AuthRejected.into()),
            detail: Some("=HYPERLINK(\"x\")\u{1b}[2J\nAccess Denied".into()),
            external: Some(PingStats::from_rtts(3, &[Duration::from_micros(12_345), Duration::from_micros(12_347)])),
            gateway: None,
            login: None,
            internal: None,
            checks: Vec::new(),
            tunnel: None,
            restarts: None,
            restore: None,
            triggered: false,
            leftovers: vec![LeftoverKind::InterfaceLeft, LeftoverKind::RouteLeft],
            took: Some(Duration::from_micros(4_567_890)),
            dialogue: Vec::new(),
        }
    }

    #[test]
    fn a_row_has_a_cell_for_each_column_and_nothing_where_nothing_was_measured() {
        let row = row_of(&record());
        let cell = |name: &str| row[COLUMNS.iter().position(|c| *c == name).unwrap()].as_str();
        assert_eq!(cell("time"), "2026-11-20T07:15:30.123+01:00");
        assert_eq!(cell("external_rtt_ms"), "12.346");
        assert_eq!(cell("external_loss_pct"), "33.333");
        assert_eq!(cell("cycle_ms"), "4567.890");
        assert_eq!(cell("fault_domain"), "identity");
        assert_eq!(cell("stages"), "prepare=passed external=passed login=auth-rejected internal=skipped");
        assert_eq!(cell("leftovers"), "interface-left route-left");
        assert_eq!(cell("interval_s"), "600");
        for empty in ["login_ms", "internal_rtt_ms", "internal_loss_pct", "restarts", "restore_ms", "checks"] {
            assert_eq!(cell(empty), "", "{empty}");
        }
    }

    #[test]
    fn a_cycle_in_maintenance_says_by_which_window() {
        let cell = |name: Option<&str>| {
            let window = InForce {
                name: name.map(str::to_owned),
                until: "2026-11-20T08:00:00Z".parse().unwrap(),
                suppress_alerts: true,
                exclude_from_sla: true,
                pause_restarts: true,
            };
            row_of(&CycleRecord { maintenance: Some(window), ..record() })[24].clone()
        };
        assert_eq!(COLUMNS[24], "maintenance");
        assert_eq!(row_of(&record())[24], "");
        assert_eq!(cell(None), "yes");
        assert_eq!(cell(Some("carrier, \"night\"")), "carrier, \"night\"");
        assert_eq!(cell(Some("=1+1")), "'=1+1");
    }

    #[test]
    fn what_a_gateway_says_is_neither_a_formula_nor_a_new_line() {
        let row = row_of(&record());
        let detail = &row[COLUMNS.iter().position(|c| *c == "detail").unwrap()];
        assert_eq!(detail, "'=HYPERLINK(\"x\") [2J Access Denied");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\u{200b}=1", "\u{202e}=1", " ＝1"] {
            let cell = no_formula(formula);
            assert!(cell.starts_with('\''), "{formula:?}: {cell:?}");
        }
    }

    #[test]
    fn no_loss_is_zero_and_no_ping_is_nothing() {
        let mut record = record();
        record.external = Some(PingStats::from_rtts(1, &[Duration::from_millis(1)]));
        assert_eq!(row_of(&record)[7], "0");
        record.external = None;
        assert_eq!(row_of(&record)[7], "");
    }
}
