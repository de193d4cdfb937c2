//! People are told once when a site is down and once when it is over, and no login waits for the mail server.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;
use vpnprobe::clock::{Clock, SystemClock};

use crate::lab::{Lab, Setup, until};

/// A connection to a remote port 25 that stands, as the kernel's table writes it. One that was closed stays in the table
/// for a minute, in another state.
const SMTP: &str = ":0019 01 ";

const PLAIN: &str = "server: 10.79.0.1";

#[test]
fn an_outage_is_told_once_and_its_end_once() {
    let lab = Lab::locked();
    lab.gateway("stop");
    let paris = lab.site("paris", "client: openconnect").top("frequency: 2").email(PLAIN);
    let prober = paris.start(&["run"]);
    prober.rows(1);
    assert_eq!(lab.mails().len(), 0, "one down cycle is no outage");
    prober.rows(2);
    until("the first mail", || (lab.mails().len() == 1).then_some(()));
    prober.rows(4);
    assert_eq!(lab.mails().len(), 1, "told again while it lasts");
    lab.gateway("start");
    until("the second mail", || (lab.mails().len() == 2).then_some(()));
    let so_far = paris.rows().len();
    prober.rows(so_far + 2);
    prober.stop().exits(0);

    let mails = lab.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].header("Subject"), "[vpnprobe] paris DOWN: gateway connect-refused (gateway)");
    assert!(mails[1].header("Subject").starts_with("[vpnprobe] paris is up again after "), "{}", mails[1].text);
    assert_eq!(mails[0].header("In-Reply-To"), "");
    assert_eq!(mails[1].header("In-Reply-To"), mails[0].header("Message-ID"));
    assert_ne!(mails[1].header("Message-ID"), mails[0].header("Message-ID"));
    let rows = paris.rows();
    let started = rows[0].time().format("%Y-%m-%d %H:%M:%S").to_string();
    assert!(mails[1].text.contains(&started), "the mail tells when it began, {started}: {}", mails[1].text);
    rows[0].is("down", "gateway", "connect-refused", "gateway");
    rows.last().unwrap().is_up();
}

#[test]
fn a_pulled_cable_is_one_mail_for_all_sites_and_one_when_it_is_back() {
    let lab = Lab::locked();
    let both = lab.site("paris", "client: openconnect").site("oslo", "client: lab-startct");
    let both = both.top("frequency: 2").top("prober: edge-1").email(PLAIN);
    let pulled = lab.cable_is_pulled();
    let prober = both.start(&["run"]);
    until("the first mail", || (lab.mails().len() == 1).then_some(()));
    for row in &prober.rows(6) {
        row.is("unknown", "external", "own-uplink-down", "own");
        row.expect("stages", "prepare=passed external=own-uplink-down gateway=skipped login=skipped internal=skipped teardown=skipped cleanup=skipped");
    }
    assert_eq!((lab.mails().len(), lab.passwords_at_gateway()), (1, 0));
    drop(pulled);
    until("the second mail", || (lab.mails().len() == 2).then_some(()));
    until("both are up", || {
        let rows = both.rows();
        ["paris", "oslo"]
            .iter()
            .all(|site| rows.iter().any(|r| r.cell("site") == *site && r.cell("verdict") == "up"))
            .then_some(())
    });
    prober.stop().exits(0);
    let mails = lab.mails();
    assert_eq!(mails.len(), 2, "{:?}", mails.iter().map(|mail| mail.header("Subject")).collect::<Vec<_>>());
    assert_eq!(mails[0].header("Subject"), "[vpnprobe] uplink of edge-1 DOWN: external own-uplink-down (own)");
    assert!(mails[0].text.contains("no carrier on"), "{}", mails[0].text);
    assert!(mails[1].header("Subject").starts_with("[vpnprobe] uplink of edge-1 is up again after "));
    assert!(both.rows().iter().all(|row| row.cell("verdict") != "down"));
}

#[test]
fn what_all_sites_have_in_common_is_one_mail_and_its_end_one() {
    let lab = Lab::locked();
    lab.gateway("stop");
    let sites = lab.site("paris", "client: openconnect").site("oslo", "client: openconnect");
    let sites = sites.top("frequency: 2").top("prober: edge-1").email(PLAIN);
    let prober = sites.start(&["run"]);
    until("the first mail", || (lab.mails().len() == 1).then_some(()));
    prober.rows(6);
    lab.gateway("start");
    until("the second mail", || (lab.mails().len() == 2).then_some(()));
    let so_far = sites.rows().len();
    prober.rows(so_far + 4);
    prober.stop().exits(0);
    let mails = lab.mails();
    let subjects: Vec<_> = mails.iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(mails.len(), 2, "{subjects:?}");
    assert_eq!(subjects[0], "[vpnprobe] all sites of edge-1 DOWN (2): gateway connect-refused (gateway)");
    assert!(subjects[1].starts_with("[vpnprobe] all sites of edge-1: no longer all DOWN after "), "{subjects:?}");
    assert_eq!(mails[1].header("In-Reply-To"), mails[0].header("Message-ID"));
}

#[test]
fn accounts_that_are_refused_everywhere_are_one_mail() {
    let lab = Lab::locked();
    // Nobody has this password. An account each, and each is refused at its first login.
    let refused = "client: openconnect, password: nobody-has-this, frequency_down: 2";
    let sites = lab.site("paris", refused).site("oslo", &format!("{refused}, username: second"));
    let sites = sites.site("rome", &format!("{refused}, username: resolving")).top("prober: edge-1").email(PLAIN);
    let prober = sites.start(&["run"]);
    until("the mail", || (lab.mails().len() == 1).then_some(()));
    prober.rows(6);
    prober.stop().exits(0);
    let subjects: Vec<_> = lab.mails().iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects, ["[vpnprobe] all sites of edge-1 DOWN (3): login auth-rejected (identity)"]);
    let text = &lab.mails()[0].text;
    assert!(text.contains("3: oslo, paris, rome"), "{text}");
    assert_eq!(lab.passwords_at_gateway(), 3);
}

#[test]
fn a_mail_server_that_hangs_neither_delays_cycles_beyond_the_window_nor_loses_the_mail() {
    let lab = Lab::locked();
    lab.mail_server("hang");
    let paris = lab.site("paris", "client: openconnect, vpn_gw: \"10.78.0.1:9\"").top("frequency: 7").email(PLAIN);
    let prober = paris.start(&["run"]);
    let rows = prober.rows(5);
    for (number, row) in (0..).zip(&rows) {
        let due = rows[0].time() + TimeDelta::seconds(7 * number);
        let late = row.time() - due;
        // The window of 5 s, and what a busy machine adds.
        assert!(late < TimeDelta::milliseconds(5_700), "cycle {number} began {late} late");
        row.is("down", "gateway", "connect-refused", "gateway");
    }
    assert_eq!(lab.mails().len(), 0);
    lab.mail_server("start");
    until("the mail", || (lab.mails().len() == 1).then_some(()));
    prober.stop().exits(0);
    assert_eq!(lab.mails().len(), 1, "delivered twice");
}

#[test]
fn while_a_tunnel_stands_nothing_is_sent() {
    let lab = Lab::locked();
    // A mail is always due: the server never takes it.
    lab.mail_server("hang");
    let both = lab.site("down", "client: openconnect, vpn_gw: \"10.78.0.1:9\"").site("up", "client: lab-startct");
    let both = both.top("frequency: 6").email(PLAIN).default("ping", "{ count: 20, interval: 50ms, timeout: 1s }");
    let prober = both.start(&["run"]);
    let (mut sent, mut with_tunnel) = (0, 0);
    until("eight rows", || {
        let (sends, tunnel) = (prober.has_socket("tcp", SMTP), prober.sees_tunnel());
        assert!(!(sends && tunnel), "the mail server was spoken to while a tunnel stood");
        sent += usize::from(sends);
        with_tunnel += usize::from(tunnel);
        (both.rows().len() >= 8).then_some(())
    });
    prober.stop().exits(0);
    assert!(sent > 0 && with_tunnel > 0, "control: {sent} looks saw a send, {with_tunnel} a tunnel");
}

#[test]
fn a_report_by_mail_waits_while_a_tunnel_stands_and_comes_once() {
    let lab = Lab::locked();
    lab.mail_server("hang");
    let due = SystemClock.now() + TimeDelta::seconds(5);
    let report = format!("report: {{ weekly: \"{}\", to: customer@lab }}", due.format("%a %H:%M:%S"));
    let paris = lab.site("paris", "client: lab-startct").top("frequency: 4").top(&report).email(PLAIN);
    let paris = paris.default("ping", "{ count: 20, interval: 50ms, timeout: 1s }");
    let prober = paris.start(&["run"]);
    let (mut sent, mut with_tunnel) = (0, 0);
    until("four rows", || {
        let (sends, tunnel) = (prober.has_socket("tcp", SMTP), prober.sees_tunnel());
        assert!(!(sends && tunnel), "the mail server was spoken to while a tunnel stood");
        sent += usize::from(sends);
        with_tunnel += usize::from(tunnel);
        (paris.rows().len() >= 4).then_some(())
    });
    assert!(sent > 0 && with_tunnel > 0, "control: {sent} looks saw a send, {with_tunnel} a tunnel");
    lab.mail_server("start");
    until("the report", || (lab.mails().len() == 1).then_some(()));
    prober.stop().exits(0);
    let mails = lab.mails();
    assert_eq!((mails.len(), mails[0].header("To").as_str()), (1, "customer@lab"));
    assert!(mails[0].header("Subject").ends_with(": no rows"), "{}", mails[0].text);
}

#[test]
fn a_mail_that_was_not_delivered_survives_the_end_of_the_prober() {
    let lab = Lab::locked();
    lab.mail_server("stop");
    let paris = lab.site("paris", "client: openconnect, vpn_gw: \"10.78.0.1:9\"").top("frequency: 1").email(PLAIN);
    let prober = paris.start(&["run"]);
    prober.rows(3);
    prober.kill();
    lab.mail_server("start");
    let prober = paris.start(&["run"]);
    until("the mail", || (lab.mails().len() == 1).then_some(()));
    prober.stop().exits(0);
    assert_eq!(lab.mails().len(), 1);
}

/// Two down cycles, and how the mail about them came.
fn came_by(lab: &Lab, paris: &Setup<'_>, port: &str, tls: &str, login: &str) {
    for _ in 0..2 {
        paris.run(&["test", "--record"]).exits(1);
    }
    let mails = lab.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].header("X-Lab-Port"), port);
    assert_eq!(mails[0].header("X-Lab-Login"), login);
    assert!(mails[0].header("X-Lab-TLS").starts_with(tls), "{}", mails[0].header("X-Lab-TLS"));
}

fn with_login(lab: &Lab, keys: &str) -> String {
    let (password, ca) = (lab.dir().join("secrets/mailer.pw"), lab.dir().join("certificates/ca.pem"));
    format!(
        "server: mail.lab, username: mailer, password_file: {}, ca_file: {}, {keys}",
        password.display(),
        ca.display()
    )
}

#[test]
fn a_mail_goes_over_starttls_with_a_login() {
    let lab = Lab::locked();
    let email = with_login(&lab, "port: 587, tls: starttls");
    let paris = lab.site("paris", "client: openconnect, vpn_gw: \"10.78.0.1:9\"").email(&email);
    came_by(&lab, &paris, "587", "TLSv1.", "mailer");
}

#[test]
fn a_mail_goes_over_tls_with_a_login() {
    let lab = Lab::locked();
    let email = with_login(&lab, "tls: tls");
    let paris = lab.site("paris", "client: openconnect, vpn_gw: \"10.78.0.1:9\"").email(&email);
    came_by(&lab, &paris, "465", "implicit", "mailer");
}

#[test]
fn a_server_with_an_unknown_certificate_gets_no_password() {
    let lab = Lab::locked();
    let password = lab.dir().join("secrets/mailer.pw");
    let email = format!("server: mail.lab, username: mailer, password_file: {}", password.display());
    let paris = lab.site("paris", "client: openconnect, vpn_gw: \"10.78.0.1:9\"").email(&email);
    let began = Instant::now();
    for _ in 0..2 {
        paris.run(&["test", "--record"]).exits(1);
    }
    assert_eq!(lab.mails().len(), 0);
    assert!(began.elapsed() < Duration::from_secs(30));
}
