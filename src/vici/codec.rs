//! Packets: what goes over the connection. Pure.
//!
//! A packet is its length (32 bits, big-endian, not counting itself), a type byte, a name where the type has one, and a
//! message where the type has one. Source: README.md of strongSwan's vici plugin.

use tokio_util::codec::LengthDelimitedCodec;

use super::message::{Fault, put_name, take, take_name};

/// Longest packet that the protocol allows (`VICI_MESSAGE_SIZE_MAX` of strongSwan), in bytes.
pub const LONGEST_PACKET: usize = 512 * 1024;

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A command (0).
    Request(&'a [u8], &'a [u8]),
    /// The answer to it (1).
    Response(&'a [u8]),
    /// There is no such command (2).
    UnknownCommand,
    /// Asks for the events of a name (3).
    Register(&'a [u8]),
    /// Asks for them no longer (4).
    Unregister(&'a [u8]),
    /// One of these two is done (5).
    Confirmed,
    /// There are no such events (6).
    UnknownEvent,
    /// An event (7): its name, its message.
    Event(&'a [u8], &'a [u8]),
}

impl<'a> Packet<'a> {
    /// Reads a packet whose length was taken off. Says nothing of the message in it.
    pub fn decode(mut bytes: &'a [u8]) -> Result<Self, Fault> {
        let rest = &mut bytes;
        let kind = take(rest, 1)?[0];
        let packet = match kind {
            0 => Self::Request(take_name(rest)?, std::mem::take(rest)),
            1 => Self::Response(std::mem::take(rest)),
            2 => Self::UnknownCommand,
            3 => Self::Register(take_name(rest)?),
            4 => Self::Unregister(take_name(rest)?),
            5 => Self::Confirmed,
            6 => Self::UnknownEvent,
            7 => Self::Event(take_name(rest)?, std::mem::take(rest)),
            other => return Err(Fault::UnknownType(other)),
        };
        // What has no message may be followed by nothing.
        if rest.is_empty() { Ok(packet) } else { Err(Fault::OutOfPlace(kind)) }
    }

    /// Writes a packet, without its length.
    pub fn encode(&self) -> Result<Vec<u8>, Fault> {
        let (kind, name, message): (u8, Option<&[u8]>, &[u8]) = match *self {
            Self::Request(name, message) => (0, Some(name), message),
            Self::Response(message) => (1, None, message),
            Self::UnknownCommand => (2, None, &[]),
            Self::Register(name) => (3, Some(name), &[]),
            Self::Unregister(name) => (4, Some(name), &[]),
            Self::Confirmed => (5, None, &[]),
            Self::UnknownEvent => (6, None, &[]),
            Self::Event(name, message) => (7, Some(name), message),
        };
        let mut out = Vec::with_capacity(2 + name.map_or(0, <[u8]>::len) + message.len());
        out.push(kind);
        if let Some(name) = name {
            put_name(&mut out, name)?;
        }
        out.extend_from_slice(message);
        if out.len() > LONGEST_PACKET { Err(Fault::TooLong) } else { Ok(out) }
    }
}

/// What cuts a connection into packets. A length beyond [`LONGEST_PACKET`] is an error before room is made for it.
pub fn frames() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().length_field_length(4).max_frame_length(LONGEST_PACKET).new_codec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio_util::bytes::BytesMut;
    use tokio_util::codec::{Decoder, Encoder};

    use super::*;

    fn packet<'a>(kind: u8, name: &'a [u8], message: &'a [u8]) -> Packet<'a> {
        match kind % 8 {
            0 => Packet::Request(name, message),
            1 => Packet::Response(message),
            2 => Packet::UnknownCommand,
            3 => Packet::Register(name),
            4 => Packet::Unregister(name),
            5 => Packet::Confirmed,
            6 => Packet::UnknownEvent,
            _ => Packet::Event(name, message),
        }
    }

    proptest! {
        #[test]
        fn every_packet_is_read_as_it_was_written(kind: u8, name in prop::collection::vec(any::<u8>(), 0..256), message: Vec<u8>) {
            let packet = packet(kind, &name, &message);
            let bytes = packet.encode().unwrap();
            prop_assert_eq!(Packet::decode(&bytes), Ok(packet));
        }

        #[test]
        fn packets_are_the_same_wherever_the_reads_end(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
            cuts in prop::collection::vec(1..50_usize, 1..40),
        ) {
            let mut stream = BytesMut::new();
            for packet in &packets {
                frames().encode(packet.as_slice(), &mut stream).unwrap();
            }
            let (mut decoder, mut buffer, mut got) = (frames(), BytesMut::new(), Vec::new());
            let mut cuts = cuts.iter().cycle();
            while !stream.is_empty() {
                let length = stream.len().min(*cuts.next().unwrap());
                buffer.extend_from_slice(&stream.split_to(length));
                while let Some(frame) = decoder.decode(&mut buffer).unwrap() {
                    got.push(frame.to_vec());
                }
            }
            prop_assert_eq!(got, packets);
        }

        #[test]
        fn bytes_that_are_read_are_written_the_same_again(bytes: Vec<u8>) {
            if let Ok(packet) = Packet::decode(&bytes) {
                prop_assert_eq!(packet.encode().unwrap(), bytes);
            }
        }
    }

    #[test]
    fn a_packet_cut_anywhere_in_its_head_is_said_to_be_cut() {
        for (bytes, fault) in [
            (&b""[..], Fault::Cut),
            (b"\x07", Fault::Cut),
            (b"\x07\x05list", Fault::Cut),
            (b"\x08", Fault::UnknownType(8)),
            (b"\x05x", Fault::OutOfPlace(5)),
            (b"\x03\x01ax", Fault::OutOfPlace(3)),
        ] {
            assert_eq!(Packet::decode(bytes), Err(fault), "{bytes:?}");
        }
    }

    #[test]
    fn a_length_beyond_the_protocols_makes_no_room_and_ends_the_connection() {
        for (length, allowed) in
            [(LONGEST_PACKET, true), (LONGEST_PACKET + 1, false), (1 << 30, false), (u32::MAX as usize, false)]
        {
            let mut buffer = BytesMut::from(&u32::try_from(length).unwrap().to_be_bytes()[..]);
            buffer.extend_from_slice(b"\x01");
            assert_eq!(frames().decode(&mut buffer).is_ok(), allowed, "{length}");
            assert!(buffer.capacity() <= LONGEST_PACKET + 64, "{}", buffer.capacity());
        }
    }

    #[test]
    fn what_does_not_fit_is_not_sent() {
        assert_eq!(Packet::Register(&[b'a'; 256]).encode(), Err(Fault::DoesNotFit));
        assert_eq!(Packet::Response(&vec![0; LONGEST_PACKET]).encode(), Err(Fault::TooLong));
    }
}
