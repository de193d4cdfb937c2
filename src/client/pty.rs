//! Spawns a client on a pseudo-terminal.
//!
//! The descriptors of the terminal are close-on-exec and the child gets a session of its own (pid = process group =
//! session), so that its whole tree can be found later. Why pty-process: `docs/decisions/0003`.
//!
//! The terminal's echo stays on, as a client would find it, so that the client itself switches it off for a password: a
//! sign that no text of a gateway can give. `EXTPROC` keeps the terminal from really echoing, and packet mode tells when
//! the client changes the modes (`ioctl_tty(2)`, `docs/decisions/0015`).

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use pty_process::{OwnedReadPty, OwnedWritePty, Size};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::Child;
use tokio::time::Instant;

use crate::net::PreExec;

/// Terminal size that clients see: wide enough that no text of theirs is wrapped.
const ROWS: u16 = 50;
const COLUMNS: u16 = 200;

/// What Linux hands over from a terminal in one read at most: a page of its buffer, or `N_TTY_BUF_SIZE` less one.
const FULL_READ: usize = 4095;
/// The first byte of a read in packet mode: data follows (`TIOCPKT_DATA`). Others tell of changed modes and flushes.
const PACKET_DATA: u8 = 0;

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
    pub(super) read: Screen,
    pub(super) write: OwnedWritePty,
    pub(super) modes: Modes,
    pub(super) child: Child,
    pub(super) pid: i32,
    /// When spawn returned: the exec is done.
    pub(super) spawned: Instant,
}

/// Starts a client. Call inside the runtime.
pub(super) fn spawn(command: &ClientCommand, pre_exec: Option<PreExec>) -> Result<PtyClient, SpawnError> {
    let no_pty = |source| SpawnError::NoPty { program: command.program.clone(), source };
    let (pty, pts) = pty_process::open().map_err(|e| no_pty(into_io(e)))?;
    let modes = Modes(pty.as_fd().try_clone_to_owned().map_err(no_pty)?);
    modes.keep_from_echoing().map_err(no_pty)?;
    set_packet_mode(&pty).map_err(no_pty)?;
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
    Ok(PtyClient { read: Screen(read), write, modes, child, pid, spawned })
}

/// The terminal's modes, as the client has set them.
pub(super) struct Modes(OwnedFd);

impl Modes {
    /// Whether the client has the echo switched off. A terminal that does not tell has not.
    pub(super) fn echo_is_off(&self) -> bool {
        let Ok(modes) = tcgetattr(&self.0) else { return false };
        if !modes.local_modes.contains(LocalModes::EXTPROC) {
            // A client that sets modes of its own making: what we type would come back as its words.
            let _ = self.keep_from_echoing();
        }
        !modes.local_modes.contains(LocalModes::ECHO)
    }

    fn keep_from_echoing(&self) -> io::Result<()> {
        let mut modes = tcgetattr(&self.0)?;
        modes.local_modes.insert(LocalModes::EXTPROC);
        Ok(tcsetattr(&self.0, OptionalActions::Now, &modes)?)
    }
}

/// What the client prints.
pub(super) struct Screen(OwnedReadPty);

impl Screen {
    /// Waits for the next bytes, or for changed modes (then there may be none). A prompt is handed over as soon as it is
    /// read: looking for more first would make every answer, and the login time, longer by what the client goes on to
    /// print. Only after a full read, which means a flood, all that is there is taken together. `None` is the end; so is
    /// EIO, which Linux gives for a terminal that nobody holds open any more.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        poll_fn(|cx| self.poll_read(cx, buffer)).await
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<Option<usize>>> {
        let mut filled = 0;
        loop {
            let mut packet = ReadBuf::new(&mut buffer[filled..]);
            match Pin::new(&mut self.0).poll_read(cx, &mut packet) {
                Poll::Ready(Ok(())) => {
                    let length = packet.filled().len();
                    let data = packet.filled().first() == Some(&PACKET_DATA);
                    match length {
                        0 if filled == 0 => return Poll::Ready(Ok(None)),
                        1.. if data => {
                            buffer.copy_within(filled + 1..filled + length, filled);
                            filled += length - 1;
                            if length < FULL_READ || buffer.len() - filled <= FULL_READ {
                                return Poll::Ready(Ok(Some(filled)));
                            }
                        }
                        _ => return Poll::Ready(Ok(Some(filled))),
                    }
                }
                _ if filled > 0 => return Poll::Ready(Ok(Some(filled))),
                Poll::Ready(Err(e)) if e.raw_os_error() == Some(nix::libc::EIO) => return Poll::Ready(Ok(None)),
                Poll::Ready(Err(e)) => return Poll::Ready(Err(e)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// From now on each read begins with a byte that says what it is.
fn set_packet_mode(pty: &impl AsFd) -> io::Result<()> {
    let on: nix::libc::c_int = 1;
    #[expect(unsafe_code, reason = "no safe crate offers TIOCPKT")]
    // SAFETY: the descriptor is open, and TIOCPKT reads one int through the pointer, which is valid for the call.
    let result = unsafe { nix::libc::ioctl(pty.as_fd().as_raw_fd(), nix::libc::TIOCPKT, &raw const on) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn into_io(error: pty_process::Error) -> io::Error {
    match error {
        pty_process::Error::Io(error) => error,
        pty_process::Error::Rustix(error) => error.into(),
        other => io::Error::other(other.to_string()),
    }
}
