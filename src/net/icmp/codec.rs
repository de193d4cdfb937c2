//! Echo messages as bytes: ICMP (RFC 792) and `ICMPv6` (RFC 4443), which differ in type numbers and in who computes
//! the checksum.
//!
//! Pure. Must not decide whose reply one is.

use std::net::IpAddr;

/// Length of an echo message without its data.
pub(super) const HEADER: usize = 8;

/// The largest header of an IPv4 packet, which a raw socket receives before the message.
pub(super) const MAX_IPV4_HEADER: usize = 60;

/// The IP version, which decides the message types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net) enum Version {
    V4,
    V6,
}

/// An echo request or reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Echo<'a> {
    /// Which series it belongs to; the kernel writes its own on a datagram socket.
    pub(super) id: u16,
    /// Which request of the series.
    pub(super) sequence: u16,
    /// What is to be sent back unchanged.
    pub(super) data: &'a [u8],
}

impl Version {
    /// That of an address.
    pub(in crate::net) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    const fn request_type(self) -> u8 {
        match self {
            Self::V4 => 8,
            Self::V6 => 128,
        }
    }

    const fn reply_type(self) -> u8 {
        match self {
            Self::V4 => 0,
            Self::V6 => 129,
        }
    }
}

impl<'a> Echo<'a> {
    /// The bytes of a request.
    pub(super) fn encode_request(&self, version: Version) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER + self.data.len());
        message.extend_from_slice(&[version.request_type(), 0, 0, 0]);
        message.extend_from_slice(&self.id.to_be_bytes());
        message.extend_from_slice(&self.sequence.to_be_bytes());
        message.extend_from_slice(self.data);
        // The checksum of ICMPv6 covers the addresses, so the kernel computes it.
        if version == Version::V4 {
            let sum = checksum(&message);
            message[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        message
    }

    /// Reads a reply; `None` for any other message, and for a damaged one. A raw IPv4 socket gets its packets before
    /// the kernel has checked them.
    pub(super) fn parse_reply(version: Version, message: &'a [u8]) -> Option<Self> {
        if version == Version::V4 && checksum(message) != 0 {
            return None;
        }
        Self::parse(version.reply_type(), message)
    }

    /// Reads a request as an ICMP error quotes it: its data may be cut off, so its checksum says nothing.
    pub(super) fn parse_quoted_request(version: Version, message: &'a [u8]) -> Option<Self> {
        Self::parse(version.request_type(), message)
    }

    fn parse(kind: u8, message: &'a [u8]) -> Option<Self> {
        let (header, data) = message.split_first_chunk::<HEADER>()?;
        let [found, code, _, _, id_high, id_low, sequence_high, sequence_low] = *header;
        (found == kind && code == 0).then_some(Self {
            id: u16::from_be_bytes([id_high, id_low]),
            sequence: u16::from_be_bytes([sequence_high, sequence_low]),
            data,
        })
    }
}

/// What follows the header of an IPv4 packet (RFC 791, 3.1); `None` when it is none.
pub(super) fn strip_ipv4_header(packet: &[u8]) -> Option<&[u8]> {
    let first = *packet.first()?;
    let length = usize::from(first & 0x0f) * 4;
    (first >> 4 == 4 && length >= 20).then(|| packet.get(length..))?
}

/// The Internet checksum (RFC 1071); 0 over a message that contains its right checksum.
fn checksum(message: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in message.chunks(2) {
        let word = u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
        sum += u32::from(word);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let [_, _, high, low] = sum.to_be_bytes();
    !u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Type 8, id 1, sequence number 1, eight zero bytes; the checksum is `!(0x0800 + 1 + 1)`.
    const REQUEST: [u8; 16] = [8, 0, 0xf7, 0xfd, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

    fn reply_to(version: Version, request: &[u8]) -> Vec<u8> {
        let mut reply = request.to_vec();
        reply[0] = version.reply_type();
        reply[2..4].fill(0);
        if version == Version::V4 {
            let sum = checksum(&reply);
            reply[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        reply
    }

    #[test]
    fn a_request_has_its_checksum_in_ipv4_and_none_in_ipv6() {
        let echo = Echo { id: 0x0001, sequence: 0x0001, data: &[0; 8] };
        assert_eq!(echo.encode_request(Version::V4), REQUEST);
        assert_eq!(echo.encode_request(Version::V6)[..4], [128, 0, 0, 0]);
    }

    #[test]
    fn the_checksum_is_that_of_rfc_1071() {
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(checksum(&[]), 0xffff);
        assert_eq!(checksum(&[0xff]), !0xff00);
    }

    #[test]
    fn a_damaged_reply_and_any_other_message_are_no_reply() {
        let reply = reply_to(Version::V4, &REQUEST);
        assert!(Echo::parse_reply(Version::V4, &reply).is_some());
        let mut damaged = reply.clone();
        damaged[15] ^= 1;
        assert_eq!(Echo::parse_reply(Version::V4, &damaged), None);
        assert_eq!(Echo::parse_reply(Version::V4, &REQUEST), None, "our own request, seen on loopback");
        assert_eq!(Echo::parse_reply(Version::V6, &reply), None);
    }

    #[test]
    fn the_shortest_quote_of_a_request_still_tells_which() {
        let quoted = Echo::parse_quoted_request(Version::V4, &REQUEST[..8]).unwrap();
        assert_eq!((quoted.id, quoted.sequence, quoted.data), (1, 1, &[][..]));
        assert_eq!(Echo::parse_quoted_request(Version::V4, &REQUEST[..7]), None);
    }

    #[test]
    fn an_ipv4_header_is_as_long_as_it_says() {
        let mut packet = [0u8; 28];
        for (first, expected) in
            [(0x45, Some(8)), (0x46, Some(4)), (0x47, Some(0)), (0x48, None), (0x44, None), (0x65, None)]
        {
            packet[0] = first;
            assert_eq!(strip_ipv4_header(&packet).map(<[u8]>::len), expected, "{first:#x}");
        }
        assert_eq!(strip_ipv4_header(&[]), None);
    }

    proptest! {
        #[test]
        fn what_was_sent_comes_back(id: u16, sequence: u16, data in prop::collection::vec(any::<u8>(), 0..200), v6: bool) {
            let version = if v6 { Version::V6 } else { Version::V4 };
            let echo = Echo { id, sequence, data: &data };
            let request = echo.encode_request(version);
            prop_assert_eq!(Echo::parse_quoted_request(version, &request), Some(echo));
            let reply = reply_to(version, &request);
            prop_assert_eq!(Echo::parse_reply(version, &reply), Some(echo));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            for version in [Version::V4, Version::V6] {
                let _ = Echo::parse_reply(version, &bytes);
                let _ = Echo::parse_quoted_request(version, &bytes);
            }
            let _ = strip_ipv4_header(&bytes);
        }
    }
}
