//! ICMP errors and local refusals in words, for a person.
//!
//! Pure. The words are those of `ping`, in lower case, so that whoever knows one reads the other.

use std::net::IpAddr;

use nix::errno::Errno;

use super::codec::Version;

/// An ICMP error as the kernel reports it (`sock_extended_err`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IcmpError {
    /// Of the message.
    pub(super) version: Version,
    /// Type of the message.
    pub(super) kind: u8,
    /// Code of the message.
    pub(super) code: u8,
    /// The largest packet that would have gone through, where the error is about size; else 0.
    pub(super) mtu: u32,
    /// Who sent it.
    pub(super) from: Option<IpAddr>,
}

impl IcmpError {
    /// A router tells of a better way and forwards the packet all the same: the reply may come.
    pub(super) const fn is_redirect(&self) -> bool {
        matches!((self.version, self.kind), (Version::V4, 5))
    }

    /// In words: "destination host unreachable from 10.0.0.1".
    pub(super) fn in_words(&self) -> String {
        let what = match self.version {
            Version::V4 => v4(self.kind, self.code, self.mtu),
            Version::V6 => v6(self.kind, self.code, self.mtu),
        };
        match self.from {
            Some(from) => format!("{what} from {from}"),
            None => what,
        }
    }
}

/// Types and codes of RFC 792, RFC 1122 and RFC 1812.
fn v4(kind: u8, code: u8, mtu: u32) -> String {
    let words = match (kind, code) {
        (3, 0) => "destination net unreachable",
        (3, 1) => "destination host unreachable",
        (3, 2) => "destination protocol unreachable",
        (3, 3) => "destination port unreachable",
        (3, 4) => return format!("fragmentation needed (MTU {mtu})"),
        (3, 5) => "source route failed",
        (3, 6) => "destination net unknown",
        (3, 7) => "destination host unknown",
        (3, 9) => "destination net prohibited",
        (3, 10) => "destination host prohibited",
        (3, 13) => "packet filtered",
        (11, 0) => "time to live exceeded",
        (11, 1) => "frag reassembly time exceeded",
        (12, _) => "parameter problem",
        _ => return format!("ICMP error {kind}/{code}"),
    };
    words.to_owned()
}

/// Types and codes of RFC 4443.
fn v6(kind: u8, code: u8, mtu: u32) -> String {
    let words = match (kind, code) {
        (1, 0) => "no route to destination",
        (1, 1) => "administratively prohibited",
        (1, 2) => "beyond scope of source address",
        (1, 3) => "address unreachable",
        (1, 4) => "port unreachable",
        (1, 5) => "source address failed ingress/egress policy",
        (1, 6) => "route rejected",
        (2, _) => return format!("packet too big (MTU {mtu})"),
        (3, 0) => "hop limit exceeded",
        (3, 1) => "frag reassembly time exceeded",
        (4, _) => "parameter problem",
        _ => return format!("ICMPv6 error {kind}/{code}"),
    };
    words.to_owned()
}

/// What the kernel says about a request that it did not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no way there, or none for a packet of this size: says something about the target.
    NoWay,
    /// No room at the moment: worth another try.
    Busy,
    /// The host forbids it.
    Forbidden,
    /// Anything else is the host's own fault.
    Fault,
}

impl Refusal {
    /// Sorts what `sendto` returned.
    pub(super) const fn of(errno: Errno) -> Self {
        match errno {
            Errno::ENETUNREACH
            | Errno::EHOSTUNREACH
            | Errno::ENETDOWN
            | Errno::EHOSTDOWN
            | Errno::EADDRNOTAVAIL
            | Errno::EMSGSIZE
            // A prohibit route and a blackhole route.
            | Errno::EACCES
            | Errno::EINVAL => Self::NoWay,
            Errno::EAGAIN | Errno::EINTR | Errno::ENOBUFS | Errno::ENOMEM => Self::Busy,
            Errno::EPERM => Self::Forbidden,
            _ => Self::Fault,
        }
    }
}

/// An error number in words.
pub(super) fn errno_in_words(errno: Errno) -> String {
    match errno {
        Errno::EACCES => "permission denied (a prohibit route, or a broadcast address?)".to_owned(),
        Errno::EINVAL => "invalid argument (a blackhole route?)".to_owned(),
        Errno::EPERM => "operation not permitted (a local packet filter?)".to_owned(),
        _ => errno.desc().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_like_those_of_ping() {
        let from = Some("10.0.0.1".parse().unwrap());
        for (version, kind, code, expected) in [
            (Version::V4, 3, 1, "destination host unreachable from 10.0.0.1"),
            (Version::V4, 3, 4, "fragmentation needed (MTU 1400) from 10.0.0.1"),
            (Version::V4, 11, 0, "time to live exceeded from 10.0.0.1"),
            (Version::V4, 3, 200, "ICMP error 3/200 from 10.0.0.1"),
            (Version::V6, 1, 0, "no route to destination from 10.0.0.1"),
            (Version::V6, 2, 0, "packet too big (MTU 1400) from 10.0.0.1"),
            (Version::V6, 200, 0, "ICMPv6 error 200/0 from 10.0.0.1"),
        ] {
            assert_eq!(IcmpError { version, kind, code, mtu: 1400, from }.in_words(), expected);
        }
        let nobody = IcmpError { version: Version::V4, kind: 3, code: 0, mtu: 0, from: None };
        assert_eq!(nobody.in_words(), "destination net unreachable");
    }

    #[test]
    fn a_redirect_is_no_error() {
        let of = |version, kind| IcmpError { version, kind, code: 1, mtu: 0, from: None }.is_redirect();
        assert!(of(Version::V4, 5));
        assert!(!of(Version::V4, 3) && !of(Version::V6, 5));
    }

    #[test]
    fn no_route_is_told_apart_from_the_hosts_own_trouble() {
        for (errno, expected) in [
            (Errno::ENETUNREACH, Refusal::NoWay),
            (Errno::EHOSTUNREACH, Refusal::NoWay),
            (Errno::EMSGSIZE, Refusal::NoWay),
            (Errno::ENOBUFS, Refusal::Busy),
            (Errno::EPERM, Refusal::Forbidden),
            (Errno::EBADF, Refusal::Fault),
        ] {
            assert_eq!(Refusal::of(errno), expected, "{errno}");
        }
        assert_eq!(errno_in_words(Errno::ENETUNREACH), "network is unreachable");
    }
}
