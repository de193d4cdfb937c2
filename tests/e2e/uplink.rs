//! The prober's own way out, with real interfaces, routes and pings; and cycles that it cuts.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;
use vpnprobe::net::HostNet;
use vpnprobe::uplink;

use crate::lab::{Lab, Setup, until};
use crate::namespace::{Namespace, addr};

/// What is said of the uplink, and how long that took.
fn look(from: &Namespace, targets: &[&str], peer: Option<&str>) -> (Option<String>, Duration) {
    let targets: Vec<IpAddr> = targets.iter().map(|target| addr(target)).collect();
    from.run(|| async move {
        let net = HostNet::new("/etc/resolv.conf".into()).unwrap();
        let began = Instant::now();
        (uplink::is_down(&net, &targets, peer.map(addr)).await, began.elapsed())
    })
}

#[track_caller]
fn is(from: &Namespace, targets: &[&str], peer: Option<&str>, expected: Option<&str>) {
    assert_eq!(look(from, targets, peer).0.as_deref(), expected, "{targets:?}, {peer:?}");
}

#[test]
fn an_uplink_that_lost_its_route_its_carrier_or_its_other_end_is_down() {
    let (here, provider) = Namespace::pair("uplink");
    let (near, far) = (Some("10.99.0.2"), Some("203.0.113.7"));
    // Neither default route nor target: the neighbour alone can be reached.
    is(&here, &[], near, None);
    is(&here, &[], far, Some("no route to 203.0.113.7"));
    is(&here, &[], None, Some("no default route"));

    here.ip("route add default via 10.99.0.2");
    here.ip("route add unreachable 198.51.100.0/24");
    is(&here, &[], far, None);
    is(&here, &[], None, None);
    is(&here, &[], Some("198.51.100.1"), Some("no route to 198.51.100.1"));
    is(&here, &["10.99.0.2"], far, None);
    is(&here, &["fd99::2", "198.51.100.1"], None, None);

    // The other end is there and says nothing.
    provider.set("ipv4/icmp_echo_ignore_all", "1");
    is(&here, &["10.99.0.2"], near, Some("no target of the uplink answers: 10.99.0.2"));
    is(&here, &["10.99.0.2", "fd99::2"], near, None);
    let (words, took) = look(&here, &["10.99.0.2", "10.99.0.9", "10.99.0.8"], None);
    assert!(words.is_some_and(|words| words.starts_with("no target of the uplink answers: ")));
    assert!(took >= Duration::from_millis(990) && took < Duration::from_secs(5), "asked at once: {took:?}");

    // The cable is pulled: route and address stay.
    provider.ip("link set eth0 down");
    for peer in [near, far, None] {
        is(&here, &["10.99.0.2"], peer, Some("no carrier on eth0"));
    }
    provider.ip("link set eth0 up");
    is(&here, &[], far, None);
    here.ip("link set eth0 down");
    is(&here, &[], near, Some("no route to 10.99.0.2"));
}

#[test]
fn an_uplink_beside_a_dead_one_is_enough() {
    let (here, provider) = Namespace::pair("uplinks");
    here.ip("link add dead0 type veth peer name dead1");
    here.ip("link set dead0 up");
    here.address("dead0", "10.98.0.1/24");
    here.ip("route add default via 10.98.0.2");
    is(&here, &[], None, Some("no carrier on dead0"));
    here.ip("route add default via 10.99.0.2 metric 10");
    is(&here, &[], None, None);
    is(&here, &[], Some("203.0.113.7"), Some("no carrier on dead0"));
    // An interface without a cable always has a carrier.
    here.ip("route add 203.0.113.0/24 dev lo");
    is(&here, &[], Some("203.0.113.7"), None);
    drop(provider);
}

/// Somebody else's gateway, beside the one of the lab.
const ELSEWHERE: &str = "10.78.0.9";

/// A site of which no stage before the login asks anything outside.
const LOGIN_ONLY: &str = "client: openconnect, gateway: { speaks: none }, timeout: 5";

fn with_mail(setup: Setup<'_>) -> Setup<'_> {
    setup.top("frequency: 2").top("prober: edge-1").email("server: 10.79.0.1")
}

/// One mail of the uplink and none of a site; no password went out meanwhile.
#[track_caller]
fn is_told_of_the_uplink_alone(lab: &Lab, stage: &str) {
    until("the mail", || (lab.mails().len() == 1).then_some(()));
    let subject = format!("[vpnprobe] uplink of edge-1 DOWN: {stage} own-uplink-down (own)");
    assert_eq!(lab.mails()[0].header("Subject"), subject);
}

#[test]
fn a_site_with_a_login_alone_is_not_down_while_the_cable_is_pulled() {
    let lab = Lab::locked();
    let both = lab.site("paris", LOGIN_ONLY).site("oslo", LOGIN_ONLY).without("external_ip");
    let both = with_mail(both);
    let pulled = lab.cable_is_pulled();
    let prober = both.start(&["run"]);
    let rows = prober.rows(4);
    is_told_of_the_uplink_alone(&lab, "login");
    for row in &rows {
        row.is("unknown", "login", "own-uplink-down", "own");
        assert!(row.cell("detail").starts_with("no carrier on gw0; it looked like "), "{row:?}");
        row.expect("stages", "prepare=passed login=own-uplink-down internal=skipped teardown=passed cleanup=passed");
    }
    assert_eq!(lab.passwords_at_gateway(), 0);
    drop(pulled);
    until("the second mail", || (lab.mails().len() == 2).then_some(()));
    prober.stop().exits(0);
    assert!(lab.mails()[1].header("Subject").starts_with("[vpnprobe] uplink of edge-1 is up again after "));
    assert!(both.rows().iter().all(|row| row.cell("verdict") != "down"));
}

/// The cable is pulled while the inside is pinged.
fn pulled_in_use(client: &str) {
    let lab = Lab::locked();
    let paris = lab.site("paris", &format!("client: {client}"));
    let paris = with_mail(paris.default("ping", "{ count: 40, interval: 50ms, timeout: 1s, max_loss_pct: 20 }"));
    let prober = paris.start(&["run"]);
    prober.pings_inside();
    let pulled = lab.cable_is_pulled();
    let rows = prober.rows(2);
    rows[0].is("unknown", "internal", "own-uplink-down", "own");
    let detail = rows[0].cell("detail");
    assert!(detail.starts_with("no carrier on gw0; it looked like "), "{detail}");
    rows[1].is("unknown", "external", "own-uplink-down", "own");
    is_told_of_the_uplink_alone(&lab, "external");
    drop(pulled);
    prober.stop().exits(0);
    assert!(paris.rows().iter().all(|row| row.cell("verdict") != "down"));
}

#[test]
fn a_cable_that_is_pulled_while_startct_holds_its_tunnel_is_not_the_insides_fault() {
    pulled_in_use("lab-startct");
}

#[test]
fn a_cable_that_is_pulled_while_openconnect_holds_its_tunnel_is_not_the_insides_fault() {
    pulled_in_use("openconnect");
}

#[test]
fn a_cable_that_is_pulled_in_the_middle_of_a_login_is_not_the_gateways_fault() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: hasty-startct, timeout: 4").playing("hangs-after-the-password");
    let prober = paris.start(&["test", "--record"]);
    lab.process("startct");
    let pulled = lab.cable_is_pulled();
    prober.end().exits(3);
    let row = paris.row();
    row.is("unknown", "login", "own-uplink-down", "own");
    // As what it looked depends on how far the client had come.
    assert!(row.cell("detail").starts_with("no carrier on gw0; it looked like "), "{row:?}");
    row.measured(&["external_rtt_ms"]);
    drop(pulled);
    // The same with the cable in its place.
    paris.run(&["test", "--record"]).exits(1);
    paris.rows()[1].is("down", "login", "login-timeout", "gateway");
}

#[test]
fn a_silent_inside_stays_the_insides_fault_while_the_gateway_of_another_site_is_dead() {
    let lab = Lab::locked();
    for keys in ["external_ip: 10.78.0.1", "gateway: { speaks: none }"] {
        // The other site is up at first, and so a witness.
        let neighbour = lab.another_gateway(ELSEWHERE);
        let rome = format!("client: openconnect, vpn_gw: {ELSEWHERE}, external_ip: {ELSEWHERE}");
        let paris = format!("client: openconnect, internal_ip: 10.77.0.66, {keys}");
        let both = lab.site("paris", &paris).site("rome", &rome).without("external_ip");
        let both = both.top("frequency: 2").default("ping", "{ count: 2, interval: 20ms, timeout: 500ms }");
        let prober = both.start(&["run"]);
        until("the other site is up", || both.rows().iter().any(|row| row.cell("verdict") == "up").then_some(()));
        drop(neighbour);
        let so_far = both.rows().len();
        let rows = prober.rows(so_far + 4);
        prober.stop().exits(0);
        let (of_paris, of_rome): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.cell("site") == "paris");
        for row in of_paris {
            row.is("down", "internal", "internal-unreachable", "inside");
        }
        of_rome.last().unwrap().is("down", "external", "no-reply", "carrier");
    }
}
