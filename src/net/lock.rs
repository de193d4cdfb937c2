//! The lock that keeps two probers from touching a client of one network namespace at the same time.
//!
//! It is a name: an abstract Unix socket, which the kernel keeps per network namespace and frees when its holder dies,
//! however it dies (docs/decisions/0005). Its holder accepts nobody: that the kernel knows who listens, and ends the
//! waiting connections when the listener goes, is all that the others need.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, getsockopt, listen, socket, sockopt,
};

use tokio::io::Interest;

use super::LockHeld;
use crate::fd::watch_fd;

/// The name, after the leading zero byte of abstract names; `@vpnprobe/client` in `ss -xl` and `/proc/net/unix`.
pub(super) const CLIENT_LOCK: &[u8] = b"vpnprobe/client";

/// How often the lock is tried when its holder lets go between being found and being asked for its name, or has the
/// name but does not listen yet.
const ATTEMPTS: u32 = 100;

/// Until a holder that can't be waited for is looked for again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The lock, held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    /// Closing it frees the name. Nobody accepts: the kernel answers who listens.
    _listener: OwnedFd,
}

impl Lock {
    /// Takes the lock called `name` in the calling thread's network namespace.
    pub(super) fn try_take(name: &[u8]) -> Result<Self, LockHeld> {
        let address = UnixAddr::new_abstract(name).map_err(|errno| cannot(&errno))?;
        for _ in 0..ATTEMPTS {
            let listener = stream().map_err(|errno| cannot(&errno))?;
            match bind(listener.as_raw_fd(), &address) {
                Ok(()) => {
                    listen(&listener, Backlog::MAXCONN).map_err(|errno| cannot(&errno))?;
                    return Ok(Self { _listener: listener });
                }
                Err(Errno::EADDRINUSE) => {}
                Err(errno) => return Err(cannot(&errno)),
            }
            match ask(&address).and_then(|asker| Ok(getsockopt(&asker, sockopt::PeerCredentials)?.pid())) {
                // A process outside of our process id namespace has no id here.
                Ok(0) => return Err(LockHeld::Io("held by a process that is not visible here".to_owned())),
                Ok(pid) => return Err(LockHeld::By(pid)),
                Err(Errno::ECONNREFUSED) => std::thread::yield_now(),
                // Nobody accepts, so the failed attempts queue up, thousands of them: then it can't be asked any more.
                Err(Errno::EAGAIN) => return Err(held_by_owner_of_name(name)),
                Err(errno) => return Err(cannot(&errno)),
            }
        }
        Err(LockHeld::Io("its holder changes all the time".to_owned()))
    }
}

/// Somebody who holds the lock.
#[derive(Debug)]
pub(super) struct Holder {
    /// Waits to be accepted; `None` where too many wait already.
    asker: Option<OwnedFd>,
}

impl Holder {
    /// The holder of the lock called `name` in the calling thread's network namespace.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        match UnixAddr::new_abstract(name).and_then(|address| ask(&address)) {
            Ok(asker) => Some(Self { asker: Some(asker) }),
            Err(Errno::EAGAIN) => Some(Self { asker: None }),
            // Nobody has the name. What else may go wrong here, taking the lock will say in words.
            Err(_) => None,
        }
    }

    /// Waits until this holder may have let go.
    pub(super) async fn let_go(self) {
        let watched = self.asker.and_then(|asker| watch_fd(asker, Interest::READABLE).ok());
        match watched {
            // The kernel hangs up on all who wait when the listener goes; nobody else writes to it.
            Some(asker) => drop(asker.readable().await),
            None => tokio::time::sleep(ASK_AGAIN).await,
        }
    }
}

/// A connection that waits to be accepted by whoever listens at `address`.
fn ask(address: &UnixAddr) -> nix::Result<OwnedFd> {
    let asker = stream()?;
    connect(asker.as_raw_fd(), address)?;
    Ok(asker)
}

fn stream() -> nix::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socket(AddressFamily::Unix, SockType::Stream, flags, None)
}

/// Finds the holder the long way: the name's socket in `/proc/net/unix`, and who has that socket open.
fn held_by_owner_of_name(name: &[u8]) -> LockHeld {
    let found = std::fs::read_to_string("/proc/thread-self/net/unix")
        .ok()
        .and_then(|table| socket_inode(&table, &String::from_utf8_lossy(name)))
        .and_then(super::processes::owner_of_socket);
    match found {
        Some(pid) => LockHeld::By(pid),
        None => LockHeld::Io("held by a process that cannot be named".to_owned()),
    }
}

/// The inode of the socket that has this abstract name, from the text of `/proc/net/unix`:
/// `Num RefCount Protocol Flags Type St Inode Path`.
fn socket_inode(table: &str, name: &str) -> Option<u64> {
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let inode = fields.nth(6)?;
        let path = fields.next()?;
        // Accepted and waiting connections bear the name as well; the listener's flag is __SO_ACCEPTCON.
        let listens = line.split_whitespace().nth(3) == Some("00010000");
        (listens && path.strip_prefix('@') == Some(name)).then(|| inode.parse().ok())?
    })
}

fn cannot(error: &dyn std::error::Error) -> LockHeld {
    LockHeld::Io(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that no other test and no running prober uses.
    fn name(test: &str) -> Vec<u8> {
        format!("vpnprobe/test/{}/{test}", std::process::id()).into_bytes()
    }

    fn own_pid() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn a_second_taker_is_told_the_holders_process_id() {
        let name = name("second");
        let held = Lock::try_take(&name).unwrap();
        assert_eq!(Lock::try_take(&name).unwrap_err(), LockHeld::By(own_pid()));
        drop(held);
    }

    #[test]
    fn a_dropped_lock_can_be_taken_again() {
        let name = name("again");
        drop(Lock::try_take(&name).unwrap());
        drop(Lock::try_take(&name).unwrap());
    }

    #[test]
    fn locks_of_different_names_do_not_meet() {
        let _one = Lock::try_take(&name("one")).unwrap();
        let _other = Lock::try_take(&name("other")).unwrap();
    }

    #[test]
    fn the_holder_is_told_however_often_it_was_asked() {
        let name = name("often");
        let _held = Lock::try_take(&name).unwrap();
        let address = UnixAddr::new_abstract(&name).unwrap();
        // Until the kernel keeps no more of them waiting for a listener that never accepts (net.core.somaxconn).
        let refused = (0..1 << 20).find_map(|_| ask(&address).err());
        assert_eq!(refused, Some(Errno::EAGAIN));
        assert_eq!(Lock::try_take(&name).unwrap_err(), LockHeld::By(own_pid()));
    }

    #[tokio::test]
    async fn whoever_waits_for_it_wakes_when_it_is_dropped() {
        let name = name("wait");
        assert!(Holder::of(&name).is_none(), "nobody holds it");
        let held = Lock::try_take(&name).unwrap();
        let waiting = tokio::spawn(Holder::of(&name).unwrap().let_go());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(held);
        tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
        drop(Lock::try_take(&name).unwrap());
    }

    #[test]
    fn the_listener_is_found_in_the_table_of_sockets_and_its_connections_are_not() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00000000 0001 03 11 @vpnprobe/client\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 22 @vpnprobe/client2\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 33\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 44 @vpnprobe/client\n";
        assert_eq!(socket_inode(table, "vpnprobe/client"), Some(44));
        assert_eq!(socket_inode(table, "vpnprobe/other"), None);
        assert_eq!(socket_inode("garbage\n\n1 2", "vpnprobe/client"), None);
    }
}
