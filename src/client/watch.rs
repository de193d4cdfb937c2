//! A dialogue, seen live by somebody who writes a profile. It changes nothing of the dialogue, unless that somebody types.

use tokio::sync::mpsc;

use super::transcript::blank;
use crate::config::Secret;

/// Where what is seen goes.
pub type Watch = mpsc::UnboundedSender<Seen>;

/// What is seen. Secrets are blanked.
#[derive(Debug)]
pub enum Seen {
    /// The client runs: by this one may type to it.
    Started(Typist),
    /// It printed a line.
    Line(String),
    /// It printed the beginning of a line.
    Open {
        /// So far.
        text: String,
        /// It has the terminal's echo switched off: it waits for a secret.
        echo_off: bool,
    },
    /// The prober typed this.
    Typed(String),
    /// A rule matched.
    Matched {
        /// The rule's pattern.
        expect: String,
        /// The fingerprint that it caught.
        fingerprint: Option<String>,
    },
}

/// Types what a person answers.
#[derive(Debug)]
pub struct Typist(pub(super) mpsc::UnboundedSender<Secret>);

impl Typist {
    /// Types this line; it is shown nowhere.
    pub fn answer(&self, line: Secret) {
        // A client that has ended hears nothing.
        let _ = self.0.send(line);
    }
}

/// Cuts what comes from the client into lines for whoever watches.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    watch: Option<Watch>,
    open: String,
}

impl Watcher {
    pub(super) const fn new(watch: Option<Watch>) -> Self {
        Self { watch, open: String::new() }
    }

    pub(super) fn sees(&self, seen: Seen) {
        if let Some(watch) = &self.watch {
            // Who has looked away is told nothing.
            let _ = watch.send(seen);
        }
    }

    pub(super) fn printed(&mut self, text: &str, echo_off: bool, secrets: &[(String, Secret)]) {
        if self.watch.is_none() {
            return;
        }
        self.open.push_str(text);
        while let Some(end) = self.open.find('\n') {
            let line: String = self.open.drain(..=end).collect();
            self.sees(Seen::Line(blank(line.trim_end(), secrets)));
        }
        self.sees(Seen::Open { text: blank(&self.open, secrets), echo_off });
    }

    pub(super) fn typed(&mut self, shown: &str, secrets: &[(String, Secret)]) {
        if self.watch.is_none() {
            return;
        }
        let line = std::mem::take(&mut self.open);
        if !line.trim().is_empty() {
            self.sees(Seen::Line(blank(line.trim_end(), secrets)));
        }
        self.sees(Seen::Typed(shown.to_owned()));
    }
}
