//! From a configured host to an address: a literal at once, a name through the system's resolver.
//!
//! The system's own, because the prober must see the name as the client will: hosts file, nsswitch, search list and
//! the order of addresses included. Must not cache: resolv.conf changes when a client connects.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use dns_lookup::{AddrInfoHints, LookupError, SockType, getaddrinfo};
use nix::libc;

use super::ResolveError;

/// The longest name that the DNS has, written with a final dot (RFC 1035, 2.3.4).
const MAX_NAME: usize = 254;

/// Resolves `host` within `timeout`.
///
/// The system's resolver can't be interrupted: when `timeout` passes, its thread goes on until its own limit (10 s for
/// one server and glibc's defaults).
pub(super) async fn resolve(host: &str, timeout: Duration) -> Result<IpAddr, ResolveError> {
    let found = resolve_all(host, timeout).await?;
    found.first().copied().ok_or_else(|| ResolveError::NotFound(host.to_owned()))
}

/// The same, with every address in the resolver's order.
pub(super) async fn resolve_all(host: &str, timeout: Duration) -> Result<Vec<IpAddr>, ResolveError> {
    if let Some(address) = literal(host) {
        return Ok(vec![address]);
    }
    let name = host.to_owned();
    match tokio::time::timeout(timeout, tokio::task::spawn_blocking(move || look_up(&name))).await {
        Ok(Ok(found)) => found,
        Ok(Err(_)) => Err(failed(host, "the look-up was abandoned")),
        Err(_) => Err(failed(host, &format!("no answer within {} ms", timeout.as_millis()))),
    }
}

/// The address that `host` is, if it is one; brackets around an IPv6 address are accepted.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok(),
    }
}

/// The addresses of `name` in the resolver's order. Blocks; uses the calling thread's network namespace.
pub(super) fn look_up(name: &str) -> Result<Vec<IpAddr>, ResolveError> {
    if name.is_empty() || name.len() > MAX_NAME || name.contains('\0') {
        return Err(ResolveError::NotFound(name.to_owned()));
    }
    // One kind of socket, so that each address comes once.
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let found = getaddrinfo(Some(name), None, Some(hints)).map_err(|error| classify(name, &error))?;
    let addresses: Result<Vec<_>, _> = found.map(|entry| entry.map(|entry| entry.sockaddr.ip())).collect();
    match addresses {
        Ok(addresses) if addresses.is_empty() => Err(ResolveError::NotFound(name.to_owned())),
        Ok(addresses) => Ok(addresses),
        Err(error) => Err(failed(name, &error.to_string())),
    }
}

fn classify(name: &str, error: &LookupError) -> ResolveError {
    match error.error_num() {
        libc::EAI_NONAME | libc::EAI_NODATA => ResolveError::NotFound(name.to_owned()),
        _ => failed(name, &error.to_string()),
    }
}

fn failed(name: &str, detail: &str) -> ResolveError {
    let detail = detail.strip_prefix("failed to lookup address information: ").unwrap_or(detail);
    ResolveError::ResolverFailed { name: name.to_owned(), detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_with_and_without_brackets() {
        for (host, expected) in [
            ("192.0.2.7", Some("192.0.2.7")),
            ("2001:db8::7", Some("2001:db8::7")),
            ("[2001:db8::7]", Some("2001:db8::7")),
            ("[192.0.2.7]", None),
            ("[2001:db8::7", None),
            ("vpn.example.com", None),
            ("192.0.2", None),
            ("", None),
        ] {
            assert_eq!(literal(host), expected.map(|e| e.parse().unwrap()), "`{host}`");
        }
    }

    #[test]
    fn what_can_be_no_name_does_not_exist() {
        for name in ["", "a\0b", &"a".repeat(255)] {
            assert_eq!(look_up(name), Err(ResolveError::NotFound(name.to_owned())));
        }
    }

    #[test]
    fn only_the_word_that_there_is_no_such_name_counts_as_not_found() {
        let error = |code| classify("vpn.example.com", &LookupError::new(code));
        let name = "vpn.example.com".to_owned();
        assert_eq!(error(-2), ResolveError::NotFound(name.clone()));
        assert_eq!(error(-5), ResolveError::NotFound(name.clone()));
        let detail = "Temporary failure in name resolution".to_owned();
        assert_eq!(error(-3), ResolveError::ResolverFailed { name, detail });
        assert!(matches!(error(-4), ResolveError::ResolverFailed { .. }));
    }

    #[tokio::test]
    async fn a_literal_needs_no_resolver_and_no_time() {
        let found = resolve("[::1]", Duration::ZERO).await;
        assert_eq!(found, Ok("::1".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_name_of_the_hosts_file_is_found() {
        let found = resolve("localhost", Duration::from_secs(10)).await.unwrap();
        assert!(found.is_loopback());
    }
}
