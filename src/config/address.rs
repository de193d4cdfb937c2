//! Host names and addresses as they are written in the configuration. Pure; nothing is resolved here.

use std::net::{IpAddr, Ipv6Addr};

/// Splits `host`, `host:port` or `[2001:db8::1]:port`. `None` when it is none of these.
///
/// The host is an address or a plain name; it never begins with `-`, so that no client takes it for an option.
pub fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    if text.parse::<Ipv6Addr>().is_ok() {
        return Some((text, None));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(parse_port(port)?))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match text.split_once(':') {
        Some((host, port)) => is_host(host).then_some((host, Some(parse_port(port)?))),
        None => is_host(text).then_some((text, None)),
    }
}

/// Whether this is an IP address or could be a host name.
pub(super) fn is_host(text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        let inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    // A name whose last label is a number is a mistyped IPv4 address (RFC 1123 §2.1).
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= 253 && !numeric && name.split('.').all(label)
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_a_host_with_or_without_a_port() {
        for (text, expected) in [
            ("vpn.example.com", Some(("vpn.example.com", None))),
            ("vpn.example.com:8443", Some(("vpn.example.com", Some(8443)))),
            ("203.0.113.10:443", Some(("203.0.113.10", Some(443)))),
            ("2001:db8::1", Some(("2001:db8::1", None))),
            ("[2001:db8::1]:443", Some(("2001:db8::1", Some(443)))),
            ("[2001:db8::1]", Some(("2001:db8::1", None))),
            ("gw", Some(("gw", None))),
            ("gw_1.example.com.", Some(("gw_1.example.com.", None))),
            ("bücher.example", Some(("bücher.example", None))),
            ("https://vpn.example.com", None),
            ("vpn.example.com/path", None),
            ("vpn.example.com:0", None),
            ("vpn.example.com:65536", None),
            ("vpn.example.com:+5", None),
            ("vpn.example.com:", None),
            ("-oProxyCommand=x", None),
            ("a b", None),
            ("", None),
            (":443", None),
            ("[2001:db8::1]443", None),
            ("[gw]:443", None),
            ("a..b", None),
        ] {
            assert_eq!(split_host_port(text), expected, "{text}");
        }
    }

    #[test]
    fn a_mistyped_address_is_no_host_name() {
        for text in ["10.0.0.300", "10.0.0", "256.1.1.1", "10.0.0.1.", "10.0.0.1/24"] {
            assert!(!is_host(text), "{text}");
        }
        assert!(is_host("10.0.0.1") && is_host("fe80::1") && is_host("inside.example.com"));
    }
}
