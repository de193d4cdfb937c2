//! The permit to restart: a lock against other instances, and the restart noted before it begins.
//!
//! The lock is a file per connection, because tunnels of one connection may share an IKE_SA; the kernel lets go of it
//! when its holder dies, however it dies.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::guard::{Refusal, RestartPolicy, over_limit};
use super::ledger::Ledger;
use crate::files;
use crate::vici::ChildRef;

/// Allows one restart of one tunnel, until it is dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    ledger: &'a Ledger,
    tunnel: ChildRef,
    at: DateTime<Utc>,
    /// None where the lock could not be had for reasons of the file system: that is said and no reason not to act.
    _lock: Option<Flock<File>>,
}

impl Ledger {
    /// Takes the lock of the tunnel's connection and notes a restart of it, so that one which is killed in the middle
    /// counts as well. `tunnel` names its connection ([`super::Plan::tunnel`] does).
    pub fn begin(&self, tunnel: &ChildRef, policy: &RestartPolicy, now: DateTime<Utc>) -> Result<Permit<'_>, Refusal> {
        let lock = match self.lock_of(tunnel) {
            Ok(lock) => Some(lock),
            Err(NoLock::Held(pid)) => return Err(Refusal::AnotherInstance { pid }),
            Err(NoLock::Io(e)) => {
                tracing::warn!(tunnel = tunnel.child, error = %e, "no lock can be had: another instance could restart the tunnel at the same time");
                None
            }
        };
        // Under the lock: what another has just done counts.
        if let Some(refusal) = over_limit(policy, &self.restarts(tunnel, now)) {
            return Err(refusal);
        }
        self.note_restart(tunnel, now);
        Ok(Permit { ledger: self, tunnel: tunnel.clone(), at: now, _lock: lock })
    }

    fn lock_of(&self, tunnel: &ChildRef) -> Result<Flock<File>, NoLock> {
        let path = self.lock_path(tunnel);
        if let Some(dir) = path.parent() {
            files::create_private_dir(dir)?;
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => {
                // For people and for the message of whoever finds it held; the lock itself does not need it.
                let _ = lock.set_len(0).and_then(|()| (&*lock).write_all(std::process::id().to_string().as_bytes()));
                Ok(lock)
            }
            Err((mut file, Errno::EWOULDBLOCK)) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                Err(NoLock::Held(pid.trim().parse().ok()))
            }
            Err((_, e)) => Err(NoLock::Io(e.into())),
        }
    }

    /// A name that can be read, and a hash because not every name of a connection is one of a file.
    fn lock_path(&self, tunnel: &ChildRef) -> PathBuf {
        let (dir, endpoint) = self.lock_place();
        let connection = tunnel.ike.as_deref().unwrap_or_default();
        let hash = ring::digest::digest(&ring::digest::SHA256, format!("{endpoint}\u{1f}{connection}").as_bytes());
        let hash = hash.as_ref().iter().take(4).fold(0_u32, |hash, byte| hash << 8 | u32::from(*byte));
        let plain = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
        let readable: String = connection.chars().filter(plain).take(40).collect();
        dir.join(format!("{readable}-{hash:08x}.lock"))
    }
}

impl Permit<'_> {
    /// Nothing was done: this restart does not count.
    pub fn withdraw(self, now: DateTime<Utc>) {
        self.ledger.withdraw_restart(&self.tunnel, self.at, now);
    }
}

/// Why there is no lock.
#[derive(Debug)]
enum NoLock {
    /// Another has it.
    Held(Option<u32>),
    /// The file system.
    Io(io::Error),
}

impl From<io::Error> for NoLock {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

#[cfg(test)]
#[path = "permit_tests.rs"]
mod tests;
