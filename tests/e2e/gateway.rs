//! Gateways that are not there, refuse, or say nothing.

use crate::lab::{Lab, Setup};

fn stages(external: &str, login: &str) -> String {
    format!("prepare=passed {external}login={login} internal=skipped teardown=passed cleanup=passed")
}

/// One cycle that is down at `login`, with `reason`.
fn is_down_at_login(site: &Setup<'_>, external: &str, reason: &str, domain: &str) {
    site.run(&["test", "--record"]).exits(1);
    let row = site.row();
    row.is("down", "login", reason, domain).expect("stages", &stages(external, reason));
    row.expect("login_ms", "").expect("internal_rtt_ms", "");
    assert_eq!(site.lab().passwords_at_gateway(), 0);
}

#[test]
fn a_gateway_that_nobody_has_is_unreachable_for_openconnect() {
    let lab = Lab::locked();
    let dead = lab.site("dead", "client: openconnect, vpn_gw: 10.78.0.99").without("external_ip");
    is_down_at_login(&dead, "", "unreachable", "carrier");
}

#[test]
fn a_gateway_that_nobody_has_is_a_connect_timeout_for_startct() {
    let lab = Lab::locked();
    let dead = lab.site("dead", "client: lab-startct, vpn_gw: 10.78.0.99").without("external_ip");
    is_down_at_login(&dead, "", "connect-timeout", "gateway");
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
    row.expect("stages", &stages("external=unreachable ", "unreachable"));
    row.expect("external_rtt_ms", "").expect("external_loss_pct", "100");
}

#[test]
fn a_gateway_that_drops_pings_is_up_where_they_are_not_required() {
    let lab = Lab::locked();
    let quiet = lab.site("quiet", "client: openconnect, external_ip: 10.78.1.66, external_required: false");
    let quiet = quiet.default("ping", "{ count: 1, timeout: 300ms }");
    quiet.run(&["test", "--record"]).exits(0);
    let row = quiet.row();
    let stages = "prepare=passed external=no-reply login=passed internal=passed teardown=passed cleanup=passed";
    row.is("up", "", "", "").expect("stages", stages).expect("external_rtt_ms", "");
}

#[test]
fn a_stopped_gateway_refuses_openconnect() {
    let lab = Lab::locked();
    lab.gateway("stop");
    let paris = lab.site("paris", "client: openconnect");
    is_down_at_login(&paris, "external=passed ", "connect-refused", "gateway");
}

#[test]
fn a_stopped_gateway_is_a_connect_timeout_for_startct() {
    let lab = Lab::locked();
    lab.gateway("stop");
    // Connect Tunnel does not tell refused from silent.
    let paris = lab.site("paris", "client: lab-startct");
    is_down_at_login(&paris, "external=passed ", "connect-timeout", "gateway");
}

#[test]
fn a_gateway_that_accepts_and_says_nothing_is_a_login_timeout_for_openconnect() {
    let lab = Lab::locked();
    lab.gateway("pause");
    let paris = lab.site("paris", "client: openconnect, timeout: 2");
    is_down_at_login(&paris, "external=passed ", "login-timeout", "gateway");
}

#[test]
fn a_gateway_that_accepts_and_says_nothing_is_a_login_timeout_for_startct() {
    let lab = Lab::locked();
    lab.gateway("pause");
    let paris = lab.site("paris", "client: lab-startct, timeout: 2");
    is_down_at_login(&paris, "external=passed ", "login-timeout", "gateway");
}
