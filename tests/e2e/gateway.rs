//! Gateways that are not there, refuse, or say nothing; and what is seen of one before the login.

use crate::lab::{Lab, Setup};

fn stages(external: &str, gateway: &str, login: &str) -> String {
    format!("prepare=passed {external}gateway={gateway} login={login} internal=skipped teardown=passed cleanup=passed")
}

/// One cycle that is down at `gateway`; a login is tried all the same and ends for its own reason.
fn is_down_at_gateway(site: &Setup<'_>, external: &str, (reason, domain): (&str, &str), login: &str) {
    site.run(&["test", "--record"]).exits(1);
    let row = site.row();
    row.is("down", "gateway", reason, domain).expect("stages", &stages(external, reason, login));
    row.expect("login_ms", "").expect("internal_rtt_ms", "").expect("cert_days_left", "");
    assert_eq!(site.lab().passwords_at_gateway(), 0);
}

#[test]
fn a_gateway_is_looked_at_before_the_login_and_its_certificate_is_counted() {
    let lab = Lab::locked();
    let ca_file = lab.dir().join("certificates/ca.pem");
    for (host, keys) in [
        ("gw.lab", format!("fingerprint: [], ca_file: {}", ca_file.display())),
        ("10.78.0.1", format!("fingerprint: [], ca_file: {}", ca_file.display())),
        ("gw.lab", "gateway: { timeout: 5s }".to_owned()),
    ] {
        let paris = lab.site("paris", &format!("client: openconnect, vpn_gw: {host}, {keys}, timeout: 3"));
        let cycle = paris.run(&["test", "--json", "--record"]).json();
        let gateway = &cycle["gateway"];
        assert_eq!(gateway["address"], "10.78.0.1:443", "{cycle}");
        assert_eq!(gateway["resolve_ms"].is_number(), host == "gw.lab", "{gateway}");
        assert!(gateway["tcp_ms"].is_number() && gateway["tls_ms"].is_number(), "{gateway}");
        assert_eq!(gateway["certificate"]["subject"], "CN=gw.lab");
        let detail = cycle["stages"][2]["detail"].as_str().unwrap().to_owned();
        let word = if keys.contains("ca_file") { "trusted" } else { "pinned" };
        assert!(detail.contains("certificate 89 days") && detail.ends_with(word), "{detail}");
        paris.row().expect("cert_days_left", "89");
    }
}

#[test]
fn a_gateway_over_ipv6_with_another_certificate_than_the_pinned_one_is_not_trusted() {
    let lab = Lab::locked();
    let pin = format!("SHA256:{}", "AB:".repeat(31) + "AB");
    let paris = lab.site("paris", "client: openconnect, vpn_gw: \"[fd78::1]:443\", timeout: 3");
    let paris = paris.default("fingerprint", &format!("\"{pin}\""));
    paris.run(&["test", "--record"]).exits(1);
    let row = paris.row();
    row.is("down", "gateway", "certificate-untrusted", "gateway").expect("cert_days_left", "89");
    row.expect("stages", &stages("external=passed ", "certificate-untrusted", "certificate-untrusted"));
    assert!(row.cell("detail").ends_with("is not pinned"), "{row:?}");
    assert_eq!(lab.passwords_at_gateway(), 0);
}

#[test]
fn a_gateway_whose_name_nobody_answers_for_is_our_own_trouble() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: openconnect, vpn_gw: nowhere.lab, timeout: 5");
    paris.run(&["test", "--record"]).exits(3);
    let row = paris.row();
    row.is("unknown", "gateway", "resolver-failed", "own");
    row.expect("stages", &stages("external=passed ", "resolver-failed", "resolver-failed"));
}

#[test]
fn a_gateway_that_nobody_has_is_unreachable_for_openconnect() {
    let lab = Lab::locked();
    let dead = lab.site("dead", "client: openconnect, vpn_gw: 10.78.0.99").without("external_ip");
    is_down_at_gateway(&dead, "", ("unreachable", "carrier"), "unreachable");
}

#[test]
fn a_gateway_that_nobody_has_is_a_connect_timeout_for_startct() {
    let lab = Lab::locked();
    let dead = lab.site("dead", "client: lab-startct, vpn_gw: 10.78.0.99, gateway: { timeout: 500ms }");
    // The kernel asks for the address for three seconds before it says that nobody has it.
    is_down_at_gateway(&dead.without("external_ip"), "", ("connect-timeout", "gateway"), "connect-timeout");
}

#[test]
fn the_first_stage_that_failed_names_the_fault_and_a_login_is_tried_all_the_same() {
    let lab = Lab::locked();
    let dead = lab.site("dead", "client: openconnect, vpn_gw: 10.78.0.99, external_ip: 10.78.0.99");
    // The kernel asks for the address for three seconds before it says so.
    let dead = dead.default("ping", "{ count: 2, interval: 20ms, timeout: 5s }");
    dead.run(&["test", "--record"]).exits(1);
    let row = dead.row();
    row.is("down", "external", "unreachable", "carrier");
    row.expect("stages", &stages("external=unreachable ", "unreachable", "unreachable"));
    row.expect("external_rtt_ms", "").expect("external_loss_pct", "100");
}

#[test]
fn a_gateway_that_drops_pings_is_up_where_they_are_not_required() {
    let lab = Lab::locked();
    let quiet = lab.site("quiet", "client: openconnect, external_ip: 10.78.1.66, external_required: false");
    let quiet = quiet.default("ping", "{ count: 1, timeout: 300ms }");
    quiet.run(&["test", "--record"]).exits(0);
    let row = quiet.row();
    let stages =
        "prepare=passed external=no-reply gateway=passed login=passed internal=passed teardown=passed cleanup=passed";
    row.is("up", "", "", "").expect("stages", stages).expect("external_rtt_ms", "");
}

#[test]
fn a_stopped_gateway_refuses() {
    let lab = Lab::locked();
    lab.gateway("stop");
    for (client, login) in [("openconnect", "connect-refused"), ("lab-startct", "connect-timeout")] {
        // Connect Tunnel does not tell refused from silent.
        let paris = lab.site("paris", &format!("client: {client}"));
        is_down_at_gateway(&paris, "external=passed ", ("connect-refused", "gateway"), login);
    }
}

#[test]
fn a_gateway_that_accepts_and_says_nothing_fails_in_tls_and_in_the_login() {
    let lab = Lab::locked();
    lab.gateway("pause");
    for client in ["openconnect", "lab-startct"] {
        let paris = lab.site("paris", &format!("client: {client}, timeout: 2, gateway: {{ timeout: 500ms }}"));
        is_down_at_gateway(&paris, "external=passed ", ("tls-failed", "gateway"), "login-timeout");
    }
}

#[test]
fn without_the_stage_the_login_tells_of_a_stopped_gateway() {
    let lab = Lab::locked();
    lab.gateway("stop");
    let paris = lab.site("paris", "client: openconnect, gateway: { speaks: none }");
    paris.run(&["test", "--record"]).exits(1);
    let row = paris.row();
    row.is("down", "login", "connect-refused", "gateway").expect("cert_days_left", "");
    let stages = "prepare=passed external=passed login=connect-refused internal=skipped teardown=passed cleanup=passed";
    row.expect("stages", stages);
}
