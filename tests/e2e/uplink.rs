//! The prober's own way out, with real interfaces, routes and pings.

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;
use vpnprobe::net::HostNet;
use vpnprobe::uplink;

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
