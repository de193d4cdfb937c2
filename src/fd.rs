//! Descriptors on which the runtime waits: the one place with the `unsafe` that tokio asks for.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Registers a descriptor with the runtime. Call inside the runtime.
#[expect(unsafe_code, reason = "tokio can't check that a descriptor stays open; an OwnedFd does")]
pub(crate) fn watch_fd(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is valid and open, always gives the same descriptor, and is closed only when the `AsyncFd`
    // that now owns it is dropped.
    unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(Into::into)
}
