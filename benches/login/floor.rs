//! What this machine allows: the same dialogue by one thread that sits in a blocking read and knows only what it waits
//! for next. What it loses is mostly the machine's own way from one process to another.

use std::io::{Read, Write};
use std::path::Path;

use nix::time::{ClockId, clock_gettime};
use pty_process::blocking::{Command, Pty, open};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::json;
use vpnprobe::config::Config;

/// What is awaited, in this order, and answered.
const DIALOGUE: [(&[u8], &[u8]); 5] = [
    (b"[YES/NO]? ", b"YES\n"),
    (b"[1]:", b"1\n"),
    (b"Username:", b"probe\n"),
    (b"Password:", b"bench-password\n"),
    (b"[1]:", b"1\n"),
];

/// Logs in `count` times, one after the other.
pub(super) fn run(config: &Config, stamps: &Path, count: u32) -> Result<(), String> {
    let site = config.sites.first().ok_or("the configuration has no sites")?;
    let vpn = site.ssl_vpn().ok_or("the site has no login")?;
    for number in 0..count {
        let file = stamps.join(format!("floor-{number}"));
        let (spawned, heard) = log_in(&vpn.client.command, &file).map_err(|e| format!("the bare login failed: {e}"))?;
        super::print(&json!({ "stamps": file, "spawned_ns": spawned, "heard_ns": heard }))?;
    }
    Ok(())
}

fn log_in(client: &str, stamps: &Path) -> Result<(u64, u64), Box<dyn std::error::Error>> {
    let (mut terminal, other_end) = open()?;
    let mut modes = tcgetattr(&terminal)?;
    modes.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&terminal, OptionalActions::Now, &modes)?;
    let mut child = Command::new(client).env("BENCH_STAMPS", stamps).spawn(other_end)?;
    let spawned = monotonic()?;
    for (question, answer) in DIALOGUE {
        wait_for(&mut terminal, question)?;
        terminal.write_all(answer)?;
    }
    let heard = wait_for(&mut terminal, b"Connected\r\n")?;
    terminal.write_all(b"quit\n")?;
    // The end of the terminal is an error on Linux (EIO); what matters is the end of the client.
    let _ = terminal.read_to_end(&mut Vec::new());
    child.wait()?;
    Ok((spawned, heard))
}

/// When the read returned that brought the end of `words`.
fn wait_for(terminal: &mut Pty, words: &[u8]) -> Result<u64, Box<dyn std::error::Error>> {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let count = terminal.read(&mut buffer)?;
        let at = monotonic()?;
        seen.extend_from_slice(&buffer[..count]);
        if seen.windows(words.len()).any(|window| window == words) {
            return Ok(at);
        }
    }
}

fn monotonic() -> Result<u64, Box<dyn std::error::Error>> {
    let now = std::time::Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC)?);
    Ok(u64::try_from(now.as_nanos())?)
}
