//! TLS as the prober speaks it: a handshake that looks at everything, and a judgement of what was seen.
//!
//! `certificate` is pure; the rest acts on a stream that is handed in. Must not know whom it is for: a gateway, a check
//! through a tunnel or a receiver of alerts.

mod certificate;
mod handshake;
mod roots;

pub use certificate::{Demand, Distrust, Trusted, facts_of, judge};
pub use handshake::{Handshake, Seen, TlsTrouble, Wanted, handshake};
pub use roots::{Roots, RootsError};
