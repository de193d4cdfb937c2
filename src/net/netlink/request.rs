//! The requests: what is asked of the kernel, and which of its refusals are no errors.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkMessage};
use netlink_packet_route::route::{RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteType, RouteVia};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::libc;

use super::socket::RouteSocket;
use super::{decode, rules};
use crate::net::{NetSnapshot, Route, RouteHop};

/// Interfaces with their addresses, routes and policy rules, IPv4 and IPv6. The lists are taken one after the
/// other, so a change in between may show in one and not in the other.
pub(in crate::net) fn snapshot() -> io::Result<NetSnapshot> {
    let mut socket = RouteSocket::open()?;
    let mut interfaces =
        socket.dump(&links_request(), |kind, payload, found| found.extend(decode::link(kind, payload)))?;
    interfaces.sort_by_key(|interface| interface.index);
    let addresses =
        socket.dump(&RouteNetlinkMessage::GetAddress(AddressMessage::default()), |kind, payload, found| {
            found.extend(decode::address(kind, payload));
        })?;
    for (index, address) in addresses {
        if let Ok(place) = interfaces.binary_search_by_key(&index, |interface| interface.index) {
            interfaces[place].addresses.push(address);
        }
    }
    let mut routes = dump_routes(&mut socket, AddressFamily::Inet)?;
    routes.extend(dump_routes(&mut socket, AddressFamily::Inet6)?);
    let rules = rules::dump(&mut socket)?;
    Ok(NetSnapshot { interfaces, routes, rules })
}

/// Which way a packet to `target` would go; `None` when the kernel would refuse it or throw it away.
pub(in crate::net) fn route_to(target: IpAddr) -> io::Result<Option<RouteHop>> {
    let mut message = RouteMessage::default();
    message.header.address_family = family(target);
    message.header.destination_prefix_length = full_length(target);
    message.attributes.push(RouteAttribute::Destination(target.into()));
    match RouteSocket::open()?.look_up(&RouteNetlinkMessage::GetRoute(message), decode::route_hop) {
        // A prohibit route answers EACCES, a blackhole EINVAL, a throw route without a further table EAGAIN.
        Err(error) if is_one_of(&error, &[libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EACCES, libc::EINVAL]) => {
            Ok(None)
        }
        found => found,
    }
}

/// Removes an interface; one that is gone already is no error.
pub(in crate::net) fn remove_interface(index: u32) -> io::Result<()> {
    let mut message = LinkMessage::default();
    message.header.index = index;
    let removed = RouteSocket::open()?.execute(&RouteNetlinkMessage::DelLink(message), 0);
    unless(removed, &[libc::ENODEV])
}

/// Removes a route; one that is gone already is no error.
///
/// The kernel takes a metric or protocol of 0 for "any" and would then remove the next best route of the same hop: so
/// the route is looked for first. Of a multi-path IPv4 route the first hop's removal removes them all.
pub(in crate::net) fn remove_route(route: &Route) -> io::Result<()> {
    let mut socket = RouteSocket::open()?;
    if !dump_routes(&mut socket, family(route.destination.0))?.contains(route) {
        return Ok(());
    }
    let removed = socket.execute(&RouteNetlinkMessage::DelRoute(route_message(route, RouteFlags::empty())), 0);
    unless(removed, &[libc::ESRCH, libc::ENODEV])
}

/// Puts a route back; one that is there already is no error.
///
/// Appended rather than created exclusively: another route to the same destination with the same metric is not this
/// route, and the further hops of a multi-path route are routes of their own.
pub(in crate::net) fn add_route(route: &Route) -> io::Result<()> {
    let mut socket = RouteSocket::open()?;
    let mut add = |flags| {
        let message = RouteNetlinkMessage::NewRoute(route_message(route, flags));
        unless(socket.execute(&message, NLM_F_CREATE | NLM_F_APPEND), &[libc::EEXIST])
    };
    match add(RouteFlags::empty()) {
        // The gateway is on no connected network: the route was made with `onlink`, which a snapshot does not tell.
        Err(error)
            if route.gateway.is_some()
                && route.interface.is_some()
                && is_one_of(&error, &[libc::ENETUNREACH, libc::EHOSTUNREACH]) =>
        {
            add(RouteFlags::Onlink).map_err(|_| error)
        }
        added => added,
    }
}

fn links_request() -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    // Counters are most of a link's message and nobody's business here.
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    RouteNetlinkMessage::GetLink(message)
}

fn dump_routes(socket: &mut RouteSocket, family: AddressFamily) -> io::Result<Vec<Route>> {
    let mut message = RouteMessage::default();
    message.header.address_family = family;
    socket.dump(&RouteNetlinkMessage::GetRoute(message), |kind, payload, found| {
        found.extend(decode::routes(kind, payload, family));
    })
}

fn route_message(route: &Route, flags: RouteFlags) -> RouteMessage {
    let (destination, length) = route.destination;
    let mut message = RouteMessage::default();
    message.header = RouteHeader {
        address_family: family(destination),
        destination_prefix_length: length,
        // The attribute holds it: here is room for 255.
        table: RouteHeader::RT_TABLE_UNSPEC,
        protocol: route.protocol.0.into(),
        scope: route.scope.into(),
        kind: RouteType::Unicast,
        flags,
        ..RouteHeader::default()
    };
    let attributes = &mut message.attributes;
    attributes.push(RouteAttribute::Table(route.table));
    if length > 0 {
        attributes.push(RouteAttribute::Destination(destination.into()));
    }
    attributes.extend(route.gateway.map(|gateway| next_hop(destination, gateway)));
    attributes.extend(route.interface.map(RouteAttribute::Oif));
    attributes.extend(route.source.map(|source| RouteAttribute::PrefSource(source.into())));
    if route.metric > 0 {
        attributes.push(RouteAttribute::Priority(route.metric));
    }
    message
}

/// An IPv4 route may have an IPv6 next hop, which has an attribute of its own.
fn next_hop(destination: IpAddr, gateway: IpAddr) -> RouteAttribute {
    match (destination, gateway) {
        (IpAddr::V4(_), IpAddr::V6(gateway)) => RouteAttribute::Via(RouteVia::Inet6(gateway)),
        (_, gateway) => RouteAttribute::Gateway(gateway.into()),
    }
}

fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}

fn full_length(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => u8::try_from(Ipv4Addr::BITS).unwrap_or(32),
        IpAddr::V6(_) => u8::try_from(Ipv6Addr::BITS).unwrap_or(128),
    }
}

pub(super) fn unless(result: io::Result<()>, harmless: &[i32]) -> io::Result<()> {
    match result {
        Err(error) if is_one_of(&error, harmless) => Ok(()),
        result => result,
    }
}

pub(super) fn is_one_of(error: &io::Error, codes: &[i32]) -> bool {
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
