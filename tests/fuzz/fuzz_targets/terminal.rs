//! The escape filter: what comes out has no control characters but line feeds and tabs, and is the same wherever the
//! reads end. The first 16 bytes say where.
#![no_main]

use libfuzzer_sys::arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
use vpnprobe::client::TerminalText;
use vpnprobe_fuzz::{pieces, split};

fuzz_target!(|data: &[u8]| {
    let (decisions, bytes) = split(data, 16);
    let (mut whole, mut parts) = (TerminalText::default(), TerminalText::default());
    let mut expected = whole.push(bytes);
    let mut got = String::new();
    for piece in pieces(&mut Unstructured::new(decisions), bytes) {
        got.push_str(&parts.push(piece));
    }
    // What is still incomplete at the end is finished in both by the same byte.
    expected.push_str(&whole.push(b"."));
    got.push_str(&parts.push(b"."));
    assert_eq!(got, expected);
    assert!(got.chars().all(|c| matches!(c, '\n' | '\t') || !c.is_control()), "{got:?}");
    // U+FFFD has three bytes, and stands for one.
    assert!(got.len() <= 3 * (bytes.len() + 1));
});
