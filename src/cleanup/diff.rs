//! What a client changed in interfaces, routes and policy rules: pure.

use crate::net::{Interface, NetSnapshot, Route, Rule, matches_glob};

/// The differences that a client accounts for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetDiff {
    /// Interfaces that were not there before and bear a name of the client's.
    pub interfaces: Vec<Interface>,
    /// Routes that were not there before.
    pub added: Vec<Route>,
    /// Routes that are gone.
    pub missing: Vec<Route>,
    /// Policy rules that were not there before.
    pub added_rules: Vec<Rule>,
    /// Policy rules that are gone.
    pub missing_rules: Vec<Rule>,
}

impl NetDiff {
    /// Whether there is no difference.
    pub const fn is_empty(&self) -> bool {
        self.interfaces.is_empty()
            && self.added.is_empty()
            && self.missing.is_empty()
            && self.added_rules.is_empty()
            && self.missing_rules.is_empty()
    }
}

/// Compares the network with what stood there before the login.
///
/// 1. An interface counts when its index is new and its name matches the profile's `interface`.
/// 2. A new route counts when it was made by hand (by a client or its scripts, not by the kernel, DHCP, router
///    advertisements or a routing daemon), unless it leaves by a new interface that is not the client's. A route by the
///    client's interface is no difference of its own: it goes with the interface.
/// 3. A route that is gone counts when it was made by hand and its interface is still there.
/// 4. A policy rule counts as a route does, but a new one only while there is no new interface beside the client's: a
///    rule names no interface, and somebody else's tunnel comes with rules of its own. Where no rule was known before
///    (there always is one), none counts.
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
    let (added_rules, missing_rules) = rule_diff(before, now, is_others_new(before, now, glob));
    NetDiff { interfaces, added, missing, added_rules, missing_rules }
}

/// Whether an interface came up that is not the client's.
fn is_others_new(before: &NetSnapshot, now: &NetSnapshot, glob: Option<&str>) -> bool {
    let is_clients = |name: &str| glob.is_some_and(|glob| matches_glob(glob, name));
    now.interfaces.iter().any(|i| before.interface(i.index).is_none() && !is_clients(&i.name))
}

/// New rules, and those that are gone.
fn rule_diff(before: &NetSnapshot, now: &NetSnapshot, others_new: bool) -> (Vec<Rule>, Vec<Rule>) {
    if before.rules.is_empty() {
        return Default::default();
    }
    let beside = |these: &NetSnapshot, those: &NetSnapshot| -> Vec<Rule> {
        let by_hand = these.rules.iter().filter(|rule| rule.protocol.is_by_hand());
        by_hand.filter(|rule| !those.rules.contains(rule)).cloned().collect()
    };
    let added = if others_new { Vec::new() } else { beside(now, before) };
    (added, beside(before, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::RouteProtocol;

    const KERNEL: u8 = 2;
    const BOOT: u8 = 3;
    const DHCP: u8 = 16;

    fn interface(index: u32, name: &str) -> Interface {
        Interface { index, name: name.into(), up: true, carrier: true, mtu: 1500, addresses: Vec::new() }
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
            table: 254,
        }
    }

    fn rule(words: &str, protocol: u8) -> Rule {
        Rule { words: words.into(), protocol: RouteProtocol(protocol), message: words.into() }
    }

    fn host() -> NetSnapshot {
        NetSnapshot {
            interfaces: vec![interface(1, "lo"), interface(2, "eth0")],
            routes: vec![route("0.0.0.0/0", 2, BOOT), route("192.0.2.0/24", 2, KERNEL)],
            rules: vec![rule("32766: lookup main", KERNEL), rule("7000: lookup 100", BOOT)],
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

    #[test]
    fn a_rule_that_came_or_went_counts_when_it_was_made_by_hand() {
        let mut now = host();
        now.rules = vec![rule("32766: lookup main", KERNEL), rule("5: lookup 7", BOOT), rule("6: lookup 8", KERNEL)];
        let diff = net_diff(&host(), &now, Some("tun*"));
        assert_eq!(diff.added_rules, [rule("5: lookup 7", BOOT)]);
        assert_eq!(diff.missing_rules, [rule("7000: lookup 100", BOOT)]);
        assert!(!diff.is_empty());
    }

    #[test]
    fn a_rule_that_came_with_anothers_interface_is_left_alone() {
        let mut now = host();
        now.rules.push(rule("5: lookup 51820", BOOT));
        now.interfaces.push(interface(9, "wg0"));
        assert!(net_diff(&host(), &now, Some("tun*")).is_empty());
        now.interfaces[2].name = "tun0".into();
        assert_eq!(net_diff(&host(), &now, Some("tun*")).added_rules.len(), 1);
    }

    #[test]
    fn where_no_rule_was_known_none_is_a_leftover() {
        let before = NetSnapshot { rules: Vec::new(), ..host() };
        assert!(net_diff(&before, &host(), Some("tun*")).is_empty());
    }
}
