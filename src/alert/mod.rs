//! Tells people once when a site is down and once when it is over; and of one that was restored before that.
//!
//! ```text
//! CycleRecord ─▶ Observation ─▶ policy ─▶ AlertEvent ─▶ outbox ─▶ channel (email)
//!  (from_record)               (pure)                   (pure)    (one send at a time, while the gate is open)
//!                                 └────────┬───────────────┘
//!                                        store (one file, replaced atomically, before the first attempt)
//! ```
//!
//! The pure parts ([`Policy`], [`Outbox`], the message texts) decide; [`NotifierTask`] acts. Only `from_record` knows
//! what a cycle is; the policy is keyed by an opaque subject. Nothing here may delay a cycle by more than
//! [`HOLD_WINDOW`], and nothing is sent while a client holds the host's routes.

mod advice;
mod channel;
mod command;
mod company;
mod document;
mod email;
mod email_words;
mod event;
mod expiry;
mod facts;
mod flapping;
mod from_record;
mod gate;
mod html;
mod leftovers;
mod message;
mod notifier;
mod outbox;
mod policy;
mod restores;
mod routed;
mod severity;
mod store;
mod stories;
mod text;
mod trial;
mod web;
mod worker;

pub use channel::{Channel, Outgoing, SendError};
pub use command::CommandChannel;
pub use company::{Company, HOLD};
pub use email::{Attachment, EmailChannel, OutgoingMail, PasswordReader, send as send_mail};
pub use event::{AlertEvent, AlertKind, Back, Observation};
pub use facts::{AlertFacts, PingFacts, RestartFacts};
pub use flapping::FlapCounts;
pub use gate::{GateListener, HOLD_WINDOW, HoldGuard, RouteGate};
pub use message::{Text, render};
pub use notifier::{Notifier, NotifierError, SHUTDOWN_WINDOW, Settled};
pub use outbox::{MAX_AGE, MAX_BACKOFF, Message, MessageKey, Outbox, REPORT_MAX_AGE, Retried};
pub use policy::{Outage, Policy, SubjectState, Told};
pub use routed::RoutedChannel;
pub use store::{AlertState, AlertStore, FileStore, StoreError};
pub use stories::{Stories, Story};
pub use trial::{hint_to, test_message, try_channel};
pub use web::WebChannel;
pub use worker::{NotifierTask, SEND_DEADLINE};
