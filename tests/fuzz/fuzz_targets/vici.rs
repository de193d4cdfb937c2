//! What an IKE daemon sends: packets are the same wherever the reads end, no larger than the protocol allows and written
//! the same again; a message is refused or read whole, by people who recurse and by us who do not; what is kept of it is
//! no more than it said. The first 16 bytes say where the reads end; with the highest bit of the first, the rest is the
//! message of one event.
#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Decoder;
use vpnprobe::vici::{
    Entry, LONGEST_PACKET, MessageWriter, Packet, Section, frames, read_connections, read_event, read_sas,
};
use vpnprobe_fuzz::{pieces, split};

fuzz_target!(|data: &[u8]| {
    let (decisions, bytes) = split(data, 16);
    if decisions.first().is_some_and(|first| first & 0x80 != 0) {
        message(b"child-updown", bytes);
        message(b"child-rekey", bytes);
        message(b"ike-updown", bytes);
        return;
    }
    let whole = packets([bytes]);
    assert_eq!(packets(pieces(&mut Unstructured::new(decisions), bytes)), whole);
    for packet in &whole {
        assert!(packet.len() <= LONGEST_PACKET);
        let Ok(read) = Packet::decode(packet) else { continue };
        assert_eq!(&read.encode().expect("it came in a packet"), packet);
        match read {
            Packet::Event(name, bytes) => message(name, bytes),
            Packet::Request(_, bytes) | Packet::Response(bytes) => message(b"", bytes),
            _ => {}
        }
    }
});

/// The packets until the first fault, if any.
fn packets<'a>(reads: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let (mut decoder, mut buffer, mut packets) = (frames(), BytesMut::new(), Vec::new());
    for read in reads {
        buffer.extend_from_slice(read);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(packet)) => packets.push(packet.to_vec()),
                Ok(None) => break,
                Err(_) => return packets,
            }
        }
        assert!(buffer.capacity() <= 2 * LONGEST_PACKET);
    }
    packets
}

fn message(name: &[u8], bytes: &[u8]) {
    let read = Section::parse(bytes);
    // Some hundred levels are no trouble for the stack here.
    if bytes.len() < 1_000 {
        assert_eq!(read.is_ok(), is_well_formed(bytes), "{bytes:?}");
    }
    let Ok(section) = read else { return };
    let mut again = MessageWriter::default();
    if bytes.len() < 1_000 {
        copy(section, &mut again);
        assert_eq!(again.bytes(), bytes);
    }
    // A byte may become a replacement character of three.
    let children: usize = read_sas(section).map(|sa| sa.children.len()).sum();
    assert!(13 * children <= bytes.len());
    for sa in read_sas(section) {
        let kept: usize = sa.tasks.iter().chain(sa.children.iter().map(|child| &child.name)).map(String::len).sum();
        assert!(kept <= 3 * bytes.len());
    }
    assert!(4 * read_connections(section).count() <= bytes.len());
    let _ = read_event(name, section);
}

fn copy(section: Section<'_>, out: &mut MessageWriter) {
    for entry in section.entries() {
        match entry {
            Entry::Value(name, value) => out.value(name, value).expect("it fitted before"),
            Entry::List(name, items) => out.list(name, items).expect("it fitted before"),
            Entry::Section(name, section) => {
                out.begin_section(name).expect("it fitted before");
                copy(section, out);
                out.end_section();
            }
        }
    }
}

/// The protocol's description, once more and by recursion.
fn is_well_formed(mut bytes: &[u8]) -> bool {
    body(&mut bytes, true).is_some() && bytes.is_empty()
}

fn body(rest: &mut &[u8], root: bool) -> Option<()> {
    loop {
        match rest.split_off_first() {
            None => return root.then_some(()),
            Some(1) => {
                name(rest)?;
                body(rest, false)?;
            }
            Some(2) if !root => return Some(()),
            Some(3) => {
                name(rest)?;
                value(rest)?;
            }
            Some(4) => {
                name(rest)?;
                loop {
                    match rest.split_off_first()? {
                        5 => value(rest)?,
                        6 => break,
                        _ => return None,
                    }
                }
            }
            Some(_) => return None,
        }
    }
}

fn name(rest: &mut &[u8]) -> Option<()> {
    let length = *rest.split_off_first()?;
    rest.split_off(..usize::from(length)).map(drop)
}

fn value(rest: &mut &[u8]) -> Option<()> {
    let length = rest.split_off(..2)?;
    rest.split_off(..usize::from(u16::from_be_bytes([length[0], length[1]]))).map(drop)
}
