//! What carries the traffic beneath the dialogue.

use super::{CertificateOf, SecondFactor};

/// How an attempt to log in ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The tunnel is up.
    Connected,
    /// The gateway does not take these credentials; its words. They are asked for again.
    Rejected(String),
    /// There is no getting through; the words for it. The client gives up.
    Unreachable(String),
}

/// A certificate as it is shown to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is.
    pub subject: String,
    /// SHA-1 of it, `AA:BB:…`.
    pub sha1: String,
}

/// What carries the traffic beneath the dialogue.
pub trait Carrier {
    /// First word with the gateway, before anything is asked. An `Err` holds the words for the user; the client gives
    /// up then.
    fn contact(&mut self) -> Result<(), String>;

    /// What the gateway shows.
    fn certificate(&mut self, of: CertificateOf) -> Certificate;

    /// Whether this one-time code is good now.
    fn takes_code(&mut self, factor: &SecondFactor, code: &str) -> bool;

    /// Logs in and brings the tunnel up.
    fn connect(&mut self, user: &str, password: &str) -> Attempt;

    /// Takes the tunnel down; returns when it is.
    fn disconnect(&mut self);

    /// Whether the tunnel is still up. Asked a few times a second.
    fn alive(&mut self) -> bool;
    /// Whether a packet has come back through the tunnel. Asked a few times a second; a carrier that can't tell says no.
    fn has_traffic(&mut self) -> bool {
        false
    }

    /// Runs a shell command of the scenario and waits for its end; a carrier on which nothing can be done does not.
    fn run(&mut self, _command: &str) {}
}
