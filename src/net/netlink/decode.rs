//! What the kernel's rtnetlink messages say, as far as a network context asks.
//!
//! Pure. Only the attributes that are wanted are looked at: a kernel newer than the decoding crate, or a route with an
//! encapsulation unknown to it, must not make the whole list unreadable.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::{DoneBuffer, ErrorBuffer, NLA_HEADER_SIZE, NetlinkBuffer, NlasIterator};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::AddressHeader;
use netlink_packet_route::link::{LinkFlags, LinkHeader};
use netlink_packet_route::route::{RouteFlags, RouteHeader, RouteType};
use nix::errno::Errno;
use nix::libc;

use crate::net::{Interface, Route, RouteHop, RouteProtocol};

// Message types (`linux/netlink.h`, `linux/rtnetlink.h`).
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;

// Lengths of the fixed headers before the attributes (`ifinfomsg`, `ifaddrmsg`, `rtmsg`, `rtnexthop`).
const LINK_HEADER: usize = 16;
const ADDRESS_HEADER: usize = 8;
const ROUTE_HEADER: usize = 12;
const NEXT_HOP_HEADER: usize = 8;

/// One message of a datagram.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// Its type.
    pub(super) kind: u16,
    /// `NLM_F_…`.
    pub(super) flags: u16,
    /// The number of the request that it answers.
    pub(super) sequence: u32,
    /// What follows the header.
    pub(super) payload: &'a [u8],
}

/// The messages of a datagram; ends after the first malformed one.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = io::Result<Message<'_>>> {
    std::iter::from_fn(move || {
        if datagram.is_empty() {
            return None;
        }
        let buffer = match NetlinkBuffer::new_checked(datagram) {
            Ok(buffer) => buffer,
            Err(error) => {
                datagram = &[];
                return Some(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
            }
        };
        let length = buffer.length() as usize;
        let payload = buffer.payload();
        let (kind, flags, sequence) = (buffer.message_type(), buffer.flags(), buffer.sequence_number());
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Ok(Message { kind, flags, sequence, payload }))
    })
}

/// Whether this message ends an answer, and how.
pub(super) fn end_of_answer(kind: u16, payload: &[u8]) -> Option<Result<(), Errno>> {
    let code = match kind {
        NLMSG_ERROR => ErrorBuffer::new_checked(payload).map(|e| e.code().map_or(0, std::num::NonZeroI32::get)),
        // Old kernels end a list without a code.
        NLMSG_DONE => Ok(DoneBuffer::new_checked(payload).map_or(0, |done| done.code())),
        _ => return None,
    };
    Some(match code {
        Ok(0) => Ok(()),
        Ok(code) => Err(Errno::from_raw(code.saturating_neg())),
        Err(_) => Err(Errno::EBADMSG),
    })
}

/// An interface, without its addresses.
pub(super) fn link(kind: u16, payload: &[u8]) -> Option<Interface> {
    if kind != libc::RTM_NEWLINK {
        return None;
    }
    let header = LinkHeader::parse(payload).ok()?;
    let attribute = |wanted| attributes(payload, LINK_HEADER).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let name = attribute(libc::IFLA_IFNAME)?;
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    Some(Interface {
        index: header.index,
        name: String::from_utf8_lossy(name).into_owned(),
        up: header.flags.contains(LinkFlags::Up),
        carrier: header.flags.contains(LinkFlags::LowerUp),
        mtu: attribute(libc::IFLA_MTU).and_then(number).unwrap_or(0),
        addresses: Vec::new(),
    })
}

/// The index of an interface and one of its addresses; link-local IPv6 addresses are left out.
pub(super) fn address(kind: u16, payload: &[u8]) -> Option<(u32, (IpAddr, u8))> {
    if kind != libc::RTM_NEWADDR {
        return None;
    }
    let header = AddressHeader::parse(payload).ok()?;
    let mut local = None;
    let mut shown = None;
    for (kind, value) in attributes(payload, ADDRESS_HEADER) {
        match kind {
            libc::IFA_LOCAL => local = ip(value),
            libc::IFA_ADDRESS => shown = ip(value),
            _ => {}
        }
    }
    // On a point-to-point interface IFA_ADDRESS is the peer's.
    let address = local.or(shown)?;
    (!is_link_local_v6(address)).then_some((header.index, (address, header.prefix_len)))
}

/// The unicast routes in this message, but those of the kernel's own table: one for each next hop of a multi-path route. Routes to
/// link-local IPv6 addresses are left out, as those addresses are.
pub(super) fn routes(kind: u16, payload: &[u8], family: AddressFamily) -> Vec<Route> {
    if kind != libc::RTM_NEWROUTE {
        return Vec::new();
    }
    let Ok(header) = RouteHeader::parse(payload) else { return Vec::new() };
    let attributes = RouteAttributes::read(attributes(payload, ROUTE_HEADER));
    let table = attributes.table.unwrap_or(u32::from(header.table));
    // A kernel without IPv6 answers a question for its routes with those of all the families that it has.
    if header.address_family != family
        || header.kind != RouteType::Unicast
        || table == u32::from(libc::RT_TABLE_LOCAL)
        || header.flags.contains(RouteFlags::Cloned)
    {
        return Vec::new();
    }
    let unspecified = match family {
        AddressFamily::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        _ => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let destination = attributes.destination.unwrap_or(unspecified);
    if is_link_local_v6(destination) {
        return Vec::new();
    }
    let route = |gateway, interface| Route {
        destination: (destination, header.destination_prefix_length),
        gateway,
        interface,
        metric: attributes.metric.unwrap_or(0),
        scope: header.scope.into(),
        source: attributes.source,
        protocol: RouteProtocol(header.protocol.into()),
        table,
    };
    match attributes.multipath {
        None => vec![route(attributes.gateway, attributes.interface)],
        Some(hops) => next_hops(hops).map(|(gateway, interface)| route(gateway, Some(interface))).collect(),
    }
}

/// Where a packet goes, from the answer to a look-up; `None` when it would be thrown away.
pub(super) fn route_hop(kind: u16, payload: &[u8]) -> Option<RouteHop> {
    if kind != libc::RTM_NEWROUTE {
        return None;
    }
    let header = RouteHeader::parse(payload).ok()?;
    match header.kind {
        RouteType::BlackHole | RouteType::Unreachable | RouteType::Prohibit | RouteType::Throw => None,
        _ => {
            let attributes = RouteAttributes::read(attributes(payload, ROUTE_HEADER));
            Some(RouteHop { interface: attributes.interface?, source: attributes.source })
        }
    }
}

/// The attributes of a route that are looked at.
#[derive(Default)]
struct RouteAttributes<'a> {
    destination: Option<IpAddr>,
    gateway: Option<IpAddr>,
    interface: Option<u32>,
    metric: Option<u32>,
    source: Option<IpAddr>,
    table: Option<u32>,
    multipath: Option<&'a [u8]>,
}

impl<'a> RouteAttributes<'a> {
    fn read(attributes: impl Iterator<Item = (u16, &'a [u8])>) -> Self {
        let mut read = Self::default();
        for (kind, value) in attributes {
            match kind {
                libc::RTA_DST => read.destination = ip(value),
                libc::RTA_GATEWAY => read.gateway = ip(value),
                libc::RTA_VIA => read.gateway = value.get(2..).and_then(ip),
                libc::RTA_OIF => read.interface = number(value),
                libc::RTA_PRIORITY => read.metric = number(value),
                libc::RTA_PREFSRC => read.source = ip(value),
                libc::RTA_TABLE => read.table = number(value),
                libc::RTA_MULTIPATH => read.multipath = Some(value),
                _ => {}
            }
        }
        read
    }
}

/// The next hops of a multi-path route: gateway and interface. Ends at the first malformed one.
fn next_hops(mut bytes: &[u8]) -> impl Iterator<Item = (Option<IpAddr>, u32)> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(*bytes.first_chunk()?));
        let hop = bytes.get(..length)?;
        let interface = number(hop.get(4..NEXT_HOP_HEADER)?)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((RouteAttributes::read(attributes(hop, NEXT_HOP_HEADER)).gateway, interface))
    })
}

/// The attributes after a header, by type and value. Ends at the first malformed one.
fn attributes(payload: &[u8], header: usize) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(payload.get(header..).unwrap_or_default()).map_while(|attribute| {
        let attribute = attribute.ok()?;
        let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
        Some((kind, attribute.into_inner().get(NLA_HEADER_SIZE..length)?))
    })
}

fn number(value: &[u8]) -> Option<u32> {
    value.try_into().map(u32::from_ne_bytes).ok()
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

fn is_link_local_v6(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
