//! The messages as they are read, word for word.

use super::*;
use crate::alert::{FlapCounts, RestartFacts};
use crate::record::{FailureKind, LeftoverKind, MalfunctionKind, SiteKind, Stage, TunnelFacts, Verdict};

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn facts() -> AlertFacts {
    let line = |at_ms, sent, text: &str| DialogueEvent { at_ms, sent, text: text.into() };
    AlertFacts {
        prober: "edge-1".into(),
        group: None,
        kind: Some(SiteKind::SslVpn),
        stage: Some(Stage::Login),
        reason: Some(FailureKind::AuthRejected.into()),
        detail: Some("the client said: Access Denied".into()),
        stages: "prepare=passed external=passed login=auth-rejected internal=skipped".into(),
        external: Some(PingFacts { rtt_ms: Some(12.345), loss_pct: 20.0 }),
        gateway: Some("tcp 0.3 ms, tls 2.1 ms, certificate 364 days".into()),
        login_ms: None,
        internal: None,
        checks: String::new(),
        tunnel: None,
        restart: None,
        dialogue: vec![
            line(812, false, "Password:"),
            line(815, true, "<password>"),
            line(11_204, false, "\u{1b}[31mAccess Denied\u{1b}[0m"),
        ],
        account: None,
        sites: None,
        decided_by: None,
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
        &event(AlertKind::Resolved { start, end, failed: Box::new(facts()), restored: false }, now),
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

/// What is found of a tunnel.
fn tunnel_facts() -> AlertFacts {
    AlertFacts {
        prober: "edge-1".into(),
        kind: Some(SiteKind::Ipsec),
        stage: Some(Stage::Sa),
        reason: Some(FailureKind::SaMissing.into()),
        detail: Some("the IKE_SA is gone, and with it the CHILD_SA".into()),
        stages: "external=passed sa=sa-missing internal=internal-unreachable restart=passed keepalive=passed".into(),
        external: Some(PingFacts { rtt_ms: Some(12.345), loss_pct: 0.0 }),
        internal: Some(PingFacts { rtt_ms: Some(14.2), loss_pct: 0.0 }),
        tunnel: Some(TunnelFacts { installed: 1, bytes_in: 420, bytes_out: 840, packets_in: 5, packets_out: 10 }),
        restart: Some(RestartFacts { reason: None, words: "restored within 812 ms, attempt 1".into() }),
        ..AlertFacts::default()
    }
}

const TUNNEL_NOW: &str = "
Values now
  External ping: 12.345 ms, 0 % lost
  Internal ping: 14.200 ms, 0 % lost
  Tunnel:        in 420 bytes (5 packets), out 840 bytes (10 packets)
  Stages:        external=passed sa=sa-missing internal=internal-unreachable restart=passed keepalive=passed
";

#[test]
fn restored() {
    let (start, end) = (time("2026-11-20T10:20:00Z"), time("2026-11-20T10:20:01.250Z"));
    assert_text(
        &event(AlertKind::Restored { start, end, hour: 1, day: 4 }, tunnel_facts()),
        "[vpnprobe] paris restored after 1.2 s: sa sa-missing (tunnel)",
        &format!(
            "paris had fallen, and the prober brought it back: it carries traffic again since 2026-11-20 11:20:01 CET.
This is a notice: nothing is to be done. The third within an hour is an alert.

Down from:       2026-11-20 11:20:00 CET
Down to:         2026-11-20 11:20:01 CET
Length:          1.2 s
What failed:     sa sa-missing (tunnel)
Detail:          the IKE_SA is gone, and with it the CHILD_SA
Restart:         restored within 812 ms, attempt 1
Restored:        once in the last hour, 4 times in the last day
Prober:          edge-1
{TUNNEL_NOW}"
        ),
    );
}

#[test]
fn again_and_again_and_not_any_more() {
    let start = time("2026-11-20T09:35:00Z");
    assert_text(
        &event(AlertKind::Unsteady { start, number: 0, hour: 3, day: 480 }, tunnel_facts()),
        "[vpnprobe] paris FALLS again and again, restored 3 times within an hour: sa sa-missing (tunnel)",
        &format!(
            "paris falls again and again, since 2026-11-20 10:35:00 CET, and the prober brings it back.
Now it carries traffic again. There are no more notices until it has held for an hour.

What failed:     sa sa-missing (tunnel)
Detail:          the IKE_SA is gone, and with it the CHILD_SA
Restart:         restored within 812 ms, attempt 1
Restored:        3 times in the last hour, 480 times or more in the last day
Prober:          edge-1

What to try
  Look for what the falls have in common: the line to the peer, lifetimes and proposals of both sides, the peer's log at those times. Users lose their connections each time.
{TUNNEL_NOW}"
        ),
    );
    let not_asked = AlertFacts { internal: None, ..tunnel_facts() };
    let text = render(
        &event(AlertKind::Unsteady { start, number: 1, hour: 2, day: 12 }, not_asked),
        &"Europe/Paris".parse().unwrap(),
    );
    assert_eq!(text.subject, "[vpnprobe] paris still FALLS again and again after 45 min: sa sa-missing (tunnel)");
    let began = "paris still falls again and again, since 2026-11-20 10:35:00 CET, for 45 min now (reminder 1).
Now it is up again. ";
    assert!(text.body.starts_with(began), "{}", text.body);

    let now = AlertFacts { stage: None, reason: None, detail: None, restart: None, ..tunnel_facts() };
    assert_text(
        &event(AlertKind::Steady { start, end: time("2026-11-20T14:00:00Z"), times: 7 }, now),
        "[vpnprobe] paris holds again, restored 7 times in 4 h 25 min",
        &format!(
            "paris holds: whenever it was looked at since 2026-11-20 15:00:00 CET, it was up.

Fell from:       2026-11-20 10:35:00 CET
Fell to:         2026-11-20 15:00:00 CET
Length:          4 h 25 min
Restored:        7 times
Prober:          edge-1
{TUNNEL_NOW}"
        ),
    );
}

#[test]
fn a_tunnel_that_is_left_down_says_what_was_tried() {
    let words = "restart-limit: restarted 3 times within the last hour; the next is allowed at 11:35:00 UTC";
    let facts = AlertFacts {
        stages: "external=passed sa=sa-missing internal=internal-unreachable restart=restart-limit keepalive=skipped"
            .into(),
        internal: Some(PingFacts { rtt_ms: None, loss_pct: 100.0 }),
        tunnel: None,
        restart: Some(RestartFacts { reason: Some(FailureKind::RestartLimit.into()), words: words.into() }),
        ..tunnel_facts()
    };
    let start = time("2026-11-20T10:10:00Z");
    assert_text(
        &event(AlertKind::Triggered { start, downs: 2 }, facts.clone()),
        "[vpnprobe] paris DOWN: sa sa-missing (tunnel), then restart-limit",
        &format!(
            "paris is DOWN since 2026-11-20 11:10:00 CET (2 down cycles in a row).

Site:            paris
Stage:           sa
Reason:          sa-missing
Fault domain:    tunnel
Detail:          the IKE_SA is gone, and with it the CHILD_SA
Restart:         {words}
Prober:          edge-1

What to try
  strongSwan has no SA of this tunnel, and it was not brought back: try `swanctl --initiate --child NAME`; its words name the side at fault.
  The tunnel falls again and again, and is left alone for now: look for the cause (peer, line, lifetimes) before you restart it.

Last values
  External ping: 12.345 ms, 0 % lost
  Internal ping: no reply, 100 % lost
  Stages:        external=passed sa=sa-missing internal=internal-unreachable restart=restart-limit keepalive=skipped
"
        ),
    );
    let (end, failed) = (time("2026-11-20T10:35:02Z"), Box::new(facts));
    assert_text(
        &event(AlertKind::Resolved { start, end, failed, restored: true }, tunnel_facts()),
        "[vpnprobe] paris is up again after 25 min, restored",
        &format!(
            "paris is up again since 2026-11-20 11:35:02 CET: the prober restored it.

Down from:       2026-11-20 11:10:00 CET
Down to:         2026-11-20 11:35:02 CET
Length:          25 min
What failed:     sa sa-missing (tunnel), then restart-limit
Detail:          the IKE_SA is gone, and with it the CHILD_SA
Restart:         restored within 812 ms, attempt 1
Prober:          edge-1
{TUNNEL_NOW}"
        ),
    );
}

#[test]
fn duplicates_of_a_tunnel_are_said() {
    let tunnel = TunnelFacts { installed: 3, ..tunnel_facts().tunnel.unwrap() };
    let facts = AlertFacts { tunnel: Some(tunnel), ..tunnel_facts() };
    let start = time("2026-11-20T10:20:00Z");
    let text =
        render(&event(AlertKind::Restored { start, end: start, hour: 2, day: 2 }, facts), &"Etc/UTC".parse().unwrap());
    let words = "in 420 bytes (5 packets), out 840 bytes (10 packets); 3 CHILD_SAs are up: duplicates\n";
    assert!(text.body.contains(words), "{}", text.body);
}

#[test]
fn nothing_from_outside_can_forge_a_header_or_a_line() {
    let evil = "x\r\nBcc: all@example.com\r\n\r\n\u{1b}]0;owned\u{7}\u{202e}";
    let facts = AlertFacts {
        prober: evil.into(),
        detail: Some(evil.into()),
        stages: evil.into(),
        dialogue: vec![DialogueEvent { at_ms: u64::MAX, sent: false, text: evil.repeat(100) }],
        restart: Some(RestartFacts { reason: None, words: evil.repeat(100) }),
        ..facts()
    };
    let start = time("2026-11-20T06:15:30Z");
    let resolved = AlertKind::Resolved { start, end: start, failed: Box::new(facts.clone()), restored: true };
    let restored = AlertKind::Restored { start, end: start, hour: 1, day: 1 };
    let flapping = AlertKind::Flapping { changes: 6, verdict: Verdict::Down };
    let left = AlertKind::Leftovers { kinds: LeftoverKind::ALL.to_vec() };
    let certificate = AlertKind::CertificateExpires { days: 7, first: true };
    let blind = AlertKind::Blind { since: start };
    let triggered = AlertKind::Triggered { start, downs: 1 };
    for kind in [triggered, resolved, blind, restored, flapping, left, certificate] {
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

#[test]
fn one_that_flaps_and_what_is_told_until_it_is_over() {
    let up = AlertFacts { stage: None, reason: None, detail: None, dialogue: Vec::new(), ..facts() };
    let counts = FlapCounts { up: 12, down: 9, falls: 7 };
    let start = time("2026-11-20T06:15:30Z");
    let flapping = AlertKind::Flapping { changes: 6, verdict: Verdict::Down };
    let said = render(&event(flapping, facts()), &"Europe/Paris".parse().unwrap());
    assert_eq!(said.subject, "[vpnprobe] paris FLAPS: 6 changes in 21 cycles, down now");
    assert!(said.body.starts_with(
        "paris changes between up and down again and again: 6 times in the last 21 cycles. It is down now.\n\
         Until that is over there is a digest now and then; an outage of 7 cycles in a row is told all the same.\n\
         \nSite:            paris\nWhat failed:     login auth-rejected (identity)\n"
    ));
    let digest = AlertKind::FlappingDigest {
        start,
        since: time("2026-11-20T09:15:30Z"),
        number: 1,
        counts,
        verdict: Verdict::Up,
    };
    let said = render(&event(digest, up.clone()), &"Europe/Paris".parse().unwrap());
    assert_eq!(said.subject, "[vpnprobe] paris still FLAPS after 4 h 4 min: 12 up, 9 down; it went down 7 times");
    assert!(said.body.contains("\nSince:           2026-11-20 10:15:30 CET\nCycles:          12 up, 9 down; it went"));
    assert_text(
        &event(AlertKind::FlappingOver { start, counts, verdict: Verdict::Up }, up),
        "[vpnprobe] paris no longer flaps after 4 h 4 min: up",
        "paris no longer changes between up and down: it stays up.

From:            2026-11-20 07:15:30 CET
To:              2026-11-20 11:20:00 CET
Length:          4 h 4 min
Cycles:          12 up, 9 down; it went down 7 times
Prober:          edge-1

Values now
  External ping: 12.345 ms, 20 % lost
  Gateway:       tcp 0.3 ms, tls 2.1 ms, certificate 364 days
  Login:         not measured
  Internal ping: not measured
  Stages:        prepare=passed external=passed login=auth-rejected internal=skipped
",
    );
}

#[path = "message_host_tests.rs"]
mod host_and_all;
