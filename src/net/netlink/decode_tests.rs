use netlink_packet_core::Emitable;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteNextHop, RouteProtocol as Protocol, RouteVia};
use proptest::prelude::*;

use super::*;

fn bytes(message: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    bytes
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// `10.1.0.0/16 via 10.0.0.1 dev #7 metric 50`, made by `ip route add`.
fn a_route() -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = 16;
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = Protocol::Boot;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![
        RouteAttribute::Destination(addr("10.1.0.0").into()),
        RouteAttribute::Gateway(addr("10.0.0.1").into()),
        RouteAttribute::Oif(7),
        RouteAttribute::Priority(50),
        RouteAttribute::PrefSource(addr("10.0.0.2").into()),
    ];
    message
}

fn routes_of(message: &RouteMessage) -> Vec<Route> {
    routes(libc::RTM_NEWROUTE, &bytes(message), AddressFamily::Inet)
}

#[test]
fn a_route_is_read_with_all_that_is_needed_to_put_it_back() {
    let expected = Route {
        destination: (addr("10.1.0.0"), 16),
        gateway: Some(addr("10.0.0.1")),
        interface: Some(7),
        metric: 50,
        scope: 0,
        source: Some(addr("10.0.0.2")),
        protocol: RouteProtocol(3),
        table: 254,
    };
    assert_eq!(routes_of(&a_route()), [expected]);
}

#[test]
fn a_default_route_has_no_destination_in_the_message() {
    let mut message = a_route();
    message.header.destination_prefix_length = 0;
    message.attributes.remove(0);
    assert_eq!(routes_of(&message)[0].destination, (addr("0.0.0.0"), 0));
    message.header.address_family = AddressFamily::Inet6;
    message.attributes.clear();
    let routes = routes(libc::RTM_NEWROUTE, &bytes(&message), AddressFamily::Inet6);
    assert_eq!(routes[0].destination, (addr("::"), 0));
}

#[test]
fn a_multi_path_route_is_one_route_for_each_hop() {
    let hop = |interface, gateway: &str| {
        let mut hop = RouteNextHop::default();
        hop.interface_index = interface;
        hop.attributes = vec![RouteAttribute::Gateway(addr(gateway).into())];
        hop
    };
    let mut message = a_route();
    message.attributes = vec![
        RouteAttribute::Destination(addr("10.1.0.0").into()),
        RouteAttribute::MultiPath(vec![hop(7, "10.0.0.1"), hop(8, "10.0.8.1")]),
    ];
    let hops: Vec<_> = routes_of(&message).into_iter().map(|route| (route.interface, route.gateway)).collect();
    assert_eq!(hops, [(Some(7), Some(addr("10.0.0.1"))), (Some(8), Some(addr("10.0.8.1")))]);
}

#[test]
fn an_ipv4_route_may_have_an_ipv6_gateway() {
    let mut message = a_route();
    message.attributes[1] = RouteAttribute::Via(RouteVia::Inet6("fe80::1".parse().unwrap()));
    assert_eq!(routes_of(&message)[0].gateway, Some(addr("fe80::1")));
}

#[test]
fn what_is_no_unicast_route_or_the_kernels_own_is_left_out() {
    let changed = |change: fn(&mut RouteMessage)| {
        let mut message = a_route();
        change(&mut message);
        routes_of(&message)
    };
    assert_eq!(changed(|m| m.header.kind = RouteType::BlackHole), []);
    assert_eq!(changed(|m| m.header.table = 255), []);
    assert_eq!(changed(|m| m.attributes.push(RouteAttribute::Table(1000)))[0].table, 1000);
    assert_eq!(changed(|m| m.header.flags = RouteFlags::Cloned), []);
    assert_eq!(changed(|m| m.header.address_family = AddressFamily::Inet6), []);
    let link_local = RouteAttribute::Destination(addr("fe80::").into());
    let mut message = a_route();
    message.header.address_family = AddressFamily::Inet6;
    message.attributes = vec![link_local, RouteAttribute::Oif(7)];
    assert_eq!(routes(libc::RTM_NEWROUTE, &bytes(&message), AddressFamily::Inet6), []);
}

#[test]
fn a_route_that_throws_packets_away_leads_nowhere() {
    let mut message = a_route();
    let hop = route_hop(libc::RTM_NEWROUTE, &bytes(&message));
    assert_eq!(hop, Some(RouteHop { interface: 7, source: Some(addr("10.0.0.2")) }));
    for kind in [RouteType::BlackHole, RouteType::Unreachable, RouteType::Prohibit, RouteType::Throw] {
        message.header.kind = kind;
        assert_eq!(route_hop(libc::RTM_NEWROUTE, &bytes(&message)), None, "{kind:?}");
    }
}

#[test]
fn an_interface_is_read_by_name_and_state() {
    let mut message = LinkMessage::default();
    message.header.index = 12;
    message.header.flags = LinkFlags::Up | LinkFlags::Running | LinkFlags::LowerUp;
    message.attributes.push(LinkAttribute::IfName("tun0".to_owned()));
    let found = link(libc::RTM_NEWLINK, &bytes(&message)).unwrap();
    assert_eq!((found.index, found.name.as_str(), found.up, found.carrier), (12, "tun0", true, true));
    message.header.flags = LinkFlags::Running;
    let found = link(libc::RTM_NEWLINK, &bytes(&message)).unwrap();
    assert!(!found.up && !found.carrier);
    assert_eq!(link(libc::RTM_DELLINK, &bytes(&message)), None);
}

#[test]
fn of_a_point_to_point_address_ours_is_read_and_not_the_peers() {
    let mut message = AddressMessage::default();
    message.header.index = 12;
    message.header.prefix_len = 32;
    message.attributes = vec![AddressAttribute::Address(addr("10.8.0.1")), AddressAttribute::Local(addr("10.8.0.6"))];
    assert_eq!(address(libc::RTM_NEWADDR, &bytes(&message)), Some((12, (addr("10.8.0.6"), 32))));
}

#[test]
fn a_link_local_ipv6_address_is_left_out() {
    let mut message = AddressMessage::default();
    message.attributes = vec![AddressAttribute::Address(addr("fe80::1"))];
    assert_eq!(address(libc::RTM_NEWADDR, &bytes(&message)), None);
    message.attributes = vec![AddressAttribute::Address(addr("2001:db8::1"))];
    assert!(address(libc::RTM_NEWADDR, &bytes(&message)).is_some());
}

#[test]
fn a_datagram_holds_several_messages_and_ends_at_a_torn_one() {
    let one = |kind: u8, payload: &[u8]| {
        let length = u8::try_from(16 + payload.len()).unwrap();
        let mut message = vec![length, 0, 0, 0, kind, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        message.extend_from_slice(payload);
        message.resize(message.len().next_multiple_of(4), 0);
        message
    };
    let mut datagram = [one(16, &[1, 2, 3]), one(3, &[0; 4])].concat();
    let kinds: Vec<_> =
        messages(&datagram).map(|m| m.map(|m| (m.kind, m.sequence, m.payload.len())).unwrap()).collect();
    assert_eq!(kinds, [(16, 9, 3), (3, 9, 4)]);
    datagram.truncate(datagram.len() - 1);
    assert!(messages(&datagram).last().unwrap().is_err());
}

#[test]
fn the_end_of_an_answer_tells_how_it_went() {
    assert_eq!(end_of_answer(libc::RTM_NEWLINK, &[]), None);
    assert_eq!(end_of_answer(NLMSG_DONE, &[]), Some(Ok(())));
    assert_eq!(end_of_answer(NLMSG_ERROR, &0i32.to_ne_bytes()), Some(Ok(())));
    assert_eq!(end_of_answer(NLMSG_ERROR, &(-libc::ENODEV).to_ne_bytes()), Some(Err(Errno::ENODEV)));
    assert_eq!(end_of_answer(NLMSG_ERROR, &[]), Some(Err(Errno::EBADMSG)));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), hop in 0u8..40) {
        for message in messages(&bytes).take(100).flatten() {
            let _ = end_of_answer(message.kind, message.payload);
        }
        for kind in [NLMSG_DONE, NLMSG_ERROR] {
            let _ = end_of_answer(kind, &bytes);
        }
        let _ = link(libc::RTM_NEWLINK, &bytes);
        let _ = address(libc::RTM_NEWADDR, &bytes);
        let _ = route_hop(libc::RTM_NEWROUTE, &bytes);
        let _ = routes(libc::RTM_NEWROUTE, &bytes, AddressFamily::Inet);
        let mut hops = bytes;
        hops.splice(0..0, [hop, 0]);
        prop_assert!(next_hops(&hops).count() <= hops.len());
    }
}
