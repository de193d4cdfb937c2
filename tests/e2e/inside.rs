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

#[test]
fn large_packets_that_vanish_in_the_tunnel_are_an_mtu_blackhole() {
    let lab = Lab::locked();
    for client in ["openconnect", "lab-startct"] {
        let paris = lab.site("paris", &format!("client: {client}"));
        let paris = paris.default("ping", "{ count: 3, interval: 20ms, timeout: 300ms }");
        let vanish = lab.large_packets_vanish();
        paris.run(&["test", "--record"]).exits(1);
        let row = paris.row();
        row.is("down", "internal", "mtu-blackhole", "tunnel").measured(&["internal_rtt_ms"]);
        row.expect("internal_loss_pct", "0");
        assert!(row.cell("detail").contains("as large as the tunnel takes, vanished; small: 3/3 replies"), "{row:?}");
        drop(vanish);
    }
}

#[test]
fn where_large_pings_are_not_to_be_sent_nothing_is_said_of_them() {
    let lab = Lab::locked();
    let _vanish = lab.large_packets_vanish();
    let paris = lab.site("paris", "client: openconnect, ping: { count: 2, interval: 20ms, mtu: false }");
    paris.run(&["test", "--record"]).exits(0);
    paris.row().is_up();
}

#[test]
fn a_router_that_says_that_a_packet_is_too_large_is_no_black_hole() {
    let lab = Lab::locked();
    let narrow = lab.inside_link_is_narrow();
    let paris = lab.site("paris", "client: openconnect");
    let cycle = paris.run(&["test", "--json", "--record"]).json();
    assert_eq!(cycle["verdict"], "up", "{cycle}");
    let detail = cycle["stages"][4]["detail"].as_str().unwrap();
    assert!(detail.contains("fragmentation needed (MTU 600) from 10."), "{detail}");
    drop(narrow);
    // The control: the same without it.
    let cycle = lab.site("paris", "client: openconnect").run(&["test", "--json", "--record"]).json();
    let detail = cycle["stages"][4]["detail"].as_str().unwrap();
    assert!(detail.ends_with(" bytes whole"), "{detail}");
}
