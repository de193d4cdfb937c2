//! Messages of what has no verdict, and of all sites, word for word.

use super::*;

#[test]
fn what_a_client_left_and_that_it_is_gone() {
    let kinds = vec![LeftoverKind::InterfaceLeft, LeftoverKind::RouteLeft];
    let said = render(&event(AlertKind::Leftovers { kinds }, facts()), &"Europe/Paris".parse().unwrap());
    assert_eq!(said.subject, "[vpnprobe] paris left something on the host: interface-left, route-left");
    for words in [
        "The client of paris left something on the prober's host that could not be put right.\n",
        "\nLeft:            interface-left, route-left\nProber:          edge-1\n\nWhat to try\n  interface-left: run",
        "\n  route-left: run `vpnprobe cleanup`",
    ] {
        assert!(said.body.contains(words), "{words}: {}", said.body);
    }
    assert_text(
        &event(AlertKind::LeftoversGone { start: time("2026-11-20T06:15:30Z") }, facts()),
        "[vpnprobe] paris: nothing is left on the host any more",
        "Nothing of the client of paris is left on the prober's host any more.

Left since:      2026-11-20 07:15:30 CET
Length:          4 h 4 min
Prober:          edge-1
",
    );
}

#[test]
fn a_certificate_that_runs_out_or_has_and_another_one() {
    let subject = |kind| render(&event(kind, facts()), &"Europe/Paris".parse().unwrap()).subject;
    for (days, words) in [
        (30, "the certificate runs out in 30 days"),
        (1, "the certificate runs out in 1 day"),
        (0, "the certificate runs out within a day"),
        (-1, "the certificate has run out"),
    ] {
        assert_eq!(subject(AlertKind::CertificateExpires { days, first: true }), format!("[vpnprobe] paris: {words}"));
    }
    assert_text(
        &event(AlertKind::CertificateExpires { days: 7, first: true }, facts()),
        "[vpnprobe] paris: the certificate runs out in 7 days",
        "The certificate of the gateway of paris runs out in 7 days.

Site:            paris
Gateway:         tcp 0.3 ms, tls 2.1 ms, certificate 364 days
Prober:          edge-1

What to try
  Renew the gateway's certificate; where its fingerprint is pinned, pin the new one before it is used.
",
    );
    assert_eq!(
        subject(AlertKind::CertificateRenewed { days: 90 }),
        "[vpnprobe] paris: another certificate, which runs out in 90 days"
    );
}

#[test]
fn a_password_that_expires_and_lasts() {
    let line = DialogueEvent { at_ms: 1_500, sent: false, text: "Your password will expire in 3 days.".into() };
    let facts = AlertFacts { dialogue: vec![line], account: Some("probe (realm staff)".into()), ..facts() };
    assert_text(
        &event(AlertKind::PasswordExpires { days: 3, first: true }, facts.clone()),
        "[vpnprobe] paris: the password of its account runs out in 3 days",
        "The password of the account of paris runs out in 3 days, its client says.
Once it has, the login fails, and every site of the account with it.

Site:            paris
Account:         probe (realm staff)
Prober:          edge-1

What to try
  Set a new password for the test account and put it where the prober reads it, both at the same time.

Last lines of the dialogue (seconds since the client's start; > was typed by the prober)
    1.500   Your password will expire in 3 days.
",
    );
    let lasts = render(&event(AlertKind::PasswordRenewed {}, facts), &Zone::utc());
    assert_eq!(lasts.subject, "[vpnprobe] paris: the password of its account lasts");
}

/// As the policy tells it of all sites; the names of as many.
fn of_all(kind: AlertKind, sites: &[&str], facts: AlertFacts) -> AlertEvent {
    let sites = Some(sites.iter().map(|&site| site.to_owned()).collect());
    let facts = AlertFacts { sites, decided_by: Some("rome".into()), ..facts };
    AlertEvent { subject: "all sites of edge-1".into(), ..event(kind, facts) }
}

#[test]
fn all_sites_down() {
    let start = time("2026-11-20T06:15:30.250Z");
    let facts = AlertFacts { dialogue: Vec::new(), ..facts() };
    assert_text(
        &of_all(AlertKind::Triggered { start, downs: 1 }, &["paris", "rome"], facts),
        "[vpnprobe] all sites of edge-1 DOWN (2): login auth-rejected (identity)",
        "All 2 sites fail at stage login since 2026-11-20 07:15:30 CET.
That points to something they share. Until one of them is otherwise, nobody is told of a single site.

Sites:           2: paris, rome
Looked at last:  rome
Stage:           login
Reason:          auth-rejected
Fault domain:    identity
Detail:          the client said: Access Denied
Prober:          edge-1

What to try
  Look first at what they share: the directory or identity provider, the accounts, a licence, the network behind the gateways, this host and its VPN client.
  Log in by hand with the test account, once: was its password changed? The prober tries again only after a rest, so as not to lock it.

Last values of rome
  External ping: 12.345 ms, 20 % lost
  Gateway:       tcp 0.3 ms, tls 2.1 ms, certificate 364 days
  Login:         not measured
  Internal ping: not measured
  Stages:        prepare=passed external=passed login=auth-rejected internal=skipped
",
    );
}

#[test]
fn no_longer_all_sites_down() {
    let (start, end) = (time("2026-11-20T06:15:30Z"), time("2026-11-20T06:40:31Z"));
    let now = AlertFacts { prober: "edge-1".into(), ..AlertFacts::default() };
    assert_text(
        &of_all(AlertKind::Resolved { start, end, failed: Box::new(facts()), restored: false }, &["paris"], now),
        "[vpnprobe] all sites of edge-1: no longer all DOWN after 25 min",
        "Not all sites fail alike any more: rome is up.
Each that still is so at its next cycle is told of singly.

From:            2026-11-20 07:15:30 CET
To:              2026-11-20 07:40:31 CET
Length:          25 min
Still so:        1: paris
Prober:          edge-1
What failed:     login auth-rejected (identity)
",
    );
}

#[test]
fn a_thousand_sites_are_counted_and_a_line_of_them_named() {
    let names: Vec<String> = (0..1000).map(|n| format!("site-{n:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let since = time("2026-11-20T09:50:00Z");
    let text = render(&of_all(AlertKind::Blind { since }, &names, facts()), &Zone::utc());
    assert_eq!(
        text.subject,
        "[vpnprobe] all sites of edge-1 UNKNOWN for 30 min (1000): login auth-rejected (identity)"
    );
    let line = text.body.lines().find(|line| line.starts_with("Sites:")).unwrap();
    assert!(line.starts_with("Sites:           1000: site-0000, site-0001, ") && line.ends_with(" more"), "{line}");
    assert!(line.len() < 300, "{line}");
}
