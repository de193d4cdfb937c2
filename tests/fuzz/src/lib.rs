//! What the targets share.

use std::path::PathBuf;

use libfuzzer_sys::arbitrary::Unstructured;

/// A secret that nothing else looks like.
pub const CANARY: &str = "cAnArY7351";

/// A directory of this process, in memory where the host has such a place; emptied at each call.
pub fn empty_dir() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let dir = base.join(format!("vpnprobe-fuzz-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("the directory can be made");
    dir
}

/// `bytes` in pieces of arbitrary length.
pub fn pieces<'a>(u: &mut Unstructured<'_>, mut bytes: &'a [u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let length = u.int_in_range(1..=bytes.len().min(64)).unwrap_or(bytes.len()).min(bytes.len());
        let (piece, rest) = bytes.split_at(length);
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

/// The first bytes are decisions, the rest is content: an input stays readable, and a corpus can be made by hand.
pub fn split(data: &[u8], decisions: usize) -> (&[u8], &[u8]) {
    data.split_at(decisions.min(data.len()))
}
