//! Tells that interfaces, addresses or routes changed: a netlink socket subscribed to the kernel's notices.
//!
//! The notices are thrown away: whoever is woken takes a snapshot. So one that was lost for lack of buffer space
//! (`ENOBUFS`) counts as well as one that arrived.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{BoxFuture, NetChanges};
use crate::fd::watch_fd;

/// What is subscribed to, as the bits of `sockaddr_nl.nl_groups` (`RTMGRP_…`).
const GROUPS: i32 = libc::RTMGRP_LINK
    | libc::RTMGRP_IPV4_IFADDR
    | libc::RTMGRP_IPV6_IFADDR
    | libc::RTMGRP_IPV4_ROUTE
    | libc::RTMGRP_IPV6_ROUTE;

/// Notices read before the waiter is woken: a bound, in case they come faster than they are read.
const BATCH: u32 = 1024;

/// A subscription to the changes of one network namespace.
#[derive(Debug)]
pub(super) struct Watch(State);

#[derive(Debug)]
enum State {
    /// Subscribed, not known to a runtime yet: so that it can be made on a thread without one.
    Subscribed(OwnedFd),
    Waiting(AsyncFd<OwnedFd>),
    /// Could not be registered with the runtime.
    Broken,
}

impl Watch {
    /// Subscribes in the calling thread's network namespace. Needs no privilege.
    pub(super) fn open() -> io::Result<Self> {
        let fd = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkRoute,
        )?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, GROUPS.unsigned_abs()))?;
        Ok(Self(State::Subscribed(fd)))
    }

    fn registered(&mut self) -> io::Result<&AsyncFd<OwnedFd>> {
        if matches!(self.0, State::Subscribed(_))
            && let State::Subscribed(fd) = std::mem::replace(&mut self.0, State::Broken)
        {
            self.0 = State::Waiting(watch_fd(fd, Interest::READABLE)?);
        }
        match &self.0 {
            State::Waiting(fd) => Ok(fd),
            State::Subscribed(_) | State::Broken => Err(io::Error::other("the watch for network changes broke")),
        }
    }
}

impl NetChanges for Watch {
    fn changed(&mut self) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async {
            let fd = self.registered()?;
            loop {
                let mut ready = fd.readable().await?;
                // No await between reading and returning: a dropped future loses no notice.
                let (seen, emptied) = drain(fd.get_ref())?;
                if emptied {
                    ready.clear_ready();
                }
                if seen {
                    return Ok(());
                }
            }
        })
    }
}

/// Throws the waiting notices away: whether there were any, and whether there are none any more.
fn drain(fd: &OwnedFd) -> io::Result<(bool, bool)> {
    let mut seen = false;
    for _ in 0..BATCH {
        match recv(fd.as_raw_fd(), &mut [0; 1], MsgFlags::MSG_DONTWAIT) {
            Ok(_) | Err(Errno::ENOBUFS) => seen = true,
            Err(Errno::EAGAIN) => return Ok((seen, true)),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok((seen, false))
}
