//! The messages as they are read, word for word.

use super::*;
use crate::record::{FailureKind, MalfunctionKind, Stage, Verdict};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn facts() -> AlertFacts {
    let line = |at_ms, sent, text: &str| DialogueEvent { at_ms, sent, text: text.into() };
    AlertFacts {
        prober: "edge-1".into(),
        stage: Some(Stage::Login),
        reason: Some(FailureKind::AuthRejected.into()),
        detail: Some("the client said: Access Denied".into()),
        stages: "prepare=passed external=passed login=auth-rejected internal=skipped".into(),
        external: Some(PingFacts { rtt_ms: Some(12.345), loss_pct: 20.0 }),
        gateway: Some("tcp 0.3 ms, tls 2.1 ms, certificate 364 days".into()),
        login_ms: None,
        internal: None,
        checks: String::new(),
        dialogue: vec![
            line(812, false, "Password:"),
            line(815, true, "<password>"),
            line(11_204, false, "\u{1b}[31mAccess Denied\u{1b}[0m"),
        ],
    }
}

fn event(kind: AlertKind, facts: AlertFacts) -> AlertEvent {
    AlertEvent {
        id: "id".into(),
        thread: "id".into(),
        subject: "paris".into(),
        at: time("2026-11-20T10:20:00Z"),
        kind,
        facts,
    }
}

fn assert_text(event: &AlertEvent, subject: &str, body: &str) {
    let text = render(event, &"Europe/Paris".parse().unwrap());
    assert_eq!(text.subject, subject);
    assert_eq!(text.body, body, "\n{}", text.body);
}

const FAILURE: &str = "
Site:            paris
Stage:           login
Reason:          auth-rejected
Fault domain:    identity
Detail:          the client said: Access Denied
Prober:          edge-1

What to try
  Log in by hand with the test account, once: was its password changed? The prober tries again only after a rest, so as not to lock it.

Last values
  External ping: 12.345 ms, 20 % lost
  Gateway:       tcp 0.3 ms, tls 2.1 ms, certificate 364 days
  Login:         not measured
  Internal ping: not measured
  Stages:        prepare=passed external=passed login=auth-rejected internal=skipped

Last lines of the dialogue (seconds since the client's start; > was typed by the prober)
    0.812   Password:
    0.815 > <password>
   11.204   Access Denied
";

#[test]
fn down() {
    let start = time("2026-11-20T06:15:30.250Z");
    assert_text(
        &event(AlertKind::Triggered { start, downs: 2 }, facts()),
        "[vpnprobe] paris DOWN: login auth-rejected (identity)",
        &format!("paris is DOWN since 2026-11-20 07:15:30 CET (2 down cycles in a row).\n{FAILURE}"),
    );
}

#[test]
fn still_down() {
    let start = time("2026-11-20T06:15:30.250Z");
    assert_text(
        &event(AlertKind::Reminder { start, number: 1 }, facts()),
        "[vpnprobe] paris still DOWN after 4 h 4 min: login auth-rejected (identity)",
        &format!("paris is still DOWN since 2026-11-20 07:15:30 CET, for 4 h 4 min now (reminder 1).\n{FAILURE}"),
    );
}

#[test]
fn up_again() {
    let now = AlertFacts {
        prober: "edge-1".into(),
        stages: "external=passed login=passed internal=passed".into(),
        external: Some(PingFacts { rtt_ms: Some(11.0), loss_pct: 0.0 }),
        login_ms: Some(4215.4),
        internal: Some(PingFacts { rtt_ms: None, loss_pct: 100.0 }),
        ..AlertFacts::default()
    };
    let (start, end) = (time("2026-11-20T06:15:30Z"), time("2026-11-20T06:40:31Z"));
    assert_text(
        &event(AlertKind::Resolved { start, end, failed: Box::new(facts()) }, now),
        "[vpnprobe] paris is up again after 25 min",
        "paris is up again since 2026-11-20 07:40:31 CET.

Down from:       2026-11-20 07:15:30 CET
Down to:         2026-11-20 07:40:31 CET
Length:          25 min
What failed:     login auth-rejected (identity)
Detail:          the client said: Access Denied
Prober:          edge-1

Values now
  External ping: 11.000 ms, 0 % lost
  Login:         4.215 s
  Internal ping: no reply, 100 % lost
  Stages:        external=passed login=passed internal=passed
",
    );
}

#[test]
fn blind_and_seeing_again() {
    let own = AlertFacts {
        prober: "edge-1".into(),
        stage: Some(Stage::Login),
        reason: Some(MalfunctionKind::ClientMissing.into()),
        stages: "external=passed login=client-missing internal=skipped".into(),
        ..AlertFacts::default()
    };
    let since = time("2026-11-20T09:50:00Z");
    assert_text(
        &event(AlertKind::Blind { since }, own),
        "[vpnprobe] paris UNKNOWN for 30 min: login client-missing (own)",
        "The prober is blind: it cannot tell since 2026-11-20 10:50:00 CET, for 30 min now, whether paris is up or down.

Site:            paris
Stage:           login
Reason:          client-missing
Fault domain:    own
Prober:          edge-1

What to try
  Install the VPN client on the prober's host, or correct the profile's `command`.

Last values
  External ping: not measured
  Login:         not measured
  Internal ping: not measured
  Stages:        external=passed login=client-missing internal=skipped
",
    );
    assert_text(
        &event(AlertKind::BlindOver { since, verdict: Verdict::Down }, AlertFacts::default()),
        "[vpnprobe] paris can be probed again after 30 min: down",
        "The prober can tell again: paris is down. It was blind since 2026-11-20 10:50:00 CET, for 30 min.

Prober:          \n
Values now
  External ping: not measured
  Login:         not measured
  Internal ping: not measured
  Stages:        \n",
    );
}

#[test]
fn nothing_from_outside_can_forge_a_header_or_a_line() {
    let evil = "x\r\nBcc: all@example.com\r\n\r\n\u{1b}]0;owned\u{7}\u{202e}";
    let facts = AlertFacts {
        prober: evil.into(),
        detail: Some(evil.into()),
        stages: evil.into(),
        dialogue: vec![DialogueEvent { at_ms: u64::MAX, sent: false, text: evil.repeat(100) }],
        ..facts()
    };
    let start = time("2026-11-20T06:15:30Z");
    let resolved = AlertKind::Resolved { start, end: start, failed: Box::new(facts.clone()) };
    for kind in [AlertKind::Triggered { start, downs: 1 }, resolved, AlertKind::Blind { since: start }] {
        let text = render(&AlertEvent { subject: evil.repeat(100), ..event(kind, facts.clone()) }, &Zone::utc());
        assert!(!text.subject.chars().any(char::is_control) && text.subject.chars().count() <= MAX_SUBJECT);
        assert!(text.body.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "{}", text.body);
        assert!(!text.body.lines().any(|line| line.starts_with("Bcc")), "{}", text.body);
        assert!(text.body.lines().all(|line| line.chars().count() < 300), "{}", text.body);
    }
}

#[test]
fn lengths_are_said_as_people_say_them() {
    let cases = [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (1559, "25 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400, "1 d"),
        (273_600, "3 d 4 h"),
    ];
    for (seconds, said) in cases {
        assert_eq!(words(Duration::from_secs(seconds)), said);
    }
}
