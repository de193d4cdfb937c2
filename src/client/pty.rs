//! Spawns a client on a pseudo-terminal.
//!
//! The descriptors of the terminal are close-on-exec and the child gets a session of its own (pid = process group =
//! session), so that its whole tree can be found later. Why pty-process: `docs/decisions/0003`.

use std::collections::BTreeMap;
use std::io;

use pty_process::{OwnedReadPty, OwnedWritePty, Size};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::process::Child;
use tokio::time::Instant;

use crate::net::PreExec;

/// Terminal size that clients see: wide enough that no text of theirs is wrapped.
const ROWS: u16 = 50;
const COLUMNS: u16 = 200;

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCommand {
    /// The program; without a slash it is searched in `env`'s PATH.
    pub program: String,
    /// Its arguments. Never a secret.
    pub args: Vec<String>,
    /// Its whole environment. Never a secret.
    pub env: BTreeMap<String, String>,
}

/// Why a client could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// There is no such program, or it may not be run.
    #[error("cannot run `{program}`")]
    Missing {
        /// As configured.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No terminal, or no process, could be had from the system.
    #[error("cannot open a pseudo-terminal for `{program}`")]
    NoPty {
        /// As configured.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A client on its terminal.
pub(super) struct PtyClient {
    pub(super) read: OwnedReadPty,
    pub(super) write: OwnedWritePty,
    pub(super) child: Child,
    pub(super) pid: i32,
    /// When spawn returned: the exec is done.
    pub(super) spawned: Instant,
}

/// Starts a client. Call inside the runtime.
pub(super) fn spawn(command: &ClientCommand, pre_exec: Option<PreExec>) -> Result<PtyClient, SpawnError> {
    let no_pty = |source| SpawnError::NoPty { program: command.program.clone(), source };
    let (pty, pts) = pty_process::open().map_err(|e| no_pty(into_io(e)))?;
    // What we type is not to come back as the client's words; a client that wants echo sets it itself.
    let mut modes = tcgetattr(&pty).map_err(|e| no_pty(e.into()))?;
    modes.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&pty, OptionalActions::Now, &modes).map_err(|e| no_pty(e.into()))?;
    pty.resize(Size::new(ROWS, COLUMNS)).map_err(|e| no_pty(into_io(e)))?;

    let mut spawn = pty_process::Command::new(&command.program)
        .args(&command.args)
        .env_clear()
        .envs(&command.env)
        .kill_on_drop(false);
    if let Some(enter) = pre_exec {
        #[expect(unsafe_code, reason = "entering another namespace is only possible between fork and exec")]
        // SAFETY: a `PreExec` only makes async-signal-safe calls (see its documentation).
        let with_entry = unsafe { spawn.pre_exec(enter) };
        spawn = with_entry;
    }
    let child = spawn.spawn(pts).map_err(|e| {
        let source = into_io(e);
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory => {
                SpawnError::Missing { program: command.program.clone(), source }
            }
            _ if source.raw_os_error() == Some(nix::libc::ENOEXEC) => {
                SpawnError::Missing { program: command.program.clone(), source }
            }
            _ => no_pty(source),
        }
    })?;
    let spawned = Instant::now();
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
    let (read, write) = pty.into_split();
    Ok(PtyClient { read, write, child, pid, spawned })
}

fn into_io(error: pty_process::Error) -> io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        pty_process::Error::Rustix(error) => error.into(),
        other => io::Error::other(other.to_string()),
    }
}
