//! The terminal of the fake client: lines in, text out, echo on or off.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Switches the terminal's echo.
type EchoSwitch = Box<dyn FnMut(bool) -> io::Result<()> + Send>;

/// A terminal, or whatever stands for one.
pub struct Console<W> {
    lines: Receiver<String>,
    output: W,
    echo: Option<EchoSwitch>,
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
        Self { lines, output, echo: None }
    }

    /// The same console with a terminal whose echo can be switched.
    #[must_use]
    pub fn with_echo_switch(mut self, switch: impl FnMut(bool) -> io::Result<()> + Send + 'static) -> Self {
        self.echo = Some(Box::new(switch));
        self
    }

    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())?;
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

impl<W> fmt::Debug for Console<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("switches_echo", &self.echo.is_some()).finish_non_exhaustive()
    }
}
