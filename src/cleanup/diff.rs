//! What a client changed in interfaces and routes: pure.

use crate::net::{Interface, NetSnapshot, Route, matches_glob};

/// The differences that a client accounts for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetDiff {
    /// Interfaces that were not there before and bear a name of the client's.
    pub interfaces: Vec<Interface>,
    /// Routes that were not there before.
    pub added: Vec<Route>,
    /// Routes that are gone.
    pub missing: Vec<Route>,
}

impl NetDiff {
    /// Whether there is no difference.
    pub const fn is_empty(&self) -> bool {
        self.interfaces.is_empty() && self.added.is_empty() && self.missing.is_empty()
    }
}

/// Compares the network with what stood there before the login.
///
/// 1. An interface counts when its index is new and its name matches the profile's `interface`.
/// 2. A new route counts when it was made by hand (by a client or its scripts, not by the kernel, DHCP, router
///    advertisements or a routing daemon), unless it leaves by a new interface that is not the client's. A route by the
///    client's interface is no difference of its own: it goes with the interface.
/// 3. A route that is gone counts when it was made by hand and its interface is still there.
pub fn net_diff(before: &NetSnapshot, now: &NetSnapshot, glob: Option<&str>) -> NetDiff {
    let is_new = |index: u32| before.interface(index).is_none();
    let interfaces: Vec<Interface> = now
        .interfaces
        .iter()
        .filter(|i| is_new(i.index) && glob.is_some_and(|glob| matches_glob(glob, &i.name)))
        .cloned()
        .collect();
    let added = now
        .routes
        .iter()
        .filter(|r| r.protocol.is_by_hand() && !before.routes.contains(r))
        .filter(|r| r.interface.is_none_or(|index| !is_new(index)))
        .cloned()
        .collect();
    let missing = before
        .routes
        .iter()
        .filter(|r| r.protocol.is_by_hand() && !now.routes.contains(r))
        .filter(|r| r.interface.is_none_or(|index| now.interface(index).is_some()))
        .cloned()
        .collect();
    NetDiff { interfaces, added, missing }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::RouteProtocol;

    const KERNEL: u8 = 2;
    const BOOT: u8 = 3;
    const DHCP: u8 = 16;

    fn interface(index: u32, name: &str) -> Interface {
        Interface { index, name: name.into(), up: true, mtu: 1500, addresses: Vec::new() }
    }

    fn route(destination: &str, interface: u32, protocol: u8) -> Route {
        let (address, length) = destination.split_once('/').unwrap();
        Route {
            destination: (address.parse().unwrap(), length.parse().unwrap()),
            gateway: None,
            interface: Some(interface),
            metric: 0,
            scope: 0,
            source: None,
            protocol: RouteProtocol(protocol),
        }
    }

    fn host() -> NetSnapshot {
        NetSnapshot {
            interfaces: vec![interface(1, "lo"), interface(2, "eth0")],
            routes: vec![route("0.0.0.0/0", 2, BOOT), route("192.0.2.0/24", 2, KERNEL)],
        }
    }

    #[test]
    fn an_unchanged_host_has_no_differences() {
        assert!(net_diff(&host(), &host(), Some("tun*")).is_empty());
    }

    #[test]
    fn a_new_tunnel_counts_once_and_its_routes_go_with_it() {
        let mut now = host();
        now.interfaces.push(interface(7, "tun0"));
        now.routes.push(route("10.0.0.0/8", 7, BOOT));
        let diff = net_diff(&host(), &now, Some("tun*"));
        assert_eq!(diff.interfaces.len(), 1);
        assert!(diff.added.is_empty());
    }

    #[test]
    fn a_tunnel_that_stood_there_before_and_a_new_one_of_another_name_are_left_alone() {
        let mut before = host();
        before.interfaces.push(interface(5, "tun0"));
        let mut now = before.clone();
        now.interfaces.push(interface(8, "docker0"));
        now.routes.push(route("172.17.0.0/16", 8, BOOT));
        assert!(net_diff(&before, &now, Some("tun*")).is_empty());
    }

    #[test]
    fn a_tunnel_of_the_same_name_is_known_by_its_index() {
        let mut before = host();
        before.interfaces.push(interface(5, "tun0"));
        let mut now = host();
        now.interfaces.push(interface(6, "tun0"));
        assert_eq!(net_diff(&before, &now, Some("tun*")).interfaces[0].index, 6);
    }

    #[test]
    fn a_route_to_the_gateway_that_stayed_counts_and_one_of_dhcp_does_not() {
        let mut now = host();
        now.routes.push(route("203.0.113.10/32", 2, BOOT));
        now.routes.push(route("198.51.100.0/24", 2, DHCP));
        let diff = net_diff(&host(), &now, Some("tun*"));
        assert_eq!(diff.added, [route("203.0.113.10/32", 2, BOOT)]);
    }

    #[test]
    fn a_default_route_that_is_gone_is_missed_unless_its_interface_is_gone_too() {
        let mut now = host();
        now.routes.remove(0);
        assert_eq!(net_diff(&host(), &now, None).missing, [route("0.0.0.0/0", 2, BOOT)]);
        now.interfaces.remove(1);
        assert!(net_diff(&host(), &now, None).is_empty());
    }
}
