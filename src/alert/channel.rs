//! A way to people. Mail is one; each is tried on its own, so that a dead one stops no other.

use chrono::{DateTime, Utc};

use super::AlertEvent;
use crate::net::BoxFuture;

/// What is handed to a channel: the event, and its text for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The event, with its steady id.
    pub event: AlertEvent,
    /// One line.
    pub subject: String,
    /// Plain text; lines end with `\n`.
    pub body: String,
    /// When it was put into the outbox.
    pub created_at: DateTime<Utc>,
}

/// Why a message was not delivered. One line, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SendError {
    /// Trying the same again soon is pointless: the receiver refused it, or the configuration is wrong.
    pub permanent: bool,
    /// Why.
    pub text: String,
}

impl SendError {
    /// Trying again may help.
    pub fn transient(text: impl Into<String>) -> Self {
        Self { permanent: false, text: text.into() }
    }

    /// Trying again soon will not.
    pub fn permanent(text: impl Into<String>) -> Self {
        Self { permanent: true, text: text.into() }
    }
}

/// A way to people.
pub trait Channel: Send + Sync {
    /// Its name in the configuration: `email`.
    fn name(&self) -> &str;

    /// Whether it is told of sites. One that is not gets what is put into the outbox for it by name.
    fn takes_alerts(&self) -> bool {
        true
    }

    /// Delivers one message. Dropping the future cancels it: then nothing more may be sent. The caller sets the
    /// deadline.
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>>;
}
