//! Waiting for the end of any process, not only of children.

use std::io;
use std::os::fd::OwnedFd;

use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::unix::AsyncFd;

use super::ProcessId;
use crate::fd::watch_fd;

/// A process whose end can be waited for.
#[derive(Debug)]
pub struct ProcessExit {
    id: ProcessId,
    /// None: it was gone already.
    fd: Option<AsyncFd<OwnedFd>>,
}

impl ProcessExit {
    /// Starts watching. A process that is gone, or whose id belongs to another by now, has ended.
    pub fn watch(id: ProcessId) -> io::Result<Self> {
        let gone = Self { id, fd: None };
        let Some(pid) = rustix::process::Pid::from_raw(id.pid) else { return Ok(gone) };
        let fd = match pidfd_open(pid, PidfdFlags::NONBLOCK) {
            Ok(fd) => fd,
            Err(rustix::io::Errno::SRCH) => return Ok(gone),
            Err(e) => return Err(e.into()),
        };
        // The descriptor is bound to whichever process has the id now: only afterwards can that be checked.
        if ProcessId::of(id.pid) != Some(id) {
            return Ok(gone);
        }
        Ok(Self { id, fd: Some(watch_fd(fd, tokio::io::Interest::READABLE)?) })
    }

    /// Waits for its end.
    pub async fn ended(&self) {
        if let Some(fd) = &self.fd {
            let _ = fd.readable().await;
        }
    }

    /// Sends a signal to this very process, never to another that got its id. One that has ended is no error.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(fd) = &self.fd else { return Ok(()) };
        match pidfd_send_signal(fd.get_ref(), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    /// Which process.
    pub const fn id(&self) -> ProcessId {
        self.id
    }
}

/// Takes note of the end of an orphan that was given to us, so that no zombie stays.
pub(super) fn reap(pid: i32) {
    // Not our child after all: ECHILD, and nothing to do.
    let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
}

/// Asks the kernel to give the orphans among our descendants to us instead of to init: so they can be found and taken
/// note of (`PR_SET_CHILD_SUBREAPER`, Linux 3.4).
pub fn become_subreaper() -> io::Result<()> {
    nix::sys::prctl::set_child_subreaper(true).map_err(Into::into)
}
