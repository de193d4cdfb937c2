//! Who owns the state directory: one `run` at a time, or, while none runs, a command that changes what it owns.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Owns the state directory until it is dropped; the kernel gives it back when the process dies.
#[derive(Debug)]
pub(super) struct StateLock(#[expect(dead_code, reason = "held, not read")] Flock<File>);

impl StateLock {
    /// Takes it; `None` when another process has it.
    pub(super) fn try_take(state_dir: &Path) -> io::Result<Option<Self>> {
        crate::files::create_private_dir(state_dir)?;
        let path = state_dir.join("run.lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Some(Self(lock))),
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, e)) => Err(e.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_owned_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let first = StateLock::try_take(&state).unwrap();
        assert!(first.is_some());
        assert!(StateLock::try_take(&state).unwrap().is_none());
        drop(first);
        assert!(StateLock::try_take(&state).unwrap().is_some());
    }
}
