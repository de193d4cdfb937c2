//! What is looked at beyond echo requests: TLS and certificates.
//!
//! `certificate` is pure; `tls` acts on a stream that a network context made. Must not open a socket or resolve a name
//! by itself, and must not know a cycle.

mod certificate;
mod roots;
mod tls;
mod way;

pub use certificate::{Demand, Distrust, Trusted, facts_of, judge};
pub use roots::{Roots, RootsError};
pub use tls::{Handshake, Seen, TlsTrouble, Wanted, handshake};
pub use way::{Astray, Way};
