//! DNS messages and resolv.conf as text: pure.

use std::net::IpAddr;

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};

/// glibc looks at no more of them (`MAXNS`, resolv.conf(5)).
const MAX_SERVERS: usize = 3;

/// A question about the addresses of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    query: Query,
    id: u16,
}

/// What a resolver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// These.
    Addresses(Vec<IpAddr>),
    /// There is no such name.
    NoSuchName,
    /// The name has no address of this kind.
    NoAddress,
    /// The resolver could or would not tell.
    Refused(String),
    /// The answer does not fit a datagram: to be asked for by TCP.
    Truncated,
}

impl Question {
    /// For the IPv6 addresses of this whole name, or its IPv4 ones; `None` for what can be no name.
    pub(super) fn new(name: &str, ipv6: bool, id: u16) -> Option<Self> {
        let mut name = Name::from_utf8(name).ok()?;
        name.set_fqdn(true);
        let kind = if ipv6 { RecordType::AAAA } else { RecordType::A };
        Some(Self { query: Query::query(name, kind), id })
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let mut message = Message::query();
        message.metadata.id = self.id;
        message.metadata.recursion_desired = true;
        message.add_query(self.query.clone());
        message.to_vec().ok()
    }

    /// Reads an answer; `None` for what is none to this question.
    pub(super) fn read(&self, bytes: &[u8]) -> Option<Reply> {
        let message = Message::from_vec(bytes).ok()?;
        let [asked] = message.queries.as_slice() else { return None };
        let ours = message.metadata.id == self.id
            && message.metadata.message_type == MessageType::Response
            && asked.query_type() == self.query.query_type()
            && asked.query_class() == self.query.query_class()
            && asked.name().eq_ignore_root(self.query.name());
        if !ours {
            return None;
        }
        if message.metadata.truncation {
            return Some(Reply::Truncated);
        }
        let addresses: Vec<_> = message
            .answers
            .iter()
            .filter(|record| record.record_type() == self.query.query_type())
            .filter_map(|record| match record.data {
                RData::A(address) => Some(IpAddr::from(address.0)),
                RData::AAAA(address) => Some(IpAddr::from(address.0)),
                _ => None,
            })
            .collect();
        Some(match message.metadata.response_code {
            ResponseCode::NoError if addresses.is_empty() => Reply::NoAddress,
            ResponseCode::NoError => Reply::Addresses(addresses),
            ResponseCode::NXDomain => Reply::NoSuchName,
            code => Reply::Refused(code.to_string()),
        })
    }
}

/// The resolvers that this resolv.conf names, in their order.
pub(super) fn servers_of(resolv_conf: &str) -> Vec<IpAddr> {
    let server = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse().ok())?
    };
    resolv_conf.lines().filter_map(server).take(MAX_SERVERS).collect()
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
