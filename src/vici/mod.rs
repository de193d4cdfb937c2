//! strongSwan's VICI: what is configured, what is installed, `initiate`, `terminate`, events.
//!
//! Nothing here decides anything: `ipsec` does, from a [`View`].

mod control;
mod model;

pub use control::{ChildRef, Ended, IkeControl, SaId, ViciError};
pub use model::{Action, ChildConfig, ChildSa, ChildState, IkeSa, IkeState, Traffic, View};
