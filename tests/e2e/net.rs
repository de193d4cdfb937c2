//! The host's network context, in namespaces where everything around it is known.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::libc;
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tokio::time::Instant;
use vpnprobe::net::{Fragments, HostNet, LockHeld, NetContext, PingReport, PingRequest, Route, RouteProtocol};

use crate::namespace::{Namespace, addr};

/// Longer than anything here takes, shorter than anybody's patience.
const PATIENCE: Duration = Duration::from_secs(20);

fn host() -> HostNet {
    HostNet::new("/etc/resolv.conf".into()).unwrap()
}

fn request(target: &str) -> PingRequest {
    PingRequest {
        target: addr(target),
        count: 3,
        interval: Duration::from_millis(20),
        timeout: Duration::from_millis(500),
        payload: 56,
        fragments: Fragments::Allowed,
    }
}

fn ping(from: &Namespace, request: PingRequest) -> PingReport {
    from.run(|| async move { host().ping(request).await }).unwrap()
}

/// Takes the right to open raw sockets from this thread; what it starts as root gets it back.
fn give_up_raw_sockets() {
    let mut sets = capabilities(None).unwrap();
    sets.effective.remove(CapabilitySet::NET_RAW);
    sets.permitted.remove(CapabilitySet::NET_RAW);
    sets.inheritable.remove(CapabilitySet::NET_RAW);
    set_capabilities(None, sets).unwrap();
}

/// The ICMP sockets that this process has in the calling thread's namespace: datagram and raw.
fn sockets(target: IpAddr) -> (usize, usize) {
    let own: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().flatten().collect();
    let own: Vec<_> = own.iter().filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
    let version = if target.is_ipv6() { "6" } else { "" };
    let count = |kind| {
        let table = fs::read_to_string(format!("/proc/thread-self/net/{kind}{version}")).unwrap();
        let inodes = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9));
        inodes.filter(|inode| own.contains(&format!("socket:[{inode}]").into())).count()
    };
    (count("icmp"), count("raw"))
}

/// A series, and the sockets that are open while it runs.
fn ping_watched(from: &Namespace, target: &str, with_raw: bool) -> (PingReport, (usize, usize)) {
    let request = request(target);
    from.run(|| async move {
        if !with_raw {
            give_up_raw_sockets();
        }
        let host = host();
        let (report, sockets) = tokio::join!(host.ping(request), async { sockets(request.target) });
        (report.unwrap(), sockets)
    })
}

fn assert_all_answered(report: &PingReport) {
    assert_eq!((report.stats.sent, report.stats.received), (3, 3), "{report:?}");
    assert_eq!(report.unreachable, None);
    let rtt = report.stats.rtt.unwrap();
    assert!(rtt.min > Duration::ZERO && rtt.max < Duration::from_millis(500), "{rtt:?}");
}

#[test]
fn echo_goes_by_a_datagram_socket_else_by_a_raw_one_else_by_the_program() {
    let (here, _there) = Namespace::pair("ways");
    for target in ["10.99.0.2", "fd99::2", "127.0.0.1", "::1"] {
        here.set("ipv4/ping_group_range", "1 0");
        let (report, sockets) = ping_watched(&here, target, true);
        assert_all_answered(&report);
        assert_eq!(sockets, (0, 1), "raw to {target}");

        let (report, sockets) = ping_watched(&here, target, false);
        assert_all_answered(&report);
        assert_eq!(sockets, (0, 0), "the program to {target}");

        here.allow_datagram_icmp();
        let (report, sockets) = ping_watched(&here, target, true);
        assert_all_answered(&report);
        assert_eq!(sockets, (1, 0), "datagram to {target}");
    }
}

#[test]
fn every_size_of_payload_comes_back() {
    let (here, _there) = Namespace::pair("sizes");
    for datagram in [false, true] {
        if datagram {
            here.allow_datagram_icmp();
        }
        for payload in [0, 1, 7, 8, 9, 1472, 1473, 65_507] {
            for target in ["10.99.0.2", "fd99::2"] {
                let report = ping(&here, PingRequest { payload, ..request(target) });
                assert_eq!(report.stats.received, 3, "{payload} bytes to {target}: {report:?}");
            }
        }
    }
    let too_large = PingRequest { payload: 65_508, ..request("10.99.0.2") };
    assert!(here.run(|| async move { host().ping(too_large).await }).is_err());
}

#[test]
fn a_silent_target_is_silent_and_takes_no_longer_than_it_may() {
    let (here, there) = Namespace::pair("silent");
    there.set("ipv4/icmp_echo_ignore_all", "1");
    there.set("ipv6/icmp/echo_ignore_all", "1");
    for datagram in [false, true] {
        if datagram {
            here.allow_datagram_icmp();
        }
        for target in ["10.99.0.2", "fd99::2"] {
            let began = Instant::now();
            let report = ping(&here, request(target));
            assert_eq!((report.stats.sent, report.stats.received, report.unreachable), (3, 0, None));
            let took = began.elapsed();
            assert!(took >= Duration::from_millis(540), "{took:?}");
            assert!(took < Duration::from_secs(5), "{took:?}");
        }
    }
}

#[test]
fn a_series_is_over_with_its_last_reply() {
    let (here, _there) = Namespace::pair("over");
    let patient = PingRequest { timeout: Duration::from_mins(1), ..request("10.99.0.2") };
    let began = Instant::now();
    assert_all_answered(&ping(&here, patient));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn a_router_that_knows_no_way_makes_the_target_unreachable() {
    for way in ["raw", "datagram", "program"] {
        // New ones for each way: a router sends one host no more than a few errors in a second.
        let (here, router) = Namespace::pair(&format!("unreach-{way}"));
        router.set("ipv4/ip_forward", "1");
        router.set("ipv6/conf/all/forwarding", "1");
        router.ip("route add unreachable 10.98.0.0/24");
        router.ip("route add unreachable fd98::/64");
        here.ip("route add default via 10.99.0.2");
        here.ip("route add default via fd99::2");
        if way == "datagram" {
            here.allow_datagram_icmp();
        }
        for (target, expected) in [
            ("10.98.0.7", "destination host unreachable from 10.99.0.2"),
            ("fd98::7", "no route to destination from fd99::2"),
        ] {
            let (report, sockets) = ping_watched(&here, target, way != "program");
            assert_eq!(sockets, (usize::from(way == "datagram"), usize::from(way == "raw")));
            assert_eq!((report.stats.sent, report.stats.received), (3, 0));
            let unreachable = report.unreachable.unwrap_or_default();
            match way {
                // It has words of its own.
                "program" => assert!(unreachable.starts_with("destination "), "{unreachable}"),
                _ => assert_eq!(unreachable, expected, "{way}"),
            }
        }
    }
}

#[test]
fn without_a_route_the_target_is_unreachable() {
    let (here, _there) = Namespace::pair("noroute");
    here.ip("route add blackhole 10.96.0.0/24");
    here.ip("route add prohibit 10.95.0.0/24");
    here.ip("route add unreachable 10.94.0.0/24");
    for (target, expected) in [
        ("10.97.0.1", "network is unreachable"),
        ("fd97::1", "network is unreachable"),
        ("10.96.0.1", "blackhole"),
        ("10.95.0.1", "prohibit"),
        ("10.94.0.1", "no route to host"),
    ] {
        let report = ping(&here, request(target));
        assert_eq!((report.stats.sent, report.stats.received), (3, 0));
        assert!(report.unreachable.as_deref().is_some_and(|words| words.contains(expected)), "{target}: {report:?}");
    }
    let (by_program, _) = ping_watched(&here, "10.97.0.1", false);
    assert_eq!(by_program.unreachable.as_deref(), Some("network is unreachable"));
    assert_eq!((by_program.stats.sent, by_program.stats.received), (3, 0));
}

#[test]
fn a_narrow_hop_is_told_and_the_requests_after_it_get_through() {
    let (here, router) = Namespace::pair("mtu");
    let inside = Namespace::new("mtu-c");
    router.cable("eth1", &inside, "eth0");
    router.set("ipv4/ip_forward", "1");
    router.address("eth1", "10.98.0.1/24");
    inside.address("eth0", "10.98.0.2/24");
    router.ip("link set eth1 mtu 1280");
    inside.ip("link set eth0 mtu 1280");
    inside.ip("route add default via 10.98.0.1");
    here.ip("route add default via 10.99.0.2");
    for datagram in [false, true] {
        if datagram {
            here.allow_datagram_icmp();
            here.ip("route flush cache");
        }
        let report = ping(&here, PingRequest { payload: 1400, ..request("10.98.0.2") });
        assert_eq!((report.stats.sent, report.stats.received), (3, 2), "{report:?}");
        assert_eq!(report.unreachable.as_deref(), Some("fragmentation needed (MTU 1280) from 10.99.0.2"));
    }
}

#[test]
fn a_packet_that_may_not_be_cut_goes_whole_or_not_at_all() {
    let (here, _there) = Namespace::pair("whole");
    for datagram in [false, true] {
        if datagram {
            here.allow_datagram_icmp();
        }
        for (target, headers) in [("10.99.0.2", 28), ("fd99::2", 48)] {
            let whole = |size: usize| PingRequest {
                payload: size - headers,
                fragments: Fragments::Forbidden,
                count: 1,
                ..request(target)
            };
            assert_eq!(ping(&here, whole(1500)).stats.received, 1, "{target}");
            let report = ping(&here, whole(1501));
            assert_eq!(
                (report.stats.received, report.unreachable.as_deref()),
                (0, Some("message too long")),
                "{target}"
            );
            let cut = PingRequest { fragments: Fragments::Allowed, ..whole(1501) };
            assert_eq!(ping(&here, cut).stats.received, 1, "{target}");
        }
    }
}

#[test]
fn series_side_by_side_do_not_take_each_others_replies() {
    let (here, there) = Namespace::pair("beside");
    there.ip("address add 10.99.0.3/24 dev eth0");
    there.set("ipv4/icmp_echo_ignore_all", "0");
    let many = |target| PingRequest { count: 50, interval: Duration::from_millis(1), ..request(target) };
    for datagram in [false, true] {
        if datagram {
            here.allow_datagram_icmp();
        }
        let reports = here.run(|| async move {
            let (one, two, three) = (host(), host(), host());
            let silent = many("10.99.0.77");
            tokio::join!(one.ping(many("10.99.0.2")), two.ping(many("10.99.0.2")), three.ping(silent))
        });
        assert_eq!(reports.0.unwrap().stats.received, 50);
        assert_eq!(reports.1.unwrap().stats.received, 50);
        assert_eq!(reports.2.unwrap().stats.received, 0);
    }
}

#[test]
fn twenty_thousand_targets_are_asked_at_once_and_all_of_their_replies_are_counted() {
    let here = Namespace::new("many");
    for datagram in [false, true] {
        if datagram {
            here.allow_datagram_icmp();
        }
        let requests: Vec<_> = (0..20_000u32)
            .map(|n| PingRequest { target: IpAddr::from((0x7f01_0000 + n).to_be_bytes()), count: 1, ..request("::1") })
            .collect();
        let reports = here.run(|| async move { host().ping_all(requests).await });
        assert_eq!(reports.len(), 20_000);
        let answered = reports.iter().filter(|report| report.as_ref().is_ok_and(|r| r.stats.received == 1)).count();
        assert_eq!(answered, 20_000, "datagram: {datagram}");
    }
}

#[test]
fn of_many_targets_each_has_its_own_result_in_the_order_asked() {
    let (here, _there) = Namespace::pair("each");
    here.ip("route add unreachable 10.94.0.0/24");
    for datagram in [false, true] {
        if datagram {
            here.allow_datagram_icmp();
        }
        let targets = ["10.99.0.2", "fd99::2", "10.94.0.7", "10.99.0.77", "10.99.0.2", "::1"];
        let too_large = PingRequest { payload: 65_508, ..request("10.99.0.2") };
        let requests = targets.iter().map(|target| request(target)).chain([too_large]).collect();
        let reports = here.run(|| async move { host().ping_all(requests).await });
        let received: Vec<_> =
            reports.iter().map(|report| report.as_ref().ok().map(|report| report.stats.received)).collect();
        assert_eq!(received, [Some(3), Some(3), Some(0), Some(0), Some(3), Some(3), None]);
        let unreachable = reports[2].as_ref().unwrap().unreachable.as_deref();
        assert!(unreachable.is_some_and(|words| words.contains("no route to host")), "{unreachable:?}");
    }
}

#[test]
fn a_snapshot_shows_interfaces_addresses_and_routes() {
    let here = Namespace::new("snap");
    let before = here.inside(|| host().snapshot().unwrap());
    assert_eq!(before.interfaces.len(), 1, "the loopback: {before:?}");
    assert_eq!(before.routes, []);

    here.ip("tuntap add tun7 mode tun");
    here.ip("address add 10.88.0.6 peer 10.88.0.1/32 dev tun7");
    here.ip("link set tun7 up");
    here.address("tun7", "fd88::6/64");
    here.ip("route add 10.77.0.0/16 dev tun7 metric 30");
    let after = here.inside(|| host().snapshot().unwrap());
    let tun = after.interfaces.iter().find(|interface| interface.name == "tun7").unwrap();
    assert!(tun.up);
    assert_eq!(tun.addresses, [(addr("10.88.0.6"), 32), (addr("fd88::6"), 64)]);
    assert!(after.has_route_by(tun.index));
    assert!(after.routes.iter().any(|route| route.destination == (addr("10.77.0.0"), 16) && route.metric == 30));
    assert!(after.routes.iter().all(|route| route.destination.0 != addr("fe80::")), "{after:?}");

    here.inside(|| host().remove_interface(tun.index)).unwrap();
    let gone = here.inside(|| host().snapshot().unwrap());
    assert_eq!(gone, before);
    here.inside(|| host().remove_interface(tun.index)).unwrap();
}

/// Adds so many routes by `tun0`.
fn add_routes(namespace: &Namespace, count: u32) {
    let mut batch = tempfile::NamedTempFile::new().unwrap();
    for n in 0..count {
        writeln!(batch, "route add 10.{}.{}.0/24 dev tun0", n / 250, n % 250).unwrap();
    }
    namespace.ip(&format!("-batch {}", batch.path().display()));
}

#[test]
fn a_long_table_is_read_whole() {
    let here = Namespace::new("long");
    here.ip("tuntap add tun0 mode tun");
    here.ip("link set tun0 up");
    add_routes(&here, 2000);
    assert_eq!(here.inside(|| host().snapshot().unwrap().routes.len()), 2000);
}

#[test]
fn every_change_after_the_watch_was_made_wakes_it() {
    let here = Namespace::new("watch");
    here.run(|| async {
        let mut changes = host().watch().unwrap();
        for change in [
            "tuntap add tun0 mode tun",
            "link set tun0 up",
            "address add 10.88.0.6/32 dev tun0",
            "address add fd88::6/128 dev tun0 nodad",
            "route add 10.77.0.0/16 dev tun0",
            "route add fd77::/64 dev tun0",
            "route del 10.77.0.0/16 dev tun0",
            "link del tun0",
        ] {
            // Made before anybody waits for it.
            here.ip(change);
            tokio::time::timeout(PATIENCE, changes.changed()).await.expect(change).unwrap();
        }
        // Everything was read: it sleeps until something happens. Router solicitations and the like change nothing.
        while tokio::time::timeout(Duration::from_millis(300), changes.changed()).await.is_ok() {}
        let waiting = async { changes.changed().await.unwrap() };
        let (woken, ()) = tokio::join!(tokio::time::timeout(PATIENCE, waiting), async {
            tokio::task::yield_now().await;
            here.ip("link set lo down");
        });
        woken.unwrap();
    });
}

#[test]
fn an_overrun_watch_wakes_too() {
    let here = Namespace::new("overrun");
    here.run(|| async {
        let mut changes = host().watch().unwrap();
        here.ip("tuntap add tun0 mode tun");
        here.ip("link set tun0 up");
        add_routes(&here, 5000);
        let table = fs::read_to_string("/proc/thread-self/net/netlink").unwrap();
        let drops = table.lines().filter_map(|line| line.split_whitespace().nth(8)?.parse::<u64>().ok());
        assert!(drops.sum::<u64>() > 0, "nothing was lost: {table}");
        tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
        here.ip("link del tun0");
        tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap().unwrap();
    });
}

#[test]
fn a_route_that_was_removed_can_be_put_back_as_it_was() {
    let (here, _there) = Namespace::pair("routes");
    here.ip("route add default via 10.99.0.2 metric 100");
    here.ip("route add default via 10.99.0.2 metric 200");
    here.ip("route add 10.50.0.0/16 dev eth0 scope link src 10.99.0.1");
    here.ip("route add 10.51.0.0/16 nexthop via 10.99.0.2 nexthop via 10.99.0.3");
    here.ip("route add 172.31.1.1 via 192.0.2.1 dev eth0 onlink");
    here.ip("route add 10.52.0.0/16 via inet6 fd99::2");
    here.ip("route add default via fd99::2 metric 50 proto static");
    here.ip("route add fd50::/64 dev eth0");
    here.ip("route add fd51::/64 nexthop via fd99::2 nexthop via fd99::3");
    here.inside(|| {
        let host = host();
        let before = sorted(host.snapshot().unwrap().routes);
        assert!(before.len() >= 11, "{before:#?}");
        for route in before.iter().filter(|route| route.protocol.is_by_hand()) {
            host.remove_route(route).unwrap();
            let without = host.snapshot().unwrap().routes;
            assert!(!without.contains(route), "{route} is still there");
            host.remove_route(route).unwrap();
            assert_eq!(host.snapshot().unwrap().routes.len(), without.len(), "{route} took another with it");
            host.add_route(route).unwrap();
            host.add_route(route).unwrap();
        }
        // Of a multi-path IPv4 route all hops go with the first; put back they come one by one.
        for route in &before {
            host.add_route(route).unwrap();
        }
        assert_eq!(sorted(host.snapshot().unwrap().routes), before);
    });
}

fn sorted(mut routes: Vec<Route>) -> Vec<Route> {
    routes.sort_by_key(|route| format!("{route:?}"));
    routes
}

#[test]
fn every_kind_of_rule_is_removed_and_made_again() {
    let (here, _there) = Namespace::pair("rules");
    for rule in [
        "rule add from 10.1.0.0/16 lookup 100",
        "rule add to 10.2.0.0/16 iif eth0 lookup 1000 priority 77",
        "rule add not fwmark 0xca6c table 51820",
        "rule add table main suppress_prefixlength 0",
        "rule add uidrange 1000-1007 ipproto udp dport 500-510 prohibit",
        "-6 rule add from fd01::/64 tos 0x10 lookup 100",
    ] {
        here.ip(rule);
    }
    here.inside(|| {
        let host = host();
        let before = host.snapshot().unwrap().rules;
        let by_hand: Vec<_> = before.iter().filter(|rule| rule.protocol.is_by_hand()).collect();
        assert_eq!(by_hand.len(), 6, "{before:?}");
        for rule in by_hand {
            host.remove_rule(rule).unwrap();
            let without = host.snapshot().unwrap().rules;
            assert!(!without.contains(rule) && without.len() == before.len() - 1, "{rule}: {without:?}");
            host.remove_rule(rule).unwrap();
            assert_eq!(host.snapshot().unwrap().rules.len(), without.len(), "{rule} took another with it");
            host.add_rule(rule).unwrap();
            host.add_rule(rule).unwrap();
            let mut again = host.snapshot().unwrap().rules;
            again.sort_by_key(|rule| rule.words.clone());
            let mut expected = before.clone();
            expected.sort_by_key(|rule| rule.words.clone());
            assert_eq!(again, expected, "{rule}");
        }
    });
}

#[test]
fn routes_of_every_table_are_removed_and_put_back() {
    let (here, _there) = Namespace::pair("tables");
    for route in ["route add 10.50.0.0/16 via 10.99.0.2 table 100", "-6 route add fd50::/64 via fd99::2 table 70000"] {
        here.ip(route);
    }
    here.inside(|| {
        let host = host();
        let before = sorted(host.snapshot().unwrap().routes);
        let of_tables: Vec<_> = before.iter().filter(|route| route.table != 254).collect();
        assert_eq!(of_tables.iter().map(|route| route.table).collect::<Vec<_>>(), [100, 70_000]);
        for route in of_tables {
            host.remove_route(route).unwrap();
            assert!(!host.snapshot().unwrap().routes.contains(route), "{route} is still there");
            host.add_route(route).unwrap();
            assert_eq!(sorted(host.snapshot().unwrap().routes), before);
        }
    });
}

#[test]
fn removing_a_route_that_is_gone_leaves_its_likes_alone() {
    let (here, _there) = Namespace::pair("likes");
    here.ip("route add 10.50.0.0/16 via 10.99.0.2 metric 100");
    let index = here.inside(|| host().route_to(addr("10.99.0.2")).unwrap().unwrap().interface);
    let gone = Route {
        destination: (addr("10.50.0.0"), 16),
        gateway: Some(addr("10.99.0.2")),
        interface: Some(index),
        metric: 0,
        scope: 0,
        source: None,
        protocol: RouteProtocol(0),
        table: 254,
    };
    here.inside(|| host().remove_route(&gone)).unwrap();
    let routes = here.inside(|| host().snapshot().unwrap().routes);
    assert!(routes.iter().any(|route| route.metric == 100), "{routes:?}");
    let of_no_interface = Route { interface: Some(9999), ..gone };
    here.inside(|| host().remove_route(&of_no_interface)).unwrap();
    assert!(here.inside(|| host().add_route(&of_no_interface)).is_err());
}

#[test]
fn the_way_to_an_address_is_told() {
    let (here, _there) = Namespace::pair("way");
    here.ip("route add blackhole 10.96.0.0/24");
    here.ip("route add prohibit 10.95.0.0/24");
    here.ip("route add unreachable 10.94.0.0/24");
    here.ip("route add unreachable fd94::/64");
    here.ip("route add blackhole fd96::/64");
    let eth0 = here.inside(|| host().snapshot().unwrap());
    let eth0 = eth0.interfaces.iter().find(|interface| interface.name == "eth0").unwrap().index;
    here.inside(|| {
        for (target, source) in [("10.99.0.2", "10.99.0.1"), ("fd99::2", "fd99::1")] {
            let hop = host().route_to(addr(target)).unwrap().unwrap();
            assert_eq!((hop.interface, hop.source), (eth0, Some(addr(source))));
        }
        let loopback = host().route_to(addr("127.0.0.1")).unwrap().unwrap();
        assert_eq!(loopback.interface, 1);
        for target in ["10.97.0.1", "fd97::1", "10.96.0.1", "10.95.0.1", "10.94.0.1", "fd94::1", "fd96::1"] {
            assert_eq!(host().route_to(addr(target)).unwrap(), None, "{target}");
        }
    });
}

/// Opens a tun device in the calling thread's namespace; not closed on exec, so that a child holds it too.
#[expect(unsafe_code, reason = "TUNSETIFF has no safe wrapper")]
fn open_tun(name: &str) -> OwnedFd {
    let tun = fs::File::options().read(true).write(true).open("/dev/net/tun").unwrap();
    let mut request = [0u8; size_of::<libc::ifreq>()];
    request[..name.len()].copy_from_slice(name.as_bytes());
    let flags = i16::try_from(libc::IFF_TUN | libc::IFF_NO_PI).unwrap();
    request[libc::IFNAMSIZ..libc::IFNAMSIZ + 2].copy_from_slice(&flags.to_ne_bytes());
    // SAFETY: the request is as large as the `ifreq` that the kernel reads and writes, and outlives the call.
    let made = unsafe { libc::ioctl(tun.as_raw_fd(), libc::TUNSETIFF, request.as_mut_ptr()) };
    assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
    rustix::io::fcntl_setfd(&tun, rustix::io::FdFlags::empty()).unwrap();
    tun.into()
}

/// A process that does nothing until its standard input is closed, which it is when this is dropped.
struct Idler(Child);

impl Idler {
    fn start() -> Self {
        Self(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

impl Drop for Idler {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn the_holder_of_a_tun_device_is_found_in_its_own_namespace_only() {
    let (here, elsewhere) = Namespace::pair("holders");
    let holder = here.inside(|| {
        let _tun = open_tun("tun0");
        Idler::start()
    });
    assert_eq!(here.inside(|| host().holders("tun0")), [holder.pid()]);
    assert_eq!(here.inside(|| host().holders("tun1")), [0; 0]);
    assert_eq!(here.inside(|| host().holders("tun")), [0; 0]);
    assert_eq!(elsewhere.inside(|| host().holders("tun0")), [0; 0]);
    drop(holder);
    assert_eq!(here.inside(|| host().holders("tun0")), [0; 0]);
}

#[test]
fn a_process_belongs_to_the_namespace_that_it_runs_in() {
    let (here, elsewhere) = Namespace::pair("belongs");
    let idler = here.inside(Idler::start);
    assert_eq!(here.inside(|| host().contains_process(idler.pid())), Some(true));
    assert_eq!(elsewhere.inside(|| host().contains_process(idler.pid())), Some(false));
    assert_eq!(host().contains_process(idler.pid()), Some(false));
}

#[test]
fn each_namespace_has_a_lock_of_its_own() {
    let (here, elsewhere) = Namespace::pair("lock");
    let pid = i32::try_from(std::process::id()).unwrap();
    let held = here.inside(|| host().try_lock()).unwrap();
    assert_eq!(here.inside(|| host().try_lock().err()), Some(LockHeld::By(pid)));
    drop(elsewhere.inside(|| host().try_lock()).unwrap());
    elsewhere.run(|| async { host().unlocked().await });
    here.run(|| async {
        let host = host();
        let mut waiting = Box::pin(host.unlocked());
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err());
        drop(held);
        tokio::time::timeout(PATIENCE, waiting).await.unwrap();
        drop(host.try_lock().unwrap());
    });
}
