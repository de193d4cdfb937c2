//! The terminal of the fake client: lines in, text out, echo on or off.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::{Flood, Manner};

/// Between two pieces of a text that comes byte by byte.
const PIECE: Duration = Duration::from_millis(2);
/// One line of noise. It ends like a prompt that nobody knows and holds words that are near to known ones.
const NOISE: &[u8] = b"2026-11-20 00:00:00 DEBUG tunnel: not Connected, Disconnecting, no Password, nothing > \n";

/// Switches the terminal's echo.
type EchoSwitch = Box<dyn FnMut(bool) -> io::Result<()> + Send>;

/// A terminal, or whatever stands for one.
pub struct Console<W> {
    lines: Receiver<String>,
    output: W,
    echo: Option<EchoSwitch>,
    manners: Vec<Manner>,
}

/// What came from the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line, without its end.
    Line(String),
    /// Nothing in the time given.
    Nothing,
    /// The terminal is closed.
    Closed,
}

impl<W: Write> Console<W> {
    /// A console on this reader and writer. The reader is read in a thread of its own, which ends with it.
    pub fn new<R: Read + Send + 'static>(input: R, output: W) -> Self {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut input = BufReader::new(input);
            let mut line = Vec::new();
            while matches!(input.read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
                line.clear();
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        Self { lines, output, echo: None, manners: Vec::new() }
    }

    /// The same console with a terminal whose echo can be switched.
    #[must_use]
    pub fn with_echo_switch(mut self, switch: impl FnMut(bool) -> io::Result<()> + Send + 'static) -> Self {
        self.echo = Some(Box::new(switch));
        self
    }

    /// From now on everything is said so.
    pub(super) fn speak(&mut self, manners: Vec<Manner>) {
        self.manners = manners;
    }

    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        let bytes = self.manners.iter().fold(text.as_bytes().to_vec(), |text, manner| manner.apply(text));
        if !self.manners.contains(&Manner::InPieces) {
            self.output.write_all(&bytes)?;
            return self.output.flush();
        }
        for byte in bytes {
            self.output.write_all(&[byte])?;
            self.output.flush()?;
            pause();
        }
        Ok(())
    }

    /// Fills the terminal with noise.
    pub(super) fn flood(&mut self, flood: Flood) -> io::Result<()> {
        let length = if flood.lines { NOISE.len() } else { NOISE.len() - 1 };
        let block = NOISE[..length].repeat(64 * 1024 / length);
        let mut left = flood.kilobytes.map(|kilobytes| kilobytes.saturating_mul(1_000));
        while left != Some(0) {
            let size = left.map_or(block.len(), |left| block.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
            self.output.write_all(&block[..size])?;
            left = left.map(|left| left - size as u64);
        }
        self.output.write_all(b"\n")?;
        self.output.flush()
    }

    pub(super) fn say_line(&mut self, text: &str) -> io::Result<()> {
        self.say(&format!("{text}\n"))
    }

    /// The answer to a prompt; none: the terminal is closed.
    pub(super) fn ask(&mut self, prompt: &str) -> io::Result<Option<String>> {
        self.say(prompt)?;
        Ok(self.lines.recv().ok())
    }

    /// As [`ask`](Self::ask), with nothing of the answer on the terminal. Echo is off before the prompt is there.
    pub(super) fn ask_hidden(&mut self, prompt: &str) -> io::Result<Option<String>> {
        self.set_echo(false)?;
        let answer = self.ask(prompt);
        self.set_echo(true)?;
        self.say("\n")?;
        answer
    }

    /// What is typed within this time.
    pub(super) fn read_within(&self, time: Duration) -> Typed {
        match self.lines.recv_timeout(time) {
            Ok(line) => Typed::Line(line),
            Err(RecvTimeoutError::Timeout) => Typed::Nothing,
            Err(RecvTimeoutError::Disconnected) => Typed::Closed,
        }
    }

    /// Says nothing and does nothing until the terminal is closed.
    pub(super) fn ignore_everything(&self) {
        while self.lines.recv().is_ok() {}
    }

    fn set_echo(&mut self, on: bool) -> io::Result<()> {
        self.echo.as_mut().map_or(Ok(()), |switch| switch(on))
    }
}

#[expect(clippy::disallowed_methods, reason = "a fake client takes its time; nothing waits for an event here")]
fn pause() {
    thread::sleep(PIECE);
}

impl<W> fmt::Debug for Console<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("switches_echo", &self.echo.is_some()).finish_non_exhaustive()
    }
}
