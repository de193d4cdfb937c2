use super::*;
use crate::config::Severity;
use crate::record::FailureKind;
use crate::zone::Zone;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_176_000 + 60 * minute, 0).unwrap() // 2026-11-20 12:00:00
}

/// Of Paris, whose login failed.
pub(in crate::alert) fn outgoing(kind: AlertKind, first: Option<AlertEvent>) -> Outgoing {
    let facts = AlertFacts {
        prober: "edge-1".into(),
        group: Some("emea".into()),
        kind: Some(SiteKind::SslVpn),
        stage: Some(crate::record::Stage::Login),
        reason: Some(FailureKind::LoginTimeout.into()),
        detail: Some("\"waited\" <long> & in vain".into()),
        stages: "external=passed login=login-timeout".into(),
        external: Some(PingFacts { rtt_ms: Some(12.5), loss_pct: 0.0 }),
        ..AlertFacts::default()
    };
    let thread = "paris.20261120T120000.000Z.down".to_owned();
    let id = if first.is_some() { format!("{thread}.up") } else { thread.clone() };
    let event = AlertEvent { id, thread, subject: "paris".into(), at: at(20), kind, facts };
    Outgoing::of(event, first, &Zone::utc(), at(20))
}

pub(in crate::alert) fn down() -> Outgoing {
    outgoing(AlertKind::Triggered { start: at(0), downs: 2 }, None)
}

/// The end of it: nothing fails any more.
pub(in crate::alert) fn up() -> Outgoing {
    let failed = Box::new(down().event.facts);
    let kind = AlertKind::Resolved { start: at(0), end: at(30), failed, restored: false };
    let mut up = outgoing(kind, Some(down().event));
    up.event.facts = AlertFacts { prober: "edge-1".into(), login_ms: Some(812.25), ..AlertFacts::default() };
    up
}

#[test]
fn the_document_says_what_happened_to_whom_and_what_was_measured() {
    let mut document = down().document();
    let text = document["text"].take();
    assert!(text.as_str().unwrap().contains("paris is DOWN since 2026-11-20 12:00:00 UTC"), "{text}");
    assert_eq!(
        document,
        json!({
            "version": 1, "id": "paris.20261120T120000.000Z.down", "thread": "paris.20261120T120000.000Z.down",
            "kind": "triggered", "status": "firing", "severity": "critical", "site": "paris", "site_kind": "ssl-vpn",
            "group": "emea", "prober": "edge-1", "at": "2026-11-20T12:20:00.000Z",
            "start": "2026-11-20T12:00:00.000Z", "end": null, "seconds": 1200, "verdict": "down", "stage": "login",
            "reason": "login-timeout", "fault_domain": "gateway", "detail": "\"waited\" <long> & in vain",
            "sites": null,
            "values": {
                "external_rtt_ms": 12.5, "external_loss_pct": 0.0, "login_ms": null, "internal_rtt_ms": null,
                "internal_loss_pct": null, "checks": null, "stages": "external=passed login=login-timeout",
            },
            "subject": "[vpnprobe] paris DOWN: login login-timeout (gateway)", "text": null,
        })
    );
}

#[test]
fn the_end_says_what_had_failed_and_what_is_measured_now() {
    let document = up().document();
    for (name, expected) in [
        ("kind", json!("resolved")),
        ("status", json!("resolved")),
        ("severity", json!("critical")),
        ("verdict", json!("up")),
        ("end", json!("2026-11-20T12:30:00.000Z")),
        ("seconds", json!(1800)),
        ("reason", json!("login-timeout")),
        ("thread", json!("paris.20261120T120000.000Z.down")),
    ] {
        assert_eq!(document[name], expected, "{name}");
    }
    assert_eq!(document["values"]["login_ms"], json!(812.25));
}

#[test]
fn every_field_of_a_template_has_a_meaning() {
    for name in MESSAGE_FIELDS {
        assert!(down().field(name).is_some(), "{name}");
    }
    assert_eq!(down().field("password"), None);
}

#[test]
fn an_end_matters_as_much_as_its_beginning() {
    for (begun, over) in [
        (AlertKind::Triggered { start: at(0), downs: 1 }, up().event.kind),
        (AlertKind::Blind { since: at(0) }, AlertKind::BlindOver { since: at(0), verdict: Verdict::Up }),
        (
            AlertKind::Unsteady { start: at(0), number: 0, hour: 3, day: 3 },
            AlertKind::Steady { start: at(0), end: at(9), times: 3 },
        ),
    ] {
        assert_eq!(begun.severity(), over.severity());
        assert!(begun.severity() > Severity::Info);
    }
}
