//! What messages are read as, and which are refused.

use proptest::prelude::*;

use super::*;

/// The example of the protocol's own description.
const EXAMPLE: &[u8] = b"\x03\x04key1\x00\x06value1\x01\x08section1\x01\x0bsub-section\x03\x04key2\x00\x06value2\x02\
    \x04\x05list1\x05\x00\x05item1\x05\x00\x05item2\x06\x02";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tree {
    Value(Vec<u8>, Vec<u8>),
    Section(Vec<u8>, Vec<Tree>),
    List(Vec<u8>, Vec<Vec<u8>>),
}

fn trees() -> impl Strategy<Value = Vec<Tree>> {
    let name = || prop::collection::vec(any::<u8>(), 0..6);
    let leaf = prop_oneof![
        (name(), prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(n, v)| Tree::Value(n, v)),
        (name(), prop::collection::vec(name(), 0..4)).prop_map(|(n, items)| Tree::List(n, items)),
    ];
    let tree = leaf.prop_recursive(6, 64, 6, move |inner| {
        (name(), prop::collection::vec(inner, 0..6)).prop_map(|(n, body)| Tree::Section(n, body))
    });
    prop::collection::vec(tree, 0..6)
}

fn write(trees: &[Tree], out: &mut MessageWriter) {
    for tree in trees {
        match tree {
            Tree::Value(name, value) => out.value(name, value).unwrap(),
            Tree::List(name, items) => out.list(name, items.iter().map(Vec::as_slice)).unwrap(),
            Tree::Section(name, body) => {
                out.begin_section(name).unwrap();
                write(body, out);
                out.end_section();
            }
        }
    }
}

fn read(section: Section<'_>) -> Vec<Tree> {
    let one = |entry| match entry {
        Entry::Value(name, value) => Tree::Value(name.to_vec(), value.to_vec()),
        Entry::List(name, items) => Tree::List(name.to_vec(), items.map(<[u8]>::to_vec).collect()),
        Entry::Section(name, body) => Tree::Section(name.to_vec(), read(body)),
    };
    section.entries().map(one).collect()
}

fn written(trees: &[Tree]) -> Vec<u8> {
    let mut out = MessageWriter::default();
    write(trees, &mut out);
    out.bytes().to_vec()
}

proptest! {
    #[test]
    fn every_message_is_read_as_it_was_written(trees in trees()) {
        prop_assert_eq!(read(Section::parse(&written(&trees)).unwrap()), trees);
    }

    #[test]
    fn a_message_that_was_cut_is_read_to_an_end_of_its_own_or_refused(trees in trees(), cut: prop::sample::Index) {
        let whole = written(&trees);
        prop_assume!(!whole.is_empty());
        let part = &whole[..cut.index(whole.len())];
        if let Ok(section) = Section::parse(part) {
            prop_assert!(trees.starts_with(&read(section)));
        }
    }

    #[test]
    fn bytes_that_are_taken_are_written_the_same_again(bytes in prop::collection::vec(0..8_u8, 0..60)) {
        if let Ok(section) = Section::parse(&bytes) {
            prop_assert_eq!(written(&read(section)), bytes);
        }
    }
}

#[test]
fn the_example_of_the_protocols_description_is_read() {
    let message = Section::parse(EXAMPLE).unwrap();
    assert_eq!(message.text("key1").as_deref(), Some("value1"));
    let section = message.section("section1").unwrap();
    assert_eq!(section.section("sub-section").unwrap().text("key2").as_deref(), Some("value2"));
    assert_eq!(section.list("list1").collect::<Vec<_>>(), [b"item1", b"item2"]);
    assert_eq!(section.value("key1"), None);
    assert_eq!(section.list("list2").count(), 0);
}

#[test]
fn malformed_messages_are_refused_for_what_is_wrong_with_them() {
    for (bytes, fault) in [
        (&b"\x07"[..], Fault::UnknownType(7)),
        (b"\x00", Fault::UnknownType(0)),
        (b"\x02", Fault::OutOfPlace(2)),
        (b"\x01\x01a\x02\x02", Fault::OutOfPlace(2)),
        (b"\x01\x01a", Fault::Cut),
        (b"\x01\x05a", Fault::Cut),
        (b"\x03\x01a\x00", Fault::Cut),
        (b"\x03\x01a\xff\xffa", Fault::Cut),
        (b"\x04\x01a", Fault::Cut),
        (b"\x04\x01a\x02", Fault::OutOfPlace(2)),
        (b"\x04\x01a\x01\x01b\x02\x06", Fault::OutOfPlace(1)),
        (b"\x04\x01a\x04\x01b\x06\x06", Fault::OutOfPlace(4)),
        (b"\x04\x01a\x03\x01b\x00\x00\x06", Fault::OutOfPlace(3)),
        (b"\x05\x00\x00", Fault::OutOfPlace(5)),
        (b"\x06", Fault::OutOfPlace(6)),
        (b"\x01\x01a\x04\x01b\x02\x06", Fault::OutOfPlace(2)),
    ] {
        assert_eq!(Section::parse(bytes).err(), Some(fault), "{bytes:?}");
    }
}

#[test]
fn a_message_as_deep_as_a_packet_allows_is_read_like_any_other() {
    let depth = super::super::codec::LONGEST_PACKET / 3;
    let mut bytes = [1_u8, 0].repeat(depth);
    bytes.resize(3 * depth, SECTION_END);
    bytes.extend_from_slice(b"\x03\x01a\x00\x011");
    let message = Section::parse(&bytes).unwrap();
    assert_eq!(message.number::<u32>("a"), Some(1));
    assert_eq!(message.sections().count(), 1);
}

#[test]
fn a_number_that_is_none_is_absent() {
    let mut out = MessageWriter::default();
    for (name, value) in [("a", "12"), ("b", ""), ("c", "-1"), ("d", "99999999999"), ("e", "1x"), ("f", "\u{661}")] {
        out.value(name.as_bytes(), value.as_bytes()).unwrap();
    }
    let message = Section::parse(out.bytes()).unwrap();
    let numbers = ["a", "b", "c", "d", "e", "f", "g"].map(|name| message.number::<u32>(name));
    assert_eq!(numbers, [Some(12), None, None, None, None, None, None]);
}

#[test]
fn what_does_not_fit_its_length_field_is_not_written() {
    let mut out = MessageWriter::default();
    assert_eq!(out.value(&[b'a'; 256], b""), Err(Fault::DoesNotFit));
    assert_eq!(out.value(b"a", &vec![b'a'; 65_536]), Err(Fault::DoesNotFit));
}
