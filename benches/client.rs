//! The client that `scripts/bench` logs in with: Connect Tunnel's console dialogue (the words of its text resources),
//! with stamps of the system's monotonic clock at every place where time may be lost.
//!
//! It carries no traffic and checks nothing. It must stay small: its own start counts in what is measured beside it.
//!
//! - `BENCH_STAMPS`: the file that gets the stamps, one `name nanoseconds` a line, written after the last of them:
//!   `main`, for each question `asked` (right before it is written) and `answered` (its line is read), and `word` (right
//!   before `Connected` is written).
//! - `BENCH_FLOOD`: `PLACE MEGABYTES lines` or `PLACE MEGABYTES line`: there (`start`, `prompt`, `connected` or
//!   `leaving`) it fills the terminal with so much noise, in lines or in one line, before it goes on.
//! - `BENCH_HANG`: after the user name it asks something that nobody knows, writes the stamps and waits for ever.

use std::fmt::Write as _;
use std::io::{self, BufRead};
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// A server's thinking time between an answer and the next words, in milliseconds: from .. below.
const PAUSE: (u64, u64) = (5, 40);
/// The certificate that it shows.
const FINGERPRINT: &str = "5C:1E:9A:47:30:D2:6B:8F:04:E3:71:BC:22:98:AD:56:0F:C3:7E:19";

fn main() -> ExitCode {
    let mut client = Client { stamps: String::new(), random: u64::from(std::process::id()) << 20 };
    client.stamp("main");
    match client.play() {
        Ok(()) => ExitCode::SUCCESS,
        // The terminal is gone: whoever measured went away.
        Err(_) => ExitCode::FAILURE,
    }
}

struct Client {
    stamps: String,
    random: u64,
}

impl Client {
    fn play(&mut self) -> io::Result<()> {
        let certificate = format!(
            "The certificate of the VPN server could not be verified.\n  Subject: CN=vpn.example.com\n  \
             Fingerprint: SHA1[{FINGERPRINT}]\nDo you want to accept this certificate [YES/NO]? "
        );
        let menu = "  1. OK\n  2. Cancel\nEnter your choice [1]:";
        flood("start")?;
        self.pause();
        self.ask(&certificate)?;
        self.ask(menu)?;
        self.ask("Username:")?;
        if std::env::var_os("BENCH_HANG").is_some() {
            return self.hang();
        }
        flood("prompt")?;
        echo(false)?;
        self.ask("Password:")?;
        echo(true)?;
        self.ask(menu)?;
        say("Connecting…\n")?;
        self.pause();
        self.stamp("word");
        say("Connected\n")?;
        say("CONNECT ")?;
        flood("connected")?;
        self.save()?;
        // Until `quit`, or the end of the terminal.
        read_line()?;
        flood("leaving")?;
        say("Disconnected\n")
    }

    /// Asks, waits for the answer and thinks about it.
    fn ask(&mut self, question: &str) -> io::Result<()> {
        self.stamp("asked");
        say(question)?;
        read_line()?;
        self.stamp("answered");
        self.pause();
        Ok(())
    }

    fn hang(&mut self) -> io::Result<()> {
        say("Please enter the number on the back of your card ")?;
        self.save()?;
        read_line()
    }

    fn stamp(&mut self, name: &str) {
        if let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) {
            let _ = writeln!(self.stamps, "{name} {}{:09}", now.tv_sec(), now.tv_nsec());
        }
    }

    /// Under another name first: a file that is there is whole.
    fn save(&self) -> io::Result<()> {
        let Some(path) = std::env::var_os("BENCH_STAMPS") else { return Ok(()) };
        let mut unfinished = path.clone();
        unfinished.push(".new");
        std::fs::write(&unfinished, &self.stamps)?;
        std::fs::rename(unfinished, path)
    }

    fn pause(&mut self) {
        // Knuth's MMIX generator: any sequence without a rhythm will do.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let micros = PAUSE.0 * 1000 + (self.random >> 33) % ((PAUSE.1 - PAUSE.0) * 1000);
        let pause = TimeSpec::from_duration(std::time::Duration::from_micros(micros));
        let _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::empty(), &pause);
    }
}

/// Noise, if this is the place for it.
fn flood(place: &str) -> io::Result<()> {
    const NOISE: &[u8] = b"2026-11-20 00:00:00 DEBUG tunnel: not Connected, Disconnecting, no Password, nothing > \n";
    let order = std::env::var("BENCH_FLOOD").unwrap_or_default();
    let [at, megabytes, shape] = order.split(' ').collect::<Vec<_>>()[..] else { return Ok(()) };
    if at != place {
        return Ok(());
    }
    let line = if shape == "lines" { NOISE } else { &NOISE[..NOISE.len() - 1] };
    let block = line.repeat(64 * 1024 / line.len());
    let mut left = megabytes.parse::<usize>().unwrap_or_default() * 1_000_000;
    while left > 0 {
        let size = left.min(block.len());
        write_all(&block[..size])?;
        left -= size;
    }
    say("\n")
}

/// In one write, as a C program with a flush does; the standard library's buffer would write line by line.
fn say(words: &str) -> io::Result<()> {
    write_all(words.as_bytes())
}

fn write_all(mut left: &[u8]) -> io::Result<()> {
    while !left.is_empty() {
        left = &left[nix::unistd::write(io::stdout(), left)?..];
    }
    Ok(())
}

fn read_line() -> io::Result<()> {
    match io::stdin().lock().read_line(&mut String::new())? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn echo(on: bool) -> io::Result<()> {
    let terminal = io::stdin();
    let mut modes = tcgetattr(terminal.as_fd())?;
    modes.local_modes.set(LocalModes::ECHO, on);
    tcsetattr(terminal.as_fd(), OptionalActions::Now, &modes)?;
    Ok(())
}
