//! Policy rules: listed, removed, made again.
//!
//! A rule is kept as the kernel describes it and handed back as it is, as `ip rule flush` and `ip rule restore` do: so
//! every kind of rule is the same one again, whatever it holds. What is read of it is for people.

use std::io;

use netlink_packet_core::{Emitable, NLM_F_CREATE, NLM_F_EXCL, Parseable};
use netlink_packet_route::rule::{RuleAttribute, RuleMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::libc;

use super::request::{is_one_of, unless};
use super::socket::RouteSocket;
use crate::net::{RouteProtocol, Rule};

/// The rules of IPv4 and IPv6. A kernel without policy routing has none.
pub(super) fn dump(socket: &mut RouteSocket) -> io::Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut message = RuleMessage::default();
        message.header.family = family;
        let request = RouteNetlinkMessage::GetRule(message);
        match socket.dump(&request, |kind, payload, found| found.extend(rule(kind, payload, family))) {
            Ok(found) => rules.extend(found),
            Err(error) if is_one_of(&error, &[libc::EOPNOTSUPP, libc::EAFNOSUPPORT]) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(rules)
}

/// Removes a rule; one that is gone already is no error.
///
/// The kernel removes the first rule that is like what it is given, and takes what is left out for "any": so the rule is
/// looked for first.
pub(in crate::net) fn remove_rule(rule: &Rule) -> io::Result<()> {
    let mut socket = RouteSocket::open()?;
    if !dump(&mut socket)?.contains(rule) {
        return Ok(());
    }
    unless(socket.execute(&RouteNetlinkMessage::DelRule(message(rule)?), 0), &[libc::ENOENT])
}

/// Makes a rule again; one that is there already is no error.
pub(in crate::net) fn add_rule(rule: &Rule) -> io::Result<()> {
    let mut socket = RouteSocket::open()?;
    let request = RouteNetlinkMessage::NewRule(message(rule)?);
    unless(socket.execute(&request, NLM_F_CREATE | NLM_F_EXCL), &[libc::EEXIST])
}

fn message(rule: &Rule) -> io::Result<RuleMessage> {
    RuleMessage::parse(&rule.message).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e.to_string()))
}

/// The rule in this message.
fn rule(kind: u16, payload: &[u8], family: AddressFamily) -> Option<Rule> {
    if kind != libc::RTM_NEWRULE {
        return None;
    }
    let message = RuleMessage::parse(payload).ok()?;
    // A kernel without IPv6 answers a question for its rules with those of all the families that it has.
    if message.header.family != family {
        return None;
    }
    let protocol = message.attributes.iter().find_map(|attribute| match attribute {
        RuleAttribute::Protocol(protocol) => Some(u8::from(*protocol)),
        _ => None,
    });
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    Some(Rule { words: words(&message), protocol: RouteProtocol(protocol.unwrap_or_default()), message: bytes })
}

/// `7000: from 198.51.100.7/32 lookup 100`, nearly as `ip rule` says it.
fn words(message: &RuleMessage) -> String {
    let mut priority = 0;
    let mut table = u32::from(message.header.table);
    let mut what = String::new();
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Priority(value) => priority = *value,
            RuleAttribute::Table(value) => table = *value,
            _ => what.extend(word(attribute, message)),
        }
    }
    let version = if message.header.family == AddressFamily::Inet6 { "IPv6 " } else { "" };
    format!("{version}{priority}:{what} lookup {table}")
}

/// What a rule asks of a packet.
fn word(attribute: &RuleAttribute, message: &RuleMessage) -> Option<String> {
    Some(match attribute {
        RuleAttribute::Source(ip) => format!(" from {ip}/{}", message.header.src_len),
        RuleAttribute::Destination(ip) => format!(" to {ip}/{}", message.header.dst_len),
        RuleAttribute::FwMark(mark) => format!(" fwmark {mark:#x}"),
        RuleAttribute::Iifname(name) => format!(" iif {name}"),
        RuleAttribute::Oifname(name) => format!(" oif {name}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_rule() -> Vec<u8> {
        let mut message = RuleMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.src_len = 32;
        message.header.table = 100;
        message.attributes = vec![
            RuleAttribute::Table(100),
            RuleAttribute::Priority(7000),
            RuleAttribute::Source([198, 51, 100, 7].into()),
            RuleAttribute::Protocol(netlink_packet_route::route::RouteProtocol::Boot),
        ];
        let mut bytes = vec![0; message.buffer_len()];
        message.emit(&mut bytes);
        bytes
    }

    #[test]
    fn a_rule_is_kept_as_it_came_and_told_in_words() {
        let bytes = a_rule();
        let found = rule(libc::RTM_NEWRULE, &bytes, AddressFamily::Inet).unwrap();
        assert_eq!((found.words.as_str(), found.protocol.0), ("7000: from 198.51.100.7/32 lookup 100", 3));
        assert_eq!(found.message, bytes);
        assert_eq!(rule(libc::RTM_NEWRULE, &bytes, AddressFamily::Inet6), None);
        assert_eq!(rule(libc::RTM_DELRULE, &bytes, AddressFamily::Inet), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = rule(libc::RTM_NEWRULE, &bytes, AddressFamily::Inet);
        }
    }
}
