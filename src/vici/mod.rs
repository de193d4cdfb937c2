//! strongSwan's VICI: what is configured, what is installed, `initiate`, `terminate`, events.
//!
//! Nothing here decides anything: `ipsec` does, from a [`View`].

mod client;
mod codec;
mod connection;
mod control;
mod endpoint;
mod events;
mod message;
mod model;
mod patience;
mod reading;

#[cfg(test)]
mod server;

pub use client::Strongswan;
pub use codec::{LONGEST_PACKET, Packet, frames};
pub use control::{ChildRef, Ended, IkeControl, SaId, ViciError};
pub use endpoint::{Endpoint, EndpointError};
pub use events::{Direction, Event, Events};
pub use message::{Entries, Entry, Fault, List, MessageWriter, Section};
pub use model::{Action, ChildConfig, ChildSa, ChildState, IkeSa, IkeState, Traffic, View};
pub use reading::{read_connections, read_event, read_sas};
