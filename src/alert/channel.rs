//! A way to people. Mail is one; each is tried on its own, so that a dead one stops no other.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{AlertEvent, Text, render};
use crate::config::Fallback;
use crate::net::BoxFuture;
use crate::zone::Zone;

/// What is handed to a channel: the event, and its text for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The event, with its steady id.
    pub event: AlertEvent,
    /// The event that its story began with, where that is another one and still known.
    pub first: Option<AlertEvent>,
    /// One line.
    pub subject: String,
    /// Plain text; lines end with `\n`.
    pub body: String,
    /// The body as a page for mail programs.
    pub html: String,
    /// When it was put into the outbox.
    pub created_at: DateTime<Utc>,
}

impl Outgoing {
    /// The message of an event; times in `zone`.
    pub fn of(event: AlertEvent, first: Option<AlertEvent>, zone: &Zone, created_at: DateTime<Utc>) -> Self {
        let Text { subject, body, html } = render(&event, zone);
        Self { event, first, subject, body, html, created_at }
    }
}

/// Why a message was not delivered. One line, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SendError {
    /// Trying the same again soon is pointless: the receiver refused it, or the configuration is wrong.
    pub permanent: bool,
    /// Why.
    pub text: String,
    /// When the receiver wants to be tried again, at the earliest.
    pub retry_after: Option<Duration>,
}

impl SendError {
    /// Trying again may help.
    pub fn transient(text: impl Into<String>) -> Self {
        Self { permanent: false, text: text.into(), retry_after: None }
    }

    /// Trying again soon will not.
    pub fn permanent(text: impl Into<String>) -> Self {
        Self { permanent: true, text: text.into(), retry_after: None }
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

    /// Whether this event goes there. One that ends a story goes to whom was told of its beginning, whatever this says.
    fn takes(&self, _event: &AlertEvent) -> bool {
        self.takes_alerts()
    }

    /// Where a message goes too that this channel does not deliver.
    fn fallback(&self) -> Option<&Fallback> {
        None
    }

    /// How often the channel wants to hear what still goes on; none: never.
    fn repeat(&self) -> Option<Duration> {
        None
    }

    /// Says again what still goes on: each story by its first event. Not a message: what is not said is said the next
    /// time. As [`send`](Self::send), it may be dropped at any time.
    fn refresh<'a>(&'a self, _going_on: &'a [Outgoing]) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async { Ok(()) })
    }

    /// Delivers one message. Dropping the future cancels it: then nothing more may be sent. The caller sets the
    /// deadline.
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>>;
}
