//! The terminal of the process, where it has one.

use std::io::{self, IsTerminal};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};
use vpnprobe::simulator::Console;

/// A console on standard input and output, with the terminal's echo where there is a terminal.
pub(crate) fn console() -> Console<io::Stdout> {
    let console = Console::new(io::stdin(), io::stdout());
    if io::stdin().is_terminal() { console.with_echo_switch(set_echo) } else { console }
}

/// From now on this signal is no reason to end.
pub(crate) fn ignore(kind: SignalKind) -> io::Result<()> {
    // A handler once installed stays for the life of the process; nobody looks at what it notes.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    signal(kind).map(drop)
}

fn set_echo(on: bool) -> io::Result<()> {
    let mut modes = tcgetattr(io::stdin())?;
    modes.local_modes.set(LocalModes::ECHO, on);
    // As the real client: what was typed before the prompt is thrown away when echo goes off.
    let when = if on { OptionalActions::Drain } else { OptionalActions::Flush };
    tcsetattr(io::stdin(), when, &modes)?;
    Ok(())
}
