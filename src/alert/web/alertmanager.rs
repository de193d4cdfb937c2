//! What Alertmanager is told, and what it would tell a webhook. Pure.
//!
//! An alert of Alertmanager is known by its labels: all events of a story have those of its first event, so that its end
//! finds it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::alert::document::rfc3339;
use crate::alert::{AlertKind, Outgoing};

/// Where it takes alerts.
pub(super) const PATH: &str = "/api/v2/alerts";
/// What Alertmanager's payload has for an end that there is not yet.
const NO_END: &str = "0001-01-01T00:00:00Z";
/// A test fires for so long.
const TEST: TimeDelta = TimeDelta::minutes(1);
/// Where the program is explained.
const GENERATOR: &str = "";

/// The alerts of these events, as its API takes them.
pub(super) fn body(events: &[&Outgoing]) -> Vec<u8> {
    Value::from(events.iter().map(|outgoing| alert(outgoing)).collect::<Vec<_>>()).to_string().into_bytes()
}

fn alert(outgoing: &Outgoing) -> Value {
    let mut alert = json!({
        "labels": labels(outgoing),
        "annotations": annotations(outgoing),
        "startsAt": rfc3339(starts_at(outgoing)),
    });
    if let Some(end) = ends_at(outgoing) {
        alert["endsAt"] = json!(rfc3339(end));
    }
    alert
}

fn starts_at(outgoing: &Outgoing) -> chrono::DateTime<chrono::Utc> {
    outgoing.event.span().0.unwrap_or(outgoing.event.at)
}

/// None as long as it fires: Alertmanager's `resolve_timeout` counts then. It never tells of an alert that was over when it
/// first heard of it, so a notice fires too.
fn ends_at(outgoing: &Outgoing) -> Option<chrono::DateTime<chrono::Utc>> {
    match outgoing.event.kind {
        AlertKind::Test { .. } => outgoing.event.at.checked_add_signed(TEST),
        _ if outgoing.status() == "resolved" => outgoing.event.span().1,
        _ => None,
    }
}

fn labels(outgoing: &Outgoing) -> BTreeMap<&'static str, String> {
    let fields = ["site", "prober", "severity", "stage", "reason", "fault_domain", "group"];
    let named = fields.into_iter().map(|name| (name, name)).chain([("kind", "site_kind")]);
    let values = named.filter_map(|(label, name)| Some((label, outgoing.field(name)?)));
    // An empty label is no label.
    let mut labels: BTreeMap<_, _> = values.filter(|(_, value)| !value.is_empty()).collect();
    labels.insert("alertname", alert_name(outgoing).to_owned());
    labels
}

/// One for each kind of story.
fn alert_name(outgoing: &Outgoing) -> &'static str {
    match outgoing.event.kind {
        AlertKind::Triggered { .. } | AlertKind::Reminder { .. } | AlertKind::Resolved { .. }
            if outgoing.cause().sites.is_some() =>
        {
            "VpnAllSitesDown"
        }
        AlertKind::Triggered { .. } | AlertKind::Reminder { .. } | AlertKind::Resolved { .. } => "VpnSiteDown",
        AlertKind::Unsteady { .. } | AlertKind::Steady { .. } => "VpnTunnelUnsteady",
        AlertKind::Restored { .. } => "VpnTunnelRestored",
        AlertKind::Blind { .. } | AlertKind::BlindOver { .. } => "VpnProberBlind",
        AlertKind::Flapping { .. } | AlertKind::FlappingDigest { .. } | AlertKind::FlappingOver { .. } => {
            "VpnSiteFlapping"
        }
        AlertKind::Leftovers { .. } | AlertKind::LeftoversGone { .. } => "VpnClientLeftovers",
        AlertKind::CertificateExpires { .. } | AlertKind::CertificateRenewed { .. } => "VpnCertificateExpires",
        AlertKind::PasswordExpires { .. } | AlertKind::PasswordRenewed {} => "VpnPasswordExpires",
        AlertKind::Test { .. } => "VpnprobeTest",
        AlertKind::Report { .. } => "VpnprobeReport",
    }
}

fn annotations(outgoing: &Outgoing) -> Value {
    json!({ "summary": outgoing.subject, "description": outgoing.body })
}

/// What Alertmanager sends to a webhook, version 4, with this one alert.
pub(super) fn webhook(receiver: &str, outgoing: &Outgoing) -> Value {
    let (labels, annotations) = (labels(outgoing), annotations(outgoing));
    let status = if outgoing.status() == "resolved" { "resolved" } else { "firing" };
    let ends_at = ends_at(outgoing).map_or_else(|| NO_END.to_owned(), rfc3339);
    let name = alert_name(outgoing);
    json!({
        "version": "4",
        "groupKey": format!("{{}}:{{alertname=\"{name}\", site=\"{}\"}}", outgoing.field("site").unwrap_or_default()),
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": { "alertname": name, "site": outgoing.field("site") },
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": GENERATOR,
        "alerts": [{
            "status": status,
            "labels": labels,
            "annotations": annotations,
            "startsAt": rfc3339(starts_at(outgoing)),
            "endsAt": ends_at,
            "generatorURL": GENERATOR,
            "fingerprint": format!("{:016x}", crate::alert::event::fnv1a(&outgoing.event.thread)),
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::document::tests::{down, outgoing, up};

    fn pushed(outgoing: &Outgoing) -> Value {
        let alerts: Value = serde_json::from_slice(&body(&[outgoing])).unwrap();
        alerts[0].clone()
    }

    #[test]
    fn an_alert_has_the_true_start_and_no_end_as_long_as_it_fires() {
        let alert = pushed(&down());
        let labels = json!({
            "alertname": "VpnSiteDown", "site": "paris", "prober": "edge-1", "kind": "ssl-vpn", "severity": "critical",
            "stage": "login", "reason": "login-timeout", "fault_domain": "gateway", "group": "emea",
        });
        assert_eq!(alert["labels"], labels);
        assert_eq!(alert["startsAt"], "2026-11-20T12:00:00.000Z");
        assert_eq!(alert.get("endsAt"), None);
        assert_eq!(alert["annotations"]["summary"], "[vpnprobe] paris DOWN: login login-timeout (gateway)");
    }

    #[test]
    fn the_end_has_the_labels_of_the_beginning() {
        let alert = pushed(&up());
        assert_eq!(alert["labels"], pushed(&down())["labels"]);
        assert_eq!(
            (&alert["startsAt"], &alert["endsAt"]),
            (&json!("2026-11-20T12:00:00.000Z"), &json!("2026-11-20T12:30:00.000Z"))
        );
    }

    #[test]
    fn a_notice_fires_as_alertmanager_tells_of_nothing_that_is_over() {
        let at = down().event.at;
        let notice = outgoing(AlertKind::Restored { start: at, end: at, hour: 1, day: 1 }, None);
        assert_eq!(pushed(&notice).get("endsAt"), None);
    }

    #[test]
    fn a_webhook_gets_what_alertmanager_would_send_it() {
        let payload = webhook("hook", &down());
        for (at, expected) in [
            ("/version", json!("4")),
            ("/status", json!("firing")),
            ("/receiver", json!("hook")),
            ("/alerts/0/labels/site", json!("paris")),
            ("/alerts/0/endsAt", json!("0001-01-01T00:00:00Z")),
            ("/commonLabels/alertname", json!("VpnSiteDown")),
        ] {
            assert_eq!(payload.pointer(at), Some(&expected), "{at}");
        }
        let over = webhook("hook", &up());
        assert_eq!(over["alerts"][0]["fingerprint"], payload["alerts"][0]["fingerprint"]);
        assert_eq!(
            (&over["status"], &over["alerts"][0]["endsAt"]),
            (&json!("resolved"), &json!("2026-11-20T12:30:00.000Z"))
        );
    }
}
