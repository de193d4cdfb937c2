//! The bytes of a file: hashed as they lie there, in the pass that reads them.

use std::io::{self, Read};

use ring::digest::{Context, SHA256};

/// A reader that counts and, where that is wanted, hashes what goes through.
pub(super) struct Counted<R> {
    inner: R,
    hash: Option<Context>,
    /// Bytes so far.
    pub(super) bytes: u64,
    /// Whether it was this reader that failed, and not what unpacks its bytes.
    pub(super) failed: bool,
}

impl<R: Read> Counted<R> {
    pub(super) fn new(inner: R, hash: bool) -> Self {
        Self { inner, hash: hash.then(|| Context::new(&SHA256)), bytes: 0, failed: false }
    }

    /// SHA-256 of all that went through, hexadecimal.
    pub(super) fn sha256(self) -> Option<String> {
        use std::fmt::Write as _;
        let digest = self.hash?.finish();
        Some(digest.as_ref().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).inspect_err(|e| self.failed = e.kind() != io::ErrorKind::Interrupted)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..read]);
        }
        self.bytes += read as u64;
        Ok(read)
    }
}
