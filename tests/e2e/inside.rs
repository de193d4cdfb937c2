//! What lies behind the gateway: silent, unreachable, or reached past the tunnel.

use crate::lab::Lab;

fn inside(client: &str, internal_ip: &str, reason: &str, domain: &str) {
    let lab = Lab::locked();
    let keys = format!("client: {client}, internal_ip: {internal_ip}");
    let paris = lab.site("paris", &keys).default("ping", "{ count: 2, interval: 20ms, timeout: 500ms }");
    paris.run(&["test", "--record"]).exits(1);
    let row = paris.row();
    let stages = format!(
        "prepare=passed external=passed gateway=passed login=passed internal={reason} teardown=passed cleanup=passed"
    );
    row.is("down", "internal", reason, domain).expect("stages", &stages);
    row.measured(&["login_ms", "external_rtt_ms"]).expect("internal_rtt_ms", "");
    // Without a way through the tunnel no ping is sent.
    row.expect("internal_loss_pct", if reason == "not-through-tunnel" { "" } else { "100" });
}

#[test]
fn a_silent_inside_host_is_internal_unreachable_through_startct() {
    inside("lab-startct", "10.77.0.66", "internal-unreachable", "inside");
}

#[test]
fn a_silent_inside_host_is_internal_unreachable_through_openconnect() {
    inside("openconnect", "10.77.0.66", "internal-unreachable", "inside");
}

#[test]
fn an_inside_host_that_the_gateway_calls_unreachable_is_internal_unreachable() {
    inside("openconnect", "10.77.0.67", "internal-unreachable", "inside");
}

#[test]
fn an_inside_host_that_the_gateway_prohibits_is_internal_unreachable() {
    inside("openconnect", "10.77.0.68", "internal-unreachable", "inside");
}

#[test]
fn an_inside_host_that_answers_past_the_tunnel_does_not_count() {
    inside("lab-startct", "10.78.0.1", "not-through-tunnel", "tunnel");
}

#[test]
fn an_inside_host_behind_another_link_does_not_count() {
    inside("openconnect", "10.79.0.1", "not-through-tunnel", "tunnel");
}

#[test]
fn an_inside_host_without_any_way_does_not_count() {
    inside("openconnect", "192.0.2.1", "not-through-tunnel", "tunnel");
}
