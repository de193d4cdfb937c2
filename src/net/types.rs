//! Plain values that a network context hands out.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::PingStats;

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// The kernel's index: never reused while the namespace lives, so it tells a new `tun0` from the old one.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// Something is at the other end of its cable (`IFF_LOWER_UP`); always, where there is no cable.
    #[serde(default)]
    pub carrier: bool,
    /// Largest packet that it takes, in bytes; 0 where that was not told.
    #[serde(default)]
    pub mtu: u32,
    /// Addresses with their prefix lengths; link-local IPv6 addresses are left out.
    pub addresses: Vec<(IpAddr, u8)>,
}

/// Who made a route (`rtm_protocol`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RouteProtocol(pub u8);

impl RouteProtocol {
    /// Made by hand or by a script: `RTPROT_BOOT` (3), what `ip route add` and the old `route` ioctl write,
    /// `RTPROT_STATIC` (4) and `RTPROT_UNSPEC` (0). Routes of the kernel, of router advertisements, DHCP and routing
    /// daemons come and go by themselves and are nobody's leftovers (`linux/rtnetlink.h`).
    pub const fn is_by_hand(self) -> bool {
        matches!(self.0, 0 | 3 | 4)
    }
}

/// A unicast route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// Destination and prefix length; `0.0.0.0/0` or `::/0` is the default route.
    pub destination: (IpAddr, u8),
    /// Next hop, where there is one.
    pub gateway: Option<IpAddr>,
    /// Index of the output interface.
    pub interface: Option<u32>,
    /// Metric; 0 where the kernel gives none.
    pub metric: u32,
    /// Scope (`rtm_scope`).
    pub scope: u8,
    /// Preferred source address.
    pub source: Option<IpAddr>,
    /// Who made it.
    pub protocol: RouteProtocol,
    /// The routing table in which it stands.
    #[serde(default = "main_table")]
    pub table: u32,
}

/// `RT_TABLE_MAIN` (`linux/rtnetlink.h`).
pub const MAIN_TABLE: u32 = 254;

const fn main_table() -> u32 {
    MAIN_TABLE
}

/// A policy rule: which packets look into which table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// As `ip rule` shows it.
    pub words: String,
    /// Who made it.
    pub protocol: RouteProtocol,
    /// The kernel's own description, by which it is removed or made again whatever it holds.
    pub message: Vec<u8>,
}

/// Interfaces, routes and rules at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetSnapshot {
    /// By index.
    pub interfaces: Vec<Interface>,
    /// Of all tables but the kernel's own (`local`), IPv4 and IPv6: one for each next hop of a multi-path route. Routes
    /// to link-local IPv6 addresses are left out: every interface gets one by itself.
    pub routes: Vec<Route>,
    /// Policy rules, IPv4 and IPv6; none at all where they could not be known.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// Where the kernel would send a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteHop {
    /// Index of the output interface.
    pub interface: u32,
    /// Source address that it would use.
    pub source: Option<IpAddr>,
}

/// A series of echo requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingRequest {
    /// To whom.
    pub target: IpAddr,
    /// How many; at least 1.
    pub count: u32,
    /// From one request to the next.
    pub interval: Duration,
    /// How long each reply may take.
    pub timeout: Duration,
    /// Payload of each request in bytes.
    pub payload: usize,
    /// Whether a packet that is too large for a link may be cut into pieces.
    pub fragments: Fragments,
}

/// Whether a packet may be cut into pieces on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fragments {
    /// As the kernel has it for ordinary traffic.
    #[default]
    Allowed,
    /// It goes whole or not at all, whatever the kernel knows of the way (`IP_PMTUDISC_PROBE`).
    Forbidden,
}

/// What a series of echo requests brought.
#[derive(Debug, Clone, PartialEq)]
pub struct PingReport {
    /// The figures.
    pub stats: PingStats,
    /// The first ICMP error or local routing error that came instead of a reply, in words ("destination host
    /// unreachable from 10.0.0.1"): unreachable, as against silence.
    pub unreachable: Option<String>,
}

/// Why there could be no ping at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PingError {
    /// Neither kind of socket is allowed and no `ping` program is there.
    #[error("neither an ICMP datagram socket nor a raw socket may be opened, and there is no `ping` program: {0}")]
    NoPermission(String),
    /// The socket was there, and the host forbids to send by it.
    #[error("this host does not let the ping out: {0}")]
    Forbidden(String),
    /// Anything else that is the host's fault.
    #[error("cannot ping: {0}")]
    Io(String),
}

/// Why a name has no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The resolver answered that the name does not exist or has no address.
    #[error("the name `{0}` does not exist")]
    NotFound(String),
    /// The resolver did not answer.
    #[error("the resolver did not answer for `{name}`: {detail}")]
    ResolverFailed {
        /// The name asked for.
        name: String,
        /// The resolver library's words.
        detail: String,
    },
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Somebody is there, nobody listens.
    #[error("connection refused")]
    Refused,
    /// No answer within the time.
    #[error("no answer")]
    TimedOut,
    /// A router, or this host, knows no way there.
    #[error("{0}")]
    Unreachable(String),
    /// The host's own fault: no descriptor left, a local packet filter.
    #[error("cannot connect: {0}")]
    Io(String),
}

impl NetSnapshot {
    /// The interface with this index.
    pub fn interface(&self, index: u32) -> Option<&Interface> {
        self.interfaces.iter().find(|i| i.index == index)
    }

    /// Whether any route leaves by this interface.
    pub fn has_route_by(&self, index: u32) -> bool {
        self.routes.iter().any(|r| r.interface == Some(index))
    }
}

/// Whether a name matches a glob of `*` (any text) and `?` (any one character).
pub fn matches_glob(glob: &str, name: &str) -> bool {
    match (glob.chars().next(), name.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            matches_glob(&glob[1..], name)
                || name.chars().next().is_some_and(|first| matches_glob(glob, &name[first.len_utf8()..]))
        }
        (Some('?'), Some(c)) => matches_glob(&glob[1..], &name[c.len_utf8()..]),
        (Some(g), Some(n)) if g == n => matches_glob(&glob[g.len_utf8()..], &name[n.len_utf8()..]),
        _ => false,
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.destination.0, self.destination.1)?;
        if let Some(gateway) = self.gateway {
            write!(f, " via {gateway}")?;
        }
        if let Some(interface) = self.interface {
            write!(f, " dev #{interface}")?;
        }
        if self.table != MAIN_TABLE {
            write!(f, " table {}", self.table)?;
        }
        Ok(())
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_those_of_a_shell_without_brackets() {
        for (glob, name, expected) in [
            ("tun*", "tun0", true),
            ("tun*", "tun", true),
            ("tun*", "atun0", false),
            ("tun?", "tun10", false),
            ("*0", "tun10", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches_glob(glob, name), expected, "{glob} on {name}");
        }
    }
}
