//! Logging in: well, with a wrong password, at a gateway with another certificate.

use crate::lab::{Lab, Ran, SECRETS, shown_secrets, until};

const NEVER_IN: &str =
    "prepare=passed external=passed gateway=passed login=REASON internal=skipped teardown=passed cleanup=passed";

fn never_in(reason: &str) -> String {
    NEVER_IN.replace("REASON", reason)
}

fn a_good_login(client: &str, typed: &[&str]) {
    let lab = Lab::locked();
    let paris = lab.site("paris", &format!("client: {client}, group: emea"));
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    let row = paris.row();
    row.is_up().measured(&["login_ms", "external_rtt_ms", "internal_rtt_ms", "cycle_ms"]);
    row.expect("external_loss_pct", "0").expect("internal_loss_pct", "0");
    row.expect("site", "paris").expect("kind", "ssl-vpn").expect("group", "emea").expect("interval_s", "600");

    assert_eq!(ran.typed(), typed);
    let json = ran.json();
    for (column, key) in [("verdict", "verdict"), ("cycle_id", "cycle_id")] {
        row.expect(column, json[key].as_str().unwrap());
    }
    assert_eq!(format!("{:.3}", json["login_ms"].as_f64().unwrap()), row.cell("login_ms"));
    assert_eq!(lab.passwords_at_gateway(), 1);
}

#[test]
fn a_good_login_through_startct_is_up_and_leaves_nothing() {
    a_good_login("lab-startct", &["YES", "1", "probe", "<password>", "1", "quit"]);
}

#[test]
fn a_good_login_through_openconnect_is_up_and_leaves_nothing() {
    a_good_login("openconnect", &["yes", "<password>"]);
}

#[test]
fn every_site_has_its_row_and_its_line() {
    let lab = Lab::locked();
    let both = lab.site("paris", "client: lab-startct").site("oslo", "client: openconnect");
    let ran = both.run(&["test", "--record", "--json"]);
    ran.exits(0);
    assert_eq!(ran.stdout.lines().count(), 2);
    let rows = both.rows();
    assert_eq!(rows.iter().map(|row| row.cell("site")).collect::<Vec<_>>(), ["paris", "oslo"]);
    for row in &rows {
        row.is_up();
    }
}

#[test]
fn without_record_there_is_no_row() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect");
    paris.run(&["test"]).exits(0).said("= up");
    assert!(paris.rows().is_empty());
}

#[test]
fn a_password_from_the_environment_is_not_in_the_clients_environment() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect").without("password_file");
    let paris = paris.default("password_env", "PARIS_PASSWORD").environment("PARIS_PASSWORD", "lab-secret-1");
    paris.run(&["test", "--record"]).exits(0);
    paris.row().is_up();
}

#[test]
fn control_a_secret_on_a_command_line_or_in_a_clients_environment_would_be_seen() {
    let lab = Lab::locked();
    for secret in SECRETS {
        let _told = lab.stranger(&["sh", "-c", "sleep 600; exit", "sh", secret]);
        until("the secret on the command line", || shown_secrets(&lab.namespace()).first().cloned());
    }
    until("no secret", || shown_secrets(&lab.namespace()).is_empty().then_some(()));
    let _told = lab.stranger(&["env", "PASSWORD=lab-secret-1", "sh", "-c", "sleep 600; exit", "openconnect"]);
    lab.process("sleep");
    // What `env` was told is gone with it.
    until("the secret in the environment", || {
        shown_secrets(&lab.namespace()).into_iter().find(|by| by.contains("`sh -c sleep"))
    });
}

fn a_wrong_password(client: &str) {
    let lab = Lab::locked();
    let wrong = lab.dir().join("secrets/wrong.pw").display().to_string();
    let paris = lab.site("paris", &format!("client: {client}")).default("password_file", &wrong);
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(1);
    let row = paris.row();
    row.is("down", "login", "auth-rejected", "identity").expect("stages", &never_in("auth-rejected"));
    row.expect("login_ms", "").expect("internal_rtt_ms", "").measured(&["external_rtt_ms"]);
    assert_eq!(ran.typed().iter().filter(|text| *text == "<password>").count(), 1);
    assert_eq!(lab.passwords_at_gateway(), 1, "more than one password locks accounts");
}

#[test]
fn a_wrong_password_through_startct_is_typed_once_and_rejected() {
    a_wrong_password("lab-startct");
}

#[test]
fn a_wrong_password_through_openconnect_is_typed_once_and_rejected() {
    a_wrong_password("openconnect");
}

#[test]
fn a_refused_account_is_not_tried_again_by_run_nor_by_test_nor_at_its_other_site() {
    let lab = Lab::locked();
    let wrong = format!("{{ username: second, password_file: {} }}", lab.dir().join("secrets/wrong.pw").display());
    let keys = wrong.trim_matches(['{', '}']);
    let both = lab
        .site("paris", &format!("client: lab-startct, {keys}"))
        .site("lagos", &format!("client: openconnect, {keys}"))
        .top("frequency: 2");
    let prober = both.start(&["run"]);
    let rows = prober.rows(4);
    prober.stop().exits(0);
    rows[0].is("down", "login", "auth-rejected", "identity");
    for row in &rows[1..4] {
        row.is("unknown", "login", "account-paused", "own").expect("login_ms", "");
    }
    both.run(&["test", "lagos"]).exits(3).said("account-paused");
    assert_eq!(lab.passwords_at_gateway(), 1, "one password reached the gateway, and no second one");
    both.run(&["resume", "paris"]).exits(0).said("also used by lagos");
    both.run(&["test", "lagos"]).exits(1);
    assert_eq!(lab.passwords_at_gateway(), 2);
}

fn another_certificate(client: &str) {
    let lab = Lab::locked();
    let others = [
        "SHA1:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33",
        "pin-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ];
    let paris = lab.site("paris", &format!("client: {client}, gateway: {{ verify: false }}"));
    let paris = paris.default("fingerprint", &format!("{others:?}"));
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(1);
    let row = paris.row();
    row.is("down", "login", "certificate-untrusted", "gateway").expect("stages", &never_in("certificate-untrusted"));
    assert_eq!(ran.typed(), Vec::<String>::new(), "nothing is typed to a gateway that is not the known one");
    assert_eq!(lab.passwords_at_gateway(), 0);
}

#[test]
fn to_a_certificate_that_is_not_pinned_startct_is_told_nothing() {
    another_certificate("lab-startct");
}

#[test]
fn to_a_certificate_that_is_not_pinned_openconnect_is_told_nothing() {
    another_certificate("openconnect");
}

#[test]
fn a_client_that_asks_again_at_random_gets_the_password_a_second_time_once_a_day() {
    let lab = Lab::locked();
    let both = lab.site("paris", "client: lab-startct").site("oslo", "client: lab-startct");
    both.plays("asks-again-though-good");
    let passwords = |ran: &Ran| ran.typed().iter().filter(|text| *text == "<password>").count();
    let first = both.run(&["test", "paris", "--record", "--json"]);
    first.exits(0);
    assert_eq!(passwords(&first), 2);
    // Another site of the account, another process, the same day: now it is a refusal.
    let second = both.run(&["test", "oslo", "--record", "--json"]);
    second.exits(1);
    assert_eq!(passwords(&second), 1);
    both.rows()[1].is("down", "login", "auth-rejected", "identity");
    assert_eq!(lab.passwords_at_gateway(), 1);
}

#[test]
fn a_client_that_says_connected_and_has_no_tunnel_is_no_interface() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: liar, timeout: 1");
    let liar = paris.dir().join("liar");
    std::fs::write(&liar, "#!/bin/sh\necho 'Status: Connected'\nread quit\n").unwrap();
    std::fs::set_permissions(&liar, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let paris = paris.client("liar", &format!("extends: startct, command: \"{}\"", liar.display()));
    paris.run(&["test", "--record"]).exits(1);
    let row = paris.row();
    row.is("down", "login", "no-interface", "tunnel").expect("stages", &never_in("no-interface"));
    row.measured(&["login_ms"]);
}

#[test]
fn a_client_that_is_not_installed_is_the_probers_own_trouble() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: gone").client("gone", "extends: openconnect, command: no-such-client");
    paris.run(&["test", "--record"]).exits(3);
    let stages = "prepare=passed external=passed gateway=passed login=client-missing internal=skipped teardown=skipped cleanup=skipped";
    paris.row().is("unknown", "login", "client-missing", "own").expect("stages", stages);
}
