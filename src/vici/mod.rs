//! strongSwan's VICI: what is configured, what is installed, `initiate`, `terminate`, events.
//!
//! Nothing here decides anything: `ipsec` does, from a [`View`].

mod codec;
mod control;
mod endpoint;
mod message;
mod model;

pub use codec::{LONGEST_PACKET, Packet, frames};
pub use control::{ChildRef, Ended, IkeControl, SaId, ViciError};
pub use endpoint::{Endpoint, EndpointError};
pub use message::{Entries, Entry, Fault, List, MessageWriter, Section};
pub use model::{Action, ChildConfig, ChildSa, ChildState, IkeSa, IkeState, Traffic, View};
